"""Modulus, direction and quotients whose derivatives do not overflow or underflow.

The derivative of a quotient with respect to its denominator, -a/b^2, contains a square, which in float32 is 0
below about 1e-23 and infinite above about 1e19. Here it is computed as -(a/b)/b, which is finite whenever the
quotient and the result are.
"""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import getval
from numpy.typing import ArrayLike


def modulus(x: ArrayLike) -> np.ndarray:
    """Return |x| of real or complex numbers, with gradient 0 at 0.

    Parameters
    ----------
    x : array_like
        Real or complex numbers.

    Returns
    -------
    real ndarray [shape=x.shape]
        In the precision of ``x``. Differentiable, in forward and reverse mode, to any order.

    Raises
    ------
    TypeError
        ``x`` is not numeric.

    Examples
    --------
    The gradient at 0 is finite:

    >>> from autograd import grad
    >>> modulus(np.array([3 + 4j, 0])), float(grad(modulus)(0.0))
    (array([5., 0.]), 0.0)
    """
    return _modulus(x)


@primitive
def _modulus(x):
    return np.abs(x)


@primitive
def direction(x):
    """Return x/|x|, and 0 at 0.

    >>> direction(np.array([3 + 4j, 0])).round(3).tolist()
    [(0.6+0.8j), 0j]
    """
    if not np.iscomplexobj(x):
        return np.sign(x)
    x = np.asarray(x)
    kind = np.finfo(x.dtype)
    size = np.abs(x)
    subnormal = size < 4 * kind.tiny  # whose inverse can be infinite
    if subnormal.any():
        x = x * np.where(subnormal, 2.0**kind.nmant, 1).astype(size.dtype)
        size = np.abs(x)
    return x * (1 / (size + (size == 0)))


@primitive
def divide(a, b, where):
    """Return a/b of real numbers where ``where`` is true, and 0 elsewhere.

    >>> divide(np.array([1.0, 2.0]), np.array([2.0, 0.0]), np.array([True, False])).tolist()
    [0.5, 0.0]
    """
    return np.divide(a, b, out=np.zeros(np.shape(where), np.result_type(a, b)), where=where)


def _direction_jvp(t, u, size):
    """Return the derivative of the direction u along the tangent t: i u Im(conj(u) t)/|x|."""
    if not anp.iscomplexobj(u):
        return 0 * t
    return 1j * u * divide(anp.imag(anp.conj(u) * t), size, getval(size) > 0)


defvjp(_modulus, lambda answer, x: lambda g: g * anp.conj(direction(x)))
defjvp(_modulus, lambda t, answer, x: anp.real(anp.conj(direction(x)) * t))
defvjp(direction, lambda u, x: lambda g: anp.conj(_direction_jvp(anp.conj(g), u, modulus(x))))
defjvp(direction, lambda t, u, x: _direction_jvp(t, u, modulus(x)))
defvjp(
    divide,
    lambda q, a, b, where: lambda g: divide(g, b, where),
    lambda q, a, b, where: lambda g: -divide(g * q, b, where),
    argnums=(0, 1),
)
defjvp(
    divide,
    lambda t, q, a, b, where: divide(t, b, where),
    lambda t, q, a, b, where: -divide(t * q, b, where),
    argnums=(0, 1),
)
