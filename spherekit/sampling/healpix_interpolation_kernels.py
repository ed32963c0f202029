"""Loops of the bilinear interpolation of HEALPix maps over points and maps.

A value is interpolated on the ring to the north and on the ring to the south of the point, linearly in
longitude, and between them linearly in colatitude. Beyond the first or last ring the value at the pole, the
mean of the four pixels around it, takes the place of a ring.
"""

import math

from spherekit._core.jit import leaf
from spherekit._core.missing import UNSEEN
from spherekit.kernels.simd import pointer
from spherekit.kernels.work_queue import next_item
from spherekit.sampling.healpix_geometry import (
    face_to_nested,
    log2,
    reduce_longitude,
    ring_range,
    ring_theta,
    ring_to_face,
)

__all__ = ["BLOCK", "add_to_maps", "interpolate_maps", "set_interpolation_weights"]

#: Points of a block, whose pixels and weights fit the first-level cache.
BLOCK = 2**10

_TWO_THIRDS = 2 / 3
#: The value of missing samples, a constant of the kernels.
_SENTINEL = float(UNSEEN)
#: Larger samples are checked: UNSEEN, in any unit, and infinite ones.
_ORDINARY = 1e15
#: Relative to the distance of rings: a point further beyond its rings than rounding allows.
_BEYOND = 1e-6


@leaf(contract=False)
def _ring_above(theta, nside):
    """The ring to the north of a colatitude, 0 to 4 nside - 1; a point on a ring is assigned as by healpy."""
    z = math.cos(theta)
    size = abs(z)
    if size <= _TWO_THIRDS:
        return int(nside * (2 - 1.5 * z))
    ring = int(nside * math.sqrt(3 * (1 - size)))
    return ring if z > 0 else 4 * nside - ring - 1


@leaf
def _ring_above_near_a_pole(theta, nside):
    """The same in a polar cap, for nside that are so large that cos(theta) has too few digits."""
    distance = min(theta, math.pi - theta)
    ring = int(nside * math.sqrt(6.0) * math.sin(0.5 * distance))
    return ring if 2 * theta < math.pi else 4 * nside - ring - 1


@leaf
def _height(theta, north, nside, table):
    """The position of a colatitude between the rings ``north`` and ``north + 1``, from 0 to 1."""
    upper = _theta(north, nside, table) if north > 0 else 0.0
    lower = _theta(north + 1, nside, table) if north + 1 < 4 * nside else math.pi
    return (theta - upper) / (lower - upper)


@leaf
def _theta(ring, nside, table):
    return table[ring - 1] if table.size else ring_theta(ring, nside)


@leaf(contract=False)
def _pixels_on_ring(phi, ring, nside):
    """The pixels of a ring to the west and to the east of a longitude, and the weight of the second."""
    start, n, shift = ring_range(ring, nside)
    position = phi / (2 * math.pi / n) - 0.5 * shift
    west = math.floor(position)
    weight = position - west
    if west < 0:
        west += n
    elif west >= n:
        west -= n
    east = west + 1 if west + 1 < n else 0
    return start + west, start + east, weight


@leaf
def _set_weights(theta, phi, nside, table, pixels, weights, stride):
    """Set four pixels and their weights, two of the ring to the north and two of that to the south."""
    phi = reduce_longitude(phi)
    north = _ring_above(theta, nside)
    south_weight = _height(theta, north, nside, table)
    if not -_BEYOND < south_weight < 1 + _BEYOND:
        north = _ring_above_near_a_pole(theta, nside)
        south_weight = _height(theta, north, nside, table)
    south_weight = min(max(south_weight, 0.0), 1.0)
    north_weight = 1 - south_weight
    last = 12 * nside * nside - 4
    a, b, c, d, u, v = 0, 0, 0, 0, 0.0, 0.0
    if north > 0:
        a, b, u = _pixels_on_ring(phi, north, nside)
    if north + 1 < 4 * nside:
        c, d, v = _pixels_on_ring(phi, north + 1, nside)
    # the pixels opposite those of the ring, on the ring of four around the pole
    if north == 0:
        a, b = (c + 2) & 3, (d + 2) & 3
    elif north + 1 == 4 * nside:
        c, d = ((a + 2) & 3) + last, ((b + 2) & 3) + last
    pixels[0], pixels[stride], pixels[2 * stride], pixels[3 * stride] = a, b, c, d
    at_pole = 0.0
    if north == 0:
        at_pole, north_weight = 0.25 * north_weight, 0.0
    elif north + 1 == 4 * nside:
        at_pole, south_weight = 0.25 * south_weight, 0.0
    weights[0] = (1 - u) * north_weight + at_pole
    weights[stride] = u * north_weight + at_pole
    weights[2 * stride] = (1 - v) * south_weight + at_pole
    weights[3 * stride] = v * south_weight + at_pole


@leaf
def set_interpolation_weights(counter, count, theta, phi, nside, nest, table, pixels, weights):
    """Set ``pixels`` and ``weights`` [shape=(4, count)]."""
    thetas, phis = pointer(theta, 0), pointer(phi, 0)
    order = log2(nside)
    while True:
        first = next_item(counter) * BLOCK
        if first >= count:
            return True
        for i in range(first, min(first + BLOCK, count)):
            results = pointer(pixels, i), pointer(weights, i)
            _set_weights(thetas[i], phis[i], nside, table, *results, count)
            if nest:
                _number_in_nested_order(nside, order, results[0], count)


@leaf
def _number_in_nested_order(nside, order, pixels, stride):
    """Convert the numbers of four pixels from ring to nested order."""
    for k in range(0, 4 * stride, stride):
        face, x, y = ring_to_face(pixels[k], nside)
        pixels[k] = face_to_nested(face, x, y, order)


@leaf
def _set_block(first, n, theta, phi, nside, nest, table, pixels, weights):
    """Set the pixels and weights of n points [shape=(4, BLOCK)]."""
    thetas, phis = pointer(theta, first), pointer(phi, first)
    order = log2(nside)
    for i in range(n):
        results = pointer(pixels, i), pointer(weights, i)
        _set_weights(thetas[i], phis[i], nside, table, *results, BLOCK)
        if nest:
            _number_in_nested_order(nside, order, results[0], BLOCK)


@leaf
def interpolate_maps(counter, count, theta, phi, nside, nest, table, maps, values, pixels, weights):
    """Set ``values`` [shape=(maps, count, components)] from ``maps`` [shape=(maps, n_pix, components)].

    Real maps have 1 component, complex maps 2. ``pixels`` and ``weights`` [shape=(4, BLOCK)] are work memory.
    A value is NaN if a pixel of weight > 0 is NaN or UNSEEN. Return whether all samples used are below 1e15.
    """
    indices, factors = pointer(pixels, 0), pointer(weights, 0)
    n_maps, n_pix, components = maps.shape
    ordinary = True
    while True:
        first = next_item(counter) * BLOCK
        if first >= count:
            return ordinary
        n = min(BLOCK, count - first)
        _set_block(first, n, theta, phi, nside, nest, table, pixels, weights)
        for k in range(n_maps * components):
            samples = pointer(maps, k // components * n_pix * components + k % components)
            results = pointer(
                values, (k // components * count + first) * components + k % components
            )
            for i in range(n):
                total = 0.0
                for j in range(i, 4 * BLOCK, BLOCK):
                    sample = float(samples[indices[j] * components])
                    if not abs(sample) < _ORDINARY:
                        ordinary = False
                        sample = _valid_sample(sample, factors[j])
                    total += factors[j] * sample
                results[i * components] = total


@leaf
def _valid_sample(sample, weight):
    """NaN for UNSEEN, 0 for any sample that has no weight."""
    if weight == 0:
        return 0.0
    return math.nan if abs(sample - _SENTINEL) < 1e-5 * abs(_SENTINEL) else sample


@leaf
def add_to_maps(
    counter, count, theta, phi, nside, nest, table, maps, values, group, pixels, weights
):
    """Add the transpose of `interpolate_maps` to ``maps``; ``group``: the number of maps of a work item."""
    indices, factors = pointer(pixels, 0), pointer(weights, 0)
    n_maps, n_pix, components = maps.shape
    while True:
        first_map = next_item(counter) * group
        if first_map >= n_maps:
            return True
        last_map = min(first_map + group, n_maps)
        for first in range(0, count, BLOCK):
            n = min(BLOCK, count - first)
            _set_block(first, n, theta, phi, nside, nest, table, pixels, weights)
            for k in range(first_map * components, last_map * components):
                samples = pointer(maps, k // components * n_pix * components + k % components)
                inputs = pointer(
                    values, (k // components * count + first) * components + k % components
                )
                for i in range(n):
                    for j in range(i, 4 * BLOCK, BLOCK):
                        samples[indices[j] * components] += factors[j] * inputs[i * components]
