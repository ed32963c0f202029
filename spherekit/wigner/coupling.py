"""Clebsch-Gordan coefficients and Wigner 3j symbols, of any degree.

For fixed l and m the coefficients x_k = <l1 k, l2 m-k | l m> are an eigenvector of J^2, tridiagonal in k,

    b_{k-1} x_{k-1} + (l1(l1+1) + l2(l2+1) + 2 k (m-k)) x_k + b_k x_{k+1} = l(l+1) x_k,
    b_k^2 = (l1-k)(l1+k+1)(l2+m-k)(l2-m+k+1),

with a known eigenvalue. The system is eliminated from both ends towards the index where both solutions match
best (the twisted factorization of Parlett and Dhillon 1997, Linear Algebra Appl. 267, 247). The method needs
no factorials, errors do not grow, and small entries have a small relative error. The phase is that of Condon
and Shortley: the entry of the largest k is positive.
"""

from functools import lru_cache
from typing import Literal

import numpy as np

from spherekit._core import checks
from spherekit._core.jit import leaf
from spherekit.conventions.real_harmonics import real_basis
from spherekit.kernels.simd import pointer
from spherekit.sampling.quadrature import read_only

#: Number of cached blocks, and the largest size of one in bytes (134 MB in all); larger ones are recomputed.
_CACHED_BLOCKS = 1024
_MAX_CACHED_BYTES = 2**17


def clebsch_gordan(
    l1: int,
    l2: int,
    l: int | None = None,  # noqa: E741
    *,
    basis: Literal["complex", "real"] = "complex",
) -> np.ndarray | dict[int, np.ndarray]:
    """Clebsch-Gordan coefficients ``<l1 m1 l2 m2 | l m>`` of all orders.

    Parameters
    ----------
    l1, l2 : int
        Degrees >= 0 of the factors.
    l : int, optional
        Degree >= 0 of the product; the block is zero unless ``|l1 - l2| <= l <= l1 + l2``. By default the
        blocks of all these degrees are returned.
    basis : {"complex", "real"}
        Basis of the harmonics. Real harmonics are ordered -l..l, sines (m < 0) before cosines: the components
        of e3nn with its axes (x, y, z) renamed to (y, z, x). The block is then e3nn's `wigner_3j` times
        ``(-1)^ceil((l1+l2-l)/2) sqrt(2l+1)``. Where l1 + l2 + l is odd the real block would be imaginary; it
        is divided by i.

    Returns
    -------
    float64 ndarray [shape=(2l1+1, 2l2+1, 2l+1)], or dict
        Read-only block with entries ``[l1+m1, l2+m2, l+m]``; in the complex basis zero unless m1 + m2 = m.
        Coefficients that vanish by a symmetry are exactly 0, other zeros only up to rounding. Without ``l``
        a dictionary ``{l: block}``.

    Raises
    ------
    ValueError
        A negative degree, or an unknown basis.
    TypeError
        A degree that is not an integer.
    MemoryError
        A block that does not fit into memory.

    See Also
    --------
    clebsch_gordan_by_order : Without the entries that vanish since m1 + m2 != m.
    clebsch_gordan_blocks : All blocks below a band-limit.

    Notes
    -----
    Condon-Shortley phase: the entry of the largest m1 with m1 + m2 = m is positive. Small blocks are cached.

    Examples
    --------
    The singlet of two spins 1 is ``(1, -1, 1)/sqrt(3)``:

    >>> from spherekit import wigner
    >>> wigner.clebsch_gordan(1, 1, 0)[:, ::-1, 0].diagonal().round(6)
    array([ 0.57735, -0.57735,  0.57735])
    """
    if l is None:
        l1, l2 = _degrees(l1=l1, l2=l2)
        size = 8.0 * ((2 * l1 + 1) * (2 * l2 + 1)) ** 2
        checks.fits_memory(size, f"the set of Clebsch-Gordan blocks of the degrees {(l1, l2)}")
        return {
            ell: clebsch_gordan(l1, l2, ell, basis=basis)
            for ell in range(abs(l1 - l2), l1 + l2 + 1)
        }
    triple = _degrees(l1=l1, l2=l2, l=l)
    if basis not in ("complex", "real"):
        raise ValueError(f"basis is {basis!r}; expected 'complex' or 'real'")
    size = 8 * np.prod([2 * degree + 1 for degree in triple], dtype=float)
    if size <= _MAX_CACHED_BYTES:
        return _block(*triple, basis)
    checks.fits_memory(size, f"the Clebsch-Gordan block {triple}")
    return _block.__wrapped__(*triple, basis)


def clebsch_gordan_by_order(l1: int, l2: int, l: int) -> np.ndarray:  # noqa: E741
    """Clebsch-Gordan coefficients ``<l1 m1 l2 m-m1 | l m>``: only those that can differ from zero.

    Parameters
    ----------
    l1, l2 : int
        Degrees >= 0 of the factors.
    l : int
        Degree >= 0 of the product; all entries are zero unless ``|l1 - l2| <= l <= l1 + l2``.

    Returns
    -------
    float64 ndarray [shape=(2l1+1, 2l+1)]
        Entries ``[l1+m1, l+m]``; zero where ``|m - m1| > l2``.

    Raises
    ------
    ValueError
        A negative degree.
    TypeError
        A degree that is not an integer.
    MemoryError
        An array that does not fit into memory.

    Examples
    --------
    >>> from spherekit import wigner
    >>> c = wigner.clebsch_gordan_by_order(2, 1, 2)
    >>> c.shape, bool(c[2, 3] == wigner.clebsch_gordan(2, 1, 2)[2, 2, 3])      # m1 = 0, m = 1
    ((5, 5), True)
    """
    l1, l2, ell = _degrees(l1=l1, l2=l2, l=l)
    size = 8 * (2 * l1 + 1) * (2 * ell + 1)
    checks.fits_memory(size, f"the table of Clebsch-Gordan coefficients {(l1, l2, ell)}")
    result = np.zeros((2 * l1 + 1, 2 * ell + 1))
    if abs(l1 - l2) <= ell <= l1 + l2:
        _fill_by_order(l1, l2, ell, result.reshape(-1), np.empty(4 * (2 * l1 + 1)))
    return result


def clebsch_gordan_blocks(L: int) -> dict[tuple[int, int, int], np.ndarray]:
    """All Clebsch-Gordan blocks of degrees below L, in the complex basis.

    Parameters
    ----------
    L : int
        Band-limit >= 0: l1, l2 and l are below L.

    Returns
    -------
    dict
        Read-only blocks ``{(l1, l2, l): block}``, as `clebsch_gordan` returns them; only those with
        ``|l1 - l2| <= l <= l1 + l2``.

    Raises
    ------
    ValueError
        L < 0.
    TypeError
        L is not an integer.
    MemoryError
        Blocks that do not fit into memory.

    Examples
    --------
    >>> from spherekit import wigner
    >>> blocks = wigner.clebsch_gordan_blocks(3)
    >>> len(blocks), blocks[1, 2, 1].shape
    (15, (3, 5, 3))
    """
    L = checks.integer(L, "L", 0)
    noun = f"the set of Clebsch-Gordan blocks of degrees below {L}"
    checks.fits_memory(600 * L**2, noun)  # a lower bound, since the sum itself needs work memory
    checks.fits_memory(_blocks_bytes(L), noun)
    triples = [
        (l1, l2, l)
        for l1 in range(L)
        for l2 in range(L)
        for l in range(abs(l1 - l2), min(l1 + l2 + 1, L))  # noqa: E741
    ]
    sizes = [(2 * a + 1) * (2 * b + 1) * (2 * c + 1) for a, b, c in triples]
    ends = np.cumsum([0, *sizes])
    flat = np.zeros(ends[-1])
    if triples:
        _fill_blocks(np.array(triples), ends, *_work_arrays(L - 1, L - 1), flat)
    flat.flags.writeable = False
    return {
        triple: flat[start:end].reshape([2 * degree + 1 for degree in triple])
        for triple, start, end in zip(triples, ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    }


def wigner_3j(l1: int, l2: int, l3: int, m1: int, m2: int, m3: int) -> float:
    """Wigner 3j symbol ``(l1 l2 l3; m1 m2 m3)``.

    ``(-1)^(l1-l2-m3) / sqrt(2 l3 + 1) <l1 m1 l2 m2 | l3 -m3>``.

    Parameters
    ----------
    l1, l2, l3 : int
        Degrees >= 0.
    m1, m2, m3 : int
        Orders, ``|m_i| <= l_i``.

    Returns
    -------
    float
        0 unless m1 + m2 + m3 = 0 and ``|l1 - l2| <= l3 <= l1 + l2``.

    Raises
    ------
    ValueError
        A negative degree, or an order beyond its degree.
    TypeError
        A degree or an order that is not an integer.
    MemoryError
        A recursion over 2 l1 + 1 orders that does not fit into memory.

    Examples
    --------
    >>> from spherekit import wigner
    >>> round(wigner.wigner_3j(2, 1, 1, 0, 0, 0) ** 2, 12)                     # 2/15
    0.133333333333
    """
    l1, l2, l3 = _degrees(l1=l1, l2=l2, l3=l3)
    orders = []
    for value, name, degree in ((m1, "m1", l1), (m2, "m2", l2), (m3, "m3", l3)):
        orders.append(checks.integer(value, name, -degree, degree))
    m1, m2, m3 = orders
    if m1 + m2 + m3 or not abs(l1 - l2) <= l3 <= l1 + l2:
        return 0.0
    noun = f"the Wigner 3j symbol of the degrees {(l1, l2, l3)}"
    checks.fits_memory(8 * 4 * (2 * l1 + 1), noun, "lower the degrees")
    x = np.empty(2 * l1 + 1)
    _fill_vector(l1, l2, l3, -m3, x, np.empty(3 * (2 * l1 + 1)))
    sign = -1.0 if (l1 - l2 - m3) % 2 else 1.0
    return float(sign * x[l1 + m1] / np.sqrt(2 * l3 + 1))


def _blocks_bytes(L):
    """Bytes of the entries and of an array object per block; 2l+1 sums to min(l1+l2+1, L)^2 - (l1-l2)^2."""
    a, b = np.ogrid[0.0:L, 0.0:L]
    first = np.abs(a - b)  # the degrees l of a pair are first..stop-1
    stop = np.minimum(a + b + 1, L)
    entries = (2 * a + 1) * (2 * b + 1) * (stop**2 - first**2)
    return 8 * entries.sum() + 600 * (stop - first).sum()


@lru_cache(maxsize=_CACHED_BLOCKS)
def _block(l1, l2, l, basis):  # noqa: E741
    block = np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * l + 1))
    if abs(l1 - l2) <= l <= l1 + l2:
        if basis == "real":
            bases = real_basis(l1), real_basis(l2), real_basis(l)
            _fill_real_block(l1, l2, l, *bases, *_work_arrays(l1, l), block)
        else:
            ends = np.array([0, block.size])
            _fill_blocks(np.array([[l1, l2, l]]), ends, *_work_arrays(l1, l), block.reshape(-1))
    return read_only(block)


def _work_arrays(l1, l):  # noqa: E741
    """Return arrays for the values by order, and for the recursion, up to degrees l1 and l."""
    return np.empty((2 * l1 + 1) * (2 * l + 1)), np.empty(4 * (2 * l1 + 1))


def _degrees(**values):
    return tuple(checks.integer(value, name, 0) for name, value in values.items())


# --- kernels -----------------------------------------------------------------------------------------


@leaf
def _fill_blocks(degrees, ends, values, work, flat):
    for i in range(degrees.shape[0]):
        block = pointer(flat, ends[i])
        l1, l2, ell = degrees[i, 0], degrees[i, 1], degrees[i, 2]
        _fill_by_order(l1, l2, ell, pointer(values, 0), pointer(work, 0))
        for m in range(-ell, ell + 1):
            for k in range(max(-l1, m - l2), min(l1, m + l2) + 1):
                row = (l1 + k) * (2 * l2 + 1) + l2 + m - k
                value = values[(l1 + k) * (2 * ell + 1) + ell + m]
                block[row * (2 * ell + 1) + ell + m] = value


@leaf
def _fill_real_block(l1, l2, ell, U1, U2, U, values, work, block):
    """U1 U2 conj(U) c, over i for odd l1 + l2 + l; U of `real_basis` mixes only the orders m and -m."""
    _fill_by_order(l1, l2, ell, pointer(values, 0), pointer(work, 0))
    odd = (l1 + l2 + ell) % 2
    for m1 in range(-l1, l1 + 1):
        for m2 in range(max(-l2, -ell - m1), min(l2, ell - m1) + 1):
            m, value = m1 + m2, values[(l1 + m1) * (2 * ell + 1) + ell + m1 + m2]
            for i in range(2 if m1 else 1):
                for j in range(2 if m2 else 1):
                    for k in range(2 if m else 1):
                        mu1, mu2, mu = (1 - 2 * i) * m1, (1 - 2 * j) * m2, (1 - 2 * k) * m
                        term = U1[l1 + mu1, l1 + m1] * U2[l2 + mu2, l2 + m2]
                        term *= value * U[ell + mu, ell + m].conjugate()
                        block[l1 + mu1, l2 + mu2, ell + mu] += term.imag if odd else term.real


@leaf
def _fill_by_order(l1, l2, ell, values, work):
    """Compute the orders m >= 0 and mirror them, <-m1 -m2 | -m> = (-1)^(l1+l2-l) <m1 m2 | m>.

    The symmetry is exact at m = 0 too. ``values``: <l1 k, l2 m-k | l m> at row l1 + k, column l + m, of valid
    k only.
    """
    x, size = pointer(work, 0), 2 * ell + 1
    pivots = pointer(work, 2 * l1 + 1)
    flip = 1.0 - 2.0 * ((l1 + l2 - ell) % 2)
    for m in range(ell + 1):
        _fill_vector(l1, l2, ell, m, x, pivots)
        for k in range(max(-l1, m - l2), min(l1, m + l2) + 1):
            value = x[l1 + k] if m else 0.5 * (x[l1 + k] + flip * x[l1 - k])
            values[(l1 + k) * size + ell + m] = value
            if m:
                values[(l1 - k) * size + ell - m] = flip * value


@leaf
def _fill_vector(l1, l2, ell, m, x, work):
    """x[l1 + k] = <l1 k, l2 m-k | l m> for the valid k, zero elsewhere.

    ``up`` and ``down`` are the pivots of the elimination from the lowest and from the highest k.
    """
    size = 2 * l1 + 1
    b, up, down = pointer(work, 0), pointer(work, size), pointer(work, 2 * size)
    for i in range(size):
        x[i] = 0.0
    first, last = max(-l1, m - l2), min(l1, m + l2)
    for k in range(first, last):
        i = l1 + k
        b[i] = np.sqrt(float((l1 - k) * (l1 + k + 1)) * float((l2 + m - k) * (l2 - m + k + 1)))
        up[i] = _diagonal(l1, l2, ell, m, k)
        if k > first:
            up[i] -= b[i - 1] * (b[i - 1] / up[i - 1])
        if up[i] == 0.0:  # the entry above vanishes: a small pivot has the effect of the exact one
            up[i] = 1e-32 * b[i]
    up[l1 + last] = _diagonal(l1, l2, ell, m, last)
    if last > first:
        up[l1 + last] -= b[l1 + last - 1] * (b[l1 + last - 1] / up[l1 + last - 1])
    smallest, middle = np.inf, last
    for k in range(last, first - 1, -1):
        i, a = l1 + k, _diagonal(l1, l2, ell, m, k)
        down[i] = a - (b[i] * (b[i] / down[i + 1]) if k < last else 0.0)
        gap = abs(up[i] + (down[i] - a))
        if gap < smallest:
            smallest, middle = gap, k
        if down[i] == 0.0 and k > first:
            down[i] = 1e-32 * b[i - 1]
    _substitute_outward(l1, first, middle, last, b, up, down, pointer(x, 0))
    for k in range(first, last + 1 if (l1 + l2 + ell) % 2 else first):
        if _vanishes(l1, l2, ell, k, m):
            x[l1 + k] = 0.0


@leaf
def _vanishes(l1, l2, ell, k, m):
    """Whether the coefficient is 0 by symmetry, for odd l1 + l2 + l.

    Then two rows or columns of its Regge square are equal (Regge 1958, Nuovo Cimento 10, 544).
    """
    n, row1, row2 = m - k, l2 + ell - 2 * l1, l1 + ell - 2 * l2
    columns = (l1 == l2 and k == n) or (l1 == ell and k == -m) or (l2 == ell and n == -m)
    rows = (row1 == k and row2 == n) or (row1 == -k and row2 == -n)
    return columns or rows or (k == 0 and m == 0)


@leaf
def _diagonal(l1, l2, ell, m, k):
    return float(l1 * (l1 + 1) + l2 * (l2 + 1) + 2 * k * (m - k) - ell * (ell + 1))


@leaf
def _substitute_outward(l1, first, middle, last, b, up, down, x):
    """Compute the eigenvector from its middle outward: norm 1, the entry of the largest k positive."""
    total, sign, value = 1.0, 1.0, 1.0
    x[l1 + middle] = 1.0
    for i in range(l1 + middle + 1, l1 + last + 1):
        ratio = -b[i - 1] / down[i]
        value *= ratio
        sign = -sign if ratio < 0 else sign
        x[i] = value
        total += value * value
    value = 1.0
    for i in range(l1 + middle - 1, l1 + first - 1, -1):
        value *= -b[i] / up[i]
        x[i] = value
        total += value * value
    scale = sign / np.sqrt(total)
    for i in range(l1 + first, l1 + last + 1):
        x[i] *= scale
