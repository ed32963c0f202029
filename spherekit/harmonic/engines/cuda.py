"""Engine for arrays on a GPU: CuPy arrays in and out, with the three steps of the CPU.

The Legendre step uses the kernels of `kernels.wigner_recursion_cuda`; the theta step (resampling of the rings
of MW-like grids, see `theta_resampling`) and the phi step use cuFFT, by way of CuPy. Plans, rings and weights
are those of `plan`. The recursion of (m, n = -s) at a northern angle serves order m on the northern ring and
a second order on its mirror image in the south (see `legendre_spin`):

    d^l_{-m,n}(pi - theta) = (-1)^{l+n} d^l_{m,n}(theta),

or, for real signals, m itself, as d^l_{m,0}(pi - theta) = (-1)^{l+m} d^l_{m,0}(theta).

Arrays of F are complex here, (maps, orders, rings). All computations are in float64.
"""

import math
from collections import namedtuple
from functools import lru_cache

import numpy as np

from spherekit import device
from spherekit._core import checks
from spherekit._core.missing import UNSEEN
from spherekit.conventions.indexing import degrees_and_orders
from spherekit.harmonic.steps.phi_fft import orders as orders_of
from spherekit.harmonic.steps.ring_lanes import order_limit, order_scales
from spherekit.kernels import wigner_recursion_cuda

name = "cuda"

#: Number of threads of a block: at most `wigner_recursion_cuda.THREADS`.
THREADS = wigner_recursion_cuda.THREADS
#: Rings use the difference form where L min(L, 1/sin(theta)) exceeds this value. Largest errors of d^l_mn for
#: L = 1024 and seven (m, n), compared with extended precision: the plain form has 1.5e-14 at this value,
#: 5e-14 at 3e4, 3e-12 close to a pole; the difference form, for a sixth more work, has 4e-15 from theta =
#: 0.01 to the equator, and 1.4e-14 close to a pole.
_DIFFERENCE_LIMIT = 1e4
#: Bytes of work arrays for one chunk of maps.
_CHUNK_BYTES = 2e9
#: Largest number of blocks along the last axis of a launch.
_MAX_MAPS = 65535

#: A plan with its tables on the device. ``weights`` (2, lanes): of northern and southern rings; ``signs``
#: (orders, 2, L): of both series for each degree, 0 where there is none; ``to_grid``, ``from_grid``: tables
#: of `resample`, or None.
DevicePlan = namedtuple("DevicePlan", "orders tables rings columns weights signs to_grid from_grid")
#: One side of a resampling: factors of its rings, (points, mirrored, weights) of each tap, its period.
Side = namedtuple("Side", "factors taps period")


def unusable_reason(problem):
    """Return None: grids that this engine does not support raise an error in the transform."""


def is_usable_for(problem):
    """Return whether the arrays are on a GPU."""
    return problem.on_gpu


def required_bytes(problem):
    """Return the memory on the CPU: none."""
    return 0


def synthesis(flm, problem, checked):
    """Transform coefficients (..., L*L) to samples.

    Raises a ValueError for NaN and inf and, with ``checked``, for coefficients that break the symmetry.
    """
    grid, L, spin, real = problem.grid, problem.L, problem.spin, problem.reality
    _check_rectangular(grid)
    xp = device.array_module()
    plan = _device_plan(problem.plan_of, grid, L, spin, real, THREADS, device.current())
    leading_shape, flm = flm.shape[:-1], flm.reshape(-1, L * L)
    _check_coefficients(xp, flm, L, checked and real, problem.single)
    f = xp.empty((len(flm), *grid.shape), problem.result_type)
    for chunk in _chunks(len(flm), grid, L, real):
        F = legendre_synthesis(xp, flm[chunk].astype(complex), plan, L, spin, real)
        if plan.to_grid is not None:
            F = resample(
                xp,
                F,
                plan.to_grid,
                _parity_sign(plan.orders[:, None] + spin),
            )
        f[chunk] = phi_synthesis(xp, F, grid.shape[1], L, real)
    return f.reshape(*leading_shape, *grid.shape)


def analysis(f, problem):
    """Transform samples to coefficients (..., L*L); raises a ValueError for NaN, inf and UNSEEN."""
    grid, L, spin, real = problem.grid, problem.L, problem.spin, problem.reality
    _check_rectangular(grid)
    xp = device.array_module()
    checks.finite_samples(f, UNSEEN, problem.is_adjoint)
    plan = _device_plan(problem.plan_of, grid, L, spin, real, THREADS, device.current())
    leading_shape, f = f.shape[: f.ndim - 2], f.reshape(-1, *grid.shape)
    flm = xp.empty((len(f), L * L), problem.result_type)
    for chunk in _chunks(len(f), grid, L, real):
        F = phi_analysis(xp, f[chunk].astype(float if real else complex), L, real)
        if plan.from_grid is not None:
            F = resample(
                xp,
                F,
                plan.from_grid,
                _parity_sign(plan.orders[:, None] + spin),
            )
        flm[chunk] = legendre_analysis(xp, F, plan, L, spin, real)
    return flm.reshape(*leading_shape, L * L)


def as_array(x, name):
    """Return ``x`` as an array on the device, of a dtype that the CPU supports."""
    x = device.array_module().asarray(x)
    return x.astype(checks.as_float_array(np.empty(0, x.dtype), name).dtype, copy=False)


def _check_rectangular(grid):
    """Raise an error for grids whose rings differ in length."""
    if not grid.rectangular:
        raise NotImplementedError(
            f"{grid!r} has rings of different lengths; the CUDA transform supports MW, MWSS, DH, DHPole, GL "
            "and CC; use one of these grids, or pass a NumPy array, such as cupy.asnumpy(x), for the CPU"
        )


def _chunks(maps, grid, L, reality):
    """Return slices of maps whose work arrays fit into `_CHUNK_BYTES`."""
    circle = 4 * (grid.period or 0)  # points of the theta step, at most
    rings = 8 * len(grid.ring_theta) + circle
    map_bytes = 16 * (L if reality else 2 * L - 1) * (2 * L + rings) + 16 * math.prod(grid.shape)
    size = int(max(1, min(_CHUNK_BYTES // map_bytes, _MAX_MAPS)))
    return [slice(first, first + size) for first in range(0, maps, size)]


# --- Legendre step -----------------------------------------------------------------------------------


def legendre_synthesis(xp, flm, plan, L, spin, real):
    """Transform (maps, L*L) to F (maps, orders, rings) on the rings of the plan, times its weights."""
    degree, order = xp.arange(L), plan.orders[:, None]
    center, inside = degree * (degree + 1), abs(order) <= degree
    f = flm[:, xp.where(inside, center + order, 0)]
    if real:
        f = 0.5 * (f + _parity_sign(order) * flm[:, xp.where(inside, center - order, 0)].conj())
    c = xp.empty((*f.shape, 2), complex)
    c[..., 0] = plan.signs[:, 0] * f
    c[..., 1] = plan.signs[:, 1] * _southern_orders(f, real)
    sums = xp.empty((len(flm), len(order), 2, plan.weights.shape[1], 2))
    args = plan.orders, -spin, plan.tables, plan.rings, c.view(float), sums
    blocks = len(plan.rings.limits), len(order), len(flm)
    device.launch(wigner_recursion_cuda.synthesis, blocks, THREADS, *args)
    sums = sums.view(complex)[..., 0]
    north = sums[:, :, 0] * plan.weights[0]
    south = _southern_orders(sums[:, :, 1], real) * plan.weights[1]
    return xp.concatenate((north, south), -1)[..., plan.columns]


def legendre_analysis(xp, F, plan, L, spin, real):
    """The transpose of `legendre_synthesis`."""
    maps, n_orders, lanes = *F.shape[:2], plan.weights.shape[1]
    planes = xp.zeros((maps, n_orders, 2 * lanes), complex)
    planes[..., plan.columns] = F
    north, south = planes[..., :lanes] * plan.weights[0], planes[..., lanes:] * plan.weights[1]
    values = xp.empty((maps, n_orders, 2, lanes, 1), complex)
    values[:, :, 0, :, 0], values[:, :, 1, :, 0] = north, _southern_orders(south, real)
    c = xp.zeros((maps, n_orders, L, 2), complex)
    args = plan.orders, -spin, plan.tables, plan.rings, values.view(float), c.view(float)
    device.launch(wigner_recursion_cuda.analysis, (n_orders, maps), THREADS, *args)
    f = plan.signs[:, 0] * c[..., 0] + _southern_orders(plan.signs[:, 1] * c[..., 1], real)
    degree, order = degrees_and_orders(L)
    order = xp.asarray(order)
    if not real:
        return f[:, order + L - 1, xp.asarray(degree)]
    flm = f[:, abs(order), xp.asarray(degree)]
    return xp.where(order < 0, _parity_sign(order) * flm.conj(), flm)


def _southern_orders(x, real):
    """Reorder to the orders on the southern side of a recursion: m for a real signal, otherwise -m."""
    return x if real else x[:, ::-1]


def _parity_sign(order):
    """Return (-1)^m."""
    return 1.0 - 2.0 * (order % 2)


# --- theta and phi steps -----------------------------------------------------------------------------


def resample(xp, F, tables, parity):
    """Resample from the rings of the source to those of the target, as `theta_resampling.resample`.

    ``parity`` = (-1)^{m+s}.
    """
    source, target, degree, factor = tables
    F = F * source.factors
    z = xp.zeros((*F.shape[:2], source.period), complex)
    # Within a tap no two rings share a point, so the additions do not collide, and their order is fixed.
    for points, mirrored, weights in source.taps:
        z[..., points] += weights * F
        z[..., mirrored] += parity * weights * F
    k = xp.arange(-degree, degree + 1)
    spectrum = factor * xp.fft.fft(z, axis=-1)[..., k % source.period]
    z, k = xp.zeros((*F.shape[:2], target.period), complex), k % target.period
    z[..., k[:degree]] += spectrum[..., :degree]  # -k and k can share a bin
    z[..., k[degree:]] += spectrum[..., degree:]
    z = xp.fft.ifft(z, axis=-1, norm="forward")
    F = 0.0
    for points, mirrored, weights in target.taps:
        F = F + weights * (z[..., points] + parity * z[..., mirrored])
    return 0.5 * target.factors * F


def phi_synthesis(xp, F, n, L, real):
    """Transform F (maps, orders, rings) to samples (maps, rings, n)."""
    F = F.swapaxes(1, 2)
    bins = xp.zeros((*F.shape[:2], n // 2 + 1 if real else n), complex)
    bins[..., xp.arange(0 if real else -(L - 1), L)] = F
    if not real:
        return xp.fft.ifft(bins, axis=-1, norm="forward")
    bins[..., 0] = bins[..., 0].real
    return xp.fft.irfft(bins, n=n, axis=-1, norm="forward")


def phi_analysis(xp, f, L, real):
    """The adjoint of `phi_synthesis`: sum_j f_j e^{-i m phi_j}."""
    X = xp.fft.rfft(f, axis=-1) if real else xp.fft.fft(f, axis=-1)
    return X[..., xp.arange(0 if real else -(L - 1), L)].swapaxes(1, 2)


# --- tables ------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _device_plan(plan_of, grid, L, spin, real, threads, device_index):
    """Return a plan on the device of number ``device_index``."""
    xp, plan = device.array_module(), plan_of(grid, L)
    rings, polar_orders = _ring_blocks(plan.lanes, L, spin, threads)
    tables = wigner_recursion_cuda.tables(L, -spin, order_scales(L, spin), polar_orders)
    return DevicePlan(
        xp.asarray(orders_of(L, real)),
        type(tables)(*map(xp.asarray, tables)),
        type(rings)(*map(xp.asarray, rings)),
        xp.asarray(plan.columns),
        xp.asarray(np.stack([plan.lanes.north, plan.lanes.south])),
        xp.asarray(_signs(L, spin, real)),
        _on_device(xp, plan.to_grid),
        _on_device(xp, plan.from_grid),
    )


def _ring_blocks(lanes, L, spin, threads):
    """Return the rings in blocks of ``threads``.

    Also returns the number of orders |m| that need the difference form.
    """
    first = np.arange(0, len(lanes.y), threads)
    last = np.minimum(first + threads, len(lanes.y)) - 1
    sine = 2.0**lanes.log_sin
    polar = L * np.minimum(L, 1 / sine[first]) > _DIFFERENCE_LIMIT
    limits = np.array([int(order_limit(L, sine[i])) for i in last])
    polar_orders = np.max(limits, where=polar, initial=-abs(spin) - 1) + abs(spin) + 1
    columns = lanes.y, lanes.log_sin, lanes.log_tan, polar.astype(np.int64), limits
    return wigner_recursion_cuda.Rings(*columns), min(int(polar_orders), L)


def _signs(L, spin, real):
    """Return the signs of both series of every order for each degree, 0 below max(|m|, |s|)."""
    m, ell = orders_of(L, real)[:, None], np.arange(L)
    start = (1.0 - 2.0 * (spin % 2)) * wigner_recursion_cuda.start_signs(m[:, 0], -spin)[:, None]
    north = start * (ell >= np.maximum(abs(m), abs(spin)))
    return np.stack([north, north * _parity_sign(ell + (m if real else spin))], 1).astype(np.int8)


def _on_device(xp, resampling):
    """Convert the tables of `theta_resampling` to those of `resample`."""
    if resampling is None:
        return None
    sides = []
    n = 2 * resampling.degree + 1
    for side, fft in (
        (resampling.source, resampling.source_fft),
        (resampling.target, resampling.target_fft),
    ):
        weights = side.weights
        if side is resampling.source and weights.shape[1] == 1:  # a pole is its own mirror image
            weights = np.where(side.points == side.mirrored, 0.5, 1.0)
        taps = zip(side.points.T, side.mirrored.T, weights.T, strict=True)
        taps = [tuple(xp.asarray(np.ascontiguousarray(x)) for x in tap) for tap in taps]
        sides.append(Side(xp.asarray(side.factors), taps, fft.n))
    factor = resampling.factor[:n] + 1j * resampling.factor[n:]
    return (*sides, resampling.degree, xp.asarray(factor))


def _check_coefficients(xp, flm, L, hermitian, single):
    """Raise the errors of the CPU for invalid coefficients."""
    input_stats = [0.0 if xp.isfinite(flm).all() else math.nan, 0.0, 0.0]
    if hermitian and flm.size:
        degree, order = degrees_and_orders(L)
        mirror = xp.asarray(degree * (degree + 1) - order)
        defect = abs(flm - xp.asarray(_parity_sign(order)) * flm[:, mirror].conj())
        input_stats[1:] = float(defect.max()), float(abs(flm).max())
    checks.check_coefficients(input_stats, flm, hermitian, single)
