"""Wigner's functions d^l_mn(beta) and D^l_mn: columns over the degree, and whole matrices.

    d^l_mn(beta) = <l m| exp(-i beta J_y) |l n>,    D^l_mn = e^{-i m alpha} d^l_mn(beta) e^{-i n gamma}

real and orthogonal, unitary; the convention of `spherekit.conventions`. Angles are taken mod 2 pi.
"""

import numpy as np

from spherekit import _check
from spherekit._jit import jit
from spherekit.harmonic.plan import PI_REST
from spherekit.kernels.coefficients import difference_coefficients
from spherekit.kernels.recursion import climb_differences, seed_sign, values_differences
from spherekit.kernels.simd import Lanes, width
from spherekit.wigner import matrices

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
    L : int

    Returns
    -------
    float64 ndarray [shape=(*beta.shape, L)]

    >>> d_column(0, 0, np.pi / 3, 3).round(12)                # Legendre polynomials of 1/2
    array([ 1.   ,  0.5  , -0.125])
    """
    L = _check.band_limit(L)
    m, n = (_check.spin_number(order, L) for order in (m, n))
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
        where = np.flatnonzero(south == side)
        if len(where):
            column = _northern(m, order, theta[where], L)
            parity = (1.0 - 2.0 * ((ell + m) % 2)) if side else 1.0
            result[where] = column * parity * flips[where, None]
    return result.reshape(*shape, L)


def d(beta, L):
    """The matrices d^l(beta) of all degrees l < L.

    Parameters
    ----------
    beta : float or ndarray, radians
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
    L, shape = _check.band_limit(L), np.shape(beta)
    angles = np.asarray(beta, float).reshape(-1)
    _check.fits_memory(8 * len(angles) * _size(L), f"d(beta, {L}) at {len(angles)} angles")
    return _views(_real(angles, L), shape, L)


def D(alpha, beta, gamma, L):
    """The matrices D^l(alpha, beta, gamma) of all degrees l < L, unitary.

    Parameters
    ----------
    alpha, beta, gamma : float or ndarray, radians
        Broadcast against each other.
    L : int

    Returns
    -------
    list of complex128 ndarrays [shape=(..., 2l+1, 2l+1)]
        Entry [l+m, l+n].

    >>> A, B = D(0.1, 0.2, 0.3, 3)[2], D(-0.3, -0.2, -0.1, 3)[2]
    >>> bool(np.allclose(A @ B, np.eye(5)))
    True
    """
    alpha, beta, gamma = np.broadcast_arrays(alpha, beta, gamma)
    L, shape = _check.band_limit(L), alpha.shape
    for name, angle in (("alpha", alpha), ("gamma", gamma)):
        _finite(angle, name)
    size = alpha.size * _size(L)
    # the matrices D, and those of one d
    needed = 16 * size + 8 * _size(L)
    _check.fits_memory(needed, f"D at L={L} and {alpha.size} rotations")
    left, right = (matrices.turns(angle.reshape(-1), L) for angle in (alpha, gamma))
    flat = np.empty((alpha.size, _size(L)), complex)
    for i, angle in enumerate(beta.reshape(-1, 1)):
        matrices.turn(_real(angle, L)[0], left[i], right[i], L, flat[i])
    return _views(flat, shape, L)


def _real(beta, L):
    """d of all degrees end to end: (angles, numbers)."""
    flat = np.empty((beta.size, _size(L)))
    folded = zip(*_fold(beta), strict=True)
    for row, (angle, sign, south) in zip(flat, folded, strict=True):
        matrices.fill(angle, L, sign < 0, south, row)
    return flat


def _size(L):
    """Numbers in the matrices of all degrees."""
    return L * (4 * L * L - 1) // 3


def _views(flat, shape, L):
    ends = np.cumsum([(2 * ell + 1) ** 2 for ell in range(L)])
    return [
        flat[:, end - (2 * ell + 1) ** 2 : end].reshape(*shape, 2 * ell + 1, 2 * ell + 1)
        for ell, end in enumerate(ends)
    ]


def _finite(angle, name):
    if not np.isfinite(angle).all():
        raise ValueError(f"{name} holds NaN or infinite angles; give finite ones in radians")


def _fold(beta):
    """Angles in [0, pi/2], the sign of beta mod 2 pi, and whether it was in the southern half."""
    _finite(beta, "beta")
    turned = np.where(np.abs(beta) > np.pi, np.remainder(beta + np.pi, 2 * np.pi) - np.pi, beta)
    theta, sign = np.abs(turned), np.where(turned < 0, -1.0, 1.0)
    south = theta > np.pi / 2
    return np.where(south, np.pi - theta + PI_REST, theta), sign, south


def _northern(m, n, theta, L):
    """d^l_mn, m >= 0, at angles up to pi/2: (angles, L)."""
    l0, w = max(m, abs(n)), EIGHT.type.width
    order = np.argsort(theta)  # neighbours as lanes: they come to matter together
    lanes = np.pad(theta[order], (0, -len(theta) % w), mode="edge")
    column = np.zeros((len(lanes), L))
    y, start = 2 * np.sin(lanes / 2) ** 2, _log_start(m, n, lanes)
    _columns(EIGHT, m, n, L, y, start, seed_sign.py_func(m, n), column[:, l0:])
    result = np.empty((len(theta), L))
    result[order] = column[: len(theta)]
    return result


def _log_start(m, n, theta):
    """log2 of |d^l0_mn| = sqrt(binom(2 l0, a)) cos^a sin^b of theta/2, a = |m+n|, b = |m-n|, a + b = 2 l0.

    In whole numbers and rests (2, angles): in extended precision, as l0 eps would be lost.
    """
    l0, a, b = max(abs(m), abs(n)), abs(m + n), abs(m - n)
    half = np.maximum(theta, 2.0**-640).astype(np.longdouble) / 2
    k = np.arange(1, min(a, b) + 1, dtype=np.longdouble)
    binomial = np.log2((2 * l0 + 1 - k) / k).sum()
    log = binomial / 2 + a * np.log2(np.cos(half)) + b * np.log2(np.sin(half))
    whole = np.rint(log)
    return np.stack([whole, log - whole]).astype(float)


@jit
def _columns(lanes, m, n, L, y, start, sign, column):
    count, w = L - max(m, abs(n)), width(lanes)
    rga, state, out = np.empty(3 * L + 8), np.zeros(2 * w), np.empty(w * L)
    difference_coefficients(m, n, L, rga)
    for first in range(0, y.size, w):
        top = start[0, first : first + w].max()
        state[:w] = 0.0
        for i in range(w):
            state[w + i] = 2.0 ** max(start[0, first + i] - top, -1000.0)
            state[w + i] *= 2.0 ** start[1, first + i]
        k = climb_differences(lanes, y, first, state, rga, top, count)
        values_differences(lanes, y, first, state, rga, k, count, out)
        for k in range(count):
            for i in range(w):
                column[first + i, k] = sign * out[w * k + i]
