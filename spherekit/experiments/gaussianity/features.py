"""What is measured of simulated skies, in one pass over each, and cached in a folder (`blocks`)."""

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

#: Degrees of the low-resolution sky, l < LOW.
LOW = 32
_FORMAT = 1


class Settings(NamedTuple):
    """Which skies, and how they are scattered. ``strength`` None: the default of the recipe at this L."""

    L: int
    recipe: str = "gaussian"
    strength: float | None = None
    seed: int = 0
    equalised: bool = True
    J0: int = 5
    depth: int = 2
    oversample: float = 2.0

    def checked(self):
        """With the strength filled in; refuses values out of range."""
        L, strength = checks.band_limit(self.L), self.strength
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
        """The scattering network, on Gauss-Legendre rings."""
        options = dict(oversample=self.oversample, sampling="gl", reality=True, threads=threads)
        return Scattering(self.L, 2, self.J0, self.depth, **options)


def measure(flm, S):
    """Everything that the probes look at, of one sky.

    Parameters
    ----------
    flm : complex ndarray [shape=(L*L,)]
        Of a real signal.
    S : Scattering

    Returns
    -------
    dict
        ``scattering`` complex64 (paths, L0*L0); ``cl`` (L,); ``low`` complex64 (min(L, 32)^2,), the
        coefficients of low degree; ``point`` (2,), skewness and excess kurtosis of the map; ``bands``
        (scales, 2), those of each wavelet band from the lowest scale up; ``seconds`` (2,): of the moments,
        and of the scattering.

    >>> S = Settings(16, J0=2).scattering()
    >>> measured = measure(skies.sky("gaussian", 16, 0), S)
    >>> measured["scattering"].shape, measured["bands"].shape
    ((7, 16), (3, 2))
    """
    began = time.perf_counter()
    threads, ell = S.first.threads, degrees(S.L)
    point = moments(flm, S.L, threads)
    bands = []
    for j in S.first.scales:
        limit = S.first.bands[j][1] + 1
        low = slice(limit**2)
        band = flm[low] * S.first.kappa[j][ell[low]]
        bands.append(moments(band, limit, threads, oversample=1.5))
    between = time.perf_counter()
    scattered = S.from_flm(flm).astype(np.complex64)
    return {
        "scattering": scattered,
        "cl": power(flm),
        "low": flm[: min(S.L, LOW) ** 2].astype(np.complex64),
        "point": np.array(point),
        "bands": np.array(bands),
        "seconds": np.array([between - began, time.perf_counter() - between]),
    }


def moments(flm, L, threads=None, *, oversample=1):
    """(skewness, excess kurtosis) of a real map, by its samples on Gauss-Legendre rings.

    They are the integrals over the sphere, exactly, from ``oversample`` 1.5 (skewness) and 2 (kurtosis) on;
    with 1 they are those of the samples, and depend a little on how the map lies.

    >>> import numpy as np
    >>> skewness, kurtosis = moments(np.eye(9, dtype=complex)[6], 3, oversample=2)            # Y_20
    >>> round(skewness, 3), round(kurtosis, 3)
    (0.639, -0.857)
    """
    grid = GL(math.ceil(oversample * L)).quick()
    f = inverse(flm, L, sampling=grid, reality=True, threads=threads)
    largest = np.max(np.abs(f), initial=0)  # a power of two near it: powers of f stay numbers
    if 0 < largest < math.inf:
        f = np.ldexp(f, -math.frexp(largest)[1])
    two, three, four = central_moments(f, grid.weights[:, 0] / (4 * np.pi))
    if two == 0:
        raise ValueError(
            "the map is constant: it has no skewness; choose L and J0 so that all scales hold power"
        )
    return three / two**1.5, four / two**2 - 3


# --- many skies, on disk ---------------------------------------------------------------------------


def collect(folder, settings, n, *, workers=1, block=20, progress=None):
    """Measure skies 0..n-1, those that ``folder`` does not hold yet, and return all.

    Parameters
    ----------
    folder : path
        Created if missing. Holds blocks ``skies-FIRST-LAST.npz`` and ``manifest.json`` with the settings.
    settings : Settings
    n : int
    workers : int
        Skies at work at once, each by one thread. The numbers do not depend on it.
    block : int
        Skies in a file.
    progress : callable, optional
        Called with the number of skies in the folder, once for each that is simulated.

    Returns
    -------
    dict
        The arrays of `measure` with a leading axis of n skies; ``seconds`` (n, 3), the simulation's first.

    Raises
    ------
    ValueError
        A folder of other settings, or one whose files were damaged.
    """
    settings = settings.checked()
    S, manifest = settings.scattering(), {"format": _FORMAT, "settings": settings._asdict()}
    options = dict(workers=workers, block=block, progress=progress)
    return blocks.fill(folder, manifest, n, lambda i: _simulated(settings, S, i), **options)


def _simulated(settings, S, index):
    """What is measured of one simulated sky."""
    options = dict(seed=settings.seed, equalised=settings.equalised, threads=1)
    started = time.perf_counter()
    flm = skies.sky(settings.recipe, settings.L, index, strength=settings.strength, **options)
    seconds = time.perf_counter() - started
    measured = measure(flm, S)
    return measured | {"seconds": np.array([seconds, *measured["seconds"]])}
