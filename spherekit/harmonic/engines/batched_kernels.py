"""The steps of `engines.batched`: coefficients by order, sums over degrees, FFTs, with maps as lanes."""

import numpy as np

from spherekit._core.jit import jit
from spherekit.harmonic.engines import batched_fft
from spherekit.harmonic.engines.batched_fft import BLOCK, four_sums, padded
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

# --- a batch of lanes ------------------------------------------------------------------------------


@jit
def synthesize(lanes, counter, maps, table, scale, flm, f, work, guard):
    v, L, N = width(lanes), table.L, table.N
    natural, ordered, planes, _, samples, buffer = table.places * v
    offsets = np.empty(v, np.int64)
    while True:
        start = next_item(counter) * v
        if start >= maps:
            return
        _rows_of(maps, start, table.numbers, False, offsets)
        load_block(lanes, flm, offsets, 0, table.numbers, work, natural)
        _to_orders(lanes, L, N, scale, work, natural, ordered, guard)
        _sums(lanes, table, work, ordered, L, planes, padded(table), True)
        batched_fft.to_samples(lanes, table, work)
        _rows_of(maps, start, table.samples, True, offsets)
        store_block(lanes, work, samples, f, offsets, 0, table.samples, work[buffer:])


@jit
def analyze(lanes, counter, maps, table, scale, f, flm, work, suspect):
    v, L, N = width(lanes), table.L, table.N
    natural, ordered, planes, _, samples, buffer = table.places * v
    offsets = np.empty(v, np.int64)
    while True:
        start = next_item(counter) * v
        if start >= maps:
            return
        _rows_of(maps, start, table.samples, False, offsets)
        load_block(lanes, f, offsets, 0, table.samples, work, samples)
        batched_fft.from_samples(lanes, table, work)
        _check_finite(lanes, work, planes, table.rings, buffer, suspect)
        _sums(lanes, table, work, planes, padded(table), ordered, L, False)
        _from_orders(lanes, L, N, scale, work, ordered, natural)
        _rows_of(maps, start, table.numbers, True, offsets)
        store_block(lanes, work, natural, flm, offsets, 0, table.numbers, work[buffer:])


@jit
def _check_finite(lanes, work, planes, rings, spare, suspect):
    """Set ``suspect`` where the sum of a ring is not finite or huge: a sample is NaN, inf or UNSEEN."""
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
def _rows_of(maps, start, size, output, offsets):
    """Where the maps of a batch begin; lanes beyond the last map repeat it, as output are -1: skipped."""
    for i in range(offsets.size):
        q = start + i
        offsets[i] = q * size if q < maps else (-1 if output else (maps - 1) * size)


# --- coefficients ------------------------------------------------------------------------------------


@jit
def _to_orders(lanes, L, N, scale, work, natural, ordered, guard):
    """The symmetric part, scaled, order by order: f_{l,-m,-n} = (-1)^{m+n} conj f_lmn."""
    v, row, k = width(lanes), 2 * width(lanes) * L * L, 0
    bad = defect = top = splat(lanes, 0.0)
    for n in range(N):
        for m in range(0 if n == 0 else 1 - L, L):
            sign, to = splat(lanes, 1.0 - 2.0 * ((m + n) % 2)), ordered + 2 * v * k * L
            for ell in range(max(n, abs(m)), L):
                at = natural + (N - 1 + n) * row + 2 * v * (ell * ell + ell + m)
                mirror = natural + (N - 1 - n) * row + 2 * v * (ell * ell + ell - m)
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
        store(work, natural, bad)
        guard[0] += work[natural + i]
    guard[1], guard[2] = max(guard[1], highest(defect)), max(guard[2], highest(top))


@jit
def _from_orders(lanes, L, N, scale, work, ordered, natural):
    """The transpose of `_to_orders`; zero for l < |n|."""
    v, row, k, zero = width(lanes), 2 * width(lanes) * L * L, 0, splat(lanes, 0.0)
    for n in range(N):
        at, mirror = natural + (N - 1 + n) * row, natural + (N - 1 - n) * row
        for i in range(0, 2 * v * n * n, v):
            store(work, at + i, zero)
            store(work, mirror + i, zero)
        for m in range(0 if n == 0 else 1 - L, L):
            sign, source = splat(lanes, 1.0 - 2.0 * ((m + n) % 2)), ordered + 2 * v * k * L
            for ell in range(max(n, abs(m)), L):
                factor, center = spread(lanes, scale, ell), ell * ell + ell
                re = factor * load(lanes, work, source + 2 * v * ell)
                im = factor * load(lanes, work, source + 2 * v * ell + v)
                store(work, mirror + 2 * v * (center - m), sign * re)
                store(work, mirror + 2 * v * (center - m) + v, zero - sign * im)
                store(work, at + 2 * v * (center + m), re)
                store(work, at + 2 * v * (center + m) + v, im)
            k += 1


# --- degrees and rings -------------------------------------------------------------------------------


@jit
def _sums(lanes, table, work, source, length, target, height, to_samples):
    """Degrees -> rings, or rings -> degrees: for every pair (n, m) a product with its table."""
    v, L, k = width(lanes), table.L, 0
    for n in range(table.N):
        for m in range(0 if n == 0 else 1 - L, L):
            first = max(n, abs(m))
            at, to = source + 2 * v * k * length, target + 2 * v * k * height
            if to_samples:
                at, count, blocks = at + 2 * v * first, L - first, padded(table) // BLOCK
            else:  # the next pair overwrites what is beyond the last degree
                to, count, blocks = to + 2 * v * first, table.rings, -(-(L - first) // BLOCK)
            for block in range(blocks):
                first_value = table.starts[k] + block * count * BLOCK
                four_sums(
                    lanes, table.values, first_value, count, work, at, to + 2 * v * block * BLOCK
                )
            k += 1
