"""Analysis by iteration: exact where it can be, honest about the residual where it cannot."""

import numpy as np
import pytest

import spherekit as sk
from spherekit.harmonic import synthesis_operator
from spherekit.sampling import HEALPix, Rings
from spherekit.testing import assert_adjoint, random_flm


@pytest.mark.parametrize("method", ["lsq", "jacobi"])
def test_healpix_is_recovered(method, rng=np.random.default_rng(0)):
    L, grid = 12, HEALPix(8)
    for spin, reality in ((0, True), (0, False), (2, False), (-1, False)):
        flm = random_flm(L, rng, spin=spin, reality=reality)
        f = sk.inverse(flm, L, spin=spin, sampling=grid, reality=reality)
        options = dict(spin=spin, sampling=grid, reality=reality, method=method, tol=1e-12)
        back, residual = sk.analyse(f, L, **options)
        assert np.abs(back - flm).max() < 1e-9
        assert residual.converged and residual.relative < 1e-9


def test_mask_hides_bad_pixels(rng=np.random.default_rng(1)):
    L, grid = 8, HEALPix(8)
    flm = random_flm(L, rng, reality=True)
    f = sk.inverse(flm, L, sampling=grid, reality=True)
    mask = grid.theta > 0.6
    f[~mask] = np.nan
    f[0] = -1.6375e30
    with pytest.raises(ValueError, match="mask"):
        sk.analyse(f, L, sampling=grid, reality=True)
    back, residual = sk.analyse(f, L, sampling=grid, reality=True, mask=mask, tol=1e-13)
    assert np.abs(back - flm).max() < 1e-7
    assert residual.relative < 1e-9
    with pytest.raises(ValueError, match="lsq"):
        sk.analyse(f, L, sampling=grid, reality=True, mask=mask, method="jacobi")
    with pytest.raises(ValueError, match="shape"):
        sk.analyse(f, L, sampling=grid, reality=True, mask=mask[:-1])


def test_too_high_a_band_limit_warns(rng=np.random.default_rng(2)):
    with pytest.warns(UserWarning, match="3 nside"):
        sk.analyse(rng.standard_normal(48), 8, sampling="healpix:2", reality=True, max_iter=3)


def test_operator_is_the_adjoint_of_itself(rng=np.random.default_rng(3)):
    rings = Rings([0.2, 1.0, 1.9, 2.8], [5, 9, 9, 4])
    for reality in (True, False):
        A = synthesis_operator(5, sampling=rings, reality=reality, mask=np.arange(27) % 4 > 0)
        x, y = (rng.standard_normal(n) + (0 if reality else 1j) for n in A.shape[::-1])
        assert_adjoint(A.matvec, A.rmatvec, x, y)


@pytest.mark.parametrize("method", ["lsq", "jacobi"])
def test_progress_is_told_at_each_iteration(method, rng):
    grid, told = HEALPix(4), []
    f = rng.standard_normal(grid.shape)
    how = dict(sampling=grid, reality=True, method=method)
    _, residual = sk.analyse(f, 6, progress=told.append, **how)
    assert told and told == list(range(1, len(told) + 1))
    assert len(told) <= residual.iterations + 1


def test_an_analysis_too_large_is_refused_with_the_number(monkeypatch, rng):
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e4")
    with pytest.raises(MemoryError, match="analysing a map at L=6 needs about"):
        sk.analyse(rng.standard_normal(192), 6, sampling="healpix:4", reality=True)
