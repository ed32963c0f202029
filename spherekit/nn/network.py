"""Networks: layers in sequence, each with the type of its input.

Types are worked out when a network is created, so that mistakes are found before any number is multiplied.
"""

from contextlib import contextmanager
from copy import deepcopy

import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval

from spherekit._core import checks
from spherekit._core.pytree import flatten, leaves, map_leaves, path_text
from spherekit.nn.layer import Context, Layer, cached_by_type
from spherekit.nn.types import TYPES, Features, check_signals, set_fields


class Composite(Layer):
    """Base of layers that contain others, in ``layers``."""

    def stages(self, in_type):
        """((layer, type of its input, type of its output), ...)."""
        return _stages(self, in_type)

    def out_type(self, in_type):
        return self.stages(in_type)[-1][2] if self.layers else in_type

    def init(self, in_type, rng):
        pairs = [
            initialize(number, layer, before, rng)
            for number, (layer, before, _) in enumerate(self.stages(in_type))
        ]
        return [params for params, _ in pairs], [state for _, state in pairs]

    def multiplications(self, in_type):
        return sum(layer.multiplications(before) for layer, before, _ in self.stages(in_type))


@cached_by_type
def _stages(self, in_type):
    stages = []
    for number, layer in enumerate(self.layers):
        with named_errors(number, layer):
            out_type = layer.out_type(in_type)
            if not isinstance(out_type, TYPES):
                names = ", ".join(kind.__name__ for kind in TYPES)
                raise TypeError(f"out_type returned {out_type!r}; expected one of {names}")
        stages.append((layer, in_type, out_type))
        in_type = out_type
    return tuple(stages)


class Sequential(Composite):
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
        return super().out_type(self._input(in_type))

    def stages(self, in_type=None):
        """((layer, type of its input, type of its output), ...)."""
        return super().stages(self._input(in_type))

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
        pair = super().init(self._input(in_type), checks.generator(rng))
        return tuple(map_leaves(lambda array: _cast(array, dtype), tree) for tree in pair)

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
        in_type = self._input(context.in_type)
        if context.path:
            return self._run(params, state, x, context)
        context = context.replace(in_type=in_type)
        x, state = check_signals(x, in_type), self._checked_state(params, state, in_type)
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
        for number, stage in enumerate(self.stages(context.in_type)):
            x, new_state = run_stage(number, stage, params[number], state[number], x, context)
            states.append(new_state)
        return x, states

    def _checked_state(self, params, state, in_type):
        state = self.state_or_empty(state, in_type)
        for name, tree in (("parameters", params), ("state", state)):
            if not isinstance(getval(tree), list | tuple) or len(tree) != len(self.layers):
                entries = f"{len(tree)} layers" if hasattr(tree, "__len__") else type(tree).__name__
                raise ValueError(
                    f"the {name} are of {entries}, the network has {len(self.layers)} layers; "
                    "params, state = net.init(rng) returns those of this network"
                )
        return state

    def _check_shapes(self, params, state, in_type):
        """Refuse parameters and state of another network: looked for where a layer failed."""
        trees = zip(("params", "state"), self.init(in_type, 0), (params, state), strict=True)
        for name, expected, tree in trees:
            expected = {path: array.shape for path, array in flatten(expected)}
            tree = {path: array.shape for path, array in flatten(map_leaves(getval, tree))}
            for path in expected | tree:
                if expected.get(path) == tree.get(path):
                    continue
                place, label = path[0], path_text((name, *path))
                if path not in tree:
                    reason = f"no {label}"
                elif path not in expected:
                    reason = f"{label} is not expected"
                else:
                    reason = f"{label} has the shape {tree[path]}; expected {expected[path]}"
                raise ValueError(
                    f"layer {place}, {type(self.layers[place]).__name__}: {reason}; params, state = "
                    "net.init(rng) returns those of this network"
                ) from None

    def _locate_not_finite(self, params, state, x, context, random_state):
        """Name the first layer whose results are not finite: the network runs once more, watched."""
        params, x = map_leaves(getval, params), getval(x)
        for number, (layer, tree) in enumerate(zip(self.layers, params, strict=True)):
            if not all(np.isfinite(array).all() for array in leaves(tree)):
                raise ValueError(
                    f"layer {number}, {type(layer).__name__}: its parameters hold NaN or infinite numbers"
                )
        rng = deepcopy(context.rng)
        if rng is not None:
            rng.bit_generator.state = random_state
        context = context.replace(rng=rng, callbacks=(_refuse_not_finite,), around=None)
        with np.errstate(all="ignore"):
            try:
                self._run(params, state, x, context)
            except _NotFiniteError as error:
                raise ValueError(str(error)) from None
            except ValueError:
                return  # that of the caller, who raises it


class ConcatReadouts(Composite):
    """Layers in sequence; features of the input and of each output, concatenated.

    y = (r(x_0), r(x_1), ..., r(x_n)) with x_k = layer_k(x_{k-1}) and a readout r, which has its own
    parameters for each of them (Kondor, Lin and Trivedi 2018, arXiv:1806.09231, section 4).

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
    def readout_stages(self, in_type):
        """((readout, type that it reads, its features), ...)."""
        signals = [in_type, *(after for _, _, after in self.stages(in_type))]
        stages = tuple((self.readout, signal, self.readout.out_type(signal)) for signal in signals)
        if not all(isinstance(after, Features) for _, _, after in stages):
            raise ValueError(f"{self.readout!r} returns {stages[0][2]}; expected features")
        return stages

    def out_type(self, in_type):
        return Features(sum(after.features for _, _, after in self.readout_stages(in_type)))

    def init(self, in_type, rng):
        params, state = super().init(in_type, rng)
        pairs = [
            initialize(number, layer, before, rng)
            for number, (layer, before, _) in enumerate(self.readout_stages(in_type))
        ]
        return [params, [p for p, _ in pairs]], [state, [s for _, s in pairs]]

    def apply(self, params, state, x, context):
        in_type = context.in_type
        inner = context.replace(path=(*context.path, 0))
        outer = context.replace(path=(*context.path, 1))
        results, states = [], [[], []]
        stages = (None, *self.stages(in_type))
        readouts = self.readout_stages(in_type)
        for number, (stage, readout) in enumerate(zip(stages, readouts, strict=True)):
            if stage is not None:
                trees = params[0][number - 1], state[0][number - 1]
                x, new_state = run_stage(number - 1, stage, *trees, x, inner)
                states[0].append(new_state)
            y, new_state = run_stage(number, readout, params[1][number], state[1][number], x, outer)
            results.append(y)
            states[1].append(new_state)
        return anp.concatenate(results, axis=-1), states

    def multiplications(self, in_type):
        readouts = self.readout_stages(in_type)
        own = sum(layer.multiplications(before) for layer, before, _ in readouts)
        return super().multiplications(in_type) + own


# --- what composites do with a layer -------------------------------------------------------------------


@contextmanager
def named_errors(number, layer):
    """Errors inside name the layer."""
    name = getattr(layer, "__name__", type(layer).__name__)
    try:
        yield
    except (ValueError, TypeError, NotImplementedError) as error:
        kind = TypeError if isinstance(error, NotImplementedError) else type(error)
        raise kind(f"layer {number}, {name}: {error}") from _cause(layer, error)


def _cause(layer, error):
    """What the traceback shows beside: the line in a layer that is not of this package."""
    own = isinstance(layer, Layer) and not type(layer).__module__.startswith("spherekit.")
    return error if own else error.__cause__


def joined(sequence, layers):
    """Layers of a composite, which come one by one or, as from `dataclasses.replace`, as a field."""
    if sequence and layers:
        raise TypeError("layers come twice: one by one, and as layers=")
    return tuple(sequence or layers)


def check_layers(layers):
    """Refuse what is not a layer."""
    for number, layer in enumerate(layers):
        with named_errors(number, layer):
            if isinstance(layer, type):
                raise TypeError(f"is a class; expected a layer, {layer.__name__}(...)")
            if not isinstance(layer, Layer):
                raise TypeError(f"{layer!r} is not a layer; layers are subclasses of nn.Layer")
            try:
                hash(layer)
            except TypeError as error:
                raise TypeError(
                    f"{error}: hyper-parameters must be hashable, such as numbers, text and tuples"
                ) from None


def initialize(number, layer, in_type, rng):
    """(params, state) of a layer, checked."""
    with named_errors(number, layer):
        pair = layer.init(in_type, rng)
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"init returned {type(pair).__name__}; expected (params, state)")
        for tree in pair:
            for array in leaves(tree):
                if not isinstance(array, np.ndarray | np.generic):
                    raise TypeError(
                        f"init returned {type(array).__name__} in a tree of arrays; expected dicts of "
                        "numpy arrays"
                    )
    return pair


def run_stage(number, stage, params, state, x, context):
    """(y, new state) of a layer, at index ``number`` of the composite whose context this is."""
    layer, in_type, out_type = stage
    inner = context.replace(path=(*context.path, number), in_type=in_type)
    try:
        if context.around is None or isinstance(layer, Composite):
            result = layer.apply(params, state, x, inner)
        else:
            result = context.around(layer, params, state, x, inner)
        y, new_state = _checked_result(result, out_type)
    except (ValueError, TypeError) as error:
        raise type(error)(f"layer {number}, {type(layer).__name__}: {error}") from _cause(
            layer, error
        )
    except KeyError as error:
        if error.args and error.args[0] in {**_names(params), **_names(state)}:
            raise
        raise ValueError(
            f"layer {number}, {type(layer).__name__}: no parameter {error}; params, state = net.init(rng) "
            "returns those of this network"
        ) from _cause(layer, error)
    for callback in context.callbacks:
        callback(inner.path, layer, x, y)
    return y, new_state


def _names(tree):
    return tree if isinstance(tree, dict) else {}


def _checked_result(result, out_type):
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError(f"apply returned {type(result).__name__}; expected (output, state)")
    shape = np.shape(getval(result[0]))
    if shape[1:] != out_type.shape(0)[1:] or not shape:
        expected = ", ".join(("batch", *map(str, out_type.shape(0)[1:])))
        raise ValueError(f"returned an array of shape {shape}; its out_type says ({expected})")
    return result


class _NotFiniteError(Exception):
    """A layer returned what is not finite; none of the exceptions that layers raise."""


def _refuse_not_finite(path, layer, x, y):
    bad = np.size(y) - np.count_nonzero(np.isfinite(y))
    if not bad:
        return
    kind, size = np.dtype(checks.real_type(x)), float(np.max(np.abs(x), initial=0))
    if size > np.finfo(kind).max ** 0.25:
        wider = ", or compute in float64" if kind == np.float32 else ""
        advice = f"that is beyond the range of {kind}: scale the signals down{wider}"
    else:
        advice = "its function has no finite value there, or its parameters are too large"
    place = ".".join(map(str, path))
    raise _NotFiniteError(
        f"layer {place}, {type(layer).__name__}: {bad} of {np.size(y)} results are NaN or infinite, of "
        f"numbers up to {size:.3g}; {advice}"
    )


def indented(parts):
    """Values one a line, as they stand between the brackets of a constructor."""
    lines = "".join(f"{part!r},\n" for part in parts)
    return "\n" + "".join(f"    {line}\n" for line in lines.splitlines()) if parts else ""


def _cast(array, dtype):
    complex_type = np.result_type(dtype, np.complex64)
    return np.asarray(array).astype(complex_type if np.iscomplexobj(array) else dtype)
