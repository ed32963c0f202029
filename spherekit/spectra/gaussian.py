"""Gaussian random signals of a power spectrum."""

import numpy as np

from spherekit._core import checks
from spherekit.conventions.indexing import alternate, degrees_and_orders


def gaussian_flm(cl, L, rng):
    """Random coefficients of a real signal with power spectrum ``cl``: <|f_lm|^2> = C_l.

    Parameters
    ----------
    cl : array_like [shape=(>= L,)], not negative
    L : int
    rng : numpy.random.Generator or int
        A generator, or the seed of one.

    Returns
    -------
    complex128 ndarray [shape=(L*L,)]

    Raises
    ------
    TypeError
        ``cl`` is not an array of real numbers, or has a unit; ``rng`` is not a generator.
    ValueError
        Too few values, or negative or non-finite ones.

    >>> import numpy as np
    >>> gaussian_flm(np.ones(4), 4, np.random.default_rng(1)).shape
    (16,)
    """
    cl, L = checks.as_float_array(cl, "cl"), checks.band_limit(L)
    if np.iscomplexobj(cl):
        raise TypeError(f"cl has dtype {cl.dtype}; a power spectrum is real")
    rng = checks.generator(rng)
    if cl.ndim != 1 or cl.size < L:
        raise ValueError(
            f"cl has shape {cl.shape}; L={L} needs at least {L} values, l = 0..{L - 1}"
        )
    if not (np.isfinite(cl[:L]).all() and (cl[:L] >= 0).all()):
        raise ValueError("cl must be finite and not negative")
    ell, m = degrees_and_orders(L)
    x = rng.standard_normal(L * L)
    partner = x[ell * ell + ell - m]
    f = np.where(m > 0, x + 1j * partner, alternate(partner - 1j * x, m)) / np.sqrt(2)
    return np.sqrt(cl[ell].astype(float)) * np.where(m == 0, x, f)
