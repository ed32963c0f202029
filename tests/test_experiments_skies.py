"""Simulated skies, against the definitions."""

import math

import naive
import numpy as np
import pytest
from scipy.special import eval_legendre
from tolerances import CHAIN, DEFINITION, IDENTITY, LAST_PLACES, SHORT_SUM

import spherekit
from spherekit import wigner
from spherekit.conventions import from_healpy
from spherekit.datasets import planck2018_cl
from spherekit.experiments.gaussianity import caps, kernels, skies
from spherekit.sampling import GL, HEALPix
from spherekit.spectra import power

EXACT = DEFINITION[np.dtype(np.float64)]
RECIPES = list(skies.RECIPES)


def white(rng, L):
    """z_l0 ~ N(0,1), z_lm = (x + iy)/sqrt2: all x first, then all y, m-major."""
    n = L * (L + 1) // 2
    x, y = rng.standard_normal(n), rng.standard_normal(n)
    m = np.repeat(np.arange(L), L - np.arange(L))
    return from_healpy(np.where(m == 0, x, (x + 1j * y) / math.sqrt(2)), L)


def by_degree(values):
    return np.repeat(values, 2 * np.arange(len(values)) + 1)


def spectrum(L):
    cl = planck2018_cl(L)["TT"]
    cl[:2] = 0
    return cl


def some_caps(rng, n=5):
    return rng.standard_normal((n, 3)), rng.standard_normal(n), rng.uniform(0.1, 1.0, n)


# --- Gaussian numbers --------------------------------------------------------------------------------


def test_white_is_the_recipe(rng):
    L, seed = 7, [1, 2]
    made = skies.gaussian(np.arange(L) ** 2.0, L, np.random.default_rng(seed))
    amplitude = by_degree(np.where(np.arange(L) < 2, 0, np.arange(L)))
    wanted = amplitude * white(np.random.default_rng(seed), L)
    np.testing.assert_allclose(made, wanted, rtol=LAST_PLACES, atol=0)
    realized = skies.realized_cl(np.arange(L) ** 2.0, L, np.random.default_rng(seed))
    np.testing.assert_allclose(realized, power(wanted), rtol=SHORT_SUM)


def test_the_sky_of_an_index_is_the_recipe():
    """Generators and order of the steps as section 7 of the recipe says."""
    L, s, i, cl = 24, 0.3, 5, spectrum(24)
    key = [L, 101, 3000, i]
    rng = np.random.default_rng([20220525, *key])
    z = white(rng, L)
    v, A, rho = rng.standard_normal((60, 3)), rng.standard_normal(60), rng.uniform(5, 60, 60)
    t = skies.caps(L, v, A, np.radians(rho))
    t *= by_degree(np.sqrt(cl / power(t)))
    wanted = math.sqrt(1 - s * s) * by_degree(np.sqrt(cl)) * z + s * t
    target = power(by_degree(np.sqrt(cl)) * white(np.random.default_rng([20220526, *key]), L))
    wanted[:4] = 0
    wanted[4:] *= by_degree(np.sqrt(target))[4:] / by_degree(np.sqrt(power(wanted)))[4:]
    made = skies.sky("strings", L, i, strength=s)
    np.testing.assert_allclose(made, wanted, rtol=CHAIN, atol=CHAIN * np.abs(wanted).max())


@pytest.mark.parametrize("recipe", RECIPES)
def test_realized_spectrum_is_that_of_another_draw(recipe):
    L = 33
    strength = skies.default_strength(recipe, L)
    number = {"gaussian": 0, "strings": 101, "oscillator": 1, "modulated": 102}[recipe]
    rng = np.random.default_rng([20220526, L, number, round(1e4 * strength), 3])
    wanted = power(by_degree(np.sqrt(spectrum(L))) * white(rng, L))
    np.testing.assert_allclose(power(skies.sky(recipe, L, 3)), wanted, rtol=IDENTITY)


@pytest.mark.parametrize("recipe", RECIPES)
def test_signals_are_real_and_the_spectrum_is_right(recipe):
    """Over many skies the mean of C_l, with and without the exchange, is C_l: 5 standard errors.

    But exp(s h) has a mean square above 1: without the exchange modulated skies are given away by C_l.
    """
    L, n = 12, 400
    ell = np.arange(2, L)
    for equalised in (True,) if recipe == "modulated" else (True, False):
        made = np.stack([skies.sky(recipe, L, i, equalised=equalised) for i in range(n)])
        m = np.concatenate([np.arange(-one, one + 1) for one in range(L)])
        at = by_degree(np.arange(L) ** 2 + np.arange(L))
        mirrored = np.where(m % 2, -1, 1) * made[:, at - m].conj()
        np.testing.assert_allclose(made, mirrored, rtol=0, atol=EXACT * np.abs(made).max())
        assert not made[:, :4].any()
        ratio = power(made).mean(axis=0)[2:] / spectrum(L)[2:]
        slack = 1.3 if recipe == "oscillator" else 1  # kurtosis of its noise adds to the variance
        assert np.all(np.abs(ratio - 1) < 5 * slack * np.sqrt(2 / (2 * ell + 1) / n))


def test_seeds_and_indices():
    one = skies.sky("strings", 16, 0)
    np.testing.assert_array_equal(one, skies.sky("strings", 16, 0, threads=1))
    others = [skies.sky("strings", 16, 1), skies.sky("strings", 16, 0, seed=1)]
    others += [skies.sky("strings", 16, 0, strength=0.0), skies.sky("gaussian", 16, 0)]
    for other in others:
        assert abs(np.vdot(one, other)) < 0.9 * np.linalg.norm(one) * np.linalg.norm(other)


@pytest.mark.parametrize("recipe", RECIPES)
def test_threads_change_nothing(recipe):
    one, two = (skies.sky(recipe, 40, 1, threads=n) for n in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_equalise(rng):
    flm = spherekit.spectra.gaussian_flm(np.ones(6), 6, rng)
    cl = np.array([0.0, 1, 2, 3, 0, 5])
    made = skies.equalize(flm, cl)
    np.testing.assert_allclose(power(made), cl, rtol=SHORT_SUM)
    np.testing.assert_allclose(
        made * np.sqrt(by_degree(power(flm))), flm * np.sqrt(by_degree(cl)), rtol=SHORT_SUM
    )
    assert not np.shares_memory(made, flm)
    empty = np.zeros(36, complex)
    np.testing.assert_array_equal(skies.equalize(empty, cl), empty)
    with pytest.raises(ValueError, match=r"cl has shape \(5,\)"):
        skies.equalize(flm, cl[:5])


# --- caps --------------------------------------------------------------------------------------------


def directions(theta, phi):
    """Unit vectors (n, 3)."""
    sine = np.sin(theta)
    return np.stack([sine * np.cos(phi), sine * np.sin(phi), np.cos(theta)], axis=1)


def test_sum_of_caps_is_the_sum(rng):
    """The poles among the centres."""
    L, n = 20, 6
    theta, phi = np.array([0.0, math.pi, 1e-3, 0.5, 1.6, 3.0]), rng.uniform(0, 7, n)
    weights = rng.standard_normal((L, n))
    made = caps.sum_caps(weights, directions(theta, phi), L)
    for k, ell, m in naive.degrees_and_orders(L):
        one = [np.conj(naive.spin_harmonic(0, ell, m, *p)) for p in zip(theta, phi, strict=True)]
        assert abs(made[k] - weights[ell] @ np.array(one)) < EXACT * np.abs(made).max()


@pytest.mark.slow
def test_caps_at_high_degree(rng):
    """Against the points one by one, where functions of the two poles differ by 10^500 on the way."""
    L = 2000
    theta, phi = np.array([1e-2, 0.37, 1.5, 2.9]), rng.uniform(0, 6, 4)
    made = caps.sum_caps(np.ones((L, 4)), directions(theta, phi), L)
    points = zip(theta, phi, strict=True)
    wanted = sum(spherekit.evaluate_adjoint(np.ones(1), [t], [p], L) for t, p in points)
    np.testing.assert_allclose(made, wanted, rtol=0, atol=1e-11 * np.abs(wanted).max())


def test_cap_weights(rng):
    """c_l(x) = 2 pi int_x^1 P_l, by a Gauss rule that is exact."""
    L, x = 30, np.array([-0.5, 0.2, 0.9961])
    nodes, weights = np.polynomial.legendre.leggauss(20)
    made = caps.cap_weights(np.arccos(x), L)
    for q, low in enumerate(x):
        t = low + (1 - low) * (nodes + 1) / 2
        for ell in range(L):
            wanted = math.pi * (1 - low) * weights @ eval_legendre(ell, t)
            assert abs(made[ell, q] - wanted) < CHAIN


def test_a_cap_is_a_turned_cap_at_the_pole(rng):
    L, radius, (alpha, beta) = 24, 0.7, (0.4, 1.9)
    polar = np.zeros(L * L, complex)
    x = math.cos(radius)
    for ell in range(L):  # f_l0 = 2 pi int_x^1 Y_l0
        below, above = eval_legendre(max(ell - 1, 0), x), eval_legendre(ell + 1, x)
        size = 1 - x if ell == 0 else (below - above) / (2 * ell + 1)
        polar[ell * ell + ell] = math.sqrt((2 * ell + 1) / (4 * math.pi)) * 2 * math.pi * size
    centre = [math.sin(beta) * math.cos(alpha), math.sin(beta) * math.sin(alpha), math.cos(beta)]
    made = skies.caps(L, np.array([centre]) * 3, np.array([1.0]), np.array([radius]))
    np.testing.assert_allclose(made, wigner.rotate(polar, alpha, beta, 0.0), rtol=0, atol=CHAIN)


def test_caps_by_quadrature(rng):
    """The coefficients of the painted caps on a fine grid: what their edges miss is 1e-3 of them."""
    L, (v, A, rho), fine = 12, some_caps(rng), GL(700)
    theta, phi = np.meshgrid(fine.theta, fine.phi, indexing="ij")
    place = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], -1)
    v = v / np.linalg.norm(v, axis=1, keepdims=True)
    painted = (place @ v.T > np.cos(rho)) @ A
    wanted = spherekit.forward(painted, L, sampling=fine, reality=True)
    np.testing.assert_allclose(
        skies.caps(L, v, A, rho), wanted, rtol=0, atol=1e-3 * np.abs(wanted).max()
    )


# --- the other recipes -------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.0, 0.09, 0.2, 0.3])
def test_density_of_the_oscillator(alpha):
    """<0|y^3|3> = sqrt(3)/2: the third moment is sqrt(3) alpha_0 alpha_3; the noise has variance 1."""
    y = np.linspace(-9, 9, 20001)
    p = skies.density(y, alpha) * (y[1] - y[0])
    assert abs(p.sum() - 1) < CHAIN and abs(p @ y) < CHAIN
    assert abs(p @ y**2 - (0.5 + 3 * alpha**2)) < CHAIN
    assert abs(p @ y**3 - math.sqrt(3) * alpha * math.sqrt(1 - alpha**2)) < CHAIN
    if alpha == 0:
        np.testing.assert_allclose(
            p, np.exp(-(y**2)) / math.sqrt(math.pi) * (y[1] - y[0]), rtol=SHORT_SUM
        )


def test_inverted_density(rng):
    y = np.linspace(-9, 9, 2001)
    cumulative = np.concatenate([[0], np.cumsum(skies.density(y[1:], 0.3))])
    cumulative /= cumulative[-1]
    u = np.concatenate([rng.random(10000), [0.0, 1 - 2**-53, cumulative[700]]])
    wanted = np.interp(u, cumulative, y)
    np.testing.assert_allclose(kernels.invert(u, cumulative, y), wanted, rtol=0, atol=CHAIN)


def test_oscillator_is_coloured_pixel_noise():
    L, alpha = 6, 0.2
    grid, cl = HEALPix(3), spectrum(L)
    y = np.linspace(-9, 9, 20001)
    mass = skies.density(y, alpha)
    cumulative = np.concatenate([[0], np.cumsum((mass[1:] + mass[:-1]) / 2)])
    u = np.random.default_rng(4).random(grid.shape[0])
    x = np.interp(u, cumulative / cumulative[-1], y) / math.sqrt(0.5 + 3 * alpha**2)
    w = math.sqrt(4 * math.pi / grid.shape[0]) * naive.inverse_adjoint(x, grid, L)
    made = skies.oscillator(cl, L, np.random.default_rng(4), alpha)
    np.testing.assert_allclose(
        made, by_degree(np.sqrt(cl)) * w, rtol=0, atol=CHAIN * np.abs(made).max()
    )


def test_modulation():
    """low + high exp(s h), by samples of a much finer grid."""
    L, s, cl = 32, 0.2, np.ones(32)
    rng = np.random.default_rng(8)
    flm = np.where(np.arange(L * L) < 4, 0, white(rng, L))
    h = np.where(np.arange(64) < 1, 0, white(rng, 8)) * math.sqrt(4 * math.pi / 63)
    how = dict(sampling=GL(3 * L), reality=True)
    high = np.where(np.arange(L * L) < (L // 2) ** 2, 0, flm)
    product = spherekit.inverse(high, L, **how) * np.exp(s * spherekit.inverse(h, 8, **how))
    wanted = flm - high + spherekit.forward(product, L, **how)
    made = skies.modulated(cl, L, np.random.default_rng(8), s)
    np.testing.assert_allclose(made, wanted, rtol=0, atol=CHAIN)


@pytest.mark.parametrize("recipe", ["strings", "modulated"])
def test_strength_0_is_gaussian(recipe):
    """The very Gaussian sky of these generators."""
    cl = spectrum(16)
    made = skies.RECIPES[recipe].draw(cl, 16, np.random.default_rng(2), 0.0, 1)
    wanted = by_degree(np.sqrt(cl)) * white(np.random.default_rng(2), 16)
    np.testing.assert_allclose(made, wanted, rtol=SHORT_SUM, atol=0)


# --- refusals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "how, words",
    [
        (dict(recipe="texture"), "one of gaussian, strings"),
        (dict(strength=1.1), "strings skies is 1.1; expected a number from 0 to 1"),
        (dict(strength=math.nan), "strength"),
        (dict(recipe="gaussian", strength=0.1), "expected 0"),
        (dict(recipe="modulated", strength=-0.1), "from 0 to inf"),
        (dict(L=2), "L = 3..3000"),
        (dict(L=3001), "L = 3..3000"),
        (dict(cl=np.ones(7)), r"cl has shape \(7,\)"),
        (dict(cl=-np.ones(8)), "not negative"),
    ],
)
def test_refusals(how, words):
    how = dict(recipe="strings", L=8) | how
    with pytest.raises(ValueError, match=words):
        skies.sky(how.pop("recipe"), how.pop("L"), 0, **how)


@pytest.mark.parametrize(
    "recipe, L, strength",
    [
        ("strings", 256, 0.27),
        ("strings", 1024, 0.13),
        ("oscillator", 256, 0.2),
        ("oscillator", 1024, 0.09),
    ],
)
def test_strengths_by_L(recipe, L, strength):
    """Falling with L, through the strengths that were tried, which have two digits."""
    assert skies.default_strength(recipe, L) == pytest.approx(strength, abs=5e-3)


def test_the_strength_of_modulation_is_exact():
    assert skies.default_strength("modulated", 256) == 0.03


def test_other_spectrum_does_not_change_its_argument():
    cl = np.ones(8)
    assert power(skies.sky("gaussian", 8, 0, cl=cl, equalised=False))[2:].max() < 5
    np.testing.assert_array_equal(cl, np.ones(8))
