"""Samples on latitudes and longitudes in text files, plain or compressed by gzip."""

import gzip
import os
import re
import zlib

import numpy as np

from spherekit import sampling
from spherekit._core import checks
from spherekit.io import provenance
from spherekit.io.arguments import ArgumentError
from spherekit.io.records import Map
from spherekit.sampling.text import label

_COMMENT = re.compile(rb"[#%!].*")
_CHUNK = 2**20


def read_text(path, lat=None, lon=None, grid=None):
    """The `Map` of a text file of numbers, with files or arrays of latitudes and longitudes, or with a grid.

    The numbers are those of the first latitude, then of the second, and so on; line breaks have no meaning.
    """
    if grid is None and (lat is None or lon is None):
        raise ValueError(
            f"{path} cannot be read as a map: it is text; for samples on latitudes and longitudes pass "
            "lat=FILE and lon=FILE (of one number a line, in degrees) or grid=NAME; a table of points needs "
            "a line with the names of its columns, such as lat,lon,value (spectra are read with "
            "spherekit.io.read_spectra, coefficients with spherekit.io.read_coefficients)"
        )
    return on_axes(path, read_numbers(path), lat, lon, grid)


def on_axes(path, values, lat, lon, grid=None):
    """The `Map` of samples in the order of files or arrays of latitudes and longitudes, or of a grid."""
    if grid is not None and lat is None and lon is None:
        sphere = sampling.grid(grid)
        return Map(_shaped(path, values, sphere.shape, f"the grid {sphere}"), sphere)
    if lat is None or lon is None:
        raise ArgumentError(f"{path}: lat= and lon= are needed together")
    files = [os.fsdecode(axis) for axis in (lat, lon) if isinstance(axis, str | os.PathLike)]
    source = f" (coordinates of {' and '.join(files)})" if files else ""
    lat, lon = (_axis(axis) for axis in (lat, lon))
    try:
        layout = sampling.LatLon(lat, lon)
    except ValueError as error:
        raise ValueError(f"{path}: {error}{source}") from None
    if grid is not None and sampling.grid(grid) != layout.grid:
        raise ArgumentError(
            f"grid={grid}, but the latitudes and longitudes of {path} are those of {label(layout.grid)}"
        )
    noun = f"{len(lat)} latitudes x {len(lon)} longitudes{source}"
    values = _shaped(path, values, (len(lat), len(lon)), noun)
    return Map(
        layout.to_grid(values),
        layout.grid,
        frame="geographic",
        notes=tuple(layout.notes),
        layout=layout,
    )


def _shaped(path, values, shape, noun):
    size = int(np.prod(shape))
    matches = values.shape[values.ndim - len(shape) :] == tuple(shape)
    if values.size != size or not (values.ndim == 1 or matches):
        raise ValueError(
            f"{path} contains samples of shape {values.shape}; expected {size}, {noun}"
        )
    return values.reshape(shape)


def _axis(axis):
    """Latitudes or longitudes in degrees, of a file or an array."""
    if isinstance(axis, str | os.PathLike):
        provenance.record_input(axis)
        return read_numbers(axis)
    return checks.as_float_array(axis, "lat and lon")


def read_numbers(path):
    """All numbers of a text file or of a .npy file, in one dimension; comments start with #, % or !."""
    from spherekit.io import kinds
    from spherekit.io.arrays import read_arrays

    kind = kinds.describe(path)
    if kind == "a NumPy array (.npy)":
        values = read_arrays(path)["values"].ravel()
        if values.dtype.kind not in "iuf":
            raise ValueError(f"{path} contains values of dtype {values.dtype}; expected numbers")
        return values
    if kind not in ("text", "a gzip file of text"):
        raise ValueError(f"{path} cannot be read as text: it is {kind}")
    text = _COMMENT.sub(b"", read_bytes(path)) if kind else b""
    try:
        values = np.array(text.replace(b",", b" ").replace(b";", b" ").split(), dtype="S").astype(
            float
        )
    except ValueError:
        raise ValueError(f"{path}: {_first_word(text)} is not a number; expected numbers") from None
    if not values.size:
        raise ValueError(f"{path} contains no numbers")
    return values


def _first_word(text):
    """The first word that is not a number, with its line."""
    for number, line in enumerate(text.split(b"\n"), 1):
        for word in line.replace(b",", b" ").replace(b";", b" ").split():
            try:
                float(word)
            except ValueError:
                return f"line {number}: {word[:30].decode('utf-8', 'replace')!r}"
    return "a word"


def read_bytes(path):
    """The contents of a file, decompressed; their size is limited by SPHEREKIT_MAX_MEMORY."""
    with open(path, "rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    chunks = []
    size = 0
    try:
        with (gzip.open if is_gzip else open)(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                chunks.append(chunk)
                size += len(chunk)
                checks.fits_memory(10.0 * size, f"the text of {path}", "read a smaller file")
    except (OSError, EOFError, zlib.error) as error:
        if not is_gzip:
            raise
        raise ValueError(f"{path} is a damaged gzip file: {error}") from None
    return b"".join(chunks)
