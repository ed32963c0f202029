"""Layers within composites: creation, initialization and execution, with the location of errors.

A stage is a layer with the types of its input and output. Errors are raised again with the path of the layer,
``layer 1.0.2, FragmentNorm: ...``, which is the path of its parameters in the tree of the network.
"""

from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from autograd.tracer import getval

from spherekit._core import checks
from spherekit._core.pytree import flatten, map_leaves, path_text, tree_leaves
from spherekit.nn.layer import Layer
from spherekit.nn.types import TYPES, has_real_entries

_ADVICE = "pass params and state of this network, as returned by net.init(rng)"


class Stage(NamedTuple):
    """A layer with its types; ``path`` is its tuple of indices in the enclosing composite.

    ``shape`` is the shape of its outputs without the batch axis, and ``is_real`` whether they are real.
    """

    path: tuple
    layer: Layer
    in_type: object
    out_type: object
    shape: tuple
    is_real: bool


def stages_in_sequence(layers, in_type, prefix=()):
    """The stages of layers, each of which accepts the output of the previous one."""
    stages = []
    for k, layer in enumerate(layers):
        stage = create_stage((*prefix, k), layer, in_type)
        stages.append(stage)
        in_type = stage.out_type
    return tuple(stages)


def create_stage(path, layer, in_type):
    """The stage of a layer; raises an error if the layer does not accept the input."""
    with error_context(path, layer):
        out_type = layer.out_type(in_type)
        if not isinstance(out_type, TYPES):
            names = ", ".join(kind.__name__ for kind in TYPES)
            raise TypeError(f"out_type returned {out_type!r}; expected one of {names}")
    shape = out_type.shape(0)[1:]
    is_real = has_real_entries(out_type)
    return Stage(path, layer, in_type, out_type, shape, is_real)


def initialize(stage, rng):
    """Validated (params, state) of a stage."""
    with error_context(stage.path, stage.layer):
        pair = stage.layer.init(stage.in_type, rng)
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"init returned {type(pair).__name__}; expected a pair (params, state)")
        for array in tree_leaves(pair):
            if not isinstance(array, np.ndarray | np.generic):
                raise TypeError(
                    f"init returned {type(array).__name__} in a tree of arrays; expected dicts of "
                    "numpy arrays"
                )
    return pair


def run_stage(stage, params, state, x, context):
    """(y, new state) of a stage; ``context`` is that of the enclosing composite."""
    layer = stage.layer
    inner = context.of_layer(stage.path, stage.in_type)
    try:
        if context.around is None or layer.is_composite:
            result = layer.apply(params, state, x, inner)
        else:
            result = context.around(layer, params, state, x, inner.replace(around=None))
        y, new_state = _validate_result(result, stage)
    except Exception as error:
        message = _missing_entry(error, stage, params, state)
        raise_with_path(error, stage.path, layer, message, inner.path)
    if new_state is not state and not layer.is_composite:
        new_state = map_leaves(getval, new_state)  # running state is not differentiated
    for callback in context.callbacks:
        callback(inner.path, layer, x, y)
    return y, new_state


def _validate_result(result, stage):
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError(f"apply returned {type(result).__name__}; expected a pair (output, state)")
    value = getval(result[0])
    shape = np.shape(value)
    if shape[1:] != stage.shape or not shape:
        expected = ", ".join(("batch", *map(str, stage.shape)))
        raise ValueError(
            f"returned an array of shape {shape}; expected ({expected}) from its out_type"
        )
    if stage.is_real and value.dtype.kind == "c":
        raise TypeError(
            f"returned complex values ({value.dtype}); expected real ones from its out_type, "
            f"{stage.out_type}"
        )
    return result


def _missing_entry(error, stage, params, state):
    """Explain a KeyError: an entry missing from the trees, or a name that ``init`` does not return."""
    if not isinstance(error, KeyError) or not error.args:
        return None
    key = error.args[0]
    pair = stage.layer.init(stage.in_type, np.random.default_rng(0))
    for name, tree, expected in zip(("params", "state"), (params, state), pair, strict=True):
        if isinstance(expected, dict) and key in expected and key not in tree:
            return f"{name} has no {key!r}; {_ADVICE}"
    names = (", ".join(tree) if isinstance(tree, dict) and tree else "nothing" for tree in pair)
    return "KeyError {!r}; its init returns params with {} and state with {}".format(key, *names)


# --- errors --------------------------------------------------------------------------------------------


@contextmanager
def error_context(path, layer):
    """Context manager: errors inside are raised again with the path of the layer."""
    try:
        yield
    except Exception as error:
        raise_with_path(error, path, layer)


def raise_with_path(error, path, layer, message=None, path_in_network=()):
    """Raise an error again with the path of a layer, as ValueError or TypeError if it is one of these.

    Other errors, such as those of a defect in a user's layer, are raised unchanged, with a note.
    """
    name = getattr(layer, "__name__", type(layer).__name__)
    location = getattr(error, "location", None)
    if location is not None:
        path, name, message = (*path, *location[0]), *location[1:]
    elif message is None:
        message = str(error)
    plain = ValueError | TypeError | NotImplementedError
    is_plain = isinstance(error, plain) or location is not None
    if not is_plain and message == str(error):
        if not hasattr(error, "__notes__"):
            error.add_note(f"in layer {path_text(path_in_network or path)}, {name}")
        raise error
    kind = TypeError if isinstance(error, TypeError | NotImplementedError) else ValueError
    new_error = kind(f"layer {path_text(path)}, {name}: {message}")
    new_error.location = path, name, message
    is_custom = isinstance(layer, Layer) and not type(layer).__module__.startswith("spherekit.")
    raise new_error from (error if is_custom and location is None else error.__cause__)


def check_layers(layers):
    """Raise TypeError if an object is not a layer, or a layer is not hashable."""
    for k, layer in enumerate(layers):
        with error_context((k,), layer):
            if isinstance(layer, type):
                raise TypeError(f"is a class; expected an instance, {layer.__name__}(...)")
            if not isinstance(layer, Layer):
                raise TypeError(f"{layer!r} is not a layer; expected an instance of nn.Layer")
            try:
                hash(layer)
            except TypeError as error:
                raise TypeError(
                    f"{error}: hyperparameters must be hashable, for example numbers, strings or tuples"
                ) from None


def check_shapes(stages, expected, params, state):
    """Raise ValueError if names or shapes of parameters or state differ from those of ``expected``."""
    layers = {stage.path: stage.layer for stage in stages}
    for name, initial, tree in zip(("params", "state"), expected, (params, state), strict=True):
        expected_shapes = {path: array.shape for path, array in flatten(initial)}
        shapes = {path: array.shape for path, array in flatten(map_leaves(getval, tree))}
        for path in expected_shapes | shapes:
            if expected_shapes.get(path) == shapes.get(path):
                continue
            label = path_text((name, *path))
            if path not in shapes:
                reason = f"no {label}"
            elif path not in expected_shapes:
                reason = f"{label} is unexpected"
            else:
                shape = expected_shapes[path]
                reason = f"{label} has the shape {shapes[path]}; expected {shape}"
            layer = layers.get(path[:1])
            raise ValueError(
                f"layer {path_text(path[:1])}, {type(layer).__name__}: {reason}; {_ADVICE}"
            )


# --- results that are not finite -----------------------------------------------------------------------


class NotFiniteError(Exception):
    """A layer returned values that are not finite. Not a subclass of the exceptions that layers raise."""


def raise_if_not_finite(path, layer, x, y):
    """Callback of a context: raises `NotFiniteError` with the path of the layer."""
    nonfinite = np.size(y) - np.count_nonzero(np.isfinite(y))
    if not nonfinite:
        return
    dtype = np.dtype(checks.real_type(x))
    size = float(np.max(np.abs(x), initial=0))
    if size > np.finfo(dtype).max ** 0.25:
        remedy = ", or compute in float64" if dtype == np.float32 else ""
        advice = f"this exceeds the range of {dtype}; scale the signals down{remedy}"
    else:
        advice = "its function has no finite value there, or its parameters are too large"
    raise NotFiniteError(
        f"layer {path_text(path)}, {type(layer).__name__}: {nonfinite} of {np.size(y)} results are NaN "
        f"or infinite, for inputs up to {size:.3g}; {advice}"
    )
