"""The loop: the same numbers whatever happens, what it learns, and what it says."""

import numpy as np
import pytest
from helpers.trainings import HOW, begin, cobb, fit, losses, plain, problem, zonal
from tolerances import CHAIN, IDENTITY

from spherekit import nn, train
from spherekit.train import pytree


@pytest.mark.parametrize("make", [zonal, cobb])
def test_bits_do_not_depend_on_threads(make):
    one, two = (list(fit(make(), threads=threads)) for threads in (1, 2))
    assert losses(one) == losses(two) and len(one) == 12
    for a, b in zip(*(pytree.leaves(s[-1].state.params) for s in (one, two)), strict=True):
        assert a[0] == b[0] and a[1].dtype == np.float32 and a[1].tobytes() == b[1].tobytes()
    assert losses(fit(make(), seed=6)) != losses(one)
    first = one[0]
    assert (first.step, first.total, first.epoch, first.metrics) == (1, 12, 1, {})
    assert one[-1].epoch == 3 and set(one[-1].metrics) == {"loss", "accuracy"}
    assert one[-1].state.history["steps"]["loss"] == losses(one)
    assert one[-1].state.history["epochs"]["step"] == [4, 8, 12]


def test_complex_weights():
    """A network of spins: complex parameters go downhill, and stay single."""
    parts = [
        nn.spin_convolution(3, (0, 1)),
        nn.batch_norm(),
        nn.spin_convolution(3, (0,)),
        nn.scalars(),
    ]
    net = nn.Net(nn.Sphere(4, 1), *parts, nn.power(), nn.dense(2))
    last = train.finish(fit(net, epochs=20))
    types = {a.dtype for _, a in pytree.leaves(last.state.params)}
    assert types == {np.dtype(np.float32), np.dtype(np.complex64)}
    assert (
        last.state.history["epochs"]["train"][-1] < 0.7 * last.state.history["epochs"]["train"][0]
    )


def test_it_learns():
    """What degree 1 tells plainly."""
    net, (x, labels) = cobb(), problem()
    x[labels == 1, :, 1:4] *= 5
    how = HOW | dict(epochs=60, optimiser=train.adam(0.02), validation=(x, labels))
    last = train.finish(train.fit(net, begin(net), (x, labels), **how))
    epochs = last.state.history["epochs"]
    assert last.metrics["accuracy"] > 0.9 and epochs["train"][-1] < 0.5 * epochs["train"][0]
    assert last.state.best["value"] == min(epochs["loss"])


def test_the_first_step_is_the_optimisers():
    """One batch of all: the loss, its gradient and the step by autograd and by hand."""
    from autograd import value_and_grad

    net = nn.Net(nn.Sphere(4, 1), nn.zonal(3), nn.power(), nn.dense(2))
    (x, labels), params = problem(dtype=complex), net.init(np.random.default_rng(0))
    (step,) = train.fit(net, params, (x, labels), epochs=1, batch=99, optimiser=train.sgd(0.1))
    value, grads = value_and_grad(lambda p: train.losses.cross_entropy(net(p, x), labels))(params)
    assert abs(step.loss - value) < IDENTITY and abs(step.norm - train.global_norm(grads)) < CHAIN
    moved = step.state.params[0]["weights"]
    np.testing.assert_allclose(
        moved, params[0]["weights"] - 0.1 * grads[0]["weights"], rtol=0, atol=IDENTITY
    )


def test_every_signal_once_an_epoch():
    seen = []

    def watched(outputs, targets):
        seen.append(targets)
        return train.losses.mse(outputs, targets)

    x, _ = problem()
    net = nn.Net(nn.Sphere(4, 1), nn.power(), nn.dense(1))
    targets = np.arange(40.0)[:, None]
    how = dict(loss=watched, epochs=2, batch=16, optimiser=train.sgd(0.0))
    train.finish(train.fit(net, begin(net), (x, targets), **how))
    epochs = [np.concatenate(seen[3 * k : 3 * k + 3])[:, 0] for k in range(2)]
    assert [len(some) for some in seen] == [16, 16, 8] * 2
    assert all((np.sort(some) == np.arange(40)).all() for some in epochs)
    assert (epochs[0] != epochs[1]).any()


def test_rates_and_clipping():
    rate = train.schedules.cosine(0.1, 12, warmup=4)
    steps = list(fit(optimiser=train.sgd(rate), clip=0.05))
    assert [step.rate for step in steps] == [rate(t) for t in range(12)]
    assert min(step.norm for step in steps) > 0.05  # before the clip
    for one, two in zip(steps, steps[1:], strict=False):
        pairs = zip(
            *(pytree.leaves(s.state.params, statistics=False) for s in (one, two)), strict=True
        )
        moved = np.sqrt(sum(float(np.sum(np.square(b[1] - a[1], dtype=float))) for a, b in pairs))
        assert moved <= 0.05 * two.rate * (1 + 1e-5) + 1e-6  # float32 parameters of about 1


def test_early_stopping():
    """The rate is 0: nothing gets better, and the first parameters are the best."""
    steps = list(fit(plain(), optimiser=train.sgd(0.0), epochs=20, patience=3))
    assert len(steps) == 4 * 4 and steps[-1].state.best["epoch"] == 1
    last = train.finish(fit(epochs=6, optimiser=train.sgd(0.3), patience=6, watch="accuracy"))
    values = last.state.history["epochs"]["accuracy"]
    assert last.state.best["value"] == max(values)
    assert last.state.best["epoch"] == 1 + values.index(max(values))
    net = zonal()
    found = train.evaluate(
        net, last.state.best["params"], problem(), loss="cross_entropy", metrics=["accuracy"]
    )
    assert found["accuracy"] == max(values)


def test_signals_whose_batch_is_the_second_axis():
    """Generalized signals in, memory-mapped or not; the same as from the sphere."""
    x, labels = problem()
    parts = nn.tensor_product("mst"), nn.invariants(), nn.dense(2)
    net = nn.Net(nn.Sphere(4, 1), nn.fragments(), *parts)
    own = nn.Net(nn.Generalized((1,) * 4, 1), *parts)
    params = begin(net)
    fragments = net.layers[0].apply({}, x, nn.Mode())
    how = dict(epochs=2, batch=16, validation=(fragments, labels), metrics=["accuracy"])
    got = train.finish(train.fit(own, params[1:], (fragments, labels), **how))
    how["validation"] = x, labels
    expected = train.finish(train.fit(net, params, (x, labels), **how))
    assert got.state.history == expected.state.history


def test_memory_maps_sets_and_augmentation(tmp_path):
    x, _ = problem(48)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    net = nn.Net(nn.Sphere(4, 1), nn.power(), nn.dense(4), nn.set_sum(3), nn.dense(1))
    targets = np.abs(x).sum(axis=(1, 2)).reshape(-1, 3).sum(axis=1)[:, None]
    how = dict(
        loss="rmse", metrics=["rmse", "mae"], epochs=3, batch=5, sets=3, optimiser=train.adam(0.01)
    )
    one, two = (
        list(train.fit(net, begin(net), (some, targets), validation=(some, targets), **how))
        for some in (x, mapped)
    )
    assert losses(one) == losses(two) and one[-1].total == 3 * 4
    np.testing.assert_allclose(
        one[-1].metrics["loss"], one[-1].metrics["rmse"], rtol=3e-7
    )  # in float32

    def jitter(signals, rng):
        return signals * rng.uniform(0.5, 2, (len(signals), 1, 1)).astype(np.float32)

    three, four = (losses(fit(augment=jitter)) for _ in range(2))
    assert three == four != losses(fit())


def test_progress(capsys):
    steps = list(train.progress(fit(), mininterval=0))
    said = capsys.readouterr()
    assert (
        len(steps) == 12 and said.out == "" and "12/12" in said.err and "val accuracy" in said.err
    )


def test_nothing_is_printed(capfd):
    train.finish(fit())
    assert capfd.readouterr() == ("", "")
