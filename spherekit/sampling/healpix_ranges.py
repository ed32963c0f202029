"""Sets of HEALPix pixels as sorted ranges of numbers in ring order, and their lists of pixel numbers."""

import math

import numpy as np

from spherekit._core import checks
from spherekit._core.jit import leaf
from spherekit.kernels.simd import pointer
from spherekit.sampling.healpix_nested_ranges import fill_nested, first_ranges, ring_of_pixel

__all__ = ["append_interval", "empty_ranges", "merged", "numbers_in", "ring_coordinate"]


#: Lists of more pixels are refused where they do not fit into memory.
_SMALL = 2**20


def empty_ranges(count):
    """Return an array for ``count`` ranges [shape=(count, 2)]: first number, last number + 1."""
    if count > _SMALL:
        checks.fits_memory(16 * count, "the list of the pixels", "select a smaller region")
    return np.empty((count, 2), np.int64)


def numbers_in(ranges, nside, nest):
    """Return the sorted numbers of the pixels in ranges of numbers in ring order.

    Parameters
    ----------
    ranges : int64 ndarray [shape=(n, 2)]
        Sorted and disjoint: first number, last number + 1.
    nside : int
    nest : bool
        Return numbers in nested order.

    Returns
    -------
    int64 ndarray
    """
    count = _count(ranges)
    if count > _SMALL:
        checks.fits_memory(8 * count, f"the list of {count} pixels", "select a smaller region")
    pixels = np.empty(count, np.int64)
    if nest and count:
        _fill_nested(ranges, nside, pixels)
    else:
        _fill(ranges, pixels)
    return pixels


def _fill_nested(ranges, nside, pixels):
    order = nside.bit_length() - 1
    first_ring = ring_of_pixel(int(ranges[0, 0]), nside)
    last_ring = ring_of_pixel(int(ranges[-1, 1]) - 1, nside)
    rows = np.empty(last_ring - first_ring + 2, np.int64)
    first_ranges(ranges, nside, first_ring, rows)
    stack = np.empty((4 * order + 4, 3), np.int64)
    fill_nested(ranges, nside, order, first_ring, rows, stack, pixels)


@leaf
def _count(ranges):
    flat = pointer(ranges, 0)
    total = 0
    for i in range(ranges.shape[0]):
        total += flat[2 * i + 1] - flat[2 * i]
    return total


@leaf
def _fill(ranges, pixels):
    flat = pointer(ranges, 0)
    offset = 0
    for i in range(ranges.shape[0]):
        first = flat[2 * i]
        count = flat[2 * i + 1] - first
        results = pointer(pixels, offset)
        for k in range(count):
            results[k] = first + k
        offset += count


@leaf
def append_interval(ranges, count, start, n, low, high):
    """Append the pixels ``low`` to ``high`` of a ring, modulo n, in ascending order; return the new count.

    Parameters
    ----------
    ranges : pointer to int64
        Ranges one after another.
    count : int
        Number of ranges before; the last one is extended if the pixels continue it.
    start, n : int
        First pixel and number of pixels of the ring.
    low, high : int
        Indices on the ring, of any sign; nothing is appended for high < low.
    """
    if high < low:
        return count
    if high - low >= n - 1:
        return _append(ranges, count, start, start + n)
    while low < 0:  # one or two turns at most: faster than a division
        low += n
        high += n
    while low >= n:
        low -= n
        high -= n
    if high < n:
        return _append(ranges, count, start + low, start + high + 1)
    count = _append(ranges, count, start, start + high - n + 1)
    return _append(ranges, count, start + low, start + n)


@leaf
def _append(ranges, count, first, stop):
    if count > 0 and ranges[2 * count - 1] == first:
        ranges[2 * count - 1] = stop
        return count
    ranges[2 * count] = first
    ranges[2 * count + 1] = stop
    return count + 1


@leaf
def ring_coordinate(theta, nside):
    """The number of a ring as a real, increasing function of the colatitude: 0 and 4 nside at the poles."""
    z = math.cos(theta)
    if z > 2 / 3:
        return nside * math.sqrt(6.0) * math.sin(theta / 2)
    if z >= -2 / 3:
        return nside * (2 - 1.5 * z)
    return 4 * nside - nside * math.sqrt(6.0) * math.sin((math.pi - theta) / 2)


def merged(ranges):
    """Return ranges in any order, also overlapping ones, as sorted disjoint ranges."""
    ranges = np.ascontiguousarray(ranges[np.argsort(ranges[:, 0])])
    return ranges[: _merge(ranges)]


@leaf
def _merge(ranges):
    """Merge sorted ranges that overlap or adjoin, in place; return their count."""
    flat = pointer(ranges, 0)
    count = 0
    for i in range(ranges.shape[0]):
        if count > 0 and flat[2 * i] <= flat[2 * count - 1]:
            flat[2 * count - 1] = max(flat[2 * count - 1], flat[2 * i + 1])
        else:
            flat[2 * count] = flat[2 * i]
            flat[2 * count + 1] = flat[2 * i + 1]
            count += 1
    return count
