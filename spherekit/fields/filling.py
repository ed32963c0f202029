"""Missing samples, replaced by those of a band-limited fit, by diffusion or by constrained realizations."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from spherekit import harmonic
from spherekit._core import checks
from spherekit._core.labeled import check_coordinates
from spherekit._core.missing import missing_samples
from spherekit.conventions import from_real
from spherekit.fields import constrained_filling, diffusion
from spherekit.fields.analysis import default_band_limit, is_real
from spherekit.fields.gaps import bandwidth, gap_condition, gap_radius
from spherekit.fields.labels import is_xarray, labeled
from spherekit.fields.signals import signals_of
from spherekit.io import Map
from spherekit.linear import is_traced
from spherekit.sampling import Grid, LatLon

if TYPE_CHECKING:
    import xarray

#: Condition number of the fit of the default band-limit, about; it is at most twice that.
_DEFAULT_CONDITION = 10.0
#: A direction that the observed samples do not determine has about 1/L of the norm of random coefficients.
#: There is one if their error is above this fraction of that.
_COMPONENT = 0.1
#: The relative residual above which the samples of a default fit are reported as unreliable. The condition
#: number of 10 amplifies it: from about 0.25 on, errors in gaps can be as large as the field itself.
_LARGE_RESIDUAL = 0.3
#: Largest band-limit for which an error message states one that the observed samples determine.
_MAX_SEARCHED = 256


class Fit(NamedTuple):
    """The fit from which `fill` takes the missing samples; of several maps the largest numbers of any.

    Of several fields ``L`` is the smallest, and ``missing`` the sum.

    Attributes
    ----------
    L : int or None
        Band-limit; None if no sample is missing and none was passed.
    missing : int
        Number of missing samples.
    condition : float
        An estimate, from below, of the condition number of the least-squares problem. An error of the
        observed samples, such as the part of the field beyond degree L - 1, is amplified by up to this factor
        in the filled samples.
    relative : float
        The rms of the residual at the observed samples, divided by that of the samples about their mean.
    iterations : int
        Number of iterations.
    converged : bool
        Whether all fits have converged.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import fields
    >>> f = np.where(np.arange(192) == 7, np.nan, 1.0)
    >>> _, fit = fields.fill(f, sampling="healpix:4", return_fit=True)
    >>> fit.missing, fit.L, bool(fit.condition < 2)
    (1, 10, True)
    """

    L: int | None
    missing: int
    condition: float
    relative: float
    iterations: int
    converged: bool


class _Options(NamedTuple):
    """Options of the fits."""

    method: str
    model: constrained_filling.Model
    tol: float
    max_iter: int
    max_condition: float
    allow_unconverged: bool
    threads: int | None
    progress: Callable | None


#: Methods, by which `fill` replaces missing samples.
_METHODS = ("lsq", "diffusion", "constrained")


def fill(
    f: ArrayLike | Map | xarray.DataArray,
    mask: ArrayLike | Map | xarray.DataArray | None = None,
    *,
    L: int | None = None,
    spin: int | None = None,
    sampling: Grid | LatLon | str | None = None,
    weights: ArrayLike | Map | xarray.DataArray | None = None,
    method: str = "lsq",
    cl: ArrayLike | Mapping[str, ArrayLike] | None = None,
    noise: ArrayLike | None = None,
    n: int = 10,
    rng: np.random.Generator | np.random.SeedSequence | int | None = None,
    tol: float = 1e-8,
    max_iter: int = 200,
    max_condition: float = 1e3,
    allow_unconverged: bool = False,
    return_fit: bool = False,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> np.ndarray | Map | xarray.DataArray | tuple[np.ndarray | Map | xarray.DataArray, tuple]:
    """Replace missing samples: by a band-limited fit, by diffusion, or by a constrained realization.

    Observed samples are not changed by any method.

    With ``method="lsq"``, the default, the coefficients of degrees < L minimize
    sum_j w_j |f_j - inverse(flm)_j|^2 over the observed samples; the missing samples are those of the fit. A
    field of band-limit L is recovered exactly, up to rounding errors times the condition number of the fit.
    That number grows exponentially with L times the radius of the largest gap (`Fit.condition`): above
    ``max_condition`` the filled samples would be arbitrary, and the fit is refused.

    With "diffusion" each missing sample is a weighted mean of its neighbors, the solution of Laplace's
    equation with the observed samples as boundary: defined for gaps of any size, smooth, within the range of
    the observed samples, and without the variance of the field. The weights are those of finite elements on
    HEALPix, and of finite volumes on other grids, where the neighbors are on the ring and on the adjacent
    rings. Values of spin fields are means after parallel transport.

    With "constrained" the missing samples are those of a random Gaussian field of spectrum ``cl``, given the
    observed samples (`spherekit.spectra.constrained_realization`). Their scatter in n realizations is the
    uncertainty of each, `ConstrainedFill.uncertainty`.

    Parameters
    ----------
    f : array_like [shape=(..., \\*grid.shape)], Map, DataArray or Dataset
        Samples; missing ones are NaN or UNSEEN. Spin fields are complex numbers; in a `Map` the components u
        and v of a wind, and Q and U, are fitted together where both are observed. Every map of an array, and
        every field of a `Map`, has missing samples of its own.
    mask : bool array_like [shape=(..., \\*grid.shape)], Map or DataArray, optional
        False for samples that are replaced, besides the missing ones. Where ``f`` is of xarray, a DataArray
        with its coordinates.
    L : int, optional
        Band-limit: degrees 0..L-1. By default the largest for which the condition number is about 10, and at
        most that of the grid (on HEALPix 5/2 nside); of an array with several maps the smallest of these. A
        warning states that gaps lowered it and that the relative residual of the fit is above 0.3: then the
        field has higher degrees.
    spin : int, optional
        The spin of the field; by default 0 for arrays, and of a `Map` as in `smooth`.
    sampling : Grid, LatLon or str, optional
        The grid of an array ``f``, its latitudes and longitudes, or the name of its grid.
    weights : array_like [shape=grid.shape], Map or DataArray, optional
        The weight of each squared difference, such as the inverse variance of its noise, >= 0; a sample of
        weight 0 is neither used nor replaced. Of "lsq" only.
    method : {"lsq", "diffusion", "constrained"}
        The method.
    cl : array_like [shape=(n_l,)], or dict of str to array_like [shape=(n_l,)], optional
        Of "constrained", required: the spectrum of the samples, beam and pixels included; of spin fields a
        dict of EE and possibly BB and EB, and of a `Map` with scalars, too, of TT. The correlation of T and E
        is not used. ``L`` is at most n_l, and by default the smaller of that and the default of "lsq".
    noise : float or array_like [shape=grid.shape], optional
        Of "constrained": the standard deviation of the noise of each sample, > 0, and of all that has
        degrees >= L. By default 1 % of the rms of the observed samples. The filled samples are without noise.
    n : int
        Of "constrained": the number of realizations from which the standard deviations are computed. The
        first is returned.
    rng : numpy.random.Generator, SeedSequence or int, optional
        Of "constrained", required: a random generator, or its seed.
    tol : float
        Tolerance. Of "lsq" relative, of the fit, 0 <= tol < 1 (see `spherekit.analyse`); of "diffusion" that
        of `Diffusion.error`, 0 < tol < 1; of "constrained" as in `spherekit.spectra.wiener_filter`.
    max_iter : int
        Largest number of iterations.
    max_condition : float
        Largest condition number, >= 1. ``numpy.inf`` accepts any, without the computation of the condition
        number in advance: then the fit has the smallest coefficients of those that the observed samples do
        not determine. Of "lsq" only.
    allow_unconverged : bool
        Accept a fit that has not converged then. By default an error.
    return_fit : bool
        Return the `Fit`, `Diffusion` or `ConstrainedFill`, too; a `Map` has notes on that of each field.
    threads : int, optional
        Number of threads. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(iteration)`` at each iteration.

    Returns
    -------
    filled : ndarray, Map, DataArray or Dataset
        As ``f``, with floating-point numbers.
    fit : Fit, Diffusion or ConstrainedFill
        With ``return_fit``.

    Raises
    ------
    ValueError
        A condition number above ``max_condition``; a map without observed samples, or with fewer than L*L; a
        fit that has not converged; infinite samples; an invalid mask, weights, L or spin; rings that do not
        cover the sphere, without L; an unknown method, or an argument that belongs to another one.
    TypeError
        "constrained" without ``cl`` or ``rng``; ``sampling`` missing for an array or passed with a `Map`; an
        array that autograd traces, or that has masked entries; arguments of other types.
    MemoryError
        The problem does not fit into memory.

    See Also
    --------
    spherekit.analyse : the fit, without synthesis.
    spherekit.spectra.constrained_realization : coefficients instead of samples.

    Examples
    --------
    A field of band-limit 12 without its northern polar cap:

    >>> import numpy as np
    >>> import spherekit as sk
    >>> from spherekit import fields, sampling, spectra
    >>> grid = sampling.HEALPix(16)
    >>> f = sk.inverse(sk.testing.random_flm(12, 0, reality=True), 12, sampling=grid, reality=True)
    >>> g = np.where(grid.theta < 0.3, np.nan, f)
    >>> filled, fit = fields.fill(g, sampling=grid, L=12, return_fit=True)
    >>> bool(abs(filled - f).max() < 1e-6), f"{fit.condition:.2f}"
    (True, '4.01')

    The same cap by diffusion, which has none of the degrees of the field, and what is uncertain of it:

    >>> filled = fields.fill(g, sampling=grid, method="diffusion")
    >>> bool(abs(filled - f).max() < 0.5 * f.std()), bool(filled.max() <= f.max())
    (False, True)
    >>> cl = spectra.power(sk.analyse(f, 12, sampling=grid, reality=True)[0])
    >>> model = dict(method="constrained", cl=cl, noise=0.01 * f.std(), rng=0)
    >>> filled, draw = fields.fill(g, sampling=grid, **model, return_fit=True)
    >>> bool(abs(filled - f).max() < 4 * draw.uncertainty.max())
    True
    """
    model = constrained_filling.Model(cl, noise, n, rng)
    _check_method(method, model, L, weights)
    options = _checked_options(
        method, model, tol, max_iter, max_condition, allow_unconverged, threads, progress
    )
    L = None if L is None else checks.band_limit(L)
    fits = []

    def fill_map(record):
        return _fill_map(record, mask, weights, L, spin, options, fits)

    if is_xarray(f):
        from spherekit.io.xarray_conversion import with_fields

        mask, weights = _of_xarray(mask, "mask"), _of_xarray(weights, "weights")
        filled = with_fields(f, fill_map)
        return (filled, _united(fits)) if return_fit else filled
    if isinstance(f, Map):
        if sampling is not None:
            raise TypeError("sampling is passed with a Map, which has its grid; omit it")
        filled = fill_map(f)
        return (filled, _united(fits)) if return_fit else filled
    if is_traced(f):
        raise TypeError("f is traced by autograd; fill is not differentiable")
    values, grid, labels = labeled(f, sampling, L)
    if labels.positions is not None:
        mask, weights = (x if x is None else labels.positions.to_grid(x) for x in (mask, weights))
    spin = 0 if spin is None else checks.integer(spin, "spin", -math.inf)
    filled, fit = _fill_array(values, mask, weights, L, spin, grid, options, "f")
    filled = labels.in_its_order(filled)
    if method == "constrained":
        fit = fit._replace(uncertainty=labels.in_its_order(fit.uncertainty))
    return (filled, fit) if return_fit else filled


def _check_method(method, model, L, weights):
    """Refuse an unknown method, and arguments of another one."""
    if method not in _METHODS:
        raise ValueError(f"method is {method!r}; expected one of {', '.join(map(repr, _METHODS))}")
    of_method = {"L": ("lsq", "constrained"), "weights": ("lsq",)}
    of_method |= dict.fromkeys(("cl", "noise", "rng"), ("constrained",))
    arguments = dict(L=L, weights=weights, cl=model.cl, noise=model.noise, rng=model.rng)
    for name, value in arguments.items():
        if value is not None and method not in of_method[name]:
            raise ValueError(
                f"{name} is passed with method={method!r}; it belongs to {' and '.join(of_method[name])}"
            )
    if method == "constrained" and (model.cl is None or model.rng is None):
        raise TypeError(
            'method="constrained" needs the spectrum of the field and a random generator: pass cl, and rng, '
            "such as rng=0"
        )


def _checked_options(
    method, model, tol, max_iter, max_condition, allow_unconverged, threads, progress
):
    max_iter = checks.integer(max_iter, "max_iter", 1)
    if max_condition != math.inf:
        max_condition = checks.real_number(
            max_condition, "max_condition", "a number >= 1, such as 1e3", lambda x: x >= 1
        )
    if method == "diffusion":
        tol = checks.real_number(tol, "tol", "a number in (0, 1)", lambda x: 0 < x < 1)
    return _Options(
        method, model, tol, max_iter, max_condition, allow_unconverged, threads, progress
    )


def _random_coefficients(L, spin, reality):
    rng = np.random.default_rng(0)
    if reality:
        return from_real(rng.standard_normal(L * L))
    flm = rng.standard_normal(L * L) + 1j * rng.standard_normal(L * L)
    flm[: spin * spin] = 0
    return flm


def _united(fits):
    """The fit of several fields."""
    if isinstance(fits[0], diffusion.Diffusion):
        return diffusion.united(fits)
    if isinstance(fits[0], constrained_filling.ConstrainedFill):
        return constrained_filling.united(fits)
    bands = [fit.L for fit in fits if fit.L is not None]
    return Fit(
        min(bands, default=None),
        sum(fit.missing for fit in fits),
        max(fit.condition for fit in fits),
        max(fit.relative for fit in fits),
        max(fit.iterations for fit in fits),
        all(fit.converged for fit in fits),
    )


def _of_xarray(x, name):
    """A mask or weights as a map in the order of its grid."""
    if x is None or isinstance(x, Map):
        return x
    if type(x).__module__.split(".")[0] != "xarray":
        raise TypeError(
            f"{name} is {type(x).__name__}; expected a DataArray with the coordinates of f, or a Map"
        )
    from spherekit.io.xarray_conversion import from_xarray

    return from_xarray(x.astype(float))


def _fill_map(record, mask, weights, L, spin, options, fits):
    """Fill the signals of a map; the notes of the result state the fits, which are appended to a list."""
    values = checks.as_float_array(record.values, "the values of the map")
    fields = values if len(record) > 1 else values[None]
    gaps = [
        _missing(f, mask, record.grid, name) for f, name in zip(fields, record.labels, strict=True)
    ]
    gaps = np.reshape(gaps, values.shape)
    signals = signals_of(replace(record, values=np.where(gaps, np.nan, values)), spin)
    components = [None] * len(record)
    notes = []
    for signal in signals:
        arguments = None, weights, L, signal.spin, record.grid, options, signal.name
        filled, fit = _fill_array(signal.values, *arguments)
        fits.append(fit)
        notes.append(f"{signal.name}: {_description(fit)}")
        real_fields = (filled,)
        if signal.is_wind:
            real_fields = filled.imag, -filled.real
        elif len(signal.indices) == 2:
            real_fields = filled.real, filled.imag
        for index, values_of_field in zip(signal.indices, real_fields, strict=True):
            components[index] = values_of_field
    filled = np.where(gaps, np.reshape(components, values.shape), values)
    return replace(record, values=filled, notes=(*record.notes, *notes))


def _description(fit):
    if isinstance(fit, diffusion.Diffusion):
        return diffusion.description(fit)
    if isinstance(fit, constrained_filling.ConstrainedFill):
        return constrained_filling.description(fit)
    if not fit.missing:
        return "no missing samples"
    state = "" if fit.converged else ", NOT converged"
    return (
        f"{fit.missing} missing samples filled by a fit of degrees < {fit.L} to the observed ones, of "
        f"condition number {fit.condition:.3g} and a residual of {fit.relative:.2e} of their rms, after "
        f"{fit.iterations} iteration{'s' * (fit.iterations > 1)}{state}"
    )


def _missing(f, mask, grid, name):
    """True for missing samples, and those outside the mask."""
    missing = missing_samples(f, name=name)
    return missing if mask is None else missing | ~_checked_mask(mask, f.shape, grid)


def _checked_mask(mask, shape, grid):
    """The mask as a boolean array of a shape."""
    check_coordinates(mask, grid, "mask")
    mask = checks.as_float_array(mask, "mask")
    n = len(grid.shape)
    if mask.shape not in (shape, shape[len(shape) - n :]):
        raise ValueError(
            f"mask has shape {mask.shape}; expected that of the samples, {shape}, or of the grid, "
            f"{tuple(grid.shape)}"
        )
    if not np.isin(mask, (0, 1)).all():
        raise ValueError(
            "mask must be boolean: True (1) for observed samples, False (0) for others"
        )
    return np.broadcast_to(mask.astype(bool), shape)


def _fill_array(f, mask, weights, L, spin, grid, options, name):
    """(filled samples, Fit) of maps of one spin."""
    n = len(grid.shape)
    if f.shape[f.ndim - n :] != tuple(grid.shape):
        raise ValueError(f"{name} has shape {f.shape}; expected (..., *{tuple(grid.shape)})")
    missing = _missing(f, mask, grid, name)
    if options.method == "diffusion":
        return diffusion.diffuse(f, missing, grid, spin=spin, options=options, name=name)
    if options.method == "constrained":
        model = options.model
        rule = dict(spin=spin, options=options, name=name)
        return constrained_filling.draw(f, missing, grid, model, L, **rule)
    if not missing.any():
        return f.copy(), Fit(L, 0, 1.0, 0.0, 0, True)
    filled = np.array(f, order="C")
    maps, gaps = filled.reshape(-1, *grid.shape), missing.reshape(-1, *grid.shape)
    problem = _Problem(grid, spin, is_real(f, spin), weights, options, name, {})
    patterns = {gap.tobytes(): problem.observed(gap) for gap in gaps if gap.any()}
    is_lowered = False
    if L is None:
        L = problem.default_band_limit(patterns.values())
        is_lowered = L < default_band_limit(grid)
    checks.spin_number(spin, L)
    conditions = {key: problem.checked_condition(x, L) for key, x in patterns.items()}
    fits = []
    for samples, gap in zip(maps, gaps, strict=True):
        if gap.any():
            flm, residual = problem.fit(samples, gap, L)
            samples[gap] = harmonic.inverse(flm, L, **problem.common)[gap]
            condition = max(conditions[gap.tobytes()], residual.condition)
            fits.append((condition, residual.relative, residual.iterations, residual.converged))
    *largest, converged = zip(*fits, strict=True)
    fit = Fit(L, int(np.count_nonzero(missing)), *map(max, largest), all(converged))
    if is_lowered and fit.relative > _LARGE_RESIDUAL:
        _warn_of_residual(name, fit)
    return filled, fit


def _warn_of_residual(name, fit):
    warnings.warn(
        f"the fit that fills the gaps of {name} leaves {fit.relative:.0%} of the rms of the observed samples "
        f"unexplained: the default L={fit.L}, the degrees that the observed samples determine well, is below "
        "that of the field. The filled samples are unreliable: leave the gaps empty, observe more samples, "
        f"pass a larger L (an error where the gaps are too large for it), or L={fit.L} to accept this result",
        UserWarning,
        stacklevel=4,
    )


class _Problem(NamedTuple):
    """The fits of maps on a grid."""

    grid: Grid
    spin: int
    reality: bool
    weights: ArrayLike | Map | None
    options: _Options
    name: str
    conditions: dict

    @property
    def common(self):
        """Keywords of the transforms."""
        return dict(
            spin=self.spin, sampling=self.grid, reality=self.reality, threads=self.options.threads
        )

    def fit(self, samples, gap, L):
        """(coefficients, Residual) of one map."""
        options = self.options
        rule = dict(tol=options.tol, max_iter=options.max_iter, progress=options.progress)
        samples = np.where(gap, 0, samples)
        flm, residual = harmonic.analyse(
            samples, L, mask=~gap, weights=self.weights, **rule, **self.common
        )
        if not (residual.converged or options.allow_unconverged):
            raise ValueError(
                f"the least-squares fit of degrees < {L} to {self.name} did not converge in "
                f"{residual.iterations} iterations (residual {residual.relative:.2e} of the map's rms); "
                "lower L, raise max_iter, or accept the result with allow_unconverged=True"
            )
        return flm, residual

    def observed(self, gap):
        """True for the samples that are fitted: all but those of a gap and of weight 0."""
        observed = ~gap
        if self.weights is not None:
            check_coordinates(self.weights, self.grid, "weights")
            weights = checks.as_float_array(self.weights, "weights")
            if weights.shape == gap.shape:  # else `analyse` raises the error
                observed &= weights != 0
        if not observed.any():
            raise ValueError(f"all samples of a map of {self.name} are missing; nothing to fit")
        return observed

    def default_band_limit(self, patterns):
        """The largest band-limit with a condition number of about 10 for all patterns of observed samples."""
        target = min(_DEFAULT_CONDITION, self.options.max_condition / 2)
        L = default_band_limit(self.grid)
        for observed in patterns:
            L = min(L, int(bandwidth(target) / gap_radius(~observed, self.grid)))
            L = self.lower_band_limit(observed, L, target)
        return L

    def lower_band_limit(self, observed, L, target):
        """The first of decreasing band-limits whose condition number is at most twice ``target``."""
        lowest = abs(self.spin) + 1
        L = max(lowest, min(L, math.isqrt(np.count_nonzero(observed))))
        while L > lowest:
            condition, is_known = self.condition(observed, L, 2 * target)
            if is_known and condition <= 2 * target:
                break
            factor = 0.95 if condition == math.inf else bandwidth(target) / bandwidth(condition)
            L = max(lowest, min(L - 1, int(L * (factor if is_known else min(factor, 0.8)))))
        return L

    def condition(self, observed, L, limit):
        """(the condition number of a fit, whether the iterations that tell it have converged).

        They fit the signal of random coefficients, which contains all directions, so that the number does not
        depend on the field; precisely enough for numbers up to a limit. It is infinite if the coefficients
        are not recovered: then the observed samples do not depend on some combination of them.
        """
        key = observed.tobytes(), L
        if key not in self.conditions:
            expected = _random_coefficients(L, self.spin, self.reality)
            samples = harmonic.inverse(expected, L, **self.common)
            rule = dict(tol=max(1e-4 / limit, 1e-8), max_iter=self.options.max_iter)
            rule |= dict(mask=observed, weights=self.weights, progress=self.options.progress)
            flm, residual = harmonic.analyse(samples, L, **rule, **self.common)
            error = np.linalg.norm(flm - expected) / np.linalg.norm(expected)
            rounding = 10 * rule["tol"] * residual.condition
            is_undetermined = residual.converged and error > max(_COMPONENT / L, rounding)
            condition = math.inf if is_undetermined else residual.condition
            self.conditions[key] = condition, residual.converged
        return self.conditions[key]

    def checked_condition(self, observed, L):
        """The condition number of a fit; raise ValueError if it is too large."""
        limit = self.options.max_condition
        if limit == math.inf:
            return 1.0
        radius = gap_radius(~observed, self.grid)
        expected = gap_condition(L, radius)
        is_known = True
        if L * L > np.count_nonzero(observed):
            condition = math.inf
        elif expected > 1e3 * limit:
            condition = expected
        else:
            condition, is_known = self.condition(observed, L, limit)
            condition = max(condition, expected)
        if is_known and condition <= limit:
            return condition
        number = "infinite" if condition == math.inf else f"at least {condition:.2g}"
        state = (
            "" if is_known else f", after {self.options.max_iter} iterations without convergence"
        )
        raise ValueError(
            f"the observed samples of {self.name} do not determine the degrees < {L} in the gaps, the "
            f"largest of radius {np.degrees(radius):.3g} degrees: the condition number is {number}{state}; "
            f"max_condition is {limit:.4g}. {self._advice(observed, L, radius)}"
            f"{'' if is_known else ', a larger max_iter'}, or max_condition=numpy.inf, with "
            "allow_unconverged=True, to accept an arbitrary result there"
        )

    def _advice(self, observed, L, radius):
        """What to do about a large condition number."""
        limit = self.options.max_condition
        L = min(L - 1, int(bandwidth(limit) / radius))
        if L <= abs(self.spin):
            return "Observe more samples"
        if L > _MAX_SEARCHED:
            return "Omit L for the default band-limit"
        return f"Pass L={self.lower_band_limit(observed, L, limit / 2)}"
