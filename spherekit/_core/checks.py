"""Checks of what users pass in: one place, one wording (what came, what is wanted, what to do)."""

import math
import operator
import os

import numpy as np

from spherekit._core.missing import is_missing, missing_samples

_REAL = {np.dtype(np.float32): np.float32, np.dtype(np.float64): np.float64}
_COMPLEX = {np.dtype(np.complex64): np.complex64, np.dtype(np.complex128): np.complex128}

#: A grid of this band-limit has 10^12 samples: anything beyond is a slip, not a job.
MAX_BAND_LIMIT = 2**20

#: Types that carry numbers alone: neither a unit nor a mask.
_PLAIN = (float, int, np.float64, np.ndarray)
_DTYPES = "float32, float64, complex64, complex128 or integers"

# --- single values ---------------------------------------------------------------------------------


def integer(value, name, minimum, maximum=None, hint=""):
    """``value`` as an int in ``[minimum, maximum]``.

    Raises
    ------
    TypeError
        Anything that is not a whole number: floats (2.0 too), booleans, text, arrays, None.
    ValueError
        Out of range.

    >>> integer(np.int64(8), "L", 1)
    8
    """
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        expected = _expected(minimum, maximum, hint)
        raise TypeError(f"{name} is {value!r} ({type(value).__name__}); {expected}") from None
    if number < minimum or (maximum is not None and number > maximum):
        raise ValueError(f"{name} is {number}; {_expected(minimum, maximum, hint)}")
    return number


def _expected(minimum, maximum, hint):
    lower = "" if minimum == -math.inf else f" >= {minimum}"
    upper = "" if maximum is None else f" and <= {maximum}"
    return f"expected a whole number{lower}{upper}" + (f" ({hint})" if hint else "")


def real_number(value, name, expected, is_valid=math.isfinite):
    """``value`` as a float for which ``is_valid`` holds; ``expected`` says in words what that is.

    Raises
    ------
    TypeError
        Anything that is not a real number: booleans, text, arrays, None.
    ValueError
        Out of range; NaN is always.

    >>> real_number(2, "lam", "a number > 1", lambda lam: 1 < lam < math.inf)
    2.0
    """
    is_number = isinstance(value, int | float | np.integer | np.floating)
    if isinstance(value, bool) or not is_number:
        raise TypeError(f"{name} is {value!r} ({type(value).__name__}); expected {expected}")
    number = float(value)
    if math.isnan(number) or not is_valid(number):
        raise ValueError(f"{name} is {value!r}; expected {expected}")
    return number


def band_limit(L):
    """L as an int >= 1."""
    return integer(L, "L", 1, MAX_BAND_LIMIT, "the band-limit: degrees 0..L-1")


def azimuthal_limit(N, L):
    """N as an int, 1 <= N <= L."""
    return integer(N, "N", 1, L, "the azimuthal band-limit: orders |n| < N <= L")


def spin_number(spin, L, reality=False):
    """The spin as an int, |spin| < L, zero for real signals."""
    value = integer(spin, "spin", -math.inf, hint=f"|spin| < L = {L}")
    if abs(value) >= L:
        raise ValueError(f"spin {value} has no degrees below L = {L}; take L > |spin|")
    if reality and value:
        raise ValueError(
            f"reality=True with spin {value}: a field of spin != 0 is complex; pass reality=False"
        )
    return value


def data_type(dtype, name, *allowed):
    """``dtype`` as a numpy.dtype in native byte order, one of those allowed.

    Raises
    ------
    TypeError
        Another dtype; what is none.

    >>> data_type("f4", "dtype", np.float32, np.float64)
    dtype('float32')
    """
    names = " or ".join(np.dtype(kind).name for kind in allowed)
    try:
        if dtype is None:  # of which numpy makes float64
            raise TypeError
        kind = np.dtype(dtype).newbyteorder("=")
    except (TypeError, ValueError, SyntaxError):
        raise TypeError(f"{name} is {dtype!r} ({type(dtype).__name__}); expected {names}") from None
    if kind not in allowed:
        raise TypeError(f"{name} is {kind}; expected {names}")
    return kind


def sample_type(dtype):
    """The dtype of samples or coefficients."""
    return data_type(dtype, "dtype", np.float32, np.float64, np.complex64, np.complex128)


def generator(rng):
    """A random generator, of which a whole number >= 0 or a SeedSequence is the seed.

    Raises
    ------
    TypeError
        Anything else; None too, which would make results that nobody can repeat.

    >>> generator(0).random() == np.random.default_rng(0).random()
    True
    """
    if isinstance(rng, np.random.Generator):
        return rng
    if isinstance(rng, np.random.SeedSequence):
        return np.random.default_rng(rng)
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool):
        return np.random.default_rng(integer(rng, "rng", 0, hint="the seed"))
    raise TypeError(
        f"rng is {rng!r} ({type(rng).__name__}); expected a numpy.random.Generator, as "
        "numpy.random.default_rng(0), or a whole number >= 0 as its seed"
    )


# --- arrays ----------------------------------------------------------------------------------------


def as_array(x, name, advice="pass plain numbers"):
    """``numpy.asarray(x)``, where nothing that ``x`` says of its numbers is lost.

    Raises
    ------
    TypeError
        Quantities with a unit (astropy's, pint's), arrays with masked entries, Python objects; also
        inside a list. ``advice`` says what to do with a unit.
    ValueError
        Lists of lists of different lengths.

    >>> as_array([1, 2], "x")
    array([1, 2])
    """
    if type(x) is np.ndarray and x.dtype.kind != "O":
        return x
    x = x if type(x) in _PLAIN else _without_attributes(x, name, advice)
    try:
        array = np.asarray(x)
    except ValueError:
        raise ValueError(f"{name} is a list whose entries differ in shape; pass an array") from None
    if array.dtype.kind == "O":
        kind = type(array.flat[0] if array.size else x).__name__
        if kind == "ArrayBox":
            raise TypeError(
                f"{name} is traced by autograd, and this function has no derivative by it (of HEALPix maps "
                "`spherekit.forward` has)"
            )
        raise TypeError(f"{name} has dtype object ({kind}); expected {_DTYPES}")
    return array


def as_float_array(x, name):
    """``x`` as a native float32/64 or complex64/128 array; integers become float64."""
    x = as_array(x, name)
    if x.dtype.kind in "iub":
        return x.astype(np.float64)
    native = x.dtype.newbyteorder("=")
    if native not in _REAL and native not in _COMPLEX:
        raise TypeError(f"{name} has dtype {x.dtype}; expected {_DTYPES}")
    return x.astype(native, copy=False)


def angles(x, name):
    """Angles in radians as a float64 array; a quantity is converted by its unit.

    Raises
    ------
    TypeError
        Complex numbers, text, masked arrays.
    ValueError
        A unit that is not of an angle; NaN and infinite angles.

    >>> float(angles(90, "theta"))
    90.0
    """
    array = as_array(x if type(x) in _PLAIN else _in_radians(x, name), name)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} has dtype {array.dtype}; expected real angles in radians")
    array = array.astype(np.float64, copy=False)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinite angles; expected finite ones in radians")
    return array


def colatitudes(theta, name="theta"):
    """Angles from 0 to pi as a float64 array; what is beyond by the rounding of its type lies on the pole.

    float32 pi is larger than pi.

    Raises
    ------
    TypeError, ValueError
        As `angles`; and where colatitudes are outside of [0, pi].

    >>> float(colatitudes(np.float32(np.pi))) == np.pi
    True
    """
    array = angles(theta, name)
    is_list = isinstance(theta, list | tuple) and all(isinstance(x, np.generic) for x in theta)
    given = np.result_type(*theta) if is_list and theta else getattr(theta, "dtype", array.dtype)
    precision = np.finfo(given).eps if given.kind == "f" else 0
    rounding = np.pi * max(precision, np.finfo(float).eps)
    inside = np.clip(array, 0, np.pi)
    if np.max(np.abs(array - inside), initial=0) > rounding:
        hint = "; numpy.radians converts degrees" if array.max() > 2 * np.pi else ""
        raise ValueError(
            f"{name} goes from {array.min():.6g} to {array.max():.6g}; expected colatitudes in [0, pi], in "
            f"radians{hint}"
        )
    return inside


def _in_radians(x, name):
    """``x`` in radians without its unit, which must be one of an angle; as it is without a unit."""
    if isinstance(x, list | tuple):
        return [_in_radians(item, name) for item in x]
    label = getattr(x, "attrs", {}).get("units") if hasattr(x, "__array__") else None
    if label is not None and not str(label).startswith("rad"):  # of xarray, which converts nothing
        raise ValueError(f"{name} is labelled with the units {label!r}; pass numbers in radians")
    _refuse_masked(x, name)
    unit = unit_of(x)
    if unit is None:
        return x
    if str(unit) in _DIMENSIONLESS:
        return _plain_numbers(x)
    x = _with_unit(x)
    try:
        return x.to_value("rad") if hasattr(x, "to_value") else x.to("rad").magnitude
    except Exception:  # each package of units has an exception of its own
        raise ValueError(
            f"{name} has the unit {unit}; expected an angle, or plain numbers in radians"
        ) from None


def _without_attributes(x, name, advice):
    """``x``, refused where a unit or a mask would be lost; dimensionless quantities as numbers."""
    if isinstance(x, list | tuple):
        plain = (int, float, complex, np.generic)
        return [v if isinstance(v, plain) else _without_attributes(v, name, advice) for v in x]
    _refuse_masked(x, name)
    unit = unit_of(x)
    if unit is None:
        return x
    if str(unit) not in _DIMENSIONLESS:
        raise TypeError(f"{name} has the unit {unit}, which would be lost; {advice}")
    return _plain_numbers(x)


def _refuse_masked(x, name):
    mask = getattr(
        x, "mask", None
    )  # of numpy.ma and of astropy's Masked; elsewhere a method or switch
    if isinstance(mask, np.ndarray | np.bool_) and np.any(mask):
        label = name if name.isidentifier() else "x"
        raise TypeError(
            f"{name} has masked entries, whose mask would be lost; pass {label}.data, and the samples that "
            f"count as mask=~numpy.ma.getmaskarray({label}) to functions that take a mask (analyse)"
        )


_DIMENSIONLESS = ("", "dimensionless", "%")


def unit_of(x):
    """The unit of a quantity, or of a column of a table; None where there is none."""
    x = _with_unit(x)
    if not hasattr(x, "__array__"):
        return None
    unit = getattr(x, "unit", None)
    return getattr(x, "units", None) if unit is None and hasattr(x, "magnitude") else unit


def _with_unit(x):
    """What carries the unit: ``x``, or the quantity inside a masked array or one of xarray."""
    inner = getattr(x, "data", None) if hasattr(x, "__array__") else None
    return inner if hasattr(inner, "unit") or hasattr(inner, "magnitude") else x


def _plain_numbers(x):
    """The numbers of a dimensionless quantity: 50 % is 0.5."""
    x = _with_unit(x)
    if hasattr(x, "to_value"):
        return x.to_value("")
    return x.to("").magnitude if hasattr(x, "magnitude") else x


def real_samples(f, name="f"):
    """Refuse complex samples of a signal declared real."""
    if np.iscomplexobj(f):
        raise TypeError(
            f"{name} is complex ({f.dtype}) but reality=True; pass {name}.real, or reality=False"
        )
    return f


def samples_shape(f, grid, L):
    """Refuse samples that do not end in the shape of the grid."""
    n = len(grid.shape)
    if f.shape[-n:] != tuple(grid.shape):
        hint = ""
        if not grid.rectangular:
            hint = " (a map of 12 nside^2 pixels in RING order)" if grid.name == "healpix" else ""
        elif f.ndim and f.shape[-1] == grid.shape[0] * grid.shape[1]:
            hint = "; reshape the flattened samples"
        raise ValueError(
            f"samples have shape {f.shape}; {grid!r} needs (..., "
            f"{', '.join(map(str, grid.shape))}){hint}"
        )


def coefficients_shape(flm, L, name="flm"):
    """Refuse coefficients that do not end in L*L."""
    if flm.ndim == 0 or flm.shape[-1] != L * L:
        hint = "the flat layout is flm[..., l*l+l+m]"
        if flm.ndim >= 2 and flm.shape[-2:] == (L, 2 * L - 1):
            hint = "this looks like the s2fft layout: use spherekit.conventions.from_s2fft"
        elif flm.ndim >= 3 and flm.shape[-3:] == (2, L, L):
            hint = "this looks like SHTOOLS' cilm: use spherekit.conventions.from_shtools"
        elif flm.ndim and flm.shape[-1] == L * (L + 1) // 2:
            hint = "this looks like a healpy alm: use spherekit.conventions.from_healpy"
        raise ValueError(f"{name} has shape {flm.shape}; L={L} needs (..., {L * L}); {hint}")


def wigner_shape(flmn, L, N, name="flmn"):
    """Refuse Wigner coefficients that do not end in (2N-1, L*L)."""
    if flmn.ndim < 2 or flmn.shape[-2:] != (2 * N - 1, L * L):
        hint = "the layout is flmn[..., N-1+n, l*l+l+m]"
        if flmn.ndim >= 3 and flmn.shape[-3:] == (2 * N - 1, L, 2 * L - 1):
            hint = (
                "this looks like s2fft: spherekit.conventions.from_s2fft converts its last two axes"
            )
        raise ValueError(
            f"{name} has shape {flmn.shape}; L={L}, N={N} need (..., {2 * N - 1}, {L * L}); {hint}"
        )


def bad_samples(f, unseen=None, adjoint=False):
    """Raise for NaN, inf or UNSEEN samples, with their counts; return quietly when there are none.

    ``adjoint``: they go into one, as gradients do, which are no maps to mask.
    """
    lost = f.size - np.count_nonzero(np.isfinite(f))
    masked = 0 if unseen is None else np.count_nonzero(is_missing(f) & np.isfinite(f))
    if lost and not masked and adjoint:
        wider = ", or compute in float64" if is_single(f) else ""
        raise ValueError(
            f"{lost} samples are NaN or infinite, of {f.size}; an adjoint would spread them: set to 0 what "
            "does not count. In a gradient they are what comes back here, beyond the range of "
            f"{f.dtype}: scale the data down{wider}"
        )
    if lost or masked:
        raise ValueError(
            f"{lost} samples are NaN or infinite and {masked} are UNSEEN, of {f.size}; mask them: "
            "spherekit.analyse(f, L, sampling=..., mask=good) with good True where samples count"
        )
    if unseen is not None and not adjoint:
        missing_samples(f)  # UNSEEN times a factor too


def finite_samples(f, unseen=None, adjoint=False):
    """Refuse bad samples, looking at every one."""
    if not (np.abs(f) < 1e15).all():
        bad_samples(f, unseen, adjoint)


def symmetry_tolerance(single):
    """How far coefficients may be off the symmetry of a real signal, over the largest of them.

    What rounding leaves of it in long computations; a complex signal breaks it by more.
    """
    return 1e-5 if single else 1e-11


def check_coefficients(
    guard, flm, hermitian, single, otherwise="pass reality=False for a complex signal"
):
    """Refuse coefficients by what a kernel saw of them: [NaN unless finite, symmetry defect, largest]."""
    if guard[0] != 0:
        raise ValueError(
            f"{flm.size - np.count_nonzero(np.isfinite(flm))} coefficients of {flm.size} are NaN or "
            "infinite; a transform would spread them over the sphere"
        )
    if hermitian and guard[1] > symmetry_tolerance(single) * guard[2]:
        raise ValueError(
            "coefficients break the symmetry f[l,-m] = (-1)^m conj f[l,m] of a real signal by "
            f"{guard[1]:.3g} (largest coefficient {guard[2]:.3g}); {otherwise}"
        )


def is_single(x):
    """Whether an array is float32 or complex64."""
    return x.dtype in (np.float32, np.complex64)


def real_type(x):
    """float32 beside single precision, else float64: factors of a wider type would widen what they scale."""
    return np.float32 if is_single(x) else np.float64


def oversampling(value):
    """How much finer than the band-limit a function of samples is taken."""
    expected = "a number from 1 to 16"
    return real_number(value, "oversample", expected, lambda factor: 1 <= factor <= 16)


def result_type(real, single):
    """The type of a result."""
    return (np.float32 if single else float) if real else (np.complex64 if single else complex)


def memory_limit():
    """Bytes that one call may use: ``SPHEREKIT_MAX_MEMORY`` (e.g. ``8e9``), else 80 % of the machine's."""
    setting = os.environ.get("SPHEREKIT_MAX_MEMORY")
    if setting is None:
        try:
            return 0.8 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        except (AttributeError, ValueError, OSError):
            return float("inf")
    try:
        limit = float(setting)
    except ValueError:
        limit = 0.0
    if not limit > 0:
        raise ValueError(
            f"SPHEREKIT_MAX_MEMORY is {setting!r}; give a number of bytes above 0, such as 8e9"
        )
    return limit


def fits_memory(needed, what):
    """Refuse a job that cannot fit, with the number."""
    limit = memory_limit()
    if needed > limit:
        raise MemoryError(
            f"{what} needs about {needed / 1e9:.3g} GB and may use {limit / 1e9:.3g} GB; lower L, pass "
            "fewer maps at once, or set SPHEREKIT_MAX_MEMORY to the bytes that it may use"
        )
