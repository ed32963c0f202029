"""What transforms on SO(3) need of memory beside their input, in bytes; as `harmonic.memory_estimate`."""

import math
from functools import lru_cache

from spherekit._core import chunks
from spherekit.harmonic.engines import batched
from spherekit.harmonic.memory_estimate import bundle_tables, item, plane_columns, route_tables
from spherekit.wigner import packing
from spherekit.wigner.engines import precomputed


@lru_cache(maxsize=256)
def transform(grid, L, N, real, maps, single, to_samples, route_of, threads):
    """Bytes of one direction: from coefficients to samples, or from samples to coefficients."""
    if maps == 0:
        return 0
    sphere, size, numbers = grid.sphere, math.prod(grid.shape), (2 * N - 1) * L * L
    result = maps * (size * item(real, single) if to_samples else numbers * item(False, single))
    if in_bundles(grid, L, N, real, maps):
        work = threads * batched.work_bytes(sphere, L, N, grid.n_gamma, single)
        return result + bundle_tables(sphere, L, N, single) + work
    orders = packing.orders(N, grid.steerable, real)
    by_tables = precomputed.worthwhile(grid, L, N, maps)
    fields, extra = len(orders) * 16 * L * L, 0
    if by_tables:
        columns = precomputed.plane_width(sphere)
        build, tables = precomputed.table_bytes_made(sphere, L, N, route_of)
        fields *= (2 * L - 1) / L
    else:
        route = route_of(sphere, L)
        columns = plane_columns(route, to_samples)
        build, tables = route_tables(sphere, L, (-orders).tolist())
        if real and N > 1:  # the orders of both signs m, of one n
            extra = (2 * L - 1) * 2 * columns * 8
    planes = grid.n_gamma * (L if real else 2 * L - 1) * 2 * columns * 8
    # in double precision: coefficients, and the samples of an analysis
    copies = 0
    if single:
        copies = 16 * numbers + (0 if to_samples else size * item(real, False))
    near = work_bytes(grid, L, N, real)
    flying = chunks.in_flight(maps, near, threads) * (planes + fields + copies)
    return max(build, tables + result + flying + threads * extra)


def in_bundles(grid, L, N, real, maps):
    """Whether a transform goes in bundles."""
    return not grid.steerable and batched.worthwhile(grid.sphere, L, N, grid.n_gamma, real, maps)


def work_bytes(grid, L, N, real):
    """Bytes that one signal goes through: the planes of all angles gamma, those of one order, the fields."""
    columns = len(grid.sphere.ring_theta) + 16
    one = (L if real else 2 * L - 1) * 2 * columns * 8
    return (grid.n_gamma + 2) * one + 16 * (N if real else 2 * N - 1) * L * L
