"""Features of simulated skies: scattering, power spectrum, moments; cached in a folder (`blocks`)."""

import math
import time
from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit.conventions import degrees
from spherekit.experiments import blocks
from spherekit.experiments.gaussianity import skies
from spherekit.experiments.gaussianity.kernels import central_moments
from spherekit.harmonic import inverse
from spherekit.sampling import GL
from spherekit.scattering import Scattering
from spherekit.spectra import power

#: Band-limit of the low-resolution sky.
LOW = 32
#: Skies per batch, and the largest band-limit of batches. Above it, the time of Python between the kernels is
#: negligible. Transforms of up to seven maps have the results of single maps, bit by bit.
_BATCH, _MAX_BATCH_L = 4, 128
#: Version of the arrays in the folder.
_FORMAT = 1


class Settings(NamedTuple):
    """Parameters of the simulation of skies and of their scattering.

    Attributes
    ----------
    L : int
        Band-limit.
    recipe : str
        One of `skies.RECIPES`.
    strength : float, optional
        None: the default of the recipe at this L.
    seed : int
    equalised : bool
        Replace the realized C_l by those of an independent Gaussian draw.
    J0, depth, oversample
        As for `spherekit.scattering.Scattering`.
    """

    L: int
    recipe: str = "gaussian"
    strength: float | None = None
    seed: int = 0
    equalised: bool = True
    J0: int = 5
    depth: int = 2
    oversample: float = 2.0

    def validate(self):
        """The settings with a number as strength; raises ValueError for values out of range."""
        L = checks.band_limit(self.L)
        strength = self.strength
        if strength is None:
            strength = skies.default_strength(self.recipe, L)
        strength = skies.check_strength(self.recipe, strength)
        settings = self._replace(
            L=L,
            J0=checks.integer(self.J0, "J0", 0),
            depth=checks.integer(self.depth, "depth", 0),
            strength=strength,
            oversample=checks.oversampling(self.oversample),
            seed=checks.integer(self.seed, "seed", 0),
        )
        settings.scattering()
        return settings

    def scattering(self, threads=1):
        """The scattering transform, on Gauss-Legendre grids."""
        options = dict(oversample=self.oversample, sampling="gl", reality=True, threads=threads)
        return Scattering(self.L, 2, self.J0, self.depth, **options)


def measure(flm, S):
    """Compute all features of one sky that the probes use.

    Parameters
    ----------
    flm : complex ndarray [shape=(L*L,)]
        Coefficients of a real signal.
    S : Scattering

    Returns
    -------
    dict
        ``scattering`` complex64 (paths, L0*L0); ``cl`` (L,); ``low`` complex64 (min(L, 32)^2,), the
        coefficients of low degree; ``point`` (2,), skewness and excess kurtosis of the map; ``bands``
        (scales, 2), those of each wavelet band, from the lowest scale up; ``seconds`` (2,), the time for the
        moments and for the scattering.

    >>> S = Settings(16, J0=2).scattering()
    >>> arrays = measure(skies.sky("gaussian", 16, 0), S)
    >>> arrays["scattering"].shape, arrays["bands"].shape
    ((7, 16), (3, 2))
    """
    return measure_batch(np.asarray(flm)[None], S)[0]


def batch_size(L):
    """Number of skies of a band-limit that `measure_batch` processes faster than one by one."""
    return _BATCH if L <= _MAX_BATCH_L else 1


def measure_batch(flm, S):
    """Compute the features of several skies (n, L*L), a list of the dicts of `measure`.

    ``seconds`` are the mean times of a sky.

    >>> S = Settings(16, J0=2).scattering()
    >>> flm = np.stack([skies.sky("gaussian", 16, i) for i in range(3)])
    >>> [bool((arrays["cl"] == power(x)).all()) for arrays, x in zip(measure_batch(flm, S), flm)]
    [True, True, True]
    """
    start = time.perf_counter()
    threads = S.first.threads
    ell = degrees(S.L)
    points = _moments_of_maps(flm, S.L, threads)
    bands = []
    for j in S.first.scales:
        limit = S.first.bands[j][1] + 1
        low = slice(limit**2)
        band = flm[:, low] * S.first.kappa[j][ell[low]]
        bands.append(_moments_of_maps(band, limit, threads, oversample=1.5))
    middle = time.perf_counter()
    scattered = S.from_flm(flm).astype(np.complex64)
    seconds = np.array([middle - start, time.perf_counter() - middle]) / len(flm)
    return [
        {
            "scattering": scattered[i],
            "cl": power(flm[i]),
            "low": flm[i, : min(S.L, LOW) ** 2].astype(np.complex64),
            "point": np.array(points[i]),
            "bands": np.array([moments_of_band[i] for moments_of_band in bands]),
            "seconds": seconds,
        }
        for i in range(len(flm))
    ]


def moments(flm, L, threads=None, *, oversample=1):
    """(skewness, excess kurtosis) of a real map, from its samples on a Gauss-Legendre grid.

    The quadrature of the integrals over the sphere is exact for ``oversample`` >= 1.5 (skewness) and >= 2
    (kurtosis). With 1 the results depend slightly on the orientation of the map.

    >>> import numpy as np
    >>> skewness, kurtosis = moments(np.eye(9, dtype=complex)[6], 3, oversample=2)            # Y_20
    >>> round(skewness, 3), round(kurtosis, 3)
    (0.639, -0.857)
    """
    return _moments_of_maps(np.asarray(flm)[None], L, threads, oversample=oversample)[0]


def _moments_of_maps(flm, L, threads=None, *, oversample=1):
    """A list of the `moments` of several maps (n, L*L)."""
    grid = GL(math.ceil(oversample * L)).quick()
    maps = inverse(flm, L, sampling=grid, reality=True, threads=threads)
    weights = grid.weights[:, 0] / (4 * np.pi)
    return [_moments_of_samples(f, weights) for f in maps]


def _moments_of_samples(f, weights):
    """(skewness, excess kurtosis) of the samples of a map, with the weight of each ring."""
    largest = np.max(np.abs(f), initial=0)
    if 0 < largest < math.inf:  # scale by a power of two, so that powers of f do not overflow
        f = np.ldexp(f, -math.frexp(largest)[1])
    second, third, fourth = central_moments(f, weights)
    if second == 0:
        raise ValueError(
            "the skewness of a constant map is undefined; choose L and J0 so that all scales have power"
        )
    return third / second**1.5, fourth / second**2 - 3


# --- sets of skies on disk ---------------------------------------------------------------------------


def collect(folder, settings, n, *, workers=1, block=20, progress=None):
    """Simulate and `measure` the skies 0..n-1 that are missing in a folder, and return the features of all.

    Parameters
    ----------
    folder : path
        Created if missing. It contains blocks ``skies-FIRST-LAST.npz`` and ``manifest.json`` with the
        settings.
    settings : Settings
    n : int
    workers : int
        Number of batches of skies that are processed in parallel, each by one thread. It does not affect the
        results.
    block : int
        Skies per file.
    progress : callable, optional
        Called with the number of skies in the folder, after each simulated sky.

    Returns
    -------
    dict
        The arrays of `measure` with a leading axis of n skies. ``seconds`` (n, 3) starts with the time of the
        simulation.

    Raises
    ------
    ValueError
        If the folder has other settings, or its files are damaged.
    """
    settings = settings.validate()
    S = settings.scattering()
    manifest = {"format": _FORMAT, "settings": settings._asdict()}
    options = dict(workers=workers, block=block, progress=progress, batch=batch_size(settings.L))
    return blocks.fill(folder, manifest, n, lambda i: _simulated(settings, S, i), **options)


def _simulated(settings, S, indices):
    """The features of simulated skies, a list of dicts."""
    recipe, L, strength = settings.recipe, settings.L, settings.strength
    options = dict(strength=strength, seed=settings.seed, equalised=settings.equalised, threads=1)
    start = time.perf_counter()
    flm = np.stack([skies.sky(recipe, L, index, **options) for index in indices])
    seconds = (time.perf_counter() - start) / len(indices)
    return [
        arrays | {"seconds": np.array([seconds, *arrays["seconds"]])}
        for arrays in measure_batch(flm, S)
    ]
