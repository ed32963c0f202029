"""Clebsch-Gordan coefficients: Racah's sum, stored values, orthogonality, rotations."""

import math
from fractions import Fraction

import numpy as np
import pytest
from helpers.data import ORACLES, SHARED, rows
from tolerances import IDENTITY, LAST_PLACES, SHORT_SUM

from spherekit import wigner
from spherekit.wigner import coupling
from spherekit.wigner.coupling import real_basis

#: Values against exact fractions and 30 digits: the recursion adds some ten units in the last place of 1.
EXACT = 2e-15


def racah(l1, m1, l2, m2, ell, m):
    """The explicit sum in exact fractions: (Varshalovich et al. 1988, eq. 8.2.1(3))."""
    if m1 + m2 != m or not abs(l1 - l2) <= ell <= l1 + l2 or abs(m) > ell:
        return 0.0
    f = math.factorial
    square = Fraction(
        (2 * ell + 1) * f(l1 + l2 - ell) * f(l1 - l2 + ell) * f(-l1 + l2 + ell),
        f(l1 + l2 + ell + 1),
    ) * (f(ell + m) * f(ell - m) * f(l1 + m1) * f(l1 - m1) * f(l2 + m2) * f(l2 - m2))
    total = Fraction(0)
    for k in range(l1 + l2 - ell + 1):
        factors = (
            k,
            l1 + l2 - ell - k,
            l1 - m1 - k,
            l2 + m2 - k,
            ell - l2 + m1 + k,
            ell - l1 - m2 + k,
        )
        if min(factors) >= 0:
            total += Fraction((-1) ** k, math.prod(map(f, factors)))
    return math.copysign(math.sqrt(square * total * total), total) if total else 0.0


def test_definition():
    for l1 in range(7):
        for l2 in range(7):
            for ell in range(min(l1 + l2 + 2, 7)):
                block = wigner.clebsch_gordan(l1, l2, ell)
                assert block.shape == (2 * l1 + 1, 2 * l2 + 1, 2 * ell + 1)
                for (i, j, k), value in np.ndenumerate(block):
                    expected = racah(l1, i - l1, l2, j - l2, ell, k - ell)
                    assert abs(value - expected) < EXACT, (l1, l2, ell, i, j, k)


@pytest.mark.parametrize("degrees", [(40, 30, 35), (64, 64, 64), (100, 20, 100), (150, 149, 3)])
def test_high_degrees(degrees):
    l1, l2, ell = degrees
    c = wigner.clebsch_gordan_by_order(l1, l2, ell)
    for m in (0, 1, ell // 2, -ell, ell):
        for m1 in range(max(-l1, m - l2), min(l1, m + l2) + 1, 7):
            expected = racah(l1, m1, l2, m - m1, ell, m)
            assert abs(c[l1 + m1, ell + m] - expected) < SHORT_SUM
            # the small ones keep their digits, and their signs
            assert abs(c[l1 + m1, ell + m] - expected) <= 1e-9 * abs(expected) + 1e-16


def check_stored(path):
    for row in rows(path):
        l1, m1, l2, m2, ell, m = (int(row[key]) for key in ("l1", "m1", "l2", "m2", "L", "M"))
        value = wigner.clebsch_gordan_by_order(l1, l2, ell)[l1 + m1, ell + m]
        assert abs(value - float(row["value_30digits"])) < EXACT, row


def test_stored_values():
    """mpmath, degrees to 128 and l to 211."""
    check_stored(ORACLES / "clebsch_gordan.csv")


def test_every_stored_value():
    path = SHARED / "wigner_ref/clebsch_gordan.csv"
    if not path.exists():
        # the package holds 354 of them, for `test_stored_values`; all 2801 would be too many
        pytest.skip("shared/data/wigner_ref is not beside this checkout")
    check_stored(path)


@pytest.mark.parametrize("l1, l2", [(3, 5), (20, 20), (64, 64), (64, 10)])
def test_orthogonality(l1, l2):
    """Both ways: over m1, m2 for pairs of l, and over l, m for pairs of m1, m2."""
    blocks = [
        wigner.clebsch_gordan_by_order(l1, l2, ell) for ell in range(abs(l1 - l2), l1 + l2 + 1)
    ]
    for m in range(-3, l1 + l2 + 1, 5):
        C = np.array([
            block[max(-l1, m - l2) + l1 : min(l1, m + l2) + l1 + 1, (block.shape[1] - 1) // 2 + m]
            for block in blocks
            if (block.shape[1] - 1) // 2 >= abs(m)
        ])  # fmt: skip
        assert C.shape[0] == C.shape[1]
        np.testing.assert_allclose(C @ C.T, np.eye(len(C)), rtol=0, atol=IDENTITY)
        np.testing.assert_allclose(C.T @ C, np.eye(len(C)), rtol=0, atol=IDENTITY)


@pytest.mark.parametrize("degrees", [(4, 3, 5), (6, 6, 5), (5, 6, 6), (64, 64, 63)])
def test_symmetries(degrees):
    """Reflection of all orders, to the last bit; exchange of the two factors; the phase."""
    l1, l2, ell = degrees
    c, swapped = wigner.clebsch_gordan(l1, l2, ell), wigner.clebsch_gordan(l2, l1, ell)
    sign = (-1) ** (l1 + l2 - ell)
    assert (c == sign * c[::-1, ::-1, ::-1]).all()
    np.testing.assert_allclose(c, sign * swapped.transpose(1, 0, 2), rtol=0, atol=5e-15)
    assert c[-1, l2 + ell - l1, -1] > 0


@pytest.mark.parametrize(
    "l1, l2, ell", [(1, 1, 1), (2, 2, 3), (3, 4, 4), (4, 3, 4), (5, 6, 8), (20, 20, 19)]
)
def test_zeros_of_symmetry(l1, l2, ell):
    """Two equal rows or columns of Regge's square, at an odd sum of degrees: exactly zero."""
    c, count = wigner.clebsch_gordan(l1, l2, ell), 0
    for (i, j, k), value in np.ndenumerate(c):
        m1, m2, m3 = i - l1, j - l2, ell - k
        square = np.array([
            [l2 + ell - l1, l1 + ell - l2, l1 + l2 - ell],
            [l1 - m1, l2 - m2, ell - m3],
            [l1 + m1, l2 + m2, ell + m3],
        ])  # fmt: skip
        if m1 + m2 + m3 == 0:
            alike = [len({tuple(line) for line in part}) < 3 for part in (square, square.T)]
            count += any(alike)
            assert value == 0 or not any(alike), (l1, l2, ell, m1, m2)
    assert count


@pytest.mark.parametrize(
    "degrees", [(300, 300, 600), (300, 300, 0), (0, 300, 300), (300, 1, 300), (1000, 999, 37)]
)
def test_extreme_degrees(degrees):
    c = wigner.clebsch_gordan_by_order(*degrees)
    np.testing.assert_allclose((c**2).sum(axis=0), 1, rtol=0, atol=IDENTITY)


def test_all_blocks():
    blocks = wigner.clebsch_gordan_blocks(5)
    assert set(blocks) == {
        (a, b, c) for a in range(5) for b in range(5) for c in range(abs(a - b), min(a + b, 4) + 1)
    }
    for key, block in blocks.items():
        assert (block == wigner.clebsch_gordan(*key)).all() and not block.flags.writeable
    assert wigner.clebsch_gordan_blocks(0) == {}
    every = wigner.clebsch_gordan(3, 2)
    assert list(every) == [1, 2, 3, 4, 5]
    joined = np.concatenate([block.reshape(35, -1) for block in every.values()], axis=1)
    np.testing.assert_allclose(joined @ joined.T, np.eye(35), rtol=0, atol=SHORT_SUM)


@pytest.mark.parametrize("l1, l2, ell", [(1, 1, 1), (2, 3, 4), (5, 5, 0), (4, 2, 3)])
def test_products_rotate(l1, l2, ell):
    """C couples: D^l C = C (D^l1 x D^l2)."""
    D = wigner.D(0.3, 1.1, -0.7, 6)
    C = wigner.clebsch_gordan(l1, l2, ell)
    left = np.einsum("ijk,kn->ijn", C, D[ell])
    right = np.einsum("ia,jb,abn->ijn", D[l1], D[l2], C)
    np.testing.assert_allclose(left, right, rtol=0, atol=SHORT_SUM)


def test_the_real_basis():
    D = wigner.D(0.3, 1.1, -0.7, 6)
    U = [real_basis(ell) for ell in range(6)]
    # coefficients f_mu of real harmonics turn by conj(U) D U^T, which is real
    R = [u.conj() @ d @ u.T for u, d in zip(U, D, strict=True)]
    for ell, r in enumerate(R):
        assert np.abs(r.imag).max() < SHORT_SUM
        np.testing.assert_allclose(r.real @ r.real.T, np.eye(2 * ell + 1), rtol=0, atol=SHORT_SUM)
    # degree 1 is (y, z, x)
    turned = wigner.euler.to_rotation(0.3, 1.1, -0.7).as_matrix()[np.ix_([1, 2, 0], [1, 2, 0])]
    np.testing.assert_allclose(R[1].real, turned, rtol=0, atol=SHORT_SUM)
    for l1, l2, ell in ((1, 1, 1), (1, 1, 2), (2, 3, 4), (5, 5, 0), (4, 2, 3)):
        C = wigner.clebsch_gordan(l1, l2, ell, basis="real")
        left = np.einsum("ijk,kn->ijn", C, R[ell].real)
        right = np.einsum("ia,jb,abn->ijn", R[l1].real, R[l2].real, C)
        np.testing.assert_allclose(left, right, rtol=0, atol=SHORT_SUM)
        norm = np.einsum("ijk,ijn->kn", C, C)
        np.testing.assert_allclose(norm, np.eye(2 * ell + 1), rtol=0, atol=SHORT_SUM)
    cross = wigner.clebsch_gordan(1, 1, 1, basis="real") * np.sqrt(2)
    assert {abs(round(float(x), 12)) for x in cross.ravel()} == {0.0, 1.0}, "the cross product"


@pytest.mark.parametrize("degrees", [(0, 0, 0), (2, 3, 5), (4, 4, 3), (7, 6, 6), (20, 20, 19)])
def test_the_real_block_is_the_change_of_basis(degrees):
    U1, U2, U = (real_basis(ell) for ell in degrees)
    c = wigner.clebsch_gordan(*degrees)
    turned = np.einsum("ai,bj,ck,ijk->abc", U1, U2, U.conj(), c, optimize=True)
    expected, other = turned.real, turned.imag
    if sum(degrees) % 2:
        expected, other = other, expected
    assert abs(other).max() < LAST_PLACES
    real = wigner.clebsch_gordan(*degrees, basis="real")
    np.testing.assert_allclose(real, expected, rtol=0, atol=EXACT)
    mu1, mu2, mu = (i - ell for i, ell in zip(np.nonzero(real), degrees, strict=True))
    sines = (mu1 < 0).astype(int) + (mu2 < 0) + (mu < 0)
    assert ((sines - sum(degrees)) % 2 == 0).all(), "what the basis forbids is exactly zero"
    mu1, mu2, mu = abs(mu1), abs(mu2), abs(mu)
    assert ((mu == mu1 + mu2) | (mu == abs(mu1 - mu2))).all()


@pytest.mark.parametrize(
    "l1, l2, ell", [(1, 1, 0), (1, 1, 1), (1, 1, 2), (2, 3, 4), (3, 2, 2), (4, 4, 5), (4, 4, 8)]
)
def test_the_sign_of_e3nn(l1, l2, ell):
    """Its definition: harmonics of degree l turned by (-i)^l conj(U), the block of norm 1, real."""
    Q = [(-1j) ** ell * real_basis(ell).conj() for ell in range(9)]
    c = wigner.clebsch_gordan(l1, l2, ell)
    block = np.einsum("ai,bj,ck,ijk->abc", Q[l1], Q[l2], Q[ell].conj(), c)
    assert abs(block.imag).max() < SHORT_SUM
    e3nn = block.real / np.linalg.norm(block.real)
    factor = (-1) ** ((l1 + l2 - ell + 1) // 2) * math.sqrt(2 * ell + 1)
    real = wigner.clebsch_gordan(l1, l2, ell, basis="real")
    np.testing.assert_allclose(real, factor * e3nn, rtol=0, atol=SHORT_SUM)


def test_3j():
    assert abs(wigner.wigner_3j(2, 1, 1, 0, 0, 0) - math.sqrt(2 / 15)) < LAST_PLACES
    for m1, m2 in ((0, 0), (3, -2), (-4, 1), (2, 3)):
        c = wigner.clebsch_gordan(4, 3, 5)[4 + m1, 3 + m2, 5 + m1 + m2]
        expected = (-1) ** (4 - 3 + m1 + m2) / math.sqrt(11) * c
        assert abs(wigner.wigner_3j(4, 3, 5, m1, m2, -m1 - m2) - expected) < LAST_PLACES
    assert wigner.wigner_3j(2, 1, 1, 1, 0, 0) == 0 and wigner.wigner_3j(5, 1, 1, 0, 0, 0) == 0
    for args in ((3, 2, 4, 1, -2, 1), (7, 7, 3, 5, -3, -2)):
        (a, b, c), (x, y, z) = args[:3], args[3:]
        cyclic = wigner.wigner_3j(b, c, a, y, z, x)
        odd = (-1) ** (a + b + c) * wigner.wigner_3j(b, a, c, y, x, z)
        assert abs(wigner.wigner_3j(*args) - cyclic) < LAST_PLACES
        assert abs(wigner.wigner_3j(*args) - odd) < LAST_PLACES


@pytest.mark.parametrize(
    "l1, m1, l2, m2, ell", [(6, 2, 5, -3, 7), (3, -3, 4, 1, 2), (8, 0, 8, 0, 8)]
)
def test_sympy(l1, m1, l2, m2, ell):
    sympy = pytest.importorskip("sympy.physics.quantum.cg")
    expected = float(sympy.CG(l1, m1, l2, m2, ell, m1 + m2).doit())
    got = wigner.clebsch_gordan(l1, l2, ell)[l1 + m1, l2 + m2, ell + m1 + m2]
    assert abs(got - expected) < LAST_PLACES


@pytest.mark.parametrize(
    "call",
    [
        lambda: wigner.clebsch_gordan(-1, 2, 2),
        lambda: wigner.clebsch_gordan(1.5, 2, 2),
        lambda: wigner.clebsch_gordan(True, 2, 2),
        lambda: wigner.clebsch_gordan(1, 1, 1, basis="polar"),
        lambda: wigner.wigner_3j(1, 1, 1, 2, 0, 0),
        lambda: wigner.clebsch_gordan_by_order(2, "2", 2),
        lambda: wigner.clebsch_gordan_blocks(-1),
    ],
)
def test_refusals(call):
    with pytest.raises((ValueError, TypeError), match="expected"):
        call()


def test_coefficients_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        wigner.clebsch_gordan(1, 1, 1)[:] = 0


def test_memory(monkeypatch):
    """What cannot fit is refused, and what is kept between calls is bounded in bytes."""
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e7")
    for call in (
        lambda: wigner.clebsch_gordan(100, 100, 100),
        lambda: wigner.clebsch_gordan_by_order(1000, 1000, 1000),
        lambda: wigner.clebsch_gordan_blocks(30),
        lambda: wigner.clebsch_gordan_blocks(10**7),
        lambda: wigner.clebsch_gordan(100, 100),
        lambda: wigner.wigner_3j(10**6, 10**6, 0, 0, 0, 0),
    ):
        with pytest.raises(MemoryError, match="SPHEREKIT_MAX_MEMORY"):
            call()
    assert wigner.clebsch_gordan(8, 8, 8) is wigner.clebsch_gordan(8, 8, 8)
    assert wigner.clebsch_gordan(20, 20, 20) is not wigner.clebsch_gordan(20, 20, 20)
    assert coupling._CACHED_BLOCKS * coupling._MAX_CACHED_BYTES < 2e8
