"""Work memory that is kept between calls: fresh pages cost a transform a fifth of its time."""

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


def on_lines(x):
    """A copy of ``x`` that begins on a cache line."""
    copy = aligned.py_func(x.size, x).reshape(x.shape)
    copy[...] = x
    return copy


#: Buffers larger than this are given back at once.
KEPT_BYTES = 2**28

_local, _DOUBLE = threading.local(), np.empty(0)


def scratch(role, shape, dtype=np.float64):
    """A float64 (or float32) array of that shape and of arbitrary content, on cache lines.

    It is the caller's until the same thread asks for the same ``role`` again.
    """
    size = math.prod(shape)
    if 8 * size > KEPT_BYTES:
        return aligned.py_func(size, np.empty(0, dtype)).reshape(shape)
    held = _local.__dict__.get(role)
    if held is None or held.size < size:
        held = _local.__dict__[role] = aligned.py_func(size, _DOUBLE)
    return held.view(dtype)[:size].reshape(shape)


def release():
    """Give this thread's buffers back."""
    _local.__dict__.clear()


@functools.cache
def keep_freed():
    """Ask the C library to keep what arrays free, for this process; whether it does (glibc on Linux).

    A training step makes and frees the same arrays over and over. By default their pages go back to the
    system, and every step pays for fresh ones: a quarter to a third of its time (measured).
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return False
    M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
    kept = mallopt(M_MMAP_THRESHOLD, 2**30) or mallopt(M_MMAP_THRESHOLD, 2**25)
    return bool(kept and mallopt(M_TRIM_THRESHOLD, 2**31 - 1))
