"""Beams: the window functions b_l of instruments, by which coefficients are multiplied."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks

#: The full width at half maximum of a Gaussian, in units of its standard deviation.
FWHM_PER_SIGMA = math.sqrt(8 * math.log(2))


def gaussian_beam(fwhm: ArrayLike, L: int, *, spin: int = 0) -> np.ndarray:
    """Window function of a Gaussian beam: b_l = exp(-(l(l+1) - spin^2) sigma^2 / 2).

    The factor exp(spin^2 sigma^2 / 2) of a polarized beam makes b_l of spin 2 that of the columns E and B of
    ``healpy.gauss_beam(pol=True)`` (Challinor et al. 2000, Phys. Rev. D 62, 123002).

    Parameters
    ----------
    fwhm : float or quantity, radians
        Full width at half maximum, sqrt(8 ln 2) sigma, >= 0.
    L : int
        Band-limit: degrees 0..L-1.
    spin : int
        Spin of the field, |spin| < L; it has no degrees < |spin|, at which b_l is not used.

    Returns
    -------
    float64 ndarray [shape=(L,)]
        b_l, by which coefficients are multiplied; spectra are multiplied by its square.

    Raises
    ------
    TypeError
        L or spin that are not integers; a width that is not a real number.
    ValueError
        A negative or infinite width, or one with a unit that is not one of angles; L < 1; |spin| >= L.

    See Also
    --------
    spherekit.fields.smooth : smooth a map.

    Examples
    --------
    >>> import astropy.units as u
    >>> from spherekit.spectra import gaussian_beam
    >>> gaussian_beam(1 * u.deg, 301)[[0, 100, 300]].round(4)
    array([1.    , 0.7577, 0.0837])
    """
    sigma = beam_sigma(fwhm, "fwhm") / FWHM_PER_SIGMA
    L = checks.band_limit(L)
    spin = checks.spin_number(spin, L)
    ell = np.arange(L)
    return np.exp(-0.5 * (ell * (ell + 1.0) - spin**2) * sigma**2)


def beam_sigma(width, name):
    """The width of a beam in radians, from a number >= 0 or a quantity.

    >>> beam_sigma(0.1, "sigma")
    0.1
    """
    values = checks.angles(width, name)
    if values.ndim or values < 0:
        raise ValueError(f"{name} is {width!r}; expected one angle >= 0, in radians")
    return float(values)
