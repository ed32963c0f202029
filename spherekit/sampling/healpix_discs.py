"""The HEALPix pixels in a disc, ring by ring: on each ring the disc is one interval of longitudes."""

import math

from spherekit._core.jit import leaf
from spherekit.kernels.simd import pointer
from spherekit.sampling.healpix_circles import extend_to_arc, half_width, ring_position
from spherekit.sampling.healpix_geometry import ring_range
from spherekit.sampling.healpix_ranges import append_interval, ring_coordinate

__all__ = ["disc_ranges", "disc_rings", "overlapping_ranges"]

#: Intervals between two rings, in each of which the border of a disc is parallel to the borders of pixels at
#: one point at most: of discs that are large compared to pixels, and of others.
_SAMPLES = 2
_MANY_SAMPLES = 16
_TURNS_PER_RADIAN = 0.5 / math.pi


@leaf
def disc_rings(theta, radius, nside):
    """The first and the last ring whose pixels a disc may overlap, or one more."""
    first = max(1, int(math.floor(ring_coordinate(max(theta - radius, 0.0), nside))))
    last = min(4 * nside - 1, int(math.ceil(ring_coordinate(min(theta + radius, math.pi), nside))))
    return first, last


@leaf
def disc_ranges(nside, theta, phi, radius, ranges):
    """Write the ranges of the pixels whose centers are in a disc; return their count."""
    flat = pointer(ranges, 0)
    z0 = math.cos(theta)
    sine0 = math.sin(theta)
    chord = math.sin(radius / 2) ** 2
    first, last = disc_rings(theta, radius, nside)
    count = 0
    for ring in range(first, last + 1):
        start, n, low, high = _centers(ring, nside, z0, sine0, phi, chord)
        count = append_interval(flat, count, start, n, low, high)
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
def overlapping_ranges(nside, theta, phi, radius, intervals, ranges):
    """Write the ranges of the pixels that overlap a disc; return their count.

    These are the pixels whose centers are in the disc, those that its border passes through, and rings of
    which it contains a circle of latitude.

    Parameters
    ----------
    nside : int
    theta, phi, radius : float
    intervals : int64 ndarray [shape=(2, n)]
        Work memory, for n = last - first + 1 rings of `disc_rings`.
    ranges : int64 ndarray [shape=(2 n, 2)]
    """
    flat = pointer(ranges, 0)
    first, last = disc_rings(theta, radius, nside)
    low = pointer(intervals, 0)
    high = pointer(intervals, intervals.shape[1])
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
        count = append_interval(flat, count, start, n, low[ring - first], high[ring - first])
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
