"""Rings as SIMD lanes: blocks of northern angles, their weights, and access to the planes of coefficients.

`legendre_scalar` and `legendre_spin` loop over the blocks. The columns of a plane are the northern lanes,
followed by the southern lanes.
"""

import math
from collections import namedtuple

import numpy as np

from spherekit._core.jit import leaf
from spherekit._core.workspace import aligned_copy
from spherekit.kernels.packing import ORDERS_PER_GROUP
from spherekit.kernels.simd import Lanes, has_wide_registers, load, splat, store, width
from spherekit.kernels.wigner_recursion import COS2, DIFFERENCES, SIN2, exceeds_lane_range, log_seed
from spherekit.kernels.work_queue import next_item

#: Lanes of a wide block: as many as fit into the registers together with the sums (on AVX2, 16 lanes take
#: 0.7 to 0.9 of the time of 32).
_WIDTH = 32 if has_wide_registers() else 16
NARROW, WIDE = Lanes(8), Lanes(_WIDTH)

#: A set of rings as lanes. Arrays by lane: x = cos, y = 1 - cos, sin^2, cos^2, log2 of sin and of
#: tan(theta/2), weights of the northern and southern ring (0 where there is none). Arrays by block: first
#: lane, whether the block is wide, form of the recursion, largest sine of its rings. ``polar_sine``: the
#: largest sine of all rings in the difference form, -1 where there are none.
RingLanes = namedtuple(
    "RingLanes", "x y sin2 cos2 log_sin log_tan north south first wide form max_sine polar_sine"
)

#: The orders first <= |m| < last, first a multiple of 4. In the planes, order m >= 0 is in slot ``positive``
#: + m, order -m in slot ``negative`` - m.
Orders = namedtuple("Orders", "first last positive negative")


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
    logs = np.log2(sin), np.log2(tan)
    polar_sine = float(np.max(max_sine, where=form == DIFFERENCES, initial=-1.0))
    lanes = map(aligned_copy, (x, y, *squares, *logs, *weights))
    return RingLanes(*lanes, first, wide, form, max_sine, polar_sine), np.flatnonzero(is_ring)


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


@leaf
def next_orders(queue, orders):
    """Return the first of the next four orders, or at least ``orders.last`` when none remain."""
    return orders.first + next_item(queue) * ORDERS_PER_GROUP


@leaf
def order_limit(L, sine):
    """Return the largest ||m| - |n|| that is not negligible on rings of the given sine."""
    return L * sine + 60.0 + 0.01 * L


@leaf
def reaches_polar_rings(L, distance, sine):
    """Return whether orders with ``distance`` ||m| - |n|| matter on the polar rings.

    ``sine`` is `RingLanes.polar_sine`.
    """
    return sine >= 0 and distance <= order_limit(L, sine)


@leaf
def store_weighted(lanes, weights, first, sign, re, im, plane, column):
    """Store the values of a block in a plane, multiplied by a sign and by the weights."""
    weight = sign * load(lanes, weights, first)
    store(plane, column, weight * re)
    store(plane, column + plane.size // 2, weight * im)


@leaf
def load_weighted(lanes, weights, first, plane, column):
    """Load the values (re, im) of a block from a plane, multiplied by the weights."""
    weight = load(lanes, weights, first)
    re, im = load(lanes, plane, column), load(lanes, plane, column + plane.size // 2)
    return weight * re, weight * im


@leaf
def store_zeros(lanes, rings, b, plane):
    """Store zeros for a block on which an order is negligible."""
    zero = splat(lanes, 0.0)
    lane_count = rings.x.size
    for quarter in range(4):
        first = quarter * lane_count + rings.first[b]
        for column in range(first, first + (_WIDTH if rings.wide[b] else 8), width(lanes)):
            store(plane, column, zero)


@leaf
def store4(values, w, a, b, c, d):
    """Store four vectors of w lanes in ``values``."""
    store(values, 0, a)
    store(values, w, b)
    store(values, 2 * w, c)
    store(values, 3 * w, d)
