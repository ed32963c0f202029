"""Read window functions of beams: text tables of l and B_l, and FITS tables of HEALPix codes and Planck."""

from __future__ import annotations

import io
import warnings
from os import PathLike

import numpy as np

from spherekit._core import checks
from spherekit.io import kinds
from spherekit.io.blocks import naming_the_file
from spherekit.io.latlon_text import read_bytes
from spherekit.io.spectra import spectrum_of

_POLARIZATION = ("POLARISATION", "POLARIZATION", "P", "POL")
_BEAMS = {"B", "BL", "B_L", "BEAM", "WINDOW"}


@naming_the_file
def read_beam(path: str | PathLike, L: int) -> dict[str, np.ndarray]:
    """Read the window functions b_l of a beam, below a band-limit.

    Parameters
    ----------
    path : str or path
        A text table, of l and b_l, or l and those of T, E and B; or a FITS table of HEALPix codes or Planck,
        with the columns TEMPERATURE (or T), and possibly GRADIENT and CURL (or E and B), or POLARIZATION.
    L : int
        Band-limit: the degrees 0..L-1 are returned.

    Returns
    -------
    dict of str to float64 ndarray [shape=(L,)]
        The window functions of "T", "E" and "B". Those of E and B are that of T in files of a single one, and
        that of B is that of E where there is no other.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        A damaged file; a table of another kind; degrees that are not 0, 1, 2, ..., or fewer than L; values
        that are not finite.

    Examples
    --------
    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "beam.txt")
    >>> with open(path, "w") as file:
    ...     _ = file.write("# l  b_l\\n0  1.0\\n1  0.9\\n2  0.7\\n")
    >>> from spherekit.io import read_beam
    >>> read_beam(path, 3)["E"]
    array([1. , 0.9, 0.7])
    """
    L = checks.band_limit(L)
    is_text = kinds.describe(path) in ("text", "a gzip file of text", "an empty file")
    windows = _from_text(path) if is_text else _from_fits(path)
    for name, values in windows.items():
        if values.size < L:
            raise ValueError(
                f"{path}: the window function of {name} has {values.size} degrees; L = {L} needs "
                f"0 to {L - 1}"
            )
        if not np.isfinite(values[:L]).all():
            raise ValueError(
                f"{path}: the window function of {name} contains NaN or infinite values"
            )
    return {name: values[:L] for name, values in windows.items()}


def _completed(windows):
    """Window functions of T, E and B."""
    E = windows.get("E", windows["T"])
    return {"T": windows["T"], "E": E, "B": windows.get("B", E)}


def _from_text(path):
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*no data")
            table = np.loadtxt(io.BytesIO(read_bytes(path)), ndmin=2)
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path} is not a table of numbers ({error}); expected columns of l and b_l, or of l and those "
            "of T, E and B"
        ) from None
    if table.shape[0] == 0 or table.shape[1] not in (2, 4):
        raise ValueError(
            f"{path} is a table of {table.shape[0]} rows and {table.shape[1]} columns; expected 2 columns, l "
            "and b_l, or 4, l and b_l of T, E and B"
        )
    if not np.array_equal(table[:, 0], np.arange(len(table))):
        raise ValueError(
            f"{path}: the first column starts with {', '.join(f'{x:g}' for x in table[:3, 0])}; expected the "
            "degrees 0, 1, 2, ... in order"
        )
    return _completed(dict(zip("TEB", table.T[1:], strict=False)))


def _from_fits(path):
    from spherekit.io.fits import first_table

    table = first_table(path, None, lambda table: any(map(_field_of, table.columns)))
    if {"index", "real", "imag"} <= {
        name.lower() for name in table.columns
    } or "PIXTYPE" in table.header:
        raise ValueError(
            f"{path} contains a map or coefficients; expected the window function of a beam"
        )
    windows = {}
    for name, values in table.columns.items():
        field = _field_of(name)
        if field and values.ndim == 1 and values.dtype.kind in "fiu":
            windows.setdefault(field, values.astype(float))
    if "T" not in windows:
        raise ValueError(
            f"{path} has the columns {', '.join(table.columns)}; expected TEMPERATURE, and possibly GRADIENT "
            "and CURL, or POLARIZATION"
        )
    return _completed(windows)


def _field_of(column):
    """ "T", "E" or "B" for the column of a window function, else ""."""
    name = column.strip().upper()
    if name in _POLARIZATION:
        return "E"
    if name == "B":
        return "B"
    if name in _BEAMS:
        return "T"
    kind = spectrum_of(column)
    if name in ("T", "E"):
        return name
    return kind[0] if kind in ("TT", "EE", "BB") else ""
