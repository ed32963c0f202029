"""Types of signals, the inputs and outputs of layers: each describes an array whose first axis is the batch.

==========  ==================================================================  =============================
Sphere      coefficients of signals on the sphere, spin s                       (batch, channels, L*L)
SpinFields  coefficients of fields of several spins, complex                    (batch, channels, spins, L*L)
SO3         coefficients of signals on SO(3), orders |n| < N                    (batch, channels, 2N-1, L*L)
Fragments   tau_l fragments of each degree l, of 2l+1 entries that D^l rotates  (batch, channels, size)
Features    invariant features, real                                            (batch, features)
==========  ==================================================================  =============================

Fragments of real signals are real: coefficients in the basis of real harmonics (`conventions.to_real`), with
real weights. Those of complex signals are complex, in the basis of complex harmonics. They are ordered by
degree, then fragment, then m: entry ``start(l) + t (2l+1) + l + m``. The layers of this package return them
as a transposed view of memory in which batch and channels are contiguous, which the kernels read without a
copy.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
from autograd.tracer import getval, isbox

from spherekit._core import checks
from spherekit.nn.fragment_indexing import asymmetry

#: Attributes that are computed on first use, and neither pickled nor copied.
CACHES = ("_cached_by_type", "_starts")


class Value:
    """Base class of layers and signal types; the representation is the constructor call.

    Fields that equal their default are omitted, except for text in first position: ``Activation('relu')``.
    """

    def __repr__(self):
        arguments = []
        for k, field in enumerate(dataclasses.fields(self)):
            value = getattr(self, field.name)
            default = field.default
            if field.default_factory is not dataclasses.MISSING:
                default = field.default_factory()
            is_first_text = k == 0 and isinstance(value, str)
            if (default is dataclasses.MISSING or is_first_text) and not field.kw_only:
                arguments.append(_argument(value))
            elif default is dataclasses.MISSING or value != default:
                arguments.append(f"{field.name}={_argument(value)}")
        return f"{type(self).__name__}({', '.join(arguments)})"

    def __setattr__(self, name, value):
        raise dataclasses.FrozenInstanceError(
            f"cannot assign to {name!r}: {type(self).__name__} is frozen; use dataclasses.replace(value, "
            f"{name}=...)"
        )

    def __delattr__(self, name):
        raise dataclasses.FrozenInstanceError(f"cannot delete {name!r}")

    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name not in CACHES}

    def __setstate__(self, state):
        set_fields(self, **state)


def _argument(value):
    return getattr(value, "__qualname__", repr(value)) if callable(value) else repr(value)


def set_fields(value, **fields):
    """Set validated fields of a frozen dataclass in its ``__post_init__``."""
    for name, field in fields.items():
        object.__setattr__(value, name, field)


class Signals(Value):
    """Base class of the signal types."""

    def shape(self, batch: int) -> tuple[int, ...]:
        """Shape of an array of signals.

        Parameters
        ----------
        batch : int
            Number of signals.

        Returns
        -------
        tuple of int
            The shape, with the batch axis first.
        """
        raise NotImplementedError


@dataclass(frozen=True, repr=False)
class Sphere(Signals):
    """Signals on the sphere, represented by harmonic coefficients: arrays (batch, channels, L*L).

    Parameters
    ----------
    L : int
        Band-limit.
    channels : int
        Number of channels, at least 1.
    real : bool
        Real signals. Coefficients have the full layout, with f_{l,-m} = (-1)^m conj f_lm.
    spin : int
        Spin of the fields, |spin| < L; only complex signals have a spin other than 0.

    Raises
    ------
    ValueError
        If a number is out of range, or if ``real`` is combined with a spin other than 0.
    TypeError
        If an argument is not of its type.

    Examples
    --------
    The array of a batch of five signals with three channels:

    >>> from spherekit import nn
    >>> nn.Sphere(8, 3).shape(batch=5)
    (5, 3, 64)
    """

    L: int
    channels: int
    real: bool = True
    spin: int = 0

    def __post_init__(self):
        L = checks.band_limit(self.L)
        channels = _channel_count(self.channels)
        set_fields(self, L=L, channels=channels, real=_flag(self.real))
        set_fields(self, spin=checks.spin_number(self.spin, L))
        if self.real and self.spin:
            raise ValueError(f"{self}: signals of spin {self.spin} are complex; pass real=False")

    def shape(self, batch: int) -> tuple[int, ...]:
        return batch, self.channels, self.L**2

    def __str__(self):
        spin = f", spin {self.spin}" if self.spin else ""
        return f"{_real_or_complex(self)} S2, L={self.L}{spin}, {_channels_text(self)}"


@dataclass(frozen=True, repr=False)
class SpinFields(Signals):
    """Complex fields of several spins, represented by coefficients: arrays (batch, channels, spins, L*L).

    Parameters
    ----------
    L : int
        Band-limit.
    spins : tuple of int
        The spins, all different, |spin| < L.
    channels : int
        Number of channels, at least 1.

    Raises
    ------
    ValueError
        If a number is out of range, or if spins are not distinct.
    TypeError
        If an argument is not of its type.

    Examples
    --------
    The array of a batch of five signals with three channels, and the number of spins with |s| <= l:

    >>> from spherekit import nn
    >>> signals = nn.SpinFields(8, (0, 1), 3)
    >>> signals.shape(batch=5), signals.tau[:3]
    ((5, 3, 2, 64), (1, 2, 2))
    """

    L: int
    spins: tuple[int, ...]
    channels: int
    real = False

    def __post_init__(self):
        L = checks.band_limit(self.L)
        spins = as_tuple(self.spins, "spins")
        spins = tuple(checks.spin_number(spin, L) for spin in spins)
        set_fields(self, L=L, spins=spins, channels=_channel_count(self.channels))
        if not self.spins or len(set(self.spins)) != len(self.spins):
            raise ValueError(f"spins is {self.spins}; expected one or more distinct integers")

    @property
    def tau(self) -> tuple[int, ...]:
        """Number of spins with |s| <= l, for each degree l."""
        return tuple(sum(abs(s) <= ell for s in self.spins) for ell in range(self.L))

    def shape(self, batch: int) -> tuple[int, ...]:
        return batch, self.channels, len(self.spins), self.L**2

    def __str__(self):
        return f"spins {self.spins} on S2, L={self.L}, {_channels_text(self)}"


@dataclass(frozen=True, repr=False)
class SO3(Signals):
    """Signals on the rotation group, represented by Wigner coefficients: arrays (batch, channels, 2N-1, L*L).

    Parameters
    ----------
    L : int
        Band-limit.
    N : int
        Azimuthal band-limit, at most L: orders |n| < N.
    channels : int
        Number of channels, at least 1.
    real : bool
        Real signals. Coefficients have the full layout, with f_{l,-m,-n} = (-1)^(m+n) conj f_lmn.

    Raises
    ------
    ValueError
        If a number is out of range.
    TypeError
        If an argument is not of its type.

    Examples
    --------
    The array of a batch of five signals with three channels:

    >>> from spherekit import nn
    >>> nn.SO3(8, 2, 3).shape(batch=5)
    (5, 3, 3, 64)
    """

    L: int
    N: int
    channels: int
    real: bool = True

    def __post_init__(self):
        L = checks.band_limit(self.L)
        N = checks.azimuthal_limit(self.N, L)
        channels = _channel_count(self.channels)
        set_fields(self, L=L, N=N, channels=channels, real=_flag(self.real))

    def shape(self, batch: int) -> tuple[int, ...]:
        return batch, self.channels, 2 * self.N - 1, self.L**2

    def __str__(self):
        return f"{_real_or_complex(self)} SO(3), L={self.L}, N={self.N}, {_channels_text(self)}"


@dataclass(frozen=True, repr=False)
class Fragments(Signals):
    """Generalized signals of ``tau[l]`` fragments of each degree l: arrays (batch, channels, size).

    A fragment of degree l is a vector of 2l+1 entries, which a rotation multiplies by D^l (Kondor, Lin and
    Trivedi 2018, arXiv:1806.09231; Cobb et al. 2021, arXiv:2010.11661, section 2).

    Parameters
    ----------
    tau : sequence of int
        Number of fragments of each degree 0..L-1.
    channels : int
        Number of channels, at least 1.
    real : bool
        Real vectors, in the basis of the real harmonics; otherwise complex ones, in the complex basis.

    Raises
    ------
    ValueError
        If a number is out of range, or if there are no fragments.
    TypeError
        If an argument is not of its type.

    Examples
    --------
    A fragment of degree 0 and two of degree 1, with their entries:

    >>> from spherekit import nn
    >>> signals = nn.Fragments((1, 2), 4)
    >>> signals.L, signals.size, [signals.rows(1, t) for t in range(2)]
    (2, 7, [slice(1, 4, None), slice(4, 7, None)])
    """

    tau: tuple[int, ...]
    channels: int
    real: bool = True

    def __post_init__(self):
        tau = tuple(checks.integer(t, "tau", 0) for t in as_tuple(self.tau, "tau"))
        if not any(tau):
            raise ValueError(
                f"tau is {tau}; expected the number of fragments of each degree, not all 0"
            )
        set_fields(self, tau=tau, channels=_channel_count(self.channels), real=_flag(self.real))

    @property
    def L(self) -> int:
        """Band-limit."""
        return len(self.tau)

    @property
    def size(self) -> int:
        """Number of entries of a channel: the sum of (2l+1) tau_l."""
        return self._starts[-1]

    @cached_property
    def _starts(self):
        widths = (t * (2 * ell + 1) for ell, t in enumerate(self.tau))
        return tuple(accumulate(widths, initial=0))

    def start(self, ell: int) -> int:
        """Index of the first entry of a degree.

        Parameters
        ----------
        ell : int
            Degree.

        Returns
        -------
        int
            Index along the last axis.
        """
        return self._starts[ell]

    def rows(self, ell: int, t: int | None = None) -> slice:
        """The entries of a degree, or of a single fragment.

        Parameters
        ----------
        ell : int
            Degree.
        t : int, optional
            Index of a fragment of this degree; all fragments by default.

        Returns
        -------
        slice
            Indices along the last axis.
        """
        width = 2 * ell + 1
        start = self.start(ell)
        if t is None:
            return slice(start, start + self.tau[ell] * width)
        return slice(start + t * width, start + (t + 1) * width)

    def shape(self, batch: int) -> tuple[int, ...]:
        return batch, self.channels, self.size

    def __str__(self):
        return (
            f"{_real_or_complex(self)} fragments, L={self.L}, tau={self._tau_text()}, "
            f"{_channels_text(self)}"
        )

    def _tau_text(self):
        if len(set(self.tau)) == 1:
            return str(self.tau[0])
        if self.L <= 6:
            return str(self.tau)
        return f"({', '.join(map(str, self.tau[:3]))}, ..., {self.tau[-1]})"


@dataclass(frozen=True, repr=False)
class Features(Signals):
    """Real features, invariant under rotations: arrays (batch, features).

    Parameters
    ----------
    features : int
        Number of features, at least 1.

    Raises
    ------
    ValueError
        If ``features`` is out of range.
    TypeError
        If ``features`` is not an integer.

    Examples
    --------
    The array of the features of five signals:

    >>> from spherekit import nn
    >>> nn.Features(10).shape(batch=5)
    (5, 10)
    """

    features: int

    def __post_init__(self):
        set_fields(self, features=checks.integer(self.features, "features", 1))

    def shape(self, batch: int) -> tuple[int, ...]:
        return batch, self.features

    def __str__(self):
        return f"{self.features} feature" + "s" * (self.features > 1)


#: The types of signals.
TYPES = (Sphere, SpinFields, SO3, Fragments, Features)
SignalType = Sphere | SpinFields | SO3 | Fragments | Features


def expect_type(in_type: SignalType, *types: type) -> SignalType:
    """Check that a signal type is one of those that a layer accepts.

    Parameters
    ----------
    in_type : Sphere, SpinFields, SO3, Fragments or Features
        Type of the input of the layer.
    *types : type
        Accepted classes.

    Returns
    -------
    Sphere, SpinFields, SO3, Fragments or Features
        ``in_type``.

    Raises
    ------
    TypeError
        If ``in_type`` is not an instance of ``types``.

    Examples
    --------
    In ``out_type`` of a layer that accepts signals on the sphere and on SO(3):

    >>> from spherekit import nn
    >>> nn.expect_type(nn.Sphere(4, 1), nn.Sphere, nn.SO3)
    Sphere(4, 1)
    """
    if not isinstance(in_type, types):
        names = " or ".join(kind.__name__ for kind in types)
        raise TypeError(f"accepts {names}; its input is {in_type}")
    return in_type


def expect_spin_0(in_type):
    """Check that a signal type is that of spin fields which include spin 0; returns ``in_type``."""
    if 0 not in expect_type(in_type, SpinFields).spins:
        raise ValueError(f"accepts spin fields that include spin 0; its input is {in_type}")
    return in_type


def has_real_entries(signals):
    """Whether arrays of this type are real; note that coefficients of real signals are complex."""
    return isinstance(signals, Features) or (isinstance(signals, Fragments) and signals.real)


def check_signals(x, in_type):
    """Validate a batch of signals: its shape, its dtype, finite values, and the symmetry of real signals."""
    value = checks.as_float_array(getval(x), "the batch of signals")
    shape = value.shape
    if not shape or shape != in_type.shape(shape[0]):
        expected = ", ".join(("batch", *map(str, in_type.shape(0)[1:])))
        raise ValueError(
            f"the signals have shape {shape}; the network accepts {in_type}: ({expected})"
        )
    if has_real_entries(in_type) and np.iscomplexobj(value):
        raise TypeError(f"the signals are complex ({value.dtype}); the network accepts {in_type}")
    if not np.isfinite(value).all():
        raise ValueError("the signals contain NaN or infinite values; pass finite ones")
    if isinstance(in_type, Sphere | SO3) and in_type.real and not isbox(x):
        check_real(value, in_type)
    return x if isbox(x) else value


def check_real(x, in_type):
    """Raise ValueError if coefficients are not those of a real signal.

    Not called for traced arrays, that is in differentiated calls.
    """
    flat = np.ascontiguousarray(x, np.result_type(x, np.complex64))
    orders = 2 * getattr(in_type, "N", 1) - 1
    signals = flat.reshape(x.shape[0] * x.shape[1], orders, in_type.L**2)
    advice = f"the network accepts {in_type}; for complex signals, create its type with real=False"
    input_stats = 0, *asymmetry(signals, in_type.L)
    checks.check_coefficients(input_stats, x, True, checks.is_single(x), advice)


def lower_band_limit(L, in_type):
    """Band-limit of the output of a layer: ``L``, at most that of the input, which is the default."""
    if L is None:
        return in_type.L
    return checks.integer(L, "L", 1, in_type.L, "the band-limit of the input")


def optional_size(value, name):
    """Validate an integer >= 1, or None."""
    return None if value is None else checks.integer(value, name, 1)


def oversampling(factor):
    """Validate an oversampling factor, from 1 to 16; integral values become int, for the representation."""
    factor = checks.oversampling(factor)
    return int(factor) if factor.is_integer() else factor


def as_tuple(values, name):
    """The values as a tuple; raises TypeError for a single number."""
    if not isinstance(values, Iterable) or isinstance(values, str):
        raise TypeError(
            f"{name} is {values!r} ({type(values).__name__}); expected a sequence of integers"
        )
    return tuple(values)


def _flag(real):
    if not isinstance(real, bool | np.bool_):
        raise TypeError(f"real is {real!r}; expected True or False")
    return bool(real)


def _channel_count(channels):
    return checks.integer(channels, "channels", 1)


def _real_or_complex(signals):
    return "real" if signals.real else "complex"


def _channels_text(signals):
    return f"{signals.channels} channel" + "s" * (signals.channels > 1)
