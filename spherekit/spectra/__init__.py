"""Power spectra and Gaussian random signals."""

import numpy as np

__all__ = ["gaussian_flm", "power"]


def power(flm, flm2=None):
    """``C_l = 1/(2l+1) sum_m Re(f_lm conj g_lm)``, g = f unless given.

    Parameters
    ----------
    flm, flm2 : complex ndarray [shape=(..., L*L)]

    Returns
    -------
    float ndarray [shape=(..., L)]

    >>> import numpy as np
    >>> power(np.array([2.0, 1, 1, 1]))
    array([4., 1.])
    """
    flm = np.asarray(flm)
    other = flm if flm2 is None else np.asarray(flm2)
    L = int(round(flm.shape[-1] ** 0.5)) if flm.ndim else 0
    if L < 1 or L * L != flm.shape[-1] or other.shape[-1] != L * L:
        raise ValueError(
            f"flm has shapes {flm.shape}, {other.shape}; the flat layout is (..., L*L)"
        )
    ell = np.arange(L)
    return np.add.reduceat((flm * other.conj()).real, ell * ell, axis=-1) / (2 * ell + 1)


def gaussian_flm(cl, L, rng):
    """Random coefficients of a real signal with power spectrum ``cl``: <|f_lm|^2> = C_l.

    Parameters
    ----------
    cl : array_like [shape=(>= L,)], not negative
    L : int
    rng : numpy.random.Generator

    Returns
    -------
    complex128 ndarray [shape=(L*L,)]

    >>> import numpy as np
    >>> gaussian_flm(np.ones(4), 4, np.random.default_rng(1)).shape
    (16,)
    """
    cl = np.asarray(cl, float)
    if cl.ndim != 1 or cl.size < L:
        raise ValueError(
            f"cl has shape {cl.shape}; L={L} needs at least {L} values, l = 0..{L - 1}"
        )
    if not (np.isfinite(cl[:L]).all() and (cl[:L] >= 0).all()):
        raise ValueError("cl must be finite and not negative")
    ell = np.repeat(np.arange(L), 2 * np.arange(L) + 1)
    m = np.arange(L * L) - ell * ell - ell
    x = rng.standard_normal(L * L)
    mirror = x[ell * ell + ell - m]
    sign = 1 - 2 * (m % 2)
    f = np.where(m > 0, x + 1j * mirror, sign * (mirror - 1j * x)) / np.sqrt(2)
    return np.sqrt(cl[ell]) * np.where(m == 0, x, f)
