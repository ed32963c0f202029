"""Networks: sequences of layers, with the type of the input of each layer.

Types are computed when a network is created, so that errors are raised before any data are processed.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy

import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval
from numpy.typing import ArrayLike, DTypeLike

from spherekit._core import checks
from spherekit._core.pytree import map_leaves, path_text, tree_leaves
from spherekit.nn.layer import Context, Layer, cached_by_type
from spherekit.nn.stages import (
    NotFiniteError,
    Stage,
    check_layers,
    check_shapes,
    create_stage,
    initialize,
    raise_if_not_finite,
    run_stage,
    stages_in_sequence,
)
from spherekit.nn.types import TYPES, Features, SignalType, check_signals, set_fields


class Composite(Layer):
    """Base class of layers that contain others, in ``layers``."""

    is_composite = True


class Sequential(Composite, is_final=True):
    """Layers in sequence: a network if it starts with the type of its input, otherwise a block of layers.

    ::

        net = nn.Sequential(nn.Sphere(10, 1), nn.Lift(8, N=3), nn.Pointwise("relu", oversample=2),
                            nn.GlobalMean(), nn.Dense(2))
        params, state = net.init(rng)
        y = net(params, x, state=state)                                                # inference
        y, state = net.apply(params, state, x, nn.Context(training=True, rng=rng))     # training

    Parameters
    ----------
    *sequence : Sphere, SpinFields, SO3, Fragments, Features or Layer
        Type of the input (optional), then the layers, each of which accepts the output of the previous one. A
        layer may be a `Sequential` without a type.
    layers : sequence of Layer
        The layers, as a keyword in place of ``sequence``.
    in_type : Sphere, SpinFields, SO3, Fragments or Features, optional
        Type of the input, as a keyword.

    Raises
    ------
    TypeError, ValueError
        If a layer does not accept the output of the previous one; the message names the layer.

    Examples
    --------
    A rotation-invariant network with a Clebsch-Gordan product:

    >>> import numpy as np
    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Sphere(4, 3), nn.ToFragments(), nn.TensorProduct("mst"), nn.Convolution(2),
    ...                     nn.Invariants())
    >>> net.out_type()
    Features(2)
    >>> params, state = net.init(0)
    >>> net(params, np.zeros((5, 3, 16), complex)).shape
    (5, 2)
    """

    layers: tuple[Layer, ...]
    in_type: SignalType | None = None

    def __init__(
        self,
        *sequence: SignalType | Layer,
        layers: Iterable[Layer] = (),
        in_type: SignalType | None = None,
    ):
        if sequence and isinstance(sequence[0], TYPES):
            if in_type is not None:
                raise TypeError(
                    "in_type was passed twice, as first argument and by name; pass it once"
                )
            in_type, *sequence = sequence
        set_fields(self, layers=layer_tuple(sequence, layers), in_type=in_type)
        check_layers(self.layers)
        if in_type is not None:
            self.stages(in_type)

    def __repr__(self):
        arguments = [*([] if self.in_type is None else [self.in_type]), *self.layers]
        return f"Sequential({indent_lines(arguments)})"

    def out_type(self, in_type: SignalType | None = None) -> SignalType:
        """Type of the output.

        Parameters
        ----------
        in_type : Sphere, SpinFields, SO3, Fragments or Features, optional
            Type of the input; required if the `Sequential` was created without one.

        Returns
        -------
        Sphere, SpinFields, SO3, Fragments or Features
            Type of the output.

        Raises
        ------
        TypeError, ValueError
            If a layer does not accept its input, or if ``in_type`` is missing.
        """
        in_type = self._input(in_type)
        return self._stages(in_type)[-1].out_type if self.layers else in_type

    def stages(self, in_type: SignalType | None = None) -> tuple[Stage, ...]:
        """The layers with their paths and the types of their inputs and outputs.

        Parameters
        ----------
        in_type : Sphere, SpinFields, SO3, Fragments or Features, optional
            Type of the input; required if the `Sequential` was created without one.

        Returns
        -------
        tuple of spherekit.nn.stages.Stage
            A stage for each layer.
        """
        return self._stages(self._input(in_type))

    @cached_by_type
    def _stages(self, in_type):
        return stages_in_sequence(self.layers, in_type)

    def multiplications(self, in_type: SignalType | None = None) -> int:
        return sum(stage.layer.multiplications(stage.in_type) for stage in self.stages(in_type))

    def _input(self, in_type):
        if in_type is None and self.in_type is None:
            raise TypeError(
                "the type of the input of this Sequential is not defined; pass it as first argument"
            )
        if None not in (in_type, self.in_type) and in_type != self.in_type:
            raise ValueError(f"accepts {self.in_type}; its input is {in_type}")
        return self.in_type if in_type is None else in_type

    def init(
        self,
        in_type: SignalType | np.random.Generator | int,
        rng: np.random.Generator | int | None = None,
        *,
        dtype: DTypeLike = np.float64,
    ) -> tuple[list, list]:
        """Initial parameters and running state: ``net.init(rng)``, or ``block.init(in_type, rng)``.

        Parameters
        ----------
        in_type : Sphere, SpinFields, SO3, Fragments or Features
            Type of the input, for a block; omitted for a network.
        rng : numpy.random.Generator or int
            Random numbers of the initial parameters; an int is a seed.
        dtype : float32 or float64
            Type of real parameters; complex ones have the same precision.

        Returns
        -------
        params : list
            Parameters to train: for each layer a dict of arrays, or a nested list.
        state : list
            Running state, likewise.
        """
        if not isinstance(in_type, TYPES):
            if rng is not None:
                raise TypeError(
                    f"in_type is {in_type!r}, rng is {rng!r}; expected net.init(rng, dtype=dtype), or for a "
                    "block without in_type, block.init(in_type, rng)"
                )
            in_type, rng = None, in_type
        dtype = checks.data_type(dtype, "dtype of parameters", np.float32, np.float64)
        rng = checks.generator(rng)
        pairs = [initialize(stage, rng) for stage in self.stages(in_type)]
        params, state = ([pair[k] for pair in pairs] for k in range(2))
        return tuple(
            map_leaves(lambda array: _cast(array, dtype), tree) for tree in (params, state)
        )

    def __call__(
        self,
        params: list,
        x: ArrayLike,
        *,
        in_type: SignalType | None = None,
        state: list | None = None,
        threads: int | None = None,
    ) -> np.ndarray:
        """The output for a batch of signals, not in training mode.

        Parameters
        ----------
        params : list
            Parameters, from `init` or from training.
        x : array_like [shape=(batch, ...)]
            Signals, of the shape of ``in_type``; the batch may be empty.
        in_type : Sphere, SpinFields, SO3, Fragments or Features, optional
            Type of the input, for a block.
        state : list, optional
            Running state; may be omitted for networks without running state.
        threads : int, optional
            Number of threads; all available CPUs by default.

        Returns
        -------
        array
            Signals of type ``out_type()``.

        Raises
        ------
        ValueError, TypeError
            If signals are not of type ``in_type``, if parameters are those of another network, or if results
            are not finite; the message names the layer.
        """
        context = Context(threads=threads, in_type=in_type)
        return self.apply(params, state, x, context)[0]

    def apply(
        self, params: list, state: list | None, x: ArrayLike, context: Context | None = None
    ) -> tuple[np.ndarray, list]:
        """A forward pass, in training mode or not.

        Parameters
        ----------
        params : list
            Parameters, from `init` or from training.
        state : list or None
            Running state; None for networks without running state.
        x : array_like [shape=(batch, ...)]
            Signals, of the shape of ``in_type``.
        context : Context, optional
            Options of the forward pass; by default not in training mode.

        Returns
        -------
        y : array
            Signals of type ``out_type()``.
        state : list
            New running state.

        Raises
        ------
        ValueError, TypeError
            As for a call.
        """
        context = Context() if context is None else context
        if not isinstance(context, Context):
            raise TypeError(f"context is {context!r}; expected nn.Context(training=True, rng=rng)")
        in_type = self._input(context.in_type)
        if context.path:
            return self._run(params, state, x, context)
        context = context.replace(in_type=in_type)
        x = check_signals(x, in_type)
        state = self._validate_state(params, state, in_type)
        if not context.training:
            self._check_shapes(params, state, in_type)
        if not context.check_finite:
            return self._run(params, state, x, context)
        random_state = None if context.rng is None else context.rng.bit_generator.state
        try:
            y, new_state = self._run(params, state, x, context)
        except ValueError:  # an earlier layer may have returned values that are not finite
            self._check_shapes(params, state, in_type)
            self._locate_not_finite(params, state, x, context, random_state)
            raise
        if not np.isfinite(getval(y)).all():
            self._locate_not_finite(params, state, x, context, random_state)
            raise ValueError("the results contain NaN or infinite values")
        return y, new_state

    def _run(self, params, state, x, context):
        states = []
        for k, stage in enumerate(self._stages(context.in_type)):
            x, new_state = run_stage(stage, params[k], state[k], x, context)
            states.append(new_state)
        return x, states

    def _validate_state(self, params, state, in_type):
        state = self.state_or_empty(state, in_type)
        for name, tree in (("params", params), ("state", state)):
            tree = getval(tree)
            if self._is_pair(tree):
                raise ValueError(f"{name} is a pair (params, state); pass them separately")
            if isinstance(tree, list | tuple) and len(tree) == len(self.layers):
                continue
            content = f"{len(tree)} entries" if isinstance(tree, list | tuple) else f"{tree!r:.60}"
            raise ValueError(
                f"{name} has {content}; expected one for each of the {len(self.layers)} layers, from "
                "params, state = net.init(rng)"
            )
        return state

    def _is_pair(self, tree):
        """Whether a tree is a tuple (params, state), not a tuple of the entries of two layers."""
        if not isinstance(tree, tuple) or len(tree) != 2:
            return False
        if len(self.layers) == 2 and all(layer.is_composite for layer in self.layers):
            return False  # entries of composite layers are lists too
        return all(isinstance(getval(entry), list | tuple) for entry in tree)

    def _check_shapes(self, params, state, in_type):
        """Raise ValueError for parameters and state of another network."""
        params, state = getval(params), getval(state)
        shapes = [np.shape(getval(array)) for array in tree_leaves((params, state))]
        if shapes != self._shapes(in_type):
            check_shapes(self.stages(in_type), self.init(in_type, 0), params, state)

    @cached_by_type
    def _shapes(self, in_type):
        return [array.shape for array in tree_leaves(self.init(in_type, 0))]

    def _locate_not_finite(self, params, state, x, context, random_state):
        """Run the network again to raise an error that names the first layer with non-finite results."""
        params = map_leaves(getval, params)
        x = getval(x)
        for stage, p, s in zip(self.stages(context.in_type), params, state, strict=True):
            for name, tree in (("parameters", p), ("running state", s)):
                if not all(np.isfinite(array).all() for array in tree_leaves(tree)):
                    raise ValueError(
                        f"layer {path_text(stage.path)}, {type(stage.layer).__name__}: {name} contain NaN or "
                        "infinite values"
                    )
        rng = deepcopy(context.rng)
        if rng is not None:
            rng.bit_generator.state = random_state
        context = context.replace(rng=rng, callbacks=(raise_if_not_finite,), around=None)
        with np.errstate(all="ignore"):
            try:
                self._run(params, state, x, context)
            except NotFiniteError as error:
                raise ValueError(str(error)) from None
            except ValueError:
                return  # the caller raises its own error again


class ConcatReadouts(Composite, is_final=True):
    r"""Layers in sequence; the features of the input and of each output are concatenated.

    .. math:: y = (r(x_0), r(x_1), \ldots, r(x_n)), \qquad x_k = \mathrm{layer}_k(x_{k-1})

    with a readout r, which has separate parameters for each of the signals (Kondor, Lin and Trivedi 2018,
    arXiv:1806.09231, section 4).

    Parameters
    ----------
    readout : Layer
        Layer that returns `Features`, such as `Invariants`.
    *sequence : Layer
        The layers.
    layers : sequence of Layer
        The layers, as a keyword in place of ``sequence``.

    Raises
    ------
    TypeError, ValueError
        If a layer does not accept the output of the previous one; the message names the layer.

    Notes
    -----
    * Input: any type that the readout and the first layer accept.
    * Output: `Features`, real array [shape=(batch, features)], where ``features`` is the total
      number of features of all readouts.
    * Parameters and state: pairs of lists, those of the layers and those of the readouts. Layer k has the
      path ``0.k`` in messages, the readout of x_k the path ``1.k``.
    * Equivariance: that of the layers and the readout.

    Examples
    --------
    The invariants of a channel, and of the five channels after a convolution:

    >>> from spherekit import nn
    >>> readouts = nn.ConcatReadouts(nn.Invariants(), nn.Convolution(5))
    >>> nn.Sequential(nn.Sphere(4, 1), nn.ToFragments(), readouts).out_type()
    Features(6)
    """

    readout: Layer
    layers: tuple[Layer, ...]

    def __init__(self, readout: Layer, *sequence: Layer, layers: Iterable[Layer] = ()):
        set_fields(self, readout=readout, layers=layer_tuple(sequence, layers))
        check_layers((readout, *self.layers))

    def __repr__(self):
        return f"ConcatReadouts({indent_lines([self.readout, *self.layers])})"

    @cached_by_type
    def stages(self, in_type: SignalType) -> tuple[Stage, ...]:
        """The layers with their paths and the types of their inputs and outputs.

        Parameters
        ----------
        in_type : Sphere, SpinFields, SO3, Fragments or Features
            Type of the input.

        Returns
        -------
        tuple of spherekit.nn.stages.Stage
            A stage for each layer.
        """
        return stages_in_sequence(self.layers, in_type, prefix=(0,))

    @cached_by_type
    def readout_stages(self, in_type: SignalType) -> tuple[Stage, ...]:
        """The readouts with their paths and the types of their inputs and outputs.

        Parameters
        ----------
        in_type : Sphere, SpinFields, SO3, Fragments or Features
            Type of the input.

        Returns
        -------
        tuple of spherekit.nn.stages.Stage
            A stage for each readout: that of the input, then those of the outputs of the layers.
        """
        signals = [in_type, *(stage.out_type for stage in self.stages(in_type))]
        stages = [create_stage((1, k), self.readout, signal) for k, signal in enumerate(signals)]
        if not all(isinstance(stage.out_type, Features) for stage in stages):
            raise ValueError(f"{self.readout!r} returns {stages[0].out_type}; expected Features")
        return tuple(stages)

    def out_type(self, in_type: SignalType) -> Features:
        return Features(sum(stage.out_type.features for stage in self.readout_stages(in_type)))

    def init(self, in_type: SignalType, rng: np.random.Generator) -> tuple[list, list]:
        layers = [initialize(stage, rng) for stage in self.stages(in_type)]
        readouts = [initialize(stage, rng) for stage in self.readout_stages(in_type)]
        params, state = (
            [[pair[k] for pair in pairs] for pairs in (layers, readouts)] for k in (0, 1)
        )
        return params, state

    def apply(
        self, params: list, state: list, x: np.ndarray, context: Context
    ) -> tuple[np.ndarray, list]:
        features = []
        layer_states = []
        readout_states = []
        stages = None, *self.stages(context.in_type)
        readouts = self.readout_stages(context.in_type)
        for k, (stage, readout) in enumerate(zip(stages, readouts, strict=True)):
            if stage is not None:
                x, new_state = run_stage(stage, params[0][k - 1], state[0][k - 1], x, context)
                layer_states.append(new_state)
            y, new_state = run_stage(readout, params[1][k], state[1][k], x, context)
            features.append(y)
            readout_states.append(new_state)
        return anp.concatenate(features, axis=-1), [layer_states, readout_states]

    def multiplications(self, in_type: SignalType) -> int:
        stages = *self.stages(in_type), *self.readout_stages(in_type)
        return sum(stage.layer.multiplications(stage.in_type) for stage in stages)


def layer_tuple(sequence, layers):
    """The layers of a composite, passed as arguments or, by `dataclasses.replace`, as a keyword."""
    if sequence and layers:
        raise TypeError("layers were passed twice, as arguments and by name; pass them once")
    return tuple(sequence or layers)


def indent_lines(values):
    """Representations of values, one per line, for the representation of a constructor call."""
    lines = "".join(f"{value!r},\n" for value in values)
    return "\n" + "".join(f"    {line}\n" for line in lines.splitlines()) if values else ""


def _cast(array, dtype):
    complex_type = np.result_type(dtype, np.complex64)
    return np.asarray(array).astype(complex_type if np.iscomplexobj(array) else dtype)
