"""Values of a band-limited signal at arbitrary points, and the adjoint.

Every point is a ring of one sample, so that the Legendre step serves unchanged: exact to rounding at any
colatitude, the poles included, at O(L^2) a point. Both are differentiable by the angles too: with the
operators that raise and lower the spin,

    d/dphi sY_lm = i m sY_lm,
    d/dtheta sY_lm = (sqrt((l+s)(l-s+1)) s-1Y_lm - sqrt((l-s)(l+s+1)) s+1Y_lm) / 2,

so that every derivative is a sum of evaluations of neighbouring spins, finite at the poles.
"""

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive

from spherekit._core import checks
from spherekit._core.parallel import thread_count
from spherekit._core.traced import angles, as_float_array, broadcast_flat, colatitudes
from spherekit.conventions.indexing import degrees, flat, orders
from spherekit.harmonic.engines import recursion
from spherekit.harmonic.plan import Plan, pair_rings
from spherekit.harmonic.steps import phi_fft
from spherekit.kernels import recursion_coefficients
from spherekit.linear import cast, conj, is_traced, like, linear_map

_POINTS = 1024  # in flight at once: bounds the memory to O(L) a point


def evaluate(flm, theta, phi, *, spin=0, reality=False, threads=None):
    """``f(theta_i, phi_i) = sum_lm f_lm sY_lm(theta_i, phi_i)``.

    Parameters
    ----------
    flm : complex ndarray [shape=(..., L*L)]
    theta, phi : array_like [shape=(n_points,)], radians
        Colatitudes in [0, pi] and longitudes, broadcast against each other.
    spin, reality, threads
        As in `spherekit.harmonic.inverse`; with ``reality`` the real part.

    Returns
    -------
    ndarray [shape=(..., n_points)]
        Differentiable by ``flm``, ``theta`` and ``phi``, to any order and at the poles too, where
        d/dtheta is the derivative along the meridian phi.

    >>> import numpy as np
    >>> flm = np.zeros(4, complex); flm[2] = 1                       # Y_10
    >>> bool(np.allclose(evaluate(flm, [0.0], [0.3], reality=True), np.sqrt(3 / (4 * np.pi))))
    True
    """
    flm, L = flat(flm)
    return _apply(_evaluation.forward, _values, flm, theta, phi, L, spin, reality, threads)


def evaluate_adjoint(values, theta, phi, L, *, spin=0, reality=False, threads=None):
    """Conjugate transpose of `evaluate`: ``sum_i values_i conj(sY_lm(theta_i, phi_i))``.

    Arguments as `evaluate`, and differentiable as that.

    >>> import numpy as np
    >>> bool(np.isclose(evaluate_adjoint(np.ones(3), [0.1, 1, 2], [0, 0, 0], 2)[0], 3 / np.sqrt(4 * np.pi)))
    True
    """
    values = as_float_array(values, "values")
    return _apply(_evaluation.adjoint, _sums, values, theta, phi, L, spin, reality, threads)


def _apply(plain, traced, x, theta, phi, L, spin, reality, threads):
    """By the linear map where the points are fixed, else by the function that is differentiable by them."""
    L = checks.band_limit(L)
    (theta, phi), _ = broadcast_flat(colatitudes(theta), *angles(phi=phi))
    flags = L, checks.spin_number(spin, L, reality), bool(reality), thread_count(threads)
    if is_traced(theta) or is_traced(phi):
        return traced(x, theta, phi, *flags)
    return plain(x, **_flags(theta, phi, *flags))


def _flags(theta, phi, L, spin, reality, threads):
    points = (tuple(theta.tolist()), tuple(phi.tolist()))
    return dict(points=points, L=L, spin=spin, reality=reality, threads=threads)


def _batches(points, L, reality):
    """(indices of points, their plan, e^{i m phi}), near ones together so that lanes agree."""
    theta, phi = (np.array(x) for x in points)
    order = np.argsort(np.minimum(theta, np.pi - theta))
    m = phi_fft.orders(L, reality)[:, None]
    for start in range(0, len(order), _POINTS):
        chosen = order[start : start + _POINTS]
        lanes, columns = pair_rings(theta[chosen], np.ones(len(chosen)), L)
        yield chosen, Plan(lanes, columns, rows=None), np.exp(1j * m * phi[chosen])


def _fits(maps, points, L, spin, reality, single, to_values):
    """Refuse points that cannot fit.

    The result (as it is summed, and rounded), the points as numbers of Python, the recursion's coefficients;
    and of the points in flight the planes (north and south), phases, and products in orders.
    """
    n = len(points[0])
    orders = len(phi_fft.orders(L, reality))
    flying = min(n, _POINTS) * orders * (16 * 3 + maps * (32 + 16 * 3))
    values, numbers = maps * n * (8 if reality else 16), 16 * maps * L * L
    if to_values:
        result = values * (1.5 if single else 1) + (numbers if single else 0)
    else:
        result = numbers * (2.5 if single else 2) + 16 * maps * n
    needed = flying + result + 64 * n + recursion_coefficients.cached_bytes(L, spin)
    checks.fits_memory(needed, f"evaluating {maps} maps of L={L} at {n} points")


def _forward(flm, *, points, L, spin, reality, threads):
    flm = checks.as_float_array(flm, "flm")
    checks.coefficients_shape(flm, L)
    count = int(np.prod(flm.shape[:-1]))
    _fits(count, points, L, spin, reality, checks.is_single(flm), True)
    maps = np.ascontiguousarray(flm.reshape(count, L * L), complex)
    values = np.empty((len(maps), len(points[0])), float if reality else complex)
    for chosen, plan, phase in _batches(points, L, reality):
        planes, input_stats = recursion.to_planes(maps, plan, L, spin, reality, threads)
        F = planes[:, :, 0, plan.columns] + 1j * planes[:, :, 1, plan.columns]
        if input_stats[0] != 0:
            raise ValueError("flm holds NaN or infinite coefficients")
        total = F * phase
        if reality:
            total = 2 * total.real
            total[:, 0] /= 2
        values[:, chosen] = total.sum(axis=1)
    single = checks.is_single(flm)
    kind = (np.float32 if reality else np.complex64) if single else values.dtype
    return values.reshape(*flm.shape[:-1], len(points[0])).astype(kind, copy=False)


def _adjoint(values, *, points, L, spin, reality, threads):
    values = checks.as_float_array(values, "values")
    n = len(points[0])
    if values.ndim == 0 or values.shape[-1] != n:
        raise ValueError(f"values have shape {values.shape}; {n} points need (..., {n})")
    if reality:
        checks.real_samples(values, "values")
    if not np.isfinite(values).all():
        raise ValueError("values hold NaN or infinite numbers; leave those points out")
    count = int(np.prod(values.shape[:-1]))
    _fits(count, points, L, spin, reality, checks.is_single(values), False)
    maps = values.reshape(count, n).astype(complex)
    flm = np.zeros((len(maps), L * L), complex)
    terms = np.empty_like(flm)
    for chosen, plan, phase in _batches(points, L, reality):
        F = maps[:, None, chosen] * phase.conj()
        planes = np.zeros((*F.shape[:2], 2, 2 * len(plan.lanes.x)))
        planes[:, :, 0, plan.columns], planes[:, :, 1, plan.columns] = F.real, F.imag
        recursion.from_planes(planes, plan, L, spin, reality, threads, terms)
        flm += terms
    kind = checks.result_type(False, checks.is_single(values))
    return flm.reshape(*values.shape[:-1], L * L).astype(kind, copy=False)


_evaluation = linear_map("harmonic.evaluate", _forward, _adjoint)


# --- derivatives by the angles -----------------------------------------------------------------------


@primitive
def _values(flm, theta, phi, L, spin, reality, threads):
    return _evaluation.forward(flm, **_flags(theta, phi, L, spin, reality, threads))


@primitive
def _sums(values, theta, phi, L, spin, reality, threads):
    return _evaluation.adjoint(values, **_flags(theta, phi, L, spin, reality, threads))


def _neighbors(x, L, spin):
    """The spins s' and factors a_l of d/dtheta sY_lm = sum a_l s'Y_lm, in the precision of ``x``."""
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
        _values(flm * factor, theta, phi, L, other, False, threads)
        for other, factor in _neighbors(flm, L, spin)
    ]
    total = sum(terms) if terms else 0 * _values(flm, theta, phi, L, spin, False, threads)
    return anp.real(total) if reality else total


def _values_by_phi(flm, theta, phi, L, spin, reality, threads):
    return _values(1j * _orders(flm, L) * flm, theta, phi, L, spin, reality, threads)


def _sums_by_theta(values, theta, phi, L, spin, reality, threads):
    terms = [
        factor * _sums(values, theta, phi, L, other, False, threads)
        for other, factor in _neighbors(values, L, spin)
    ]
    return sum(terms) if terms else 0 * _sums(values, theta, phi, L, spin, False, threads)


def _sums_by_phi(values, theta, phi, L, spin, reality, threads):
    return -1j * _orders(values, L) * _sums(values, theta, phi, L, spin, reality, threads)


def _reverse(transpose):
    """By the signal: the other map of the two, at the same points."""

    def rule(answer, x, *points_and_flags):
        return lambda g: like(conj(transpose(conj(g), *points_and_flags)), x)

    return rule


def _per_point(products):
    """Real parts, summed over leading axes, in double precision."""
    totals = anp.sum(anp.real(products), axis=tuple(range(products.ndim - 1)))
    return cast(totals, np.float64)


def _values_reverse(slope):
    return lambda answer, flm, *args: lambda g: _per_point(g * slope(flm, *args))


def _sums_reverse(slope):
    return lambda answer, values, *args: lambda g: _per_point(values * conj(slope(conj(g), *args)))


def _values_forward(slope):
    def rule(tangent, answer, flm, *args):
        derivative = slope(flm, *args)
        return cast(tangent, checks.real_type(derivative)) * derivative

    return rule


def _sums_forward(slope):
    def rule(tangent, answer, values, *args):
        return slope(cast(tangent, checks.real_type(values)) * values, *args)

    return rule


defvjp(_values, _reverse(_sums), _values_reverse(_values_by_theta), _values_reverse(_values_by_phi))
defjvp(_values, "same", _values_forward(_values_by_theta), _values_forward(_values_by_phi))
defvjp(_sums, _reverse(_values), _sums_reverse(_values_by_theta), _sums_reverse(_values_by_phi))
defjvp(_sums, "same", _sums_forward(_sums_by_theta), _sums_forward(_sums_by_phi))
