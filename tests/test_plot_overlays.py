"""Arrows of winds and contour lines over maps: directions, lengths, and positions of lines."""

import numpy as np
import pytest

from spherekit.plot import overlays, show
from spherekit.plot.figure import figure
from spherekit.sampling import HEALPix, grid

GRIDS = [grid("mwss", 36), grid("gl", 36), HEALPix(16)]


def axes_with_map(f, on, **view):
    ax = figure(6, 4).add_subplot()
    return show(f, on, ax=ax, colorbar=False, **view)


def arrows_of(u, v, on, **view):
    """Positions and vectors of the arrows of a wind with these components everywhere."""
    samples = [np.full(on.shape, float(x)) for x in (u, v)]
    ax = axes_with_map(samples[0], on, flip=view.get("flip", "geo"))
    overlays.arrows(ax, *samples, on, **view)
    quiver = ax.collections[0]
    return np.asarray(quiver.get_offsets()), np.stack([quiver.U, quiver.V], axis=-1)


@pytest.mark.parametrize("on", GRIDS, ids=str)
@pytest.mark.parametrize("projection", ["mollweide", "orthographic", "cartesian"])
@pytest.mark.parametrize("flip", ["geo", "astro"])
def test_winds_blow_where_they_go(on, projection, flip):
    """Near the center of the map; the length is the speed."""
    center = dict(mollweide=(0, 0), orthographic=(-1.04, 0), cartesian=(0, 0))[projection]
    width = 30 if projection == "cartesian" else 0.3
    east = 1 if flip == "geo" else -1
    for u, v in ((3, 0), (0, 3), (-2, 2)):
        xy, vectors = arrows_of(u, v, on, projection=projection, flip=flip)
        np.testing.assert_allclose(np.hypot(*vectors.T), np.hypot(u, v), rtol=1e-12)
        near = np.hypot(*(xy - center).T) < width
        assert near.sum() > 5
        direction = np.sign(np.round(vectors[near].mean(axis=0), 1))
        assert tuple(direction) == (east * np.sign(u), np.sign(v))


@pytest.mark.parametrize("projection", ["mollweide", "orthographic", "cartesian"])
def test_arrows_are_on_the_map(projection):
    xy, _ = arrows_of(1, 1, GRIDS[0], projection=projection, rot=(100.0, 40.0))
    assert len(xy) > 300
    if projection == "mollweide":
        assert (np.hypot(xy[:, 0] / 2, xy[:, 1]) < 1).all()


def test_the_scale_is_a_round_number():
    on = GRIDS[0]
    ax = axes_with_map(np.zeros(on.shape), on)
    overlays.arrows(ax, np.full(on.shape, 37.0), np.zeros(on.shape), on)
    labels = [artist.label for artist in ax.artists]
    assert labels == ["20 m/s"]


def test_calm_air_has_no_arrows():
    on = GRIDS[0]
    ax = axes_with_map(np.zeros(on.shape), on)
    zero = np.zeros(on.shape)
    overlays.arrows(ax, zero, zero, on)
    overlays.arrows(ax, zero + 1e-9, zero, on, threshold=1.0)
    assert not ax.collections


@pytest.mark.parametrize("on", GRIDS[:2], ids=str)
def test_contours_of_latitude_are_parallels(on):
    f = np.degrees(np.pi / 2 - on.theta)[:, None] * np.ones(on.shape)
    ax = axes_with_map(f, on, projection="cartesian")
    overlays.contours(ax, f, on, levels=[-30.0, 0.0, 60.0], projection="cartesian")
    for path, level in zip(ax.collections[0].get_paths(), (-30, 0, 60), strict=True):
        assert np.abs(path.vertices[:, 1] - level).max() < 0.01
        assert np.ptp(path.vertices[:, 0]) > 359
