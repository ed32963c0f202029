"""Three-term recursions over the degree for Wigner d-functions, the basis of all transforms.

With ``lambda_l = sqrt((2l+1)/4pi) d^l_mn(theta)`` and ``e_l = sqrt((l^2-m^2)(l^2-n^2)/(4l^2-1)) / l``,

    (cos theta - mn/(l(l+1))) lambda_l = e_{l+1} lambda_{l+1} + e_l lambda_{l-1}.

The recursion starts from the closed form at l0 = max(|m|, |n|) and runs upward, which is stable for all m and
n. Three forms of it are used, all with rings as SIMD lanes in the inner loop:

- one degree per step, any n, in the variable y = 1 - cos(theta);
- two degrees per step for n = 0, for lambda_{m+2k+1}/cos(theta), in cos^2 or sin^2, whichever is small
  (Ishioka 2018, J. Meteorol. Soc. Japan 96, 241);
- the difference (Reinsch) form for d^l itself. Near a pole the other two forms have errors ~ l^2 eps, which
  this one avoids.

In the first two forms lambda_l = alpha_l p_l, with alpha such that ``p_{k+1} = (a_k z + b_k) p_k - p_{k-1}``
(`kernels.recursion_coefficients`).

Names used throughout: ``first`` is the first lane of a block of rings; ``count`` the number of steps of an
order; ``state`` a buffer with the vectors p_{k-1} and p_k (difference form: d^l - d^{l-1} and d^l); ``c``
contains the coefficients of four real series, interleaved; ``z`` is the variable of the form: y, sin^2 or
cos^2.
"""

import math

import numpy as np

from spherekit._core.jit import leaf
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
from spherekit.kernels.transpose import row_sums

#: log2 of the value below which a term is negligible in a sum of terms of order one.
NEGLIGIBLE = -110.0
#: Largest range, in binary orders of magnitude, of the starting values in one block of lanes: values below
#: 2^-1000 of the largest underflow.
LANE_RANGE = 600.0
#: Forms of the recursion on a block of rings: difference form, form in sin^2 or y, form in cos^2 or y.
DIFFERENCES, SIN2, COS2 = 0, 1, 2
#: Number of lanes of a partial sum over rings in memory.
SUM_LANES = 8
#: Number of degrees (or pairs of degrees) whose partial sums fit into the first-level cache.
DEGREE_CHUNK = 64


@leaf
def step(a, b, z, p, q):
    """Return p_{k+1} from p = p_k and q = p_{k-1}, for scalars or vectors."""
    return (a * z + b) * p - q


@leaf
def difference_step(r, g, a, y, p, d):
    """Return d^{l+1} - d^l from p = d^l and d = d^l - d^{l-1}, for scalars or vectors."""
    return r * d + (a * y + g) * p


# --- starting values ---------------------------------------------------------------------------------


def log_seed(L, n):
    """Return log2 of ``sqrt(binom(2 l0, l0-mu) / 4^l0)`` for m = 0..L-1; l0, mu = max, min of (m, |n|).

    Computed as ``binom(2l, l)/4^l = prod_k (1 - 1/2k)`` times ``prod_{j<mu} (1 - (2j+1)/(l+j+1))``: all terms
    of these sums have the same sign, which avoids the cancellation in differences of log-gamma functions.
    """
    n = abs(int(n))
    central = np.concatenate([[0.0], np.cumsum(np.log1p(-0.5 / np.arange(1, max(L, n + 1))))])
    l0 = np.arange(n, L, dtype=float)
    m_above_n = central[n:L].copy()
    for j in range(n):
        m_above_n += np.log1p(-(2 * j + 1) / (l0 + j + 1))
    j = np.arange(n)
    m_below_n = np.concatenate([[0.0], np.cumsum(np.log1p(-(2 * j + 1) / (n + j + 1.0)))])
    return 0.5 / math.log(2) * np.concatenate([central[n] + m_below_n[:n], m_above_n])[:L]


@leaf
def seed_sign(m, n):
    """Return the sign of d^l_mn at l = max(|m|, |n|) for m >= 0."""
    alternates = m >= abs(n) or n < 0
    return -1.0 if alternates and (m - n) % 2 else 1.0


@leaf
def seed(lanes, m, n, log_norm, log_sin, log_tan, first, state):
    """Write the starting values to ``state``, scaled by the largest lane; returns log2 of the scale.

    d^{l0}_mn = +- norm sin(theta)^l0 tan(theta/2)^(-+mu), + where m and n differ in sign.
    """
    l0 = float(max(abs(m), abs(n)))
    mu = float(min(abs(m), abs(n)))
    if m * n > 0:
        mu = -mu
    v = splat(lanes, l0) * load(lanes, log_sin, first)
    v = v + splat(lanes, mu) * load(lanes, log_tan, first)
    log_peak = highest(v)
    store(state, width(lanes), exp2(v - splat(lanes, log_peak)))
    store(state, 0, splat(lanes, 0.0))
    return log_peak + log_norm


def exceeds_lane_range(sine, larger_sine, L):
    """Return whether orders that matter at one sine underflow in a block of lanes with a larger sine.

    An order m starts at sin(theta)^m and is negligible beyond m = L sin(theta).
    """
    sine, larger_sine = (np.maximum(x, 1e-300) for x in (sine, larger_sine))
    return L * sine * np.log2(larger_sine / sine) > LANE_RANGE


def lane_groups(count, size, is_apart):
    """Assign the items 0..count-1 to lanes, in groups of ``size``; unused lanes repeat the previous item.

    Items i < j for which ``is_apart(i, j)`` is true are in different groups; ``is_apart`` takes arrays.

    >>> lane_groups(5, 4, lambda i, j: j - i > 2)
    array([0, 1, 2, 2, 3, 4, 4, 4])
    """
    lanes = np.minimum(np.arange(-(-count // size) * size), count - 1).reshape(-1, size)
    i, j = np.triu_indices(size, 1)
    if not np.any(is_apart(lanes[:, i], lanes[:, j])):
        return lanes.reshape(-1)
    lanes, group = [], []
    for item in range(count):
        if len(group) == size or np.any(is_apart(np.array(group, int), item)):
            lanes += group + [group[-1]] * (size - len(group))
            group = []
        group.append(item)
    return np.array(lanes + group + [group[-1]] * (size - len(group)))


@leaf
def skip_negligible(lanes, z, first, state, ab, exponent, count):
    """Run the recursion without sums while all lanes are negligible; returns the index of the degree.

    ``exponent``: log2 of the scale of ``state``, which is unscaled on return. Returns ``count`` where all
    degrees are negligible.
    """
    x, q, p = load(lanes, z, first), load(lanes, state, 0), load(lanes, state, width(lanes))
    k = 0
    threshold = _threshold(exponent)
    peak = largest(p)
    while k + 8 < count and peak < threshold:
        for i in range(k, k + 8, 2):
            q = step(spread(lanes, ab, 2 * i), spread(lanes, ab, 2 * i + 1), x, p, q)
            p = step(spread(lanes, ab, 2 * i + 2), spread(lanes, ab, 2 * i + 3), x, q, p)
        k += 8
        peak = largest(p)
        if peak > 1e60:
            exponent += 200.0
            p, q = p * splat(lanes, 2.0**-200), q * splat(lanes, 2.0**-200)
            peak *= 2.0**-200
            threshold = _threshold(exponent)
    return _unscale(lanes, state, q, p, exponent, k, count)


@leaf
def skip_negligible_differences(lanes, y, first, state, rga, exponent, count):
    """`skip_negligible` in the difference form: ``state`` contains d^l - d^{l-1}, then d^l."""
    x, d, p = load(lanes, y, first), load(lanes, state, 0), load(lanes, state, width(lanes))
    k = 0
    threshold = _threshold(exponent)
    peak = largest(p)
    while k + 8 < count and peak < threshold:
        for i in range(3 * k, 3 * k + 24, 3):
            r, g, a = spread(lanes, rga, i), spread(lanes, rga, i + 1), spread(lanes, rga, i + 2)
            d = difference_step(r, g, a, x, p, d)
            p = p + d
        k += 8
        peak = largest(p)
        if peak > 1e60:
            exponent += 200.0
            p, d = p * splat(lanes, 2.0**-200), d * splat(lanes, 2.0**-200)
            peak *= 2.0**-200
            threshold = _threshold(exponent)
    return _unscale(lanes, state, d, p, exponent, k, count)


@leaf
def _threshold(exponent):
    """Return the value from which a state of scale 2^exponent is not negligible."""
    return 2.0 ** min(NEGLIGIBLE - exponent, 1000.0)


@leaf
def _unscale(lanes, state, q, p, exponent, k, count):
    """Store the unscaled state and return k, or ``count`` where the state is negligible to the end."""
    if max(largest(p), largest(q)) < _threshold(exponent):
        return count
    scale = splat(lanes, 2.0**exponent)
    store(state, 0, q * scale)
    store(state, width(lanes), p * scale)
    return k


@leaf
def clear(array, count):
    """Set the first ``count`` elements of an array to 0."""
    for i in range(count):
        array[i] = 0.0


# --- inner loops -------------------------------------------------------------------------------------


@leaf
def synthesize(lanes, z, first, state, ab, c, k, count, out):
    """Compute out[j] = sum_k c[4k+j] p_k for j = 0..3, each a vector of rings."""
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
def synthesize_differences(lanes, y, first, state, rga, c, k, count, out):
    """`synthesize` in the difference form."""
    w = width(lanes)
    x, d, p = load(lanes, y, first), load(lanes, state, 0), load(lanes, state, w)
    s0 = s1 = s2 = s3 = splat(lanes, 0.0)
    for i in range(k, count):
        s0, s1 = s0 + spread(lanes, c, 4 * i) * p, s1 + spread(lanes, c, 4 * i + 1) * p
        s2, s3 = s2 + spread(lanes, c, 4 * i + 2) * p, s3 + spread(lanes, c, 4 * i + 3) * p
        r, g = spread(lanes, rga, 3 * i), spread(lanes, rga, 3 * i + 1)
        a = spread(lanes, rga, 3 * i + 2)
        d = difference_step(r, g, a, x, p, d)
        p = p + d
    store(out, 0, s0)
    store(out, w, s1)
    store(out, 2 * w, s2)
    store(out, 3 * w, s3)


@leaf
def values_differences(lanes, y, first, state, rga, k, count, out):
    """Compute out[width i + lane] = d^l, l = l0 + i, for i < count; zero for i < k."""
    w = width(lanes)
    x, d, p = load(lanes, y, first), load(lanes, state, 0), load(lanes, state, w)
    for i in range(k):
        store(out, i * w, splat(lanes, 0.0))
    for i in range(k, count):
        store(out, i * w, p)
        r, g = spread(lanes, rga, 3 * i), spread(lanes, rga, 3 * i + 1)
        a = spread(lanes, rga, 3 * i + 2)
        d = difference_step(r, g, a, x, p, d)
        p = p + d


@leaf
def analyze(lanes, eight, z, lane, state, ab, values, k, first, last, sums):
    """Add p_k values[j] to sums[4(k - first) + j] for k < last, with the rings reduced to eight lanes.

    The transpose of `synthesize`, for a range of degrees.
    """
    w = width(lanes)
    x, q, p = load(lanes, z, lane), load(lanes, state, 0), load(lanes, state, w)
    while k + 1 < last:
        r = step(spread(lanes, ab, 2 * k), spread(lanes, ab, 2 * k + 1), x, p, q)
        _add_two_degrees(lanes, eight, sums, 4 * (k - first), p, r, values)
        q, p = r, step(spread(lanes, ab, 2 * k + 2), spread(lanes, ab, 2 * k + 3), x, r, p)
        k += 2
    if k < last:
        _add_degree(lanes, eight, sums, 4 * (k - first), p, values)
    store(state, 0, q)
    store(state, w, p)


@leaf
def analyze_differences(lanes, eight, y, first, state, rga, values, k, count, sums):
    """`analyze` in the difference form; the transpose of `synthesize_differences`."""
    x, d = load(lanes, y, first), load(lanes, state, 0)
    p = load(lanes, state, width(lanes))
    for i in range(k, count):
        _add_degree(lanes, eight, sums, 4 * i, p, values)
        r, g = spread(lanes, rga, 3 * i), spread(lanes, rga, 3 * i + 1)
        d = difference_step(r, g, spread(lanes, rga, 3 * i + 2), x, p, d)
        p = p + d


@leaf
def _add_degree(lanes, eight, sums, j, p, values):
    """Add p values[n] to the sums of one degree."""
    for n in range(4):
        i = SUM_LANES * (j + n)
        v = load(lanes, values, n * width(lanes))
        store(sums, i, accumulate(load(eight, sums, i), p, v))


@leaf
def _add_two_degrees(lanes, eight, sums, j, p, r, values):
    """Add p values[n] and r values[n] to the sums of two degrees.

    They share the loads of ``values``, which stay in memory because registers are few.
    """
    for n in range(4):
        i = SUM_LANES * (j + n)
        v = load(lanes, values, n * width(lanes))
        a = accumulate(load(eight, sums, i), p, v)
        b = accumulate(load(eight, sums, i + 4 * SUM_LANES), r, v)
        store(sums, i, a)
        store(sums, i + 4 * SUM_LANES, b)


@leaf
def add_lanes(lanes, sums, count, c, first):
    """Set c[first + j] to the sum of the eight lanes of sums[j] in a fixed order, for j < 4 count.

    ``c`` needs 8 more elements.
    """
    for j in range(0, 4 * count, SUM_LANES):
        store(c, first + j, row_sums(lanes, sums, j * SUM_LANES))
