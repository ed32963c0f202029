"""Tables of points in CSV: one sample a row, with its latitude and longitude, or colatitude."""

import csv
import re

import numpy as np

from spherekit import sampling
from spherekit._core.atomic_files import replacing
from spherekit.io.arguments import ArgumentError, select_names
from spherekit.io.frames import frame_of
from spherekit.io.latlon_text import read_bytes
from spherekit.io.records import Map

#: Names of the columns of latitudes and longitudes, in lower case, and their coordinate frame by default.
_POSITIONS = (
    (("lat", "latitude"), ("lon", "long", "longitude"), "geographic"),
    (("dec", "declination"), ("ra",), "equatorial"),
    (("theta", "colatitude"), ("phi",), ""),
    (("b", "glat"), ("l", "glon"), "galactic"),
)
_IN_RADIANS = ("theta", "colatitude", "phi")
#: The start of the comment that defines the frame.
_FRAME = "frame:"
#: Decimals of written latitudes and longitudes.
_DECIMALS = 12


def is_table(path):
    """Whether one of the first lines of a text file names columns of latitudes and longitudes."""
    return _header(read_bytes(path)[:8192].split(b"\n")[:50]) is not None


def _header(lines):
    """The number of the first line that names columns of latitudes and longitudes, or None."""
    for number, line in enumerate(lines):
        if _positions_among(_names(line)) is not None:
            return number
    return None


def _positions_among(names):
    """(column of latitudes or colatitudes, column of longitudes, coordinate frame), or None."""
    by_key = {_key(name): name for name in reversed(names)}
    for *choices, frame in _POSITIONS:
        columns = [next(filter(None, map(by_key.get, names)), None) for names in choices]
        if None not in columns:
            return (*columns, frame)
    return None


def _key(name):
    """The name of a column in lower case, without its unit."""
    return name.lower().partition("[")[0].partition("(")[0].strip()


def _names(line):
    text = line.decode("utf-8-sig", "replace").strip().lstrip("#").strip()
    return _entries(text, _separator(text))


def _separator(text):
    """The character between columns, with which their names include positions; None: blanks."""
    marks = [mark for mark in (",", ";", "\t") if mark in text]
    with_positions = [mark for mark in marks if _positions_among(_entries(text, mark)) is not None]
    return (*with_positions, *marks, None)[0]


def _entries(text, separator):
    """The entries of a line, without quotes and blanks around them."""
    if separator is None:
        return [entry.strip('"') for entry in text.split()]
    try:
        is_quoted = '"' in text
        row = (
            next(csv.reader([text], delimiter=separator), [])
            if is_quoted
            else text.split(separator)
        )
    except csv.Error:  # a very long entry
        row = text.split(separator)
    return [entry.strip() for entry in row]


def read_points(path, field=None, grid=None):
    """The `Map` of a table of points, on the grid that has these points."""
    lines = read_bytes(path).split(b"\n")
    number = _header(lines)
    names = _names(lines[number])
    text = [line.decode("utf-8", "replace").strip() for line in lines[number + 1 :]]
    comments = [line.decode("utf-8", "replace").strip()[1:].strip() for line in lines[:number]]
    named = [line.removeprefix(_FRAME) for line in comments if line.startswith(_FRAME)]
    rows = [line for line in text if line and not line.startswith("#")]
    separator = _separator(lines[number].decode("utf-8-sig", "replace"))
    texts = _columns(path, names, [_entries(row, separator) for row in rows], separator)
    lat, lon, frame = _positions_among(names)
    fields = [name for name in names if name not in (lat, lon)]
    if not fields:
        raise ValueError(f"{path} has no columns besides {', '.join(names)}; expected values")
    omitted = [name for name in fields if _is_text(texts[name], separator)] if field is None else []
    numeric = [name for name in fields if name not in omitted] or fields
    selected = select_names(path, numeric if field is None else field, fields)
    table = {name: _values_of(path, name, texts[name], separator) for name in (lat, lon, *selected)}
    try:
        frame = frame_of(named[0]) if named else frame
        sphere, order = sampling.from_points(_latitudes(lat, table), _longitudes(lon, table))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if grid is not None and sampling.grid(grid) != sphere:
        raise ArgumentError(f"grid={grid}, but the points of {path} are those of {sphere}")
    is_sorted = np.array_equal(order, np.arange(len(table[lat])))
    sorted_note = () if is_sorted else ("points were sorted in the order of the grid",)
    values = np.stack([table[name][order].reshape(sphere.shape) for name in selected])
    plain, units = zip(*map(_name_and_unit, selected), strict=True)
    return Map(
        values if len(values) > 1 else values[0],
        sphere,
        plain,
        units,
        frame=frame,
        history=tuple(line for line in comments if line.startswith("spherekit ")),
        notes=(*_notes(texts, omitted, selected, separator), *sorted_note),
    )


def _columns(path, names, rows, separator):
    """The entries of each column by its name, as text."""
    for number, row in enumerate(rows, 2):
        if len(row) != len(names):
            advice = (
                "; decimal commas need another separator, such as ;" if separator == "," else ""
            )
            raise ValueError(
                f"{path}: row {number} has {len(row)} entries; expected {len(names)}: {', '.join(names)}"
                + (advice if len(row) > len(names) else "")
            )
    if not rows:
        raise ValueError(f"{path} has no rows below the names of its columns")
    return dict(zip(names, zip(*rows, strict=True), strict=True))


#: Entries of missing samples, in lower case.
_MISSING = ("", "na", "n/a", "nan", "null")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")


def _number(entry, separator):
    """The number of an entry, NaN if it is missing; None if it is neither."""
    if entry.lower() in _MISSING:
        return np.nan
    if separator != "," and _DECIMAL_COMMA.fullmatch(entry):
        entry = entry.replace(",", ".")
    try:
        return float(entry)
    except ValueError:
        return None


def _values_of(path, name, entries, separator):
    """The numbers of a column; empty entries and NA are NaN."""
    values = [_number(entry, separator) for entry in entries]
    if None in values:
        row = values.index(None)
        raise ValueError(
            f"{path}: the column {name}: {entries[row]!r} in row {row + 2} is not a number; expected "
            f"numbers, or {', '.join(_MISSING[1:])} or nothing for missing ones; select other columns with "
            "field=NAME"
        )
    return np.array(values)


def _is_text(entries, separator):
    """Whether a column has no numbers, but text."""
    values = [_number(entry, separator) for entry in entries]
    return None in values and all(x is None or np.isnan(x) for x in values)


def _notes(texts, omitted, selected, separator):
    if omitted:
        yield f"columns of text that are not read: {', '.join(omitted)}"
    if separator != "," and any(
        _DECIMAL_COMMA.fullmatch(x) for name in selected for x in texts[name]
    ):
        yield "decimal commas are read as points"


def _latitudes(name, table):
    return 90 - np.degrees(table[name]) if _key(name) in _IN_RADIANS else table[name]


def _longitudes(name, table):
    return np.degrees(table[name]) if _key(name) in _IN_RADIANS else table[name]


def _name_and_unit(name):
    """The name and the unit of a column "name [unit]"."""
    plain, bracket, unit = name.partition("[")
    return (plain.strip(), unit.strip().rstrip("]")) if bracket else (name, "")


def write_points(sky, path, overwrite=False):
    """Write a map to CSV: latitude and longitude in degrees, and one column for each field."""
    if sky.axes:
        raise ValueError(
            f"{path}: a table of points has no further axes, and the map has {', '.join(sky.axes)}; select "
            "one position on each, or write .npz or .nc"
        )
    if np.iscomplexobj(sky.values):
        raise ValueError(
            f"{path}: a table of points has real columns; write .npz for a complex field"
        )
    values = sky.values if len(sky) > 1 else sky.values[None]
    lat, lon = _positions(sky.grid)
    labels = [
        f"{name or 'value'} [{u}]" if u else name or "value"
        for name, u in zip(sky.names, sky.units, strict=True)
    ]
    columns = [lat, lon, *values.reshape(len(values), -1)]
    with replacing(path, overwrite) as temporary:
        with open(temporary, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            file.writelines(f"# {line}\n" for line in sky.history)
            file.write(f"# {_FRAME} {sky.frame or 'none'}\n")
            writer.writerow(["lat", "lon", *labels])
            writer.writerows(zip(*(column.tolist() for column in columns), strict=True))


def _positions(grid):
    """(latitudes, longitudes) of all samples, in degrees."""
    if grid.rectangular:
        theta, phi = np.meshgrid(grid.theta, grid.phi, indexing="ij")
        theta, phi = theta.ravel(), phi.ravel()
    else:
        theta, phi = grid.theta, grid.phi
    return np.round(90 - np.degrees(theta), _DECIMALS), np.round(np.degrees(phi), _DECIMALS)
