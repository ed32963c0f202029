"""Wigner's functions d^l_mn(beta) and D^l_mn: columns over the degree, and whole matrices.

    d^l_mn(beta) = <l m| exp(-i beta J_y) |l n>,    D^l_mn = e^{-i m alpha} d^l_mn(beta) e^{-i n gamma}

real and orthogonal, unitary; the convention of `spherekit.conventions`. Angles are taken mod 2 pi.

All are differentiable by their angles, to any order, in closed form: -i J_y is real, antisymmetric and
tridiagonal, with entries up_n = -1/2 sqrt((l-n)(l+n+1)) at [n+1, n], so that

    d/dbeta d_mn = up_n d_{m,n+1} - up_{n-1} d_{m,n-1}.
"""

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.numpy.numpy_vjps import unbroadcast_f

from spherekit._core import checks
from spherekit._core.jit import jit
from spherekit._core.traced import angles as check_angles
from spherekit._core.traced import broadcast_flat
from spherekit.harmonic.plan import PI_REST
from spherekit.kernels.recursion_coefficients import difference_coefficients
from spherekit.kernels.simd import Lanes, width
from spherekit.kernels.wigner_recursion import (
    LANE_RANGE,
    lane_groups,
    seed_sign,
    skip_negligible_differences,
    values_differences,
)
from spherekit.wigner import d_matrices

EIGHT = Lanes(8)


def d_column(m, n, beta, L):
    """d^l_mn(beta) for l = 0..L-1: zero for l < max(|m|, |n|).

    Upward recursion in l from the closed form, in exponents where that is below the range of numbers, and
    in differences, which keep their digits at any angle (1e-14 to l = 4095). Zero below 2^-110.

    Parameters
    ----------
    m, n : int
        Orders, |m|, |n| < L.
    beta : float or ndarray, radians
        Differentiable by it.
    L : int

    Returns
    -------
    float64 ndarray [shape=(*beta.shape, L)]

    >>> d_column(0, 0, np.pi / 3, 3).round(12)                # Legendre polynomials of 1/2
    array([ 1.   ,  0.5  , -0.125])
    """
    L = checks.band_limit(L)
    m, n = (checks.integer(v, name, 1 - L, L - 1) for v, name in ((m, "m"), (n, "n")))
    (beta,) = check_angles(beta=beta)
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
            column = _northern(m, order, theta[rows], L)
            parity = (1.0 - 2.0 * ((ell + m) % 2)) if side else 1.0
            result[rows] = column * parity * flips[rows, None]
    return result.reshape(*shape, L)


def _column_slope(beta, m, n, L):
    """The derivative by beta, from the columns of n + 1 and n - 1."""
    ell = np.arange(L)
    total = np.zeros(L)
    if n + 1 < L:
        total = total + _raising(ell, n) * _column(beta, m, n + 1, L)
    if n - 1 > -L:
        total = total - _raising(ell, n - 1) * _column(beta, m, n - 1, L)
    return total


def _raising(ell, n):
    """<l n+1| -i J_y |l n>, zero where one of the two is beyond the degree."""
    return -0.5 * np.sqrt(np.maximum((ell - n) * (ell + n + 1), 0))


defvjp(
    _column,
    lambda answer, beta, m, n, L: unbroadcast_f(
        beta, lambda g: anp.sum(g * _column_slope(beta, m, n, L), axis=-1)
    ),
    argnums=(0,),
)
defjvp(
    _column,
    lambda tangent, answer, beta, m, n, L: _with_last_axis(tangent) * _column_slope(beta, m, n, L),
    argnums=(0,),
)


def _with_last_axis(x):
    """x with a new last axis."""
    return anp.reshape(x, (*np.shape(x), 1))


def d(beta, L):
    """The matrices d^l(beta) of all degrees l < L.

    Parameters
    ----------
    beta : float or ndarray, radians
        Differentiable by it.
    L : int

    Returns
    -------
    list of float64 ndarrays [shape=(*beta.shape, 2l+1, 2l+1)]
        Entry [l+m, l+n]; of the whole list 4/3 L^3 numbers an angle.

    >>> d(np.pi / 2, 2)[1].round(6)
    array([[ 0.5     ,  0.707107,  0.5     ],
           [-0.707107,  0.      ,  0.707107],
           [ 0.5     , -0.707107,  0.5     ]])
    """
    L = checks.band_limit(L)
    (angle,), shape = broadcast_flat(*check_angles(beta=beta))
    checks.fits_memory(8 * angle.size * _size(L), f"d(beta, {L}) at {angle.size} angles")
    return _views(_real(angle, L), shape, L)


def D(alpha, beta, gamma, L):
    """The matrices D^l(alpha, beta, gamma) of all degrees l < L, unitary.

    Parameters
    ----------
    alpha, beta, gamma : float or ndarray, radians
        Broadcast against each other. Differentiable by each.
    L : int

    Returns
    -------
    list of complex128 ndarrays [shape=(..., 2l+1, 2l+1)]
        Entry [l+m, l+n].

    >>> A, B = D(0.1, 0.2, 0.3, 3)[2], D(-0.3, -0.2, -0.1, 3)[2]
    >>> bool(np.allclose(A @ B, np.eye(5)))
    True
    """
    L = checks.band_limit(L)
    angles, shape = broadcast_flat(*check_angles(alpha=alpha, beta=beta, gamma=gamma))
    count = angles[0].size
    # the matrices D, and those of one d
    checks.fits_memory(8 * (2 * count + 1) * _size(L), f"D at L={L} and {count} rotations")
    return _views(_complex(*angles, L), shape, L)


def _fill_real(beta, L):
    """d of all degrees end to end: (angles, numbers)."""
    flat = np.empty((beta.size, _size(L)))
    folded = zip(*_fold(beta), strict=True)
    for row, (angle, sign, south) in zip(flat, folded, strict=True):
        d_matrices.fill(angle, L, sign < 0, south, row)
    return flat


_real = primitive(_fill_real)


@primitive
def _complex(alpha, beta, gamma, L):
    """D of all degrees end to end: (rotations, numbers)."""
    left, right = (d_matrices.order_phases(angle, L) for angle in (alpha, gamma))
    flat = np.empty((alpha.size, _size(L)), complex)
    for i, angle in enumerate(beta.reshape(-1, 1)):
        d_matrices.apply_phases(_fill_real(angle, L)[0], left[i], right[i], L, flat[i])
    return flat


def _real_slope(answer, beta, L):
    return _times_generator(answer, L, 1.0)


def _slope_by_alpha(answer, alpha, beta, gamma, L):
    m, _, _ = _entries(L)
    return -1j * m * answer


def _slope_by_beta(answer, alpha, beta, gamma, L):
    """D_mn e^{i n gamma} is differentiated as d_mn is."""
    return _times_generator(answer, L, anp.exp(1j * gamma)[:, None])


def _slope_by_gamma(answer, alpha, beta, gamma, L):
    _, n, _ = _entries(L)
    return -1j * n * answer


def _times_generator(flat, L, phase):
    """The matrices times -i J_y: neighbors in a row are neighbors end to end."""
    _, n, ell = _entries(L)
    zero = np.zeros((flat.shape[0], 1))
    above = anp.concatenate([flat[:, 1:], zero], axis=1)
    below = anp.concatenate([zero, flat[:, :-1]], axis=1)
    return _raising(ell, n) * phase * above - _raising(ell, n - 1) * anp.conj(phase) * below


def _entries(L):
    """m, n and l of every number of the matrices end to end."""
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
defvjp(_real, _reverse(_real_slope), argnums=(0,))
defjvp(_real, _forward(_real_slope), argnums=(0,))
defvjp(_complex, *map(_reverse, _SLOPES), argnums=(0, 1, 2))
defjvp(_complex, *map(_forward, _SLOPES), argnums=(0, 1, 2))


def _size(L):
    """Numbers in the matrices of all degrees."""
    return L * (4 * L * L - 1) // 3


def _views(flat, shape, L):
    ends = np.cumsum([(2 * ell + 1) ** 2 for ell in range(L)])
    return [
        flat[:, end - (2 * ell + 1) ** 2 : end].reshape(*shape, 2 * ell + 1, 2 * ell + 1)
        for ell, end in enumerate(ends)
    ]


def _fold(beta):
    """Angles in [0, pi/2], the sign of beta mod 2 pi, and whether it was in the southern half."""
    reduced = np.where(np.abs(beta) > np.pi, np.remainder(beta + np.pi, 2 * np.pi) - np.pi, beta)
    theta = np.abs(reduced)
    sign = np.where(reduced < 0, -1.0, 1.0)
    south = theta > np.pi / 2
    return np.where(south, np.pi - theta + PI_REST, theta), sign, south


def _northern(m, n, theta, L):
    """d^l_mn, m >= 0, at angles up to pi/2: (angles, L)."""
    l0, w = max(m, abs(n)), EIGHT.type.width
    order = np.argsort(theta)  # neighbors as lanes: they cease to be negligible at the same degree
    start = _log_start(m, n, theta[order])
    log = start[0]
    lanes = lane_groups(len(theta), w, lambda i, j: np.abs(log[j] - log[i]) > LANE_RANGE)
    column = np.zeros((len(lanes), L))
    y = 2 * np.sin(theta[order][lanes] / 2) ** 2
    _columns(EIGHT, m, n, L, y, start[:, lanes], seed_sign.py_func(m, n), column[:, l0:])
    result = np.empty((len(theta), L))
    result[order[lanes]] = column
    return result


def _log_start(m, n, theta):
    """log2 of |d^l0_mn| = sqrt(binom(2 l0, a)) cos^a sin^b of theta/2, a = |m+n|, b = |m-n|, a + b = 2 l0.

    As integer and fractional parts (2, angles), in extended precision: l0 eps would be lost.
    """
    l0, a, b = max(abs(m), abs(n)), abs(m + n), abs(m - n)
    half = np.maximum(theta, 2.0**-640).astype(np.longdouble) / 2
    k = np.arange(1, min(a, b) + 1, dtype=np.longdouble)
    binomial = np.log2((2 * l0 + 1 - k) / k).sum()
    log = binomial / 2 + a * np.log2(np.cos(half)) + b * np.log2(np.sin(half))
    integer = np.rint(log)
    return np.stack([integer, log - integer]).astype(float)


@jit
def _columns(lanes, m, n, L, y, start, sign, column):
    count, w = L - max(m, abs(n)), width(lanes)
    rga, state, out = np.empty(3 * L + 8), np.zeros(2 * w), np.empty(w * L)
    difference_coefficients(m, n, L, rga)
    for first in range(0, y.size, w):
        top = start[0, first : first + w].max()
        state[:w] = 0.0
        for i in range(w):
            state[w + i] = 2.0 ** (start[0, first + i] - top) * 2.0 ** start[1, first + i]
        k = skip_negligible_differences(lanes, y, first, state, rga, top, count)
        values_differences(lanes, y, first, state, rga, k, count, out)
        for k in range(count):
            for i in range(w):
                column[first + i, k] = sign * out[w * k + i]
