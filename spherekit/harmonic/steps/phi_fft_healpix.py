"""The phi step on HEALPix: rings of n = 4 i samples, i = 1..nside, the caps' lengths all different.

Sample 4 t + j of a ring is time t of lane j: four FFTs of length i run as lanes on what lies in memory, and a
butterfly of radix 4 joins them. A northern and a southern ring of one length are the real and imaginary
part of a real signal's transform; a complex signal takes its rings one by one. Rings shorter than 2L-1
samples alias, as their sum does.
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

#: FFT tables of the lengths 1..nside, end to end: ``at[i-1]`` is (size, ends) of each array, ``roots`` the
#: roots e^{-i pi q/n} of the first quadrant, 2 i of them.
Catalogue = namedtuple(
    "Catalogue", "at factors starts cos sin dense_starts dense chirp filter roots"
)
_FIELDS = ("factors", "starts", "cos", "sin", "dense_starts", "dense", "chirp", "filter")


@lru_cache(maxsize=4)
def catalogue(nside):
    """The tables of every ring length of a map."""
    tables = [lane_fft.tables.__wrapped__(i) for i in range(1, nside + 1)]
    parts = [[getattr(table, name) for table in tables] for name in _FIELDS]
    roots = [lane_fft.roots(np.arange(2 * i), 8 * i).conj() for i in range(1, nside + 1)]
    ends = [np.cumsum([0, *map(len, part)]) for part in [*parts, roots]]
    sizes = np.array([*(table.size for table in tables), 0])
    at = np.stack([sizes, *ends], axis=1)
    return Catalogue(at, *map(np.concatenate, parts), np.concatenate(roots))


@lru_cache(maxsize=8)
def _items(grid, pairs):
    """Rows (quarter of the ring's length, whether shifted, first samples, rings) of rings, or of pairs."""
    count, start = len(grid.ring_start), grid.ring_start
    shifted = grid.ring_phi0 > 0
    north = np.arange((count + 1) // 2 if pairs else count)
    south = np.where(pairs & (count - 1 - north != north), count - 1 - north, -1)
    first = np.where(south < 0, -1, start[south])
    return np.stack(
        [grid.ring_n_phi[north] // 4, shifted[north], start[north], first, north, south], 1
    )


def analysis(f, grid, columns, width, L, real, threads):
    """(maps, pixels) -> (planes (maps, orders, 2, width), whether a sum was not finite)."""
    planes = scratch("azimuth", (len(f), L if real else 2 * L - 1, 2, width))
    planes[..., np.setdiff1d(np.arange(width), columns)] = 0.0
    counter, suspects = np.zeros(1, np.int64), np.zeros(threads)
    items, tables = _items(grid, bool(real)), catalogue(grid.nside)
    parts = f if real else f.view(f.real.dtype)

    def work(thread):
        args = (parts, items, tables, columns, L, bool(real), planes)
        _analyze(FOUR, counter, *args, suspects[thread : thread + 1])

    run(work, threads)
    return planes, bool(suspects.any())


def synthesis(planes, grid, columns, L, real, f, threads):
    """Planes -> f (maps, pixels), which is overwritten."""
    counter, items, tables = np.zeros(1, np.int64), _items(grid, bool(real)), catalogue(grid.nside)
    parts = f if real else f.view(f.real.dtype)

    def work(thread):
        _synthesize(FOUR, counter, planes, items, tables, columns, L, bool(real), parts)

    run(work, threads)


@jit
def _table(c, i):
    """The FFT tables of length i, and the roots of a quadrant."""
    a, b = c.at[i - 1], c.at[i]
    parts = (
        c.factors[a[1] : b[1]],
        c.starts[a[2] : b[2]],
        c.cos[a[3] : b[3]],
        c.sin[a[4] : b[4]],
        c.dense_starts[a[5] : b[5]],
        c.dense[a[6] : b[6]],
        c.chirp[a[7] : b[7]],
        c.filter[a[8] : b[8]],
    )
    return Fourier(i, a[0], *parts), c.roots[a[9] : b[9]]


@jit
def _root(roots, q):
    """e^{-i pi q/n} for 0 <= q < 2 n = 4 len(roots)."""
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
    work = np.empty(4 * (4 * tables.at[:, 0].max() + 2 * 200))
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
    work = np.empty(4 * (4 * tables.at[:, 0].max() + 2 * 200))
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
    for at in range(0, 4 * i, 4):
        if real:
            store(work, at, load(lanes, f, north + at))
            store(work, im + at, load(lanes, f, south + at) if south >= 0 else zero)
        else:
            for j in range(4):
                work[at + j] = f[2 * (north + at + j)]
                work[im + at + j] = f[2 * (north + at + j) + 1]


@jit
def _store_ring(lanes, work, re, im, f, row, real):
    i, north, south = row[0], row[2], row[3]
    for at in range(0, 4 * i, 4):
        if real:
            store(f, north + at, load(lanes, work, re + at))
            if south >= 0:
                store(f, south + at, load(lanes, work, im + at))
        else:
            for j in range(4):
                f[2 * (north + at + j)] = work[re + at + j]
                f[2 * (north + at + j) + 1] = work[im + at + j]


@jit
def _join_lanes(work, re, im, i, roots, bins):
    """Z_{k + i q} = sum_j e^{-2 pi i j (k + i q)/n} Y_j[k]."""
    for k in range(i):
        at = 4 * k
        a = complex(work[re + at], work[im + at])
        b = complex(work[re + at + 1], work[im + at + 1]) * _root(roots, 2 * k)
        c = complex(work[re + at + 2], work[im + at + 2]) * _root(roots, 4 * k)
        d = complex(work[re + at + 3], work[im + at + 3]) * _root(roots, 6 * k)
        s, t, u, v = a + c, a - c, b + d, b - d
        w = complex(v.imag, -v.real)  # -i v
        bins[k], bins[k + i], bins[k + 2 * i], bins[k + 3 * i] = s + u, t + w, s - u, t - w


@jit
def _split_lanes(work, im, i, roots, bins):
    """Y_j[k] = e^{2 pi i j k/n} sum_q e^{2 pi i j q/4} Z_{k + i q}: the transpose of `_join_lanes`."""
    for k in range(i):
        a, b, c, d = bins[k], bins[k + i], bins[k + 2 * i], bins[k + 3 * i]
        s, t, u, v = a + c, a - c, b + d, b - d
        w = complex(-v.imag, v.real)  # i v
        y1 = (t + w) * np.conj(_root(roots, 2 * k))
        y2 = (s - u) * np.conj(_root(roots, 4 * k))
        y3 = (t - w) * np.conj(_root(roots, 6 * k))
        at, y0 = 4 * k, s + u
        work[at], work[at + 1], work[at + 2], work[at + 3] = y0.real, y1.real, y2.real, y3.real
        at += im
        work[at], work[at + 1], work[at + 2], work[at + 3] = y0.imag, y1.imag, y2.imag, y3.imag
