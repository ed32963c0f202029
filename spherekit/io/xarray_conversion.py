"""Maps from and to DataArrays and Datasets of xarray."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from spherekit.io import variables
from spherekit.io.arguments import optional_module
from spherekit.io.cf import coordinate_texts
from spherekit.io.netcdf import of_dataset
from spherekit.io.records import Map
from spherekit.io.variables_of_maps import from_map, is_recognized

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
    the grid; `to_xarray` restores the order of ``data``. All other dimensions become named axes; dates of
    calendars of models (cftime) are numbers with the attributes ``units`` and ``calendar``. Coordinates, and
    variables to which attributes of others refer (``cell_measures``, ``ancillary_variables``, ``bounds``),
    are not fields unless ``field`` names them. Arrays of dask are computed for the selected part only.

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


def all_fields(data: xarray.DataArray | xarray.Dataset) -> Map:
    """The map of a DataArray, or of all variables of a Dataset on latitudes and longitudes or pixels.

    Raises
    ------
    ValueError
        No such variables, or variables on different dimensions.
    """
    if not hasattr(data, "data_vars"):
        return from_xarray(data)
    contents = _with_scalars(of_dataset(data, "data"))
    maps = variables.map_variables(contents)
    dims = {v.dims for v in maps.values()}
    if len(dims) > 1:
        listed = "; ".join(f"{name} ({', '.join(v.dims)})" for name, v in maps.items())
        raise ValueError(
            f"the variables have different dimensions: {listed}; pass those of the same dimensions, such as "
            f"data[{list(maps)[:1]}]"
        )
    return variables.to_map(contents, list(maps) or None)


def to_xarray(sky: Map) -> xarray.DataArray | xarray.Dataset:
    """Convert a map to a DataArray, or to a Dataset if it has several fields.

    Parameters
    ----------
    sky : Map
        A map on a rectangular grid or HEALPix.

    Returns
    -------
    DataArray or Dataset
        With the dimensions, latitudes and longitudes of the source of a map from `from_xarray` or a file of
        netCDF, in its order; else in degrees, north to south and east. HEALPix pixels are a dimension
        ``cell`` with the CF grid mapping ``healpix``. A complex field is two variables, its real and
        imaginary part. Dates of other calendars than the standard one are those of cftime, if it is
        installed. A grid, frame or spin that the coordinates do not imply is an attribute ``spherekit_grid``,
        ``spherekit_frame`` or ``spherekit_spin``.

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
    contents = from_map(sky, in_file=False)
    arrays = {
        name: (v.dims, v.values, _without_coordinates(v.attributes))
        for name, v in contents.variables.items()
    }
    fields = [name for name in arrays if name not in contents.coordinates]
    coordinates = {name: arrays[name] for name in arrays if name in contents.coordinates}
    data = xarray.Dataset({name: arrays[name] for name in fields}, coordinates, contents.attributes)
    data = _with_dates(xarray, data)
    if len(fields) > 1:
        return data
    of_file = {name: data.attrs[name] for name in _OF_FILE if name in data.attrs}
    return data[fields[0]].assign_attrs(of_file)


def maps_of(data: xarray.DataArray | xarray.Dataset) -> list[Map]:
    """The maps of a DataArray or Dataset: one of all variables of the same dimensions.

    Parameters
    ----------
    data : DataArray or Dataset
        As of `from_xarray`; of a Dataset all variables that are maps are fields.

    Returns
    -------
    list of Map
        Each with the names of its variables.

    Raises
    ------
    ValueError
        No variable is a map.
    """
    xarray = optional_module("xarray", "netcdf", "DataArrays need xarray")
    data = _dataset(data) if isinstance(data, xarray.DataArray) else data
    contents = _with_scalars(of_dataset(data, "data"))
    groups = {}
    for name, v in variables.map_variables(contents).items():
        groups.setdefault(v.dims, []).append(name)
    if not groups:
        variables.to_map(contents)  # raises the error
    return [variables.to_map(contents, names) for names in groups.values()]


def with_fields(
    data: xarray.DataArray | xarray.Dataset, operation: Callable[[Map], Map]
) -> xarray.DataArray | xarray.Dataset:
    """``data`` with the result of an operation on maps in place of each of its fields on the sphere.

    Parameters
    ----------
    data : DataArray or Dataset
        As of `from_xarray`; of a Dataset all variables that are maps are fields.
    operation : callable
        A function of a `Map`, whose fields are the variables of the same dimensions, that returns one of the
        same names and axes.

    Returns
    -------
    DataArray or Dataset
        As ``data``. On another grid without the other variables and coordinates of its latitudes and
        longitudes, such as cell areas.
    """
    xarray = optional_module("xarray", "netcdf", "DataArrays need xarray")
    is_array = isinstance(data, xarray.DataArray)
    dataset = _dataset(data) if is_array else data
    replaced, changed = set(), []
    for before in maps_of(data):
        names = list(before.names)
        after = operation(before)
        arrays = to_xarray(after)
        arrays = _dataset(arrays) if isinstance(arrays, xarray.DataArray) else arrays
        if after.grid != before.grid or before.layout.nested:
            replaced |= set(before.layout.of_sphere)
        is_stated = "spherekit_grid" in dataset.attrs or not is_recognized(after)
        of_file = _OF_FILE if is_stated else ("history",)
        changed.append((names, arrays, [name for name in of_file if name in arrays.attrs]))
    result = dataset.drop_vars(
        [name for name, v in dataset.variables.items() if set(map(str, v.dims)) & replaced]
    )
    for names, arrays, of_file in changed:
        fields = {name: _field(arrays, name, dataset[name].dtype) for name in names}
        is_new = {n: n not in result.coords or bool(replaced) for n in arrays.coords}
        coordinates = {n: c for n, c in arrays.coords.items() if is_new[n]}
        result = result.assign_coords(coordinates).assign(fields)
        result = result.assign_attrs({name: arrays.attrs[name] for name in of_file})
    if not is_array:
        return result[[name for name in dataset.data_vars if name in result]]
    of_file = {name: result.attrs[name] for name in _OF_FILE if name in result.attrs}
    return result[changed[0][0][0]].rename(data.name).assign_attrs(of_file)


def _field(arrays, name, dtype):
    """A field of a Dataset of `to_xarray`: complex if it has two parts, in the precision of its source."""
    if name in arrays:
        f = arrays[name].variable
    else:
        f = arrays[f"{name}_real"].variable + 1j * arrays[f"{name}_imag"].variable
        f.attrs = arrays[f"{name}_real"].attrs
    return f.astype(dtype) if dtype.kind == f.dtype.kind else f


def _without_coordinates(attributes):
    return {name: value for name, value in attributes.items() if name != "coordinates"}


def _with_dates(xarray, data):
    """A Dataset with numbers since a date as dates of cftime, if it is installed."""
    try:
        import cftime  # noqa: F401
    except ImportError:
        return data
    times = [
        name
        for name, v in data.coords.items()
        if v.dtype.kind in "iuf" and coordinate_texts(v.values.ravel(), v.attrs) is not None
    ]
    if not times:
        return data
    decoded = xarray.decode_cf(data[times].reset_coords())
    return data.assign_coords({name: decoded[name].variable for name in times})
