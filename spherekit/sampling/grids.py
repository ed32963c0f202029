"""The grids: frozen, hashable descriptions of where a signal is sampled.

Every grid shows the same iso-latitude view (``ring_theta``, ``ring_n_phi``, ``ring_phi0``,
``ring_start``, ``ring_weights``), which is all that the transforms need; arrays are read-only.
"""

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from spherekit.sampling import healpix, quadrature
from spherekit.sampling._integers import MAX_SIZE, whole

__all__ = ["CC", "DH", "DHPole", "GL", "MW", "MWSS", "HEALPix", "Rings", "grid"]


class _Grid:
    """What all grids share; a subclass gives ``_theta_rule()``, the ring angles and weights."""

    name = ""
    rectangular = True
    exact = True
    period = None

    @property
    def ring_theta(self):
        return _geometry(self)["theta"]

    @property
    def ring_n_phi(self):
        return _geometry(self)["n_phi"]

    @property
    def ring_phi0(self):
        return _geometry(self)["phi0"]

    @property
    def ring_start(self):
        return _geometry(self)["start"]

    @property
    def ring_weights(self):
        """Quadrature weight of one sample of each ring, steradian."""
        return _geometry(self)["weights"]

    @property
    def theta(self):
        """Colatitudes, radians: per ring on rectangles, per sample else."""
        rings = self.ring_theta
        return rings if self.rectangular else _frozen(np.repeat(rings, self.ring_n_phi))

    @property
    def phi(self):
        """Longitudes, radians: per column on rectangles, per sample else."""
        if self.rectangular:
            return _frozen(2 * np.pi * np.arange(self.shape[1]) / self.shape[1])
        turns = zip(self.ring_n_phi, self.ring_phi0, strict=True)
        rows = [phi0 + 2 * np.pi * np.arange(n) / n for n, phi0 in turns]
        return _frozen(np.concatenate(rows))

    @property
    def weights(self):
        """Quadrature weights that broadcast against the samples, steradian."""
        rings = self.ring_weights
        if self.rectangular:
            return rings[:, None]
        return _frozen(np.repeat(rings, self.ring_n_phi))

    @property
    def shape(self):
        """Shape of the samples."""
        rings = self.ring_n_phi
        return (len(rings), int(rings[0])) if self.rectangular else (int(rings.sum()),)


def _frozen(array):
    array.flags.writeable = False
    return array


@lru_cache(maxsize=64)
def _geometry(grid):
    theta, n_phi, phi0, weights = grid._rings()
    n_phi = np.broadcast_to(np.asarray(n_phi, np.int64), theta.shape)
    start = np.concatenate([[0], np.cumsum(n_phi)[:-1]]).astype(np.int64)
    phi0 = np.broadcast_to(np.asarray(phi0, float), theta.shape)
    parts = {"theta": theta, "n_phi": n_phi, "phi0": phi0, "start": start, "weights": weights}
    return {key: _frozen(np.array(value)) for key, value in parts.items()}


class _Rectangle(_Grid):
    def __post_init__(self):
        object.__setattr__(self, "L", whole(self.L, "L", 1, hint="the band-limit"))
        least = 2 * self.L - 1
        n_phi = self._default_n_phi() if self.n_phi is None else self.n_phi
        hint = f"L = {self.L} needs n_phi >= 2L-1 = {least} samples on a ring"
        object.__setattr__(self, "n_phi", whole(n_phi, "n_phi", least, 4 * MAX_SIZE, hint=hint))

    def _default_n_phi(self):
        return 2 * self.L - 1

    def _rings(self):
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
        n_theta = whole(n_theta, "n_theta", self.L + 1 if self.L > 1 else 2, hint=hint)
        object.__setattr__(self, "n_theta", n_theta)

    @property
    def period(self):
        return 2 * (self.n_theta - 1) if self.n_theta < 2 * self.L - 1 else None

    def _theta_rule(self):
        return quadrature.equispaced(2 * (self.n_theta - 1), False)


@dataclass(frozen=True)
class HEALPix(_Grid):
    """12 nside^2 equal-area pixels on 4 nside - 1 rings, RING order; any nside >= 1.

    ``weights="ring"`` takes ring weights that integrate low degrees exactly; ``"equal"`` the areas.
    There is no sampling theorem: see `spherekit.harmonic.analyse`.

    >>> HEALPix(2).shape
    (48,)
    """

    nside: int
    weighting: str = "ring"
    name = "healpix"
    rectangular = False
    exact = False
    L = None

    def __init__(self, nside, weights="ring"):
        object.__setattr__(self, "nside", whole(nside, "nside", 1, 2**14))
        if weights not in ("ring", "equal"):
            raise ValueError(f'weights is {weights!r}; HEALPix knows "ring" and "equal"')
        object.__setattr__(self, "weighting", weights)

    def _rings(self):
        theta, n_phi, phi0, _ = healpix.rings(self.nside)
        weights = np.full(theta.shape, 4 * np.pi / (12 * self.nside**2))
        if self.weighting == "ring":
            weights = np.array(healpix.ring_weights(self.nside))
        return theta, n_phi, phi0, weights


@dataclass(frozen=True)
class Rings(_Grid):
    """Any rings of constant colatitude, north to south, each with equidistant samples.

    Parameters
    ----------
    theta : (n_rings,) radians, strictly increasing in [0, pi]
    n_phi : (n_rings,) samples on each ring, or one number for all
    phi0 : longitude of each ring's first sample, radians, or one number
    weights : (n_rings,) quadrature weight of one sample of each ring, steradian; if None, the area
        of the zone between the mid-latitudes to its neighbours, shared by the ring's samples.
        Weights of your own are taken as they are, whatever they sum to

    >>> Rings([0.5, 1.5], [4, 8]).shape
    (12,)
    """

    angles: tuple
    counts: tuple
    offsets: tuple
    areas: tuple
    name = "rings"
    rectangular = False
    exact = False
    L = None

    def __init__(self, theta, n_phi, phi0=0.0, weights=None):
        theta = np.atleast_1d(np.asarray(theta, float))
        legal = theta.ndim == 1 and theta.size > 0 and np.isfinite(theta).all()
        if not legal or theta.min() < 0 or theta.max() > np.pi or (np.diff(theta) <= 0).any():
            raise ValueError(
                "theta of Rings must be a list of finite, strictly increasing colatitudes in "
                f"[0, pi] radians, got {theta!r}"
            )
        for what, value in (("n_phi", n_phi), ("phi0", phi0), ("weights", weights)):
            if value is not None and np.shape(value) not in ((), theta.shape):
                raise ValueError(
                    f"{what} of Rings has shape {np.shape(value)}; expected one number or one for "
                    f"each of the {theta.size} rings"
                )
        counts = np.broadcast_to(np.asarray(n_phi), theta.shape)
        counts = tuple(whole(n, "n_phi", 1) for n in counts)
        if weights is None:
            edges = np.cos(np.concatenate([[0], (theta[1:] + theta[:-1]) / 2, [np.pi]]))
            weights = 2 * np.pi * (edges[:-1] - edges[1:]) / np.array(counts)
        parts = [np.broadcast_to(np.asarray(x, float), theta.shape) for x in (phi0, weights)]
        if not all(np.isfinite(x).all() for x in parts):
            raise ValueError("phi0 and weights of Rings must be finite")
        values = (theta, counts, *parts)
        for field, value in zip(fields(self), values, strict=True):
            object.__setattr__(self, field.name, tuple(np.asarray(value).tolist()))

    def _rings(self):
        return (
            np.array(self.angles),
            np.array(self.counts),
            np.array(self.offsets),
            np.array(self.areas),
        )


_NAMED = {cls.name: cls for cls in (MW, MWSS, DH, DHPole, GL, CC)}


def grid(name, L=None):
    """The grid of a name, or the grid itself.

    Parameters
    ----------
    name : str or grid
        ``"mw"``, ``"mwss"``, ``"dh"``, ``"dhpole"``, ``"gl"``, ``"cc"``, each also with a
        band-limit of its own as in ``"mw:256"``, or ``"healpix:64"`` with its nside.
    L : int, optional
        Band-limit where the name has none.

    >>> grid("mw", 4) == MW(4) and grid("healpix:2") == HEALPix(2)
    True
    """
    if isinstance(name, _Grid):
        return name
    known = ", ".join([*_NAMED, "healpix:NSIDE"])
    if not isinstance(name, str):
        raise TypeError(f"sampling is {name!r}; give a grid or one of the names {known}")
    kind, _, number = name.lower().partition(":")
    if kind not in _NAMED and kind != "healpix":
        raise ValueError(f"unknown grid {name!r}; known are {known}")
    if number and not (number.isascii() and number.isdigit()):
        raise ValueError(f"grid {name!r}: what follows the colon must be a whole number")
    if kind == "healpix":
        if not number:
            raise ValueError('the HEALPix grid needs its nside, as in sampling="healpix:64"')
        return HEALPix(int(number))
    if not number and L is None:
        raise ValueError(f"grid {name!r} needs a band-limit: grid({name!r}, L) or {kind}:L")
    return _NAMED[kind](int(number) if number else L)
