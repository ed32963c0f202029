"""Networks: layers in sequence, each with the type of its input.

Types are worked out when a network is created, so that mistakes are found before any number is multiplied.
"""

from copy import deepcopy

import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval

from spherekit._core import checks
from spherekit._core.pytree import map_leaves, path_text, tree_leaves
from spherekit.nn.layer import Context, Layer, cached_by_type
from spherekit.nn.stages import (
    NotFiniteError,
    check_layers,
    check_shapes,
    create_stage,
    initialize,
    refuse_not_finite,
    run_stage,
    stages_in_sequence,
)
from spherekit.nn.types import TYPES, Features, check_signals, set_fields


class Composite(Layer):
    """Base of layers that contain others, in ``layers``."""

    is_composite = True


class Sequential(Composite, is_final=True):
    """Layers in sequence. With the type of its input first it is a network; without, a block of layers.

    ::

        net = nn.Sequential(nn.Sphere(10, 1), nn.Lift(8, N=3), nn.Pointwise("relu", oversample=2),
                            nn.GlobalMean(), nn.Dense(2))
        params, state = net.init(rng)
        y = net(params, x, state=state)                                                # in use
        y, state = net.apply(params, state, x, nn.Context(training=True, rng=rng))     # in training

    Parameters
    ----------
    in_type : Sphere, SpinFields, SO3, Fragments or Features, optional
        Type of the input, first.
    *sequence : Layer
        Each accepts the output of the one before; a `Sequential` without a type may be among them.
    layers : sequence of Layer
        The same as a field.

    Raises
    ------
    TypeError, ValueError
        A layer does not accept what comes before it; the message names it.

    >>> import numpy as np
    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Sphere(4, 3), nn.ToFragments(), nn.TensorProduct("mst"), nn.Convolution(2),
    ...                     nn.Invariants())
    >>> params, state = net.init(0)
    >>> net(params, np.zeros((5, 3, 16), complex)).shape
    (5, 2)
    >>> net.out_type()
    Features(2)
    """

    layers: tuple
    in_type: object = None

    def __init__(self, *sequence, layers=(), in_type=None):
        if sequence and isinstance(sequence[0], TYPES):
            if in_type is not None:
                raise TypeError("the type of the input comes twice: first, and as in_type=")
            in_type, *sequence = sequence
        set_fields(self, layers=joined(sequence, layers), in_type=in_type)
        check_layers(self.layers)
        if in_type is not None:
            self.stages(in_type)

    def __repr__(self):
        parts = [*([] if self.in_type is None else [self.in_type]), *self.layers]
        return f"Sequential({indented(parts)})"

    def out_type(self, in_type=None):
        """Type of the output; a network knows the type of its input."""
        in_type = self._input(in_type)
        return self._stages(in_type)[-1].out_type if self.layers else in_type

    def stages(self, in_type=None):
        """The layers with their paths and the types of input and output, a tuple of `stages.Stage`."""
        return self._stages(self._input(in_type))

    @cached_by_type
    def _stages(self, in_type):
        return stages_in_sequence(self.layers, in_type)

    def multiplications(self, in_type=None):
        """Multiplications of one signal."""
        return sum(stage.layer.multiplications(stage.in_type) for stage in self.stages(in_type))

    def _input(self, in_type):
        if in_type is None and self.in_type is None:
            raise TypeError("this Sequential does not know the type of its input; pass it first")
        if None not in (in_type, self.in_type) and in_type != self.in_type:
            raise ValueError(f"accepts {self.in_type}; its input is {in_type}")
        return self.in_type if in_type is None else in_type

    def init(self, in_type, rng=None, *, dtype=np.float64):
        """(params, state), trees of arrays: ``net.init(rng)``, or of a block ``block.init(in_type, rng)``.

        Parameters
        ----------
        in_type : type of the input, of a block
        rng : numpy Generator or int
            An int is a seed.
        dtype : float32 or float64
            Of real parameters; complex ones have the same precision.
        """
        if not isinstance(in_type, TYPES):
            if rng is not None:
                raise TypeError(
                    f"in_type is {in_type!r}, rng is {rng!r}; expected net.init(rng, dtype=dtype), or of a "
                    "block block.init(in_type, rng)"
                )
            in_type, rng = None, in_type
        dtype = checks.data_type(dtype, "dtype of parameters", np.float32, np.float64)
        rng = checks.generator(rng)
        pairs = [initialize(stage, rng) for stage in self.stages(in_type)]
        trees = ([pair[k] for pair in pairs] for k in range(2))
        return tuple(map_leaves(lambda array: _cast(array, dtype), tree) for tree in trees)

    def __call__(self, params, x, *, in_type=None, state=None, threads=None):
        """The output for a batch of signals, which may be empty; as the network is used, not in training.

        Parameters
        ----------
        params : list
            From `init`, or trained.
        x : array
            Of the shape of ``in_type``.
        in_type : type of the input, of a block
        state : list, optional
            Running state; may be left out of networks without.
        threads : int, optional

        Raises
        ------
        ValueError, TypeError
            Signals of another type, or parameters of another network; results that are not finite: the
            message names the layer.
        """
        context = Context(threads=threads, in_type=in_type)
        return self.apply(params, state, x, context)[0]

    def apply(self, params, state, x, context=None):
        """(output, new state) of a forward pass; arguments and errors as in a call.

        Parameters
        ----------
        context : Context, optional
        """
        context = Context() if context is None else context
        if not isinstance(context, Context):
            raise TypeError(f"context is {context!r}; expected nn.Context(training=True, rng=rng)")
        in_type = self._input(context.in_type)
        if context.path:
            return self._run(params, state, x, context)
        context = context.replace(in_type=in_type)
        x, state = check_signals(x, in_type), self._checked_state(params, state, in_type)
        if not context.training:
            self._check_shapes(params, state, in_type)
        if not context.check_finite:
            return self._run(params, state, x, context)
        random_state = None if context.rng is None else context.rng.bit_generator.state
        try:
            y, new_state = self._run(params, state, x, context)
        except ValueError:  # perhaps because a layer before it lost its numbers
            self._check_shapes(params, state, in_type)
            self._locate_not_finite(params, state, x, context, random_state)
            raise
        if not np.isfinite(getval(y)).all():
            self._locate_not_finite(params, state, x, context, random_state)
            raise ValueError("the results hold NaN or infinite numbers")
        return y, new_state

    def _run(self, params, state, x, context):
        states = []
        for number, stage in enumerate(self._stages(context.in_type)):
            x, new_state = run_stage(stage, params[number], state[number], x, context)
            states.append(new_state)
        return x, states

    def _checked_state(self, params, state, in_type):
        state = self.state_or_empty(state, in_type)
        for name, tree in (("params", params), ("state", state)):
            tree = getval(tree)
            if isinstance(tree, list | tuple) and len(tree) == len(self.layers):
                continue
            content = f"{len(tree)} entries" if isinstance(tree, list | tuple) else f"{tree!r:.60}"
            hint = ""
            if isinstance(tree, tuple) and len(tree) == 2:
                hint = ": a pair is what init returns; pass params and state apart"
            raise ValueError(
                f"{name} has {content}{hint}; expected one for each of the {len(self.layers)} layers, as "
                "params, state = net.init(rng) returns them"
            )
        return state

    def _check_shapes(self, params, state, in_type):
        """Refuse parameters and state of another network."""
        params, state = getval(params), getval(state)
        shapes = [np.shape(getval(array)) for array in tree_leaves((params, state))]
        if shapes != self._shapes(in_type):
            check_shapes(self.stages(in_type), self.init(in_type, 0), params, state)

    @cached_by_type
    def _shapes(self, in_type):
        return [array.shape for array in tree_leaves(self.init(in_type, 0))]

    def _locate_not_finite(self, params, state, x, context, random_state):
        """Name the first layer whose results are not finite: the network runs once more, watched."""
        params, x = map_leaves(getval, params), getval(x)
        for stage, *trees in zip(self.stages(context.in_type), params, state, strict=True):
            for name, tree in zip(("parameters", "running state"), trees, strict=True):
                if not all(np.isfinite(array).all() for array in tree_leaves(tree)):
                    raise ValueError(
                        f"layer {path_text(stage.path)}, {type(stage.layer).__name__}: {name} with NaN or "
                        "infinite numbers"
                    )
        rng = deepcopy(context.rng)
        if rng is not None:
            rng.bit_generator.state = random_state
        context = context.replace(rng=rng, callbacks=(refuse_not_finite,), around=None)
        with np.errstate(all="ignore"):
            try:
                self._run(params, state, x, context)
            except NotFiniteError as error:
                raise ValueError(str(error)) from None
            except ValueError:
                return  # that of the caller, who raises it


class ConcatReadouts(Composite, is_final=True):
    """Layers in sequence; features of the input and of each output, concatenated.

    y = (r(x_0), r(x_1), ..., r(x_n)) with x_k = layer_k(x_{k-1}) and a readout r, which has its own
    parameters for each of them (Kondor, Lin and Trivedi 2018, arXiv:1806.09231, section 4). The trees of
    parameters and state are pairs, those of the layers and those of the readouts; so are paths in messages:
    layer k is at ``0.k``, the readout of x_k at ``1.k``.

    Parameters
    ----------
    readout : Layer
        Returns `Features`, as `Invariants` does.
    *sequence : Layer
    layers : sequence of Layer
        The same as a field.

    >>> from spherekit import nn
    >>> readouts = nn.ConcatReadouts(nn.Invariants(), nn.Convolution(5))
    >>> net = nn.Sequential(nn.Sphere(4, 1), nn.ToFragments(), readouts)
    >>> net.out_type()
    Features(6)
    """

    readout: Layer
    layers: tuple

    def __init__(self, readout, *sequence, layers=()):
        set_fields(self, readout=readout, layers=joined(sequence, layers))
        check_layers((readout, *self.layers))

    def __repr__(self):
        return f"ConcatReadouts({indented([self.readout, *self.layers])})"

    @cached_by_type
    def stages(self, in_type):
        """The layers with their paths and the types of input and output, a tuple of `stages.Stage`."""
        return stages_in_sequence(self.layers, in_type, prefix=(0,))

    @cached_by_type
    def readout_stages(self, in_type):
        """The readout with its paths and the types that it reads, likewise."""
        signals = [in_type, *(stage.out_type for stage in self.stages(in_type))]
        stages = [create_stage((1, k), self.readout, signal) for k, signal in enumerate(signals)]
        if not all(isinstance(stage.out_type, Features) for stage in stages):
            raise ValueError(f"{self.readout!r} returns {stages[0].out_type}; expected features")
        return tuple(stages)

    def out_type(self, in_type):
        return Features(sum(stage.out_type.features for stage in self.readout_stages(in_type)))

    def init(self, in_type, rng):
        layers = [initialize(stage, rng) for stage in self.stages(in_type)]
        readouts = [initialize(stage, rng) for stage in self.readout_stages(in_type)]
        params, state = (
            [[pair[k] for pair in part] for part in (layers, readouts)] for k in (0, 1)
        )
        return params, state

    def apply(self, params, state, x, context):
        results, states = [], [[], []]
        stages = None, *self.stages(context.in_type)
        readouts = self.readout_stages(context.in_type)
        for number, (stage, readout) in enumerate(zip(stages, readouts, strict=True)):
            if stage is not None:
                trees = params[0][number - 1], state[0][number - 1]
                x, new_state = run_stage(stage, *trees, x, context)
                states[0].append(new_state)
            trees = params[1][number], state[1][number]
            y, new_state = run_stage(readout, *trees, x, context)
            results.append(y)
            states[1].append(new_state)
        return anp.concatenate(results, axis=-1), states

    def multiplications(self, in_type):
        stages = *self.stages(in_type), *self.readout_stages(in_type)
        return sum(stage.layer.multiplications(stage.in_type) for stage in stages)


def joined(sequence, layers):
    """Layers of a composite, which come one by one or, as from `dataclasses.replace`, as a field."""
    if sequence and layers:
        raise TypeError("layers come twice: one by one, and as layers=")
    return tuple(sequence or layers)


def indented(parts):
    """Values one a line, as they stand between the brackets of a constructor."""
    lines = "".join(f"{part!r},\n" for part in parts)
    return "\n" + "".join(f"    {line}\n" for line in lines.splitlines()) if parts else ""


def _cast(array, dtype):
    complex_type = np.result_type(dtype, np.complex64)
    return np.asarray(array).astype(complex_type if np.iscomplexobj(array) else dtype)
