"""What flows between layers: five kinds of signals, each an array and a small frozen description of it.

========  =====================================================================  =========================
Sphere    coefficients of signals on the sphere, spin s                          (batch, channels, L*L)
Spins     of several spins, complex                                              (batch, channels, spins, L*L)
Group     coefficients of signals on SO(3), orders |n| < N                       (batch, channels, 2N-1, L*L)
Generalized  tau_l fragments of each degree l, 2l+1 numbers that rotate by D^l   (size, batch, channels)
Features  plain numbers, invariant                                               (batch, features)
========  =====================================================================  =========================

Fragments of real signals are real numbers, coefficients of the real harmonics (`conventions.from_real`), and
take real weights; those of complex signals are complex, in the usual basis. Degree by degree, then fragment
by fragment: entry start_l + t (2l+1) + l + m; batch and channels last, where kernels take them side by side.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from spherekit._core import checks


@dataclass(frozen=True)
class Sphere:
    """Signals of spin ``spin`` and band-limit ``L`` on the sphere, real or complex."""

    L: int
    channels: int
    real: bool = True
    spin: int = 0

    def __post_init__(self):
        L, channels = checks.band_limit(self.L), _count(self.channels)
        _store(self, L=L, channels=channels, real=bool(self.real))
        _store(self, spin=checks.spin_number(self.spin, L))
        if self.real and self.spin:
            raise ValueError(f"{self}: signals of spin {self.spin} are complex, real=False")

    def shape(self, batch):
        return batch, self.channels, self.L**2

    def __str__(self):
        spin = f", spin {self.spin}" if self.spin else ""
        return f"{_kind(self)} S2, L={self.L}{spin}, {_channels(self)}"


@dataclass(frozen=True)
class Spins:
    """Fields of several spins, complex: (batch, channels, spins, L*L)."""

    L: int
    spins: tuple
    channels: int
    real = False

    def __post_init__(self):
        L, spins = checks.band_limit(self.L), sequence(self.spins, "spins")
        spins = tuple(checks.spin_number(spin, L) for spin in spins)
        _store(self, L=L, spins=spins, channels=_count(self.channels))
        if not self.spins or len(set(self.spins)) != len(self.spins):
            raise ValueError(f"spins is {self.spins}; expected spins that differ")

    @property
    def tau(self):
        """How many of the spins each degree has."""
        return tuple(sum(abs(s) <= ell for s in self.spins) for ell in range(self.L))

    def shape(self, batch):
        return batch, self.channels, len(self.spins), self.L**2

    def __str__(self):
        return f"spins {self.spins} on S2, L={self.L}, {_channels(self)}"


@dataclass(frozen=True)
class Group:
    """Signals of band-limits ``L``, ``N`` on the rotation group."""

    L: int
    N: int
    channels: int
    real: bool = True

    def __post_init__(self):
        L = checks.band_limit(self.L)
        N, channels = checks.azimuthal_limit(self.N, L), _count(self.channels)
        _store(self, L=L, N=N, channels=channels, real=bool(self.real))

    def shape(self, batch):
        return batch, self.channels, 2 * self.N - 1, self.L**2

    def __str__(self):
        return f"{_kind(self)} SO(3), L={self.L}, N={self.N}, {_channels(self)}"


@dataclass(frozen=True)
class Generalized:
    """``tau[l]`` fragments of each degree in each of the channels.

    >>> signal = Generalized((1, 2), 4)
    >>> signal.L, signal.size, [signal.rows(1, t) for t in range(2)]
    (2, 7, [slice(1, 4, None), slice(4, 7, None)])
    """

    tau: tuple
    channels: int
    real: bool = True

    def __post_init__(self):
        tau = tuple(checks.whole_number(t, "tau", 0) for t in sequence(self.tau, "tau"))
        if not any(tau):
            raise ValueError(f"tau is {tau}; expected numbers of fragments >= 0 of each degree")
        _store(self, tau=tau, channels=_count(self.channels), real=bool(self.real))

    @property
    def L(self):
        """Band-limit."""
        return len(self.tau)

    @property
    def size(self):
        """Numbers of one channel."""
        return self.start(self.L)

    def start(self, ell):
        """Where degree ``ell`` begins."""
        return _starts(self.tau)[ell]

    def rows(self, ell, t=None):
        """The rows of a degree, or of one fragment of it."""
        width, start = 2 * ell + 1, self.start(ell)
        if t is None:
            return slice(start, start + self.tau[ell] * width)
        return slice(start + t * width, start + (t + 1) * width)

    def shape(self, batch):
        return self.size, batch, self.channels

    def __str__(self):
        tau = self.tau[0] if len(set(self.tau)) == 1 else self.tau
        return f"{_kind(self)} fragments, L={self.L}, tau={tau}, {_channels(self)}"


@dataclass(frozen=True)
class Features:
    """Invariant numbers."""

    features: int

    def __post_init__(self):
        _store(self, features=checks.whole_number(self.features, "features", 1))

    def shape(self, batch):
        return batch, self.features

    def __str__(self):
        return f"{self.features} feature" + "s" * (self.features > 1)


@lru_cache(maxsize=256)
def _starts(tau):
    return tuple(accumulate((t * (2 * ell + 1) for ell, t in enumerate(tau)), initial=0))


def lower_limit(L, takes):
    """The band-limit of what a layer gives: that of its signals, or a lower one."""
    if L is None:
        return takes.L
    return checks.whole_number(L, "L", 1, takes.L, "the band-limit of the signals")


def sequence(values, name):
    """The values as a tuple, which a single number is none of."""
    if not isinstance(values, Iterable) or isinstance(values, str):
        raise TypeError(
            f"{name} is {values!r} ({type(values).__name__}); expected a sequence of whole numbers"
        )
    return tuple(values)


def _count(channels):
    return checks.whole_number(channels, "channels", 1)


def _store(signal, **values):
    """What was checked, in Python's own types: those of NumPy overflow, and are no part of a hash."""
    for name, value in values.items():
        object.__setattr__(signal, name, value)


def _kind(signal):
    return "real" if signal.real else "complex"


def _channels(signal):
    return f"{signal.channels} channel" + "s" * (signal.channels > 1)
