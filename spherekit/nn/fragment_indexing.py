"""Indices of fragments: sums over m, layouts in memory, and the entries (n, m) of coefficients."""

import math

import numpy as np

from spherekit._core.jit import jit
from spherekit.linear import linear_map

_BLOCK = 16


def rows_first(x):
    """A view (rows, batch, channels) of fragments (batch, channels, rows), which gradients follow."""
    return x.transpose((x.ndim - 1, *range(x.ndim - 1)))


def batch_first(x):
    """A view (batch, channels, rows) of fragments (rows, batch, channels), which gradients follow."""
    return x.transpose((*range(1, x.ndim), 0))


def widths(degrees):
    """Rows of fragments of these degrees."""
    return tuple(int(2 * ell + 1) for ell in degrees)


def _sum(x, *, widths):
    starts = np.cumsum((0, *widths[:-1]))
    return batch_first(np.add.reduceat(rows_first(x), starts, axis=0))


def _repeat(y, *, widths):
    return batch_first(np.repeat(rows_first(y), widths, axis=0))


#: (..., rows) -> (..., fragments), sums over m; the adjoint repeats the entry of a fragment in all its rows.
sum_orders = linear_map("nn.sum_orders", _sum, _repeat, real=True)


class Places:
    """Indices of fragments (degree, order or spin n, m), |n| <= l, in coefficients (..., n, L*L)."""

    def __init__(self, L, n):
        self.shape = len(n), L * L
        indices = [
            row * L * L + ell * ell + ell + m
            for ell in range(L)
            for row, order in enumerate(n)
            if abs(order) <= ell
            for m in range(-ell, ell + 1)
        ]
        self.flat = np.array(indices)


def _scatter(y, *, places):
    kind = np.result_type(y, np.complex64)
    lead, rows = y.shape[:-1], y.shape[-1]
    result = np.zeros((*lead, *places.shape), kind)
    count = math.prod(lead)
    y = np.ascontiguousarray(rows_first(y), kind).reshape(rows, count)
    _to_places(y, places.flat, result.reshape(count, math.prod(places.shape)))
    return result


def _gather(x, *, places):
    lead = x.shape[:-2]
    x = np.ascontiguousarray(x).reshape(math.prod(lead), math.prod(places.shape))
    rows = np.empty((len(places.flat), len(x)), x.dtype)
    _from_places(x, places.flat, rows)
    return batch_first(rows.reshape(len(places.flat), *lead))


@jit
def _to_places(y, places, x):
    """x[b, places[r]] = y[r, b], block by block, so that both are read a cache line at a time."""
    for start in range(0, x.shape[0], _BLOCK):
        for r in range(places.size):
            for b in range(start, min(start + _BLOCK, x.shape[0])):
                x[b, places[r]] = y[r, b]


@jit
def _from_places(x, places, y):
    for start in range(0, x.shape[0], _BLOCK):
        for r in range(places.size):
            for b in range(start, min(start + _BLOCK, x.shape[0])):
                y[r, b] = x[b, places[r]]


@jit
def asymmetry(x, L):
    """Largest |f_{l,-m,-n} - (-1)^(m+n) conj f_lmn| of (signals, 2N-1, L*L), and largest |f_lmn|."""
    defect = largest = 0.0
    N = (x.shape[1] + 1) // 2
    for b in range(x.shape[0]):
        for n in range(N):
            for ell in range(L):
                centre = ell * ell + ell
                for m in range(0 if n == 0 else -ell, ell + 1):
                    sign = 1 - 2 * ((m + n) % 2)
                    a, opposite = x[b, N - 1 + n, centre + m], sign * x[b, N - 1 - n, centre - m]
                    gap = max(abs(a.real - opposite.real), abs(a.imag + opposite.imag))
                    defect = max(defect, gap)
                    largest = max(largest, max(abs(a.real), abs(a.imag)))
    return defect, largest


#: Fragments (batch, channels, rows) -> coefficients (batch, channels, n, L*L); the adjoint reads them back.
scatter = linear_map("nn.scatter", _scatter, _gather, real=True)
