"""The sums of a quarter turn (`quarter`): y_n = sum_m c_m Delta_nm x_m of all degrees.

A block of n is in the lanes, a group of four m shares what they load. Each pair of group and block starts
at l = max(m, n), climbs in exponents where it begins too small to matter, and goes through the degrees in
stretches, all groups of m after one another while the sums of the stretch are in the first-level cache.
"""

import numpy as np

from spherekit._jit import jit, leaf
from spherekit.kernels.items import next_item
from spherekit.kernels.memory import aligned
from spherekit.kernels.recursion import NEGLIGIBLE
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

#: Orders n in the lanes: with four orders m, all the registers that the machine has.
LANES = Lanes(16 if has_wide_registers() else 4)
#: Orders m that are taken together, and degrees whose sums and factors stay in the first-level cache.
GROUP, STRETCH = 4, 64


@jit
def sum_orders(lanes, counter, L, table, W, Y):
    """Y[signal, block, l, parity]: sums over m of p_l W; a block of n belongs to one thread."""
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
            counted = signals if scale == 0.0 else 0
            ell = _start(lanes, block, group, counted, sizes, masks, seeds, work, states[group])
            if exponent < NEGLIGIBLE:
                ell = _climb(lanes, group, ell, scale, sizes, work, states[group])
            starts[group] = ell
        for first in range(w * block // STRETCH * STRETCH, L, STRETCH):
            _sweep(lanes, block, first, sizes, starts, work, states.reshape(-1))


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
    """`_sweep` of the degrees at which lanes still start; returns the first one beyond them."""
    t, s, x, y = work
    L, groups, _, x_apart, y_apart = sizes
    w = width(lanes)
    m, n0, last = GROUP * group, w * block, min(max(GROUP * group + GROUP, w * block + w), L)
    p0 = p1 = p2 = p3 = q0 = q1 = q2 = q3 = splat(lanes, 0.0)
    for k in range(max(m, n0), last):
        p0 = p0 + load(lanes, masks, _mask(k, m, n0, w)) * load(lanes, seeds, 0)
        p1 = p1 + load(lanes, masks, _mask(k, m + 1, n0, w)) * load(lanes, seeds, w)
        p2 = p2 + load(lanes, masks, _mask(k, m + 2, n0, w)) * load(lanes, seeds, 2 * w)
        p3 = p3 + load(lanes, masks, _mask(k, m + 3, n0, w)) * load(lanes, seeds, 3 * w)
        row = (k // STRETCH * groups + group) * STRETCH + k % STRETCH
        i, even = 2 * GROUP * row, (block * L + k) * 2 * w
        odd = even + w
        if k % 2:  # where l + m is even and odd with m = 0, 2
            even, odd = odd, even
        for _ in range(signals):
            a = load(lanes, y, even) + spread_pair(lanes, x, i) * p0
            b = load(lanes, y, odd) + spread_pair(lanes, x, i + 2) * p1
            store(y, even, a + spread_pair(lanes, x, i + 4) * p2)
            store(y, odd, b + spread_pair(lanes, x, i + 6) * p3)
            i, even, odd = i + x_apart, even + y_apart, odd + y_apart
        c = load(lanes, t, k * w)
        q0, p0 = p0, (spread(lanes, s, GROUP * row) * c) * p0 - q0
        q1, p1 = p1, (spread(lanes, s, GROUP * row + 1) * c) * p1 - q1
        q2, p2 = p2, (spread(lanes, s, GROUP * row + 2) * c) * p2 - q2
        q3, p3 = p3, (spread(lanes, s, GROUP * row + 3) * c) * p3 - q3
    _keep(lanes, p0, p1, p2, p3, q0, q1, q2, q3, state)
    return last


@leaf
def _keep(lanes, p0, p1, p2, p3, q0, q1, q2, q3, state):
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
def _climb(lanes, group, ell, exponent, sizes, work, state):
    """The recursion alone until it matters; returns the degree, L where it never does."""
    t, s = work[0], work[1]
    L, groups = sizes[0], sizes[1]
    w, bar = width(lanes), 2.0 ** min(NEGLIGIBLE - exponent, 1000.0)
    while ell < L:
        size = 0.0
        for i in range(2 * GROUP):
            size = max(size, largest(load(lanes, state, i * w)))
        if size >= bar:
            break
        factor = 1.0
        if size > 2.0**200:
            factor, exponent = 2.0**-200, exponent + 200.0
            bar = 2.0 ** min(NEGLIGIBLE - exponent, 1000.0)
        last = min(ell + 8, L)
        for j in range(GROUP):
            p = splat(lanes, factor) * load(lanes, state, j * w)
            q = splat(lanes, factor) * load(lanes, state, (GROUP + j) * w)
            for k in range(ell, last):
                row = (k // STRETCH * groups + group) * STRETCH + k % STRETCH
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
def _sweep(lanes, block, first, sizes, starts, work, states):
    """y_n of a stretch of degrees, and the recursion to its end, four m after the other."""
    t, s, x, y = work
    L, groups, signals, x_apart, y_apart = sizes
    w = width(lanes)
    last, here = min(first + STRETCH, L), first * groups  # the first row of this stretch
    for group in range(min(groups, (last - 1) // GROUP + 1)):
        if starts[group] >= last:
            continue
        at, state = here + group * STRETCH - first, 2 * GROUP * w * group
        p0, p1 = load(lanes, states, state), load(lanes, states, state + w)
        p2, p3 = load(lanes, states, state + 2 * w), load(lanes, states, state + 3 * w)
        q0, q1 = load(lanes, states, state + 4 * w), load(lanes, states, state + 5 * w)
        q2, q3 = load(lanes, states, state + 6 * w), load(lanes, states, state + 7 * w)
        for k in range(max(first, starts[group]), last):
            i, even = 2 * GROUP * (at + k), (block * L + k) * 2 * w
            odd = even + w
            if k % 2:
                even, odd = odd, even
            for _ in range(signals):
                a = load(lanes, y, even) + spread_pair(lanes, x, i) * p0
                b = load(lanes, y, odd) + spread_pair(lanes, x, i + 2) * p1
                store(y, even, a + spread_pair(lanes, x, i + 4) * p2)
                store(y, odd, b + spread_pair(lanes, x, i + 6) * p3)
                i, even, odd = i + x_apart, even + y_apart, odd + y_apart
            c, i = load(lanes, t, k * w), GROUP * (at + k)
            q0, p0 = p0, (spread(lanes, s, i) * c) * p0 - q0
            q1, p1 = p1, (spread(lanes, s, i + 1) * c) * p1 - q1
            q2, p2 = p2, (spread(lanes, s, i + 2) * c) * p2 - q2
            q3, p3 = p3, (spread(lanes, s, i + 3) * c) * p3 - q3
        _keep(lanes, p0, p1, p2, p3, q0, q1, q2, q3, states[state:])
