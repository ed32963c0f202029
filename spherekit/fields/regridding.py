"""Change of grid: harmonic analysis on one grid and synthesis on another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from spherekit.fields.analysis import checked_options, default_band_limit
from spherekit.fields.labels import is_xarray
from spherekit.fields.operations import apply
from spherekit.io import Map
from spherekit.sampling import Grid, LatLon
from spherekit.sampling import grid as as_grid

if TYPE_CHECKING:
    import xarray


def regrid(
    f: ArrayLike | Map | xarray.DataArray,
    grid: Grid | LatLon | str,
    *,
    L: int | None = None,
    spin: int | None = None,
    sampling: Grid | LatLon | str | None = None,
    method: Literal["quadrature", "lsq", "jacobi"] | None = None,
    tol: float = 1e-8,
    max_iter: int = 100,
    allow_unconverged: bool = False,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> np.ndarray | Map | xarray.DataArray:
    """Convert a field to another grid, of any kind and resolution.

    The field is analyzed on its grid and synthesized on the other one. This is exact for fields of band-limit
    L: both ways, and for Q and U, whose sum Q + iU has spin 2, and winds, of spin 1, at the poles, too. The
    part of the field beyond degree L - 1, which a coarser grid does not represent, is removed (for a `Map`,
    the notes of the result state how large it is).

    Parameters
    ----------
    f : array_like [shape=(..., \\*grid.shape)], Map, DataArray or Dataset
        Samples; a spin field as complex numbers. In a `Map`, Q and U are a field of spin 2, and the
        components u and v of a wind (by the attribute ``standard_name``, or by names in a unit of velocity)
        the field -v + i u of spin 1; its ``spin`` overrides that. The variables of a Dataset
        on latitudes and longitudes are converted; others are not changed.
    grid : Grid, LatLon or str
        The grid of the result, or its name, such as "mw:256" or "healpix:128". With a `LatLon` arrays are in
        the order of its latitudes and longitudes.
    L : int, optional
        Band-limit: degrees 0..L-1. By default the smaller of the band-limits of both grids, which for HEALPix
        is taken as 5/2 nside, up to which least squares are well conditioned.
    spin : int, optional
        The spin of the field; by default 0 for arrays, and as described above for a `Map`.
    sampling : Grid, LatLon or str, optional
        The grid of an array ``f``, its latitudes and longitudes, or the name of its grid.
    method : {"quadrature", "lsq", "jacobi"}, optional
        Method of the analysis (see `spherekit.analyse`). By default quadrature on grids with a sampling
        theorem, else lsq.
    tol : float
        Tolerance of lsq and jacobi, 0 <= tol < 1 (see `spherekit.analyse`); 0 with jacobi stands for exactly
        ``max_iter`` iterations.
    max_iter : int
        Largest number of iterations of lsq and jacobi, each of them one analysis and one synthesis.
    allow_unconverged : bool
        Accept a fit that has not converged then. By default an error.
    threads : int, optional
        Number of threads. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(iteration)`` at each iteration.

    Returns
    -------
    ndarray, Map, DataArray or Dataset
        As ``f``; of xarray without variables and coordinates on the old latitudes and longitudes that are no
        fields, such as cell areas. Arrays on grids with a sampling theorem, and with ``method="quadrature"``,
        are differentiable.

    Raises
    ------
    ValueError
        Missing samples; a grid coarser than L; rings that do not cover the sphere, without L; an unknown
        grid; a fit that has not converged.
    TypeError
        ``sampling`` missing for an array or passed with a `Map`; arguments of other types.
    MemoryError
        The problem does not fit into memory.

    Warns
    -----
    UserWarning
        Gaps between rings that do not determine the degrees < L, of arrays and xarray; a `Map` has this note.

    See Also
    --------
    smooth : convolution with a beam.

    Examples
    --------
    >>> import spherekit as sk
    >>> from spherekit import fields
    >>> f = sk.inverse(sk.testing.random_flm(32, 0, reality=True), 32, reality=True)
    >>> pixels = fields.regrid(f, "healpix:16", sampling="mw:32")
    >>> pixels.shape, bool(abs(fields.regrid(pixels, "mw:32", sampling="healpix:16") - f).max() < 1e-6)
    ((3072,), True)
    """
    options = checked_options(method, max_iter, threads, progress, allow_unconverged, tol)
    band_limit = None if L is not None else default_band_limit
    target = _target(grid, L)

    def smaller(source):
        return min(default_band_limit(source), default_band_limit(target))

    result = apply(f, None, target, L, spin, sampling, options, band_limit and smaller)
    is_plain = isinstance(grid, LatLon) and not (isinstance(f, Map) or is_xarray(f))
    return grid.from_grid(result) if is_plain else result


def _target(grid, L):
    """The grid of the result."""
    if isinstance(grid, LatLon):
        return grid.grid
    if is_xarray(grid) or isinstance(grid, Map):
        source = "spherekit.io.from_xarray(data).grid" if is_xarray(grid) else "its attribute grid"
        raise TypeError(
            f"grid is a {type(grid).__name__}; expected a grid or its name: pass {source}"
        )
    return as_grid(grid, L)
