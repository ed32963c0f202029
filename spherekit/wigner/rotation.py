"""Rotations of signals, applied to their coefficients; differentiable by signal and angles.

    (R f)_lm = sum_n D^l_mn(alpha, beta, gamma) f_ln,    (R f)(omega) = f(R^{-1} omega),

R = R_z(alpha) R_y(beta) R_z(gamma), active. The derivatives are rotations too, with the generator -i J_y,

    d/dalpha = -i m R f,    d/dbeta = R Z(-gamma) (-i J_y) Z(gamma) f,    d/dgamma = R (-i m f),

finite for all angles, including beta = 0 and pi, where only alpha + gamma or alpha - gamma is defined.
"""

from __future__ import annotations

import math

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.numpy.numpy_vjps import unbroadcast_f
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.parallel import thread_count
from spherekit._core.traced import angles as check_angles
from spherekit.conventions.indexing import band_limit_of, degrees_and_orders, flat, orders
from spherekit.harmonic import transform as harmonic
from spherekit.linear import cast, is_traced, linear_map
from spherekit.sampling.base import Grid
from spherekit.wigner import rotation_kernels


def rotate(
    flm: ArrayLike,
    alpha: ArrayLike,
    beta: ArrayLike,
    gamma: ArrayLike,
    *,
    reality: bool = False,
    threads: int | None = None,
) -> np.ndarray:
    """Rotate signals, given by their coefficients of any spin.

    ``(R f)_lm = sum_n D^l_mn(alpha, beta, gamma) f_ln``, so that ``(R f)(omega) = f(R^{-1} omega)``.

    Parameters
    ----------
    flm : complex array_like [shape=(..., L*L)]
        Coefficients on the sphere; or on SO(3) [shape=(..., 2N-1, L*L)], where the result is
        ``f(R^{-1} rho)``.
    alpha, beta, gamma : array_like, radians
        Euler angles zyz of an active rotation, broadcast against the leading axes of ``flm``; an astropy
        Quantity is converted.
    reality : bool
        Whether the signals on the sphere are real: then the rotation takes half the time, and the
        coefficients must be Hermitian, ``f_{l,-m} = (-1)^m conj(f_lm)``.
    threads : int, optional
        Number of threads; the result does not depend on it.

    Returns
    -------
    complex ndarray [shape=(..., L*L)]
        Coefficients of the rotated signals, in the precision of ``flm``. Differentiable by the signal and
        the three angles, to any order.

    Raises
    ------
    ValueError
        Shapes that do not broadcast, a last axis that is not L*L long, coefficients or angles that are NaN or
        infinite, coefficients that are not Hermitian with ``reality``, or an invalid number of threads.
    TypeError
        Coefficients or angles that are not numbers; a number of threads that is not an integer.
    MemoryError
        The rotation needs more memory than is available.

    See Also
    --------
    rotate_map : The same for samples.
    D : The matrices.

    Examples
    --------
    A rotation by 90 degrees about y turns cos(theta), a signal along z, into the one along x:

    >>> import numpy as np
    >>> from spherekit import wigner
    >>> flm = np.array([0, 0, 1, 0])
    >>> wigner.rotate(flm, 0, np.pi / 2, 0).real.round(6) + 0.0
    array([ 0.      ,  0.707107,  0.      , -0.707107])
    """
    angles = check_angles(alpha=alpha, beta=beta, gamma=gamma)
    traced = any(map(is_traced, (flm, *angles)))
    flm, _ = flat(flm)
    return _rotated(flm, *angles, bool(reality), thread_count(threads), not traced)


def rotate_map(
    f: ArrayLike,
    L: int,
    alpha: ArrayLike,
    beta: ArrayLike,
    gamma: ArrayLike,
    *,
    spin: int = 0,
    sampling: Grid | str = "mw",
    reality: bool = False,
    threads: int | None = None,
) -> np.ndarray:
    """Rotate signals, given by their samples: `spherekit.forward`, `rotate`, `spherekit.inverse`.

    Exact for band-limited signals on grids with a sampling theorem.

    Parameters
    ----------
    f : array_like [shape=(..., *grid.shape)]
        Samples, real with ``reality``.
    L : int
        Band-limit: degrees 0..L-1.
    alpha, beta, gamma : array_like, radians
        Euler angles zyz of an active rotation, broadcast against the leading axes of ``f``.
    spin : int
        Spin of the signals, ``|spin| < L``.
    sampling : str or Grid
        Grid, or its name (see `spherekit.sampling.grid`).
    reality : bool
        Whether the signals are real, of spin 0.
    threads : int, optional
        Number of threads; the result does not depend on it.

    Returns
    -------
    ndarray [shape=(..., *grid.shape)]
        Samples of the rotated signals on the same grid, in the precision of ``f``.

    Raises
    ------
    ValueError
        An invalid L, spin, grid or number of threads; a spin other than 0 with ``reality``; a wrong shape;
        shapes that do not broadcast; samples that are NaN, infinite or UNSEEN; angles that are NaN or
        infinite.
    TypeError
        Complex samples with ``reality``; an unsupported dtype; L, spin or threads that are not integers; a
        sampling that is neither a grid nor a name.
    MemoryError
        The computation needs more memory than is available.

    Warns
    -----
    UserWarning
        L is larger than 3 nside on HEALPix.

    Examples
    --------
    The coordinate x becomes the coordinate z:

    >>> import numpy as np
    >>> from spherekit import sampling, wigner
    >>> grid = sampling.grid("mw", 4)
    >>> x = np.sin(grid.theta)[:, None] * np.cos(grid.phi)
    >>> z = wigner.rotate_map(x, 4, 0, -np.pi / 2, 0, reality=True)
    >>> bool(np.allclose(z, np.cos(grid.theta)[:, None], rtol=0, atol=1e-14))
    True
    """
    options = dict(spin=spin, sampling=sampling, reality=reality, threads=threads)
    flm = harmonic.forward(f, L, **options)
    rotated = rotate(flm, alpha, beta, gamma, reality=reality, threads=threads)
    return harmonic.inverse(rotated, L, **options)


# --- the linear map ----------------------------------------------------------------------------------


def _forward(flm, *, angles, lead, reality, threads, checked=False):
    flm, L = flat(flm)
    shape = _shape(lead, angles)
    single = checks.is_single(flm)
    count = math.prod(shape)
    # results; copies in double precision of single or broadcast input; work memory of the rotations
    copied = len(shape) > 1 and 1 < math.prod(lead) < count
    bytes_copied = 24 if single else 16 if copied else 0
    required = (16 + bytes_copied) * count * L * L + rotation_kernels.work_bytes(L, count, reality)
    checks.fits_memory(required, f"rotating {count} signals at L={L}")
    signals = flm if shape == lead else np.broadcast_to(flm, (*shape, L * L))
    signals = signals.reshape(count, L * L).astype(complex, copy=False)
    rotations = np.empty((3, *shape))
    for row, angle in enumerate(angles):
        rotations[row] = angle
    rotations = rotations.reshape(3, count)
    result, input_stats = rotation_kernels.rotate(signals, rotations, L, reality, threads)
    checks.check_coefficients(input_stats, flm, checked and reality, single)
    return result.reshape(*shape, L * L).astype(np.complex64 if single else complex, copy=False)


def _adjoint(g, *, angles, lead, reality, threads, checked=False):
    """Rotate by the inverse, and sum over the rotations to which a signal was broadcast."""
    alpha, beta, gamma = angles
    inverse = -gamma, -beta, -alpha
    result = _forward(g, angles=inverse, lead=np.shape(g)[:-1], reality=reality, threads=threads)
    new_axes = result.ndim - 1 - len(lead)
    result = result.sum(axis=tuple(range(new_axes)))
    stretched = tuple(i for i, n in enumerate(lead) if n == 1 and result.shape[i] != 1)
    return result.sum(axis=stretched, keepdims=True)


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
        listed = ", ".join(map(str, shapes))
        raise ValueError(
            f"the angles have shapes {listed}; they need to broadcast against the leading axes {lead} of the "
            "signals"
        ) from None


def _derivative_by_alpha(answer, flm, angles, reality, threads):
    return _times_generator_z(answer)


def _derivative_by_beta(answer, flm, angles, reality, threads):
    ell, m = degrees_and_orders(band_limit_of(flm))
    kind = checks.real_type(flm)
    raising, lowering = (np.sqrt((ell + k + 1) * (ell - k)).astype(kind) for k in (m - 1, m))
    phase = cast(anp.exp(1j * angles[2]), np.result_type(kind, np.complex64))[..., None]
    zero = np.zeros((*flm.shape[:-1], 1), kind)
    below = anp.concatenate([zero, flm[..., :-1]], axis=-1)
    above = anp.concatenate([flm[..., 1:], zero], axis=-1)
    derivative = (lowering * anp.conj(phase) * above - raising * phase * below) / 2
    return _rotated(derivative, *angles, reality, threads, False)


def _derivative_by_gamma(answer, flm, angles, reality, threads):
    return _rotated(_times_generator_z(flm), *angles, reality, threads, False)


def _times_generator_z(flm):
    """-i m f_lm, in the precision of f."""
    m = orders(band_limit_of(flm))
    return -1j * m.astype(checks.real_type(flm)) * flm


def _reverse_flm(answer, flm, alpha, beta, gamma, reality, threads, checked):
    """R^T = conj R^{-1} conj: a rotation, by angles that may be traced too."""

    def pullback(g):
        rotated = _rotated(anp.conj(g), -gamma, -beta, -alpha, reality, threads, False)
        return unbroadcast_f(flm, anp.conj)(rotated)

    return pullback


def _reverse_angle(position, derivative_by_angle):
    def rule(answer, flm, alpha, beta, gamma, reality, threads, checked):
        angles = (alpha, beta, gamma)

        def pullback(g):
            derivative = derivative_by_angle(answer, flm, angles, reality, threads)
            total = cast(anp.sum(anp.real(g * derivative), axis=-1), np.float64)
            return unbroadcast_f(angles[position], lambda x: x)(total)

        return pullback

    return rule


def _forward_angle(derivative_by_angle):
    def rule(tangent, answer, flm, alpha, beta, gamma, reality, threads, checked):
        derivative = derivative_by_angle(answer, flm, (alpha, beta, gamma), reality, threads)
        per_signal = anp.reshape(
            cast(tangent, checks.real_type(derivative)), (*np.shape(tangent), 1)
        )
        return per_signal * derivative

    return rule


_DERIVATIVES = (_derivative_by_alpha, _derivative_by_beta, _derivative_by_gamma)
defvjp(
    _rotated,
    _reverse_flm,
    *(_reverse_angle(i, derivative) for i, derivative in enumerate(_DERIVATIVES)),
)
defjvp(
    _rotated,
    lambda tangent, answer, flm, *options: _rotated(tangent, *options[:-1], False),
    *map(_forward_angle, _DERIVATIVES),
)
