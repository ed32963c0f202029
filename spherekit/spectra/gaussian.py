"""Gaussian random signals with given power spectra and cross-spectra."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks

#: The largest rounding error of a cross-spectrum relative to sqrt(C_ii C_jj), as in single precision.
ROUNDING = 1e-6


def gaussian_flm(
    cl: ArrayLike, L: int, rng: np.random.Generator | np.random.SeedSequence | int
) -> np.ndarray:
    """Random coefficients of a real Gaussian signal with power spectrum ``cl``: <|f_lm|^2> = C_l.

    Parameters
    ----------
    cl : array_like [shape=(n,), n >= L]
        Power spectrum, C_l >= 0.
    L : int
        Band-limit.
    rng : numpy.random.Generator, SeedSequence or int
        A random generator, or its seed.

    Returns
    -------
    complex128 ndarray [shape=(L*L,)]
        Hermitian coefficients.

    Raises
    ------
    TypeError
        ``cl`` is not an array of real numbers, or has a unit; ``rng`` is neither a generator nor a seed; L is
        not an integer.
    ValueError
        L < 1; a negative seed; fewer than L values; negative or non-finite values.

    Examples
    --------
    The spectrum of a realization scatters around ``cl``:

    >>> import numpy as np
    >>> from spherekit.spectra import power
    >>> flm = gaussian_flm(np.full(64, 2.0), 64, np.random.default_rng(0))
    >>> flm.shape, round(float(power(flm)[20:].mean()), 1)
    ((4096,), 2.0)
    """
    cl = _real_array(cl, "cl")
    L = checks.band_limit(L)
    rng = checks.generator(rng)
    if cl.ndim != 1 or cl.size < L:
        raise ValueError(
            f"cl has shape {cl.shape}; L={L} needs one axis of at least {L} values, l = 0..{L - 1}"
        )
    _check_spectrum(cl[:L], "cl")
    return _scale(_normal_flm(L, rng), np.sqrt(cl[:L].astype(float)))


def correlated_flm(
    cl: Mapping[str, ArrayLike] | ArrayLike,
    L: int,
    rng: np.random.Generator | np.random.SeedSequence | int,
) -> np.ndarray:
    """Random coefficients of real Gaussian signals with given cross-spectra: <f^i_lm conj(f^j_lm)> = C_l^ij.

    The first signal has the same bits as that of `gaussian_flm` with its spectrum and the same generator.

    Parameters
    ----------
    cl : dict of str to array_like [shape=(n_l,)], or array_like [shape=(n, n, n_l)], n_l >= L
        The spectra and cross-spectra, such as ``{"TT": ..., "EE": ..., "BB": ..., "TE": ...}``. The signals
        are those of the spectra, TT, EE and BB, in their order in the dict; pairs that are absent are not
        correlated. Or a symmetric matrix for each degree, along the last axis.
    L : int
        Band-limit.
    rng : numpy.random.Generator, SeedSequence or int
        A random generator, or its seed.

    Returns
    -------
    complex128 ndarray [shape=(n, L*L)]
        Hermitian coefficients.

    Raises
    ------
    TypeError
        As `gaussian_flm`; a name that is not a string.
    ValueError
        L < 1; a negative seed; fewer than L values; negative or non-finite spectra; a name that is not a pair
        of letters; a pair without the spectra of its signals, or in both orders; letters that differ only in
        case; matrices that are not symmetric. A matrix that is not positive semi-definite: a cross-spectrum
        beyond the largest that the others allow, by more than 1e-6 sqrt(C_l^ii C_l^jj), the rounding of files
        in single precision. The message names the degree and the pair.

    See Also
    --------
    gaussian_flm : one signal.
    gaussian_sky : a simulated sky, with beam and noise.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.spectra import correlated_flm, power
    >>> cl = {"TT": np.full(64, 4.0), "EE": np.ones(64), "TE": np.full(64, -1.0)}
    >>> T, E = correlated_flm(cl, 64, np.random.default_rng(0))
    >>> round(float(power(T, E)[20:].mean()), 1)
    -1.0
    """
    L = checks.band_limit(L)
    factors = covariance_factors(cl, L)
    rng = checks.generator(rng)
    n = len(factors)
    flm = np.zeros((n, L * L), complex)
    for j in range(n):
        normal = _normal_flm(L, rng)
        for i in range(j + 1, n):
            if factors[i, j].any():
                flm[i] += _scale(normal.copy(), factors[i, j])
        flm[j] += _scale(normal, factors[j, j])
    return flm


def _normal_flm(L, rng):
    """Hermitian coefficients of unit variance, degree by degree: m > 0 from the normals of m and -m."""
    x = rng.standard_normal(L * L)
    scaled = x * (1 / np.sqrt(2))
    flm = np.zeros(L * L, complex)
    for ell in range(L):
        first = ell * ell
        center = first + ell
        end = center + ell + 1
        positive = flm[center + 1 : end]
        positive.real = scaled[center + 1 : end]
        positive.imag = scaled[first:center][::-1]
        negative = np.conj(positive)
        np.negative(negative[::2], out=negative[::2])
        flm[first:center] = negative[::-1]
        flm[center] = x[center]
    return flm


def _scale(flm, factor):
    """Multiply coefficients by a factor (L,) for each degree, in place."""
    flm *= np.repeat(factor, 2 * np.arange(len(factor)) + 1)
    return flm


def covariance_factors(cl, L):
    """The factors (n, n, L) of the argument ``cl`` of `correlated_flm`, which is checked.

    >>> covariance_factors({"TT": [4.0, 9.0]}, 2)
    array([[[2., 3.]]])
    """
    return cholesky_factors(*_matrices(cl, L))


def cholesky_factors(matrices, names):
    """The lower triangular factors G of covariance matrices, C = G G^T, along the last axis.

    The correlation matrices are factorized row by row. Where an entry of a factor exceeds what the diagonal
    leaves, by the rounding of the input, it is reduced such that the errors of G G^T in the entry and on the
    diagonal are equal, at most `ROUNDING`. So singular matrices (completely correlated signals) have factors,
    too.

    Parameters
    ----------
    matrices : float64 ndarray [shape=(n, n, L)]
    names : sequence of str
        A name for each signal, for messages.

    Returns
    -------
    float64 ndarray [shape=(n, n, L)]

    Raises
    ------
    ValueError
        A matrix that is not positive semi-definite up to `ROUNDING`, of the smallest such degree.

    >>> import numpy as np
    >>> cholesky_factors(np.array([[4.0, 2.0], [2.0, 1.0]])[..., None], "TE")[..., 0]
    array([[2., 0.],
           [1., 0.]])
    """
    n = len(names)
    scale = np.sqrt(matrices[np.arange(n), np.arange(n)])
    factors = np.zeros_like(matrices)
    failures = []
    for i in range(n):
        remainder = np.where(scale[i] > 0, 1.0, 0.0)
        for j in range(i):
            product = scale[i] * scale[j]
            cross = np.clip(_divide(matrices[i, j], product), -2, 2)  # beyond 1: not valid
            cross = cross - (factors[i, :j] * factors[j, :j]).sum(axis=0)
            pivot = factors[j, j]
            entry = _divide(np.abs(cross), pivot)
            excess = np.maximum(entry**2 - remainder, 0)
            root = np.sqrt(4 * entry * pivot + pivot**2 + 4 * remainder)
            entry = entry - _divide(2 * excess, 2 * entry + pivot + root)
            factors[i, j] = np.copysign(entry, cross)
            remainder = np.maximum(remainder - entry**2, 0)
            is_beyond = np.abs(cross - factors[i, j] * pivot) > ROUNDING
            is_beyond |= (product == 0) & (matrices[i, j] != 0)
            failures += [(int(np.argmax(is_beyond)), i, j)] if is_beyond.any() else []
        factors[i, i] = np.sqrt(remainder)
    if failures:
        raise ValueError(_not_positive(matrices, names, *min(failures)))
    return factors * scale[:, None]


def _divide(x, y):
    """x / y, and 0 where y is 0."""
    return np.divide(x, y, out=np.zeros_like(x), where=y > 0)


def _not_positive(matrices, names, degree, i, j):
    """The message on a matrix that is not positive semi-definite."""
    cross, first, second = (matrices[k, m, degree] for k, m in ((i, j), (j, j), (i, i)))
    values = (
        f"C_l of {names[j]}{names[i]} is {cross:.6g} at l = {degree}, where those of {names[j] * 2} and "
        f"{names[i] * 2} are {first:.6g} and {second:.6g}"
    )
    largest = np.sqrt(first) * np.sqrt(second)
    limit = "it contradicts the correlations of both with other signals"
    if abs(cross) > largest:
        limit = f"expected at most {largest:.6g}, their geometric mean, in magnitude"
    return f"{values}; {limit}: the matrix of the spectra is not positive semi-definite"


def _matrices(cl, L):
    """(covariance matrices (n, n, L), names of the signals) of spectra in a dict or an array."""
    if isinstance(cl, Mapping):
        return _matrices_of_pairs(cl, L)
    cl = _real_array(cl, "cl")
    if cl.ndim != 3 or cl.shape[0] != cl.shape[1] or not cl.shape[0] or cl.shape[2] < L:
        raise ValueError(
            f"cl has shape {cl.shape}; expected (n, n, n_l) with n_l >= L = {L}, a symmetric matrix for each "
            "degree, or a dict of spectra"
        )
    matrices = cl[..., :L].astype(float)
    names = [f"[{i}]" for i in range(len(cl))]
    for i in range(len(cl)):
        _check_spectrum(matrices[i, i], f"cl[{i}, {i}]")
        for j in range(i):
            _check_finite(matrices[i, j], f"cl[{i}, {j}]")
            difference = np.abs(matrices[i, j] - matrices[j, i])
            bound = ROUNDING * np.sqrt(matrices[i, i] * matrices[j, j])
            if not (difference <= bound).all():
                degree = int(np.argmin(difference <= bound))
                raise ValueError(
                    f"cl[{i}, {j}] and cl[{j}, {i}] differ at l = {degree}, {matrices[i, j, degree]:.6g} and "
                    f"{matrices[j, i, degree]:.6g}; expected symmetric matrices"
                )
    return matrices, names


def _matrices_of_pairs(cl, L):
    spectra = {}
    for name, values in cl.items():
        if not isinstance(name, str):
            raise TypeError(
                f"cl has the key {name!r}; expected pairs of letters, such as TT and TE"
            )
        if len(name) != 2:
            raise ValueError(
                f"cl has the key {name!r}; expected a pair of letters, such as TT or TE"
            )
        if name[::-1] in spectra:
            raise ValueError(
                f"cl has both {name[::-1]} and {name}, which are the same spectrum; pass one of them"
            )
        spectra[name] = _real_array(values, f"the spectrum {name}")
        if spectra[name].ndim != 1 or spectra[name].size < L:
            raise ValueError(
                f"the spectrum {name} has shape {spectra[name].shape}; L={L} needs one axis of at least {L} "
                f"values, l = 0..{L - 1}"
            )
    signals = [name[0] for name in spectra if name[0] == name[1]]
    if not signals:
        raise ValueError(
            f"cl has the spectra {', '.join(spectra) or '(none)'}; expected one such as TT"
        )
    for signal in signals:
        if signal != signal.upper() and signal.upper() in signals:
            raise ValueError(
                f"cl has the spectra {signal * 2} and {signal.upper() * 2}, which differ only in case; use "
                "other letters for different signals"
            )
    matrices = np.zeros((len(signals), len(signals), L))
    for name, values in spectra.items():
        absent = [signal * 2 for signal in name if signal not in signals]
        if absent:
            raise ValueError(
                f"cl has {name}, but not {' and '.join(absent)}; pass these spectra, too"
            )
        (_check_spectrum if name[0] == name[1] else _check_finite)(
            values[:L], f"the spectrum {name}"
        )
        i, j = (signals.index(signal) for signal in name)
        matrices[i, j] = matrices[j, i] = values[:L]
    return matrices, signals


def _real_array(values, name):
    values = checks.as_float_array(values, name)
    if np.iscomplexobj(values):
        raise TypeError(f"{name} has dtype {values.dtype}; expected real numbers")
    return values


def _check_finite(cl, name):
    if not np.isfinite(cl).all():
        raise ValueError(f"{name} contains NaN or infinite values; expected finite values")


def _check_spectrum(cl, name):
    is_valid = np.isfinite(cl) & (cl >= 0)
    if not is_valid.all():
        degree = int(np.argmin(is_valid))
        raise ValueError(
            f"{name} contains negative, NaN or infinite values ({cl[degree]:.6g} at l = {degree}); expected "
            "finite values >= 0"
        )
