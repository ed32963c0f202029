"""Maps that are known on part of the sphere: their power spectra, their monopole and dipole.

The spectrum of a map times a mask is on average that of the map, coupled between degrees by the spectrum of
the mask (Hivon et al. 2002, ApJ 567, 2). Where it is smooth over the width of that coupling,

    <C_l of the masked map> = f_sky C_l,    f_sky = 1/(4 pi) int mask^2.
"""

from typing import NamedTuple

import numpy as np

from spherekit._core import checks, scaling
from spherekit._core.missing import UNSEEN, is_missing
from spherekit._core.traced import as_float_array
from spherekit.harmonic import forward
from spherekit.linear import is_traced
from spherekit.sampling.base import directions
from spherekit.sampling.grids import grid as as_grid
from spherekit.spectra.angular_power import power

#: Largest condition number of the normal matrix with which monopole and dipole are fitted.
MAX_CONDITION = 50.0


def sky_fraction(mask, *, sampling):
    """f_sky, the mean of the squared mask over the sphere: the power that a masked map keeps.

    Parameters
    ----------
    mask : array_like [shape=grid.shape]
        Weights >= 0, or booleans; 0 or False where samples do not count.
    sampling : str or Grid
        As in `spherekit.harmonic.forward`.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        A mask of another shape, or one that is negative, not finite or zero everywhere; one that leaves
        samples without quadrature weight alone; one whose square is beyond the range of float64.

    >>> import numpy as np
    >>> from spherekit.sampling import HEALPix
    >>> north = HEALPix(16).theta < np.pi / 3                      # a cap of a quarter of the sphere
    >>> round(sky_fraction(north, sampling="healpix:16"), 2)
    0.24
    """
    grid = as_grid(sampling)
    mask = _as_mask(mask, grid)
    top = mask.max()
    exponent = scaling.exponent(mask)
    fraction = float(np.sum(grid.weights * np.ldexp(mask, -exponent) ** 2) / (4 * np.pi))
    if fraction <= 0:
        raise ValueError(
            f"the weights of {grid!r} sum to {fraction:.3g} over the samples that the mask leaves; pass a "
            "mask that leaves samples whose quadrature weight is above 0"
        )
    with np.errstate(over="ignore", under="ignore"):
        result = float(np.ldexp(fraction, 2 * exponent))
    if not np.finfo(float).tiny <= result < np.inf:
        raise ValueError(
            f"the largest value of the mask is {top:.3g}, whose square is beyond the range of float64; scale "
            "the mask, to 1 at most"
        )
    return result


def masked_flm(f, L, mask, *, spin=0, sampling="mw", reality=False, threads=None):
    """Coefficients of maps times a mask, by one quadrature.

    Parameters
    ----------
    f : array_like [shape=(..., *grid.shape)]
        Maps. Samples where ``mask`` is 0 may be missing (NaN, infinite or UNSEEN).
    L : int
    mask : array_like [shape=grid.shape]
        As in `sky_fraction`.
    spin, sampling, reality, threads
        As in `spherekit.harmonic.forward`.

    Returns
    -------
    complex ndarray [shape=(..., L*L)]
        Differentiable by ``f``, which then has no missing samples.

    Raises
    ------
    ValueError
        As `sky_fraction`; missing samples that the mask does not cover.

    See Also
    --------
    masked_power : the spectrum of real maps.

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
    f, mask = as_float_array(f, "f"), _as_mask(mask, grid)
    checks.samples_shape(f, grid, L)
    if not is_traced(f):
        observed = mask > 0
        checks.finite_samples(f[..., observed], UNSEEN)
        f = np.where(observed, f, f.dtype.type(0))
    kind = checks.real_type(f)
    if not np.finfo(kind).tiny <= mask.max() <= np.finfo(kind).max:
        raise ValueError(
            f"the largest value of the mask is {mask.max():.3g}, beyond the range of {np.dtype(kind)}, the "
            "type of the maps; scale the mask, to 1 at most"
        )
    flags = dict(spin=spin, sampling=grid, reality=reality, threads=threads)
    return forward(f * mask.astype(kind), L, **flags)


def masked_power(f, L, mask, *, sampling="mw", threads=None):
    """Power spectra of real maps on part of the sphere, ``C_l of the masked map / f_sky``.

    Right on average where the spectrum is smooth; neighboring degrees stay coupled. Nothing is removed from
    the map, and nothing corrects for beam, pixel window and noise.

    Parameters
    ----------
    f : array_like [shape=(..., *grid.shape)]
        Real maps. Samples where ``mask`` is 0 may be missing (NaN, infinite or UNSEEN).
    L : int
    mask : array_like [shape=grid.shape]
        As in `sky_fraction`.
    sampling, threads
        As in `spherekit.harmonic.forward`.

    Returns
    -------
    float64 ndarray [shape=(..., L)]
        Differentiable by ``f``, which then has no missing samples.

    Raises
    ------
    TypeError
        Complex maps.
    ValueError
        As `sky_fraction`; missing samples that the mask does not cover.

    See Also
    --------
    masked_flm : the coefficients, of spin fields too.
    remove_monopole_dipole : before a mask spreads them over the low degrees.

    >>> import numpy as np
    >>> from spherekit.sampling import HEALPix
    >>> grid, rng = HEALPix(16), np.random.default_rng(0)
    >>> noise = rng.standard_normal((50, 3072))
    >>> cl = masked_power(noise, 32, grid.theta < 1.2, sampling=grid).mean()
    >>> round(float(cl * 3072 / (4 * np.pi)), 2)                  # white noise, 4 pi / pixels
    0.99
    """
    grid = as_grid(sampling, L)
    mask = _as_mask(mask, grid)
    mask = np.ldexp(mask, -scaling.exponent(mask))  # its scale cancels
    f_sky = sky_fraction(mask, sampling=grid)
    flm = masked_flm(f, L, mask, sampling=grid, reality=True, threads=threads)
    return power(flm) / f_sky


class MonopoleDipole(NamedTuple):
    """What `remove_monopole_dipole` returns.

    Attributes
    ----------
    cleaned : ndarray [shape=(..., *grid.shape)]
        The map without its monopole and dipole.
    monopole : float64 ndarray [shape=(...)]
    dipole : float64 ndarray [shape=(..., 3)]
        Cartesian vector d of the dipole ``d . n``: its length is the amplitude, its direction that of the
        maximum. Zero with ``dipole=False``.
    """

    cleaned: np.ndarray
    monopole: np.ndarray
    dipole: np.ndarray


def remove_monopole_dipole(f, *, sampling, mask=None, dipole=True, max_condition=MAX_CONDITION):
    """Remove the monopole and the dipole that fit a map best on the observed sky.

    Minimizes ``sum_p w_p mask_p (f_p - m - d . n_p)^2`` over the monopole m and the dipole vector d, with w
    the quadrature weights of the grid and n_p the direction of sample p, and subtracts ``m + d . n`` from
    every sample. (healpy's ``remove_dipole`` weighs all pixels alike: that is
    ``HEALPix(nside, weights="equal")``.)

    On a small part of the sphere the monopole and the dipole are nearly the same function, and the fit sets
    large values of them against each other. The condition number of the normal matrix, in the basis
    ``1, sqrt(3) x, sqrt(3) y, sqrt(3) z`` that is orthonormal on the sphere, measures this: it is 1 on the
    whole sphere, 14 on a hemisphere and 119 on a cap of radius 60 degrees. Fits beyond ``max_condition``
    are refused.

    Parameters
    ----------
    f : float32 or float64 array_like [shape=(..., *grid.shape)]
        Maps. Samples where ``mask`` is 0 may be missing (NaN, infinite or UNSEEN), and stay so.
    sampling : str or Grid
        As in `spherekit.harmonic.forward`.
    mask : array_like [shape=grid.shape], optional
        Weights >= 0, or booleans; 0 or False where samples do not count. By default all count.
    dipole : bool
        False: remove the monopole only.
    max_condition : float

    Returns
    -------
    MonopoleDipole
        ``(cleaned, monopole, dipole)``; ``cleaned`` has the dtype of ``f``, float64 for integers.

    Raises
    ------
    TypeError
        Complex or masked arrays, other dtypes.
    ValueError
        Shapes that do not fit, missing samples that no mask covers, a mask that is negative, not finite or
        zero everywhere, a sky too small for the fit.

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
    f = checks.as_float_array(f, "f")
    if np.iscomplexobj(f):
        raise TypeError(f"f is complex ({f.dtype}); pass f.real and f.imag one after the other")
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
    cleaned, fitted = np.empty(maps.shape, f.dtype), np.zeros((len(maps), 4))
    for signal, result, x in zip(maps, cleaned, fitted, strict=True):
        x[: 1 + len(axes)] = _remove(signal, result, axes, weights, observed, solve)
    monopole = fitted[:, 0].reshape(lead)[()]
    return MonopoleDipole(cleaned.reshape(f.shape), monopole, fitted[:, 1:].reshape(*lead, 3))


def _weights(mask, grid):
    """(quadrature weights times the mask, of sum 1; where the mask lets samples count).

    A quadrature rule may give a sample no weight, or a negative one; it counts all the same.
    """
    weights = np.broadcast_to(grid.weights, grid.shape)
    observed = np.ones(grid.shape, bool)
    if mask is not None:
        mask = _as_mask(mask, grid)
        weights, observed = weights * mask / mask.max(), mask > 0
    total = weights.sum()
    if not total > 0:
        raise ValueError(
            f"the quadrature weights of the observed samples sum to {total:.3g} sr; expected more than 0"
        )
    return weights / total, observed


def _as_mask(mask, grid):
    """The weights of the samples, as an array of finite numbers >= 0."""
    mask = checks.as_float_array(mask, "mask")
    if mask.shape != tuple(grid.shape) or np.iscomplexobj(mask):
        raise ValueError(
            f"mask has shape {mask.shape} and type {mask.dtype}; the samples need real weights "
            f"of shape {tuple(grid.shape)}"
        )
    if not (np.isfinite(mask).all() and (mask >= 0).all() and mask.any()):
        raise ValueError(
            "mask must hold finite weights >= 0, not all 0; it holds "
            f"{np.count_nonzero(~np.isfinite(mask))} that are not finite and "
            f"{np.count_nonzero(mask < 0)} below 0"
        )
    return mask


def _normal_equations(axes, weights, max_condition):
    """Function that solves the normal equations; refuses those that are too badly conditioned."""
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
            f"the observed sky, {share:.2%} of the samples, is too small to tell the monopole from "
            f"the dipole: the condition number of the fit is {condition:.3g}, above {max_condition:g}, and "
            f"the dipole could come out {size} the rms of the map; remove the monopole only "
            "(dipole=False; command line: --remove-monopole), or observe more of the sphere"
        )
    return lambda moments: scale * np.linalg.solve(matrix, scale * moments)


def _remove(f, result, axes, weights, observed, solve):
    """Fill ``result`` with f less its monopole and dipole; returns these."""
    valid = np.where(observed, f, 0).astype(float)
    exponent = scaling.exponent(valid)  # any unit: the sums neither overflow nor vanish
    valid = scaling.ldexp(valid, -exponent)
    x = np.zeros(1 + len(axes))
    for _ in range(2):  # the second pass takes the rounding errors of the first
        residual = weights * (valid - _low(x, axes))
        x += solve(np.array([residual.sum(), *(np.sum(residual * axis) for axis in axes)]))
    x = scaling.ldexp(x, exponent)
    missing = is_missing(f) | np.isinf(f)
    with np.errstate(invalid="ignore"):
        result[...] = np.where(missing, f, f - _low(x, axes))
    return x


def _low(x, axes):
    return x[0] + sum(value * axis for value, axis in zip(x[1:], axes, strict=True))
