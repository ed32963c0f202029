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
have. For s + s' > 0 rounding errors grow as l'^(s+s'), so that the recursion starts anew, from sums over l3,
at degrees l' in geometric progression.
"""

from __future__ import annotations

import numpy as np

#: Largest growth of rounding errors between two columns that are computed as sums.
_MAX_GROWTH = 16.0


def coupling_sums(mask_power, L, spin, spin2, *, threads=None):
    """The sums K^+ and K^-, for all pairs of degrees.

    Parameters
    ----------
    mask_power : float64 ndarray [shape=(n_l,)]
        The spectrum W, zero from n_l on.
    L : int
        Band-limit.
    spin, spin2 : int
        s and s', 0 <= s, s' < L.
    threads : int, optional
        Number of threads, as in `spherekit.harmonic.forward`.

    Returns
    -------
    float64 ndarray [shape=(2, L, L)]
        K^+ and K^-, symmetric to the last bit. K^- is zero if a spin is zero.
    """
    power = np.zeros(2 * L)
    power[: len(mask_power)] = mask_power[: 2 * L]
    lowest = max(spin, spin2)
    sums = np.zeros((2, L, L))
    starts = _starts(L, spin, spin2)
    for first, stop in zip(starts, starts[1:], strict=False):
        last = L + stop - first - 2  # the highest degree l that matters for columns below ``stop``
        degrees = np.arange(max(first - 1, lowest), last + 1)
        previous = np.zeros((2, last + 2))
        if first > lowest:
            previous[:, degrees] = _column(power, first - 1, degrees, spin, spin2)
        current = np.zeros((2, last + 2))
        degrees = degrees[degrees >= first]
        current[:, degrees] = _column(power, first, degrees, spin, spin2)
        _recursion(previous, current, first, stop, spin, spin2, sums)
    scale = 1 / np.sqrt(2 * np.arange(L) + 1.0)
    for x in sums:
        x *= scale[:, None] * scale
        x += np.triu(x, 1).T
    return sums


def _starts(L, spin, spin2):
    """The columns that are computed as sums, and L."""
    starts = [max(spin, spin2)]
    while spin + spin2 and starts[-1] < L:
        ratio = _MAX_GROWTH ** (1 / (spin + spin2))
        starts.append(max(starts[-1] + 2, int(starts[-1] * ratio)))
    return [start for start in starts if start < L] + [L]


def _recursion(previous, current, first, stop, spin, spin2, sums):
    """Fill rows ``first`` to ``stop`` - 1 of the upper triangle of G, of both parities."""
    L, size = sums.shape[-1], current.shape[-1]
    ell = np.arange(max(size, L) + 1.0)
    square = (ell**2 - spin**2) * (ell**2 - spin2**2) / (4 * ell**2 - 1)
    e = np.sqrt(np.where(ell > max(spin, spin2), square, 0)) / np.maximum(ell, 1)
    a = spin * spin2 / np.maximum(ell * (ell + 1), 1)
    for k in range(first, stop):
        sums[:, k, k:] = current[:, k:L]
        inner, above, below = slice(k + 1, size - 1), slice(k + 2, size), slice(k, size - 2)
        following = e[above] * current[:, above] + e[inner] * current[:, below]
        following += (a[inner] - a[k]) * current[::-1, inner] - e[k] * previous[:, inner]
        previous[:, inner] = following / e[k + 1]
        previous, current = current, previous


def _column(power, k, degrees, spin, spin2):
    """G^+ and G^- at the degrees l >= k and l' = k."""
    f = three_j(degrees, k, spin)
    g = f if spin2 == spin else three_j(degrees, k, spin2)
    offset = np.arange(2 * k + 1)[:, None]
    l3 = degrees - k + offset
    terms = (2 * l3 + 1) * power[l3] * f * g
    terms *= (-1) ** (spin + spin2) / (4 * np.pi) * np.sqrt((2 * degrees + 1.0) * (2 * k + 1))
    return terms[::2].sum(axis=0), terms[1::2].sum(axis=0)


def three_j(degrees, k, spin):
    """3j symbols (l k l3; s -s 0) of all l3 = l-k..l+k, for degrees l >= k >= s: (2 k + 1, degrees).

    Recursions over l3 from both ends, joined at l3 = l (Schulten and Gordon 1975, J. Math. Phys. 16, 1961,
    eq. 6a).
    """
    ell = degrees.astype(float)
    l3 = ell - k + np.arange(2 * k + 2)[:, None]
    a = np.sqrt(
        np.maximum((l3 - ell + k) * (l3 + ell - k) * (ell + k + 1 - l3) * (ell + k + 1 + l3), 0)
    )
    b = 2 * spin * (2 * l3 + 1)
    low = np.ones((2 * k + 1, len(ell)))
    for i in range(k):
        low[i + 1] = (b[i] * low[i] - (a[i] * low[i - 1] if i else 0)) / a[i + 1]
    high = np.ones((2 * k + 2, len(ell)))
    high[-1] = 0
    for i in range(2 * k, k - 1, -1):
        if i:
            high[i - 1] = (b[i] * high[i] - a[i + 1] * high[i + 1]) / a[i]
    if k:
        join = slice(k - 1, k + 1)
        ratio = (low[join] * high[join]).sum(axis=0) / (low[join] ** 2).sum(axis=0)
        high[:k] = low[:k] * ratio
    values = high[:-1]
    values /= np.sqrt(((2 * l3[:-1] + 1) * values**2).sum(axis=0))
    return values * np.where((degrees - k) % 2, -1.0, 1.0)
