"""Spectra of several signals: pairs, names and spins, against the definition and against healpy."""

import autograd.numpy as anp
import numpy as np
import pytest
from helpers import healpy_spectra
from tolerances import IDENTITY, SHORT_SUM, STORED

from spherekit.conventions import eb_to_spin
from spherekit.harmonic import analyse, forward
from spherekit.sampling import HEALPix
from spherekit.spectra import cross_power, polarization_power, power
from spherekit.testing import assert_gradient, random_flm

HEALPY = np.load(healpy_spectra.PATH)
DIAGONALS = ["TT", "EE", "BB", "TE", "EB", "TB"]


def naive_power(f, g):
    """C_l = 1/(2l+1) sum_m Re(f_lm conj(g_lm)), in plain loops."""
    L = int(np.sqrt(len(f)))
    cl = np.zeros(L)
    for ell in range(L):
        for m in range(-ell, ell + 1):
            k = ell * ell + ell + m
            cl[ell] += (f[k] * np.conj(g[k])).real / (2 * ell + 1)
    return cl


def spin_field(rng, spin, L=8):
    """(coefficients of a spin field, its E, its B)."""
    E, B = (random_flm(L, rng, reality=True) for _ in range(2))
    E[: spin**2] = B[: spin**2] = 0
    return eb_to_spin(E, B, spin=spin), E, B


@pytest.mark.parametrize("spin", [1, 2, 3])
def test_one_set(rng, spin):
    """The pairs by diagonals, as healpy orders them."""
    T = random_flm(8, rng, reality=True)
    flm, E, B = spin_field(rng, spin)
    parts = {"T": T, "E": E, "B": B}
    spectra = cross_power({"T": T, ("E", "B"): (flm, spin)})
    assert list(spectra) == DIAGONALS
    for (a, b), cl in zip(spectra, spectra.values(), strict=True):
        np.testing.assert_allclose(
            cl, naive_power(parts[a], parts[b]), rtol=IDENTITY, atol=SHORT_SUM
        )


def test_two_sets(rng):
    """All pairs; TE and ET differ, and exchanging the sets exchanges the letters."""
    maps = []
    for _ in range(2):
        flm, E, B = spin_field(rng, 2)
        maps.append(({"T": random_flm(8, rng, reality=True), ("E", "B"): (flm, 2)}, (E, B)))
    (first, _), (second, _) = maps
    parts = [{"T": signals["T"], "E": E, "B": B} for signals, (E, B) in maps]
    spectra = cross_power(first, second)
    assert list(spectra) == ["TT", "EE", "BB", "TE", "EB", "ET", "BE", "TB", "BT"]
    for (a, b), cl in zip(spectra, spectra.values(), strict=True):
        expected = naive_power(parts[0][a], parts[1][b])
        np.testing.assert_allclose(cl, expected, rtol=IDENTITY, atol=SHORT_SUM)
    assert not np.allclose(spectra["TE"], spectra["ET"])
    exchanged = cross_power(second, first)
    assert all(np.array_equal(exchanged[b + a], cl) for (a, b), cl in spectra.items())


def test_several_spins(rng):
    """A lensed sky: a scalar, a deflection of spin 1 and a polarization."""
    deflection, G, C = spin_field(rng, 1)
    polarization, E, B = spin_field(rng, 2)
    K = random_flm(8, rng, reality=True)
    spectra = cross_power({"K": K, ("G", "C"): (deflection, 1), ("E", "B"): (polarization, 2)})
    assert list(spectra)[:6] == ["KK", "GG", "CC", "EE", "BB", "KG"] and len(spectra) == 15
    np.testing.assert_allclose(spectra["GE"], power(G, E), rtol=IDENTITY, atol=SHORT_SUM)
    np.testing.assert_allclose(spectra["CB"], power(C, B), rtol=IDENTITY, atol=SHORT_SUM)


def test_long_names(rng):
    maps = dict(zip(("100", "143", "217"), random_flm(4, rng, shape=3, reality=True), strict=True))
    spectra = cross_power(maps)
    names = ["100x100", "143x143", "217x217", "100x143", "143x217", "100x217"]
    assert list(spectra) == names
    assert np.array_equal(spectra["100x217"], power(maps["100"], maps["217"]))
    assert list(cross_power({"T": maps["100"]}, {"143": maps["143"]})) == ["Tx143"]


def test_batches(rng):
    """Leading axes broadcast, spectrum by spectrum."""
    T = random_flm(4, rng, shape=(3,), reality=True)
    flm = random_flm(4, rng, shape=(2, 1))
    spectra = cross_power({"T": T, ("E", "B"): (flm, 2)})
    assert {name: cl.shape for name, cl in spectra.items()} == {
        "TT": (3, 4),
        "EE": (2, 1, 4),
        "BB": (2, 1, 4),
        "TE": (2, 3, 4),
        "EB": (2, 1, 4),
        "TB": (2, 3, 4),
    }
    single = cross_power({"T": T[2], ("E", "B"): (flm[1, 0], 2)})
    assert np.array_equal(spectra["TE"][1, 2], single["TE"])


def test_polarization_power_is_a_special_case(rng):
    flm, T = random_flm(5, rng), random_flm(5, rng, reality=True)
    spectra = polarization_power(flm, T, spin=3)
    expected = cross_power({"T": T, ("E", "B"): (flm, 3)})
    assert list(spectra) == list(expected)
    assert all(np.array_equal(spectra[name], cl) for name, cl in expected.items())


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_precision(rng, dtype):
    flm = random_flm(4, rng, dtype=dtype)
    assert {cl.dtype for cl in cross_power({("E", "B"): (flm, 1)}).values()} == {np.dtype(float)}


@pytest.mark.parametrize("spin", [1, 2])
def test_gradients(rng, spin):
    """By the coefficients of a spin field, in both modes."""
    T = random_flm(4, rng, reality=True)

    def loss(flm):
        spectra = cross_power({"T": T, ("E", "B"): (flm, spin)})
        crosses = cross_power({"T": T}, {("E", "B"): (flm, spin)})
        return anp.sum(spectra["EE"] * spectra["BB"] + spectra["TE"] * crosses["TB"])

    assert_gradient(loss, random_flm(4, rng), order=2)


def coefficients(number, iterations, spin=2):
    """{"T": ..., ("E", "B"): ...} of `healpy_spectra.sky` by healpy's iterations."""
    stokes = healpy_spectra.sky(number)
    L, grid = healpy_spectra.LMAX + 1, HEALPix(healpy_spectra.NSIDE, weights="equal")
    T, P = (
        forward(f, L, spin=s, sampling=grid)
        if iterations == 0
        else analyse(f, L, spin=s, sampling=grid, method="jacobi", tol=0, max_iter=iterations + 1)[
            0
        ]
        for f, s in ((stokes[0], 0), (stokes[1] + 1j * stokes[2], spin))
    )
    return {"T": T, ("E", "B"): (P, spin)}


def assert_close(cl, expected, scale):
    np.testing.assert_allclose(cl, expected, rtol=0, atol=STORED * scale)


@pytest.mark.parametrize("iterations", [0, 3])
def test_anafast(iterations):
    """``anafast`` of one polarized map and of two: its TE is that of T of the first and E of the second."""
    first, second = (coefficients(number, iterations) for number in (0, 1))
    for kind, spectra in (("auto", cross_power(first)), ("cross", cross_power(first, second))):
        expected = HEALPY[f"{kind}/{iterations}"]
        for name, cl in zip(DIAGONALS, expected, strict=True):
            assert_close(spectra[name], cl, np.abs(expected).max())


@pytest.mark.parametrize("spin", [1, 2, 3])
def test_map2alm_spin(spin):
    first, second = (coefficients(number, 0, spin) for number in (0, 1))
    for signals in (first, second):
        del signals["T"]
    for kind, spectra in (
        ("spin", cross_power(first)),
        ("spin cross", cross_power(first, second)),
    ):
        expected = HEALPY[f"{kind}/{spin}"]
        for name, cl in zip(("EE", "BB", "EB"), expected, strict=True):
            assert_close(spectra[name], cl, np.abs(expected).max())


@pytest.mark.parametrize(
    "signals, error, message",
    [
        (np.ones(4), TypeError, "signals is ndarray; expected a dict"),
        ({}, ValueError, "signals is empty"),
        ({1: np.ones(4)}, TypeError, "signals has the name 1"),
        ({"": np.ones(4)}, ValueError, "signals has the name '' twice or empty"),
        (
            {"E": np.ones(9), ("E", "B"): (np.ones(9), 2)},
            ValueError,
            "signals has the name 'E' twice",
        ),
        ({("E",): (np.ones(9), 2)}, ValueError, "expected two, of its electric and magnetic part"),
        ({("E", "B"): np.ones(9)}, TypeError, r"expected \(flm, spin\)"),
        ({("E", "B"): (np.ones(9), 0)}, ValueError, "spin is 0"),
        ({("E", "B"): (np.ones(9), 3)}, ValueError, "spin is 3"),
        ({("E", "B"): (np.ones(9), 2.0)}, TypeError, "spin is 2.0"),
        ({("E", "B"): (np.ones(8), 2)}, ValueError, r"E, B has shape \(8,\)"),
        ({"T": np.ones(8)}, ValueError, r"T has shape \(8,\)"),
        ({"T": (np.ones(9), 2)}, TypeError, "'T' is a tuple"),
        ({"T": np.ones(9), "K": np.ones(4)}, ValueError, r"K has shape \(4,\) and T \(9,\)"),
        ({"T": np.ones((2, 9)), "K": np.ones((3, 9))}, ValueError, "expected leading axes"),
        ({"T": "text"}, TypeError, "T"),
    ],
)
def test_bad_signals(signals, error, message):
    with pytest.raises(error, match=message):
        cross_power(signals)


def test_sets_that_do_not_fit():
    with pytest.raises(ValueError, match=r"K has shape \(4,\) and T \(9,\)"):
        cross_power({"T": np.ones(9)}, {"K": np.ones(4)})
    with pytest.raises(TypeError, match="signals2 is list"):
        cross_power({"T": np.ones(9)}, [np.ones(9)])
    with pytest.raises(ValueError, match="two pairs of signals have the name axbxc"):
        cross_power({"a": np.ones(4), "axb": np.ones(4)}, {"bxc": np.ones(4), "c": np.ones(4)})
