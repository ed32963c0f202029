"""Arguments of the loop, its data and its metrics: what is refused, with which message."""

from dataclasses import FrozenInstanceError
from functools import partial

import numpy as np
import pytest
from helpers.trainings import begin, plain, problem, zonal

from spherekit import nn, train
from spherekit.train import Checkpointing, EarlyStopping


@pytest.mark.parametrize(
    "targets, kind, words",
    [
        (["a", "b"] * 20, TypeError, "targets have dtype <U1; expected numbers"),
        (np.arange(40) % 2 == 0, TypeError, r"dtype bool; .*labels.astype\(int\)"),
        (np.ma.masked_equal(np.arange(40), 1), TypeError, "1 targets are masked; remove"),
        (np.arange(40) * np.nan, ValueError, "targets contain NaN"),
    ],
)
def test_targets_of_another_kind(targets, kind, words):
    net, (x, _) = plain(), problem()
    with pytest.raises(kind, match=f"^data: .*{words}"):
        train.fit(net, begin(net), (x[:40], targets))
    with pytest.raises(kind, match=f"^evaluate: .*{words}"):
        train.evaluate(net, begin(net)[0], (x[:40], targets), loss="cross_entropy")
    if kind is TypeError:
        outputs = np.zeros((40, 1))
        for call in (train.losses.cross_entropy, train.losses.mse, train.metrics.mae):
            if call is train.losses.cross_entropy or "bool" not in words:
                with pytest.raises(TypeError, match="labels|targets"):
                    shape = (40,) if call is train.losses.cross_entropy else (40, 1)
                    call(outputs, np.ma.array(targets).reshape(shape))


def test_masked_signals_are_refused_at_once():
    net, (x, labels) = plain(), problem()
    masked = np.ma.masked_array(x, np.arange(x.size).reshape(x.shape) == 3)
    with pytest.raises(TypeError, match="^data: the array of signals has masked entries.*x.data"):
        train.fit(net, begin(net), (masked, labels))


@pytest.mark.parametrize(
    "metrics, kind, words",
    [
        (["foo"], ValueError, "metrics has 'foo'; expected one of accuracy"),
        ([3], ValueError, "metrics has 3; expected one of"),
        ({"best": "foo"}, ValueError, r"metrics\['best'\] is 'foo'"),
        ("accuracy", TypeError, "metrics is 'accuracy' .*expected a list"),
        (3, TypeError, "metrics is 3"),
    ],
)
def test_metrics_that_are_none(metrics, kind, words):
    with pytest.raises(kind, match=words):
        train.metrics.resolve(metrics)


X, LABELS = problem()
MASKED = np.ma.masked_array(X, np.abs(X) > 1)


def call(data=(X, LABELS), initial=None, net=None, **options):
    """What fit refuses at once, not at the first step."""
    net = zonal() if net is None else net
    return train.fit(net, begin(net) if initial is None else initial, data, **options)


def with_arrays(params=None, state=None):
    """The initial trees of the network, with other arrays in the first layer of each."""
    initial = begin(zonal())
    trees = [
        [first or tree[0], *tree[1:]] for first, tree in zip((params, state), initial, strict=True)
    ]
    return tuple(trees)


BLOCK = nn.Sequential(nn.PowerSpectrum(), nn.Dense(2))
WITHOUT = nn.Sequential(nn.Sphere(4, 1), nn.PowerSpectrum())


@pytest.mark.parametrize(
    "words, options",
    [
        ("epochs is 0", dict(epochs=0)),
        ("batch_size is 2.5", dict(batch_size=2.5)),
        ("need validation", dict(early_stopping=EarlyStopping(patience=2))),
        ("monitor is 'accuracy'; expected 'loss'; otherwise add it to metrics",
         dict(early_stopping=EarlyStopping("accuracy"))),
        ("monitor is 'rmse'; expected one of loss, accuracy; otherwise add it to metrics",
         dict(early_stopping=EarlyStopping("rmse"), metrics=["accuracy"])),
        ("early_stopping is 5; expected train.EarlyStopping", dict(early_stopping=5)),
        ("checkpoints is 5; expected a path, or train.Checkpointing", dict(checkpoints=5)),
        ("max_norm is 0", dict(max_norm=0)),
        ("optimizer is 'adam'", dict(optimizer="adam")),
        ("net is PowerSpectrum..; expected a network", dict(net=nn.PowerSpectrum(), initial=())),
        ("the network has no input type", dict(net=BLOCK, initial=())),
        ("data: signals of shape \\(40, 1, 9\\)", dict(data=(X[..., :9], LABELS))),
        ("data: 40 signals and targets of shape \\(39,\\)", dict(data=(X, LABELS[1:]))),
        ("validation: signals of shape \\(0, 1, 16\\)", dict(validation=(X[:0], LABELS[:0]))),
        ("data is ndarray", dict(data=X)),
        ("targets contain NaN", dict(data=(X, LABELS * np.nan))),
        ("parameter 0.weights contains NaN",
         dict(initial=with_arrays({"weights": np.full(2, np.nan)}))),
        ("state 0.mean contains NaN", dict(initial=with_arrays(state={"mean": np.full(2, np.nan)}))),
        ("initial is list; expected .params, state.", dict(initial=begin(zonal())[0])),
        ("the parameter tree is of 3 layers, the network has 6", dict(initial=begin(plain()))),
        ("no parameters to train", dict(net=WITHOUT)),
        ("loss is 'hinge'", dict(loss="hinge")),
    ],
)  # fmt: skip
def test_refusals(words, options):
    with pytest.raises((ValueError, TypeError), match=words):
        call(**options)


#: What each integer is an argument of.
WHOLE = {
    **dict.fromkeys(["epochs", "batch_size", "seed", "set_size"], call),
    **dict.fromkeys(["keep_checkpoints", "checkpoint_every"], partial(Checkpointing, "run")),
    "patience": EarlyStopping,
}


@pytest.mark.parametrize("wrong", [2.5, 2.0, "2", True, [2]])
@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers(name, wrong):
    with pytest.raises(TypeError, match=f"{name} is .*; expected an integer >= [01]"):
        WHOLE[name](**{name: wrong})


@pytest.mark.parametrize("wrong", ["0.5", True, [0.5]])
@pytest.mark.parametrize(
    "name, function", [("max_norm", call), ("momentum", partial(train.sgd, 0.1))]
)
def test_real_numbers(name, function, wrong):
    with pytest.raises(TypeError, match=f"{name} is .*; expected a number"):
        function(**{name: wrong})


def described(**description):
    return Checkpointing("run", description=description)


def test_values_of_options():
    """Frozen, comparable and printable; wrong ones are refused where they are created."""
    assert EarlyStopping("accuracy", np.int64(3)) == EarlyStopping("accuracy", 3) != EarlyStopping()
    assert "checkpoint_every=5" in repr(Checkpointing("run", checkpoint_every=5))
    for words, create in [
        ("patience is 0", lambda: EarlyStopping(patience=0)),
        ("monitor is 3", lambda: EarlyStopping(3)),
        ("keep_checkpoints is 0", lambda: Checkpointing("run", 0)),
        ("folder is 3 .*expected a path", lambda: Checkpointing(3)),
        ("description is 'x'", lambda: Checkpointing("run", description="x")),
        ("description cannot be stored: .*not JSON", lambda: described(a=float("nan"))),
        ("description cannot be stored: .*not JSON", lambda: described(a=[{"b": np.inf}])),
        ("description cannot be stored: .*type object", lambda: described(a=object())),
        ("description cannot be stored: .*ndarray", lambda: described(a=np.ones(2))),
        ("description has the entry 'training'", lambda: described(training=1)),
    ]:
        with pytest.raises((ValueError, TypeError), match=words):
            create()
    with pytest.raises(FrozenInstanceError):
        EarlyStopping().patience = 3


def test_numbers_of_numpy_and_half_precision():
    half = with_arrays({"weights": np.ones(2, np.float16)})
    with pytest.raises(TypeError, match="parameter .* has dtype float16; expected float32"):
        call(initial=half)
    last = train.finish(call(epochs=np.int64(1), batch_size=np.int32(20), seed=np.uint8(3)))
    assert last.step == 2


@pytest.mark.parametrize(
    "x, options, words",
    [
        (X[:, 0], {}, "predict: signals of shape \\(40, 16\\)"),
        (5, {}, "predict: signals of shape \\(\\)"),
        (X, dict(batch_size=0), "batch_size is 0"),
        (X, dict(batch_size=2.0), "batch_size is 2.0"),
        (MASKED, {}, "masked"),
        (X.astype(np.clongdouble), {}, "dtype complex256"),
    ],
)
def test_what_is_no_array_of_signals(x, options, words):
    net = zonal()
    with pytest.raises((ValueError, TypeError), match=words):
        params, state = begin(net)
        train.predict(net, params, x, state=state, **options)


@pytest.mark.parametrize(
    "data", [(MASKED, LABELS), (X, np.ma.masked_equal(LABELS, 1))], ids=["x", "y"]
)
def test_masked_data(data):
    with pytest.raises(TypeError, match="masked"):
        call(data=data)


def test_folders_that_cannot_be_written(tmp_path):
    """Before the first step, not after an epoch; the folder is not created by the call."""
    (tmp_path / "file").write_text("text")
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(ValueError, match="folder for checkpoints, .*file is a file; expected"):
            call(checkpoints=folder)
    call(checkpoints=tmp_path / "new" / "run")
    assert not (tmp_path / "new").exists()


def other(**arrays):
    """The initial parameters and state of `plain`, with other arrays in its last layer."""
    params, state = begin(plain())
    return [*params[:-1], params[-1] | arrays], state


PARAMS, STATE = begin(plain())


@pytest.mark.parametrize(
    "words, initial",
    [
        ("2.bias of shape \\(1,\\).*expected \\(2,\\)", other(bias=np.zeros(1, np.float32))),
        ("2.bias of shape .*complex64", other(bias=np.zeros(2, np.complex64))),
        ("0.weights of shape .*float32; expected .* float64", other(bias=np.zeros(2))),
        ("2.factor, which is not expected", other(factor=np.zeros(1, np.float32))),
        ("no 2.bias", ([*PARAMS[:-1], {"weights": PARAMS[-1]["weights"]}], STATE)),
        ("0.mean, which is not expected", (PARAMS, [{"mean": np.zeros(2, np.float32)}, {}, {}])),
        ("initial is .state, params.; expected .params, state.", (STATE, PARAMS)),
    ],
)  # fmt: skip
def test_initial_values_of_another_network(words, initial):
    """Also those that would broadcast, or that no layer reads."""
    for refuse in (call, profiled):
        with pytest.raises(ValueError, match=words):
            refuse(net=plain(), initial=initial)


def profiled(net, initial):
    return train.profile(net, initial, (X, LABELS), repeats=1)


@pytest.mark.parametrize("make", [plain, zonal])
def test_parameters_and_state_in_place_of_parameters(make):
    net = make()
    for layers in (net, nn.Sequential(nn.Features(3), nn.Dense(2), nn.Dense(2))):
        pair, x = begin(layers), np.zeros(layers.in_type.shape(2))
        with pytest.raises(
            ValueError, match="params is a pair .params, state.; pass them separately"
        ):
            train.predict(layers, pair, x)
    x = np.zeros((2, 3))
    two = nn.Sequential(nn.Features(3), nn.Dense(2), nn.Dense(2))
    params = begin(two)[0]
    assert (train.predict(two, tuple(params), x) == train.predict(two, params, x)).all()
