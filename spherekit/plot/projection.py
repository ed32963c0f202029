"""Projection of signals on the sphere to a plane, as arrays."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.cache import bytes_lru_cache
from spherekit._core.missing import is_missing
from spherekit.plot import projection_formulas as planes
from spherekit.plot.signals import signal_of
from spherekit.sampling.coverage import unsampled_zones

if TYPE_CHECKING:
    from spherekit.sampling import Grid

PROJECTIONS = ("mollweide", "orthographic", "cartesian")
#: Largest cache of the directions of pixels, bytes; that of the nearest samples may be twice as large.
_MAX_CACHE_BYTES = 2**25


class Projection(NamedTuple):
    """A projected signal, as :func:`project` returns it.

    Row 0 is the bottom of the image, as for ``imshow(..., origin="lower")``.

    Attributes
    ----------
    x : ndarray [shape=(n_x,)]
        Horizontal pixel centers in the plane, in degrees ("cartesian") or in units of the half-height.
    y : ndarray [shape=(n_y,)]
        Vertical pixel centers, likewise.
    values : ndarray [shape=(n_y, n_x)], float64
        The signal; NaN outside the outline, where the sample is missing, and where a grid of rings has none:
        farther from the nearest ring than that is from the next one.
    theta : ndarray [shape=(n_y, n_x)]
        Colatitude of each pixel in radians; NaN outside the outline.
    phi : ndarray [shape=(n_y, n_x)]
        Longitude of each pixel in radians; NaN outside the outline.
    extent : tuple of float
        (left, right, bottom, top) of the image.
    outline : tuple of ndarray [shape=(n, 2)]
        Closed curves that bound the projection.
    projection : str
        Name of the projection.
    rot : (float, float)
        Longitude and latitude of the center, in degrees.
    flip : str
        "astro" or "geo".
    half : bool
        Whether only the near hemisphere is projected.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.plot import project
    >>> p = project(np.arange(48), "healpix:2", size=100)
    >>> p.values.shape, p.extent, p.projection
    ((50, 100), (-2.0, 2.0, -1.0, 1.0), 'mollweide')
    """

    x: np.ndarray
    y: np.ndarray
    values: np.ndarray
    theta: np.ndarray
    phi: np.ndarray
    extent: tuple
    outline: tuple
    projection: str
    rot: tuple
    flip: str
    half: bool


def project(
    f: ArrayLike,
    grid: Grid | str | None = None,
    *,
    projection: Literal["mollweide", "orthographic", "cartesian"] = "mollweide",
    rot: tuple[float, float] = (0.0, 0.0),
    size: int = 800,
    flip: Literal["astro", "geo"] | None = None,
    half: bool = False,
) -> Projection:
    """Project a real signal on the sphere to a plane, by the nearest sample of each pixel.

    Parameters
    ----------
    f : array_like [shape=grid.shape], real; Map; or DataArray
        One signal. Masked, NaN, inf and UNSEEN (-1.6375e30) samples become NaN.
    grid : Grid or str, optional
        The sampling grid, for example ``HEALPix(32)`` or ``"mw:64"``. Not needed for a `spherekit.io.Map`, a
        DataArray with latitudes and longitudes, and 12 nside^2 samples of HEALPix.
    projection : {"mollweide", "orthographic", "cartesian"}
        "orthographic" shows both hemispheres side by side, the right one seen from behind.
    rot : (float, float)
        Longitude and latitude of the center, in degrees or as astropy quantities.
    size : int
        Width of the image in pixels. The height is about half the width, or equal to it with ``half``.
    flip : {"astro", "geo"}, optional
        Longitude increases to the left ("astro", the sky seen from inside) or to the right ("geo", a globe).
        By default "geo" for maps in geographic or horizontal coordinates (``Map.frame``), else "astro".
    half : bool
        Orthographic projection only: project the near hemisphere only.

    Returns
    -------
    Projection

    Raises
    ------
    ValueError
        If the shape of ``f`` is not that of the grid, ``projection`` or ``flip`` is unknown, or ``rot`` or
        ``size`` is out of range.
    TypeError
        If ``f`` is complex or non-numeric, or ``rot`` or ``size`` has a wrong type.

    Notes
    -----
    The nearest sample, by great-circle distance, is searched among the nearest ones on the
    rings above and below the point. On HEALPix this shows the diamond-shaped pixels. Beyond a band of rings,
    such as those of a region, there is no signal: farther from it than the gap between its last rings.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.plot import project
    >>> from spherekit.sampling import HEALPix
    >>> grid = HEALPix(16)
    >>> p = project(np.cos(grid.theta), grid, size=200)
    >>> p.values.shape
    (100, 200)
    >>> bool(np.nanmax(np.abs(p.values - np.cos(p.theta))) < 0.1)
    True
    """
    signal = signal_of(f, grid)
    grid = signal.grid
    flip = signal.flip if flip is None else flip
    f = _as_signal(signal.samples, grid)
    rot, size = _check_view(projection, rot, size, flip, half)
    x, y, extent = planes.pixels(projection, size, half)
    theta, phi, samples = _lookup(grid, projection, rot, size, flip, half)
    values = f[samples]
    values[np.isnan(theta)] = np.nan
    for north, south in unsampled_zones(grid):
        values[(theta > north) & (theta < south)] = np.nan
    outline = planes.outline(projection, half)
    directions = theta.copy(), phi.copy()
    return Projection(x, y, values, *directions, extent, outline, projection, rot, flip, half)


def _bytes(arrays):
    return sum(array.nbytes for array in arrays)


@bytes_lru_cache(_MAX_CACHE_BYTES, _bytes)
def _directions(projection, rot, size, flip, half):
    """The angles (theta, phi) of the pixels of an image; NaN outside the outline."""
    x, y, _ = planes.pixels(projection, size, half)
    view = planes.unproject(projection, *np.meshgrid(x, y), half=half, flip=flip)
    return planes.angles(view @ planes.rotation(rot).T)


@bytes_lru_cache(2 * _MAX_CACHE_BYTES, _bytes)
def _lookup(grid, *view):
    """The `_directions` of the pixels, and the flat index of the nearest sample; 0 outside the outline."""
    theta, phi = _directions(*view)
    inside = np.isfinite(theta)
    largest = math.prod(grid.shape) - 1
    samples = np.zeros(theta.shape, np.result_type(np.int32, np.min_scalar_type(-largest)))
    samples[inside] = nearest_sample(grid, theta[inside], phi[inside])
    return theta, phi, samples


def graticule(p: Projection, *, step: tuple[float, float] = (60.0, 30.0)) -> list[np.ndarray]:
    """Meridians and parallels in the plane of a :class:`Projection`.

    Parameters
    ----------
    p : Projection
        The projection, as :func:`project` returns it.
    step : (float, float)
        Spacing of the meridians and of the parallels, in degrees.

    Returns
    -------
    list of ndarray [shape=(n, 2)]
        Curves in the plane, interrupted by rows of NaN where they are hidden or cross the edge.

    Raises
    ------
    ValueError
        If a step is not in (0, 360] (meridians) or (0, 90] (parallels).
    TypeError
        If ``step`` is not a pair of angles.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.plot import graticule, project
    >>> len(graticule(project(np.zeros(48), "healpix:2", size=20)))
    11
    """
    lon_step, lat_step = _degrees(step, "step", "(of meridians, of parallels)")
    if not (0 < lon_step <= 360 and 0 < lat_step <= 90):
        raise ValueError(f"step is {step}; expected degrees in (0, 360] and (0, 90]")
    curves = _graticule(p.projection, p.rot, p.flip, p.half, lon_step, lat_step)
    return [curve.copy() for curve in curves]


@lru_cache(maxsize=32)
def _graticule(projection, rot, flip, half, lon_step, lat_step):
    lat = np.linspace(-90, 90, 361)
    lon = np.linspace(-180, 180, 721)
    meridians = [(np.full(lat.size, v), lat) for v in np.arange(0, 360 - 1e-9, lon_step)]
    levels = np.arange(1, int(np.ceil(90 / lat_step - 1e-9))) * lat_step
    parallels = [(lon, np.full(lon.size, v)) for v in (*-levels[::-1], 0.0, *levels)]
    view = projection, rot, flip, half
    return [_project_points(*view, *curve) for curve in meridians + parallels]


def project_points(p, lon, lat):
    """Plane coordinates (n, 2) of points in degrees, with rows of NaN where a line is interrupted."""
    return _project_points(p.projection, p.rot, p.flip, p.half, lon, lat)


def _project_points(projection, rot, flip, half, lon, lat):
    sky = planes.vectors(np.pi / 2 - np.radians(lat), np.radians(lon))
    xy = planes.project(projection, sky @ planes.rotation(rot), half=half, flip=flip)
    half_width, _ = planes.bounds(projection, half)
    jump = np.abs(np.diff(xy[:, 0])) > half_width / 2  # from edge to edge
    if projection == "orthographic" and not half:
        jump |= np.diff(np.sign(xy[:, 0])) != 0  # from one disc to the other
    return np.insert(xy, np.flatnonzero(jump) + 1, np.nan, axis=0)


def nearest_sample(grid, theta, phi):
    """Flat index of the nearest sample of each point, on any grid of iso-latitude rings."""
    order = np.argsort(grid.ring_theta, kind="stable")
    rings = np.asarray(grid.ring_theta)[order]
    below = np.searchsorted(rings, theta)
    best = nearest = None
    for k in (np.maximum(below - 1, 0), np.minimum(below, rings.size - 1)):
        ring = order[k]
        n = np.asarray(grid.ring_n_phi)[ring]
        phi0 = np.asarray(grid.ring_phi0)[ring]
        j = np.rint((phi - phi0) * n / (2 * np.pi)).astype(np.int64) % n
        delta_phi = phi - (phi0 + 2 * np.pi * j / n)
        # 1 - cos(distance) = 2 sin^2(dtheta/2) + 2 sin(theta) sin(theta') sin^2(dphi/2)
        distance = np.sin((theta - rings[k]) / 2) ** 2
        distance += np.sin(theta) * np.sin(rings[k]) * np.sin(delta_phi / 2) ** 2
        index = np.asarray(grid.ring_start)[ring] + j
        best = index if best is None else np.where(distance < nearest, index, best)
        nearest = distance
    return best


def valid_samples(f):
    """True where a sample is valid: not NaN, inf or UNSEEN (in its real or imaginary part).

    >>> import numpy as np
    >>> valid_samples(np.array([1.0, np.nan, -1.6375e30]))
    array([ True, False, False])
    """
    return np.isfinite(f) & ~is_missing(f)


def plain_samples(f):
    """Real samples as float64, with NaN where they are masked or missing.

    >>> import numpy as np
    >>> plain_samples(np.ma.masked_equal([1, 2], 2))
    array([ 1., nan])
    """
    hint = "plot its values: show(f.value, ..., unit=str(f.unit))"
    if np.ma.isMaskedArray(f):
        mask = np.ma.getmaskarray(f)
        f = np.ma.getdata(f)
    else:
        mask = False
    f = np.asarray(checks.as_array(f, "the signal", hint))
    if f.dtype.kind == "c":
        raise TypeError("the signal is complex; plot f.real, f.imag or abs(f)")
    if f.dtype.kind not in "fiub":
        raise TypeError(f"the signal has dtype {f.dtype}; expected real numbers")
    f = f.astype(np.float64)
    return np.where(valid_samples(f) & np.logical_not(mask), f, np.nan)


def _as_signal(f, grid):
    """Flattened float64 samples, with NaN where they are missing."""
    f = plain_samples(f)
    if f.shape != grid.shape:
        raise ValueError(
            f"the signal has shape {f.shape}; expected {grid.shape} on the grid {grid!r}. Pass one signal, "
            "and the grid on which it is sampled"
        )
    return f.ravel()


def _check_view(projection, rot, size, flip, half):
    if projection not in PROJECTIONS:
        raise ValueError(f"projection must be one of {', '.join(PROJECTIONS)}; got {projection!r}")
    if flip not in ("astro", "geo"):
        raise ValueError(
            f"flip must be 'astro' (east to the left) or 'geo' (east to the right); got {flip!r}"
        )
    if half and projection != "orthographic":
        raise ValueError(f"half=True requires projection='orthographic'; got {projection!r}")
    size = checks.integer(size, "size", 2, hint="the width in pixels")
    rot = _degrees(rot, "rot", "(longitude, latitude)")
    if abs(rot[1]) > 90:
        raise ValueError(
            f"rot is {rot}; expected (longitude, latitude) in degrees, |latitude| <= 90"
        )
    return rot, size


def _degrees(pair, name, meaning):
    """Two angles in degrees as floats, converted from quantities."""
    expected = f"{meaning} in degrees"
    try:
        pair = tuple(pair)
    except TypeError:
        pair = (pair,)
    if len(pair) != 2:
        raise TypeError(f"{name} is {pair}; expected {expected}")
    return tuple(_angle(value, name, expected) for value in pair)


def _angle(value, name, expected):
    unit = checks.unit_of(value)
    if unit is not None:
        try:
            return float(np.degrees(checks.angles(value, name)))
        except ValueError:
            raise ValueError(f"{name} has {value} in {unit}; expected {expected}") from None
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    return checks.real_number(value, f"an angle of {name}", expected)
