"""Rings as SIMD lanes: northern angles in blocks, their weights, and the planes that they are stored in.

`legendre_scalar` and `legendre_spin` loop over the blocks; the columns of a plane are the northern lanes,
then the southern.
"""

import math
from collections import namedtuple

import numpy as np

from spherekit._core.jit import leaf
from spherekit._core.workspace import aligned_copy
from spherekit.kernels.packing import TOGETHER
from spherekit.kernels.simd import Lanes, has_wide_registers, load, splat, store, width
from spherekit.kernels.wigner_recursion import COS2, DIFFERENCES, SIN2, are_far, log_seed
from spherekit.kernels.work_queue import next_item

#: Lanes of a wide block: as many as the registers hold beside the sums (on AVX2, 16 take 0.7 to 0.9 of 32).
_WIDTH = 32 if has_wide_registers() else 16
NARROW, WIDE = Lanes(8), Lanes(_WIDTH)

#: Lanes of a ring set. Lane arrays: x = cos, y = 1 - cos, squares, log2 of sin and of tan(theta/2),
#: weights of the northern and southern ring (0 where there is none). Block arrays: first lane, whether
#: a wide one, form of the recursion, sine of the ring nearest the equator. ``polar``: the same sine for
#: all rings in the difference form, -1 where there are none.
RingLanes = namedtuple(
    "RingLanes", "x y sin2 cos2 log_sin log_tan north south first wide form top polar"
)

#: The orders |m| of first <= |m| < last, first a multiple of 4; order m is in slot up + m, -m in down - m.
Orders = namedtuple("Orders", "first last up down")


def ring_lanes(theta, north, south, L):
    """Lanes for the northern angles ``theta`` (ascending, <= pi/2) with the weights of both sides.

    Returns the `RingLanes` and the lane of each ring.
    """
    theta = np.asarray(theta, float)
    # The two other forms lose digits as l min(l, 1/sin(theta)).
    lost = L * np.minimum(L, 1 / np.maximum(np.sin(theta), 1e-300)) > 6e4
    first, wide, ring = _layout(np.sin(theta), lost, L)
    # Lanes that are left over repeat the ring before them, with the weight 0.
    is_ring = np.append(True, ring[1:] != ring[:-1])
    weights = (np.where(is_ring, np.asarray(w, float)[ring], 0.0) for w in (north, south))
    theta, lost = theta[ring], lost[ring]
    # A pole is an angle so small that only the order m = n survives there; a power of two, so that its
    # logarithm is a whole number and cancels exactly.
    sin = np.maximum(np.sin(theta), 2.0**-640)
    tan = np.maximum(np.tan(theta / 2), 2.0**-641)
    x, y = np.cos(theta), 2 * np.sin(theta / 2) ** 2
    ends = np.append(first[1:], len(ring))
    top = sin[ends - 1]
    form = np.where(lost[first], DIFFERENCES, np.where(top < 0.75, SIN2, COS2))
    squares = np.sin(theta) ** 2, np.cos(theta) ** 2
    logs = np.log2(sin), np.log2(tan)
    polar = float(np.max(top, where=form == DIFFERENCES, initial=-1.0))
    lanes = map(aligned_copy, (x, y, *squares, *logs, *weights))
    return RingLanes(*lanes, first, wide, form, top, polar), np.flatnonzero(is_ring)


def _layout(sine, lost, L):
    """(first lane of each block, whether it is wide, the ring of each lane).

    The lanes of a block share an exponent: where a ring is far from one before it (`are_far`), a new block
    begins. The rings of a grid are near enough to each other; points need not be.
    """
    firsts, wides, rings, begin, size = [], [], [], 0, 0
    while begin < len(sine):
        end = begin + _near_rings(sine[begin:], lost[begin:], L)
        first, wide, lanes = _blocks(end - begin, np.count_nonzero(lost[begin:end]))
        firsts.append(size + first)
        wides.append(wide)
        rings.append(np.minimum(begin + np.arange(lanes), end - 1))
        begin, size = end, size + lanes
    return tuple(map(np.concatenate, (firsts, wides, rings)))


def _near_rings(sine, lost, L):
    """How many rings can be in blocks without one that is far from another of its block."""
    first, _, lanes = _blocks(len(sine), np.count_nonzero(lost))
    block = np.repeat(first, np.diff(first, append=lanes))[: len(sine)]
    for step in range(1, min(_WIDTH, len(sine))):
        far = are_far(sine[:-step], sine[step:], L) & (block[:-step] == block[step:])
        if far.any():
            end = step + np.argmax(far)
            sine, block = sine[:end], block[:end]
    return len(sine)


def _blocks(count, polar):
    """(first lanes, whether wide, padded size): rings near the pole by 8, then by `_WIDTH`, the last by 8."""
    polar = -(-polar // 8)
    wide, remainder = divmod(max(count - 8 * polar, 0), _WIDTH)
    narrow = -(-remainder // 8)
    if 16 * narrow > _WIDTH:
        wide, narrow = wide + 1, 0
    is_wide = np.repeat([False, True, False], [polar, wide, narrow])
    sizes = np.where(is_wide, _WIDTH, 8)
    return np.cumsum(sizes) - sizes, is_wide, int(sizes.sum())


def order_scales(L, spin):
    """log2 of the norms at l0 for m < L: of d^l and, with sqrt((2l+1)/4pi), of lambda_l, a row each."""
    log_d = log_seed(L, spin)
    l0 = np.maximum(np.arange(L), abs(spin))
    return np.stack([log_d, log_d + 0.5 * np.log2((2 * l0 + 1) / (4 * math.pi))])


@leaf
def next_orders(queue, orders):
    """The first of the next four orders; ``orders.last`` or more when all are taken."""
    return orders.first + next_item(queue) * TOGETHER


@leaf
def order_limit(L, sine):
    """The largest ||m| - |n|| that is not negligible on rings of that sine."""
    return L * sine + 60.0 + 0.01 * L


@leaf
def reaches_polar_rings(L, distance, sine):
    """Whether orders at that distance ||m| - |n|| matter on the polar rings; sine: `RingLanes.polar`."""
    return sine >= 0 and distance <= order_limit(L, sine)


@leaf
def store_weighted(lanes, weights, first, sign, re, im, plane, column):
    """Values of a block, times a sign and the weights, into a plane."""
    weight = sign * load(lanes, weights, first)
    store(plane, column, weight * re)
    store(plane, column + plane.size // 2, weight * im)


@leaf
def load_weighted(lanes, weights, first, plane, column):
    """Values (re, im) of a block in a plane, times the weights."""
    weight = load(lanes, weights, first)
    re, im = load(lanes, plane, column), load(lanes, plane, column + plane.size // 2)
    return weight * re, weight * im


@leaf
def store_zeros(lanes, rings, b, plane):
    """Zero for a block on which an order is negligible."""
    zero = splat(lanes, 0.0)
    lane_count = rings.x.size
    for part in range(4):
        first = part * lane_count + rings.first[b]
        for column in range(first, first + (_WIDTH if rings.wide[b] else 8), width(lanes)):
            store(plane, column, zero)


@leaf
def store4(values, w, a, b, c, d):
    """Four vectors of w lanes into ``values``."""
    store(values, 0, a)
    store(values, w, b)
    store(values, 2 * w, c)
    store(values, 3 * w, d)
