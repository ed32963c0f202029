"""Sets of HEALPix pixels as sorted ranges of numbers in ring order, and their lists of pixel numbers."""

import math

import numpy as np

from spherekit._core import checks
from spherekit._core.jit import leaf
from spherekit.kernels.simd import pointer
from spherekit.sampling.healpix_geometry import ring_start
from spherekit.sampling.healpix_nested_ranges import (
    fill_nested,
    nested_work_size,
    set_nested_numbers,
)

__all__ = [
    "NO_PIXELS",
    "NO_RANGES",
    "append_interval",
    "count_in",
    "empty_ranges",
    "merged",
    "numbers_in",
    "ring_coordinate",
    "set_numbers",
    "strip_numbers",
    "write_numbers",
]

#: Results of kernels that find no space in work memory, for ranges or for pixels.
NO_RANGES = -1
NO_PIXELS = -2
#: Rounding errors of colatitudes of rings, and of their coordinates (radians).
_ROUNDING = 2e-15
#: Largest number of ranges that are sorted by insertion.
_INSERTION_SORT = 64
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
    work = np.empty(_nested_work_size(nside, order, ranges), np.int64)
    fill_nested(nside, order, ranges, work, pixels)


@leaf
def _nested_work_size(nside, order, ranges):
    return nested_work_size(nside, order, pointer(ranges, 0), ranges.shape[0])


@leaf
def _count(ranges):
    return count_in(pointer(ranges, 0), ranges.shape[0])


@leaf
def _fill(ranges, pixels):
    set_numbers(pointer(ranges, 0), ranges.shape[0], pointer(pixels, 0))


@leaf
def write_numbers(nside, order, count, work):
    """Write the sorted numbers of the pixels in ranges to the end of work memory; return how many there are.

    Parameters
    ----------
    nside : int
    order : int
        nside = 2^order for nested order, -1 for ring order.
    count : int
        Number of ranges.
    work : int64 ndarray
        ``count`` is written to its first element; then the ranges one after another.

    Returns
    -------
    int
        NO_PIXELS if there is no space.
    """
    ranges = pointer(work, 1)
    work[0] = count
    total = count_in(ranges, count)
    end = 1 + 2 * count
    if total > work.size - end:
        return NO_PIXELS
    pixels = pointer(work, work.size - total)
    if total == 0 or order < 0:
        set_numbers(ranges, count, pixels)
        return total
    if nested_work_size(nside, order, ranges, count) > work.size - end - total:
        return NO_PIXELS
    set_nested_numbers(nside, order, ranges, count, pointer(work, end), pixels)
    return total


@leaf
def count_in(ranges, count):
    """The number of pixels in ``count`` ranges, one after another."""
    total = 0
    for i in range(count):
        total += ranges[2 * i + 1] - ranges[2 * i]
    return total


@leaf
def set_numbers(ranges, count, pixels):
    """Set ``pixels`` to the numbers in ``count`` ranges."""
    offset = 0
    for i in range(count):
        first = ranges[2 * i]
        size = ranges[2 * i + 1] - first
        results = pointer(pixels, offset)
        for k in range(size):
            results[k] = first + k
        offset += size


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


@leaf
def strip_numbers(nside, order, theta1, theta2, inclusive, work):
    """Write the sorted numbers of the pixels in a strip, or in two, to work memory (`write_numbers`)."""
    ranges = pointer(work, 1)
    if theta1 < theta2:
        count = _append_strip(ranges, 0, nside, theta1, theta2, inclusive)
    else:
        count = _append_strip(ranges, 0, nside, 0.0, theta2, inclusive)
        count = _append_strip(ranges, count, nside, theta1, math.pi, inclusive)
    return write_numbers(nside, order, count, work)


@leaf
def _append_strip(ranges, count, nside, top, bottom, inclusive):
    """Append the pixels of the rings in a strip, or overlapping it; return the new count."""
    margin = 1 if inclusive else 0
    first = int(math.ceil(ring_coordinate(max(0.0, top - _ROUNDING), nside))) - margin
    last = int(math.floor(ring_coordinate(min(math.pi, bottom + _ROUNDING), nside))) + margin
    first = max(first, 1)
    last = min(last, 4 * nside - 1)
    if first > last:
        return count
    begin = ring_start(first, nside)
    stop = ring_start(last + 1, nside)
    if count > 0 and ranges[1] >= begin:
        ranges[1] = max(ranges[1], stop)
        return count
    ranges[2 * count] = begin
    ranges[2 * count + 1] = stop
    return count + 1


def merged(ranges):
    """Return ranges in any order, also overlapping ones, sorted and disjoint; ``ranges`` may be changed."""
    if len(ranges) > _INSERTION_SORT:
        ranges = np.ascontiguousarray(ranges[np.argsort(ranges[:, 0])])
    else:
        _sort(ranges)
    return ranges[: _merge(ranges)]


@leaf
def _sort(ranges):
    """Sort ranges in place, by insertion."""
    flat = pointer(ranges, 0)
    for i in range(1, ranges.shape[0]):
        first = flat[2 * i]
        stop = flat[2 * i + 1]
        k = i
        while k > 0 and flat[2 * k - 2] > first:
            flat[2 * k] = flat[2 * k - 2]
            flat[2 * k + 1] = flat[2 * k - 1]
            k -= 1
        flat[2 * k] = first
        flat[2 * k + 1] = stop


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
