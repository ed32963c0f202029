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
from typing import NamedTuple

import numpy as np

from spherekit._core.bessel import i0e
from spherekit._core.fft_lengths import next_fast_length
from spherekit._core.jit import leaf
from spherekit._core.workspace import scratch
from spherekit.kernels import fft as lane_fft
from spherekit.kernels.simd import Lanes, load, pointer, splat, spread, store, width
from spherekit.kernels.transpose import load_rows, store_rows
from spherekit.kernels.wigner_recursion import clear

EIGHT = Lanes(8)

Circle = namedtuple("Circle", "period shift")
Nodes = namedtuple("Nodes", "period theta")


class Side(NamedTuple):
    """One side of a resampling.

    ``indices``: the column of each ring in the planes, the points of each ring on the circle, and those of
    its mirror image. ``values``: a factor for each ring, and the weights of the points. ``taps``: number of
    points of a ring; ``width``: number of columns.
    """

    indices: np.ndarray
    values: np.ndarray
    rings: int
    taps: int
    width: int

    @property
    def factors(self):
        """The factor of each ring."""
        return self.values[: self.rings]

    @property
    def weights(self):
        """The weights of the points of each ring: (rings, taps)."""
        return self.values[self.rings :].reshape(self.rings, self.taps)

    @property
    def points(self):
        """The points of each ring on the circle: (rings, taps)."""
        return self.indices[self.rings :].reshape(2, self.rings, self.taps)[0]

    @property
    def mirrored(self):
        """The points of the mirror image of each ring on the circle: (rings, taps)."""
        return self.indices[self.rings :].reshape(2, self.rings, self.taps)[1]


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
        _side(a_columns, *_points(a, degree), source_factors, a_width),
        _side(b_columns, *_points(b, degree), target_factors, b_width),
        lane_fft.tables(a.period, EIGHT),
        lane_fft.tables(b.period, EIGHT),
        degree,
        np.concatenate([factor.real, factor.imag]),
    )


def _side(columns, points, mirrored, weights, factors, columns_count):
    """Return the `Side` of rings with the given columns, points, weights and factors."""
    indices = np.concatenate([columns, points.ravel(), mirrored.ravel()]).astype(np.int64)
    values = np.concatenate([factors, weights.ravel()])
    return Side(indices, values, *points.shape, columns_count)


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
    source, target = tables.source, tables.target
    source_rows = source_slots * (2 * source.width)
    target_rows = np.where(target_slots < 0, -1, target_slots * (2 * target.width))
    v, fft_tables = EIGHT.type.width, (tables.source_fft, tables.target_fft)
    fft_size = max(lane_fft.work_size(v, table) for table in fft_tables)
    columns = max(source.width, target.width)
    size = 2 * v * (2 * tables.degree + 1) + 4 * columns * v + v
    work, buffer = scratch("circle", (fft_size,)), scratch("resampling", (size,))
    sides = source, target, *fft_tables, tables.degree, tables.factor
    _resample(EIGHT, *sides, source_rows, target_rows, work, buffer, planes, result)


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


@leaf
def _resample(
    lanes,
    source,
    target,
    source_fft,
    target_fft,
    degree,
    factor,
    source_rows,
    target_rows,
    work,
    buffer,
    planes,
    result,
):
    v, n, columns = width(lanes), source_fft.size, max(source.width, target.width)
    circle, factors = pointer(work, 0), pointer(factor, 0)
    spectrum = pointer(buffer, 0)
    even = pointer(spectrum, 2 * v * (2 * degree + 1))
    odd = pointer(even, 2 * columns * v)
    dummy = pointer(odd, 2 * columns * v)
    clear(circle, work.size)
    clear(even, 4 * columns * v)
    lane_count, source_offsets = source_rows.shape[1], pointer(source_rows, 0)
    target_offsets, groups = pointer(target_rows, 0), lane_count // v
    for item in range(planes.shape[0] * groups):
        q, lane = item // groups, item % groups * v
        plane = pointer(planes, q * (planes.size // planes.shape[0]))
        result_plane = pointer(result, q * (result.size // planes.shape[0]))
        for part in range(2):
            start, first = part * columns * v, part * source.width
            _load_columns(lanes, plane, source_offsets, lane, first, source.width, even, start)
            odd_offsets = pointer(source_offsets, lane_count)
            _load_columns(lanes, plane, odd_offsets, lane, first, source.width, odd, start)
            if source.taps > 1:
                clear(pointer(circle, part * v * n), v * n)
            _to_circle(
                lanes, pointer(even, start), pointer(odd, start), source, circle, part * v * n
            )
        re, im = lane_fft.transform(lanes, circle, 0, source_fft)
        bins = source_fft.n, target_fft.n
        _apply_factors(lanes, circle, re, im, bins, degree, factors, spectrum, v * target_fft.size)
        re, im = lane_fft.transform(lanes, circle, 1, target_fft)
        clear(even, 4 * columns * v)
        for part in range(2):
            start, first = part * columns * v, part * target.width
            circle_part = im if part else re
            _from_circle(
                lanes, circle, circle_part, target, pointer(even, start), pointer(odd, start)
            )
            for c in range(0, target.width, v):
                column, odd_offsets = first + c, pointer(target_offsets, lane_count)
                store_rows(
                    lanes, even, start + c * v, result_plane, target_offsets, lane, column, dummy
                )
                store_rows(
                    lanes, odd, start + c * v, result_plane, odd_offsets, lane, column, dummy
                )


@leaf
def _load_columns(lanes, plane, offsets, lane, first, count, target, start):
    """Load columns of eight orders, with the orders as lanes."""
    v = width(lanes)
    for c in range(0, count, v):
        load_rows(lanes, plane, offsets, lane, first + c, target, start + c * v)


@leaf
def _to_circle(lanes, even, odd, side, work, start):
    """Distribute Z to the points of the circle: even + odd at a ring, even - odd at its mirror image."""
    v, rings, taps = width(lanes), side.rings, side.taps
    columns, factors = pointer(side.indices, 0), pointer(side.values, 0)
    points, weights = pointer(columns, rings), pointer(factors, rings)
    mirrored = pointer(points, rings * taps)
    for t in range(rings):
        c, factor = columns[t] * v, spread(lanes, factors, t)
        e, o = factor * load(lanes, even, c), factor * load(lanes, odd, c)
        if taps > 1:
            ring_weights = pointer(weights, t * taps)
            _spread_to_points(
                lanes, work, start, pointer(points, t * taps), ring_weights, taps, e + o
            )
            _spread_to_points(
                lanes, work, start, pointer(mirrored, t * taps), ring_weights, taps, e - o
            )
        elif mirrored[t] == t:
            store(work, start + t * v, e)
        else:
            store(work, start + t * v, e + o)
            store(work, start + mirrored[t] * v, e - o)


@leaf
def _from_circle(lanes, work, start, side, even, odd):
    """Even and odd part at each ring, from the values on the circle at the ring and at its mirror image."""
    v, rings, taps = width(lanes), side.rings, side.taps
    columns, factors = pointer(side.indices, 0), pointer(side.values, 0)
    points, weights = pointer(columns, rings), pointer(factors, rings)
    mirrored = pointer(points, rings * taps)
    for t in range(rings):
        c, half = columns[t] * v, splat(lanes, 0.5 * factors[t])
        if taps > 1:
            ring_weights = pointer(weights, t * taps)
            a = _interpolate(lanes, work, start, pointer(points, t * taps), ring_weights, taps)
            b = _interpolate(lanes, work, start, pointer(mirrored, t * taps), ring_weights, taps)
        else:
            a = load(lanes, work, start + t * v)
            b = load(lanes, work, start + mirrored[t] * v)
        store(even, c, half * (a + b))
        store(odd, c, half * (a - b))


@leaf
def _spread_to_points(lanes, work, start, points, weights, count, value):
    for i in range(count):
        target = start + points[i] * width(lanes)
        store(work, target, load(lanes, work, target) + spread(lanes, weights, i) * value)


@leaf
def _interpolate(lanes, work, start, points, weights, count):
    v = width(lanes)
    a = b = splat(lanes, 0.0)
    for i in range(0, count, 2):
        a = a + spread(lanes, weights, i) * load(lanes, work, start + points[i] * v)
        b = b + spread(lanes, weights, i + 1) * load(lanes, work, start + points[i + 1] * v)
    return a + b


@leaf
def _apply_factors(lanes, work, re, im, bins, degree, factor, spectrum, imag):
    """Multiply the degrees |k| <= K by their factors, from the bins of the source to those of the target.

    ``bins``: numbers of bins of the source and of the target.
    """
    v, count = width(lanes), 2 * degree + 1
    n, n2 = bins
    for i in range(count):
        k = i - degree
        index = (k % n) * v
        c, s = splat(lanes, factor[i]), splat(lanes, factor[count + i])
        a, b = load(lanes, work, re + index), load(lanes, work, im + index)
        store(spectrum, i * v, a * c - b * s)
        store(spectrum, (count + i) * v, a * s + b * c)
    clear(work, n2 * v)
    clear(pointer(work, imag), n2 * v)
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
