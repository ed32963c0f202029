"""Pixel functions of HEALPix for any nside, in ring and nested order (Gorski et al. 2005, ApJ 622, 759)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.sampling.healpix_arguments import (
    as_directions,
    as_pixel_numbers,
    check_nside,
    refuse_pixels,
)
from spherekit.sampling.healpix_rings import ring_table

__all__ = ["boundaries", "neighbours", "nest2ring", "pixel_angles", "pixel_of", "ring2nest"]


def __dir__():
    return sorted(__all__)


def pixel_of(
    nside: int,
    theta: ArrayLike,
    phi: ArrayLike,
    *,
    nest: bool = False,
    threads: int | None = None,
) -> np.ndarray:
    """The pixels that contain directions.

    Parameters
    ----------
    nside : int
        Any nside from 1 to 2^29; a power of two with ``nest``.
    theta, phi : array_like, radians
        Colatitudes in [0, pi] and longitudes, any real numbers, of any shapes that broadcast. A quantity is
        converted by its unit.
    nest : bool
        Return numbers in nested order instead of ring order.
    threads : int, optional
        Number of threads. The result does not depend on it.

    Returns
    -------
    int64 ndarray
        Pixel numbers, of the shape of the directions. On the border of pixels they are those of healpy in the
        same order: rounding may put such a direction into one pixel in ring order, and into its neighbour in
        nested order.

    Raises
    ------
    ValueError
        NaN or infinite angles; colatitudes outside [0, pi]; shapes that do not broadcast; nside out of range,
        or with ``nest`` not a power of two.
    TypeError
        Angles that are not real numbers; nside or threads that are not integers.

    References
    ----------
    Gorski et al. 2005, ApJ 622, 759, section 5.3.

    Examples
    --------
    >>> from spherekit.sampling import healpix
    >>> healpix.pixel_of(2, [0.0, 1.5], [0.0, -0.1])
    array([ 0, 27])
    """
    nside = check_nside(nside, nest)
    theta, phi = as_directions(theta, phi)
    pixels = np.empty(theta.shape, np.int64)
    _call("pixels_at", threads, theta, phi, nside, bool(nest), pixels)
    return pixels[()]


def pixel_angles(
    nside: int, pixels: ArrayLike | None = None, *, nest: bool = False, threads: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Colatitudes and longitudes of pixel centers.

    Parameters
    ----------
    nside : int
        Any nside >= 1; a power of two with ``nest``.
    pixels : int array_like, optional
        Pixel numbers of any shape; all pixels by default.
    nest : bool
        Whether the numbers are in nested order.
    threads : int, optional
        Number of threads. The result does not depend on it.

    Returns
    -------
    theta, phi : float64 ndarray, radians
        Of the shape of ``pixels``; 0 <= theta <= pi, 0 <= phi < 2 pi.

    Raises
    ------
    ValueError
        nside or a pixel number out of range, or with ``nest`` an nside that is not a power of two.
    TypeError
        nside or pixel numbers that are not integers.
    MemoryError
        Angles that do not fit into memory.

    Examples
    --------
    >>> from spherekit.sampling import healpix
    >>> theta, phi = healpix.pixel_angles(1, [4, 5])
    >>> theta.round(6), phi.round(6)
    (array([1.570796, 1.570796]), array([0.      , 1.570796]))
    """
    nside = check_nside(nside, nest)
    if pixels is None:
        # numbers and both angles
        noun = f"the table of pixel angles at nside {nside}"
        checks.fits_memory(8 * 3 * 12 * nside**2, noun, "pass the numbers of fewer pixels")
        pixels = np.arange(12 * nside**2)
    pixels = as_pixel_numbers(pixels, nside)
    theta, phi = np.empty(pixels.shape), np.empty(pixels.shape)
    arguments = nside, bool(nest), ring_table(nside), theta, phi
    if not _call("angles_of_pixels", threads, pixels, *arguments):
        refuse_pixels(pixels, nside)
    return theta[()], phi[()]


def neighbours(
    nside: int, pixels: ArrayLike, *, nest: bool = False, threads: int | None = None
) -> np.ndarray:
    """The neighbours of pixels: to the SW, W, NW, N, NE, E, SE and S.

    At 8 corners only three of the 12 base pixels meet; the pixels there have 7 neighbours, or 6 at nside 1.

    Parameters
    ----------
    nside : int
        Any nside from 1 to 2^29; a power of two with ``nest``.
    pixels : int array_like
        Pixel numbers of any shape.
    nest : bool
        Whether the numbers, also those of the result, are in nested order.
    threads : int, optional
        Number of threads. The result does not depend on it.

    Returns
    -------
    int64 ndarray [shape=(8, ...)]
        Pixel numbers, -1 where there is no neighbour; the further axes are those of ``pixels``.

    Raises
    ------
    ValueError
        nside or a pixel number out of range, or with ``nest`` an nside that is not a power of two.
    TypeError
        nside, pixel numbers or threads that are not integers.
    MemoryError
        Neighbours that do not fit into memory.

    References
    ----------
    Gorski et al. 2005, ApJ 622, 759, section 4.

    Examples
    --------
    >>> from spherekit.sampling import healpix
    >>> healpix.neighbours(2, 13)
    array([20, 12,  4,  0,  5, 14, 21, 29])
    """
    nside = check_nside(nside, nest)
    pixels = as_pixel_numbers(pixels, nside)
    checks.fits_memory(64 * pixels.size, "the array of neighbours", "pass fewer pixels")
    result = np.empty((8, *pixels.shape), np.int64)
    if not _call("neighbours_of", threads, pixels, nside, bool(nest), result):
        refuse_pixels(pixels, nside)
    return result


def boundaries(
    nside: int,
    pixels: ArrayLike,
    step: int = 1,
    *,
    nest: bool = False,
    threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Points on the boundaries of pixels.

    Parameters
    ----------
    nside : int
        Any nside from 1 to 2^29; a power of two with ``nest``.
    pixels : int array_like
        Pixel numbers of any shape.
    step : int
        Points of each of the four edges, the corner at its beginning included.
    nest : bool
        Whether the numbers are in nested order.
    threads : int, optional
        Number of threads. The result does not depend on it.

    Returns
    -------
    theta, phi : float64 ndarray [shape=(..., 4*step)], radians
        0 <= theta <= pi, 0 <= phi < 2 pi, and phi = 0 at the poles. They begin at the corner to the north and
        go by those to the west, south and east.

    Raises
    ------
    ValueError
        nside or a pixel number out of range; with ``nest`` an nside that is not a power of two; step < 1.
    TypeError
        nside, pixel numbers, step or threads that are not integers.
    MemoryError
        Points that do not fit into memory.

    References
    ----------
    Gorski et al. 2005, ApJ 622, 759, section 5.2.

    Examples
    --------
    >>> from spherekit.sampling import healpix
    >>> theta, phi = healpix.boundaries(1, 4)
    >>> theta.round(4), phi.round(4)
    (array([0.8411, 1.5708, 2.3005, 1.5708]), array([0.    , 5.4978, 0.    , 0.7854]))
    """
    nside = check_nside(nside, nest)
    pixels = as_pixel_numbers(pixels, nside)
    step = checks.integer(step, "step", 1)
    points = pixels.size * 4 * step
    checks.fits_memory(
        16 * points, f"the array of {points} points on boundaries", "pass fewer pixels"
    )
    theta, phi = (np.empty((*pixels.shape, 4 * step)) for _ in range(2))
    if not _call("boundaries_of", threads, pixels, nside, bool(nest), step, theta, phi):
        refuse_pixels(pixels, nside)
    return theta, phi


def nest2ring(nside: int, pixels: ArrayLike, *, threads: int | None = None) -> np.ndarray:
    """Convert pixel numbers from nested to ring order.

    Parameters
    ----------
    nside : int
        A power of two.
    pixels : int array_like
        Numbers in nested order, of any shape.
    threads : int, optional
        Number of threads. The result does not depend on it.

    Returns
    -------
    int64 ndarray
        Numbers in ring order, of the shape of ``pixels``.

    Raises
    ------
    ValueError
        nside or a pixel number out of range, or an nside that is not a power of two.
    TypeError
        nside or pixel numbers that are not integers.

    Examples
    --------
    >>> from spherekit.sampling import healpix
    >>> healpix.nest2ring(2, [0, 3, 47])
    array([13,  0, 35])
    """
    return _converted("nested_to_ring", nside, pixels, threads)


def ring2nest(nside: int, pixels: ArrayLike, *, threads: int | None = None) -> np.ndarray:
    """Convert pixel numbers from ring to nested order.

    Parameters
    ----------
    nside : int
        A power of two.
    pixels : int array_like
        Numbers in ring order, of any shape.
    threads : int, optional
        Number of threads. The result does not depend on it.

    Returns
    -------
    int64 ndarray
        Numbers in nested order, of the shape of ``pixels``.

    Raises
    ------
    ValueError
        nside or a pixel number out of range, or an nside that is not a power of two.
    TypeError
        nside or pixel numbers that are not integers.

    Examples
    --------
    >>> from spherekit.sampling import healpix
    >>> healpix.ring2nest(2, [13, 0, 35])
    array([ 0,  3, 47])
    """
    return _converted("ring_to_nested", nside, pixels, threads)


def _converted(kernel, nside, pixels, threads):
    nside = check_nside(nside, nest=True)
    pixels = as_pixel_numbers(pixels, nside)
    result = np.empty(pixels.shape, np.int64)
    if not _call(kernel, threads, pixels, nside, result):
        refuse_pixels(pixels, nside)
    return result[()]


def _call(kernel, threads, points, *arguments):
    """Call a kernel with flat arrays; return whether all pixel numbers are in range."""
    from spherekit.sampling import healpix_kernels  # imports Numba

    arguments = (x.reshape(-1) if isinstance(x, np.ndarray) else x for x in (points, *arguments))
    function = getattr(healpix_kernels, kernel)
    return healpix_kernels.for_each_block(function, points.size, threads, *arguments)
