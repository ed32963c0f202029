"""The steps of `engines.batched`: coefficients by order, sums over degrees, FFTs, with maps as lanes."""

import numpy as np

from spherekit._core.jit import jit
from spherekit.harmonic.engines import batched_fft as circles
from spherekit.harmonic.engines.batched_fft import BLOCK, four, padded
from spherekit.kernels.simd import (
    highest,
    larger,
    load,
    magnitude,
    splat,
    spread,
    store,
    width,
)
from spherekit.kernels.transpose import load_block, store_block
from spherekit.kernels.work_queue import next_item

# --- a bundle ----------------------------------------------------------------------------------------


@jit
def synthesise(lanes, counter, maps, table, scale, flm, f, work, guard):
    v, L, N = width(lanes), table.L, table.N
    given, ordered, planes, _, samples, room = table.places * v
    offsets = np.empty(v, np.int64)
    while True:
        start = next_item(counter) * v
        if start >= maps:
            return
        _rows_of(maps, start, table.numbers, False, offsets)
        load_block(lanes, flm, offsets, 0, table.numbers, work, given)
        _order(lanes, L, N, scale, work, given, ordered, guard)
        _sums(lanes, table, work, ordered, L, planes, padded(table), True)
        circles.to_samples(lanes, table, work)
        _rows_of(maps, start, table.samples, True, offsets)
        store_block(lanes, work, samples, f, offsets, 0, table.samples, work[room:])


@jit
def analyse(lanes, counter, maps, table, scale, f, flm, work, suspect):
    v, L, N = width(lanes), table.L, table.N
    given, ordered, planes, _, samples, room = table.places * v
    offsets = np.empty(v, np.int64)
    while True:
        start = next_item(counter) * v
        if start >= maps:
            return
        _rows_of(maps, start, table.samples, False, offsets)
        load_block(lanes, f, offsets, 0, table.samples, work, samples)
        circles.from_samples(lanes, table, work)
        _look(lanes, work, planes, table.rings, room, suspect)
        _sums(lanes, table, work, planes, padded(table), ordered, L, False)
        _disorder(lanes, L, N, scale, work, ordered, given)
        _rows_of(maps, start, table.numbers, True, offsets)
        store_block(lanes, work, given, flm, offsets, 0, table.numbers, work[room:])


@jit
def _look(lanes, work, planes, rings, spare, suspect):
    """A bad sample (NaN, inf, UNSEEN) spoils the sum of its ring."""
    v = width(lanes)
    top = bad = splat(lanes, 0.0)
    for i in range(planes, planes + 2 * rings * v, 2 * v):
        total = load(lanes, work, i)
        top, bad = larger(top, magnitude(total)), bad + (total - total)
    store(work, spare, bad)
    for i in range(v):
        if not (work[spare + i] == 0 and highest(top) < 1e15):
            suspect[0] = 1.0


@jit
def _rows_of(maps, start, size, out, offsets):
    """Where the maps of a bundle begin; beyond the last one the last again, or -1: nowhere."""
    for i in range(offsets.size):
        q = start + i
        offsets[i] = q * size if q < maps else (-1 if out else (maps - 1) * size)


# --- coefficients ------------------------------------------------------------------------------------


@jit
def _order(lanes, L, N, scale, work, given, ordered, guard):
    """Order by order, scaled, the symmetric part: f_{l,-m,-n} = (-1)^{m+n} conj f_lmn."""
    v, row, k = width(lanes), 2 * width(lanes) * L * L, 0
    bad = defect = top = splat(lanes, 0.0)
    for n in range(N):
        for m in range(0 if n == 0 else 1 - L, L):
            sign, to = splat(lanes, 1.0 - 2.0 * ((m + n) % 2)), ordered + 2 * v * k * L
            for ell in range(max(n, abs(m)), L):
                at = given + (N - 1 + n) * row + 2 * v * (ell * ell + ell + m)
                mirror = given + (N - 1 - n) * row + 2 * v * (ell * ell + ell - m)
                a, b = load(lanes, work, at), load(lanes, work, at + v)
                c, d = sign * load(lanes, work, mirror), sign * load(lanes, work, mirror + v)
                bad = bad + ((a - a) + (b - b)) + ((c - c) + (d - d))
                defect = larger(defect, larger(magnitude(a - c), magnitude(b + d)))
                top = larger(top, larger(magnitude(a), magnitude(b)))
                half = splat(lanes, 0.5) * spread(lanes, scale, ell)
                store(work, to + 2 * v * ell, half * (a + c))
                store(work, to + 2 * v * ell + v, half * (b - d))
            k += 1
    for i in range(v):
        store(work, given, bad)
        guard[0] += work[given + i]
    guard[1], guard[2] = max(guard[1], highest(defect)), max(guard[2], highest(top))


@jit
def _disorder(lanes, L, N, scale, work, ordered, given):
    """The transpose of `_order`; zero for l < |n|."""
    v, row, k, zero = width(lanes), 2 * width(lanes) * L * L, 0, splat(lanes, 0.0)
    for n in range(N):
        at, mirror = given + (N - 1 + n) * row, given + (N - 1 - n) * row
        for i in range(0, 2 * v * n * n, v):
            store(work, at + i, zero)
            store(work, mirror + i, zero)
        for m in range(0 if n == 0 else 1 - L, L):
            sign, source = splat(lanes, 1.0 - 2.0 * ((m + n) % 2)), ordered + 2 * v * k * L
            for ell in range(max(n, abs(m)), L):
                factor, centre = spread(lanes, scale, ell), ell * ell + ell
                re = factor * load(lanes, work, source + 2 * v * ell)
                im = factor * load(lanes, work, source + 2 * v * ell + v)
                store(work, mirror + 2 * v * (centre - m), sign * re)
                store(work, mirror + 2 * v * (centre - m) + v, zero - sign * im)
                store(work, at + 2 * v * (centre + m), re)
                store(work, at + 2 * v * (centre + m) + v, im)
            k += 1


# --- degrees and rings -------------------------------------------------------------------------------


@jit
def _sums(lanes, table, work, source, length, target, height, to_samples):
    """Degrees -> rings, or back: for every pair (n, m) a product with its table."""
    v, L, k = width(lanes), table.L, 0
    for n in range(table.N):
        for m in range(0 if n == 0 else 1 - L, L):
            first = max(n, abs(m))
            at, to = source + 2 * v * k * length, target + 2 * v * k * height
            if to_samples:
                at, count, blocks = at + 2 * v * first, L - first, padded(table) // BLOCK
            else:  # what is beyond the last degree the next pair overwrites
                to, count, blocks = to + 2 * v * first, table.rings, -(-(L - first) // BLOCK)
            for block in range(blocks):
                here = table.starts[k] + block * count * BLOCK
                four(lanes, table.values, here, count, work, at, to + 2 * v * block * BLOCK)
            k += 1
