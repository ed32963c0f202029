"""The matrices d^l(beta) of all degrees at one angle, by the difference form of the recursion in l.

Rows m >= 0 with |n| <= m are computed, with the orders n as lanes; the symmetries
d_nm = d_{-m,-n} = (-1)^{m-n} d_mn yield the remaining entries. With m/l = sin a_m,
w_l = sqrt((l^2-m^2)(l^2-n^2)) = l^2 cos a_m cos a_n, and the factor of a step of
`kernels.wigner_recursion.difference_step` that would suffer from cancellation is

    l^2 - w_l - mn = 2 l^2 sin^2((a_m - a_n)/2).

Factors that depend on n only are tabulated, so that a step takes a dozen operations without roots or
divisions. Rows are padded to full vectors; lanes beyond |n| = m are never read.
"""

import numpy as np

from spherekit._core.jit import jit
from spherekit._core.workspace import aligned
from spherekit.kernels.simd import Lanes, load, reverse, splat, spread, store, width
from spherekit.kernels.transpose import load_rows
from spherekit.kernels.wigner_recursion import difference_step

EIGHT = Lanes(8)


def fill(beta, L, negative, south, out):
    """Write the matrices of all degrees < L, concatenated, to ``out``.

    For ``beta`` in [0, pi/2]; with ``negative`` at -beta, with ``south`` at pi - beta.
    """
    half = np.longdouble(beta) / 2
    # pairs of float64: powers of single ones would have errors of l eps
    cosine, tangent = _float_pair(np.cos(half)), _float_pair(np.tan(half))
    _fill(EIGHT, L, float(2 * np.sin(half) ** 2), cosine, tangent, negative, south, out)


def _float_pair(x):
    return float(x), float(x - float(x))


def order_phases(angles, L):
    """e^{-i m angle} for |m| < L: (angles, 2L-1), accurate to rounding at all m."""
    from spherekit.wigner.rotation_kernels import phases

    half = phases(angles, L, 0).view(complex)
    return np.concatenate([half[:, :0:-1].conj(), half], axis=1)


@jit
def apply_phases(real, left, right, L, out):
    """D from d: out = e^{-i m alpha} d_mn e^{-i n gamma}, degrees concatenated."""
    i = 0
    for ell in range(L):
        for m in range(L - 1 - ell, L + ell):
            for n in range(L - 1 - ell, L + ell):
                out[i] = left[m] * (real[i] * right[n])
                i += 1


@jit
def _fill(lanes, L, y, cosine, tangent, negative, south, out):
    w = width(lanes)
    P, D = np.zeros((L, 2 * L + w)), np.zeros((L, 2 * L + w))  # columns n + L - 1
    table, table_above = np.ones((4, 2 * L + w)), np.ones((4, 2 * L + w))
    _angles(0, L, table_above)
    row = np.zeros(2 * L + w)
    first = 0
    flips = 1.0 - 2.0 * (np.arange(2 * L + w) % 2)
    work = aligned(w * w, P)
    offsets = np.empty(w, np.int64)
    for ell in range(L):
        _start(ell, L, cosine, tangent, P[ell])
        size = 2 * ell + 1
        matrix = out[first : first + size * size].reshape(size, size)
        for m in range(ell + 1):
            if south:  # d_mn(pi - beta) = (-1)^(l+m) d_{m,-n}(beta)
                for i in range(2 * m + 1):
                    row[i] = flips[ell + m] * P[m, L - 1 + m - i]
            else:
                for i in range(2 * m + 1):
                    row[i] = P[m, L - 1 - m + i]
            if negative:  # d_mn(-beta) = (-1)^(m-n) d_mn(beta)
                for i in range(2 * m + 1):
                    row[i] *= flips[i]
            _store_rows(lanes, row, m, ell, flips, matrix)
        _mirror(lanes, ell, flips, work, offsets, matrix)
        first += size * size
        if ell + 1 < L:
            table, table_above = table_above, table
            _angles(ell + 1, L, table_above)
            _step(lanes, ell, L, y, P, D, table, table_above)


@jit
def _start(ell, L, cosine, tangent, row):
    """d^l_{l n} = (-1)^{l-n} sqrt(binom(2l, l+n)) cos^{l+n} sin^{l-n} of beta/2."""
    mantissa, exponent = 1.0, 0
    for _ in range(2 * ell):
        mantissa = mantissa * cosine[0] + mantissa * cosine[1]
        if mantissa < 1e-200:
            mantissa, exponent = mantissa * 2.0**600, exponent - 600
    for n in range(ell, -ell - 1, -1):
        row[n + L - 1] = mantissa * 2.0 ** max(exponent, -1074)
        mantissa *= -np.sqrt((ell + n) / (ell - n + 1.0))
        mantissa = mantissa * tangent[0] + mantissa * tangent[1]
        if abs(mantissa) < 1e-200:
            mantissa, exponent = mantissa * 2.0**600, exponent - 600
        elif abs(mantissa) > 1e200:
            mantissa, exponent = mantissa * 2.0**-600, exponent + 600


@jit
def _angles(ell, L, table):
    """sin and cos of a_n/2, cos a_n and its inverse, for |n| <= l."""
    for n in range(-ell, ell + 1):
        sine = n / max(ell, 1)
        cosine = np.sqrt((1.0 - sine) * (1.0 + sine))
        half = np.sqrt(0.5 * (1.0 + cosine))
        table[0, n + L - 1], table[1, n + L - 1] = 0.5 * sine / half, half
        table[2, n + L - 1] = cosine
        table[3, n + L - 1] = 1.0 / cosine if abs(n) < ell else 0.0


@jit
def _step(lanes, ell, L, y, P, D, table, table_above):
    """Advance the rows m <= l from degree l to l + 1."""
    if ell == 0:
        D[0, L - 1], P[0, L - 1] = -y, 1.0 - y
        return
    w = width(lanes)
    above = ell + 1.0
    # factors of r, of the two terms of g, and of a, each divided by l (l+1)^2
    ratio, unit = splat(lanes, ell / above), splat(lanes, 1.0)
    a_factor, y = splat(lanes, -(2.0 * ell + 1.0) / above), splat(lanes, y)
    sines, cosines, full_cosines = table[0], table[1], table[2]
    sines_above, cosines_above, inverses = table_above[0], table_above[1], table_above[3]
    for m in range(ell + 1):
        j, p, d = m + L - 1, P[m], D[m]
        sine, cosine = spread(lanes, sines, j), spread(lanes, cosines, j)
        full_cosine = spread(lanes, full_cosines, j)
        sine_above, cosine_above = spread(lanes, sines_above, j), spread(lanes, cosines_above, j)
        inverse = spread(lanes, inverses, j)
        for i in range(L - 1 - m, L + m, w):
            u = sine * load(lanes, cosines, i) - cosine * load(lanes, sines, i)
            v = sine_above * load(lanes, cosines_above, i) - cosine_above * load(
                lanes, sines_above, i
            )
            scale, p_i = inverse * load(lanes, inverses, i), load(lanes, p, i)
            r = ratio * (full_cosine * load(lanes, full_cosines, i))
            g = ratio * (u * u) + unit * (v * v)
            slope = difference_step(
                scale * r, scale * (g + g), scale * a_factor, y, p_i, load(lanes, d, i)
            )
            store(d, i, slope)
            store(p, i, p_i + slope)


@jit
def _store_rows(lanes, row, m, ell, flips, matrix):
    """Store row m, |n| <= m, and row -m, which is row m reversed with the sign (-1)^(m-n)."""
    upper, lower, w = matrix[ell + m], matrix[ell - m], width(lanes)
    full = (2 * m + 1) // w * w
    for i in range(0, full, w):
        store(upper, ell - m + i, load(lanes, row, i))
        reversed_row = reverse(load(lanes, row, 2 * m + 1 - w - i))
        store(lower, ell - m + i, load(lanes, flips, 0) * reversed_row)
    for i in range(full, 2 * m + 1):
        upper[ell - m + i] = row[i]
        lower[ell - m + i] = flips[i % 2] * row[2 * m - i]


@jit
def _mirror(lanes, ell, flips, work, offsets, matrix):
    """Entries with |n| > |m|: d_mn = (-1)^(m-n) d_nm; full tiles are transposed in registers."""
    size, w = 2 * ell + 1, width(lanes)
    flat = matrix.reshape(-1)
    for c0 in range(0, size, w):
        c1 = min(c0 + w, size)
        nearest = 0 if c0 <= ell < c1 else min(abs(c0 - ell), abs(c1 - 1 - ell))
        for i in range(w):
            offsets[i] = min(c0 + i, size - 1) * size
        for r0 in range(0, size, w):
            r1 = min(r0 + w, size)
            if max(abs(r0 - ell), abs(r1 - 1 - ell)) < nearest and r1 - r0 == w == c1 - c0:
                load_rows(lanes, flat, offsets, 0, r0, work, 0)
                for i in range(w):
                    sign = load(lanes, flips, i % 2)  # tiles begin at even rows and columns
                    store(flat, (r0 + i) * size + c0, sign * load(lanes, work, i * w))
                continue
            for r in range(r0, r1):
                for c in range(c0, c1):
                    if abs(c - ell) > abs(r - ell):
                        matrix[r, c] = flips[(r + c) % 2] * matrix[c, r]
