"""Buffers that are reused between calls: new pages cost a transform a fifth of its time."""

import ctypes
import functools
import math
import sys
import threading

import numpy as np

from spherekit._core.jit import jit

#: Bytes of a cache line, and of the widest vector register.
LINE = 64


@jit
def aligned(count, like):
    """An array (count,) of arbitrary content, of the type of ``like``, that begins on a cache line.

    >>> aligned(3, np.ones(1)).ctypes.data % LINE
    0
    """
    size = like.itemsize
    padded = np.empty(count + LINE // size, like.dtype)
    first = -(np.int64(padded.ctypes.data) // size) % (LINE // size)
    return padded[first : first + count]


def aligned_copy(x):
    """A copy of ``x`` that begins on a cache line."""
    copy = aligned.py_func(x.size, x).reshape(x.shape)
    copy[...] = x
    return copy


#: Buffers larger than this are freed at once.
CACHED_BYTES = 2**28

_local, _DOUBLE = threading.local(), np.empty(0)


def scratch(role, shape, dtype=np.float64):
    """A float64 (or float32) array of that shape and of arbitrary content, on cache lines.

    It is the caller's until the same thread asks for the same ``role`` again.
    """
    size = math.prod(shape)
    if 8 * size > CACHED_BYTES:
        return aligned.py_func(size, np.empty(0, dtype)).reshape(shape)
    buffer = _local.__dict__.get(role)
    if buffer is None or buffer.size < size:
        buffer = _local.__dict__[role] = aligned.py_func(size, _DOUBLE)
    return buffer.view(dtype)[:size].reshape(shape)


def release():
    """Free the buffers of this thread."""
    _local.__dict__.clear()


@functools.cache
def tune_allocator():
    """Let the C library reuse the memory of freed arrays, for the rest of this process.

    A training step allocates and frees the same arrays again and again. By default glibc returns their pages
    to the operating system, and each step pays for new ones: a quarter to a third of its time (measured on
    two cores, networks of L = 10 to 16). This raises the thresholds M_MMAP_THRESHOLD and M_TRIM_THRESHOLD
    (mallopt(3)): arrays of less than 1 GiB (with older versions of glibc 32 MiB) come from the heap, of which
    up to 2 GiB stay with the process after they are freed. It concerns everything in the process, and cannot
    be undone; nothing in this package calls it by itself.

    Returns
    -------
    bool
        Whether it took effect: only with glibc, on Linux.

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
