"""Exact resampling in theta between sets of rings, by Fourier series.

The Fourier coefficient F_m(theta) of a field of spin s and band-limit L continues across the pole as
F_m(-theta) = (-1)^{m+s} F_m(theta). It is then a trigonometric polynomial of degree < L, determined by any
2L-1 equidistant points of the circle (McEwen and Wiaux 2011, IEEE TSP 59, 5876, section III). Equidistant
rings are a `Circle` (period P, shift): theta_t = 2 pi (t + shift)/P, for those in [0, pi]. Other rings are
`Nodes` (period P, theta): the values are computed on a circle finer than the polynomial requires, and
interpolated from sixteen points around each ring (Kaiser-Bessel window; Barnett et al. 2019, SIAM J. Sci.
Comput. 41, C479).

An even and an odd order are resampled together: the sum Z of their values on the circle is resampled by two
complex FFTs, and Z(theta) +- Z(-theta) separate them again. Eight such pairs are the lanes of the FFT.
"""

from collections import namedtuple

import numpy as np

from spherekit._core.bessel import i0e
from spherekit._core.fft_lengths import next_fast_length
from spherekit._core.jit import jit
from spherekit._core.workspace import aligned
from spherekit.kernels import fft as lane_fft
from spherekit.kernels.simd import Lanes, load, splat, spread, store, width
from spherekit.kernels.transpose import load_rows, store_rows

EIGHT = Lanes(8)

Circle = namedtuple("Circle", "period shift")
Nodes = namedtuple("Nodes", "period theta")

#: One side of a resampling: the column of each ring in the planes; the points of the ring and of its mirror
#: image on the circle, with their weights (rings, points); factors of the values; the number of columns.
Side = namedtuple("Side", "columns points mirrored weights factors width")

#: Sides, FFT tables, and the factors of the degrees |k| <= K (planes of re, im).
Resampling = namedtuple("Resampling", "source target source_fft target_fft degree factor")

_POINTS_PER_RING = 16


def circle_of(grid):
    """Return the circle of an equispaced grid."""
    return Circle(grid.period, 0.0 if grid.ring_theta[0] == 0 else 0.5)


def fejer_circle(n):
    """Return the circle whose rings are n mid-points, pi (t + 1/2)/n."""
    return Circle(2 * n, 0.5)


def nodes(theta, degree):
    """Return arbitrary rings for polynomials of the given degree: a circle of twice the points they need."""
    return Nodes(next_fast_length(max(4 * degree + 2, 4 * _POINTS_PER_RING)), theta)


def resampling(source, target, band, *, adjoint=False):
    """Return the tables from ``source`` to ``target``, each (circle or nodes, columns of its rings, columns).

    ``band`` = (K, halved) limits the degrees to |k| <= K; with ``halved``, the last one has half weight on
    either side, as the highest degree of the circle. ``adjoint`` gives the transpose of the tables from
    ``target`` to ``source``, with the multiplicities of the rings on their circles.
    """
    (a, a_columns, a_width), (b, b_columns, b_width) = source, target
    degree, halved = band
    k = np.arange(-degree, degree + 1)
    cycles = k * _shift_of(b) / b.period - k * _shift_of(a) / a.period
    factor = np.exp(2j * np.pi * (np.remainder(cycles + 0.5, 1) - 0.5))
    factor /= _window_transform(a, degree, k) * _window_transform(b, degree, k)
    factor /= b.period if adjoint else a.period
    if halved:
        factor[[0, -1]] *= 0.5
    source_factors, target_factors = np.ones(len(a_columns)), np.ones(len(b_columns))
    if adjoint:
        source_factors, target_factors = 1 / _multiplicity(a), _multiplicity(b)
    return Resampling(
        Side(np.asarray(a_columns, np.int64), *_points(a, degree), source_factors, a_width),
        Side(np.asarray(b_columns, np.int64), *_points(b, degree), target_factors, b_width),
        lane_fft.tables(a.period, EIGHT),
        lane_fft.tables(b.period, EIGHT),
        degree,
        np.concatenate([factor.real, factor.imag]),
    )


def _shift_of(rings):
    return rings.shift if isinstance(rings, Circle) else 0.0


def _points(rings, degree):
    """Return (points, mirrored points, weights) of every ring."""
    if isinstance(rings, Circle):
        t = np.arange(ring_count(rings))[:, None]
        mirror = (rings.period - t - (1 if rings.shift else 0)) % rings.period
        return t, mirror, np.ones(t.shape)
    position = rings.theta[:, None] * (rings.period / (2 * np.pi))
    points = np.ceil(position - _POINTS_PER_RING / 2).astype(np.int64) + np.arange(_POINTS_PER_RING)
    inside = np.maximum(1 - (2 * (points - position) / _POINTS_PER_RING) ** 2, 0)
    beta = _window_parameter(rings.period, degree)
    weights = i0e(beta * np.sqrt(inside)) * np.exp(beta * (np.sqrt(inside) - 1))
    return points % rings.period, -points % rings.period, weights / i0e(beta)


def _window_parameter(period, degree):
    """Return the parameter of the window, for the degrees that alias to |k| <= K."""
    return 0.995 * np.pi * _POINTS_PER_RING * (1 - degree / period)


def _window_transform(rings, degree, k):
    """Return the Fourier transform of the window at the degrees |k| <= K."""
    if isinstance(rings, Circle):
        return np.ones(len(k))
    beta = _window_parameter(rings.period, degree)
    z = np.sqrt(beta**2 - (np.pi * _POINTS_PER_RING * k / rings.period) ** 2)
    return _POINTS_PER_RING * -np.expm1(-2 * z) / (2 * z) * np.exp(z - beta) / i0e(beta)


def resample(planes, tables, source_slots, target_slots, result):
    """Resample planes (maps, slots, 2, columns) from the columns of the source to those of the target.

    The slots are those of `parity_pairs`.
    """
    # A lane without an order reads that of its partner, or slot 0; its result is not stored.
    source_slots = np.where(source_slots < 0, np.maximum(source_slots[::-1], 0), source_slots)
    _resample(EIGHT, planes, tables, source_slots, target_slots, result)


def parity_pairs(orders, real, spin):
    """Return the slots of F_m with m + s even, and of a neighboring odd order: (2, lanes), -1 for none.

    ``orders``: `ring_lanes.Orders`, the first of them even. An odd F vanishes at a pole.
    """
    m = np.arange(orders.first, orders.last, 2)
    is_unpaired = m + 1 == orders.last
    slots = [[orders.positive + m, np.where(is_unpaired, -1, orders.positive + m + 1)]]
    if not real:
        odd_negative = np.where(is_unpaired, -1, orders.negative - m - 1)
        slots.append([np.where(m == 0, -1, orders.negative - m), odd_negative])
    slots = np.concatenate(slots[::-1], axis=1)
    lanes = np.pad(slots, ((0, 0), (0, -slots.shape[1] % EIGHT.type.width)), constant_values=-1)
    return np.ascontiguousarray(lanes[::-1] if spin % 2 else lanes)


@jit
def _resample(lanes, planes, tables, source_slots, target_slots, result):
    v, source, target = width(lanes), tables.source, tables.target
    n, n2 = tables.source_fft.size, tables.target_fft.size
    size = v * max(tables.source_fft.work_points, tables.target_fft.work_points)
    work, spectrum = aligned(size, planes), aligned(2 * v * (2 * tables.degree + 1), planes)
    columns = max(source.width, target.width)
    even = aligned(2 * columns * v, planes).reshape(2, columns * v)
    odd = aligned(2 * columns * v, planes).reshape(2, columns * v)
    dummy = aligned(v, planes)
    work[:], even[:], odd[:] = 0.0, 0.0, 0.0
    groups = source_slots.shape[1] // v
    source_rows = source_slots * (2 * source.width)
    target_rows = np.where(target_slots < 0, -1, target_slots * (2 * target.width))
    for item in range(planes.shape[0] * groups):
        q, lane = item // groups, item % groups * v
        for part in range(2):
            for c in range(0, source.width, v):
                offset = part * source.width + c
                load_rows(
                    lanes, planes[q].reshape(-1), source_rows[0], lane, offset, even[part], c * v
                )
                load_rows(
                    lanes, planes[q].reshape(-1), source_rows[1], lane, offset, odd[part], c * v
                )
            if source.points.shape[1] > 1:
                work[part * v * n : (part + 1) * v * n] = 0.0
            _to_circle(lanes, even[part], odd[part], source, work, part * v * n)
        re, im = lane_fft.transform(lanes, work, 0, tables.source_fft)
        _apply_factors(lanes, work, re, im, tables, spectrum, v * n2)
        re, im = lane_fft.transform(lanes, work, 1, tables.target_fft)
        even[:], odd[:] = 0.0, 0.0
        for part in range(2):
            _from_circle(lanes, work, im if part else re, target, even[part], odd[part])
            for c in range(0, target.width, v):
                offset = part * target.width + c
                result_map = result[q].reshape(-1)
                store_rows(
                    lanes, even[part], c * v, result_map, target_rows[0], lane, offset, dummy
                )
                store_rows(lanes, odd[part], c * v, result_map, target_rows[1], lane, offset, dummy)


@jit
def _to_circle(lanes, even, odd, side, work, start):
    """Distribute Z to the points of the circle: even + odd at a ring, even - odd at its mirror image."""
    v, interpolated = width(lanes), side.points.shape[1] > 1
    for t in range(side.columns.size):
        c, factor = side.columns[t] * v, spread(lanes, side.factors, t)
        e, o = factor * load(lanes, even, c), factor * load(lanes, odd, c)
        if interpolated:
            _spread_to_points(lanes, work, start, side.points[t], side.weights[t], e + o)
            _spread_to_points(lanes, work, start, side.mirrored[t], side.weights[t], e - o)
        elif side.mirrored[t, 0] == t:
            store(work, start + t * v, e)
        else:
            store(work, start + t * v, e + o)
            store(work, start + side.mirrored[t, 0] * v, e - o)


@jit
def _from_circle(lanes, work, start, side, even, odd):
    """Even and odd part at each ring, from the values on the circle at the ring and at its mirror image."""
    v, interpolated = width(lanes), side.points.shape[1] > 1
    for t in range(side.columns.size):
        c, half = side.columns[t] * v, splat(lanes, 0.5 * side.factors[t])
        if interpolated:
            a = _interpolate(lanes, work, start, side.points[t], side.weights[t])
            b = _interpolate(lanes, work, start, side.mirrored[t], side.weights[t])
        else:
            a = load(lanes, work, start + t * v)
            b = load(lanes, work, start + side.mirrored[t, 0] * v)
        store(even, c, half * (a + b))
        store(odd, c, half * (a - b))


@jit
def _spread_to_points(lanes, work, start, points, weights, value):
    for i in range(points.size):
        target = start + points[i] * width(lanes)
        store(work, target, load(lanes, work, target) + spread(lanes, weights, i) * value)


@jit
def _interpolate(lanes, work, start, points, weights):
    v = width(lanes)
    a = b = splat(lanes, 0.0)
    for i in range(0, points.size, 2):
        a = a + spread(lanes, weights, i) * load(lanes, work, start + points[i] * v)
        b = b + spread(lanes, weights, i + 1) * load(lanes, work, start + points[i + 1] * v)
    return a + b


@jit
def _apply_factors(lanes, work, re, im, tables, spectrum, imag):
    """Multiply the degrees |k| <= K by their factors, from the bins of the source to those of the target."""
    v, degree, count = width(lanes), tables.degree, 2 * tables.degree + 1
    n, n2 = tables.source_fft.n, tables.target_fft.n
    for i in range(count):
        k = i - degree
        index = (k % n) * v
        c, s = splat(lanes, tables.factor[i]), splat(lanes, tables.factor[count + i])
        a, b = load(lanes, work, re + index), load(lanes, work, im + index)
        store(spectrum, i * v, a * c - b * s)
        store(spectrum, (count + i) * v, a * s + b * c)
    zero = splat(lanes, 0.0)
    for k in range(n2):
        store(work, k * v, zero)
        store(work, imag + k * v, zero)
    for i in range(count):  # two degrees can share a bin
        index = ((i - degree) % n2) * v
        store(work, index, load(lanes, work, index) + load(lanes, spectrum, i * v))
        index += imag
        store(work, index, load(lanes, work, index) + load(lanes, spectrum, (count + i) * v))


def ring_count(circle):
    """Return the number of nodes in [0, pi]."""
    if circle.shift == 0:
        return int(circle.period / 2 - circle.shift) + 1
    return (circle.period + 1) // 2


def _multiplicity(rings):
    """Return how often each ring occurs on its circle: a pole once, other rings twice."""
    if isinstance(rings, Nodes):
        return np.full(len(rings.theta), 2.0)
    points, mirrored, _ = _points(rings, 0)
    return np.where(points == mirrored, 1.0, 2.0)[:, 0]
