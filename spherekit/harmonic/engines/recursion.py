"""Engine for all problems: the Legendre step by recursions over the degree; on MW-like grids, theta steps.

On MW-like grids, each chunk of orders passes through both steps before the next, so that the intermediate
planes stay in the cache, and memory for all orders is not needed. Threads share the orders, or the chunks.
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
from spherekit.kernels.packing import ORDERS_PER_GROUP

name = "recursion"

#: A chunk of orders; the number of slots of its planes; the slots of its parity pairs
#: (`theta_resampling.parity_pairs`) in these planes and in the planes of all orders.
Chunk = namedtuple("Chunk", "orders slots chunk_pairs all_pairs")

#: Bytes of the planes of a chunk of orders, which should fit into the cache of a core (0.25 to 4 MB differ by
#: 5 %).
CHUNK_BYTES = 1.5e6
#: Number of orders that the theta step transforms together.
_RESAMPLED_ORDERS = 16


def unusable_reason(problem):
    """Return None: this engine solves every problem."""


def is_usable_for(problem):
    """Return True: this engine solves every problem."""
    return True


def required_bytes(problem):
    """Return the memory in addition to the input: result, tables, and planes and copies in work memory."""
    grid, L, real = problem.grid, problem.L, problem.reality
    plan = problem.plan_of(grid, L)
    build_bytes, tables = table_bytes(grid, L, [problem.spin])
    if plan.to_grid is not None:  # the planes between the Legendre and the theta step
        tables += problem.threads * CHUNK_BYTES
    if not grid.rectangular and grid.name != "healpix":
        tables += 5 * 16 * phi_fft.GROUP_SAMPLES  # samples, spectra, phases and products of rings
    planes = _slots(L, real) * 2 * plane_columns(plan, problem.to_samples) * 8
    if problem.single:
        planes += 16 * L * L  # coefficients in double precision
    return peak_bytes(problem, planes, tables, build_bytes, 8)


def synthesis(flm, problem, checked):
    """Transform coefficients (..., L*L) to samples.

    Raises a ValueError for NaN and inf and, with ``checked``, for coefficients that break the symmetry.
    """
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
    """Transform samples to coefficients (..., L*L); raises a ValueError for NaN, inf and UNSEEN."""
    grid, L, spin, real = problem.grid, problem.L, problem.spin, problem.reality
    plan = problem.plan_of(grid, L)

    def transform(chunk, flm, threads):
        dtype = chunk.real.dtype if real else np.result_type(chunk, np.complex64)
        chunk = np.ascontiguousarray(chunk, dtype)
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
    """Transform (maps, L*L) to planes (maps, orders, 2, grid columns), multiplied by the weights of the plan.

    Returns the planes and the input statistics of `kernels.packing.gather`. ``planes`` is overwritten if it
    is given; by default the result is work memory of the calling thread.
    """
    step = legendre_spin.synthesis_spin if spin else legendre_scalar.synthesis_zonal
    tables, values = _tables(plan, L, spin, real), flm.view(float)
    input_stats, columns = np.zeros((threads, 16)), 2 * len(plan.lanes.y)

    def legendre_step(queue, orders, planes, thread):
        work = _work(plan, L, spin, len(flm))
        lanes = NARROW, WIDE, plan.lanes.polar_limit
        step(*lanes, queue, orders, *tables, work, values, planes, input_stats[thread])

    if planes is None:
        planes = scratch("planes", (len(flm), _slots(L, real), 2, plane_columns(plan)))
    if plan.to_grid is None:
        counter = np.zeros(1, np.int64)
        run(lambda thread: legendre_step(counter, _all_orders(L, real), planes, thread), threads)
        return planes, input_stats.max(axis=0)

    chunks = iter(_order_chunks(L, spin, real, len(flm) * columns, threads))

    def both_steps(thread):
        for chunk in chunks:
            chunk_planes = scratch("orders", (len(flm), chunk.slots, 2, columns))
            legendre_step(np.zeros(1, np.int64), chunk.orders, chunk_planes, thread)
            theta_resampling.resample(
                chunk_planes, plan.to_grid, chunk.chunk_pairs, chunk.all_pairs, planes
            )

    run(both_steps, threads)
    return planes, input_stats.max(axis=0)


def from_planes(planes, plan, L, spin, real, threads, flm):
    """The transpose of `to_planes`: planes -> flm (maps, L*L), which is overwritten."""
    step = legendre_spin.analysis_spin if spin else legendre_scalar.analysis_zonal
    tables, values = _tables(plan, L, spin, real), flm.view(float)
    columns = 2 * len(plan.lanes.y)

    def legendre_step(queue, orders, planes):
        work, starts = _work(plan, L, spin, len(flm)), np.empty(plan.lanes.blocks.count, np.int64)
        lanes = NARROW, WIDE, plan.lanes.polar_limit
        step(*lanes, queue, orders, *tables, work, starts, planes, values)

    if plan.from_grid is None:
        counter = np.zeros(1, np.int64)
        run(lambda _: legendre_step(counter, _all_orders(L, real), planes), threads)
        return

    chunks = iter(_order_chunks(L, spin, real, len(flm) * columns, threads))

    def both_steps(_):
        for chunk in chunks:
            chunk_planes = scratch("orders", (len(flm), chunk.slots, 2, columns))
            theta_resampling.resample(
                planes, plan.from_grid, chunk.all_pairs, chunk.chunk_pairs, chunk_planes
            )
            legendre_step(np.zeros(1, np.int64), chunk.orders, chunk_planes)

    run(both_steps, threads)


def plane_columns(plan, to_samples=True):
    """Return the columns of the planes: those of a synthesis, or of the rows of an analysis."""
    if not to_samples:
        return len(plan.rows)
    return 2 * len(plan.lanes.y) if plan.to_grid is None else plan.to_grid.target.width


def table_bytes(grid, L, spins):
    """Return (bytes during construction, bytes) of cached coefficients and of the FFT tables of HEALPix."""
    coefficients = sum(recursion_coefficients.cached_bytes(L, spin) for spin in spins)
    if grid.name != "healpix":
        return coefficients, coefficients
    # The FFTs of every length 4 i, i <= nside, have i to 3 i numbers each, twice while they are concatenated.
    return coefficients + 100 * grid.nside**2, coefficients + 50 * grid.nside**2


def _tables(plan, L, spin, real):
    cached = recursion_coefficients.cached_coefficients(L, spin)
    return L, spin or real, plan.lanes.blocks, _scales(L, spin), cached


def _work(plan, L, spin, maps):
    """Return the work memory of the Legendre step in one thread."""
    rows = maps * 2 * ORDERS_PER_GROUP
    return scratch("legendre", (ring_lanes.work_size(L, spin, plan.lanes.blocks.count, rows),))


@lru_cache(maxsize=64)
def _scales(L, spin):
    return ring_lanes.order_scales(L, spin)


def _slots(L, real):
    return L if real else 2 * L - 1


def _all_orders(L, real):
    """Return all orders, from the lowest to the highest."""
    lowest = 0 if real else L - 1
    return Orders(0, L, lowest, lowest)


@lru_cache(maxsize=64)
def _order_chunks(L, spin, real, columns, threads):
    """Return chunks of the orders in descending order of work: several for each thread if possible."""
    width = CHUNK_BYTES / (8 * 2 * columns * (1 if real else 2))
    if threads > 1:
        width = min(width, L / (4 * threads))
    width = max(_RESAMPLED_ORDERS, round(width / _RESAMPLED_ORDERS) * _RESAMPLED_ORDERS)
    return tuple(_chunk(L, spin, real, m, min(m + width, L)) for m in range(0, L, width))


def _chunk(L, spin, real, first, last):
    """Return the orders first <= |m| < last as a chunk; in its planes the negative orders come first."""
    negative = 0 if real else last - first
    chunk_orders = Orders(first, last, negative - first, negative + first - 1)
    all_orders = _all_orders(L, real)._replace(first=first, last=last)
    chunk_pairs, all_pairs = (
        theta_resampling.parity_pairs(x, real, spin) for x in (chunk_orders, all_orders)
    )
    return Chunk(chunk_orders, negative + last - first, chunk_pairs, all_pairs)
