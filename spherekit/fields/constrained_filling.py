"""Missing samples of a Gaussian random field of known spectra, drawn given the observed samples."""

import warnings
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from spherekit import harmonic
from spherekit._core import checks
from spherekit.fields.analysis import default_band_limit
from spherekit.fields.gaps import gap_radius

#: The standard deviation of the noise by default, divided by the rms of the observed samples.
_NOISE = 1e-2


class ConstrainedFill(NamedTuple):
    """What `fill` has drawn with ``method="constrained"``; of several maps the largest numbers of any.

    Attributes
    ----------
    L : int
        Band-limit; of several fields the smallest.
    missing : int
        Number of missing samples, of several maps their sum.
    radius : float
        Radius of the largest disc without observed samples around a missing one, radians.
    iterations : int
        Number of iterations; 0 for direct solutions.
    converged : bool
        Whether all systems have been solved to the tolerance.
    uncertainty : float64 ndarray [shape as the samples]
        The standard deviation of each filled sample, given the observed ones: of n realizations about their
        mean, which is known, so that its relative error is 1 / sqrt(2 n). Of a spin field that of either
        component, averaged over both. 0 at observed samples. A tuple of several fields.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import fields
    >>> f = np.where(np.arange(192) == 7, np.nan, 1.0)
    >>> options = dict(sampling="healpix:4", method="constrained", cl=np.ones(8), rng=0)
    >>> _, draw = fields.fill(f, **options, return_fit=True)
    >>> draw.missing, draw.L, np.flatnonzero(draw.uncertainty)
    (1, 8, array([7]))
    """

    L: int
    missing: int
    radius: float
    iterations: int
    converged: bool
    uncertainty: np.ndarray | tuple[np.ndarray, ...]


class Model(NamedTuple):
    """The arguments of `fill` that describe the random field."""

    cl: object
    noise: object
    n: int
    rng: object


def draw(f, missing, grid, model, L, *, spin, options, name):
    """(filled samples, ConstrainedFill) of maps [shape=(..., *grid.shape)] with missing samples.

    ``options`` has tol, max_iter, allow_unconverged, threads and progress.
    """
    checks.spin_number(spin, default_band_limit(grid) if L is None else L)
    cl, n_l = _spectrum(model.cl, spin, name)
    L = min(default_band_limit(grid), n_l) if L is None else L
    filled = np.array(f, order="C")
    deviations = np.zeros(filled.shape)
    iterations = [0]
    converged = [True]
    radii = [0.0]
    shape = (-1, *grid.shape)
    triples = zip(
        filled.reshape(shape), missing.reshape(shape), deviations.reshape(shape), strict=True
    )
    for samples, gap, deviation in triples:
        if not gap.any():
            continue
        if gap.all():
            raise ValueError(f"all samples of a map of {name} are missing; nothing constrains them")
        radii.append(gap_radius(gap, grid))
        noise = _noise(model.noise, samples, gap)
        values, deviation[gap], fits = _realize(
            samples, gap, grid, cl, noise, model, L, spin, options
        )
        samples[gap] = values
        iterations.append(max(fit.iterations for fit in fits))
        converged.append(all(fit.converged for fit in fits))
    count = int(np.count_nonzero(missing))
    fit = ConstrainedFill(L, count, max(radii), max(iterations), all(converged), deviations)
    if not (fit.converged or options.allow_unconverged):
        raise ValueError(
            f"the constrained realization of {name} has not converged in {fit.iterations} iterations; pass a "
            "larger max_iter, tol or noise, or accept the result with allow_unconverged=True"
        )
    return filled, fit


def _realize(samples, gap, grid, cl, noise, model, L, spin, options):
    """(missing samples of the first realization, their standard deviations, WienerFits)."""
    from spherekit.spectra import constrained_realization

    observed = np.where(gap, 0, samples)
    rule = dict(tol=options.tol, max_iter=options.max_iter, progress=options.progress)
    common = dict(spin=spin, sampling=grid, threads=options.threads)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # `draw` raises an error instead
        realizations = constrained_realization(
            observed, L, cl, noise, model.rng, n=model.n, mask=~gap, **common, **rule
        )
    mean, *draws = (
        _samples_of(flm, L, gap, common) for flm in (realizations.mean, *realizations.flm)
    )
    squares = sum(abs(x - mean) ** 2 for x in draws) / len(draws)
    return draws[0], np.sqrt(squares / (2 if spin else 1)), realizations.fits


def _samples_of(flm, L, gap, common):
    """The missing samples of a signal; of a spin field from E and B."""
    if common["spin"]:
        from spherekit.conventions import eb_to_spin

        flm = eb_to_spin(*flm, spin=common["spin"])
    return harmonic.inverse(flm, L, reality=not common["spin"], **common)[gap]


def _spectrum(cl, spin, name):
    """(the spectrum or spectra of a field, their smallest number of degrees)."""
    if cl is None:
        raise TypeError('method="constrained" needs the spectrum of the field: pass cl')
    if isinstance(cl, Mapping):
        pairs = ("EE", "BB", "EB") if spin else ("TT",)
        spectra = {
            pair: checks.as_float_array(cl[pair], f"cl[{pair!r}]") for pair in pairs if pair in cl
        }
        if pairs[0] not in spectra:
            raise ValueError(
                f"cl has {', '.join(map(str, cl)) or 'no spectra'}; the spectrum {pairs[0]} of {name}, of "
                f"spin {spin}, is missing"
            )
        n_l = min(np.size(x) for x in spectra.values())
        return (spectra if spin else spectra["TT"]), n_l
    cl = checks.as_float_array(cl, "cl")
    if spin:
        raise TypeError(
            f"cl is one spectrum, and {name} has spin {spin}; expected a dict with EE and, if it is not 0, BB"
        )
    return cl, np.size(cl)


def _noise(noise, samples, gap):
    """The standard deviation of the noise; by default a small fraction of the rms."""
    if noise is not None:
        return noise
    rms = np.sqrt(np.mean(abs(samples[~gap]) ** 2))
    return _NOISE * float(rms) or 1.0


def united(fits):
    """The `ConstrainedFill` of several fields."""
    return ConstrainedFill(
        min(fit.L for fit in fits),
        sum(fit.missing for fit in fits),
        max(fit.radius for fit in fits),
        max(fit.iterations for fit in fits),
        all(fit.converged for fit in fits),
        fits[0].uncertainty if len(fits) == 1 else tuple(fit.uncertainty for fit in fits),
    )


def description(fit):
    """What a note of a map says."""
    if not fit.missing:
        return "no missing samples"
    largest = np.max(fit.uncertainty)
    state = "" if fit.converged else ", NOT converged"
    return (
        f"{fit.missing} missing samples drawn from the Gaussian field of degrees < {fit.L} with the "
        f"spectrum of cl, given the observed ones, in gaps up to a radius of {np.degrees(fit.radius):.3g} "
        f"degrees; standard deviations up to {largest:.3g}{state}"
    )
