"""The Legendre step: coefficients of one order <-> Fourier coefficients of that order on every ring.

    F_m(theta) = sum_l f_lm lambda_lm(theta),   lambda_lm = (-1)^s sqrt((2l+1)/4pi) d^l_{m,-s}(theta)

and its transpose, on rings taken in north/south pairs: for spin 0 by the parity of l + m, else by

    d^l_{m,n}(pi - theta) = (-1)^{l+m} d^l_{m,-n}(theta),   d^l_{-m,-n} = (-1)^{m-n} d^l_{m,n},

so that only northern angles enter the recursion. This file is spin 0, `legendre_spin` all others. Rings are
SIMD lanes; the work items are the orders.

``planes[map, slot, re/im, column]`` holds F, the columns being the northern lanes, then the southern; an
`Orders` says which orders are computed, and in which slots they are.
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
from spherekit.kernels.packing import TOGETHER, gather, scatter
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
    start,
    start_differences,
    sum_rings,
    synthesize,
    synthesize_differences,
)


class Order(NamedTuple):
    """The numbers of one order: log2 of the norms of d^l and of lambda_l at l = m, and steps.

    ``pairs``: pairs of degrees; ``degrees``: those of the difference form, 0 where no polar ring is reached.
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
    """Planes of spin-0 coefficients, a float64 view; ``input_stats`` as in `gather`.

    ``queue`` counts the groups of four orders; ``log_norms``: `ring_lanes.order_scales`.
    ``cached``: `recursion_coefficients.cached`; ``buffer``: for one order where they are not cached.
    """
    c, c_polar, ab_sin2 = np.empty(4 * L + 8), np.empty(4 * L + 8), np.empty(L + 8)
    state, out = np.empty(64), np.empty(128)
    rows = np.empty((flm.shape[0], 1 if real else 2, TOGETHER, 2 * L + 8))
    x, y, sin2, cos2 = rings.x, rings.y, rings.sin2, rings.cos2
    log_sin, log_tan, north, south = rings.log_sin, rings.log_tan, rings.north, rings.south
    while True:
        first = next_orders(queue, orders)
        if first >= orders.last:
            return
        for q in range(flm.shape[0]):
            gather(narrow, flm[q], L, first, real, rows[q], input_stats)
        for m in range(first, min(first + TOGETHER, L)):
            order = _order(m, L, rings.polar, log_norms)
            e, alpha, ab_cos2, rga = _coefficients(order, L, cached, buffer, ab_sin2)
            for q in range(flm.shape[0]):
                for sign in range(1 if real or m == 0 else 2):
                    f = rows[q, sign, m - first]
                    _mix(f, order, e, alpha, c)
                    _mix_polar(f, order, c_polar)
                    plane = planes[q, orders.down - m if sign else orders.up + m].reshape(-1)
                    work = state, out, north, south, plane
                    for b in range(rings.first.size):
                        lane, form = rings.first[b], rings.form[b]
                        z, ab = (sin2, ab_sin2) if form == SIN2 else (cos2, ab_cos2)
                        recursion = order, lane, log_sin, log_tan, z, ab
                        if m > order_limit(L, rings.top[b]):
                            store_zeros(narrow, lane, rings.wide[b], plane)
                        elif form == DIFFERENCES:
                            _synthesize_polar(
                                narrow, order, lane, log_sin, log_tan, y, rga, c_polar, *work
                            )
                        elif rings.wide[b]:
                            _synthesize(wide, *recursion, c, x, *work)
                        else:
                            _synthesize(narrow, *recursion, c, x, *work)


@leaf
def _order(m, L, polar_sine, log_norms):
    degrees = L - m if reaches_polar_rings(L, m, polar_sine) else 0
    return Order(m, log_norms[0, m], log_norms[1, m], (L - m + 1) // 2, degrees)


@jit
def _coefficients(order, L, cached, buffer, ab_sin2):
    """(e, alpha, ab, rga) of an order, cached or computed in ``buffer``; and ``ab_sin2``."""
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
def _mix(f, order, e, alpha, c):
    """Coefficients on lambda_{m+2k+1}/cos: lambda_l = (e_{l+1} lambda_{l+1} + e_l lambda_{l-1})/cos."""
    flip = 1.0 - 2.0 * (order.m % 2)
    for k in range(order.pairs):
        a, e1, e2 = flip * alpha[k], e[2 * k + 1], e[2 * k + 2]
        c[4 * k] = a * (e1 * f[4 * k] + e2 * f[4 * k + 4])
        c[4 * k + 1] = a * (e1 * f[4 * k + 1] + e2 * f[4 * k + 5])
        c[4 * k + 2], c[4 * k + 3] = a * f[4 * k + 2], a * f[4 * k + 3]


@jit
def _mix_polar(f, order, c_polar):
    """Coefficients on d^l_m0 for the northern and the southern rings."""
    for i in range(order.degrees):
        kappa = math.sqrt((2.0 * (order.m + i) + 1.0) / (4.0 * math.pi))
        flip = 1.0 - 2.0 * (i % 2)
        re, im = kappa * f[2 * i], kappa * f[2 * i + 1]
        c_polar[4 * i], c_polar[4 * i + 1] = re, im
        c_polar[4 * i + 2], c_polar[4 * i + 3] = flip * re, flip * im


@leaf
def _synthesize(lanes, order, lane, log_sin, log_tan, z, ab, c, x, state, out, north, south, plane):
    """A block of rings from ``lane`` on, in z = sin^2 or cos^2."""
    w = width(lanes)
    count = order.pairs
    k = start(lanes, order.m, 0, order.log_lambda, log_sin, log_tan, z, ab, lane, count, state)
    synthesize(lanes, z, lane, state, ab, c, k, count, out)
    v, one = load(lanes, x, lane), splat(lanes, 1.0)
    even_re, even_im = load(lanes, out, 0), load(lanes, out, w)
    odd_re, odd_im = v * load(lanes, out, 2 * w), v * load(lanes, out, 3 * w)
    store_weighted(lanes, north, lane, one, even_re + odd_re, even_im + odd_im, plane, lane)
    column = lane + x.size
    store_weighted(lanes, south, lane, one, even_re - odd_re, even_im - odd_im, plane, column)


@leaf
def _synthesize_polar(
    lanes, order, lane, log_sin, log_tan, y, rga, c, state, out, north, south, plane
):
    """A block of rings in differences."""
    w = width(lanes)
    m, count = order.m, order.degrees
    k = start_differences(lanes, m, 0, order.log_d, log_sin, log_tan, y, rga, lane, count, state)
    synthesize_differences(lanes, y, lane, state, rga, c, k, count, out)
    flip = splat(lanes, 1.0 - 2.0 * (m % 2))
    re, im = load(lanes, out, 0), load(lanes, out, w)
    store_weighted(lanes, north, lane, flip, re, im, plane, lane)
    re, im = load(lanes, out, 2 * w), load(lanes, out, 3 * w)
    store_weighted(lanes, south, lane, flip, re, im, plane, lane + y.size)


# --- analysis ----------------------------------------------------------------------------------------


@jit
def analysis_zonal(
    narrow, wide, queue, orders, L, real, rings, log_norms, cached, buffer, planes, flm
):
    """The transpose of `synthesis_zonal`, ring weights included."""
    c, c_polar, ab_sin2 = np.zeros(4 * L + 8), np.zeros(4 * L + 8), np.empty(L + 8)
    sums = aligned(4 * SUM_LANES * DEGREE_CHUNK, log_norms)
    polar_sums = aligned(4 * SUM_LANES * (L + 8), log_norms)
    blocks = rings.first, rings.wide, rings.form
    block_count = rings.first.size
    starts = np.empty(block_count, np.int64)
    states = aligned(block_count * 64, log_norms).reshape(block_count, 64)
    values = aligned(block_count * 128, log_norms).reshape(block_count, 128)
    rows = np.empty((flm.shape[0], 1 if real else 2, TOGETHER, 2 * L + 8))
    x, y, sin2, cos2 = rings.x, rings.y, rings.sin2, rings.cos2
    log_sin, log_tan, north, south = rings.log_sin, rings.log_tan, rings.north, rings.south
    while True:
        first = next_orders(queue, orders)
        if first >= orders.last:
            return
        for m in range(first, min(first + TOGETHER, L)):
            order = _order(m, L, rings.polar, log_norms)
            e, alpha, ab_cos2, rga = _coefficients(order, L, cached, buffer, ab_sin2)
            for q in range(flm.shape[0]):
                for sign in range(1 if real or m == 0 else 2):
                    plane = planes[q, orders.down - m if sign else orders.up + m].reshape(-1)
                    polar_sums[: 4 * SUM_LANES * order.degrees] = 0.0
                    for b in range(block_count):
                        lane, form, state, v = rings.first[b], rings.form[b], states[b], values[b]
                        z, ab = (sin2, ab_sin2) if form == SIN2 else (cos2, ab_cos2)
                        starts[b] = order.pairs
                        if m > order_limit(L, rings.top[b]):
                            continue
                        recursion = order, lane, log_sin, log_tan, z, ab
                        work = state, v, north, south, plane
                        if form == DIFFERENCES:
                            _analyze_polar(
                                narrow, order, lane, log_sin, log_tan, y, rga, polar_sums, *work
                            )
                        elif rings.wide[b]:
                            starts[b] = _begin_analysis(wide, *recursion, x, *work)
                        else:
                            starts[b] = _begin_analysis(narrow, *recursion, x, *work)
                    forms = sin2, ab_sin2, cos2, ab_cos2
                    buffers = starts, states, values, order.pairs, sums, c
                    sum_rings(narrow, wide, *blocks, *forms, *buffers)
                    add_lanes(narrow, polar_sums, order.degrees, c_polar, 0)
                    f = rows[q, sign, m - first]
                    _unmix(f, c, order, e, alpha)
                    _unmix_polar(f, c_polar, order)
        for q in range(flm.shape[0]):
            scatter(narrow, rows[q], L, first, real, flm[q])


@leaf
def _begin_analysis(
    lanes, order, lane, log_sin, log_tan, z, ab, x, state, values, north, south, plane
):
    """Even and odd values of a block, and the pair from which its recursion matters."""
    nr, ni = load_weighted(lanes, north, lane, plane, lane)
    sr, si = load_weighted(lanes, south, lane, plane, lane + x.size)
    v = load(lanes, x, lane)
    store4(values, width(lanes), nr + sr, ni + si, v * (nr - sr), v * (ni - si))
    log_norm = order.log_lambda
    return start(lanes, order.m, 0, log_norm, log_sin, log_tan, z, ab, lane, order.pairs, state)


@leaf
def _analyze_polar(
    lanes, order, lane, log_sin, log_tan, y, rga, sums, state, values, north, south, plane
):
    """A block of rings in differences, added to the sums of its degrees."""
    m, count = order.m, order.degrees
    k = start_differences(lanes, m, 0, order.log_d, log_sin, log_tan, y, rga, lane, count, state)
    nr, ni = load_weighted(lanes, north, lane, plane, lane)
    sr, si = load_weighted(lanes, south, lane, plane, lane + y.size)
    store4(values, width(lanes), nr, ni, sr, si)
    analyze_differences(lanes, lanes, y, lane, state, rga, values, k, count, sums)


@jit
def _unmix(f, c, order, e, alpha):
    """Transpose of `_mix`."""
    flip = 1.0 - 2.0 * (order.m % 2)
    before = re = im = 0.0
    for k in range(order.pairs):
        a, b = flip * alpha[k], flip * alpha[k] * e[2 * k + 1]
        f[4 * k] = b * c[4 * k] + before * re
        f[4 * k + 1] = b * c[4 * k + 1] + before * im
        f[4 * k + 2], f[4 * k + 3] = a * c[4 * k + 2], a * c[4 * k + 3]
        before, re, im = a * e[2 * k + 2], c[4 * k], c[4 * k + 1]


@jit
def _unmix_polar(f, c_polar, order):
    """Transpose of `_mix_polar`, added to the row."""
    flip = 1.0 - 2.0 * (order.m % 2)
    for i in range(order.degrees):
        kappa = flip * math.sqrt((2.0 * (order.m + i) + 1.0) / (4.0 * math.pi))
        south = kappa * (1.0 - 2.0 * (i % 2))
        f[2 * i] += kappa * c_polar[4 * i] + south * c_polar[4 * i + 2]
        f[2 * i + 1] += kappa * c_polar[4 * i + 1] + south * c_polar[4 * i + 3]
