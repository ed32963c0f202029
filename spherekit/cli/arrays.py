"""Maps in .npy and .npz files: fields, grid, names and units."""

from typing import NamedTuple

import numpy as np

from spherekit.cli import names
from spherekit.cli.analysis import grid_name
from spherekit.cli.options import Usage
from spherekit.io.frames import frame_of
from spherekit.io.stokes import column_of


class Fields(NamedTuple):
    """Fields of a file, as stored, and their metadata.

    Attributes
    ----------
    values : ndarray [shape=(n, *grid.shape)]
    columns : tuple of str
        One name for each field, or empty.
    units : tuple of str
    grid : Grid
    frame : str
        "" if the file does not state it.
    spin : int or None
        The spin that the file states.
    unread : tuple of str
        Names of the columns that were not read.
    stokes : tuple of str or None
        The Stokes parameter of each field, if not derived from the names only.
    polcconv : str
        "IAU" if a field may be U in the opposite sign convention.
    """

    values: np.ndarray
    columns: tuple
    units: tuple
    grid: object
    frame: str
    spin: int | None = None
    unread: tuple = ()
    stokes: tuple | None = None
    polcconv: str = ""


def read_fields(path, grid, field=None, L=None, all_columns=False, ordering=None):
    """Read the `Fields` of a file; ``grid`` and ``ordering`` apply where it does not state its own."""
    from spherekit import io
    from spherekit.sampling import grid as as_grid

    arrays = io.read_arrays(path)
    if field is None:
        _refuse_other_arrays(path, arrays)
    stated_grid = scalar(path, arrays, "grid", "U", "")
    if not (grid or stated_grid):
        raise Usage(f"{path} does not state its grid; pass --grid, e.g. --grid mw:64")
    sphere = as_grid(stated_grid or grid, L)
    if grid and stated_grid and as_grid(grid, L) != sphere:
        raise Usage(f"--grid is {grid}, but {path} states the grid {stated_grid}")
    n = len(sphere.shape)
    available = [str(column) for column in np.atleast_1d(arrays.get("columns", ()))]
    items = None if field is None else names.split(field)
    values, columns = _select(path, arrays, available, n, items, all_columns)
    if values.shape[1:] != tuple(sphere.shape):
        expected = ", ".join(map(str, sphere.shape))
        raise ValueError(
            f"{path} contains samples of shape {values.shape[1:]}; expected ({expected}) or (fields, "
            f"{expected}) on the grid {grid_name(sphere)}{_matching_grids(values.shape[1:])}"
        )
    values = _in_rings(path, arrays, as_native(path, values), sphere, ordering, bool(stated_grid))
    units = _units(arrays, available, columns, len(values))
    # 0 is also written for Q and U together with T
    spin = scalar(path, arrays, "spin", "iu", None) or None
    named = len(available) == len(arrays.get("values", ()))
    unread = tuple(name for name in available if name not in columns) if named else ()
    return Fields(values, columns, units, sphere, frame(path, arrays), spin, unread)


def _in_rings(path, arrays, values, grid, ordering, states_grid):
    """Samples in RING order."""
    from spherekit.sampling.healpix import reorder

    stated_ordering = scalar(path, arrays, "ordering", "U", "ring" if states_grid else "").lower()
    if ordering is not None and grid.name != "healpix":
        raise Usage(
            f"--ordering applies to HEALPix maps only; {path} is sampled on {grid_name(grid)}"
        )
    if stated_ordering not in ("", "ring", "nested"):
        raise ValueError(
            f"{path}: its array ordering is {stated_ordering!r}; expected ring or nested"
        )
    if ordering and stated_ordering and ordering != stated_ordering:
        raise Usage(f"--ordering is {ordering}, but {path} is in {stated_ordering} ordering")
    return reorder(values, "nested") if (ordering or stated_ordering) == "nested" else values


def _refuse_other_arrays(path, arrays):
    """Raise ValueError for a file that is not a map, and name the command for its contents."""
    if "flm" in arrays:
        raise ValueError(
            f"{path} contains harmonic coefficients (flm), not samples; convert them with spherekit "
            f"transform {path} --inverse --grid GRID -o map.npz (rotate and spectrum accept coefficients)"
        )
    if "scaling" in arrays and "values" not in arrays:
        raise ValueError(
            f"{path} contains wavelet maps, not a map; convert them with spherekit wavelets {path} --inverse "
            "--grid GRID -o map.npz"
        )
    if "values" not in arrays:
        raise ValueError(f"{_no_array(path, arrays, 'values')}; select one with --field")


def as_native(path, values):
    """Samples or coefficients in a dtype that the transforms accept; float16 becomes float32, exactly."""
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind not in "fciub" or (kind == "f" and size > 8) or (kind == "c" and size > 16):
        raise ValueError(
            f"{path} contains values of dtype {values.dtype}; expected integers, float16 to float64, "
            "complex64 or complex128"
        )
    if not values.size:
        raise ValueError(
            f"{path} contains an empty array, of shape {values.shape}; expected samples"
        )
    if values.dtype == np.float16:
        return values.astype(np.float32)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def scalar(path, arrays, name, kinds, default):
    """The value of a scalar array of these dtype kinds, or the default if it is absent."""
    value = arrays.get(name)
    if value is None:
        return default
    if value.ndim or value.dtype.kind not in kinds:
        raise ValueError(
            f"{path}: its array {name} has shape {value.shape} and dtype {value.dtype}; expected a single "
            f"{'string' if kinds == 'U' else 'number'}"
        )
    return value.item()


def _select(path, arrays, available, n, items, all_columns):
    """(selected fields, their names): entries of the first axis of ``values``, or arrays by name."""
    values = arrays.get("values")
    if items is None:
        complex_pair = np.iscomplexobj(values) and len(available) == 2
        fields = values[None] if values.ndim <= n else values
        if len(available) == len(fields) > 1 and not all_columns:
            return fields[:1], tuple(available[:1])
        return fields, tuple(available) if len(available) == len(fields) or complex_pair else ()
    selected = [_select_one(path, arrays, available, n, item) for item in items]
    if len({array.shape for array, _ in selected}) > 1:
        shapes = ", ".join(str(array.shape) for array, _ in selected)
        raise ValueError(f"{path}: the fields selected have shapes {shapes}; expected equal shapes")
    labels = tuple(name for _, name in selected)
    return np.stack([array for array, _ in selected]), labels if all(labels) else ()


def _select_one(path, arrays, available, n, item):
    values = arrays.get("values", np.zeros(0))
    if isinstance(item, str):
        name = item if item in available else column_of(item, available)
        if name is None:
            if item in arrays:
                return arrays[item], item
            raise _no_array(path, arrays, item)
        item = available.index(name)
    if values.ndim <= n or item >= len(values):
        raise ValueError(f"{path} has no field {item}: its samples have shape {values.shape}")
    return values[item], available[item] if len(available) == len(values) else f"FIELD{item}"


def _no_array(path, arrays, name):
    return ValueError(f"{path} has no array {name!r}; it contains {', '.join(arrays)}")


def _units(arrays, available, columns, count):
    """The unit of each selected field."""
    units = [str(unit) for unit in np.atleast_1d(arrays.get("unit", ""))]
    if len(units) == len(available) and set(columns) <= set(available):
        units = [units[available.index(name)] for name in columns]
    return tuple(units) if len(units) == count else tuple(units[:1] * count)


def frame(path, arrays):
    """The coordinate frame that the file states, or ""."""
    try:
        return frame_of(scalar(path, arrays, "frame", "U", ""))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _matching_grids(shape):
    """A hint with the grids of this sample shape."""
    from spherekit.sampling import grids_of_shape

    matches = [f"{text} ({description})" for text, description in grids_of_shape(shape)]
    return f"; these would match: --grid {'; '.join(matches)}" if matches else ""
