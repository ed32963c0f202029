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
from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit._core.cache import bytes_lru_cache
from spherekit._core.chunks import for_each_chunk
from spherekit._core.jit import leaf
from spherekit._core.missing import UNSEEN
from spherekit._core.parallel import run
from spherekit._core.workspace import aligned_copy, scratch
from spherekit.harmonic.engines import recursion
from spherekit.harmonic.plan import peak_bytes, work_bytes
from spherekit.harmonic.steps import phi_fft
from spherekit.kernels import recursion_coefficients
from spherekit.kernels.matmul import product2, product4
from spherekit.kernels.packing import ORDERS_PER_GROUP, gather, scatter
from spherekit.kernels.simd import Lanes, load, pointer, store, width
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
        chunk = np.require(chunk, np.complex64 if single else complex, ("C", "W"))
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
    queue, input_stats = np.zeros(1, np.int64), np.zeros((threads, 16))
    arguments = *_LANES[single], EIGHT, queue, L, spin, real, table, values, planes

    def work(thread):
        _synthesize(*arguments, *_buffers(len(flm), real, 2 * L + 8, table), input_stats[thread])

    run(work, threads)
    return planes, input_stats.max(axis=0)


def from_planes(planes, table, L, spin, real, threads, flm):
    """Transform planes to flm (maps, L*L), which is overwritten."""
    values, single = flm.view(flm.real.dtype), table.values.dtype == np.float32
    arguments = *_LANES[single], EIGHT, np.zeros(1, np.int64), L, spin, real, table, planes, values
    row_size = 2 * L + 8 + 4 * _LANES[single][0].type.width

    def work(_):
        sums = scratch("hemispheres", (len(flm) * 4 * table.lanes,), table.values.dtype)
        _analyze(*arguments, *_buffers(len(flm), real, row_size, table), sums)

    run(work, threads)


def _buffers(maps, real, row_size, table):
    """Return work memory for the rows of four orders of all maps, their size, and memory of 8 vectors."""
    dtype, rows = table.values.dtype, maps * (1 if real else 2) * ORDERS_PER_GROUP
    products = scratch("products", (8 * _LANES[dtype == np.float32][1].type.width,), dtype)
    return scratch("rows", (rows * row_size,), dtype), row_size, products


class Strides(NamedTuple):
    """Number of maps, and distances in the rows and in the planes.

    ``row``, ``plane``: of two maps; ``imag``: of the imaginary part; ``south``: of the southern half, 0
    unless the table is folded; for products with the transpose, of the inputs of odd degrees.
    """

    maps: int
    row: int
    plane: int
    imag: int
    south: int


@leaf
def _synthesize(
    narrow, wide, eight, queue, L, spin, real, table, flm, planes, rows, row_size, out, input_stats
):
    maps, columns, v, w = planes.shape[0], planes.shape[3], width(narrow), width(wide)
    signs, sign_stride, lane_count = 1 if real else 2, ORDERS_PER_GROUP * row_size, table.lanes
    south, map_size = lane_count if table.folded else 0, 2 * columns * planes.shape[1]
    strides = Strides(maps, signs * sign_stride, map_size, columns, south)
    values, products = pointer(table.values, 0), pointer(out, 0)
    while True:
        start = next_item(queue) * ORDERS_PER_GROUP
        if start >= L:
            return
        for q in range(maps):
            coefficients, target = pointer(flm, 2 * q * L * L), pointer(rows, q * strides.row)
            gather(eight, coefficients, L, start, real, target, row_size, input_stats)
        for m in range(start, min(start + ORDERS_PER_GROUP, L)):
            even, odd = (L - m + 1) // 2, (L - m) // 2
            for sign in range(1 if real or m == 0 else 2):
                source = pointer(rows, sign * sign_stride + (m - start) * row_size)
                slot, table_slot = _slots(L, spin, real, m, sign)
                a, b = table.starts[table_slot, 0], table.starts[table_slot, 1]
                plane, lane = pointer(planes, 2 * slot * columns), 0
                while lane < lane_count:
                    evens, odds = pointer(values, a + lane * even), pointer(values, b + lane * odd)
                    block = pointer(plane, lane)
                    if lane + w <= lane_count:
                        _block_to_planes(
                            wide, source, strides, evens, even, odds, odd, products, block
                        )
                        lane += w
                    else:
                        _block_to_planes(
                            narrow, source, strides, evens, even, odds, odd, products, block
                        )
                        lane += v


@leaf
def _slots(L, spin, real, m, sign):
    """Return the slots of an order in the planes and in the tables."""
    slot = L - 1 + (-m if sign else m)
    return m if real else slot, slot if spin else m


@leaf
def _block_to_planes(lanes, rows, strides, evens, even, odds, odd, out, plane):
    """Multiply the rows of an order of all maps with a block of lanes of the table.

    ``evens``, ``odds``: the tables of the ``even`` and ``odd`` degrees; ``plane``: the block in the plane of
    the first map.
    """
    w, row = width(lanes), strides.row
    for q in range(0, strides.maps - 1, 2):
        source, target = pointer(rows, q * row), pointer(plane, q * strides.plane)
        product4(lanes, source, 0, 1, row, 4, evens, 0, even, out, 0)
        product4(lanes, source, 2, 1, row, 4, odds, 0, odd, out, 4 * w)
        _store_map(lanes, out, target, strides)
        _store_map(lanes, pointer(out, 2 * w), pointer(target, strides.plane), strides)
    if strides.maps % 2:
        q = strides.maps - 1
        source, target = pointer(rows, q * row), pointer(plane, q * strides.plane)
        product2(lanes, source, 0, 1, 4, evens, 0, even, out, 0)
        product2(lanes, source, 2, 1, 4, odds, 0, odd, out, 4 * w)
        _store_map(lanes, out, target, strides)


@leaf
def _store_map(lanes, out, plane, strides):
    """Store even plus odd part in the northern plane, even minus odd part in the southern one."""
    w = width(lanes)
    for part in range(2):
        even, odd = load(lanes, out, part * w), load(lanes, out, (4 + part) * w)
        store(plane, part * strides.imag, even + odd)
        if strides.south:
            store(plane, part * strides.imag + strides.south, even - odd)


@leaf
def _analyze(
    narrow, wide, eight, queue, L, spin, real, table, planes, flm, rows, row_size, out, sums
):
    maps, columns, v, w = planes.shape[0], planes.shape[3], width(narrow), width(wide)
    signs, sign_stride, n = 1 if real else 2, ORDERS_PER_GROUP * row_size, table.lanes
    row_stride, map_size, rings = signs * sign_stride, 2 * columns * planes.shape[1], table.rings
    values, products = pointer(table.values, 0), pointer(out, 0)
    while True:
        start = next_item(queue) * ORDERS_PER_GROUP
        if start >= L:
            return
        for m in range(start, min(start + ORDERS_PER_GROUP, L)):
            degrees = -(-((L - m + 1) // 2) // v) * v
            for sign in range(1 if real or m == 0 else 2):
                target = pointer(rows, sign * sign_stride + (m - start) * row_size)
                slot, table_slot = _slots(L, spin, real, m, sign)
                source = pointer(planes, 2 * slot * columns)
                strides = Strides(maps, row_stride, map_size, columns, 0)
                if table.folded:
                    _fold_rings(narrow, source, map_size, n, maps, sums)
                    source = pointer(sums, 0)
                    strides = Strides(maps, row_stride, 4 * n, 2 * n, n)
                a, b = table.starts[table_slot, 0], table.starts[table_slot, 1]
                lane = 0
                while lane < degrees:
                    evens, odds = (
                        pointer(values, a + lane * rings),
                        pointer(values, b + lane * rings),
                    )
                    block = pointer(target, 4 * lane)
                    if lane + w <= degrees:
                        _block_to_rows(
                            wide, narrow, source, strides, evens, odds, rings, products, block
                        )
                        lane += w
                    else:
                        _block_to_rows(
                            narrow, narrow, source, strides, evens, odds, rings, products, block
                        )
                        lane += v
        for q in range(maps):
            coefficients, source = pointer(flm, 2 * q * L * L), pointer(rows, q * row_stride)
            scatter(eight, source, row_size, L, start, real, coefficients)


@leaf
def _fold_rings(lanes, plane, map_size, n, maps, sums):
    """Compute sums and differences of north and south, the inputs of the even and the odd degrees.

    ``plane`` points to the plane of an order of the first map.
    """
    for q in range(maps):
        for part in range(2):
            source, target = q * map_size + part * 2 * n, (2 * q + part) * 2 * n
            for c in range(0, n, width(lanes)):
                a = load(lanes, plane, source + c)
                b = load(lanes, plane, source + n + c)
                store(sums, target + c, a + b)
                store(sums, target + n + c, a - b)


@leaf
def _block_to_rows(lanes, narrow, values, strides, evens, odds, rings, out, rows):
    """The transpose of `_block_to_planes`: multiply values on the rings with a block of the tables."""
    w, plane, im = width(lanes), strides.plane, strides.imag
    for q in range(0, strides.maps - 1, 2):
        source, target = pointer(values, q * plane), pointer(rows, q * strides.row)
        product4(lanes, source, 0, im, plane, 1, evens, 0, rings, out, 0)
        product4(lanes, source, strides.south, im, plane, 1, odds, 0, rings, out, 4 * w)
        _store_row(narrow, out, w, target)
        _store_row(narrow, pointer(out, 2 * w), w, pointer(target, strides.row))
    if strides.maps % 2:
        q = strides.maps - 1
        source, target = pointer(values, q * plane), pointer(rows, q * strides.row)
        product2(lanes, source, 0, im, 1, evens, 0, rings, out, 0)
        product2(lanes, source, strides.south, im, 1, odds, 0, rings, out, 4 * w)
        _store_row(narrow, out, w, target)


@leaf
def _store_row(narrow, out, w, target):
    """Interleave even and odd degrees, re and im, as in the layout of rows over the degree."""
    for i in range(0, w, width(narrow)):
        even = load(narrow, out, i), load(narrow, out, i + w)
        odd = load(narrow, out, i + 4 * w), load(narrow, out, i + 5 * w)
        weave(target, 4 * i, even[0], even[1], odd[0], odd[1])
