"""Coefficients <-> planes of a grid's rings: the Legendre step and, where the route has one, the theta step.

Where there are both, a part of the orders goes through both before the next: what lies between them stays
in the cache, and takes no memory for all orders. Threads share the orders, or the parts.
"""

from collections import namedtuple
from functools import lru_cache

import numpy as np

from spherekit._core.parallel import run
from spherekit._core.workspace import scratch
from spherekit.harmonic.steps import legendre_scalar, legendre_spin, ring_lanes, theta_resampling
from spherekit.harmonic.steps.ring_lanes import NARROW, WIDE, Orders
from spherekit.kernels import recursion_coefficients

#: Orders, the number of slots of their own planes, and as `theta_resampling.parity_pairs` these and those of
#: all planes.
Part = namedtuple("Part", "orders slots own all")

#: Bytes of a part's planes: what a core keeps near it (0.25 to 4 MB differ by 5 %). Orders that the theta
#: step takes at once.
PART_BYTES, _AT_ONCE = 1.5e6, 16


def synthesis(flm, route, L, spin, real, threads, planes=None):
    """(maps, L*L) -> planes (maps, orders, 2, grid columns), times the route's weights; and the guard.

    The planes are overwritten where they are given, else work memory of the thread.
    """
    step = legendre_spin.synthesis_spin if spin else legendre_scalar.synthesis_zonal
    tables, values = _tables(route, L, spin, real), flm.view(float)
    guard, columns = np.zeros((threads, 16)), 2 * len(route.lanes.x)

    def legendre_step(counter, orders, planes, thread):
        own = recursion_coefficients.room(1, 1, L, spin)
        step(NARROW, WIDE, counter, orders, *tables, own, values, planes, guard[thread])

    if planes is None:
        planes = scratch("planes", (len(flm), _slots(L, real), 2, plane_width(route)))
    if route.to_grid is None:
        counter = np.zeros(1, np.int64)
        run(lambda thread: legendre_step(counter, _every(L, real), planes, thread), threads)
        return planes, guard.max(axis=0)

    parts = iter(_parts(L, spin, real, len(flm) * columns, threads))

    def both_steps(thread):
        for part in parts:
            near = scratch("part", (len(flm), part.slots, 2, columns))
            legendre_step(np.zeros(1, np.int64), part.orders, near, thread)
            theta_resampling.resample(near, route.to_grid, part.own, part.all, planes)

    run(both_steps, threads)
    return planes, guard.max(axis=0)


def analysis(planes, route, L, spin, real, threads, flm):
    """The transpose of `synthesis`: planes -> flm (maps, L*L), which is overwritten."""
    step = legendre_spin.analysis_spin if spin else legendre_scalar.analysis_zonal
    tables, values = _tables(route, L, spin, real), flm.view(float)
    columns = 2 * len(route.lanes.x)

    def legendre_step(counter, orders, planes):
        own = recursion_coefficients.room(1, 1, L, spin)
        step(NARROW, WIDE, counter, orders, *tables, own, planes, values)

    if route.from_grid is None:
        counter = np.zeros(1, np.int64)
        run(lambda _: legendre_step(counter, _every(L, real), planes), threads)
        return

    parts = iter(_parts(L, spin, real, len(flm) * columns, threads))

    def both_steps(_):
        for part in parts:
            near = scratch("part", (len(flm), part.slots, 2, columns))
            theta_resampling.resample(planes, route.from_grid, part.all, part.own, near)
            legendre_step(np.zeros(1, np.int64), part.orders, near)

    run(both_steps, threads)


def plane_width(route):
    """Columns of the planes of a synthesis."""
    return 2 * len(route.lanes.x) if route.to_grid is None else route.to_grid.target.width


def _tables(route, L, spin, real):
    return L, spin or real, route.lanes, _scales(L, spin), recursion_coefficients.kept(L, spin)


@lru_cache(maxsize=64)
def _scales(L, spin):
    return ring_lanes.order_scales(L, spin)


def _slots(L, real):
    return L if real else 2 * L - 1


def _every(L, real):
    """All orders, from the lowest to the highest."""
    lowest = 0 if real else L - 1
    return Orders(0, L, lowest, lowest)


@lru_cache(maxsize=64)
def _parts(L, spin, real, columns, threads):
    """Parts of the orders, the longest work first: several for each thread where there are many."""
    width = PART_BYTES / (8 * 2 * columns * (1 if real else 2))
    if threads > 1:
        width = min(width, L / (4 * threads))
    width = max(_AT_ONCE, round(width / _AT_ONCE) * _AT_ONCE)
    return tuple(_part(L, spin, real, m, min(m + width, L)) for m in range(0, L, width))


def _part(L, spin, real, first, last):
    """Orders first <= |m| < last; in their own planes the negative ones come first."""
    below = 0 if real else last - first
    own = Orders(first, last, below - first, below + first - 1)
    every = _every(L, real)._replace(first=first, last=last)
    couples = (
        theta_resampling.parity_pairs(own, real, spin),
        theta_resampling.parity_pairs(every, real, spin),
    )
    return Part(own, below + last - first, *couples)
