"""Pure E and B: the identity that defines them, and how much of E a mask mixes into B."""

import autograd.numpy as anp
import numpy as np
import pytest
from tolerances import CHAIN, IDENTITY, ROUND_TRIP_SINGLE_BATCH

import spherekit as sk
from spherekit.conventions import degrees, eb_to_spin, spin_to_eb
from spherekit.sampling import DH, GL, MW, MWSS, HEALPix
from spherekit.spectra import (
    apodize,
    gaussian_flm,
    masked_field,
    masked_flm,
    power,
    pure_coefficients,
)
from spherekit.testing import assert_gradient

#: Band-limits of the signal and of the mask; the grids are exact for products of the two with harmonics.
L, L_MASK = 12, 9
GRIDS = [GL(32), MW(32), MWSS(32), DH(32)]


def square_root_factors(L):
    """sqrt((l+2)! / (l-2)!), by entry of the coefficients."""
    ell = degrees(L).astype(float)
    return np.sqrt(np.maximum((ell + 2) * (ell + 1) * ell * (ell - 1), 0))


def example(grid, E_factor=1.0, B_factor=1.0):
    """(E, B, the field Q + i U, a positive band-limited mask)."""
    E = E_factor * gaussian_flm(np.ones(L), L, 2)
    B = B_factor * gaussian_flm(np.ones(L), L, 3)
    f = sk.inverse(eb_to_spin(E, B, spin=2), L, spin=2, sampling=grid)
    wlm = gaussian_flm(np.ones(L_MASK), L_MASK, 1)
    mask = sk.inverse(wlm, L_MASK, sampling=grid, reality=True)
    return E, B, f, mask - mask.min() + 0.1


def by_definition(E, mask, grid):
    """N_l times the coefficients of the mask times the scalar field of E (or B)."""
    factors = square_root_factors(L)
    field = sk.inverse(E * factors, L, sampling=grid, reality=True)
    flm = sk.forward(mask * field, L, sampling=grid, reality=True)
    return np.where(factors > 0, flm / np.where(factors > 0, factors, 1), 0)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_pure_coefficients_are_those_of_masked_scalar_fields(grid):
    E, B, f, mask = example(grid)
    results = pure_coefficients(f, L, mask, sampling=grid, purify="EB")
    for result, signal in zip(results, (E, B), strict=True):
        expected = by_definition(signal, mask, grid)
        assert np.allclose(result, expected, rtol=0, atol=IDENTITY * abs(expected).max())


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_no_power_is_mixed(grid):
    _, _, f, mask = example(grid, B_factor=0.0)
    E, B = pure_coefficients(f, L, mask, sampling=grid, purify="EB")
    assert abs(B).max() < IDENTITY * abs(E).max()
    plain = spin_to_eb(masked_flm(f, L, mask, spin=2, sampling=grid), spin=2)
    assert abs(plain[1]).max() > 0.01 * abs(plain[0]).max()
    assert abs(pure_coefficients(f, L, mask, sampling=grid)[1]).max() < IDENTITY * abs(E).max()


def test_the_other_mode_is_that_of_the_masked_field():
    grid = GL(32)
    _, _, f, mask = example(grid)
    plain = spin_to_eb(masked_flm(f, L, mask, spin=2, sampling=grid), spin=2)
    pure = pure_coefficients(f, L, mask, sampling=grid, purify="EB")
    for purify, expected in (("B", (plain[0], pure[1])), ("E", (pure[0], plain[1]))):
        results = pure_coefficients(f, L, mask, sampling=grid, purify=purify)
        for result, value in zip(results, expected, strict=True):
            assert np.allclose(result, value, rtol=0, atol=CHAIN)


def test_a_mask_of_ones_changes_nothing():
    grid = GL(16)
    E, B, f, _ = example(grid)
    results = pure_coefficients(f, L, np.ones(grid.shape), sampling=grid, purify="EB")
    for result, signal in zip(results, (E, B), strict=True):
        assert np.allclose(result[4:], signal[4:], rtol=0, atol=CHAIN)
        assert (result[:4] == 0).all()


def test_leakage_of_an_apodized_cap_on_healpix():
    """Most of the B modes of a masked E field are ambiguous modes, which purification removes."""
    grid = HEALPix(32)
    E = gaussian_flm(np.ones(48), 48, 0)
    f = sk.inverse(eb_to_spin(E, 0 * E, spin=2), 48, spin=2, sampling=grid)
    mask = apodize(grid.theta < 1.3, 0.6, "C1", sampling=grid)
    plain = spin_to_eb(masked_flm(f, 48, mask, spin=2, sampling=grid), spin=2)[1]
    missing = np.where(mask > 0, f, np.nan)
    pure = pure_coefficients(missing, 48, mask, sampling=grid)[1]
    assert power(pure)[2:40].sum() < 1e-3 * power(plain)[2:40].sum()


def test_batches_and_single_precision():
    grid = GL(32)
    _, _, f, mask = example(grid)
    maps = np.stack([f, 2j * f, f.conj()])
    E, B = pure_coefficients(maps, L, mask, sampling=grid)
    for signal, *expected in zip(maps, E, B, strict=True):
        for result, value in zip(
            pure_coefficients(signal, L, mask, sampling=grid), expected, strict=True
        ):
            assert np.allclose(result, value, rtol=0, atol=CHAIN)
    single = pure_coefficients(maps.astype(np.complex64), L, mask, sampling=grid)
    for result, value in zip(single, (E, B), strict=True):
        assert result.dtype == np.complex64
        assert abs(result - value).max() < 4 * ROUND_TRIP_SINGLE_BATCH * abs(value).max()


@pytest.mark.parametrize("grid", [GL(10), HEALPix(4)], ids=str)
def test_gradients(grid):
    rng = np.random.default_rng(0)
    f = rng.standard_normal((2, *grid.shape))
    mask = rng.random(grid.shape)

    def spectrum(Q, U):
        E, B = pure_coefficients(Q + 1j * U, 6, mask, sampling=grid, purify="B")
        return anp.sum(power(B) + power(E, B))

    assert_gradient(spectrum, *f, order=1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (dict(purify="T"), ValueError, "expected 'E', 'B' or 'EB'"),
        (dict(purify=""), ValueError, "expected 'E', 'B' or 'EB'"),
        (dict(L=2), ValueError, "L"),
        (dict(mask=np.ones(47)), ValueError, "mask has shape"),
        (dict(mask=-np.ones(48)), ValueError, "weights >= 0"),
        (dict(f=np.ones(47) + 0j), ValueError, "shape"),
        (dict(f=np.full(48, np.nan + 0j)), ValueError, "NaN"),
        (dict(iterations=-1), ValueError, "iterations"),
        (dict(iterations=1.5), TypeError, "iterations"),
    ],
)
def test_invalid_arguments(options, error, message):
    arguments = dict(f=np.ones(48) + 0j, L=4, mask=np.ones(48), sampling="healpix:2") | options
    with pytest.raises(error, match=message):
        pure_coefficients(**arguments)


def holes(grid, rng):
    """A galactic cut with holes."""
    x = np.stack([np.sin(grid.theta) * np.cos(grid.phi), np.sin(grid.theta) * np.sin(grid.phi)])
    x = np.concatenate([x, np.cos(grid.theta)[None]])
    mask = abs(x[2] + 0.1 * np.sin(3 * grid.phi)) > 0.2
    for center in rng.standard_normal((30, 3)):
        mask &= center @ x < np.cos(np.radians(rng.uniform(0.3, 3))) * np.linalg.norm(center)
    return mask


@pytest.mark.parametrize("nside", [32, 64, 128])
@pytest.mark.parametrize("of_grid", [holes, lambda grid, rng: grid.theta < 0.35])
def test_a_mask_with_a_step_is_warned_of(nside, of_grid, rng):
    grid = HEALPix(nside)
    mask = of_grid(grid, rng)
    P = np.zeros(grid.theta.size, complex)
    options = dict(sampling=grid, iterations=0)
    words = "the mask has a step at its edge, .* pass a mask that goes to zero smoothly"
    for step in (mask, 0.1 * mask):
        with pytest.warns(UserWarning, match=words) as caught:
            pure_coefficients(P, 8, step, **options)
        with pytest.warns(UserWarning, match=words):
            masked_field(P, 8, step, spin=2, purify="EB", **options)
        assert caught[0].filename == __file__
    for kind in ("C1", "C2"):
        for width in (5, 10):
            smooth = apodize(mask, np.radians(width), kind=kind, sampling=grid)
            pure_coefficients(P, 8, smooth, **options)  # warnings are errors
    masked_field(P, 8, mask, spin=2, **options)
    pure_coefficients(P, 8, 0.5 + mask, **options)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_a_step_on_grids_of_rings(grid):
    theta = np.broadcast_to(grid.theta[:, None], grid.shape)
    P = np.zeros(grid.shape, complex)
    for edge in (theta < 1.2, np.broadcast_to(grid.phi < 2, grid.shape)):
        with pytest.warns(UserWarning, match="the mask has a step"):
            pure_coefficients(P, 8, edge, sampling=grid)
    pure_coefficients(P, 8, apodize(theta < 1.2, 0.3, sampling=grid), sampling=grid)
