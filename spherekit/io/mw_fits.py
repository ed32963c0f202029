"""Maps on the McEwen-Wiaux grids MW and MWSS in FITS files: those of s2let and ssht.

The C code of s2let writes a table with one column SIGNAL, or Q_POLARISATION and U_POLARISATION, and the key
L; maps on MWSS have the key MWSS = 1. The MATLAB code writes an image with the key L, from whose size the
grid follows. The samples are in the order of the rings from north to south, and of longitudes from 0 on each
ring.
"""

from __future__ import annotations

import math
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np

from spherekit._core import checks
from spherekit.io import headers, stokes
from spherekit.io.arguments import UnsupportedContents
from spherekit.io.blocks import naming_the_file
from spherekit.io.fits import Table, first_image, first_table, write_table
from spherekit.io.frames import frame_letter, table_frame
from spherekit.io.missing import missing_samples
from spherekit.io.records import Map
from spherekit.io.units import as_floating
from spherekit.sampling.text import label

if TYPE_CHECKING:
    from spherekit.sampling import Grid

#: The band-limits whose number of samples fits an int64.
_MAX_L = 2**30
_ADVICE = "set them to NaN"


def is_mw(table):
    """Whether the header of a table or image declares a map on MW or MWSS: the key L, and no HEALPix map.

    >>> is_mw(Table({"L": 4}, {"SIGNAL": []}, {})), is_mw(Table({"NSIDE": 4}, {"SIGNAL": []}, {}))
    (True, False)
    """
    if any(headers.text(table.header, key) for key in ("NSIDE", "PIXTYPE", "ORDERING", "CTYPE1")):
        return False
    return bool(headers.text(table.header, "L"))


@naming_the_file
def read_mw(path: str | PathLike, hdu: int | str | None = None) -> Map:
    """Read a map on an MW or MWSS grid from a FITS file of s2let or ssht.

    Parameters
    ----------
    path : str or path
        The file, possibly compressed by gzip: a table with the key L of the C code, or an image with the key
        L of the MATLAB code.
    hdu : int or str, optional
        Number or name of the table. By default, the first with the key L.

    Returns
    -------
    Map
        Float32 or float64 samples (n_theta, n_phi), or (2, n_theta, n_phi) of Q and U, of spin 2. Missing
        samples are UNSEEN or NaN.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        A damaged file, a file of another format, no key L, a number of samples that is not that of MW(L) or
        MWSS(L), infinite samples.

    See Also
    --------
    write_mw : write such a file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from spherekit.io import Map
    >>> path = os.path.join(tempfile.mkdtemp(), "map.fits")
    >>> write_mw(Map(np.ones((4, 7)), "mw:4", units="mK"), path)
    >>> read_mw(path)
    Map(SIGNAL [mK]; MW(L=4, n_phi=7); float64)
    """
    table = _table(path, hdu)
    try:
        grid = _grid(table)
        names = list(table.columns)
        values = np.stack([_samples(table, name, grid) for name in names])
        convention = stokes.polarization_convention(table)
        if convention == "IAU":
            signs = stokes.signs_of_u(table, names)
            is_known = None not in signs
            if not is_known and len(signs) > 1:
                raise ValueError("the file has POLCCONV = IAU, but its columns are not Q and U")
            convention = "COSMO" if is_known else "IAU"
            signs = signs if is_known else [1]
            values = np.stack(
                [v if s > 0 else stokes.negative(v) for v, s in zip(values, signs, strict=True)]
            )
        letters = stokes.stokes_of_columns(table, names)
        spin = headers.integer(headers.MergedHeader(table), "SPIN")
        return Map(
            values if len(names) > 1 else values[0],
            grid,
            tuple(names),
            tuple(table.units[name] for name in names),
            frame=table_frame(table),
            spin=2 if spin is None and letters == ("Q", "U") else spin,
            polcconv=convention or "COSMO",
            history=headers.history(table),
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _table(path, hdu):
    """The table of a map, or its image as a table of one column SIGNAL."""
    header, image = first_image(path)
    if hdu is None and image is not None:
        table = Table(
            header, {"SIGNAL": image.reshape(-1)}, {"SIGNAL": headers.text(header, "BUNIT")}
        )
        if not _declares_mw(path, table):
            raise ValueError(
                f"{path} has an image without the key L; expected a map on an MW or MWSS grid"
            )
        return table
    table = first_table(path, hdu, is_mw)
    if not _declares_mw(path, table):
        raise ValueError(
            f"{path} (HDU {table.hdu}) has no key L, or is a HEALPix map; expected a map on an MW "
            "or MWSS grid"
        )
    return table


def _declares_mw(path, table):
    try:
        return is_mw(table)
    except headers.HeaderError as error:
        raise ValueError(f"{path}: {error}") from None


def _grid(table):
    """MW(L) or MWSS(L), from the keys L and MWSS and the number of samples."""
    from spherekit.sampling import MW, MWSS

    L = headers.integer(table.header, "L")
    if L is None or not 1 <= L <= _MAX_L:
        raise ValueError(f"the header has L = {L}; expected a band-limit from 1 on")
    mwss = headers.text(table.header, "MWSS")
    if mwss not in ("", "0", "1", "True", "False"):
        raise ValueError(f"the header has MWSS = {mwss!r}; expected 0 or 1")
    sizes = {"MW": L * (2 * L - 1), "MWSS": (L + 1) * 2 * L}
    n = {values.size for values in table.columns.values()}
    names = [name for name, size in sizes.items() if n == {size}]
    if mwss:
        names = [name for name in names if name == ("MWSS" if mwss in ("1", "True") else "MW")]
    if not names:
        raise ValueError(
            f"the header has L = {L}"
            + (f" and MWSS = {mwss}" if mwss else "")
            + f", but the columns have "
            f"{sorted(n)} samples; expected {sizes['MW']} of MW({L}) or {sizes['MWSS']} of MWSS({L})"
        )
    return {"MW": MW, "MWSS": MWSS}[names[0]](L)


def _samples(table, name, grid):
    values = table.columns[name]
    if values.dtype.kind not in "fiub":
        raise ValueError(f"the column {name} has dtype {values.dtype}; expected real numbers")
    values = values if values.dtype.kind == "f" else values.astype(np.float64)
    missing_samples(values, name=f"the column {name}", advice=_ADVICE)
    return values.reshape(grid.shape)


def write_mw(map: Map, path: str | PathLike, *, overwrite: bool = False) -> None:
    """Write a map on an MW or MWSS grid to a FITS file, in the format of s2let.

    The columns are SIGNAL for one field, Q_POLARISATION and U_POLARISATION for two fields of spin 2, and the
    names of the map otherwise. The unit, frame, spin and history are written, too.

    Parameters
    ----------
    map : Map
        A real map on MW(L) with 2L-1 longitudes or on MWSS(L) with 2L longitudes, without named axes.
    path : str or path
        The file. A file with the suffix ``.gz`` is compressed.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    FileExistsError
        The file exists, and ``overwrite`` is False.
    ValueError
        Another grid, named axes, complex or infinite samples.

    See Also
    --------
    read_mw : read such a file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from spherekit.io import Map
    >>> path = os.path.join(tempfile.mkdtemp(), "map.fits")
    >>> write_mw(Map(np.ones((2, 5, 8)), "mwss:4", ("Q", "U"), spin=2), path)
    >>> read_mw(path).names
    ('Q_POLARISATION', 'U_POLARISATION')
    """
    kind = _kind_of_grid(map.grid)
    if map.axes:
        raise UnsupportedContents(
            f"{path}: FITS files of maps have no further axes, and the map has the axes "
            f"{', '.join(map.axes)}; select one position on each, or write .npz or .nc"
        )
    values = as_floating(np.asarray(map.values), "map.values").reshape(len(map), -1)
    infinite = np.count_nonzero(np.isinf(values))
    if infinite:
        raise ValueError(f"{infinite} samples of the map are infinite; set missing samples to NaN")
    names = map.names
    if len(map) == 1 and not names[0]:
        names = ("SIGNAL",)
    elif (
        len(map) == 2
        and map.spin in (2, None)
        and [stokes.stokes_of(n) for n in names] == ["Q", "U"]
    ):
        names = ("Q_POLARISATION", "U_POLARISATION")
    header = {"L": map.grid.L} | ({"MWSS": 1} if kind == "MWSS" else {})
    header |= {"COORDSYS": frame_letter(map.frame)} if map.frame else {}
    header |= (
        {"SPIN": checks.integer(map.spin, "map.spin", -math.inf)} if map.spin is not None else {}
    )
    is_polarized = map.spin in (2, -2) or map.polcconv == "IAU"
    header |= stokes.convention_key(map.polcconv, True) if is_polarized else {}
    columns = list(zip(names, values, map.units, strict=True))
    write_table(path, columns, header, history=map.history, overwrite=overwrite)


def _kind_of_grid(grid: Grid) -> str:
    from spherekit.sampling import MW, MWSS

    if isinstance(grid, MW | MWSS) and grid == type(grid)(grid.L):
        return type(grid).__name__
    raise UnsupportedContents(
        f"the grid is {label(grid)}; expected MW(L) or MWSS(L) with 2L-1 or 2L longitudes"
    )
