"""The rotation group: Wigner transforms and functions, rotations, couplings, correlations."""

from spherekit.wigner.transform import (
    estimate_memory,
    forward,
    forward_adjoint,
    inverse,
    inverse_adjoint,
)

__all__ = ["estimate_memory", "forward", "forward_adjoint", "inverse", "inverse_adjoint"]
