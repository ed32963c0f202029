"""The flat layout: which degree and order an entry has, and what a real signal's coefficients are.

Entry l*l + l + m of flm (..., L*L). A signal is real where f_{l,-m} = (-1)^m conj f_lm. The maps between the
layout, its mirror image, its half of m >= 0 and any list of its entries are linear over the real numbers and
differentiable.
"""

import math

import numpy as np

from spherekit._core import checks
from spherekit._core.traced import numbers
from spherekit.linear import is_traced, linear_map


def flat(flm, name="flm"):
    """The coefficients as an array of numbers, and their band-limit; what is traced stays so."""
    flm = numbers(flm, name)
    L = math.isqrt(flm.shape[-1]) if flm.ndim else 0
    if L < 1 or L * L != flm.shape[-1]:
        raise ValueError(
            f"{name} has shape {flm.shape}; the last axis must be L*L long (the flat layout is "
            f"(..., L*L), {name}[..., l*l+l+m])"
        )
    return flm, L


def degrees_and_orders(L):
    """l and m of every entry of the flat layout.

    >>> degrees_and_orders(2)
    (array([0, 1, 1, 1]), array([ 0, -1,  0,  1]))
    """
    ell = np.repeat(np.arange(L), 2 * np.arange(L) + 1)
    return ell, np.arange(L * L) - ell * ell - ell


def alternate(x, m):
    """(-1)^m x, in the precision of x."""
    return np.where(m % 2 == 1, -x, x)


def mirrored(flm):
    """(-1)^m conj f_{l,-m}, which is f_lm for a real signal.

    >>> mirrored(np.array([1j, 2, 3, 4]))
    array([ 0.-1.j, -4.+0.j,  3.-0.j, -2.+0.j])
    """
    return _mirror.forward(flm)


def _mirrored(flm):
    ell, m = degrees_and_orders(math.isqrt(flm.shape[-1]))
    return alternate(flm[..., ell * ell + ell - m].conj(), m)


_mirror = linear_map("conventions.mirrored", _mirrored, _mirrored)  # its own transpose


def half_of_real(flm, ell, m, why):
    """The orders m >= 0 of a real signal's coefficients, mean of both halves; others are refused.

    What is traced is not looked at: of any coefficients the real signal's part is taken.
    """
    if not is_traced(flm):
        _is_real(flm, ell, m, why)
    single = checks.is_single(flm)
    share = np.where(m > 0, 0.5, 1.0).astype(np.float32 if single else float)
    return _completion.adjoint(flm, ell=ell, m=m, L=math.isqrt(flm.shape[-1])) * share


def hermitian(half, ell, m, L):
    """All orders of a real signal's coefficients from m >= 0."""
    return _completion.forward(half, ell=ell, m=m, L=L)


def _is_real(flm, ell, m, why):
    half = flm[..., ell * ell + ell + m]
    opposite = alternate(flm[..., ell * ell + ell - m].conj(), m)
    defect, size = (np.abs(x).max(axis=-1) for x in (half - opposite, half))
    tolerance = checks.symmetry_tolerance(checks.is_single(flm))
    if not np.all(defect <= tolerance * size):
        raise ValueError(
            "these coefficients are not those of a real signal (symmetry broken by "
            f"{np.max(defect):.3g}); {why}"
        )


def _complete(half, *, ell, m, L):
    half = np.where(m > 0, half, half.real)
    flm = np.zeros((*half.shape[:-1], L * L), np.result_type(half, np.complex64))
    flm[..., ell * ell + ell - m] = alternate(half.conj(), m)
    flm[..., ell * ell + ell + m] = half
    return flm


def _fold(flm, *, ell, m, L):
    east = flm[..., ell * ell + ell + m]
    west = alternate(flm[..., ell * ell + ell - m].conj(), m)
    half = np.where(m > 0, east + west, east.real)
    return half.astype(np.result_type(half, np.complex64), copy=False)


_completion = linear_map("conventions.hermitian", _complete, _fold)


def take(x, index):
    """``x[..., index]``, no entry twice.

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
    return x[..., index]


def _place(x, *, index, size):
    result = np.zeros((*x.shape[:-1], size), x.dtype)
    result[..., index] = x
    return result


_selection = linear_map("conventions.take", _take, _place, real=True)
