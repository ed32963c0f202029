"""The Legendre step for spin 0: coefficients of one order <-> its Fourier coefficients on all rings.

    F_m(theta) = sum_l f_lm lambda_lm(theta),   lambda_lm = (-1)^s sqrt((2l+1)/4pi) d^l_{m,-s}(theta)

and its transpose, on pairs of northern and southern rings: for spin 0 by the parity of l + m, otherwise by

    d^l_{m,n}(pi - theta) = (-1)^{l+m} d^l_{m,-n}(theta),   d^l_{-m,-n} = (-1)^{m-n} d^l_{m,n},

so that the recursion runs for northern angles only. This module handles spin 0, `legendre_spin` all other
spins. Rings are SIMD lanes, and the work items are groups of orders.

``planes[map, slot, re/im, column]`` contains F; the columns are the northern lanes, then the southern ones.
An `Orders` tuple specifies the orders to compute and their slots.
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
    store_zeros,
)
from spherekit.kernels.packing import ORDERS_PER_GROUP, gather, scatter
from spherekit.kernels.recursion_coefficients import (
    difference_coefficients,
    pair_coefficients,
    sin2_coefficients,
)
from spherekit.kernels.simd import load, splat, width
from spherekit.kernels.wigner_recursion import (
    DEGREE_CHUNK,
    DIFFERENCES,
    SIN2,
    SUM_LANES,
    add_lanes,
    analyze_differences,
    seed,
    skip_negligible,
    skip_negligible_differences,
    sum_rings,
    synthesize,
    synthesize_differences,
)


class Order(NamedTuple):
    """Constants of one order: log2 of the norms of d^l and of lambda_l at l = m, and the numbers of steps.

    ``pairs``: number of pairs of degrees; ``degrees``: number of degrees of the difference form, 0 where the
    order is negligible on all polar rings.
    """

    m: int
    log_d: float
    log_lambda: float
    pairs: int
    degrees: int


# --- synthesis ---------------------------------------------------------------------------------------


@jit
def synthesis_zonal(
    narrow, wide, queue, orders, L, real, rings, log_norms, cached, buffer, flm, planes, input_stats
):
    """Compute the planes of spin-0 coefficients (a float64 view); ``input_stats`` as in `gather`.

    ``queue`` counts the groups of four orders; ``log_norms`` is from `ring_lanes.order_scales`, ``cached``
    from `recursion_coefficients.cached_coefficients`; ``buffer`` is for orders that are not cached.
    """
    c, c_polar, ab_sin2 = np.empty(4 * L + 8), np.empty(4 * L + 8), np.empty(L + 8)
    state, out = np.empty(64), np.empty(128)
    rows = np.empty((flm.shape[0], 1 if real else 2, ORDERS_PER_GROUP, 2 * L + 8))
    while True:
        first = next_orders(queue, orders)
        if first >= orders.last:
            return
        for q in range(flm.shape[0]):
            gather(narrow, flm[q], L, first, real, rows[q], input_stats)
        for m in range(first, min(first + ORDERS_PER_GROUP, L)):
            order = _order(m, L, rings.polar_sine, log_norms)
            e, alpha, ab_cos2, rga = _coefficients(order, L, cached, buffer, ab_sin2)
            for q in range(flm.shape[0]):
                for sign in range(1 if real or m == 0 else 2):
                    f = rows[q, sign, m - first]
                    _to_series(f, order, e, alpha, c)
                    _to_polar_series(f, order, c_polar)
                    plane = planes[q, orders.negative - m if sign else orders.positive + m].reshape(
                        -1
                    )
                    for b in range(rings.first.size):
                        if m > order_limit(L, rings.max_sine[b]):
                            store_zeros(narrow, rings, b, plane)
                        elif rings.form[b] == DIFFERENCES:
                            _synthesize_polar(
                                narrow, rings, b, order, rga, c_polar, state, out, plane
                            )
                        elif rings.wide[b]:
                            _synthesize(
                                wide, rings, b, order, ab_sin2, ab_cos2, c, state, out, plane
                            )
                        else:
                            _synthesize(
                                narrow, rings, b, order, ab_sin2, ab_cos2, c, state, out, plane
                            )


@leaf
def _order(m, L, polar_sine, log_norms):
    degrees = L - m if reaches_polar_rings(L, m, polar_sine) else 0
    return Order(m, log_norms[0, m], log_norms[1, m], (L - m + 1) // 2, degrees)


@jit
def _coefficients(order, L, cached, buffer, ab_sin2):
    """Return (e, alpha, ab, rga) of an order, cached or computed in ``buffer``; fill ``ab_sin2``."""
    m = order.m
    e, alpha, ab, rga = buffer.e[0], buffer.alpha[0], buffer.ab[0], buffer.rga[0, 0]
    if m < cached.e.shape[0]:
        e, alpha, ab = cached.e[m], cached.alpha[m], cached.ab[m]
    else:
        pair_coefficients(m, L, e, alpha, ab)
    if m < cached.rga.shape[1]:
        rga = cached.rga[0, m]
    elif order.degrees:
        difference_coefficients(m, 0, L, rga)
    sin2_coefficients(ab, order.pairs, ab_sin2)
    return e, alpha, ab, rga


@jit
def _to_series(f, order, e, alpha, c):
    """Coefficients of lambda_{m+2k+1}/cos: lambda_l = (e_{l+1} lambda_{l+1} + e_l lambda_{l-1})/cos."""
    flip = 1.0 - 2.0 * (order.m % 2)
    for k in range(order.pairs):
        a, e1, e2 = flip * alpha[k], e[2 * k + 1], e[2 * k + 2]
        c[4 * k] = a * (e1 * f[4 * k] + e2 * f[4 * k + 4])
        c[4 * k + 1] = a * (e1 * f[4 * k + 1] + e2 * f[4 * k + 5])
        c[4 * k + 2], c[4 * k + 3] = a * f[4 * k + 2], a * f[4 * k + 3]


@jit
def _to_polar_series(f, order, c_polar):
    """Coefficients of d^l_m0 for the northern and the southern rings."""
    for i in range(order.degrees):
        kappa = math.sqrt((2.0 * (order.m + i) + 1.0) / (4.0 * math.pi))
        flip = 1.0 - 2.0 * (i % 2)
        re, im = kappa * f[2 * i], kappa * f[2 * i + 1]
        c_polar[4 * i], c_polar[4 * i + 1] = re, im
        c_polar[4 * i + 2], c_polar[4 * i + 3] = flip * re, flip * im


@leaf
def _synthesize(lanes, rings, b, order, ab_sin2, ab_cos2, c, state, out, plane):
    """Synthesize a block of rings, two degrees at a time in sin^2 or cos^2."""
    w, first = width(lanes), rings.first[b]
    z, ab = (rings.sin2, ab_sin2) if rings.form[b] == SIN2 else (rings.cos2, ab_cos2)
    k = _start(lanes, rings, first, order, z, ab, state)
    synthesize(lanes, z, first, state, ab, c, k, order.pairs, out)
    x, unit = load(lanes, rings.x, first), splat(lanes, 1.0)
    even_re, even_im = load(lanes, out, 0), load(lanes, out, w)
    odd_re, odd_im = x * load(lanes, out, 2 * w), x * load(lanes, out, 3 * w)
    north, south = first, first + rings.x.size
    store_weighted(
        lanes, rings.north, first, unit, even_re + odd_re, even_im + odd_im, plane, north
    )
    store_weighted(
        lanes, rings.south, first, unit, even_re - odd_re, even_im - odd_im, plane, south
    )


@leaf
def _synthesize_polar(lanes, rings, b, order, rga, c_polar, state, out, plane):
    """Synthesize a block of rings in the difference form."""
    w, first = width(lanes), rings.first[b]
    k = _start_polar(lanes, rings, first, order, rga, state)
    synthesize_differences(lanes, rings.y, first, state, rga, c_polar, k, order.degrees, out)
    flip = splat(lanes, 1.0 - 2.0 * (order.m % 2))
    re, im = load(lanes, out, 0), load(lanes, out, w)
    store_weighted(lanes, rings.north, first, flip, re, im, plane, first)
    re, im = load(lanes, out, 2 * w), load(lanes, out, 3 * w)
    store_weighted(lanes, rings.south, first, flip, re, im, plane, first + rings.x.size)


@leaf
def _start(lanes, rings, first, order, z, ab, state):
    """Return the first pair of degrees that is not negligible on a block."""
    log_norm, sin, tan = order.log_lambda, rings.log_sin, rings.log_tan
    exponent = seed(lanes, order.m, 0, log_norm, sin, tan, first, state)
    return skip_negligible(lanes, z, first, state, ab, exponent, order.pairs)


@leaf
def _start_polar(lanes, rings, first, order, rga, state):
    """Return the first degree that is not negligible on a block."""
    log_norm, sin, tan = order.log_d, rings.log_sin, rings.log_tan
    exponent = seed(lanes, order.m, 0, log_norm, sin, tan, first, state)
    return skip_negligible_differences(lanes, rings.y, first, state, rga, exponent, order.degrees)


# --- analysis ----------------------------------------------------------------------------------------


@jit
def analysis_zonal(
    narrow, wide, queue, orders, L, real, rings, log_norms, cached, buffer, planes, flm
):
    """The transpose of `synthesis_zonal`, ring weights included."""
    c, c_polar, ab_sin2 = np.zeros(4 * L + 8), np.zeros(4 * L + 8), np.empty(L + 8)
    sums = aligned(4 * SUM_LANES * DEGREE_CHUNK, log_norms)
    polar_sums = aligned(4 * SUM_LANES * (L + 8), log_norms)
    blocks = rings.first.size
    starts = np.empty(blocks, np.int64)
    states = aligned(blocks * 64, log_norms).reshape(blocks, 64)
    values = aligned(blocks * 128, log_norms).reshape(blocks, 128)
    work = starts, states, values, sums, polar_sums, c, c_polar
    rows = np.empty((flm.shape[0], 1 if real else 2, ORDERS_PER_GROUP, 2 * L + 8))
    while True:
        first = next_orders(queue, orders)
        if first >= orders.last:
            return
        for m in range(first, min(first + ORDERS_PER_GROUP, L)):
            order = _order(m, L, rings.polar_sine, log_norms)
            e, alpha, ab_cos2, rga = _coefficients(order, L, cached, buffer, ab_sin2)
            for q in range(flm.shape[0]):
                for sign in range(1 if real or m == 0 else 2):
                    plane = planes[q, orders.negative - m if sign else orders.positive + m].reshape(
                        -1
                    )
                    _analyze_rings(
                        narrow, wide, L, order, rings, ab_sin2, ab_cos2, rga, work, plane
                    )
                    f = rows[q, sign, m - first]
                    _from_series(f, c, order, e, alpha)
                    _from_polar_series(f, c_polar, order)
        for q in range(flm.shape[0]):
            scatter(narrow, rows[q], L, first, real, flm[q])


@leaf
def _analyze_rings(narrow, wide, L, order, rings, ab_sin2, ab_cos2, rga, work, plane):
    """Sum over all rings, into ``c`` and ``c_polar``: the transpose of the loop over blocks."""
    starts, states, values, sums, polar_sums, c, c_polar = work
    sin2, cos2, count = rings.sin2, rings.cos2, order.pairs
    polar_sums[: 4 * SUM_LANES * order.degrees] = 0.0
    for b in range(starts.size):
        starts[b] = count
        if order.m > order_limit(L, rings.max_sine[b]):
            continue
        state, v = states[b], values[b]
        if rings.form[b] == DIFFERENCES:
            _analyze_polar(narrow, rings, b, order, rga, polar_sums, state, v, plane)
        elif rings.wide[b]:
            starts[b] = _begin_analysis(wide, rings, b, order, ab_sin2, ab_cos2, state, v, plane)
        else:
            starts[b] = _begin_analysis(narrow, rings, b, order, ab_sin2, ab_cos2, state, v, plane)
    sum_rings(
        narrow, wide, rings, sin2, ab_sin2, cos2, ab_cos2, starts, states, values, count, sums, c
    )
    add_lanes(narrow, polar_sums, order.degrees, c_polar, 0)


@leaf
def _begin_analysis(lanes, rings, b, order, ab_sin2, ab_cos2, state, values, plane):
    """Compute even and odd values of a block; returns its first pair that is not negligible."""
    w, first = width(lanes), rings.first[b]
    z, ab = (rings.sin2, ab_sin2) if rings.form[b] == SIN2 else (rings.cos2, ab_cos2)
    nr, ni = load_weighted(lanes, rings.north, first, plane, first)
    sr, si = load_weighted(lanes, rings.south, first, plane, first + rings.x.size)
    x = load(lanes, rings.x, first)
    store4(values, w, nr + sr, ni + si, x * (nr - sr), x * (ni - si))
    return _start(lanes, rings, first, order, z, ab, state)


@leaf
def _analyze_polar(lanes, rings, b, order, rga, sums, state, values, plane):
    """Add a block of rings in the difference form to the sums of its degrees."""
    first = rings.first[b]
    k = _start_polar(lanes, rings, first, order, rga, state)
    nr, ni = load_weighted(lanes, rings.north, first, plane, first)
    sr, si = load_weighted(lanes, rings.south, first, plane, first + rings.x.size)
    store4(values, width(lanes), nr, ni, sr, si)
    analyze_differences(lanes, lanes, rings.y, first, state, rga, values, k, order.degrees, sums)


@jit
def _from_series(f, c, order, e, alpha):
    """The transpose of `_to_series`."""
    flip = 1.0 - 2.0 * (order.m % 2)
    previous = re = im = 0.0
    for k in range(order.pairs):
        a, b = flip * alpha[k], flip * alpha[k] * e[2 * k + 1]
        f[4 * k] = b * c[4 * k] + previous * re
        f[4 * k + 1] = b * c[4 * k + 1] + previous * im
        f[4 * k + 2], f[4 * k + 3] = a * c[4 * k + 2], a * c[4 * k + 3]
        previous, re, im = a * e[2 * k + 2], c[4 * k], c[4 * k + 1]


@jit
def _from_polar_series(f, c_polar, order):
    """The transpose of `_to_polar_series`, added to the row."""
    flip = 1.0 - 2.0 * (order.m % 2)
    for i in range(order.degrees):
        kappa = flip * math.sqrt((2.0 * (order.m + i) + 1.0) / (4.0 * math.pi))
        south = kappa * (1.0 - 2.0 * (i % 2))
        f[2 * i] += kappa * c_polar[4 * i] + south * c_polar[4 * i + 2]
        f[2 * i + 1] += kappa * c_polar[4 * i + 1] + south * c_polar[4 * i + 3]
