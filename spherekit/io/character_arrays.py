"""Strings in netCDF: arrays of characters, whose last dimension is the length of the strings."""

import numpy as np


def joined(v):
    """A variable of characters as one of strings; others are returned as they are.

    ``v`` is a `spherekit.io.variables.Variable`.
    """
    if v.dtype != np.dtype("S1") or not v.dims:
        return v
    attributes = {name: value for name, value in v.attributes.items() if name != "_Encoding"}
    return v._replace(
        dims=v.dims[:-1],
        shape=v.shape[:-1],
        dtype=np.dtype("U"),
        attributes=attributes,
        read=lambda index: strings(v.read((*index, slice(None)))),
    )


def strings(characters):
    """Strings of characters along the last axis, without the blanks and zeros that fill them.

    >>> strings(np.array([[b"a", b"b"], [b"c", b""]])).tolist()
    ['ab', 'c']
    """
    n = characters.shape[-1]
    if not n:
        return np.full(characters.shape[:-1], "")
    text = np.ascontiguousarray(characters).view(f"S{n}")[..., 0]
    return np.asarray(np.char.rstrip(np.char.decode(text, "utf-8", "replace")))


def characters(values):
    """The inverse of `strings`.

    >>> characters(np.array(["ab", "c"])).tolist()
    [[b'a', b'b'], [b'c', b'']]
    """
    text = np.asarray(np.char.encode(np.asarray(values, str), "utf-8"))
    n = max(text.dtype.itemsize, 1)
    return np.ascontiguousarray(text.astype(f"S{n}")).reshape(-1).view("S1").reshape(*text.shape, n)
