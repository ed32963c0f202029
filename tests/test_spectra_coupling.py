"""Mode-coupling matrices against explicit sums over 3j symbols, and against NaMaster."""

import itertools

import naive
import numpy as np
import pytest
from helpers.data import oracle
from tolerances import CHAIN, IDENTITY, LAST_PLACES, SHORT_SUM

from spherekit.spectra import Bins, coupling_matrix
from spherekit.spectra.coupling_sums import coupling_sums
from spherekit.wigner import wigner_3j

L = 12


def mask_power(L, rng):
    """A steep spectrum with scatter."""
    return rng.uniform(0.5, 1.5, L) / np.arange(1, L + 1) ** 3


@pytest.mark.parametrize("spin", [0, 1, 2, 3, 5, 11])
@pytest.mark.parametrize("spin2", [0, 1, 2, 4, 11])
def test_the_sums_are_those_over_3j_symbols(spin, spin2, rng):
    power = rng.standard_normal(2 * L - 3) / np.arange(1, 2 * L - 2) ** 2
    sums = coupling_sums(power, L, spin, spin2)
    expected = naive.coupling_sums(power, L, spin, spin2)
    np.testing.assert_allclose(sums, expected, rtol=0, atol=IDENTITY * np.abs(expected).max())
    np.testing.assert_array_equal(sums, sums.transpose(0, 2, 1))


@pytest.mark.parametrize("spins", [(30, 30), (30, 0), (100, 2), (200, 199)])
@pytest.mark.parametrize("degree", [0, 1, 2, 30])
def test_high_spins(spins, degree):
    """With one degree of the mask there is one product of 3j symbols, at most 1/sqrt((2l+1)(2l'+1))."""
    lowest = max(spins)
    L = lowest + 30
    sums = coupling_sums(np.eye(degree + 1)[degree] * 4 * np.pi, L, *spins)
    for a, b in itertools.product((lowest, lowest + 3, L - 1), repeat=2):
        symbols = [naive.three_j(a, b, degree, spin, -spin) for spin in spins]
        expected = (-1) ** sum(spins) * (2 * degree + 1) * np.prod(symbols)
        assert abs(sums[(a + b + degree) % 2, a, b] - expected) <= SHORT_SUM


@pytest.mark.parametrize("spins", [(0, 0), (0, 2), (2, 2)])
def test_sums_with_steep_spectra(spins, rng):
    """Values far from the diagonal have a small relative error: mean spectra at L = 200."""
    L = 200
    power, ell = mask_power(2 * L, rng), np.arange(L)
    cl = np.where(ell > 1, np.exp(-((ell / 60.0) ** 2)) / np.maximum(ell, 1) ** 2, 0)
    M = coupling_matrix(power, L, *spins)[0, 0]
    for row in (2, 9, 80, 199):
        expected, smallest = 0.0, 0.0
        for b in range(2, L):
            degrees = range(abs(row - b), row + b + 1)
            even = [c for c in degrees if (row + b + c) % 2 == 0 and c < len(power)]
            terms = [
                (2 * c + 1)
                * power[c]
                * np.prod([wigner_3j(row, b, c, spin, -spin, 0) for spin in spins])
                for c in even
            ]
            value = (2 * b + 1) / (4 * np.pi) * sum(terms)
            smallest = max(smallest, abs(M[row, b] / value - 1)) if spins == (0, 0) else 0
            expected += value * cl[b]
        assert abs(M[row] @ cl / expected - 1) <= CHAIN
        assert smallest <= CHAIN


@pytest.mark.parametrize("spin", [0, 1, 2, 7])
def test_a_mask_at_one_point(spin):
    """With W_l = 4 pi all values of K^+ + K^- are 1, the sum of the squares of the 3j symbols."""
    L = 700
    sums = coupling_sums(np.full(2 * L - 1, 4 * np.pi), L, spin, spin).sum(axis=0)
    assert np.abs(sums[spin:, spin:] - 1).max() <= CHAIN


def test_the_full_sky_is_not_coupled():
    for spin, spin2 in ((0, 0), (2, 0), (1, 2), (2, 2), (3, 3)):
        M = coupling_matrix([4 * np.pi], L, spin, spin2)
        identity = np.einsum(
            "ij,ab->ijab", np.eye(len(M)), np.diag(np.arange(L) >= max(spin, spin2))
        )
        np.testing.assert_allclose(M, identity, rtol=0, atol=SHORT_SUM)


def test_blocks_of_two_spin_fields(rng):
    power = mask_power(2 * L, rng)
    even, odd = coupling_sums(power, L, 1, 2) * (2 * np.arange(L) + 1)
    M = coupling_matrix(power, L, 1, 2)
    zero = np.zeros((L, L))
    blocks = [[even, zero, zero, odd], [zero, even, -odd, zero]]
    blocks += [[zero, -odd, even, zero], [odd, zero, zero, even]]
    np.testing.assert_allclose(M, np.array(blocks), rtol=LAST_PLACES, atol=0)


@pytest.mark.parametrize("pure", [(False, True), (True, False), (True, True)])
@pytest.mark.parametrize("spin", [1, 2])
def test_pure_signals(pure, spin, rng):
    """A pure signal has the 3j symbols of spin 0, times N_l/N_l', and receives nothing from the other one."""
    power = mask_power(2 * L, rng)
    M = coupling_matrix(power, L, spin, pure=pure).reshape(2, 2, 2, 2, L, L)
    T = coupling_matrix(power, L, 0, spin, pure2=pure)
    ell = np.arange(L)
    norm = np.prod([np.maximum(ell + k, 1.0) for k in range(1 - spin, spin + 1)], axis=0) ** -0.5
    norm[:spin] = 0
    ratio = norm[:, None] / np.where(norm > 0, norm, np.inf)
    for a, b in itertools.product(range(2), repeat=2):
        spins = [0 if pure[x] else spin for x in (a, b)]
        even = coupling_sums(power, L, *spins)[0] * (2 * ell + 1) * ratio ** (pure[a] + pure[b])
        np.testing.assert_allclose(M[a, b, a, b], even, rtol=SHORT_SUM, atol=0)
        assert M[a, b, 1 - a, 1 - b].any() == (not pure[a] and not pure[b])
        assert not M[a, b, 1 - a, b].any() and not M[a, b, a, 1 - b].any()
    for x in range(2):
        even = coupling_sums(power, L, 0, 0 if pure[x] else spin)[0] * (2 * ell + 1)
        np.testing.assert_allclose(T[x, x], even * ratio ** pure[x], rtol=SHORT_SUM, atol=0)
    assert not T[0, 1].any() and not T[1, 0].any()


@pytest.mark.parametrize("spins", [(0, 0), (0, 2), (2, 2)])
@pytest.mark.parametrize("pure", [(False, False), (False, True)])
def test_binned_rows(spins, pure, rng):
    power, bins = mask_power(2 * L, rng), Bins.linear(L, 3)
    options = dict(pure=pure, pure2=pure)
    rows = coupling_matrix(power, L, *spins, **options, bins=bins.matrix())
    expected = bins.matrix() @ coupling_matrix(power, L, *spins, **options)
    np.testing.assert_allclose(rows, expected, rtol=SHORT_SUM, atol=SHORT_SUM)
    np.testing.assert_array_equal(
        rows, coupling_matrix(power, L, *spins, **options, bins=bins, threads=2)
    )


@pytest.mark.parametrize("L", [1, 2, 3, 16, 33, 150])
def test_results_do_not_depend_on_threads(L, rng):
    for spins in ((0, 0), (min(2, L - 1), min(2, L - 1))):
        matrices = [coupling_matrix(mask_power(2 * L, rng.spawn(1)[0]), L, *spins)]
        power = mask_power(2 * L, rng)
        matrices = [coupling_matrix(power, L, *spins, threads=threads) for threads in (1, 2, 5)]
        np.testing.assert_array_equal(matrices[0], matrices[1])
        np.testing.assert_array_equal(matrices[0], matrices[2])


@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**-61, 2.0**900])
def test_the_scale_of_a_mask(scale, rng):
    power = mask_power(2 * L, rng)
    for spin in (0, 2):
        M = coupling_matrix(power, L, spin)
        np.testing.assert_array_equal(coupling_matrix(power * scale, L, spin), M * scale)


def test_degrees_of_the_mask_that_do_not_matter(rng):
    power = mask_power(5 * L, rng)
    M = coupling_matrix(power, L, 2)
    np.testing.assert_array_equal(M, coupling_matrix(power[: 2 * L - 1], L, 2))
    np.testing.assert_array_equal(
        coupling_matrix(power[:5], L, 2), coupling_matrix([*power[:5], 0, 0], L, 2)
    )
    before = power.copy()
    power.flags.writeable = False
    coupling_matrix(power.astype(">f8"), L)
    np.testing.assert_array_equal(power, before)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (([1.0, np.nan], L), {}, ValueError, "nan at l = 1"),
        (([1.0, np.inf], L), {}, ValueError, "inf at l = 1"),
        ((np.zeros(5), L), {}, ValueError, "zero at all degrees up to 4"),
        ((np.eye(30)[25], L), {}, ValueError, "zero at all degrees up to 22"),
        (([], L), {}, ValueError, "shape"),
        ((np.ones((2, 5)), L), {}, ValueError, "one axis"),
        ((np.ones(5) + 1j, L), {}, TypeError, "real numbers"),
        ((np.ones(5), 0), {}, ValueError, "L is 0"),
        ((np.ones(5), L, L), {}, ValueError, f"less than L = {L}"),
        ((np.ones(5), L, 0, -2), {}, ValueError, "spin2 is -2"),
        ((np.ones(5), 500, 201), {}, ValueError, "at most 200"),
        ((np.ones(5), L, 2), {"pure": (True,)}, ValueError, "two booleans"),
        ((np.ones(5), L), {"bins": np.ones((2, 5))}, ValueError, r"\(n_bins, 12\)"),
        ((np.ones(5), L), {"bins": np.full((2, L), np.nan)}, ValueError, "NaN"),
        ((np.ones(5), 10**5, 2), {}, MemoryError, "lower L, or pass bins"),
    ],
)
def test_wrong_arguments_are_refused(arguments, options, error, message):
    with pytest.raises(error, match=message):
        coupling_matrix(*arguments, **options)


#: Values of NaMaster 3.0.1: HEALPix maps and masks of nside 16, their spectra and coupling matrices, of which
#: every 4th row is stored.
NAMASTER = oracle("namaster")

#: Fields of the stored values: their spins, signals and which of them are pure.
FIELDS = {
    "T": (0, "T", (False, False)),
    "P": (2, "EB", (False, False)),
    "B": (2, "EB", (False, True)),
    "T2": (0, "T", (False, False)),
    "P2": (2, "EB", (False, False)),
}


@pytest.mark.parametrize("name", [name for name in NAMASTER if name.startswith("matrix")])
def test_coupling_matrices_are_those_of_namaster(name):
    _, first, second, row, column = name.split("_")
    (spin, signals, pure), (spin2, signals2, pure2) = FIELDS[first], FIELDS[second]
    pairs = [a + b for a, b in itertools.product(signals, signals2)]
    power = NAMASTER["iter3_mask_power" + ("_cross" if second.endswith("2") else "")]
    expected = NAMASTER[name]
    M = coupling_matrix(power, expected.shape[1], spin, spin2, pure=pure, pure2=pure2)
    rows = M[pairs.index(row), pairs.index(column), ::4]
    largest = np.abs(expected).max(axis=1)
    exists = largest > 0
    errors = np.abs(rows - expected).max(axis=1)
    assert (errors[exists] <= IDENTITY * largest[exists]).all() and not rows[~exists].any()
