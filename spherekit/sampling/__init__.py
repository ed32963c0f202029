"""Sampling of signals on the sphere and on the rotation group: grids, their nodes and quadrature weights."""

from spherekit.sampling.grids import grid
from spherekit.sampling.healpix import HEALPix
from spherekit.sampling.rectangles import CC, DH, GL, MW, MWSS, DHPole
from spherekit.sampling.rings import Rings
from spherekit.sampling.rotation import RotationGrid

__all__ = ["CC", "DH", "DHPole", "GL", "MW", "MWSS", "HEALPix", "Rings", "RotationGrid", "grid"]


def __dir__():
    return sorted(__all__)
