"""Wavelets: the tiling, exactness, the definition by rotated filters, adjoints, gradients, refusals."""

import autograd.numpy as anp
import numpy as np
import pytest
from tolerances import CHAIN, IDENTITY, LAST_PLACES, SHORT_SUM

import spherekit as sk
from spherekit import wigner
from spherekit.conventions import degrees
from spherekit.sampling import GL, HEALPix
from spherekit.testing import assert_adjoint, assert_gradient, random_flm
from spherekit.wavelets import Wavelets, tiling


@pytest.mark.parametrize("lam", [1.2, 1.5, 2, 2.5, 3])
@pytest.mark.parametrize("L", [1, 2, 8, 64, 333, 2048])
def test_admissibility(L, lam):
    """4 pi/(2l+1) |Phi_l0|^2 + 8 pi^2/(2l+1) sum_jn |Psi^j_ln|^2 = 1, finite at any degree."""
    for J0 in (0, 1, 2):
        for N in (1, 2, 5):
            if N > L or J0 > tiling.highest_scale(L, lam) or (L == 2048 and N == 5):
                continue
            w = Wavelets(L, lam, J0, N)
            ell = np.arange(L)
            total = 4 * np.pi / (2 * ell + 1) * w.scaling_filter**2
            for psi in w.filters.values():
                total = total + 8 * np.pi**2 / (2 * ell + 1) * (np.abs(psi) ** 2).sum(axis=0)
            assert np.abs(total - 1).max() < SHORT_SUM


@pytest.mark.parametrize("lam", [1.3, 2.0, 3.0])
def test_the_kernel_is_its_integral(lam):
    from scipy.integrate import quad

    def integrand(t):
        u = 2 * lam / (lam - 1) * (t - 1 / lam) - 1
        return np.exp(-2 / (1 - u * u)) / t if abs(u) < 1 else 0.0

    total = quad(integrand, 1 / lam, 1, epsabs=0, epsrel=1e-12)[0]
    for t in np.linspace(1 / lam, 1, 9)[1:-1]:
        above, below = tiling.kernel(t, lam)
        expected = quad(integrand, t, 1, epsabs=0, epsrel=1e-12)[0] / total
        # Two quadratures, each to 1e-12.
        assert abs(above - expected) < 1e-11 and abs(above + below - 1) < LAST_PLACES


def test_scales_are_those_with_a_degree():
    w = Wavelets(16, 1.2)
    assert len(w.scales) < tiling.highest_scale(16, 1.2) + 1
    for j in w.scales:
        inside = [ell for ell in range(16) if 1.2 ** (j - 1) < ell < 1.2 ** (j + 1)]
        assert inside and w.grids[j].L == inside[-1] + 1
    assert 1 not in w.scales, "no degree lies between 1 and 1.44, which are its ends"


@pytest.mark.parametrize("multiresolution", [True, False])
def test_nothing_below_the_wavelets(multiresolution, rng):
    """Of spin 2 no degree is left to the scaling function of J0 <= 1: its map is of size zero."""
    flm = random_flm(16, rng, spin=2, shape=(3,))
    w = Wavelets(16, 2, 1, 3, 2, multiresolution=multiresolution)
    scaling, maps = w.analysis_flm(flm)
    assert scaling.shape == (3, 0) and w.scaling_grid is None
    np.testing.assert_allclose(w.synthesis_flm(scaling, maps), flm, rtol=0, atol=IDENTITY)
    assert w.synthesis_adjoint(flm)[0].shape == (3, 0)
    assert w.analysis_adjoint(scaling, maps).shape == flm.shape
    with pytest.raises(ValueError, match="scaling map"):
        w.synthesis_flm(np.zeros((3, 4)), maps)


@pytest.mark.parametrize("family", ["needlet", "curvelet"])
@pytest.mark.parametrize("lam, J0, spin, reality", [(2, 0, 0, True), (1.5, 2, 2, False)])
def test_families(family, lam, J0, spin, reality, rng):
    """Tight frames too: admissible, exact both ways, Parseval."""
    L, N = 16, 1 if family == "curvelet" else 3
    w = Wavelets(L, lam, J0, N, spin, family=family, reality=reality, sampling="gl")
    ell = np.arange(L)
    total = 4 * np.pi / (2 * ell + 1) * w.scaling_filter**2
    for psi in w.filters.values():
        total = total + 8 * np.pi**2 / (2 * ell + 1) * (np.abs(psi) ** 2).sum(axis=0)
    assert np.abs(total - 1).max() < SHORT_SUM
    flm = random_flm(L, rng, spin=spin, reality=reality)
    scaling, maps = w.analysis_flm(flm)
    np.testing.assert_allclose(w.synthesis_flm(scaling, maps), flm, rtol=0, atol=IDENTITY)
    energy = (w.scaling_grid.weights * np.abs(scaling) ** 2).sum()
    energy += sum(
        (w.grids[j].weights * np.abs(f) ** 2).sum() for j, f in zip(w.scales, maps, strict=True)
    )
    assert abs(energy / np.linalg.norm(flm) ** 2 - 1) < IDENTITY
    if family == "curvelet":
        assert maps[-1].shape == (2 * L - 1, L, 2 * L - 1)
        assert all(
            psi[L - 1 - k, k] != 0 for psi in w.filters.values() for k in psi.any(0).nonzero()[0]
        )


@pytest.mark.parametrize("multiresolution", [True, False])
@pytest.mark.parametrize(
    "lam, J0, N, spin", [(2, 0, 1, 0), (2, 1, 2, 0), (3, 0, 3, 2), (2, 2, 5, 2), (1.5, 0, 4, 0)]
)
@pytest.mark.parametrize("L", [16, 33])
def test_exact_synthesis(L, lam, J0, N, spin, multiresolution, rng):
    flm = random_flm(L, rng, spin=spin, shape=(2,))
    w = Wavelets(L, lam, J0, N, spin, multiresolution=multiresolution)
    assert np.abs(w.synthesis_flm(*w.analysis_flm(flm)) - flm).max() < SHORT_SUM * L
    f = sk.inverse(flm, L, spin=spin)
    np.testing.assert_allclose(w.synthesis(*w.analysis(f)), f, rtol=0, atol=IDENTITY * L)


@pytest.mark.parametrize("sampling", ["mw", "mwss", "gl", "dh", "mw:24", "healpix:32"])
def test_real_signals_on_every_grid(sampling, rng):
    L = 20
    flm = random_flm(L, rng, reality=True)
    w = Wavelets(L, 2, 1, 3, sampling=sampling, reality=True)
    scaling, maps = w.analysis_flm(flm)
    assert scaling.dtype == float and all(m.dtype == float for m in maps)
    assert np.abs(w.synthesis_flm(scaling, maps) - flm).max() < IDENTITY
    if sampling != "healpix:32":
        f = sk.inverse(flm, L, sampling=sampling, reality=True)
        assert np.abs(w.analysis(f)[1][1] - maps[1]).max() < CHAIN


def test_maps_are_correlations_with_turned_wavelets(rng):
    """The definition, by quadrature, at one point of the group for each scale."""
    L, N = 12, 3
    flm, w, grid = random_flm(L, rng), Wavelets(12, 2, 0, 3), GL(2 * 12)
    f = sk.inverse(flm, L, sampling=grid)
    ell = np.arange(L)
    for j, values in zip(w.scales, w.analysis_flm(flm)[1], strict=True):
        psi = np.zeros(L * L, complex)
        for n in range(1 - N, N):
            some = ell >= abs(n)
            psi[(ell * ell + ell + n)[some]] = w.filters[j][N - 1 + n][some]
        where = w.grids[j]
        angles = where.alpha[2], where.beta[1], where.gamma[-1]
        turned = sk.inverse(wigner.rotate(psi, *angles), L, sampling=grid)
        assert abs((grid.weights * f * turned.conj()).sum() - values[-1, 1, 2]) < CHAIN


def test_one_direction_is_axisymmetric(rng):
    L = 16
    flm, w = random_flm(L, rng), Wavelets(16)
    for j, values in zip(w.scales, w.analysis_flm(flm)[1], strict=True):
        smooth = wigner.zonal(flm, w.filters[j][0])
        limit = w.grids[j].L
        expected = sk.inverse(smooth[: limit**2], limit)
        np.testing.assert_allclose(values[0], expected, rtol=0, atol=CHAIN)


def test_resolutions_agree(rng):
    """What the coarse maps hold is what the fine ones do."""
    L, N = 32, 3
    flm = random_flm(L, rng, reality=True)
    coarse, fine = (Wavelets(L, N=N, reality=True, multiresolution=m) for m in (True, False))
    for j, a, b in zip(
        coarse.scales, coarse.analysis_flm(flm)[1], fine.analysis_flm(flm)[1], strict=True
    ):
        limit, n = coarse.grids[j].L, coarse.grids[j].N
        left = wigner.forward(a, limit, n, reality=True, steerable=True)
        right = wigner.forward(b, L, N, reality=True, steerable=True)
        np.testing.assert_allclose(
            left, right[N - n : N + n - 1, : limit**2], rtol=0, atol=CHAIN * np.abs(left).max()
        )


def test_energy_is_kept(rng):
    """A tight frame: Parseval over all scales, from coefficients."""
    L = 24
    flm, w = random_flm(L, rng), Wavelets(24, 2, 1, 3)
    scaling, maps = w.analysis_flm(flm)
    total = (np.abs(sk.forward(scaling, w.scaling_limit)) ** 2).sum()
    for j, values in zip(w.scales, maps, strict=True):
        where = w.grids[j]
        flmn = wigner.forward(values, where.L, where.N, steerable=True)
        total += ((2 * degrees(where.L) + 1) / (8 * np.pi**2) * np.abs(flmn) ** 2).sum()
    assert abs(total / (np.abs(flm) ** 2).sum() - 1) < IDENTITY


@pytest.mark.parametrize("spin, reality", [(0, True), (0, False), (1, False)])
def test_adjoints(spin, reality, rng):
    L = 9
    w = Wavelets(L, 2, 1, 2, spin, reality=reality)
    flm = random_flm(L, rng, spin=spin, reality=reality)
    scaling, maps = w.analysis_flm(flm)
    shapes = [scaling.shape, *(m.shape for m in maps)]
    ends = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])

    def join(parts):
        return np.concatenate([part.ravel() for part in parts])

    def split(y):
        parts = [y[a:b].reshape(s) for a, b, s in zip(ends[:-1], ends[1:], shapes, strict=True)]
        return parts[0], parts[1:]

    def joined(pair):
        return join([pair[0], *pair[1]])

    y = rng.standard_normal(ends[-1]) + (0 if reality else 1j * rng.standard_normal(ends[-1]))
    for there, back in (
        (w.analysis_flm, w.analysis_adjoint),
        (w.synthesis_adjoint, w.synthesis_flm),
    ):
        assert_adjoint(
            lambda x, a=there: joined(a(x)), lambda v, b=back: b(*split(v)), flm, y, real=reality
        )


def test_derivatives_and_types(rng):
    w = Wavelets(5, 2, 0, 2)

    def loss(flm):
        scaling, maps = w.analysis_flm(flm)
        return anp.sum(anp.abs(scaling) ** 4) + sum(anp.sum(anp.abs(m) ** 4) for m in maps)

    flm = random_flm(5, rng)
    assert_gradient(loss, flm, order=1)
    scaling, maps = w.analysis_flm(flm.astype(np.complex64))
    assert scaling.dtype == np.complex64 and all(m.dtype == np.complex64 for m in maps)
    assert w.synthesis_flm(scaling, maps).dtype == np.complex64


def test_equivariance(rng):
    """Wavelet maps turn with the signal."""
    L, angles = 16, (0.3, 1.1, -0.7)
    flm, w = random_flm(L, rng), Wavelets(16, 2, 0, 3)
    first = w.analysis_flm(wigner.rotate(flm, *angles))[1]
    for j, a, b in zip(w.scales, first, w.analysis_flm(flm)[1], strict=True):
        limit, n = w.grids[j].L, w.grids[j].N
        left, right = (wigner.forward(x, limit, n, steerable=True) for x in (a, b))
        np.testing.assert_allclose(
            left, wigner.rotate(right, *angles), rtol=0, atol=CHAIN * np.abs(left).max()
        )


@pytest.mark.parametrize(
    "words, call",
    [
        ("lam is 1", lambda: Wavelets(8, 1)),
        ("lam is nan", lambda: Wavelets(8, np.nan)),
        ("J0 is 4", lambda: Wavelets(8, 2, 4)),
        ("N is 9", lambda: Wavelets(8, N=9)),
        ("reality", lambda: Wavelets(8, spin=2, reality=True)),
    ],
)
def test_refusals(words, call):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize(
    "words, call",
    [
        ("need.*64", lambda flm, w, scaling, maps: w.analysis_flm(flm[:-1])),
        ("NaN", lambda flm, w, scaling, maps: w.analysis_flm(np.where(flm == flm[3], np.nan, flm))),
        (
            "got . maps; expected one for each",
            lambda flm, w, scaling, maps: w.synthesis_flm(scaling, maps[:-1]),
        ),
        (
            "scaling map",
            lambda flm, w, scaling, maps: w.synthesis_flm(scaling[:, :1].repeat(3, 1), maps),
        ),
        ("needs", lambda flm, w, scaling, maps: w.synthesis_flm(scaling, maps[::-1])),
    ],
)
def test_maps_that_are_refused(words, call, rng):
    flm, w = random_flm(8, rng), Wavelets(8)
    scaling, maps = w.analysis_flm(flm)
    with pytest.raises(ValueError, match=words):
        call(flm, w, scaling, maps)


def test_grids_of_wavelets():
    assert HEALPix(4) == Wavelets(8, sampling="healpix:4").grid


@pytest.mark.parametrize(
    "spin, N, reality", [(0, 1, True), (0, 3, True), (0, 2, False), (2, 3, False)]
)
def test_one_scale_at_a_time(spin, N, reality, rng):
    """`convolve` and `smooth` are the coefficients of the maps of `analysis_flm`."""
    L = 17
    flm = random_flm(L, rng, spin=spin, reality=reality, shape=(2,))
    w = Wavelets(L, 2, 2, N, spin, reality=reality)
    scaling, maps = w.analysis_flm(flm)
    smooth = w.smooth(flm)
    np.testing.assert_array_equal(sk.inverse(smooth, w.scaling_limit, reality=reality), scaling)
    for j, f in zip(w.scales, maps, strict=True):
        W, (limit, n) = w.convolve(flm, j), (w.grids[j].L, w.grids[j].N)
        assert W.shape == (2, 2 * n - 1, limit**2)
        samples = wigner.inverse(W, limit, n, sampling=w.grids[j], steerable=True)
        np.testing.assert_allclose(samples, f, rtol=0, atol=CHAIN)
        psi = np.zeros((2 * n - 1, limit**2), complex)
        psi[:] = np.repeat(w.filters[j], 2 * np.arange(L) + 1, axis=1)[
            N - n : N + n - 1, : limit**2
        ]
        scale = 8 * np.pi**2 / (2 * degrees(limit) + 1) * (degrees(limit) >= spin)
        expected = scale * flm[:, None, : limit**2] * psi.conj()
        np.testing.assert_allclose(W, expected, rtol=0, atol=IDENTITY)


def test_convolution_with_an_axisymmetric_wavelet_is_on_the_sphere(rng):
    """With the energy that it has on the group."""
    flm, w = random_flm(12, rng), Wavelets(12)
    for j, f in zip(w.scales, w.analysis_flm(flm)[1], strict=True):
        W, limit = w.convolve(flm, j, on_sphere=True), w.grids[j].L
        samples = np.sqrt(2 * np.pi) * f[0]
        np.testing.assert_allclose(sk.inverse(W, limit), samples, rtol=0, atol=CHAIN)
        on_group = (2 * degrees(limit) + 1) / (8 * np.pi**2) * np.abs(w.convolve(flm, j)) ** 2
        assert on_group.sum() == pytest.approx((np.abs(W) ** 2).sum(), rel=1e-13)


def test_signals_of_a_lower_band_limit(rng):
    """Their convolutions are those of the same coefficients with zeros above."""
    flm, w = random_flm(9, rng), Wavelets(16, 2, 3, 3)
    padded = np.zeros(256, complex)
    padded[:81] = flm
    for j in w.scales:
        low, full = w.convolve(flm, j), w.convolve(padded, j)
        assert low.shape[-1] == min(81, full.shape[-1])
        np.testing.assert_array_equal(low, full[..., : low.shape[-1]])
        assert not full[..., low.shape[-1] :].any()
    low, full = w.smooth(flm), w.smooth(padded)
    np.testing.assert_array_equal(low, full[: low.size])
    assert low.size == min(81, full.size)


def test_energies_are_those_of_the_convolutions(rng):
    for spin in (0, 2):
        flm, w = random_flm(16, rng, spin=spin, shape=(3,)), Wavelets(16, 2, 1, 3, spin)
        energies = w.energies(flm)
        assert energies.shape == (3, 1 + len(w.scales)) and energies.dtype == float
        total = (np.abs(flm) ** 2).sum(axis=-1)
        np.testing.assert_allclose(energies.sum(axis=-1), total, rtol=1e-13)
        smooth = (np.abs(w.smooth(flm)) ** 2).sum(axis=-1)
        np.testing.assert_allclose(energies[:, 0], smooth, rtol=1e-13)
        for j, energy in zip(w.scales, energies[:, 1:].T, strict=True):
            share = (2 * degrees(w.grids[j].L) + 1) / (8 * np.pi**2)
            of_scale = (share * np.abs(w.convolve(flm, j)) ** 2).sum(axis=(-1, -2))
            np.testing.assert_allclose(energy, of_scale, rtol=1e-13)
    filled = np.ones(256)  # degrees below the spin are no part of the signals
    np.testing.assert_allclose(w.energies(filled).sum(), 256 - 4, rtol=1e-13)


def test_derivatives_and_types_of_one_scale(rng):
    w, flm = Wavelets(5, 2, 1, 2), random_flm(5, rng)
    axisymmetric = Wavelets(5)
    for function in (
        lambda x: w.convolve(x, 2),
        lambda x: axisymmetric.convolve(x, 2, on_sphere=True),
        w.smooth,
    ):
        assert_gradient(lambda x, a=function: anp.sum(anp.abs(a(x)) ** 4), flm, order=2)
        assert function(flm.astype(np.complex64)).dtype == np.complex64
        np.testing.assert_array_equal(function(flm.tolist()), function(flm))
    assert_gradient(lambda x: anp.sum(w.energies(x) ** 2), flm, order=1)


def test_refusals_of_one_scale(rng):
    w, flm = Wavelets(8, N=3), random_flm(8, rng)
    for error, words, call in [
        (
            ValueError,
            r"j must be one of the scales \(0, 1, 2, 3\); got 7",
            lambda: w.convolve(flm, 7),
        ),
        (TypeError, "j is 1.0 .*integer.*one of the scales", lambda: w.convolve(flm, 1.0)),
        (ValueError, "N = 3 directions", lambda: w.convolve(flm, 2, on_sphere=True)),
        (ValueError, "L\\*L long", lambda: w.convolve(flm[:-1], 2)),
        (ValueError, "at most L = 8", lambda: w.convolve(random_flm(9, rng), 2)),
        (ValueError, "at most L = 8", lambda: w.smooth(random_flm(9, rng))),
        (ValueError, "need.*64", lambda: w.energies(flm[:49])),
        (ValueError, r"one of the scales \(\)", lambda: Wavelets(1).convolve([1.0], 0)),
    ]:
        with pytest.raises(error, match=words):
            call()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_energies_of_coefficients_that_are_not_finite(value):
    flm = np.ones(64, complex)
    flm[5] = value
    with pytest.raises(ValueError, match="NaN or infinite"):
        Wavelets(8).energies(flm)
