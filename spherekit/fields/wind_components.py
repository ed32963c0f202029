"""The eastward and northward component of a wind: of arrays, maps and xarray, checked and in m/s."""

from dataclasses import replace

import autograd.numpy as anp
import numpy as np

from spherekit._core import checks
from spherekit.fields.labels import is_xarray, labeled
from spherekit.fields.wind_samples import check_samples
from spherekit.io import Map
from spherekit.io.positions import conflict
from spherekit.io.winds import is_wind_component, meters_per_second, winds
from spherekit.linear import is_traced, same_precision


def components(u, v, grid, L=None):
    """The components of a wind: copies of the samples.

    Parameters
    ----------
    u, v : array_like, Map, DataArray or Dataset
        The two components in the same form; or ``v`` None, and ``u`` a map or Dataset that contains both.
    grid : Grid, LatLon or str
        The grid of arrays.

    Returns
    -------
    u, v : ndarray [shape=(..., \\*grid.shape)], m/s
        Of the same precision.
    grid : Grid
    labels : Labels
        Of results; those of a Dataset are DataArrays.
    """
    if v is not None and _form(v) != _form(u):
        raise TypeError(f"u is {_form(u)}, v is {_form(v)}; pass both in the same form")
    u_samples, u_grid, labels = labeled(u, grid, L, "u", "grid")
    if labels.kind == "Dataset":
        labels = labels._replace(kind="DataArray")
    if v is None:
        if labels.kind == "array":
            raise TypeError("v is missing; pass both components, or a map that contains both as u")
        record = labels.record
        u_record, v_record = (record.select(i) for i in _only_wind(record))
        labels = labels._replace(record=u_record)
    else:
        v_samples, v_grid, v_labels = labeled(v, grid, L, "v", "grid")
        if v is u:
            raise ValueError("u and v are the same object, u twice; expected two components")
        if labels.kind == "array":
            return *_arrays(u_samples, v_samples), u_grid, labels
        u_record, v_record = labels.record, v_labels.record
        for record, name in ((u_record, "u"), (v_record, "v")):
            _check_single(record, name)
        _check_same_samples(u_record, v_record, u_grid, v_grid)
        _check_positions(u_record, v_record)
        _check_names(u_record, v_record)
    samples, units = zip(*map(_in_si, (u_record, v_record), "uv"), strict=True)
    if "" in units and set(units) != {""}:
        raise ValueError(f"u has the unit {units[0]!r}, v {units[1]!r}; state both")
    notes = ("no unit is stated; u and v are taken as m/s",) if "" in units else ()
    attributes = {
        name: of_name for name, of_name in u_record.attributes.items() if name not in u_record.names
    }
    record = replace(
        u_record, attributes=attributes, notes=_united(u_record.notes, v_record.notes, notes)
    )
    return *_arrays(*samples), u_grid, labels._replace(record=record)


def _arrays(u, v):
    """Both components as arrays of the same shape and precision."""
    if u.shape != v.shape:
        raise ValueError(f"u has shape {u.shape} and v {v.shape}; expected the same samples")
    for name, x in (("u", u), ("v", v)):
        if anp.iscomplexobj(x):
            raise TypeError(f"{name} is complex; expected the real component of a wind")
        if not is_traced(x):
            check_samples(x, name)
    return _copies(*same_precision(u, v))


def _copies(*arrays):
    """Copies, which do not change with the arrays of the caller."""
    return [x if is_traced(x) else np.array(x, order="C") for x in arrays]


def _only_wind(record):
    """The numbers of u and v among the fields of a record."""
    cf_names = [record.attributes.get(name, {}).get("standard_name") for name in record.names]
    pairs = winds(record.names, record.units, cf_names)
    if not pairs and len(record) == 2:
        pairs = winds(record.names, record.units, cf_names, any_unit=True)
    if len(pairs) != 1:
        listed = ", ".join(map(repr, record.labels))
        expected = "one pair of an eastward and a northward component"
        raise ValueError(
            f"the map has the fields {listed}, with {len(pairs)} winds; expected {expected}, named such as u "
            "and v in m/s, or with standard_name eastward_wind and northward_wind; pass u and v"
        )
    return next(iter(pairs.items()))


def _check_single(record, name):
    """Raise ValueError for a map of several fields."""
    if len(record) != 1:
        raise ValueError(
            f"{name} has the fields {', '.join(record.labels)}; expected one: select it, as {name}[NAME]"
        )


def _in_si(record, name):
    """Samples of a record of one field in m/s, and its unit."""
    unit = record.units[0]
    values = checks.as_float_array(record.values, f"the values of {name}")
    check_samples(values, name, record)
    if not unit:
        return values, unit
    try:
        factor = meters_per_second(unit)
    except ValueError as error:
        raise ValueError(f"{name} ({record.labels[0]}): {error}") from None
    return (values if factor == 1 else values * values.dtype.type(factor)), unit


def _check_same_samples(u, v, u_grid, v_grid):
    """Raise ValueError for components on other grids, axes or frames."""
    if u_grid != v_grid:
        raise ValueError(
            f"u is on {u_grid!r}, v on {v_grid!r}; both need the same grid: convert one with "
            "spherekit.fields.regrid"
        )
    if list(u.axes) != list(v.axes):
        raise ValueError(
            f"u has the axes ({', '.join(u.axes)}), v ({', '.join(v.axes)}); expected the same"
        )
    for name, values in u.axes.items():
        if not np.array_equal(values, v.axes[name]):
            raise ValueError(f"u and v have other coordinates on the axis {name}; select the same")
    if u.frame != v.frame:
        raise ValueError(f"u is in the frame {u.frame!r}, v in {v.frame!r}; expected the same")


def _check_positions(u, v):
    """Raise ValueError for maps of u and v at different times or levels, as their scalar coordinates tell."""
    positions = conflict(u.attributes, v.attributes)
    if positions:
        raise ValueError("u is at {}, v at {}; select the same for both".format(*positions))


def _check_names(u, v):
    """Raise ValueError for components that are exchanged, or for one that is passed twice."""
    (u_name,), (v_name,) = u.names, v.names
    is_same = np.array_equal(u.values, v.values) or is_wind_component(u_name, "m/s")
    if u_name and u_name == v_name and is_same:
        raise ValueError(f"{u_name} is passed as u and as v; expected two components")
    cf_names = [
        record.attributes.get(name, {}).get("standard_name")
        for record, name in ((v, v_name), (u, u_name))
    ]
    if winds((v_name, u_name), (*v.units, *u.units), cf_names, any_unit=True) == {0: 1}:
        raise ValueError(
            f"u is {u_name}, the northward component, and v is {v_name}, the eastward one; exchange them"
        )


def _united(*notes):
    return tuple(dict.fromkeys(sum(notes, ())))


def _form(x):
    if isinstance(x, Map):
        return "a Map"
    return f"a {type(x).__name__}" if is_xarray(x) else "an array"
