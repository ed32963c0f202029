"""The FITS tables behind maps, coefficients and spectra.

astropy reads and writes; nothing in a file is executed. Writers write to a temporary name first,
so that a file is whole or absent, and refuse to replace one unless asked to.
"""

import bz2
import gzip
import io
import itertools
import os
import threading
import warnings
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit._core.atomic_files import replacing
from spherekit.io import headers, kinds
from spherekit.io.missing import bad_data, is_missing, replace_nulls
from spherekit.io.pixel_numbers import is_pixel_numbers

_HINTS = {
    "a NumPy archive (.npz)": "spherekit.io.read_arrays reads it",
    "a NumPy array (.npy)": "spherekit.io.read_arrays reads it",
    "a netCDF-3 file": "read it with scipy.io.netcdf_file or xarray",
    "an HDF5 or netCDF-4 file": "read it with xarray or h5py",
    "text": "read it with numpy.loadtxt",
    "a zip archive": "unpack it first",
    "a Python pickle": "it is not opened, since a pickle may run any code",
}


_PERHAPS = ("no file of a known kind", "an empty file", "a bzip2 file")
_WARNINGS = threading.RLock()  # filters of warnings belong to the process, not to a thread
os.register_at_fork(
    before=_WARNINGS.acquire, after_in_parent=_WARNINGS.release, after_in_child=_WARNINGS.release
)


class Table(NamedTuple):
    """A table of a FITS file.

    ``header``; ``columns`` by name, flattened, in native byte order, UNSEEN where the header
    declares a value missing; their ``units`` ("" if none); the number ``hdu`` and the ``name``
    (EXTNAME) of the table; ``shapes`` of the columns, (rows, ...), before they were flattened;
    ``primary``, the first header of the file.
    """

    header: object
    columns: dict
    units: dict
    hdu: int = 1
    name: str = ""
    shapes: dict = {}
    primary: object = {}


def read_table(path, hdu=None):
    """A table of a FITS file.

    Values that the header declares missing become UNSEEN, and their column float64 if it was of
    integers: TNULL of a column, BAD_DATA of the table or of the first header, undefined logicals.
    Columns without a name are called ``COLUMN_n``, n from 1; a name that occurs again gets ``_n``
    behind it.

    Parameters
    ----------
    path : str or path
        The file may be packed by gzip.
    hdu : int or str, optional
        Number of the table (1 for the first extension) or its name (EXTNAME, in any case);
        default: the first table.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        A file that is truncated, is not a FITS file (with what it is), or lacks such a table.
    FileNotFoundError

    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "cl.fits")
    >>> from spherekit.io import write_cl
    >>> write_cl(path, np.ones(3), unit="uK^2")
    >>> read_table(path).units
    {'TEMPERATURE': 'uK^2'}
    """
    return first_table(path, hdu, lambda outline: True)


def first_table(path, hdu, is_wanted):
    """The table number or name ``hdu``; if None the first for which ``is_wanted``, or the first.

    ``is_wanted`` is given an outline of a table: a `Table` whose columns are empty.
    """
    if hdu is not None and not isinstance(hdu, str):
        hdu = checks.integer(hdu, "hdu", 0)
    with _tables(path) as (hdus, numbers):
        if hdu is not None:
            return _as_table(hdus, _numbered(path, hdus, numbers, hdu))
        outlines = ((n, _as_outline(hdus, n)) for n in numbers)
        return _as_table(hdus, next((n for n, o in outlines if is_wanted(o)), numbers[0]))


def tables(path):
    """All tables of a FITS file, in their order.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    tuple of Table
        As `read_table` gives them.

    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "alm.fits")
    >>> from spherekit.io import write_alm
    >>> write_alm(path, np.zeros((3, 4)))
    >>> [(table.hdu, table.name) for table in tables(path)]
    [(1, 'TEMPERATURE'), (2, 'GRADIENT'), (3, 'CURL')]
    """
    with _tables(path) as (hdus, numbers):
        return tuple(_as_table(hdus, number) for number in numbers)


def outlines(path):
    """All tables of a FITS file without their data: headers and names of columns, each column empty.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    tuple of Table
    """
    with _tables(path) as (hdus, numbers):
        return tuple(_as_outline(hdus, number) for number in numbers)


@contextmanager
def _tables(path):
    """The HDUs of a file, and the numbers of those that are tables; foreign errors in our words."""
    fits = _astropy_fits()
    kind = kinds.describe(path)
    if not (kind in _PERHAPS or "FITS" in kind):
        hint = _HINTS.get(kind)
        raise ValueError(
            f"{path} cannot be read as FITS: it is {kind}" + (f"; {hint}" if hint else "")
        )
    try:
        with _quiet():
            warnings.filterwarnings("error", message="(?s).*(truncated|corrupted)")
            with _unpacked(path, kind) as file, fits.open(file, memmap=False) as hdus:
                numbers = [i for i, h in enumerate(_each(path, hdus)) if _is_table(h)]
                if not numbers:
                    raise _Refused(
                        f"{path} is a FITS file without a table: no HEALPix map, alm or C_l"
                    )
                yield hdus, numbers
    except _Refused as refusal:
        raise ValueError(str(refusal)) from None
    except headers.HeaderError as error:
        raise ValueError(f"{path}: {error}") from None
    except Exception as error:  # astropy raises many kinds on damaged files
        reason = kind if kind == "an empty file" else " ".join(str(error).split())
        raise ValueError(
            f"{path} cannot be read as FITS; it is cut short, damaged, or of another format: "
            f"{reason}"
        ) from None


@contextmanager
def _quiet():
    """Without the warnings of astropy: headers of other codes are seldom to the letter."""
    with _WARNINGS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _astropy_fits():
    """The reader of astropy; it looks for a folder of settings when it is imported."""
    try:
        from astropy.io import fits
    except OSError as error:
        raise OSError(
            f"astropy, which reads and writes FITS, cannot look for its settings ({error}); set HOME "
            "and XDG_CONFIG_HOME to folders that can be read"
        ) from None
    return fits


def _each(path, hdus):
    """All HDUs; a size below zero is refused, which would send astropy back in the file for ever."""
    for number in itertools.count():
        try:
            hdu = hdus[number]
        except IndexError:
            return
        if hdu.fileinfo()["datSpan"] < 0:
            raise _Refused(
                f"{path} is damaged: the header of HDU {number} states a size below zero"
            )
        yield hdu


def _unpacked(path, kind):
    """The bytes of a file, whole: astropy does not see that a packed file is cut short."""
    for name, opener in (("a gzip file", gzip.open), ("a bzip2 file", bz2.open)):
        if kind.startswith(name):
            with opener(path) as file:
                return io.BytesIO(file.read())
    return open(path, "rb")


class _Refused(ValueError):
    """A refusal in our own words, among the errors of astropy."""


def _is_table(hdu):
    fits = _astropy_fits()
    return isinstance(hdu, fits.BinTableHDU | fits.TableHDU) and "ZIMAGE" not in hdu.header


def _numbered(path, hdus, numbers, hdu):
    """The number of the table that ``hdu`` means."""
    listed = ", ".join(f"{i} {hdus[i].name}".strip() for i in numbers)
    if isinstance(hdu, str):
        matches = [i for i in numbers if hdus[i].name.strip().upper() == hdu.strip().upper()]
    else:
        matches = [i for i in numbers if i == hdu]
    if len(matches) != 1:
        several = f"{len(matches)} tables {hdu!r}: name one by its number" if matches else ""
        raise _Refused(f"{path} has {several or f'no table {hdu!r}'}; its tables are {listed}")
    return matches[0]


def _as_table(hdus, number):
    outline = _as_outline(hdus, number)
    header = headers.merged(outline)
    hdu = hdus[number]
    rows = hdu.data.view(np.ndarray)
    bad, explicit = bad_data(header), headers.text(header, "INDXSCHM").upper() == "EXPLICIT"
    columns, units, shapes = {}, {}, {}
    for i, column in enumerate(hdu.columns):
        raw = rows[rows.dtype.names[i]]
        values = _values(hdu, i, raw)
        shapes[column.name] = values.shape
        numbers = is_pixel_numbers(column.name, values) or (explicit and i == 0)
        null = _nulls(hdu, i, raw, values, None if numbers else bad)
        values = values.astype(values.dtype.newbyteorder("="))
        values = replace_nulls(values, null, None if numbers else bad)
        columns[column.name] = values.reshape(-1)
        units[column.name] = (column.unit or "").strip()
    return outline._replace(columns=columns, units=units, shapes=shapes)


def _values(hdu, i, raw):
    """The values of a column; astropy fails on some scaled integers, such as of eight bytes."""
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
    """A table without its data."""
    hdu = hdus[number]
    _name_columns(hdu.header)
    names = [headers.text(hdu.header, f"TTYPE{i + 1}") for i in range(_width(hdu.header))]
    columns = {name: np.zeros(0) for name in names}
    return Table(hdu.header, columns, {}, number, hdu.name.strip(), {}, hdus[0].header)


def _width(header):
    """The number of columns; FITS has up to 999."""
    width = headers.integer(header, "TFIELDS")
    if width is None or not 0 <= width <= 999:
        raise headers.HeaderError(f"the header says TFIELDS = {width}; expected 0 to 999")
    return width


def _name_columns(header):
    """Give every column a name of its own; astropy reads no others."""
    seen = set()
    for i in range(1, _width(header) + 1):
        name = headers.text(header, f"TTYPE{i}") or f"COLUMN_{i}"
        if name.upper() in seen or name != header.get(f"TTYPE{i}"):
            name = f"{name}_{i}" if name.upper() in seen else name
            header[f"TTYPE{i}"] = name
        seen.add(name.upper())


def _nulls(hdu, i, raw, values, bad):
    """True where the stored numbers of a column are what its header calls undefined, or None.

    That of BAD_DATA (``bad``) may be a stored number, too, of a column that is scaled.
    """
    null = headers.value(hdu.header, f"TNULL{i + 1}")
    if values.dtype.kind == "b" and raw.dtype == np.int8:
        return raw == 0  # logicals are T, F or 0
    if raw.dtype.kind == "S" and values.dtype.kind in "if":
        return None if null is None else np.char.strip(raw) == str(null).strip().encode()
    if values.dtype.kind not in "iuf" or _is_variable(hdu.columns[i]):
        return None
    scaled = not np.array_equal(raw, values, equal_nan=raw.dtype.kind == "f")
    lost = is_missing(raw, bad) if scaled and values.dtype.kind == "f" else None
    if raw.dtype.kind == "f" and null is not None:
        stated = is_missing(raw, headers.number(hdu.header, f"TNULL{i + 1}"))
    else:
        null = None if null is None else headers.integer(hdu.header, f"TNULL{i + 1}")
        stated = None if null is None else raw == null
    return stated if lost is None else lost if stated is None else lost | stated


def write_tables(path, contents, *, overwrite=False):
    """Write tables, each as (columns, header, name): columns as (name, array, unit)."""
    fits = _astropy_fits()
    with _quiet():
        hdus = fits.HDUList([fits.PrimaryHDU()])
        for columns, header, name in contents:
            hdus.append(_as_hdu(columns, header, name))
        with replacing(path, overwrite) as temporary, _opened(temporary, path) as file:
            hdus.writeto(file)


def write_table(path, columns, header, *, overwrite=False):
    """Write one table: columns as (name, array, unit), and the keys of its header."""
    write_tables(path, [(columns, header, "")], overwrite=overwrite)


_CODES = {"f4": "E", "f8": "D", "i4": "J", "i8": "K"}


def _as_hdu(columns, header, name):
    fits = _astropy_fits()
    names = [printable(n, "the name of a column") for n, _, _ in columns]
    if len({n.upper() for n in names}) != len(names) or "" in names:
        raise ValueError(
            f"the columns {', '.join(map(repr, names))} need names of their own, which differ in "
            "more than case"
        )
    hdu = fits.BinTableHDU.from_columns(
        [
            fits.Column(n, _CODES[a.dtype.str[1:]], array=a, unit=printable(u, "a unit") or None)
            for n, (_, a, u) in zip(names, columns, strict=True)
        ]
    )
    hdu.header.update(header)
    if name:
        hdu.header["EXTNAME"] = printable(name, "the name of a table")
    return hdu


def printable(text, what):
    """Text as a FITS header takes it: printable ASCII of at most 68 characters."""
    plain = (
        str(text).strip().replace("\N{MICRO SIGN}", "u").replace("\N{GREEK SMALL LETTER MU}", "u")
    )
    if not (plain.isascii() and plain.isprintable() and len(plain) <= 68):
        raise ValueError(
            f"{what} is {text!r}; FITS headers take up to 68 printable ASCII characters"
        )
    return plain


@contextmanager
def _opened(temporary, path):
    """The temporary file, packed where the name of the file to be is that of a gzip file."""
    with open(temporary, "wb") as file:
        if os.fsdecode(path).endswith(".gz"):
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                yield packed
        else:
            yield file
