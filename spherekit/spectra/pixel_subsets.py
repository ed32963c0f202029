"""Subsets of the pixels of HEALPix, with weights by which they represent all pixels.

The shape of a pixel is a smooth function of its ring number and of its position on the ring, in each octave
of rings of the polar caps and in the equatorial belt. So the mean of a function of the shape over all pixels
is that of a few hundred of them, with weights that sum polynomials exactly, or, for means with given
weights, by interpolation from them.

A pixel is given by its ring i, from 1 at the north pole, and by the position of its center in a quadrant of
the ring, j + 1/2 for 0 <= j < i in a cap. North and south, the four quadrants, and the two halves of a
quadrant have pixels of the same shape.
"""

from __future__ import annotations

import numpy as np

#: Rings of the caps up to this number are all summed, with all their pixels.
_SUMMED = 8

#: Nodes of the sums over pixels of a ring, over the rings of an octave of a cap and over those of the belt.
_NODES = 8

#: B_2k(1/2) / (2k)!, the coefficients of the Euler-Maclaurin formula for midpoints.
_MIDPOINT_COEFFICIENTS = (-1 / 24, 7 / 5760, -31 / 967680, 127 / 154828800, -73 / 3503554560)


def subset_of_pixels(nside):
    """(ring, position, weight) of a subset of the pixels; the weights are for means over all pixels.

    >>> ring, position, weights = subset_of_pixels(1024)
    >>> len(ring), round(float(weights.sum()), 12)
    (263, 1.0)
    """
    pixels = []
    for first, last in _segments_of_cap(nside):
        for i, weight in zip(*summation_rule(first, last, _NODES), strict=True):
            columns, of_columns = _half_rule(i)
            pixels += [
                (i, j + 0.5, 8 * weight * w) for j, w in zip(columns, of_columns, strict=True)
            ]
    belt = summation_rule(nside + 1, 2 * nside - 1, _NODES)
    pixels += [(i, 0.5, 8 * nside * weight) for i, weight in zip(*belt, strict=True)]
    pixels.append((2 * nside, 0.5, 4 * nside))
    ring, position, weights = np.array(pixels, float).T
    return ring, position, weights / (12 * nside**2)


def subset_for_mask(nside, mask):
    """(ring, position, weight) of a subset of the pixels, for means with the square of a mask as weight.

    >>> ring, position, weights = subset_for_mask(16, np.arange(3072) < 100)
    >>> round(float(weights.sum()), 12)
    1.0
    """
    mask = mask.ravel()
    largest = mask.max()
    pixels = []
    for first, last in _segments_of_cap(nside):
        nodes = summation_rule(first, last, _NODES)[0]
        rings = np.arange(first, last + 1)
        sums = np.array([_sums_of_powers(nside, mask, largest, i) for i in rings])
        for i, row in zip(nodes, _interpolation(rings, nodes).T @ sums, strict=True):
            columns = _half_rule(i)[0]
            weights = np.linalg.pinv(_even_powers(_scaled(columns, i))).T @ row
            pixels += [(i, j + 0.5, w) for j, w in zip(columns, weights, strict=True)]
    if nside > 1:
        nodes = summation_rule(nside + 1, 2 * nside - 1, _NODES)[0]
        rings = np.arange(nside + 1, 2 * nside)
        sums = np.array([_sum_of_ring(nside, mask, largest, i).sum() for i in rings])
        weights = _interpolation(rings, nodes).T @ sums
        pixels += [(i, 0.5, w) for i, w in zip(nodes, weights, strict=True)]
    pixels.append((2 * nside, 0.5, _sum_of_ring(nside, mask, largest, 2 * nside).sum()))
    ring, position, weights = np.array(pixels, float).T
    return ring, position, weights / weights.sum()


def _segments_of_cap(nside):
    """(first, last) ring of the octaves of a cap.

    The rings up to `_SUMMED` are apart, and so is ring nside, of which a half is in the belt.
    """
    last = min(_SUMMED, nside - 1)
    segments = [(i, i) for i in range(1, last + 1)]
    while last < nside - 1:
        segments.append((last + 1, min(2 * last, nside - 1)))
        last = segments[-1][1]
    return [*segments, (nside, nside)]


def _half_rule(i):
    """(columns, weights) for sums over a quadrant of ring i of a cap, by the columns of its first half."""
    columns, weights = summation_rule(0, i - 1, _NODES)
    n = (len(columns) + 1) // 2
    return columns[:n], np.where(2 * columns[:n] < i - 1, 2, 1) * weights[:n]


def summation_rule(first, last, n):
    """Integers i and weights such that sum_{i=first..last} f(i) is exact for polynomials f of degree < n.

    The nodes are those of Gauss-Legendre quadrature, rounded symmetrically, or all integers if they are few.

    >>> nodes, weights = summation_rule(1, 100, 4)
    >>> nodes, round(float(weights @ nodes**3.0), 6)
    (array([ 7, 34, 67, 94]), 25502500.0)
    """
    legendre = np.polynomial.legendre
    count = last - first + 1
    x = (legendre.leggauss(n)[0] + 1) / 2
    if count * (x[1] - x[0]) < 1:  # rounded nodes may be equal
        return np.arange(first, last + 1), np.ones(max(count, 0))
    below = np.floor(x[: n // 2] * count)
    nodes = np.concatenate([below, count - 1 - below[::-1]]).astype(int)
    matrix = legendre.legvander(_scaled(nodes, count), n - 1)
    sums = np.zeros(n)
    sums[0] = count
    for degree in range(2, n, 2):
        derivative = np.eye(n)[degree]
        for power, coefficient in enumerate(_MIDPOINT_COEFFICIENTS):
            derivative = legendre.legder(derivative, 1 + (power > 0))
            slope = 2 * legendre.legval(1.0, derivative)
            sums[degree] += coefficient * slope * (2 / count) ** (2 * power + 1)
    return first + nodes, np.linalg.solve(matrix.T, sums)


def _scaled(columns, count):
    """Midpoints of ``count`` intervals of [-1, 1]."""
    return (2 * columns + 1) / count - 1


def _even_powers(x):
    """1, x^2, x^4, ... of the numbers x: as many as a rule has nodes in half of its interval."""
    return np.vander(x**2, _NODES // 2, increasing=True)


def _interpolation(rings, nodes):
    """The matrix that interpolates polynomials of degree < `_NODES` from nodes to rings."""
    legvander = np.polynomial.legendre.legvander
    first, count = rings[0], len(rings)
    degree = min(_NODES, len(nodes)) - 1
    at_nodes = legvander(_scaled(nodes - first, count), degree)
    return legvander(_scaled(rings - first, count), degree) @ np.linalg.pinv(at_nodes)


def _sums_of_powers(nside, mask, largest, i):
    """The sums of squares of the mask times even powers of the position, over ring i of a cap."""
    quadrant = _sum_of_ring(nside, mask, largest, i)
    return quadrant @ _even_powers(_scaled(np.arange(i), i))


def _sum_of_ring(nside, mask, largest, i):
    """The sums of (mask / largest)^2 over the quadrants of ring i and of its mirror image in the south."""
    count = 4 * min(i, nside)
    start = 2 * i * (i - 1) if i < nside else 2 * nside * (2 * i - nside - 1)
    ring = (mask[start : start + count] / largest) ** 2
    if i < 2 * nside:
        ring = ring + (mask[len(mask) - start - count : len(mask) - start] / largest) ** 2
    return ring.reshape(4, -1).sum(axis=0)
