"""Weighted second moments of selected pairs of fields.

    m_p(x, y) = 1/2 sum_s w_s (x_i y_k + x_k y_i),   (i, k) = pairs[p]

is symmetric in the fields x and y, (..., fields, slices, n_theta, n_phi), and computed for each slice. The
weights broadcast against (n_theta, n_phi). Moments are float64 for any precision of the fields. All
derivatives are expressed by the three functions of this module.
"""

import math

import numpy as np
from autograd.extend import defjvp, defvjp, primitive

from spherekit._core import checks
from spherekit._core.jit import leaf
from spherekit._core.parallel import run
from spherekit.kernels.simd import Lanes, load, pointer, splat, store, width
from spherekit.kernels.work_queue import next_item

WIDE = Lanes(32)
#: Samples of a chunk, whose fields together fit in the cache of the processor.
_CHUNK = 512


@primitive
def squares(x, pairs, weights, threads):
    """m_p(x, x): (..., fields, slices, n_theta, n_phi) -> (..., slices, pairs).

    >>> x = np.array([[[[1.0, 2.0]]], [[[3.0, 4.0]]]])
    >>> squares(x, ((0, 0), (0, 1)), np.array([0.5, 0.5]), 1)
    array([[2.5, 5.5]])
    """
    return _moments(x, x, pairs, weights, threads)


@primitive
def moments(x, y, pairs, weights, threads):
    """m_p(x, y), with the shapes of `squares`."""
    pairs = np.asarray(pairs)
    swapped = _moments(x, y, pairs[:, ::-1], weights, threads)
    return (_moments(x, y, pairs, weights, threads) + swapped) / 2


@primitive
def mixture(g, x, pairs, weights, threads):
    """The gradient of `squares`: sum_p g_p w x_k added to field i, and sum_p g_p w x_i added to field k."""
    x = checks.as_float_array(x, "x")
    g = checks.as_float_array(g, "g")
    fields, samples = _flat(x)
    matrix = np.zeros((*g.shape[:-1], fields, fields))
    rows, columns = np.transpose(pairs)
    np.add.at(matrix, (..., rows, columns), g)
    np.add.at(matrix, (..., columns, rows), g)
    matrix = matrix.reshape(math.prod(g.shape[:-1]), fields, fields)
    result = np.empty_like(samples)
    counter = np.zeros(1, np.int64)
    work = WIDE, counter, matrix, samples, _sample_weights(weights, x)
    size = (fields + 1) * _CHUNK
    run(lambda _: _mix(*work, np.zeros(size), result), threads)
    return result.reshape(x.shape).astype(x.dtype, copy=False)


defvjp(squares, lambda answer, x, *flags: lambda g: mixture(g, x, *flags), argnums=(0,))
defjvp(squares, lambda t, answer, x, *flags: 2 * moments(x, t, *flags), argnums=(0,))
defvjp(
    moments,
    lambda answer, x, y, *flags: lambda g: mixture(g, y, *flags) / 2,
    lambda answer, x, y, *flags: lambda g: mixture(g, x, *flags) / 2,
    argnums=(0, 1),
)
defjvp(moments, "same", "same", argnums=(0, 1))
defvjp(
    mixture,
    lambda answer, g, x, *flags: lambda h: 2 * moments(h, x, *flags),
    lambda answer, g, x, *flags: lambda h: mixture(g, h, *flags),
    argnums=(0, 1),
)
defjvp(mixture, "same", "same", argnums=(0, 1))


def _flat(x):
    """The number of fields, and float64 samples (signals, fields, slices, samples)."""
    fields, slices = x.shape[-4:-2]
    lead = math.prod(x.shape[:-4])
    return fields, np.ascontiguousarray(
        x.reshape(lead, fields, slices, math.prod(x.shape[-2:])), float
    )


def _sample_weights(weights, x):
    """The weights of all samples of a slice, flattened."""
    return np.broadcast_to(weights, x.shape[-2:]).ravel().astype(float)


def _moments(x, y, pairs, weights, threads):
    x = checks.as_float_array(x, "x")
    y = checks.as_float_array(y, "y")
    lead = x.shape[:-4]
    slices = x.shape[-3]
    _, first = _flat(x)
    second = first if x is y else _flat(y)[1]
    result = np.empty((len(first), slices, len(pairs)))
    counter = np.zeros(1, np.int64)
    indices = np.ascontiguousarray(pairs, np.int64)
    work = WIDE, counter, first, second, indices, _sample_weights(weights, x)
    size = 2 * first.shape[1] * _CHUNK + len(pairs) * WIDE.type.width
    run(lambda _: _multiply(*work, np.empty(size), result), threads)
    return result.reshape(*lead, slices, len(pairs))


# --- kernels -----------------------------------------------------------------------------------------


@leaf
def _multiply(lanes, counter, x, y, pairs, weights, work, result):
    """Moments of one slice of a signal at a time; chunks of samples are weighted once for all pairs.

    ``work``: the chunks of all fields, plain and weighted, and the sums of all pairs.
    """
    fields, slices, samples = x.shape[1:]
    w, pair_count, field_size = width(lanes), pairs.shape[0], slices * samples
    plain, weighted = pointer(work, 0), pointer(work, fields * _CHUNK)
    sums = pointer(work, 2 * fields * _CHUNK)
    while True:
        item = next_item(counter)
        if item >= x.shape[0] * slices:
            return
        for i in range(pair_count * w):
            sums[i] = 0.0
        slice_offset = item // slices * fields * field_size + item % slices * samples
        for start in range(0, samples, _CHUNK):
            size = min(_CHUNK, samples - start)
            padded = -(-size // w) * w
            first = slice_offset + start
            _copy_chunk(pointer(x, first), field_size, fields, size, padded, plain)
            factors = pointer(weights, start)
            _weigh(pointer(y, first), factors, field_size, fields, size, padded, weighted)
            for p in range(pair_count):
                a, b = pairs[p, 0] * _CHUNK, pairs[p, 1] * _CHUNK
                total = load(lanes, sums, p * w)
                for s in range(0, padded, w):
                    total = total + load(lanes, plain, a + s) * load(lanes, weighted, b + s)
                store(sums, p * w, total)
        for p in range(pair_count):
            moment = 0.0
            for i in range(w):
                moment += sums[p * w + i]
            result[item // slices, item % slices, p] = moment


@leaf
def _mix(lanes, counter, matrix, x, weights, work, result):
    """result_i = w sum_k matrix_ik x_k; the matrices are (signals * slices, fields, fields).

    ``work``: the chunks of all fields, and one row.
    """
    fields, slices, samples = x.shape[1:]
    w, field_size = width(lanes), slices * samples
    chunk, row = pointer(work, 0), pointer(work, fields * _CHUNK)
    while True:
        item = next_item(counter)
        if item >= x.shape[0] * slices:
            return
        slice_offset = item // slices * fields * field_size + item % slices * samples
        entries = pointer(matrix, item * fields * fields)
        for start in range(0, samples, _CHUNK):
            size = min(_CHUNK, samples - start)
            first = slice_offset + start
            _weigh(
                pointer(x, first), pointer(weights, start), field_size, fields, size, size, chunk
            )
            for i in range(fields):
                for s in range(0, size, w):
                    total = splat(lanes, 0.0)
                    for k in range(fields):
                        factor = splat(lanes, entries[i * fields + k])
                        total = total + factor * load(lanes, chunk, k * _CHUNK + s)
                    store(row, s, total)
                target = pointer(result, first + i * field_size)
                for s in range(size):
                    target[s] = row[s]


@leaf
def _copy_chunk(x, field_size, fields, size, padded, chunk):
    """Write the samples of a chunk of all fields to ``chunk``, padded with zeros."""
    for i in range(fields):
        row, target = pointer(x, i * field_size), pointer(chunk, i * _CHUNK)
        for s in range(size):
            target[s] = row[s]
        for s in range(size, padded):
            target[s] = 0.0


@leaf
def _weigh(x, weights, field_size, fields, size, padded, chunk):
    """Write the samples of a chunk of all fields, times the weights, to ``chunk``, padded with zeros."""
    for i in range(fields):
        row, target = pointer(x, i * field_size), pointer(chunk, i * _CHUNK)
        for s in range(size):
            target[s] = row[s] * weights[s]
        for s in range(size, padded):
            target[s] = 0.0
