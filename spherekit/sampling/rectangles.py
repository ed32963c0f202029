"""The rectangular grids, theta x phi, each with its sampling theorem or exact quadrature."""

from dataclasses import dataclass, replace

import numpy as np

from spherekit._core import checks
from spherekit._core.fft_lengths import next_fast_length
from spherekit.sampling import quadrature
from spherekit.sampling.base import Grid

__all__ = ["CC", "DH", "DHPole", "GL", "MW", "MWSS"]


class _Rectangle(Grid):
    def __post_init__(self):
        object.__setattr__(self, "L", checks.band_limit(self.L))
        minimum = 2 * self.L - 1
        n_phi = self._default_n_phi() if self.n_phi is None else self.n_phi
        hint = f"L = {self.L} needs n_phi >= 2L-1 = {minimum} samples on a ring"
        n_phi = checks.integer(n_phi, "n_phi", minimum, 4 * checks.MAX_BAND_LIMIT, hint)
        object.__setattr__(self, "n_phi", n_phi)

    def quick(self):
        """The same rings with a number of samples for which FFTs are fast: no prime factor exceeds 5.

        >>> GL(16).quick().shape, MW(64).quick().shape
        ((16, 32), (64, 128))
        """
        return replace(self, n_phi=next_fast_length(self.n_phi))

    def _default_n_phi(self):
        return 2 * self.L - 1

    def ring_arrays(self):
        """Colatitudes, numbers of samples, first longitudes and weights of the rings."""
        theta, weights = self._theta_rule()
        return theta, self.n_phi, 0.0, weights * (2 * np.pi / self.n_phi)


@dataclass(frozen=True)
class MW(_Rectangle):
    """McEwen-Wiaux grid: L rings at theta_t = pi (2t+1)/(2L-1), the last one on the south pole.

    It has the fewest samples of all exact equiangular grids, about 2 L^2.

    Parameters
    ----------
    L : int
        Band-limit up to which the sampling theorem holds: degrees 0..L-1.
    n_phi : int, optional
        Number of samples on each ring, at least 2L-1, its default. A number with small prime factors is up
        to ten times faster than a prime number.

    Raises
    ------
    ValueError
        L < 1, or n_phi < 2L-1.
    TypeError
        L or n_phi that is not an integer.

    References
    ----------
    McEwen and Wiaux 2011, IEEE TSP 59, 5876.

    Examples
    --------
    >>> from spherekit.sampling import MW
    >>> MW(4).shape, MW(4).theta.round(6)
    ((4, 7), array([0.448799, 1.346397, 2.243995, 3.141593]))
    """

    L: int
    n_phi: int | None = None
    name = "mw"

    @property
    def period(self) -> int:
        """Number of points on the full meridian circle, 2L-1."""
        return 2 * self.L - 1

    def _theta_rule(self):
        return quadrature.equispaced(2 * self.L - 1, True)


@dataclass(frozen=True)
class MWSS(_Rectangle):
    """Symmetric McEwen-Wiaux grid: L+1 rings at theta_t = pi t/L, including both poles.

    Parameters
    ----------
    L : int
        Band-limit up to which the sampling theorem holds: degrees 0..L-1.
    n_phi : int, optional
        Number of samples on each ring, at least 2L-1; 2L by default.

    Raises
    ------
    ValueError
        L < 1, or n_phi < 2L-1.
    TypeError
        L or n_phi that is not an integer.

    Examples
    --------
    >>> from spherekit.sampling import MWSS
    >>> MWSS(4).shape, MWSS(4).theta.round(6)
    ((5, 8), array([0.      , 0.785398, 1.570796, 2.356194, 3.141593]))
    """

    L: int
    n_phi: int | None = None
    name = "mwss"

    @property
    def period(self) -> int:
        """Number of points on the full meridian circle, 2L."""
        return 2 * self.L

    def _default_n_phi(self):
        return 2 * self.L

    def _theta_rule(self):
        return quadrature.equispaced(2 * self.L, False)


@dataclass(frozen=True)
class DH(_Rectangle):
    """Driscoll-Healy grid with nodes between the poles: 2L rings at theta_t = pi (2t+1)/(4L).

    ducc0 calls it F1; the "DH" of pyshtools and ducc0 starts on the pole and is `DHPole` here.

    Parameters
    ----------
    L : int
        Band-limit up to which the sampling theorem holds: degrees 0..L-1.
    n_phi : int, optional
        Number of samples on each ring, at least 2L-1, its default.

    Raises
    ------
    ValueError
        L < 1, or n_phi < 2L-1.
    TypeError
        L or n_phi that is not an integer.

    References
    ----------
    Driscoll and Healy 1994, Adv. Appl. Math. 15, 202.

    Examples
    --------
    >>> from spherekit.sampling import DH
    >>> DH(4).shape, DH(2).theta.round(6)
    ((8, 7), array([0.392699, 1.178097, 1.963495, 2.748894]))
    """

    L: int
    n_phi: int | None = None
    name = "dh"

    def _theta_rule(self):
        return quadrature.equispaced(4 * self.L, True)


@dataclass(frozen=True)
class DHPole(_Rectangle):
    """Driscoll-Healy grid with the first ring on the north pole: 2L rings at theta_t = pi t/(2L).

    The "DH" of pyshtools and ducc0.

    Parameters
    ----------
    L : int
        Band-limit up to which the sampling theorem holds: degrees 0..L-1.
    n_phi : int, optional
        Number of samples on each ring, at least 2L-1; 2L by default.

    Raises
    ------
    ValueError
        L < 1, or n_phi < 2L-1.
    TypeError
        L or n_phi that is not an integer.

    References
    ----------
    Driscoll and Healy 1994, Adv. Appl. Math. 15, 202, eq. 9.

    Examples
    --------
    >>> from spherekit.sampling import DHPole
    >>> DHPole(4).shape, DHPole(2).theta.round(6)
    ((8, 8), array([0.      , 0.785398, 1.570796, 2.356194]))
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
    """Gauss-Legendre grid: L rings at the roots of P_L(cos theta).

    Parameters
    ----------
    L : int
        Band-limit up to which the quadrature is exact: degrees 0..L-1.
    n_phi : int, optional
        Number of samples on each ring, at least 2L-1, its default.

    Raises
    ------
    ValueError
        L < 1, or n_phi < 2L-1.
    TypeError
        L or n_phi that is not an integer.

    Examples
    --------
    >>> from spherekit.sampling import GL
    >>> GL(4).shape, GL(3).theta.round(6)
    ((4, 7), array([0.684719, 1.570796, 2.456873]))
    """

    L: int
    n_phi: int | None = None
    name = "gl"

    def _theta_rule(self):
        return quadrature.gauss_legendre(self.L)


@dataclass(frozen=True)
class CC(_Rectangle):
    """Clenshaw-Curtis grid: n_theta rings at theta_t = pi t/(n_theta-1), including both poles.

    Parameters
    ----------
    L : int
        Band-limit up to which the sampling theorem holds: degrees 0..L-1.
    n_theta : int, optional
        Number of rings, at least L+1; by default 2L-1 (2 for L = 1).
    n_phi : int, optional
        Number of samples on each ring, at least 2L-1, its default.

    Raises
    ------
    ValueError
        L < 1, n_theta < L+1, or n_phi < 2L-1.
    TypeError
        L, n_theta or n_phi that is not an integer.

    Examples
    --------
    >>> from spherekit.sampling import CC
    >>> CC(4).shape, CC(4, n_theta=5).theta.round(6)
    ((7, 7), array([0.      , 0.785398, 1.570796, 2.356194, 3.141593]))
    """

    L: int
    n_theta: int | None = None
    n_phi: int | None = None
    name = "cc"

    def __post_init__(self):
        super().__post_init__()
        n_theta = max(2 * self.L - 1, 2) if self.n_theta is None else self.n_theta
        hint = f"L = {self.L} needs n_theta >= L+1"
        minimum = self.L + 1 if self.L > 1 else 2
        n_theta = checks.integer(n_theta, "n_theta", minimum, 4 * checks.MAX_BAND_LIMIT, hint)
        object.__setattr__(self, "n_theta", n_theta)

    @property
    def period(self) -> int | None:
        """Number of points on the full meridian circle, 2(n_theta-1), where n_theta < 2L-1; else None."""
        return 2 * (self.n_theta - 1) if self.n_theta < 2 * self.L - 1 else None

    def _theta_rule(self):
        return quadrature.equispaced(2 * (self.n_theta - 1), False)
