"""The rectangular grids, theta x phi, each with its sampling theorem or exact quadrature."""

import math
from dataclasses import dataclass, field, fields, replace

import numpy as np

from spherekit._core import checks
from spherekit._core.fft_lengths import next_fast_length
from spherekit.sampling import quadrature, text
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
        object.__setattr__(self, "phi0", _first_longitude(self.phi0, n_phi))

    def __repr__(self):
        names = [item.name for item in fields(self) if item.name not in self._hidden_options()]
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({values})"

    def __str__(self):
        options = [f",{name}={getattr(self, name)}" for name in self._counts_to_state()]
        options += [f",phi0={text.first_longitude(self.phi0, self.n_phi)}"] if self.phi0 else []
        return f"{self.name}:{self.L}{''.join(options)}"

    def _hidden_options(self):
        """Options that the representation does not show, because they have their default."""
        return () if self.phi0 else ("phi0",)

    def _counts_to_state(self):
        """The numbers of rings and columns that L does not determine."""
        return () if self.n_phi == self._default_n_phi() else ("n_phi",)

    def quick(self):
        """The same rings with a number of samples for which FFTs are fast: no prime factor exceeds 5.

        If the number changes, the first longitude becomes 0.

        >>> GL(16).quick().shape, MW(64).quick().shape
        ((16, 32), (64, 128))
        """
        n_phi = next_fast_length(self.n_phi)
        return replace(self, n_phi=n_phi, phi0=self.phi0 if n_phi == self.n_phi else 0.0)

    def with_phi0(self, phi0):
        """The same grid with another first longitude.

        >>> GL(16).with_phi0(0.1)
        GL(L=16, n_phi=31, phi0=0.1)
        """
        return replace(self, phi0=phi0)

    def _default_n_phi(self):
        return 2 * self.L - 1

    def ring_arrays(self):
        """Colatitudes, numbers of samples, first longitudes and weights of the rings."""
        theta, weights = self._theta_rule()
        return theta, self.n_phi, self.phi0, weights * (2 * np.pi / self.n_phi)


def _first_longitude(phi0, n_phi):
    """The longitude of the first column as a float in [0, 2 pi/n_phi)."""
    if type(phi0) is float and phi0 == 0:
        return 0.0
    phi0 = checks.angles(phi0, "phi0")
    if phi0.ndim or not 0 <= phi0 < 2 * np.pi / n_phi:
        raise ValueError(
            f"phi0 is {phi0}; expected the longitude of the first of {n_phi} columns, 0 <= phi0 < 2 pi/n_phi "
            f"= {2 * math.pi / n_phi:.6g} radians; move columns from one end to the other"
        )
    return float(phi0)


@dataclass(frozen=True, repr=False)
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
    phi0 : float
        Longitude of the first column in radians, 0 <= phi0 < 2 pi/n_phi; keyword only.

    Raises
    ------
    ValueError
        L < 1, n_phi < 2L-1, or phi0 out of range.
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
    phi0: float = field(default=0.0, kw_only=True)
    name = "mw"

    @property
    def period(self) -> int:
        """Number of points on the full meridian circle, 2L-1."""
        return 2 * self.L - 1

    def _theta_rule(self):
        return quadrature.equispaced(2 * self.L - 1, True)


@dataclass(frozen=True, repr=False)
class MWSS(_Rectangle):
    """Symmetric McEwen-Wiaux grid: L+1 rings at theta_t = pi t/L, including both poles.

    Parameters
    ----------
    L : int
        Band-limit up to which the sampling theorem holds: degrees 0..L-1.
    n_phi : int, optional
        Number of samples on each ring, at least 2L-1; 2L by default.
    phi0 : float
        Longitude of the first column in radians, 0 <= phi0 < 2 pi/n_phi; keyword only.

    Raises
    ------
    ValueError
        L < 1, n_phi < 2L-1, or phi0 out of range.
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
    phi0: float = field(default=0.0, kw_only=True)
    name = "mwss"

    @property
    def period(self) -> int:
        """Number of points on the full meridian circle, 2L."""
        return 2 * self.L

    def _default_n_phi(self):
        return 2 * self.L

    def _theta_rule(self):
        return quadrature.equispaced(2 * self.L, False)


@dataclass(frozen=True, repr=False)
class DH(_Rectangle):
    """Driscoll-Healy grid with nodes between the poles: n_theta rings at theta_t = pi (2t+1)/(2 n_theta).

    With fewer than 2L-1 rings, signals are continued in theta (see `period`), so that L rings are enough.
    ducc0 calls it F1; the "DH" of pyshtools and ducc0 starts on the pole and is `DHPole` here.

    Parameters
    ----------
    L : int
        Band-limit up to which the sampling theorem holds: degrees 0..L-1.
    n_phi : int, optional
        Number of samples on each ring, at least 2L-1, its default.
    n_theta : int, optional
        Number of rings, at least L; 2L by default. Keyword only.
    phi0 : float
        Longitude of the first column in radians, 0 <= phi0 < 2 pi/n_phi; keyword only.

    Raises
    ------
    ValueError
        L < 1, n_phi < 2L-1, n_theta < L, or phi0 out of range.
    TypeError
        L, n_phi or n_theta that is not an integer.

    References
    ----------
    Driscoll and Healy 1994, Adv. Appl. Math. 15, 202.

    Examples
    --------
    >>> from spherekit.sampling import DH
    >>> DH(4).shape, DH(2).theta.round(6)
    ((8, 7), array([0.392699, 1.178097, 1.963495, 2.748894]))
    >>> DH(180, 360, n_theta=180).shape
    (180, 360)
    """

    L: int
    n_phi: int | None = None
    n_theta: int | None = field(default=None, kw_only=True)
    phi0: float = field(default=0.0, kw_only=True)
    name = "dh"

    def __post_init__(self):
        super().__post_init__()
        n_theta = self._default_n_theta() if self.n_theta is None else self.n_theta
        hint = f"L = {self.L} needs n_theta >= L"
        n_theta = checks.integer(n_theta, "n_theta", self.L, 4 * checks.MAX_BAND_LIMIT, hint)
        object.__setattr__(self, "n_theta", n_theta)

    @property
    def period(self) -> int | None:
        """Number of points on the full meridian circle, 2 n_theta, where n_theta < 2L-1; else None."""
        return 2 * self.n_theta if self.n_theta < 2 * self.L - 1 else None

    def _default_n_theta(self):
        return 2 * self.L

    def _hidden_options(self):
        is_default = self.n_theta == self._default_n_theta()
        return (*super()._hidden_options(), *(["n_theta"] if is_default else []))

    def _counts_to_state(self):
        is_default = self.n_theta == self._default_n_theta()
        return (*([] if is_default else ["n_theta"]), *super()._counts_to_state())

    def _theta_rule(self):
        return quadrature.equispaced(2 * self.n_theta, True)


@dataclass(frozen=True, repr=False)
class DHPole(_Rectangle):
    """Driscoll-Healy grid with the first ring on the north pole: 2L rings at theta_t = pi t/(2L).

    The "DH" of pyshtools and ducc0.

    Parameters
    ----------
    L : int
        Band-limit up to which the sampling theorem holds: degrees 0..L-1.
    n_phi : int, optional
        Number of samples on each ring, at least 2L-1; 2L by default.
    phi0 : float
        Longitude of the first column in radians, 0 <= phi0 < 2 pi/n_phi; keyword only.

    Raises
    ------
    ValueError
        L < 1, n_phi < 2L-1, or phi0 out of range.
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
    phi0: float = field(default=0.0, kw_only=True)
    name = "dhpole"

    def _default_n_phi(self):
        return 2 * self.L

    def _theta_rule(self):
        return quadrature.fejer2(2 * self.L)


@dataclass(frozen=True, repr=False)
class GL(_Rectangle):
    """Gauss-Legendre grid: L rings at the roots of P_L(cos theta).

    Parameters
    ----------
    L : int
        Band-limit up to which the quadrature is exact: degrees 0..L-1.
    n_phi : int, optional
        Number of samples on each ring, at least 2L-1, its default.
    phi0 : float
        Longitude of the first column in radians, 0 <= phi0 < 2 pi/n_phi; keyword only.

    Raises
    ------
    ValueError
        L < 1, n_phi < 2L-1, or phi0 out of range.
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
    phi0: float = field(default=0.0, kw_only=True)
    name = "gl"

    def _theta_rule(self):
        return quadrature.gauss_legendre(self.L)


@dataclass(frozen=True, repr=False)
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
    phi0 : float
        Longitude of the first column in radians, 0 <= phi0 < 2 pi/n_phi; keyword only.

    Raises
    ------
    ValueError
        L < 1, n_theta < L+1, n_phi < 2L-1, or phi0 out of range.
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
    phi0: float = field(default=0.0, kw_only=True)
    name = "cc"

    def __post_init__(self):
        super().__post_init__()
        n_theta = self._default_n_theta() if self.n_theta is None else self.n_theta
        hint = f"L = {self.L} needs n_theta >= L+1"
        minimum = self.L + 1 if self.L > 1 else 2
        n_theta = checks.integer(n_theta, "n_theta", minimum, 4 * checks.MAX_BAND_LIMIT, hint)
        object.__setattr__(self, "n_theta", n_theta)

    @property
    def period(self) -> int | None:
        """Number of points on the full meridian circle, 2(n_theta-1), where n_theta < 2L-1; else None."""
        return 2 * (self.n_theta - 1) if self.n_theta < 2 * self.L - 1 else None

    def _default_n_theta(self):
        return max(2 * self.L - 1, 2)

    def _counts_to_state(self):
        is_default = self.n_theta == self._default_n_theta()
        return (*([] if is_default else ["n_theta"]), *super()._counts_to_state())

    def _theta_rule(self):
        return quadrature.equispaced(2 * (self.n_theta - 1), False)
