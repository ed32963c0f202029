"""Where signals on the rotation group are sampled: a grid of the sphere, turned by angles gamma."""

from dataclasses import dataclass

import numpy as np

from spherekit._core import checks
from spherekit.sampling.base import Grid
from spherekit.sampling.grids import grid as as_grid
from spherekit.sampling.quadrature import read_only

__all__ = ["RotationGrid"]


@dataclass(frozen=True)
class RotationGrid:
    """Samples of a signal on SO(3), Euler angles zyz: (n_gamma, n_beta, n_alpha).

    (beta, alpha) = (theta, phi) of a grid of the sphere; gamma_g = 2 pi g/(2N-1), g < 2N-1. A *steerable*
    signal holds only the orders n of one parity, that of N-1; then f(gamma + pi) = (-1)^(N-1) f(gamma) and N
    angles gamma_g = pi g/N are enough. On MW grids no theorem needs fewer samples: (2N-1)((L-1)(2L-1)+1),
    about 4 L^3 for N = L (McEwen, Buettner, Leistedt, Peiris and Wiaux 2015, IEEE SPL 22, 2425).

    Parameters
    ----------
    L, N : int
        Band-limits: degrees l < L, orders |n| < N <= L.
    sphere : str or grid
        A name of `spherekit.sampling.grid`, or a grid, which may be finer than L.
    steerable : bool

    >>> grid = RotationGrid(4, 2, "mw")
    >>> grid.shape, grid.n_samples
    ((3, 4, 7), 66)
    >>> bool(np.isclose((grid.weights * np.ones(grid.shape)).sum(), 8 * np.pi**2))
    True
    """

    L: int
    N: int
    sphere: Grid | str = "mw"
    steerable: bool = False

    def __post_init__(self):
        object.__setattr__(self, "L", checks.band_limit(self.L))
        object.__setattr__(self, "N", checks.azimuthal_limit(self.N, self.L))
        object.__setattr__(self, "sphere", as_grid(self.sphere, self.L))
        object.__setattr__(self, "steerable", bool(self.steerable))
        finest = self.sphere.L
        if finest is not None and finest < self.L:
            raise ValueError(
                f"{self.sphere!r} samples band-limit {finest}; L={self.L} needs a grid at least as fine"
            )

    @property
    def n_gamma(self):
        """Number of angles gamma."""
        return self.N if self.steerable else 2 * self.N - 1

    @property
    def orders(self):
        """The orders n that the samples tell apart, ascending."""
        return np.arange(1 - self.N, self.N, 2 if self.steerable else 1)

    @property
    def gamma(self):
        """Angles gamma, radians."""
        circle = np.pi if self.steerable else 2 * np.pi
        return read_only(circle * np.arange(self.n_gamma) / self.n_gamma)

    @property
    def beta(self):
        """Angles beta: the colatitudes of the sphere's grid."""
        return self.sphere.theta

    @property
    def alpha(self):
        """Angles alpha: the longitudes of the sphere's grid."""
        return self.sphere.phi

    @property
    def shape(self):
        """Shape of the samples."""
        return (self.n_gamma, *self.sphere.shape)

    @property
    def weights(self):
        """Quadrature weights that broadcast against the samples; they sum to 8 pi^2.

        They integrate signals of these band-limits exactly where the sphere's grid has a theorem. (Of a
        steerable signal of even N, which has no order n = 0, the integral is zero.)
        """
        return self.sphere.weights * (2 * np.pi / self.n_gamma)

    @property
    def n_samples(self):
        """Number of samples that differ: a ring on a pole is counted once for every gamma."""
        rings = self.sphere.ring_theta
        poles = (rings == 0) | (rings == np.pi)
        return self.n_gamma * int(np.where(poles, 1, self.sphere.ring_n_phi).sum())
