"""Monopole and dipole of the observed sky: values of another code, and properties."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import CHAIN, IDENTITY, SHORT_SUM

import spherekit as sk
from spherekit.conventions import eb_to_spin
from spherekit.sampling import GL, MW, DHPole, HEALPix, Rings
from spherekit.sampling.healpix import UNSEEN
from spherekit.spectra import (
    gaussian_flm,
    masked_flm,
    masked_power,
    polarization_power,
    power,
    remove_monopole_dipole,
    sky_fraction,
)
from spherekit.testing import assert_gradient, random_flm

NSIDE = 8
EQUAL = HEALPix(NSIDE, weights="equal")
PIXELS = [0, 100, 700, 767]

#: healpy 1.20.1: hp.remove_dipole(m, fitval=True) and hp.remove_monopole(m, fitval=True) of `example`, whole
#: and with UNSEEN outside `observed`: monopole, dipole, and the cleaned map at PIXELS.
HEALPY = {
    (False, True): (3.1656991464120368, (0.697826769874216, -1.107025462190502, 0.4),
                    (1.422234322587951, 0.38133202009827594, 0.5190583927895545, 1.256176827588464)),
    (False, False): (3.1656991464120368, (0, 0, 0),
                     (1.7906580947333706, 0.6779849879314312, 0.6346088238534904, 0.9883444390640617)),
    (True, True): (3.353787773581741, (0.9721881540223333, -1.193865721793799, 0.45276281460148027),
                   (1.1681421484801677, 0.278134489415808, 0.3882757805753476, 1.09454268957476)),
    (True, False): (3.232010322330946, (0, 0, 0),
                    (1.7243469188144611, 0.6116738120125218, 0.5682976479345809, 0.9220332631451522)),
}  # fmt: skip


def directions(grid):
    theta, phi = grid.theta, grid.phi
    if grid.rectangular:
        theta, phi = theta[:, None], phi[None]
    sine = np.sin(theta)
    axes = sine * np.cos(phi), sine * np.sin(phi), np.cos(theta) + 0 * phi
    return np.stack(axes)


def example():
    x, y, z = directions(EQUAL)
    theta, phi = EQUAL.theta, EQUAL.phi
    f = 3.5 + 0.7 * x - 1.1 * y + 0.4 * z + 0.6 * np.cos(3 * theta) * np.cos(2 * phi)
    f += 0.25 * np.sin(5 * theta) * np.sin(phi + 0.3) + np.cos(2 * theta)
    return f, ~((z > -0.2) & (z < 0.5) & (x > -0.6))


@pytest.mark.parametrize("masked, dipole", HEALPY)
def test_values_of_healpy(masked, dipole):
    f, observed = example()
    if masked:
        f[~observed] = UNSEEN
    mask = observed if masked else None
    cleaned, monopole, vector = remove_monopole_dipole(f, sampling=EQUAL, mask=mask, dipole=dipole)
    expected = HEALPY[masked, dipole]
    np.testing.assert_allclose(monopole, expected[0], rtol=IDENTITY)
    np.testing.assert_allclose(vector, expected[1], rtol=CHAIN, atol=SHORT_SUM)
    np.testing.assert_allclose(cleaned[PIXELS], expected[2], rtol=CHAIN, atol=SHORT_SUM)
    assert np.all(cleaned[~observed] == UNSEEN) or not masked


finite = st.floats(-1, 1)
grids = st.sampled_from([EQUAL, HEALPix(5), MW(9), GL(6)])


@settings(deadline=None, max_examples=60)
@given(
    grid=grids,
    low=st.tuples(finite, finite, finite, finite),
    exponent=st.integers(-280, 280),
    seed=st.integers(0, 99),
    masked=st.booleans(),
)
def test_a_monopole_and_dipole_are_removed_exactly_in_any_unit(grid, low, exponent, seed, masked):
    """Adding one changes nothing but what is reported; units scale; missing samples stay missing."""
    rng = np.random.default_rng(seed)
    axes = directions(grid)
    f = rng.standard_normal(grid.shape)
    mask = None
    if masked:
        mask = np.where(axes[2] < -0.3, 0.0, rng.uniform(0.1, 1, grid.shape))
        f[axes[2] < -0.3] = rng.choice([np.nan, UNSEEN, np.inf])
    scale = 10.0**exponent
    before = remove_monopole_dipole(f, sampling=grid, mask=mask)
    added = low[0] + np.tensordot(low[1:], axes, 1)
    good = np.ones(grid.shape, bool) if mask is None else mask > 0
    after = remove_monopole_dipole(np.where(good, scale * (f + added), f), sampling=grid, mask=mask)
    np.testing.assert_allclose(
        after.cleaned[good] / scale, before.cleaned[good], rtol=0, atol=IDENTITY
    )
    np.testing.assert_allclose(
        after.monopole / scale, before.monopole + low[0], rtol=0, atol=IDENTITY
    )
    np.testing.assert_allclose(after.dipole / scale, before.dipole + low[1:], rtol=0, atol=IDENTITY)
    np.testing.assert_array_equal(after.cleaned[~good], f[~good])


@pytest.mark.parametrize("grid", [EQUAL, MW(7)])
def test_what_is_left_has_neither(grid, rng):
    f = 1e8 + rng.standard_normal(grid.shape)
    again = remove_monopole_dipole(remove_monopole_dipole(f, sampling=grid).cleaned, sampling=grid)
    assert abs(again.monopole) < 1e-8 and np.abs(again.dipole).max() < 1e-8


def test_batches_dtypes_and_the_monopole_alone(rng):
    f = rng.standard_normal((2, 3, *EQUAL.shape)).astype(np.float32)
    result = remove_monopole_dipole(f, sampling=EQUAL, dipole=False)
    assert result.cleaned.dtype == np.float32 and result.monopole.shape == (2, 3)
    assert result.dipole.shape == (2, 3, 3) and not result.dipole.any()
    np.testing.assert_allclose(result.monopole, f.mean(axis=-1, dtype=float), rtol=CHAIN)
    counts = rng.integers(0, 9, EQUAL.shape)
    assert remove_monopole_dipole(counts, sampling=EQUAL).cleaned.dtype == np.float64
    assert remove_monopole_dipole(np.zeros(EQUAL.shape), sampling=EQUAL).monopole == 0


@pytest.mark.parametrize("radius", [8, 20, 45, 60])
def test_too_small_a_sky_is_refused(rng, radius):
    """A cap on which both would be set against each other; the monopole alone is well determined."""
    f = rng.standard_normal(EQUAL.shape)
    cap = EQUAL.theta < np.radians(radius)
    with pytest.raises(ValueError, match="condition number of the fit is .*remove-monopole"):
        remove_monopole_dipole(f, sampling=EQUAL, mask=cap)
    remove_monopole_dipole(f, sampling=EQUAL, mask=cap, dipole=False)
    for width in (20, 40):  # a cut around the equator is well conditioned
        cut = np.abs(EQUAL.theta - np.pi / 2) > np.radians(width)
        remove_monopole_dipole(f, sampling=EQUAL, mask=cut)


@pytest.mark.parametrize("samples", [1, 2, 3])
def test_fewer_samples_than_unknowns_are_refused(samples):
    mask = np.arange(EQUAL.shape[0]) < samples
    with pytest.raises(ValueError, match="too small"):
        remove_monopole_dipole(np.ones(EQUAL.shape), sampling=EQUAL, mask=mask)


ONES = np.ones(EQUAL.shape)


@pytest.mark.parametrize(
    "values, error, message",
    [
        (ONES + 1j, TypeError, "complex"),
        (ONES[:-1], ValueError, "shape"),
        (np.where(np.arange(768) == 5, UNSEEN, ONES), ValueError, "1 are UNSEEN"),
    ],
)
def test_signals_that_are_refused(values, error, message):
    with pytest.raises(error, match=message):
        remove_monopole_dipole(values, sampling=EQUAL)


@pytest.mark.parametrize(
    "options, error, message",
    [
        (dict(mask=0 * ONES), ValueError, "not all 0"),
        (dict(mask=-ONES), ValueError, "768 are below 0"),
        (dict(mask=np.nan * ONES), ValueError, "768 are not finite"),
        (dict(mask=ONES[:4]), ValueError, r"shape \(4,\)"),
        (dict(max_condition=0.5), ValueError, ">= 1"),
        (dict(max_condition="x"), TypeError, "max_condition"),
    ],
)
def test_options_that_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        remove_monopole_dipole(ONES, sampling=EQUAL, **options)


def test_weights_of_either_sign_and_none():
    """An exact rule with negative weights removes exactly; a sample without weight must not be missing."""
    theta = np.array([0.3, 0.4, 0.5, 0.6, 1.2, 2.0, 2.2, 2.9])
    legendre = [np.polynomial.legendre.Legendre.basis(ell)(np.cos(theta)) for ell in range(8)]
    target = np.zeros(8)
    target[0] = 4 * np.pi
    grid = Rings(theta, 16, weights=np.linalg.solve(legendre, target) / 16)
    assert grid.weights.min() < 0
    f = 5 + 2 * np.cos(grid.theta) + 0.3 * np.sin(grid.theta) * np.cos(grid.phi)
    cleaned, monopole, dipole = remove_monopole_dipole(f, sampling=grid)
    assert np.isclose(monopole, 5, rtol=CHAIN) and np.allclose(dipole, [0.3, 0, 2], atol=1e-11)
    assert np.abs(cleaned).max() < 1e-10
    at_pole = np.ones(DHPole(6).shape)  # whose first ring has the weight 0
    at_pole[0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        remove_monopole_dipole(at_pole, sampling=DHPole(6))


# --- power spectra ------------------------------------------------------------------------------------


def test_sky_fraction_is_the_mean_of_the_squared_mask():
    for grid in (GL(9), MW(9), EQUAL):
        assert sky_fraction(np.ones(grid.shape), sampling=grid) == pytest.approx(1, rel=1e-13)
        assert sky_fraction(np.full(grid.shape, 0.5), sampling=grid) == pytest.approx(
            0.25, rel=1e-13
        )
    z = np.cos(GL(9).theta)[:, None] + np.zeros(GL(9).shape)
    assert sky_fraction((1 + z) / 2, sampling=GL(9)) == pytest.approx(1 / 3, rel=1e-13)
    north = EQUAL.theta < np.pi / 2
    assert sky_fraction(north, sampling=EQUAL) == pytest.approx(north.mean(), rel=1e-13)


def test_spectra_without_a_mask_are_those_of_the_map(rng):
    L, grid = 9, GL(9)
    flm = random_flm(L, rng, reality=True, shape=(2,))
    f, everything = sk.inverse(flm, L, sampling=grid, reality=True), np.ones(grid.shape)
    same = masked_flm(f, L, everything, sampling=grid, reality=True)
    np.testing.assert_allclose(same, flm, rtol=0, atol=1e-13)
    cl = masked_power(f, L, everything, sampling="gl")
    np.testing.assert_allclose(cl, power(flm), rtol=1e-12)
    assert cl.shape == (2, L)
    single = masked_flm(f.astype(np.float32), L, everything, sampling=grid, reality=True)
    assert single.dtype == np.complex64


def test_masked_maps_are_multiplied_by_the_mask(rng):
    """Behind the mask samples may be anything; a weight counts as it is."""
    f, mask = rng.standard_normal(EQUAL.shape), rng.uniform(size=EQUAL.shape)
    mask[::3] = 0
    options = dict(sampling=EQUAL, reality=True)
    expected = sk.forward(f * mask, 12, **options)
    for lost in (np.nan, np.inf, UNSEEN):
        missing = np.where(mask > 0, f, lost)
        np.testing.assert_array_equal(masked_flm(missing, 12, mask, **options), expected)
    f_sky = sky_fraction(mask, sampling=EQUAL)
    cl = masked_power(f, 12, mask, sampling=EQUAL)
    np.testing.assert_array_equal(cl, power(expected) / f_sky)
    spins = masked_flm(f + 1j * f[::-1], 12, mask, spin=2, sampling=EQUAL)
    np.testing.assert_array_equal(
        spins, sk.forward((f + 1j * f[::-1]) * mask, 12, spin=2, sampling=EQUAL)
    )


def test_masked_spectra_are_right_on_average(rng):
    """Of a smooth spectrum, within four standard errors of the mean of all maps and degrees."""
    L, grid = 24, GL(48)
    flm = np.stack([gaussian_flm(np.ones(L), L, rng) for _ in range(200)])
    f = sk.inverse(flm, L, sampling=grid, reality=True)
    mask = np.broadcast_to(np.abs(np.cos(grid.theta)) > 0.3, (grid.shape[1], grid.shape[0])).T
    cl = masked_power(f, L, mask, sampling=grid)[:, :18]  # above, part of the power is beyond L
    means = cl.mean(axis=1)
    assert abs(means.mean() - 1) < 4 * means.std(ddof=1) / np.sqrt(len(means))


def test_gradients_of_masked_spectra(rng):
    grid, mask = GL(4), rng.uniform(size=GL(4).shape)
    f = rng.standard_normal(grid.shape)
    assert_gradient(lambda x: anp.sum(masked_power(x, 4, mask, sampling=grid) ** 2), f, order=1)


def test_polarization_spectra(rng):
    E, B, T = (random_flm(6, rng, reality=True) for _ in range(3))
    E[:4] = B[:4] = 0
    expected = {"TT": power(T), "EE": power(E), "BB": power(B)}
    expected |= {"TE": power(T, E), "EB": power(E, B), "TB": power(T, B)}
    spectra = polarization_power(eb_to_spin(E, B, spin=2), T)
    assert list(spectra) == list(expected)
    for name, cl in expected.items():
        np.testing.assert_allclose(spectra[name], cl, rtol=1e-13, atol=1e-15)
    assert list(polarization_power(E, spin=1)) == ["EE", "BB", "EB"]


def test_bad_masks_and_maps():
    f, mask = np.ones(EQUAL.shape), np.ones(EQUAL.shape)
    missing = np.where(np.arange(f.size) == 5, UNSEEN, f)
    for call in (
        lambda **changes: masked_power(**dict(f=f, L=4, mask=mask, sampling=EQUAL) | changes),
        lambda **changes: masked_flm(**dict(f=f, L=4, mask=mask, sampling=EQUAL) | changes),
    ):
        for error, words, changes in (
            (ValueError, "1 are UNSEEN", dict(f=missing)),
            (ValueError, "shape", dict(f=f[:-1])),
            (ValueError, "not all 0", dict(mask=0 * mask)),
            (ValueError, "768 are below 0", dict(mask=-mask)),
            (ValueError, r"shape \(4,\)", dict(mask=mask[:4])),
            (ValueError, "real weights", dict(mask=1j * mask)),
        ):
            with pytest.raises(error, match=words):
                call(**changes)
    with pytest.raises(TypeError, match="complex"):
        masked_power(f + 1j, 4, mask, sampling=EQUAL)
    with pytest.raises(ValueError, match="not all 0"):
        sky_fraction(0 * mask, sampling=EQUAL)


def test_the_scale_of_a_mask_cancels(rng):
    """In the spectrum, at any scale that single and double precision hold, and beyond in double."""
    mask = (GL(8).theta[:, None] < 1.2) * np.ones(GL(8).shape)
    f = rng.standard_normal(GL(8).shape)
    expected = masked_power(f, 8, mask, sampling="gl")
    for scale in (3e-3, 1e-200, 1e200):
        np.testing.assert_allclose(
            masked_power(f, 8, scale * mask, sampling="gl"), expected, rtol=SHORT_SUM, atol=0
        )
    for scale in (1e-200, 1e-160, 1e200):
        with pytest.raises(ValueError, match="beyond the range of float64"):
            sky_fraction(scale * mask, sampling="gl:8")
    for scale in (1e-46, 1e39):
        with pytest.raises(ValueError, match="beyond the range of float32"):
            masked_flm(f.astype(np.float32), 8, scale * mask, sampling="gl")


def test_masks_that_leave_no_quadrature_weight():
    north_pole = np.zeros(DHPole(16).shape)
    north_pole[0] = 1
    negative = Rings([0.5, 1.5, 2.5], 4, weights=[-1.0, 1.0, 1.0])
    for grid, mask in ((DHPole(16), north_pole), (negative, np.arange(12) < 4)):
        with pytest.raises(ValueError, match="expected more than 0"):
            sky_fraction(mask, sampling=grid)
        with pytest.raises(ValueError, match="expected more than 0"):
            masked_power(np.ones(grid.shape), 4, mask, sampling=grid)


@pytest.mark.parametrize("shape", [(), (1,), (767,), (2, 1), (768, 1)])
def test_traced_maps_have_the_shape_of_the_grid(shape):
    mask = HEALPix(8).theta < 1.5
    with pytest.raises(ValueError, match="samples have shape"):
        grad(lambda x: anp.sum(masked_power(x, 16, mask, sampling="healpix:8")))(np.ones(shape))


def test_spectra_of_arrays_that_do_not_fit():
    flm = np.ones((3, 256), complex)
    with pytest.raises(
        ValueError, match="flm has shape .3, 256. and flm2 .2, 256.; expected leading axes"
    ):
        power(flm, flm[:2])
    with pytest.raises(ValueError, match="T has shape .64,. and flm .3, 256."):
        polarization_power(flm, np.ones(64))
    with pytest.raises(
        ValueError, match="T has shape .2, 256. and flm .3, 256.; expected leading axes"
    ):
        polarization_power(flm, np.ones((2, 256)))
