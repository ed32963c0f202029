"""Resampling in theta between equispaced rings: exact, by Fourier series.

The Fourier coefficient F_m(theta) of a field of spin s and band-limit L continues over the pole as
F_m(-theta) = (-1)^{m+s} F_m(theta) and is then a trigonometric polynomial of degree < L, known from any
2L-1 equidistant points of the circle (McEwen and Wiaux 2011, IEEE TSP 59, 5876, section III). A circle of
nodes is (period P, shift): theta_t = 2 pi (t + shift)/P; its rings are those in [0, pi].

An even and an odd order travel together: the sum Z of their values on the circle is resampled by two
complex FFTs, and Z(theta) +- Z(-theta) part them again. Eight such pairs are the lanes of the FFT.
"""

from collections import namedtuple
from functools import lru_cache

import numpy as np

from spherekit._jit import jit
from spherekit._threads import run
from spherekit.kernels import fourier
from spherekit.kernels.rows import load_rows, store_rows
from spherekit.kernels.simd import Lanes, load, next_item, splat, store, width

EIGHT = Lanes(8)

Circle = namedtuple("Circle", "period shift")

#: One side of a resampling: column of each ring in its planes, point of its mirror image on the circle
#: (its own at a pole), factors on its values, and their number of columns.
Side = namedtuple("Side", "columns mirror factors width")

#: Sides, FFT tables, and e^{i k angle}/period (planes of re, im) for the kept degrees |k| <= K.
Resampling = namedtuple("Resampling", "source target source_fft target_fft degree factor")


def circle_of(grid):
    """The circle of an equispaced grid."""
    return Circle(grid.period, 0.0 if grid.ring_theta[0] == 0 else 0.5)


def fejer_circle(n):
    """The circle whose rings are n mid-points, pi (t + 1/2)/n."""
    return Circle(2 * n, 0.5)


def resampling(source, target, band, *, adjoint=False):
    """Tables from ``source`` to ``target``, each (circle, columns of its rings, number of columns).

    ``band`` = (K, halved) keeps the degrees |k| <= K, the last at half weight to either side where it is
    the circle's highest. ``adjoint`` gives the transpose of the tables from ``target`` to ``source``: the
    way back, with the multiplicities of the rings on their circles.
    """
    (a, a_columns, a_width), (b, b_columns, b_width) = source, target
    degree, halved = band
    k = np.arange(-degree, degree + 1)
    angle = (
        2 * np.pi * (np.remainder(k * b.shift / b.period - k * a.shift / a.period + 0.5, 1) - 0.5)
    )
    factor = np.exp(1j * angle) / a.period
    if halved:
        factor[[0, -1]] *= 0.5
    before, after = np.ones(len(a_columns)), np.ones(len(b_columns))
    if adjoint:
        before, after = a.period / b.period / _multiplicity(a), _multiplicity(b)
    return Resampling(
        Side(np.asarray(a_columns, np.int64), _mirror(a), before, a_width),
        Side(np.asarray(b_columns, np.int64), _mirror(b), after, b_width),
        fourier.tables(a.period),
        fourier.tables(b.period),
        degree,
        np.concatenate([factor.real, factor.imag]),
    )


def resample(planes, tables, odd_first, threads):
    """Planes (maps, orders, 2, columns) -> planes of the target's columns.

    ``odd_first``: whether the first order's m + s is odd; an odd F vanishes on a pole.
    """
    maps, n_orders = planes.shape[:2]
    result = np.empty((maps, n_orders, 2, tables.target.width))
    counter = np.zeros(1, np.int64)
    reads, writes = _order_rows(n_orders, bool(odd_first))

    def work(thread):
        _resample(EIGHT, counter, planes, tables, reads, writes, result)

    run(work, threads)
    return result


@lru_cache(maxsize=32)
def _order_rows(n_orders, odd_first):
    """Orders that a lane reads and writes: (even or odd, lanes); -1 is written nowhere."""
    pairs = -(-n_orders // 2)
    order = np.full((2, -(-pairs // 8) * 8), -1)
    order[:, :pairs] = 2 * np.arange(pairs) + np.array([[0], [1]])
    order[order >= n_orders] = -1
    if odd_first:
        order = np.ascontiguousarray(order[::-1])
    # a lane without an order, or without a partner, reads what is at hand
    return np.where(order < 0, np.maximum(order[::-1], 0), order), order


@jit
def _resample(lanes, counter, planes, tables, reads, writes, result):
    v, source, target = width(lanes), tables.source, tables.target
    n, n2 = tables.source_fft.size, tables.target_fft.size
    size = max(fourier.work_size(v, tables.source_fft), fourier.work_size(v, tables.target_fft))
    work, spectrum = np.zeros(size), np.empty(2 * v * (2 * tables.degree + 1))
    columns = max(source.width, target.width)
    even, odd, spare = np.zeros((2, columns * v)), np.zeros((2, columns * v)), np.empty(v)
    groups = reads.shape[1] // v
    row_in, row_out = (
        reads * (2 * source.width),
        np.where(writes < 0, -1, writes * (2 * target.width)),
    )
    while True:
        item = next_item(counter)
        if item >= planes.shape[0] * groups:
            return
        q, lane = item // groups, item % groups * v
        for part in range(2):
            for c in range(0, source.width, v):
                at = part * source.width + c
                load_rows(lanes, planes[q].reshape(-1), row_in[0], lane, at, even[part], c * v)
                load_rows(lanes, planes[q].reshape(-1), row_in[1], lane, at, odd[part], c * v)
            _join(lanes, even[part], odd[part], source, work, part * v * n)
        re, im = fourier.transform(lanes, work, 0, tables.source_fft)
        _shift(lanes, work, re, im, tables, spectrum, v * n2)
        re, im = fourier.transform(lanes, work, 1, tables.target_fft)
        even[:], odd[:] = 0.0, 0.0
        for part in range(2):
            _part(lanes, work, im if part else re, target, even[part], odd[part])
            for c in range(0, target.width, v):
                at = part * target.width + c
                out = result[q].reshape(-1)
                store_rows(lanes, even[part], c * v, out, row_out[0], lane, at, spare)
                store_rows(lanes, odd[part], c * v, out, row_out[1], lane, at, spare)


@jit
def _join(lanes, even, odd, side, work, at):
    """Z = even + odd at a ring, even - odd at its mirror image."""
    v = width(lanes)
    for t in range(side.columns.size):
        c, factor = side.columns[t] * v, splat(lanes, side.factors[t])
        e, o = factor * load(lanes, even, c), factor * load(lanes, odd, c)
        if side.mirror[t] == t:
            store(work, at + t * v, e)
        else:
            store(work, at + t * v, e + o)
            store(work, at + side.mirror[t] * v, e - o)


@jit
def _part(lanes, work, at, side, even, odd):
    """The reverse of `_join`."""
    v = width(lanes)
    for t in range(side.columns.size):
        c, half = side.columns[t] * v, splat(lanes, 0.5 * side.factors[t])
        a, b = load(lanes, work, at + t * v), load(lanes, work, at + side.mirror[t] * v)
        store(even, c, half * (a + b))
        store(odd, c, half * (a - b))


@jit
def _shift(lanes, work, re, im, tables, spectrum, imag):
    """The kept degrees times their factors, from the source's bins to the target's."""
    v, degree, count = width(lanes), tables.degree, 2 * tables.degree + 1
    n, n2 = tables.source_fft.n, tables.target_fft.n
    for i in range(count):
        k = i - degree
        at = (k % n) * v
        c, s = splat(lanes, tables.factor[i]), splat(lanes, tables.factor[count + i])
        a, b = load(lanes, work, re + at), load(lanes, work, im + at)
        store(spectrum, i * v, a * c - b * s)
        store(spectrum, (count + i) * v, a * s + b * c)
    zero = splat(lanes, 0.0)
    for k in range(n2):
        store(work, k * v, zero)
        store(work, imag + k * v, zero)
    for i in range(count):  # two degrees may share a bin
        at = ((i - degree) % n2) * v
        store(work, at, load(lanes, work, at) + load(lanes, spectrum, i * v))
        at += imag
        store(work, at, load(lanes, work, at) + load(lanes, spectrum, (count + i) * v))


def ring_count(circle):
    """Number of nodes in [0, pi]."""
    return (
        int(circle.period / 2 - circle.shift) + 1 if circle.shift == 0 else (circle.period + 1) // 2
    )


def _mirror(circle):
    t = np.arange(ring_count(circle))
    return (circle.period - t - (1 if circle.shift else 0)) % circle.period


def _multiplicity(circle):
    """How often a ring stands on its circle: twice, a pole once."""
    return np.where(_mirror(circle) == np.arange(ring_count(circle)), 1.0, 2.0)
