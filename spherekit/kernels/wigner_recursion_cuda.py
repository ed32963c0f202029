"""The recursion in the degree on a GPU: `kernels.wigner_recursion` with a thread to each ring.

Both kernels work on any list of (m, n), a block of threads to an order, and are each other's transpose:

    synthesis: out_j(theta) = sum_l c_j[l] |d|^l_mn(theta),   analysis: c_j[l] = sum_theta |d|^l_mn v_j(theta)

for four real series j at once (two complex ones: an order on a northern ring and its mirror image), where
``|d|^l_mn = sqrt((2l+1)/4pi) d^l_mn`` with the sign that makes its first degree positive (`start_signs`).

The steps are those of the CPU. Unlike a SIMD vector, every ring has its own power of two: a value is
``p 2^(200 scale)``, scale <= 0, and takes part in the sums once scale is 0. Blocks of rings close to a
pole step in the difference form, all others in y = 1 - cos(theta). Coefficients and series come through
shared memory, `TILE` degrees at a time. Sums over rings run in a fixed order, without atomics: results
do not depend on how blocks are scheduled.
"""

import math
from collections import namedtuple

import numpy as np
from numba import float64, int32, int64, types

from spherekit import device
from spherekit._core.jit import jit, leaf
from spherekit.kernels.recursion_coefficients import degree_coefficients, difference_coefficients
from spherekit.kernels.wigner_recursion import difference_step, seed_sign, step

cuda = device.target()

#: Degrees that pass through shared memory together.
TILE = 32
#: The most threads in a block: each computes a complex sum of one series and degree.
THREADS = 64
#: Row of a tile in shared memory: one column more keeps the threads on different banks.
_ROW = THREADS + 1
#: Sizes of the shared arrays.
_STEPS, _SERIES, _VALUES, _LISTED = 3 * TILE, 4 * TILE, 4 * THREADS, TILE * _ROW
#: A ring's power of two is a multiple of this one.
_SCALE_BITS = 200.0
_SCALE_DOWN = 2.0**-_SCALE_BITS

#: Rows by |m|, of one |n|, the first axis (where there are two) by the sign of mn: alpha; (a, b) of a
#: step; (r, g, a) of a difference step, for the orders that reach the polar blocks; sqrt((2l+1)/4pi) by
#: degree; log2 of the start of d^l, then of lambda_l.
Tables = namedtuple("Tables", "alpha ab rga kappa norms")

#: y = 1 - cos, log2 of sin and of tan(theta/2) of each ring, poleward first; of each block of rings whether
#: it steps in differences, and the largest ||m| - |n|| that matters there.
Rings = namedtuple("Rings", "y log_sin log_tan polar limits")


def tables(L, n, norms, polar_orders):
    """Tables of degrees below L for one n, on the host; ``norms`` as `ring_lanes.order_scales` gives them."""
    sides = 2 if n else 1
    alpha, ab = np.zeros((L, L + 8)), np.zeros((sides, L, 2 * L + 8))
    rga = np.zeros((sides, max(polar_orders, 1), 3 * L + 8))
    _fill(abs(n), alpha, ab, rga)
    kappa = np.sqrt((2 * np.arange(L) + 1) / (4 * math.pi))
    return Tables(alpha, ab, rga, kappa, np.array(norms))


@jit
def _fill(n, alpha, ab, rga):
    L = alpha.shape[0]
    for m in range(L):
        for side in range(ab.shape[0]):
            signed = n if side else -n
            degree_coefficients(m, signed, L, alpha[m], ab[side, m])
            if m < rga.shape[1]:
                difference_coefficients(m, signed, L, rga[side, m])


def start_signs(orders, n):
    """Sign of d^l_mn at l = max(|m|, |n|), by d^l_{-m,-n} = (-1)^{m-n} d^l_mn.

    >>> start_signs([-1, 0, 1], 0)
    array([ 1.,  1., -1.])
    """
    flips = [(-1.0) ** (m - n) if m < 0 else 1.0 for m in orders]
    signs = [seed_sign(-m, -n) if m < 0 else seed_sign(m, n) for m in orders]
    return np.array(flips) * np.array(signs)


# --- one ring ----------------------------------------------------------------------------------------


@leaf
def start(m, n, log_norm, log_sin, log_tan):
    """State (p, q, scale) at l = max(|m|, |n|), p > 0: the closed form of `wigner_recursion.seed`."""
    l0, mu = float(max(abs(m), abs(n))), float(min(abs(m), abs(n)))
    if m * n > 0:
        mu = -mu
    exponent = l0 * log_sin + mu * log_tan + log_norm
    scale = min(0, int(math.ceil(exponent / _SCALE_BITS)))
    return 2.0 ** (exponent - _SCALE_BITS * scale), 0.0, scale


@leaf
def load_step(polar, tables, m, n, ell, steps, k):
    """Coefficients of the step from degree ell into steps[3k:]; returns the factor of p in |d|^l_mn."""
    i, side = ell - max(abs(m), abs(n)), 1 if m * n > 0 else 0
    if polar:
        for j in range(3):
            steps[3 * k + j] = tables.rga[side, abs(m), 3 * i + j]
        return tables.kappa[ell]
    for j in range(2):
        steps[3 * k + j] = tables.ab[side, abs(m), 2 * i + j]
    return tables.alpha[abs(m), i]


@leaf
def advance(polar, steps, k, y, p, q):
    """The state after a step: (p_{k+1}, p_k), in differences (d^{l+1}, d^{l+1} - d^l)."""
    if polar:
        d = difference_step(steps[3 * k], steps[3 * k + 1], steps[3 * k + 2], y, p, q)
        return p + d, d
    return step(steps[3 * k], steps[3 * k + 1], y, p, q), p


@leaf
def rescale(p, q, scale):
    """Keep a value that is still below 2^-200 in range."""
    if scale < 0 and abs(p) > 1.0:
        return p * _SCALE_DOWN, q * _SCALE_DOWN, scale + 1
    return p, q, scale


@leaf
def sum_degrees(polar, steps, c, count, y, state, sums):
    """sums_j + sum_{k < count} c[4k+j] p_k, and the state after the tile."""
    p, q, scale = state
    s0, s1, s2, s3 = sums
    k = 0
    while k < count and scale < 0:
        p, q = advance(polar, steps, k, y, p, q)
        p, q, scale = rescale(p, q, scale)
        k += 1
    while k < count:
        s0, s1 = s0 + c[4 * k] * p, s1 + c[4 * k + 1] * p
        s2, s3 = s2 + c[4 * k + 2] * p, s3 + c[4 * k + 3] * p
        p, q = advance(polar, steps, k, y, p, q)
        k += 1
    return (p, q, scale), (s0, s1, s2, s3)


@leaf
def list_degrees(polar, steps, count, y, state, values, column):
    """values[column + k row] = p_k, 0 where it does not matter yet; returns the state after the tile."""
    p, q, scale = state
    for k in range(count):
        values[column + k * _ROW] = p if scale == 0 else 0.0
        p, q = advance(polar, steps, k, y, p, q)
        p, q, scale = rescale(p, q, scale)
    return p, q, scale


@leaf
def sum_rings(values, row, v, pair, count):
    """sum_r values[row + r] v[pair + r] for r < count, and the same of the next row of v."""
    re = im = 0.0
    for r in range(count):
        re += values[row + r] * v[pair + r]
        im += values[row + r] * v[pair + THREADS + r]
    return re, im


# --- kernels -----------------------------------------------------------------------------------------

_TABLES = types.NamedTuple(
    (float64[:, ::1], float64[:, :, ::1], float64[:, :, ::1], float64[::1], float64[:, ::1]), Tables
)
_RINGS = types.NamedTuple((float64[::1], float64[::1], float64[::1], int64[::1], int64[::1]), Rings)
_OF_DEGREES, _OF_RINGS = float64[:, :, :, ::1], float64[:, :, :, :, ::1]


@device.kernel(int64[::1], int64, _TABLES, _RINGS, _OF_DEGREES, _OF_RINGS)
def synthesis(orders, n, tables, rings, c, out):
    """out[map, order, j//2, ring, j%2] = sum_l c[map, order, l, j] |d|^l_mn.

    Launched over (blocks of rings, orders, maps).
    """
    block, task, q = cuda.blockIdx.x, cuda.blockIdx.y, cuda.blockIdx.z
    ring, size, L = block * cuda.blockDim.x + cuda.threadIdx.x, rings.y.size, c.shape[2]
    m, lane, polar = orders[task], min(ring, size - 1), rings.polar[block] != 0
    l0, distance = max(abs(m), abs(n)), abs(abs(m) - abs(n))
    steps = cuda.shared.array(_STEPS, float64)
    series = cuda.shared.array(_SERIES, float64)
    y, norm = rings.y[lane], tables.norms[0 if polar else 1, abs(m)]
    state = start(m, n, norm, rings.log_sin[lane], rings.log_tan[lane])
    sums = (0.0, 0.0, 0.0, 0.0)
    for first in range(l0, L if distance <= rings.limits[block] else l0, TILE):
        count = min(TILE, L - first)
        cuda.syncthreads()
        k = cuda.threadIdx.x
        while k < count:
            factor = load_step(polar, tables, m, n, first + k, steps, k)
            for j in range(4):
                series[4 * k + j] = factor * c[q, task, first + k, j]
            k += cuda.blockDim.x
        cuda.syncthreads()
        if polar:
            state, sums = sum_degrees(True, steps, series, count, y, state, sums)
        else:
            state, sums = sum_degrees(False, steps, series, count, y, state, sums)
    if ring < size:
        s0, s1, s2, s3 = sums
        out[q, task, 0, ring, 0], out[q, task, 0, ring, 1] = s0, s1
        out[q, task, 1, ring, 0], out[q, task, 1, ring, 1] = s2, s3


@device.kernel(int64[::1], int64, _TABLES, _RINGS, _OF_RINGS, _OF_DEGREES)
def analysis(orders, n, tables, rings, values, c):
    """c[map, order, l, j] += sum_ring |d|^l_mn values[map, order, j//2, ring, j%2].

    Launched over (orders, maps): a block takes the rings in their order.
    """
    task, q, thread = cuda.blockIdx.x, cuda.blockIdx.y, cuda.threadIdx.x
    threads, size, L, m = cuda.blockDim.x, rings.y.size, c.shape[2], orders[task]
    l0, distance = max(abs(m), abs(n)), abs(abs(m) - abs(n))
    steps = cuda.shared.array(_STEPS, float64)
    factors = cuda.shared.array(TILE, float64)
    v = cuda.shared.array(_VALUES, float64)
    listed = cuda.shared.array(_LISTED, float64)
    for block in range(rings.limits.size):
        ring, polar = block * threads + thread, rings.polar[block] != 0
        lane = min(ring, size - 1)
        for j in range(4):
            v[j * THREADS + thread] = values[q, task, j // 2, lane, j % 2] if ring < size else 0.0
        y, norm = rings.y[lane], tables.norms[0 if polar else 1, abs(m)]
        state = start(m, n, norm, rings.log_sin[lane], rings.log_tan[lane])
        for first in range(l0, L if distance <= rings.limits[block] else l0, TILE):
            count = min(TILE, L - first)
            k = thread
            while k < count:
                factors[k] = load_step(polar, tables, m, n, first + k, steps, k)
                k += threads
            cuda.syncthreads()
            if polar:
                state = list_degrees(True, steps, count, y, state, listed, thread)
            else:
                state = list_degrees(False, steps, count, y, state, listed, thread)
            if cuda.syncthreads_or(int32(state[2] == 0)):
                i = thread
                while i < 2 * TILE:
                    k, pair = i % TILE, 2 * (i // TILE)
                    if k < count:
                        re, im = sum_rings(listed, k * _ROW, v, pair * THREADS, threads)
                        c[q, task, first + k, pair] += factors[k] * re
                        c[q, task, first + k, pair + 1] += factors[k] * im
                    i += threads
            cuda.syncthreads()
