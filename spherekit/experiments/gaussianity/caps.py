"""Exact harmonic coefficients of sums of spherical caps.

A cap of angular radius rho about v has the coefficients c_l(rho) conj(Y_lm(v)). The weights c_l depend on the
cap, so that the sum over caps is not a single `harmonic.evaluate_adjoint`; one call per cap takes 50 times as
long. The harmonics come from the recursion of `kernels.wigner_recursion`, with the caps as SIMD lanes.
"""

import math

import numpy as np

from spherekit._core.jit import leaf
from spherekit._core.workspace import aligned_copy, scratch
from spherekit.kernels.recursion_coefficients import difference_coefficients
from spherekit.kernels.simd import Lanes, accumulate, load, pointer, spread, store, width
from spherekit.kernels.transpose import row_sums
from spherekit.kernels.wigner_recursion import (
    clear,
    difference_step,
    exceeds_lane_range,
    lane_groups,
    log_seed,
    seed,
    seed_sign,
    skip_negligible_differences,
)
from spherekit.wigner.functions import d_column

#: Lane counts: of the accumulated sums, and of the caps of one group.
EIGHT, WIDE = Lanes(8), Lanes(16)


def cap_weights(radii, L):
    """Weights (L, caps): c_l(rho) = 2 pi (P_{l-1} - P_{l+1})(cos rho)/(2l+1), c_0 = 2 pi (1 - cos rho)."""
    P = d_column(0, 0, radii, L + 1).T
    degrees = np.arange(1, L)[:, None]
    weights = 2 * math.pi * (P[:-2] - P[2:]) / (2 * degrees + 1)
    return np.concatenate([4 * math.pi * np.sin(radii / 2)[None] ** 2, weights])


def sum_caps(weights, centers, L):
    """Coefficients (L*L,) sum_q weights[l, q] conj(Y_lm(v_q)), for nonzero ``centers`` v (caps, 3)."""
    x, y, z = np.asarray(centers, float).T
    # Y_lm(-v) = (-1)^l Y_lm(v): move all centers to the northern hemisphere
    side = np.where(z < 0, -1.0, 1.0)
    x, y, z = x * side, y * side, z * side
    distance = np.hypot(x, y)
    theta = np.arctan2(distance, z)
    phi = np.arctan2(y, x)
    order = np.argsort(theta)
    sine = np.sin(theta[order])
    lanes = lane_groups(
        len(sine), WIDE.type.width, lambda i, j: exceeds_lane_range(sine[i], sine[j], L)
    )
    caps = order[lanes]
    is_padding = np.append(False, lanes[1:] == lanes[:-1])
    degrees = np.arange(L)[:, None]
    scaled_weights = (
        weights * np.where(degrees % 2 == 0, 1.0, side) * np.sqrt((2 * degrees + 1) / (4 * math.pi))
    )
    scaled_weights = np.where(is_padding, 0.0, scaled_weights[:, caps])
    theta, phi = theta[caps], phi[caps]
    y = aligned_copy(2 * np.sin(theta / 2) ** 2)
    log_sin = aligned_copy(np.log2(np.maximum(np.sin(theta), 2.0**-640)))
    flm = np.empty(L * L, complex)
    wide, v, n = WIDE.type.width, EIGHT.type.width, len(phi)
    work = np.empty(3 * L + 8 + 2 * (wide + n + v)), scratch("caps", (2 * v * (L + v),))
    scaled_weights = aligned_copy(scaled_weights)
    _sum_caps(WIDE, EIGHT, L, y, log_sin, phi, log_seed(L, 0), scaled_weights, *work, flm)
    return flm


@leaf
def _sum_caps(wide, eight, L, y, log_sin, phi, log_norm, weights, work, sums, flm):
    """Sum the caps by order. ``work``: coefficients of the recursion, its state, phases, and totals."""
    w, v, n = width(wide), width(eight), y.size
    rga, state = pointer(work, 0), pointer(work, 3 * L + 8)
    phases, total = pointer(state, 2 * w), pointer(state, 2 * w + 2 * n)
    angles, logs, lane_sums, imag = (
        pointer(y, 0),
        pointer(log_sin, 0),
        pointer(sums, 0),
        v * (L + v),
    )
    for m in range(L):
        count, sign = difference_coefficients(m, 0, L, rga), seed_sign(m, 0)
        for q in range(n):
            phases[q], phases[n + q] = sign * math.cos(m * phi[q]), sign * math.sin(m * phi[q])
        clear(lane_sums, 2 * imag)
        group = rga, phases, pointer(weights, m * n)
        for first in range(0, n, w):
            exponent = seed(wide, m, 0, log_norm[m], logs, logs, first, state)
            k = skip_negligible_differences(wide, angles, first, state, rga, exponent, count)
            _add_group(wide, eight, angles, first, state, *group, n, k, count, lane_sums, imag)
        flip = 1.0 - 2.0 * (m % 2)
        for i in range(0, count, v):
            store(total, 0, row_sums(eight, lane_sums, i * v))
            store(total, v, row_sums(eight, lane_sums, imag + i * v))
            for j in range(min(v, count - i)):
                ell = m + i + j
                center = ell * ell + ell
                flm[center - m] = complex(flip * total[j], flip * total[v + j])
                flm[center + m] = complex(total[j], -total[v + j])


@leaf
def _add_group(lanes, eight, y, first, state, rga, phases, weights, n, k, count, sums, imag):
    """Add weights[i] d^l e^{i m phi}, l = m + i, of a group of caps to ``sums``, folded onto eight lanes."""
    v = width(eight)
    cosine, sine = load(lanes, phases, first), load(lanes, phases, n + first)
    x, d, p = load(lanes, y, first), load(lanes, state, 0), load(lanes, state, width(lanes))
    for i in range(k, count):
        weighted, offset = p * load(lanes, weights, i * n + first), i * v
        store(sums, offset, accumulate(load(eight, sums, offset), weighted, cosine))
        store(sums, imag + offset, accumulate(load(eight, sums, imag + offset), weighted, sine))
        r, g = spread(lanes, rga, 3 * i), spread(lanes, rga, 3 * i + 1)
        d = difference_step(r, g, spread(lanes, rga, 3 * i + 2), x, p, d)
        p = p + d
