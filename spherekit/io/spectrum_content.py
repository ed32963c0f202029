"""Whether a file contains power spectra; its content decides, not its name."""

import zipfile

from spherekit.io import kinds, numpy_spectra, points, spectrum_text
from spherekit.io.alm import is_alm
from spherekit.io.arrays import read_arrays
from spherekit.io.blocks import naming_the_file
from spherekit.io.columns import is_map
from spherekit.io.fits import outlines
from spherekit.io.spectra import is_spectrum, is_spectrum_name


@naming_the_file
def contains_spectra(path, hdu=None, kind=None, columns=None):
    """Whether `spherekit.io.read_spectra` reads a file that declares no other content.

    FITS: a table of spectra, and none of a map. Text: the line ``# kind:``, names of columns that begin with
    l, or rows of l = 0, 1, 2, ... A .npz file: an array ``cl``, or arrays with names such as TT. With
    ``kind`` or ``columns``, the caller declares spectra: tables without a declaration, text that names no
    latitudes and longitudes, and arrays that are no map or coefficients are spectra, too.

    Parameters
    ----------
    path : str or path
        The file.
    hdu : int or str, optional
        Number or name of a FITS table.
    kind : {"cl", "dl"}, optional
    columns : sequence of str, optional

    Returns
    -------
    bool

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        A damaged file.

    Examples
    --------
    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "cl.csv")
    >>> with open(path, "w") as file:
    ...     _ = file.write("l,TT\\n0,0.0\\n1,0.5\\n")
    >>> contains_spectra(path)
    True
    """
    is_declared = kind is not None or columns is not None
    format_of_file = kinds.describe(path)
    if kinds.is_fits(path):
        return _in_fits(path, hdu, is_declared)
    if format_of_file in spectrum_text.KINDS:
        return not points.is_table(path) and (is_declared or spectrum_text.is_spectra(path))
    if format_of_file not in numpy_spectra.KINDS:
        return False
    names = _array_names(path, format_of_file)
    if is_declared:
        return not {"flm", "grid"} & set(names)
    return numpy_spectra.is_spectra(names, is_spectrum_name)


def _array_names(path, format_of_file):
    """The names of the arrays of a file of NumPy, without their values."""
    if "(.npy)" in format_of_file:
        return ["values"]
    try:
        with zipfile.ZipFile(path) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist()]
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return list(read_arrays(path))  # raises the error of a damaged file


def _in_fits(path, hdu, is_declared):
    try:
        tables = outlines(path)
    except ValueError:  # such as an image, which is not a table of spectra
        return False
    if hdu is not None:
        tables = [table for table in tables if _is_selected(table, hdu)]
    if any(map(is_map, tables)):
        return False
    return any(map(is_spectrum, tables)) or (is_declared and not any(map(is_alm, tables)))


def _is_selected(table, hdu):
    return hdu == table.hdu or str(hdu).strip().upper() == table.name.strip().upper()
