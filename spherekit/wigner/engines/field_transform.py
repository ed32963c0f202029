"""Wigner transforms by fields of spin -n: the steps that `by_order` and `precomputed` have in common.

Coefficients <-> fields (`packing`) <-> planes of all n (the step specific to the engine) <-> planes of all
angles gamma (`gamma_fft`) <-> samples (`phi_fft`), in chunks of signals.
"""

import numpy as np

from spherekit._core import checks
from spherekit._core.chunks import for_each_chunk
from spherekit._core.missing import UNSEEN
from spherekit.harmonic.steps import phi_fft
from spherekit.wigner import gamma_fft, packing


def synthesis(flmn, problem, checked, rows, to_planes, by_order=False):
    """Coefficients -> samples; raises for NaN, inf and, with ``checked``, a broken symmetry.

    Parameters
    ----------
    rows : int ndarray
        The first sample of each column's ring, as in `phi_fft`.
    to_planes : callable
        ``to_planes(fields, threads)`` returns the planes.
    by_order : bool
        Layout of the fields, as in `packing.read`.
    """
    grid, L, real = problem.grid, problem.L, problem.reality
    tolerance = checks.symmetry_tolerance(problem.single) if checked else None
    options = L, problem.N, problem.orders, real, problem.scale, grid.steerable, tolerance

    def transform(chunk, f, threads):
        planes = to_planes(packing.read(chunk, *options, by_order=by_order), threads)
        gamma_fft.synthesis(planes, grid, threads)
        planes, samples = (x.reshape(-1, *x.shape[2:]) for x in (planes, f))
        phi_fft.synthesis(planes, grid.sphere, rows, L, real, samples, threads)

    result = problem.result_shape, problem.result_type
    bytes_per_map = packing.work_bytes(problem)
    return for_each_chunk(transform, flmn, 2, *result, bytes_per_map, problem.threads)


def analysis(f, problem, rows, from_planes, by_order=False):
    """Samples -> coefficients, with ``from_planes(planes, threads)``, the fields; raises for bad samples."""
    grid, L, N, real = problem.grid, problem.L, problem.N, problem.reality
    orders, scale = problem.orders, problem.scale

    def transform(chunk, flmn, threads):
        samples = chunk.reshape(-1, *grid.sphere.shape)
        samples = np.ascontiguousarray(samples, float if real else complex)
        planes, suspect = phi_fft.analysis(samples, grid.sphere, rows, L, real, threads)
        if suspect:
            checks.bad_samples(samples, UNSEEN, problem.is_adjoint)
        planes = planes.reshape(len(chunk), grid.n_gamma, *planes.shape[1:])
        gamma_fft.analysis(planes, grid, threads)
        packing.write(
            from_planes(planes, threads), L, N, orders, real, scale, flmn, by_order=by_order
        )

    result = problem.result_shape, problem.result_type
    bytes_per_map = packing.work_bytes(problem)
    return for_each_chunk(transform, f, len(grid.shape), *result, bytes_per_map, problem.threads)
