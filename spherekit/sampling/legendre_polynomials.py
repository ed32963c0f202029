"""Legendre polynomials in the difference (Reinsch) form, for the nodes and weights of rings.

With ``y = 1 - cos(theta) = 2 sin^2(theta/2)`` and ``D_k = P_k - P_{k-1}`` the recursion reads

    D_{k+1} = k/(k+1) D_k - (2k+1)/(k+1) y P_k,      P_{k+1} = P_k + D_{k+1}.

It does not use ``cos(theta)`` and is therefore accurate near the pole, where the usual recursion
has errors of l^2 eps (P_2047 at theta = 0.001: 5e-11, against 6e-15 of the difference form). All functions
require theta <= pi/2; the southern half follows from P_l(pi - theta) = (-1)^l P_l(theta).
"""

import numpy as np

from spherekit._core.jit import leaf
from spherekit.kernels.simd import Lanes, accumulate, load, splat, spread, store, width
from spherekit.kernels.transpose import row_sums
from spherekit.kernels.wigner_recursion import difference_step

#: Number of angles that are processed together.
LANES = Lanes(16)


def _padded(x):
    """``x`` padded with zeros to full vectors."""
    return np.pad(x, (0, -len(x) % LANES.type.width))


# --- one polynomial, in pairs of float64 -------------------------------------------------------------


def polynomial_and_slope(n, y):
    """P_n and ``n (P_n - P_{n-1} - y P_n)`` at all y (n >= 1), accurate to rounding.

    The recursion for ``E_k = k D_k``, which has integer coefficients, in pairs of float64 (Dekker 1971,
    Numer. Math. 18, 224); in single float64 its error grows as sqrt(n).
    """
    padded = _padded(y)
    p, slope = np.empty_like(padded), np.empty_like(padded)
    _polynomial_and_slope(LANES, n, padded, p, slope)
    return p[: len(y)], slope[: len(y)]


@leaf
def _polynomial_and_slope(lanes, n, y, p, slope):
    for first in range(0, y.size, width(lanes)):
        x, zero = load(lanes, y, first), splat(lanes, 0.0)
        P, E = (splat(lanes, 1.0), zero), (zero, zero)
        for k in range(n):
            minus = splat(lanes, -2.0 * k - 1.0)
            t = minus * x
            t = t, accumulate(-t, minus, x)
            E = _sum(E, _product(t, P))
            P = _sum(P, _quotient(E, splat(lanes, k + 1.0), splat(lanes, 1.0 / (k + 1.0))))
        store(p, first, P[0])
        store(slope, first, E[0] - splat(lanes, float(n)) * x * P[0])


@leaf
def _sum(a, b):
    """a + b."""
    s = a[0] + b[0]
    v = s - a[0]
    low = a[1] + (((a[0] - (s - v)) + (b[0] - v)) + b[1])
    high = s + low
    return high, low + (s - high)


@leaf
def _product(a, b):
    """a b."""
    high = a[0] * b[0]
    return high, accumulate(-high, a[0], b[0]) + (a[0] * b[1] + a[1] * b[0])


@leaf
def _quotient(a, b, inverse):
    """a / b for an integer b."""
    high = a[0] * inverse
    return high, (accumulate(a[0], -high, b) + a[1]) * inverse


# --- sums over rings and over degrees ----------------------------------------------------------------


def zonal_sums(y, even, odd, count):
    """``sum_r s_r P_l(y_r)`` for l < count, with s = `even` for even l and s = `odd` for odd l."""
    v = LANES.type.width
    sums = np.empty((count + v) // v * v)
    _zonal_sums(LANES, *(_padded(x) for x in (y, even, odd)), np.zeros(sums.size * v), sums)
    return sums[:count]


def zonal_series(y, c):
    """Sums over even l and over odd l of c_l P_l(y_r): the adjoint of `zonal_sums`."""
    padded = _padded(y)
    even, odd = np.empty_like(padded), np.empty_like(padded)
    _zonal_series(LANES, padded, np.append(c, 0.0), even, odd)
    return even[: len(y)], odd[: len(y)]


@leaf
def _zonal_sums(lanes, y, even, odd, partial, sums):
    v = width(lanes)
    for first in range(0, y.size, v):
        x, s, t = load(lanes, y, first), load(lanes, even, first), load(lanes, odd, first)
        p, d = splat(lanes, 1.0), splat(lanes, 0.0)
        for ell in range(0, sums.size, 2):
            row = ell * v
            store(partial, row, load(lanes, partial, row) + s * p)
            p, d = _next(lanes, ell, x, p, d)
            store(partial, row + v, load(lanes, partial, row + v) + t * p)
            p, d = _next(lanes, ell + 1, x, p, d)
    for ell in range(0, sums.size, v):
        store(sums, ell, row_sums(lanes, partial, ell * v))


@leaf
def _zonal_series(lanes, y, c, even, odd):
    v = width(lanes)
    for first in range(0, y.size, v):
        x, p, d = load(lanes, y, first), splat(lanes, 1.0), splat(lanes, 0.0)
        s = t = d
        for ell in range(0, c.size - 1, 2):
            s = s + spread(lanes, c, ell) * p
            p, d = _next(lanes, ell, x, p, d)
            t = t + spread(lanes, c, ell + 1) * p
            p, d = _next(lanes, ell + 1, x, p, d)
        store(even, first, s)
        store(odd, first, t)


@leaf
def _next(lanes, ell, y, p, d):
    """P_{l+1} and its difference from P_l."""
    r, a = splat(lanes, ell / (ell + 1.0)), splat(lanes, -(2.0 * ell + 1.0) / (ell + 1.0))
    d = difference_step(r, splat(lanes, 0.0), a, y, p, d)
    return p + d, d
