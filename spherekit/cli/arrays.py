"""Fields of maps in files of all formats but FITS, through `spherekit.io.read`."""

import re
from typing import NamedTuple

import numpy as np

from spherekit.cli import names
from spherekit.cli.options import Usage
from spherekit.io.arguments import ArgumentError
from spherekit.io.numpy_maps import OtherContents
from spherekit.io.winds import winds


class Fields(NamedTuple):
    """Fields of a file, as stored, and their metadata.

    Attributes
    ----------
    values : ndarray [shape=(n, *axes, *grid.shape)]
    columns : tuple of str
        One name for each field, or empty.
    units : tuple of str
    grid : Grid
    frame : str
        "" if the file does not state it.
    spin : int or None
        The spin that the file states.
    unread : tuple of str
        Names of the columns that were not read.
    stokes : tuple of str or None
        The Stokes parameter of each field, if not derived from the names only.
    polcconv : str
        "IAU" if a field may be U in the opposite sign convention.
    axes : dict of str to ndarray
        The coordinates of the named axes.
    notes : tuple of str
        What the reader changed.
    attributes : dict of str to dict
        The attributes of fields and axes by their names, as of `spherekit.io.Map`.
    """

    values: np.ndarray
    columns: tuple
    units: tuple
    grid: object
    frame: str
    spin: int | None = None
    unread: tuple = ()
    stokes: tuple | None = None
    polcconv: str = ""
    axes: dict = {}
    notes: tuple = ()
    attributes: dict = {}


def read_fields(path, args=None, L=None, all_columns=False, pair=False):
    """Read the `Fields` of a file; without ``--field``, the first of several names, or a spin field."""
    sky = read_record(path, args, L)
    return fields_of(sky, getattr(args, "field", None) is None and not all_columns, pair)


def read_record(path, args=None, L=None):
    """The `spherekit.io.Map` of a file, with errors that name the options."""
    from spherekit import io
    from spherekit.sampling import grid as as_grid

    names_of_options = ("grid", "field", "ordering", "lat", "lon", "hdu")
    options = {name: getattr(args, name, None) for name in names_of_options}
    field = options.pop("field")
    options["grid"] = None if options["grid"] is None else as_grid(options["grid"], L)
    hdu = options["hdu"]
    options["hdu"] = int(hdu) if hdu is not None and hdu.isascii() and hdu.isdigit() else hdu
    items = None if field is None else names.split(field)
    options["select"] = selection(args) or None
    try:
        return io.read(path, field=items, **options)
    except ArgumentError as error:
        raise Usage(with_options(error)) from None
    except OtherContents as error:
        raise ValueError(f"{path} contains {_ADVICE[error.contents].format(path=path)}") from None
    except ImportError as error:
        raise ValueError(str(error)) from None
    except ValueError as error:
        raise ValueError(with_options(error)) from None


_ADVICE = {
    "coefficients": "harmonic coefficients, not samples; convert them with spherekit transform {path} "
    "--inverse --grid GRID -o map.npz (rotate and spectrum accept coefficients)",
    "spectra": "power spectra, not a map; simulate skies with spherekit simulate {path} --n 1 -o skies",
    "wavelet maps": "wavelet maps, not a map; convert them with spherekit wavelets {path} --inverse "
    "--grid GRID -o map.npz",
}


def fields_of(sky, first_only=False, pair=True):
    """The `Fields` of a `spherekit.io.Map`."""
    values = sky.values if len(sky) > 1 else sky.values[None]
    columns = sky.names if all(sky.names) else ()
    cf = tuple(sky.attributes.get(name, {}).get("standard_name") for name in columns)
    if len(columns) == 1:
        columns = sky.attributes.get(columns[0], {}).get("parts", columns)
    units, unread = sky.units, ()
    # 0 is also written for Q and U together with T
    spin = sky.spin or None
    is_pair = pair and len(values) == 2 and (spin or winds(columns, units, cf))
    if first_only and len(values) > 1 and columns and not is_pair:
        values, columns, units, unread = values[:1], columns[:1], units[:1], columns[1:]
    of_fields = values, tuple(columns), units, sky.grid, sky.frame, spin, unread
    described = dict(axes=dict(sky.axes), notes=sky.notes, attributes=sky.attributes)
    return Fields(*of_fields, polcconv=sky.polcconv, **described)


def selection(args):
    """The coordinates of ``--level``, ``--time`` and ``--select NAME=VALUE``, by axis.

    Raises Usage for an axis that is selected twice.
    """
    options = {name: getattr(args, name, None) for name in ("level", "time")}
    selected = {name: value for name, value in options.items() if value is not None}
    sources = {name: f"--{name} {value}" for name, value in selected.items()}
    for text in getattr(args, "select", None) or ():
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise Usage(f"--select is {text!r}; expected NAME=VALUE, such as --select month=7")
        if name in selected:
            raise Usage(
                f"{sources[name]} and --select {text} select on the same axis; pass one of them"
            )
        selected[name] = value
        sources[name] = f"--select {text}"
    return selected


def with_options(error):
    """The message of an error of `spherekit.io.read`, with options in place of arguments."""
    text = re.sub(r" \(in Python, [^()]*\)", _NO_GRID, str(error))
    return re.sub(r"\b(grid|field|ordering|hdu|lat|lon|select)=(?=[\w.'\"{ ])", r"--\1 ", text)


#: What to do with samples of a region or at scattered points.
_NO_GRID = "; interpolate the samples to latitudes and longitudes of the whole sphere first"
