"""Sums over the orders m of every fragment, and their transpose."""

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
