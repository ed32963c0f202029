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

from spherekit._core import checks
from spherekit._core.parallel import thread_count
from spherekit._core.traced import angles as check_angles
from spherekit.conventions.indexing import band_limit_of, degrees_and_orders, flat, orders
from spherekit.harmonic import transform as harmonic
from spherekit.linear import cast, is_traced, linear_map
from spherekit.wigner import rotation_kernels


def rotate(flm, alpha, beta, gamma, *, reality=False, threads=None):
    """Coefficients of rotated signals, ``sum_n D^l_mn(alpha, beta, gamma) f_ln``; of any spin.

    Parameters
    ----------
    flm : complex ndarray [shape=(..., L*L)]
        Coefficients on the sphere; or on SO(3), (..., 2N-1, L*L), where this is f(R^{-1} rho).
    alpha, beta, gamma : float or ndarray, radians, or a Quantity of an angle
        Euler angles zyz; their shape is broadcast against the leading axes of ``flm``.
    reality : bool
        Real signals on the sphere: half the time; the coefficients must be Hermitian.
    threads : int, optional

    Returns
    -------
    complex ndarray [shape=(..., L*L)]
        Differentiable by the signal and the three angles, to any order.

    Raises
    ------
    ValueError
        Shapes that do not broadcast, NaN or inf, coefficients that are not Hermitian with ``reality``.

    >>> import numpy as np
    >>> flm = np.array([0, 0, 1, 0])                    # cos(theta), along z
    >>> bool(np.allclose(rotate(flm, 0, np.pi / 2, 0), np.array([0, 1, 0, -1]) / np.sqrt(2)))   # x
    True
    """
    angles = check_angles(alpha=alpha, beta=beta, gamma=gamma)
    traced = any(map(is_traced, (flm, *angles)))
    flm, _ = flat(flm)
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
    flm, L = flat(flm)
    shape = _shape(lead, angles)
    single = checks.is_single(flm)
    count = math.prod(shape)
    # results, and in double precision what comes narrower or is broadcast to rows; the rotations' own
    rows = len(shape) > 1 and 1 < math.prod(lead) < count
    widened = 24 if single else 16 if rows else 0
    needed = (16 + widened) * count * L * L + rotation_kernels.work_bytes(L, count, reality)
    checks.fits_memory(needed, f"rotating {count} signals at L={L}")
    many = flm if shape == lead else np.broadcast_to(flm, (*shape, L * L))
    many = many.reshape(count, L * L).astype(complex, copy=False)
    turns = np.empty((3, *shape))
    for row, angle in enumerate(angles):
        turns[row] = angle
    result, guard = rotation_kernels.rotate(many, turns.reshape(3, count), L, reality, threads)
    checks.check_coefficients(guard, flm, checked and reality, single)
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


# --- derivatives -------------------------------------------------------------------------------------


@primitive
def _rotated(flm, alpha, beta, gamma, reality, threads, checked):
    return _rotation.forward(
        flm, checked=checked, **_flags(flm, (alpha, beta, gamma), reality, threads)
    )


def _flags(flm, angles, reality, threads):
    values = tuple(np.asarray(angle, float) for angle in angles)
    return dict(angles=values, lead=np.shape(flm)[:-1], reality=reality, threads=threads)


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
    return _by_order(answer)


def _along_beta(answer, flm, angles, reality, threads):
    ell, m = degrees_and_orders(band_limit_of(flm))
    kind = checks.real_type(flm)
    up, down = (np.sqrt((ell + k + 1) * (ell - k)).astype(kind) for k in (m - 1, m))
    phase = cast(anp.exp(1j * angles[2]), np.result_type(kind, np.complex64))[..., None]
    zero = np.zeros((*flm.shape[:-1], 1), kind)
    below = anp.concatenate([zero, flm[..., :-1]], axis=-1)
    above = anp.concatenate([flm[..., 1:], zero], axis=-1)
    tilted = (down * anp.conj(phase) * above - up * phase * below) / 2
    return _rotated(tilted, *angles, reality, threads, False)


def _along_gamma(answer, flm, angles, reality, threads):
    return _rotated(_by_order(flm), *angles, reality, threads, False)


def _by_order(flm):
    """-i m f_lm, in the precision of f."""
    m = orders(band_limit_of(flm))
    return -1j * m.astype(checks.real_type(flm)) * flm


def _reverse_flm(answer, flm, alpha, beta, gamma, reality, threads, checked):
    """R^T = conj R^{-1} conj: a rotation, by angles that may be followed too."""

    def pullback(g):
        back = _rotated(anp.conj(g), -gamma, -beta, -alpha, reality, threads, False)
        return unbroadcast_f(flm, anp.conj)(back)

    return pullback


def _reverse_angle(position, along):
    def rule(answer, flm, alpha, beta, gamma, reality, threads, checked):
        angles = (alpha, beta, gamma)

        def pullback(g):
            slope = along(answer, flm, angles, reality, threads)
            total = cast(anp.sum(anp.real(g * slope), axis=-1), np.float64)
            return unbroadcast_f(angles[position], lambda x: x)(total)

        return pullback

    return rule


def _forward_angle(along):
    def rule(tangent, answer, flm, alpha, beta, gamma, reality, threads, checked):
        slope = along(answer, flm, (alpha, beta, gamma), reality, threads)
        per_signal = anp.reshape(cast(tangent, checks.real_type(slope)), (*np.shape(tangent), 1))
        return per_signal * slope

    return rule


_SLOPES = (_along_alpha, _along_beta, _along_gamma)
defvjp(_rotated, _reverse_flm, *(_reverse_angle(i, along) for i, along in enumerate(_SLOPES)))
defjvp(
    _rotated,
    lambda tangent, answer, flm, *rest: _rotated(tangent, *rest[:-1], False),
    *map(_forward_angle, _SLOPES),
)
