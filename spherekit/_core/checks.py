"""Argument validation, with uniform error messages: the value received, the values accepted, and a remedy."""

import math
import operator
import os

import numpy as np

from spherekit._core.labeled import is_labeled
from spherekit._core.missing import is_missing, missing_samples

_REAL = {np.dtype(np.float32): np.float32, np.dtype(np.float64): np.float64}
_COMPLEX = {np.dtype(np.complex64): np.complex64, np.dtype(np.complex128): np.complex128}

#: Largest accepted band-limit; its grid has 10^12 samples, so that a larger value is a mistake.
MAX_BAND_LIMIT = 2**20

#: Types of values without a unit or a mask.
_PLAIN = (float, int, np.float64, np.ndarray)
_DTYPES = "float32, float64, complex64, complex128 or integers"

# --- single values ---------------------------------------------------------------------------------


def integer(value, name, minimum, maximum=None, hint=""):
    """Return ``value`` as an int in ``[minimum, maximum]``.

    Raises
    ------
    TypeError
        ``value`` is not an integer: floats (also 2.0), booleans, text, arrays and None are refused.
    ValueError
        ``value`` is out of range.

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
    return f"expected an integer{lower}{upper}" + (f" ({hint})" if hint else "")


def real_number(value, name, expected, is_valid=math.isfinite):
    """Return ``value`` as a float that satisfies ``is_valid``; ``expected`` describes the valid values.

    Raises
    ------
    TypeError
        ``value`` is not a real number: booleans, text, arrays and None are refused.
    ValueError
        ``value`` is NaN or out of range.

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
    """Return L as an int >= 1."""
    return integer(L, "L", 1, MAX_BAND_LIMIT, "the band-limit: degrees 0..L-1")


def azimuthal_limit(N, L):
    """Return N as an int, 1 <= N <= L."""
    return integer(N, "N", 1, L, "the azimuthal band-limit: orders |n| < N <= L")


def spin_number(spin, L, reality=False):
    """Return the spin as an int, |spin| < L, which is zero for real signals."""
    value = integer(spin, "spin", -math.inf, hint=f"|spin| < L = {L}")
    if abs(value) >= L:
        raise ValueError(f"spin {value} has no degrees below L = {L}; choose L > |spin|")
    if reality and value:
        raise ValueError(
            f"reality=True with spin {value}: a field of spin != 0 is complex; pass reality=False"
        )
    return value


def data_type(dtype, name, *allowed):
    """Return ``dtype`` as a numpy.dtype in native byte order, one of ``allowed``.

    Raises
    ------
    TypeError
        ``dtype`` is another data type, or not a data type.

    >>> data_type("f4", "dtype", np.float32, np.float64)
    dtype('float32')
    """
    names = " or ".join(np.dtype(kind).name for kind in allowed)
    try:
        if dtype is None:  # which numpy would convert to float64
            raise TypeError
        kind = np.dtype(dtype).newbyteorder("=")
    except (TypeError, ValueError, SyntaxError):
        raise TypeError(f"{name} is {dtype!r} ({type(dtype).__name__}); expected {names}") from None
    if kind not in allowed:
        raise TypeError(f"{name} is {kind}; expected {names}")
    return kind


def sample_type(dtype):
    """Return the dtype of samples or coefficients."""
    return data_type(dtype, "dtype", np.float32, np.float64, np.complex64, np.complex128)


def generator(rng):
    """Return a random generator; an integer >= 0 or a SeedSequence serves as the seed of a new one.

    Raises
    ------
    TypeError
        ``rng`` is anything else; also None, with which results would not be reproducible.

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
        f"rng is {rng!r} ({type(rng).__name__}); expected a numpy.random.Generator, such as "
        "numpy.random.default_rng(0), or an integer >= 0 as its seed"
    )


# --- arrays ----------------------------------------------------------------------------------------


def as_array(x, name, advice="pass plain numbers", expected=_DTYPES):
    """Return ``numpy.asarray(x)``; refuse conversions that would lose a unit or a mask.

    Raises
    ------
    TypeError
        ``x`` is, or is a list of, quantities with a unit (of astropy or pint), arrays with masked entries, or
        Python objects. ``advice`` is the remedy for a unit in the message, ``expected`` the data types.
    ValueError
        ``x`` is a list of lists of different lengths.

    >>> as_array([1, 2], "x")
    array([1, 2])
    """
    if type(x) is np.ndarray and not x.dtype.hasobject:
        return x
    x = x if type(x) in _PLAIN else _without_attributes(x, name, advice)
    try:
        array = np.asarray(x)
    except ValueError:
        raise ValueError(f"{name} is a list whose entries differ in shape; pass an array") from None
    if array.dtype.hasobject:
        kind = type(array.flat[0] if array.size else x).__name__
        if kind == "ArrayBox":
            raise TypeError(
                f"{name} is traced by autograd, and this function is not differentiable with respect to it "
                "(`spherekit.forward` of HEALPix maps is)"
            )
        raise TypeError(f"{name} has dtype object ({kind}); expected {expected}")
    return array


def as_float_array(x, name):
    """Return ``x`` as a native float32/64 or complex64/128 array; integers are converted to float64."""
    x = as_array(x, name)
    if x.dtype.kind in "iub":
        return x.astype(np.float64)
    native = x.dtype.newbyteorder("=")
    if native not in _REAL and native not in _COMPLEX:
        raise TypeError(f"{name} has dtype {x.dtype}; expected {_DTYPES}")
    return x.astype(native, copy=False)


def angles(x, name):
    """Return angles in radians as a float64 array; a quantity is converted by its unit.

    Raises
    ------
    TypeError
        The angles are complex, text or masked.
    ValueError
        The unit is not one of angles, or an angle is NaN or infinite.

    >>> float(angles(90, "theta"))
    90.0
    """
    return _finite_angles(_real_angles(x, name), name)


def _real_angles(x, name):
    array = as_array(x if type(x) in _PLAIN else _in_radians(x, name), name)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} has dtype {array.dtype}; expected real angles in radians")
    return array.astype(np.float64, copy=False)


def _finite_angles(array, name):
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name} contains NaN or infinite angles; expected finite angles in radians"
        )
    return array


def colatitudes(theta, name="theta"):
    """Return angles from 0 to pi as a float64 array; values beyond by rounding of their type are clipped.

    (float32 pi is larger than pi.)

    Raises
    ------
    TypeError, ValueError
        As in `angles`; also if colatitudes are outside [0, pi].

    >>> float(colatitudes(np.float32(np.pi))) == np.pi
    True
    """
    array = _real_angles(theta, name)
    if not array.size or (array.min() >= 0 and array.max() <= np.pi):  # false for NaN
        return array
    _finite_angles(array, name)
    is_list = isinstance(theta, list | tuple) and all(isinstance(x, np.generic) for x in theta)
    dtype = np.result_type(*theta) if is_list and theta else getattr(theta, "dtype", array.dtype)
    precision = np.finfo(dtype).eps if dtype.kind == "f" else 0
    rounding = np.pi * max(precision, np.finfo(float).eps)
    inside = np.clip(array, 0, np.pi)
    if np.max(np.abs(array - inside), initial=0) > rounding:
        hint = "; numpy.radians converts degrees" if np.abs(array).max() > 2 * np.pi else ""
        if array.min() < 0:
            hint += "; the colatitude of a latitude is pi/2 - latitude"
        raise ValueError(
            f"{name} ranges from {array.min():.6g} to {array.max():.6g}; expected colatitudes in [0, pi], in "
            f"radians{hint}"
        )
    return inside


def _in_radians(x, name):
    """Return ``x`` in radians; its unit, if it has one, must be a unit of angles."""
    if isinstance(x, list | tuple):
        is_plain = all(isinstance(item, int | float | np.generic) for item in x)
        return x if is_plain else [_in_radians(item, name) for item in x]
    label = getattr(x, "attrs", {}).get("units") if hasattr(x, "__array__") else None
    if label is not None and not str(label).startswith("rad"):  # xarray does not convert units
        raise ValueError(f"{name} is labeled with the units {label!r}; pass numbers in radians")
    refuse_masked(x, name, advice="pass those of the valid entries, {name}[valid]")
    unit = unit_of(x)
    if unit is None:
        return x
    if str(unit) in _DIMENSIONLESS:
        return _plain_numbers(x)
    x = _with_unit(x)
    try:
        return x.to_value("rad") if hasattr(x, "to_value") else x.to("rad").magnitude
    except Exception:  # each package of units raises a different exception
        raise ValueError(
            f"{name} has the unit {unit}; expected an angle, or plain numbers in radians"
        ) from None


def _without_attributes(x, name, advice):
    """Refuse ``x`` if a unit or a mask would be lost; convert dimensionless quantities to numbers."""
    if isinstance(x, list | tuple):
        plain = (int, float, complex, np.generic)
        return [v if isinstance(v, plain) else _without_attributes(v, name, advice) for v in x]
    refuse_masked(x, name)
    unit = unit_of(x)
    if unit is None:
        return x
    if str(unit) not in _DIMENSIONLESS:
        raise TypeError(f"{name} has the unit {unit}, which would be lost; {advice}")
    return _plain_numbers(x)


_MASK_ADVICE = (
    "pass {name}.data, and the valid samples as mask=~numpy.ma.getmaskarray({name}) to functions with an "
    "argument mask (analyse)"
)


def refuse_masked(x, name, advice=_MASK_ADVICE):
    """Refuse an array with masked entries; ``advice`` is the remedy in the message, with {name} in it."""
    mask = getattr(x, "mask", None)  # an array for numpy.ma and astropy's Masked only
    if isinstance(mask, np.ndarray | np.bool_) and np.any(mask):
        label = name if name.isidentifier() else "x"
        raise TypeError(
            f"{name} has masked entries, and the mask would be lost; {advice.format(name=label)}"
        )


_DIMENSIONLESS = ("", "dimensionless", "%")


def unit_of(x):
    """Return the unit of a quantity or of a table column; None if it has no unit."""
    x = _with_unit(x)
    if not hasattr(x, "__array__"):
        return None
    unit = getattr(x, "unit", None)
    return getattr(x, "units", None) if unit is None and hasattr(x, "magnitude") else unit


def _with_unit(x):
    """Return the object that has the unit: ``x``, or the quantity wrapped in a masked or an xarray array."""
    inner = getattr(x, "data", None) if hasattr(x, "__array__") else None
    return inner if hasattr(inner, "unit") or hasattr(inner, "magnitude") or is_labeled(x) else x


def _plain_numbers(x):
    """Return the values of a dimensionless quantity; 50 % is 0.5."""
    x = _with_unit(x)
    if hasattr(x, "to_value"):
        return x.to_value("")
    return x.to("").magnitude if hasattr(x, "magnitude") else x


def real_samples(f, name="f"):
    """Refuse complex samples of a real signal."""
    if np.iscomplexobj(f):
        raise TypeError(
            f"{name} is complex ({f.dtype}); expected the samples of a real signal: pass {name}.real (or "
            "reality=False, where it is an argument)"
        )
    return f


def check_broadcast(name, x, name_2, y, axes=1):
    """Refuse two arrays whose leading axes, those before the last ``axes``, do not broadcast."""
    try:
        np.broadcast_shapes(x.shape[: x.ndim - axes], y.shape[: y.ndim - axes])
    except ValueError:
        raise ValueError(
            f"{name} has shape {x.shape} and {name_2} {y.shape}; expected leading axes that broadcast"
        ) from None


def samples_shape(f, grid, L):
    """Refuse samples whose last axes do not have the shape of the grid."""
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
    """Refuse coefficients whose last axis does not have length L*L."""
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
    """Refuse Wigner coefficients whose last axes do not have the shape (2N-1, L*L)."""
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
    """Raise an error for NaN, infinite or UNSEEN samples, with their counts.

    With ``adjoint`` they are the input of an adjoint, such as gradients, for which a mask is no remedy.
    """
    nonfinite = f.size - np.count_nonzero(np.isfinite(f))
    masked = 0 if unseen is None else np.count_nonzero(is_missing(f) & np.isfinite(f))
    if nonfinite and not masked and adjoint:
        wider = ", or compute in float64" if is_single(f) else ""
        raise ValueError(
            f"{nonfinite} samples are NaN or infinite, of {f.size}; an adjoint would spread them: set "
            f"invalid samples to 0. If the samples are a gradient, it exceeds the range of {f.dtype}: "
            f"scale the data down{wider}"
        )
    if nonfinite or masked:
        raise ValueError(
            f"{nonfinite} samples are NaN or infinite and {masked} are UNSEEN, of {f.size}; mask them: "
            "spherekit.analyse(f, L, sampling=..., mask=good) with good True where samples are valid"
        )
    if unseen is not None and not adjoint:
        missing_samples(f)  # also UNSEEN times a factor


def finite_samples(f, unseen=None, adjoint=False):
    """Refuse NaN, infinite and UNSEEN samples; checks all samples."""
    if not (np.abs(f) < 1e15).all():
        bad_samples(f, unseen, adjoint)


def symmetry_tolerance(single):
    """Return the largest relative deviation of coefficients from the symmetry of a real signal.

    It exceeds the rounding errors of long computations; the deviation of a complex signal is larger.
    """
    return 1e-5 if single else 1e-11


def check_coefficients(
    input_stats,
    flm,
    hermitian,
    single,
    advice="pass reality=False, where it is an argument, for a complex signal",
):
    """Refuse coefficients that are not finite or break the symmetry of a real signal.

    ``input_stats`` is computed by a kernel: [NaN unless all are finite, symmetry defect, largest modulus].
    """
    if input_stats[0] != 0:
        raise ValueError(
            f"{flm.size - np.count_nonzero(np.isfinite(flm))} coefficients of {flm.size} are NaN or "
            "infinite; a transform would spread them over the sphere"
        )
    if hermitian and input_stats[1] > symmetry_tolerance(single) * input_stats[2]:
        raise ValueError(
            "coefficients break the symmetry f[l,-m] = (-1)^m conj f[l,m] of a real signal by "
            f"{input_stats[1]:.3g} (largest coefficient {input_stats[2]:.3g}); {advice}"
        )


def is_single(x):
    """Return whether an array is float32 or complex64."""
    return x.dtype in (np.float32, np.complex64)


def real_type(x):
    """Return float32 for an array in single precision, else float64.

    Factors of this type do not promote the array that they multiply.
    """
    return np.float32 if is_single(x) else np.float64


def oversampling(value):
    """Return the oversampling factor of a pointwise function as a float from 1 to 16."""
    expected = "a number from 1 to 16"
    return real_number(value, "oversample", expected, lambda factor: 1 <= factor <= 16)


def result_type(real, single):
    """Return the data type of a real or complex result in single or double precision."""
    return (np.float32 if single else float) if real else (np.complex64 if single else complex)


def memory_limit():
    """Return the bytes that a call may use: SPHEREKIT_MAX_MEMORY (e.g. 8e9), else 80 % of the memory."""
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
            f"SPHEREKIT_MAX_MEMORY is {setting!r}; expected a number of bytes above 0, such as 8e9"
        )
    return limit


def fits_memory(required, noun, remedy="lower L, pass fewer maps at once"):
    """Refuse a computation (named ``noun`` in the message) whose required bytes exceed `memory_limit`."""
    limit = memory_limit()
    if required > limit:
        raise MemoryError(
            f"{noun} needs about {required / 1e9:.3g} GB and may use {limit / 1e9:.3g} GB; "
            f"{remedy}, or set SPHEREKIT_MAX_MEMORY to the bytes that it may use"
        )
