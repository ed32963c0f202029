"""Scattering coefficients of the map of the demo, compared with those of Gaussian maps."""

from typing import NamedTuple

import numpy as np

import spherekit
from spherekit.sampling import MW, HEALPix
from spherekit.spectra import gaussian_flm, power, remove_monopole_dipole

COUNT = 40  # of Gaussian maps
GRID = HEALPix(32)
L_PIXELS = 3 * GRID.nside  # band-limit that the pixels determine


class Comparison(NamedTuple):
    """Scattering coefficients of a sky, with mean and standard deviation of those of Gaussian maps, by path.

    ``sky`` and ``gaussian`` are samples on ``grid`` of the sky and of one of the Gaussian maps.
    """

    title: str
    grid: object
    sky: np.ndarray
    gaussian: np.ndarray
    paths: tuple
    values: np.ndarray
    means: np.ndarray
    standard_deviations: np.ndarray

    def deviations(self):
        """Distances of the values from the means, in standard deviations."""
        return np.abs(self.values - self.means) / self.standard_deviations


def whole_map(S, flm, rng):
    """Compare the map of these coefficients with Gaussian maps of its C_l."""
    gaussian = _draw(power(flm), S.L, rng)
    flags = dict(sampling=MW(128), reality=True, threads=S.first.threads)
    maps = spherekit.inverse(np.stack([flm, gaussian[0]]), S.L, **flags)
    return _compare("whole map", S, flm, gaussian, MW(128), *maps)


def unmasked_sky(S, sky, mask, rng):
    """Compare a masked sky with Gaussian maps of its C_l / f_sky and the same mask.

    The Gaussian maps have all degrees that the pixels determine, since the mask couples degrees across the
    band-limit.
    """
    flags = dict(sampling=GRID, reality=True, threads=S.first.threads)
    masked = _masked(sky, mask)
    cl = power(spherekit.forward(masked, L_PIXELS, **flags)) / mask.mean()
    full_sky = spherekit.inverse(_draw(cl, L_PIXELS, rng), L_PIXELS, **flags)
    gaussian_maps = np.stack([_masked(f, mask) for f in full_sky])
    flm, gaussian = (spherekit.forward(f, S.L, **flags) for f in (masked, gaussian_maps))
    maps = (np.where(mask, f, np.nan) for f in (masked, gaussian_maps[0]))
    return _compare("unmasked sky", S, flm, gaussian, GRID, *maps)


def _draw(cl, L, rng):
    return np.stack([gaussian_flm(cl, L, rng) for _ in range(COUNT)])


def _masked(f, mask):
    """The map times its mask, without the monopole and dipole of the unmasked part."""
    weights = mask.astype(float)
    return weights * remove_monopole_dipole(f, sampling=GRID, mask=weights).cleaned


def _compare(title, S, flm, gaussian, grid, sky, gaussian_sky):
    values = _normalized(S, flm)
    references = _normalized(S, gaussian)
    means = references.mean(axis=0)
    standard_deviations = references.std(axis=0, ddof=1)
    return Comparison(
        title, grid, sky, gaussian_sky, S.paths[1:], values, means, standard_deviations
    )


def _normalized(S, flm):
    """The mean over the sphere of every path of order 1 and 2, independent of the amplitude of the spectrum.

    Order 1 is divided by the rms of its scale, order 2 by the order 1 from which it is computed.
    """
    means = np.moveaxis(S.from_flm(flm)[..., 0].real, -1, 0)  # times sqrt(4 pi)
    rms = np.moveaxis(np.sqrt(S.first.energies(flm)), -1, 0)[1:]  # likewise
    by_path = dict(zip((path.scales for path in S.paths), means, strict=True))
    norms = {(j,): rms_of_scale for j, rms_of_scale in zip(S.first.scales, rms, strict=True)}
    norms |= {p.scales: by_path[p.scales[:1]] for p in S.paths if p.order == 2}
    return np.stack([by_path[p.scales] / norms[p.scales] for p in S.paths[1:]], axis=-1)
