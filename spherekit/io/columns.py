"""The table and the columns of a map's file that are asked for."""

import math

import numpy as np

from spherekit._core import checks
from spherekit.io import headers
from spherekit.io.alm import is_alm
from spherekit.io.fits import first_table
from spherekit.io.pixel_numbers import pixel_column
from spherekit.io.spectra import is_spectrum
from spherekit.io.stokes import column_of


def map_columns(table):
    """(name of the column of pixel numbers or None, names of the fields) of a map's table.

    >>> from spherekit.io import Table
    >>> map_columns(Table({}, {"PIXEL": [0], "T": [1.0]}, {}))
    ('PIXEL', ['T'])
    """
    is_explicit = headers.text(headers.merged(table), "INDXSCHM").upper() == "EXPLICIT"
    pixel = pixel_column(table.columns, is_explicit)
    return pixel, [n for n in table.columns if n != pixel]


def is_map(table):
    """True where a table says that it holds a HEALPix map."""
    header = headers.merged(table)
    values = (headers.text(header, key) for key in ("PIXTYPE", "ORDERING", "INDXSCHM"))
    return any(values) and not is_alm(table)


def select_table(path, hdu, ordering):
    """The table of a map: number or name ``hdu``, else the first that is one or may be one."""
    table = first_table(path, hdu, is_map)
    try:
        return _refuse_other_kinds(path, table, ordering)
    except headers.HeaderError as error:
        raise ValueError(f"{path}: {error}") from None


def _refuse_other_kinds(path, table, ordering):
    at = f"{path} (HDU {table.hdu})"
    if is_alm(table):
        raise ValueError(
            f"{at} holds spherical-harmonic coefficients (alm), no map: spherekit.io.read_alm "
            "reads them, `spherekit transform --inverse` makes a map of them"
        )
    if ordering is None and not is_map(table) and is_spectrum(table):
        raise ValueError(
            f"{at} holds power spectra (C_l), no map: spherekit.io.read_cl reads them, "
            "spherekit.spectra.gaussian_flm draws coefficients of them"
        )
    pixtype = headers.text(headers.merged(table), "PIXTYPE")
    if pixtype and pixtype.upper() != "HEALPIX":
        raise ValueError(f"{at} says PIXTYPE = {pixtype!r}; expected a HEALPix map")
    return table


def picked_columns(path, table, field):
    """The names of the columns that ``field`` of `read_map` means."""
    _, names = map_columns(table)
    if field is None:
        return names
    wanted = [field] if isinstance(field, str) or not np.iterable(field) else list(field)
    return [_column(path, table, names, item) for item in wanted]


def _column(path, table, names, field):
    name = _by_name(names, field) if isinstance(field, str) else _by_number(names, field)
    if name is None:
        listed = ", ".join(f"{i} {name}" for i, name in enumerate(names))
        raise ValueError(
            f"{path} (HDU {table.hdu}) has no field {field}; it holds {listed or 'none'}"
        )
    return name


def _by_name(names, field):
    if field in names:
        return field
    matches = [name for name in names if name.strip().upper() == field.strip().upper()]
    return matches[0] if len(matches) == 1 else column_of(field, names)


def _by_number(names, field):
    try:
        number = checks.integer(field, "field", -math.inf)
    except TypeError:
        raise TypeError(
            f"field is {field!r}; expected the number or name of a column, or a sequence of them"
        ) from None
    return names[number] if 0 <= number < len(names) else None
