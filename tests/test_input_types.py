"""What may be passed: every function of coefficients with every kind of array, angles with their units."""

import autograd.numpy as anp
import numpy as np
import pytest
from astropy import units
from autograd import grad
from tolerances import IDENTITY, SHORT_SUM, SINGLE

import spherekit as sk
from spherekit import conventions as cv
from spherekit import wigner
from spherekit.sampling import MW
from spherekit.scattering import Covariances, Scattering
from spherekit.spectra import power
from spherekit.wavelets import Wavelets
from spherekit.wigner import euler

L, N = 4, 2
POINTS = (np.array([0.3, 1.2, 2.5]), np.array([0.1, 5.0, -2.0]))
ANGLES = (np.array([0.1, 0.3]), np.array([0.2, 2.0]), np.array([0.5, 1.0]))
W, S, C = Wavelets(L, N=N), Scattering(L, J0=1), Covariances(L, N=N)
HARMONIC = {
    "inverse": lambda f: sk.inverse(f, L),
    "inverse, gl": lambda f: sk.inverse(f, L, sampling="gl", spin=1),
    "forward_adjoint": lambda f: sk.forward_adjoint(f, L),
    "evaluate": lambda f: sk.evaluate(f, *POINTS),
    "evaluate, spin": lambda f: sk.evaluate(f, *POINTS, spin=-2),
    "rotate": lambda f: wigner.rotate(f, 0.1, 0.2, 0.3),
    "lift": lambda f: wigner.lift(f, f, N),
    "zonal": lambda f: wigner.zonal(f, [1, 2, 3, 4]),
    "total_convolution": lambda f: wigner.total_convolution(f, f, *ANGLES),
    "power": power,
    "spin_to_eb": lambda f: cv.spin_to_eb(f, spin=1),
    "eb_to_spin": lambda f: cv.eb_to_spin(f, f, spin=2),
    "to_s2fft": cv.to_s2fft,
    "to_shtools": lambda f: cv.to_shtools(f, kind="complex"),
    "to_ducc": lambda f: cv.to_ducc(f, spin=1),
    "to_real": cv.to_real,
    "analysis_flm": W.analysis_flm,
    "synthesis_adjoint": W.synthesis_adjoint,
    "scattering": S.from_flm,
    "covariances": C.from_flm,
}
GROUP = {
    "wigner.inverse": lambda f: wigner.inverse(f, L, N),
    "wigner.forward_adjoint": lambda f: wigner.forward_adjoint(f, L, N),
    "rotate, on SO(3)": lambda f: wigner.rotate(f, 0.1, 0.2, 0.3),
    "correlate": lambda f: wigner.correlate(f, f),
    "wigner.evaluate": lambda f: wigner.evaluate(f, *ANGLES),
    "wigner.evaluate, real part": lambda f: wigner.evaluate(f, *ANGLES, reality=True),
}
SAMPLES = {
    "forward": lambda f: sk.forward(f, L),
    "inverse_adjoint": lambda f: sk.inverse_adjoint(f, L),
    "rotate_map": lambda f: wigner.rotate_map(f, L, 0.1, 0.2, 0.3),
    "analysis": W.analysis,
    "scattering of samples": S,
}
LAYOUTS = {
    "from_healpy": (lambda a: cv.from_healpy(a, 3), (2, 6)),
    "from_ducc": (lambda a: cv.from_ducc(a, 3, spin=1), (2, 6)),
    "from_s2fft": (cv.from_s2fft, (3, 5)),
    "from_shtools": (lambda c: cv.from_shtools(c, kind="complex"), (2, 3, 3)),
    "synthesis_flm": (lambda s: W.synthesis_flm(s, W.analysis_flm(np.ones(16))[1]), (1, 1)),
    "evaluate_adjoint": (lambda v: sk.evaluate_adjoint(v, *POINTS, L), (2, 3)),
    "wigner.forward": (lambda f: wigner.forward(f, 2, 1), (1, 2, 3)),
}


def functions():
    for name, function in HARMONIC.items():
        yield pytest.param(function, (L * L,), id=name)
    for name, function in GROUP.items():
        yield pytest.param(function, (2 * N - 1, L * L), id=name)
    for name, function in SAMPLES.items():
        yield pytest.param(function, MW(L).shape, id=name)
    for name, (function, shape) in LAYOUTS.items():
        yield pytest.param(function, shape, id=name)


def entries(x, function):
    """Coefficients that the function takes: those of an axisymmetric real signal where it must be real."""
    return (
        np.where(np.isin(np.arange(L * L), [0, 2, 6, 12]), x.real, 0)
        if function == C.from_flm
        else x
    )


def arrays(result):
    """Every array of a result, however nested."""
    if isinstance(result, list | tuple):
        return [x for part in result for x in arrays(part)]
    return [result]


def assert_same(got, expected, limit):
    for x, y in zip(arrays(got), arrays(expected), strict=True):
        assert x.shape == y.shape and x.dtype.kind in "fc"
        np.testing.assert_allclose(x, y, rtol=0, atol=limit * np.abs(y).max(initial=1))


@pytest.mark.parametrize("function, shape", list(functions()))
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int32, np.uint8, ">i2", ">f4"])
def test_real_numbers_are_complex_ones(function, shape, dtype, rng):
    """Real dtypes against the same numbers as complex ones, in the same precision."""
    x = entries(rng.integers(0, 100, shape), function).astype(dtype)
    single = np.dtype(dtype).kind == "f" and np.dtype(dtype).itemsize == 4
    expected = function(x.astype(np.complex64 if single else complex))
    assert_same(function(x), expected, SINGLE if single else IDENTITY)


@pytest.mark.parametrize("function, shape", list(functions()))
def test_layouts_in_memory(function, shape, rng):
    """Lists, tuples, other orders and bytes, views and arrays that may not be written to."""
    x = np.round(rng.standard_normal((2, *shape)) + 1j * rng.standard_normal((2, *shape)), 2)
    x = entries(x, function).astype(complex)
    expected, frozen = function(x), x.copy()
    frozen.flags.writeable = False
    strided = np.empty((4, *shape), complex)
    strided[::2] = x
    others = {
        "list": x.tolist(),
        "tuple": tuple(map(tuple, x.reshape(2, -1).tolist())) if len(shape) == 1 else x.tolist(),
        "read-only": frozen,
        "Fortran order": np.asfortranarray(x),
        "big-endian": x.astype(">c16"),
        "strided": strided[::2],
    }
    for name, other in others.items():
        before = np.array(other)
        assert_same(function(other), expected, SHORT_SUM)
        assert np.array_equal(before, np.array(other)), name


@pytest.mark.parametrize("function, shape", list(functions()))
@pytest.mark.parametrize(
    "change, words",
    [
        (lambda x: x * units.K, "unit K"),
        (lambda x: np.ma.masked_array(x, x > 0), "masked"),
        (lambda x: x.astype(np.float16), "float16"),
        (lambda x: x.astype(object), "object"),
        (lambda x: x.astype(str), "dtype"),
        (lambda x: {"flm": x}, "dtype object"),
    ],
)
def test_what_is_refused(change, words, function, shape):
    with pytest.raises(TypeError, match=words):
        function(change(np.ones(shape)))


# --- angles ------------------------------------------------------------------------------------------

FLM, FLMN = np.arange(16) + 1j, np.ones((3, 16), complex)
TURNS = {
    "rotate": lambda *a: wigner.rotate(FLM, *a),
    "rotate_map": lambda *a: wigner.rotate_map(np.ones((4, 7)), 4, *a),
    "D": lambda *a: wigner.D(*a, 3),
    "wigner.evaluate": lambda *a: wigner.evaluate(FLMN, *a),
    "total_convolution": lambda *a: wigner.total_convolution(FLM, FLM, *a),
    "to_rotation": lambda *a: euler.to_rotation(*a).as_matrix(),
    "invert": euler.invert,
    "compose": lambda *a: euler.compose(a, a),
    "d": lambda a, b, c: wigner.d(b, 3),
    "d_column": lambda a, b, c: wigner.d_column(1, 0, b, 3),
    "evaluate": lambda a, b, c: sk.evaluate(FLM, b, c),
    "evaluate_adjoint": lambda a, b, c: sk.evaluate_adjoint(np.ones(1), b, c, 3),
}


@pytest.mark.parametrize("name", TURNS)
def test_angles_with_units(name):
    function, radians = TURNS[name], np.radians([30.0, 60.0, -45.0])
    expected = function(*radians)
    degrees = [30 * units.deg, 3600 * units.arcmin, -45 * units.deg]
    assert_same(_as_arrays(function(*degrees)), _as_arrays(expected), SHORT_SUM)
    assert_same(_as_arrays(function(*(radians * units.rad))), _as_arrays(expected), 0)
    integers = function(1, 2, 3)
    assert_same(_as_arrays(integers), _as_arrays(function(1.0, 2.0, 3.0)), 0)
    position = [1] if name in ("d", "d_column", "evaluate", "evaluate_adjoint") else [0, 1, 2]
    for i in position:
        for wrong, error in [
            (1 * units.K, ValueError),
            (np.nan, ValueError),
            (np.inf, ValueError),
            (1 + 1j, TypeError),
            ("1", TypeError),
            (np.ma.masked_array([1.0], [True]), TypeError),
        ]:
            angles = list(radians)
            angles[i] = wrong
            with pytest.raises(error):
                function(*angles)


def _as_arrays(result):
    return [np.asarray(x) for x in arrays(result)]


def test_gradients_by_lists_of_angles():
    """What is not traced is converted beside what is."""
    slope = grad(lambda a: anp.sum(anp.abs(wigner.rotate(FLM.tolist(), a, [0.2, 0.3], 1)[0, 1])))
    assert np.isfinite(slope(0.1))
    with_units = grad(lambda a: anp.real(wigner.rotate(FLM, a, 30 * units.deg, 0)[1]))
    plain = grad(lambda a: anp.real(wigner.rotate(FLM, a, np.pi / 6, 0)[1]))
    assert abs(with_units(0.1) - plain(0.1)) < SHORT_SUM
