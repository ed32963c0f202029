"""Samples and coefficients that describe themselves (DataArrays, maps, records): kinds of axes, checks."""

import re

import numpy as np

_KIND_OF_LETTER = {"Y": "latitude", "X": "longitude", "T": "time", "Z": "vertical"}
_UNITS = {
    "latitude": re.compile(r"degrees?_?(north|N)$"),
    "longitude": re.compile(r"degrees?_?(east|E)$"),
    "time": re.compile(r"\w+ since .*"),
    "vertical": re.compile(
        r"(hPa|Pa|kPa|mb|mbar|millibars?|dbar|decibars?|bar|sigma_level|level)$"
    ),
}
_NAMES = {
    "latitude": re.compile(r"lats?|latitudes?|nav_lat", re.I),
    "longitude": re.compile(r"lons?|longs?|longitudes?|nav_lon", re.I),
    "time": re.compile(r"(time|month|date|year|day|season)s?\d*|t", re.I),
    "vertical": re.compile(
        r"(p?lev(el)?s?|pressure(_level)?|pres|isobaric\w*|height|altitude|depth|plev\d*)(_?\d+)?",
        re.I,
    ),
}
_STANDARD_NAMES = {
    "latitude": re.compile(r"latitude"),
    "longitude": re.compile(r"longitude"),
    "time": re.compile(r"time|forecast_reference_time"),
    "vertical": re.compile(
        r"(air_)?pressure|altitude|height|depth|(model_)?level_number|model_level_number|\w*"
        r"(atmosphere|ocean)_\w*coordinate|height_above_\w+"
    ),
}
#: Standard names of coordinates on other spheres and planes.
_OTHER_COORDINATES = re.compile(r"grid_(latitude|longitude)|projection_[xy]_\w+")


def axis_kind(name, attributes):
    """The kind of a coordinate: "latitude", "longitude", "time", "vertical", or "" for any other.

    It is found by the attributes ``standard_name``, ``units`` and ``axis``, in this order, else by the name.

    >>> axis_kind("rlat", {"units": "degrees_north"}), axis_kind("month", {}), axis_kind("member", {})
    ('latitude', 'time', '')
    """
    standard_name = str(attributes.get("standard_name", ""))
    units = str(attributes.get("units", ""))
    if _OTHER_COORDINATES.fullmatch(standard_name):
        return ""
    for patterns, text in ((_STANDARD_NAMES, standard_name), (_UNITS, units)):
        for kind, pattern in patterns.items():
            if pattern.fullmatch(text):
                return kind
    kind = _KIND_OF_LETTER.get(str(attributes.get("axis", "")).upper(), "")
    if kind in ("time", "vertical") or (kind and is_angle(units)):
        return kind
    for kind, pattern in _NAMES.items():
        if pattern.fullmatch(name):
            return kind
    by_letter = {"x": "longitude", "y": "latitude"}
    return by_letter.get(name, "") if is_angle(units) else ""


def is_angle(units):
    """Whether a unit is one of angles."""
    return str(units).lower().startswith(("deg", "rad"))


def is_labeled(x):
    """Whether ``x`` is a DataArray, or an array like it."""
    return hasattr(x, "dims") and hasattr(x, "coords") and hasattr(x, "attrs")


def is_map(x):
    """Whether ``x`` is a `spherekit.io.Map`, or a record with the same attributes."""
    return all(hasattr(x, name) for name in ("names", "units", "axes", "grid", "values"))


def stated_sampling(x, sampling, name="f"):
    """``sampling``, or if it is None the grid of the map ``x``.

    Raises
    ------
    TypeError
        ``sampling`` is None, and ``x`` is not a map.
    """
    if sampling is not None:
        return sampling
    if is_map(x):
        return x.grid
    raise TypeError(
        f'sampling is missing: pass the grid of {name}, such as sampling="healpix:64", or a '
        f"spherekit.io.Map as {name}, which has its grid"
    )


def check_coordinates(x, grid, name="f"):
    """Refuse a map on another grid, and a DataArray whose coordinates are not those of the grid.

    Other arrays, and DataArrays without latitudes and longitudes, are accepted.

    Raises
    ------
    ValueError
        Another grid; latitudes or longitudes of another grid or in another order, or not on the last two
        dimensions.
    """
    if type(x) is np.ndarray:
        return
    if is_map(x):
        _check_grid(x, grid, name)
    elif is_labeled(x):
        _check_latitudes(x, grid, name)


def refuse_labels(x, name, function=None):
    """Refuse a map, and a DataArray with coordinates or attributes, which a function of arrays would lose.

    The message names the ``function`` of `spherekit.fields` that returns the type of its argument, or, if it
    is None, how to pass the samples in ring order. DataArrays with dimensions only are accepted, as arrays.

    Raises
    ------
    TypeError
        A map; a DataArray with coordinates or attributes; a Dataset.
    """
    if type(x) is np.ndarray:
        return
    if is_map(x):
        labels, remedy = "grid, names and units", f"pass {name}.values"
    elif is_labeled(x) and (len(x.attrs) or len(x.coords) or hasattr(x, "data_vars")):
        labels = "coordinates and attributes"
        remedy = f"pass spherekit.io.from_xarray({name}).values"
    else:
        return
    remedy += ", the samples in ring order"
    if function is not None:
        remedy = f"use spherekit.fields.{function}, which returns a {type(x).__name__}, too"
    raise TypeError(f"{name} is a {type(x).__name__}, whose {labels} would be lost; {remedy}")


def check_spins(x, spin, name="flm"):
    """Refuse a map, and a record of coefficients of another spin, where coefficients are expected.

    Raises
    ------
    ValueError
        Coefficients of another spin.
    TypeError
        A map.
    """
    if type(x) is np.ndarray:
        return
    if is_map(x):
        raise TypeError(f"{name} is a map on {x.grid!r}; expected coefficients of shape (..., L*L)")
    if hasattr(x, "flm") and hasattr(x, "spins") and set(x.spins) != {spin}:
        spins = ", ".join(map(str, x.spins))
        raise ValueError(
            f"{name} has coefficients of spin {spins}, but spin is {spin}; pass their spin, or {name}.flm "
            "for the plain numbers"
        )


def _check_grid(sky, grid, name):
    if sky.grid != grid and not _has_same_nodes(sky.grid, grid):
        raise ValueError(
            f"{name} is a map on {sky.grid!r}, but the sampling is {grid!r}; pass sampling={name}.grid"
        )


def _has_same_nodes(a, b):
    """Whether two grids have the same nodes in the same order, up to rounding."""
    if not np.array_equal(a.ring_n_phi, b.ring_n_phi):
        return False
    angles = ("ring_theta", "ring_phi0")
    return all(np.allclose(getattr(a, x), getattr(b, x), rtol=0, atol=1e-12) for x in angles)


def _check_latitudes(x, grid, name):
    kinds = [_kind(x, dim) for dim in x.dims]
    if not {"latitude", "longitude"} & set(kinds):
        return
    advice = (
        f"convert it with sky = spherekit.io.from_xarray({name}), and pass sky.values and sky.grid"
    )
    if kinds[-2:] != ["latitude", "longitude"] or not grid.rectangular:
        raise ValueError(
            f"{name} has the dimensions {tuple(map(str, x.dims))}; {grid!r} needs latitude and longitude "
            f"last, on a rectangular grid; {advice}"
        )
    nodes = 90 - np.degrees(grid.theta), np.degrees(grid.phi)
    for dim, kind, expected in zip(x.dims[-2:], kinds[-2:], nodes, strict=True):
        coordinate = np.asarray(x.coords[dim].values, float)
        if _is_radian(x.coords[dim]):
            coordinate = np.degrees(coordinate)
        if not _matches(coordinate, expected, kind == "longitude"):
            raise ValueError(
                f"{name} has {len(coordinate)} {kind}s from {coordinate[0]:.6g} to {coordinate[-1]:.6g} "
                f"degrees; {grid!r} has {len(expected)} from {expected[0]:.6g} to {expected[-1]:.6g}; "
                f"{advice}"
            )


def _kind(x, dim):
    return axis_kind(str(dim), x.coords[dim].attrs) if dim in x.coords else ""


def _is_radian(coordinate):
    return str(coordinate.attrs.get("units", "")).lower().startswith("rad")


def _matches(coordinate, expected, is_cyclic):
    """Whether coordinates differ by at most 1/1000 of the spacing."""
    if coordinate.shape != expected.shape:
        return False
    difference = coordinate - expected
    if is_cyclic:
        difference = (difference + 180) % 360 - 180
    step = (360 if is_cyclic else 180) / len(expected)
    return bool((np.abs(difference) <= 1e-3 * step).all())
