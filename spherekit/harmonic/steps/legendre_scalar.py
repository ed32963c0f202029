"""The Legendre step: coefficients of one order <-> Fourier coefficients of that order on every ring.

    F_m(theta) = sum_l f_lm lambda_lm(theta),   lambda_lm = (-1)^s sqrt((2l+1)/4pi) d^l_{m,-s}(theta)

and its transpose, on rings taken in north/south pairs: for spin 0 by the parity of l + m, else by

    d^l_{m,n}(pi - theta) = (-1)^{l+m} d^l_{m,-n}(theta),   d^l_{-m,-n} = (-1)^{m-n} d^l_{m,n},

so that only northern angles enter the recursion. Rings are SIMD lanes; the work items are the orders.

``planes[map, slot, re/im, column]`` holds F, the columns being the northern lanes, then the southern; which
orders are computed, and in which slots they are, an `Orders` says.
"""

import math

import numpy as np

from spherekit._core.jit import jit, leaf
from spherekit._core.workspace import aligned
from spherekit.harmonic.steps.ring_lanes import hold, put, put_zeros, reach, take
from spherekit.kernels.packing import TOGETHER, gather, scatter
from spherekit.kernels.recursion_coefficients import (
    difference_coefficients,
    pair_coefficients,
    towards_pole,
)
from spherekit.kernels.simd import load, splat, width
from spherekit.kernels.wigner_recursion import (
    DIFFERENCES,
    SIN2,
    STRETCH,
    SUMS,
    analyse_differences,
    climb,
    climb_differences,
    fold,
    seed,
    sum_rings,
    synthesise,
    synthesise_differences,
)
from spherekit.kernels.work_queue import next_item

# --- spin 0 ------------------------------------------------------------------------------------------


@jit
def synthesis_zonal(
    narrow, wide, counter, orders, L, real, rings, scales, kept, own, flm, planes, guard
):
    """Planes of spin-0 coefficients, a float64 view; ``guard`` as in `gather`.

    ``counter`` counts the fours of orders that are taken.
    ``kept``: `recursion_coefficients.kept`; ``own``: room for one order where they are not kept.
    """
    plain, normed = scales
    c, cd, pole = np.empty(4 * L + 8), np.empty(4 * L + 8), np.empty(L + 8)
    state, out = np.empty(64), np.empty(128)
    held = np.empty((flm.shape[0], 1 if real else 2, TOGETHER, 2 * L + 8))
    while True:
        start = orders.first + next_item(counter) * TOGETHER
        if start >= orders.last:
            return
        for q in range(flm.shape[0]):
            gather(narrow, flm[q], L, start, real, held[q], guard)
        for m in range(start, min(start + TOGETHER, L)):
            polar = rings.polar >= 0 and m <= reach(L, rings.polar)
            e, alpha, equator, rga = _coefficients(m, L, polar, kept, own)
            pairs, degrees = (L - m + 1) // 2, (L - m) if polar else 0
            towards_pole(equator, pairs, pole)
            order = (m, plain[m], normed[m], pole, equator, rga, pairs, degrees)
            for q in range(flm.shape[0]):
                for sign in range(1 if real or m == 0 else 2):
                    f = held[q, sign, m - start]
                    _mix(f, m, L, pairs, e, alpha, c)
                    _mix_polar(f, m, degrees, cd)
                    slot = orders.down - m if sign else orders.up + m
                    plane = planes[q, slot].reshape(-1)
                    for b in range(rings.first.size):
                        if m > reach(L, rings.top[b]):
                            put_zeros(narrow, rings, b, plane)
                        elif rings.form[b] == DIFFERENCES:
                            _polar_block(narrow, rings, b, order, cd, state, out, plane)
                        elif rings.wide[b]:
                            _zonal_block(wide, rings, b, order, c, state, out, plane)
                        else:
                            _zonal_block(narrow, rings, b, order, c, state, out, plane)


@jit
def _coefficients(m, L, polar, kept, own):
    """(e, alpha, ab, rga) of an order: kept, or made in ``own``."""
    e, alpha, ab, rga = own.e[0], own.alpha[0], own.ab[0], own.rga[0, 0]
    if m < kept.e.shape[0]:
        e, alpha, ab = kept.e[m], kept.alpha[m], kept.ab[m]
    else:
        pair_coefficients(m, L, e, alpha, ab)
    if m < kept.rga.shape[1]:
        rga = kept.rga[0, m]
    elif polar:
        difference_coefficients(m, 0, L, rga)
    return e, alpha, ab, rga


@jit
def _mix_polar(f, m, degrees, cd):
    """Coefficients on d^l_m0 for the northern and the southern rings."""
    for i in range(degrees):
        kappa = math.sqrt((2.0 * (m + i) + 1.0) / (4.0 * math.pi))
        flip = 1.0 - 2.0 * (i % 2)
        cd[4 * i], cd[4 * i + 1] = kappa * f[2 * i], kappa * f[2 * i + 1]
        cd[4 * i + 2], cd[4 * i + 3] = flip * cd[4 * i], flip * cd[4 * i + 1]


@jit
def _mix(f, m, L, pairs, e, alpha, c):
    """Coefficients on lambda_{m+2k+1}/cos: lambda_l = (e_{l+1} lambda_{l+1} + e_l lambda_{l-1})/cos."""
    flip = 1.0 - 2.0 * (m % 2)
    for k in range(pairs):
        a, e1, e2 = flip * alpha[k], e[2 * k + 1], e[2 * k + 2]
        c[4 * k] = a * (e1 * f[4 * k] + e2 * f[4 * k + 4])
        c[4 * k + 1] = a * (e1 * f[4 * k + 1] + e2 * f[4 * k + 5])
        c[4 * k + 2], c[4 * k + 3] = a * f[4 * k + 2], a * f[4 * k + 3]


@leaf
def _zonal_block(lanes, rings, b, order, c, state, out, plane):
    m, plain, normed, pole, equator, rga, pairs, degrees = order
    w, first = width(lanes), rings.first[b]
    z, ab = (rings.sin2, pole) if rings.form[b] == SIN2 else (rings.cos2, equator)
    scale = seed(lanes, m, 0, normed, rings.log_sin, rings.log_tan, first, state)
    k = climb(lanes, z, first, state, ab, scale, pairs)
    synthesise(lanes, z, first, state, ab, c, k, pairs, out)
    x, one = load(lanes, rings.x, first), splat(lanes, 1.0)
    er, ei = load(lanes, out, 0), load(lanes, out, w)
    odd_r, odd_i = x * load(lanes, out, 2 * w), x * load(lanes, out, 3 * w)
    put(lanes, rings.north, first, one, er + odd_r, ei + odd_i, plane, first)
    put(lanes, rings.south, first, one, er - odd_r, ei - odd_i, plane, first + rings.x.size)


@leaf
def _polar_block(lanes, rings, b, order, cd, state, out, plane):
    m, plain, normed, pole, equator, rga, pairs, degrees = order
    w, first = width(lanes), rings.first[b]
    scale = seed(lanes, m, 0, plain, rings.log_sin, rings.log_tan, first, state)
    k = climb_differences(lanes, rings.y, first, state, rga, scale, degrees)
    synthesise_differences(lanes, rings.y, first, state, rga, cd, k, degrees, out)
    flip = splat(lanes, 1.0 - 2.0 * (m % 2))
    put(lanes, rings.north, first, flip, load(lanes, out, 0), load(lanes, out, w), plane, first)
    values = load(lanes, out, 2 * w), load(lanes, out, 3 * w)
    put(lanes, rings.south, first, flip, values[0], values[1], plane, first + rings.x.size)


@jit
def analysis_zonal(narrow, wide, counter, orders, L, real, rings, scales, kept, own, planes, flm):
    """The transpose of `synthesis_zonal`, ring weights included."""
    plain, normed = scales
    c, cd, pole = np.zeros(4 * L + 8), np.zeros(4 * L + 8), np.empty(L + 8)
    sums = aligned(4 * SUMS * STRETCH, scales[0])
    polar_sums = aligned(4 * SUMS * (L + 8), scales[0])
    blocks = rings.first.size
    starts = np.empty(blocks, np.int64)
    states = aligned(blocks * 64, scales[0]).reshape(blocks, 64)
    values = aligned(blocks * 128, scales[0]).reshape(blocks, 128)
    held = np.empty((flm.shape[0], 1 if real else 2, TOGETHER, 2 * L + 8))
    while True:
        start = orders.first + next_item(counter) * TOGETHER
        if start >= orders.last:
            return
        for m in range(start, min(start + TOGETHER, L)):
            polar = rings.polar >= 0 and m <= reach(L, rings.polar)
            e, alpha, equator, rga = _coefficients(m, L, polar, kept, own)
            pairs, degrees = (L - m + 1) // 2, (L - m) if polar else 0
            towards_pole(equator, pairs, pole)
            order = (m, plain[m], normed[m], pole, equator, rga, pairs, degrees)
            forms = (rings.sin2, pole), (rings.cos2, equator)
            for q in range(flm.shape[0]):
                for sign in range(1 if real or m == 0 else 2):
                    slot = orders.down - m if sign else orders.up + m
                    plane = planes[q, slot].reshape(-1)
                    polar_sums[: 4 * SUMS * degrees] = 0.0
                    for b in range(blocks):
                        starts[b] = pairs
                        if m > reach(L, rings.top[b]):
                            continue
                        work = states[b], values[b], plane
                        if rings.form[b] == DIFFERENCES:
                            _polar_block_analysis(narrow, rings, b, order, polar_sums, *work)
                        elif rings.wide[b]:
                            starts[b] = _begin_analysis(wide, rings, b, order, *work)
                        else:
                            starts[b] = _begin_analysis(narrow, rings, b, order, *work)
                    sum_rings(narrow, wide, rings, forms, starts, states, values, pairs, sums, c)
                    fold(narrow, polar_sums, degrees, cd, 0)
                    f = held[q, sign, m - start]
                    _unmix(f, c, m, L, pairs, e, alpha)
                    _unmix_polar(f, cd, m, degrees)
        for q in range(flm.shape[0]):
            scatter(narrow, held[q], L, start, real, flm[q])


@leaf
def _begin_analysis(lanes, rings, b, order, state, values, plane):
    """Values of a block, and the pair from which its recursion matters."""
    m, plain, normed, pole, equator, rga, pairs, degrees = order
    w, first = width(lanes), rings.first[b]
    z, ab = (rings.sin2, pole) if rings.form[b] == SIN2 else (rings.cos2, equator)
    scale = seed(lanes, m, 0, normed, rings.log_sin, rings.log_tan, first, state)
    nr, ni = take(lanes, rings.north, first, plane, first)
    sr, si = take(lanes, rings.south, first, plane, first + rings.x.size)
    x = load(lanes, rings.x, first)
    hold(values, w, nr + sr, ni + si, x * (nr - sr), x * (ni - si))
    return climb(lanes, z, first, state, ab, scale, pairs)


@leaf
def _polar_block_analysis(lanes, rings, b, order, sums, state, values, plane):
    m, plain, normed, pole, equator, rga, pairs, degrees = order
    first = rings.first[b]
    scale = seed(lanes, m, 0, plain, rings.log_sin, rings.log_tan, first, state)
    k = climb_differences(lanes, rings.y, first, state, rga, scale, degrees)
    nr, ni = take(lanes, rings.north, first, plane, first)
    sr, si = take(lanes, rings.south, first, plane, first + rings.x.size)
    hold(values, width(lanes), nr, ni, sr, si)
    analyse_differences(lanes, lanes, rings.y, first, state, rga, values, k, degrees, sums)


@jit
def _unmix(f, c, m, L, pairs, e, alpha):
    """Transpose of `_mix`."""
    flip = 1.0 - 2.0 * (m % 2)
    before = re = im = 0.0
    for k in range(pairs):
        a, b = flip * alpha[k], flip * alpha[k] * e[2 * k + 1]
        f[4 * k] = b * c[4 * k] + before * re
        f[4 * k + 1] = b * c[4 * k + 1] + before * im
        f[4 * k + 2], f[4 * k + 3] = a * c[4 * k + 2], a * c[4 * k + 3]
        before, re, im = a * e[2 * k + 2], c[4 * k], c[4 * k + 1]


@jit
def _unmix_polar(f, cd, m, degrees):
    """Transpose of `_mix_polar`, added to the row."""
    flip = 1.0 - 2.0 * (m % 2)
    for i in range(degrees):
        kappa = flip * math.sqrt((2.0 * (m + i) + 1.0) / (4.0 * math.pi))
        south = kappa * (1.0 - 2.0 * (i % 2))
        f[2 * i] += kappa * cd[4 * i] + south * cd[4 * i + 2]
        f[2 * i + 1] += kappa * cd[4 * i + 1] + south * cd[4 * i + 3]
