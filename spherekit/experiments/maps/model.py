"""Networks of a [network] section: by name with hyperparameters, or as a list of layers.

::

    [network]
    name = "cobb"             # "small", or a function of nn.models, with its hyperparameters
    channels = 8

or ::

    [[network.layers]]
    layer = "Zonal"           # a class of nn, with its fields by name
    channels = 12

    [[network.layers]]
    layer = "GlobalMean"

    [[network.layers]]
    layer = "Dense"           # features: by default the number of outputs

A field that is itself a layer is a table with a key ``layer``, such as ``readout = {layer = "Invariants"}``.
"""

import dataclasses
import inspect

from spherekit import nn
from spherekit.train.schema import nearest

#: Arguments that the data determine.
_DATA_ARGUMENTS = ("L", "inputs", "outputs", "real")
#: Layers that do not mix degrees.
_DEGREE_PRESERVING = "BatchNorm", "FragmentNorm", "ToFragments", "Dropout"
#: Functions of nn.models.
_MODELS = ("cohen", "esteves", "spin", "kondor", "cobb", "hybrid")


def small(L, inputs=1, outputs=1, *, width=12, anchors=8, oversample=1):
    """Two blocks of Zonal, BatchNorm and ReLU, at L and L/2; then means over the sphere and a dense layer.

    The network is invariant to rotations up to aliasing by ReLU, which decreases with ``oversample``.

    >>> small(32, outputs=3).out_type()
    Features(3)
    """
    layers = []
    for limit in (L, max(L // 2, min(L, 8))):
        layers += [nn.Zonal(width, min(anchors, limit), L=limit)]
        layers += [nn.BatchNorm(), nn.Pointwise("relu", oversample)]
    return nn.Sequential(nn.Sphere(L, inputs), *layers, nn.GlobalMean(), nn.Dense(outputs))


#: Networks by name.
NETWORKS = {"small": small} | {name: getattr(nn.models, name) for name in _MODELS}


def check(section, content):
    """Validate a [network] section and return its values; raises for unknown names, keys and layers."""
    if "layers" in content:
        extra = [key for key in content if key != "layers"]
        if extra:
            raise ValueError(f"[{section}] has both {extra[0]} and layers; leave one of them out")
        _layers(content["layers"], f"[[{section}.layers]]", outputs=1)
        return {"layers": content["layers"]}
    name = content.get("name", "small")
    if name not in NETWORKS:
        raise ValueError(f"[{section}] name is {name!r}{nearest(name, NETWORKS)}")
    parameters = inspect.signature(NETWORKS[name]).parameters
    names = [key for key in parameters if key not in _DATA_ARGUMENTS]
    for key in content:
        if key in _DATA_ARGUMENTS:
            raise ValueError(
                f"[{section}] {key} is set by the maps; leave it out ([data] L sets the band-limit)"
            )
        if key not in ("name", *names):
            raise ValueError(f"[{section}] {name} has no {key!r}{nearest(key, names)}")
    return {"name": name} | {key: value for key, value in content.items() if key != "name"}


def network(values, L, outputs):
    """Create the network of a validated section, for real maps of band-limit L.

    Raises
    ------
    ValueError
        If hyperparameters are out of range, layers do not match each other, or the number of outputs differs.
    """
    try:
        if "layers" in values:
            layers = _layers(values["layers"], "[[network.layers]]", outputs)
            net = nn.Sequential(nn.Sphere(L, 1), *layers)
        else:
            options = {key: _hashable(value) for key, value in values.items() if key != "name"}
            options = _defaults(values["name"], L, options) | options
            net = NETWORKS[values["name"]](L, inputs=1, outputs=outputs, **options)
    except (ValueError, TypeError) as error:
        text = str(error)
        raise ValueError(text if text.startswith("[") else f"[network] {text}") from None
    if net.out_type() != nn.Features(outputs):
        raise ValueError(
            f"[network] returns {net.out_type()}; expected {nn.Features(outputs)}: end with layer = "
            '"Dense" without features'
        )
    return net


def describe(values, net):
    """Lines on a network: its name, and the first layer that reduces the band-limit."""
    yield f"network: {values.get('name', 'layers of the configuration')}"
    L = net.in_type.L
    in_type = net.in_type
    for number, layer in enumerate(net.layers):
        out_type = layer.out_type(in_type)
        limit = getattr(out_type, "L", None)
        if limit is None:
            return
        if isinstance(layer, nn.Scattering):
            yield f"   layer {number}, Scattering, uses all degrees < {L} and returns those < {limit}"
            return
        if limit < L:
            kind = type(layer).__name__
            yield f"   layer {number}, {kind}, returns degrees < {limit} of those < {L}"
            return
        if number == 0:
            yield f"   its first layer returns all degrees < {L}"
        if type(layer).__name__ not in _DEGREE_PRESERVING:
            return
        in_type = out_type


def _defaults(name, L, options):
    """Default hyperparameters that depend on the band-limit, for networks whose own defaults do not."""
    if name == "cohen":
        # the ratios of the paper, where L = 30, and at least its limits 10 and 6 if L permits
        channels = options.get("channels", (20, 40))
        count = len(channels) if _is_sequence(channels) else 2
        limits = (min(L, max(10, -(-L // 3))), min(L, max(6, -(-L // 5))))
        return {"limits": (limits + limits[-1:] * count)[:count]}
    if name == "hybrid":
        return {"J0": min(3, max(L - 2, 0).bit_length())}  # the highest scale
    return {}


def _is_sequence(value):
    return isinstance(value, tuple | list)


def _layers(tables, location, outputs):
    """Layers of a list of tables; in a final Dense the default of features is the number of outputs."""
    if not isinstance(tables, list) or not tables:
        raise ValueError(f'{location} is {tables!r}; expected a list of tables with layer = "..."')
    layers = []
    for number, table in enumerate(tables):
        features = outputs if number == len(tables) - 1 else None
        layers.append(_layer(table, f"{location} {number}", features))
    return layers


def _layer(table, location, features=None):
    if not isinstance(table, dict) or not isinstance(table.get("layer"), str):
        raise ValueError(
            f'{location} is {table!r}; expected a table with layer = "...", a class of nn'
        )
    classes = layer_classes()
    name = table["layer"]
    if name not in classes:
        raise ValueError(f"{location}: there is no layer {name!r}{nearest(name, classes)}")
    kind = classes[name]
    location = f"{location}, {name}"
    fields = {field.name: field for field in dataclasses.fields(kind) if field.name != "in_type"}
    arguments = {key: value for key, value in table.items() if key != "layer"}
    for key in arguments:
        if key not in fields:
            hint = nearest(key, fields) if fields else "; it has no fields"
            raise ValueError(f"{location} has no {key!r}{hint}")
    if features is not None and kind is nn.Dense:
        arguments.setdefault("features", features)
    for key, field in fields.items():
        if key in arguments:
            arguments[key] = _value(arguments[key], location)
        elif field.default is field.default_factory is dataclasses.MISSING:
            raise ValueError(f"{location} needs {key}")
    try:
        return kind(**arguments)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{location}: {error}") from None


def layer_classes():
    """{name: class} of the layers that a configuration may use."""
    public = (getattr(nn, name) for name in nn.__all__)
    return {
        value.__name__: value
        for value in public
        if isinstance(value, type) and issubclass(value, nn.Layer) and value is not nn.Layer
    }


def _value(value, location):
    """Convert the value of a field: a table to a layer, a list to a tuple."""
    if isinstance(value, dict):
        return _layer(value, location)
    if isinstance(value, list):
        return tuple(_value(entry, f"{location} {number}") for number, entry in enumerate(value))
    return value


def _hashable(value):
    return tuple(map(_hashable, value)) if isinstance(value, list) else value
