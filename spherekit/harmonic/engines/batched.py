"""Real signals of small band-limits, many at once: as many maps as lanes go through every step together.

The transforms of the sphere and (`wigner.engines.batched`) of the rotation group, on rectangles whose rings
are too short to fill the lanes. With the orders n of a signal on SO(3) (of one on the sphere n = 0 alone) as
fields,

    F_mn(ring) = sum_l T_mn[l, ring] c_lmn,    f(gamma, ring, alpha) = sum_mn F_mn e^{i (m alpha + n gamma)},

and the adjoint; of a real signal n >= 0, and of n = 0 the orders m >= 0. T holds what lies between the rings
and the samples too: quadrature weights, and on MW-like grids the exact continuation in theta. The
coefficients, planes and samples of a batch of lanes stay in the cache (the second level's up to about
L = N = 10).
"""

import math
from collections import namedtuple

import numpy as np

from spherekit._core import checks, chunks
from spherekit._core.cache import bytes_lru_cache
from spherekit._core.missing import UNSEEN
from spherekit._core.parallel import run
from spherekit._core.workspace import aligned_copy, scratch
from spherekit.conventions.indexing import alternate, degrees_and_orders
from spherekit.harmonic.engines import precomputed
from spherekit.harmonic.engines.batched_fft import BLOCK
from spherekit.harmonic.engines.batched_kernels import analyze, synthesize
from spherekit.harmonic.plan import work_bytes
from spherekit.kernels import fft
from spherekit.kernels.simd import Lanes, has_wide_registers

name = "batched"

_FULL = 1 if has_wide_registers() else 2
_LANES = {False: Lanes(8 // _FULL), True: Lanes(16 // _FULL, True)}

#: Most bytes of the work memory of a batch of lanes in float32 (measured: beyond, the gain is small).
_MAX_BYTES = 8.2e6
#: Most samples of a circle: the FFT needs no padded length.
_MAX_SAMPLES = 193
#: Most samples of a circle that are summed (measured).
_MAX_SUMMED = 64

#: Sizes, ``numbers`` and ``samples`` of a map; ``starts[k]`` of each pair (n, m) into ``values``, blocks of
#: four rings (of the transpose: degrees); the FFT over alpha, or the cosines and sines that are summed in its
#: place on short circles, and those of gamma; and where things begin in the work memory, in lanes.
Tables = namedtuple(
    "Tables",
    "L N gammas rings numbers samples starts values alpha ring_turns gamma_turns places size",
)


def unusable_reason(problem):
    """None, or why these transforms are not batched; depends on the problem alone."""
    return unbatchable_reason(problem.grid, problem.L, 1, 1, problem.reality, problem.maps)


def is_usable_for(problem):
    """Whether these transforms are batched."""
    return unusable_reason(problem) is None


def required_bytes(problem):
    """Memory beside the input: the result, tables, and the work memory of threads."""
    case = problem.grid, problem.L, 1, 1, problem.single, problem.threads
    return problem.result_bytes + tables_and_work_bytes(*case)


def synthesis(flm, problem, checked):
    """Coefficients (..., L*L) -> samples; refuses NaN and inf and, if ``checked``, a broken symmetry."""
    table = tables(problem.grid, problem.L, 1, 1, problem.plan_of, True, problem.single)
    f, input_stats = to_samples(flm, table, np.ones(problem.L), problem.threads)
    if not is_sound(input_stats, checked, problem.single):
        _refuse_coefficients(flm, problem, checked)
    return f.reshape(*flm.shape[:-1], *problem.result_shape)


def analysis(f, problem):
    """Samples -> coefficients (..., L*L); refuses NaN, inf and UNSEEN."""
    table = tables(problem.grid, problem.L, 1, 1, problem.plan_of, False, problem.single)
    flm, suspect = to_coefficients(f, table, np.ones(problem.L), problem.threads)
    if suspect:
        _refuse_samples(f, problem)
    return flm.reshape(*f.shape[:-2], *problem.result_shape)


def _refuse_coefficients(flm, problem, checked):
    """Raise what the other engines raise, whose kernels look at a chunk of maps at a time."""
    for chunk in _chunks(flm, 1, problem):
        chunk = np.ascontiguousarray(chunk, np.result_type(chunk, np.complex64))
        checks.check_coefficients(_input_stats(chunk), chunk, checked, problem.single)


def _refuse_samples(f, problem):
    """Raise where samples are bad, as the other engines do; large ones are legal."""
    for chunk in _chunks(f, 2, problem):
        checks.bad_samples(np.ascontiguousarray(chunk), UNSEEN, problem.is_adjoint)


def _chunks(x, map_axes, problem):
    itemsize = 4 if problem.single else 8
    bytes_per_map = work_bytes(problem.grid, problem.L, problem.reality, itemsize)
    return chunks.map_chunks(x, map_axes, bytes_per_map, problem.threads)


def _input_stats(flm):
    """[NaN unless all are finite, symmetry defect, magnitude], as `kernels.packing.gather`."""
    if not np.isfinite(flm).all():
        return math.nan, 0.0, 0.0
    ell, m = degrees_and_orders(math.isqrt(flm.shape[-1]))
    defect = flm.astype(complex) - alternate(flm[..., ell * (ell + 1) - m].conj(), m)
    parts = (np.abs([x.real, x.imag]) for x in (defect[..., m >= 0], flm[..., m >= 0]))
    return 0.0, *(part.max() for part in parts)


# --- what the sphere and the rotation group share ----------------------------------------------------


def unbatchable_reason(sphere, L, N, gammas, real, maps):
    """None, or why signals with ``gammas`` angles gamma and orders |n| < N are not batched."""
    if not real:
        return "it takes real signals (reality=True)"
    if not sphere.rectangular:
        return f"it takes rectangular grids, not {sphere!r}"
    if maps < precomputed.BATCH_MAPS:
        return f"it takes at least {precomputed.BATCH_MAPS} maps, not {maps}"
    if gammas < 2 * N - 1:
        return f"it takes at least {2 * N - 1} angles gamma, not {gammas}"
    if sphere.shape[1] > _MAX_SAMPLES or gammas > _MAX_SUMMED:
        return (
            f"it takes at most {_MAX_SAMPLES} samples a ring and {_MAX_SUMMED} angles gamma, not "
            f"{sphere.shape[1]} and {gammas}"
        )
    size = 4 * 16 * _places(L, N, gammas, *sphere.shape)[-1]
    if size > _MAX_BYTES:
        return f"its work memory takes {size:.3g} bytes, and at most {_MAX_BYTES:.3g}"
    return None


def tables_and_work_bytes(sphere, L, N, gammas, single, threads):
    """Bytes of `tables` (four-ring blocks of T_mn[l, ring], l >= max(|m|, |n|)) and of work memory."""
    lanes, itemsize = _LANES[single].type.width, 4 if single else 8
    rings, pairs = -(-len(sphere.ring_theta) // 4) * 4, L * L * (N - 0.5)
    work = itemsize * lanes * _places(L, N, gammas, *sphere.shape)[-1]
    return itemsize * rings * pairs * L / 2 * 1.5 + threads * work


def is_sound(input_stats, checked, single):
    """Whether coefficients are finite and, if ``checked``, those of a real signal."""
    bad, defect, largest = input_stats
    is_symmetric = not (checked and defect > checks.symmetry_tolerance(single) * largest)
    return bad == 0 and is_symmetric


@bytes_lru_cache(2**28, lambda tables: tables.values.nbytes)
def tables(sphere, L, N, gammas, plan_of, to_samples, single):
    """Tables of one direction: of `harmonic.plan.synthesis_plan` or `analysis_plan`, or its transpose."""
    rings, signs = sphere.shape[0], np.where(np.arange(1 - L, 0) % 2, -1.0, 1.0)
    blocks, starts, at = [], [], 0
    for n in range(N):
        unit = precomputed.unit_transforms(sphere, L, -n, plan_of) * (-1) ** n
        if n:
            unit[:, : L - 1] *= signs[:, None]
        for slot in range(unit.shape[1]):
            first = max(n, abs(slot - (L - 1)) if n else slot)
            table = unit[first:, slot]
            table = table if to_samples else table.T
            blocks.append(_blocks(table).ravel())
            starts.append(at)
            at += blocks[-1].size
    values = aligned_copy(np.concatenate(blocks).astype(np.float32 if single else float))
    alpha = fft.tables(sphere.shape[1], single)
    c, s = _turns(sphere.shape[1], L, to_samples)
    if to_samples:
        c[1:], s[1:] = 2 * c[1:], 2 * s[1:]  # for -m too
    on_rings = aligned_copy(
        np.concatenate([_blocks(c), _blocks(s)], axis=-1).ravel().astype(values.dtype)
    )
    c, s = _turns(gammas, N, to_samples)
    on_gamma = aligned_copy(np.concatenate([_blocks(c), _blocks(s)]).ravel().astype(values.dtype))
    *places, size = _places(L, N, gammas, *sphere.shape)
    starts, places = np.array(starts), np.array(places)
    sizes = L, N, gammas, rings, 2 * (2 * N - 1) * L * L, gammas * rings * sphere.shape[1]
    return Tables(*sizes, starts, values, alpha, on_rings, on_gamma, places, size)


def _turns(n, orders, to_samples):
    """cos and sin of orders times angles up to pi, (input, output); empty where FFTs take less time."""
    count = n // 2 + 1 if n <= _MAX_SUMMED else 0
    z = fft.roots(np.outer(np.arange(orders), np.arange(count)) % n, n)
    z = z if to_samples else z.T
    return z.real.copy(), z.imag.copy()


def _blocks(matrix):
    """(input, output) -> (blocks of the output, input, BLOCK)."""
    matrix = np.pad(matrix, [(0, 0), (0, -matrix.shape[1] % BLOCK)])
    blocks = matrix.shape[1] // BLOCK
    return matrix.reshape(len(matrix), blocks, BLOCK).swapaxes(0, 1)


def _places(L, N, gammas, rings, alphas):
    """Where coefficients, those by order, planes, rotated ones, samples, and FFTs begin; the size."""
    pairs = L + (N - 1) * (2 * L - 1)
    padded = -(-rings // BLOCK) * BLOCK
    sizes = [
        2 * (2 * N - 1) * L * L,
        2 * (pairs * L + BLOCK),
        2 * pairs * padded,
        2 * gammas * L,
        gammas * rings * alphas,
        # `fft.work_size`, and what plain sums leave over of a block
        6 * max(gammas, alphas) + 2 + 6 * BLOCK,
    ]
    return np.concatenate([[0], np.cumsum(sizes)]).tolist()


def to_samples(flm, table, scale, threads):
    """Coefficients of all maps -> their samples (maps, samples), and the input_stats of the coefficients.

    ``scale``: a factor of each degree.
    """
    kind = table.values.dtype
    lanes = _LANES[kind == np.float32]
    flm = np.ascontiguousarray(flm, np.result_type(kind, np.complex64)).reshape(-1).view(kind)
    maps = flm.size // table.numbers
    f = np.empty((maps, table.samples), kind)
    counter, input_stats = np.zeros(1, np.int64), np.zeros((threads, 3))
    arrays = maps, table, scale.astype(kind), flm, f.reshape(-1)

    def work(thread):
        buffer = scratch("batch", (table.size * lanes.type.width,), kind)
        synthesize(lanes, counter, *arrays, buffer, input_stats[thread])

    run(work, threads)
    return f, input_stats.max(axis=0)


def to_coefficients(f, table, scale, threads):
    """The transpose: samples -> coefficients (maps, numbers / 2), and whether samples are to be looked at."""
    kind = table.values.dtype
    lanes = _LANES[kind == np.float32]
    f = np.ascontiguousarray(f, kind).reshape(-1)
    maps = f.size // table.samples
    flm = np.empty((maps, table.numbers), kind)
    counter, suspects = np.zeros(1, np.int64), np.zeros((threads, 1))
    arrays = maps, table, scale.astype(kind), f, flm.reshape(-1)

    def work(thread):
        buffer = scratch("batch", (table.size * lanes.type.width,), kind)
        analyze(lanes, counter, *arrays, buffer, suspects[thread])

    run(work, threads)
    return flm.view(np.result_type(kind, np.complex64)), bool(suspects.any())
