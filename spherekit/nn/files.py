"""Networks in files: the network itself, by the fields of its layers, with its parameters and running state.

No pickles: layers are created anew by their constructors, and only those of this package or registered ones.
"""

import dataclasses
import math

import numpy as np

from spherekit._core.pytree import difference, flatten
from spherekit.io.tree_archive import read_tree, write_tree
from spherekit.nn.layer import Layer
from spherekit.nn.network import Sequential
from spherekit.nn.types import Value

_registered = {}


def register(layer_or_function):
    """Let `load` create layers of a class, or use a function of samples, that is not of this package.

    A class decorator for own layers; or of a function that is a hyper-parameter, as of `Pointwise`. Files
    name it by its ``__name__``; the program that loads one has to define and register the same.

    Parameters
    ----------
    layer_or_function : subclass of Layer, or function

    Returns
    -------
    its argument

    Raises
    ------
    TypeError
        Neither of the two.
    ValueError
        The name is that of a layer of this package, or registered for something else.

    >>> from spherekit import nn
    >>> @nn.register
    ... class Double(nn.Layer):
    ...     def out_type(self, in_type):
    ...         return in_type
    ...
    ...     def forward(self, params, x, context):
    ...         return 2 * x
    """
    is_layer = isinstance(layer_or_function, type) and issubclass(layer_or_function, Layer)
    name = getattr(layer_or_function, "__name__", None)
    if (
        isinstance(layer_or_function, type) != is_layer
        or not callable(layer_or_function)
        or not name
    ):
        raise TypeError(f"{layer_or_function!r}; expected a subclass of nn.Layer, or a function")
    if name == "<lambda>":
        raise ValueError("a lambda has no name; define the function with def")
    previous = _registered.get(name)
    if name in _package_classes() or (previous and _origin(previous) != _origin(layer_or_function)):
        raise ValueError(f"the name {name!r} is taken; give the class or function another one")
    _registered[name] = layer_or_function
    return layer_or_function


def _origin(definition):
    return definition.__module__, definition.__qualname__


def _package_classes():
    """{name: class} of the layers and types of this package."""
    from spherekit import nn

    public = (getattr(nn, name) for name in nn.__all__)
    return {
        value.__name__: value
        for value in public
        if isinstance(value, type) and issubclass(value, Value) and value is not Layer
    }


def save(path, net, params, state=None, *, overwrite=False) -> None:
    """Write a network, its parameters and its running state to an ``.npz`` file.

    Parameters
    ----------
    path : str or path
    net : Sequential
        With the type of its input.
    params, state : from ``net.init``, or trained
        ``state`` may be left out of networks without.
    overwrite : bool

    Raises
    ------
    TypeError
        A layer or a function that `load` would not know: `register` it first.
    ValueError
        Parameters of another network.
    FileExistsError

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
        raise TypeError(f"net is {net!r}; expected a Sequential with the type of its input")
    if state is None:
        state = net.init(0)[1]
        if flatten(state):
            raise ValueError("the network has running state: pass state, as net.init returns it")
    if reason := mismatch(net, params, state):
        raise ValueError(f"params or state do not fit the network: {reason}")
    write_tree(
        path,
        {"params": params, "state": state},
        {"network": describe(net)},
        overwrite=overwrite,
    )


def load(path) -> tuple[Sequential, list, list]:
    """(net, params, state) of a file that `save` wrote, or of a checkpoint of a training.

    Nothing in the file is executed or unpickled.

    Raises
    ------
    FileNotFoundError
    ValueError
        A truncated, damaged or foreign file; one of another version; a layer that is not registered.

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
    """(net, params, state) of the content of a file, as `read_tree` returns it; errors as of `load`."""
    if (
        "network" not in header
        or not isinstance(tree, dict)
        or not {"params", "state"} <= set(tree)
    ):
        hint = ""
        if "checkpoint" in header:
            hint = ": a layer was not registered when it was written; train.checkpoints.load reads the rest"
        raise ValueError(f"{path} holds no network{hint}")
    params, state = tree["params"], tree["state"]
    try:
        net = rebuild(header["network"])
        if not isinstance(net, Sequential) or net.in_type is None:
            raise ValueError("it is not a network with the type of its input")
        entries = sum(array.size for _, array in flatten([params, state]))
        reason = mismatch(net, params, state, _BoundedGenerator(2 * entries + 10**7))
    except Exception as error:  # whatever constructors raise for fields that a damaged file gives
        reason = f"{type(error).__name__}: {error}" if not isinstance(error, ValueError) else error
        raise ValueError(f"{path} holds a network that cannot be created: {reason}") from None
    if reason:
        raise ValueError(f"{path}: params or state do not fit the network: {reason}")
    return net, params, state


class _BoundedGenerator(np.random.Generator):
    """Random numbers for ``init``, not more than a file can have: a damaged one may ask for any size."""

    def __init__(self, limit):
        super().__init__(np.random.PCG64(0))
        self.limit = limit

    def standard_normal(self, size=None, *args, **options):
        self.limit -= math.prod(np.atleast_1d(1 if size is None else size).tolist())
        if self.limit < 0:
            raise ValueError("its layers have more parameters than the file has numbers")
        return super().standard_normal(size, *args, **options)


def mismatch(net, params, state, rng=0):
    """In words, where parameters or state differ from what ``net.init`` returns; None where they fit."""
    kinds = {array.real.dtype for _, array in flatten([params, state])}
    if not kinds <= {np.dtype(np.float32), np.dtype(np.float64)}:
        return f"numbers of type {', '.join(map(str, kinds))}; expected float32 or float64"
    expected = net.init(rng, dtype=np.result_type(*kinds) if kinds else np.float64)
    for tree, initial in zip((params, state), expected, strict=True):
        if reason := difference(initial, tree):
            return reason
        if _structure(initial) != _structure(tree):
            return "another number of layers"
    return None


def _structure(tree):
    """The tree without its arrays; lists and tuples are the same."""
    if isinstance(tree, dict):
        return {name: _structure(branch) for name, branch in tree.items()}
    return list(map(_structure, tree)) if isinstance(tree, list | tuple) else None


def describe(value):
    """A network, a layer or a type as JSON can hold it: names of classes, and their fields by name.

    Raises
    ------
    TypeError
        A class or function that is not of this package and not registered; a field that JSON cannot hold.

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
    raise TypeError(f"{value!r} ({type(value).__name__}) cannot be stored as a hyper-parameter")


def _describe_fields(value):
    kind, name = type(value), type(value).__name__
    package, registered = _package_classes(), _registered.get(name)
    if package.get(name) is not kind and registered is not kind:
        if name in package:
            advice = (
                "a layer of the package has this name; give the class another one, and register it"
            )
        elif registered is not None and _origin(registered) == _origin(kind):
            advice = "the class was defined again since; create the network anew"
        else:
            advice = "put @nn.register above its class"
        raise TypeError(f"{name} is not a registered layer: {advice}")
    fields = {f.name: describe(getattr(value, f.name)) for f in dataclasses.fields(value)}
    description = {"class": name, "fields": fields}
    if name not in package:
        try:
            again = rebuild(description)
        except Exception as error:
            raise TypeError(f"{value!r} cannot be created from its fields: {error}") from None
        if again != value:
            raise TypeError(
                f"{value!r} is not what its fields create, {again!r}: its __post_init__ changes them again"
            )
    return description


def rebuild(description):
    """The network, layer or type of a description.

    Raises
    ------
    ValueError
        A class or function that is not of this package and not registered; fields that its class refuses.

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
        return _known(description["function"], "function", _registered)
    if set(description) != {"class", "fields"} or not isinstance(description["fields"], dict):
        raise ValueError(f"the description of a layer is damaged: {str(description)[:60]!r}")
    kind = _known(description["class"], "layer", _registered | _package_classes())
    if not isinstance(kind, type):
        raise ValueError(f"{description['class']!r} is a function; expected a layer")
    fields = {name: rebuild(field) for name, field in description["fields"].items()}
    names = {field.name for field in dataclasses.fields(kind)}
    if set(fields) != names:
        raise ValueError(
            f"{kind.__name__} has the fields {sorted(names)}; the file gives {sorted(fields)}"
        )
    return kind(**fields)


def _known(name, noun, known):
    if not isinstance(name, str) or name not in known:
        raise ValueError(
            f"the {noun} {name!r} is not known; define it and call nn.register({name}) before loading"
        )
    return known[name]
