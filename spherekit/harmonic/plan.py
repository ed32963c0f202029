"""The plan of a transform: which rings the Legendre step visits, and what lies between them and the grid."""

import math
from collections import namedtuple
from functools import lru_cache

import numpy as np
from scipy import fft

from spherekit._core import chunks
from spherekit.harmonic.steps import ring_lanes
from spherekit.harmonic.steps.phi_fft import BLOCK
from spherekit.harmonic.steps.theta_resampling import circle_of, fejer_circle, nodes, resampling
from spherekit.sampling import quadrature

#: lanes of the Legendre rings; the column of each ring in the Legendre planes; the first sample of the ring
#: in each column of the grid's planes (-1: none); and, where those planes differ, the tables of the theta
#: step to the grid and from it, either the transpose of the other.
Plan = namedtuple("Plan", "lanes columns rows to_grid from_grid", defaults=(None, None))


@lru_cache(maxsize=32)
def synthesis_plan(grid, L):
    """Plan of ``inverse``: without weights."""
    if grid.period is None or grid.name != "mw":
        return _own_rings(grid, L, np.ones(len(grid.ring_theta)))
    circle = fejer_circle(fft.next_fast_len(L, real=True))
    theta, _ = quadrature.equispaced(circle.period, True)
    lanes, columns = pair_rings(theta, np.ones(len(theta)), L)
    legendre_side = circle, columns, 2 * len(lanes.x)
    grid_side, rows = _grid_planes(grid)
    band = (L - 1, False)
    to_grid = resampling(legendre_side, grid_side, band)
    from_grid = resampling(grid_side, legendre_side, band, adjoint=True)
    return Plan(lanes, columns, rows, to_grid, from_grid)


@lru_cache(maxsize=32)
def analysis_plan(grid, L):
    """Plan of ``forward``: with quadrature weights, over 2 pi/n_phi of the phi step."""
    if grid.period is None:
        return _own_rings(grid, L, grid.ring_weights)
    degree, halved = grid.period // 2, grid.period % 2 == 0
    # n Gauss-Legendre rings integrate degrees < 2n: here those of the interpolant times those below L.
    theta, weights = quadrature.gauss_legendre((degree + L + 1) // 2)
    weights = weights * (2 * np.pi / grid.shape[1])
    lanes, columns = pair_rings(theta, weights, L)
    legendre_side = nodes(theta, degree), columns, 2 * len(lanes.x)
    grid_side, rows = _grid_planes(grid)
    band = (degree, halved)
    from_grid = resampling(grid_side, legendre_side, band)
    to_grid = resampling(legendre_side, grid_side, band, adjoint=True)
    return Plan(lanes, columns, rows, to_grid, from_grid)


def _own_rings(grid, L, weights):
    lanes, columns = pair_rings(grid.ring_theta, weights, L)
    rows = np.full(2 * len(lanes.x), -1)
    rows[columns] = grid.ring_start
    return Plan(lanes, columns, rows)


def _grid_planes(grid):
    """The side of a theta step whose columns are the grid's rings in their order, and its rows."""
    rings = len(grid.ring_theta)
    rows = np.full(-(-rings // BLOCK) * BLOCK, -1)
    rows[:rings] = grid.ring_start
    return (circle_of(grid), np.arange(rings), len(rows)), rows


PI_REST = 1.2246467991473532e-16  # pi minus its float64: it matters close to the south pole


def pair_rings(theta, weights, L):
    """Lanes of rings paired across the equator, and each ring's column in a (north | south) plane."""
    theta = np.asarray(theta, float)
    south = theta > np.pi / 2
    folded = np.where(south, np.pi - theta + PI_REST, theta)
    order = np.lexsort((south, folded))
    north_angles, slot = [], np.empty(len(theta), int)
    taken = [-1, -1]
    for ring in order:
        side = int(south[ring])
        new = not north_angles or folded[ring] - north_angles[-1] > 4e-15
        if new or taken[side] == len(north_angles) - 1:
            north_angles.append(folded[ring])
        elif not side:
            north_angles[-1] = folded[ring]  # the northern angle is the exact one
        slot[ring] = taken[side] = len(north_angles) - 1
    sides = np.zeros((2, len(north_angles)))
    sides[south.astype(int), slot] = weights
    lanes, lane = ring_lanes.ring_lanes(np.array(north_angles), *sides, L)
    return lanes, lane[slot] + south * len(lanes.x)


def work_bytes(grid, L, real, itemsize):
    """Bytes that one map goes through, of numbers of that size: what a core should keep near it."""
    rings = len(grid.ring_theta) + 64  # rings come in blocks of lanes
    planes = (L if real else 2 * L - 1) * rings * 2 * itemsize
    if grid.name == "healpix":
        planes += 75 * grid.nside**2  # the tables of its FFTs
    elif not grid.rectangular:
        planes += 3 * 16 * math.prod(grid.shape)  # the spectra of rings of any length
    return planes


def peak_bytes(problem, planes, tables, building, itemsize):
    """Most bytes in use at a time: result, work memory (``planes`` of a map), tables, also while built."""
    bytes_per_map = work_bytes(problem.grid, problem.L, problem.reality, itemsize)
    work = chunks.concurrent_maps(problem.maps, bytes_per_map, problem.threads) * planes
    # of a synthesis the planes are there when the tables of the phi step are built; not of an analysis
    building += work if problem.to_samples else 0
    return max(building, tables + problem.result_bytes + work)
