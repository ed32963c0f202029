"""Samples in arrays of MATLAB files of version 5 and 7."""

import zlib

import numpy as np

from spherekit.io.arguments import ArgumentError
from spherekit.io.array_values import as_native
from spherekit.io.latlon_text import on_axes

_DAMAGED = ValueError, TypeError, KeyError, IndexError, EOFError, OSError, NotImplementedError
_DAMAGED += AttributeError, zlib.error, OverflowError, UnicodeDecodeError, MemoryError


def read_matlab(path, field=None, grid=None, lat=None, lon=None):
    """The `Map` of one array of a file, on a grid or on latitudes and longitudes.

    ``lat`` and ``lon`` may be names of arrays of the file.
    """
    arrays = _arrays(path)
    lat, lon = (arrays.get(axis, axis) if isinstance(axis, str) else axis for axis in (lat, lon))
    name = field
    candidates = [key for key, array in arrays.items() if array.size > 1]
    if isinstance(field, list | tuple) and len(field) == 1:
        name = field[0]
    if field is None and len(candidates) == 1:
        name = candidates[0]
    if not isinstance(name, str) or name not in arrays:
        listed = ", ".join(f"{key} {arrays[key].shape}" for key in candidates) or "(none)"
        raise ArgumentError(
            f"{path} contains the arrays {listed}; select one with field=NAME (coefficients are read with "
            "spherekit.io.read_coefficients)"
        )
    values = as_native(path, arrays[name])
    if grid is None and (lat is None or lon is None):
        raise ArgumentError(
            f"{path} does not state the grid of {name}, of shape {values.shape}; pass grid=NAME, or lat=FILE "
            "and lon=FILE"
        )
    values = values.ravel() if 1 in values.shape else values
    return on_axes(path, np.ascontiguousarray(values), lat, lon, grid)


def _arrays(path):
    """The numeric arrays of a file by name; axes of latitudes and longitudes have one dimension."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        contents = loadmat(path, mat_dtype=False, struct_as_record=True)
    except (*_DAMAGED, MatReadError) as error:
        raise ValueError(f"{path} cannot be read as a MATLAB file: {error}") from None
    arrays = {key: np.asarray(x) for key, x in contents.items() if not key.startswith("__")}
    numeric = {key: x for key, x in arrays.items() if x.dtype.kind in "iufcb"}
    return {key: x.ravel() if 1 in x.shape else x for key, x in numeric.items()}
