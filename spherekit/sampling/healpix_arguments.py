"""Arguments of the pixel functions of HEALPix: nside, pixel numbers and directions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks

__all__ = [
    "HEALPY_NAMES",
    "MAX_NSIDE",
    "as_directions",
    "as_pixel_numbers",
    "check_nside",
    "refuse_pixels",
]

#: The largest nside whose pixel numbers fit an int64 in nested order.
MAX_NSIDE = 2**29
_MAX_INTEGER = np.iinfo(np.int64).max

#: Methods of the grid, and functions of `spherekit.sampling.healpix`, for functions of healpy and others.
HEALPY_NAMES = {
    "ang2pix": ("pixel_of", "pixel_of"),
    "pix2ang": ("angles_of", "pixel_angles"),
    "pixel_angles": ("angles_of", "pixel_angles"),
    "angles_of": ("angles_of", "pixel_angles"),
    "nest2ring": ("to_ring", "nest2ring"),
    "ring2nest": ("to_nested", "ring2nest"),
    "to_ring": ("to_ring", "nest2ring"),
    "to_nested": ("to_nested", "ring2nest"),
    "reorder": ("spherekit.sampling.healpix.reorder", "reorder"),
    "query_disc": ("disc", "disc"),
    "query_strip": ("strip", "strip"),
    "query_polygon": ("polygon", "polygon"),
    "get_all_neighbours": ("neighbours", "neighbours"),
    "neighbors": ("neighbours", "neighbours"),
    "get_interp_val": ("interpolate", "interpolate"),
    "get_interp_weights": ("interpolation_weights", "interpolation_weights"),
    "ud_grade": ("degrade or upgrade", "degrade or upgrade"),
    "npix": ("shape[0]", "12 * nside**2"),
    "nside2npix": ("shape[0]", "12 * nside**2"),
    "npix2nside": ("spherekit.sampling.healpix.nside_of", "nside_of"),
}


def __dir__():
    return sorted(__all__)


def check_nside(nside: int, nest: bool = False) -> int:
    """Return nside as an int from 1 to 2^29, a power of two in nested order.

    Parameters
    ----------
    nside : int
    nest : bool
        Whether pixel numbers are in nested order.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        nside < 1 or > 2^29, or with ``nest`` not a power of two.
    TypeError
        nside is not an integer.

    Examples
    --------
    >>> from spherekit.sampling import healpix_arguments
    >>> healpix_arguments.check_nside(3)
    3
    """
    nside = checks.integer(nside, "nside", 1, MAX_NSIDE)
    if nest and nside & (nside - 1):
        raise ValueError(f"nside is {nside}; nested order needs a power of two")
    return nside


def as_pixel_numbers(pixels: ArrayLike, nside: int) -> np.ndarray:
    """Return pixel numbers as a contiguous int64 array for kernels, of any range (`refuse_pixels`).

    Parameters
    ----------
    pixels : int array_like
    nside : int

    Returns
    -------
    int64 ndarray

    Raises
    ------
    TypeError
        Pixel numbers that are not integers, or masked.
    ValueError
        Pixel numbers out of the range of int64.

    Examples
    --------
    >>> from spherekit.sampling import healpix_arguments
    >>> healpix_arguments.as_pixel_numbers([1, 2], 1)
    array([1, 2])
    """
    checks.refuse_masked(pixels, "pixels", "pass those of the valid entries, {name}[valid]")
    try:
        array = checks.as_array(pixels, "pixels", expected="integers")
    except TypeError:
        _refuse_large(pixels, nside)
        raise
    if array.dtype.kind not in "iu" and array.size:
        _refuse_large(pixels, nside)
        raise TypeError(f"pixel numbers have dtype {array.dtype}; expected integers")
    if array.dtype == np.uint64 and array.size and array.max() > _MAX_INTEGER:
        _refuse_range(array.min(), array.max(), nside)
    return _for_kernels(array, np.int64)


def _refuse_large(pixels, nside):
    """Refuse integers that numpy converts to objects or to float64, since they are too large."""
    if isinstance(pixels, int | list | tuple):
        integers = np.ravel(np.asarray(pixels, object)).tolist()
        is_integer = all(isinstance(x, int) for x in integers)
        if (
            is_integer
            and integers
            and (min(integers) < -_MAX_INTEGER or max(integers) > _MAX_INTEGER)
        ):
            _refuse_range(min(integers), max(integers), nside)


def _refuse_range(minimum, maximum, nside):
    raise ValueError(
        f"pixel numbers go from {minimum} to {maximum}; nside {nside} has the pixels "
        f"0..{12 * nside**2 - 1}"
    )


def refuse_pixels(pixels: np.ndarray, nside: int):
    """Raise an error for pixel numbers that nside does not have, with their range.

    Parameters
    ----------
    pixels : int64 ndarray
    nside : int

    Raises
    ------
    ValueError
        A pixel number out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import healpix_arguments
    >>> healpix_arguments.refuse_pixels(np.array([11]), 1)
    """
    if pixels.size and (pixels.min() < 0 or pixels.max() >= 12 * nside**2):
        _refuse_range(pixels.min(), pixels.max(), nside)


def as_directions(theta: ArrayLike, phi: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return colatitudes and longitudes as contiguous float64 arrays of the same shape, for kernels.

    Parameters
    ----------
    theta, phi : array_like, radians
        They are broadcast against each other; an astropy quantity is converted by its unit.

    Returns
    -------
    theta, phi : float64 ndarray
        theta from 0 to pi.

    Raises
    ------
    ValueError
        NaN or infinite angles; colatitudes outside [0, pi]; shapes that do not broadcast.
    TypeError
        Angles that are not real numbers.

    Examples
    --------
    >>> from spherekit.sampling import healpix_arguments
    >>> healpix_arguments.as_directions([0.5, 1.0], 2)
    (array([0.5, 1. ]), array([2., 2.]))
    """
    theta, phi = checks.colatitudes(theta), checks.angles(phi, "phi")
    try:
        is_equal = theta.shape == phi.shape
        shape = theta.shape if is_equal else np.broadcast_shapes(theta.shape, phi.shape)
    except ValueError:
        raise ValueError(
            f"theta has shape {theta.shape} and phi {phi.shape}; expected shapes that broadcast"
        ) from None
    return tuple(
        _for_kernels(x if x.shape == shape else np.broadcast_to(x, shape), float)
        for x in (theta, phi)
    )


def _for_kernels(x, dtype):
    """Return a contiguous array; read-only arrays, which would need a kernel of their own, are copied."""
    if x.dtype == dtype and x.flags.carray:
        return x
    return np.require(x, dtype, ["C_CONTIGUOUS", "WRITEABLE"]).reshape(x.shape)
