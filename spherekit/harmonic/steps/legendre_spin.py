"""The Legendre step for spin s != 0: orders m and -m together, with n = -s, then with n = +s.

See `legendre_scalar` for the conventions. With n = -s at a northern angle, the sum over f_lm gives F_m in the
north, and the sum over (-1)^{l+s} f_{l,-m} gives F_{-m} in the south. With n = +s, the sum over (-1)^{l+m}
f_lm gives F_m in the south, and the sum over (-1)^{m+s} f_{l,-m} gives F_{-m} in the north. For m = 0 the
first pass computes both.
"""

import math
from typing import NamedTuple

import numpy as np

from spherekit._core.jit import jit, leaf
from spherekit._core.workspace import aligned
from spherekit.harmonic.steps.ring_lanes import (
    load_weighted,
    next_orders,
    order_limit,
    reaches_polar_rings,
    store4,
    store_weighted,
)
from spherekit.kernels.packing import ORDERS_PER_GROUP, gather, scatter
from spherekit.kernels.recursion_coefficients import (
    degree_coefficients,
    difference_coefficients,
    opposite_coefficients,
)
from spherekit.kernels.simd import load, splat, width
from spherekit.kernels.wigner_recursion import (
    DEGREE_CHUNK,
    DIFFERENCES,
    SUM_LANES,
    add_lanes,
    analyze_differences,
    seed,
    seed_sign,
    skip_negligible,
    skip_negligible_differences,
    sum_rings,
    synthesize,
    synthesize_differences,
)


class Pass(NamedTuple):
    """Constants of one pass over the rings: n = -spin in the first pass, +spin in the second.

    ``second``: 0 or 1. ``distance``: ||m| - |n||. ``count``: number of degrees from l0 = max(m, |n|) on.
    ``polar``: whether the order matters on polar rings. ``log_d``, ``log_lambda``: log2 of the norms of d^l
    and lambda_l at l0.
    """

    m: int
    n: int
    second: int
    distance: int
    l0: int
    count: int
    polar: bool
    log_d: float
    log_lambda: float


@leaf
def _pass(m, spin, second, L, polar_sine, log_norms):
    n = spin if second else -spin
    l0 = max(m, abs(spin))
    distance = abs(m - abs(spin))
    polar = reaches_polar_rings(L, distance, polar_sine)
    return Pass(m, n, second, distance, l0, L - l0, polar, log_norms[0, m], log_norms[1, m])


@jit
def _coefficients(order, L, opposite, cached, buffer):
    """Return (alpha, ab, rga) of a pass, cached or computed; in the second pass b is that of -n."""
    m = order.m
    alpha, ab, rga = buffer.alpha[0], buffer.ab[0], buffer.rga[0, 0]
    if m < cached.ab.shape[0]:
        alpha, ab = cached.alpha[m], cached.ab[m]
    elif not order.second:
        degree_coefficients(m, order.n, L, alpha, ab)
    if order.second:
        opposite_coefficients(m, -order.n, L, ab, opposite)
        ab = opposite
    if m < cached.rga.shape[1]:
        rga = cached.rga[order.second, m]
    elif order.polar:
        difference_coefficients(m, order.n, L, rga)
    return alpha, ab, rga


@leaf
def _signs(ell, order):
    """Return the signs of f_lm and of (-1)^m f_{l,-m} in a pass; n has the parity of the spin."""
    if order.second:
        return 1.0 - 2.0 * ((ell + order.m) % 2), 1.0 - 2.0 * (order.n % 2)
    return 1.0, 1.0 - 2.0 * ((ell + order.m + order.n) % 2)


@leaf
def _hemispheres(rings, first, order):
    """Return weights and columns of a block for order m, then for order -m: opposite hemispheres."""
    south = first + rings.x.size
    if order.second:
        return rings.south, south, rings.north, first
    return rings.north, first, rings.south, south


# --- synthesis ---------------------------------------------------------------------------------------


@jit
def synthesis_spin(
    narrow, wide, queue, orders, L, spin, rings, log_norms, cached, buffer, flm, planes, input_stats
):
    """Compute the planes of a field of spin s from its coefficients; arguments as in `synthesis_zonal`."""
    c, c_polar = np.empty(4 * L + 8), np.empty(4 * L + 8)
    opposite = np.empty(2 * L + 8)
    work = c, c_polar, np.empty(64), np.empty(128)
    rows = np.empty((flm.shape[0], 2, ORDERS_PER_GROUP, 2 * L + 8))
    while True:
        first = next_orders(queue, orders)
        if first >= orders.last:
            return
        for q in range(flm.shape[0]):
            gather(narrow, flm[q], L, first, False, rows[q], input_stats)
        for m in range(first, min(first + ORDERS_PER_GROUP, L)):
            for second in range(2 if m else 1):
                order = _pass(m, spin, second, L, rings.polar_sine, log_norms)
                alpha, ab, rga = _coefficients(order, L, opposite, cached, buffer)
                for q in range(flm.shape[0]):
                    f, g = rows[q, 0, m - first], rows[q, 1, m - first]
                    _to_series(f, g, order, alpha, c, c_polar)
                    positive = planes[q, orders.positive + m].reshape(-1)
                    negative = planes[q, orders.negative - m if m else orders.positive].reshape(-1)
                    if not second:
                        positive[:], negative[:] = 0.0, 0.0
                    _synthesize_rings(
                        narrow, wide, L, order, rings, ab, rga, work, positive, negative
                    )


@jit
def _to_series(f, g, order, alpha, c, c_polar):
    """Coefficients of the two sums of a pass, from rows of m and -m; ``c_polar``: of the difference form."""
    sign = seed_sign(order.m, order.n) * (1.0 - 2.0 * (order.n % 2))
    for k in range(order.count):
        ell = order.l0 + k
        i = 2 * (ell - order.m)
        ar, ai, br, bi = f[i], f[i + 1], g[i], g[i + 1]
        sa, sb = _signs(ell, order)
        scale = sign * alpha[k]
        c[4 * k], c[4 * k + 1] = scale * sa * ar, scale * sa * ai
        c[4 * k + 2], c[4 * k + 3] = scale * sb * br, scale * sb * bi
        if order.polar:
            kappa = sign * math.sqrt((2.0 * ell + 1.0) / (4.0 * math.pi))
            c_polar[4 * k], c_polar[4 * k + 1] = kappa * sa * ar, kappa * sa * ai
            c_polar[4 * k + 2], c_polar[4 * k + 3] = kappa * sb * br, kappa * sb * bi


@leaf
def _synthesize_rings(narrow, wide, L, order, rings, ab, rga, work, positive, negative):
    """Synthesize one pass, block by block, into the planes of m and of -m."""
    c, c_polar, state, out = work
    for b in range(rings.first.size):
        if order.distance > order_limit(L, rings.max_sine[b]):
            continue
        if rings.form[b] == DIFFERENCES:
            _synthesize_polar(narrow, rings, b, order, rga, c_polar, state, out, positive, negative)
        elif rings.wide[b]:
            _synthesize(wide, rings, b, order, ab, c, state, out, positive, negative)
        else:
            _synthesize(narrow, rings, b, order, ab, c, state, out, positive, negative)


@leaf
def _synthesize(lanes, rings, b, order, ab, c, state, out, positive, negative):
    """Synthesize a block of rings, one degree at a time."""
    first = rings.first[b]
    k = _start(lanes, rings, first, order, ab, state)
    synthesize(lanes, rings.y, first, state, ab, c, k, order.count, out)
    _store_hemispheres(lanes, rings, first, order, out, positive, negative)


@leaf
def _synthesize_polar(lanes, rings, b, order, rga, c_polar, state, out, positive, negative):
    """Synthesize a block of rings in the difference form."""
    first = rings.first[b]
    k = _start_polar(lanes, rings, first, order, rga, state)
    synthesize_differences(lanes, rings.y, first, state, rga, c_polar, k, order.count, out)
    _store_hemispheres(lanes, rings, first, order, out, positive, negative)


@leaf
def _start(lanes, rings, first, order, ab, state):
    """Return the first degree (from l0) that is not negligible on a block."""
    log_norm, sin, tan = order.log_lambda, rings.log_sin, rings.log_tan
    exponent = seed(lanes, order.m, order.n, log_norm, sin, tan, first, state)
    return skip_negligible(lanes, rings.y, first, state, ab, exponent, order.count)


@leaf
def _start_polar(lanes, rings, first, order, rga, state):
    """`_start` in the difference form."""
    log_norm, sin, tan = order.log_d, rings.log_sin, rings.log_tan
    exponent = seed(lanes, order.m, order.n, log_norm, sin, tan, first, state)
    return skip_negligible_differences(lanes, rings.y, first, state, rga, exponent, order.count)


@leaf
def _store_hemispheres(lanes, rings, first, order, values, positive, negative):
    """Store the weighted values of a block in the planes of m and of -m."""
    w = width(lanes)
    unit = splat(lanes, 1.0)
    weights_positive, column_positive, weights_negative, column_negative = _hemispheres(
        rings, first, order
    )
    re, im = load(lanes, values, 0), load(lanes, values, w)
    store_weighted(lanes, weights_positive, first, unit, re, im, positive, column_positive)
    re, im = load(lanes, values, 2 * w), load(lanes, values, 3 * w)
    store_weighted(lanes, weights_negative, first, unit, re, im, negative, column_negative)


# --- analysis ----------------------------------------------------------------------------------------


@jit
def analysis_spin(
    narrow, wide, queue, orders, L, spin, rings, log_norms, cached, buffer, planes, flm
):
    """The transpose of `synthesis_spin`, ring weights included."""
    c, c_polar = np.zeros(4 * L + 8), np.zeros(4 * L + 8)
    opposite = np.empty(2 * L + 8)
    sums = aligned(4 * SUM_LANES * DEGREE_CHUNK, log_norms)
    polar_sums = aligned(4 * SUM_LANES * (L + 8), log_norms)
    blocks = rings.first.size
    starts = np.empty(blocks, np.int64)
    states = aligned(blocks * 64, log_norms).reshape(blocks, 64)
    values = aligned(blocks * 128, log_norms).reshape(blocks, 128)
    work = starts, states, values, sums, polar_sums, c, c_polar
    rows = np.empty((flm.shape[0], 2, ORDERS_PER_GROUP, 2 * L + 8))
    while True:
        first = next_orders(queue, orders)
        if first >= orders.last:
            return
        rows[:] = 0.0
        for m in range(first, min(first + ORDERS_PER_GROUP, L)):
            for second in range(2 if m else 1):
                order = _pass(m, spin, second, L, rings.polar_sine, log_norms)
                alpha, ab, rga = _coefficients(order, L, opposite, cached, buffer)
                for q in range(flm.shape[0]):
                    positive = planes[q, orders.positive + m].reshape(-1)
                    negative = planes[q, orders.negative - m if m else orders.positive].reshape(-1)
                    _analyze_rings(narrow, wide, L, order, rings, ab, rga, work, positive, negative)
                    f, g = rows[q, 0, m - first], rows[q, 1, m - first]
                    _from_series(f, g, order, alpha, c, c_polar)
        _merge_zero_order(first, rows)
        for q in range(flm.shape[0]):
            scatter(narrow, rows[q], L, first, False, flm[q])


@jit
def _merge_zero_order(first, rows):
    """Add the two rows of order 0: their sum is its coefficient."""
    if first == 0:
        rows[:, 0, 0] += rows[:, 1, 0]


@leaf
def _analyze_rings(narrow, wide, L, order, rings, ab, rga, work, positive, negative):
    """The transpose of `_synthesize_rings`: sums over all rings, into ``c`` and ``c_polar``."""
    starts, states, values, sums, polar_sums, c, c_polar = work
    y, count = rings.y, order.count
    polar_count = count if order.polar else 0
    polar_sums[: 4 * SUM_LANES * polar_count] = 0.0
    for b in range(starts.size):
        starts[b] = count
        if order.distance > order_limit(L, rings.max_sine[b]):
            continue
        state, v = states[b], values[b]
        if rings.form[b] == DIFFERENCES:
            _analyze_polar(narrow, rings, b, order, rga, polar_sums, state, v, positive, negative)
        elif rings.wide[b]:
            starts[b] = _begin_analysis(wide, rings, b, order, ab, state, v, positive, negative)
        else:
            starts[b] = _begin_analysis(narrow, rings, b, order, ab, state, v, positive, negative)
    sum_rings(narrow, wide, rings, y, ab, y, ab, starts, states, values, count, sums, c)
    add_lanes(narrow, polar_sums, polar_count, c_polar, 0)


@leaf
def _begin_analysis(lanes, rings, b, order, ab, state, values, positive, negative):
    """Load the values of a block; returns its first degree (from l0) that is not negligible."""
    first = rings.first[b]
    _load_hemispheres(lanes, rings, first, order, values, positive, negative)
    return _start(lanes, rings, first, order, ab, state)


@leaf
def _analyze_polar(lanes, rings, b, order, rga, sums, state, values, positive, negative):
    """Add a block of rings in the difference form to the sums of its degrees."""
    first = rings.first[b]
    k = _start_polar(lanes, rings, first, order, rga, state)
    _load_hemispheres(lanes, rings, first, order, values, positive, negative)
    analyze_differences(lanes, lanes, rings.y, first, state, rga, values, k, order.count, sums)


@leaf
def _load_hemispheres(lanes, rings, first, order, values, positive, negative):
    """The transpose of `_store_hemispheres`."""
    weights_positive, column_positive, weights_negative, column_negative = _hemispheres(
        rings, first, order
    )
    ar, ai = load_weighted(lanes, weights_positive, first, positive, column_positive)
    br, bi = load_weighted(lanes, weights_negative, first, negative, column_negative)
    store4(values, width(lanes), ar, ai, br, bi)


@jit
def _from_series(f, g, order, alpha, c, c_polar):
    """The transpose of `_to_series`: add the two sums of a pass to the rows of orders m and -m."""
    sign = seed_sign(order.m, order.n) * (1.0 - 2.0 * (order.n % 2))
    for k in range(order.count):
        ell = order.l0 + k
        i = 2 * (ell - order.m)
        sa, sb = _signs(ell, order)
        scale = sign * alpha[k]
        ar, ai = scale * c[4 * k], scale * c[4 * k + 1]
        br, bi = scale * c[4 * k + 2], scale * c[4 * k + 3]
        if order.polar:
            kappa = sign * math.sqrt((2.0 * ell + 1.0) / (4.0 * math.pi))
            ar, ai = ar + kappa * c_polar[4 * k], ai + kappa * c_polar[4 * k + 1]
            br, bi = br + kappa * c_polar[4 * k + 2], bi + kappa * c_polar[4 * k + 3]
        f[i], f[i + 1] = f[i] + sa * ar, f[i + 1] + sa * ai
        g[i], g[i + 1] = g[i] + sb * br, g[i + 1] + sb * bi
