"""Beside the loop: predictions, curves of a history, and the profile of a step."""

import numpy as np
import pytest
from helpers.networks import MODELS
from helpers.trainings import begin, cobb, fit, problem, zonal

from spherekit import nn, train
from spherekit._core import pytree


@pytest.mark.parametrize("layers", [None, [nn.ToFragments(), nn.TensorProduct("rmst")]])
def test_predictions(layers):
    x, _ = problem()
    net = zonal() if layers is None else nn.Sequential(nn.Sphere(4, 1), *layers)
    params, state = begin(net)
    y = train.predict(net, params, x, state=state, batch_size=7)
    np.testing.assert_array_equal(y, net(params, x, state=state))


def test_predictions_of_lists():
    net, x = zonal(), problem()[0][:2]
    params, state = begin(net)
    y = train.predict(net, params, x, state=state)
    y_of_list = train.predict(net, params, x.tolist(), state=state)
    np.testing.assert_array_equal(y_of_list.shape, y.shape)


def test_predictions_need_the_running_state():
    net, x = zonal(), problem()[0]
    with pytest.raises(ValueError, match="running state.*pass state="):
        train.predict(net, begin(net)[0], x)


def test_evaluation():
    net, (x, labels) = zonal(), problem()
    params, state = begin(net)
    options = dict(state=state, loss="cross_entropy", metrics=["accuracy"], batch_size=9)
    values = train.evaluate(net, params, (x, labels), **options)
    outputs = net(params, x, state=state)
    assert values["accuracy"] == np.mean(np.argmax(outputs, axis=1) == labels)


@pytest.mark.parametrize("name", ["cohen", "esteves", "spin", "kondor", "cobb", "hybrid"])
def test_predictions_of_no_signals(name):
    """An empty result of the right shape and type; of no signals there is no loss."""
    net = getattr(nn.models, name)(**MODELS[name])
    x = np.zeros(net.in_type.shape(0), np.complex64)
    params, state = net.init(0, dtype=np.float32)
    y = train.predict(net, params, x, state=state)
    assert y.shape == net.out_type().shape(0) and y.dtype == np.float32
    with pytest.raises(ValueError, match="evaluate: no signals"):
        train.evaluate(net, params, (x, y), state=state, loss="mse")


def test_predictions_of_fragments_and_sets():
    net = nn.Sequential(nn.Sphere(4, 1), nn.ToFragments(), nn.TensorProduct("rmst"))
    y = train.predict(net, net.init(0)[0], np.zeros((0, 1, 16), complex))
    assert y.shape == net.out_type().shape(0)
    net = nn.Sequential(nn.Fragments((1,) * 4, 1), nn.Convolution(2))
    y = train.predict(net, net.init(0)[0], np.zeros((0, 1, 16)))
    assert y.shape == net.out_type().shape(0)
    sets = nn.Sequential(nn.Features(2), nn.models.deep_sets(3, (4,), (2,)))
    assert train.predict(sets, sets.init(0)[0], np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("make", [zonal, cobb])
def test_profile(make):
    """All time is counted, once, by the layers that contain no others."""
    net = make()
    initial = begin(net)
    before = [a.copy() for _, a in pytree.flatten(initial)]
    profile = train.profile(net, initial, problem(), repeats=2, threads=1)
    total = sum(row.forward + row.backward for row in profile.rows) + profile.optimizer
    np.testing.assert_allclose(total, profile.profiled_step, rtol=1e-9)
    in_kernels = sum(row.forward_kernels + row.backward_kernels for row in profile.rows)
    kernel_seconds = profile.kernel_fraction * profile.profiled_step
    np.testing.assert_allclose(in_kernels, kernel_seconds, rtol=1e-9)
    assert all(
        0 <= row.forward_kernels <= row.forward and 0 <= row.backward_kernels <= row.backward
        for row in profile.rows
    )
    assert 0 < profile.kernel_fraction < 1 and profile.step > 0
    rows = [row[:2] for row in profile.rows]
    assert rows == [*leaf_layers(net), ((), "loss")]
    if make is cobb:
        assert ((1, 0, 1, 0), "TensorProduct") in rows
        assert profile.kernels["nn.tensor_product"][0] == 3  # once forward, backward by x and by y
    lines = str(profile).splitlines()
    assert "in kernels" in lines[0] and "optimizer" in str(profile)
    assert all((a == b).all() for a, (_, b) in zip(before, pytree.flatten(initial), strict=True))


def leaf_layers(net):
    """[(path, name of class)] in the order in which they run."""
    layers = []

    def around(layer, params, state, x, context):
        layers.append((context.path, type(layer).__name__))
        return layer.apply(params, state, x, context)

    params, state = begin(net)
    context = nn.Context(training=True, rng=0, around=around)
    net.apply(params, state, problem()[0], context)
    return layers


def test_curves(tmp_path):
    history = train.finish(fit()).checkpoint.history
    figure = train.curves(history, tmp_path / "curves.png", title="of tests")
    assert (tmp_path / "curves.png").stat().st_size > 10000 and len(figure.axes) == 2
    assert [line.get_label() for line in figure.axes[0].lines] == ["batch", "epoch", "validation"]
    assert figure.axes[1].get_ylabel() == "accuracy, validation"
    import matplotlib.pyplot as plt

    ax = plt.subplots()[1]
    assert train.curves(history, ax).axes == [ax]
    plt.close("all")
    with pytest.raises(ValueError, match="target has 3 Axes; expected 1, or 2: loss, accuracy"):
        train.curves(history, [ax] * 3)
    with pytest.raises(ValueError, match="no steps"):
        train.curves({"steps": {"loss": []}, "epochs": {}})
