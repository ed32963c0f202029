"""Bins of degrees: their edges, weights and gradients, and bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import IDENTITY, SHORT_SUM

from spherekit.spectra import Bins
from spherekit.testing import assert_gradient


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_bins_cover_the_degrees_once(data):
    start = data.draw(st.integers(1, 40))
    L = start + data.draw(st.integers(1, 200))
    n = data.draw(st.integers(1, L - start))
    for bins in (Bins.log(L, n, start=start), Bins.linear(L, n, start=start)):
        degrees = [np.arange(*bounds) for bounds in zip(bins.first, bins.stop, strict=True)]
        assert np.array_equal(np.concatenate(degrees), np.arange(start, L))
    assert Bins.log(L, n, start=start).n == n


def test_widths():
    widths = np.diff(Bins.log(2000, 30).first)
    assert (np.diff(widths) >= 0).all() and widths[0] == 1
    ratios = Bins.log(2000, 30).stop / Bins.log(2000, 30).first
    assert np.ptp(ratios[15:]) < 1 / Bins.log(2000, 30).first[15]
    linear = Bins.linear(25, 5)
    assert linear.first.tolist() == [2, 7, 12, 17] and linear.stop[-1] == 25


@pytest.mark.parametrize("dl", [False, True])
def test_bandpowers_are_weighted_means(dl, rng):
    weights, cl = rng.uniform(0.1, 1, 12), rng.standard_normal((3, 12))
    bins = Bins.from_edges([2, 3, 7, 12], weights=weights, dl=dl)
    result = bins.bin(cl)
    for b, (first, stop) in enumerate([(2, 3), (3, 7), (7, 12)]):
        ell, w = np.arange(first, stop), weights[first:stop]
        f = ell * (ell + 1) / (2 * np.pi) if dl else 1
        expected = (cl[:, first:stop] * f * w).sum(-1) / w.sum()
        np.testing.assert_allclose(result[:, b], expected, rtol=SHORT_SUM, atol=SHORT_SUM)
        assert bins.ell[b] == pytest.approx((ell * w).sum() / w.sum(), rel=SHORT_SUM)
    np.testing.assert_allclose(bins.bin(bins.unbin(result)), result, rtol=IDENTITY)
    assert_gradient(bins.bin, cl)
    assert_gradient(bins.unbin, result)


def test_bins_are_values():
    assert Bins.log(65, 8) == Bins.log(65, 8) and hash(Bins.log(65, 8)) == hash(Bins.log(65, 8))
    assert Bins.log(65, 8) != Bins.log(65, 9) and Bins.log(65, 8) != Bins.log(65, 8, dl=True)


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: Bins([2], [2], 8), ValueError, "bin 0 has the degrees 2 <= l < 2, none"),
        (lambda: Bins([2, 3], [4, 6], 8), ValueError, "bins 0 and 1 overlap"),
        (lambda: Bins([4, 2], [5, 3], 8), ValueError, "bins 0 and 1 overlap or are not in order"),
        (lambda: Bins([2], [9], 8), ValueError, "degrees 2 to 8; expected degrees 0 to 7.*raise L"),
        (lambda: Bins([-1], [3], 8), ValueError, "degrees -1 to 2; expected degrees 0 to 7"),
        (lambda: Bins([2, 3], [4], 8), ValueError, r"shapes \(2,\) and \(1,\)"),
        (lambda: Bins([2.5], [4], 8), TypeError, "first has dtype float64; expected integers"),
        (lambda: Bins.from_edges([2]), ValueError, "expected at least two edges"),
        (lambda: Bins.from_edges([2, 8], weights=np.zeros(8)), ValueError, "bin 0.*are all 0"),
        (lambda: Bins.from_edges([2, 8], weights=-np.ones(8)), ValueError, "negative, NaN"),
        (lambda: Bins.from_edges([2, 8], weights=np.ones(7)), ValueError, r"shape \(7,\)"),
        (lambda: Bins.linear(8, 7), ValueError, "width is 7; expected .*6"),
        (lambda: Bins.log(8, 7), ValueError, "n is 7; expected .*6"),
        (lambda: Bins.log(8, 2, start=0), ValueError, "start is 0"),
        (lambda: Bins.log(8, 2).bin(np.ones(7)), ValueError, r"shape \(7,\).*at least 8 degrees"),
        (lambda: Bins.log(8, 2).bin(np.ones(8) + 0j), TypeError, "complex"),
        (lambda: Bins.log(8, 2).unbin(np.ones(3)), ValueError, "expected 2 values"),
    ],
)
def test_bad_input(call, error, words):
    with pytest.raises(error, match=words):
        call()
