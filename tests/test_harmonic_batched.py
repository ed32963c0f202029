"""Many real signals at once go as lanes: the same numbers as one signal by itself, and as the definition."""

import numpy as np
import pytest
from tolerances import IDENTITY, ROUND_TRIP_SINGLE_BATCH

import spherekit as sk
from spherekit import wigner
from spherekit.harmonic.engines import batched
from spherekit.sampling import GL, RotationGrid, grid
from spherekit.testing import random_flm, random_flmn

MAPS = 19  # a whole bundle and the rest of one


def sphere_maps(L, kind, rng):
    flm = random_flm(L, rng, reality=True, shape=(MAPS,), dtype=kind)
    assert batched.worthwhile(grid("gl", L), L, 1, 1, True, MAPS)
    return flm


def near(a, b, kind):
    """Two ways of rounding: float64 beside float64, and sums in float32 beside those in float64."""
    single = kind in (np.complex64, np.float32)
    tolerance = ROUND_TRIP_SINGLE_BATCH if single else IDENTITY
    assert a.dtype == b.dtype
    assert np.abs(a - b).max() <= tolerance * max(1e-30, np.abs(b).max())


@pytest.mark.parametrize("kind", [np.complex64, np.complex128])
@pytest.mark.parametrize("name", ["gl", "mw", "mwss", "dh", "cc"])
@pytest.mark.parametrize("L, finer", [(1, 0), (2, 1), (5, 0), (9, 3), (12, 28)])
def test_maps_of_the_sphere_as_one_by_one(name, L, finer, kind, rng):
    some, flm = grid(name, L + finer), sphere_maps(L, kind, rng)
    how = dict(sampling=some, reality=True)
    f = sk.inverse(flm, L, **how)
    near(f, np.stack([sk.inverse(x, L, **how) for x in flm]), kind)
    noise = rng.standard_normal(f.shape).astype(f.dtype)
    for back in (sk.forward, sk.inverse_adjoint):
        near(back(noise, L, **how), np.stack([back(x, L, **how) for x in noise]), kind)
    spectrum = (flm + 1j * flm[::-1]).astype(
        kind
    )  # of no real signal: the part that counts is taken
    one_by_one = np.stack([sk.forward_adjoint(x, L, **how) for x in spectrum])
    near(sk.forward_adjoint(spectrum, L, **how), one_by_one, kind)


@pytest.mark.parametrize("kind", [np.complex64, np.complex128])
@pytest.mark.parametrize("L, N, finer", [(1, 1, 0), (3, 2, 1), (5, 5, 0), (6, 1, 0), (6, 3, 2)])
def test_signals_on_the_group_as_one_by_one(L, N, finer, kind, rng):
    some = RotationGrid(L + finer, N + finer, GL(L + finer).quick())
    assert batched.worthwhile(some.sphere, L, N, some.n_gamma, True, MAPS)
    flmn = random_flmn(L, N, rng, reality=True, shape=(MAPS,), dtype=kind)
    how = dict(sampling=some, reality=True)
    f = wigner.inverse(flmn, L, N, **how)
    near(f, np.stack([wigner.inverse(x, L, N, **how) for x in flmn]), kind)
    noise = rng.standard_normal(f.shape).astype(f.dtype)
    for back in (wigner.forward, wigner.inverse_adjoint):
        near(back(noise, L, N, **how), np.stack([back(x, L, N, **how) for x in noise]), kind)
    there = wigner.forward_adjoint
    near(there(flmn, L, N, **how), np.stack([there(x, L, N, **how) for x in flmn]), kind)


def test_threads_and_neighbours_change_no_bit(rng):
    flm = random_flm(8, rng, reality=True, shape=(50,))
    f = sk.inverse(flm, 8, reality=True, threads=1)
    assert np.array_equal(f, sk.inverse(flm, 8, reality=True, threads=2))
    assert np.array_equal(f[7:30], sk.inverse(flm[7:30], 8, reality=True, threads=1))
    assert np.array_equal(
        sk.forward(f, 8, reality=True, threads=1)[20:], sk.forward(f[20:], 8, reality=True)
    )


def test_what_is_refused_alone_is_refused_among_many(rng):
    flm = random_flm(5, rng, reality=True, shape=(MAPS,))
    broken = flm.copy()
    broken[17, 4] += 1
    with pytest.raises(ValueError, match="break the symmetry"):
        sk.inverse(broken, 5, reality=True)
    for value in (np.nan, np.inf, 1j * np.nan):
        broken = flm.copy()
        broken[18, 7] = value
        with pytest.raises(ValueError, match="NaN or infinite"):
            sk.inverse(broken, 5, reality=True)
    f = sk.inverse(flm, 5, reality=True)
    for value, said in ((np.nan, "NaN"), (np.inf, "inf"), (-1.6375e30, "UNSEEN")):
        for kind in (np.float32, np.float64):
            broken = f.astype(kind)
            broken[3, 4, 8] = value
            with pytest.raises(ValueError, match=said):
                sk.forward(broken, 5, reality=True)
    group = random_flmn(4, 2, rng, reality=True, shape=(MAPS,))
    group[2, 0, 9] += 1
    with pytest.raises(ValueError, match="break the symmetry"):
        wigner.inverse(group, 4, 2, reality=True)
