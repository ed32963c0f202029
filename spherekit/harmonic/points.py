"""Values of a band-limited signal at arbitrary points, and the adjoint.

Every point is a ring of one sample, so that the Legendre step serves unchanged: exact to rounding at any
colatitude, the poles included, at O(L^2) a point.
"""

import numpy as np

from spherekit import _check
from spherekit._threads import thread_count
from spherekit.harmonic import azimuth, parts, plan
from spherekit.kernels import coefficients
from spherekit.linear import linear_map

_POINTS = 1024  # in flight at once: bounds the memory to O(L) a point


def evaluate(flm, theta, phi, *, spin=0, reality=False, threads=None):
    """``f(theta_i, phi_i) = sum_lm f_lm sY_lm(theta_i, phi_i)``.

    Parameters
    ----------
    flm : complex ndarray [shape=(..., L*L)]
    theta, phi : array_like [shape=(n_points,)], radians
    spin, reality, threads
        As in `spherekit.harmonic.inverse`; with ``reality`` the real part.

    Returns
    -------
    ndarray [shape=(..., n_points)]

    >>> import numpy as np
    >>> flm = np.zeros(4, complex); flm[2] = 1                       # Y_10
    >>> bool(np.allclose(evaluate(flm, [0.0], [0.3], reality=True), np.sqrt(3 / (4 * np.pi))))
    True
    """
    size = np.shape(flm)[-1] if np.ndim(flm) else 0
    L = int(round(size**0.5))
    return _evaluation.forward(flm, **_flags(theta, phi, L, spin, reality, threads))


def evaluate_adjoint(values, theta, phi, L, *, spin=0, reality=False, threads=None):
    """Conjugate transpose of `evaluate`: ``sum_i values_i conj(sY_lm(theta_i, phi_i))``.

    >>> import numpy as np
    >>> bool(np.isclose(evaluate_adjoint(np.ones(3), [0.1, 1, 2], [0, 0, 0], 2)[0], 3 / np.sqrt(4 * np.pi)))
    True
    """
    return _evaluation.adjoint(values, **_flags(theta, phi, L, spin, reality, threads))


def _flags(theta, phi, L, spin, reality, threads):
    L = _check.band_limit(L)
    theta, phi = np.broadcast_arrays(*(np.asarray(x, float) for x in (theta, phi)))
    if theta.ndim != 1:
        theta, phi = theta.reshape(-1), phi.reshape(-1)
    if not np.isfinite(phi).all() or not ((theta >= 0) & (theta <= np.pi)).all():
        raise ValueError("points need finite angles in radians with theta in [0, pi]")
    spin = _check.spin_number(spin, L, reality)
    points = (tuple(theta.tolist()), tuple(phi.tolist()))
    return dict(points=points, L=L, spin=spin, reality=bool(reality), threads=thread_count(threads))


def _batches(points, L, reality):
    """(slice of points, their route, e^{i m phi}), near ones together so that lanes agree."""
    theta, phi = (np.array(x) for x in points)
    order = np.argsort(np.minimum(theta, np.pi - theta))
    m = azimuth.orders(L, reality)[:, None]
    for start in range(0, len(order), _POINTS):
        chosen = order[start : start + _POINTS]
        lanes, columns = plan.pair_rings(theta[chosen], np.ones(len(chosen)), L)
        route = plan.Route(lanes, columns, rows=None)
        yield chosen, route, np.exp(1j * m * phi[chosen])


def _fits(maps, points, L, spin, reality, single, to_values):
    """Refuse points that cannot fit.

    The result (as it is summed, and rounded), the points as numbers of Python, the recursion's coefficients;
    and of the points in flight the planes (north and south), phases, and products in orders.
    """
    n = len(points[0])
    orders = len(azimuth.orders(L, reality))
    flying = min(n, _POINTS) * orders * (16 * 3 + maps * (32 + 16 * 3))
    values, numbers = maps * n * (8 if reality else 16), 16 * maps * L * L
    if to_values:
        result = values * (1.5 if single else 1) + (numbers if single else 0)
    else:
        result = numbers * (2.5 if single else 2) + 16 * maps * n
    needed = flying + result + 64 * n + coefficients.kept_bytes(L, spin)
    _check.fits_memory(needed, f"evaluating {maps} maps of L={L} at {n} points")


def _forward(flm, *, points, L, spin, reality, threads):
    flm = _check.numbers(flm, "flm")
    _check.coefficients_shape(flm, L)
    count = int(np.prod(flm.shape[:-1]))
    _fits(count, points, L, spin, reality, _check.is_single(flm), True)
    maps = np.ascontiguousarray(flm.reshape(count, L * L), complex)
    values = np.empty((len(maps), len(points[0])), float if reality else complex)
    for chosen, route, phase in _batches(points, L, reality):
        planes, guard = parts.synthesis(maps, route, L, spin, reality, threads)
        F = planes[:, :, 0, route.columns] + 1j * planes[:, :, 1, route.columns]
        if guard[0] != 0:
            raise ValueError("flm holds NaN or infinite coefficients")
        total = F * phase
        if reality:
            total = 2 * total.real
            total[:, 0] /= 2
        values[:, chosen] = total.sum(axis=1)
    single = flm.dtype in (np.float32, np.complex64)
    kind = (np.float32 if reality else np.complex64) if single else values.dtype
    return values.reshape(*flm.shape[:-1], len(points[0])).astype(kind, copy=False)


def _adjoint(values, *, points, L, spin, reality, threads):
    values = _check.numbers(values, "values")
    n = len(points[0])
    if values.ndim == 0 or values.shape[-1] != n:
        raise ValueError(f"values have shape {values.shape}; {n} points need (..., {n})")
    if reality:
        _check.real_samples(values, "values")
    if not np.isfinite(values).all():
        raise ValueError("values hold NaN or infinite numbers; leave those points out")
    count = int(np.prod(values.shape[:-1]))
    _fits(count, points, L, spin, reality, _check.is_single(values), False)
    maps = values.reshape(count, n).astype(complex)
    flm = np.zeros((len(maps), L * L), complex)
    part = np.empty_like(flm)
    for chosen, route, phase in _batches(points, L, reality):
        F = maps[:, None, chosen] * phase.conj()
        planes = np.zeros((*F.shape[:2], 2, 2 * len(route.lanes.x)))
        planes[:, :, 0, route.columns], planes[:, :, 1, route.columns] = F.real, F.imag
        parts.analysis(planes, route, L, spin, reality, threads, part)
        flm += part
    kind = np.complex64 if values.dtype in (np.float32, np.complex64) else complex
    return flm.reshape(*values.shape[:-1], L * L).astype(kind, copy=False)


_evaluation = linear_map("harmonic.evaluate", _forward, _adjoint)
