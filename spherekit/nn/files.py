"""Model files: a network, as the fields of its layers, with its parameters and running state.

Files contain no pickles. Layers are created by their constructors, and only layers of this package and
registered ones are accepted.
"""

import dataclasses
import math
import os
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from spherekit._core.pytree import difference, flatten
from spherekit.io.tree_archive import read_tree, write_tree
from spherekit.nn.layer import Layer
from spherekit.nn.network import Sequential
from spherekit.nn.types import Value

_registered = {}

#: A subclass of `Layer`, or a function.
Definition = TypeVar("Definition", bound=Callable)


def register(layer_or_function: Definition) -> Definition:
    """Register a user-defined layer or function, so that `save` and `load` accept it.

    Use it as a class decorator of layers, or for a function that is a hyperparameter, as of `Pointwise`.
    Files contain the ``__name__``; a program that loads them must define and register the same name.

    Parameters
    ----------
    layer_or_function : type or callable
        A subclass of `Layer`, or a function.

    Returns
    -------
    type or callable
        The argument.

    Raises
    ------
    TypeError
        If the argument is neither a subclass of `Layer` nor a function.
    ValueError
        If the name is that of a layer of this package, or registered for another definition.

    Examples
    --------
    A layer without parameters:

    >>> from spherekit import nn
    >>> @nn.register
    ... class Double(nn.Layer):
    ...     def out_type(self, in_type):
    ...         return in_type
    ...
    ...     def forward(self, params, x, context):
    ...         return 2 * x
    >>> nn.Sequential(nn.Features(1), Double())([{}], [[1.5]]).tolist()
    [[3.0]]
    """
    is_layer = isinstance(layer_or_function, type) and issubclass(layer_or_function, Layer)
    name = getattr(layer_or_function, "__name__", None)
    if (
        isinstance(layer_or_function, type) != is_layer
        or not callable(layer_or_function)
        or not name
    ):
        raise TypeError(
            f"layer_or_function is {layer_or_function!r}; expected a subclass of nn.Layer, or a function"
        )
    if name == "<lambda>":
        raise ValueError(
            "layer_or_function is a lambda, without a name; define the function with def"
        )
    previous = _registered.get(name)
    if name in _package_classes() or (previous and _origin(previous) != _origin(layer_or_function)):
        raise ValueError(f"the name {name!r} is in use; rename the class or function")
    _registered[name] = layer_or_function
    return layer_or_function


def _origin(definition):
    return definition.__module__, definition.__qualname__


def _package_classes():
    """Layers and types of this package, by name."""
    from spherekit import nn

    public = (getattr(nn, name) for name in nn.__all__)
    return {
        value.__name__: value
        for value in public
        if isinstance(value, type) and issubclass(value, Value) and value is not Layer
    }


def save(
    path: str | os.PathLike,
    net: Sequential,
    params: list,
    state: list | None = None,
    *,
    overwrite: bool = False,
) -> None:
    """Write a network, its parameters and its running state to an ``.npz`` file.

    Parameters
    ----------
    path : str or os.PathLike
        Path of the file.
    net : Sequential
        A network, with ``in_type``.
    params : list
        Parameters, from ``net.init`` or from training.
    state : list, optional
        Running state; may be omitted for networks without running state.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    TypeError
        If ``net`` is not a network, or contains a layer or function that is not registered (see `register`).
    ValueError
        If ``params`` or ``state`` do not fit the network, or ``path`` does not end in ``.npz``.
    FileExistsError
        If the file exists and ``overwrite`` is False.

    Examples
    --------
    Save a network and load it:

    >>> import pathlib, tempfile
    >>> from spherekit import nn
    >>> net = nn.models.cobb(5, 4)
    >>> params, state = net.init(0)
    >>> path = pathlib.Path(tempfile.mkdtemp(), "cobb.npz")
    >>> nn.save(path, net, params, state)
    >>> net_2, params_2, state_2 = nn.load(path)
    >>> net_2 == net
    True
    """
    if not isinstance(net, Sequential) or net.in_type is None:
        raise TypeError(f"net is {net!r}; expected a Sequential with in_type")
    if state is None:
        state = net.init(0)[1]
        if flatten(state):
            raise ValueError(
                "the network has running state; pass state, from params, state = net.init(rng)"
            )
    if reason := mismatch(net, params, state):
        raise ValueError(f"params or state do not fit the network: {reason}")
    write_tree(
        path,
        {"params": params, "state": state},
        {"network": describe(net)},
        overwrite=overwrite,
    )


def load(path: str | os.PathLike) -> tuple[Sequential, list, list]:
    """Read a network from a file that `save` wrote, or from a checkpoint of a training.

    Nothing in the file is executed or unpickled.

    Parameters
    ----------
    path : str or os.PathLike
        Path of the file.

    Returns
    -------
    net : Sequential
        The network.
    params : list
        Its parameters.
    state : list
        Its running state.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is truncated, damaged, of another kind or of another version, or contains a layer that is
        not registered.

    Examples
    --------
    Save a network and load it:

    >>> import pathlib, tempfile
    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Features(3), nn.Dense(2))
    >>> params, state = net.init(0)
    >>> path = pathlib.Path(tempfile.mkdtemp(), "net.npz")
    >>> nn.save(path, net, params, state)
    >>> net, params, state = nn.load(path)
    >>> net
    Sequential(
        Features(3),
        Dense(2),
    )
    """
    return network_of(path, *read_tree(path))


def network_of(path, tree, header):
    """(net, params, state) from the content of a file, as `read_tree` returns it; errors as for `load`."""
    if (
        "network" not in header
        or not isinstance(tree, dict)
        or not {"params", "state"} <= set(tree)
    ):
        hint = ""
        if "checkpoint" in header:
            hint = (
                ", since a layer was not registered when it was written; train.checkpoints.load reads the "
                "other contents"
            )
        raise ValueError(f"{path} does not contain a network{hint}")
    params, state = tree["params"], tree["state"]
    try:
        net = rebuild(header["network"])
        if not isinstance(net, Sequential) or net.in_type is None:
            raise ValueError("it is not a Sequential with in_type")
        entries = sum(array.size for _, array in flatten([params, state]))
        reason = mismatch(net, params, state, _BoundedGenerator(2 * entries + 10**7))
    except Exception as error:  # constructors may raise any error for the fields of a damaged file
        reason = f"{type(error).__name__}: {error}" if not isinstance(error, ValueError) else error
        raise ValueError(f"{path} contains a network that cannot be created: {reason}") from None
    if reason:
        raise ValueError(f"{path}: params or state do not fit the network: {reason}")
    return net, params, state


class _BoundedGenerator(np.random.Generator):
    """Random numbers for ``init``, in a limited number, since a damaged file may request any size."""

    def __init__(self, limit):
        super().__init__(np.random.PCG64(0))
        self.limit = limit

    def standard_normal(self, size=None, *args, **options):
        self.limit -= math.prod(np.atleast_1d(1 if size is None else size).tolist())
        if self.limit < 0:
            raise ValueError("its layers have more parameters than the file")
        return super().standard_normal(size, *args, **options)


def mismatch(net, params, state, rng=0):
    """Describe how parameters or state differ from what ``net.init`` returns; None if they fit."""
    dtypes = {array.real.dtype for _, array in flatten([params, state])}
    if not dtypes <= {np.dtype(np.float32), np.dtype(np.float64)}:
        return f"arrays of type {', '.join(map(str, dtypes))}; expected float32 or float64"
    expected = net.init(rng, dtype=np.result_type(*dtypes) if dtypes else np.float64)
    for tree, initial in zip((params, state), expected, strict=True):
        if reason := difference(initial, tree):
            return reason
        if _without_arrays(initial) != _without_arrays(tree):
            return "a different number of layers"
    return None


def _without_arrays(tree):
    """The tree without its arrays; lists and tuples are treated alike."""
    if isinstance(tree, dict):
        return {name: _without_arrays(branch) for name, branch in tree.items()}
    return list(map(_without_arrays, tree)) if isinstance(tree, list | tuple) else None


def describe(value):
    """Describe a network, a layer or a type in JSON: class names, and fields by name.

    Raises
    ------
    TypeError
        If a class or function is neither of this package nor registered, or if JSON cannot represent a field.

    >>> from spherekit import nn
    >>> describe(nn.Zonal(3))
    {'class': 'Zonal', 'fields': {'channels': 3, 'anchors': None, 'L': None}}
    """
    if isinstance(value, Value):
        return _describe_fields(value)
    if isinstance(value, tuple):
        return [describe(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if callable(value):
        name = getattr(value, "__name__", repr(value))
        if _registered.get(name) is not value:
            raise TypeError(f"the function {name} is not registered; call nn.register({name})")
        return {"function": name}
    raise TypeError(
        f"{value!r} ({type(value).__name__}) cannot be stored as a hyperparameter; expected numbers, "
        "strings, tuples, layers or registered functions"
    )


def _describe_fields(value):
    kind = type(value)
    name = type(value).__name__
    package = _package_classes()
    registered = _registered.get(name)
    if package.get(name) is not kind and registered is not kind:
        if name in package:
            advice = "a layer of the package has this name; rename the class, and register it"
        elif registered is not None and _origin(registered) == _origin(kind):
            advice = "the class has been redefined; create the network again"
        else:
            advice = "put @nn.register above its class"
        raise TypeError(f"{name} is not a registered layer: {advice}")
    fields = {f.name: describe(getattr(value, f.name)) for f in dataclasses.fields(value)}
    description = {"class": name, "fields": fields}
    if name not in package:
        try:
            copy = rebuild(description)
        except Exception as error:
            raise TypeError(f"{value!r} cannot be created from its fields: {error}") from None
        if copy != value:
            raise TypeError(
                f"{value!r} differs from {copy!r}, created from its fields; its __post_init__ must not "
                "change fields that are already valid"
            )
    return description


def rebuild(description):
    """Create the network, layer or type from a description.

    Raises
    ------
    ValueError
        If a class or function is neither of this package nor registered, or if a class does not accept its
        fields.

    >>> from spherekit import nn
    >>> rebuild(describe(nn.Zonal(3, L=2)))
    Zonal(3, L=2)
    """
    if isinstance(description, list):
        return tuple(map(rebuild, description))
    if not isinstance(description, dict):
        return description
    if set(description) == {"float"} and description["float"] in ("inf", "-inf", "nan"):
        return float(description["float"])
    if set(description) == {"function"}:
        return _look_up(description["function"], "function", _registered)
    if set(description) != {"class", "fields"} or not isinstance(description["fields"], dict):
        raise ValueError(f"the description of a layer is damaged: {str(description)[:60]!r}")
    kind = _look_up(description["class"], "layer", _registered | _package_classes())
    if not isinstance(kind, type):
        raise ValueError(f"{description['class']!r} is a function; expected a layer")
    fields = {name: rebuild(field) for name, field in description["fields"].items()}
    names = {field.name for field in dataclasses.fields(kind)}
    if set(fields) != names:
        raise ValueError(
            f"{kind.__name__} has the fields {sorted(names)}; got {sorted(fields)} from the file"
        )
    return kind(**fields)


def _look_up(name, noun, choices):
    if not isinstance(name, str) or name not in choices:
        raise ValueError(
            f"the {noun} {name!r} is not registered; define it and call nn.register({name}) before loading"
        )
    return choices[name]
