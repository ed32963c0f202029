"""Plots of signals on the sphere and of power spectra, with matplotlib.

Every plotting function accepts ``ax=None``, returns the Axes and never calls ``show()``; matplotlib is
imported at the first plot. :func:`project` returns projected arrays without plotting.
"""

from spherekit.plot.bandpowers import bandpower_windows, bandpowers
from spherekit.plot.maps import show
from spherekit.plot.projection import Projection, graticule, project
from spherekit.plot.spectra import cosmic_variance, spectrum

__all__ = [
    "Projection",
    "bandpower_windows",
    "bandpowers",
    "cosmic_variance",
    "graticule",
    "project",
    "show",
    "spectrum",
]


def __dir__():
    return sorted(__all__)
