"""Real signals of small band-limits, many at once: as many maps as lanes go through every step together.

The transforms of `harmonic.transform` and `wigner.transform` on rectangles, where their rings are too short
to fill the lanes. With the orders n of a signal on SO(3) (of one on the sphere n = 0 alone) as fields,

    F_mn(ring) = sum_l T_mn[l, ring] c_lmn,    f(gamma, ring, alpha) = sum_mn F_mn e^{i (m alpha + n gamma)},

and the adjoint; of a real signal n >= 0, and of n = 0 the orders m >= 0. T holds what lies between the rings
and the samples too: quadrature weights, and on MW-like grids the exact continuation in theta. A bundle's
coefficients, planes and samples stay in the cache (the second level's up to about L = N = 10).
"""

import math
from collections import namedtuple

import numpy as np

from spherekit._core import checks
from spherekit._core.cache import kept
from spherekit._core.parallel import run
from spherekit._core.workspace import on_lines, scratch
from spherekit.harmonic.engines import precomputed
from spherekit.harmonic.engines.batched_fft import BLOCK
from spherekit.harmonic.engines.batched_kernels import analyze, synthesize
from spherekit.kernels import fft
from spherekit.kernels.simd import Lanes, has_wide_registers

_FULL = 1 if has_wide_registers() else 2
_LANES = {False: Lanes(8 // _FULL), True: Lanes(16 // _FULL, True)}

#: Most bytes of a bundle's work memory in float32 (measured: beyond, the gain is small).
_BYTES = 8.2e6
#: Samples of a circle whose FFT needs no other length.
_LONGEST = 193
#: Samples of a circle that are summed (measured).
_SUMMED = 64

#: Sizes, ``numbers`` and ``samples`` of a map; ``starts[k]`` of each pair (n, m) into ``values``, blocks of
#: four rings (of the transpose: degrees); the FFT over alpha, or the cosines and sines that are summed in its
#: place on short circles, and those of gamma; and where things begin in the work memory, in lanes.
Tables = namedtuple(
    "Tables",
    "L N gammas rings numbers samples starts values alpha ring_turns gamma_turns places size",
)


def worthwhile(sphere, L, N, gammas, real, maps):
    """Whether these transforms go in bundles; depends on nothing but the arguments."""
    if not (real and sphere.rectangular and maps >= precomputed.BATCH_MAPS and gammas >= 2 * N - 1):
        return False
    if sphere.shape[1] > _LONGEST or gammas > _SUMMED:
        return False
    return 4 * 16 * _places(L, N, gammas, *sphere.shape)[-1] <= _BYTES


def work_bytes(sphere, L, N, gammas, single):
    """Bytes of a thread's work memory."""
    lanes = _LANES[single].type.width
    return (4 if single else 8) * lanes * _places(L, N, gammas, *sphere.shape)[-1]


@kept(2**28, lambda made: made.values.nbytes)
def tables(sphere, L, N, gammas, route_of, to_samples, single):
    """Tables of one direction: of `harmonic.plan.synthesis_route` or `analysis_route`, or its transpose."""
    rings, signs = sphere.shape[0], np.where(np.arange(1 - L, 0) % 2, -1.0, 1.0)
    blocks, starts, at = [], [], 0
    for n in range(N):
        unit = precomputed.unit_transforms(sphere, L, -n, route_of) * (-1) ** n
        if n:
            unit[:, : L - 1] *= signs[:, None]
        for slot in range(unit.shape[1]):
            first = max(n, abs(slot - (L - 1)) if n else slot)
            table = unit[first:, slot]
            table = table if to_samples else table.T
            blocks.append(_blocks(table).ravel())
            starts.append(at)
            at += blocks[-1].size
    values = on_lines(np.concatenate(blocks).astype(np.float32 if single else float))
    alpha = fft.tables(sphere.shape[1], single)
    c, s = _turns(sphere.shape[1], L, to_samples)
    if to_samples:
        c[1:], s[1:] = 2 * c[1:], 2 * s[1:]  # for -m too
    on_rings = on_lines(
        np.concatenate([_blocks(c), _blocks(s)], axis=-1).ravel().astype(values.dtype)
    )
    c, s = _turns(gammas, N, to_samples)
    on_gamma = on_lines(np.concatenate([_blocks(c), _blocks(s)]).ravel().astype(values.dtype))
    *places, size = _places(L, N, gammas, *sphere.shape)
    starts, places = np.array(starts), np.array(places)
    sizes = L, N, gammas, rings, 2 * (2 * N - 1) * L * L, gammas * rings * sphere.shape[1]
    return Tables(*sizes, starts, values, alpha, on_rings, on_gamma, places, size)


def _turns(n, orders, to_samples):
    """cos and sin of orders times angles up to pi, what comes first; empty where FFTs are the faster."""
    count = n // 2 + 1 if n <= _SUMMED else 0
    z = fft.roots(np.outer(np.arange(orders), np.arange(count)) % n, n)
    z = z if to_samples else z.T
    return z.real.copy(), z.imag.copy()


def _blocks(matrix):
    """(what comes, what is made) -> (blocks, what comes, BLOCK)."""
    matrix = np.pad(matrix, [(0, 0), (0, -matrix.shape[1] % BLOCK)])
    blocks = matrix.shape[1] // BLOCK
    return matrix.reshape(len(matrix), blocks, BLOCK).swapaxes(0, 1)


def _places(L, N, gammas, rings, alphas):
    """Where coefficients as they come, by order, planes, turned ones, samples, and FFTs begin; the size."""
    pairs = L + (N - 1) * (2 * L - 1)
    padded = -(-rings // BLOCK) * BLOCK
    sizes = [
        2 * (2 * N - 1) * L * L,
        2 * (pairs * L + BLOCK),
        2 * pairs * padded,
        2 * gammas * L,
        gammas * rings * alphas,
        # `lane_fft.work_size`, and what plain sums leave over of a block
        6 * max(gammas, alphas) + 2 + 6 * BLOCK,
    ]
    return np.concatenate([[0], np.cumsum(sizes)]).tolist()


def synthesis(flm, table, scale, shape, core, checked, single, threads):
    """Coefficients (..., L*L) or (..., 2N-1, L*L), by ``core`` axes -> samples (..., *shape).

    ``scale``: a factor of each degree. None where coefficients are not finite or, if that is to be checked,
    not those of a real signal: the one who asks says it better.
    """
    lanes, kind = _LANES[single], np.dtype(np.float32 if single else float)
    lead = flm.shape[: flm.ndim - core]
    flm = np.ascontiguousarray(flm, np.result_type(kind, np.complex64))
    f = np.empty((*lead, *shape), kind)
    counter, guard = np.zeros(1, np.int64), np.zeros((threads, 3))
    given = math.prod(lead), table, scale.astype(kind), flm.reshape(-1).view(kind), f.reshape(-1)

    def work(thread):
        room = scratch("bundle", (table.size * lanes.type.width,), kind)
        synthesize(lanes, counter, *given, room, guard[thread])

    run(work, threads)
    bad, defect, top = guard.max(axis=0)
    tolerance = checks.symmetry_tolerance(single)
    return f if bad == 0 and not (checked and defect > tolerance * top) else None


def analysis(f, table, scale, shape, after, single, threads):
    """The transpose: samples (..., *shape) -> coefficients (..., *after); None where samples are bad."""
    lanes, kind = _LANES[single], np.dtype(np.float32 if single else float)
    lead = f.shape[: f.ndim - len(shape)]
    f = np.ascontiguousarray(f, kind)
    flm = np.empty((*lead, *after), np.result_type(kind, np.complex64))
    counter, suspects = np.zeros(1, np.int64), np.zeros((threads, 1))
    given = math.prod(lead), table, scale.astype(kind), f.reshape(-1), flm.reshape(-1).view(kind)

    def work(thread):
        room = scratch("bundle", (table.size * lanes.type.width,), kind)
        analyze(lanes, counter, *given, room, suspects[thread])

    run(work, threads)
    return None if suspects.any() else flm
