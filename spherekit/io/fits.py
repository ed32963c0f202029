"""Read and write the FITS tables of maps, coefficients and spectra, with astropy.

Nothing in a file is executed. Files are written atomically, and are replaced only with ``overwrite=True``.
"""

import bz2
import functools
import gzip
import io
import itertools
import os
import re
import threading
import warnings
from contextlib import contextmanager
from os import PathLike
from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit._core.atomic_files import replacing
from spherekit.io import binary_tables, headers, kinds, provenance
from spherekit.io.blocks import read_within_limit
from spherekit.io.missing import bad_data, is_missing, replace_nulls
from spherekit.io.pixel_numbers import is_pixel_numbers

_HINTS = {
    "a NumPy archive (.npz)": "read it with spherekit.io.read_arrays",
    "a NumPy array (.npy)": "read it with spherekit.io.read_arrays",
    "a netCDF-3 file": "read it with scipy.io.netcdf_file or xarray",
    "an HDF5 or netCDF-4 file": "read it with xarray or h5py",
    "text": "read it with numpy.loadtxt",
    "a zip archive": "extract it first",
    "a Python pickle": "pickles are not loaded, because they can execute any code",
}


_HEADER_BLOCK = 2880
_MANY_AXES = re.compile(rb"NAXIS *= *\+?0*([1-9]\d{3,})")
_NEGATIVE_SIZE = re.compile(rb"(NAXIS\d*) *= *(-0*[1-9]\d*)")
#: Formats of files that are passed to astropy.
_POSSIBLE_FITS = ("a file of unknown format", "an empty file", "a bzip2 file")
_WARNINGS = threading.RLock()  # the filters of warnings are shared by all threads
os.register_at_fork(
    before=_WARNINGS.acquire, after_in_parent=_WARNINGS.release, after_in_child=_WARNINGS.release
)


class Table(NamedTuple):
    """A table of a FITS file.

    Attributes
    ----------
    header : astropy.io.fits.Header
        The header of the table.
    columns : dict of str to ndarray
        The columns by name, flattened, in native byte order. Values that the header declares missing are
        UNSEEN.
    units : dict of str to str
        The units of the columns, "" if there is none.
    hdu : int
        The number of the HDU.
    name : str
        EXTNAME, "" if there is none.
    shapes : dict of str to tuple of int
        The shapes (rows, ...) of the columns before they were flattened.
    primary : astropy.io.fits.Header
        The primary header of the file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from spherekit.io import read_table, write_map
    >>> path = os.path.join(tempfile.mkdtemp(), "map.fits")
    >>> write_map(path, np.arange(12.0), unit="mK")
    >>> table = read_table(path)
    >>> table.header["NSIDE"], table.units, table.shapes
    (1, {'TEMPERATURE': 'mK'}, {'TEMPERATURE': (12,)})
    """

    header: object
    columns: dict
    units: dict
    hdu: int = 1
    name: str = ""
    shapes: dict = {}
    primary: object = {}


def read_table(path: str | PathLike, hdu: int | str | None = None) -> Table:
    """Read a table of a FITS file.

    Values that the header declares missing become UNSEEN, and their column becomes float64 if it has
    integers: TNULL of a column, BAD_DATA of the table or of the primary header, undefined logical values.
    Columns without a name are called ``COLUMN_n``, counted from 1, and ``_n`` is appended to repeated
    names.

    Parameters
    ----------
    path : str or path
        The file, possibly compressed by gzip.
    hdu : int or str, optional
        Number (1 for the first extension) or name (EXTNAME, in any case) of the table. By default, the first
        table.

    Returns
    -------
    Table

    Raises
    ------
    FileNotFoundError
        There is no such file.
    TypeError
        ``hdu`` is neither an integer nor a name.
    ValueError
        A damaged file, a file of another format (named in the message), or no such table.

    See Also
    --------
    tables : read all tables.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "cl.fits")
    >>> from spherekit.io import write_cl
    >>> write_cl(path, np.ones(3), unit="uK^2")
    >>> read_table(path).units
    {'TEMPERATURE': 'uK^2'}
    """
    return first_table(path, hdu, lambda outline: True)


def first_table(path, hdu, is_match, required_columns=None, visit=None):
    """The table with number or name ``hdu``; if None, the first that ``is_match`` accepts, or else the first.

    ``is_match`` is called with the outline of a table: a `Table` whose columns are empty.
    ``required_columns`` returns the names of the columns that the caller uses for an outline, or None for
    all; others may be empty in the result. ``visit`` is passed to `binary_tables.read_columns`, if that is
    sufficient to read the table.
    """
    if hdu is not None and not isinstance(hdu, str):
        hdu = checks.integer(hdu, "hdu", 0)
    with _tables(path) as (hdus, indices, file):
        if hdu is None:
            outlines = ((n, _as_outline(hdus, n)) for n in indices)
            number = next((n for n, o in outlines if is_match(o)), indices[0])
        else:
            number = _table_index(path, hdus, indices, hdu)
        return _as_table(hdus, number, file, required_columns, visit)


def tables(path: str | PathLike) -> tuple[Table, ...]:
    """Read all tables of a FITS file.

    Parameters
    ----------
    path : str or path
        The file, possibly compressed by gzip.

    Returns
    -------
    tuple of Table
        The tables, as from `read_table`, in the order of the file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        A damaged file, a file of another format (named in the message), or no table.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "alm.fits")
    >>> from spherekit.io import write_alm
    >>> write_alm(path, np.zeros((3, 4)))
    >>> [(table.hdu, table.name) for table in tables(path)]
    [(1, 'TEMPERATURE'), (2, 'GRADIENT'), (3, 'CURL')]
    """
    with _tables(path) as (hdus, indices, file):
        return tuple(_as_table(hdus, number, file) for number in indices)


def outlines(path):
    """All tables of a FITS file without data: headers and names of columns, each with no rows."""
    try:
        state = os.stat(path)
    except OSError:
        return _outlines(path)
    content = state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns
    return _outlines_of_content(os.fspath(path), content)


@functools.lru_cache(maxsize=4)
def _outlines_of_content(path, content):
    return _outlines(path)


def _outlines(path):
    with _tables(path) as (hdus, indices, _):
        return tuple(_as_outline(hdus, number) for number in indices)


def first_image(path, has_samples=True):
    """(header, samples in native byte order) of the first HDU of a FITS file that has an image.

    The header is None if there is no image, and the samples are None without ``has_samples``.
    """
    with _hdus(path) as (hdus, file):
        image = next(
            (h for h in _valid_hdus(path, hdus, file) if _is_image(h) and h.header["NAXIS"]), None
        )
        if image is None:
            return None, None
        if not has_samples:
            return image.header, None
        provenance.record_input(path, _history(hdus, [hdus.index_of(image)]))
        checks.fits_memory(2 * max(image.size, 0), f"the image of {os.fspath(path)}", "crop it")
        data = np.asarray(image.data)
        return image.header, data.astype(data.dtype.newbyteorder("="))


@contextmanager
def _tables(path):
    """(HDUs, indices of the tables, decompressed file). Errors of astropy are raised as ValueError."""
    with _hdus(path) as (hdus, file):
        indices = [i for i, h in enumerate(_valid_hdus(path, hdus, file)) if _is_table(h)]
        if not indices:
            raise _RefusedError(
                f"{path} is a FITS file without a table; expected a HEALPix map, alm or C_l"
            )
        provenance.record_input(path, _history(hdus, indices))
        yield hdus, indices, file


@contextmanager
def _hdus(path):
    """(HDUs, decompressed file). Errors of astropy are raised as ValueError."""
    fits = _astropy_fits()
    kind = kinds.describe(path)
    if not (kind in _POSSIBLE_FITS or "FITS" in kind):
        hint = _HINTS.get(kind)
        raise ValueError(
            f"{path} cannot be read as FITS: it is {kind}" + (f"; {hint}" if hint else "")
        )
    try:
        with _without_warnings():
            warnings.filterwarnings("error", message="(?s).*(truncated|corrupted)")
            with _decompressed(path, kind) as file:
                _refuse_axes(path, file, 0)
                with fits.open(file, memmap=False) as hdus:
                    yield hdus, file
    except _RefusedError as refusal:
        raise ValueError(str(refusal)) from None
    except headers.HeaderError as error:
        raise ValueError(f"{path}: {error}") from None
    except MemoryError as error:
        if str(path) in str(error):
            raise
        raise MemoryError(f"{path}: {error}") from None
    except Exception as error:  # astropy raises various exceptions for damaged files
        reason = kind if kind == "an empty file" else " ".join(str(error).split())
        raise ValueError(
            f"{path} cannot be read as FITS: it is truncated, damaged, or of another format: {reason}"
        ) from None


def _history(hdus, indices):
    """The lines of the HISTORY cards of the primary header and of the tables."""
    try:
        cards = [hdus[i].header.get("HISTORY", ()) for i in (0, *indices)]
        return [line for texts in cards for line in provenance.from_cards(texts)]
    except Exception:  # astropy raises various exceptions for damaged cards, which concern no data
        return []


@contextmanager
def _without_warnings():
    """Suppress the warnings of astropy, which headers of other codes often cause."""
    with _WARNINGS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _astropy_fits():
    """astropy.io.fits, which searches for a configuration folder when it is imported."""
    try:
        from astropy.io import fits
    except OSError as error:
        raise OSError(
            f"astropy, which reads and writes FITS, cannot read its configuration folder ({error}); set HOME "
            "and XDG_CONFIG_HOME to readable folders"
        ) from None
    return fits


def _valid_hdus(path, hdus, file):
    """Yield all HDUs; raise an error for sizes with which a loop in astropy would not end."""
    position = 0
    for number in itertools.count():
        _refuse_axes(path, file, position)
        try:
            hdu = hdus[number]
        except IndexError:
            return
        info = hdu.fileinfo()
        position = info["datLoc"] + info["datSpan"]
        if info["datSpan"] < 0:
            raise _RefusedError(
                f"{path} is damaged: the header of HDU {number} declares a negative size"
            )
        yield hdu


def _refuse_axes(path, file, position):
    """Raise an error if the header at a position of a file declares more than 999 axes, or negative sizes."""
    file.seek(position)
    while block := file.read(_HEADER_BLOCK):
        cards = [block[i : i + 80] for i in range(0, len(block), 80)]
        axes = next(filter(None, map(_MANY_AXES.match, cards)), None)
        if axes is not None:
            raise _RefusedError(f"{path} is damaged: a header declares {axes[1].decode()} axes")
        size = next(filter(None, map(_NEGATIVE_SIZE.match, cards)), None)
        if size is not None:
            raise _RefusedError(
                f"{path} is damaged: a header has {size[1].decode()} = {size[2].decode()}; expected 0 or "
                "more"
            )
        if any(card.startswith(b"END     ") for card in cards):
            break
    file.seek(0)


def _decompressed(path, kind):
    """The file, decompressed completely, because astropy does not detect truncated compressed files."""
    for name, opener in (("a gzip file", gzip.open), ("a bzip2 file", bz2.open)):
        if kind.startswith(name):
            with opener(path) as file:
                return io.BytesIO(read_within_limit(file, path))
    return open(path, "rb")


class _RefusedError(ValueError):
    """An error of this module, to be distinguished from those of astropy."""


def _is_table(hdu):
    fits = _astropy_fits()
    return isinstance(hdu, fits.BinTableHDU | fits.TableHDU) and "ZIMAGE" not in hdu.header


def _is_image(hdu):
    fits = _astropy_fits()
    return isinstance(hdu, fits.PrimaryHDU | fits.ImageHDU | fits.CompImageHDU)


def _table_index(path, hdus, indices, hdu):
    """The index of the table with number or name ``hdu``."""
    choices = ", ".join(f"{i} {hdus[i].name}".strip() for i in indices)
    if isinstance(hdu, str):
        matches = [i for i in indices if hdus[i].name.strip().upper() == hdu.strip().upper()]
    else:
        matches = [i for i in indices if i == hdu]
    if len(matches) != 1:
        count = f"{len(matches)} tables {hdu!r}, select one by its number" if matches else ""
        raise _RefusedError(f"{path} has {count or f'no table {hdu!r}'}; its tables are {choices}")
    return matches[0]


def _as_table(hdus, number, file, required_columns=None, visit=None):
    outline = _as_outline(hdus, number)
    names = None if required_columns is None else required_columns(outline)
    names = list(outline.columns) if names is None else [n for n in outline.columns if n in names]
    return _plain_table(hdus[number], outline, file, names, visit) or _converted_table(
        hdus[number], outline
    )


def _plain_table(hdu, outline, file, names, visit):
    """The columns ``names`` of a table, or None if they need more than a change of the byte order."""
    header = headers.MergedHeader(outline)
    bad = bad_data(header)
    is_binary = isinstance(hdu, _astropy_fits().BinTableHDU)
    if not is_binary or not (bad is None or is_missing(np.array([bad]))[0]):
        return None
    columns = binary_tables.plain_columns(hdu.header)
    if not set(names) <= set(columns):
        return None
    columns = {name: columns[name] for name in names}
    width = sum(column.repeat * column.dtype.itemsize for column in columns.values())
    n_rows = headers.integer(hdu.header, "NAXIS2")
    checks.fits_memory(width * n_rows, "the table", "select fewer columns")
    values = binary_tables.read_columns(file, hdu.fileinfo()["datLoc"], hdu.header, columns, visit)
    empty = {name: np.zeros(0) for name in outline.columns if name not in values}
    units = [headers.text(hdu.header, f"TUNIT{i + 1}") for i in range(len(outline.columns))]
    return outline._replace(
        columns={name: (values | empty)[name].reshape(-1) for name in outline.columns},
        units=dict(zip(outline.columns, units, strict=True)),
        shapes={name: (values | empty)[name].shape for name in outline.columns},
    )


def _converted_table(hdu, outline):
    """A table with any columns, converted by astropy; undefined values are UNSEEN."""
    header = headers.MergedHeader(outline)
    rows = hdu.data.view(np.ndarray)
    bad = bad_data(header)
    is_explicit = headers.text(header, "INDXSCHM").upper() == "EXPLICIT"
    columns = {}
    units = {}
    shapes = {}
    for i, column in enumerate(hdu.columns):
        raw = rows[rows.dtype.names[i]]
        values = _values(hdu, i, raw)
        shapes[column.name] = values.shape
        has_pixels = is_pixel_numbers(column.name, values) or (is_explicit and i == 0)
        null = _nulls(hdu, i, raw, values, None if has_pixels else bad)
        values = values.astype(values.dtype.newbyteorder("="))
        values = replace_nulls(values, null, None if has_pixels else bad)
        columns[column.name] = values.reshape(-1)
        units[column.name] = (column.unit or "").strip()
    return outline._replace(columns=columns, units=units, shapes=shapes)


def _values(hdu, i, raw):
    """The values of a column. Scaled integers are converted here, because astropy fails for some of them."""
    column = hdu.columns[i]
    scale = 1 if column.bscale in (None, "") else column.bscale
    zero = 0 if column.bzero in (None, "") else column.bzero
    is_integer = raw.dtype.kind in "iu" and str(column.format).lstrip("0123456789") in tuple("BIJK")
    is_unsigned = zero == 2 ** (8 * raw.dtype.itemsize - 1) and raw.dtype.itemsize > 1
    if not is_integer or (scale == 1 and (zero == 0 or is_unsigned)):
        return np.asarray(hdu.data.field(i))
    return raw.astype(np.float64) * scale + zero


def _is_variable(column):
    """Whether the entries of a column are arrays of different lengths."""
    return "P" in str(column.format) or "Q" in str(column.format)


def _as_outline(hdus, number):
    """A table without data."""
    hdu = hdus[number]
    _make_names_unique(hdu.header)
    names = [headers.text(hdu.header, f"TTYPE{i + 1}") for i in range(_column_count(hdu.header))]
    columns = {name: np.zeros(0) for name in names}
    return Table(hdu.header, columns, {}, number, hdu.name.strip(), {}, hdus[0].header)


def _column_count(header):
    """The number of columns, at most 999 in FITS."""
    count = headers.integer(header, "TFIELDS")
    if count is None or not 0 <= count <= 999:
        raise headers.HeaderError(f"the header has TFIELDS = {count}; expected 0 to 999")
    formats = (i for i in range(1, count + 1) if not headers.text(header, f"TFORM{i}"))
    absent = next(formats, None)
    if absent is not None:
        raise headers.HeaderError(
            f"the header has TFIELDS = {count}, but no TFORM{absent}; expected the format of each column: "
            "correct TFIELDS, or download the file again"
        )
    return count


def _make_names_unique(header):
    """Make the names of the columns unique, as astropy requires."""
    names = set()
    for i in range(1, _column_count(header) + 1):
        name = headers.text(header, f"TTYPE{i}") or f"COLUMN_{i}"
        if name.upper() in names or name != header.get(f"TTYPE{i}"):
            name = f"{name}_{i}" if name.upper() in names else name
            header[f"TTYPE{i}"] = name
        names.add(name.upper())


def _nulls(hdu, i, raw, values, bad):
    """A boolean array of the values of a column that its header declares undefined, or None.

    In a scaled column, the value of BAD_DATA (``bad``) may also refer to the stored numbers.
    """
    null = headers.value(hdu.header, f"TNULL{i + 1}")
    if values.dtype.kind == "b" and raw.dtype == np.int8:
        return raw == 0  # logical values are T, F or 0
    if raw.dtype.kind == "S" and values.dtype.kind in "if":
        return None if null is None else np.char.strip(raw) == str(null).strip().encode()
    if values.dtype.kind not in "iuf" or _is_variable(hdu.columns[i]):
        return None
    scaled = not np.array_equal(raw, values, equal_nan=raw.dtype.kind == "f")
    bad_raw = is_missing(raw, bad) if scaled and values.dtype.kind == "f" else None
    if raw.dtype.kind == "f" and null is not None:
        is_null = is_missing(raw, headers.number(hdu.header, f"TNULL{i + 1}"))
    else:
        null = None if null is None else headers.integer(hdu.header, f"TNULL{i + 1}")
        is_null = None if null is None else raw == null
    if bad_raw is None:
        return is_null
    return bad_raw if is_null is None else bad_raw | is_null


def write_tables(path, contents, *, history=None, overwrite=False):
    """Write tables (columns, header, name).

    Columns are (name, array, unit), or (name, array, unit, row size) with so many values in each row if the
    size of the array is a multiple of it. The cards HISTORY of the primary header are those of
    `spherekit.io.provenance.history`.
    """
    fits = _astropy_fits()
    with _without_warnings():
        primary = fits.PrimaryHDU()
        for card in provenance.to_cards(provenance.history(history)):
            primary.header["HISTORY"] = card
        if contents:
            primary.header["EXTEND"] = True
        tables = [(_table_header(*content), _rows(content[0])) for content in contents]
        with replacing(path, overwrite) as temporary, _open_for_writing(temporary, path) as file:
            file.write(primary.header.tostring().encode("ascii"))
            for header, columns in tables:
                file.write(header.tostring().encode("ascii"))
                binary_tables.write_rows(file, columns)


def write_table(path, columns, header, *, history=None, overwrite=False):
    """Write one table: its columns as in `write_tables`, and the keys of its header."""
    write_tables(path, [(columns, header, "")], history=history, overwrite=overwrite)


def _table_header(columns, header, name):
    """The header of a table."""
    fits = _astropy_fits()
    names = [printable(n, "the name of a column") for n, *_ in columns]
    if len({n.upper() for n in names}) != len(names) or "" in names:
        raise ValueError(
            f"the columns have the names {', '.join(map(repr, names))}; expected non-empty names that differ "
            "in more than case"
        )
    rows = _rows(columns)
    fields = [
        fits.Column(name, _format(values), array=values[:0], unit=printable(unit, "a unit") or None)
        for name, values, (_, _, unit, *_) in zip(names, rows, columns, strict=True)
    ]
    hdu = fits.BinTableHDU()  # `from_columns`, of the same result, imports astropy.table
    hdu.data = fits.FITS_rec.from_columns(fits.ColDefs(fields))
    hdu.header["NAXIS2"] = len(rows[0])
    hdu.header.update(header)
    if name:
        hdu.header["EXTNAME"] = printable(name, "the name of a table")
    return hdu.header


def _rows(columns):
    """The values of columns (name, array, unit) or (name, array, unit, row size) as rows."""
    return [
        values.reshape(-1, *size)
        if size and values.size % size[0] == 0 and values.size > size[0]
        else values
        for _, values, _, *size in columns
    ]


def _format(values):
    """TFORM of a column [shape=(rows,) or (rows, repeat)]."""
    repeat = str(values.shape[1]) if values.ndim > 1 else ""
    return repeat + binary_tables.CODES[values.dtype.str[1:]]


def printable(text, noun):
    """Text for a FITS header, at most 68 printable ASCII characters; ``noun`` is its name in messages."""
    plain = (
        str(text).strip().replace("\N{MICRO SIGN}", "u").replace("\N{GREEK SMALL LETTER MU}", "u")
    )
    if not (plain.isascii() and plain.isprintable() and len(plain) <= 68):
        raise ValueError(f"{noun} is {text!r}; expected at most 68 printable ASCII characters")
    return plain


@contextmanager
def _open_for_writing(temporary, path):
    """Open the temporary file, with compression if the suffix of ``path`` is .gz."""
    with open(temporary, "wb") as file:
        if os.fsdecode(path).endswith(".gz"):
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as compressed:
                yield compressed
        else:
            yield file
