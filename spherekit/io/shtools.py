"""Coefficients in the text format of SHTOOLS and in ICGEM's: rows of ``l, m, C_lm, S_lm`` and errors."""

import numpy as np

from spherekit.io import coefficient_rows
from spherekit.io.coefficient_conventions import UNSPECIFIED, Convention, agreed
from spherekit.io.records import Coefficients

SUFFIXES = (".sh", ".txt", ".msl", ".shc.txt")
_EXPECTED = "degree l, order m, C_lm, S_lm, and optionally their errors"
_CHUNK = 2**14


def first_row(text):
    """The number of the first line of a table of coefficients, or None if the text is not such a table.

    At most two header lines precede it. The rows at the start of the file have a degree and an order, each
    pair once, and numbers.
    """
    start = coefficient_rows.lines(text, 102)
    candidates = [i for i, (_, words) in enumerate(start[:3]) if is_row(words)]
    if not candidates:
        return None
    rows = start[candidates[0] : candidates[0] + 100]
    if len(rows) > 1 and len(start) < 102:
        rows = rows[:-1]  # the last line of a text may be truncated
    pairs = {tuple(map(int, words[:2])) for _, words in rows if is_row(words)}
    return rows[0][0] if len(pairs) == len(rows) else None


def is_row(words):
    """Whether words are a row of a table: a degree, an order m >= 0, C_lm and S_lm."""
    return (
        len(words) >= 4
        and coefficient_rows.is_pair(words)
        and not words[1].startswith("-")
        and coefficient_rows.as_numbers(words[2:]) is not None
    )


def read(path, text, L=None, requested=UNSPECIFIED):
    """Read the `Coefficients` of a file of SHTOOLS; the comments of `write` define its convention."""
    first = first_row(text)
    metadata = _metadata(text, first)
    defined = Convention(metadata.pop("normalization", None), metadata.pop("csphase", None))
    convention, note = agreed(path, requested, defined)
    header = [words for number, words in coefficient_rows.lines(text, 2) if number < first]
    attributes = {"format": "SHTOOLS text"}
    notes = [note] if note else []
    if header:
        attributes["header"] = "; ".join(" ".join(words) for words in header)
        notes.append(f"the header line {attributes['header']!r} was not interpreted")
    return read_rows(text, first, L, convention, attributes, notes=notes, **metadata)


def _metadata(text, first):
    """What the comments that `write` has written define."""
    return {}


def read_rows(text, first, L, convention, attributes, *, highest=None, notes=(), **metadata):
    """Read the `Coefficients` of the rows from line ``first`` on.

    ``highest`` is the highest degree according to the header.
    """
    path = text.path
    rows, body = coefficient_rows.table(text, first, _EXPECTED)
    if rows.shape[1] < 4:
        raise body.error(first, f"at least 4 numbers: {_EXPECTED}")
    ell, m = coefficient_rows.degrees_and_orders(rows, body)
    coefficient_rows.refuse_repetitions(ell, m, body)
    if highest is not None and ell.max() != highest:
        raise ValueError(
            f"{path} contains degrees to {ell.max()}; expected degrees to {highest}, as in its header"
        )
    notes = [*notes, *_missing(path, ell, m, L)]
    L = coefficient_rows.band_limit(path, int(ell.max()), L)
    flm = coefficient_rows.coefficients(ell, m, *rows[:, 2:4].T, L, **convention._asdict())
    return Coefficients(flm, attributes={"": attributes}, notes=tuple(notes), **metadata)


def _missing(path, ell, m, L):
    """A note on the pairs (l, m) without a row, which are zero.

    Raises ValueError for a file whose last degree only is incomplete, as after a truncation.
    """
    highest = int(ell.max())
    counts = np.bincount(ell, minlength=highest + 1)
    incomplete = np.flatnonzero(counts < np.arange(1, highest + 2))
    first = int(ell.min())
    within = incomplete[incomplete >= first]
    if highest > first and within.tolist() == [highest] and (L is None or L > highest):
        raise ValueError(
            f"{path} contains {counts[highest]} of {highest + 1} orders of its last degree {highest}, and "
            f"all of the degrees below; it seems truncated: pass L = {highest} to read the complete degrees"
        )
    if not incomplete.size:
        return []
    absent = int((np.arange(1, highest + 2) - counts).sum())
    degrees = ", ".join(map(str, incomplete[:6])) + (", ..." if incomplete.size > 6 else "")
    return [f"{absent} pairs (l, m) of the degrees {degrees} are not in the file: set to zero"]
