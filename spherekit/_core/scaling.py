"""Sizes of data in any unit: norms and ratios whose squares neither overflow nor vanish.

A power of two takes numbers of any size to order one, exactly; what is computed there does not depend on
the unit, bit for bit where units differ by a power of two.
"""

import math

import numpy as np


def exponent(x):
    """The least e with |Re x|, |Im x| < 2^e; 0 where all of ``x`` is zero.

    >>> exponent(np.array([0.75, -5.0])), exponent(np.array([1e-300j])), exponent(np.zeros(3))
    (3, -996, 0)
    """
    x = np.asarray(x)
    parts = (x.real, x.imag) if np.iscomplexobj(x) else (x,)
    largest = max(float(np.abs(part).max(initial=0)) for part in parts)
    if not math.isfinite(largest):
        raise ValueError("the numbers hold NaN or infinity: they have no size")
    return math.frexp(largest)[1]


def exponents(x):
    """`exponent` along the last axis, which stays with length 1; 0 where numbers are not finite.

    >>> exponents(np.array([[0.75, -5.0], [0.0, 0.0]])).tolist()
    [[3], [0]]
    """
    x = np.asarray(x)
    parts = (x.real, x.imag) if np.iscomplexobj(x) else (x,)
    sizes = [np.abs(part).max(axis=-1, initial=0, keepdims=True) for part in parts]
    largest = np.maximum.reduce(sizes)
    return np.frexp(np.where(np.isfinite(largest), largest, 0))[1]


def ldexp(x, e):
    """2^e x, exact within the range of numbers; beyond it infinite, without a warning.

    >>> ldexp(np.array([3.0, 4.0j]), -1)
    array([1.5+0.j, 0. +2.j])
    """
    with np.errstate(over="ignore", under="ignore"):
        if not np.iscomplexobj(x):
            return np.ldexp(x, e)
        x = np.asarray(x)
        result = np.empty_like(x)
        np.ldexp(x.real, e, out=result.real)
        np.ldexp(x.imag, e, out=result.imag)
        return result


def norm(x):
    """The root of the sum of squared moduli, as a float64.

    >>> x = np.array([3.0, 4.0j])
    >>> norm(x * 2.0**-1000) / 2.0**-1000, norm(x * 2.0**1000) / 2.0**1000
    (5.0, 5.0)
    """
    e = exponent(x)
    return float(ldexp(_size(x, e), e))


def ratio(x, y):
    """norm(x) / norm(y) for any sizes; 0.0 where both are zero.

    >>> ratio(np.array([3e-200]), np.array([6e-200])), ratio(np.zeros(2), np.zeros(2))
    (0.5, 0.0)
    """
    e_x, e_y = exponent(x), exponent(y)
    size_x, size_y = _size(x, e_x), _size(y, e_y)
    if size_y == 0:
        return math.inf if size_x else 0.0
    return float(ldexp(size_x / size_y, e_x - e_y))


def _size(x, e):
    """The norm of 2^-e x, computed in double precision."""
    x = np.asarray(x)
    wide = x.astype(np.complex128 if np.iscomplexobj(x) else np.float64, copy=False)
    return float(np.linalg.norm(ldexp(wide, -e)))
