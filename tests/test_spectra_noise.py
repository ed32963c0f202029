"""Noise bias and error bars: against sums over all samples, against identities and against simulations."""

import autograd.numpy as anp
import numpy as np
import pytest
from tolerances import IDENTITY, SHORT_SUM

from spherekit._core.missing import UNSEEN
from spherekit.harmonic import forward
from spherekit.sampling import HEALPix
from spherekit.sampling import grid as as_grid
from spherekit.spectra import (
    Bins,
    Mask,
    correlated_flm,
    cross_power,
    gaussian_flm,
    gaussian_sky,
    knox_errors,
    masked_field,
    masked_flm,
    master,
    mode_fraction,
    noise_power,
    polarization_power,
    power,
    pseudo_power,
    sky_fraction,
    split_power,
)
from spherekit.testing import assert_gradient, random_flm

L = 6


def sum_over_samples(grid, mask, sigmas, spin):
    """{"EE": N_l, ...} or {"TT": N_l}: the power of the noise of each sample on its own, added."""
    result = {}
    for i in np.ndindex(tuple(grid.shape)):
        for sigma, unit in zip(sigmas, (1, 1j), strict=False):
            f = np.zeros(grid.shape, complex if spin else float)
            f[i] = mask[i] * sigma[i] * unit
            flm = forward(f, L, sampling=grid, spin=spin, reality=not spin)
            spectra = polarization_power(flm, spin=spin) if spin else {"TT": power(flm)}
            for name, cl in spectra.items():
                result[name] = result.get(name, 0) + cl
    return result


@pytest.mark.parametrize("spin", [0, 1, 2])
@pytest.mark.parametrize("name", ["healpix:2", "gl:6", "dh:6", "cc:6"])
def test_noise_of_each_sample(name, spin, rng):
    """Exact for one quadrature, with different noise of Q and U, too: E and B have their mean variance."""
    grid = as_grid(name)
    mask = rng.uniform(size=grid.shape)
    sigmas = rng.uniform(size=(2 if spin else 1, *grid.shape))
    expected = sum_over_samples(grid, mask, sigmas, spin)
    result = noise_power(mask, L, sampling=grid, sigma=sigmas if spin else sigmas[0], spin=spin)
    assert result.shape == (L,) and result.dtype == np.float64
    for pair in ("EE", "BB") if spin else ("TT",):
        np.testing.assert_allclose(result, expected[pair], rtol=IDENTITY)
    if spin:
        np.testing.assert_allclose(expected["EB"], 0, atol=SHORT_SUM)


@pytest.mark.parametrize("spin", [0, 2])
def test_levels_and_deviations_of_pixels_are_equal(spin, rng):
    """The noise of `gaussian_sky`: level / sqrt(pixel area) in each pixel."""
    grid, level = HEALPix(8), 0.3
    mask = rng.uniform(size=grid.shape)
    options = dict(sampling=HEALPix(8, weights="equal"), spin=spin)
    result = noise_power(mask, 8, level=level, **options)
    sigma = level / np.sqrt(4 * np.pi / 768)
    for deviations in (sigma, np.full(768, sigma)):
        per_pixel = noise_power(mask, 8, sigma=deviations, **options)
        np.testing.assert_allclose(result, per_pixel, rtol=IDENTITY)
    bias = level**2 * sky_fraction(mask, sampling=options["sampling"])
    np.testing.assert_allclose(result[spin:], bias, rtol=IDENTITY)
    assert not result[:spin].any()


@pytest.mark.parametrize("iterations", [0, 3])
def test_noise_of_masked_fields(iterations, rng):
    """Unbiased of simulated noise, of T, E and B, up to l = 2 nside after iterations."""
    grid, n = HEALPix(8), 200
    mask = Mask(np.clip(1.5 - grid.theta, 0, 1), 17, grid, iterations)
    sigma = np.where(mask.values > 0, 1 + grid.theta, np.nan)
    pseudo = []
    for index in range(n):
        intensity, Q, U = np.random.default_rng(index).standard_normal((3, 768)) * sigma
        T = masked_field(intensity, 17, mask, sampling=grid, iterations=iterations)
        P = masked_field(Q + 1j * U, 17, mask, spin=2, sampling=grid, iterations=iterations)
        pseudo.append([pseudo_power(T)[0], *pseudo_power(P)[[0, 3]]])
    pseudo = np.array(pseudo)
    for k, spin in enumerate((0, 2, 2)):
        expected = noise_power(mask, 17, sigma=sigma, spin=spin)
        error = pseudo[:, k].std(axis=0) / np.sqrt(n)
        assert np.all(np.abs(pseudo[:, k].mean(axis=0) - expected) <= 4.5 * error + 3e-3 * expected)


@pytest.mark.parametrize("name", ["healpix:4", "gl:8"])
def test_noise_of_pure_signals(name):
    """The power of the pure signals of the noise of each sample, added."""
    grid = as_grid(name)
    theta = np.broadcast_to(grid.theta if name[0] == "h" else grid.theta[:, None], grid.shape)
    mask = Mask(np.clip(1.6 - theta, 0, None) ** 2, 8, grid, iterations=0)
    sigma = 1 + theta
    total = 0
    for i in zip(*np.nonzero(mask.values), strict=True):
        for unit in (1, 1j):
            f = np.zeros(grid.shape, complex)
            f[i] = sigma[i] * unit
            P = masked_field(f, 8, mask, spin=2, sampling=grid, purify="EB", iterations=0)
            total = total + pseudo_power(P)
    expected = noise_power(mask, 8, sigma=sigma, spin=2, pure=True)
    scale = expected.max()
    for k, values in enumerate((expected, 0, 0, expected)):  # EE, EB, BE, BB
        np.testing.assert_allclose(total[k], values, rtol=0, atol=IDENTITY * scale)
    plain = noise_power(mask, 8, sigma=sigma, spin=2)
    assert np.all(expected[2:] > plain[2:]) and not expected[:2].any()
    by_level = noise_power(mask, 8, level=1, spin=2, pure=True)
    deviations = 1 / np.sqrt(np.broadcast_to(grid.weights, grid.shape))
    by_sample = noise_power(mask, 8, sigma=deviations, spin=2, pure=True)
    np.testing.assert_allclose(by_level, by_sample, rtol=IDENTITY)


def test_masks_of_noise():
    grid = HEALPix(4)
    values = grid.theta < 1
    expected = noise_power(values, 4, sampling=grid, level=2)
    mask = Mask(values, 4, grid)
    for result in (
        noise_power(mask, 4, level=2),
        noise_power(mask, 4, level=2, sampling="healpix:4"),
        noise_power(values.tolist(), 4, level=2.0, sampling=grid),
    ):
        assert np.array_equal(result, expected)
    np.testing.assert_allclose(noise_power(None, 4, level=2, sampling="mw"), 4, rtol=IDENTITY)
    deviations = np.where(values, 1.0, UNSEEN)
    assert np.isfinite(noise_power(mask, 4, sigma=deviations)).all()


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({}, ValueError, "got neither of level and sigma"),
        (dict(level=1, sigma=1), ValueError, "got both of level and sigma"),
        (dict(level=-1), ValueError, "level is -1"),
        (dict(level=np.inf), ValueError, "level is inf"),
        (dict(level="1"), TypeError, "level is '1'"),
        (dict(sigma=-1.0), ValueError, "sigma is negative or not finite at 12 of the 12 samples"),
        (dict(sigma=np.full(12, UNSEEN)), ValueError, "12 are UNSEEN"),
        (dict(sigma=np.where(np.arange(12) == 3, np.nan, 1)), ValueError, "at 1 of the 12"),
        (dict(sigma=np.ones(11)), ValueError, r"sigma has shape \(11,\)"),
        (dict(sigma=np.ones((2, 12))), ValueError, r"sigma has shape \(2, 12\)"),
        (dict(sigma=1j), TypeError, "sigma is complex"),
        (dict(level=1, spin=2), ValueError, "spin 2 has no degrees"),
        (
            dict(level=1, spin=1, pure=True),
            ValueError,
            "pure signals are those of spin 2; got spin 1",
        ),
    ],
)
def test_bad_levels_of_noise(options, error, message):
    with pytest.raises(error, match=message):
        noise_power(np.ones(12), 2, sampling="healpix:1", **options)


def test_bad_masks_of_noise():
    with pytest.raises(TypeError, match="sampling is missing"):
        noise_power(np.ones(12), 2, level=1)
    with pytest.raises(ValueError, match="pass one grid"):
        noise_power(Mask(np.ones(12), 2, "healpix:1"), 2, level=1, sampling="healpix:2")


# --- splits -----------------------------------------------------------------------------------------


def test_two_halves(rng):
    """The cross-spectrum of the halves, and the spectrum of their half-difference."""
    T, P = random_flm(L, rng, shape=2, reality=True), random_flm(L, rng, shape=2)
    signal, noise = split_power({"T": T, ("E", "B"): (P, 2)})
    halves = [{"T": T[i], ("E", "B"): (P[i], 2)} for i in (0, 1)]
    crosses = cross_power(*halves)
    half_difference = {"T": (T[0] - T[1]) / 2, ("E", "B"): ((P[0] - P[1]) / 2, 2)}
    expected = cross_power(half_difference)
    assert list(signal) == list(noise) == list(expected)
    for a, b in expected:
        symmetric = (crosses[a + b] + crosses[b + a]) / 2
        np.testing.assert_allclose(signal[a + b], symmetric, rtol=IDENTITY, atol=IDENTITY)
        np.testing.assert_allclose(noise[a + b], expected[a + b], rtol=IDENTITY, atol=IDENTITY)


@pytest.mark.parametrize("weights", [None, [1, 2, 3.0, 0], np.array([1, 0, 0, 5])])
def test_weighted_pairs_of_splits(weights, rng):
    """The definition, by a loop over the pairs."""
    f, g = random_flm(L, rng, shape=(2, 4), reality=True)
    a = np.full(4, 0.25) if weights is None else np.divide(weights, np.sum(weights))
    total, sum_of_weights = 0, 0
    for i in range(4):
        for j in range(4):
            if i != j:
                total = total + a[i] * a[j] * power(f[i], g[j])
                sum_of_weights += a[i] * a[j]
    result = split_power({"f": f, "g": g}, weights=weights)
    np.testing.assert_allclose(result.signal["fg"], total / sum_of_weights, rtol=0, atol=IDENTITY)
    of_mean = power(a @ f, a @ g)
    sums = result.signal["fg"] + result.noise["fg"]
    np.testing.assert_allclose(sums, of_mean, rtol=0, atol=IDENTITY)


def test_splits_have_no_bias(rng):
    """Signal, and noise of the mean map, of unequal noise with weights, on average."""
    n, cl, levels = 300, 2.0, np.array([1.0, 4.0, 2.0])
    weights = 1 / levels
    signals, noises = [], []
    for _ in range(n):
        sky = gaussian_flm(np.full(L, cl), L, rng)
        splits = [sky + gaussian_flm(np.full(L, level), L, rng) for level in levels]
        signal, noise = split_power({"T": splits}, weights=weights)
        signals.append(signal["TT"])
        noises.append(noise["TT"])
    level = 1 / weights.sum()
    for values, expected in ((signals, cl), (noises, level)):
        error = np.std(values, axis=0) / np.sqrt(n)
        assert np.all(np.abs(np.mean(values, axis=0) - expected) < 4.5 * error)


def test_batches_of_splits(rng):
    T, P = random_flm(4, rng, shape=(3, 5), reality=True), random_flm(4, rng, shape=(3, 5))
    signal, noise = split_power({"T": T, ("E", "B"): (P, 1)})
    assert signal["TE"].shape == noise["BB"].shape == (5, 4)
    single = split_power({"T": T[:, 2], ("E", "B"): (P[:, 2], 1)})
    np.testing.assert_allclose(signal["TB"][2], single.signal["TB"], rtol=0, atol=IDENTITY)


def fields_of(maps, mask, **options):
    """T and P of maps of I, Q and U (..., 3, pixels)."""
    options |= dict(mask=mask, sampling=mask.grid)
    T = masked_field(maps[..., 0, :], mask.L, **options)
    return T, masked_field(maps[..., 1, :] + 1j * maps[..., 2, :], mask.L, spin=2, **options)


@pytest.mark.parametrize("shape", [(), (3,)])
def test_the_noise_of_masked_splits_is_that_of_the_mean_map(shape, rng):
    grid = HEALPix(8)
    mask = Mask(grid.theta < 1.8, 16, grid)
    bins = Bins.linear(16, 5)
    maps = rng.standard_normal((2, *shape, 3, 768))
    halves = [fields_of(f, mask) for f in maps]
    noise = split_power(halves).noise
    result = master(
        fields_of(maps.mean(axis=0), mask), bins=bins, noise=noise if not shape else None
    )
    if shape:
        single = split_power([fields_of(f[1], mask) for f in maps])
        np.testing.assert_allclose(noise["TE"][1], single.noise["TE"], rtol=0, atol=IDENTITY)
        return
    crosses = master(*halves, bins=bins).values
    assert list(result.values) == list(noise)
    for (a, b), values in result.values.items():
        expected = (crosses[a + b] + crosses[b + a]) / 2
        np.testing.assert_allclose(values, expected, rtol=0, atol=IDENTITY)


def test_splits_of_other_fields():
    grid = HEALPix(4)
    T, K = (masked_field(np.ones(192), 8, sampling=grid, names=(name,)) for name in "TK")
    masked = masked_field(np.ones(192), 8, grid.theta < 2, sampling=grid)
    smooth = T._replace(beam=T.beam / 2)
    several = masked_field(np.ones((2, 192)), 8, sampling=grid)
    for field in (K, masked, smooth, several, [T, K]):
        with pytest.raises(ValueError, match="split 1 has .* expected the same signals"):
            split_power([T, field])
    with pytest.raises(TypeError, match="a sequence with the MaskedField of each split"):
        split_power(T)
    for splits in ([], [T]):
        with pytest.raises(ValueError, match="is empty|at least two splits"):
            split_power(splits)


def test_gradients_of_splits(rng):
    def loss(flm):
        signal, noise = split_power({("E", "B"): (flm, 1)}, weights=[1, 2, 3])
        return anp.sum(signal["EE"] * noise["EB"])

    assert_gradient(loss, random_flm(3, rng, shape=3), order=2)


@pytest.mark.parametrize(
    "signals, weights, error, message",
    [
        (np.ones((2, 4)), None, TypeError, "expected a dict"),
        ({}, None, ValueError, "signals is empty"),
        ({"T": np.ones((1, 4))}, None, ValueError, r"T has shape \(1, 4\); expected at least two"),
        ({"T": np.ones(4)}, None, ValueError, r"T has shape \(4,\); expected at least two splits"),
        (
            {"T": np.ones((2, 4)), "K": np.ones((3, 4))},
            None,
            ValueError,
            r"K has shape \(3, 4\); expected the leading axes \(2,\)",
        ),
        (
            {"T": np.ones((2, 4))},
            [1, 2, 3],
            ValueError,
            r"weights has shape \(3,\); expected \(2,\)",
        ),
        ({"T": np.ones((2, 4))}, [1, 0], ValueError, "at least two of them above 0"),
        ({"T": np.ones((2, 4))}, [1, -1], ValueError, "finite values >= 0"),
        ({"T": np.ones((2, 4))}, [1, np.nan], ValueError, "finite values >= 0"),
        ({"T": np.ones((2, 4))}, [1j, 1], TypeError, "weights is complex"),
        ({("E", "B"): np.ones((2, 4))}, None, TypeError, r"expected \(flm, spin\)"),
    ],
)
def test_bad_splits(signals, weights, error, message):
    with pytest.raises(error, match=message):
        split_power(signals, weights=weights)


# --- error bars -------------------------------------------------------------------------------------


def test_fractions_of_modes():
    grid = HEALPix(8)
    north, south = grid.theta < 1.2, grid.theta > 1
    fraction = sky_fraction(north, sampling=grid)
    assert mode_fraction(np.ones(768), sampling=grid) == pytest.approx(1, rel=IDENTITY)
    assert mode_fraction(north, sampling=grid) == pytest.approx(fraction, rel=IDENTITY)
    assert mode_fraction(1e-200 * north, sampling=grid) == pytest.approx(fraction, rel=IDENTITY)
    weights = np.clip(2 * np.cos(grid.theta), 0, 1)
    means = [np.sum(grid.weights * weights**k) / (4 * np.pi) for k in (2, 4)]
    expected = means[0] ** 2 / means[1]
    assert mode_fraction(weights, sampling=grid) == pytest.approx(expected, rel=IDENTITY)
    assert mode_fraction(Mask(weights, 8, grid)) == pytest.approx(expected, rel=IDENTITY)
    overlap = sky_fraction(north & south, sampling=grid)
    assert mode_fraction(north, south, sampling=grid) == pytest.approx(overlap, rel=IDENTITY)
    with pytest.raises(ValueError, match="do not overlap"):
        mode_fraction(grid.theta < 1, grid.theta > 2, sampling=grid)
    with pytest.raises(TypeError, match="sampling is missing"):
        mode_fraction(north)


CL = {
    "TT": np.array([9.0, 4, 4, 4, 3, 2]),
    "EE": np.array([1.0, 1, 2, 1, 1, 0]),
    "TE": np.array([1.0, -1, 2, 1, 0, 0]),
}
NOISE = {"TT": 0.5, "EE": np.arange(6.0), "TE": 0.1}


def test_formula():
    """Every term, for one map, two maps and splits."""
    modes = 0.3 * (2 * np.arange(6) + 1)
    TT, EE, TE = (CL[name] + NOISE[name] for name in CL)
    errors = knox_errors(CL, 0.3, noise=NOISE)
    assert list(errors) == ["TT", "EE", "TE"]
    np.testing.assert_allclose(errors["TT"], np.sqrt(2 / modes) * TT, rtol=SHORT_SUM)
    np.testing.assert_allclose(errors["TE"] ** 2, (TT * EE + TE**2) / modes, rtol=SHORT_SUM)
    errors = knox_errors(CL, 0.3, noise=NOISE, splits=4)
    product = NOISE["TT"] * NOISE["EE"] + NOISE["TE"] ** 2
    expected = (TT * EE + TE**2 + product / 3) / modes
    np.testing.assert_allclose(errors["TE"] ** 2, expected, rtol=SHORT_SUM)
    errors = knox_errors(CL, 0.3, noise=NOISE, noise2={"TT": 7.0})
    assert list(errors) == ["TT", "EE", "TE", "ET"]
    expected = (TT * CL["EE"] + CL["TE"] ** 2) / modes
    np.testing.assert_allclose(errors["TE"] ** 2, expected, rtol=SHORT_SUM)
    expected = (EE * (CL["TT"] + 7) + CL["TE"] ** 2) / modes
    np.testing.assert_allclose(errors["ET"] ** 2, expected, rtol=SHORT_SUM)


def test_pairs_that_are_absent_and_names():
    errors = knox_errors({"EE": CL["EE"], "TT": CL["TT"]})
    expected = np.sqrt(CL["TT"] * CL["EE"] / (2 * np.arange(6) + 1))
    np.testing.assert_allclose(errors["ET"], expected, rtol=SHORT_SUM)
    maps = {"100x100": CL["TT"], "143x143": CL["EE"], "143x100": CL["TE"]}
    errors = knox_errors(maps, {"100x100": 1, "143x143": 1, "100x143": 0.5})
    total = CL["TT"] * CL["EE"] + CL["TE"] ** 2
    expected = np.sqrt(total / (np.arange(6) + 0.5))
    np.testing.assert_allclose(errors["100x143"], expected, rtol=SHORT_SUM)


def assert_scatter(errors, spectra, n_modes):
    """The standard deviation of spectra over simulations is ``errors``, up to 4.5 of its standard errors.

    A chi square of k degrees of freedom has the excess kurtosis 12 / k; that of products is less.
    """
    relative = np.sqrt((12 / n_modes + 2) / (4 * len(spectra)))
    assert np.all(np.abs(errors / np.std(spectra, axis=0, ddof=1) - 1) < 4.5 * relative)


def test_scatter_on_the_full_sky(rng):
    """Of signal with noise, all pairs, by simulations; and in bins."""
    cl = {name: values[:5] for name, values in CL.items()}
    noise = {"TT": 0.5, "EE": 1.0}
    bins = Bins.from_edges([1, 3, 5], weights=[0, 3, 5, 7, 9])
    spectra = []
    for _ in range(3000):
        T, E = correlated_flm(cl, 5, rng)
        T += gaussian_flm(np.full(5, noise["TT"]), 5, rng)
        E += gaussian_flm(np.full(5, noise["EE"]), 5, rng)
        spectra.append(list(cross_power({"T": T, "E": E}).values()))
    errors = np.array(list(knox_errors(cl, noise=noise).values()))
    assert_scatter(errors, spectra, 2 * np.arange(5) + 1)
    errors = np.array(list(knox_errors(cl, noise=noise, bins=bins).values()))
    assert_scatter(errors, bins.bin(spectra), 2 * bins.first + 1)


def test_scatter_of_splits(rng):
    """Of the cross-spectra of three splits with a low signal."""
    cl = {"TT": np.full(8, 0.3)}
    spectra = []
    for _ in range(3000):
        sky = gaussian_flm(cl["TT"], 8, rng)
        splits = [sky + gaussian_flm(np.full(8, 3.0), 8, rng) for _ in range(3)]
        spectra.append(split_power({"T": splits}).signal["TT"])
    errors = knox_errors(cl, noise={"TT": 1.0}, splits=3)["TT"]
    assert_scatter(errors, spectra, 2 * np.arange(8) + 1)


def test_scatter_with_a_mask():
    """Bandpowers C_l / f_sky of an apodized cap, within 10 % on average."""
    grid, n, L = HEALPix(16), 300, 32
    mask = np.clip(3 * (1.3 - grid.theta), 0, 1)
    bins = Bins.linear(L, 10)
    cl = {"TT": np.ones(L)}
    spectra = []
    for index in range(n):
        f = gaussian_sky(cl["TT"], L, index, sampling=grid)
        flm = masked_flm(f, L, mask, sampling=grid, reality=True)
        spectra.append(bins.bin(power(flm)) / sky_fraction(mask, sampling=grid))
    errors = knox_errors(cl, mode_fraction(mask, sampling=grid), bins=bins)["TT"]
    assert np.mean(errors / np.std(spectra, axis=0)) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    "arguments, options, error, message",
    [
        (([1.0],), {}, TypeError, "spectra is list; expected a dict"),
        (({},), {}, ValueError, "at least one such as TT"),
        (({"T": [1.0]},), {}, ValueError, "'T' is not a pair"),
        (({1: [1.0]},), {}, TypeError, "1 is not a name"),
        (({"TT": [1.0], "TE": [1.0]},), {}, ValueError, "spectra has TE, but not EE"),
        (({"TT": [1.0], "EE": [1.0, 2]},), {}, ValueError, "all of shape"),
        (({"TT": 1.0},), {}, ValueError, "all of shape"),
        (({"TT": [-1.0]},), {}, ValueError, "TT with other values than finite values >= 0"),
        (({"TT": [np.nan]},), {}, ValueError, "TT with other values"),
        (({"TT": [1j]},), {}, TypeError, "expected real numbers"),
        (
            ({"TT": [1.0], "EE": [1.0], "TE": [0], "ET": [0]},),
            {},
            ValueError,
            "spectra has TE and ET; expected one",
        ),
        (({"TT": [1.0]}, 0), {}, ValueError, "f_sky is 0"),
        (({"TT": [1.0]}, 1.5), {}, ValueError, "f_sky is 1.5"),
        (({"TT": [1.0]}, "1"), {}, TypeError, "f_sky is '1'"),
        (({"TT": [1.0]}, {"EE": 1}), {}, ValueError, "f_sky has EE, not TT"),
        (
            ({"TT": [1.0]},),
            dict(noise={"EE": 1}),
            ValueError,
            "noise has EE; the signals of spectra are T",
        ),
        (({"TT": [1.0]},), dict(noise={"TT": [1, 2]}), ValueError, "expected a number or"),
        (({"TT": [1.0]},), dict(noise=1.0), TypeError, "noise is float; expected a dict"),
        (({"TT": [1.0]},), dict(noise2={"TT": -1}), ValueError, "noise2 has TT with other values"),
        (({"TT": [1.0]},), dict(splits=1), ValueError, "splits is 1"),
        (({"TT": [1.0]},), dict(splits=2.0), TypeError, "splits is 2.0"),
        (({"TT": [1.0]},), dict(splits=2, noise2={}), ValueError, "got noise2 and splits"),
        (({"TT": [1.0]},), dict(bins=[1]), TypeError, "bins is list"),
        (
            ({"TT": [1.0]},),
            dict(bins=Bins.linear(8, 2)),
            ValueError,
            "the bins have L = 8, and spectra 1",
        ),
    ],
)
def test_bad_arguments_of_errors(arguments, options, error, message):
    with pytest.raises(error, match=message):
        knox_errors(*arguments, **options)
