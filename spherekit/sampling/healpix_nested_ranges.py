"""Ranges of HEALPix pixels in ring order, converted to sorted numbers in nested order.

Each face is divided into four squares again and again, down to squares that are inside or outside the ranges
completely, whose numbers in nested order are consecutive. A square of s x s pixels is one run of pixels on
each of 2 s - 1 rings, so that the border only is tested pixel by pixel.
"""

from spherekit._core.jit import leaf
from spherekit.kernels.simd import pointer
from spherekit.sampling.healpix_geometry import face_to_nested, ring_of, ring_range

__all__ = ["fill_nested", "nested_work_size", "set_nested_numbers"]

_INSIDE = 1
_OUTSIDE = 0
_DIVIDED = 2


@leaf
def nested_work_size(nside, order, ranges, count):
    """The size of the work memory of `set_nested_numbers`."""
    first_ring, _ = ring_of(ranges[0], nside)
    last_ring, _ = ring_of(ranges[2 * count - 1] - 1, nside)
    return last_ring - first_ring + 2 + 3 * (4 * order + 4)


@leaf
def set_nested_numbers(nside, order, ranges, count, work, pixels):
    """Set ``pixels`` to the sorted numbers in nested order of the pixels in ranges.

    Parameters
    ----------
    nside, order : int
        nside = 2^order.
    ranges : pointer to int64
        Sorted and disjoint, one after another: first number, last number + 1.
    count : int
        Number of ranges, >= 1.
    work : pointer to int64
        Work memory (`nested_work_size`): for each ring from that of the first pixel on, the number of the
        first range that ends after its beginning; x, y and size of squares.
    pixels : pointer to int64
    """
    first_ring, _ = ring_of(ranges[0], nside)
    last_ring, _ = ring_of(ranges[2 * count - 1] - 1, nside)
    n_rows = last_ring - first_ring + 2
    _set_first_ranges(nside, ranges, count, first_ring, n_rows, work)
    squares = pointer(work, n_rows)
    _fill(nside, order, ranges, count, first_ring, last_ring, work, squares, pixels)


@leaf
def fill_nested(nside, order, ranges, work, pixels):
    """`set_nested_numbers` of arrays."""
    flat = pointer(ranges, 0)
    set_nested_numbers(nside, order, flat, ranges.shape[0], pointer(work, 0), pointer(pixels, 0))


@leaf
def _set_first_ranges(nside, ranges, count, first_ring, n_rows, rows):
    index = 0
    for i in range(n_rows):
        start, _, _ = ring_range(min(first_ring + i, 4 * nside), nside)
        while index < count and ranges[2 * index + 1] <= start:
            index += 1
        rows[i] = index


@leaf
def _fill(nside, order, ranges, n_ranges, first_ring, last_ring, rows, squares, pixels):
    count = 0
    for face in range(12):
        squares[0], squares[1], squares[2] = 0, 0, nside
        depth = 1
        while depth > 0:
            depth -= 1
            x, y, size = squares[3 * depth], squares[3 * depth + 1], squares[3 * depth + 2]
            state = _state(face, x, y, size, nside, ranges, n_ranges, first_ring, last_ring, rows)
            if state == _INSIDE:
                begin = face_to_nested(face, x, y, order)
                target = pointer(pixels, count)
                for i in range(size * size):
                    target[i] = begin + i
                count += size * size
            elif state == _DIVIDED:
                half = size >> 1
                for quarter in range(3, -1, -1):  # the first one is taken from the stack first
                    squares[3 * depth] = x + half * (quarter & 1)
                    squares[3 * depth + 1] = y + half * (quarter >> 1)
                    squares[3 * depth + 2] = half
                    depth += 1


@leaf
def _state(face, x, y, size, nside, ranges, count, first_ring, last_ring, rows):
    """Whether a square of pixels is inside the ranges, outside them, or has pixels of both kinds."""
    row = face >> 2
    eighths = 2 * (face & 3) + (1 if row != 1 else 0)
    top = (row + 2) * nside - (x + size - 1) - (y + size - 1) - 1
    bottom = top + 2 * size - 2
    if bottom < first_ring or top > last_ring:
        return _OUTSIDE
    has_inside = False
    has_outside = top < first_ring or bottom > last_ring
    for ring in range(max(top, first_ring), min(bottom, last_ring) + 1):
        length = min(ring - top, bottom - ring) + 1
        start, n, shift = ring_range(ring, nside)
        index = (eighths * (n >> 2) + (x - y) - (length - 1) - shift) >> 1
        if index < 0:
            index += n
        elif index >= n:
            index -= n
        first_range = rows[ring - first_ring]
        before = min(length, n - index)
        covered = _covered(start + index, start + index + before, ranges, count, first_range)
        if before < length:
            covered += _covered(start, start + length - before, ranges, count, first_range)
        has_inside = has_inside or covered > 0
        has_outside = has_outside or covered < length
        if has_inside and has_outside:
            return _DIVIDED
    return _INSIDE if has_inside else _OUTSIDE


@leaf
def _covered(first, stop, ranges, count, index):
    """The number of pixels from ``first`` to ``stop`` that are in ranges from that of ``index`` on."""
    total = 0
    while index < count and ranges[2 * index] < stop:
        total += max(0, min(stop, ranges[2 * index + 1]) - max(first, ranges[2 * index]))
        index += 1
    return total
