"""What a file is, by its first bytes: for messages that say what came in place of what was meant."""

import gzip
import os
import zlib

_STARTS = (
    (b"SIMPLE  =", "a FITS file"),
    (b"\x93NUMPY", "a NumPy array (.npy)"),
    (b"CDF\x01", "a netCDF-3 file"),
    (b"CDF\x02", "a netCDF-3 file"),
    (b"CDF\x05", "a netCDF-3 file"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 or netCDF-4 file"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
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


def describe(path):
    """What a file is, in words: "a FITS file", "a folder", "text", "a PNG picture", ...

    Nothing beyond its first bytes is looked at, and nothing is executed.

    Raises FileNotFoundError where there is no such file.

    >>> import tempfile
    >>> describe(tempfile.gettempdir())
    'a folder'
    """
    if os.path.isdir(path):
        return "a folder"
    if not os.path.exists(path):
        raise FileNotFoundError(f"no file {os.fspath(path)}")
    if not os.path.isfile(path):
        return "no plain file (a device or a pipe)"
    with open(path, "rb") as file:
        start = file.read(4096)
    if start.startswith(b"\x1f\x8b"):
        return f"a gzip file of {_unpacked(path)}"
    return _by_bytes(start)


def _by_bytes(start):
    if not start:
        return "an empty file"
    if start.startswith(b"PK\x03\x04") or start.startswith(b"PK\x05\x06"):
        arrays = b".npy" in start[:200]
        return "a NumPy archive (.npz)" if arrays else "a zip archive"
    for signature, kind in _STARTS:
        if start.startswith(signature):
            return kind
    if start.count(b"\x00") == 0 and all(byte >= 32 or byte in b"\t\n\r\f\x1b" for byte in start):
        return "text"
    return "no file of a known kind"


def _unpacked(path):
    try:
        with gzip.open(path) as file:
            return _by_bytes(file.read(4096))
    except (OSError, EOFError, zlib.error):
        return "something that cannot be unpacked"


def is_fits(path):
    """True for a FITS file, also one packed by gzip."""
    return describe(path) in ("a FITS file", "a gzip file of a FITS file")
