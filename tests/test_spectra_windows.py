"""Windows of beams and of HEALPix pixels: against the definition, and against the published tables."""

from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from tolerances import EXTRAPOLATED_WINDOW, IDENTITY, LAST_PLACES, PIXEL_WINDOW

from spherekit.harmonic import analyse, evaluate_adjoint, inverse
from spherekit.sampling import GL, HEALPix, healpix
from spherekit.spectra import (
    Mask,
    beam_window,
    gaussian_beam,
    gaussian_flm,
    masked_flm,
    pixel_subsets,
    pixel_window,
    pixel_windows,
    power,
)

#: The files ``pixel_window_n*.fits`` of healpy (those of its wheel 1.16.6, and of its data repository), all
#: degrees up to nside = 64 and 65 of them beyond: by nside, degrees ("64/ell"), T ("64/0") and P ("64/2").
PUBLISHED = np.load(Path(__file__).parent / "oracles" / "pixel_windows.npz")
NSIDES = [2**k for k in range(1, 16)]


def directions(theta, phi):
    return np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], -1)


def southward(theta, phi):
    return directions(theta + np.pi / 2, phi)


def transport_angle(theta, phi, center):
    """The angle from south to east of the southward vectors of points, after transport to a center."""
    u, c = directions(theta, phi), directions(*center)
    v = southward(theta, phi)
    v = v - (v @ c / (1 + u @ c))[:, None] * (u + c)
    east = np.array([-np.sin(center[1]), np.cos(center[1]), 0])
    return np.arctan2(v @ east, v @ southward(*center))


def averages(nside, L, spin, divisions):
    """sum_m |w_lm|^2 4 pi / (2l + 1) of each pixel, with averages over divisions^2 parts of equal area."""
    parts = np.arange(12 * nside**2 * divisions**2).reshape(-1, divisions**2)
    theta, phi = healpix.pixel_angles(nside * divisions, parts, nest=True)
    centers = np.transpose(healpix.pixel_angles(nside, np.arange(12 * nside**2), nest=True))
    result = []
    for center, theta_, phi_ in zip(centers, theta, phi, strict=True):
        values = np.exp(-1j * spin * transport_angle(theta_, phi_, center)) / divisions**2
        w = evaluate_adjoint(values, theta_, phi_, L, spin=spin)
        result.append(4 * np.pi * power(w))
    return np.array(result)


@pytest.mark.parametrize("spin", [0, 1, 2, 3])
@pytest.mark.parametrize("nside", [1, 2])
def test_definition(nside, spin):
    """The root mean square over pixels; midpoints, extrapolated to parts of size 0."""
    L = 4 * nside + 1
    coarse, fine = (averages(nside, L, spin, n).mean(axis=0) for n in (32, 64))
    expected = np.sqrt((4 * fine - coarse) / 3)
    np.testing.assert_allclose(
        pixel_window(nside, L, spin=spin), expected, rtol=0, atol=PIXEL_WINDOW
    )


@pytest.mark.parametrize("spin", [0, 2])
@pytest.mark.parametrize("nside", NSIDES)
def test_published_tables(nside, spin):
    """Those of nside > 128 are extrapolated from smaller pixels."""
    degrees = PUBLISHED[f"{nside}/ell"]
    window = pixel_window(nside, 4 * nside + 1, spin=spin)
    atol = PIXEL_WINDOW if nside <= 128 else EXTRAPOLATED_WINDOW
    np.testing.assert_allclose(window[degrees], PUBLISHED[f"{nside}/{spin}"], rtol=0, atol=atol)


@pytest.mark.parametrize("spin", [0, 2])
def test_every_pixel_is_counted(spin, monkeypatch):
    """The subset of pixels with weights, against all of them: 16 pixels are alike."""
    window = pixel_window(100, 401, spin=spin)
    monkeypatch.setattr(pixel_subsets, "summation_rule", lambda first, last, n: every(first, last))
    pixel_windows._moments.cache_clear()
    expected = pixel_window(100, 401, spin=spin)
    pixel_windows._moments.cache_clear()
    np.testing.assert_allclose(window, expected, rtol=0, atol=PIXEL_WINDOW)


def every(first, last):
    return np.arange(first, last + 1), np.ones(last - first + 1)


@pytest.mark.parametrize("nside, spin", [(1, 0), (2, 2), (7, 2), (20, 0)])
def test_pixels_of_a_mask(nside, spin, rng):
    """The mean square over all pixels with the weights mask^2, one by one."""
    mask = rng.uniform(size=12 * nside**2) ** 4
    theta = HEALPix(nside).theta
    L = 4 * nside + 1
    ring = np.searchsorted(np.unique(theta.round(12)), theta.round(12)) + 1
    ring = np.minimum(ring, 4 * nside - ring)
    phi = HEALPix(nside).phi
    position = phi / (np.pi / 2) * np.minimum(ring, nside) % np.minimum(ring, nside)
    position = np.where(ring > nside, 0.5, position)
    pixels = ring.astype(float), position, mask**2 / np.sum(mask**2)
    moments = pixel_windows._sum_of_moments(nside, spin, *pixels)
    expected = np.sqrt(pixel_windows._series(moments, scaled_degrees(L, nside), spin, nside))
    for weights in (mask, 1e-150 * mask, Mask(mask, nside, HEALPix(nside))):
        window = pixel_window(nside, L, spin=spin, mask=weights)
        np.testing.assert_allclose(window[spin:], expected[spin:], rtol=0, atol=PIXEL_WINDOW)
    assert not window[:spin].any()


@pytest.mark.parametrize("nside", [1, 2, 9, 16, 33, 100])
def test_a_constant_mask_is_the_full_sky(nside):
    window = pixel_window(nside, 4 * nside + 1, spin=2, mask=np.full(12 * nside**2, 0.3))
    expected = pixel_window(nside, 4 * nside + 1, spin=2)
    np.testing.assert_allclose(window, expected, rtol=0, atol=PIXEL_WINDOW)


@pytest.mark.parametrize("first, last", [(0, 0), (0, 5), (3, 16), (3, 17), (20, 99), (0, 10**6)])
def test_sums_of_polynomials(first, last):
    nodes, weights = pixel_subsets.summation_rule(first, last, 8)
    assert np.all(np.diff(nodes) > 0) and first <= nodes[0] and nodes[-1] <= last
    i = np.arange(first, last + 1)
    for degree in range(8):
        expected = np.sum((i / last if last else i + 1.0) ** degree)
        result = weights @ (nodes / last if last else nodes + 1.0) ** degree
        np.testing.assert_allclose(result, expected, rtol=IDENTITY)


def scaled_degrees(L, nside):
    ell = np.arange(L)
    return ell * (ell + 1.0) / nside**2


def test_small_pixels_are_alike():
    """w_l depends on l(l+1) / nside^2 only, up to terms of order 1 / nside; the spin does not matter."""
    L = 2**20
    finer = pixel_window(2**18, L)
    polarized = pixel_window(2**18, L, spin=2)
    np.testing.assert_allclose(polarized[2:], finer[2:], rtol=0, atol=PIXEL_WINDOW)
    expected = np.interp(scaled_degrees(2**15, 2**13), scaled_degrees(L, 2**18), finer)
    np.testing.assert_allclose(pixel_window(2**13, 2**15), expected, rtol=0, atol=PIXEL_WINDOW)
    assert abs(pixel_window(2**29, 4)[3] - 1) < PIXEL_WINDOW


@pytest.mark.parametrize("spin", range(-3, 4))
def test_shape(spin):
    """0 below |spin|, then falling from 1; the same for both signs, for a grid and for any band-limit."""
    window = pixel_window(16, 65, spin=spin)
    s = abs(spin)
    assert window.shape == (65,) and window.dtype == np.float64
    assert not window[:s].any() and np.all(np.diff(window[s:]) < 0) and 0.99 < window[s] <= 1
    assert np.array_equal(window, pixel_window(16, 65, spin=-spin))
    assert np.array_equal(window[:20], pixel_window(16, 20, spin=spin))
    assert np.array_equal(window, pixel_window(HEALPix(16), 65, spin=spin))


def test_results_are_independent():
    window = pixel_window(4, 5)
    expected = window.copy()
    window[:] = 0
    assert np.array_equal(pixel_window(4, 5), expected)


def test_maps_of_pixel_averages(rng):
    """The spectrum of a map that was averaged over pixels is C_l w_l^2."""
    L, nside = 17, 8
    cl = np.where(np.arange(L) < 2, 0, 1.0)
    fine = HEALPix(16 * nside)
    ratios = []
    for _ in range(40):
        flm = gaussian_flm(cl, L, rng)
        f = fine.degrade(inverse(flm, L, sampling=fine, reality=True), nside)
        averaged, _ = analyse(f, L, sampling=HEALPix(nside), reality=True)
        ratios.append(power(averaged)[2:] / power(flm)[2:])
    window = pixel_window(nside, L)[2:] ** 2
    error = np.std(ratios, axis=0) / np.sqrt(len(ratios))
    assert np.all(np.abs(np.mean(ratios, axis=0) - window) < 4.5 * error + 1e-3)


def test_masked_maps_of_pixel_averages(rng):
    """The pseudo-spectrum of averages over that of samples: the window of the mask, not of the full sky."""
    nside, L, factor = 32, 65, 8
    grid, fine = HEALPix(nside), HEALPix(factor * nside)
    mask = np.clip(3 * (np.abs(np.cos(grid.theta)) - 0.3), 0, 1)
    ratios = []
    for _ in range(20):
        flm = gaussian_flm(np.ones(L), L, rng)
        maps = (
            inverse(flm, L, sampling=grid, reality=True),
            fine.degrade(inverse(flm, L, sampling=fine, reality=True), nside),
        )
        options = dict(sampling=grid, reality=True)
        samples, averages = (power(masked_flm(f, L, mask, **options))[50:] for f in maps)
        ratios.append(np.sum(averages) / np.sum(samples))
    window, of_full_sky = (
        pixel_window(nside, L, mask=m) / pixel_window(factor * nside, L) for m in (mask, None)
    )
    expected, biased = (np.mean(w[50:] ** 2) for w in (window, of_full_sky))
    error = np.std(ratios) / np.sqrt(len(ratios))
    assert abs(np.mean(ratios) - expected) < 4.5 * error < abs(np.mean(ratios) - biased)


@pytest.mark.parametrize(
    "arguments, options, error, message",
    [
        ((4, 18), {}, ValueError, "L is 18; expected at most 17 for nside 4"),
        ((4, 0), {}, ValueError, "L is 0"),
        ((0, 4), {}, ValueError, "nside is 0"),
        ((2**30, 4), {}, ValueError, "nside is 1073741824"),
        ((4.0, 4), {}, TypeError, "nside is 4.0"),
        (("healpix:4", 4), {}, TypeError, "nside is 'healpix:4'"),
        ((4, 4.0), {}, TypeError, "L is 4.0"),
        ((4, 4), dict(spin=4), ValueError, "spin 4 has no degrees below L = 4"),
        ((4, 4), dict(spin=0.0), TypeError, "spin is 0.0"),
        ((GL(8), 4), {}, ValueError, "expected an integer or a HEALPix grid"),
        ((4, 4), dict(mask=np.ones(191)), ValueError, r"mask has shape \(191,\)"),
        ((4, 4), dict(mask=np.zeros(192)), ValueError, "not all 0"),
        ((4, 4), dict(mask=Mask(np.ones(48), 4, "healpix:2")), ValueError, "pass one grid"),
    ],
)
def test_bad_arguments(arguments, options, error, message):
    with pytest.raises(error, match=message):
        pixel_window(*arguments, **options)


@pytest.mark.parametrize("spin", [0, 2])
def test_beams_and_pixels(spin):
    """The product of both; 1 at degrees that the field does not have, so that C_l / window^2 is 0 there."""
    L, fwhm = 33, np.radians(2)
    beam = gaussian_beam(fwhm, L, spin=spin)
    pixels = pixel_window(16, L, spin=spin)
    for width in (fwhm, 2 * u.deg, gaussian_beam(fwhm, 50, spin=spin), list(beam)):
        window = beam_window(width, L, spin=spin, nside=16)
        np.testing.assert_allclose(window[spin:], (beam * pixels)[spin:], rtol=LAST_PLACES)
        assert np.all(window[:spin] == 1)
    assert np.array_equal(beam_window(None, L, spin=spin, nside=HEALPix(16))[spin:], pixels[spin:])
    assert np.array_equal(beam_window(fwhm, L, spin=spin)[spin:], beam[spin:])
    assert np.all(beam_window(None, L) == 1)


def test_tables_are_copied():
    table = np.ones(4, np.float32)
    window = beam_window(table, 4)
    window[0] = 5
    assert table[0] == 1 and window.dtype == np.float64


@pytest.mark.parametrize("scale", [1e-30, 1.0, -1e10])
def test_windows_that_are_too_small(scale):
    """The first degree is named; the limit is relative, and degrees below the spin do not count."""
    table = np.array([1, 1, 1, 0.5, 1e-5, 1e-7, 1e-3]) * scale
    assert len(beam_window(table, 5)) == 5
    for L in (6, 7):
        with pytest.raises(ValueError, match=rf"at l = 5, below 1e-06 .* L from {L} to at most 5"):
            beam_window(table, L)
    table[:2] = 0
    assert len(beam_window(table, 5, spin=2)) == 5
    with pytest.raises(ValueError, match="at l = 0"):
        beam_window(table, 5)
    with pytest.raises(ValueError, match="at l = 3"):
        beam_window(np.zeros(8), 8, spin=3)
    with pytest.raises(ValueError, match=r"at l = 709, .* L from 3000 to at most 709$"):
        beam_window(1 * u.deg, 3000)
    with pytest.raises(ValueError, match="the width 30 is in radians"):
        beam_window(30, 64)


@pytest.mark.parametrize(
    "beam, error, message",
    [
        (-0.1, ValueError, "expected one angle >= 0"),
        (np.nan, ValueError, "NaN"),
        (1 * u.K, ValueError, "K"),
        ("0.1", TypeError, "fwhm"),
        (np.ones(7), ValueError, r"beam has shape \(7,\); L=8 needs one axis of at least 8 values"),
        (np.ones((2, 8)), ValueError, "one axis"),
        (np.ones(8) + 0j, TypeError, "complex"),
        (np.ones(8) * u.K, TypeError, "unit"),
        (np.where(np.arange(8) == 6, np.inf, 1), ValueError, "beam is inf at l = 6"),
    ],
)
def test_bad_beams(beam, error, message):
    with pytest.raises(error, match=message):
        beam_window(beam, 8)


def test_bad_options_of_windows():
    with pytest.raises(ValueError, match="L is 18; expected at most 17 for nside 4"):
        beam_window(None, 18, nside=4)
    with pytest.raises(TypeError, match="nside is 4.0"):
        beam_window(None, 4, nside=4.0)
    with pytest.raises(ValueError, match="spin 4 has no degrees"):
        beam_window(None, 4, spin=4)
    with pytest.raises(ValueError, match="got a mask without nside"):
        beam_window(None, 4, mask=np.ones(192))


def test_windows_of_masks(rng):
    mask = rng.uniform(size=192)
    window = beam_window(0.1, 16, nside=4, mask=mask)
    expected = gaussian_beam(0.1, 16) * pixel_window(4, 16, mask=mask)
    np.testing.assert_allclose(window, expected, rtol=LAST_PLACES)
