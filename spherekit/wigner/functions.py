"""Wigner functions d^l_mn(beta) and D^l_mn: as matrices of all orders, and of all degrees for one pair m, n.

    d^l_mn(beta) = <l m| exp(-i beta J_y) |l n>,    D^l_mn = e^{-i m alpha} d^l_mn(beta) e^{-i n gamma}

d is real and orthogonal, D unitary; the convention is that of `spherekit.conventions`. Angles are reduced
modulo 2 pi.

All are differentiable by their angles, to any order, in closed form: -i J_y is real, antisymmetric and
tridiagonal, with entries up_n = -1/2 sqrt((l-n)(l+n+1)) at [n+1, n], so that

    d/dbeta d_mn = up_n d_{m,n+1} - up_{n-1} d_{m,n-1}.
"""

from __future__ import annotations

import math

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.numpy.numpy_vjps import unbroadcast_f
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.jit import leaf
from spherekit._core.traced import angles as check_angles
from spherekit._core.traced import broadcast_flat
from spherekit.harmonic.plan import PI_LOW
from spherekit.kernels.recursion_coefficients import difference_coefficients
from spherekit.kernels.simd import Lanes, pointer, width
from spherekit.kernels.wigner_recursion import (
    LANE_RANGE,
    lane_groups,
    seed_sign,
    skip_negligible_differences,
    values_differences,
)
from spherekit.wigner import d_matrices

EIGHT = Lanes(8)


def d_column(m: int, n: int, beta: ArrayLike, L: int) -> np.ndarray:
    """Wigner functions ``d^l_mn(beta)`` of one pair of orders, for l = 0..L-1.

    Parameters
    ----------
    m, n : int
        Orders, ``|m| < L`` and ``|n| < L``.
    beta : array_like, radians
        Angles; an astropy Quantity is converted.
    L : int
        Band-limit: degrees 0..L-1.

    Returns
    -------
    float64 ndarray [shape=(*beta.shape, L)]
        Zero for ``l < max(|m|, |n|)``, and where the value is below 2^-110. Differentiable by ``beta``.

    Raises
    ------
    ValueError
        L < 1, an order out of range, or an angle that is NaN or infinite.
    TypeError
        L or an order that is not an integer, or angles that are not real numbers.
    MemoryError
        Values that do not fit into memory.

    See Also
    --------
    d : Matrices of all orders.

    Notes
    -----
    Upward recursion in l from the closed form at ``l = max(|m|, |n|)``, with separate exponents where that is
    below the range of float64, and in differences, which are accurate at all angles (1e-14 up to l = 4095).

    Examples
    --------
    The orders m = n = 0 give the Legendre polynomials ``P_l(cos beta)``, here of 1/2:

    >>> import numpy as np
    >>> from spherekit import wigner
    >>> wigner.d_column(0, 0, np.pi / 3, 3).round(12)
    array([ 1.   ,  0.5  , -0.125])
    """
    L = checks.band_limit(L)
    m = checks.integer(m, "m", 1 - L, L - 1)
    n = checks.integer(n, "n", 1 - L, L - 1)
    (beta,) = check_angles(beta=beta)
    count = math.prod(np.shape(beta))
    noun = f"d_column at L={L} and {count} angles"
    # the result, and the rows of one hemisphere with their parity
    checks.fits_memory(8 * 3 * count * L, noun, "lower L, pass fewer angles at once")
    return _column(beta, m, n, L)


@primitive
def _column(beta, m, n, L):
    shape = np.shape(beta)
    theta, sign, south = _fold(np.asarray(beta, float).reshape(-1))
    flip = 1.0
    if m < 0:  # d_{-m,-n} = (-1)^{m-n} d_mn
        m, n, flip = -m, -n, 1.0 - 2.0 * ((m - n) % 2)
    flips = np.where(sign < 0, 1.0 - 2.0 * ((m - n) % 2), flip * np.ones(len(theta)))
    flips = np.where(sign < 0, flips * flip, flips)
    result = np.zeros((len(theta), L))
    ell = np.arange(L)
    for side, order in ((False, n), (True, -n)):
        rows = np.flatnonzero(south == side)
        if len(rows):
            column = _northern_column(m, order, theta[rows], L)
            parity = (1.0 - 2.0 * ((ell + m) % 2)) if side else 1.0
            result[rows] = column * parity * flips[rows, None]
    return result.reshape(*shape, L)


def _column_derivative(beta, m, n, L):
    """Derivative by beta, from the columns of n + 1 and n - 1."""
    ell = np.arange(L)
    total = np.zeros(L)
    if n + 1 < L:
        total = total + _raising(ell, n) * _column(beta, m, n + 1, L)
    if n - 1 > -L:
        total = total - _raising(ell, n - 1) * _column(beta, m, n - 1, L)
    return total


def _raising(ell, n):
    """<l n+1| -i J_y |l n>, zero where n or n + 1 exceeds the degree."""
    return -0.5 * np.sqrt(np.maximum((ell - n) * (ell + n + 1), 0))


defvjp(
    _column,
    lambda answer, beta, m, n, L: unbroadcast_f(
        beta, lambda g: anp.sum(g * _column_derivative(beta, m, n, L), axis=-1)
    ),
    argnums=(0,),
)
defjvp(
    _column,
    lambda tangent, answer, beta, m, n, L: (
        _with_last_axis(tangent) * _column_derivative(beta, m, n, L)
    ),
    argnums=(0,),
)


def _with_last_axis(x):
    """``x`` with a new last axis of length 1."""
    return anp.reshape(x, (*np.shape(x), 1))


def d(beta: ArrayLike, L: int) -> list[np.ndarray]:
    """Wigner matrices ``d^l(beta)`` of all degrees l < L.

    ``d^l_mn(beta) = <l m| exp(-i beta J_y) |l n>``, real and orthogonal.

    Parameters
    ----------
    beta : array_like, radians
        Angles; an astropy Quantity is converted.
    L : int
        Band-limit: degrees 0..L-1.

    Returns
    -------
    list of float64 ndarray [shape=(*beta.shape, 2l+1, 2l+1)]
        The matrix of each degree l, with entries ``[l+m, l+n]``: 4/3 L^3 numbers per angle in all.
        Differentiable by ``beta``.

    Raises
    ------
    ValueError
        L < 1, or an angle that is NaN or infinite.
    TypeError
        L is not an integer, or angles are not real numbers.
    MemoryError
        Matrices that do not fit into memory.

    See Also
    --------
    d_column : All degrees of one pair of orders.
    D : Matrices of rotations by three Euler angles.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import wigner
    >>> wigner.d(np.pi / 2, 2)[1].round(6)
    array([[ 0.5     ,  0.707107,  0.5     ],
           [-0.707107,  0.      ,  0.707107],
           [ 0.5     , -0.707107,  0.5     ]])
    """
    L = checks.band_limit(L)
    (angle,), shape = broadcast_flat(*check_angles(beta=beta))
    checks.fits_memory(8 * angle.size * _size(L), f"d(beta, {L}) at {angle.size} angles")
    return _views(_d_entries(angle, L), shape, L)


def D(alpha: ArrayLike, beta: ArrayLike, gamma: ArrayLike, L: int) -> list[np.ndarray]:
    """Wigner matrices ``D^l(alpha, beta, gamma)`` of all degrees l < L.

    ``D^l_mn(alpha, beta, gamma) = e^{-i m alpha} d^l_mn(beta) e^{-i n gamma}``, unitary.

    Parameters
    ----------
    alpha, beta, gamma : array_like, radians
        Euler angles zyz, broadcast against each other; an astropy Quantity is converted.
    L : int
        Band-limit: degrees 0..L-1.

    Returns
    -------
    list of complex128 ndarray [shape=(..., 2l+1, 2l+1)]
        The matrix of each degree l, with entries ``[l+m, l+n]``. Differentiable by the three angles.

    Raises
    ------
    ValueError
        L < 1, angles that do not broadcast, or an angle that is NaN or infinite.
    TypeError
        L is not an integer, or angles are not real numbers.
    MemoryError
        Matrices that do not fit into memory.

    See Also
    --------
    rotate : The product of these matrices with coefficients, without forming them.

    Examples
    --------
    The matrix of the inverse rotation is the inverse matrix:

    >>> import numpy as np
    >>> from spherekit import wigner
    >>> product = wigner.D(0.1, 0.2, 0.3, 3)[2] @ wigner.D(-0.3, -0.2, -0.1, 3)[2]
    >>> bool(np.allclose(product, np.eye(5), rtol=0, atol=1e-14))
    True
    """
    L = checks.band_limit(L)
    angles, shape = broadcast_flat(*check_angles(alpha=alpha, beta=beta, gamma=gamma))
    count = angles[0].size
    # the matrices D, and the matrices d of one angle
    checks.fits_memory(8 * (2 * count + 1) * _size(L), f"D at L={L} and {count} rotations")
    return _views(_D_entries(*angles, L), shape, L)


def _compute_d(beta, L):
    """Matrices d of all degrees, concatenated: (angles, entries)."""
    flat = np.empty((beta.size, _size(L)))
    folded = zip(*_fold(beta), strict=True)
    for row, (angle, sign, south) in zip(flat, folded, strict=True):
        d_matrices.fill(angle, L, sign < 0, south, row)
    return flat


_d_entries = primitive(_compute_d)


@primitive
def _D_entries(alpha, beta, gamma, L):
    """Matrices D of all degrees, concatenated: (rotations, entries)."""
    left, right = (d_matrices.order_phases(angle, L) for angle in (alpha, gamma))
    flat = np.empty((alpha.size, _size(L)), complex)
    for i, angle in enumerate(beta.reshape(-1, 1)):
        d_matrices.apply_phases(_compute_d(angle, L)[0], left[i], right[i], L, flat[i])
    return flat


def _d_derivative(answer, beta, L):
    return _times_generator(answer, L, 1.0)


def _slope_by_alpha(answer, alpha, beta, gamma, L):
    m, _, _ = _entries(L)
    return -1j * m * answer


def _slope_by_beta(answer, alpha, beta, gamma, L):
    """The derivative of D_mn e^{i n gamma} has the form of that of d_mn."""
    return _times_generator(answer, L, anp.exp(1j * gamma)[:, None])


def _slope_by_gamma(answer, alpha, beta, gamma, L):
    _, n, _ = _entries(L)
    return -1j * n * answer


def _times_generator(flat, L, phase):
    """The matrices times -i J_y; neighbors in a row of a matrix are neighbors in the concatenation."""
    _, n, ell = _entries(L)
    zero = np.zeros((flat.shape[0], 1))
    above = anp.concatenate([flat[:, 1:], zero], axis=1)
    below = anp.concatenate([zero, flat[:, :-1]], axis=1)
    return _raising(ell, n) * phase * above - _raising(ell, n - 1) * anp.conj(phase) * below


def _entries(L):
    """m, n and l of all entries of the concatenated matrices."""
    grids = [np.mgrid[-ell : ell + 1, -ell : ell + 1].reshape(2, -1) for ell in range(L)]
    m, n = np.concatenate(grids, axis=1)
    return m, n, np.repeat(np.arange(L), [(2 * ell + 1) ** 2 for ell in range(L)])


def _reverse(slope):
    def rule(answer, *args):
        return lambda g: anp.sum(anp.real(g * slope(answer, *args)), axis=-1)

    return rule


def _forward(slope):
    return lambda tangent, answer, *args: _with_last_axis(tangent) * slope(answer, *args)


_SLOPES = (_slope_by_alpha, _slope_by_beta, _slope_by_gamma)
defvjp(_d_entries, _reverse(_d_derivative), argnums=(0,))
defjvp(_d_entries, _forward(_d_derivative), argnums=(0,))
defvjp(_D_entries, *map(_reverse, _SLOPES), argnums=(0, 1, 2))
defjvp(_D_entries, *map(_forward, _SLOPES), argnums=(0, 1, 2))


def _size(L):
    """Number of entries of the matrices of all degrees."""
    return L * (4 * L * L - 1) // 3


def _views(flat, shape, L):
    ends = np.cumsum([(2 * ell + 1) ** 2 for ell in range(L)])
    return [
        flat[:, end - (2 * ell + 1) ** 2 : end].reshape(*shape, 2 * ell + 1, 2 * ell + 1)
        for ell, end in enumerate(ends)
    ]


def _fold(beta):
    """Fold angles into [0, pi/2]; return them, the signs of beta mod 2 pi, and whether it is beyond pi/2."""
    reduced = np.where(np.abs(beta) > np.pi, np.remainder(beta + np.pi, 2 * np.pi) - np.pi, beta)
    theta = np.abs(reduced)
    sign = np.where(reduced < 0, -1.0, 1.0)
    south = theta > np.pi / 2
    return np.where(south, np.pi - theta + PI_LOW, theta), sign, south


def _northern_column(m, n, theta, L):
    """d^l_mn, m >= 0, at angles up to pi/2: (angles, L)."""
    l0 = max(m, abs(n))
    w = EIGHT.type.width
    order = np.argsort(theta)  # lanes of similar angles cease to be negligible at the same degree
    start = _log_start(m, n, theta[order])
    log = start[0]
    lanes = lane_groups(len(theta), w, lambda i, j: np.abs(log[j] - log[i]) > LANE_RANGE)
    column = np.zeros((len(lanes), L))
    y = 2 * np.sin(theta[order][lanes] / 2) ** 2
    work, sign = np.empty(3 * L + 8 + (L + 2) * w), seed_sign.py_func(m, n)
    _columns(EIGHT, m, n, L, y, start[:, lanes], sign, work, column[:, l0:])
    result = np.empty((len(theta), L))
    result[order[lanes]] = column
    return result


def _log_start(m, n, theta):
    """log2 of |d^l0_mn| = sqrt(binom(2 l0, a)) cos^a sin^b of theta/2, a = |m+n|, b = |m-n|, a + b = 2 l0.

    Integer and fractional parts (2, angles), computed in extended precision since float64 loses l0 eps.
    """
    l0, a, b = max(abs(m), abs(n)), abs(m + n), abs(m - n)
    half = np.maximum(theta, 2.0**-640).astype(np.longdouble) / 2
    k = np.arange(1, min(a, b) + 1, dtype=np.longdouble)
    binomial = np.log2((2 * l0 + 1 - k) / k).sum()
    log = binomial / 2 + a * np.log2(np.cos(half)) + b * np.log2(np.sin(half))
    integer = np.rint(log)
    return np.stack([integer, log - integer]).astype(float)


@leaf
def _columns(lanes, m, n, L, y, start, sign, work, column):
    """Values of all degrees. ``work``: the coefficients, the state and the values of a vector of angles."""
    count, w = L - max(m, abs(n)), width(lanes)
    coefficients, state = pointer(work, 0), pointer(work, 3 * L + 8)
    out, angles = pointer(state, 2 * w), pointer(y, 0)
    difference_coefficients(m, n, L, coefficients)
    for first in range(0, y.size, w):
        exponent = start[0, first]
        for i in range(w):
            exponent = max(exponent, start[0, first + i])
        for i in range(w):
            state[i] = 0.0
            state[w + i] = 2.0 ** (start[0, first + i] - exponent) * 2.0 ** start[1, first + i]
        k = skip_negligible_differences(lanes, angles, first, state, coefficients, exponent, count)
        values_differences(lanes, angles, first, state, coefficients, k, count, out)
        for k in range(count):
            for i in range(w):
                column[first + i, k] = sign * out[w * k + i]
