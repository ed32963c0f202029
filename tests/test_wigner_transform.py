"""Wigner transforms: the definition, round trips, other codes' layout, adjoints, refusals."""

import tracemalloc

import naive
import numpy as np
import pytest
import tolerances

from spherekit import wigner
from spherekit.sampling import DH, GL, MW, MWSS, HEALPix, RotationGrid
from spherekit.testing import assert_adjoint, random_flmn

GRIDS = ["mw", "mwss", "dh", "gl", "cc", "dhpole", "healpix:2"]
EXACT = GRIDS[:-1]


def close(got, expected, tolerance):
    scale = np.abs(expected).max()
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("L, N", [(1, 1), (2, 1), (3, 2), (4, 4), (5, 3)])
@pytest.mark.parametrize("reality", [True, False])
@pytest.mark.parametrize("steerable", [True, False])
def test_definition(name, L, N, reality, steerable, rng):
    grid = RotationGrid(L, N, name, steerable)
    how = dict(sampling=name, reality=reality, steerable=steerable)
    flmn = random_flmn(L, N, rng, reality=reality, steerable=steerable)
    f = wigner.inverse(flmn, L, N, **how)
    expected = naive.wigner_inverse(flmn, grid)
    tolerance = tolerances.DEFINITION[np.dtype(float)]
    close(f, expected.real if reality else expected, tolerance)
    if not grid.sphere.name == "healpix":
        close(wigner.forward(f, L, N, **how), flmn, tolerance)


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("reality", [True, False])
def test_forward_of_any_samples(name, reality, rng):
    """Samples of no band-limited signal: the grid's rule is what is defined."""
    L, N = 4, 3
    grid = RotationGrid(L, N, name)
    f = rng.standard_normal(grid.shape) + (0 if reality else 1j * rng.standard_normal(grid.shape))
    got = wigner.forward(f, L, N, sampling=name, reality=reality)
    close(got, naive.wigner_forward(f, grid, L, N), tolerances.DEFINITION[np.dtype(float)])


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("L, N", [(8, 8), (16, 16), (32, 32), (33, 5), (64, 64), (256, 5)])
@pytest.mark.parametrize("reality", [True, False])
def test_round_trip(reality, name, L, N, rng):
    if L >= 64 and name != "mw":
        pytest.skip("large cases on one grid")
    flmn = random_flmn(L, N, rng, reality=reality)
    how = dict(sampling=name, reality=reality)
    back = wigner.forward(wigner.inverse(flmn, L, N, **how), L, N, **how)
    assert np.abs(back - flmn).max() <= tolerances.round_trip(name, L)


@pytest.mark.slow
@pytest.mark.parametrize("L, N", [(512, 9), (1024, 3)])
def test_round_trip_of_high_degrees(L, N, rng):
    flmn = random_flmn(L, N, rng, reality=True)
    back = wigner.forward(wigner.inverse(flmn, L, N, reality=True), L, N, reality=True)
    assert np.abs(back - flmn).max() <= tolerances.round_trip("mw", L)


def test_leading_axes_threads_and_types(rng):
    L, N = 12, 5
    flmn = random_flmn(L, N, rng, reality=True, shape=(2, 3))
    f = wigner.inverse(flmn, L, N, reality=True, threads=1)
    assert f.shape == (2, 3, 9, 12, 23)
    assert (f == wigner.inverse(flmn, L, N, reality=True, threads=3)).all()
    close(f[1, 2], wigner.inverse(flmn[1, 2], L, N, reality=True), tolerances.LAST_PLACES)
    single = wigner.inverse(flmn.astype(np.complex64), L, N, reality=True)
    assert single.dtype == np.float32
    close(single, f, tolerances.by_type(tolerances.DEFINITION, np.float32))
    back = wigner.forward(single, L, N, reality=True)
    assert back.dtype == np.complex64
    close(back, flmn, tolerances.ROUND_TRIP_SINGLE_BATCH)
    assert wigner.inverse(flmn[:0], L, N, reality=True).shape == (0, 3, 9, 12, 23)


@pytest.mark.parametrize("sphere", [MW(6), GL(9), DH(6), MWSS(7), HEALPix(4)], ids=str)
def test_a_finer_grid_is_exact(sphere, rng):
    flmn = random_flmn(5, 3, rng)
    grid = RotationGrid(6 if sphere.L else 5, 4, sphere)
    f = wigner.inverse(flmn, 5, 3, sampling=grid)
    wide = np.zeros((7, 25), complex)
    wide[1:-1] = flmn
    close(f, naive.wigner_inverse(wide, grid), tolerances.IDENTITY)
    if sphere.name != "healpix":
        close(wigner.forward(f, 5, 3, sampling=grid), flmn, tolerances.IDENTITY)


def test_low_degrees_left_out(rng):
    L, N, lower = 8, 3, 4
    flmn = random_flmn(L, N, rng)
    high = flmn.copy()
    high[:, : lower**2] = 0
    f = wigner.inverse(flmn, L, N, L_lower=lower)
    close(f, wigner.inverse(high, L, N), tolerances.SHORT_SUM)
    close(
        wigner.forward(wigner.inverse(flmn, L, N), L, N, L_lower=lower), high, tolerances.IDENTITY
    )


@pytest.mark.parametrize("reality", [True, False])
@pytest.mark.parametrize("name, L, N, steerable", [("mw", 7, 7, False), ("gl", 9, 3, True)])
def test_adjoints(name, L, N, steerable, reality, rng):
    grid = RotationGrid(L, N, name, steerable)
    how = dict(L=L, N=N, sampling=name, reality=reality, steerable=steerable)
    flmn = random_flmn(L, N, rng, reality=reality, steerable=steerable)
    f = rng.standard_normal(grid.shape) + (0 if reality else 1j * rng.standard_normal(grid.shape))
    for there, back, x, y in (
        (wigner.inverse, wigner.inverse_adjoint, flmn, f),
        (wigner.forward, wigner.forward_adjoint, f, flmn),
    ):
        assert_adjoint(
            lambda u, a=there: a(u, **how), lambda v, b=back: b(v, **how), x, y, real=reality
        )


@pytest.mark.parametrize("name", EXACT)
def test_weights_integrate(name, rng):
    """The mean over the group is f_000, on every grid."""
    grid = RotationGrid(6, 3, name)
    flmn = random_flmn(6, 3, rng)
    f = wigner.inverse(flmn, 6, 3, sampling=name)
    assert abs((grid.weights * f).sum() - flmn[2, 0]) < tolerances.IDENTITY


@pytest.mark.parametrize("L, N", [(4, 2), (7, 7)])
def test_sample_counts(L, N):
    """McEwen et al. 2015: (2N-1)((L-1)(2L-1)+1) samples on MW, and 2L(L-1)+2 for each gamma on MWSS."""
    assert RotationGrid(L, N, "mw").n_samples == (2 * N - 1) * ((L - 1) * (2 * L - 1) + 1)
    assert RotationGrid(L, N, "mwss").n_samples == (2 * N - 1) * (2 * L * (L - 1) + 2)
    assert RotationGrid(L, N, "mw", True).shape == (N, L, 2 * L - 1)


@pytest.mark.parametrize(
    "words, call",
    [
        ("N is 5", lambda flmn, f: wigner.inverse(flmn, 4, 5)),
        ("N is 0", lambda flmn, f: wigner.inverse(flmn, 4, 0)),
        ("L is 0", lambda flmn, f: wigner.inverse(flmn, 0, 1)),
        ("need .*3, 16", lambda flmn, f: wigner.inverse(flmn[0], 4, 2)),
        ("3, 16", lambda flmn, f: wigner.inverse(flmn[:, :-1], 4, 2)),
        ("3, 4, 7", lambda flmn, f: wigner.forward(f[:2], 4, 2)),
        ("symmetry", lambda flmn, f: wigner.inverse(flmn, 4, 2, reality=True)),
        ("n = 1, -1", lambda flmn, f: wigner.inverse(flmn, 4, 2, steerable=True)),
        ("L_lower", lambda flmn, f: wigner.inverse(flmn, 4, 2, L_lower=4)),
        ("at least as fine", lambda flmn, f: wigner.inverse(flmn, 4, 2, sampling=MW(3))),
        ("NaN", lambda flmn, f: wigner.inverse(np.where(flmn == flmn[1, 3], np.nan, flmn), 4, 2)),
        ("NaN", lambda flmn, f: wigner.forward(np.where(f == f[0, 0, 0], np.nan, f), 4, 2)),
        (
            "grid at least as fine",
            lambda flmn, f: wigner.inverse(flmn, 4, 2, sampling=RotationGrid(4, 1)),
        ),
    ],
)
def test_refusals(words, call, rng):
    flmn = random_flmn(4, 2, rng)
    f = wigner.inverse(flmn, 4, 2)
    with pytest.raises(ValueError, match=words):
        call(flmn, f)


def test_types_that_are_refused(rng):
    flmn = random_flmn(4, 2, rng)
    f = wigner.inverse(flmn, 4, 2)
    with pytest.raises(TypeError, match="N is 1.5"):
        wigner.inverse(flmn, 4, 1.5)
    with pytest.raises(TypeError, match="complex"):
        wigner.forward(f, 4, 2, reality=True)


def test_input_is_untouched(rng):
    flmn = random_flmn(5, 3, rng, reality=True)
    kept = flmn.copy()
    f = wigner.inverse(flmn, 5, 3, reality=True)
    samples = f.copy()
    wigner.forward(f, 5, 3, reality=True)
    assert (flmn == kept).all() and (f == samples).all()


def test_memory_is_bounded():
    """Complex signals at N = L = 64: under three times the output, once the tables are made."""
    flmn = random_flmn(64, 64, np.random.default_rng(1))
    output = wigner.inverse(flmn, 64, 64).nbytes
    tracemalloc.start()
    try:
        wigner.inverse(flmn, 64, 64)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * output
    assert wigner.estimate_memory(64, 64) < 4 * output  # tables included
