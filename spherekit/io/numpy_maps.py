"""Maps in .npy and .npz files: fields, grid, axes, names and units.

The arrays of a .npz file are ``values``, ``grid``, ``spin``, ``unit``, ``frame``, ``columns`` (the names of
the fields, or of the two parts of a complex field), ``polcconv`` (IAU, or absent), ``axes`` (names) with an
array ``axis_NAME`` for each, ``attributes`` (JSON) and ``history``. Files with only ``values``, or with
arrays of other names, are read with the argument ``grid``.
"""

import numpy as np

from spherekit.io.arguments import ArgumentError
from spherekit.io.array_values import as_native, scalar
from spherekit.io.array_values import attributes as attributes_in_file
from spherekit.io.array_values import frame as frame_in_file
from spherekit.io.arrays import read_arrays, write_arrays
from spherekit.io.attributes import as_json
from spherekit.io.frames import frame_of
from spherekit.io.latlon_text import on_axes
from spherekit.io.polarization import to_cosmo
from spherekit.io.records import Map
from spherekit.io.stokes import column_of
from spherekit.sampling import grid as as_grid
from spherekit.sampling import grids_of_shape
from spherekit.sampling.healpix import reorder
from spherekit.sampling.text import label
from spherekit.sampling.theorem_grids import advice_on_shape


class OtherContents(ValueError):
    """The file does not contain a map; ``contents`` names what it contains."""

    def __init__(self, message, contents):
        super().__init__(message)
        self.contents = contents


def read_numpy(path, field=None, grid=None, ordering=None, frame=None, lat=None, lon=None):
    """The `Map` of a file; the grid, the order or the axes apply where it does not state its own."""
    arrays = read_arrays(path)
    if lat is not None or lon is not None:
        return _on_axes(path, arrays, field, lat, lon, grid)
    if field is None:
        _refuse_other_contents(path, arrays)
    sphere, states_grid = _grid(path, arrays, grid, ordering, field)
    axes = _axes(path, arrays)
    names = tuple(str(column) for column in np.atleast_1d(arrays.get("columns", ())))
    n = len(sphere.shape) + len(axes)
    values, columns = _select(path, arrays, names, n, field)
    shape = (*map(len, axes.values()), *sphere.shape)
    notes = ()
    if (
        values.shape[1:] != shape
        and values.shape[-n:] == shape
        and values[0].size == np.prod(shape)
    ):
        values = values.reshape(len(values), *shape)
        notes = ("leading axes of length 1 were removed",)
    if values.shape[1:] != shape:
        expected = ", ".join(map(str, shape))
        raise ValueError(
            f"{path} contains samples of shape {values.shape[1:]}; expected ({expected}) or (fields, "
            f"{expected}) on the grid {label(sphere)}{matching_grids(_sample_shape(values, arrays, field))}"
        )
    values = _in_rings(path, arrays, as_native(path, values), sphere, ordering, states_grid)
    units = _units(arrays, names, columns, len(values))
    # 0 is also written where the spin is not stated, as for Q and U beside a scalar
    spin = scalar(path, arrays, "spin", "iu", None) or None
    is_pair = np.iscomplexobj(values) and len(values) == 1 and len(columns) == 2
    labels = (",".join(columns),) if is_pair else columns or ("",) * len(values)
    attributes = attributes_in_file(path, arrays)
    if is_pair:
        attributes[labels[0]] = {**attributes.get(labels[0], {}), "parts": columns}
    try:
        sky = Map(
            values if len(values) > 1 else values[0],
            sphere,
            labels,
            units,
            axes,
            frame=frame_in_file(path, arrays) if frame is None else frame_of(frame),
            spin=spin,
            polcconv=scalar(path, arrays, "polcconv", "U", "COSMO"),
            attributes=attributes,
            history=tuple(str(line) for line in np.atleast_1d(arrays.get("history", ()))),
            notes=notes,
        )
        return to_cosmo(sky)
    except (ValueError, TypeError) as error:  # of metadata that do not fit the arrays
        text = str(error).removeprefix(f"{path}: ").removeprefix(f"{path} ")
        raise ValueError(f"{path}: {text}") from None


def _on_axes(path, arrays, field, lat, lon, grid):
    """The `Map` of one array on latitudes and longitudes."""
    name = "values" if field is None else field
    if name not in arrays:
        raise ArgumentError(f"{_no_array(path, arrays, name)}; select one with field=NAME")
    if "grid" in arrays:
        raise ArgumentError(f"{path} states the grid {arrays['grid']}; omit lat= and lon=")
    return on_axes(path, as_native(path, arrays[name]), lat, lon, grid)


def _grid(path, arrays, grid, ordering, field):
    """(the grid, whether the file states it)."""
    stated_grid = scalar(path, arrays, "grid", "U", "")
    if stated_grid:
        try:
            sphere = as_grid(stated_grid)
        except ValueError as error:
            raise ValueError(f"{path}: its array grid: {error}") from None
        if grid is not None and as_grid(grid) != sphere:
            raise ArgumentError(f"grid={grid}, but {path} states the grid {stated_grid}")
        return sphere, True
    if grid is not None:
        return as_grid(grid), False
    name = "values" if field is None else field
    shape = arrays[name].shape if isinstance(name, str) and name in arrays else ()
    nside = int(round((shape[-1] / 12) ** 0.5)) if shape else 0
    if ordering is not None and nside and shape[-1] == 12 * nside**2:
        return as_grid(f"healpix:{nside}"), False
    raise ArgumentError(
        f"{path} does not state its grid; pass grid=NAME, e.g. grid=mw:64{matching_grids(shape)}"
    )


def _axes(path, arrays):
    """The coordinates of the named leading axes."""
    names = [str(name) for name in np.atleast_1d(arrays.get("axes", ()))]
    absent = [name for name in names if f"axis_{name}" not in arrays]
    if absent:
        raise ValueError(
            f"{path} lists the axes {', '.join(names)}, but has no array axis_{absent[0]}"
        )
    axes = {name: arrays[f"axis_{name}"] for name in names}
    for name, coordinates in axes.items():
        if coordinates.ndim != 1:
            raise ValueError(
                f"{path}: its array axis_{name} has shape {coordinates.shape}; expected one dimension"
            )
    return axes


def _in_rings(path, arrays, values, grid, ordering, states_grid):
    """Samples in RING order."""
    stated_ordering = scalar(path, arrays, "ordering", "U", "ring" if states_grid else "").lower()
    if ordering is not None and grid.name != "healpix":
        raise ArgumentError(
            f"ordering={ordering} applies to HEALPix maps only; {path} is sampled on {label(grid)}"
        )
    if stated_ordering not in ("", "ring", "nested"):
        raise ValueError(
            f"{path}: its array ordering is {stated_ordering!r}; expected ring or nested"
        )
    if ordering and stated_ordering and ordering != stated_ordering:
        raise ArgumentError(f"ordering={ordering}, but {path} is in {stated_ordering} ordering")
    return reorder(values, "nested") if (ordering or stated_ordering) == "nested" else values


def _refuse_other_contents(path, arrays):
    """Raise OtherContents for a file that is not a map."""
    if "flm" in arrays:
        raise OtherContents(
            f"{path} contains harmonic coefficients (flm), not samples; read them with "
            "spherekit.io.read_coefficients",
            "coefficients",
        )
    if "scaling" in arrays and "values" not in arrays:
        raise OtherContents(
            f"{path} contains wavelet maps, not a map; read them with spherekit.io.read_arrays",
            "wavelet maps",
        )
    if {"cl", "dl"} & set(arrays) and "values" not in arrays:
        raise OtherContents(
            f"{path} contains power spectra, not a map; read them with spherekit.io.read_spectra",
            "spectra",
        )
    if "values" not in arrays:
        raise ValueError(f"{_no_array(path, arrays, 'values')}; select one with field=NAME")


def _select(path, arrays, names, n, field):
    """(selected fields, their names): entries of the first axis of ``values``, or arrays by name."""
    values = arrays.get("values")
    if field is None:
        complex_pair = np.iscomplexobj(values) and len(names) == 2
        fields = values[None] if values.ndim <= n else values
        return fields, names if len(names) == len(fields) or complex_pair else ()
    items = [field] if isinstance(field, str) or not np.iterable(field) else list(field)
    selected = [_select_one(path, arrays, names, n, item) for item in items]
    if len({array.shape for array, _ in selected}) > 1:
        shapes = ", ".join(str(array.shape) for array, _ in selected)
        raise ValueError(f"{path}: the fields selected have shapes {shapes}; expected equal shapes")
    labels = tuple(name for _, name in selected)
    return np.stack([array for array, _ in selected]), labels if all(labels) else ()


def _select_one(path, arrays, names, n, item):
    values = arrays.get("values", np.zeros(0))
    if isinstance(item, str):
        name = item if item in names else column_of(item, names)
        if name is None:
            if item in arrays:
                return arrays[item], item
            raise _no_array(path, arrays, item)
        item = names.index(name)
    if values.ndim <= n or not 0 <= item < len(values):
        raise ValueError(f"{path} has no field {item}: its samples have shape {values.shape}")
    return values[item], names[item] if len(names) == len(values) else f"FIELD{item}"


def _no_array(path, arrays, name):
    return ValueError(f"{path} has no array {name!r}; it contains {', '.join(arrays)}")


def _units(arrays, names, columns, count):
    """The unit of each selected field."""
    units = [str(unit) for unit in np.atleast_1d(arrays.get("unit", ""))]
    if columns and len(units) == len(names) and set(columns) <= set(names):
        units = [units[names.index(name)] for name in columns]
    return tuple(units) if len(units) == count else tuple(units[:1] * count)


def _sample_shape(values, arrays, field):
    """The shape of one field for advice; with the first axis if that may be one of pixels."""
    name = "values" if field is None else field
    in_file = arrays[name].shape if isinstance(name, str) and name in arrays else values.shape
    return in_file if advice_on_shape(in_file) else values.shape[1:]


def matching_grids(shape):
    """A hint with the grids of this sample shape, or with what else it seems to be."""
    advice = advice_on_shape(shape)
    advice = f"; {advice}" if advice else ""
    matches = [f"{text} ({description})" for text, description in grids_of_shape(shape)]
    return advice + (f"; these would match: grid={'; '.join(matches)}" if matches else "")


# --- writing ---------------------------------------------------------------------------------------


def write_numpy(sky, path, overwrite=False):
    """Write a map to .npz, or its samples to .npy."""
    if str(path).lower().endswith(".npy"):
        write_arrays(path, values=sky.values, overwrite=overwrite)
        return
    units = sky.units[0] if len(set(sky.units)) == 1 else list(sky.units)
    metadata = dict(grid=str(sky.grid), spin=sky.spin or 0, unit=units, frame=sky.frame)
    columns = sky.names
    if len(columns) == 1:
        columns = sky.attributes.get(columns[0], {}).get("parts", columns)
    metadata |= dict(columns=list(columns)) if any(columns) else {}
    metadata |= dict(polcconv=sky.polcconv) if sky.polcconv != "COSMO" else {}
    metadata |= dict(axes=list(sky.axes)) if sky.axes else {}
    metadata |= {f"axis_{n}": _plain(path, n, values) for n, values in sky.axes.items()}
    attributes = as_json(sky.attributes)
    metadata |= dict(attributes=attributes) if attributes != as_json({}) else {}
    metadata |= dict(history=list(sky.history)) if sky.history else {}
    write_arrays(path, values=sky.values, **metadata, overwrite=overwrite)


def _plain(path, name, coordinates):
    """Coordinates in a type of .npy files."""
    if coordinates.dtype.kind != "O":
        return coordinates
    if all(isinstance(item, str) for item in coordinates.tolist()):
        return coordinates.astype(str)
    raise ValueError(
        f"{path}: {name} has dtype object; expected numbers, dates (datetime64), durations or text"
    )
