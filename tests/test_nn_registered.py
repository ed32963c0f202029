"""What `nn.save` does with layers of one's own: nothing is written that `nn.load` would not give back."""

import dataclasses
import json

import numpy as np
import pytest
from helpers.networks import FEATURES

from spherekit import nn


def own(name, **attributes):
    """A registered class of that name, that passes its input on."""
    methods = {
        "out_type": lambda self, in_type: in_type,
        "forward": lambda self, params, x, context: x,
    }
    return nn.register(type(name, (nn.Layer,), methods | attributes))


def saved(layer, tmp_path):
    net = nn.Sequential(FEATURES, layer)
    path = tmp_path / "net.npz"
    nn.save(path, net, *net.init(0), overwrite=True)
    return nn.load(path)[0], net


@pytest.mark.parametrize("value", [np.inf, -np.inf, 0.1, -0.0, 3, "text", (1, (2.5, None)), True])
def test_fields_come_back(value, tmp_path):
    kind = own("RegisteredField", __annotations__={"value": object})
    again, net = saved(kind(value), tmp_path)
    assert again == net and type(again.layers[0].value) is type(value)


def doubled(self):
    object.__setattr__(self, "size", 2 * self.size)


REFUSED = {
    "a field that changes again": (
        dict(__annotations__={"size": int}, __post_init__=doubled),
        (3,),
        "differs from .*, created from its fields",
    ),
    "a field that the constructor does not take": (
        dict(__annotations__={"size": int}, size=dataclasses.field(init=False, default=3)),
        (),
        "cannot be created from its fields",
    ),
    "NaN, which is not equal to itself": (
        dict(__annotations__={"size": float}),
        (np.nan,),
        "differs from .*, created from its fields",
    ),
    "an object": (dict(__annotations__={"size": object}), (frozenset({1}),), "cannot be stored"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_layers_that_would_not_come_back(case, tmp_path):
    attributes, arguments, words = REFUSED[case]
    kind = own("RegisteredRefused" + str(list(REFUSED).index(case)), **attributes)
    with pytest.raises(TypeError, match=words):
        saved(kind(*arguments), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_class_defined_again(tmp_path):
    before = own("RegisteredTwice")()
    own("RegisteredTwice")
    with pytest.raises(TypeError, match="has been redefined; create the network again"):
        saved(before, tmp_path)


def test_a_class_with_the_name_of_the_package(tmp_path):
    kind = type("Dense", (nn.Layer,), {"out_type": lambda self, in_type: in_type})
    with pytest.raises(ValueError, match="name 'Dense' is in use"):
        nn.register(kind)
    with pytest.raises(TypeError, match="a layer of the package has this name"):
        saved(kind(), tmp_path)


def test_a_class_that_is_not_registered(tmp_path):
    kind = type("NotRegistered", (nn.Layer,), {"out_type": lambda self, in_type: in_type})
    with pytest.raises(TypeError, match="put @nn.register above its class"):
        saved(kind(), tmp_path)


def changed(path, change):
    """The file with another description of its network."""
    with np.load(path) as archive:
        entries = dict(archive)
    content = json.loads(entries["spherekit"].tobytes())
    change(content)
    entries["spherekit"] = np.frombuffer(json.dumps(content).encode(), np.uint8)
    np.savez(path, **entries)


def test_a_file_that_asks_for_memory(tmp_path):
    net, path = nn.Sequential(FEATURES, nn.Dense(2)), tmp_path / "net.npz"
    nn.save(path, net, *net.init(0))

    def grow(content):
        content["header"]["network"]["fields"]["layers"][0]["fields"]["features"] = 10**9

    changed(path, grow)
    with pytest.raises(ValueError, match="more parameters than the file"):
        nn.load(path)


def test_a_constructor_that_fails(tmp_path):
    def check(self):
        object.__setattr__(self, "share", 1 / self.size)

    kind = own("RegisteredDivision", __annotations__={"size": int}, __post_init__=check)
    _, net = saved(kind(2), tmp_path)
    path = tmp_path / "net.npz"

    def zero(content):
        content["header"]["network"]["fields"]["layers"][0]["fields"]["size"] = 0

    changed(path, zero)
    with pytest.raises(ValueError, match="cannot be created: ZeroDivisionError"):
        nn.load(path)


def test_a_file_of_a_later_version(tmp_path):
    net, path = nn.Sequential(FEATURES, nn.Dense(2)), tmp_path / "net.npz"
    nn.save(path, net, *net.init(0))
    changed(path, lambda content: content.update(version=99))
    with pytest.raises(
        ValueError, match="format version 99 of a later spherekit; expected version"
    ):
        nn.load(path)
