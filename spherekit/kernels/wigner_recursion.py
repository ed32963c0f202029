"""The recursion in the degree that every transform on the sphere and the rotation group rests on.

With ``lambda_l = sqrt((2l+1)/4pi) d^l_mn(theta)`` and ``e_l = sqrt((l^2-m^2)(l^2-n^2)/(4l^2-1)) / l``,

    (cos theta - mn/(l(l+1))) lambda_l = e_{l+1} lambda_{l+1} + e_l lambda_{l-1},

started from the closed form at l0 = max(|m|, |n|) and run upward, which is stable for every m and n.
Three forms of it are used, all with rings as SIMD lanes in the inner loop:

- one degree at a time, any n, written in y = 1 - cos(theta);
- two degrees at a time for n = 0, on lambda_{m+2k+1}/cos(theta), in cos^2 or sin^2 (Ishioka 2018,
  J. Meteorol. Soc. Japan 96, 241), whichever is small;
- the difference (Reinsch) form on d^l itself, which near a pole keeps the digits (~ l^2 eps) that the
  two other forms lose there.

In the first two lambda_l = alpha_l p_l, with alpha such that ``p_{k+1} = (a_k z + b_k) p_k - p_{k-1}``
(`kernels.recursion_coefficients`).

Names used throughout: ``first`` is the first lane of a block of rings, ``count`` the number of steps of an
order, ``state`` a buffer with the vectors p_{k-1} and p_k (differences: d^l - d^{l-1} and d^l), ``c`` the
coefficients of four real series side by side, and ``z`` the variable of the form: y, sin^2 or cos^2.
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

#: log2 below which a value cannot matter in a sum of terms of order one.
NEGLIGIBLE = -110.0
#: Binary orders of magnitude between starts in one block of lanes, at most: what starts at 2^-1000 of the
#: largest is lost.
LANE_RANGE = 600.0
#: Forms of the recursion on a block of rings: in differences, in sin^2 or y, in cos^2 or y.
DIFFERENCES, SIN2, COS2 = 0, 1, 2
#: Lanes of a partial sum over rings in memory.
SUM_LANES = 8
#: Degrees (or pairs of degrees) whose partial sums fit the first-level cache.
DEGREE_CHUNK = 64


@leaf
def step(a, b, z, p, q):
    """p_{k+1} from p = p_k and q = p_{k-1}; for scalars and vectors alike."""
    return (a * z + b) * p - q


@leaf
def difference_step(r, g, a, y, p, d):
    """d^{l+1} - d^l from p = d^l and d = d^l - d^{l-1}; for scalars and vectors alike."""
    return r * d + (a * y + g) * p


# --- starting values ---------------------------------------------------------------------------------


def log_seed(L, n):
    """log2 of ``sqrt(binom(2 l0, l0-mu) / 4^l0)`` for m = 0..L-1; l0, mu = max, min of (m, |n|).

    As ``binom(2l, l)/4^l = prod_k (1 - 1/2k)`` times ``prod_{j<mu} (1 - (2j+1)/(l+j+1))``: sums of one sign,
    which keep their digits where differences of log-gamma functions would lose them.
    """
    n = abs(int(n))
    central = np.concatenate([[0.0], np.cumsum(np.log1p(-0.5 / np.arange(1, max(L, n + 1))))])
    l0 = np.arange(n, L, dtype=float)
    m_above_n = central[n:L].copy()
    for j in range(n):
        m_above_n += np.log1p(-(2 * j + 1) / (l0 + j + 1))
    j = np.arange(n)
    falling = np.concatenate([[0.0], np.cumsum(np.log1p(-(2 * j + 1) / (n + j + 1.0)))])
    return 0.5 / math.log(2) * np.concatenate([central[n] + falling[:n], m_above_n])[:L]


@leaf
def seed_sign(m, n):
    """Sign of d^l_mn at l = max(|m|, |n|) for m >= 0."""
    flips = m >= abs(n) or n < 0
    return -1.0 if flips and (m - n) % 2 else 1.0


@leaf
def seed(lanes, m, n, log_norm, log_sin, log_tan, first, state):
    """Write the start of the recursion to ``state``, its largest lane 1; returns log2 of the scale.

    d^{l0}_mn = +- norm sin(theta)^l0 tan(theta/2)^(-+mu), + where m and n differ in sign.
    """
    l0 = float(max(abs(m), abs(n)))
    mu = float(min(abs(m), abs(n)))
    if m * n > 0:
        mu = -mu
    v = splat(lanes, l0) * load(lanes, log_sin, first)
    v = v + splat(lanes, mu) * load(lanes, log_tan, first)
    top = highest(v)
    store(state, width(lanes), exp2(v - splat(lanes, top)))
    store(state, 0, splat(lanes, 0.0))
    return top + log_norm


def are_far(sine, larger, L):
    """Whether orders that matter at an angle are lost beside a larger sine in one block of lanes.

    An order m starts at sin(theta)^m and is negligible beyond m = L sin(theta).
    """
    sine, larger = (np.maximum(x, 1e-300) for x in (sine, larger))
    return L * sine * np.log2(larger / sine) > LANE_RANGE


def lane_groups(count, size, far):
    """The items of 0..count-1 that lanes hold, in groups of ``size``; lanes left over repeat the last item.

    Items i < j for which ``far(i, j)`` are not in one group; ``far`` takes arrays.

    >>> lane_groups(5, 4, lambda i, j: j - i > 2)
    array([0, 1, 2, 2, 3, 4, 4, 4])
    """
    lanes = np.minimum(np.arange(-(-count // size) * size), count - 1).reshape(-1, size)
    i, j = np.triu_indices(size, 1)
    if not np.any(far(lanes[:, i], lanes[:, j])):
        return lanes.reshape(-1)
    lanes, group = [], []
    for item in range(count):
        if len(group) == size or np.any(far(np.array(group, int), item)):
            lanes += group + [group[-1]] * (size - len(group))
            group = []
        group.append(item)
    return np.array(lanes + group + [group[-1]] * (size - len(group)))


@leaf
def skip_negligible(lanes, z, first, state, ab, exponent, count):
    """Run the recursion without sums until its largest lane matters; returns the degree's index.

    ``exponent``: log2 of the scale of ``state``, which comes out unscaled; a start that never comes to
    matter returns ``count``.
    """
    x, q, p = load(lanes, z, first), load(lanes, state, 0), load(lanes, state, width(lanes))
    k = 0
    threshold = _threshold(exponent)
    size = largest(p)
    while k + 8 < count and size < threshold:
        for i in range(k, k + 8, 2):
            q = step(spread(lanes, ab, 2 * i), spread(lanes, ab, 2 * i + 1), x, p, q)
            p = step(spread(lanes, ab, 2 * i + 2), spread(lanes, ab, 2 * i + 3), x, q, p)
        k += 8
        size = largest(p)
        if size > 1e60:
            exponent += 200.0
            p, q = p * splat(lanes, 2.0**-200), q * splat(lanes, 2.0**-200)
            size *= 2.0**-200
            threshold = _threshold(exponent)
    return _unscale(lanes, state, q, p, exponent, k, count)


@leaf
def skip_negligible_differences(lanes, y, first, state, rga, exponent, count):
    """`skip_negligible` in the difference form: ``state`` holds d^l - d^{l-1}, then d^l."""
    x, d, p = load(lanes, y, first), load(lanes, state, 0), load(lanes, state, width(lanes))
    k = 0
    threshold = _threshold(exponent)
    size = largest(p)
    while k + 8 < count and size < threshold:
        for i in range(3 * k, 3 * k + 24, 3):
            r, g, a = spread(lanes, rga, i), spread(lanes, rga, i + 1), spread(lanes, rga, i + 2)
            d = difference_step(r, g, a, x, p, d)
            p = p + d
        k += 8
        size = largest(p)
        if size > 1e60:
            exponent += 200.0
            p, d = p * splat(lanes, 2.0**-200), d * splat(lanes, 2.0**-200)
            size *= 2.0**-200
            threshold = _threshold(exponent)
    return _unscale(lanes, state, d, p, exponent, k, count)


@leaf
def _threshold(exponent):
    """The value from which a state of scale 2^exponent matters."""
    return 2.0 ** min(NEGLIGIBLE - exponent, 1000.0)


@leaf
def _unscale(lanes, state, q, p, exponent, k, count):
    """Store the unscaled state and return k; ``count`` where the state never comes to matter."""
    if max(largest(p), largest(q)) < _threshold(exponent):
        return count
    scale = splat(lanes, 2.0**exponent)
    store(state, 0, q * scale)
    store(state, width(lanes), p * scale)
    return k


# --- inner loops -------------------------------------------------------------------------------------


@leaf
def synthesize(lanes, z, first, state, ab, c, k, count, out):
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
    """out[width i + lane] = d^l, l = l0 + i, for i < count; zero for i < k."""
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
def sum_rings(
    narrow, wide, rings, sin2, ab_sin2, cos2, ab_cos2, starts, states, values, count, sums, c
):
    """c[4k+j] = sum over all rings of p_k values[j]: the transpose of `synthesize` on every block.

    ``rings``: `RingLanes`. ``starts[b]`` (which is advanced), ``states[b]``, ``values[b]``: next degree,
    state and values of a block. ``sin2``, ``ab_sin2``: variable and coefficients of the form `SIN2`;
    ``cos2``, ``ab_cos2``: of `COS2`. Degrees come in chunks whose sums stay in the first-level cache.
    """
    for first in range(0, count, DEGREE_CHUNK):
        last = min(first + DEGREE_CHUNK, count)
        sums[: 4 * SUM_LANES * (last - first)] = 0.0
        for b in range(starts.size):
            if starts[b] >= last:
                continue
            z, ab = (sin2, ab_sin2) if rings.form[b] == SIN2 else (cos2, ab_cos2)
            lane, k, state, v = rings.first[b], starts[b], states[b], values[b]
            if rings.wide[b]:
                analyze(wide, narrow, z, lane, state, ab, v, k, first, last, sums)
            else:
                analyze(narrow, narrow, z, lane, state, ab, v, k, first, last, sums)
            starts[b] = last
        add_lanes(narrow, sums, last - first, c, 4 * first)


@leaf
def analyze(lanes, eight, z, lane, state, ab, values, k, first, last, sums):
    """sums[4(k - first) + j] += p_k values[j] for k < last, rings added up in eight lanes."""
    w = width(lanes)
    x, q, p = load(lanes, z, lane), load(lanes, state, 0), load(lanes, state, w)
    while k + 1 < last:
        r = step(spread(lanes, ab, 2 * k), spread(lanes, ab, 2 * k + 1), x, p, q)
        _add_two(lanes, eight, sums, 4 * (k - first), p, r, values)
        q, p = r, step(spread(lanes, ab, 2 * k + 2), spread(lanes, ab, 2 * k + 3), x, r, p)
        k += 2
    if k < last:
        _add_one(lanes, eight, sums, 4 * (k - first), p, values)
    store(state, 0, q)
    store(state, w, p)


@leaf
def analyze_differences(lanes, eight, y, first, state, rga, values, k, count, sums):
    """`analyze` in the difference form; the transpose of `synthesize_differences`."""
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
        i = SUM_LANES * (j + n)
        v = load(lanes, values, n * width(lanes))
        store(sums, i, accumulate(load(eight, sums, i), p, v))


@leaf
def _add_two(lanes, eight, sums, j, p, r, values):
    """Two degrees at once share the loads of ``values``, which stay in memory: registers are few."""
    for n in range(4):
        i = SUM_LANES * (j + n)
        v = load(lanes, values, n * width(lanes))
        a = accumulate(load(eight, sums, i), p, v)
        b = accumulate(load(eight, sums, i + 4 * SUM_LANES), r, v)
        store(sums, i, a)
        store(sums, i + 4 * SUM_LANES, b)


@leaf
def add_lanes(lanes, sums, count, c, first):
    """c[first + j] = the eight lanes of sums[j] added in a fixed order, j < 4 count; c is 8 longer."""
    for j in range(0, 4 * count, SUM_LANES):
        store(c, first + j, row_sums(lanes, sums, j * SUM_LANES))
