"""Kernels of `engines.batched`: reordering of coefficients, sums over degrees, FFTs, with maps as lanes."""

import numpy as np

from spherekit._core.jit import jit
from spherekit.harmonic.engines import batched_fft
from spherekit.harmonic.engines.batched_fft import BLOCK, four_sums, padded_rings
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
def synthesize(lanes, counter, maps, table, scale, flm, f, work, input_stats):
    """Transform batches of maps, taken from the work queue, from coefficients to samples."""
    v, L, N = width(lanes), table.L, table.N
    by_degree, by_order, planes, _, samples, buffer = table.work_offsets * v
    offsets = np.empty(v, np.int64)
    while True:
        start = next_item(counter) * v
        if start >= maps:
            return
        _map_offsets(maps, start, table.floats, False, offsets)
        load_block(lanes, flm, offsets, 0, table.floats, work, by_degree)
        _to_orders(lanes, L, N, scale, work, by_degree, by_order, input_stats)
        _sums(lanes, table, work, by_order, L, planes, padded_rings(table), True)
        batched_fft.to_samples(lanes, table, work)
        _map_offsets(maps, start, table.samples, True, offsets)
        store_block(lanes, work, samples, f, offsets, 0, table.samples, work[buffer:])


@jit
def analyze(lanes, counter, maps, table, scale, f, flm, work, suspect):
    """Transform batches of maps, taken from the work queue, from samples to coefficients."""
    v, L, N = width(lanes), table.L, table.N
    by_degree, by_order, planes, _, samples, buffer = table.work_offsets * v
    offsets = np.empty(v, np.int64)
    while True:
        start = next_item(counter) * v
        if start >= maps:
            return
        _map_offsets(maps, start, table.samples, False, offsets)
        load_block(lanes, f, offsets, 0, table.samples, work, samples)
        batched_fft.from_samples(lanes, table, work)
        _check_finite(lanes, work, planes, table.rings, buffer, suspect)
        _sums(lanes, table, work, planes, padded_rings(table), by_order, L, False)
        _from_orders(lanes, L, N, scale, work, by_order, by_degree)
        _map_offsets(maps, start, table.floats, True, offsets)
        store_block(lanes, work, by_degree, flm, offsets, 0, table.floats, work[buffer:])


@jit
def _check_finite(lanes, work, planes, rings, buffer, suspect):
    """Set ``suspect`` where the sum of a ring is not finite or is huge (sample NaN, inf or UNSEEN)."""
    v = width(lanes)
    peak = nan_sum = splat(lanes, 0.0)
    for i in range(planes, planes + 2 * rings * v, 2 * v):
        total = load(lanes, work, i)
        peak, nan_sum = larger(peak, magnitude(total)), nan_sum + (total - total)
    store(work, buffer, nan_sum)
    for i in range(v):
        if not (work[buffer + i] == 0 and highest(peak) < 1e15):
            suspect[0] = 1.0


@jit
def _map_offsets(maps, start, size, is_output, offsets):
    """Write the offsets of the maps of a batch.

    Lanes beyond the last map repeat it as input; as output they have the offset -1, which skips them.
    """
    for i in range(offsets.size):
        q = start + i
        offsets[i] = q * size if q < maps else (-1 if is_output else (maps - 1) * size)


# --- coefficients ------------------------------------------------------------------------------------


@jit
def _to_orders(lanes, L, N, scale, work, by_degree, by_order, input_stats):
    """Sort the scaled Hermitian part by order: f_{l,-m,-n} = (-1)^{m+n} conj f_lmn."""
    v, row, k = width(lanes), 2 * width(lanes) * L * L, 0
    nan_sum = defect = peak = splat(lanes, 0.0)
    for n in range(N):
        for m in range(0 if n == 0 else 1 - L, L):
            sign, target = splat(lanes, 1.0 - 2.0 * ((m + n) % 2)), by_order + 2 * v * k * L
            for ell in range(max(n, abs(m)), L):
                source = by_degree + (N - 1 + n) * row + 2 * v * (ell * ell + ell + m)
                mirror = by_degree + (N - 1 - n) * row + 2 * v * (ell * ell + ell - m)
                a, b = load(lanes, work, source), load(lanes, work, source + v)
                c, d = sign * load(lanes, work, mirror), sign * load(lanes, work, mirror + v)
                nan_sum = nan_sum + ((a - a) + (b - b)) + ((c - c) + (d - d))
                defect = larger(defect, larger(magnitude(a - c), magnitude(b + d)))
                peak = larger(peak, larger(magnitude(a), magnitude(b)))
                half = splat(lanes, 0.5) * spread(lanes, scale, ell)
                store(work, target + 2 * v * ell, half * (a + c))
                store(work, target + 2 * v * ell + v, half * (b - d))
            k += 1
    for i in range(v):
        store(work, by_degree, nan_sum)
        input_stats[0] += work[by_degree + i]
    input_stats[1] = max(input_stats[1], highest(defect))
    input_stats[2] = max(input_stats[2], highest(peak))


@jit
def _from_orders(lanes, L, N, scale, work, by_order, by_degree):
    """The transpose of `_to_orders`; zero for l < |n|."""
    v, row, k, zero = width(lanes), 2 * width(lanes) * L * L, 0, splat(lanes, 0.0)
    for n in range(N):
        target, mirror = by_degree + (N - 1 + n) * row, by_degree + (N - 1 - n) * row
        for i in range(0, 2 * v * n * n, v):
            store(work, target + i, zero)
            store(work, mirror + i, zero)
        for m in range(0 if n == 0 else 1 - L, L):
            sign, source = splat(lanes, 1.0 - 2.0 * ((m + n) % 2)), by_order + 2 * v * k * L
            for ell in range(max(n, abs(m)), L):
                factor, center = spread(lanes, scale, ell), ell * ell + ell
                re = factor * load(lanes, work, source + 2 * v * ell)
                im = factor * load(lanes, work, source + 2 * v * ell + v)
                store(work, mirror + 2 * v * (center - m), sign * re)
                store(work, mirror + 2 * v * (center - m) + v, zero - sign * im)
                store(work, target + 2 * v * (center + m), re)
                store(work, target + 2 * v * (center + m) + v, im)
            k += 1


# --- degrees and rings -------------------------------------------------------------------------------


@jit
def _sums(lanes, table, work, source, length, target, height, to_samples):
    """Multiply degrees or rings by their tables, for every pair (n, m)."""
    v, L, k = width(lanes), table.L, 0
    for n in range(table.N):
        for m in range(0 if n == 0 else 1 - L, L):
            first = max(n, abs(m))
            row, out = source + 2 * v * k * length, target + 2 * v * k * height
            if to_samples:
                row += 2 * v * first
                count, blocks = L - first, padded_rings(table) // BLOCK
            else:  # the next pair overwrites the values beyond the last degree
                out += 2 * v * first
                count, blocks = table.rings, -(-(L - first) // BLOCK)
            for block in range(blocks):
                first_value = table.starts[k] + block * count * BLOCK
                four_sums(
                    lanes,
                    table.values,
                    first_value,
                    count,
                    work,
                    row,
                    out + 2 * v * block * BLOCK,
                )
            k += 1
