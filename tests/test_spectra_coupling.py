"""Mode-coupling matrices against explicit sums over 3j symbols."""

import naive
import numpy as np
import pytest
from tolerances import IDENTITY

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
