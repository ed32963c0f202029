"""Grids of latitudes and longitudes: recognition, order of the samples, text forms, first longitudes."""

import math

import numpy as np
import pytest

from spherekit import sampling
from spherekit.sampling import CC, DH, GL, MW, MWSS, DHPole, HEALPix, LatLon, Rings, from_latlon

GRIDS = [
    MW(256),
    MWSS(3, phi0=0.1),
    DH(4),
    DH(4, n_theta=5),
    DH(180, 360, n_theta=180, phi0=math.pi / 360),
    DHPole(8, phi0=math.radians(1)),
    GL(160, 320),
    GL(3, phi0=math.radians(0.25)),
    CC(90, 181, 360),
    CC(1),
    HEALPix(64),
    HEALPix(2, "equal"),
    Rings([0.5, 1], [4, 8], 0.1),
    Rings(np.radians([30, 90]), 4, [0.0, 0.1], weights=[0.25, 1 / 3]),
]


def degrees_of(grid):
    return 90 - np.degrees(grid.theta), np.degrees(grid.phi)


@pytest.mark.parametrize("grid", GRIDS, ids=repr)
def test_the_text_of_a_grid_is_exact(grid):
    copy = sampling.grid(str(grid))
    assert copy == grid and repr(copy) == repr(grid) and str(copy) == str(grid)


@pytest.mark.parametrize(
    "lat, lon, text",
    [
        (np.linspace(90, -90, 241), np.arange(480) * 0.75, "mwss:240"),
        (np.linspace(-90, 90, 73), np.arange(145) * 2.5, "mwss:72"),
        (np.arange(-89.5, 90), np.arange(-179.5, 180), "dh:180,n_theta=180,n_phi=360,phi0=half"),
        (np.linspace(90, -90, 91), np.arange(10) * 36, "cc:5,n_theta=91,n_phi=10"),
        (90 - np.arange(128) * 180 / 128, np.arange(256) * 360 / 256, "dhpole:64,n_phi=256"),
    ],
)
def test_usual_axes(lat, lon, text):
    assert str(from_latlon(lat, lon)) == text


@pytest.mark.parametrize("digits", [None, 15, 6, 4, 3, 2])
@pytest.mark.parametrize("n, n_phi", [(72, 144), (94, 192), (160, 320)])
def test_gaussian_latitudes(n, n_phi, digits):
    lat, lon = degrees_of(GL(n, n_phi))
    if digits is None:
        lat, lon = lat.astype(np.float32), lon.astype(np.float32)
    else:
        lat, lon = np.round(lat, digits), np.round(lon, digits)
    assert from_latlon(lat, lon) == GL(n, n_phi)


def test_samples_follow_their_coordinates(rng):
    positions = LatLon(np.arange(-89.5, 90), np.arange(-179.5, 180))
    values = rng.standard_normal((2, 180, 360))
    samples = positions.to_grid(values)
    assert np.array_equal(samples[:, 0, 0], values[:, -1, 180])
    assert np.array_equal(positions.from_grid(samples), values)


@pytest.mark.parametrize(
    "lat, lon, message",
    [
        ([10, np.nan], [0, 180], "NaN"),
        ([10, 20], [0], "at least 2"),
        ([95, 20], [0, 180], "from -90 to 90"),
        ([-1.5, 0, 1.5], [0, 90, 180, 270], "radians"),
        ([10, 20], np.arange(0, 350, 10), "gap of 20 degrees, from 340 to 0"),
        ([10, 10, 20], [0, 180], "twice"),
    ],
)
def test_other_axes_are_refused(lat, lon, message):
    with pytest.raises(ValueError, match=message):
        from_latlon(lat, lon)
