"""Small real data that travel with the package."""

import pathlib

import numpy as np

from spherekit._core import checks

__all__ = ["planck2018_cl", "wmap_mask", "wmap_w"]

FOLDER = pathlib.Path(__file__).parent / "data"


def wmap_w():
    """The WMAP 7-year W-band map: temperature in mK, nside 32, RING, Galactic; (12288,) float32.

    >>> wmap_w().shape
    (12288,)
    """
    from spherekit.io import read_map

    return read_map(FOLDER / "wmap_w_nside32.fits").values


def wmap_mask():
    """The WMAP 7-year temperature analysis mask at nside 32: True where the sky is clean.

    >>> bool(0.6 < wmap_mask().mean() < 0.8)
    True
    """
    from spherekit.io import read_map

    return read_map(FOLDER / "wmap_mask_nside32.fits").values == 1


def planck2018_cl(L):
    """Planck 2018 best-fit C_l in uK^2 (no l(l+1)), l < L <= 3001: a dict of TT, EE, BB, TE.

    >>> bool(planck2018_cl(3)["TT"][2] > 1000)
    True
    """
    with np.load(FOLDER / "planck2018_cl.npz", allow_pickle=False) as file:
        L = checks.integer(L, "L", 1, file["TT"].size, "the degrees of the stored spectrum")
        return {name: file[name][:L] for name in ("TT", "EE", "BB", "TE")}
