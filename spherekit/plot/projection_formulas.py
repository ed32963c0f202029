"""Formulas of the map projections and of their inverses.

They relate the plane of the projection to unit vectors in the *view frame*, whose x axis points to the
center of the image, y to its east and z to its north. A rotation relates the view frame to the sky. Snyder
1987, "Map Projections: A Working Manual", USGS Professional Paper 1395: chapters 20 (orthographic) and 31
(Mollweide).
"""

import numpy as np

GAP = 1.04  # distance of an orthographic disc's center from that of the image, in radii


def bounds(projection, half):
    """Half the width and half the height of the image."""
    if projection == "mollweide":
        return 2.0, 1.0
    if projection == "cartesian":
        return 180.0, 90.0
    return (1.0, 1.0) if half else (1.0 + GAP, 1.0)


def pixels(projection, size, half):
    """Pixel centers along both axes, and the extent (left, right, bottom, top)."""
    w, h = bounds(projection, half)
    n_y = max(1, round(size * h / w))
    x = ((np.arange(size) + 0.5) * 2 / size - 1) * w
    y = ((np.arange(n_y) + 0.5) * 2 / n_y - 1) * h
    return x, y, (-w, w, -h, h)


def _east(flip):
    return -1.0 if flip == "astro" else 1.0


def unproject(projection, x, y, *, half, flip):
    """Unit vectors (..., 3) in the view frame of points in the plane; NaN outside the outline."""
    if projection == "orthographic":
        front = np.ones_like(x, dtype=bool) if half else x < 0
        x = x if half else np.where(front, x + GAP, x - GAP)
        depth2 = 1 - x**2 - y**2
        depth = np.sqrt(np.where(depth2 >= 0, depth2, np.nan))
        side = np.where(front, 1.0, -1.0)  # east and west are exchanged on the far side
        view = np.stack([side * depth, side * _east(flip) * x, y], axis=-1)
        view[np.isnan(depth)] = np.nan
        return view
    if projection == "cartesian":
        return vectors(np.radians(90 - y), np.radians(_east(flip) * x))
    t = np.arcsin(y)
    c = np.cos(t)
    lon = np.pi * x / (2 * np.where(c > 0, c, 1.0))
    lon = np.where(np.abs(lon) <= np.pi, lon, np.nan) * _east(flip)
    z = np.clip((2 * t + np.sin(2 * t)) / np.pi, -1, 1)
    return vectors(np.arccos(z), lon) + 0 * lon[..., None]


def project(projection, v, *, half, flip):
    """Plane coordinates (n, 2) of unit vectors in the view frame; NaN where they are hidden."""
    if projection == "orthographic":
        front = v[:, 0] >= 0
        x = _east(flip) * v[:, 1] * np.where(front, 1, -1)
        if half:
            return np.where(front[:, None], np.stack([x, v[:, 2]], axis=-1), np.nan)
        return np.stack([x + np.where(front, -GAP, GAP), v[:, 2]], axis=-1)
    theta = np.arccos(np.clip(v[:, 2], -1, 1))
    lon = _east(flip) * np.arctan2(v[:, 1], v[:, 0])
    if projection == "cartesian":
        return np.stack([np.degrees(lon), 90 - np.degrees(theta)], axis=-1)
    t = _mollweide_angle(np.pi / 2 - theta)
    return np.stack([2 / np.pi * lon * np.cos(t), np.sin(t)], axis=-1)


def _mollweide_angle(lat):
    """Solve 2t + sin(2t) = pi sin(lat) by Newton's method (Snyder, eq. 31-6)."""
    t = lat.copy()
    for _ in range(60):
        slope = np.maximum(2 + 2 * np.cos(2 * t), 1e-12)
        t = np.clip(
            t - (2 * t + np.sin(2 * t) - np.pi * np.sin(lat)) / slope, -np.pi / 2, np.pi / 2
        )
    return t


def outline(projection, half):
    """Closed curves (n, 2) that bound the projection."""
    w, h = bounds(projection, half)
    if projection == "cartesian":
        return (np.array([(-w, -h), (w, -h), (w, h), (-w, h), (-w, -h)]),)
    a = np.linspace(0, 2 * np.pi, 361)
    circle = np.stack([np.cos(a), np.sin(a)], axis=-1)
    if projection == "mollweide":
        return (circle * (2, 1),)
    if half:
        return (circle,)
    return (circle - (GAP, 0), circle + (GAP, 0))


def rotation(rot):
    """The rotation matrix from the view frame to the sky."""
    lon, lat = np.radians(rot)
    cl, sl, cb, sb = np.cos(lon), np.sin(lon), np.cos(lat), np.sin(lat)
    return np.array([[cl * cb, -sl, -cl * sb], [sl * cb, cl, -sl * sb], [sb, 0, cb]])


def vectors(theta, phi):
    """Unit vectors (..., 3) of spherical coordinates."""
    s = np.sin(theta)
    return np.stack([s * np.cos(phi), s * np.sin(phi), np.cos(theta) + 0 * s], axis=-1)


def angles(v):
    """Spherical coordinates (theta, phi) of vectors."""
    theta = np.arctan2(np.hypot(v[..., 0], v[..., 1]), v[..., 2])
    return theta, np.arctan2(v[..., 1], v[..., 0]) % (2 * np.pi)
