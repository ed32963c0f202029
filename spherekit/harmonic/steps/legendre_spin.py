"""The Legendre step for spin s != 0: orders m and -m together, with n = -s, then with n = +s.

See `legendre_scalar` for the conventions. With n = -s at a northern angle, the sum over f_lm gives F_m in the
north, and the sum over (-1)^{l+s} f_{l,-m} gives F_{-m} in the south. With n = +s, the sum over (-1)^{l+m}
f_lm gives F_m in the south, and the sum over (-1)^{m+s} f_{l,-m} gives F_{-m} in the north. For m = 0 the
first pass computes both.
"""

import math
from typing import NamedTuple

from spherekit._core.jit import leaf
from spherekit.harmonic.steps.ring_lanes import (
    LOG_SIN,
    LOG_TAN,
    NORTH,
    SOUTH,
    STATE_SIZE,
    VALUES_SIZE,
    Y,
    block_values,
    divide,
    load_weighted,
    point_to,
    store4,
    store_weighted,
    sum_rings,
)
from spherekit.kernels.packing import ORDERS_PER_GROUP, gather, scatter
from spherekit.kernels.recursion_coefficients import (
    degree_coefficients,
    difference_coefficients,
    difference_row,
    opposite_coefficients,
    spin_row,
)
from spherekit.kernels.simd import load, pointer, splat, width
from spherekit.kernels.wigner_recursion import (
    SUM_LANES,
    add_lanes,
    analyze_differences,
    clear,
    seed,
    seed_sign,
    skip_negligible,
    skip_negligible_differences,
    synthesize,
    synthesize_differences,
)
from spherekit.kernels.work_queue import next_item


class Pass(NamedTuple):
    """Constants of one pass over the rings: n = -spin in the first pass, +spin in the second.

    ``second``: 0 or 1. ``distance``: ||m| - |n||. ``count``: number of degrees from l0 = max(m, |n|) on.
    ``polar_count``: the same number, or 0 where the order is negligible on all polar rings. ``log_d``,
    ``log_lambda``: log2 of the norms of d^l and lambda_l at l0.
    """

    m: int
    n: int
    second: int
    distance: int
    l0: int
    count: int
    polar_count: int
    log_d: float
    log_lambda: float


@leaf
def _pass(m, spin, second, L, polar_limit, log_norms):
    n = spin if second else -spin
    l0 = max(m, abs(spin))
    distance, count = abs(m - abs(spin)), L - l0
    polar_count = 0
    if polar_limit is not None:
        polar_count = count if distance <= polar_limit else 0
    return Pass(m, n, second, distance, l0, count, polar_count, log_norms[0], log_norms[L])


@leaf
def _coefficients(order, L, cached, buffers):
    """Return (alpha, ab) of a pass, cached or computed; in the second pass b is that of -n."""
    is_cached = order.m < cached.orders
    row = pointer(cached.values, order.m * cached.row_size) if is_cached else buffers.coefficients
    alpha, ab = spin_row(row, L)
    if not is_cached and not order.second:
        degree_coefficients(order.m, order.n, L, alpha, ab)
    if order.second:
        opposite_coefficients(order.m, -order.n, L, ab, buffers.ab)
        ab = buffers.ab
    return alpha, ab


@leaf
def _polar_coefficients(order, L, cached, buffers):
    """Return the coefficients of the difference form, cached or computed."""
    if order.m < cached.polar_orders:
        return difference_row(cached, order.second, order.m)
    rga = pointer(buffers.coefficients, cached.row_size)
    if order.polar_count:
        difference_coefficients(order.m, order.n, L, rga)
    return rga


@leaf
def _signs(ell, order):
    """Return the signs of f_lm and of (-1)^m f_{l,-m} in a pass; n has the parity of the spin."""
    if order.second:
        return 1.0 - 2.0 * ((ell + order.m) % 2), 1.0 - 2.0 * (order.n % 2)
    return 1.0, 1.0 - 2.0 * ((ell + order.m + order.n) % 2)


# --- synthesis ---------------------------------------------------------------------------------------


@leaf
def synthesis_spin(
    narrow,
    wide,
    polar_limit,
    queue,
    orders,
    L,
    spin,
    blocks,
    log_norms,
    cached,
    work,
    flm,
    planes,
    input_stats,
):
    """Compute the planes of a field of spin s from its coefficients; arguments as in `synthesis_zonal`."""
    maps, size, rings = planes.shape[0], 2 * L + 8, point_to(blocks)
    buffers, plane_size = divide(work, rings, L, cached), 4 * rings.lanes
    state, c, c_polar, rows = buffers.states, buffers.c, buffers.c_polar, buffers.rows
    while True:
        first = orders.first + next_item(queue) * ORDERS_PER_GROUP
        if first >= orders.last:
            return
        for q in range(maps):
            target = pointer(rows, 2 * q * ORDERS_PER_GROUP * size)
            gather(narrow, pointer(flm, 2 * q * L * L), L, first, False, target, size, input_stats)
        for m in range(first, min(first + ORDERS_PER_GROUP, L)):
            for second in range(2 if m else 1):
                order = _pass(m, spin, second, L, polar_limit, pointer(log_norms, m))
                alpha, ab = _coefficients(order, L, cached, buffers)
                if polar_limit is not None:
                    rga = _polar_coefficients(order, L, cached, buffers)
                for q in range(maps):
                    f = pointer(rows, (2 * q * ORDERS_PER_GROUP + m - first) * size)
                    g = pointer(f, ORDERS_PER_GROUP * size)
                    slot = orders.negative - m if m else orders.positive
                    map_planes = pointer(planes, q * planes.shape[1] * plane_size)
                    positive = pointer(map_planes, (orders.positive + m) * plane_size)
                    negative = pointer(map_planes, slot * plane_size)
                    if not second:
                        clear(positive, plane_size)
                        clear(negative, plane_size)
                    _to_series(f, g, order, alpha, polar_limit, c, c_polar)
                    _synthesize_rings(narrow, wide, rings, order, ab, c, state, positive, negative)
                    if polar_limit is not None:
                        _synthesize_polar_rings(
                            narrow, rings, order, rga, c_polar, state, positive, negative
                        )


@leaf
def _to_series(f, g, order, alpha, polar_limit, c, c_polar):
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
        if polar_limit is not None and order.polar_count:
            kappa = sign * math.sqrt((2.0 * ell + 1.0) / (4.0 * math.pi))
            c_polar[4 * k], c_polar[4 * k + 1] = kappa * sa * ar, kappa * sa * ai
            c_polar[4 * k + 2], c_polar[4 * k + 3] = kappa * sb * br, kappa * sb * bi


@leaf
def _synthesize_rings(narrow, wide, rings, order, ab, c, state, positive, negative):
    """Synthesize one pass into the planes of m and of -m: all blocks that are not in the difference form."""
    for b in range(rings.polar_count, rings.count):
        if order.distance > rings.limits[b]:
            continue
        block, first = block_values(rings, b)
        if rings.table[3 * b + 1]:
            _synthesize(wide, block, order, ab, c, state, positive, negative, first, rings.lanes)
        else:
            _synthesize(narrow, block, order, ab, c, state, positive, negative, first, rings.lanes)


@leaf
def _synthesize(lanes, block, order, ab, c, state, positive, negative, first, rings):
    """Synthesize a block, one degree at a time."""
    w, out = width(lanes), pointer(state, STATE_SIZE)
    k = _start(lanes, block, order, ab, state)
    synthesize(lanes, block, Y * w, state, ab, c, k, order.count, out)
    _store_hemispheres(lanes, block, order, out, positive, negative, first, rings)


@leaf
def _synthesize_polar_rings(lanes, rings, order, rga, c_polar, state, positive, negative):
    """Synthesize all blocks in the difference form."""
    w, out, count = width(lanes), pointer(state, STATE_SIZE), order.polar_count
    for b in range(rings.polar_count):
        if order.distance > rings.limits[b]:
            continue
        block, first = block_values(rings, b)
        k = _start_polar(lanes, block, order, rga, state)
        synthesize_differences(lanes, block, Y * w, state, rga, c_polar, k, count, out)
        _store_hemispheres(lanes, block, order, out, positive, negative, first, rings.lanes)


@leaf
def _start(lanes, block, order, ab, state):
    """Return the first degree (from l0) that is not negligible on a block."""
    w = width(lanes)
    sine, tangent = pointer(block, LOG_SIN * w), pointer(block, LOG_TAN * w)
    exponent = seed(lanes, order.m, order.n, order.log_lambda, sine, tangent, 0, state)
    return skip_negligible(lanes, block, Y * w, state, ab, exponent, order.count)


@leaf
def _start_polar(lanes, block, order, rga, state):
    """`_start` in the difference form."""
    w = width(lanes)
    sine, tangent = pointer(block, LOG_SIN * w), pointer(block, LOG_TAN * w)
    exponent = seed(lanes, order.m, order.n, order.log_d, sine, tangent, 0, state)
    count = order.polar_count
    return skip_negligible_differences(lanes, block, Y * w, state, rga, exponent, count)


@leaf
def _hemispheres(order, first, rings):
    """Return (vector of the weights, column) of a block for order m, then for order -m.

    They belong to opposite hemispheres.
    """
    south = first + rings
    return (SOUTH, south, NORTH, first) if order.second else (NORTH, first, SOUTH, south)


@leaf
def _store_hemispheres(lanes, block, order, values, positive, negative, first, rings):
    """Store the weighted values of a block in the planes of m and of -m."""
    w = width(lanes)
    unit = splat(lanes, 1.0)
    weights, column, negative_weights, negative_column = _hemispheres(order, first, rings)
    re, im = load(lanes, values, 0), load(lanes, values, w)
    store_weighted(lanes, pointer(block, weights * w), unit, re, im, positive, column, 2 * rings)
    re, im = load(lanes, values, 2 * w), load(lanes, values, 3 * w)
    vector = pointer(block, negative_weights * w)
    store_weighted(lanes, vector, unit, re, im, negative, negative_column, 2 * rings)


# --- analysis ----------------------------------------------------------------------------------------


@leaf
def analysis_spin(
    narrow,
    wide,
    polar_limit,
    queue,
    orders,
    L,
    spin,
    blocks,
    log_norms,
    cached,
    work,
    starts,
    planes,
    flm,
):
    """The transpose of `synthesis_spin`, with ring weights; ``starts`` has one element for each block."""
    maps, size, rings = planes.shape[0], 2 * L + 8, point_to(blocks)
    buffers, plane_size = divide(work, rings, L, cached), 4 * rings.lanes
    c, c_polar, rows = buffers.c, buffers.c_polar, buffers.rows
    first_degrees, rows_of_map = pointer(starts, 0), 2 * ORDERS_PER_GROUP * size
    clear(c, 8 * (L + 8))
    while True:
        first = orders.first + next_item(queue) * ORDERS_PER_GROUP
        if first >= orders.last:
            return
        clear(rows, maps * rows_of_map)
        for m in range(first, min(first + ORDERS_PER_GROUP, L)):
            for second in range(2 if m else 1):
                order = _pass(m, spin, second, L, polar_limit, pointer(log_norms, m))
                alpha, ab = _coefficients(order, L, cached, buffers)
                if polar_limit is not None:
                    rga = _polar_coefficients(order, L, cached, buffers)
                for q in range(maps):
                    f = pointer(rows, q * rows_of_map + (m - first) * size)
                    g = pointer(f, ORDERS_PER_GROUP * size)
                    slot = orders.negative - m if m else orders.positive
                    map_planes = pointer(planes, q * planes.shape[1] * plane_size)
                    positive = pointer(map_planes, (orders.positive + m) * plane_size)
                    negative = pointer(map_planes, slot * plane_size)
                    _begin_rings(
                        narrow, wide, rings, order, ab, first_degrees, buffers, positive, negative
                    )
                    count = order.count
                    sum_rings(narrow, wide, rings, (Y, Y), ab, ab, first_degrees, buffers, count)
                    if polar_limit is not None:
                        _analyze_polar_rings(narrow, rings, order, rga, buffers, positive, negative)
                        add_lanes(narrow, buffers.polar_sums, order.polar_count, c_polar, 0)
                    _from_series(f, g, order, alpha, polar_limit, c, c_polar)
        for q in range(maps):
            f = pointer(rows, q * rows_of_map)
            if first == 0:  # the sum of the two rows of order 0 is its coefficient
                for i in range(size):
                    f[i] += f[ORDERS_PER_GROUP * size + i]
            scatter(narrow, f, size, L, first, False, pointer(flm, 2 * q * L * L))


@leaf
def _begin_rings(narrow, wide, rings, order, ab, starts, buffers, positive, negative):
    """Load the values of all blocks that are not in the difference form; find their first degrees."""
    for b in range(rings.polar_count, rings.count):
        starts[b] = order.count
        if order.distance > rings.limits[b]:
            continue
        block, first = block_values(rings, b)
        state = pointer(buffers.states, b * STATE_SIZE)
        values = pointer(buffers.values, b * VALUES_SIZE)
        if rings.table[3 * b + 1]:
            _load_hemispheres(wide, block, order, values, positive, negative, first, rings.lanes)
            starts[b] = _start(wide, block, order, ab, state)
        else:
            _load_hemispheres(narrow, block, order, values, positive, negative, first, rings.lanes)
            starts[b] = _start(narrow, block, order, ab, state)


@leaf
def _analyze_polar_rings(lanes, rings, order, rga, buffers, positive, negative):
    """Compute the sums over all blocks in the difference form."""
    w, count = width(lanes), order.polar_count
    state, values, sums = buffers.states, buffers.values, buffers.polar_sums
    clear(sums, 4 * SUM_LANES * count)
    for b in range(rings.polar_count):
        if order.distance > rings.limits[b]:
            continue
        block, first = block_values(rings, b)
        k = _start_polar(lanes, block, order, rga, state)
        _load_hemispheres(lanes, block, order, values, positive, negative, first, rings.lanes)
        analyze_differences(lanes, lanes, block, Y * w, state, rga, values, k, count, sums)


@leaf
def _load_hemispheres(lanes, block, order, values, positive, negative, first, rings):
    """The transpose of `_store_hemispheres`."""
    w = width(lanes)
    weights, column, negative_weights, negative_column = _hemispheres(order, first, rings)
    ar, ai = load_weighted(lanes, pointer(block, weights * w), positive, column, 2 * rings)
    vector = pointer(block, negative_weights * w)
    br, bi = load_weighted(lanes, vector, negative, negative_column, 2 * rings)
    store4(values, w, ar, ai, br, bi)


@leaf
def _from_series(f, g, order, alpha, polar_limit, c, c_polar):
    """The transpose of `_to_series`: add the two sums of a pass to the rows of orders m and -m."""
    sign = seed_sign(order.m, order.n) * (1.0 - 2.0 * (order.n % 2))
    for k in range(order.count):
        scale = sign * alpha[k]
        for i in range(4 * k, 4 * k + 4):
            c[i] = scale * c[i]
    if polar_limit is not None:
        for k in range(order.polar_count):
            kappa = sign * math.sqrt((2.0 * (order.l0 + k) + 1.0) / (4.0 * math.pi))
            for i in range(4 * k, 4 * k + 4):
                c[i] = c[i] + kappa * c_polar[i]
    for k in range(order.count):
        ell = order.l0 + k
        i = 2 * (ell - order.m)
        sa, sb = _signs(ell, order)
        f[i], f[i + 1] = f[i] + sa * c[4 * k], f[i + 1] + sa * c[4 * k + 1]
        g[i], g[i + 1] = g[i] + sb * c[4 * k + 2], g[i + 1] + sb * c[4 * k + 3]
