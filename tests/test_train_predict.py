"""Beside the loop: predictions, curves of a history, and the profile of a step."""

import numpy as np
import pytest
from helpers.networks import MODELS
from helpers.trainings import begin, cobb, fit, problem, zonal

from spherekit import nn, train
from spherekit.train import pytree


@pytest.mark.parametrize("parts", [None, [nn.fragments(), nn.tensor_product("rmst")]])
def test_predictions(parts):
    x, _ = problem()
    net = zonal() if parts is None else nn.Net(nn.Sphere(4, 1), *parts)
    params = begin(net)
    np.testing.assert_array_equal(train.predict(net, params, x, batch=7), net(params, x))


def test_predictions_of_lists():
    net, x = zonal(), problem()[0][:2]
    y = train.predict(net, begin(net), x)
    np.testing.assert_array_equal(train.predict(net, begin(net), x.tolist()).shape, y.shape)


def test_evaluation():
    net, (x, labels) = zonal(), problem()
    found = train.evaluate(
        net, begin(net), (x, labels), loss="cross_entropy", metrics=["accuracy"], batch=9
    )
    assert found["accuracy"] == np.mean(np.argmax(net(begin(net), x), axis=1) == labels)


@pytest.mark.parametrize("name", ["cohen", "esteves", "spin", "kondor", "cobb", "hybrid"])
def test_predictions_of_no_signals(name):
    """An empty result of the right shape and type; of no signals there is no loss."""
    net = getattr(nn.models, name)(**MODELS[name])
    x = np.zeros(net.takes.shape(0), np.complex64)
    y = train.predict(net, net.init(0, np.float32), x)
    assert y.shape == net.gives.shape(0) and y.dtype == np.float32
    with pytest.raises(ValueError, match="evaluate: no signals"):
        train.evaluate(net, net.init(0), (x, y), loss="mse")


def test_predictions_of_fragments_and_sets():
    net = nn.Net(nn.Sphere(4, 1), nn.fragments(), nn.tensor_product("rmst"))
    y = train.predict(net, net.init(0), np.zeros((0, 1, 16), complex))
    assert y.shape == net.gives.shape(0)
    own = nn.Net(nn.Generalized((1,) * 4, 1), nn.convolution(2))
    assert train.predict(own, own.init(0), np.zeros((16, 0, 1))).shape == own.gives.shape(0)
    sets = nn.Net(nn.Features(2), nn.deep_sets(3, (4,), (2,)))
    assert train.predict(sets, sets.init(0), np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("make", [zonal, cobb])
def test_profile(make):
    """All time is told of, once; the layers are there, also those inside others."""
    net = make()
    params = begin(net)
    kept = [a.copy() for _, a in pytree.leaves(params)]
    made = train.profile(net, params, problem(), repeats=2, threads=1)
    total = sum(row.forward + row.back for row in made.rows) + made.optimiser
    np.testing.assert_allclose(total, made.watched, rtol=1e-9)
    inside = sum(row.forward_kernels + row.back_kernels for row in made.rows)
    np.testing.assert_allclose(inside, made.share * made.watched, rtol=1e-9)
    assert all(
        0 <= row.forward_kernels <= row.forward and 0 <= row.back_kernels <= row.back
        for row in made.rows
    )
    assert 0 < made.share < 1 and made.step > 0
    names = [row.name for row in made.rows]
    assert all(layer.name in names for layer in net.layers) and names[-1] == "loss"
    if make is cobb:
        assert ((1, 0, 1, 0), "tensor_product") in [row[:2] for row in made.rows]
        assert made.kernels["nn.tensor_product"][0] == 3  # once forward, by x and by y back
    lines = str(made).splitlines()
    assert "in kernels" in lines[0] and "optimiser" in str(made)
    assert all((a == b).all() for a, (_, b) in zip(kept, pytree.leaves(params), strict=True))


def test_curves(tmp_path):
    history = train.finish(fit()).state.history
    figure = train.curves(history, tmp_path / "curves.png", title="of tests")
    assert (tmp_path / "curves.png").stat().st_size > 10000 and len(figure.axes) == 2
    assert [line.get_label() for line in figure.axes[0].lines] == ["batch", "epoch", "validation"]
    assert figure.axes[1].get_ylabel() == "accuracy, validation"
    import matplotlib.pyplot as plt

    ax = plt.subplots()[1]
    assert train.curves(history, ax).axes == [ax]
    plt.close("all")
    with pytest.raises(ValueError, match="3 Axes came; expected 1, or 2: loss, accuracy"):
        train.curves(history, [ax] * 3)
    with pytest.raises(ValueError, match="no steps"):
        train.curves({"steps": {"loss": []}, "epochs": {}})
