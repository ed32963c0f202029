"""The recursion's coefficients where rounding would show."""

import math
from fractions import Fraction

import numpy as np
import pytest

from spherekit._core.jit import runs_as_python
from spherekit.kernels.recursion_coefficients import cached_coefficients, difference_coefficients


def test_the_difference_form_starts_from_nothing():
    """At l = l0 the degree below does not exist: its factor is 0, not the root of a rounding error."""
    rga = np.empty(3 * 310)
    for n in (0, 2, -7):
        for m in range(300):
            if max(m, abs(n)) > 0:
                difference_coefficients(m, n, 305, rga)
                assert abs(rga[0]) < 1e-12, (m, n)


def fused(a, b, c):
    """a * b + c, rounded once."""
    return float(Fraction(a) * Fraction(b) + Fraction(c))


def gap(ell, m, n):
    """l^2 - w_l - mn, with w_l = sqrt((l^2-m^2)(l^2-n^2)), rounded as in the kernel; and w_l."""
    u, v = m / ell, n / ell
    cos_u, cos_v = math.sqrt((1 - u) * (1 + u)), math.sqrt((1 - v) * (1 + v))
    w = ell * ell * cos_u * cos_v
    if m * n > 0:
        sine = (m - n) * (m + n) / (ell * ell * fused(v, cos_u, u * cos_v))
        return ell * ell * sine * sine / (1 + fused(u, v, cos_u * cos_v)), w
    deficit = fused(-u * u * v, v, fused(v, v, u * u)) / fused(cos_u, cos_v, 1.0)
    return ell * ell * fused(-u, v, deficit), w


@pytest.mark.skipif(runs_as_python(), reason="plain Python rounds every product")
def test_the_roundings_do_not_depend_on_the_compiler():
    """The differences of nearly equal numbers, to the last bit, in cached rows and in those of one order."""
    L = 246
    for spin in (2, -3):
        table = cached_coefficients(L, spin)
        rows = table.values[table.orders * table.row_size :].reshape(2, table.polar_orders, -1)
        for second, n in enumerate((-spin, spin)):
            for m in (1, 5, 60):
                row = np.empty(3 * L)
                difference_coefficients(m, n, L, row)
                l0 = max(m, abs(n))
                assert (rows[second, m, : 3 * (L - l0)] == row[: 3 * (L - l0)]).all()
                for ell in map(float, range(l0 + 1, L, 13)):
                    (g, _), (next_g, next_w) = gap(ell, m, n), gap(ell + 1, m, n)
                    expected = fused(ell + 1, g, ell * next_g) * (1 / (ell * next_w))
                    if m != abs(n):
                        assert row[3 * int(ell - l0) + 1] == expected, (m, n, ell)
