"""Sums over pairs of Wigner 3j symbols of the same degrees, for all degrees below a band-limit.

    K^{+-}_{ll'} = sum_{l3} (2 l3 + 1)/(4 pi) W_{l3} F_s F_{s'} (1 +- (-1)^{l+l'+l3})/2,
    F_s = (-1)^s (l l' l3; s -s 0).

The sum K = K^+ + K^- is the integral ``1/2 int d^l_{ss'} d^{l'}_{ss'} xi(theta) sin(theta) dtheta``, where
xi is the correlation function of W; K^+ - K^- is that of d_{s,-s'}. ``G_{ll'} = sqrt((2l+1)(2l'+1)) K_{ll'}``
is the matrix of the multiplication by xi in an orthonormal basis. It commutes with that of the multiplication
by cos(theta), which is tridiagonal, by the recursion of d over the degree, with e_l beside the diagonal and
+-a_l on it:

    e_l = sqrt((l^2-s^2)(l^2-s'^2)/(4l^2-1)) / l,    a_l = s s' / (l(l+1)).

Therefore each column of G^{+-} follows from the two before it:

    e_{l'+1} G^{+-}_{l,l'+1} = e_{l+1} G^{+-}_{l+1,l'} + e_l G^{+-}_{l-1,l'} - e_l' G^{+-}_{l,l'-1}
                               + (a_l - a_l') G^{-+}_{l,l'}.

So O(L^2) products replace the O(L^3) of the sums. For l >= l' a value depends only on values farther from the
diagonal, which are smaller where W decreases; therefore small values have a small relative error, as the sums
have. Rounding errors grow as l'^(s+s'); therefore the recursion starts anew, from sums over l3, at degrees l'
in geometric progression.
"""

from __future__ import annotations

import numpy as np

from spherekit._core import scaling
from spherekit._core.parallel import run, thread_count
from spherekit.kernels.simd import Lanes
from spherekit.spectra.coupling_kernels import (
    TILE,
    column_size,
    fill_segments,
    work_size,
    write_blocks,
)

LANES = Lanes(16)

#: Largest growth of rounding errors between two columns that are computed as sums.
_MAX_GROWTH = 16.0
#: Largest ratio of the degrees of such columns: the ranges between them are the items of threads.
_MAX_RATIO = 2.0
#: The largest spin: 3j symbols of higher spins differ by more orders of magnitude than float64 has.
MAX_SPIN = 200


def coupling_sums(mask_power, L, spin, spin2, *, threads=None):
    """The sums K^+ and K^-, for all pairs of degrees.

    Parameters
    ----------
    mask_power : float64 ndarray [shape=(n_l,)]
        The spectrum W, zero from n_l on.
    L : int
        Band-limit.
    spin, spin2 : int
        s and s', 0 <= s, s' < L, at most `MAX_SPIN`.
    threads : int, optional
        Number of threads, as in `spherekit.harmonic.forward`.

    Returns
    -------
    float64 ndarray [shape=(2, L, L)]
        K^+ and K^-, symmetric to the last bit. K^- is zero if a spin is zero.
    """
    triangles = upper_triangles(mask_power, L, spin, spin2, threads=threads)
    sums = np.zeros((2, L, L))
    n = len(triangles)
    ones = np.ones((n, L))
    write(triangles, np.arange(n), ones, ones, np.arange(n), sums, threads=threads)
    return sums


def upper_triangles(mask_power, L, spin, spin2, *, threads=None):
    """`coupling_sums` at l' >= l only, without K^- if a spin is zero: (1 or 2, L, L)."""
    size = column_size(L, LANES.type.width)
    power = np.zeros(size + L)
    count = min(2 * L - 1, len(mask_power))  # degrees from 2 L - 1 on do not matter
    half = (scaling.exponent(mask_power[:count]) + 1) // 2
    power[:count] = np.ldexp(mask_power[:count], -2 * half)
    ell = np.arange(float(size))
    square = (ell**2 - spin**2) * (ell**2 - spin2**2) / (4 * ell**2 - 1)
    e = np.sqrt(np.where(ell > max(spin, spin2), square, 0)) / np.maximum(ell, 1)
    a = spin * spin2 / np.maximum(ell * (ell + 1), 1)
    scale = np.ldexp(1 / np.sqrt(2 * ell + 1), half)
    sums = np.zeros((2 if spin and spin2 else 1, L, L))
    starts, spins = _starts(L, spin, spin2), np.array([spin, spin2])
    counter = np.zeros(1, np.int64)

    def worker(_):
        work = np.empty(work_size(L, LANES.type.width))
        fill_segments(LANES, counter, starts, spins, power, e, a, scale, work, sums)

    run(worker, min(thread_count(threads), len(starts) - 1))
    return sums


def write(triangles, parities, row_scales, column_scales, blocks, matrix, *, threads=None):
    """Write ``row_scale[l] K_{ll'} column_scale[l']`` to blocks of a matrix.

    Parameters
    ----------
    triangles : float64 ndarray [shape=(1 or 2, L, L)]
        Result of `upper_triangles`.
    parities, blocks : int64 ndarray [shape=(n,)]
        For each block, the index of K in ``triangles``, and that of the block in ``matrix``.
    row_scales, column_scales : float64 ndarray [shape=(n, L)]
    matrix : float64 ndarray [shape=(m, L, L)]
    threads : int, optional
    """
    counter = np.zeros(1, np.int64)
    arguments = triangles, parities, row_scales, column_scales, blocks

    def worker(_):
        write_blocks(counter, *arguments, np.empty((4, TILE, TILE)), matrix)

    run(worker, thread_count(threads))


def _starts(L, spin, spin2):
    """The columns that are computed as sums, and L."""
    ratio = min(_MAX_RATIO, _MAX_GROWTH ** (1 / max(spin + spin2, 1)))
    starts = [max(spin, spin2)]
    while starts[-1] < L:
        starts.append(max(starts[-1] + 2, int(starts[-1] * ratio)))
    return np.array([start for start in starts if start < L] + [L])
