"""Pixel functions of HEALPix: against the definitions, against healpy, input of any kind, refusals."""

import naive
import numpy as np
import pytest
from autograd import grad
from helpers import healpix_values
from helpers.data import oracle
from tolerances import ADJOINT, INTERPOLATION_SLOPE, SHORT_SUM

from spherekit._core.missing import UNSEEN
from spherekit.sampling import HEALPix, healpix, healpix_interpolation
from spherekit.sampling.healpix_arguments import HEALPY_NAMES
from spherekit.testing import assert_adjoint

VALUES = oracle("healpix_pixels")
#: Two codes round longitudes up to 2 pi, each to a unit in the last place (9e-16): absolute.
ANGLES = 3e-15
SMALL = (1, 2, 3, 4, 7)


def vectors(theta, phi):
    return np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], -1)


def random_directions(rng, shape):
    return np.arccos(rng.uniform(-1, 1, shape)), rng.uniform(-7, 14, shape)


def assert_near(a, b, tolerance):
    np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


# --- the definitions ------------------------------------------------------------------------------


@pytest.mark.parametrize("nside", SMALL)
def test_pixels_are_those_of_the_definition(nside, rng):
    theta, phi = random_directions(rng, 60)
    expected = [naive.healpix_pixel(nside, *point) for point in zip(theta, phi, strict=True)]
    assert HEALPix(nside).pixel_of(theta, phi).tolist() == expected


@pytest.mark.parametrize("nside", SMALL)
def test_corners_are_those_of_the_definition(nside):
    theta, phi = HEALPix(nside).boundaries(range(12 * nside**2))
    expected = np.moveaxis(np.array(naive.healpix_corners(nside)), 2, 0)
    assert_near(vectors(theta, phi), vectors(*expected), ANGLES)


@pytest.mark.parametrize("nside", SMALL)
def test_neighbours_share_edges_or_corners(nside):
    neighbours = HEALPix(nside).neighbours(range(12 * nside**2))
    assert neighbours.T.tolist() == naive.healpix_neighbours(nside)


@pytest.mark.parametrize("nside", SMALL)
def test_interpolation_is_that_of_the_definition(nside, rng):
    f = rng.standard_normal(12 * nside**2)
    theta, phi = random_directions(rng, 50)
    theta[:4] = 0, np.pi, 1e-9, np.pi - 1e-9
    expected = [naive.healpix_interpolate(f, *point) for point in zip(theta, phi, strict=True)]
    assert_near(HEALPix(nside).interpolate(f, theta, phi), expected, SHORT_SUM * nside)


# --- identities -----------------------------------------------------------------------------------

NSIDES = [*SMALL, 8, 100, 1024, 5003, 2**20, 2**28 + 1, 2**29]


def pixels_of(nside, rng, count=3000):
    """Random pixels, those of the first and last rings, and all corners of base pixels (nested)."""
    faces = np.arange(12)[:, None] * nside**2
    corners = (faces + [0, nside**2 // 3, 2 * nside**2 // 3, nside**2 - 1]).ravel()
    ends = np.arange(min(40, 12 * nside**2))
    random = rng.integers(0, 12 * nside**2, count)
    return np.concatenate([random, ends, 12 * nside**2 - 1 - ends, corners])


@pytest.mark.parametrize("nside", NSIDES)
def test_each_center_is_in_its_pixel(nside, rng):
    pixels = pixels_of(nside, rng)
    for nest in {False, nside & (nside - 1) == 0}:
        theta, phi = HEALPix(nside).angles_of(pixels, nest=nest)
        assert np.array_equal(HEALPix(nside).pixel_of(theta, phi, nest=nest), pixels)
        assert theta.min() > 0 and theta.max() < np.pi and phi.min() >= 0 and phi.max() < 2 * np.pi


@pytest.mark.parametrize("nside", [n for n in NSIDES if n & (n - 1) == 0])
def test_orders(nside, rng):
    grid, pixels = HEALPix(nside), pixels_of(nside, rng)
    nested = grid.to_nested(pixels)
    assert np.array_equal(grid.to_ring(nested), pixels)
    theta, phi = random_directions(rng, 1000)
    assert np.array_equal(
        grid.to_ring(grid.pixel_of(theta, phi, nest=True)), grid.pixel_of(theta, phi)
    )
    neighbours = grid.neighbours(nested, nest=True)
    valid = neighbours >= 0
    neighbours[valid] = grid.to_ring(neighbours[valid])
    assert np.array_equal(neighbours, grid.neighbours(pixels))
    angles = grid.angles_of(pixels), grid.boundaries(pixels, 2)
    for a, b in zip(
        angles,
        (grid.angles_of(nested, nest=True), grid.boundaries(nested, 2, nest=True)),
        strict=True,
    ):
        assert np.array_equal(a, b)
    a, b = grid.interpolation_weights(theta, phi), grid.interpolation_weights(theta, phi, nest=True)
    assert np.array_equal(a[0], grid.to_ring(b[0])) and np.array_equal(a[1], b[1])


@pytest.mark.parametrize("nside", NSIDES)
def test_neighbours_are_mutual(nside, rng):
    """The pixel beyond an edge or a corner; 24 corners have no pixel in one direction, 8 without it."""
    pixels = pixels_of(nside, rng)
    neighbours = HEALPix(nside).neighbours(pixels)
    assert not np.any(neighbours == pixels)
    for direction in neighbours:
        valid = direction >= 0
        back = HEALPix(nside).neighbours(direction[valid])
        assert (back == pixels[valid]).any(axis=0).all()


@pytest.mark.parametrize("nside", [2, 3, 16])
def test_24_pixels_have_no_neighbour_in_one_direction(nside):
    missing = HEALPix(nside).neighbours(range(12 * nside**2)) == -1
    assert missing.sum() == 24 and missing.sum(axis=0).max() == 1
    assert (HEALPix(1).neighbours(range(12)) == -1).sum(axis=0).tolist() == [2] * 12


@pytest.mark.parametrize("nside", NSIDES)
def test_weights_are_from_0_to_1_and_of_sum_1(nside, rng):
    theta, phi = random_directions(rng, 3000)
    theta[:300] *= 10 ** rng.uniform(-12, 0, 300)
    theta[300:600] = np.pi - 10 ** rng.uniform(-12, 0, 300)
    pixels, weights = HEALPix(nside).interpolation_weights(theta, phi)
    assert weights.min() >= 0 and pixels.min() >= 0 and pixels.max() < 12 * nside**2
    assert_near(weights.sum(axis=0), 1, 4e-16)
    centers = vectors(*HEALPix(nside).angles_of(pixels))
    distances = np.linalg.norm(centers - vectors(theta, phi), axis=-1)
    assert distances[weights > INTERPOLATION_SLOPE * nside].max() < 1.8 / nside


def test_interpolation_at_centers_is_the_map(rng):
    for nside in (1, 3, 8):
        grid = HEALPix(nside)
        f = rng.standard_normal(grid.shape)
        assert_near(grid.interpolate(f, grid.theta, grid.phi), f, 10 * INTERPOLATION_SLOPE * nside)


# --- healpy ---------------------------------------------------------------------------------------


def assert_equals_healpy(nside, theta, phi, expected):
    grid = HEALPix(nside)
    pixels = grid.pixel_of(theta, phi)
    assert np.array_equal(pixels, expected["ring"])
    assert_near(grid.angles_of(pixels), expected["angles"], ANGLES)
    assert np.array_equal(grid.neighbours(pixels), expected["neighbours"])
    if "nested" in expected:
        valid = phi != healpix_values.FULL_TURN
        nested = grid.pixel_of(theta, phi, nest=True)
        assert np.array_equal(nested[valid], expected["nested"][valid])
        result = grid.neighbours(nested, nest=True)
        assert np.array_equal(result[:, valid], expected["nested_neighbours"][:, valid])
        assert np.array_equal(grid.to_ring(nested), pixels)


def assert_same_interpolation(nside, theta, phi, pixels, weights):
    """But for longitudes that `healpix_values.FULL_TURN` excludes."""
    result = HEALPix(nside).interpolation_weights(theta, phi)
    valid = phi != healpix_values.FULL_TURN
    assert np.array_equal(result[0][:, valid], pixels[:, valid])
    assert_near(result[1][:, valid], weights[:, valid], INTERPOLATION_SLOPE * nside)


@pytest.mark.parametrize("nside", healpix_values.STORED)
def test_stored_values_of_healpy(nside):
    expected = {
        name.partition("/")[2]: value
        for name, value in VALUES.items()
        if name.startswith(f"{nside}/")
    }
    theta, phi = expected["theta"], expected["phi"]
    assert_equals_healpy(nside, theta, phi, expected)
    boundaries = HEALPix(nside).boundaries(expected["ring"][:20], 3)
    assert_near(vectors(*boundaries), expected["boundaries"], ANGLES)
    if "weights" in expected:
        assert_same_interpolation(nside, theta, phi, expected["pixels"], expected["weights"])


def compare_with_healpy(nside, count):
    pytest.importorskip("healpy", reason="healpy is not installed")
    theta, phi = healpix_values.directions(nside, count)
    expected = healpix_values.pixel_values(nside, theta, phi)
    assert_equals_healpy(nside, theta, phi, expected)
    pixels = expected["ring"][:5000]
    boundaries = HEALPix(nside).boundaries(pixels, 3)
    expected = healpix_values.boundary_values(nside, pixels, 3)
    assert_near(vectors(*boundaries), expected, ANGLES)
    if nside <= max(healpix_values.NSIDES):
        expected = healpix_values.interpolation_values(nside, theta, phi)
        assert_same_interpolation(nside, theta, phi, *expected)


@pytest.mark.parametrize("nside", [*healpix_values.NSIDES, *healpix_values.HUGE])
def test_equal_to_healpy(nside):
    compare_with_healpy(nside, 3000)


@pytest.mark.slow
@pytest.mark.parametrize("nside", [*healpix_values.NSIDES, *healpix_values.HUGE])
def test_equal_to_healpy_at_a_million_points(nside):
    compare_with_healpy(nside, 10**6)


# --- interpolation: types, missing samples, derivatives -------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_interpolation_of_any_leading_axes(dtype, rng):
    grid = HEALPix(4)
    f = rng.standard_normal((2, 3, *grid.shape)).astype(dtype)
    if np.iscomplexobj(f):
        f += 1j * rng.standard_normal(f.shape)
    theta, phi = random_directions(rng, (5, 7))
    pixels, weights = grid.interpolation_weights(theta, phi)
    expected = (f[..., pixels] * weights).sum(axis=2)
    values = grid.interpolate(f, theta, phi)
    assert values.dtype == dtype and values.shape == (2, 3, 5, 7)
    tolerance = 10 * np.finfo(dtype).eps
    assert_near(values, expected, tolerance)
    adjoint = grid.interpolate_adjoint(values, theta, phi)
    assert adjoint.dtype == dtype and adjoint.shape == f.shape
    wide = np.result_type(dtype, float)
    expected = np.zeros(f.shape, wide)
    for index in np.ndindex(2, 3):
        np.add.at(expected[index], pixels, weights * values[index])
    assert_near(adjoint, expected, tolerance)


def test_interpolation_and_its_adjoint(rng):
    grid = HEALPix(16)
    points = random_directions(rng, 3000)
    for real in (True, False):
        f, values = rng.standard_normal(grid.shape), rng.standard_normal(3000)
        if not real:
            f, values = f + 1j * f[::-1], values - 2j * values[::-1]
        assert_adjoint(
            lambda x: grid.interpolate(x, *points),
            lambda y: grid.interpolate_adjoint(y, *points),
            f,
            values,
            ADJOINT[np.dtype(float)],
            real=real,
        )


def test_gradient_of_the_interpolation_is_the_adjoint(rng):
    grid = HEALPix(3)
    theta, phi = random_directions(rng, 20)
    f = rng.standard_normal(grid.shape)
    gradient = grad(lambda x: (grid.interpolate(x, theta, phi) ** 2).sum() / 2)(f)
    values = grid.interpolate(f, theta, phi)
    assert np.array_equal(gradient, grid.interpolate_adjoint(values, theta, phi))


@pytest.mark.parametrize("missing", [np.nan, UNSEEN, np.float32(UNSEEN)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_values_next_to_missing_samples_are_missing(missing, dtype, rng):
    grid = HEALPix(8)
    f = rng.standard_normal(grid.shape).astype(dtype)
    f[100:200] = missing
    theta, phi = random_directions(rng, 1000)
    pixels, weights = grid.interpolation_weights(theta, phi)
    affected = ((pixels >= 100) & (pixels < 200) & (weights > 0)).any(axis=0)
    values = grid.interpolate(f, theta, phi)
    assert 0 < affected.sum() < 500 and np.array_equal(np.isnan(values), affected)


def test_a_missing_sample_without_weight_has_no_effect():
    f = np.zeros(12)
    f[8:] = UNSEEN
    assert HEALPix(1).interpolate(f, np.pi / 2, 0.3) == 0


def test_sentinels_in_another_unit_are_refused(rng):
    grid = HEALPix(8)
    f = rng.standard_normal(grid.shape)
    for value, message in ((np.inf, "infinite"), (UNSEEN * 1e6, "1e15 times the median")):
        f[300] = value
        with pytest.raises(ValueError, match=message):
            grid.interpolate(f, *grid.angles_of(300))
    with pytest.raises(ValueError, match="NaN or infinite"):
        grid.interpolate_adjoint([np.nan], [0.1], [0.1])


# --- arguments ------------------------------------------------------------------------------------


def calls(grid, theta, phi, threads=None):
    """Results of all functions, a list of arrays."""
    f = np.cos(np.arange(grid.shape[0]))
    options = dict(threads=threads)
    pixels = grid.pixel_of(theta, phi, **options)
    values = grid.interpolate(f, theta, phi, **options)
    several = np.stack([values, 2 * values, values])
    nested = grid.to_nested(pixels, **options)
    return [
        pixels,
        grid.pixel_of(theta, phi, nest=True, **options),
        *grid.angles_of(pixels, **options),
        nested,
        grid.to_ring(nested, **options),
        grid.neighbours(pixels, **options),
        *grid.boundaries(pixels, 3, **options),
        *grid.interpolation_weights(theta, phi, **options),
        values,
        grid.interpolate_adjoint(several, theta, phi, **options),
    ]


def test_results_do_not_depend_on_threads(rng):
    points = random_directions(rng, 50000)
    for results in zip(*(calls(HEALPix(16), *points, n) for n in (1, 2, 5)), strict=True):
        assert all(np.array_equal(results[0], x) for x in results[1:])


def test_shapes(rng):
    grid = HEALPix(4)
    theta, phi = random_directions(rng, (2, 3))
    flat = calls(grid, theta.ravel(), phi.ravel())
    strided = calls(grid, np.asfortranarray(theta), np.repeat(phi, 2, axis=1)[:, ::2])
    for x, y in zip(flat, strided, strict=True):
        assert np.array_equal(x.ravel(), y.ravel())
    assert grid.neighbours([[1, 2, 3]]).shape == (8, 1, 3)
    assert grid.boundaries([[1, 2, 3]], 2)[0].shape == (1, 3, 8)
    assert grid.pixel_of([[0.1], [0.2]], [0.3, 0.4, 0.5]).shape == (2, 3)
    assert grid.interpolation_weights([[0.1], [0.2]], [0.3, 0.4, 0.5])[1].shape == (4, 2, 3)
    assert grid.pixel_of(0.1, 0.2).shape == () and grid.angles_of(3)[0].shape == ()
    assert grid.interpolate(np.ones((5, 192)), 0.1, 0.2).shape == (5,)
    assert grid.interpolate_adjoint(np.ones(5), 0.1, 0.2).shape == (5, 192)
    for x in calls(grid, [], []):
        assert x.size == 0 or not x.any()


def test_read_only_arrays_and_other_types(rng):
    grid = HEALPix(4)
    theta, phi = random_directions(rng, 6)
    expected = calls(grid, theta, phi)
    theta.flags.writeable = phi.flags.writeable = False
    swapped = theta.astype(">f8"), phi.tolist()
    for points in ((theta, phi), swapped):
        for x, y in zip(expected, calls(grid, *points), strict=True):
            assert np.array_equal(x, y)
    pixels = expected[0].astype(np.uint16)
    assert np.array_equal(grid.to_nested(pixels), expected[4])
    assert grid.to_nested(pixels).dtype == np.int64


def test_angles_with_a_unit_are_converted():
    units = pytest.importorskip("astropy.units", reason="astropy is not installed")
    pixel = HEALPix(64).pixel_of(60 * units.deg, 3 * units.hourangle)
    assert pixel == HEALPix(64).pixel_of(np.pi / 3, np.pi / 4)
    with pytest.raises(ValueError, match="unit m; expected an angle"):
        HEALPix(64).pixel_of(60 * units.m, 0.0)


@pytest.mark.parametrize("dtype", [float, np.float32, complex])
def test_maps_in_nested_order(dtype, rng):
    grid = HEALPix(8)
    f = rng.standard_normal((2, *grid.shape)).astype(dtype)
    theta, phi = np.arccos(rng.uniform(-1, 1, (3, 5))), rng.uniform(-7, 7, 5)
    nested = healpix.reorder(f, "ring")
    values = grid.interpolate(f, theta, phi)
    np.testing.assert_array_equal(grid.interpolate(nested, theta, phi, nest=True), values)
    np.testing.assert_array_equal(healpix.interpolate(nested, theta, phi, nest=True), values)
    maps = grid.interpolate_adjoint(values, theta, phi, nest=True)
    expected = healpix.reorder(grid.interpolate_adjoint(values, theta, phi), "ring")
    np.testing.assert_array_equal(maps, expected)
    if dtype is float:
        assert_adjoint(
            lambda x: grid.interpolate(x, theta, phi, nest=True),
            lambda g: grid.interpolate_adjoint(g, theta, phi, nest=True),
            nested,
            values,
            ADJOINT[np.dtype(float)],
        )


def test_scalars_and_names_of_orders(rng):
    f = rng.standard_normal(48)
    assert type(HEALPix(2).interpolate(f, 0.1, 0.2)) is np.float64
    assert type(healpix.interpolate(f.astype(np.complex64), 0.1, 0.2)) is np.complex64
    for name in ("nested", "nest", "NESTED", "NEST"):
        np.testing.assert_array_equal(healpix.reorder(f, name), healpix.reorder(f, "nested"))
    np.testing.assert_array_equal(healpix.reorder(f, "RING"), healpix.reorder(f, "ring"))


def test_names_of_healpy_lead_to_methods():
    """The methods and functions that the messages recommend exist."""
    grid = HEALPix(2)
    for method, function in HEALPY_NAMES.values():
        for owner, advice in ((grid, method), (healpix, function)):
            for word in advice.replace(" or ", " ").split():
                word = word.removeprefix("spherekit.sampling.healpix.").split("[")[0]
                assert hasattr(owner, word) or hasattr(healpix, word) or "nside**2" in advice


def test_all_pixels_by_default():
    angles = HEALPix(4).angles_of()
    np.testing.assert_array_equal(angles, healpix.pixel_angles(4))
    theta, phi = healpix.pixel_angles(3)
    assert np.array_equal(theta, HEALPix(3).theta)
    assert_near(phi, HEALPix(3).phi, ANGLES)


def traced(name):
    def loss(x):
        angles = {"theta": 0.5, "phi": 0.1} | {name: x}
        return HEALPix(1).interpolate(np.ones(12), **angles)

    return grad(loss)(0.2)


MASKED = np.ma.array([1, 2], mask=[False, True])
MASKED_MAP = np.ma.array(np.ones(48), mask=np.arange(48) < 3)

REFUSALS = [
    (
        lambda: HEALPix(2).pixel_of(-0.2, 0),
        ValueError,
        r"-0.2 .*\[0, pi\].* latitude is pi/2 - lat",
    ),
    (lambda: HEALPix(2).pixel_of(45.0, 0), ValueError, r"numpy.radians converts degrees$"),
    (
        lambda: HEALPix(2).pixel_of(-45.0, 0),
        ValueError,
        r"converts degrees; the colatitude of a lat",
    ),
    (lambda: HEALPix(2).pixel_of([0.1, np.nan], 0), ValueError, "theta contains NaN"),
    (lambda: HEALPix(2).pixel_of(0.1, [np.inf]), ValueError, "phi contains NaN or infinite"),
    (lambda: HEALPix(2).pixel_of([0.1, 0.2], [1, 2, 3]), ValueError, r"\(2,\) and phi \(3,\)"),
    (lambda: HEALPix(2).pixel_of(0.1j, 0), TypeError, "theta has dtype complex128"),
    (lambda: HEALPix(2).pixel_of("0.1", 0), TypeError, "theta has dtype <U3"),
    (lambda: HEALPix(3).pixel_of(0.1, 0, nest=True), ValueError, "nside is 3; .*power of two"),
    (lambda: healpix.pixel_of(0, 0.1, 0), ValueError, "nside is 0; expected an integer >= 1"),
    (lambda: healpix.pixel_of(2**29 + 1, 0.1, 0), ValueError, "<= 536870912"),
    (lambda: healpix.pixel_of(2.0, 0.1, 0), TypeError, "nside is 2.0"),
    (lambda: HEALPix(2).pixel_of(0.1, 0, threads=0), ValueError, "threads is 0"),
    (lambda: HEALPix(2).angles_of(48), ValueError, r"48 to 48; nside 2 has the pixels 0\.\.47"),
    (lambda: HEALPix(2).angles_of([0, -1]), ValueError, r"-1 to 0; nside 2 has"),
    (lambda: HEALPix(2).angles_of(1.0), TypeError, "dtype float64; expected integers"),
    (lambda: HEALPix(2).angles_of(True), TypeError, "dtype bool; expected integers"),
    (lambda: HEALPix(2).neighbours([47, 48]), ValueError, r"47 to 48"),
    (lambda: HEALPix(3).neighbours(1, nest=True), ValueError, "power of two"),
    (lambda: HEALPix(2).boundaries(-1), ValueError, r"-1 to -1"),
    (lambda: HEALPix(2).boundaries(1, 0), ValueError, "step is 0; expected an integer >= 1"),
    (lambda: HEALPix(3).boundaries(1, nest=True), ValueError, "power of two"),
    (lambda: HEALPix(3).to_nested(1), ValueError, "power of two"),
    (lambda: HEALPix(2).to_ring([50]), ValueError, r"0\.\.47"),
    (lambda: HEALPix(2).to_ring(np.uint64(2**63)), ValueError, r"from 92233.* 0\.\.47"),
    (lambda: HEALPix(2).to_ring([2**70, 1]), ValueError, r"from 1 to 1180591.* 0\.\.47"),
    (lambda: HEALPix(2).to_ring(-(2**70)), ValueError, r"from -1180591.* 0\.\.47"),
    (lambda: HEALPix(2).to_ring([2**63, -1]), ValueError, r"from -1 to 92233.* 0\.\.47"),
    (lambda: HEALPix(2).to_ring([None]), TypeError, r"object \(NoneType\); expected integers$"),
    (lambda: HEALPix(2).to_ring(MASKED), TypeError, r"pass those .*, pixels\[valid\]$"),
    (lambda: HEALPix(2).pixel_of(MASKED, 0), TypeError, r"pass those .*, theta\[valid\]$"),
    (lambda: HEALPix(2).pixel_of(0, MASKED), TypeError, r"pass those .*, phi\[valid\]$"),
    (lambda: HEALPix(2).interpolate(MASKED_MAP, 0, 0), TypeError, r"filled\(numpy.nan\)"),
    (lambda: healpix.interpolate(MASKED_MAP, 0, 0), TypeError, r"filled\(numpy.nan\)"),
    (lambda: healpix.interpolate(np.ones(27 * 4), 0, 0, nest=True), ValueError, "power of two"),
    (lambda: HEALPix(2).query_disc, AttributeError, "'HEALPix' .*'query_disc'; use disc$"),
    (lambda: HEALPix(2).pixel_angles, AttributeError, "use angles_of$"),
    (lambda: HEALPix(2).reorder, AttributeError, "use spherekit.sampling.healpix.reorder$"),
    (lambda: HEALPix(2).nothing, AttributeError, "no attribute 'nothing'$"),
    (lambda: healpix.ang2pix, AttributeError, "'ang2pix'; use pixel_of$"),
    (lambda: healpix.nothing, AttributeError, "no attribute 'nothing'$"),
    (lambda: healpix.reorder(np.ones(12), "nests"), ValueError, "source is 'nests'; expected"),
    (lambda: HEALPix(2).interpolation_weights(4.0, 0), ValueError, r"ranges from 4 to 4"),
    (lambda: HEALPix(2).interpolate(np.ones(12), 0.1, 0), ValueError, r"\(12,\).* RING order"),
    (lambda: HEALPix(2).interpolate(1.0, 0.1, 0), ValueError, r"samples have shape \(\)"),
    (lambda: healpix_interpolation.interpolate(np.ones(13), 0, 0), ValueError, "not a HEALPix map"),
    (lambda: HEALPix(1).interpolate(["a"] * 12, 0, 0), TypeError, "f has dtype <U1"),
    (lambda: HEALPix(1).interpolate_adjoint([1, 2.0], [0.1], 0), ValueError, r"\(2,\); 1 points"),
    (lambda: traced("theta"), TypeError, "theta is traced by autograd.*spherekit.evaluate"),
    (lambda: traced("phi"), TypeError, "phi is traced by autograd"),
]


@pytest.mark.parametrize("call, error, message", REFUSALS)
def test_refusals_name_the_cause(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_results_beyond_the_memory_are_refused(monkeypatch):
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e5")
    grid, many = HEALPix(64), np.zeros(10000)
    for call in (
        lambda: grid.neighbours(many.astype(int)),
        lambda: grid.boundaries(many.astype(int)),
        lambda: grid.interpolation_weights(many, many),
        lambda: grid.interpolate(np.ones((2, *grid.shape)), many, many),
        lambda: grid.interpolate_adjoint(1.0, 0.0, 0.0),
    ):
        with pytest.raises(MemoryError, match="SPHEREKIT_MAX_MEMORY"):
            call()


def test_maps_beyond_the_memory_are_refused():
    with pytest.raises(MemoryError, match="a map of healpix:4194304 needs about 8.44e"):
        _ = HEALPix(2**22).theta


def test_float32_pi_is_the_south_pole():
    assert HEALPix(2).pixel_of(np.float32(np.pi), 0.0) == 44
