"""Maps from variables on named dimensions with attributes, as those of netCDF and xarray."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit._core.labeled import axis_kind
from spherekit.io import cf
from spherekit.io.arguments import ArgumentError, select_names
from spherekit.io.frames import frame_of
from spherekit.io.layouts import SourceLayout, layout_of
from spherekit.io.polarization import to_cosmo
from spherekit.io.records import Map, axis_named, position, scalar_at
from spherekit.io.stokes import stokes_of
from spherekit.sampling import HEALPix, LatLon
from spherekit.sampling import grid as as_grid
from spherekit.sampling.healpix import MAX_NSIDE, reorder


class Variable(NamedTuple):
    """A variable: names and sizes of its dimensions, its dtype, attributes, and a function that reads a part.

    ``read`` has one argument, a tuple with an index or slice for each dimension, and returns an array.
    """

    dims: tuple
    shape: tuple
    dtype: np.dtype
    attributes: dict
    read: Callable

    @property
    def values(self):
        """All values, unpacked."""
        return cf.unpack(self.read((slice(None),) * len(self.dims)), self.attributes)


class Variables(NamedTuple):
    """The variables by name, the attributes of the file, its name for messages, names of coordinates.

    ``groups`` are those of a netCDF-4 file, whose variables are not among these.
    """

    variables: dict
    attributes: dict
    source: str
    coordinates: frozenset = frozenset()
    groups: tuple = ()


def variable(dims, values, attributes):
    """A `Variable` of an array in memory."""
    values = np.asarray(values)
    return Variable(tuple(dims), values.shape, values.dtype, attributes, values.__getitem__)


def to_map(contents, field=None, select=None):
    """The `Map` of variables on latitudes and longitudes, or on HEALPix pixels.

    Parameters
    ----------
    contents : Variables
    field : str, int or sequence of them, optional
        The variables. By default the only one that is a map, or all fields of one map: of the same
        dimensions, and I, Q and U by their names, or written by spherekit.
    select : dict, optional
        A coordinate for axes by name, or for the axis "time" or "level". Only this part is read.
    """
    try:
        return _to_map(contents, field, select)
    except ArgumentError:
        raise
    except ValueError as error:
        named = str(contents.source) in str(error)
        raise ValueError(str(error) if named else f"{contents.source}: {error}") from None


def _to_map(contents, field, select):
    names = _select_fields(contents, field)
    first = contents.variables[names[0]]
    dims = _sphere_dims(contents, first)
    axes = {dim: _coordinate(contents, dim) for dim in first.dims if dim not in dims}
    scalars = _scalar_coordinates(contents, first, {})
    indices = _selected_indices(contents, axes, scalars, select or {})
    remaining = {dim: axis for dim, axis in axes.items() if dim not in indices}
    values = [_read(contents, name, first, dims, indices) for name in names]
    values = np.stack(values) if len(values) > 1 else values[0]
    sphere = _sphere(
        contents, first, dims, [dim for dim in axes if not _has_coordinate(contents, dim)]
    )
    attributes = {dim: _axis_attributes(axis) for dim, axis in axes.items()}
    for dim, index in indices.items():
        value = _decoded(axes[dim])[index]
        attributes[dim] |= {"value": value}
    attributes |= _scalar_coordinates(contents, first, indices)
    attributes |= {name: _field_attributes(contents.variables[name]) for name in names}
    attributes[""] = {k: v for k, v in contents.attributes.items() if k not in _OWN_ATTRIBUTES}
    attributes = {
        name: of_name for name, of_name in attributes.items() if of_name
    } | sphere.attributes
    notes = (*sphere.notes, *_notes_on_values(contents, names, values))
    notes = (*notes, *_notes_on_coordinates(contents, first, indices))
    spin = contents.attributes.get("spherekit_spin")
    sky = Map(
        sphere.to_grid(values),
        sphere.grid,
        names,
        tuple(_unit(contents.variables[name]) for name in names),
        {dim: _decoded(axis) for dim, axis in remaining.items()},
        frame=_frame(contents),
        spin=None if spin is None else int(spin),
        polcconv=str(contents.attributes.get("spherekit_polcconv", "COSMO")),
        attributes=attributes,
        history=tuple(filter(None, str(contents.attributes.get("history", "")).split("\n"))),
        notes=notes,
        layout=sphere.layout,
    )
    return to_cosmo(sky)


def _frame(contents):
    """The coordinate frame of the file, by default that of a planet."""
    default = "" if "spherekit_grid" in contents.attributes else "geographic"
    return frame_of(contents.attributes.get("spherekit_frame", default))


#: Attributes of the file that are fields of a `Map`.
_OWN_ATTRIBUTES = ("history", *map("spherekit_{}".format, ("spin", "frame", "grid", "polcconv")))


class _Sphere(NamedTuple):
    """The grid of the last axes of samples, how to rearrange them, attributes of coordinates and notes."""

    grid: object
    to_grid: Callable
    attributes: dict
    notes: tuple = ()
    layout: object = None


def _select_fields(contents, field):
    """The names of the variables to read."""
    maps = list(map_variables(contents))
    if field is None and (len(maps) == 1 or _are_one_map(contents, maps)):
        return tuple(maps)
    if field is not None:
        maps += [name for name in _on_sphere(contents) if name not in maps]
    described = [_described(name, contents.variables[name]) for name in maps]
    if field is not None:
        return select_names(contents.source, field, maps, described)
    if maps:
        raise ArgumentError(
            f"{contents.source} contains several fields: {'; '.join(described)}; select one or several, "
            f"e.g. field={maps[0]}"
        )
    if contents.groups:
        name = contents.groups[0]
        raise ValueError(
            f"{contents.source} contains no map outside of its groups {', '.join(contents.groups)}, which "
            f"are not read; copy one to a file of its own, such as by ncks -G : -g {name} IN.nc OUT.nc, or "
            f'pass xarray.open_dataset(path, group="{name}") to spherekit.io.from_xarray'
        )
    listed = "; ".join(
        f"{name} ({', '.join(v.dims) or 'a number'})" for name, v in contents.variables.items()
    )
    remedy = ""
    if contents.source == "data":  # of xarray
        remedy = "; assign it these coordinates, or pass its values, with their grid as sampling="
    raise ValueError(
        f"{contents.source} contains no variable on latitudes and longitudes (coordinates of one dimension, "
        "recognized by standard_name, units degrees_north and degrees_east, or the names lat and lon) or on "
        f"HEALPix pixels; it contains {listed or 'no variables'}{remedy}"
    )


def _are_one_map(contents, maps):
    """Whether variables of the same dimensions are one map: they are I, Q, U, or written by spherekit."""
    dims = {contents.variables[name].dims for name in maps}
    is_iqu = sorted(map(stokes_of, maps)) == ["I", "Q", "U"]
    return len(dims) == 1 and (is_iqu or "spherekit_grid" in contents.attributes)


def map_variables(contents):
    """The `Variable` of each field on the sphere, by name.

    Those to which the attributes of others refer, such as cell areas, are fields only if there is no other.
    """
    on_sphere = _on_sphere(contents)
    of_others = contents.coordinates | {
        referred
        for name, v in contents.variables.items()
        for referred in references(v.attributes)
        if referred != name
    }
    fields = {name: v for name, v in on_sphere.items() if name not in of_others}
    return fields or on_sphere


def _on_sphere(contents):
    return {name: v for name, v in contents.variables.items() if _is_map(contents, name, v)}


#: Attributes that name other variables.
REFERENCES = ("coordinates", "cell_measures", "ancillary_variables", "bounds", "climatology")
REFERENCES += ("grid_mapping",)


def references(attributes):
    """The names of variables in the attributes of one, such as those of ``cell_measures``, area: name."""
    texts = [str(attributes.get(name, "")) for name in REFERENCES]
    return [word for text in texts for word in text.split() if not word.endswith(":")]


def other_axes(contents, v):
    """The dimensions of a field that do not span the sphere, such as time and level."""
    sphere = _sphere_dims(contents, v)
    return [dim for dim in v.dims if dim not in sphere]


def _described(name, v):
    long_name = v.attributes.get("long_name") or v.attributes.get("standard_name")
    unit = _unit(v)
    text = f"{name} [{unit}]" if unit else name
    return f"{text} {long_name}" if long_name else text


def _is_map(contents, name, v):
    return name not in v.dims and v.dtype.kind in "iufcb" and _sphere_dims(contents, v) is not None


def _unit(v):
    return str(v.attributes.get("units", ""))


def _sphere_dims(contents, v):
    """The dimensions of a variable that span the sphere: (latitude, longitude) or (pixel,), or None."""
    if _healpix_mapping(contents, v) is not None:
        pixels = [
            dim for dim in ("cell", "cells", "pixel", "pix", "hp", "healpix") if dim in v.dims
        ]
        return (pixels or list(v.dims))[-1:]
    kinds = {}
    for dim in v.dims:
        for name in _coordinate_names(contents, v, dim):
            kind = axis_kind(name, contents.variables[name].attributes)
            if kind in ("latitude", "longitude"):
                kinds.setdefault(kind, (dim, name))
                break
    if len(kinds) < 2:
        return None
    dims = [kinds["latitude"][0], kinds["longitude"][0]]
    return dims if dims[0] != dims[1] else None


def _coordinate_names(contents, v, dim):
    """The variables that may be the coordinate of a dimension: that of its name, then those listed."""
    listed = str(v.attributes.get("coordinates", "")).split()
    names = [dim, *listed, *sorted(contents.coordinates)]
    return [
        name
        for name in dict.fromkeys(names)
        if name in contents.variables and contents.variables[name].dims == (dim,)
    ]


def _healpix_mapping(contents, v):
    """The variable of the grid mapping "healpix" of a variable, or None."""
    mapping = contents.variables.get(str(v.attributes.get("grid_mapping", "")))
    named = mapping is not None and mapping.attributes.get("grid_mapping_name") == "healpix"
    return mapping if named else None


def _coordinate(contents, dim):
    """The coordinate variable of a dimension, or the numbers of its entries."""
    if _has_coordinate(contents, dim):
        return contents.variables[dim]
    sizes = (v.shape[v.dims.index(dim)] for v in contents.variables.values() if dim in v.dims)
    return variable((dim,), np.arange(next(sizes)), {})


def _has_coordinate(contents, dim):
    return dim in contents.variables and contents.variables[dim].dims == (dim,)


def _decoded(axis):
    """The coordinates of an axis; times as datetime64 where they can be decoded."""
    values = axis.values
    times = cf.decode_times(values, axis.attributes)
    return values if times is None else times


def _selected_indices(contents, axes, scalars, select):
    """Index by dimension of the coordinates in ``select``, without those of all samples, ``scalars``."""
    attributes = {dim: axis.attributes for dim, axis in axes.items()}
    indices = {}
    for name, item in select.items():
        try:
            if scalar_at(name, item, axes, scalars):
                continue
            dim = axis_named(name, axes, attributes)
            indices[dim] = position(dim, _decoded(axes[dim]), item, axes[dim].attributes)
        except ValueError as error:
            raise ArgumentError(f"{contents.source}: {error}") from None
    return indices


def _read(contents, name, first, dims, indices):
    """The samples of a variable: the remaining axes in their order, then those of the sphere."""
    v = contents.variables[name]
    if v.dims != first.dims or v.shape != first.shape:
        raise ArgumentError(
            f"{contents.source}: the fields have different axes, ({', '.join(first.dims)}) of shape "
            f"{first.shape} and ({', '.join(v.dims)}) of {v.shape}; read them one by one"
        )
    index = tuple(indices.get(dim, slice(None)) for dim in v.dims)
    size = np.prod([n for n, i in zip(v.shape, index, strict=True) if isinstance(i, slice)])
    noun = f"{contents.source}: the field {name}"
    if not size:
        raise ValueError(f"{noun} has the shape {v.shape}, without samples")
    checks.fits_memory(
        float(size) * 8, noun, "read a part of it with select=, e.g. one time or level"
    )
    values = cf.unpack(v.read(index), v.attributes)
    if values.dtype.kind not in "iufcb":
        raise ValueError(f"{noun} has dtype {values.dtype}; expected numbers")
    remaining = [dim for dim in v.dims if dim not in indices]
    order = [dim for dim in remaining if dim not in dims] + list(dims)
    return np.ascontiguousarray(values.transpose([remaining.index(dim) for dim in order]))


def _sphere(contents, v, dims, without_coordinates):
    """The `_Sphere` of the dimensions of a variable."""
    mapping = _healpix_mapping(contents, v)
    if mapping is not None:
        sphere = _pixels(contents, mapping, v.shape[v.dims.index(dims[0])])
        described = dict(
            without_coordinates=frozenset(without_coordinates),
            mapping=str(v.attributes["grid_mapping"]),
            nested=_ordering(mapping.attributes) == "nested",
        )
        layout = SourceLayout(sphere.grid, v.dims, tuple(dims), **described)
        return sphere._replace(layout=layout)
    names = _names_of_positions(contents, v, dims)
    axes = [contents.variables[name] for name in names]
    lat, lon = (cf.in_degrees(axis.values, axis.attributes) for axis in axes)
    try:
        positions = LatLon(lat, lon)
    except ValueError as error:
        raise ValueError(f"{contents.source}: {error}") from None
    attributes = {name: _axis_attributes(axis) for name, axis in zip(names, axes, strict=True)}
    coordinates = {name: axis.values for name, axis in zip(names, axes, strict=True)}
    layout = layout_of(positions, v.dims, dims, coordinates, without_coordinates)
    grid = _stated_grid(contents, positions.grid)
    return _Sphere(grid, positions.to_grid, attributes, positions.notes, layout)


def _names_of_positions(contents, v, dims):
    """The names of the coordinate variables of latitudes and longitudes."""
    names = []
    for dim, kind in zip(dims, ("latitude", "longitude"), strict=True):
        for name in _coordinate_names(contents, v, dim):
            if axis_kind(name, contents.variables[name].attributes) == kind:
                names.append(name)
                break
    return names


def _stated_grid(contents, grid):
    """The grid that the file states, if it has the samples of the recognized one."""
    text = contents.attributes.get("spherekit_grid")
    if text is None or not grid.rectangular:
        return grid
    try:
        stated_grid = as_grid(str(text))
    except (ValueError, TypeError):
        return grid
    samples = [
        (g.shape, g.rectangular and np.concatenate([g.theta, g.phi])) for g in (stated_grid, grid)
    ]
    (shape, nodes), (grid_shape, grid_nodes) = samples
    is_equal = shape == grid_shape and np.allclose(nodes, grid_nodes, rtol=0, atol=1e-5)
    return stated_grid if is_equal else grid


def _pixels(contents, mapping, size):
    """The `_Sphere` of HEALPix pixels, by the attributes of the grid mapping."""
    attributes = mapping.attributes
    nside = _nside(attributes)
    ordering = _ordering(attributes)
    if nside is None or ordering not in ("ring", "nested"):
        raise ValueError(
            f"{contents.source}: the grid mapping healpix has the attributes {attributes}; expected "
            "refinement_level (or nside), and indexing_scheme ring or nested"
        )
    grid = HEALPix(nside)
    if size != grid.shape[0]:
        raise ValueError(
            f"{contents.source} has {size} pixels; expected {grid.shape[0]}, the full sky of nside {nside}"
        )
    is_nested = ordering == "nested"
    notes = ("pixels in NESTED order were rearranged in RING order",) if is_nested else ()
    return _Sphere(grid, (lambda f: reorder(f, "nested")) if is_nested else np.asarray, {}, notes)


def _ordering(attributes):
    """The order of the pixels of a grid mapping, "ring" or "nested"."""
    ordering = str(attributes.get("indexing_scheme", attributes.get("healpix_order", ""))).lower()
    return {"nest": "nested"}.get(ordering, ordering)


def _nside(attributes):
    """The nside of a grid mapping, or None if it has no valid one."""
    level = attributes.get("refinement_level")
    nside = attributes.get("nside", attributes.get("healpix_nside"))
    try:
        number = int(np.asarray(level if nside is None else nside).item())
    except (ValueError, TypeError, OverflowError):
        return None
    if nside is None:
        return 2**number if 0 <= number < MAX_NSIDE.bit_length() else None
    return number if 1 <= number <= MAX_NSIDE else None


def _listed_coordinates(contents, v):
    """The coordinates of a variable other than those of its dimensions, by name."""
    listed = [*str(v.attributes.get("coordinates", "")).split(), *sorted(contents.coordinates)]
    names = [name for name in dict.fromkeys(listed) if name in contents.variables]
    coordinates = {name: contents.variables[name] for name in names if name not in v.dims}
    return {
        name: c
        for name, c in coordinates.items()
        if set(c.dims) <= set(v.dims) and "grid_mapping_name" not in c.attributes
    }


def _scalar_coordinates(contents, v, indices):
    """Attributes of the coordinates that are single numbers or texts, with their value.

    Also those of axes on which a position is selected.
    """
    listed = _listed_coordinates(contents, v)
    scalars = {name: c for name, c in listed.items() if set(c.dims) <= indices.keys()}
    return {
        name: {
            **_axis_attributes(scalar),
            "value": _decoded(scalar)[tuple(indices[dim] for dim in scalar.dims)],
        }
        for name, scalar in scalars.items()
    }


def _notes_on_coordinates(contents, v, indices):
    """A note on coordinates of several dimensions, or beside that of an axis, which a map does not have."""
    positions = () if _healpix_mapping(contents, v) else _sphere_dims(contents, v)
    names = _names_of_positions(contents, v, positions) if positions else ()
    omitted = [
        f"{name} ({', '.join(c.dims)})"
        for name, c in _listed_coordinates(contents, v).items()
        if not set(c.dims) <= indices.keys() and name not in names
    ]
    if omitted:
        yield f"coordinates that are not read: {', '.join(omitted)}"


def _axis_attributes(axis):
    """The attributes of an axis in memory: without units and calendar of times, and without fill values."""
    is_time = _decoded(axis).dtype.kind == "M"
    removed = (*cf.OF_PACKING, "coordinates", *(("units", "calendar") if is_time else ()))
    return {name: value for name, value in axis.attributes.items() if name not in removed}


def _field_attributes(v):
    """The attributes of a field; the valid range is that of unpacked values."""
    attributes = {name: value for name, value in v.attributes.items() if name not in cf.ENCODING}
    if {"scale_factor", "add_offset"} & v.attributes.keys():
        packing = {name: v.attributes[name] for name in cf.OF_PACKING if name in v.attributes}
        for name in {"valid_range", "valid_min", "valid_max"} & attributes.keys():
            if np.asarray(attributes[name]).dtype.kind in "iuf":
                attributes[name] = cf.unpack(np.asarray(attributes[name]), packing)
    return attributes


def _notes_on_values(contents, names, values):
    """Notes on missing samples and on samples beyond the valid range, which are not changed."""
    fields = values if len(names) > 1 else [values]
    for name, f in zip(names, fields, strict=True):
        missing = np.count_nonzero(np.isnan(f)) if f.dtype.kind in "fc" else 0
        if missing:
            yield f"{missing} of {f.size} samples of {name} are missing (NaN)"
        bounds = np.ravel(contents.variables[name].attributes.get("valid_range", ()))
        if len(bounds) == 2 and f.dtype.kind in "iuf":
            low, high = np.sort(cf.unpack(bounds, contents.variables[name].attributes))
            beyond = np.count_nonzero((f < low) | (f > high))
            if beyond:
                yield f"{beyond} of {f.size} samples of {name} are beyond valid_range"
