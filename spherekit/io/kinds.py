"""Detection of the format of a file from its first bytes, for error messages."""

import gzip
import os
import zlib
from os import PathLike

from spherekit.io.blocks import naming_the_file

_STARTS = (
    (b"SIMPLE  =", "a FITS file"),
    (b"\x93NUMPY", "a NumPy array (.npy)"),
    (b"CDF\x01", "a netCDF-3 file"),
    (b"CDF\x02", "a netCDF-3 file"),
    (b"CDF\x05", "a netCDF-3 file of 64-bit data"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 or netCDF-4 file"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"#?RADIANCE", "a Radiance picture"),
    (b"#?RGBE", "a Radiance picture"),
    (b"%PDF", "a PDF document"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"(\xb5/\xfd", "a Zstandard file"),
    (b"MATLAB", "a MATLAB file"),
    (b"GRIB", "a GRIB file"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
)


@naming_the_file
def describe(path: str | PathLike) -> str:
    """Describe the format of a file in words: "a FITS file", "text", "a PNG picture", "a folder", ...

    Only the first bytes of the file are read, and nothing is executed.

    Parameters
    ----------
    path : str or path
        The file or folder.

    Returns
    -------
    str

    Raises
    ------
    FileNotFoundError
        There is no such file.

    Examples
    --------
    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "spectrum.txt")
    >>> with open(path, "w") as file:
    ...     _ = file.write("# l C_l")
    >>> describe(path), describe(os.path.dirname(path))
    ('text', 'a folder')
    """
    if os.path.isdir(path):
        return "a folder"
    if not os.path.exists(path):
        raise FileNotFoundError(f"no file {os.fspath(path)}")
    if not os.path.isfile(path):
        return "not a regular file (a device or a pipe)"
    with open(path, "rb") as file:
        start = file.read(4096)
    if start.startswith(b"\x1f\x8b"):
        return f"a gzip file of {_unpacked(path)}"
    return _by_signature(start)


def _by_signature(start):
    if not start:
        return "an empty file"
    if start.startswith(b"PK\x03\x04") or start.startswith(b"PK\x05\x06"):
        has_arrays = b".npy" in start[:200]
        return "a NumPy archive (.npz)" if has_arrays else "a zip archive"
    for signature, kind in _STARTS:
        if start.startswith(signature):
            return kind
    if start.count(b"\x00") == 0 and all(byte >= 32 or byte in b"\t\n\r\f\x1b" for byte in start):
        return "text"
    return "a file of unknown format"


def _unpacked(path):
    try:
        with gzip.open(path) as file:
            return _by_signature(file.read(4096))
    except (OSError, EOFError, zlib.error):
        return "damaged data"


def is_fits(path):
    """Whether a file is a FITS file, possibly compressed by gzip."""
    return describe(path) in ("a FITS file", "a gzip file of a FITS file")
