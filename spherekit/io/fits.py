"""The FITS tables behind maps, coefficients and spectra.

astropy reads and writes; nothing in a file is executed. Writers write to a temporary name first,
so that a file is whole or absent, and refuse to replace one unless told.
"""

import os
import warnings
from typing import NamedTuple

import numpy as np

from spherekit.io._replace import replacing


class Table(NamedTuple):
    """The first table of a FITS file: its header, its columns and their units ("" if none)."""

    header: object
    columns: dict
    units: dict


def read_table(path):
    """The first table of a FITS file, columns flattened and in native byte order.

    Raises
    ------
    ValueError
        A file that is truncated, is no FITS file, or holds no table.
    FileNotFoundError
    """
    from astropy.io import fits

    if not os.path.exists(path):
        raise FileNotFoundError(f"no file {path}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # headers of other codes are seldom to the letter
            warnings.filterwarnings("error", message="(?s).*(truncated|corrupted)")
            with open(path, "rb") as file, fits.open(file, memmap=False) as hdus:
                tables = [h for h in hdus if isinstance(h, fits.BinTableHDU | fits.TableHDU)]
                if tables:
                    return _as_table(tables[0])
    except Exception as error:  # astropy raises many kinds on damaged files
        said = " ".join(str(error).split())
        raise ValueError(
            f"{path} cannot be read as FITS; it is cut short, damaged, or of another format: {said}"
        ) from None
    raise ValueError(f"{path} is a FITS file without a table: no HEALPix map, alm or C_l")


def _as_table(hdu):
    columns, units = {}, {}
    for column in hdu.columns:
        values = np.asarray(hdu.data[column.name]).reshape(-1)
        columns[column.name] = values.astype(values.dtype.newbyteorder("="))
        units[column.name] = column.unit or ""
    return Table(hdu.header, columns, units)


def write_table(path, columns, header, *, overwrite=False):
    """Write one table: columns as (name, array, unit), and the keys of its header."""
    from astropy.io import fits

    codes = {"f4": "E", "f8": "D", "i4": "J"}
    made = [
        fits.Column(name=n, format=codes[a.dtype.str[1:]], array=a, unit=u or None)
        for n, a, u in columns
    ]
    hdu = fits.BinTableHDU.from_columns(made)
    for key, value in header.items():
        hdu.header[key] = value
    with replacing(path, overwrite) as temporary:
        hdu.writeto(temporary, overwrite=True)
