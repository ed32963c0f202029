"""The Legendre step for spin s != 0: orders m and -m together, n = -s, then n = +s (see `legendre_scalar`).

With n = -s at a northern angle, the sum over f_lm gives F_m in the north and the sum over
(-1)^{l+s} f_{l,-m} gives F_{-m} in the south; with n = +s, (-1)^{l+m} f_lm gives F_m in the south and
(-1)^{m+s} f_{l,-m} gives F_{-m} in the north. For m = 0 the first pass does both.
"""

import math

import numpy as np

from spherekit._core.jit import jit, leaf
from spherekit._core.workspace import aligned
from spherekit.harmonic.steps.ring_lanes import hold, put, reach, take
from spherekit.kernels.packing import TOGETHER, gather, scatter
from spherekit.kernels.recursion_coefficients import (
    degree_coefficients,
    difference_coefficients,
    other_sign,
)
from spherekit.kernels.simd import load, splat, width
from spherekit.kernels.wigner_recursion import (
    DIFFERENCES,
    STRETCH,
    SUMS,
    analyse_differences,
    climb,
    climb_differences,
    fold,
    seed,
    seed_sign,
    sum_rings,
    synthesise,
    synthesise_differences,
)
from spherekit.kernels.work_queue import next_item


@jit
def synthesis_spin(
    narrow, wide, counter, orders, L, spin, rings, scales, kept, own, flm, planes, guard
):
    """Planes of the coefficients of a field of spin s; arguments as in `synthesis_zonal`."""
    c, cd = np.empty(4 * L + 8), np.empty(4 * L + 8)
    other = np.empty(2 * L + 8)
    state, out = np.empty(64), np.empty(128)
    held = np.empty((flm.shape[0], 2, TOGETHER, 2 * L + 8))
    while True:
        start = orders.first + next_item(counter) * TOGETHER
        if start >= orders.last:
            return
        for q in range(flm.shape[0]):
            gather(narrow, flm[q], L, start, False, held[q], guard)
        for m in range(start, min(start + TOGETHER, L)):
            l0 = max(m, abs(spin))
            count = L - l0
            polar = rings.polar >= 0 and abs(m - abs(spin)) <= reach(L, rings.polar)
            for turn in range(2 if m else 1):
                n = spin if turn else -spin
                alpha, ab, rga = _coefficients(m, spin, L, polar, turn, other, kept, own)
                for q in range(flm.shape[0]):
                    _slots(held[q], m, m - start, spin, turn, l0, L, alpha, polar, c, cd)
                    up = planes[q, orders.up + m].reshape(-1)
                    down = planes[q, orders.down - m if m else orders.up].reshape(-1)
                    if turn == 0:
                        up[:], down[:] = 0.0, 0.0
                    for b in range(rings.first.size):
                        if abs(m - abs(spin)) > reach(L, rings.top[b]):
                            continue
                        args = (rings, b, m, n, scales, ab, rga, count, state)
                        if rings.wide[b]:
                            _spin_block(wide, args, turn, c, cd, out, up, down)
                        else:
                            _spin_block(narrow, args, turn, c, cd, out, up, down)


@jit
def _coefficients(m, spin, L, polar, turn, other, kept, own):
    """(alpha, ab, rga) of a pass: kept, or made in ``own``; in the second pass b is that of -n."""
    alpha, ab, rga = own.alpha[0], own.ab[0], own.rga[0, 0]
    if m < kept.ab.shape[0]:
        alpha, ab = kept.alpha[m], kept.ab[m]
    elif turn == 0:
        degree_coefficients(m, -spin, L, alpha, ab)
    if turn:
        other_sign(m, -spin, L, ab, other)
        ab = other
    if m < kept.rga.shape[1]:
        rga = kept.rga[turn, m]
    elif polar:
        difference_coefficients(m, spin if turn else -spin, L, rga)
    return alpha, ab, rga


@jit
def _slots(rows, m, j, spin, turn, l0, L, alpha, polar, c, cd):
    """Coefficients of the two sums of a pass, for the plain (c) and the difference form (cd)."""
    n = spin if turn else -spin
    sign = seed_sign(m, n) * (1.0 - 2.0 * (spin % 2))
    for k in range(L - l0):
        ell = l0 + k
        at = 2 * (ell - m)
        ar, ai, br, bi = rows[0, j, at], rows[0, j, at + 1], rows[1, j, at], rows[1, j, at + 1]
        sa, sb = _flips(ell, m, spin, turn)
        scale = sign * alpha[k]
        c[4 * k], c[4 * k + 1] = scale * sa * ar, scale * sa * ai
        c[4 * k + 2], c[4 * k + 3] = scale * sb * br, scale * sb * bi
        if polar:
            kappa = sign * math.sqrt((2.0 * ell + 1.0) / (4.0 * math.pi))
            cd[4 * k], cd[4 * k + 1] = kappa * sa * ar, kappa * sa * ai
            cd[4 * k + 2], cd[4 * k + 3] = kappa * sb * br, kappa * sb * bi


@leaf
def _flips(ell, m, spin, turn):
    """Signs of f_lm and of (-1)^m f_{l,-m} in a pass."""
    if turn:
        return 1.0 - 2.0 * ((ell + m) % 2), 1.0 - 2.0 * (spin % 2)
    return 1.0, 1.0 - 2.0 * ((ell + m + spin) % 2)


@leaf
def _begin(lanes, args):
    """Start of the recursion on a block: the degree (from l0) from which it matters."""
    rings, b, m, n, scales, ab, rga, count, state = args
    plain, normed = scales
    first = rings.first[b]
    if rings.form[b] == DIFFERENCES:
        scale = seed(lanes, m, n, plain[m], rings.log_sin, rings.log_tan, first, state)
        return climb_differences(lanes, rings.y, first, state, rga, scale, count)
    scale = seed(lanes, m, n, normed[m], rings.log_sin, rings.log_tan, first, state)
    return climb(lanes, rings.y, first, state, ab, scale, count)


@leaf
def _spin_block(lanes, args, turn, c, cd, out, up, down):
    rings, b, m, n, scales, ab, rga, count, state = args
    w, first = width(lanes), rings.first[b]
    k = _begin(lanes, args)
    if rings.form[b] == DIFFERENCES:
        synthesise_differences(lanes, rings.y, first, state, rga, cd, k, count, out)
    else:
        synthesise(lanes, rings.y, first, state, ab, c, k, count, out)
    ours, theirs, at, across = _sides(rings, first, turn)
    one = splat(lanes, 1.0)
    put(lanes, ours, first, one, load(lanes, out, 0), load(lanes, out, w), up, at)
    values = load(lanes, out, 2 * w), load(lanes, out, 3 * w)
    put(lanes, theirs, first, one, values[0], values[1], down, across)


@leaf
def _sides(rings, first, turn):
    """Weights and columns of a block for order m and for order -m: opposite hemispheres."""
    south = first + rings.x.size
    if turn:
        return rings.south, rings.north, south, first
    return rings.north, rings.south, first, south


@jit
def analysis_spin(narrow, wide, counter, orders, L, spin, rings, scales, kept, own, planes, flm):
    """The transpose of `synthesis_spin`, ring weights included."""
    c, cd = np.zeros(4 * L + 8), np.zeros(4 * L + 8)
    other = np.empty(2 * L + 8)
    sums = aligned(4 * SUMS * STRETCH, scales[0])
    polar_sums = aligned(4 * SUMS * (L + 8), scales[0])
    blocks = rings.first.size
    starts = np.empty(blocks, np.int64)
    states = aligned(blocks * 64, scales[0]).reshape(blocks, 64)
    values = aligned(blocks * 128, scales[0]).reshape(blocks, 128)
    held = np.empty((flm.shape[0], 2, TOGETHER, 2 * L + 8))
    while True:
        start = orders.first + next_item(counter) * TOGETHER
        if start >= orders.last:
            return
        held[:] = 0.0
        for m in range(start, min(start + TOGETHER, L)):
            l0 = max(m, abs(spin))
            count = L - l0
            polar = rings.polar >= 0 and abs(m - abs(spin)) <= reach(L, rings.polar)
            for turn in range(2 if m else 1):
                n = spin if turn else -spin
                alpha, ab, rga = _coefficients(m, spin, L, polar, turn, other, kept, own)
                for q in range(flm.shape[0]):
                    up = planes[q, orders.up + m].reshape(-1)
                    down = planes[q, orders.down - m if m else orders.up].reshape(-1)
                    polar_sums[: 4 * SUMS * (count if polar else 0)] = 0.0
                    for b in range(blocks):
                        starts[b] = count
                        if abs(m - abs(spin)) > reach(L, rings.top[b]):
                            continue
                        args = (rings, b, m, n, scales, ab, rga, count, states[b])
                        work = turn, values[b], polar_sums, up, down
                        if rings.wide[b]:
                            starts[b] = _begin_analysis(wide, args, *work)
                        else:
                            starts[b] = _begin_analysis(narrow, args, *work)
                    forms = (rings.y, ab), (rings.y, ab)
                    sum_rings(narrow, wide, rings, forms, starts, states, values, count, sums, c)
                    fold(narrow, polar_sums, count if polar else 0, cd, 0)
                    _collect(held[q], c, cd, m, m - start, spin, turn, l0, L, alpha, polar)
        _join_zero_order(start, spin, held)
        for q in range(flm.shape[0]):
            scatter(narrow, held[q], L, start, False, flm[q])


@jit
def _join_zero_order(start, spin, held):
    """Both rows of order 0 are that order: their sum is its coefficient."""
    if start == 0:
        held[:, 0, 0] += held[:, 1, 0]


@leaf
def _begin_analysis(lanes, args, turn, values, polar_sums, up, down):
    """Values of a block, and the degree from which its recursion matters; polar blocks are done with."""
    rings, b, m, n, scales, ab, rga, count, state = args
    w, first = width(lanes), rings.first[b]
    k = _begin(lanes, args)
    ours, theirs, at, across = _sides(rings, first, turn)
    ar, ai = take(lanes, ours, first, up, at)
    br, bi = take(lanes, theirs, first, down, across)
    hold(values, w, ar, ai, br, bi)
    if rings.form[b] != DIFFERENCES:
        return k
    analyse_differences(lanes, lanes, rings.y, first, state, rga, values, k, count, polar_sums)
    return count


@jit
def _collect(rows, c, cd, m, j, spin, turn, l0, L, alpha, polar):
    """Transpose of `_slots`: add the two sums of a pass to the rows of orders m and -m."""
    n = spin if turn else -spin
    sign = seed_sign(m, n) * (1.0 - 2.0 * (spin % 2))
    for k in range(L - l0):
        ell = l0 + k
        at = 2 * (ell - m)
        sa, sb = _flips(ell, m, spin, turn)
        scale = sign * alpha[k]
        ar, ai = scale * c[4 * k], scale * c[4 * k + 1]
        br, bi = scale * c[4 * k + 2], scale * c[4 * k + 3]
        if polar:
            kappa = sign * math.sqrt((2.0 * ell + 1.0) / (4.0 * math.pi))
            ar, ai = ar + kappa * cd[4 * k], ai + kappa * cd[4 * k + 1]
            br, bi = br + kappa * cd[4 * k + 2], bi + kappa * cd[4 * k + 3]
        rows[0, j, at], rows[0, j, at + 1] = rows[0, j, at] + sa * ar, rows[0, j, at + 1] + sa * ai
        rows[1, j, at], rows[1, j, at + 1] = rows[1, j, at] + sb * br, rows[1, j, at + 1] + sb * bi
