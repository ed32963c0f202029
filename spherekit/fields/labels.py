"""The labels of fields: samples of a map or of xarray as an array, and results with names and units.

A function of `spherekit.fields` computes with arrays. `labeled` separates its arguments into samples, grid
and labels; `Labels.wrap` returns a result in the form of the argument.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit.io import Map
from spherekit.io.units import is_masked
from spherekit.linear import is_traced
from spherekit.sampling import Grid, LatLon
from spherekit.sampling import grid as as_grid


class Labels(NamedTuple):
    """What a result inherits from its argument.

    Attributes
    ----------
    record : Map or None
        The map of the argument; None for arrays.
    kind : {"array", "map", "DataArray", "Dataset"}
        The form of the argument, and of results.
    positions : LatLon or None
        The latitudes and longitudes of an array, in whose order the samples of results are.
    """

    record: Map | None = None
    kind: str = "array"
    positions: LatLon | None = None

    def with_notes(self, notes):
        """The same with further notes, of a map; arrays have none."""
        if self.record is None:
            return self
        return self._replace(record=replace(self.record, notes=(*self.record.notes, *notes)))

    def wrap(self, values, names, units, attributes=None, notes=(), spin=None):
        """A result in the form of the argument.

        Parameters
        ----------
        values : ndarray [shape=(..., \\*grid.shape)]
            With a leading axis of fields if there are several names.
        names, units : str or tuple of str
        attributes : dict of str to dict, optional
            Attributes of the fields, by their names.
        notes : tuple of str
        spin : int, optional
            That of complex values.
        """
        if self.kind == "array":
            return self.in_its_order(values)
        result = self.to_map(values, names, units, attributes, notes=notes, spin=spin)
        if self.kind == "map":
            return result
        from spherekit.io.xarray_conversion import to_xarray

        data = to_xarray(result)
        return data.to_dataset() if self.kind == "Dataset" and len(result) == 1 else data

    def in_its_order(self, values):
        """Samples on the grid in the order of the array, if its latitudes and longitudes are known."""
        return values if self.positions is None else self.positions.from_grid(values)

    def to_map(self, values, names, units, attributes=None, grid=None, notes=(), spin=None):
        """A result as a map, also of an array, whose leading axes are named axis_0, axis_1, ...

        The parameters are those of `wrap`, and the grid, which an array needs.
        """
        names = (names,) if isinstance(names, str) else tuple(names)
        described = dict(names=names, units=units, notes=notes)
        if self.record is None:
            leading = values.shape[len(names) > 1 : values.ndim - len(grid.shape)]
            axes = {f"axis_{i}": np.arange(n) for i, n in enumerate(leading)}
            return Map(values, grid, axes=axes, attributes=attributes, **described)
        inherited = {n: x for n, x in self.record.attributes.items() if n not in self.record.names}
        attributes = {**inherited, **(attributes or {})}
        described |= dict(spin=spin, notes=(*self.record.notes, *notes))
        return replace(self.record, values=values, attributes=attributes, **described)


def labeled(f, sampling=None, L=None, name="f", argument="sampling"):
    """Samples, grid and labels of an array, a `Map`, a DataArray or a Dataset.

    Parameters
    ----------
    f : array_like, Map, DataArray or Dataset
        Arrays may be traced by autograd.
    sampling : Grid, str or LatLon, optional
        The grid of an array, or its latitudes and longitudes.
    L : int, optional
        The band-limit, for the name of a grid without one.
    name, argument : str
        The names of the arguments ``f`` and ``sampling``, for messages.

    Returns
    -------
    values : ndarray [shape=(..., \\*grid.shape)]
        In the order of the grid.
    grid : Grid
    labels : Labels

    Raises
    ------
    TypeError
        ``sampling`` missing for an array, or passed with a map or with xarray.
    ValueError
        An array whose shape is not that of the grid.
    """
    if is_xarray(f):
        from spherekit.io.xarray_conversion import all_fields

        _refuse_sampling(sampling, f"{name} is of xarray, which has latitudes and longitudes")
        record = all_fields(f)
        return record.values, record.grid, Labels(record, type(f).__name__)
    if isinstance(f, Map):
        _refuse_sampling(sampling, f"{name} is a Map, which has its grid")
        values = checks.as_float_array(f.values, f"the values of {name}")
        return values, f.grid, Labels(f, "map")
    if sampling is None:
        raise TypeError(
            f'{argument} is required for an array: the grid of {name}, such as {argument}="mwss:360", or '
            "spherekit.sampling.LatLon(lat, lon) of its latitudes and longitudes"
        )
    _refuse_masked(f, name)
    values = f if is_traced(f) else checks.as_float_array(f, name)
    if isinstance(sampling, LatLon):
        return _in_order(values, sampling, name), sampling.grid, Labels(positions=sampling)
    if not isinstance(sampling, (str, Grid)):
        raise TypeError(
            f"the grid is a {type(sampling).__name__}; expected a grid or its name: for latitudes and "
            "longitudes pass spherekit.sampling.LatLon(lat, lon)"
        )
    grid = as_grid(sampling, L)
    n = len(grid.shape)
    if values.shape[max(values.ndim - n, 0) :] != tuple(grid.shape):
        raise ValueError(
            f"{name} has shape {values.shape}; expected (..., {', '.join(map(str, grid.shape))}) on the "
            f"grid {grid!r}{_order_hint(values.shape, tuple(grid.shape))}"
        )
    return values, grid, Labels()


def _in_order(values, positions, name):
    """Samples at latitudes and longitudes in the order of the grid."""
    shape = len(positions.lat), len(positions.lon)
    if values.shape[-2:] != shape:
        raise ValueError(
            f"{name} has shape {values.shape}; expected (..., {shape[0]}, {shape[1]}), of the latitudes and "
            f"longitudes{_order_hint(values.shape, shape)}"
        )
    return positions.to_grid(values)


def _order_hint(shape, expected):
    """What to do with samples whose axes are in another order; empty if they are not."""
    n = len(expected)
    if n == 2 and shape[-2:] == expected[::-1]:
        return ": exchange longitude and latitude, by numpy.swapaxes(f, -2, -1)"
    if n == 2 and shape[:2] == expected:
        return ": move latitude and longitude to the end, by numpy.moveaxis(f, (0, 1), (-2, -1))"
    return ""


def unit_times(unit, factor):
    """The product of units; empty if that of the field is not stated.

    >>> unit_times("K", "m-1"), unit_times("1", "m-1"), unit_times("", "m-1")
    ('K m-1', 'm-1', '')
    """
    return factor if unit == "1" else f"{unit} {factor}" if unit else ""


def is_xarray(f):
    """Whether ``f`` is a DataArray or Dataset of xarray."""
    return type(f).__module__.split(".")[0] == "xarray"


def _refuse_masked(f, name):
    if is_masked(f):
        raise TypeError(
            f"{name} has masked entries, and the mask would be lost; fill them: spherekit.fields.fill of "
            f"numpy.ma.filled({name}, numpy.nan) replaces them by a fit to the others"
        )


def _refuse_sampling(sampling, reason):
    if sampling is not None:
        raise TypeError(f"a grid is passed, but {reason}; omit it")
