"""Covariances of bandpowers: against exact sums where the approximation is exact, and against simulations."""

import numpy as np
import pytest
from tolerances import CHAIN, IDENTITY, SHORT_SUM

import spherekit as sk
from spherekit.conventions import degrees, eb_to_spin, from_real
from spherekit.datasets import planck2018_cl
from spherekit.sampling import GL, HEALPix
from spherekit.spectra import (
    Bins,
    Covariance,
    Mask,
    apodize,
    gaussian_covariance,
    gaussian_flm,
    gaussian_sky,
    masked_field,
    master,
    noise_power,
    pure_coefficients,
    sample_covariance,
)
from spherekit.spectra.correlators import Correlators, NoisyField


def zero_fields(L, mask, grid, purify="", names=None):
    """T and P of maps that are zero: their masks and spins."""
    zeros = np.zeros(grid.shape)
    mask = Mask(mask, L, grid)
    T = masked_field(zeros, L, mask, sampling=grid)
    return [T, masked_field(zeros + 0j, L, mask, spin=2, sampling=grid, purify=purify, names=names)]


def test_full_sky_is_that_of_knox():
    L, grid = 16, GL(16)
    ell = np.arange(L)
    cl = {
        "TT": 5 / (ell + 1.0),
        "EE": 2 / (ell + 2.0),
        "BB": 1 / (ell + 5.0),
        "TE": 0.5 / (ell + 3.0),
    }
    fields = zero_fields(L, np.ones(grid.shape), grid)
    bins = Bins.linear(L, 1)
    noise = {"TT": 0.1, "EE": np.full(L, 0.2), "BB": 0.2}
    covariance = gaussian_covariance(fields, cl=cl, bins=bins, noise=noise)
    total = {name: (values + noise.get(name, 0))[2:] for name, values in cl.items()}
    total |= {"EB": 0.0, "TB": 0.0}
    modes = 2 * ell[2:] + 1
    errors = covariance.errors()
    assert covariance.names == ("TT", "EE", "BB", "TE", "EB", "TB")
    for name, error in errors.items():
        a, b = name
        variance = (total[2 * a] * total[2 * b] + total[name] ** 2) / modes
        assert np.allclose(error**2, variance, rtol=CHAIN, atol=0)
    expected = total["TE"] ** 2 * 2 / modes
    assert np.allclose(np.diag(covariance.block("TT", "EE")), expected, rtol=CHAIN, atol=0)
    assert np.allclose(
        covariance.block("TT", "EE"), covariance.block("EE", "TT").T, rtol=0, atol=SHORT_SUM
    )
    assert abs(covariance.block("EE", "BB")).max() < SHORT_SUM


def band_limited_mask(L_mask, grid, seed):
    f = sk.inverse(gaussian_flm(np.ones(L_mask), L_mask, seed), L_mask, sampling=grid, reality=True)
    return f - f.min() + 0.1


def dense_correlators(mask, L, grid):
    """<a c*> of T, E and B of white spectra, TT = EE = BB = 1, behind a mask: arrays (L*L, L*L)."""
    coefficients = np.eye(L * L, dtype=complex)
    coupled = {}
    for spin in (0, 2):
        samples = sk.inverse(coefficients, L, spin=spin, sampling=grid)
        window = sk.forward(samples * mask, L, spin=spin, sampling=grid).T
        coupled[spin] = window @ window.conj().T
    ell = np.sqrt(np.arange(L * L)).astype(int)
    m = np.arange(L * L) - ell * ell - ell
    mirror = ell * ell + ell - m
    sign = (-1.0) ** (m[:, None] + m)
    mirrored = sign * coupled[2][np.ix_(mirror, mirror)].conj()
    parallel, crossed = (coupled[2] + mirrored) / 2, 0.5j * (coupled[2] - mirrored)
    return {"TT": coupled[0], "EE": parallel, "BB": parallel, "EB": crossed, "BE": crossed.conj().T}


def exact_covariance(correlators, pair, pair2, L):
    """cov(C^ab_l, C^cd_l') of pseudo-spectra by sums over all orders."""
    (a, b), (c, d) = pair, pair2
    zero = np.zeros((L * L, L * L))
    ac, bd, ad, bc = (correlators.get(name, zero) for name in (a + c, b + d, a + d, b + c))
    terms = (ac * bd.conj() + ad * bc.conj()).real
    starts = np.arange(L) ** 2
    sums = np.add.reduceat(np.add.reduceat(terms, starts, axis=0), starts, axis=1)
    modes = 2 * np.arange(L) + 1
    return sums / np.outer(modes, modes)


def test_white_spectra_are_exact():
    """The kernel is narrow for white spectra, if no degree < 2 or >= L is coupled: l = 6 to L - 5 here."""
    L, L_mask = 14, 3
    grid = GL(40)
    mask = band_limited_mask(L_mask, grid, 4)
    T, P = (NoisyField(x, {}, 0) for x in zero_fields(L, mask, grid))
    correlators = Correlators({name: np.ones(L) for name in ("TT", "EE", "BB")}, L)
    exact = dense_correlators(mask, L, grid)
    inside = slice(6, L - 4)
    for left, right in (((T, T), (T, T)), ((T, P), (T, P)), ((P, P), (P, P))):
        block = correlators.covariance(left, right)
        names = [[a + b for a in x.field.names for b in y.field.names] for x, y in (left, right)]
        for i, name in enumerate(names[0]):
            for j, name2 in enumerate(names[1]):
                expected = exact_covariance(exact, name, name2, L)[inside, inside]
                result = block[i, inside, j, inside]
                scale = abs(exact_covariance(exact, name, name, L)).max()
                assert np.allclose(result, expected, rtol=0, atol=IDENTITY * scale), (name, name2)


@pytest.mark.parametrize("purify", ["", "B"])
def test_low_degrees_are_exact_for_any_spectra(purify):
    """The mean and the covariance of all real modes, T and E correlated, by their masked coefficients."""
    L, n = 9, 5
    grid = GL(30)
    mask = band_limited_mask(4, grid, 7)
    ell = np.arange(L)
    cl = {"TT": 1 / (ell + 1.0), "EE": 2 / (ell + 2.0) ** 2, "BB": 1 / (ell + 4.0)}
    cl["TE"] = 0.7 * np.sqrt(cl["TT"] * cl["EE"])
    for name, first in (("EE", 2), ("BB", 2), ("TE", 2)):
        cl[name][:first] = 0
    modes = np.stack(list(correlated_modes(cl, L, grid)))
    T, P = zero_fields(L, mask, grid, purify)
    fields = T, P
    masked = {
        "T": masked_field(modes[:, 0].real, L, mask, sampling=grid).flm[:, 0],
        **dict(
            zip(
                "EB",
                masked_field(
                    modes[:, 1], L, mask, spin=2, sampling=grid, purify=purify
                ).flm.transpose(1, 0, 2),
                strict=True,
            )
        ),
    }
    correlators = {a + b: masked[a].T @ masked[b].conj() for a in "TEB" for b in "TEB"}
    theory = Correlators(cl, L, exact_degrees=n)
    T, P = (NoisyField(x, {}, 0) for x in fields)
    for left, right in (((T, T), (T, P)), ((T, P), (T, P)), ((P, P), (P, P)), ((T, T), (P, P))):
        block = theory.covariance(left, right)
        names = [[a + b for a in x.field.names for b in y.field.names] for x, y in (left, right)]
        for i, j in np.ndindex(len(names[0]), len(names[1])):
            if set(purify) & set(names[0][i] + names[1][j]):
                continue
            expected = exact_covariance(correlators, names[0][i], names[1][j], L)[:n, :n]
            scale = abs(block[:, :n, :, :n]).max()
            assert np.allclose(block[i, :n, j, :n], expected, rtol=0, atol=IDENTITY * scale)


def correlated_modes(cl, L, grid):
    """Samples (T, Q + i U) of independent real modes, whose sum of products has the given spectra."""
    basis = from_real(np.eye(L * L))
    factor = {name: values[degrees(L)] for name, values in cl.items()}
    of_T = np.sqrt(factor["TT"])
    of_E = factor["TE"] / of_T
    residual = np.sqrt(factor["EE"] - of_E**2)
    for T, E, B in ((of_T, of_E, 0), (0, residual, 0), (0, 0, np.sqrt(factor["BB"]))):
        flm = eb_to_spin(basis * E, basis * B, spin=2)
        P = sk.inverse(flm, L, spin=2, sampling=grid)
        yield from np.stack([sk.inverse(basis * T, L, sampling=grid), P], axis=1)


@pytest.mark.parametrize("sigma", ["constant", "varying"])
def test_noise_of_pure_modes_is_the_sum_over_all_samples(sigma):
    """The response of the pure coefficients to each sample, on a grid where one quadrature is exact."""
    L, grid = 6, GL(8)
    mask = band_limited_mask(3, grid, 0)
    rng = np.random.default_rng(1)
    deviations = np.full(grid.shape, 0.5) if sigma == "constant" else rng.random(grid.shape)
    units = (np.eye(mask.size) * deviations.ravel()).reshape(-1, *grid.shape)
    total = np.zeros(L)
    for f in (units + 0j, 1j * units):
        E, B = pure_coefficients(f, L, mask, sampling=grid, purify="EB")
        spectra = [sk.spectra.power(x).sum(axis=0) for x in (E, B)]
        total += np.mean(spectra, axis=0)
    result = noise_power(mask, L, sampling=grid, sigma=deviations, spin=2, pure=True)
    assert np.allclose(result, total, rtol=CHAIN, atol=SHORT_SUM)


def simulated(n, nside, width, noise, purify="B"):
    """(bandpowers of n simulations, their fields, the spectra, the noise, the bins)."""
    L, grid = 2 * nside, HEALPix(nside)
    cl = planck2018_cl(L)
    galaxy = abs(grid.theta - np.pi / 2) > 0.35
    mask = Mask(apodize(galaxy, 0.5, sampling=grid), L, grid)
    bins = Bins.linear(L, width)
    skies = np.array([gaussian_sky(cl, L, i, seed=5, sampling=grid, noise=noise) for i in range(n)])
    maps = skies.transpose(1, 0, 2)
    P = masked_field(maps[1] + 1j * maps[2], L, mask, spin=2, sampling=grid, purify=purify)
    fields = [masked_field(maps[0], L, mask, sampling=grid), P]
    of_T = noise_power(mask, L, level=noise)
    of_P = noise_power(mask, L, level=np.sqrt(2) * noise, spin=2)
    of_B = noise_power(mask, L, level=np.sqrt(2) * noise, spin=2, pure=bool(purify))
    noise_spectra = {"TT": of_T, "EE": of_P, "BB": of_B}
    values = master(fields, bins=bins, noise=noise_spectra)
    return values, fields, cl, noise_spectra, bins


@pytest.mark.parametrize("purify", ["", "B"])
def test_variances_are_those_of_simulations(purify):
    n = 100
    values, fields, cl, noise, bins = simulated(n, 32, 7, 0.003, purify)
    theory = gaussian_covariance(fields, cl=cl, bins=bins, noise=noise)
    sample = sample_covariance(values.values)
    assert theory.names == sample.names
    for name in ("TT", "EE", "BB", "TE"):
        variance = np.diag(theory.block(name))
        ratio = np.diag(sample.block(name)) / variance
        deviations = (ratio - 1) / np.sqrt(2 / (n - 1))
        assert abs(deviations).max() < 4.5, name
        assert abs(deviations.mean()) < 4 / np.sqrt(bins.n), name
        mean = values.values[name].mean(axis=0)
        pulls = (mean - values.expected(cl)[name]) / np.sqrt(variance / n)
        assert abs(pulls).max() < 4.5, name
    correlations = [
        np.diagonal(x.correlation()[[0, 1, 2, 3], :, [0, 1, 2, 3]], 1, 1, 2)
        for x in (theory, sample)
    ]
    assert abs(correlations[0] - correlations[1]).max() < 4.5 / np.sqrt(n)


def test_cross_spectra_of_maps_with_independent_noise():
    """The noise of either map does not enter the mean, and enters the variance once each."""
    L, grid, depth = 16, GL(16), 0.7
    bins = Bins.linear(L, 1)
    ones = np.ones(grid.shape)
    T, T2 = zero_fields(L, ones, grid)[0], zero_fields(L, ones, grid)[0]
    noise, noise2 = {"TT": depth**2}, {"TT": 4 * depth**2}
    cl = {"TT": np.full(L, 2.0)}
    covariance = gaussian_covariance(T, T2, cl=cl, bins=bins, noise=noise, noise2=noise2)
    modes = 2 * np.arange(2, L) + 1
    expected = ((2 + depth**2) * (2 + 4 * depth**2) + 4) / modes
    assert np.allclose(np.diag(covariance.block("TT")), expected, rtol=CHAIN, atol=0)


def test_two_masks():
    """The covariance of a cross-spectrum of two masks lies between those of either, for white noise."""
    grid, L = HEALPix(16), 32
    bins = Bins.linear(L, 10)
    masks = [apodize(abs(np.cos(grid.theta)) > 0.2, w, sampling=grid) for w in (0.2, 0.6)]
    T, T2 = (zero_fields(L, mask, grid)[0] for mask in masks)
    cl = {"TT": np.ones(L)}
    errors = [
        gaussian_covariance(*x, cl=cl, bins=bins).errors()["TT"] for x in ([T], [T, T2], [T2])
    ]
    assert (errors[0] < errors[1]).all() and (errors[1] < errors[2]).all()


def test_sample_covariance_and_its_error():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 3)) * [1, 2, 3]
    y = x + rng.standard_normal((50, 3))
    covariance = sample_covariance({"TT": x, "EE": y})
    expected = np.cov(np.hstack([x, y]).T)
    assert np.allclose(
        covariance.matrix.reshape(6, 6), expected, rtol=0, atol=SHORT_SUM * expected.max()
    )
    assert covariance.n_simulations == 50
    error = covariance.standard_error.reshape(6, 6)
    assert np.allclose(np.diag(error), np.diag(expected) * np.sqrt(2 / 49), rtol=IDENTITY, atol=0)
    assert np.allclose(covariance.errors()["EE"], y.std(axis=0, ddof=1), rtol=IDENTITY, atol=0)
    draws = [
        np.diag(sample_covariance({"TT": rng.standard_normal((50, 1))}).block("TT"))
        for _ in range(400)
    ]
    assert abs(np.std(draws) / np.sqrt(2 / 49) - 1) < 0.2


def test_correlation_of_a_bandpower_without_variance_is_zero():
    covariance = sample_covariance({"TT": np.array([[1.0, 2], [1, 3]])})
    result = covariance.correlation()[0, :, 0]
    assert np.allclose(result, [[0, 0], [0, 1]], rtol=0, atol=SHORT_SUM)


def with_options(**options):
    grid = GL(8)
    T, P = zero_fields(8, np.ones(grid.shape), grid)
    arguments = dict(fields=[T, P], cl={"TT": np.ones(8)}, bins=Bins.linear(8, 2)) | options
    return gaussian_covariance(arguments.pop("fields"), arguments.pop("fields2", None), **arguments)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (dict(bins=3), TypeError, "expected spherekit.spectra.Bins"),
        (dict(bins=Bins.linear(9, 2)), ValueError, "the bins have the band-limit 9, the fields 8"),
        (dict(cl={"TT": np.ones(7)}), ValueError, "at least 8"),
        (dict(cl={"TT": np.full(8, np.nan)}), ValueError, "NaN"),
        (dict(noise={"XX": 1.0}), ValueError, "XX"),
        (dict(noise2={"TT": 1.0}), ValueError, "noise2 is the noise of fields2"),
        (dict(fields=[1]), TypeError, "masked_field"),
        (
            dict(fields2=zero_fields(8, np.ones((9, 17)), GL(9))[0]),
            ValueError,
            "pass fields on one grid",
        ),
    ],
)
def test_invalid_arguments(options, error, message):
    with pytest.raises(error, match=message):
        with_options(**options)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([1, 2], TypeError, "expected a dict"),
        ({}, TypeError, "expected a dict"),
        ({"TT": np.ones(3)}, ValueError, "n >= 2 simulations"),
        ({"TT": np.ones((1, 3))}, ValueError, "n >= 2 simulations"),
        ({"TT": np.ones((4, 3)), "EE": np.ones((4, 2))}, ValueError, "shapes"),
        ({"TT": np.full((4, 3), np.nan)}, ValueError, "NaN"),
    ],
)
def test_invalid_simulations(values, error, message):
    with pytest.raises(error, match=message):
        sample_covariance(values)


def test_unknown_names():
    covariance = Covariance(("TT",), np.ones((1, 1, 1, 1)))
    with pytest.raises(ValueError, match="'EE' is not one of the spectra TT"):
        covariance.block("TT", "EE")
