"""Least squares by LSQR, with stopping rules that are relative and mean what they say.

Paige and Saunders 1982, ACM Trans. Math. Softw. 8, 43: Golub-Kahan bidiagonalization of A from b, and the
QR factorization of the bidiagonal matrix as it grows. SciPy's ``lsqr`` adds an absolute 2e-16 to the
denominator of a stopping rule, so that its answer depends on the unit of b; here every rule compares norms.

The right vectors are made orthogonal to those before them (Simon and Zha 2000, SIAM J. Sci. Comput. 21,
2257). Without that rounding grows by the iteration, up to the tolerance: b and 3 b then take different
numbers of iterations and give solutions that differ by 1e-9, not by rounding times the condition.
"""

import math
from typing import NamedTuple

import numpy as np

#: Right vectors that are stored: as many as in the bytes of this many b, but at least so many numbers.
_SAMPLES, _LEAST = 8, 2**23


class Solution(NamedTuple):
    """``x``; ``residual`` = b - A x, computed from x; ``iterations``; ``converged``."""

    x: np.ndarray
    residual: np.ndarray
    iterations: int
    converged: bool


def solve(operator, b, tol, max_iter, progress, rounding=0.0):
    """The x of least ``|b - A x|``, where it is not unique that of least ``|x|``.

    Converged where ``|b - A x| <= max(tol |b|, rounding)``, as computed from x, or where x is stationary,
    ``|A^H (b - A x)| <= tol |A| |b - A x|``, with |A| the Frobenius norm of what was seen of A.

    Parameters
    ----------
    operator : LinearOperator
    b : ndarray
        Of order one (`_core.scaling`), so that squares keep their digits.
    tol : float
    max_iter : int
    progress : callable
        ``progress(iteration)``, from 1.
    rounding : float
        Norm of what rounding leaves of b - A x at best.

    Returns
    -------
    Solution

    >>> from scipy.sparse.linalg import aslinearoperator
    >>> A = aslinearoperator(np.array([[1.0, 1.0], [1.0, -1.0], [0.0, 2.0]]))
    >>> solution = solve(A, np.array([3.0, 1.0, 1.0]), 1e-12, 10, lambda iteration: None)
    >>> solution.x.round(12), solution.converged
    (array([2.        , 0.66666667]), True)
    """
    size = np.linalg.norm(b)
    target = max(tol * size, rounding)
    x, residual, before, iterations = np.zeros(operator.shape[1], b.dtype), b, size, 0
    if size <= rounding:
        return Solution(x, residual, 0, True)
    while True:
        step, count, stationary = _bidiagonalize(
            operator, residual, target, tol, max_iter - iterations, progress, iterations
        )
        x, iterations = x + step, iterations + count
        residual = b - operator.matvec(x)
        left = np.linalg.norm(residual)
        if stationary or left <= target:
            return Solution(x, residual, iterations, True)
        # the recursion promised more than rounding let it keep: the same again for what is left
        if iterations >= max_iter or left > 0.5 * before:
            return Solution(x, residual, iterations, False)
        before = left


def stored_vectors(samples, unknowns, max_iter):
    """How many right vectors are stored, to make later ones orthogonal to them."""
    return min(max_iter + 1, max(_SAMPLES * samples, _LEAST) // unknowns + 1)


def _bidiagonalize(operator, b, target, tol, max_iter, progress, before):
    """(x, iterations, whether stationary): one run of LSQR from zero."""
    beta = np.linalg.norm(b)
    u = b / beta
    v = operator.rmatvec(u)
    alpha = np.linalg.norm(v)
    x = np.zeros_like(v)
    if alpha == 0:
        return x, 0, True
    v = v / alpha
    stored = np.empty((stored_vectors(*operator.shape, max_iter), v.size), v.dtype)
    stored[0] = v
    w, left, rho_bar, norm2 = v.copy(), beta, alpha, 0.0
    for iteration in range(1, max_iter + 1):
        progress(before + iteration)
        u = operator.matvec(v) - alpha * u
        beta = np.linalg.norm(u)
        if beta > 0:
            u /= beta
        norm2 += alpha**2 + beta**2
        v = operator.rmatvec(u) - beta * v
        basis = stored[:iteration]
        v -= (basis @ v.conj()).conj() @ basis
        alpha = np.linalg.norm(v)
        if alpha > 0:
            v /= alpha
        if iteration < len(stored):
            stored[iteration] = v
        rho = math.hypot(rho_bar, beta)
        cosine, sine = rho_bar / rho, beta / rho
        x += (cosine * left / rho) * w
        w = v - (sine * alpha / rho) * w
        left, rho_bar = sine * left, -cosine * alpha
        # the gradient A^H (b - A x) has norm left alpha |cosine|
        stationary = alpha * abs(cosine) <= tol * math.sqrt(norm2)
        if stationary or left <= target:
            return x, iteration, stationary
    return x, max(max_iter, 0), False
