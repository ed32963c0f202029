"""Coefficients of the three forms of the recursion (see `kernels.wigner_recursion`), for each order.

e_l = sqrt((l^2-m^2)(l^2-n^2)/(4l^2-1)) / l and lambda_l = alpha_l p_l. The square roots and quotients take up
to a third of the time of a small transform; therefore the coefficients of all orders are cached for L up to
`MAX_CACHED`.
"""

import math
from collections import namedtuple
from functools import lru_cache

import numpy as np

from spherekit._core.jit import leaf
from spherekit.kernels.simd import fma, pointer

#: Largest band-limit whose coefficients are cached: 10 to 24 L^2 bytes.
MAX_CACHED = 1024
#: The same for |spin| > 4, since a signal on the rotation group has many spins.
MAX_CACHED_ANY_SPIN = 256

#: Coefficients of ``orders`` orders in the first two forms, in rows of ``row_size`` elements: e_l from l = m
#: on (n = 0 only), alpha, (a, b) of a step; followed by those of ``polar_orders`` orders in the difference
#: form, (r, g, a) of a step, in rows of ``polar_row_size`` elements, for one sign of n after the other.
Coefficients = namedtuple("Coefficients", "values orders row_size polar_orders polar_row_size")


@lru_cache(maxsize=32)
def cached_coefficients(L, spin):
    """Return the coefficients of all orders, n = -spin; an empty table for L beyond `MAX_CACHED`.

    In the difference form, only the orders that matter close to a pole are cached.
    """
    table = _allocate(*_cached_rows(L, spin), L, spin)
    if table.orders:
        (_fill_degrees if spin else _fill_pairs)(L, spin, table)
    if table.polar_orders:
        _fill_differences(L, spin, table)
    return table


def cached_bytes(L, spin):
    """Return the number of bytes of `cached_coefficients`."""
    orders, polar_orders = _cached_rows(L, spin)
    row_size, polar_row_size = _row_sizes(L, spin)
    return 8 * (orders * row_size + (2 if spin else 1) * polar_orders * polar_row_size)


def _cached_rows(L, spin):
    """Return the number of orders that are cached, and how many of them matter close to a pole."""
    orders = L if L <= (MAX_CACHED if abs(spin) < 5 else MAX_CACHED_ANY_SPIN) else 0
    return orders, min(orders, 90 + abs(spin) if L > 200 else 0)


def _row_sizes(L, spin):
    """Return the number of elements of an order in the first two forms, and in the difference form."""
    return 3 * L + 16 if spin else 2 * L + L // 2 + 24, 3 * L + 8


def buffer_size(L, spin):
    """Return the number of elements of one order: a row, and a row of the difference form."""
    return sum(_row_sizes(L, spin))


def _allocate(orders, polar_orders, L, spin):
    """Allocate coefficients with the given numbers of rows."""
    row_size, polar_row_size = _row_sizes(L, spin)
    polar_rows = polar_orders * (2 if spin else 1)
    values = np.empty(orders * row_size + polar_rows * polar_row_size)
    return Coefficients(values, orders, row_size, polar_orders, polar_row_size)


@leaf
def zonal_row(row, L):
    """Return pointers to (e, alpha, ab) in the row of an order for n = 0."""
    return row, pointer(row, L + 8), pointer(row, L + 8 + L // 2 + 8)


@leaf
def spin_row(row, L):
    """Return pointers to (alpha, ab) in the row of an order for n != 0."""
    return row, pointer(row, L + 8)


@leaf
def _fill_pairs(L, spin, table):
    for m in range(L):
        e, alpha, ab = zonal_row(pointer(table.values, m * table.row_size), L)
        pair_coefficients(m, L, e, alpha, ab)


@leaf
def _fill_degrees(L, spin, table):
    for m in range(L):
        alpha, ab = spin_row(pointer(table.values, m * table.row_size), L)
        degree_coefficients(m, -spin, L, alpha, ab)


@leaf
def _fill_differences(L, spin, table):
    row = pointer(table.values, table.orders * table.row_size)
    for second in range(2 if spin else 1):
        for m in range(table.polar_orders):
            difference_coefficients(m, spin if second else -spin, L, row)
            row = pointer(row, table.polar_row_size)


@leaf
def difference_row(table, second, m):
    """Return a pointer to the cached row of order m in the difference form; ``second``: n = +spin."""
    row = second * table.polar_orders + m
    return pointer(table.values, table.orders * table.row_size + row * table.polar_row_size)


@leaf
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


@leaf
def sin2_coefficients(ab, count, ab_sin2):
    """Compute (a, b) of the same steps in z = sin^2 = 1 - cos^2."""
    for k in range(count):
        ab_sin2[2 * k], ab_sin2[2 * k + 1] = -ab[2 * k], ab[2 * k] + ab[2 * k + 1]


@leaf
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


@leaf
def opposite_coefficients(m, n, L, ab, opposite):
    """Compute (a, b) for -n from a for n: b = a (1 + mn/(l(l+1))), a with a minus sign."""
    l0 = max(abs(m), abs(n))
    for k in range(L - l0):
        ell = float(l0 + k)
        shift = m * n / (ell * (ell + 1.0)) if n else 0.0
        opposite[2 * k], opposite[2 * k + 1] = ab[2 * k], -ab[2 * k] * (1.0 + shift)


@leaf
def _e(ell, m, n):
    square = (ell - m) * (ell + m) * ((ell - n) * (ell + n)) / (4.0 * ell * ell - 1.0)
    return math.sqrt(square) / ell


@leaf
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
            rga[3 * k + 1] = fma(next_ell, gap, ell * next_gap) * inverse
            rga[3 * k + 2] = -(2.0 * ell + 1.0) * next_ell * ell * inverse
        w, gap = next_w, next_gap
    return L - l0


@leaf
def _product(ell, m, n):
    """Return w_l and l^2 - w_l - mn without cancellation: l^2 (1 - cos(a - b)), m = l sin a, n = l sin b.

    Explicit `fma` makes the results the same wherever this function is inlined.
    """
    if ell == 0.0:
        return 0.0, 0.0
    # Divide: m * (1/m) is not always 1, and then the root of the difference would not be small.
    u, v = m / ell, n / ell
    cos_u, cos_v = math.sqrt((1.0 - u) * (1.0 + u)), math.sqrt((1.0 - v) * (1.0 + v))
    w = ell * ell * cos_u * cos_v
    if m == n:
        return w, 0.0
    if m * n > 0:
        cosine = fma(u, v, cos_u * cos_v)
        sine = (m - n) * (m + n) / (ell * ell * fma(v, cos_u, u * cos_v))
        return w, ell * ell * sine * sine / (1.0 + cosine)
    # 1 - cos_u cos_v
    deficit = fma(-u * u * v, v, fma(v, v, u * u)) / fma(cos_u, cos_v, 1.0)
    return w, ell * ell * fma(-u, v, deficit)
