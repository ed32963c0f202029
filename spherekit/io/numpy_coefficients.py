"""Coefficients in .npz files: ``flm, L, spin, unit, frame, columns``, axes, attributes and history."""

import math

import numpy as np

from spherekit.io import coefficient_rows, provenance
from spherekit.io.array_values import as_native, frame, scalar
from spherekit.io.array_values import attributes as attributes_in_file
from spherekit.io.arrays import read_arrays, write_arrays
from spherekit.io.attributes import as_json
from spherekit.io.records import Coefficients


def read(path, L=None, spin=None):
    """Read the `Coefficients` of a .npz file; ``spin`` applies if the file does not define it."""
    arrays = read_arrays(path)
    flm = arrays.get("flm")
    if flm is None and np.ndim(arrays.get("values")) == 1 and "grid" not in arrays:
        flm = arrays["values"]
    axes = _axes(path, arrays)
    limit = math.isqrt(flm.shape[-1]) if flm is not None and flm.ndim else 0
    leading = 0 if flm is None else flm.ndim - 1 - len(axes)
    if limit < 1 or limit * limit != flm.shape[-1] or not flm.size or leading not in (0, 1):
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(
            f"{path} contains {shapes}; expected coefficients, an array flm of shape (L*L,)"
        )
    stated_limit = scalar(path, arrays, "L", "iu", limit)
    if stated_limit != limit:
        raise ValueError(
            f"{path} states L = {stated_limit} but contains {limit * limit} coefficients, as of L = {limit}; "
            "correct the array L"
        )
    flm = as_native(path, flm)
    flm = flm if np.iscomplexobj(flm) else flm + 0j
    count = len(flm) if leading else 1
    flm = flm[0] if leading and count == 1 else flm
    L = coefficient_rows.band_limit(path, limit - 1, L)
    try:
        return Coefficients(
            flm[..., : L * L],
            [str(name) for name in _for_each(arrays.get("columns", ""), count)],
            [str(unit) for unit in _for_each(arrays.get("unit", ""), count)],
            axes,
            spins=_spins(path, arrays, spin, count),
            frame=frame(path, arrays),
            attributes=attributes_in_file(path, arrays),
            history=tuple(str(line) for line in np.atleast_1d(arrays.get("history", ()))),
        )
    except (ValueError, TypeError) as error:  # of metadata that do not fit the arrays
        text = str(error).removeprefix(f"{path}: ").removeprefix(f"{path} ")
        raise ValueError(f"{path}: {text}") from None


def write(coefficients, path, overwrite=False):
    """Write `Coefficients` of any spin, with their axes, to a .npz file."""
    single = len(coefficients) == 1
    names, units, spins = coefficients.names, coefficients.units, coefficients.spins
    arrays = {"flm": coefficients.flm, "L": coefficients.L, "frame": coefficients.frame}
    arrays["spin"] = spins[0] if single else list(spins)
    arrays["unit"] = units[0] if len(set(units)) == 1 else list(units)
    if any(names):
        arrays["columns"] = list(names)
    if coefficients.axes:
        arrays["axes"] = list(coefficients.axes)
        arrays |= {f"axis_{name}": values for name, values in coefficients.axes.items()}
    attributes = as_json(coefficients.attributes)
    if attributes != as_json({}):
        arrays["attributes"] = attributes
    arrays["history"] = list(provenance.history(coefficients.history or None))
    write_arrays(path, overwrite=overwrite, **arrays)


def _axes(path, arrays):
    """The coordinates of the named axes."""
    names = [str(name) for name in np.atleast_1d(arrays.get("axes", ()))]
    absent = [f"axis_{name}" for name in names if f"axis_{name}" not in arrays]
    if absent or len(set(names)) < len(names):
        raise ValueError(
            f"{path} names the axes {', '.join(names)}, and has no array {', '.join(absent) or 'for each'}; "
            "expected an array axis_NAME for each name"
        )
    return {name: np.atleast_1d(arrays[f"axis_{name}"]) for name in names}


def _spins(path, arrays, spin, count):
    spins = _for_each(arrays.get("spin", spin or 0), count)
    if not all(np.asarray(value).dtype.kind in "iu" for value in spins):
        raise ValueError(f"{path}: its array spin is {arrays['spin']!r}; expected integers")
    return tuple(map(int, spins))


def _for_each(values, count):
    values = list(np.atleast_1d(values))
    return values if len(values) == count else values[:1] * count
