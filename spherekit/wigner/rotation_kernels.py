"""The quarter turn: Delta^l = d^l(pi/2) applied to coefficients, which every rotation is made of.

    D^l(alpha, beta, gamma) = Z(alpha + pi/2) Delta^l Z(beta + pi) Delta^l Z(gamma + pi/2),

with Z(x)_mm = e^{-i m x}.

A real signal keeps its symmetry x_{-m} = (-1)^m conj x_m in each factor, and Delta^l its own, so that for
m, n >= 0, with c_m = 2 (c_0 = 1),

    Re y_n = sum over m = l + n (mod 2) of c_m Delta_nm Re x_m,   Im y_n = the others, c_m Delta_nm Im x_m:

a quarter of the products of the full sum. A complex signal is two real ones. The recursion of
`kernels.wigner_recursion` in l, with cos = 0 and every factor that belongs to m or to n alone taken out,

    Delta^l_nm = A_l(n) A_l(m) B_l p_l,    p_{l+1} = s_l(m) t_l(n) p_l - p_{l-1},

costs a product and a multiply-add; n is in the lanes, four m share their loads. Floor: three
operations and a third of a load for each l, m, n >= 0 and real signal.
"""

from collections import namedtuple
from functools import lru_cache

import numpy as np

from spherekit._core.jit import jit, leaf
from spherekit._core.parallel import run
from spherekit._core.workspace import aligned, aligned_copy, scratch
from spherekit.kernels.simd import (
    Lanes,
    exp2,
    has_wide_registers,
    largest,
    load,
    splat,
    spread,
    spread_pair,
    store,
    width,
)
from spherekit.kernels.wigner_recursion import NEGLIGIBLE
from spherekit.kernels.work_queue import next_item

#: ``into[l, m] = c_m A_l(m) B_l``, ``out[l, n] = A_l(n)``; s as W (`_pack`) and t as [block, l, lane]; the
#: start at l = max(m, n) as mantissa and exponent of two, [m, n], and the largest exponents, [group, block].
Tables = namedtuple("Tables", "into out s t mantissa exponent top")

#: Largest band-limit whose tables are cached.
_MAX_CACHED = 1024


def tables(L):
    """Tables of band-limit L, 40 L^2 bytes: cached for the band-limits used last, if not large."""
    return (_cached_tables if L <= _MAX_CACHED else _tables)(L)


def _tables(L):
    w = LANES.type.width
    groups, blocks = -(-L // GROUP), -(-L // w)
    table = Tables(
        np.zeros((L, L)),
        np.zeros((L, L)),
        np.zeros((-(-L // DEGREE_CHUNK), groups, DEGREE_CHUNK, GROUP)),
        np.zeros((blocks, L, w)),
        np.zeros((groups * GROUP, blocks * w)),
        np.full((groups * GROUP, blocks * w), -1e9),
        np.empty((groups, blocks)),
    )
    _fill(L, table)
    table.top[:] = table.exponent.reshape(groups, GROUP, blocks, w).max(axis=(1, 3))
    return Tables(*(aligned_copy(array.ravel()).reshape(array.shape) for array in table))


_cached_tables = lru_cache(maxsize=4)(_tables)


@jit
def _fill(L, table):
    B = np.ones(L + 2)
    for ell in range(1, L + 1):
        B[ell + 1] = B[ell - 1] * (ell + 1) / ell
    w = table.t.shape[2]
    for m in range(L):
        # A_l(m) of this degree and of the next
        A, A_next = 1.0, 1.0 / (2.0 * m + 1.0) ** 0.25
        for ell in range(m, L):
            root = np.sqrt(float((ell + 1 - m) * (ell + 1 + m)))
            t = m * A / (root * A_next)
            table.t[m // w, ell, m % w] = t
            kappa = (2 * ell + 1) * B[ell] / (ell * B[ell + 1]) if ell else 0.0
            table.s[ell // DEGREE_CHUNK, m // GROUP, ell % DEGREE_CHUNK, m % GROUP] = -kappa * t
            table.out[ell, m] = A
            table.into[ell, m] = A * B[ell] * (2.0 if m else 1.0)
            ratio = np.sqrt(
                float((ell + 1 - m) * (ell + 1 + m)) / float((ell + 2 - m) * (ell + 2 + m))
            )
            A, A_next = A_next, A * ratio
    mantissa, exponent = 1.0, 0  # of sqrt(binom(2 n, n)) / 2^n
    for n in range(L):
        _starts(n, L, mantissa, exponent, B, table)
        mantissa, exponent = _normal(mantissa * np.sqrt((2 * n + 1) / (2 * n + 2)), exponent)


@jit
def _starts(n, L, mantissa, exponent, B, table):
    """d^{l0}_nm(pi/2) = +- sqrt(binom(2 l0, l0 - mu)) / 2^l0 over its factors; l0, mu = max, min of m, n."""
    for m in range(L):
        l0 = max(m, n)
        sign = -1.0 if n >= m and (n - m) % 2 else 1.0
        table.mantissa[m, n] = sign * mantissa / (table.out[l0, m] * table.out[l0, n] * B[l0])
        table.exponent[m, n] = exponent
        if m < n:
            factor = np.sqrt((n - m) / (n + m + 1))
        else:
            factor = np.sqrt((m + 0.5) * (m + 1) / float((m + 1 + n) * (m + 1 - n)))
        mantissa, exponent = _normal(mantissa * factor, exponent)


@jit
def _normal(mantissa, exponent):
    """The same number with a mantissa between 1/2 and 1."""
    while mantissa < 0.5:
        mantissa, exponent = mantissa * 2.0, exponent - 1
    while mantissa >= 1.0:
        mantissa, exponent = mantissa * 0.5, exponent + 1
    return mantissa, exponent


# --- the rotation of many signals --------------------------------------------------------------------

#: Signals of a chunk, whose sums share the first-level cache.
_SIGNAL_CHUNK = 4


def rotate(flm, angles, L, real, threads):
    """D^l(alpha, beta, gamma) applied to each of many signals; and statistics of the input.

    Parameters
    ----------
    flm : complex128 ndarray [shape=(signals, L*L)]
        Of real signals the symmetric part counts.
    angles : ndarray [shape=(3, signals)], radians
        alpha, beta, gamma.
    real : bool
    threads : int

    Returns
    -------
    complex128 ndarray [shape=(signals, L*L)], float64 ndarray
        Statistics of the input: [NaN unless all are finite, symmetry defect, largest magnitude].
    """
    table, w = tables(L), LANES.type.width
    chunks, groups = table.s.shape[:2]
    result, input_stats = np.empty_like(flm), np.zeros(3)
    factors = phases(angles, L, np.array([1, 2, 1])[:, None])
    for first in range(0, len(flm), _SIGNAL_CHUNK):
        signals = slice(first, first + _SIGNAL_CHUNK)
        count = len(flm[signals]) * (1 if real else 2)
        W = scratch("turned", (count, chunks, groups, DEGREE_CHUNK, 2 * GROUP))
        Y = scratch("sums", (count, len(table.t), L, 2 * w))
        _pack(flm[signals], factors[2, signals], L, real, table, W, input_stats)
        _sum(table, L, W, Y, threads)
        _repack(Y, factors[1, signals], L, real, table, W)
        _sum(table, L, W, Y, threads)
        _unpack(Y, factors[0, signals], L, real, table, result[signals])
    return result, input_stats


def work_bytes(L, signals, real):
    """Bytes of the tables, twice while they are computed, or of them and the sums of a chunk of signals."""
    chunk = min(signals, _SIGNAL_CHUNK) * (1 if real else 2)
    return max(96, 48 + 32 * chunk) * L * L + 48 * signals * L


def phases(angles, L, quarters):
    """e^{-i m (angle + quarters pi/2)} for m < L: (..., 2 L), re and im side by side.

    An angle is split in two so that its products with m are exact: a rounded one would be m eps off.
    """
    m = np.arange(L)
    high = np.float32(angles).astype(float)
    low = angles - high
    factors = np.exp(-1j * (m * high[..., None])) * np.exp(-1j * (m * low[..., None]))
    power = np.asarray(quarters)[..., None] * m % 4
    return (factors * np.array([1, -1j, -1, 1j])[power]).view(float)


def _sum(table, L, W, Y, threads):
    counter = np.zeros(1, np.int64)
    run(lambda _: sum_orders(LANES, counter, L, table, W, Y), threads)


@jit
def _pack(flm, phases, L, real, table, W, input_stats):
    """W[signal, chunk of l, group, l, 2j], [2j+1]: the inputs of even and odd n from m = 4 group + j."""
    W[:] = 0.0
    for q in range(flm.shape[0]):
        for ell in range(L):
            for m in range(ell + 1):
                x, scale = flm[q, ell * ell + ell + m], table.into[ell, m]
                y = flm[q, ell * ell + ell - m].conjugate() * (1.0 - 2.0 * (m % 2))
                factor = scale * complex(phases[q, 2 * m], phases[q, 2 * m + 1])
                plus, minus = x + y, x - y
                size, defect = abs(x.real) + abs(x.imag), abs(minus.real) + abs(minus.imag)
                input_stats[0] += (size - size) + (defect - defect)
                input_stats[1] = max(input_stats[1], defect)
                input_stats[2] = max(input_stats[2], size)
                if real:
                    _store_input(W[q], ell, m, factor * (0.5 * plus))
                else:
                    _store_input(W[2 * q], ell, m, factor * (0.5 * plus))
                    _store_input(W[2 * q + 1], ell, m, factor * (-0.5j * minus))


@jit
def _store_input(W, ell, m, x):
    row = W[ell // DEGREE_CHUNK, m // GROUP, ell % DEGREE_CHUNK]
    j = 2 * (m % GROUP)
    even, odd = x.real, x.imag if m else 0.0
    if (ell + m) % 2:
        even, odd = odd, even
    row[j], row[j + 1] = even, odd


@jit
def _load_sum(Y, ell, n, w):
    """y_n but for A_l(n): Re is where sums of l + m = n (mod 2) are."""
    re, im = (n % 2) * w + n % w, (1 - n % 2) * w + n % w
    return complex(Y[n // w, ell, re], Y[n // w, ell, im])


@jit
def _repack(Y, phases, L, real, table, W):
    """The inputs of the second quarter turn from the sums of the first."""
    w = Y.shape[3] // 2
    for s in range(Y.shape[0]):
        q = s if real else s // 2
        for ell in range(L):
            for m in range(ell + 1):
                factor = complex(phases[q, 2 * m], phases[q, 2 * m + 1])
                scale = table.out[ell, m] * table.into[ell, m]
                _store_input(W[s], ell, m, scale * (factor * _load_sum(Y[s], ell, m, w)))


@jit
def _unpack(Y, phases, L, real, table, flm):
    w = Y.shape[3] // 2
    for q in range(flm.shape[0]):
        for ell in range(L):
            center = ell * ell + ell
            for m in range(ell + 1):
                factor = table.out[ell, m] * complex(phases[q, 2 * m], phases[q, 2 * m + 1])
                flip = 1.0 - 2.0 * (m % 2)
                if real:
                    a = factor * _load_sum(Y[q], ell, m, w)
                    b = 0j
                else:
                    a = factor * _load_sum(Y[2 * q], ell, m, w)
                    b = factor * _load_sum(Y[2 * q + 1], ell, m, w)
                if m == 0:
                    a, b = complex(a.real, 0.0), complex(b.real, 0.0)
                flm[q, center + m] = a + 1j * b
                flm[q, center - m] = flip * (a.conjugate() + 1j * b.conjugate())


#: Orders n in the lanes: with four orders m, all the registers that the machine has.
LANES = Lanes(16 if has_wide_registers() else 4)
#: Orders m of a group.
GROUP = 4
#: Degrees whose sums and factors stay in the first-level cache.
DEGREE_CHUNK = 64


@jit
def sum_orders(lanes, counter, L, table, W, Y):
    """Y[signal, block, l, parity]: sums over m of p_l W; one thread computes a block of n."""
    w = width(lanes)
    groups, signals = W.shape[2], Y.shape[0]
    states = aligned(2 * GROUP * w * groups, table.t).reshape(groups, 2 * GROUP * w)
    seeds, masks, starts = aligned(GROUP * w, table.t), _masks(w), np.empty(groups, np.int64)
    while True:
        block = next_item(counter)
        if block >= Y.shape[1]:
            return
        Y[:, block] = 0.0
        work = table.t[block].reshape(-1), table.s.reshape(-1), W.reshape(-1), Y.reshape(-1)
        sizes = L, groups, signals, W[0].size, Y[0].size
        for group in range(groups):
            exponent = table.top[group, block]
            scale = exponent if exponent < -300.0 else 0.0
            _seed(lanes, block, group, scale, table, seeds)
            summed = signals if scale == 0.0 else 0
            ell = _start(lanes, block, group, summed, sizes, masks, seeds, work, states[group])
            if exponent < NEGLIGIBLE:
                ell = _skip_negligible(lanes, group, ell, scale, sizes, work, states[group])
            starts[group] = ell
        for first in range(w * block // DEGREE_CHUNK * DEGREE_CHUNK, L, DEGREE_CHUNK):
            _sum_chunk(lanes, block, first, sizes, starts, work, states.reshape(-1))


@jit
def _masks(w):
    """Rows of w lanes: i < w: lane i alone; w: none; w + i: those below i, for i = 1..w."""
    masks = np.zeros((2 * w + 1, w))
    for i in range(w):
        masks[i, i] = 1.0
        masks[w + i + 1, : i + 1] = 1.0
    return masks.reshape(-1)


@leaf
def _seed(lanes, block, group, scale, table, seeds):
    w = width(lanes)
    for j in range(GROUP):
        m, n0 = GROUP * group + j, w * block
        factor = exp2(load(lanes, table.exponent[m], n0) - splat(lanes, scale))
        store(seeds, j * w, load(lanes, table.mantissa[m], n0) * factor)


@leaf
def _mask(ell, m, n0, w):
    """Where the mask of the lanes n with max(m, n) = l begins."""
    if ell == m:
        return w * (w + max(0, min(m - n0 + 1, w)))
    return w * (ell - n0) if ell > m and 0 <= ell - n0 < w else w * w


@leaf
def _start(lanes, block, group, signals, sizes, masks, seeds, work, state):
    """`_sum_chunk` of the degrees at which lanes still start; returns the first one beyond them."""
    t, s, x, y = work
    L, groups, _, x_stride, y_stride = sizes
    w = width(lanes)
    m, n0, last = GROUP * group, w * block, min(max(GROUP * group + GROUP, w * block + w), L)
    p0 = p1 = p2 = p3 = q0 = q1 = q2 = q3 = splat(lanes, 0.0)
    for k in range(max(m, n0), last):
        p0 = p0 + load(lanes, masks, _mask(k, m, n0, w)) * load(lanes, seeds, 0)
        p1 = p1 + load(lanes, masks, _mask(k, m + 1, n0, w)) * load(lanes, seeds, w)
        p2 = p2 + load(lanes, masks, _mask(k, m + 2, n0, w)) * load(lanes, seeds, 2 * w)
        p3 = p3 + load(lanes, masks, _mask(k, m + 3, n0, w)) * load(lanes, seeds, 3 * w)
        row = (k // DEGREE_CHUNK * groups + group) * DEGREE_CHUNK + k % DEGREE_CHUNK
        i, even = 2 * GROUP * row, (block * L + k) * 2 * w
        odd = even + w
        if k % 2:  # where l + m is even and odd with m = 0, 2
            even, odd = odd, even
        for _ in range(signals):
            a = load(lanes, y, even) + spread_pair(lanes, x, i) * p0
            b = load(lanes, y, odd) + spread_pair(lanes, x, i + 2) * p1
            store(y, even, a + spread_pair(lanes, x, i + 4) * p2)
            store(y, odd, b + spread_pair(lanes, x, i + 6) * p3)
            i, even, odd = i + x_stride, even + y_stride, odd + y_stride
        c = load(lanes, t, k * w)
        q0, p0 = p0, (spread(lanes, s, GROUP * row) * c) * p0 - q0
        q1, p1 = p1, (spread(lanes, s, GROUP * row + 1) * c) * p1 - q1
        q2, p2 = p2, (spread(lanes, s, GROUP * row + 2) * c) * p2 - q2
        q3, p3 = p3, (spread(lanes, s, GROUP * row + 3) * c) * p3 - q3
    _store_state(lanes, p0, p1, p2, p3, q0, q1, q2, q3, state)
    return last


@leaf
def _store_state(lanes, p0, p1, p2, p3, q0, q1, q2, q3, state):
    w = width(lanes)
    store(state, 0, p0)
    store(state, w, p1)
    store(state, 2 * w, p2)
    store(state, 3 * w, p3)
    store(state, 4 * w, q0)
    store(state, 5 * w, q1)
    store(state, 6 * w, q2)
    store(state, 7 * w, q3)


@leaf
def _skip_negligible(lanes, group, ell, exponent, sizes, work, state):
    """Run the recursion without sums until it matters; returns the degree, L where it never does."""
    t, s = work[0], work[1]
    L, groups = sizes[0], sizes[1]
    w = width(lanes)
    threshold = 2.0 ** min(NEGLIGIBLE - exponent, 1000.0)
    while ell < L:
        size = 0.0
        for i in range(2 * GROUP):
            size = max(size, largest(load(lanes, state, i * w)))
        if size >= threshold:
            break
        factor = 1.0
        if size > 2.0**200:
            factor, exponent = 2.0**-200, exponent + 200.0
            threshold = 2.0 ** min(NEGLIGIBLE - exponent, 1000.0)
        last = min(ell + 8, L)
        for j in range(GROUP):
            p = splat(lanes, factor) * load(lanes, state, j * w)
            q = splat(lanes, factor) * load(lanes, state, (GROUP + j) * w)
            for k in range(ell, last):
                row = (k // DEGREE_CHUNK * groups + group) * DEGREE_CHUNK + k % DEGREE_CHUNK
                c = spread(lanes, s, GROUP * row + j) * load(lanes, t, k * w)
                p, q = c * p - q, p
            store(state, j * w, p)
            store(state, (GROUP + j) * w, q)
        ell = last
    if ell < L and exponent != 0.0:
        for i in range(2 * GROUP):
            store(state, i * w, splat(lanes, 2.0**exponent) * load(lanes, state, i * w))
    return ell


@leaf
def _sum_chunk(lanes, block, first, sizes, starts, work, states):
    """Add a chunk of degrees to y_n and run the recursion to its end, one group of m after the next."""
    t, s, x, y = work
    L, groups, signals, x_stride, y_stride = sizes
    w = width(lanes)
    last = min(first + DEGREE_CHUNK, L)
    first_row = first * groups
    for group in range(min(groups, (last - 1) // GROUP + 1)):
        if starts[group] >= last:
            continue
        row = first_row + group * DEGREE_CHUNK - first
        state = 2 * GROUP * w * group
        p0, p1 = load(lanes, states, state), load(lanes, states, state + w)
        p2, p3 = load(lanes, states, state + 2 * w), load(lanes, states, state + 3 * w)
        q0, q1 = load(lanes, states, state + 4 * w), load(lanes, states, state + 5 * w)
        q2, q3 = load(lanes, states, state + 6 * w), load(lanes, states, state + 7 * w)
        for k in range(max(first, starts[group]), last):
            i, even = 2 * GROUP * (row + k), (block * L + k) * 2 * w
            odd = even + w
            if k % 2:
                even, odd = odd, even
            for _ in range(signals):
                a = load(lanes, y, even) + spread_pair(lanes, x, i) * p0
                b = load(lanes, y, odd) + spread_pair(lanes, x, i + 2) * p1
                store(y, even, a + spread_pair(lanes, x, i + 4) * p2)
                store(y, odd, b + spread_pair(lanes, x, i + 6) * p3)
                i, even, odd = i + x_stride, even + y_stride, odd + y_stride
            c, i = load(lanes, t, k * w), GROUP * (row + k)
            q0, p0 = p0, (spread(lanes, s, i) * c) * p0 - q0
            q1, p1 = p1, (spread(lanes, s, i + 1) * c) * p1 - q1
            q2, p2 = p2, (spread(lanes, s, i + 2) * c) * p2 - q2
            q3, p3 = p3, (spread(lanes, s, i + 3) * c) * p3 - q3
        _store_state(lanes, p0, p1, p2, p3, q0, q1, q2, q3, states[state:])
