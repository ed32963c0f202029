"""Beams: the window functions b_l of instruments, by which coefficients are multiplied, and those of pixels.

A map of averages over pixels has the coefficients ``b_l w_l f_lm`` of the sky f, with the window w_l of its
pixels, and the spectrum ``(b_l w_l)^2 C_l``. So the spectrum of the sky is ``cl / (b_l w_l)^2``.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.sampling.healpix_grid import HEALPix
from spherekit.spectra.mask import Mask
from spherekit.spectra.pixel_windows import pixel_window

#: The full width at half maximum of a Gaussian, in units of its standard deviation.
FWHM_PER_SIGMA = math.sqrt(8 * math.log(2))

#: Smallest window, relative to its largest value, by whose square spectra are divided: signals that are
#: smaller by this factor are near the rounding errors of maps in single precision, 6e-8.
SMALLEST_WINDOW = 1e-6


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


def beam_window(
    beam: ArrayLike | None,
    L: int,
    *,
    spin: int = 0,
    nside: int | HEALPix | None = None,
    mask: Mask | ArrayLike | None = None,
) -> np.ndarray:
    """Window function b_l w_l of a beam and of the pixels of a map, for dividing spectra by its square.

        C_l of the sky = C_l of the map / (b_l w_l)^2

    Parameters
    ----------
    beam : float or quantity, radians, or array_like [shape=(n_l,)], n_l >= L, or None
        Full width at half maximum of a Gaussian beam, or a table b_l of l = 0..n_l - 1, of which those below
        L are used. None: no beam.
    L : int
        Band-limit: degrees 0..L-1.
    spin : int
        Spin of the field, |spin| < L: 0 for T, 2 for E and B.
    nside : int or HEALPix, optional
        Resolution of a map whose samples are averages over pixels, as counts and binned data are; L is at
        most 4 nside + 1. By default, the window of the pixels is 1: for samples at points, such as
        simulations that do not include it.

    mask : Mask or array_like [shape=(12 nside^2,)], optional
        Weights of the pixels, for their window (see `pixel_window`).

    Returns
    -------
    float64 ndarray [shape=(L,)]
        b_l w_l, and 1 at degrees l < |spin|, at which spectra of the field are 0.

    Raises
    ------
    TypeError
        Arguments that are not numbers; a table that is complex or has a unit.
    ValueError
        A negative or infinite width; a table with fewer than L values, with NaN or infinite values; an
        invalid L, spin or nside. A window below 1e-6 of its largest value at a degree |spin| <= l < L, where
        division would amplify rounding errors only: the message names the first such degree.

    See Also
    --------
    gaussian_beam : a beam for simulations, of any width.
    pixel_window : the window of pixels.
    masked_field : its ``beam`` is such a window.

    Examples
    --------
    >>> import astropy.units as u
    >>> from spherekit.spectra import beam_window
    >>> beam_window(1 * u.deg, 129, nside=64)[[0, 64, 128]].round(4)
    array([1.    , 0.8506, 0.5249])
    """
    L = checks.band_limit(L)
    spin = abs(checks.spin_number(spin, L))
    window = _beam(beam, L, spin)
    if nside is not None:
        window = window * pixel_window(nside, L, spin=spin, mask=mask)
    elif mask is not None:
        raise ValueError("got a mask without nside; the mask applies to the window of the pixels")
    window[:spin] = 1
    _check_not_small(window, spin, "" if beam is None or np.ndim(beam) else _hint(beam))
    return window


def _beam(beam, L, spin):
    """b_l of a width or a table."""
    if beam is None:
        return np.ones(L)
    if not np.ndim(beam):
        return gaussian_beam(beam, L, spin=spin)
    beam = checks.as_float_array(beam, "beam")
    if np.iscomplexobj(beam):
        raise TypeError("beam is complex; expected real values b_l")
    if beam.ndim != 1 or beam.size < L:
        raise ValueError(
            f"beam has shape {beam.shape}; L={L} needs one axis of at least {L} values, l = 0..{L - 1}"
        )
    beam = beam[:L].astype(float)
    if not np.isfinite(beam).all():
        ell = int(np.argmin(np.isfinite(beam)))
        raise ValueError(f"beam is {beam[ell]} at l = {ell}; expected finite values")
    return beam


def beams_of_signals(beam, n, L):
    """The window functions (n, L) of n signals, from one for all, one for each, or None, which is 1.

    >>> beams_of_signals([1.0, 0.5], 2, 2)
    array([[1. , 0.5],
           [1. , 0.5]])
    """
    if beam is None:
        return np.ones((n, L))
    beam = checks.as_float_array(beam, "beam")
    if np.iscomplexobj(beam) or beam.shape not in ((L,), (n, L)):
        width = "; of a width pass gaussian_beam(width, L) or beam_window(width, L)"
        raise ValueError(
            f"beam has shape {beam.shape} and dtype {beam.dtype}; expected ({L},), or ({n}, {L}) for {n} "
            f"signal(s), real values of the degrees below L{'' if beam.ndim else width}"
        )
    if not np.isfinite(beam).all():
        raise ValueError("beam contains NaN or infinite values; expected finite values")
    return np.broadcast_to(beam.astype(float), (n, L)).copy()


def _hint(width):
    """The end of a message on the window of a width that is too large for an angle in radians."""
    sigma = beam_sigma(width, "fwhm")
    hint = f"; the width {sigma:g} is in radians (np.radians converts degrees)"
    return hint if sigma > math.pi else ""


def _check_not_small(window, spin, hint=""):
    """Raise ValueError for a window by whose square no spectrum can be divided."""
    size = np.abs(window[spin:])
    is_small = ~(size > SMALLEST_WINDOW * size.max())
    if is_small.any():
        ell = spin + int(np.argmax(is_small))
        raise ValueError(
            f"the window of beam and pixels is {window[ell]:.3g} at l = {ell}, below {SMALLEST_WINDOW:g} of "
            f"its largest value {size.max():.3g}; division by its square would amplify rounding errors: "
            f"lower L from {len(window)} to at most {ell}{hint}"
        )


def beam_sigma(width, name):
    """The width of a beam in radians, from a number >= 0 or a quantity.

    >>> beam_sigma(0.1, "sigma")
    0.1
    """
    values = checks.angles(width, name)
    if values.ndim or values < 0:
        raise ValueError(f"{name} is {width!r}; expected one angle >= 0, in radians")
    return float(values)
