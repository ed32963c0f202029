"""The steps of `harmonic.bundles`: coefficients by order, sums over degrees, FFTs, with maps as lanes."""

import numpy as np

from spherekit._jit import jit, leaf
from spherekit.kernels import fourier
from spherekit.kernels.items import next_item
from spherekit.kernels.rows import load_rows, store_rows
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

#: Rings, or degrees, that are summed side by side.
BLOCK = 4


# --- a bundle ----------------------------------------------------------------------------------------


@jit
def synthesise(lanes, counter, maps, table, scale, flm, f, work, guard):
    v, L, N = width(lanes), table.L, table.N
    given, ordered, planes, turned, samples, room = table.places * v
    a_map, its_samples = 2 * (2 * N - 1) * L * L, table.gammas * table.rings * table.alpha.n
    offsets = np.empty(v, np.int64)
    while True:
        start = next_item(counter) * v
        if start >= maps:
            return
        _rows_of(maps, start, a_map, False, offsets)
        _read(lanes, flm, offsets, a_map, work, given)
        _order(lanes, L, N, scale, work, given, ordered, guard)
        _sums(lanes, table, work, ordered, L, planes, _padded(table), True)
        if table.gammas == 1:
            step = 2 * v * _padded(table)
            for ring in range(0, table.rings, 2):
                to = samples + ring * table.alpha.n * v
                two = ring + 1 < table.rings
                at = planes + 2 * ring * v
                _to_ring(
                    lanes, table, work, at, at + 2 * v, step, two, to, to + table.alpha.n * v, room
                )
        else:
            for ring in range(table.rings):
                _to_gamma(lanes, table, work, planes + 2 * ring * v, turned, room)
                apart = table.rings * table.alpha.n * v
                for g in range(0, table.gammas, 2):
                    to, at = samples + ring * table.alpha.n * v + g * apart, turned + 2 * g * L * v
                    two = g + 1 < table.gammas
                    _to_ring(
                        lanes, table, work, at, at + 2 * L * v, 2 * v, two, to, to + apart, room
                    )
        _rows_of(maps, start, its_samples, True, offsets)
        _write(lanes, work, samples, its_samples, f, offsets, room)


@jit
def analyse(lanes, counter, maps, table, scale, f, flm, work, suspect):
    v, L, N = width(lanes), table.L, table.N
    given, ordered, planes, turned, samples, room = table.places * v
    a_map, its_samples = 2 * (2 * N - 1) * L * L, table.gammas * table.rings * table.alpha.n
    offsets = np.empty(v, np.int64)
    while True:
        start = next_item(counter) * v
        if start >= maps:
            return
        _rows_of(maps, start, its_samples, False, offsets)
        _read(lanes, f, offsets, its_samples, work, samples)
        if table.gammas == 1:
            step = 2 * v * _padded(table)
            for ring in range(0, table.rings, 2):
                at = samples + ring * table.alpha.n * v
                two = ring + 1 < table.rings
                to = planes + 2 * ring * v
                _from_ring(
                    lanes, table, work, at, at + table.alpha.n * v, two, to, to + 2 * v, step, room
                )
        else:
            for ring in range(table.rings):
                apart = table.rings * table.alpha.n * v
                for g in range(0, table.gammas, 2):
                    at, to = samples + ring * table.alpha.n * v + g * apart, turned + 2 * g * L * v
                    two = g + 1 < table.gammas
                    _from_ring(
                        lanes, table, work, at, at + apart, two, to, to + 2 * L * v, 2 * v, room
                    )
                _from_gamma(lanes, table, work, turned, planes + 2 * ring * v, room)
        _look(lanes, work, planes, table.rings, room, suspect)
        _sums(lanes, table, work, planes, _padded(table), ordered, L, False)
        _disorder(lanes, L, N, scale, work, ordered, given)
        _rows_of(maps, start, a_map, True, offsets)
        _write(lanes, work, given, a_map, flm, offsets, room)


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
        if not (work[spare + i] == 0 and highest(top) < 1e28):
            suspect[0] = 1.0


@jit
def _padded(table):
    return -(-table.rings // BLOCK) * BLOCK


@jit
def _rows_of(maps, start, size, out, offsets):
    """Where the maps of a bundle begin; beyond the last one the last again, or -1: nowhere."""
    for i in range(offsets.size):
        q = start + i
        offsets[i] = q * size if q < maps else (-1 if out else (maps - 1) * size)


@jit
def _read(lanes, source, offsets, count, work, to):
    """Numbers of maps, transposed: the lanes are the maps."""
    v = width(lanes)
    if count < v:
        for i in range(v):
            for j in range(count):
                work[to + j * v + i] = source[offsets[i] + j]
        return
    for j in range(0, count + v - 1, v):
        c = min(j, count - v)
        load_rows(lanes, source, offsets, 0, c, work, to + c * v)


@jit
def _write(lanes, work, at, count, target, offsets, spare):
    v = width(lanes)
    if count < v:
        for i in range(v):
            for j in range(count):
                if offsets[i] >= 0:
                    target[offsets[i] + j] = work[at + j * v + i]
        return
    for j in range(0, count + v - 1, v):
        c = min(j, count - v)
        store_rows(lanes, work, at + c * v, target, offsets, 0, c, work[spare:])


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
                at, count, blocks = at + 2 * v * first, L - first, _padded(table) // BLOCK
            else:  # what is beyond the last degree the next pair overwrites
                to, count, blocks = to + 2 * v * first, table.rings, -(-(L - first) // BLOCK)
            for block in range(blocks):
                here = table.starts[k] + block * count * BLOCK
                _four(lanes, table.values, here, count, work, at, to + 2 * v * block * BLOCK)
            k += 1


@leaf
def _four(lanes, values, here, count, work, at, to):
    """Four sums of complex numbers."""
    v = width(lanes)
    a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = splat(lanes, 0.0)
    for i in range(count):
        re, im = load(lanes, work, at + 2 * v * i), load(lanes, work, at + 2 * v * i + v)
        t = spread(lanes, values, here + 4 * i)
        a0, b0 = a0 + t * re, b0 + t * im
        t = spread(lanes, values, here + 4 * i + 1)
        a1, b1 = a1 + t * re, b1 + t * im
        t = spread(lanes, values, here + 4 * i + 2)
        a2, b2 = a2 + t * re, b2 + t * im
        t = spread(lanes, values, here + 4 * i + 3)
        a3, b3 = a3 + t * re, b3 + t * im
    store(work, to, a0)
    store(work, to + v, b0)
    store(work, to + 2 * v, a1)
    store(work, to + 3 * v, b1)
    store(work, to + 4 * v, a2)
    store(work, to + 5 * v, b2)
    store(work, to + 6 * v, a3)
    store(work, to + 7 * v, b3)


# --- orders and angles -------------------------------------------------------------------------------


@jit
def _pair(table, n, m):
    """Number of the pair (n, m)."""
    return m if n == 0 else table.L + (n - 1) * (2 * table.L - 1) + m + table.L - 1


@jit
def _to_gamma(lanes, table, work, planes, turned, room):
    """F_mn of a ring -> sum_n F_mn e^{i n gamma}, m >= 0, with F_{m,-n} = conj F_{-m,n}."""
    v, L, N, fft = width(lanes), table.L, table.N, table.gamma
    im, step, zero = v * fft.size, 2 * v * _padded(table), splat(lanes, 0.0)
    for m in range(L):
        for n in range(N, fft.n - N + 1):
            store(work, room + n * v, zero)
            store(work, room + im + n * v, zero)
        for n in range(N):
            at = planes + _pair(table, n, m) * step
            store(work, room + n * v, load(lanes, work, at))
            store(work, room + im + n * v, load(lanes, work, at + v))
            if n:
                at = planes + _pair(table, n, -m) * step
                store(work, room + (fft.n - n) * v, load(lanes, work, at))
                store(work, room + im + (fft.n - n) * v, zero - load(lanes, work, at + v))
        re, other = fourier.transform(lanes, work[room:], 1, fft)
        for g in range(fft.n):
            to = turned + 2 * v * (g * L + m)
            store(work, to, load(lanes, work, room + re + g * v))
            store(work, to + v, load(lanes, work, room + other + g * v))


@jit
def _from_gamma(lanes, table, work, turned, planes, room):
    """The transpose of `_to_gamma`."""
    v, L, N, fft = width(lanes), table.L, table.N, table.gamma
    im, step, zero = v * fft.size, 2 * v * _padded(table), splat(lanes, 0.0)
    for m in range(L):
        for g in range(fft.n):
            at = turned + 2 * v * (g * L + m)
            store(work, room + g * v, load(lanes, work, at))
            store(work, room + im + g * v, load(lanes, work, at + v))
        re, other = fourier.transform(lanes, work[room:], 0, fft)
        for n in range(N):
            to = planes + _pair(table, n, m) * step
            store(work, to, load(lanes, work, room + re + n * v))
            store(work, to + v, load(lanes, work, room + other + n * v))
            if n:
                to = planes + _pair(table, n, -m) * step
                store(work, to, load(lanes, work, room + re + (fft.n - n) * v))
                store(work, to + v, zero - load(lanes, work, room + other + (fft.n - n) * v))


@jit
def _to_ring(lanes, table, work, a, b, step, two, to, other, room):
    """Two real rings at a time, as the real and imaginary part of one complex FFT."""
    v, L, fft = width(lanes), table.L, table.alpha
    zi, zero = room + v * fft.size, splat(lanes, 0.0)
    for m in range(L, fft.n - L + 1):
        store(work, room + m * v, zero)
        store(work, zi + m * v, zero)
    for m in range(L):
        ar, ai = load(lanes, work, a + m * step), load(lanes, work, a + m * step + v)
        br = bi = zero
        if two:
            br, bi = load(lanes, work, b + m * step), load(lanes, work, b + m * step + v)
        if m == 0:
            store(work, room, ar)
            store(work, zi, br)
        else:
            k, j = m * v, (fft.n - m) * v
            store(work, room + k, ar - bi)
            store(work, zi + k, ai + br)
            store(work, room + j, ar + bi)
            store(work, zi + j, br - ai)
    re, im = fourier.transform(lanes, work[room:], 1, fft)
    for j in range(0, fft.n * v, v):
        store(work, to + j, load(lanes, work, room + re + j))
        if two:
            store(work, other + j, load(lanes, work, room + im + j))


@jit
def _from_ring(lanes, table, work, a, b, two, to, other, step, room):
    """The transpose of `_to_ring`."""
    v, L, fft = width(lanes), table.L, table.alpha
    zi, half, zero = room + v * fft.size, splat(lanes, 0.5), splat(lanes, 0.0)
    for j in range(0, fft.n * v, v):
        store(work, room + j, load(lanes, work, a + j))
        store(work, zi + j, load(lanes, work, b + j) if two else zero)
    re, im = fourier.transform(lanes, work[room:], 0, fft)
    for m in range(L):
        k, j = room + m * v, room + (fft.n - m if m else 0) * v
        ar, ai = load(lanes, work, re + k), load(lanes, work, im + k)
        br, bi = load(lanes, work, re + j), load(lanes, work, im + j)
        store(work, to + m * step, half * (ar + br))
        store(work, to + m * step + v, half * (ai - bi))
        if two:
            store(work, other + m * step, half * (ai + bi))
            store(work, other + m * step + v, half * (br - ar))
