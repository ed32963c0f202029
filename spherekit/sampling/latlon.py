"""The grid of given latitudes and longitudes, and the order of the samples of files on it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from spherekit.sampling import axes, quadrature, theorem_grids
from spherekit.sampling.base import Grid
from spherekit.sampling.rings import Rings

__all__ = ["LatLon", "from_latlon"]


def from_latlon(lat: ArrayLike, lon: ArrayLike) -> Grid:
    """The grid of the samples at all pairs of given latitudes and longitudes.

    The samples of a grid are in its own order: latitudes from north to south, longitudes from ``phi0``
    eastwards, each once. Where the coordinates are in another order, a warning says so: rearrange the samples
    with ``LatLon(lat, lon).to_grid(f)``, and results with ``LatLon(lat, lon).from_grid``, or pass the
    `LatLon` to a function of `spherekit.fields`, which does both.

    Parameters
    ----------
    lat : array_like [shape=(n_lat,)], degrees
        Latitudes from -90 to 90, in any order. A quantity of astropy is converted by its unit.
    lon : array_like [shape=(n_lon,)], degrees
        Equidistant longitudes around the circle, in any order, from any meridian. The last one may repeat the
        first, as 360 degrees repeats 0.

    Returns
    -------
    Grid
        Rings with both poles: `MWSS`, or `CC` if there are fewer longitudes than its band-limit requires.
        Between the poles: `DH`. With the north pole: `DHPole`. With the south pole: `MW`. At Gaussian
        latitudes: `GL`. The band-limit is the largest that these numbers of rings and columns determine.
        Otherwise `Rings`, without a sampling theorem: `spherekit.analyse` fits the coefficients.

    Raises
    ------
    ValueError
        NaN, latitudes beyond 90 degrees, latitudes that occur twice or seem to be in radians, or longitudes
        that are not equidistant around the circle (with the gap).
    TypeError
        Coordinates that are not real numbers.

    Warns
    -----
    UserWarning
        The coordinates are in another order than the samples of the grid.

    See Also
    --------
    LatLon : The same, with the order of the samples.

    Notes
    -----
    Coordinates match a grid if they differ from its nodes by at most the rounding that their digits or dtype
    imply, added up along equidistant axes (files add up a rounded step), or by 1/1000 of the spacing, but
    never by more than 1/16 of it.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import sampling
    >>> sampling.from_latlon(np.arange(90, -91, -2.5), np.arange(0, 360, 2.5))
    MWSS(L=72, n_phi=144)
    >>> str(sampling.from_latlon(np.arange(89.5, -90, -1), np.arange(0.5, 360)))
    'dh:180,n_theta=180,n_phi=360,phi0=half'
    """
    positions = LatLon(lat, lon)
    if positions.changes:
        warnings.warn(
            f"samples at these coordinates are not in the order of {positions.grid!r} "
            f"({'; '.join(positions.changes)}): rearrange them with LatLon(lat, lon).to_grid(f), results "
            "with LatLon(lat, lon).from_grid, of spherekit.sampling",
            UserWarning,
            stacklevel=2,
        )
    return positions.grid


@dataclass(frozen=True, eq=False, repr=False)
class LatLon:
    """The latitudes and longitudes of a map: its grid, and the order of its samples.

    Parameters
    ----------
    lat, lon : array_like, degrees
        Latitudes and longitudes of the rows and columns, as in `from_latlon`.

    Attributes
    ----------
    grid : Grid
        The grid, as `from_latlon` returns it.
    notes : tuple of str
        Sentences on how samples are rearranged on the grid, and on coordinates that are those of no sampling
        theorem, or rounded.
    changes : tuple of str
        The notes on how samples are rearranged; empty if they are not.

    Raises
    ------
    ValueError
        As in `from_latlon`.
    TypeError
        As in `from_latlon`.

    Examples
    --------
    A map from south to north, with the longitude 360 degrees as well as 0:

    >>> import numpy as np
    >>> from spherekit.sampling import LatLon
    >>> positions = LatLon([-90, -45, 0, 45, 90], np.arange(0, 361, 45))
    >>> positions.grid
    MWSS(L=4, n_phi=8)
    >>> print("; ".join(positions.notes))
    latitudes ascend: rows reversed, north first; the last longitude repeats the first: column removed
    >>> positions.to_grid(np.zeros((12, 5, 9))).shape
    (12, 5, 8)
    """

    lat: np.ndarray
    lon: np.ndarray

    def __post_init__(self):
        lat, lat_precision = _axis(self.lat, "lat")
        lon, lon_precision = _axis(self.lon, "lon")
        rows = _north_to_south(lat, lon)
        columns = axes.columns(lon, lon_precision)
        grid, comment = grid_of_rows(lat[rows], lat_precision, columns)
        values = dict(lat=quadrature.read_only(lat), lon=quadrature.read_only(lon), grid=grid)
        values |= dict(_rows=rows, _columns=columns)
        values["changes"] = changes = (*_row_notes(rows), *_column_notes(lon, columns))
        values["notes"] = (*changes, *_deviation_notes(columns), *comment)
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __repr__(self):
        return f"LatLon({len(self.lat)} latitudes, {len(self.lon)} longitudes, {self.grid!r})"

    def to_grid(self, values: np.ndarray) -> np.ndarray:
        """Samples in the order of the grid.

        Parameters
        ----------
        values : ndarray [shape=(..., n_lat, n_lon)]
            Samples of any dtype, one row for each latitude.

        Returns
        -------
        ndarray [shape=(..., *grid.shape)]
            The samples, rearranged; the same array if nothing has to be rearranged.

        Raises
        ------
        ValueError
            Samples of another shape, or a repeated longitude with other samples.
        """
        values = values if hasattr(values, "shape") else np.asarray(values)
        shape = len(self.lat), len(self.lon)
        if tuple(values.shape[-2:]) != shape:
            raise ValueError(
                f"values has shape {tuple(values.shape)}; expected (..., {shape[0]}, {shape[1]}), a row for "
                "each latitude and a column for each longitude"
            )
        if self._columns.repeated:
            from autograd.tracer import getval  # not needed to read files

            _check_repeated(getval(values), self.lon)
        values = _reordered(values, self._rows, -2)
        values = _reordered(values, self._columns.order, -1)
        if self.grid.rectangular:
            return values
        return values.reshape(*values.shape[:-2], *self.grid.shape)

    def from_grid(self, values: np.ndarray) -> np.ndarray:
        """Samples in the order of the latitudes and longitudes, the inverse of `to_grid`.

        Parameters
        ----------
        values : ndarray [shape=(..., *grid.shape)]
            Samples in the order of the grid.

        Returns
        -------
        ndarray [shape=(..., n_lat, n_lon)]
            The samples, rearranged; a longitude that occurs twice has the same samples twice.

        Raises
        ------
        ValueError
            Samples of another shape.
        """
        values = values if hasattr(values, "shape") else np.asarray(values)
        shape = tuple(self.grid.shape)
        if tuple(values.shape[-len(shape) :]) != shape:
            expected = ", ".join(map(str, shape))
            raise ValueError(f"values has shape {tuple(values.shape)}; expected (..., {expected})")
        if not self.grid.rectangular:
            values = values.reshape(*values.shape[:-1], len(self.lat), self._columns.n_phi)
        columns = np.argsort(self._columns.order)
        columns = np.append(columns, columns[0]) if self._columns.repeated else columns
        values = _reordered(values, np.argsort(self._rows), -2)
        return _reordered(values, columns, -1)


def _axis(x, name):
    """An axis in degrees, and the precision of its dtype."""
    values, precision = axes.degrees(x, name)
    if values.ndim != 1:
        raise ValueError(
            f"{name} has shape {values.shape}; expected a list of coordinates, one for each row or column of "
            "the map (for one latitude and longitude per sample, see spherekit.sampling.from_points)"
        )
    return values, precision


def _north_to_south(lat, lon):
    """The indices of the latitudes from north to south, after checks of the latitudes."""
    check_range(lat)
    rows = np.argsort(-lat, kind="stable")
    steps = np.diff(lat[rows])
    if not np.all(steps < 0):
        twice = lat[rows][int(np.argmax(steps >= 0))]
        raise ValueError(f"lat contains {twice:.7g} degrees twice; expected distinct latitudes")
    return rows


def check_range(lat):
    """Raise ValueError for latitudes that are not degrees from -90 to 90."""
    limit = 90 * (1 + 4e-7)  # float32
    if np.abs(lat).max() > limit:
        raise ValueError(
            f"lat ranges from {lat.min():.7g} to {lat.max():.7g}; expected latitudes from -90 to 90 degrees "
            "(lat = 90 - numpy.degrees(theta) for colatitudes); the arguments are lat, then lon"
        )
    if np.ptp(lat) > 0 and np.abs(lat).max() <= np.pi / 2 * (1 + 4e-7):
        raise ValueError(
            f"lat ranges from {lat.min():.7g} to {lat.max():.7g}, which are radians or a narrow band around "
            "the equator; expected degrees around the sphere: convert with numpy.degrees, or construct "
            "spherekit.sampling.Rings for the band"
        )


def grid_of_rows(lat, precision, columns):
    """The grid of latitudes from north to south and `axes.Columns`, and notes on it."""
    n, n_phi, phi0 = len(lat), columns.n_phi, columns.phi0
    limits = axes.tolerance(lat, precision, 180 / n)
    for rule in theorem_grids.RULES:
        if not (rule.equidistant or theorem_grids.is_nearly_gaussian(np.radians(90 - lat))):
            continue
        theta = rule.colatitudes(n)
        if theta is None:
            continue
        difference = np.abs(90 - np.degrees(theta) - lat)
        largest = limits.accumulated if rule.equidistant else 2 * limits.rounding  # also truncated
        if difference.max() <= largest and difference.min() <= limits.rounding:
            grid = rule.grid(n, n_phi, phi0)
            if grid is not None:
                return grid, ()
            return rule.rings(n, n_phi, phi0), (
                f"{n_phi} longitudes are too few for the sampling theorem of {n} rings ({rule.description}): "
                "rings, whose coefficients are fitted by least squares",
            )
    theta = np.clip(np.radians(90 - lat), 0, np.pi)
    return Rings(theta, n_phi, phi0), _ring_notes(lat)


def _row_notes(rows):
    if np.array_equal(rows, np.arange(len(rows))):
        return
    if np.array_equal(rows, np.arange(len(rows))[::-1]):
        yield "latitudes ascend: rows reversed, north first"
    else:
        yield "latitudes are not sorted: rows sorted, north first"


def _column_notes(lon, columns):
    order, n = columns.order, columns.n_phi
    if columns.repeated:
        yield "the last longitude repeats the first: column removed"
    steps = np.diff(order) % n
    first = f"the column at {lon[order[0]]:.7g} degrees first"
    if n > 2 and np.all(steps == n - 1):
        yield f"longitudes descend: columns reversed, {first}"
    elif not np.all(steps == 1):
        yield f"longitudes are not sorted: columns sorted, {first}"
    elif order[0]:
        yield f"longitudes start at {lon[0]:.7g} degrees: columns moved, {first}"


def _deviation_notes(columns):
    if columns.deviation > 360 / columns.n_phi / 1000:
        yield (
            f"longitudes differ by up to {columns.deviation:.2g} degrees from equidistant ones, within "
            "their rounding"
        )


def _ring_notes(lat):
    north, south = 90 - lat[0], 90 + lat[-1]
    widest = np.abs(np.diff(lat)).max(initial=0)
    yield "no sampling theorem has these latitudes: rings, whose coefficients are fitted by least squares"
    for gap, pole in ((north, "north"), (south, "south")):
        if gap > 2 * widest:
            yield f"there are no samples within {gap:.4g} degrees of the {pole} pole"


def _reordered(values, index, axis):
    """``values`` with the entries ``index`` of an axis, -2 or -1; a view where that is possible."""
    n = values.shape[axis]
    ascending = np.arange(len(index))
    if np.array_equal(index, ascending):
        index = slice(len(index))
        if len(ascending) == n:
            return values
    elif np.array_equal(index, ascending[::-1]) and len(index) == n:
        index = slice(None, None, -1)
    return values[..., index, :] if axis == -2 else values[..., index]


#: Units in the last place of the largest sample by which equal samples of two columns may differ.
_ROUNDING = 16


def _check_repeated(values, lon):
    """Raise ValueError if the last column differs from the first by more than rounding."""
    first, last = np.asarray(values[..., 0]), np.asarray(values[..., -1])
    differs = first != last
    if first.dtype.kind in "fc" and differs.any():
        with np.errstate(invalid="ignore"):
            limit = _ROUNDING * np.finfo(first.dtype).eps * _largest_samples(values)
            differs &= ~(np.abs(first - last) <= limit[..., None])
        differs &= ~(np.isnan(first) & np.isnan(last))
    if differs.any():
        where = tuple(int(i) for i in np.argwhere(differs)[0])
        raise ValueError(
            f"the last longitude, {lon[-1]:.7g} degrees, repeats the first, {lon[0]:.7g} degrees, but "
            f"{np.count_nonzero(differs)} of {differs.size} samples differ by more than rounding, such as "
            f"{first[where]} and {last[where]} in row {where[-1]}; remove one of the two columns"
        )


def _largest_samples(values):
    """The largest finite absolute value of each map."""
    size = np.abs(np.asarray(values))
    return np.max(size, axis=(-2, -1), initial=0, where=np.isfinite(size))
