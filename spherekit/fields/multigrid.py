"""Sparse Hermitian systems of diffusion, by conjugate gradients preconditioned by algebraic multigrid.

The coarse spaces are those of smoothed aggregation (Vanek, Mandel and Brezina 1996, Computing 56, 179):
disjoint aggregates of the neighbors of a maximal set of unknowns at graph distances above 2 (Bell, Dalton and
Olson 2012, SIAM J. Sci. Comput. 34, C123), with the functions that are constant on one of them, smoothed by
one step of Jacobi's iteration. Values of spin fields are constant if they are parallel to that of the root of
the aggregate.
"""

from typing import NamedTuple

import numpy as np

#: Number of unknowns below which a system is solved densely.
_DENSE = 300
#: Couplings above this fraction of the diagonal are strong; halved from level to level.
_STRONG = 0.08
#: Number of Jacobi steps before and after the coarse correction.
_SWEEPS = 2


class _Level(NamedTuple):
    """A matrix, its damped inverse diagonal, and the interpolation from the next level."""

    matrix: object
    step: np.ndarray
    interpolation: object


class Multigrid:
    """A V-cycle for a sparse Hermitian, diagonally dominant matrix: an approximate inverse.

    Parameters
    ----------
    matrix : csr_array [shape=(n, n)]
    transport : callable, optional
        ``transport(i, j)``: the factors by which constant values at unknowns j differ from those at i; by
        default 1.

    >>> from scipy import sparse
    >>> n = 1000
    >>> matrix = sparse.diags_array([-1.0, 2, -1], offsets=[-1, 0, 1], shape=(n, n)).tocsr()
    >>> x, iterations, _ = solve(matrix, np.ones(n), Multigrid(matrix), lambda r: abs(r).max() < 1e-9, 99)
    >>> bool(abs(matrix @ x - 1).max() < 1e-8), iterations < 30
    (True, True)
    """

    def __init__(self, matrix, transport=None):
        from scipy.linalg import cho_factor

        self.levels = []
        points = np.arange(matrix.shape[0])
        strong = _STRONG
        while matrix.shape[0] > _DENSE:
            roots, aggregates = _aggregates(matrix, strong)
            step = _jacobi_step(matrix)
            if not roots.size:  # unknowns that do not depend on each other
                self.levels.append(_Level(matrix, step, None))
                break
            interpolation = _interpolation(matrix, step, points, roots, aggregates, transport)
            self.levels.append(_Level(matrix, step, interpolation))
            matrix = (interpolation.conj().T @ matrix @ interpolation).tocsr()
            points = points[roots]
            strong /= 2
        else:
            self.coarsest = cho_factor(matrix.toarray())

    def __call__(self, residual, level=0):
        """The approximate solution of the system with a right-hand side."""
        from scipy.linalg import cho_solve

        if level == len(self.levels):
            return cho_solve(self.coarsest, residual)
        matrix, step, interpolation = self.levels[level]
        x = step * residual
        for _ in range(_SWEEPS - 1):
            x += step * (residual - matrix @ x)
        if interpolation is not None:
            coarse = interpolation.conj().T @ (residual - matrix @ x)
            x += interpolation @ self(coarse, level + 1)
        for _ in range(_SWEEPS):
            x += step * (residual - matrix @ x)
        return x


def solve(matrix, b, preconditioner, is_small, max_iter):
    """(x, iterations, residual) of preconditioned conjugate gradients from x = 0, until a residual is small.

    The residual is that of x, not of the recursion, which deviates from it by rounding errors.
    """
    x = np.zeros_like(b)
    iterations = 0
    residual = b
    while iterations < max_iter and not is_small(residual):
        correction, count = _conjugate_gradients(
            matrix, residual, preconditioner, is_small, max_iter - iterations
        )
        x = x + correction
        iterations += count
        previous, residual = residual, b - matrix @ x
        if np.linalg.norm(residual) > 0.5 * np.linalg.norm(previous):  # the precision of the type
            break
    return x, iterations, residual


def _conjugate_gradients(matrix, residual, preconditioner, is_small, max_iter):
    """(x, iterations) until the recursive residual is small."""
    x = np.zeros_like(residual)
    direction = preconditioner(residual)
    product = np.vdot(residual, direction).real
    residual = residual.copy()
    count = 0
    while count < max_iter:
        count += 1
        image = matrix @ direction
        length = product / np.vdot(direction, image).real
        x += length * direction
        residual -= length * image
        if is_small(residual):
            break
        z = preconditioner(residual)
        previous, product = product, np.vdot(residual, z).real
        direction = z + (product / previous) * direction
    return x, count


def _jacobi_step(matrix):
    """The damped inverse of the diagonal."""
    diagonal = matrix.diagonal().real
    bound = (abs(matrix) @ np.ones(len(diagonal)) / diagonal).max()  # of the eigenvalues of D^-1 A
    return 4 / 3 / bound / diagonal


def _aggregates(matrix, strong):
    """(roots, the aggregate of each unknown, -1 for those without strong couplings)."""
    graph = _strong_graph(matrix, strong)
    has_neighbors = np.diff(graph.indptr) > 1
    n = matrix.shape[0]
    priority = np.random.default_rng(0).permutation(n)
    state = np.where(has_neighbors, 1, 0)  # 0 excluded, 1 undecided, 2 root
    while (state == 1).any():
        key = state * n + priority
        largest = _largest_of_neighbors(_largest_of_neighbors(key, graph), graph)
        undecided = state == 1
        state[undecided & (largest == key)] = 2
        state[undecided & (largest >= 2 * n)] = 0
    roots = np.flatnonzero(state == 2)
    aggregates = np.full(n, -1)
    aggregates[roots] = np.arange(len(roots))
    for _ in range(2):
        adjacent = _largest_of_neighbors(aggregates, graph)
        aggregates = np.where(aggregates < 0, adjacent, aggregates)
    return roots, aggregates


def _strong_graph(matrix, strong):
    """The strong couplings and the diagonal, as a matrix in CSR format."""
    from scipy import sparse

    entries = matrix.tocoo()
    diagonal = matrix.diagonal().real
    row, column = entries.coords
    limit = strong * np.sqrt(diagonal[row] * diagonal[column])
    selected = (abs(entries.data) >= limit) | (row == column)
    coords = row[selected], column[selected]
    return sparse.coo_array((np.ones(len(coords[0])), coords), shape=matrix.shape).tocsr()


def _largest_of_neighbors(values, graph):
    """The largest value of each unknown and its neighbors."""
    return np.maximum.reduceat(values[graph.indices], graph.indptr[:-1])


def _interpolation(matrix, step, points, roots, aggregates, transport):
    """The smoothed functions of the aggregates, as columns."""
    from scipy import sparse

    members = np.flatnonzero(aggregates >= 0)
    columns = aggregates[members]
    values = np.ones(len(members))
    if transport is not None:
        values = transport(points[members], points[roots[columns]])
    shape = matrix.shape[0], len(roots)
    tentative = sparse.coo_array((values, (members, columns)), shape=shape).tocsr()
    return (tentative - sparse.diags_array(step) @ (matrix @ tentative)).tocsr()
