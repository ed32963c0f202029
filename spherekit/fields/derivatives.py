"""Derivatives of scalars on the sphere: gradient, Laplacian and its inverse."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

import autograd.numpy as anp
import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.fields import potentials
from spherekit.fields.analysis import analyze, checked_options, default_band_limit, synthesize
from spherekit.fields.labels import Labels, labeled, unit_times
from spherekit.fields.signals import signals_of
from spherekit.io import Map
from spherekit.sampling import Grid, LatLon

if TYPE_CHECKING:
    import xarray


def gradient(
    f: ArrayLike | Map | xarray.DataArray,
    *,
    radius: float = 1.0,
    L: int | None = None,
    spin: Literal[0] | None = None,
    sampling: Grid | LatLon | str | None = None,
    method: Literal["quadrature", "lsq", "jacobi"] | None = None,
    max_iter: int = 100,
    allow_unconverged: bool = False,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> tuple[np.ndarray | Map | xarray.DataArray, np.ndarray | Map | xarray.DataArray]:
    """Gradient of a real field: its eastward and northward component.

        (1 / (a sin(theta)) df/dphi,  -1/a df/dtheta)

    It is computed as a field of spin 1 from the coefficients of f, so that it is exact for fields of
    band-limit L, and single-valued at the poles.

    Parameters
    ----------
    f : array_like [shape=(..., \\*grid.shape)], Map, DataArray or Dataset
        Real samples of one or several scalars.
    radius : float or quantity
        The radius a of the sphere in m; 1 for derivatives by angles, in radians.
    L : int, optional
        Band-limit: degrees 0..L-1. By default that of the grid; on HEALPix 5/2 nside.
    spin : int, optional
        0: every field is a scalar, also one with the name of a component of a wind, or of Q or U.
    sampling : Grid, LatLon or str, optional
        The grid of an array, its latitudes and longitudes, or the name of its grid.
    method : {"quadrature", "lsq", "jacobi"}, optional
        Method of the analysis (see `spherekit.analyse`). By default quadrature on grids with a sampling
        theorem, else lsq.
    max_iter : int
        Largest number of iterations of lsq and jacobi.
    allow_unconverged : bool
        Accept a fit that has not converged then. By default an error.
    threads : int, optional
        Number of threads. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(iteration)`` at each iteration.

    Returns
    -------
    eastward, northward : ndarray, Map, DataArray or Dataset
        As ``f``; fields T are named zonal_gradient_of_T and meridional_gradient_of_T, in the unit of T per m,
        or with the radius 1 per radian. Arrays on grids with a sampling theorem, and with
        ``method="quadrature"``, are differentiable.

    Raises
    ------
    ValueError
        Spin fields, such as both components of a wind, or one component, without ``spin=0``; a radius that is
        not positive, or in km; missing samples; a grid coarser than L; a fit that has not converged.
    TypeError
        Complex samples; ``sampling`` missing for an array or passed with a `Map`.
    MemoryError
        The problem does not fit into memory.

    See Also
    --------
    laplacian : the divergence of the gradient.
    Wind : derivatives of vector fields.

    Examples
    --------
    The sine of the latitude increases to the north, by the cosine of the latitude:

    >>> import numpy as np
    >>> from spherekit import fields, sampling
    >>> grid = sampling.MWSS(8)
    >>> latitude = np.pi / 2 - grid.theta[:, None] * np.ones(grid.shape)
    >>> eastward, northward = fields.gradient(np.sin(latitude), sampling=grid)
    >>> np.allclose(eastward, 0), np.allclose(northward, np.cos(latitude))
    (True, True)
    """
    options = checked_options(method, max_iter, threads, progress, allow_unconverged)
    return gradient_of(f, radius, L, sampling, options, spin)


def gradient_of(f, radius, L, sampling, options, spin=None, truncation=None):
    """The gradient of a field, of degrees <= truncation; the parameters are those of `gradient`."""
    a = potentials.checked_radius(radius)
    scalars = _analyze(f, L, sampling, options, spin)
    if not scalars.is_real:
        raise TypeError(
            f"{scalars.name} is complex; expected real samples: pass the real and imaginary part, or use "
            "raise_spin"
        )
    flm = scalars.flm if truncation is None else potentials.truncated(scalars.flm, truncation)
    field = scalars.synthesis(-potentials.gradient_part(flm, scalars.L, a), spin=1)
    eastward = scalars.wrap(anp.imag(field), "zonal gradient", a, -1)
    return eastward, scalars.wrap(-anp.real(field), "meridional gradient", a, -1)


def laplacian(
    f: ArrayLike | Map | xarray.DataArray,
    *,
    radius: float = 1.0,
    L: int | None = None,
    spin: Literal[0] | None = None,
    sampling: Grid | LatLon | str | None = None,
    method: Literal["quadrature", "lsq", "jacobi"] | None = None,
    max_iter: int = 100,
    allow_unconverged: bool = False,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> np.ndarray | Map | xarray.DataArray:
    """Laplacian of a field: its coefficients times -l(l+1) / a^2.

    Parameters
    ----------
    f : array_like [shape=(..., \\*grid.shape)], Map, DataArray or Dataset
        Samples of one or several scalars.
    radius : float or quantity
        The radius a of the sphere in m; 1 for derivatives by angles, in radians.
    L : int, optional
        Band-limit: degrees 0..L-1. By default that of the grid; on HEALPix 5/2 nside.
    spin : int, optional
        0: every field is a scalar, also one with the name of a component of a wind, or of Q or U.
    sampling : Grid, LatLon or str, optional
        The grid of an array, its latitudes and longitudes, or the name of its grid.
    method : {"quadrature", "lsq", "jacobi"}, optional
        Method of the analysis (see `spherekit.analyse`). By default quadrature on grids with a sampling
        theorem, else lsq.
    max_iter : int
        Largest number of iterations of lsq and jacobi.
    allow_unconverged : bool
        Accept a fit that has not converged then. By default an error.
    threads : int, optional
        Number of threads. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(iteration)`` at each iteration.

    Returns
    -------
    ndarray, Map, DataArray or Dataset
        As ``f``; fields T are named laplacian_of_T, in the unit of T per m^2, or with the radius 1 per
        radian^2. Arrays on grids with a sampling theorem, and with ``method="quadrature"``, are
        differentiable.

    Raises
    ------
    ValueError
        Spin fields, such as both components of a wind, or one component, without ``spin=0``; a radius that is
        not positive, or in km; missing samples; a grid coarser than L; a fit that has not converged.
    TypeError
        ``sampling`` missing for an array or passed with a `Map`.
    MemoryError
        The problem does not fit into memory.

    See Also
    --------
    inverse_laplacian : the solution of Poisson's equation.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import fields, sampling
    >>> grid = sampling.GL(8)
    >>> f = np.cos(grid.theta)[:, None] * np.ones(grid.shape)
    >>> np.allclose(fields.laplacian(f, sampling=grid), -2 * f)
    True
    """
    options = checked_options(method, max_iter, threads, progress, allow_unconverged)
    a = potentials.checked_radius(radius)
    scalars = _analyze(f, L, sampling, options, spin)
    flm = potentials.times_degrees(scalars.flm, scalars.L, 1, -1 / a**2)
    return scalars.wrap(scalars.synthesis(flm), "laplacian", a, -2)


def inverse_laplacian(
    f: ArrayLike | Map | xarray.DataArray,
    *,
    radius: float = 1.0,
    L: int | None = None,
    spin: Literal[0] | None = None,
    sampling: Grid | LatLon | str | None = None,
    method: Literal["quadrature", "lsq", "jacobi"] | None = None,
    max_iter: int = 100,
    allow_unconverged: bool = False,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> np.ndarray | Map | xarray.DataArray:
    """The field of mean 0 whose Laplacian is f: the coefficients of f times -a^2 / (l(l+1)).

    The mean of f, which no Laplacian has, is removed. The stream function is the inverse Laplacian of the
    vorticity, and the velocity potential that of the divergence.

    Parameters
    ----------
    f : array_like [shape=(..., \\*grid.shape)], Map, DataArray or Dataset
        Samples of one or several scalars.
    radius : float or quantity
        The radius a of the sphere in m; 1 for derivatives by angles, in radians.
    L : int, optional
        Band-limit: degrees 0..L-1. By default that of the grid; on HEALPix 5/2 nside.
    spin : int, optional
        0: every field is a scalar, also one with the name of a component of a wind, or of Q or U.
    sampling : Grid, LatLon or str, optional
        The grid of an array, its latitudes and longitudes, or the name of its grid.
    method : {"quadrature", "lsq", "jacobi"}, optional
        Method of the analysis (see `spherekit.analyse`). By default quadrature on grids with a sampling
        theorem, else lsq.
    max_iter : int
        Largest number of iterations of lsq and jacobi.
    allow_unconverged : bool
        Accept a fit that has not converged then. By default an error.
    threads : int, optional
        Number of threads. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(iteration)`` at each iteration.

    Returns
    -------
    ndarray, Map, DataArray or Dataset
        As ``f``; fields T are named inverse_laplacian_of_T, in the unit of T times m^2, or with the radius 1
        times radian^2. Arrays on grids with a sampling theorem, and with ``method="quadrature"``, are
        differentiable.

    Raises
    ------
    ValueError
        Spin fields, such as both components of a wind, or one component, without ``spin=0``; a radius that is
        not positive, or in km; missing samples; a grid coarser than L; a fit that has not converged.
    TypeError
        ``sampling`` missing for an array or passed with a `Map`.
    MemoryError
        The problem does not fit into memory.

    See Also
    --------
    laplacian : the inverse for fields of mean 0.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import fields, sampling
    >>> grid = sampling.GL(8)
    >>> f = np.cos(grid.theta)[:, None] * np.ones(grid.shape)
    >>> np.allclose(fields.inverse_laplacian(f + 7, sampling=grid), -f / 2)
    True
    """
    options = checked_options(method, max_iter, threads, progress, allow_unconverged)
    a = potentials.checked_radius(radius)
    scalars = _analyze(f, L, sampling, options, spin)
    flm = potentials.times_degrees(scalars.flm, scalars.L, -1, -(a**2))
    return scalars.wrap(scalars.synthesis(flm), "inverse laplacian", a, 2)


class _Scalars(NamedTuple):
    """The coefficients of scalars, and what their results have in common."""

    flm: np.ndarray
    L: int
    grid: Grid
    labels: Labels
    name: str
    is_real: bool
    is_single: bool
    threads: int | None

    def synthesis(self, flm, spin=0):
        flags = dict(reality=self.is_real and not spin, is_single=self.is_single)
        return synthesize(flm, self.L, self.grid, spin, threads=self.threads, **flags)

    def wrap(self, values, operator, radius, power, spin=None):
        """Results of an operator that multiplies units by a power of the length."""
        record = self.labels.record
        if record is None:
            return self.labels.in_its_order(values)
        prefix = operator.replace(" ", "_")
        names = tuple(f"{prefix}_of_{name}" if name else prefix for name in record.names)
        length = "rad" if radius == 1 else "m"
        length = length if power == 1 else f"{length}{power}"
        units = tuple(unit_times(unit, length) for unit in record.units)
        described = [record.attributes.get(name, {}) for name in record.names]
        attributes = {
            name: {"long_name": f"{operator} of {of_field.get('long_name', label)}"}
            for name, of_field, label in zip(names, described, record.labels, strict=True)
        }
        return self.labels.wrap(values, names, units, attributes)


def _analyze(f, L, sampling, options, spin):
    """The coefficients of scalars; ValueError for spin fields."""
    if spin is not None and checks.integer(spin, "spin", -np.inf) != 0:
        raise ValueError(f"spin is {spin}; expected 0, for scalars, or None")
    values, grid, labels = labeled(f, sampling, L)
    name = "f"
    if labels.record is not None:
        for signal in signals_of(labels.record, spin):
            if signal.spin:
                raise ValueError(
                    f"{signal.name} is a field of spin {signal.spin}; expected scalars: select them, or use "
                    "raise_spin, or Wind for the components of a wind (spin=0: each component by itself)"
                )
        name = labels.record.labels[0] if len(labels.record) == 1 else name
    L = checks.band_limit(default_band_limit(grid) if L is None else L)
    flm, _ = analyze(values, L, grid, 0, options, name)
    flags = not anp.iscomplexobj(values), checks.is_single(values), options.threads
    return _Scalars(flm, L, grid, labels, name, *flags)
