"""Grids of the rotation group: a grid of the sphere for each angle gamma."""

from dataclasses import dataclass

import numpy as np

from spherekit._core import checks
from spherekit.sampling.base import Grid
from spherekit.sampling.grids import grid as as_grid
from spherekit.sampling.quadrature import read_only

__all__ = ["RotationGrid"]


@dataclass(frozen=True)
class RotationGrid:
    """Grid of the rotation group SO(3), in Euler angles zyz: samples (n_gamma, n_beta, n_alpha).

    (beta, alpha) = (theta, phi) of a grid of the sphere, and gamma_g = 2 pi g/(2N-1) for g < 2N-1. A
    *steerable* signal has only orders n of the parity of N-1; then f(gamma + pi) = (-1)^(N-1) f(gamma), and N
    angles gamma_g = pi g/N are enough. With an MW grid no theorem requires fewer samples:
    (2N-1)((L-1)(2L-1)+1), about 4 L^3 for N = L.

    Parameters
    ----------
    L : int
        Band-limit: degrees 0..L-1.
    N : int
        Azimuthal band-limit: orders ``|n| < N``, 1 <= N <= L.
    sphere : str or Grid
        Grid of (beta, alpha), which may be finer than L, or its name (see `spherekit.sampling.grid`).
    steerable : bool
        Whether only orders n of the parity of N-1 occur.

    Raises
    ------
    ValueError
        L < 1, N not in 1..L, an unknown name of a grid, a grid coarser than L, or one of phi0 > 0.
    TypeError
        L or N that is not an integer; a ``sphere`` that is neither a grid nor a name.

    References
    ----------
    McEwen, Buettner, Leistedt, Peiris and Wiaux 2015, IEEE SPL 22, 2425.

    Examples
    --------
    The weights integrate the constant 1 to the volume 8 pi^2 of the group:

    >>> import numpy as np
    >>> from spherekit.sampling import RotationGrid
    >>> grid = RotationGrid(4, 2, "mw")
    >>> grid.shape, grid.n_samples
    ((3, 4, 7), 66)
    >>> total = np.sum(grid.weights * np.ones(grid.shape))
    >>> round(float(total / (8 * np.pi**2)), 12)
    1.0
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
        if self.sphere.rectangular and self.sphere.phi0:
            raise ValueError(
                f"sphere is {self.sphere!r}; expected a grid whose first angle alpha is 0: pass a grid with "
                "phi0=0, and rotate its signal by phi0 about the z axis"
            )
        finest = self.sphere.L
        if finest is not None and finest < self.L:
            raise ValueError(
                f"sphere is {self.sphere!r}, of band-limit {finest}; L={self.L} needs a grid at least as fine"
            )

    @property
    def n_gamma(self) -> int:
        """Number of angles gamma."""
        return self.N if self.steerable else 2 * self.N - 1

    @property
    def orders(self) -> np.ndarray:
        """The orders n that the samples determine, ascending [shape=(n_gamma,)]."""
        return np.arange(1 - self.N, self.N, 2 if self.steerable else 1)

    @property
    def gamma(self) -> np.ndarray:
        """Angles gamma, radians [shape=(n_gamma,)]."""
        circle = np.pi if self.steerable else 2 * np.pi
        return read_only(circle * np.arange(self.n_gamma) / self.n_gamma)

    @property
    def beta(self) -> np.ndarray:
        """Angles beta, radians: the colatitudes of the grid of the sphere."""
        return self.sphere.theta

    @property
    def alpha(self) -> np.ndarray:
        """Angles alpha, radians: the longitudes of the grid of the sphere."""
        return self.sphere.phi

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the samples."""
        return (self.n_gamma, *self.sphere.shape)

    @property
    def weights(self) -> np.ndarray:
        """Quadrature weights, of a shape that broadcasts against the samples, of sum 8 pi^2.

        They integrate signals of these band-limits exactly if the grid of the sphere has a sampling theorem.
        (The integral of a steerable signal of even N, which has no order n = 0, is zero.)
        """
        return self.sphere.weights * (2 * np.pi / self.n_gamma)

    @property
    def n_samples(self) -> int:
        """Number of distinct positions: a ring on a pole counts once for each gamma."""
        rings = self.sphere.ring_theta
        poles = (rings == 0) | (rings == np.pi)
        return self.n_gamma * int(np.where(poles, 1, self.sphere.ring_n_phi).sum())
