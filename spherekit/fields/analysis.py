"""Analysis of fields by the method of their grid."""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import autograd.numpy as anp
import numpy as np

from spherekit import harmonic
from spherekit._core import checks, scaling
from spherekit._core.missing import UNSEEN, is_missing
from spherekit.linear import cast, is_traced
from spherekit.sampling.coverage import band_limit_problem, wide_gaps

#: The ratio of band-limits, of most rings and of the widest gap, from which a gap lowers the resolution.
_FINER = 1.25

METHODS = ("quadrature", "lsq", "jacobi")


def default_band_limit(grid):
    """The band-limit of maps that are smoothed or change their grid.

    That which the samples determine well (``grid.default_L``), but on HEALPix 5/2 nside, for which
    least squares still converge in few iterations, so that little of a map is beyond it. Raises ValueError
    for rings that do not cover the sphere.

    >>> from spherekit.sampling import MW, HEALPix
    >>> default_band_limit(MW(64)), default_band_limit(HEALPix(64))
    (64, 160)
    """
    if grid.name == "healpix":
        return max(1, 5 * grid.nside // 2)
    problem = band_limit_problem(grid)
    if problem:
        raise ValueError(f"{problem}; pass L to choose the degrees < L that are fitted elsewhere")
    return grid.default_L


def note_on_gaps(grid, L):
    """A warning of gaps between rings that do not determine degrees below L; empty if there are none.

    >>> from spherekit.sampling import Rings
    >>> note = note_on_gaps(Rings([0.5, 1.0, 1.5, 2.0], 8), 3)
    >>> "more than 60 degrees apart, from 24.59S to 90S" in note
    True
    """
    gaps = wide_gaps(grid, L)
    if not gaps:
        return ""
    return (
        f"warning: the samples do not determine the degrees < {L} where rings are more than {180 / L:.4g} "
        f"degrees apart, {_listed(gaps)}: the result is arbitrary there"
    )


def note_on_resolution(grid, L):
    """A warning of gaps between rings to which the default band-limit L is due; empty if there are none.

    >>> from spherekit.sampling import Rings
    >>> rings = Rings(np.radians(np.delete(np.arange(5, 180, 10), 7)), 36)
    >>> note_on_resolution(rings, rings.default_L).split(":")[1]
    ' rings are more than 10 degrees apart from 25N to 5N, so that they determine the degrees < 9, elsewhere \
those < 18'
    """
    if grid.name != "rings" or L < grid.default_L:
        return ""
    spacing = np.median(np.diff(grid.ring_theta, prepend=0, append=np.pi))
    samples = (grid.ring_n_phi + 1) / (2 * np.maximum(np.sin(grid.ring_theta), 1e-15))
    typical = int(min(np.pi / spacing, samples.min()) * (1 + 1e-9))
    gaps = wide_gaps(grid, typical) if typical > _FINER * L else ()
    if not gaps:
        return ""
    return (
        f"warning: rings are more than {180 / typical:.4g} degrees apart {_listed(gaps)}, so that they "
        f"determine the degrees < {L}, elsewhere those < {typical}: fill the gap, or pass L"
    )


def issue(notes, stacklevel):
    """Issue the notes that are warnings as such, where results have no notes."""
    for note in notes:
        prefix, _, text = note.partition("warning: ")
        if text and not prefix:
            warnings.warn(text, UserWarning, stacklevel + 1)


def _listed(gaps):
    further = f" and in {len(gaps) - 3} more gaps" if gaps[3:] else ""
    return " and ".join(map(str, gaps[:3])) + further


class Options(NamedTuple):
    """Options of the analysis of fields, which all functions have in common."""

    method: str | None = None
    max_iter: int = 100
    threads: int | None = None
    progress: Callable | None = None
    allow_unconverged: bool = False
    tol: float = 1e-8

    @property
    def is_fixed(self):
        """Whether the number of iterations is fixed, without a stopping rule."""
        return self.method == "jacobi" and self.tol == 0


def checked_options(method, max_iter, threads, progress, allow_unconverged, tol=1e-8):
    """The options of the arguments that public functions have in common."""
    max_iter = checks.integer(max_iter, "max_iter", 1)
    return Options(method, max_iter, threads, progress, allow_unconverged, tol)


def analyze(f, L, grid, spin, options, name="f"):
    """Harmonic coefficients of samples, as the first two results of `analyze_with_residual`."""
    flm, description, _ = _coefficients(f, L, grid, spin, options, name)
    return flm, description


def analyze_with_residual(f, L, grid, spin, options, name="f"):
    """Harmonic coefficients of samples, and the residual.

    Parameters
    ----------
    f : ndarray [shape=(..., \\*grid.shape)]
        Real or complex samples, which autograd may trace where the method is quadrature.
    options : Options
        The method is quadrature, lsq or jacobi; None: quadrature on grids with a sampling theorem, else lsq.
    name : str
        The name of the samples, for messages.

    Returns
    -------
    flm : complex ndarray [shape=(..., L*L)]
    description : str
        Of the iterations, such as " after 7 iterations"; empty for quadrature.
    relative : float
        The rms of f - inverse(flm), divided by that of the samples (of scalars: about their mean).

    Raises
    ------
    ValueError
        Missing samples; an unknown method; a fit that has not converged.
    TypeError
        Samples that autograd traces, with another method than quadrature.
    """
    flm, description, relative = _coefficients(f, L, grid, spin, options, name)
    if relative is None:
        relative = relative_residual(f, flm, L, grid, spin, options.threads)
    return flm, description, relative


def _coefficients(f, L, grid, spin, options, name):
    """(flm, description, the relative residual if it was computed, else None)."""
    method = options.method
    if method not in (None, *METHODS):
        raise ValueError(f"method is {method!r}; expected one of {', '.join(METHODS)}")
    method = method or ("quadrature" if grid.exact else "lsq")
    if not is_traced(f):
        _refuse_missing(f, name)
    elif method != "quadrature" and not options.is_fixed:
        raise TypeError(
            f"{name} is traced by autograd, and method={method!r} is not differentiable; pass "
            'method="quadrature", which is an approximation on this grid'
        )
    common = dict(spin=spin, sampling=grid, reality=is_real(f, spin), threads=options.threads)
    if method == "quadrature":
        return harmonic.forward(f, L, **common), "", None
    if options.is_fixed:
        count = options.max_iter
        return _fixed_iterations(f, L, common, options), _after(count), None
    common |= dict(method=method, tol=options.tol)
    common |= dict(max_iter=options.max_iter, progress=options.progress)
    n = len(grid.shape)
    fits = [harmonic.analyse(x, L, **common) for x in f.reshape(-1, *f.shape[f.ndim - n :])]
    for _, residual in fits:
        if not (residual.converged or options.allow_unconverged):
            raise ValueError(
                f"the least-squares fit of degrees < {L} to {name} did not converge in {residual.iterations} "
                f"iteration{'s' * (residual.iterations > 1)} (residual {residual.relative:.2e} of the map's "
                "rms); lower L, raise max_iter, or accept the result with allow_unconverged=True"
            )
    flm = np.reshape([flm for flm, _ in fits], (*f.shape[: f.ndim - n], L * L))
    residuals = [residual for _, residual in fits]
    state = "" if all(residual.converged for residual in residuals) else ", NOT converged"
    description = _after(max(residual.iterations for residual in residuals)) + state
    return flm, description, residuals[0].relative if len(residuals) == 1 else None


def _after(iterations):
    return f" after {iterations} iteration{'s' * (iterations > 1)}"


def _fixed_iterations(f, L, common, options):
    """Coefficients after a fixed number of Jacobi iterations, in double precision unless autograd traces f.

    As of `harmonic.analyse` with tol=0, without the residual of the last iteration.
    """
    if not is_traced(f):
        f = f.astype(np.result_type(f, np.float64), copy=False)
    progress = options.progress or (lambda iteration: None)
    progress(1)
    flm = harmonic.forward(f, L, **common)
    for iteration in range(2, options.max_iter + 1):
        progress(iteration)
        flm = flm + harmonic.forward(f - harmonic.inverse(flm, L, **common), L, **common)
    return flm


def synthesize(flm, L, grid, spin, *, reality, is_single, threads):
    """Samples of coefficients, in single or double precision; autograd may trace them."""
    flm = cast(flm, checks.result_type(False, is_single))
    return harmonic.inverse(flm, L, spin=spin, sampling=grid, reality=reality, threads=threads)


def is_real(f, spin):
    """Whether samples are those of a real signal."""
    return spin == 0 and not anp.iscomplexobj(f)


def relative_residual(f, flm, L, grid, spin, threads):
    """The rms of f - inverse(flm), divided by that of the samples (of scalars: about their mean)."""
    common = dict(spin=spin, sampling=grid, reality=is_real(f, spin), threads=threads)
    difference = f - harmonic.inverse(flm, L, **common)
    about_mean = f if spin else f - f.mean()
    return scaling.ratio(difference, about_mean if about_mean.any() else f)


def _refuse_missing(f, name):
    """Raise ValueError for missing samples."""
    if f.size and f.flags.c_contiguous and f.view(f.real.dtype).min() > UNSEEN / 10:  # not if NaN
        return
    missing = is_missing(f)
    count = np.count_nonzero(missing)
    if count:
        raise ValueError(
            f"{count} of {missing.size} samples of {name} are missing (NaN or UNSEEN); fill them with "
            "spherekit.fields.fill, or fit the observed ones with spherekit.analyse(f, L, mask=~missing)"
        )
