"""Orders of fragments: sums over m, and where n and m lie in coefficients."""

import numpy as np

from spherekit.linear import linear_map


def widths(degrees):
    """Rows of fragments of these degrees."""
    return tuple(int(2 * ell + 1) for ell in degrees)


def _sum(x, *, widths):
    starts = np.cumsum((0, *widths[:-1]))
    return np.add.reduceat(x, starts, axis=0)


def _repeat(y, *, widths):
    return np.repeat(y, widths, axis=0)


#: (rows, ...) -> (fragments, ...), and each fragment's number to all of its rows.
sum_orders = linear_map("nn.sum_orders", _sum, _repeat)


class Places:
    """Where fragments (degree, order or spin n, m) lie in coefficients (..., n, L*L), where |n| <= l."""

    def __init__(self, L, n):
        self.shape = len(n), L * L
        some = [
            (row, ell * ell + ell + m)
            for ell in range(L)
            for row, order in enumerate(n)
            if abs(order) <= ell
            for m in range(-ell, ell + 1)
        ]
        self.n, self.lm = np.transpose(some)


def _scatter(y, *, places):
    result = np.zeros((*y.shape[1:], *places.shape), np.result_type(y, np.complex64))
    result[..., places.n, places.lm] = np.moveaxis(y, 0, -1)
    return result


def _gather(x, *, places):
    return np.ascontiguousarray(np.moveaxis(x[..., places.n, places.lm], -1, 0))


#: Fragments, their rows first -> coefficients (batch, channels, n, L*L), and back.
scatter = linear_map("nn.scatter", _scatter, _gather)
