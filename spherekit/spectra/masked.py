"""Power spectra, monopole and dipole of maps on part of the sphere.

The expected spectrum of a masked map is that of the map, with degrees coupled by the spectrum of the mask
(Hivon et al. 2002, ApJ 567, 2). If the spectrum is smooth over the width of that coupling,

    <C_l of the masked map> = f_sky C_l,    f_sky = 1/(4 pi) int mask^2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks, scaling
from spherekit._core.labeled import check_coordinates
from spherekit._core.missing import UNSEEN, is_missing
from spherekit._core.traced import as_float_array
from spherekit.harmonic import forward
from spherekit.linear import is_traced
from spherekit.sampling.base import Grid, directions
from spherekit.sampling.grids import grid as as_grid
from spherekit.spectra.angular_power import power

#: Largest condition number of the normal matrix for which the monopole and the dipole are fitted.
MAX_CONDITION = 50.0


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
    sampling: str | Grid = "mw",
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
    sampling : str or Grid
        Grid of the maps, as in `spherekit.harmonic.forward`.
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
        Invalid masks, as in `sky_fraction`; maps of another shape; missing samples where the mask is not 0;
        an invalid L, spin, grid or number of threads.

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
    grid = as_grid(sampling, L)
    check_coordinates(f, grid)
    f = as_float_array(f, "f")
    mask = as_mask(mask, grid)
    checks.samples_shape(f, grid, L)
    if not is_traced(f):
        observed = mask > 0
        checks.finite_samples(f[..., observed], UNSEEN)
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
    sampling: str | Grid = "mw",
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
    sampling : str or Grid
        Grid of the maps, as in `spherekit.harmonic.forward`.
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
        Invalid masks, as in `sky_fraction`; maps of another shape; missing samples where the mask is not 0;
        an invalid L, grid or number of threads.

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
    grid = as_grid(sampling, L)
    mask = as_mask(mask, grid)
    mask = np.ldexp(mask, -scaling.exponent(mask))  # the result does not depend on its scale
    f_sky = sky_fraction(mask, sampling=grid)
    flm = masked_flm(f, L, mask, sampling=grid, reality=True, threads=threads)
    return power(flm) / f_sky


class MonopoleDipole(NamedTuple):
    """Result of `remove_monopole_dipole`.

    Attributes
    ----------
    cleaned : ndarray [shape=(..., *grid.shape)]
        The map without its monopole and dipole.
    monopole : float64 ndarray [shape=(...)]
        Fitted monopole m.
    dipole : float64 ndarray [shape=(..., 3)]
        Cartesian vector d of the dipole ``d . n``. Its length is the amplitude, and it points to the maximum.
        Zero with ``dipole=False``.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import MW
    >>> fit = remove_monopole_dipole(np.full(MW(4).shape, 3.0), sampling=MW(4))
    >>> round(float(fit.monopole), 12)
    3.0
    """

    cleaned: np.ndarray
    monopole: np.ndarray
    dipole: np.ndarray


def remove_monopole_dipole(
    f: ArrayLike,
    *,
    sampling: str | Grid,
    mask: ArrayLike | None = None,
    dipole: bool = True,
    max_condition: float = MAX_CONDITION,
) -> MonopoleDipole:
    """Remove the best-fitting monopole and dipole of the observed sky from a map.

    Minimizes ``sum_p w_p mask_p (f_p - m - d . n_p)^2`` over the monopole m and the dipole vector d, with w
    the quadrature weights of the grid and n_p the direction of sample p, and subtracts ``m + d . n`` from
    every sample. (healpy's ``remove_dipole`` gives equal weight to all pixels, as does
    ``HEALPix(nside, weights="equal")``.)

    On a small part of the sphere the monopole and the dipole are nearly the same function, and the fit
    returns large values that cancel each other. The condition number of the normal matrix, in the basis
    ``1, sqrt(3) x, sqrt(3) y, sqrt(3) z`` that is orthonormal on the sphere, measures this: it is 1 on the
    full sphere, 14 on a hemisphere and 119 on a cap of radius 60 degrees. Fits with a condition number above
    ``max_condition`` are refused.

    Parameters
    ----------
    f : float32 or float64 array_like [shape=(..., *grid.shape)]
        Maps. Samples where ``mask`` is 0 may be missing (NaN, infinite or UNSEEN); missing samples are not
        changed, and the fit is subtracted from all others.
    sampling : str or Grid
        Grid of the maps, as in `spherekit.harmonic.forward`.
    mask : array_like [shape=grid.shape], optional
        Weights >= 0, or booleans. Samples with weight 0 or False are excluded from the fit. By default all
        samples are used.
    dipole : bool
        False: remove the monopole only.
    max_condition : float
        Largest condition number of the normal matrix, >= 1.

    Returns
    -------
    MonopoleDipole
        ``(cleaned, monopole, dipole)``; ``cleaned`` has the dtype of ``f``, or float64 for integers.

    Raises
    ------
    TypeError
        Complex or masked arrays, arrays of another dtype.
    ValueError
        Shapes that do not match, missing samples that no mask excludes, a mask that is negative, not
        finite or zero everywhere, an observed sky that is too small for the fit.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import HEALPix
    >>> grid = HEALPix(8)
    >>> north = grid.theta < 1.8
    >>> cleaned, monopole, dipole = remove_monopole_dipole(
    ...     5 + 2 * np.cos(grid.theta), sampling=grid, mask=north
    ... )
    >>> bool(np.allclose(cleaned, 0)), round(float(monopole), 12)
    (True, 5.0)
    >>> bool(np.allclose(dipole, [0, 0, 2]))
    True
    """
    grid = as_grid(sampling)
    check_coordinates(f, grid)
    f = checks.as_float_array(f, "f")
    if np.iscomplexobj(f):
        raise TypeError(
            f"f is complex ({f.dtype}); expected real maps: pass f.real and f.imag separately"
        )
    checks.samples_shape(f, grid, getattr(grid, "L", None))
    weights, observed = _weights(mask, grid)
    checks.finite_samples(f[..., observed], UNSEEN)
    axes = directions(grid) if dipole else ()
    max_condition = checks.real_number(
        max_condition, "max_condition", "a number >= 1", lambda value: value >= 1
    )
    solve = _normal_equations(axes, weights, max_condition)
    lead = f.shape[: f.ndim - len(grid.shape)]
    maps = f.reshape(-1, *grid.shape)
    cleaned = np.empty(maps.shape, f.dtype)
    fitted = np.zeros((len(maps), 4))
    for signal, result, x in zip(maps, cleaned, fitted, strict=True):
        x[: 1 + len(axes)] = _fit_and_subtract(signal, result, axes, weights, observed, solve)
    monopole = fitted[:, 0].reshape(lead)[()]
    return MonopoleDipole(cleaned.reshape(f.shape), monopole, fitted[:, 1:].reshape(*lead, 3))


def _weights(mask, grid):
    """(quadrature weights times the mask, normalized to sum 1; boolean array of the observed samples).

    A sample whose quadrature weight is zero or negative is observed nevertheless.
    """
    weights = np.broadcast_to(grid.weights, grid.shape)
    observed = np.ones(grid.shape, bool)
    if mask is not None:
        mask = as_mask(mask, grid)
        weights = weights * mask / mask.max()
        observed = mask > 0
    total = weights.sum()
    if not total > 0:
        raise ValueError(
            f"the quadrature weights of the observed samples sum to {total:.3g} sr; expected more than 0"
        )
    return weights / total, observed


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


def _normal_equations(axes, weights, max_condition):
    """A solver of the normal equations; raises ValueError if they are ill-conditioned."""
    n = 1 + len(axes)
    scale = np.sqrt([1.0, 3, 3, 3])[:n]
    matrix = np.eye(n)
    for i, axis in enumerate(axes, 1):
        matrix[i, :i] = [np.sum(weights * axis * b) for b in (1.0, *axes[: i - 1])]
        matrix[i, i] = np.sum(weights * axis * axis)
        matrix[:i, i] = matrix[i, :i]
    matrix *= np.outer(scale, scale)
    smallest, largest = np.linalg.eigvalsh(matrix)[[0, -1]]
    condition = largest / smallest if smallest > 0 else np.inf
    if not condition <= max_condition:
        share = np.count_nonzero(weights) / weights.size
        size = f"up to {np.sqrt(3 / smallest):.2g} times" if smallest > 1e-12 else "far above"
        raise ValueError(
            f"the observed sky, {share:.2%} of the samples, is too small to separate the monopole from "
            f"the dipole: the condition number of the fit is {condition:.3g}, above {max_condition:g}, and "
            f"the fitted dipole could be {size} the rms of the map; remove the monopole only "
            "(dipole=False; command line: --remove-monopole), or observe more of the sphere"
        )
    return lambda moments: scale * np.linalg.solve(matrix, scale * moments)


def _fit_and_subtract(f, result, axes, weights, observed, solve):
    """Write f minus its monopole and dipole to ``result``, and return their coefficients."""
    valid = np.where(observed, f, 0).astype(float)
    exponent = scaling.exponent(valid)  # prevents overflow and underflow of the sums
    valid = scaling.ldexp(valid, -exponent)
    x = np.zeros(1 + len(axes))
    for _ in range(2):  # the second pass corrects the rounding errors of the first
        residual = weights * (valid - _monopole_dipole(x, axes))
        x += solve(np.array([residual.sum(), *(np.sum(residual * axis) for axis in axes)]))
    x = scaling.ldexp(x, exponent)
    missing = is_missing(f) | np.isinf(f)
    with np.errstate(invalid="ignore"):
        result[...] = np.where(missing, f, f - _monopole_dipole(x, axes))
    return x


def _monopole_dipole(x, axes):
    """x_0 + x_1..3 . n at every sample."""
    return x[0] + sum(value * axis for value, axis in zip(x[1:], axes, strict=True))
