"""Benchmarks: time, error and memory of spherekit and of other installed packages on this machine."""

from spherekit.bench.cases.harmonic import CODES, SHAPES
from spherekit.bench.plots import figure
from spherekit.bench.report import machine, slopes, table
from spherekit.bench.runner import installed, measure

__all__ = ["CODES", "SHAPES", "figure", "installed", "machine", "measure", "slopes", "table"]


def __dir__():
    return sorted(__all__)
