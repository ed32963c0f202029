"""The linear system of the Wiener filter of maps on part of the sphere.

Samples d = A x + n of a Gaussian signal x with covariance S = G G^T and independent noise of covariance N,
infinite where a sample is missing. With x = G y, where y has unit variance, the Wiener filter solves

    (1 + G^T A^T N^-1 A G) y = G^T A^T N^-1 d,

whose matrix has no eigenvalue below 1, also where S is singular (spectra that are 0). The unknowns are
Hermitian coefficients of real signals T, E, B, ..., vectors [shape=(n, L*L)] with the product Re<u, v>.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spherekit.conventions import eb_to_spin, spin_to_eb
from spherekit.harmonic.transform import synthesis_map
from spherekit.sampling import Grid


def by_order(values):
    """The value of a degree for each of its orders: (..., L) -> (..., L*L).

    >>> by_order(np.array([5.0, 7.0]))
    array([5., 7., 7., 7.])
    """
    return np.repeat(values, 2 * np.arange(values.shape[-1]) + 1, axis=-1)


class DegreeMatrix:
    """A matrix (n, n, L) for each degree, which multiplies coefficients (n, L*L)."""

    def __init__(self, factors):
        self.shape = factors.shape[:2]
        rows, columns = np.nonzero(factors.any(axis=-1))
        self._entries = [
            (i, j, by_order(factors[i, j])) for i, j in zip(rows, columns, strict=True)
        ]

    def __matmul__(self, y):
        if self.shape == (1, 1):
            return self._entries[0][2] * y if self._entries else np.zeros_like(y)
        x = np.zeros_like(y)
        for i, j, factor in self._entries:
            x[i] += factor * y[j]
        return x


@dataclass(frozen=True)
class SignalAndNoise:
    """The system of fields on a grid.

    Attributes
    ----------
    grid : Grid
    L : int
    spins : tuple of int
        The spin of each field: (0,) for T; (2,) for Q + iU, whose signals are E and B; (0, 2) for all.
    factors : float64 ndarray [shape=(n, n, L)]
        G of each degree, lower triangular.
    response : float64 ndarray [shape=(n, L)]
        b_l of each signal.
    inverse_noise : list of float64 ndarray [shape=grid.shape, or (2, \\*grid.shape) for a spin field]
        Inverse variances of the samples, of the real and imaginary parts of spin fields.
    threads : int
    """

    grid: Grid
    L: int
    spins: tuple[int, ...]
    factors: np.ndarray
    response: np.ndarray
    inverse_noise: list[np.ndarray]
    threads: int

    @property
    def shape(self):
        """Shape of the vectors."""
        return len(self.factors), self.L**2

    @property
    def _observed_factors(self):
        """The factors times the response: the matrices (n, n, L) from y to signals seen by the instrument."""
        return self.response[:, None] * self.factors

    @cached_property
    def signal(self):
        """The matrix G from y to signals."""
        return DegreeMatrix(self.factors)

    @cached_property
    def _from_y(self):
        return DegreeMatrix(self._observed_factors)

    @cached_property
    def _to_y(self):
        return DegreeMatrix(np.swapaxes(self._observed_factors, 0, 1))

    def _options(self, spin):
        return dict(L=self.L, spin=spin, grid=self.grid, reality=spin == 0, threads=self.threads)

    def samples(self, x):
        """The fields A x of signals that the instrument has seen, one array of samples for each field."""
        fields = []
        first = 0
        for spin in self.spins:
            flm = x[first] if spin == 0 else eb_to_spin(x[first], x[first + 1], spin=spin)
            fields.append(synthesis_map.forward(flm, **self._options(spin)))
            first += 1 + (spin > 0)
        return fields

    def sums(self, fields):
        """The transpose of `samples`."""
        x = np.empty(self.shape, complex)
        first = 0
        for spin, f in zip(self.spins, fields, strict=True):
            flm = synthesis_map.adjoint(f, **self._options(spin))
            x[first : first + 1 + (spin > 0)] = flm if spin == 0 else spin_to_eb(flm, spin=spin)
            first += 1 + (spin > 0)
        return x

    def weighted(self, fields):
        """The samples N^-1 d of each field."""
        weighted = []
        for spin, f, w in zip(self.spins, fields, self.inverse_noise, strict=True):
            product = np.empty_like(f)
            if spin == 0:
                np.multiply(f, w, out=product)
            else:
                np.multiply(f.real, w[0], out=product.real)
                np.multiply(f.imag, w[1], out=product.imag)
            weighted.append(product)
        return weighted

    def right_hand_side(self, fields):
        """G^T A^T N^-1 d of samples."""
        return self._to_y @ self.sums(self.weighted(fields))

    def matvec(self, y):
        """The matrix of the system times y."""
        product = self.right_hand_side(self.samples(self._from_y @ y))
        product += y
        return product

    def mean_inverse_noise(self):
        """The inverse variance of a coefficient of each signal, its mean over the orders [shape=(n,)]."""
        means = []
        for spin, w in zip(self.spins, self.inverse_noise, strict=True):
            means += [w.sum() / (4 * np.pi) * (0.5 if spin else 1)] * (1 + (spin > 0))
        return np.array(means)

    def degree_blocks(self):
        """The matrices (L, n, n) of the degrees, averaged over the orders."""
        G = np.moveaxis(self._observed_factors, -1, 0)
        blocks = np.swapaxes(G, 1, 2) @ (self.mean_inverse_noise()[:, None] * G)
        return np.eye(len(self.factors)) + blocks
