"""What a step of the network makes of |U * Psi^j|, which lives on SO(3) where Psi^j is directional.

Each way says how U, coefficients (..., channels, K*K), is convolved; which angles gamma the modulus is
sampled at; and what of it the next step, and the output, take. All are scaled to keep energy: of a mean over
gamma 2 pi |mean|^2 over the sphere <= |U|^2 over SO(3).
"""

import math

import autograd.numpy as anp
import numpy as np

from spherekit.conventions import band_limit_of
from spherekit.harmonic import transform as harmonic
from spherekit.wavelets.filtering import pair
from spherekit.wigner import transform as wigner


class Mean:
    """One channel: a map, the mean over gamma."""

    def __init__(self, first, later, oversample):
        self.first, self.later, self.oversample = first, later, oversample

    def wavelets(self, path):
        """Those of the signal, then of its moduli."""
        return self.later if path else self.first

    def convolve(self, path, U, j):
        """Wigner coefficients of U * Psi^j."""
        return self.wavelets(path).convolve(U, j)

    def convolve_on_sphere(self, path, U, j):
        """Of an axisymmetric wavelet: coefficients of sqrt(2 pi) U * Psi^j, as `collect` scales."""
        return self.wavelets(path).convolve(U, j, on_sphere=True)

    def angles(self, N):
        """How many angles gamma the modulus of orders below N is sampled at; of the parity of N."""
        return N if N == 1 else _odd_or_even(math.ceil(self.oversample * N), N)

    def collect(self, U, grid, keep):
        """Coefficients of degrees below ``keep`` from samples (..., channels, gamma, theta, phi)."""
        mean = anp.sum(U, axis=-3) * (math.sqrt(2 * math.pi) / grid.n_gamma)
        return self._analyse(mean, grid, keep)

    def smooth(self, path, U):
        """U * Phi: (..., channels, L0*L0)."""
        return self.wavelets(path).smooth(U)

    def _analyse(self, maps, grid, keep):
        options = dict(sampling=grid.sphere, reality=True, threads=self.first.threads)
        return harmonic.forward(maps, keep, **options)


class Slices(Mean):
    """A channel for every angle gamma, each a map of its own."""

    def angles(self, N):
        return N

    def collect(self, U, grid, keep):
        maps = anp.reshape(U, (*U.shape[:-4], math.prod(U.shape[-4:-2]), *U.shape[-2:]))
        return self._analyse(maps * math.sqrt(2 * math.pi / grid.n_gamma), grid, keep)


class Full(Mean):
    """Channels are the orders n of a signal on SO(3), even ones alone: |W| has the period pi in gamma."""

    def convolve(self, path, U, j):
        if not path:
            return super().convolve(path, U, j)[..., 0, :, :]
        limit, size = band_limit_of(U, "U"), self.later.grids[j].L
        N_U = (U.shape[-2] + 1) // 2
        N = _odd_below(N_U, size)
        U = U[..., N_U - N : N_U + N - 1, :]
        kappa = self.later.kappa[j][None, : min(size, limit)]
        return pair.forward(U, weights=kappa, L=limit)[..., 0, :]

    def collect(self, U, grid, keep):
        most = _odd_or_even(math.ceil(self.oversample * self.first.N), 1)
        N = _odd_below(min(most, grid.N), keep)
        options = dict(sampling=grid, reality=True, steerable=True, threads=self.first.threads)
        return wigner.forward(U, keep, N, **options)

    def smooth(self, path, U):
        if path:
            limit, n = band_limit_of(U, "U"), U.shape[-2] // 2
            ell = np.arange(limit)
            scale = np.sqrt((2 * ell + 1) / (8 * np.pi**2))[None].astype(complex)
            U = pair.forward(U[..., n : n + 1, :], weights=scale, L=limit)[..., 0, :]
        return super().smooth(path, U)


WAYS = {"mean": Mean, "full": Full, "slices": Slices}


def _odd_or_even(count, N):
    """``count``, or one more: of the parity of N."""
    return count + (count - N) % 2


def _odd_below(N, limit):
    """The odd N, or the largest odd number up to ``limit``."""
    return min(N, limit - (limit + 1) % 2)
