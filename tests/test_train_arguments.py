"""Arguments of the loop, its data and its metrics: what is refused, in which words."""

import numpy as np
import pytest
from helpers.trainings import begin, plain, problem, zonal

from spherekit import train


@pytest.mark.parametrize(
    "targets, kind, words",
    [
        (["a", "b"] * 20, TypeError, "targets have dtype <U1; expected numbers"),
        (np.arange(40) % 2 == 0, TypeError, r"dtype bool; .*labels.astype\(int\)"),
        (np.ma.masked_equal(np.arange(40), 1), TypeError, "1 targets are masked; leave"),
        (np.arange(40) * np.nan, ValueError, "targets hold NaN"),
    ],
)
def test_targets_of_another_kind(targets, kind, words):
    net, (x, _) = plain(), problem()
    with pytest.raises(kind, match=f"^data: .*{words}"):
        train.fit(net, begin(net), (x[:40], targets))
    with pytest.raises(kind, match=f"^evaluate: .*{words}"):
        train.evaluate(net, begin(net), (x[:40], targets), loss="cross_entropy")
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
        (["foo"], ValueError, "metrics has 'foo'; known are accuracy"),
        ([3], ValueError, "metrics has 3; known are"),
        ({"best": "foo"}, ValueError, r"metrics\['best'\] is 'foo'"),
        ("accuracy", TypeError, "metrics is 'accuracy' .*expected a list"),
        (3, TypeError, "metrics is 3"),
    ],
)
def test_metrics_that_are_none(metrics, kind, words):
    with pytest.raises(kind, match=words):
        train.metrics.named(metrics)


X, LABELS = problem()
MASKED = np.ma.masked_array(X, np.abs(X) > 1)


def call(data=(X, LABELS), params=None, **how):
    """What fit says at once, not at the first step."""
    net = zonal()
    return train.fit(net, begin(net) if params is None else params, data, **how)


@pytest.mark.parametrize(
    "words, how",
    [
        ("epochs is 0", dict(epochs=0)),
        ("batch is 2.5", dict(batch=2.5)),
        ("patience is 0", dict(patience=0, validation=(X, LABELS))),
        ("need validation", dict(patience=2)),
        ("watch is 'rmse'; known are loss, accuracy", dict(watch="rmse", metrics=["accuracy"])),
        ("clip is 0", dict(clip=0)),
        ("momentum is 1", dict(momentum=1)),
        ("optimiser is 'adam'", dict(optimiser="adam")),
        ("data: signals of shape \\(40, 1, 9\\)", dict(data=(X[..., :9], LABELS))),
        ("data: 40 signals and targets of shape \\(39,\\)", dict(data=(X, LABELS[1:]))),
        ("validation: signals of shape \\(0, 1, 16\\)", dict(validation=(X[:0], LABELS[:0]))),
        ("data is ndarray", dict(data=X)),
        ("targets hold NaN", dict(data=(X, LABELS * np.nan))),
        ("parameter \\(0, 'weights'\\)", dict(params=[{"weights": np.full(2, np.nan)}])),
        ("no parameters to train", dict(params=[{"running": np.ones(2)}])),
        ("loss is 'hinge'", dict(loss="hinge")),
    ],
)
def test_refusals(words, how):
    with pytest.raises((ValueError, TypeError), match=words):
        call(**how)


@pytest.mark.parametrize("wrong", [2.5, 2.0, "2", True, [2]])
@pytest.mark.parametrize("name", ["epochs", "batch", "seed", "sets", "keep", "patience", "every"])
def test_whole_numbers(name, wrong):
    with pytest.raises(TypeError, match=f"{name} is .*; expected a whole number >= [01]"):
        call(validation=(X, LABELS), **{name: wrong})


@pytest.mark.parametrize("wrong", ["0.5", True, [0.5]])
@pytest.mark.parametrize("name", ["clip", "momentum"])
def test_real_numbers(name, wrong):
    with pytest.raises(TypeError, match=f"{name} is .*; expected a number"):
        call(**{name: wrong})


def test_numbers_of_numpy_and_half_precision():
    half = [{"weights": np.ones(2, np.float16)}]
    with pytest.raises(TypeError, match="parameter .* has dtype float16; expected float32"):
        call(params=half)
    last = train.finish(call(epochs=np.int64(1), batch=np.int32(20), seed=np.uint8(3)))
    assert last.step == 2


@pytest.mark.parametrize(
    "x, options, words",
    [
        (X[:, 0], {}, "predict: signals of shape \\(40, 16\\)"),
        (5, {}, "predict: signals of shape \\(\\)"),
        (X, dict(batch=0), "batch is 0"),
        (X, dict(batch=2.0), "batch is 2.0"),
        (MASKED, {}, "masked"),
        (X.astype(np.clongdouble), {}, "dtype complex256"),
    ],
)
def test_what_is_no_array_of_signals(x, options, words):
    net = zonal()
    with pytest.raises((ValueError, TypeError), match=words):
        train.predict(net, begin(net), x, **options)


@pytest.mark.parametrize(
    "data", [(MASKED, LABELS), (X, np.ma.masked_equal(LABELS, 1))], ids=["x", "y"]
)
def test_masked_data(data):
    with pytest.raises(TypeError, match="masked"):
        call(data=data)
