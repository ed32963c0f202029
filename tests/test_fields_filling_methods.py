"""Missing samples by diffusion, against dense solutions, and by constrained realizations."""

import naive
import numpy as np
import pytest
from tolerances import CHAIN, COMMAND, IDENTITY, SHORT_SUM, SINGLE_VALUES

import spherekit
from spherekit import fields, io
from spherekit.conventions import eb_to_spin, from_real
from spherekit.sampling import CC, GL, MW, MWSS, DHPole, HEALPix, Rings
from spherekit.spectra import gaussian_flm

UNSEEN = -1.6375e30
RINGS = Rings([0.4, 0.9, 1.5, 2.0, 2.6], [5, 9, 12, 12, 4], [0.3, 0.0, 0.1, 0.25, 1.0])
GRIDS = [HEALPix(4), MW(9), MWSS(9), GL(8), CC(8), DHPole(6), RINGS]


def theta(grid):
    return np.broadcast_to(grid.theta[:, None] if grid.rectangular else grid.theta, grid.shape)


def diffuse(f, grid, **options):
    options = dict(tol=3e-13) | options
    return fields.fill(f, sampling=grid, method="diffusion", **options)


GAPS = {
    "north": lambda grid, rng: theta(grid) < 0.8,
    "south": lambda grid, rng: theta(grid) > 2.2,
    "belt": lambda grid, rng: abs(theta(grid) - 1.6) < 0.7,
    "random": lambda grid, rng: rng.random(grid.shape) < 0.5,
    "all but one": lambda grid, rng: np.arange(theta(grid).size).reshape(grid.shape) != 40,
    "part of a pole": lambda grid, rng: np.arange(theta(grid).size).reshape(grid.shape) > 2,
}


# --- diffusion ------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("grid", GRIDS, ids=repr)
def test_diffusion_is_the_dense_solution(grid, gap, rng):
    f = rng.standard_normal(grid.shape)
    missing = GAPS[gap](grid, rng)
    if gap != "part of a pole":
        f = np.where(naive_poles(grid), 1.0, f)  # the samples of a pole are one
    filled, solution = diffuse(np.where(missing, np.nan, f), grid, return_fit=True)
    expected = naive.diffused(f, missing, grid)
    np.testing.assert_allclose(filled, expected, rtol=0, atol=CHAIN)
    np.testing.assert_array_equal(filled[~missing], f[~missing])
    assert solution.missing == np.count_nonzero(missing) and solution.uncertainty is None
    assert solution.error <= 3e-13


def naive_poles(grid):
    return np.sin(theta(grid)) < 1e-9


@pytest.mark.parametrize("grid", [*GRIDS, HEALPix(32), GL(40)], ids=repr)
def test_constants_stay_constants(grid, rng):
    missing = rng.random(grid.shape) < 0.7
    for value in (3.3, -1e300, 1e-300):
        filled = diffuse(np.where(missing, np.nan, value), grid)
        np.testing.assert_array_equal(filled, value)


@pytest.mark.parametrize("grid", [HEALPix(32), MW(40), CC(40)], ids=repr)
@pytest.mark.parametrize("gap", ["north", "south", "belt", "random"])
def test_filled_samples_are_in_the_range_of_the_observed_ones(grid, gap, rng):
    f = rng.standard_normal(grid.shape)
    missing = GAPS[gap](grid, rng)
    filled, solution = diffuse(np.where(missing, np.nan, f), grid, tol=1e-8, return_fit=True)
    assert f[~missing].min() <= filled.min() and filled.max() <= f[~missing].max()
    assert solution.error <= 1e-8 and solution.iterations < 40


@pytest.mark.parametrize("grid", [HEALPix(32), GL(48), CC(48)], ids=repr)
def test_harmonic_functions_are_recovered(grid):
    """Re (tan(theta / 2) e^{i phi})^2 solves Laplace's equation on the sphere, but at the south pole."""
    x = theta(grid)
    phi = np.broadcast_to(grid.phi[None] if grid.rectangular else grid.phi, grid.shape)
    f = np.tan(x / 2) ** 2 * np.cos(2 * phi)
    missing = x < 0.8
    filled = diffuse(np.where(missing | (x > 2), np.where(x > 2, 0, np.nan), f), grid, tol=1e-8)
    assert abs(filled - f)[missing].max() < 1e-3 * abs(f[missing]).max()


@pytest.mark.parametrize("spin", [1, 2, -2])
@pytest.mark.parametrize("grid", [HEALPix(32), CC(40), MW(40)], ids=repr)
def test_spin_fields_do_not_depend_on_the_coordinates(grid, spin, rng):
    """A field of degree |s|, smooth at a pole, is continued across it although its components rotate."""
    flm = np.zeros(16, complex)
    flm[spin * spin : (abs(spin) + 1) ** 2] = rng.standard_normal(2 * abs(spin) + 1)
    f = spherekit.inverse(flm, 4, spin=spin, sampling=grid)
    missing = (theta(grid) < 0.2) | (theta(grid) > 2.95)
    filled = diffuse(np.where(missing, np.nan, f), grid, spin=spin, tol=1e-8)
    assert abs(filled - f).max() < 0.05 * abs(f).max()
    assert abs(filled).max() <= (1 + COMMAND) * abs(f[~missing]).max()


def test_the_solution_at_another_resolution_of_the_multigrid(rng):
    """The iterations do not grow with the gap."""
    counts = []
    for nside in (16, 64):
        grid = HEALPix(nside)
        missing = abs(grid.theta - 1.5) < 0.5
        f = np.where(missing, np.nan, rng.standard_normal(grid.shape))
        counts.append(diffuse(f, grid, tol=1e-8, return_fit=True)[1].iterations)
    assert counts[1] <= counts[0] + 8


def test_nested_order_is_irrelevant(rng):
    grid = HEALPix(8)
    f = np.where(rng.random(768) < 0.3, np.nan, rng.standard_normal(768))
    filled = diffuse(f, grid)
    pixels = grid.to_ring(np.arange(768))
    nested = io.Map(f, grid).values[pixels]
    again = diffuse(nested[grid.to_nested(np.arange(768))], grid)
    np.testing.assert_array_equal(again, filled)


def test_batches_masks_and_types(rng):
    grid = HEALPix(8)
    f = rng.standard_normal((2, 3, 768))
    mask = rng.random(f.shape) > 0.2
    mask[1, 2] = True
    filled = diffuse(f, grid, mask=mask)
    for index in np.ndindex(2, 3):
        expected = diffuse(np.where(mask[index], f[index], UNSEEN), grid)
        np.testing.assert_array_equal(filled[index], expected)
    np.testing.assert_array_equal(filled[1, 2], f[1, 2])
    single = diffuse(f.astype(np.float32), grid, mask=mask)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, filled, rtol=0, atol=SINGLE_VALUES)
    parts = diffuse(f + 2j * f[::-1], grid, mask=mask[0, 0])
    np.testing.assert_allclose(parts.real, diffuse(f, grid, mask=mask[0, 0]), rtol=0, atol=IDENTITY)


def test_maps_and_their_notes(rng):
    grid = HEALPix(8)
    values = rng.standard_normal((3, 768))
    values[:, grid.theta < 0.3] = np.nan
    sky = io.Map(values, grid, ("I", "Q", "U"))
    filled, solution = fields.fill(sky, method="diffusion", return_fit=True)
    assert solution.missing == 2 * np.count_nonzero(grid.theta < 0.3)
    assert np.isfinite(filled.values).all()
    assert all("uncertainty is not estimated" in note for note in filled.notes[-2:])
    expected = diffuse(values[1] + 1j * values[2], grid, spin=2, tol=1e-8)
    np.testing.assert_allclose(filled.values[1], expected.real, rtol=0, atol=SHORT_SUM)


def test_no_gaps():
    f = np.arange(12.0)
    filled, solution = diffuse(f, "healpix:1", return_fit=True)
    np.testing.assert_array_equal(filled, f)
    assert solution == fields.Diffusion(0, 0.0, 0.0, 0)


@pytest.mark.parametrize(
    "options, error, message",
    [
        (dict(f=np.full(12, np.nan)), ValueError, "all samples of a map of f are missing"),
        (dict(L=4), ValueError, "L is passed with method='diffusion'; it belongs to lsq and"),
        (dict(weights=np.ones(12)), ValueError, "weights is passed with method='diffusion'"),
        (dict(cl=np.ones(4)), ValueError, "cl is passed with method='diffusion'"),
        (dict(tol=0), ValueError, "tol"),
        (dict(method="mean"), ValueError, "expected one of 'lsq', 'diffusion', 'constrained'"),
        (dict(method="constrained", cl=np.ones(3)), TypeError, "pass cl, and rng"),
        (dict(method="constrained", rng=0), TypeError, "pass cl, and rng"),
    ],
)
def test_what_is_refused(options, error, message):
    f = np.where(np.arange(12) == 3, np.nan, 1.0)
    with pytest.raises(error, match=message):
        fields.fill(**(dict(f=f, sampling="healpix:1", method="diffusion") | options))


def test_iterations_that_end_early(rng):
    grid = HEALPix(16)
    f = np.where(grid.theta < 1, np.nan, rng.standard_normal(grid.shape))
    with pytest.raises(ValueError, match="error of up to .* after 2 iterations"):
        diffuse(f, grid, max_iter=2)
    _, solution = diffuse(f, grid, max_iter=2, allow_unconverged=True, return_fit=True)
    assert solution.error > 1e-6


# --- constrained realizations ---------------------------------------------------------------------


def covariance(grid, cl):
    """The covariance of the samples."""
    L = len(cl)
    modes = from_real(np.eye(L * L) * np.sqrt(np.repeat(cl, 2 * np.arange(L) + 1)))
    maps = spherekit.inverse(modes, L, sampling=grid, reality=True).reshape(L * L, -1)
    return maps.T @ maps


def test_realizations_have_the_conditional_mean_and_deviation(rng):
    grid = HEALPix(4)
    L, sigma = 8, 0.05
    cl = 1 / (1 + np.arange(L)) ** 2
    f = spherekit.inverse(gaussian_flm(cl, L, 3), L, sampling=grid, reality=True)
    missing = grid.theta < 0.9
    S = covariance(grid, cl)
    seen = np.ix_(~missing, ~missing)
    gain = S[np.ix_(missing, ~missing)] @ np.linalg.inv(
        S[seen] + sigma**2 * np.eye(np.count_nonzero(~missing))
    )
    mean = gain @ f[~missing]
    deviation = np.sqrt(np.diag(S[np.ix_(missing, missing)] - gain @ S[np.ix_(~missing, missing)]))
    options = dict(sampling=grid, method="constrained", cl=cl, noise=sigma, return_fit=True)
    n = 400
    g = np.where(missing, np.nan, f)
    draws = np.array([fields.fill(g, rng=k, n=1, **options)[0][missing] for k in range(n)])
    assert (abs(draws.mean(axis=0) - mean) < 4.5 * deviation / np.sqrt(n)).all()
    filled, draw = fields.fill(g, rng=0, n=n, **options)
    ratio = draw.uncertainty[missing] / deviation
    assert abs(ratio - 1).max() < 4.5 / np.sqrt(2 * n)
    np.testing.assert_array_equal(draw.uncertainty[~missing], 0)
    np.testing.assert_array_equal(filled[~missing], f[~missing])
    assert draw.converged and draw.L == L and draw.missing == np.count_nonzero(missing)


def test_without_noise_a_determined_field_is_recovered(rng):
    grid = HEALPix(8)
    f = spherekit.inverse(gaussian_flm(np.ones(6), 6, 1), 6, sampling=grid, reality=True)
    missing = rng.random(768) < 0.2
    options = dict(sampling=grid, method="constrained", cl=np.ones(6), noise=1e-5, rng=0)
    filled, draw = fields.fill(np.where(missing, np.nan, f), return_fit=True, **options)
    assert abs(filled - f).max() < 6 * draw.uncertainty.max() < 1e-4


def test_polarization_and_temperature_of_a_map(rng):
    grid = HEALPix(8)
    cl = dict(TT=np.ones(8), EE=np.ones(8), BB=0.1 * np.ones(8), TE=np.zeros(8))
    E, B = (gaussian_flm(cl[pair], 8, k) for k, pair in enumerate(("EE", "BB")))
    P = spherekit.inverse(eb_to_spin(E, B, spin=2), 8, spin=2, sampling=grid)
    T = spherekit.inverse(gaussian_flm(cl["TT"], 8, 5), 8, sampling=grid, reality=True)
    missing = grid.theta < 0.5
    values = np.where(missing, np.nan, [T, P.real, P.imag])
    sky = io.Map(values, grid, ("I", "Q", "U"))
    options = dict(method="constrained", cl=cl, noise=0.01, rng=0, return_fit=True)
    filled, draw = fields.fill(sky, **options)
    assert len(draw.uncertainty) == 2 and draw.L == 8
    for signal, expected, deviation in zip(
        (filled.values[:1], filled.values[1:]),
        ([T], [P.real, P.imag]),
        draw.uncertainty,
        strict=True,
    ):
        pulls = (signal - expected)[:, missing] / deviation[missing]
        assert 0.3 < pulls.std() < 3
    assert "standard deviations up to" in filled.notes[-1]


@pytest.mark.parametrize(
    "options, error, message",
    [
        (dict(spin=2), TypeError, "cl is one spectrum, and f has spin 2; expected a dict with EE"),
        (dict(cl={"EE": np.ones(3)}), ValueError, "cl has EE; the spectrum TT of f, of spin 0"),
        (dict(f=np.full(48, np.nan)), ValueError, "all samples of a map of f are missing"),
        (dict(n=0), ValueError, "n is 0; expected an integer >= 1"),
        (dict(noise=-1.0), ValueError, "noise"),
        (dict(L=5), ValueError, "spectrum TT has shape .3,.; L=5 needs"),
    ],
)
def test_constrained_realizations_that_are_refused(options, error, message):
    f = np.where(np.arange(48) == 3, np.nan, np.arange(48.0))
    valid = dict(f=f, sampling="healpix:2", method="constrained", cl=np.ones(3), rng=0)
    with pytest.raises(error, match=message):
        fields.fill(**(valid | options))
