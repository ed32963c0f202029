"""Arguments of `master` and of the functions of spectra beside it: couplings, grids, names of spectra."""

from dataclasses import replace

import numpy as np
import pytest

from spherekit.sampling import HEALPix
from spherekit.spectra import (
    Bins,
    Coupling,
    deprojection_bias,
    gaussian_covariance,
    masked_field,
    master,
)

L = 16
GRID = HEALPix(8)
BINS = Bins.linear(L, 7)
F, Q, U = np.random.default_rng(0).standard_normal((3, GRID.theta.size))
CAP = GRID.theta < 1.5
T = masked_field(F, L, CAP, sampling=GRID)
P = masked_field(Q + 1j * U, L, CAP, spin=2, sampling=GRID)


def test_couplings_of_the_same_masks():
    expected = master([T, P], bins=BINS)
    pairs = {(0, 0): (T, T), (0, 1): (T, P), (1, 1): (P, P)}
    couplings = {key: Coupling.of(*pair) for key, pair in pairs.items()}
    for given in (couplings, {(0, 1): couplings[0, 1]}, {}):
        result = master([T, P], bins=BINS, couplings=given)
        for name, values in expected.values.items():
            assert np.array_equal(result.values[name], values)
    single = master(T, bins=BINS, couplings=couplings[0, 0])
    assert np.array_equal(single.values["TT"], expected.values["TT"])
    A = masked_field(F, L, CAP, sampling=GRID, names=("A",))
    renamed = master(A, bins=BINS, couplings=couplings[0, 0])
    assert list(renamed.values) == ["AA"] and list(renamed.windows["AA"]) == ["AA"]


def refused_couplings():
    of_T, of_P = Coupling.of(T), Coupling.of(P)
    beam = masked_field(F, L, CAP, sampling=GRID, beam=np.full(L, 0.5))
    pure = masked_field(Q + 1j * U, L, CAP, spin=2, sampling=GRID, purify="B")
    south = masked_field(F, L, ~CAP, sampling=GRID)
    shorter = masked_field(F, L - 1, CAP, sampling=GRID)
    return [
        (T, {(0, 0): of_P}, ValueError, r"has spins = \(2, 2\), the fields \(0, 0\)"),
        (P, {(0, 0): Coupling.of(pure)}, ValueError, r"couplings\[\(0, 0\)\] has pure = "),
        (T, {(0, 0): Coupling.of(beam)}, ValueError, "another beam"),
        (T, {(0, 0): Coupling.of(shorter)}, ValueError, "has L = 15, the fields 16"),
        (T, {(0, 0): Coupling.of(south)}, ValueError, "that of other masks"),
        (T, {(0, 1): of_T}, ValueError, r"the key \(0, 1\); expected .* \(0, 0\)"),
        ([T, P], {(1, 0): of_T}, ValueError, r"the key \(1, 0\)"),
        ([T, P], of_T, ValueError, "one coupling, the fields have 3 pairs"),
        (T, [of_T], TypeError, "couplings is list"),
        (T, {(0, 0): of_T.matrix()}, TypeError, r"couplings\[\(0, 0\)\] is ndarray"),
    ]


@pytest.mark.parametrize("fields, couplings, error, words", refused_couplings())
def test_couplings_of_other_fields(fields, couplings, error, words):
    with pytest.raises(error, match=words):
        master(fields, bins=BINS, couplings=couplings)


def test_fields_on_two_grids():
    finer = HEALPix(16)
    P = masked_field(np.ones(3072) + 0j, L, spin=2, sampling=finer)
    for arguments in (([T, P],), (T, P)):
        with pytest.raises(ValueError, match=r"nside=16.* and .*nside=8.*; expected one grid"):
            master(*arguments, bins=BINS)


def functions_of_spectra():
    result = master(P, bins=BINS)
    return {
        "expected": result.expected,
        "gaussian_covariance": lambda cl: gaussian_covariance(P, cl=cl, bins=BINS),
        "deprojection_bias": lambda cl: deprojection_bias(P, cl=cl, templates=[F + 0j]),
    }


@pytest.mark.parametrize("name", functions_of_spectra())
def test_names_of_spectra(name):
    function = functions_of_spectra()[name]
    cl = np.ones(L)
    for names in (["ee"], ["EE", "bb"], ["EE", "E"], ["EE", "EX"], ["TT"], [("E", "E")]):
        with pytest.raises(ValueError, match="the pairs of signals are EE, EB, BE, BB"):
            function(dict.fromkeys(names, cl))
    with pytest.raises(TypeError, match="cl is ndarray; expected a dict"):
        function(cl)
    function({"EE": cl, "BB": cl, "TT": cl, "TE": cl})  # of T, E and B all may be passed


def test_signals_of_other_names():
    A = masked_field(F, L, CAP, sampling=GRID, names=("A",))
    with pytest.raises(ValueError, match="cl has the spectra TT; the pairs of signals are AA"):
        gaussian_covariance(A, cl={"TT": np.ones(L)}, bins=BINS)


@pytest.mark.parametrize(
    "cl, words",
    [
        ({"EE": -np.ones(L)}, "the spectrum EE contains negative"),
        ({"EE": np.ones(L), "EB": np.full(L, 0.1)}, "cl has EB, but not BB"),
        ({"EE": np.ones(L), "BB": np.ones(L), "EB": np.full(L, 1.1)}, "C_l of EB is 1.1 at l = 0"),
    ],
)
def test_spectra_of_no_signal_have_no_covariance(cl, words):
    with pytest.raises(ValueError, match=words):
        gaussian_covariance(P, cl=cl, bins=BINS)


def test_couplings_are_compared_by_value():
    coupling = replace(Coupling.of(T), mask_power=Coupling.of(T).mask_power.copy())
    assert np.array_equal(
        master(T, bins=BINS, couplings=coupling).values["TT"], master(T, bins=BINS).values["TT"]
    )
