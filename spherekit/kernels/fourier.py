"""Fourier transforms of SIMD lanes: eight complex signals of one length at a time.

    X_k = sum_j x_j e^{-2 pi i j k / n}

by Stockham's decimation in frequency with butterflies of 8, 4, 2, 3 and 5, dense ones for other primes, and
Bluestein's convolution where a prime is large. A signal set lies in a work array as planes of real and
imaginary parts, point by point, the lanes of a point side by side; real signals travel two by two, as the
real and imaginary part of one lane.
"""

import math
from collections import namedtuple
from functools import lru_cache

import numpy as np
from scipy import fft as scipy_fft

from spherekit._jit import jit
from spherekit.kernels.simd import load, splat, spread, store, width

#: Tables of length n. ``size``: points of the butterflies, n or Bluestein's longer length; ``factors``, and
#: per factor where its twiddles (``cos``, ``sin``) and dense matrices begin; ``chirp``: empty, or Bluestein's
#: factors e^{-pi i j^2/n} and the transform of their inverse, as real and imaginary parts.
Fourier = namedtuple("Fourier", "n size factors starts cos sin dense_starts dense chirp filter")

#: Primes up to this are summed directly: the sums run near the arithmetic limit of the machine.
_LARGEST_DENSE = 193


@lru_cache(maxsize=64)
def tables(n):
    """The tables of length n."""
    factors = _factors(n)
    if max(factors, default=1) <= _LARGEST_DENSE:
        return Fourier(n, n, *_butterflies(n, factors), np.empty(0), np.empty(0))
    size = scipy_fft.next_fast_len(2 * n - 1)
    j = np.arange(n)
    chirp = _roots(-(j * j) % (2 * n), 2 * n)
    kernel = np.zeros(size, complex)
    kernel[:n] = kernel[-n + 1 or size :][::-1] = 0
    kernel[j] = chirp.conj()
    kernel[-j[1:]] = chirp[1:].conj()
    response = np.fft.fft(kernel) / size
    parts = (np.concatenate([z.real, z.imag]) for z in (chirp, response))
    return Fourier(n, size, *_butterflies(size, _factors(size)), *parts)


@jit
def work_size(lanes_width, fft):
    """Length of the work array: two planes before and after each step, and the dense sums."""
    return lanes_width * (
        4 * fft.size + 2 * max(1, fft.factors.max() if fft.factors.size else 1) + 2
    )


def _factors(n):
    """Odd primes descending, then 2 or 4, then 8s."""
    odd, twos, p = [], 0, 3
    while n % 2 == 0:
        n, twos = n // 2, twos + 1
    while n > 1:
        while n % p == 0:
            n //= p
            odd.append(p)
        p = p + 2 if p * p <= n else max(n, p + 2)
    few = {0: [], 1: [4, 4] if twos > 1 else [2], 2: [4]}[twos % 3]
    eights = twos // 3 - (len(few) == 2)
    return sorted(odd, reverse=True) + few + [8] * eights


def _roots(k, n):
    """e^{2 pi i k / n} for integers 0 <= k < n, each to the last digit: angles below pi/4 only."""
    octant, rest = np.divmod(8 * k, n)
    flip = octant % 2 == 1
    angle = (2 * np.pi / (8 * n)) * np.where(flip, n - rest, rest)
    c, s = np.cos(angle), np.sin(angle)
    c, s = np.where(flip, s, c), np.where(flip, c, s)
    # odd octants measure back from the next quarter: (c, s) is the angle within its quarter
    return (c + 1j * s) * np.array([1, 1j, -1, -1j])[octant // 2]


def _butterflies(n, factors):
    starts, roots, dense_starts, dense, size = [], [], [], [], n
    at = dense_at = 0
    for factor in factors:
        p, j = np.arange(size // factor)[:, None], np.arange(factor)
        twiddles = _roots((-p * j) % size, size).ravel()
        starts.append(at)
        roots.append(twiddles)
        at += twiddles.size
        half = np.arange(1, (factor + 1) // 2)
        matrix = _roots(half[:, None] * half % factor, factor) if factor % 2 else np.empty((0, 0))
        dense_starts.append(dense_at)
        dense += [matrix.real.ravel(), matrix.imag.ravel()]
        dense_at += 2 * matrix.size
        size //= factor
    roots = np.concatenate([*roots, [0j]])
    integers = (np.array(x, np.int64) for x in (factors, starts))
    cos, sin = np.ascontiguousarray(roots.real), np.ascontiguousarray(roots.imag)
    dense = np.concatenate([*dense, [0.0]])
    return *integers, cos, sin, np.array(dense_starts, np.int64), dense


# --- transforms --------------------------------------------------------------------------------------


@jit
def transform(lanes, work, back, fft):
    """Transform the planes at the head of ``work``; returns where (real, imaginary) parts now begin.

    ``back`` exchanges the two, which gives sum_j x_j e^{+2 pi i j k/n}.
    """
    plane = width(lanes) * fft.size
    re, im = plane * back, plane * (1 - back)
    if fft.chirp.size:
        re, im = _bluestein(lanes, work, re, im, fft)
    else:
        re, im = _stages(lanes, work, re, im, re + 2 * plane, im + 2 * plane, fft)
    return (im, re) if back else (re, im)


@jit
def _stages(lanes, w, re, im, re2, im2, fft):
    size = fft.size
    for f in range(fft.factors.size):
        radix, at, stride = fft.factors[f], fft.starts[f], fft.size // size
        if radix == 8:
            _radix8(lanes, w, size, stride, re, im, re2, im2, fft.cos, fft.sin, at)
        elif radix == 4:
            _radix4(lanes, w, size, stride, re, im, re2, im2, fft.cos, fft.sin, at)
        elif radix == 2:
            _radix2(lanes, w, size, stride, re, im, re2, im2, fft.cos, fft.sin, at)
        elif radix == 3:
            _radix3(lanes, w, size, stride, re, im, re2, im2, fft.cos, fft.sin, at)
        elif radix == 5:
            _radix5(lanes, w, size, stride, re, im, re2, im2, fft.cos, fft.sin, at)
        else:
            _radix_odd(lanes, w, size, stride, radix, re, im, re2, im2, fft, f)
        re, im, re2, im2 = re2, im2, re, im
        size //= radix
    return re, im


@jit
def _bluestein(lanes, w, re, im, fft):
    """jk = (j^2 + k^2 - (k-j)^2)/2 turns the sum into a convolution of length ``size``."""
    v, n, plane = width(lanes), fft.n, width(lanes) * fft.size
    _multiply(lanes, w, re, im, fft.chirp, n)
    zero = splat(lanes, 0.0)
    for i in range(n, fft.size):
        store(w, re + i * v, zero)
        store(w, im + i * v, zero)
    r, i = _stages(lanes, w, re, im, re + 2 * plane, im + 2 * plane, fft)
    _multiply(lanes, w, r, i, fft.filter, fft.size)
    other = 2 * plane if r == re else -2 * plane
    i, r = _stages(lanes, w, i, r, i + other, r + other, fft)
    _multiply(lanes, w, r, i, fft.chirp, n)
    return r, i


@jit
def _multiply(lanes, w, re, im, factors, n):
    v = width(lanes)
    half = factors.size // 2
    for k in range(n):
        c, s = spread(lanes, factors, k), spread(lanes, factors, half + k)
        a, b = load(lanes, w, re + k * v), load(lanes, w, im + k * v)
        store(w, re + k * v, a * c - b * s)
        store(w, im + k * v, b * c + a * s)


# --- butterflies: (q, p + k size/radix) -> (q, radix p + j), times e^{-2 pi i p j/size} ----------------


@jit
def _put(w, re, im, at, r, i, c, s):
    """Store (r + i i)(c + i s)."""
    store(w, re + at, r * c - i * s)
    store(w, im + at, i * c + r * s)


@jit
def _radix2(lanes, w, size, stride, re, im, re2, im2, cos, sin, at):
    v, half = width(lanes), size // 2
    d = stride * half * v
    for p in range(half):
        c1, s1 = spread(lanes, cos, at + 2 * p + 1), spread(lanes, sin, at + 2 * p + 1)
        for q in range(stride):
            i, j = (q + stride * p) * v, (q + stride * 2 * p) * v
            ar, ai = load(lanes, w, re + i), load(lanes, w, im + i)
            br, bi = load(lanes, w, re + i + d), load(lanes, w, im + i + d)
            store(w, re2 + j, ar + br)
            store(w, im2 + j, ai + bi)
            _put(w, re2, im2, j + stride * v, ar - br, ai - bi, c1, s1)


@jit
def _radix4(lanes, w, size, stride, re, im, re2, im2, cos, sin, at):
    v, quarter = width(lanes), size // 4
    d, e = stride * quarter * v, stride * v
    for p in range(quarter):
        t = at + 4 * p
        c1, s1 = spread(lanes, cos, t + 1), spread(lanes, sin, t + 1)
        c2, s2 = spread(lanes, cos, t + 2), spread(lanes, sin, t + 2)
        c3, s3 = spread(lanes, cos, t + 3), spread(lanes, sin, t + 3)
        for q in range(stride):
            i, j = (q + stride * p) * v, (q + stride * 4 * p) * v
            ar, ai = load(lanes, w, re + i), load(lanes, w, im + i)
            br, bi = load(lanes, w, re + i + d), load(lanes, w, im + i + d)
            cr, ci = load(lanes, w, re + i + 2 * d), load(lanes, w, im + i + 2 * d)
            dr, di = load(lanes, w, re + i + 3 * d), load(lanes, w, im + i + 3 * d)
            er, ei, fr, fi = ar + cr, ai + ci, ar - cr, ai - ci
            gr, gi, hr, hi = br + dr, bi + di, br - dr, bi - di
            store(w, re2 + j, er + gr)
            store(w, im2 + j, ei + gi)
            _put(w, re2, im2, j + e, fr + hi, fi - hr, c1, s1)
            _put(w, re2, im2, j + 2 * e, er - gr, ei - gi, c2, s2)
            _put(w, re2, im2, j + 3 * e, fr - hi, fi + hr, c3, s3)


@jit
def _radix8(lanes, w, size, stride, re, im, re2, im2, cos, sin, at):
    v, eighth = width(lanes), size // 8
    d, e = stride * eighth * v, stride * v
    g = splat(lanes, math.sqrt(0.5))
    for p in range(eighth):
        t = at + 8 * p
        for q in range(stride):
            i, j = (q + stride * p) * v, (q + stride * 8 * p) * v
            ar, ai = load(lanes, w, re + i), load(lanes, w, im + i)
            br, bi = load(lanes, w, re + i + 4 * d), load(lanes, w, im + i + 4 * d)
            s0r, s0i, d0r, d0i = ar + br, ai + bi, ar - br, ai - bi
            ar, ai = load(lanes, w, re + i + 2 * d), load(lanes, w, im + i + 2 * d)
            br, bi = load(lanes, w, re + i + 6 * d), load(lanes, w, im + i + 6 * d)
            s2r, s2i, d2r, d2i = ar + br, ai + bi, ar - br, ai - bi
            ar, ai = load(lanes, w, re + i + d), load(lanes, w, im + i + d)
            br, bi = load(lanes, w, re + i + 5 * d), load(lanes, w, im + i + 5 * d)
            s1r, s1i, d1r, d1i = ar + br, ai + bi, ar - br, ai - bi
            ar, ai = load(lanes, w, re + i + 3 * d), load(lanes, w, im + i + 3 * d)
            br, bi = load(lanes, w, re + i + 7 * d), load(lanes, w, im + i + 7 * d)
            s3r, s3i, d3r, d3i = ar + br, ai + bi, ar - br, ai - bi
            # even outputs: four points of the sums
            er, ei, fr, fi = s0r + s2r, s0i + s2i, s0r - s2r, s0i - s2i
            gr, gi, hr, hi = s1r + s3r, s1i + s3i, s1r - s3r, s1i - s3i
            store(w, re2 + j, er + gr)
            store(w, im2 + j, ei + gi)
            c, s = spread(lanes, cos, t + 4), spread(lanes, sin, t + 4)
            _put(w, re2, im2, j + 4 * e, er - gr, ei - gi, c, s)
            c, s = spread(lanes, cos, t + 2), spread(lanes, sin, t + 2)
            _put(w, re2, im2, j + 2 * e, fr + hi, fi - hr, c, s)
            c, s = spread(lanes, cos, t + 6), spread(lanes, sin, t + 6)
            _put(w, re2, im2, j + 6 * e, fr - hi, fi + hr, c, s)
            # odd outputs: d0, e^{-i pi/4} d1, -i d2, e^{-3 i pi/4} d3
            m1r, m1i = g * (d1r + d1i), g * (d1i - d1r)
            m3r, m3i = g * (d3i - d3r), g * (d3r + d3i)
            pr, pi, qr, qi = d0r + d2i, d0i - d2r, d0r - d2i, d0i + d2r
            ur, ui, vr, vi = m1r + m3r, m1i - m3i, m1r - m3r, m1i + m3i
            c, s = spread(lanes, cos, t + 1), spread(lanes, sin, t + 1)
            _put(w, re2, im2, j + e, pr + ur, pi + ui, c, s)
            c, s = spread(lanes, cos, t + 5), spread(lanes, sin, t + 5)
            _put(w, re2, im2, j + 5 * e, pr - ur, pi - ui, c, s)
            c, s = spread(lanes, cos, t + 3), spread(lanes, sin, t + 3)
            _put(w, re2, im2, j + 3 * e, qr + vi, qi - vr, c, s)
            c, s = spread(lanes, cos, t + 7), spread(lanes, sin, t + 7)
            _put(w, re2, im2, j + 7 * e, qr - vi, qi + vr, c, s)


@jit
def _radix3(lanes, w, size, stride, re, im, re2, im2, cos, sin, at):
    v, third = width(lanes), size // 3
    d, e = stride * third * v, stride * v
    half, root = splat(lanes, -0.5), splat(lanes, math.sqrt(0.75))
    for p in range(third):
        t = at + 3 * p
        c1, s1 = spread(lanes, cos, t + 1), spread(lanes, sin, t + 1)
        c2, s2 = spread(lanes, cos, t + 2), spread(lanes, sin, t + 2)
        for q in range(stride):
            i, j = (q + stride * p) * v, (q + stride * 3 * p) * v
            ar, ai = load(lanes, w, re + i), load(lanes, w, im + i)
            br, bi = load(lanes, w, re + i + d), load(lanes, w, im + i + d)
            cr, ci = load(lanes, w, re + i + 2 * d), load(lanes, w, im + i + 2 * d)
            tr, ti = br + cr, bi + ci
            ur, ui = root * (br - cr), root * (bi - ci)
            store(w, re2 + j, ar + tr)
            store(w, im2 + j, ai + ti)
            ar, ai = ar + half * tr, ai + half * ti
            _put(w, re2, im2, j + e, ar + ui, ai - ur, c1, s1)
            _put(w, re2, im2, j + 2 * e, ar - ui, ai + ur, c2, s2)


@jit
def _radix5(lanes, w, size, stride, re, im, re2, im2, cos, sin, at):
    v, fifth = width(lanes), size // 5
    d, e = stride * fifth * v, stride * v
    a1, a2 = splat(lanes, math.cos(0.4 * math.pi)), splat(lanes, math.cos(0.8 * math.pi))
    b1, b2 = splat(lanes, math.sin(0.4 * math.pi)), splat(lanes, math.sin(0.8 * math.pi))
    for p in range(fifth):
        t = at + 5 * p
        for q in range(stride):
            i, j = (q + stride * p) * v, (q + stride * 5 * p) * v
            xr, xi = load(lanes, w, re + i), load(lanes, w, im + i)
            ar, ai = load(lanes, w, re + i + d), load(lanes, w, im + i + d)
            br, bi = load(lanes, w, re + i + 4 * d), load(lanes, w, im + i + 4 * d)
            t1r, t1i, d1r, d1i = ar + br, ai + bi, ar - br, ai - bi
            ar, ai = load(lanes, w, re + i + 2 * d), load(lanes, w, im + i + 2 * d)
            br, bi = load(lanes, w, re + i + 3 * d), load(lanes, w, im + i + 3 * d)
            t2r, t2i, d2r, d2i = ar + br, ai + bi, ar - br, ai - bi
            store(w, re2 + j, xr + (t1r + t2r))
            store(w, im2 + j, xi + (t1i + t2i))
            m1r, m1i = xr + a1 * t1r + a2 * t2r, xi + a1 * t1i + a2 * t2i
            m2r, m2i = xr + a2 * t1r + a1 * t2r, xi + a2 * t1i + a1 * t2i
            n1r, n1i = b1 * d1r + b2 * d2r, b1 * d1i + b2 * d2i
            n2r, n2i = b2 * d1r - b1 * d2r, b2 * d1i - b1 * d2i
            c, s = spread(lanes, cos, t + 1), spread(lanes, sin, t + 1)
            _put(w, re2, im2, j + e, m1r + n1i, m1i - n1r, c, s)
            c, s = spread(lanes, cos, t + 4), spread(lanes, sin, t + 4)
            _put(w, re2, im2, j + 4 * e, m1r - n1i, m1i + n1r, c, s)
            c, s = spread(lanes, cos, t + 2), spread(lanes, sin, t + 2)
            _put(w, re2, im2, j + 2 * e, m2r + n2i, m2i - n2r, c, s)
            c, s = spread(lanes, cos, t + 3), spread(lanes, sin, t + 3)
            _put(w, re2, im2, j + 3 * e, m2r - n2i, m2i + n2r, c, s)


@jit
def _radix_odd(lanes, w, size, stride, radix, re, im, re2, im2, fft, f):
    """Any odd radix: sums and differences of the points j and -j against cosines and sines."""
    v, part, half = width(lanes), size // radix, (radix - 1) // 2
    d, e, kept = stride * part * v, stride * v, 4 * v * fft.size
    dc = fft.dense_starts[f]
    ds = dc + half * half
    for p in range(part):
        t = fft.starts[f] + radix * p
        for q in range(stride):
            i, j = (q + stride * p) * v, (q + stride * radix * p) * v
            xr, xi = load(lanes, w, re + i), load(lanes, w, im + i)
            sr, si = xr, xi
            for k in range(1, half + 1):
                a, b = i + k * d, i + (radix - k) * d
                ar, ai = load(lanes, w, re + a), load(lanes, w, im + a)
                br, bi = load(lanes, w, re + b), load(lanes, w, im + b)
                sr, si = sr + (ar + br), si + (ai + bi)
                u = kept + (k - 1) * 4 * v
                store(w, u, ar + br)
                store(w, u + v, ai + bi)
                store(w, u + 2 * v, ar - br)
                store(w, u + 3 * v, ai - bi)
            store(w, re2 + j, sr)
            store(w, im2 + j, si)
            for k in range(1, half - 2, 4):
                _four_outputs(
                    lanes, w, kept, half, dc, ds, k, radix, xr, xi, re2, im2, j, e, t, fft
                )
            for k in range(half - half % 4 + 1, half + 1):
                _one_output(lanes, w, kept, half, dc, ds, k, radix, xr, xi, re2, im2, j, e, t, fft)


@jit
def _four_outputs(lanes, w, kept, half, dc, ds, k, radix, xr, xi, re2, im2, j, e, t, fft):
    v, dense = width(lanes), fft.dense
    a0r = a1r = a2r = a3r = xr
    a0i = a1i = a2i = a3i = xi
    b0r = b1r = b2r = b3r = b0i = b1i = b2i = b3i = splat(lanes, 0.0)
    row = (k - 1) * half
    for n in range(half):
        u = kept + 4 * v * n
        tr, ti = load(lanes, w, u), load(lanes, w, u + v)
        dr, di = load(lanes, w, u + 2 * v), load(lanes, w, u + 3 * v)
        at = row + n
        c, s = spread(lanes, dense, dc + at), spread(lanes, dense, ds + at)
        a0r, a0i, b0r, b0i = a0r + tr * c, a0i + ti * c, b0r + dr * s, b0i + di * s
        at += half
        c, s = spread(lanes, dense, dc + at), spread(lanes, dense, ds + at)
        a1r, a1i, b1r, b1i = a1r + tr * c, a1i + ti * c, b1r + dr * s, b1i + di * s
        at += half
        c, s = spread(lanes, dense, dc + at), spread(lanes, dense, ds + at)
        a2r, a2i, b2r, b2i = a2r + tr * c, a2i + ti * c, b2r + dr * s, b2i + di * s
        at += half
        c, s = spread(lanes, dense, dc + at), spread(lanes, dense, ds + at)
        a3r, a3i, b3r, b3i = a3r + tr * c, a3i + ti * c, b3r + dr * s, b3i + di * s
    _put_pair(lanes, w, re2, im2, j, e, t, fft, k, radix, a0r, a0i, b0r, b0i)
    _put_pair(lanes, w, re2, im2, j, e, t, fft, k + 1, radix, a1r, a1i, b1r, b1i)
    _put_pair(lanes, w, re2, im2, j, e, t, fft, k + 2, radix, a2r, a2i, b2r, b2i)
    _put_pair(lanes, w, re2, im2, j, e, t, fft, k + 3, radix, a3r, a3i, b3r, b3i)


@jit
def _one_output(lanes, w, kept, half, dc, ds, k, radix, xr, xi, re2, im2, j, e, t, fft):
    v, dense = width(lanes), fft.dense
    ar, ai = xr, xi
    br = bi = splat(lanes, 0.0)
    row = (k - 1) * half
    for n in range(half):
        u = kept + 4 * v * n
        c, s = spread(lanes, dense, dc + row + n), spread(lanes, dense, ds + row + n)
        ar, ai = ar + load(lanes, w, u) * c, ai + load(lanes, w, u + v) * c
        br, bi = br + load(lanes, w, u + 2 * v) * s, bi + load(lanes, w, u + 3 * v) * s
    _put_pair(lanes, w, re2, im2, j, e, t, fft, k, radix, ar, ai, br, bi)


@jit
def _put_pair(lanes, w, re2, im2, j, e, t, fft, k, radix, ar, ai, br, bi):
    """Outputs k and -k: A -+ i B."""
    c, s = spread(lanes, fft.cos, t + k), spread(lanes, fft.sin, t + k)
    _put(w, re2, im2, j + k * e, ar + bi, ai - br, c, s)
    k = radix - k
    c, s = spread(lanes, fft.cos, t + k), spread(lanes, fft.sin, t + k)
    _put(w, re2, im2, j + k * e, ar - bi, ai + br, c, s)
