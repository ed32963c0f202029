"""Pixel windows of HEALPix: the factors by which averages over pixels multiply the degrees of a signal.

The average of sY_lm over pixel p, with tensors transported along great circles to its center, is w_lm(p). As
in the published tables (Gorski et al. 2005, ApJ 622, 759; E. Hivon, 2002), the window is its root mean
square,

    w_l^2 = 4 pi/(2l+1) <sum_m |w_lm(p)|^2>_p = < 1/Omega^2 int int cos(s A) d^l_ss(gamma) >_p,

where the addition theorem has replaced the sum over m: gamma is the distance of two points of the pixel, and
A the area of their triangle with the center. Since

    d^l_ss = (1-t)^s sum_k t^k/(k!)^2 prod_{j<k} ((s+j)(s+j+1) - l(l+1)),    t = sin^2(gamma/2),

twenty moments <cos(s A) (1-t)^s t^k> determine w_l at all degrees. They are computed by quadrature in the
coordinates of HEALPix, in which all pixels are equal squares, for a subset of the pixels with weights.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.sampling.base import Grid
from spherekit.sampling.healpix_arguments import check_nside
from spherekit.sampling.healpix_grid import HEALPix
from spherekit.sampling.quadrature import read_only
from spherekit.spectra.mask import Mask, mask_values
from spherekit.spectra.pixel_subsets import subset_for_mask, subset_of_pixels

#: The largest degree is 4 nside, as in the published tables: maps have no signal of higher degree.
DEGREES_PER_NSIDE = 4

#: Number of moments: at l = 4 nside the next one changes w_l by less than 1e-15.
_MOMENTS = 20

#: Gauss-Legendre points in each half of a pixel, across rings and along them.
_ACROSS, _ALONG = 5, 6

#: Pixels at a time.
_CHUNK = 16


def pixel_window(
    nside: int | HEALPix, L: int, *, spin: int = 0, mask: Mask | ArrayLike | None = None
) -> np.ndarray:
    """Window function w_l of the pixels of HEALPix, by which averages over pixels multiply coefficients.

    Maps of counts, or of binned samples of detectors, are averages over pixels: their spectra are those of
    the sky times ``(b_l w_l)^2``, with the beam b_l. Divide by it: ``cl / (b * w)**2`` (see `beam_window`).
    Signals sampled at the centers of pixels, as by `spherekit.inverse`, have no pixel window.

    w_l is the root mean square over all pixels, computed to 2e-7 at all nside. It agrees with the published
    tables (``healpy.pixwin``) to 2e-7 up to nside = 128; for larger nside these are extrapolated, and differ
    by up to 1.4e-5.

    Parameters
    ----------
    nside : int or HEALPix
        Any nside >= 1, or a grid.
    L : int
        Band-limit, at most 4 nside + 1: degrees 0..L-1.
    spin : int
        Spin of the field, |spin| < L: 0 for the temperature, 2 for polarization.
    mask : Mask or array_like [shape=(12 nside^2,)], optional
        Weights, as in `sky_fraction`. w_l is then the root mean square over the pixels with the weights
        mask^2, by which they enter a spectrum. The shapes of pixels depend on the latitude: with a mask of
        the galactic plane, spectra that are divided by the square of the window of the full sky are off by
        1.5 % at l = 2 nside.

    Returns
    -------
    float64 ndarray [shape=(L,)]
        w_l, and 0 at degrees l < |spin|, which spin fields do not have.

    Raises
    ------
    TypeError
        Arguments that are not integers.
    ValueError
        An nside out of range; L < 1 or L > 4 nside + 1; |spin| >= L.

    See Also
    --------
    gaussian_beam : the window function of a beam.

    References
    ----------
    Gorski et al. 2005, ApJ 622, 759; HEALPix Fortran facilities, appendix on pixel window functions.

    Examples
    --------
    >>> from spherekit.spectra import pixel_window
    >>> pixel_window(64, 257)[[0, 64, 128, 256]].round(4)
    array([1.    , 0.9536, 0.8261, 0.4453])
    """
    if isinstance(nside, Grid):
        if not isinstance(nside, HEALPix):
            raise ValueError(
                f"nside is {nside!r}; expected an integer or a HEALPix grid: other grids have samples at "
                "points, not averages over pixels"
            )
        nside = nside.nside
    nside = check_nside(nside)
    L = checks.band_limit(L)
    if L > DEGREES_PER_NSIDE * nside + 1:
        raise ValueError(
            f"L is {L}; expected at most {DEGREES_PER_NSIDE * nside + 1} for nside {nside}: pixel windows "
            f"are defined for degrees up to {DEGREES_PER_NSIDE} nside"
        )
    spin = abs(checks.spin_number(spin, L))
    ell = np.arange(L)
    if mask is None:
        moments = _moments(nside, spin)
    else:
        weights = mask_values(mask, HEALPix(nside))[0]
        moments = _sum_of_moments(nside, spin, *subset_for_mask(nside, weights))
    window = _series(moments, ell * (ell + 1.0) / nside**2, spin, nside)
    window[:spin] = 0
    return np.sqrt(window)


def _series(moments, x, spin, nside):
    """The sum over moments of w_l^2, x being l(l+1) / nside^2."""
    term = np.ones_like(x)
    total = np.zeros_like(x)
    for k, moment in enumerate(moments):
        total += moment * term
        term *= ((spin + k) * (spin + k + 1) / nside**2 - x) / (k + 1) ** 2
    return total


@lru_cache(maxsize=64)
def _moments(nside, spin):
    """<cos(s A) (1-t)^s (nside^2 t)^k> over the pairs of points of all pixels."""
    return read_only(_sum_of_moments(nside, spin, *subset_of_pixels(nside)))


def _sum_of_moments(nside, spin, ring, column, weights):
    """The sum over pixels with weights of cos(s A) (1-t)^s (nside^2 t)^k, averaged over pairs of points."""
    moments = np.zeros(_MOMENTS)
    for start in range(0, len(ring), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        offsets, theta, mass = _points(nside, ring[chunk], column[chunk])
        first, second = np.triu_indices(len(mass))
        share = np.where(first < second, 2, 1) * mass[first] * mass[second]
        t, factor = _pairs(offsets[..., first], offsets[..., second], theta[:, None], spin)
        factor *= share * weights[chunk, None]
        t *= nside**2
        for k in range(_MOMENTS):
            moments[k] += factor.sum()
            factor *= t
    return moments


def _pairs(u, v, theta, spin):
    """(t, cos(s A) (1-t)^s) of pairs of points, from their vectors (3, p, n) from centers at theta (p, 1)."""
    t = ((u - v) ** 2).sum(axis=0) / 4
    if spin == 0:
        return t, np.ones_like(t)
    volume = np.sin(theta) * (u[1] * v[2] - u[2] * v[1])
    volume += np.cos(theta) * (u[0] * v[1] - u[1] * v[0])
    cosines = 4 - (u**2 + v**2).sum(axis=0) / 2 - 2 * t
    area = 2 * np.arctan2(volume, cosines)
    return t, np.cos(spin * area) * (1 - t) ** spin


def _points(nside, ring, column):
    """Points in pixels: (vectors from the centers (3, p, n), colatitudes of the centers (p,), shares (n,)).

    The centers are turned to longitude 0. The diamond of a pixel is cut along its ring: at k rings from the
    pole, the offset d of k from the ring shortens the width in longitude to 1 - |d|.
    """
    d, across = _unit_interval(_ACROSS)
    x, along = _unit_interval(_ALONG)
    width = 1 - d
    x = width[:, None] * (x - 0.5)
    center_in_cap = ring < nside
    center = _theta(ring, nside, center_in_cap)
    center_phi = column / np.where(center_in_cap, ring, nside)
    theta, phi = [], []
    for sign in (-1, 1):
        k = ring[:, None] + sign * d
        in_cap = k[:, :1] < nside
        theta.append(_theta(k, nside, in_cap)[..., None] + 0 * x)
        shift = column[:, None] + np.where(in_cap, sign * d / 2, 0)
        pixels = np.where(in_cap, k, nside)
        phi.append((shift[..., None] + x) / pixels[..., None] - center_phi[:, None, None])
    theta, phi = (np.stack(angle, axis=1).reshape(len(ring), -1) for angle in (theta, phi))
    offsets = _directions(theta, phi * (np.pi / 2)) - _directions(center, 0 * center)[..., None]
    mass = np.tile((across * width)[:, None] * along, (2, 1)).ravel()
    return offsets, center, mass


def _unit_interval(n):
    """Gauss-Legendre nodes and weights on [0, 1]."""
    x, weights = np.polynomial.legendre.leggauss(n)
    return (x + 1) / 2, weights / 2


def _theta(k, nside, in_cap):
    """Colatitude at k rings from the north pole.

    z = 1 - k^2/(3 nside^2) in the cap, and 4/3 - 2k/(3 nside) in the belt.
    """
    in_belt = np.arccos(np.clip(4 / 3 - 2 * k / (3 * nside), -1, 1))
    return np.where(in_cap, 2 * np.arcsin(np.minimum(k / (math.sqrt(6) * nside), 1)), in_belt)


def _directions(theta, phi):
    return np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])
