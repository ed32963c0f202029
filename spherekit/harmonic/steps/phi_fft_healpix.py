"""The phi step on HEALPix: rings of n = 4 i samples, i = 1..nside; the rings of a cap all differ in length.

Sample 4 t + j of a ring is point t of lane j: four FFTs of length i run as lanes on the samples as they are
stored, and a radix-4 butterfly combines them. For a real signal, a northern and a southern ring of the same
length are the real and the imaginary part of one transform; the rings of a complex signal are transformed one
by one. Rings with fewer than 2L-1 samples alias, as the definition implies.
"""

from collections import namedtuple
from functools import lru_cache

import numpy as np

from spherekit._core.jit import leaf
from spherekit._core.parallel import run
from spherekit._core.workspace import scratch
from spherekit.kernels import fft as lane_fft
from spherekit.kernels.simd import Lanes, load, pointer, splat, store
from spherekit.kernels.work_queue import next_item

FOUR = Lanes(4)

#: FFT tables of the lengths 1..nside, concatenated, and the 2 i roots e^{-i pi q/n} of the first quadrant of
#: each. ``offsets[i-1]``: where length i begins in ``integers``, ``floats`` and ``roots``. ``work_points``:
#: points of the work array.
RingTables = namedtuple("RingTables", "offsets integers floats roots work_points")


@lru_cache(maxsize=4)
def ring_tables(nside):
    """Return the tables of all ring lengths of a map."""
    tables = [lane_fft.uncached_tables(i, FOUR) for i in range(1, nside + 1)]
    roots = [lane_fft.roots(np.arange(2 * i), 8 * i).conj() for i in range(1, nside + 1)]
    arrays = [table.integers for table in tables], [table.floats for table in tables], roots
    offsets = np.stack([np.cumsum([0, *map(len, array)]) for array in arrays], axis=1)
    work_points = max(table.work_points for table in tables)
    return RingTables(offsets, *map(np.concatenate, arrays), work_points)


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
        buffers = _work_arrays(tables, grid.nside)
        args = (samples, items, tables, columns, L, bool(real), *buffers, planes)
        _analyze(FOUR, counter, *args, suspects[thread : thread + 1])

    run(work, threads)
    return planes, bool(suspects.any())


def synthesis(planes, grid, columns, L, real, f, threads):
    """Transform planes to f (maps, pixels), which is overwritten."""
    counter, items = np.zeros(1, np.int64), _items(grid, bool(real))
    tables = ring_tables(grid.nside)
    samples = f if real else f.view(f.real.dtype)

    def work(thread):
        args = (items, tables, columns, L, bool(real), *_work_arrays(tables, grid.nside), samples)
        _synthesize(FOUR, counter, planes, *args)

    run(work, threads)


def _work_arrays(tables, nside):
    """Return the work array of the FFTs, and one for the complex bins of a ring."""
    work = scratch("fft", (4 * tables.work_points,))
    return work, scratch("bins", (8 * nside,)).view(complex)


# --- kernels -----------------------------------------------------------------------------------------


@leaf
def _root(roots, size, q):
    """Return e^{-i pi q/n} for 0 <= q < 2 n, from the roots of the first quadrant, n = 2 ``size``."""
    quadrant = q // size
    z = roots[q % size]
    if quadrant == 1:
        return complex(z.imag, -z.real)
    if quadrant == 2:
        return -z
    if quadrant == 3:
        return complex(-z.imag, z.real)
    return z


@leaf
def _ring_table(tables, i):
    """Return the tables of length i: integers, floats and roots."""
    offsets = pointer(tables.offsets, 3 * (i - 1))
    integers, floats = pointer(tables.integers, offsets[0]), pointer(tables.floats, offsets[1])
    return integers, floats, pointer(tables.roots, offsets[2])


@leaf
def _analyze(lanes, counter, f, items, tables, columns, L, real, work, bins, planes, suspect):
    w, z, count = pointer(work, 0), pointer(bins, 0), items.shape[0]
    orders, column_count = planes.shape[1], planes.shape[3]
    while True:
        item = next_item(counter)
        if item >= f.shape[0] * count:
            return
        q, row = item // count, pointer(items, item % count * items.shape[1])
        i, n = row[0], 4 * row[0]
        integers, floats, roots = _ring_table(tables, i)
        plane_size = 4 * integers[lane_fft.SIZE]
        _load_ring(lanes, pointer(f, q * f.shape[1]), row, real, w, plane_size)
        lane_fft.transform_with(lanes, w, 0, integers, floats)
        re = 4 * integers[lane_fft.RESULT]
        _join_lanes(w, re, re + plane_size, i, roots, z)
        if not abs(z[0]) < 1e15:
            suspect[0] = 1.0
        north, south = columns[row[4]], columns[row[5]]
        for order in range(orders):
            plane = pointer(planes, (q * orders + order) * 2 * column_count)
            m = order if real else order - (L - 1)
            k = m % n
            phase = _root(roots, 2 * i, m % (2 * n)) if row[1] else 1.0 + 0.0j
            a = z[k] * phase
            if real:
                b = z[n - k if k else 0].conjugate() * phase
                plane[north] = 0.5 * (a.real + b.real)
                plane[column_count + north] = 0.5 * (a.imag + b.imag)
                if row[5] >= 0:
                    plane[south] = 0.5 * (a.imag - b.imag)
                    plane[column_count + south] = 0.5 * (b.real - a.real)
            else:
                plane[north], plane[column_count + north] = a.real, a.imag


@leaf
def _synthesize(lanes, counter, planes, items, tables, columns, L, real, work, bins, f):
    w, z, count = pointer(work, 0), pointer(bins, 0), items.shape[0]
    orders, column_count = planes.shape[1], planes.shape[3]
    while True:
        item = next_item(counter)
        if item >= f.shape[0] * count:
            return
        q, row = item // count, pointer(items, item % count * items.shape[1])
        i, n = row[0], 4 * row[0]
        integers, floats, roots = _ring_table(tables, i)
        north, south = columns[row[4]], columns[row[5]]
        for k in range(n):
            z[k] = 0.0 + 0.0j
        for order in range(orders):
            plane = pointer(planes, (q * orders + order) * 2 * column_count)
            m = order if real else order - (L - 1)
            k = m % n
            phase = 1.0 + 0.0j
            if row[1]:
                phase = _root(roots, 2 * i, m % (2 * n)).conjugate()
            a = complex(plane[north], plane[column_count + north]) * phase
            if not real:
                z[k] += a
                continue
            b = 0.0 + 0.0j
            if row[5] >= 0:
                b = complex(plane[south], plane[column_count + south]) * phase
            if m == 0:
                z[0] += complex(a.real, b.real)
            else:
                z[k] += complex(a.real - b.imag, a.imag + b.real)
                z[n - k if k else 0] += complex(a.real + b.imag, b.real - a.imag)
        plane_size = 4 * integers[lane_fft.SIZE]
        _split_lanes(w, plane_size, i, roots, z)
        lane_fft.transform_with(lanes, w, 1, integers, floats)
        re = 4 * integers[lane_fft.RESULT]
        _store_ring(lanes, w, re, re + plane_size, pointer(f, q * f.shape[1]), row, real)


@leaf
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


@leaf
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


@leaf
def _join_lanes(work, re, im, i, roots, bins):
    """Combine the lanes: Z_{k + i q} = sum_j e^{-2 pi i j (k + i q)/n} Y_j[k]."""
    for k in range(i):
        index = 4 * k
        a = complex(work[re + index], work[im + index])
        b = complex(work[re + index + 1], work[im + index + 1]) * _root(roots, 2 * i, 2 * k)
        c = complex(work[re + index + 2], work[im + index + 2]) * _root(roots, 2 * i, 4 * k)
        d = complex(work[re + index + 3], work[im + index + 3]) * _root(roots, 2 * i, 6 * k)
        s, t, u, v = a + c, a - c, b + d, b - d
        w = complex(v.imag, -v.real)  # -i v
        bins[k], bins[k + i], bins[k + 2 * i], bins[k + 3 * i] = s + u, t + w, s - u, t - w


@leaf
def _split_lanes(work, im, i, roots, bins):
    """The transpose of `_join_lanes`: Y_j[k] = e^{2 pi i j k/n} sum_q e^{2 pi i j q/4} Z_{k + i q}."""
    for k in range(i):
        a, b, c, d = bins[k], bins[k + i], bins[k + 2 * i], bins[k + 3 * i]
        s, t, u, v = a + c, a - c, b + d, b - d
        w = complex(-v.imag, v.real)  # i v
        y1 = (t + w) * _root(roots, 2 * i, 2 * k).conjugate()
        y2 = (s - u) * _root(roots, 2 * i, 4 * k).conjugate()
        y3 = (t - w) * _root(roots, 2 * i, 6 * k).conjugate()
        index, y0 = 4 * k, s + u
        work[index], work[index + 1] = y0.real, y1.real
        work[index + 2], work[index + 3] = y2.real, y3.real
        index += im
        work[index], work[index + 1] = y0.imag, y1.imag
        work[index + 2], work[index + 3] = y2.imag, y3.imag
