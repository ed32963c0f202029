"""Operations on fields of spherekit and of other packages, prepared for timing.

Smoothing: HEALPix maps of white noise, nside = L/3, all degrees < L, three Jacobi iterations after the first
analysis, the default of healpy; "inverse" is one map, "forward" I, Q and U.
"""

import numpy as np

from spherekit.bench.cases.harmonic import PreparedCase, require

_FWHM = np.radians(1.0)
_ITERATIONS = 3


def _noise(case):
    """White noise of I, Q and U."""
    require(case["L"] % 3 == 0, "nside is L/3: L must be a multiple of 3")
    n = 12 * (case["L"] // 3) ** 2
    dtype = np.dtype(case["dtype"])
    return lambda rng: rng.standard_normal((3, n)).astype(dtype)


def smooth_spherekit(case):
    """`spherekit.fields.smooth` with a fixed number of iterations."""
    from spherekit import fields, io
    from spherekit.sampling import HEALPix

    random_input = _noise(case)
    grid = HEALPix(case["L"] // 3, weights="equal")
    options = dict(L=case["L"], method="jacobi", tol=0, max_iter=_ITERATIONS + 1)
    options |= dict(threads=case["threads"])
    polarized = io.Map(random_input(np.random.default_rng(0)), grid, ("I", "Q", "U"))
    return PreparedCase(
        lambda maps: fields.smooth(maps[0], _FWHM, sampling=grid, **options),
        lambda _: fields.smooth(polarized, _FWHM, **options).values,
        random_input,
        one_way=True,
    )


def smooth_healpy(case):
    """``smoothing`` with the default number of iterations; its threads are those of OpenMP."""
    import healpy

    random_input = _noise(case)
    options = dict(fwhm=_FWHM, lmax=case["L"] - 1, iter=_ITERATIONS)
    polarized = random_input(np.random.default_rng(0))
    return PreparedCase(
        lambda maps: healpy.smoothing(maps[0], **options),
        lambda _: healpy.smoothing(polarized, **options),
        random_input,
        "smoothing: 3 iterations of all degrees < 3 nside, of I, and of I, Q and U",
        one_way=True,
    )


CODES = {"smooth": {"spherekit": smooth_spherekit, "healpy": smooth_healpy}}
