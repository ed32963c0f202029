"""The records of files: a map with its grid, and harmonic coefficients, both with names, units and axes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.labeled import axis_kind
from spherekit.io import cf
from spherekit.io.arguments import select_numbers
from spherekit.io.frames import frame_of
from spherekit.io.layouts import SourceLayout
from spherekit.io.stokes import valid_convention
from spherekit.sampling import Grid, LatLon
from spherekit.sampling import grid as as_grid

__all__ = ["Coefficients", "Map"]


@dataclass(frozen=True, eq=False, repr=False)
class _Record:
    """Fields with names, units, named leading axes and provenance."""

    names: tuple[str, ...] = ("",)
    units: tuple[str, ...] = ("",)
    axes: Mapping[str, np.ndarray] = field(default_factory=dict)
    frame: str = ""
    attributes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    history: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self):
        return len(self.names)

    @property
    def labels(self) -> tuple[str, ...]:
        """The name of each field, for messages: its number, or "unnamed", where there is none."""
        if len(self) == 1:
            return (self.names[0] or "unnamed",)
        return tuple(name or f"field {number}" for number, name in enumerate(self.names))

    def __array__(self, dtype=None, copy=None):
        return np.array(self._data, dtype=dtype, copy=copy)

    def __repr__(self):
        units = [f"{name or 'unnamed'} [{unit or 'no unit'}]" for name, unit in self._named_units]
        sizes = [f"{name} {len(values)}" for name, values in self.axes.items()]
        texts = [", ".join(units), *sizes, self._domain, str(self._data.dtype)]
        return f"{type(self).__name__}({'; '.join(texts)})"

    @property
    def _named_units(self):
        return list(zip(self.names, self.units, strict=True))

    def __getitem__(self, field):
        return self.select(field)

    def __iter__(self):
        return (self.select(number) for number in range(len(self)))

    def __contains__(self, name):
        try:
            return bool(select_numbers("", name, self.names))
        except ValueError:
            return False

    def select(self, field=None, **coordinates):
        """Select fields by name or number, and positions on named axes by their coordinates.

        Parameters
        ----------
        field : str, int or sequence of them, optional
            The fields, in this order. I, T, Q and U select the only field that is this Stokes parameter by
            its name, such as Q_STOKES. By default all fields.
        **coordinates : number or str
            A coordinate for each axis that is to be dropped, by its name or, as in `Map.axis_named`, by time
            or level. A date is written as in ISO 8601, such as "2018-07" or "2018-07-01 12:00", and selects
            the only time of that period, in the calendar of the axis. The coordinate of all of the map, such
            as of a map that is selected already, is accepted.

        Returns
        -------
        Map or Coefficients
            The selected part, of the same type.

        Raises
        ------
        ValueError
            No such field, axis or coordinate, or several matching coordinates.

        Examples
        --------
        >>> import numpy as np
        >>> from spherekit.io import Map
        >>> levels = Map(np.zeros((2, 4, 7)), "mw:4", axes={"level": [500, 850]})
        >>> levels.select(level=850)
        Map(unnamed [no unit]; MW(L=4, n_phi=7); float64)
        """
        result = self if field is None else self._fields_named(f"the {type(self).__name__}", field)
        for name, coordinate in coordinates.items():
            result = result._on_axis(name, coordinate)
        return result

    def _fields_named(self, source, field):
        """The selected fields; errors name the source."""
        labels = [f"{i} {name or '(unnamed)'}" for i, name in enumerate(self.names)]
        indices = select_numbers(source, field, self.names, labels)
        described = {name: _entries(values, indices) for name, values in self._of_fields.items()}
        data = self._data if len(self) > 1 else self._data[None]
        return self._with_data(
            data[indices[0]] if len(indices) == 1 else data[indices], **described
        )

    @property
    def _of_fields(self):
        """The values of which there is one for each field."""
        return {"names": self.names, "units": self.units}

    def _on_axis(self, name, coordinate):
        if scalar_at(name, coordinate, self.axes, self.attributes):
            return self
        name = axis_named(name, self.axes, self.attributes)
        index = position(name, self.axes[name], coordinate, self.attributes.get(name))
        axis = list(self.axes).index(name) + (len(self) > 1)
        axes = {key: values for key, values in self.axes.items() if key != name}
        scalar = {**self.attributes.get(name, {}), "value": self.axes[name][index]}
        attributes = {**self.attributes, name: scalar}
        return self._with_data(np.take(self._data, index, axis), axes=axes, attributes=attributes)

    def axis_named(self, name):
        """The axis of a name, or the time axis for "time" and the vertical axis for "level".

        Parameters
        ----------
        name : str
            The name of an axis; or "time" or "level", for the only axis of that kind, whatever its name. The
            kind is found by the CF attributes of the axis, else by its name, such as month or pressure.

        Returns
        -------
        str
            The name of the axis.

        Raises
        ------
        ValueError
            No such axis, or several.

        Examples
        --------
        >>> import numpy as np
        >>> from spherekit.io import Map
        >>> Map(np.zeros((2, 4, 7)), "mw:4", axes={"month": [1, 7]}).axis_named("time")
        'month'
        """
        return axis_named(name, self.axes, self.attributes)

    def _check(self, data, n, noun):
        """Check ``data`` of leading axes (fields, *axes) and ``n`` further axes."""
        names = (self.names,) if isinstance(self.names, str) else tuple(self.names)
        units = (self.units,) if isinstance(self.units, str) else tuple(self.units)
        units = units * len(names) if len(units) == 1 else units
        _check_data(data, noun)
        repeated = sorted({name for name in names if name and names.count(name) > 1})
        if repeated:
            raise ValueError(
                f"names has {', '.join(repeated)} more than once, in ({', '.join(names)}); expected a "
                "different name for each"
            )
        axes = {name: np.asarray(values) for name, values in self.axes.items()}
        leading = (len(names),) * (len(names) > 1) + tuple(len(x) for x in axes.values())
        if not names or len(units) != len(names) or data.shape[: data.ndim - n] != leading:
            raise ValueError(
                f"{noun} has shape {data.shape}, with {len(names)} name(s), {len(units)} unit(s), the axes "
                f"{', '.join(f'{name} {len(x)}' for name, x in axes.items()) or '(none)'}; expected leading "
                f"axes of sizes {leading}: a field axis if there are several names, then the named axes"
            )
        for name, value in (
            ("names", names),
            ("units", units),
            ("axes", axes),
            ("frame", frame_of(self.frame)),
            ("polcconv", valid_convention(self.polcconv)),
            ("history", tuple(self.history)),
            ("notes", tuple(self.notes)),
        ):
            object.__setattr__(self, name, value)


@dataclass(frozen=True, eq=False, repr=False)
class Map(_Record):
    """Samples on a grid of the sphere, with names, units, axes and provenance.

    Parameters
    ----------
    values : array_like [shape=(..., *grid.shape)]
        Real or complex samples. The leading axes are the fields, if there are several names, then ``axes`` in
        their order. Missing samples are NaN or UNSEEN.
    grid : Grid or str
        The sampling grid, or its name.
    names : str or tuple of str
        The name of each field.
    units : str or tuple of str
        The unit of each field, or one for all; "" if there is none.
    axes : dict of str to array_like
        Coordinates of the named leading axes, such as times and levels.
    frame : str
        "galactic", "ecliptic", "equatorial", "geographic" (latitudes and longitudes of a planet),
        "horizontal" (altitudes and azimuths of a panorama), or "" where none is defined; in any spelling that
        `spherekit.io.frame_of` accepts.
    spin : int, optional
        The spin of a complex field, or of the pair of real fields that are its real and imaginary part. None:
        not stated.
    polcconv : {"COSMO", "IAU"}
        The polarization convention of the values.
    attributes : dict of str to dict
        Attributes of fields and axes by their names, such as ``standard_name`` and ``long_name`` of the CF
        conventions.
    history : tuple of str
        How the map was made, oldest entry first.
    notes : tuple of str
        What a reader changed or decided, such as a repeated column that it removed.
    layout : LatLon, optional
        The latitudes and longitudes of the source in its order, and of netCDF and xarray its dimensions,
        which `io.to_xarray` and netCDF files restore. Not used with another grid.

    Raises
    ------
    ValueError
        Values whose shape does not match the grid, names and axes; a name of two fields; an unknown frame or
        polarization convention.
    TypeError
        Values that are neither numbers nor booleans.

    See Also
    --------
    spherekit.io.read : read a map from a file.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.io import Map
    >>> winds = Map(np.zeros((2, 3, 4, 7)), "mw:4", ("u", "v"), "m/s", {"level": [200, 500, 850]})
    >>> winds
    Map(u [m/s], v [m/s]; level 3; MW(L=4, n_phi=7); float64)
    >>> winds["u"].select(level=500).values.shape
    (4, 7)
    """

    values: ArrayLike = None
    grid: Grid | str = None
    spin: int | None = None
    polcconv: str = "COSMO"
    layout: LatLon | SourceLayout | None = None

    def __init__(
        self,
        values: ArrayLike,
        grid: Grid | str,
        names: str | tuple[str, ...] = ("",),
        units: str | tuple[str, ...] = ("",),
        axes: Mapping[str, ArrayLike] | None = None,
        *,
        frame: str = "",
        spin: int | None = None,
        polcconv: str = "COSMO",
        attributes: Mapping[str, Mapping[str, object]] | None = None,
        history: tuple[str, ...] = (),
        notes: tuple[str, ...] = (),
        layout: LatLon | SourceLayout | None = None,
    ):
        values = checks.as_array(values, "values")
        _set(self, grid=as_grid(grid), values=values, names=names, units=units, axes=axes or {})
        _set(self, frame=frame, spin=spin, polcconv=polcconv, attributes=attributes or {})
        if layout is not None and not _have_same_samples(layout.grid, self.grid):
            layout = None
        _set(self, history=history, notes=notes, layout=layout)
        n = len(self.grid.shape)
        if values.shape[values.ndim - n :] != tuple(self.grid.shape):
            raise ValueError(
                f"values has shape {values.shape}; expected (..., {', '.join(map(str, self.grid.shape))}) on "
                f"the grid {self.grid!r}"
            )
        self._check(values, n, "values")

    @property
    def _data(self):
        return self.values

    @property
    def _domain(self):
        return repr(self.grid)

    def _with_data(self, values, **changes):
        return replace(self, values=values, **changes)


@dataclass(frozen=True, eq=False, repr=False)
class Coefficients(_Record):
    """Harmonic coefficients of one or several signals, with names, units, axes and provenance.

    Parameters
    ----------
    flm : complex array_like [shape=(..., L*L)]
        Coefficients in the flat layout, ``flm[..., l*l+l+m]``. The leading axes are the signals, if there are
        several names, then ``axes`` in their order.
    names : str or tuple of str
        The name of each signal.
    units : str or tuple of str
        The unit of each signal, or one for all; "" if there is none.
    axes : dict of str to array_like
        Coordinates of the named leading axes, such as times.
    spins : int or tuple of int
        The spin of each signal, or one for all.
    frame : str
        "galactic", "ecliptic", "equatorial", "geographic" (latitudes and longitudes of a planet),
        "horizontal" (altitudes and azimuths of a panorama), or "" where none is defined; in any spelling that
        `spherekit.io.frame_of` accepts.
    polcconv : {"COSMO", "IAU"}
        The polarization convention of the coefficients.
    attributes : dict of str to dict
        Attributes by the names of signals and axes; those of the file, such as ``radius`` in meters of a
        potential, under the key "".
    history : tuple of str
        How the coefficients were made, oldest entry first.
    notes : tuple of str
        What a reader changed or decided.

    Raises
    ------
    ValueError
        Coefficients whose number is not a square L*L, or whose shape does not match the names and axes; a
        name of two signals; an unknown frame or polarization convention.
    TypeError
        Coefficients that are not numbers.

    See Also
    --------
    spherekit.io.read_coefficients : read coefficients from a file.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.io import Coefficients
    >>> Coefficients(np.zeros((2, 9), complex), names="g", units="nT", axes={"time": [1900, 1905]})
    Coefficients(g [nT]; time 2; L=3; complex128)
    """

    flm: ArrayLike = None
    spins: int | tuple[int, ...] = (0,)
    polcconv: str = "COSMO"

    def __init__(
        self,
        flm: ArrayLike,
        names: str | tuple[str, ...] = ("",),
        units: str | tuple[str, ...] = ("",),
        axes: Mapping[str, ArrayLike] | None = None,
        *,
        spins: int | tuple[int, ...] = (0,),
        frame: str = "",
        polcconv: str = "COSMO",
        attributes: Mapping[str, Mapping[str, object]] | None = None,
        history: tuple[str, ...] = (),
        notes: tuple[str, ...] = (),
    ):
        from spherekit.conventions import band_limit_of

        flm = checks.as_array(flm, "flm")
        band_limit_of(flm)
        _set(self, flm=flm, names=names, units=units, axes=axes or {}, frame=frame)
        _set(self, polcconv=polcconv, attributes=attributes or {}, history=history, notes=notes)
        self._check(flm, 1, "flm")
        spins = tuple(int(spin) for spin in np.atleast_1d(spins))
        _set(self, spins=spins * len(self) if len(spins) == 1 else spins)
        if len(self.spins) != len(self):
            raise ValueError(
                f"spins is {spins}; expected one, or one for each of {len(self)} names"
            )

    @property
    def L(self) -> int:
        """Band-limit: the degrees are 0..L-1."""
        from spherekit.conventions import band_limit_of

        return band_limit_of(self.flm)

    @property
    def _data(self):
        return self.flm

    @property
    def _domain(self):
        return f"L={self.L}"

    @property
    def _of_fields(self):
        return {**super()._of_fields, "spins": self.spins}

    def _with_data(self, flm, **changes):
        changes.setdefault("spins", self.spins[: len(changes.get("names", self.names))])
        return replace(self, flm=flm, **changes)


def _have_same_samples(a, b):
    """Whether two grids have the same nodes in the same order, up to the rounding of coordinates in files."""
    if a == b:
        return True
    if not np.array_equal(a.ring_n_phi, b.ring_n_phi):
        return False
    angles = ("ring_theta", "ring_phi0")
    return all(np.allclose(getattr(a, x), getattr(b, x), rtol=0, atol=1e-5) for x in angles)


def _check_data(data, noun):
    if data.dtype.kind not in "biufc":
        raise TypeError(f"{noun} has dtype {data.dtype}; expected numbers or booleans")


def _entries(values, indices):
    return tuple(values[i] for i in indices)


def _set(record, **values):
    for name, value in values.items():
        object.__setattr__(record, name, value)


def position(name, coordinates, item, attributes=None):
    """The index of a coordinate of an axis.

    >>> position("level", np.array([200, 500]), 500)
    1
    >>> position("time", np.array(["2018-06", "2018-07"], "M8[M]"), "2018-07")
    1
    >>> attributes = {"units": "days since 2001-01-01", "calendar": "noleap"}
    >>> position("time", np.array([0, 31]), "2001-02", attributes)
    1
    """
    texts = cf.coordinate_texts(coordinates, attributes or {})
    matches = np.zeros(0, int)
    if texts is not None:
        matches = _dates_that_match(coordinates, texts, item)
    elif coordinates.dtype.kind in "US":
        matches = np.flatnonzero(coordinates.astype(str) == str(item))
    if coordinates.dtype.kind in "iufcb" and not len(matches):
        matches = _numbers_that_match(coordinates, item)
    if len(matches) != 1:
        labels = coordinates if texts is None else texts
        indices = matches if len(matches) else range(len(labels))[:12]
        listed = [str(labels[i]).removesuffix("T00:00:00") for i in indices]
        ellipsis = ", ..." if not len(matches) and len(coordinates) > 12 else ""
        count = f"{len(matches)} coordinates" if len(matches) else "no coordinate"
        raise ValueError(
            f"the axis {name} has {count} {item}; expected one of {', '.join(listed)}{ellipsis}"
        )
    return int(matches[0])


def _dates_that_match(coordinates, texts, item):
    """Indices of the dates in the period ``item``, such as "2018-07" or "2018-07-01 12:00"."""
    if isinstance(item, np.datetime64 | np.timedelta64):
        is_same_kind = coordinates.dtype.kind == item.dtype.kind
        return np.flatnonzero(coordinates == item) if is_same_kind else np.zeros(0, int)
    text = str(item).strip()
    if coordinates.dtype.kind == "m":
        return np.flatnonzero(np.array(texts) == text)
    return np.flatnonzero(np.char.startswith(texts, re.sub(r"(?<=\d)\s+(?=\d)", "T", text)))


def _numbers_that_match(coordinates, item):
    try:
        is_float = coordinates.dtype.kind == "f"
        number = np.asarray(float(item), coordinates.dtype if is_float else None)
    except (TypeError, ValueError):
        return np.zeros(0, int)
    return np.flatnonzero(coordinates == number)


def with_frame(sky, frame):
    """A map with another coordinate frame, in any spelling; None: its own."""
    return sky if frame is None else replace(sky, frame=frame_of(frame))


def with_fields(sky, source, field):
    """A map with the fields of these names or numbers only, in their order; None: all fields."""
    return sky if field is None else sky._fields_named(source, field)


#: Kinds of axes by the words that select them whatever their names.
AXIS_WORDS = {"time": "time", "level": "vertical"}


def axis_named(name, axes, attributes):
    """The name of the axis with a name, or of the only axis of the kind of "time" or "level".

    >>> axis_named("level", ["month", "plev"], {})
    'plev'
    """
    if name in axes:
        return name
    kinds = {axis: axis_kind(axis, attributes.get(axis, {})) for axis in axes}
    matching = [axis for axis, kind in kinds.items() if kind == AXIS_WORDS.get(name, None)]
    if len(matching) == 1:
        return matching[0]
    raise ValueError(f"there is no axis {name!r}; the axes are {', '.join(axes) or '(none)'}")


def scalar_at(name, coordinate, axes, attributes):
    """Whether a name is that of no axis, but of a coordinate of all samples, and that is ``coordinate``.

    Names are as of `axis_named`. Raises ValueError for another coordinate.

    >>> scalar_at("level", 500, ["month"], {"plev": {"value": 500.0, "axis": "Z"}})
    True
    """
    scalars = [axis for axis, x in attributes.items() if axis and "value" in x and axis not in axes]
    scalar = _axis_or_none(name, scalars, attributes)
    if scalar is None or _axis_or_none(name, axes, attributes) is not None:
        return False
    of_scalar = attributes[scalar]
    values = np.atleast_1d(of_scalar["value"])
    try:
        position(scalar, values, coordinate, of_scalar)
    except ValueError:
        dates = cf.coordinate_texts(values, of_scalar)
        unit = str(of_scalar.get("units", "")) if dates is None else ""
        unit = "" if unit == "1" else unit
        text = f"{(values if dates is None else dates)[0]} {unit}".strip().removesuffix("T00:00:00")
        raise ValueError(f"{scalar} is {text} for all samples, not {coordinate}") from None
    return True


def _axis_or_none(name, axes, attributes):
    try:
        return axis_named(name, axes, attributes)
    except ValueError:
        return None
