"""What filters are made of: real parameters times a fixed basis of coefficients.

``"free"``
    A parameter for each coefficient of the real harmonics, of orders |n| < N.
``"near_identity"``
    Values on rings about the north pole, beta = pi/8 (1, 2, ... rings)/rings; local filters.
``"equatorial"``
    Values on the ring of the equator.

The last two as Cohen et al. 2018 (arXiv:1801.10130), by the plain sum over the points. On SO(3) a point has
an angle gamma too, as many as there are longitudes.
"""

import numpy as np

from spherekit._core import checks
from spherekit._core.blas import one_thread
from spherekit.conventions import from_real
from spherekit.harmonic import evaluate_adjoint
from spherekit.linear import linear_map
from spherekit.wigner import D

KINDS = ("free", "near_identity", "equatorial")


def anchors(L, count):
    """(L, count): a curve over the degrees by its values at ``count`` of them, linear in between.

    The localized spectrum of Esteves et al. 2018 (arXiv:1711.06721).

    >>> anchors(3, 2).tolist()
    [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]
    """
    count = checks.whole_number(count, "anchors", 1, L, "degrees below L")
    places = np.linspace(0, L - 1, count) if count > 1 else np.zeros(1)
    return np.stack([np.interp(np.arange(L), places, row) for row in np.eye(count)], axis=1)


def on_sphere(kind, L, N):
    """(parameters, coefficients l, n with |n| < N degree by degree): a filter is parameters @ basis."""
    ell, n = _orders(L, N)
    if kind == "free":
        basis = from_real(np.eye(L * L)[ell * ell + ell + n])
    else:
        beta, alpha = _points(kind)
        basis = evaluate_adjoint(np.eye(len(beta)), beta, alpha, L) / len(beta)
    return basis[:, ell * ell + ell + n]


def on_group(kind, L, N, K):
    """(parameters, orders n, k of each degree): coefficients g_lnk, |n| < N, |k| < K, of real filters.

    Degree by degree, then n, then k.
    """
    if kind == "free":
        return _free_on_group(L, N, K)
    beta, alpha = _points(kind)
    count = len(np.unique(alpha))
    gamma = np.repeat(2 * np.pi * np.arange(count) / count, len(beta))
    beta, alpha = np.tile(beta, count), np.tile(alpha, count)
    rows = []
    for b, a, c in zip(beta, alpha, gamma - alpha, strict=True):  # turned by a + c in all
        rows.append(np.concatenate([_cut(matrix, N, K).ravel() for matrix in D(a, b, c, L)]))
    return np.array(rows) / len(beta)


def _free_on_group(L, N, K):
    """Real functions on SO(3): g_{l,-n,-k} = (-1)^(n+k) conj g_lnk, by real and imaginary parts."""
    index, rows, at = {}, [], 0
    for ell in range(L):
        for n in range(-min(ell, N - 1), min(ell, N - 1) + 1):
            for k in range(-min(ell, K - 1), min(ell, K - 1) + 1):
                index[ell, n, k] = at
                at += 1
    for (ell, n, k), place in index.items():
        mirror, sign = index[ell, -n, -k], (-1) ** (n + k)
        if place > mirror:
            continue
        for part in (1, 1j) if place < mirror else (1,):
            row = np.zeros(at, complex)
            row[place] = part / np.sqrt(1 if place == mirror else 2)
            if place < mirror:
                row[mirror] = sign * np.conj(row[place])
            rows.append(row)
    return np.array(rows)


def _combine(weights, *, basis):
    B, w = _plain(basis.T, weights), _columns(weights)
    with one_thread():
        if not np.iscomplexobj(B):
            return (B @ w).view(weights.dtype)
        made = np.empty((len(B), w.shape[1]), B.dtype)
        made.real = B.real @ w
        made.imag = B.imag @ w
    return made


def _weigh(g, *, basis):
    B = _plain(basis, g)
    with one_thread():
        if not np.iscomplexobj(B):
            return (B @ _columns(g)).view(g.dtype)
        return B.real @ g.real + B.imag @ g.imag


def _plain(basis, like):
    """The basis in the precision of what it meets."""
    kind = checks.real_type(like)
    return basis.astype(np.result_type(kind, np.complex64) if np.iscomplexobj(basis) else kind)


def _columns(x):
    """Complex columns as pairs of real ones."""
    x = np.ascontiguousarray(x)
    return x.view(x.real.dtype)


#: Weights (parameters, filters) -> coefficients ``basis^T weights``; not both complex. In BLAS, one thread.
combine = linear_map("nn.combine", _combine, _weigh)


def _cut(matrix, N, K):
    ell = len(matrix) // 2
    n, k = min(ell, N - 1), min(ell, K - 1)
    return matrix[ell - n : ell + n + 1, ell - k : ell + k + 1]


def _points(kind):
    if kind == "equatorial":
        alpha = 2 * np.pi * np.arange(32) / 32
        return np.full(32, np.pi / 2), alpha
    if kind != "near_identity":
        raise ValueError(f"filters is {kind!r}; known are {', '.join(KINDS)}")
    beta = np.pi / 8 * np.arange(1, 4) / 3
    alpha = 2 * np.pi * np.arange(8) / 8
    return np.repeat(beta, 8), np.tile(alpha, 3)


def _orders(L, N):
    pairs = [(ell, n) for ell in range(L) for n in range(-min(ell, N - 1), min(ell, N - 1) + 1)]
    return np.transpose(pairs)
