"""The public test helpers: they pass what is right and fail what is wrong."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import getval, isbox

from spherekit.conventions import to_healpy, to_real
from spherekit.testing import (
    assert_adjoint,
    assert_equivariant,
    assert_gradient,
    random_flm,
    random_flmn,
)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_random_flm(dtype, rng):
    flm = random_flm(12, rng, spin=-3, shape=(50, 2), dtype=dtype)
    assert flm.shape == (50, 2, 144) and flm.dtype == dtype
    assert not flm[..., :9].any() and flm[..., 9:].all()
    assert abs(np.mean(np.abs(flm[..., 9:]) ** 2) - 1) < 0.05
    assert abs(np.mean(flm[..., 9:] ** 2)) < 0.05
    again = random_flm(12, np.random.default_rng(3), shape=(2,))
    assert np.array_equal(again, random_flm(12, np.random.default_rng(3), shape=(2,)))


def test_random_flm_of_a_real_signal(rng):
    L = 9
    flm = random_flm(L, rng, reality=True, shape=(2000,))
    for ell in range(L):
        for m in range(ell + 1):
            plus, minus = flm[:, ell * ell + ell + m], flm[:, ell * ell + ell - m]
            assert np.array_equal(minus, (-1) ** m * plus.conj())
            assert abs(np.mean(np.abs(plus) ** 2) - 1) < 0.2
    assert random_flm(1, rng, reality=True).imag == 0


@pytest.mark.parametrize("bad", [dict(L=0), dict(L=3, spin=3), dict(L=3, spin=1, reality=True)])
def test_random_flm_refuses(bad, rng):
    with pytest.raises(ValueError, match="spin|L"):
        random_flm(rng=rng, **bad)


def test_random_flm_has_complex_types(rng):
    with pytest.raises(TypeError, match="complex64 or complex128"):
        random_flm(3, rng, dtype=float)


def test_assert_adjoint(rng):
    a = rng.standard_normal((5, 3)) + 1j * rng.standard_normal((5, 3))
    x, y = (rng.standard_normal(n) + 1j * rng.standard_normal(n) for n in (3, 5))
    assert_adjoint(lambda u: a @ u, lambda v: a.conj().T @ v, x, y)
    with pytest.raises(AssertionError, match="dot test.*differ by"):
        assert_adjoint(lambda u: a @ u, lambda v: a.T @ v, x, y)
    with pytest.raises(AssertionError, match="dot test"):
        assert_adjoint(lambda u: a @ u, lambda v: a.conj().T @ v * (1 + 1e-10), x, y)
    with pytest.raises(AssertionError, match="dot test"):
        assert_adjoint(lambda u: a @ u * np.nan, lambda v: a.conj().T @ v, x, y)
    with pytest.raises(AssertionError, match=r"adjoint\(y\) has shape \(5,\)"):
        assert_adjoint(lambda u: a @ u, lambda v: v, x, y)
    # The real part of a complex map has its adjoint in the real inner product only.
    real_map, adjoint = lambda u: (a @ u).real, lambda v: a.conj().T @ v
    assert_adjoint(real_map, adjoint, x, y.real, real=True)
    with pytest.raises(AssertionError, match="dot test"):
        assert_adjoint(real_map, adjoint, x, y.real)


def test_assert_gradient(rng):
    x, y = rng.standard_normal((2, 4))
    assert_gradient(lambda u, v: anp.sum(anp.sin(u) * v), x, y)
    assert_gradient(lambda u: anp.abs(u) ** 2, x + 1j * y)
    double = primitive(lambda u: 2 * u)
    defvjp(double, lambda answer, u: lambda g: 3 * g)
    defjvp(double, lambda g, answer, u: 2 * g)
    assert_gradient(double, x, modes=["fwd"], order=1)
    with pytest.raises(AssertionError):
        assert_gradient(double, x)
    narrow = primitive(lambda u: 2 * u)
    defvjp(narrow, lambda answer, u: lambda g: (2 * g).astype(np.float32).astype(object))
    with pytest.raises((AssertionError, TypeError)):
        assert_gradient(narrow, x, modes=["rev"], order=1)
    second = primitive(lambda u, v: u * v)
    defvjp(second, lambda answer, u, v: lambda g: g * v, lambda answer, u, v: lambda g: -g * u)
    with pytest.raises(AssertionError):  # right in u, wrong in v
        assert_gradient(second, x, y, modes=["rev"], order=1)
    with pytest.raises(NotImplementedError, match="asarray"):  # in both at once alone
        assert_gradient(lambda u, v: anp.sum(u * anp.asarray(v)), x, y, modes=["rev"])
    with pytest.raises(TypeError, match="float32.*float64"):
        assert_gradient(lambda u: 2 * u, x.astype(np.float32))


def test_assert_equivariant(rng):
    x = rng.standard_normal(8)

    def turn(u):
        return np.roll(u, 3)

    assert_equivariant(np.square, turn, turn, x, rtol=1e-15)
    with pytest.raises(AssertionError, match="not equivariant.*allowed relative"):
        assert_equivariant(np.cumsum, turn, turn, x, rtol=1e-3)
    with pytest.raises(AssertionError, match="not equivariant"):
        assert_equivariant(lambda u: u * np.nan, turn, turn, x, rtol=1)
    with pytest.raises(AssertionError, match="shape"):
        assert_equivariant(lambda u: u[:4], turn, lambda u: u[:2], x, rtol=1)


@pytest.mark.parametrize("reality", [False, True])
def test_random_coefficients_are_contiguous(reality, rng):
    """Another order of the axes costs every transform a copy."""
    flmn = random_flmn(6, 4, rng, reality=reality, shape=(5,))
    flm = random_flm(6, rng, reality=reality, shape=(5,))
    arrays = flmn, flm, *([to_real(flm), to_healpy(flm)] if reality else [])
    assert all(x.flags.c_contiguous for x in arrays)


def test_gradients_are_checked_in_the_same_directions():
    """Whatever NumPy's global random numbers are, which stay as they were."""
    values = []

    def f(x):
        value = x
        while isbox(value):
            value = getval(value)
        values.append(value.tolist())
        return anp.sum(x**3)

    for seed in (1, 2):
        np.random.seed(seed)
        expected = np.random.RandomState(seed).random_sample(3)
        assert_gradient(f, np.array([0.3, 0.7]))
        assert np.array_equal(np.random.random_sample(3), expected)
    assert values[: len(values) // 2] == values[len(values) // 2 :]
