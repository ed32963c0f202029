"""Times, errors and memory on this machine, beside whichever peers are installed."""

from spherekit.bench.cases.harmonic import CODES, SHAPES
from spherekit.bench.plots import figure
from spherekit.bench.report import machine, slopes, table
from spherekit.bench.runner import installed, measure

__all__ = ["CODES", "SHAPES", "figure", "installed", "machine", "measure", "slopes", "table"]
