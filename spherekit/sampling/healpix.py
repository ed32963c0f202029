"""HEALPix: the grid, pixel geometry and index conversions (Gorski et al. 2005, ApJ 622, 759).

The 12 nside^2 equal-area pixels lie on 4 nside - 1 rings of constant colatitude. Ring order numbers
the pixels ring by ring from the north pole; nested order, for nside a power of two, numbers them
along a Z-curve inside each of the 12 base pixels.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.labeled import refuse_labels
from spherekit._core.missing import UNSEEN
from spherekit.sampling.healpix_arguments import HEALPY_NAMES, MAX_NSIDE, check_nside
from spherekit.sampling.healpix_grid import HEALPix
from spherekit.sampling.healpix_pixels import (
    boundaries,
    neighbours,
    nest2ring,
    pixel_angles,
    pixel_of,
    ring2nest,
)
from spherekit.sampling.healpix_rings import nside_of, ring_weights, rings

if TYPE_CHECKING:
    from spherekit.sampling.healpix_interpolation import (
        interpolate,
        interpolate_adjoint,
        interpolation_weights,
    )
    from spherekit.sampling.healpix_queries import disc, polygon, strip
    from spherekit.sampling.healpix_resolution import degrade, upgrade

__all__ = [
    "HEALPix",
    "MAX_NSIDE",
    "UNSEEN",
    "boundaries",
    "degrade",
    "disc",
    "interpolate",
    "interpolate_adjoint",
    "interpolation_weights",
    "neighbours",
    "nest2ring",
    "nside_of",
    "pixel_angles",
    "pixel_of",
    "polygon",
    "reorder",
    "ring2nest",
    "rings",
    "ring_weights",
    "strip",
    "upgrade",
]

#: Number of pixels of one pass of `reorder`, whose work arrays then fit into the cache of a core.
_CHUNK = 2**13

#: Modules of functions that are imported at first use, since they import autograd or Numba.
_MODULES = {
    **dict.fromkeys(("disc", "polygon", "strip"), "healpix_queries"),
    **dict.fromkeys(("degrade", "upgrade"), "healpix_resolution"),
    **dict.fromkeys(
        ("interpolate", "interpolate_adjoint", "interpolation_weights"), "healpix_interpolation"
    ),
}


def __getattr__(name):
    if name not in _MODULES:
        advice = f"; use {HEALPY_NAMES[name][1]}" if name in HEALPY_NAMES else ""
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{advice}")
    module = importlib.import_module(f"spherekit.sampling.{_MODULES[name]}")
    globals()[name] = getattr(module, name)  # later accesses do not call this function
    return globals()[name]


def __dir__():
    return sorted(__all__)


def reorder(values: ArrayLike, source: Literal["ring", "nested"]) -> np.ndarray:
    """Convert maps from ring to nested order, or from nested to ring order.

    Parameters
    ----------
    values : array_like [shape=(..., 12 nside^2)]
        Maps of any dtype; a masked array (numpy.ma) is reordered together with its mask.
    source : {"ring", "nested"}
        Order of ``values``; the result is in the opposite one. Also "nest", and in capital letters.

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
        Quantities with a unit; a Map, or a DataArray with coordinates or attributes.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import healpix
    >>> healpix.reorder(np.arange(48), "nested")[:6]
    array([ 3,  7, 11, 15,  2,  1])
    """
    refuse_labels(values, "values")
    if isinstance(values, np.ma.MaskedArray):
        mask = reorder(np.ma.getmaskarray(values), source)
        return np.ma.array(reorder(values.data, source), mask=mask, fill_value=values.fill_value)
    values = checks.as_array(values, "values", "pass values.value, and store the unit separately")
    nside = check_nside(nside_of(values.shape[-1] if values.ndim else values.size), nest=True)
    is_nested = isinstance(source, str) and source.lower() in ("nested", "nest")
    if not is_nested and not (isinstance(source, str) and source.lower() == "ring"):
        raise ValueError(f'source is {source!r}; expected "ring" or "nested"')
    result = np.empty(values.shape, values.dtype)
    for first in range(0, values.shape[-1], _CHUNK):
        nested = slice(first, min(first + _CHUNK, values.shape[-1]))
        ring = nest2ring(nside, np.arange(nested.start, nested.stop), threads=1)
        if is_nested:
            result[..., ring] = values[..., nested]
        else:
            result[..., nested] = values[..., ring]
    return result
