"""Arrays of numbers and texts of MATLAB files, versions 5 to 7 (Level 5 MAT-files of its documentation).

Every size in a file is compared with the bytes that it has before it is used. Structures, cells, objects and
functions are listed, and never constructed.
"""

import math
import os
import struct
import zlib
from typing import NamedTuple

import numpy as np

from spherekit._core import checks

_CLASSES = {1: "cell", 2: "struct", 3: "object", 4: "char", 5: "sparse", 16: "function"}
_CLASSES |= {17: "object"}
_NUMERIC = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4"}
_NUMERIC |= {14: "i8", 15: "u8"}
#: NumPy's types of the types of data elements.
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"}
_TYPES |= {12: "i8", 13: "u8"}
_ENCODINGS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_MATRIX, _COMPRESSED = 14, 15
_HEADER = 128
#: Bytes within which the flags, dimensions and name of an array are.
_START = 4096
_COMPLEX = 0x08


class DamagedError(ValueError):
    """The bytes of a file contradict the format."""


class Variable(NamedTuple):
    """An array of a file.

    Attributes
    ----------
    shape : tuple of int
    kind : str
        Name of the NumPy type of arrays of numbers, else "char", "cell", "struct", "sparse", ...
    read : callable
        Returns the array of numbers, or the string.
    """

    shape: tuple
    kind: str
    read: object

    @property
    def is_numeric(self):
        """Whether the variable is an array of numbers."""
        return self.kind not in (*_CLASSES.values(), "unknown")

    @property
    def is_scalar(self):
        """Whether the variable is a single number."""
        return self.is_numeric and math.prod(self.shape) == 1


def variables(path):
    """The `Variable` of each name in a file.

    Raises ValueError for a damaged file and for version 7.3, which is HDF5.
    """
    size = os.path.getsize(path)
    checks.fits_memory(size, f"the MATLAB file {path}", "save the coefficients only")
    with open(path, "rb") as file:
        content = file.read()
    if content[124:_HEADER] in (b"\x00\x02IM", b"\x02\x00MI"):
        raise ValueError(
            f"{path} is a MATLAB file of version 7.3, which is HDF5; save it with version 7: "
            "save('file.mat', 'flm', '-v7')"
        )
    try:
        return _variables(content)
    except (DamagedError, zlib.error) as error:
        raise ValueError(f"{path} is a damaged or truncated MATLAB file: {error}") from None


def _variables(content):
    order = {b"IM": "<", b"MI": ">"}.get(content[126:_HEADER])
    if order is None:
        raise DamagedError(f"bytes 126 and 127 are {content[126:128]!r}; expected IM or MI")
    (version,) = struct.unpack(f"{order}H", content[124:126])
    if version != 0x0100:
        raise DamagedError(f"its version is {version:#x}; expected 0x100 (5 to 7)")
    result = {}
    position = _HEADER
    while position < len(content):
        kind, start, end, _ = _element(content, position, order)
        position = end
        if kind not in (_MATRIX, _COMPRESSED):
            raise DamagedError(f"an element has the type {kind}; expected an array")
        name, variable = _variable(content[start:end], kind == _COMPRESSED, order)
        if name in result:
            raise DamagedError(f"the variable {name} occurs twice")
        result[name] = variable
    return result


def _element(data, position, order, size=None):
    """(type, start and end of the data, start of the next element) of the element at a position.

    ``size`` is the number of bytes that exist if ``data`` contains only the first of them.
    """
    if position + 8 > len(data):
        raise DamagedError(f"it ends in the tag of an element at byte {position}")
    first, count = struct.unpack_from(f"{order}II", data, position)
    if first >> 16:  # up to four bytes of data in the tag
        kind, count, start = first & 0xFFFF, first >> 16, position + 4
        following = position + 8
    else:
        kind, start = first, position + 8
        following = start + count + -count % 8
    limit = len(data) if size is None else size
    if start + count > limit or (first >> 16 and count > 4):
        raise DamagedError(
            f"an element at byte {position} has {count} bytes, and {limit - start} remain"
        )
    return kind, start, start + count, following


def _variable(block, compressed, order):
    """(name, `Variable`) of the content of an element."""
    data, size = block, len(block)
    if compressed:
        data = zlib.decompressobj().decompress(block, _START)
        kind, start, end, _ = _element(data, 0, order, 2**62)
        if kind != _MATRIX:
            raise DamagedError(f"a compressed element has the type {kind}; expected an array")
        data, size = data[start:], end - start
    _, start, end, following = _element(data, 0, order)
    if end - start != 8:
        raise DamagedError(f"the flags of an array have {end - start} bytes; expected 8")
    (flags,) = struct.unpack_from(f"{order}I", data, start)
    number = flags & 0xFF
    if number == 17:  # an opaque object, which has no dimensions
        return f"(object at byte {following})", Variable((), "object", None)
    kind, start, end, following = _element(data, following, order)
    if kind != 5 or (end - start) % 4 or end > len(data):
        raise DamagedError("an array has no dimensions")
    shape = tuple(np.frombuffer(data[start:end], f"{order}i4").tolist())
    _, start, end, following = _element(data, following, order)
    name = data[start:end].decode("latin-1").rstrip("\0")
    if min(shape, default=0) < 0:
        raise DamagedError(f"the array {name} has the dimensions {shape}")
    content = (block, compressed, size, following, order)
    if number in _NUMERIC:
        dtype = np.dtype(_NUMERIC[number])
        is_complex = bool(flags >> 8 & _COMPLEX)
        return name, Variable(
            shape, dtype.name, lambda: _array(name, shape, dtype, is_complex, content)
        )
    if number == 4:
        return name, Variable(shape, "char", lambda: _text(content))
    return name, Variable(shape, _CLASSES.get(number, "unknown"), None)


def _unpacked(block, compressed, size):
    """The bytes of an array, without its tag."""
    if not compressed:
        return block
    checks.fits_memory(3 * size, "an array of a MATLAB file", "save the coefficients only")
    stream = zlib.decompressobj()
    data = stream.decompress(block, size + 16)[8:]
    if len(data) < size or not stream.eof:
        raise DamagedError(f"compressed data end after {len(data)} bytes; expected {size}")
    return data


def _array(name, shape, dtype, is_complex, content):
    """The array of a variable, in the order of MATLAB."""
    *packed, position, order = content
    try:
        data = _unpacked(*packed)
        values, position = _part(name, data, position, shape, order)
        if is_complex:
            imaginary, _ = _part(name, data, position, shape, order)
            values = values.astype(dtype) + 1j * imaginary.astype(dtype)
    except zlib.error as error:
        raise DamagedError(f"the array {name} cannot be decompressed: {error}") from None
    values = values if is_complex else values.astype(dtype)
    return values.reshape(shape, order="F")


def _part(name, data, position, shape, order):
    """(values, position after them) of the real or the imaginary part."""
    kind, start, end, following = _element(data, position, order)
    if kind not in _TYPES:
        raise DamagedError(f"the array {name} has elements of type {kind}")
    dtype = np.dtype(order + _TYPES[kind])
    if end - start != math.prod(shape) * dtype.itemsize:
        raise DamagedError(
            f"the array {name} of shape {shape} has {end - start} bytes of {dtype.name}"
        )
    return np.frombuffer(data[start:end], dtype), following


def _text(content):
    *packed, position, order = content
    try:
        data = _unpacked(*packed)
        kind, start, end, _ = _element(data, position, order)
        encoding = _ENCODINGS.get(kind, "latin-1")
        suffix = {"<": "-le", ">": "-be"}[order] if encoding in ("utf-16", "utf-32") else ""
        return data[start:end].decode(encoding + suffix)
    except (zlib.error, UnicodeDecodeError) as error:
        raise DamagedError(f"a text cannot be read: {error}") from None
