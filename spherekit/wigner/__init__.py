"""The rotation group: Wigner transforms and functions, rotations, couplings, correlations."""

from spherekit.wigner import euler
from spherekit.wigner.functions import D, d, d_column
from spherekit.wigner.rotation import rotate, rotate_map
from spherekit.wigner.transform import (
    estimate_memory,
    forward,
    forward_adjoint,
    inverse,
    inverse_adjoint,
)

__all__ = [
    "D",
    "d",
    "d_column",
    "estimate_memory",
    "euler",
    "forward",
    "forward_adjoint",
    "inverse",
    "inverse_adjoint",
    "rotate",
    "rotate_map",
]
