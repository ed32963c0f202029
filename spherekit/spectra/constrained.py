"""Constrained realizations: random signals that agree with noisy samples on part of the sphere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.blas import single_threaded
from spherekit.sampling import Grid
from spherekit.spectra.gaussian import gaussian_flm
from spherekit.spectra.multilevel import solver_of
from spherekit.spectra.wiener import (
    MAX_ITERATIONS,
    TOLERANCE,
    WienerFit,
    solve,
    solver_options,
    wiener_system,
)


class Realizations(NamedTuple):
    """Result of `constrained_realization`.

    Attributes
    ----------
    flm : complex128 ndarray [shape=(n, L*L) or (n, n_signals, L*L)]
        The realizations.
    mean : complex128 ndarray [shape=(L*L,) or (n_signals, L*L)]
        Their expectation, the Wiener filter of the samples.
    fits : tuple of WienerFit
        Of the mean, and of each realization.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.spectra import constrained_realization
    >>> result = constrained_realization(np.ones(192), 4, np.ones(4), 0.1, sampling="healpix:4", rng=0)
    >>> result.flm.shape, len(result.fits)
    ((1, 16), 2)
    """

    flm: np.ndarray
    mean: np.ndarray
    fits: tuple[WienerFit, ...]


def constrained_realization(
    f: ArrayLike,
    L: int,
    cl: ArrayLike | Mapping[str, ArrayLike],
    noise: ArrayLike,
    rng: np.random.Generator | np.random.SeedSequence | int,
    *,
    n: int = 1,
    spin: int = 0,
    sampling: Grid | str | None = None,
    mask: ArrayLike | None = None,
    beam: ArrayLike | None = None,
    tol: float = TOLERANCE,
    max_iter: int = MAX_ITERATIONS,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Realizations:
    """Random signals from the distribution of a Gaussian signal of given spectra, given its noisy samples.

        W d + x + W (n - A x)

    with a random signal x of the spectra, random noise n and the Wiener filter W of the samples d (Hoffman
    and Ribak 1991, ApJ 380, L5); the random part is computed by one solution of the same linear system with
    random right-hand side (Jewell, Levin and Anderson 2004, ApJ 609, 1). Their mean is W d, their scatter the
    uncertainty of the signal, and the spectrum of each is C_l on average, also where nothing is observed, if
    the samples have these spectra.

    Parameters
    ----------
    f : array_like [shape=grid.shape or (3, \\*grid.shape)], or Map
        One real map T; a complex field of spin ``spin``, such as Q + iU; or three real maps T, Q and U in the
        COSMO convention, where ``cl`` has both TT and EE. Missing samples are NaN or UNSEEN.
    L : int
        Band-limit: degrees 0..L-1.
    cl : array_like [shape=(n_l,)], or dict of str to array_like [shape=(n_l,)], n_l >= L
        The spectrum of T, which may be 0 at a degree; of a spin field a dict of EE and possibly BB and EB;
        of T, Q and U of TT, EE and possibly BB, TE, TB and EB. Without beam and noise.
    noise : float or array_like
        Standard deviation of the noise of each sample, > 0: a number or [shape=grid.shape]; for Q and U, or
        T, Q and U, also one of these for each, along the first axis.
    rng : numpy.random.Generator, SeedSequence or int
        A random generator, or its seed.
    n : int
        Number of realizations.
    spin : int
        Spin of the field, 0 <= spin < L.
    sampling : Grid or str, optional
        Grid of the samples; required unless ``f`` is a `Map`.
    mask : bool array_like [shape=grid.shape or (3, \\*grid.shape)], optional
        False for samples that are not used.
    beam : array_like [shape=(L,) or (n, L)], optional
        b_l by which the signal was multiplied, of all or of each of the n signals: beam times pixel window.
    tol : float
        Relative residual, 0 < tol < 1, in the norm of `WienerFit`.
    max_iter : int
        Largest number of iterations.
    threads : int, optional
        Number of threads. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(iteration)`` at each iteration.

    Returns
    -------
    Realizations
        ``(flm, mean, fits)``.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As `wiener_filter`; n < 1; an invalid generator.

    Warns
    -----
    UserWarning
        The iterations have not converged.

    See Also
    --------
    wiener_filter : the mean.
    spherekit.fields.fill : missing samples from such signals, with their standard deviations.

    Examples
    --------
    Ten skies that agree on the northern hemisphere, with noise of 1 % there:

    >>> import numpy as np
    >>> from spherekit.sampling import HEALPix
    >>> from spherekit.spectra import constrained_realization
    >>> grid = HEALPix(8)
    >>> f = np.where(grid.theta < 1.5, np.cos(grid.theta), np.nan)
    >>> skies = constrained_realization(f, 8, np.ones(8), 0.01, 0, n=10, sampling=grid)
    >>> skies.flm.shape
    (10, 64)
    """
    n = checks.integer(n, "n", 1)
    rng = checks.generator(rng)
    system, fields, observed = wiener_system(
        f, L, cl, noise, spin=spin, sampling=sampling, mask=mask, beam=beam, threads=threads
    )
    options = solver_options(tol, max_iter, progress)
    flm = np.empty((n, *system.shape), complex)
    with single_threaded():  # BLAS beside the threads of the transforms is slow
        solver = solver_of(system)
        y, fit = solve(solver, system, system.right_hand_side(fields), observed, **options)
        mean = system.signal @ y
        fits = [fit]
        for signal in flm:
            # (1 + H^T N^-1 H) z = e + H^T N^-1 n has the covariance of y given the samples, around 0.
            b = np.stack([gaussian_flm(np.ones(system.L), system.L, rng) for _ in mean])
            b += system.right_hand_side(_noise(system, rng))
            z, fit = solve(solver, system, b, observed, **options)
            signal[...] = mean + system.signal @ z
            fits.append(fit)
    if len(mean) == 1:
        flm, mean = flm[:, 0], mean[0]
    return Realizations(flm, mean, tuple(fits))


def _noise(system, rng):
    """Random noise of the observed samples of each field; 0 for other samples."""
    fields = []
    for spin, inverse in zip(system.spins, system.inverse_noise, strict=True):
        deviation = np.zeros(inverse.shape)
        np.divide(1, np.sqrt(inverse), out=deviation, where=inverse > 0)
        noise = deviation * rng.standard_normal(inverse.shape)
        fields.append(noise if spin == 0 else noise[0] + 1j * noise[1])
    return fields
