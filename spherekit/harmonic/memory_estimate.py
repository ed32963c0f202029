"""What a transform needs of memory beside its input, in bytes: the result, the planes in flight, the tables.

The terms are the arrays that the engines make, with the shapes that they make them in; small ones (rows of
threads, FFT tables of one length) are left out.
"""

import math
from functools import lru_cache

from spherekit._core import chunks
from spherekit.harmonic import plan
from spherekit.harmonic.engines import batched, precomputed, recursion
from spherekit.harmonic.steps import phi_fft
from spherekit.kernels import recursion_coefficients


@lru_cache(maxsize=256)
def transform(grid, L, spin, real, maps, single, to_samples, route_of, threads):
    """Bytes of one direction: from coefficients to samples, or from samples to coefficients."""
    if maps == 0:
        return 0
    size = math.prod(grid.shape)
    result = maps * (size * item(real, single) if to_samples else L * L * item(False, single))
    if batched.worthwhile(grid, L, 1, 1, real, maps):
        return (
            result
            + bundle_tables(grid, L, 1, single)
            + threads * batched.work_bytes(grid, L, 1, 1, single)
        )
    orders = L if real else 2 * L - 1
    if precomputed.worthwhile(grid, L, spin, maps):
        narrow = single and maps >= precomputed.BATCH_MAPS
        columns, build, tables = _stored_tables(grid, L, spin, narrow)
        copy = 16 * L * L if to_samples and single and not narrow else 0
    else:
        narrow, route = False, route_of(grid, L)
        columns = plane_columns(route, to_samples)
        build, tables = route_tables(grid, L, [spin])
        copy = 16 * L * L if single else 0  # coefficients in double precision
        tables += threads * _part_bytes(route)
    planes = orders * 2 * columns * (4 if narrow else 8)
    if not grid.rectangular and grid.name != "healpix":
        tables += 5 * 16 * phi_fft.GROUP_SAMPLES  # samples, spectra, phases and products of rings
    near = plan.work_bytes(grid, L, real, 4 if narrow else 8)
    flying = chunks.in_flight(maps, near, threads)
    work = flying * (planes + copy)
    # of a synthesis the planes are there when the tables of the phi step are made; not of an analysis
    return (
        max(build + work, tables + result + work)
        if to_samples
        else max(build, tables + result + work)
    )


def routes(direction):
    """[(whether to samples, the route)] of "forward", "inverse", or both for None; others are refused."""
    forward, inverse = (False, plan.analysis_route), (True, plan.synthesis_route)
    known = {"forward": [forward], "inverse": [inverse], None: [forward, inverse]}
    if direction not in known:
        raise ValueError(
            f'direction is {direction!r}; expected "forward", "inverse", or None for the larger'
        )
    return known[direction]


def item(real, single):
    """Bytes of a number of a result."""
    return (4 if single else 8) * (1 if real else 2)


def plane_columns(route, to_samples):
    """Columns of the planes beside the grid: those of a synthesis, or of the rows of an analysis."""
    return recursion.plane_width(route) if to_samples else len(route.rows)


def route_tables(grid, L, spins):
    """(bytes while they are made, bytes) of what recursions keep, and the phi step of HEALPix."""
    coefficients = sum(recursion_coefficients.kept_bytes(L, spin) for spin in spins)
    if grid.name != "healpix":
        return coefficients, coefficients
    # of the FFTs of every length 4 i, i <= nside: i to 3 i numbers each, twice while they are joined
    return coefficients + 100 * grid.nside**2, coefficients + 50 * grid.nside**2


def bundle_tables(grid, L, N, single):
    """Bytes of the tables of `engines.batched`: four-ring blocks of T_mn[l, ring], l >= max(|m|, |n|)."""
    rings, pairs = -(-len(grid.ring_theta) // 4) * 4, L * L * (N - 0.5)
    return (4 if single else 8) * rings * pairs * L / 2 * 1.5


def _stored_tables(grid, L, spin, narrow):
    """(columns of the planes, bytes while they are made, bytes) of `precomputed.tables`."""
    rings, size = len(grid.ring_theta), precomputed.table_bytes(grid, L, spin)
    unit = 8 * L * (L if spin == 0 else 2 * L - 1) * rings  # the transforms of unit coefficients
    columns = -(-rings // 16) * 16
    return (
        columns,
        unit + 2 * size + recursion_coefficients.kept_bytes(L, spin),
        size // (2 if narrow else 1),
    )


def _part_bytes(route):
    """Of the planes between the Legendre and the theta step, a part of the orders at a time."""
    return 0 if route.to_grid is None else recursion.PART_BYTES
