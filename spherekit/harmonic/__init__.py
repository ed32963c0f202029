"""Spin spherical-harmonic transforms: samples <-> coefficients, adjoints, gradients."""

from spherekit.harmonic.transform import (
    estimate_memory,
    forward,
    forward_adjoint,
    inverse,
    inverse_adjoint,
)

__all__ = ["estimate_memory", "forward", "forward_adjoint", "inverse", "inverse_adjoint"]
