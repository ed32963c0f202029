"""Power spectra and Gaussian random signals."""

import numpy as np

from spherekit import _check
from spherekit._jit import jit
from spherekit.conventions.layouts import flat
from spherekit.spectra.masked import MonopoleDipole, remove_monopole_dipole

__all__ = ["MonopoleDipole", "gaussian_flm", "power", "remove_monopole_dipole"]


def power(flm, flm2=None):
    """``C_l = 1/(2l+1) sum_m Re(f_lm conj g_lm)``, g = f unless given.

    Parameters
    ----------
    flm, flm2 : complex ndarray [shape=(..., L*L)]

    Returns
    -------
    float ndarray [shape=(..., L)]
        float32 where both inputs are of single precision.

    >>> import numpy as np
    >>> power(np.array([2.0, 1, 1, 1]))
    array([4., 1.])
    """
    flm, L = flat(flm)
    other, L_other = (flm, L) if flm2 is None else flat(flm2)
    if L != L_other:
        raise ValueError(f"flm has shape {flm.shape} and flm2 {other.shape}; cut both to one L*L")
    if flm.shape != other.shape or flm.dtype != other.dtype:
        kind = np.result_type(flm, other)
        flm, other = (x.astype(kind) for x in np.broadcast_arrays(flm, other))
    found = _sums(flm.reshape(-1, L * L), other.reshape(-1, L * L), L)
    return found.reshape(*flm.shape[:-1], L).astype(flm.real.dtype, copy=False)


@jit
def _sums(f, g, L):
    """In double precision."""
    found = np.empty((f.shape[0], L))
    for q in range(f.shape[0]):
        for ell in range(L):
            total = 0.0
            for k in range(ell * ell, (ell + 1) ** 2):
                total += f[q, k].real * g[q, k].real + f[q, k].imag * g[q, k].imag
            found[q, ell] = total / (2 * ell + 1)
    return found


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
    cl, L = np.asarray(cl, float), _check.band_limit(L)
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
