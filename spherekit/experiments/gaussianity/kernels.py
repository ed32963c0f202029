"""Kernels of the skies: Gaussian numbers into coefficients, inverted densities, moments of samples.

Real signals only: what is made for m >= 0 is mirrored, f_{l,-m} = (-1)^m conj f_lm.
"""

import math

import numpy as np

from spherekit._core.jit import jit


@jit
def spread_normals(x, amplitude, L):
    """flm (L*L,) of a real signal from 2 n standard normals: n real parts, then n imaginary ones, m-major.

    f_l0 = a_l x, f_lm = a_l (x + iy)/sqrt2 for m > 0: unit variance times the amplitude a_l (L,).
    """
    n, half = L * (L + 1) // 2, math.sqrt(0.5)
    flm = np.empty(L * L, np.complex128)
    for ell in range(L):
        at, place = ell * ell + ell, ell
        flm[at] = amplitude[ell] * x[place]
        for m in range(1, ell + 1):
            place += L - m
            re, im = half * amplitude[ell] * x[place], half * amplitude[ell] * x[n + place]
            flm[at + m] = complex(re, im)
            flm[at - m] = complex(re, -im) if m % 2 == 0 else complex(-re, im)
    return flm


@jit
def realised(x, cl, L):
    """The realised C_l of `spread_normals` with amplitude sqrt(cl), without making the coefficients."""
    n = L * (L + 1) // 2
    power = np.zeros(L)
    place = 0
    for m in range(L):
        for ell in range(m, L):
            square = x[place] ** 2
            if m:
                square += x[n + place] ** 2
            power[ell] += square
            place += 1
    for ell in range(L):
        power[ell] *= cl[ell] / (2 * ell + 1)
    return power


@jit
def scale_degrees(flm, factor, L):
    """f_lm <- factor_l f_lm, in place."""
    for ell in range(L):
        for k in range(ell * ell, (ell + 1) ** 2):
            flm[k] *= factor[ell]


@jit
def invert(u, cumulative, y):
    """y at which a rising ``cumulative`` (0 to 1) takes the values u in [0, 1), between its points linearly.

    As np.interp(u, cumulative, y), with a table of where to begin to look.
    """
    n, cells = cumulative.size, 4 * cumulative.size
    begin, k = np.empty(cells + 1, np.int64), 0
    for cell in range(cells + 1):
        while k < n - 2 and cumulative[k + 1] <= cell / cells:
            k += 1
        begin[cell] = k
    result = np.empty(u.size)
    for i in range(u.size):
        k = begin[int(u[i] * cells)]
        while k < n - 2 and cumulative[k + 1] <= u[i]:
            k += 1
        rise = cumulative[k + 1] - cumulative[k]
        part = (u[i] - cumulative[k]) / rise if rise > 0 else 0.0
        result[i] = y[k] + part * (y[k + 1] - y[k])
    return result


@jit
def central_moments(f, weights):
    """2nd, 3rd, 4th moment about the mean of samples f (rings, n); weights (rings,) of a ring's samples."""
    mean = 0.0
    for t in range(f.shape[0]):
        ring = 0.0
        for p in range(f.shape[1]):
            ring += f[t, p]
        mean += weights[t] * ring
    two = three = four = 0.0
    for t in range(f.shape[0]):
        a = b = c = 0.0
        for p in range(f.shape[1]):
            x = f[t, p] - mean
            square = x * x
            a += square
            b += square * x
            c += square * square
        two += weights[t] * a
        three += weights[t] * b
        four += weights[t] * c
    return two, three, four
