"""Transforms by stored tables: batches of any size, both types, against the recursion."""

import numpy as np
import pytest
import tolerances

import spherekit as sk
from spherekit.harmonic.dispatch import Problem
from spherekit.harmonic.engines import precomputed
from spherekit.harmonic.plan import synthesis_plan
from spherekit.sampling import CC, DH, GL, MW, MWSS, HEALPix
from spherekit.testing import random_flm

GRIDS = [GL, MW, MWSS, DH, CC]


def problem(grid, L, maps):
    return Problem(grid, L, 0, True, 1, synthesis_plan, True, maps)


def close(got, expected):
    scale = np.abs(expected).max()
    return np.abs(got - expected).max() <= tolerances.DEFINITION[np.dtype(float)] * scale


@pytest.mark.parametrize("kind", GRIDS)
@pytest.mark.parametrize(("L", "spin"), [(9, 0), (16, 0), (33, 0), (9, 3), (24, -2)])
def test_tables_and_recursion_agree(kind, L, spin, rng):
    grid, reality = kind(L), spin == 0 and L != 16
    options = dict(spin=spin, sampling=grid, reality=reality)
    flm = random_flm(L, rng, spin=spin, reality=reality, shape=(3,))
    f = sk.inverse(flm, L, **options)
    calls = [(sk.inverse, flm), (sk.forward, f)]
    calls += [(sk.harmonic.inverse_adjoint, f), (sk.harmonic.forward_adjoint, flm)]
    for call, x in calls:
        by_tables = call(x, L, engine="precomputed", **options)
        assert close(by_tables, call(x, L, engine="recursion", **options)), call.__name__


@pytest.mark.parametrize("spin", [0, 1])
@pytest.mark.parametrize("dtype", [complex, np.complex64])
def test_maps_of_a_batch_do_not_feel_each_other(spin, dtype, rng):
    """Any number of maps, in any chunks and threads: each map's bits are its own."""
    L, reality = 20, spin == 0
    how = dict(spin=spin, sampling="gl", reality=reality)
    flm = random_flm(L, rng, spin=spin, reality=reality, shape=(601,)).astype(dtype)
    f = sk.inverse(flm, L, threads=1, **how)
    assert np.array_equal(sk.inverse(flm, L, threads=3, **how), f)
    assert np.array_equal(sk.inverse(flm[7:20], L, **how), f[7:20])
    back = sk.forward(f, L, threads=1, **how)
    assert np.array_equal(sk.forward(f, L, threads=2, **how), back)
    assert np.array_equal(sk.forward(f[5:14], L, **how), back[5:14])


@pytest.mark.parametrize("kind", [GL, MW])
@pytest.mark.parametrize(("L", "spin"), [(16, 0), (64, 0), (128, 0), (32, 2)])
def test_single_precision_batches(kind, L, spin, rng):
    reality = spin == 0
    how = dict(spin=spin, sampling=kind(L), reality=reality)
    flm = random_flm(L, rng, spin=spin, reality=reality, shape=(precomputed.BATCH_MAPS,))
    flm = flm.astype(np.complex64)
    f = sk.inverse(flm, L, **how)
    back = sk.forward(f, L, **how)
    assert f.dtype == (np.float32 if reality else np.complex64) and back.dtype == np.complex64
    error = np.abs(back - flm).max() / np.abs(flm).max()
    assert error <= tolerances.ROUND_TRIP_SINGLE_BATCH


def test_large_tables_are_not_stored():
    assert precomputed.is_usable_for(problem(GL(64), 64, 1))
    assert not precomputed.is_usable_for(problem(GL(128), 128, 1))
    assert precomputed.is_usable_for(problem(GL(128), 128, 64))
    assert not precomputed.is_usable_for(problem(GL(512), 512, 64))
    assert not precomputed.is_usable_for(problem(HEALPix(8), 16, 64))
    assert precomputed.table_bytes(MW(64), 64, 0) == 64 * 65 // 2 * 64 * 8


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_bad_numbers_in_a_batch_are_refused(bad, rng):
    flm = random_flm(12, rng, reality=True, shape=(16,))
    flm[11, 30] = bad
    with pytest.raises(ValueError, match="NaN or infinite"):
        sk.inverse(flm, 12, sampling="gl", reality=True)
    f = np.ones((16, 12, 23), np.float32)
    f[3, 4, 5] = bad
    with pytest.raises(ValueError, match="1 samples are NaN or infinite"):
        sk.forward(f, 12, sampling="gl", reality=True)


def test_hermitian_symmetry_of_a_batch_is_checked(rng):
    flm = random_flm(12, rng, reality=True, shape=(16,)).astype(np.complex64)
    flm[2, 7] += 1
    with pytest.raises(ValueError, match="symmetry"):
        sk.inverse(flm, 12, sampling="gl", reality=True)


@pytest.mark.parametrize(("L", "spin"), [(96, 2), (128, 0)])
def test_float32_tables_have_no_subnormal_numbers(L, spin):
    """Nor numbers whose products with ordinary ones are: they slow a transform down severalfold."""
    values = precomputed.tables(GL(L), L, spin, synthesis_plan, True, True).values
    magnitudes = np.abs(values[values != 0])
    assert values.dtype == np.float32 and magnitudes.min() >= 2.0**-100


def test_small_values_of_float32_tables_are_zero():
    values = np.array([1.0, -0.5, 2.0**-99, 2.0**-101, -1e-40, 0.0])
    single = precomputed.zero_negligible(values.astype(np.float32))
    assert single.tolist() == [1.0, -0.5, 2.0**-99, 0.0, 0.0, 0.0]
    assert precomputed.zero_negligible(values.copy()).tolist() == values.tolist()
