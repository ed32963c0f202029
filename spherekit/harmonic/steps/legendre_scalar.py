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

from spherekit._core.jit import leaf
from spherekit.harmonic.steps.ring_lanes import (
    LOG_SIN,
    LOG_TAN,
    NORTH,
    SOUTH,
    SQUARED_COSINE,
    SQUARED_SINE,
    STATE_SIZE,
    VALUES_SIZE,
    X,
    Y,
    block_values,
    divide,
    load_weighted,
    point_to,
    store4,
    store_weighted,
    store_zeros,
    sum_rings,
)
from spherekit.kernels.packing import ORDERS_PER_GROUP, gather, scatter
from spherekit.kernels.recursion_coefficients import (
    difference_coefficients,
    difference_row,
    pair_coefficients,
    sin2_coefficients,
    zonal_row,
)
from spherekit.kernels.simd import load, pointer, splat, width
from spherekit.kernels.wigner_recursion import (
    SIN2,
    SUM_LANES,
    add_lanes,
    analyze_differences,
    clear,
    seed,
    skip_negligible,
    skip_negligible_differences,
    synthesize,
    synthesize_differences,
)
from spherekit.kernels.work_queue import next_item


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


@leaf
def synthesis_zonal(
    narrow,
    wide,
    polar_limit,
    queue,
    orders,
    L,
    real,
    blocks,
    log_norms,
    cached,
    work,
    flm,
    planes,
    input_stats,
):
    """Compute the planes of spin-0 coefficients (a float64 view); ``input_stats`` as in `gather`.

    ``polar_limit`` and ``blocks`` are those of `ring_lanes.RingLanes`; ``queue`` counts the groups of four
    orders; ``log_norms`` is from `ring_lanes.order_scales`, ``cached`` from
    `recursion_coefficients.cached_coefficients`. ``work`` has `ring_lanes.work_size` elements.
    """
    maps, signs, size, rings = planes.shape[0], 1 if real else 2, 2 * L + 8, point_to(blocks)
    buffers, plane_size = divide(work, rings, L, cached), 4 * rings.lanes
    state, c, rows = buffers.states, buffers.c, buffers.rows
    rows_of_map = signs * ORDERS_PER_GROUP * size
    while True:
        first = orders.first + next_item(queue) * ORDERS_PER_GROUP
        if first >= orders.last:
            return
        for q in range(maps):
            coefficients, target = pointer(flm, 2 * q * L * L), pointer(rows, q * rows_of_map)
            gather(narrow, coefficients, L, first, real, target, size, input_stats)
        for m in range(first, min(first + ORDERS_PER_GROUP, L)):
            order = _order(m, L, polar_limit, pointer(log_norms, m))
            e, alpha, ab_cos2 = _coefficients(order, L, cached, buffers)
            if polar_limit is not None:
                rga = _polar_coefficients(order, L, cached, buffers)
            for q in range(maps):
                for sign in range(1 if real or m == 0 else 2):
                    row = q * rows_of_map + (sign * ORDERS_PER_GROUP + m - first) * size
                    f = pointer(rows, row)
                    slot = orders.negative - m if sign else orders.positive + m
                    plane = pointer(planes, (q * planes.shape[1] + slot) * plane_size)
                    _to_series(f, order, e, alpha, c)
                    _synthesize_rings(
                        narrow, wide, rings, order, buffers.ab, ab_cos2, c, state, plane
                    )
                    if polar_limit is not None:
                        c_polar = buffers.c_polar
                        _to_polar_series(f, order, c_polar)
                        _synthesize_polar_rings(narrow, rings, order, rga, c_polar, state, plane)


@leaf
def _order(m, L, polar_limit, log_norms):
    degrees = 0
    if polar_limit is not None:
        degrees = L - m if m <= polar_limit else 0
    return Order(m, log_norms[0], log_norms[L], (L - m + 1) // 2, degrees)


@leaf
def _coefficients(order, L, cached, buffers):
    """Return (e, alpha, ab) of an order, cached or computed; write those of sin^2 to ``buffers.ab``."""
    is_cached = order.m < cached.orders
    row = pointer(cached.values, order.m * cached.row_size) if is_cached else buffers.coefficients
    e, alpha, ab = zonal_row(row, L)
    if not is_cached:
        pair_coefficients(order.m, L, e, alpha, ab)
    sin2_coefficients(ab, order.pairs, buffers.ab)
    return e, alpha, ab


@leaf
def _polar_coefficients(order, L, cached, buffers):
    """Return the coefficients of the difference form, cached or computed."""
    if order.m < cached.polar_orders:
        return difference_row(cached, 0, order.m)
    rga = pointer(buffers.coefficients, cached.row_size)
    if order.degrees:
        difference_coefficients(order.m, 0, L, rga)
    return rga


@leaf
def _to_series(f, order, e, alpha, c):
    """Coefficients of lambda_{m+2k+1}/cos: lambda_l = (e_{l+1} lambda_{l+1} + e_l lambda_{l-1})/cos."""
    flip = 1.0 - 2.0 * (order.m % 2)
    for k in range(order.pairs):
        a, e1, e2 = flip * alpha[k], e[2 * k + 1], e[2 * k + 2]
        c[4 * k] = a * (e1 * f[4 * k] + e2 * f[4 * k + 4])
        c[4 * k + 1] = a * (e1 * f[4 * k + 1] + e2 * f[4 * k + 5])
        c[4 * k + 2], c[4 * k + 3] = a * f[4 * k + 2], a * f[4 * k + 3]


@leaf
def _to_polar_series(f, order, c_polar):
    """Coefficients of d^l_m0 for the northern and the southern rings."""
    for i in range(order.degrees):
        kappa = math.sqrt((2.0 * (order.m + i) + 1.0) / (4.0 * math.pi))
        flip = 1.0 - 2.0 * (i % 2)
        re, im = kappa * f[2 * i], kappa * f[2 * i + 1]
        c_polar[4 * i], c_polar[4 * i + 1] = re, im
        c_polar[4 * i + 2], c_polar[4 * i + 3] = flip * re, flip * im


@leaf
def _synthesize_rings(narrow, wide, rings, order, ab_sin2, ab_cos2, c, state, plane):
    """Synthesize all blocks that are not in the difference form."""
    for b in range(rings.polar_count, rings.count):
        block, first = block_values(rings, b)
        variable, ab = SQUARED_COSINE, ab_cos2
        if rings.table[3 * b + 2] == SIN2:
            variable, ab = SQUARED_SINE, ab_sin2
        if order.m > rings.limits[b]:
            store_zeros(narrow, rings, b, plane)
        elif rings.table[3 * b + 1]:
            _synthesize(wide, block, variable, order, ab, c, state, plane, first, rings.lanes)
        else:
            _synthesize(narrow, block, variable, order, ab, c, state, plane, first, rings.lanes)


@leaf
def _synthesize_polar_rings(narrow, rings, order, rga, c_polar, state, plane):
    """Synthesize all blocks in the difference form."""
    for b in range(rings.polar_count):
        block, first = block_values(rings, b)
        if order.m > rings.limits[b]:
            store_zeros(narrow, rings, b, plane)
        else:
            _synthesize_polar(narrow, block, order, rga, c_polar, state, plane, first, rings.lanes)


@leaf
def _synthesize(lanes, block, variable, order, ab, c, state, plane, first, count):
    """Synthesize a block of rings, two degrees at a time; ``variable``: the vector of sin^2 or cos^2."""
    w, out = width(lanes), pointer(state, STATE_SIZE)
    k = _start(lanes, block, variable, order, ab, state)
    synthesize(lanes, block, variable * w, state, ab, c, k, order.pairs, out)
    x, unit = load(lanes, block, X * w), splat(lanes, 1.0)
    even_re, even_im = load(lanes, out, 0), load(lanes, out, w)
    odd_re, odd_im = x * load(lanes, out, 2 * w), x * load(lanes, out, 3 * w)
    north, south = pointer(block, NORTH * w), pointer(block, SOUTH * w)
    re, im = even_re + odd_re, even_im + odd_im
    store_weighted(lanes, north, unit, re, im, plane, first, 2 * count)
    re, im = even_re - odd_re, even_im - odd_im
    store_weighted(lanes, south, unit, re, im, plane, first + count, 2 * count)


@leaf
def _synthesize_polar(lanes, block, order, rga, c_polar, state, plane, first, count):
    """Synthesize a block of rings in the difference form."""
    w, out = width(lanes), pointer(state, STATE_SIZE)
    k = _start_polar(lanes, block, order, rga, state)
    synthesize_differences(lanes, block, Y * w, state, rga, c_polar, k, order.degrees, out)
    flip = splat(lanes, 1.0 - 2.0 * (order.m % 2))
    north, south = pointer(block, NORTH * w), pointer(block, SOUTH * w)
    re, im = load(lanes, out, 0), load(lanes, out, w)
    store_weighted(lanes, north, flip, re, im, plane, first, 2 * count)
    re, im = load(lanes, out, 2 * w), load(lanes, out, 3 * w)
    store_weighted(lanes, south, flip, re, im, plane, first + count, 2 * count)


@leaf
def _start(lanes, block, variable, order, ab, state):
    """Return the first pair of degrees that is not negligible on a block."""
    w = width(lanes)
    sine, tangent = pointer(block, LOG_SIN * w), pointer(block, LOG_TAN * w)
    exponent = seed(lanes, order.m, 0, order.log_lambda, sine, tangent, 0, state)
    return skip_negligible(lanes, block, variable * w, state, ab, exponent, order.pairs)


@leaf
def _start_polar(lanes, block, order, rga, state):
    """Return the first degree that is not negligible on a block."""
    w = width(lanes)
    sine, tangent = pointer(block, LOG_SIN * w), pointer(block, LOG_TAN * w)
    exponent = seed(lanes, order.m, 0, order.log_d, sine, tangent, 0, state)
    return skip_negligible_differences(lanes, block, Y * w, state, rga, exponent, order.degrees)


# --- analysis ----------------------------------------------------------------------------------------


@leaf
def analysis_zonal(
    narrow,
    wide,
    polar_limit,
    queue,
    orders,
    L,
    real,
    blocks,
    log_norms,
    cached,
    work,
    starts,
    planes,
    flm,
):
    """The transpose of `synthesis_zonal`, with ring weights; ``starts`` has one element for each block."""
    maps, signs, size, rings = planes.shape[0], 1 if real else 2, 2 * L + 8, point_to(blocks)
    buffers, plane_size = divide(work, rings, L, cached), 4 * rings.lanes
    c, c_polar, rows = buffers.c, buffers.c_polar, buffers.rows
    ab_sin2, variables = buffers.ab, (SQUARED_SINE, SQUARED_COSINE)
    first_degrees, rows_of_map = pointer(starts, 0), signs * ORDERS_PER_GROUP * size
    clear(c, 8 * (L + 8))
    while True:
        first = orders.first + next_item(queue) * ORDERS_PER_GROUP
        if first >= orders.last:
            return
        for m in range(first, min(first + ORDERS_PER_GROUP, L)):
            order = _order(m, L, polar_limit, pointer(log_norms, m))
            e, alpha, ab = _coefficients(order, L, cached, buffers)
            if polar_limit is not None:
                rga = _polar_coefficients(order, L, cached, buffers)
            for q in range(maps):
                for sign in range(1 if real or m == 0 else 2):
                    row = q * rows_of_map + (sign * ORDERS_PER_GROUP + m - first) * size
                    f = pointer(rows, row)
                    slot = orders.negative - m if sign else orders.positive + m
                    plane = pointer(planes, (q * planes.shape[1] + slot) * plane_size)
                    _begin_rings(
                        narrow, wide, rings, order, ab_sin2, ab, first_degrees, buffers, plane
                    )
                    count = order.pairs
                    sum_rings(
                        narrow, wide, rings, variables, ab_sin2, ab, first_degrees, buffers, count
                    )
                    _from_series(f, c, order, e, alpha)
                    if polar_limit is not None:
                        _analyze_polar_rings(narrow, rings, order, rga, buffers, plane)
                        add_lanes(narrow, buffers.polar_sums, order.degrees, c_polar, 0)
                        _from_polar_series(f, c_polar, order)
        for q in range(maps):
            coefficients, source = pointer(flm, 2 * q * L * L), pointer(rows, q * rows_of_map)
            scatter(narrow, source, size, L, first, real, coefficients)


@leaf
def _begin_rings(narrow, wide, rings, order, ab_sin2, ab_cos2, starts, buffers, plane):
    """Load the values of all blocks that are not in the difference form; find their first degrees."""
    for b in range(rings.polar_count, rings.count):
        starts[b] = order.pairs
        if order.m > rings.limits[b]:
            continue
        block, first = block_values(rings, b)
        state = pointer(buffers.states, b * STATE_SIZE)
        values = pointer(buffers.values, b * VALUES_SIZE)
        variable, ab = SQUARED_COSINE, ab_cos2
        if rings.table[3 * b + 2] == SIN2:
            variable, ab = SQUARED_SINE, ab_sin2
        if rings.table[3 * b + 1]:
            _load_values(wide, block, plane, first, rings.lanes, values)
            starts[b] = _start(wide, block, variable, order, ab, state)
        else:
            _load_values(narrow, block, plane, first, rings.lanes, values)
            starts[b] = _start(narrow, block, variable, order, ab, state)


@leaf
def _load_values(lanes, block, plane, first, count, values):
    """Compute the even and odd values of a block."""
    w = width(lanes)
    nr, ni = load_weighted(lanes, pointer(block, NORTH * w), plane, first, 2 * count)
    sr, si = load_weighted(lanes, pointer(block, SOUTH * w), plane, first + count, 2 * count)
    x = load(lanes, block, X * w)
    store4(values, w, nr + sr, ni + si, x * (nr - sr), x * (ni - si))


@leaf
def _analyze_polar_rings(lanes, rings, order, rga, buffers, plane):
    """Compute the sums over all blocks in the difference form."""
    w, count, degrees = width(lanes), rings.lanes, order.degrees
    state, values, sums = buffers.states, buffers.values, buffers.polar_sums
    clear(sums, 4 * SUM_LANES * order.degrees)
    for b in range(rings.polar_count):
        if order.m > rings.limits[b]:
            continue
        block, first = block_values(rings, b)
        k = _start_polar(lanes, block, order, rga, state)
        nr, ni = load_weighted(lanes, pointer(block, NORTH * w), plane, first, 2 * count)
        sr, si = load_weighted(lanes, pointer(block, SOUTH * w), plane, first + count, 2 * count)
        store4(values, w, nr, ni, sr, si)
        analyze_differences(lanes, lanes, block, Y * w, state, rga, values, k, degrees, sums)


@leaf
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


@leaf
def _from_polar_series(f, c_polar, order):
    """The transpose of `_to_polar_series`, added to the row."""
    flip = 1.0 - 2.0 * (order.m % 2)
    for i in range(order.degrees):
        kappa = flip * math.sqrt((2.0 * (order.m + i) + 1.0) / (4.0 * math.pi))
        south = kappa * (1.0 - 2.0 * (i % 2))
        f[2 * i] += kappa * c_polar[4 * i] + south * c_polar[4 * i + 2]
        f[2 * i + 1] += kappa * c_polar[4 * i + 1] + south * c_polar[4 * i + 3]
