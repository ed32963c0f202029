"""Mode-coupling matrices against explicit sums over 3j symbols."""

import itertools

import naive
import numpy as np
import pytest
from helpers.data import oracle
from tolerances import IDENTITY

from spherekit.spectra import coupling_matrix
from spherekit.spectra.coupling_sums import coupling_sums

L = 12


@pytest.mark.parametrize("spin", [0, 1, 2, 3, 5, 11])
@pytest.mark.parametrize("spin2", [0, 1, 2, 4, 11])
def test_the_sums_are_those_over_3j_symbols(spin, spin2, rng):
    power = rng.standard_normal(2 * L - 3) / np.arange(1, 2 * L - 2) ** 2
    sums = coupling_sums(power, L, spin, spin2)
    expected = naive.coupling_sums(power, L, spin, spin2)
    np.testing.assert_allclose(sums, expected, rtol=0, atol=IDENTITY * np.abs(expected).max())
    np.testing.assert_array_equal(sums, sums.transpose(0, 2, 1))


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
