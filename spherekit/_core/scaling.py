"""Scaling by powers of two: norms and ratios of data in any unit, without overflow or underflow of squares.

Multiplication by a power of two is exact. Results computed from data that were scaled to order one do not
depend on the unit; they are bit-identical if units differ by a power of two.
"""

import math

import numpy as np


def exponent(x):
    """Return the smallest e with |Re x|, |Im x| < 2^e; 0 if all entries are zero.

    Raises
    ------
    ValueError
        An entry is NaN or infinite.

    >>> exponent(np.array([0.75, -5.0])), exponent(np.array([1e-300j])), exponent(np.zeros(3))
    (3, -996, 0)
    """
    x = np.asarray(x)
    components = (x.real, x.imag) if np.iscomplexobj(x) else (x,)
    largest = max(float(np.abs(component).max(initial=0)) for component in components)
    if not math.isfinite(largest):
        raise ValueError("the array contains NaN or infinity; expected finite numbers")
    return math.frexp(largest)[1]


def exponents(x):
    """Return `exponent` along the last axis, which is kept with length 1; 0 where an entry is not finite.

    >>> exponents(np.array([[0.75, -5.0], [0.0, 0.0]])).tolist()
    [[3], [0]]
    """
    x = np.asarray(x)
    components = (x.real, x.imag) if np.iscomplexobj(x) else (x,)
    sizes = [np.abs(component).max(axis=-1, initial=0, keepdims=True) for component in components]
    largest = np.maximum.reduce(sizes)
    return np.frexp(np.where(np.isfinite(largest), largest, 0))[1]


def ldexp(x, e):
    """Return 2^e x for real or complex x: exact within the range of the type, infinite beyond, no warning.

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
    """Return the square root of the sum of squared moduli, as a float.

    >>> x = np.array([3.0, 4.0j])
    >>> norm(x * 2.0**-1000) / 2.0**-1000, norm(x * 2.0**1000) / 2.0**1000
    (5.0, 5.0)
    """
    e = exponent(x)
    return float(ldexp(_scaled_norm(x, e), e))


def ratio(x, y):
    """Return norm(x) / norm(y), also if a norm overflows; 0.0 if both are zero.

    >>> ratio(np.array([3e-200]), np.array([6e-200])), ratio(np.zeros(2), np.zeros(2))
    (0.5, 0.0)
    """
    e_x, e_y = exponent(x), exponent(y)
    norm_x, norm_y = _scaled_norm(x, e_x), _scaled_norm(y, e_y)
    if norm_y == 0:
        return math.inf if norm_x else 0.0
    return float(ldexp(norm_x / norm_y, e_x - e_y))


def _scaled_norm(x, e):
    """Return the norm of 2^-e x, computed in double precision."""
    x = np.asarray(x)
    wide = x.astype(np.complex128 if np.iscomplexobj(x) else np.float64, copy=False)
    return float(np.linalg.norm(ldexp(wide, -e)))
