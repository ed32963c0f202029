"""Converters: exact both ways, against the definitions of the other layouts and stored values."""

import numpy as np
import pytest
import tolerances
from helpers.data import oracle

import spherekit as sk
from spherekit import conventions as cv
from spherekit.spectra import gaussian_flm, power
from spherekit.testing import random_flm

NORMALIZATIONS = ["4pi", "ortho", "schmidt", "unnorm"]
REAL = np.zeros(16, complex)
SHTOOLS = [(n, p, k) for n in NORMALIZATIONS for p in (1, -1) for k in ("real", "complex")]


def assert_close(got, expected, limit=tolerances.IDENTITY):
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= limit * np.abs(expected).max()


# --- healpy ---------------------------------------------------------------------------------------


def test_healpy_layout(rng):
    flm = random_flm(6, rng, reality=True, shape=(2,))
    alm = cv.to_healpy(flm)
    at = 0
    for m in range(6):
        for ell in range(m, 6):
            assert np.array_equal(alm[:, at], flm[:, ell * ell + ell + m])
            at += 1
    assert np.array_equal(cv.from_healpy(alm, 6), flm)
    short = cv.from_healpy(alm[:, : 6 + 5 + 4], 6, mmax=2)
    assert np.array_equal(short[:, 5 * 5 + 5 + 2], flm[:, 5 * 5 + 5 + 2]) and not short[:, -1].any()
    assert np.array_equal(cv.to_healpy(flm, mmax=2), alm[:, : 6 + 5 + 4])


def test_healpy_ignores_the_imaginary_part_of_order_0(rng):
    alm = rng.standard_normal(10) + 1j * rng.standard_normal(10)
    flm = cv.from_healpy(alm, 4)
    sk.inverse(flm, 4, reality=True)  # Hermitian, or it would be refused
    alm[:4] = alm[:4].real
    assert np.array_equal(cv.to_healpy(flm), alm)


# --- s2fft ----------------------------------------------------------------------------------------


def test_s2fft_layout(rng):
    flm = random_flm(5, rng, shape=(3,))
    assert np.array_equal(cv.from_s2fft(cv.to_s2fft(flm)), flm)
    assert cv.to_s2fft(flm)[1, 3, 4 - 2] == flm[1, 3 * 3 + 3 - 2]
    assert np.count_nonzero(cv.to_s2fft(flm)[0]) == 25


# --- SHTOOLS --------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalization, csphase, kind", SHTOOLS)
def test_shtools_signals_are_those_of_pyshtools(normalization, csphase, kind):
    data, options = oracle("shtools"), dict(csphase=csphase, kind=kind)
    flm = cv.from_shtools(data[f"cilm/{kind}"], normalization=normalization, **options)
    reality = kind == "real"
    values = sk.evaluate(flm, data["theta"], data["phi"], reality=reality)
    assert_close(values, data[f"value/{kind}/{normalization}/{csphase}"])


@pytest.mark.parametrize("normalization, csphase, kind", SHTOOLS)
def test_shtools_conversions_are_those_of_pyshtools(normalization, csphase, kind):
    data = oracle("shtools")
    flm = cv.from_shtools(data[f"cilm/{kind}"], normalization="4pi", csphase=1, kind=kind)
    cilm = cv.to_shtools(flm, normalization=normalization, csphase=csphase, kind=kind)
    expected = data[f"convert/{kind}/{normalization}/{csphase}"]
    assert cilm.dtype == expected.dtype
    np.testing.assert_allclose(cilm, expected, rtol=tolerances.SHORT_SUM, atol=0)


@pytest.mark.parametrize("normalization", ["4pi", "schmidt"])
@pytest.mark.parametrize("kind", ["real", "complex"])
def test_shtools_at_a_larger_degree(normalization, kind):
    data, L = oracle("shtools"), 80
    raw = np.random.PCG64(2).random_raw(4 * L * L).reshape(2, 2, L, L)
    parts = (raw >> np.uint64(11)) * 2.0**-52 - 1
    cilm = parts[0] + 1j * parts[1] if kind == "complex" else parts[0]
    flm = cv.from_shtools(cilm, normalization=normalization, csphase=1, kind=kind)
    values = sk.evaluate(flm, data["theta"], data["phi"], reality=kind == "real")
    assert_close(values, data[f"large/{kind}/{normalization}"], tolerances.STORED)


@pytest.mark.parametrize("normalization, csphase, kind", SHTOOLS)
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize("L, shape", [(1, ()), (2, (3,)), (29, (2, 1))])
def test_shtools_there_and_back(L, shape, normalization, csphase, kind, dtype, rng):
    options = dict(normalization=normalization, csphase=csphase, kind=kind)
    reality = kind == "real"
    flm = random_flm(L, rng, reality=reality, shape=shape, dtype=dtype)
    cilm = cv.to_shtools(flm, **options)
    assert cilm.shape == (*shape, 2, L, L)
    assert cilm.dtype == (flm.real.dtype if reality else flm.dtype)
    assert not np.triu(cilm, 1).any() and not cilm[..., 1, :, 0].any()
    back = cv.from_shtools(cilm, **options)
    assert back.dtype == dtype
    # Far below the smallest normal number of its type a coefficient has fewer digits.
    tiny = np.finfo(dtype).tiny if normalization == "unnorm" and dtype == np.complex64 else 0
    assert np.all(np.abs(back - flm) <= 4 * np.finfo(dtype).eps * np.abs(flm) + tiny)


def test_shtools_defaults_are_those_of_pyshtools(rng):
    flm = random_flm(4, rng, reality=True)
    explicit = cv.to_shtools(flm, normalization="4pi", csphase=1, kind="real")
    assert np.array_equal(cv.to_shtools(flm), explicit)
    assert np.array_equal(cv.from_shtools(explicit.tolist()), cv.from_shtools(explicit))


@pytest.mark.parametrize("kind", ["real", "complex"])
def test_shtools_reads_only_its_triangle(kind, rng):
    """Entries that stand for no coefficient, whatever they hold, are left alone."""
    cilm = rng.standard_normal((2, 5, 5))
    clean = np.tril(cilm)
    clean[1, :, 0] = 0
    got, expected = (cv.from_shtools(x, kind=kind) for x in (cilm, clean))
    assert np.array_equal(got, expected)


def test_a_constant_and_a_dipole_in_shtools():
    """In 4 pi normalisation a coefficient is an amplitude: 3 + 2 sqrt(3) cos(theta)."""
    cilm = np.zeros((2, 2, 2))
    cilm[0, 0, 0], cilm[0, 1, 0] = 3, 2
    flm = cv.from_shtools(cilm, normalization="4pi", csphase=1, kind="real")
    theta = np.array([0.0, 1.0, 2.0])
    got = sk.evaluate(flm, theta, 0 * theta, reality=True)
    assert_close(got, 3 + 2 * np.sqrt(3) * np.cos(theta))


# --- ducc0, E and B -------------------------------------------------------------------------------


@pytest.mark.parametrize("spin", [0, 1, 2, 3])
@pytest.mark.parametrize("mmax", [5, 3])
def test_ducc_fields_are_those_of_ducc(spin, mmax):
    data = oracle("ducc")
    alm, maps = data[f"alm/{spin}/{mmax}"], data[f"map/{spin}/{mmax}"]
    flm = cv.from_ducc(alm, 6, spin=spin, mmax=mmax)
    f = sk.inverse(flm, 6, spin=spin, sampling="gl", reality=spin == 0)
    assert_close(f, maps[0] + 1j * maps[1] if spin else maps)
    alm = alm * (np.concatenate([np.arange(m, 6) for m in range(mmax + 1)]) >= spin)
    assert_close(cv.to_ducc(flm, spin=spin, mmax=mmax), alm)


def test_ducc_there_and_back(rng):
    flm = random_flm(6, rng, spin=3, shape=(2, 1), dtype=np.complex64)
    alm = cv.to_ducc(flm, spin=3)
    assert alm.shape == (2, 1, 2, 21) and alm.dtype == np.complex64
    assert np.abs(cv.from_ducc(alm, 6, spin=3) - flm).max() <= tolerances.SINGLE_VALUES
    real = random_flm(6, rng, reality=True)
    assert np.array_equal(cv.to_ducc(real), cv.to_healpy(real))
    assert np.array_equal(cv.from_ducc(cv.to_ducc(real), 6), real)


def test_electric_and_magnetic_parts(rng):
    E, B = (random_flm(6, rng, reality=True) for _ in range(2))
    E[:4], B[:4] = 0, 0
    for got, want in zip(cv.spin_to_eb(cv.eb_to_spin(E, B, spin=2), spin=2), (E, B), strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=tolerances.LAST_PLACES)


@pytest.mark.parametrize("spin", [1, 2, 3])
def test_electric_and_magnetic_parts_hold_every_degree_of_the_field(spin, rng):
    """All energy of the field, from l = spin on, and nothing below."""
    flm = random_flm(6, rng, spin=spin, shape=(2,))
    E, B = cv.spin_to_eb(flm, spin=spin)
    assert_close(cv.eb_to_spin(E, B, spin=spin), flm)
    assert_close(
        power(E).sum(-1) * 0 + (abs(E) ** 2 + abs(B) ** 2).sum(-1), (abs(flm) ** 2).sum(-1)
    )
    below = slice(0, spin * spin)
    ones = np.ones(36)
    for part in (*cv.spin_to_eb(ones, spin=spin), cv.eb_to_spin(ones, ones, spin=spin)):
        assert not part[below].any() and part[spin * spin :].any()
    for part in (E, B):
        sk.inverse(part[0], 6, reality=True)  # Hermitian, or it would be refused


@pytest.mark.parametrize(
    "call",
    [
        lambda: cv.spin_to_eb(REAL),
        lambda: cv.eb_to_spin(REAL, REAL),
        lambda: cv.spin_to_eb(REAL, 2),
        lambda: cv.eb_to_spin(REAL, REAL, 2),
        lambda: cv.spin_to_eb(REAL, spin=2.0),
        lambda: cv.spin_to_eb(REAL, spin=True),
    ],
)
def test_the_spin_of_a_field_is_said(call):
    with pytest.raises(TypeError, match="spin"):
        call()


@pytest.mark.parametrize("spin", [0, -1, 4])
def test_the_spin_of_a_field_is_in_range(spin):
    with pytest.raises(ValueError, match=f"spin is {spin}.*>= 1 and <= 3"):
        cv.spin_to_eb(np.zeros(16), spin=spin)


# --- refusals -------------------------------------------------------------------------------------

NOT_REAL = np.arange(16) + 1j
CILM = np.zeros((2, 4, 4))
REFUSALS = [
    (lambda: cv.from_healpy(np.zeros(11), 4), r"shape \(11,\).*need \(\.\.\., 10\)"),
    (lambda: cv.from_healpy(np.zeros(10), 4, mmax=2), r"mmax=2 need \(\.\.\., 9\)"),
    (lambda: cv.from_healpy(np.zeros(10), 4, mmax=4), "mmax is 4; .*<= 3 .*L = 4"),
    (lambda: cv.from_healpy(np.zeros(10), 0), "L is 0"),
    (lambda: cv.to_healpy(np.zeros(15)), r"flat layout is \(\.\.\., L\*L\)"),
    (lambda: cv.to_healpy(NOT_REAL), "not those of a real signal.*m >= 0"),
    (lambda: cv.to_healpy(REAL + np.nan), "not those of a real signal"),
    (lambda: cv.from_s2fft(np.zeros((4, 8))), r"\(4, 8\).*\(\.\.\., L, 2L-1\)"),
    (lambda: cv.from_shtools(np.zeros((4, 4))), r"\(4, 4\).*\(\.\.\., 2, L, L\)"),
    (lambda: cv.from_shtools(np.zeros((2, 4, 5))), r"\(\.\.\., 2, L, L\)"),
    (lambda: cv.from_shtools(np.zeros((3, 4, 4))), r"\(\.\.\., 2, L, L\)"),
    (lambda: cv.from_shtools(CILM, normalization="norm"), '"4pi", "ortho", "schmidt", "unnorm"'),
    (lambda: cv.from_shtools(CILM, csphase=0), "csphase must be 1 .* or -1 .*; got 0"),
    (lambda: cv.from_shtools(CILM, kind="Real"), 'kind must be "real" or "complex"; got \'Real\''),
    (
        lambda: cv.from_shtools(np.zeros((2, 87, 87)), normalization="unnorm"),
        "up to 85 .*degree 86",
    ),
    (lambda: cv.to_shtools(NOT_REAL), 'not those of a real signal.*kind="complex"'),
    (lambda: cv.to_shtools(np.zeros(900, "c8"), normalization="unnorm"), "up to 28 .*degree 29"),
    (lambda: cv.from_ducc(np.zeros((1, 10)), 4, spin=2), r"needs \(\.\.\., 2, n\), E and B"),
    (lambda: cv.from_ducc(np.zeros((2, 10)), 4, spin=-2), "spin is -2"),
    (lambda: cv.to_ducc(REAL, spin=-1), "spin is -1"),
    (lambda: cv.eb_to_spin(REAL, REAL, spin=-2), "spin is -2"),
    (lambda: cv.eb_to_spin(REAL, np.zeros(25), spin=1), "the same band-limit"),
]


@pytest.mark.parametrize("call, message", REFUSALS)
def test_refusals_say_what_is_wanted(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_types_are_those_of_the_transforms():
    with pytest.raises(TypeError, match='complex.*pass kind="complex"'):
        cv.from_shtools(np.zeros((2, 3, 3), complex))
    for convert in (cv.to_healpy, cv.to_s2fft, cv.to_shtools, cv.to_ducc, power):
        with pytest.raises(TypeError, match="dtype"):
            convert(np.zeros(16, np.float16))
    assert cv.to_s2fft(np.arange(4).astype(">i2")).dtype == float
    assert cv.from_healpy(np.ones(3, ">c8"), 2).dtype == np.complex64


def test_table_states_the_layout():
    assert "flm[..., l*l+l+m]" in cv.table()
    for name in cv.__all__:
        if name.startswith("from_"):
            assert name in cv.table()


# --- spectra --------------------------------------------------------------------------------------


def test_spectra(rng):
    cl = 1.0 / (1 + np.arange(40.0))
    mean = np.mean([power(gaussian_flm(cl, 40, rng)) for _ in range(300)], axis=0)
    spread = np.sqrt(2 / (2 * np.arange(40) + 1) / 300)
    assert np.all(np.abs(mean / cl - 1) < 5 * spread)
    assert cv.to_healpy(gaussian_flm(cl, 40, rng)).shape == (820,)
    with pytest.raises(ValueError, match="expected finite values >= 0"):
        gaussian_flm(-cl, 40, rng)
    with pytest.raises(ValueError, match="at least 41"):
        gaussian_flm(cl, 41, rng)
    assert np.array_equal(gaussian_flm(cl, 40, 7), gaussian_flm(cl, 40, np.random.default_rng(7)))


@pytest.mark.parametrize(
    "spectrum, seed, words",
    [
        ({"TT": np.ones(4)}, 0, "cl has dtype object .dict."),
        (np.ones(4) + 1j, 0, "real"),
        (np.ones(4), None, "rng is None"),
        (np.ones(4), np.random, "rng is"),
        (np.ones(4), 0.5, "rng is 0.5"),
    ],
)
def test_spectra_and_seeds_that_are_refused(spectrum, seed, words):
    with pytest.raises(TypeError, match=words):
        gaussian_flm(spectrum, 4, seed)


SCALES = {
    **dict.fromkeys((np.float32, np.complex64), (-120, -60, 60, 116)),
    **dict.fromkeys((np.float64, np.complex128), (-500, -60, 60, 496)),
}


@pytest.mark.parametrize(
    "dtype, exponent", [(dtype, n) for dtype, exponents in SCALES.items() for n in exponents]
)
def test_power_of_any_size(dtype, exponent, rng):
    """C_l(s f) = s^2 C_l(f) for all that the type of f holds the square roots of."""
    flm, scale = random_flm(5, rng), 2.0**exponent
    f = (flm if dtype in (np.complex64, np.complex128) else flm.real).astype(dtype)
    scaled = power((f * f.real.dtype.type(scale)).astype(dtype))
    assert scaled.dtype == np.float64
    np.testing.assert_allclose(scaled / scale**2, power(f), rtol=tolerances.CHAIN, atol=0)


def test_power_by_the_definition(rng):
    f, g = random_flm(7, rng, shape=(2, 1)), random_flm(7, rng, shape=(3,))
    got = power(f, g)
    assert got.shape == (2, 3, 7) and np.array_equal(power(f), power(f, f))
    for ell in range(7):
        row = slice(ell * ell, (ell + 1) ** 2)
        expected = np.sum(f[..., row] * g[..., row].conj(), axis=-1).real / (2 * ell + 1)
        np.testing.assert_allclose(got[..., ell], expected, rtol=0, atol=tolerances.LAST_PLACES)
    single = f.astype(np.complex64)
    assert np.array_equal(power(single), power(single.astype(complex)))
    with pytest.raises(ValueError, match=r"\(16,\)"):
        power(f, np.zeros(16))
