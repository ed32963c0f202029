"""Labels of maps: the rows of a CSV file, checked."""

import csv
import math
import os
import re
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

COLUMNS = "path", "label"
#: Names that the columns may have, in any capitals; those of `spherekit simulate` are the second.
_NAMES = {"path": ("path", "file"), "label": ("label", "class")}
#: Between cells; the first one that separates the names of the columns.
_DELIMITERS = ",", ";", "\t"
#: So few different whole numbers look like classes.
_LIKE_CLASSES = 10
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")


class Labels(NamedTuple):
    """The rows of a CSV file.

    source : the file
    paths : of the maps
    rows : line numbers, from 1
    classes : names, sorted; None where labels are numbers
    targets : class indices, or float64 numbers
    """

    source: str
    paths: list
    rows: list
    classes: list | None
    targets: np.ndarray

    def place(self, i):
        """Of a map, for messages."""
        return f"{self.source}, row {self.rows[i]}"

    def checksum(self, indices):
        """Of the paths, as the list has them, and the labels of these maps, in their order."""
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
    """`Labels` of a CSV file with the columns path and label; paths are relative to its folder.

    The columns may be called file and class, in any capitals; semicolons or tabs may separate them.

    Parameters
    ----------
    source : path
    kind : {"classes", "numbers"}, optional
        By default numbers where all labels are.

    Raises
    ------
    FileNotFoundError
        The file, or a map that it lists.
    ValueError
        A file that is not UTF-8; a missing column, path or label; a map that is listed twice; labels of which
        only several are numbers; one class only.
    """
    source = Path(source)
    if not source.is_file():
        raise FileNotFoundError(
            f"no file {source}; expected a CSV file that lists maps, with the columns path,label"
        )
    entries = list(_entries(source))
    if not entries:
        raise ValueError(f"{source} lists no maps; expected a row path,label for each")
    _check_paths(source, entries)
    rows, paths = [row for row, _, _ in entries], [path for _, path, _ in entries]
    numbers = [_number(text) for _, _, text in entries]
    if kind != "classes":
        _refuse_decimal_commas(source, entries, numbers)
    if kind is None:
        kind = "classes" if None in numbers else "numbers"
        if None in numbers and any(number is not None for number in numbers):
            raise _mixed(source, entries, numbers)
    if kind == "classes":
        texts = [text for _, _, text in entries]
        classes = sorted(set(texts))
        if len(classes) < 2:
            raise ValueError(
                f"{source}: all {len(texts)} labels are {classes[0]!r}; expected two classes or more"
            )
        targets = np.array([classes.index(text) for text in texts])
        return Labels(str(source), paths, rows, classes, targets)
    for (row, _, text), number in zip(entries, numbers, strict=True):
        if number is None or not math.isfinite(number):
            raise ValueError(
                f"{source}, row {row}: the label is {text!r}; expected a finite number"
            )
    if len(set(numbers)) < 2:
        raise ValueError(
            f"{source}: all {len(numbers)} labels are {numbers[0]:g}; expected numbers that differ"
        )
    return Labels(str(source), paths, rows, None, np.array(numbers))


def look_like_classes(labels):
    """Whether labels that are numbers may be meant as classes: repeated whole numbers, few different ones."""
    values = np.unique(labels.targets)
    return (
        labels.classes is None
        and len(values) <= _LIKE_CLASSES
        and len(values) * 3 <= len(labels.targets)
        and bool(np.all(values == np.round(values)))
    )


def _entries(source):
    """(line number, path, label) of each row that is not empty."""
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
                path, label = (cells[place].strip() for place in columns)
                yield reader.line_num, path, label
    except csv.Error as error:
        raise ValueError(f"{source} is not a CSV file: {error}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{source} is not UTF-8: save it so") from None


def _columns(source, line):
    """(delimiter, (place of the path, place of the label)) by the first row."""
    for delimiter in _DELIMITERS:
        head = [name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter), [])]
        columns = [_place(source, head, *names) for names in _NAMES.items()]
        if None not in columns:
            return delimiter, columns
    head = [name.strip().lower() for name in next(csv.reader([line]), [])]
    missing = [name for name in COLUMNS if _place(source, head, name, _NAMES[name]) is None]
    used = [word for mark, word in ((";", "semicolons"), ("\t", "tabs")) if mark in line]
    separated = f", which {used[0]} separate" if used else ""
    raise ValueError(
        f"{source}: its first row is {line.strip()[:80]!r}{separated}, without {' and '.join(missing)}; "
        "expected the names of the columns, path,label"
    )


def _place(source, head, column, names):
    """Where a column is, by its own name, else by the second one; None where it is missing."""
    for name in names:
        if head.count(name) > 1:
            raise ValueError(f"{source}: its first row names {name} twice; expected one {column}")
        if name in head:
            return head.index(name)
    return None


def _advice_on_cells(cells, head, delimiter):
    """What may be wrong with a row of too many cells."""
    if delimiter == "," and len(cells) == len(head) + 1:
        pairs = (f"{a.strip()},{b.strip()}" for a, b in zip(cells, cells[1:], strict=False))
        if any(_DECIMAL_COMMA.fullmatch(pair) for pair in pairs):
            return "; a decimal comma? write numbers with a point, as 1.5"
    return ""


def _refuse_decimal_commas(source, entries, numbers):
    for (row, _, text), number in zip(entries, numbers, strict=True):
        if number is None and _DECIMAL_COMMA.fullmatch(text):
            raise ValueError(
                f"{source}, row {row}: the label {text!r} has a decimal comma; write numbers with a point, "
                f"as {text.replace(',', '.')}"
            )


def _check_paths(source, entries):
    """Replace the paths, in place, by those seen from the working folder; refuse what is missing."""
    seen = {}
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
        first = seen.setdefault(file.resolve(), row)
        if first != row:
            raise ValueError(
                f"{source}, row {row}: {path} is that of row {first}; list every map once, or a test map may "
                "be one of the training"
            )
        entries[number] = row, str(file), label


def _number(text):
    try:
        return float(text)
    except ValueError:
        return None


def _mixed(source, entries, numbers):
    """The error for labels of which several are numbers, naming a row of the rarer kind."""
    are_text = [number is None for number in numbers]
    rare = sum(are_text) * 2 <= len(are_text)
    row, _, text = entries[are_text.index(rare)]
    kinds = ("text", "numbers") if rare else ("a number", "text")
    return ValueError(
        f"{source}, row {row}: the label {text!r} is {kinds[0]}, most others are {kinds[1]}; correct it, or "
        "pass --classes if all labels are names of classes"
    )
