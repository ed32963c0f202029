"""Smoothing by beams: multiplication of the coefficients of a field by b_l."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from spherekit.conventions import eb_to_spin, spin_to_eb
from spherekit.fields.analysis import checked_options, default_band_limit
from spherekit.fields.operations import apply
from spherekit.fields.windows import checked_window, of_entries
from spherekit.io import Map
from spherekit.sampling import Grid, LatLon
from spherekit.spectra.beams import FWHM_PER_SIGMA, beam_sigma, gaussian_beam

if TYPE_CHECKING:
    import xarray


def smooth(
    f: ArrayLike | Map | xarray.DataArray,
    fwhm: float | None = None,
    *,
    sigma: float | None = None,
    beam: ArrayLike | Mapping[str, ArrayLike] | None = None,
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
    """Convolve a field with a circularly symmetric beam: its coefficients are multiplied by b_l.

    The field is analyzed, multiplied and synthesized on its grid: exactly on grids with a sampling theorem,
    by least squares on HEALPix and arbitrary rings. What the degrees < L do not describe, the residual, is
    removed (for a `Map`, the notes of the result state how large it is). Spin fields are smoothed as such,
    not by components: with b_l of their spin (see `spherekit.spectra.gaussian_beam`).

    ``healpy.smoothing`` uses the degrees < 3 nside of a HEALPix map, and three Jacobi iterations after the
    first analysis, which do not converge for so many degrees. The same, up to rounding, is ``L=3 * nside,
    sampling=HEALPix(nside, weights="equal"), method="jacobi", tol=0, max_iter=4``: its ``iter`` is
    ``max_iter`` - 1. With the same L its iterations converge to the least squares used by default.

    Parameters
    ----------
    f : array_like [shape=(..., \\*grid.shape)], Map, DataArray or Dataset
        Samples; a spin field as complex numbers. In a `Map`, Q and U are a field of spin 2, and the
        components u and v of a wind (by the attribute ``standard_name``, or by names in a unit of velocity)
        the field -v + i u of spin 1; its ``spin`` overrides that. The variables of a Dataset
        on latitudes and longitudes are smoothed; others are not changed.
    fwhm : float or quantity, radians
        Full width at half maximum of a Gaussian beam.
    sigma : float or quantity, radians
        Standard deviation of a Gaussian beam, instead of ``fwhm``.
    beam : array_like [shape=(n,)], n >= L, or dict of str to array_like
        Window function b_l, instead of ``fwhm``; a dict has those of "T" (scalars), "E" and "B" (spin
        fields), as returned by `spherekit.io.read_beam`.
    L : int, optional
        Band-limit: degrees 0..L-1. By default that of the grid; on HEALPix 5/2 nside, up to which least
        squares are well conditioned.
    spin : int, optional
        The spin of the field; by default 0 for arrays, and as described above for a `Map`.
    sampling : Grid, LatLon or str, optional
        The grid of an array, its latitudes and longitudes, or the name of its grid.
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
        As ``f``. Arrays on grids with a sampling theorem, with ``method="quadrature"``, and with a fixed
        number of iterations of jacobi, are differentiable.

    Raises
    ------
    ValueError
        Other than one of fwhm, sigma and beam; a width that is negative or at least pi; a beam shorter than
        L; missing samples; a grid coarser than L; rings that do not cover the sphere, without L; a fit that
        has not converged.
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
    regrid : the change of grid, which also lowers the resolution.

    Examples
    --------
    Widths are in radians: of 6 degrees ``np.radians(6)``, or ``6 * u.deg`` with astropy.units as u.

    >>> import numpy as np
    >>> from spherekit import datasets, fields
    >>> f = datasets.wmap_w()
    >>> smoothed = fields.smooth(f, np.radians(6), sampling="healpix:32")
    >>> f"{f.std():.3f} mK, smoothed {smoothed.std():.3f} mK"
    '0.246 mK, smoothed 0.164 mK'
    """
    window = _window(fwhm, sigma, beam)
    options = checked_options(method, max_iter, threads, progress, allow_unconverged, tol)

    def multiply(flm, L, spin):
        return window(flm, L, spin)

    return apply(f, multiply, None, L, spin, sampling, options, default_band_limit)


def _window(fwhm, sigma, beam):
    """A function of (flm, L, spin) that multiplies coefficients by the window function."""
    passed = {"fwhm": fwhm, "sigma": sigma, "beam": beam}
    names = [name for name, value in passed.items() if value is not None]
    if len(names) != 1:
        received = " and ".join(names) or "none"
        raise ValueError(f"expected one of fwhm, sigma and beam; got {received}")
    if beam is None:
        _refuse_degrees(passed[names[0]], names[0])
        width = beam_sigma(passed[names[0]], names[0]) * (1 if fwhm is not None else FWHM_PER_SIGMA)
        return lambda flm, L, spin: flm * of_entries(gaussian_beam(width, L, spin=spin))
    if not isinstance(beam, Mapping):
        return lambda flm, L, spin: flm * of_entries(checked_window(beam, L, "beam"))
    return lambda flm, L, spin: _by_parity(flm, beam, L, spin)


def _refuse_degrees(width, name):
    """Raise ValueError for a width of pi or more."""
    if beam_sigma(width, name) >= np.pi:
        raise ValueError(
            f"{name} is {width!r}; expected less than pi radians: convert degrees with numpy.radians, or "
            "pass a quantity of astropy, such as 3 * u.deg"
        )


def _by_parity(flm, beam, L, spin):
    """Coefficients times the window functions of T, or of E and B."""
    absent = [name for name in ("EB" if spin else "T") if name not in beam]
    if absent:
        raise ValueError(
            f"beam has {', '.join(beam) or '(none)'}, not {' and '.join(absent)}, as a field of spin {spin} "
            "needs"
        )
    if not spin:
        return flm * of_entries(checked_window(beam["T"], L, "the beam of T"))
    windows = [of_entries(checked_window(beam[name], L, f"the beam of {name}")) for name in "EB"]
    if np.array_equal(*windows):
        return flm * windows[0]
    E, B = spin_to_eb(flm, spin=spin)
    return eb_to_spin(E * windows[0], B * windows[1], spin=spin)
