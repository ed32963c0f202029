"""Gaussian random signals with a given power spectrum."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.conventions.indexing import alternate, degrees_and_orders


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
    cl = checks.as_float_array(cl, "cl")
    L = checks.band_limit(L)
    if np.iscomplexobj(cl):
        raise TypeError(f"cl has dtype {cl.dtype}; expected real numbers")
    rng = checks.generator(rng)
    if cl.ndim != 1 or cl.size < L:
        raise ValueError(
            f"cl has shape {cl.shape}; L={L} needs one axis of at least {L} values, l = 0..{L - 1}"
        )
    if not (np.isfinite(cl[:L]).all() and (cl[:L] >= 0).all()):
        raise ValueError(
            "cl contains negative, NaN or infinite values; expected finite values >= 0"
        )
    ell, m = degrees_and_orders(L)
    x = rng.standard_normal(L * L)
    partner = x[ell * ell + ell - m]
    f = np.where(m > 0, x + 1j * partner, alternate(partner - 1j * x, m)) / np.sqrt(2)
    return np.sqrt(cl[ell].astype(float)) * np.where(m == 0, x, f)
