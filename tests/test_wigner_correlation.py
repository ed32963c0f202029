"""Correlations: their integrals by quadrature, equivariance, derivatives."""

import autograd.numpy as anp
import naive
import numpy as np
import pytest
from tolerances import CHAIN, IDENTITY, SHORT_SUM

import spherekit as sk
from spherekit import wigner
from spherekit.sampling import GL, RotationGrid
from spherekit.testing import assert_gradient, random_flm, random_flmn

L, ANGLES = 5, (0.3, 1.1, -0.7)


def test_lift_is_its_integral(rng):
    flm, psi, grid = random_flm(L, rng), random_flm(L, rng), GL(2 * L)
    h = wigner.lift(flm, psi, L)
    turned = wigner.rotate(psi, *ANGLES)
    f, g = (sk.inverse(x, L, sampling=grid) for x in (flm, turned))
    expected = (grid.weights * f * g.conj()).sum()
    value = wigner.evaluate(h, *([x] for x in ANGLES))[0]
    assert abs(value - expected) < CHAIN
    assert abs(wigner.total_convolution(flm, psi, *([x] for x in ANGLES))[0] - expected) < CHAIN


def test_correlate_is_its_integral(rng):
    f, g = (random_flmn(L, 3, rng) for _ in range(2))
    h, grid = wigner.correlate(f, g), RotationGrid(2 * L, 2 * L, "gl")
    fine = [wigner.inverse(x, L, 3, sampling=grid) for x in (f, wigner.rotate(g, *ANGLES))]
    expected = (grid.weights * fine[0] * fine[1].conj()).sum()
    assert abs(wigner.evaluate(h, *([x] for x in ANGLES))[0] - expected) < CHAIN
    part = wigner.correlate(f, g, 2)
    np.testing.assert_allclose(part, h[L - 2 : L + 1], rtol=0, atol=SHORT_SUM)


def test_zonal_is_a_lift(rng):
    flm, psi = random_flm(L, rng), np.zeros(L * L, complex)
    kl = rng.standard_normal(L) + 1j * rng.standard_normal(L)
    psi[np.arange(L) * (np.arange(L) + 1)] = kl
    values = sk.evaluate(wigner.zonal(flm, kl), [1.1], [0.3])[0]
    assert abs(values - wigner.total_convolution(flm, psi, [0.3], [1.1], [2.0])[0]) < IDENTITY


@pytest.mark.parametrize("reality", [True, False])
def test_values_at_rotations(reality, rng):
    flmn = random_flmn(4, 3, rng, reality=True)
    grid = RotationGrid(4, 3)
    f = naive.wigner_inverse(flmn, grid)
    points = np.array([(grid.alpha[5], grid.beta[2], grid.gamma[1]), (0.0, grid.beta[3], 0.0)]).T
    values = wigner.evaluate(flmn, *points, reality=reality)
    np.testing.assert_allclose(values, [f[1, 2, 5], f[0, 3, 0]], rtol=0, atol=IDENTITY)


def test_equivariance(rng):
    """Rotated signals have rotated correlations."""
    flm, psi, kl = random_flm(L, rng), random_flm(L, rng), rng.standard_normal(L)
    f, g = (random_flmn(L, 3, rng) for _ in range(2))
    for call, x in (
        (lambda u: wigner.lift(u, psi, 3), flm),
        (lambda u: wigner.correlate(u, g), f),
        (lambda u: wigner.zonal(u, kl), flm),
    ):
        after, before = wigner.rotate(call(x), *ANGLES), call(wigner.rotate(x, *ANGLES))
        np.testing.assert_allclose(after, before, rtol=0, atol=IDENTITY * np.abs(before).max())


def test_derivatives_and_types(rng):
    flm, psi = random_flm(3, rng), random_flm(3, rng)
    f, g, kl = random_flmn(3, 2, rng), random_flmn(3, 2, rng), rng.standard_normal(3)
    points = np.array([[0.1, 0.3], [0.2, 2.0], [0.5, 1.0]])
    for call, *args in (
        (lambda a, b: wigner.lift(a, b, 2), flm, psi),
        (wigner.correlate, f, g),
        (wigner.zonal, flm, kl),
        (lambda a: wigner.evaluate(a, *points), f),
        (lambda a, b: wigner.total_convolution(a, b, *points), flm, psi),
    ):
        assert_gradient(lambda *x, c=call: anp.sum(anp.abs(c(*x) + 1) ** 4), *args)
        single = [x.astype(np.complex64 if np.iscomplexobj(x) else np.float32) for x in args]
        assert call(*single).dtype == np.complex64


def _unequal(x):
    """Batches of 2 and of 3 copies, which do not broadcast."""
    return np.stack([x] * 2), np.stack([x] * 3)


@pytest.mark.parametrize(
    "words, call",
    [
        ("same L", lambda flm, flmn: wigner.lift(flm, flm[:9], 2)),
        ("N is 5", lambda flm, flmn: wigner.lift(flm, flm, 5)),
        ("L.L long", lambda flm, flmn: wigner.lift(flm[:5], flm, 2)),
        ("same orders", lambda flm, flmn: wigner.correlate(flmn, flmn[:1])),
        ("an odd number", lambda flm, flmn: wigner.correlate(flmn[:2], flmn[:2])),
        ("flm has shape .* axes that broadcast", lambda flm, flmn: wigner.lift(*_unequal(flm), 2)),
        (
            "flmn has shape .* axes that broadcast",
            lambda flm, flmn: wigner.correlate(*_unequal(flmn)),
        ),
        (
            r"flm has shape \(2, 16\) and kl \(3, 4\)",
            lambda flm, flmn: wigner.zonal(_unequal(flm)[0], np.ones((3, 4))),
        ),
        (
            r"flm has shape \(2, 16\) and blm \(3, 16\)",
            lambda flm, flmn: wigner.total_convolution(*_unequal(flm), [0], [0], [0]),
        ),
        ("needs", lambda flm, flmn: wigner.zonal(flm, np.ones(3))),
        ("need", lambda flm, flmn: wigner.evaluate(flmn[:2], [0], [0], [0])),
    ],
)
def test_refusals(words, call, rng):
    flm, flmn = random_flm(4, rng), random_flmn(4, 2, rng)
    with pytest.raises(ValueError, match=words):
        call(flm, flmn)


def test_correlations_of_real_coefficients_are_real(rng):
    flm, flmn = rng.standard_normal((2, 16)), rng.standard_normal((2, 3, 16))
    for result in (
        wigner.lift(flm, flm[0], 2),
        wigner.correlate(flmn, flmn[0]),
        wigner.zonal(flm, flm[0, :4]),
    ):
        assert result.dtype == float
