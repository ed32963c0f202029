"""Rings as SIMD lanes: blocks of northern angles, their weights, and access to the planes of coefficients.

`legendre_scalar` and `legendre_spin` loop over the blocks. The columns of a plane are the northern lanes,
followed by the southern lanes.
"""

import math
from collections import namedtuple
from typing import NamedTuple

import numpy as np

from spherekit._core.jit import leaf
from spherekit._core.workspace import aligned_copy
from spherekit.kernels.recursion_coefficients import buffer_size
from spherekit.kernels.simd import (
    Lanes,
    has_wide_registers,
    load,
    pointer,
    splat,
    store,
    width,
)
from spherekit.kernels.wigner_recursion import (
    COS2,
    DEGREE_CHUNK,
    DIFFERENCES,
    SIN2,
    SUM_LANES,
    add_lanes,
    analyze,
    clear,
    exceeds_lane_range,
    log_seed,
)

#: Lanes of a wide block: as many as fit into the registers together with the sums (on AVX2, 16 lanes take
#: 0.7 to 0.9 of the time of 32).
_WIDTH = 32 if has_wide_registers() else 16
NARROW, WIDE = Lanes(8), Lanes(_WIDTH)

#: A set of rings as lanes. Arrays by lane: y = 1 - cos, log2 of sin and of tan(theta/2), weights of the
#: northern and southern ring (0 where there is none). Their `Blocks`. ``polar_limit``: the largest limit of
#: the blocks in the difference form, None where there are none.
RingLanes = namedtuple("RingLanes", "y log_sin log_tan north south blocks polar_limit")

#: Vectors of a block in `Blocks.values`: cos, y = 1 - cos, sin^2, cos^2, and those of `RingLanes`.
X, Y, SQUARED_SINE, SQUARED_COSINE, LOG_SIN, LOG_TAN, NORTH, SOUTH = range(8)
_VECTORS = 8

#: Rings as arguments of the kernels. ``values``: the vectors of one block after the other. ``table``: for
#: each block its first lane, whether it is wide, and the form of its recursion. ``limits``: for each block
#: the largest ||m| - |n|| that is not negligible. Numbers of lanes, of blocks, and of blocks in the
#: difference form, which come first.
Blocks = namedtuple("Blocks", "values table limits lanes count polar_count")

#: The orders first <= |m| < last, first a multiple of 4. In the planes, order m >= 0 is in slot ``positive``
#: + m, order -m in slot ``negative`` - m.
Orders = namedtuple("Orders", "first last positive negative")

#: Elements that the kernels need for each block: the state, and four vectors of values.
STATE_SIZE, VALUES_SIZE = 64, 128


def ring_lanes(theta, north, south, L):
    """Assign the northern angles ``theta`` (ascending, <= pi/2), with the weights of both sides, to lanes.

    Returns the `RingLanes` and the lane of each ring.
    """
    theta = np.asarray(theta, float)
    # The errors of the other two forms grow as l min(l, 1/sin(theta)).
    needs_differences = L * np.minimum(L, 1 / np.maximum(np.sin(theta), 1e-300)) > 6e4
    first, wide, ring = _layout(np.sin(theta), needs_differences, L)
    # Unused lanes repeat the previous ring, with weight 0.
    is_ring = np.append(True, ring[1:] != ring[:-1])
    weights = (np.where(is_ring, np.asarray(w, float)[ring], 0.0) for w in (north, south))
    theta, needs_differences = theta[ring], needs_differences[ring]
    # Replace a pole by an angle so small that only the order m = n remains; a power of two, so that its
    # logarithm is an integer and cancels exactly.
    sin = np.maximum(np.sin(theta), 2.0**-640)
    tan = np.maximum(np.tan(theta / 2), 2.0**-641)
    x, y = np.cos(theta), 2 * np.sin(theta / 2) ** 2
    ends = np.append(first[1:], len(ring))
    max_sine = sin[ends - 1]
    form = np.where(needs_differences[first], DIFFERENCES, np.where(max_sine < 0.75, SIN2, COS2))
    squares = np.sin(theta) ** 2, np.cos(theta) ** 2
    vectors = np.stack([x, y, *squares, np.log2(sin), np.log2(tan), *weights])
    values = aligned_copy(np.concatenate([v.ravel() for v in np.split(vectors, first[1:], axis=1)]))
    table = np.stack([first, wide, form], axis=1).astype(np.int64)
    limits, polar_count = order_limit(L, max_sine), int(np.count_nonzero(form == DIFFERENCES))
    polar_limit = float(limits[:polar_count].max()) if polar_count else None
    blocks = Blocks(values, table, limits, len(ring), len(first), polar_count)
    return RingLanes(y, *vectors[LOG_SIN:], blocks, polar_limit), np.flatnonzero(is_ring)


def _layout(sine, needs_differences, L):
    """Return (first lane of each block, whether it is wide, the ring of each lane).

    The lanes of a block share an exponent. A new block starts where the sine of a ring is too far from that
    of a previous ring (`exceeds_lane_range`). This can happen for arbitrary points, but not for the rings of
    a grid.
    """
    first_lanes, wide_flags, rings = [], [], []
    begin = size = 0
    while begin < len(sine):
        end = begin + _leading_rings(sine[begin:], needs_differences[begin:], L)
        first, wide, lanes = _blocks(end - begin, np.count_nonzero(needs_differences[begin:end]))
        first_lanes.append(size + first)
        wide_flags.append(wide)
        rings.append(np.minimum(begin + np.arange(lanes), end - 1))
        begin, size = end, size + lanes
    return tuple(map(np.concatenate, (first_lanes, wide_flags, rings)))


def _leading_rings(sine, needs_differences, L):
    """Return the number of leading rings whose blocks all stay within the range of exponents."""
    first, _, lanes = _blocks(len(sine), np.count_nonzero(needs_differences))
    block = np.repeat(first, np.diff(first, append=lanes))[: len(sine)]
    for step in range(1, min(_WIDTH, len(sine))):
        is_apart = exceeds_lane_range(sine[:-step], sine[step:], L) & (
            block[:-step] == block[step:]
        )
        if is_apart.any():
            end = step + np.argmax(is_apart)
            sine, block = sine[:end], block[:end]
    return len(sine)


def _blocks(count, polar):
    """Return (first lanes, whether wide, padded size) of blocks.

    Rings near the pole are in blocks of 8, the others in blocks of `_WIDTH`, and the remainder in blocks of
    8.
    """
    polar = -(-polar // 8)
    wide, remainder = divmod(max(count - 8 * polar, 0), _WIDTH)
    narrow = -(-remainder // 8)
    if 16 * narrow > _WIDTH:
        wide, narrow = wide + 1, 0
    is_wide = np.repeat([False, True, False], [polar, wide, narrow])
    sizes = np.where(is_wide, _WIDTH, 8)
    return np.cumsum(sizes) - sizes, is_wide, int(sizes.sum())


def order_scales(L, spin):
    """Return log2 of the norms at l0 for m < L: of d^l and, times sqrt((2l+1)/4pi), of lambda_l."""
    log_d = log_seed(L, spin)
    l0 = np.maximum(np.arange(L), abs(spin))
    return np.stack([log_d, log_d + 0.5 * np.log2((2 * l0 + 1) / (4 * math.pi))])


def order_limit(L, sine):
    """Return the largest ||m| - |n|| that is not negligible on rings of the given sine."""
    return L * sine + 60.0 + 0.01 * L


def work_size(L, spin, blocks, rows):
    """Return the number of elements of work memory that the kernels of the Legendre step need.

    For a number of blocks of rings, and of rows of coefficients, one for each order of each map.
    """
    sums = 4 * SUM_LANES * (DEGREE_CHUNK + L + 8)
    series = 3 * 4 * (L + 8)
    coefficients = buffer_size(L, spin)
    rows_size = rows * (2 * L + 8)
    return blocks * (STATE_SIZE + VALUES_SIZE) + sums + series + coefficients + rows_size


# --- kernels -----------------------------------------------------------------------------------------


class Rings(NamedTuple):
    """`Blocks` with pointers."""

    values: np.ndarray
    table: np.ndarray
    limits: np.ndarray
    lanes: int
    count: int
    polar_count: int


@leaf
def point_to(blocks):
    """Return the `Rings` of `Blocks`."""
    return Rings(
        pointer(blocks.values, 0),
        pointer(blocks.table, 0),
        pointer(blocks.limits, 0),
        blocks.lanes,
        blocks.count,
        blocks.polar_count,
    )


class Buffers(NamedTuple):
    """Work memory of the kernels of one thread, as pointers.

    ``states`` and ``values``: the state of the recursion and four vectors for each block. ``sums``: partial
    sums of `DEGREE_CHUNK` degrees; ``polar_sums``: of all degrees, in the difference form. ``c``,
    ``c_polar``: coefficients of the series of an order. ``ab``: coefficients of a second variable or sign of
    n. ``coefficients``: those of an order that is not cached. ``rows``: rows of `kernels.packing`.
    """

    states: np.ndarray
    values: np.ndarray
    sums: np.ndarray
    polar_sums: np.ndarray
    c: np.ndarray
    c_polar: np.ndarray
    ab: np.ndarray
    coefficients: np.ndarray
    rows: np.ndarray


@leaf
def divide(work, rings, L, cached):
    """Return the `Buffers` in an array of `work_size` elements."""
    values = pointer(work, rings.count * STATE_SIZE)
    sums = pointer(values, rings.count * VALUES_SIZE)
    polar_sums = pointer(sums, 4 * SUM_LANES * DEGREE_CHUNK)
    series, size = pointer(polar_sums, 4 * SUM_LANES * (L + 8)), 4 * (L + 8)
    coefficients = pointer(series, 3 * size)
    rows = pointer(coefficients, cached.row_size + cached.polar_row_size)
    c_polar, ab = pointer(series, size), pointer(series, 2 * size)
    return Buffers(
        pointer(work, 0), values, sums, polar_sums, series, c_polar, ab, coefficients, rows
    )


@leaf
def block_values(rings, b):
    """Return (pointer to the vectors of block b, its first lane)."""
    first = rings.table[3 * b]
    return pointer(rings.values, _VECTORS * first), first


@leaf
def store_weighted(lanes, weights, sign, re, im, plane, column, imag):
    """Store the values of a block in a plane, multiplied by a sign and by the weights.

    ``imag``: distance of the imaginary parts from the real parts in the plane.
    """
    weight = sign * load(lanes, weights, 0)
    store(plane, column, weight * re)
    store(plane, column + imag, weight * im)


@leaf
def load_weighted(lanes, weights, plane, column, imag):
    """Load the values (re, im) of a block from a plane, multiplied by the weights."""
    weight = load(lanes, weights, 0)
    re, im = load(lanes, plane, column), load(lanes, plane, column + imag)
    return weight * re, weight * im


@leaf
def store_zeros(lanes, rings, b, plane):
    """Store zeros for a block on which an order is negligible."""
    zero = splat(lanes, 0.0)
    for quarter in range(4):
        first = quarter * rings.lanes + rings.table[3 * b]
        for column in range(first, first + (_WIDTH if rings.table[3 * b + 1] else 8), width(lanes)):
            store(plane, column, zero)


@leaf
def store4(values, w, a, b, c, d):
    """Store four vectors of w lanes in ``values``."""
    store(values, 0, a)
    store(values, w, b)
    store(values, 2 * w, c)
    store(values, 3 * w, d)


@leaf
def sum_rings(narrow, wide, rings, variables, ab_sin2, ab_cos2, starts, buffers, count):
    """Compute c[4k+j] = sum over all rings of p_k values[j]: the transpose of `synthesize` on every block.

    Blocks in the difference form are left out. ``starts[b]`` (which is advanced) is the next degree of a
    block, whose state and values are in the `Buffers`. ``variables``: the vectors of a block that are the
    variables of the forms `SIN2` and `COS2`; ``ab_sin2`` and ``ab_cos2`` are the coefficients of these forms.
    Degrees are processed in chunks whose sums fit into the first-level cache.
    """
    sums = buffers.sums
    for first in range(0, count, DEGREE_CHUNK):
        last = min(first + DEGREE_CHUNK, count)
        clear(sums, 4 * SUM_LANES * (last - first))
        for b in range(rings.polar_count, rings.count):
            k = starts[b]
            if k >= last:
                continue
            block, _ = block_values(rings, b)
            state, v = (
                pointer(buffers.states, b * STATE_SIZE),
                pointer(buffers.values, b * VALUES_SIZE),
            )
            variable, ab = variables[1], ab_cos2
            if rings.table[3 * b + 2] == SIN2:
                variable, ab = variables[0], ab_sin2
            if rings.table[3 * b + 1]:
                z = variable * width(wide)
                analyze(wide, narrow, block, z, state, ab, v, k, first, last, sums)
            else:
                z = variable * width(narrow)
                analyze(narrow, narrow, block, z, state, ab, v, k, first, last, sums)
            starts[b] = last
        add_lanes(narrow, sums, last - first, buffers.c, 4 * first)
