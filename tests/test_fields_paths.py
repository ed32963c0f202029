"""Values along a path: the definition at points, and the geometry of great circles."""

import importlib.util

import astropy.units as u
import numpy as np
import pytest
from helpers.data import real_file
from tolerances import CHAIN, COMMAND_SAMPLES, IDENTITY, SHORT_SUM, SINGLE_VALUES

import spherekit
from spherekit import fields, io
from spherekit.testing import assert_gradient, random_flm

WAYPOINTS = [(0.3, 1.0), (1.2, 6.0), (2.9, 6.5), (1.5, 3.5)]


def samples(L, grid, rng, spin=0, shape=()):
    """Coefficients of a signal of unit rms, and its samples."""
    flm = random_flm(L, rng, spin=spin, reality=spin == 0, shape=shape)
    flm *= np.sqrt(4 * np.pi) / L
    f = spherekit.inverse(flm, L, spin=spin, sampling=grid, reality=spin == 0)
    return flm, f


def vectors(theta, phi):
    return np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], -1)


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("spin", [0, 1, -2])
@pytest.mark.parametrize("grid", ["mw:12", "gl:16", "mwss:12"])
def test_values_are_those_of_the_coefficients(grid, spin, rng):
    flm, f = samples(12, grid, rng, spin, shape=(2, 3))
    path = fields.great_circles(WAYPOINTS, n_points=11)
    values = fields.along(f, path, sampling=grid, spin=spin)
    assert values.shape == (2, 3, 11) and np.isrealobj(values) == (spin == 0)
    expected = spherekit.evaluate(flm, path.theta, path.phi, spin=spin)
    np.testing.assert_allclose(values, expected, rtol=0, atol=CHAIN)
    again = fields.along(f, WAYPOINTS, n_points=11, sampling=grid, spin=spin)
    np.testing.assert_array_equal(again, values)


def test_waypoints_at_samples_have_their_values(rng):
    grid = spherekit.sampling.grid("mwss:12")
    _, f = samples(12, grid, rng, 1)
    rows, columns = [0, 3, 7, 12], [2, 5, 20, 1]
    points = np.stack([grid.theta[rows], grid.phi[columns]], axis=-1)
    values = fields.along(f, points, sampling=grid, spin=1)
    np.testing.assert_allclose(values[1:3], f[rows, columns][1:3], rtol=0, atol=CHAIN)
    # the path keeps no longitude of a pole: its frame there is the one of the longitude it states
    path = fields.great_circles(points)
    turned = np.exp(1j * (path.phi - grid.phi[columns])) * values
    assert np.isclose(np.abs(values[0]), np.abs(f[0, 2]), atol=CHAIN)
    assert np.allclose(turned[1:3], values[1:3], atol=CHAIN)


def test_healpix(rng):
    flm, f = samples(12, "healpix:8", rng)
    path = fields.great_circles(WAYPOINTS, step=0.1)
    values = fields.along(f, path, sampling="healpix:8", L=12)
    expected = spherekit.evaluate(flm, path.theta, path.phi, reality=True)
    np.testing.assert_allclose(values, expected, rtol=0, atol=COMMAND_SAMPLES)


@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
def test_single_precision(dtype, rng):
    _, f = samples(12, "gl:12", rng)
    double = fields.along(f, WAYPOINTS, sampling="gl:12")
    single = fields.along(f.astype(dtype), WAYPOINTS, sampling="gl:12")
    assert single.dtype == dtype and np.abs(single - double).max() < 10 * SINGLE_VALUES


def test_maps(rng):
    _, T = samples(12, "gl:12", rng, shape=(2,))
    _, wind = samples(12, "gl:12", rng, 1, shape=(2,))
    values = np.stack([T, wind.imag, -wind.real])
    sky = io.Map(values, "gl:12", ("T", "u", "v"), ("K", "m/s", "m/s"), {"level": [200, 500]})
    result = fields.along(sky, WAYPOINTS, step=0.3)
    assert result.shape[:2] == (3, 2)
    expected = fields.along(wind, WAYPOINTS, step=0.3, sampling="gl:12", spin=1)
    np.testing.assert_array_equal(result[1], expected.imag)
    np.testing.assert_array_equal(result[2], -expected.real)
    single = fields.along(sky.select("T"), WAYPOINTS, step=0.3)
    np.testing.assert_array_equal(single, result[0])


@pytest.mark.skipif(importlib.util.find_spec("xarray") is None, reason="xarray is not installed")
def test_data_arrays_and_datasets(rng):
    import xarray

    _, f = samples(12, "mwss:12", rng, shape=(2,))
    _, wind = samples(12, "mwss:12", rng, 1, shape=(2,))
    latitudes, longitudes = np.linspace(90, -90, 13), np.arange(24) * 15.0
    coordinates = dict(time=np.array(["2018-01-01", "2018-01-02"], "M8[ns]"))
    coordinates |= dict(lat=latitudes, lon=longitudes)
    dims = ("time", "lat", "lon")
    variables = {"T": f, "u": wind.imag, "v": -wind.real}
    data = xarray.Dataset({name: (dims, x) for name, x in variables.items()}, coordinates)
    data["T"].attrs["units"] = "K"
    data["u"].attrs["units"] = data["v"].attrs["units"] = "m/s"
    data = data.isel(lat=slice(None, None, -1))
    path = fields.great_circles(WAYPOINTS, n_points=9)
    section = fields.along(data, path)
    assert section["T"].dims == ("time", "distance") and section["T"].attrs == {"units": "K"}
    expected = fields.along(f, path, sampling="mwss:12")
    np.testing.assert_allclose(section["T"].values, expected, rtol=0, atol=CHAIN)
    expected = fields.along(wind, path, sampling="mwss:12", spin=1)
    np.testing.assert_allclose(section["u"].values, expected.imag, rtol=0, atol=CHAIN)
    np.testing.assert_allclose(section["v"].values, -expected.real, rtol=0, atol=CHAIN)
    np.testing.assert_array_equal(section["distance"], path.distance)
    np.testing.assert_allclose(section["lat"], 90 - np.degrees(path.theta), atol=CHAIN)
    assert section["time"].dtype == data["time"].dtype
    single = fields.along(data["T"], path)
    assert isinstance(single, xarray.DataArray) and single.name == "T"
    np.testing.assert_array_equal(single.values, section["T"].values)


def test_a_section_of_era_interim():
    """Along 45 degrees north, at longitudes of the samples: the field of the degrees < 240."""
    sky = io.read(real_file("atmosphere", "eraint_uvz.nc"), field="z", select={"level": 500})
    sky = sky.select(month=1)
    latitude = np.radians(90 - 45)
    values = fields.along(sky, [(latitude, np.radians(lon)) for lon in (15, 30, 60)])
    row = np.argmin(np.abs(np.degrees(sky.grid.theta) - 45))
    expected = fields.truncate(sky, 240).values[row, [20, 40, 80]]
    np.testing.assert_allclose(values, expected, rtol=CHAIN)


def test_gradients(rng):
    _, f = samples(6, "mw:6", rng)

    def loss(f):
        return (fields.along(f, WAYPOINTS, step=0.5, sampling="mw:6") ** 3).sum()

    assert_gradient(loss, f)


# --- paths ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [dict(step=0.13), dict(n_points=40), dict()])
def test_points_are_on_the_great_circles(options):
    path = fields.great_circles(WAYPOINTS, **options)
    points, ends = vectors(path.theta, path.phi), vectors(*np.transpose(WAYPOINTS))
    starts = [0.0]
    for a, b in zip(ends[:-1], ends[1:], strict=True):
        starts.append(starts[-1] + np.arccos(a @ b))
    assert np.isclose(path.distance[-1], starts[-1], atol=SHORT_SUM)
    for k in range(3):
        inside = (path.distance >= starts[k] - CHAIN) & (path.distance <= starts[k + 1] + CHAIN)
        normal = np.cross(ends[k], ends[k + 1])
        assert np.abs(points[inside] @ normal).max() < IDENTITY
        angles = np.arccos(np.clip(points[inside] @ ends[k], -1, 1))
        assert np.allclose(angles, path.distance[inside] - starts[k], atol=1e-7)  # of arccos near 1
    np.testing.assert_allclose(points[[0, -1]], ends[[0, -1]], atol=SHORT_SUM)
    gaps = np.diff(path.distance)
    if "step" in options:
        assert gaps.max() <= 0.13 + CHAIN and gaps.min() > 0.1
        for end in ends:
            assert np.abs(points - end).max(axis=1).min() < SHORT_SUM
    elif options:
        assert len(gaps) == 39 and np.allclose(gaps, gaps[0], atol=CHAIN)
    else:
        np.testing.assert_allclose(points, ends, atol=SHORT_SUM)


def test_bearings_are_the_directions_of_the_path():
    """From one point to the next, by spherical trigonometry; at waypoints that of either segment."""
    path = fields.great_circles(WAYPOINTS, step=0.01)
    theta, phi, distance, bearing = path
    first, second, turn = theta[:-1], theta[1:], np.diff(phi)
    east = np.sin(second) * np.sin(turn)
    north = np.sin(first) * np.cos(second) - np.cos(first) * np.sin(second) * np.cos(turn)
    at = np.cos(first) * np.cos(second) + np.sin(first) * np.sin(second) * np.cos(turn)
    np.testing.assert_allclose(np.arctan2(np.hypot(east, north), at), np.diff(distance), atol=CHAIN)
    difference = (np.arctan2(east, north) - bearing[:-1] + np.pi) % (2 * np.pi) - np.pi
    assert np.count_nonzero(np.abs(difference) > CHAIN) <= len(WAYPOINTS) - 2


def test_a_wind_along_the_path_is_the_derivative_of_the_potential(rng):
    """The gradient of chi, projected on the path, is d chi / d distance."""
    flm, chi = samples(10, "gl:10", rng)
    ell = spherekit.conventions.degrees(10)
    gradient = spherekit.inverse(-np.sqrt(ell * (ell + 1)) * flm, 10, spin=1, sampling="gl:10")
    path = fields.great_circles([(0.4, 0.2), (2.0, 2.5)], n_points=2001)
    values = fields.along(chi, path, sampling="gl:10")
    wind = fields.along(gradient, path, sampling="gl:10", spin=1)
    u_wind, v_wind = wind.imag, -wind.real
    tangential = v_wind * np.cos(path.bearing) + u_wind * np.sin(path.bearing)
    derivative = np.gradient(values, path.distance)[1:-1]
    scale = np.abs(derivative).max()
    assert np.abs(tangential[1:-1] - derivative).max() < 1e-4 * scale


def test_over_a_pole():
    path = fields.great_circles([(0.4, 0.0), (0.4, np.pi)], n_points=5)
    np.testing.assert_allclose(path.theta, [0.4, 0.2, 0, 0.2, 0.4], atol=SHORT_SUM)
    np.testing.assert_allclose(np.abs(path.bearing[[0, 1, 3, 4]]), [0, 0, np.pi, np.pi], atol=CHAIN)


def test_quantities_are_converted():
    waypoints = np.degrees(WAYPOINTS) * u.deg
    plain = fields.great_circles(WAYPOINTS, step=0.1)
    for path in (
        fields.great_circles(waypoints, step=0.1),
        fields.great_circles(waypoints, step=np.degrees(0.1) * u.deg),
    ):
        np.testing.assert_allclose(path, plain, rtol=0, atol=CHAIN)


@pytest.mark.parametrize(
    "path, options, error, words",
    [
        ([(0.1, 0.2)], {}, ValueError, r"path has shape \(1, 2\)"),
        ([0.1, 0.2], {}, ValueError, "path has shape"),
        ([(0.1, 0.2, 0.3)] * 2, {}, ValueError, "path has shape"),
        ([(45.0, 10.0), (60.0, 20.0)], {}, ValueError, "radians"),
        ([(0.1, 0.2), (0.1, 0.2)], {}, ValueError, "waypoints 0 and 1 of path are the same"),
        ([(0.1, 0.2), (np.pi - 0.1, 0.2 + np.pi)], {}, ValueError, "opposite to each other"),
        ([(0.1, np.nan), (1, 1)], {}, ValueError, "path"),
        (WAYPOINTS, dict(step=0), ValueError, "step is 0"),
        (WAYPOINTS, dict(step=-1), ValueError, "step is -1"),
        (WAYPOINTS, dict(step=1e-9), ValueError, "at most 10000000 points"),
        (WAYPOINTS, dict(step=1 * u.m), ValueError, "step has the unit m"),
        (WAYPOINTS, dict(n_points=1), ValueError, "n_points is 1"),
        (WAYPOINTS, dict(n_points=2.5), TypeError, "n_points is .*integer"),
        (WAYPOINTS, dict(n_points=2, step=0.1), ValueError, "step and n_points are given"),
        (WAYPOINTS, dict(sampling=None), TypeError, "sampling is required"),
        (WAYPOINTS, dict(L=9), ValueError, "9"),
        (WAYPOINTS, dict(spin=8), ValueError, "spin 8"),
    ],
)
def test_refused_arguments(path, options, error, words):
    with pytest.raises(error, match=words):
        fields.along(np.zeros((8, 15)), path, **{"sampling": "mw:8", **options})


def test_a_path_has_its_points():
    path = fields.great_circles(WAYPOINTS)
    with pytest.raises(ValueError, match="given with a Path"):
        fields.along(np.zeros((8, 15)), path, step=0.1, sampling="mw:8")
