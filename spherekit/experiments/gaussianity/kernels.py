"""Kernels of this room: Gaussian numbers into coefficients, the coefficients of caps, moments of samples.

Real signals only: what is made for m >= 0 is mirrored, f_{l,-m} = (-1)^m conj f_lm.
"""

import math

import numpy as np

from spherekit._core.jit import jit
from spherekit.kernels.simd import Lanes, load, splat, store, width

#: Orders side by side. Those of one degree are neighbours in memory, and every cap's function is stepped up
#: in degree for all of them at once.
ORDERS = Lanes(16)

#: Binary exponent by which associated Legendre functions are lifted on their way up. sin(theta)^m is smallest
#: where it still grows to 1 below L at theta with sin(theta) = 1/e: exp(-L/e), 2^-1600 at L = 3000.
LIFT = 900
HIGHEST_L = 3000


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
def cap_weights(x, L):
    """c_l(x) = 2 pi (P_{l-1}(x) - P_{l+1}(x))/(2l+1), c_0 = 2 pi (1-x), of caps x (n,): (L, n).

    A cap of angular radius acos(x) about v has the coefficients c_l(x) conj(Y_lm(v)).
    """
    weights = np.empty((L, x.size))
    for q in range(x.size):
        below, here = 1.0, x[q]
        weights[0, q] = 2 * math.pi * (1.0 - x[q])
        for ell in range(1, L):
            above = ((2 * ell + 1) * x[q] * here - ell * below) / (ell + 1)
            weights[ell, q] = 2 * math.pi * (below - above) / (2 * ell + 1)
            below, here = here, above
    return weights


@jit
def sum_caps(lanes, weights, theta, phi, L):
    """sum_q weights[l, q] conj(Y_lm(theta_q, phi_q)): (L*L,), for L up to `HIGHEST_L`.

    The orders m of one degree lie side by side in a vector; of every point two functions P_{l-1,m}, P_{l-2,m}
    are kept, lifted by 2^LIFT, and stepped up in l: p = a (x p1 - b p0).
    """
    w, n = width(lanes), theta.size
    flm = np.empty(L * L, np.complex128)
    x, lowered = np.cos(theta), weights * 2.0**-LIFT
    start = _diagonal(L)
    cosine, sine, seeds = np.empty(n * w), np.empty(n * w), np.empty((n, w))
    steps, a, b, only = np.empty((2, n * w)), np.empty(w), np.empty(w), np.empty(w)
    re, im = np.empty(w), np.empty(w)
    for first in range(0, L, w):
        for q in range(n):
            for k in range(w):
                m = first + k
                cosine[q * w + k], sine[q * w + k] = math.cos(m * phi[q]), math.sin(m * phi[q])
                seeds[q, k] = _seed(start, m, math.sin(theta[q]))
        steps[:] = 0.0
        for ell in range(first, L):
            _coefficients(ell, first, a, b)
            va, vb = load(lanes, a, 0), load(lanes, b, 0)
            one, two = steps[ell % 2], steps[1 - ell % 2]  # the newest takes the oldest's place
            real = imag = splat(lanes, 0.0)
            begins = ell - first < w
            if begins:
                only[:] = 0.0
                only[ell - first] = 1.0
            for q in range(n):
                at = q * w
                p = va * (splat(lanes, x[q]) * load(lanes, two, at) - vb * load(lanes, one, at))
                if begins:
                    p = p + splat(lanes, seeds[q, ell - first]) * load(lanes, only, 0)
                store(one, at, p)
                p = splat(lanes, lowered[ell, q]) * p
                real = real + p * load(lanes, cosine, at)
                imag = imag + p * load(lanes, sine, at)
            store(re, 0, real)
            store(im, 0, imag)
            for k in range(min(w, ell - first + 1)):
                m, at = first + k, ell * ell + ell
                flm[at + m] = complex(re[k], -im[k])
                flip = 1.0 - 2.0 * (m % 2)
                flm[at - m] = complex(flip * re[k], flip * im[k])
    return flm


@jit
def _diagonal(L):
    """log |P_mm| / sin(theta)^m of the orthonormal functions: 1/2 log((2m+1)!! / (4 pi (2m)!!))."""
    logs = np.empty(L)
    logs[0] = -0.5 * math.log(4 * math.pi)
    for m in range(1, L):
        logs[m] = logs[m - 1] + 0.5 * math.log1p(0.5 / m)
    return logs


@jit
def _seed(start, m, sine):
    """2^LIFT P_mm(theta), with the Condon-Shortley phase."""
    if m >= start.size:
        return 0.0
    if m == 0:
        return math.exp(start[0] + LIFT * math.log(2.0))
    if sine == 0.0:
        return 0.0
    size = math.exp(start[m] + m * math.log(sine) + LIFT * math.log(2.0))
    return size if m % 2 == 0 else -size


@jit
def _coefficients(ell, first, a, b):
    """a, b of the step to degree ell: zero for the orders that begin there or later."""
    for k in range(a.size):
        m = first + k
        a[k] = b[k] = 0.0
        if m < ell:
            a[k] = math.sqrt((4.0 * ell * ell - 1.0) / (ell * ell - m * m))
            below = ell - 1.0
            b[k] = math.sqrt((below * below - m * m) / (4.0 * below * below - 1.0))


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
