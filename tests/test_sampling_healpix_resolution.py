"""Change of resolution of HEALPix maps and masks: the rules of `ud_grade`, gradients, refusals."""

import numpy as np
import pytest
from autograd import grad
from helpers.data import oracle
from hypothesis import given
from hypothesis import strategies as st
from naive import degraded
from tolerances import IDENTITY, LAST_PLACES

from spherekit._core.missing import UNSEEN
from spherekit.sampling import HEALPix, healpix

STORED = oracle("healpix_regions")
#: (nside, ratio): powers of two and others.
RATIOS = [(1, 1), (1, 2), (2, 2), (4, 8), (1, 3), (2, 5), (5, 3), (3, 4)]
#: float32: one rounding of a mean that is computed in float64.
SINGLE = 6e-8


def parents(nside, k, nest):
    """The pixel of nside that contains the center of each pixel of k nside."""
    theta, phi = healpix.pixel_angles(k * nside, nest=nest)
    return healpix.pixel_of(nside, theta, phi, nest=nest)


def with_gaps(shape, rng, fraction=0.4):
    """Maps with samples that are NaN or UNSEEN, and whole pixels without samples."""
    f = rng.standard_normal(shape)
    f[rng.random(shape) < fraction / 2] = np.nan
    f[rng.random(shape) < fraction / 2] = UNSEEN
    return f


def orders(nside, k):
    return (False, True) if (k * nside) & (k * nside - 1) == 0 else (False,)


@pytest.mark.parametrize("pessimistic", [False, True])
@pytest.mark.parametrize("nside, k", RATIOS)
def test_means(nside, k, pessimistic, rng):
    f = with_gaps(12 * (k * nside) ** 2, rng)
    f[:5] = UNSEEN
    valid = ~(np.isnan(f) | (f == UNSEEN))
    for nest in orders(nside, k):
        expected = degraded(f, parents(nside, k, nest), valid, pessimistic)
        result = healpix.degrade(f, nside, pessimistic=pessimistic, nest=nest)
        np.testing.assert_array_equal(result == UNSEEN, np.isnan(expected))
        known = ~np.isnan(expected)
        np.testing.assert_allclose(result[known], expected[known], rtol=0, atol=LAST_PLACES)


@pytest.mark.parametrize("nside, k", RATIOS)
def test_repetition(nside, k, rng):
    f = rng.standard_normal((2, 12 * nside**2))
    f[0, 3] = UNSEEN
    for nest in orders(nside, k):
        result = healpix.upgrade(f, k * nside, nest=nest)
        np.testing.assert_array_equal(result, f[:, parents(nside, k, nest)])
        scaled = healpix.upgrade(f, k * nside, power=-2, nest=nest)
        expected = np.where(result == UNSEEN, UNSEEN, result / k**2)
        np.testing.assert_allclose(scaled, expected, rtol=LAST_PLACES)


@pytest.mark.parametrize("nside", [1, 2, 4])
@pytest.mark.parametrize("power", [0, -2])
@pytest.mark.parametrize("pessimistic", [0, 1])
def test_maps_of_healpy(nside, power, pessimistic):
    expected = STORED[f"degraded_{nside}_{power}_{pessimistic}"]
    f = STORED["map"].astype(float)
    flags = dict(power=power or None, pessimistic=bool(pessimistic))
    result = healpix.degrade(f, nside, **flags)
    np.testing.assert_array_equal(result == UNSEEN, expected == UNSEEN)
    np.testing.assert_allclose(result, expected, rtol=0, atol=LAST_PLACES * abs(power or 1) * 64)
    single = healpix.degrade(f.astype(np.float32), nside, **flags)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, result.astype(np.float32), rtol=SINGLE)


def test_orders_of_healpy():
    f = STORED["map"].astype(float)
    result = healpix.degrade(f, 2, nest=True)
    np.testing.assert_allclose(result, STORED["nested"], rtol=0, atol=LAST_PLACES)
    coarse = f[:192]
    result = healpix.upgrade(coarse, 8, power=-2)
    seen = result > -1e29  # healpy multiplies UNSEEN, too
    np.testing.assert_array_equal(result[seen], STORED["upgraded"][seen])


@given(st.sampled_from(RATIOS), st.integers(0, 2**32 - 1))
def test_degrade_inverts_upgrade(ratio, seed):
    nside, k = ratio
    f = np.random.default_rng(seed).standard_normal((2, 12 * nside**2))
    result = healpix.degrade(healpix.upgrade(f, k * nside, power=1), nside, power=1)
    np.testing.assert_allclose(result, f, rtol=IDENTITY)


def test_counts_are_conserved(rng):
    counts = rng.integers(0, 100, 12 * 64)
    total = healpix.degrade(counts, 2, power=-2)
    assert total.dtype == float
    np.testing.assert_allclose(total.sum(), counts.sum(), rtol=LAST_PLACES)


def test_masks(rng):
    mask = rng.random((2, 12 * 64)) < 0.5
    fraction = healpix.degrade(mask.astype(float), 2)
    for threshold in (0.3, 0.5, 1.0):
        result = healpix.degrade(mask, 2, threshold=threshold)
        assert result.dtype == bool
        np.testing.assert_array_equal(result, fraction >= threshold)
    raised = healpix.upgrade(mask, 16)
    np.testing.assert_array_equal(raised, healpix.upgrade(mask.astype(float), 16) == 1)
    assert raised.dtype == bool


def test_masked_arrays(rng):
    data, mask = rng.standard_normal(12 * 64), rng.random(12 * 64) < 0.6
    result = healpix.degrade(np.ma.array(data, mask=mask), 4)
    expected = healpix.degrade(np.where(mask, np.nan, data), 4)
    np.testing.assert_array_equal(result.mask, expected == UNSEEN)
    np.testing.assert_array_equal(result.data, expected)
    raised = healpix.upgrade(result, 8)
    np.testing.assert_array_equal(raised.mask, healpix.upgrade(result.mask, 8))
    selection = np.ma.array(data > 0, mask=mask)
    degraded_mask = healpix.degrade(selection, 4)
    fraction = healpix.degrade(np.where(mask, np.nan, data > 0), 4)
    valid = fraction != UNSEEN
    np.testing.assert_array_equal(degraded_mask.mask, ~valid)
    np.testing.assert_array_equal(degraded_mask.data[valid], fraction[valid] >= 0.5)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_complex_maps(dtype, rng):
    f = (rng.standard_normal(12 * 16) + 1j * rng.standard_normal(12 * 16)).astype(dtype)
    f[0] = np.nan
    f[7] = UNSEEN + 1j
    result = healpix.degrade(f, 2)
    gaps = np.isin(np.arange(f.size), (0, 7))
    parts = [healpix.degrade(np.where(gaps, np.nan, part), 2) for part in (f.real, f.imag)]
    np.testing.assert_allclose(result, parts[0] + 1j * parts[1], rtol=SINGLE)
    assert result.dtype == dtype
    assert healpix.upgrade(f[-12:], 2).dtype == dtype


def test_threads_and_memory_orders(rng):
    f = rng.standard_normal((3, 12 * 128**2))
    expected = healpix.degrade(f, 32, threads=1)
    np.testing.assert_array_equal(healpix.degrade(f, 32, threads=3), expected)
    np.testing.assert_array_equal(healpix.degrade(np.asfortranarray(f), 32), expected)
    raised = healpix.upgrade(expected, 128, threads=1)
    np.testing.assert_array_equal(healpix.upgrade(expected, 128, threads=3), raised)


def test_gradients(rng):
    f, g = rng.standard_normal((2, 12 * 16)), rng.standard_normal((2, 12))
    gradient = grad(lambda x: (healpix.degrade(x, 1, power=-1) * g).sum())(f)
    np.testing.assert_allclose(gradient, healpix.upgrade(g, 4) / 16 * 4, rtol=LAST_PLACES)
    gradient = grad(lambda x: (healpix.upgrade(x, 4, power=1) * f).sum())(g)
    np.testing.assert_allclose(gradient, healpix.degrade(f, 1) * 16 * 4, rtol=IDENTITY)
    value = grad(lambda x: (HEALPix(4).degrade(x, 2) ** 2).sum())(f)
    np.testing.assert_allclose(value, healpix.upgrade(healpix.degrade(f, 2), 4) / 2, rtol=IDENTITY)
    f[0, 0] = UNSEEN
    with pytest.raises(ValueError, match="linear without them only"):
        grad(lambda x: healpix.degrade(x, 1).sum())(f)


@pytest.mark.parametrize(
    "function, shape, nside, flags, error, message",
    [
        ("degrade", 192, 8, {}, ValueError, "upgrade raises it"),
        ("degrade", 108, 2, {}, ValueError, "expected a divisor of 3"),
        ("degrade", 100, 2, {}, ValueError, "not a HEALPix map"),
        ("degrade", 108, 1, dict(nest=True), ValueError, "power of two"),
        ("degrade", 192, 2, dict(power=np.nan), ValueError, "power is nan"),
        ("degrade", 192, 2, dict(power="2"), TypeError, "power is '2'"),
        ("degrade", 192, 2.0, {}, TypeError, "nside is 2.0"),
        ("upgrade", 192, 2, {}, ValueError, "degrade lowers it"),
        ("upgrade", 192, 6, {}, ValueError, "expected a multiple of 4"),
        ("upgrade", 12, 2**20, {}, MemoryError, "maps of nside 1048576 needs .*; lower nside"),
    ],
)
def test_refusals(function, shape, nside, flags, error, message):
    with pytest.raises(error, match=message):
        getattr(healpix, function)(np.ones(shape), nside, **flags)


def test_refused_samples():
    f = np.ones(48)
    f[3] = np.inf
    with pytest.raises(ValueError, match="1 of 48 samples of f are infinite"):
        healpix.degrade(f, 1)
    for threshold in (0, 1.5, np.nan):
        with pytest.raises(ValueError, match="threshold is"):
            healpix.degrade(f > 0, 1, threshold=threshold)
    with pytest.raises(TypeError, match="boolean mask"):
        healpix.degrade(f > 0, 1, power=-2)
    with pytest.raises(TypeError, match="pessimistic .*threshold=1 requires"):
        healpix.degrade(f > 0, 1, pessimistic=True)
    with pytest.raises(ValueError, match="samples have shape"):
        HEALPix(4).degrade(np.ones(48), 1)


@pytest.mark.parametrize("threshold", [0.5, 1.0, 7])
def test_a_threshold_is_for_masks(threshold):
    """Means of zeros and ones are numbers, to which a threshold is not applied."""
    masks = [np.ones(48, dtype) for dtype in (int, np.uint8, float, complex)]
    masks.append(np.ma.array(np.ones(48), mask=np.arange(48) < 3))
    for mask in masks:
        with pytest.raises(TypeError, match=r"threshold .*mask\.astype\(bool\)"):
            healpix.degrade(mask, 1, threshold=threshold)
        with pytest.raises(TypeError, match=r"threshold .*mask\.astype\(bool\)"):
            HEALPix(2).degrade(mask, 1, threshold=threshold)
    with pytest.raises(TypeError, match="threshold"):
        grad(lambda x: healpix.degrade(x, 1, threshold=threshold).sum())(np.ones(48))


def test_pessimistic_masks(rng):
    """Of a masked boolean array, pixels with any masked sample are masked."""
    data, mask = rng.random(12 * 64) < 0.5, rng.random(12 * 64) < 0.1
    result = healpix.degrade(np.ma.array(data, mask=mask), 4, pessimistic=True)
    np.testing.assert_array_equal(result.mask, healpix.degrade(mask, 4, threshold=1e-9))


@pytest.mark.slow
@pytest.mark.parametrize("nside, k", [(256, 2), (32, 32), (1, 512)])
def test_large_maps_of_healpy(nside, k, rng):
    healpy = pytest.importorskip("healpy", reason="healpy is not installed")
    f = with_gaps(12 * (k * nside) ** 2, rng)
    f[np.isnan(f)] = UNSEEN  # of which healpy makes NaN
    for order in ("RING", "NEST"):
        expected = healpy.ud_grade(f, nside, order_in=order)
        result = healpix.degrade(f, nside, nest=order == "NEST")
        np.testing.assert_array_equal(result == UNSEEN, expected == UNSEEN)
        np.testing.assert_allclose(result, expected, rtol=0, atol=LAST_PLACES)
