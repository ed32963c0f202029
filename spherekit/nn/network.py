"""Networks: parts in a row, each bound to the kind of signal that the one before it gives.

A *part* is a function of the signal that comes in; it returns a `Layer`, or raises because it does not fit.
A `Net` binds its parts one after the other, so that sizes are worked out once, and mistakes are found before
any number is multiplied.
"""

from copy import deepcopy
from typing import NamedTuple

import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval, isbox

from spherekit._core import checks
from spherekit._core.parallel import thread_count
from spherekit.nn.fragment_indexing import asymmetry
from spherekit.nn.types import Features, Generalized, Group, Sphere


class Layer(NamedTuple):
    """A part bound to its signals.

    ``init(rng)`` makes its parameters, a dict of arrays; ``apply(params, x, mode)`` the result. ``cost``:
    multiplications of one signal.
    """

    name: str
    takes: object
    gives: object
    init: object
    apply: object
    cost: int = 0


class Mode:
    """How a network runs: here as it is used, not trained; `Training` is the other way.

    threads : int, optional
    """

    training = False
    guarded = True  #: whether a result that is not finite is refused by the call that makes it
    look = (
        None  #: a function of (layer in words, its signals, its results), called after each layer
    )

    def __init__(self, threads=None):
        self.threads = thread_count(threads)
        self.place = ()

    def inside(self, name):
        """The same, for a layer of the network."""
        some = object.__new__(type(self))
        some.__dict__.update(self.__dict__, place=(*self.place, name))
        return some

    def apply(self, number, layer, params, x):
        """What a layer makes of x; where those that watch a network at work put themselves in."""
        y = layer.apply(params, x, self.inside(number))
        if self.look is not None:
            self.look(f"{'.'.join(map(str, (*self.place, number)))}, {layer.name}", x, y)
        return y

    def start(self):
        """Where random numbers begin, of modes that take any."""

    def again(self, start, look):
        """The same from that start on, for a second run; what it observes is its own."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, look=look)
        return copy


class Training(Mode):
    """Running means are updated, and dropout drops.

    Parameters
    ----------
    rng : numpy Generator, or int
        A whole number is the seed of one.
    momentum : float
        Of running means: what is kept of them in a step.

    After a step `updated` puts the new running means into the parameters.
    """

    training = True

    def __init__(self, rng, momentum=0.9, threads=None):
        super().__init__(threads)
        self.rng, self.seen, expected = checks.generator(rng), {}, "a number from 0 to 1"
        self.momentum = checks.real_number(momentum, "momentum", expected, lambda x: 0 <= x <= 1)

    def start(self):
        return self.rng.bit_generator.state

    def again(self, start, look):
        copy = super().again(start, look)
        copy.rng, copy.seen = deepcopy(self.rng), {}
        copy.rng.bit_generator.state = start
        return copy

    def observe(self, name, value):
        """A mean of this batch, of the layer at hand."""
        self.seen[(*self.place, name)] = value

    def updated(self, params):
        """The parameters with the running means brought forward."""
        for (*place, name), value in self.seen.items():
            params = _replaced(params, place, name, value, self.momentum)
        self.seen.clear()
        return params


def _replaced(params, place, name, value, momentum):
    if place:
        some = list(params) if isinstance(params, list | tuple) else dict(params)
        some[place[0]] = _replaced(some[place[0]], place[1:], name, value, momentum)
        return some
    old = params[name]
    return params | {name: (momentum * old + (1 - momentum) * value).astype(old.dtype)}


class _Lost(Exception):
    """A layer has made what is not finite; none of the exceptions that layers raise and name."""


def _refuse_lost(layer, x, y):
    bad = np.size(y) - np.count_nonzero(np.isfinite(y))
    if not bad:
        return
    kind, size = np.dtype(checks.real_type(x)), float(np.max(np.abs(x), initial=0))
    if size > np.finfo(kind).max ** 0.25:
        wider = ", or compute in float64" if kind == np.float32 else ""
        advice = f"that is beyond the range of {kind}: scale the signals down{wider}"
    else:
        advice = "its function has no finite value there, or its parameters are too large"
    raise _Lost(
        f"layer {layer}: {bad} of {np.size(y)} results are NaN or infinite, of numbers up to {size:.3g}; "
        f"{advice}"
    )


class Net:
    """Parts in a row.

    Parameters
    ----------
    takes : Sphere, Group, Generalized or Features
        The signals that come in.
    *parts : functions of a signal that return a `Layer`, as those of `spherekit.nn`

    >>> import numpy as np
    >>> from spherekit import nn
    >>> net = Net(nn.Sphere(4, 3), nn.fragments(), nn.tensor_product(), nn.convolution(2, 1), nn.invariants())
    >>> params = net.init(np.random.default_rng(0))
    >>> net(params, np.zeros((5, 3, 16), complex)).shape
    (5, 2)
    """

    def __init__(self, takes, *parts):
        self.takes, self.layers = takes, []
        signal = takes
        for number, part in enumerate(parts):
            try:
                layer = part(signal)
            except (ValueError, TypeError) as error:
                name = getattr(part, "__qualname__", type(part).__name__).split(".")[0]
                raise type(error)(f"layer {number}, {name}: {error}") from None
            self.layers.append(layer)
            signal = layer.gives
        self.gives = signal

    def init(self, rng, dtype=np.float64):
        """Parameters, a dict of arrays for each layer.

        Parameters
        ----------
        rng : numpy Generator, or int
            A whole number is the seed of one.
        dtype : float32 or float64
            Of real parameters; complex ones have the same precision.
        """
        rng = checks.generator(rng)
        dtype = checks.data_type(dtype, "dtype of parameters", np.float32, np.float64)
        return [_cast(layer.init(rng), dtype) for layer in self.layers]

    def __call__(self, params, x, mode=None):
        """The network's result for a batch of signals, which may be empty.

        Raises
        ------
        ValueError, TypeError
            Signals of another kind than the network takes, or parameters of another network; results that
            are not finite; the message names the layer.
        """
        mode, x = Mode() if mode is None else mode, check_signal(x, self.takes)
        if len(params) != len(self.layers):
            raise ValueError(
                f"the parameters are of {len(params)} layers, the network has {len(self.layers)}; make "
                "them by the init of this network"
            )
        if not mode.guarded:
            return self.run(params, x, mode)
        start = mode.start()
        try:
            y = self.run(params, x, mode)
        except ValueError:  # perhaps of numbers that a layer before has lost
            self._find_lost(params, x, mode, start)
            raise
        if not np.isfinite(getval(y)).all():
            self._find_lost(params, x, mode, start)
            raise ValueError("the results hold NaN or infinite numbers")
        return y

    def _find_lost(self, params, x, mode, start):
        """Name the first layer whose results are not finite: the network runs once more, watched."""
        params, x = _values(params), getval(x)
        for number, (layer, some) in enumerate(zip(self.layers, params, strict=True)):
            if not _finite(some):
                raise ValueError(
                    f"layer {number}, {layer.name}: its parameters hold NaN or infinite numbers"
                )
        with np.errstate(all="ignore"):
            try:
                self.run(params, x, mode.again(start, _refuse_lost))
            except _Lost as error:
                raise ValueError(str(error)) from None
            except ValueError:
                return  # that of the caller, who raises it

    def run(self, params, x, mode):
        """As a call, unchecked."""
        for number, (layer, some) in enumerate(zip(self.layers, params, strict=True)):
            try:
                x = mode.apply(number, layer, some, x)
            except (ValueError, TypeError) as error:
                raise type(error)(f"layer {number}, {layer.name}: {error}") from None
        return x

    def __repr__(self):
        return f"Net({self.takes} -> {self.gives}, {len(self.layers)} layers)"


def chain(*parts):
    """Parts in a row as one part."""

    def bind(takes):
        net = Net(takes, *parts)
        cost = sum(layer.cost for layer in net.layers)
        return Layer("chain", takes, net.gives, net.init, net.run, cost)

    return bind


def tapped(read, *parts):
    """Parts in a row, and what ``read`` makes of their input and of each result, side by side."""

    def bind(takes):
        net = Net(takes, *parts)
        signals = [takes, *(layer.gives for layer in net.layers)]
        taps = [read(signal) for signal in signals]
        if not all(isinstance(tap.gives, Features) for tap in taps):
            raise ValueError(f"tapped: {taps[0].name} gives {taps[0].gives}; expected features")

        def init(rng):
            return [net.init(rng), [tap.init(rng) for tap in taps]]

        def apply(params, x, mode):
            results, inner, outer = [], mode.inside(0), mode.inside(1)
            for number, tap in enumerate(taps):
                if number:
                    layer = net.layers[number - 1]
                    x = inner.apply(number - 1, layer, params[0][number - 1], x)
                results.append(outer.apply(number, tap, params[1][number], x))
            return anp.concatenate(results, axis=-1)

        gives = Features(sum(tap.gives.features for tap in taps))
        cost = sum(layer.cost for layer in (*net.layers, *taps))
        return Layer("tapped", takes, gives, init, apply, cost)

    return bind


def named(name, takes, gives, apply, init=None, cost=0):
    """`Layer`; without ``init`` it has no parameters, and ``apply`` takes (x, mode)."""
    if init is None:
        return Layer(name, takes, gives, lambda rng: {}, lambda _, x, mode: apply(x, mode), cost)
    return Layer(name, takes, gives, init, apply, cost)


def expect(takes, *kinds):
    """Refuse a signal of another kind."""
    if not isinstance(takes, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise TypeError(f"takes {wanted}; what comes is {takes}")


def check_signal(x, signal):
    """The array of signals, as one of NumPy; refuses what is not of this kind, or holds NaN."""
    value = checks.as_float_array(getval(x), "the batch of signals")
    shape = value.shape
    batch = shape[1] if isinstance(signal, Generalized) and len(shape) > 1 else (shape or (0,))[0]
    if shape != signal.shape(batch):
        wanted = tuple("batch" if n == -1 else n for n in signal.shape(-1))
        raise ValueError(f"the signals have shape {shape}; the network takes {signal}: {wanted}")
    if isinstance(signal, Generalized) and signal.real and np.iscomplexobj(value):
        raise TypeError(f"the signals are complex ({value.dtype}); the network takes {signal}")
    if not np.isfinite(value).all():
        raise ValueError("the signals hold NaN or infinite numbers")
    if isinstance(signal, Sphere | Group) and signal.real and not isbox(x):
        check_real(value, signal)
    return x if isbox(x) else value


def check_real(x, signal):
    """Refuse coefficients that are not those of a real signal; of derivatives any are taken."""
    flat = np.ascontiguousarray(x, np.result_type(x, np.complex64))
    orders = 2 * getattr(signal, "N", 1) - 1
    guard = 0, *asymmetry(flat.reshape(x.shape[0] * x.shape[1], orders, signal.L**2), signal.L)
    otherwise = f"the network takes {signal}; complex signals are those with real=False"
    checks.check_coefficients(guard, x, True, checks.is_single(x), otherwise)


def _values(params):
    """Without traces."""
    if isinstance(params, dict):
        return {name: _values(some) for name, some in params.items()}
    if isinstance(params, list | tuple):
        return [_values(some) for some in params]
    return getval(params)


def _finite(params):
    if isinstance(params, dict | list | tuple):
        return all(map(_finite, params.values() if isinstance(params, dict) else params))
    return np.isfinite(params).all()


def _cast(params, dtype):
    if isinstance(params, dict):
        return {name: _cast(some, dtype) for name, some in params.items()}
    if isinstance(params, list | tuple):
        return [_cast(some, dtype) for some in params]
    return params.astype(np.result_type(dtype, np.complex64) if np.iscomplexobj(params) else dtype)
