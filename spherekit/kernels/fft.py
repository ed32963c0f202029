"""Fourier transforms of SIMD lanes: each lane contains one complex signal.

    X_k = sum_j x_j e^{-2 pi i j k / n}

Stockham's decimation in frequency with butterflies of radix 8, 4, 2, 3 and 5, dense butterflies for other
primes, and Bluestein's convolution where a prime factor is large. A set of signals is stored in a work array
as a plane of real parts and a plane of imaginary parts, point by point, with the lanes of a point adjacent.
Two real signals form the real and the imaginary part of one lane.
"""

from collections import namedtuple
from functools import lru_cache

import numpy as np

from spherekit._core.fft_lengths import next_fast_length
from spherekit._core.jit import jit
from spherekit.kernels.fft_butterflies import radix2, radix3, radix4, radix5, radix8, radix_odd
from spherekit.kernels.simd import load, splat, spread, store, width

#: Tables of length n. ``size``: points of the butterflies, n or the padded length of Bluestein's algorithm;
#: ``factors``, and for each factor where its twiddles (``cos``, ``sin``) and its dense matrix begin;
#: ``chirp`` and ``filter``: empty, or Bluestein's factors e^{-pi i j^2/n} and the transform of their inverse,
#: as real and imaginary parts.
Fourier = namedtuple("Fourier", "n size factors starts cos sin dense_starts dense chirp filter")

#: Largest prime factor that is summed directly: the dense sums run near the peak arithmetic rate.
_LARGEST_DENSE = 193


@lru_cache(maxsize=64)
def tables(n, single=False):
    """Return the tables of length n; ``single`` gives float32 tables for float32 lanes."""
    if single:
        float_fields = {"cos", "sin", "dense", "chirp", "filter"}
        double = tables(n)._asdict().items()
        return Fourier(**{k: x.astype(np.float32) if k in float_fields else x for k, x in double})
    factors = _factors(n)
    if max(factors, default=1) <= _LARGEST_DENSE:
        return Fourier(n, n, *_butterflies(n, factors), np.empty(0), np.empty(0))
    size = next_fast_length(2 * n - 1, 11)
    j = np.arange(n)
    chirp = roots(-(j * j) % (2 * n), 2 * n)
    kernel = np.zeros(size, complex)
    kernel[:n] = kernel[-n + 1 or size :][::-1] = 0
    kernel[j] = chirp.conj()
    kernel[-j[1:]] = chirp[1:].conj()
    response = np.fft.fft(kernel) / size
    chirp_arrays = (np.concatenate([z.real, z.imag]) for z in (chirp, response))
    return Fourier(n, size, *_butterflies(size, _factors(size)), *chirp_arrays)


@jit
def work_size(lanes_width, fft):
    """Length of the work array: two planes before and after each stage, and the dense sums."""
    return lanes_width * (
        4 * fft.size + 2 * max(1, fft.factors.max() if fft.factors.size else 1) + 2
    )


def _factors(n):
    """Return the odd prime factors in descending order, then 2 or 4, then factors of 8."""
    odd = []
    twos = 0
    p = 3
    while n % 2 == 0:
        n, twos = n // 2, twos + 1
    while n > 1:
        while n % p == 0:
            n //= p
            odd.append(p)
        p = p + 2 if p * p <= n else max(n, p + 2)
    remainders = {0: [], 1: [4, 4] if twos > 1 else [2], 2: [4]}[twos % 3]
    eights = twos // 3 - (len(remainders) == 2)
    return sorted(odd, reverse=True) + remainders + [8] * eights


def roots(k, n):
    """Return e^{2 pi i k / n} for integers 0 <= k < n, to the last digit, from angles below pi/4 only."""
    octant, remainder = np.divmod(8 * k, n)
    flip = octant % 2 == 1
    angle = (2 * np.pi / (8 * n)) * np.where(flip, n - remainder, remainder)
    c, s = np.cos(angle), np.sin(angle)
    c, s = np.where(flip, s, c), np.where(flip, c, s)
    # Odd octants are measured from the end of their quadrant; (c, s) is the angle within the quadrant.
    return (c + 1j * s) * np.array([1, 1j, -1, -1j])[octant // 2]


def _butterflies(n, factors):
    starts, all_twiddles = [], []
    dense_starts, dense = [], []
    size = n
    start = dense_start = 0
    for factor in factors:
        p, j = np.arange(size // factor)[:, None], np.arange(factor)
        twiddles = roots((-p * j) % size, size).ravel()
        starts.append(start)
        all_twiddles.append(twiddles)
        start += twiddles.size
        half = np.arange(1, (factor + 1) // 2)
        matrix = roots(half[:, None] * half % factor, factor) if factor % 2 else np.empty((0, 0))
        dense_starts.append(dense_start)
        dense += [matrix.real.ravel(), matrix.imag.ravel()]
        dense_start += 2 * matrix.size
        size //= factor
    all_twiddles = np.concatenate([*all_twiddles, [0j]])
    integers = (np.array(x, np.int64) for x in (factors, starts))
    cos, sin = np.ascontiguousarray(all_twiddles.real), np.ascontiguousarray(all_twiddles.imag)
    dense = np.concatenate([*dense, [0.0]])
    return *integers, cos, sin, np.array(dense_starts, np.int64), dense


# --- transforms --------------------------------------------------------------------------------------


@jit
def transform(lanes, work, inverse, fft):
    """Transform the planes at the head of ``work``; returns the offsets of the (real, imaginary) parts.

    ``inverse`` = 1 exchanges the two planes, which gives sum_j x_j e^{+2 pi i j k/n}, without the factor 1/n.
    """
    plane = width(lanes) * fft.size
    re, im = plane * inverse, plane * (1 - inverse)
    if fft.chirp.size:
        re, im = _bluestein(lanes, work, re, im, fft)
    else:
        re, im = _stages(lanes, work, re, im, re + 2 * plane, im + 2 * plane, fft)
    return (im, re) if inverse else (re, im)


@jit
def _stages(lanes, w, re, im, re2, im2, fft):
    size, source, target = fft.size, (re, im), (re2, im2)
    for f in range(fft.factors.size):
        radix, start, stride = fft.factors[f], fft.starts[f], fft.size // size
        if radix == 8:
            radix8(lanes, w, size, stride, source, target, fft.cos, fft.sin, start)
        elif radix == 4:
            radix4(lanes, w, size, stride, source, target, fft.cos, fft.sin, start)
        elif radix == 2:
            radix2(lanes, w, size, stride, source, target, fft.cos, fft.sin, start)
        elif radix == 3:
            radix3(lanes, w, size, stride, source, target, fft.cos, fft.sin, start)
        elif radix == 5:
            radix5(lanes, w, size, stride, source, target, fft.cos, fft.sin, start)
        else:
            radix_odd(lanes, w, size, stride, radix, source, target, fft, f)
        source, target = target, source
        size //= radix
    return source


@jit
def _bluestein(lanes, w, re, im, fft):
    """Compute the sum as a convolution of length ``size``, from jk = (j^2 + k^2 - (k-j)^2)/2."""
    v, n, plane = width(lanes), fft.n, width(lanes) * fft.size
    _multiply(lanes, w, re, im, fft.chirp, n)
    zero = splat(lanes, 0.0)
    for i in range(n, fft.size):
        store(w, re + i * v, zero)
        store(w, im + i * v, zero)
    r, i = _stages(lanes, w, re, im, re + 2 * plane, im + 2 * plane, fft)
    _multiply(lanes, w, r, i, fft.filter, fft.size)
    shift = 2 * plane if r == re else -2 * plane
    i, r = _stages(lanes, w, i, r, i + shift, r + shift, fft)
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
