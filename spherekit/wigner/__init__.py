"""The rotation group: Wigner transforms and functions, rotations, Clebsch-Gordan coefficients, correlations.

The transforms of signals on SO(3) are layered as those of `spherekit.harmonic`: ``transform`` has the public
functions and their checks, ``dispatch`` selects an engine of ``engines``, and these use the conversion of
coefficients to fields (``packing``), the steps of the sphere, and the Fourier transform in gamma
(``gamma_fft``). Rotations use ``rotation_kernels``, Wigner matrices ``d_matrices``.
"""

from spherekit.conventions.real_harmonics import real_basis
from spherekit.wigner import euler
from spherekit.wigner.correlation import (
    correlate,
    evaluate,
    lift,
    total_convolution,
    zonal,
)
from spherekit.wigner.coupling import (
    clebsch_gordan,
    clebsch_gordan_blocks,
    clebsch_gordan_by_order,
    wigner_3j,
)
from spherekit.wigner.frames import frame_angles
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
    "clebsch_gordan",
    "clebsch_gordan_blocks",
    "clebsch_gordan_by_order",
    "correlate",
    "d",
    "d_column",
    "estimate_memory",
    "euler",
    "evaluate",
    "forward",
    "forward_adjoint",
    "frame_angles",
    "inverse",
    "inverse_adjoint",
    "lift",
    "real_basis",
    "rotate",
    "rotate_map",
    "total_convolution",
    "wigner_3j",
    "zonal",
]


def __dir__():
    return sorted(__all__)
