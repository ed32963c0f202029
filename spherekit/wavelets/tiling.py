"""Scale-discretized filters by degree: a smooth partition of unity in the degree.

    s(t) = exp(-1/(1-t^2)),   s_lam(t) = s(2 lam/(lam-1) (t - 1/lam) - 1),
    k(t) = int_t^1 s_lam^2 dt'/t' / int_{1/lam}^1 s_lam^2 dt'/t'      (1 below t = 1/lam, 0 above t = 1)
    kappa_j(l)^2 = k(l/lam^{j+1}) - k(l/lam^j),   eta(l)^2 = k(l/lam^J0)

(Wiaux et al. 2008, MNRAS 388, 770; Leistedt et al. 2013, A&A 558, A128, eqs. 6-10.) The support of kappa_j
is lam^{j-1} < l < lam^{j+1}: it rises as 1 - k and falls as k. Both are computed as separate integrals,
without cancellation, so that the squares of all scales sum to 1 at every degree, to rounding.

Families: needlets use k(t) = int_t s(u(t')) dt' instead (Baldi et al. 2009, Ann. Statist. 37, 1150).
Curvelets use the kernel above and only the orders n = -l and l, which makes them as narrow as a degree
allows; they are not steerable (Chan, Leistedt, Kitching and McEwen 2017, IEEE TSP 65, 5).
"""

import math
from functools import lru_cache

import numpy as np

from spherekit.sampling.quadrature import read_only

FAMILIES = ("scale-discretised", "needlet", "curvelet")
#: Panels of the integral over |t| < 1.
_PANELS = 64
#: Gauss-Legendre nodes in each panel, for a quadrature error of 1e-16.
_NODES = 20


def kernel(t, lam, family=FAMILIES[0]):
    """(k(t), 1 - k(t)), each with a relative error of rounding.

    >>> above, below = kernel(np.array([0.4, 0.75, 1.2]), 2.0)
    >>> above[[0, 2]], below[[0, 2]], bool(abs(above[1] + below[1] - 1) < 1e-15)
    (array([1., 0.]), array([0., 1.]), True)
    """
    t = np.asarray(t, float)
    u = np.clip(2 * lam / (lam - 1) * (t - 1 / lam) - 1, -1.0, 1.0)
    edges, left, right = _cumulative_integrals(lam, family)
    panel = np.clip(np.searchsorted(edges, u, side="right") - 1, 0, _PANELS - 1)
    below = left[panel] + _integral(edges[panel], u, lam, family)
    above = right[panel + 1] + _integral(u, edges[panel + 1], lam, family)
    total = left[-1]
    # the ends of the support are found by comparing t, which is exact, rather than the rounded u
    below = np.where(t <= 1 / lam, 0.0, np.where(t >= 1, total, below)) / total
    above = np.where(t <= 1 / lam, total, np.where(t >= 1, 0.0, above)) / total
    return above, below


@lru_cache(maxsize=32)
def _cumulative_integrals(lam, family):
    """Edges of the panels, and the integrals from the left end and from the right end to each edge."""
    edges = np.linspace(-1, 1, _PANELS + 1)
    panels = _integral(edges[:-1], edges[1:], lam, family)
    left = np.concatenate([[0.0], np.cumsum(panels)])
    right = np.concatenate([np.cumsum(panels[::-1])[::-1], [0.0]])
    return edges, left, right


def _integral(a, b, lam, family):
    """int_a^b s(u)^2 / t(u) du by Gauss-Legendre quadrature, with t = ((lam-1)(u+1)/2 + 1)/lam.

    For needlets, int_a^b s(u) du.
    """
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    half = 0.5 * (b - a)
    u = 0.5 * (a + b)[..., None] + half[..., None] * nodes
    inside = np.maximum((1 - u) * (1 + u), 1e-300)
    if family == "needlet":
        values = np.exp(-1.0 / inside)
    else:
        values = np.exp(-2.0 / inside) / (0.5 * (lam - 1) * (u + 1) + 1)
    return half * (values @ weights)


@lru_cache(maxsize=64)
def degree_filters(L, lam, J0, family=FAMILIES[0]):
    """(scales, eta (L,), kappa (scales, L)): the partition of unity over the degrees below L.

    Scales whose band contains no integer degree are omitted. The last scale is the smallest j with
    lam^j >= L-1.

    >>> scales, eta, kappa = degree_filters(16, 2.0, 1)
    >>> scales, bool(abs(eta**2 + (kappa**2).sum(axis=0) - 1).max() < 1e-15)
    ((1, 2, 3, 4), True)
    """
    ell = np.arange(L, dtype=float)
    eta = np.sqrt(kernel(ell / lam**J0, lam, family)[0])
    scales = []
    rows = []
    for j in range(J0, highest_scale(L, lam) + 1):
        rising = kernel(ell / lam**j, lam, family)[1]
        falling = kernel(ell / lam ** (j + 1), lam, family)[0]
        kappa = np.sqrt(np.where(ell <= lam**j, rising, falling))
        if kappa.any():
            scales.append(j)
            rows.append(kappa)
    return tuple(scales), read_only(eta), read_only(np.array(rows).reshape(-1, L))


def highest_scale(L, lam):
    """The smallest J >= 0 with lam^J >= L - 1, by multiplication, since a logarithm would round.

    >>> highest_scale(9, 2), highest_scale(10, 2), highest_scale(1, 2)
    (3, 4, 0)
    """
    J = 0
    degree = 1.0
    while degree < L - 1:
        J += 1
        degree *= lam
    return J


def steering(L, N, family=FAMILIES[0]):
    """The directional part s_ln of a steerable wavelet, (2N-1, L), with sum_n |s_ln|^2 = 1 for l >= 1.

    s_ln = nu sqrt(binom(g, (g-n)/2) / 2^g) for |n| < N and odd n + N, where g = min(N-1, l), reduced by 1 if
    its parity is not that of N-1; nu = 1 for odd N, i for even N. The wavelet is real, has parity (-1)^(N-1)
    under a rotation by pi, and is steered by N angles (Wiaux et al. 2008, section 2.3; McEwen et al. 2015,
    ACHA, arXiv:1509.06749, eq. 21). For curvelets s_{l,+-l} = (+-1)^l / sqrt(2) and N = L.

    >>> steering(3, 1).real
    array([[1., 1., 1.]])
    """
    if family == "curvelet":
        table = np.zeros((2 * L - 1, L))
        ell = np.arange(1, L)
        table[L - 1 + ell, ell] = np.sqrt(0.5)
        table[L - 1 - ell, ell] = (-1) ** ell * np.sqrt(0.5)
        return table
    table = np.zeros((2 * N - 1, L), complex if N % 2 == 0 else float)
    for ell in range(L):
        g = min(N - 1, ell)
        g -= (N - 1 - g) % 2
        if g < 0 or (ell == 0 and N > 1):
            continue
        for n in range(-g, g + 1, 2):
            value = math.sqrt(math.comb(g, (g - n) // 2) / 2.0**g)
            table[N - 1 + n, ell] = value if N % 2 else 1j * value
    return table
