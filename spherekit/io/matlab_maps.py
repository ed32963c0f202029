"""Samples in arrays of MATLAB files of version 5 and 7."""

import math
import zlib

import numpy as np

from spherekit._core import checks
from spherekit.io.arguments import ArgumentError
from spherekit.io.array_values import as_native
from spherekit.io.latlon_text import on_axes
from spherekit.io.matlab_arrays import variables


def read_matlab(path, field=None, grid=None, lat=None, lon=None):
    """The `Map` of one array of a file, on a grid or on latitudes and longitudes.

    ``lat`` and ``lon`` may be names of arrays of the file.
    """
    arrays = {name: v for name, v in variables(path).items() if v.is_numeric}
    name = _name(path, arrays, field)
    if grid is None and (lat is None or lon is None):
        raise ArgumentError(
            f"{path} does not state the grid of {name}, of shape {arrays[name].shape}; pass grid=NAME, or "
            "lat=FILE and lon=FILE"
        )
    lat, lon = (
        _samples(path, axis, arrays) if isinstance(axis, str) and axis in arrays else axis
        for axis in (lat, lon)
    )
    values = as_native(path, _samples(path, name, arrays))
    return on_axes(path, np.ascontiguousarray(values), lat, lon, grid)


def _name(path, arrays, field):
    """The name of the selected array, or of the only one of several entries."""
    candidates = [name for name, v in arrays.items() if math.prod(v.shape) > 1]
    if field is None and len(candidates) == 1:
        return candidates[0]
    if isinstance(field, list | tuple) and len(field) == 1:
        field = field[0]
    if isinstance(field, str) and field in arrays:
        return field
    listed = ", ".join(f"{name} {_shape(arrays[name].shape)}" for name in candidates) or "(none)"
    raise ArgumentError(
        f"{path} contains the arrays {listed}; select one with field=NAME (coefficients are read with "
        "spherekit.io.read_coefficients)"
    )


def _shape(shape):
    """The shape of an array without axes of length 1, of which MATLAB's vectors have one."""
    return tuple(n for n in shape if n > 1)


def _samples(path, name, arrays):
    """The entries of an array, those of vectors in one dimension."""
    variable = arrays[name]
    noun = f"{path}: the array {name}"
    checks.fits_memory(16.0 * math.prod(variable.shape), noun, "save a smaller array")
    try:
        values = variable.read()
    except (ValueError, zlib.error) as error:
        raise ValueError(f"{path} is a damaged MATLAB file: {error}") from None
    return values.ravel() if len(_shape(values.shape)) < 2 else values
