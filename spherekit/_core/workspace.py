"""Work buffers that are reused between calls; new memory pages would cost a transform a fifth of its time."""

import ctypes
import functools
import math
import sys
import threading

import numpy as np

from spherekit._core.jit import jit

#: Size in bytes of a cache line, and of the widest vector register.
LINE = 64


@jit
def aligned(count, like):
    """Return an uninitialized array (count,) of the dtype of ``like``, aligned to a cache line.

    >>> aligned(3, np.ones(1)).ctypes.data % LINE
    0
    """
    size = like.itemsize
    padded = np.empty(count + LINE // size, like.dtype)
    first = -(np.int64(padded.ctypes.data) // size) % (LINE // size)
    return padded[first : first + count]


def aligned_copy(x):
    """Return a copy of ``x`` that is aligned to a cache line."""
    copy = aligned.py_func(x.size, x).reshape(x.shape)
    copy[...] = x
    return copy


#: Buffers larger than this number of bytes are not reused.
CACHED_BYTES = 2**28

_local = threading.local()
_DOUBLE = np.empty(0)


def scratch(name, shape, dtype=np.float64):
    """Return an uninitialized float64 (or float32) array, aligned to cache lines, in a buffer of this thread.

    The array is valid until the same thread requests a buffer of the same ``name`` again.
    """
    size = math.prod(shape)
    if 8 * size > CACHED_BYTES:
        return aligned.py_func(size, np.empty(0, dtype)).reshape(shape)
    buffer = _local.__dict__.get(name)
    if buffer is None or buffer.size < size:
        buffer = _local.__dict__[name] = aligned.py_func(size, _DOUBLE)
    return buffer.view(dtype)[:size].reshape(shape)


def release():
    """Free the buffers of this thread."""
    _local.__dict__.clear()


@functools.cache
def tune_allocator() -> bool:
    """Let the C library reuse the memory of freed arrays, for the rest of this process.

    Each training step allocates and frees arrays of the same sizes. By default glibc returns their pages to
    the operating system, and the page faults of new allocations cost a quarter to a third of the time of a
    step (measured on two cores, networks of L = 10 to 16). This function raises the thresholds
    M_MMAP_THRESHOLD and M_TRIM_THRESHOLD (mallopt(3)): arrays smaller than 1 GiB (32 MiB with older versions
    of glibc) are then allocated on the heap, of which the process retains up to 2 GiB after they are freed.
    The change affects the whole process and cannot be undone; the package never calls this function itself.

    Returns
    -------
    bool
        Whether the change took effect; True only with glibc, on Linux.

    Examples
    --------
    >>> from spherekit import train
    >>> train.tune_allocator() in (True, False)
    True
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return False
    M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
    accepted = mallopt(M_MMAP_THRESHOLD, 2**30) or mallopt(M_MMAP_THRESHOLD, 2**25)
    return bool(accepted and mallopt(M_TRIM_THRESHOLD, 2**31 - 1))
