"""Arrows of a wind and contour lines, over a map of `spherekit.plot.show` of the same view."""

import numpy as np

from spherekit.plot import projection_formulas as planes
from spherekit.plot.projection import nearest_sample, project

#: Distance of arrows, and their length at the 95th percentile of speed, in half-heights of the map.
_SPACING, _LENGTH = 0.1, 0.13
#: Columns of the image on which contour lines are found.
_COLUMNS = 800


def arrows(
    ax, u, v, grid, *, unit="m/s", threshold=0.0, projection="mollweide", rot=(0.0, 0.0), flip="geo"
):
    """Draw the arrows of a wind, at positions evenly spaced in the plane, and an arrow of the scale.

    The direction of an arrow is that of the wind in the projection, and its length is proportional to the
    speed.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes of `spherekit.plot.show`.
    u, v : ndarray [shape=grid.shape]
        Eastward and northward component.
    grid : Grid
    unit : str
        Of the label of the scale.
    threshold : float
        The speed whose arrows are at most of the typical length, such as that of rounding errors.
    projection, rot, flip
        As of `spherekit.plot.show`.
    """
    view = projection, rot, flip
    xy, theta, phi = _positions(*view)
    nearest = nearest_sample(grid, theta, phi)
    u, v = (np.ravel(x)[nearest] for x in (u, v))
    speed = np.hypot(u, v)
    direction = _directions(xy, theta, phi, u, v, *view)
    drawn = np.isfinite(direction).all(axis=1) & (speed > 0)
    if not drawn.any() or speed.max() < 0.1 * threshold:
        return
    _, half_height = planes.bounds(projection, False)
    largest = max(np.percentile(speed[drawn], 95) or speed.max(), threshold)
    scale = largest / (_LENGTH * half_height)
    vectors = direction * speed[:, None]
    drawn &= _is_inside(xy, vectors / scale, projection, flip)
    vectors = vectors[drawn]
    style = dict(color="0.1", scale=scale, scale_units="xy", width=0.0016, zorder=2.5)
    style |= dict(headwidth=3.6, headlength=4.2, headaxislength=3.8, minlength=0.4)
    quiver = ax.quiver(*xy[drawn].T, *vectors.T, pivot="middle", **style)
    length = _round_number(largest)
    label = f"{length:g} {unit}".strip()
    key = dict(labelpos="E", coordinates="axes", fontproperties={"size": "small"}, labelsep=0.05)
    beside = 1.05 if projection == "cartesian" else 0.02  # a map that fills its axes
    ax.quiverkey(quiver, 0.88, beside, length, label, **key)


def _round_number(x):
    """The largest of 1, 2 and 5 times a power of ten that is at most x.

    >>> _round_number(37), _round_number(0.6)
    (20.0, 0.5)
    """
    power = 10.0 ** np.floor(np.log10(x))
    return float(max(factor for factor in (1, 2, 5) if factor * power <= x * (1 + 1e-9)) * power)


def _positions(projection, rot, flip):
    """Positions in the plane (n, 2), in rows of which every second one is shifted, and their angles."""
    width, height = planes.bounds(projection, False)
    step = _SPACING * height
    rows = np.arange(-height + step / 2, height, step * np.sqrt(3) / 2)
    x = np.arange(-width, width + step, step)
    xy = np.stack(np.meshgrid(x, rows), axis=-1)
    xy[::2, :, 0] += step / 2
    xy = xy.reshape(-1, 2)
    xy = xy[(np.abs(xy) <= (width, height)).all(axis=1)]
    view = planes.unproject(projection, *xy.T, half=False, flip=flip)
    inside = np.isfinite(view).all(axis=1)
    theta, phi = planes.angles(view[inside] @ planes.rotation(rot).T)
    return xy[inside], theta, phi


def _directions(xy, theta, phi, u, v, projection, rot, flip):
    """Unit vectors (n, 2) in the plane along a wind; NaN where that crosses the edge of the map."""
    position = planes.vectors(theta, phi)
    east = np.stack([-np.sin(phi), np.cos(phi), 0 * phi], axis=-1)
    north = np.cross(position, east)
    wind = u[:, None] * east + v[:, None] * north
    small = 1e-4 / np.maximum(np.hypot(u, v), np.finfo(float).tiny)
    ends = position + wind * small[:, None]
    ends /= np.linalg.norm(ends, axis=1, keepdims=True)
    rotated = ends @ planes.rotation(rot)
    vectors = planes.project(projection, rotated, half=False, flip=flip) - xy
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    _, height = planes.bounds(projection, False)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((lengths > 0) & (lengths < 0.1 * height), vectors / lengths, np.nan)


def _is_inside(xy, vectors, projection, flip):
    """Whether both ends of vectors (n, 2), whose middles are ``xy``, are on the map."""
    ends = (
        planes.unproject(projection, *(xy + s * vectors).T, half=False, flip=flip)
        for s in (-0.5, 0.5)
    )
    width, height = planes.bounds(projection, False)
    with np.errstate(invalid="ignore"):
        is_on_plane = (np.abs(xy) + np.abs(vectors) / 2 <= (width, height)).all(axis=1)
        return is_on_plane & np.all([np.isfinite(end).all(axis=1) for end in ends], axis=0)


def contours(ax, f, grid, *, levels=16, projection="mollweide", rot=(0.0, 0.0), flip="geo"):
    """Draw contour lines of a smooth field on a rectangular grid, dashed where it is negative.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes of `spherekit.plot.show`.
    f : ndarray [shape=grid.shape]
    grid : Grid
    levels : int or sequence of float
        The number of lines, at most, or the values.
    projection, rot, flip
        As of `spherekit.plot.show`.
    """
    p = project(f, grid, projection=projection, rot=rot, flip=flip, size=_COLUMNS)
    values = _interpolated(np.asarray(f, float), grid, p.theta, p.phi)
    style = dict(colors="0.15", linewidths=0.5, alpha=0.8, zorder=2.5)
    ax.contour(p.x, p.y, np.ma.masked_invalid(values), levels, **style)


def _interpolated(f, grid, theta, phi):
    """Values at points, bilinear in theta and phi; NaN where theta is NaN."""
    row, in_row = _cells(theta, grid.theta)
    n = grid.shape[1]
    column = np.where(np.isfinite(phi), (phi - grid.phi[0]) % (2 * np.pi) * n / (2 * np.pi), 0)
    first = column.astype(np.intp) % n
    fraction = column - np.floor(column)
    second = (first + 1) % n
    upper, lower = (
        f[rows, first] * (1 - fraction) + f[rows, second] * fraction for rows in (row, row + 1)
    )
    return np.where(np.isfinite(theta), upper * (1 - in_row) + lower * in_row, np.nan)


def _cells(theta, rings):
    """(ring above each point, fraction of the way to the next one); beyond the last ring, its value."""
    clipped = np.clip(np.where(np.isfinite(theta), theta, rings[0]), rings[0], rings[-1])
    row = np.clip(np.searchsorted(rings, clipped, side="right") - 1, 0, len(rings) - 2)
    return row, (clipped - rings[row]) / (rings[row + 1] - rings[row])
