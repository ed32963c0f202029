"""Coefficients of real signals and power spectra in the FITS tables of HEALPix codes."""

import numpy as np

from spherekit.conventions import from_healpy, to_healpy
from spherekit.io.fits import read_table, write_table


def is_alm(table):
    """True where a table has the columns of HEALPix alm files: index, real, imag."""
    return {"index", "real", "imag"} <= {name.lower() for name in table.columns}


def read_alm(path):
    """flm (L*L,) of a real signal from a HEALPix alm file (``index`` = l^2 + l + m + 1, m >= 0).

    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "alm.fits")
    >>> write_alm(path, np.array([1, 3j, 2, 3j]))
    >>> np.array_equal(read_alm(path), [1, 3j, 2, 3j])
    True
    """
    table = read_table(path)
    if not is_alm(table):
        raise ValueError(
            f"{path} is no alm file (index, real, imag): it holds {', '.join(table.columns)}"
        )
    columns = {name.lower(): values for name, values in table.columns.items()}
    index = columns["index"].astype(np.int64) - 1
    ell = np.sqrt(np.maximum(index, 0)).astype(np.int64)
    m = index - ell * ell - ell
    if index.size == 0 or index.min() < 0 or m.min() < 0:
        raise ValueError(f"{path}: index must be l^2 + l + m + 1 with m >= 0")
    L = int(ell.max()) + 1
    alm = np.zeros(L * (L + 1) // 2, complex)
    alm[m * (2 * L - 1 - m) // 2 + ell] = columns["real"] + 1j * columns["imag"]
    return from_healpy(alm, L)


def write_alm(path, flm, *, unit="", overwrite=False):
    """Write the coefficients (L*L,) of a real signal; others have no place here: use ``.npz``."""
    flm = np.asarray(flm)
    if flm.ndim != 1:
        raise ValueError(f"flm has shape {flm.shape}; an alm file holds one set (L*L,)")
    alm = to_healpy(flm)
    L = int(round(flm.size**0.5))
    m = np.repeat(np.arange(L), L - np.arange(L))
    ell = np.concatenate([np.arange(first, L) for first in range(L)])
    index = (ell * ell + ell + m + 1).astype(np.int32)
    columns = [("index", index, "l*l+l+m+1"), ("real", alm.real, unit), ("imag", alm.imag, unit)]
    header = {"MAX-LPOL": L - 1, "MAX-MPOL": L - 1}
    write_table(path, columns, header, overwrite=overwrite)


def read_cl(path):
    """Spectra by column name, each (L,), from a C_l table."""
    return {name: cl.astype(float) for name, cl in read_table(path).columns.items()}


def write_cl(path, cl, *, column="TEMPERATURE", unit="", overwrite=False):
    """Write a spectrum (L,), or several of one length as a dict of name to spectrum.

    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "cl.fits")
    >>> write_cl(path, {"EE": np.ones(3), "BB": np.zeros(3)}, unit="uK^2")
    >>> list(read_cl(path))
    ['EE', 'BB']
    """
    named = cl if isinstance(cl, dict) else {column: cl}
    named = {name: np.asarray(c, float) for name, c in named.items()}
    shapes = {c.shape for c in named.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        raise ValueError(f"cl has shape {sorted(shapes)}; expected (L,), the same for all spectra")
    n = next(iter(shapes))[0]
    columns = [(k, c, unit) for k, c in named.items()]
    write_table(path, columns, {"MAX-LPOL": n - 1}, overwrite=overwrite)
