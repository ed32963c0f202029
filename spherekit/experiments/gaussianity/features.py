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
    start = time.perf_counter()
    threads = S.first.threads
    ell = degrees(S.L)
    point = moments(flm, S.L, threads)
    bands = []
    for j in S.first.scales:
        limit = S.first.bands[j][1] + 1
        low = slice(limit**2)
        band = flm[low] * S.first.kappa[j][ell[low]]
        bands.append(moments(band, limit, threads, oversample=1.5))
    middle = time.perf_counter()
    scattered = S.from_flm(flm).astype(np.complex64)
    return {
        "scattering": scattered,
        "cl": power(flm),
        "low": flm[: min(S.L, LOW) ** 2].astype(np.complex64),
        "point": np.array(point),
        "bands": np.array(bands),
        "seconds": np.array([middle - start, time.perf_counter() - middle]),
    }


def moments(flm, L, threads=None, *, oversample=1):
    """(skewness, excess kurtosis) of a real map, from its samples on a Gauss-Legendre grid.

    The quadrature of the integrals over the sphere is exact for ``oversample`` >= 1.5 (skewness) and >= 2
    (kurtosis). With 1 the results depend slightly on the orientation of the map.

    >>> import numpy as np
    >>> skewness, kurtosis = moments(np.eye(9, dtype=complex)[6], 3, oversample=2)            # Y_20
    >>> round(skewness, 3), round(kurtosis, 3)
    (0.639, -0.857)
    """
    grid = GL(math.ceil(oversample * L)).quick()
    f = inverse(flm, L, sampling=grid, reality=True, threads=threads)
    largest = np.max(np.abs(f), initial=0)
    if 0 < largest < math.inf:  # scale by a power of two, so that powers of f do not overflow
        f = np.ldexp(f, -math.frexp(largest)[1])
    second, third, fourth = central_moments(f, grid.weights[:, 0] / (4 * np.pi))
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
        Number of skies that are processed in parallel, each by one thread. It does not affect the results.
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
    options = dict(workers=workers, block=block, progress=progress)
    return blocks.fill(folder, manifest, n, lambda i: _simulated(settings, S, i), **options)


def _simulated(settings, S, index):
    """The features of one simulated sky."""
    options = dict(seed=settings.seed, equalised=settings.equalised, threads=1)
    start = time.perf_counter()
    flm = skies.sky(settings.recipe, settings.L, index, strength=settings.strength, **options)
    seconds = time.perf_counter() - start
    arrays = measure(flm, S)
    return arrays | {"seconds": np.array([seconds, *arrays["seconds"]])}
