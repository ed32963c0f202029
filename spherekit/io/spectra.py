"""Read and write power spectra C_l in the FITS tables of HEALPix codes."""

from __future__ import annotations

import re
from os import PathLike
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from spherekit.io import headers, stokes
from spherekit.io.fits import first_table, write_table
from spherekit.io.frames import coordsys_of, frame_letter, table_frame
from spherekit.io.missing import is_missing
from spherekit.io.units import as_floating, refuse_masked, without_unit

#: Names of columns of each spectrum that codes write; "-" and "_" are equivalent.
NAMES = {
    "TT": ("TT", "TEMPERATURE", "T", "CL", "C_L"),
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
        The number of the HDU.

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


def spectrum_of(column):
    """The spectrum in a column, by its name: "TT", "EE", "BB", "TE", "TB", "EB" or "".

    Accepted are the names in `NAMES`, and names with one word such as TB or ClTB among others, except for
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
    """Whether the header or the names of the columns of a table declare spectra."""
    if headers.text(table.header, "MAX-LPOL"):
        return "index" not in {name.lower() for name in table.columns}
    names = [n for n in table.columns if spectrum_of(n) not in ("", "TT")]
    return headers.text(table.header, "EXTNAME").upper() == "POWER SPECTRUM" or len(names) > 1


def read_cl(path: str | PathLike, hdu: int | str | None = None) -> dict[str, np.ndarray]:
    """Read power spectra from a C_l table of HEALPix codes.

    Parameters
    ----------
    path : str or path
        The file, possibly compressed by gzip.
    hdu : int or str, optional
        Number or name of the table. By default, the first that declares spectra, or else the first.

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
    spectra = read_spectra(path, hdu)
    if spectra.polcconv != "COSMO":
        unknown = [name for name in spectra.values if _sign_of_b(name) is None]
        raise ValueError(
            f"{path}: the file has POLCCONV = IAU, and the name of {', '.join(unknown)} does not determine "
            "whether its sign changes with B; rename the columns to TT, EE, BB, TE, TB, EB, or read the "
            "spectra without a change of sign with spherekit.io.read_spectra"
        )
    return spectra.values


def read_spectra(path: str | PathLike, hdu: int | str | None = None) -> Spectra:
    """Read power spectra from a C_l table, with their units, frame and polarization convention.

    If the file has POLCCONV = IAU, the signs of TB and EB are changed.

    Parameters
    ----------
    path : str or path
        The file, possibly compressed by gzip.
    hdu : int or str, optional
        Number or name of the table. By default, the first that declares spectra, or else the first.

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
        each other.

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
    table = first_table(path, hdu, is_spectrum)
    try:
        _refuse_other_kinds(table)
        file_polcconv = stokes.polarization_convention(table)
        values = {name: _spectrum(name, cl) for name, cl in table.columns.items()}
        signs = [_sign_of_b(name) for name in values]
        convention = "IAU" if file_polcconv == "IAU" and None in signs else "COSMO"
        if file_polcconv == "IAU" and convention == "COSMO":
            pairs = zip(values.items(), signs, strict=True)
            values = {name: -cl if sign < 0 else cl for (name, cl), sign in pairs}
        frame = table_frame(table)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return Spectra(
        values, dict(table.units), coordsys_of(table), frame, convention, file_polcconv, table.hdu
    )


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
    overwrite: bool = False,
) -> None:
    """Write one or several power spectra to a FITS file.

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
    header = {"MAX-LPOL": columns[0][1].size - 1}
    if frame_letter(coordsys):
        header["COORDSYS"] = frame_letter(coordsys)
    is_polarized = any(spectrum_of(name) not in ("", "TT") for name in spectra)
    header |= stokes.convention_key(polcconv, is_polarized)
    write_table(path, columns, header, overwrite=overwrite)


def _column(name, cl, unit):
    label = f"the spectrum {name}"
    refuse_masked(cl, label)
    cl, unit = without_unit(cl, unit.get(name, "") if isinstance(unit, dict) else unit, label)
    cl = as_floating(cl.astype(float) if cl.dtype.kind in "iub" else cl, label).astype(float)
    if not np.isfinite(cl).all() or is_missing(cl).any():
        raise ValueError(f"{label} contains NaN, infinite or UNSEEN values; expected finite values")
    return name, cl, unit
