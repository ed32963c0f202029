"""The HEALPix pixels in a disc, ring by ring: on each ring the disc is one interval of longitudes."""

import math

from spherekit._core.jit import leaf
from spherekit.kernels.simd import pointer
from spherekit.sampling.healpix_geometry import ring_range
from spherekit.sampling.healpix_ranges import append_interval, ring_coordinate, ring_z

__all__ = ["disc_ranges", "disc_rings", "half_width"]


@leaf
def disc_rings(theta, radius, nside):
    """The first and the last ring that a disc may intersect, or one more."""
    first = math.floor(ring_coordinate(max(theta - radius, 0.0), nside))
    last = math.ceil(ring_coordinate(min(theta + radius, math.pi), nside))
    if theta - radius <= 0 or theta + radius >= math.pi:  # a pole is in the disc
        first = 1 if theta - radius <= 0 else first
        last = 4 * nside - 1 if theta + radius >= math.pi else last
    return max(1, int(first)), min(4 * nside - 1, int(last))


@leaf
def half_width(z, sine, z0, sine0, chord):
    """Half the range of longitudes of a disc on a circle of latitude; -1 if there are none.

    By half angles, which are accurate for discs of any size:
    tan^2(D/2) = (sin^2(r/2) - sin^2((theta - theta0)/2)) / (sin^2((theta + theta0)/2) - sin^2(r/2)).

    Parameters
    ----------
    z, sine, z0, sine0 : float
        cos(theta) and sin(theta) of the circle, and of the center of the disc.
    chord : float
        sin^2(r/2) of its radius r.

    Returns
    -------
    float
        Radians; pi if the whole circle is in the disc.
    """
    height = (z - z0) * (z - z0)
    inside = chord - 0.25 * ((sine - sine0) * (sine - sine0) + height)
    if inside < 0:
        return -1.0
    outside = 0.25 * ((sine + sine0) * (sine + sine0) + height) - chord
    if outside <= 0:
        return math.pi
    return 2 * math.atan2(math.sqrt(inside), math.sqrt(outside))


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
        z, sine = ring_z(ring, nside)
        width = half_width(z, sine, z0, sine0, chord)
        if width < 0:
            continue
        start, n, shift = ring_range(ring, nside)
        per_radian = n / (2 * math.pi)
        low = 0
        high = n - 1
        if width < math.pi:
            low = math.ceil((phi - width) * per_radian - 0.5 * shift)
            high = math.floor((phi + width) * per_radian - 0.5 * shift)
        count = append_interval(flat, count, start, n, int(low), int(high))
    return count
