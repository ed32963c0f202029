"""Process batches of maps in chunks whose work memory fits the processor cache."""

import itertools
import math

import numpy as np

from spherekit._core.parallel import run

#: Work memory of one chunk of maps, about the cache of a core.
_CHUNK_BYTES = 4e6

#: Largest work memory of all threads together.
_TOTAL_BYTES = 3e8


def chunk_size(maps, bytes_per_map, threads):
    """Return the maps per chunk, and whether threads process separate chunks instead of sharing each."""
    size = int(max(1, min(maps, _CHUNK_BYTES // bytes_per_map)))
    chunks = -(-maps // size)
    is_split = 1 < threads <= chunks and threads * size * bytes_per_map <= _TOTAL_BYTES
    if is_split:  # the same number of chunks for each thread
        chunks = -(-chunks // threads) * threads
        size = -(-maps // chunks)
    return size, is_split


def concurrent_maps(maps, bytes_per_map, threads):
    """Return the number of maps that occupy work memory at the same time."""
    size, is_split = chunk_size(maps, bytes_per_map, threads)
    return min(maps, size * threads) if is_split else size


def map_chunks(x, map_axes, bytes_per_map, threads):
    """Return an iterator over the chunks (n, ...) of a batch, divided as in `for_each_chunk`."""
    maps = _as_maps(x, map_axes)
    size, _ = chunk_size(len(maps), bytes_per_map, threads)
    return (maps[start : start + size] for start in range(0, len(maps), size))


def for_each_chunk(transform, x, map_axes, shape, dtype, bytes_per_map, threads):
    """Apply ``transform(chunk, result, threads)`` to a batch of maps with any leading axes.

    Parameters
    ----------
    transform : callable
        Computes ``result`` (n, *shape), in place, from ``chunk`` (n, ...).
    x : ndarray
        Batch; the last ``map_axes`` axes are those of one map.
    map_axes : int
        Number of axes of one map.
    shape : tuple of int
        Shape of the result of one map.
    dtype : dtype
        Data type of the result.
    bytes_per_map : float
        Work memory of one map, which determines the number of maps per chunk.
    threads : int
        Number of threads. They process separate chunks if there are enough chunks, else they share the work
        within each chunk.

    Returns
    -------
    ndarray
        Results, with the leading axes of ``x`` followed by ``shape``.
    """
    maps = _as_maps(x, map_axes)
    size, is_split = chunk_size(len(maps), bytes_per_map, threads)
    result = np.empty((len(maps), *shape), dtype)
    starts = itertools.count(0, size)

    def work(_):
        for start in starts:
            if start >= len(maps):
                return
            chunk = slice(start, start + size)
            transform(maps[chunk], result[chunk], 1 if is_split else threads)

    run(work, threads if is_split else 1)
    return result.reshape(*x.shape[: x.ndim - map_axes], *shape)


def _as_maps(x, map_axes):
    """Reshape ``x`` to one leading axis."""
    first = x.ndim - map_axes
    return x.reshape(math.prod(x.shape[:first]), *x.shape[first:])
