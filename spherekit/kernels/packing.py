"""Coefficients of neighbouring orders as rows over the degree, and back.

The layout ``flm[l*l + l + m]`` is contiguous in the order; the Legendre step wants the degrees of one
order. Four orders are packed together: they share the cache lines of every degree.

``rows[sign, j, 2 (l - m)]`` holds re and im of order m = first + j; sign 1 is the order -m brought to m
by (-1)^m. Coefficients are float64 views of complex arrays, (..., 2 L L).
"""

import numpy as np

from spherekit._core.jit import jit
from spherekit.kernels.simd import larger, largest, load, magnitude, reverse_pairs, splat, store
from spherekit.kernels.transpose import load_pairs, store_pairs

#: Orders that are packed together.
TOGETHER = 4


@jit
def gather(lanes, flm, L, first, real, rows, input_stats):
    """Rows of orders first..first+3; of a real signal the Hermitian part, in rows[0] alone.

    ``input_stats``: [sum that is NaN unless all are finite, symmetry defect, magnitude].
    """
    count = min(TOGETHER, L - first)
    size = rows.shape[2]
    flat = rows.reshape(-1)
    # below this degree, degrees have fewer orders than a vector takes: one by one
    full = L if count < TOGETHER else min(first + TOGETHER - 1, L)
    for ell in range(first, full):
        for j in range(min(count, ell - first + 1)):
            _gather_number(flm, ell, first + j, real, rows[:, j], input_stats)
    flips, half = load(lanes, _flips(real), 0), splat(lanes, 0.5)
    bad = defect = top = splat(lanes, 0.0)
    for ell in range(full, L):
        center, k = 2 * (ell * ell + ell), 2 * (ell - first)
        a = load(lanes, flm, center + 2 * first)
        b = flips * reverse_pairs(load(lanes, flm, center - 2 * (first + TOGETHER - 1)))
        bad = bad + ((a - a) + (b - b))
        if real:
            defect = larger(defect, magnitude(a - b))
            top = larger(top, magnitude(a))
            store_pairs(flat, k, size - 2, half * (a + b))
        else:
            store_pairs(flat, k, size - 2, a)
            store_pairs(flat, TOGETHER * size + k, size - 2, b)
    store(input_stats, 3, bad)
    for i in range(8):
        input_stats[0] += input_stats[3 + i]
    input_stats[1] = max(input_stats[1], largest(defect))
    input_stats[2] = max(input_stats[2], largest(top))
    for sign in range(rows.shape[0]):
        for j in range(count):
            rows[sign, j, 2 * (L - first - j) :] = 0.0


@jit
def _flips(real):
    """(-1)^m, with the sign of a conjugate for real signals, of four orders from an even one on."""
    c = -1.0 if real else 1.0
    return np.array([1.0, c, -1.0, -c, 1.0, c, -1.0, -c])


@jit
def _gather_number(flm, ell, m, real, rows, input_stats):
    center, k = 2 * (ell * ell + ell), 2 * (ell - m)
    flip = 1.0 - 2.0 * (m % 2)
    re, im = flm[center + 2 * m], flm[center + 2 * m + 1]
    re2, im2 = flip * flm[center - 2 * m], flip * flm[center - 2 * m + 1]
    input_stats[0] += (re - re) + (im - im) + (re2 - re2) + (im2 - im2)
    if real:
        im2 = -im2
        input_stats[1] = max(input_stats[1], abs(re - re2), abs(im - im2))
        input_stats[2] = max(input_stats[2], abs(re), abs(im))
        rows[0, k], rows[0, k + 1] = 0.5 * (re + re2), 0.5 * (im + im2)
    else:
        rows[0, k], rows[0, k + 1] = re, im
        rows[1, k], rows[1, k + 1] = re2, im2


@jit
def scatter(lanes, rows, L, first, real, flm):
    """The reverse of `gather`; order -m of a real signal is the conjugate of order m."""
    count = min(TOGETHER, L - first)
    size = rows.shape[2]
    flat = rows.reshape(-1)
    full = L if count < TOGETHER else min(first + TOGETHER - 1, L)
    for ell in range(first, full):
        center = 2 * (ell * ell + ell)
        for j in range(min(count, ell - first + 1)):
            m, k = first + j, 2 * (ell - first - j)
            flip, c = 1.0 - 2.0 * (m % 2), -1.0 if real else 1.0
            negative = rows[0 if real else 1, j]
            if m or not real:
                flm[center - 2 * m], flm[center - 2 * m + 1] = (
                    flip * negative[k],
                    c * flip * negative[k + 1],
                )
            flm[center + 2 * m], flm[center + 2 * m + 1] = rows[0, j, k], rows[0, j, k + 1]
    flips = load(lanes, _flips(real), 0)
    for ell in range(full, L):
        center, k = 2 * (ell * ell + ell), 2 * (ell - first)
        a = load_pairs(lanes, flat, k, size - 2)
        b = a if real else load_pairs(lanes, flat, TOGETHER * size + k, size - 2)
        store(flm, center - 2 * (first + TOGETHER - 1), reverse_pairs(flips * b))
        store(flm, center + 2 * first, a)
