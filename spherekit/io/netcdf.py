"""Maps in netCDF files: version 3 by SciPy, version 4 by xarray."""

import math
import os
import warnings
from contextlib import contextmanager
from importlib import import_module

import numpy as np

from spherekit._core.atomic_files import replacing
from spherekit.io import cdf5, cf, kinds, variables
from spherekit.io.arguments import optional_module
from spherekit.io.character_arrays import characters, joined
from spherekit.io.variables_of_maps import from_map

_DAMAGED = (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError, MemoryError)
_DAMAGED += (OSError, EOFError, AssertionError, ZeroDivisionError)

#: Types of netCDF-3, in native byte order.
_TYPES = tuple(map(np.dtype, (np.int8, np.int16, np.int32, np.float32, np.float64)))


def read_netcdf3(path, field=None, select=None):
    """The `Map` of a netCDF-3 file (classic or 64-bit offset). Only the selected part is read."""
    with open_netcdf3(path) as contents:
        return variables.to_map(contents, field, select)


def fields(path):
    """(name, bytes) of each field on the sphere of a netCDF file, whose values are not read."""
    opened = open_netcdf3 if kinds.describe(path) == "a netCDF-3 file" else open_netcdf4
    with opened(path) as contents:
        named = variables.map_variables(contents).items()
        return [(name, math.prod(v.shape) * v.dtype.itemsize) for name, v in named]


def read_netcdf4(path, field=None, select=None):
    """The `Map` of a netCDF-4 or HDF5 file. Only the selected part is read."""
    with open_netcdf4(path) as contents:
        return variables.to_map(contents, field, select)


@contextmanager
def open_netcdf4(path):
    """Context manager with the `Variables` of a netCDF-4 or HDF5 file."""
    kind = kinds.describe(path)
    xarray = optional_module("xarray", "netcdf", f"{path} is {kind}")
    if kind == "a netCDF-3 file of 64-bit data":
        cdf5.check_header(path)
    try:
        data = xarray.open_dataset(path, decode_cf=False)
    except ImportError:
        raise missing_engine(path) from None
    except Exception as error:  # each engine raises exceptions of its own
        if "dependencies may not be installed" in str(error):
            raise missing_engine(path) from None
        raise _damaged(path, error) from None
    with data:
        try:
            contents = of_dataset(data, path)
            if not variables.map_variables(contents):
                contents = contents._replace(groups=_groups(path))
            yield contents
        except (RuntimeError, OSError) as error:  # of the libraries of HDF5
            raise _damaged(path, error) from None


def _groups(path):
    """The names of the groups of a netCDF-4 file that contain variables, by netCDF4 or h5netcdf."""
    for name in ("netCDF4", "h5netcdf.legacyapi"):
        try:
            module = import_module(name)
            with module.Dataset(os.fspath(path), "r") as file:
                return tuple(_groups_of(file, ""))
        except Exception:  # noqa: S112 - the package is not installed, or another library's error
            continue
    return ()


def _groups_of(group, prefix):
    for name, inner in group.groups.items():
        if inner.variables:
            yield f"{prefix}{name}"
        yield from _groups_of(inner, f"{prefix}{name}/")


def _damaged(path, error):
    reason = str(error).split("\n")[0]
    return ValueError(
        f"{path} cannot be read as a netCDF-4 file: truncated, damaged, or another HDF5 file ({reason})"
    )


def missing_engine(path):
    """The error for a netCDF-4 file without a package that reads it."""
    return ImportError(
        f"{path} is a netCDF-4 or HDF5 file, for which xarray needs netCDF4 or h5netcdf; "
        "pip install 'spherekit[netcdf]'"
    )


def of_dataset(data, source):
    """The `Variables` of a Dataset of xarray; only the parts that are read are loaded or computed."""
    contents = {str(name): _of_xarray(v) for name, v in data.variables.items()}
    coordinates = frozenset(map(str, data.coords))
    return variables.Variables(contents, dict(data.attrs), source, coordinates)


def _of_xarray(v):
    """The `Variable` of a variable of xarray; dates of cftime are numbers, objects that are text strings."""
    dims = tuple(map(str, v.dims))
    attributes = _with_encoding(v)
    if v.dtype == object and v.ndim <= 1 and v.size:
        values = np.asarray(v.values)
        items = values.reshape(-1).tolist()
        if all(isinstance(item, str) for item in items):
            return variables.variable(dims, values.astype(str), attributes)
        if all(hasattr(item, "calendar") and hasattr(item, "microsecond") for item in items):
            units = str(v.encoding.get("units", ""))
            values, of_dates = cf.encode_dates(items, units)
            return variables.variable(dims, values.reshape(v.shape), attributes | of_dates)
    return joined(variables.Variable(dims, v.shape, v.dtype, attributes, _reader(v)))


def _reader(v):
    return lambda index: np.asarray(v[index].values)


def _with_encoding(v):
    """The attributes of a variable of xarray, and those that xarray has moved to its encoding."""
    moved = {
        name: v.encoding[name] for name in ("coordinates", "grid_mapping") if name in v.encoding
    }
    return {**moved, **v.attrs}


@contextmanager
def open_netcdf3(path):
    """Context manager with the `Variables` of a netCDF-3 file."""
    from scipy.io import netcdf_file

    try:
        file = netcdf_file(path, "r", mmap=True)
        contents = {name: _variable(file, name) for name in file.variables}
        attributes = _texts(vars(file)["_attributes"])
    except _DAMAGED as error:
        raise ValueError(
            f"{path} cannot be read as a netCDF-3 file: it is truncated or damaged ({error})"
        ) from None
    try:
        yield variables.Variables(contents, attributes, path)
    finally:
        with warnings.catch_warnings():  # on errors, whose traceback refers to the arrays
            warnings.simplefilter("ignore", RuntimeWarning)
            file.close()


def _variable(file, name):
    v = file.variables[name]
    dtype = v.data.dtype.newbyteorder("=")
    if v.data.shape != v.shape:
        raise ValueError(f"the variable {name} has shape {v.data.shape} instead of {v.shape}")
    attributes = _texts(vars(v)["_attributes"])
    dims = tuple(v.dimensions)
    return joined(
        variables.Variable(dims, v.shape, dtype, attributes, lambda index: _copy(file, name, index))
    )


def _copy(file, name, index):
    """A part of a variable as an array in memory."""
    return np.array(file.variables[name].data[index])


def _texts(attributes):
    """Attributes with text in place of bytes."""
    return {
        name: value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        for name, value in attributes.items()
    }


# --- writing ---------------------------------------------------------------------------------------


def write_netcdf(sky, path, overwrite=False):
    """Write a map to a netCDF-3 file (64-bit offset) with attributes of the CF conventions."""
    write_variables(from_map(sky), path, overwrite)


def write_variables(contents, path, overwrite=False):
    """Write `Variables` to a netCDF-3 file (64-bit offset)."""
    from scipy.io import netcdf_file

    encoded = {name: _encoded(path, name, v) for name, v in contents.variables.items()}
    sizes = {}
    for dims, values, _ in encoded.values():
        sizes |= dict(zip(dims, values.shape, strict=True))
    with replacing(path, overwrite) as temporary, open(temporary, "wb") as stream:
        file = netcdf_file(stream, "w", version=2)
        for name, value in contents.attributes.items():
            _set_attribute(file, name, value)
        for dim, size in sizes.items():
            file.createDimension(dim, size)
        for name, (dims, values, attributes) in encoded.items():
            v = file.createVariable(name, values.dtype, dims)
            for key, value in attributes.items():
                _set_attribute(v, key, value)
            v.data[...] = values
        file.flush()


def _set_attribute(target, name, value):
    """Set an attribute; those whose type netCDF-3 lacks are written as text."""
    if not isinstance(value, str | bytes):
        value = np.asarray(value)
        narrow = value.astype(np.int32) if value.dtype.kind in "iub" else value
        value = narrow if (narrow == value).all() and narrow.dtype in _TYPES else str(value)
    if isinstance(value, str):
        value = value.encode()
    setattr(target, name, value)


def _encoded(path, name, v):
    """(dimensions, values, attributes) in the types of netCDF-3."""
    values, attributes = v.values, dict(v.attributes)
    if values.dtype.kind == "M":
        values, attributes["units"] = cf.encode_times(values)
        attributes["calendar"] = "proleptic_gregorian"
    if values.dtype.kind == "m":
        values, attributes["units"] = cf.encode_durations(values)
    if values.dtype.kind == "U":
        values, attributes["_Encoding"] = characters(values), "utf-8"
        return (*v.dims, f"string{values.shape[-1]}"), values, attributes
    if values.dtype.kind not in "iufb":
        raise ValueError(
            f"{path}: {name} has dtype {values.dtype}, which netCDF-3 lacks; expected numbers, dates "
            "(datetime64), durations or text"
        )
    if values.dtype.kind == "b":
        values, attributes["dtype"] = values.astype(np.int8), "bool"
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    if values.dtype not in _TYPES:
        values = _narrowed(path, name, values)
    if values.dtype.kind == "f" and np.isnan(values).any():
        attributes["_FillValue"] = values.dtype.type(np.nan)
    return v.dims, values, attributes


def _narrowed(path, name, values):
    """Integers as int32, or float64 where they exceed it."""
    for dtype in (np.int32, np.float64):
        with np.errstate(invalid="ignore"):
            narrow = values.astype(dtype)
            if (narrow.astype(values.dtype) == values).all():
                return narrow
    raise ValueError(f"{path}: {name} has integers beyond 2^53, which netCDF-3 cannot represent")
