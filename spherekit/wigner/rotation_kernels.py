"""Kernels of rotations, by the factorization of D^l into rotations about z and Delta^l = d^l(pi/2).

    D^l(alpha, beta, gamma) = Z(alpha + pi/2) Delta^l Z(beta + pi) Delta^l Z(gamma + pi/2),

with Z(x)_mm = e^{-i m x}.

Each factor preserves the symmetry x_{-m} = (-1)^m conj x_m of a real signal. With the symmetries of Delta^l
the sums for m, n >= 0 are, with c_m = 2 (c_0 = 1),

    Re y_n = sum over m of c_m Delta_nm Re x_m, m = l + n (mod 2),
    Im y_n = sum over m of c_m Delta_nm Im x_m, m = l + n + 1 (mod 2):

a quarter of the products of the full sum. A complex signal is processed as two real ones. The recursion of
`kernels.wigner_recursion` in l, with cos = 0 and all factors that depend on m or on n only separated,

    Delta^l_nm = A_l(n) A_l(m) B_l p_l,    p_{l+1} = s_l(m) t_l(n) p_l - p_{l-1},

costs a product and a multiply-add. Lanes are orders n; groups of four m share loads. Lower bound: three
operations and a third of a load for each l, m, n >= 0 and real signal.
"""

from collections import namedtuple
from functools import lru_cache

import numpy as np

from spherekit._core.jit import leaf
from spherekit._core.parallel import run
from spherekit._core.workspace import aligned_copy, scratch
from spherekit.kernels.simd import (
    Lanes,
    exp2,
    has_wide_registers,
    largest,
    load,
    pointer,
    splat,
    spread,
    spread_pair,
    store,
    width,
)
from spherekit.kernels.wigner_recursion import NEGLIGIBLE
from spherekit.kernels.work_queue import next_item

#: ``in_factor[l, m] = c_m A_l(m) B_l``, ``out_factor[l, n] = A_l(n)``; s in the layout of W (`_pack`), t as
#: [block, l, lane]; the seeds of the recursion at l = max(m, n) as mantissas and exponents of two, [m, n],
#: and the largest exponents, [group, block].
Tables = namedtuple("Tables", "in_factor out_factor s t mantissa exponent max_exponent")

#: Largest band-limit whose tables are cached.
_MAX_CACHED = 1024


def tables(L):
    """Tables of band-limit L, 40 L^2 bytes; cached up to L = 1024, for the band-limits used most recently."""
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
    _fill(L, table, np.empty(L + 2))
    table.max_exponent[:] = table.exponent.reshape(groups, GROUP, blocks, w).max(axis=(1, 3))
    return Tables(*(aligned_copy(array.ravel()).reshape(array.shape) for array in table))


_cached_tables = lru_cache(maxsize=4)(_tables)


@leaf
def _fill(L, table, B):
    """Fill the tables; ``B``: work memory of L + 2 elements."""
    groups, w = table.s.shape[1], table.t.shape[2]
    in_factor, out_factor = pointer(table.in_factor, 0), pointer(table.out_factor, 0)
    s, t, b = pointer(table.s, 0), pointer(table.t, 0), pointer(B, 0)
    b[0] = b[1] = 1.0
    for ell in range(1, L + 1):
        b[ell + 1] = b[ell - 1] * (ell + 1) / ell
    for m in range(L):
        # A_l(m) of the current degree and of the next
        A, A_next = 1.0, 1.0 / (2.0 * m + 1.0) ** 0.25
        for ell in range(m, L):
            root = np.sqrt(float((ell + 1 - m) * (ell + 1 + m)))
            factor = m * A / (root * A_next)
            t[(m // w * L + ell) * w + m % w] = factor
            kappa = (2 * ell + 1) * b[ell] / (ell * b[ell + 1]) if ell else 0.0
            row = (ell // DEGREE_CHUNK * groups + m // GROUP) * DEGREE_CHUNK + ell % DEGREE_CHUNK
            s[row * GROUP + m % GROUP] = -kappa * factor
            out_factor[ell * L + m] = A
            in_factor[ell * L + m] = A * b[ell] * (2.0 if m else 1.0)
            ratio = np.sqrt(
                float((ell + 1 - m) * (ell + 1 + m)) / float((ell + 2 - m) * (ell + 2 + m))
            )
            A, A_next = A_next, A * ratio
    columns = table.mantissa.shape[1]
    mantissa, exponent = 1.0, 0  # of sqrt(binom(2 n, n)) / 2^n
    for n in range(L):
        seeds = pointer(table.mantissa, n), pointer(table.exponent, n)
        _fill_seeds(n, L, mantissa, exponent, b, out_factor, columns, *seeds)
        mantissa, exponent = _normalized(mantissa * np.sqrt((2 * n + 1) / (2 * n + 2)), exponent)


@leaf
def _fill_seeds(n, L, mantissa, exponent, B, out_factor, columns, mantissas, exponents):
    """d^{l0}_nm(pi/2) = +- sqrt(binom(2 l0, l0 - mu)) / 2^l0, divided by A A B; l0, mu = max, min of m, n."""
    for m in range(L):
        l0 = max(m, n)
        sign = -1.0 if n >= m and (n - m) % 2 else 1.0
        scale = out_factor[l0 * L + m] * out_factor[l0 * L + n] * B[l0]
        mantissas[m * columns] = sign * mantissa / scale
        exponents[m * columns] = exponent
        if m < n:
            factor = np.sqrt((n - m) / (n + m + 1))
        else:
            factor = np.sqrt((m + 0.5) * (m + 1) / float((m + 1 + n) * (m + 1 - n)))
        mantissa, exponent = _normalized(mantissa * factor, exponent)


@leaf
def _normalized(mantissa, exponent):
    """The same number with a mantissa between 1/2 and 1."""
    while mantissa < 0.5:
        mantissa, exponent = mantissa * 2.0, exponent - 1
    while mantissa >= 1.0:
        mantissa, exponent = mantissa * 0.5, exponent + 1
    return mantissa, exponent


# --- the rotation of many signals --------------------------------------------------------------------

#: Number of signals of a chunk, whose sums fit the first-level cache.
_SIGNAL_CHUNK = 4


def rotate(flm, angles, L, real, threads):
    """Apply D^l(alpha, beta, gamma) to each signal of a batch; return the result and statistics of the input.

    Parameters
    ----------
    flm : complex128 ndarray [shape=(signals, L*L)]
        Of real signals only the symmetric part is used.
    angles : ndarray [shape=(3, signals)], radians
        alpha, beta, gamma.
    real : bool
    threads : int

    Returns
    -------
    complex128 ndarray [shape=(signals, L*L)], float64 ndarray
        Statistics of the input: [NaN unless all are finite, symmetry defect, largest magnitude].
    """
    table = tables(L)
    w = LANES.type.width
    chunks, groups = table.s.shape[:2]
    result = np.empty_like(flm)
    input_stats = np.zeros(3)
    factors = phases(angles, L, np.array([1, 2, 1])[:, None])
    for first in range(0, len(flm), _SIGNAL_CHUNK):
        signals = slice(first, first + _SIGNAL_CHUNK)
        count = len(flm[signals]) * (1 if real else 2)
        W = scratch("rotated", (count, chunks, groups, DEGREE_CHUNK, 2 * GROUP))
        Y = scratch("sums", (count, len(table.t), L, 2 * w))
        inputs, outputs = table.in_factor, table.out_factor
        _pack(flm[signals], factors[2, signals], L, real, inputs, W, input_stats)
        _sum(table, L, W, Y, threads)
        _repack(Y, factors[1, signals], L, real, inputs, outputs, W)
        _sum(table, L, W, Y, threads)
        _unpack(Y, factors[0, signals], L, real, outputs, result[signals])
    return result, input_stats


def work_bytes(L, signals, real):
    """Bytes of the tables (twice while they are computed), or of tables and sums of a chunk of signals."""
    chunk = min(signals, _SIGNAL_CHUNK) * (1 if real else 2)
    return max(96, 48 + 32 * chunk) * L * L + 48 * signals * L


def phases(angles, L, quarters):
    """e^{-i m (angle + quarters pi/2)} for m < L: (..., 2 L), real and imaginary parts interleaved.

    An angle is split in two so that its products with m are exact: rounded products have errors of m eps.
    """
    m = np.arange(L)
    high = np.float32(angles).astype(float)
    low = angles - high
    factors = np.exp(-1j * (m * high[..., None])) * np.exp(-1j * (m * low[..., None]))
    power = np.asarray(quarters)[..., None] * m % 4
    return (factors * np.array([1, -1j, -1, 1j])[power]).view(float)


def _sum(table, L, W, Y, threads):
    counter = np.zeros(1, np.int64)
    groups = W.shape[2]
    arrays = table.s, table.t, table.mantissa, table.exponent, table.max_exponent, _masks(), W, Y

    def work(thread):
        buffer = scratch("recursion", ((2 * groups + 1) * GROUP * LANES.type.width,))
        sum_orders(LANES, counter, L, *arrays, buffer, np.empty(groups, np.int64))

    run(work, threads)


@lru_cache(maxsize=1)
def _masks():
    """Rows of w lanes. Row i < w: only lane i; row w: no lane; row w + i: the lanes below i, for i = 1..w."""
    w = LANES.type.width
    masks = np.concatenate([np.eye(w), np.tri(w + 1, w, -1)])
    return aligned_copy(masks.ravel())


@leaf
def _pack(flm, phases, L, real, in_factor, W, input_stats):
    """W[signal, chunk of l, group, l, 2j], [2j+1]: the inputs to even and odd n from m = 4 group + j."""
    groups, size = W.shape[2], W.shape[1] * W.shape[2] * (2 * GROUP * DEGREE_CHUNK)
    inputs = pointer(W, 0)
    for i in range(W.shape[0] * size):
        inputs[i] = 0.0
    for q in range(flm.shape[0]):
        first, second = pointer(W, q * size), pointer(W, 0)
        if not real:
            first, second = pointer(W, 2 * q * size), pointer(W, (2 * q + 1) * size)
        for ell in range(L):
            for m in range(ell + 1):
                x, scale = flm[q, ell * ell + ell + m], in_factor[ell, m]
                y = flm[q, ell * ell + ell - m].conjugate() * (1.0 - 2.0 * (m % 2))
                factor = scale * complex(phases[q, 2 * m], phases[q, 2 * m + 1])
                plus, minus = x + y, x - y
                magnitude, defect = abs(x.real) + abs(x.imag), abs(minus.real) + abs(minus.imag)
                input_stats[0] += (magnitude - magnitude) + (defect - defect)
                input_stats[1] = max(input_stats[1], defect)
                input_stats[2] = max(input_stats[2], magnitude)
                _store_input(first, groups, ell, m, factor * (0.5 * plus))
                if not real:
                    _store_input(second, groups, ell, m, factor * (-0.5j * minus))


@leaf
def _store_input(W, groups, ell, m, x):
    row = (ell // DEGREE_CHUNK * groups + m // GROUP) * DEGREE_CHUNK + ell % DEGREE_CHUNK
    i = 2 * (GROUP * row + m % GROUP)
    even, odd = x.real, x.imag if m else 0.0
    if (ell + m) % 2:
        even, odd = odd, even
    W[i], W[i + 1] = even, odd


@leaf
def _load_sum(Y, L, ell, n, w):
    """y_n without the factor A_l(n); its real part is the sum over l + m = n (mod 2)."""
    row = pointer(Y, (n // w * L + ell) * 2 * w)
    return complex(row[n % 2 * w + n % w], row[(1 - n % 2) * w + n % w])


@leaf
def _repack(Y, phases, L, real, in_factor, out_factor, W):
    """Compute the inputs of the second product with Delta^l from the sums of the first."""
    groups, w = W.shape[2], Y.shape[3] // 2
    size = W.shape[1] * W.shape[2] * (2 * GROUP * DEGREE_CHUNK)
    for i in range(Y.shape[0]):
        q = i if real else i // 2
        sums, inputs = pointer(Y, i * Y.shape[1] * L * 2 * w), pointer(W, i * size)
        for ell in range(L):
            for m in range(ell + 1):
                factor = complex(phases[q, 2 * m], phases[q, 2 * m + 1])
                scale = out_factor[ell, m] * in_factor[ell, m]
                x = scale * (factor * _load_sum(sums, L, ell, m, w))
                _store_input(inputs, groups, ell, m, x)


@leaf
def _unpack(Y, phases, L, real, out_factor, flm):
    w = Y.shape[3] // 2
    size = Y.shape[1] * L * 2 * w
    for q in range(flm.shape[0]):
        first, second = pointer(Y, q * size), pointer(Y, 0)
        if not real:
            first, second = pointer(Y, 2 * q * size), pointer(Y, (2 * q + 1) * size)
        for ell in range(L):
            center = ell * ell + ell
            for m in range(ell + 1):
                factor = out_factor[ell, m] * complex(phases[q, 2 * m], phases[q, 2 * m + 1])
                flip = 1.0 - 2.0 * (m % 2)
                a, b = factor * _load_sum(first, L, ell, m, w), 0j
                if not real:
                    b = factor * _load_sum(second, L, ell, m, w)
                if m == 0:
                    a, b = complex(a.real, 0.0), complex(b.real, 0.0)
                flm[q, center + m] = a + 1j * b
                flm[q, center - m] = flip * (a.conjugate() + 1j * b.conjugate())


#: Orders n as lanes; with groups of four orders m they occupy all vector registers of the machine.
LANES = Lanes(16 if has_wide_registers() else 4)
#: Number of orders m in a group.
GROUP = 4
#: Number of degrees whose sums and factors fit the first-level cache.
DEGREE_CHUNK = 64


@leaf
def sum_orders(
    lanes, counter, L, s, t, mantissa, exponent, max_exponent, masks, W, Y, buffer, starts
):
    """Y[signal, block, l, parity]: sums over m of p_l W; each block of n is computed by one thread.

    ``buffer``: work memory for the states of all groups, and for the seeds of one.
    """
    w = width(lanes)
    groups, signals, blocks, columns = W.shape[2], Y.shape[0], Y.shape[1], mantissa.shape[1]
    chunk_count, block_size = W.shape[1], L * 2 * w
    sizes = L, groups, signals, chunk_count * groups * DEGREE_CHUNK * 2 * GROUP, blocks * block_size
    state_size = 2 * GROUP * w
    states, seeds = pointer(buffer, 0), pointer(buffer, groups * state_size)
    first_degrees, mask_rows = pointer(starts, 0), pointer(masks, 0)
    while True:
        block = next_item(counter)
        if block >= blocks:
            return
        work = pointer(t, block * L * w), pointer(s, 0), pointer(W, 0), pointer(Y, 0)
        for q in range(signals):
            sums = pointer(Y, (q * blocks + block) * block_size)
            for i in range(block_size):
                sums[i] = 0.0
        for group in range(groups):
            largest_exponent = max_exponent[group, block]
            scale = largest_exponent if largest_exponent < -300.0 else 0.0
            first = GROUP * group * columns + w * block
            _load_seeds(
                lanes, columns, scale, pointer(mantissa, first), pointer(exponent, first), seeds
            )
            summed = signals if scale == 0.0 else 0
            state = pointer(states, group * state_size)
            ell = _start(lanes, block, group, summed, sizes, mask_rows, seeds, work, state)
            if largest_exponent < NEGLIGIBLE:
                ell = _skip_negligible(lanes, group, ell, scale, sizes, work, state)
            first_degrees[group] = ell
        for first in range(w * block // DEGREE_CHUNK * DEGREE_CHUNK, L, DEGREE_CHUNK):
            _sum_chunk(lanes, block, first, sizes, first_degrees, work, states)


@leaf
def _load_seeds(lanes, columns, scale, mantissa, exponent, seeds):
    w = width(lanes)
    for j in range(GROUP):
        factor = exp2(load(lanes, exponent, j * columns) - splat(lanes, scale))
        store(seeds, j * w, load(lanes, mantissa, j * columns) * factor)


@leaf
def _mask(ell, m, n0, w):
    """Offset of the mask of the lanes n with max(m, n) = l."""
    if ell == m:
        return w * (w + max(0, min(m - n0 + 1, w)))
    return w * (ell - n0) if ell > m and 0 <= ell - n0 < w else w * w


@leaf
def _start(lanes, block, group, signals, sizes, masks, seeds, work, state):
    """`_sum_chunk` for the degrees where the recursion of a lane starts; returns the first one after them."""
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
        if k % 2:  # then l + m is odd for m = 0, 2 of the group
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
    """Run the recursion without sums while values are negligible; returns the degree, L if all are."""
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
    """Add a chunk of degrees to y_n and advance the recursion over it, group of m by group."""
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
        _store_state(lanes, p0, p1, p2, p3, q0, q1, q2, q3, pointer(states, state))
