"""Solution of the system of the Wiener filter: a direct one, and nested conjugate gradients.

The condition number of the system is the signal-to-noise ratio of the lowest degrees, 1e6 and more. The
preconditioner of Smith, Zahn and Dore (2007, Phys. Rev. D 76, 043510, section V) treats high degrees as if
the noise were the same everywhere, and solves the system of the lower half of the degrees, on a coarser grid,
by a few steps of the same method; the lowest degrees are solved directly. It changes from step to step, so
that each direction is made conjugate to several of the previous ones.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from spherekit.conventions import from_real, to_real
from spherekit.sampling import HEALPix
from spherekit.spectra.signal_and_noise import DegreeMatrix

#: Largest number of unknowns of a system that is solved directly.
DENSE = 1100
#: Steps of conjugate gradients on a coarser level.
INNER_STEPS = 3
#: Number of previous directions to which a new one is made conjugate.
_DIRECTIONS = 3
#: Band-limit of coarser levels up to which their transforms are faster on one thread.
_SERIAL = 128
#: nside of the grid of a coarser level, in multiples of its band-limit.
_NSIDE_PER_DEGREE = 0.5


class Solution(NamedTuple):
    """``y``; ``relative``, the norm of the residual; ``iterations``; ``converged``."""

    y: np.ndarray
    relative: float
    iterations: int
    converged: bool


def dot(u, v):
    """Re<u, v>, a float.

    >>> dot(np.array([1j, 2.0]), np.array([1j, 1.0]))
    3.0
    """
    return float(np.vdot(u, v).real)


class Dense:
    """The direct solution of a system of few unknowns."""

    def __init__(self, system):
        n = system.shape[0] * system.L**2
        matrix = np.empty((n, n))
        for i in range(n):
            unit = np.zeros(n)
            unit[i] = 1
            y = from_real(unit.reshape(system.shape))
            matrix[i] = to_real(system.matvec(y)).ravel()
        self.inverse = np.linalg.inv((matrix + matrix.T) / 2)
        self.shape = system.shape

    def solve(self, b):
        """The solution of a right-hand side."""
        return from_real((self.inverse @ to_real(b).ravel()).reshape(self.shape))


class Nested:
    """Conjugate gradients, preconditioned by those of the lower degrees."""

    def __init__(self, system, dense=DENSE):
        self.system = system
        inverse = np.linalg.inv(system.degree_blocks())
        self.inverse_blocks = DegreeMatrix(np.moveaxis(inverse, 0, -1))
        has_coarser = (system.L + 1) // 2 > max(1, *system.spins)
        self.coarser = solver_of(_coarser(system), dense) if has_coarser else None

    def precondition(self, r):
        """An approximate solution of a right-hand side."""
        z = self.inverse_blocks @ r
        if self.coarser is not None:
            count = self.coarser.shape[1]
            z[:, :count] = self.coarser.solve(np.ascontiguousarray(r[:, :count]))
        return z

    @property
    def shape(self):
        """Shape of the vectors."""
        return self.system.shape

    def solve(self, b):
        """An approximate solution, after a few steps."""
        return self._steps(b, 0.0, INNER_STEPS, lambda iteration: None, 0)[0]

    def iterate(self, b, tol, max_iter, progress=lambda iteration: None):
        """Solve until the norm of the residual, in units of its noise, is ``tol`` times that of b.

        The residual of the recursion differs from that of y by rounding: it is computed from y where it is
        below ``tol``, and the iterations continue from there if it is not.
        """
        y = np.zeros_like(b)
        r = b
        norm = previous = self.norm(b)
        iteration = 0
        if norm == 0:
            return Solution(y, 0.0, 0, True)
        while True:
            step, count = self._steps(r, tol * norm, max_iter - iteration, progress, iteration)
            y += step
            iteration += count
            r = b - self.system.matvec(y)
            current = self.norm(r)
            is_converged = current <= tol * norm
            if is_converged or iteration >= max_iter or current > 0.5 * previous:
                return Solution(y, current / norm, iteration, is_converged)
            previous = current

    def _steps(self, b, target, max_iter, progress, offset):
        """(an approximate solution, the number of steps) of conjugate gradients from 0."""
        y = np.zeros_like(b)
        r = b.copy()
        buffer = np.empty_like(b)
        directions = []
        for iteration in range(1, max_iter + 1):
            progress(offset + iteration)
            z = self.precondition(r)
            for direction, image, energy in directions:
                z -= np.multiply(direction, dot(z, image) / energy, out=buffer)
            image = self.system.matvec(z)
            energy = dot(z, image)
            if not energy > 0:  # the residual is 0
                break
            step = dot(z, r) / energy
            y += np.multiply(z, step, out=buffer)
            r -= np.multiply(image, step, out=buffer)
            if target and self.norm(r) <= target:
                break
            directions = [*directions[1 - _DIRECTIONS :], (z, image, energy)]
        return y, iteration

    def norm(self, r):
        """The norm of a residual: of each coefficient relative to its standard deviation under noise."""
        return dot(r, (self.inverse_blocks @ r)) ** 0.5


def solver_of(system, dense=DENSE):
    """A direct solver for up to ``dense`` unknowns, else nested conjugate gradients."""
    return Dense(system) if system.shape[0] * system.L**2 <= dense else Nested(system, dense)


def _coarser(system):
    """The system of the lower half of the degrees, on a coarser grid.

    The inverse variances of all samples in a pixel are added.
    """
    L = (system.L + 1) // 2
    threads = 1 if L <= _SERIAL else system.threads
    changes = dict(
        L=L, threads=threads, factors=system.factors[..., :L], response=system.response[:, :L]
    )
    nside = 2 ** max(1, int(np.ceil(np.log2(L * _NSIDE_PER_DEGREE))))
    if 12 * nside**2 < np.prod(system.grid.shape):
        grid = HEALPix(nside)
        pixels = grid.pixel_of(*_angles(system.grid)).ravel()
        size = grid.shape[0]
        inverse_noise = [
            np.stack(
                [
                    np.bincount(pixels, x.ravel(), size)
                    for x in np.atleast_2d(w.reshape(-1, len(pixels)))
                ]
            )
            for w in system.inverse_noise
        ]
        inverse_noise = [
            w if spin else w[0] for spin, w in zip(system.spins, inverse_noise, strict=True)
        ]
        changes |= dict(grid=grid, inverse_noise=inverse_noise)
    return replace(system, **changes)


def _angles(grid):
    """Colatitudes and longitudes of all samples."""
    if grid.rectangular:
        return np.broadcast_arrays(grid.theta[:, None], grid.phi[None])
    return grid.theta, grid.phi
