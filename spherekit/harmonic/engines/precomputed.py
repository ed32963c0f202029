"""Stored tables: the Legendre and theta steps of one order as a product, for small L and for batches.

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

from spherekit._core.cache import kept
from spherekit._core.jit import jit, leaf
from spherekit._core.parallel import run
from spherekit._core.workspace import aligned, on_lines, scratch
from spherekit.harmonic.engines import recursion
from spherekit.kernels.matmul import product2, product4
from spherekit.kernels.packing import TOGETHER, gather, scatter
from spherekit.kernels.simd import Lanes, load, store, width
from spherekit.kernels.transpose import weave
from spherekit.kernels.work_queue import next_item

EIGHT = Lanes(8)
_LANES = {False: (Lanes(8), Lanes(32)), True: (Lanes(16, True), Lanes(64, True))}

#: Largest tables, bytes: for one map what the second-level cache holds; for a batch what the third does.
_ONE_MAP, _BATCH = 1.2e6, 2.4e7
#: Maps from which they are a batch, and float32 ones are multiplied in float32.
BATCH_MAPS = 8

#: Tables of one direction. ``rows``: the first sample of each column's ring; ``lanes``: columns of a (folded:
#: northern) plane; ``rings``: those in use; ``starts[slot, parity]`` into ``values``, blocks of lanes.
Tables = namedtuple("Tables", "rows folded lanes rings starts values")


def worthwhile(grid, L, spin, maps):
    """Whether these transforms go by stored tables; depends on nothing but the arguments."""
    if not grid.rectangular:
        return False
    size = table_bytes(grid, L, spin)
    return size <= _ONE_MAP or (maps >= BATCH_MAPS and size <= _BATCH)


def table_bytes(grid, L, spin):
    """Bytes of one direction's tables, in float64."""
    rings, pairs = len(grid.ring_theta), L * (L + 1) // 2
    if spin == 0 and _symmetric(grid):
        return 8 * pairs * (-(-rings // 16) * 8)
    return 8 * (pairs if spin == 0 else L * L) * (-(-rings // 16) * 16)


@lru_cache(maxsize=64)
def _symmetric(grid):
    return bool(np.abs(grid.ring_theta + grid.ring_theta[::-1] - math.pi).max() < 1e-14)


@kept(2**28, lambda made: made.values.nbytes)
def tables(grid, L, spin, route_of, to_samples, single):
    """Tables of one direction: a synthesis or, transposed, an analysis."""
    folded, n = spin == 0 and _symmetric(grid), len(grid.ring_theta)
    v, w = (16, 64) if single else (8, 32)
    rings = (n + 1) // 2 if folded else n
    lanes = _up(rings, v if folded else 2 * v)
    rows = np.full((2, lanes) if folded else (1, lanes), -1)
    rows[0, :rings] = grid.ring_start[:rings]
    if folded:
        rows[1, : n // 2] = grid.ring_start[::-1][: n // 2]
    unit = unit_transforms(grid, L, spin, route_of)[:, :, :rings]
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
    values = on_lines(values)
    return Tables(rows.reshape(-1), folded, lanes, rings, starts, values)


def _up(n, multiple):
    return -(-n // multiple) * multiple


def _in_blocks(matrix, v, w):
    """Blocks of w columns, the rest of v, each row by row."""
    whole = matrix.shape[1] // w * w
    edges = [*range(0, whole, w), *range(whole, matrix.shape[1] + 1, v)]
    pairs = zip(edges[:-1], edges[1:], strict=True)
    return np.concatenate([matrix[:, a:b].ravel() for a, b in pairs] or [np.empty(0)])


def unit_transforms(grid, L, spin, route_of):
    """T[l, order slot, ring]: the planes of f_lm = 1 (f_{l,-m} = (-1)^m) for one degree after the other."""
    route, real = route_of(grid, L), spin == 0
    live = np.flatnonzero(route.rows >= 0)
    columns = np.empty(len(live), int)
    columns[np.searchsorted(grid.ring_start, route.rows[live])] = live
    m = np.arange(-(L - 1), L)
    signs = np.where((m < 0) & (m % 2 == 1), -1.0, 1.0)
    values = np.empty((L, L if real else 2 * L - 1, len(columns)))
    for first in range(0, L, 16):
        degrees = range(first, min(first + 16, L))
        flm = np.zeros((len(degrees), L * L), complex)
        for row, ell in zip(flm, degrees, strict=True):
            row[ell * ell : (ell + 1) ** 2] = signs[L - 1 - ell : L + ell]
        planes, _ = recursion.synthesis(flm, route, L, spin, real, 1)
        values[degrees] = planes[:, :, 0, columns]
    return values


def synthesis(flm, table, L, spin, real, threads):
    """(maps, L*L) -> planes (maps, orders, 2, columns) and the guard, as `recursion.synthesis`."""
    values, single = flm.view(flm.real.dtype), table.values.dtype == np.float32
    shape = len(flm), L if real else 2 * L - 1, 2, len(table.rows)
    planes = scratch("planes", shape, table.values.dtype)
    counter, guard = np.zeros(1, np.int64), np.zeros((threads, 16))
    common = (*_LANES[single], EIGHT, counter, L, spin, real, table, values, planes)
    run(lambda thread: _synthesise(*common, guard[thread]), threads)
    return planes, guard.max(axis=0)


def analysis(planes, table, L, spin, real, threads, flm):
    """Planes -> flm (maps, L*L), which is overwritten."""
    values, single = flm.view(flm.real.dtype), table.values.dtype == np.float32
    common = (*_LANES[single], EIGHT, np.zeros(1, np.int64), L, spin, real, table, planes, values)
    run(lambda thread: _analyse(*common), threads)


@jit
def _synthesise(narrow, wide, eight, counter, L, spin, real, table, flm, planes, guard):
    maps, signs, v, w = flm.shape[0], 1 if real else 2, width(narrow), width(wide)
    held, out = (
        np.empty((maps, signs, TOGETHER, 2 * L + 8), planes.dtype),
        aligned(8 * w, planes),
    )
    while True:
        start = next_item(counter) * TOGETHER
        if start >= L:
            return
        for q in range(maps):
            gather(eight, flm[q], L, start, real, held[q], guard)
        for m in range(start, min(start + TOGETHER, L)):
            for sign in range(1 if real or m == 0 else 2):
                rows = held.reshape(-1)[(sign * TOGETHER + m - start) * held.shape[3] :]
                slots = _slots(L, spin, real, m, sign)
                work = L - m, slots, held.shape[3] * signs * TOGETHER, table
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
def _analyse(narrow, wide, eight, counter, L, spin, real, table, planes, flm):
    maps, signs, v, w = flm.shape[0], 1 if real else 2, width(narrow), width(wide)
    held = np.empty((maps, signs, TOGETHER, 2 * L + 8 + 4 * v), planes.dtype)
    out = aligned(8 * w, planes)
    sums = aligned(maps * 4 * table.lanes if table.folded else 0, planes)
    while True:
        start = next_item(counter) * TOGETHER
        if start >= L:
            return
        for m in range(start, min(start + TOGETHER, L)):
            degrees = -(-((L - m + 1) // 2) // v) * v
            for sign in range(1 if real or m == 0 else 2):
                rows = held.reshape(-1)[(sign * TOGETHER + m - start) * held.shape[3] :]
                slot, there = _slots(L, spin, real, m, sign)
                columns, n = planes.shape[3], table.lanes
                if table.folded:
                    _fold_rings(narrow, planes, slot, n, sums)
                    source, places = sums, (0, n, 2 * n, 4 * n)
                else:
                    at = slot * 2 * columns
                    source, places = planes.reshape(-1), (at, at, columns, planes[0].size)
                work = source, places, maps, there, held.shape[3] * signs * TOGETHER, table
                lane = 0
                while lane < degrees:
                    if lane + w <= degrees:
                        _block_to_rows(wide, narrow, lane, work, out, rows)
                        lane += w
                    else:
                        _block_to_rows(narrow, narrow, lane, work, out, rows)
                        lane += v
        for q in range(maps):
            scatter(eight, held[q], L, start, real, flm[q])


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
    values, (even, odd, im, other), maps, slot, apart, table = work
    w, rings = width(lanes), table.rings
    a, b = table.starts[slot, 0] + lane * rings, table.starts[slot, 1] + lane * rings
    for q in range(0, maps - 1, 2):
        first, second = q * other + even, q * other + odd
        product4(lanes, values, first, im, other, 1, table.values, a, rings, out, 0)
        product4(lanes, values, second, im, other, 1, table.values, b, rings, out, 4 * w)
        _put_row(narrow, out, 0, w, rows, q * apart + 4 * lane)
        _put_row(narrow, out, 2 * w, w, rows, (q + 1) * apart + 4 * lane)
    if maps % 2:
        q = maps - 1
        product2(lanes, values, q * other + even, im, 1, table.values, a, rings, out, 0)
        product2(lanes, values, q * other + odd, im, 1, table.values, b, rings, out, 4 * w)
        _put_row(narrow, out, 0, w, rows, q * apart + 4 * lane)


@leaf
def _put_row(narrow, out, at, w, rows, to):
    """Even and odd degrees, re and im, side by side as in the layout of orders."""
    for i in range(at, at + w, width(narrow)):
        even = load(narrow, out, i), load(narrow, out, i + w)
        odd = load(narrow, out, i + 4 * w), load(narrow, out, i + 5 * w)
        weave(rows, to, even[0], even[1], odd[0], odd[1])
        to += 4 * width(narrow)
