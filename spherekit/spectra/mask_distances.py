"""Angular distances of the samples of a mask from the nearest masked sample.

On a ring the nearest masked sample to a longitude is known from the numbers of steps along the ring, which
two passes over the mask compute. The rings to the north and to the south of a sample are searched outwards,
as long as they are closer than the nearest masked sample so far. The distance d of a sample is bounded by
that of its neighbor on the ring, |d - d'| <= their distance, which limits the search, and makes it
unnecessary for most samples further away than the radius of interest.
"""

import math

import numpy as np

from spherekit._core.jit import leaf
from spherekit._core.parallel import run, thread_count
from spherekit.kernels.work_queue import next_item

__all__ = ["squared_half_chords"]

#: Radii of interest to which distances are searched: a sample at twice the radius spares its neighbors.
_SEARCHED = 2.0
#: Relative to a bound of a distance: more than rounding errors.
_MARGIN = 1e-9


def squared_half_chords(mask, grid, radius, threads=None):
    """sin^2(d / 2) of the angular distance d of each sample from the nearest sample where the mask is 0.

    Parameters
    ----------
    mask : ndarray [shape=grid.shape]
        Weights >= 0, or booleans.
    grid : Grid
    radius : float
        Distances up to this angle are computed, in radians; beyond it the result is infinite.
    threads : int, optional

    Returns
    -------
    float64 ndarray [shape=grid.shape]
        0 at masked samples.

    >>> from spherekit.sampling import HEALPix
    >>> grid = HEALPix(16)
    >>> chords = squared_half_chords(grid.theta < 2.0, grid, 0.5)
    >>> round(float(2 * np.arcsin(np.sqrt(chords[chords < np.inf].max()))), 2)
    0.47
    """
    observed = np.ascontiguousarray(mask > 0).ravel()
    steps = np.empty(observed.size, np.int32)
    result = np.empty(observed.size)
    rings = grid.ring_theta, grid.ring_n_phi, grid.ring_phi0, grid.ring_start
    threads = thread_count(threads)
    counters = np.zeros((2, 1), np.int64)
    run(lambda _: _count_steps(counters[0], observed, *rings[1:4:2], steps), threads)
    radius = min(float(radius), math.pi)
    run(lambda _: _search(counters[1], observed, *rings, steps, radius, result), threads)
    return result.reshape(grid.shape)


@leaf
def _count_steps(counter, observed, n_phi, start, steps):
    """Set ``steps`` to the steps along the ring to the nearest masked sample; -1 on rings without one."""
    while True:
        ring = next_item(counter)
        if ring >= n_phi.size:
            return True
        n, first = n_phi[ring], start[ring]
        west, east = -1, -1  # the last masked sample of the ring, and the first
        for j in range(n):
            if not observed[first + j]:
                west = j
                east = j if east < 0 else east
        if west < 0:
            for j in range(n):
                steps[first + j] = -1
            continue
        west -= n
        east += n
        for j in range(n):
            west = west if observed[first + j] else j
            steps[first + j] = j - west
        for j in range(n - 1, -1, -1):
            east = east if observed[first + j] else j
            steps[first + j] = min(steps[first + j], east - j)


@leaf
def _search(counter, observed, theta, n_phi, phi0, start, steps, radius, result):
    """Set ``result`` to sin^2(d/2), or infinity beyond the radius."""
    while True:
        ring = next_item(counter)
        if ring >= theta.size:
            return True
        n, first = n_phi[ring], start[ring]
        spacing = 2 * math.pi / n * math.sin(theta[ring]) * (1 + _MARGIN) + 1e-15
        limit = min(_SEARCHED * radius, math.pi)
        lower, upper = 0.0, math.pi
        for j in range(n):
            lower -= spacing
            upper = min(upper + spacing, math.pi)
            if not observed[first + j]:
                result[first + j] = 0.0
                lower, upper = 0.0, 0.0
                continue
            if lower > radius:
                result[first + j] = np.inf
                continue
            phi = phi0[ring] + 2 * math.pi * j / n
            farthest = min(limit, upper) * (1 + _MARGIN)
            bound = math.sin(0.5 * farthest) ** 2 if farthest < math.pi else 1.0 + _MARGIN
            square = _nearest(ring, phi, theta, n_phi, phi0, start, steps, bound)
            if square < bound:
                lower = 2 * math.asin(math.sqrt(min(square, 1.0)))
                upper = lower
            else:
                lower, upper = min(farthest, math.pi), math.pi
            result[first + j] = square if lower <= radius and square < bound else np.inf


@leaf
def _nearest(ring, phi, theta, n_phi, phi0, start, steps, bound):
    """The smallest sin^2(d/2) from a point of a ring to a masked sample, below ``bound``; else ``bound``."""
    sine = math.sin(theta[ring])
    for direction in (-1, 1):
        row = ring if direction < 0 else ring + 1
        while 0 <= row < theta.size:
            separation = math.sin(0.5 * (theta[row] - theta[ring])) ** 2
            if separation >= bound:
                break
            first = start[row]
            if steps[first] >= 0:
                n = n_phi[row]
                position = (phi - phi0[row]) * n / (2 * math.pi)
                west = math.floor(position)
                half = math.pi / n * _steps_to_masked(steps, first, n, west, position - west)
                product = sine * math.sin(theta[row])
                if separation + product * (half * (1 - half * half / 6)) ** 2 < bound:
                    bound = min(bound, separation + product * math.sin(half) ** 2)
            row += direction
    return bound


@leaf
def _steps_to_masked(steps, first, n, west, fraction):
    """The distance in steps from the position ``west + fraction`` of a ring to the nearest masked sample."""
    j = west % n
    from_west = steps[first + j]
    from_east = steps[first + (j + 1 if j + 1 < n else 0)]
    if from_west < from_east:
        return from_west + fraction
    if from_west > from_east:
        return from_east + 1 - fraction
    return from_west + min(fraction, 1 - fraction)
