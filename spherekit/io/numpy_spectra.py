"""Spectra in NumPy's files: ``cl, columns, unit, frame, polcconv, kind, history`` in .npz, or rows in .npy.

Archives of others are read, too: one array for each spectrum, such as TT and EE, and perhaps one of
multipoles.
"""

from typing import NamedTuple

import numpy as np

from spherekit.io import provenance
from spherekit.io.array_values import frame, scalar
from spherekit.io.arrays import read_arrays, write_arrays
from spherekit.io.multipoles import (
    checked_multipoles,
    cl_of_dl,
    from_zero,
    is_multipole,
    kind_of_name,
    name_of_cl,
    notes_of,
)

#: Formats of `spherekit.io.describe` that `read_numpy` reads.
KINDS = ("a NumPy archive (.npz)", "a NumPy array (.npy)")
#: Arrays that describe spectra.
_METADATA = ("columns", "unit", "frame", "polcconv", "kind", "history", "L")
#: Arrays of the rows of all spectra.
_TABLES = ("cl", "dl", "values")
#: Name of the only spectrum of a file without names.
_UNNAMED = "TT"


class NumpySpectra(NamedTuple):
    """Spectra of a file of NumPy.

    Attributes
    ----------
    values : dict of str to ndarray [shape=(L,)]
        C_l from l = 0 by name.
    units : dict of str to str
    frame, polcconv : str
        As in the file, "" if it does not state them.
    history : tuple of str
    notes : tuple of str
        What was converted or filled.
    """

    values: dict
    units: dict
    frame: str
    polcconv: str
    history: tuple
    notes: tuple


def is_spectra(array_names, is_spectrum_name):
    """Whether arrays of these names are spectra: ``cl``, or only spectra such as TT, and multipoles."""
    names = [name for name in array_names if name not in _METADATA and not is_multipole(name)]
    if "cl" in names or "dl" in names:
        return not {"values", "flm", "grid"} & set(names)
    return bool(names) and all(map(is_spectrum_name, names))


def read_numpy(path, kind=None, columns=None):
    """The `NumpySpectra` of a file, converted to C_l.

    Parameters
    ----------
    path : str or path
        The file.
    kind : {"cl", "dl"}, optional
        What the arrays contain, if the file does not define it.
    columns : sequence of str, optional
        Names of the rows of a file that does not define them.

    Raises
    ------
    ValueError
        Arrays that are not spectra of the same length, an undefined or contradictory kind, no names of
        several spectra, multipoles with gaps.
    """
    arrays = read_arrays(path)
    _refuse_other_contents(arrays)
    rows, first = _rows(arrays, columns)
    kind = _kind(path, arrays, rows, kind)
    values = {name: from_zero(cl, first) for name, cl in rows.items()}
    if kind == "dl":
        values = {name_of_cl(name): cl_of_dl(cl) for name, cl in values.items()}
    return NumpySpectra(
        values,
        dict(zip(values, _units(arrays, len(values)), strict=True)),
        frame(path, arrays),
        scalar(path, arrays, "polcconv", "U", ""),
        tuple(str(line) for line in np.atleast_1d(arrays.get("history", ()))),
        tuple(notes_of(first, kind, "the arrays")),
    )


def _refuse_other_contents(arrays):
    """Raise ValueError for a map and for coefficients."""
    if "flm" in arrays:
        raise ValueError(
            "the file contains harmonic coefficients (flm); expected spectra: compute them with "
            "spherekit.spectra.power or `spherekit spectrum`"
        )
    if "grid" in arrays:
        raise ValueError(
            "the file contains a map (grid); expected spectra: compute them with `spherekit spectrum`"
        )


def _rows(arrays, columns):
    """(spectra by name, l of the first value)."""
    numeric = {
        name: array
        for name, array in arrays.items()
        if name not in _METADATA and array.ndim and array.dtype.kind in "iuf"
    }
    ell = next((numeric.pop(name) for name in list(numeric) if is_multipole(name)), None)
    table = next((name for name in _TABLES if name in numeric), None)
    if table is not None:
        numeric = _named(table, np.atleast_2d(numeric[table]), arrays, columns)
    elif columns is not None:
        raise ValueError(f"columns={columns!r}, but the arrays have the names {', '.join(numeric)}")
    sizes = {array.shape for array in numeric.values()}
    sizes |= {ell.shape} if ell is not None else set()
    if len(sizes) != 1 or len(next(iter(sizes))) != 1 or not next(iter(sizes))[0]:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(
            f"the arrays are {shapes}; expected spectra, an array cl of shape (L,) or (n, L)"
        )
    return numeric, 0 if ell is None else int(checked_multipoles(ell)[0])


def _named(table, rows, arrays, columns):
    """The rows of an array of spectra by name."""
    names_in_file = arrays.get("columns")
    names = (
        columns if names_in_file is None else [str(name) for name in np.atleast_1d(names_in_file)]
    )
    if names is None and len(rows) == 1:
        names = [_UNNAMED]
    if names is None:
        raise ValueError(
            f"the array {table} has {len(rows)} rows without names; pass columns, such as "
            f"{('TT', 'EE', 'BB', 'TE', 'EB', 'TB')[: len(rows)]}"
        )
    if isinstance(names, str) or len(names) != len(rows) or len(set(names)) != len(names):
        raise ValueError(
            f"the names are {names!r}; expected a different one for each of the {len(rows)} rows of {table}"
        )
    if columns is not None and list(columns) != list(names):
        raise ValueError(f"columns={columns!r}, but the file states {', '.join(names)}")
    return dict(zip(map(str, names), rows, strict=True))


def _kind(path, arrays, rows, kind):
    """The kind "cl" or "dl" of the arrays, from the file or the argument ``kind``."""
    kinds = {scalar(path, arrays, "kind", "U", "")} - {""}
    kinds = kinds or {name for name in ("cl", "dl") if name in arrays}
    kinds = kinds or set(map(kind_of_name, rows)) - {""}
    if not kinds <= {"cl", "dl"} or len(kinds) > 1:
        raise ValueError(
            f"the kinds of the arrays are {', '.join(sorted(kinds))}; expected cl or dl"
        )
    if not kinds and kind is None:
        raise ValueError(
            "the file does not define whether its values are C_l or D_l = l (l+1) C_l / 2 pi; pass "
            'kind="cl" or kind="dl"'
        )
    if kind is not None and kinds - {kind}:
        raise ValueError(f"the file declares {kinds.pop().upper()}, but kind={kind!r}; omit kind")
    return kind or kinds.pop()


def _units(arrays, count):
    units = [str(unit) for unit in np.atleast_1d(arrays.get("unit", ""))]
    if len(units) not in (1, count):
        raise ValueError(f"the array unit has {len(units)} entries; expected 1 or {count}")
    return units if len(units) == count else units * count


def write_numpy(path, columns, coordsys, convention, history, *, overwrite=False):
    """Write spectra (name, array, unit) from l = 0 on to a .npz file."""
    names, spectra, units = zip(*columns, strict=True)
    if len(set(names)) != len(names):
        raise ValueError(f"the spectra have the names {', '.join(names)}; expected different names")
    arrays = {"cl": np.stack(spectra) if len(spectra) > 1 else spectra[0], "columns": list(names)}
    arrays |= {"kind": "cl", "unit": units[0] if len(set(units)) == 1 else list(units)}
    arrays |= {"frame": coordsys}
    arrays |= {key.lower(): value for key, value in convention.items()}
    arrays["history"] = list(provenance.history(history))
    write_arrays(path, overwrite=overwrite, **arrays)
