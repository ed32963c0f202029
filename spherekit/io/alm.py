"""Coefficients of real signals in the FITS tables of HEALPix codes.

A table holds one set: columns index = l^2 + l + m + 1 (m >= 0), real, imag. The T, E and B of a
polarized sky are three tables of one file.
"""

from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit.conventions import band_limit_of, from_healpy, to_healpy
from spherekit.conventions.indexing import order_major
from spherekit.io import headers, stokes
from spherekit.io.fits import outlines, read_table, tables, write_tables
from spherekit.io.frames import coordsys_of, frame_letter, table_frame
from spherekit.io.missing import is_missing
from spherekit.io.units import refuse_masked, with_units

#: Names of tables of coefficients, as written here (those of HEALPix's columns of spectra).
_EXTNAMES = {"T": "TEMPERATURE", "E": "GRADIENT", "B": "CURL"}
#: The key that says which component a table holds, whatever its name.
_KEY = "ALMCOMP"
_WORDS = {
    "T": {"T", "I", "TT", "TEMPERATURE", "INTENSITY"},
    "E": {"E", "EE", "GRAD", "GRADIENT", "ELECTRIC"},
    "B": {"B", "BB", "CURL", "MAGNETIC"},
}


class Alm(NamedTuple):
    """What `read_alms` reads.

    ``flm`` (n, L*L), the sets of coefficients; their ``components`` ("T", "E", "B", or "" where
    the file does not tell), ``units`` and table numbers ``hdus``; ``coordsys``, ``frame``,
    ``polcconv`` and ``file_polcconv`` as of `SkyMap`; the ``names`` of the tables ("" if none).
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


def is_alm(table):
    """True where a table has the columns of HEALPix alm files: index, real, imag."""
    return {"index", "real", "imag"} <= {name.lower() for name in table.columns}


def read_alm(path, hdu=None):
    """Coefficients of real signals from a HEALPix alm file; `read_alms` has their units too.

    Parameters
    ----------
    path : str or path
    hdu : int or str, or sequence of them, optional
        Numbers or names of the tables; default: all that hold coefficients, as `read_alms` has it.

    Returns
    -------
    flm : complex ndarray [shape=(L*L,), or (n, L*L) of several tables]
        T, E, B for a file of three.

    Raises
    ------
    ValueError, TypeError, FileNotFoundError
        As `read_alms`; a single table with POLCCONV = IAU of which nothing tells whether it is B.

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
            f"{path}: its polarization follows the IAU convention (POLCCONV), and nothing tells whether "
            "its coefficients are those of B, whose sign is to be changed; name the table T, E or B, or "
            "take them as they are: spherekit.io.read_alms"
        )
    flm = alm.flm
    several = len(flm) > 1 or (hdu is not None and not isinstance(hdu, str) and np.iterable(hdu))
    return flm if several else flm[0]


def read_alms(path, hdu=None):
    """All sets of coefficients of a HEALPix alm file, with their components, units and frame.

    The components are told by the key ALMCOMP of the tables, which `write_alm` writes, or by their
    names (EXTNAME with a word such as TEMPERATURE, GRADIENT or ELECTRIC, CURL or MAGNETIC); of
    three tables, one of another name beside E and B is T, and three without such names are T, E, B
    in this order, as healpy and HEALPix write them; a single table has no component. From a file with
    POLCCONV = IAU, B has changed its sign. Tables of fewer degrees are zero above.

    Parameters
    ----------
    path : str or path
    hdu : int or str, or sequence of them, optional
        Numbers or names of the tables; default: all that hold coefficients.

    Returns
    -------
    Alm

    Raises
    ------
    ValueError
        A file without coefficients (with what it holds), several tables of which nothing tells
        what they are, an index that is none or repeats, missing or infinite coefficients, frames
        or conventions that contradict each other.
    FileNotFoundError

    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "alm.fits")
    >>> write_alm(path, np.zeros((3, 9)), unit="uK", coordsys="G")
    >>> alm = read_alms(path)
    >>> alm.flm.shape, alm.components, alm.units, alm.frame
    ((3, 9), ('T', 'E', 'B'), ('uK', 'uK', 'uK'), 'galactic')
    """
    alm_tables = _chosen(path, hdu)
    try:
        components = _components(path, alm_tables, hdu)
        sets = [_coefficients(table) for table in alm_tables]
        frames = {table_frame(table) for table in alm_tables} - {""}
        conventions = {stokes.polarization_convention(table) for table in alm_tables} - {""}
        if len(frames) > 1 or len(conventions) > 1:
            raise ValueError("its tables contradict each other in COORDSYS or POLCCONV")
        file_polcconv = conventions.pop() if conventions else ""
        if file_polcconv == "IAU" and len(sets) > 1 and "" in components:
            raise ValueError(
                "its polarization follows the IAU convention (POLCCONV), and nothing tells which "
                "table is B, whose sign is to be changed; name the tables T, E and B (a single one is "
                'read as it is, and the polcconv of what `read_alms` gives is "IAU")'
            )
        if file_polcconv == "IAU":
            sets = [-flm if c == "B" else flm for flm, c in zip(sets, components, strict=True)]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    flm = np.zeros((len(sets), max(s.size for s in sets)), np.result_type(*sets))
    for row, coefficients in zip(flm, sets, strict=True):
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
    )


def _chosen(path, hdu):
    """The tables of coefficients that ``hdu`` means."""
    if hdu is None:
        everything = tables(path)
        alm_tables = [table for table in everything if is_alm(table)]
    else:
        numbers = [hdu] if isinstance(hdu, str) or not np.iterable(hdu) else list(hdu)
        everything = [read_table(path, number) for number in numbers]
        alm_tables = [table for table in everything if is_alm(table)]
        if len(alm_tables) < len(everything):
            alm_tables = []
    if not alm_tables:
        contents = "; ".join(f"HDU {t.hdu}: {', '.join(t.columns)}" for t in everything)
        raise ValueError(
            f"{path} is no alm file (index, real, imag): it holds {contents or 'none'}"
        )
    return alm_tables


def _components(path, alm_tables, hdu):
    """What the tables are: by their names, or as the three of the file."""
    everything = [table for table in outlines(path) if is_alm(table)]
    names = [_component(table) for table in everything]
    if names == ["", "", ""]:
        names = ["T", "E", "B"]
    elif sorted(names) == ["", "B", "E"]:
        names[names.index("")] = "T"
    of_number = {table.hdu: name for table, name in zip(everything, names, strict=True)}
    components = tuple(of_number[table.hdu] for table in alm_tables)
    known = [component for component in components if component]
    if hdu is None and len(components) > 1 and len(set(known)) < len(components):
        numbers = ", ".join(f"{table.hdu} {table.name}".strip() for table in alm_tables)
        raise ValueError(
            f"it has {len(alm_tables)} tables of coefficients ({numbers}) of which nothing tells "
            "which are T, E and B; choose by hdu"
        )
    return components


def _component(table):
    """ "T", "E" or "B", where a table says so or its name has a word for one of them; else ""."""
    stated = headers.text(table.header, _KEY).upper()
    if stated:
        if stated not in _WORDS:
            raise headers.HeaderError(f"the header says {_KEY} = {stated!r}; known are T, E and B")
        return stated
    words = set("".join(c if c.isalnum() else " " for c in table.name.upper()).split())
    matches = [component for component, known in _WORDS.items() if words & known]
    return matches[0] if len(matches) == 1 else ""


def _unit(table):
    unit = next(u for name, u in table.units.items() if name.lower() == "real")
    return "" if unit.lower() == "unknown" else unit  # healpy's word for no unit


def _coefficients(table):
    columns = {name.lower(): values for name, values in table.columns.items()}
    index, real, imag = (columns[name] for name in ("index", "real", "imag"))
    if not index.size == real.size == imag.size or {real.dtype.kind, imag.dtype.kind} - set("fiu"):
        raise ValueError(
            f"its columns index, real, imag have sizes {index.size}, {real.size}, {imag.size} and "
            f"types {index.dtype}, {real.dtype}, {imag.dtype}; expected numbers, as many in each"
        )
    lost = np.count_nonzero(is_missing(real) | is_missing(imag) | ~np.isfinite(real + imag))
    if lost:
        raise ValueError(f"{lost} of {real.size} coefficients are missing or infinite")
    ell, m = _degrees_and_orders(index)
    L = int(ell.max()) + 1
    checks.fits_memory(16 * (L * L + L * (L + 1) // 2), f"coefficients of L = {L}")
    alm = np.zeros(L * (L + 1) // 2, complex)
    alm[m * (2 * L - 1 - m) // 2 + ell] = real + 1j * imag
    return from_healpy(alm, L)


def _degrees_and_orders(index):
    is_whole = index.dtype.kind in "iu" or (index.dtype.kind == "f" and np.all(index % 1 == 0))
    if index.size and is_whole and index.min() > 0 and index.max() < 2**62:
        place = index.astype(np.int64) - 1
        ell = np.sqrt(place).astype(np.int64)
        ell -= ell * ell > place
        m = place - ell * ell - ell
        repeated = place.size - np.unique(place).size
        if repeated:
            raise ValueError(f"{repeated} of {place.size} entries of index occur before")
        if m.min() >= 0:
            return ell, m
    raise ValueError("index must be l^2 + l + m + 1 with m >= 0")


def write_alm(
    path,
    flm,
    *,
    unit="",
    coordsys="",
    component=None,
    name=None,
    polcconv=None,
    overwrite=False,
):
    """Write the coefficients of a real signal, or of the T, E and B of a polarized sky.

    Others (of complex signals, of fields of spin) have no place here: use ``.npz``.

    Parameters
    ----------
    path : str or path
    flm : complex ndarray [shape=(L*L,) or (n, L*L)]
        Three sets are T, E, B; each becomes a table of its own, which healpy reads with
        ``hdu=(1, 2, 3)``.
    unit : str or sequence of str
        One for all sets, or one for each; a quantity carries its own.
    coordsys : str
        Frame of the sky, in any spelling that `spherekit.io.frames.frame_of` knows.
    component : str or sequence of str, optional
        "T", "E" or "B", for each set.
    name : str or sequence of str, optional
        Names of the tables (EXTNAME), such as that of the column of a map that one set comes from;
        default: TEMPERATURE, GRADIENT and CURL where ``component`` is known.
    polcconv : {"COSMO", "IAU"}, optional
        The convention that the coefficients follow; they are written as they are. Default: COSMO
        of E and B.
    overwrite : bool

    Raises
    ------
    ValueError
        Another shape, coefficients of no real signal, or that are not finite; several sets that
        are not three, without ``component``.
    TypeError
        Masked entries; what is no number.
    FileExistsError

    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "alm.fits")
    >>> write_alm(path, np.zeros((3, 4)), unit="uK")
    >>> read_alm(path).shape
    (3, 4)
    """
    flm, units = _sets(flm, unit)
    components = _given_components(component, len(flm))
    header = {"COORDSYS": frame_letter(coordsys)} if frame_letter(coordsys) else {}
    contents = []
    names = [_EXTNAMES.get(c, "") for c in components]
    if name is not None:
        names = [name] if isinstance(name, str) else list(name)
    if len(names) != len(flm):
        raise ValueError(f"name has {len(names)} entries for {len(flm)} sets of coefficients")
    for coefficients, c, label, extname in zip(flm, components, units, names, strict=True):
        polarized = stokes.convention_key(polcconv, c in ("E", "B"))
        columns, degrees = _columns(coefficients, label)
        stated = {_KEY: c} if c else {}
        contents.append((columns, {**degrees, **header, **polarized, **stated}, extname))
    write_tables(path, contents, overwrite=overwrite)


def _sets(flm, unit):
    """(flm (n, L*L) of finite numbers, their units)."""
    refuse_masked(flm, "flm")
    flm, units = with_units(flm, unit, "flm")
    flm = checks.as_float_array(flm, "flm")
    if flm.ndim not in (1, 2) or flm.size == 0:
        raise ValueError(
            f"flm has shape {flm.shape}; an alm file holds sets (L*L,), one or T, E and B"
        )
    lost = np.count_nonzero(~np.isfinite(flm) | is_missing(flm))
    if lost:
        raise ValueError(f"{lost} coefficients of {flm.size} are NaN, infinite or UNSEEN")
    return np.atleast_2d(flm), units


def _given_components(component, n):
    if component is None:
        if n not in (1, 3):
            raise ValueError(f"flm holds {n} sets; say which by component, as ('E', 'B')")
        return ("T", "E", "B") if n == 3 else ("",)
    components = tuple(component)
    if len(components) != n or len(set(components)) != n or not set(components) <= set("TEB"):
        raise ValueError(f"component is {component!r}; expected {n} of 'T', 'E', 'B', each once")
    return components


def _columns(flm, unit):
    alm = to_healpy(flm)
    L = band_limit_of(flm)
    ell, m = order_major(L, L - 1)
    index = (ell * ell + ell + m + 1).astype(np.int32 if L <= 46340 else np.int64)
    columns = [("index", index, "l*l+l+m+1"), ("real", alm.real, unit), ("imag", alm.imag, unit)]
    return columns, {"MAX-LPOL": L - 1, "MAX-MPOL": L - 1}
