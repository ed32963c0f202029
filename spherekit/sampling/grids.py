"""Grids by name."""

from spherekit.sampling.base import Grid
from spherekit.sampling.healpix import HEALPix
from spherekit.sampling.rectangles import CC, DH, GL, MW, MWSS, DHPole

__all__ = ["grid"]

_CLASSES = {cls.name: cls for cls in (MW, MWSS, DH, DHPole, GL, CC)}


def grid(name: Grid | str, L: int | None = None) -> Grid:
    """Create a grid from its name.

    A grid is a frozen, hashable description of the positions at which a signal is sampled.

    Parameters
    ----------
    name : str or Grid
        ``"mw"``, ``"mwss"``, ``"dh"``, ``"dhpole"``, ``"gl"`` or ``"cc"``, optionally with a band-limit as in
        ``"mw:256"``; or ``"healpix:64"`` with nside. A grid is returned as it is.
    L : int, optional
        Band-limit, for a name without one.

    Returns
    -------
    Grid
        One of `MW`, `MWSS`, `DH`, `DHPole`, `GL`, `CC` and `HEALPix`.

    Raises
    ------
    TypeError
        ``name`` is neither a grid nor a string, or L is not an integer.
    ValueError
        An unknown name, a number that is not one or is out of range, or no band-limit or nside.

    Examples
    --------
    >>> from spherekit import sampling
    >>> sampling.grid("mw", 4)
    MW(L=4, n_phi=7)
    >>> sampling.grid("healpix:2").shape
    (48,)
    """
    if isinstance(name, Grid):
        return name
    names = ", ".join([*_CLASSES, "healpix:NSIDE"])
    if not isinstance(name, str):
        raise TypeError(f"sampling must be a grid or one of {names}; got {name!r}")
    kind, _, number = name.lower().partition(":")
    if kind not in _CLASSES and kind != "healpix":
        raise ValueError(f"the name of a grid must be one of {names}; got {name!r}")
    if number and not (number.isascii() and number.isdigit() and len(number) < 20):
        raise ValueError(
            f"grid {name[:40]!r}: expected an integer after the colon, the band-limit or nside"
        )
    if kind == "healpix":
        if not number:
            raise ValueError('grid "healpix" requires nside, as in "healpix:64"')
        return HEALPix(int(number))
    if not number and L is None:
        raise ValueError(f"grid {name!r} needs a band-limit: grid({name!r}, L) or {kind}:L")
    return _CLASSES[kind](int(number) if number else L)
