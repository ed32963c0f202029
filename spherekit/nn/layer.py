"""The base class of layers, and the context of a forward pass.

A layer is a frozen dataclass of its hyperparameters, without arrays. ``layer.out_type(in_type)`` is the type
of its output, and raises an error if the input is not accepted; ``layer.init(in_type, rng)`` returns two
trees of arrays, the trained parameters and the running state; ``layer.apply(params, state, x, context)`` is
the forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import dataclass_transform

import numpy as np
from autograd.tracer import getval
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.parallel import thread_count
from spherekit._core.pytree import tree_leaves
from spherekit.nn.types import SignalType, Value, check_signals


class Context:
    """Options of a forward pass: training mode, random numbers, threads and callbacks.

    Parameters
    ----------
    training : bool
        Training mode: normalization uses the statistics of the batch and updates the running state, and
        dropout is active.
    rng : numpy.random.Generator or int, optional
        Random numbers, which `Dropout` needs in training; an int is a seed.
    threads : int, optional
        Number of threads; all available CPUs by default.
    callbacks : callable or sequence of callable
        Each is called as ``callback(path, layer, x, y)`` after each layer, inner layers first: ``path`` is a
        tuple of indices; ``x`` and ``y`` are input and output, autograd boxes in a differentiated pass.
    check_finite : bool
        Raise an error if a result is not finite, which names the layer that it comes from.
    in_type : Sphere, SpinFields, SO3, Fragments or Features, optional
        Type of the input of the current layer; `Sequential` sets it for each of its layers.
    around : callable, optional
        Runs each layer that contains no others, in place of ``layer.apply``: ``around(layer, params, state,
        x, context) -> (y, state)``. Profiling and the diagnosis of divergence are based on it.

    Attributes
    ----------
    path : tuple of int
        Position of the current layer in the network.

    Raises
    ------
    TypeError
        If ``rng`` is neither a generator nor an int, or if ``callbacks`` or ``around`` are not callable.
    ValueError
        If ``threads`` is less than 1.

    Examples
    --------
    Print the output of each layer of a network:

    >>> import numpy as np
    >>> from spherekit import nn
    >>> def print_shape(path, layer, x, y):
    ...     print(path, layer, y.shape)
    >>> net = nn.Sequential(nn.Sphere(4, 1), nn.PowerSpectrum(), nn.Dense(2))
    >>> params, state = net.init(0)
    >>> context = nn.Context(callbacks=print_shape)
    >>> y, state = net.apply(params, state, np.zeros((5, 1, 16), complex), context)
    (0,) PowerSpectrum() (5, 4)
    (1,) Dense(2) (5, 2)
    """

    def __init__(
        self,
        *,
        training: bool = False,
        rng: np.random.Generator | int | None = None,
        threads: int | None = None,
        callbacks: Iterable[Callable] | Callable = (),
        check_finite: bool = True,
        in_type: SignalType | None = None,
        around: Callable | None = None,
    ):
        self.training = bool(training)
        self.rng = None if rng is None else checks.generator(rng)
        self.threads = thread_count(threads)
        self.callbacks = tuple(callbacks) if isinstance(callbacks, Iterable) else (callbacks,)
        self.check_finite = bool(check_finite)
        self.in_type = in_type
        self.around = around
        self.path = ()
        for function in (*self.callbacks, *([] if around is None else [around])):
            if not callable(function):
                raise TypeError(f"callbacks or around has {function!r}; expected callables")

    def replace(self, **attributes: object) -> Context:
        """A copy with some attributes replaced.

        Parameters
        ----------
        **attributes : object
            New values, by the name of the attribute.

        Returns
        -------
        Context
            The copy.

        Raises
        ------
        TypeError
            If a name is not that of an attribute.
        """
        unknown = attributes.keys() - self.__dict__.keys()
        if unknown:
            names = ", ".join(self.__dict__)
            raise TypeError(
                f"attributes of a context are {names}; got {', '.join(sorted(unknown))}"
            )
        context = object.__new__(type(self))
        context.__dict__.update(self.__dict__, **attributes)
        return context

    def of_layer(self, path: tuple[int, ...], in_type: SignalType) -> Context:
        """The context of a layer within the current layer.

        Parameters
        ----------
        path : tuple of int
            Position of the layer, relative to the current layer.
        in_type : Sphere, SpinFields, SO3, Fragments or Features
            Type of the input of the layer.

        Returns
        -------
        Context
            A copy with the new path and type.
        """
        context = object.__new__(type(self))
        context.__dict__.update(self.__dict__)
        context.path = self.path + path
        context.in_type = in_type
        return context

    def random(self) -> np.random.Generator:
        """The random number generator.

        Returns
        -------
        numpy.random.Generator
            The generator ``rng``.

        Raises
        ------
        ValueError
            If the context has no generator.
        """
        if self.rng is None:
            raise ValueError(
                "random numbers are needed in training, and the context has no generator; pass "
                "Context(training=True, rng=rng)"
            )
        return self.rng

    def __repr__(self):
        rng = "" if self.rng is None else f", rng={self.rng}"
        return f"Context(training={self.training}{rng}, threads={self.threads})"


def cached_by_type(method):
    """Decorator of a method of (layer, in_type): results, the tables of a layer, are cached for each type.

    The cache is an attribute of the layer that is neither compared nor pickled.
    """

    @wraps(method)
    def cached(self, in_type):
        tables = self.__dict__.setdefault("_cached_by_type", {})
        key = method.__name__, in_type
        if key not in tables:
            tables[key] = method(self, in_type)
        return tables[key]

    return cached


@dataclass_transform(frozen_default=True)
@dataclass(frozen=True, repr=False)
class Layer(Value):
    """Base class of layers. A subclass is a frozen dataclass of its annotated fields, without a decorator.

    It defines `out_type`, and `forward` or, if it has running state, `apply`; and `init` if it has
    parameters. Hyperparameters must be hashable: tuples, not lists.

    A layer that contains another one, ``self.inner``, passes it a context with the type of its input:
    ``self.inner.apply(params, state, x, context.replace(in_type=...))``.

    Examples
    --------
    A layer that multiplies each channel by a trained factor:

    >>> import numpy as np
    >>> from spherekit import nn
    >>> class Scale(nn.Layer):
    ...     "A trained factor for each channel."
    ...     initial: float = 1.0
    ...
    ...     def out_type(self, in_type):
    ...         return nn.expect_type(in_type, nn.Sphere)
    ...
    ...     def init(self, in_type, rng):
    ...         return {"factor": np.full((in_type.channels, 1), self.initial)}, {}
    ...
    ...     def forward(self, params, x, context):
    ...         return params["factor"] * x
    >>> net = nn.Sequential(nn.Sphere(4, 2, real=False), Scale(3.0))
    >>> params, state = net.init(0)
    >>> net(params, np.ones((1, 2, 16), complex))[0, :, 0].real.tolist()
    [3.0, 3.0]
    """

    is_composite = False  # True for the layers of this package that contain layers

    def __init_subclass__(cls, is_final=False, **options):
        super().__init_subclass__(**options)
        for base in cls.__mro__[1:]:
            if base.__dict__.get("_is_final"):
                raise TypeError(
                    f"{cls.__name__} is a subclass of {base.__name__}, which cannot be subclassed; write a "
                    f"function that returns a {base.__name__} instead"
                )
        if not is_final and "__init__" in cls.__dict__:
            raise TypeError(
                f"{cls.__name__} defines __init__; instead, annotate hyperparameters in the body of the "
                "class, channels: int = 4, and check them in __post_init__"
            )
        for name in cls.__dict__.get("__annotations__", {}):
            if hasattr(Layer, name) and name != "layers":
                raise TypeError(
                    f"{cls.__name__} has a field {name!r}, the name of a method of layers; rename it"
                )
        cls._is_final = is_final
        dataclass(frozen=True, repr=False)(cls)
        for method in ("__setattr__", "__delattr__"):  # inherit those of Value
            if method in cls.__dict__:
                delattr(cls, method)

    def out_type(self, in_type: SignalType) -> SignalType:
        """Type of the output.

        Parameters
        ----------
        in_type : Sphere, SpinFields, SO3, Fragments or Features
            Type of the input.

        Returns
        -------
        Sphere, SpinFields, SO3, Fragments or Features
            Type of the output.

        Raises
        ------
        TypeError, ValueError
            If the layer does not accept the input.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define out_type(self, in_type)")

    def init(self, in_type: SignalType, rng: np.random.Generator) -> tuple[dict, dict]:
        """Initial parameters and running state.

        Parameters
        ----------
        in_type : Sphere, SpinFields, SO3, Fragments or Features
            Type of the input.
        rng : numpy.random.Generator
            Random numbers of the initial parameters.

        Returns
        -------
        params : dict
            Parameters to train, arrays by name.
        state : dict
            Running state, arrays by name.
        """
        return {}, {}

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        """The output for a batch; defined by layers without running state.

        Parameters
        ----------
        params : dict
            Parameters, as `init` returns them.
        x : array
            A batch of signals of type ``context.in_type``.
        context : Context
            Options of the forward pass.

        Returns
        -------
        array
            A batch of signals of type ``out_type(context.in_type)``.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not define forward(self, params, x, context)"
        )

    def apply(
        self, params: dict, state: dict, x: np.ndarray, context: Context
    ) -> tuple[np.ndarray, dict]:
        """A forward pass.

        Parameters
        ----------
        params : dict
            Parameters, as `init` returns them.
        state : dict
            Running state, as `init` returns it.
        x : array
            A batch of signals of type ``context.in_type``.
        context : Context
            Options of the forward pass.

        Returns
        -------
        y : array
            A batch of signals of type ``out_type(context.in_type)``.
        state : dict
            New running state.
        """
        return self.forward(params, x, context), state

    def multiplications(self, in_type: SignalType) -> int:
        """Number of multiplications for a single signal, 0 where they are not counted.

        Parameters
        ----------
        in_type : Sphere, SpinFields, SO3, Fragments or Features
            Type of the input.

        Returns
        -------
        int
            Number of multiplications.
        """
        return 0

    def __call__(
        self,
        params: dict,
        x: ArrayLike,
        *,
        in_type: SignalType | None = None,
        state: dict | None = None,
        threads: int | None = None,
    ) -> np.ndarray:
        """The output for a batch, not in training mode.

        Parameters
        ----------
        params : dict
            Parameters, as `init` returns them.
        x : array_like
            A batch of signals.
        in_type : Sphere, SpinFields, SO3, Fragments or Features
            Type of the signals.
        state : dict, optional
            Running state; required if the layer has one.
        threads : int, optional
            Number of threads; all available CPUs by default.

        Returns
        -------
        array
            A batch of signals of type ``out_type(in_type)``.

        Raises
        ------
        TypeError, ValueError
            If ``in_type`` is missing, if signals are not of this type, or if results are not finite.
        """
        if in_type is None:
            raise TypeError(f"the type of the input of {self!r} is not defined; pass in_type=")
        self.out_type(in_type)
        x = check_signals(x, in_type)
        state = self.state_or_empty(state, in_type)
        y, _ = self.apply(params, state, x, Context(threads=threads, in_type=in_type))
        if not np.isfinite(getval(y)).all():
            raise ValueError(f"{self!r}: the results contain NaN or infinite values")
        return y

    def state_or_empty(self, state: dict | None, in_type: SignalType) -> dict:
        """The running state, or the empty one of a layer without state if ``state`` is None.

        Parameters
        ----------
        state : dict or None
            Running state.
        in_type : Sphere, SpinFields, SO3, Fragments or Features
            Type of the input.

        Returns
        -------
        dict
            Running state.

        Raises
        ------
        ValueError
            If ``state`` is None and the layer has running state.
        """
        if state is None:
            state = self._initial_state(in_type)
            if tree_leaves(state):
                raise ValueError("it has running state; pass state=state, as returned by init")
        return state

    @cached_by_type
    def _initial_state(self, in_type):
        return self.init(in_type, np.random.default_rng(0))[1]
