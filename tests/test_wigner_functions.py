"""Wigner's functions: the definition, stored 30-digit values, the group, the symmetries."""

import naive
import numpy as np
import pytest
from helpers.data import ORACLES, SHARED, rows
from tolerances import CHAIN, LAST_PLACES, SHORT_SUM

from spherekit import wigner
from spherekit.wigner import euler

EPS = np.finfo(float).eps
#: Matrices of degree l < 8 against the definition: their rounding grows with l, 10 l eps at most.
EXACT = 3e-15
BETAS = (0.0, 1e-310, 1e-9, 1e-3, 0.7, np.pi / 2, 2.0, np.pi - 1e-3, np.pi, -0.4, 4.0, -3.0, 7.0)


@pytest.mark.parametrize("beta", BETAS)
def test_definition(beta):
    L = 8
    matrices = wigner.d(beta, L)
    for ell in range(L):
        for m in range(-ell, ell + 1):
            for n in range(-ell, ell + 1):
                expected = naive.wigner_d(ell, m, n, beta)
                assert abs(matrices[ell][ell + m, ell + n] - expected) < EXACT
    for m, n in ((0, 0), (3, -2), (-5, 1), (7, 7), (-7, 7), (2, 2)):
        expected = [naive.wigner_d(ell, m, n, beta) for ell in range(L)]
        np.testing.assert_allclose(wigner.d_column(m, n, beta, L), expected, rtol=0, atol=EXACT)


def stored():
    for row in rows(ORACLES / "wigner_d.csv"):
        orders = int(row["l"]), int(row["m"]), int(row["n"])
        yield *orders, float(row["beta_float64_repr"]), float(row["d_30digits"])


def test_stored_values():
    """mpmath, l = 32 to 2047, angles of 1e-3 from a pole among them."""
    for ell, m, n, beta, expected in stored():
        got = wigner.d_column(m, n, beta, ell + 1)[ell]
        assert abs(got - expected) <= max(SHORT_SUM, CHAIN * abs(expected)), (ell, m, n, beta)


def test_stored_matrices():
    for ell, m, n, beta, expected in stored():
        if ell <= 128:
            got = wigner.d(beta, ell + 1)[ell][ell + m, ell + n]
            assert abs(got - expected) <= max(SHORT_SUM, CHAIN * abs(expected)), (ell, m, n, beta)


def test_every_stored_small_value():
    path = SHARED / "wigner_ref/wigner_d_small.npz"
    if not path.exists():
        pytest.skip("the 8 x 17 x 33 x 33 values of wigner_ref are not at hand")
    table = np.load(path)
    for beta, values in zip(table["beta"], table["d"], strict=True):
        for ell, matrix in enumerate(wigner.d(beta, 17)):
            part = values[ell, 16 - ell : 17 + ell, 16 - ell : 17 + ell]
            np.testing.assert_allclose(matrix, part, rtol=0, atol=5e-15)


@pytest.mark.parametrize("beta", [1e-2, 0.4, 1.5, 3.1])
def test_high_degrees_and_near_diagonals(beta):
    """Matrices and columns are computed apart: they agree, also where m = n and the angle is small."""
    L = 300
    last = wigner.d(beta, L)[L - 1]
    for m, n in ((0, 0), (100, 100), (100, 99), (-120, 118), (250, -3), (L - 1, 290)):
        column = wigner.d_column(m, n, beta, L)[L - 1]
        assert abs(column - last[L - 1 + m, L - 1 + n]) < SHORT_SUM


def test_the_largest_degrees():
    assert abs(wigner.d_column(4000, 3990, 0.01, 4096)).max() <= 1
    cosine = np.cos(np.longdouble(1e-3) / 2)
    assert abs(wigner.d_column(2000, 2000, 1e-3, 2001)[2000] - float(cosine**4000)) < LAST_PLACES


@pytest.mark.parametrize("m, n", [(1000, 0), (700, 0), (700, -300), (5, 1), (300, 299)])
def test_angles_far_apart(m, n):
    """A column does not depend on the other angles, however far apart their starts are."""
    beta = np.array([0.01, 0.37, 0.9, 1.5, 0.0, 3.1, np.pi, 1e-5, 2.0])
    columns = wigner.d_column(m, n, beta, 2500)
    expected = np.stack([wigner.d_column(m, n, angle, 2500) for angle in beta])
    np.testing.assert_allclose(columns, expected, rtol=0, atol=LAST_PLACES)
    assert np.abs(columns).max() <= 1


@pytest.mark.parametrize("beta", [0.0, 1e-2, 1.1, np.pi / 2, 3.0])
def test_symmetries(beta):
    for ell, d in enumerate(wigner.d(beta, 33)):
        m = np.arange(-ell, ell + 1)
        flip = 1.0 - 2.0 * ((m[:, None] - m) % 2)
        tolerance = 10 * max(ell, 1) * EPS
        for other in (
            flip * d.T,
            flip * d[::-1, ::-1],
            wigner.d(-beta, ell + 1)[ell].T,
            (1 - 2 * ((ell + m[:, None]) % 2)) * wigner.d(np.pi - beta, ell + 1)[ell][:, ::-1],
        ):
            np.testing.assert_allclose(d, other, rtol=0, atol=tolerance)
        np.testing.assert_allclose(d @ d.T, np.eye(2 * ell + 1), rtol=0, atol=tolerance)


def test_a_unitary_representation(rng):
    L = 24
    for _ in range(3):
        one, other = rng.uniform(-3, 3, (2, 3))
        product = wigner.D(*euler.compose(one, other), L)
        for ell, (A, B, C) in enumerate(
            zip(wigner.D(*one, L), wigner.D(*other, L), product, strict=True)
        ):
            tolerance = 10 * max(ell, 1) * EPS
            np.testing.assert_allclose(A @ B, C, rtol=0, atol=tolerance)
            np.testing.assert_allclose(A @ A.conj().T, np.eye(2 * ell + 1), rtol=0, atol=tolerance)


def test_many_angles(rng):
    beta = rng.uniform(-4, 4, (2, 3))
    column, matrices = wigner.d_column(2, -1, beta, 6), wigner.d(beta, 6)
    assert column.shape == (2, 3, 6) and matrices[3].shape == (2, 3, 7, 7)
    for i in np.ndindex(2, 3):
        np.testing.assert_allclose(
            column[i][3], wigner.d(beta[i], 6)[3][5, 2], rtol=0, atol=LAST_PLACES
        )
        np.testing.assert_allclose(matrices[3][i], wigner.d(beta[i], 6)[3], rtol=0, atol=0)
    assert wigner.D(0.1, beta, 0.2, 3)[2].shape == (2, 3, 5, 5)
    rotation = wigner.rotate(np.arange(9) + 0j, 0.1, 0.4, 0.2)
    product = wigner.D(0.1, 0.4, 0.2, 3)[2] @ np.arange(4, 9)
    np.testing.assert_allclose(rotation[4:], product, rtol=0, atol=SHORT_SUM)


@pytest.mark.parametrize(
    "words, call",
    [
        ("L is 0", lambda: wigner.d(0.1, 0)),
        ("m is 4; .*<= 3", lambda: wigner.d_column(4, 0, 0.1, 4)),
        ("NaN", lambda: wigner.d(np.nan, 3)),
        ("NaN", lambda: wigner.D(np.inf, 0.1, 0.2, 3)),
    ],
)
def test_refusals(words, call):
    with pytest.raises(ValueError, match=words):
        call()


def test_columns_beyond_the_memory_are_refused(monkeypatch):
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e6")
    with pytest.raises(MemoryError, match="L=100 and 1000 angles needs .*pass fewer angles"):
        wigner.d_column(0, 0, np.zeros(1000), 100)
