"""Small data sets included in the package: WMAP maps, Planck spectra, and the winds of a month."""

from __future__ import annotations

import functools
import pathlib
from typing import TYPE_CHECKING

import numpy as np

from spherekit._core import checks

if TYPE_CHECKING:
    from spherekit.io import Map

__all__ = ["era_interim", "path", "planck2018_cl", "wmap_mask", "wmap_w"]

FOLDER = pathlib.Path(__file__).parent / "data"
_FILES = {
    "era_interim": "era_interim_july_850hpa.nc",
    "planck2018_cl": "planck2018_cl.npz",
    "wmap_mask": "wmap_mask_nside32.fits",
    "wmap_w": "wmap_w_nside32.fits",
}


def path(name: str) -> pathlib.Path:
    """The file of a data set, for commands and for other programs.

    Parameters
    ----------
    name : {"era_interim", "planck2018_cl", "wmap_mask", "wmap_w"}
        The function of this module that reads the data set.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ValueError
        Another name.

    Examples
    --------
    >>> from spherekit import datasets, io
    >>> io.describe(datasets.path("era_interim"))
    'a netCDF-3 file'
    """
    if name not in _FILES:
        raise ValueError(f"name is {name!r}; expected one of {', '.join(_FILES)}")
    return FOLDER / _FILES[name]


def era_interim() -> Map:
    """Winds and geopotential at 850 hPa, about 1.5 km above the sea: the mean of a July of ERA-Interim.

    The fields of the reanalysis on its grid of 0.75 degrees, truncated to degrees < 180 and sampled at
    1 degree. Steps of the numbers are 0.002 m/s and 0.125 m^2/s^2. High land reaches beyond 850 hPa: the
    values are extrapolated there.

    Returns
    -------
    Map [values of shape (3, 181, 360), float32]
        The fields "u" (eastward wind, m s-1), "v" (northward wind) and "z" (geopotential, m2 s-2), on the
        grid "mwss:180". ``io.read(datasets.path("era_interim"), field=["u", "v", "z"])`` returns the same.

    References
    ----------
    Dee et al. 2011, Quarterly Journal of the Royal Meteorological Society 137, 553. The data are copyright of
    the European Centre for Medium-Range Weather Forecasts (ECMWF), licensed under CC BY 4.0.

    Examples
    --------
    >>> from spherekit import datasets, fields
    >>> data = datasets.era_interim()
    >>> data
    Map(u [m s-1], v [m s-1], z [m2 s-2]; MWSS(L=180, n_phi=360); float32)
    >>> f"strongest mean wind {fields.Wind(data).magnitude().values.max():.1f} m/s"
    'strongest mean wind 22.3 m/s'
    """
    from spherekit.io import read

    return read(path("era_interim"), field=["u", "v", "z"])


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

    return read_map(path("wmap_w")).values


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

    return read_map(path("wmap_mask")).values == 1


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
    with np.load(path("planck2018_cl"), allow_pickle=False) as file:
        return {name: file[name] for name in ("TT", "EE", "BB", "TE")}


def __dir__():
    return sorted(__all__)
