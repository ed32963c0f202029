"""The HEALPix pixels in a disc, ring by ring: on each ring the disc is one interval of longitudes."""

import math

from spherekit._core.jit import leaf
from spherekit.kernels.simd import pointer
from spherekit.sampling.healpix_circles import extend_to_arc, half_width, ring_position
from spherekit.sampling.healpix_geometry import ring_range
from spherekit.sampling.healpix_nested_ranges import nested_work_size, set_nested_numbers
from spherekit.sampling.healpix_ranges import (
    NO_RANGES,
    append_interval,
    count_in,
    ring_coordinate,
    set_numbers,
    write_numbers,
)

__all__ = ["disc_numbers", "disc_rings", "fill_discs", "ranges_of_discs", "sizes_of_discs"]

#: Intervals between two rings, in each of which the border of a disc is parallel to the borders of pixels at
#: one point at most: of discs that are large compared to pixels, and of others.
_SAMPLES = 2
_MANY_SAMPLES = 16
_TURNS_PER_RADIAN = 0.5 / math.pi


@leaf
def disc_numbers(nside, order, theta, phi, radius, inclusive, work):
    """Write the sorted numbers of the pixels in a disc to the end of work memory (`write_numbers`).

    Returns
    -------
    int
        Their count; NO_PIXELS if there is space for the ranges only; NO_RANGES if there is none, with the
        size that these need in the first element of ``work``.
    """
    first, last = disc_rings(theta, radius, nside)
    size = max(0, last - first + 1)
    end = 1 + 4 * size
    if end + 2 * size > work.size:
        work[0] = end + 2 * size
        return NO_RANGES
    intervals = pointer(work, end)
    count = _set_ranges(nside, theta, phi, radius, inclusive, intervals, size, pointer(work, 1))
    return write_numbers(nside, order, count, work)


@leaf
def disc_rings(theta, radius, nside):
    """The first and the last ring whose pixels a disc may overlap, or one more."""
    north = ring_coordinate(max(theta - radius, 0.0), nside)
    south = ring_coordinate(min(theta + radius, math.pi), nside)
    first = max(1, int(math.ceil(north)) - 1)
    last = min(4 * nside - 1, int(math.floor(south)) + 1)
    return first, last


@leaf
def sizes_of_discs(nside, theta, radius, sizes):
    """Set ``sizes`` to the sum and the maximum of the numbers of rings of discs."""
    total = 0
    largest = 0
    for i in range(theta.size):
        first, last = disc_rings(theta[i], radius[i], nside)
        total += max(0, last - first + 1)
        largest = max(largest, last - first + 1)
    sizes[0] = total
    sizes[1] = largest


@leaf
def ranges_of_discs(nside, theta, phi, radius, inclusive, intervals, ranges, bounds):
    """Write the ranges of the pixels in discs.

    Parameters
    ----------
    nside : int
    theta, phi, radius : float64 ndarray [shape=(n,)]
    inclusive : bool
    intervals : int64 ndarray [shape=(2, n_rings)]
        Work memory, for the largest number of rings of `sizes_of_discs`.
    ranges : int64 ndarray [shape=(2 total, 2)]
        For the sum of the numbers of rings.
    bounds : int64 ndarray [shape=(2, n + 1)]
        Set to the number of the first range of each disc, and of its first pixel in a list of all pixels; the
        last elements are the numbers of ranges and of pixels.
    """
    count = 0
    total = 0
    for i in range(theta.size):
        bounds[0, i] = count
        bounds[1, i] = total
        flat = pointer(ranges, 2 * count)
        first, last = disc_rings(theta[i], radius[i], nside)
        size = max(0, last - first + 1)
        work = pointer(intervals, 0)
        added = _set_ranges(nside, theta[i], phi[i], radius[i], inclusive, work, size, flat)
        total += count_in(flat, added)
        count += added
    bounds[0, theta.size] = count
    bounds[1, theta.size] = total


@leaf
def fill_discs(nside, order, ranges, bounds, work, pixels):
    """Set ``pixels`` to the sorted numbers of the pixels in each of the discs of `ranges_of_discs`.

    Parameters
    ----------
    nside : int
    order : int
        nside = 2^order for nested order, -1 for ring order.
    ranges, bounds : int64 ndarray
    work : int64 ndarray
    pixels : int64 ndarray

    Returns
    -------
    int
        The size of work memory; where it is above that of ``work``, pixels are not set.
    """
    required = 0
    if order >= 0:
        for i in range(bounds.shape[1] - 1):
            count = bounds[0, i + 1] - bounds[0, i]
            if count > 0:
                flat = pointer(ranges, 2 * bounds[0, i])
                required = max(required, nested_work_size(nside, order, flat, count))
    if required > work.size:
        return required
    for i in range(bounds.shape[1] - 1):
        count = bounds[0, i + 1] - bounds[0, i]
        flat = pointer(ranges, 2 * bounds[0, i])
        results = pointer(pixels, bounds[1, i])
        if order < 0:
            set_numbers(flat, count, results)
        elif count > 0:
            set_nested_numbers(nside, order, flat, count, pointer(work, 0), results)
    return required


@leaf
def _set_ranges(nside, theta, phi, radius, inclusive, intervals, size, ranges):
    """Write the ranges of a disc; return their count."""
    if inclusive:
        low, high = intervals, pointer(intervals, size)
        return _overlapping_ranges(nside, theta, phi, radius, low, high, ranges)
    return _ranges_of_centers(nside, theta, phi, radius, ranges)


@leaf
def _ranges_of_centers(nside, theta, phi, radius, ranges):
    """Write the ranges of the pixels whose centers are in a disc; return their count."""
    z0 = math.cos(theta)
    sine0 = math.sin(theta)
    chord = math.sin(radius / 2) ** 2
    first, last = disc_rings(theta, radius, nside)
    count = 0
    for ring in range(first, last + 1):
        start, n, low, high = _centers(ring, nside, z0, sine0, phi, chord)
        count = append_interval(ranges, count, start, n, low, high)
    return count


@leaf
def _centers(ring, nside, z0, sine0, phi, chord):
    """A ring: its first pixel, its size; indices, of any sign, of the first and last center in a disc."""
    start, n, shift = ring_range(ring, nside)
    z, sine = ring_position(float(ring), nside)
    width = half_width(z, sine, z0, sine0, chord)
    if width < 0:
        return start, n, 0, -1
    if width >= math.pi:
        return start, n, 0, n - 1
    per_radian = n * _TURNS_PER_RADIAN
    low = math.ceil((phi - width) * per_radian - 0.5 * shift)
    high = math.floor((phi + width) * per_radian - 0.5 * shift)
    return start, n, int(low), int(high)


@leaf
def _overlapping_ranges(nside, theta, phi, radius, low, high, ranges):
    """Write the ranges of the pixels that overlap a disc; return their count.

    These are the pixels whose centers are in the disc, those that its border passes through, and rings of
    which it contains a circle of latitude. ``low`` and ``high`` are work memory, for the `disc_rings`.
    """
    first, last = disc_rings(theta, radius, nside)
    z0 = math.cos(theta)
    sine0 = math.sin(theta)
    chord = math.sin(radius / 2) ** 2
    for ring in range(first, last + 1):
        _, _, low[ring - first], high[ring - first] = _centers(ring, nside, z0, sine0, phi, chord)
    for side in (-1.0, 1.0):
        circle = (z0, sine0, phi, chord, side)
        _extend_to_border(nside, theta, radius, circle, first, low, high)
    north = ring_coordinate(radius - theta, nside) if radius >= theta else -1.0
    to_south = theta + radius - math.pi
    south = ring_coordinate(math.pi - to_south, nside) if to_south >= 0 else 4.0 * nside + 1
    count = 0
    for ring in range(first, last + 1):
        start, n, _ = ring_range(ring, nside)
        if ring - 1 <= north or ring + 1 >= south:
            low[ring - first], high[ring - first] = 0, n - 1
        count = append_interval(ranges, count, start, n, low[ring - first], high[ring - first])
    return count


@leaf
def _extend_to_border(nside, theta, radius, circle, first, low, high):
    """Extend intervals to the pixels that one side of the border of a disc passes through."""
    z0, _, phi, chord, side = circle
    top = abs(theta - radius)
    bottom = min(theta + radius, 2 * math.pi - theta - radius)
    if bottom <= top and radius > 0:
        return
    phi_top = phi + side * math.pi if radius > theta else phi
    phi_bottom = phi + side * math.pi if theta + radius > math.pi else phi
    t1 = ring_coordinate(top, nside)
    t2 = max(t1, ring_coordinate(bottom, nside))
    samples = _MANY_SAMPLES if radius * nside < 30 else _SAMPLES
    cosine = 1 - 2 * chord
    if abs(z0) < abs(cosine):  # the longitude has an extreme, where meridians are tangents
        t = ring_coordinate(math.acos(z0 / cosine), nside)
        if t1 < t < t2:
            z, sine = ring_position(t, nside)
            widest = phi + side * half_width(z, sine, z0, circle[1], chord)
            extend_to_arc(nside, circle, t1, phi_top, t, widest, samples, first, low, high)
            extend_to_arc(nside, circle, t, widest, t2, phi_bottom, samples, first, low, high)
            return
    extend_to_arc(nside, circle, t1, phi_top, t2, phi_bottom, samples, first, low, high)
