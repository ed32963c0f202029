"""HEALPix FITS files: maps (RING, NESTED, partial sky), alm and C_l tables.

astropy reads and writes; nothing in a file is executed. Writers write to a temporary name first, so that
a file is whole or absent, and refuse to replace one unless told.
"""

import os
import warnings
from typing import NamedTuple

import numpy as np

from spherekit.conventions import from_healpy, to_healpy
from spherekit.sampling.healpix import UNSEEN, nside_of, reorder


class SkyMap(NamedTuple):
    """What `read_map` found: ``values`` (n_pix,) or (n_fields, n_pix) in RING order, native floats."""

    values: np.ndarray
    nside: int
    columns: tuple
    units: tuple
    ordering: str
    coordsys: str


def read_map(path, *, field=0, ordering=None):
    """Read a HEALPix map, brought to RING order; UNSEEN and NaN stay as they are.

    Parameters
    ----------
    path : str
    field : int, str or sequence of them
        Columns by number or name; a sequence gives (n_fields, n_pix).
    ordering : {"ring", "nested"}, optional
        For files that do not say.

    Returns
    -------
    SkyMap

    Raises
    ------
    ValueError
        A file that is no HEALPix map, is truncated, does not state its ordering, or lacks a column.
    FileNotFoundError
    """
    header, table = _table(path)
    names = [n for n in table.names if n != "PIXEL"]
    wanted = [field] if isinstance(field, int | str) else list(field)
    picked = [_column_name(path, names, f) for f in wanted]
    values = np.stack([np.asarray(table[n]).reshape(-1) for n in picked])
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    order = str(ordering or header.get("ORDERING", "")).strip().lower()
    if order.startswith("nest"):
        order = "nested"
    if order not in ("ring", "nested"):
        raise ValueError(f'{path} does not state its ORDERING; pass ordering="ring" or "nested"')
    if "PIXEL" in table.names:
        values = _fill(path, values, np.asarray(table["PIXEL"]).reshape(-1), header)
    try:
        nside = nside_of(values.shape[-1])
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if order == "nested":
        values = reorder(values, "nested")
    units = {c.name: c.unit or "" for c in table.columns}
    return SkyMap(
        values[0] if isinstance(field, int | str) else values,
        nside,
        tuple(picked),
        tuple(units[n] for n in picked),
        order,
        str(header.get("COORDSYS", header.get("SKYCOORD", ""))).strip(),
    )


def _fill(path, values, pixel, header):
    if "NSIDE" not in header:
        raise ValueError(f"{path}: a map of part of the sky needs the key NSIDE")
    full = np.full((len(values), 12 * int(header["NSIDE"]) ** 2), UNSEEN, values.dtype)
    if pixel.size and (pixel.min() < 0 or pixel.max() >= full.shape[1]):
        raise ValueError(f"{path}: PIXEL numbers lie outside nside {header['NSIDE']}")
    full[:, pixel] = values
    return full


def _column_name(path, names, field):
    if isinstance(field, int) and -len(names) <= field < len(names):
        return names[field]
    if field in names:
        return field
    raise ValueError(f"{path} has no field {field!r}; it holds {', '.join(names) or 'none'}")


def _table(path):
    """(header, data) of the first table of a FITS file, or a clear refusal."""
    from astropy.io import fits

    if not os.path.exists(path):
        raise FileNotFoundError(f"no file {path}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with fits.open(path, memmap=False) as hdus:
                for hdu in hdus:
                    if isinstance(hdu, fits.BinTableHDU | fits.TableHDU):
                        return hdu.header, hdu.data.copy()
    except Exception as error:  # astropy raises many kinds on damaged files
        raise ValueError(f"{path} cannot be read as FITS: {error}") from None
    raise ValueError(f"{path} is a FITS file without a table: no HEALPix map, alm or C_l")


def write_map(path, values, *, column="TEMPERATURE", unit="", coordsys="", overwrite=False):
    """Write one map (n_pix,) or several (n_fields, n_pix) in RING order.

    ``column`` is a name, or one for each field.
    """
    values = np.asarray(values)
    fields = values[None] if values.ndim == 1 else values
    nside = nside_of(fields.shape[-1])
    names = [column] if isinstance(column, str) else list(column)
    if len(names) != len(fields) or fields.dtype.kind != "f":
        raise ValueError(
            f"{len(fields)} fields of dtype {fields.dtype} and {len(names)} column names; give real "
            "floating maps and a name for each"
        )
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
    _write(path, columns, header, overwrite)


def read_alm(path):
    """flm (L*L,) of a real signal from a HEALPix alm file (``index`` = l^2 + l + m + 1, m >= 0)."""
    _, table = _table(path)
    names = {n.lower(): n for n in table.names}
    if not {"index", "real", "imag"} <= set(names):
        raise ValueError(f"{path} is no alm file: it holds {', '.join(table.names)}")
    index = np.asarray(table[names["index"]]).astype(np.int64).reshape(-1) - 1
    ell = np.sqrt(np.maximum(index, 0)).astype(np.int64)
    m = index - ell * ell - ell
    if index.size == 0 or index.min() < 0 or m.min() < 0:
        raise ValueError(f"{path}: index must be l^2 + l + m + 1 with m >= 0")
    L = int(ell.max()) + 1
    real, imag = (np.asarray(table[names[n]], float).reshape(-1) for n in ("real", "imag"))
    alm = np.zeros(L * (L + 1) // 2, complex)
    alm[m * (2 * L - 1 - m) // 2 + ell] = real + 1j * imag
    return from_healpy(alm, L)


def write_alm(path, flm, *, overwrite=False):
    """Write the coefficients of a real signal; others have no place in this format: use ``.npz``."""
    flm = np.asarray(flm)
    alm = to_healpy(flm)
    L = int(round(flm.shape[-1] ** 0.5))
    m = np.repeat(np.arange(L), L - np.arange(L))
    ell = np.concatenate([np.arange(first, L) for first in range(L)])
    index = (ell * ell + ell + m + 1).astype(np.int32)
    columns = [("index", index, "l*l+l+m+1"), ("real", alm.real, ""), ("imag", alm.imag, "")]
    _write(path, columns, {"MAX-LPOL": L - 1, "MAX-MPOL": L - 1}, overwrite)


def read_cl(path):
    """Spectra by column name, each (L,), from a C_l table."""
    _, table = _table(path)
    return {n: np.asarray(table[n], float).reshape(-1) for n in table.names}


def write_cl(path, cl, *, column="TEMPERATURE", unit="", overwrite=False):
    """Write a spectrum (L,)."""
    cl = np.asarray(cl, float)
    if cl.ndim != 1:
        raise ValueError(f"cl has shape {cl.shape}; expected (L,)")
    _write(path, [(column, cl, unit)], {"MAX-LPOL": cl.size - 1}, overwrite)


def _write(path, columns, header, overwrite):
    from astropy.io import fits

    path = os.fspath(path)
    if os.path.exists(path) and not overwrite:
        raise FileExistsError(f"{path} exists; choose another name or pass overwrite=True")
    codes = {"f4": "E", "f8": "D", "i4": "J"}
    made = [
        fits.Column(name=n, format=codes[a.dtype.str[1:]], array=a, unit=u or None)
        for n, a, u in columns
    ]
    hdu = fits.BinTableHDU.from_columns(made)
    for key, value in header.items():
        hdu.header[key] = value
    temporary = f"{path}.{os.getpid()}.tmp.fits"
    try:
        hdu.writeto(temporary, overwrite=True)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
