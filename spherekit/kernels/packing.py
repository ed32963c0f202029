"""Conversion between coefficients ``flm[l*l + l + m]`` and rows over the degree, four orders at a time.

The layout of ``flm`` is contiguous in the order, whereas the Legendre step needs the degrees of one order.
Four neighboring orders are converted together because they share the cache lines of every degree.

``rows[sign, j, 2 (l - m)]`` and the next entry contain the real and the imaginary part of order
m = first + j; sign 1 denotes order -m, multiplied by (-1)^m. ``size`` is the number of elements of a row.
Coefficients are float64 views of complex arrays, of one map: 2 L L elements.
"""

import numpy as np

from spherekit._core.jit import leaf
from spherekit.kernels.simd import (
    larger,
    largest,
    load,
    magnitude,
    pointer,
    reverse_pairs,
    splat,
    store,
)
from spherekit.kernels.transpose import load_pairs, store_pairs
from spherekit.kernels.wigner_recursion import clear

#: Orders that are converted together.
ORDERS_PER_GROUP = 4

#: (-1)^m for four orders from an even one on; then, for real signals, with the sign of a conjugate.
_ORDER_SIGNS = np.array(
    [1.0, 1.0, -1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0, -1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0]
)


@leaf
def gather(lanes, flm, L, first, real, rows, size, input_stats):
    """Write the rows of orders first..first+3; for a real signal the Hermitian part, in rows[0] only.

    ``input_stats``: [a sum that is NaN unless all coefficients are finite, symmetry defect, magnitude],
    followed by eight elements of work memory.
    """
    count = min(ORDERS_PER_GROUP, L - first)
    negative = ORDERS_PER_GROUP * size
    # Degrees below this one have fewer orders than a vector has lanes: convert them one by one.
    first_full = L if count < ORDERS_PER_GROUP else min(first + ORDERS_PER_GROUP - 1, L)
    for ell in range(first, first_full):
        for j in range(min(count, ell - first + 1)):
            _gather_coefficient(
                flm, ell, first + j, real, pointer(rows, j * size), negative, input_stats
            )
    signs, half = load(lanes, _ORDER_SIGNS, 8 if real else 0), splat(lanes, 0.5)
    nan_sum = defect = peak = splat(lanes, 0.0)
    for ell in range(first_full, L):
        center, k = 2 * (ell * ell + ell), 2 * (ell - first)
        a = load(lanes, flm, center + 2 * first)
        b = signs * reverse_pairs(load(lanes, flm, center - 2 * (first + ORDERS_PER_GROUP - 1)))
        nan_sum = nan_sum + ((a - a) + (b - b))
        if real:
            defect = larger(defect, magnitude(a - b))
            peak = larger(peak, magnitude(a))
            store_pairs(rows, k, size - 2, half * (a + b))
        else:
            store_pairs(rows, k, size - 2, a)
            store_pairs(rows, negative + k, size - 2, b)
    store(input_stats, 3, nan_sum)
    for i in range(8):
        input_stats[0] += input_stats[3 + i]
    input_stats[1] = max(input_stats[1], largest(defect))
    input_stats[2] = max(input_stats[2], largest(peak))
    for sign in range(1 if real else 2):
        for j in range(count):
            end = 2 * (L - first - j)
            clear(pointer(rows, sign * negative + j * size + end), size - end)


@leaf
def _gather_coefficient(flm, ell, m, real, row, negative, input_stats):
    center, k = 2 * (ell * ell + ell), 2 * (ell - m)
    sign = 1.0 - 2.0 * (m % 2)
    re, im = flm[center + 2 * m], flm[center + 2 * m + 1]
    re2, im2 = sign * flm[center - 2 * m], sign * flm[center - 2 * m + 1]
    input_stats[0] += (re - re) + (im - im) + (re2 - re2) + (im2 - im2)
    if real:
        im2 = -im2
        input_stats[1] = max(input_stats[1], abs(re - re2), abs(im - im2))
        input_stats[2] = max(input_stats[2], abs(re), abs(im))
        row[k], row[k + 1] = 0.5 * (re + re2), 0.5 * (im + im2)
    else:
        row[k], row[k + 1] = re, im
        row[negative + k], row[negative + k + 1] = re2, im2


@leaf
def scatter(lanes, rows, size, L, first, real, flm):
    """The inverse of `gather`; order -m of a real signal is the conjugate of order m."""
    count = min(ORDERS_PER_GROUP, L - first)
    negative = 0 if real else ORDERS_PER_GROUP * size
    first_full = L if count < ORDERS_PER_GROUP else min(first + ORDERS_PER_GROUP - 1, L)
    for ell in range(first, first_full):
        center = 2 * (ell * ell + ell)
        for j in range(min(count, ell - first + 1)):
            m, k = first + j, 2 * (ell - first - j) + j * size
            sign, conjugate = 1.0 - 2.0 * (m % 2), -1.0 if real else 1.0
            if m or not real:
                flm[center - 2 * m] = sign * rows[negative + k]
                flm[center - 2 * m + 1] = conjugate * sign * rows[negative + k + 1]
            flm[center + 2 * m], flm[center + 2 * m + 1] = rows[k], rows[k + 1]
    signs = load(lanes, _ORDER_SIGNS, 8 if real else 0)
    for ell in range(first_full, L):
        center, k = 2 * (ell * ell + ell), 2 * (ell - first)
        a = load_pairs(lanes, rows, k, size - 2)
        b = a if real else load_pairs(lanes, rows, negative + k, size - 2)
        store(flm, center - 2 * (first + ORDERS_PER_GROUP - 1), reverse_pairs(signs * b))
        store(flm, center + 2 * first, a)
