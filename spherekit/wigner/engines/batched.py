"""Many real signals of small band-limits at once, with signals as lanes: `harmonic.engines.batched`."""

import numpy as np

from spherekit._core import checks, chunks
from spherekit._core.missing import UNSEEN
from spherekit.harmonic.engines import batched
from spherekit.wigner import packing

name = "batched"


def unusable_reason(problem):
    """None, or why these transforms are not batched; depends on the problem alone."""
    grid = problem.grid
    if grid.steerable:
        return "it takes all orders n (steerable=False)"
    case = grid.sphere, problem.L, problem.N, grid.n_gamma
    return batched.unbatchable_reason(*case, problem.reality, problem.maps)


def is_usable_for(problem):
    """Whether these transforms are batched."""
    return unusable_reason(problem) is None


def required_bytes(problem):
    """Memory beside the input: the result, tables, and the work memory of threads."""
    case = problem.grid.sphere, problem.L, problem.N, problem.grid.n_gamma
    work = batched.tables_and_work_bytes(*case, problem.single, problem.threads)
    return problem.result_bytes + work


def synthesis(flmn, problem, checked):
    """Coefficients -> samples; refuses what is not finite and, if ``checked``, a broken symmetry."""
    f, input_stats = batched.to_samples(flmn, _tables(problem), problem.scale, problem.threads)
    if not batched.is_valid(input_stats, checked, problem.single):
        _refuse_coefficients(flmn, problem, checked)
    return f.reshape(*flmn.shape[:-2], *problem.result_shape)


def analysis(f, problem):
    """Samples -> coefficients; refuses NaN, inf and UNSEEN."""
    flmn, suspect = batched.to_coefficients(f, _tables(problem), problem.scale, problem.threads)
    if suspect:
        for chunk in chunks.map_chunks(f, 3, packing.work_bytes(problem), problem.threads):
            checks.bad_samples(np.ascontiguousarray(chunk, float), UNSEEN, problem.is_adjoint)
    return flmn.reshape(*f.shape[:-3], *problem.result_shape)


def _tables(problem):
    grid = problem.grid
    case = grid.sphere, problem.L, problem.N, grid.n_gamma, problem.plan_of
    return batched.tables(*case, problem.to_samples, problem.single)


def _refuse_coefficients(flmn, problem, checked):
    """Raise what the other engines raise, which look at a chunk of signals at a time."""
    tolerance = checks.symmetry_tolerance(problem.single) if checked else None
    case = problem.L, problem.N, problem.orders, True, problem.scale, False, tolerance
    for chunk in chunks.map_chunks(flmn, 2, packing.work_bytes(problem), problem.threads):
        packing.read(chunk, *case)
