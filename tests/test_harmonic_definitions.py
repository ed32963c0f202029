"""Every grid, spin, reality and type of number against the definitions in plain loops."""

from functools import partial
from types import SimpleNamespace

import naive
import numpy as np
import pytest
import tolerances

import spherekit as sk
from spherekit.sampling import CC, DH, GL, MW, MWSS, DHPole, HEALPix, Rings
from spherekit.testing import random_flm

#: Rings that are symmetric in nothing: both poles, an odd spacing, lengths 1 (all orders alias)
#: to 12, offsets.
UNEVEN = Rings([0.0, 0.3, 1.1, 1.5, 2.9, np.pi], [1, 4, 7, 12, 3, 2], [0, 0.1, 0.2, -0.3, 1, 0.4])
#: Rings symmetric about the equator, the equator included.
EVEN = Rings([0.4, 1.2, np.pi / 2, np.pi - 1.2, np.pi - 0.4], [6, 9, 9, 9, 6], 0.0)
#: North only, no ring on either pole.
NORTH = Rings([0.2, 0.9, 1.5], 5, 0.5)


@pytest.fixture(params=["auto", "recursion"])
def transforms(request):
    """Small transforms go by precomputed tables; the recursion behind larger ones is held to the same."""
    names = "inverse", "forward", "inverse_adjoint", "forward_adjoint"
    functions = {name: partial(getattr(sk, name), engine=request.param) for name in names}
    return SimpleNamespace(**functions)


def own_grids(L):
    """Grids of band-limit L: every kind, with other sizes where a kind allows them."""
    kinds = MW, MWSS, DH, DHPole, GL, CC
    grids = [kind(L) for kind in kinds] + [kind(L, phi0=2.1 / L) for kind in kinds]
    grids += [DH(L, n_theta=L), DH(L, n_theta=L, n_phi=2 * L, phi0=np.pi / (2 * L))]
    if L > 1:
        grids += [CC(L, n_theta=L + 1), CC(L, n_theta=2 * L), DH(L, n_theta=2 * L - 2)]
    return grids


def finer_grids(L):
    """Grids finer than L in theta, in phi, in both."""
    return [
        MW(L + 1),
        MW(L, n_phi=2 * L + 3),
        MWSS(L + 2),
        MWSS(L, n_phi=2 * L + 1),
        DH(L + 1, n_phi=3 * L + 4),
        DH(L + 1, n_theta=L + 2, phi0=0.1 / L),
        DH(L, n_theta=2 * L - 1),
        DH(L, n_theta=2 * L + 3),
        CC(L + 1, n_theta=L + 3, phi0=0.2 / L),
        DHPole(L, n_phi=2 * L + 5),
        GL(L + 3),
        CC(L + 1),
        CC(L + 2, n_theta=L + 4),
    ]


OTHERS = [HEALPix(1), HEALPix(2), HEALPix(3, weights="equal"), UNEVEN, EVEN, NORTH]


def spins(L):
    return [s for s in dict.fromkeys((0, 1, -1, 2, -3, L - 1, 1 - L)) if abs(s) < L]


def random_samples(grid, rng, reality=False):
    f = rng.standard_normal(grid.shape)
    return f if reality else f + 1j * rng.standard_normal(grid.shape)


def check(got, expected, dtype, case):
    """Type, shape, and values relative to the largest expected one."""
    assert got.dtype == dtype, case
    assert got.shape == expected.shape, case
    scale = max(np.abs(expected).max(), np.finfo(float).tiny)
    error = np.abs(got - expected).max() / scale
    limit = tolerances.by_type(tolerances.DEFINITION, dtype)
    assert error <= limit, f"{case}: error {error:.2g}, allowed {limit:.2g}"


def cases(L):
    for grid in own_grids(L) + finer_grids(L) + OTHERS:
        for spin in spins(L):
            yield grid, spin, False
        yield grid, 0, True


@pytest.mark.parametrize("L", [1, 2, 3, 4, 7])
def test_inverse(L, rng, transforms):
    for grid, spin, reality in cases(L):
        flm = random_flm(L, rng, spin=spin, reality=reality)
        expected = naive.inverse(flm, grid, spin, reality)
        got = transforms.inverse(flm, L, spin=spin, sampling=grid, reality=reality)
        check(got, expected, float if reality else complex, (grid, spin, reality))


@pytest.mark.parametrize("L", [1, 2, 3, 4, 7])
def test_forward_of_any_samples(L, rng, transforms):
    """The samples are of no band-limit: the rule is tested, not only its exactness."""
    for grid, spin, reality in cases(L):
        f = random_samples(grid, rng, reality)
        expected = naive.forward(f, grid, L, spin)
        got = transforms.forward(f, L, spin=spin, sampling=grid, reality=reality)
        check(got, expected, complex, (grid, spin, reality))


@pytest.mark.parametrize("L", [1, 2, 5])
def test_inverse_adjoint(L, rng, transforms):
    for grid, spin, reality in cases(L):
        f = random_samples(grid, rng, reality)
        expected = naive.inverse_adjoint(f, grid, L, spin)
        got = transforms.inverse_adjoint(f, L, spin=spin, sampling=grid, reality=reality)
        check(got, expected, complex, (grid, spin, reality))


@pytest.mark.parametrize("L", [1, 2, 4])
def test_forward_adjoint(L, rng, transforms):
    """The matrix of the definition, column by column, conjugated and transposed."""
    for grid in own_grids(L) + [HEALPix(1), UNEVEN, MW(L + 1)]:
        n = int(np.prod(grid.shape))
        for spin in (0, 1, -2):
            if abs(spin) >= L:
                continue
            matrix = np.array([naive.forward(unit, grid, L, spin) for unit in np.eye(n)]).T
            flm = random_flm(L, rng)
            expected = (matrix.conj().T @ flm).reshape(grid.shape)
            got = transforms.forward_adjoint(flm, L, spin=spin, sampling=grid)
            check(got, expected, complex, (grid, spin))
            if spin == 0:
                got = transforms.forward_adjoint(flm, L, sampling=grid, reality=True)
                check(got, expected.real, float, (grid, "real"))


@pytest.mark.parametrize("L", [1, 2, 6])
def test_single_precision(L, rng, transforms):
    """float32 and complex64 in and out; the sums behind them are in double precision."""
    for grid in own_grids(L) + OTHERS:
        for spin, reality in ((0, True), (0, False), (min(1, L - 1), False), (1 - L, False)):
            options = dict(spin=spin, sampling=grid, reality=reality)
            flm = random_flm(L, rng, spin=spin, reality=reality, dtype=np.complex64)
            expected = naive.inverse(flm.astype(complex), grid, spin, reality)
            kind = np.float32 if reality else np.complex64
            check(transforms.inverse(flm, L, **options), expected, kind, (grid, spin, reality))
            f = random_samples(grid, rng, reality).astype(kind)
            expected = naive.forward(f.astype(complex), grid, L, spin)
            check(
                transforms.forward(f, L, **options), expected, np.complex64, (grid, spin, reality)
            )


THETA = [0.0, 1e-8, 1e-3, 0.7, np.pi / 2, 2.2, np.pi - 1e-3, np.pi]
PHI = [0.0, 1.0, -2.0, 7.0, 3.0, 0.1, 0.2, 5.0]


@pytest.mark.parametrize("L", [1, 2, 3, 8])
def test_evaluate(L, rng):
    for spin in spins(L):
        flm = random_flm(L, rng, spin=spin)
        got = sk.evaluate(flm, THETA, PHI, spin=spin)
        check(got, naive.evaluate(flm, THETA, PHI, spin), complex, spin)
        values = rng.standard_normal(8) + 1j * rng.standard_normal(8)
        got = sk.evaluate_adjoint(values, THETA, PHI, L, spin=spin)
        check(got, naive.evaluate_adjoint(values, THETA, PHI, L, spin), complex, spin)
    flm = random_flm(L, rng, reality=True)
    got = sk.evaluate(flm, THETA, PHI, reality=True)
    check(got, naive.evaluate(flm, THETA, PHI, reality=True), float, "real")
    single = flm.astype(np.complex64)
    got = sk.evaluate(single, THETA, PHI, reality=True)
    check(got, naive.evaluate(single.astype(complex), THETA, PHI).real, np.float32, "float32")


def test_transforms_and_points_agree(rng, transforms):
    """`evaluate` at the nodes of a grid is `inverse` on it."""
    L = 24
    for grid in (MW(L), GL(L), HEALPix(5), UNEVEN):
        theta, phi = grid.theta, grid.phi
        if grid.rectangular:
            theta, phi = (x.ravel() for x in np.meshgrid(theta, phi, indexing="ij"))
        for spin in (0, 2, -23):
            flm = random_flm(L, rng, spin=spin)
            expected = transforms.inverse(flm, L, spin=spin, sampling=grid).ravel()
            check(sk.evaluate(flm, theta, phi, spin=spin), expected, complex, (grid, spin))


def test_degrees_below_the_spin_are_ignored_and_zero(rng, transforms):
    L, spin = 6, -3
    flm = random_flm(L, rng)
    zeroed = flm.copy()
    zeroed[: spin * spin] = 0
    for grid in [*own_grids(L), HEALPix(2)]:
        options = dict(spin=spin, sampling=grid)
        assert np.array_equal(
            transforms.inverse(flm, L, **options), transforms.inverse(zeroed, L, **options)
        )
        assert np.array_equal(
            transforms.forward_adjoint(flm, L, **options),
            transforms.forward_adjoint(zeroed, L, **options),
        )
        f = random_samples(grid, rng)
        assert not transforms.forward(f, L, **options)[:9].any()
        assert not transforms.inverse_adjoint(f, L, **options)[:9].any()


def test_reality_is_the_real_part_of_the_complex_transform(rng, transforms):
    """Adjoints and differentiated calls take coefficients of any symmetry: Re(B f), Re(A^H f)."""
    L = 6
    flm = random_flm(L, rng)
    for grid in [*own_grids(L), HEALPix(2), UNEVEN]:
        got = transforms.forward_adjoint(flm, L, sampling=grid, reality=True)
        check(got, transforms.forward_adjoint(flm, L, sampling=grid).real, float, grid)
        f = rng.standard_normal(grid.shape)
        got = transforms.inverse_adjoint(f, L, sampling=grid, reality=True)
        check(got, transforms.inverse_adjoint(f, L, sampling=grid), complex, grid)
        got = transforms.forward(f, L, sampling=grid, reality=True)
        check(got, transforms.forward(f, L, sampling=grid), complex, grid)
