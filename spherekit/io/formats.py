"""Reading and writing maps in files of any format."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Literal

from numpy.typing import ArrayLike

from spherekit.io import (
    fits_maps,
    images,
    kinds,
    latlon_text,
    matlab_maps,
    netcdf,
    numpy_maps,
    points,
    provenance,
)
from spherekit.io.arguments import ArgumentError
from spherekit.io.blocks import naming_the_file
from spherekit.io.coefficients import contains_coefficients
from spherekit.io.records import Map, with_fields, with_frame
from spherekit.sampling import Grid

_NUMPY = ("a NumPy archive (.npz)", "a NumPy array (.npy)", "a zip archive")
_FITS = ("a FITS file", "a gzip file of a FITS file")
#: Read by packages of netCDF-4.
_NETCDF4 = ("an HDF5 or netCDF-4 file", "a netCDF-3 file of 64-bit data")
_TEXT = ("text", "a gzip file of text")
_PICTURES = ("a PNG picture", "a JPEG picture", "a Radiance picture", "a TIFF picture")
#: The arguments of `read` that apply to each format, besides ``path``, ``field`` and ``frame``.
_ARGUMENTS = {
    **dict.fromkeys(_FITS, ("hdu", "ordering", "grid")),
    **dict.fromkeys(_NUMPY, ("grid", "ordering", "lat", "lon", "select")),
    **dict.fromkeys(_TEXT, ("lat", "lon", "grid")),
    "a MATLAB file": ("lat", "lon", "grid"),
    **dict.fromkeys(_PICTURES, ()),
    **dict.fromkeys(("a netCDF-3 file", *_NETCDF4), ("select",)),
}


@naming_the_file
def read(
    path: str | PathLike,
    *,
    field: int | str | Sequence[int | str] | None = None,
    select: Mapping[str, object] | None = None,
    lat: str | PathLike | ArrayLike | None = None,
    lon: str | PathLike | ArrayLike | None = None,
    grid: Grid | str | None = None,
    hdu: int | str | None = None,
    ordering: Literal["ring", "nested"] | None = None,
    frame: str | None = None,
) -> Map:
    """Read a map from a file of any supported format, which is recognized by its content.

    HEALPix maps, and MW maps of s2let, in FITS; .npz and .npy files; netCDF-3, and netCDF-4 (with
    ``spherekit[netcdf]``), on latitudes and longitudes or HEALPix pixels; text files, also compressed by
    gzip, with ``lat`` and ``lon``; tables of points in CSV; arrays of MATLAB files; panoramas in Radiance
    HDR, and in PNG or JPEG (with ``spherekit[images]``).

    Parameters
    ----------
    path : str or path
        The file.
    field : int, str, or sequence of them, optional
        Fields by number (from 0) or name. By default all fields of FITS, .npz and pictures, and the only map
        of a netCDF file.
    select : dict, optional
        A coordinate for axes that are dropped, such as ``{"level": 500, "time": "2018-07"}``, by their names
        or "time" and "level" for the axis of that kind. Only this part of a netCDF file is read.
    lat, lon : path or array_like, optional
        Latitudes and longitudes, degrees, of the rows and columns of a text or .npy file.
    grid : Grid or str, optional
        The grid of a file that does not state it. It must not contradict the file.
    hdu : int or str, optional
        The table of a FITS file. By default the first that contains a map.
    ordering : {"ring", "nested"}, optional
        The ordering of a HEALPix map that does not state it.
    frame : str, optional
        The coordinate frame, which overrides that of the file ("" for none).

    Returns
    -------
    Map
        Samples north to south and east from the first longitude of the grid, HEALPix in RING order, missing
        samples NaN or UNSEEN. ``notes`` state what was changed.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ImportError
        A package that reads this format is not installed.
    ValueError
        A damaged file, a file of another format or without a map (the message names what it contains), a grid
        that is not recognized, several fields of different kinds; arguments that contradict the file or do
        not apply to its format.
    MemoryError
        The map needs more memory than SPHEREKIT_MAX_MEMORY.

    See Also
    --------
    write : write a map.
    read_coefficients : read harmonic coefficients.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from spherekit import io
    >>> path = os.path.join(tempfile.mkdtemp(), "wind.nc")
    >>> winds = io.Map(np.ones((2, 3, 8, 15)), "gl:8", ("u", "v"), "m/s", {"level": [200, 500, 850]})
    >>> io.write(winds, path)
    >>> io.read(path, field="u", select={"level": 500})
    Map(u [m/s]; GL(L=8, n_phi=15); float64)
    """
    path = os.fsdecode(path)
    kind = kinds.describe(path)
    arguments = dict(select=select, lat=lat, lon=lon, grid=grid, hdu=hdu, ordering=ordering)
    _refuse_arguments(path, kind, arguments)
    if kind in _FITS:
        return fits_maps.read_fits(path, field, hdu, ordering, frame, grid)
    if kind in _NUMPY:
        sky = numpy_maps.read_numpy(path, field, grid, ordering, frame, lat, lon)
        return _selected(path, sky, select) if select else sky
    try:
        sky = with_frame(_read(path, kind, field, select, lat, lon, grid), frame)
    except ValueError:
        if lat is None and lon is None and grid is None:
            _refuse_coefficients(path)
        raise
    provenance.record_input(path, sky.history)
    return sky


def _read(path, kind, field, select, lat, lon, grid):
    """The `Map` of a file that is neither FITS nor NumPy's."""
    if kind == "a netCDF-3 file":
        return netcdf.read_netcdf3(path, field, select)
    if kind in _NETCDF4:
        return netcdf.read_netcdf4(path, field, select)
    if kind == "a MATLAB file":
        return matlab_maps.read_matlab(path, field, grid, lat, lon)
    if kind in _TEXT:
        if lat is None and lon is None and points.is_table(path):
            return points.read_points(path, field, grid)
        return with_fields(latlon_text.read_text(path, lat, lon, grid), path, field)
    if kind in _PICTURES:
        return images.read_panorama(path, kind, field)
    raise ValueError(
        f"{path} cannot be read as a map: it is {kind}; expected FITS, .npz, .npy, netCDF, text, or a PNG, "
        "JPEG or HDR panorama"
    )


def _refuse_coefficients(path):
    """Raise OtherContents for a file of coefficients that could not be read as a map."""
    try:
        contains = contains_coefficients(path)
    except (ValueError, OSError, ImportError):
        return
    if contains:
        raise numpy_maps.OtherContents(
            f"{path} contains harmonic coefficients, not samples; read them with "
            "spherekit.io.read_coefficients",
            "coefficients",
        ) from None


def _refuse_arguments(path, kind, arguments):
    """Raise ArgumentError for arguments that do not apply to a format."""
    if kind not in _ARGUMENTS:
        return
    for name, value in arguments.items():
        if value is not None and name not in _ARGUMENTS[kind]:
            raise ArgumentError(f"{name}= does not apply to {path}, {kind}")


def _selected(path, sky, select):
    """The part of a map at these coordinates."""
    try:
        return sky.select(**select)
    except ValueError as error:
        raise ArgumentError(f"{path}: {error}") from None


def write(sky: Map, path: str | PathLike, *, overwrite: bool = False) -> None:
    """Write a map to a file, whose format is that of the suffix, with its history.

    Parameters
    ----------
    sky : Map
        The map.
    path : str or path
        ``.fits`` or ``.fits.gz`` for maps on HEALPix, MW and MWSS without further axes; ``.npz``; ``.npy``,
        which stores the samples only; ``.nc``, netCDF-3 with latitudes and longitudes in degrees and CF
        attributes, for rectangular grids and HEALPix, in the dimensions and order of the source of the map;
        ``.csv``, a table of points with one row a sample. netCDF-3 has no integers of 64 bits: they are
        written in 32 bits, or as float64 if one of them exceeds these, and those beyond 2^53 are an error.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    FileExistsError
        The file exists, and ``overwrite`` is False.
    ValueError
        Another suffix, or a map that the format cannot represent; the message names one that can.

    See Also
    --------
    read : read such a file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from spherekit import io
    >>> path = os.path.join(tempfile.mkdtemp(), "map.npz")
    >>> io.write(io.Map(np.zeros((4, 7)), "mw:4", "T", "K"), path)
    >>> io.read(path)
    Map(T [K]; MW(L=4, n_phi=7); float64)
    """
    if not isinstance(sky, Map):
        raise TypeError(f"sky is a {type(sky).__name__}; expected a spherekit.io.Map")
    path = os.fsdecode(path)
    sky = replace(sky, history=provenance.history(sky.history or None))
    for suffixes, writer in _WRITERS.items():
        if path.lower().endswith(suffixes):
            writer(sky, path, overwrite)
            return
    suffix = os.path.splitext(path)[1]
    if suffix.lower() in (".png", ".jpg", ".jpeg", ".pdf", ".svg", ".hdr"):
        raise ValueError(
            f"{path}: a picture does not store samples; plot the map with spherekit.plot.show, or write "
            ".npz, .nc, .fits, .npy or .csv"
        )
    raise ValueError(f"{path} has the suffix {suffix!r}; expected .fits, .npz, .npy, .nc or .csv")


_WRITERS = {
    (".fits", ".fits.gz", ".fit"): fits_maps.write_fits,
    (".npz", ".npy"): numpy_maps.write_numpy,
    (".nc",): netcdf.write_netcdf,
    (".csv",): points.write_points,
}
