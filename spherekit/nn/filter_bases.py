"""Bases of trained filters: a filter is a vector of real parameters times a constant matrix of coefficients.

``"free"``
    One parameter for each coefficient of the real harmonics, of orders |n| < N.
``"near_identity"``
    Local filters: values at 8 longitudes on 3 rings around the north pole, beta = pi/24, pi/12, pi/8.
``"equatorial"``
    Values at 32 longitudes on the equator.

The last two follow Cohen et al. 2018 (arXiv:1801.10130): Dirac combs on these points, with coefficients by
the unweighted sum over the points. On SO(3), each point is combined with as many angles gamma as there are
longitudes.
"""

import numpy as np

from spherekit._core import checks
from spherekit._core.blas import single_threaded
from spherekit.conventions import from_real
from spherekit.harmonic import evaluate_adjoint
from spherekit.linear import linear_map
from spherekit.wigner import D

__all__ = ["KINDS", "anchors", "on_so3", "on_sphere"]

KINDS = ("free", "near_identity", "equatorial")


def anchors(L: int, count: int) -> np.ndarray:
    """Interpolation matrix from values at ``count`` degrees to all degrees, piecewise linear.

    The localized spectra of Esteves et al. 2018 (arXiv:1711.06721).

    Parameters
    ----------
    L : int
        Band-limit.
    count : int
        Number of anchors, evenly spaced from 0 to L-1; with a single one the curve is constant.

    Returns
    -------
    array [shape=(L, count)]
        The hat function of each anchor; they sum to 1 at each degree.

    Raises
    ------
    ValueError
        If ``count`` is not in the range from 1 to L.

    Examples
    --------
    >>> from spherekit.nn import filter_bases
    >>> filter_bases.anchors(3, 2).tolist()
    [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]
    """
    count = checks.integer(count, "anchors", 1, L, "degrees below L")
    anchor_degrees = np.linspace(0, L - 1, count) if count > 1 else np.zeros(1)
    return np.stack([np.interp(np.arange(L), anchor_degrees, row) for row in np.eye(count)], axis=1)


def check_filters(filters: str) -> str:
    """Validate the name of a basis.

    Parameters
    ----------
    filters : str
        One of `KINDS`.

    Returns
    -------
    str
        ``filters``.

    Raises
    ------
    ValueError
        If it is another name.
    """
    if filters not in KINDS:
        raise ValueError(f"filters must be one of {', '.join(KINDS)}; got {filters!r}")
    return filters


def on_sphere(filters: str, L: int, N: int) -> np.ndarray:
    """Basis of filters on the sphere, as coefficients f_ln, |n| < N.

    Parameters
    ----------
    filters : str
        One of `KINDS`.
    L : int
        Band-limit.
    N : int
        Azimuthal band-limit.

    Returns
    -------
    complex array [shape=(parameters, coefficients)]
        A filter is ``parameters @ basis``. Coefficients are ordered by degree, then n.

    Raises
    ------
    ValueError
        If ``filters`` is not one of `KINDS`.

    Examples
    --------
    >>> from spherekit.nn import filter_bases
    >>> filter_bases.on_sphere("free", 3, 2).shape, filter_bases.on_sphere("equatorial", 3, 2).shape
    ((7, 7), (32, 7))
    """
    ell, n = _orders(L, N)
    if filters == "free":
        basis = from_real(np.eye(L * L)[ell * ell + ell + n])
    else:
        beta, alpha = _points(filters)
        basis = evaluate_adjoint(np.eye(len(beta)), beta, alpha, L) / len(beta)
    return basis[:, ell * ell + ell + n]


def on_so3(filters: str, L: int, N: int, K: int) -> np.ndarray:
    """Basis of real filters on SO(3), as coefficients g_lnk, |n| < N, |k| < K.

    Parameters
    ----------
    filters : str
        One of `KINDS`.
    L : int
        Band-limit.
    N, K : int
        Azimuthal band-limits of output and input.

    Returns
    -------
    complex array [shape=(parameters, coefficients)]
        A filter is ``parameters @ basis``. Coefficients are ordered by degree, then n, then k.

    Raises
    ------
    ValueError
        If ``filters`` is not one of `KINDS`.

    Examples
    --------
    >>> from spherekit.nn import filter_bases
    >>> filter_bases.on_so3("free", 3, 2, 1).shape, filter_bases.on_so3("equatorial", 3, 2, 1).shape
    ((7, 7), (1024, 7))
    """
    if filters == "free":
        return _free_on_so3(L, N, K)
    beta, alpha = _points(filters)
    count = len(np.unique(alpha))
    gamma = np.repeat(2 * np.pi * np.arange(count) / count, len(beta))
    beta, alpha = np.tile(beta, count), np.tile(alpha, count)
    rows = []
    for b, a, c in zip(beta, alpha, gamma - alpha, strict=True):  # gamma is the total angle
        rows.append(
            np.concatenate([_central_orders(matrix, N, K).ravel() for matrix in D(a, b, c, L)])
        )
    return np.array(rows) / len(beta)


def _free_on_so3(L, N, K):
    """Real functions on SO(3), g_{l,-n,-k} = (-1)^(n+k) conj g_lnk: real and imaginary parts."""
    index = {}
    for ell in range(L):
        for n in range(-min(ell, N - 1), min(ell, N - 1) + 1):
            for k in range(-min(ell, K - 1), min(ell, K - 1) + 1):
                index[ell, n, k] = len(index)
    rows = []
    for (ell, n, k), column in index.items():
        mirror = index[ell, -n, -k]
        sign = (-1) ** (n + k)
        if column > mirror:
            continue
        for unit in (1, 1j) if column < mirror else (1,):
            row = np.zeros(len(index), complex)
            row[column] = unit / np.sqrt(1 if column == mirror else 2)
            if column < mirror:
                row[mirror] = sign * np.conj(row[column])
            rows.append(row)
    return np.array(rows)


def _combine(weights, *, basis):
    B, w = _with_precision_of(weights, basis.T), _columns(weights)
    with single_threaded():
        if not np.iscomplexobj(B):
            return (B @ w).view(weights.dtype)
        coefficients = np.empty((len(B), w.shape[1]), B.dtype)
        coefficients.real = B.real @ w
        coefficients.imag = B.imag @ w
    return coefficients


def _combine_adjoint(g, *, basis):
    B = _with_precision_of(g, basis)
    with single_threaded():
        if not np.iscomplexobj(B):
            return (B @ _columns(g)).view(g.dtype)
        return B.real @ g.real + B.imag @ g.imag


def _with_precision_of(x, basis):
    dtype = checks.real_type(x)
    return basis.astype(np.result_type(dtype, np.complex64) if np.iscomplexobj(basis) else dtype)


def _columns(x):
    """Complex columns as pairs of real columns."""
    x = np.ascontiguousarray(x)
    return x.view(x.real.dtype)


#: Weights (parameters, filters) -> coefficients ``basis^T weights``; not both complex. BLAS, single-threaded.
combine = linear_map("nn.combine", _combine, _combine_adjoint)


def _central_orders(matrix, N, K):
    ell = len(matrix) // 2
    n, k = min(ell, N - 1), min(ell, K - 1)
    return matrix[ell - n : ell + n + 1, ell - k : ell + k + 1]


def _points(filters):
    if check_filters(filters) == "equatorial":
        alpha = 2 * np.pi * np.arange(32) / 32
        return np.full(32, np.pi / 2), alpha
    beta = np.pi / 8 * np.arange(1, 4) / 3
    alpha = 2 * np.pi * np.arange(8) / 8
    return np.repeat(beta, 8), np.tile(alpha, 3)


def _orders(L, N):
    pairs = [(ell, n) for ell in range(L) for n in range(-min(ell, N - 1), min(ell, N - 1) + 1)]
    return np.transpose(pairs)


def __dir__():
    return sorted(__all__)
