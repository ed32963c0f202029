"""Spin spherical-harmonic transforms between samples and coefficients, with adjoints and gradients.

The path of a call, from the public function to the kernels:

    transform             public functions, argument checks, linear maps with gradients
    dispatch              the frozen `Problem` of a call, and the selection of its engine
    engines/              loops over chunks of maps, threads, and checks of the values
      recursion             all problems: Wigner functions by a recursion, never stored
      precomputed           small problems and batches: products with precomputed tables
      batched               batches of small real maps, one per lane (batched_kernels, batched_fft)
      cuda                  arrays on a GPU
    plan                  the rings of the Legendre step, and the step between them and the grid
    steps/                coefficients <-> rings <-> samples; mostly kernels
      legendre_scalar       coefficients <-> rings, spin 0
      legendre_spin         coefficients <-> rings, other spins
      theta_resampling      rings <-> the rings of MW-like grids
      ring_lanes            rings as SIMD lanes
      phi_fft               rings <-> samples
      phi_fft_healpix       rings <-> samples on HEALPix
    spherekit.kernels     recursions, FFTs, matrix products and transposes of SIMD lanes

For example, `inverse` of a large map calls ``recursion.synthesis``, ``recursion.to_planes``,
``legendre_scalar.synthesis_zonal`` and, for every block of rings, ``wigner_recursion.synthesize``.
Beside the transforms, `points` evaluates signals at arbitrary points, and `least_squares` (with the solver
`lsqr`, on the `linear_operators` of SciPy) implements `analyse`.
"""

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


def __dir__():
    return sorted(__all__)
