"""Index arithmetic of fragments: memory layout, sums over m, and their positions in coefficient arrays."""

import math

import numpy as np

from spherekit._core.jit import leaf
from spherekit.linear import linear_map

_BLOCK = 16


def rows_first(x):
    """A view (rows, batch, channels) of fragments (batch, channels, rows); differentiable."""
    return x.transpose((x.ndim - 1, *range(x.ndim - 1)))


def batch_first(x):
    """A view (batch, channels, rows) of fragments (rows, batch, channels); differentiable."""
    return x.transpose((*range(1, x.ndim), 0))


def widths(degrees):
    """Number of rows, 2l+1, of a fragment of each degree."""
    return tuple(int(2 * ell + 1) for ell in degrees)


def _sum(x, *, widths):
    starts = np.cumsum((0, *widths[:-1]))
    return batch_first(np.add.reduceat(rows_first(x), starts, axis=0))


def _repeat(y, *, widths):
    return batch_first(np.repeat(rows_first(y), widths, axis=0))


#: (..., rows) -> (..., fragments): sums over m. The adjoint repeats the entry of a fragment in all its rows.
sum_orders = linear_map("nn.sum_orders", _sum, _repeat, real=True)


class CoefficientIndices:
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


def _scatter(y, *, indices):
    dtype = np.result_type(y, np.complex64)
    lead, rows = y.shape[:-1], y.shape[-1]
    result = np.zeros((*lead, *indices.shape), dtype)
    count = math.prod(lead)
    y = np.ascontiguousarray(rows_first(y), dtype).reshape(rows, count)
    _scatter_rows(y, indices.flat, result.reshape(count, math.prod(indices.shape)))
    return result


def _gather(x, *, indices):
    lead = x.shape[:-2]
    x = np.ascontiguousarray(x).reshape(math.prod(lead), math.prod(indices.shape))
    rows = np.empty((len(indices.flat), len(x)), x.dtype)
    _gather_rows(x, indices.flat, rows)
    return batch_first(rows.reshape(len(indices.flat), *lead))


@leaf
def _scatter_rows(y, indices, x):
    """x[b, indices[r]] = y[r, b], in blocks, so that both arrays are accessed by whole cache lines."""
    for start in range(0, x.shape[0], _BLOCK):
        for r in range(indices.size):
            for b in range(start, min(start + _BLOCK, x.shape[0])):
                x[b, indices[r]] = y[r, b]


@leaf
def _gather_rows(x, indices, y):
    for start in range(0, x.shape[0], _BLOCK):
        for r in range(indices.size):
            for b in range(start, min(start + _BLOCK, x.shape[0])):
                y[r, b] = x[b, indices[r]]


@leaf
def asymmetry(x, L):
    """Largest |f_{l,-m,-n} - (-1)^(m+n) conj f_lmn| of (signals, 2N-1, L*L), and largest |f_lmn|."""
    defect = largest = 0.0
    N = (x.shape[1] + 1) // 2
    for b in range(x.shape[0]):
        for n in range(N):
            for ell in range(L):
                center = ell * ell + ell
                for m in range(0 if n == 0 else -ell, ell + 1):
                    sign = 1 - 2 * ((m + n) % 2)
                    a = x[b, N - 1 + n, center + m]
                    mirror = sign * x[b, N - 1 - n, center - m]
                    difference = max(abs(a.real - mirror.real), abs(a.imag + mirror.imag))
                    defect = max(defect, difference)
                    largest = max(largest, max(abs(a.real), abs(a.imag)))
    return defect, largest


#: Fragments (batch, channels, rows) -> coefficients (batch, channels, n, L*L). The adjoint extracts them.
scatter = linear_map("nn.scatter", _scatter, _gather, real=True)
