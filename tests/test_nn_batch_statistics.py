"""Standardised signals: against the plain formula, with all derivatives."""

import autograd.numpy as anp
import numpy as np
import pytest
from tolerances import IDENTITY

from spherekit.nn.batch_statistics import Groups, standardize
from spherekit.testing import assert_gradient

WEIGHTS = np.array([0.0, 0.5, 0.25, 1.0])


def gather(sums):
    return anp.sum(sums, axis=2, keepdims=True)


GROUPS = {
    "mean": Groups(0, gather, WEIGHTS[None], (..., 0), 0.75),
    "none": Groups(0, gather, WEIGHTS[None] + 0.1),
}


def plainly(x, s, d, groups):
    """The same, and the statistics differentiated as autograd does."""
    x = x + 0.0
    count = len(x)
    if groups.mean_index is None:
        v = anp.sum(anp.abs(x) ** 2 * groups.weights, axis=(0, 2), keepdims=True) / count
        return s * x / anp.sqrt(v + 1e-12)
    first = np.eye(4)[0]
    mean = anp.sum(anp.real(x) * first, axis=(0, 2), keepdims=True) / count
    rest = x - mean * first
    weights = groups.weights + groups.mean_weight * first
    v = anp.sum(anp.abs(rest) ** 2 * weights, axis=(0, 2), keepdims=True) / count
    return s * rest / anp.sqrt(v + 1e-12) + d[:, None] * first


@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("name", GROUPS)
def test_as_the_formula(name, real, rng):
    groups, shape = GROUPS[name], (3, 2, 4)
    x = rng.standard_normal(shape) + (0 if real else 1j * rng.standard_normal(shape))
    s, d = rng.standard_normal((1, 2, 1)), rng.standard_normal(2)
    y, mean, v = standardize(x, s, d, groups)
    np.testing.assert_allclose(y, plainly(x, s, d, groups), rtol=0, atol=IDENTITY)
    again = standardize(x, s, d, groups, (mean, v))[0]
    np.testing.assert_allclose(again, y, rtol=0, atol=IDENTITY)
    g = rng.standard_normal(shape)

    def loss(function):
        return lambda u, w, z: anp.sum(g * anp.abs(function(u, w, z, groups) + 3.0) ** 2)

    one, other = loss(lambda *a: standardize(*a)[0]), loss(plainly)
    from autograd import make_jvp, make_vjp

    for k, value in enumerate((x, s, d)[: 3 if groups.mean_index else 2]):
        found = [make_vjp(lambda u, f=f, k=k: f(*(x, s, d)[:k], u, *(x, s, d)[k + 1 :]))(value)[0](1.0)
                 for f in (one, other)]  # fmt: skip
        np.testing.assert_allclose(found[0], found[1], rtol=0, atol=1e-11)
        t = rng.standard_normal(value.shape).astype(value.dtype)
        moved = [make_jvp(lambda u, f=f, k=k: f(*(x, s, d)[:k], u, *(x, s, d)[k + 1 :]))(value)(t)[1]
                 for f in (one, other)]  # fmt: skip
        np.testing.assert_allclose(moved[0], moved[1], rtol=0, atol=1e-11)
    if groups.mean_index is None:
        assert_gradient(lambda u, w: standardize(u, w, None, groups)[0], x, s)
    else:
        assert_gradient(lambda u, w, z: standardize(u, w, z, groups)[0], x, s, d)


def test_a_large_mean_keeps_its_digits(rng):
    """In float32 the mean of squares of the place of the mean, 1e8, leaves no digit of a variance of 1."""
    x = rng.standard_normal((50, 2, 4)).astype(np.float32)
    x[..., 0] += 1e4
    _, mean, v = standardize(
        x, np.ones((1, 2, 1), np.float32), np.zeros(2, np.float32), GROUPS["mean"]
    )
    rest = x[..., 0].astype(float) - mean
    own = 0.75 * np.mean(rest**2, axis=0)
    others = np.mean(np.sum(x.astype(float) ** 2 * WEIGHTS, axis=2), axis=0)
    np.testing.assert_allclose(v[0, :, 0], own + others, rtol=1e-5)  # (error of the mean, 1e-3)^2
