"""Read and write power spectra C_l: FITS tables of HEALPix codes, text, and NumPy's files."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from os import PathLike
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from spherekit.io import headers, kinds, numpy_spectra, spectrum_text, stokes
from spherekit.io.bandpower_formats import contains_bandpowers
from spherekit.io.blocks import naming_the_file
from spherekit.io.fits import Table, first_table, write_table
from spherekit.io.frames import coordsys_of, frame_letter, frame_of, table_frame
from spherekit.io.missing import is_missing
from spherekit.io.multipoles import (
    checked_multipoles,
    cl_of_dl,
    from_zero,
    is_multipole,
    kind_of_name,
    name_of_cl,
    notes_of,
)
from spherekit.io.units import as_floating, refuse_masked, without_unit

#: Names of columns of each spectrum that codes write; "-" and "_" are equivalent.
NAMES = {
    "TT": ("TT", "TEMPERATURE", "T", "CL", "C_L", "C_ELL"),
    "EE": ("EE", "GRADIENT", "ELECTRIC", "E_MODE", "G"),
    "BB": ("BB", "CURL", "MAGNETIC", "B_MODE", "C"),
    "TE": ("TE", "ET", "TG", "GT", "T_G", "G_T", "E_T", "T_E", "TEMPERATURE_GRADIENT"),
    "TB": ("TB", "BT", "TC", "CT", "T_C", "C_T", "B_T", "T_B", "TEMPERATURE_CURL"),
    "EB": ("EB", "BE", "GC", "CG", "G_C", "C_G", "E_B", "B_E", "GRADIENT_CURL"),
}
_BY_NAME = {name: kind for kind, names in NAMES.items() for name in names}
_PAIR = re.compile(r"(?:[CD]L?)?([TEB]{2})(?:[CD]L)?\d*")
_SPECTRUM = {"CL", "DL", "SPECTRUM", "POWER"}
_NOT_SPECTRA = {"ELL", "L", "MULTIPOLE", "LMIN", "LMAX", "LMEAN", "BIN", "NMODES", "MODES", "FSKY"}


class Spectra(NamedTuple):
    """Power spectra, as returned by `read_spectra`.

    Attributes
    ----------
    values : dict of str to float64 ndarray [shape=(L,)]
        The spectra by column name.
    units : dict of str to str
        The units by column name, "" if there is none.
    coordsys : str
        The value of COORDSYS or SKYCOORD in the file.
    frame : str
        "galactic", "ecliptic", "equatorial", or "" if the file does not define a frame.
    polcconv : {"COSMO", "IAU"}
        The polarization convention of ``values``. "IAU" if the names of the columns of an IAU file do not
        determine the spectra; no sign was changed then.
    file_polcconv : str
        The value of POLCCONV in the file, "" if there is none.
    hdu : int
        The number of the HDU, 0 for other formats.
    history : tuple of str
        The HISTORY cards of the file, the lines ``# history:`` of a text, or the array ``history``.
    notes : tuple of str
        What was converted, filled or left out, such as D_l that were converted to C_l.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "cl.fits")
    >>> write_cl(path, {"TT": np.ones(3), "TE": np.zeros(3)}, unit="uK^2")
    >>> spectra = read_spectra(path)
    >>> list(spectra.values), spectra.file_polcconv
    (['TT', 'TE'], 'COSMO')
    """

    values: dict
    units: dict
    coordsys: str = ""
    frame: str = ""
    polcconv: str = "COSMO"
    file_polcconv: str = ""
    hdu: int = 1
    history: tuple = ()
    notes: tuple = ()


def spectrum_of(column):
    """The spectrum in a column, by its name: "TT", "EE", "BB", "TE", "TB", "EB" or "".

    Accepted are the names in `NAMES`, and names with one word such as TB or ClTB among of_cl, except for
    words such as error.

    >>> [spectrum_of(name) for name in ("GRADIENT", "C-T", "Cl_TB", "EE_353", "EE_ERR", "ell")]
    ['EE', 'TB', 'TB', 'EE', '', '']
    """
    words = stokes.words(column)
    name = "_".join(words)
    short = "_".join(word for word in words if word not in _SPECTRUM)
    if name in _BY_NAME or short in _BY_NAME:
        return _BY_NAME.get(name) or _BY_NAME[short]
    matches = [_PAIR.fullmatch(word) for word in words]
    pairs = [match[1] for match in matches if match]
    return _BY_NAME[pairs[0]] if len(pairs) == 1 and not stokes.has_pixel_word(column) else ""


def _sign_of_b(column):
    """-1 if the sign of a spectrum changes with that of B, 1 if it does not, None if that is unknown."""
    kind = spectrum_of(column)
    is_recognized = (
        kind or stokes.has_pixel_word(column) or set(stokes.words(column)) & _NOT_SPECTRA
    )
    return -1 if kind in ("TB", "EB") else 1 if is_recognized else None


def is_spectrum(table):
    """Whether the header, the names of the columns or the number of rows of a table declare spectra.

    A table of one column T or TEMPERATURE without the keys of a map is one of C_l if healpy wrote it, which
    writes these keys into maps, or if its size is not 12 nside^2.
    """
    if headers.text(table.header, "MAX-LPOL"):
        return "index" not in {name.lower() for name in table.columns}
    names = [n for n in table.columns if spectrum_of(n) not in ("", "TT")]
    is_declared = headers.text(table.header, "EXTNAME").upper() == "POWER SPECTRUM"
    return is_declared or len(names) > 1 or _is_lone_spectrum(table)


def _is_lone_spectrum(table):
    """Whether a table without the keys of a map has only spectra, and multipoles, in its columns."""
    names = [name for name in table.columns if not is_multipole(name)]
    header = headers.MergedHeader(table)
    if not names or not all(map(spectrum_of, names)):
        return False
    if any(headers.text(header, key) for key in ("PIXTYPE", "ORDERING", "INDXSCHM", "NSIDE")):
        return False
    if len(names) < len(table.columns) or any(map(is_spectrum_name, names)):
        return True
    size = _size_in_header(table.header)
    is_of_healpy = headers.text(table.header, "CREATOR").lower() == "healpy"
    return is_of_healpy or (size > 0 and 12 * math.isqrt(size // 12) ** 2 != size)


def is_spectrum_name(name):
    """Whether a name denotes a spectrum and no map.

    >>> [is_spectrum_name(name) for name in ("TT", "Cl_EE", "C_l", "T", "E")]
    [True, True, True, False, False]
    """
    return bool(kind_of_name(name)) or any(map(_PAIR.fullmatch, stokes.words(name)))


def _size_in_header(header):
    """The number of values of the first column of a table."""
    form = re.match(r"(\d*)[A-Z]", headers.text(header, "TFORM1").upper())
    repeat = int(form[1] or 1) if form else 1
    return repeat * max(headers.integer(header, "NAXIS2") or 0, 0)


@naming_the_file
def read_cl(
    path: str | PathLike,
    hdu: int | str | None = None,
    *,
    kind: Literal["cl", "dl"] | None = None,
    columns: Sequence[str] | None = None,
) -> dict[str, np.ndarray]:
    """Read power spectra C_l from a FITS, text or NumPy file.

    Parameters
    ----------
    path : str or path
        The file, possibly compressed by gzip, in one of the formats of `read_spectra`.
    hdu : int or str, optional
        Number or name of the FITS table. By default, the first that declares spectra, or else the first.
    kind : {"cl", "dl"}, optional
        Whether the columns are C_l or D_l, if the file does not define it.
    columns : sequence of str, optional
        The names of the columns of a text without names, such as ("l", "TT", "EE", "BB", "TE"), or of the
        rows of an array without names, such as ("TT", "EE").

    Returns
    -------
    dict of str to float64 ndarray [shape=(L,)]
        The spectra by column name.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    TypeError
        ``hdu`` is neither an integer nor a name.
    ValueError
        As `read_spectra`; a file with POLCCONV = IAU whose column names do not determine which signs change
        with B (`read_spectra` reads it without a change of sign).

    See Also
    --------
    read_spectra : read the units, frame and convention, too.
    write_cl : write such a file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "cl.fits")
    >>> write_cl(path, np.ones(3))
    >>> read_cl(path)
    {'TEMPERATURE': array([1., 1., 1.])}
    """
    spectra = read_spectra(path, hdu, kind=kind, columns=columns)
    if spectra.polcconv != "COSMO":
        unknown = [name for name in spectra.values if _sign_of_b(name) is None]
        raise ValueError(
            f"{path}: the file has POLCCONV = IAU, and the name of {', '.join(unknown)} does not determine "
            "whether its sign changes with B; rename the columns to TT, EE, BB, TE, TB, EB, or read the "
            "spectra without a change of sign with spherekit.io.read_spectra"
        )
    return spectra.values


@naming_the_file
def read_spectra(
    path: str | PathLike,
    hdu: int | str | None = None,
    *,
    kind: Literal["cl", "dl"] | None = None,
    columns: Sequence[str] | None = None,
) -> Spectra:
    """Read power spectra C_l from a FITS, text or NumPy file, with units, frame and polarization convention.

    The format is recognized by the contents: FITS tables of HEALPix codes and of CAMB; text of CAMB, CLASS,
    the Planck archive and `write_cl`, and other tables of l and spectra; .npz of `write_cl`, or with an array
    for each spectrum; rows of spectra from l = 0 on in .npy. D_l = l (l+1) C_l / 2 pi are
    converted to C_l. A text defines them by its header ("D_l", "l(l+1)C_l"), by names such as Dl_TT, or by
    the columns of CAMB ("L TT EE BB TE"). Columns of FITS are C_l unless their names contain DL. If a text
    begins at l = 1 or 2, the values of smaller l are 0. If the file has POLCCONV = IAU, the signs of TB and
    EB are changed.

    Parameters
    ----------
    path : str or path
        The file, possibly compressed by gzip.
    hdu : int or str, optional
        Number or name of the FITS table. By default, the first that declares spectra, or else the first.
    kind : {"cl", "dl"}, optional
        Whether the columns are C_l or D_l, if the file does not define it.
    columns : sequence of str, optional
        The names of the columns of a text without names, such as ("l", "TT", "EE", "BB", "TE"), or of the
        rows of an array without names, such as ("TT", "EE").

    Returns
    -------
    Spectra

    Raises
    ------
    FileNotFoundError
        There is no such file.
    TypeError
        ``hdu`` is neither an integer nor a name.
    ValueError
        A damaged file, a file of another format, a table of a map, of coefficients (the message names it)
        or of other values than numbers; missing or infinite values; frames or conventions that contradict
        each other; text that defines neither C_l nor D_l, or no names of several columns, or whose multipoles
        are not integers from 0, 1 or 2 on without gaps.

    See Also
    --------
    read_cl : read the spectra only.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "cl.fits")
    >>> write_cl(path, np.ones(3), unit="uK^2", coordsys="G")
    >>> spectra = read_spectra(path)
    >>> spectra.units, spectra.frame
    ({'TEMPERATURE': 'uK^2'}, 'galactic')
    """
    if kind not in (None, "cl", "dl"):
        raise ValueError(f'kind must be "cl" or "dl"; got {kind!r}')
    if contains_bandpowers(path):
        raise ValueError(
            f"{path}: the file contains bandpowers, not a value for each l; read it with "
            "spherekit.io.read_bandpowers"
        )
    format_of_file = kinds.describe(path)
    readers = dict.fromkeys(spectrum_text.KINDS, _from_text)
    readers |= dict.fromkeys(numpy_spectra.KINDS, _from_numpy)
    reader = readers.get(format_of_file)
    table = None if reader else first_table(path, hdu, is_spectrum)
    try:
        if reader is not None:
            if hdu is not None:
                noun = format_of_file.removeprefix("a ")
                raise ValueError(
                    f"hdu={hdu!r} selects a FITS table, but the file is {noun}; omit hdu"
                )
            return _in_cosmo(reader(path, kind, columns))
        return _in_cosmo(_from_table(table, kind, columns))
    except ValueError as error:
        text = str(error).removeprefix(f"{path}: ").removeprefix(f"{path} ")
        raise ValueError(f"{path}: {text}") from None


def _from_table(table, kind, columns):
    _refuse_other_kinds(table)
    if columns is not None:
        raise ValueError("columns defines the names of a text, but the columns of FITS have names")
    values = {name: _spectrum(name, cl) for name, cl in table.columns.items()}
    of_dl = _columns_of_dl(values, kind)
    first, notes = _first_multipole(values, of_dl)
    names = {n: name_of_cl(n) if n in of_dl else n for n in values}
    values = {
        name: np.arange(float(first + cl.size))
        if first and is_multipole(name)
        else from_zero(cl, first)
        for name, cl in values.items()
    }
    values |= {name: cl_of_dl(values[name]) for name in of_dl}
    return Spectra(
        {names[name]: cl for name, cl in values.items()},
        {names[name]: unit for name, unit in table.units.items()},
        coordsys_of(table),
        table_frame(table),
        "COSMO",
        stokes.polarization_convention(table),
        table.hdu,
        headers.history(table),
        (*notes, *notes_of(first, "dl" if of_dl else "cl", f"the columns {', '.join(of_dl)}")),
    )


def _first_multipole(values, of_dl):
    """(l of the first row, notes), from a column of multipoles if there is one.

    Raises ValueError if D_l are to be converted at multipoles that are not integers without gaps.
    """
    ell = next((name for name in values if is_multipole(name)), None)
    if ell is None:
        return 0, ()
    try:
        return int(checked_multipoles(values[ell])[0]), ()
    except ValueError:
        if of_dl:
            raise
        return 0, (f"the column {ell} is not l = 0, 1, 2, ...; the values are those of the rows",)


def _columns_of_dl(columns, kind):
    """The names of the columns of D_l: those that denote it, or with ``kind`` all that do not denote C_l."""
    named = [name for name in columns if kind_of_name(name) == "dl"]
    if named and kind == "cl":
        raise ValueError(f'the name of the column {named[0]} denotes D_l, but kind="cl"; omit kind')
    if kind != "dl" or named:
        return named
    of_cl = [name for name in columns if kind_of_name(name) == "cl"]
    if of_cl:
        raise ValueError(f'the name of the column {of_cl[0]} denotes C_l, but kind="dl"; omit kind')
    return [name for name in columns if not is_multipole(name)]


def _from_numpy(path, kind, columns):
    contents = numpy_spectra.read_numpy(path, kind, columns)
    return Spectra(
        {name: _spectrum(name, cl) for name, cl in contents.values.items()},
        contents.units,
        frame_letter(contents.frame),
        contents.frame,
        "COSMO",
        stokes.polarization_convention(Table({"POLCCONV": contents.polcconv}, {}, {})),
        0,
        contents.history,
        contents.notes,
    )


def _from_text(path, kind, columns):
    text = spectrum_text.read_text(path, kind, columns)
    coordsys, polcconv, units = (
        (text.entries.get(key) or [""])[0] for key in ("coordsys", "polcconv", "units")
    )
    units = ["" if unit == "-" else unit for unit in units.split()]
    units = units if len(units) == len(text.values) else [text.unit] * len(text.values)
    return Spectra(
        {name: _spectrum(name, cl) for name, cl in text.values.items()},
        dict(zip(text.values, units, strict=True)),
        coordsys,
        frame_of(coordsys),
        "COSMO",
        stokes.polarization_convention(Table({"POLCCONV": polcconv}, {}, {})),
        0,
        tuple(text.entries.get("history", ())),
        text.notes,
    )


def _in_cosmo(spectra):
    """Spectra with the signs of TB and EB of the COSMO convention, if the names determine these columns."""
    if spectra.file_polcconv != "IAU":
        return spectra
    signs = [_sign_of_b(name) for name in spectra.values]
    if None in signs:
        return spectra._replace(polcconv="IAU")
    pairs = zip(spectra.values.items(), signs, strict=True)
    return spectra._replace(values={name: -cl if sign < 0 else cl for (name, cl), sign in pairs})


def _refuse_other_kinds(table):
    names = {name.lower() for name in table.columns}
    if {"index", "real", "imag"} <= names:
        raise ValueError(
            f"HDU {table.hdu} contains spherical-harmonic coefficients (alm); expected spectra: read them "
            "with spherekit.io.read_alm, and compute spectra with spherekit.spectra.power"
        )
    header = headers.MergedHeader(table)
    is_map = headers.text(header, "PIXTYPE") or headers.text(header, "ORDERING")
    if is_map and not is_spectrum(table):
        raise ValueError(
            f"HDU {table.hdu} contains a HEALPix map; expected spectra: read it with spherekit.io.read_map, "
            "or compute its spectrum with `spherekit spectrum`"
        )


def _spectrum(name, cl):
    if cl.dtype.kind not in "fiub":
        raise ValueError(f"the column {name} has dtype {cl.dtype}; expected real numbers")
    cl = cl.astype(float)
    invalid = np.count_nonzero(is_missing(cl) | ~np.isfinite(cl))
    if invalid:
        raise ValueError(
            f"{invalid} of {cl.size} values of the column {name} are missing or infinite; expected finite "
            "values: spherekit.io.read_table returns the column without this check"
        )
    return cl


def write_cl(
    path: str | PathLike,
    cl: ArrayLike | dict[str, ArrayLike],
    *,
    column: str = "TEMPERATURE",
    unit: str | dict[str, str] = "",
    coordsys: str = "",
    polcconv: Literal["COSMO", "IAU"] | None = None,
    history: Sequence[str] | None = None,
    overwrite: bool = False,
) -> None:
    """Write one or several power spectra C_l: FITS, text if the suffix is .txt or .dat, or .npz.

    The header of a text defines the kind, names, units, frame, convention and history, which `read_spectra`
    reads. Its rows are l and the spectra, in as many digits as reproduce the numbers. A .npz file contains
    the arrays ``cl`` of shape (L,), or (n, L) for several spectra, ``columns`` (their names), ``kind``
    ("cl"), ``unit``, ``frame``, ``polcconv`` and ``history``.

    Parameters
    ----------
    path : str or path
        The file. A file with the suffix ``.gz`` is compressed.
    cl : real array_like [shape=(L,)], or dict of str to such
        Finite values of one spectrum, or several spectra of the same length by name. The units of quantities
        are written to the file.
    column : str
        The name of a single spectrum.
    unit : str, or dict of str to str
        The unit of all spectra, or the units by name.
    coordsys : str
        The coordinate frame of the sky in any spelling that `spherekit.io.frame_of` accepts.
    polcconv : {"COSMO", "IAU"}, optional
        The polarization convention of the spectra, which are not changed. By default COSMO if there are
        spectra of E or B.
    history : sequence of str, optional
        How the spectra were made, oldest entry first, to which the version of spherekit and the present
        command are added. By default, that of the inputs of the command.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    FileExistsError
        The file exists, and ``overwrite`` is False.
    TypeError
        Masked entries; Python objects.
    ValueError
        Spectra of different lengths or of several dimensions, NaN or infinite values, complex numbers, text,
        an unknown frame or convention.

    See Also
    --------
    read_cl, read_spectra : read such a file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "cl.fits")
    >>> write_cl(path, {"EE": np.ones(3), "BB": np.zeros(3)}, unit="uK^2")
    >>> list(read_cl(path))
    ['EE', 'BB']
    """
    spectra = cl if isinstance(cl, dict) else {column: cl}
    columns = [_column(name, values, unit) for name, values in spectra.items()]
    shapes = {c.shape for _, c, _ in columns}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        raise ValueError(f"cl has shapes {sorted(shapes)}; expected (L,), the same for all spectra")
    is_polarized = any(spectrum_of(name) not in ("", "TT") for name in spectra)
    convention = stokes.convention_key(polcconv, is_polarized)
    letter = frame_letter(coordsys)
    if os.fsdecode(path).lower().endswith(".npz"):
        described = frame_of(coordsys), convention, history
        numpy_spectra.write_numpy(path, columns, *described, overwrite=overwrite)
        return
    if os.fsdecode(path).lower().endswith((".txt", ".dat")):
        spectrum_text.write_text(path, columns, letter, convention, history, overwrite=overwrite)
        return
    header = {"MAX-LPOL": columns[0][1].size - 1}
    if letter:
        header["COORDSYS"] = letter
    write_table(path, columns, header | convention, history=history, overwrite=overwrite)


def _column(name, cl, unit):
    label = f"the spectrum {name}"
    refuse_masked(cl, label)
    cl, unit = without_unit(cl, unit.get(name, "") if isinstance(unit, dict) else unit, label)
    cl = as_floating(cl.astype(float) if cl.dtype.kind in "iub" else cl, label).astype(float)
    if not np.isfinite(cl).all() or is_missing(cl).any():
        raise ValueError(f"{label} contains NaN, infinite or UNSEEN values; expected finite values")
    return name, cl, unit
