"""Derivatives of the public functions by every set of their arguments at once: angles, signals, weights."""

import ast
from pathlib import Path
from typing import NamedTuple

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad, hessian_vector_product, make_jvp
from autograd.core import JVPNode, primitive_jvps, primitive_vjps
from autograd.tracer import getval, notrace_primitives
from helpers.networks import SMALL
from helpers.signals import hermitian
from tolerances import CHAIN, IDENTITY

import spherekit as sk
from spherekit import conventions as cv
from spherekit import wigner
from spherekit.scattering import Covariances, Scattering
from spherekit.spectra import power
from spherekit.testing import assert_gradient, random_flm, random_flmn
from spherekit.wavelets import Wavelets

THETA, PHI = np.array([0.3, 1.2, 2.5]), np.array([0.1, 5.0, -2.0])
ANGLES = (np.array([0.1, 0.3]), np.array([0.2, 2.0]), np.array([0.5, 1.0]))
W = Wavelets(3, N=2)


class Case(NamedTuple):
    """A public function of arrays, all of them differentiable, and where to differentiate."""

    function: object
    args: tuple


def cases(rng):
    flm, psi = random_flm(3, rng, shape=(2,))
    real = random_flm(3, rng, reality=True)
    flmn, glmn = random_flmn(3, 2, rng, shape=(2,))
    x, values = rng.standard_normal(9), rng.standard_normal(3)
    scaling, maps = W.analysis_flm(flm)
    alm, cilm = rng.standard_normal((2, 6)) + 1j, rng.standard_normal((2, 3, 3))
    table = {
        "evaluate": (sk.evaluate, flm, THETA, PHI),
        "evaluate, real": (
            lambda f, t, p: sk.evaluate(hermitian(f), t, p, reality=True),
            flm,
            THETA,
            PHI,
        ),
        "evaluate, real coefficients": (sk.evaluate, x, THETA, PHI),
        "evaluate, broadcast": (lambda t, p: sk.evaluate(flm, t, p), 0.7, PHI[:, None]),
        "evaluate_adjoint": (lambda v, t, p: sk.evaluate_adjoint(v, t, p, 3), values, THETA, PHI),
        "rotate": (wigner.rotate, flm, 0.1, 0.2, 0.3),
        "rotate, broadcast": (wigner.rotate, random_flm(2, rng, shape=(2,)), *ANGLES[:2], 0.3),
        "rotate, real coefficients": (wigner.rotate, x, 0.1, 0.2, 0.3),
        "rotate_map": (
            lambda *args: wigner.rotate_map(args[0], 2, *args[1:], sampling="gl"),
            rng.standard_normal((2, 3)),
            0.1,
            0.2,
            0.3,
        ),
        "lift": (lambda f, g: wigner.lift(f, g, 2), flm, psi),
        "correlate": (wigner.correlate, flmn, glmn),
        "zonal": (wigner.zonal, flm, psi[:3]),
        "wigner.evaluate": (wigner.evaluate, flmn, *ANGLES),
        "wigner.evaluate, real": (
            lambda f, *a: wigner.evaluate(f, *a, reality=True),
            flmn,
            *ANGLES,
        ),
        "total_convolution": (lambda *a: wigner.total_convolution(*a, N=2), flm, psi, *ANGLES),
        "d": (lambda b: _row(wigner.d(b, 3)), ANGLES[1]),
        "D": (lambda *a: _row(wigner.D(*a, 3)), ANGLES[0], 0.4, ANGLES[2][:, None]),
        "d_column": (lambda b: wigner.d_column(2, -1, b, 4), ANGLES[1]),
        "power": (power, flm, psi),
        "power, of real coefficients": (power, x, psi),
        "power, broadcast": (power, np.stack([flm, psi]), psi),
        "spin_to_eb": (lambda f: _row(cv.spin_to_eb(f, spin=1)), flm),
        "spin_to_eb, real": (lambda f: _row(cv.spin_to_eb(f, spin=2)), x),
        "eb_to_spin": (lambda e, b: cv.eb_to_spin(e, b, spin=1), flm, x),
        "from_real": (cv.from_real, x),
        "to_real": (cv.to_real, flm),
        "to_s2fft": (cv.to_s2fft, flm),
        "from_s2fft": (cv.from_s2fft, rng.standard_normal((3, 5))),
        "to_healpy": (lambda f: cv.to_healpy(hermitian(f)), flm),
        "from_healpy": (lambda a: cv.from_healpy(a, 3), alm),
        "from_healpy, real": (lambda a: cv.from_healpy(a, 3), alm.real),
        "to_ducc": (lambda f: cv.to_ducc(f, spin=1, mmax=1), flm),
        "from_ducc": (lambda a: cv.from_ducc(a, 3, spin=1), alm),
        "to_shtools": (lambda f: cv.to_shtools(hermitian(f), csphase=-1), flm),
        "to_shtools, complex": (lambda f: cv.to_shtools(f, kind="complex"), flm),
        "from_shtools": (cv.from_shtools, cilm),
        "from_shtools, complex": (lambda c: cv.from_shtools(c, kind="complex"), cilm + 1j),
        "analysis_flm": (lambda f: _row(_all(W.analysis_flm(f))), flm),
        "synthesis_flm": (lambda s, *m: W.synthesis_flm(s, m), scaling, *maps),
        "analysis_adjoint": (lambda s, *m: W.analysis_adjoint(s, m), scaling, *maps),
    }
    assert real.dtype == complex
    return {name: Case(function, args) for name, (function, *args) in table.items()}


def _row(arrays):
    return anp.concatenate([anp.reshape(x, (-1,)) for x in arrays])


def _all(maps):
    return [maps[0], *maps[1]]


NAMES = list(cases(np.random.default_rng(0)))


@pytest.mark.parametrize("name", NAMES)
def test_every_set_of_arguments(name, rng):
    """Both modes, second order, mixed ones too; of a loss that is not linear."""
    function, args = cases(rng)[name]
    assert_gradient(lambda *x: anp.sum(anp.abs(function(*x) + 0.3) ** 4), *args)


@pytest.mark.parametrize("name", NAMES)
def test_precision(name, rng):
    """A gradient is in the precision of its argument, a tangent in that of the value."""
    function, args = cases(rng)[name]
    single = [
        np.asarray(x).astype(np.complex64 if np.iscomplexobj(x) else np.float32) for x in args
    ]
    for position, x in enumerate(single):
        mixed = [x if i == position else y for i, y in enumerate(args)]
        for arguments in (single, mixed):
            gradient = grad(lambda *u: anp.sum(anp.abs(function(*u)) ** 2), position)(*arguments)
            assert np.result_type(gradient) == x.dtype and np.shape(gradient) == x.shape
            value, tangent = make_jvp(function, position)(*arguments)(np.ones_like(x))
            assert tangent.dtype == value.dtype


def test_hessians_of_rotations(rng):
    """In all three angles: the product with a vector against differences of gradients."""
    flm, target, v = *random_flm(4, rng, shape=(2,)), rng.standard_normal(3)

    def loss(angles):
        return anp.sum(anp.abs(wigner.rotate(flm, *angles) - target) ** 2)

    at, step = np.array([0.3, 1.1, -0.7]), 1e-5
    product = hessian_vector_product(loss)(at, v)
    expected = (grad(loss)(at + step * v) - grad(loss)(at - step * v)) / (2 * step)
    # Central differences of step 1e-5.
    np.testing.assert_allclose(product, expected, rtol=1e-7, atol=1e-7)


def test_third_order(rng):
    """The rules are made of functions that have rules themselves."""
    flm, flmn = random_flm(2, rng), random_flmn(2, 1, rng)
    assert_gradient(lambda t, p: sk.evaluate(flm, t, p), 0.7, 0.3, order=3)
    assert_gradient(lambda *a: wigner.rotate(flm, *a), 0.1, 0.2, 0.3, order=3)
    assert_gradient(lambda b: wigner.evaluate(flmn, 0.1, b, 0.3), 0.2, order=3)
    assert_gradient(lambda b: _row(wigner.d(b, 3)), 0.7, order=3)


# --- where coordinates end ---------------------------------------------------------------------------


@pytest.mark.parametrize("pole", [0.0, np.pi])
@pytest.mark.parametrize("spin", [0, 1, -2])
def test_poles(pole, spin, rng):
    """Along a meridian, which goes on beyond the pole: f(-theta, phi) = (-1)^s f(theta, phi + pi)."""
    flm = random_flm(4, rng, spin=spin)

    def meridian(theta, phi):
        beyond = getval(getval(theta)) < 0 or getval(getval(theta)) > np.pi
        if beyond:
            inside = -theta if pole == 0 else 2 * np.pi - theta
            return (-1) ** spin * sk.evaluate(flm, inside, phi + np.pi, spin=spin)
        return sk.evaluate(flm, theta, phi, spin=spin)

    assert_gradient(meridian, pole, 0.4)


@pytest.mark.parametrize("beta", [0.0, np.pi])
def test_degenerate_rotations(beta, rng):
    """f(alpha, -beta, gamma) = f(alpha + pi, beta, gamma - pi); d and D need no such care."""
    flmn = random_flmn(3, 2, rng)

    def signal(alpha, beta, gamma):
        angle = getval(getval(beta))
        if angle < 0:
            return wigner.evaluate(flmn, alpha + np.pi, -beta, gamma - np.pi)
        if angle > np.pi:
            return wigner.evaluate(flmn, alpha + np.pi, 2 * np.pi - beta, gamma - np.pi)
        return wigner.evaluate(flmn, alpha, beta, gamma)

    assert_gradient(signal, 0.1, beta, 0.3)
    assert_gradient(lambda b: _row(wigner.d(b, 3)), beta)
    assert_gradient(lambda *a: _row(wigner.D(*a, 3)), 0.1, beta, 0.3)
    assert_gradient(lambda b: wigner.d_column(1, 0, b, 4), beta)


@pytest.mark.parametrize("L", [1, 40])
def test_values_of_the_derivatives(L, rng):
    """Of the matrices, D' = D (-i J_y) at beta = 0 and the product rule; of one degree alone, zero."""
    slopes = make_jvp(lambda b: _row(wigner.d(b, L)))(0.7)(1.0)[1]
    rates = make_jvp(lambda b: _row(wigner.d(b, L)))(0.0)(1.0)[1]
    at = 0
    for ell, matrix in enumerate(wigner.d(0.7, L)):
        size = (2 * ell + 1) ** 2
        slope, rate = (x[at : at + size].reshape(matrix.shape) for x in (slopes, rates))
        np.testing.assert_allclose(rate, -rate.T, rtol=0, atol=IDENTITY)
        np.testing.assert_allclose(slope, matrix @ rate, rtol=0, atol=CHAIN)
        at += size
    flm = random_flm(L, rng)
    slope = make_jvp(lambda t: sk.evaluate(flm, t, 0.3))(0.7)(1.0)[1]
    steps = [sk.evaluate(flm, 0.7 + step, 0.3) for step in (1e-6, -1e-6)]
    # Central differences of step 1e-6.
    np.testing.assert_allclose(slope, (steps[0] - steps[1]) / 2e-6, rtol=0, atol=1e-6)


# --- larger things -----------------------------------------------------------------------------------


def test_scattering_of_many_arguments(rng):
    """Rotations and filters before a network: everything that is traced at once."""
    S, C = Scattering(4, J0=1, N=1), Covariances(4, N=1)
    flm, angles = random_flm(4, rng), (0.1, 0.2, 0.3)

    def scattered(f, *angles):
        return anp.sum(anp.abs(S.from_flm(wigner.rotate(f, *angles))) ** 2)

    def covariances(f, g):
        s, r = (C.from_flm(hermitian(x)) for x in (f, g))
        return sum(anp.sum(x**2) for x in C.normalize(s, r))

    assert_gradient(scattered, flm, *angles, order=1)
    assert_gradient(covariances, flm, random_flm(4, rng), order=1)


@pytest.mark.parametrize("name", ["readouts", "Zonal", "spins", "quadratic"])
def test_layers_by_parameters_and_signals(name, rng):
    from spherekit import nn
    from spherekit._core import pytree

    net = nn.Sequential(nn.Sphere(3, 2), *SMALL[name])
    params, state = net.init(rng)
    leaves = list(pytree.tree_leaves(params))
    x = rng.standard_normal((2, 2, 9))  # as real harmonics: free numbers

    def loss(numbers, u):
        values, at = [], 0
        for leaf in leaves:
            value = anp.reshape(numbers[at : at + leaf.size], leaf.shape)
            at += leaf.size
            if np.iscomplexobj(leaf):
                value = value + 1j * anp.reshape(numbers[at : at + leaf.size], leaf.shape)
                at += leaf.size
            values.append(value)
        y = net(pytree.with_leaves(params, values), cv.from_real(u), state=state)
        return anp.sum(anp.abs(y) ** 2)

    parts = [part for p in leaves for part in ([p.real, p.imag] if np.iscomplexobj(p) else [p])]
    assert_gradient(loss, np.concatenate([part.ravel() for part in parts]), x)


def test_functions_of_autograd_have_rules():
    """Every function of autograd.numpy that the package calls has both rules, or is not traced at all."""
    missing = set()
    for path in Path(sk.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            called = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            if called and node.value.id == "anp":
                function = getattr(anp, node.attr)
                rules = function in primitive_vjps and function in primitive_jvps
                wrapper = function.__module__ in ("autograd.numpy", "autograd.numpy.numpy_wrapper")
                if not (rules or wrapper or function in notrace_primitives[JVPNode]):
                    missing.add(f"{path.name}: anp.{node.attr}")
    assert not missing
