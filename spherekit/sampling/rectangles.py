"""The rectangular grids, theta x phi, each with its sampling theorem or exact quadrature."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.fft import next_fast_len

from spherekit._core import checks
from spherekit.sampling import quadrature
from spherekit.sampling.base import Grid

__all__ = ["CC", "DH", "DHPole", "GL", "MW", "MWSS"]


class _Rectangle(Grid):
    def __post_init__(self):
        object.__setattr__(self, "L", checks.band_limit(self.L))
        least = 2 * self.L - 1
        n_phi = self._default_n_phi() if self.n_phi is None else self.n_phi
        hint = f"L = {self.L} needs n_phi >= 2L-1 = {least} samples on a ring"
        n_phi = checks.integer(n_phi, "n_phi", least, 4 * checks.MAX_BAND_LIMIT, hint)
        object.__setattr__(self, "n_phi", n_phi)

    def quick(self):
        """The same rings with as many samples as a Fourier transform is quick at: no prime factor above 5.

        >>> GL(16).quick().shape, MW(64).quick().shape
        ((16, 32), (64, 128))
        """
        return replace(self, n_phi=next_fast_len(self.n_phi, real=True))

    def _default_n_phi(self):
        return 2 * self.L - 1

    def ring_arrays(self):
        """Colatitudes, numbers of samples, first longitudes and weights of the rings."""
        theta, weights = self._theta_rule()
        return theta, self.n_phi, 0.0, weights * (2 * np.pi / self.n_phi)


@dataclass(frozen=True)
class MW(_Rectangle):
    """McEwen and Wiaux 2011: L rings at theta_t = pi (2t+1)/(2L-1), the last on the south pole.

    The fewest samples of all exact equiangular grids, 2 L^2.

    >>> MW(4).shape
    (4, 7)
    """

    L: int
    n_phi: int | None = None
    name = "mw"

    @property
    def period(self):
        return 2 * self.L - 1

    def _theta_rule(self):
        return quadrature.equispaced(2 * self.L - 1, True)


@dataclass(frozen=True)
class MWSS(_Rectangle):
    """The symmetric variant of MW: L+1 rings at theta_t = pi t/L, both poles among them.

    >>> MWSS(4).shape
    (5, 8)
    """

    L: int
    n_phi: int | None = None
    name = "mwss"

    @property
    def period(self):
        return 2 * self.L

    def _default_n_phi(self):
        return 2 * self.L

    def _theta_rule(self):
        return quadrature.equispaced(2 * self.L, False)


@dataclass(frozen=True)
class DH(_Rectangle):
    """Driscoll and Healy 1994, nodes between the poles: theta_t = pi (2t+1)/(4L), t < 2L.

    >>> DH(4).shape
    (8, 7)
    """

    L: int
    n_phi: int | None = None
    name = "dh"

    def _theta_rule(self):
        return quadrature.equispaced(4 * self.L, True)


@dataclass(frozen=True)
class DHPole(_Rectangle):
    """Driscoll and Healy 1994, first ring on the north pole: theta_t = pi t/(2L), t < 2L.

    >>> DHPole(4).shape
    (8, 8)
    """

    L: int
    n_phi: int | None = None
    name = "dhpole"

    def _default_n_phi(self):
        return 2 * self.L

    def _theta_rule(self):
        return quadrature.fejer2(2 * self.L)


@dataclass(frozen=True)
class GL(_Rectangle):
    """Gauss-Legendre: L rings at the roots of P_L(cos theta).

    >>> GL(4).shape
    (4, 7)
    """

    L: int
    n_phi: int | None = None
    name = "gl"

    def _theta_rule(self):
        return quadrature.gauss_legendre(self.L)


@dataclass(frozen=True)
class CC(_Rectangle):
    """Clenshaw-Curtis: n_theta rings at theta_t = pi t/(n_theta-1), both poles among them.

    ``n_theta`` is 2L-1 unless said (2 for L = 1), at least L+1.

    >>> CC(4).shape
    (7, 7)
    """

    L: int
    n_theta: int | None = None
    n_phi: int | None = None
    name = "cc"

    def __post_init__(self):
        super().__post_init__()
        n_theta = max(2 * self.L - 1, 2) if self.n_theta is None else self.n_theta
        hint = f"L = {self.L} needs n_theta >= L+1"
        least = self.L + 1 if self.L > 1 else 2
        most = 4 * checks.MAX_BAND_LIMIT
        n_theta = checks.integer(n_theta, "n_theta", least, most, hint)
        object.__setattr__(self, "n_theta", n_theta)

    @property
    def period(self):
        return 2 * (self.n_theta - 1) if self.n_theta < 2 * self.L - 1 else None

    def _theta_rule(self):
        return quadrature.equispaced(2 * (self.n_theta - 1), False)
