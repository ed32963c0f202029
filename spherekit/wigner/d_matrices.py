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

from spherekit._core.jit import leaf
from spherekit.kernels.simd import Lanes, load, pointer, reverse, splat, spread, store, width
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
    w = EIGHT.type.width
    stride = 2 * L + w
    rows, tables = np.zeros(2 * L * stride), np.ones(8 * stride)
    work = np.zeros(stride + w * w)
    flips = 1.0 - 2.0 * (np.arange(stride) % 2)
    arrays = rows, tables, flips, work, np.empty(w, np.int64), out
    y = float(2 * np.sin(half) ** 2)
    _fill(EIGHT, L, y, cosine, tangent, negative, south, *arrays)


def _float_pair(x):
    return float(x), float(x - float(x))


def order_phases(angles, L):
    """e^{-i m angle} for |m| < L: (angles, 2L-1), accurate to rounding at all m."""
    from spherekit.wigner.rotation_kernels import phases

    half = phases(angles, L, 0).view(complex)
    return np.concatenate([half[:, :0:-1].conj(), half], axis=1)


@leaf
def apply_phases(real, left, right, L, out):
    """D from d: out = e^{-i m alpha} d_mn e^{-i n gamma}, degrees concatenated."""
    i = 0
    for ell in range(L):
        for m in range(L - 1 - ell, L + ell):
            for n in range(L - 1 - ell, L + ell):
                out[i] = left[m] * (real[i] * right[n])
                i += 1


@leaf
def _fill(lanes, L, y, cosine, tangent, negative, south, rows, tables, flips, work, offsets, out):
    """Compute the matrices degree by degree.

    The rows and the tables have the column n + L - 1 for order n. ``rows``: the values of each m, then their
    differences. ``tables``: those of the current degree and of the next (`_angles`). ``flips``: (-1)^i.
    """
    w = width(lanes)
    stride = 2 * L + w
    P, D = pointer(rows, 0), pointer(rows, L * stride)
    table, table_above = pointer(tables, 0), pointer(tables, 4 * stride)
    row, tile = pointer(work, 0), pointer(work, stride)
    _angles(0, L, stride, table_above)
    first = 0
    for ell in range(L):
        _start(ell, L, cosine, tangent, pointer(P, ell * stride))
        matrix = pointer(out, first)
        for m in range(ell + 1):
            values = pointer(P, m * stride + L - 1 - m)
            if south:  # d_mn(pi - beta) = (-1)^(l+m) d_{m,-n}(beta)
                for i in range(2 * m + 1):
                    row[i] = flips[ell + m] * values[2 * m - i]
            else:
                for i in range(2 * m + 1):
                    row[i] = values[i]
            if negative:  # d_mn(-beta) = (-1)^(m-n) d_mn(beta)
                for i in range(2 * m + 1):
                    row[i] *= flips[i]
            _store_rows(lanes, row, m, ell, pointer(flips, 0), matrix)
        _mirror(lanes, ell, pointer(flips, 0), tile, pointer(offsets, 0), matrix)
        first += (2 * ell + 1) * (2 * ell + 1)
        if ell + 1 < L:
            table, table_above = table_above, table
            _angles(ell + 1, L, stride, table_above)
            _step(lanes, ell, L, y, P, D, table, table_above)


@leaf
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


@leaf
def _angles(ell, L, stride, table):
    """sin and cos of a_n/2, cos a_n and its inverse, for |n| <= l."""
    for n in range(-ell, ell + 1):
        i, sine = n + L - 1, n / max(ell, 1)
        cosine = np.sqrt((1.0 - sine) * (1.0 + sine))
        half = np.sqrt(0.5 * (1.0 + cosine))
        table[i], table[stride + i] = 0.5 * sine / half, half
        table[2 * stride + i] = cosine
        table[3 * stride + i] = 1.0 / cosine if abs(n) < ell else 0.0


@leaf
def _step(lanes, ell, L, y, P, D, table, table_above):
    """Advance the rows m <= l from degree l to l + 1."""
    if ell == 0:
        D[L - 1], P[L - 1] = -y, 1.0 - y
        return
    w = width(lanes)
    stride, above = 2 * L + w, ell + 1.0
    # factors of r, of the two terms of g, and of a, each divided by l (l+1)^2
    ratio, unit = splat(lanes, ell / above), splat(lanes, 1.0)
    a_factor, y = splat(lanes, -(2.0 * ell + 1.0) / above), splat(lanes, y)
    sines, cosines = pointer(table, 0), pointer(table, stride)
    full_cosines, inverses = pointer(table, 2 * stride), pointer(table_above, 3 * stride)
    sines_above, cosines_above = pointer(table_above, 0), pointer(table_above, stride)
    for m in range(ell + 1):
        j, p, d = m + L - 1, pointer(P, m * stride), pointer(D, m * stride)
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


@leaf
def _store_rows(lanes, row, m, ell, flips, matrix):
    """Store row m, |n| <= m, and row -m, which is row m reversed with the sign (-1)^(m-n)."""
    w, size = width(lanes), 2 * ell + 1
    upper = pointer(matrix, (ell + m) * size + ell - m)
    lower = pointer(matrix, (ell - m) * size + ell - m)
    full = (2 * m + 1) // w * w
    for i in range(0, full, w):
        store(upper, i, load(lanes, row, i))
        reversed_row = reverse(load(lanes, row, 2 * m + 1 - w - i))
        store(lower, i, load(lanes, flips, 0) * reversed_row)
    for i in range(full, 2 * m + 1):
        upper[i] = row[i]
        lower[i] = flips[i % 2] * row[2 * m - i]


@leaf
def _mirror(lanes, ell, flips, work, offsets, matrix):
    """Entries with |n| > |m|: d_mn = (-1)^(m-n) d_nm; full tiles are transposed in registers."""
    size, w = 2 * ell + 1, width(lanes)
    for c0 in range(0, size, w):
        c1 = min(c0 + w, size)
        nearest = 0 if c0 <= ell < c1 else min(abs(c0 - ell), abs(c1 - 1 - ell))
        for i in range(w):
            offsets[i] = min(c0 + i, size - 1) * size
        for r0 in range(0, size, w):
            r1 = min(r0 + w, size)
            if max(abs(r0 - ell), abs(r1 - 1 - ell)) < nearest and r1 - r0 == w == c1 - c0:
                load_rows(lanes, matrix, offsets, 0, r0, work, 0)
                for i in range(w):
                    sign = load(lanes, flips, i % 2)  # tiles begin at even rows and columns
                    store(matrix, (r0 + i) * size + c0, sign * load(lanes, work, i * w))
                continue
            for r in range(r0, r1):
                for c in range(c0, c1):
                    if abs(c - ell) > abs(r - ell):
                        matrix[r * size + c] = flips[(r + c) % 2] * matrix[c * size + r]
