"""Coefficients in the text format of SHTOOLS and in ICGEM's: rows of ``l, m, C_lm, S_lm`` and errors."""

import gzip
import itertools
from contextlib import contextmanager

import numpy as np

from spherekit._core.atomic_files import replacing
from spherekit.conventions import to_shtools
from spherekit.io import coefficient_rows, provenance
from spherekit.io.arguments import UnsupportedContents
from spherekit.io.attributes import as_json, attributes_of
from spherekit.io.coefficient_conventions import UNSPECIFIED, Convention, agreed, check
from spherekit.io.frames import frame_of
from spherekit.io.polarization import to_cosmo
from spherekit.io.records import Coefficients
from spherekit.io.stokes import valid_convention

#: Suffixes of files to write, also followed by ".gz".
SUFFIXES = (".sh", ".txt", ".msl")
_TITLE = "spherical harmonic coefficients of spherekit: l m C_lm S_lm"
#: Columns of l, m, C_lm, S_lm, their errors, and the epochs of ICGEM.
_MOST_COLUMNS = 8
_EXPECTED = "degree l, order m, C_lm, S_lm, and optionally their errors"
_CHUNK = 2**14


def first_row(text):
    """The number of the first row of coefficients, after at most two header lines, or None."""
    start = coefficient_rows.lines(text, 3)
    return next((number for number, words in start if is_row(words)), None)


def is_table(text):
    """Whether the first rows are those of coefficients: degree and order, each pair once, and numbers."""
    start = coefficient_rows.lines(text, 102)
    first = first_row(text)
    rows = [words for number, words in start if first is not None and number >= first]
    if len(rows) > 1 and len(start) < 102:
        rows = rows[:-1]  # the last line of a text may be truncated
    pairs = {tuple(map(int, words[:2])) for words in rows if is_row(words)}
    return bool(rows) and len(pairs) == len(rows)


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
    defined, metadata = _metadata(text, first)
    convention, note = agreed(path, requested, defined)
    header = [item for item in coefficient_rows.lines(text, 2) if item[0] < first]
    for number, words in header:
        if coefficient_rows.is_pair(words):
            raise text.error(number, f"a header, or {_EXPECTED}")
    notes = [note] if note else []
    if header:
        line = "; ".join(" ".join(words) for _, words in header)
        metadata["attributes"] = {"": {"header": line}}
        notes.append(f"the header line {line!r} was not interpreted")
    return read_rows(text, first, L, convention, notes=notes, **metadata)


def _metadata(text, first):
    """The convention and the metadata in the comments that `write` has written."""
    header, *comments = [*coefficient_rows.comments(text, first), ""]
    if header != _TITLE:
        return UNSPECIFIED, {}
    pairs = [line.partition(": ")[::2] for line in comments]
    values = {key: value for key, value in pairs if key != "history"}
    history = tuple(value for key, value in pairs if key == "history")
    try:
        defined = Convention(values["normalization"], int(values["csphase"]))
        check(defined)
        attributes = attributes_of(values.get("attributes", "{}"))
        frame = frame_of(values.get("frame", ""))
        polcconv = valid_convention(values.get("polcconv", "COSMO"))
    except (ValueError, KeyError) as error:
        raise ValueError(
            f"{text.path}: its comments are damaged: {error}; expected those of spherekit, with "
            "normalization and csphase"
        ) from None
    names, units = values.get("name", ""), values.get("unit", "")
    metadata = dict(names=names, units=units, frame=frame, attributes=attributes, history=history)
    return defined, metadata | dict(polcconv=polcconv)


def read_rows(text, first, L, convention, *, highest=None, notes=(), **metadata):
    """Read the `Coefficients` of the rows from line ``first`` on.

    ``highest`` is the highest degree according to the header.
    """
    path = text.path
    rows, body = coefficient_rows.table(text, first, _EXPECTED)
    if not 4 <= rows.shape[1] <= _MOST_COLUMNS:
        raise body.error(first, f"4 to {_MOST_COLUMNS} numbers: {_EXPECTED}")
    ell, m = coefficient_rows.degrees_and_orders(rows, body)
    coefficient_rows.refuse_repetitions(ell, m, body)
    if highest is not None and ell.max() != highest:
        raise ValueError(
            f"{path} contains degrees to {ell.max()}; expected degrees to {highest}, as in its header"
        )
    notes = [*notes, *_missing(path, ell, m, L)]
    L = coefficient_rows.band_limit(path, int(ell.max()), L)
    flm = coefficient_rows.coefficients(ell, m, *rows[:, 2:4].T, L, **convention._asdict())
    metadata.setdefault("frame", "geographic")
    return to_cosmo(Coefficients(flm, notes=tuple(notes), **metadata))


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


def write(coefficients, path, requested=UNSPECIFIED, overwrite=False):
    """Write the coefficients of one real signal as rows of l, m, C_lm, S_lm, after comments on them."""
    convention, _ = agreed(path, requested)
    refuse_several(path, coefficients)
    cilm = to_shtools(coefficients.flm, **convention._asdict())
    lines = [
        _TITLE,
        f"normalization: {convention.normalization}",
        f"csphase: {convention.csphase}",
        f"name: {coefficients.names[0]}",
        f"unit: {coefficients.units[0]}",
        f"frame: {coefficients.frame}",
    ]
    lines += [f"polcconv: {coefficients.polcconv}"] * (coefficients.polcconv != "COSMO")
    attributes = {k: v for k, v in coefficients.attributes.items() if v}
    lines += [f"attributes: {as_json(attributes)}"] if attributes else []
    lines += [f"history: {line}" for line in provenance.history(coefficients.history or None)]
    header = "".join(f"# {' '.join(line.split())}\n" for line in lines if line[-1] != " ")
    with replacing(path, overwrite) as temporary, _compressed(path, temporary) as file:
        file.write(header.encode())
        for rows in _rows(cilm):
            file.write(rows.encode())


def refuse_several(path, coefficients):
    """Raise ValueError for other coefficients than those of one real signal without leading axes."""
    if len(coefficients) > 1 or coefficients.axes or any(coefficients.spins):
        names = [name or str(number) for number, name in enumerate(coefficients.names)]
        choices = []
        if len(coefficients) > 1:
            choices.append(f"one of the signals {', '.join(names)}, such as field={names[0]!r}")
        if coefficients.axes:
            choices.append(f"a coordinate on the axis {' and the axis '.join(coefficients.axes)}")
        spins = ", ".join(map(str, coefficients.spins))
        problem = f"not of spin {spins}" if any(coefficients.spins) else "without axes"
        advice = f"select {' and '.join(choices)}, or write .npz" if choices else "write .npz"
        raise UnsupportedContents(f"{path} can contain one real signal only, {problem}: {advice}")


@contextmanager
def _compressed(path, temporary):
    """The open file; compressed for the suffix ``.gz``, without a date."""
    with open(temporary, "wb") as file:
        if not str(path).endswith(".gz"):
            yield file
            return
        with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as compressed:
            yield compressed


def _rows(cilm):
    """Yield blocks of rows of text; 17 digits determine a float64, and 9 a float32."""
    digits = 9 if cilm.dtype == np.float32 else 17
    row = f"%d %d %.{digits}g %.{digits}g\n"
    ell, m = np.tril_indices(cilm.shape[-1])
    columns = ell, m, cilm[0, ell, m], cilm[1, ell, m]
    for start in range(0, ell.size, _CHUNK):
        block = [column[start : start + _CHUNK].tolist() for column in columns]
        count = len(block[0])
        yield (row * count) % tuple(itertools.chain.from_iterable(zip(*block, strict=True)))
