"""Converters: exact both ways, against the definitions of the other layouts."""

import numpy as np
import pytest

from spherekit import conventions as cv
from spherekit.spectra import gaussian_flm, power
from spherekit.testing import random_flm


def test_healpy_layout(rng=np.random.default_rng(0)):
    flm = random_flm(6, rng, reality=True, shape=(2,))
    alm = cv.to_healpy(flm)
    at = 0
    for m in range(6):
        for ell in range(m, 6):
            assert np.array_equal(alm[:, at], flm[:, ell * ell + ell + m])
            at += 1
    assert np.array_equal(cv.from_healpy(alm, 6), flm)
    short = cv.from_healpy(alm[:, : 6 + 5 + 4], 6, mmax=2)
    assert np.array_equal(short[:, 5 * 5 + 5 + 2], flm[:, 5 * 5 + 5 + 2]) and not short[:, -1].any()
    with pytest.raises(ValueError, match=r"need \(\.\.\., 21\)"):
        cv.from_healpy(alm[:, 1:], 6)


def test_s2fft_layout(rng=np.random.default_rng(1)):
    flm = random_flm(5, rng, shape=(3,))
    assert np.array_equal(cv.from_s2fft(cv.to_s2fft(flm)), flm)
    assert cv.to_s2fft(flm)[1, 3, 4 - 2] == flm[1, 3 * 3 + 3 - 2]


def test_electric_and_magnetic_parts(rng=np.random.default_rng(2)):
    E, B = (random_flm(6, rng, reality=True) for _ in range(2))
    E[:4], B[:4] = 0, 0
    for got, want in zip(cv.spin_to_eb(cv.eb_to_spin(E, B)), (E, B), strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-15)


def test_table_states_the_layout():
    assert "flm[..., l*l+l+m]" in cv.table()


def test_spectra(rng=np.random.default_rng(3)):
    cl = 1.0 / (1 + np.arange(40.0))
    mean = np.mean([power(gaussian_flm(cl, 40, rng)) for _ in range(300)], axis=0)
    spread = np.sqrt(2 / (2 * np.arange(40) + 1) / 300)
    assert np.all(np.abs(mean / cl - 1) < 5 * spread)
    assert cv.to_healpy(gaussian_flm(cl, 40, rng)).shape == (820,)
    with pytest.raises(ValueError, match="not negative"):
        gaussian_flm(-cl, 40, rng)
