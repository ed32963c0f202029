"""Layers and networks as values: printed, compared, hashed, copied, pickled; and their documentation."""

import dataclasses
import inspect
import multiprocessing
import pickle
import re

import numpy as np
import pytest
from helpers.networks import (
    COMPLEX,
    EVERY_LAYER,
    MODELS,
    SPHERE,
    all_results,
    assert_equal_bits,
    copies,
)

from spherekit import nn

TYPES = [
    nn.Sphere(4, 2),
    nn.Sphere(4, 2, real=False, spin=-1),
    nn.SpinFields(4, (0, 1), 2),
    nn.SO3(4, 2, 3),
    nn.SO3(4, 2, 3, real=False),
    nn.Fragments((1, 0, 2), 3),
    nn.Fragments((1, 0, 2), 3, real=False),
    nn.Features(3),
]
NETWORKS = {name: getattr(nn.models, name)(**options) for name, options in MODELS.items()}
VALUES = [*TYPES, *(layer for layer, _ in EVERY_LAYER), *NETWORKS.values()]

#: (layer, type of its input) of every layer and model.
PAIRS = [*EVERY_LAYER, *((net, net.in_type) for net in NETWORKS.values())]


def name_of(value):
    return type(value).__name__


def public_layers():
    values = (getattr(nn, name) for name in nn.__all__)
    return [v for v in values if inspect.isclass(v) and issubclass(v, nn.Layer) and v != nn.Layer]


def test_every_public_layer_is_tried():
    assert {type(layer) for layer, _ in EVERY_LAYER} == set(public_layers())


def test_public_names():
    """All that the module says that it has, and nothing that it has forgotten to list."""
    assert sorted(nn.__all__) == sorted(set(nn.__all__))
    public = {
        name
        for name, value in vars(nn).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public == {name for name in nn.__all__ if not inspect.ismodule(getattr(nn, name))}
    layers = {layer.__name__ for layer in public_layers()}
    assert layers <= set(re.findall(r"`(\w+)`", nn.__doc__))


# --- values ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", VALUES, ids=name_of)
def test_frozen_dataclasses(value):
    assert dataclasses.is_dataclass(value) and type(value).__dataclass_params__.frozen
    for name in (*(field.name for field in dataclasses.fields(value)), "another"):
        before = repr(value)
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, name, 2)
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(value, name)
        assert repr(value) == before


@pytest.mark.parametrize("value", VALUES, ids=name_of)
def test_printed_as_an_expression(value):
    again = eval(repr(value), vars(nn))
    assert type(again) is type(value) and again == value and not again != value
    assert hash(again) == hash(value) and repr(again) == repr(value)
    assert "<" not in repr(value) and "np." not in repr(value)


@pytest.mark.parametrize("layer", [layer for layer, _ in EVERY_LAYER], ids=name_of)
def test_replaced_fields(layer):
    """As `dataclasses.replace` of every dataclass."""
    fields = {field.name: getattr(layer, field.name) for field in dataclasses.fields(layer)}
    assert type(layer)(**fields) == layer
    assert dataclasses.replace(layer) == layer


@pytest.mark.parametrize("layer, in_type", PAIRS, ids=name_of)
def test_copies_are_equal_and_compute_the_same_bits(layer, in_type):
    expected = all_results(layer, in_type)
    for number, twin in enumerate(copies(layer)):
        assert type(twin) is type(layer) and twin == layer and not twin != layer
        assert hash(twin) == hash(layer) and {layer: "a"}[twin] == "a"
        assert repr(twin) == repr(layer) and twin.out_type(in_type) == layer.out_type(in_type)
        if number < 3:  # a shallow and a deep copy, and a pickle
            assert_equal_bits(all_results(twin, in_type), expected)


@pytest.mark.parametrize("value", TYPES, ids=name_of)
def test_copies_of_types(value):
    for twin in copies(value):
        assert twin == value and hash(twin) == hash(value) and repr(twin) == repr(value)
        assert twin.shape(3) == value.shape(3) and str(twin) == str(value)


def test_in_another_process():
    """Every layer and model, pickled to a spawned process: the same value there, and the same bits."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for (layer, in_type), (twin, arrays) in zip(
            PAIRS, pool.starmap(value_and_results, PAIRS), strict=True
        ):
            assert twin == layer and repr(twin) == repr(layer)
            assert_equal_bits(arrays, all_results(layer, in_type))


def value_and_results(layer, in_type):
    return layer, all_results(layer, in_type)


def test_tables_are_not_pickled():
    """They are computed again where they are needed."""
    for layer, in_type in EVERY_LAYER:
        fresh = pickle.loads(pickle.dumps(layer))
        before = pickle.dumps(fresh)
        all_results(fresh, in_type)
        assert pickle.dumps(fresh) == before, layer


def test_values_that_differ():
    """In a field, or in their class alone."""
    values = list(dict.fromkeys(VALUES))
    for i, a in enumerate(values):
        for b in values[i + 1 :]:
            assert a != b and not a == b and repr(a) != repr(b)
    for stranger in (None, 3, "Zonal(3)", object(), (3, None, None)):
        assert nn.Zonal(3) != stranger
    assert nn.MeanPool(2) != nn.MaxPool(2) and nn.Invariants() != nn.GlobalMean()
    assert nn.Sequential(SPHERE, nn.Zonal(2)) != nn.Sequential(nn.Zonal(2))


EQUAL = [
    (nn.SpinConvolution(2, [0, 1]), nn.SpinConvolution(2, (0, 1))),
    (nn.SpinConvolution(2, np.array([0, 1])), nn.SpinConvolution(2)),
    (nn.Convolution(2, [1, 2]), nn.Convolution(2, (1, 2))),
    (nn.ConstrainedConvolution(2, np.array([1, 2])), nn.ConstrainedConvolution(2, (1, 2))),
    (nn.TensorProduct({0: [(0, 0)]}), nn.TensorProduct({0: ((0, 0),)})),
    (nn.Scattering(paths=[(), (1,)]), nn.Scattering(paths=((), (1,)))),
    (nn.Zonal(np.int64(3), np.uint8(2)), nn.Zonal(3, 2)),
    (nn.SetSum(np.int32(3)), nn.SetSum(3)),
    (nn.Dropout(np.float32(0.25)), nn.Dropout(0.25)),
    (nn.BatchNorm(np.float64(0.5)), nn.BatchNorm(0.5)),
    (nn.Pointwise(oversample=np.float64(1.5)), nn.Pointwise(oversample=1.5)),
    (nn.Pointwise(oversample=np.int8(2)), nn.Pointwise(oversample=2.0)),
    (nn.GlobalMax(np.float16(1.5)), nn.GlobalMax(1.5)),
    (nn.Scattering(np.float64(1.5), np.int64(1)), nn.Scattering(1.5, 1)),
    (nn.Fragments([1, 2], 3), nn.Fragments((1, 2), 3)),
    (nn.Fragments(np.array([1, 2]), 3), nn.Fragments((1, 2), 3)),
    (nn.SpinFields(4, [0, 1], 3), nn.SpinFields(4, (0, 1), 3)),
    (nn.Sphere(4, 2, real=np.bool_(True)), nn.Sphere(4, 2)),
]


@pytest.mark.parametrize("one, two", EQUAL, ids=str)
def test_arguments_of_any_type(one, two):
    """Lists, arrays and numbers of NumPy where tuples and numbers are meant."""
    assert one == two and hash(one) == hash(two) and repr(one) == repr(two)
    assert eval(repr(one), vars(nn)) == two


def test_hyper_parameters_are_visible():
    layer = nn.Lift(8, N=3, filters="equatorial")
    assert (layer.channels, layer.N, layer.L, layer.filters) == (8, 3, None, "equatorial")
    net = nn.Sequential(SPHERE, nn.Zonal(3), nn.Sequential(nn.Pointwise("tanh"), nn.GlobalMean()))
    assert net.in_type == SPHERE and net.layers[1].layers[0].function == "tanh"
    match net.layers[0]:
        case nn.Zonal(channels=channels, anchors=None):
            assert channels == 3


def test_a_printed_network():
    net = nn.Sequential(
        nn.Sphere(10, 1),
        nn.Lift(8, N=3),
        nn.Sequential(nn.Pointwise("relu", oversample=1.5), nn.BatchNorm()),
        nn.GlobalMean(),
        nn.Dense(2),
    )
    assert repr(net).splitlines() == [
        "Sequential(",
        "    Sphere(10, 1),",
        "    Lift(8, N=3),",
        "    Sequential(",
        "        Pointwise('relu', oversample=1.5),",
        "        BatchNorm(),",
        "    ),",
        "    GlobalMean(),",
        "    Dense(2),",
        ")",
    ]


# --- documentation -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", nn.__all__)
def test_documentation(name):
    """Every public name has a docstring of its own; layers say parameters, signals, and an example."""
    value = getattr(nn, name)
    text = (vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__) or ""
    text = inspect.cleandoc(text)
    assert len(text) > 40, "no docstring"
    assert not text.startswith(f"{name}("), "the docstring that dataclasses write"
    if inspect.ismodule(value):
        return
    assert ">>> " in text, "no example"
    if not dataclasses.is_dataclass(value):
        return
    fields = [field.name for field in dataclasses.fields(value)]
    if fields:
        section = text.split("Parameters\n----------\n")[1].split("\n>>> ")[0]
        listed = re.findall(r"^\*?(\w+(?:, \w+)*)(?: :|$)", section, re.M)
        assert {name for names in listed for name in names.split(", ")} >= set(fields)
    if value in public_layers() and not hasattr(value, "stages"):
        assert "Input" in text and "utput" in text, "no types of signals"
        assert re.search("->|stays the same", text.splitlines()[0]), "its first line: In -> Out"


@pytest.mark.parametrize(
    "layer, in_type", [pair for pair in EVERY_LAYER if not hasattr(pair[0], "stages")], ids=name_of
)
def test_the_first_line_tells_the_types(layer, in_type):
    """What is documented as Sphere -> SO3 accepts the one and returns the other."""
    text, out_type = type(layer).__doc__, layer.out_type(in_type)
    line = text.splitlines()[0]
    before, after = name_of(in_type), name_of(out_type)
    if "stays the same" in line:
        assert before == after and (before in text or "any type" in text)
    else:
        assert re.search(rf"\b{before}\b.*->.*\b({after}|the same)\b", line), line


@pytest.mark.parametrize("layer", [layer for layer, _ in EVERY_LAYER], ids=name_of)
def test_types_that_a_layer_refuses(layer):
    """With a message that says what it accepts and what came; never another error."""
    for in_type in [*TYPES, COMPLEX, nn.Features(1), nn.SO3(1, 1, 1), nn.Sphere(1, 1)]:
        try:
            assert isinstance(layer.out_type(in_type), tuple(map(type, TYPES)))
        except (TypeError, ValueError) as error:
            assert str(error) and "\n" not in str(error)
            with pytest.raises(
                type(error), match=rf"layer 0(, {type(layer).__name__}|(\.\d+)+, \w+): "
            ):
                nn.Sequential(in_type, layer)
