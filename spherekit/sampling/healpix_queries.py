"""The HEALPix pixels in a region of the sphere: discs, strips and polygons, for any nside."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.sampling.healpix_arguments import as_directions, check_nside
from spherekit.sampling.healpix_discs import disc_ranges, disc_rings, overlapping_ranges
from spherekit.sampling.healpix_geometry import ring_start
from spherekit.sampling.healpix_polygons import (
    SEGMENT,
    crossing_edges,
    polygon_ranges,
    polygon_segments,
    ring_counts,
)
from spherekit.sampling.healpix_ranges import empty_ranges, merged, numbers_in, ring_coordinate

__all__ = ["disc", "polygon", "strip"]


def __dir__():
    return sorted(__all__)


def disc(
    nside: int,
    theta: float,
    phi: float,
    radius: float,
    *,
    inclusive: bool = False,
    nest: bool = False,
) -> np.ndarray:
    """The pixels in a disc.

    Parameters
    ----------
    nside : int
        Any nside from 1 to 2^29; a power of two with ``nest``.
    theta, phi : float or quantity, radians
        Colatitude in [0, pi] and longitude of the center.
    radius : float or quantity, radians
        From 0 to 2 pi; a radius >= pi selects the whole sphere.
    inclusive : bool
        Select all pixels that overlap the disc, instead of those whose centers are in it: also those that the
        border of the disc passes through. Whether it does is decided by the extremes, up to rounding, of the
        border in coordinates in which the borders of pixels are straight lines; thus there are no false
        positives, unlike those of ``healpy.query_disc``.
    nest : bool
        Return numbers in nested order instead of ring order.

    Returns
    -------
    int64 ndarray [shape=(n,)]
        Sorted pixel numbers.

    Raises
    ------
    ValueError
        nside or an angle out of range.
    TypeError
        nside is not an integer, or an angle is not a real number.
    MemoryError
        The list does not fit into memory.

    Examples
    --------
    >>> from spherekit.sampling import healpix
    >>> healpix.disc(2, 0.0, 0.0, 0.9)
    array([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11])
    """
    nside = check_nside(nside, nest)
    theta = _colatitude(theta, "theta")
    phi = _angle(phi, "phi") % (2 * math.pi)
    radius = _radius(radius)
    first, last = disc_rings(theta, radius, nside)
    size = max(0, last - first + 1)
    ranges = empty_ranges(2 * size)
    if inclusive:
        intervals = np.empty((2, size), np.int64)
        count = overlapping_ranges(nside, theta, phi, radius, intervals, ranges)
    else:
        count = disc_ranges(nside, theta, phi, radius, ranges)
    return numbers_in(ranges[:count], nside, nest)


def strip(
    nside: int, theta1: float, theta2: float, *, inclusive: bool = False, nest: bool = False
) -> np.ndarray:
    """The pixels in a strip of latitudes.

    Parameters
    ----------
    nside : int
        Any nside from 1 to 2^29; a power of two with ``nest``.
    theta1, theta2 : float or quantity, radians
        Colatitudes of the borders. If theta1 >= theta2, the strips [0, theta2] and [theta1, pi].
    inclusive : bool
        Select all pixels that overlap the strip, instead of those whose centers are in it. A pixel reaches
        from the ring before its own to the next one, so that this is exact.
    nest : bool
        Return numbers in nested order instead of ring order.

    Returns
    -------
    int64 ndarray [shape=(n,)]
        Sorted pixel numbers.

    Raises
    ------
    ValueError
        nside or an angle out of range.
    TypeError
        nside is not an integer, or an angle is not a real number.
    MemoryError
        The list does not fit into memory.

    Examples
    --------
    >>> from spherekit.sampling import healpix
    >>> healpix.strip(2, 0.5, 0.9)
    array([ 4,  5,  6,  7,  8,  9, 10, 11])
    """
    nside = check_nside(nside, nest)
    theta1 = _colatitude(theta1, "theta1")
    theta2 = _colatitude(theta2, "theta2")
    strips = [(theta1, theta2)] if theta1 < theta2 else [(0.0, theta2), (theta1, math.pi)]
    ranges = []
    for top, bottom in strips:
        first, last = _strip_rings(nside, top, bottom, inclusive)
        if first <= last:
            ranges.append((ring_start(first, nside), ring_start(last + 1, nside)))
    if len(ranges) == 2 and ranges[0][1] >= ranges[1][0]:
        ranges = [(ranges[0][0], ranges[1][1])]
    return numbers_in(np.array(ranges, np.int64).reshape(-1, 2), nside, nest)


def polygon(
    nside: int,
    theta: ArrayLike,
    phi: ArrayLike,
    *,
    inclusive: bool = False,
    nest: bool = False,
) -> np.ndarray:
    """The pixels in a simple polygon, convex or not, whose edges are arcs of great circles.

    The interior is the side of the smaller area, in either order of the vertices.

    Parameters
    ----------
    nside : int
        Any nside from 1 to 2^29; a power of two with ``nest``.
    theta, phi : array_like [shape=(n,)], radians
        Colatitudes in [0, pi] and longitudes of n >= 3 vertices, in their order along the polygon, which is
        closed by an edge from the last to the first one.
    inclusive : bool
        Select all pixels that overlap the polygon, instead of those whose centers are in it: also those that
        its edges pass through, which is decided as in `disc`.
    nest : bool
        Return numbers in nested order instead of ring order.

    Returns
    -------
    int64 ndarray [shape=(n,)]
        Sorted pixel numbers.

    Raises
    ------
    ValueError
        Fewer than three vertices; a vertex that is repeated; an edge of half a turn, whose direction is not
        defined; edges that cross each other; vertices on a great circle; an angle or nside out of range.
    TypeError
        nside is not an integer, or angles are not real numbers.
    MemoryError
        The list does not fit into memory.

    Examples
    --------
    >>> from spherekit.sampling import healpix
    >>> healpix.polygon(2, [0.4, 1.2, 1.2], [0.8, 0.2, 1.4])
    array([ 4, 13])
    """
    nside = check_nside(nside, nest)
    theta, phi = _vertices(theta, phi)
    segments = np.empty((2 * theta.size, SEGMENT))
    fault, count, area, north, south = polygon_segments(nside, theta, phi, segments)
    if fault:
        _refuse_edge(fault, count, theta, phi)
    if theta.size > 3:
        _refuse_crossings(theta, phi)
    if abs(area - 2 * math.pi) < 1e-9:
        raise ValueError(
            "the area of the polygon is that of a hemisphere, so that neither side is the smaller one; "
            "divide it into two polygons"
        )
    left = area < 2 * math.pi
    poles = (north == left, south == left)
    first, last, total = ring_counts(segments, count)
    work = np.empty((2, last - first + 6), np.int64)
    ranges = empty_ranges((4 if inclusive else 2) * total + 2)
    crossings = np.empty((total, 2))
    arguments = left, poles, inclusive, first, last, work, crossings, ranges
    count = polygon_ranges(nside, segments, count, *arguments)
    return numbers_in(merged(ranges[:count]), nside, nest)


def _vertices(theta, phi):
    """The vertices of a polygon, at least three, without repetitions."""
    theta, phi = as_directions(theta, phi)
    if theta.ndim != 1 or theta.size < 3:
        raise ValueError(
            f"theta and phi have shape {theta.shape}; expected those of at least three vertices"
        )
    points = {}
    for i, (a, b) in enumerate(zip(theta.tolist(), phi.tolist(), strict=True)):
        point = (a, b % (2 * math.pi) if 0 < a < math.pi else 0.0)
        if point in points:
            raise ValueError(
                f"vertices {points[point]} and {i} of the polygon are equal; expected each vertex once (the "
                "polygon is closed without repetition of the first one)"
            )
        points[point] = i
    return theta, phi


def _refuse_edge(fault, i, theta, phi):
    j = (i + 1) % theta.size
    problem = (
        "coincide"
        if fault == 1
        else "are opposite points, between which the direction is not defined"
    )
    remedy = "omit one" if fault == 1 else "insert a vertex between them"
    raise ValueError(
        f"vertices {i} and {j} of the polygon, (theta, phi) = ({theta[i]:.6g}, {phi[i]:.6g}) and "
        f"({theta[j]:.6g}, {phi[j]:.6g}), {problem}; {remedy}"
    )


def _refuse_crossings(theta, phi):
    i, j = crossing_edges(theta, phi)
    if i >= 0:
        raise ValueError(
            f"the edges from vertices {i} and {j} of the polygon cross each other; expected a simple "
            "polygon: vertices in their order along it"
        )


def _strip_rings(nside, top, bottom, inclusive):
    """The first and the last ring in a strip, or overlapping it."""
    first = math.ceil(ring_coordinate(top, nside))
    last = math.floor(ring_coordinate(bottom, nside))
    if inclusive:
        first -= 1
        last += 1
    return max(first, 1), min(last, 4 * nside - 1)


def _colatitude(theta, name):
    if isinstance(theta, float) and 0 <= theta <= math.pi:
        return float(theta)
    return _scalar(checks.colatitudes(theta, name), name)


def _angle(angle, name):
    if isinstance(angle, float) and math.isfinite(angle):
        return float(angle)
    return _scalar(checks.angles(angle, name), name)


def _scalar(array, name):
    if array.ndim:
        raise ValueError(f"{name} has shape {array.shape}; expected one angle in radians")
    return float(array)


def _radius(radius):
    number = _angle(radius, "radius")
    if not 0 <= number <= 2 * math.pi:
        hint = "; numpy.radians converts degrees" if number > 0 else ""
        raise ValueError(f"radius is {number:.6g}; expected radians from 0 to 2 pi{hint}")
    return min(number, math.pi)
