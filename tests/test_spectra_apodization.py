"""Apodized masks: against their definition by all pairs of samples, and what every taper has to be."""

import astropy.units as u
import numpy as np
import pytest
from helpers.data import oracle
from tolerances import IDENTITY, NAMASTER, SHORT_SUM

from spherekit.fields import smooth
from spherekit.io import Map
from spherekit.sampling import CC, DH, GL, MW, HEALPix, Rings
from spherekit.sampling.base import directions
from spherekit.spectra import apodize
from spherekit.spectra.mask_distances import squared_half_chords

GRIDS = [
    HEALPix(8),
    MW(12),
    GL(15, n_phi=40),
    CC(9),
    DH(6),
    Rings([0.3, 1.0, 1.1, 3.0], [1, 7, 30, 2]),
]
WIDTHS = [0.15, 0.6, 2.8]


def cosines(mask, grid):
    """The cosine of the distance of each sample from the nearest masked one, by all pairs."""
    points = np.stack([np.ravel(x) for x in directions(grid)], axis=-1)
    return (points @ points[np.ravel(mask) == 0].T).max(axis=1).clip(-1, 1).reshape(grid.shape)


def random_mask(grid, fraction):
    """Weights, some of which are 0."""
    rng = np.random.default_rng(int(100 * fraction) + grid.shape[0])
    mask = rng.uniform(0.5, 1.5, grid.shape) * (rng.random(grid.shape) > fraction)
    mask.flat[3] = 0.0
    return mask


@pytest.mark.parametrize("kind", ["C1", "C2"])
@pytest.mark.parametrize("fraction", [0.01, 0.2, 0.9])
@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_tapers_are_those_of_the_definition(grid, fraction, kind):
    mask = random_mask(grid, fraction)
    for width in WIDTHS:
        x = np.sqrt((1 - cosines(mask, grid)) / (1 - np.cos(width))).clip(0, 1)
        taper = (
            x - np.sin(2 * np.pi * x) / (2 * np.pi) if kind == "C1" else (1 - np.cos(np.pi * x)) / 2
        )
        expected = np.where(mask > 0, mask * taper, 0)
        result = apodize(mask, width, kind, sampling=grid)
        # 1 - cos loses half of the digits where it is small
        assert np.allclose(result, expected, rtol=0, atol=np.sqrt(IDENTITY))
        assert (result[mask == 0] == 0).all()
        assert (result <= mask).all() and (result >= 0).all()


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_distances_do_not_depend_on_the_radius_of_interest_and_threads(grid):
    mask = random_mask(grid, 0.1)
    full = squared_half_chords(mask, grid, np.pi, threads=1)
    for radius in WIDTHS:
        near = squared_half_chords(mask, grid, radius, threads=3)
        within = full < np.sin(radius / 2) ** 2
        assert np.isinf(near[~within]).all()
        assert np.allclose(near[within], full[within], rtol=0, atol=SHORT_SUM)


def test_smooth_masks_are_discs_that_are_convolved_with_a_gaussian():
    """The definition in harmonic space, on a grid with a sampling theorem."""
    grid, width = GL(48), 0.1
    mask = np.broadcast_to(grid.theta[:, None] < 1.6, grid.shape)
    edge = grid.theta[grid.theta >= 1.6].min()
    clear = (grid.theta < edge - 2.5 * width)[:, None] * np.ones(grid.shape)
    expected = mask * smooth(clear, sigma=width, sampling=grid)
    result = apodize(mask, width, "smooth", sampling=grid)
    assert np.allclose(result, expected.clip(0), rtol=0, atol=IDENTITY)
    assert result[mask == 0].max() == 0
    assert 0.99 < result[0].min() < 1.01


def test_smooth_masks_on_healpix_are_those_of_least_squares():
    """The error of the quadrature, about 1 / nside^2, remains at the poles."""
    width = 0.1
    for nside in (32, 64):
        grid = HEALPix(nside)
        mask = grid.theta < 1.6
        edge = grid.theta[~mask].min()
        clear = (grid.theta < edge - 2.5 * width).astype(float)
        expected = mask * smooth(clear, sigma=width, sampling=grid)
        result = apodize(mask, width, "smooth", sampling=grid)
        assert (result >= 0).all() and (result[~mask] == 0).all()
        assert abs(result - expected).max() < 1 / nside**2


def test_a_mask_without_masked_samples_is_returned():
    mask = np.full(48, 0.5)
    result = apodize(mask, 0.1, sampling="healpix:2")
    assert (result == mask).all() and result is not mask


def test_width_with_a_unit_and_map():
    grid = HEALPix(8)
    mask = (grid.theta < 1.5).astype(float)
    expected = apodize(mask, np.deg2rad(20), "C2", sampling=grid)
    record = Map(mask, grid, "mask", "")
    assert (apodize(record, 20 * u.deg, "C2") == expected).all()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (dict(width=0.0), ValueError, "above 0 and below pi"),
        (dict(width=-0.1), ValueError, "above 0"),
        (dict(width=4.0), ValueError, "below pi"),
        (dict(width=np.nan), ValueError, "NaN"),
        (dict(width=[0.1, 0.2]), ValueError, "one angle"),
        (dict(width=1 * u.m), ValueError, "unit"),
        (dict(kind="C3"), ValueError, "expected one of C1, C2, smooth"),
        (dict(kind="smooth", width=1.0), ValueError, "no sample is left; pass a smaller width"),
        (dict(mask=np.ones(47)), ValueError, "shape"),
        (dict(mask=-np.ones(48)), ValueError, "weights >= 0"),
        (dict(mask=np.zeros(48)), ValueError, "not all 0"),
        (dict(mask=np.full(48, np.nan)), ValueError, "48 are not finite"),
        (dict(sampling=None), TypeError, "sampling is missing"),
    ],
)
def test_invalid_arguments(options, error, message):
    mask = np.r_[np.ones(30), np.zeros(18)]
    arguments = dict(mask=mask, width=0.1, kind="C1", sampling="healpix:2") | options
    with pytest.raises(error, match=message):
        apodize(arguments.pop("mask"), arguments.pop("width"), **arguments)


def test_values_of_namaster():
    """One pixel differs: NaMaster does not see its nearest masked neighbor, beyond longitude 0."""
    stored = oracle("namaster")
    mask, mask2 = np.unpackbits(stored["masks"], axis=-1).astype(bool)
    grid = HEALPix(16)
    result = apodize(mask2, 10 * u.deg, "C2", sampling=grid)
    assert np.allclose(result, stored["apodized_mask2"], rtol=0, atol=NAMASTER)
    cosine = cosines(mask, grid)
    for kind in ("C1", "C2"):
        result = apodize(mask, 12 * u.deg, kind, sampling=grid)
        expected = stored[f"apodized_{kind}"]
        different = np.flatnonzero(abs(result - expected) > NAMASTER)
        assert different.tolist() == [23]
        x = np.sqrt((1 - cosine[23]) / (1 - np.cos(np.deg2rad(12))))
        taper = (
            x - np.sin(2 * np.pi * x) / (2 * np.pi) if kind == "C1" else (1 - np.cos(np.pi * x)) / 2
        )
        assert abs(result[23] - taper) < NAMASTER < abs(expected[23] - taper)
