"""Plans of transforms: the rings that the Legendre step visits, and the step between them and the grid."""

import math
from collections import namedtuple
from functools import lru_cache

import numpy as np

from spherekit._core import chunks
from spherekit._core.fft_lengths import next_fast_length
from spherekit.harmonic.steps import ring_lanes
from spherekit.harmonic.steps.phi_fft import BLOCK
from spherekit.harmonic.steps.theta_resampling import circle_of, fejer_circle, nodes, resampling
from spherekit.sampling import quadrature

#: The lanes of the Legendre rings; the column of each ring in the Legendre planes; for each column of the
#: planes of the grid, the first sample of its ring (-1: none); and, where the two kinds of planes differ, the
#: tables of the theta step to the grid and from it, which are transposes of each other.
Plan = namedtuple("Plan", "lanes columns rows to_grid from_grid", defaults=(None, None))


@lru_cache(maxsize=32)
def synthesis_plan(grid, L):
    """Return the plan of ``inverse``, without weights."""
    if grid.period is None or grid.name != "mw":
        return _plan_of_grid_rings(grid, L, np.ones(len(grid.ring_theta)))
    circle = fejer_circle(next_fast_length(L))
    theta, _ = quadrature.equispaced(circle.period, True)
    lanes, columns = pair_rings(theta, np.ones(len(theta)), L)
    legendre_side = circle, columns, 2 * len(lanes.y)
    grid_side, rows = _grid_planes(grid)
    band = (L - 1, False)
    to_grid = resampling(legendre_side, grid_side, band)
    from_grid = resampling(grid_side, legendre_side, band, adjoint=True)
    return Plan(lanes, columns, rows, to_grid, from_grid)


@lru_cache(maxsize=32)
def analysis_plan(grid, L):
    """Return the plan of ``forward``, with quadrature weights times 2 pi/n_phi for the phi step."""
    if grid.period is None:
        return _plan_of_grid_rings(grid, L, grid.ring_weights)
    degree, halved = grid.period // 2, grid.period % 2 == 0
    # n Gauss-Legendre rings integrate degrees < 2n exactly: products of the interpolant and degrees below L.
    theta, weights = quadrature.gauss_legendre((degree + L + 1) // 2)
    weights = weights * (2 * np.pi / grid.shape[1])
    lanes, columns = pair_rings(theta, weights, L)
    legendre_side = nodes(theta, degree), columns, 2 * len(lanes.y)
    grid_side, rows = _grid_planes(grid)
    band = (degree, halved)
    from_grid = resampling(grid_side, legendre_side, band)
    to_grid = resampling(legendre_side, grid_side, band, adjoint=True)
    return Plan(lanes, columns, rows, to_grid, from_grid)


def _plan_of_grid_rings(grid, L, weights):
    """Return a plan whose Legendre rings are the rings of the grid."""
    lanes, columns = pair_rings(grid.ring_theta, weights, L)
    rows = np.full(2 * len(lanes.y), -1)
    rows[columns] = grid.ring_start
    return Plan(lanes, columns, rows)


def _grid_planes(grid):
    """Return the side of a theta step whose columns are the rings of the grid in order, and its rows."""
    rings = len(grid.ring_theta)
    rows = np.full(-(-rings // BLOCK) * BLOCK, -1)
    rows[:rings] = grid.ring_start
    return (circle_of(grid), np.arange(rings), len(rows)), rows


#: pi minus its float64 value, which matters close to the south pole.
PI_LOW = 1.2246467991473532e-16


def pair_rings(theta, weights, L):
    """Pair rings across the equator; returns lanes, and the column of each ring (northern, then southern)."""
    theta = np.asarray(theta, float)
    south = theta > np.pi / 2
    folded = np.where(south, np.pi - theta + PI_LOW, theta)
    order = np.lexsort((south, folded))
    north_angles = []
    slots = np.empty(len(theta), int)
    last_slots = [-1, -1]
    for ring in order:
        side = int(south[ring])
        is_new = not north_angles or folded[ring] - north_angles[-1] > 4e-15
        if is_new or last_slots[side] == len(north_angles) - 1:
            north_angles.append(folded[ring])
        elif not side:
            north_angles[-1] = folded[ring]  # the northern angle is exact
        slots[ring] = last_slots[side] = len(north_angles) - 1
    sides = np.zeros((2, len(north_angles)))
    sides[south.astype(int), slots] = weights
    lanes, lane_of_ring = ring_lanes.ring_lanes(np.array(north_angles), *sides, L)
    return lanes, lane_of_ring[slots] + south * len(lanes.y)


def work_bytes(grid, L, real, itemsize):
    """Return the bytes of work memory of one map, for elements of ``itemsize`` bytes.

    It determines the size of chunks, whose work memory should fit into the cache of a core.
    """
    rings = len(grid.ring_theta) + 64  # rings come in blocks of lanes
    planes = (L if real else 2 * L - 1) * rings * 2 * itemsize
    if grid.name == "healpix":
        planes += 75 * grid.nside**2  # the tables of its FFTs
    elif not grid.rectangular:
        planes += 3 * 16 * math.prod(grid.shape)  # the spectra of rings of any length
    return planes


def peak_bytes(problem, planes, tables, build_bytes, itemsize):
    """Return the peak memory: result, work memory (``planes`` of a map), and tables, also while built."""
    bytes_per_map = work_bytes(problem.grid, problem.L, problem.reality, itemsize)
    work = chunks.concurrent_maps(problem.maps, bytes_per_map, problem.threads) * planes
    # In a synthesis, but not in an analysis, the planes exist while the tables of the phi step are built.
    build_bytes += work if problem.to_samples else 0
    return max(build_bytes, tables + problem.result_bytes + work)
