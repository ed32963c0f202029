"""Arrays that begin on a cache line: a vector that lies across two lines costs two loads."""

import numpy as np

from spherekit._jit import jit

#: Bytes of a cache line, and of the widest vector register.
LINE = 64


@jit
def aligned(count, like):
    """An array (count,) of arbitrary content, of the type of ``like``, that begins on a cache line.

    >>> aligned(3, np.ones(1)).ctypes.data % LINE
    0
    """
    size = like.itemsize
    whole = np.empty(count + LINE // size, like.dtype)
    first = -(np.int64(whole.ctypes.data) // size) % (LINE // size)
    return whole[first : first + count]


def on_lines(x):
    """A copy of ``x`` that begins on a cache line."""
    copy = aligned.py_func(x.size, x).reshape(x.shape)
    copy[...] = x
    return copy
