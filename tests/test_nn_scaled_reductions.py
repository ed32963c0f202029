"""Factors that numbers share, sums, gates: against the plain sums, with all derivatives."""

import autograd.numpy as anp
import numpy as np
import pytest
from tolerances import IDENTITY, SHORT_SUM

from spherekit.nn.activations import leaky_relu
from spherekit.nn.scaled_reductions import energy, get_item, inner_product, scale, zero_pad
from spherekit.testing import assert_gradient


def numbers(shape, real, rng, single=False):
    x = rng.standard_normal(shape) + (0 if real else 1j * rng.standard_normal(shape))
    return x.astype((np.float32 if real else np.complex64) if single else x.dtype)


SHAPES = [
    ((5, 3, 4), (1, 3, 1)),
    ((5, 3, 4), (5, 1, 4)),
    ((2, 3, 2, 4), (1, 3, 1, 1)),
    ((2, 3), (2, 3)),
]


@pytest.mark.parametrize("real_s", [True, False])
@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("shape, kept", SHAPES)
def test_scale_match_and_energy(shape, kept, real, real_s, rng):
    x, y, s = numbers(shape, real, rng), numbers(shape, real, rng), numbers(kept, real_s, rng)
    axes = tuple(k for k, n in enumerate(kept) if n == 1)
    np.testing.assert_allclose(scale(x, s), x * s, rtol=0, atol=SHORT_SUM)
    total = np.sum(x * y, axis=axes, keepdims=True)
    np.testing.assert_allclose(inner_product(x, y, kept, False), total, rtol=0, atol=IDENTITY)
    np.testing.assert_allclose(inner_product(x, y, kept, True), total.real, rtol=0, atol=IDENTITY)
    squares = np.sum(np.abs(x) ** 2, axis=axes, keepdims=True)
    np.testing.assert_allclose(energy(x, kept), squares, rtol=0, atol=IDENTITY)
    assert_gradient(scale, x, s)
    assert_gradient(lambda u, v: inner_product(u, v, kept, False), x, y)
    assert_gradient(lambda u, v: inner_product(u, v, kept, True), x, y)
    assert_gradient(lambda u: energy(u, kept), x)


def test_get_item_and_zero_pad(rng):
    x = rng.standard_normal((2, 3, 4))
    np.testing.assert_array_equal(get_item(x, (..., 0)), x[..., 0])
    np.testing.assert_array_equal(zero_pad(x[..., 0], (..., 0), x.shape)[..., 0], x[..., 0])
    assert_gradient(lambda u: get_item(u, (..., slice(1, 3))), x)


@pytest.mark.parametrize("real", [True, False])
def test_single_precision_is_kept(real, rng):
    x, s = numbers((4, 3, 5), real, rng, True), numbers((1, 3, 1), True, rng, True)
    assert scale(x, s).dtype == x.dtype
    assert energy(x, (1, 3, 1)).dtype == np.float32
    assert inner_product(x, x, (1, 3, 1), True).dtype == np.float32


def test_gates(rng):
    x = rng.standard_normal((3, 4))
    np.testing.assert_array_equal(leaky_relu(x), np.maximum(x, 0))
    np.testing.assert_array_equal(leaky_relu(x[:, ::2], 0.1), np.where(x > 0, x, 0.1 * x)[:, ::2])
    assert np.isnan(leaky_relu(np.array([np.nan]))).all()
    assert_gradient(lambda u: anp.sum(leaky_relu(u, 0.1) ** 3), x)
