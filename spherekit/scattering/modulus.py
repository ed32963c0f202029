"""The modulus, with gradient 0 where it is 0, in the precision of its argument."""

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive


@primitive
def modulus(x):
    """|x| of real or complex numbers.

    >>> from autograd import grad
    >>> grad(lambda x: modulus(x))(0.0)
    0.0
    """
    return np.abs(x)


def _direction(x):
    """conj(x)/|x|, and 0 at 0."""
    if not anp.iscomplexobj(x):
        return anp.sign(x)
    size = modulus(x)
    at_zero = (size == 0).astype(size.dtype) if hasattr(size, "dtype") else float(size == 0)
    return anp.conj(x) / (size + at_zero)


defvjp(modulus, lambda answer, x: lambda g: g * _direction(x))
defjvp(modulus, lambda tangent, answer, x: anp.real(_direction(x) * tangent))
