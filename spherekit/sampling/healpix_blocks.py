"""Loops over blocks of k x k HEALPix pixels, which are the pixels of a grid of k times lower nside.

In ring order the pixels of a block lie on 2 k - 1 rings, and are consecutive on each of them.
"""

import math

from spherekit._core.jit import leaf
from spherekit._core.missing import UNSEEN
from spherekit.kernels.simd import pointer
from spherekit.kernels.work_queue import next_item
from spherekit.sampling.healpix_geometry import ring_range, ring_to_face

__all__ = ["CHUNK", "average_blocks", "fill_blocks"]

#: Blocks of a work item.
CHUNK = 2**10
_SENTINEL = float(UNSEEN)
#: Samples this close to UNSEEN are missing.
_NEAR = 1e-5 * abs(_SENTINEL)


@leaf
def average_blocks(counter, maps, nside, k, nest, factor, minimum, f, results):
    """Set ``results`` to the means of the valid samples of blocks; return whether no sample is infinite.

    Parameters
    ----------
    counter : int64 ndarray [shape=(1,)]
        Counter of work items.
    maps : int
        Number of maps.
    nside, k : int
        nside of ``results``; ``f`` has k nside.
    nest : bool
        Whether the samples are in nested order.
    factor : float
        Factor of the means.
    minimum : int
        Blocks of fewer valid samples are UNSEEN; with 0, all samples are valid, whatever they are, and the
        results are ``factor`` times the sums.
    f, results : ndarray
        Samples, contiguous.
    """
    size = 12 * nside * nside
    chunks = -(-size // CHUNK)
    finite = True
    while True:
        item = next_item(counter)
        if item >= maps * chunks:
            return finite
        row = item // chunks
        first = item % chunks * CHUNK
        source = pointer(f, row * size * k * k)
        target = pointer(results, row * size)
        for block in range(first, min(first + CHUNK, size)):
            if nest:
                total, count = _sum_run(source, block * k * k, k * k, minimum)
            else:
                total, count = _sum_block(source, block, nside, k, minimum)
            finite = finite and (minimum == 0 or math.isfinite(total))
            if minimum == 0:
                target[block] = total * factor
            elif count >= minimum:
                target[block] = total / count * factor
            else:
                target[block] = _SENTINEL


@leaf
def _sum_block(f, block, nside, k, minimum):
    """The sum and the number of the valid samples of a block, in ring order."""
    corner, across = _corner(block, nside, k)
    total = 0.0
    count = 0
    for diagonal in range(2 * k - 1):
        index, length, start, n = _run(corner, across, diagonal, nside, k)
        before = min(length, n - index)
        part, valid = _sum_run(f, start + index, before, minimum)
        total += part
        count += valid
        if before < length:  # around longitude 0
            part, valid = _sum_run(f, start, length - before, minimum)
            total += part
            count += valid
    return total, count


@leaf
def _sum_run(f, first, length, minimum):
    """The sum and the number of the valid ones of consecutive samples."""
    total = 0.0
    if minimum == 0:
        for i in range(first, first + length):
            total += f[i]
        return total, length
    count = 0
    for i in range(first, first + length):
        value = float(f[i])
        if abs(value - _SENTINEL) >= _NEAR:  # not NaN either
            total += value
            count += 1
    return total, count


@leaf
def _corner(block, nside, k):
    """Of the northernmost pixel of a block: its ring and the eighth of a turn of its face; and x - y."""
    face, x, y = ring_to_face(block, nside)
    row = face >> 2
    ring = (row + 2) * nside * k - (x + 1) * k - (y + 1) * k + 1
    eighths = 2 * (face & 3) + (1 if row != 1 else 0)
    return (ring, eighths), (x - y) * k


@leaf
def _run(corner, across, diagonal, nside, k):
    """The pixels of a block on a ring: index of the first, their number; first pixel and size of the ring."""
    start, n, shift = ring_range(corner[0] + diagonal, nside * k)
    length = min(diagonal + 1, 2 * k - 1 - diagonal)
    index = (corner[1] * (n >> 2) + across - (length - 1) - shift) >> 1
    if index < 0:
        index += n
    elif index >= n:
        index -= n
    return index, length, start, n


@leaf
def fill_blocks(counter, maps, nside, k, nest, factor, keep_missing, f, results):
    """Set all samples of each block to ``factor`` times the sample of the block.

    Parameters
    ----------
    counter : int64 ndarray [shape=(1,)]
        Counter of work items.
    maps : int
        Number of maps.
    nside, k : int
        nside of ``f``; ``results`` has k nside.
    nest : bool
        Whether the samples are in nested order.
    factor : float
        Factor of the samples.
    keep_missing : bool
        Whether UNSEEN is not multiplied.
    f, results : ndarray
        Samples, contiguous.
    """
    size = 12 * nside * nside
    chunks = -(-size // CHUNK)
    while True:
        item = next_item(counter)
        if item >= maps * chunks:
            return
        row = item // chunks
        first = item % chunks * CHUNK
        source = pointer(f, row * size)
        target = pointer(results, row * size * k * k)
        for block in range(first, min(first + CHUNK, size)):
            value = source[block]
            if not (keep_missing and abs(value - _SENTINEL) < _NEAR):
                value = value * factor
            if nest:
                _fill_run(target, block * k * k, k * k, value)
                continue
            corner, across = _corner(block, nside, k)
            for diagonal in range(2 * k - 1):
                index, length, start, n = _run(corner, across, diagonal, nside, k)
                before = min(length, n - index)
                _fill_run(target, start + index, before, value)
                _fill_run(target, start, length - before, value)


@leaf
def _fill_run(results, first, length, value):
    for i in range(first, first + length):
        results[i] = value
