"""Sampling of signals on the sphere and on the rotation group: grids, their nodes and quadrature weights.

All grids of the sphere are frozen, comparable and hashable, and have the attributes

    theta      colatitudes, radians: of the rings of rectangular grids, else of all samples
    phi        longitudes, radians: of the columns of rectangular grids, else of all samples
    weights    quadrature weights, steradians, of a shape that broadcasts against the samples
    shape      shape of the samples
    exact      whether a sampling theorem makes the forward transform exact
    default_L  the largest band-limit that the samples determine well

``str(grid)`` is a text from which `grid` creates an equal grid, `from_latlon` recognizes the grid of the
latitudes and longitudes of a file, and `grids_of_shape` lists the grids that an array of a shape can be on.
"""

from spherekit.sampling.base import Grid
from spherekit.sampling.grids import grid
from spherekit.sampling.healpix import HEALPix
from spherekit.sampling.latlon import LatLon, from_latlon
from spherekit.sampling.point_lists import from_points
from spherekit.sampling.rectangles import CC, DH, GL, MW, MWSS, DHPole
from spherekit.sampling.rings import Rings
from spherekit.sampling.rotation import RotationGrid
from spherekit.sampling.theorem_grids import grids_of_shape

__all__ = [
    "CC",
    "DH",
    "DHPole",
    "GL",
    "MW",
    "MWSS",
    "Grid",
    "HEALPix",
    "LatLon",
    "Rings",
    "RotationGrid",
    "from_latlon",
    "from_points",
    "grid",
    "grids_of_shape",
]


def __dir__():
    return sorted(__all__)
