"""The samples and the grid of what is plotted: arrays with a grid, maps, DataArrays, HEALPix."""

import re
from typing import NamedTuple

import numpy as np

from spherekit._core.labeled import axis_kind, check_coordinates, is_labeled, is_map
from spherekit.plot.units import pretty_unit
from spherekit.sampling import HEALPix, LatLon
from spherekit.sampling import grid as as_grid
from spherekit.sampling.text import label


class Signal(NamedTuple):
    """Samples on a grid, with the title, the unit and the coordinate frame that they state."""

    samples: object
    grid: object
    title: str | None = None
    unit: str | None = None
    frame: str = ""

    @property
    def flip(self):
        """The direction in which longitude increases by default."""
        return default_flip(self.frame)


def default_flip(frame):
    """The direction in which longitude increases by default: to the right on planets and in panoramas.

    >>> default_flip("geographic"), default_flip("galactic"), default_flip("")
    ('geo', 'astro', 'astro')
    """
    return "geo" if frame in ("geographic", "horizontal") else "astro"


def signal_of(f, grid=None):
    """The `Signal` of samples, which may state their grid.

    Parameters
    ----------
    f : array_like, Map or DataArray
    grid : Grid or str, optional
        The grid. It may be omitted for a `spherekit.io.Map` of a single field, a DataArray with latitudes and
        longitudes, and 12 nside^2 samples, which are those of HEALPix in RING order.

    Raises
    ------
    ValueError
        A map of several fields or with further axes; a grid that contradicts ``f``; latitudes and longitudes
        of no grid.
    TypeError
        No grid, and samples that do not determine it.
    """
    if is_map(f):
        return _of_map(f, grid)
    if is_labeled(f):
        return _of_labeled(f, grid)
    if grid is None:
        size = np.shape(f)[0] if np.ndim(f) == 1 else 0
        nside = round((size / 12) ** 0.5)
        if not nside or 12 * nside**2 != size:
            raise TypeError(
                f"the grid is missing: samples of shape {np.shape(f)} do not determine it (only 12 nside^2 "
                "samples of HEALPix do); pass the grid, e.g. 'mw:64', or a spherekit.io.Map"
            )
        grid = HEALPix(nside)
    return Signal(f, as_grid(grid))


def _of_map(sky, grid):
    if grid is not None and as_grid(grid) != sky.grid:
        raise ValueError(
            f"grid is {label(as_grid(grid))}, but the map is on {label(sky.grid)}; omit grid"
        )
    if len(sky.names) > 1:
        name = sky.names[0]
        raise ValueError(
            f"the map has the fields {', '.join(sky.names)}; plot one of them, such as sky[{name!r}]"
        )
    if sky.axes:
        name, coordinates = next(iter(sky.axes.items()))
        raise ValueError(
            f"the map has the axes {', '.join(sky.axes)}; select a position on each, such as "
            f"sky.select({name}={_text(coordinates[0])})"
        )
    title = title_of(sky.names[0], position_of(sky.attributes))
    return Signal(sky.values, sky.grid, title, sky.units[0] or None, sky.frame)


def _text(coordinate):
    return repr(str(coordinate)) if np.asarray(coordinate).dtype.kind in "MUS" else coordinate


def position_of(attributes):
    """The coordinates at which a map was selected, or that hold for all of it, as texts by axis.

    >>> attributes = {"month": {"value": 7}, "level": {"value": 500.0, "units": "hPa"}, "z": {"units": "m"}}
    >>> position_of({**attributes, "": {"title": "a month"}})
    {'month': '7', 'level': '500 hPa'}
    """
    return {
        name: coordinate_text(name, x["value"], x.get("units", ""))
        for name, x in attributes.items()
        if name and "value" in x
    }


def title_of(name, coordinates):
    """The title of a field: its name and the texts of its position, by axis; None without a name.

    >>> title_of("z", {"month": "7", "level": "500 hPa"})
    'z, month 7, level 500 hPa'
    """
    if not name:
        return None
    return ", ".join([str(name), *(f"{axis} {text}" for axis, text in coordinates.items())])


#: Units of numbers that need none: dates, numbers of levels, and those of no dimension.
_WITHOUT_UNIT = re.compile(r".* since .*|1|-|(sigma_)?levels?", re.I)

_HECTOPASCALS = re.compile(r"^(millibars?|mb(ar)?)$", re.I)


def coordinate_text(name, coordinate, unit=""):
    """A coordinate with its unit, unless that is the name of its axis or of no dimension.

    >>> coordinate_text("level", np.float32(500), "millibars"), coordinate_text("month", 7, "months")
    ('500 hPa', '7')
    >>> coordinate_text("time", np.datetime64("2018-07-01T00:00"))
    '2018-07-01'
    """
    coordinate = np.asarray(coordinate)[()]
    if isinstance(coordinate, np.datetime64) and not np.isnat(coordinate):
        coordinate = coordinate.astype("M8[s]")
    if not isinstance(coordinate, np.number) or isinstance(coordinate, np.timedelta64):
        return date_text(str(coordinate))
    number = f"{coordinate:.6g}" if isinstance(coordinate, np.floating) else str(coordinate)
    unit = _HECTOPASCALS.sub("hPa", str(unit or ""))
    is_shown = not _WITHOUT_UNIT.fullmatch(unit) and unit.removesuffix("s") != name.removesuffix(
        "s"
    )
    return f"{number} {pretty_unit(unit)}".strip() if is_shown else number


def date_text(text):
    """The text of a date and time without zeros of the time.

    >>> date_text("2018-07-01T06:00:00"), date_text("2018-07-01T00:00:00")
    ('2018-07-01T06:00', '2018-07-01')
    """
    return text.removesuffix(":00").removesuffix("T00:00")


def _of_labeled(f, grid):
    """The samples of a DataArray, rearranged on the grid of its latitudes and longitudes."""
    title, unit = f.attrs.get("long_name") or f.name, f.attrs.get("units")
    unit = None if unit is None else str(unit)
    scalars = {str(name): c for name, c in f.coords.items() if not c.dims}
    position = {
        name: coordinate_text(name, c.values, c.attrs.get("units", ""))
        for name, c in scalars.items()
        if c.dtype.kind in "iufMU"
    }
    title = title_of(title, position)
    if grid is not None:
        grid = as_grid(grid)
        check_coordinates(f, grid)
        return Signal(f, grid, title, unit, "geographic")
    kinds = {axis_kind(str(dim), f.coords[dim].attrs): dim for dim in f.dims if dim in f.coords}
    if not {"latitude", "longitude"} <= set(kinds) or f.ndim != 2:
        raise ValueError(
            f"f has the dimensions {tuple(map(str, f.dims))}; expected latitude and longitude, with "
            "coordinates; select one position on the others, or pass the samples and their grid"
        )
    dims = kinds["latitude"], kinds["longitude"]
    positions = LatLon(*(f.coords[dim] for dim in dims))
    samples = positions.to_grid(np.asarray(f.transpose(*dims).values))
    return Signal(samples, positions.grid, title, unit, "geographic")
