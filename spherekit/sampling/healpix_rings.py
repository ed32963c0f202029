"""The rings of a HEALPix grid and their quadrature weights (Gorski et al. 2005, ApJ 622, 759)."""

from __future__ import annotations

from functools import lru_cache
from math import isqrt

import numpy as np

from spherekit._core import checks
from spherekit.sampling.healpix_arguments import MAX_NSIDE, check_nside
from spherekit.sampling.quadrature import read_only, zonal_corrections

__all__ = ["nside_of", "ring_table", "ring_weights", "rings"]

#: Largest nside whose colatitudes are read from the table of rings (262 kB), faster than the formula.
_MAX_TABLE = 2**13


def __dir__():
    return sorted(__all__)


def nside_of(n_pix: int) -> int:
    """The nside of a HEALPix map, from its number of pixels 12 nside^2.

    Parameters
    ----------
    n_pix : int
        Number of pixels.

    Returns
    -------
    int
        nside.

    Raises
    ------
    ValueError
        The number is not 12 nside^2 for any integer nside.
    TypeError
        The number is not an integer.

    Examples
    --------
    >>> from spherekit.sampling import healpix
    >>> healpix.nside_of(192)
    4
    """
    n_pix = checks.integer(n_pix, "n_pix", 1, 12 * MAX_NSIDE**2)
    nside = isqrt(n_pix // 12)
    if 12 * nside**2 != n_pix:
        raise ValueError(
            f"{n_pix} samples are not a HEALPix map: expected 12 nside^2; the nearest sizes are "
            f"{12 * max(nside, 1) ** 2} (nside {max(nside, 1)}) and {12 * (nside + 1) ** 2} "
            f"(nside {nside + 1})"
        )
    return nside


def rings(nside: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Geometry of the 4 nside - 1 rings of a HEALPix map, north to south.

    With i the ring number from 1: polar caps (i < nside) have 4 i pixels at
    ``z = 1 - i^2/(3 nside^2)``, computed as ``theta = 2 asin(i/(sqrt(6) nside))`` to be accurate
    at the pole; the belt has 4 nside pixels at ``z = 4/3 - 2 i/(3 nside)``. The south mirrors the
    north exactly.

    Parameters
    ----------
    nside : int
        Any nside >= 1.

    Returns
    -------
    theta : float64 ndarray [shape=(n_rings,)], radians
        Colatitudes.
    n_phi : int64 ndarray [shape=(n_rings,)]
        Number of pixels on each ring.
    phi0 : float64 ndarray [shape=(n_rings,)], radians
        Longitude of the first pixel of each ring.
    start : int64 ndarray [shape=(n_rings,)]
        Ring-order number of the first pixel of each ring. All arrays are read-only.

    Raises
    ------
    ValueError
        nside < 1 or > 2^29.
    TypeError
        nside is not an integer.
    MemoryError
        Rings that do not fit into memory.

    References
    ----------
    Gorski et al. 2005, ApJ 622, 759.

    Examples
    --------
    >>> from spherekit.sampling import healpix
    >>> theta, n_phi, phi0, start = healpix.rings(2)
    >>> n_phi
    array([4, 8, 8, 8, 8, 8, 4])
    """
    return _rings(check_nside(nside))


@lru_cache(maxsize=16)
def _rings(nside):
    # the four results, and about as much work memory
    checks.fits_memory(8 * 8 * 4 * nside, f"the table of rings at nside {nside}", "lower nside")
    i = np.arange(1, 2 * nside + 1)
    cap = 2 * np.arcsin(np.minimum(i, nside) / (np.sqrt(6) * nside))
    belt = np.arccos((4 * nside - 2 * np.maximum(i, nside)) / (3 * nside))
    theta = np.where(i < nside, cap, belt)
    n_phi = 4 * np.minimum(i, nside)
    # The first pixel is half a pixel off the meridian in the caps and on every second ring of the belt.
    shifted = (i < nside) | ((i - nside) % 2 == 0)
    phi0 = np.where(shifted, np.pi / n_phi, 0.0)
    theta = np.concatenate([theta, np.pi - theta[-2::-1]])
    n_phi, phi0 = (np.concatenate([a, a[-2::-1]]) for a in (n_phi, phi0))
    start = np.concatenate([[0], np.cumsum(n_phi)[:-1]])
    return read_only(theta, n_phi, phi0, start)


def ring_table(nside: int) -> np.ndarray:
    """Colatitudes of the rings for kernels; an empty array if nside is so large that the formula is faster.

    Parameters
    ----------
    nside : int

    Returns
    -------
    float64 ndarray [shape=(4 nside - 1,) or (0,)], radians

    Examples
    --------
    >>> from spherekit.sampling import healpix_rings
    >>> healpix_rings.ring_table(1).round(4), healpix_rings.ring_table(2**20)
    (array([0.8411, 1.5708, 2.3005]), array([], dtype=float64))
    """
    return rings(nside)[0] if nside <= _MAX_TABLE else read_only(np.empty(0))


def ring_weights(nside: int) -> np.ndarray:
    """Quadrature weights of HEALPix rings, exact for zonal signals of degree < 3 nside.

    Among all ring weights ``4 pi/n_pix (1 + u_r)``, symmetric about the equator, that satisfy
    ``sum_r n_r w_r P_l(cos theta_r) = 4 pi delta_l0`` for l <= 3 nside - 1 (odd l by symmetry),
    those of least ``sum_r n_r u_r^2``. They are positive for all nside. For orders m != 0 the
    quadrature is not exact: its error is that of the pixels along a ring.

    Parameters
    ----------
    nside : int
        Any nside >= 1.

    Returns
    -------
    float64 ndarray [shape=(4 nside - 1,)], steradians
        Read-only weights of one pixel of each ring; they sum to 4 pi over the pixels.

    Raises
    ------
    ValueError
        nside < 1 or > 2^29.
    TypeError
        nside is not an integer.
    MemoryError
        Rings that do not fit into memory.

    Examples
    --------
    Relative to the area of a pixel:

    >>> import numpy as np
    >>> from spherekit.sampling import healpix
    >>> healpix.ring_weights(1) * 12 / (4 * np.pi)
    array([1.125, 0.75 , 1.125])
    """
    return _ring_weights(check_nside(nside))


@lru_cache(maxsize=16)
def _ring_weights(nside):
    theta, n_phi, _, _ = rings(nside)
    north = 2 * nside
    mass = n_phi[:north] * np.where(np.arange(north) < north - 1, 2.0, 1.0) / (12 * nside**2)
    u = zonal_corrections(theta[:north], mass, np.arange(0, 3 * nside, 2))
    u = np.concatenate([u, u[-2::-1]])
    return read_only(4 * np.pi / (12 * nside**2) * (1 + u))
