"""Validation of arguments that autograd may trace; traced arguments remain traced."""

import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval

from spherekit._core import checks
from spherekit.linear import cast, is_traced


def as_float_array(x, name):
    """Return ``x`` as a floating-point array (`checks.as_float_array`); a traced array is returned unchanged.

    >>> as_float_array([1, 2], "x")
    array([1., 2.])
    """
    return x if is_traced(x) else checks.as_float_array(x, name)


def coefficients(flm, L, name="flm"):
    """Return coefficients of band-limit L as a floating-point array."""
    flm = as_float_array(flm, name)
    checks.coefficients_shape(flm, L, name)
    return flm


def angles(**angles_by_name):
    """Return the list of the named angles, each a float64 array in radians.

    >>> angles(alpha=1, beta=[0.5, 2])
    [array(1.), array([0.5, 2. ])]
    """
    return [_angle(x, name) for name, x in angles_by_name.items()]


def colatitudes(theta, name="theta"):
    """Return angles from 0 to pi (`checks.colatitudes`); values beyond by rounding are moved to the pole."""
    checked = checks.colatitudes(getval(theta), name)
    if not is_traced(theta):
        return checked
    wide = cast(theta, np.float64)
    return wide + (checked - getval(wide))


def _angle(x, name):
    checked = checks.angles(getval(x), name)
    return cast(x, np.float64) if is_traced(x) else checked


def broadcast_flat(*arrays):
    """Broadcast arrays to a common shape and flatten them; return the flat arrays and the shape.

    Raises
    ------
    ValueError
        The shapes cannot be broadcast.

    >>> broadcast_flat(np.array(1.0), np.zeros((2, 1)))
    ([array([1., 1.]), array([0., 0.])], (2, 1))
    """
    shapes = [np.shape(x) for x in arrays]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        raise ValueError(
            f"the angles have shapes {', '.join(map(str, shapes))}; expected shapes that broadcast"
        ) from None
    return [_flat(x, shape) for x in arrays], shape


def _flat(x, shape):
    padded = anp.reshape(x, (1,) * (len(shape) - np.ndim(x)) + np.shape(x))
    return anp.reshape(anp.broadcast_to(padded, shape), (-1,))
