"""Layers of one's own: as easy as those of the package; wrong ones are refused, by name."""

import dataclasses
import re

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from helpers.networks import (
    FEATURES,
    SPHERE,
    all_results,
    assert_equal_bits,
    copies,
    leaves,
    output,
    signals,
    training,
)
from tolerances import CHAIN

from spherekit import nn


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
    with pytest.raises(TypeError, match=r"of the input of Zonal\(3\) .*pass in_type="):
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
        r"layer 0, Wrong: init returned dict; expected a pair \(params, state\)",
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
        r"layer 0, Wrong: returned an array of shape \(3, 2, 3\); expected \(batch, 2, 16\)",
    ),
    "one axis less": (
        lambda: wrong(**forward(lambda x: x[..., 0])),
        r"layer 0, Wrong: returned an array of shape \(3, 2\)",
    ),
    "a number": (lambda: wrong(**forward(lambda x: 3.0)), "layer 0, Wrong: returned"),
    "nothing": (lambda: wrong(**forward(lambda x: None)), "layer 0, Wrong: returned"),
    "apply of an array": (
        lambda: wrong(apply=lambda self, params, state, x, context: x),
        r"layer 0, Wrong: apply returned ndarray; expected a pair \(output, state\)",
    ),
    "a name that init does not make": (
        lambda: wrong(forward=lambda self, params, x, context: params["scale"] * x),
        "layer 0, Wrong: KeyError 'scale'; its init returns params with factor",
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
    "a class": (lambda: Scale, r"layer 0, Scale: is a class; expected an instance, Scale\(...\)"),
    "a function": (lambda: a_function, "layer 0, a_function: .*not a layer"),
    "a string": (lambda: "relu", "layer 0, str: 'relu' is not a layer"),
    "None": (lambda: None, "layer 0, NoneType: None is not a layer"),
    "a type of signals": (lambda: FEATURES, r"layer 0, Features: Features\(3\) is not a layer"),
    "a list": (lambda: [Scale()], "layer 0, list: .*is not a layer"),
}


#: Alone and in a block; but for a type of signals, which a block takes as that of its input.
CASES = [(name, inside) for name in WRONG for inside in (False, True)]
CASES.remove(("a type of signals", True))


@pytest.mark.parametrize(("name", "inside"), CASES)
def test_own_layers_that_are_wrong(name, inside, rng):
    """Refused with a message that names the layer, also in a block: there what is no layer by the block."""
    create, words = WRONG[name]
    x = signals(SPHERE, rng)
    with (
        np.errstate(all="ignore"),
        pytest.raises((TypeError, ValueError, NotImplementedError)) as error,
    ):
        before = [nn.BatchNorm(), nn.Sequential(create())] if inside else [create()]
        net = nn.Sequential(SPHERE, *before)
        output(net, net.init(0), x)
    if inside:
        words = words.replace("layer 0", r"layer (1\.0|0)")
    assert re.search(words, str(error.value)), str(error.value)


def test_a_type_of_signals_in_a_block():
    """It is the type of the block's input, which has to be that of the signals that come."""
    assert nn.Sequential(FEATURES).in_type == FEATURES
    with pytest.raises(ValueError, match="layer 1, Sequential: accepts 3 features; its input is"):
        nn.Sequential(SPHERE, nn.BatchNorm(), nn.Sequential(FEATURES))


@pytest.mark.parametrize("inside", [False, True])
def test_errors_of_own_layers_show_their_line(inside, rng):
    """The traceback reaches the line in the layer of one's own; that of the package's layers stays short."""
    own = wrong(forward=lambda self, params, x, context: x.reshape(7))
    net = nn.Sequential(SPHERE, nn.Sequential(own) if inside else own)
    with pytest.raises(ValueError, match="Wrong: cannot reshape") as error:
        output(net, net.init(0), signals(SPHERE, rng))
    assert str(error.value.__cause__).startswith("cannot reshape")
    with pytest.raises(TypeError, match="layer 1.0, Dense: accepts") as error:
        nn.Sequential(SPHERE, nn.Zonal(2), nn.Sequential(nn.Dense(3)))
    assert error.value.__cause__ is None and error.value.__suppress_context__


def test_mutable_defaults_are_refused():
    with pytest.raises(ValueError, match="mutable default"):

        class Wrong(nn.Layer):
            sizes: list = []  # noqa: RUF012


def test_the_layer_after_is_not_blamed(rng):
    """A wrong shape is refused where it comes from, not where it does not fit."""
    net = nn.Sequential(SPHERE, wrong(**forward(lambda x: x[:, :1])), nn.Zonal(2), nn.GlobalMean())
    with pytest.raises(ValueError, match="^layer 0, Wrong: "):
        output(net, net.init(0), signals(SPHERE, rng))


# --- classes that are refused or understood -----------------------------------------------------------


def body(**attributes):
    """A subclass of `nn.Layer` with these attributes, defined anew."""
    return type("Own", (nn.Layer,), {"out_type": lambda self, in_type: in_type, **attributes})


def test_classes_that_are_refused():
    """When they are defined, with what to write in place of it."""
    with pytest.raises(TypeError, match="Own defines __init__; .*annotate"):
        body(__init__=lambda self, size: None)
    for name in ("init", "forward", "apply", "out_type", "multiplications"):
        with pytest.raises(TypeError, match=f"Own has a field '{name}', the name of a method"):
            body(__annotations__={name: float})
    for base in (nn.Sequential, nn.ConcatReadouts):
        with pytest.raises(TypeError, match="write a function that returns"):
            type("Block", (base,), {})


def test_a_decorated_class():
    """`dataclass(frozen=True)` above the class changes nothing."""
    plain = body(size=3, __annotations__={"size": int})
    decorated = dataclasses.dataclass(frozen=True)(body(size=3, __annotations__={"size": int}))
    for kind in (plain, decorated):
        layer = kind(4)
        assert layer.size == 4 and layer == kind(size=4) and hash(layer) == hash(kind(4))
        for change in (lambda v: setattr(v, "size", 5), lambda v: delattr(v, "size")):
            with pytest.raises(dataclasses.FrozenInstanceError):
                change(layer)
        with pytest.raises(dataclasses.FrozenInstanceError):
            layer.more = 1


class Table(nn.Layer):
    """Computes something of its fields once."""

    size: int = 2

    def __post_init__(self):
        object.__setattr__(self, "table", tuple(range(self.size)))

    def out_type(self, in_type):
        return in_type

    def forward(self, params, x, context):
        return x * self.table[-1]


def test_attributes_of_post_init_are_copied(rng):
    net, x = nn.Sequential(FEATURES, Table(4)), rng.standard_normal((2, 3))
    for twin in copies(net):
        assert np.array_equal(twin([{}], x), 3 * x)


class Mean(nn.Layer):
    """A running mean, written without a thought of autograd."""

    def out_type(self, in_type):
        return in_type

    def init(self, in_type, rng):
        return {"scale": np.ones(in_type.features)}, {"mean": np.zeros(in_type.features)}

    def apply(self, params, state, x, context):
        y = params["scale"] * x
        return y, {"mean": 0.9 * state["mean"] + 0.1 * anp.mean(y, axis=0)}


def test_running_state_is_not_differentiated(rng):
    net, x = nn.Sequential(FEATURES, Mean(), nn.Dense(1)), rng.standard_normal((5, 3))
    params, state = net.init(0)
    states = []

    def loss(p):
        y, new_state = net.apply(p, state, x, training())
        states.append(new_state)
        return anp.sum(y)

    grad(loss)(params)
    assert type(states[0][0]["mean"]) is np.ndarray
    np.testing.assert_allclose(states[0][0]["mean"], 0.1 * x.mean(axis=0), rtol=0, atol=CHAIN)


def test_complex_features_are_refused(rng):
    own = wrong(
        out_type=lambda self, in_type: nn.Features(2), forward=lambda self, p, x, c: x[..., 0]
    )
    with pytest.raises(TypeError, match="layer 0, Wrong: returned complex values .*2 features"):
        net = nn.Sequential(SPHERE, own)
        output(net, net.init(0), signals(SPHERE, rng))


class FieldError(ValueError):
    """An error whose constructor asks for more than a text."""

    def __init__(self, field, value):
        super().__init__(f"{field} is {value}")


def fail(error):
    def forward(self, params, x, context):
        raise error

    return forward


@pytest.mark.parametrize(
    "error", [FieldError("size", 3), UnicodeDecodeError("u8", b"\xff", 0, 1, "no")]
)
def test_errors_with_their_own_constructors(error, rng):
    net = nn.Sequential(SPHERE, nn.Sequential(wrong(forward=fail(error))))
    with pytest.raises(ValueError, match="layer 0.0, Wrong: ") as raised:
        output(net, net.init(0), signals(SPHERE, rng))
    assert str(error) in str(raised.value) and raised.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [AttributeError("no shape"), IndexError("far"), ZeroDivisionError()]
)
def test_other_errors_have_a_note(error, rng):
    net = nn.Sequential(SPHERE, nn.Sequential(wrong(forward=fail(error))))
    with pytest.raises(type(error)) as raised:
        output(net, net.init(0), signals(SPHERE, rng))
    assert raised.value is error and error.__notes__ == ["in layer 0.0, Wrong"]


def test_a_cast_that_numpy_refuses(rng):
    """Its error has a constructor of its own too."""

    def forward(self, params, x, context):
        total = np.zeros(x.shape)
        total += x
        return total

    net = nn.Sequential(SPHERE, wrong(forward=forward))
    with pytest.raises(TypeError, match="layer 0, Wrong: Cannot cast"):
        output(net, net.init(0), signals(SPHERE, rng))
