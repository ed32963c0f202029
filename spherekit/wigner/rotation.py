"""Rotations of signals: of coefficients by the quarter turn, differentiable in signal and angles.

    (R f)_lm = sum_n D^l_mn(alpha, beta, gamma) f_ln,    (R f)(omega) = f(R^{-1} omega),

R = R_z(alpha) R_y(beta) R_z(gamma), active. With the ladder operator -i J_y the derivatives are rotations
again,

    d/dalpha = -i m R f,    d/dbeta = R Z(-gamma) (-i J_y) Z(gamma) f,    d/dgamma = R (-i m f),

finite for all angles: at beta = 0 and pi, where alpha and gamma alone are undefined, too.
"""

import math

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.numpy.numpy_vjps import unbroadcast_f

from spherekit import _check
from spherekit._threads import thread_count
from spherekit.harmonic import transform as harmonic
from spherekit.linear import is_traced, linear_map
from spherekit.wigner import quarter


def rotate(flm, alpha, beta, gamma, *, reality=False, threads=None):
    """Coefficients of rotated signals, ``sum_n D^l_mn(alpha, beta, gamma) f_ln``; of any spin.

    Parameters
    ----------
    flm : complex ndarray [shape=(..., L*L)]
        Coefficients on the sphere; or on SO(3), (..., 2N-1, L*L), where this is f(R^{-1} rho).
    alpha, beta, gamma : float or ndarray, radians
        Euler angles zyz; their shape is broadcast against the leading axes of ``flm``.
    reality : bool
        Real signals on the sphere: half the time; the coefficients must be Hermitian.
    threads : int, optional

    Returns
    -------
    complex ndarray [shape=(..., L*L)]

    Raises
    ------
    ValueError
        Shapes that do not broadcast, NaN or inf, coefficients that are not Hermitian with ``reality``.

    >>> import numpy as np
    >>> flm = np.array([0, 0, 1, 0])                    # cos(theta), along z
    >>> bool(np.allclose(rotate(flm, 0, np.pi / 2, 0), np.array([0, 1, 0, -1]) / np.sqrt(2)))   # x
    True
    """
    angles = [
        angle if is_traced(angle) else np.asarray(angle, float) for angle in (alpha, beta, gamma)
    ]
    traced = any(map(is_traced, (flm, *angles)))
    return _rotated(flm, *angles, bool(reality), thread_count(threads), not traced)


def rotate_map(f, L, alpha, beta, gamma, *, spin=0, sampling="mw", reality=False, threads=None):
    """Samples of the rotated signal: `spherekit.forward`, `rotate`, `spherekit.inverse`.

    Exact for band-limited signals on grids with a theorem; arguments as these three.

    >>> import numpy as np
    >>> x = np.sin(np.pi * np.array([1, 3, 5, 7])[:, None] / 7) * np.cos(2 * np.pi * np.arange(7) / 7)
    >>> z = rotate_map(x, 4, 0, -np.pi / 2, 0, reality=True)         # the x axis goes to z
    >>> bool(np.allclose(z, np.cos(np.pi * np.array([1, 3, 5, 7]) / 7)[:, None]))
    True
    """
    how = dict(spin=spin, sampling=sampling, reality=reality, threads=threads)
    flm = harmonic.forward(f, L, **how)
    return harmonic.inverse(
        rotate(flm, alpha, beta, gamma, reality=reality, threads=threads), L, **how
    )


# --- the linear map ----------------------------------------------------------------------------------


def _forward(flm, *, angles, lead, reality, threads, checked=False):
    flm = _check.numbers(flm, "flm")
    L = _limit(flm)
    shape = _shape(lead, angles)
    single = _check.is_single(flm)
    count = math.prod(shape)
    # results, and in double precision what comes narrower or is broadcast to rows; the rotations' own
    rows = len(shape) > 1 and 1 < math.prod(lead) < count
    widened = 24 if single else 16 if rows else 0
    needed = (16 + widened) * count * L * L + quarter.work_bytes(L, count, reality)
    _check.fits_memory(needed, f"rotating {count} signals at L={L}")
    many = flm if shape == lead else np.broadcast_to(flm, (*shape, L * L))
    many = many.reshape(count, L * L).astype(complex, copy=False)
    turns = np.empty((3, *shape))
    for row, angle in enumerate(angles):
        turns[row] = angle
    result, guard = quarter.rotate(many, turns.reshape(3, count), L, reality, threads)
    _check.sound_coefficients(guard, flm, checked and reality, single)
    return result.reshape(*shape, L * L).astype(np.complex64 if single else complex, copy=False)


def _adjoint(g, *, angles, lead, reality, threads, checked=False):
    """Rotated back, and summed over the rotations that one signal met."""
    alpha, beta, gamma = angles
    back = _forward(
        g, angles=(-gamma, -beta, -alpha), lead=np.shape(g)[:-1], reality=reality, threads=threads
    )
    new = back.ndim - 1 - len(lead)
    back = back.sum(axis=tuple(range(new)))
    stretched = tuple(i for i, n in enumerate(lead) if n == 1 and back.shape[i] != 1)
    return back.sum(axis=stretched, keepdims=True)


_rotation = linear_map("wigner.rotate", _forward, _adjoint)


def _limit(flm):
    L = math.isqrt(flm.shape[-1]) if flm.ndim else 0
    if L < 1 or L * L != flm.shape[-1]:
        raise ValueError(
            f"flm has shape {flm.shape}; the last axis must be L*L long, flm[..., l*l+l+m]"
        )
    return L


# --- derivatives -------------------------------------------------------------------------------------


@primitive
def _rotated(flm, alpha, beta, gamma, reality, threads, checked):
    return _rotation.forward(
        flm, checked=checked, **_flags(flm, (alpha, beta, gamma), reality, threads)
    )


def _flags(flm, angles, reality, threads):
    values = tuple(np.asarray(angle, float) for angle in angles)
    if not all(np.isfinite(value).all() for value in values):
        raise ValueError("alpha, beta, gamma must be finite angles in radians")
    lead = np.shape(flm)[:-1]
    return dict(angles=values, lead=lead, reality=reality, threads=threads)


def _shape(lead, angles):
    """Leading axes of the result."""
    shapes = [angle.shape for angle in angles]
    if not any(shapes):
        return lead
    try:
        return np.broadcast_shapes(lead, *shapes)
    except ValueError:
        said = ", ".join(map(str, shapes))
        raise ValueError(
            f"the angles' shapes {said} do not broadcast against the signals' leading axes {lead}"
        ) from None


def _along_alpha(answer, flm, angles, reality, threads):
    return -1j * _order(flm) * answer


def _along_beta(answer, flm, angles, reality, threads):
    turn = anp.exp(1j * anp.asarray(angles[2]))[..., None]
    L = math.isqrt(flm.shape[-1])
    ell = np.repeat(np.arange(L), 2 * np.arange(L) + 1)
    m = _order(flm)
    up, down = np.sqrt((ell - m + 1) * (ell + m)), np.sqrt((ell + m + 1) * (ell - m))
    none = np.zeros((*flm.shape[:-1], 1))
    below = anp.concatenate([none, flm[..., :-1]], axis=-1)
    above = anp.concatenate([flm[..., 1:], none], axis=-1)
    tilted = -0.5 * (up * turn * below - down * anp.conj(turn) * above)
    return _rotated(tilted, *angles, reality, threads, False)


def _along_gamma(answer, flm, angles, reality, threads):
    return _rotated(-1j * _order(flm) * flm, *angles, reality, threads, False)


def _order(flm):
    index = np.arange(flm.shape[-1])
    ell = np.sqrt(index).astype(int)
    return index - ell * ell - ell


def _reverse_flm(answer, flm, alpha, beta, gamma, reality, threads, checked):
    """R^T = conj R^{-1} conj: a rotation, by angles that may be followed too."""

    def pull_back(g):
        back = _rotated(anp.conj(g), -gamma, -beta, -alpha, reality, threads, False)
        return unbroadcast_f(flm, anp.conj)(back)

    return pull_back


def _reverse_angle(position, along):
    def rule(answer, flm, alpha, beta, gamma, reality, threads, checked):
        angles = (alpha, beta, gamma)

        def pull_back(g):
            slope = along(answer, flm, angles, reality, threads)
            total = anp.sum(anp.real(g * slope), axis=-1)
            return unbroadcast_f(angles[position], lambda x: x)(total)

        return pull_back

    return rule


def _forward_angle(along):
    def rule(tangent, answer, flm, alpha, beta, gamma, reality, threads, checked):
        slope = along(answer, flm, (alpha, beta, gamma), reality, threads)
        return anp.asarray(tangent)[..., None] * slope

    return rule


_SLOPES = (_along_alpha, _along_beta, _along_gamma)
defvjp(_rotated, _reverse_flm, *(_reverse_angle(i, along) for i, along in enumerate(_SLOPES)))
defjvp(
    _rotated,
    lambda tangent, answer, flm, *rest: _rotated(tangent, *rest[:-1], False),
    *map(_forward_angle, _SLOPES),
)
