"""Grids of latitudes and longitudes: recognition, order of the samples, text forms, first longitudes."""

import math
import pathlib
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import ANALYSIS, SHORT_SUM

import spherekit as sk
from spherekit import sampling
from spherekit.sampling import (
    CC,
    DH,
    GL,
    MW,
    MWSS,
    DHPole,
    HEALPix,
    LatLon,
    Rings,
    from_latlon,
    from_points,
    grids_of_shape,
    healpix,
)
from spherekit.sampling.theorem_grids import RULES, is_nearly_gaussian
from spherekit.testing import random_flm

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
    Rings(np.radians(np.arange(2.5, 178, 2.5)), 144),
    Rings(np.radians(np.linspace(1 / 3, 179, 17)), np.arange(1, 18), np.linspace(0, 0.1, 17)),
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
    assert str(LatLon(lat, lon).grid) == text


@pytest.mark.parametrize("digits", [None, 15, 6, 4, 3, 2])
@pytest.mark.parametrize("n, n_phi", [(72, 144), (94, 192), (160, 320)])
def test_gaussian_latitudes(n, n_phi, digits):
    lat, lon = degrees_of(GL(n, n_phi))
    if digits is None:
        lat, lon = lat.astype(np.float32), lon.astype(np.float32)
    else:
        lat, lon = np.round(lat, digits), np.round(lon, digits)
    assert from_latlon(lat, lon) == GL(n, n_phi)


@pytest.mark.parametrize(
    "lat, lon, words",
    [
        (np.linspace(-90, 90, 9), np.arange(0, 360, 22.5), "latitudes ascend"),
        (np.linspace(90, -90, 9), np.arange(-180, 180, 22.5), "longitudes start at -180"),
        (np.linspace(90, -90, 9), np.arange(0, 361, 22.5), "repeats the first"),
        (np.linspace(90, -90, 9), np.arange(360, 0, -22.5), "longitudes descend"),
    ],
)
def test_samples_in_another_order_than_their_grid(lat, lon, words):
    with pytest.warns(UserWarning, match=rf"{words}.*LatLon\(lat, lon\).to_grid\(f\)"):
        assert from_latlon(lat, lon) == MWSS(8)
    ordered = LatLon(np.linspace(90, -90, 9), np.arange(0, 360, 22.5))
    assert not ordered.changes and from_latlon(ordered.lat, ordered.lon) == MWSS(8)  # no warning
    with pytest.raises(TypeError, match="LatLon.*to_grid"):
        sampling.grid(ordered)


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


# ---------------------------------------------------------------- lists of points


def points_of(grid):
    """Latitude and longitude of each sample, degrees; longitudes from -180 to 180."""
    theta, phi = grid.theta, grid.phi
    if grid.rectangular:
        theta, phi = (x.ravel() for x in np.meshgrid(theta, phi, indexing="ij"))
    phi = np.degrees(phi)
    return 90 - np.degrees(theta), np.where(phi > 180, phi - 360, phi)


LISTS = [
    MW(8),
    MWSS(8),
    DH(8),
    DH(9, n_theta=9, n_phi=18, phi0=math.pi / 18),
    GL(8, 16, phi0=math.radians(1.5)),
    CC(5, 9),
    DHPole(8),
    *(HEALPix(nside) for nside in (1, 2, 3, 4, 16)),
]


@pytest.mark.parametrize("round_to", [np.float64, np.float32, lambda x: np.round(x, 4)])
@pytest.mark.parametrize("grid", LISTS, ids=repr)
def test_points_in_any_order(grid, round_to, rng):
    lat, lon = points_of(grid)
    permutation = rng.permutation(len(lat))
    for indices in (permutation, np.arange(len(lat))):
        result, order = from_points(round_to(lat[indices]), round_to(lon[indices]))
        assert str(result) == str(grid) and np.array_equal(indices[order], np.arange(len(lat)))


@pytest.mark.parametrize("nside", [1, 2, 8])
def test_points_in_nested_order(nside):
    pixels = healpix.nest2ring(nside, np.arange(12 * nside**2))
    lat, lon = points_of(HEALPix(nside))
    grid, order = from_points(lat[pixels], lon[pixels])
    assert grid == HEALPix(nside) and np.array_equal(pixels[order], np.arange(12 * nside**2))


def test_points_of_a_reduced_gaussian_grid(rng):
    """They become rings at the exact nodes, with the Gaussian weights."""
    theta, counts = GL(32).theta, [20 + 4 * min(i, 31 - i) for i in range(32)]
    lat, lon = points_of(Rings(theta, counts))
    permutation = rng.permutation(len(lat))
    grid, order = from_points(np.round(lat[permutation], 5), np.round(lon[permutation], 5))
    assert grid.angles == tuple(theta) and grid.counts == tuple(counts) and not any(grid.offsets)
    assert np.array_equal(permutation[order], np.arange(len(lat)))
    assert grid.ring_weights @ grid.ring_n_phi == pytest.approx(4 * np.pi, rel=SHORT_SUM)


def test_points_with_a_repeated_meridian():
    lat, lon = np.meshgrid([45, -45], [0, 90, 180, 270, 360], indexing="ij")
    grid, order = from_points(lat, lon)
    assert grid == DH(2, 4, n_theta=2) and order.tolist() == [0, 1, 2, 3, 5, 6, 7, 8]


@pytest.mark.parametrize(
    "lat, lon, message",
    [
        (np.linspace(-80, 80, 99), np.linspace(0, 300, 99), "scattered.*evaluate_adjoint"),
        ([10] * 4 + [20] * 4, [0, 90, 180, 270, 0, 90, 180, 200], "latitude 20 .*gap of 160"),
        ([10, 10, 20, 20], [0, 0, 0, 180], "1 points are repeated"),
        ([10, 20], [0, 180, 270], "one latitude and one longitude for each sample"),
        ([[1, 1], [-1, -1]], [[0, 180], [0, 180]], "radians"),
        ([10, np.nan], [0, 180], "NaN"),
    ],
)
def test_points_without_a_grid(lat, lon, message):
    with pytest.raises(ValueError, match=message):
        from_points(lat, lon)


# ---------------------------------------------------------------- shapes


@pytest.mark.parametrize(
    "shape", [(180, 360), (160, 320), (128, 256), (721, 1440), (8, 15), (1, 1)]
)
def test_grids_of_a_shape_have_that_shape(shape):
    matches = grids_of_shape((3, *shape))
    assert len({text for text, _ in matches}) == len(matches) >= 3
    for text, description in matches:
        assert sampling.grid(text).shape == shape and "longitude" in description


def test_grids_of_a_shape_of_pixels():
    assert grids_of_shape((3, 12 * 64**2)) == [("healpix:64", "HEALPix pixels in RING order")]
    assert grids_of_shape((13,)) == grids_of_shape(()) == []


@pytest.mark.parametrize(
    "grid, L",
    [
        (MW(8, 20), 8),
        (HEALPix(64), 128),
        (Rings(np.radians(np.arange(2.5, 180.1, 2.5)), 144), 72),
        (Rings(GL(48).theta, 64), 32),
        (Rings(np.radians(np.arange(30, 151, 2)), 180), 6),
        (Rings([1.0], 4), 1),
    ],
)
def test_band_limits_of_grids(grid, L):
    assert grid.default_L == L


# ---------------------------------------------------------------- any order and rounding of the axes


@st.composite
def axes_of_grids(draw):
    """(grid, lat, lon): the axes of a grid in another order, range, rounding and dtype."""
    n_theta, aspect = draw(st.integers(2, 40)), draw(st.sampled_from([1, 2, 2.5]))
    n_phi = max(2, int(n_theta * aspect))
    fraction = draw(st.sampled_from([0, 0.5, 0.25]))
    candidates = [rule.grid(n_theta, n_phi, fraction * 2 * math.pi / n_phi) for rule in RULES]
    grid = draw(st.sampled_from([one for one in candidates if one is not None]))
    lat, lon = degrees_of(grid)
    rows = draw(st.sampled_from(["sorted", "reversed", "any"]))
    columns = draw(st.sampled_from(["sorted", "reversed", "rolled", "any"]))
    lat = _arranged(draw, lat, rows)
    lon = _arranged(draw, lon, columns)
    lon = lon + draw(st.sampled_from([0, -360, 360]))
    lon = np.where(lon > draw(st.sampled_from([180, 360, 720])), lon - 360, lon)
    if draw(st.booleans()):
        lon = np.append(lon, lon[0] + draw(st.sampled_from([360, -360])))
    digits = draw(st.sampled_from([None, 4, 6, 12]))
    if digits is None:
        return grid, lat.astype(np.float32), lon.astype(np.float32)
    return grid, np.round(lat, digits), np.round(lon, digits)


def _arranged(draw, axis, order):
    if order == "reversed":
        return axis[::-1]
    if order == "rolled":
        return np.roll(axis, draw(st.integers(0, len(axis) - 1)))
    return axis[draw(st.permutations(range(len(axis))))] if order == "any" else axis


@settings(max_examples=300, deadline=None)
@given(axes_of_grids())
def test_axes_in_any_order(case):
    """The grid, and each sample at its coordinates."""
    grid, lat, lon = case
    positions = LatLon(lat, lon)
    result = positions.grid
    assert type(result) is type(grid) and result.shape == grid.shape and result.L == grid.L
    spacing = 2 * math.pi / grid.n_phi
    assert abs(result.phi0 - grid.phi0) < 1e-3 * spacing
    values = np.sin(np.radians(lat.astype(float)))[:, None] + np.exp(
        1j * np.radians(lon.astype(float))
    )
    if len(lon) > grid.n_phi:
        values[:, -1] = values[:, 0]
    samples = positions.to_grid(values)
    expected = np.cos(grid.theta)[:, None] + np.exp(1j * grid.phi)
    assert np.abs(samples - expected).max() < 1e-3 * max(spacing, np.pi / len(lat))
    assert np.array_equal(positions.from_grid(samples), values)


@pytest.mark.parametrize("offset", [0.01, 0.05, 0.2, 0.3])
def test_other_offsets_are_not_rounded_to_a_grid(offset):
    """Latitudes between two grids are rings, and first longitudes stay as they are written."""
    lat, lon = np.arange(-89.5, 90) + offset, np.arange(360) + offset
    grid = LatLon(lat[:-1], lon).grid
    assert isinstance(grid, Rings) and grid.offsets[0] == math.radians(offset)
    assert LatLon(np.arange(-89.5, 90), lon).grid.phi0 == math.radians(offset)


def test_axes_that_add_up_a_rounded_step():
    """As in the longitudes of ETOPO: 20.16667 and steps of 0.3333333."""
    lat = -89.83333333 + 0.3333333 * np.arange(540)
    lon = 20.16666667 + 0.3333333 * np.arange(1081)
    positions = LatLon(np.round(lat, 8), np.round(lon, 7))
    assert str(positions.grid) == "dh:540,n_theta=540,n_phi=1080,phi0=half"
    assert len(positions.notes) == 3


def test_a_repeated_column_must_agree(rng):
    positions = LatLon([45, -45], [0, 90, 180, 270, 360])
    values = rng.standard_normal((2, 2, 5)).astype(np.float32)
    values[..., 4] = values[..., 0]
    values[0, 0, [0, 4]] = np.nan
    assert positions.to_grid(values).shape == (2, 2, 4)
    values[1, 1, 4] += 1
    with pytest.raises(ValueError, match="repeats the first, 0 degrees, but 1 of 4 samples differ"):
        positions.to_grid(values)
    with pytest.raises(ValueError, match=r"expected \(..., 2, 5\)"):
        positions.to_grid(values[..., :4])
    with pytest.raises(ValueError, match=r"expected \(..., 2, 4\)"):
        positions.from_grid(values)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_repeated_column_may_differ_by_rounding(rng, dtype):
    """Of values of the size of the largest sample of its map, also where they are small."""
    positions = LatLon([45, -45], [0, 90, 180, 270, 360])
    values = 1000 * rng.standard_normal((3, 2, 5)).astype(dtype)
    values[0] *= 1e-6
    values[..., 0] *= dtype(0.01)
    eps = np.finfo(dtype).eps
    values[..., 4] = values[..., 0] + 8 * eps * np.abs(values).max(axis=(1, 2))[:, None]
    np.testing.assert_array_equal(positions.to_grid(values), values[..., :4])
    values[0, 1, 4] += 32 * eps * np.abs(values[0]).max()
    with pytest.raises(ValueError, match="1 of 6 samples differ by more than rounding"):
        positions.to_grid(values)


def test_rings_of_axes_are_rows_of_samples(rng):
    """NCEP's grid without its last row: samples in one axis, analysed by least squares."""
    lat, lon = np.arange(90, -90, -2.5)[1:], np.arange(0, 361, 2.5)
    positions = LatLon(lat, lon)
    grid = positions.grid
    assert isinstance(grid, Rings) and grid.default_L == 71 and grid.shape == (71 * 144,)
    flm = random_flm(40, rng, reality=True)
    samples = sk.inverse(flm, 40, sampling=grid, reality=True)
    rows = positions.from_grid(samples)
    assert rows.shape == (71, 145) and np.array_equal(rows[:, 0], rows[:, -1])
    assert np.array_equal(positions.to_grid(rows), samples)
    fitted, residual = sk.analyse(samples, grid.default_L, sampling=grid, reality=True, tol=1e-12)
    assert residual.converged and residual.relative < ANALYSIS
    assert np.abs(fitted[: 40**2] - flm).max() < ANALYSIS


def test_angles_with_units():
    units = pytest.importorskip("astropy.units")
    lat, lon = np.arange(90, -91, -45.0), np.arange(0, 360, 45.0)
    for unit in (units.deg, units.rad, units.arcmin):
        quantities = [(axis * units.deg).to(unit) for axis in (lat, lon)]
        assert from_latlon(*quantities) == MWSS(4)
    with pytest.raises(ValueError, match="lat has the unit m"):
        from_latlon(lat * units.m, lon)


@pytest.mark.parametrize(
    "text, message",
    [
        ("gl:4,n_phi=a", "n_phi=a: expected an integer"),
        ("gl:4,x=1", "the options of gl are n_phi=..., phi0=..."),
        ("gl:4,n_phi=7,n_phi=8", "each once"),
        ("gl:4,n_phi=7/8", "one integer for a rectangular grid"),
        ("dh:4,n_theta=3", "n_theta is 3; .*n_theta >= L"),
        ("dh:4,phi0=0.1", "half .*unit"),
        ("dh:4,phi0=nandeg", "expected numbers"),
        ("gl:4,phi0=90deg", "first of 7 columns"),
        ("healpix:4,weights=up", '"ring" or "equal"'),
        ("rings:theta=30deg", "rings need n_phi"),
        ("rings", "rings need theta and n_phi"),
        ("rings:theta=0:180deg,n_phi=4", "the last and their number"),
        ("rings:theta=0:180:99999999deg,n_phi=4", "the last and their number"),
        ("mw:4,", "the options of mw"),
    ],
)
def test_texts_that_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        sampling.grid(text)


@settings(max_examples=200, deadline=None)
@given(st.text("mwghldcrins:0123456789,=_/.phiteawdgk-+", max_size=40))
def test_any_text_is_a_grid_or_an_error(text):
    try:
        grid = sampling.grid(text)
    except (ValueError, MemoryError):
        return
    assert sampling.grid(str(grid)) == grid


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 50), st.integers(0, 30), st.integers(0, 60), st.floats(0, 1, exclude_max=True)
)
def test_texts_of_any_rectangle_are_exact(L, more_rings, more_columns, fraction):
    n_phi = 2 * L - 1 + more_columns
    phi0 = fraction * (2 * math.pi / n_phi)
    for grid in (DH(L, n_phi, n_theta=L + more_rings, phi0=phi0), CC(L, L + 1 + more_rings, n_phi)):
        assert sampling.grid(str(grid)) == grid


@pytest.mark.parametrize("digits", [2, 3, 5])
def test_truncated_coordinates(digits):
    lat, lon = degrees_of(GL(94, 192))
    lat, lon = (np.trunc(axis * 10**digits) / 10**digits for axis in (lat, lon))
    assert from_latlon(lat, lon) == GL(94, 192)
    lat, lon = degrees_of(DH(54, n_theta=54, n_phi=108, phi0=math.pi / 108))
    lat, lon = (np.trunc(axis * 10**digits) / 10**digits for axis in (lat, lon))
    assert str(from_latlon(lat, lon)) == "dh:54,n_theta=54,n_phi=108,phi0=half"


def test_equidistant_rings_have_a_short_text():
    grid = sampling.grid("rings:theta=2.5:177.5:71deg,n_phi=144,phi0=1deg")
    assert str(grid) == "rings:theta=2.5:177.5:71deg,n_phi=144,phi0=1deg"
    assert grid == Rings(np.radians(np.arange(2.5, 178, 2.5)), 144, math.radians(1))


def test_positions_are_pickled_and_accept_lists():
    positions = pickle.loads(pickle.dumps(LatLon([-45, 45], [0, 180])))
    assert positions.grid == DH(1, 2, n_theta=2)
    assert positions.to_grid([[1, 2], [3, 4]]).tolist() == [[3, 4], [1, 2]]
    assert positions.from_grid([[3, 4], [1, 2]]).tolist() == [[1, 2], [3, 4]]


def test_masked_coordinates_are_refused():
    with pytest.raises(TypeError, match="lat has masked entries"):
        from_latlon(np.ma.masked_array([45, 0, -45], [0, 1, 0]), [0, 180])
    assert from_latlon(np.ma.masked_array([45, -45]), [0, 180]).shape == (2, 2)


@pytest.mark.parametrize("dtype", [">f4", ">f8", np.longdouble, np.float16, "f4"])
def test_types_of_coordinates(dtype):
    lat, lon = np.arange(87.5, -90, -5).astype(dtype), np.arange(2.5, 360, 5).astype(dtype)
    assert str(from_latlon(lat, lon)) == "dh:36,n_theta=36,n_phi=72,phi0=half"


@pytest.mark.parametrize(
    "name, lat, lon, text",
    [
        (
            "MERRA-2",
            np.arange(-90, 90.1, 0.5),
            np.arange(-180, 180, 0.625),
            "cc:288,n_theta=361,n_phi=576",
        ),
        ("CESM", np.linspace(-90, 90, 192), np.arange(288) * 1.25, "cc:144,n_theta=192,n_phi=288"),
        (
            "GISTEMP",
            np.arange(-89, 90, 2),
            np.arange(-179, 180, 2),
            "dh:90,n_theta=90,n_phi=180,phi0=half",
        ),
        ("IPSL", np.linspace(-90, 90, 96), np.arange(96) * 3.75, "cc:48,n_theta=96,n_phi=96"),
        ("NCEP T62", 90 - np.degrees(GL(94).theta), np.arange(192) * 1.875, "gl:94,n_phi=192"),
        (
            "pyshtools DH1",
            90 - np.arange(64) * 180 / 64,
            np.arange(64) * 360 / 64,
            "dhpole:32,n_phi=64",
        ),
        ("pyshtools GLQ", 90 - np.degrees(GL(32).theta), np.arange(64) * 360 / 63, "gl:32"),
        (
            "pyshtools DH2, extended",
            np.linspace(90, -90, 65),
            np.arange(129) * 360 / 128,
            "mwss:64",
        ),
    ],
)
def test_grids_of_models_and_codes(name, lat, lon, text):
    for axes in ((lat, lon), (lat.astype(np.float32), lon.astype(np.float32)), (lat[::-1], lon)):
        grid = LatLon(*axes).grid
        assert sampling.grid(str(grid)) == sampling.grid(text), name


def test_latitudes_of_a_model_with_short_polar_cells():
    """GFDL's: equidistant but for the rings next to the poles."""
    lat = np.linspace(-90, 90, 90)
    lat[[0, -1]] = -89.49, 89.49
    positions = LatLon(lat, np.arange(1.25, 360, 2.5))
    assert isinstance(positions.grid, Rings) and positions.grid.default_L == 72
    assert "fitted by least squares" in " ".join(positions.notes)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 17, 160, 721])
def test_rules_have_the_nodes_and_weights_of_their_grids(n):
    for rule in RULES:
        theta, grid = rule.colatitudes(n), rule.grid(n, 4 * n + 3)
        assert (theta is None) == (grid is None)
        if grid is not None:
            rings = rule.rings(n, 8, 0.1)
            assert np.array_equal(grid.theta, theta) and rings.angles == tuple(theta)
            sums = np.stack([one.ring_weights * one.ring_n_phi for one in (rings, grid)])
            np.testing.assert_allclose(*sums, rtol=0, atol=SHORT_SUM)
        assert is_nearly_gaussian(GL(n).theta)


def test_axes_without_gaussian_latitudes_compile_nothing():
    """The commands that only describe a file start without compiled code."""
    program = (
        "import sys, numpy as np; from spherekit.sampling import from_latlon, grids_of_shape; "
        "from_latlon(np.arange(80, -81, -2), np.arange(360)); from_latlon([20, -20], [0, 180]); "
        "grids_of_shape((180, 360)); assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    "name, texts",
    [
        (
            "180x360",
            ["dh:180,n_theta=180,n_phi=360,phi0=half", "mwss:179,n_phi=360", "gl:180,n_phi=360"],
        ),
        ("latlon:180x360", ["dh:180,n_theta=180,n_phi=360,phi0=half"]),
        ("r360x180", ["dh:180,n_theta=180,n_phi=360,phi0=half"]),
        ("0.25x0.25", ["dh:720,n_theta=720,n_phi=1440,phi0=half"]),
        ("gauss:160x320", ["gl:160,n_phi=320"]),
        *((name, ["dh:180,n_theta=180,n_phi=360,phi0=half"]) for name in ("latlon", "regular")),
        *((name, ["gl:160,n_phi=320"]) for name in ("gauss:160", "gaussian", "N80", "F80")),
        *((name, ["gl:320,n_phi=640"]) for name in ("F160", "ecmwf")),
        ("nside64", ["healpix:64"]),
        ("mw256", ["mw:256"]),
    ],
)
def test_names_of_grids_of_other_software(name, texts):
    """The message has the text of the grid, which is one."""
    with pytest.raises(ValueError, match="name of a grid") as raised:
        sampling.grid(name)
    for text in texts:
        assert text in str(raised.value) and str(sampling.grid(text)) == text


@pytest.mark.parametrize("text", ["180x360", "latlon:180 x 360"])
def test_numbers_of_rings_and_samples_are_a_hint(text):
    with pytest.raises(ValueError, match="grids of 180 rings of 360 samples are .*phi0=half"):
        sampling.grid(text)


def rows_of_the_book():
    """(numbers of latitudes and longitudes, text, L) of the data sets in the table of tutorials/files.md."""
    page = pathlib.Path(__file__).parent.parent / "tutorials" / "files.md"
    row = r"^\|.*\| (\d+) x (\d+)(.*) \| `(.+)` \| (\d+) \|$"
    for rows, columns, remark, text, L in re.findall(row, page.read_text(), re.M):
        yield int(rows), int(columns) - ("repeated" in remark), text, int(L)


@pytest.mark.parametrize("n_lat, n_lon, text, L", list(rows_of_the_book()))
def test_data_sets_of_the_book(n_lat, n_lon, text, L):
    grid = sampling.grid(text)
    assert grid.shape == (n_lat, n_lon) and grid.L == grid.default_L == L and grid.exact
    lat, lon = 90 - np.degrees(grid.theta), np.degrees(grid.phi)
    assert str(sampling.from_latlon(lat, lon)) == text
