"""Grids by name. A grid is a frozen, hashable description of where a signal is sampled."""

from spherekit.sampling.base import Grid
from spherekit.sampling.healpix import HEALPix
from spherekit.sampling.rectangles import CC, DH, GL, MW, MWSS, DHPole

__all__ = ["grid"]

_NAMED = {cls.name: cls for cls in (MW, MWSS, DH, DHPole, GL, CC)}


def grid(name, L=None):
    """The grid of a name, or the grid itself.

    Parameters
    ----------
    name : str or grid
        ``"mw"``, ``"mwss"``, ``"dh"``, ``"dhpole"``, ``"gl"``, ``"cc"``, each also with a
        band-limit of its own as in ``"mw:256"``, or ``"healpix:64"`` with its nside.
    L : int, optional
        Band-limit where the name has none.

    >>> grid("mw", 4) == MW(4) and grid("healpix:2") == HEALPix(2)
    True
    """
    if isinstance(name, Grid):
        return name
    known = ", ".join([*_NAMED, "healpix:NSIDE"])
    if not isinstance(name, str):
        raise TypeError(f"sampling is {name!r}; give a grid or one of the names {known}")
    kind, _, number = name.lower().partition(":")
    if kind not in _NAMED and kind != "healpix":
        raise ValueError(f"unknown grid {name!r}; known are {known}")
    if number and not (number.isascii() and number.isdigit() and len(number) < 20):
        raise ValueError(
            f"grid {name[:40]!r}: what follows the colon must be a whole number, the band-limit or nside"
        )
    if kind == "healpix":
        if not number:
            raise ValueError('the HEALPix grid needs its nside, as in sampling="healpix:64"')
        return HEALPix(int(number))
    if not number and L is None:
        raise ValueError(f"grid {name!r} needs a band-limit: grid({name!r}, L) or {kind}:L")
    return _NAMED[kind](int(number) if number else L)
