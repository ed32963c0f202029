"""The formats of files of bandpowers: FITS, text, and archives of NumPy."""

import gzip
import zipfile
from typing import NamedTuple

import numpy as np

from spherekit._core.atomic_files import replacing
from spherekit.io import headers, kinds, provenance
from spherekit.io.arrays import read_arrays, write_arrays
from spherekit.io.fits import first_table, outlines, tables, write_tables
from spherekit.io.frames import frame_of, table_frame

#: Name of the FITS tables, and ending of the columns of errors.
_TABLE, _WINDOWS, _ERROR = "BANDPOWERS", "WINDOWS", "_ERR"
_RANGE = ("L", "LMIN", "LMAX")
_TEXTS = ("text", "a gzip file of text")
_HEAD = "content: bandpowers"


class Contents(NamedTuple):
    """What a file of bandpowers contains, as `spherekit.io.BandpowerTable`, with the key POLCCONV."""

    ell: np.ndarray | None
    first: np.ndarray
    last: np.ndarray
    values: dict
    errors: dict
    windows: dict
    kind: str
    units: dict
    frame: str
    polcconv: str
    history: tuple | None


def contains_bandpowers(path):
    """Whether a file is one of bandpowers; its content decides, not its name.

    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "a.txt")
    >>> with open(path, "w") as file:
    ...     _ = file.write("# content: bandpowers")
    >>> contains_bandpowers(path)
    True
    """
    description = kinds.describe(path)
    if kinds.is_fits(path):
        try:
            return any(map(_is_table, outlines(path)))
        except ValueError:  # such as an image
            return False
    if description in _TEXTS:
        opener = gzip.open if description.startswith("a gzip") else open
        try:
            with opener(path, "rb") as file:
                return file.readline(80).decode("utf-8", "replace").lstrip("# ").strip() == _HEAD
        except (OSError, EOFError):
            return False
    return description == "a NumPy archive (.npz)" and "bandpowers" in _array_names(path)


def _array_names(path):
    try:
        with zipfile.ZipFile(path) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist()]
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return list(read_arrays(path))  # raises the error of a damaged file


def _is_table(table):
    names = {name.upper() for name in table.columns}
    return {"LMIN", "LMAX"} <= names


def read(path):
    """The `Contents` of a file."""
    if not contains_bandpowers(path):
        raise ValueError(
            "the file contains no bandpowers; expected a file of spherekit.io.write_bandpowers, or a FITS "
            "table with the columns LMIN and LMAX (spectra of each degree are read by "
            "spherekit.io.read_spectra)"
        )
    if kinds.is_fits(path):
        return _from_fits(path)
    if kinds.describe(path) in _TEXTS:
        return _from_text(path)
    return _from_numpy(path)


def write(path, contents, *, overwrite=False):
    """Write the `Contents` to the format of the suffix of a file."""
    name = path.lower().removesuffix(".gz")
    if name.endswith(".npz"):
        _write_numpy(path, contents, overwrite)
    elif name.endswith((".txt", ".dat")):
        _write_text(path, contents, overwrite)
    elif name.endswith((".fits", ".fit", ".fts")):
        _write_fits(path, contents, overwrite)
    else:
        raise ValueError(f"{path} has another suffix than .fits, .txt, .dat and .npz")


# --- FITS --------------------------------------------------------------------------------------------------


def _from_fits(path):
    table = first_table(path, None, _is_table)
    columns = {name.upper(): (name, x) for name, x in table.columns.items()}
    limits = [columns[name][1] for name in _RANGE[1:]]
    ell = next((columns[name][1] for name in ("L", "ELL") if name in columns), None)
    values = {}
    errors = {}
    for key, (name, x) in columns.items():
        if key in (*_RANGE, "ELL"):
            continue
        x = x.astype(float) if x.dtype.kind in "iuf" else x
        if key.endswith(_ERROR) and key.removesuffix(_ERROR) in columns:
            errors[columns[key.removesuffix(_ERROR)][0]] = x
        else:
            values[name] = x
    kind = headers.text(table.header, "KIND").lower()
    units = {name: table.units.get(name, "") for name in values}
    of_file = kind, units, table_frame(table), headers.text(table.header, "POLCCONV")
    windows = _windows_of_fits(path, values)
    return Contents(ell, *limits, values, errors, windows, *of_file, headers.history(table))


def _windows_of_fits(path, values):
    table = next((x for x in tables(path) if x.name.upper() == _WINDOWS), None)
    windows = {}
    for column, x in (table.columns if table else {}).items():
        name = next((name for name in values if column.startswith(f"{name}_")), None)
        if name is not None:
            n = len(values[name])
            windows.setdefault(name, {})[column.removeprefix(f"{name}_")] = _rows(path, x, n)
    return windows


def _rows(path, x, n):
    """The rows of n bins of a column, which the reader of tables joins to one array."""
    if x.size % n or x.dtype.kind != "f":
        raise ValueError(
            f"the table {_WINDOWS} has {x.size} values in a column; expected rows of {n} bins"
        )
    return x.astype(float).reshape(n, -1)


def _write_fits(path, contents, overwrite):
    columns = [("L", contents.ell, "")]
    columns += [("LMIN", contents.first.astype(np.int32), "")]
    columns += [("LMAX", contents.last.astype(np.int32), "")]
    for name, values in contents.values.items():
        columns.append((name, values, contents.units[name]))
        if name in contents.errors:
            columns.append((name + _ERROR, contents.errors[name], contents.units[name]))
    header = {"KIND": contents.kind.upper()}
    header |= {"COORDSYS": contents.frame} if contents.frame else {}
    header |= {"POLCCONV": contents.polcconv} if contents.polcconv else {}
    written = [(columns, header, _TABLE)]
    windows = [
        (f"{name}_{source}", rows.ravel(), "", rows.shape[1])
        for name, of_name in contents.windows.items()
        for source, rows in of_name.items()
    ]
    written += [(windows, {}, _WINDOWS)] if windows else []
    write_tables(path, written, history=contents.history, overwrite=overwrite)


# --- text --------------------------------------------------------------------------------------------------


def _from_text(path):
    opener = gzip.open if path.lower().endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    head = [line.lstrip("#").strip() for line in lines if line.startswith("#")]
    entries = {}
    for line in head:
        key, colon, value = line.partition(":")
        if colon:
            entries.setdefault(key, []).append(value.strip())
    provenance.record_input(path, entries.get("history", ()))
    names = head[-1].split() if head else []
    try:
        rows = [[float(word) for word in x.split()] for x in lines if x and not x.startswith("#")]
        table = np.array(rows, float)
    except ValueError as error:
        raise ValueError(f"the table of bandpowers is damaged: {error}") from None
    if names[:3] != ["l", "lmin", "lmax"] or table.ndim != 2 or table.shape[1] != len(names):
        raise ValueError(
            f"the table has the columns {' '.join(names)} and shape {table.shape}; expected l, lmin, lmax "
            "and bandpowers"
        )
    columns = dict(zip(names[3:], table.T[3:], strict=True))
    ending = _ERROR.lower()
    errors = {name.removesuffix(ending): x for name, x in columns.items() if name.endswith(ending)}
    values = {name: x for name, x in columns.items() if not name.endswith(ending)}
    kind, frame, polcconv, units = (
        (entries.get(key) or [""])[0] for key in ("kind", "coordsys", "polcconv", "units")
    )
    units = ["" if unit == "-" else unit for unit in units.split()]
    units = dict(zip(values, units, strict=False))
    history = tuple(entries.get("history", ()))
    return Contents(*table.T[:3], values, errors, {}, kind, units, frame, polcconv, history)


def _write_text(path, contents, overwrite):
    units = " ".join(_word(contents.units[name]) or "-" for name in contents.values)
    lines = [_HEAD, f"kind: {contents.kind}", f"units: {units}"]
    lines += [f"coordsys: {contents.frame}"] if contents.frame else []
    lines += [f"polcconv: {contents.polcconv}"] if contents.polcconv else []
    history = provenance.history(contents.history)
    lines += [f"history: {' '.join(str(line).split())}" for line in history]
    columns = {}
    for name, values in contents.values.items():
        columns[_word(name)] = values
        if name in contents.errors:
            columns[_word(name) + _ERROR.lower()] = contents.errors[name]
    lines.append(" ".join(["l lmin lmax", *columns]))
    rows = [
        [repr(float(x)) for x in row] for row in zip(contents.ell, *columns.values(), strict=True)
    ]
    opener = gzip.open if path.lower().endswith(".gz") else open
    with (
        replacing(path, overwrite) as temporary,
        opener(temporary, "wt", encoding="utf-8") as file,
    ):
        file.writelines(f"# {line}\n" for line in lines)
        for (ell, *words), first, last in zip(rows, contents.first, contents.last, strict=True):
            file.write(f"{ell} {first} {last} {' '.join(words)}\n")


def _word(text):
    """Text without blanks and number signs, which separate columns and comments."""
    return "_".join(str(text).replace("#", " ").split())


# --- archives of NumPy -------------------------------------------------------------------------------------


def _from_numpy(path):
    arrays = read_arrays(path)
    names = [str(name) for name in np.atleast_1d(arrays.get("columns", ()))]
    absent = [name for name in ("lmin", "lmax", "columns") if name not in arrays]
    rows = np.atleast_2d(arrays["bandpowers"])
    if absent or len(names) != len(rows):
        raise ValueError(
            f"the arrays are {', '.join(arrays)}; expected lmin, lmax, columns and bandpowers, with one row "
            "for each of the columns"
        )
    values = dict(zip(names, rows.astype(float), strict=True))
    errors = {}
    if "errors" in arrays:
        rows = np.atleast_2d(arrays["errors"]).astype(float)
        errors = {name: x for name, x in zip(names, rows, strict=True) if not np.isnan(x).all()}
    windows = {}
    pairs = [str(pair).split() for pair in np.atleast_1d(arrays.get("window_pairs", ()))]
    for (name, source), x in zip(pairs, arrays.get("windows", ()), strict=True):
        windows.setdefault(name, {})[source] = x
    units = [str(unit) for unit in np.atleast_1d(arrays.get("unit", ""))]
    units = dict(zip(names, units * len(names) if len(units) == 1 else units, strict=False))
    kind, frame, polcconv = (str(arrays.get(key, "")) for key in ("kind", "frame", "polcconv"))
    history = tuple(str(line) for line in np.atleast_1d(arrays.get("history", ())))
    limits = arrays.get("ell"), arrays["lmin"], arrays["lmax"]
    return Contents(*limits, values, errors, windows, kind, units, frame, polcconv, history)


def _write_numpy(path, contents, overwrite):
    names = list(contents.values)
    arrays = dict(ell=contents.ell, lmin=contents.first, lmax=contents.last)
    arrays |= dict(bandpowers=np.stack(list(contents.values.values())), columns=names)
    if contents.errors:
        absent = np.full(len(contents.ell), np.nan)
        arrays["errors"] = np.stack([contents.errors.get(name, absent) for name in names])
    pairs = [(name, source) for name, of_name in contents.windows.items() for source in of_name]
    if pairs:
        arrays["windows"] = np.stack([contents.windows[name][source] for name, source in pairs])
        arrays["window_pairs"] = [f"{name} {source}" for name, source in pairs]
    arrays |= dict(kind=contents.kind, unit=[contents.units[name] for name in names])
    arrays |= dict(frame=frame_of(contents.frame), polcconv=contents.polcconv)
    arrays["history"] = list(provenance.history(contents.history))
    write_arrays(path, overwrite=overwrite, **arrays)
