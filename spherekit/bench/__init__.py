"""Times, errors and memory on this machine, beside whichever peers are installed."""

from spherekit.bench.codes import CODES
from spherekit.bench.measure import measure
from spherekit.bench.report import figure, machine, table

__all__ = ["CODES", "figure", "machine", "measure", "table"]
