"""Values of arrays of .npz files: types, single numbers and strings, the frame, attributes."""

import numpy as np

from spherekit.io.attributes import attributes_of
from spherekit.io.frames import frame_of


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


def frame(path, arrays):
    """The coordinate frame that the file states, or ""."""
    try:
        return frame_of(scalar(path, arrays, "frame", "U", ""))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def attributes(path, arrays):
    """The attributes that the file states, or {}."""
    try:
        return attributes_of(scalar(path, arrays, "attributes", "U", "{}"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
