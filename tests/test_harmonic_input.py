"""Bad input is refused with the cause and the remedy; odd but legal input works untouched."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tolerances import CHAIN, IDENTITY, SHORT_SUM

import spherekit as sk
from spherekit.harmonic import synthesis_operator
from spherekit.sampling import CC, DH, GL, MW, MWSS, DHPole, HEALPix, Rings
from spherekit.testing import random_flm

UNSEEN = -1.6375e30
#: Round trips of L < 10 on finer grids: their sums are as long as those of L = 10.
ANY_GRID = 7e-14
L = 6
KINDS = [MW, MWSS, DH, DHPole, GL, CC]
GRIDS = [*(kind(L) for kind in KINDS), HEALPix(4), Rings([0.0, 0.5, 1.5, np.pi], [1, 9, 20, 4])]


@pytest.fixture
def f(rng):
    return rng.standard_normal((L, 2 * L - 1))


@pytest.fixture
def flm(rng):
    return random_flm(L, rng, reality=True)


def samples_in(grid):
    """The two maps that take samples, as functions of the samples."""
    return [
        lambda x, **k: sk.forward(x, L, sampling=grid, **k),
        lambda x, **k: sk.inverse_adjoint(x, L, sampling=grid, **k),
    ]


def coefficients_in(grid):
    return [
        lambda x, **k: sk.inverse(x, L, sampling=grid, **k),
        lambda x, **k: sk.forward_adjoint(x, L, sampling=grid, **k),
    ]


# --- shapes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape", [(L, 2 * L), (L - 1, 2 * L - 1), (2 * L - 1,), (), (2 * L - 1, L)]
)
@pytest.mark.parametrize("call", samples_in("mw"))
def test_wrong_samples_name_the_shape(call, shape):
    with pytest.raises(ValueError, match=r"MW\(L=6.*needs \(\.\.\., 6, 11\)"):
        call(np.zeros(shape))


@pytest.mark.parametrize("call", samples_in("mw"))
def test_wrong_samples_name_a_way_out(call):
    with pytest.raises(ValueError, match="reshape"):
        call(np.zeros(L * (2 * L - 1)))


@pytest.mark.parametrize("call", samples_in(HEALPix(4)))
def test_wrong_pixels_name_a_way_out(call):
    with pytest.raises(ValueError, match=r"\(\.\.\., 192\).*12 nside\^2.*RING"):
        call(np.zeros(12 * 25))


@pytest.mark.parametrize(
    "shape, hint",
    [
        ((L * (L + 1) // 2,), "from_healpy"),
        ((3, L * (L + 1) // 2), "from_healpy"),
        ((L, 2 * L - 1), "from_s2fft"),
        ((2, L, L), "from_shtools"),
        ((L * L + 1,), r"\(\.\.\., 36\)"),
        ((), r"\(\.\.\., 36\)"),
    ],
)
@pytest.mark.parametrize("call", coefficients_in("mw"))
def test_wrong_coefficients_name_the_shape_and_a_converter(call, shape, hint):
    with pytest.raises(ValueError, match=r"needs \(\.\.\., 36\)"):
        call(np.zeros(shape, complex))
    with pytest.raises(ValueError, match=hint):
        call(np.zeros(shape, complex))


@pytest.mark.parametrize(
    "theta, words",
    [
        ([0.1, -0.1], r"theta.*\[0, pi\]"),
        ([0.1, 3.2], r"theta.*\[0, pi\]"),
        ([0.1, np.nan], "theta.*finite"),
        ([np.inf, 0], "theta.*finite"),
    ],
)
def test_wrong_colatitudes(theta, words, flm):
    with pytest.raises(ValueError, match=words):
        sk.evaluate(flm, theta, [0.0, 2.0])
    with pytest.raises(ValueError, match=words):
        sk.evaluate_adjoint(np.zeros(2), theta, [0.0, 2.0], L)


def test_wrong_points(flm):
    theta, phi = np.array([0.1, 1.0]), np.array([0.0, 2.0])
    with pytest.raises(ValueError, match="finite"):
        sk.evaluate(flm, theta, [0, np.nan])
    with pytest.raises(ValueError):
        sk.evaluate(flm, [0.1, 0.2, 0.3], phi)
    with pytest.raises(ValueError, match="shape"):
        sk.evaluate(flm[:-1], theta, phi)
    with pytest.raises(ValueError, match=r"expected \(\.\.\., 2\)"):
        sk.evaluate_adjoint(np.zeros(3), theta, phi, L)
    with pytest.raises(ValueError, match="NaN"):
        sk.evaluate_adjoint([0, np.nan], theta, phi, L)
    for index in range(L * L):
        bad = flm.copy()
        bad[index] = np.nan
        for reality in (True, False):
            with pytest.raises(ValueError, match="NaN"):
                sk.evaluate(bad, theta, phi, reality=reality)


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("grid", GRIDS, ids=lambda g: g.name)
def test_any_bad_sample_is_found_and_counted(grid, bad, rng):
    clean = rng.standard_normal(grid.shape)
    message = rf"\b1 samples are NaN or infinite and 0 are UNSEEN, of {clean.size}.*mask="
    of_adjoint = rf"\b1 samples are NaN or infinite, of {clean.size}; an adjoint would spread them"
    for position in np.ndindex(*grid.shape):
        f = clean.copy()
        f[position] = bad
        for call, words in zip(samples_in(grid), (message, of_adjoint), strict=True):
            with pytest.raises(ValueError, match=words):
                call(f, reality=True)
            with pytest.raises(ValueError, match=words):
                call(f + 0j)
        f = clean + 0j
        f.imag[position] = bad
        with pytest.raises(ValueError, match=message):
            samples_in(grid)[0](f, spin=2)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("grid", [*GRIDS, HEALPix(64), GL(512)], ids=str)
def test_unseen_is_found_and_counted(grid, dtype, rng):
    """-1.6375e30, healpy's mark, also rounded to float32, also alone on a long ring."""
    clean = rng.standard_normal(grid.shape).astype(dtype)
    positions = list(np.ndindex(*grid.shape))
    for position in positions[:: max(1, len(positions) // 40)]:
        f = clean.copy()
        f[position] = UNSEEN
        for call in samples_in(grid):
            with pytest.raises(ValueError, match="1 are UNSEEN.*mask="):
                call(f, reality=True)
            with pytest.raises(ValueError, match="1 are UNSEEN.*analyse"):
                call(f.astype(np.result_type(dtype, np.complex64)))


def test_several_bad_samples_are_counted(rng):
    f = rng.standard_normal((3, *MW(L).shape))
    f[1, 2, :4] = np.nan, np.inf, -np.inf, UNSEEN
    f[2, 0, 5] = UNSEEN
    with pytest.raises(ValueError, match=r"3 samples are NaN or infinite and 2 are UNSEEN"):
        sk.forward(f, L, reality=True)
    with pytest.raises(ValueError, match=r"3 samples are NaN or infinite and 2 are UNSEEN"):
        sk.forward(f, L)


def test_large_samples_are_not_taken_for_bad_ones(f):
    """The mark is a value, not a size: units may be large."""
    small = sk.forward(f, L, reality=True)
    large = sk.forward(1e29 * f, L, reality=True)
    assert np.abs(large / 1e29 - small).max() <= SHORT_SUM


@pytest.mark.parametrize("bad", [np.nan, np.inf, complex(0, np.nan), complex(0, -np.inf)])
@pytest.mark.parametrize("grid", [MW(L), GL(L), HEALPix(4)])
def test_any_bad_coefficient_is_found(grid, bad, flm):
    for index in range(L * L):
        broken = flm.copy()
        broken[index] = bad
        for call in coefficients_in(grid):
            for reality in (False, True):
                with pytest.raises(ValueError, match="NaN or|infinite"):
                    call(broken, reality=reality)
        if index >= 9:
            with pytest.raises(ValueError, match="NaN or|infinite"):
                sk.inverse(broken, L, sampling=grid, spin=-3)


@pytest.mark.parametrize("call", samples_in("mw"))
def test_a_mask_of_numpy_is_not_dropped(call, f):
    """A masked array says that some samples are bad; only ``mask=`` can take that up."""
    masked = np.ma.MaskedArray(f, mask=f > 1)
    with pytest.raises((TypeError, ValueError), match="mask"):
        call(masked)


@pytest.mark.parametrize("call", samples_in("mw"))
def test_complex_samples_of_a_real_signal(call, f):
    with pytest.raises(TypeError, match="complex.*real signal.*reality=False"):
        call(f + 0j, reality=True)
    with pytest.raises(TypeError, match="complex"):
        call((f + 1j).astype(np.complex64), reality=True)


def test_complex_values_of_a_real_signal(f):
    with pytest.raises(TypeError, match="complex"):
        sk.evaluate_adjoint([1j], [1.0], [1.0], L, reality=True)


@pytest.mark.parametrize("grid", GRIDS, ids=lambda g: g.name)
def test_broken_symmetry_of_a_real_signal(grid, flm):
    """Every coefficient that breaks f_{l,-m} = (-1)^m conj f_lm by more than rounding."""
    options = dict(sampling=grid, reality=True)
    for index in range(L * L):
        for change in (1e-6j, 1.0j):
            broken = flm.copy()
            broken[index] += change
            with pytest.raises(ValueError, match="symmetry.*reality=False"):
                sk.inverse(broken, L, **options)
            sk.forward_adjoint(broken, L, **options)
        rounded = flm.copy()
        rounded[index] += 1e-15j
        sk.inverse(rounded, L, **options)
        single = flm.astype(np.complex64)
        single[index] += np.complex64(1e-7j)
        sk.inverse(single, L, **options)
        single[index] += np.complex64(0.01j)
        with pytest.raises(ValueError, match="symmetry"):
            sk.inverse(single, L, **options)


def test_a_small_signal_must_be_symmetric_too(flm):
    """The tolerance is relative to the coefficients, not absolute."""
    small = 1e-20 * flm
    sk.inverse(small, L, reality=True)
    small[L] += 1e-22j
    with pytest.raises(ValueError, match="symmetry"):
        sk.inverse(small, L, reality=True)


# --- parameters -----------------------------------------------------------------------------------


GRID_CALLS = [
    "forward",
    "inverse",
    "forward_adjoint",
    "inverse_adjoint",
    "analyse",
    "synthesis_operator",
]
EVERY_CALL = [*GRID_CALLS, "evaluate", "evaluate_adjoint"]


def call(name, L, **options):
    """A public function of that name, on zeros of the sizes of L = 6 on MW."""
    f, flm, point = np.zeros((6, 11)), np.zeros(36), [1.0]
    if name == "evaluate":
        return sk.evaluate(flm, point, point, **options)
    if name == "evaluate_adjoint":
        return sk.evaluate_adjoint([0.0], point, point, L, **options)
    options = {"sampling": "mw", **options}
    if name == "synthesis_operator":
        return synthesis_operator(L, **options)
    x = flm if name in ("inverse", "forward_adjoint") else f
    return getattr(sk, name)(x, L, **options)


@pytest.mark.parametrize("name", [*GRID_CALLS, "evaluate_adjoint"])
@pytest.mark.parametrize("bad", [0, -1, 2.5, "6", None, True, 6.0, [6]])
def test_bad_band_limit(bad, name):
    with pytest.raises((ValueError, TypeError), match=r"\bL\b.*integer"):
        call(name, bad)


@pytest.mark.parametrize("bad", [0, -1, 2.5, "6", None, True, 6.0, [6]])
def test_bad_band_limit_of_an_estimate(bad):
    with pytest.raises((ValueError, TypeError), match=r"\bL\b.*integer"):
        sk.estimate_memory(bad)


@pytest.mark.parametrize("name", EVERY_CALL)
@pytest.mark.parametrize("spin", [6, -6, 100])
def test_spin_too_large(spin, name):
    with pytest.raises(ValueError, match=rf"spin {spin}\b.*L = 6"):
        call(name, 6, spin=spin)


@pytest.mark.parametrize("spin", [6, -6, 100])
def test_spin_too_large_of_an_estimate(spin):
    with pytest.raises(ValueError, match=rf"spin {spin}\b.*L = 6"):
        sk.estimate_memory(6, spin=spin)


@pytest.mark.parametrize("name", EVERY_CALL)
@pytest.mark.parametrize("spin", [1.5, "2", None, [1]])
def test_spin_is_a_whole_number(spin, name):
    with pytest.raises((ValueError, TypeError), match="spin.*integer"):
        call(name, 6, spin=spin)


@pytest.mark.parametrize("name", EVERY_CALL)
@pytest.mark.parametrize("spin", [1, -2])
def test_no_real_signal_has_a_spin(spin, name):
    with pytest.raises(ValueError, match=rf"reality=True.*spin {spin}.*reality=False"):
        call(name, 6, spin=spin, reality=True)


@pytest.mark.parametrize("name", GRID_CALLS)
@pytest.mark.parametrize("sampling", ["mv", "", "healpy", "mw-6", "ssht"])
def test_unknown_grid(sampling, name):
    words = f"mw.*mwss.*dh.*dhpole.*gl.*cc.*healpix.*'{sampling}'"
    with pytest.raises(ValueError, match=words):
        call(name, 6, sampling=sampling)


@pytest.mark.parametrize("name", GRID_CALLS)
@pytest.mark.parametrize(
    "sampling", ["healpix", "healpix:", "healpix:0", "healpix:x", "mw:0", "mw:x"]
)
def test_grid_without_its_number(sampling, name):
    with pytest.raises(ValueError, match="nside|integer|L"):
        call(name, 6, sampling=sampling)


@pytest.mark.parametrize("name", GRID_CALLS)
@pytest.mark.parametrize("sampling", [None, 6, ("mw", 6)])
def test_a_grid_is_a_name_or_a_grid(sampling, name):
    with pytest.raises((TypeError, ValueError), match="grid|sampling"):
        call(name, 6, sampling=sampling)


@pytest.mark.parametrize("name", GRID_CALLS)
@pytest.mark.parametrize("kind", KINDS)
def test_grid_too_coarse(kind, name):
    with pytest.raises(ValueError, match="5.*L=6"):
        call(name, 6, sampling=kind(5))


@pytest.mark.parametrize("name", EVERY_CALL)
@pytest.mark.parametrize("threads", [0, -1, 1.5])
def test_bad_threads(threads, name):
    with pytest.raises((ValueError, TypeError), match="threads"):
        call(name, 6, threads=threads)


def test_bad_threads_of_the_environment(monkeypatch):
    monkeypatch.setenv("SPHEREKIT_NUM_THREADS", "many")
    with pytest.raises(ValueError, match="SPHEREKIT_NUM_THREADS"):
        sk.inverse(np.zeros(36), 6)


@pytest.mark.parametrize("call", [sk.analyse, sk.forward])
@pytest.mark.parametrize("L", [13, 20])
def test_band_limit_beyond_the_pixels_warns(L, call, rng):
    """Beyond 3 nside - 1 the pixels do not determine the degrees."""
    with pytest.warns(UserWarning, match="nside"):
        call(rng.standard_normal(192), L, sampling="healpix:4", reality=True)


@pytest.mark.parametrize("call", [sk.analyse, sk.forward])
def test_the_band_limit_of_the_pixels_does_not_warn(call, rng):
    f = rng.standard_normal(192)
    call(f, 12, sampling="healpix:4", reality=True)  # no warning: it would be an error


# --- types and layouts that work ------------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype", [np.float16, np.longdouble, np.clongdouble, object, "U3", "M8[s]"]
)
@pytest.mark.parametrize(
    "call, shape",
    [
        (sk.forward, (L, 2 * L - 1)),
        (sk.inverse_adjoint, (L, 2 * L - 1)),
        (sk.inverse, L * L),
        (sk.forward_adjoint, L * L),
        (lambda x, L: sk.analyse(x, L, sampling="mw"), (L, 2 * L - 1)),
        (lambda x, L: sk.evaluate(x, [1.0], [1.0]), L * L),
        (lambda x, L: sk.evaluate_adjoint(x, [1.0], [1.0], L), 1),
    ],
)
def test_other_types_are_refused(call, shape, dtype):
    with pytest.raises(TypeError, match="dtype.*expected float32, float64"):
        call(np.zeros(shape, dtype), L)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i4", "u8", "?", ">i2", ">i8"])
def test_integers_are_converted(dtype, rng):
    f = rng.integers(0, 2, MW(L).shape).astype(dtype)
    for call in samples_in("mw"):
        for reality in (True, False):
            got = call(f, reality=reality)
            assert got.dtype == complex
            assert np.array_equal(got, call(f.astype(float), reality=reality))
            assert np.array_equal(got, call(f.tolist(), reality=reality))
    flm = np.zeros(L * L, dtype)
    flm[L] = 1
    for call in coefficients_in("mw"):
        assert np.array_equal(call(flm), call(flm.astype(complex)))


def layouts(x):
    """The same numbers, laid out in other ways."""
    read_only = x.copy()
    read_only.flags.writeable = False
    spaced = np.empty((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)[..., ::2]
    spaced[...] = x
    reversed_ = np.ascontiguousarray(x[..., ::-1])[..., ::-1]
    odd_bytes = np.empty(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    odd_bytes[...] = x
    broadcast = np.broadcast_to(x[:1], x.shape)
    return {
        "read-only": (read_only, x),
        "fortran": (np.asfortranarray(x), x),
        "strided": (spaced, x),
        "reversed": (reversed_, x),
        "unaligned": (odd_bytes, x),
        "big-endian": (x.astype(x.dtype.newbyteorder(">")), x),
        "little-endian": (x.astype(x.dtype.newbyteorder("<")), x),
        "broadcast": (broadcast, np.ascontiguousarray(broadcast)),
        "list": (x.tolist(), x.astype(np.result_type(x.dtype, float))),
    }


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.complex64])
def test_layouts(dtype, rng):
    reality = not np.issubdtype(dtype, np.complexfloating)
    theta, phi = np.linspace(0, 3, 9), np.linspace(0, 6, 9)
    single = np.dtype(dtype) in (np.float32, np.complex64)
    flm = random_flm(L, rng, reality=True, shape=(3,), dtype=np.complex64 if single else complex)
    values = rng.standard_normal((3, 9)).astype(dtype)
    calls = [(call, flm) for grid in (MW(L), HEALPix(4)) for call in coefficients_in(grid)]
    for grid in (MW(L), GL(L), HEALPix(4)):
        f = rng.standard_normal((3, *grid.shape)).astype(dtype)
        calls += [(call, f) for call in samples_in(grid)]
    calls += [(lambda x, **k: sk.evaluate(x, theta, phi, **k), flm)]
    calls += [(lambda x, **k: sk.evaluate_adjoint(x, theta, phi, L, **k), values)]
    for call, x in calls:
        for name, (other, same) in layouts(x).items():
            kept = np.array(other)
            expected = call(same, reality=reality)
            got = call(other, reality=reality)
            assert got.dtype == expected.dtype, name
            assert got.dtype.isnative and got.flags.writeable, name
            assert np.array_equal(got, expected), name
            assert np.array_equal(np.array(other), kept), name


def test_results_share_no_memory_with_input_or_tables(rng):
    """A result may be overwritten without harm to anything else."""
    flm = random_flm(L, rng)
    first = sk.inverse(flm, L)
    again = first.copy()
    first[...] = 0
    assert np.array_equal(sk.inverse(flm, L), again)
    back = sk.forward(again, L)
    assert not np.shares_memory(back, again)


# --- properties -----------------------------------------------------------------------------------

few = settings(max_examples=25, deadline=None)


@few
@given(data=st.data(), shape=hnp.array_shapes(min_dims=0, max_dims=3, max_side=3))
def test_any_shape_any_grid_round_trip(data, shape):
    L = data.draw(st.integers(1, 9))
    kind = data.draw(st.sampled_from(KINDS))
    finer = data.draw(st.integers(0, 3))
    extra = data.draw(st.integers(0, 9))
    spin = data.draw(st.integers(1 - L, L - 1))
    grid = kind(L + finer, n_phi=2 * (L + finer) - 1 + extra)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    flm = random_flm(L, rng, spin=spin, shape=shape)
    f = sk.inverse(flm, L, spin=spin, sampling=grid)
    assert f.shape == shape + grid.shape
    back = sk.forward(f, L, spin=spin, sampling=grid)
    assert back.shape == flm.shape
    assert np.abs(back - flm).max() <= ANY_GRID


@few
@given(data=st.data())
def test_any_rings_have_an_adjoint(data):
    counts = data.draw(st.lists(st.integers(1, 12), min_size=1, max_size=6))
    n = len(counts)
    angles = st.floats(0, np.pi, allow_subnormal=False)
    theta = sorted(data.draw(st.lists(angles, min_size=n, max_size=n, unique=True)))
    phi0 = data.draw(st.lists(st.floats(-7, 7), min_size=n, max_size=n))
    L = data.draw(st.integers(1, 8))
    spin = data.draw(st.integers(1 - L, L - 1))
    grid = Rings(theta, counts, phi0)
    rng = np.random.default_rng(1)
    flm = random_flm(L, rng, spin=spin)
    f = rng.standard_normal(grid.shape) + 1j * rng.standard_normal(grid.shape)
    options = dict(spin=spin, sampling=grid)
    values, back = sk.inverse(flm, L, **options), sk.inverse_adjoint(f, L, **options)
    scale = np.linalg.norm(f) * np.linalg.norm(values) + np.linalg.norm(flm)
    assert abs(np.vdot(f, values) - np.vdot(back, flm)) <= CHAIN * scale
    at_points = sk.evaluate(flm, grid.theta, grid.phi, spin=spin)
    assert np.abs(values - at_points).max() <= IDENTITY * (1 + np.abs(values).max())


@few
@given(
    x=hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.int32]), (2, 4, 7), elements=st.integers(-9, 9)
    )
)
def test_linear_in_any_type(x):
    together, parts = sk.forward(x, 4), [sk.forward(part, 4) for part in x]
    assert np.array_equal(together, np.array(parts))
    assert together.dtype == (np.complex64 if x.dtype == np.float32 else complex)
    total = sk.forward(x[0] + x[1], 4)
    assert np.abs(total - parts[0] - parts[1]).max() <= (
        3e-5 if x.dtype == np.float32 else IDENTITY
    )
