"""Monopole, dipole and templates, fitted to the observed sky and removed.

Minimizes ``sum_p w_p mask_p |f_p - sum_i a_i t_i(p)|^2`` over real amplitudes a_i, with w the quadrature
weights of the grid.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks, scaling
from spherekit._core.labeled import check_coordinates
from spherekit._core.missing import UNSEEN, is_missing, missing_samples
from spherekit.sampling.base import Grid, directions
from spherekit.sampling.grids import grid as as_grid
from spherekit.spectra.masked import as_mask
from spherekit.spectra.normal_equations import NormalEquations, model, scaled_matrix

#: Largest condition number of the normal matrix for which the monopole and the dipole are fitted.
MAX_CONDITION = 50.0
#: The same of templates with norm 1.
MAX_TEMPLATE_CONDITION = 1e4


class TemplateFit(NamedTuple):
    """Result of `remove_templates`.

    Attributes
    ----------
    cleaned : ndarray [shape=(..., *grid.shape)]
        The maps without the templates.
    names : tuple of str
        The names of the n amplitudes: those of the templates, or their numbers; "monopole"; "dipole x",
        "dipole y" and "dipole z".
    amplitudes : float64 ndarray [shape=(..., n)]
        The amplitude a_i of each template.
    covariance : float64 ndarray [shape=(..., n, n)]
        The covariance of the amplitudes, if the residuals were independent noise of equal variance. The
        residuals on the sky are correlated, so that the errors are larger: see `remove_templates`.
    condition : float
        The condition number of the normal matrix of templates with norm 1: the errors of amplitudes are up
        to its square root times those of a single template.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import MW
    >>> from spherekit.spectra import remove_templates
    >>> fit = remove_templates(np.full(MW(4).shape, 3.0), sampling=MW(4), monopole=True)
    >>> fit.names, fit.amplitudes.round(12)
    (('monopole',), array([3.]))
    """

    cleaned: np.ndarray
    names: tuple[str, ...]
    amplitudes: np.ndarray
    covariance: np.ndarray
    condition: float


def remove_templates(
    f: ArrayLike,
    templates: ArrayLike | Mapping[str, ArrayLike] = (),
    *,
    sampling: str | Grid,
    mask: ArrayLike | None = None,
    monopole: bool = False,
    dipole: bool = False,
    max_condition: float = MAX_TEMPLATE_CONDITION,
) -> TemplateFit:
    """Remove the best-fitting templates, monopole and dipole of the observed sky from maps.

    Minimizes ``sum_p w_p mask_p |f_p - sum_i a_i t_i(p)|^2`` over the real amplitudes a_i, with w the
    quadrature weights of the grid, and subtracts ``sum_i a_i t_i`` from every sample, also where the mask
    is 0. The amplitudes absorb whatever of the signal is like the templates by chance: this changes its
    spectrum (`deprojection_bias`), and is most of the error of the amplitudes if the signal is large.

    Parameters
    ----------
    f : array_like [shape=(..., *grid.shape)]
        Maps, real or complex, such as Q + i U. Samples where ``mask`` is 0 may be missing (NaN, infinite or
        UNSEEN); missing samples are not changed.
    templates : array_like [shape=(n, *grid.shape)] or dict of str to array_like [shape=grid.shape]
        Templates, by number or by name; of real maps real, of complex ones both components have one
        amplitude. Samples where ``mask`` is 0 may be missing: then they are NaN in the result.
    sampling : str or Grid
        Grid of the maps, as in `spherekit.harmonic.forward`.
    mask : array_like [shape=grid.shape], optional
        Weights >= 0, or booleans. Samples with weight 0 or False are excluded from the fit. By default all
        samples are used.
    monopole : bool
        Remove the monopole m of real maps, too: the template 1.
    dipole : bool
        Remove the dipole ``d . n`` of real maps, too: the templates x, y and z.
    max_condition : float
        Largest condition number of the normal matrix of templates with norm 1, >= 1.

    Returns
    -------
    TemplateFit
        ``(cleaned, names, amplitudes, covariance, condition)``; ``cleaned`` has the dtype of ``f``, or
        float64 for integers.

    Raises
    ------
    TypeError
        Arrays with masked entries, units or of another dtype; complex templates, of real maps; a monopole or
        dipole, of complex maps.
    ValueError
        Nothing to remove; shapes that do not match; missing samples that no mask excludes; templates that
        are zero where the mask is not, or nearly linearly dependent there (with their names); a template with
        the name of the monopole or dipole, which is removed, too; a mask that is negative, not finite or zero
        everywhere.

    See Also
    --------
    remove_monopole_dipole : the monopole and dipole only.
    deproject : the same with the squared mask as weights, differentiable, for bandpowers.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import HEALPix
    >>> from spherekit.spectra import remove_templates
    >>> grid = HEALPix(8)
    >>> dust = np.exp(-(((grid.theta - 1.5) / 0.3) ** 2))
    >>> noise = np.random.default_rng(0).normal(0, 0.1, 768)
    >>> fit = remove_templates(5 + 2 * dust + noise, {"dust": dust}, sampling=grid, monopole=True)
    >>> for name, amplitude, error in zip(fit.names, fit.amplitudes, np.sqrt(np.diag(fit.covariance))):
    ...     print(f"{name} {amplitude:.3f} +- {error:.3f}")
    dust 1.996 +- 0.010
    monopole 4.999 +- 0.005
    """
    grid = as_grid(sampling)
    check_coordinates(f, grid)
    f = checks.as_float_array(f, "f")
    checks.samples_shape(f, grid, getattr(grid, "L", None))
    max_condition = _checked_condition(max_condition)
    weights, observed = _weights(mask, grid)
    checks.finite_samples(f[..., observed], UNSEEN)
    functions = _of_maps(templates, grid, observed, np.iscomplexobj(f))
    if np.iscomplexobj(f) and (monopole or dipole):
        raise TypeError(
            f"f is complex ({f.dtype}), and a monopole or dipole is one of real maps: pass f.real and f.imag "
            "separately"
        )
    of_monopole_dipole = _monopole_dipole(grid, monopole, dipole)
    repeated = [name for name in of_monopole_dipole if name in functions]
    if repeated:
        raise ValueError(
            f"templates has {', '.join(repeated)}, the name of the monopole or dipole, which is removed, "
            "too; rename the template, or pass monopole=False and dipole=False"
        )
    functions |= of_monopole_dipole
    if not functions:
        raise ValueError("nothing to remove: pass templates, monopole=True or dipole=True")
    fit = _Fit(functions.values(), weights, observed)
    _, _, condition = scaled_matrix(fit.equations.matrix, functions, max_condition)
    n = len(functions)
    lead = f.shape[: f.ndim - len(grid.shape)]
    maps = f.reshape(-1, *grid.shape)
    cleaned = np.empty(maps.shape, f.dtype)
    amplitudes = np.empty((len(maps), n))
    covariance = np.empty((len(maps), n, n))
    for i, signal in enumerate(maps):
        amplitudes[i] = fit.subtract(signal, cleaned[i])
        covariance[i] = fit.covariance(cleaned[i])
    amplitudes = amplitudes.reshape(*lead, n)
    covariance = covariance.reshape(*lead, n, n)
    return TemplateFit(
        cleaned.reshape(f.shape), tuple(functions), amplitudes, covariance, condition
    )


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
    max_condition = _checked_condition(max_condition)
    functions = _monopole_dipole(grid, True, dipole).values()
    n = len(functions)
    fit = _Fit(functions, weights, observed, np.sqrt([1.0, 3, 3, 3])[:n])
    _check_separable(fit.equations.scaled, weights, max_condition)
    lead = f.shape[: f.ndim - len(grid.shape)]
    maps = f.reshape(-1, *grid.shape)
    cleaned = np.empty(maps.shape, f.dtype)
    fitted = np.zeros((len(maps), 4))
    for signal, result, x in zip(maps, cleaned, fitted, strict=True):
        x[:n] = fit.subtract(signal, result)
    monopole = fitted[:, 0].reshape(lead)[()]
    return MonopoleDipole(cleaned.reshape(f.shape), monopole, fitted[:, 1:].reshape(*lead, 3))


class _Function(NamedTuple):
    """A template divided by 2^exponent: at the observed samples, 0 elsewhere, and at all samples.

    Both are the number 1.0 for the monopole.
    """

    at_observed: np.ndarray | float
    values: np.ndarray | float
    exponent: int = 0


def _monopole_dipole(grid, monopole, dipole):
    """The functions 1, x, y and z by name."""
    functions = {"monopole": _Function(1.0, 1.0)} if monopole else {}
    if dipole:
        for name, axis in zip("xyz", directions(grid), strict=True):
            functions[f"dipole {name}"] = _Function(axis, axis)
    return functions


def _of_maps(templates, grid, observed, is_complex):
    """The functions of templates by name."""
    if not isinstance(templates, Mapping):
        check_coordinates(templates, grid, "templates")
        templates = checks.as_float_array(templates, "templates")
        if templates.size and templates.shape[1:] != tuple(grid.shape):
            raise ValueError(
                f"templates has shape {templates.shape}; expected (n, {', '.join(map(str, grid.shape))}), of "
                "n templates"
            )
        templates = {str(i): template for i, template in enumerate(templates)}
    return {
        name: _of_map(template, grid, observed, is_complex, f"the template {name}")
        for name, template in templates.items()
    }


def _of_map(template, grid, observed, is_complex, name):
    """The function of a template."""
    check_coordinates(template, grid, name)
    template = checks.as_float_array(template, name)
    if template.shape != tuple(grid.shape):
        raise ValueError(f"{name} has shape {template.shape}; expected {tuple(grid.shape)}")
    if np.iscomplexobj(template) and not is_complex:
        raise TypeError(f"{name} is complex ({template.dtype}), and f is real; pass real templates")
    missing = is_missing(template) | ~np.isfinite(template)
    if (missing & observed).any():
        raise ValueError(
            f"{name} has {np.count_nonzero(missing & observed)} missing samples (NaN, infinite or UNSEEN) "
            "where the mask is not 0; exclude them by the mask"
        )
    template = template.astype(complex if np.iscomplexobj(template) else float)
    at_observed = np.where(observed, template, 0)
    missing_samples(at_observed, name=name)  # also UNSEEN times a factor
    exponent = scaling.exponent(at_observed)
    scaled = scaling.ldexp(np.where(missing, np.nan, template), -exponent)
    return _Function(scaling.ldexp(at_observed, -exponent), scaled, exponent)


class _Fit:
    """The fit of functions to the observed samples of maps, and its removal from all samples."""

    def __init__(self, functions, weights, observed, scale=None):
        self.observed = observed
        self.values = [function.values for function in functions]
        self.exponents = np.array([function.exponent for function in functions])
        at_observed = [function.at_observed for function in functions]
        self.equations = NormalEquations(at_observed, weights, scale)

    def subtract(self, f, result):
        """Write a map minus the fit to ``result``, and return the amplitudes."""
        kind = complex if np.iscomplexobj(f) else float
        x = self.equations.amplitudes(np.where(self.observed, f, 0).astype(kind))
        missing = is_missing(f) | np.isinf(f)
        with np.errstate(invalid="ignore"):
            result[...] = np.where(missing, f, f - model(x, self.values))
        return scaling.ldexp(x, -self.exponents)

    def covariance(self, cleaned):
        """The covariance of the amplitudes, of independent noise with the variance of the residual."""
        residual = np.where(self.observed, cleaned, 0)
        exponent = scaling.exponent(residual)
        covariance = self.equations.covariance(scaling.ldexp(residual, -exponent))
        shifts = exponent - self.exponents
        return scaling.ldexp(covariance, shifts[:, None] + shifts)


def _checked_condition(max_condition):
    return checks.real_number(
        max_condition, "max_condition", "a number >= 1", lambda value: value >= 1
    )


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


def _check_separable(matrix, weights, max_condition):
    """Raise ValueError if the normal equations of monopole and dipole are ill-conditioned."""
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
