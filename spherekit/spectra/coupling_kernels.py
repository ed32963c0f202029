"""Kernels of `coupling_sums`: columns as sums over 3j symbols, and the recursion from column to column.

The 3j symbols f_j = (l k j; s -s 0), j = l-k..l+k, satisfy (Schulten and Gordon 1975, J. Math. Phys. 16, 1961,
eq. 6a)

    A_{j+1} f_{j+1} + A_j f_{j-1} = 2 s (2j+1) f_j,    A_j^2 = (j^2 - (l-k)^2) ((l+k+1)^2 - j^2).

With ``f_j = g_j sqrt(q_j)`` and ``q_j q_{j+1} = 1/A_{j+1}^2`` this is

    g_{j+1} = 2 s w_j g_j - g_{j-1},    w_j = (2j+1) q_j,

without square roots; q does not depend on the spin, and w_j g_j g'_j is a term of the sum of products of two
symbols. The recursions run from both ends to j = l, where they are joined, and the sum of the squares of each
symbol is normalized to 1. Degrees l are the lanes.
"""

import math

from spherekit._core.jit import leaf
from spherekit.kernels.simd import load, pointer, splat, store, width
from spherekit.kernels.work_queue import next_item

#: The scale of the 3j symbols at both ends, which are the smallest at high spins; squares are normal numbers.
_SMALLEST = 2.0**-450
#: Vectors in a buffer of `_column`: three sums, g g' at two offsets, and q.
_STATE = 9
#: Rows and columns of a tile of `write_blocks`.
_TILE = 32


def work_size(L, w):
    """Number of elements of the buffer of `fill_segments`: four columns, and two states of sums of w lanes."""
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
        e_l, a_l and 1/sqrt(2l+1) by degree, as long as a column.
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
                _column(lanes, power, degree, k, spins[0], spins[1], state, column, 2 * size)
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
def _column(lanes, power, degree, k, spin, spin2, state, column, odd):
    """G^+ and G^- at w degrees l >= k and l' = k: at ``degree`` and ``odd + degree`` of ``column``."""
    w = width(lanes)
    upper = pointer(state, _STATE * w)
    _half_sum(lanes, power, degree, k, 0, 1, k, spin, spin2, state)
    _half_sum(lanes, power, degree, k, 2 * k, -1, k + 1, spin, spin2, upper)
    for i in range(w):
        low, high = pointer(state, i), pointer(upper, i)
        ell = float(degree + i)
        ratio, ratio2 = 0.0, 0.0
        if k:
            square = k * (k + 1.0) * (2 * ell - k) * (2 * ell + 1 + k)  # A_j^2 at j = l
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
    one, edge = splat(lanes, 1.0), (1 + step) // 2
    first = float(i + edge) * (2 * k + 1.0 - i - edge)
    root = math.sqrt(max(first, 1.0)) * (2.0 * degree + 1.0)
    q = splat(lanes, 1.0 / root)
    even = odd = norm = norm2 = before = before2 = splat(lanes, 0.0)
    g = g2 = splat(lanes, _SMALLEST)
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
        q = one / (q * (square * splat(lanes, j * (2 * k + 1.0 - j))))
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
def write_blocks(counter, sums, parities, row_scales, column_scales, blocks, matrix):
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
    matrix : float64 ndarray [shape=(m, L, L)]
    """
    L = sums.shape[1]
    while True:
        row = _TILE * next_item(counter)
        if row >= L:
            return
        row_stop = min(row + _TILE, L)
        for column in range(row, L, _TILE):
            column_stop = min(column + _TILE, L)
            for n in range(parities.size):
                tile = pointer(sums, parities[n] * L * L)
                target = pointer(matrix, blocks[n] * L * L)
                rows, columns = pointer(row_scales, n * L), pointer(column_scales, n * L)
                for i in range(row, row_stop):
                    for j in range(max(column, i), column_stop):
                        target[i * L + j] = rows[i] * tile[i * L + j] * columns[j]
                for j in range(column, column_stop):
                    for i in range(row, min(row_stop, j)):
                        target[j * L + i] = rows[j] * tile[i * L + j] * columns[i]
