"""Arrays of .npy and .npz files as maps: fields, grid, names, units."""

from typing import NamedTuple

import numpy as np

from spherekit.cli import names
from spherekit.cli.analysis import grid_name
from spherekit.cli.options import Usage
from spherekit.io.frames import frame_of
from spherekit.io.stokes import column_of


class Fields(NamedTuple):
    """Fields (n, *grid.shape) as a file holds them, and what is known of them.

    ``columns`` has a name for each or is empty; ``spin`` is what the file says of its complex fields, or
    None; ``unread`` names the other columns of the file; ``stokes`` has the Stokes parameter of each
    field, where more than its name tells it; ``polcconv`` is "IAU" of a field that may be U with the
    other sign.
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


def read_fields(path, grid, field=None, L=None, every=False, ordering=None):
    """The `Fields` of a file whose grid is ``grid`` and whose HEALPix ``ordering``, where it does not say."""
    from spherekit import io
    from spherekit.sampling import grid as as_grid

    arrays = io.read_arrays(path)
    if field is None:
        _refuse_other_arrays(path, arrays)
    stated = scalar(path, arrays, "grid", "U", "")
    if not (grid or stated):
        raise Usage(f"{path} does not say its grid; pass --grid, as --grid mw:64")
    where = as_grid(stated or grid, L)
    if grid and stated and as_grid(grid, L) != where:
        raise Usage(f"--grid is {grid}; {path} says that its grid is {stated}")
    n = len(where.shape)
    stored = [str(column) for column in np.atleast_1d(arrays.get("columns", ()))]
    words = None if field is None else names.split(field)
    picked, columns = _pick(path, arrays, stored, n, words, every)
    if picked.shape[1:] != tuple(where.shape):
        expected = ", ".join(map(str, where.shape))
        raise ValueError(
            f"{path} holds samples of shape {picked.shape[1:]}; the grid {grid_name(where)} has "
            f"({expected}), or (fields, {expected}){_that_fit(picked.shape[1:])}"
        )
    picked = _in_rings(path, arrays, as_native(path, picked), where, ordering, bool(stated))
    units = _units(arrays, stored, columns, len(picked))
    spin = (
        scalar(path, arrays, "spin", "iu", None) or None
    )  # 0 is written for Q and U beside T, too
    named = len(stored) == len(arrays.get("values", ()))
    unread = tuple(name for name in stored if name not in columns) if named else ()
    return Fields(picked, columns, units, where, frame(path, arrays), spin, unread)


def _in_rings(path, arrays, values, grid, ordering, states_grid):
    """The samples in the order of the grid's rings."""
    from spherekit.sampling.healpix import reorder

    stated = scalar(path, arrays, "ordering", "U", "ring" if states_grid else "").lower()
    if ordering is not None and grid.name != "healpix":
        raise Usage(f"--ordering is of HEALPix maps; {path} is sampled on {grid_name(grid)}")
    if stated not in ("", "ring", "nested"):
        raise ValueError(f"{path}: its array ordering says {stated!r}; expected ring or nested")
    if ordering and stated and ordering != stated:
        raise Usage(f"{path} holds its pixels in {stated} order, and --ordering is {ordering}")
    return reorder(values, "nested") if (ordering or stated) == "nested" else values


def _refuse_other_arrays(path, arrays):
    """Refuse what is no map, with what it is and the verb that takes it."""
    if "flm" in arrays:
        raise ValueError(
            f"{path} holds harmonic coefficients (flm), no samples: spherekit transform {path} --inverse "
            "--grid GRID -o map.npz makes a map of them; rotate and spectrum take them as they are"
        )
    if "scaling" in arrays and "values" not in arrays:
        raise ValueError(
            f"{path} holds wavelet maps, no map: spherekit wavelets {path} --inverse --grid GRID -o map.npz "
            "makes a map of them"
        )
    if "values" not in arrays:
        raise ValueError(f"{_no_array(path, arrays, 'values')}; choose one by --field")


def as_native(path, values):
    """Samples or coefficients in a type of the transforms; float16 becomes float32, exactly."""
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind not in "fciub" or (kind == "f" and size > 8) or (kind == "c" and size > 16):
        raise ValueError(
            f"{path} holds values of type {values.dtype}; expected integers, float16 to float64, complex64 "
            "or complex128"
        )
    if not values.size:
        raise ValueError(f"{path} holds no number: its array has shape {values.shape}")
    if values.dtype == np.float16:
        return values.astype(np.float32)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def scalar(path, arrays, name, kinds, default):
    """The one value of an array of a file, whose type is of these kinds, or the default."""
    value = arrays.get(name)
    if value is None:
        return default
    if value.ndim or value.dtype.kind not in kinds:
        raise ValueError(
            f"{path}: its array {name} has shape {value.shape} and type {value.dtype}; expected one "
            f"{'text' if kinds == 'U' else 'number'}"
        )
    return value.item()


def _pick(path, arrays, stored, n, field, every):
    """(arrays by name, or entries of the first axis of ``values``; their names)."""
    values = arrays.get("values")
    if field is None:
        complex_pair = np.iscomplexobj(values) and len(stored) == 2
        fields = values[None] if values.ndim <= n else values
        if len(stored) == len(fields) > 1 and not every:
            return fields[:1], tuple(stored[:1])
        return fields, tuple(stored) if len(stored) == len(fields) or complex_pair else ()
    picked = [_pick_one(path, arrays, stored, n, word) for word in field]
    if len({array.shape for array, _ in picked}) > 1:
        raise ValueError(f"{path}: the arrays picked differ in shape")
    labels = tuple(name for _, name in picked)
    return np.stack([array for array, _ in picked]), labels if all(labels) else ()


def _pick_one(path, arrays, stored, n, word):
    values = arrays.get("values", np.zeros(0))
    if isinstance(word, str):
        name = word if word in stored else column_of(word, stored)
        if name is None:
            if word in arrays:
                return arrays[word], word
            raise _no_array(path, arrays, word)
        word = stored.index(name)
    if values.ndim <= n or word >= len(values):
        raise ValueError(f"{path} has no field {word}: its samples have shape {values.shape}")
    return values[word], stored[word] if len(stored) == len(values) else f"FIELD{word}"


def _no_array(path, arrays, name):
    return ValueError(f"{path} has no array {name!r}; it holds {', '.join(arrays)}")


def _units(arrays, stored, columns, count):
    """The unit of each field that was picked."""
    units = [str(unit) for unit in np.atleast_1d(arrays.get("unit", ""))]
    if len(units) == len(stored) and set(columns) <= set(stored):
        units = [units[stored.index(name)] for name in columns]
    return tuple(units) if len(units) == count else tuple(units[:1] * count)


def frame(path, arrays):
    """The frame of the sky that the arrays state, or ""."""
    try:
        return frame_of(scalar(path, arrays, "frame", "U", ""))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _that_fit(shape):
    """A hint with the named grids whose samples have this shape."""
    from spherekit.sampling import grid as as_grid

    n = shape[-2] if len(shape) > 1 else 0
    tries = [f"{name}:{n}" for name in ("mw", "gl")] + [f"mwss:{n - 1}", f"cc:{(n + 1) // 2}"]
    tries += [f"{name}:{n // 2}" for name in ("dh", "dhpole")]
    tries += [f"healpix:{int(round((shape[-1] / 12) ** 0.5))}"] if shape else []
    fitting = []
    for name in tries:
        try:
            here = tuple(as_grid(name).shape)
        except (ValueError, TypeError):
            continue
        if shape[-len(here) :] == here:
            fitting.append(name)
    return f"; --grid {' or '.join(fitting)} would fit" if fitting else ""
