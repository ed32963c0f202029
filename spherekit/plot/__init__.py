"""Pictures of signals on the sphere and of their spectra, with matplotlib alone.

Every function that draws takes ``ax=None``, returns the Axes and never calls ``show()``;
matplotlib is imported when something is drawn. :func:`project` gives the projected arrays
themselves, without any drawing.
"""

from spherekit.plot.maps import show
from spherekit.plot.projection import Projection, graticule, project
from spherekit.plot.spectra import cosmic_variance, spectrum

__all__ = ["Projection", "cosmic_variance", "graticule", "project", "show", "spectrum"]
