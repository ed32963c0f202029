"""By recursions over the degree, for any problem: the Legendre step and, where there is one, the theta step.

Where there are both, a chunk of the orders goes through both before the next: what lies between them stays
in the cache, and takes no memory for all orders. Threads share the orders, or the chunks.
"""

from collections import namedtuple
from functools import lru_cache

import numpy as np

from spherekit._core import checks
from spherekit._core.chunks import for_each_chunk
from spherekit._core.missing import UNSEEN
from spherekit._core.parallel import run
from spherekit._core.workspace import scratch
from spherekit.harmonic.plan import peak_bytes, work_bytes
from spherekit.harmonic.steps import (
    legendre_scalar,
    legendre_spin,
    phi_fft,
    ring_lanes,
    theta_resampling,
)
from spherekit.harmonic.steps.ring_lanes import NARROW, WIDE, Orders
from spherekit.kernels import recursion_coefficients

name = "recursion"

#: Orders, the number of slots of their own planes, and the slots of their parity pairs in these planes and in
#: those of all orders, as `theta_resampling.parity_pairs` gives them.
Chunk = namedtuple("Chunk", "orders slots own_pairs all_pairs")

#: Bytes of the planes of a chunk of orders: what a core keeps near it (0.25 to 4 MB differ by 5 %). Orders
#: that the theta step takes at once.
CHUNK_BYTES, _ORDERS_AT_ONCE = 1.5e6, 16


def unusable_reason(problem):
    """None: every grid, band-limit and number of maps."""


def is_usable_for(problem):
    """Always."""
    return True


def required_bytes(problem):
    """Memory beside the input: the result, planes and copies in flight, tables."""
    grid, L, real = problem.grid, problem.L, problem.reality
    plan = problem.plan_of(grid, L)
    building, tables = table_bytes(grid, L, [problem.spin])
    if plan.to_grid is not None:  # the planes between the Legendre and the theta step
        tables += problem.threads * CHUNK_BYTES
    if not grid.rectangular and grid.name != "healpix":
        tables += 5 * 16 * phi_fft.GROUP_SAMPLES  # samples, spectra, phases and products of rings
    planes = _slots(L, real) * 2 * plane_columns(plan, problem.to_samples) * 8
    if problem.single:
        planes += 16 * L * L  # coefficients in double precision
    return peak_bytes(problem, planes, tables, building, 8)


def synthesis(flm, problem, checked):
    """Coefficients (..., L*L) -> samples; refuses NaN and inf and, if ``checked``, a broken symmetry."""
    grid, L, spin, real = problem.grid, problem.L, problem.spin, problem.reality
    plan = problem.plan_of(grid, L)

    def transform(chunk, f, threads):
        chunk = np.ascontiguousarray(chunk, complex)
        planes, input_stats = to_planes(chunk, plan, L, spin, real, threads)
        checks.check_coefficients(input_stats, chunk, checked and real, problem.single)
        phi_fft.synthesis(planes, grid, plan.rows, L, real, f, threads)

    bytes_per_map = work_bytes(grid, L, real, 8)
    result = problem.result_shape, problem.result_type
    return for_each_chunk(transform, flm, 1, *result, bytes_per_map, problem.threads)


def analysis(f, problem):
    """Samples -> coefficients (..., L*L); refuses NaN, inf and UNSEEN."""
    grid, L, spin, real = problem.grid, problem.L, problem.spin, problem.reality
    plan = problem.plan_of(grid, L)

    def transform(chunk, flm, threads):
        kind = chunk.real.dtype if real else np.result_type(chunk, np.complex64)
        chunk = np.ascontiguousarray(chunk, kind)
        planes, suspect = phi_fft.analysis(chunk, grid, plan.rows, L, real, threads)
        if suspect:
            checks.bad_samples(chunk, UNSEEN, problem.is_adjoint)
        double = flm if flm.dtype == complex else np.empty(flm.shape, complex)
        from_planes(planes, plan, L, spin, real, threads, double)
        if double is not flm:
            flm[:] = double

    bytes_per_map = work_bytes(grid, L, real, 8)
    result = problem.result_shape, problem.result_type
    return for_each_chunk(transform, f, len(grid.shape), *result, bytes_per_map, problem.threads)


# --- coefficients <-> planes -------------------------------------------------------------------------


def to_planes(flm, plan, L, spin, real, threads, planes=None):
    """(maps, L*L) -> planes (maps, orders, 2, grid columns), times the plan's weights; and the input_stats
    of `kernels.packing.gather`.

    The planes are overwritten where they are given, else work memory of the thread.
    """
    step = legendre_spin.synthesis_spin if spin else legendre_scalar.synthesis_zonal
    tables, values = _tables(plan, L, spin, real), flm.view(float)
    input_stats, columns = np.zeros((threads, 16)), 2 * len(plan.lanes.x)

    def legendre_step(counter, orders, planes, thread):
        buffer = recursion_coefficients.buffer(L, spin)
        step(NARROW, WIDE, counter, orders, *tables, buffer, values, planes, input_stats[thread])

    if planes is None:
        planes = scratch("planes", (len(flm), _slots(L, real), 2, plane_columns(plan)))
    if plan.to_grid is None:
        counter = np.zeros(1, np.int64)
        run(lambda thread: legendre_step(counter, _all_orders(L, real), planes, thread), threads)
        return planes, input_stats.max(axis=0)

    chunks = iter(_order_chunks(L, spin, real, len(flm) * columns, threads))

    def both_steps(thread):
        for chunk in chunks:
            own_planes = scratch("orders", (len(flm), chunk.slots, 2, columns))
            legendre_step(np.zeros(1, np.int64), chunk.orders, own_planes, thread)
            theta_resampling.resample(
                own_planes, plan.to_grid, chunk.own_pairs, chunk.all_pairs, planes
            )

    run(both_steps, threads)
    return planes, input_stats.max(axis=0)


def from_planes(planes, plan, L, spin, real, threads, flm):
    """The transpose of `to_planes`: planes -> flm (maps, L*L), which is overwritten."""
    step = legendre_spin.analysis_spin if spin else legendre_scalar.analysis_zonal
    tables, values = _tables(plan, L, spin, real), flm.view(float)
    columns = 2 * len(plan.lanes.x)

    def legendre_step(counter, orders, planes):
        buffer = recursion_coefficients.buffer(L, spin)
        step(NARROW, WIDE, counter, orders, *tables, buffer, planes, values)

    if plan.from_grid is None:
        counter = np.zeros(1, np.int64)
        run(lambda _: legendre_step(counter, _all_orders(L, real), planes), threads)
        return

    chunks = iter(_order_chunks(L, spin, real, len(flm) * columns, threads))

    def both_steps(_):
        for chunk in chunks:
            own_planes = scratch("orders", (len(flm), chunk.slots, 2, columns))
            theta_resampling.resample(
                planes, plan.from_grid, chunk.all_pairs, chunk.own_pairs, own_planes
            )
            legendre_step(np.zeros(1, np.int64), chunk.orders, own_planes)

    run(both_steps, threads)


def plane_columns(plan, to_samples=True):
    """Columns of the planes beside the grid: those of a synthesis, or of the rows of an analysis."""
    if not to_samples:
        return len(plan.rows)
    return 2 * len(plan.lanes.x) if plan.to_grid is None else plan.to_grid.target.width


def table_bytes(grid, L, spins):
    """(bytes while they are built, bytes) of what recursions cache, and the phi step of HEALPix."""
    coefficients = sum(recursion_coefficients.cached_bytes(L, spin) for spin in spins)
    if grid.name != "healpix":
        return coefficients, coefficients
    # of the FFTs of every length 4 i, i <= nside: i to 3 i numbers each, twice while they are joined
    return coefficients + 100 * grid.nside**2, coefficients + 50 * grid.nside**2


def _tables(plan, L, spin, real):
    cached = recursion_coefficients.cached(L, spin)
    return L, spin or real, plan.lanes, _scales(L, spin), cached


@lru_cache(maxsize=64)
def _scales(L, spin):
    return ring_lanes.order_scales(L, spin)


def _slots(L, real):
    return L if real else 2 * L - 1


def _all_orders(L, real):
    """All orders, from the lowest to the highest."""
    lowest = 0 if real else L - 1
    return Orders(0, L, lowest, lowest)


@lru_cache(maxsize=64)
def _order_chunks(L, spin, real, columns, threads):
    """Chunks of the orders, the longest work first: several for each thread where there are many."""
    width = CHUNK_BYTES / (8 * 2 * columns * (1 if real else 2))
    if threads > 1:
        width = min(width, L / (4 * threads))
    width = max(_ORDERS_AT_ONCE, round(width / _ORDERS_AT_ONCE) * _ORDERS_AT_ONCE)
    return tuple(_chunk(L, spin, real, m, min(m + width, L)) for m in range(0, L, width))


def _chunk(L, spin, real, first, last):
    """Orders first <= |m| < last; in their own planes the negative ones come first."""
    negative = 0 if real else last - first
    own = Orders(first, last, negative - first, negative + first - 1)
    in_all = _all_orders(L, real)._replace(first=first, last=last)
    own_pairs, all_pairs = (theta_resampling.parity_pairs(x, real, spin) for x in (own, in_all))
    return Chunk(own, negative + last - first, own_pairs, all_pairs)
