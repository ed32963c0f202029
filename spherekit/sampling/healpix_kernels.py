"""Loops of the pixel functions of HEALPix over arrays, in blocks that threads draw from a counter.

Each loop returns whether all pixel numbers were in range. Other results are arbitrary; the caller then raises
an error.
"""

import math

import numpy as np

from spherekit._core.jit import leaf
from spherekit._core.parallel import run, thread_count
from spherekit.kernels.simd import pointer
from spherekit.kernels.work_queue import next_item
from spherekit.sampling.healpix_geometry import (
    contains,
    face_to_nested,
    face_to_ring,
    log2,
    neighbour_position,
    nested_pixel_at,
    nested_to_face,
    position_angles,
    ring_of,
    ring_pixel_at,
    ring_range,
    ring_theta,
    ring_to_face,
)

__all__ = [
    "BLOCK",
    "angles_of_pixels",
    "boundaries_of",
    "for_each_block",
    "neighbours_of",
    "nested_to_ring",
    "pixels_at",
    "ring_to_nested",
    "run_kernel",
]

#: Points of a block.
BLOCK = 2**13

#: Steps in x and y to the neighbours SW, W, NW, N, NE, E, SE, S.
_STEPS_X = (-1, -1, 0, 1, 1, 1, 0, -1)
_STEPS_Y = (0, 1, 1, 1, 0, -1, -1, -1)


def run_kernel(kernel, items, threads, *arguments, buffers=tuple):
    """Call ``kernel(counter, *arguments, *buffers())`` in threads, at most one for each work item.

    Return whether it returns True in all threads.
    """
    counter = np.zeros(1, np.int64)
    results = []

    def work(_):
        results.append(kernel(counter, *arguments, *buffers()))

    run(work, min(thread_count(threads), max(items, 1)))
    return all(results)


def for_each_block(kernel, count, threads, *arguments):
    """Call ``kernel(counter, count, *arguments)`` in threads; return whether it returns True in all."""
    return run_kernel(kernel, -(-count // BLOCK), threads, count, *arguments)


@leaf
def pixels_at(counter, count, theta, phi, nside, nest, pixels):
    """Set ``pixels`` to the numbers of the pixels that contain directions."""
    thetas, phis, results = pointer(theta, 0), pointer(phi, 0), pointer(pixels, 0)
    order = log2(nside)
    while True:
        first = next_item(counter) * BLOCK
        if first >= count:
            return True
        for i in range(first, min(first + BLOCK, count)):
            if nest:
                results[i] = nested_pixel_at(thetas[i], phis[i], nside, order)
            else:
                results[i] = ring_pixel_at(thetas[i], phis[i], nside)


@leaf
def angles_of_pixels(counter, count, pixels, nside, nest, table, theta, phi):
    """Set ``theta`` and ``phi`` to the centers of pixels; ``table``: colatitudes of the rings, or empty."""
    indices, colatitudes = pointer(pixels, 0), pointer(table, 0)
    thetas, phis = pointer(theta, 0), pointer(phi, 0)
    has_table = table.size > 0
    order = log2(nside)
    valid = True
    while True:
        first = next_item(counter) * BLOCK
        if first >= count:
            return valid
        for i in range(first, min(first + BLOCK, count)):
            pixel = indices[i]
            if not contains(nside, pixel):
                valid = False
                continue
            if nest:
                face, x, y = nested_to_face(pixel, order)
                pixel = face_to_ring(face, x, y, nside)
            ring, index = ring_of(pixel, nside, order)
            _, n, shift = ring_range(ring, nside)
            thetas[i] = colatitudes[ring - 1] if has_table else ring_theta(ring, nside)
            phis[i] = (2 * index + shift) * (math.pi / n)


@leaf
def nested_to_ring(counter, count, pixels, nside, results):
    """Set ``results`` to the numbers in ring order of pixel numbers in nested order."""
    indices, rings = pointer(pixels, 0), pointer(results, 0)
    order = log2(nside)
    valid = True
    while True:
        first = next_item(counter) * BLOCK
        if first >= count:
            return valid
        for i in range(first, min(first + BLOCK, count)):
            valid = valid and contains(nside, indices[i])
            face, x, y = nested_to_face(indices[i], order)
            rings[i] = face_to_ring(face, x, y, nside)


@leaf
def ring_to_nested(counter, count, pixels, nside, results):
    """Set ``results`` to the numbers in nested order of pixel numbers in ring order."""
    indices, nested = pointer(pixels, 0), pointer(results, 0)
    order = log2(nside)
    valid = True
    while True:
        first = next_item(counter) * BLOCK
        if first >= count:
            return valid
        for i in range(first, min(first + BLOCK, count)):
            valid = valid and contains(nside, indices[i])
            face, x, y = ring_to_face(indices[i], nside, order)
            nested[i] = face_to_nested(face, x, y, order)


@leaf
def neighbours_of(counter, count, pixels, nside, nest, results):
    """Set ``results[:, i]`` to the neighbours of a pixel, -1 where there is none [shape=(8, count)]."""
    indices, neighbours = pointer(pixels, 0), pointer(results, 0)
    order = log2(nside)
    valid = True
    while True:
        first = next_item(counter) * BLOCK
        if first >= count:
            return valid
        for i in range(first, min(first + BLOCK, count)):
            if not contains(nside, indices[i]):
                valid = False
                continue
            if nest:
                if _set_neighbours_in_face(indices[i], order, pointer(neighbours, i), count):
                    continue
                face, x, y = nested_to_face(indices[i], order)
            else:
                if _set_neighbours_in_belt(indices[i], nside, order, pointer(neighbours, i), count):
                    continue
                face, x, y = ring_to_face(indices[i], nside, order)
            for k in range(8):
                at, u, v = neighbour_position(face, x + _STEPS_X[k], y + _STEPS_Y[k], nside)
                if at < 0:
                    pixel = -1
                elif nest:
                    pixel = face_to_nested(at, u, v, order)
                else:
                    pixel = face_to_ring(at, u, v, nside)
                neighbours[k * count + i] = pixel


@leaf
def _set_neighbours_in_face(pixel, order, neighbours, stride):
    """Set the neighbours of a pixel inside a face in nested order; return False at the border of a face.

    x and y are incremented where they are, in every second bit of the number.
    """
    face_pixels = (1 << 2 * order) - 1
    even, odd = face_pixels & 0x5555555555555555, face_pixels & 0x2AAAAAAAAAAAAAAA
    x, y = pixel & even, pixel & odd
    if x == 0 or x == even or y == 0 or y == odd:
        return False
    face = pixel & ~face_pixels
    lower_x, upper_x = face | (x - 1) & even, face | ((x | odd) + 1) & even
    lower_y, upper_y = (y - 1) & odd, ((y | even) + 1) & odd
    x |= face
    neighbours[0] = lower_x | y
    neighbours[stride] = lower_x | upper_y
    neighbours[2 * stride] = x | upper_y
    neighbours[3 * stride] = upper_x | upper_y
    neighbours[4 * stride] = upper_x | y
    neighbours[5 * stride] = upper_x | lower_y
    neighbours[6 * stride] = x | lower_y
    neighbours[7 * stride] = lower_x | lower_y
    return True


@leaf
def _set_neighbours_in_belt(pixel, nside, order, neighbours, stride):
    """Set the neighbours of a pixel on rings of 4 nside pixels in ring order; return False on other rings."""
    n = 4 * nside
    ring, index = ring_of(pixel, nside, order)
    if ring < nside + 2 or ring > 3 * nside - 2:
        return False
    start = pixel - index
    shift = 1 if (ring - nside) & 1 == 0 else 0
    # on the rings beside this one, which are shifted by half a pixel if it is not
    beside_west = index - 1 + shift
    beside_east = beside_west + 1
    beside_west += n if beside_west < 0 else 0
    beside_east -= n if beside_east >= n else 0
    neighbours[0] = start + n + beside_west
    neighbours[stride] = start + (index - 1 if index > 0 else n - 1)
    neighbours[2 * stride] = start - n + beside_west
    neighbours[3 * stride] = pixel - 2 * n
    neighbours[4 * stride] = start - n + beside_east
    neighbours[5 * stride] = start + (index + 1 if index < n - 1 else 0)
    neighbours[6 * stride] = start + n + beside_east
    neighbours[7 * stride] = pixel + 2 * n
    return True


@leaf
def boundaries_of(counter, count, pixels, nside, nest, step, theta, phi):
    """Set row i of ``theta`` and ``phi`` to points on the boundary of a pixel [shape=(count, 4 step)].

    They begin at the corner to the north and go west, south, east.
    """
    indices = pointer(pixels, 0)
    thetas, phis = pointer(theta, 0), pointer(phi, 0)
    order = log2(nside)
    valid = True
    while True:
        first = next_item(counter) * BLOCK
        if first >= count:
            return valid
        for i in range(first, min(first + BLOCK, count)):
            if not contains(nside, indices[i]):
                valid = False
                continue
            if nest:
                face, x, y = nested_to_face(indices[i], order)
            else:
                face, x, y = ring_to_face(indices[i], nside, order)
            for j in range(4 * step):
                u, v = _boundary_point(j, step)
                k = 4 * step * i + j
                thetas[k], phis[k] = position_angles(face, x + u, y + v, nside)


@leaf
def _boundary_point(j, step):
    """Point j of 4 step on the boundary of the unit square, from (1, 1) by (0, 1), (0, 0) and (1, 0)."""
    side, fraction = j // step, (j % step) / float(step)
    if side == 0:
        return 1 - fraction, 1.0
    if side == 1:
        return 0.0, 1 - fraction
    if side == 2:
        return fraction, 0.0
    return 1.0, fraction
