"""The first map of fields of netCDF files with further axes, such as times and levels."""

from typing import NamedTuple

import numpy as np

from spherekit.io import cf, kinds, variables
from spherekit.io.netcdf import open_netcdf3, open_netcdf4
from spherekit.io.records import Map


class Outline(NamedTuple):
    """A field that is not read; coordinates and attributes of its axes by name, its CF name or None."""

    name: str
    unit: str
    shape: tuple
    dtype: np.dtype
    axes: dict
    attributes: dict
    standard_name: str | None = None


def outlines(path):
    """The `Outline` of each field on the sphere of a netCDF file, whose samples are not read."""
    with _opened(path) as contents:
        named = variables.map_variables(contents).items()
        return [_outline(contents, name, v) for name, v in named]


def read_first(path, name) -> Map:
    """The map of a field at the first position of all axes but those of the sphere."""
    with _opened(path) as contents:
        axes = variables.other_axes(contents, contents.variables[name])
        first = {key: _cut(v, axes) for key, v in contents.variables.items()}
        return variables.to_map(contents._replace(variables=first), name)


def _opened(path):
    is_classic = kinds.describe(path) == "a netCDF-3 file"
    return open_netcdf3(path) if is_classic else open_netcdf4(path)


def _outline(contents, name, v):
    axes, attributes = {}, {}
    for dim in variables.other_axes(contents, v):
        axis = contents.variables.get(dim)
        if axis is None or axis.dims != (dim,):
            axes[dim] = np.arange(v.shape[v.dims.index(dim)])
            continue
        times = cf.decode_times(axis.values, axis.attributes)
        axes[dim] = axis.values if times is None else times
        attributes[dim] = axis.attributes
    described = v.shape, v.dtype, axes, attributes, v.attributes.get("standard_name")
    return Outline(name, str(v.attributes.get("units", "")), *described)


def _cut(v, axes):
    """A `Variable` with the first entry only on some dimensions."""
    shape = tuple(1 if dim in axes else n for dim, n in zip(v.dims, v.shape, strict=True))

    def read(index):
        first = (
            slice(0, 1) if dim in axes and isinstance(i, slice) else i
            for dim, i in zip(v.dims, index, strict=True)
        )
        return v.read(tuple(first))

    return v._replace(shape=shape, read=read)
