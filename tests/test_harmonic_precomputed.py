"""Transforms by stored tables: batches of any size, both types, against the recursion."""

import numpy as np
import pytest
import tolerances

import spherekit as sk
from spherekit.harmonic.engines import precomputed
from spherekit.sampling import CC, DH, GL, MW, MWSS, HEALPix
from spherekit.testing import random_flm

GRIDS = [GL, MW, MWSS, DH, CC]


def close(got, expected):
    scale = np.abs(expected).max()
    return np.abs(got - expected).max() <= tolerances.DEFINITION[np.dtype(float)] * scale


@pytest.mark.parametrize("kind", GRIDS)
@pytest.mark.parametrize(("L", "spin"), [(9, 0), (16, 0), (33, 0), (9, 3), (24, -2)])
def test_tables_and_recursion_agree(kind, L, spin, rng, monkeypatch):
    grid, reality = kind(L), spin == 0 and L != 16
    how = dict(spin=spin, sampling=grid, reality=reality)
    assert precomputed.worthwhile(grid, L, spin, 1)
    flm = random_flm(L, rng, spin=spin, reality=reality, shape=(3,))
    f = sk.inverse(flm, L, **how)
    calls = [(sk.inverse, flm), (sk.forward, f)]
    calls += [(sk.harmonic.inverse_adjoint, f), (sk.harmonic.forward_adjoint, flm)]
    by_tables = [call(x, L, **how) for call, x in calls]
    monkeypatch.setattr(precomputed, "worthwhile", lambda *case: False)
    for (call, x), got in zip(calls, by_tables, strict=True):
        assert close(got, call(x, L, **how)), call.__name__


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
    assert precomputed.worthwhile(GL(64), 64, 0, 1)
    assert not precomputed.worthwhile(GL(128), 128, 0, 1)
    assert precomputed.worthwhile(GL(128), 128, 0, 64)
    assert not precomputed.worthwhile(GL(512), 512, 0, 64)
    assert not precomputed.worthwhile(HEALPix(8), 16, 0, 64)
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
