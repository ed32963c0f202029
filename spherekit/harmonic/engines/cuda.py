"""The transforms on a GPU: arrays of CuPy in and out, in the three steps of the CPU.

Legendre step by the kernels of `kernels.wigner_recursion_cuda`, theta step (resampling of the rings of
MW-like grids, see `theta_resampling`) and phi step by FFT, which is cuFFT through CuPy. Plans, rings and
weights are those of `plan`. The recursion of (m, n = -s) at a northern angle serves order m on the ring
there and a second order on its mirror image in the south (see `legendre_spin`):

    d^l_{-m,n}(pi - theta) = (-1)^{l+n} d^l_{m,n}(theta),

or, for real signals, m itself, as d^l_{m,0}(pi - theta) = (-1)^{l+m} d^l_{m,0}(theta).

Arrays of F are complex here, (maps, orders, rings). All work is in float64.
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

#: Threads of a block: at most `wigner_recursion_cuda.THREADS`.
THREADS = wigner_recursion_cuda.THREADS
#: Rings step in differences where L min(L, 1/sin(theta)) is beyond this. Largest errors of d^l_mn, L = 1024,
#: seven (m, n), against extended precision: the plain form 1.5e-14 here, 5e-14 at 3e4, 3e-12 close to a pole;
#: in differences, for a sixth more work, 4e-15 from 0.01 to the equator and 1.4e-14 close to a pole.
_LOST = 1e4
#: Bytes of work arrays for one chunk of maps, and the most blocks along a launch's last axis.
_CHUNK_BYTES, _MAX_MAPS = 2e9, 65535

#: A plan with its tables on the device. ``weights`` (2, lanes) of northern and southern rings; ``signs``
#: (orders, 2, L) of both series by degree, 0 where there is none; ``to_grid``, ``from_grid``: tables
#: of `resample`, or None.
Ready = namedtuple("Ready", "orders tables rings columns weights signs to_grid from_grid")
#: One side of a resampling: factors on its rings, (points, mirrored, weights) of each tap, its period.
Side = namedtuple("Side", "factors taps period")


def unusable_reason(problem):
    """None: it is the engine of arrays on a GPU, and refuses grids that it does not do when it is called."""


def is_usable_for(problem):
    """Whether the arrays lie on a GPU."""
    return problem.on_gpu


def required_bytes(problem):
    """Memory of the CPU: none."""
    return 0


def synthesis(flm, problem, checked):
    """Coefficients (..., L*L) -> samples; refuses NaN and inf and, if ``checked``, a broken symmetry."""
    grid, L, spin, real = problem.grid, problem.L, problem.spin, problem.reality
    _rectangle(grid)
    xp = device.array_module()
    ready = _ready(problem.plan_of, grid, L, spin, real, THREADS, device.current())
    lead, flm = flm.shape[:-1], flm.reshape(-1, L * L)
    _check_coefficients(xp, flm, L, checked and real, problem.single)
    f = xp.empty((len(flm), *grid.shape), problem.result_type)
    for chunk in _chunks(len(flm), grid, L, real):
        F = legendre_synthesis(xp, flm[chunk].astype(complex), ready, L, spin, real)
        if ready.to_grid is not None:
            F = resample(xp, F, ready.to_grid, _flips(ready.orders[:, None] + spin))
        f[chunk] = phi_synthesis(xp, F, grid.shape[1], L, real)
    return f.reshape(*lead, *grid.shape)


def analysis(f, problem):
    """Samples -> coefficients (..., L*L); refuses NaN, inf and UNSEEN."""
    grid, L, spin, real = problem.grid, problem.L, problem.spin, problem.reality
    _rectangle(grid)
    xp = device.array_module()
    checks.finite_samples(f, UNSEEN, problem.is_adjoint)
    ready = _ready(problem.plan_of, grid, L, spin, real, THREADS, device.current())
    lead, f = f.shape[: f.ndim - 2], f.reshape(-1, *grid.shape)
    flm = xp.empty((len(f), L * L), problem.result_type)
    for chunk in _chunks(len(f), grid, L, real):
        F = phi_analysis(xp, f[chunk].astype(float if real else complex), L, real)
        if ready.from_grid is not None:
            F = resample(xp, F, ready.from_grid, _flips(ready.orders[:, None] + spin))
        flm[chunk] = legendre_analysis(xp, F, ready, L, spin, real)
    return flm.reshape(*lead, L * L)


def numbers(x, name):
    """``x`` as an array on the device, of a type that the CPU takes too."""
    x = device.array_module().asarray(x)
    return x.astype(checks.as_float_array(np.empty(0, x.dtype), name).dtype, copy=False)


def _rectangle(grid):
    """Refuse grids whose rings differ in length."""
    if not grid.rectangular:
        raise NotImplementedError(
            f"{grid!r} has rings of different lengths, which the CUDA transform does not do yet; take MW, "
            "MWSS, DH, DHPole, GL or CC, or pass a NumPy array, such as cupy.asnumpy(x), for the CPU"
        )


def _chunks(maps, grid, L, reality):
    """Slices of maps whose work arrays fit."""
    circle = 4 * (grid.period or 0)  # points of the theta step, at most
    rings = 8 * len(grid.ring_theta) + circle
    map_bytes = 16 * (L if reality else 2 * L - 1) * (2 * L + rings) + 16 * math.prod(grid.shape)
    size = int(max(1, min(_CHUNK_BYTES // map_bytes, _MAX_MAPS)))
    return [slice(first, first + size) for first in range(0, maps, size)]


# --- Legendre step -----------------------------------------------------------------------------------


def legendre_synthesis(xp, flm, ready, L, spin, real):
    """(maps, L*L) -> F (maps, orders, rings) on the plan's rings, times its weights."""
    degree, order = xp.arange(L), ready.orders[:, None]
    at, inside = degree * (degree + 1), abs(order) <= degree
    f = flm[:, xp.where(inside, at + order, 0)]
    if real:
        f = 0.5 * (f + _flips(order) * flm[:, xp.where(inside, at - order, 0)].conj())
    c = xp.empty((*f.shape, 2), complex)
    c[..., 0], c[..., 1] = ready.signs[:, 0] * f, ready.signs[:, 1] * _partner(f, real)
    out = xp.empty((len(flm), len(order), 2, ready.weights.shape[1], 2))
    args = ready.orders, -spin, ready.tables, ready.rings, c.view(float), out
    blocks = len(ready.rings.limits), len(order), len(flm)
    device.launch(wigner_recursion_cuda.synthesis, blocks, THREADS, *args)
    out = out.view(complex)[..., 0]
    sides = out[:, :, 0] * ready.weights[0], _partner(out[:, :, 1], real) * ready.weights[1]
    return xp.concatenate(sides, -1)[..., ready.columns]


def legendre_analysis(xp, F, ready, L, spin, real):
    """Transpose of `legendre_synthesis`."""
    maps, n_orders, lanes = *F.shape[:2], ready.weights.shape[1]
    planes = xp.zeros((maps, n_orders, 2 * lanes), complex)
    planes[..., ready.columns] = F
    north, south = planes[..., :lanes] * ready.weights[0], planes[..., lanes:] * ready.weights[1]
    values = xp.empty((maps, n_orders, 2, lanes, 1), complex)
    values[:, :, 0, :, 0], values[:, :, 1, :, 0] = north, _partner(south, real)
    c = xp.zeros((maps, n_orders, L, 2), complex)
    args = ready.orders, -spin, ready.tables, ready.rings, values.view(float), c.view(float)
    device.launch(wigner_recursion_cuda.analysis, (n_orders, maps), THREADS, *args)
    f = ready.signs[:, 0] * c[..., 0] + _partner(ready.signs[:, 1] * c[..., 1], real)
    degree, order = degrees_and_orders(L)
    order = xp.asarray(order)
    if not real:
        return f[:, order + L - 1, xp.asarray(degree)]
    flm = f[:, abs(order), xp.asarray(degree)]
    return xp.where(order < 0, _flips(order) * flm.conj(), flm)


def _partner(x, real):
    """Rows by the order on the southern side of a recursion: m of a real signal, else -m."""
    return x if real else x[:, ::-1]


def _flips(order):
    """(-1)^m."""
    return 1.0 - 2.0 * (order % 2)


# --- theta and phi steps -----------------------------------------------------------------------------


def resample(xp, F, tables, parity):
    """From the source's rings to the target's, as `theta_resampling.resample`; ``parity`` = (-1)^{m+s}."""
    source, target, degree, factor = tables
    F = F * source.factors
    z = xp.zeros((*F.shape[:2], source.period), complex)
    # Within a tap no two rings share a point: each sum is complete, and in a fixed order.
    for points, mirrored, weights in source.taps:
        z[..., points] += weights * F
        z[..., mirrored] += parity * weights * F
    k = xp.arange(-degree, degree + 1)
    spectrum = factor * xp.fft.fft(z, axis=-1)[..., k % source.period]
    z, k = xp.zeros((*F.shape[:2], target.period), complex), k % target.period
    z[..., k[:degree]] += spectrum[..., :degree]  # -k and k may share a bin
    z[..., k[degree:]] += spectrum[..., degree:]
    z = xp.fft.ifft(z, axis=-1, norm="forward")
    F = 0.0
    for points, mirrored, weights in target.taps:
        F = F + weights * (z[..., points] + parity * z[..., mirrored])
    return 0.5 * target.factors * F


def phi_synthesis(xp, F, n, L, real):
    """F (maps, orders, rings) -> samples (maps, rings, n)."""
    F = F.swapaxes(1, 2)
    bins = xp.zeros((*F.shape[:2], n // 2 + 1 if real else n), complex)
    bins[..., xp.arange(0 if real else -(L - 1), L)] = F
    if not real:
        return xp.fft.ifft(bins, axis=-1, norm="forward")
    bins[..., 0] = bins[..., 0].real
    return xp.fft.irfft(bins, n=n, axis=-1, norm="forward")


def phi_analysis(xp, f, L, real):
    """Adjoint of `phi_synthesis`: sum_j f_j e^{-i m phi_j}."""
    X = xp.fft.rfft(f, axis=-1) if real else xp.fft.fft(f, axis=-1)
    return X[..., xp.arange(0 if real else -(L - 1), L)].swapaxes(1, 2)


# --- tables ------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _ready(plan_of, grid, L, spin, real, threads, card):
    """A plan on the device of number ``card``."""
    xp, plan = device.array_module(), plan_of(grid, L)
    rings, polar_orders = _ring_blocks(plan.lanes, L, spin, threads)
    tables = wigner_recursion_cuda.tables(L, -spin, order_scales(L, spin), polar_orders)
    return Ready(
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
    """Rings in blocks of ``threads``, and the number of orders |m| that reach those in differences."""
    first = np.arange(0, len(lanes.y), threads)
    last = np.minimum(first + threads, len(lanes.y)) - 1
    sine = 2.0**lanes.log_sin
    polar = L * np.minimum(L, 1 / sine[first]) > _LOST
    limits = np.array([int(order_limit(L, sine[i])) for i in last])
    reached = np.max(limits, where=polar, initial=-abs(spin) - 1) + abs(spin) + 1
    columns = lanes.y, lanes.log_sin, lanes.log_tan, polar.astype(np.int64), limits
    return wigner_recursion_cuda.Rings(*columns), min(int(reached), L)


def _signs(L, spin, real):
    """Signs of both series of every order by degree, 0 below max(|m|, |s|)."""
    m, ell = orders_of(L, real)[:, None], np.arange(L)
    start = (1.0 - 2.0 * (spin % 2)) * wigner_recursion_cuda.start_signs(m[:, 0], -spin)[:, None]
    north = start * (ell >= np.maximum(abs(m), abs(spin)))
    return np.stack([north, north * _flips(ell + (m if real else spin))], 1).astype(np.int8)


def _on_device(xp, resampling):
    """Tables of `resample` from those of `theta_resampling`."""
    if resampling is None:
        return None
    sides, n = [], 2 * resampling.degree + 1
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
    """Refuse coefficients as on the CPU."""
    input_stats = [0.0 if xp.isfinite(flm).all() else math.nan, 0.0, 0.0]
    if hermitian and flm.size:
        degree, order = degrees_and_orders(L)
        mirror = xp.asarray(degree * (degree + 1) - order)
        defect = abs(flm - xp.asarray(_flips(order)) * flm[:, mirror].conj())
        input_stats[1:] = float(defect.max()), float(abs(flm).max())
    checks.check_coefficients(input_stats, flm, hermitian, single)
