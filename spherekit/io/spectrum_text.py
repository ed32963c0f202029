"""Tables of power spectra in text files: those of CAMB, CLASS and the Planck archive, and ``l C_l``.

Some codes write C_l, others D_l = l (l+1) C_l / 2 pi, which differ by a factor of up to a million. A file
defines it by the words of its header, the names of its columns, or the columns of CAMB; otherwise the caller
does.
"""

import gzip
import os
import re
import zlib
from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit._core.atomic_files import replacing
from spherekit.io import kinds, provenance
from spherekit.io.multipoles import (
    PRODUCT,
    WORD,
    checked_multipoles,
    cl_of_dl,
    from_zero,
    is_multipole,
    kind_of_name,
    name_of_cl,
    notes_of,
)

#: Columns of the text files of CAMB without a header, by the end of the file name.
_CAMB = {
    "lenspotentialcls.dat": ("l", "TT", "EE", "BB", "TE", "PP", "TP", "EP"),
    "lensedtotcls.dat": ("l", "TT", "EE", "BB", "TE"),
    "lensedcls.dat": ("l", "TT", "EE", "BB", "TE"),
    "tenscls.dat": ("l", "TT", "EE", "BB", "TE"),
    "totcls.dat": ("l", "TT", "EE", "BB", "TE"),
    "scalcls.dat": ("l", "TT", "EE", "TE", "PP", "TP"),
}
_UNITS = (
    (re.compile(r"(?i)(\bu|\u03bc|\u00b5|micro|\bmu)_?k\]?\s*(\^|\*\*)?\s*2"), "uK^2"),
    (re.compile(r"(?i)\bmk\]?\s*(\^|\*\*)?\s*2"), "mK^2"),
    (re.compile(r"(?i)\bk\]?\s*(\^|\*\*)\s*2"), "K^2"),
)
#: Columns of the lensing potential and of number counts, whose factor is not l (l+1) / 2 pi.
_POTENTIALS = re.compile(r"(?i)[teb]?(p|d|phi)|[pd][teb]|(p|d|phi){2}|.*(lens|dens|phi).*")
_HEAD = re.compile(r"\s*(?P<key>[a-z]+):\s(?P<value>.*)")
#: Name of the only spectrum of a table without names.
_UNNAMED = "TT"
#: Bytes of a text that `is_spectra` reads.
_START = 2**16
#: Memory for each byte of the text, as words and numbers.
_BYTES = 100
_ADVICE = 'pass kind="cl" or kind="dl"'
#: Formats of `spherekit.io.describe` that `read_text` reads.
KINDS = ("text", "a gzip file of text")


class TextSpectra(NamedTuple):
    """Spectra of a text file.

    Attributes
    ----------
    values : dict of str to float64 ndarray [shape=(L,)]
        C_l from l = 0 by name.
    unit : str
        The unit of the values, "" if the file does not define it.
    entries : dict of str to list of str
        The lines ``# key: value`` of the header.
    notes : tuple of str
        What was decided, converted or left out.
    """

    values: dict
    unit: str
    entries: dict
    notes: tuple


def read_text(path, kind=None, columns=None):
    """The spectra of a text file, converted to C_l.

    Parameters
    ----------
    path : str or path
        The file, possibly compressed by gzip.
    kind : {"cl", "dl"}, optional
        What the columns contain, if the file does not define it.
    columns : sequence of str, optional
        Names of the columns, the first one "l", if the file does not define them.

    Returns
    -------
    TextSpectra

    Raises
    ------
    ValueError
        No such table; undefined or contradictory kind or names; multipoles that are not integers (bandpowers)
        or that are repeated or absent; a truncated compressed file.
    """
    header, rows = _table(path)
    entries = _entries(header)
    provenance.record_input(path, entries.get("history", ()))
    notes = []
    names, is_camb = _names(path, header, rows.shape[1], columns, notes)
    degrees = _degrees(names, rows, notes)
    kind = _kind(header, names, entries, kind, is_camb, notes)
    notes.extend(notes_of(degrees[0], kind, "the columns"))
    skipped = [name for name in names if _POTENTIALS.fullmatch(name) and not kind_of_name(name)]
    if skipped:
        notes.append(
            f"the columns {', '.join(skipped)} are not read; their factors of l differ from l (l+1) / 2 pi"
        )
    values = {}
    for name, column in zip(names, rows.T, strict=True):
        if is_multipole(name) or name in skipped:
            continue
        cl = from_zero(column, degrees[0])
        values[name_of_cl(name)] = cl_of_dl(cl) if kind == "dl" else cl
    if len(values) != len(names) - len(skipped) - (len(names) > 1):
        raise ValueError(
            f"the columns are {', '.join(names)}; expected l once, and different names"
        )
    if not values:
        raise ValueError(f"the columns are {', '.join(names)}; expected l and a spectrum")
    return TextSpectra(values, _unit(header, is_camb), entries, tuple(notes))


def _lines(text):
    """(lines of the header without "#", rows of words) of a text."""
    header = []
    rows = []
    for line in text.splitlines():
        plain, _, comment = line.partition("#")
        words = plain.replace(",", " ").split()
        if comment.strip():
            header.append(comment)
        if words and not rows and not _is_numbers(words):
            header.append(plain)
        elif words:
            rows.append(words)
    return header, rows


def _table(path):
    """(lines of the header without "#", rows of numbers) of a text file."""
    header, rows = _lines(_text(path))
    if not rows:
        raise ValueError("the text contains no rows of numbers; expected a table of l and spectra")
    widths = {len(words) for words in rows}
    if len(widths) != 1:
        raise ValueError(
            f"the rows have {min(widths)} to {max(widths)} columns; expected the same number in all rows"
        )
    try:
        return header, np.array([[_number(word) for word in words] for words in rows])
    except ValueError as error:
        raise ValueError(f"the table contains other words than numbers: {error}") from None


def is_spectra(path):
    """Whether a text declares spectra, or its first rows are those of l = 0, 1 or 2 and the next one.

    The header declares them by the line ``# kind:`` of `write_text`, or by names of the columns, of which
    the first is l.
    """
    header, rows = _lines(_start(path))
    if not rows:
        return False
    if _entries(header).get("kind") in (["cl"], ["dl"]) or _names_in_header(header, len(rows[0])):
        return True
    rows = rows[:2]
    if len(rows) < 2 or not all(2 <= len(row) <= 9 and _is_numbers(row) for row in rows):
        return False
    first, second = (_number(row[0]) for row in rows)
    return first in (0, 1, 2) and second == first + 1


def _start(path):
    """The first lines of a text file, without the last, which may be cut."""
    opener = gzip.open if kinds.describe(path).startswith("a gzip file") else open
    try:
        with opener(path, "rb") as file:
            content = file.read(_START)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"the compressed file is truncated or damaged: {error}") from None
    if len(content) == _START:
        content = content[: content.rfind(b"\n") + 1]
    return content.decode("utf-8-sig", "replace")


def _number(word):
    """A number, also with the exponent D of Fortran."""
    return float(word.upper().replace("D", "E"))


def _is_numbers(words):
    try:
        return bool([_number(word) for word in words])
    except ValueError:
        return False


def _text(path):
    """The contents of a text file, possibly compressed by gzip, up to a size that fits the memory."""
    limit = int(min(checks.memory_limit() / _BYTES, 2**31))
    opener = gzip.open if kinds.describe(path).startswith("a gzip file") else open
    try:
        with opener(path, "rb") as file:
            content = file.read(limit + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"the compressed file is truncated or damaged: {error}") from None
    if len(content) > limit:
        checks.fits_memory(_BYTES * len(content), f"the text {os.fspath(path)}", "shorten it")
        raise ValueError(f"the text has more than {limit} characters; expected a table of spectra")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _entries(header):
    entries = {}
    for line in header:
        match = _HEAD.fullmatch(line)
        if match:
            entries.setdefault(match["key"], []).append(match["value"].strip())
    return entries


def _names(path, header, n, columns, notes):
    """(names of the ``n`` columns, whether they are those of CAMB)."""
    if columns is not None:
        if isinstance(columns, str) or len(columns) != n:
            raise ValueError(
                f"columns is {columns!r}; expected names of the {n} columns of the table"
            )
        return [str(name) for name in columns], False
    names = _names_in_header(header, n)
    if names:
        return names, names[0] == "L" and "TT" in names
    name = os.fsdecode(path).lower().removesuffix(".gz")
    layout = next((layout for end, layout in _CAMB.items() if name.endswith(end)), ())
    if layout and (n == len(layout) or (n, len(layout)) == (4, 6)):
        notes.append(
            f"the file is named like those of CAMB; its columns are {' '.join(layout[:n])}"
        )
        return list(layout[:n]), True
    if n <= 2:
        return ["l", _UNNAMED][2 - n :], False
    raise ValueError(
        f"the table has {n} columns without names; pass columns, such as ('l', 'TT', 'EE', 'BB', 'TE')"
    )


def _names_in_header(header, n):
    """The names of the ``n`` columns, the first one l, in the last line that names them, or []."""
    for line in reversed(header):
        names = [re.sub(r"^\d+:", "", word) for word in line.replace(",", " ").split()]
        if len(names) == n > 1 and is_multipole(names[0]):
            return names
    return []


def _degrees(names, rows, notes):
    """The multipoles of the rows."""
    if rows.shape[1] == 1:
        notes.append("the table has one column; its rows are l = 0, 1, ...")
        return np.arange(len(rows))
    if not is_multipole(names[0]):
        raise ValueError(f"the first column is {names[0]}; expected l")
    return checked_multipoles(rows[:, 0])


def _kind(header, names, entries, kind, is_camb, notes):
    """The kind "cl" or "dl" of the columns, from the file or the argument ``kind``."""
    file_kinds = set(map(kind_of_name, names)) - {""}
    file_kinds = file_kinds or set(entries.get("kind", ())) & {"cl", "dl"}
    file_kinds = file_kinds or _kinds_of_words(_words(header))
    if len(file_kinds) > 1 and kind is None:
        raise ValueError(f"the header has words for both C_l and D_l; {_ADVICE}")
    if not file_kinds and is_camb:
        notes.append("the columns are those of CAMB, which writes D_l in uK^2")
        return kind or "dl"
    if not file_kinds and kind is None:
        raise ValueError(
            f"the file does not define whether its values are C_l or D_l = l (l+1) C_l / 2 pi; {_ADVICE}"
        )
    if kind is not None and len(file_kinds) == 1 and kind not in file_kinds:
        raise ValueError(
            f"the header declares {file_kinds.pop().upper()}, but kind={kind!r}; omit kind, or correct the "
            "header"
        )
    return kind or file_kinds.pop()


def _words(header):
    """The lines of a header in one, with single blanks."""
    return " ".join(" ".join(header).split())


def _kinds_of_words(text):
    """The kinds that the words of a header denote; l (l+1) C_l is D_l."""
    remainder = PRODUCT.sub(" ", text)
    words = {f"{match[2].lower()}l" for match in WORD.finditer(remainder)}
    return words | ({"dl"} if remainder != text else set())


def _unit(header, is_camb):
    text = _words(header)
    unit = next((unit for pattern, unit in _UNITS if pattern.search(text)), "")
    return unit or ("uK^2" if is_camb else "")


def write_text(path, columns, coordsys, convention, history, *, overwrite=False):
    """Write spectra (name, array, unit) from l = 0 on, with a header that `read_text` reads."""
    names = [_word(name) for name, _, _ in columns]
    lines = ["kind: cl", "units: " + " ".join(_word(unit) or "-" for _, _, unit in columns)]
    lines += [f"coordsys: {coordsys}"] if coordsys else []
    lines += [f"{key.lower()}: {value}" for key, value in convention.items()]
    lines += [f"history: {' '.join(str(line).split())}" for line in provenance.history(history)]
    lines.append(" ".join(["l", *names]))
    with replacing(path, overwrite) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.writelines(f"# {line}\n" for line in lines)
        for ell, row in enumerate(zip(*(values.tolist() for _, values, _ in columns), strict=True)):
            file.write(f"{ell} {' '.join(map(repr, row))}\n")


def _word(text):
    """Text without blanks, commas and number signs, which separate columns and comments."""
    return re.sub(r"[\s,#]+", "_", str(text).strip())
