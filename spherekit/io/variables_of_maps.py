"""Maps as variables on named dimensions with attributes, as those of netCDF and xarray."""

import numpy as np

from spherekit._core.labeled import axis_kind
from spherekit.io.layouts import SourceLayout
from spherekit.io.variables import REFERENCES, Variables, references, variable
from spherekit.sampling import LatLon


def from_map(sky, in_file=True):
    """The `Variables` of a map: its fields, axes, and latitudes and longitudes or a grid mapping.

    A complex field becomes two, its real and imaginary part. The order of dimensions is that of the source of
    the map (``sky.layout``), else north to south and east from ``grid.phi0``. Files also state the
    conventions, and name only variables that they have.
    """
    coordinates, dims, to_source = _grid_coordinates(sky)
    variables = {}
    for name, values in sky.axes.items():
        if not (isinstance(sky.layout, SourceLayout) and sky.layout.is_numbered(name, values)):
            variables[name] = variable((name,), values, dict(sky.attributes.get(name, {})))
    scalars = {
        name: attrs
        for name, attrs in sky.attributes.items()
        if "value" in attrs and name not in sky.axes
    }
    for name, attrs in scalars.items():
        plain = {key: value for key, value in attrs.items() if key != "value"}
        variables[name] = variable((), attrs["value"], plain)
    variables |= coordinates
    names = frozenset(variables)
    mapping = {"grid_mapping": _mapping(sky)} if sky.grid.name == "healpix" else {}
    beside = [name for name, v in coordinates.items() if v.dims not in ((), (name,))]
    listed = {"coordinates": " ".join((*scalars, *beside))} if scalars or beside else {}
    for name, unit, values in _real_fields(sky):
        attributes = {**sky.attributes.get(name, {}), **({"units": unit} if unit else {})}
        attributes |= mapping | listed
        described = (*sky.axes, *dims), to_source(values)
        if isinstance(sky.layout, SourceLayout):
            described = sky.layout.in_order(*described)
        variables[name] = variable(*described, attributes)
    if in_file:
        variables = _without_dangling_references(variables)
    return Variables(variables, _attributes_of_file(sky, in_file), "the map", names)


def _attributes_of_file(sky, in_file):
    attributes = dict(sky.attributes.get("", {}))
    if in_file:
        attributes.setdefault("Conventions", "CF-1.11")
    attributes |= {"history": "\n".join(sky.history)} if sky.history else {}
    if in_file or not _is_recognized(sky):
        attributes |= {"spherekit_grid": str(sky.grid)}
        attributes |= {"spherekit_frame": sky.frame} if sky.frame else {}
        attributes |= {} if sky.spin is None else {"spherekit_spin": sky.spin}
    return attributes


def _is_recognized(sky):
    """Whether frame, spin and grid follow from the coordinates alone."""
    if sky.frame != "geographic" or sky.spin is not None:
        return False
    if sky.grid.name == "healpix":
        return True
    layout = sky.layout
    lat, lon = _latlon_of(sky.grid)[:2] if layout is None else (None, None)
    return (layout.grid if layout is not None else LatLon(lat, lon).grid) == sky.grid


def _without_dangling_references(variables):
    """Variables without attributes that name absent variables, such as bounds."""
    result = {}
    for name, v in variables.items():
        attributes = {
            key: value
            for key, value in v.attributes.items()
            if key not in REFERENCES or set(references({key: value})) <= variables.keys()
        }
        result[name] = v._replace(attributes=attributes)
    return result


def _real_fields(sky):
    """(name, unit, real samples) of each field."""
    values = sky.values if len(sky) > 1 else sky.values[None]
    for number, (name, unit, f) in enumerate(zip(sky.names, sky.units, values, strict=True)):
        name = name or (f"field_{number}" if len(sky) > 1 else "values")
        if np.iscomplexobj(f):
            yield f"{name}_real", unit, f.real
            yield f"{name}_imag", unit, f.imag
        else:
            yield name, unit, f


def _latlon_of(grid):
    """(latitudes, longitudes, function of samples to rows and columns) of rings at the same longitudes."""
    lat = 90 - np.degrees(grid.theta)
    if grid.rectangular:
        return lat, np.degrees(grid.phi), np.asarray
    if len(set(grid.counts)) > 1 or len(set(grid.offsets)) > 1:
        raise ValueError(
            f"{grid!r} has rings of different longitudes, which variables on latitudes and longitudes "
            "cannot describe; expected a rectangular grid or HEALPix: change the grid, or write .npz"
        )
    n = grid.counts[0]
    return lat[::n], np.degrees(grid.phi[:n]), lambda f: f.reshape(*f.shape[:-1], -1, n)


def _mapping(sky):
    """The name of the grid mapping of HEALPix pixels."""
    return sky.layout.mapping if isinstance(sky.layout, SourceLayout) else "healpix"


def _grid_coordinates(sky):
    """(coordinate variables, dimensions of the sphere, function of samples to the order of these)."""
    layout = sky.layout if isinstance(sky.layout, SourceLayout) else None
    if sky.grid.name == "healpix":
        attributes = {"grid_mapping_name": "healpix", "indexing_scheme": "ring"}
        level = int(sky.grid.nside).bit_length() - 1
        is_power = 2**level == sky.grid.nside
        attributes |= {"refinement_level": level} if is_power else {"nside": sky.grid.nside}
        dims = ("cell",) if layout is None else layout.of_sphere
        return {_mapping(sky): variable((), np.int32(0), attributes)}, dims, np.asarray
    if layout is not None:
        variables = {
            name: variable((dim,), values, dict(sky.attributes.get(name, {})))
            for dim, (name, values) in zip(
                layout.of_sphere, layout.coordinates.items(), strict=True
            )
        }
        return variables, layout.of_sphere, layout.from_grid
    names = [
        next((n for n, a in sky.attributes.items() if n and axis_kind(n, a) == kind), default)
        for kind, default in (("latitude", "lat"), ("longitude", "lon"))
    ]
    if sky.layout is None:
        lat, lon, to_source = _latlon_of(sky.grid)
    else:
        lat, lon, to_source = sky.layout.lat, sky.layout.lon, sky.layout.from_grid
    variables = {}
    axes = (("latitude", "degrees_north", "Y"), ("longitude", "degrees_east", "X"))
    for name, values, (kind, units, letter) in zip(names, (lat, lon), axes, strict=True):
        default = {"standard_name": kind, "units": units, "axis": letter}
        attributes = dict(sky.attributes.get(name) or default) | {"units": units}
        variables[name] = variable((name,), values, attributes)
    return variables, tuple(names), to_source
