"""Power spectra of maps on part of the sphere.

The expected spectrum of a masked map is that of the map, with degrees coupled by the spectrum of the mask
(Hivon et al. 2002, ApJ 567, 2). If the spectrum is smooth over the width of that coupling,

    <C_l of the masked map> = f_sky C_l,    f_sky = 1/(4 pi) int mask^2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks, scaling
from spherekit._core.labeled import check_coordinates
from spherekit._core.traced import as_float_array
from spherekit.harmonic import forward
from spherekit.linear import is_traced
from spherekit.sampling.base import Grid
from spherekit.sampling.grids import grid as as_grid
from spherekit.spectra.angular_power import power
from spherekit.spectra.masked_input import check_observed, common_frame, grid_of


def sky_fraction(mask: ArrayLike, *, sampling: str | Grid) -> float:
    """Effective sky fraction f_sky of a mask: the mean of its square over the sphere.

    Parameters
    ----------
    mask : array_like [shape=grid.shape]
        Weights >= 0, or booleans. Samples with weight 0 or False are excluded.
    sampling : str or Grid
        Grid of the mask, as in `spherekit.harmonic.forward`.

    Returns
    -------
    float
        The fraction of the power of a map that remains, on average, after multiplication by the mask.

    Raises
    ------
    TypeError
        A mask that is not an array of numbers, or has a unit or masked entries.
    ValueError
        A mask of another shape, one that is negative, not finite or zero everywhere, one that selects only
        samples without quadrature weight, or one whose square is beyond the range of float64.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import HEALPix
    >>> north = HEALPix(16).theta < np.pi / 3                      # a cap of a quarter of the sphere
    >>> round(sky_fraction(north, sampling="healpix:16"), 2)
    0.24
    """
    grid = as_grid(sampling)
    mask = as_mask(mask, grid)
    largest = mask.max()
    exponent = scaling.exponent(mask)
    fraction = float(np.sum(grid.weights * np.ldexp(mask, -exponent) ** 2) / (4 * np.pi))
    if fraction <= 0:
        raise ValueError(
            f"the quadrature weights of {grid!r} sum to {fraction:.3g} over the samples that the mask "
            "selects; expected more than 0: pass a mask that selects samples of positive weight"
        )
    with np.errstate(over="ignore", under="ignore"):
        result = float(np.ldexp(fraction, 2 * exponent))
    if not np.finfo(float).tiny <= result < np.inf:
        raise ValueError(
            f"the largest value of the mask is {largest:.3g}, whose square is beyond the range of float64; "
            "scale the mask to at most 1"
        )
    return result


def masked_flm(
    f: ArrayLike,
    L: int,
    mask: ArrayLike,
    *,
    spin: int = 0,
    sampling: str | Grid | None = None,
    reality: bool = False,
    threads: int | None = None,
) -> np.ndarray:
    """Harmonic coefficients of masked maps, by one quadrature.

    Parameters
    ----------
    f : array_like [shape=(..., *grid.shape)]
        Maps. Samples where ``mask`` is 0 may be missing (NaN, infinite or UNSEEN).
    L : int
        Band-limit of the coefficients.
    mask : array_like [shape=grid.shape]
        Weights, as in `sky_fraction`.
    spin : int
        Spin of the maps.
    sampling : str or Grid, optional
        Grid of the maps, as in `spherekit.harmonic.forward`. By default that of a `Map` among the arguments,
        else "mw".
    reality : bool
        True for real maps of spin 0.
    threads : int, optional
        Number of threads, as in `spherekit.harmonic.forward`.

    Returns
    -------
    complex ndarray [shape=(..., L*L)]
        Coefficients of ``f * mask``. Differentiable by ``f``, which must not contain missing samples then.

    Raises
    ------
    TypeError
        Maps or a mask of another dtype, with a unit or with masked entries; complex maps with ``reality``; L,
        spin or threads that are not integers; a sampling that is neither a grid nor a name.
    ValueError
        Invalid masks, as in `sky_fraction`; maps of another shape; a mask in another frame; missing samples
        where the mask is not 0; an invalid L, spin, grid or number of threads.

    Warns
    -----
    UserWarning
        L is larger than 3 nside on HEALPix.

    See Also
    --------
    masked_power : the spectrum of real maps.

    Examples
    --------
    The spectra of a polarized map Q, U:

    >>> import numpy as np
    >>> from spherekit.sampling import HEALPix
    >>> from spherekit.spectra import polarization_power
    >>> mask = np.abs(np.cos(HEALPix(8).theta)) > 0.2
    >>> Q, U = np.random.default_rng(0).standard_normal((2, 768))
    >>> flm = masked_flm(Q + 1j * U, 16, mask, spin=2, sampling="healpix:8")
    >>> f_sky = sky_fraction(mask, sampling="healpix:8")
    >>> {name: cl.shape for name, cl in polarization_power(flm / np.sqrt(f_sky)).items()}
    {'EE': (16,), 'BB': (16,), 'EB': (16,)}
    """
    grid = grid_of(sampling, L, f=f, mask=mask)
    common_frame(f=f, mask=mask)
    check_coordinates(f, grid)
    f = as_float_array(f, "f")
    mask = as_mask(mask, grid)
    checks.samples_shape(f, grid, L)
    if not is_traced(f):
        observed = mask > 0
        check_observed(f, observed)
        f = np.where(observed, f, f.dtype.type(0))
    kind = checks.real_type(f)
    if not np.finfo(kind).tiny <= mask.max() <= np.finfo(kind).max:
        raise ValueError(
            f"the largest value of the mask is {mask.max():.3g}, beyond the range of {np.dtype(kind)}, the "
            "type of the maps; scale the mask to at most 1"
        )
    flags = dict(spin=spin, sampling=grid, reality=reality, threads=threads)
    return forward(f * mask.astype(kind), L, **flags)


def masked_power(
    f: ArrayLike,
    L: int,
    mask: ArrayLike,
    *,
    sampling: str | Grid | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """Power spectra of real maps on part of the sphere: ``C_l of the masked map / f_sky``.

    The estimate is unbiased if the spectrum is smooth; neighboring degrees remain coupled. Monopole and
    dipole are not removed, and beam, pixel window and noise are not corrected for.

    Parameters
    ----------
    f : array_like [shape=(..., *grid.shape)]
        Real maps. Samples where ``mask`` is 0 may be missing (NaN, infinite or UNSEEN).
    L : int
        Band-limit of the spectra.
    mask : array_like [shape=grid.shape]
        Weights, as in `sky_fraction`.
    sampling : str or Grid, optional
        Grid of the maps, as in `spherekit.harmonic.forward`. By default that of a `Map` among the arguments,
        else "mw".
    threads : int, optional
        Number of threads, as in `spherekit.harmonic.forward`.

    Returns
    -------
    float64 ndarray [shape=(..., L)]
        Differentiable by ``f``, which must not contain missing samples then.

    Raises
    ------
    TypeError
        Complex maps; maps or a mask of another dtype, with a unit or with masked entries; L or threads that
        are not integers; a sampling that is neither a grid nor a name.
    ValueError
        Invalid masks, as in `sky_fraction`; maps of another shape; a mask in another frame; missing samples
        where the mask is not 0; an invalid L, grid or number of threads.

    Warns
    -----
    UserWarning
        L is larger than 3 nside on HEALPix.

    See Also
    --------
    masked_flm : the coefficients, also of spin fields.
    remove_monopole_dipole : to be called first, because a mask spreads them over the low degrees.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import HEALPix
    >>> grid, rng = HEALPix(16), np.random.default_rng(0)
    >>> noise = rng.standard_normal((50, 3072))
    >>> cl = masked_power(noise, 32, grid.theta < 1.2, sampling=grid).mean()
    >>> round(float(cl * 3072 / (4 * np.pi)), 2)                  # white noise, 4 pi / pixels
    0.99
    """
    grid = grid_of(sampling, L, f=f, mask=mask)
    common_frame(f=f, mask=mask)
    mask = as_mask(mask, grid)
    mask = np.ldexp(mask, -scaling.exponent(mask))  # the result does not depend on its scale
    f_sky = sky_fraction(mask, sampling=grid)
    flm = masked_flm(f, L, mask, sampling=grid, reality=True, threads=threads)
    return power(flm) / f_sky


def as_mask(mask, grid):
    """The mask as a validated array of finite weights >= 0."""
    check_coordinates(mask, grid, "mask")
    mask = checks.as_float_array(mask, "mask")
    if mask.shape != tuple(grid.shape) or np.iscomplexobj(mask):
        raise ValueError(
            f"mask has shape {mask.shape} and dtype {mask.dtype}; expected real weights "
            f"of shape {tuple(grid.shape)}"
        )
    if not (np.isfinite(mask).all() and (mask >= 0).all() and mask.any()):
        raise ValueError(
            "mask must contain finite weights >= 0, not all 0; of its "
            f"{mask.size} values {np.count_nonzero(~np.isfinite(mask))} are not finite and "
            f"{np.count_nonzero(mask < 0)} are below 0"
        )
    return mask
