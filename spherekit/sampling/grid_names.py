"""Advice for names of grids that other software uses, such as 180x360, F160 and latlon."""

import re

from spherekit.sampling.theorem_grids import grids_of_shape

__all__ = ["advice"]

_NUMBER = r"\d{1,6}(?:\.\d{1,6})?"
_PAIR = re.compile(rf"(\w*?)[:_]?({_NUMBER})\s*[x*]\s*({_NUMBER})(?:deg)?", re.ASCII)
_GAUSSIAN = re.compile(r"(gauss|gaussian|ecmwf|gl|f|n|o|full|reduced)[:_=]?(\d{1,5})?", re.ASCII)
_HEALPIX = re.compile(r"(nside|hp|hpx|healpix)[:_=]?(\d{1,5})?", re.ASCII)
_BAND_LIMITED = re.compile(r"(mw|mwss|dh|dhpole|cc)[_=]?(\d{1,5})", re.ASCII)
_LATLON = (
    "latlon",
    "lonlat",
    "regular",
    "regularll",
    "rectangular",
    "equirectangular",
    "plate-carree",
)
_LATLON += ("car", "cartesian", "geographic", "uniform", "equiangular", "equidistant", "global")
#: Pairs of numbers up to this one are steps in degrees, not numbers of rows and columns.
_LARGEST_STEP = 10


def advice(name):
    """What to type in place of a name that is not one of a grid.

    >>> advice("F160")
    'for Gaussian latitudes, here 320 of them: gl:320,n_phi=640'
    >>> advice("180x360").split(";")[0]
    'grids of 180 rings of 360 samples are dh:180,n_theta=180,n_phi=360,phi0=half (between the poles)'
    """
    name = name.strip().lower()
    pair = _PAIR.fullmatch(name)
    if pair:
        return _of_pair(pair[1], float(pair[2]), float(pair[3]))
    if match := _GAUSSIAN.fullmatch(name):
        return _gaussian(match[1], int(match[2] or 0))
    if match := _HEALPIX.fullmatch(name):
        return f"for HEALPix: healpix:{int(match[2] or 0) or 64}"
    if match := _BAND_LIMITED.fullmatch(name):
        return f"for the band-limit {int(match[2])}: {match[1]}:{int(match[2])}"
    if re.split(r"[:_=\d]", name)[0] in _LATLON:
        return (
            "for latitudes and longitudes, here 180 x 360: dh:180,n_theta=180,n_phi=360,phi0=half (between "
            "the poles, as 89.5 ... -89.5), mwss:180,n_phi=360 (181 rings, poles included)"
        )
    return ""


def _of_pair(kind, first, second):
    """The grids of two numbers: of rows and columns, in any order, or of steps in degrees."""
    if 0 < max(first, second) <= _LARGEST_STEP and first == second:
        first, second = 180 / first, 360 / second
    rows, columns = sorted((round(first), round(second)))
    kinds = ("gl",) if kind in ("gauss", "gaussian", "gl", "f", "n") else ("dh", "mwss", "cc", "gl")
    grids = {}
    for text, where in grids_of_shape((rows, columns)):  # the first of each kind
        grids.setdefault(text.partition(":")[0], f"{text} ({where.partition(',')[0]})")
    listed = "; ".join(grids[name] for name in kinds if name in grids)
    return f"grids of {rows} rings of {columns} samples are {listed}" if listed else ""


def _gaussian(kind, number):
    """The grid of Gaussian latitudes; F and N state the number between a pole and the equator."""
    number = number or 160
    rings = 2 * number if kind in ("f", "n", "o", "full", "reduced", "ecmwf") else number
    fewer = (
        "; reduced ones have fewer samples near the poles" if kind in ("n", "o", "reduced") else ""
    )
    return f"for Gaussian latitudes, here {rings} of them: gl:{rings},n_phi={2 * rings}{fewer}"
