"""Masks that go smoothly to zero at their edges."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.labeled import stated_sampling
from spherekit.conventions.indexing import degrees
from spherekit.harmonic import analyse, forward, inverse
from spherekit.sampling import HEALPix
from spherekit.sampling.base import Grid
from spherekit.sampling.grids import grid as as_grid
from spherekit.spectra.beams import FWHM_PER_SIGMA, gaussian_beam
from spherekit.spectra.mask_distances import squared_half_chords
from spherekit.spectra.masked import as_mask

#: The kinds of `apodize`.
KINDS = ("C1", "C2", "smooth")
#: Samples closer than this to a masked one, in units of the width, are masked before a mask is smoothed.
_CLEARANCE = 2.5
#: Iterations of the analysis on HEALPix, after the first quadrature, as those of healpy.
_ITERATIONS = 3


def apodize(
    mask: ArrayLike,
    width: float,
    kind: Literal["C1", "C2", "smooth"] = "C1",
    *,
    sampling: str | Grid | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """Multiply a mask by a taper that goes to zero at the masked samples.

    With theta the angular distance of a sample from the nearest sample where the mask is 0, and
    x = sqrt((1 - cos theta) / (1 - cos width)), about theta / width, the weights with x < 1 are multiplied by

        C1:  x - sin(2 pi x) / (2 pi)
        C2:  (1 - cos(pi x)) / 2

    (Grain, Tristram and Stompor 2009, Phys. Rev. D 79, 123515, section III.B; the first has a continuous
    second derivative, the second a continuous first one). ``smooth``: the mask is set to 0 at all samples
    closer than 2.5 ``width`` to a masked one, convolved with a Gaussian of standard deviation ``width``, and
    multiplied by the original mask. These are the kinds of NaMaster's ``mask_apodization``, whose ``smooth``
    also sets the pixels to 0 that only touch the discs of 2.5 widths, so that weights differ by up to 0.13
    for a width of 4 degrees at nside 32, and by less for smaller pixels. It convolves with the degrees
    < 3 nside; here they are those < 5/2 nside, for which the analysis is more accurate.

    Parameters
    ----------
    mask : array_like [shape=grid.shape]
        Weights >= 0, or booleans; samples with weight 0 or False are masked.
    width : float or quantity, radians
        The distance at which C1 and C2 reach 1, or the standard deviation of ``smooth``, 0 < width < pi.
    kind : {"C1", "C2", "smooth"}
        The taper. For purified B modes take C1 or C2.
    sampling : str or Grid, optional
        Grid of the mask, as in `spherekit.harmonic.forward`; by default that of a `spherekit.io.Map`.
    threads : int, optional
        Number of threads. The result does not depend on it.

    Returns
    -------
    float64 ndarray [shape=grid.shape]
        Weights from 0 to those of ``mask``; a copy of the mask if no sample is masked.

    Raises
    ------
    TypeError
        A mask that is not an array of numbers, or has a unit or masked entries; a width that is not a real
        number; threads that are not an integer; ``sampling`` missing, or neither a grid nor a name.
    ValueError
        A mask of another shape, or one that is negative, not finite or zero everywhere; a width that is not
        between 0 and pi, or so large that ``smooth`` leaves no sample; an unknown kind.

    See Also
    --------
    masked_field : a map times its mask.

    Examples
    --------
    >>> import astropy.units as u
    >>> from spherekit.sampling import HEALPix
    >>> from spherekit.spectra import apodize, sky_fraction
    >>> grid = HEALPix(32)
    >>> north = grid.theta < 1.5
    >>> mask = apodize(north, 10 * u.deg, sampling=grid)
    >>> for weights in (north, mask):
    ...     print(round(sky_fraction(weights, sampling=grid), 3))
    0.464
    0.417
    """
    grid = as_grid(stated_sampling(mask, sampling, "mask"))
    mask = as_mask(mask, grid).astype(float)
    width = _checked_width(width)
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(KINDS)}")
    if mask.all():
        return mask
    if kind == "smooth":
        return _smoothed(mask, width, grid, threads)
    square = squared_half_chords(mask, grid, width, threads) / math.sin(width / 2) ** 2
    edge = square < 1
    x = np.sqrt(square[edge])
    if kind == "C1":
        taper = x - np.sin(2 * np.pi * x) / (2 * np.pi)
    else:
        taper = (1 - np.cos(np.pi * x)) / 2
    mask[edge] *= np.maximum(taper, 0)  # of coincident samples it is rounding
    return mask


def _checked_width(width):
    values = checks.angles(width, "width")
    if values.ndim or not 0 < values < math.pi:
        raise ValueError(
            f"width is {width!r}; expected one angle above 0 and below pi, in radians (such as "
            "numpy.deg2rad(2), or 2 * astropy.units.deg)"
        )
    return float(values)


def _smoothed(mask, width, grid, threads):
    radius = min(_CLEARANCE * width, math.pi)
    distances = squared_half_chords(mask, grid, radius, threads)
    smooth = np.where(np.isinf(distances), mask, 0.0)
    if not smooth.any():
        raise ValueError(
            f"width is {width:.4g} rad ({math.degrees(width):.3g} degrees), and no sample is further than "
            "2.5 widths from a masked one, so that no sample is left; pass a smaller width, or kind='C1' "
            "or 'C2'"
        )
    if grid.name == "healpix":
        L = 5 * grid.nside // 2
        pixels = HEALPix(grid.nside, weights="equal")
        iterations = dict(method="jacobi", max_iter=1 + _ITERATIONS, tol=0.0)
        flags = dict(sampling=pixels, reality=True, threads=threads)
        flm, _ = analyse(smooth, L, **flags, **iterations)
    else:
        L = grid.default_L
        flags = dict(sampling=grid, reality=True, threads=threads)
        flm = forward(smooth, L, **flags)
    beam = gaussian_beam(width * FWHM_PER_SIGMA, L)
    return mask * np.clip(inverse(flm * beam[degrees(L)], L, **flags), 0, None)
