"""Gaussian signals of given spectra and cross-spectra, beams, and simulated skies."""

import numpy as np
import pytest
from helpers.data import oracle
from tolerances import IDENTITY, LAST_PLACES

import spherekit
from spherekit import io
from spherekit.conventions import eb_to_spin
from spherekit.datasets import planck2018_cl
from spherekit.sampling import HEALPix
from spherekit.spectra import correlated_flm, gaussian_beam, gaussian_flm, gaussian_sky, power
from spherekit.spectra.gaussian import ROUNDING, cholesky_factors

PAIRS = (("TT", 0, 0), ("EE", 1, 1), ("BB", 2, 2), ("TE", 0, 1), ("TB", 0, 2), ("EB", 1, 2))


def z_scores(mean, cl, n):
    """Deviations of mean cross-spectra (L,) of n realizations from the matrices (3, 3, L), in sigmas."""
    ell = np.arange(cl.shape[-1])
    scores = {}
    for name, i, j in PAIRS:
        variance = (cl[i, i] * cl[j, j] + cl[i, j] ** 2) / ((2 * ell + 1) * n)
        scores[name] = (mean[i, j] - cl[i, j])[2:] / np.sqrt(variance[2:])
    return scores


def assert_expected(scores):
    """Each deviation below 5 sigma, and their mean square one within 5 sigma of its own scatter."""
    for name, z in scores.items():
        assert np.abs(z).max() < 5, name
        assert abs((z**2).mean() - 1) < 5 * np.sqrt(2 / z.size), name


def mean_spectra(skies):
    """The mean cross-spectra (3, 3, L) of T, E, B."""
    return np.mean([[[power(a, b) for b in flm] for a in flm] for flm in skies], axis=0)


def matrices_of(cl, L):
    matrices = np.zeros((3, 3, L))
    for name, i, j in PAIRS:
        matrices[i, j] = matrices[j, i] = cl.get(name, np.zeros(L))[:L]
    return matrices


# --- one and several signals ----------------------------------------------------------------------


def test_the_first_signal_has_the_bits_of_one():
    cl = planck2018_cl(50)
    flm = correlated_flm(cl, 50, 7)
    assert np.array_equal(flm[0], gaussian_flm(cl["TT"], 50, 7))
    assert np.array_equal(correlated_flm({"TT": cl["TT"]}, 50, 7)[0], flm[0])
    assert np.array_equal(correlated_flm(matrices_of(cl, 50), 50, 7), flm)


def test_the_order_of_the_signals_is_that_of_their_spectra():
    cl = {"BB": np.ones(4), "TB": np.full(4, 0.5), "TT": np.full(4, 4.0)}
    B, T = correlated_flm(cl, 4, 3)
    assert np.array_equal(B, gaussian_flm(np.ones(4), 4, 3))
    assert power(T).mean() > power(B).mean()


def test_covariance_of_correlated_signals():
    L, n = 40, 300
    cl = planck2018_cl(L)
    cl["BB"] = 0.1 * cl["EE"]
    cl["TB"] = 0.2 * np.sqrt(cl["TT"] * cl["BB"])
    cl["EB"] = -0.3 * np.sqrt(cl["EE"] * cl["BB"])
    rng = np.random.default_rng(4)
    mean = mean_spectra(correlated_flm(cl, L, rng) for _ in range(n))
    assert_expected(z_scores(mean, matrices_of(cl, L), n))


def test_signals_are_the_factor_times_independent_ones(rng):
    L = 9
    A = rng.standard_normal((L, 4, 4))
    C = np.moveaxis(A @ A.transpose(0, 2, 1), 0, -1)
    normal = correlated_flm(np.eye(4)[..., None] * np.ones(L), L, 11)
    G = np.repeat(np.linalg.cholesky(np.moveaxis(C, -1, 0)), 2 * np.arange(L) + 1, axis=0)
    expected = np.einsum("kij,jk->ik", G, normal)
    np.testing.assert_allclose(correlated_flm(C, L, 11), expected, rtol=0, atol=IDENTITY)


# --- the factors ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
@pytest.mark.parametrize("scale", [(1, 1, 1), (1e-8, 1, 1e9), (1e-150, 1e150, 1)])
def test_factors_of_matrices_of_every_rank(rng, rank, scale):
    A = rng.standard_normal((200, 3, rank)) * np.array(scale)[:, None]
    C = np.moveaxis(A @ A.transpose(0, 2, 1), 0, -1)
    G = cholesky_factors(C, "TEB")
    root = np.sqrt(np.einsum("iik->ik", C))
    error = np.einsum("ijk,ljk->ilk", G, G) - C
    assert (np.abs(error) <= IDENTITY * root[:, None] * root).all()
    assert not np.triu(G[..., 0], 1).any()


def test_signals_without_power(rng):
    C = np.zeros((3, 3, 2))
    C[0, 0] = C[2, 2] = 4
    C[0, 2] = C[2, 0] = -4
    G = cholesky_factors(C, "TEB")
    assert G[:, :, 0].tolist() == [[2, 0, 0], [0, 0, 0], [-2, 0, 0]]


def test_complete_correlation_in_single_precision(rng):
    """Rounded to float32, half of the matrices are not positive semi-definite."""
    TT, EE = np.exp(rng.standard_normal((2, 1000)))
    TE = np.sqrt(TT * EE)
    TT, EE, TE = (x.astype(np.float32).astype(float) for x in (TT, EE, TE))
    assert (TE**2 > TT * EE).any()
    C = np.array([[TT, TE], [TE, EE]])
    G = cholesky_factors(C, "TE")
    error = np.einsum("ijk,ljk->ilk", G, G) - C
    assert np.abs(error).max(axis=(0, 1)).max() <= ROUNDING * C.max()
    assert np.abs(error / np.sqrt(TT * EE)).max() < ROUNDING


# --- refusals -------------------------------------------------------------------------------------


def test_the_message_names_the_degree_and_the_pair():
    cl = planck2018_cl(30)
    cl["TE"][17] = 3 * np.sqrt(cl["TT"][17] * cl["EE"][17])
    cl["TE"][21] = 1e9
    with pytest.raises(
        ValueError, match="C_l of TE is .* at l = 17, .* TT and EE .*geometric mean"
    ):
        correlated_flm(cl, 30, 0)
    one = np.ones(4)
    cl = {"TT": one, "EE": one, "BB": one, "TE": 0.9 * one, "TB": 0.9 * one, "EB": -0.9 * one}
    with pytest.raises(ValueError, match="C_l of EB is -0.9 at l = 0, .*correlations of both"):
        correlated_flm(cl, 4, 0)


@pytest.mark.parametrize(
    "cl, words",
    [
        ({}, r"\(none\); expected one such as TT"),
        ({"TE": np.ones(4)}, "expected one such as TT"),
        ({"TT": np.ones(4), "TE": np.ones(4)}, "TE, but not EE"),
        ({"TT": np.ones(4), "T": np.ones(4)}, "key 'T'"),
        ({"TT": np.ones(4), "tt": np.ones(4)}, "tt and TT, which differ only in case"),
        (
            {"TT": np.ones(4), "EE": np.ones(4), "TE": np.zeros(4), "ET": np.zeros(4)},
            "cl has both TE and ET",
        ),
        ({"TT": np.ones(3)}, r"spectrum TT has shape \(3,\)"),
        ({"TT": -np.ones(4)}, "TT contains negative"),
        ({"TT": np.ones(4), "EE": np.ones(4), "TE": np.full(4, np.nan)}, "TE contains NaN"),
        ({"TT": np.ones(4), "EE": np.ones(4), "TE": np.full(4, 1.01)}, "l = 0"),
        ({"TT": np.ones(4), "EE": np.zeros(4), "TE": np.full(4, 1e-30)}, "TE is 1e-30 at l = 0"),
        ({"TT": np.ones(4), "EE": np.ones(4), "TE": np.full(4, 1e200)}, "TE is 1e[+]200"),
        (np.ones((2, 3, 4)), "shape"),
        (np.ones((2, 2, 3)), "L = 4"),
        (np.ones(4), "shape"),
        (np.array([[np.ones(4), np.zeros(4)], [np.ones(4), np.ones(4)]]), "symmetric"),
        (-np.ones((1, 1, 4)), "negative"),
    ],
)
def test_refused_spectra(cl, words):
    with pytest.raises(ValueError, match=words):
        correlated_flm(cl, 4, 0)


def test_types_of_spectra():
    with pytest.raises(TypeError, match="key 0"):
        correlated_flm({0: np.ones(4)}, 4, 0)
    with pytest.raises(TypeError, match="TT has dtype complex128"):
        correlated_flm({"TT": np.ones(4, complex)}, 4, 0)


# --- beams ----------------------------------------------------------------------------------------


def test_beams_of_healpy():
    stored = oracle("smoothing")
    for spin, name in ((0, "T"), (2, "P"), (-2, "P")):
        beam = gaussian_beam(np.radians(1), 301, spin=spin)
        np.testing.assert_allclose(beam, stored[f"beam/{name}"], rtol=LAST_PLACES, atol=0)


def test_a_beam_of_no_width_is_one():
    assert (gaussian_beam(0, 5, spin=2) == 1).all()


@pytest.mark.parametrize("fwhm", [-0.1, np.inf, [0.1, 0.2], "1deg"])
def test_refused_widths(fwhm):
    with pytest.raises((TypeError, ValueError), match="fwhm"):
        gaussian_beam(fwhm, 4)


# --- simulated skies ------------------------------------------------------------------------------


def test_a_sky_depends_on_its_number_and_the_seed():
    cl = planck2018_cl(16)
    skies = [gaussian_sky(cl, 16, k, seed=s) for k, s in ((0, 0), (1, 0), (0, 1), (0, 0))]
    assert np.array_equal(skies[0], skies[3])
    assert len({flm[0, 4] for flm in skies}) == 3


def test_the_signal_does_not_depend_on_noise_beam_and_grid():
    cl = planck2018_cl(16)
    flm = gaussian_sky(cl, 16, 5, seed=2)
    beam = gaussian_beam(0.1, 16)
    smoothed = gaussian_sky(cl, 16, 5, seed=2, beam=beam)
    assert np.array_equal(smoothed, flm * np.repeat(beam, 2 * np.arange(16) + 1))
    noisy = gaussian_sky(cl, 16, 5, seed=2, noise=1e-9)
    np.testing.assert_allclose(noisy, flm, rtol=0, atol=1e-7)
    assert np.array_equal(gaussian_sky(cl["TT"], 16, 5, seed=2), flm[0])
    T, Q, U = gaussian_sky(cl, 16, 5, seed=2, sampling="gl")
    np.testing.assert_allclose(spherekit.forward(T, 16, sampling="gl"), flm[0], rtol=0, atol=1e-11)
    P = spherekit.forward(Q + 1j * U, 16, sampling="gl", spin=2)
    np.testing.assert_allclose(P, eb_to_spin(flm[1], flm[2], spin=2), rtol=0, atol=1e-12)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_do_not_change_a_sky(threads):
    options = dict(sampling="healpix:16", noise=0.01, seed=1)
    sky = gaussian_sky(planck2018_cl(40), 40, 0, threads=threads, **options)
    assert np.array_equal(sky, gaussian_sky(planck2018_cl(40), 40, 0, threads=2, **options))


def test_mean_spectra_of_maps_with_beam_and_noise():
    """C_l b_l^2 + N_l, from 50 maps of nside 32; TB = EB = 0."""
    L, n, noise = 48, 50, 5.0
    cl = planck2018_cl(L)
    windows = np.stack([gaussian_beam(np.radians(2), L, spin=s) for s in (0, 2, 2)])
    grid = HEALPix(32, weights="equal")

    def analyzed(k):
        options = dict(sampling="healpix:32", beam=windows, noise=noise, noise_pol=0.1)
        f, Q, U = gaussian_sky(cl, L, k, seed=9, **options)
        T = spherekit.analyse(f, L, sampling=grid, reality=True)[0]
        P = spherekit.analyse(Q + 1j * U, L, spin=2, sampling=grid)[0]
        return (T, *spherekit.conventions.spin_to_eb(P, spin=2))

    expected = matrices_of(cl, L) * windows[:, None] * windows
    expected += np.diag([noise**2, 0.1**2, 0.1**2])[..., None]
    assert_expected(z_scores(mean_spectra(map(analyzed, range(n))), expected, n))


@pytest.mark.parametrize("sampling", [None, "mw", "dhpole"])
def test_noise_of_coefficients_and_of_grids_with_a_theorem(sampling):
    """N_l is the square of the depth, which of Q and U is sqrt(2) times larger; also on poles."""
    L, n = 24, 60
    cl = {name: np.zeros(L) for name in ("TT", "EE", "BB")}

    def analyzed(k):
        f = gaussian_sky(cl, L, k, noise=0.3, sampling=sampling)
        if sampling is None:
            return f
        T = spherekit.forward(f[0], L, sampling=sampling, reality=True)
        P = spherekit.forward(f[1] + 1j * f[2], L, spin=2, sampling=sampling)
        return (T, *spherekit.conventions.spin_to_eb(P, spin=2))

    expected = np.diag([0.09, 0.18, 0.18])[..., None] * np.ones(L)
    assert_expected(z_scores(mean_spectra(map(analyzed, range(n))), expected, n))


def test_noise_of_pixels():
    f = gaussian_sky(np.zeros(8), 8, 0, sampling="healpix:64", noise=1.0)
    sigma = np.sqrt(12 * 64**2 / (4 * np.pi))
    assert abs(f.std() / sigma - 1) < 5 / np.sqrt(2 * f.size)
    neighbors = (f[:-1] * f[1:]).mean() / sigma**2
    assert abs(neighbors) < 5 / np.sqrt(f.size)


@pytest.mark.parametrize(
    "options, words",
    [
        (dict(noise=-1.0), "noise is -1.0"),
        (dict(noise=np.inf), "noise is inf"),
        (dict(noise_pol=0.1), "polarized skies only"),
        (dict(beam=np.ones(3)), r"beam has shape \(3,\)"),
        (dict(beam=np.full(4, np.nan)), "beam contains"),
        (dict(index=-1), "index is -1"),
        (dict(seed=-1), "seed is -1"),
    ],
)
def test_refused_skies(options, words):
    with pytest.raises(ValueError, match=words):
        gaussian_sky(**{**dict(cl=np.ones(4), L=4, index=0), **options})


def test_a_polarized_sky_needs_its_spectra():
    with pytest.raises(ValueError, match="TT, not EE"):
        gaussian_sky({"TT": np.ones(4)}, 4, 0)
    one = np.ones(4)
    for name in ("VV", "ee", "TP"):
        with pytest.raises(
            ValueError, match=f"the spectra '{name}'; a polarized sky has .* T, E and B"
        ):
            gaussian_sky({"TT": one, "EE": one, name: one}, 4, 0)
    expected = gaussian_sky({"TT": one, "EE": one, "TE": 0.5 * one}, 4, 0)
    assert np.array_equal(gaussian_sky({"ET": 0.5 * one, "EE": one, "TT": one}, 4, 0), expected)


@pytest.mark.parametrize("L", [1, 2, 3])
def test_lowest_band_limits(L):
    f = gaussian_sky({"TT": np.ones(L), "EE": np.ones(L)}, L, 0, sampling="mw", noise=1.0)
    assert f.shape == (3, L, 2 * L - 1) and np.isfinite(f).all()
    assert bool(f[1:].any()) == (L == 3)


# --- beams in files -------------------------------------------------------------------------------


def test_text_tables_of_beams(tmp_path):
    path = tmp_path / "beam.txt"
    path.write_text("# l b_l\n0 1\n1 0.9\n2 0.7\n")
    windows = io.read_beam(path, 2)
    assert {name: b.tolist() for name, b in windows.items()} == dict.fromkeys("TEB", [1, 0.9])
    path.write_text("0 1 2 3\n1 4 5 6\n")
    assert [io.read_beam(path, 2)[name][1] for name in "TEB"] == [4, 5, 6]


def test_fits_tables_of_beams(tmp_path):
    path = tmp_path / "beam.fits"
    io.write_cl(path, {"TEMPERATURE": np.ones(5), "GRADIENT": np.full(5, 0.5)})
    windows = io.read_beam(path, 4)
    assert [windows[name].tolist() for name in "TEB"] == [[1] * 4, [0.5] * 4, [0.5] * 4]
    for column in ("B_L", "T", "TEMPERATURE"):
        io.write_cl(path, np.full(5, 0.3), column=column, overwrite=True)
        assert io.read_beam(path, 5)["B"].tolist() == [0.3] * 5


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "0 rows"),
        ("0 1\n1 x\n", "not a table of numbers"),
        ("1 1\n2 1\n3 1\n", "0, 1, 2, ... in order"),
        ("0 1 1\n1 1 1\n", "3 columns"),
        ("0 1\n1 1\n", "has 2 degrees; L = 3"),
        ("0 1\n1 nan\n2 1\n", "NaN"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*input contained no data")
def test_refused_tables_of_beams(tmp_path, text, words):
    path = tmp_path / "beam.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=words):
        io.read_beam(path, 3)


def test_refused_fits_files_of_beams(tmp_path):
    path = tmp_path / "map.fits"
    io.write_map(path, np.ones(12))
    with pytest.raises(ValueError, match="a map or coefficients"):
        io.read_beam(path, 3)
