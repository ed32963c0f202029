"""Kernels of `engines.batched`: reordering of coefficients, sums over degrees, FFTs, with maps as lanes."""

from spherekit._core.jit import leaf
from spherekit.harmonic.engines import batched_fft
from spherekit.harmonic.engines.batched_fft import BLOCK, four_sums, padded_rings
from spherekit.kernels.simd import (
    highest,
    larger,
    load,
    magnitude,
    pointer,
    splat,
    spread,
    store,
    width,
)
from spherekit.kernels.transpose import load_block, store_block
from spherekit.kernels.work_queue import next_item

# --- a batch of lanes ------------------------------------------------------------------------------


@leaf
def synthesize(lanes, queue, maps, table, scale, flm, f, work, offsets, input_stats):
    """Transform batches of maps, taken from the work queue, from coefficients to samples.

    ``work`` and ``offsets`` are memory of a thread: the offsets of the maps of a batch.
    """
    v, L, rings = width(lanes), table.L, padded_rings(table)
    w, map_offsets, starts = pointer(work, 0), pointer(offsets, 0), table.work_offsets
    by_degree, by_order, planes = starts[0] * v, starts[1] * v, starts[2] * v
    samples, buffer = starts[4] * v, starts[5] * v
    while True:
        start = next_item(queue) * v
        if start >= maps:
            return
        _map_offsets(maps, start, table.floats, False, v, map_offsets)
        load_block(lanes, pointer(flm, 0), map_offsets, 0, table.floats, w, by_degree)
        _to_orders(lanes, L, table.N, pointer(scale, 0), w, by_degree, by_order, input_stats)
        _sums(lanes, table, w, by_order, L, planes, rings, True)
        batched_fft.to_samples(lanes, table, work)
        _map_offsets(maps, start, table.samples, True, v, map_offsets)
        dummy = pointer(w, buffer)
        store_block(lanes, w, samples, pointer(f, 0), map_offsets, 0, table.samples, dummy)


@leaf
def analyze(lanes, queue, maps, table, scale, f, flm, work, offsets, suspect):
    """Transform batches of maps, taken from the work queue, from samples to coefficients."""
    v, L, rings = width(lanes), table.L, padded_rings(table)
    w, map_offsets, starts = pointer(work, 0), pointer(offsets, 0), table.work_offsets
    by_degree, by_order, planes = starts[0] * v, starts[1] * v, starts[2] * v
    samples, buffer = starts[4] * v, starts[5] * v
    while True:
        start = next_item(queue) * v
        if start >= maps:
            return
        _map_offsets(maps, start, table.samples, False, v, map_offsets)
        load_block(lanes, pointer(f, 0), map_offsets, 0, table.samples, w, samples)
        batched_fft.from_samples(lanes, table, work)
        _check_finite(lanes, w, planes, table.rings, buffer, suspect)
        _sums(lanes, table, w, planes, rings, by_order, L, False)
        _from_orders(lanes, L, table.N, pointer(scale, 0), w, by_order, by_degree)
        _map_offsets(maps, start, table.floats, True, v, map_offsets)
        dummy = pointer(w, buffer)
        store_block(lanes, w, by_degree, pointer(flm, 0), map_offsets, 0, table.floats, dummy)


@leaf
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


@leaf
def _map_offsets(maps, start, size, is_output, count, offsets):
    """Write the offsets of the ``count`` maps of a batch.

    Lanes beyond the last map repeat it as input; as output they have the offset -1, which skips them.
    """
    for i in range(count):
        q = start + i
        offsets[i] = q * size if q < maps else (-1 if is_output else (maps - 1) * size)


# --- coefficients ------------------------------------------------------------------------------------


@leaf
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


@leaf
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


@leaf
def _sums(lanes, table, work, source, length, target, height, to_samples):
    """Multiply degrees or rings by their tables, for every pair (n, m)."""
    v, L, k, rings, values = width(lanes), table.L, 0, table.rings, pointer(table.values, 0)
    ring_blocks = padded_rings(table) // BLOCK
    for n in range(table.N):
        for m in range(0 if n == 0 else 1 - L, L):
            first = max(n, abs(m))
            row, out = source + 2 * v * k * length, target + 2 * v * k * height
            if to_samples:
                row += 2 * v * first
                count, blocks = L - first, ring_blocks
            else:  # the next pair overwrites the values beyond the last degree
                out += 2 * v * first
                count, blocks = rings, -(-(L - first) // BLOCK)
            for block in range(blocks):
                first_value = table.starts[k] + block * count * BLOCK
                sums = out + 2 * v * block * BLOCK
                four_sums(lanes, values, first_value, count, work, row, sums)
            k += 1
