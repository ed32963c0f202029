"""Many maps, a chunk of them at a time, so that what one step leaves the next one finds in the cache."""

import itertools
import math

import numpy as np

from spherekit._core.parallel import run

#: Work memory of one chunk of maps: what a core keeps near it; and of all threads at once.
_CHUNK_BYTES, _TOTAL_BYTES = 4e6, 3e8


def chunk_size(maps, bytes_per_map, threads):
    """(maps of a chunk, whether each thread takes chunks of its own; else all of them share each chunk)."""
    size = int(max(1, min(maps, _CHUNK_BYTES // bytes_per_map)))
    chunks = -(-maps // size)
    is_split = 1 < threads <= chunks and threads * size * bytes_per_map <= _TOTAL_BYTES
    if is_split:  # the same number for each thread
        chunks = -(-chunks // threads) * threads
        size = -(-maps // chunks)
    return size, is_split


def concurrent_maps(maps, bytes_per_map, threads):
    """How many maps have work memory at the same time."""
    size, is_split = chunk_size(maps, bytes_per_map, threads)
    return min(maps, size * threads) if is_split else size


def map_chunks(x, map_axes, bytes_per_map, threads):
    """The chunks (n, ...) of the maps of any leading axes, those of `for_each_chunk`."""
    maps = _as_maps(x, map_axes)
    size, _ = chunk_size(len(maps), bytes_per_map, threads)
    return (maps[start : start + size] for start in range(0, len(maps), size))


def for_each_chunk(transform, x, map_axes, shape, dtype, bytes_per_map, threads):
    """Apply ``transform(chunk, result, threads)`` to the maps of any leading axes.

    Parameters
    ----------
    transform : callable
        Overwrites ``result`` (n, *shape) from ``chunk`` (n, ...).
    x : ndarray
        The last ``map_axes`` axes are one map.
    shape, dtype
        Of one map's result.
    bytes_per_map : float
        Work memory of one map, which decides how many maps a chunk has.
    threads : int
        They share the chunks where there are enough of them, else the work within a chunk.
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
    """``x`` with one leading axis."""
    first = x.ndim - map_axes
    return x.reshape(math.prod(x.shape[:first]), *x.shape[first:])
