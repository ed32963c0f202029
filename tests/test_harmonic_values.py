"""Stored values of other codes: ducc0, healpy and mpmath (the .npz hold their making scripts)."""

import naive
import numpy as np
import pytest
import tolerances
from helpers.data import oracle

import spherekit as sk
from spherekit.sampling import HEALPix, Rings, grid

NAMES = ["mw", "mwss", "gl", "dh", "cc", "dhpole"]


def uniform(seed, *shape):
    """Complex numbers of unit variance, components uniform: as in the script of harmonic.npz."""
    raw = np.random.PCG64(seed).random_raw(2 * int(np.prod(shape))).reshape(*shape, 2)
    parts = ((raw >> np.uint64(11)) * 2.0**-52 - 1) * np.sqrt(1.5)
    return parts[..., 0] + 1j * parts[..., 1]


def coefficients(L, spin):
    flm = uniform(1000 * L + spin, L * L)
    flm[: spin * spin] = 0
    return flm


def conjugated(flm, L, spin):
    """Coefficients, of spin -spin, of the complex conjugate signal: (-1)^(s+m) conj f_{l,-m}."""
    ell = np.repeat(np.arange(L), 2 * np.arange(L) + 1)
    m = np.arange(L * L) - ell * ell - ell
    return (-1.0) ** ((spin + m) % 2) * np.conj(flm[ell * ell + ell - m])


def assert_close(got, expected, limit, case):
    error = np.abs(got - expected).max() / np.abs(expected).max()
    assert error <= limit, f"{case}: error {error:.2g} of the largest value, allowed {limit:.2g}"


@pytest.mark.parametrize("L", [32, 101, 256])
@pytest.mark.parametrize("name", NAMES)
def test_inverse(name, L):
    stored = oracle("harmonic")
    index, values = (stored[f"inverse/{name}/{L}/{key}"] for key in ("index", "value"))
    for spin, expected in enumerate(values):
        flm = coefficients(L, spin)
        f = sk.inverse(flm, L, spin=spin, sampling=name)
        assert_close(f.ravel()[index], expected, tolerances.STORED, (name, L, spin))
        if spin == 0 or L == 256 and spin not in (1, 10):
            continue
        f = sk.inverse(conjugated(flm, L, spin), L, spin=-spin, sampling=name)
        assert_close(f.ravel()[index], expected.conj(), tolerances.STORED, (name, L, -spin))


@pytest.mark.parametrize("L", [32, 101, 256])
@pytest.mark.parametrize("name", ["mw", "mwss", "gl"])
def test_forward_of_any_samples(name, L):
    stored = oracle("harmonic")
    index, spins, values = (
        stored[f"forward/{name}/{L}/{key}"] for key in ("index", "spin", "value")
    )
    for spin, expected in zip(spins, values, strict=True):
        f = uniform(7000 * L + spin, *grid(name, L).shape)
        flm = sk.forward(f, L, spin=spin, sampling=name)
        assert_close(flm[index], expected, tolerances.STORED, (name, L, spin))


@pytest.mark.parametrize("L", [32, 101, 256])
@pytest.mark.parametrize("name", NAMES)
def test_real_signals(name, L):
    """The Hermitian part of the stored coefficients has the real part of the stored samples."""
    stored = oracle("harmonic")
    index, values = (stored[f"inverse/{name}/{L}/{key}"] for key in ("index", "value"))
    flm = coefficients(L, 0)
    hermitian = (flm + conjugated(flm, L, 0)) / 2
    f = sk.inverse(hermitian, L, sampling=name, reality=True)
    assert_close(f.ravel()[index], values[0].real, tolerances.STORED, (name, L))


@pytest.mark.parametrize("nside, L", [(1, 3), (3, 9), (5, 16), (8, 24), (64, 128)])
def test_healpix(nside, L):
    stored = oracle("harmonic")
    index, values = (stored[f"healpix/{nside}/{L}/{key}"] for key in ("index", "value"))
    for spin, expected in enumerate(values):
        f = sk.inverse(coefficients(L, spin), L, spin=spin, sampling=HEALPix(nside))
        assert_close(f[index], expected, tolerances.STORED, (nside, L, spin))


def test_rings():
    stored = oracle("harmonic")
    rings = Rings(stored["rings/theta"], stored["rings/n_phi"], stored["rings/phi0"])
    for spin, expected in enumerate(stored["rings/value"]):
        f = sk.inverse(coefficients(40, spin), 40, spin=spin, sampling=rings)
        assert_close(f[::3], expected, tolerances.STORED, spin)


def test_definition_file_is_right():
    """`naive.wigner_d` itself, against mpmath."""
    for ell, m, n, beta, value in oracle("wigner")["small"]:
        assert abs(naive.wigner_d(int(ell), int(m), int(n), beta) - value) <= 2e-16


def at_point(spin, L, theta, phi=0.0):
    """sY_lm(theta, phi) of all (l, m) at once: the adjoint of `evaluate` at one point."""
    return sk.evaluate_adjoint(np.ones(1), [theta], [phi], L, spin=spin).conj()


def on_a_ring(spin, L, theta, phi=0.0):
    """The same through the transform of a grid of one sample."""
    ring = Rings([theta], 1, phi, weights=1.0)
    return sk.inverse_adjoint(np.ones(1), L, spin=spin, sampling=ring).conj()


def assert_points(rows, values, spin, theta):
    """Pointwise, relative to sqrt((2l+1)/4pi), the largest value that sY_lm can have."""
    for row in rows:
        ell, m, expected = int(row[0]), int(row[1]), row[2]
        error = abs(values[ell * ell + ell + m] - expected) / np.sqrt((2 * ell + 1) / (4 * np.pi))
        case = f"spin {spin}, l {ell}, m {m}, theta {theta}"
        assert error <= tolerances.POINT, f"{case}: error {error:.2g}"


@pytest.mark.parametrize("through", [at_point, on_a_ring])
@pytest.mark.parametrize("spin", [0, 1, 2, -2, 10])
def test_near_the_poles_to_degree_2047(spin, through):
    table = oracle("wigner")["pole"]
    for theta in np.unique(table[:, 3]):
        rows = table[(table[:, 0] == spin) & (table[:, 3] == theta)][:, [1, 2, 4]]
        assert_points(rows, through(spin, 2048, theta), spin, theta)


def test_spin_harmonics_anywhere_to_degree_2047():
    for spin, ell, m, theta, phi, re, im in oracle("wigner")["harmonic"]:
        values = at_point(int(spin), int(ell) + 1, theta, phi)
        # m phi itself, at m = 2047, is rounded to 1e-13 or so: the phase is exact only so far.
        limit = tolerances.POINT + abs(m * phi) * np.finfo(float).eps
        scale = np.sqrt((2 * ell + 1) / (4 * np.pi))
        error = abs(values[int(ell * ell + ell + m)] - (re + 1j * im)) / scale
        assert error <= limit, (spin, ell, m, theta, phi, error)


def test_wigner_d_of_any_orders_to_degree_2047():
    """d^l_mn(beta) is a spin harmonic of spin -n; n goes to +-l here, l to 2047."""
    for ell, m, n, beta, value in oracle("wigner")["d"]:
        spin, norm = -int(n), np.sqrt((2 * ell + 1) / (4 * np.pi))
        values = at_point(spin, int(ell) + 1, beta)
        row = (ell, m, (-1) ** (spin % 2) * norm * value)
        assert_points([row], values, spin, beta)


def test_evaluate_sums_these_values():
    """`evaluate` of one coefficient at a time, for a few rows of the tables."""
    for spin, ell, m, theta, value in oracle("wigner")["pole"][::101]:
        flm = np.zeros((int(ell) + 1) ** 2, complex)
        flm[int(ell * ell + ell + m)] = 1
        got = sk.evaluate(flm, [theta], [0.0], spin=int(spin))
        assert_points([(ell, m, value)], {int(ell * ell + ell + m): got[0]}, spin, theta)
