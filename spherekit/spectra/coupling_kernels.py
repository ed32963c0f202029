"""Kernels of `coupling_sums`: columns as sums over 3j symbols, and the recursion from column to column.

The 3j symbols f_j = (l k j; s -s 0), j = l-k..l+k, satisfy (Schulten and Gordon 1975, J. Math. Phys. 16,
1961, eq. 6a)

    A_{j+1} f_{j+1} + A_j f_{j-1} = 2 s (2j+1) f_j,    A_j^2 = (j^2 - (l-k)^2) ((l+k+1)^2 - j^2).

With ``f_j = g_j sqrt(q_j)`` and ``q_j q_{j+1} = 1/A_{j+1}^2`` this is

    g_{j+1} = 2 s w_j g_j - g_{j-1},    w_j = (2j+1) q_j,

without square roots; q does not depend on the spin, and w_j g_j g'_j is a term of the sum of products of two
symbols. The recursions run from both ends, where the symbols are as small as 4^-s, to j = sqrt(l^2 - s^2),
where they are large, and are joined there; the sum of (2j+1) f_j^2 is normalized to 1. Degrees l are the
lanes.
"""

import math

from spherekit._core.jit import leaf
from spherekit.kernels.simd import load, pointer, splat, store, width
from spherekit.kernels.work_queue import next_item

#: Vectors of a state of `_half_sum`.
_STATE = 9
#: Rows and columns of a tile of `write_blocks`.
TILE = 32


def work_size(L, w):
    """Number of elements of the buffer of `fill_segments`: four columns, and two states of sums."""
    return 4 * column_size(L, w) + 2 * _STATE * w


def column_size(L, w):
    """Elements of a column, with lanes beyond its end."""
    return 2 * L + 2 * w


@leaf
def fill_segments(lanes, counter, starts, spins, power, e, a, scale, work, sums):
    """Compute the upper triangles of K^+ and K^-, one range of rows after the other, the last ones first.

    Parameters
    ----------
    lanes : Lanes
    counter : int64 ndarray [shape=(1,)]
        Number of the next range.
    starts : int64 ndarray [shape=(n + 1,)]
        First row of each range, and L.
    spins : int64 ndarray [shape=(2,)]
    power : float64 ndarray
        W_l, zero at degrees that do not matter.
    e, a, scale : float64 ndarray
        e_l, a_l and the root of the scale of W_l over sqrt(2l+1), by degree, as long as a column.
    work : float64 ndarray [shape=(work_size(L, w),)]
    sums : float64 ndarray [shape=(1 or 2, L, L)]
        K^+, and K^- if both spins are positive.
    """
    parities, L = sums.shape[0], sums.shape[1]
    size = 2 * L + 2 * width(lanes)
    lowest = max(spins[0], spins[1])
    columns, state = pointer(work, 0), pointer(work, 4 * size)
    while True:
        item = starts.size - 2 - next_item(counter)
        if item < 0:
            return
        first, stop = starts[item], starts[item + 1]
        for i in range(4 * size):
            columns[i] = 0.0
        last = L + stop - first - 2
        # rows of the buffer: the columns before and at ``first``, even and odd l + l' + l3
        for k in range(max(first - 1, lowest), first + 1):
            column = pointer(columns, (k - first + 1) * size)
            for degree in range(k, last + 1, width(lanes)):
                _column(lanes, power, degree, k, spins, state, column, 2 * size)
        _recursion(lanes, first, stop, last, e, a, scale, columns, size, parities, sums)


@leaf
def _recursion(lanes, first, stop, last, e, a, scale, columns, size, parities, sums):
    """Write the rows ``first`` to ``stop`` - 1, and compute the next column in place of the one before."""
    L, w = sums.shape[1], width(lanes)
    old, new = 0, size
    for k in range(first, stop):
        for parity in range(parities):
            source = pointer(columns, new + 2 * size * parity)
            target = pointer(sums, (parity * L + k) * L)
            for degree in range(k, L):
                target[degree] = source[degree] * (scale[degree] * scale[k])
        inverse, before, shift = (
            splat(lanes, 1.0 / e[k + 1]),
            splat(lanes, e[k]),
            splat(lanes, a[k]),
        )
        for degree in range(k + 1, last, w):
            low, high = load(lanes, e, degree), load(lanes, e, degree + 1)
            difference = load(lanes, a, degree) - shift
            for parity in range(parities):
                start = 2 * size * parity + degree
                v = high * load(lanes, columns, start + new + 1)
                v = v + low * load(lanes, columns, start + new - 1)
                v = v - before * load(lanes, columns, start + old)
                if parities == 2:
                    partner = 2 * size * (1 - parity) + degree + new
                    v = v + difference * load(lanes, columns, partner)
                store(columns, start + old, v * inverse)
        old, new = new, old
        last -= 1


@leaf
def _column(lanes, power, degree, k, spins, state, column, odd):
    """G^+ and G^- at w degrees l >= k and l' = k: at ``degree`` and ``odd + degree`` of ``column``."""
    spin, i = max(spins[0], spins[1]), 0
    while i < width(lanes):  # once, unless the indices differ between the lanes
        join, start = _join_index(degree + i, k, spin), i
        margin = 0.25 * math.sqrt(float(k * k - spin * spin)) + 1.0
        while i < width(lanes) and abs(_join_index(degree + i, k, spin) - join) <= margin:
            i += 1
        _lanes_of_column(
            lanes, power, degree, k, join, spins[0], spins[1], state, start, i, column, odd
        )


@leaf
def _join_index(ell, k, spin):
    """Index i of l3 = l - k + i at which the recursions are joined, 1 <= i <= 2 k."""
    i = int(math.sqrt(float(ell * ell - spin * spin)) + 0.5) - ell + k
    return min(max(i, 1), 2 * k)


@leaf
def _lanes_of_column(lanes, power, degree, k, join, spin, spin2, state, start, stop, column, odd):
    """`_column` of the lanes ``start`` to ``stop`` - 1, joined at index ``join``."""
    w = width(lanes)
    upper = pointer(state, _STATE * w)
    _half_sum(lanes, power, degree, k, 0, 1, join, spin, spin2, state)
    _half_sum(lanes, power, degree, k, 2 * k, -1, 2 * k + 1 - join, spin, spin2, upper)
    for i in range(start, stop):
        low, high = pointer(state, i), pointer(upper, i)
        ell = float(degree + i)
        ratio, ratio2 = 0.0, 0.0
        if k:
            square = join * (2 * k + 1.0 - join) * (2 * ell - 2 * k + join) * (2 * ell + 1 + join)
            q, q_below = low[8 * w], 1.0 / (low[8 * w] * square)
            root = math.sqrt(
                1.0 / (high[8 * w] * square * q)
            )  # of q_l from above over that from below
            at, below = q * root, q_below / root
            ratio = _ratio(low[4 * w], low[5 * w], high[5 * w], high[4 * w], q, q_below, at, below)
            ratio2 = _ratio(low[6 * w], low[7 * w], high[7 * w], high[6 * w], q, q_below, at, below)
        norm = math.sqrt(ratio * (ratio * low[2 * w]) + high[2 * w])
        norm2 = math.sqrt(ratio2 * (ratio2 * low[3 * w]) + high[3 * w])
        factor = math.sqrt((2 * ell + 1) * (2 * k + 1)) / (4 * math.pi)
        if (spin + spin2) % 2:
            factor = -factor
        even = (ratio * (ratio2 * low[0]) + high[0]) / norm / norm2
        column[degree + i] = factor * even
        column[odd + degree + i] = factor * ((ratio * (ratio2 * low[w]) + high[w]) / norm / norm2)


@leaf
def _ratio(at, below, high_at, high_below, q, q_below, scale, scale_below):
    """The factor of the values from the lower end that agrees best with those from the upper end."""
    product = at * high_at * scale + below * high_below * scale_below
    return product / (at * at * q + below * below * q_below)


@leaf
def _half_sum(lanes, power, degree, k, i, step, count, spin, spin2, state):
    """Sum ``count`` terms from l3 = l - k + i on, in steps of +-1.

    Writes the vectors of the sums over even and over odd i, of the two norms, of g and its predecessor for
    both spins, and of q to ``state``.
    """
    w = width(lanes)
    for j in range(w):
        state[j] = 2.0 * (degree + j)
    twice = load(lanes, state, 0)
    edge = (1 + step) // 2
    first = float(i + edge) * (2 * k + 1.0 - i - edge)
    root = math.sqrt(max(first, 1.0)) * (2.0 * degree + 1.0)
    q = splat(lanes, 1.0 / root)
    even = odd = norm = norm2 = before = before2 = splat(lanes, 0.0)
    g = splat(lanes, 4.0**-spin)
    g2 = splat(lanes, 4.0**-spin2)
    factor, factor2 = splat(lanes, 2.0 * spin), splat(lanes, 2.0 * spin2)
    for _ in range(count):
        weight = (twice + splat(lanes, 2.0 * (i - k) + 1.0)) * q
        product = weight * g
        term = load(lanes, power, degree - k + i) * (product * g2)
        if i % 2:
            odd = odd + term
        else:
            even = even + term
        norm = norm + product * g
        product2 = weight * g2
        norm2 = norm2 + product2 * g2
        following, following2 = factor * product - before, factor2 * product2 - before2
        before, before2, g, g2 = g, g2, following, following2
        j = i + edge
        square = (twice + splat(lanes, float(j - 2 * k))) * (twice + splat(lanes, float(j + 1)))
        q = splat(lanes, 1.0) / (q * (square * splat(lanes, j * (2 * k + 1.0 - j))))
        i += step
    store(state, 0, even)
    store(state, w, odd)
    store(state, 2 * w, norm)
    store(state, 3 * w, norm2)
    store(state, 4 * w, g)
    store(state, 5 * w, before)
    store(state, 6 * w, g2)
    store(state, 7 * w, before2)
    store(state, 8 * w, q)


@leaf
def write_blocks(counter, sums, parities, row_scales, column_scales, blocks, work, matrix):
    """Write ``row_scale[l] K_{ll'} column_scale[l']`` of upper triangles K, in both triangles of blocks.

    Parameters
    ----------
    counter : int64 ndarray [shape=(1,)]
        Number of the next row of tiles.
    sums : float64 ndarray [shape=(1 or 2, L, L)]
        Upper triangles of K^+ and K^-.
    parities, blocks : int64 ndarray [shape=(n,)]
        For each block, the index in ``sums`` and the one in ``matrix``.
    row_scales, column_scales : float64 ndarray [shape=(n, L)]
    work : float64 ndarray [shape=(4, TILE, TILE)]
        The tiles of both parities, and their transposes.
    matrix : float64 ndarray [shape=(m, L, L)]
    """
    L = sums.shape[1]
    while True:
        row = TILE * next_item(counter)
        if row >= L:
            return
        for column in range(row, L, TILE):
            for parity in range(sums.shape[0]):
                tile = pointer(work, 2 * parity * TILE * TILE)
                _read_tile(pointer(sums, parity * L * L), L, row, column, tile)
            for n in range(parities.size):
                tile, target = 2 * parities[n] * TILE * TILE, pointer(matrix, blocks[n] * L * L)
                rows, columns = pointer(row_scales, n * L), pointer(column_scales, n * L)
                _write_tile(pointer(work, tile), rows, columns, L, row, column, target)
                if column > row:
                    transpose = pointer(work, tile + TILE * TILE)
                    _write_tile(transpose, rows, columns, L, column, row, target)


@leaf
def _read_tile(triangle, L, row, column, tile):
    """Copy a tile and its transpose; a tile on the diagonal becomes symmetric."""
    for i in range(min(TILE, L - row)):
        for j in range(i if row == column else 0, min(TILE, L - column)):
            value = triangle[(row + i) * L + column + j]
            tile[i * TILE + j] = value
            tile[TILE * TILE + j * TILE + i] = value
            if row == column:
                tile[j * TILE + i] = value


@leaf
def _write_tile(tile, rows, columns, L, row, column, target):
    for i in range(min(TILE, L - row)):
        scale, source = rows[row + i], pointer(tile, i * TILE)
        factors, values = pointer(columns, column), pointer(target, (row + i) * L + column)
        for j in range(min(TILE, L - column)):
            values[j] = scale * (source[j] * factors[j])
