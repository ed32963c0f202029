"""Signals on the sphere projected to a plane, as plain arrays."""

from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit._core.missing import is_missing
from spherekit.plot import projection_formulas as planes
from spherekit.sampling import grid as as_grid

PROJECTIONS = ("mollweide", "orthographic", "cartesian")


class Projection(NamedTuple):
    """A projected signal; row 0 is the bottom of the picture (``imshow(..., origin="lower")``).

    ``x`` (n_x,) and ``y`` (n_y,) are the pixel centres in the plane of the projection (degrees
    on "cartesian", else in units of the half-height); ``values`` (n_y, n_x) is the signal, NaN
    outside the outline and where the sample is missing; ``theta`` and ``phi`` (n_y, n_x) are the
    sky coordinates of each pixel in radians, NaN outside the outline only. ``extent`` is (left,
    right, bottom, top), ``outline`` a tuple of closed (n, 2) curves.
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


def project(f, grid, *, projection="mollweide", rot=(0.0, 0.0), size=800, flip="astro", half=False):
    """Project a real signal on the sphere: each pixel of the picture takes its nearest sample.

    Parameters
    ----------
    f : real ndarray [shape=grid.shape]
        One signal. Masked, NaN, inf and UNSEEN (-1.6375e30) samples come out as NaN.
    grid : Grid or str
        Where the samples lie, for example ``HEALPix(32)`` or ``"mw:64"``.
    projection : {"mollweide", "orthographic", "cartesian"}
        "orthographic" is two hemispheres side by side, the right one seen from behind.
    rot : (float, float)
        Longitude and latitude of the centre of the picture, in degrees, or quantities of angle.
    size : int
        Width of the picture in pixels; the height is about half of it, all of it with half=True.
    flip : {"astro", "geo"}
        Longitude increases to the left (sky seen from inside) or to the right (a globe).
    half : bool
        Orthographic only: the near hemisphere alone.

    Returns
    -------
    Projection

    Raises
    ------
    ValueError
        A shape that is not the grid's, an unknown projection or flip, a rot or size out of range.
    TypeError
        A complex signal; one that does not consist of numbers; a rot or size of another kind.

    Notes
    -----
    The nearest sample is the nearer of the two nearest samples on the rings above and below
    the point, by great-circle distance: on HEALPix this draws the diamond-shaped pixels.

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
    grid = as_grid(grid)
    f = _as_signal(f, grid)
    rot, size = _check_view(projection, rot, size, flip, half)
    x, y, extent = planes.pixels(projection, size, half)
    view = planes.unproject(projection, *np.meshgrid(x, y), half=half, flip=flip)
    theta, phi = planes.angles(view @ planes.rotation(rot).T)
    inside = np.isfinite(theta)
    values = np.full(theta.shape, np.nan)
    values[inside] = f[nearest_sample(grid, theta[inside], phi[inside])]
    outline = planes.outline(projection, half)
    return Projection(x, y, values, theta, phi, extent, outline, projection, rot, flip, half)


def graticule(p, *, step=(60.0, 30.0)):
    """Meridians and parallels of the sky in the plane of a :class:`Projection`.

    Parameters
    ----------
    p : Projection
    step : (float, float)
        Spacing of the meridians and of the parallels, in degrees.

    Returns
    -------
    list of ndarray [shape=(n, 2)]
        Curves; NaN rows break them where they leave the picture or cross its edge.

    Examples
    --------
    >>> from spherekit.plot import graticule, project
    >>> import numpy as np
    >>> len(graticule(project(np.zeros(48), "healpix:2", size=20)))
    11
    """
    lon_step, lat_step = _degrees(step, "step", "(of meridians, of parallels)")
    if not (0 < lon_step <= 360 and 0 < lat_step <= 90):
        raise ValueError(f"step is {step}; expected degrees in (0, 360] and (0, 90]")
    lat = np.linspace(-90, 90, 361)
    lon = np.linspace(-180, 180, 721)
    meridians = [(np.full(lat.size, v), lat) for v in np.arange(0, 360 - 1e-9, lon_step)]
    levels = np.arange(1, int(np.ceil(90 / lat_step - 1e-9))) * lat_step
    parallels = [(lon, np.full(lon.size, v)) for v in (*-levels[::-1], 0.0, *levels)]
    return [project_points(p, *curve) for curve in meridians + parallels]


def project_points(p, lon, lat):
    """Plane coordinates (n, 2) of sky points in degrees; NaN rows where a line must break."""
    sky = planes.vectors(np.pi / 2 - np.radians(lat), np.radians(lon))
    xy = planes.project(p.projection, sky @ planes.rotation(p.rot), half=p.half, flip=p.flip)
    jump = np.abs(np.diff(xy[:, 0])) > (p.extent[1] - p.extent[0]) / 4  # from edge to edge
    if p.projection == "orthographic" and not p.half:
        jump |= np.diff(np.sign(xy[:, 0])) != 0  # from one disc to the other
    return np.insert(xy, np.flatnonzero(jump) + 1, np.nan, axis=0)


def nearest_sample(grid, theta, phi):
    """Flat index of the sample nearest to each point, on any grid made of iso-latitude rings."""
    order = np.argsort(grid.ring_theta, kind="stable")
    rings = np.asarray(grid.ring_theta)[order]
    below = np.searchsorted(rings, theta)
    best = nearest = None
    for k in (np.maximum(below - 1, 0), np.minimum(below, rings.size - 1)):
        ring = order[k]
        n = np.asarray(grid.ring_n_phi)[ring]
        phi0 = np.asarray(grid.ring_phi0)[ring]
        j = np.rint((phi - phi0) * n / (2 * np.pi)).astype(np.int64) % n
        apart = phi - (phi0 + 2 * np.pi * j / n)
        # 1 - cos(distance) = 2 sin^2(dtheta/2) + 2 sin(theta) sin(theta') sin^2(dphi/2)
        far = np.sin((theta - rings[k]) / 2) ** 2
        far += np.sin(theta) * np.sin(rings[k]) * np.sin(apart / 2) ** 2
        index = np.asarray(grid.ring_start)[ring] + j
        best = index if best is None else np.where(far < nearest, index, best)
        nearest = far
    return best


def valid_samples(f):
    """True where a sample is a number: not NaN, inf or UNSEEN (in either part if complex).

    >>> import numpy as np
    >>> valid_samples(np.array([1.0, np.nan, -1.6375e30]))
    array([ True, False, False])
    """
    return np.isfinite(f) & ~is_missing(f)


def plain_samples(f):
    """Real samples as float64, NaN where they are masked or missing.

    >>> import numpy as np
    >>> plain_samples(np.ma.masked_equal([1, 2], 2))
    array([ 1., nan])
    """
    unit = "draw its values: show(f.value, ..., unit=str(f.unit))"
    if np.ma.isMaskedArray(f):
        mask, f = np.ma.getmaskarray(f), np.ma.getdata(f)
    else:
        mask = False
    f = np.asarray(checks.as_array(f, "the signal", unit))
    if f.dtype.kind == "c":
        raise TypeError("the signal is complex; draw f.real, f.imag or abs(f)")
    if f.dtype.kind not in "fiub":
        raise TypeError(f"the signal has dtype {f.dtype}; expected real numbers")
    f = f.astype(np.float64)
    return np.where(valid_samples(f) & ~mask, f, np.nan)


def _as_signal(f, grid):
    """The flattened float64 samples with NaN where they are missing."""
    f = plain_samples(f)
    if f.shape != grid.shape:
        raise ValueError(
            f"the signal has shape {f.shape}; the grid {grid} has {grid.shape}. "
            "Draw one signal at a time, and name the grid that it was sampled on"
        )
    return f.ravel()


def _check_view(projection, rot, size, flip, half):
    if projection not in PROJECTIONS:
        raise ValueError(f"projection is {projection!r}; expected one of {', '.join(PROJECTIONS)}")
    if flip not in ("astro", "geo"):
        raise ValueError(f"flip is {flip!r}; expected 'astro' (east to the left) or 'geo'")
    if half and projection != "orthographic":
        raise ValueError(f"half=True is for projection='orthographic', not {projection!r}")
    size = checks.integer(size, "size", 2, hint="the width in pixels")
    rot = _degrees(rot, "rot", "(longitude, latitude)")
    if abs(rot[1]) > 90:
        raise ValueError(
            f"rot is {rot}; expected (longitude, latitude) in degrees, |latitude| <= 90"
        )
    return rot, size


def _degrees(pair, name, words):
    """Two angles in degrees, as floats; quantities are converted."""
    expected = f"{words} in degrees"
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
