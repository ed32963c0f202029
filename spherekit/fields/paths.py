"""Values of a field along a path: at points, or on great circles between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import autograd.numpy as anp
import numpy as np
from numpy.typing import ArrayLike

from spherekit import harmonic
from spherekit._core import checks
from spherekit.fields.analysis import analyze, checked_options, default_band_limit, is_real
from spherekit.fields.labels import labeled
from spherekit.fields.signals import signals_of
from spherekit.io import Map
from spherekit.linear import is_traced
from spherekit.sampling import Grid, LatLon

if TYPE_CHECKING:
    import xarray

#: Largest number of points of a path.
_MAX_POINTS = 10_000_000


class Path(NamedTuple):
    """Points of a path on the sphere, from `great_circles`.

    Attributes
    ----------
    theta, phi : ndarray [shape=(n,)]
        Colatitudes in [0, pi] and longitudes in [0, 2 pi), radians.
    distance : ndarray [shape=(n,)]
        Angular distance from the first point along the path, radians.
    bearing : ndarray [shape=(n,)]
        The direction of the path at each point, radians from north to east, in (-pi, pi]: of the segment that
        begins there; at the last point of the one that ends there. The component of a wind along the path is
        v cos(bearing) + u sin(bearing), that to its right u cos(bearing) - v sin(bearing).

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import fields
    >>> path = fields.great_circles([(np.pi / 2, 0), (np.pi / 2, 1)], n_points=3)
    >>> np.degrees(path.bearing).round(6).tolist()
    [90.0, 90.0, 90.0]
    """

    theta: np.ndarray
    phi: np.ndarray
    distance: np.ndarray
    bearing: np.ndarray


def great_circles(
    waypoints: ArrayLike, *, step: float | None = None, n_points: int | None = None
) -> Path:
    """Points on the great circles between waypoints.

    Parameters
    ----------
    waypoints : array_like [shape=(n, 2)] or quantity, radians
        Colatitude in [0, pi] and longitude of each waypoint, n >= 2.
    step : float or quantity, radians
        Largest distance between points: every segment is divided into equal steps of at most that.
    n_points : int
        Number of points, >= 2, instead of ``step``: equally spaced along the path, both ends included. With
        neither of them, the waypoints.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        Waypoints of another shape, the same twice in succession, or opposite to each other; colatitudes
        outside [0, pi]; NaN; a step that is not positive, or 10 000 000 points; both step and n_points.
    TypeError
        A number of points that is not an integer; a quantity that is not an angle.

    See Also
    --------
    along : the values of a field at these points.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import fields
    >>> path = fields.great_circles([(0.5, 0.0), (0.5, np.pi)], step=0.25)  # over the pole
    >>> path.theta.round(6).tolist(), path.distance.round(6).tolist()
    ([0.5, 0.25, 0.0, 0.25, 0.5], [0.0, 0.25, 0.5, 0.75, 1.0])
    """
    ends = _unit_vectors(waypoints)
    lengths = _angles(ends[:-1], ends[1:])
    _check_segments(lengths)
    if step is not None and n_points is not None:
        raise ValueError("step and n_points are given; expected one of them")
    if n_points is not None:
        n_points = checks.integer(n_points, "n_points", 2, _MAX_POINTS)
        segments, fractions = _equally_spaced(lengths, n_points)
    else:
        segments, fractions = _by_steps(lengths, step)
    points, tangents = _on_segments(ends, lengths, segments, fractions)
    x, y, z = points.T
    theta = np.arctan2(np.hypot(x, y), z)
    phi = np.arctan2(y, x) % (2 * np.pi)
    east = np.stack([-np.sin(phi), np.cos(phi), 0 * phi])
    north = -np.stack([np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), -np.sin(theta)])
    bearing = np.arctan2((tangents.T * east).sum(axis=0), (tangents.T * north).sum(axis=0))
    starts = np.concatenate([[0.0], np.cumsum(lengths)])
    return Path(theta, phi, starts[segments] + fractions * lengths[segments], bearing)


def along(
    f: ArrayLike | Map | xarray.DataArray,
    path: Path | ArrayLike,
    *,
    step: float | None = None,
    n_points: int | None = None,
    L: int | None = None,
    spin: int | None = None,
    sampling: Grid | LatLon | str | None = None,
    method: Literal["quadrature", "lsq", "jacobi"] | None = None,
    max_iter: int = 100,
    allow_unconverged: bool = False,
    threads: int | None = None,
) -> np.ndarray | xarray.DataArray | xarray.Dataset:
    """The values of a field along a path.

    The field is analyzed, and evaluated at the points exactly, without interpolation between samples. Spin
    fields have the components of the local frame of each point, as on grids: of a wind -v + i u, u to the
    east and v to the north (at a pole, along the meridian ``phi`` of the point). `Path.bearing` turns them
    into components along and across the path.

    Parameters
    ----------
    f : array_like [shape=(..., \\*grid.shape)], Map, DataArray or Dataset
        Samples; a spin field as complex numbers. In a `Map`, Q and U are a field of spin 2, and the
        components u and v of a wind the field -v + i u of spin 1 (see `smooth`).
    path : Path or array_like [shape=(n, 2)], radians
        A path from `great_circles`, or its waypoints: colatitudes and longitudes.
    step, n_points : optional
        Of `great_circles`, for waypoints. With neither of them, the values at the waypoints.
    L : int, optional
        Band-limit: degrees 0..L-1. By default that of the grid; on HEALPix 5/2 nside.
    spin : int, optional
        The spin of the field; by default 0 for arrays, and as described above for a `Map`.
    sampling : Grid, LatLon or str, optional
        The grid of an array, its latitudes and longitudes, or the name of its grid.
    method : {"quadrature", "lsq", "jacobi"}, optional
        Method of the analysis (see `spherekit.analyse`). By default quadrature on grids with a sampling
        theorem, else lsq.
    max_iter : int
        Largest number of iterations of lsq and jacobi.
    allow_unconverged : bool
        Accept a fit that has not converged then. By default an error.
    threads : int, optional
        Number of threads. The result does not depend on it.

    Returns
    -------
    ndarray [shape=(..., n_points)], DataArray or Dataset
        For an array or a `Map` an array, with the leading axes of the values. For a DataArray or Dataset the
        same kind, with the dimension ``distance`` (radians) instead of latitude and longitude, which are
        coordinates along it. Arrays on grids with a sampling theorem, and with ``method="quadrature"``, are
        differentiable.

    Raises
    ------
    ValueError
        An invalid path; missing samples; a grid coarser than L; a fit that has not converged.
    TypeError
        ``sampling`` missing for an array or passed with a `Map`; arguments of other types.
    MemoryError
        The problem does not fit into memory.

    See Also
    --------
    spherekit.evaluate : values at points, from coefficients.

    Examples
    --------
    A meridian of z = cos(theta):

    >>> import numpy as np
    >>> from spherekit import fields, sampling
    >>> f = np.cos(sampling.MW(16).theta)[:, None] * np.ones((16, 31))
    >>> values = fields.along(f, [(0.0, 1.0), (np.pi / 2, 1.0)], n_points=4, sampling="mw:16")
    >>> (values.round(6) + 0.0).tolist()
    [1.0, 0.866025, 0.5, 0.0]
    """
    if not isinstance(path, Path):
        path = great_circles(path, step=step, n_points=n_points)
    elif step is not None or n_points is not None:
        raise ValueError("step or n_points is given with a Path; pass waypoints, or omit them")
    L = None if L is None else checks.band_limit(L)
    max_iter = checks.integer(max_iter, "max_iter", 1)
    options = checked_options(method, max_iter, threads, None, allow_unconverged)
    if type(f).__module__.split(".")[0] == "xarray":
        return _of_xarray(f, path, lambda record: _of_map(record, path, L, spin, options))
    if isinstance(f, Map):
        if sampling is not None:
            raise TypeError("sampling is passed with a Map, which has its grid; omit it")
        return _of_map(f, path, L, spin, options)
    values, grid, _ = labeled(f, sampling, L)
    return _of_array(values, path, L, 0 if spin is None else spin, grid, options, "f")


def _of_array(f, path, L, spin, grid, options, name):
    """Values of samples of one spin."""
    L = checks.band_limit(default_band_limit(grid) if L is None else L)
    spin = checks.spin_number(spin, L)
    flm, _ = analyze(f, L, grid, spin, options, name)
    if not is_traced(flm):
        flm = flm.astype(checks.result_type(False, checks.is_single(f)), copy=False)
    values = harmonic.evaluate(flm, path.theta, path.phi, spin=spin, threads=options.threads)
    return anp.real(values) if is_real(f, spin) else values


def _of_map(record, path, L, spin, options):
    """Values of the fields of a map [shape=(fields, *axes, n)]; of a single field without the first axis."""
    results = [None] * len(record)
    for signal in signals_of(record, spin):
        values = _of_array(signal.values, path, L, signal.spin, record.grid, options, signal.name)
        components = (values,)
        if signal.is_wind:
            components = values.imag, -values.real
        elif len(signal.indices) == 2:
            components = values.real, values.imag
        for index, component in zip(signal.indices, components, strict=True):
            results[index] = component
    return np.stack(results) if len(results) > 1 else results[0]


def _of_xarray(data, path, evaluate):
    """Values of the variables on the sphere, on the dimension distance."""
    import xarray

    from spherekit.io.xarray_conversion import maps_of

    degrees = {"units": "degrees_north"}, {"units": "degrees_east"}
    coordinates = {
        "distance": ("distance", path.distance, {"units": "radian", "long_name": "distance"}),
        "lat": ("distance", 90 - np.degrees(path.theta), degrees[0]),
        "lon": ("distance", np.degrees(path.phi), degrees[1]),
    }
    arrays = {}
    for record in maps_of(data):
        values = evaluate(record)
        for i, name in enumerate(record.names):
            source = data if isinstance(data, xarray.DataArray) else data[name]
            axes = {axis: source.coords[axis] for axis in record.axes if axis in source.coords}
            arrays[name] = xarray.DataArray(
                values[i] if len(record) > 1 else values,
                {**axes, **coordinates},
                (*record.axes, "distance"),
                attrs=source.attrs,
            )
    if isinstance(data, xarray.DataArray):
        return next(iter(arrays.values())).rename(data.name)
    return xarray.Dataset(arrays, attrs=data.attrs)


def _unit_vectors(waypoints):
    """Unit vectors of waypoints [shape=(n, 3)]."""
    waypoints = checks.angles(waypoints, "path")
    if waypoints.ndim != 2 or waypoints.shape[1] != 2 or len(waypoints) < 2:
        raise ValueError(
            f"path has shape {waypoints.shape}; expected (n, 2), the colatitude and longitude of at least "
            "two waypoints"
        )
    theta = checks.colatitudes(waypoints[:, 0], "the colatitude of path")
    phi = waypoints[:, 1]
    sine = np.sin(theta)
    return np.stack([sine * np.cos(phi), sine * np.sin(phi), np.cos(theta)], axis=-1)


def _angles(a, b):
    """The angles between unit vectors."""
    return np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (a * b).sum(axis=-1))


def _check_segments(lengths):
    """Raise ValueError for waypoints between which there is no great circle, or more than one."""
    for number, length in enumerate(lengths):
        if length < 1e-14 or length > np.pi - 1e-9:
            relation = "the same" if length < 1 else "opposite to each other"
            raise ValueError(
                f"the waypoints {number} and {number + 1} of path are {relation}; expected points that one "
                "great circle connects"
            )


def _equally_spaced(lengths, n_points):
    """The segment of each of n points, and the fraction of the segment before it."""
    starts = np.concatenate([[0.0], np.cumsum(lengths)])
    distances = starts[-1] * np.arange(n_points) / (n_points - 1)
    segments = np.clip(np.searchsorted(starts, distances, side="right") - 1, 0, len(lengths) - 1)
    return segments, np.clip((distances - starts[segments]) / lengths[segments], 0, 1)


def _by_steps(lengths, step):
    """The same of points at most ``step`` apart; without it of the waypoints."""
    counts = np.ones(len(lengths), int)
    if step is not None:
        step = float(checks.angles(step, "step"))
        if not step > 0 or lengths.sum() / step > _MAX_POINTS:
            raise ValueError(
                f"step is {step!r}; expected a positive angle, in radians, such that there are at most "
                f"{_MAX_POINTS} points"
            )
        counts = np.ceil(lengths / step * (1 - 1e-12)).astype(int)
    segments = np.repeat(np.arange(len(lengths)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    fractions = (np.arange(counts.sum()) - first) / counts[segments]
    return np.append(segments, len(lengths) - 1), np.append(fractions, 1.0)


def _on_segments(ends, lengths, segments, fractions):
    """(unit vectors of points, unit tangents) on the great circles of segments."""
    a = ends[segments]
    sideways = ends[segments + 1] - np.cos(lengths[segments])[:, None] * a
    direction = sideways / np.linalg.norm(sideways, axis=-1, keepdims=True)
    angle = (fractions * lengths[segments])[:, None]
    points = np.cos(angle) * a + np.sin(angle) * direction
    return points, np.cos(angle) * direction - np.sin(angle) * a
