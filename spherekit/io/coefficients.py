"""Read and write harmonic coefficients in the formats of the field, recognized by their content."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from os import PathLike
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from spherekit.io import (
    alm,
    coefficient_rows,
    iaga,
    icgem,
    igrf,
    kinds,
    matlab,
    netcdf_coefficients,
    numpy_coefficients,
    planetary,
    provenance,
    shtools,
)
from spherekit.io.arguments import UnsupportedContents, description
from spherekit.io.arrays import read_arrays
from spherekit.io.blocks import naming_the_file
from spherekit.io.coefficient_conventions import Convention, agreed, check
from spherekit.io.columns import is_map
from spherekit.io.fits import outlines
from spherekit.io.records import Coefficients

_Normalization = Literal["4pi", "ortho", "schmidt", "unnorm"]
#: The convention of the flat layout, which needs no conversion.
_FLAT = Convention("ortho", -1)
_FITS = "a FITS file", "a gzip file of a FITS file"
_NETCDF = "a netCDF-3 file", "an HDF5 or netCDF-4 file"
_TEXT = "text", "a gzip file of text"
_START = 2**16


@naming_the_file
def read_coefficients(
    path: str | PathLike,
    *,
    L: int | None = None,
    field: str | int | None = None,
    select: Mapping[str, object] | None = None,
    hdu: int | str | None = None,
    spin: int | None = None,
    normalization: _Normalization | None = None,
    csphase: Literal[1, -1] | None = None,
    reality: bool | None = None,
) -> Coefficients:
    """Read harmonic coefficients from a file, whose format is recognized from its content.

    Formats: alm FITS of HEALPix codes, .npz of spherekit, text of SHTOOLS (``l m C_lm S_lm`` and errors),
    ICGEM (.gfc), PDS SHADR (.tab), SHC and IAGA's tables of magnetic models, MATLAB of version 5 and 7, and
    netCDF of pyshtools. Text may be compressed by gzip.

    The result is in the flat layout of spherekit, f = sum flm Y_lm with orthonormal functions, in the unit
    of the file. SHC, SHADR and ICGEM define their normalization and phase. Text of SHTOOLS does not:
    by default it has those of SHTOOLS, "4pi" and 1. MATLAB files are in the convention of SSHT and
    spherekit; with ``normalization`` or ``csphase`` their entries of m >= 0 are C_lm + i S_lm. Coefficients
    that a file omits are zero. ``notes`` of the result contains what was decided.

    Parameters
    ----------
    path : str or path
        The file.
    L : int, optional
        Read the degrees 0..L-1 only.
    field : str or int, optional
        A signal by its name or number; the array of a MATLAB file by its name.
    select : dict of str to number or str, optional
        Positions on named axes by their coordinates. ``{"time": 2018.5}`` of a magnetic model with splines
        of order 2 is interpolated linearly between its epochs.
    hdu : int or str, or sequence of them, optional
        Tables of a FITS file.
    spin : int, optional
        The spin of the coefficients of a .npz or MATLAB file that does not define it.
    normalization : {"4pi", "ortho", "schmidt", "unnorm"}, optional
        Normalization of C_lm and S_lm, as in `spherekit.conventions.from_shtools`.
    csphase : {1, -1}, optional
        1: C_lm and S_lm belong to functions without the Condon-Shortley phase; -1: with it.
    reality : bool, optional
        False: do not complete the orders m < 0 of a MATLAB file where all of them are zero.

    Returns
    -------
    Coefficients
        Constants of a model (``radius`` in m, ``gm`` in m^3/s^2) are in ``attributes[""]``.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        A damaged file, a file of another format, an argument that contradicts the file.
    MemoryError
        The coefficients exceed the memory limit, which SPHEREKIT_MAX_MEMORY tables.

    See Also
    --------
    write_coefficients : write such a file.
    read_alms : read alm FITS files only.

    Examples
    --------
    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "relief.sh")
    >>> with open(path, "w") as file:
    ...     _ = file.write("0 0 1.0 0.0\\n1 0 0.5 0.0\\n1 1 0.25 -1.0\\n")
    >>> relief = read_coefficients(path, normalization="ortho", csphase=1)
    >>> relief
    Coefficients(unnamed [no unit]; L=2; complex128)
    >>> relief.flm.real.round(3)
    array([ 1.   ,  0.177,  0.5  , -0.177])
    """
    requested = Convention(normalization, csphase)
    kind = kinds.describe(path)
    if kind in _FITS:
        result = _from_alm(path, hdu, L, requested)
    elif kind in ("a NumPy archive (.npz)", "a zip archive", "a NumPy array (.npy)"):
        agreed(path, requested, _FLAT)
        result = numpy_coefficients.read(path, L, spin)
    elif kind == "a MATLAB file":
        result = matlab.read(path, L, requested, field, reality, spin)
        field = None
    elif kind in _NETCDF:
        result = netcdf_coefficients.read(path, kind, L, requested)
    elif kind in _TEXT:
        result, select = _from_text(path, L, requested, dict(select or {}))
    else:
        raise _unknown(path, kind)
    return result.select(field, **(select or {}))


def contains_coefficients(path):
    """Whether a file contains harmonic coefficients in one of the formats of `read_coefficients`.

    Only its content decides. A FITS file that contains a map, too, is not one of coefficients. Raises
    ValueError for a damaged file.
    """
    kind = kinds.describe(path)
    if kind in _FITS:
        tables = outlines(path)
        return any(map(alm.is_alm, tables)) and not any(map(is_map, tables))
    if kind == "a NumPy archive (.npz)":
        return "flm" in read_arrays(path)
    if kind == "a MATLAB file":
        return matlab.contains_coefficients(path)
    if kind in _NETCDF:
        return netcdf_coefficients.contains_coefficients(path, kind)
    if kind not in _TEXT:
        return False
    text = coefficient_rows.read_text(path, _START)
    reader = _reader(text)
    return reader is not None and (reader is not shtools or shtools.is_table(text))


def _reader(text):
    """The module whose ``read`` reads a text, or None if it is not one of coefficients."""
    start = coefficient_rows.lines(text, 1)
    if not start:
        return None
    if icgem.is_icgem(text):
        return icgem
    if planetary.is_shadr(start[0][1]):
        return planetary
    if iaga.is_iaga(text):
        return iaga
    if igrf.is_shc(text):
        return igrf
    return shtools if shtools.first_row(text) else None


def _from_text(path, L, requested, select):
    """The coefficients of a text, and what of ``select`` remains to be selected."""
    start = coefficient_rows.read_text(path, _START)
    reader = _reader(start)
    if reader is None:
        number = coefficient_rows.lines(start, 1)[0][0] if coefficient_rows.lines(start, 1) else 1
        raise _unknown(path, f"text whose first line is {start.line(number)!r}")
    result = reader.read(path, coefficient_rows.read_text(path), L, requested)
    provenance.record_input(path, result.history)
    if reader in (igrf, iaga) and "time" in select:
        result = igrf.at_time(result, select.pop("time"))
    return result, select


def _unknown(path, kind):
    return ValueError(
        f"{path} cannot be read as coefficients: it is {kind}; expected alm FITS, .npz, text of l, m, C_lm, "
        "S_lm (SHTOOLS, SHADR, ICGEM), SHC, a MATLAB file, or netCDF of pyshtools"
    )


def _from_alm(path, hdu, L, requested):
    agreed(path, requested, _FLAT)
    tables = alm.read_alms(path, hdu)
    names = [c or name.strip() for c, name in zip(tables.components, tables.names, strict=True)]
    names = [name if names.count(name) == 1 else "" for name in names]
    L = coefficient_rows.band_limit(path, math.isqrt(tables.flm.shape[-1]) - 1, L)
    flm = tables.flm[:, : L * L]
    extnames = {c: {"EXTNAME": name} for c, name in zip(names, tables.names, strict=True) if name}
    return Coefficients(
        flm if len(names) > 1 else flm[0],
        names,
        tables.units,
        frame=tables.frame,
        polcconv=tables.polcconv,
        history=tables.history,
        attributes=extnames,
    )


def write_coefficients(
    coefficients: Coefficients | ArrayLike,
    path: str | PathLike,
    *,
    normalization: _Normalization | None = None,
    csphase: Literal[1, -1] | None = None,
    overwrite: bool = False,
) -> None:
    """Write harmonic coefficients to a file, whose format is that of its suffix.

    ======================  ============================================================================
    suffix                  format and contents
    ======================  ============================================================================
    .npz                    NumPy arrays; coefficients of any spin, with axes, attributes and history
    .fits, .fit, .fits.gz   alm FITS of HEALPix codes; real signals: one, or T, E, B
    .sh, .txt, .msl         text of SHTOOLS, also followed by .gz; one real signal
    .shc                    magnetic models; one real signal with an axis ``time`` of decimal years
    .nc                     netCDF-3 of pyshtools; one real signal
    .mat                    MATLAB of version 5, as read by SSHT; one signal of any spin
    ======================  ============================================================================

    Parameters
    ----------
    coefficients : Coefficients or complex array_like [shape=(..., L*L)]
        Coefficients in the flat layout.
    path : str or path
        The file.
    normalization : {"4pi", "ortho", "schmidt", "unnorm"}, optional
        Normalization of C_lm and S_lm in text; by default "4pi". It is written to the file.
    csphase : {1, -1}, optional
        1 (default): C_lm and S_lm in text belong to functions without the Condon-Shortley phase; -1: with it.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    FileExistsError
        The file exists, and ``overwrite`` is False.
    TypeError
        Coefficients that are not numbers.
    ValueError
        An unknown suffix, coefficients that the format does not support or that are not finite, a
        convention other than that of the format.

    See Also
    --------
    read_coefficients : read such a file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "relief.sh.gz")
    >>> write_coefficients(Coefficients([1, -0.25, 0, 0.25], "relief", "m"), path)
    >>> read_coefficients(path)
    Coefficients(relief [m]; L=2; complex128)
    """
    if not isinstance(coefficients, Coefficients):
        coefficients = Coefficients(coefficients)
    requested = Convention(normalization, csphase)
    check(requested)
    name = os.fsdecode(path).removesuffix(".gz")
    compressed = name != os.fsdecode(path)
    suffix = os.path.splitext(name)[1].lower()
    _refuse_not_finite(path, coefficients.flm)
    if suffix in shtools.SUFFIXES:
        shtools.write(coefficients, path, requested, overwrite)
        return
    if suffix == ".nc" and not compressed:
        netcdf_coefficients.write(coefficients, path, requested, overwrite)
        return
    if suffix == ".shc" and not compressed:
        igrf.write(coefficients, path, requested, overwrite)
        return
    agreed(path, requested, _FLAT)
    if suffix in (".fits", ".fit"):
        _to_alm(coefficients, path, overwrite)
    elif suffix == ".npz" and not compressed:
        numpy_coefficients.write(coefficients, path, overwrite)
    elif suffix == ".mat" and not compressed:
        matlab.write(coefficients, path, overwrite)
    else:
        raise ValueError(
            f"{path} has the suffix {os.path.splitext(os.fsdecode(path))[1] or '(none)'}; expected .npz, "
            ".fits, .sh, .txt, .msl, .nc, .shc or .mat"
        )


def _refuse_not_finite(path, flm):
    invalid = np.count_nonzero(~np.isfinite(flm))
    if invalid:
        raise ValueError(
            f"{path} is not written: {invalid} of {flm.size} coefficients are NaN or infinite; expected "
            "finite numbers"
        )


def _to_alm(coefficients, path, overwrite):
    """Write real signals to an alm FITS file."""
    if coefficients.axes or any(coefficients.spins):
        raise UnsupportedContents(
            f"{path}: alm FITS files contain real signals without axes, not {description(coefficients)}; "
            "select one, or write .npz"
        )
    names = coefficients.names
    components = names if set(names) <= set("TEB") else None
    extnames = [coefficients.attributes.get(n, {}).get("EXTNAME", n) for n in names]
    has_own_names = components is None or extnames != list(names)
    alm.write_alm(
        path,
        coefficients.flm,
        unit=coefficients.units,
        coordsys=coefficients.frame,
        component=components,
        name=extnames if has_own_names else None,
        polcconv="IAU" if coefficients.polcconv == "IAU" else None,
        history=coefficients.history or None,
        overwrite=overwrite,
    )
