"""Constrained realizations: random signals that agree with noisy samples on part of the sphere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.blas import single_threaded
from spherekit.conventions import band_limit_of, eb_to_spin
from spherekit.harmonic import inverse
from spherekit.sampling import Grid
from spherekit.sampling import grid as as_grid
from spherekit.spectra.gaussian import gaussian_flm
from spherekit.spectra.mask import Mask
from spherekit.spectra.multilevel import solver_of
from spherekit.spectra.wiener import (
    MAX_ITERATIONS,
    TOLERANCE,
    WienerFit,
    solve,
    solver_options,
    wiener_system,
)


class SignalDeviation(NamedTuple):
    """Result of `Realizations.standard_deviation`.

    Attributes
    ----------
    values : float64 ndarray [shape=grid.shape, (2, \\*grid.shape) or (3, \\*grid.shape)]
        The standard deviation of the signal at each sample: of T; of Q and U; or of T, Q and U.
    relative_error : float
        The standard error of each value, relative to the value: 1/sqrt(2 n) of n realizations.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.spectra import constrained_realization
    >>> skies = constrained_realization(np.ones(192), 4, np.ones(4), 0.1, n=8, sampling="healpix:4", rng=0)
    >>> skies.standard_deviation("healpix:4").relative_error
    0.25
    """

    values: np.ndarray
    relative_error: float


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
    spin : int
        Spin of the field of E and B; 0 of T.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.spectra import constrained_realization
    >>> result = constrained_realization(np.ones(192), 4, np.ones(4), 0.1, sampling="healpix:4", rng=0)
    >>> result.flm.shape, len(result.fits), result.spin
    ((1, 16), 2, 0)
    """

    flm: np.ndarray
    mean: np.ndarray
    fits: tuple[WienerFit, ...]
    spin: int

    def standard_deviation(
        self, sampling: Grid | str, *, threads: int | None = None
    ) -> SignalDeviation:
        """The standard deviation of the signal at each sample of a grid, given the data.

            sqrt(sum_i |s_i - s|^2 / n)

        of the n realizations s_i of the signal around their expectation s. Of the signal without noise and
        beam, with all degrees < L.

        Parameters
        ----------
        sampling : Grid or str
            Grid of the result.
        threads : int, optional
            Number of threads.

        Returns
        -------
        SignalDeviation
            ``(values, relative_error)``.

        Raises
        ------
        TypeError
            A sampling that is neither a grid nor a name.
        ValueError
            Fewer than two realizations; an invalid grid, or one too coarse; an invalid number of threads.

        Examples
        --------
        The deviation is that of the noise where samples are observed, and larger elsewhere:

        >>> import numpy as np
        >>> from spherekit.sampling import HEALPix
        >>> from spherekit.spectra import constrained_realization
        >>> grid = HEALPix(8)
        >>> f = np.where(grid.theta < 1.5, np.cos(grid.theta), np.nan)
        >>> skies = constrained_realization(f, 8, np.ones(8), 0.01, 0, n=10, sampling=grid)
        >>> deviation = skies.standard_deviation(grid).values
        >>> bool(deviation[0] < 0.01), bool(deviation[-1] > 0.5)
        (True, True)
        """
        n = len(self.flm)
        if n < 2:
            raise ValueError(
                "the standard deviation of 1 realization has a relative error of 71 %; expected at least 2: "
                "pass a larger n to constrained_realization"
            )
        L = band_limit_of(self.flm)
        grid = as_grid(sampling, L)
        variance = 0.0
        for signal in self.flm:
            variance = variance + _samples(signal - self.mean, L, self.spin, grid, threads) ** 2 / n
        return SignalDeviation(np.sqrt(variance), float(1 / np.sqrt(2 * n)))


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
    mask: Mask | ArrayLike | None = None,
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
    mask : bool array_like [shape=grid.shape or (3, \\*grid.shape)] or Mask, optional
        False for samples that are not used; samples of a `Mask` are used where its weights are > 0.
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
        ``(flm, mean, fits, spin)``.

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
    return Realizations(flm, mean, tuple(fits), max(system.spins))


def _samples(signals, L, spin, grid, threads):
    """Real samples of signals T, of E and B, or of all three: of T, of Q and U, or of all three."""
    signals = np.atleast_2d(signals)
    options = dict(sampling=grid, threads=threads)
    maps = []
    if len(signals) != 2:
        maps.append(inverse(signals[0], L, reality=True, **options))
    if len(signals) > 1:
        f = inverse(eb_to_spin(*signals[-2:], spin=spin), L, spin=spin, **options)
        maps += [f.real, f.imag]
    return maps[0] if len(maps) == 1 else np.stack(maps)


def _noise(system, rng):
    """Random noise of the observed samples of each field; 0 for other samples."""
    fields = []
    for spin, weights in zip(system.spins, system.inverse_noise, strict=True):
        deviation = np.zeros(weights.shape)
        np.divide(1, np.sqrt(weights), out=deviation, where=weights > 0)
        noise = deviation * rng.standard_normal(weights.shape)
        fields.append(noise if spin == 0 else noise[0] + 1j * noise[1])
    return fields
