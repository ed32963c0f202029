"""Pseudo-spectra, bandpowers and their windows against stored values of NaMaster (pymaster 3.0.1).

The maps, masks and bins are stored with the values; both codes weight all pixels equally.
"""

import numpy as np
import pytest
from helpers.data import oracle
from tolerances import NAMASTER as TOLERANCE

from spherekit.sampling import HEALPix
from spherekit.spectra import Bins, Coupling, Mask, masked_field, master, pseudo_power

L = 48
GRID = HEALPix(16, weights="equal")
STORED = oracle("namaster")
#: First field, second field, numbers of iterations.
PAIRS = [name.split("_")[2:] for name in STORED if name.startswith("iter0_pseudo")]
PAIRS = [pair for pair in PAIRS if not any(name.endswith("d") for name in pair)]


def fields(iterations):
    T, Q, U = STORED["maps"] / 256.0
    options = dict(sampling=GRID)
    mask = Mask(STORED["apodized_C1"], L, iterations=iterations, **options)
    mask2 = Mask(STORED["apodized_mask2"], L, iterations=iterations, **options)
    P = Q + 1j * U
    return {
        "T": masked_field(T, L, mask, **options),
        "P": masked_field(P, L, mask, spin=2, **options),
        "B": masked_field(P, L, mask, spin=2, purify="B", **options),
        "EB": masked_field(P, L, mask, spin=2, purify="EB", **options),
        "T2": masked_field(T, L, mask2, **options),
        "P2": masked_field(P, L, mask2, spin=2, beam=STORED["beam"], **options),
    }


@pytest.fixture(scope="module", params=[0, 3])
def iterated(request):
    return request.param, fields(request.param)


def close(values, expected):
    np.testing.assert_allclose(values, expected, rtol=0, atol=TOLERANCE * np.abs(expected).max())


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_spectra(iterated, pair):
    iterations, by_name = iterated
    a, b = (by_name[name] for name in pair)
    name = "_".join(pair)
    pseudo = pseudo_power(a, b)
    close(pseudo, STORED[f"iter{iterations}_pseudo_{name}"])
    first, last = STORED["bins_edges"].T
    bins = Bins(first, last + 1, L)
    np.testing.assert_allclose(bins.ell, STORED["bins_ell"])
    coupling = Coupling.of(a, b)
    close(coupling.decouple(pseudo, bins), STORED[f"iter{iterations}_decoupled_{name}"])
    if f"windows_{name}" in STORED and iterations == 3:
        expected = STORED[f"windows_{name}"]
        windows = coupling.windows(bins)
        if len(expected) < len(windows):  # of EE and BB
            windows = windows[np.ix_([0, 3], [0, 3])]
        close(windows.transpose(0, 2, 1, 3), expected)


def test_the_cross_of_two_masks(iterated):
    iterations, by_name = iterated
    expected = STORED[f"iter{iterations}_mask_power_cross"]
    power = by_name["T"].mask.power(by_name["T2"].mask)
    close(power, expected)
    close(by_name["T"].mask.power(), STORED[f"iter{iterations}_mask_power"])


def test_all_spectra_in_one_call(iterated):
    iterations, by_name = iterated
    first, last = STORED["bins_edges"].T
    result = master([by_name["T"], by_name["P"]], bins=Bins(first, last + 1, L))
    expected = STORED[f"iter{iterations}_decoupled_P_P"]
    for i, name in enumerate(("EE", "EB", None, "BB")):
        if name:
            close(result.values[name], expected[i])
