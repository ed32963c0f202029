"""Selection of the table and of the columns of a map in a FITS file."""

import math

import numpy as np

from spherekit._core import checks
from spherekit.io import headers
from spherekit.io.alm import is_alm
from spherekit.io.fits import first_table, outlines
from spherekit.io.pixel_numbers import (
    is_pixel_numbers,
    is_uniq_name,
    may_be_pixel_numbers,
    pixel_column,
)
from spherekit.io.spectra import is_spectrum
from spherekit.io.stokes import column_of


def map_columns(table):
    """(name of the column of pixel numbers or None, names of the fields) of the table of a map.

    >>> from spherekit.io import Table
    >>> map_columns(Table({}, {"PIXEL": [0], "T": [1.0]}, {}))
    ('PIXEL', ['T'])
    """
    is_explicit = headers.text(headers.MergedHeader(table), "INDXSCHM").upper() == "EXPLICIT"
    pixel = pixel_column(table.columns, is_explicit)
    return pixel, [n for n in table.columns if n != pixel]


def is_map(table):
    """Whether the header declares a HEALPix map."""
    header = headers.MergedHeader(table)
    values = (headers.text(header, key) for key in ("PIXTYPE", "ORDERING", "INDXSCHM"))
    return any(values) and not is_alm(table)


def select_table(path, hdu, ordering, field=None, visit=None):
    """The table of a map: that with number or name ``hdu``, or else the first that is or may be a map.

    Columns that the argument ``field`` of `read_map` does not select may be empty. ``visit`` as in
    `first_table`.
    """
    table = first_table(
        path, hdu, is_map, lambda outline: _needed_columns(path, outline, field), visit
    )
    try:
        map_columns(table)  # raises an error for a damaged header
        return _refuse_other_kinds(path, table, ordering)
    except headers.HeaderError as error:
        raise ValueError(f"{path}: {error}") from None


def field_names(path, hdu, ordering):
    """The names of the fields of the table that `select_table` returns, from the header if that suffices."""
    names = None if hdu is not None else _names_in_header(path, ordering)
    return map_columns(select_table(path, hdu, ordering))[1] if names is None else names


def _names_in_header(path, ordering):
    """The names of the fields of the first map, or None if a column may be one of pixel numbers."""
    tables = outlines(path)
    try:
        table = next(filter(is_map, tables), tables[0])
        header = headers.MergedHeader(table)
        schemes = {headers.text(header, key).upper() for key in ("INDXSCHM", "ORDERING")}
        if schemes & {"EXPLICIT", "NUNIQ", "UNIQ"}:
            return None
        integers = np.zeros(0, int)
        if any(is_pixel_numbers(name, integers) for name in table.columns):
            return None
        return list(_refuse_other_kinds(path, table, ordering).columns)
    except headers.HeaderError as error:
        raise ValueError(f"{path}: {error}") from None


def _refuse_other_kinds(path, table, ordering):
    location = f"{path} (HDU {table.hdu})"
    if is_alm(table):
        raise ValueError(
            f"{location} contains spherical-harmonic coefficients (alm); expected a map: read them with "
            "spherekit.io.read_alm, or compute a map with `spherekit transform --inverse`"
        )
    if ordering is None and not is_map(table) and is_spectrum(table):
        raise ValueError(
            f"{location} contains power spectra; expected a map: read them with "
            "spherekit.io.read_cl, or simulate skies with `spherekit simulate`"
        )
    pixtype = headers.text(headers.MergedHeader(table), "PIXTYPE")
    if pixtype and pixtype.upper() != "HEALPIX":
        raise ValueError(f"{location}: the header has PIXTYPE = {pixtype!r}; expected HEALPIX")
    return table


def _needed_columns(path, outline, field):
    """The names of the selected fields and of the pixel numbers, or None if they depend on the values."""
    if any(may_be_pixel_numbers(name) for name in outline.columns):
        return None
    try:
        pixel, _ = map_columns(outline)
        return {pixel, *select_columns(path, outline, field)}
    except (ValueError, TypeError):
        return None


def select_columns(path, table, field):
    """The names of the columns that the argument ``field`` of `read_map` selects."""
    pixel, names = map_columns(table)
    is_coverage = not names and pixel is not None and is_uniq_name(pixel)
    if field is None or (is_coverage and field == 0):
        return names
    fields = [field] if isinstance(field, str) or not np.iterable(field) else list(field)
    return [_column(path, table, names, item) for item in fields]


def _column(path, table, names, field):
    name = _by_name(names, field) if isinstance(field, str) else _by_number(names, field)
    if name is None:
        fields = ", ".join(f"{i} {name}" for i, name in enumerate(names))
        raise ValueError(
            f"{path} (HDU {table.hdu}) has no field {field}; its fields are {fields or '(none)'}"
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
