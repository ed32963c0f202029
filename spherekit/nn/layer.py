"""What a layer is, and the context of a forward pass.

A layer is a value: a frozen dataclass of its hyper-parameters, which holds no arrays.
``layer.out_type(in_type)`` is the type of its output, or an error where the input does not fit;
``layer.init(in_type, rng)`` returns two trees of arrays, its trained parameters and its running state;
``layer.apply(params, state, x, context)`` is the forward pass.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import wraps
from typing import dataclass_transform

import numpy as np
from autograd.tracer import getval

from spherekit._core import checks
from spherekit._core.parallel import thread_count
from spherekit._core.pytree import tree_leaves
from spherekit.nn.types import Value, check_signals


class Context:
    """How a forward pass runs: in training or not, with which random numbers and threads, and who watches.

    Parameters
    ----------
    training : bool
        Normalization uses the statistics of the batch and updates the running state, dropout drops.
    rng : numpy Generator or int, optional
        Random numbers of layers that draw, as `Dropout` does in training; an int is a seed.
    threads : int, optional
    callbacks : sequence of callable
        Each is called as ``callback(path, layer, x, y)`` after each layer, the innermost first: ``path`` is a
        tuple of indices, ``x`` and ``y`` input and output, boxes of autograd in a differentiated pass.
    check_finite : bool
        Refuse a result that is not finite, and name the layer that it comes from.
    in_type : Sphere, SpinFields, SO3, Fragments or Features, optional
        Type of the input of the layer at hand; `Sequential` sets it for each of its layers.
    around : callable, optional
        Runs each layer that contains no others in place of a plain ``layer.apply``: ``around(layer, params,
        state, x, context) -> (y, state)``. Profiles and diagnoses of training are written with it.

    Attributes
    ----------
    path : tuple of int
        Place of the layer at hand in the network.

    >>> Context(training=True, rng=0).training, Context().path
    (True, ())
    """

    def __init__(
        self,
        *,
        training=False,
        rng=None,
        threads=None,
        callbacks=(),
        check_finite=True,
        in_type=None,
        around=None,
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
                raise TypeError(f"callbacks or around has {function!r}; expected functions")

    def replace(self, **attributes):
        """A copy with other attributes."""
        unknown = attributes.keys() - self.__dict__.keys()
        if unknown:
            known = ", ".join(self.__dict__)
            raise TypeError(f"a context has no {', '.join(sorted(unknown))}; it has {known}")
        context = object.__new__(type(self))
        context.__dict__.update(self.__dict__, **attributes)
        return context

    def of_layer(self, path, in_type):
        """The context of a layer at ``path`` below the layer at hand."""
        context = object.__new__(type(self))
        context.__dict__.update(self.__dict__)
        context.path, context.in_type = self.path + path, in_type
        return context

    def random(self) -> np.random.Generator:
        """The generator of random numbers.

        Raises
        ------
        ValueError
            The context has none.
        """
        if self.rng is None:
            raise ValueError(
                "draws random numbers in training, and the context has none; pass "
                "Context(training=True, rng=rng)"
            )
        return self.rng

    def __repr__(self):
        rng = "" if self.rng is None else f", rng={self.rng}"
        return f"Context(training={self.training}{rng}, threads={self.threads})"


def cached_by_type(method):
    """A method of (layer, in_type), computed once for each type: tables of the layer.

    They are stored with the layer, and neither compared nor pickled.
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
    """Base of all layers. A subclass is a frozen dataclass of its annotated fields, without a decorator.

    It defines `out_type`, and `forward` or, with running state, `apply`; `init` where it has parameters.
    Hyper-parameters must be hashable: tuples, not lists.

    A layer that applies another, ``self.inner``, passes it a context of its input:
    ``self.inner.apply(params, state, x, context.replace(in_type=...))``.

    >>> import numpy as np
    >>> from spherekit import nn
    >>> class Scale(nn.Layer):
    ...     "A learned factor for each channel."
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

    is_composite = False  # whether it is one of the package's own layers of layers

    def __init_subclass__(cls, is_final=False, **options):
        super().__init_subclass__(**options)
        for base in cls.__mro__[1:]:
            if base.__dict__.get("_is_final"):
                raise TypeError(
                    f"{cls.__name__} is a subclass of {base.__name__}; write a function that returns a "
                    f"{base.__name__} in its place"
                )
        if not is_final and "__init__" in cls.__dict__:
            raise TypeError(
                f"{cls.__name__} defines __init__; in its place annotate hyper-parameters in the body of the "
                "class, channels: int = 4, and check them in __post_init__"
            )
        for name in cls.__dict__.get("__annotations__", {}):
            if hasattr(Layer, name) and name != "layers":
                raise TypeError(f"{cls.__name__} has a field {name!r}, which is a method of layers")
        cls._is_final = is_final
        dataclass(frozen=True, repr=False)(cls)
        for method in (
            "__setattr__",
            "__delattr__",
        ):  # the base's do it, and a decorator may follow
            if method in cls.__dict__:
                delattr(cls, method)

    def out_type(self, in_type) -> Value:
        """Type of the output for an input of type ``in_type``.

        Raises
        ------
        TypeError, ValueError
            The input does not fit.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define out_type(self, in_type)")

    def init(self, in_type, rng):
        """(params, state): parameters to train and running state, two dicts of arrays.

        Parameters
        ----------
        in_type : type of the input
        rng : numpy Generator
        """
        return {}, {}

    def forward(self, params, x, context):
        """The output for a batch ``x``; of layers without running state."""
        raise NotImplementedError(
            f"{type(self).__name__} does not define forward(self, params, x, context)"
        )

    def apply(self, params, state, x, context):
        """(output, new state) of a forward pass.

        Parameters
        ----------
        params, state : from `init`
        x : array
            A batch of signals of type ``context.in_type``.
        context : Context
        """
        return self.forward(params, x, context), state

    def multiplications(self, in_type) -> int:
        """Multiplications of one signal, 0 where not counted."""
        return 0

    def __call__(self, params, x, *, in_type=None, state=None, threads=None):
        """The output for a batch, not in training; of a layer by itself, ``in_type`` says of which type."""
        if in_type is None:
            raise TypeError(f"{self!r} by itself does not know its input; pass in_type=")
        self.out_type(in_type)
        x, state = check_signals(x, in_type), self.state_or_empty(state, in_type)
        y, _ = self.apply(params, state, x, Context(threads=threads, in_type=in_type))
        if not np.isfinite(getval(y)).all():
            raise ValueError(f"{self!r}: the results hold NaN or infinite numbers")
        return y

    def state_or_empty(self, state, in_type):
        """The state, or where it is None the empty one of a layer without; refuses None for others."""
        if state is None:
            state = self._initial_state(in_type)
            if tree_leaves(state):
                raise ValueError(
                    "it has running state: pass state=state, as params, state = net.init(rng) returns it"
                )
        return state

    @cached_by_type
    def _initial_state(self, in_type):
        return self.init(in_type, np.random.default_rng(0))[1]
