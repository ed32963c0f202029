"""Where signals are sampled: the grids, their nodes and exact quadrature weights."""

from spherekit.sampling.grids import CC, DH, GL, MW, MWSS, DHPole, HEALPix, Rings, grid

__all__ = ["CC", "DH", "DHPole", "GL", "MW", "MWSS", "HEALPix", "Rings", "grid"]
