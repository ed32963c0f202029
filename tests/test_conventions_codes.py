"""Conventions beside other codes: values in oracles/conventions.npz, with the script that made them."""

import cmath
import math

import naive
import numpy as np
import pytest
import tolerances
from helpers.conventions_page import ANGLES, ORACLE, L, degree, relative, same, section
from helpers.data import SHARED, oracle
from scipy.spatial.transform import Rotation

import spherekit as sk
from spherekit import conventions as cv
from spherekit import wigner
from spherekit.sampling import CC, GL, MW, MWSS, DHPole, grid
from spherekit.scattering import Covariances
from spherekit.wavelets import Wavelets


@section("Spherical harmonics")
def test_harmonics_of_spherical_and_ssht():
    for spin, values in enumerate(ORACLE["spherical/sYlm"], start=-2):
        for index, ell, _ in naive.degrees_and_orders(L):
            flm = np.zeros(L * L)
            flm[index] = 1
            got = sk.evaluate(flm, np.array([1.1]), np.array([0.4]), spin=spin)[0]
            assert abs(got - values[index]) < tolerances.LAST_PLACES * (2 * ell + 1)
    for name in ("mw", "mwss"):
        for spin in (0, 1, 2):
            f = sk.inverse(ORACLE["flm"], L, spin=spin, sampling=name)
            same(f, ORACLE[f"ssht/{name}/{spin}"])


def s2fft_forward(f, of, L, spin):
    """What s2fft's forward of MW and MWSS samples is, in plain loops."""
    n_phi, theta = of.shape[1], math.pi * np.arange(2 * L + 1) / (2 * L)
    weights = sum(2 / (1 - k * k) * np.cos(k * theta) for k in range(2 - 2 * L, 2 * L, 2)) / (4 * L)
    weights[1:-1] *= 2
    flm = np.zeros(L * L, complex)
    for m in range(1 - L, L):
        F = [
            sum(x * cmath.exp(-2j * math.pi * m * p / n_phi) for p, x in enumerate(ring)) / n_phi
            for ring in f
        ]
        if of.name == "mw":
            F = s2fft_rings(F, (-1) ** (m + spin), 2 * L - 1, 0.5, L)
        F = s2fft_rings(F, (-1) ** (m + spin), 2 * L, 0, 2 * L)
        for ell in range(max(abs(m), abs(spin)), L):
            Y = [naive.spin_harmonic(spin, ell, m, angle, 0) for angle in theta]
            flm[ell * ell + ell + m] = 2 * math.pi * sum(weights * F * np.conj(Y))
    return flm


def s2fft_rings(F, sign, period, shift, rings):
    """At pi t/rings the series through F and its mirror image: poles as they came, -k for the highest k."""
    circle = [
        F[t] if t < len(F) else sign * F[period - 1 - t if shift else period - t]
        for t in range(period)
    ]
    nodes = 2 * math.pi * (np.arange(period) + shift) / period
    k = np.arange(-(period // 2), (period + 1) // 2)
    spectrum = np.exp(-1j * k[:, None] * nodes) @ np.array(circle) / period
    return np.exp(1j * np.pi / rings * np.arange(rings + 1)[:, None] * k) @ spectrum


def without_odd_orders_on_poles(f, rows, spin):
    f = f.copy()
    m = np.fft.fftfreq(f.shape[1], 1 / f.shape[1]).round().astype(int)
    for row in rows:
        f[row] = np.fft.ifft(np.where((m + spin) % 2, 0, np.fft.fft(f[row])))
    return f


DUCC = {
    "mw": (MW(L), True),
    "mwss": (MWSS(L), True),
    "cc": (CC(L, n_theta=L + 3), True),
    "cc-fine": (CC(L, n_theta=L + 4), False),
    "cc-full": (CC(L, n_theta=2 * L), True),
}


@section("Samples that are not band-limited")
@pytest.mark.parametrize("name", DUCC)
@pytest.mark.parametrize("spin", [0, 1, 2])
def test_forward_of_noise_in_ducc0(name, spin):
    of, agrees = DUCC[name]
    first, second = ORACLE[f"ducc0/{name}/f"]
    stored = ORACLE[f"ducc0/{name}/{spin}"]
    expected = cv.from_ducc(stored if spin else stored[0], L, spin=spin)
    flm = sk.forward(first + 1j * second if spin else first, L, spin=spin, sampling=of)
    error = relative(flm, expected)
    assert error <= tolerances.IDENTITY if agrees else 0.015 < error < 0.025


@section("Samples that are not band-limited")
@pytest.mark.parametrize("name", ["mw", "mwss"])
@pytest.mark.parametrize("spin", [0, 1, 2])
def test_forward_of_noise_in_s2fft_and_ssht(name, spin):
    of, f = grid(name, L), ORACLE[f"s2fft/{name}/f"]
    s2fft = cv.from_s2fft(ORACLE[f"s2fft/{name}/{spin}"])
    same(s2fft_forward(f, of, L, spin), s2fft)
    flm = sk.forward(f, L, spin=spin, sampling=name)
    assert 0.045 < relative(flm, s2fft) < 0.405
    assert 0.04 < relative(flm, ORACLE[f"ssht/forward/{name}/{spin}"]) < 0.335
    poles = (-1,) if name == "mw" else (0, -1)
    f = without_odd_orders_on_poles(f, poles, spin)
    flm = sk.forward(f, L, spin=spin, sampling=name)
    for answer in (s2fft_forward(f, of, L, spin), ORACLE[f"ssht/parity/{name}/{spin}"]):
        error = relative(flm, answer)
        assert error <= tolerances.IDENTITY if name == "mw" else error > 0.1


@section("Rotations")
def test_rotations_of_other_codes():
    a, b, c = ANGLES
    flm, alm = ORACLE["flm"], cv.from_healpy(ORACLE["alm"], L)
    same(cv.from_s2fft(ORACLE["s2fft/rotate"]), wigner.rotate(flm, a, b, c))
    same(ORACLE["ssht/rotate"], wigner.rotate(flm, a, b, c))
    for code in ("healpy", "ducc0"):
        turned = cv.from_healpy(ORACLE[f"{code}/rotate_alm"], L)
        same(turned, wigner.rotate(alm, c, b, a, reality=True))
    flm = cv.from_shtools(ORACLE["pyshtools/cilm"])
    for frame, angles in (("coordinates", (-c, -b, -a)), ("body", (a, b, c))):
        turned = cv.from_shtools(ORACLE[f"pyshtools/rotate/{frame}"])
        same(turned, wigner.rotate(flm, *angles, reality=True))


@section("Rotations")
def test_matrices_of_spherical_and_e3nn():
    D = wigner.D(*ANGLES, 3)
    for ell, matrix in enumerate(D):
        same(ORACLE[f"spherical/D/{ell}"], matrix.conj(), tolerances.LAST_PLACES)
    U = wigner.real_basis(2)
    same(ORACLE["e3nn/D2"], U.conj() @ D[2] @ U.T, tolerances.SHORT_SUM)


@section("Signals on the rotation group")
def test_signals_on_the_group_in_s2fft():
    flmn = cv.from_s2fft(ORACLE["s2fft/flmn"])
    same(wigner.inverse(flmn, L, 3), ORACLE["s2fft/group"])


@section("Fields of spin, E and B")
def test_fields_of_healpy():
    T, E, B = cv.from_healpy(ORACLE["healpy/teb"], L)
    I, Q, U = ORACLE["healpy/iqu"]  # noqa: E741
    same(sk.inverse(T, L, sampling="healpix:2", reality=True), I)
    same(sk.inverse(cv.eb_to_spin(E, B, spin=2), L, spin=2, sampling="healpix:2"), Q + 1j * U)
    for spin in (1, 3):
        E, B = cv.from_healpy(ORACLE[f"healpy/alm/{spin}"], L)
        first, second = ORACLE[f"healpy/map/{spin}"]
        f = sk.inverse(cv.eb_to_spin(E, B, spin=spin), L, spin=spin, sampling="healpix:2")
        same(f, first + 1j * second)


@section("Winds and gradients")
def test_vector_harmonics_of_torch_harmonics():
    st = ORACLE["torch-harmonics/st"]
    ell, m = np.tril_indices(L)
    s, t = np.zeros((2, L * L), complex)
    for component, row in zip((s, t), st, strict=True):
        component[ell * ell + ell - m] = (-1.0) ** m * row[ell, m].conj()
        component[ell * ell + ell + m] = row[ell, m]
    of, (south, east) = GL(L, n_phi=2 * L), ORACLE["torch-harmonics/field"]
    same(sk.inverse(s, L, sampling=of, reality=True), ORACLE["torch-harmonics/scalar"])
    k = np.sqrt(degree(L) * (degree(L) + 1.0))
    E, B = cv.spin_to_eb(sk.forward(south + 1j * east, L, spin=1, sampling=of), spin=1)
    same(E, k * s)
    same(B, -k * t)


SPHEREPACK = SHARED / "atmosphere"


@section("Winds and gradients")
@pytest.mark.skipif(
    not SPHEREPACK.exists(), reason="shared/data/atmosphere is not beside this checkout"
)
@pytest.mark.parametrize(
    "kind, of", [("regular", CC(72, n_theta=73, n_phi=144)), ("gaussian", GL(72, n_phi=144))]
)
def test_winds_of_spherepack(kind, of):
    """Its results are float32."""
    folder, L, a = SPHEREPACK / f"windspharm_{kind}", 72, 6371.22e3
    wind = {p.name.split(".")[0]: np.squeeze(np.load(p)) for p in folder.glob("*.npy")}
    field = -wind["vwnd"] + 1j * wind["uwnd"]
    E, B = cv.spin_to_eb(sk.forward(field.astype(complex), L, spin=1, sampling=of), spin=1)
    ell = degree(L)
    k = np.sqrt(ell * (ell + 1.0))
    inverted = np.divide(1, k, where=k > 0, out=np.zeros(L * L))

    def scalar(flm):
        return sk.inverse(flm, L, sampling=of, reality=True)

    vorticity = -k * B / a
    for name, flm in {
        "vrt": vorticity,
        "div": -k * E / a,
        "psi": a * B * inverted,
        "chi": a * E * inverted,
        "vrt_trunc": vorticity * (ell <= 21),
    }.items():
        assert relative(scalar(flm), wind[name]) < 4e-7, name
    for name, parts in {"psi": (0 * E, B), "chi": (E, 0 * B)}.items():
        part = sk.inverse(cv.eb_to_spin(*parts, spin=1), L, spin=1, sampling=of)
        assert relative(part.imag, wind["u" + name]) < 1e-7
        assert relative(-part.real, wind["v" + name]) < 1e-7
    for radius, error in ((6371.2e3, 3e-6), (6371e3, 3.5e-5)):
        assert relative(scalar(vorticity * a / radius), wind["vrt"]) == pytest.approx(
            error, rel=0.1
        )


def trapezoid_kernel(t, lam):
    """k(t) by 300 trapezoids without those that touch the ends of the support, as s2let and s2wav."""

    def integral(a, b):
        h, total = (b - a) / 300, 0.0
        for i in range(300) if a < b else ():
            x, y = a + i * h, a + (i + 1) * h
            if x not in (1 / lam, 1.0) and y not in (1 / lam, 1.0):
                total += h / 2 * (integrand(x) + integrand(y))
        return total

    def integrand(x):
        u = (x - 1 / lam) * (2 * lam / (lam - 1)) - 1
        return math.exp(-2 / (1 - u * u)) / x

    if t < 1 / lam or t > 1:
        return float(t < 1 / lam)
    return integral(t, 1.0) / integral(1 / lam, 1.0)


@section("Wavelets")
@pytest.mark.parametrize("lam, error", [("2", 4.3e-5), ("3", 4.9e-5), ("1.5", 4.3e-5)])
def test_tiling_against_40_digits(lam, error):
    exact = ORACLE[f"mpmath/kappa/{lam}"]
    w = Wavelets(64, lam=float(lam))
    assert w.scales == tuple(range(len(exact)))
    assert max(np.abs(w.kappa[j] - exact[j]).max() for j in w.scales) <= 2 * np.finfo(float).eps
    s2wav = ORACLE[f"s2wav/kappa/{lam}"]
    assert np.abs(s2wav - exact).max() == pytest.approx(error, rel=0.02)
    if lam == "2":
        np.testing.assert_allclose(
            ORACLE["s2let/kappa/2"], s2wav, rtol=0, atol=tolerances.SHORT_SUM
        )
    j = 3
    k = [
        [trapezoid_kernel(ell / float(lam) ** i, float(lam)) for ell in range(64)]
        for i in (j, j + 1)
    ]
    rule = np.sqrt(np.maximum(np.subtract(k[1], k[0]), 0))
    inside = s2wav[j] > 0
    np.testing.assert_allclose(rule[inside], s2wav[j][inside], rtol=0, atol=tolerances.CHAIN)


@section("Wavelets")
@pytest.mark.parametrize("N", [1, 2, 3, 4])
def test_directional_part_of_s2wav(N):
    w, ell = Wavelets(8, N=N), np.arange(8)
    table = ORACLE[f"s2wav/directional/{N}"][:, 8 - N : 7 + N].T
    for j in w.scales:
        expected = np.sqrt((2 * ell + 1) / (8 * np.pi**2)) * w.kappa[j] * table
        np.testing.assert_allclose(w.filters[j], expected, rtol=0, atol=tolerances.LAST_PLACES)


@section("Scattering covariances")
def test_rings_of_s2scat():
    """Its mean moduli (L = 16, N = 3) are those of 4 rings at scales 0 and 1; here there are 5."""
    stored = oracle("s2scat")
    flm, filters = stored["flm"], Wavelets(16, N=3, reality=True).filters
    S1 = Covariances(16, N=3, oversample=1).from_flm(flm).S1
    S1 = S1[:, [2 * k % 5 for k in range(5)]]  # its orientations are 2 pi k/5
    gammas = 2 * np.pi * np.arange(5) / 5
    for j, difference in ((0, 0.033), (1, 0.086)):
        for n, values in ((4, stored["S1"][j]), (5, S1[j])):
            weights = np.array([weight for _, _, weight in naive.samples(GL(n))]) / (4 * math.pi)
            moduli = [np.abs(naive.wavelet_matrix(filters[j], GL(n), g) @ flm) for g in gammas]
            same(values, moduli @ weights)
        error = np.abs(stored["S1"][j] / S1[j] - 1).max()
        assert error == pytest.approx(difference, rel=0.05)
    same(S1[2:], stored["S1"][2:])


@section("Real harmonics")
def test_real_harmonics_of_e3nn():
    x, y, z = ORACLE["e3nn/points"].T
    theta, phi = np.arccos(z), np.arctan2(y, x)
    flm = cv.from_real(np.eye(16))
    same(sk.evaluate(flm, theta, phi, reality=True).T, ORACLE["e3nn/Y"], tolerances.SHORT_SUM)
    for index, ell, m in naive.degrees_and_orders(4):
        Y = np.array(
            [naive.spin_harmonic(0, ell, abs(m), *at) for at in zip(theta, phi, strict=True)]
        )
        Y = (-1) ** m * Y  # no Condon-Shortley phase
        expected = Y.real if m == 0 else math.sqrt(2) * (Y.real if m > 0 else Y.imag)
        np.testing.assert_allclose(
            ORACLE["e3nn/Y"][:, index], expected, rtol=0, atol=tolerances.LAST_PLACES
        )


@section("Clebsch-Gordan coefficients")
@pytest.mark.parametrize("degrees", [(1, 1, 1), (1, 2, 3), (2, 2, 2), (2, 3, 2)])
def test_symbols_of_e3nn(degrees):
    l1, l2, ell = degrees
    e3nn = ORACLE["e3nn/3j/" + "".join(map(str, degrees))]
    factor = (-1) ** math.ceil((l1 + l2 - ell) / 2) * math.sqrt(2 * ell + 1)
    same(wigner.clebsch_gordan(*degrees, basis="real"), factor * e3nn, tolerances.SHORT_SUM)
    assert wigner.clebsch_gordan(*degrees)[2 * l1, ell - l1 + l2, 2 * ell] > 0


@section("Other layouts")
def test_grid_of_pyshtools():
    flm = cv.from_shtools(ORACLE["pyshtools/cilm"])
    same(sk.inverse(flm, L, sampling=DHPole(L), reality=True), ORACLE["pyshtools/dh"])


@section("Frames of the sky")
@pytest.mark.parametrize(
    "pair", ["galactic-equatorial", "galactic-ecliptic", "ecliptic-equatorial"]
)
def test_frames_of_healpy(pair):
    """Its "C" is FK5 of J2000: with the turn from ICRS to it our matrices are its own."""
    from astropy.coordinates import SkyCoord

    healpy = ORACLE[f"healpy/frame/{pair}"]
    matrix = wigner.euler.to_rotation(*wigner.frame_angles(*pair.split("-"))).as_matrix()
    if pair.endswith("equatorial"):
        axes = SkyCoord([0, 90, 0], [0, 0, 90], unit="deg", frame="icrs")
        to_fk5 = np.asarray(axes.transform_to("fk5").cartesian.xyz.value)
        difference = Rotation.from_matrix(healpy @ matrix.T).magnitude()
        assert difference == pytest.approx(1.54e-7, rel=0.01)
        assert np.abs(healpy - matrix).max() < 1.3e-7
        matrix = to_fk5 @ matrix
    np.testing.assert_allclose(matrix, healpy, rtol=0, atol=tolerances.SHORT_SUM)
