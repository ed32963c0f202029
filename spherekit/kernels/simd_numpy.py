"""The operations of the SIMD kernels in NumPy, for kernels that run as plain Python.

They are those of `simd`, `complex_simd`, `transpose`, `work_queue` and `address_calls`. A vector is an array
of ``width`` elements. ``SPHEREKIT_SIMD=numpy`` selects these operations. The results differ from the compiled
ones by rounding only (no FMA). Reads and writes beyond the end of an array, which compiled code does not
detect, raise an IndexError here.
"""

import threading

import numpy as np

__all__ = [
    "Lanes",
    "accumulate",
    "address",
    "call",
    "complex_zero",
    "exp2",
    "fma",
    "has_wide_registers",
    "highest",
    "larger",
    "largest",
    "load",
    "load_complex",
    "load_complex_rows",
    "load_pairs",
    "load_rows",
    "magnitude",
    "next_item",
    "pointer",
    "reverse",
    "reverse_pairs",
    "row_sums",
    "splat",
    "spread",
    "spread_complex",
    "spread_pair",
    "store",
    "store_complex",
    "store_complex_rows",
    "store_pairs",
    "store_rows",
    "times_i",
    "weave",
    "width",
]

_lock = threading.Lock()


def replace(namespace):
    """Replace the operations of the same names in the namespace of a module by these."""
    namespace.update({name: globals()[name] for name in __all__ if name in namespace})


class Lanes:
    """A vector type of ``width`` float64 or, with ``single``, float32 elements."""

    def __init__(self, width, single=False):
        self.width, self.bits = width, 32 if single else 64
        self.dtype = np.dtype(np.float32 if single else np.float64)

    @property
    def type(self):
        """The lanes themselves: they have a ``width``, as the Numba type of a compiled vector does."""
        return self


class Vector(np.ndarray):
    """An array whose ``+=``, ``-=`` and ``*=`` return a new array, as they do for a number."""

    def __iadd__(self, operand):
        return self + operand

    def __isub__(self, operand):
        return self - operand

    def __imul__(self, operand):
        return self * operand


def _window(array, index, count):
    """Return ``count`` elements of a contiguous array of any shape, from the flat ``index`` on."""
    if not array.flags.c_contiguous:
        raise IndexError("the array is not contiguous; vectors need contiguous arrays")
    if index < 0 or index + count > array.size:
        raise IndexError(f"elements {index} to {index + count} of an array of size {array.size}")
    return array.reshape(-1)[index : index + count]


def _vector(x, dtype):
    """Return a copy of ``x`` as a vector."""
    return np.array(x, dtype).view(Vector)


# --- simd --------------------------------------------------------------------------------------------


def has_wide_registers():
    """Return False: 32 registers of 512 bits do not matter for NumPy's loops."""
    return False


def pointer(array, index):
    """Return the elements of a contiguous array from the flat ``index`` on, as a view."""
    return _window(array, index, array.size - index)


def load(lanes, array, index):
    """Return the vector at array[index : index + width]."""
    return _vector(_window(array, index, lanes.width), lanes.dtype)


def store(array, index, v):
    """Set array[index : index + width] = v."""
    _window(array, index, len(v))[:] = v


def width(lanes):
    """Return the number of lanes."""
    return lanes.width


def splat(lanes, x):
    """Return the vector with ``x`` in every lane."""
    return np.full(lanes.width, x, lanes.dtype).view(Vector)


def spread(lanes, array, index):
    """Return the vector with array[index] in every lane."""
    return splat(lanes, _window(array, index, 1)[0])


def spread_pair(lanes, array, index):
    """Return the vector with array[index] in the even lanes and array[index + 1] in the odd ones."""
    return _vector(np.resize(_window(array, index, 2), lanes.width), lanes.dtype)


def accumulate(total, a, b):
    """Return total + a * b; wider vectors a and b are added to the lanes of ``total`` in order."""
    for product in (a * b).reshape(-1, len(total)):
        total = total + product
    return total


def magnitude(v):
    """Return the absolute values."""
    return np.abs(v)


def larger(a, b):
    """Return the maximum of two vectors, lane by lane; b where either is NaN."""
    return np.where(a > b, a, b).view(Vector)


def reverse(v):
    """Return the lanes in reverse order."""
    return _vector(v[::-1], v.dtype)


def reverse_pairs(v):
    """Return the complex numbers of a vector in reverse order."""
    return _vector(v.reshape(-1, 2)[::-1].ravel(), v.dtype)


def largest(v):
    """Return the largest absolute value of the lanes."""
    return highest(np.abs(v))


def highest(v):
    """Return the largest value of the lanes."""
    while len(v) > 1:
        v = larger(v[: len(v) // 2], v[len(v) // 2 :])
    return float(v[0])


def fma(a, b, c):
    """Return a * b + c, rounded twice."""
    return a * b + c


def exp2(v):
    """Return 2**v for v <= 1000, exactly 0 below -1000."""
    return np.where(v < -1000, 0.0, np.exp2(v)).view(Vector)


# --- complex_simd ------------------------------------------------------------------------------------


def load_complex(lanes, array, index, imag):
    """Return the vector of the complex numbers at ``index``."""
    return (load(lanes, array, index) + 1j * load(lanes, array, index + imag)).view(Vector)


def store_complex(array, index, imag, z):
    """Write a vector of complex numbers at ``index``."""
    store(array, index, z.real)
    store(array, index + imag, z.imag)


def spread_complex(lanes, array, index):
    """Return the vector with the complex number array[2 index] + i array[2 index + 1] in every lane."""
    return spread(lanes, array, 2 * index) + 1j * spread(lanes, array, 2 * index + 1)


def complex_zero(lanes):
    """Return the vector of zeros."""
    return splat(lanes, 0.0) + 0j


def times_i(z):
    """Return i z."""
    return 1j * z


# --- transpose ---------------------------------------------------------------------------------------


def _rows(lanes, source, offsets, row, column):
    """Return (width, width) elements: one row of memory for each lane."""
    starts = offsets[row : row + lanes.width] + column
    return np.stack([_window(source, start, lanes.width) for start in starts])


def load_rows(lanes, source, offsets, row, column, target, index):
    """target[index + c*width + i] = source[offsets[row+i] + column + c], i and c below the width."""
    block = _rows(lanes, source, offsets, row, column)
    _window(target, index, block.size)[:] = block.T.ravel()


def load_complex_rows(lanes, source, offsets, row, column, real, imag, index):
    """`load_rows` for interleaved complex numbers: even columns to ``real``, odd ones to ``imag``."""
    block = _rows(lanes, source, offsets, row, column)
    for target, columns in ((real, block[:, 0::2]), (imag, block[:, 1::2])):
        _window(target, index, columns.size)[:] = columns.T.ravel()


def store_rows(lanes, source, index, target, offsets, row, column, dummy):
    """The inverse of `load_rows`; rows with a negative offset are skipped."""
    block = _window(source, index, lanes.width**2).reshape(lanes.width, lanes.width)
    _store_columns(block, target, offsets, row, column)


def store_complex_rows(lanes, real, imag, index, target, offsets, row, column, dummy):
    """The inverse of `load_complex_rows`."""
    count = lanes.width**2 // 2
    planes = [_window(x, index, count).reshape(-1, lanes.width) for x in (real, imag)]
    block = np.stack(planes, axis=1).reshape(lanes.width, lanes.width)
    _store_columns(block, target, offsets, row, column)


def _store_columns(block, target, offsets, row, column):
    for i, values in enumerate(block.T):
        if offsets[row + i] >= 0:
            _window(target, offsets[row + i] + column, len(values))[:] = values


def row_sums(lanes, array, index):
    """Return the sums of ``width`` consecutive vectors, as the lanes of one vector."""
    block = _window(array, index, lanes.width**2).reshape(lanes.width, lanes.width)
    return _vector(block.sum(axis=1), lanes.dtype)


def load_pairs(lanes, array, index, stride):
    """Load pairs of neighbors: array[index + j stride] and array[index + j stride + 1]."""
    pairs = [_window(array, index + j * stride, 2) for j in range(lanes.width // 2)]
    return _vector(np.concatenate(pairs), lanes.dtype)


def store_pairs(array, index, stride, v):
    """The inverse of `load_pairs`."""
    for j, pair in enumerate(v.reshape(-1, 2)):
        _window(array, index + j * stride, 2)[:] = pair


def weave(array, index, a, b, c, d):
    """Interleave: array[index + 4 i : index + 4 i + 4] = a_i, b_i, c_i, d_i."""
    _window(array, index, 4 * len(a))[:] = np.stack([a, b, c, d], axis=1).ravel()


# --- work_queue --------------------------------------------------------------------------------------


def next_item(counter):
    """Return the number of the next work item: counter[0] before an increment."""
    with _lock:
        item = int(counter[0])
        counter[0] = item + 1
    return item


# --- address_calls -----------------------------------------------------------------------------------

_kernels = []


def address(kernel, *arguments):
    """Return the number of a function in a list of functions."""
    if kernel not in _kernels:
        _kernels.append(kernel)
    return _kernels.index(kernel)


def call(address, *arguments):
    """Call the function of a number."""
    _kernels[address](*arguments)
