"""Gaps among the observed samples of a field, and the degrees that the observed samples determine.

A signal of band-limit L can be concentrated in a gap. The fraction of its energy outside the gap is the
square of the smallest singular value of the synthesis at the observed samples, relative to the largest one.
For a disc of angular radius R the most concentrated signal is the prolate function of order zero (Slepian
1964, Bell Syst. Tech. J. 43, 3009; on the sphere Simons et al. 2006, SIAM Rev. 48, 504), so that the
condition number is about

    exp(c) / sqrt(8 pi c),   c = L R.

A gap that contains the disc has a larger one.
"""

import math

import numpy as np

#: Largest number of missing samples whose distance from the observed ones is computed.
_MAX_SAMPLES = 200_000
#: Smallest radius of a gap.
_SMALLEST = 1e-6


def gap_condition(L, radius):
    """The condition number of least squares for a disc of missing samples, at least 1.

    >>> [round(gap_condition(L, 0.5), 1) for L in (4, 8, 16)]
    [1.0, 5.4, 210.2]
    """
    c = L * radius
    if c > 700:
        return math.inf
    return max(1.0, math.exp(c) / math.sqrt(8 * math.pi * c)) if c > 1 else 1.0


def bandwidth(condition):
    """c = L R of a disc of missing samples with this condition number; at least 1.

    >>> round(gap_condition(16, bandwidth(100.0) / 16), 6)
    100.0
    """
    c = 1.0
    for _ in range(60):
        c = max(1.0, math.log(condition) + math.log(8 * math.pi * c) / 2)
    return c


def gap_radius(missing, grid):
    """The radius of the largest disc without observed samples whose center is a missing one, radians.

    Parameters
    ----------
    missing : bool ndarray [shape=grid.shape]
        True for missing samples, of which there are at least one, and not all.
    grid : Grid

    Returns
    -------
    float
        Of every n-th of the missing samples, where there are more than 200 000. At least 1e-6: samples of a
        pole are at the same position as others.

    >>> from spherekit.sampling import HEALPix
    >>> grid = HEALPix(32)
    >>> abs(gap_radius(grid.theta < 0.4, grid) - 0.4) < 0.03
    True
    """
    from scipy.spatial import cKDTree

    flat = missing.ravel()
    indices = np.flatnonzero(flat)
    neighbors = _neighbors(indices, grid)
    edge = np.unique(neighbors[~flat[neighbors]])
    edge = edge if edge.size else np.flatnonzero(~flat)
    step = -(-len(indices) // _MAX_SAMPLES)
    distances, _ = cKDTree(_directions(edge, grid)).query(_directions(indices[::step], grid))
    return max(_SMALLEST, 2 * math.asin(min(1.0, float(distances.max()) / 2)))


def _rings(indices, grid):
    """The numbers of the rings of samples."""
    return np.searchsorted(grid.ring_start, indices, side="right") - 1


def _directions(indices, grid):
    """Unit vectors of samples [shape=(n, 3)]."""
    ring = _rings(indices, grid)
    theta = grid.ring_theta[ring]
    phi = _longitudes(indices, ring, grid)
    sine = np.sin(theta)
    return np.stack([sine * np.cos(phi), sine * np.sin(phi), np.cos(theta)], axis=-1)


def _longitudes(indices, ring, grid):
    position = indices - grid.ring_start[ring]
    return grid.ring_phi0[ring] + 2 * np.pi * position / grid.ring_n_phi[ring]


def _neighbors(indices, grid):
    """The samples beside others: two on the ring, and three on each of the rings beside it."""
    ring = _rings(indices, grid)
    phi = _longitudes(indices, ring, grid)
    neighbors = []
    for step in (-1, 0, 1):
        row = np.clip(ring + step, 0, len(grid.ring_theta) - 1)
        n = grid.ring_n_phi[row]
        nearest = np.rint((phi - grid.ring_phi0[row]) * n / (2 * np.pi)).astype(np.int64)
        neighbors += [grid.ring_start[row] + (nearest + shift) % n for shift in (-1, 0, 1)]
    return np.concatenate(neighbors)
