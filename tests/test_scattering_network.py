"""Scattering networks: the definition, paths, equivariance, non-expansiveness, gradients, refusals."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from helpers.signals import hermitian
from tolerances import CHAIN, IDENTITY, SINGLE

import spherekit as sk
from spherekit import wigner
from spherekit._core.modulus import modulus
from spherekit.sampling import MW
from spherekit.scattering import Scattering, network, theory
from spherekit.scattering.paths import paths
from spherekit.testing import assert_gradient, random_flm
from spherekit.wavelets import Wavelets

ANGLES = (0.3, 1.1, -0.7)


def plain(flm, w, path, fine_limits):
    """S[p] f step by step from public functions, nothing shared, everything at full band-limit."""
    L = w.L
    for j, fine in zip(path, map(MW, fine_limits), strict=True):
        W = wigner.zonal(flm, w.filters[j][0])
        limit = w.grids[j].L
        U = np.abs(sk.inverse(W[: limit**2], limit, sampling=fine)) * np.sqrt(2 * np.pi)
        flm = np.zeros(L * L, complex)
        got = sk.forward(U, min(L, fine.L), sampling=fine)
        flm[: len(got)] = got
    return wigner.zonal(flm, w.scaling_filter)[: w.scaling_limit**2]


@pytest.mark.parametrize("kind", ["descending", "all"])
def test_definition(kind, rng):
    L = 16
    flm, w = random_flm(L, rng), Wavelets(16, 2, 1)
    S = Scattering(L, 2, 1, 2, paths=kind, oversample=2)
    outputs = S.from_flm(flm)
    for path, output in zip(S.paths, outputs, strict=True):
        # twice the band-limit of a scale, or that of the scales that may follow
        follows = {"all": [L, w.scaling_limit], "descending": [0, 0]}[kind]
        fine = [max(2 * w.grids[j].L, follows[i]) for i, j in enumerate(path.scales)]
        expected = plain(flm, w, path.scales, fine)
        np.testing.assert_allclose(output, expected, rtol=0, atol=CHAIN * np.abs(flm).max())


def test_paths():
    assert [
        len(Scattering(1024, J0=5, depth=2, paths=p).paths)
        for p in ("all", "descending", "neighbour")
    ] == [43, 22, 12]
    assert (
        len(paths(range(6), 3, "descending")) == 42 and len(paths(range(6), 3, "neighbour")) == 16
    )
    S = Scattering(16, J0=1, paths=[(3,), (4, 2), ()], reality=True)
    assert [p.scales for p in S.paths] == [(3,), (4, 2), ()] and S.paths[1].order == 2
    whole = Scattering(16, J0=1, reality=True)
    flm = random_flm(16, np.random.default_rng(0), reality=True)
    index = [whole.paths.index(path) for path in S.paths]
    np.testing.assert_allclose(S.from_flm(flm), whole.from_flm(flm)[index], rtol=0, atol=IDENTITY)


@pytest.mark.parametrize("N", [1, 2, 3])
def test_equivariance_by_oversampling(N, rng):
    """Outputs of order and degree above 0; a norm over all of them would hide the error."""
    L, errors = 32, []
    flm = random_flm(L, rng, reality=True)
    for oversample in (1, 2, 4):
        S = Scattering(L, J0=2, N=N, oversample=oversample, reality=True)
        first = S.from_flm(wigner.rotate(flm, *ANGLES, reality=True))[1:, 1:]
        then = wigner.rotate(S.from_flm(flm), *ANGLES, reality=True)[1:, 1:]
        errors.append(np.linalg.norm(first - then) / np.linalg.norm(then))
    assert errors[1] < 0.06 and errors[2] < 0.01 and errors[0] > errors[1] > errors[2]


def test_nothing_expands(rng):
    L = 32
    S = Scattering(L, J0=2, depth=3, paths="all", oversample=3, reality=True)
    f, g = (random_flm(L, rng, reality=True) for _ in range(2))
    a, b = S.from_flm(f), S.from_flm(g)
    assert np.linalg.norm(a) < np.linalg.norm(f)
    assert np.linalg.norm(a - b) < np.linalg.norm(f - g)


@pytest.mark.parametrize("depth, N", [(1, 1), (3, 1), (2, 3)])
@pytest.mark.parametrize("J0", [1, 2, 3])
def test_the_bound_of_isometric_invariance(J0, depth, N, rng):
    """||Sf - SRf|| <= theta (L0-1) ||Sf|| + the equivariance error, at every angle and J0."""
    flm = random_flm(32, rng, reality=True)
    S = Scattering(32, J0=J0, depth=depth, N=N, reality=True)
    errors = []
    for theta in (0.01, 0.1, 1.0):
        found = theory.invariance(S, flm, 0.4, theta, -0.4)
        assert found.error <= found.bound
        errors.append(found.error)
    assert errors[0] < errors[1] < errors[2]


@pytest.mark.parametrize("family", ["stretch", "random"])
def test_stability_to_deformations(family):
    """Error over size of the deformation: it grows with the degree for coefficients, not for scattering."""
    L, size, constants = 64, 0.01, []
    ell = np.repeat(np.arange(L), 2 * np.arange(L) + 1)
    S = Scattering(L, J0=2)
    for degree in (8, 16, 32):
        found = []
        for seed in range(3):
            rng = np.random.default_rng(seed)
            envelope = np.exp(-0.5 * ((ell - degree) / (0.2 * degree)) ** 2)
            flm = random_flm(L, rng, reality=True) * envelope
            move = (
                theory.stretch(size)
                if family == "stretch"
                else theory.random_deformation(size, rng)
            )
            found.append(theory.stability(S, flm, move))
        constants.append(np.mean(found, axis=0) / size)
    raw, scattered = np.transpose(constants)
    assert raw[1] > 1.7 * raw[0] and raw[2] > 1.7 * raw[1]
    assert scattered[1] < 1.2 * scattered[0] and scattered[2] < 1.2 * scattered[1]


def test_deformations(rng):
    """The identity, and a deformation that is a rotation."""
    flm = random_flm(12, rng, shape=(2,))
    same = theory.deform(flm, lambda theta, phi: (theta, phi))
    assert np.abs(same - flm).max() < IDENTITY
    turned = theory.deform(flm, lambda theta, phi: (theta, phi - 0.3))
    assert np.abs(turned - wigner.rotate(flm, 0.3, 0, 0)).max() < IDENTITY
    theta, phi = np.linspace(0.01, 3.1, 50), np.linspace(0, 6, 50)
    for move in (theory.stretch(0.1), theory.random_deformation(0.1, rng)):
        there = move(theta, phi)
        points = [
            np.array([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)])
            for t, p in ((theta, phi), there)
        ]
        far = np.arccos(np.clip((points[0] * points[1]).sum(axis=0), -1, 1))
        assert 0.02 < far.max() < 0.1 + 1e-3
    for amplitude, error in (
        (0.6, ValueError),
        (np.nan, ValueError),
        (0.1j, TypeError),
        ("a", TypeError),
    ):
        with pytest.raises(error, match="amplitude is .*< 1/2"):
            theory.stretch(amplitude)
    for amplitude, error in ((np.inf, ValueError), (0.1j, TypeError), ("a", TypeError)):
        with pytest.raises(error, match="amplitude is .*finite number"):
            theory.random_deformation(amplitude, 0)
    for oversample, error in ((0.1, ValueError), (17, ValueError), ("2", TypeError)):
        with pytest.raises(error, match="oversample is .*from 1 to 16"):
            theory.deform(flm, theory.stretch(0.1), oversample=oversample)


def test_energy_falls_with_order(rng):
    S = Scattering(32, J0=2, depth=3, paths="all", oversample=3, reality=True)
    shares = theory.energy(S, random_flm(32, rng, reality=True))
    assert shares.sum() < 1 and shares[1] > shares[2] > shares[3] > 0


def test_a_constant_has_no_scattering():
    f = np.full(MW(16).shape, 2.0)
    S = Scattering(16, J0=1, N=2, reality=True)(f)
    assert abs(S[0, 0] - 2 * np.sqrt(4 * np.pi)) < CHAIN and np.abs(S[1:]).max() < IDENTITY


@pytest.mark.parametrize("spin, N", [(0, 1), (2, 1), (0, 3)])
def test_batches_and_types(spin, N, rng):
    L = 12
    flm = random_flm(L, rng, spin=spin, shape=(2, 3))
    S = Scattering(L, J0=1, N=N, spin=spin)
    outputs = S.from_flm(flm)
    assert outputs.shape == (2, 3, len(S.paths), S.L0**2)
    np.testing.assert_allclose(outputs[1, 2], S.from_flm(flm[1, 2]), rtol=0, atol=IDENTITY)
    single = S.from_flm(flm.astype(np.complex64))
    assert single.dtype == np.complex64
    np.testing.assert_allclose(single, outputs, rtol=0, atol=SINGLE)
    f = sk.inverse(flm, L, spin=spin)
    np.testing.assert_allclose(S(f), outputs, rtol=0, atol=CHAIN)


@pytest.mark.parametrize("x", [np.array([0.0, -2.0, 3.0]), np.array([0j, 3 - 4j, 1j])])
def test_the_modulus(x):
    assert (grad(lambda u: anp.sum(modulus(u)))(x)[0] == 0).all()
    assert_gradient(lambda u: anp.sum(modulus(u) ** 3), x[1:])
    single = x.astype(np.complex64 if np.iscomplexobj(x) else np.float32)
    assert grad(lambda u: anp.sum(modulus(u)))(single).dtype == single.dtype


def test_the_derivative_of_the_modulus_at_zero():
    assert grad(modulus)(0.0) == 0


@pytest.mark.parametrize("N", [1, 3])
def test_full_convolutions(N, rng):
    """Equivariant as the means are; of order 1 the same; N = 1 is axisymmetric, and the same throughout."""
    L, flm = 32, random_flm(32, rng, reality=True)
    mean, full = (
        Scattering(L, J0=2, N=N, oversample=4, directional=kind, reality=True)
        for kind in ("mean", "full")
    )
    one, other = mean.from_flm(flm), full.from_flm(flm)
    some = [i for i, path in enumerate(full.paths) if N == 1 or path.order < 2]
    np.testing.assert_allclose(one[some], other[some], rtol=0, atol=CHAIN)
    assert theory.equivariance(full, flm, *ANGLES) < 0.01
    assert 0 < np.linalg.norm(other) < np.linalg.norm(flm)


def test_slices_are_not_equivariant(rng):
    """As measured before: that is why they are not the default."""
    flm = random_flm(32, rng, reality=True)
    S = Scattering(32, J0=2, N=3, oversample=4, directional="slices", reality=True)
    assert [p.direction for p in S.paths if p.scales == (4,)] == [0, 1, 2]
    assert S.from_flm(flm).shape == (len(S.paths), 16)
    assert theory.equivariance(S, flm, *ANGLES) > 0.5
    axisymmetric, same = (
        Scattering(32, J0=2, directional=kind, reality=True).from_flm(flm)
        for kind in ("mean", "slices")
    )
    np.testing.assert_allclose(axisymmetric, same, rtol=0, atol=IDENTITY)


def test_recomputed_steps(rng, monkeypatch):
    """The same numbers and derivatives, whether the samples of the moduli are kept or made again."""
    flm, S = random_flm(8, rng, reality=True), Scattering(8, J0=1, reality=True)

    def loss(u):
        return anp.sum(anp.abs(S.from_flm(hermitian(u))) ** 2)

    kept = S.from_flm(flm), grad(loss)(flm)
    monkeypatch.setattr(network, "_MAX_SAVED", 0)
    for one, other in zip(kept, (S.from_flm(flm), grad(loss)(flm)), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=IDENTITY)
    assert_gradient(loss, flm, order=1)


@pytest.mark.parametrize("N, reality", [(1, True), (2, False)])
def test_gradients(N, reality, rng):
    S = Scattering(6, J0=1, N=N, reality=reality)
    allowed = hermitian if reality else (lambda u: u)
    flm = random_flm(6, rng, reality=reality)
    assert_gradient(lambda u: anp.sum(anp.abs(S.from_flm(allowed(u))) ** 2), flm, order=1)
    if N == 1:
        full = Scattering(6, J0=1, N=3, directional="full", reality=True)
        assert_gradient(lambda u: anp.sum(anp.abs(full.from_flm(allowed(u))) ** 2), flm, order=1)
    gradient = grad(lambda u: anp.sum(anp.abs(S.from_flm(u)) ** 2))(flm.astype(np.complex64))
    assert gradient.dtype == np.complex64


@pytest.mark.parametrize(
    "words, call",
    [
        ("oversample", lambda: Scattering(8, oversample=0.5)),
        ("depth", lambda: Scattering(8, depth=-1)),
        ("directional must be one of mean, full", lambda: Scattering(8, directional="all")),
        ("odd N", lambda: Scattering(8, N=2, directional="full")),
        ("descending, neighbour", lambda: Scattering(8, paths="up")),
        ("contains the scale 9", lambda: Scattering(8, paths=[(9,)])),
        ("twice", lambda: Scattering(8, paths=[(1,), (1,)])),
        ("J0 is", lambda: Scattering(8, J0=7)),
    ],
)
def test_refusals(words, call):
    with pytest.raises(ValueError, match=words):
        call()


def test_signals_of_another_band_limit_are_refused(rng):
    with pytest.raises(ValueError, match="need"):
        Scattering(8).from_flm(random_flm(7, rng))
