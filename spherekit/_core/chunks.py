"""Many maps: a few at a time, so that what one step leaves the next one finds in the cache."""

import itertools
import math

import numpy as np

from spherekit._core.parallel import run

#: Work memory of one chunk of maps: what a core keeps near it; and of all threads at once.
_NEAR_BYTES, _MOST_BYTES = 4e6, 3e8


def shares(maps, bytes_a_map, threads):
    """(maps of a chunk, whether threads take a chunk each, or all of them one after the other)."""
    chunk = int(max(1, min(maps, _NEAR_BYTES // bytes_a_map)))
    chunks = -(-maps // chunk)
    apart = 1 < threads <= chunks and threads * chunk * bytes_a_map <= _MOST_BYTES
    if apart:  # as many for each
        chunks = -(-chunks // threads) * threads
        chunk = -(-maps // chunks)
    return chunk, apart


def in_flight(maps, bytes_a_map, threads):
    """How many maps have work memory at the same time."""
    chunk, apart = shares(maps, bytes_a_map, threads)
    return min(maps, chunk * threads) if apart else chunk


def by_maps(transform, x, core, shape, dtype, bytes_a_map, threads):
    """Apply ``transform(maps, result, threads)`` to the maps of any leading axes.

    Parameters
    ----------
    transform : callable
        Overwrites ``result`` (n, *shape) from ``maps`` (n, ...).
    x : ndarray
        The last ``core`` axes are one map.
    shape, dtype
        Of one map's result.
    bytes_a_map : float
        Work memory of one map, which decides how many go at a time.
    threads : int
        They share the chunks where there are enough of them, else the work within a chunk.
    """
    lead = x.shape[: x.ndim - core]
    maps = x.reshape(math.prod(lead), *x.shape[x.ndim - core :])
    chunk, apart = shares(len(maps), bytes_a_map, threads)
    result = np.empty((len(maps), *shape), dtype)
    starts = itertools.count(0, chunk)

    def work(_):
        for start in starts:
            if start >= len(maps):
                return
            part = slice(start, start + chunk)
            transform(maps[part], result[part], 1 if apart else threads)

    run(work, threads if apart else 1)
    return result.reshape(*lead, *shape)
