"""Layers within others: how a composite creates, initializes and runs each of its layers.

A stage is a layer with the types of its input and output. Errors are raised again with the path of the layer,
``layer 1.0.2, FragmentNorm: ...``, the path of its parameters in the tree of those of the network.
"""

from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from autograd.tracer import getval

from spherekit._core import checks
from spherekit._core.pytree import flatten, map_leaves, path_text, tree_leaves
from spherekit.nn.layer import Layer
from spherekit.nn.types import TYPES, has_real_entries


class Stage(NamedTuple):
    """A layer, at ``path`` within the composite around it, a tuple of indices.

    ``shape`` and ``is_real`` are those of its outputs, without the batch axis.
    """

    path: tuple
    layer: Layer
    in_type: object
    out_type: object
    shape: tuple
    is_real: bool


def stages_in_sequence(layers, in_type, prefix=()):
    """The stages of layers each of which takes the output of the one before."""
    stages = []
    for number, layer in enumerate(layers):
        stage = create_stage((*prefix, number), layer, in_type)
        stages.append(stage)
        in_type = stage.out_type
    return tuple(stages)


def create_stage(path, layer, in_type):
    """The stage of a layer; refuses an input that it does not accept."""
    with located(path, layer):
        out_type = layer.out_type(in_type)
        if not isinstance(out_type, TYPES):
            names = ", ".join(kind.__name__ for kind in TYPES)
            raise TypeError(f"out_type returned {out_type!r}; expected one of {names}")
    shape, is_real = out_type.shape(0)[1:], has_real_entries(out_type)
    return Stage(path, layer, in_type, out_type, shape, is_real)


def initialize(stage, rng):
    """(params, state) of a stage, checked."""
    with located(stage.path, stage.layer):
        pair = stage.layer.init(stage.in_type, rng)
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"init returned {type(pair).__name__}; expected (params, state)")
        for array in tree_leaves(pair):
            if not isinstance(array, np.ndarray | np.generic):
                raise TypeError(
                    f"init returned {type(array).__name__} in a tree of arrays; expected dicts of "
                    "numpy arrays"
                )
    return pair


def run_stage(stage, params, state, x, context):
    """(y, new state) of a stage; ``context`` is that of the composite."""
    layer = stage.layer
    inner = context.of_layer(stage.path, stage.in_type)
    try:
        if context.around is None or layer.is_composite:
            result = layer.apply(params, state, x, inner)
        else:
            result = context.around(layer, params, state, x, inner.replace(around=None))
        y, new_state = _checked_result(result, stage)
    except Exception as error:
        message = _missing_entry(error, stage, params, state)
        raise_located(error, stage.path, layer, message, inner.path)
    if new_state is not state and not layer.is_composite:
        new_state = map_leaves(getval, new_state)  # running state is not differentiated
    for callback in context.callbacks:
        callback(inner.path, layer, x, y)
    return y, new_state


def _checked_result(result, stage):
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError(f"apply returned {type(result).__name__}; expected (output, state)")
    value = getval(result[0])
    shape = np.shape(value)
    if shape[1:] != stage.shape or not shape:
        expected = ", ".join(("batch", *map(str, stage.shape)))
        raise ValueError(f"returned an array of shape {shape}; its out_type says ({expected})")
    if stage.is_real and value.dtype.kind == "c":
        raise TypeError(
            f"returned complex numbers ({value.dtype}); its out_type says {stage.out_type}"
        )
    return result


def _missing_entry(error, stage, params, state):
    """What a KeyError means: an entry that the trees lack, or a name that ``init`` does not return."""
    if not isinstance(error, KeyError) or not error.args:
        return None
    key, pair = error.args[0], stage.layer.init(stage.in_type, np.random.default_rng(0))
    for name, tree, expected in zip(("params", "state"), (params, state), pair, strict=True):
        if isinstance(expected, dict) and key in expected and key not in tree:
            return (
                f"{name} has no {key!r}; params, state = net.init(rng) returns that of this network"
            )
    names = (", ".join(tree) if isinstance(tree, dict) and tree else "nothing" for tree in pair)
    return "KeyError {!r}; its init returns params with {} and state with {}".format(key, *names)


# --- errors --------------------------------------------------------------------------------------------


@contextmanager
def located(path, layer):
    """Errors inside are raised again with the path of the layer."""
    try:
        yield
    except Exception as error:
        raise_located(error, path, layer)


def raise_located(error, path, layer, message=None, path_in_network=()):
    """Raise an error again, of the same kind where that is ValueError or TypeError, with the path of a layer.

    Other errors, such as those of a fault in an own layer, are raised as they are, with a note.
    """
    name = getattr(layer, "__name__", type(layer).__name__)
    place = getattr(error, "place", None)
    if place is not None:
        path, name, message = (*path, *place[0]), *place[1:]
    elif message is None:
        message = str(error)
    plain = ValueError | TypeError | NotImplementedError
    is_plain = isinstance(error, plain) or place is not None
    if not is_plain and message == str(error):
        if not hasattr(error, "__notes__"):
            error.add_note(f"in layer {path_text(path_in_network or path)}, {name}")
        raise error
    kind = TypeError if isinstance(error, TypeError | NotImplementedError) else ValueError
    located_error = kind(f"layer {path_text(path)}, {name}: {message}")
    located_error.place = path, name, message
    own = isinstance(layer, Layer) and not type(layer).__module__.startswith("spherekit.")
    raise located_error from (error if own and place is None else error.__cause__)


def check_layers(layers):
    """Refuse what is not a layer."""
    for number, layer in enumerate(layers):
        with located((number,), layer):
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


def check_shapes(stages, expected, params, state):
    """Refuse parameters and state of another network: names and shapes that ``expected`` does not have."""
    layers = {stage.path: stage.layer for stage in stages}
    for name, complete, tree in zip(("params", "state"), expected, (params, state), strict=True):
        complete = {path: array.shape for path, array in flatten(complete)}
        tree = {path: array.shape for path, array in flatten(map_leaves(getval, tree))}
        for path in complete | tree:
            if complete.get(path) == tree.get(path):
                continue
            label = path_text((name, *path))
            if path not in tree:
                reason = f"no {label}"
            elif path not in complete:
                reason = f"{label} is not expected"
            else:
                reason = f"{label} has the shape {tree[path]}; expected {complete[path]}"
            layer = layers.get(path[:1])
            raise ValueError(
                f"layer {path_text(path[:1])}, {type(layer).__name__}: {reason}; params, state = "
                "net.init(rng) returns those of this network"
            )


# --- results that are not finite -----------------------------------------------------------------------


class NotFiniteError(Exception):
    """A layer returned what is not finite; none of the exceptions that layers raise."""


def refuse_not_finite(path, layer, x, y):
    """A callback of a context: raises `NotFiniteError` with the path of the layer."""
    bad = np.size(y) - np.count_nonzero(np.isfinite(y))
    if not bad:
        return
    dtype, size = np.dtype(checks.real_type(x)), float(np.max(np.abs(x), initial=0))
    if size > np.finfo(dtype).max ** 0.25:
        wider = ", or compute in float64" if dtype == np.float32 else ""
        advice = f"that is beyond the range of {dtype}: scale the signals down{wider}"
    else:
        advice = "its function has no finite value there, or its parameters are too large"
    raise NotFiniteError(
        f"layer {path_text(path)}, {type(layer).__name__}: {bad} of {np.size(y)} results are NaN or "
        f"infinite, of numbers up to {size:.3g}; {advice}"
    )
