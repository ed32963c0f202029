"""Many real signals at once go as lanes: the same numbers as one signal by itself, and as the definition."""

import numpy as np
import pytest
from tolerances import IDENTITY, ROUND_TRIP_SINGLE_BATCH

import spherekit as sk
from spherekit import wigner
from spherekit.sampling import GL, MW, RotationGrid, grid
from spherekit.testing import random_flm, random_flmn

MAPS = 19  # a whole bundle and the rest of one


def near(a, b, kind):
    """Two ways of rounding: float64 beside float64, and sums in float32 beside those in float64."""
    single = kind in (np.complex64, np.float32)
    tolerance = ROUND_TRIP_SINGLE_BATCH if single else IDENTITY
    assert a.dtype == b.dtype
    assert np.abs(a - b).max() <= tolerance * max(1e-30, np.abs(b).max())


@pytest.mark.parametrize("kind", [np.complex64, np.complex128])
@pytest.mark.parametrize("name", ["gl", "mw", "mwss", "dh", "cc", "dh,n_theta={L},phi0=half"])
@pytest.mark.parametrize("L, finer", [(1, 0), (2, 1), (5, 0), (9, 3), (12, 28)])
def test_maps_of_the_sphere_as_one_by_one(name, L, finer, kind, rng):
    flm = random_flm(L, rng, reality=True, shape=(MAPS,), dtype=kind)
    options = dict(sampling=grid(name.format(L=L + finer), L + finer), reality=True)
    f = sk.inverse(flm, L, engine="batched", **options)
    near(f, np.stack([sk.inverse(x, L, **options) for x in flm]), kind)
    noise = rng.standard_normal(f.shape).astype(f.dtype)
    for analysis in (sk.forward, sk.inverse_adjoint):
        expected = np.stack([analysis(x, L, **options) for x in noise])
        near(analysis(noise, L, engine="batched", **options), expected, kind)
    spectrum = (flm + 1j * flm[::-1]).astype(
        kind
    )  # of no real signal: the part that counts is taken
    one_by_one = np.stack([sk.forward_adjoint(x, L, **options) for x in spectrum])
    near(sk.forward_adjoint(spectrum, L, engine="batched", **options), one_by_one, kind)


@pytest.mark.parametrize("kind", [np.complex64, np.complex128])
@pytest.mark.parametrize("L, N, finer", [(1, 1, 0), (3, 2, 1), (5, 5, 0), (6, 1, 0), (6, 3, 2)])
def test_signals_on_the_group_as_one_by_one(L, N, finer, kind, rng):
    flmn = random_flmn(L, N, rng, reality=True, shape=(MAPS,), dtype=kind)
    sampling = RotationGrid(L + finer, N + finer, GL(L + finer).quick())
    options = dict(sampling=sampling, reality=True)
    noise = rng.standard_normal((MAPS, *sampling.shape)).astype(flmn.real.dtype)
    for transform, x in (
        (wigner.inverse, flmn),
        (wigner.forward, noise),
        (wigner.inverse_adjoint, noise),
        (wigner.forward_adjoint, flmn),
    ):
        expected = np.stack([transform(signal, L, N, **options) for signal in x])
        near(transform(x, L, N, engine="batched", **options), expected, kind)


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


def message(transform, x, *limits, engine, **options):
    with pytest.raises(ValueError) as refusal:
        transform(x, *limits, engine=engine, threads=1, **options)
    return str(refusal.value)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("maps", [MAPS, 900])  # more than a chunk of the other engines
def test_refusals_are_those_of_the_other_engines(maps, kind, rng):
    L, N, options = 16, 4, dict(sampling=MW(16), reality=True)
    flm = random_flm(L, rng, reality=True, shape=(maps,), dtype=np.result_type(kind, np.complex64))
    f = sk.inverse(flm, L, **options)
    flmn = random_flmn(N, N, rng, reality=True, shape=(maps,), dtype=flm.dtype)
    group = wigner.inverse(flmn, N, N, reality=True)
    for value in (np.nan, -np.inf, -1.6375e30):
        for x in (flm, f, flmn, group):
            x[-7, ..., -1] = x[3, ..., 0] = value
        for transform, x in (
            (sk.inverse, flm),
            (sk.forward, f),
            (sk.inverse_adjoint, f),
        ):
            texts = [
                message(transform, x, L, engine=name, **options)
                for name in ("batched", "precomputed")
            ]
            assert texts[0] == texts[1]
        for transform, x in (
            (wigner.inverse, flmn),
            (wigner.forward, group),
            (wigner.inverse_adjoint, group),
        ):
            texts = [
                message(transform, x, N, N, engine=name, reality=True)
                for name in ("batched", "precomputed")
            ]
            assert texts[0] == texts[1]


def test_large_samples_are_legal(rng):
    """Ring sums beyond 1e15 are looked at, and the samples found good: gradients may be that large."""
    f = 1e16 * rng.random((MAPS, 9, 17))
    options = dict(sampling=MW(9), reality=True)
    for analysis in (sk.forward, sk.inverse_adjoint):
        expected = analysis(f, 9, engine="recursion", **options)
        near(analysis(f, 9, engine="batched", **options), expected, f.dtype)
