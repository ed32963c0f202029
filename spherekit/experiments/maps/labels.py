"""Labels of maps: read and validate the rows of a CSV file."""

import csv
import math
import os
import re
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

COLUMNS = "path", "label"
#: Accepted names of the columns, case-insensitive; `spherekit simulate` writes the second ones.
_NAMES = {"path": ("path", "file"), "label": ("label", "class")}
#: Accepted delimiters; the first one that separates the names of the columns is used.
_DELIMITERS = ",", ";", "\t"
#: Largest number of distinct integers that may be meant as classes.
_MAX_CLASS_NUMBERS = 10
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")


class Labels(NamedTuple):
    """The rows of a CSV file.

    Attributes
    ----------
    source : str
        Path of the file.
    paths : list of str
        Paths of the maps.
    rows : list of int
        Line numbers in the file, starting at 1.
    classes : list of str, optional
        Sorted names; None if the labels are numbers.
    targets : ndarray [shape=(maps,)]
        Class indices, or float64 numbers.
    """

    source: str
    paths: list
    rows: list
    classes: list | None
    targets: np.ndarray

    def location(self, i):
        """File and row of a map, for messages."""
        return f"{self.source}, row {self.rows[i]}"

    def checksum(self, indices):
        """Checksum of the paths, as in the CSV file, and the labels of these maps, in this order."""
        checksum = 0
        for i in indices:
            label = (
                self.targets[i].item() if self.classes is None else self.classes[self.targets[i]]
            )
            path = os.path.relpath(self.paths[i], Path(self.source).parent)
            text = f"{path}\0{label!r}\n"
            checksum = zlib.crc32(text.encode("utf-8", "surrogateescape"), checksum)
        return f"crc32 {checksum:08x}"


def read_labels(source, kind=None):
    """Read the `Labels` of a CSV file with the columns path and label; paths are relative to its folder.

    The columns may also be called file and class, in upper or lower case; the delimiter may be a comma, a
    semicolon or a tab.

    Parameters
    ----------
    source : path
    kind : {"classes", "numbers"}, optional
        By default numbers if all labels are numbers, else classes.

    Returns
    -------
    Labels

    Raises
    ------
    FileNotFoundError
        If the file or a map that it lists does not exist.
    ValueError
        If the file is not UTF-8, a column, path or label is missing, a map is listed twice, only part of the
        labels are numbers, or there is only one class.
    """
    source = Path(source)
    if not source.is_file():
        raise FileNotFoundError(
            f"no file {source}; expected a CSV file that lists maps, with the columns path,label"
        )
    entries = list(_entries(source))
    if not entries:
        raise ValueError(f"{source} lists no maps; expected a row path,label for each map")
    _check_paths(source, entries)
    rows = [row for row, _, _ in entries]
    paths = [path for _, path, _ in entries]
    values = [_number(text) for _, _, text in entries]
    if kind != "classes":
        _check_decimal_commas(source, entries, values)
    if kind is None:
        kind = "classes" if None in values else "numbers"
        if None in values and any(value is not None for value in values):
            raise _mixed(source, entries, values)
    if kind == "classes":
        texts = [text for _, _, text in entries]
        classes = sorted(set(texts))
        if len(classes) < 2:
            raise ValueError(
                f"{source}: all {len(texts)} labels are {classes[0]!r}; expected two classes or more"
            )
        targets = np.array([classes.index(text) for text in texts])
        return Labels(str(source), paths, rows, classes, targets)
    for (row, _, text), value in zip(entries, values, strict=True):
        if value is None or not math.isfinite(value):
            raise ValueError(
                f"{source}, row {row}: the label is {text!r}; expected a finite number"
            )
    if len(set(values)) < 2:
        raise ValueError(
            f"{source}: all {len(values)} labels are {values[0]:g}; expected numbers that differ"
        )
    return Labels(str(source), paths, rows, None, np.array(values))


def look_like_classes(labels):
    """Whether labels that are numbers may be meant as classes: few distinct integers, each repeated."""
    values = np.unique(labels.targets)
    return (
        labels.classes is None
        and len(values) <= _MAX_CLASS_NUMBERS
        and len(values) * 3 <= len(labels.targets)
        and bool(np.all(values == np.round(values)))
    )


def _entries(source):
    """(line number, path, label) of each nonempty row."""
    try:
        with open(source, newline="", encoding="utf-8-sig") as file:
            delimiter, columns = _columns(source, file.readline())
            file.seek(0)
            reader = csv.reader(file, strict=True, delimiter=delimiter)
            head = next(reader, [])
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(head):
                    raise ValueError(
                        f"{source}, row {reader.line_num}: {len(cells)} cells; the first row names "
                        f"{len(head)} columns{_advice_on_cells(cells, head, delimiter)}"
                    )
                path, label = (cells[index].strip() for index in columns)
                yield reader.line_num, path, label
    except csv.Error as error:
        raise ValueError(f"{source} is not a CSV file: {error}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{source} is not encoded in UTF-8; save it in this encoding") from None


def _columns(source, line):
    """(delimiter, (index of the path, index of the label)), determined from the first row."""
    for delimiter in _DELIMITERS:
        head = [name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter), [])]
        columns = [_column_index(source, head, *names) for names in _NAMES.items()]
        if None not in columns:
            return delimiter, columns
    head = [name.strip().lower() for name in next(csv.reader([line]), [])]
    missing = [name for name in COLUMNS if _column_index(source, head, name, _NAMES[name]) is None]
    delimiters = [word for mark, word in ((";", "semicolons"), ("\t", "tabs")) if mark in line]
    separated = f", separated by {delimiters[0]}" if delimiters else ""
    raise ValueError(
        f"{source}: its first row is {line.strip()[:80]!r}{separated}, without {' and '.join(missing)}; "
        "expected the names of the columns, path,label"
    )


def _column_index(source, head, column, names):
    """Index of a column by the first of its names that occurs; None if it is missing."""
    for name in names:
        if head.count(name) > 1:
            raise ValueError(f"{source}: its first row names {name} twice; expected one {column}")
        if name in head:
            return head.index(name)
    return None


def _advice_on_cells(cells, head, delimiter):
    """A hint on the cause of a wrong number of cells."""
    if delimiter == "," and len(cells) == len(head) + 1:
        pairs = (f"{a.strip()},{b.strip()}" for a, b in zip(cells, cells[1:], strict=False))
        if any(_DECIMAL_COMMA.fullmatch(pair) for pair in pairs):
            return "; a decimal comma? write numbers with a point, as 1.5"
    return ""


def _check_decimal_commas(source, entries, values):
    for (row, _, text), value in zip(entries, values, strict=True):
        if value is None and _DECIMAL_COMMA.fullmatch(text):
            raise ValueError(
                f"{source}, row {row}: the label {text!r} has a decimal comma; write numbers with a point, "
                f"as {text.replace(',', '.')}"
            )


def _check_paths(source, entries):
    """Make the paths relative to the working directory, in place; raise for missing and repeated ones."""
    first_rows = {}
    for number, (row, path, label) in enumerate(entries):
        for name, cell in zip(COLUMNS, (path, label), strict=True):
            if not cell:
                raise ValueError(
                    f"{source}, row {row}: the {name} is empty; fill it in, or remove the row"
                )
        file = source.parent / path
        if not file.is_file():
            raise FileNotFoundError(
                f"{source}, row {row}: no file {file}; paths are relative to the folder of {source.name}"
            )
        first = first_rows.setdefault(file.resolve(), row)
        if first != row:
            raise ValueError(
                f"{source}, row {row}: {path} is the map of row {first}; list each map once, so that no "
                "training map is among the test maps"
            )
        entries[number] = row, str(file), label


def _number(text):
    try:
        return float(text)
    except ValueError:
        return None


def _mixed(source, entries, values):
    """The error for a mixture of numbers and text, with a row of the rarer kind."""
    are_text = [value is None for value in values]
    is_text_rarer = sum(are_text) * 2 <= len(are_text)
    row, _, text = entries[are_text.index(is_text_rarer)]
    kinds = ("text", "numbers") if is_text_rarer else ("a number", "text")
    return ValueError(
        f"{source}, row {row}: the label {text!r} is {kinds[0]}, most others are {kinds[1]}; correct it, or "
        "pass --classes if all labels are names of classes"
    )
