"""Butterflies of the lane FFT: one stage of Stockham's decimation in frequency for each radix.

A stage of radix r maps point (q, p + k size/r) to (q, r p + j), for q below the stride and p below size/r,
and multiplies it by the root of unity e^{-2 pi i p j/size}. Complex numbers are pairs (re, im) of vectors;
``source`` and ``target`` are the offsets of the planes of real and imaginary parts in the work array ``w``,
and ``at`` is the offset of the twiddles of the stage in ``cos`` and ``sin``.
"""

import math

from spherekit._core.jit import jit, leaf
from spherekit.kernels.simd import load, splat, spread, store, width

# --- complex numbers -----------------------------------------------------------------------------------


@leaf
def add(a, b):
    """Return a + b."""
    return a[0] + b[0], a[1] + b[1]


@leaf
def sub(a, b):
    """Return a - b."""
    return a[0] - b[0], a[1] - b[1]


@leaf
def mul(a, b):
    """Return a b."""
    return a[0] * b[0] - a[1] * b[1], a[1] * b[0] + a[0] * b[1]


@leaf
def times_i(a):
    """Return i a."""
    return -a[1], a[0]


@leaf
def scale(x, a):
    """Return x a for real x."""
    return x * a[0], x * a[1]


@leaf
def _load(lanes, w, source, at):
    return load(lanes, w, source[0] + at), load(lanes, w, source[1] + at)


@leaf
def _store(w, target, at, a):
    store(w, target[0] + at, a[0])
    store(w, target[1] + at, a[1])


@leaf
def _root(lanes, cos, sin, k):
    return spread(lanes, cos, k), spread(lanes, sin, k)


# --- stages ----------------------------------------------------------------------------------------------


@jit
def radix2(lanes, w, size, stride, source, target, cos, sin, at):
    """Apply a stage of radix 2."""
    v, half = width(lanes), size // 2
    d = stride * half * v
    for p in range(half):
        root = _root(lanes, cos, sin, at + 2 * p + 1)
        for q in range(stride):
            i, j = (q + stride * p) * v, (q + stride * 2 * p) * v
            a, b = _load(lanes, w, source, i), _load(lanes, w, source, i + d)
            _store(w, target, j, add(a, b))
            _store(w, target, j + stride * v, mul(sub(a, b), root))


@jit
def radix4(lanes, w, size, stride, source, target, cos, sin, at):
    """Apply a stage of radix 4."""
    v, quarter = width(lanes), size // 4
    d, e = stride * quarter * v, stride * v
    for p in range(quarter):
        t = at + 4 * p
        root1 = _root(lanes, cos, sin, t + 1)
        root2 = _root(lanes, cos, sin, t + 2)
        root3 = _root(lanes, cos, sin, t + 3)
        for q in range(stride):
            i, j = (q + stride * p) * v, (q + stride * 4 * p) * v
            x0, x1 = _load(lanes, w, source, i), _load(lanes, w, source, i + d)
            x2, x3 = _load(lanes, w, source, i + 2 * d), _load(lanes, w, source, i + 3 * d)
            s02, d02 = add(x0, x2), sub(x0, x2)
            s13, d13 = add(x1, x3), times_i(sub(x1, x3))
            _store(w, target, j, add(s02, s13))
            _store(w, target, j + e, mul(sub(d02, d13), root1))
            _store(w, target, j + 2 * e, mul(sub(s02, s13), root2))
            _store(w, target, j + 3 * e, mul(add(d02, d13), root3))


@jit
def radix8(lanes, w, size, stride, source, target, cos, sin, at):
    """Apply a stage of radix 8."""
    v, eighth = width(lanes), size // 8
    d, e = stride * eighth * v, stride * v
    half_root = splat(lanes, math.sqrt(0.5))
    for p in range(eighth):
        t = at + 8 * p
        for q in range(stride):
            i, j = (q + stride * p) * v, (q + stride * 8 * p) * v
            a, b = _load(lanes, w, source, i), _load(lanes, w, source, i + 4 * d)
            s0, d0 = add(a, b), sub(a, b)
            a, b = _load(lanes, w, source, i + 2 * d), _load(lanes, w, source, i + 6 * d)
            s2, d2 = add(a, b), times_i(sub(a, b))
            a, b = _load(lanes, w, source, i + d), _load(lanes, w, source, i + 5 * d)
            s1, d1 = add(a, b), sub(a, b)
            a, b = _load(lanes, w, source, i + 3 * d), _load(lanes, w, source, i + 7 * d)
            s3, d3 = add(a, b), sub(a, b)
            # Even outputs: four points, the sums.
            s02, d02 = add(s0, s2), sub(s0, s2)
            s13, d13 = add(s1, s3), times_i(sub(s1, s3))
            _store(w, target, j, add(s02, s13))
            _store(w, target, j + 4 * e, mul(sub(s02, s13), _root(lanes, cos, sin, t + 4)))
            _store(w, target, j + 2 * e, mul(sub(d02, d13), _root(lanes, cos, sin, t + 2)))
            _store(w, target, j + 6 * e, mul(add(d02, d13), _root(lanes, cos, sin, t + 6)))
            # Odd outputs: four points d0, e^{-i pi/4} d1, -i d2, -e^{i pi/4} d3
            d1 = scale(half_root, sub(d1, times_i(d1)))
            d3 = scale(half_root, add(d3, times_i(d3)))
            s02, d02 = sub(d0, d2), add(d0, d2)
            s13, d13 = sub(d1, d3), times_i(add(d1, d3))
            _store(w, target, j + e, mul(add(s02, s13), _root(lanes, cos, sin, t + 1)))
            _store(w, target, j + 5 * e, mul(sub(s02, s13), _root(lanes, cos, sin, t + 5)))
            _store(w, target, j + 3 * e, mul(sub(d02, d13), _root(lanes, cos, sin, t + 3)))
            _store(w, target, j + 7 * e, mul(add(d02, d13), _root(lanes, cos, sin, t + 7)))


@jit
def radix3(lanes, w, size, stride, source, target, cos, sin, at):
    """Apply a stage of radix 3."""
    v, third = width(lanes), size // 3
    d, e = stride * third * v, stride * v
    minus_half, sine = splat(lanes, -0.5), splat(lanes, math.sqrt(0.75))
    for p in range(third):
        root1 = _root(lanes, cos, sin, at + 3 * p + 1)
        root2 = _root(lanes, cos, sin, at + 3 * p + 2)
        for q in range(stride):
            i, j = (q + stride * p) * v, (q + stride * 3 * p) * v
            x0, x1 = _load(lanes, w, source, i), _load(lanes, w, source, i + d)
            x2 = _load(lanes, w, source, i + 2 * d)
            s12, d12 = add(x1, x2), times_i(scale(sine, sub(x1, x2)))
            _store(w, target, j, add(x0, s12))
            a = add(x0, scale(minus_half, s12))
            _store(w, target, j + e, mul(sub(a, d12), root1))
            _store(w, target, j + 2 * e, mul(add(a, d12), root2))


@jit
def radix5(lanes, w, size, stride, source, target, cos, sin, at):
    """Apply a stage of radix 5."""
    v, fifth = width(lanes), size // 5
    d, e = stride * fifth * v, stride * v
    cos1, cos2 = splat(lanes, math.cos(0.4 * math.pi)), splat(lanes, math.cos(0.8 * math.pi))
    sin1, sin2 = splat(lanes, math.sin(0.4 * math.pi)), splat(lanes, math.sin(0.8 * math.pi))
    for p in range(fifth):
        t = at + 5 * p
        for q in range(stride):
            i, j = (q + stride * p) * v, (q + stride * 5 * p) * v
            x = _load(lanes, w, source, i)
            a, b = _load(lanes, w, source, i + d), _load(lanes, w, source, i + 4 * d)
            s1, d1 = add(a, b), sub(a, b)
            a, b = _load(lanes, w, source, i + 2 * d), _load(lanes, w, source, i + 3 * d)
            s2, d2 = add(a, b), sub(a, b)
            _store(w, target, j, add(x, add(s1, s2)))
            a = add(add(x, scale(cos1, s1)), scale(cos2, s2))
            b = times_i(add(scale(sin1, d1), scale(sin2, d2)))
            _store(w, target, j + e, mul(sub(a, b), _root(lanes, cos, sin, t + 1)))
            _store(w, target, j + 4 * e, mul(add(a, b), _root(lanes, cos, sin, t + 4)))
            a = add(add(x, scale(cos2, s1)), scale(cos1, s2))
            b = times_i(sub(scale(sin2, d1), scale(sin1, d2)))
            _store(w, target, j + 2 * e, mul(sub(a, b), _root(lanes, cos, sin, t + 2)))
            _store(w, target, j + 3 * e, mul(add(a, b), _root(lanes, cos, sin, t + 3)))


@jit
def radix_odd(lanes, w, size, stride, radix, source, target, fft, f):
    """Apply a stage of any odd radix: sums and differences of points j and -j, with cosines and sines."""
    v, count, half = width(lanes), size // radix, (radix - 1) // 2
    d, e, pairs = stride * count * v, stride * v, 4 * v * fft.size
    for p in range(count):
        t = fft.starts[f] + radix * p
        for q in range(stride):
            i, j = (q + stride * p) * v, (q + stride * radix * p) * v
            x = _load(lanes, w, source, i)
            total = x
            for k in range(1, half + 1):
                a = _load(lanes, w, source, i + k * d)
                b = _load(lanes, w, source, i + (radix - k) * d)
                total = add(total, add(a, b))
                u = pairs + (k - 1) * 4 * v
                _store(w, (u, u + v), 0, add(a, b))
                _store(w, (u, u + v), 2 * v, sub(a, b))
            _store(w, target, j, total)
            for k in range(1, half - 2, 4):
                _four_outputs(lanes, w, pairs, half, k, x, target, j, e, t, fft, f)
            for k in range(half - half % 4 + 1, half + 1):
                _one_output(lanes, w, pairs, half, k, x, target, j, e, t, fft, f)


@jit
def _four_outputs(lanes, w, pairs, half, k, x, target, j, e, t, fft, f):
    """Compute outputs k to k + 3 and their negatives."""
    v, dense, zero = width(lanes), fft.dense, splat(lanes, 0.0)
    a0 = a1 = a2 = a3 = x
    b0 = b1 = b2 = b3 = zero, zero
    cosine = fft.dense_starts[f] + (k - 1) * half
    sine = cosine + half * half
    for n in range(half):
        u = pairs + 4 * v * n
        s, d = _load(lanes, w, (u, u + v), 0), _load(lanes, w, (u, u + v), 2 * v)
        i = n
        a0 = add(a0, scale(spread(lanes, dense, cosine + i), s))
        b0 = add(b0, scale(spread(lanes, dense, sine + i), d))
        i += half
        a1 = add(a1, scale(spread(lanes, dense, cosine + i), s))
        b1 = add(b1, scale(spread(lanes, dense, sine + i), d))
        i += half
        a2 = add(a2, scale(spread(lanes, dense, cosine + i), s))
        b2 = add(b2, scale(spread(lanes, dense, sine + i), d))
        i += half
        a3 = add(a3, scale(spread(lanes, dense, cosine + i), s))
        b3 = add(b3, scale(spread(lanes, dense, sine + i), d))
    radix = 2 * half + 1
    _store_pair(lanes, w, target, j, e, t, fft, k, radix, a0, b0)
    _store_pair(lanes, w, target, j, e, t, fft, k + 1, radix, a1, b1)
    _store_pair(lanes, w, target, j, e, t, fft, k + 2, radix, a2, b2)
    _store_pair(lanes, w, target, j, e, t, fft, k + 3, radix, a3, b3)


@jit
def _one_output(lanes, w, pairs, half, k, x, target, j, e, t, fft, f):
    """Compute outputs k and -k."""
    v, dense, zero = width(lanes), fft.dense, splat(lanes, 0.0)
    a, b = x, (zero, zero)
    cosine = fft.dense_starts[f] + (k - 1) * half
    sine = cosine + half * half
    for n in range(half):
        u = pairs + 4 * v * n
        s, d = _load(lanes, w, (u, u + v), 0), _load(lanes, w, (u, u + v), 2 * v)
        a = add(a, scale(spread(lanes, dense, cosine + n), s))
        b = add(b, scale(spread(lanes, dense, sine + n), d))
    _store_pair(lanes, w, target, j, e, t, fft, k, 2 * half + 1, a, b)


@jit
def _store_pair(lanes, w, target, j, e, t, fft, k, radix, a, b):
    """Store outputs k and -k: a -+ i b."""
    b = times_i(b)
    _store(w, target, j + k * e, mul(sub(a, b), _root(lanes, fft.cos, fft.sin, t + k)))
    k = radix - k
    _store(w, target, j + k * e, mul(add(a, b), _root(lanes, fft.cos, fft.sin, t + k)))
