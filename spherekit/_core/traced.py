"""Arguments of public functions that autograd may follow: checked, and what is traced stays traced."""

import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval

from spherekit._core import checks
from spherekit.linear import cast, is_traced


def as_float_array(x, name):
    """``x`` as an array of numbers (`checks.as_float_array`); a traced array is one already.

    >>> as_float_array([1, 2], "x")
    array([1., 2.])
    """
    return x if is_traced(x) else checks.as_float_array(x, name)


def coefficients(flm, L, name="flm"):
    """Coefficients of that band-limit, as an array of numbers."""
    flm = as_float_array(flm, name)
    checks.coefficients_shape(flm, L, name)
    return flm


def angles(**named):
    """The angles by their names, each a float64 array in radians.

    >>> angles(alpha=1, beta=[0.5, 2])
    [array(1.), array([0.5, 2. ])]
    """
    return [_angle(x, name) for name, x in named.items()]


def colatitudes(theta, name="theta"):
    """Angles from 0 to pi (`checks.colatitudes`); what rounding put beyond is moved onto the pole."""
    checked = checks.colatitudes(getval(theta), name)
    if not is_traced(theta):
        return checked
    wide = cast(theta, np.float64)
    return wide + (checked - getval(wide))


def _angle(x, name):
    checked = checks.angles(getval(x), name)
    return cast(x, np.float64) if is_traced(x) else checked


def broadcast_flat(*arrays):
    """Broadcast to one shape and put in a row; returns the rows and the shape.

    >>> broadcast_flat(np.array(1.0), np.zeros((2, 1)))
    ([array([1., 1.]), array([0., 0.])], (2, 1))
    """
    shapes = [np.shape(x) for x in arrays]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        raise ValueError(
            f"the angles have shapes {', '.join(map(str, shapes))}; they need to broadcast"
        ) from None
    return [_row(x, shape) for x in arrays], shape


def _row(x, shape):
    padded = anp.reshape(x, (1,) * (len(shape) - np.ndim(x)) + np.shape(x))
    return anp.reshape(anp.broadcast_to(padded, shape), (-1,))
