"""The flat layout: which degree and order an entry has, and what a real signal's coefficients are.

Entry l*l + l + m of flm (..., L*L). A signal is real where f_{l,-m} = (-1)^m conj f_lm. The maps between the
layout, its mirror image, its half of m >= 0 and any list of its entries are linear over the real numbers and
differentiable.
"""

import math

import numpy as np

from spherekit._core import checks
from spherekit._core.traced import as_float_array
from spherekit.linear import is_traced, linear_map


def degrees(L):
    """The degree l of every entry of the flat layout, `l*l + l + m`.

    Parameters
    ----------
    L : int
        Band-limit.

    Returns
    -------
    int64 ndarray [shape=(L*L,)]
        A new array at every call: it may be changed.

    See Also
    --------
    orders : the order m of every entry.

    Examples
    --------
    A Gaussian beam, which multiplies every coefficient by a factor of its degree:

    >>> degrees(3)
    array([0, 1, 1, 1, 2, 2, 2, 2, 2])
    >>> flm = np.ones(9)
    >>> (flm * np.exp(-0.1 * degrees(3) ** 2)).round(2)
    array([1.  , 0.9 , 0.9 , 0.9 , 0.67, 0.67, 0.67, 0.67, 0.67])
    """
    L = checks.band_limit(L)
    return np.repeat(np.arange(L), 2 * np.arange(L) + 1)


def orders(L):
    """The order m of every entry of the flat layout, `l*l + l + m`.

    Parameters
    ----------
    L : int
        Band-limit.

    Returns
    -------
    int64 ndarray [shape=(L*L,)]
        A new array at every call: it may be changed.

    See Also
    --------
    degrees : the degree l of every entry.

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
    """l and m >= 0 as healpy and ducc0 order them: the degrees of m = 0, then of 1, to ``mmax``.

    >>> order_major(3, 1)
    (array([0, 1, 2, 1, 2]), array([0, 0, 0, 1, 1]))
    """
    m = np.repeat(np.arange(mmax + 1), L - np.arange(mmax + 1))
    ell = np.concatenate([np.arange(first, L) for first in range(mmax + 1)])
    return ell, m


def band_limit_of(flm, name="flm"):
    """The band-limit L of coefficients in the flat layout.

    Parameters
    ----------
    flm : array_like [shape=(..., L*L)]
    name : str
        What messages call it.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        The length of the last axis is not a square.

    Examples
    --------
    >>> band_limit_of(np.zeros((2, 16)))
    4
    """
    return flat(flm, name)[1]


def flat(flm, name="flm"):
    """The coefficients as an array of numbers, and their band-limit; what is traced stays so."""
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
    """(-1)^m x, in the precision of x."""
    return np.where(m & 1, -x, x)


def mirrored(flm):
    """(-1)^m conj f_{l,-m}, which is f_lm for a real signal.

    >>> mirrored(np.array([1j, 2, 3, 4]))
    array([ 0.-1.j, -4.+0.j,  3.-0.j, -2.+0.j])
    """
    return _mirror.forward(flm)


def is_hermitian(flm):
    """Whether all the coefficients (..., L*L) are those of real signals, within the rounding of their type.

    >>> is_hermitian(np.array([1.0, -4j, 3.0, -4j])), is_hermitian(np.array([1j, 0, 0, 0]))
    (True, False)
    """
    flm, L = flat(flm)
    ell, m = degrees_and_orders(L)
    defect, size = _symmetry_defect(flm, ell[m >= 0], m[m >= 0])
    return _is_rounding(defect, size, flm)


def half_of_real(flm, ell, m, why):
    """The orders m >= 0 of a real signal's coefficients, mean of both halves; others are refused.

    What is traced is not looked at: of any coefficients the real signal's part is taken.
    """
    if not is_traced(flm):
        defect, size = _symmetry_defect(flm, ell, m)
        if not _is_rounding(defect, size, flm):
            raise ValueError(
                "these coefficients are not those of a real signal (symmetry broken by "
                f"{np.max(defect):.3g}); {why}"
            )
    share = np.where(m > 0, 0.5, 1.0).astype(checks.real_type(flm))
    return _completion.adjoint(flm, ell=ell, m=m, L=band_limit_of(flm)) * share


def hermitian(half, ell, m, L):
    """All orders of a real signal's coefficients from m >= 0."""
    return _completion.forward(half, ell=ell, m=m, L=L)


def opposite(flm, ell, m):
    """(-1)^m conj f_{l,-m} of these entries."""
    return alternate(np.take(flm, ell * ell + ell - m, axis=-1).conj(), m)


def _mirrored(flm):
    return opposite(flm, *degrees_and_orders(band_limit_of(flm)))


_mirror = linear_map("conventions.mirrored", _mirrored, _mirrored)  # its own transpose


def _symmetry_defect(flm, ell, m):
    """How far these entries of every signal are off their `opposite`, and the largest of them."""
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
    east, west = np.take(flm, ell * ell + ell + m, axis=-1), opposite(flm, ell, m)
    half = np.where(m > 0, east + west, east.real)
    return half.astype(np.result_type(half, np.complex64), copy=False)


_completion = linear_map("conventions.hermitian", _complete, _fold)


# --- entries ----------------------------------------------------------------------------------------


def take(x, index):
    """``x[..., index]``, an array or a slice, no entry twice.

    >>> take(np.array([1.0, 2.0, 3.0]), np.array([2, 0]))
    array([3., 1.])
    """
    return _selection.forward(x, index=index, size=x.shape[-1])


def place(x, index, size):
    """``size`` entries, ``x`` at ``index`` and zeros elsewhere: the transpose of `take`.

    >>> place(np.array([1.0, 2.0]), np.array([2, 0]), 3)
    array([2., 0., 1.])
    """
    return _selection.adjoint(x, index=index, size=size)


def _take(x, *, index, size):
    return x[..., index] if isinstance(index, slice) else np.take(x, index, axis=-1)


def _place(x, *, index, size):
    result = np.zeros((*x.shape[:-1], size), x.dtype)
    result[..., index] = x
    return result


_selection = linear_map("conventions.take", _take, _place, real=True)
