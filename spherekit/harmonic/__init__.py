"""Spin spherical-harmonic transforms: samples <-> coefficients, adjoints, gradients.

The way of a call, from the public function to the kernels, one file a line:

    transform           the public functions, their checks, and the linear maps that autograd differentiates
    dispatch            a `Problem` is what is to be done; `prepare` makes it, and `choose` picks its engine
    engines/            chunks of maps through the steps, threads, and refusals of bad numbers:
      recursion           every problem: the functions of all degrees by a recursion, never stored
      precomputed         small problems and batches: products with tables of them
      batched             many small real maps, which are the lanes; with batched_kernels and batched_fft
      cuda                arrays on a GPU
    plan                the rings that the Legendre step visits, and the step from them to the grid
    steps/              coefficients -> rings -> samples, and back; mostly kernels:
      legendre_scalar     coefficients <-> rings, spin 0           legendre_spin   other spins
      theta_resampling    rings <-> the rings of MW-like grids     ring_lanes      rings as SIMD lanes
      phi_fft             rings <-> samples                        phi_fft_healpix   the same on HEALPix
    spherekit.kernels   recursions, FFTs, products and transposes of SIMD lanes

Of a large map, for example: ``transform.inverse``, ``transform._to_samples``, ``recursion.synthesis``,
``recursion.to_planes``, ``legendre_scalar.synthesis_zonal``, and in it ``wigner_recursion.synthesize`` for
every block of rings. Beside the
transforms, `points` evaluates at any points, and `least_squares` (by `lsqr`) is `analyse`.
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
