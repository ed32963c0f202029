"""The phi step on HEALPix: rings of n = 4 i samples, i = 1..nside; the rings of a cap all differ in length.

Sample 4 t + j of a ring is point t of lane j: four FFTs of length i run as lanes on the samples as they are
stored, and a radix-4 butterfly combines them. For a real signal, a northern and a southern ring of the same
length are the real and the imaginary part of one transform; the rings of a complex signal are transformed one
by one. Rings with fewer than 2L-1 samples alias, as the definition implies.
"""

from collections import namedtuple
from functools import lru_cache

import numpy as np

from spherekit._core.jit import jit
from spherekit._core.parallel import run
from spherekit._core.workspace import scratch
from spherekit.kernels import fft as lane_fft
from spherekit.kernels.fft import Fourier
from spherekit.kernels.simd import Lanes, load, splat, store
from spherekit.kernels.work_queue import next_item

FOUR = Lanes(4)

#: FFT tables of the lengths 1..nside, concatenated: ``offsets[i-1]`` is the FFT size of length i, followed by
#: the offset of length i in each array; ``roots`` are the 2 i roots e^{-i pi q/n} of the first quadrant.
RingTables = namedtuple(
    "RingTables", "offsets factors starts cos sin dense_starts dense chirp filter roots"
)
_FIELDS = ("factors", "starts", "cos", "sin", "dense_starts", "dense", "chirp", "filter")


@lru_cache(maxsize=4)
def ring_tables(nside):
    """Return the tables of all ring lengths of a map."""
    tables = [lane_fft.tables.__wrapped__(i) for i in range(1, nside + 1)]
    arrays = [[getattr(table, name) for table in tables] for name in _FIELDS]
    roots = [lane_fft.roots(np.arange(2 * i), 8 * i).conj() for i in range(1, nside + 1)]
    ends = [np.cumsum([0, *map(len, array)]) for array in [*arrays, roots]]
    sizes = np.array([*(table.size for table in tables), 0])
    offsets = np.stack([sizes, *ends], axis=1)
    return RingTables(offsets, *map(np.concatenate, arrays), np.concatenate(roots))


@lru_cache(maxsize=8)
def _items(grid, pairs):
    """Return one row per ring, or per pair of rings.

    The columns are: a quarter of the length of the ring, whether it is shifted, first samples, rings.
    """
    count, start = len(grid.ring_start), grid.ring_start
    shifted = grid.ring_phi0 > 0
    north = np.arange((count + 1) // 2 if pairs else count)
    south = np.where(pairs & (count - 1 - north != north), count - 1 - north, -1)
    first = np.where(south < 0, -1, start[south])
    return np.stack(
        [grid.ring_n_phi[north] // 4, shifted[north], start[north], first, north, south], 1
    )


def analysis(f, grid, columns, width, L, real, threads):
    """Transform (maps, pixels) to (planes (maps, orders, 2, width), whether a sum is not finite)."""
    planes = scratch("azimuth", (len(f), L if real else 2 * L - 1, 2, width))
    planes[..., np.setdiff1d(np.arange(width), columns)] = 0.0
    counter, suspects = np.zeros(1, np.int64), np.zeros(threads)
    items, tables = _items(grid, bool(real)), ring_tables(grid.nside)
    samples = f if real else f.view(f.real.dtype)

    def work(thread):
        args = (samples, items, tables, columns, L, bool(real), planes)
        _analyze(FOUR, counter, *args, suspects[thread : thread + 1])

    run(work, threads)
    return planes, bool(suspects.any())


def synthesis(planes, grid, columns, L, real, f, threads):
    """Transform planes to f (maps, pixels), which is overwritten."""
    counter, items = np.zeros(1, np.int64), _items(grid, bool(real))
    tables = ring_tables(grid.nside)
    samples = f if real else f.view(f.real.dtype)

    def work(thread):
        _synthesize(FOUR, counter, planes, items, tables, columns, L, bool(real), samples)

    run(work, threads)


@jit
def _table(tables, i):
    """Return the FFT tables of length i, and the roots of a quadrant."""
    begin, end = tables.offsets[i - 1], tables.offsets[i]
    arrays = (
        tables.factors[begin[1] : end[1]],
        tables.starts[begin[2] : end[2]],
        tables.cos[begin[3] : end[3]],
        tables.sin[begin[4] : end[4]],
        tables.dense_starts[begin[5] : end[5]],
        tables.dense[begin[6] : end[6]],
        tables.chirp[begin[7] : end[7]],
        tables.filter[begin[8] : end[8]],
    )
    return Fourier(i, begin[0], *arrays), tables.roots[begin[9] : end[9]]


@jit
def _root(roots, q):
    """Return e^{-i pi q/n} for 0 <= q < 2 n = 4 len(roots)."""
    quadrant = q // roots.size
    z = roots[q % roots.size]
    if quadrant == 1:
        return complex(z.imag, -z.real)
    if quadrant == 2:
        return -z
    if quadrant == 3:
        return complex(-z.imag, z.real)
    return z


@jit
def _analyze(lanes, counter, f, items, tables, columns, L, real, planes, suspect):
    longest = items[:, 0].max()
    work = np.empty(4 * (4 * tables.offsets[:, 0].max() + 2 * 200))
    bins = np.empty(4 * longest, np.complex128)
    while True:
        item = next_item(counter)
        if item >= f.shape[0] * len(items):
            return
        q, row = item // len(items), items[item % len(items)]
        i, n = row[0], 4 * row[0]
        fft, roots = _table(tables, i)
        _load_ring(lanes, f[q], row, real, work, 4 * fft.size)
        re, im = lane_fft.transform(lanes, work, 0, fft)
        _join_lanes(work, re, im, i, roots, bins)
        if not abs(bins[0]) < 1e15:
            suspect[0] = 1.0
        north, south = columns[row[4]], columns[row[5]]
        plane = planes[q]
        for order in range(plane.shape[0]):
            m = order if real else order - (L - 1)
            k = m % n
            phase = _root(roots, m % (2 * n)) if row[1] else 1.0 + 0.0j
            a = bins[k] * phase
            if real:
                b = np.conj(bins[n - k if k else 0]) * phase
                plane[order, 0, north] = 0.5 * (a.real + b.real)
                plane[order, 1, north] = 0.5 * (a.imag + b.imag)
                if row[5] >= 0:
                    plane[order, 0, south] = 0.5 * (a.imag - b.imag)
                    plane[order, 1, south] = 0.5 * (b.real - a.real)
            else:
                plane[order, 0, north], plane[order, 1, north] = a.real, a.imag


@jit
def _synthesize(lanes, counter, planes, items, tables, columns, L, real, f):
    longest = items[:, 0].max()
    work = np.empty(4 * (4 * tables.offsets[:, 0].max() + 2 * 200))
    bins = np.empty(4 * longest, np.complex128)
    while True:
        item = next_item(counter)
        if item >= f.shape[0] * len(items):
            return
        q, row = item // len(items), items[item % len(items)]
        i, n = row[0], 4 * row[0]
        fft, roots = _table(tables, i)
        north, south = columns[row[4]], columns[row[5]]
        plane = planes[q]
        bins[:n] = 0.0
        for order in range(plane.shape[0]):
            m = order if real else order - (L - 1)
            k = m % n
            phase = np.conj(_root(roots, m % (2 * n))) if row[1] else 1.0 + 0.0j
            a = complex(plane[order, 0, north], plane[order, 1, north]) * phase
            if not real:
                bins[k] += a
                continue
            b = 0.0 + 0.0j
            if row[5] >= 0:
                b = complex(plane[order, 0, south], plane[order, 1, south]) * phase
            if m == 0:
                bins[0] += complex(a.real, b.real)
            else:
                bins[k] += complex(a.real - b.imag, a.imag + b.real)
                bins[n - k if k else 0] += complex(a.real + b.imag, b.real - a.imag)
        _split_lanes(work, 4 * fft.size, i, roots, bins)
        re, im = lane_fft.transform(lanes, work, 1, fft)
        _store_ring(lanes, work, re, im, f[q], row, real)


@jit
def _load_ring(lanes, f, row, real, work, im):
    i, north, south = row[0], row[2], row[3]
    zero = splat(lanes, 0.0)
    for index in range(0, 4 * i, 4):
        if real:
            store(work, index, load(lanes, f, north + index))
            store(work, im + index, load(lanes, f, south + index) if south >= 0 else zero)
        else:
            for j in range(4):
                work[index + j] = f[2 * (north + index + j)]
                work[im + index + j] = f[2 * (north + index + j) + 1]


@jit
def _store_ring(lanes, work, re, im, f, row, real):
    i, north, south = row[0], row[2], row[3]
    for index in range(0, 4 * i, 4):
        if real:
            store(f, north + index, load(lanes, work, re + index))
            if south >= 0:
                store(f, south + index, load(lanes, work, im + index))
        else:
            for j in range(4):
                f[2 * (north + index + j)] = work[re + index + j]
                f[2 * (north + index + j) + 1] = work[im + index + j]


@jit
def _join_lanes(work, re, im, i, roots, bins):
    """Combine the lanes: Z_{k + i q} = sum_j e^{-2 pi i j (k + i q)/n} Y_j[k]."""
    for k in range(i):
        index = 4 * k
        a = complex(work[re + index], work[im + index])
        b = complex(work[re + index + 1], work[im + index + 1]) * _root(roots, 2 * k)
        c = complex(work[re + index + 2], work[im + index + 2]) * _root(roots, 4 * k)
        d = complex(work[re + index + 3], work[im + index + 3]) * _root(roots, 6 * k)
        s, t, u, v = a + c, a - c, b + d, b - d
        w = complex(v.imag, -v.real)  # -i v
        bins[k], bins[k + i], bins[k + 2 * i], bins[k + 3 * i] = s + u, t + w, s - u, t - w


@jit
def _split_lanes(work, im, i, roots, bins):
    """The transpose of `_join_lanes`: Y_j[k] = e^{2 pi i j k/n} sum_q e^{2 pi i j q/4} Z_{k + i q}."""
    for k in range(i):
        a, b, c, d = bins[k], bins[k + i], bins[k + 2 * i], bins[k + 3 * i]
        s, t, u, v = a + c, a - c, b + d, b - d
        w = complex(-v.imag, v.real)  # i v
        y1 = (t + w) * np.conj(_root(roots, 2 * k))
        y2 = (s - u) * np.conj(_root(roots, 4 * k))
        y3 = (t - w) * np.conj(_root(roots, 6 * k))
        index, y0 = 4 * k, s + u
        work[index], work[index + 1] = y0.real, y1.real
        work[index + 2], work[index + 3] = y2.real, y3.real
        index += im
        work[index], work[index + 1] = y0.imag, y1.imag
        work[index + 2], work[index + 3] = y2.imag, y3.imag
