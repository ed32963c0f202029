"""The spectrum of the kinetic energy of a wind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from numpy.typing import ArrayLike

from spherekit.fields.wind_quantities import KineticEnergySpectrum
from spherekit.fields.winds import Wind
from spherekit.io import Map
from spherekit.sampling import Grid, LatLon

if TYPE_CHECKING:
    import xarray


def kinetic_energy_spectrum(
    u: ArrayLike | Map | xarray.DataArray | xarray.Dataset,
    v: ArrayLike | Map | xarray.DataArray | None = None,
    grid: Grid | LatLon | str | None = None,
    *,
    L: int | None = None,
    method: Literal["quadrature", "lsq", "jacobi"] | None = None,
    max_iter: int = 100,
    allow_unconverged: bool = False,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> KineticEnergySpectrum:
    """The spectrum of the kinetic energy per mass of a wind, and of its rotational and divergent part.

        E_l = 1/(8 pi) sum_m (|E_lm|^2 + |B_lm|^2) = a^2 / (8 pi l(l+1)) sum_m (|zeta_lm|^2 + |delta_lm|^2)

    with the coefficients of the vorticity zeta and the divergence delta on a sphere of any radius a. The sum
    over all l is the global mean of (u^2 + v^2) / 2.

    Parameters
    ----------
    u, v : array_like [shape=(..., \\*grid.shape)], Map, DataArray or Dataset
        The eastward and the northward component, as those of `Wind`; or ``u`` a map of both.
    grid : Grid, LatLon or str, optional
        The grid of arrays, their latitudes and longitudes, or the name of their grid.
    L : int, optional
        Band-limit: degrees 0..L-1. By default that of the grid; on HEALPix 5/2 nside.
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
    KineticEnergySpectrum
        ``total``, ``rotational`` and ``divergent``, float64 arrays [shape=(..., L)] in m^2/s^2.
        Differentiable where `Wind` is.

    Raises
    ------
    ValueError
        Components on different grids, axes or frames, or of another unit than one of velocity; missing or
        infinite samples; a grid coarser than L; a fit that has not converged.
    TypeError
        Components of different types, or complex ones; ``grid`` missing for arrays or passed with maps.

    References
    ----------
    Lambert 1984, Atmosphere-Ocean 22, 265; Koshyk and Hamilton 2001, J. Atmos. Sci. 58, 329.

    Examples
    --------
    Solid-body rotation has the degree 1 only; with 30 m/s at the equator the mean energy is 300 m^2/s^2:

    >>> import numpy as np
    >>> from spherekit import fields, sampling
    >>> grid = sampling.GL(4)
    >>> u = 30 * np.sin(grid.theta)[:, None] * np.ones(grid.shape)
    >>> fields.kinetic_energy_spectrum(u, 0 * u, grid).total.round(9) + 0
    array([  0., 300.,   0.,   0.])
    """
    options = dict(method=method, max_iter=max_iter, allow_unconverged=allow_unconverged)
    wind = Wind(u, v, grid, L=L, threads=threads, progress=progress, **options)
    return wind.kinetic_energy_spectrum()
