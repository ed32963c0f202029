"""Engine for many real signals of small band-limit: each SIMD lane contains one map, in all steps.

It serves the transforms of the sphere and (`wigner.engines.batched`) of the rotation group, on rectangular
grids whose rings are too short to fill the lanes. With the orders n of a signal on SO(3) (n = 0 only for a
signal on the sphere) as fields,

    F_mn(ring) = sum_l T_mn[l, ring] c_lmn,    f(gamma, ring, alpha) = sum_mn F_mn e^{i (m alpha + n gamma)},

and the adjoint; for a real signal n >= 0, and m >= 0 for n = 0. The tables T also contain the steps between
the rings and the samples: quadrature weights, and on MW-like grids the exact continuation in theta. The
coefficients, planes and samples of a batch of lanes stay in the cache (in the second-level cache up to about
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

_REGISTER_RATIO = 1 if has_wide_registers() else 2
_LANES = {False: Lanes(8 // _REGISTER_RATIO), True: Lanes(16 // _REGISTER_RATIO, True)}

#: Largest work memory of a batch of lanes in float32, bytes (measured: beyond it, the gain is small).
_MAX_BYTES = 8.2e6
#: Largest number of samples of a circle: the FFT needs no padded length.
_MAX_SAMPLES = 193
#: Largest number of samples of a circle that is computed by sums (measured).
_MAX_SUMMED = 64

#: Smallest product of maps, samples and band-limit for which several threads are faster (measured).
_MIN_THREADED_WORK = 2**20

#: Sizes; ``floats`` (of the coefficients) and ``samples`` of a map; ``starts[k]`` of each pair (n, m) in
#: ``values``, in blocks of four rings (of the transpose: degrees); the FFT over alpha, or the cosines and
#: sines that replace it on short circles, and those of gamma; offsets in the work memory and its size, in
#: lanes.
Tables = namedtuple(
    "Tables",
    "L N gammas rings floats samples starts values alpha ring_twiddles gamma_twiddles "
    "work_offsets size",
)


def unusable_reason(problem):
    """Return None, or the reason why this engine cannot solve the problem."""
    return unbatchable_reason(problem.grid, problem.L, 1, 1, problem.reality, problem.maps)


def is_usable_for(problem):
    """Return whether this engine can solve the problem."""
    return unusable_reason(problem) is None


def required_bytes(problem):
    """Return the memory in addition to the input: the result, tables, and the work memory of threads."""
    case = problem.grid, problem.L, 1, 1, problem.single, problem.threads
    return problem.result_bytes + tables_and_work_bytes(*case)


def synthesis(flm, problem, checked):
    """Transform coefficients (..., L*L) to samples.

    Raises a ValueError for NaN and inf and, with ``checked``, for coefficients that break the symmetry.
    """
    table = tables(problem.grid, problem.L, 1, 1, problem.plan_of, True, problem.single)
    f, input_stats = to_samples(flm, table, np.ones(problem.L), problem.threads)
    if not is_valid(input_stats, checked, problem.single):
        _raise_for_coefficients(flm, problem, checked)
    return f.reshape(*flm.shape[:-1], *problem.result_shape)


def analysis(f, problem):
    """Transform samples to coefficients (..., L*L); raises a ValueError for NaN, inf and UNSEEN."""
    table = tables(problem.grid, problem.L, 1, 1, problem.plan_of, False, problem.single)
    flm, suspect = to_coefficients(f, table, np.ones(problem.L), problem.threads)
    if suspect:
        _raise_for_samples(f, problem)
    return flm.reshape(*f.shape[:-2], *problem.result_shape)


def _raise_for_coefficients(flm, problem, checked):
    """Raise the error of the other engines, which check one chunk of maps at a time."""
    for chunk in _chunks(flm, 1, problem):
        chunk = np.ascontiguousarray(chunk, np.result_type(chunk, np.complex64))
        checks.check_coefficients(_input_stats(chunk), chunk, checked, problem.single)


def _raise_for_samples(f, problem):
    """Raise the error of the other engines for invalid samples; large samples are valid."""
    for chunk in _chunks(f, 2, problem):
        checks.bad_samples(np.ascontiguousarray(chunk), UNSEEN, problem.is_adjoint)


def _chunks(x, map_axes, problem):
    itemsize = 4 if problem.single else 8
    bytes_per_map = work_bytes(problem.grid, problem.L, problem.reality, itemsize)
    return chunks.map_chunks(x, map_axes, bytes_per_map, problem.threads)


def _input_stats(flm):
    """Return [NaN unless all are finite, symmetry defect, magnitude], as `kernels.packing.gather`."""
    if not np.isfinite(flm).all():
        return math.nan, 0.0, 0.0
    ell, m = degrees_and_orders(math.isqrt(flm.shape[-1]))
    defect = flm.astype(complex) - alternate(flm[..., ell * (ell + 1) - m].conj(), m)
    magnitudes = (np.abs([x.real, x.imag]) for x in (defect[..., m >= 0], flm[..., m >= 0]))
    return 0.0, *(magnitude.max() for magnitude in magnitudes)


# --- functions for the sphere and the rotation group -------------------------------------------------


def unbatchable_reason(sphere, L, N, gammas, real, maps):
    """Return None, or why signals with ``gammas`` angles gamma and orders |n| < N are not batched."""
    if not real:
        return "it supports real signals only (reality=True)"
    if not sphere.rectangular:
        return f"it supports only rectangular grids, not {sphere!r}"
    if maps < precomputed.BATCH_MAPS:
        return f"it needs at least {precomputed.BATCH_MAPS} maps, not {maps}"
    if gammas < 2 * N - 1:
        return f"it needs at least {2 * N - 1} angles gamma, not {gammas}"
    if sphere.shape[1] > _MAX_SAMPLES or gammas > _MAX_SUMMED:
        return (
            f"it supports at most {_MAX_SAMPLES} samples per ring and {_MAX_SUMMED} angles gamma, not "
            f"{sphere.shape[1]} and {gammas}"
        )
    size = 4 * 16 * _work_offsets(L, N, gammas, *sphere.shape)[-1]
    if size > _MAX_BYTES:
        return f"its work memory would be {size:.3g} bytes; the limit is {_MAX_BYTES:.3g}"
    return None


def tables_and_work_bytes(sphere, L, N, gammas, single, threads):
    """Return the bytes of `tables` (blocks of T_mn[l, ring], l >= max(|m|, |n|)) and of work memory."""
    lanes, itemsize = _LANES[single].type.width, 4 if single else 8
    rings, pairs = -(-len(sphere.ring_theta) // 4) * 4, L * L * (N - 0.5)
    work = itemsize * lanes * _work_offsets(L, N, gammas, *sphere.shape)[-1]
    return itemsize * rings * pairs * L / 2 * 1.5 + threads * work


def is_valid(input_stats, checked, single):
    """Return whether coefficients are finite and, with ``checked``, those of a real signal."""
    nan_sum, defect, largest = input_stats
    is_symmetric = not (checked and defect > checks.symmetry_tolerance(single) * largest)
    return nan_sum == 0 and is_symmetric


@bytes_lru_cache(2**28, lambda tables: tables.values.nbytes)
def tables(sphere, L, N, gammas, plan_of, to_samples, single):
    """Return the tables of one direction.

    They are those of `plan.synthesis_plan` or `plan.analysis_plan` or, not ``to_samples``, of its transpose.
    """
    rings, signs = sphere.shape[0], np.where(np.arange(1 - L, 0) % 2, -1.0, 1.0)
    blocks, starts = [], []
    offset = 0
    for n in range(N):
        transforms = precomputed.unit_transforms(sphere, L, -n, plan_of) * (-1) ** n
        if n:
            transforms[:, : L - 1] *= signs[:, None]
        for slot in range(transforms.shape[1]):
            first = max(n, abs(slot - (L - 1)) if n else slot)
            table = transforms[first:, slot]
            table = table if to_samples else table.T
            blocks.append(_blocks(table).ravel())
            starts.append(offset)
            offset += blocks[-1].size
    values = np.concatenate(blocks).astype(np.float32 if single else float)
    values = aligned_copy(precomputed.zero_negligible(values))
    alpha = fft.tables(sphere.shape[1], _LANES[single])
    c, s = _twiddles(sphere.shape[1], L, to_samples)
    if to_samples:
        c[1:], s[1:] = 2 * c[1:], 2 * s[1:]  # for m and -m
    ring_twiddles = aligned_copy(
        np.concatenate([_blocks(c), _blocks(s)], axis=-1).ravel().astype(values.dtype)
    )
    c, s = _twiddles(gammas, N, to_samples)
    gamma_twiddles = aligned_copy(
        np.concatenate([_blocks(c), _blocks(s)]).ravel().astype(values.dtype)
    )
    *work_offsets, size = _work_offsets(L, N, gammas, *sphere.shape)
    starts, work_offsets = np.array(starts), np.array(work_offsets)
    sizes = L, N, gammas, rings, 2 * (2 * N - 1) * L * L, gammas * rings * sphere.shape[1]
    return Tables(*sizes, starts, values, alpha, ring_twiddles, gamma_twiddles, work_offsets, size)


def _twiddles(n, orders, to_samples):
    """Return cos and sin of orders times angles up to pi, (input, output); empty where FFTs are faster."""
    count = n // 2 + 1 if n <= _MAX_SUMMED else 0
    z = fft.roots(np.outer(np.arange(orders), np.arange(count)) % n, n)
    z = z if to_samples else z.T
    return z.real.copy(), z.imag.copy()


def _blocks(matrix):
    """Reshape (input, output) to (blocks of the output, input, BLOCK)."""
    matrix = np.pad(matrix, [(0, 0), (0, -matrix.shape[1] % BLOCK)])
    blocks = matrix.shape[1] // BLOCK
    return matrix.reshape(len(matrix), blocks, BLOCK).swapaxes(0, 1)


def _work_offsets(L, N, gammas, rings, alphas):
    """Return the offsets in the work memory, and its size.

    In order: coefficients, coefficients by order, planes, planes by gamma, samples, and the buffer for FFTs.
    """
    pairs = L + (N - 1) * (2 * L - 1)
    padded = -(-rings // BLOCK) * BLOCK
    sizes = [
        2 * (2 * N - 1) * L * L,
        2 * (pairs * L + BLOCK),
        2 * pairs * padded,
        2 * gammas * L,
        gammas * rings * alphas,
        # the work array of `fft`, and the incomplete blocks of plain sums
        6 * max(gammas, alphas) + 2 + 6 * BLOCK,
    ]
    return np.concatenate([[0], np.cumsum(sizes)]).tolist()


def _useful_threads(maps, table, threads):
    """Return 1 where further threads would take longer to start than they save, else ``threads``."""
    return threads if maps * table.samples * table.L >= _MIN_THREADED_WORK else 1


def to_samples(flm, table, scale, threads):
    """Transform the coefficients of all maps to samples (maps, samples); returns also the input statistics.

    ``scale``: a factor for each degree.
    """
    dtype = table.values.dtype
    lanes = _LANES[dtype == np.float32]
    flm = np.ascontiguousarray(flm, np.result_type(dtype, np.complex64)).reshape(-1).view(dtype)
    maps = flm.size // table.floats
    f = np.empty((maps, table.samples), dtype)
    counter, input_stats = np.zeros(1, np.int64), np.zeros((threads, 3))
    arrays = maps, table, scale.astype(dtype), flm, f.reshape(-1)

    def work(thread):
        buffer = scratch("batch", (table.size * lanes.type.width,), dtype)
        offsets = np.empty(lanes.type.width, np.int64)
        synthesize(lanes, counter, *arrays, buffer, offsets, input_stats[thread])

    run(work, _useful_threads(maps, table, threads))
    return f, input_stats.max(axis=0)


def to_coefficients(f, table, scale, threads):
    """The transpose of `to_samples`: samples to coefficients (maps, coefficients / 2).

    Returns also whether the samples need to be checked for NaN, inf and UNSEEN.
    """
    dtype = table.values.dtype
    lanes = _LANES[dtype == np.float32]
    f = np.ascontiguousarray(f, dtype).reshape(-1)
    maps = f.size // table.samples
    flm = np.empty((maps, table.floats), dtype)
    counter, suspects = np.zeros(1, np.int64), np.zeros((threads, 1))
    arrays = maps, table, scale.astype(dtype), f, flm.reshape(-1)

    def work(thread):
        buffer = scratch("batch", (table.size * lanes.type.width,), dtype)
        offsets = np.empty(lanes.type.width, np.int64)
        analyze(lanes, counter, *arrays, buffer, offsets, suspects[thread])

    run(work, _useful_threads(maps, table, threads))
    return flm.view(np.result_type(dtype, np.complex64)), bool(suspects.any())
