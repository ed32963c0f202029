"""By precomputed tables: the Legendre and theta steps of one order as a product, for small L and for batches.

The transform of unit coefficients, order by order, is a table T[l, ring]; then

    F_m(ring) = sum_l f_lm T_m[l, ring],   f_lm = sum_ring T_m[l, ring] X_m(ring),

degrees of even and of odd l - m apart. With spin 0 on rings that lie symmetric about the equator, one
hemisphere is enough: T(pi - theta) = (-1)^{l-m} T(theta), which halves the table and the work. Floor: two
multiply-adds per degree, order and ring (of a hemisphere) and map, at 16 flops a cycle; the table is read
once for every chunk of maps.
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
from spherekit.kernels.packing import TOGETHER, gather, scatter
from spherekit.kernels.simd import Lanes, load, store, width
from spherekit.kernels.transpose import weave
from spherekit.kernels.work_queue import next_item

name = "precomputed"

EIGHT = Lanes(8)
_LANES = {False: (Lanes(8), Lanes(32)), True: (Lanes(16, True), Lanes(64, True))}

#: Largest tables, bytes: for one map what the second-level cache holds; for a batch what the third does.
_ONE_MAP, _BATCH = 1.2e6, 2.4e7
#: Maps from which they are a batch, and float32 ones are multiplied in float32.
BATCH_MAPS = 8

#: Tables of one direction. ``rows``: the first sample of each column's ring; ``lanes``: columns of a (folded:
#: northern) plane; ``rings``: those in use; ``starts[slot, parity]`` into ``values``, blocks of lanes.
Tables = namedtuple("Tables", "rows folded lanes rings starts values")


def unusable_reason(problem):
    """None, or why these transforms do not go by precomputed tables; depends on the problem alone."""
    grid = problem.grid
    if not grid.rectangular:
        return f"it takes rectangular grids, not {grid!r}"
    size = table_bytes(grid, problem.L, problem.spin)
    largest = _BATCH if problem.maps >= BATCH_MAPS else _ONE_MAP
    if size > largest:
        return (
            f"its tables take {size:.3g} bytes, and at most {largest:.3g} for {problem.maps} maps"
        )
    return None


def is_usable_for(problem):
    """Whether these transforms go by precomputed tables."""
    return unusable_reason(problem) is None


def required_bytes(problem):
    """Memory beside the input: the result, planes and copies in flight, tables."""
    grid, L, spin, single = problem.grid, problem.L, problem.spin, _in_single(problem)
    rings, size = len(grid.ring_theta), table_bytes(grid, L, spin)
    columns = _up(rings, 16)
    planes = (L if problem.reality else 2 * L - 1) * 2 * columns * (4 if single else 8)
    if problem.to_samples and problem.single and not single:
        planes += 16 * L * L  # coefficients in double precision
    units = 8 * L * (L if spin == 0 else 2 * L - 1) * rings  # the transforms of unit coefficients
    building = units + 2 * size + recursion_coefficients.cached_bytes(L, spin)
    return peak_bytes(problem, planes, size // (2 if single else 1), building, 4 if single else 8)


def _in_single(problem):
    """Whether maps are multiplied in float32."""
    return problem.single and problem.maps >= BATCH_MAPS


def table_bytes(grid, L, spin):
    """Bytes of one direction's tables, in float64."""
    rings, pairs = len(grid.ring_theta), L * (L + 1) // 2
    if spin == 0 and _symmetric(grid):
        return 8 * pairs * (-(-rings // 16) * 8)
    return 8 * (pairs if spin == 0 else L * L) * (-(-rings // 16) * 16)


@lru_cache(maxsize=64)
def _symmetric(grid):
    return bool(np.abs(grid.ring_theta + grid.ring_theta[::-1] - math.pi).max() < 1e-14)


@bytes_lru_cache(2**28, lambda tables: tables.values.nbytes)
def tables(grid, L, spin, plan_of, to_samples, single):
    """Tables of one direction: a synthesis or, transposed, an analysis."""
    folded, n = spin == 0 and _symmetric(grid), len(grid.ring_theta)
    v, w = (16, 64) if single else (8, 32)
    rings = (n + 1) // 2 if folded else n
    lanes = _up(rings, v if folded else 2 * v)
    rows = np.full((2, lanes) if folded else (1, lanes), -1)
    rows[0, :rings] = grid.ring_start[:rings]
    if folded:
        rows[1, : n // 2] = grid.ring_start[::-1][: n // 2]
    unit = unit_transforms(grid, L, spin, plan_of)[:, :, :rings]
    if folded and n % 2 and not to_samples:  # the ring on the equator is its own mirror image
        rows[1, n // 2] = rows[0, n // 2]
        unit[:, :, -1] *= 0.5
    blocks, starts, at = [], np.zeros((unit.shape[1], 2), np.int64), 0
    for slot, parity in np.ndindex(*starts.shape):
        m = slot if spin == 0 else abs(slot - (L - 1))
        block = unit[m + parity :: 2, slot]
        if to_samples:
            block = np.pad(block, [(0, 0), (0, lanes - rings)])
        else:  # as many lanes for the odd degrees as for the even ones
            degrees = _up((L - m + 1) // 2, v)
            block = np.pad(block.T, [(0, 0), (0, degrees - len(block))])
        starts[slot, parity] = at
        blocks.append(_in_blocks(block, v, w))
        at += block.size
    values = np.concatenate([*blocks, np.zeros(w)]).astype(np.float32 if single else float)
    values = aligned_copy(values)
    return Tables(rows.reshape(-1), folded, lanes, rings, starts, values)


def _up(n, multiple):
    return -(-n // multiple) * multiple


def _in_blocks(matrix, v, w):
    """Blocks of w columns, then of v, each row by row."""
    in_wide = matrix.shape[1] // w * w
    edges = [*range(0, in_wide, w), *range(in_wide, matrix.shape[1] + 1, v)]
    pairs = zip(edges[:-1], edges[1:], strict=True)
    return np.concatenate([matrix[:, a:b].ravel() for a, b in pairs] or [np.empty(0)])


def unit_transforms(grid, L, spin, plan_of):
    """T[l, order slot, ring]: the planes of f_lm = 1 (f_{l,-m} = (-1)^m) for one degree after the other."""
    plan, real = plan_of(grid, L), spin == 0
    live = np.flatnonzero(plan.rows >= 0)
    columns = np.empty(len(live), int)
    columns[np.searchsorted(grid.ring_start, plan.rows[live])] = live
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
    """Coefficients (..., L*L) -> samples; refuses NaN and inf and, if ``checked``, a broken symmetry."""
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
    """Samples -> coefficients (..., L*L); refuses NaN, inf and UNSEEN."""
    grid, L, spin, real = problem.grid, problem.L, problem.spin, problem.reality
    single = _in_single(problem)
    table = tables(grid, L, spin, problem.plan_of, False, single)

    def transform(chunk, flm, threads):
        kind = chunk.real.dtype if real else np.result_type(chunk, np.complex64)
        chunk = np.ascontiguousarray(chunk, kind)
        planes, suspect = phi_fft.analysis(chunk, grid, table.rows, L, real, threads, single)
        if suspect:
            checks.bad_samples(chunk, UNSEEN, problem.is_adjoint)
        from_planes(planes, table, L, spin, real, threads, flm)

    bytes_per_map = work_bytes(grid, L, real, 4 if single else 8)
    result = problem.result_shape, problem.result_type
    return for_each_chunk(transform, f, len(grid.shape), *result, bytes_per_map, problem.threads)


# --- coefficients <-> planes -------------------------------------------------------------------------


def to_planes(flm, table, L, spin, real, threads):
    """(maps, L*L) -> planes (maps, orders, 2, columns) and the input_stats, as `recursion.to_planes`."""
    values, single = flm.view(flm.real.dtype), table.values.dtype == np.float32
    shape = len(flm), L if real else 2 * L - 1, 2, len(table.rows)
    planes = scratch("planes", shape, table.values.dtype)
    counter, input_stats = np.zeros(1, np.int64), np.zeros((threads, 16))
    common = (*_LANES[single], EIGHT, counter, L, spin, real, table, values, planes)
    run(lambda thread: _synthesize(*common, input_stats[thread]), threads)
    return planes, input_stats.max(axis=0)


def from_planes(planes, table, L, spin, real, threads, flm):
    """Planes -> flm (maps, L*L), which is overwritten."""
    values, single = flm.view(flm.real.dtype), table.values.dtype == np.float32
    common = (*_LANES[single], EIGHT, np.zeros(1, np.int64), L, spin, real, table, planes, values)
    run(lambda thread: _analyze(*common), threads)


@jit
def _synthesize(narrow, wide, eight, counter, L, spin, real, table, flm, planes, input_stats):
    maps, signs, v, w = flm.shape[0], 1 if real else 2, width(narrow), width(wide)
    buffer = np.empty((maps, signs, TOGETHER, 2 * L + 8), planes.dtype)
    out = aligned(8 * w, planes)
    while True:
        start = next_item(counter) * TOGETHER
        if start >= L:
            return
        for q in range(maps):
            gather(eight, flm[q], L, start, real, buffer[q], input_stats)
        for m in range(start, min(start + TOGETHER, L)):
            for sign in range(1 if real or m == 0 else 2):
                rows = buffer.reshape(-1)[(sign * TOGETHER + m - start) * buffer.shape[3] :]
                slots = _slots(L, spin, real, m, sign)
                work = L - m, slots, buffer.shape[3] * signs * TOGETHER, table
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
    """Where an order stands in the planes and in the tables."""
    slot = L - 1 + (-m if sign else m)
    return m if real else slot, slot if spin else m


@leaf
def _block_to_planes(lanes, lane, rows, work, out, planes):
    degrees, slots, apart, table = work
    w, maps, even = width(lanes), planes.shape[0], (degrees + 1) // 2
    odd = degrees - even
    a, b = table.starts[slots[1], 0] + lane * even, table.starts[slots[1], 1] + lane * odd
    for q in range(0, maps - 1, 2):
        product4(lanes, rows, q * apart, 1, apart, 4, table.values, a, even, out, 0)
        product4(lanes, rows, q * apart + 2, 1, apart, 4, table.values, b, odd, out, 4 * w)
        _put_map(lanes, out, 0, planes[q, slots[0]], lane, table)
        _put_map(lanes, out, 2 * w, planes[q + 1, slots[0]], lane, table)
    if maps % 2:
        q = maps - 1
        product2(lanes, rows, q * apart, 1, 4, table.values, a, even, out, 0)
        product2(lanes, rows, q * apart + 2, 1, 4, table.values, b, odd, out, 4 * w)
        _put_map(lanes, out, 0, planes[q, slots[0]], lane, table)


@leaf
def _put_map(lanes, out, at, plane, lane, table):
    """Even and odd part into a plane: their sum in the north, their difference in the south."""
    w = width(lanes)
    for part in range(2):
        e, o = load(lanes, out, at + part * w), load(lanes, out, at + (4 + part) * w)
        store(plane[part], lane, e + o)
        if table.folded:
            store(plane[part], lane + table.lanes, e - o)


@jit
def _analyze(narrow, wide, eight, counter, L, spin, real, table, planes, flm):
    maps, signs, v, w = flm.shape[0], 1 if real else 2, width(narrow), width(wide)
    buffer = np.empty((maps, signs, TOGETHER, 2 * L + 8 + 4 * v), planes.dtype)
    out = aligned(8 * w, planes)
    sums = aligned(maps * 4 * table.lanes if table.folded else 0, planes)
    while True:
        start = next_item(counter) * TOGETHER
        if start >= L:
            return
        for m in range(start, min(start + TOGETHER, L)):
            degrees = -(-((L - m + 1) // 2) // v) * v
            for sign in range(1 if real or m == 0 else 2):
                rows = buffer.reshape(-1)[(sign * TOGETHER + m - start) * buffer.shape[3] :]
                slot, table_slot = _slots(L, spin, real, m, sign)
                columns, n = planes.shape[3], table.lanes
                if table.folded:
                    _fold_rings(narrow, planes, slot, n, sums)
                    source, offsets = sums, (0, n, 2 * n, 4 * n)
                else:
                    at = slot * 2 * columns
                    source, offsets = planes.reshape(-1), (at, at, columns, planes[0].size)
                work = source, offsets, maps, table_slot, buffer.shape[3] * signs * TOGETHER, table
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
    """What even and odd degrees see of an order: sums and differences of north and south."""
    for q in range(planes.shape[0]):
        for part in range(2):
            to = (2 * q + part) * 2 * n
            for c in range(0, n, width(lanes)):
                a = load(lanes, planes[q, slot, part], c)
                b = load(lanes, planes[q, slot, part], c + n)
                store(sums, to + c, a + b)
                store(sums, to + n + c, a - b)


@leaf
def _block_to_rows(lanes, narrow, lane, work, out, rows):
    values, (even, odd, im, next_map), maps, slot, apart, table = work
    w, rings = width(lanes), table.rings
    a, b = table.starts[slot, 0] + lane * rings, table.starts[slot, 1] + lane * rings
    for q in range(0, maps - 1, 2):
        first, second = q * next_map + even, q * next_map + odd
        product4(lanes, values, first, im, next_map, 1, table.values, a, rings, out, 0)
        product4(lanes, values, second, im, next_map, 1, table.values, b, rings, out, 4 * w)
        _put_row(narrow, out, 0, w, rows, q * apart + 4 * lane)
        _put_row(narrow, out, 2 * w, w, rows, (q + 1) * apart + 4 * lane)
    if maps % 2:
        q = maps - 1
        product2(lanes, values, q * next_map + even, im, 1, table.values, a, rings, out, 0)
        product2(lanes, values, q * next_map + odd, im, 1, table.values, b, rings, out, 4 * w)
        _put_row(narrow, out, 0, w, rows, q * apart + 4 * lane)


@leaf
def _put_row(narrow, out, at, w, rows, to):
    """Even and odd degrees, re and im, side by side as in the layout of orders."""
    for i in range(at, at + w, width(narrow)):
        even = load(narrow, out, i), load(narrow, out, i + w)
        odd = load(narrow, out, i + 4 * w), load(narrow, out, i + 5 * w)
        weave(rows, to, even[0], even[1], odd[0], odd[1])
        to += 4 * width(narrow)
