"""Treatments of the angle gamma in |U * Psi^j|, which is a signal on SO(3) if Psi^j is directional.

A treatment defines how U, coefficients (..., channels, K*K), is convolved; at which angles gamma the
modulus is sampled; and which signals the next layer and the output receive. All are scaled to conserve
energy: the energy 2 pi |mean|^2 over the sphere of a mean over gamma is at most that of |U|^2 over SO(3).
"""

import math

import autograd.numpy as anp
import numpy as np

from spherekit.conventions import band_limit_of
from spherekit.harmonic import transform as harmonic
from spherekit.wavelets.filtering import filter_coefficients
from spherekit.wigner import transform as wigner


class Mean:
    """One channel on the sphere: the mean over gamma."""

    def __init__(self, first, later, oversample):
        self.first = first
        self.later = later
        self.oversample = oversample

    def wavelets(self, path):
        """The wavelets of the first layer (empty path), or of later layers."""
        return self.later if path else self.first

    def convolve(self, path, U, j):
        """Wigner coefficients of U * Psi^j."""
        return self.wavelets(path).convolve(U, j)

    def convolve_on_sphere(self, path, U, j):
        """Coefficients of sqrt(2 pi) U * Psi^j for an axisymmetric wavelet, in the scaling of `collect`."""
        return self.wavelets(path).convolve(U, j, on_sphere=True)

    def angles(self, N):
        """Number of angles gamma, of the parity of N, at which the modulus of orders |n| < N is sampled."""
        return N if N == 1 else _with_parity(math.ceil(self.oversample * N), N)

    def collect(self, U, grid, limit):
        """Coefficients of degrees below ``limit`` from samples (..., channels, gamma, theta, phi)."""
        mean = anp.sum(U, axis=-3) * (math.sqrt(2 * math.pi) / grid.n_gamma)
        return self._analyse(mean, grid, limit)

    def smooth(self, path, U):
        """Coefficients of U * Phi, (..., channels, L0*L0)."""
        return self.wavelets(path).smooth(U)

    def _analyse(self, maps, grid, limit):
        options = dict(sampling=grid.sphere, reality=True, threads=self.first.threads)
        return harmonic.forward(maps, limit, **options)


class Slices(Mean):
    """A channel on the sphere for each angle gamma."""

    def angles(self, N):
        return N

    def collect(self, U, grid, limit):
        maps = anp.reshape(U, (*U.shape[:-4], math.prod(U.shape[-4:-2]), *U.shape[-2:]))
        return self._analyse(maps * math.sqrt(2 * math.pi / grid.n_gamma), grid, limit)


class Full(Mean):
    """Channels are the even orders n of a signal on SO(3), since |W| has period pi in gamma."""

    def convolve(self, path, U, j):
        if not path:
            return super().convolve(path, U, j)[..., 0, :, :]
        limit = band_limit_of(U, "U")
        size = self.later.grids[j].L
        N_U = (U.shape[-2] + 1) // 2
        N = _odd_below(N_U, size)
        U = U[..., N_U - N : N_U + N - 1, :]
        kappa = self.later.kappa[j][None, : min(size, limit)]
        return filter_coefficients.forward(U, weights=kappa, L=limit)[..., 0, :]

    def collect(self, U, grid, limit):
        largest = _with_parity(math.ceil(self.oversample * self.first.N), 1)
        N = _odd_below(min(largest, grid.N), limit)
        options = dict(sampling=grid, reality=True, steerable=True, threads=self.first.threads)
        return wigner.forward(U, limit, N, **options)

    def smooth(self, path, U):
        if path:
            limit = band_limit_of(U, "U")
            n = U.shape[-2] // 2
            ell = np.arange(limit)
            scale = np.sqrt((2 * ell + 1) / (8 * np.pi**2))[None].astype(complex)
            U = filter_coefficients.forward(U[..., n : n + 1, :], weights=scale, L=limit)[..., 0, :]
        return super().smooth(path, U)


TREATMENTS = {"mean": Mean, "full": Full, "slices": Slices}


def _with_parity(count, N):
    """``count`` or ``count + 1``, whichever has the parity of N."""
    return count + (count - N) % 2


def _odd_below(N, limit):
    """The smaller of the odd number N and the largest odd number <= ``limit``."""
    return min(N, limit - (limit + 1) % 2)
