"""HEALPix: the grid, pixel geometry and index conversions (Gorski et al. 2005, ApJ 622, 759).

The 12 nside^2 equal-area pixels lie on 4 nside - 1 rings of constant colatitude. Ring order numbers
the pixels ring by ring from the north pole; nested order, for nside a power of two, numbers them
along a Z-curve inside each of the 12 base pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import isqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.missing import UNSEEN
from spherekit.sampling.base import Grid
from spherekit.sampling.quadrature import read_only, zonal_corrections

__all__ = [
    "UNSEEN",
    "nest2ring",
    "nside_of",
    "pixel_angles",
    "reorder",
    "ring2nest",
    "rings",
    "ring_weights",
]

#: The largest nside whose pixel numbers fit an int64 in nested order.
MAX_NSIDE = 2**29
#: Number of pixels of one pass of `reorder`, whose work arrays then fit into the cache of a core.
_CHUNK = 2**13


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
    return _rings(checks.integer(nside, "nside", 1, MAX_NSIDE))


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
    return _ring_weights(checks.integer(nside, "nside", 1, MAX_NSIDE))


@lru_cache(maxsize=16)
def _ring_weights(nside):
    theta, n_phi, _, _ = rings(nside)
    north = 2 * nside
    mass = n_phi[:north] * np.where(np.arange(north) < north - 1, 2.0, 1.0) / (12 * nside**2)
    u = zonal_corrections(theta[:north], mass, np.arange(0, 3 * nside, 2))
    u = np.concatenate([u, u[-2::-1]])
    return read_only(4 * np.pi / (12 * nside**2) * (1 + u))


def pixel_angles(
    nside: int, pixels: ArrayLike | None = None, *, nest: bool = False
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
    nside = checks.integer(nside, "nside", 1, MAX_NSIDE)
    if pixels is None:
        # numbers, rings, both angles and temporary arrays of the pixels
        noun = f"the table of pixel angles at nside {nside}"
        checks.fits_memory(8 * 7 * 12 * nside**2, noun, "pass the numbers of fewer pixels")
        pixels = np.arange(12 * nside**2)
    pixels = _pixel_numbers(pixels, nside)
    if nest:
        pixels = nest2ring(nside, pixels)
    theta, n_phi, phi0, start = rings(nside)
    ring = np.searchsorted(start, pixels, side="right") - 1
    return theta[ring], phi0[ring] + 2 * np.pi / n_phi[ring] * (pixels - start[ring])


def nest2ring(nside: int, pixels: ArrayLike) -> np.ndarray:
    """Convert pixel numbers from nested to ring order.

    Parameters
    ----------
    nside : int
        A power of two.
    pixels : int array_like
        Numbers in nested order, of any shape.

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
    nside = _power_of_two(nside)
    pixels = _pixel_numbers(pixels, nside)
    face, within_face = pixels // nside**2, pixels % nside**2
    x, y = _even_bits(within_face), _even_bits(within_face >> 1)
    row, column = np.divmod(face, 4)
    # Ring number from 1, counted southward from the northernmost corner of the row of base pixels.
    ring = (row + 2) * nside - x - y - 1
    steps = np.minimum(np.minimum(ring, 4 * nside - ring), nside)  # a quarter of the ring
    # The center of the base pixel lies at 2 column + 1 eighths of a turn (even rows) or 2 column.
    eighth = 2 * column + (row != 1)
    shifted = (ring < nside) | (ring > 3 * nside) | ((ring - nside) % 2 == 0)
    index_on_ring = (eighth * steps + x - y - shifted) // 2 % (4 * steps)
    return _ring_start(ring, nside) + index_on_ring


def ring2nest(nside: int, pixels: ArrayLike) -> np.ndarray:
    """Convert pixel numbers from ring to nested order.

    Parameters
    ----------
    nside : int
        A power of two.
    pixels : int array_like
        Numbers in ring order, of any shape.

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
    nside = _power_of_two(nside)
    pixels = _pixel_numbers(pixels, nside)
    _, n_phi, _, start = rings(nside)
    index = np.searchsorted(start, pixels, side="right") - 1
    ring, steps, index_on_ring = index + 1, n_phi[index] // 4, pixels - start[index]
    shifted = (ring < nside) | (ring > 3 * nside) | ((ring - nside) % 2 == 0)
    # Distances from the meridian, in half pixels, and from the equator, in rings.
    half_pixels, rings_north = 2 * index_on_ring + shifted, 2 * nside - ring
    # In the belt x and y increase along the two diagonals, by nside per base pixel.
    a = (half_pixels + rings_north + nside - 1) // 2
    b = (rings_north - half_pixels + nside - 1) // 2
    right, left = a // nside, -(b // nside)
    face = np.minimum(right, left) % 4 + 4 * (1 - np.sign(right - left))
    # In a cap the base pixel is a quarter of the ring, and x - y increases along it.
    cap = (ring < nside) | (ring > 3 * nside)
    row, column = np.where(rings_north > 0, 0, 2), index_on_ring // steps
    total, difference = (row + 2) * nside - 1 - ring, half_pixels - (2 * column + 1) * steps
    face = np.where(cap, 4 * row + column, face)
    x = np.where(cap, (total + difference) // 2, a % nside)
    y = np.where(cap, (total - difference) // 2, b % nside)
    return face * nside**2 + _spread_bits(x) + 2 * _spread_bits(y)


def reorder(values: ArrayLike, source: Literal["ring", "nested"]) -> np.ndarray:
    """Convert maps from ring to nested order, or from nested to ring order.

    Parameters
    ----------
    values : array_like [shape=(..., 12 nside^2)]
        Maps of any dtype; a masked array (numpy.ma) is reordered together with its mask.
    source : {"ring", "nested"}
        Order of ``values``; the result is in the opposite one.

    Returns
    -------
    ndarray
        A new array of the same shape and dtype, masked where ``values`` is.

    Raises
    ------
    ValueError
        An unknown order, a number of pixels that is not 12 nside^2, or an nside that is not a power
        of two.
    TypeError
        Quantities with a unit.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import healpix
    >>> healpix.reorder(np.arange(48), "nested")[:6]
    array([ 3,  7, 11, 15,  2,  1])
    """
    if isinstance(values, np.ma.MaskedArray):
        mask = reorder(np.ma.getmaskarray(values), source)
        return np.ma.array(reorder(values.data, source), mask=mask, fill_value=values.fill_value)
    values = checks.as_array(values, "values", "pass values.value, and store the unit separately")
    nside = _power_of_two(nside_of(values.shape[-1] if values.ndim else values.size))
    if source not in ("ring", "nested"):
        raise ValueError(f'source is {source!r}; expected "ring" or "nested"')
    result = np.empty(values.shape, values.dtype)
    for nested, ring in _pixel_blocks(nside):
        if source == "nested":
            result[..., ring] = values[..., nested]
        else:
            result[..., nested] = values[..., ring]
    return result


def _pixel_blocks(nside):
    """Yield all pixels in blocks (numbers in nested order, numbers in ring order), each [shape=(x, y)].

    The formulas are those of `nest2ring`, with the terms of a ring computed once for each ring.
    """
    ring = np.arange(1, 4 * nside)
    steps = np.minimum(np.minimum(ring, 4 * nside - ring), nside)
    shifted = (ring < nside) | (ring > 3 * nside) | ((ring - nside) % 2 == 0)
    n_phi, start = 4 * steps, _ring_start(ring, nside)
    y = np.arange(nside)
    rows = max(1, _CHUNK // nside)
    for face in range(12):
        row, column = divmod(face, 4)
        offset = (2 * column + (row != 1)) * steps - shifted
        for first in range(0, nside, rows):
            x = y[first : first + rows, None]
            i = (row + 2) * nside - x - y - 2
            on_ring = (offset[i] + (x - y)) >> 1
            on_ring += n_phi[i] * (on_ring < 0)
            on_ring -= n_phi[i] * (on_ring >= n_phi[i])
            yield face * nside**2 + _spread_bits(x) + 2 * _spread_bits(y), start[i] + on_ring


def _power_of_two(nside):
    nside = checks.integer(nside, "nside", 1, MAX_NSIDE)
    if nside & (nside - 1):
        raise ValueError(f"nside is {nside}; nested order needs a power of two")
    return nside


def _pixel_numbers(pixels, nside):
    pixels = checks.as_array(pixels, "pixels")
    if pixels.dtype.kind not in "iu":
        raise TypeError(f"pixel numbers have dtype {pixels.dtype}; expected integers")
    if pixels.size and (pixels.min() < 0 or pixels.max() >= 12 * nside**2):
        raise ValueError(
            f"pixel numbers go from {pixels.min()} to {pixels.max()}; nside {nside} has the pixels "
            f"0..{12 * nside**2 - 1}"
        )
    return pixels.astype(np.int64)


# (shift, mask) of each step that packs bits at even positions together, and that spreads them.
_PACK = (
    (1, 0x3333333333333333),
    (2, 0x0F0F0F0F0F0F0F0F),
    (4, 0x00FF00FF00FF00FF),
    (8, 0x0000FFFF0000FFFF),
    (16, 0x00000000FFFFFFFF),
)
_SPREAD = (
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)


def _even_bits(number):
    """The bits of ``number`` at even positions, packed together."""
    number = number & 0x5555555555555555
    for shift, mask in _PACK:
        number = (number | number >> shift) & mask
    return number


def _spread_bits(number):
    """Move bit k of ``number`` to position 2 k; the inverse of `_even_bits`."""
    for shift, mask in _SPREAD:
        number = (number | number << shift) & mask
    return number


def _ring_start(ring, nside):
    """Number of the first pixel of the rings numbered from 1."""
    _, _, _, start = rings(nside)
    return start[ring - 1]


# --- the grid ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class HEALPix(Grid):
    """HEALPix grid: 12 nside^2 equal-area pixels on 4 nside - 1 rings, in ring order.

    There is no sampling theorem; `spherekit.analyse` solves for the coefficients by least squares.

    Parameters
    ----------
    nside : int
        Any nside from 1 to 2^14.
    weights : {"ring", "equal"}
        Quadrature weights: those of `spherekit.sampling.healpix.ring_weights`, or the area of a pixel.

    Attributes
    ----------
    weighting : str
        The argument ``weights``.

    Raises
    ------
    ValueError
        nside out of range, or unknown weights.
    TypeError
        nside is not an integer.

    References
    ----------
    Gorski et al. 2005, ApJ 622, 759.

    Examples
    --------
    >>> from spherekit.sampling import HEALPix
    >>> HEALPix(2).shape, HEALPix(2).theta[:5].round(6)
    ((48,), array([0.411138, 0.411138, 0.411138, 0.411138, 0.841069]))
    """

    nside: int
    weighting: str = "ring"
    name = "healpix"
    rectangular = False
    exact = False
    L = None

    def __init__(self, nside: int, weights: Literal["ring", "equal"] = "ring"):
        object.__setattr__(self, "nside", checks.integer(nside, "nside", 1, 2**14))
        if weights not in ("ring", "equal"):
            raise ValueError(f'weights is {weights!r}; expected "ring" or "equal"')
        object.__setattr__(self, "weighting", weights)

    def __str__(self):
        options = "" if self.weighting == "ring" else f",weights={self.weighting}"
        return f"healpix:{self.nside}{options}"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the samples, (12 nside^2,)."""
        return (12 * self.nside**2,)

    def ring_arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Colatitudes, numbers of samples, first longitudes and weights of the rings."""
        theta, n_phi, phi0, _ = rings(self.nside)
        weights = np.full(theta.shape, 4 * np.pi / (12 * self.nside**2))
        if self.weighting == "ring":
            weights = np.array(ring_weights(self.nside))
        return theta, n_phi, phi0, weights
