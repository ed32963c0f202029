"""Identities that hold whatever the implementation: adjoints, Parseval, bits; and memory.

Round trips stand in test_harmonic_accuracy.py.
"""

import tracemalloc

import numpy as np
import pytest
import tolerances

import spherekit as sk
from spherekit.sampling import CC, DH, GL, MW, MWSS, DHPole, HEALPix, Rings
from spherekit.testing import assert_adjoint, random_flm

KINDS = [MW, MWSS, DH, DHPole, GL, CC]
UNEVEN = Rings([0.0, 0.3, 1.1, 1.5, 2.9, np.pi], [1, 4, 7, 12, 3, 2], [0, 0.1, 0.2, -0.3, 1, 0.4])


def samples_of(grid, rng, reality, dtype=np.float64):
    f = rng.standard_normal(grid.shape)
    if not reality:
        f = f + 1j * rng.standard_normal(grid.shape)
    return f.astype(dtype if reality else np.result_type(dtype, np.complex64))


def adjoint_grids(L):
    return [
        *(kind(L) for kind in KINDS),
        CC(L, n_theta=L + 1),
        CC(L + 2, n_theta=L + 5),
        DH(L, n_theta=L),
        *(kind(L, phi0=2.1 / L) for kind in KINDS),
        DH(L + 1, n_theta=L + 2, phi0=0.1 / L),
        MW(L + 1),
        MWSS(L, n_phi=2 * L + 5),
        GL(L + 2, n_phi=3 * L + 7),
        HEALPix(1),
        HEALPix(3),
        HEALPix(4, weights="equal"),
        HEALPix(5),
        UNEVEN,
        Rings([0.4], 3),
    ]


def assert_adjoints(grid, L, rng, spin, reality, dtype=np.float64):
    """Of the public functions. With ``reality`` the coefficients that `inverse` sees must be
    Hermitian, so that the rest of its domain is left to the test of the registry."""
    kind = np.result_type(dtype, np.complex64)
    options = dict(spin=spin, sampling=grid, reality=reality)
    limit = tolerances.by_type(tolerances.ADJOINT, dtype)
    f, flm = samples_of(grid, rng, reality, dtype), random_flm(L, rng, spin=spin, dtype=kind)
    assert_adjoint(
        lambda x: sk.forward(x, L, **options),
        lambda y: sk.forward_adjoint(y, L, **options),
        f,
        flm,
        limit,
        real=reality,
    )
    flm = random_flm(L, rng, spin=spin, reality=reality, dtype=kind)
    assert_adjoint(
        lambda x: sk.inverse(x, L, **options),
        lambda y: sk.inverse_adjoint(y, L, **options),
        flm,
        f,
        limit,
        real=reality,
    )


@pytest.mark.parametrize("L", [1, 2, 9, 24])
def test_adjoints(L, rng):
    for grid in adjoint_grids(L):
        assert_adjoints(grid, L, rng, 0, True)
        for spin in dict.fromkeys((0, 1, -1, 2, -3, L - 1, 1 - L)):
            if abs(spin) < L:
                assert_adjoints(grid, L, rng, spin, False)


@pytest.mark.parametrize("kind", KINDS)
def test_adjoints_of_single_precision(kind, rng):
    assert_adjoints(kind(24), 24, rng, 0, True, np.float32)
    assert_adjoints(kind(24), 24, rng, 2, False, np.float32)


@pytest.mark.parametrize("L", [129, 256])
@pytest.mark.parametrize("make", [*KINDS, lambda L: HEALPix(64)])
def test_adjoints_at_larger_size(make, L, rng):
    assert_adjoints(make(L), L, rng, 0, True)
    assert_adjoints(make(L), L, rng, -2, False)


@pytest.mark.parametrize("spin", [0, 1, -5])
@pytest.mark.parametrize("kind", KINDS)
def test_parseval(kind, spin, rng):
    """The quadrature of |f|^2, exact on a grid of 2L-1, is the sum of |flm|^2."""
    L = 33
    flm = random_flm(L, rng, spin=spin)
    grid = kind(2 * L - 1)
    f = sk.inverse(flm, L, spin=spin, sampling=grid)
    norm = np.sum(grid.weights * np.abs(f) ** 2)
    assert abs(norm / np.sum(np.abs(flm) ** 2) - 1) <= tolerances.IDENTITY


@pytest.mark.parametrize("spin", [0, 1, 2, 7, 19])
def test_conjugate_signals(spin, rng):
    """conj of a signal of spin s is of spin -s, with (-1)^(s+m) conj f_{l,-m}."""
    L = 20
    ell = np.repeat(np.arange(L), 2 * np.arange(L) + 1)
    m = np.arange(L * L) - ell * ell - ell
    flm = random_flm(L, rng, spin=spin)
    other = (-1.0) ** ((spin + m) % 2) * np.conj(flm[ell * ell + ell - m])
    for grid in [*(kind(L) for kind in KINDS), HEALPix(6), UNEVEN]:
        f = sk.inverse(flm, L, spin=spin, sampling=grid)
        g = sk.inverse(other, L, spin=-spin, sampling=grid)
        assert np.abs(g - f.conj()).max() <= tolerances.IDENTITY * np.abs(f).max()


@pytest.mark.parametrize("kind", KINDS)
def test_turn_about_the_axis(kind, rng):
    """Turning a signal by alpha about z multiplies f_lm by e^{-i m alpha}."""
    L = 16
    ell = np.repeat(np.arange(L), 2 * np.arange(L) + 1)
    m = np.arange(L * L) - ell * ell - ell
    grid = kind(L)
    step = 2 * np.pi / grid.shape[1]
    flm = random_flm(L, rng, spin=2)
    turned = sk.inverse(flm * np.exp(-3j * m * step), L, spin=2, sampling=grid)
    f = sk.inverse(flm, L, spin=2, sampling=grid)
    assert np.abs(turned - np.roll(f, 3, -1)).max() <= tolerances.IDENTITY * np.abs(f).max()


@pytest.mark.parametrize("L", [2, 3, 10])
def test_constant_and_dipole(L):
    """1 = sqrt(4pi) Y_00 and cos(theta) = sqrt(4pi/3) Y_10, whatever the grid."""
    for grid in (*(kind(L) for kind in KINDS), HEALPix(4)):
        theta = grid.theta[:, None] if grid.rectangular else grid.theta
        one, dipole = np.ones(grid.shape), np.broadcast_to(np.cos(theta), grid.shape)
        for f, index, value in ((one, 0, np.sqrt(4 * np.pi)), (dipole, 2, None)):
            flm = sk.forward(f, L, sampling=grid, reality=True)
            expected = np.sqrt(4 * np.pi / 3) if value is None else value
            if grid.rectangular or index == 0:
                assert abs(flm[index] - expected) <= tolerances.SHORT_SUM * expected
            if grid.rectangular:
                flm[index] = 0
                assert np.abs(flm).max() <= tolerances.SHORT_SUM


# --- bits -----------------------------------------------------------------------------------------


def every_transform(L, grid, spin, reality, rng, shape=()):
    """(function of an array, its array) for the four transforms and the two of points."""
    flm = random_flm(L, rng, spin=spin, reality=reality, shape=shape)
    f = rng.standard_normal((*shape, *grid.shape))
    values = rng.standard_normal((*shape, 11))
    if not reality:
        f = f + 1j * rng.standard_normal(f.shape)
        values = values + 1j * rng.standard_normal(values.shape)
    theta, phi = np.linspace(0, np.pi, 11), np.linspace(0, 6, 11)
    on_grid = dict(spin=spin, sampling=grid, reality=reality)
    points = dict(spin=spin, reality=reality)
    return [
        (lambda x, **k: sk.inverse(x, L, **on_grid, **k), flm),
        (lambda x, **k: sk.forward(x, L, **on_grid, **k), f),
        (lambda x, **k: sk.inverse_adjoint(x, L, **on_grid, **k), f),
        (lambda x, **k: sk.forward_adjoint(x, L, **on_grid, **k), flm),
        (lambda x, **k: sk.evaluate(x, theta, phi, **points, **k), flm),
        (lambda x, **k: sk.evaluate_adjoint(x, theta, phi, L, **points, **k), values),
    ]


@pytest.mark.parametrize("L", [1, 2, 5, 40])
def test_leading_axes_give_each_map_its_own_bits(L, rng):
    for grid in [*(kind(L) for kind in KINDS), CC(L + 1, n_theta=L + 3), HEALPix(3), UNEVEN]:
        for spin, reality in ((0, True), (0, False), (1 - L, False)):
            for transform, x in every_transform(L, grid, spin, reality, rng, shape=(2, 3)):
                together = transform(x)
                assert together.shape[:2] == (2, 3)
                for i in np.ndindex(2, 3):
                    assert np.array_equal(together[i], transform(x[i])), (grid, spin, reality)


@pytest.mark.parametrize("grid", [MW(5), GL(5), HEALPix(2)])
def test_no_map_at_all(grid, rng):
    """A leading axis of length 0 gives one of length 0."""
    for transform, x in every_transform(5, grid, 0, False, rng, shape=(2,)):
        assert transform(x[:0]).shape == (0, *transform(x).shape[1:])


@pytest.mark.parametrize("L", [2, 40, 150])
def test_threads_change_no_bit(L, rng):
    for grid in [*(kind(L) for kind in KINDS), HEALPix(16), UNEVEN]:
        for spin, reality in ((0, True), (0, False), (1, False)):
            for transform, x in every_transform(L, grid, spin, reality, rng):
                one = transform(x, threads=1)
                for threads in (2, 3):
                    assert np.array_equal(one, transform(x, threads=threads)), (grid, spin)
                assert np.array_equal(one, transform(x)), (grid, spin)


# --- memory ---------------------------------------------------------------------------------------


def test_estimate_grows_with_the_work():
    small = sk.estimate_memory(256)  # of smaller ones the tables are the larger part
    assert small >= 256 * 511 * 16
    assert sk.estimate_memory(512) > 2 * small
    assert sk.estimate_memory(256, batch=10) > small
    assert sk.estimate_memory(256, reality=True) < small
    assert sk.estimate_memory(64, sampling="healpix:64") > 12 * 64**2 * 8
    # O(L^2): no tables of L^3.
    assert sk.estimate_memory(4096, reality=True) < 100 * 4096**2 * 8


@pytest.mark.parametrize("grid", [MW(256), GL(256), DH(256), HEALPix(128)], ids=lambda g: g.name)
def test_the_estimate_is_kept(grid, rng):
    """What NumPy allocates inside one call, beside its input, stays within the estimate."""
    worst = {}
    for spin, reality in ((0, True), (0, False), (2, False)):
        estimate = sk.estimate_memory(256, sampling=grid, spin=spin, reality=reality)
        for number, (transform, x) in enumerate(every_transform(256, grid, spin, reality, rng)[:4]):
            transform(x, threads=1)
            tracemalloc.start()
            transform(x, threads=1)
            worst[spin, reality, number] = tracemalloc.get_traced_memory()[1] / estimate
            tracemalloc.stop()
    assert max(worst.values()) <= 1, worst


def test_a_job_too_large_is_refused_with_the_number(monkeypatch, rng):
    flm = random_flm(64, rng)
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e5")
    with pytest.raises(MemoryError, match=r"L=64 needs about [0-9.e-]+ GB.*SPHEREKIT_MAX_MEMORY"):
        sk.inverse(flm, 64)
    with pytest.raises(MemoryError, match="SPHEREKIT_MAX_MEMORY"):
        sk.forward(np.zeros((64, 127)), 64)
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e9")
    assert sk.inverse(flm, 64).shape == (64, 127)
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "lots")
    with pytest.raises(ValueError, match="SPHEREKIT_MAX_MEMORY is 'lots'"):
        sk.inverse(flm, 64)


def test_points_too_many_are_refused_with_the_number(monkeypatch, rng):
    flm, theta = random_flm(64, rng), np.linspace(0, 3, 9999)
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e5")
    with pytest.raises(MemoryError, match="SPHEREKIT_MAX_MEMORY"):
        sk.evaluate(flm, theta, np.zeros(9999))
    with pytest.raises(MemoryError, match="SPHEREKIT_MAX_MEMORY"):
        sk.evaluate_adjoint(np.zeros(9999), theta, np.zeros(9999), 64)
