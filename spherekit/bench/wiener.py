"""Time and accuracy of the Wiener filter of a masked map of temperature.

    python -m spherekit.bench.wiener --mask GAL_PlanckMasks_64.npz --mask-field GAL060

simulates a sky with the Planck 2018 spectrum and white noise, masks it, and prints the times and iterations
of `spherekit.spectra.wiener_filter` at its default tolerance. ``--reference`` also solves to 1e-11, and
prints the largest error of a C_l.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Sequence

import numpy as np

from spherekit.datasets import planck2018_cl
from spherekit.harmonic import inverse
from spherekit.io import read_arrays
from spherekit.sampling import HEALPix
from spherekit.sampling.healpix import nside_of
from spherekit.spectra import gaussian_flm, power, wiener_filter

#: Radians of an arcminute.
ARCMINUTE = math.pi / 10800
#: Relative residual of the reference.
REFERENCE = 1e-11


def simulated(nside: int, L: int, noise: float, rng: np.random.Generator | int = 0):
    """A sky of T with the Planck 2018 spectrum of l >= 2 and white noise.

    Parameters
    ----------
    nside : int
    L : int
        Band-limit.
    noise : float
        Level of the noise, in uK arcmin.
    rng : numpy.random.Generator or int
        A random generator, or its seed.

    Returns
    -------
    f : float64 ndarray [shape=(12 nside^2,)]
        Samples in uK.
    cl : float64 ndarray [shape=(L,)]
        Spectrum of the signal in uK^2.
    deviation : float
        Standard deviation of the noise of a sample, in uK.

    Examples
    --------
    >>> from spherekit.bench.wiener import simulated
    >>> f, cl, deviation = simulated(8, 16, 40.0)
    >>> f.shape, cl.shape, round(deviation, 3)
    ((768,), (16,), 0.091)
    """
    rng = np.random.default_rng(rng)
    grid = HEALPix(nside)
    cl = planck2018_cl(L)["TT"].copy()
    cl[:2] = 0
    deviation = float(noise * ARCMINUTE / np.sqrt(4 * np.pi / grid.shape[0]))
    f = inverse(gaussian_flm(cl, L, rng), L, sampling=grid, reality=True)
    return f + deviation * rng.standard_normal(f.shape), cl, deviation


def resampled_mask(mask, nside: int):
    """The boolean mask whose pixels have the values of the pixels of ``mask`` that contain their centers.

    >>> int(resampled_mask([1] * 6 + [0] * 6, 2).sum())
    24
    """
    mask = np.asarray(mask) > 0
    grid = HEALPix(nside)
    return mask[HEALPix(nside_of(mask.size)).pixel_of(grid.theta, grid.phi)]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command ``python -m spherekit.bench.wiener``."""
    parser = argparse.ArgumentParser(
        prog="python -m spherekit.bench.wiener",
        description="Time the Wiener filter of a masked map of temperature.",
    )
    parser.add_argument("--mask", required=True, help="file of a HEALPix mask, .npz or .npy")
    parser.add_argument(
        "--mask-field", default="values", help="name of the mask in the file; default that of .npy"
    )
    parser.add_argument("--nside", type=int, default=256, help="default 256")
    parser.add_argument("--band-limit", type=int, help="default 2 nside")
    parser.add_argument("--noise", type=float, default=40.0, help="uK arcmin; default 40")
    parser.add_argument("--threads", type=int, help="default: all cores")
    parser.add_argument("--reference", action="store_true", help="also print errors of C_l")
    options = parser.parse_args(arguments)
    L = options.band_limit or 2 * options.nside
    f, cl, deviation = simulated(options.nside, L, options.noise)
    masks = read_arrays(options.mask)
    if options.mask_field not in masks:
        parser.error(f"{options.mask} has {', '.join(masks)}, not {options.mask_field!r}")
    mask = resampled_mask(masks[options.mask_field], options.nside)
    filtered = dict(sampling=HEALPix(options.nside), mask=mask, threads=options.threads)
    wiener_filter(f, L, cl, deviation, tol=0.5, **filtered)  # compiles kernels
    before = os.times()
    start = time.perf_counter()
    flm, fit = wiener_filter(f, L, cl, deviation, **filtered)
    wall = time.perf_counter() - start
    after = os.times()
    cpu = after.user + after.system - before.user - before.system
    print(f"observed fraction {fit.observed:.3f}, {fit.iterations} iterations")
    print(f"wall {wall:.1f} s, CPU {cpu:.1f} s")
    if options.reference:
        exact, _ = wiener_filter(f, L, cl, deviation, tol=REFERENCE, max_iter=10000, **filtered)
        error = np.abs(power(flm)[2:] / power(exact)[2:] - 1)
        print(f"largest relative error of a C_l: {error.max():.1e} at l = {error.argmax() + 2}")


if __name__ == "__main__":
    main()
