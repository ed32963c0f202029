"""Rotations: the definition, the group, equivariance, derivatives, refusals."""

import autograd.numpy as anp
import naive
import numpy as np
import pytest
from helpers.signals import hermitian
from tolerances import CHAIN, IDENTITY, LAST_PLACES, SHORT_SUM, SINGLE_VALUES

import spherekit as sk
from spherekit import wigner
from spherekit.testing import assert_gradient, random_flm, random_flmn
from spherekit.wigner import euler

ANGLES = (0.3, 1.1, -0.7)


def rotated(flm, alpha, beta, gamma):
    """The definition, degree by degree."""
    result = np.zeros_like(flm)
    for index, ell, m in naive.degrees_and_orders(int(round(len(flm) ** 0.5))):
        for n in range(-ell, ell + 1):
            D = naive.wigner_D(ell, m, n, alpha, beta, gamma)
            result[index] += D * flm[ell * ell + ell + n]
    return result


@pytest.mark.parametrize("L", [1, 2, 5, 17, 24])
@pytest.mark.parametrize("reality", [True, False])
@pytest.mark.parametrize(
    "angles", [ANGLES, (0, 0, 0), (1.0, np.pi, 2.0), (0.4, 1e-9, 0.1), (-2.0, -0.5, 100.0)]
)
def test_definition(angles, L, reality, rng):
    flm = random_flm(L, rng, reality=reality)
    got = wigner.rotate(flm, *angles, reality=reality)
    assert np.abs(got - rotated(flm, *angles)).max() < SHORT_SUM


@pytest.mark.parametrize("L", [63, 256, pytest.param(1500, marks=pytest.mark.slow)])
def test_high_degrees(L, rng):
    """There and back; the power of every degree; and, beyond naive sums, the values of the turned signal."""
    flm = random_flm(L, rng, reality=True)
    turned = wigner.rotate(flm, *ANGLES, reality=True)
    back = wigner.rotate(turned, *(-x for x in ANGLES[::-1]), reality=True)
    assert np.abs(back - flm).max() < LAST_PLACES * L + SHORT_SUM
    starts = np.arange(L) ** 2
    power = [np.add.reduceat(np.abs(x) ** 2, starts) for x in (flm, turned)]
    np.testing.assert_allclose(*power, rtol=IDENTITY)
    points = euler.to_rotation(*ANGLES).apply([[0.1, 0.2, 0.3], [0.0, 0.0, 1.0], [-1.0, 0.3, 0.2]])
    theta, phi = (
        np.arccos(points[:, 2] / np.linalg.norm(points, axis=1)),
        np.arctan2(*points.T[1::-1]),
    )
    before = np.array([[0.1, 0.2, 0.3], [0.0, 0.0, 1.0], [-1.0, 0.3, 0.2]])
    theta0 = np.arccos(before[:, 2] / np.linalg.norm(before, axis=1))
    values = sk.evaluate(turned, theta, phi, reality=True)
    expected = sk.evaluate(flm, theta0, np.arctan2(*before.T[1::-1]), reality=True)
    np.testing.assert_allclose(values, expected, rtol=0, atol=IDENTITY * L)


def test_the_group(rng):
    """Rotations compose as their angles do; a complex signal is two real ones."""
    flm, other = random_flm(20, rng), (1.2, 0.5, 2.0)
    twice = wigner.rotate(wigner.rotate(flm, *other), *ANGLES)
    once = wigner.rotate(flm, *euler.compose(ANGLES, other))
    assert np.abs(twice - once).max() < 2 * SHORT_SUM
    undone = wigner.rotate(wigner.rotate(flm, *ANGLES), *euler.invert(*ANGLES))
    assert np.abs(undone - flm).max() < 2 * SHORT_SUM


@pytest.mark.parametrize(
    "angles", [ANGLES, (0.3, 0.0, 0.2), (0.3, np.pi, 0.2), (1.0, 1e-10, -2.0), (2.0, -1.0, 0.1)]
)
def test_euler_angles(angles):
    rotation = euler.to_rotation(*angles)
    matrix = euler.to_rotation(*euler.from_rotation(rotation)).as_matrix()
    np.testing.assert_allclose(matrix, rotation.as_matrix(), rtol=0, atol=LAST_PLACES)
    one = euler.to_rotation(*euler.invert(*angles)) * rotation
    np.testing.assert_allclose(one.as_matrix(), np.eye(3), rtol=0, atol=LAST_PLACES)


def test_many_and_wrong_euler_angles(rng):
    many = rng.standard_normal((3, 5))
    assert np.shape(euler.from_rotation(euler.to_rotation(*many))) == (3, 5)
    with pytest.raises(ValueError, match="finite"):
        euler.to_rotation(np.nan, 0, 0)
    for wrong in (3, np.eye(3), None):
        with pytest.raises(TypeError, match="expected a scipy.spatial.transform.Rotation"):
            euler.from_rotation(wrong)


def test_broadcasting(rng):
    flm, alpha = random_flm(6, rng, shape=(2, 1)), np.array([0.1, 0.5, -1.0])
    got = wigner.rotate(flm, alpha, 0.4, [1.0])
    assert got.shape == (2, 3, 36)
    for i, a in enumerate(alpha):
        assert np.abs(got[1, i] - wigner.rotate(flm[1, 0], a, 0.4, 1.0)).max() < LAST_PLACES
    assert wigner.rotate(flm[:0], 0.1, 0.2, 0.3).shape == (0, 1, 36)
    single = wigner.rotate(flm.astype(np.complex64), alpha, 0.4, 1.0)
    assert single.dtype == np.complex64 and np.abs(single - got).max() < SINGLE_VALUES
    assert (got == wigner.rotate(flm, alpha, 0.4, 1.0, threads=2)).all()


@pytest.mark.parametrize("sampling", ["mw", "gl", "healpix:16"])
@pytest.mark.parametrize("spin", [0, 2])
def test_transforms_are_equivariant(sampling, spin, rng):
    """The samples of the rotated signal are the signal at the rotated points."""
    L = 10
    flm = random_flm(L, rng, spin=spin)
    if sampling != "healpix:16":
        f = sk.inverse(flm, L, spin=spin, sampling=sampling)
        turned = wigner.rotate_map(f, L, *ANGLES, spin=spin, sampling=sampling)
        expected = sk.inverse(wigner.rotate(flm, *ANGLES), L, spin=spin, sampling=sampling)
        assert np.abs(turned - expected).max() < CHAIN
    if spin == 0:
        f = sk.inverse(wigner.rotate(flm, *ANGLES), L, sampling=sampling)
        grid = sk.sampling.grid(sampling, L)
        theta, phi = (
            (grid.theta[3], grid.phi[5]) if grid.rectangular else (grid.theta[5], grid.phi[5])
        )
        point = [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)]
        x, y, z = euler.to_rotation(*ANGLES).inv().apply(point)
        value = sk.evaluate(flm, [np.arccos(z)], [np.arctan2(y, x)])[0]
        assert abs((f[3, 5] if grid.rectangular else f[5]) - value) < IDENTITY


def test_signals_on_the_group(rng):
    """f(R^-1 rho): the same degree matrices, column by column."""
    flmn = random_flmn(5, 3, rng)
    turned = wigner.rotate(flmn, *ANGLES)
    for n in range(5):
        assert np.abs(turned[n] - rotated(flmn[n], *ANGLES)).max() < SHORT_SUM


@pytest.mark.parametrize("reality", [True, False])
@pytest.mark.parametrize("lead, shape", [((), ()), ((2,), ()), ((2,), (2, 1)), ((), (2,))])
def test_derivatives(reality, lead, shape, rng):
    """In signal and angles, both modes, first and second order."""
    flm, allowed = random_flm(3, rng, shape=lead), hermitian if reality else (lambda u: u)
    angles = ANGLES if shape == () else rng.standard_normal((3, *shape))

    def loss(f, alpha, beta, gamma):
        turned = wigner.rotate(allowed(f), alpha, beta, gamma, reality=reality)
        return anp.sum(anp.abs(turned + 0.3) ** 4 * np.arange(1, 10))

    assert_gradient(loss, flm, *angles)


@pytest.mark.parametrize("beta", [0.0, np.pi])
def test_derivatives_of_degenerate_rotations(beta, rng):
    def loss(f, *angles):
        return anp.sum(anp.abs(wigner.rotate(f, *angles)) ** 2 * np.arange(9))

    assert_gradient(loss, random_flm(3, rng), 0.1, beta, 0.2)


@pytest.mark.parametrize(
    "words, call",
    [
        ("last axis", lambda flm: wigner.rotate(flm[:-1], *ANGLES)),
        ("last axis", lambda flm: wigner.rotate(np.array(1.0), *ANGLES)),
        ("symmetry", lambda flm: wigner.rotate(flm, *ANGLES, reality=True)),
        ("finite", lambda flm: wigner.rotate(flm, np.nan, 0, 0)),
        ("NaN", lambda flm: wigner.rotate(np.where(flm == flm[3], np.inf, flm), *ANGLES)),
        ("broadcast", lambda flm: wigner.rotate(flm[None, None], np.ones(2), np.ones(3), 0)),
    ],
)
def test_refusals(words, call, rng):
    flm = random_flm(4, rng)
    with pytest.raises(ValueError, match=words):
        call(flm)
