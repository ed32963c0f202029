"""What is measured of simulated skies, in one pass over each, kept in a folder.

A folder holds the numbers of one set of `Settings`, in blocks of some skies, each block a .npz file that is
written whole or not at all: a run that was stopped goes on with the skies that are missing.
"""

import json
import math
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit._core.atomic_files import replacing
from spherekit.conventions import degrees
from spherekit.experiments.gaussianity import skies
from spherekit.experiments.gaussianity.kernels import central_moments
from spherekit.harmonic import inverse
from spherekit.io import read_arrays, write_arrays
from spherekit.sampling import GL
from spherekit.scattering import Scattering
from spherekit.spectra import power

#: Degrees of the low-resolution sky, l < LOW.
LOW = 32
_FORMAT = 1
_MANIFEST = "manifest.json"
_BLOCK = re.compile(r"skies-(\d{6})-(\d{6})\.npz")


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
        """With the strength filled in; refuses what makes no sense."""
        L, strength = checks.band_limit(self.L), self.strength
        if strength is None:
            strength = skies.default_strength(self.recipe, L)
        strength = skies.check_strength(self.recipe, strength)
        made = self._replace(
            L=L,
            J0=checks.whole_number(self.J0, "J0", 0),
            depth=checks.whole_number(self.depth, "depth", 0),
            strength=strength,
            oversample=checks.oversampling(self.oversample),
            seed=checks.whole_number(self.seed, "seed", 0),
        )
        made.scattering()
        return made

    def scattering(self, threads=1):
        """The scattering network, on Gauss-Legendre rings."""
        how = dict(oversample=self.oversample, sampling="gl", reality=True, threads=threads)
        return Scattering(self.L, 2, self.J0, self.depth, **how)


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
    >>> found = measure(skies.sky("gaussian", 16, 0), S)
    >>> found["scattering"].shape, found["bands"].shape
    ((7, 16), (3, 2))
    """
    began = time.perf_counter()
    threads, ell = S.first.threads, degrees(S.L)
    point = moments(flm, S.L, threads)
    bands = []
    for j in S.first.scales:
        limit = S.first.bands[j][1] + 1
        few = slice(limit**2)
        band = flm[few] * S.first.kappa[j][ell[few]]
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
        Made if missing. Holds blocks ``skies-FIRST-LAST.npz`` and ``manifest.json`` with the settings.
    settings : Settings
    n : int
    workers : int
        Skies at work at once, each by one thread. The numbers do not depend on it.
    block : int
        Skies in a file.
    progress : callable, optional
        Called with the number of skies held, once for each that is made.

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
    how = dict(workers=workers, block=block, progress=progress)
    return fill(folder, manifest, n, lambda i: _one(settings, S, i), **how)


def fill(folder, manifest, n, make, *, workers=1, block=20, progress=None):
    """As `collect`, of any source: ``make(i)`` is a dict of arrays, what is measured of sky i.

    ``manifest`` names what the numbers depend on, as JSON can hold it.
    """
    folder = Path(folder)
    n, workers, block = (
        checks.whole_number(value, name, 1)
        for name, value in dict(n=n, workers=workers, block=block).items()
    )
    open_folder(folder, manifest)
    missing = sorted(
        set(range(n)) - {i for first, last, _ in _blocks(folder) for i in range(first, last)}
    )
    held = n - len(missing)
    with ThreadPoolExecutor(workers) as pool:
        for some in _runs(missing, block):
            made = []
            for one in pool.map(make, some):
                made.append(one)
                if progress is not None:
                    progress(held := held + 1)
            name = f"skies-{some[0]:06d}-{some[-1] + 1:06d}.npz"
            stacked = {key: np.stack([one[key] for one in made]) for key in made[0]}
            write_arrays(folder / name, **stacked, overwrite=True)
    return load(folder, n)


def load(folder, n=None):
    """The numbers that a folder holds, of its first n skies."""
    found = [(first, read_arrays(path)) for first, _, path in sorted(_blocks(folder))]
    if not found:
        raise ValueError(f"{folder} holds no measured skies")
    merged = {key: np.concatenate([one[key] for _, one in found]) for key in found[0][1]}
    held = len(merged["cl"])
    if n is not None and held < n:
        raise ValueError(f"{folder} holds {held} skies; {n} are wanted: collect them")
    return {key: values[:n] for key, values in merged.items()}


def open_folder(folder, manifest):
    """Make a folder with this manifest, or find that it has the same one.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> open_folder(folder, {"L": 8}), open_folder(folder, {"L": 8})
    (None, None)
    >>> open_folder(folder, {"L": 9})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: ...: made with L = 8, now 9 is asked for; take another folder
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _MANIFEST
    if not path.exists():
        if any(folder.iterdir()):
            raise ValueError(f"{folder} holds files but no {_MANIFEST}; take another folder")
        with replacing(path, False) as temporary, open(temporary, "w", encoding="utf-8") as file:
            json.dump(manifest, file, indent=1)
        return
    try:
        old = _flat(json.loads(path.read_text("utf-8")))
    except (ValueError, AttributeError) as error:
        raise ValueError(f"{path} is damaged: {error}; take another folder") from None
    new = _flat(json.loads(json.dumps(manifest)))
    differing = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    if differing:
        said = "; ".join(f"{name} = {old.get(name)}, now {new.get(name)}" for name in differing)
        raise ValueError(f"{folder}: made with {said} is asked for; take another folder")


def _flat(manifest):
    """Entries of the parts of a manifest, by their own names."""
    some = {}
    for name, value in manifest.items():
        some.update(value) if isinstance(value, dict) else some.update({name: value})
    return some


def _one(settings, S, index):
    how = dict(seed=settings.seed, equalised=settings.equalised, threads=1)
    began = time.perf_counter()
    flm = skies.sky(settings.recipe, settings.L, index, strength=settings.strength, **how)
    simulated = time.perf_counter() - began
    found = measure(flm, S)
    return found | {"seconds": np.array([simulated, *found["seconds"]])}


def _blocks(folder):
    """(first, last + 1, path) of the blocks of a folder."""
    for name in os.listdir(folder):
        if match := _BLOCK.fullmatch(name):
            yield int(match[1]), int(match[2]), Path(folder) / name


def _runs(numbers, most):
    """Runs of consecutive numbers, at the most so long.

    >>> list(_runs([0, 1, 2, 3, 7], 3))
    [[0, 1, 2], [3], [7]]
    """
    run = []
    for number in numbers:
        if run and (number != run[-1] + 1 or len(run) == most):
            yield run
            run = []
        run.append(number)
    if run:
        yield run
