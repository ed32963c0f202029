"""How exact the transforms are: round trips of coefficients of unit variance, by size and type.

Values against other codes stand in test_harmonic_values.py; the bounds in tolerances.py.
"""

import numpy as np
import pytest
import tolerances

import spherekit as sk
from spherekit.sampling import CC, DH, GL, MW, MWSS, DHPole
from spherekit.testing import random_flm

KINDS = [MW, MWSS, DH, DHPole, GL, CC]
CASES = [(0, True), (0, False), (2, False), (-7, False)]  # (spin, reality)


def errors(grid, L, rng, spin=0, reality=False, dtype=np.complex128):
    """Coefficients of unit variance, and the moduli of what a round trip changes in them."""
    flm = random_flm(L, rng, spin=spin, reality=reality, dtype=dtype)
    options = dict(spin=spin, sampling=grid, reality=reality)
    back = sk.forward(sk.inverse(flm, L, **options), L, **options)
    assert back.dtype == dtype and np.isfinite(back).all()
    return flm, np.abs(back - flm)


def assert_round_trip(grid, L, rng, spin=0, reality=False):
    error = errors(grid, L, rng, spin, reality)[1].max()
    limit = tolerances.round_trip(grid.name, L)
    assert error <= limit, f"{grid}, spin {spin}, reality {reality}: {error:.2g} > {limit:.2g}"


def assert_single(grid, L, rng, spin, reality):
    """Relative to the largest coefficient; the mean error a tenth where all is rounding."""
    flm, error = errors(grid, L, rng, spin, reality, np.complex64)
    relative = error.max() / np.abs(flm).max()
    limit = tolerances.ROUND_TRIP_SINGLE
    assert relative <= limit, f"{grid}, spin {spin}, reality {reality}: {relative:.2g}"
    assert np.sqrt(np.mean(error**2)) <= limit / 10


# --- double precision -----------------------------------------------------------------------------


@pytest.mark.parametrize("L", [1, 2, 3, 16, 17, 32, 63, 64, 100, 127, 128, 256])
@pytest.mark.parametrize("kind", KINDS)
def test_round_trip(kind, L, rng):
    for spin, reality in CASES:
        if abs(spin) < L:
            assert_round_trip(kind(L), L, rng, spin, reality)


@pytest.mark.parametrize("L", [2, 5, 16, 33, 128])
def test_round_trip_on_other_sizes(L, rng):
    """Finer in theta, finer in phi, and Clenshaw-Curtis grids that need the theta theorem."""
    grids = [CC(L, n_theta=L + 1), CC(L, n_theta=L + L // 2 + 1), CC(L, n_theta=2 * L)]
    grids += [DH(L, n_theta=n, phi0=0.9 / L) for n in (L, L + L // 2, 2 * L - 2)]
    grids += [kind(L + 3) for kind in KINDS]
    grids += [kind(L, n_phi=2 * L + 7) for kind in KINDS]
    for grid in grids:
        assert_round_trip(grid, L, rng, reality=True)
        assert_round_trip(grid, L, rng, spin=L // 2)


@pytest.mark.parametrize("spin", range(-15, 16))
@pytest.mark.parametrize("kind", KINDS)
def test_every_spin_is_as_good_as_spin_0(kind, spin):
    """By the bound of spin 0, and beside the mean error of spin 0 itself."""
    L = 128
    _, own = errors(kind(L), L, np.random.default_rng(spin + 99), spin)
    _, zero = errors(kind(L), L, np.random.default_rng(0))
    assert own.max() <= tolerances.round_trip(kind.name, L)
    own, zero = (np.sqrt(np.mean(x**2)) for x in (own[spin * spin :], zero))
    assert own <= tolerances.SPIN_TO_SPIN * zero, f"{kind.name}: {own:.2g} against {zero:.2g}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("L", [2, 3, 16, 33, 128, 256])
def test_the_largest_spins(kind, L, rng):
    """|s| = L-1 has one degree; the spins below it have few."""
    for spin in dict.fromkeys((L - 1, 1 - L, L - 2)):
        assert_round_trip(kind(L), L, rng, spin=spin)


@pytest.mark.slow
@pytest.mark.parametrize("L", [512, 1024])
@pytest.mark.parametrize("kind", KINDS)
def test_round_trip_large(kind, L, rng):
    assert_round_trip(kind(L), L, rng, reality=True)
    assert_round_trip(kind(L), L, rng, spin=2)


@pytest.mark.slow
@pytest.mark.parametrize("L", [2048, 4096])
def test_round_trip_very_large(L, rng):
    """The functions go far below the smallest float64 here: finite, and at rounding error."""
    assert_round_trip(MW(L), L, rng, reality=True)
    assert_round_trip(GL(L, n_phi=2 * L), L, rng, reality=True)


# --- single precision -----------------------------------------------------------------------------


@pytest.mark.parametrize("L", [16, 33, 64, 128, 256])
@pytest.mark.parametrize("kind", KINDS)
def test_round_trip_single_precision(kind, L, rng):
    for spin, reality in CASES:
        assert_single(kind(L), L, rng, spin, reality)
        assert_single(kind(L, phi0=0.9 / L), L, rng, spin, reality)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_round_trip_single_precision_large(kind, rng):
    for spin, reality in CASES:
        assert_single(kind(512), 512, rng, spin, reality)
