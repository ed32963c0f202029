"""Layers and networks as values: printed, compared, hashed, copied, pickled; own layers; state; contexts."""

import copy
import dataclasses
import inspect
import multiprocessing
import pickle
import re

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from autograd.tracer import isbox
from helpers.networks import (
    COMPLEX,
    EVERY_LAYER,
    FEATURES,
    FRAGMENTS,
    GROUP,
    MODELS,
    SPHERE,
    SPINS,
    Map,
    all_results,
    leaves,
    output,
    signals,
    training,
)
from tolerances import CHAIN

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
    assert type(layer).from_fields(fields) == layer
    if not hasattr(layer, "stages"):
        assert dataclasses.replace(layer) == layer


def copies(value):
    yield copy.copy(value)
    yield copy.deepcopy(value)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        yield pickle.loads(pickle.dumps(value, protocol))


@pytest.mark.parametrize("layer, in_type", PAIRS, ids=name_of)
def test_copies_are_equal_and_compute_the_same_bits(layer, in_type):
    expected = all_results(layer, in_type)
    for number, twin in enumerate(copies(layer)):
        assert type(twin) is type(layer) and twin == layer and not twin != layer
        assert hash(twin) == hash(layer) and {layer: "a"}[twin] == "a"
        assert repr(twin) == repr(layer) and twin.out_type(in_type) == layer.out_type(in_type)
        if number < 3:  # a shallow and a deep copy, and a pickle
            assert_equal_bits(all_results(twin, in_type), expected)


def assert_equal_bits(arrays, expected):
    for x, y in zip(arrays, expected, strict=True):
        assert np.asarray(x).dtype == np.asarray(y).dtype and np.array_equal(x, y)


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
        "        Pointwise(oversample=1.5),",
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
    assert len(text) > 40, "no docstring"
    assert not text.startswith(f"{name}("), "the docstring that dataclasses write"
    if inspect.ismodule(value):
        return
    assert ">>> " in text, "no example"
    if not dataclasses.is_dataclass(value):
        return
    fields = [field.name for field in dataclasses.fields(value)]
    if fields:
        section = text.split("Parameters\n    ----------\n")[1].split("\n    >>> ")[0]
        listed = re.findall(r"^    \*?(\w+(?:, \w+)*)(?: :|$)", section, re.M)
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
            with pytest.raises(type(error), match=f"layer 0, {type(layer).__name__}: "):
                nn.Sequential(in_type, layer)


# --- own layers --------------------------------------------------------------------------------------


class Scale(nn.Layer):
    """A learned factor for each channel: the ten lines of the documentation."""

    initial: float = 1.0

    def out_type(self, in_type):
        return in_type

    def init(self, in_type, rng):
        return {"factor": np.full((in_type.channels, 1), self.initial)}, {}

    def forward(self, params, x, context):
        return params["factor"] * x


class Count(nn.Layer):
    """Running state of its own: how many batches it has seen in training."""

    def out_type(self, in_type):
        return nn.expect_type(in_type, nn.Sphere)

    def init(self, in_type, rng):
        return {}, {"batches": np.zeros(1)}

    def apply(self, params, state, x, context):
        return x, {"batches": state["batches"] + context.training}


def test_an_own_layer(rng):
    net = nn.Sequential(SPHERE, Scale(3.0), nn.Zonal(2), Scale())
    params, state = net.init(0)
    assert params[0]["factor"].shape == (2, 1) and (params[0]["factor"] == 3).all()
    x = signals(SPHERE, rng)
    expected = nn.Zonal(2)(params[1], 3 * x, in_type=SPHERE)
    np.testing.assert_allclose(net(params, x), expected, rtol=0, atol=CHAIN)
    gradient = grad(lambda p: anp.real(net(p, x)[0, 0, 0]))(params)
    assert gradient[0]["factor"].dtype == float and np.any(gradient[0]["factor"])
    single, _ = net.init(0, dtype=np.float32)
    assert single[0]["factor"].dtype == np.float32
    assert net(single, x.astype(np.complex64)).dtype == np.complex64
    assert nn.equivariance_error(net, params, x, 0) < CHAIN


def test_an_own_layer_is_a_value():
    layer = Scale(3.0)
    assert repr(layer) == "Scale(3.0)" or repr(layer) == "Scale(initial=3.0)"
    assert eval(repr(layer)) == layer != Scale() and repr(Scale()) == "Scale()"
    assert hash(Scale(3.0)) == hash(layer) and dataclasses.replace(layer, initial=1.0) == Scale()
    for twin in copies(layer):
        assert twin == layer
        assert_equal_bits(all_results(twin, SPHERE), all_results(layer, SPHERE))
    with pytest.raises(dataclasses.FrozenInstanceError):
        layer.initial = 2


def test_fields_of_every_kind():
    """With a default from a factory, by keyword only, inherited: still an expression."""

    class Base(nn.Layer):
        width: int
        names: tuple = dataclasses.field(default_factory=tuple)

    class Derived(Base):
        depth: int = dataclasses.field(default=2, kw_only=True)
        height: int = dataclasses.field(kw_only=True)

    for value in (
        Base(3),
        Base(3, ("a",)),
        Derived(3, height=4),
        Derived(3, (1,), depth=5, height=6),
    ):
        assert eval(repr(value), dict(Base=Base, Derived=Derived)) == value
    assert repr(Base(3)) == "Base(3)"


def test_own_running_state(rng):
    net = nn.Sequential(SPHERE, Count(), nn.Sequential(nn.Zonal(2), Count()), nn.GlobalMean())
    params, state = net.init(0)
    x = signals(SPHERE, rng)
    for _ in range(3):
        y, state = net.apply(params, state, x, training())
    assert state[0]["batches"] == 3 and state[1][1]["batches"] == 3
    y, after = net.apply(params, state, x)
    assert_equal_bits(list(leaves(after)), list(leaves(state)))
    assert (net(params, x, state=state) == y).all()
    with pytest.raises(ValueError, match="running state.*pass state="):
        net(params, x)


def test_a_layer_by_itself(rng):
    x = signals(SPHERE, rng)
    params, _ = nn.Zonal(3).init(SPHERE, np.random.default_rng(0))
    net = nn.Sequential(SPHERE, nn.Zonal(3))
    assert (nn.Zonal(3)(params, x, in_type=SPHERE) == net([params], x)).all()
    with pytest.raises(TypeError, match=r"Zonal\(3\) by itself .*pass in_type="):
        nn.Zonal(3)(params, x)
    norm = nn.BatchNorm()
    params, state = norm.init(SPHERE, np.random.default_rng(0))
    y = norm(params, x, in_type=SPHERE, state=state)
    assert y.shape == x.shape
    with pytest.raises(ValueError, match="running state"):
        norm(params, x, in_type=SPHERE)


def wrong(**methods):
    """A layer `Wrong` of these methods; the others are those of `Scale`."""
    return type("Wrong", (Scale,), {"__module__": __name__, **methods})()


def unhashable():
    class Wrong(Scale):
        sizes: object = None

    return Wrong(sizes=[1, 2])


def a_function(x):
    return x


class Nothing(nn.Layer):
    """Defines no method."""


class TypeOnly(nn.Layer):
    """Defines no forward pass."""

    def out_type(self, in_type):
        return in_type


def init(value):
    return {"init": lambda self, in_type, rng: value}


def forward(function):
    return {"forward": lambda self, params, x, context: function(x)}


WRONG = {
    "no out_type": (Nothing, "layer 0, Nothing: .*out_type"),
    "no forward": (TypeOnly, "TypeOnly.*forward"),
    "out_type None": (
        lambda: wrong(out_type=lambda self, in_type: None),
        "layer 0, Wrong: out_type returned None; expected one of Sphere, ",
    ),
    "out_type of an int": (
        lambda: wrong(out_type=lambda self, in_type: 3),
        "layer 0, Wrong: out_type returned 3",
    ),
    "out_type of a class": (
        lambda: wrong(out_type=lambda self, in_type: nn.Sphere),
        "layer 0, Wrong: out_type returned .*Sphere",
    ),
    "out_type without arguments": (
        lambda: wrong(out_type=lambda self: SPHERE),
        "layer 0, Wrong: .*argument",
    ),
    "init of a dict": (
        lambda: wrong(**init({"factor": np.ones(1)})),
        r"layer 0, Wrong: init returned dict; expected \(params, state\)",
    ),
    "init of None": (lambda: wrong(**init(None)), "layer 0, Wrong: init returned NoneType"),
    "init of three": (lambda: wrong(**init(({}, {}, {}))), "layer 0, Wrong: init returned tuple"),
    "init of numbers": (
        lambda: wrong(**init(({"factor": 1.0}, {}))),
        "layer 0, Wrong: init returned float.*expected .*numpy arrays",
    ),
    "init of a list": (
        lambda: wrong(**init(({"factor": [1.0, 2.0]}, {}))),
        "layer 0, Wrong: init returned float.*expected .*numpy arrays",
    ),
    "another shape": (
        lambda: wrong(**forward(lambda x: x[..., :3])),
        r"layer 0, Wrong: returned an array of shape \(3, 2, 3\); its out_type says \(batch, 2, 16\)",
    ),
    "one axis less": (
        lambda: wrong(**forward(lambda x: x[..., 0])),
        r"layer 0, Wrong: returned an array of shape \(3, 2\)",
    ),
    "a number": (lambda: wrong(**forward(lambda x: 3.0)), "layer 0, Wrong: returned"),
    "nothing": (lambda: wrong(**forward(lambda x: None)), "layer 0, Wrong: returned"),
    "apply of an array": (
        lambda: wrong(apply=lambda self, params, state, x, context: x),
        r"layer 0, Wrong: apply returned ndarray; expected \(output, state\)",
    ),
    "a name that init does not make": (
        lambda: wrong(forward=lambda self, params, x, context: params["scale"] * x),
        "layer 0, Wrong: no parameter 'scale'",
    ),
    "not finite": (
        lambda: wrong(**forward(lambda x: x / 0)),
        "layer 0, Wrong: 96 of 96 results are NaN or infinite",
    ),
    "another error": (
        lambda: wrong(forward=lambda self, params, x, context: x.reshape(7)),
        "layer 0, Wrong: cannot reshape",
    ),
    "an unhashable field": (
        unhashable,
        "layer 0, Wrong: unhashable type: 'list'.*must be hashable",
    ),
    "a class": (lambda: Scale, r"layer 0, Scale: is a class; expected a layer, Scale\(...\)"),
    "a function": (lambda: a_function, "layer 0, a_function: .*not a layer"),
    "a string": (lambda: "relu", "layer 0, str: 'relu' is not a layer"),
    "None": (lambda: None, "layer 0, NoneType: None is not a layer"),
    "a type of signals": (lambda: FEATURES, r"layer 0, Features: Features\(3\) is not a layer"),
    "a list": (lambda: [Scale()], "layer 0, list: .*is not a layer"),
}


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("name", WRONG)
def test_own_layers_that_are_wrong(name, inside, rng):
    """Refused with a message that names the layer, also in a block: there what is no layer by the block."""
    create, words = WRONG[name]
    if inside and name == "a type of signals":
        pytest.skip("the type of the input of a block")
    x = signals(SPHERE, rng)
    with (
        np.errstate(all="ignore"),
        pytest.raises((TypeError, ValueError, NotImplementedError)) as error,
    ):
        before = [nn.BatchNorm(), nn.Sequential(create())] if inside else [create()]
        net = nn.Sequential(SPHERE, *before)
        output(net, net.init(0), x)
    if inside:
        words = words.replace("layer 0", r"layer (1\.0|1, Sequential: layer 0|0)")
    assert re.search(words, str(error.value)), str(error.value)


def test_mutable_defaults_are_refused():
    with pytest.raises(ValueError, match="mutable default"):

        class Wrong(nn.Layer):
            sizes: list = []  # noqa: RUF012


def test_the_layer_after_is_not_blamed(rng):
    """A wrong shape is refused where it comes from, not where it does not fit."""
    net = nn.Sequential(SPHERE, wrong(**forward(lambda x: x[:, :1])), nn.Zonal(2), nn.GlobalMean())
    with pytest.raises(ValueError, match="^layer 0, Wrong: "):
        output(net, net.init(0), signals(SPHERE, rng))


# --- networks of networks ----------------------------------------------------------------------------


def test_nested_networks(rng):
    """A block with or without the type of its input computes what its layers do."""
    x, layers = signals(SPHERE, rng), [nn.Zonal(3), nn.BatchNorm(), nn.Pointwise("tanh")]
    flat = nn.Sequential(SPHERE, *layers, nn.GlobalMean(), nn.Dense(2))
    params, state = flat.init(0)
    for block in (nn.Sequential(*layers), nn.Sequential(SPHERE, *layers)):
        net = nn.Sequential(SPHERE, block, nn.GlobalMean(), nn.Dense(2))
        nested = [params[:3], *params[3:]], [state[:3], *state[3:]]
        assert_equal_bits(list(leaves(net.init(0))), list(leaves((params, state))))
        assert [len(tree) for tree in net.init(0)] == [3, 3] and len(net.init(0)[0][0]) == 3
        for context in (None, training(0)):
            y, after = net.apply(*nested, x, context)
            expected, new_state = flat.apply(params, state, x, context)
            assert (y == expected).all() and y.dtype == expected.dtype
            assert_equal_bits(list(leaves(after)), list(leaves(new_state)))
        assert net.out_type() == flat.out_type()
        assert net.multiplications(SPHERE) == flat.multiplications(SPHERE)


def test_a_block_does_not_know_its_input(rng):
    block, x = nn.Sequential(nn.Zonal(3), nn.GlobalMean()), signals(SPHERE, rng)
    params, state = block.init(SPHERE, 0)
    assert block.out_type(SPHERE) == nn.Features(3) and block.in_type is None
    net = nn.Sequential(SPHERE, *block.layers)
    assert (block(params, x, in_type=SPHERE) == net(params, x)).all()
    for call in (
        lambda: block.out_type(),
        lambda: block(params, x),
        lambda: block.init(0),
        lambda: block.stages(),
        lambda: block.apply(params, state, x),
    ):
        with pytest.raises(TypeError, match="does not know the type of its input"):
            call()


def test_types_of_input_that_do_not_meet():
    with pytest.raises(
        ValueError, match="layer 1, Sequential: accepts real S2.*its input is real S2"
    ):
        nn.Sequential(SPHERE, nn.Zonal(3), nn.Sequential(SPHERE, nn.GlobalMean()))
    with pytest.raises(TypeError, match="comes twice"):
        nn.Sequential(SPHERE, nn.Zonal(3), in_type=SPHERE)
    net = nn.Sequential(SPHERE, nn.Zonal(3))
    with pytest.raises(ValueError, match="accepts real S2"):
        net.apply(*net.init(0), np.zeros((1, 3)), nn.Context(in_type=FEATURES))
    with pytest.raises(
        (TypeError, ValueError), match="layer 0, Sequential: layer 1, Dense: accepts"
    ):
        nn.Sequential(SPHERE, nn.Sequential(nn.Zonal(2), nn.Dense(3)))
    assert nn.Sequential(nn.Zonal(3), in_type=SPHERE) == net


def test_no_layers(rng):
    net, x = nn.Sequential(SPHERE), signals(SPHERE, rng)
    assert net.init(0) == ([], []) and net.out_type() == SPHERE and (net([], x) == x).all()
    assert eval(repr(net), vars(nn)) == net and eval(repr(nn.Sequential()), vars(nn)).layers == ()


def test_readouts_of_each_stage(rng):
    """Those of the input and of each output, side by side; parameters of layers, then of readouts."""
    layers = nn.FragmentNorm(), nn.Convolution(3)
    net = nn.Sequential(
        FRAGMENTS, nn.ConcatReadouts(nn.Sequential(nn.Invariants(), nn.Dense(2)), *layers)
    )
    params, state = net.init(0)
    x = signals(FRAGMENTS, rng)
    y = net(params, x, state=state)
    assert net.out_type() == nn.Features(6) and y.shape == (3, 6)
    (inner, readouts), in_type, results = params[0], FRAGMENTS, []
    readout = net.layers[0].readout
    for number in range(3):
        results.append(readout(readouts[number], x, in_type=in_type))
        if number < 2:
            x = layers[number](inner[number], x, in_type=in_type, state=state[0][0][number])
            in_type = layers[number].out_type(in_type)
    np.testing.assert_array_equal(y, np.concatenate(results, axis=1))
    with pytest.raises(ValueError, match="layer 0, ConcatReadouts: .*expected features"):
        nn.Sequential(FRAGMENTS, nn.ConcatReadouts(nn.Convolution(2), nn.Convolution(3)))
    with pytest.raises(TypeError, match="layer 1, Zonal: is a class"):
        nn.ConcatReadouts(nn.Invariants(), nn.Zonal)
    with pytest.raises(TypeError, match="layer 0, str: .*is not a layer"):
        nn.ConcatReadouts("mean", nn.Zonal(2))


# --- state -------------------------------------------------------------------------------------------


def test_state_may_be_left_out(rng):
    """Where there is none; where there is, its absence is refused, also in training."""
    plain = nn.Sequential(SPHERE, nn.Zonal(3), nn.Sequential(nn.GlobalMean(), nn.Dropout()))
    params, state = plain.init(0)
    x = signals(SPHERE, rng)
    assert not any(True for _ in leaves(state))
    assert (plain(params, x) == plain(params, x, state=state)).all()
    y, after = plain.apply(params, None, x, training())
    assert (y == plain.apply(params, state, x, training())[0]).all() and after == state
    norm = nn.Sequential(SPHERE, nn.Sequential(nn.Zonal(3), nn.BatchNorm()))
    params, state = norm.init(0)
    for call in (
        lambda: norm(params, x),
        lambda: norm.apply(params, None, x),
        lambda: norm.apply(params, None, x, training()),
    ):
        with pytest.raises(ValueError, match="running state, .*pass state="):
            call()


def test_state_of_another_network(rng):
    net = nn.Sequential(SPHERE, nn.BatchNorm(), nn.GlobalMean())
    params, state = net.init(0)
    x = signals(SPHERE, rng)
    for other in ([{}], [*state, {}], {}, 3, np.zeros(2)):
        with pytest.raises(ValueError, match="the state (is|are) .*the network has 2 layers"):
            net(params, x, state=other)
    with pytest.raises(ValueError, match="layer 0, BatchNorm: no .*'(mean|variance)'"):
        net(params, x, state=[{}, {}])
    for other in (params[:1], [*params, {}], {}, None, params[0]["scale"]):
        with pytest.raises(ValueError, match="the parameters are .*the network has 2 layers"):
            net(other, x, state=state)
    with pytest.raises(ValueError, match="layer 0, BatchNorm: no parameter"):
        net([{}, {}], x, state=state)


def test_running_state_is_not_a_parameter(rng):
    """Two trees; the one that came in is not changed; gradients are of the parameters alone."""
    net = nn.Sequential(SPHERE, nn.Zonal(3), nn.BatchNorm(momentum=0.75), nn.GlobalMean())
    params, state = net.init(0)
    assert set(params[1]) == {"scale", "mean"} and set(state[1]) == {"variance", "mean"}
    before, x = copy.deepcopy(state), signals(SPHERE, rng)
    _, after = net.apply(params, state, x, training())
    assert_equal_bits(list(leaves(state)), list(leaves(before)))
    full = nn.Sequential(SPHERE, nn.Zonal(3), nn.BatchNorm(momentum=0), nn.GlobalMean())
    _, batch = full.apply(params, state, x, training())
    for name in ("variance", "mean"):
        expected = 0.75 * state[1][name] + 0.25 * batch[1][name]
        np.testing.assert_allclose(after[1][name], expected, rtol=CHAIN, atol=CHAIN)
    fragments = nn.Sequential(FRAGMENTS, nn.FragmentNorm())
    assert set(fragments.init(0)[1][0]) == {"mean_square"}
    gradient = grad(lambda p: net(p, x, state=state)[0, 0])(params)
    assert [set(tree) for tree in gradient] == [set(tree) for tree in params]


# --- contexts ----------------------------------------------------------------------------------------


def nested():
    block = nn.Sequential(nn.Zonal(3), nn.Pointwise("tanh"))
    readouts = nn.ConcatReadouts(nn.Invariants(), nn.Convolution(2))
    return nn.Sequential(SPHERE, block, nn.ToFragments(), readouts, nn.Dropout(0.5), nn.Dense(2))


def test_callbacks(rng):
    """After each layer, the innermost first, with its place; input and output are those of the layer."""
    net, calls = nested(), []
    params, state = net.init(0)
    x = signals(SPHERE, rng)
    contexts = [
        nn.Context(callbacks=[lambda *call: calls.append(call)]),
        nn.Context(training=True, rng=0, callbacks=(lambda *call: calls.append(call),)),
    ]
    order = [(0, 0), (0, 1), (0,), (1,), (2, 1, 0), (2, 0, 0), (2, 1, 1), (2,), (3,), (4,)]
    for context in contexts:
        calls.clear()
        y, _ = net.apply(params, state, x, context)
        assert [path for path, *_ in calls] == order
        layers = {path: layer for path, layer, *_ in calls}
        assert layers[0,] is net.layers[0] and layers[0, 1] is net.layers[0].layers[1]
        assert layers[2, 1, 0] is net.layers[2].readout
        assert layers[2, 0, 0] is net.layers[2].layers[0]
        inputs, outputs = ({path: call[k] for path, *call in calls} for k in (1, 2))
        assert inputs[0, 0] is inputs[0,] and outputs[0, 1] is outputs[0,]
        assert outputs[0, 0] is inputs[0, 1] and outputs[0,] is inputs[1,]
        assert outputs[4,] is y and np.array_equal(inputs[0,], x)
        plain = output(net, (params, state), x, training() if context.training else None)
        assert (plain == y).all()


def test_callbacks_in_a_differentiated_pass(rng):
    net, boxed = nested(), []
    params, state = net.init(0)
    context = nn.Context(callbacks=[lambda path, layer, x, y: boxed.append(isbox(y))])
    x = signals(SPHERE, rng)
    grad(lambda p: net.apply(p, state, x, context)[0][0, 0])(params)
    assert len(boxed) == 10 and all(boxed)


def test_callbacks_are_called_once(rng):
    """Also where a network runs again to name the layer of a NaN."""
    calls, layers = [], (nn.Zonal(2), Map(lambda x: x * np.inf), nn.GlobalMean())
    net = nn.Sequential(SPHERE, *layers)
    context = nn.Context(callbacks=[lambda path, *_: calls.append(path)])
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="layer 1, Map"):
        net.apply(*net.init(0), signals(SPHERE, rng), context)
    assert calls == [(0,), (1,), (2,)]


def test_around(rng):
    """Runs each layer that contains no others; what it returns is what the layer returned."""
    net, paths = nested(), []
    params, state = net.init(0)
    x = signals(SPHERE, rng)

    def around(layer, params, state, x, context):
        paths.append((context.path, layer, context.in_type, layer.out_type(context.in_type)))
        return layer.apply(params, state, x, context)

    y, after = net.apply(params, state, x, nn.Context(training=True, rng=0, around=around))
    expected, new_state = net.apply(params, state, x, training())
    assert (y == expected).all() and after == new_state
    assert [path for path, *_ in paths] == [
        (0, 0), (0, 1), (1,), (2, 1, 0), (2, 0, 0), (2, 1, 1), (3,), (4,)
    ]  # fmt: skip
    assert not any(isinstance(layer, nn.Sequential | nn.ConcatReadouts) for _, layer, *_ in paths)
    assert paths[0][2] == SPHERE and paths[-1][3] == nn.Features(2)

    def doubled(layer, params, state, x, context):
        y, state = layer.apply(params, state, x, context)
        return (2 * y if isinstance(layer, nn.Dense) else y), state

    y, _ = net.apply(params, state, x, nn.Context(around=doubled))
    assert (y == 2 * net(params, x)).all()


def test_random_numbers_of_a_context(rng):
    net = nn.Sequential(FEATURES, nn.Sequential(nn.Dropout(0.5)), nn.Dropout(0.5))
    x = np.ones((50, 3))
    with pytest.raises(ValueError, match="Dropout: draws random numbers.*pass Context.*rng=rng"):
        net.apply([[{}], {}], None, x, nn.Context(training=True))
    assert (net([[{}], {}], x) == x).all()
    generator = np.random.default_rng(0)
    context = nn.Context(training=True, rng=generator)
    first, second = (net.apply([[{}], {}], None, x, context)[0] for _ in range(2))
    assert (first != second).any() and context.rng is generator and context.random() is generator
    assert (first == net.apply([[{}], {}], None, x, training(0))[0]).all()


def test_attributes_of_a_context():
    context = nn.Context(training=1, rng=3, threads=2, in_type=SPHERE)
    assert context.training is True and context.threads == 2 and context.path == ()
    assert context.callbacks == () and context.check_finite is True and context.around is None
    other = context.replace(training=False, path=(1,))
    assert (other.training, other.path, other.rng) == (False, (1,), context.rng)
    assert context.training and context.path == ()
    assert "training=True" in repr(context) and "threads=2" in repr(context)
    for threads in (0, -1, 1.5, "2"):
        with pytest.raises((TypeError, ValueError), match="threads"):
            nn.Context(threads=threads)
    for wrong in (1.5, "seed", True, np.random.RandomState(0)):
        with pytest.raises(TypeError, match="rng is .*expected a numpy.random.Generator"):
            nn.Context(rng=wrong)


@pytest.mark.parametrize("in_type", [SPHERE, SPINS, GROUP, FRAGMENTS, FEATURES], ids=name_of)
def test_the_batch_is_the_first_axis(in_type, rng):
    """Of every type of signals: each is computed as alone."""
    x = signals(in_type, rng, 5)
    assert x.shape == in_type.shape(5) and len(x) == 5
    net = nn.Sequential(in_type, Map(lambda x: 2 * x))
    assert (net([{}], x[3:4])[0] == net([{}], x)[3]).all()
    with pytest.raises(ValueError, match="the signals have shape .*batch"):
        net([{}], np.moveaxis(x, 0, -1))
