"""Times, errors and memory on this machine, beside whichever peers are installed."""

from spherekit.bench.codes import CODES, SHAPES
from spherekit.bench.figure import figure
from spherekit.bench.measure import installed, measure
from spherekit.bench.report import machine, slopes, table

__all__ = ["CODES", "SHAPES", "figure", "installed", "machine", "measure", "slopes", "table"]
