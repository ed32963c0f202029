"""Scattering coefficients of the demo's map beside those of Gaussian maps."""

from typing import NamedTuple

import numpy as np

import spherekit
from spherekit.sampling import MW, HEALPix
from spherekit.spectra import gaussian_flm, power, remove_monopole_dipole

COUNT = 40  # of Gaussian maps
GRID = HEALPix(32)
L_PIXELS = 3 * GRID.nside  # the degrees that the pixels tell apart


class Comparison(NamedTuple):
    """A sky and a Gaussian one on a grid; per path a value, and mean and spread of the Gaussian ones."""

    title: str
    grid: object
    sky: np.ndarray
    gaussian: np.ndarray
    paths: tuple
    values: np.ndarray
    means: np.ndarray
    spreads: np.ndarray

    def deviations(self):
        """How far the values lie from the means, in standard deviations."""
        return np.abs(self.values - self.means) / self.spreads


def whole_map(S, flm, rng):
    """The map of these coefficients, beside Gaussian maps of its C_l."""
    drawn = _draw(power(flm), S.L, rng)
    fine = dict(sampling=MW(128), reality=True, threads=S.first.threads)
    shown = spherekit.inverse(np.stack([flm, drawn[0]]), S.L, **fine)
    return _compare("the whole map", S, flm, drawn, MW(128), *shown)


def clean_sky(S, sky, mask, rng):
    """What a mask keeps of a sky, beside Gaussian maps of its C_l / f_sky behind the same mask.

    The mask mixes degrees: also those from the band-limit on count below it, and are drawn.
    """
    flags = dict(sampling=GRID, reality=True, threads=S.first.threads)
    clean = _masked(sky, mask)
    cl = power(spherekit.forward(clean, L_PIXELS, **flags)) / mask.mean()
    drawn = spherekit.inverse(_draw(cl, L_PIXELS, rng), L_PIXELS, **flags)
    twins = np.stack([_masked(f, mask) for f in drawn])
    flm, drawn = (spherekit.forward(f, S.L, **flags) for f in (clean, twins))
    shown = (np.where(mask, f, np.nan) for f in (clean, twins[0]))
    return _compare("the clean sky", S, flm, drawn, GRID, *shown)


def _draw(cl, L, rng):
    return np.stack([gaussian_flm(cl, L, rng) for _ in range(COUNT)])


def _masked(f, mask):
    """Zero behind the mask, without the monopole and dipole of the rest."""
    weights = mask.astype(float)
    return weights * remove_monopole_dipole(f, sampling=GRID, mask=weights).cleaned


def _compare(title, S, flm, drawn, grid, sky, twin):
    values, others = _normalised(S, flm), _normalised(S, drawn)
    spread = others.std(axis=0, ddof=1)
    return Comparison(title, grid, sky, twin, S.paths[1:], values, others.mean(axis=0), spread)


def _normalised(S, flm):
    """The mean over the sphere of every path above order 0, free of the height of the spectrum.

    Order 1 is divided by the rms of its scale, order 2 by the order 1 before it.
    """
    means = np.moveaxis(S.from_flm(flm)[..., 0].real, -1, 0)  # times sqrt(4 pi)
    rms = np.moveaxis(np.sqrt(S.first.energies(flm)), -1, 0)[1:]  # likewise
    by_path = dict(zip((path.scales for path in S.paths), means, strict=True))
    below = {(j,): of_scale for j, of_scale in zip(S.first.scales, rms, strict=True)}
    below |= {p.scales: by_path[p.scales[:1]] for p in S.paths if p.order == 2}
    return np.stack([by_path[p.scales] / below[p.scales] for p in S.paths[1:]], axis=-1)
