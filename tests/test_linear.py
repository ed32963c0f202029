"""The one gradient rule."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import elementwise_grad, grad, hessian_vector_product, jacobian, make_jvp
from tolerances import CHAIN, LAST_PLACES, SHORT_SUM

from spherekit import linear
from spherekit.testing import assert_adjoint, assert_gradient


@pytest.fixture
def fresh(monkeypatch):
    """`linear_map` with a registry that is thrown away."""
    monkeypatch.setattr(linear, "_registry", [])
    return linear.linear_map


def matrix_pair(linear_map, matrix):
    return linear_map(
        "matrix",
        lambda x, scale=1: scale * np.einsum("ij,...j->...i", matrix, x),
        lambda y, scale=1: scale * np.einsum("ij,...i->...j", matrix.conj(), y),
    )


def test_a_pair_is_registered_under_its_name(fresh):
    pair = matrix_pair(fresh, np.eye(2))
    assert linear.registry() == (pair,)
    assert pair.name == "matrix"
    assert isinstance(linear.registry(), tuple)


def test_both_maps_are_differentiable(fresh, rng):
    matrix = rng.standard_normal((3, 4)) + 1j * rng.standard_normal((3, 4))
    pair = matrix_pair(fresh, matrix)
    x, y = (rng.standard_normal((2, n)) + 1j * rng.standard_normal((2, n)) for n in (4, 3))
    assert_adjoint(pair.forward, pair.adjoint, x, y)
    assert_gradient(pair.forward, x)
    assert_gradient(pair.adjoint, y)
    assert_gradient(lambda u: anp.sum(anp.abs(pair.forward(u)) ** 4), x)
    assert_gradient(lambda u: pair.adjoint(pair.forward(u) ** 2), x)


def test_the_rule_of_complex_numbers(fresh, rng):
    """For the loss |A x - y|^2, autograd's gradient is 2 conj(A^H (A x - y)): the loss falls
    along its conjugate. The plain A^H g would be wrong here."""
    matrix = rng.standard_normal((3, 4)) + 1j * rng.standard_normal((3, 4))
    pair = matrix_pair(fresh, matrix)
    x, y = (rng.standard_normal(n) + 1j * rng.standard_normal(n) for n in (4, 3))

    def loss(u):
        return anp.sum(anp.abs(pair.forward(u) - y) ** 2)

    expected = 2 * np.conj(matrix.conj().T @ (matrix @ x - y))
    assert np.abs(grad(loss)(x) - expected).max() <= CHAIN
    assert loss(x - 1e-3 * np.conj(grad(loss)(x))) < loss(x)


def test_forward_mode_is_the_map_itself(fresh, rng):
    matrix = rng.standard_normal((3, 4))
    pair = matrix_pair(fresh, matrix)
    x, v = rng.standard_normal((2, 4))
    value, tangent = make_jvp(pair.forward)(x)(v)
    assert np.array_equal(value, pair.forward(x))
    assert np.array_equal(tangent, pair.forward(v))
    assert np.abs(jacobian(pair.forward)(x) - matrix).max() <= LAST_PLACES


def test_flags_reach_the_adjoint(fresh, rng):
    pair = matrix_pair(fresh, rng.standard_normal((3, 4)))
    x = rng.standard_normal(4)
    once = grad(lambda u: anp.sum(pair.forward(u)))(x)
    assert np.allclose(
        grad(lambda u: anp.sum(pair.forward(u, scale=3)))(x), 3 * once, rtol=SHORT_SUM
    )


def test_any_order(fresh, rng):
    """sum (A x)^3 has the Hessian 6 A^T diag(A x) A and a constant third derivative."""
    matrix = rng.standard_normal((3, 4))
    pair = matrix_pair(fresh, matrix)
    x, v, w = rng.standard_normal((3, 4))

    def cube(u):
        return anp.sum(pair.forward(u) ** 3)

    product = hessian_vector_product(cube)
    expected = 6 * matrix.T @ (matrix @ x * (matrix @ v))
    assert np.abs(product(x, v) - expected).max() <= CHAIN
    third = grad(lambda u: anp.sum(product(u, v) * w))(x)
    expected = 6 * matrix.T @ (matrix @ v * (matrix @ w))
    assert np.abs(third - expected).max() <= CHAIN


def test_traced(rng):
    seen = []

    def watch(x):
        seen.append(linear.is_traced(x))
        return x

    watch(rng.standard_normal(3))
    elementwise_grad(watch)(np.ones(3))
    assert seen == [False, True]
