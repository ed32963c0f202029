"""Fourier transforms of SIMD lanes: each lane contains one complex signal.

    X_k = sum_j x_j e^{-2 pi i j k / n}

Stockham's decimation in frequency with butterflies of radix 8, 4, 2, 3 and 5, dense butterflies for other
primes, and Bluestein's convolution where a prime factor is large. A set of signals is stored in a work array
as a plane of real parts and a plane of imaginary parts, point by point, with the lanes of a point adjacent.
Two real signals form the real and the imaginary part of one lane.

The algorithm and each radix are kernels that are called by their addresses, which the tables of a length
contain: they are compiled once for each type of lanes, and only where a length needs them.
"""

from collections import namedtuple
from functools import lru_cache

import numpy as np
from numba import types

from spherekit._core.fft_lengths import next_fast_length
from spherekit._core.jit import leaf
from spherekit._core.workspace import scratch
from spherekit.kernels.address_calls import address, call
from spherekit.kernels.complex_simd import load_complex, spread_complex, store_complex
from spherekit.kernels.fft_butterflies import radix2, radix3, radix4, radix5, radix8, radix_odd
from spherekit.kernels.simd import pointer, splat, store, width

#: Tables of length n. ``size``: points of the butterflies, n or the padded length of Bluestein's algorithm;
#: ``work_points``: points of the work array; ``result``: the point at which the transform begins.
#: ``integers``: the entries below, then one row of `_ROW` entries for each stage, [address, radix, size,
#: stride, offsets of the roots and of the dense sums in ``floats``]. The addresses are valid in this process
#: and its forked children only: tables are neither pickled nor sent to other processes.
Fourier = namedtuple("Fourier", "n size work_points result integers floats")

#: Entries of ``integers``: the address of the algorithm, the sizes, the number of stages, and offsets in
#: ``floats`` of Bluestein's factors e^{-pi i j^2/n} and of the transform of their inverse.
ADDRESS, LENGTH, SIZE, RESULT, _STAGES, _CHIRP, _FILTER, _FIRST_ROW = range(8)
_ROW = 6

_RADICES = {2: radix2, 3: radix3, 4: radix4, 5: radix5, 8: radix8}

#: Largest prime factor that is summed directly: the dense sums run near the peak arithmetic rate.
_LARGEST_DENSE = 193


def tables(n, lanes):
    """Return the tables of length n for a type of lanes."""
    return _cached_tables(n, lanes.type)


def uncached_tables(n, lanes):
    """Return `tables`, without keeping them for later calls."""
    return _cached_tables.__wrapped__(n, lanes.type)


@lru_cache(maxsize=64)
def _cached_tables(n, lanes):
    factors = _factors(n)
    is_dense = max(factors, default=1) <= _LARGEST_DENSE
    size = n if is_dense else next_fast_length(2 * n - 1, 11)
    factors = factors if is_dense else _factors(size)
    rows, arrays, offset = _stages_of(size, factors, lanes)
    chirp, response = (np.empty(0), np.empty(0)) if is_dense else _convolution(n, size)
    result = 2 * size if is_dense and len(factors) % 2 else 0
    algorithm = _transform_address(lanes, is_dense)
    header = algorithm, n, size, result, len(rows), offset, offset + chirp.size
    integers = np.array([*header, *(entry for row in rows for entry in row)], np.int64)
    floats = np.concatenate([*arrays, chirp, response, [0.0]])
    work_points = (
        4 * size + 2 * max([1, *factors]) + 2
    )  # planes before and after a stage, dense sums
    dtype = np.float32 if lanes.bits == 32 else np.float64
    return Fourier(n, size, work_points, result, integers, floats.astype(dtype))


def _convolution(n, size):
    """Return Bluestein's factors, and the transform of their inverse."""
    j = np.arange(n)
    chirp = roots(-(j * j) % (2 * n), 2 * n)
    kernel = np.zeros(size, complex)
    kernel[j] = chirp.conj()
    kernel[-j[1:]] = chirp[1:].conj()
    return chirp.view(float), (np.fft.fft(kernel) / size).view(float)


def work_array(fft, lanes):
    """Return a work array, which is valid until the same thread requests another one."""
    return scratch("fft", (work_size(lanes.type.width, fft),), fft.floats.dtype)


def work_size(lanes_width, fft):
    """Return the length of the work array: two planes before and after each stage, and the dense sums."""
    return lanes_width * fft.work_points


def _transform_address(lanes, is_dense):
    integers, floats = types.CPointer(types.int64), _float_pointer(lanes)
    kernel = _transform if is_dense else _transform_by_convolution
    return address(kernel, lanes, floats, types.int64, integers, floats)


@lru_cache(maxsize=64)
def _stage_address(kernel, lanes):
    floats, n = _float_pointer(lanes), types.int64
    return address(kernel, lanes, floats, n, n, n, n, n, n, floats, floats)


def _float_pointer(lanes):
    return types.CPointer(types.float32 if lanes.bits == 32 else types.float64)


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


def _stages_of(size, factors, lanes):
    """Return the rows of all stages, the arrays that their offsets refer to, and the total size of these."""
    rows, arrays = [], []
    stride, offset = 1, 0
    for factor in factors:
        p, j = np.arange(size // factor)[:, None], np.arange(factor)
        twiddles = roots((-p * j) % size, size).ravel()
        half = np.arange(1, (factor + 1) // 2)
        matrix = roots(half[:, None] * half % factor, factor) if factor % 2 else np.empty((0, 0))
        arrays += [twiddles.view(float), matrix.real.ravel(), matrix.imag.ravel()]
        kernel = _stage_address(_RADICES.get(factor, radix_odd), lanes)
        dense = offset + 2 * twiddles.size
        rows.append((kernel, factor, size, stride, offset, dense))
        offset = dense + 2 * matrix.size
        size //= factor
        stride *= factor
    return rows, arrays, offset


# --- transforms --------------------------------------------------------------------------------------


@leaf
def transform(lanes, work, inverse, fft):
    """Transform the planes at the head of ``work``; returns the offsets of the (real, imaginary) parts.

    ``inverse`` = 1 exchanges the two planes, which gives sum_j x_j e^{+2 pi i j k/n}, without the factor 1/n.
    """
    transform_with(
        lanes, pointer(work, 0), inverse, pointer(fft.integers, 0), pointer(fft.floats, 0)
    )
    real = width(lanes) * fft.result
    return real, real + width(lanes) * fft.size


@leaf
def transform_with(lanes, work, inverse, integers, floats):
    """`transform` with pointers; the result begins at point ``integers[RESULT]``."""
    call(integers[ADDRESS], lanes, work, inverse, integers, floats)


@leaf
def _transform(lanes, w, inverse, integers, floats):
    plane = width(lanes) * integers[SIZE]
    source, imag = plane * inverse, plane * (1 - 2 * inverse)
    _apply_stages(lanes, w, source, source + 2 * plane, imag, integers, floats)


@leaf
def _apply_stages(lanes, w, source, target, imag, integers, floats):
    """Apply all stages; returns the offset of the real parts of the result."""
    for f in range(integers[_STAGES]):
        row = pointer(integers, _FIRST_ROW + _ROW * f)
        stage_roots, dense = pointer(floats, row[4]), pointer(floats, row[5])
        call(row[0], lanes, w, source, target, imag, row[2], row[3], row[1], stage_roots, dense)
        source, target = target, source
    return source


@leaf
def _transform_by_convolution(lanes, w, inverse, integers, floats):
    """Bluestein's algorithm: a convolution of length ``size``, from jk = (j^2 + k^2 - (k-j)^2)/2."""
    v, n, size = width(lanes), integers[LENGTH], integers[SIZE]
    plane = v * size
    source, imag = plane * inverse, plane * (1 - 2 * inverse)
    chirp, response = pointer(floats, integers[_CHIRP]), pointer(floats, integers[_FILTER])
    _multiply(lanes, w, source, imag, chirp, n)
    zero = splat(lanes, 0.0)
    for i in range(n, size):
        store(w, source + i * v, zero)
        store(w, source + imag + i * v, zero)
    target = source + 2 * plane
    middle = _apply_stages(lanes, w, source, target, imag, integers, floats)
    _multiply(lanes, w, middle, imag, response, size)
    # The inverse transform: the real and the imaginary parts are exchanged.
    first = middle + imag
    target = first + 2 * plane if middle == source else first - 2 * plane
    _apply_stages(lanes, w, first, target, -imag, integers, floats)
    _multiply(lanes, w, source, imag, chirp, n)


@leaf
def _multiply(lanes, w, start, imag, factors, n):
    v = width(lanes)
    for k in range(n):
        z = load_complex(lanes, w, start + k * v, imag)
        store_complex(w, start + k * v, imag, z * spread_complex(lanes, factors, k))
