"""The recursion over the degree on a GPU: `kernels.wigner_recursion` with one thread per ring.

Both kernels take any list of pairs (m, n), with one block of threads per order, and are transposes of each
other:

    synthesis: out_j(theta) = sum_l c_j[l] |d|^l_mn(theta),   analysis: c_j[l] = sum_theta |d|^l_mn v_j(theta)

for four real series j at once (two complex ones: an order on a northern ring and on its mirror image), where
``|d|^l_mn = sqrt((2l+1)/4pi) d^l_mn`` with the sign that makes its first degree positive (`start_signs`).

The steps are those of the CPU. Unlike the lanes of a SIMD vector, each ring has its own power of two: a value
is ``p 2^(200 scale)``, scale <= 0, and enters the sums once scale is 0. Blocks of rings close to a pole use
the difference form, all others the form in y = 1 - cos(theta). Coefficients and series pass through shared
memory, `TILE` degrees at a time. Sums over rings are computed in a fixed order, without atomics, so results
do not depend on the scheduling of blocks.
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

#: Number of degrees that pass through shared memory together.
TILE = 32
#: Largest number of threads in a block: each computes a complex sum of one series and one degree.
THREADS = 64
#: Row length of a tile in shared memory: the additional column avoids bank conflicts.
_ROW = THREADS + 1
#: Sizes of the shared arrays.
_STEPS, _SERIES, _VALUES, _TABULATED = 3 * TILE, 4 * TILE, 4 * THREADS, TILE * _ROW
#: The exponent of two of each ring is a multiple of this one.
_SCALE_BITS = 200.0
_SCALE_DOWN = 2.0**-_SCALE_BITS

#: Tables for one |n|, with a row for each |m| and, where there are three axes, the sign of mn as the first:
#: alpha; (a, b) of a step; (r, g, a) of a difference step, for the orders that reach the polar blocks;
#: sqrt((2l+1)/4pi) for each degree; log2 of the starting value of d^l, then of lambda_l.
Tables = namedtuple("Tables", "alpha ab rga kappa norms")

#: y = 1 - cos, log2 of sin and of tan(theta/2) of each ring, starting at the pole; for each block of rings,
#: whether it uses the difference form, and the largest ||m| - |n|| that is not negligible there.
Rings = namedtuple("Rings", "y log_sin log_tan polar limits")


def tables(L, n, norms, polar_orders):
    """Return the tables of degrees below L for one n, on the host.

    ``norms`` is the result of `ring_lanes.order_scales`.
    """
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
    """Return the sign of d^l_mn at l = max(|m|, |n|), by d^l_{-m,-n} = (-1)^{m-n} d^l_mn.

    >>> start_signs([-1, 0, 1], 0)
    array([ 1.,  1., -1.])
    """
    reflections = [(-1.0) ** (m - n) if m < 0 else 1.0 for m in orders]
    signs = [seed_sign(-m, -n) if m < 0 else seed_sign(m, n) for m in orders]
    return np.array(reflections) * np.array(signs)


# --- one ring ----------------------------------------------------------------------------------------


@leaf
def start(m, n, log_norm, log_sin, log_tan):
    """Return the state (p, q, scale) at l = max(|m|, |n|), p > 0, as in `wigner_recursion.seed`."""
    l0, mu = float(max(abs(m), abs(n))), float(min(abs(m), abs(n)))
    if m * n > 0:
        mu = -mu
    exponent = l0 * log_sin + mu * log_tan + log_norm
    scale = min(0, int(math.ceil(exponent / _SCALE_BITS)))
    return 2.0 ** (exponent - _SCALE_BITS * scale), 0.0, scale


@leaf
def load_step(polar, tables, m, n, ell, steps, k):
    """Write the coefficients of the step from degree ell to steps[3k:]; returns |d|^l_mn / p."""
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
    """Return the next state: (p_{k+1}, p_k), or (d^{l+1}, d^{l+1} - d^l) in the difference form."""
    if polar:
        d = difference_step(steps[3 * k], steps[3 * k + 1], steps[3 * k + 2], y, p, q)
        return p + d, d
    return step(steps[3 * k], steps[3 * k + 1], y, p, q), p


@leaf
def rescale(p, q, scale):
    """Multiply (p, q) by 2^-200 and increment scale, where scale < 0 and |p| > 1."""
    if scale < 0 and abs(p) > 1.0:
        return p * _SCALE_DOWN, q * _SCALE_DOWN, scale + 1
    return p, q, scale


@leaf
def sum_degrees(polar, steps, c, count, y, state, sums):
    """Return sums_j + sum_{k < count} c[4k+j] p_k, and the state after the tile."""
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
def tabulate_degrees(polar, steps, count, y, state, values, column):
    """Set values[column + k row] = p_k, 0 while it is negligible; returns the state after the tile."""
    p, q, scale = state
    for k in range(count):
        values[column + k * _ROW] = p if scale == 0 else 0.0
        p, q = advance(polar, steps, k, y, p, q)
        p, q, scale = rescale(p, q, scale)
    return p, q, scale


@leaf
def sum_rings(values, row, v, pair, count):
    """Return sum_r values[row + r] v[pair + r] for r < count, and the same for the next row of v."""
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
    """Compute out[map, order, j//2, ring, j%2] = sum_l c[map, order, l, j] |d|^l_mn.

    Launched over (blocks of rings, orders, maps).
    """
    block, slot, q = cuda.blockIdx.x, cuda.blockIdx.y, cuda.blockIdx.z
    ring, size, L = block * cuda.blockDim.x + cuda.threadIdx.x, rings.y.size, c.shape[2]
    m, lane, polar = orders[slot], min(ring, size - 1), rings.polar[block] != 0
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
                series[4 * k + j] = factor * c[q, slot, first + k, j]
            k += cuda.blockDim.x
        cuda.syncthreads()
        if polar:
            state, sums = sum_degrees(True, steps, series, count, y, state, sums)
        else:
            state, sums = sum_degrees(False, steps, series, count, y, state, sums)
    if ring < size:
        s0, s1, s2, s3 = sums
        out[q, slot, 0, ring, 0], out[q, slot, 0, ring, 1] = s0, s1
        out[q, slot, 1, ring, 0], out[q, slot, 1, ring, 1] = s2, s3


@device.kernel(int64[::1], int64, _TABLES, _RINGS, _OF_RINGS, _OF_DEGREES)
def analysis(orders, n, tables, rings, values, c):
    """Add sum_ring |d|^l_mn values[map, order, j//2, ring, j%2] to c[map, order, l, j].

    Launched over (orders, maps): each block of threads loops over the rings in their order.
    """
    slot, q, thread = cuda.blockIdx.x, cuda.blockIdx.y, cuda.threadIdx.x
    threads, size, L, m = cuda.blockDim.x, rings.y.size, c.shape[2], orders[slot]
    l0, distance = max(abs(m), abs(n)), abs(abs(m) - abs(n))
    steps = cuda.shared.array(_STEPS, float64)
    factors = cuda.shared.array(TILE, float64)
    v = cuda.shared.array(_VALUES, float64)
    tabulated = cuda.shared.array(_TABULATED, float64)
    for block in range(rings.limits.size):
        ring, polar = block * threads + thread, rings.polar[block] != 0
        lane = min(ring, size - 1)
        for j in range(4):
            v[j * THREADS + thread] = values[q, slot, j // 2, lane, j % 2] if ring < size else 0.0
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
                state = tabulate_degrees(True, steps, count, y, state, tabulated, thread)
            else:
                state = tabulate_degrees(False, steps, count, y, state, tabulated, thread)
            if cuda.syncthreads_or(int32(state[2] == 0)):
                i = thread
                while i < 2 * TILE:
                    k, pair = i % TILE, 2 * (i // TILE)
                    if k < count:
                        re, im = sum_rings(tabulated, k * _ROW, v, pair * THREADS, threads)
                        c[q, slot, first + k, pair] += factors[k] * re
                        c[q, slot, first + k, pair + 1] += factors[k] * im
                    i += threads
            cuda.syncthreads()
