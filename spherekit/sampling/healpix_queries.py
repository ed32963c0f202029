"""The HEALPix pixels in a region of the sphere: discs, strips and polygons, for any nside."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.parallel import run, thread_count
from spherekit.sampling.healpix_arguments import as_directions, check_nside
from spherekit.sampling.healpix_discs import (
    disc_numbers,
    fill_discs,
    ranges_of_discs,
    sizes_of_discs,
)
from spherekit.sampling.healpix_polygons import (
    SEGMENT,
    crossing_edges,
    polygon_ranges,
    polygon_segments,
    ring_counts,
)
from spherekit.sampling.healpix_ranges import (
    NO_PIXELS,
    NO_RANGES,
    empty_ranges,
    merged,
    numbers_in,
    strip_numbers,
)

__all__ = ["disc", "polygon", "strip"]

#: Size of the work memory of one region, which suffices for about this number of pixels.
_WORK_SIZE = 2048
#: Discs of one work item of a thread.
_BLOCK = 1024
_TURN = 2 * math.pi


def __dir__():
    return sorted(__all__)


def disc(
    nside: int,
    theta: ArrayLike,
    phi: ArrayLike,
    radius: ArrayLike,
    *,
    inclusive: bool = False,
    nest: bool = False,
    threads: int | None = None,
) -> np.ndarray | list[np.ndarray]:
    """The pixels in a disc, or in each of several discs.

    Parameters
    ----------
    nside : int
        Any nside from 1 to 2^29; a power of two with ``nest``.
    theta, phi : float or array_like [shape=(n,)], radians
        Colatitudes in [0, pi] and longitudes of the centers, such as those of the sources of a catalogue. A
        quantity is converted by its unit.
    radius : float or array_like [shape=(n,)], radians
        From 0 to 2 pi; a radius >= pi selects the whole sphere. It is broadcast against the centers.
    inclusive : bool
        Select all pixels that overlap the disc, instead of those whose centers are in it: also those that the
        border of the disc passes through. Whether it does is decided by the extremes, up to rounding, of the
        border in coordinates in which the borders of pixels are straight lines; thus there are no false
        positives, unlike those of ``healpy.query_disc``.
    nest : bool
        Return numbers in nested order instead of ring order.
    threads : int, optional
        Number of threads, which process separate discs. The result does not depend on it.

    Returns
    -------
    int64 ndarray, or list of int64 ndarray
        Sorted pixel numbers of the disc; of arrays, a list with those of each disc.

    Raises
    ------
    ValueError
        nside or an angle out of range; arrays of more than one axis, or whose shapes do not broadcast.
    TypeError
        nside is not an integer, or an angle is not a real number.
    MemoryError
        The lists do not fit into memory.

    Examples
    --------
    >>> from spherekit.sampling import healpix
    >>> healpix.disc(2, 0.0, 0.0, 0.9)
    array([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11])
    >>> healpix.disc(2, [0.0, 1.5], [0.0, 2.0], 0.5)
    [array([0, 1, 2, 3]), array([14, 22])]
    """
    nside = check_nside(nside, nest)
    if isinstance(theta, float) and isinstance(phi, float) and isinstance(radius, float):
        theta = _colatitude(theta, "theta")
        phi = _angle(phi, "phi") % _TURN
        return _pixels_of(disc_numbers, nside, nest, theta, phi, _radius(radius), bool(inclusive))
    theta, phi = as_directions(theta, phi)
    radius = _radii(radius)
    if theta.ndim == radius.ndim == 0:
        circle = float(theta), float(phi) % _TURN, float(radius)
        return _pixels_of(disc_numbers, nside, nest, *circle, bool(inclusive))
    return _discs(nside, theta, phi, radius, bool(inclusive), nest, threads)


def strip(
    nside: int, theta1: float, theta2: float, *, inclusive: bool = False, nest: bool = False
) -> np.ndarray:
    """The pixels in a strip of latitudes.

    Parameters
    ----------
    nside : int
        Any nside from 1 to 2^29; a power of two with ``nest``.
    theta1, theta2 : float or quantity, radians
        Colatitudes of the borders. If theta1 >= theta2, the strips [0, theta2] and [theta1, pi]. The borders
        belong to the strip: a ring on one of them, up to rounding (2e-15 radians), is selected, where healpy
        may omit it.
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
    return _pixels_of(strip_numbers, nside, nest, theta1, theta2, bool(inclusive))


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
    array([0, 4, 5])
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


def _pixels_of(kernel, nside, nest, *arguments):
    """Call a kernel that writes sorted pixel numbers to the end of work memory; return them."""
    order = nside.bit_length() - 1 if nest else -1
    work = np.empty(_WORK_SIZE, np.int64)
    count = kernel(nside, order, *arguments, work)
    if count == NO_RANGES:
        work = empty_ranges(-(-int(work[0]) // 2)).reshape(-1)
        count = kernel(nside, order, *arguments, work)
    if count == NO_PIXELS:
        return numbers_in(work[1 : 1 + 2 * int(work[0])].reshape(-1, 2), nside, nest)
    return work[work.size - count :].copy()


def _discs(nside, theta, phi, radius, inclusive, nest, threads):
    """The list of the pixels in each disc; threads draw blocks of discs."""
    try:
        theta, phi, radius = np.broadcast_arrays(theta, phi, radius)
    except ValueError:
        raise ValueError(
            f"the centers have shape {theta.shape} and radius {radius.shape}; expected shapes that broadcast"
        ) from None
    if theta.ndim > 1:
        raise ValueError(f"theta, phi and radius have shape {theta.shape}; expected one axis")
    expected = 12.0 * nside**2 * np.sum(np.sin(radius / 2) ** 2)
    remedy = "select smaller regions, or fewer of them"
    checks.fits_memory(8 * expected, f"the list of {expected:.3g} pixels", remedy)
    theta, phi, radius = (np.array(x) for x in (theta, phi % _TURN, radius))
    blocks = range(0, theta.size, _BLOCK)
    lists = [[]] * len(blocks)
    indices = iter(range(len(blocks)))  # the lock of the interpreter makes `next` atomic

    def work(_):
        for i in indices:
            part = slice(blocks[i], blocks[i] + _BLOCK)
            lists[i] = _block_of_discs(nside, theta[part], phi[part], radius[part], inclusive, nest)

    run(work, min(thread_count(threads), max(1, len(blocks))))
    return [pixels for block in lists for pixels in block]


def _block_of_discs(nside, theta, phi, radius, inclusive, nest):
    """The list of the pixels in each disc: parts of one array."""
    sizes = np.empty(2, np.int64)
    sizes_of_discs(nside, theta, radius, sizes)
    intervals = np.empty((2, int(sizes[1])), np.int64)
    ranges = empty_ranges(2 * int(sizes[0]))
    bounds = np.empty((2, theta.size + 1), np.int64)
    ranges_of_discs(nside, theta, phi, radius, inclusive, intervals, ranges, bounds)
    pixels = np.empty(int(bounds[1, -1]), np.int64)
    order = nside.bit_length() - 1 if nest else -1
    work = np.empty(0, np.int64)
    required = fill_discs(nside, order, ranges, bounds, work, pixels)
    if required:
        work = np.empty(required, np.int64)
        fill_discs(nside, order, ranges, bounds, work, pixels)
    first = bounds[1].tolist()
    return [pixels[i:j] for i, j in zip(first[:-1], first[1:], strict=True)]


def _radii(radius):
    array = checks.angles(radius, "radius")
    if array.size and not (array.min() >= 0 and array.max() <= _TURN):
        number = array.max() if array.min() >= 0 else array.min()
        _refuse_radius(number)
    return np.minimum(array, math.pi)


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
    if not 0 <= number <= _TURN:
        _refuse_radius(number)
    return min(number, math.pi)


def _refuse_radius(number):
    hint = "; numpy.radians converts degrees" if number > 0 else ""
    raise ValueError(f"radius is {number:.6g}; expected radians from 0 to 2 pi{hint}")
