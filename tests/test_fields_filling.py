"""Missing samples: filled by band-limited least squares, refused where the samples do not determine them."""

import importlib.util

import numpy as np
import pytest
from autograd import grad
from helpers.data import real_file
from tolerances import CHAIN, COMMAND, LAST_PLACES, SINGLE_VALUES

import spherekit
from spherekit import fields, io
from spherekit.conventions import to_real
from spherekit.fields.gaps import bandwidth, gap_condition, gap_radius
from spherekit.harmonic import synthesis_operator
from spherekit.sampling import GL, MW, MWSS, HEALPix, Rings
from spherekit.sampling import grid as as_grid
from spherekit.testing import random_flm

UNSEEN = -1.6375e30


def samples(L, grid, rng, spin=0, shape=()):
    """Samples of signals of unit rms."""
    flm = random_flm(L, rng, spin=spin, reality=spin == 0, shape=shape) * np.sqrt(4 * np.pi) / L
    return spherekit.inverse(flm, L, spin=spin, sampling=grid, reality=spin == 0)


def theta(grid):
    """The colatitude of each sample."""
    return np.broadcast_to(grid.theta[:, None] if grid.rectangular else grid.theta, grid.shape)


# --- recovery -------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [np.nan, UNSEEN, np.inf])
@pytest.mark.parametrize("spin", [0, 1, 2])
@pytest.mark.parametrize("grid", [HEALPix(8), MW(18), GL(18), MWSS(16)], ids=repr)
def test_band_limited_fields_are_recovered(grid, spin, missing, rng):
    """To rounding times the condition number; observed samples keep their bits."""
    f = samples(12, grid, rng, spin)
    gap = (theta(grid) < 0.5) | (rng.random(grid.shape) < 0.05)
    g = np.where(gap, missing, f)
    mask = ~gap if np.isinf(missing) else None
    if mask is not None:
        g[gap] = 7.0
    options = dict(sampling=grid, spin=spin, L=12, tol=1e-15, allow_unconverged=True)
    filled, fit = fields.fill(g, mask, return_fit=True, max_condition=1e5, **options)
    assert fit.L == 12 and fit.missing == np.count_nonzero(gap) and fit.condition > 2
    np.testing.assert_array_equal(filled[~gap], f[~gap])
    assert np.abs(filled - f).max() < 20 * LAST_PLACES * fit.condition * np.abs(f).max()


def test_the_condition_is_that_of_the_matrix(rng):
    grid = HEALPix(8)
    for gap in (grid.theta < 0.5, np.abs(grid.theta - 1.5) < 0.2, rng.random(grid.shape) < 0.4):
        f = samples(12, grid, rng)
        _, fit = fields.fill(f, ~gap, sampling=grid, L=12, return_fit=True)
        A = synthesis_operator(12, sampling=grid, reality=True, mask=~gap)
        condition = np.linalg.cond(A @ np.eye(144))
        assert 0.98 * condition < fit.condition < (1 + COMMAND) * condition


@pytest.mark.parametrize("spin", [0, 2])
@pytest.mark.parametrize("name, L", [("gl:16", 16), ("mw:16", 16), ("mwss:16", 15)])
def test_singular_problems_are_refused(name, L, spin, rng):
    """A ring less than there are degrees of an order: no iteration sees what the samples do not contain."""
    grid = as_grid(name)
    rows = np.ones(grid.shape) * np.arange(grid.shape[0])[:, None]
    gap = rows < grid.shape[0] - L + 1 + spin
    f = np.where(gap, np.nan, samples(12, grid, rng, spin))
    with pytest.raises(ValueError, match=f"do not determine the degrees < {L} .*Pass L="):
        fields.fill(f, sampling=grid, L=L, spin=spin, max_condition=1e6)


@pytest.mark.parametrize("name, L", [("gl:16", 15), ("mw:16", 15), ("mwss:16", 14)])
def test_the_largest_degrees_that_rings_determine(name, L, rng):
    grid = as_grid(name)
    gap = theta(grid) < grid.theta[1]
    _, fit = fields.fill(
        np.where(gap, np.nan, samples(12, grid, rng)), sampling=grid, return_fit=True, L=L
    )
    A = synthesis_operator(L, sampling=grid, reality=True, mask=~gap)
    condition = np.linalg.cond(A @ np.eye(L * L))
    assert 0.98 * condition < fit.condition < (1 + COMMAND) * condition


def test_a_default_that_leaves_a_large_residual_is_reported(rng):
    grid = as_grid("gl:32")
    f = samples(20, grid, rng)
    gap = theta(grid) < 1.0
    with pytest.warns(
        UserWarning, match="9[78]% of the rms .* default L=4.*pass a larger L"
    ) as record:
        fields.fill(np.where(gap, np.nan, f), sampling=grid)
    assert record[0].filename == __file__
    fields.fill(np.where(gap, np.nan, f), sampling=grid, L=4)
    fields.fill(np.where(gap, np.nan, samples(3, grid, rng)), sampling=grid)


def test_the_condition_does_not_depend_on_the_field(rng):
    """A smooth field does not contain the signals that the gap conceals."""
    grid = HEALPix(8)
    gap = grid.theta < 0.6
    numbers = []
    for f in (np.cos(grid.theta), samples(12, grid, rng), rng.standard_normal(grid.shape)):
        _, fit = fields.fill(np.where(gap, np.nan, f), sampling=grid, L=12, return_fit=True)
        numbers.append(fit.condition)
    assert max(numbers) < 1.02 * min(numbers) and min(numbers) > 100


def test_the_fit_is_that_of_analyse(rng):
    grid = HEALPix(8)
    f = 3 + rng.standard_normal(grid.shape)
    weights = rng.random(grid.shape)
    weights[grid.theta > 2.9] = 0
    gap = (grid.theta < 0.4) & (rng.random(grid.shape) < 0.8)
    g = np.where(gap, np.nan, f)
    filled, fit = fields.fill(g, sampling=grid, L=8, weights=weights, return_fit=True)
    options = dict(sampling=grid, reality=True)
    flm, residual = spherekit.analyse(g, 8, mask=~gap, weights=weights, max_iter=200, **options)
    signal = spherekit.inverse(flm, 8, **options)
    np.testing.assert_array_equal(filled, np.where(gap, signal, f))
    assert (fit.relative, fit.iterations) == (residual.relative, residual.iterations)
    A = synthesis_operator(8, mask=~gap, weights=weights, **options)
    left = (A @ np.eye(64)) @ to_real(flm) - np.sqrt(weights[~gap & (weights > 0)]) * f[
        ~gap & (weights > 0)
    ]
    assert np.abs(A.rmatvec(left)).max() < COMMAND * np.linalg.norm(left)


def test_leading_axes_have_gaps_of_their_own(rng):
    grid = as_grid("gl:12")
    f = samples(6, grid, rng, shape=(2, 3))
    g = f.copy()
    g[0, 1, :3] = np.nan
    g[1, 2, 4:6, 3:9] = np.nan
    filled, fit = fields.fill(g, sampling=grid, L=6, return_fit=True)
    np.testing.assert_allclose(filled, f, rtol=0, atol=COMMAND)
    np.testing.assert_array_equal(filled[np.isfinite(g)], g[np.isfinite(g)])
    single, fit_1 = fields.fill(g[0, 1], sampling=grid, L=6, return_fit=True)
    np.testing.assert_array_equal(filled[0, 1], single)
    assert fit.condition >= fit_1.condition and fit.missing == 3 * 23 + 12
    masked = fields.fill(f, np.isfinite(g), sampling=grid, L=6)
    np.testing.assert_array_equal(masked, filled)


@pytest.mark.parametrize("order", ["F", "strided", "read-only"])
def test_any_memory_layout(order, rng):
    grid = as_grid("gl:8")
    f = samples(6, grid, rng, shape=(3,))
    g = f.copy()
    g[1, 2:4, 5:9] = np.nan
    expected = fields.fill(g, sampling=grid, L=6)
    if order == "F":
        g = np.asfortranarray(g)
    elif order == "strided":
        g = np.repeat(g, 2, axis=-1)[..., ::2]
    else:
        g.flags.writeable = False
    before = g.copy()
    np.testing.assert_array_equal(fields.fill(g, sampling=grid, L=6), expected)
    np.testing.assert_array_equal(g, before)


def test_nothing_is_missing(rng):
    f = rng.standard_normal((12, 23))
    filled, fit = fields.fill(f, sampling="mw:12", return_fit=True)
    assert filled is not f and fit.missing == 0 and fit.converged
    np.testing.assert_array_equal(filled, f)


@pytest.mark.parametrize("dtype", [np.float32, np.complex64, ">f4"])
def test_single_precision(dtype, rng):
    grid = HEALPix(8)
    f = samples(8, grid, rng).astype(dtype)
    g = f.copy()
    g[:30] = np.nan
    filled = fields.fill(g, sampling=grid, L=8)
    assert filled.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(filled[30:], f[30:])
    assert np.abs(filled - f).max() < 10 * SINGLE_VALUES * np.abs(f).max()


@pytest.mark.parametrize("factor", [2.0**-300, 1e-20, 1e20])
def test_the_unit_does_not_matter(factor, rng):
    grid = HEALPix(8)
    g = np.where(grid.theta < 0.3, np.nan, samples(8, grid, rng))
    plain = fields.fill(g, sampling=grid)
    scaled = fields.fill(factor * g, sampling=grid)
    np.testing.assert_allclose(scaled / factor, plain, rtol=0, atol=CHAIN)


# --- the default band-limit, and what it refuses --------------------------------------------------


@pytest.mark.parametrize("radius", [0.2, 0.5, 0.9])
def test_the_condition_of_discs(radius):
    """The asymptotic formula is at most 2.5 times below the condition number, and never above it."""
    grid = HEALPix(16)
    for L in (4, 8, 16, 20):
        mask = np.arccos(np.sin(grid.theta) * np.cos(grid.phi - 1)) > radius
        A = synthesis_operator(L, sampling=grid, reality=True, mask=mask)
        ratio = np.linalg.cond(A @ np.eye(L * L)) / gap_condition(L, radius)
        assert 1 <= ratio < 2.5
    for condition in (3.0, 1e2, 1e9):
        assert np.isclose(gap_condition(1, bandwidth(condition)), condition, rtol=COMMAND)


@pytest.mark.parametrize("grid", [HEALPix(64), MW(90), GL(90)], ids=repr)
@pytest.mark.parametrize("center", [(0.0, 0.0), (0.3, 6.2), (1.7, 0.01), (3.1, 2.0)])
def test_the_radius_of_the_largest_gap(grid, center):
    def distance(center):
        polar, phi = center
        longitudes = grid.phi[None] if grid.rectangular else grid.phi
        colatitudes = grid.theta[:, None] if grid.rectangular else grid.theta
        cosine = np.cos(colatitudes) * np.cos(polar)
        cosine = cosine + np.sin(colatitudes) * np.sin(polar) * np.cos(longitudes - phi)
        return np.arccos(np.clip(cosine, -1, 1))

    gap = (distance(center) < 0.35) | (distance((1.2, 3.0)) < 0.1)
    gap.flat[:: len(gap.flat) // 50] = True
    radius = gap_radius(gap, grid)
    assert 0.35 - np.pi / 180 < radius < 0.35 + 2 * np.pi / 90


#: Of noise: its degrees have no limit.
NOISE = pytest.mark.filterwarnings("ignore:the fit that fills the gaps")


@NOISE
@pytest.mark.parametrize(
    "grid", [HEALPix(16), MW(32), GL(32), Rings(np.linspace(0.05, 3.1, 40), 60)]
)
@pytest.mark.parametrize("size", [0.1, 0.5, 1.2])
@pytest.mark.parametrize("spin", [0, 2])
def test_default_band_limits(grid, size, spin, rng):
    gap = (theta(grid) < size) & (theta(grid) < 3)
    f = np.where(gap, np.nan, rng.standard_normal(grid.shape) + (1j if spin else 0))
    _, fit = fields.fill(f, sampling=grid, spin=spin, return_fit=True)
    assert fit.condition <= 20 and fit.L <= 40
    assert fit.L * gap_radius(gap, grid) <= bandwidth(10.0) and fit.L > spin
    if size == 0.5:
        assert fit.L >= 6


def test_a_gap_too_large_for_the_band_limit_is_refused(rng):
    grid = HEALPix(16)
    f = np.where(grid.theta < 0.8, np.nan, rng.standard_normal(grid.shape))
    words = r"f do not determine the degrees < 24.*condition number is at least .*Pass L=(\d+)"
    with pytest.raises(ValueError, match=words) as error:
        fields.fill(f, sampling=grid, L=24)
    assert "radius 4" in str(error.value)
    L = int(str(error.value).split("Pass L=")[1].split(",")[0])
    _, fit = fields.fill(f, sampling=grid, L=L, return_fit=True)
    assert 7 < L < 14 and 100 < fit.condition < 1000
    options = dict(max_iter=20, allow_unconverged=True, return_fit=True)
    filled, fit = fields.fill(f, sampling=grid, L=24, max_condition=np.inf, **options)
    assert np.isfinite(filled).all() and not fit.converged


def test_a_smooth_field_is_refused_as_well():
    """Its fit converges at once, and says nothing about the gap."""
    grid = HEALPix(16)
    f = np.where(grid.theta < 1.2, np.nan, np.cos(grid.theta) ** 3)
    with pytest.raises(ValueError, match="do not determine"):
        fields.fill(f, sampling=grid, L=20)


def test_too_few_samples_are_refused(rng):
    grid = HEALPix(8)
    f = np.where(rng.random(grid.shape) < 0.8, np.nan, 1.0)
    with pytest.raises(ValueError, match="condition number is infinite"):
        fields.fill(f, sampling=grid, L=16)
    rings = np.where(np.arange(40)[:, None] % 4 > 0, np.nan, np.ones((40, 79)))
    with pytest.raises(ValueError, match="do not determine"):
        fields.fill(rings, sampling="gl:40", L=39)


# --- maps -----------------------------------------------------------------------------------------


def test_every_field_of_a_map_has_its_own_gaps(rng):
    grid = HEALPix(8)
    T = samples(8, grid, rng)
    P = samples(8, grid, rng, 2)
    values = np.stack([T, P.real, P.imag])
    g = values.copy()
    g[0, :20] = UNSEEN
    g[1, 40:60] = np.nan
    g[2, 50:80] = UNSEEN
    sky = io.Map(g, grid, ("I", "Q", "U"), "mK", frame="galactic", notes=("read",))
    result = fields.fill(sky, L=8)
    np.testing.assert_allclose(result.values, values, rtol=0, atol=COMMAND)
    observed = np.isfinite(g) & (g > UNSEEN)
    np.testing.assert_array_equal(result.values[observed], g[observed])
    assert result.names == sky.names and result.units == sky.units and result.grid == grid
    assert result.frame == "galactic" and result.notes[0] == "read"
    assert "I: 20 missing samples filled by a fit of degrees < 8" in result.notes[1]
    assert "Q and U: 40 missing samples" in result.notes[2]
    assert "condition number 2." in result.notes[1]
    again, fit = fields.fill(sky, L=8, return_fit=True)
    np.testing.assert_array_equal(again.values, result.values)
    assert (fit.L, fit.missing, fit.converged) == (8, 60, True)
    fits = [fields.fill(g[0], L=8, sampling=grid, return_fit=True)[1]]
    fits += [fields.fill(g[1] + 1j * g[2], L=8, spin=2, sampling=grid, return_fit=True)[1]]
    assert fit.condition == max(x.condition for x in fits)


@pytest.mark.parametrize("missing", [np.nan, UNSEEN])
def test_winds(missing, rng):
    grid = as_grid("gl:12")
    f = samples(10, grid, rng, 1, shape=(2,))
    values = np.stack([f.imag, -f.real])
    g = values.copy()
    g[0, 1, 3:5, 4:9] = missing
    g[1, :, 7, 2:4] = missing
    wind = io.Map(g, grid, ("u", "v"), "m/s", {"level": [200, 500]})
    result = fields.fill(wind, L=10)
    np.testing.assert_allclose(result.values, values, rtol=0, atol=COMMAND)
    unchanged = g == values
    np.testing.assert_array_equal(result.values[unchanged], g[unchanged])
    assert "u and v: " in result.notes[0] and list(result.axes) == ["level"]


def test_a_mask_and_weights_are_maps(rng):
    grid = HEALPix(8)
    f = samples(8, grid, rng)
    mask = grid.theta > 0.4
    sky = io.Map(f, grid, "T")
    expected = fields.fill(sky, mask, L=8, weights=1 + grid.theta).values
    result = fields.fill(sky, io.Map(mask, grid), L=8, weights=io.Map(1 + grid.theta, grid))
    np.testing.assert_array_equal(result.values, expected)
    np.testing.assert_array_equal(expected[mask], f[mask])
    assert np.any(expected[~mask] != f[~mask])
    with pytest.raises(ValueError, match="mask is a map on"):
        fields.fill(sky, io.Map(np.ones(192), "healpix:4"))


@pytest.mark.skipif(importlib.util.find_spec("xarray") is None, reason="xarray is not installed")
def test_data_arrays_and_datasets(rng):
    """In the order of their kind: from south to north, longitudes first."""
    import xarray

    f = samples(10, "mwss:16", rng, shape=(2,))
    u = samples(10, "mwss:16", rng, 1)
    latitudes, longitudes = np.linspace(90, -90, 17), np.arange(32) * 11.25
    coordinates = dict(time=[1, 2], lat=latitudes, lon=longitudes)
    dims = ("time", "lat", "lon")
    data = xarray.DataArray(f, coordinates, dims, name="sst", attrs={"units": "K"})
    data = data.isel(lat=slice(None, None, -1)).transpose("lon", "lat", "time")
    land = (data.lat > 20) & (data.lat < 45) & (data.lon < 60)
    filled = fields.fill(data.where(~land), L=10)
    assert filled.dims == data.dims and filled.attrs["units"] == "K" and filled.name == "sst"
    np.testing.assert_allclose(filled.values, data.values, rtol=0, atol=COMMAND)
    np.testing.assert_array_equal(filled.where(~land).values, data.where(~land).values)
    masked = fields.fill(data, ~land, L=10)
    np.testing.assert_array_equal(masked.values, filled.values)
    with pytest.raises(TypeError, match="mask is ndarray; expected a DataArray"):
        fields.fill(data, np.ones((17, 32)), L=10)
    with_fit, fit = fields.fill(data.where(~land), L=10, return_fit=True)
    assert with_fit.identical(filled) and fit.L == 10 and fit.missing == int(land.sum()) * 2
    assert fit.condition > 1 and fit.converged
    dataset = xarray.Dataset(
        {"u": (("lat", "lon"), u.imag), "v": (("lat", "lon"), -u.real)}, coordinates
    )
    for name in "uv":
        dataset[name].attrs["units"] = "m/s"
    holes = dataset.where(~((dataset.lat < -30) & (dataset.lon > 300)))
    result = fields.fill(holes, L=10)
    for name in "uv":
        np.testing.assert_allclose(
            result[name].values, dataset[name].values, rtol=0, atol=10 * COMMAND
        )


# --- real data ------------------------------------------------------------------------------------


def test_a_rectangle_of_era_interim():
    """Geopotential: the error in a gap of 7.5 by 9 degrees is 1 % of the deviation."""
    sky = io.read(real_file("atmosphere", "eraint_uvz.nc"), field="z", select={"level": 500})
    sky = sky.select(month=1)
    gap = np.zeros(sky.grid.shape, bool)
    gap[80:90, 100:112] = True
    result = fields.fill(sky, ~gap)
    error = (result.values - sky.values)[gap]
    assert error.std() < 0.01 * sky.values.std()
    assert "120 missing samples" in result.notes[-1]
    np.testing.assert_array_equal(result.values[~gap], sky.values[~gap])


def test_point_sources_of_wmap():
    """The mask of point sources without that of the Galaxy; the residual is noise and small scales."""
    from spherekit import datasets

    f = datasets.wmap_w()
    grid = HEALPix(32)
    rng = np.random.default_rng(1)
    mask = np.ones(grid.shape, bool)
    mask[rng.integers(0, len(mask), 300)] = False
    filled, fit = fields.fill(f, mask, sampling=grid, return_fit=True)
    assert fit.L > 40 and fit.condition < 20
    assert np.abs(filled[~mask]).max() < 2 * np.abs(f[mask]).max()


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, error, words",
    [
        (dict(f=np.full(192, np.nan)), ValueError, "all samples of a map of f are missing"),
        (dict(weights=np.zeros(192)), ValueError, "all samples of a map of f are missing"),
        (dict(mask=np.zeros(192)), ValueError, "all samples of a map of f are missing"),
        (dict(weights=-np.ones(192)), ValueError, "192 of 192 weights are negative"),
        (dict(weights=np.ones(5)), ValueError, "weights has shape"),
        (dict(mask=np.ones(5)), ValueError, "mask has shape"),
        (dict(mask=np.full(192, 2)), ValueError, "mask must be boolean"),
        (dict(f=np.r_[np.inf, np.ones(191)]), ValueError, "1 of 192 samples of f are infinite"),
        (dict(f=np.ones(191)), ValueError, "f has shape"),
        (dict(L=0), ValueError, "L is 0"),
        (dict(L=4, spin=4), ValueError, "spin 4"),
        (dict(max_condition=0.5), ValueError, "max_condition is 0.5"),
        (dict(max_condition=np.nan), ValueError, "max_condition is nan"),
        (dict(max_iter=0), ValueError, "max_iter"),
        (dict(tol=-1), ValueError, "tol"),
        (dict(sampling=None), TypeError, "sampling is required"),
        (dict(max_iter=1, L=4, max_condition=np.inf), ValueError, "did not converge in 1 iter"),
        (dict(f=io.Map(np.ones(192), "healpix:4")), TypeError, "sampling is passed with a Map"),
    ],
)
def test_refused_arguments(options, error, words, rng):
    f = rng.standard_normal(192)
    f[:5] = np.nan
    with pytest.raises(error, match=words):
        fields.fill(**{"f": f, "sampling": "healpix:4", **options})


def test_gradients_are_refused():
    with pytest.raises(TypeError, match="fill is not differentiable"):
        grad(lambda f: fields.fill(f, sampling="healpix:1").sum())(np.ones(12))


def test_missing_samples_of_a_pole(rng):
    """All samples of a pole are at one position, so that some of them are no gap."""
    f = samples(6, as_grid("mwss:8"), rng)
    g = f.copy()
    g[0, 3] = np.nan
    filled, fit = fields.fill(g, sampling="mwss:8", return_fit=True)
    assert fit.L == 8 and fit.condition < 10
    np.testing.assert_allclose(filled, f, rtol=0, atol=COMMAND)
