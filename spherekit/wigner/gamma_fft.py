"""The Fourier transform between orders n and angles gamma, in place in the planes of all n.

    F(gamma_g) = sum_n F_n e^{i n gamma_g},    its adjoint X_n = sum_g X(gamma_g) e^{-i n gamma_g}

``planes[map, slot, m, re/im, column]``: a slot holds an order n before the synthesis, an angle after it.
Sixteen columns are the lanes of a complex FFT over the slots, or of direct sums for up to sixteen angles.
"""

from collections import namedtuple
from functools import lru_cache

import numpy as np

from spherekit._core.jit import leaf
from spherekit._core.parallel import run
from spherekit._core.workspace import scratch
from spherekit.kernels import fft as lane_fft
from spherekit.kernels.simd import Lanes, load, pointer, splat, spread, store, width
from spherekit.kernels.work_queue import next_item

LANES = Lanes(16)

#: Largest number of angles for which direct sums are faster than an FFT.
_MAX_SUMMED = 16

#: FFT bin of each order; factors e^{i p gamma_g}, p the parity of a steerable signal (real parts, then
#: imaginary parts; empty where they are 1); tables of the FFT.
GammaTables = namedtuple("GammaTables", "bins phases fft")


@lru_cache(maxsize=64)
def tables(grid):
    """Tables of the FFT in gamma of a `RotationGrid`."""
    n = grid.n_gamma
    parity = (grid.N - 1) % 2 if grid.steerable else 0
    bins = ((grid.orders - parity) // (2 if grid.steerable else 1)) % n
    phase = np.exp(1j * parity * grid.gamma)
    phases = np.concatenate([phase.real, phase.imag]) if parity else np.empty(0)
    return GammaTables(bins.astype(np.int64), phases, lane_fft.tables(n, LANES))


def synthesis(planes, grid, threads):
    """Orders -> angles, in place."""
    _transform(_synthesize, planes, grid, threads)


def analysis(planes, grid, threads):
    """The transpose of `synthesis`: angles -> orders, in place."""
    _transform(_analyze, planes, grid, threads)


def _transform(step, planes, grid, threads):
    if grid.n_gamma == 1:
        return
    counter = np.zeros(1, np.int64)
    if grid.n_gamma <= _MAX_SUMMED:
        matrix = _fourier_matrix(grid, step is _analyze)
        size = 2 * matrix.shape[2] * LANES.type.width
        run(lambda _: _multiply(LANES, counter, matrix, scratch("gamma", (size,)), planes), threads)
    else:
        bins, phases, fft = tables(grid)

        def work(thread):
            buffer = lane_fft.work_array(fft, LANES)
            step(LANES, counter, bins, phases, fft, buffer, planes)

        run(work, threads)


@lru_cache(maxsize=64)
def _fourier_matrix(grid, transposed):
    """e^{i n gamma}, (re/im, angles, orders), or its conjugate transpose."""
    matrix = np.exp(1j * grid.gamma[:, None] * grid.orders)
    matrix = matrix.conj().T if transposed else matrix
    return np.ascontiguousarray([matrix.real, matrix.imag])


@leaf
def _multiply(lanes, counter, matrix, work, planes):
    v, orders, columns = width(lanes), planes.shape[2], planes.shape[4]
    n_out, n_in, slot_size = matrix.shape[1], matrix.shape[2], orders * 2 * columns
    cos, sin = pointer(matrix, 0), pointer(matrix, n_out * n_in)
    while True:
        item = next_item(counter)
        if item >= planes.shape[0] * orders:
            return
        plane = pointer(planes, item // orders * planes.shape[1] * slot_size)
        for first in range(item % orders * 2 * columns, (item % orders * 2 + 1) * columns, v):
            for j in range(n_in):
                store(work, 2 * j * v, load(lanes, plane, first + j * slot_size))
                store(work, (2 * j + 1) * v, load(lanes, plane, first + j * slot_size + columns))
            for g in range(n_out):
                re = im = splat(lanes, 0.0)
                for j in range(n_in):
                    c, s = spread(lanes, cos, g * n_in + j), spread(lanes, sin, g * n_in + j)
                    a, b = load(lanes, work, 2 * j * v), load(lanes, work, (2 * j + 1) * v)
                    re, im = re + c * a - s * b, im + c * b + s * a
                store(plane, first + g * slot_size, re)
                store(plane, first + g * slot_size + columns, im)


@leaf
def _synthesize(lanes, counter, bins, phases, fft, work, planes):
    v, w = width(lanes), pointer(work, 0)
    orders, columns = planes.shape[2], planes.shape[4]
    slot_size, imag = orders * 2 * columns, v * fft.size
    while True:
        item = next_item(counter)
        if item >= planes.shape[0] * orders:
            return
        plane = pointer(planes, item // orders * planes.shape[1] * slot_size)
        for first in range(item % orders * 2 * columns, (item % orders * 2 + 1) * columns, v):
            for j in range(bins.size):
                source, target = first + j * slot_size, bins[j] * v
                store(w, target, load(lanes, plane, source))
                store(w, imag + target, load(lanes, plane, source + columns))
            re, im = lane_fft.transform(lanes, w, 1, fft)
            for g in range(fft.n):
                a, b = load(lanes, w, re + g * v), load(lanes, w, im + g * v)
                if phases.size:
                    c, s = spread(lanes, phases, g), spread(lanes, phases, fft.n + g)
                    a, b = a * c - b * s, b * c + a * s
                store(plane, first + g * slot_size, a)
                store(plane, first + g * slot_size + columns, b)


@leaf
def _analyze(lanes, counter, bins, phases, fft, work, planes):
    v, w = width(lanes), pointer(work, 0)
    orders, columns = planes.shape[2], planes.shape[4]
    slot_size, imag = orders * 2 * columns, v * fft.size
    while True:
        item = next_item(counter)
        if item >= planes.shape[0] * orders:
            return
        plane = pointer(planes, item // orders * planes.shape[1] * slot_size)
        for first in range(item % orders * 2 * columns, (item % orders * 2 + 1) * columns, v):
            for g in range(fft.n):
                source = first + g * slot_size
                a, b = load(lanes, plane, source), load(lanes, plane, source + columns)
                if phases.size:
                    c, s = spread(lanes, phases, g), spread(lanes, phases, fft.n + g)
                    a, b = a * c + b * s, b * c - a * s
                store(w, g * v, a)
                store(w, imag + g * v, b)
            re, im = lane_fft.transform(lanes, w, 0, fft)
            for j in range(bins.size):
                source, target = bins[j] * v, first + j * slot_size
                store(plane, target, load(lanes, w, re + source))
                store(plane, target + columns, load(lanes, w, im + source))
