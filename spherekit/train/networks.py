"""Networks of trainings as text: what a resumed one must share, and what files cannot hold of it."""

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
    """A line for the input and each layer of a network, with all hyper-parameters; the same in every process.

    Functions are named; their code, and that of own layers, is not compared.

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
    """The line of a layer, without the layers that it contains, and their lines."""
    own, inner = [], []
    for field in dataclasses.fields(layer):
        value = getattr(layer, field.name)
        place = path if field.name == "layers" else (*path, field.name)
        if isinstance(value, Layer):
            inner += _lines(value, place)
        elif type(value) is tuple and value and all(isinstance(entry, Layer) for entry in value):
            inner += (line for n, entry in enumerate(value) for line in _lines(entry, (*place, n)))
        else:
            own.append(f"{field.name}={_text(value)}")
    return [f"layer {path_text(path)}: {type(layer).__name__}({', '.join(own)})", *inner]


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


def difference(stored, lines):
    """In words, the first difference of two results of `as_text`; None where they agree.

    >>> difference(["input: Features(features=3)"], ["input: Features(features=4)"])
    'its input was Features(features=3), now Features(features=4)'
    """
    if stored == lines:
        return None
    if not isinstance(stored, list) or not all(isinstance(line, str) for line in stored):
        return f"its layers are {repr(stored)[:60]}"
    for line, now in zip(stored, lines, strict=False):
        if line != now:
            place, before = line.split(": ", 1) if ": " in line else ("a layer", line)
            same_place = now.startswith(f"{place}: ")
            now = now.removeprefix(f"{place}: ") if same_place else now
            return f"{place.replace('input', 'its input')} was {before}, now {now}"
    return f"it had {len(stored) - 1} layers, now {len(lines) - 1}"


def unregistered(value):
    """In words, each layer and function of a network that its files cannot hold.

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
        parts = [getattr(value, field.name) for field in dataclasses.fields(value)]
    else:
        parts = value if isinstance(value, tuple) else ()
    reasons += (reason for part in parts for reason in unregistered(part))
    return list(dict.fromkeys(_named(reason) for reason in reasons))


def _named(reason):
    """Advice for functions without a name."""
    advice = "a lambda is not registered; define a function with def, and call nn.register of it"
    return advice if "<lambda>" in reason else reason
