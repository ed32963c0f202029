"""Grids by name or text."""

from spherekit.sampling import text
from spherekit.sampling.base import Grid
from spherekit.sampling.healpix import HEALPix
from spherekit.sampling.latlon import LatLon
from spherekit.sampling.rectangles import CC, DH, GL, MW, MWSS, DHPole
from spherekit.sampling.rings import Rings

__all__ = ["grid"]

_CLASSES = {cls.name: cls for cls in (MW, MWSS, DH, DHPole, GL, CC)}
#: The options of each kind of grid.
_OPTIONS = {name: ("n_phi", "phi0") for name in _CLASSES}
_OPTIONS |= {name: ("n_theta", "n_phi", "phi0") for name in ("dh", "cc")}
_OPTIONS |= {"healpix": ("weights",), "rings": ("theta", "n_phi", "phi0", "weights")}


def grid(name: Grid | str, L: int | None = None) -> Grid:
    """Create a grid from its name or text.

    A grid is a frozen, hashable description of the positions at which a signal is sampled. Its text is
    ``str(grid)``, from which this function creates an equal grid.

    Parameters
    ----------
    name : str or Grid
        ``"mw"``, ``"mwss"``, ``"dh"``, ``"dhpole"``, ``"gl"`` or ``"cc"``, optionally with a band-limit as in
        ``"mw:256"``; or ``"healpix:64"`` with nside. Options follow after commas: ``n_phi`` and ``phi0``, as
        in ``"gl:160,n_phi=320,phi0=half"``; for dh and cc also ``n_theta``, as in
        ``"dh:180,n_theta=180,n_phi=360"``; for healpix ``weights``. ``phi0`` is ``half`` of a step, or an
        angle with its unit, ``0.25deg`` or ``0.004rad``. Rings are lists, as in
        ``"rings:theta=30/90/150deg,n_phi=4/8/4"``, or the first colatitude, the last and their number, as in
        ``"rings:theta=2.5:177.5:71deg,n_phi=144"``; with the options ``phi0`` and ``weights``. A grid is
        returned as it is.
    L : int, optional
        Band-limit, for a name without one.

    Returns
    -------
    Grid
        One of `MW`, `MWSS`, `DH`, `DHPole`, `GL`, `CC`, `HEALPix` and `Rings`.

    Raises
    ------
    TypeError
        ``name`` is neither a grid nor a string, or L is not an integer.
    ValueError
        An unknown name or option, a number that is not one or is out of range, or no band-limit or nside.

    See Also
    --------
    from_latlon : The grid of given latitudes and longitudes.

    Examples
    --------
    >>> from spherekit import sampling
    >>> sampling.grid("mw", 4)
    MW(L=4, n_phi=7)
    >>> sampling.grid("healpix:2").shape
    (48,)
    >>> relief = sampling.grid("dh:180,n_theta=180,n_phi=360,phi0=half")
    >>> relief.shape, str(relief)
    ((180, 360), 'dh:180,n_theta=180,n_phi=360,phi0=half')
    """
    if isinstance(name, Grid):
        return name
    names = ", ".join([*_CLASSES, "healpix:NSIDE"])
    if not isinstance(name, str):
        advice = (
            "; pass its attribute grid, with the samples LatLon(lat, lon).to_grid(f)"
            if isinstance(name, LatLon)
            else ""
        )
        raise TypeError(f"sampling must be a grid or one of {names}; got {name!r}{advice}")
    head, *items = name.lower().split(",")
    kind, _, number = head.partition(":")
    if kind == "rings":
        return _rings(_options(name, kind, [*([number] if number else []), *items]))
    if kind not in _OPTIONS:
        raise ValueError(
            f"the name of a grid must be one of {names}, rings:...; got {name[:80]!r}{_hint(name)}"
        )
    if number and not (number.isascii() and number.isdigit() and len(number) < 20):
        raise ValueError(
            f"grid {name[:40]!r}: expected an integer after the colon, the band-limit or nside"
        )
    options = _options(name, kind, items)
    if kind == "healpix":
        if not number:
            raise ValueError('grid "healpix" requires nside, as in "healpix:64"')
        return HEALPix(int(number), **options)
    if not number and L is None:
        raise ValueError(f"grid {name!r} needs a band-limit: grid({name!r}, L) or {kind}:L")
    return _rectangle(_CLASSES[kind], int(number) if number else L, options)


def _hint(name):
    """The end of the message for a name of other software."""
    from spherekit.sampling.grid_names import advice

    text = advice(name)
    return f" ({text})" if text else ""


def _options(name, kind, items):
    """The options of a text, a dictionary of strings."""
    options = dict(item.partition("=")[::2] for item in items)
    unknown = [key for key in options if key not in _OPTIONS[kind]]
    if unknown or len(options) < len(items) or not all(options.values()):
        accepted = ", ".join(f"{key}=..." for key in _OPTIONS[kind])
        raise ValueError(
            f"grid {name[:80]!r}: the options of {kind} are {accepted}, each once, separated by commas"
        )
    return options


def _rectangle(cls, L, options):
    counts = {key: options[key] for key in ("n_theta", "n_phi") if key in options}
    counts = {key: text.integers(value, key) for key, value in counts.items()}
    for key, values in counts.items():
        if len(values) > 1:
            raise ValueError(
                f"{key}={options[key][:40]}: expected one integer for a rectangular grid"
            )
    sphere = cls(L, **{key: values[0] for key, values in counts.items()})
    if "phi0" not in options:
        return sphere
    return sphere.with_phi0(text.read_first_longitude(options["phi0"], sphere.n_phi))


def _rings(options):
    missing = [key for key in ("theta", "n_phi") if key not in options]
    if missing:
        raise ValueError(
            f"rings need {' and '.join(missing)}, as in rings:theta=30/90/150deg,n_phi=4/8/4"
        )
    counts = text.integers(options["n_phi"], "n_phi")
    values = [text.read_angles(options["theta"], "theta"), counts]
    values.append(text.read_angles(options.get("phi0", "0rad"), "phi0"))
    if "weights" in options:
        values.append(text.read_numbers(options["weights"], "weights"))
    return Rings(*(x[0] if len(x) == 1 and i else x for i, x in enumerate(values)))
