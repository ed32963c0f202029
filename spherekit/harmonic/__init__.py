"""Spin spherical-harmonic transforms: samples <-> coefficients, adjoints, gradients."""

from spherekit.harmonic.least_squares import Residual, analyse, synthesis_operator
from spherekit.harmonic.points import evaluate, evaluate_adjoint
from spherekit.harmonic.transform import (
    estimate_memory,
    forward,
    forward_adjoint,
    inverse,
    inverse_adjoint,
)

__all__ = [
    "Residual",
    "analyse",
    "estimate_memory",
    "evaluate",
    "evaluate_adjoint",
    "forward",
    "forward_adjoint",
    "inverse",
    "inverse_adjoint",
    "synthesis_operator",
]
