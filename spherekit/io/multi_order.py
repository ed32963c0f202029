"""Multi-order HEALPix maps (ORDERING = NUNIQ), whose cells are pixels of several sizes.

The cell of pixel p (nested) of nside n has the number UNIQ = 4 n^2 + p.
"""

import numpy as np

from spherekit._core import checks
from spherekit.io import headers
from spherekit.io.columns import map_columns
from spherekit.io.pixels import stack_columns
from spherekit.sampling.healpix import MAX_NSIDE, UNSEEN, reorder

_MAX_ORDER = MAX_NSIDE.bit_length() - 1
#: Name of the field of a table without values: 1 in the cells, 0 elsewhere.
_COVERAGE = "COVERAGE"


def cells(uniq):
    """(order, nested pixel number at that order) of the cells with the numbers ``uniq``.

    >>> cells(np.array([4, 15, 16, 63]))
    (array([0, 0, 1, 1]), array([ 0, 11,  0, 47]))
    """
    # frexp is exact for the position of the highest bit only below 2^53: shift first
    high = uniq >> 32
    bits = np.where(high > 0, 32 + np.frexp(high)[1], np.frexp(uniq & 0xFFFFFFFF)[1])
    order = (bits - 3) // 2
    return order, uniq - (4 << (2 * order))


def full_sky(table, names, nside=None):
    """(names, values (n_fields, 12 nside^2) in RING order) of a multi-order table.

    ``nside`` is a power of two, by default that of the smallest cells. Values are repeated in larger cells,
    and averaged by area over smaller ones. A table without other columns than UNIQ is 1 in its cells and 0
    elsewhere.

    Raises
    ------
    ValueError
        Numbers that are not those of cells, cells that overlap, MOCORDER smaller than an order.
    MemoryError
        The map of the sky exceeds the permitted memory.
    """
    column, fields = map_columns(table)
    uniq = _uniq(table, column)
    values = stack_columns(table, names) if fields else np.ones((1, uniq.size))
    if values.shape[-1] != uniq.size:
        raise ValueError(
            f"{column} has {uniq.size} cells, with {values.shape[-1]} samples in each field"
        )
    order, pixel = cells(uniq)
    _check_cells(table, uniq, order, pixel)
    target = _target_order(nside, order)
    n_pix = 12 << (2 * target)
    # the result in nested and ring order, and the lengths and starts of the cells
    checks.fits_memory(
        (2 * len(values) + 1) * n_pix * values.itemsize + 48 * uniq.size,
        f"a map of nside {2**target}, the size of the smallest cells of the multi-order map,",
        "pass a smaller nside",
    )
    start, stop = _ranges(order, pixel)
    by_start = np.argsort(start)
    values, start, stop, order = (
        values[:, by_start],
        start[by_start],
        stop[by_start],
        order[by_start],
    )
    if (start[1:] < stop[:-1]).any():
        overlapping = np.count_nonzero(start[1:] < stop[:-1])
        raise ValueError(
            f"{overlapping} of {uniq.size} cells overlap; expected each point in one cell"
        )
    outside = UNSEEN if fields else 0.0
    nested = np.full((len(values), n_pix), outside, values.dtype)
    _fill(nested, values, start, order, target)
    return names if fields else [_COVERAGE], reorder(nested, "nested")


def _uniq(table, column):
    if column is None or table.columns[column].dtype.kind not in "iu":
        raise ValueError(
            f"the header has ORDERING = NUNIQ, but the table has the columns {', '.join(table.columns)}; "
            "expected integers in a column UNIQ"
        )
    uniq = table.columns[column]
    if not uniq.size or uniq.min() < 4 or uniq.max() >= 16 * MAX_NSIDE**2:
        limits = f"{uniq.min()} to {uniq.max()}" if uniq.size else "no cells"
        raise ValueError(
            f"the column {column} has {limits}; expected numbers 4 nside^2 + pixel, from 4 on"
        )
    return uniq.astype(np.int64)


def _check_cells(table, uniq, order, pixel):
    largest = headers.integer(headers.MergedHeader(table), "MOCORDER")
    if largest is not None and largest < order.max():
        raise ValueError(
            f"the header has MOCORDER = {largest}, but the table has cells of order {order.max()}; "
            "correct the header"
        )
    outside = np.count_nonzero(pixel >= 12 << (2 * order))
    if outside:
        raise ValueError(
            f"{outside} of {uniq.size} numbers of cells are not 4 nside^2 + pixel with pixel < 12 nside^2"
        )


def _target_order(nside, order):
    if nside is None:
        return int(order.max())
    nside = checks.integer(nside, "nside", 1, MAX_NSIDE)
    if nside & (nside - 1):
        raise ValueError(f"nside is {nside}; a multi-order map needs a power of two")
    return nside.bit_length() - 1


def _ranges(order, pixel):
    """The first pixel of each cell, and the one behind its last, at the largest order that exists."""
    shift = 2 * (_MAX_ORDER - order)
    return pixel << shift, (pixel + 1) << shift


def _fill(nested, values, start, order, target):
    """Write the values of cells, sorted by ``start``, into maps of the order ``target``."""
    first = start >> (2 * (_MAX_ORDER - target))
    coarse = order <= target
    count = np.ones_like(first)
    count[coarse] = 1 << (2 * (target - order[coarse]))
    repeated = np.repeat(np.flatnonzero(coarse), count[coarse])
    offset = np.cumsum(count[coarse]) - count[coarse]
    pixels = np.arange(repeated.size) + np.repeat(first[coarse] - offset, count[coarse])
    nested[:, pixels] = values[:, repeated]
    fine = ~coarse
    if fine.any():
        area = 0.25 ** (order[fine] - target).astype(float)
        pixels, cell = np.unique(first[fine], return_inverse=True)
        total = np.bincount(cell, area)
        for field, samples in zip(nested, values[:, fine], strict=True):
            field[pixels] = np.bincount(cell, area * samples) / total
