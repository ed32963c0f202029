"""Engine with precomputed tables: the Legendre and theta steps of an order are one matrix product.

It is used for small L and for batches. The transforms of unit coefficients, order by order, form a table
T[l, ring]; then

    F_m(ring) = sum_l f_lm T_m[l, ring],   f_lm = sum_ring T_m[l, ring] X_m(ring),

separately for even and odd l - m. With spin 0 on rings that are symmetric about the equator, one hemisphere
is sufficient: T(pi - theta) = (-1)^{l-m} T(theta), which halves the table and the work. The lower bound of
the cost is two multiply-adds per degree, order, ring (of a hemisphere) and map, at 16 flops per cycle; the
table is read once for every chunk of maps.
"""

import math
from collections import namedtuple
from functools import lru_cache

import numpy as np

from spherekit._core import checks
from spherekit._core.cache import bytes_lru_cache
from spherekit._core.chunks import for_each_chunk
from spherekit._core.jit import jit, leaf
from spherekit._core.missing import UNSEEN
from spherekit._core.parallel import run
from spherekit._core.workspace import aligned, aligned_copy, scratch
from spherekit.harmonic.engines import recursion
from spherekit.harmonic.plan import peak_bytes, work_bytes
from spherekit.harmonic.steps import phi_fft
from spherekit.kernels import recursion_coefficients
from spherekit.kernels.matmul import product2, product4
from spherekit.kernels.packing import ORDERS_PER_GROUP, gather, scatter
from spherekit.kernels.simd import Lanes, load, store, width
from spherekit.kernels.transpose import weave
from spherekit.kernels.work_queue import next_item

name = "precomputed"

EIGHT = Lanes(8)
_LANES = {False: (Lanes(8), Lanes(32)), True: (Lanes(16, True), Lanes(64, True))}

#: Largest tables, bytes: the size of the second-level cache for one map, of the third-level cache for a
#: batch.
_MAX_BYTES_ONE_MAP = 1.2e6
_MAX_BYTES_BATCH = 2.4e7
#: Smallest number of maps that form a batch; float32 batches are multiplied in float32.
BATCH_MAPS = 8

#: Tables of one direction. ``rows``: the first sample of the ring of each column; ``folded``: whether the
#: tables are those of one hemisphere; ``lanes``: columns of a plane (of its northern half if folded);
#: ``rings``: number of rings; ``starts[slot, parity]``: offsets in ``values``, which is stored in blocks of
#: lanes.
Tables = namedtuple("Tables", "rows folded lanes rings starts values")


def unusable_reason(problem):
    """Return None, or the reason why this engine cannot solve the problem."""
    grid = problem.grid
    if not grid.rectangular:
        return f"it supports only rectangular grids, not {grid!r}"
    size = table_bytes(grid, problem.L, problem.spin)
    largest = _MAX_BYTES_BATCH if problem.maps >= BATCH_MAPS else _MAX_BYTES_ONE_MAP
    if size > largest:
        return f"its tables would be {size:.3g} bytes; the limit is {largest:.3g} for {problem.maps} maps"
    return None


def is_usable_for(problem):
    """Return whether this engine can solve the problem."""
    return unusable_reason(problem) is None


def required_bytes(problem):
    """Return the memory in addition to the input: result, tables, and planes and copies in work memory."""
    grid, L, spin, single = problem.grid, problem.L, problem.spin, _in_single(problem)
    rings, size = len(grid.ring_theta), table_bytes(grid, L, spin)
    columns = _round_up(rings, 16)
    planes = (L if problem.reality else 2 * L - 1) * 2 * columns * (4 if single else 8)
    if problem.to_samples and problem.single and not single:
        planes += 16 * L * L  # coefficients in double precision
    transforms = 8 * L * (L if spin == 0 else 2 * L - 1) * rings  # of unit coefficients
    build_bytes = transforms + 2 * size + recursion_coefficients.cached_bytes(L, spin)
    return peak_bytes(
        problem, planes, size // (2 if single else 1), build_bytes, 4 if single else 8
    )


def _in_single(problem):
    """Return whether maps are multiplied in float32."""
    return problem.single and problem.maps >= BATCH_MAPS


def table_bytes(grid, L, spin):
    """Return the bytes of the tables of one direction, in float64."""
    rings, pairs = len(grid.ring_theta), L * (L + 1) // 2
    if spin == 0 and _is_symmetric(grid):
        return 8 * pairs * (-(-rings // 16) * 8)
    return 8 * (pairs if spin == 0 else L * L) * (-(-rings // 16) * 16)


@lru_cache(maxsize=64)
def _is_symmetric(grid):
    return bool(np.abs(grid.ring_theta + grid.ring_theta[::-1] - math.pi).max() < 1e-14)


@bytes_lru_cache(2**28, lambda tables: tables.values.nbytes)
def tables(grid, L, spin, plan_of, to_samples, single):
    """Return the tables of one direction: of a synthesis or, transposed, of an analysis."""
    folded, n = spin == 0 and _is_symmetric(grid), len(grid.ring_theta)
    v, w = (16, 64) if single else (8, 32)
    rings = (n + 1) // 2 if folded else n
    lanes = _round_up(rings, v if folded else 2 * v)
    rows = np.full((2, lanes) if folded else (1, lanes), -1)
    rows[0, :rings] = grid.ring_start[:rings]
    if folded:
        rows[1, : n // 2] = grid.ring_start[::-1][: n // 2]
    transforms = unit_transforms(grid, L, spin, plan_of)[:, :, :rings]
    if folded and n % 2 and not to_samples:  # the ring on the equator is its own mirror image
        rows[1, n // 2] = rows[0, n // 2]
        transforms[:, :, -1] *= 0.5
    blocks, starts = [], np.zeros((transforms.shape[1], 2), np.int64)
    offset = 0
    for slot, parity in np.ndindex(*starts.shape):
        m = slot if spin == 0 else abs(slot - (L - 1))
        block = transforms[m + parity :: 2, slot]
        if to_samples:
            block = np.pad(block, [(0, 0), (0, lanes - rings)])
        else:  # as many lanes for the odd degrees as for the even ones
            degrees = _round_up((L - m + 1) // 2, v)
            block = np.pad(block.T, [(0, 0), (0, degrees - len(block))])
        starts[slot, parity] = offset
        blocks.append(_in_blocks(block, v, w))
        offset += block.size
    values = np.concatenate([*blocks, np.zeros(w)]).astype(np.float32 if single else float)
    values = aligned_copy(zero_negligible(values))
    return Tables(rows.reshape(-1), folded, lanes, rings, starts, values)


def zero_negligible(values):
    """Replace magnitudes below 2**-100 in a float32 table by 0, in place, and return the table.

    Legendre functions of high orders fall below the range of float32 near the poles. Operations with
    subnormal numbers are slow: 1 % of them in a table can double the time of a transform. The bound is such
    that products with these values are not subnormal either. Tables in float64 are not changed.
    """
    if values.dtype == np.float32:
        values[(values < 2.0**-100) & (values > -(2.0**-100))] = 0.0
    return values


def _round_up(n, multiple):
    return -(-n // multiple) * multiple


def _in_blocks(matrix, v, w):
    """Return blocks of w columns, then of v columns, each stored row by row."""
    in_wide = matrix.shape[1] // w * w
    edges = [*range(0, in_wide, w), *range(in_wide, matrix.shape[1] + 1, v)]
    pairs = zip(edges[:-1], edges[1:], strict=True)
    return np.concatenate([matrix[:, a:b].ravel() for a, b in pairs] or [np.empty(0)])


def unit_transforms(grid, L, spin, plan_of):
    """Return T[l, order slot, ring]: the planes of f_lm = 1, for one degree after the other.

    For negative orders f_{l,-m} = (-1)^m.
    """
    plan, real = plan_of(grid, L), spin == 0
    valid_columns = np.flatnonzero(plan.rows >= 0)
    columns = np.empty(len(valid_columns), int)
    columns[np.searchsorted(grid.ring_start, plan.rows[valid_columns])] = valid_columns
    m = np.arange(-(L - 1), L)
    signs = np.where((m < 0) & (m % 2 == 1), -1.0, 1.0)
    values = np.empty((L, L if real else 2 * L - 1, len(columns)))
    for first in range(0, L, 16):
        degrees = range(first, min(first + 16, L))
        flm = np.zeros((len(degrees), L * L), complex)
        for row, ell in zip(flm, degrees, strict=True):
            row[ell * ell : (ell + 1) ** 2] = signs[L - 1 - ell : L + ell]
        planes, _ = recursion.to_planes(flm, plan, L, spin, real, 1)
        values[degrees] = planes[:, :, 0, columns]
    return values


def synthesis(flm, problem, checked):
    """Transform coefficients (..., L*L) to samples.

    Raises a ValueError for NaN and inf and, with ``checked``, for coefficients that break the symmetry.
    """
    grid, L, spin, real = problem.grid, problem.L, problem.spin, problem.reality
    single = _in_single(problem)
    table = tables(grid, L, spin, problem.plan_of, True, single)

    def transform(chunk, f, threads):
        chunk = np.ascontiguousarray(chunk, np.complex64 if single else complex)
        planes, input_stats = to_planes(chunk, table, L, spin, real, threads)
        checks.check_coefficients(input_stats, chunk, checked and real, problem.single)
        phi_fft.synthesis(planes, grid, table.rows, L, real, f, threads)

    bytes_per_map = work_bytes(grid, L, real, 4 if single else 8)
    result = problem.result_shape, problem.result_type
    return for_each_chunk(transform, flm, 1, *result, bytes_per_map, problem.threads)


def analysis(f, problem):
    """Transform samples to coefficients (..., L*L); raises a ValueError for NaN, inf and UNSEEN."""
    grid, L, spin, real = problem.grid, problem.L, problem.spin, problem.reality
    single = _in_single(problem)
    table = tables(grid, L, spin, problem.plan_of, False, single)

    def transform(chunk, flm, threads):
        dtype = chunk.real.dtype if real else np.result_type(chunk, np.complex64)
        chunk = np.ascontiguousarray(chunk, dtype)
        planes, suspect = phi_fft.analysis(chunk, grid, table.rows, L, real, threads, single)
        if suspect:
            checks.bad_samples(chunk, UNSEEN, problem.is_adjoint)
        from_planes(planes, table, L, spin, real, threads, flm)

    bytes_per_map = work_bytes(grid, L, real, 4 if single else 8)
    result = problem.result_shape, problem.result_type
    return for_each_chunk(transform, f, len(grid.shape), *result, bytes_per_map, problem.threads)


# --- coefficients <-> planes -------------------------------------------------------------------------


def to_planes(flm, table, L, spin, real, threads):
    """Transform (maps, L*L) to planes (maps, orders, 2, columns); returns also the input statistics.

    As `recursion.to_planes`.
    """
    values, single = flm.view(flm.real.dtype), table.values.dtype == np.float32
    shape = len(flm), L if real else 2 * L - 1, 2, len(table.rows)
    planes = scratch("planes", shape, table.values.dtype)
    counter, input_stats = np.zeros(1, np.int64), np.zeros((threads, 16))
    common = (*_LANES[single], EIGHT, counter, L, spin, real, table, values, planes)
    run(lambda thread: _synthesize(*common, input_stats[thread]), threads)
    return planes, input_stats.max(axis=0)


def from_planes(planes, table, L, spin, real, threads, flm):
    """Transform planes to flm (maps, L*L), which is overwritten."""
    values, single = flm.view(flm.real.dtype), table.values.dtype == np.float32
    common = (*_LANES[single], EIGHT, np.zeros(1, np.int64), L, spin, real, table, planes, values)
    run(lambda thread: _analyze(*common), threads)


@jit
def _synthesize(narrow, wide, eight, counter, L, spin, real, table, flm, planes, input_stats):
    maps, signs, v, w = flm.shape[0], 1 if real else 2, width(narrow), width(wide)
    buffer = np.empty((maps, signs, ORDERS_PER_GROUP, 2 * L + 8), planes.dtype)
    out = aligned(8 * w, planes)
    while True:
        start = next_item(counter) * ORDERS_PER_GROUP
        if start >= L:
            return
        for q in range(maps):
            gather(eight, flm[q], L, start, real, buffer[q], input_stats)
        for m in range(start, min(start + ORDERS_PER_GROUP, L)):
            for sign in range(1 if real or m == 0 else 2):
                rows = buffer.reshape(-1)[(sign * ORDERS_PER_GROUP + m - start) * buffer.shape[3] :]
                slots = _slots(L, spin, real, m, sign)
                work = L - m, slots, buffer.shape[3] * signs * ORDERS_PER_GROUP, table
                lane = 0
                while lane < table.lanes:
                    if lane + w <= table.lanes:
                        _block_to_planes(wide, lane, rows, work, out, planes)
                        lane += w
                    else:
                        _block_to_planes(narrow, lane, rows, work, out, planes)
                        lane += v


@leaf
def _slots(L, spin, real, m, sign):
    """Return the slots of an order in the planes and in the tables."""
    slot = L - 1 + (-m if sign else m)
    return m if real else slot, slot if spin else m


@leaf
def _block_to_planes(lanes, lane, rows, work, out, planes):
    degrees, slots, map_stride, table = work
    w, maps, even = width(lanes), planes.shape[0], (degrees + 1) // 2
    odd = degrees - even
    a, b = table.starts[slots[1], 0] + lane * even, table.starts[slots[1], 1] + lane * odd
    for q in range(0, maps - 1, 2):
        product4(lanes, rows, q * map_stride, 1, map_stride, 4, table.values, a, even, out, 0)
        product4(
            lanes, rows, q * map_stride + 2, 1, map_stride, 4, table.values, b, odd, out, 4 * w
        )
        _store_map(lanes, out, 0, planes[q, slots[0]], lane, table)
        _store_map(lanes, out, 2 * w, planes[q + 1, slots[0]], lane, table)
    if maps % 2:
        q = maps - 1
        product2(lanes, rows, q * map_stride, 1, 4, table.values, a, even, out, 0)
        product2(lanes, rows, q * map_stride + 2, 1, 4, table.values, b, odd, out, 4 * w)
        _store_map(lanes, out, 0, planes[q, slots[0]], lane, table)


@leaf
def _store_map(lanes, out, start, plane, lane, table):
    """Store even plus odd part in the northern plane, even minus odd part in the southern one."""
    w = width(lanes)
    for part in range(2):
        even, odd = load(lanes, out, start + part * w), load(lanes, out, start + (4 + part) * w)
        store(plane[part], lane, even + odd)
        if table.folded:
            store(plane[part], lane + table.lanes, even - odd)


@jit
def _analyze(narrow, wide, eight, counter, L, spin, real, table, planes, flm):
    maps, signs, v, w = flm.shape[0], 1 if real else 2, width(narrow), width(wide)
    buffer = np.empty((maps, signs, ORDERS_PER_GROUP, 2 * L + 8 + 4 * v), planes.dtype)
    out = aligned(8 * w, planes)
    sums = aligned(maps * 4 * table.lanes if table.folded else 0, planes)
    while True:
        start = next_item(counter) * ORDERS_PER_GROUP
        if start >= L:
            return
        for m in range(start, min(start + ORDERS_PER_GROUP, L)):
            degrees = -(-((L - m + 1) // 2) // v) * v
            for sign in range(1 if real or m == 0 else 2):
                rows = buffer.reshape(-1)[(sign * ORDERS_PER_GROUP + m - start) * buffer.shape[3] :]
                slot, table_slot = _slots(L, spin, real, m, sign)
                columns, n = planes.shape[3], table.lanes
                if table.folded:
                    _fold_rings(narrow, planes, slot, n, sums)
                    source, offsets = sums, (0, n, 2 * n, 4 * n)
                else:
                    plane = slot * 2 * columns
                    source = planes.reshape(-1)
                    offsets = plane, plane, columns, planes[0].size
                map_stride = buffer.shape[3] * signs * ORDERS_PER_GROUP
                work = source, offsets, maps, table_slot, map_stride, table
                lane = 0
                while lane < degrees:
                    if lane + w <= degrees:
                        _block_to_rows(wide, narrow, lane, work, out, rows)
                        lane += w
                    else:
                        _block_to_rows(narrow, narrow, lane, work, out, rows)
                        lane += v
        for q in range(maps):
            scatter(eight, buffer[q], L, start, real, flm[q])


@leaf
def _fold_rings(lanes, planes, slot, n, sums):
    """Compute sums and differences of north and south, the inputs of the even and the odd degrees."""
    for q in range(planes.shape[0]):
        for part in range(2):
            target = (2 * q + part) * 2 * n
            for c in range(0, n, width(lanes)):
                a = load(lanes, planes[q, slot, part], c)
                b = load(lanes, planes[q, slot, part], c + n)
                store(sums, target + c, a + b)
                store(sums, target + n + c, a - b)


@leaf
def _block_to_rows(lanes, narrow, lane, work, out, rows):
    values, (even, odd, im, next_map), maps, slot, map_stride, table = work
    w, rings = width(lanes), table.rings
    a, b = table.starts[slot, 0] + lane * rings, table.starts[slot, 1] + lane * rings
    for q in range(0, maps - 1, 2):
        first, second = q * next_map + even, q * next_map + odd
        product4(lanes, values, first, im, next_map, 1, table.values, a, rings, out, 0)
        product4(lanes, values, second, im, next_map, 1, table.values, b, rings, out, 4 * w)
        _store_row(narrow, out, 0, w, rows, q * map_stride + 4 * lane)
        _store_row(narrow, out, 2 * w, w, rows, (q + 1) * map_stride + 4 * lane)
    if maps % 2:
        q = maps - 1
        product2(lanes, values, q * next_map + even, im, 1, table.values, a, rings, out, 0)
        product2(lanes, values, q * next_map + odd, im, 1, table.values, b, rings, out, 4 * w)
        _store_row(narrow, out, 0, w, rows, q * map_stride + 4 * lane)


@leaf
def _store_row(narrow, out, start, w, rows, target):
    """Interleave even and odd degrees, re and im, as in the layout of rows over the degree."""
    for i in range(start, start + w, width(narrow)):
        even = load(narrow, out, i), load(narrow, out, i + w)
        odd = load(narrow, out, i + 4 * w), load(narrow, out, i + 5 * w)
        weave(rows, target, even[0], even[1], odd[0], odd[1])
        target += 4 * width(narrow)
