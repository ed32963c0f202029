"""HEALPix maps in FITS files: RING, NESTED, part of the sky, UNSEEN, units, several columns."""

from typing import NamedTuple

import numpy as np

from spherekit.io.fits import read_table, write_table
from spherekit.sampling.healpix import UNSEEN, nside_of, reorder


class SkyMap(NamedTuple):
    """What `read_map` found.

    ``values`` (n_pix,) or (n_fields, n_pix) in RING order, native floats; ``columns`` and
    ``units`` of the fields read; ``ordering`` ("ring" or "nested") and ``coordsys`` of the file.
    """

    values: np.ndarray
    nside: int
    columns: tuple
    units: tuple
    ordering: str
    coordsys: str


def map_columns(table):
    """(name of the column of pixel numbers or None, names of the fields) of a map's table.

    >>> from spherekit.io import Table
    >>> map_columns(Table({}, {"PIXEL": [0], "T": [1.0]}, {}))
    ('PIXEL', ['T'])
    """
    names = list(table.columns)
    pixel = next((n for n in names if n.upper() in ("PIXEL", "PIX")), None)
    if pixel is None and str(table.header.get("INDXSCHM", "")).strip().upper() == "EXPLICIT":
        pixel = names[0]
    return pixel, [n for n in names if n != pixel]


def read_map(path, *, field=0, ordering=None):
    """Read a HEALPix map, brought to RING order; UNSEEN and NaN stay as they are.

    Parameters
    ----------
    path : str or path
    field : int, str, sequence of them, or None
        Columns by number (from 0) or name; a sequence gives (n_fields, n_pix), None all columns.
        The column of pixel numbers of a map of part of the sky does not count.
    ordering : {"ring", "nested"}, optional
        For files that do not say.

    Returns
    -------
    SkyMap
        Pixels that a file of part of the sky does not hold are UNSEEN.

    Raises
    ------
    ValueError
        A file that is no HEALPix map, is truncated, does not state its ordering, or lacks a column.
    FileNotFoundError

    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "map.fits")
    >>> write_map(path, np.arange(48.0), unit="mK")
    >>> sky = read_map(path)
    >>> sky.nside, sky.units, sky.values[-1]
    (2, ('mK',), np.float64(47.0))
    """
    table = read_table(path)
    pixel, names = map_columns(table)
    wanted = names if field is None else [field] if isinstance(field, int | str) else list(field)
    picked = [_column_name(path, names, f) for f in wanted]
    values = _stack(path, table, picked)
    order = _ordering(path, ordering or table.header.get("ORDERING", ""))
    if pixel is not None:
        values = _fill(path, values, table.columns[pixel], table.header)
    nside = _nside(path, values.shape[-1], table.header)
    if order == "nested":
        values = reorder(values, "nested")
    return SkyMap(
        values[0] if isinstance(field, int | str) else values,
        nside,
        tuple(picked),
        tuple(table.units[n] for n in picked),
        order,
        str(table.header.get("COORDSYS", table.header.get("SKYCOORD", ""))).strip(),
    )


def _stack(path, table, names):
    columns = [table.columns[n] for n in names]
    sizes, kinds = {c.size for c in columns}, {c.dtype.kind for c in columns}
    if len(sizes) != 1 or not kinds <= set("fiub"):
        raise ValueError(
            f"{path}: the columns {', '.join(names) or '(none)'} have sizes {sorted(sizes)} and "
            f"types {sorted(str(c.dtype) for c in columns)}; a map has real columns of one size"
        )
    stacked = np.stack(columns)
    return stacked if stacked.dtype.kind == "f" else stacked.astype(np.float64)


def _ordering(path, said):
    order = str(said).strip().lower()
    if order not in ("ring", "nested", "nest"):
        raise ValueError(
            f"{path} does not state its ORDERING (it says {said!r}); is it a HEALPix map? If so, "
            'pass ordering="ring" or "nested"'
        )
    return "ring" if order == "ring" else "nested"


def _fill(path, values, pixel, header):
    if "NSIDE" not in header:
        raise ValueError(f"{path}: a map of part of the sky needs the key NSIDE")
    full = np.full((len(values), 12 * int(header["NSIDE"]) ** 2), UNSEEN, values.dtype)
    legal = pixel.dtype.kind in "iu" and pixel.size == values.shape[1]
    if not legal or (pixel.size and (pixel.min() < 0 or pixel.max() >= full.shape[1])):
        raise ValueError(
            f"{path}: its column of {pixel.size} pixel numbers ({pixel.dtype}) does not fit "
            f"{values.shape[1]} samples of nside {header['NSIDE']}"
        )
    full[:, pixel] = values
    return full


def _nside(path, n_pix, header):
    try:
        nside = nside_of(n_pix)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if int(header.get("NSIDE", nside)) != nside:
        raise ValueError(
            f"{path} says NSIDE = {header['NSIDE']} and holds {n_pix} samples, those of nside "
            f"{nside}; correct the header, or fetch the file again"
        )
    return nside


def _column_name(path, names, field):
    if isinstance(field, int) and 0 <= field < len(names):
        return names[field]
    if field in names:
        return field
    known = ", ".join(f"{number} {name}" for number, name in enumerate(names))
    raise ValueError(f"{path} has no field {field!r}; it holds {known or 'none'}")


def write_map(path, values, *, column="TEMPERATURE", unit="", coordsys="", overwrite=False):
    """Write one map (n_pix,) or several (n_fields, n_pix) in RING order.

    Parameters
    ----------
    path : str or path
    values : float32 or float64 ndarray [shape=(n_pix,) or (n_fields, n_pix)]
    column : str or sequence of str
        A name, or one for each field.
    unit, coordsys : str
        ``coordsys`` is "G", "E" or "C".
    overwrite : bool

    Raises
    ------
    ValueError
        A size that is not 12 nside^2, other types, names that do not match the fields.
    FileExistsError
    """
    values = np.asarray(values)
    fields = values[None] if values.ndim == 1 else values
    names = [column] if isinstance(column, str) else list(column)
    if fields.ndim != 2 or len(names) != len(fields) or fields.dtype.kind != "f":
        raise ValueError(
            f"values have shape {values.shape} and type {values.dtype}, with {len(names)} column "
            "names; give real floating maps (n_pix,) or (n_fields, n_pix) and a name for each"
        )
    nside = nside_of(fields.shape[-1])
    header = dict(
        PIXTYPE="HEALPIX",
        ORDERING="RING",
        NSIDE=nside,
        FIRSTPIX=0,
        LASTPIX=12 * nside**2 - 1,
        INDXSCHM="IMPLICIT",
        OBJECT="FULLSKY",
    )
    if coordsys:
        header["COORDSYS"] = coordsys
    columns = [(n, f, unit) for n, f in zip(names, fields, strict=True)]
    write_table(path, columns, header, overwrite=overwrite)
