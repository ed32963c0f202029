"""Maps from and to DataArrays and Datasets of xarray."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from spherekit.io import variables
from spherekit.io.arguments import optional_module
from spherekit.io.netcdf import of_dataset
from spherekit.io.records import Map

if TYPE_CHECKING:
    import xarray

_UNNAMED = "values"


def from_xarray(
    data: xarray.DataArray | xarray.Dataset,
    *,
    field: str | int | Sequence[str | int] | None = None,
    select: Mapping[str, object] | None = None,
) -> Map:
    """Convert a DataArray or Dataset on latitudes and longitudes, or on HEALPix pixels, to a map.

    Latitude and longitude are recognized by their attributes ``standard_name``, ``units`` and ``axis``, or
    by their names, in degrees. Samples are rearranged north to south and east from the first longitude of
    the grid; `to_xarray` restores the order of ``data``. All other dimensions become named axes. Arrays of
    dask are computed for the selected part only.

    Parameters
    ----------
    data : DataArray or Dataset
        Numbers on at least the dimensions of latitude and longitude, each with a coordinate.
    field : str, int or sequence of them, optional
        The variables of a Dataset, by name or number. By default its only one that is a map; all of I, Q and
        U, and of a Dataset of `to_xarray`.
    select : dict, optional
        A coordinate for axes that are to be dropped, by their names, or "time" and "level" for the axis of
        that kind: ``{"level": 500, "time": "2018-07"}``.

    Returns
    -------
    Map
        Its notes state what was rearranged, such as a repeated last longitude that was removed.

    Raises
    ------
    ImportError
        xarray is not installed.
    TypeError
        ``data`` is not of xarray.
    ValueError
        No latitudes and longitudes, or latitudes and longitudes of no grid; several variables, without
        ``field``; no such field, axis or coordinate.

    See Also
    --------
    to_xarray : the inverse.
    read : read a file of netCDF.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.io import from_xarray
    >>> import xarray  # doctest: +SKIP
    >>> lat, lon = np.linspace(-90, 90, 5), np.arange(0, 360, 45)
    >>> T = xarray.DataArray(np.ones((5, 8)), dict(lat=lat, lon=lon), ("lat", "lon"), "T")  # doctest: +SKIP
    >>> from_xarray(T).grid  # doctest: +SKIP
    MWSS(L=4, n_phi=8)
    """
    xarray = optional_module("xarray", "netcdf", "DataArrays need xarray")
    if isinstance(data, xarray.DataArray):
        data = _dataset(data)
    if not isinstance(data, xarray.Dataset):
        raise TypeError(
            f"data is a {type(data).__name__}; expected a DataArray or Dataset of xarray"
        )
    return variables.to_map(_with_scalars(of_dataset(data, "data")), field, select)


def _dataset(array):
    """A Dataset of one DataArray, with the attributes of the file of `to_xarray`."""
    array = array.copy(deep=False)
    of_file = {name: array.attrs.pop(name) for name in _OF_FILE if name in array.attrs}
    data = array.to_dataset(name=_UNNAMED if array.name is None else array.name)
    return data.assign_attrs(of_file)


#: Attributes of the file that a DataArray has among its own.
_OF_FILE = ("history", "spherekit_grid", "spherekit_frame", "spherekit_spin", "spherekit_polcconv")


def _with_scalars(contents):
    """Variables with their scalar coordinates listed, as in files."""
    scalars = " ".join(name for name, v in contents.variables.items() if v.dims == ())
    listed = {
        name: v._replace(
            attributes={
                **v.attributes,
                "coordinates": f"{v.attributes.get('coordinates', '')} {scalars}",
            }
        )
        for name, v in contents.variables.items()
    }
    return contents._replace(variables=listed)


def to_xarray(sky: Map) -> xarray.DataArray | xarray.Dataset:
    """Convert a map to a DataArray, or to a Dataset if it has several fields.

    Parameters
    ----------
    sky : Map
        A map on a rectangular grid or HEALPix.

    Returns
    -------
    DataArray or Dataset
        With latitudes and longitudes in degrees, in the order of the source of a map from `from_xarray` or
        a file of netCDF, else north to south and east. HEALPix pixels are a dimension ``cell`` with the CF
        grid mapping ``healpix``. A complex field is two variables, its real and imaginary part.

    Raises
    ------
    ImportError
        xarray is not installed.
    ValueError
        Another grid.

    See Also
    --------
    from_xarray : the inverse.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.io import Map, to_xarray
    >>> to_xarray(Map(np.zeros((3, 5)), "mw:3", "T", "K")).dims  # doctest: +SKIP
    ('lat', 'lon')
    """
    xarray = optional_module("xarray", "netcdf", "DataArrays need xarray")
    contents = variables.from_map(sky)
    names = list(contents.variables)
    fields = names[-(len(sky) * (2 if sky.values.dtype.kind == "c" else 1)) :]
    arrays = {
        name: (v.dims, v.values, _without_coordinates(v.attributes))
        for name, v in contents.variables.items()
    }
    coordinates = {name: arrays[name] for name in names if name not in fields}
    data = xarray.Dataset({name: arrays[name] for name in fields}, coordinates, contents.attributes)
    if len(fields) > 1:
        return data
    of_file = {name: data.attrs[name] for name in _OF_FILE if name in data.attrs}
    return data[fields[0]].assign_attrs(of_file)


def _without_coordinates(attributes):
    return {name: value for name, value in attributes.items() if name != "coordinates"}
