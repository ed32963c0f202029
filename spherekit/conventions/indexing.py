"""The flat layout of coefficients: the degree and order of each entry, and the symmetry of real signals.

The coefficient of degree l and order m is entry l*l + l + m of flm (..., L*L). A signal is real if
f_{l,-m} = (-1)^m conj(f_lm). The maps between the full layout, its mirror image, its half of m >= 0 and
selections of its entries are linear over the real numbers, and differentiable.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.traced import as_float_array
from spherekit.linear import is_traced, linear_map


def degrees(L: int) -> np.ndarray:
    """The degree l of each entry ``l*l + l + m`` of the flat layout.

    Parameters
    ----------
    L : int
        Band-limit.

    Returns
    -------
    int64 ndarray [shape=(L*L,)]
        A new array, which the caller may modify.

    Raises
    ------
    TypeError
        L is not an integer.
    ValueError
        L < 1.

    See Also
    --------
    orders : the order m of each entry.

    Examples
    --------
    A Gaussian beam multiplies each coefficient by a factor that depends on its degree:

    >>> degrees(3)
    array([0, 1, 1, 1, 2, 2, 2, 2, 2])
    >>> flm = np.ones(9)
    >>> (flm * np.exp(-0.1 * degrees(3) ** 2)).round(2)
    array([1.  , 0.9 , 0.9 , 0.9 , 0.67, 0.67, 0.67, 0.67, 0.67])
    """
    L = checks.band_limit(L)
    return np.repeat(np.arange(L), 2 * np.arange(L) + 1)


def orders(L: int) -> np.ndarray:
    """The order m of each entry ``l*l + l + m`` of the flat layout.

    Parameters
    ----------
    L : int
        Band-limit.

    Returns
    -------
    int64 ndarray [shape=(L*L,)]
        A new array, which the caller may modify.

    Raises
    ------
    TypeError
        L is not an integer.
    ValueError
        L < 1.

    See Also
    --------
    degrees : the degree l of each entry.

    Examples
    --------
    The zonal part of a signal:

    >>> orders(3)
    array([ 0, -1,  0,  1, -2, -1,  0,  1,  2])
    >>> np.where(orders(2) == 0, [5.0, 1.0, 6.0, 2.0], 0)
    array([5., 0., 6., 0.])
    """
    return degrees_and_orders(L)[1]


def degrees_and_orders(L):
    """`degrees` and `orders`.

    >>> degrees_and_orders(2)
    (array([0, 1, 1, 1]), array([ 0, -1,  0,  1]))
    """
    ell = degrees(L)
    return ell, np.arange(ell.size) - ell * ell - ell


def order_major(L, mmax):
    """l and m in the order of healpy and ducc0: the degrees of m = 0, then those of m = 1, up to ``mmax``.

    >>> order_major(3, 1)
    (array([0, 1, 2, 1, 2]), array([0, 0, 0, 1, 1]))
    """
    m = np.repeat(np.arange(mmax + 1), L - np.arange(mmax + 1))
    ell = np.concatenate([np.arange(first, L) for first in range(mmax + 1)])
    return ell, m


def band_limit_of(flm: ArrayLike, name: str = "flm") -> int:
    """The band-limit L of coefficients in the flat layout.

    Parameters
    ----------
    flm : array_like [shape=(..., L*L)]
        Coefficients.
    name : str
        Name of the argument in error messages.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        Not an array of numbers; a unit; masked entries.
    ValueError
        The length of the last axis is not a square.

    Examples
    --------
    >>> band_limit_of(np.zeros((2, 16)))
    4
    """
    return flat(flm, name)[1]


def flat(flm, name="flm"):
    """The coefficients as a numeric array (or autograd box), and their band-limit."""
    flm = as_float_array(flm, name)
    L = math.isqrt(flm.shape[-1]) if flm.ndim else 0
    if L < 1 or L * L != flm.shape[-1]:
        raise ValueError(
            f"{name} has shape {flm.shape}; the last axis must be L*L long (the flat layout is "
            f"(..., L*L), {name}[..., l*l+l+m])"
        )
    return flm, L


# --- real signals -----------------------------------------------------------------------------------


def alternate(x, m):
    """(-1)^m x, in the dtype of x."""
    return np.where(m & 1, -x, x)


def mirrored(flm):
    """(-1)^m conj(f_{l,-m}), which equals f_lm for a real signal.

    >>> mirrored(np.array([1j, 2, 3, 4]))
    array([ 0.-1.j, -4.+0.j,  3.-0.j, -2.+0.j])
    """
    return _mirror.forward(flm)


def is_hermitian(flm):
    """Whether all coefficients (..., L*L) are those of real signals, within the rounding of their dtype.

    >>> is_hermitian(np.array([1.0, -4j, 3.0, -4j])), is_hermitian(np.array([1j, 0, 0, 0]))
    (True, False)
    """
    flm, L = flat(flm)
    ell, m = degrees_and_orders(L)
    defect, size = _symmetry_defect(flm, ell[m >= 0], m[m >= 0])
    return _is_rounding(defect, size, flm)


def half_of_real(flm, ell, m, hint):
    """The orders m >= 0 of the coefficients of a real signal, as the mean of both halves.

    Raises ValueError, with a ``hint``, if the coefficients are not Hermitian. Traced coefficients are not
    checked; they are projected onto those of a real signal.
    """
    if not is_traced(flm):
        defect, size = _symmetry_defect(flm, ell, m)
        if not _is_rounding(defect, size, flm):
            raise ValueError(
                "the coefficients are not those of a real signal (the symmetry f[l,-m] = (-1)^m conj f[l,m] "
                f"is broken by {np.max(defect):.3g}); {hint}"
            )
    factor = np.where(m > 0, 0.5, 1.0).astype(checks.real_type(flm))
    return _completion.adjoint(flm, ell=ell, m=m, L=band_limit_of(flm)) * factor


def hermitian(half, ell, m, L):
    """All orders of the coefficients of a real signal, from those with m >= 0."""
    return _completion.forward(half, ell=ell, m=m, L=L)


def opposite(flm, ell, m):
    """(-1)^m conj(f_{l,-m}) of the entries (ell, m)."""
    return alternate(np.take(flm, ell * ell + ell - m, axis=-1).conj(), m)


def _mirrored(flm):
    return opposite(flm, *degrees_and_orders(band_limit_of(flm)))


_mirror = linear_map("conventions.mirrored", _mirrored, _mirrored)  # it equals its transpose


def _symmetry_defect(flm, ell, m):
    """The largest |f_lm - opposite| and the largest |f_lm| of the entries (ell, m), for each signal."""
    half = np.take(flm, ell * ell + ell + m, axis=-1)
    return tuple(np.abs(x).max(axis=-1) for x in (half - opposite(flm, ell, m), half))


def _is_rounding(defect, size, flm):
    return bool(np.all(defect <= checks.symmetry_tolerance(checks.is_single(flm)) * size))


def _complete(half, *, ell, m, L):
    half = np.where(m > 0, half, half.real)
    flm = np.zeros((*half.shape[:-1], L * L), np.result_type(half, np.complex64))
    flm[..., ell * ell + ell - m] = alternate(half.conj(), m)
    flm[..., ell * ell + ell + m] = half
    return flm


def _fold(flm, *, ell, m, L):
    half = np.take(flm, ell * ell + ell + m, axis=-1)
    half = np.where(m > 0, half + opposite(flm, ell, m), half.real)
    return half.astype(np.result_type(half, np.complex64), copy=False)


_completion = linear_map("conventions.hermitian", _complete, _fold)


# --- entries ----------------------------------------------------------------------------------------


def gather_entries(x, index):
    """``x[..., index]``, where ``index`` is an array without repetitions or a slice.

    >>> gather_entries(np.array([1.0, 2.0, 3.0]), np.array([2, 0]))
    array([3., 1.])
    """
    return _selection.forward(x, index=index, size=x.shape[-1])


def scatter_entries(x, index, size):
    """``size`` entries with ``x`` at ``index`` and zeros elsewhere: the transpose of `gather_entries`.

    >>> scatter_entries(np.array([1.0, 2.0]), np.array([2, 0]), 3)
    array([2., 0., 1.])
    """
    return _selection.adjoint(x, index=index, size=size)


def _gather(x, *, index, size):
    return x[..., index] if isinstance(index, slice) else np.take(x, index, axis=-1)


def _scatter(x, *, index, size):
    result = np.zeros((*x.shape[:-1], size), x.dtype)
    result[..., index] = x
    return result


_selection = linear_map("conventions.gather", _gather, _scatter, real=True)
