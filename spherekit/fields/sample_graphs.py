"""The samples of a grid as a graph: neighbors, and the weights of Laplace's equation on the sphere.

On HEALPix the neighbors of a pixel are those of the 7 or 8 pixels around it that share an edge of a Delaunay
triangulation of the centers with it, with the weights of linear finite elements: (cot a + cot b) / 2, with
the angles a and b opposite to the edge (Pinkall and Polthier 1993, Exp. Math. 2, 15), which are not negative.
(Equal weights of all 8 do not solve Laplace's equation at any resolution: the deviation is above 10 %, since
the pixels are not squares.) On other grids the cell of a sample extends halfway to the next samples and
rings, and the weight of two cells is the length of their common edge divided by the distance of their centers
(finite volumes): on a ring dtheta / (sin(theta) dphi), and between rings sin(theta) dphi / dtheta at the
edge. The samples of a ring at a pole are one node.
"""

from typing import NamedTuple

import numpy as np

#: Rings with a smaller sin(theta) are at a pole.
POLE = 1e-9
#: Common edges that are shorter than this fraction of a cell are rounding errors.
_SHORTEST = 1e-9
#: Smaller weights of HEALPix pixels, which are of order 1, are rounding errors.
_SMALLEST = 1e-12


class Edges(NamedTuple):
    """Pairs of neighbors, and their weights."""

    first: np.ndarray
    second: np.ndarray
    weights: np.ndarray


def edges_of(samples, grid):
    """The edges from samples to all of their neighbors.

    >>> from spherekit.sampling import MW, HEALPix
    >>> edges_of(np.array([0]), HEALPix(1)).second.tolist()
    [1, 3, 4, 5]
    >>> edges_of(np.array([7]), MW(3)).second.tolist()
    [6, 8, 2, 12]
    """
    if grid.name == "healpix":
        return _edges_of_pixels(samples, grid)
    ring = ring_of(samples, grid)
    parts = [_along_ring(samples, ring, grid)]
    parts += [_to_ring(samples, ring, step, grid) for step in (-1, 1)]
    return Edges(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _edges_of_pixels(samples, grid):
    """Edges to the neighbors of HEALPix pixels that are on a common triangle with them."""
    neighbors = grid.neighbours(samples)
    exists = neighbors >= 0
    center = _vectors(samples, grid)
    vectors = _vectors(np.where(exists, neighbors, samples), grid)
    weights = np.zeros(neighbors.shape)
    for corner in (1, 3, 5, 7):  # W, N, E and S; the pixels beside it share an edge with this one
        first, second = corner - 1, (corner + 1) % 8
        a, b, c = vectors[first], vectors[second], vectors[corner]
        opposite = _cotangent(a, center, c) + _cotangent(b, center, c)
        is_split = exists[corner] & (
            opposite > 0
        )  # into two triangles with the edge to the corner pixel
        weights[corner] += np.where(is_split, opposite / 2, 0)
        weights[first] += np.where(is_split, _cotangent(c, center, a), _cotangent(b, center, a)) / 2
        weights[second] += (
            np.where(is_split, _cotangent(c, center, b), _cotangent(a, center, b)) / 2
        )
    pixels = np.broadcast_to(samples, neighbors.shape)
    selected = exists & (weights > _SMALLEST)
    return Edges(pixels[selected], neighbors[selected], weights[selected])


def _vectors(samples, grid):
    """Unit vectors of samples [shape=(..., 3)]."""
    theta, phi = positions_of(samples, grid)
    sine = np.sin(theta)
    return np.stack([sine * np.cos(phi), sine * np.sin(phi), np.cos(theta)], axis=-1)


def _cotangent(vertex, a, b):
    """The cotangent of the angle of a triangle at a vertex; 0 for a triangle without area."""
    a, b = a - vertex, b - vertex
    area = np.linalg.norm(np.cross(a, b), axis=-1)
    return np.sum(a * b, axis=-1) / np.where(area > 0, area, np.inf)


def ring_of(samples, grid):
    """The numbers of the rings of samples."""
    return np.searchsorted(grid.ring_start, samples, side="right") - 1


def positions_of(samples, grid):
    """(colatitudes, longitudes) of samples."""
    ring = ring_of(samples, grid)
    step = 2 * np.pi / grid.ring_n_phi[ring]
    return grid.ring_theta[ring], grid.ring_phi0[ring] + step * (samples - grid.ring_start[ring])


def nodes_of(grid):
    """The node of each sample: its number, or that of the first sample of its ring at a pole.

    >>> from spherekit.sampling import MWSS
    >>> nodes_of(MWSS(2)).tolist()
    [0, 0, 0, 0, 4, 5, 6, 7, 8, 8, 8, 8]
    """
    nodes = np.arange(int(np.sum(grid.ring_n_phi)))
    for row in np.flatnonzero(np.sin(grid.ring_theta) < POLE):
        start = grid.ring_start[row]
        nodes[start : start + grid.ring_n_phi[row]] = start
    return nodes


def _edges_of_rings(grid):
    """Colatitudes of the edges between rings, and of the first and the last one [shape=(n_rings+1,)]."""
    theta = grid.ring_theta
    if len(theta) == 1:
        return np.array([max(0.0, theta[0] - 0.5), min(np.pi, theta[0] + 0.5)])
    middle = (theta[1:] + theta[:-1]) / 2
    first = max(0.0, 1.5 * theta[0] - 0.5 * theta[1])
    last = min(np.pi, 1.5 * theta[-1] - 0.5 * theta[-2])
    return np.concatenate([[first], middle, [last]])


def _along_ring(samples, ring, grid):
    """Edges to the two samples beside each on its ring."""
    n = grid.ring_n_phi[ring]
    sine = np.sin(grid.ring_theta[ring])
    selected = (sine >= POLE) & (n > 1)
    samples, ring, n, sine = (x[selected] for x in (samples, ring, n, sine))
    start = grid.ring_start[ring]
    position = samples - start
    heights = np.diff(_edges_of_rings(grid))[ring]
    weights = heights * n / (2 * np.pi * sine)
    neighbors = [start + (position + shift) % n for shift in (-1, 1)]
    return Edges(np.tile(samples, 2), np.concatenate(neighbors), np.tile(weights, 2))


def _to_ring(samples, ring, step, grid):
    """Edges to the samples of the next or the previous ring whose cells touch those of samples."""
    exists = (ring + step >= 0) & (ring + step < len(grid.ring_theta))
    samples, ring = samples[exists], ring[exists]
    row = ring + step
    n = grid.ring_n_phi[row]
    width = 2 * np.pi / grid.ring_n_phi[ring]
    phi = positions_of(samples, grid)[1]
    center = (phi - grid.ring_phi0[row]) * n / (2 * np.pi)  # in units of the cells of that ring
    half = width * n / (4 * np.pi)
    lowest = np.floor(center - half + 0.5).astype(np.int64)
    highest = np.floor(center + half + 0.5).astype(np.int64)
    counts = highest - lowest + 1
    index = np.repeat(np.arange(len(samples)), counts)
    shift = np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts)
    cell = lowest[index] + shift
    upper = np.minimum(cell + 0.5, (center + half)[index])
    lower = np.maximum(cell - 0.5, (center - half)[index])
    overlap = upper - lower
    selected = overlap > _SHORTEST * np.minimum(1.0, 2 * half[index])
    index, cell, overlap = index[selected], cell[selected], overlap[selected]
    row, n = row[index], n[index]
    edge = _edges_of_rings(grid)[np.maximum(ring[index], row)]
    distance = abs(grid.ring_theta[row] - grid.ring_theta[ring[index]])
    weights = overlap * (2 * np.pi / n) * np.sin(edge) / distance
    return Edges(samples[index], grid.ring_start[row] + cell % n, weights)
