"""The HEALPix pixels in discs, strips and polygons: against definitions, stored values and healpy."""

import math

import astropy.units as u
import naive
import numpy as np
import pytest
from helpers.data import oracle
from hypothesis import given
from hypothesis import strategies as st

from spherekit.sampling import HEALPix, healpix

STORED = oracle("healpix_regions")
NSIDES = [1, 2, 3, 4, 5, 8, 12, 16]
#: Points of a region that a test draws.
POINTS = 5000
#: Points this close to a border (radians) may be on either side of it by rounding.
ROUNDING = 1e-9

angles = st.floats(-7, 7)
nsides = st.sampled_from(NSIDES)
#: Radii, down to those of discs far smaller than a pixel.
radii = st.one_of(st.floats(1e-6, 0.1), st.floats(0.1, math.pi - 0.01))
#: Colatitudes: also of, and very close to, the poles.
colatitudes = st.one_of(
    st.floats(0, math.pi), st.sampled_from([0.0, math.pi, 1e-9, math.pi - 1e-9, math.pi / 2])
)


def centers(nside):
    return naive.unit_vectors(*healpix.pixel_angles(nside))


def disc_points(theta, phi, radius, rng):
    """Points of a disc, most of them on its border."""
    azimuth = rng.uniform(0, 2 * np.pi, POINTS)
    distance = np.where(rng.random(POINTS) < 0.7, 1, np.sqrt(rng.random(POINTS))) * radius
    distance *= 1 - ROUNDING
    center = naive.unit_vectors(theta, phi)
    south = naive.unit_vectors(theta + np.pi / 2, phi)
    sideways = np.cos(azimuth)[:, None] * south
    sideways += np.sin(azimuth)[:, None] * np.cross(center, south)
    return np.cos(distance)[:, None] * center + np.sin(distance)[:, None] * sideways


def pixels_of(points, nside):
    theta = np.arctan2(np.hypot(points[:, 0], points[:, 1]), points[:, 2])
    return np.unique(healpix.pixel_of(nside, theta, np.arctan2(points[:, 1], points[:, 0])))


def border(nside, pixel, step=500):
    theta, phi = healpix.boundaries(nside, pixel, step)
    return naive.unit_vectors(theta, phi).reshape(-1, 3)


# --- discs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("i", range(len(STORED["discs"])))
def test_discs_of_healpy(i):
    nside, theta, phi, radius = STORED["discs"][i]
    np.testing.assert_array_equal(healpix.disc(int(nside), theta, phi, radius), STORED[f"disc_{i}"])


@given(nsides, colatitudes, angles, radii)
def test_discs(nside, theta, phi, radius):
    distance = naive.distances(centers(nside), naive.unit_vectors(theta, phi))
    pixels = healpix.disc(nside, theta, phi, radius)
    assert (np.diff(pixels) > 0).all() and pixels.dtype == np.int64
    clear = abs(distance - radius) > ROUNDING
    inside = np.isin(np.arange(12 * nside**2), pixels)
    np.testing.assert_array_equal(inside[clear], (distance <= radius)[clear])


@given(nsides, colatitudes, angles, radii)
def test_inclusive_discs_overlap(nside, theta, phi, radius):
    """They contain the pixel of every point of the disc, and no pixel that is farther than the radius."""
    pixels = healpix.disc(nside, theta, phi, radius, inclusive=True)
    points = disc_points(theta, phi, radius, np.random.default_rng(0))
    found = pixels_of(points, nside)
    assert np.isin(found, pixels).all()
    assert np.isin(healpix.disc(nside, theta, phi, radius), pixels).all()
    for pixel in np.setdiff1d(pixels, found):
        distance = naive.distances(border(nside, pixel), naive.unit_vectors(theta, phi))
        assert distance.min() <= radius + 1e-5 / nside


def test_special_discs():
    n_pix = 12 * 16**2
    for radius in (math.pi, 4.0, 2 * math.pi):
        assert healpix.disc(16, 0.3, 1.0, radius).size == n_pix
        assert healpix.disc(16, 0.3, 1.0, radius, inclusive=True).size == n_pix
    for theta in (0.0, math.pi):
        assert healpix.disc(16, theta, 0.0, 0.0).size == 0
        assert healpix.disc(16, theta, 0.0, 0.0, inclusive=True).size >= 1
    theta, phi = healpix.pixel_angles(16, 1000)
    assert healpix.disc(16, theta, phi, 0.0, inclusive=True).tolist() == [1000]
    assert healpix.disc(2**29, 1.0, 1.0, 1e-8).size in range(25, 120)


def test_angles_with_units():
    pixels = healpix.disc(8, 60 * u.deg, -20 * u.deg, 600 * u.arcmin)
    np.testing.assert_array_equal(pixels, healpix.disc(8, *np.radians([60, -20, 10])))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((8, 60, 0, 0.1), "numpy.radians"),
        ((8, 1.0, 0, 10), "radius is 10; .*numpy.radians"),
        ((8, 1.0, 0, -0.1), "radius is -0.1"),
        ((8, 1.0, np.nan, 0.1), "phi contains NaN"),
        ((8, [[1.0, 2.0]], 0, 0.1), "expected one axis"),
        ((8, [1.0, 2.0], [0, 1, 2], 0.1), "theta has shape"),
        ((8, [1.0, 2.0], 0, [0.1, 0.2, 0.3]), "radius .* broadcast"),
        ((8, [1.0, 2.0], 0, [0.1, -0.2]), "radius is -0.2"),
        ((8, [1.0, 2.0], 0, [0.1, 20]), "radius is 20; .*numpy.radians"),
        ((0, 1.0, 0, 0.1), "nside is 0"),
    ],
)
def test_refused_discs(arguments, message):
    with pytest.raises(ValueError, match=message):
        healpix.disc(*arguments)


def test_lists_that_no_memory_holds():
    with pytest.raises(MemoryError, match="select a smaller region"):
        healpix.disc(2**29, 1.0, 1.0, 3.0)


@pytest.mark.parametrize("nest", [False, True])
@pytest.mark.parametrize("inclusive", [False, True])
def test_several_discs(inclusive, nest, rng):
    """Each has the pixels of a single one; blocks, empty discs, discs around a pole, large and small ones."""
    n = 2100
    theta, phi = np.arccos(rng.uniform(-1, 1, n)), rng.uniform(-7, 7, n)
    theta[:2] = 0.0, math.pi
    radius = 10 ** rng.uniform(-4, 0, n)
    radius[7], radius[8] = 0.0, 2 * math.pi
    flags = dict(inclusive=inclusive, nest=nest)
    lists = healpix.disc(16, theta, phi, radius, **flags)
    again = healpix.disc(16, theta, phi, radius, threads=3, **flags)
    assert isinstance(lists, list) and len(lists) == len(again) == n
    for i in range(n):
        expected = healpix.disc(16, theta[i], phi[i], radius[i], **flags)
        np.testing.assert_array_equal(lists[i], expected)
        np.testing.assert_array_equal(again[i], expected)
    assert lists[0].dtype == np.int64


def test_shapes_of_several_discs():
    grid = HEALPix(8)
    expected = grid.disc(1.0, 0.5, 0.3).tolist()
    for arguments in (([1.0], 0.5, 0.3), (1.0, 0.5, [0.3]), (np.float32([1]), 0.5, 0.3)):
        assert [x.tolist() for x in grid.disc(*arguments)] == [expected]
    lists = grid.disc([60, 60] * u.deg, 0, [5, 50] * u.deg)
    assert [len(x) for x in lists] == [len(grid.disc(60 * u.deg, 0, r * u.deg)) for r in (5, 50)]
    assert grid.disc([], [], 0.1) == []
    assert isinstance(grid.disc(np.array(1.0), 0, np.float64(0.3)), np.ndarray)
    with pytest.raises(MemoryError, match="select smaller regions"):
        healpix.disc(2**29, [1.0, 2.0], 1.0, 0.3)


# --- strips ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("i", range(len(STORED["strips"])))
def test_strips_of_healpy(i):
    nside, theta1, theta2 = STORED["strips"][i]
    pixels = healpix.strip(int(nside), theta1, theta2)
    np.testing.assert_array_equal(pixels, STORED[f"strip_{i}"])


@given(nsides, colatitudes, colatitudes)
def test_strips(nside, theta1, theta2):
    theta, _ = healpix.pixel_angles(nside)
    inside = (theta1 < theta) & (theta < theta2)
    if theta1 >= theta2:
        inside = (theta < theta2) | (theta1 < theta)
    clear = np.minimum(abs(theta - theta1), abs(theta - theta2)) > ROUNDING
    pixels = np.isin(np.arange(theta.size), healpix.strip(nside, theta1, theta2))
    np.testing.assert_array_equal(pixels[clear], inside[clear])


@pytest.mark.parametrize("nside", [1, 4, 5, 64, 100])
def test_borders_of_strips_are_closed(nside):
    theta, size, _, start = healpix.rings(nside)
    stop = start + size
    for first in range(len(theta) - 1):
        last = min(first + 2, len(theta) - 1)
        pixels = healpix.strip(nside, theta[first], theta[last])
        np.testing.assert_array_equal(pixels, np.arange(start[first], stop[last]))
        both = healpix.strip(nside, theta[last], theta[first])
        between = np.arange(stop[first], start[last])
        np.testing.assert_array_equal(both, np.delete(np.arange(12 * nside**2), between))


@given(nsides, st.floats(0.01, 3.1), st.floats(0.01, 3.1))
def test_inclusive_strips_overlap(nside, theta1, theta2):
    pixels = healpix.strip(nside, theta1, theta2, inclusive=True)
    inside = np.isin(np.arange(12 * nside**2), pixels)
    for pixel in range(0, inside.size, max(1, inside.size // 50)):
        theta, _ = healpix.boundaries(nside, pixel, 4)
        north, south = theta.min(), theta.max()
        if theta1 < theta2:
            overlaps = south >= theta1 and north <= theta2
        else:
            overlaps = south >= theta1 or north <= theta2
        assert inside[pixel] == overlaps


# --- polygons -------------------------------------------------------------------------------------


@pytest.mark.parametrize("i", range(5))
def test_polygons_of_healpy(i):
    (nside, *_), theta, phi = STORED[f"vertices_{i}"]
    for order in (slice(None), slice(None, None, -1)):
        pixels = healpix.polygon(int(nside), theta[order], phi[order])
        np.testing.assert_array_equal(pixels, STORED[f"polygon_{i}"])


@st.composite
def stars(draw):
    """Vertices around a center, at different distances: simple polygons, most of them not convex."""
    center = naive.unit_vectors(draw(colatitudes), draw(angles))
    azimuth = np.cumsum(draw(st.lists(st.floats(0.3, 1), min_size=4, max_size=9)))
    azimuth *= 2 * np.pi / (azimuth[-1] + 0.5)
    radius = draw(st.sampled_from([0.01, 0.1, 0.7]))
    distance = radius * np.array([draw(st.floats(0.3, 1)) for _ in azimuth])
    across = np.cross(center, naive.unit_vectors(1.0, 2.0))
    across /= np.linalg.norm(across)
    sideways = np.cos(azimuth)[:, None] * across
    sideways += np.sin(azimuth)[:, None] * np.cross(center, across)
    vertices = np.cos(distance)[:, None] * center + np.sin(distance)[:, None] * sideways
    return vertices[:: draw(st.sampled_from([1, -1]))]


def vertex_angles(vertices):
    theta = np.arctan2(np.hypot(vertices[:, 0], vertices[:, 1]), vertices[:, 2])
    return theta, np.arctan2(vertices[:, 1], vertices[:, 0])


def border_distances(points, vertices):
    """The sine of the distance to the great circle of the nearest edge, at most that to the edge."""
    normals = np.cross(vertices, np.roll(vertices, -1, axis=0))
    normals /= np.linalg.norm(normals, axis=1)[:, None]
    return abs(points @ normals.T).min(1)


def crosses(outline, vertices):
    """Whether an arc between neighbors of a closed outline meets an edge of a polygon; both below pi/2."""
    ends, edge_ends = np.roll(outline, -1, axis=0), np.roll(vertices, -1, axis=0)
    of_arcs, of_edges = np.cross(outline, ends), np.cross(vertices, edge_ends)
    separated = (outline @ of_edges.T) * (ends @ of_edges.T) <= 0
    separated &= (of_arcs @ vertices.T) * (of_arcs @ edge_ends.T) <= 0
    return (separated & (outline @ (vertices + edge_ends).T > 0)).any()


@given(st.sampled_from([*NSIDES, 64]), stars())
def test_polygons(nside, vertices):
    points = centers(nside)
    inside = abs(naive.turns(points, vertices)) > 0.5
    inside &= points @ vertices.mean(0) > 0  # and not about the antipode
    pixels = healpix.polygon(nside, *vertex_angles(vertices))
    clear = border_distances(points, vertices) > ROUNDING
    selected = np.isin(np.arange(12 * nside**2), pixels)
    np.testing.assert_array_equal(selected[clear], inside[clear])


@given(nsides, stars())
def test_inclusive_polygons_overlap(nside, vertices):
    rng = np.random.default_rng(0)
    pixels = healpix.polygon(nside, *vertex_angles(vertices), inclusive=True)
    assert np.isin(healpix.polygon(nside, *vertex_angles(vertices)), pixels).all()
    fraction, edge = rng.random((POINTS, 1)), rng.integers(0, len(vertices), POINTS)
    points = vertices[edge] * fraction + vertices[(edge + 1) % len(vertices)] * (1 - fraction)
    points /= np.linalg.norm(points, axis=1)[:, None]
    found = pixels_of(points, nside)
    touched = np.isin(found, pixels)
    # a pixel of which an edge touches the border only, up to rounding
    for pixel in found[~touched]:
        member = points[healpix.pixel_of(nside, *vertex_angles(points)) == pixel]
        assert naive.distances(border(nside, pixel)[:, None], member[:1]).min() < ROUNDING
    touching = [p for p in pixels if p not in found]
    for pixel in touching:
        outline = np.append(border(nside, pixel), centers(nside)[pixel : pixel + 1], axis=0)
        inside = abs(naive.turns(outline, vertices)) > 0.5
        # an arc between two samples of a border of a pixel is this close to the border
        is_close = border_distances(outline, vertices).min() < 1e-6 / nside
        assert inside.any() or crosses(outline[:-1], vertices) or is_close


def test_polygons_around_both_poles():
    """A band along a meridian, a hemisphere's half, with both poles inside."""
    theta, phi = [0.2, math.pi / 2, math.pi - 0.2, math.pi - 0.2, math.pi / 2, 0.2], []
    phi = [2.0, 0.5, 2.0, -2.0, -0.5, -2.0]
    pixels = healpix.polygon(16, theta, phi)
    assert np.isin([0, 1, 2, 3, *range(12 * 256 - 4, 12 * 256)], pixels).all()
    theta, phi = np.array(theta), np.array(phi)
    np.testing.assert_array_equal(pixels, healpix.polygon(16, theta[::-1], phi[::-1] + 2 * math.pi))
    assert pixels.size < 6 * 256
    equator = healpix.pixel_of(16, math.pi / 2, [0.0, 0.4, 0.6, 3.0])
    assert np.isin(equator, pixels).tolist() == [True, True, False, False]


@pytest.mark.parametrize(
    "theta, phi, message",
    [
        ([1.0, 1.1], [0, 1], "at least three vertices"),
        ([1.0, 1.1, 1.2, 1.0], [0, 0.1, 0.2, 0], "vertices 0 and 3 of the polygon are equal"),
        ([0.0, 1.1, 0.0], [0, 0.1, 2], "vertices 0 and 2 of the polygon are equal"),
        ([1.0, math.pi - 1, 1.2], [0, math.pi, 0.2], "opposite points"),
        ([1.0, 1.5, 1.0, 1.5], [0, 0.5, 0.5, 0], "cross each other"),
        ([math.pi / 2] * 3, [0, 2, 4], "hemisphere"),
        ([60, 50, 40], [10, 20, 30], "numpy.radians"),
        ([1.0, 1.1, 1.2], [0, np.inf, 1], "phi contains NaN"),
    ],
)
def test_refused_polygons(theta, phi, message):
    with pytest.raises(ValueError, match=message):
        healpix.polygon(8, theta, phi)


# --- orders, and healpy ---------------------------------------------------------------------------


@given(st.sampled_from([1, 2, 4, 16]), colatitudes, angles, radii, st.booleans())
def test_nested_order(nside, theta, phi, radius, inclusive):
    ring = healpix.disc(nside, theta, phi, radius, inclusive=inclusive)
    nested = healpix.disc(nside, theta, phi, radius, inclusive=inclusive, nest=True)
    np.testing.assert_array_equal(nested, np.sort(healpix.ring2nest(nside, ring)))


def test_methods_of_the_grid():
    grid = HEALPix(8)
    for inclusive in (True, False):
        flags = dict(inclusive=inclusive, nest=True)
        calls = dict(disc=(1.0, 1.0, 0.3), strip=(0.5, 1.0), polygon=([1, 1.2, 1.3], [0, 0.5, 0]))
        for name, arguments in calls.items():
            expected = getattr(healpix, name)(8, *arguments, **flags)
            np.testing.assert_array_equal(getattr(grid, name)(*arguments, **flags), expected)
    with pytest.raises(ValueError, match="power of two"):
        HEALPix(3).disc(1.0, 1.0, 0.1, nest=True)


@pytest.mark.slow
@pytest.mark.parametrize("nside", [2**k for k in range(14)] + [3, 100, 1000, 5000])
def test_regions_of_healpy(nside, rng):
    healpy = pytest.importorskip("healpy", reason="healpy is not installed")
    nest = nside & (nside - 1) == 0
    for _ in range(100 if nside <= 1024 else 10):
        theta, phi, radius = np.arccos(rng.uniform(-1, 1)), rng.uniform(-9, 9), rng.random() ** 3
        radius *= min(np.pi, 200 / nside)
        center = healpy.ang2vec(theta, phi)
        expected = healpy.query_disc(nside, center, radius)
        np.testing.assert_array_equal(healpix.disc(nside, theta, phi, radius), expected)
        inclusive = healpix.disc(nside, theta, phi, radius, inclusive=True)
        assert np.isin(expected, inclusive).all()
        assert np.isin(inclusive, healpy.query_disc(nside, center, radius, inclusive=True)).all()
        if nest:
            expected = healpy.query_disc(nside, center, radius, nest=True)
            pixels = healpix.disc(nside, theta, phi, radius, nest=True)
            np.testing.assert_array_equal(pixels, expected)
        azimuth = np.sort(rng.uniform(0, 2 * np.pi, 3)) + [0, 0.1, 0.2]
        corners = np.stack([np.cos(azimuth), np.sin(azimuth), np.ones(3)]) * [
            [radius],
            [radius],
            [1],
        ]
        vertices = (healpy.Rotator([phi, 0, theta], deg=False, eulertype="Y").mat @ corners).T
        vertices /= np.linalg.norm(vertices, axis=1)[:, None]
        expected = healpy.query_polygon(nside, vertices)
        np.testing.assert_array_equal(healpix.polygon(nside, *vertex_angles(vertices)), expected)
    for theta1, theta2 in np.arccos(rng.uniform(-1, 1, (3, 2))):
        if nside > 1024:  # lists of strips of any width would fill the memory
            theta2 = min(np.pi, theta1 + 200 / nside)
        expected = healpy.query_strip(nside, theta1, theta2)
        np.testing.assert_array_equal(healpix.strip(nside, theta1, theta2), expected)
