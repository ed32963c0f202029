"""Values at points: the definition, the poles, and stored 30-digit values."""

import naive
import numpy as np
import pytest
from tolerances import CHAIN, POINT, SHORT_SUM

import spherekit as sk
from spherekit.harmonic.points import _evaluation
from spherekit.sampling import Rings
from spherekit.testing import assert_adjoint, random_flm

THETA = [0.0, 1e-310, 1e-8, 1e-3, 0.7, np.pi / 2, 2.2, np.pi - 1e-3, np.pi]
PHI = np.linspace(0, 6, len(THETA))


@pytest.mark.parametrize("L", [1, 2, 7])
def test_definition(L, rng):
    for spin in (0, 1, -2, L - 1):
        if abs(spin) >= L:
            continue
        flm = random_flm(L, rng, spin=spin)
        expected = naive.evaluate(flm, THETA, PHI, spin)
        got = sk.evaluate(flm, THETA, PHI, spin=spin)
        np.testing.assert_allclose(got, expected, rtol=0, atol=2 * SHORT_SUM)


@pytest.mark.parametrize("spin, reality", [(0, True), (0, False), (2, False)])
def test_adjoint(spin, reality, rng):
    L = 9
    flm = random_flm(L, rng, spin=spin)
    y = rng.standard_normal(len(THETA)) + (0 if reality else 1j)
    points = tuple(THETA), tuple(PHI.tolist())
    flags = dict(points=points, L=L, spin=spin, reality=reality, threads=1)
    forward, adjoint = (
        lambda u, p=p: p(u, **flags) for p in (_evaluation.forward, _evaluation.adjoint)
    )
    assert_adjoint(forward, adjoint, flm, y, real=reality)


def test_near_the_poles_at_high_degree():
    """d^l_00 is the Legendre polynomial; P_l(cos theta) ~ J_0 there. Values of 30 digits by series."""
    for ell in (512, 2047):
        for theta in (1e-3, np.pi - 1e-3):
            flm = np.zeros((ell + 1) ** 2, complex)
            flm[ell * ell + ell] = 1
            got = sk.evaluate(flm, [theta], [0.0], reality=True)[0]
            # The float64 of pi lacks 1.22e-16, which is felt this close to the pole.
            small = min(theta, np.pi - theta + 1.2246467991473532e-16)
            value = _legendre(ell, small) * (1 if theta < 1 else (-1) ** ell)
            expected = np.sqrt((2 * ell + 1) / (4 * np.pi)) * value
            assert abs(got - expected) <= POINT * np.sqrt((2 * ell + 1) / (4 * np.pi))


def _legendre(ell, theta):
    """P_l as the hypergeometric series in y/2 = sin^2(theta/2), in 60-digit decimals."""
    from decimal import Decimal, localcontext

    with localcontext() as context:
        context.prec = 60
        _, sine = naive._cos_sin_half(theta)
        x, term, total = sine * sine, Decimal(1), Decimal(1)
        for k in range(1, ell + 1):
            term = term * -(ell - k + 1) * (ell + k) * x / (k * k)
            total += term
            if abs(term) < Decimal(10) ** -40:
                break
        return float(total)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_poles_in_any_precision(dtype, rng):
    """float32 pi is larger than pi: it is the south pole, as everywhere; more than rounding is refused."""
    flm = random_flm(4, rng, reality=True)
    theta = dtype(np.pi / 2) - np.radians(np.array([90, 0, -90], dtype))
    got = sk.evaluate(flm, theta, 0.3, reality=True)
    expected = sk.evaluate(flm, np.clip(theta.astype(float), 0, np.pi), 0.3, reality=True)
    assert (got == expected).all()
    np.testing.assert_array_equal(
        sk.harmonic.evaluate_adjoint(np.ones(3), theta, 0.3, 4),
        sk.harmonic.evaluate_adjoint(np.ones(3), np.clip(theta.astype(float), 0, np.pi), 0.3, 4),
    )
    with pytest.raises(ValueError, match=r"theta ranges from .*expected colatitudes in \[0, pi\]"):
        sk.evaluate(flm, theta + dtype(0.1), 0.3)
    with pytest.raises(ValueError, match="numpy.radians converts degrees"):
        sk.evaluate(flm, [30.0, 90.0], 0.3)


#: Latitudes so far apart that at L = 2000 the orders which matter at one start 2^-1000 below another.
FAR_APART = np.array([0.01, 0.37, 1.5, 2.9, 3.1, 0.0, 0.37])


@pytest.mark.parametrize("spin, reality", [(0, True), (0, False), (2, False)])
def test_points_far_apart_at_high_degree(spin, reality, rng):
    """Values at a point do not depend on the other points, and neither do those on single rings."""
    L, phi = 2000, rng.uniform(0, 6, len(FAR_APART))
    flm = random_flm(L, rng, spin=spin, reality=reality)
    points = list(zip(FAR_APART, phi, strict=True))
    expected = np.concatenate([sk.evaluate(flm, *p, spin=spin, reality=reality) for p in points])
    values = sk.evaluate(flm, FAR_APART, phi, spin=spin, reality=reality)
    size = np.abs(expected).max()
    np.testing.assert_allclose(values, expected, rtol=0, atol=CHAIN * size)
    rings = Rings(np.sort(FAR_APART[:5]), 1, np.zeros(5), np.ones(5))
    on_rings = sk.inverse(flm, L, spin=spin, sampling=rings, reality=reality)
    expected = sk.evaluate(flm, rings.ring_theta, 0.0, spin=spin, reality=reality)
    np.testing.assert_allclose(on_rings, expected, rtol=0, atol=CHAIN * size)
    terms = [sk.evaluate_adjoint(np.ones(1), *p, L, spin=spin, reality=reality) for p in points]
    adjoint = sk.evaluate_adjoint(
        np.ones(len(points)), FAR_APART, phi, L, spin=spin, reality=reality
    )
    np.testing.assert_allclose(adjoint, sum(terms), rtol=0, atol=CHAIN * np.abs(adjoint).max())
