"""Power spectra C_l in the FITS tables of HEALPix codes."""

import re
from typing import NamedTuple

import numpy as np

from spherekit.io import headers, stokes
from spherekit.io.fits import first_table, write_table
from spherekit.io.frames import coordsys_of, frame_letter, table_frame
from spherekit.io.missing import is_missing
from spherekit.io.units import floating, refuse_masked, without_unit

#: Names of spectra in use, by what they are; "-" and "_" are the same.
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
_NO_SPECTRA = {"ELL", "L", "MULTIPOLE", "LMIN", "LMAX", "LMEAN", "BIN", "NMODES", "MODES", "FSKY"}


class Spectra(NamedTuple):
    """What `read_spectra` reads: ``values`` and ``units`` by column name; the rest as of `SkyMap`.

    ``polcconv`` is "IAU" where columns of an IAU file have names that do not tell what they are;
    all values are then as they are in the file.
    """

    values: dict
    units: dict
    coordsys: str = ""
    frame: str = ""
    polcconv: str = "COSMO"
    file_polcconv: str = ""
    hdu: int = 1


def spectrum_of(column):
    """Which spectrum a column holds, by its name: "TT", "EE", "BB", "TE", "TB", "EB" or "".

    Names in use are known, and those with one word such as TB or ClTB, whatever the words beside
    it, but for those that say error or the like.

    >>> [spectrum_of(name) for name in ("GRADIENT", "C-T", "Cl_TB", "EE_353", "EE_ERR", "ell")]
    ['EE', 'TB', 'TB', 'EE', '', '']
    """
    words = stokes.words(column)
    name, short = "_".join(words), "_".join(word for word in words if word not in _SPECTRUM)
    if name in _BY_NAME or short in _BY_NAME:
        return _BY_NAME.get(name) or _BY_NAME[short]
    matches = [_PAIR.fullmatch(word) for word in words]
    pairs = [match[1] for match in matches if match]
    return _BY_NAME[pairs[0]] if len(pairs) == 1 and not stokes.describes_pixels(column) else ""


def _sign_of_b(column):
    """-1 where a spectrum changes its sign with B, 1 where it does not, None where that is unknown."""
    kind = spectrum_of(column)
    is_known = kind or stokes.describes_pixels(column) or set(stokes.words(column)) & _NO_SPECTRA
    return -1 if kind in ("TB", "EB") else 1 if is_known else None


def is_spectrum(table):
    """True where a table says that it holds spectra."""
    if headers.text(table.header, "MAX-LPOL"):
        return "index" not in {name.lower() for name in table.columns}
    names = [n for n in table.columns if spectrum_of(n) not in ("", "TT")]
    return headers.text(table.header, "EXTNAME").upper() == "POWER SPECTRUM" or len(names) > 1


def read_cl(path, hdu=None):
    """Spectra by column name, each (L,), from a C_l table; `read_spectra` has their units too.

    Parameters
    ----------
    path : str or path
    hdu : int or str, optional
        Number or name of the table; default: the first that says that it holds spectra, or else
        the first.

    Returns
    -------
    dict of str to float64 ndarray [shape=(L,)]

    Raises
    ------
    ValueError
        A file that is no table of numbers (a map, coefficients: with what it is), or is truncated;
        missing or infinite values; a file with POLCCONV = IAU whose columns do not tell which of
        them change their sign with B (`read_spectra` gives them as they are, and says so).
    FileNotFoundError

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
            f"{path}: its polarization follows the IAU convention (POLCCONV), and the name of "
            f"{', '.join(unknown)} does not tell whether its sign is to be changed; rename the columns "
            "TT, EE, BB, TE, TB, EB, or take them as they are: spherekit.io.read_spectra"
        )
    return spectra.values


def read_spectra(path, hdu=None):
    """Spectra of a C_l table with their units, frame and convention; arguments as of `read_cl`.

    From a file with POLCCONV = IAU, spectra of B with T or E have changed their sign.

    Returns
    -------
    Spectra

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
            f"HDU {table.hdu} holds spherical-harmonic coefficients (alm), no spectra: "
            "spherekit.io.read_alm reads them, spherekit.spectra.power gives their spectra"
        )
    header = headers.merged(table)
    is_map = headers.text(header, "PIXTYPE") or headers.text(header, "ORDERING")
    if is_map and not is_spectrum(table):
        raise ValueError(
            f"HDU {table.hdu} holds a HEALPix map, no spectra: spherekit.io.read_map reads it, "
            "`spherekit spectrum` gives its spectrum"
        )


def _spectrum(name, cl):
    if cl.dtype.kind not in "fiub":
        raise ValueError(f"the column {name} holds {cl.dtype}; a spectrum is a column of numbers")
    cl = cl.astype(float)
    lost = np.count_nonzero(is_missing(cl) | ~np.isfinite(cl))
    if lost:
        raise ValueError(
            f"{lost} of {cl.size} values of the column {name} are missing or infinite; "
            "spherekit.io.read_table gives them as they are"
        )
    return cl


def write_cl(
    path, cl, *, column="TEMPERATURE", unit="", coordsys="", polcconv=None, overwrite=False
):
    """Write a spectrum (L,), or several of one length as a dict of name to spectrum.

    Parameters
    ----------
    path : str or path
    cl : array [shape=(L,)], or dict of str to arrays
        Finite real numbers; quantities carry their units into the file.
    column : str
        The name of a single spectrum.
    unit : str, or dict of str to str
        Of all spectra, or of each by name.
    coordsys : str
        Frame of the sky that they come from, in any spelling.
    polcconv : {"COSMO", "IAU"}, optional
        The convention that the spectra follow; they are written as they are. Default: COSMO where
        there are spectra of E or B.
    overwrite : bool

    Raises
    ------
    ValueError
        Spectra of different lengths or more dimensions, NaN or infinite values, complex numbers.
    TypeError
        Masked entries.
    FileExistsError

    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "cl.fits")
    >>> write_cl(path, {"EE": np.ones(3), "BB": np.zeros(3)}, unit="uK^2")
    >>> list(read_cl(path))
    ['EE', 'BB']
    """
    named = cl if isinstance(cl, dict) else {column: cl}
    columns = [_column(name, c, unit) for name, c in named.items()]
    shapes = {c.shape for _, c, _ in columns}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        raise ValueError(f"cl has shape {sorted(shapes)}; expected (L,), the same for all spectra")
    header = {"MAX-LPOL": columns[0][1].size - 1}
    if frame_letter(coordsys):
        header["COORDSYS"] = frame_letter(coordsys)
    is_polarized = any(spectrum_of(name) not in ("", "TT") for name in named)
    header |= stokes.convention_key(polcconv, is_polarized)
    write_table(path, columns, header, overwrite=overwrite)


def _column(name, cl, unit):
    label = f"the spectrum {name}"
    refuse_masked(cl, label)
    cl, unit = without_unit(cl, unit.get(name, "") if isinstance(unit, dict) else unit, label)
    cl = floating(cl.astype(float) if cl.dtype.kind in "iub" else cl, label).astype(float)
    if not np.isfinite(cl).all() or is_missing(cl).any():
        raise ValueError(f"{label} holds NaN, infinite or UNSEEN values; a spectrum is finite")
    return name, cl, unit
