"""Networks of a [network] section: by name with hyper-parameters, or as a list of layers.

::

    [network]
    name = "cobb"             # "small", or a function of nn.models, with its hyper-parameters
    channels = 8

or ::

    [[network.layers]]
    layer = "Zonal"           # a class of nn, with its fields by name
    channels = 12

    [[network.layers]]
    layer = "GlobalMean"

    [[network.layers]]
    layer = "Dense"           # without features: as many as there are outputs

Fields that are layers themselves are tables with a key ``layer``, as ``readout = {layer = "Invariants"}``.
"""

import dataclasses
import inspect

from spherekit import nn
from spherekit.train.schema import nearest

#: Set by the data.
_OF_DATA = ("L", "inputs", "outputs", "real")
#: Layers after which the degrees that come next have not been mixed with others.
_LINEAR = "BatchNorm", "FragmentNorm", "ToFragments", "Dropout"
#: Functions of nn.models.
_MODELS = ("cohen", "esteves", "spin", "kondor", "cobb", "hybrid")


def small(L, inputs=1, outputs=1, *, width=12, anchors=8, oversample=1):
    """Zonal, BatchNorm, ReLU, twice, at L and at half of it; then means over the sphere and a dense layer.

    Invariant to rotations except for what ReLU aliases, the less the higher ``oversample``.

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
    """The values of a [network] section; refuses unknown names, keys and layers."""
    if "layers" in content:
        others = [key for key in content if key != "layers"]
        if others:
            raise ValueError(f"[{section}] {others[0]} beside layers; leave one of them out")
        _layers(content["layers"], f"[[{section}.layers]]", outputs=1)
        return {"layers": content["layers"]}
    name = content.get("name", "small")
    if name not in NETWORKS:
        raise ValueError(f"[{section}] name is {name!r}{nearest(name, NETWORKS)}")
    keys = [key for key in inspect.signature(NETWORKS[name]).parameters if key not in _OF_DATA]
    for key in content:
        if key in _OF_DATA:
            raise ValueError(
                f"[{section}] {key} is set by the maps; leave it out ([data] L sets the band-limit)"
            )
        if key not in ("name", *keys):
            raise ValueError(f"[{section}] {name} has no {key!r}{nearest(key, keys)}")
    return {"name": name} | {key: value for key, value in content.items() if key != "name"}


def network(values, L, outputs):
    """The network of a checked section, for real maps of band-limit L.

    Raises
    ------
    ValueError
        Hyper-parameters out of range, layers that do not fit each other, another number of outputs.
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
    """Lines on a network: its name, and the degrees that its first layer of another band-limit returns."""
    yield f"network: {values.get('name', 'layers of the configuration')}"
    L, in_type = net.in_type.L, net.in_type
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
            yield f"   layer {number}, {kind}, keeps degrees < {limit} of those < {L}"
            return
        if number == 0:
            yield f"   its first layer keeps all degrees < {L}"
        if type(layer).__name__ not in _LINEAR:
            return
        in_type = out_type


def _defaults(name, L, options):
    """Hyper-parameters that follow the band-limit, where the function of nn.models has fixed ones."""
    if (
        name == "cohen"
    ):  # the ratios of the paper, at L = 30; not below its limits where there are so many degrees
        count = (
            len(options.get("channels", (20, 40)))
            if _is_sequence(options.get("channels", ()))
            else 2
        )
        limits = (min(L, max(10, -(-L // 3))), min(L, max(6, -(-L // 5))))
        return {"limits": (limits + limits[-1:] * count)[:count]}
    if name == "hybrid":
        return {"J0": min(3, max(L - 2, 0).bit_length())}  # the highest scale
    return {}


def _is_sequence(value):
    return isinstance(value, tuple | list)


def _layers(tables, place, outputs):
    """Layers of a list of tables; a last Dense without features has as many as there are outputs."""
    if not isinstance(tables, list) or not tables:
        raise ValueError(f'{place} is {tables!r}; expected a list of tables with layer = "..."')
    layers = []
    for number, table in enumerate(tables):
        features = outputs if number == len(tables) - 1 else None
        layers.append(_layer(table, f"{place} {number}", features))
    return layers


def _layer(table, place, features=None):
    if not isinstance(table, dict) or not isinstance(table.get("layer"), str):
        raise ValueError(
            f'{place} is {table!r}; expected a table with layer = "...", a class of nn'
        )
    classes = layer_classes()
    name = table["layer"]
    if name not in classes:
        raise ValueError(f"{place}: there is no layer {name!r}{nearest(name, classes)}")
    kind, place = classes[name], f"{place}, {name}"
    fields = {field.name: field for field in dataclasses.fields(kind) if field.name != "in_type"}
    given = {key: value for key, value in table.items() if key != "layer"}
    for key in given:
        if key not in fields:
            known = ", ".join(fields) or "no fields"
            close = nearest(key, fields) if fields else ""
            raise ValueError(f"{place} has no {key!r}{close or f'; it has {known}'}")
    if features is not None and kind is nn.Dense:
        given.setdefault("features", features)
    for key, field in fields.items():
        if key in given:
            given[key] = _value(given[key], place)
        elif field.default is field.default_factory is dataclasses.MISSING:
            raise ValueError(f"{place} needs {key}")
    try:
        return kind(**given)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{place}: {error}") from None


def layer_classes():
    """{name: class} of the layers that a configuration may name."""
    public = (getattr(nn, name) for name in nn.__all__)
    return {
        value.__name__: value
        for value in public
        if isinstance(value, type) and issubclass(value, nn.Layer) and value is not nn.Layer
    }


def _value(value, place):
    """A field: layers of tables, tuples of lists."""
    if isinstance(value, dict):
        return _layer(value, place)
    if isinstance(value, list):
        return tuple(_value(entry, f"{place} {number}") for number, entry in enumerate(value))
    return value


def _hashable(value):
    return tuple(map(_hashable, value)) if isinstance(value, list) else value
