"""Templates fitted and removed, against dense least squares and the scatter of simulations."""

import numpy as np
import pytest
from tolerances import CHAIN, IDENTITY, SINGLE_VALUES

from spherekit.sampling import GL, MW, HEALPix
from spherekit.sampling.base import directions
from spherekit.spectra import deproject, remove_monopole_dipole, remove_templates

UNSEEN = -1.6375e30
GRIDS = [HEALPix(8), MW(9), GL(10)]


def least_squares(f, functions, grid, mask):
    """The amplitudes by a dense problem, with the components one below the other."""
    weights = np.sqrt(np.maximum(grid.weights * mask, 0)) * np.ones(grid.shape)
    columns = np.stack([(weights * t).ravel() for t in functions], axis=-1)
    values = (weights * f).ravel()
    if np.iscomplexobj(f):
        columns, values = np.r_[columns.real, columns.imag], np.r_[values.real, values.imag]
    return np.linalg.lstsq(columns, values, rcond=None)[0]


def random_maps(grid, spin, n, rng):
    f = rng.standard_normal((n, *grid.shape))
    return f + 1j * rng.standard_normal((n, *grid.shape)) if spin else f


def mask_of(grid, rng):
    return rng.random(grid.shape) * (directions(grid)[2] < 0.6)


@pytest.mark.parametrize("spin", [0, 2])
@pytest.mark.parametrize("grid", GRIDS, ids=repr)
def test_amplitudes_are_those_of_dense_least_squares(grid, spin, rng):
    mask, templates = mask_of(grid, rng), random_maps(grid, spin, 3, rng)
    f = random_maps(grid, spin, 2, rng)
    fit = remove_templates(f, templates, sampling=grid, mask=mask)
    for signal, cleaned, amplitudes in zip(f, fit.cleaned, fit.amplitudes, strict=True):
        expected = least_squares(signal, templates, grid, mask)
        np.testing.assert_allclose(amplitudes, expected, rtol=0, atol=CHAIN)
        expected = signal - np.tensordot(amplitudes, templates, axes=1)
        np.testing.assert_allclose(cleaned, expected, rtol=0, atol=IDENTITY)
    assert fit.names == ("0", "1", "2")


@pytest.mark.parametrize("grid", GRIDS, ids=repr)
def test_monopole_and_dipole_among_the_templates(grid, rng):
    mask = mask_of(grid, rng)
    x, y, z = directions(grid)
    dust = np.exp(-((z / 0.3) ** 2)) * (1 + x)
    f = 4 - x + 2 * y + 0.5 * z + 3 * dust
    fit = remove_templates(f, {"dust": dust}, sampling=grid, mask=mask, monopole=True, dipole=True)
    assert fit.names == ("dust", "monopole", "dipole x", "dipole y", "dipole z")
    np.testing.assert_allclose(fit.amplitudes, [3, 4, -1, 2, 0.5], rtol=0, atol=CHAIN)
    assert abs(fit.cleaned).max() < CHAIN
    assert abs(np.diag(fit.covariance)).max() < CHAIN**2


def test_without_templates_it_is_the_removal_of_monopole_and_dipole(rng):
    grid = HEALPix(8)
    f, mask = rng.standard_normal((2, 768)) + 3, mask_of(grid, rng)
    expected = remove_monopole_dipole(f, sampling=grid, mask=mask)
    fit = remove_templates(f, sampling=grid, mask=mask, monopole=True, dipole=True)
    np.testing.assert_allclose(fit.cleaned, expected.cleaned, rtol=0, atol=IDENTITY)
    np.testing.assert_allclose(fit.amplitudes[:, 0], expected.monopole, rtol=0, atol=IDENTITY)
    np.testing.assert_allclose(fit.amplitudes[:, 1:], expected.dipole, rtol=0, atol=IDENTITY)


def test_deprojection_has_the_squared_mask_as_weights(rng):
    grid = HEALPix(8)
    f, templates, mask = rng.standard_normal(768), rng.standard_normal((2, 768)), mask_of(grid, rng)
    fit = remove_templates(f, templates, sampling=grid, mask=mask**2)
    cleaned, amplitudes = deproject(f, mask, templates, sampling=grid)
    np.testing.assert_allclose(fit.amplitudes, amplitudes, rtol=0, atol=IDENTITY)
    np.testing.assert_allclose(np.where(mask > 0, fit.cleaned, 0), cleaned, rtol=0, atol=IDENTITY)


@pytest.mark.parametrize("spin", [0, 2])
def test_the_covariance_is_that_of_simulated_noise(spin, rng):
    grid = HEALPix(4)
    mask, templates = mask_of(grid, rng), random_maps(grid, spin, 2, rng)
    templates[1] += 0.8 * templates[0]
    noise = 3 * random_maps(grid, spin, 4000, rng)
    fit = remove_templates(noise, templates, sampling=grid, mask=mask)
    simulated = np.cov(fit.amplitudes.T)
    error = np.sqrt((simulated**2 + np.outer(*[np.diag(simulated)] * 2)) / 4000)
    assert (abs(fit.covariance.mean(axis=0) - simulated) < 4.5 * error).all()


def test_as_many_samples_as_amplitudes_leave_the_errors_unknown(rng):
    mask = np.zeros(12)
    mask[:2] = 1
    fit = remove_templates(rng.standard_normal(12), np.eye(12)[:2], sampling="healpix:1", mask=mask)
    assert np.isinf(fit.covariance).all() and abs(fit.cleaned[:2]).max() < IDENTITY


@pytest.mark.parametrize("exponent", [-900, 0, 900])
def test_units_of_maps_and_templates(exponent, rng):
    """Powers of two of a template or a map change no digits; squares neither overflow nor underflow."""
    grid = HEALPix(4)
    f, templates = rng.standard_normal(192), rng.standard_normal((2, 192))
    expected = remove_templates(f, templates, sampling=grid)
    scaled = remove_templates(f, np.ldexp(templates, exponent), sampling=grid)
    np.testing.assert_array_equal(np.ldexp(scaled.amplitudes, exponent), expected.amplitudes)
    np.testing.assert_array_equal(scaled.cleaned, expected.cleaned)
    scaled = remove_templates(np.ldexp(f, exponent), templates, sampling=grid)
    np.testing.assert_array_equal(scaled.amplitudes, np.ldexp(expected.amplitudes, exponent))


def test_missing_samples(rng):
    """Those of the map stay as they are; where a template is missing, so is the result."""
    grid = HEALPix(4)
    f, template = rng.standard_normal((2, 192))
    f[:3], template[2:5] = [np.nan, UNSEEN, np.inf], [UNSEEN, np.nan, np.inf]
    mask = np.arange(192) > 5
    cleaned = remove_templates(f, [template], sampling=grid, mask=mask).cleaned
    np.testing.assert_array_equal(cleaned[:3], f[:3])
    assert np.isnan(cleaned[3:5]).all() and np.isfinite(cleaned[5:]).all()


def test_types_of_results(rng):
    grid = HEALPix(4)
    f, template = rng.standard_normal((2, 192))
    expected = remove_templates(f, [template], sampling=grid)
    single = remove_templates(f.astype(np.float32), [template.astype(np.float32)], sampling=grid)
    assert single.cleaned.dtype == np.float32 and single.amplitudes.dtype == np.float64
    np.testing.assert_allclose(single.cleaned, expected.cleaned, rtol=0, atol=SINGLE_VALUES)
    whole = remove_templates(np.arange(192), [template], sampling=grid)
    assert whole.cleaned.dtype == np.float64
    assert remove_templates(f + 0j, [template], sampling=grid).cleaned.dtype == np.complex128


Z = directions(HEALPix(1))[2]


@pytest.mark.parametrize(
    "options, error, message",
    [
        (dict(templates=[Z, Z**2, 2 * Z]), ValueError, "templates 0, 2 are linearly dependent"),
        (
            dict(templates={"dust": 1 + 1e-4 * Z}, monopole=True),
            ValueError,
            "templates dust, monopole are linearly dependent .* or nearly so",
        ),
        (dict(templates={"dust": 0 * Z}), ValueError, r"template\(s\) dust are zero"),
        (
            dict(templates={"dust": np.where(Z > 0.5, np.nan, Z)}),
            ValueError,
            "the template dust has 4 missing samples .* exclude them by the mask",
        ),
        (dict(templates={"dust": Z[:5]}), ValueError, r"dust has shape \(5,\); expected \(12,\)"),
        (dict(templates=Z), ValueError, r"templates has shape \(12,\); expected \(n, 12\)"),
        (dict(templates=[Z + 0j]), TypeError, "the template 0 is complex .* f is real"),
        (dict(f=Z + 0j, monopole=True), TypeError, "f is complex .* f.real and f.imag"),
        (
            dict(templates={"monopole": Z}, monopole=True),
            ValueError,
            "templates has monopole, the name of the monopole or dipole",
        ),
        (dict(templates={"dipole y": Z}, dipole=True), ValueError, "templates has dipole y"),
        (dict(), ValueError, "nothing to remove: pass templates, monopole=True or dipole=True"),
        (dict(monopole=True, mask=-np.ones(12)), ValueError, "finite weights >= 0"),
        (dict(monopole=True, max_condition=0.5), ValueError, "max_condition"),
        (dict(f=np.where(Z > 0.5, UNSEEN, Z), monopole=True), ValueError, "4 are UNSEEN"),
    ],
)
def test_what_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        remove_templates(**(dict(f=np.arange(12.0), sampling="healpix:1") | options))
