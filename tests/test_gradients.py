"""Walks the registry of linear maps: every one against its adjoint, and its derivatives."""

import importlib
import itertools
from typing import NamedTuple

import autograd.numpy as anp
import numpy as np
import pytest
import tolerances
from autograd import grad, make_jvp, make_vjp
from helpers.signals import hermitian

import spherekit as sk
from spherekit.fields.wind_modes import Multiple
from spherekit.linear import registry
from spherekit.nn.fragment_indexing import CoefficientIndices, widths
from spherekit.sampling import CC, DH, GL, MW, MWSS, DHPole, HEALPix, Rings, RotationGrid
from spherekit.testing import assert_adjoint, assert_gradient, random_flm, random_flmn

ROOMS = "sampling harmonic spectra conventions wigner fields wavelets scattering nn"
for room in ROOMS.split():
    importlib.import_module(f"spherekit.{room}")
for module in ("healpix_interpolation", "healpix_resolution"):  # imported by methods of the grid
    importlib.import_module(f"spherekit.sampling.{module}")

#: The rule of HEALPix is tested beyond its band-limit too, where `forward` warns.
pytestmark = pytest.mark.filterwarnings("ignore:.*nside:UserWarning")

UNEVEN = Rings([0.0, 0.4, 1.3, 2.0, np.pi], [1, 3, 8, 5, 2], [0, 0.1, 0.2, -0.3, 1])
POINTS = ((0.0, 0.3, 2.0, np.pi), (0.1, 5.0, -2.0, 0.7))


class Case(NamedTuple):
    """Flags of a map, and the arrays x, y that it and its adjoint take."""

    label: str
    flags: dict
    x: np.ndarray
    y: np.ndarray
    real: bool


def numbers(shape, rng, real):
    x = rng.standard_normal(shape)
    return x if real else x + 1j * rng.standard_normal(shape)


def grids(L):
    return [
        *(kind(L) for kind in (MW, MWSS, DH, DHPole, GL, CC)),
        CC(L, n_theta=L + 1),
        DH(L, n_theta=L, phi0=0.7 / L),
        MW(L + 2, phi0=0.7 / L),
        HEALPix(1),
        HEALPix(3),
        UNEVEN,
    ]


def transforms(L, rng, shape=()):
    """(label, flags, coefficients, samples): the coefficients need no symmetry."""
    for grid in grids(L):
        for spin, reality in ((0, True), (0, False), (1, False), (1 - L, False)):
            flags = dict(L=L, spin=spin, grid=grid, reality=reality, threads=1)
            flm, f = random_flm(L, rng, spin=spin, shape=shape), (*shape, *grid.shape)
            yield f"{grid} {spin} {reality}", flags, flm, numbers(f, rng, reality)


def cases_of_inverse(L, rng, shape=()):
    for label, flags, flm, f in transforms(L, rng, shape):
        yield Case(label, flags, flm, f, flags["reality"])


def cases_of_forward(L, rng, shape=()):
    for label, flags, flm, f in transforms(L, rng, shape):
        yield Case(label, flags, f, flm, flags["reality"])


def cases_of_evaluate(L, rng, shape=()):
    for spin, reality in ((0, True), (0, False), (1, False), (1 - L, False)):
        flags = dict(points=POINTS, L=L, spin=spin, reality=reality, threads=1)
        flm, values = random_flm(L, rng, spin=spin, shape=shape), numbers((*shape, 4), rng, reality)
        yield Case(f"{spin} {reality}", flags, flm, values, reality)


def cases_of_interpolation(L, rng, shape=()):
    theta, phi = np.array(POINTS)
    for nside, real in itertools.product((1, L), (True, False)):
        flags = dict(theta=theta, phi=phi, nside=nside, nest=False, threads=1)
        f, values = (numbers((*shape, n), rng, real) for n in (12 * nside**2, 4))
        yield Case(f"{nside} {real}", flags, f, values, real)


def transforms_of_rotations(L, rng, shape=()):
    """(label, flags, coefficients, samples): stored tables and slices of n, whole and steerable."""
    for name, N, steerable in (
        ("mw", L, False),
        ("gl", 2, True),
        (f"dh:{L},n_theta={L}", 2, False),
        ("healpix:1", 2, False),
    ):
        grid = RotationGrid(L, N, name, steerable)
        for reality in (True, False):
            flags = dict(L=L, N=N, grid=grid, reality=reality, lower=0, threads=1)
            flmn = random_flmn(L, N, rng, steerable=steerable, shape=shape)
            f = numbers((*shape, *grid.shape), rng, reality)
            yield f"{grid} {reality}", flags, flmn, f


def cases_of_wigner_inverse(L, rng, shape=()):
    for label, flags, flmn, f in transforms_of_rotations(L, rng, shape):
        yield Case(label, flags, flmn, f, flags["reality"])


def cases_of_wigner_forward(L, rng, shape=()):
    for label, flags, flmn, f in transforms_of_rotations(L, rng, shape):
        yield Case(label, flags, f, flmn, flags["reality"])


def cases_of_rotate(L, rng, shape=()):
    for turns in ((), (3, *(1 for _ in shape))):
        angles = tuple(rng.standard_normal((3, *turns)))
        for reality in (True, False):
            flags = dict(angles=angles, lead=shape, reality=reality, threads=1)
            whole = np.broadcast_shapes(turns, shape)
            flm, g = random_flm(L, rng, shape=shape), random_flm(L, rng, shape=whole)
            yield Case(f"{turns} {reality}", flags, flm, g, reality)


def cases_of_weights(L, rng, shape=()):
    for limit in (1, L):
        weights = numbers((3, limit), rng, False)
        flmn = numbers((*shape, 3, limit**2), rng, False)
        yield Case(
            f"{limit}", dict(weights=weights, L=L), random_flm(L, rng, shape=shape), flmn, False
        )


def cases_of_real_harmonics(L, rng, shape=()):
    x = rng.standard_normal((*shape, L * L))
    yield Case("", {}, x, random_flm(L, rng, shape=shape), True)


def cases_of_scatter(L, rng, shape=()):
    indices = CoefficientIndices(L, (-1, 0, 1))
    size = sum((2 * ell + 1) * (3 if ell else 1) for ell in range(L))
    y, x = numbers((*shape, size), rng, False), numbers((*shape, *indices.shape), rng, False)
    yield Case("", dict(indices=indices), y, x, False)


def cases_of_sums(L, rng, shape=()):
    rows = widths(range(L))
    yield Case("", dict(widths=rows), *(numbers((*shape, n), rng, True) for n in (L * L, L)), True)


def cases_of_get_item(L, rng, shape=()):
    for index, left in (((..., 0), ()), ((..., slice(1, L)), (L - 1,))):
        for real, fragments in itertools.product((True, False), (False, True)):
            flags = dict(index=index, shape=(*shape, L * L), fragments=fragments)
            x, y = numbers((*shape, L * L), rng, real), numbers((*shape, *left), rng, real)
            yield Case(f"{index} {real} {fragments}", flags, x, y, real)


def cases_of_gate(L, rng, shape=()):
    x, y, reference = (numbers((*shape, L), rng, True) for _ in range(3))
    yield Case("", dict(reference=reference, slope=0.1), x, y, True)


def cases_of_combine(L, rng, shape=()):
    for complex_weights in (False, True):
        basis = numbers((L, 4), rng, complex_weights)
        weights = numbers((L, 2), rng, not complex_weights)
        g = numbers((4, 2), rng, False)
        yield Case(f"{complex_weights}", dict(basis=basis), weights, g, not complex_weights)


def cases_of_cast(L, rng, shape=()):
    for real in (True, False):
        kinds = (np.float32, np.float64) if real else (np.complex64, np.complex128)
        x = numbers((*shape, L), rng, real).astype(kinds[1])
        flags = dict(source=x.dtype, target=np.dtype(kinds[1]))
        yield Case(f"{real}", flags, x, numbers((*shape, L), rng, real), real)


def cases_of_mirrored(L, rng, shape=()):
    yield Case("", {}, *(random_flm(L, rng, shape=shape) for _ in range(2)), True)


def cases_of_modes(L, rng, shape=()):
    modes = random_flm(L, rng, shape=(2, *shape))
    yield Case("", {}, random_flm(L, rng, shape=shape), modes, True)


def cases_of_multiples(L, rng, shape=()):
    multiples = Multiple(1, 0.5, -2.0), Multiple(0, 1, 3 - 1j), Multiple(1, 0, 1j)
    modes, flms = (random_flm(L, rng, shape=(n, *shape)) for n in (2, 3))
    yield Case("", dict(multiples=multiples), modes, flms, False)


def cases_of_hermitian(L, rng, shape=()):
    ell, m = np.tril_indices(L)
    for highest in (0, L - 1):
        flags = dict(ell=ell[m <= highest], m=m[m <= highest], L=L)
        half = numbers((*shape, flags["m"].size), rng, False)
        yield Case(f"{highest}", flags, half, random_flm(L, rng, shape=shape), True)


def cases_of_selection(L, rng, shape=()):
    for real, index in itertools.product((True, False), (rng.permutation(L * L)[:L], slice(L))):
        x, y = (numbers((*shape, n), rng, real) for n in (L * L, L))
        yield Case(f"{real} {type(index).__name__}", dict(index=index, size=L * L), x, y, real)


def cases_of_block_sums(L, rng, shape=()):
    for nside, k, nest in ((1, 2, True), (1, 3, False), (2, 1, False)):
        flags = dict(nside=nside, k=k, nest=nest, factor=0.3, threads=1)
        for real in (True, False):
            f = numbers((*shape, 12 * (k * nside) ** 2), rng, real)
            g = numbers((*shape, 12 * nside**2), rng, real)
            yield Case(f"{nside} {k} {real}", flags, f, g, real)


CASES = {
    "sampling.block_sums": cases_of_block_sums,
    "linear.cast": cases_of_cast,
    "conventions.mirrored": cases_of_mirrored,
    "conventions.hermitian": cases_of_hermitian,
    "fields.modes of winds": cases_of_modes,
    "fields.multiples of modes": cases_of_multiples,
    "conventions.gather": cases_of_selection,
    "nn.combine": cases_of_combine,
    "nn.get_item": cases_of_get_item,
    "nn.gate": cases_of_gate,
    "nn.scatter": cases_of_scatter,
    "nn.sum_orders": cases_of_sums,
    "conventions.from_real": cases_of_real_harmonics,
    "wavelets.weights": cases_of_weights,
    "sampling.interpolate": cases_of_interpolation,
    "wigner.inverse": cases_of_wigner_inverse,
    "wigner.forward": cases_of_wigner_forward,
    "wigner.rotate": cases_of_rotate,
    "harmonic.inverse": cases_of_inverse,
    "harmonic.forward": cases_of_forward,
    "harmonic.evaluate": cases_of_evaluate,
}


def pairs():
    return {pair.name: pair for pair in registry()}


def test_every_registered_map_has_cases():
    """A new linear map must add its cases here."""
    assert set(pairs()) == set(CASES)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("L", [2, 11])
def test_adjoint(name, L, rng):
    pair = pairs()[name]
    for case in CASES[name](L, rng):
        assert_adjoint(
            lambda x, flags=case.flags: pair.forward(x, **flags),
            lambda y, flags=case.flags: pair.adjoint(y, **flags),
            case.x,
            case.y,
            tolerances.ADJOINT[np.dtype(float)],
            real=case.real,
        )


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("L, shape", [(3, ()), (2, (2,))])
def test_derivatives(name, L, shape, rng):
    """Reverse and forward mode, order 2, of the map and of its adjoint."""
    pair = pairs()[name]
    for case in CASES[name](L, rng, shape):
        assert_gradient(lambda x, flags=case.flags: pair.forward(x, **flags), case.x)
        assert_gradient(lambda y, flags=case.flags: pair.adjoint(y, **flags), case.y)


# --- the public functions -----------------------------------------------------------------------


def public(L, grid, spin, reality, rng):
    """(function, argument) with an argument of the natural type."""
    flm, theta, phi = random_flm(L, rng, spin=spin, reality=reality), *POINTS
    f, values = numbers(grid.shape, rng, reality), numbers(4, rng, reality)
    on_grid, points = (
        dict(spin=spin, sampling=grid, reality=reality),
        dict(spin=spin, reality=reality),
    )
    return [
        (lambda x: sk.inverse(x, L, **on_grid), flm),
        (lambda x: sk.forward(x, L, **on_grid), f),
        (lambda x: sk.inverse_adjoint(x, L, **on_grid), f),
        (lambda x: sk.forward_adjoint(x, L, **on_grid), flm),
        (lambda x: sk.evaluate(x, theta, phi, **points), flm),
        (lambda x: sk.evaluate_adjoint(x, theta, phi, L, **points), values),
    ]


@pytest.mark.parametrize("spin, reality", [(0, True), (0, False), (2, False)])
@pytest.mark.parametrize("grid", [MW(3), GL(3), HEALPix(1), UNEVEN])
def test_public_functions(grid, spin, reality, rng):
    """A non-linear loss over each, so that second derivatives do not vanish. Finite differences
    call `inverse` plainly, which wants Hermitian coefficients of a real signal."""
    for function, x in public(3, grid, spin, reality, rng):
        allowed = hermitian if reality and x.shape == (9,) else (lambda u: u)
        assert_gradient(lambda u, f=function, a=allowed: anp.sum(anp.abs(f(a(u))) ** 4), x)


@pytest.mark.parametrize("grid", [MW(5), HEALPix(2)])
def test_a_differentiated_real_signal_needs_no_symmetry(grid, rng):
    """Optimisers leave the Hermitian coefficients; the gradient is that of Re(B f) there too."""
    flm = random_flm(5, rng)
    options = dict(sampling=grid, reality=True)
    gradient = grad(lambda u: anp.sum(sk.inverse(u, 5, **options) ** 3))(flm)
    f = sk.inverse(flm, 5, sampling=grid).real
    expected = sk.inverse_adjoint(3 * f**2, 5, **options).conj()
    assert np.abs(gradient - expected).max() <= tolerances.IDENTITY * np.abs(expected).max()


@pytest.mark.parametrize("grid", [MW(4), HEALPix(2)], ids=str)
def test_real_arrays_without_reality(grid, rng):
    """Real samples into the complex transform: the gradient is real, as its argument."""
    f, flm = rng.standard_normal(grid.shape), rng.standard_normal(16)
    values, (theta, phi) = rng.standard_normal(4), POINTS
    for function, x in [
        (lambda u: sk.forward(u, 4, sampling=grid), f),
        (lambda u: sk.inverse_adjoint(u, 4, sampling=grid), f),
        (lambda u: sk.inverse(u, 4, sampling=grid), flm),
        (lambda u: sk.forward_adjoint(u, 4, sampling=grid), flm),
        (lambda u: sk.evaluate(u, theta, phi), flm),
        (lambda u: sk.evaluate_adjoint(u, theta, phi, 4), values),
    ]:
        gradient = grad(lambda u, g=function: anp.sum(anp.abs(g(u)) ** 2))(x)
        assert gradient.dtype == float, "a real argument has a complex gradient"
        assert_gradient(lambda u, g=function: anp.sum(anp.abs(g(u)) ** 4), x)


@pytest.mark.parametrize("spin, reality", [(0, True), (0, False), (1, False)])
@pytest.mark.parametrize("grid", [MW(4), GL(4), HEALPix(2)])
def test_types_of_derivatives(grid, spin, reality, rng):
    """float32 and complex64 stay what they are, in both modes."""
    for function, x in public(4, grid, spin, reality, rng):
        x = x.astype(np.complex64 if np.iscomplexobj(x) else np.float32)
        vjp, value = make_vjp(function)(x)
        assert vjp(value).dtype == x.dtype
        _, tangent = make_jvp(function)(x)(x)
        assert tangent.dtype == value.dtype


@pytest.mark.parametrize("grid", [MW(8), GL(8), HEALPix(3)])
def test_gradient_is_the_adjoint(grid, rng):
    """grad of |f - g|^2 / 2 over coefficients is conj(B^H (f - g)), whatever the grid."""
    flm, target = random_flm(8, rng, spin=1), numbers(grid.shape, rng, False)
    options = dict(spin=1, sampling=grid)

    def loss(u):
        return anp.sum(anp.abs(sk.inverse(u, 8, **options) - target) ** 2) / 2

    rest = sk.inverse(flm, 8, **options) - target
    expected = sk.inverse_adjoint(rest, 8, **options).conj()
    gradient = grad(loss)(flm)
    assert np.abs(gradient - expected).max() <= tolerances.IDENTITY * np.abs(expected).max()
