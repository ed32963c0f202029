"""Bandpowers of masked skies against their theory, by simulations: bias, variance and pure B modes.

    python -m spherekit.bench.bandpowers -o FOLDER --simulations 400 --nside 64

simulates skies with the Planck 2018 spectra, tensor modes and white noise, masks them, estimates the
bandpowers by `spherekit.spectra.master`, and compares their mean with the bandpower windows times the
spectra, and their variance with `spherekit.spectra.gaussian_covariance`. Results are kept in the folder, so
that a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from spherekit._core.atomic_files import replacing
from spherekit._core.progress import progress_bar
from spherekit.bench.bandpower_statistics import Comparison, compare, figure, table
from spherekit.datasets import planck2018_cl
from spherekit.io import read_arrays
from spherekit.sampling import HEALPix
from spherekit.sampling.healpix import nside_of
from spherekit.spectra import (
    Bins,
    Coupling,
    Mask,
    MaskedField,
    apodize,
    gaussian_covariance,
    gaussian_sky,
    masked_field,
    master,
    noise_power,
)

#: Simulations that are processed in one call, and kept in one file.
CHUNK = 20
#: Radians of an arcminute.
ARCMINUTE = math.pi / 10800
#: The spectra that are compared; "B" of the last is pure.
SPECTRA = ("TT", "EE", "BB", "TE", "pure BB")


def tensor_bb(r: float, L: int) -> np.ndarray:
    """B modes of primordial gravitational waves: an analytic form with the two bumps of the spectrum.

        l(l+1) C_l / 2 pi = r (0.07 x^2 exp(1 - x^2) + 0.015 exp(-2 ln(l/5)^2)) uK^2,    x = l / 85

    It is not the solution of the Boltzmann equation, which it resembles in size and shape.

    Parameters
    ----------
    r : float
        Tensor-to-scalar ratio, >= 0.
    L : int
        Band-limit.

    Returns
    -------
    float64 ndarray [shape=(L,)]
        C_l in uK^2; 0 for l < 2.

    Examples
    --------
    >>> from spherekit.bench.bandpowers import tensor_bb
    >>> ell = 85
    >>> round(float(ell * (ell + 1) * tensor_bb(0.01, 100)[ell] / 6.283), 6)
    0.0007
    """
    ell = np.arange(2.0, L)
    x = (ell / 85) ** 2
    recombination = 0.07 * x * np.exp(1 - x)
    reionization = 0.015 * np.exp(-2 * np.log(ell / 5) ** 2)
    power = np.zeros(L)
    power[2:] = r * (recombination + reionization) * 2 * np.pi / (ell * (ell + 1))
    return power


@dataclass(frozen=True)
class Survey:
    """Simulated observations of a part of the sky.

    Parameters
    ----------
    nside : int
        Resolution of the maps; their band-limit is 2 nside.
    mask : str
        A .npz file with a HEALPix mask; "" for |b| > 20 degrees.
    mask_field : str
        The name of the mask in the file; "" for its only one.
    apodization : float
        Width of the C1 taper of the mask, degrees.
    noise : float
        Level of the white noise of T, uK arcmin; that of Q and U is sqrt(2) times it.
    r : float
        Tensor-to-scalar ratio.
    width : int
        Degrees of a bin.
    seed : int
        Seed of the simulations.

    Examples
    --------
    >>> from spherekit.bench.bandpowers import Survey
    >>> survey = Survey(nside=16)
    >>> survey.L, survey.bins.n
    (32, 3)
    """

    nside: int = 64
    mask: str = ""
    mask_field: str = ""
    apodization: float = 10.0
    noise: float = 3.0
    r: float = 0.01
    width: int = 8
    seed: int = 0

    @property
    def L(self) -> int:
        """Band-limit."""
        return 2 * self.nside

    @property
    def grid(self) -> HEALPix:
        """The grid of the maps."""
        return HEALPix(self.nside)

    @property
    def bins(self) -> Bins:
        """The bins."""
        return Bins.linear(self.L, self.width)

    @property
    def level(self) -> float:
        """Level of the noise of T, uK rad."""
        return self.noise * ARCMINUTE

    @cached_property
    def cl(self) -> dict[str, np.ndarray]:
        """Spectra of the signal, uK^2."""
        cl = planck2018_cl(self.L)
        return cl | {"BB": cl["BB"] + tensor_bb(self.r, self.L)}

    @cached_property
    def weights(self) -> Mask:
        """The apodized mask."""
        if self.mask:
            mask = _at_resolution(_read_mask(self.mask, self.mask_field), self.nside)
        else:
            mask = abs(self.grid.theta - math.pi / 2) > math.radians(20)
        weights = apodize(mask, math.radians(self.apodization), sampling=self.grid)
        return Mask(weights, self.L, self.grid)

    @cached_property
    def noise_spectra(self) -> dict[str, np.ndarray]:
        """Pseudo-spectra of the noise; "pure BB" of pure B modes."""
        of_T = noise_power(self.weights, self.L, level=self.level)
        options = dict(level=math.sqrt(2) * self.level, spin=2)
        of_P, pure = (
            noise_power(self.weights, self.L, pure=pure, **options) for pure in (False, True)
        )
        return {"TT": of_T, "EE": of_P, "BB": of_P, "pure BB": pure}

    def fields(self, maps: np.ndarray) -> tuple[MaskedField, MaskedField, MaskedField]:
        """T, P and P with pure B of maps I, Q and U [shape=(..., 3, n_pixels)]."""
        options = dict(sampling=self.grid)
        P = maps[..., 1, :] + 1j * maps[..., 2, :]
        return (
            masked_field(maps[..., 0, :], self.L, self.weights, **options),
            masked_field(P, self.L, self.weights, spin=2, **options),
            masked_field(P, self.L, self.weights, spin=2, purify="B", **options),
        )

    @cached_property
    def couplings(self) -> tuple[dict, dict]:
        """The couplings of T and P, and that of P with pure B, as `master` takes them."""
        T, P, pure = self.fields(np.zeros((3, self.grid.shape[0])))
        pairs = {(0, 0): (T, T), (0, 1): (T, P), (1, 1): (P, P)}
        return {key: Coupling.of(*pair) for key, pair in pairs.items()}, {(0, 0): Coupling.of(pure)}

    def bandpowers(self, maps: np.ndarray) -> tuple[dict, dict]:
        """Bandpowers of maps I, Q and U, and those that theory expects, by the names of `SPECTRA`."""
        T, P, pure = self.fields(maps)
        noise = {name: self.noise_spectra[name] for name in ("TT", "EE", "BB")}
        pure_noise = noise | {"BB": self.noise_spectra["pure BB"]}
        del pure_noise["TT"]
        masked = master([T, P], bins=self.bins, noise=noise, couplings=self.couplings[0])
        purified = master(pure, bins=self.bins, noise=pure_noise, couplings=self.couplings[1])
        results = []
        for of_masked, of_purified in (
            (masked.values, purified.values),
            (masked.expected(self.cl), purified.expected(self.cl)),
        ):
            values = {name: of_masked[name] for name in SPECTRA[:-1]}
            results.append(values | {"pure BB": of_purified["BB"]})
        return tuple(results)

    def errors(self) -> dict[str, np.ndarray]:
        """Standard deviations of the bandpowers by `gaussian_covariance`."""
        T, P, pure = self.fields(np.zeros((3, self.grid.shape[0])))
        noise = {name: self.noise_spectra[name] for name in ("TT", "EE", "BB")}
        options = dict(cl=self.cl, bins=self.bins)
        masked = gaussian_covariance([T, P], noise=noise, **options).errors()
        noise = {"EE": noise["EE"], "BB": self.noise_spectra["pure BB"]}
        purified = gaussian_covariance(pure, noise=noise, **options).errors()
        return {name: masked[name] for name in SPECTRA[:-1]} | {"pure BB": purified["BB"]}

    def simulate(self, indices: Sequence[int]) -> dict[str, np.ndarray]:
        """Bandpowers of the simulated skies of these indices [shape=(n, n_bins)]."""
        options = dict(seed=self.seed, sampling=self.grid, noise=self.level)
        maps = np.array([gaussian_sky(self.cl, self.L, i, **options) for i in indices])
        return self.bandpowers(maps)[0]


def run(survey: Survey, n: int, folder: str | os.PathLike) -> dict[str, Comparison]:
    """Simulate, and compare the bandpowers with theory; simulations that the folder has are not repeated.

    Parameters
    ----------
    survey : Survey
        The observations.
    n : int
        Number of simulations; rounded up to a multiple of `CHUNK`.
    folder : str or path
        The folder of the results, which is created.

    Returns
    -------
    dict of str to Comparison
        By the names of `SPECTRA`. The folder has them as text and as a figure, too.

    Raises
    ------
    ValueError
        The folder has simulations of another survey.

    Examples
    --------
    >>> import tempfile
    >>> from spherekit.bench.bandpowers import Survey, run
    >>> results = run(Survey(nside=8, width=4, apodization=30.0), 20, tempfile.mkdtemp())
    >>> sorted(results)
    ['BB', 'EE', 'TE', 'TT', 'pure BB']
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _check_survey(survey, folder)
    chunks = [range(start, start + CHUNK) for start in range(0, n, CHUNK)]
    values = []
    with progress_bar("simulations", len(chunks) * CHUNK) as progress:
        for indices in chunks:
            values.append(_chunk(survey, indices, folder))
            progress.update(CHUNK)
    simulated = {name: np.concatenate([chunk[name] for chunk in values]) for name in SPECTRA}
    expected = survey.bandpowers(np.zeros((3, survey.grid.shape[0])))[1]
    errors = survey.errors()
    results = {name: compare(simulated[name], expected[name], errors[name]) for name in SPECTRA}
    with replacing(folder / "comparison.txt", True) as path:
        Path(path).write_text(table(results), encoding="utf-8")
    figure(results, survey.bins.ell, folder / "comparison.png")
    return results


def _chunk(survey, indices, folder):
    """The bandpowers of a few simulations, from their file if there is one."""
    target = folder / f"simulations_{indices[0]:05d}.npz"
    if target.exists():
        return read_arrays(target)
    values = survey.simulate(indices)
    with replacing(target, True) as path, open(path, "wb") as file:
        np.savez(file, **values)
    return values


def _check_survey(survey, folder):
    """Write the survey into a new folder; raise ValueError if the folder has another one."""
    path = folder / "survey.json"
    description = asdict(survey)
    if not path.exists():
        with replacing(path, True) as temporary:
            Path(temporary).write_text(json.dumps(description, indent=1), encoding="utf-8")
        return
    previous = json.loads(path.read_text(encoding="utf-8"))
    changed = [name for name, value in description.items() if previous.get(name) != value]
    if changed:
        raise ValueError(
            f"{folder} has simulations with another {', '.join(changed)} "
            f"({', '.join(f'{name}={previous.get(name)!r}' for name in changed)}); pass another folder"
        )


def _at_resolution(mask, nside):
    """A mask at another resolution: pixels of which more than half are observed."""
    grid = HEALPix(nside_of(mask.size))
    if grid.nside > nside:
        mask = grid.degrade(mask, nside)
    elif grid.nside < nside:
        mask = grid.upgrade(mask, nside)
    return mask > 0.5


def _read_mask(path, name):
    """A mask by its file and name."""
    masks = read_arrays(path)
    if not name and len(masks) == 1:
        return next(iter(masks.values())).astype(float)
    if name not in masks:
        raise ValueError(
            f"{path} has the masks {', '.join(masks)}; expected one of them, not {name!r}"
        )
    return masks[name].astype(float)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command ``python -m spherekit.bench.bandpowers``."""
    parser = argparse.ArgumentParser(
        prog="python -m spherekit.bench.bandpowers",
        description="Compare bandpowers of simulated masked skies with their theory.",
    )
    parser.add_argument("-o", "--output", required=True, help="folder of the results")
    parser.add_argument("--simulations", type=int, default=400, help="number; default 400")
    defaults = Survey()
    for name, value in asdict(defaults).items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=type(value), default=value, help=f"default {value!r}")
    options = vars(parser.parse_args(arguments))
    folder, n = options.pop("output"), options.pop("simulations")
    print(table(run(Survey(**options), n, folder)), end="")


if __name__ == "__main__":
    main()
