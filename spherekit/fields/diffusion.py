"""Missing samples as the solution of Laplace's equation, with the observed samples as its boundary.

Each missing sample is the weighted mean of its neighbors (`spherekit.fields.sample_graphs`). Values of spin
fields are means after parallel transport along great circles, so that the result does not depend on the
coordinates: the components at a pole are not those beside it.
"""

import math
from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit.fields.gaps import gap_radius
from spherekit.fields.multigrid import Multigrid, solve
from spherekit.fields.sample_graphs import POLE, edges_of, nodes_of, positions_of

#: Bytes of work memory for each missing sample, about.
_MEMORY = 800


class Diffusion(NamedTuple):
    """What `fill` has solved with ``method="diffusion"``; of several maps the largest numbers of any.

    Attributes
    ----------
    missing : int
        Number of missing samples, of several maps their sum.
    radius : float
        Radius of the largest disc without observed samples around a missing one, radians.
    error : float
        Bound on the error of the solution of Laplace's equation, divided by half the range of the observed
        samples beside gaps (of complex maps by their largest magnitude, about). It is not the error of the
        samples.
    iterations : int
        Number of iterations.
    uncertainty : None
        No uncertainty of the filled samples is estimated: they are smooth, without the variance of the field.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import fields
    >>> f = np.where(np.arange(192) == 7, np.nan, 1.0)
    >>> _, solution = fields.fill(f, sampling="healpix:4", method="diffusion", return_fit=True)
    >>> solution.missing, f"{np.degrees(solution.radius):.0f} degrees", solution.uncertainty
    (1, '13 degrees', None)
    """

    missing: int
    radius: float
    error: float
    iterations: int
    uncertainty: None = None


def diffuse(f, missing, grid, *, spin, options, name):
    """(filled samples, Diffusion) of maps [shape=(..., *grid.shape)] with missing samples.

    ``options`` has tol, max_iter and allow_unconverged.
    """
    filled = np.array(f, order="C")
    maps = filled.reshape(-1, math.prod(grid.shape))
    gaps = missing.reshape(maps.shape)
    systems = {}
    errors = [0.0]
    iterations = [0]
    for samples, gap in zip(maps, gaps, strict=True):
        if not gap.any():
            continue
        key = gap.tobytes()
        if key not in systems:
            systems[key] = _System(gap, grid, spin, name)
        solution, error, count = systems[key].solve(samples, options.tol, options.max_iter)
        samples[gap] = solution
        errors.append(error)
        iterations.append(count)
    radius = max((system.radius for system in systems.values()), default=0.0)
    solution = Diffusion(int(np.count_nonzero(missing)), radius, max(errors), max(iterations))
    if solution.error > options.tol and not options.allow_unconverged:
        raise ValueError(
            f"the diffusion into the gaps of {name} has an error of up to {solution.error:.2e} after "
            f"{solution.iterations} iterations, above tol={options.tol:g}; pass a larger tol or max_iter, or "
            "accept the result with allow_unconverged=True"
        )
    return filled, solution


def united(solutions):
    """The `Diffusion` of several fields."""
    return Diffusion(
        sum(solution.missing for solution in solutions),
        *(max(values) for values in zip(*(solution[1:4] for solution in solutions), strict=True)),
    )


def description(solution):
    """What a note of a map says."""
    if not solution.missing:
        return "no missing samples"
    return (
        f"{solution.missing} missing samples filled by diffusion, in gaps up to a radius of "
        f"{np.degrees(solution.radius):.3g} degrees; their uncertainty is not estimated"
    )


class _System:
    """Laplace's equation at the missing samples of a map.

    The unknowns are the nodes of which no sample is observed. The samples of a node have its value times
    their phase; there is more than one at a pole only.
    """

    def __init__(self, gap, grid, spin, name):
        if gap.all():
            raise ValueError(
                f"all samples of a map of {name} are missing; nothing to fill them from"
            )
        checks.fits_memory(_MEMORY * np.count_nonzero(gap), "the diffusion", "fill smaller gaps")
        self.name = name
        self.gap = gap
        self.radius = gap_radius(gap.reshape(grid.shape), grid)
        self.nodes = nodes_of(grid)
        self.counts = np.bincount(self.nodes, weights=~gap, minlength=len(gap))
        self.phases = _transport(np.arange(len(gap)), self.nodes, grid, spin) if spin else 1.0
        self.spin = spin
        is_unknown = self.counts[self.nodes] == 0
        self.unknown = np.unique(self.nodes[is_unknown])
        self._assemble(edges_of(np.flatnonzero(is_unknown), grid), grid)
        is_beside = np.zeros(len(gap), bool)
        is_beside[self.boundary] = True
        is_beside[self.nodes[gap]] = True
        self.beside_gaps = is_beside[self.nodes] & ~gap
        self.preconditioner = Multigrid(self.matrix, self._transport_of(grid))
        self.exit_time = self._exit_time()

    def _transport_of(self, grid):
        """Parallel transport among the unknowns, or None for scalars."""
        if not self.spin:
            return None
        return lambda i, j: _transport(self.unknown[i], self.unknown[j], grid, self.spin)

    def _assemble(self, edges, grid):
        """Set the matrix of the unknowns, and that of the observed nodes beside them."""
        from scipy import sparse

        n = len(self.unknown)
        numbers = np.full(len(self.gap), -1)
        numbers[self.unknown] = np.arange(n)
        row = numbers[self.nodes[edges.first]]
        second = self.nodes[edges.second]
        column = numbers[second]
        weights = edges.weights
        if self.spin:
            phases = _transport(edges.first, edges.second, grid, self.spin)
            weights = weights * phases * self.phases[edges.second] / self.phases[edges.first]
        inner = (column >= 0) & (column != row)
        outer = column < 0
        self.diagonal = np.bincount(row, weights=edges.weights * (column != row), minlength=n)
        entries = weights[inner], (row[inner], column[inner])
        self.coupling = sparse.coo_array(entries, shape=(n, n)).tocsr()
        self.matrix = (sparse.diags_array(self.diagonal) - self.coupling).tocsr()
        self.boundary, column = np.unique(second[outer], return_inverse=True)
        entries = weights[outer], (row[outer], column)
        self.of_boundary = sparse.coo_array(entries, shape=(n, len(self.boundary))).tocsr()

    def _exit_time(self):
        """A bound t on the errors x of solutions: |x| <= t max |r_i| / diagonal_i for the residual r.

        It is the largest mean number of steps of a random walk from a missing sample to an observed one, the
        solution of the real system with the diagonal as right-hand side. It also bounds the inverse of a
        Hermitian matrix with entries of the same moduli (Ostrowski 1937, Comment. Math. Helv. 10, 69).
        """
        from scipy import sparse

        if not len(self.unknown):
            return 0.0
        matrix, preconditioner = self.matrix, self.preconditioner
        if self.spin:
            matrix = (sparse.diags_array(self.diagonal) - abs(self.coupling)).tocsr()
            preconditioner = Multigrid(matrix)
        ones = self.diagonal.copy()
        steps, _, residual = solve(matrix, ones, preconditioner, self._is_below(0.1), 1000)
        share = abs(residual / self.diagonal).max()
        return float(steps.max() / (1 - share)) if share < 1 else np.inf

    def _is_below(self, limit):
        return lambda residual: abs(residual / self.diagonal).max() <= limit

    def solve(self, samples, tol, max_iter):
        """(missing samples, bound on their error, iterations)."""
        offset = 0.0 if self.spin else _midrange(samples[self.beside_gaps])
        values = self._of_nodes(samples, offset)
        boundary = values[self.boundary]
        size = abs(boundary).max(initial=0.0)
        iterations = 0
        error = 0.0
        x = np.zeros(len(self.unknown), boundary.dtype)
        if size > 0:
            b = self.of_boundary @ (boundary / size)
            is_small = self._is_below(tol / self.exit_time)
            x, iterations, residual = solve(self.matrix, b, self.preconditioner, is_small, max_iter)
            error = self.exit_time * abs(residual / self.diagonal).max()
        if size > 0 and not np.iscomplexobj(x):  # rounding errors
            x = x.clip(boundary.min() / size, boundary.max() / size)
        values[self.unknown] = size * x
        filled = offset + values[self.nodes] * self.phases
        return filled[self.gap], float(error), iterations

    def _of_nodes(self, samples, offset):
        """The values of the nodes minus an offset: the mean of the observed samples of each."""
        f = np.where(self.gap, 0, samples - offset) * np.conj(self.phases)
        n = len(f)
        total = np.bincount(self.nodes, weights=f.real, minlength=n)
        if np.iscomplexobj(f):
            total = total + 1j * np.bincount(self.nodes, weights=f.imag, minlength=n)
        return total / np.maximum(self.counts, 1)


def _midrange(values):
    """The middle of the range of values, of real and imaginary parts."""
    if np.iscomplexobj(values):
        return _midrange(values.real) + 1j * _midrange(values.imag)
    return values.min() / 2 + values.max() / 2 if values.size else 0.0


def _transport(i, j, grid, spin):
    """The factors by which values at samples j become values at samples i, along great circles.

    A direction at the angle a to the meridian at j is at the angle a + d at i, and values of spin s are
    multiplied by exp(i s d).
    """
    theta, phi = positions_of(i, grid)
    theta2, phi2 = positions_of(j, grid)
    turn = _bearing(theta, phi, theta2, phi2) - _bearing(theta2, phi2, theta, phi) - np.pi
    at_pole = phi2 - phi  # of samples of one pole: the angles of a fixed direction
    turn = np.where(theta == theta2, np.where(i == j, 0, turn), turn)
    is_same = (theta == theta2) & (np.sin(theta) < POLE)
    turn = np.where(is_same, np.where(theta < 1, at_pole, -at_pole), turn)
    return np.exp(1j * spin * turn)


def _bearing(theta, phi, theta2, phi2):
    """The angle from the meridian, southwards, to the great circle to a second point, towards the east."""
    south = np.sin(theta2) * np.cos(theta) * np.cos(phi2 - phi) - np.cos(theta2) * np.sin(theta)
    return np.arctan2(np.sin(theta2) * np.sin(phi2 - phi), south)
