"""Spin raising and lowering operators: eth and its conjugate."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.conventions import degrees
from spherekit.fields.analysis import analyze, checked_options, default_band_limit, synthesize
from spherekit.fields.labels import labeled, unit_times
from spherekit.fields.signals import signals_of
from spherekit.io import Map
from spherekit.sampling import Grid, LatLon

if TYPE_CHECKING:
    import xarray


def raise_spin(
    f: ArrayLike | Map | xarray.DataArray,
    spin: int | None = None,
    *,
    L: int | None = None,
    sampling: Grid | LatLon | str | None = None,
    method: Literal["quadrature", "lsq", "jacobi"] | None = None,
    max_iter: int = 100,
    allow_unconverged: bool = False,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> np.ndarray | Map | xarray.DataArray:
    """The spin-raising operator eth: the field of spin s+1 of a field of spin s.

        eth f = -(d/dtheta + i/sin(theta) d/dphi - s cot(theta)) f
        eth sY_lm = sqrt((l-s)(l+s+1)) s+1Y_lm

    on the sphere of radius 1 (Newman and Penrose 1966, J. Math. Phys. 7, 863). The gradient of a real scalar
    is the field -v + i u = -eth f.

    Parameters
    ----------
    f : array_like [shape=(..., \\*grid.shape)], Map, DataArray or Dataset
        Samples of a field of spin s, complex unless s = 0. In a `Map`, Q and U are a field of spin 2, and the
        components u and v of a wind the field -v + i u of spin 1.
    spin : int, optional
        s, |s| < L and |s+1| < L; by default 0 for arrays, and as described above for a `Map`.
    L : int, optional
        Band-limit: degrees 0..L-1. By default that of the grid; on HEALPix 5/2 nside.
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
    complex ndarray [shape=(..., \\*grid.shape)], Map, DataArray or Dataset
        As ``f``; of xarray with the real and imaginary part as two variables. Arrays on grids with a sampling
        theorem, and with ``method="quadrature"``, are differentiable.

    Raises
    ------
    ValueError
        Several signals; missing samples; an invalid spin; a grid coarser than L; a fit that has not
        converged.
    TypeError
        A spin that is not an integer; ``sampling`` missing for an array or passed with a `Map`.
    MemoryError
        The problem does not fit into memory.

    See Also
    --------
    lower_spin : the conjugate operator.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import fields, sampling
    >>> grid = sampling.GL(8)
    >>> f = np.cos(grid.theta)[:, None] * np.ones(grid.shape)
    >>> np.allclose(fields.raise_spin(f, sampling=grid), np.sin(grid.theta)[:, None])
    True
    """
    options = checked_options(method, max_iter, threads, progress, allow_unconverged)
    return _with_other_spin(f, spin, 1, L, sampling, options)


def lower_spin(
    f: ArrayLike | Map | xarray.DataArray,
    spin: int | None = None,
    *,
    L: int | None = None,
    sampling: Grid | LatLon | str | None = None,
    method: Literal["quadrature", "lsq", "jacobi"] | None = None,
    max_iter: int = 100,
    allow_unconverged: bool = False,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> np.ndarray | Map | xarray.DataArray:
    """The spin-lowering operator eth*, the conjugate of eth: the field of spin s-1 of a field of spin s.

        eth* f = -(d/dtheta - i/sin(theta) d/dphi + s cot(theta)) f
        eth* sY_lm = -sqrt((l+s)(l-s+1)) s-1Y_lm

    on the sphere of radius 1 (Newman and Penrose 1966, J. Math. Phys. 7, 863). The gradient of a real scalar
    is the field -v + i u = -eth f.

    Parameters
    ----------
    f : array_like [shape=(..., \\*grid.shape)], Map, DataArray or Dataset
        Samples of a field of spin s, complex unless s = 0. In a `Map`, Q and U are a field of spin 2, and the
        components u and v of a wind the field -v + i u of spin 1.
    spin : int, optional
        s, |s| < L and |s-1| < L; by default 0 for arrays, and as described above for a `Map`.
    L : int, optional
        Band-limit: degrees 0..L-1. By default that of the grid; on HEALPix 5/2 nside.
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
    complex ndarray [shape=(..., \\*grid.shape)], Map, DataArray or Dataset
        As ``f``; of xarray with the real and imaginary part as two variables. Arrays on grids with a sampling
        theorem, and with ``method="quadrature"``, are differentiable.

    Raises
    ------
    ValueError
        Several signals; missing samples; an invalid spin; a grid coarser than L; a fit that has not
        converged.
    TypeError
        A spin that is not an integer; ``sampling`` missing for an array or passed with a `Map`.
    MemoryError
        The problem does not fit into memory.

    See Also
    --------
    raise_spin : the conjugate operator.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import fields, sampling
    >>> grid = sampling.GL(8)
    >>> f = np.cos(grid.theta)[:, None] * np.ones(grid.shape)
    >>> np.allclose(fields.lower_spin(f, sampling=grid), np.sin(grid.theta)[:, None])
    True
    """
    options = checked_options(method, max_iter, threads, progress, allow_unconverged)
    return _with_other_spin(f, spin, -1, L, sampling, options)


def _with_other_spin(f, spin, step, L, sampling, options):
    """The field of spin s + step, step = 1 or -1, of a field of spin s."""
    values, grid, labels = labeled(f, sampling, L)
    record = labels.record
    name = "f"
    if record is not None:
        signals = signals_of(record, spin)
        if len(signals) > 1:
            listed = ", ".join(signal.name for signal in signals)
            raise ValueError(f"the map has the signals {listed}; expected one: select it")
        values, spin, _, name, _ = signals[0]
    L = checks.band_limit(default_band_limit(grid) if L is None else L)
    spin = checks.spin_number(0 if spin is None else spin, L)
    result_spin = checks.spin_number(spin + step, L)
    flm, _ = analyze(values, L, grid, spin, options, name)
    ell = degrees(L).astype(float)
    squares = (ell - step * spin) * (ell + step * spin + 1)
    factors = step * np.sqrt(np.maximum(squares, 0)).astype(checks.real_type(flm))
    flags = dict(reality=False, is_single=checks.is_single(values), threads=options.threads)
    samples = synthesize(flm * factors, L, grid, result_spin, **flags)
    if record is None:
        return labels.in_its_order(samples)
    operator = "eth" if step == 1 else "eth_conjugate"
    label = f"{operator}_of_{name.replace(' ', '_')}"
    return labels.wrap(samples, label, unit_times(record.units[0], "rad-1"), spin=result_spin)
