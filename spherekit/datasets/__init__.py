"""Small data sets included in the package: WMAP maps and Planck spectra."""

import functools
import pathlib

import numpy as np

from spherekit._core import checks

__all__ = ["planck2018_cl", "wmap_mask", "wmap_w"]

FOLDER = pathlib.Path(__file__).parent / "data"


def wmap_w() -> np.ndarray:
    """The WMAP 7-year W-band temperature map, averaged to nside 32.

    Returns
    -------
    ndarray [shape=(12288,)], float32
        Temperature in mK, in RING ordering and Galactic coordinates.

    Examples
    --------
    >>> from spherekit.datasets import wmap_w
    >>> f = wmap_w()
    >>> f.shape, f"{f.std():.3f} mK"
    ((12288,), '0.246 mK')
    """
    from spherekit.io import read_map

    return read_map(FOLDER / "wmap_w_nside32.fits").values


def wmap_mask() -> np.ndarray:
    """The WMAP 7-year temperature analysis mask, averaged to nside 32.

    Returns
    -------
    ndarray [shape=(12288,)], bool
        True where the sky is used; RING ordering, Galactic coordinates.

    Examples
    --------
    >>> from spherekit.datasets import wmap_mask
    >>> f"{wmap_mask().mean():.1%} of the sky"
    '61.9% of the sky'
    """
    from spherekit.io import read_map

    return read_map(FOLDER / "wmap_mask_nside32.fits").values == 1


def planck2018_cl(L: int) -> dict[str, np.ndarray]:
    """The Planck 2018 best-fit LambdaCDM power spectra.

    Parameters
    ----------
    L : int
        Band-limit, 1 to 3001.

    Returns
    -------
    dict of str to ndarray [shape=(L,)], float64
        C_l in uK^2, without a factor l(l+1), of "TT", "EE", "BB" and "TE".

    Raises
    ------
    ValueError
        If ``L`` is not in 1..3001.
    TypeError
        If ``L`` is not an integer.

    Examples
    --------
    >>> from spherekit.datasets import planck2018_cl
    >>> {name: float(cl[2].round(3)) for name, cl in planck2018_cl(3).items()}
    {'TT': 1065.037, 'EE': 0.032, 'BB': 0.0, 'TE': 2.742}
    """
    spectra = _planck2018_spectra()
    L = checks.integer(L, "L", 1, spectra["TT"].size, "the band-limit of the stored spectra")
    return {name: cl[:L].copy() for name, cl in spectra.items()}


@functools.cache
def _planck2018_spectra():
    with np.load(FOLDER / "planck2018_cl.npz", allow_pickle=False) as file:
        return {name: file[name] for name in ("TT", "EE", "BB", "TE")}


def __dir__():
    return sorted(__all__)
