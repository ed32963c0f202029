"""The page of conventions, tutorials/conventions.md: its examples, and a test for each section.

What compares with other codes is in test_conventions_codes.py.
"""

import doctest
import math
import re

import naive
import numpy as np
import pytest
from helpers.conventions_page import ANGLES, PAGE, ROOT, L, degree, same, section
from tolerances import CHAIN, IDENTITY, LAST_PLACES, SHORT_SUM, SINGLE_VALUES

import spherekit as sk
from spherekit import conventions as cv
from spherekit import io, nn, wigner
from spherekit.sampling import CC, GL, MW, MWSS
from spherekit.scattering import Covariances
from spherekit.spectra import power
from spherekit.testing import random_flm, random_flmn
from spherekit.wavelets import Wavelets

#: Sections that tests of other files prove, beside those that `section` marks.
ELSEWHERE = {
    "Grids": [
        "test_sampling.test_node_formulas",
        "test_sampling.test_every_harmonic_is_integrated_exactly",
        "test_sampling.test_healpix_geometry",
        "test_harmonic_values.test_inverse",
    ],
    "Samples that are not band-limited": ["test_harmonic_definitions.test_forward_of_any_samples"],
    "Signals on the rotation group": [
        "test_wigner_transform.test_definition",
        "test_wigner_correlation.test_lift_is_its_integral",
        "test_wigner_correlation.test_correlate_is_its_integral",
    ],
    "Fields of spin, E and B": ["test_conventions.test_ducc_fields_are_those_of_ducc"],
    "Power spectra": ["test_conventions.test_power_by_the_definition"],
    "Wavelets": ["test_wavelets.test_admissibility"],
    "Scattering covariances": ["test_scattering_covariances.test_definition"],
    "Clebsch-Gordan coefficients": [
        "test_wigner_coupling.test_definition",
        "test_wigner_coupling.test_the_real_block_is_the_change_of_basis",
        "test_wigner_coupling.test_the_sign_of_e3nn",
    ],
    "Other layouts": [
        "test_conventions.test_healpy_layout",
        "test_conventions.test_s2fft_layout",
        "test_conventions.test_shtools_signals_are_those_of_pyshtools",
        "test_conventions.test_ducc_fields_are_those_of_ducc",
    ],
}


# --- the page itself ------------------------------------------------------------------------------


def test_examples():
    text = "\n".join(re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S))
    examples = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    runner, report = doctest.DocTestRunner(), []
    runner.run(examples, out=report.append)
    assert runner.tries > 5 and not runner.failures, "".join(report)


def test_every_section_has_its_test():
    sections = re.findall(r"^## (.*)$", PAGE.read_text("utf-8"), re.M)
    sources = {path.stem: path.read_text("utf-8") for path in (ROOT / "tests").glob("test_*.py")}
    marked = set(re.findall(r'^@section\("(.*)"\)$', "".join(sources.values()), re.M))
    assert sorted(sections) == sorted({*marked, *ELSEWHERE})
    for proof in (proof for proofs in ELSEWHERE.values() for proof in proofs):
        module, test = proof.split(".")
        assert f"\ndef {test}(" in sources[module], proof


def test_the_table_names_the_page():
    assert "tutorials/conventions.md" in cv.table()


# --- signals on the sphere --------------------------------------------------------------------------


@section("Band-limits")
def test_band_limits(rng):
    assert sk.forward(np.zeros((L, 2 * L - 1)), L).shape == (L * L,)
    assert cv.to_healpy(random_flm(L, rng, reality=True)).shape == (L * (L + 1) // 2,)  # lmax = L-1
    assert wigner.inverse(random_flmn(L, 2, rng), L, 2).shape == (3, L, 2 * L - 1)


@section("Spherical harmonics")
def test_spherical_harmonics():
    theta, phi = np.array([0.4, 1.3, 2.9]), np.array([0.0, 2.0, 5.5])
    pi, sine, east = math.pi, np.sin(theta), np.exp(1j * phi)
    forms = {
        (0, 0, 0): np.full(3, math.sqrt(1 / (4 * pi))),
        (0, 1, 0): math.sqrt(3 / (4 * pi)) * np.cos(theta),
        (0, 1, 1): -math.sqrt(3 / (8 * pi)) * sine * east,
        (0, 1, -1): math.sqrt(3 / (8 * pi)) * sine / east,
        (1, 1, 0): math.sqrt(3 / (8 * pi)) * sine,
        (2, 2, 0): math.sqrt(15 / (32 * pi)) * sine**2,
    }
    for (spin, ell, m), form in forms.items():
        flm = np.zeros(9)
        flm[ell * ell + ell + m] = 1
        same(sk.evaluate(flm, theta, phi, spin=spin), form, LAST_PLACES)


@section("Spherical harmonics")
@pytest.mark.parametrize("spin", [-2, -1, 0, 1, 2])
@pytest.mark.parametrize("ell, m", [(2, 0), (3, -2), (4, 3)])
def test_conjugates_and_the_raising_operator(ell, m, spin):
    theta, phi, h = np.array([0.4, 1.3, 2.9]), np.array([0.0, 2.0, 5.5]), 1e-5
    flm, mirrored = np.zeros((2, 25))
    flm[ell * ell + ell + m] = 1
    mirrored[ell * ell + ell - m] = (-1) ** (spin + m)
    f, south, north, east, west = (
        sk.evaluate(flm, theta + a, phi + b, spin=spin)
        for a, b in ((0, 0), (h, 0), (-h, 0), (0, h), (0, -h))
    )
    same(sk.evaluate(mirrored, theta, phi, spin=-spin), f.conj(), SHORT_SUM)
    slope = (south - north + 1j / np.sin(theta) * (east - west)) / (2 * h)
    raised = math.sqrt((ell - spin) * (ell + spin + 1))
    raised = raised * sk.evaluate(flm, theta, phi, spin=spin + 1)
    # Central differences of step 1e-5.
    np.testing.assert_allclose(-(slope - spin / np.tan(theta) * f), raised, rtol=0, atol=1e-8)


@section("Coefficients on the sphere")
@pytest.mark.parametrize("spin", [0, 2, -3])
def test_coefficients(spin, rng):
    flm = random_flm(L, rng)
    f = sk.inverse(flm, L, spin=spin, sampling="gl")
    back = sk.forward(f, L, spin=spin, sampling="gl")
    same(back[spin * spin :], flm[spin * spin :])
    assert not back[: spin * spin].any()


@section("Coefficients on the sphere")
def test_lower_degrees_on_a_finer_grid(rng):
    flm = random_flm(L, rng)
    low = np.where(np.arange(L * L) < 9, flm, 0)
    same(sk.inverse(low, L, sampling="gl"), sk.inverse(flm[:9], 3, sampling=GL(L)))


# --- samples that no signal has -----------------------------------------------------------------------


@section("Samples that are not band-limited")
@pytest.mark.parametrize("of", [MW(7), MWSS(7), CC(7, n_theta=9), CC(7), GL(7)], ids=repr)
@pytest.mark.parametrize("spin", [0, 1, 2])
def test_forward_of_noise_by_the_definition(of, spin, rng):
    f = rng.standard_normal(of.shape) + 1j * rng.standard_normal(of.shape)
    same(sk.forward(f, 7, spin=spin, sampling=of), naive.forward(f, of, 7, spin))
    at_its_own = sk.forward(f, of.L, spin=spin, sampling=of)
    same(sk.forward(f, 4, spin=spin, sampling=of), at_its_own[:16])


# --- real signals -------------------------------------------------------------------------------------

NEED_HERMITIAN = {
    "inverse": lambda flm: sk.inverse(flm, L, reality=True),
    "rotate": lambda flm: wigner.rotate(flm, 0.1, 0.2, 0.3, reality=True),
    "wigner.inverse": lambda flm: wigner.inverse(flm[None], L, 1, reality=True),
    "to_healpy": cv.to_healpy,
    "to_ducc": cv.to_ducc,
    "to_shtools": cv.to_shtools,
}


@section("Real signals")
@pytest.mark.parametrize("name", NEED_HERMITIAN)
@pytest.mark.parametrize("dtype, limit", [(complex, 1e-11), (np.complex64, 1e-5)])
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_hermitian_tolerance(name, dtype, limit, scale, rng):
    """Relative to the largest coefficient, the same everywhere."""
    flm = random_flm(L, rng, reality=True)
    flm *= scale / np.abs(flm).max()
    slightly, more = flm.copy(), flm.copy()
    slightly[7] += 0.8 * limit * scale
    more[7] += 1.25 * limit * scale
    NEED_HERMITIAN[name](slightly.astype(dtype))
    with pytest.raises(ValueError, match="symmetry"):
        NEED_HERMITIAN[name](more.astype(dtype))


@section("Real signals")
def test_adjoints_of_real_signals(rng):
    """<y, Re(B f)> = Re<B^H y, f> on the full layout."""
    f, y = random_flm(L, rng), rng.standard_normal((L, 2 * L - 1))
    B = np.array([sk.inverse(row, L).ravel() for row in np.eye(L * L, dtype=complex)]).T
    same(sk.harmonic.inverse_adjoint(y, L, reality=True), B.conj().T @ y.ravel())
    A = np.array([sk.forward(row.reshape(y.shape), L) for row in np.eye(y.size)]).T
    adjoint = sk.harmonic.forward_adjoint(f, L, reality=True)
    same(adjoint.ravel(), (A.conj().T @ f).real)


# --- rotations ----------------------------------------------------------------------------------------


@section("Rotations")
def test_rotations_are_active_and_zyz(rng):
    """Values of the rotated signal at R omega are those of the signal at omega."""
    flm, R = random_flm(L, rng), wigner.euler.to_rotation(*ANGLES)
    assert wigner.d(0.3, 2)[1][2, 1] == pytest.approx(-math.sin(0.3) / math.sqrt(2), abs=1e-16)
    x = rng.standard_normal((6, 3))
    places = [
        (np.arctan2(np.hypot(v[:, 0], v[:, 1]), v[:, 2]), np.arctan2(v[:, 1], v[:, 0]))
        for v in (x, R.apply(x))
    ]
    same(sk.evaluate(wigner.rotate(flm, *ANGLES), *places[1]), sk.evaluate(flm, *places[0]))


@section("Signals on the rotation group")
def test_operations_on_coefficients(rng):
    f, psi = random_flm(L, rng), random_flm(L, rng)
    flmn, glmn = random_flmn(L, 2, rng), random_flmn(L, 2, rng)
    h, turned = wigner.lift(f, psi, 3), wigner.rotate(flmn, *ANGLES)
    product, convolved = wigner.correlate(flmn, glmn, 3), wigner.zonal(f, psi[:L])
    D = wigner.D(*ANGLES, L)
    for index, ell, m in naive.degrees_and_orders(L):
        row = slice(ell * ell, (ell + 1) ** 2)
        expected = math.sqrt(4 * math.pi / (2 * ell + 1)) * f[index] * psi[ell].conj()
        assert abs(convolved[index] - expected) < IDENTITY
        for n in range(-min(ell, 2), min(ell, 2) + 1):
            psi_n = psi[ell * ell + ell + n].conj()
            assert abs(h[2 + n, index] - 8 * math.pi**2 / (2 * ell + 1) * f[index] * psi_n) < CHAIN
            expected = sum(flmn[k, index] * glmn[k, ell * ell + ell + n].conj() for k in range(3))
            assert abs(product[2 + n, index] - expected) < IDENTITY
        for k in range(3):
            assert abs(turned[k, index] - D[ell][ell + m] @ flmn[k, row]) < IDENTITY


# --- fields of spin -----------------------------------------------------------------------------------


@section("Fields of spin, E and B")
def test_another_spin_would_lose_degrees(rng):
    """So it has no default."""
    flm = random_flm(L, rng, spin=1)
    E, B = cv.spin_to_eb(flm, spin=1)
    same(cv.eb_to_spin(E, B, spin=1), flm)
    assert E[1:4].any() and not cv.spin_to_eb(flm, spin=2)[0][1:4].any()
    for call in (lambda: cv.spin_to_eb(flm), lambda: cv.eb_to_spin(E, B)):
        with pytest.raises(TypeError, match="spin"):
            call()


@section("Winds and gradients")
def test_gradient_of_a_scalar():
    """Of x + y/2 + 2z: its tangential part, by hand."""
    theta, phi = np.array([0.4, 1.3, 2.9]), np.array([0.0, 2.0, 5.5])
    ct, st, cp, sp = np.cos(theta), np.sin(theta), np.cos(phi), np.sin(phi)
    of = GL(L)
    x = np.sin(of.theta)[:, None] * np.cos(of.phi)
    y = np.sin(of.theta)[:, None] * np.sin(of.phi)
    f = x + y / 2 + 2 * np.cos(of.theta)[:, None]
    flm = sk.forward(f, L, sampling=of, reality=True)
    ell = degree(L)
    E = np.sqrt(ell * (ell + 1)) * flm
    field = sk.evaluate(cv.eb_to_spin(E, 0 * E, spin=1), theta, phi, spin=1)
    south = ct * cp + ct * sp / 2 - 2 * st
    east = -sp + cp / 2
    same(field, south + 1j * east)


@section("Winds and gradients")
def test_kinetic_energy(rng):
    of = GL(2 * L - 1)
    E, B = (random_flm(L, rng, reality=True) for _ in range(2))
    E[0] = B[0] = 0
    field = sk.inverse(cv.eb_to_spin(E, B, spin=1), L, spin=1, sampling=of)
    u, v = field.imag, -field.real
    mean = (of.weights * (u**2 + v**2)).sum() / (4 * math.pi)
    assert mean == pytest.approx(
        (np.abs(E) ** 2 + np.abs(B) ** 2).sum() / (4 * math.pi), rel=IDENTITY
    )


@section("Polarization")
def test_the_sign_of_u(rng):
    """Of a map without B, read with the other sign of U, over 40 % of the power goes to B."""
    E = random_flm(32, rng, reality=True)
    E[:4] = 0
    f = sk.inverse(cv.eb_to_spin(E, 0 * E, spin=2), 32, spin=2)
    assert np.abs(cv.spin_to_eb(sk.forward(f, 32, spin=2), spin=2)[1]).max() < IDENTITY
    _, B = cv.spin_to_eb(sk.forward(f.conj(), 32, spin=2), spin=2)
    assert 0.4 < np.sum(np.abs(B) ** 2) / np.sum(np.abs(E) ** 2) < 0.5


# --- spectra, wavelets, scattering ----------------------------------------------------------------------


@section("Power spectra")
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e25])
def test_power_of_single_precision(scale, rng):
    flm = random_flm(L, rng, reality=True) * scale
    single = flm.astype(np.complex64)
    C = power(single)
    assert C.dtype == np.float64
    np.testing.assert_allclose(C, power(single.astype(complex)), rtol=SHORT_SUM, atol=0)
    np.testing.assert_allclose(C, power(flm), rtol=SINGLE_VALUES, atol=0)
    total = np.sum((2 * np.arange(L) + 1) * power(flm))
    f = sk.inverse(flm / scale, L, sampling=GL(2 * L - 1), reality=True)
    assert total / scale**2 == pytest.approx(np.sum(GL(2 * L - 1).weights * f**2), rel=IDENTITY)


@section("Scattering covariances")
@pytest.mark.parametrize("N, directions", [(1, 1), (2, 4), (3, 5)])
def test_rings_of_the_smallest_scales(N, directions, rng):
    """Scale 0 has band-limit 2: with oversample=1 its modulus is on 2 rings, or as many as orientations."""
    flm = random_flm(8, rng, reality=True)
    C, psi = Covariances(8, N=N, oversample=1), Wavelets(8, N=N, reality=True).filters[0]
    rings, means = max(2, directions), []
    for n in (2, rings):
        weights = np.array([weight for _, _, weight in naive.samples(GL(n))]) / (4 * math.pi)
        W = naive.wavelet_matrix(psi, GL(n), 0.0) @ flm
        means.append((weights * np.abs(W)).sum())
    S1 = C.from_flm(flm).S1
    assert S1.shape[-1] == C.directions == directions
    assert S1[0, 0] == pytest.approx(means[1], rel=CHAIN)
    assert N == 1 or abs(means[0] - means[1]) > 1e-3 * means[1]


# --- real harmonics, types, frames -----------------------------------------------------------------------


@section("Real harmonics")
def test_real_unknowns_are_those_of_from_real(rng):
    x = rng.standard_normal(L * L)
    operator = sk.harmonic.synthesis_operator(L, sampling="healpix:4", reality=True)
    expected = sk.inverse(cv.from_real(x), L, sampling="healpix:4", reality=True)
    same(operator.matvec(x), expected)


@section("Signals in networks")
def test_arrays_of_networks(rng):
    assert nn.Sphere(L, 3).shape(2) == (2, 3, 25)
    assert nn.SpinFields(L, (0, 1), 3).shape(2) == (2, 3, 2, 25)
    assert nn.SO3(L, 2, 3).shape(2) == (2, 3, 3, 25)
    assert nn.Features(4).shape(2) == (2, 4)
    x = random_flm(L, rng, reality=True, shape=(2, 3))
    net = nn.Sequential(nn.Sphere(L, 3), nn.ToFragments())
    same(net([{}], x), cv.to_real(x))
    fragments = nn.Fragments((1, 2), 3)
    assert fragments.shape(2) == (2, 3, 7) and fragments.rows(1, 1) == slice(4, 7)


TYPES = [
    (np.float32, np.float32, np.complex64),
    (">f4", np.float32, np.complex64),
    (np.float64, np.float64, np.complex128),
    (">f8", np.float64, np.complex128),
    (np.int8, np.float64, np.complex128),
    (np.uint64, np.float64, np.complex128),
    (bool, np.float64, np.complex128),
]


@section("Types of numbers")
@pytest.mark.parametrize("dtype, real, complex_", TYPES)
def test_types_of_results(dtype, real, complex_):
    f = np.ones((L, 2 * L - 1)).astype(dtype)
    flm = sk.forward(f, L, reality=True)
    assert flm.dtype == complex_ and sk.forward(f, L).dtype == complex_
    assert sk.inverse(flm, L, reality=True).dtype == real
    assert power(flm).dtype == np.float64
    coefficients = np.eye(1, L * L).astype(dtype)[0]
    assert sk.inverse(coefficients, L).dtype == complex_
    assert sk.inverse(coefficients, L, reality=True).dtype == real
    assert wigner.rotate(coefficients, *ANGLES).dtype == complex_
    assert wigner.inverse(coefficients[None], L, 1, reality=True).dtype == real
    assert Wavelets(L, reality=True).analysis_flm(coefficients)[0].dtype == real
    assert power(coefficients).dtype == np.float64
    assert cv.to_healpy(coefficients).dtype == complex_


@section("Types of numbers")
def test_what_is_refused_and_what_is_converted():
    from astropy import units

    f = np.ones((L, 2 * L - 1))
    assert np.array_equal(sk.forward(f.tolist(), L), sk.forward(f, L))
    assert np.array_equal(sk.forward(f * units.one, L), sk.forward(f, L))
    masked = np.ma.masked_less(np.arange(f.size, dtype=float).reshape(f.shape), 3)
    text = np.full(f.shape, "1")
    for bad in (
        f.astype(np.float16),
        f.astype(np.longdouble),
        f.astype(np.clongdouble),
        f.astype(object),
        text,
        masked,
        f * units.K,
    ):
        with pytest.raises(TypeError):
            sk.forward(bad, L)
    flm = sk.forward(f, L)
    for bad in (2.0, "2", True, None):
        with pytest.raises(TypeError):
            sk.inverse(flm, L, spin=bad)
    with pytest.raises(ValueError, match="spin"):
        sk.inverse(flm, L, spin=L)
    turned = wigner.rotate(flm, 30 * units.deg, 1 * units.rad, 0 * units.arcmin)
    same(turned, wigner.rotate(flm, math.pi / 6, 1.0, 0.0))
    with pytest.raises(ValueError, match="angle"):
        wigner.rotate(flm, 30 * units.m, 1.0, 0.0)


# --- files --------------------------------------------------------------------------------------------


def write_table(path, columns, **header):
    from astropy.io import fits

    table = fits.BinTableHDU.from_columns([fits.Column(**column) for column in columns])
    table.header.update(header)
    table.writeto(path)


@section("Files")
@pytest.mark.parametrize("convention, sign", [("IAU", -1), ("COSMO", 1), (None, 1)])
def test_sign_of_u_in_files(convention, sign, tmp_path, rng):
    path, (Q, U) = tmp_path / "map.fits", rng.standard_normal((2, 12))
    columns = [dict(name=n, format="D", array=x) for n, x in (("Q_STOKES", Q), ("U_STOKES", U))]
    stated = {} if convention is None else {"POLCCONV": convention}
    write_table(path, columns, ORDERING="RING", NSIDE=1, COORDSYS="Galactic", **stated)
    sky = io.read_map(path, field=None)
    assert sky.frame == "galactic"
    np.testing.assert_array_equal(sky.values, [Q, sign * U])


@section("Files")
def test_missing_samples_in_files(tmp_path):
    path, x = tmp_path / "map.fits", np.arange(1.0, 13.0)
    x[3], x[4], x[5] = np.nan, np.float32(-1.6375e30), -99
    null = dict(name="N", format="J", array=np.arange(12), null=7)
    columns = [dict(name="T", format="D", array=x), null]
    write_table(path, columns, ORDERING="RING", NSIDE=1, BAD_DATA=-99)
    T, N = (io.read_map(path, field=name).values for name in "TN")
    assert np.flatnonzero(io.missing_samples(T)).tolist() == [3, 4, 5]
    assert np.flatnonzero(io.missing_samples(N)).tolist() == [7]
    with pytest.raises(ValueError, match="1 of 12"):
        io.missing_samples(np.where(np.arange(12) == 3, 1e16, 1.0))


@section("Files")
@pytest.mark.parametrize(
    "spelling, frame",
    [
        ("g ", "galactic"),
        ("ECLIPTIC", "ecliptic"),
        ("Equatorial", "equatorial"),
        ("ICRS", "equatorial"),
        ("q", "equatorial"),
    ],
)
def test_frames_and_masks_in_files(spelling, frame):
    assert io.frame_of(spelling) == frame


@section("Files")
def test_masks_in_files(tmp_path):
    with pytest.raises(ValueError, match="galactic"):
        io.frame_of("EQUATORIALISH")
    masked = np.ma.masked_less(np.arange(12.0), 2)
    io.write_map(tmp_path / "map.fits", masked, coordsys="equatorial")
    sky = io.read_map(tmp_path / "map.fits")
    assert np.flatnonzero(io.missing_samples(sky.values)).tolist() == [0, 1]
    assert sky.coordsys == "C"
