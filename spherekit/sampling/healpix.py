"""HEALPix: the grid, pixel geometry and index conversions (Gorski et al. 2005, ApJ 622, 759).

The 12 nside^2 equal-area pixels lie on 4 nside - 1 rings of constant colatitude. Ring order numbers
the pixels ring by ring from the north pole; nested order, for nside a power of two, numbers them
along a Z-curve inside each of the 12 base pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.missing import UNSEEN
from spherekit.sampling.base import Grid
from spherekit.sampling.healpix_arguments import MAX_NSIDE, check_nside
from spherekit.sampling.healpix_pixels import (
    boundaries,
    neighbours,
    nest2ring,
    pixel_angles,
    pixel_of,
    ring2nest,
)
from spherekit.sampling.healpix_rings import nside_of, ring_weights, rings

__all__ = [
    "MAX_NSIDE",
    "UNSEEN",
    "boundaries",
    "neighbours",
    "nest2ring",
    "nside_of",
    "pixel_angles",
    "pixel_of",
    "reorder",
    "ring2nest",
    "rings",
    "ring_weights",
]

#: Number of pixels of one pass of `reorder`, whose work arrays then fit into the cache of a core.
_CHUNK = 2**13


def __dir__():
    return sorted(__all__)


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
    nside = check_nside(nside_of(values.shape[-1] if values.ndim else values.size), nest=True)
    if source not in ("ring", "nested"):
        raise ValueError(f'source is {source!r}; expected "ring" or "nested"')
    result = np.empty(values.shape, values.dtype)
    for first in range(0, values.shape[-1], _CHUNK):
        nested = slice(first, min(first + _CHUNK, values.shape[-1]))
        ring = nest2ring(nside, np.arange(nested.start, nested.stop), threads=1)
        if source == "nested":
            result[..., ring] = values[..., nested]
        else:
            result[..., nested] = values[..., ring]
    return result


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
