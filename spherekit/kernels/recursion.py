"""The recursion in the degree that every transform on the sphere and the rotation group rests on.

With ``lambda_l = sqrt((2l+1)/4pi) d^l_mn(theta)`` and ``e_l = sqrt((l^2-m^2)(l^2-n^2)/(4l^2-1)) / l``,

    (cos theta - mn/(l(l+1))) lambda_l = e_{l+1} lambda_{l+1} + e_l lambda_{l-1},

started from the closed form at l0 = max(|m|, |n|) and run upward, which is stable for every m and n.
Three forms of it are used, all with one inner loop over rings as SIMD lanes:

- one degree at a time, any n, written in y = 1 - cos(theta);
- two degrees at a time for n = 0, on lambda_{m+2k+1}/cos(theta), in cos^2 or sin^2 (Ishioka 2018,
  J. Meteorol. Soc. Japan 96, 241), whichever is small;
- the difference (Reinsch) form on d^l itself, which near a pole keeps the digits (~ l^2 eps) that the
  others lose there.

In the first two lambda_l = alpha_l p_l, with alpha such that ``p_{k+1} = (a_k z + b_k) p_k - p_{k-1}``.
Functions of the kernel layer take arrays and numbers only; ``state`` holds p_{k-1}, then p_k.
"""

import math

import numpy as np

from spherekit._jit import jit, leaf
from spherekit.kernels.rows import load_rows
from spherekit.kernels.simd import (
    accumulate,
    exp2,
    highest,
    largest,
    load,
    splat,
    spread,
    store,
    width,
)

#: log2 below which a value cannot matter in a sum of terms of order one.
NEGLIGIBLE = -110.0
#: Lanes that hold partial sums in memory.
SUMS = 8


@leaf
def step(a, b, z, p, q):
    """p_{k+1} from p = p_k and q = p_{k-1}; for scalars and vectors alike."""
    return (a * z + b) * p - q


@leaf
def difference_step(r, g, a, y, p, d):
    """d^{l+1} - d^l from p = d^l and d = d^l - d^{l-1}; for scalars and vectors alike."""
    return r * d + (a * y + g) * p


# --- coefficients ------------------------------------------------------------------------------------


@jit
def pair_coefficients(m, L, e, alpha, pole, equator):
    """Coefficients of the two-degree form for n = 0; returns the number of pairs.

    e[i] = e_{m+i}. ``pole`` holds (a, b) for z = sin^2(theta), ``equator`` for z = cos^2(theta).
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
    for k in range(1, count):  # the only serial loop: one product
        alpha[k + 1] *= alpha[k - 1]
    for k in range(count):
        i = 2 * k + 1
        a = alpha[k] / (alpha[k + 1] * e[i + 1] * e[i + 2])
        middle = e[i + 1] * e[i + 1] + e[i] * e[i]
        equator[2 * k], equator[2 * k + 1] = a, -a * middle
        pole[2 * k], pole[2 * k + 1] = -a, a * (1.0 - middle)
    return count


@jit
def degree_coefficients(m, n, L, alpha, ab):
    """Coefficients of the one-degree form in z = y; alpha[k] belongs to l = l0 + k."""
    l0 = max(abs(m), abs(n))
    alpha[0] = 1.0
    before = 0.0
    for k in range(L - l0):
        ell = float(l0 + k)
        e = _e(ell + 1.0, m, n)
        alpha[k + 1] = 0.5 / e if k == 0 else before / e * alpha[k - 1]
        a = alpha[k] / (alpha[k + 1] * e)
        shift = m * n / (ell * (ell + 1.0)) if n else 0.0
        ab[2 * k], ab[2 * k + 1] = -a, a * (1.0 - shift)
        before = e
    return L - l0


@jit
def _e(ell, m, n):
    square = (ell - m) * (ell + m) * ((ell - n) * (ell + n)) / (4.0 * ell * ell - 1.0)
    return math.sqrt(square) / ell


@jit
def difference_coefficients(m, n, L, rga):
    """(r, g, a) of `difference_step` for l = l0, l0+1, ...; returns their number.

    With w_l = sqrt((l^2-m^2)(l^2-n^2)) = l^2 (1 - delta_l), the part of g that would cancel is taken
    out by hand.
    """
    l0 = max(abs(m), abs(n))
    here = _delta(float(l0), m, n) if l0 else 0.0
    for k in range(L - l0):
        ell = float(l0 + k)
        up = ell + 1.0
        above = _delta(up, m, n)
        w = up * up * (1.0 - above)
        if l0 + k == 0:
            rga[0], rga[1], rga[2] = 0.0, 0.0, -1.0 / w
        else:
            over = 1.0 / (ell * w)
            g = ell * up * (up * above + ell * here) - (2.0 * ell + 1.0) * m * n
            rga[3 * k] = up * ell * ell * (1.0 - here) * over
            rga[3 * k + 1] = g * over
            rga[3 * k + 2] = -(2.0 * ell + 1.0) * up * ell * over
        here = above
    return L - l0


@jit
def _delta(ell, m, n):
    """1 - sqrt((1 - m^2/l^2)(1 - n^2/l^2)) without cancellation."""
    u, v = (
        (m / ell) ** 2,
        (n / ell) ** 2,
    )  # divided: m * (1/m) is not always 1, nor its root's rest small
    return (u + v - u * v) / (1.0 + math.sqrt((1.0 - u) * (1.0 - v)))


# --- starting values ---------------------------------------------------------------------------------


def log_seed(L, n):
    """log2 of ``sqrt(binom(2 l0, l0-mu) / 4^l0)`` for m = 0..L-1; l0, mu = max, min of (m, |n|).

    As ``binom(2l, l)/4^l = prod_k (1 - 1/2k)`` times ``prod_{j<mu} (1 - (2j+1)/(l+j+1))``: sums of one sign,
    which keep their digits where differences of log-gamma functions would lose them.
    """
    n = abs(int(n))
    central = np.concatenate([[0.0], np.cumsum(np.log1p(-0.5 / np.arange(1, max(L, n + 1))))])
    l0 = np.arange(n, L, dtype=float)
    above = central[n:L].copy()
    for j in range(n):
        above += np.log1p(-(2 * j + 1) / (l0 + j + 1))
    j = np.arange(n)
    falling = np.concatenate([[0.0], np.cumsum(np.log1p(-(2 * j + 1) / (n + j + 1.0)))])
    return 0.5 / math.log(2) * np.concatenate([central[n] + falling[:n], above])[:L]


@leaf
def seed_sign(m, n):
    """Sign of d^l_mn at l = max(|m|, |n|) for m >= 0."""
    flips = m >= abs(n) or n < 0
    return -1.0 if flips and (m - n) % 2 else 1.0


@leaf
def seed(lanes, m, n, log_norm, log_sin, log_tan, first, state):
    """Put the start of the recursion into ``state``, its largest lane 1; returns log2 of the scale.

    d^{l0}_mn = +- norm sin(theta)^l0 tan(theta/2)^(-+mu), + where m and n differ in sign.
    """
    w = width(lanes)
    l0, mu = float(max(abs(m), abs(n))), float(min(abs(m), abs(n)))
    if m * n > 0:
        mu = -mu
    v = splat(lanes, l0) * load(lanes, log_sin, first)
    v = v + splat(lanes, mu) * load(lanes, log_tan, first)
    top = highest(v)
    store(state, w, exp2(v - splat(lanes, top)))
    store(state, 0, splat(lanes, 0.0))
    return top + log_norm


@leaf
def climb(lanes, z, first, state, ab, exponent, count):
    """Run the recursion alone until its largest lane matters; returns the degree's index.

    ``exponent``: log2 of the scale of ``state``, which comes out unscaled; a start that never came to
    matter returns ``count``.
    """
    x, q, p = load(lanes, z, first), load(lanes, state, 0), load(lanes, state, width(lanes))
    k, bar = 0, _bar(exponent)
    size = largest(p)
    while k + 8 < count and size < bar:
        for i in range(k, k + 8, 2):
            q = step(spread(lanes, ab, 2 * i), spread(lanes, ab, 2 * i + 1), x, p, q)
            p = step(spread(lanes, ab, 2 * i + 2), spread(lanes, ab, 2 * i + 3), x, q, p)
        k += 8
        size = largest(p)
        if size > 1e60:
            exponent += 200.0
            p, q = p * splat(lanes, 2.0**-200), q * splat(lanes, 2.0**-200)
            size, bar = size * 2.0**-200, _bar(exponent)
    return _finish(lanes, state, q, p, exponent, k, count)


@leaf
def climb_differences(lanes, y, first, state, rga, exponent, count):
    """`climb` in the difference form: ``state`` holds d^l - d^{l-1}, then d^l."""
    x, d, p = load(lanes, y, first), load(lanes, state, 0), load(lanes, state, width(lanes))
    k, bar = 0, _bar(exponent)
    size = largest(p)
    while k + 8 < count and size < bar:
        for i in range(3 * k, 3 * k + 24, 3):
            r, g, a = spread(lanes, rga, i), spread(lanes, rga, i + 1), spread(lanes, rga, i + 2)
            d = difference_step(r, g, a, x, p, d)
            p = p + d
        k += 8
        size = largest(p)
        if size > 1e60:
            exponent += 200.0
            p, d = p * splat(lanes, 2.0**-200), d * splat(lanes, 2.0**-200)
            size, bar = size * 2.0**-200, _bar(exponent)
    return _finish(lanes, state, d, p, exponent, k, count)


@leaf
def _bar(exponent):
    """The value from which a state of that scale matters."""
    return 2.0 ** min(NEGLIGIBLE - exponent, 1000.0)


@leaf
def _finish(lanes, state, q, p, exponent, k, count):
    """Scale the state; a start that never came to matter is skipped (k = count)."""
    if max(largest(p), largest(q)) < _bar(exponent):
        return count
    scale = splat(lanes, 2.0**exponent)
    store(state, 0, q * scale)
    store(state, width(lanes), p * scale)
    return k


# --- inner loops -------------------------------------------------------------------------------------


@leaf
def synthesise(lanes, z, first, state, ab, c, k, count, out):
    """out[j] = sum_k c[4k+j] p_k for j = 0..3, a vector of rings each."""
    w = width(lanes)
    x, q, p = load(lanes, z, first), load(lanes, state, 0), load(lanes, state, w)
    s0 = s1 = s2 = s3 = splat(lanes, 0.0)
    while k + 1 < count:
        s0, s1 = s0 + spread(lanes, c, 4 * k) * p, s1 + spread(lanes, c, 4 * k + 1) * p
        s2, s3 = s2 + spread(lanes, c, 4 * k + 2) * p, s3 + spread(lanes, c, 4 * k + 3) * p
        q = step(spread(lanes, ab, 2 * k), spread(lanes, ab, 2 * k + 1), x, p, q)
        s0, s1 = s0 + spread(lanes, c, 4 * k + 4) * q, s1 + spread(lanes, c, 4 * k + 5) * q
        s2, s3 = s2 + spread(lanes, c, 4 * k + 6) * q, s3 + spread(lanes, c, 4 * k + 7) * q
        p = step(spread(lanes, ab, 2 * k + 2), spread(lanes, ab, 2 * k + 3), x, q, p)
        k += 2
    if k < count:
        s0, s1 = s0 + spread(lanes, c, 4 * k) * p, s1 + spread(lanes, c, 4 * k + 1) * p
        s2, s3 = s2 + spread(lanes, c, 4 * k + 2) * p, s3 + spread(lanes, c, 4 * k + 3) * p
    store(out, 0, s0)
    store(out, w, s1)
    store(out, 2 * w, s2)
    store(out, 3 * w, s3)


@leaf
def synthesise_differences(lanes, y, first, state, rga, c, k, count, out):
    """`synthesise` in the difference form."""
    w = width(lanes)
    x, d, p = load(lanes, y, first), load(lanes, state, 0), load(lanes, state, w)
    s0 = s1 = s2 = s3 = splat(lanes, 0.0)
    for i in range(k, count):
        s0, s1 = s0 + spread(lanes, c, 4 * i) * p, s1 + spread(lanes, c, 4 * i + 1) * p
        s2, s3 = s2 + spread(lanes, c, 4 * i + 2) * p, s3 + spread(lanes, c, 4 * i + 3) * p
        r, g, a = (
            spread(lanes, rga, 3 * i),
            spread(lanes, rga, 3 * i + 1),
            spread(lanes, rga, 3 * i + 2),
        )
        d = difference_step(r, g, a, x, p, d)
        p = p + d
    store(out, 0, s0)
    store(out, w, s1)
    store(out, 2 * w, s2)
    store(out, 3 * w, s3)


@leaf
def analyse(lanes, eight, z, first, state, ab, values, k, count, sums):
    """sums[4k+j] += p_k values[j], rings folded onto eight lanes; the transpose of `synthesise`."""
    x, q = load(lanes, z, first), load(lanes, state, 0)
    p = load(lanes, state, width(lanes))
    while k + 1 < count:
        r = step(spread(lanes, ab, 2 * k), spread(lanes, ab, 2 * k + 1), x, p, q)
        _add_two(lanes, eight, sums, 4 * k, p, r, values)
        q, p = r, step(spread(lanes, ab, 2 * k + 2), spread(lanes, ab, 2 * k + 3), x, r, p)
        k += 2
    if k < count:
        _add_one(lanes, eight, sums, 4 * k, p, values)


@leaf
def analyse_differences(lanes, eight, y, first, state, rga, values, k, count, sums):
    """`analyse` in the difference form; the transpose of `synthesise_differences`."""
    x, d = load(lanes, y, first), load(lanes, state, 0)
    p = load(lanes, state, width(lanes))
    for i in range(k, count):
        _add_one(lanes, eight, sums, 4 * i, p, values)
        r, g = spread(lanes, rga, 3 * i), spread(lanes, rga, 3 * i + 1)
        d = difference_step(r, g, spread(lanes, rga, 3 * i + 2), x, p, d)
        p = p + d


@leaf
def _add_one(lanes, eight, sums, j, p, values):
    for n in range(4):
        i, v = SUMS * (j + n), load(lanes, values, n * width(lanes))
        store(sums, i, accumulate(load(eight, sums, i), p, v))


@leaf
def _add_two(lanes, eight, sums, j, p, r, values):
    """Two degrees at once share the loads of ``values``, which stay in memory: registers are few."""
    for n in range(4):
        i, v = SUMS * (j + n), load(lanes, values, n * width(lanes))
        a = accumulate(load(eight, sums, i), p, v)
        b = accumulate(load(eight, sums, i + 4 * SUMS), r, v)
        store(sums, i, a)
        store(sums, i + 4 * SUMS, b)


@jit
def fold(lanes, sums, count, c):
    """c[j] = the eight lanes of sums[j] added in a fixed order, j < 4 count; c has room for 8 more."""
    offsets, square = np.arange(SUMS) * SUMS, np.empty(SUMS * SUMS)
    for j in range(0, 4 * count, SUMS):
        load_rows(lanes, sums, offsets, 0, j * SUMS, square, 0)
        a = load(lanes, square, 0) + load(lanes, square, SUMS)
        b = load(lanes, square, 2 * SUMS) + load(lanes, square, 3 * SUMS)
        d = load(lanes, square, 4 * SUMS) + load(lanes, square, 5 * SUMS)
        e = load(lanes, square, 6 * SUMS) + load(lanes, square, 7 * SUMS)
        store(c, j, (a + b) + (d + e))
