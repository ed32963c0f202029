"""Butterflies of the lane FFT: one stage of Stockham's decimation in frequency for each radix.

A stage of radix r maps point (q, p + k size/r) to (q, r p + j), for q below the stride and p below size/r,
and multiplies it by the root of unity e^{-2 pi i p j/size}. ``source`` and ``target`` are the offsets of the
real parts in the work array ``w``, and the imaginary parts are at the distance ``imag``. ``roots``: the roots
of the stage, as complex numbers; ``dense``: the cosines and the sines of the sums of an odd radix.

All stages have the same arguments and are called by their address.
"""

import math

from spherekit._core.jit import leaf
from spherekit.kernels.complex_simd import (
    complex_zero,
    load_complex,
    spread_complex,
    store_complex,
    times_i,
)
from spherekit.kernels.simd import splat, spread, width


@leaf
def radix2(lanes, w, source, target, imag, size, stride, radix, roots, dense):
    """Apply a stage of radix 2."""
    v, half = width(lanes), size // 2
    d = stride * half * v
    for p in range(half):
        root = spread_complex(lanes, roots, 2 * p + 1)
        for q in range(stride):
            i, j = source + (q + stride * p) * v, target + (q + stride * 2 * p) * v
            a, b = load_complex(lanes, w, i, imag), load_complex(lanes, w, i + d, imag)
            store_complex(w, j, imag, a + b)
            store_complex(w, j + stride * v, imag, (a - b) * root)


@leaf
def radix4(lanes, w, source, target, imag, size, stride, radix, roots, dense):
    """Apply a stage of radix 4."""
    v, quarter = width(lanes), size // 4
    d, e = stride * quarter * v, stride * v
    for p in range(quarter):
        root1 = spread_complex(lanes, roots, 4 * p + 1)
        root2 = spread_complex(lanes, roots, 4 * p + 2)
        root3 = spread_complex(lanes, roots, 4 * p + 3)
        for q in range(stride):
            i, j = source + (q + stride * p) * v, target + (q + stride * 4 * p) * v
            x0, x1 = load_complex(lanes, w, i, imag), load_complex(lanes, w, i + d, imag)
            x2 = load_complex(lanes, w, i + 2 * d, imag)
            x3 = load_complex(lanes, w, i + 3 * d, imag)
            s02, d02 = x0 + x2, x0 - x2
            s13, d13 = x1 + x3, times_i(x1 - x3)
            store_complex(w, j, imag, s02 + s13)
            store_complex(w, j + e, imag, (d02 - d13) * root1)
            store_complex(w, j + 2 * e, imag, (s02 - s13) * root2)
            store_complex(w, j + 3 * e, imag, (d02 + d13) * root3)


@leaf
def radix8(lanes, w, source, target, imag, size, stride, radix, roots, dense):
    """Apply a stage of radix 8."""
    v, eighth = width(lanes), size // 8
    d, e = stride * eighth * v, stride * v
    half_root = splat(lanes, math.sqrt(0.5))
    for p in range(eighth):
        t = 8 * p
        for q in range(stride):
            i, j = source + (q + stride * p) * v, target + (q + stride * 8 * p) * v
            a, b = load_complex(lanes, w, i, imag), load_complex(lanes, w, i + 4 * d, imag)
            s0, d0 = a + b, a - b
            a = load_complex(lanes, w, i + 2 * d, imag)
            b = load_complex(lanes, w, i + 6 * d, imag)
            s2, d2 = a + b, times_i(a - b)
            a, b = load_complex(lanes, w, i + d, imag), load_complex(lanes, w, i + 5 * d, imag)
            s1, d1 = a + b, a - b
            a = load_complex(lanes, w, i + 3 * d, imag)
            b = load_complex(lanes, w, i + 7 * d, imag)
            s3, d3 = a + b, a - b
            # Even outputs: four points, the sums.
            s02, d02 = s0 + s2, s0 - s2
            s13, d13 = s1 + s3, times_i(s1 - s3)
            store_complex(w, j, imag, s02 + s13)
            root = spread_complex(lanes, roots, t + 4)
            store_complex(w, j + 4 * e, imag, (s02 - s13) * root)
            root = spread_complex(lanes, roots, t + 2)
            store_complex(w, j + 2 * e, imag, (d02 - d13) * root)
            root = spread_complex(lanes, roots, t + 6)
            store_complex(w, j + 6 * e, imag, (d02 + d13) * root)
            # Odd outputs: four points d0, e^{-i pi/4} d1, -i d2, -e^{i pi/4} d3
            d1 = half_root * (d1 - times_i(d1))
            d3 = half_root * (d3 + times_i(d3))
            s02, d02 = d0 - d2, d0 + d2
            s13, d13 = d1 - d3, times_i(d1 + d3)
            root = spread_complex(lanes, roots, t + 1)
            store_complex(w, j + e, imag, (s02 + s13) * root)
            root = spread_complex(lanes, roots, t + 5)
            store_complex(w, j + 5 * e, imag, (s02 - s13) * root)
            root = spread_complex(lanes, roots, t + 3)
            store_complex(w, j + 3 * e, imag, (d02 - d13) * root)
            root = spread_complex(lanes, roots, t + 7)
            store_complex(w, j + 7 * e, imag, (d02 + d13) * root)


@leaf
def radix3(lanes, w, source, target, imag, size, stride, radix, roots, dense):
    """Apply a stage of radix 3."""
    v, third = width(lanes), size // 3
    d, e = stride * third * v, stride * v
    minus_half, sine = splat(lanes, -0.5), splat(lanes, math.sqrt(0.75))
    for p in range(third):
        root1 = spread_complex(lanes, roots, 3 * p + 1)
        root2 = spread_complex(lanes, roots, 3 * p + 2)
        for q in range(stride):
            i, j = source + (q + stride * p) * v, target + (q + stride * 3 * p) * v
            x0, x1 = load_complex(lanes, w, i, imag), load_complex(lanes, w, i + d, imag)
            x2 = load_complex(lanes, w, i + 2 * d, imag)
            s12, d12 = x1 + x2, times_i(sine * (x1 - x2))
            store_complex(w, j, imag, x0 + s12)
            a = x0 + minus_half * s12
            store_complex(w, j + e, imag, (a - d12) * root1)
            store_complex(w, j + 2 * e, imag, (a + d12) * root2)


@leaf
def radix5(lanes, w, source, target, imag, size, stride, radix, roots, dense):
    """Apply a stage of radix 5."""
    v, fifth = width(lanes), size // 5
    d, e = stride * fifth * v, stride * v
    cos1, cos2 = splat(lanes, math.cos(0.4 * math.pi)), splat(lanes, math.cos(0.8 * math.pi))
    sin1, sin2 = splat(lanes, math.sin(0.4 * math.pi)), splat(lanes, math.sin(0.8 * math.pi))
    for p in range(fifth):
        t = 5 * p
        for q in range(stride):
            i, j = source + (q + stride * p) * v, target + (q + stride * 5 * p) * v
            x = load_complex(lanes, w, i, imag)
            a, b = load_complex(lanes, w, i + d, imag), load_complex(lanes, w, i + 4 * d, imag)
            s1, d1 = a + b, a - b
            a = load_complex(lanes, w, i + 2 * d, imag)
            b = load_complex(lanes, w, i + 3 * d, imag)
            s2, d2 = a + b, a - b
            store_complex(w, j, imag, x + (s1 + s2))
            a = x + cos1 * s1 + cos2 * s2
            b = times_i(sin1 * d1 + sin2 * d2)
            root = spread_complex(lanes, roots, t + 1)
            store_complex(w, j + e, imag, (a - b) * root)
            root = spread_complex(lanes, roots, t + 4)
            store_complex(w, j + 4 * e, imag, (a + b) * root)
            a = x + cos2 * s1 + cos1 * s2
            b = times_i(sin2 * d1 - sin1 * d2)
            root = spread_complex(lanes, roots, t + 2)
            store_complex(w, j + 2 * e, imag, (a - b) * root)
            root = spread_complex(lanes, roots, t + 3)
            store_complex(w, j + 3 * e, imag, (a + b) * root)


@leaf
def radix_odd(lanes, w, source, target, imag, size, stride, radix, roots, dense):
    """Apply a stage of any odd radix: sums and differences of points j and -j, with cosines and sines."""
    v, count, half = width(lanes), size // radix, (radix - 1) // 2
    d, e, pairs = stride * count * v, stride * v, 4 * v * size * stride
    for p in range(count):
        t = radix * p
        for q in range(stride):
            i, j = source + (q + stride * p) * v, target + (q + stride * radix * p) * v
            x = load_complex(lanes, w, i, imag)
            total = x
            for k in range(1, half + 1):
                a = load_complex(lanes, w, i + k * d, imag)
                b = load_complex(lanes, w, i + (radix - k) * d, imag)
                total = total + (a + b)
                u = pairs + (k - 1) * 4 * v
                store_complex(w, u, v, a + b)
                store_complex(w, u + 2 * v, v, a - b)
            store_complex(w, j, imag, total)
            for k in range(1, half - 2, 4):
                _four_outputs(lanes, w, pairs, half, k, x, j, e, imag, t, roots, dense)
            for k in range(half - half % 4 + 1, half + 1):
                _one_output(lanes, w, pairs, half, k, x, j, e, imag, t, roots, dense)


@leaf
def _four_outputs(lanes, w, pairs, half, k, x, j, e, imag, t, roots, dense):
    """Compute outputs k to k + 3 and their negatives."""
    v = width(lanes)
    a0 = a1 = a2 = a3 = x
    b0 = b1 = b2 = b3 = complex_zero(lanes)
    cosine = (k - 1) * half
    sine = cosine + half * half
    for n in range(half):
        u = pairs + 4 * v * n
        s, d = load_complex(lanes, w, u, v), load_complex(lanes, w, u + 2 * v, v)
        i = n
        a0 = a0 + spread(lanes, dense, cosine + i) * s
        b0 = b0 + spread(lanes, dense, sine + i) * d
        i += half
        a1 = a1 + spread(lanes, dense, cosine + i) * s
        b1 = b1 + spread(lanes, dense, sine + i) * d
        i += half
        a2 = a2 + spread(lanes, dense, cosine + i) * s
        b2 = b2 + spread(lanes, dense, sine + i) * d
        i += half
        a3 = a3 + spread(lanes, dense, cosine + i) * s
        b3 = b3 + spread(lanes, dense, sine + i) * d
    radix = 2 * half + 1
    _store_pair(lanes, w, j, e, imag, t, roots, k, radix, a0, b0)
    _store_pair(lanes, w, j, e, imag, t, roots, k + 1, radix, a1, b1)
    _store_pair(lanes, w, j, e, imag, t, roots, k + 2, radix, a2, b2)
    _store_pair(lanes, w, j, e, imag, t, roots, k + 3, radix, a3, b3)


@leaf
def _one_output(lanes, w, pairs, half, k, x, j, e, imag, t, roots, dense):
    """Compute outputs k and -k."""
    v = width(lanes)
    a, b = x, complex_zero(lanes)
    cosine = (k - 1) * half
    sine = cosine + half * half
    for n in range(half):
        u = pairs + 4 * v * n
        s, d = load_complex(lanes, w, u, v), load_complex(lanes, w, u + 2 * v, v)
        a = a + spread(lanes, dense, cosine + n) * s
        b = b + spread(lanes, dense, sine + n) * d
    _store_pair(lanes, w, j, e, imag, t, roots, k, 2 * half + 1, a, b)


@leaf
def _store_pair(lanes, w, j, e, imag, t, roots, k, radix, a, b):
    """Store outputs k and -k: a -+ i b."""
    b = times_i(b)
    store_complex(w, j + k * e, imag, (a - b) * spread_complex(lanes, roots, t + k))
    k = radix - k
    store_complex(w, j + k * e, imag, (a + b) * spread_complex(lanes, roots, t + k))
