"""Least squares by LSQR, with scale-invariant stopping rules and reorthogonalization.

The algorithm is that of Paige and Saunders (1982, ACM Trans. Math. Softw. 8, 43): Golub-Kahan
bidiagonalization of A started from b, and an incremental QR factorization of the bidiagonal matrix. SciPy's
``lsqr`` adds an absolute 2e-16 to the denominator of a stopping rule, so that its result depends on the unit
of b; here all rules compare norms.

The right vectors are reorthogonalized against the previous ones (Simon and Zha 2000, SIAM J. Sci. Comput. 21,
2257). Otherwise rounding errors grow with the iterations, up to the tolerance: b and 3 b would take different
numbers of iterations, and the solutions would differ by 1e-9 instead of rounding times the condition number.
"""

import math
from typing import NamedTuple

import numpy as np

#: Size of the basis of right vectors, in multiples of the size of b.
_BASIS_SIZE_IN_SAMPLES = 8
#: Smallest size of that basis, in elements.
_MIN_BASIS_ELEMENTS = 2**23
#: An entry on the diagonal of a bidiagonal matrix is negligible relative to the norm of
#: the columns up to it.
_NEGLIGIBLE = 1e-14


class Solution(NamedTuple):
    """``x``; ``residual`` = b - A x, computed from x; ``iterations``; ``converged``; ``condition``."""

    x: np.ndarray
    residual: np.ndarray
    iterations: int
    converged: bool
    condition: float


def solve(operator, b, tol, max_iter, progress, rounding=0.0):
    """Minimize ``|b - A x|``; where x is not unique, return the one of least ``|x|``.

    Converged where ``|b - A x| <= max(tol |b|, rounding)``, as computed from x, or where x is stationary,
    ``|A^H (b - A x)| <= tol |A| |b - A x|``, with |A| the Frobenius norm of the bidiagonal matrix.

    Parameters
    ----------
    operator : LinearOperator
    b : ndarray
        Of order one (`_core.scaling`), so that squares neither overflow nor underflow.
    tol : float
    max_iter : int
    progress : callable
        ``progress(iteration)``, from 1.
    rounding : float
        Smallest norm of b - A x that can be attained in the presence of rounding errors.

    Returns
    -------
    Solution
        ``condition`` is the ratio of the largest to the smallest singular value of the bidiagonal matrices,
        which is at most that of the nonzero singular values of A; 1 without iterations.

    Examples
    --------
    >>> from scipy.sparse.linalg import aslinearoperator
    >>> A = aslinearoperator(np.array([[1.0, 1.0], [1.0, -1.0], [0.0, 2.0]]))
    >>> solution = solve(A, np.array([3.0, 1.0, 1.0]), 1e-12, 10, lambda iteration: None)
    >>> solution.x.round(12), solution.converged
    (array([2.        , 0.66666667]), True)
    """
    b_norm = np.linalg.norm(b)
    target = max(tol * b_norm, rounding)
    x = np.zeros(operator.shape[1], b.dtype)
    residual = b
    previous_norm = b_norm
    iterations = 0
    matrices = []
    if b_norm <= rounding:
        return Solution(x, residual, 0, True, condition_number(matrices))
    while True:
        step, matrix, stationary = _bidiagonalize(
            operator, residual, target, tol, max_iter - iterations, progress, iterations
        )
        x = x + step
        iterations += len(matrix)
        matrices.append(matrix)
        residual = b - operator.matvec(x)
        norm = np.linalg.norm(residual)
        is_converged = bool(stationary or norm <= target)
        # The recursion overestimates the accuracy, because of rounding: restart from the residual.
        if is_converged or iterations >= max_iter or norm > 0.5 * previous_norm:
            condition = condition_number(matrices)
            return Solution(x, residual, iterations, is_converged, condition)
        previous_norm = norm


def condition_number(matrices):
    """The ratio of the largest to the smallest singular value of bidiagonal matrices.

    Parameters
    ----------
    matrices : list of list of (float, float)
        Each matrix by its columns: the entry on the diagonal, and the one below.

    Returns
    -------
    float
        1 without any column. Columns from one with a negligible diagonal on, which consist of rounding errors
        after the Krylov space is exhausted, are not used.

    Examples
    --------
    >>> condition_number([[(4.0, 0.0), (2.0, 0.0)], [(8.0, 0.0)]]), condition_number([])
    (4.0, 1.0)
    """
    values = []
    for columns in filter(None, matrices):
        diagonal, below = np.transpose(columns)
        norms = np.sqrt(np.cumsum(diagonal**2 + below**2))
        negligible = diagonal <= _NEGLIGIBLE * norms
        size = int(np.argmax(negligible)) if negligible.any() else len(columns)
        index = np.arange(size)
        matrix = np.zeros((size + 1, size))
        matrix[index, index] = diagonal[:size]
        matrix[index + 1, index] = below[:size]
        values.extend(np.linalg.svd(matrix, compute_uv=False)[[0, -1]] if size else ())
    return float(max(values) / min(values)) if values else 1.0


def basis_size(samples, unknowns, max_iter):
    """Return the number of right vectors that are stored to reorthogonalize later ones."""
    return min(
        max_iter + 1, max(_BASIS_SIZE_IN_SAMPLES * samples, _MIN_BASIS_ELEMENTS) // unknowns + 1
    )


def _bidiagonalize(operator, b, target, tol, max_iter, progress, iteration_offset):
    """Run LSQR from x = 0; returns (x, columns of the bidiagonal matrix, whether x is stationary)."""
    beta = np.linalg.norm(b)
    u = b / beta
    v = operator.rmatvec(u)
    alpha = np.linalg.norm(v)
    x = np.zeros_like(v)
    columns = []
    if alpha == 0:
        return x, columns, True
    v = v / alpha
    basis = np.empty((basis_size(*operator.shape, max_iter), v.size), v.dtype)
    basis[0] = v
    w = v.copy()
    residual_norm, rho_bar = beta, alpha
    squared_norm = 0.0
    for iteration in range(1, max_iter + 1):
        progress(iteration_offset + iteration)
        u = operator.matvec(v) - alpha * u
        beta = np.linalg.norm(u)
        if beta > 0:
            u /= beta
        squared_norm += alpha**2 + beta**2
        columns.append((alpha, beta))
        v = operator.rmatvec(u) - beta * v
        previous_vectors = basis[:iteration]
        v -= (previous_vectors @ v.conj()).conj() @ previous_vectors
        alpha = np.linalg.norm(v)
        if alpha > 0:
            v /= alpha
        if iteration < len(basis):
            basis[iteration] = v
        rho = math.hypot(rho_bar, beta)
        cosine, sine = rho_bar / rho, beta / rho
        x += (cosine * residual_norm / rho) * w
        w = v - (sine * alpha / rho) * w
        residual_norm, rho_bar = sine * residual_norm, -cosine * alpha
        # The gradient A^H (b - A x) has norm residual_norm alpha |cosine|.
        stationary = alpha * abs(cosine) <= tol * math.sqrt(squared_norm)
        if stationary or residual_norm <= target:
            return x, columns, stationary
    return x, columns, False
