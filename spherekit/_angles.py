"""Angles as arguments: radians in float64, checked, whether autograd follows them or not."""

import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval

from spherekit import _check
from spherekit.linear import cast, is_traced


def angles(**named):
    """The angles by their names, each a float64 array in radians; what is traced stays so.

    >>> angles(alpha=1, beta=[0.5, 2])
    [array(1.), array([0.5, 2. ])]
    """
    return [_angle(x, name) for name, x in named.items()]


def _angle(x, name):
    checked = _check.angles(getval(x), name)
    if not is_traced(x):
        return checked
    return cast(x, np.float64)


def aligned(*arrays):
    """Broadcast to one shape, and in one row; also what is traced. Returns them and the shape.

    >>> aligned(np.array(1.0), np.zeros((2, 1)))
    ([array([1., 1.]), array([0., 0.])], (2, 1))
    """
    shape = np.broadcast_shapes(*(np.shape(x) for x in arrays))
    return [_row(x, shape) for x in arrays], shape


def _row(x, shape):
    padded = anp.reshape(x, (1,) * (len(shape) - np.ndim(x)) + np.shape(x))
    return anp.reshape(anp.broadcast_to(padded, shape), (-1,))
