"""Batches of real signals of small band-limit, with signals as lanes, by `harmonic.engines.batched`."""

import numpy as np

from spherekit._core import checks, chunks
from spherekit._core.missing import UNSEEN
from spherekit.harmonic.engines import batched
from spherekit.wigner import packing

name = "batched"


def unusable_reason(problem):
    """The reason why the engine is not usable for a problem, or None; depends on the problem only."""
    grid = problem.grid
    if grid.steerable:
        return "it transforms all orders n (steerable=False)"
    case = grid.sphere, problem.L, problem.N, grid.n_gamma
    return batched.unbatchable_reason(*case, problem.reality, problem.maps)


def is_usable_for(problem):
    """Whether the engine is usable for a problem."""
    return unusable_reason(problem) is None


def required_bytes(problem):
    """Bytes in addition to the input: the result, tables, and the work memory of the threads."""
    case = problem.grid.sphere, problem.L, problem.N, problem.grid.n_gamma
    work = batched.tables_and_work_bytes(*case, problem.single, problem.threads)
    return problem.result_bytes + work


def synthesis(flmn, problem, checked):
    """Coefficients -> samples; raises for NaN, inf and, with ``checked``, a broken symmetry."""
    f, input_stats = batched.to_samples(flmn, _tables(problem), problem.scale, problem.threads)
    if not batched.is_valid(input_stats, checked, problem.single):
        _raise_for_coefficients(flmn, problem, checked)
    return f.reshape(*flmn.shape[:-2], *problem.result_shape)


def analysis(f, problem):
    """Samples -> coefficients; raises for NaN, inf and UNSEEN."""
    flmn, suspect = batched.to_coefficients(f, _tables(problem), problem.scale, problem.threads)
    if suspect:
        for chunk in chunks.map_chunks(f, 3, packing.work_bytes(problem), problem.threads):
            checks.bad_samples(np.ascontiguousarray(chunk, float), UNSEEN, problem.is_adjoint)
    return flmn.reshape(*f.shape[:-3], *problem.result_shape)


def _tables(problem):
    grid = problem.grid
    case = grid.sphere, problem.L, problem.N, grid.n_gamma, problem.plan_of
    return batched.tables(*case, problem.to_samples, problem.single)


def _raise_for_coefficients(flmn, problem, checked):
    """Raise the error of the other engines, which check one chunk of signals at a time."""
    tolerance = checks.symmetry_tolerance(problem.single) if checked else None
    case = problem.L, problem.N, problem.orders, True, problem.scale, False, tolerance
    for chunk in chunks.map_chunks(flmn, 2, packing.work_bytes(problem), problem.threads):
        packing.read(chunk, *case)
