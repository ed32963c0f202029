"""Compiled kernels of the simulated skies: random coefficients, inverse distributions, sample moments.

The coefficients are those of real signals: orders m < 0 follow from f_{l,-m} = (-1)^m conj f_lm.
"""

import math

import numpy as np

from spherekit._core.jit import leaf


def spread_normals(x, amplitude, L):
    """Coefficients (L*L,) of a real signal from 2 n standard normals: n real parts, then n imaginary parts.

    The normals are ordered m-major. f_l0 = a_l x and f_lm = a_l (x + iy)/sqrt2 for m > 0, so that
    coefficients of degree l have the standard deviation ``amplitude[l]`` = a_l.
    """
    flm = np.empty(L * L, complex)
    _spread_normals(x, amplitude, L, flm)
    return flm


@leaf
def _spread_normals(x, amplitude, L, flm):
    n, half = L * (L + 1) // 2, math.sqrt(0.5)
    for ell in range(L):
        center = ell * ell + ell
        entry = ell
        flm[center] = amplitude[ell] * x[entry]
        for m in range(1, ell + 1):
            entry += L - m
            re, im = half * amplitude[ell] * x[entry], half * amplitude[ell] * x[n + entry]
            flm[center + m] = complex(re, im)
            flm[center - m] = complex(re, -im) if m % 2 == 0 else complex(-re, im)


def realized_power(x, cl, L):
    """The realized C_l of `spread_normals` with amplitude sqrt(cl), without computing the coefficients."""
    power = np.zeros(L)
    _add_power(x, cl, L, power)
    return power


@leaf
def _add_power(x, cl, L, power):
    n = L * (L + 1) // 2
    entry = 0
    for m in range(L):
        for ell in range(m, L):
            square = x[entry] ** 2
            if m:
                square += x[n + entry] ** 2
            power[ell] += square
            entry += 1
    for ell in range(L):
        power[ell] *= cl[ell] / (2 * ell + 1)


@leaf
def scale_degrees(flm, factor, L):
    """Multiply f_lm by ``factor[l]``, in place."""
    for ell in range(L):
        for k in range(ell * ell, (ell + 1) ** 2):
            flm[k] *= factor[ell]


def invert(u, cumulative, y):
    """Invert a cumulative distribution: the y at which it equals u in [0, 1), by linear interpolation.

    Same as ``np.interp(u, cumulative, y)``, for an increasing ``cumulative`` from 0 to 1. A lookup table of
    first indices replaces the binary search.
    """
    result = np.empty(u.size)
    _invert(u, cumulative, y, np.empty(4 * cumulative.size + 1, np.int64), result)
    return result


@leaf
def _invert(u, cumulative, y, first_index, result):
    n, cells, k = cumulative.size, 4 * cumulative.size, 0
    for cell in range(cells + 1):
        while k < n - 2 and cumulative[k + 1] <= cell / cells:
            k += 1
        first_index[cell] = k
    for i in range(u.size):
        k = first_index[int(u[i] * cells)]
        while k < n - 2 and cumulative[k + 1] <= u[i]:
            k += 1
        rise = cumulative[k + 1] - cumulative[k]
        fraction = (u[i] - cumulative[k]) / rise if rise > 0 else 0.0
        result[i] = y[k] + fraction * (y[k + 1] - y[k])


@leaf
def central_moments(f, weights):
    """Second, third and fourth central moment of samples f (rings, n).

    ``weights`` (rings,) are the quadrature weights of each sample of a ring, with a total of 1.
    """
    mean = 0.0
    for t in range(f.shape[0]):
        ring = 0.0
        for p in range(f.shape[1]):
            ring += f[t, p]
        mean += weights[t] * ring
    second = third = fourth = 0.0
    for t in range(f.shape[0]):
        squares = cubes = fourth_powers = 0.0
        for p in range(f.shape[1]):
            x = f[t, p] - mean
            square = x * x
            squares += square
            cubes += square * x
            fourth_powers += square * square
        second += weights[t] * squares
        third += weights[t] * cubes
        fourth += weights[t] * fourth_powers
    return second, third, fourth
