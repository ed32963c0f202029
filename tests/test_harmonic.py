"""Transforms against the definitions, and the identities they obey."""

import autograd.numpy as anp
import naive
import numpy as np
import pytest
from autograd import grad
from autograd.test_util import check_grads

import spherekit as sk
from spherekit.linear import registry
from spherekit.sampling import CC, DH, GL, MW, MWSS, DHPole, HEALPix, Rings
from spherekit.testing import assert_adjoint, random_flm

UNEVEN = Rings([0.0, 0.3, 1.1, 1.5, 2.9], [1, 4, 7, 5, 3], [0.0, 0.1, 0.2, -0.3, 1.0])


def grids(L):
    """Every kind of grid at band-limit L, some finer than L."""
    exact = [MW(L), MWSS(L), DH(L), DHPole(L), GL(L), CC(L), CC(L, n_theta=L + 1)]
    return [*exact, MW(L + 2), GL(L + 1, n_phi=3 * L + 4), MWSS(L, n_phi=2 * L + 3)]


def transforms():
    """The registered pairs (inverse, its adjoint) and (forward, its adjoint)."""
    named = {pair.name: pair for pair in registry()}
    return named["harmonic.inverse"], named["harmonic.forward"]


def spins(L):
    return [s for s in (0, 1, 2, -3, L - 1) if abs(s) < L]


@pytest.mark.parametrize("L", [1, 2, 5, 6])
def test_definitions(L, rng=np.random.default_rng(0)):
    for grid in [*grids(L), HEALPix(2), HEALPix(3, weights="equal"), UNEVEN]:
        for spin in spins(L):
            flm = random_flm(L, rng, spin=spin)
            f = sk.inverse(flm, L, spin=spin, sampling=grid)
            expected = naive.inverse(flm, grid, spin)
            np.testing.assert_allclose(f, expected, rtol=0, atol=1e-13 * np.abs(expected).max())
            if grid.period is not None and grid.L != L:
                continue
            f = rng.standard_normal(grid.shape) + 1j * rng.standard_normal(grid.shape)
            expected = naive.forward(f, grid, L, spin)
            tolerance = 1e-13 * np.abs(f).max() * 4 * np.pi
            got = sk.forward(f, L, spin=spin, sampling=grid)
            np.testing.assert_allclose(
                got, expected, rtol=0, atol=tolerance, err_msg=f"{grid} {spin}"
            )


@pytest.mark.parametrize("reality", [True, False])
def test_adjoints(reality, rng=np.random.default_rng(5)):
    L = 7
    for grid in [*grids(L), HEALPix(3), UNEVEN]:
        for spin in [0] if reality else spins(L):
            flm = random_flm(L, rng, spin=spin)
            f = rng.standard_normal(grid.shape)
            if not reality:
                f = f + 1j * rng.standard_normal(grid.shape)
            flags = dict(L=L, spin=spin, grid=grid, reality=reality, threads=1)
            for pair, x, y in zip(transforms(), (flm, f), (f, flm), strict=True):
                forward, adjoint = (
                    lambda u, p=p: p(u, **flags) for p in (pair.forward, pair.adjoint)
                )
                assert_adjoint(forward, adjoint, x, y, real=reality)


@pytest.mark.parametrize("reality", [True, False])
def test_gradients(reality, rng=np.random.default_rng(6)):
    L = 3
    for grid in (MW(L), MWSS(L), GL(L), HEALPix(1)):
        for spin in [0] if reality else [0, 2]:
            flm, f = random_flm(L, rng, spin=spin), rng.standard_normal(grid.shape)
            if not reality:
                f = f + 1j * rng.standard_normal(grid.shape)
            flags = dict(L=L, spin=spin, grid=grid, reality=reality, threads=1)
            for pair, x, y in zip(transforms(), (flm, f), (f, flm), strict=True):
                for op, u in ((pair.forward, x), (pair.adjoint, y)):
                    check_grads(lambda v, op=op: op(v, **flags), modes=["fwd", "rev"], order=2)(u)


def test_public_inverse_is_differentiable(rng=np.random.default_rng(10)):
    L = 4
    flm = random_flm(L, rng, reality=True)
    slope = grad(lambda u: anp.sum(sk.inverse(u, L, reality=True) ** 2))(flm)
    f = sk.inverse(flm, L, reality=True)
    expected = 2 * sk.inverse_adjoint(f, L, reality=True).conj()
    np.testing.assert_allclose(slope, expected, rtol=0, atol=1e-12)


def test_leading_axes_and_threads_change_no_bit(rng=np.random.default_rng(7)):
    L = 130
    for spin, reality in ((0, True), (0, False), (2, False)):
        flm = random_flm(L, rng, spin=spin, reality=reality, shape=(2, 2))
        for grid in (MW(L), GL(L)):
            options = dict(spin=spin, reality=reality, sampling=grid)
            f = sk.inverse(flm, L, threads=1, **options)
            assert np.array_equal(f, sk.inverse(flm, L, threads=2, **options))
            assert np.array_equal(f[1, 0], sk.inverse(flm[1, 0], L, threads=1, **options))
            back = sk.forward(f, L, threads=1, **options)
            assert np.array_equal(back, sk.forward(f, L, threads=2, **options))
            assert np.array_equal(back[0, 1], sk.forward(f[0, 1], L, threads=1, **options))


def test_layouts_of_input(rng=np.random.default_rng(8)):
    L = 6
    f = rng.integers(-9, 9, (2, L, 2 * L - 1))
    expected = sk.forward(f.astype(float), L, reality=True)
    big = f.astype(">f8")
    strided = np.repeat(f.astype(float), 2, axis=-1)[..., ::2]
    frozen = f.astype(float)
    frozen.flags.writeable = False
    for other in (f, big, strided, frozen, np.asfortranarray(f.astype(float)), f.tolist()):
        kept = np.array(other)
        assert np.array_equal(sk.forward(other, L, reality=True), expected)
        assert np.array_equal(np.array(other), kept)


def test_bad_input():
    L = 4
    f, flm = np.zeros((L, 2 * L - 1)), np.zeros(L * L, complex)
    cases = [
        (ValueError, r"needs \(\.\.\., 4, 7\)", lambda: sk.forward(f[:, :-1], L)),
        (ValueError, "from_healpy", lambda: sk.inverse(np.zeros(10, complex), L)),
        (ValueError, "from_s2fft", lambda: sk.inverse(np.zeros((4, 7), complex), L)),
        (TypeError, "reality=True", lambda: sk.forward(f + 0j, L, reality=True)),
        (ValueError, "symmetry", lambda: sk.inverse(flm + 1j, L, reality=True)),
        (ValueError, "L is 0", lambda: sk.forward(f, 0)),
        (ValueError, r"L > \|spin\|", lambda: sk.forward(f, L, spin=4)),
        (ValueError, "complex", lambda: sk.forward(f, L, spin=1, reality=True)),
        (ValueError, "known are mw", lambda: sk.forward(f, L, sampling="mv")),
        (ValueError, "at least as fine", lambda: sk.forward(f, L, sampling="mw:3")),
        (TypeError, "float16", lambda: sk.forward(f.astype(np.float16), L)),
        (ValueError, "threads", lambda: sk.forward(f, L, threads=0)),
        (ValueError, "coefficients of 16 are NaN", lambda: sk.inverse(flm + np.nan, L)),
    ]
    for error, message, call in cases:
        with pytest.raises(error, match=message):
            call()
    pixels = np.zeros(48)
    pixels[5], pixels[7] = np.nan, -1.6375e30
    with pytest.raises(ValueError, match="1 samples are NaN or infinite and 1 are UNSEEN.*mask"):
        sk.forward(pixels, L, sampling="healpix:2")


def test_memory_is_refused_with_the_number(monkeypatch):
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e5")
    with pytest.raises(MemoryError, match="SPHEREKIT_MAX_MEMORY"):
        sk.inverse(np.zeros(64 * 64, complex), 64)
