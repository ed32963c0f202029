"""Text descriptions of networks, with which a resumed training is compared, and unregistered functions."""

import dataclasses
import re
from functools import partial

import numpy as np

from spherekit._core.pytree import path_text
from spherekit.nn import Layer
from spherekit.nn.files import describe
from spherekit.nn.types import Value

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def as_text(net):
    """Describe a network by one line for the input and for each layer, with all hyperparameters.

    The text is the same in every process. Functions are represented by their names; the code of functions and
    of user-defined layers is not compared.

    >>> from spherekit import nn
    >>> block = nn.Sequential(nn.Dense(2), nn.Dropout(0.5))
    >>> for line in as_text(nn.Sequential(nn.Features(3), block, nn.Dense(2))):
    ...     print(line)
    input: Features(features=3)
    layer 0: Sequential(in_type=None)
    layer 0.0: Dense(features=2)
    layer 0.1: Dropout(rate=0.5)
    layer 1: Dense(features=2)
    """
    lines = [line for n, layer in enumerate(net.layers) for line in _lines(layer, (n,))]
    return [f"input: {_text(net.in_type)}", *lines]


def _lines(layer, path):
    """Return the line of a layer, followed by the lines of the layers that it contains."""
    arguments = []
    inner_lines = []
    for field in dataclasses.fields(layer):
        value = getattr(layer, field.name)
        field_path = path if field.name == "layers" else (*path, field.name)
        if isinstance(value, Layer):
            inner_lines += _lines(value, field_path)
        elif type(value) is tuple and value and all(isinstance(entry, Layer) for entry in value):
            for n, entry in enumerate(value):
                inner_lines += _lines(entry, (*field_path, n))
        else:
            arguments.append(f"{field.name}={_text(value)}")
    return [
        f"layer {path_text(path)}: {type(layer).__name__}({', '.join(arguments)})",
        *inner_lines,
    ]


def _text(value):
    if isinstance(value, Value):
        fields = (f"{f.name}={_text(getattr(value, f.name))}" for f in dataclasses.fields(value))
        return f"{type(value).__name__}({', '.join(fields)})"
    if type(value) is tuple:
        return f"({', '.join(map(_text, value))})"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(_text, value)))}}}"
    if isinstance(value, np.generic):
        return repr(value.item())
    if isinstance(value, partial):
        keywords = (f"{name}={_text(entry)}" for name, entry in value.keywords.items())
        return f"partial({', '.join([*map(_text, (value.func, *value.args)), *keywords])})"
    if callable(value) and hasattr(value, "__qualname__"):
        return value.__qualname__
    return _ADDRESS.sub("", repr(value))


def difference(former_lines, lines):
    """Describe the first difference of two results of `as_text`; None if they agree.

    >>> difference(["input: Features(features=3)"], ["input: Features(features=4)"])
    'its input was Features(features=3), now Features(features=4)'
    """
    if former_lines == lines:
        return None
    if not isinstance(former_lines, list) or not all(isinstance(x, str) for x in former_lines):
        return f"its layers are {repr(former_lines)[:60]}"
    for former, new in zip(former_lines, lines, strict=False):
        if former != new:
            label, text = former.split(": ", 1) if ": " in former else ("a layer", former)
            label_agrees = new.startswith(f"{label}: ")
            new_text = new.removeprefix(f"{label}: ") if label_agrees else new
            return f"{label.replace('input', 'its input')} was {text}, now {new_text}"
    return f"it had {len(former_lines) - 1} layers, now {len(lines) - 1}"


def unregistered(value):
    """Describe each layer and function of a network that is not registered, and that files cannot represent.

    >>> from spherekit import nn
    >>> unregistered(nn.Sequential(nn.Features(3), nn.Activation(np.sinh), nn.Activation("relu")))
    ['the function sinh is not registered; call nn.register(sinh)']
    """
    try:
        describe(value)
        return []
    except TypeError as error:
        reasons = [str(error)]
    if isinstance(value, Value):
        entries = [getattr(value, field.name) for field in dataclasses.fields(value)]
    else:
        entries = value if isinstance(value, tuple) else ()
    reasons += (reason for entry in entries for reason in unregistered(entry))
    return list(dict.fromkeys(_advice_for_lambda(reason) for reason in reasons))


def _advice_for_lambda(reason):
    """Replace the reason for a function without a name, which cannot be registered."""
    advice = "a lambda is not registered; define a function with def, and call nn.register of it"
    return advice if "<lambda>" in reason else reason
