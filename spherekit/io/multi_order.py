"""Multi-order HEALPix maps (ORDERING = NUNIQ), whose cells are pixels of several sizes.

The cell of pixel p (nested) of nside n has the number UNIQ = 4 n^2 + p.
"""

import numpy as np

from spherekit._core import checks
from spherekit.io import headers
from spherekit.io.columns import map_columns
from spherekit.io.missing import is_missing
from spherekit.io.pixels import stack_columns
from spherekit.sampling.healpix import MAX_NSIDE, UNSEEN, reorder

_MAX_ORDER = MAX_NSIDE.bit_length() - 1
#: Name of the field of a table without values: 1 in the cells, 0 elsewhere.
_COVERAGE = "COVERAGE"
#: Column of LIGO and Virgo, which is infinite where no distance is defined.
_DISTANCE = "DISTMU"


def cells(uniq):
    """(order, nested pixel number at that order) of the cells with the numbers ``uniq``.

    >>> cells(np.array([4, 15, 16, 63]))
    (array([0, 0, 1, 1]), array([ 0, 11,  0, 47]))
    """
    high = uniq >> 32  # float64 has 53 bits
    bits = np.where(high > 0, 32 + np.frexp(high)[1], np.frexp(uniq & 0xFFFFFFFF)[1])
    order = (bits.astype(np.int64) - 3) // 2
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
    for name, samples in zip(names, values, strict=False):
        if name.upper() == _DISTANCE:
            samples[samples == np.inf] = UNSEEN
    if values.shape[-1] != uniq.size:
        raise ValueError(
            f"{column} has {uniq.size} cells, with {values.shape[-1]} samples in each field"
        )
    order, pixel = cells(uniq)
    _check_cells(table, uniq, order, pixel)
    target = _target_order(nside, order)
    n_pix = 12 << (2 * target)
    checks.fits_memory(
        (len(values) + 2) * n_pix * values.itemsize + 64 * uniq.size,
        f"a map of nside {2**target}, which is that of the smallest cells by default,",
        "pass a smaller nside",
    )
    shift = 2 * (_MAX_ORDER - order)
    start, stop = pixel << shift, (pixel + 1) << shift
    by_start = np.argsort(start)
    start, stop, values = start[by_start], stop[by_start], values[:, by_start]
    overlapping = np.count_nonzero(start[1:] < stop[:-1])
    if overlapping:
        raise ValueError(
            f"{overlapping} of {uniq.size} cells overlap; expected each point in one cell"
        )
    start, stop, values = _merged(start, stop, values, target)
    outside = UNSEEN if fields else 0.0
    if len(values) == 1:
        nested = _repeated(values[0], start, stop, n_pix, outside)
        return names if fields else [_COVERAGE], reorder(nested, "nested")[None]
    ring = np.empty((len(values), n_pix), values.dtype)
    for field, samples in zip(ring, values, strict=True):
        field[:] = reorder(_repeated(samples, start, stop, n_pix, outside), "nested")
    return names, ring


def _merged(start, stop, values, target):
    """Cells as ranges of pixels of the order ``target``; smaller cells are averaged over each pixel.

    Missing samples have no part in an average.
    """
    shift = 2 * (_MAX_ORDER - target)
    first = start >> shift
    new = np.ones(first.size, bool)
    new[1:] = first[1:] > first[:-1]
    groups = np.flatnonzero(new)
    last = (stop - 1) >> shift
    if groups.size < first.size:
        area = ((stop - start) / (1 << shift)).astype(np.float64)
        missing = is_missing(values)
        weights = np.where(missing, 0.0, area)
        total = np.add.reduceat(weights, groups, axis=1)
        sums = np.add.reduceat(np.where(missing, 0, values) * weights, groups, axis=1)
        with np.errstate(invalid="ignore"):
            means = np.where(total > 0, sums / total, UNSEEN).astype(values.dtype)
        single = np.diff(groups, append=first.size) == 1
        values = np.where(single, values[:, groups], means)
    return first[groups], last[groups] + 1, values


def _repeated(samples, start, stop, n_pix, outside):
    """The samples in the ranges of pixels from ``start`` to ``stop``, and ``outside`` between them."""
    lengths = np.empty(2 * start.size + 1, np.int64)
    lengths[0::2] = np.append(start, n_pix) - np.append(0, stop)
    lengths[1::2] = stop - start
    content = np.full(lengths.size, outside, samples.dtype)
    content[1::2] = samples
    return np.repeat(content, lengths)


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
