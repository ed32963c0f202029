"""Read and write coefficients of real signals in the FITS tables of HEALPix codes.

A table contains one set of coefficients, in the columns index = l^2 + l + m + 1 (m >= 0), real, imag. T, E
and B of a polarized sky are three tables of one file.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.conventions import band_limit_of, from_healpy, to_healpy
from spherekit.conventions.indexing import order_major
from spherekit.io import headers, stokes
from spherekit.io.blocks import naming_the_file
from spherekit.io.fits import outlines, read_table, tables, write_tables
from spherekit.io.frames import coordsys_of, frame_letter, table_frame
from spherekit.io.missing import is_missing
from spherekit.io.units import refuse_masked, with_units

#: Names of the tables of coefficients that are written (those of the columns of spectra in HEALPix).
_EXTNAMES = {"T": "TEMPERATURE", "E": "GRADIENT", "B": "CURL"}
#: The key for the component of a table.
_KEY = "ALMCOMP"
_WORDS = {
    "T": {"T", "I", "TT", "TEMPERATURE", "INTENSITY"},
    "E": {"E", "EE", "GRAD", "GRADIENT", "ELECTRIC"},
    "B": {"B", "BB", "CURL", "MAGNETIC"},
}


class Alm(NamedTuple):
    """Coefficients of real signals, as returned by `read_alms`.

    Attributes
    ----------
    flm : complex128 ndarray [shape=(n, L*L)]
        The sets of coefficients.
    components : tuple of {"T", "E", "B", ""}
        The component of each set, "" if the file does not define it.
    units : tuple of str
        The unit of each set, "" if there is none.
    hdus : tuple of int
        The number of the HDU of each set.
    coordsys : str
        The value of COORDSYS or SKYCOORD in the file.
    frame : str
        "galactic", "ecliptic", "equatorial", or "" if the file does not define a frame.
    polcconv : {"COSMO", "IAU"}
        The polarization convention of ``flm``. "IAU" only for a single set that may or may not be B, whose
        sign was not changed.
    file_polcconv : str
        The value of POLCCONV in the file, "" if there is none.
    names : tuple of str
        EXTNAME of each table, "" if there is none.
    history : tuple of str
        The HISTORY cards of the file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "alm.fits")
    >>> write_alm(path, np.zeros((2, 9)), component="EB")
    >>> alm = read_alms(path)
    >>> alm.flm.shape, alm.components, alm.names, alm.file_polcconv
    ((2, 9), ('E', 'B'), ('GRADIENT', 'CURL'), 'COSMO')
    """

    flm: np.ndarray
    components: tuple
    units: tuple
    hdus: tuple
    coordsys: str = ""
    frame: str = ""
    polcconv: str = "COSMO"
    file_polcconv: str = ""
    names: tuple = ()
    history: tuple = ()


def is_alm(table):
    """Whether a table has the columns of HEALPix alm files: index, real, imag."""
    return {"index", "real", "imag"} <= {name.lower() for name in table.columns}


@naming_the_file
def read_alm(
    path: str | PathLike, hdu: int | str | Sequence[int | str] | None = None
) -> np.ndarray:
    """Read coefficients of real signals from an alm file of HEALPix codes.

    Parameters
    ----------
    path : str or path
        The file, possibly compressed by gzip.
    hdu : int or str, or sequence of them, optional
        Numbers or names of the tables. By default, all tables of coefficients.

    Returns
    -------
    complex128 ndarray [shape=(L*L,) of one table, (n, L*L) of several tables]
        Coefficients in the flat layout; T, E, B of a file of three tables.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    TypeError, ValueError
        As `read_alms`; a single table with POLCCONV = IAU that may or may not be B.

    See Also
    --------
    read_alms : read the units, components and frame, too.
    write_alm : write such a file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "alm.fits")
    >>> write_alm(path, np.array([1, 3j, 2, 3j]))
    >>> np.array_equal(read_alm(path), [1, 3j, 2, 3j])
    True
    """
    alm = read_alms(path, hdu)
    if alm.polcconv != "COSMO":
        raise ValueError(
            f"{path}: the file has POLCCONV = IAU, and does not define whether its coefficients are those of "
            "B, whose sign changes; name the table T, E or B, or read the coefficients without a change of "
            "sign with spherekit.io.read_alms"
        )
    flm = alm.flm
    is_sequence = hdu is not None and not isinstance(hdu, str) and np.iterable(hdu)
    return flm if len(flm) > 1 or is_sequence else flm[0]


@naming_the_file
def read_alms(path: str | PathLike, hdu: int | str | Sequence[int | str] | None = None) -> Alm:
    """Read all sets of coefficients of an alm file, with their components, units and frame.

    The component of a table is given by its key ALMCOMP, which `write_alm` writes, or by its name (an
    EXTNAME with a word such as TEMPERATURE, GRADIENT or ELECTRIC, CURL or MAGNETIC). Of three tables, the
    one beside E and B is T; three tables without such names are T, E, B in this order, as written by healpy
    and HEALPix. A single table without such a name has no component. If the file has POLCCONV = IAU, the
    sign of B is changed. Sets of lower band-limit are padded with zeros.

    Parameters
    ----------
    path : str or path
        The file, possibly compressed by gzip.
    hdu : int or str, or sequence of them, optional
        Numbers or names of the tables. By default, all tables of coefficients.

    Returns
    -------
    Alm

    Raises
    ------
    FileNotFoundError
        There is no such file.
    TypeError
        ``hdu`` is neither an integer nor a name.
    ValueError
        A file without coefficients (the message names its content), several tables whose components cannot be
        determined, an invalid or repeated index, missing or infinite coefficients, frames or conventions that
        contradict each other.

    See Also
    --------
    read_alm : read the coefficients only.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "alm.fits")
    >>> write_alm(path, np.zeros((3, 9)), unit="uK", coordsys="G")
    >>> alm = read_alms(path)
    >>> alm.flm.shape, alm.components, alm.units, alm.frame
    ((3, 9), ('T', 'E', 'B'), ('uK', 'uK', 'uK'), 'galactic')
    """
    alm_tables = _alm_tables(path, hdu)
    try:
        components = _components(path, alm_tables, hdu)
        flms = [_coefficients(table) for table in alm_tables]
        frames = {table_frame(table) for table in alm_tables} - {""}
        conventions = {stokes.polarization_convention(table) for table in alm_tables} - {""}
        if len(frames) > 1 or len(conventions) > 1:
            raise ValueError(
                "the tables of the file contradict each other in COORDSYS or POLCCONV; correct the headers"
            )
        file_polcconv = conventions.pop() if conventions else ""
        if file_polcconv == "IAU" and len(flms) > 1 and "" in components:
            raise ValueError(
                "the file has POLCCONV = IAU, and does not define which table is B, whose sign changes; name "
                "the tables T, E and B (the sign of a single table is not changed, and the polcconv of the "
                'result is "IAU")'
            )
        if file_polcconv == "IAU":
            flms = [-flm if c == "B" else flm for flm, c in zip(flms, components, strict=True)]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    flm = np.zeros((len(flms), max(x.size for x in flms)), np.result_type(*flms))
    for row, coefficients in zip(flm, flms, strict=True):
        row[: coefficients.size] = coefficients
    return Alm(
        flm,
        components,
        tuple(_unit(table) for table in alm_tables),
        tuple(table.hdu for table in alm_tables),
        coordsys_of(alm_tables[0]),
        frames.pop() if frames else "",
        "IAU" if file_polcconv == "IAU" and components == ("",) else "COSMO",
        file_polcconv,
        tuple(table.name for table in alm_tables),
        tuple(dict.fromkeys(line for table in alm_tables for line in headers.history(table))),
    )


def _alm_tables(path, hdu):
    """The tables of coefficients that ``hdu`` selects."""
    if hdu is None:
        candidates = tables(path)
    else:
        hdus = [hdu] if isinstance(hdu, str) or not np.iterable(hdu) else list(hdu)
        candidates = [read_table(path, item) for item in hdus]
    alm_tables = [table for table in candidates if is_alm(table)]
    if hdu is not None and len(alm_tables) < len(candidates):
        alm_tables = []
    if not alm_tables:
        contents = "; ".join(f"HDU {t.hdu}: {', '.join(t.columns)}" for t in candidates)
        raise ValueError(
            f"{path} is not an alm file (columns index, real, imag): it contains {contents or 'no table'}"
        )
    return alm_tables


def _components(path, alm_tables, hdu):
    """The components of the tables, by their names, or by their order among the three of the file."""
    candidates = [table for table in outlines(path) if is_alm(table)]
    names = [_component(table) for table in candidates]
    if names == ["", "", ""]:
        names = ["T", "E", "B"]
    elif sorted(names) == ["", "B", "E"]:
        names[names.index("")] = "T"
    by_hdu = {table.hdu: name for table, name in zip(candidates, names, strict=True)}
    components = tuple(by_hdu[table.hdu] for table in alm_tables)
    defined = [component for component in components if component]
    if hdu is None and len(components) > 1 and len(set(defined)) < len(components):
        choices = ", ".join(f"{table.hdu} {table.name}".strip() for table in alm_tables)
        raise ValueError(
            f"the file has {len(alm_tables)} tables of coefficients ({choices}), and does not define which "
            "are T, E and B; select tables by hdu"
        )
    return components


def _component(table):
    """The component "T", "E" or "B", from the key ALMCOMP or from a word in EXTNAME; else ""."""
    component = headers.text(table.header, _KEY).upper()
    if component:
        if component not in _WORDS:
            raise headers.HeaderError(f"the header has {_KEY} = {component!r}; expected T, E or B")
        return component
    words = set("".join(c if c.isalnum() else " " for c in table.name.upper()).split())
    matches = [component for component, synonyms in _WORDS.items() if words & synonyms]
    return matches[0] if len(matches) == 1 else ""


def _unit(table):
    unit = next(u for name, u in table.units.items() if name.lower() == "real")
    return "" if unit.lower() == "unknown" else unit  # written by healpy if there is no unit


def _coefficients(table):
    columns = {name.lower(): values for name, values in table.columns.items()}
    index, real, imag = (columns[name] for name in ("index", "real", "imag"))
    if not index.size == real.size == imag.size or {real.dtype.kind, imag.dtype.kind} - set("fiu"):
        raise ValueError(
            f"the columns index, real, imag have sizes {index.size}, {real.size}, {imag.size} and dtypes "
            f"{index.dtype}, {real.dtype}, {imag.dtype}; expected real columns of the same size"
        )
    invalid = np.count_nonzero(is_missing(real) | is_missing(imag) | ~np.isfinite(real + imag))
    if invalid:
        raise ValueError(
            f"{invalid} of {real.size} coefficients are missing or infinite; expected finite numbers"
        )
    ell, m = _degrees_and_orders(index)
    L = int(ell.max()) + 1
    checks.fits_memory(16 * (L * L + L * (L + 1) // 2), f"coefficients of L = {L}")
    position = m * (2 * L - 1 - m) // 2 + ell
    is_present = np.zeros(L * (L + 1) // 2, bool)
    is_present[position] = True
    repeated = position.size - np.count_nonzero(is_present)
    if repeated:
        raise ValueError(
            f"{repeated} of {position.size} entries of the column index are repeated; expected each once"
        )
    alm = np.zeros(is_present.size, complex)
    alm.real[position] = real
    alm.imag[position] = imag
    return from_healpy(alm, L)


def _degrees_and_orders(index):
    is_whole = index.dtype.kind in "iu" or (index.dtype.kind == "f" and np.all(index % 1 == 0))
    if index.size and is_whole and index.min() > 0 and index.max() < 2**62:
        position = index.astype(np.int64) - 1
        ell = np.sqrt(position).astype(np.int64)
        ell -= ell * ell > position
        m = position - ell * ell - ell
        if m.min() >= 0:
            return ell, m
    raise ValueError("the column index contains numbers other than l^2 + l + m + 1 with m >= 0")


def write_alm(
    path: str | PathLike,
    flm: ArrayLike,
    *,
    unit: str | Sequence[str] = "",
    coordsys: str = "",
    component: str | Sequence[str] | None = None,
    name: str | Sequence[str] | None = None,
    polcconv: Literal["COSMO", "IAU"] | None = None,
    history: Sequence[str] | None = None,
    overwrite: bool = False,
) -> None:
    """Write the coefficients of a real signal, or of T, E and B of a polarized sky, to a FITS file.

    The format does not support coefficients of complex signals and of spin fields; use `write_arrays` for
    them.

    Parameters
    ----------
    path : str or path
        The file. A file with the suffix ``.gz`` is compressed.
    flm : complex array_like [shape=(L*L,) or (n, L*L)]
        Coefficients (Hermitian). Three sets are T, E, B. Each set is written to a table of its own, which
        healpy reads with ``hdu=(1, 2, 3)``. The unit of a quantity is written to the file.
    unit : str or sequence of str
        One unit for all sets, or one for each set.
    coordsys : str
        The coordinate frame of the sky in any spelling that `spherekit.io.frame_of` accepts.
    component : str or sequence of str, optional
        "T", "E" or "B" for each set. Required for several sets other than three.
    name : str or sequence of str, optional
        Names of the tables (EXTNAME). By default TEMPERATURE, GRADIENT and CURL for T, E and B.
    polcconv : {"COSMO", "IAU"}, optional
        The polarization convention of the coefficients, which are not changed. By default COSMO for E and B.
    history : sequence of str, optional
        How the coefficients were made, oldest entry first, to which the version of spherekit and the present
        command are added. By default, that of the inputs of the command.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    FileExistsError
        The file exists, and ``overwrite`` is False.
    TypeError
        Masked entries; not an array of numbers.
    ValueError
        Another shape, coefficients that are not Hermitian or not finite, names, units or components that do
        not match the sets, an unknown frame or convention.

    See Also
    --------
    read_alm, read_alms : read such a file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "alm.fits")
    >>> write_alm(path, np.zeros((3, 4)), unit="uK")
    >>> read_alm(path).shape
    (3, 4)
    """
    flm, units = _flm_and_units(flm, unit)
    components = _component_of_each(component, len(flm))
    header = {"COORDSYS": frame_letter(coordsys)} if frame_letter(coordsys) else {}
    contents = []
    names = [_EXTNAMES.get(c, "") for c in components]
    if name is not None:
        names = [name] if isinstance(name, str) else list(name)
    if len(names) != len(flm):
        raise ValueError(
            f"name has length {len(names)}, and flm has {len(flm)} set(s) of coefficients; expected "
            "one name for each"
        )
    for coefficients, c, label, extname in zip(flm, components, units, names, strict=True):
        polarized = stokes.convention_key(polcconv, c in ("E", "B"))
        columns, degrees = _columns(coefficients, label)
        component_key = {_KEY: c} if c else {}
        contents.append((columns, {**degrees, **header, **polarized, **component_key}, extname))
    write_tables(path, contents, history=history, overwrite=overwrite)


def _flm_and_units(flm, unit):
    """(coefficients (n, L*L), which are finite; their units)."""
    refuse_masked(flm, "flm")
    flm, units = with_units(flm, unit, "flm")
    flm = checks.as_float_array(flm, "flm")
    if flm.ndim not in (1, 2) or flm.size == 0:
        raise ValueError(
            f"flm has shape {flm.shape}; expected (L*L,), or (n, L*L) with n sets such as T, E, B"
        )
    invalid = np.count_nonzero(~np.isfinite(flm) | is_missing(flm))
    if invalid:
        raise ValueError(
            f"{invalid} of {flm.size} coefficients are NaN, infinite or UNSEEN; expected finite numbers"
        )
    return np.atleast_2d(flm), units


def _component_of_each(component, n):
    if component is None:
        if n not in (1, 3):
            raise ValueError(f"flm has {n} sets; specify component, such as ('E', 'B')")
        return ("T", "E", "B") if n == 3 else ("",)
    components = tuple(component)
    if len(components) != n or len(set(components)) != n or not set(components) <= set("TEB"):
        raise ValueError(
            f"component is {component!r}; expected {n} different ones of 'T', 'E', 'B'"
        )
    return components


def _columns(flm, unit):
    alm = to_healpy(flm)
    L = band_limit_of(flm)
    ell, m = order_major(L, L - 1)
    index = (ell * ell + ell + m + 1).astype(np.int32 if L <= 46340 else np.int64)
    columns = [("index", index, "l*l+l+m+1"), ("real", alm.real, unit), ("imag", alm.imag, unit)]
    return columns, {"MAX-LPOL": L - 1, "MAX-MPOL": L - 1}
