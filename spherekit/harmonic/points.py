"""Evaluation of band-limited signals at arbitrary points, and its adjoint.

Each point is treated as a ring of one sample, so that the Legendre step of the transforms applies unchanged.
It is accurate to rounding at any colatitude, including the poles, at a cost of O(L^2) per point. Both
functions are also differentiable with respect to the angles: with the operators that raise and lower the
spin,

    d/dphi sY_lm = i m sY_lm,
    d/dtheta sY_lm = (sqrt((l+s)(l-s+1)) s-1Y_lm - sqrt((l-s)(l+s+1)) s+1Y_lm) / 2,

each derivative is a sum of evaluations with neighboring spins, and finite at the poles.
"""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.parallel import thread_count
from spherekit._core.traced import angles, as_float_array, broadcast_flat, colatitudes
from spherekit.conventions.indexing import degrees, flat, orders
from spherekit.harmonic.engines import recursion
from spherekit.harmonic.plan import Plan, pair_rings
from spherekit.harmonic.steps import phi_fft
from spherekit.kernels import recursion_coefficients
from spherekit.linear import cast, conj, is_traced, like, linear_map

#: Number of points that are processed together, which bounds the memory to O(L) per point.
_BATCH_POINTS = 1024


def evaluate(
    flm: ArrayLike,
    theta: ArrayLike,
    phi: ArrayLike,
    *,
    spin: int = 0,
    reality: bool = False,
    threads: int | None = None,
) -> np.ndarray:
    """Evaluate a band-limited signal at arbitrary points.

        f(theta_i, phi_i) = sum_lm f_lm sY_lm(theta_i, phi_i)

    Parameters
    ----------
    flm : array_like [shape=(..., L*L)]
        Coefficients, ``flm[..., l*l+l+m]``; degrees l < |spin| are ignored.
    theta, phi : array_like [shape=(n_points,)]
        Colatitudes in [0, pi] and longitudes, in radians, broadcast against each other. Several axes are
        flattened to one.
    spin : int
        Spin of the field, |spin| < L.
    reality : bool
        Return the real part (spin 0 only).
    threads : int, optional
        Number of threads. The result does not depend on it.

    Returns
    -------
    ndarray [shape=(..., n_points)]
        Values, in the precision of ``flm``; real with ``reality``, otherwise complex. Differentiable with
        respect to ``flm``, ``theta`` and ``phi`` to any order, including the poles, where d/dtheta is the
        derivative along the meridian phi.

    Raises
    ------
    ValueError
        A number of coefficients that is not a square; NaN or infinite coefficients or angles; colatitudes
        outside [0, pi]; angles that do not broadcast; an invalid spin or number of threads.
    TypeError
        Complex angles; unsupported dtypes; spin or threads that are not integers.
    MemoryError
        The problem does not fit into memory.

    See Also
    --------
    inverse : Evaluation on all points of a grid, which is much faster.

    Examples
    --------
    Y_10 at the north pole, and on the equator:

    >>> import numpy as np
    >>> import spherekit as sk
    >>> flm = np.zeros(4, complex)
    >>> flm[2] = 1
    >>> sk.evaluate(flm, [0.0, np.pi / 2], 0.3, reality=True).round(6) + 0.0
    array([0.488603, 0.      ])
    """
    flm, L = flat(flm)
    return _apply(_evaluation.forward, _values, flm, theta, phi, L, spin, reality, threads)


def evaluate_adjoint(
    values: ArrayLike,
    theta: ArrayLike,
    phi: ArrayLike,
    L: int,
    *,
    spin: int = 0,
    reality: bool = False,
    threads: int | None = None,
) -> np.ndarray:
    """Apply the conjugate transpose of `evaluate`.

        f_lm = sum_i values_i conj(sY_lm(theta_i, phi_i))

    Parameters
    ----------
    values : array_like [shape=(..., n_points)]
        Values at the points; real with ``reality``.
    theta, phi : array_like [shape=(n_points,)]
        Colatitudes in [0, pi] and longitudes, in radians, broadcast against each other.
    L : int
        Band-limit: degrees 0..L-1.
    spin : int
        Spin of the field, |spin| < L.
    reality : bool
        Whether the values are those of a real signal (spin 0 only).
    threads : int, optional
        Number of threads. The result does not depend on it.

    Returns
    -------
    complex ndarray [shape=(..., L*L)]
        Sums, in the precision of ``values``. Differentiable with respect to ``values``, ``theta`` and
        ``phi``.

    Raises
    ------
    ValueError
        Values of the wrong shape; NaN or infinite values or angles; colatitudes outside [0, pi]; angles that
        do not broadcast; an invalid L, spin or number of threads.
    TypeError
        Complex values with ``reality``; complex angles; unsupported dtypes; L, spin or threads that are not
        integers.
    MemoryError
        The problem does not fit into memory.

    Examples
    --------
    The coefficients of degree 1 of a point source at the north pole: only m = 0.

    >>> import spherekit as sk
    >>> sk.evaluate_adjoint([1.0], [0.0], [0.0], 2).real.round(6)[1:] + 0.0
    array([0.      , 0.488603, 0.      ])
    """
    values = as_float_array(values, "values")
    return _apply(_evaluation.adjoint, _sums, values, theta, phi, L, spin, reality, threads)


def _apply(linear, differentiable, x, theta, phi, L, spin, reality, threads):
    """Apply the linear map if the points are constants, else the function that is differentiable by them."""
    L = checks.band_limit(L)
    (theta, phi), _ = broadcast_flat(colatitudes(theta), *angles(phi=phi))
    arguments = L, checks.spin_number(spin, L, reality), bool(reality), thread_count(threads)
    if is_traced(theta) or is_traced(phi):
        return differentiable(x, theta, phi, *arguments)
    return linear(x, **_keywords(theta, phi, *arguments))


def _keywords(theta, phi, L, spin, reality, threads):
    points = (tuple(theta.tolist()), tuple(phi.tolist()))
    return dict(points=points, L=L, spin=spin, reality=reality, threads=threads)


def _batches(points, L, reality):
    """Yield batches of points: (indices, their plan, e^{i m phi}).

    Points are sorted by their distance from a pole, so that the lanes of a block have similar angles.
    """
    theta, phi = (np.array(x) for x in points)
    order = np.argsort(np.minimum(theta, np.pi - theta))
    m = phi_fft.orders(L, reality)[:, None]
    for start in range(0, len(order), _BATCH_POINTS):
        indices = order[start : start + _BATCH_POINTS]
        lanes, columns = pair_rings(theta[indices], np.ones(len(indices)), L)
        yield indices, Plan(lanes, columns, rows=None), np.exp(1j * m * phi[indices])


def _check_memory(maps, points, L, spin, reality, single, to_values):
    """Raise a MemoryError for points that do not fit into memory.

    The sum includes the result (in double precision, and rounded), the points as Python numbers, and the
    coefficients of the recursion; for the points of one batch, the planes (north and south), phases, and
    their products for all orders.
    """
    n = len(points[0])
    orders = len(phi_fft.orders(L, reality))
    batch_bytes = min(n, _BATCH_POINTS) * orders * (16 * 3 + maps * (32 + 16 * 3))
    values_bytes, coefficients_bytes = maps * n * (8 if reality else 16), 16 * maps * L * L
    if to_values:
        result = values_bytes * (1.5 if single else 1) + (coefficients_bytes if single else 0)
    else:
        result = coefficients_bytes * (2.5 if single else 2) + 16 * maps * n
    required = batch_bytes + result + 64 * n + recursion_coefficients.cached_bytes(L, spin)
    checks.fits_memory(required, f"evaluating {maps} maps of L={L} at {n} points")


def _forward(flm, *, points, L, spin, reality, threads):
    flm = checks.as_float_array(flm, "flm")
    checks.coefficients_shape(flm, L)
    count = int(np.prod(flm.shape[:-1]))
    _check_memory(count, points, L, spin, reality, checks.is_single(flm), True)
    maps = np.ascontiguousarray(flm.reshape(count, L * L), complex)
    values = np.empty((len(maps), len(points[0])), float if reality else complex)
    for indices, plan, phase in _batches(points, L, reality):
        planes, input_stats = recursion.to_planes(maps, plan, L, spin, reality, threads)
        F = planes[:, :, 0, plan.columns] + 1j * planes[:, :, 1, plan.columns]
        if input_stats[0] != 0:
            raise ValueError("flm contains NaN or infinite coefficients")
        total = F * phase
        if reality:
            total = 2 * total.real
            total[:, 0] /= 2
        values[:, indices] = total.sum(axis=1)
    single = checks.is_single(flm)
    dtype = (np.float32 if reality else np.complex64) if single else values.dtype
    return values.reshape(*flm.shape[:-1], len(points[0])).astype(dtype, copy=False)


def _adjoint(values, *, points, L, spin, reality, threads):
    values = checks.as_float_array(values, "values")
    n = len(points[0])
    if values.ndim == 0 or values.shape[-1] != n:
        raise ValueError(
            f"values has shape {values.shape}; expected (..., {n}), one value for each point"
        )
    if reality:
        checks.real_samples(values, "values")
    if not np.isfinite(values).all():
        raise ValueError("values contains NaN or infinite values; remove these points")
    count = int(np.prod(values.shape[:-1]))
    _check_memory(count, points, L, spin, reality, checks.is_single(values), False)
    maps = values.reshape(count, n).astype(complex)
    flm = np.zeros((len(maps), L * L), complex)
    terms = np.empty_like(flm)
    for indices, plan, phase in _batches(points, L, reality):
        F = maps[:, None, indices] * phase.conj()
        planes = np.zeros((*F.shape[:2], 2, 2 * len(plan.lanes.y)))
        planes[:, :, 0, plan.columns], planes[:, :, 1, plan.columns] = F.real, F.imag
        recursion.from_planes(planes, plan, L, spin, reality, threads, terms)
        flm += terms
    dtype = checks.result_type(False, checks.is_single(values))
    return flm.reshape(*values.shape[:-1], L * L).astype(dtype, copy=False)


_evaluation = linear_map("harmonic.evaluate", _forward, _adjoint)


# --- derivatives with respect to the angles -----------------------------------------------------------


@primitive
def _values(flm, theta, phi, L, spin, reality, threads):
    return _evaluation.forward(flm, **_keywords(theta, phi, L, spin, reality, threads))


@primitive
def _sums(values, theta, phi, L, spin, reality, threads):
    return _evaluation.adjoint(values, **_keywords(theta, phi, L, spin, reality, threads))


def _neighbors(x, L, spin):
    """Yield the spins s' and factors a_l of d/dtheta sY_lm = sum a_l s'Y_lm, in the precision of ``x``."""
    ell = degrees(L)
    for step in (1, -1):
        if abs(spin + step) < L:
            square = (ell - step * spin) * (ell + step * spin + 1)
            factor = -step / 2 * np.sqrt(np.where(ell >= abs(spin), square, 0))
            yield spin + step, factor.astype(checks.real_type(x))


def _orders(x, L):
    m = orders(L)
    return m.astype(checks.real_type(x))


def _values_by_theta(flm, theta, phi, L, spin, reality, threads):
    terms = [
        _values(flm * factor, theta, phi, L, neighbor_spin, False, threads)
        for neighbor_spin, factor in _neighbors(flm, L, spin)
    ]
    total = sum(terms) if terms else 0 * _values(flm, theta, phi, L, spin, False, threads)
    return anp.real(total) if reality else total


def _values_by_phi(flm, theta, phi, L, spin, reality, threads):
    return _values(1j * _orders(flm, L) * flm, theta, phi, L, spin, reality, threads)


def _sums_by_theta(values, theta, phi, L, spin, reality, threads):
    terms = [
        factor * _sums(values, theta, phi, L, neighbor_spin, False, threads)
        for neighbor_spin, factor in _neighbors(values, L, spin)
    ]
    return sum(terms) if terms else 0 * _sums(values, theta, phi, L, spin, False, threads)


def _sums_by_phi(values, theta, phi, L, spin, reality, threads):
    return -1j * _orders(values, L) * _sums(values, theta, phi, L, spin, reality, threads)


def _signal_vjp(transpose):
    """Gradient with respect to the signal: the other map of the two, at the same points."""

    def rule(answer, x, *arguments):
        return lambda g: like(conj(transpose(conj(g), *arguments)), x)

    return rule


def _per_point(products):
    """Sum the real parts over the leading axes, in double precision."""
    totals = anp.sum(anp.real(products), axis=tuple(range(products.ndim - 1)))
    return cast(totals, np.float64)


def _values_vjp(derivative_by_angle):
    return lambda answer, flm, *arguments: (
        lambda g: _per_point(g * derivative_by_angle(flm, *arguments))
    )


def _sums_vjp(derivative_by_angle):
    return lambda answer, values, *arguments: (
        lambda g: _per_point(values * conj(derivative_by_angle(conj(g), *arguments)))
    )


def _values_jvp(derivative_by_angle):
    def rule(tangent, answer, flm, *arguments):
        derivative = derivative_by_angle(flm, *arguments)
        return cast(tangent, checks.real_type(derivative)) * derivative

    return rule


def _sums_jvp(derivative_by_angle):
    def rule(tangent, answer, values, *arguments):
        return derivative_by_angle(cast(tangent, checks.real_type(values)) * values, *arguments)

    return rule


defvjp(_values, _signal_vjp(_sums), _values_vjp(_values_by_theta), _values_vjp(_values_by_phi))
defjvp(_values, "same", _values_jvp(_values_by_theta), _values_jvp(_values_by_phi))
defvjp(_sums, _signal_vjp(_values), _sums_vjp(_values_by_theta), _sums_vjp(_values_by_phi))
defjvp(_sums, "same", _sums_jvp(_sums_by_theta), _sums_jvp(_sums_by_phi))
