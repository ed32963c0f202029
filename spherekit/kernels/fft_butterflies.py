"""Butterflies of the lane FFT: one stage of Stockham's decimation in frequency each.

A stage of radix r takes point (q, p + k size/r) to (q, r p + j), for q below the stride and p below size/r,
times e^{-2 pi i p j/size}. ``re, im -> re2, im2`` are where the planes begin in the work array ``w``.
"""

import math

from spherekit._core.jit import jit
from spherekit.kernels.simd import load, splat, spread, store, width


@jit
def _put(w, re, im, at, r, i, c, s):
    """Store (r + i i)(c + i s)."""
    store(w, re + at, r * c - i * s)
    store(w, im + at, i * c + r * s)


@jit
def radix2(lanes, w, size, stride, re, im, re2, im2, cos, sin, at):
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
def radix4(lanes, w, size, stride, re, im, re2, im2, cos, sin, at):
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
def radix8(lanes, w, size, stride, re, im, re2, im2, cos, sin, at):
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
def radix3(lanes, w, size, stride, re, im, re2, im2, cos, sin, at):
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
def radix5(lanes, w, size, stride, re, im, re2, im2, cos, sin, at):
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
def radix_odd(lanes, w, size, stride, radix, re, im, re2, im2, fft, f):
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
