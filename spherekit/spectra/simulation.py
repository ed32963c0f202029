"""Simulated skies: Gaussian signals with given spectra, seen through a beam, with white noise."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.conventions import eb_to_spin
from spherekit.harmonic import inverse
from spherekit.sampling import Grid
from spherekit.sampling import grid as as_grid
from spherekit.spectra.beams import beams_of_signals
from spherekit.spectra.gaussian import correlated_flm, gaussian_flm

#: The spectra of polarized skies.
_SIGNALS = ("TT", "EE", "BB")
#: Their names and those of their cross-spectra, in either order.
_PAIRS = [a + b for a in "TEB" for b in "TEB"]


def gaussian_sky(
    cl: ArrayLike | Mapping[str, ArrayLike],
    L: int,
    index: int,
    *,
    seed: int = 0,
    sampling: Grid | str | None = None,
    beam: ArrayLike | None = None,
    noise: float = 0.0,
    noise_pol: float | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """Simulated Gaussian sky number ``index``: coefficients, or samples on a grid.

    The sky depends on its number and the seed only, not on which others are simulated: its random generators
    are those of ``numpy.random.SeedSequence((seed, index))``, one for the signal, one for the noise. So the
    signal does not depend on beam, noise and grid.

    Parameters
    ----------
    cl : array_like [shape=(n_l,)], or dict of str to array_like [shape=(n_l,)], n_l >= L
        The spectrum of a scalar; or a dict with TT and EE, and possibly BB, TE, TB and EB, of a polarized
        sky.
    L : int
        Band-limit.
    index : int
        The number of the sky, >= 0.
    seed : int
        The seed of all skies, >= 0.
    sampling : Grid or str, optional
        A grid on which the sky is sampled. By default, the coefficients are returned.
    beam : array_like [shape=(L,) or (3, L)], optional
        The window function b_l by which the signal is multiplied, of all fields or of T, E and B each (see
        `gaussian_beam`).
    noise : float
        Depth of the white noise, its standard deviation per unit solid angle: the unit of the signal times
        radians. Its spectrum is N_l = noise^2. On HEALPix, every pixel has independent noise of standard
        deviation noise / sqrt(pixel area). On other grids, whose samples have different areas, and on poles
        coincide, the noise is band-limited to degrees < L.
    noise_pol : float, optional
        The same of Q and U; by default sqrt(2) noise.
    threads : int, optional
        Number of threads. The result does not depend on it.

    Returns
    -------
    ndarray
        Without ``sampling``: complex128 coefficients (L*L,), or (3, L*L) of T, E and B. With ``sampling``:
        float64 samples (\\*grid.shape), or (3, \\*grid.shape) of I, Q and U in the COSMO convention.

    Raises
    ------
    TypeError, ValueError
        As `gaussian_flm` and `correlated_flm`; a negative or infinite depth of noise; a beam of another
        shape or with NaN or infinite values; ``noise_pol`` of a scalar; spectra of other signals than T, E
        and B.
    MemoryError
        The problem does not fit into memory.

    Examples
    --------
    >>> from spherekit.datasets import planck2018_cl
    >>> from spherekit.spectra import gaussian_beam, gaussian_sky
    >>> T, E, B = gaussian_sky(planck2018_cl(64), 64, 0, beam=gaussian_beam(0.01, 64))
    >>> I, Q, U = gaussian_sky(planck2018_cl(64), 64, 0, sampling="healpix:32")
    >>> T.shape, I.shape
    ((4096,), (12288,))
    """
    L = checks.band_limit(L)
    polarized = isinstance(cl, Mapping)
    depths = _depths(noise, noise_pol, polarized)
    grid = None if sampling is None else as_grid(sampling, L)
    for_signal, for_noise = _generators(seed, index)
    if polarized:
        flm = correlated_flm(_polarized(cl, L), L, for_signal)
    else:
        flm = gaussian_flm(cl, L, for_signal)[None]
    if beam is not None:
        flm *= np.repeat(beams_of_signals(beam, len(flm), L), 2 * np.arange(L) + 1, axis=-1)
    is_healpix = grid is not None and grid.name == "healpix"
    if any(depths) and not is_healpix:
        for signal, depth in zip(flm, depths, strict=True):
            signal += gaussian_flm(np.full(L, depth**2), L, for_noise)
    if grid is None:
        return flm if polarized else flm[0]
    f = _synthesis(flm, L, grid, threads)
    if any(depths) and is_healpix:
        area = 4 * math.pi / f.shape[-1]
        for samples, depth in zip(f, depths, strict=True):
            samples += depth / math.sqrt(area) * for_noise.standard_normal(samples.shape)
    return f if polarized else f[0]


def _generators(seed, index):
    """The random generators of the signal and of the noise of a sky."""
    key = checks.integer(seed, "seed", 0), checks.integer(index, "index", 0)
    return [np.random.default_rng(child) for child in np.random.SeedSequence(key).spawn(2)]


def _polarized(cl, L):
    """The spectra in the order of T, E, B."""
    absent = [name for name in _SIGNALS[:2] if name not in cl]
    if absent:
        raise ValueError(
            f"cl has the spectra {', '.join(map(str, cl)) or '(none)'}, not {' and '.join(absent)}, which a "
            "polarized sky needs; pass one array for a scalar"
        )
    unknown = [repr(name) for name in cl if name not in _PAIRS]
    if unknown:
        raise ValueError(
            f"cl has the spectra {', '.join(unknown)}; a polarized sky has the signals T, E and B, with the "
            "spectra TT, EE, BB, TE, TB and EB (correlated_flm has signals of any letters)"
        )
    return {name: cl.get(name, np.zeros(L)) for name in _SIGNALS} | dict(cl)


def _depths(noise, noise_pol, polarized):
    """The depth of the noise of each signal."""
    expected = "a number >= 0, in the unit of the signal times radians"
    noise = checks.real_number(noise, "noise", expected, lambda x: 0 <= x < math.inf)
    if not polarized:
        if noise_pol is not None:
            raise ValueError(f"noise_pol is {noise_pol!r}; it applies to polarized skies only")
        return [noise]
    if noise_pol is None:
        noise_pol = math.sqrt(2) * noise
    noise_pol = checks.real_number(noise_pol, "noise_pol", expected, lambda x: 0 <= x < math.inf)
    return [noise, noise_pol, noise_pol]


def _synthesis(flm, L, grid, threads):
    """Samples of T, or of T, Q and U from T, E and B."""
    options = dict(sampling=grid, threads=threads)
    f = np.empty((len(flm), *grid.shape))
    f[0] = inverse(flm[0], L, reality=True, **options)
    if len(flm) == 1:
        return f
    if L <= 2:  # no degrees of spin 2
        f[1:] = 0
        return f
    polarization = inverse(eb_to_spin(flm[1], flm[2], spin=2), L, spin=2, **options)
    f[1] = polarization.real
    f[2] = polarization.imag
    return f
