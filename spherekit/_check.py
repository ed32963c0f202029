"""Checks of what users pass in: one place, one wording (what came, what is wanted, what to do)."""

import operator
import os

import numpy as np

_REAL = {np.dtype(np.float32): np.float32, np.dtype(np.float64): np.float64}
_COMPLEX = {np.dtype(np.complex64): np.complex64, np.dtype(np.complex128): np.complex128}


def band_limit(L):
    """L as an int >= 1."""
    try:
        value = operator.index(L)
    except TypeError:
        value = 0
    if value < 1 or isinstance(L, bool):
        raise ValueError(f"L is {L!r}; the band-limit is a whole number >= 1 (degrees 0..L-1)")
    return value


def azimuthal_limit(N, L):
    """N as an int, 1 <= N <= L."""
    try:
        value = operator.index(N)
    except TypeError:
        value = 0
    if not 1 <= value <= L or isinstance(N, bool):
        raise ValueError(
            f"N is {N!r}; the azimuthal band-limit is a whole number with 1 <= N <= L = {L} (orders |n| < N)"
        )
    return value


def spin_number(spin, L, reality=False):
    """The spin as an int, |spin| < L, zero for real signals."""
    try:
        value = operator.index(spin)
    except TypeError:
        raise ValueError(f"spin is {spin!r}; give a whole number with |spin| < L = {L}") from None
    if abs(value) >= L:
        raise ValueError(f"spin {value} has no degrees below L = {L}; take L > |spin|")
    if reality and value:
        raise ValueError(
            f"reality=True with spin {value}: a field of spin != 0 is complex; pass reality=False"
        )
    return value


def numbers(x, name):
    """``x`` as a native float32/64 or complex64/128 array; integers become float64."""
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a numpy masked array, whose mask would be lost; pass {name}.data, and the good "
            "samples as mask=~numpy.ma.getmaskarray(...) to spherekit.analyse"
        )
    x = np.asarray(x)
    if x.dtype.kind in "iub":
        return x.astype(np.float64)
    native = x.dtype.newbyteorder("=")
    if native not in _REAL and native not in _COMPLEX:
        raise TypeError(
            f"{name} has dtype {x.dtype}; expected float32, float64, complex64, complex128 or integers"
        )
    return x.astype(native, copy=False)


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


def bad_samples(f, unseen=None):
    """Raise for NaN, inf or UNSEEN samples, with their counts; return quietly when there are none."""
    finite = np.isfinite(f)
    lost = f.size - np.count_nonzero(finite)
    masked = 0 if unseen is None else np.count_nonzero(np.abs(f - unseen) < 1e-5 * abs(unseen))
    if lost or masked:
        raise ValueError(
            f"{lost} samples are NaN or infinite and {masked} are UNSEEN, of {f.size}; mask them: "
            "spherekit.analyse(f, L, sampling=..., mask=good) with good True where samples count"
        )


def finite_samples(f, unseen=None):
    """Refuse bad samples, looking at every one."""
    if not (np.abs(f) < 1e28).all():
        bad_samples(f, unseen)


def sound_coefficients(
    guard, flm, hermitian, single, otherwise="pass reality=False for a complex signal"
):
    """Refuse coefficients by what a kernel saw of them: [NaN unless finite, symmetry defect, largest]."""
    if guard[0] != 0:
        raise ValueError(
            f"{flm.size - np.count_nonzero(np.isfinite(flm))} coefficients of {flm.size} are NaN or "
            "infinite; a transform would spread them over the sphere"
        )
    tolerance = 1e-5 if single else 1e-12
    if hermitian and guard[1] > tolerance * guard[2]:
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
    if isinstance(value, bool) or not 1 <= value <= 16:
        raise ValueError(f"oversample is {value!r}; expected a number from 1 to 16")
    return value


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
        return float(setting)
    except ValueError:
        raise ValueError(
            f"SPHEREKIT_MAX_MEMORY is {setting!r}; give a number of bytes, such as 8e9"
        ) from None


def fits_memory(needed, what):
    """Refuse a job that cannot fit, with the number."""
    limit = memory_limit()
    if needed > limit:
        raise MemoryError(
            f"{what} needs about {needed / 1e9:.3g} GB and may use {limit / 1e9:.3g} GB; lower L, pass "
            "fewer maps at once, or set SPHEREKIT_MAX_MEMORY to the bytes that it may use"
        )
