"""Latitudes and longitudes of files: their rounding, and the meridians of equidistant longitudes."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from spherekit._core import checks

__all__ = ["Columns", "Tolerance", "columns", "degrees", "last_digit", "tolerance"]

#: Coordinates match nodes up to this fraction of the spacing at least, and at most.
_FINEST, _COARSEST = 1 / 1000, 1 / 16
#: Decimals of first longitudes in degrees, about the precision of float64.
_DECIMALS = 12


def __dir__():
    return sorted(__all__)


class Columns(NamedTuple):
    """Equidistant longitudes: their number and first longitude, and their order.

    ``order``: for each column of the grid, from phi0 to the east, its index among the given longitudes.
    ``repeated``: whether the last of the given longitudes repeats the first. ``deviation``: the largest
    difference from equidistant longitudes, in degrees.
    """

    n_phi: int
    phi0: float
    order: np.ndarray
    repeated: bool
    deviation: float


class Tolerance(NamedTuple):
    """Of coordinates in degrees: their rounding, and the differences that equidistant ones may have.

    ``rounding``: half a unit of their last digit, or that of their dtype, at least 1/1000 of the spacing.
    ``accumulated``: one unit of each step, added up along the axis, at most 1/16 of the spacing.
    """

    rounding: float
    accumulated: float


def degrees(x, name):
    """Return coordinates in degrees as float64, and the precision of their dtype.

    Quantities are converted by their unit, and xarray's arrays whose attribute ``units`` starts with "rad".

    Raises
    ------
    ValueError
        NaN or infinite coordinates, no coordinates, or a unit that is not an angle.
    TypeError
        Coordinates that are not real numbers, or masked.
    """
    label = str(getattr(x, "attrs", {}).get("units", "")) if hasattr(x, "__array__") else ""
    array = checks.as_array(x, name) if checks.unit_of(x) is None else _in_degrees(x, name)
    array = np.degrees(array) if label.startswith("rad") else array
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} has dtype {array.dtype}; expected real numbers, in degrees")
    if not array.size:
        raise ValueError(f"{name} has shape {array.shape}; expected coordinates in degrees")
    values = array.astype(float)
    if not np.isfinite(values).all():
        count = np.count_nonzero(~np.isfinite(values))
        raise ValueError(
            f"{name} contains NaN or infinity {count} times in {values.size}; expected degrees"
        )
    return values, _precision(array)


def _in_degrees(x, name):
    """The values of a quantity, in degrees; those of degrees as they are."""
    if str(checks.unit_of(x)) in ("deg", "degree", "degrees"):
        return np.asarray(x.value if hasattr(x, "value") else x.magnitude)
    return np.degrees(checks.angles(x, name))


def _precision(array):
    """Relative precision of the coordinates, that of float32 also after a conversion to float64."""
    if array.dtype.kind != "f":
        return np.finfo(float).eps
    with np.errstate(over="ignore"):
        single = array.astype(np.float32)
    if array.dtype.itemsize > 4 and np.array_equal(single, array):
        return np.finfo(np.float32).eps
    return max(float(np.finfo(array.dtype).eps), np.finfo(float).eps)


def tolerance(values, precision, spacing):
    """Return the `Tolerance` of coordinates, from the digits with which they are written.

    >>> import numpy as np
    >>> tolerance(np.array([20.16667, 20.5, 20.83333]), 2e-16, 1 / 3).rounding < 4e-4
    True
    """
    unit = last_digit(values, precision)
    finest, coarsest = _FINEST * spacing, _COARSEST * spacing
    rounding, accumulated = (
        np.clip(x, finest, coarsest) for x in (0.51 * unit, len(values) * unit)
    )
    return Tolerance(float(rounding), float(accumulated))


def last_digit(values, precision):
    """One unit of the last digit of the values, or of the rounding of their dtype if that is larger."""
    size = np.abs(values).max()
    rounding = 4 * precision * size
    exponent = math.floor(math.log10(size)) + 1 if size else 0
    for digits in range(1, 17):
        if np.abs(values - np.round(values, digits - exponent)).max() <= rounding:
            return max(rounding, 10.0 ** (exponent - digits))
    return rounding


def columns(lon, precision):
    """Return the `Columns` of longitudes in degrees.

    Raises
    ------
    ValueError
        Longitudes that are not equidistant around the circle, with the gap; fewer than two; one that occurs
        twice, except the first and the last.
    """
    repeated = _is_repeated(lon)
    distinct = lon[:-1] if repeated else lon
    n_phi = len(distinct)
    if n_phi < 2:
        raise ValueError(f"lon has {n_phi} longitude; expected at least 2, around the circle")
    spacing = 360 / n_phi
    limits = tolerance(lon, precision, spacing)
    position = np.mod(distinct, 360)
    phase = np.angle(np.exp(2j * np.pi * position / spacing).mean()) * spacing / (2 * np.pi)
    index = np.round((position - phase) / spacing)
    residual = position - phase - index * spacing
    phase += (residual.max() + residual.min()) / 2
    deviation = (residual.max() - residual.min()) / 2
    is_complete = np.bincount(index.astype(np.int64) % n_phi, minlength=n_phi).all()
    if deviation > limits.accumulated or not is_complete:
        raise ValueError(_uneven(distinct, spacing))
    first = _first_longitude(position, phase, spacing, limits)
    order = np.argsort(np.round((position - first) / spacing) % n_phi)
    return Columns(n_phi, _radians(first, n_phi), order, repeated, deviation)


def _is_repeated(lon):
    """Whether the last longitude repeats the first, up to the rounding of an axis of equidistant ones."""
    if len(lon) < 2:
        return False
    turns = (lon[-1] - lon[0]) / 360
    return abs(turns - round(turns)) < _COARSEST / len(lon)


def _first_longitude(position, phase, spacing, limits):
    """The longitude of the first column in degrees: 0 or half a step if that is within the rounding."""
    for candidate in (0.0, spacing / 2):
        difference = np.abs(_centered(position - candidate, spacing))
        if difference.min() <= limits.rounding and difference.max() <= 2 * limits.accumulated:
            return candidate
    first = phase % spacing
    nearest = position[np.argmin(np.abs(position - first))]
    first = nearest if abs(nearest - first) <= limits.rounding and nearest < spacing else first
    return round(float(first), _DECIMALS)


def _centered(x, period):
    return x - period * np.round(x / period)


def _radians(first, n_phi):
    step = 360 / n_phi
    return math.pi / n_phi if first == step / 2 else math.radians(first)


def _uneven(lon, spacing):
    """The message for longitudes that are not equidistant."""
    ordered = np.sort(np.mod(lon, 360))
    gaps = np.diff(ordered, append=ordered[0] + 360)
    if gaps.min() < _COARSEST * spacing:
        twice = ordered[np.argmin(gaps)]
        return f"lon contains {twice:.7g} degrees twice; expected distinct longitudes"
    widest = int(np.argmax(gaps))
    following = ordered[(widest + 1) % len(ordered)]
    return (
        f"lon has a gap of {gaps[widest]:.7g} degrees, from {ordered[widest]:.7g} to {following:.7g}; "
        f"expected {len(lon)} equidistant longitudes around the circle, {spacing:.7g} degrees apart. "
        "Extend a region to the whole circle by missing samples (NaN), such as with reindex of xarray, and "
        "fit the others with --mask missing, or mask= of spherekit.analyse"
    )
