"""The grid of a list of points: one latitude and longitude for each sample, in any order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from spherekit.sampling import axes, quadrature
from spherekit.sampling.base import Grid
from spherekit.sampling.healpix import HEALPix, reorder, ring2nest
from spherekit.sampling.latlon import check_range, grid_of_rows
from spherekit.sampling.rings import Rings
from spherekit.sampling.theorem_grids import is_nearly_gaussian

__all__ = ["from_points"]

#: Number of coordinates from which their digits are determined.
_MAX_DIGIT_SAMPLES = 4096


def from_points(lat: ArrayLike, lon: ArrayLike) -> tuple[Grid, np.ndarray]:
    """The grid of points in any order, given the latitude and longitude of each.

    Parameters
    ----------
    lat, lon : array_like [shape=(n,)], degrees
        Latitude and longitude of each sample, or arrays of several axes of the same shape, which are
        flattened. Quantities of astropy are converted by their unit.

    Returns
    -------
    grid : Grid
        The grid of a full map: the one of `from_latlon` if all parallels have the same longitudes, `HEALPix`
        for the centers of all pixels, otherwise `Rings`, such as a reduced Gaussian grid.
    order : int64 ndarray [shape=(number of samples of the grid,)]
        The index of the point at each sample of the grid: ``values[..., order]`` are its flattened samples.
        Of points that are repeated 360 degrees apart, the first is taken.

    Raises
    ------
    ValueError
        Arrays of different shapes, NaN, latitudes beyond 90 degrees or in radians, repeated points, or points
        that are not equidistant on each parallel. For scattered points see
        `spherekit.harmonic.evaluate_adjoint`.
    TypeError
        Coordinates that are not real numbers.

    See Also
    --------
    from_latlon : The grid of latitudes of rows and longitudes of columns.
    spherekit.harmonic.evaluate : Values of a signal at scattered points.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import sampling
    >>> lat, lon = np.meshgrid(np.arange(-75, 90, 30), np.arange(0, 360, 30), indexing="ij")
    >>> grid, order = sampling.from_points(lat, lon)
    >>> grid
    DH(L=6, n_phi=12, n_theta=6)
    >>> bool(np.all(lat.ravel()[order[:12]] == 75))
    True
    """
    lat, lat_precision = axes.degrees(lat, "lat")
    lon, lon_precision = axes.degrees(lon, "lon")
    if lat.shape != lon.shape:
        raise ValueError(
            f"lat has shape {lat.shape} and lon {lon.shape}; expected one latitude and one longitude for "
            "each sample (for the coordinates of rows and columns, see spherekit.sampling.from_latlon)"
        )
    lat, lon = lat.ravel(), lon.ravel()
    check_range(lat)
    rounding = _rounding(lat, lat_precision), _rounding(lon, lon_precision)
    grid, order = _healpix(lat, lon, rounding)
    if grid is None:
        parallels = _parallels(lat, lon, lat_precision, lon_precision)
        grid, order = _grid(parallels, lat_precision, lon_precision, rounding), parallels.order
    return grid, order


def _rounding(values, precision):
    """The rounding of coordinates by their digits, from a sample of them."""
    sample = values[:: max(1, len(values) // _MAX_DIGIT_SAMPLES)]
    return axes.last_digit(sample, precision)


def _healpix(lat, lon, rounding):
    """(grid, order) of the centers of HEALPix pixels, RING or NESTED; (None, None) of other points."""
    nside = round((len(lat) / 12) ** 0.5)
    if 12 * nside**2 != len(lat):
        return None, None
    grid = HEALPix(nside)
    if _are_centers(lat, lon, grid, rounding, slice(None)):
        return grid, np.arange(len(lat))
    if nside & (nside - 1):
        return None, None
    pixels = np.arange(0, len(lat), max(1, len(lat) // 1000))
    points = ring2nest(nside, pixels)
    if not _are_centers(lat[points], lon[points], grid, rounding, pixels):
        return None, None
    order = reorder(np.arange(len(lat)), "nested")
    is_nested = _are_centers(lat[order], lon[order], grid, rounding, slice(None))
    return (grid, order) if is_nested else (None, None)


def _are_centers(lat, lon, grid, rounding, pixels):
    """Whether the points are the centers of these pixels in RING order."""
    spacing = np.degrees(1 / grid.nside)
    limits = [min(max(unit, spacing / 1000), spacing / 16) for unit in rounding]
    if np.abs(90 - np.degrees(grid.theta[pixels]) - lat).max() > limits[0]:
        return False
    difference = lon - np.degrees(grid.phi[pixels])
    return np.abs(difference - 360 * np.round(difference / 360)).max() <= limits[1]


class _Parallels(NamedTuple):
    """Points by parallels, from north to south and from west to east.

    ``lat``, ``lon0``: latitude and first longitude of each parallel, degrees; ``n_phi``: numbers of points;
    ``order``: the index of each point among the points given.
    """

    lat: np.ndarray
    lon0: np.ndarray
    n_phi: np.ndarray
    order: np.ndarray


def _parallels(lat, lon, lat_precision, lon_precision):
    """The `_Parallels` of points; raises ValueError if they are not equidistant on each."""
    order, parallel = _by_parallel(lat, 8 * lat_precision * 90)
    n = parallel[-1] + 1
    if len(lat) > 16 and n > len(lat) / 2:
        raise ValueError(
            f"the {len(lat)} points have {n} different latitudes: they are scattered, and have no grid (in "
            "Python, sums over scattered points are spherekit.harmonic.evaluate_adjoint, values at them "
            "spherekit.harmonic.evaluate)"
        )
    noise = 8 * lon_precision * 360
    position = np.mod(lon[order] + noise, 360) - noise
    unit = _rounding(lon, lon_precision)
    columns = _columns(position, parallel, unit)
    if not columns.is_even.all():
        order, position, parallel = _without_repeated(order, position, parallel, lon)
        columns = _columns(position, parallel, unit)
    if not columns.is_even.all():
        uneven = parallel == np.argmin(columns.is_even)
        raise ValueError(_uneven(np.sort(position[uneven]), lat[order[uneven][0]], len(lat)))
    by_column = np.empty(len(order), np.int64)
    by_column[columns.slots] = order
    starts = columns.starts
    lon0 = np.empty(len(order))
    lon0[columns.slots] = position
    is_rounding = np.abs(lon0[starts] - columns.first) <= columns.limit
    lon0 = np.where(is_rounding, lon0[starts], columns.first)
    return _Parallels(lat[by_column[starts]], np.maximum(lon0, 0), columns.counts, by_column)


def _by_parallel(lat, noise):
    """(order, parallel): the points from north to south, and the number of the parallel of each of them."""
    starts = np.concatenate([[0], np.flatnonzero(np.abs(np.diff(lat)) > noise) + 1])
    lengths = np.diff(starts, append=len(lat))
    runs = np.argsort(-lat[starts], kind="stable")  # of points at the same latitude
    starts, lengths = starts[runs], lengths[runs]
    parallel_of_run = np.cumsum(np.diff(lat[starts], prepend=lat[starts[0]]) < -noise)
    first = np.cumsum(lengths) - lengths
    order = np.repeat(starts - first, lengths) + np.arange(len(lat))
    return order, np.repeat(parallel_of_run, lengths)


class _Columns(NamedTuple):
    """The columns of points on parallels.

    For each parallel, ``counts`` of points, ``starts`` of its samples on the grid, ``first`` longitude, the
    ``limit`` of its rounding, and whether the points are equidistant (``is_even``); ``slots``: the sample of
    each point.
    """

    counts: np.ndarray
    starts: np.ndarray
    first: np.ndarray
    limit: np.ndarray
    is_even: np.ndarray
    slots: np.ndarray


def _columns(position, parallel, unit):
    """The `_Columns` of points in the order of their parallels, of longitudes rounded to ``unit``."""
    counts = np.bincount(parallel)
    starts = np.cumsum(counts) - counts
    spacing = 360 / counts
    limit = np.clip(counts * unit, spacing / 1000, spacing / 16)
    step = spacing[parallel]
    angle = position / step
    angle = 2 * np.pi * (angle - np.round(angle))
    mean = np.add.reduceat(np.cos(angle), starts) + 1j * np.add.reduceat(np.sin(angle), starts)
    phase = np.angle(mean) * spacing / (2 * np.pi)
    first = phase - spacing * np.floor((phase + limit) / spacing)  # rounding below 0 is not a step
    distance = position - first[parallel]
    index = np.round(distance / step)
    residual = np.abs(distance - index * step)
    slots = starts[parallel] + index.astype(np.int64) % counts[parallel]
    is_filled = np.bincount(slots, minlength=len(position)) > 0
    is_even = np.logical_and.reduceat(is_filled, starts)
    is_even &= np.maximum.reduceat(residual, starts) <= limit
    return _Columns(counts, starts, first, limit, is_even, slots)


def _without_repeated(order, position, parallel, lon):
    """Drop points whose longitude is that of another one plus 360 degrees; refuse other repeated points."""
    by_longitude = np.lexsort((position, parallel))
    order, position = order[by_longitude], position[by_longitude]
    spacing = 360 / np.bincount(parallel)
    is_repeated = (np.diff(position) < spacing[parallel[1:]] / 16) & (np.diff(parallel) == 0)
    if not is_repeated.any():
        return order, position, parallel
    pairs = np.flatnonzero(is_repeated)
    apart = np.abs(lon[order[pairs]] - lon[order[pairs + 1]])
    if (apart < 180).any() or np.bincount(parallel[pairs]).max() > 1:
        raise ValueError(
            f"{len(pairs)} points are repeated, among them longitude {position[pairs[0]]:.7g}; expected one "
            "sample at each point (select one time, level or field, or average the samples of a point)"
        )
    later = np.where(lon[order[pairs]] > lon[order[pairs + 1]], pairs, pairs + 1)
    return (np.delete(x, later) for x in (order, position, parallel))


def _uneven(position, lat, count):
    """The message for a parallel on which points are not equidistant."""
    gaps = np.diff(position, append=position[0] + 360)
    widest = int(np.argmax(gaps))
    following = position[(widest + 1) % len(position)]
    return (
        f"the {len(position)} of {count} points at latitude {lat:.7g} are not equidistant around the circle: "
        f"there is a gap of {gaps[widest]:.7g} degrees, from {position[widest]:.7g} to {following:.7g}. They "
        "have no grid (in Python, sums over scattered points are spherekit.harmonic.evaluate_adjoint)"
    )


def _grid(parallels, lat_precision, lon_precision, rounding):
    """The grid of parallels."""
    lat, n_phi = parallels.lat, parallels.n_phi
    step = 360 / n_phi
    limit = np.clip(rounding[1], step / 1000, step / 16)
    difference = parallels.lon0 - parallels.lon0[0]
    if np.all(n_phi == n_phi[0]) and n_phi[0] > 1:
        if np.all(np.abs(difference - step * np.round(difference / step)) <= limit):
            columns = axes.columns(parallels.lon0[0] + step[0] * np.arange(n_phi[0]), lon_precision)
            return grid_of_rows(lat, lat_precision, columns)[0]
    phi0 = np.radians(np.round(parallels.lon0, 12))  # about the precision of float64
    for fraction in (0, 0.5):
        difference = parallels.lon0 - fraction * step
        close = np.abs(difference - step * np.round(difference / step)) <= limit
        phi0 = np.where(close, fraction * 2 * np.pi / n_phi, phi0)
    if is_nearly_gaussian(np.radians(90 - lat)):
        theta, weights = quadrature.gauss_legendre(len(lat))
        largest = 2 * axes.tolerance(lat, lat_precision, 180 / len(lat)).rounding
        if np.abs(90 - np.degrees(theta) - lat).max() <= largest:
            return Rings(theta, n_phi, phi0, weights * (2 * np.pi / n_phi))
    rings = Rings(np.clip(np.radians(90 - lat), 0, np.pi), n_phi, phi0)
    return _healpix_of_rings(rings, limit) or rings


def _healpix_of_rings(rings, limit):
    """The HEALPix grid with these rings, or None."""
    nside = (len(rings.angles) + 1) // 4
    if nside < 1 or rings.shape != (12 * nside**2,):
        return None
    grid = HEALPix(nside)
    if not np.array_equal(grid.ring_n_phi, rings.ring_n_phi):
        return None
    theta, phi0 = (
        np.degrees(np.abs(getattr(grid, name) - getattr(rings, name)))
        for name in ("ring_theta", "ring_phi0")
    )
    return grid if theta.max() <= limit.min() and np.all(phi0 <= limit) else None
