"""Coefficients of the three forms of the recursion (see `kernels.wigner_recursion`), for each order.

e_l = sqrt((l^2-m^2)(l^2-n^2)/(4l^2-1)) / l and lambda_l = alpha_l p_l. The square roots and quotients take up
to a third of the time of a small transform; therefore the coefficients of all orders are cached for L up to
`MAX_CACHED`.
"""

import math
from collections import namedtuple
from functools import lru_cache

import numpy as np

from spherekit._core.jit import jit

#: Largest band-limit whose coefficients are cached: 10 to 24 L^2 bytes.
MAX_CACHED = 1024
#: The same for |spin| > 4, since a signal on the rotation group has many spins.
MAX_CACHED_ANY_SPIN = 256

#: Coefficients with one row per order: e_l from l = m on; alpha; (a, b) of a step; (r, g, a) of a difference
#: step by sign of n, for the orders that reach the polar rings. A buffer has a single row of each.
Coefficients = namedtuple("Coefficients", "e alpha ab rga")


@lru_cache(maxsize=32)
def cached_coefficients(L, spin):
    """Return the coefficients of all orders, n = -spin; an empty table for L beyond `MAX_CACHED`."""
    orders, polar_orders = _cached_rows(L, spin)
    table = allocate(orders, polar_orders, L, spin)
    if orders:
        _fill(L, spin, table)
    return table


def cached_bytes(L, spin):
    """Return the number of bytes of `cached_coefficients`."""
    orders, polar_orders = _cached_rows(L, spin)
    if spin == 0:
        return 8 * (orders * (2 * L + L // 2 + 24) + polar_orders * (3 * L + 8))
    return 8 * (orders * (3 * L + 16) + 2 * polar_orders * (3 * L + 8))


def _cached_rows(L, spin):
    """Return the number of orders that are cached, and how many of them matter close to a pole."""
    orders = L if L <= (MAX_CACHED if abs(spin) < 5 else MAX_CACHED_ANY_SPIN) else 0
    return orders, min(orders, 90 + abs(spin) if L > 200 else 0)


def allocate(orders, polar_orders, L, spin):
    """Allocate coefficients with the given numbers of rows."""
    zonal = spin == 0
    return Coefficients(
        np.empty((orders if zonal else 1, L + 8)),
        np.empty((orders, L // 2 + 8 if zonal else L + 8)),
        np.empty((orders, L + 8 if zonal else 2 * L + 8)),
        np.empty((1 if zonal else 2, polar_orders, 3 * L + 8)),
    )


def buffer(L, spin):
    """Allocate the coefficients of one order, for orders that are not cached."""
    return allocate(1, 1, L, spin)


@jit
def _fill(L, spin, table):
    for m in range(L):
        if spin == 0:
            pair_coefficients(m, L, table.e[m], table.alpha[m], table.ab[m])
        else:
            degree_coefficients(m, -spin, L, table.alpha[m], table.ab[m])
    for second in range(table.rga.shape[0]):
        for m in range(table.rga.shape[1]):
            difference_coefficients(m, spin if second else -spin, L, table.rga[second, m])


@jit
def pair_coefficients(m, L, e, alpha, ab):
    """Compute the coefficients of the two-degree form for n = 0 in z = cos^2; returns the number of pairs.

    e[i] = e_{m+i}.
    """
    count = (L - m + 1) // 2
    for i in range(L - m + 5):
        ell = float(m + i)
        e[i] = math.sqrt((ell - m) * (ell + m) / (4.0 * ell * ell - 1.0)) if i else 0.0
    alpha[0] = 1.0 / e[1]
    alpha[1] = e[1] / (e[2] * e[3])
    for k in range(1, count):
        i = 2 * k + 1
        alpha[k + 1] = e[i] * e[i - 1] / (e[i + 1] * e[i + 2])
    for k in range(1, count):  # the only serial loop: one product per step
        alpha[k + 1] *= alpha[k - 1]
    for k in range(count):
        i = 2 * k + 1
        a = alpha[k] / (alpha[k + 1] * e[i + 1] * e[i + 2])
        middle = e[i + 1] * e[i + 1] + e[i] * e[i]
        ab[2 * k], ab[2 * k + 1] = a, -a * middle
    return count


@jit
def sin2_coefficients(ab, count, ab_sin2):
    """Compute (a, b) of the same steps in z = sin^2 = 1 - cos^2."""
    for k in range(count):
        ab_sin2[2 * k], ab_sin2[2 * k + 1] = -ab[2 * k], ab[2 * k] + ab[2 * k + 1]


@jit
def degree_coefficients(m, n, L, alpha, ab):
    """Compute the coefficients of the one-degree form in z = y; returns the number of degrees.

    alpha[k] belongs to l = l0 + k.
    """
    l0 = max(abs(m), abs(n))
    count = L - l0
    for k in range(count):
        ab[2 * k] = _e(float(l0 + k + 1), m, n)
    alpha[0], alpha[1] = 1.0, 0.5 / ab[0]
    for k in range(1, count):
        alpha[k + 1] = ab[2 * k - 2] / ab[2 * k]
    for k in range(1, count):  # the only serial loop: one product per step
        alpha[k + 1] *= alpha[k - 1]
    for k in range(count):
        ab[2 * k] = -alpha[k] / (alpha[k + 1] * ab[2 * k])
    opposite_coefficients(m, -n, L, ab, ab)
    return count


@jit
def opposite_coefficients(m, n, L, ab, opposite):
    """Compute (a, b) for -n from a for n: b = a (1 + mn/(l(l+1))), a with a minus sign."""
    l0 = max(abs(m), abs(n))
    for k in range(L - l0):
        ell = float(l0 + k)
        shift = m * n / (ell * (ell + 1.0)) if n else 0.0
        opposite[2 * k], opposite[2 * k + 1] = ab[2 * k], -ab[2 * k] * (1.0 + shift)


@jit
def _e(ell, m, n):
    square = (ell - m) * (ell + m) * ((ell - n) * (ell + n)) / (4.0 * ell * ell - 1.0)
    return math.sqrt(square) / ell


@jit
def difference_coefficients(m, n, L, rga):
    """Compute (r, g, a) of `difference_step` for l = l0, l0+1, ...; returns the number of degrees.

    With w_l = sqrt((l^2-m^2)(l^2-n^2)); g contains l^2 - w_l - mn, which `_product` computes without
    cancellation.
    """
    l0 = max(abs(m), abs(n))
    w, gap = _product(float(l0), m, n)
    for k in range(L - l0):
        ell = float(l0 + k)
        next_ell = ell + 1.0
        next_w, next_gap = _product(next_ell, m, n)
        if l0 + k == 0:
            rga[0], rga[1], rga[2] = 0.0, 0.0, -1.0 / next_w
        else:
            inverse = 1.0 / (ell * next_w)
            rga[3 * k] = next_ell * w * inverse
            rga[3 * k + 1] = (next_ell * gap + ell * next_gap) * inverse
            rga[3 * k + 2] = -(2.0 * ell + 1.0) * next_ell * ell * inverse
        w, gap = next_w, next_gap
    return L - l0


@jit
def _product(ell, m, n):
    """Return w_l and l^2 - w_l - mn without cancellation: l^2 (1 - cos(a - b)), m = l sin a, n = l sin b."""
    if ell == 0.0:
        return 0.0, 0.0
    # Divide: m * (1/m) is not always 1, and then the root of the difference would not be small.
    u, v = m / ell, n / ell
    cos_u, cos_v = math.sqrt((1.0 - u) * (1.0 + u)), math.sqrt((1.0 - v) * (1.0 + v))
    w = ell * ell * cos_u * cos_v
    cosine = cos_u * cos_v + u * v
    if m == n:
        return w, 0.0
    if m * n > 0:
        sine = (m - n) * (m + n) / (ell * ell * (u * cos_v + v * cos_u))
        return w, ell * ell * sine * sine / (1.0 + cosine)
    deficit = (u * u + v * v - u * u * v * v) / (1.0 + cos_u * cos_v)  # 1 - cos_u cos_v
    return w, ell * ell * (deficit - u * v)
