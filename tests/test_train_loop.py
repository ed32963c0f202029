"""The loop: the same numbers in all circumstances, what it learns, and what it prints."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.trainings import OPTIONS, begin, cobb, fit, losses, plain, problem, zonal
from tolerances import CHAIN, IDENTITY

from spherekit import nn, train
from spherekit._core import pytree, workspace


@pytest.mark.parametrize("make", [zonal, cobb])
def test_bits_do_not_depend_on_threads(make):
    one, two = (list(fit(make(), threads=threads)) for threads in (1, 2))
    assert losses(one) == losses(two) and len(one) == 12
    for a, b in zip(
        *(pytree.flatten((s[-1].params, s[-1].state)) for s in (one, two)), strict=True
    ):
        assert a[0] == b[0] and a[1].dtype == np.float32 and a[1].tobytes() == b[1].tobytes()
    assert losses(fit(make(), seed=6)) != losses(one)
    first = one[0]
    assert (first.step, first.total_steps, first.epoch, first.metrics) == (1, 12, 1, {})
    assert one[-1].epoch == 3 and set(one[-1].metrics) == {"loss", "accuracy"}
    assert one[-1].checkpoint.history["steps"]["loss"] == losses(one)
    assert one[-1].checkpoint.history["epochs"]["step"] == [4, 8, 12]


def test_complex_weights():
    """A network of spins: complex parameters go downhill, and stay single."""
    layers = [
        nn.SpinConvolution(3, (0, 1)),
        nn.BatchNorm(),
        nn.SpinConvolution(3, (0,)),
        nn.ScalarPart(),
    ]
    net = nn.Sequential(nn.Sphere(4, 1), *layers, nn.PowerSpectrum(), nn.Dense(2))
    last = train.finish(fit(net, epochs=20))
    types = {a.dtype for _, a in pytree.flatten(last.params)}
    assert types == {np.dtype(np.float32), np.dtype(np.complex64)}
    epoch_losses = last.checkpoint.history["epochs"]["train"]
    assert epoch_losses[-1] < 0.7 * epoch_losses[0]


def test_it_learns():
    """Classes that differ in degree 1."""
    net, (x, labels) = cobb(), problem()
    x[labels == 1, :, 1:4] *= 5
    options = OPTIONS | dict(epochs=60, optimizer=train.adam(0.02), validation=(x, labels))
    last = train.finish(train.fit(net, begin(net), (x, labels), **options))
    epochs = last.checkpoint.history["epochs"]
    assert last.metrics["accuracy"] > 0.9 and epochs["train"][-1] < 0.5 * epochs["train"][0]
    assert last.checkpoint.best["value"] == min(epochs["loss"])


def test_the_first_step_is_the_optimizers():
    """One batch of all: the loss, its gradient and the step by autograd and by hand."""
    from autograd import value_and_grad

    net = nn.Sequential(nn.Sphere(4, 1), nn.Zonal(3), nn.PowerSpectrum(), nn.Dense(2))
    (x, labels), (params, state) = problem(dtype=complex), net.init(np.random.default_rng(0))
    options = dict(epochs=1, batch_size=99, optimizer=train.sgd(0.1))
    (step,) = train.fit(net, (params, state), (x, labels), **options)
    value, grads = value_and_grad(lambda p: train.losses.cross_entropy(net(p, x), labels))(params)
    assert (
        abs(step.loss - value) < IDENTITY
        and abs(step.gradient_norm - train.global_norm(grads)) < CHAIN
    )
    moved = step.params[0]["weights"]
    np.testing.assert_allclose(
        moved, params[0]["weights"] - 0.1 * grads[0]["weights"], rtol=0, atol=IDENTITY
    )


def test_every_signal_once_an_epoch():
    seen = []

    def recorded(outputs, targets):
        seen.append(targets)
        return train.losses.mse(outputs, targets)

    x, _ = problem()
    net = nn.Sequential(nn.Sphere(4, 1), nn.PowerSpectrum(), nn.Dense(1))
    targets = np.arange(40.0)[:, None]
    options = dict(loss=recorded, epochs=2, batch_size=16, optimizer=train.sgd(0.0))
    train.finish(train.fit(net, begin(net), (x, targets), **options))
    epochs = [np.concatenate(seen[3 * k : 3 * k + 3])[:, 0] for k in range(2)]
    assert [len(targets) for targets in seen] == [16, 16, 8] * 2
    assert all((np.sort(targets) == np.arange(40)).all() for targets in epochs)
    assert (epochs[0] != epochs[1]).any()


def test_learning_rates_and_clipping():
    rate = train.schedules.cosine(0.1, 12, warmup=4)
    steps = list(fit(optimizer=train.sgd(rate), max_norm=0.05))
    assert [step.learning_rate for step in steps] == [rate(t) for t in range(12)]
    assert min(step.gradient_norm for step in steps) > 0.05  # before the clip
    for one, two in zip(steps, steps[1:], strict=False):
        pairs = zip(*(pytree.flatten(s.params) for s in (one, two)), strict=True)
        moved = np.sqrt(sum(float(np.sum(np.square(b[1] - a[1], dtype=float))) for a, b in pairs))
        assert (
            moved <= 0.05 * two.learning_rate * (1 + 1e-5) + 1e-6
        )  # float32 parameters of about 1


def test_early_stopping():
    """The rate is 0: nothing gets better, and the first parameters are the best."""
    stopping = train.EarlyStopping(patience=3)
    options = dict(optimizer=train.sgd(0.0), epochs=20, early_stopping=stopping)
    steps = list(fit(plain(), **options))
    assert len(steps) == 4 * 4 and steps[-1].checkpoint.best["epoch"] == 1
    stopping = train.EarlyStopping("accuracy", patience=6)
    last = train.finish(fit(epochs=6, optimizer=train.sgd(0.3), early_stopping=stopping))
    values, best = last.checkpoint.history["epochs"]["accuracy"], last.checkpoint.best
    assert best["value"] == max(values) and best["epoch"] == 1 + values.index(max(values))
    options = dict(state=best["state"], loss="cross_entropy", metrics=["accuracy"])
    values_of_best = train.evaluate(zonal(), best["params"], problem(), **options)
    assert values_of_best["accuracy"] == max(values)


def test_signals_that_are_fragments():
    """The same as from the sphere."""
    x, labels = problem()
    layers = nn.TensorProduct("mst"), nn.Invariants(), nn.Dense(2)
    net = nn.Sequential(nn.Sphere(4, 1), nn.ToFragments(), *layers)
    net_of_fragments = nn.Sequential(nn.Fragments((1,) * 4, 1), *layers)
    params, state = begin(net)
    fragments = nn.ToFragments()({}, x, in_type=nn.Sphere(4, 1))
    options = dict(epochs=2, batch_size=16, metrics=["accuracy"])
    data = fragments, labels
    initial = params[1:], state[1:]
    last = train.finish(train.fit(net_of_fragments, initial, data, validation=data, **options))
    data = x, labels
    expected = train.finish(train.fit(net, (params, state), data, validation=data, **options))
    assert last.checkpoint.history == expected.checkpoint.history


def test_memory_maps_sets_and_augmentation(tmp_path):
    x, _ = problem(48)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    layers = nn.PowerSpectrum(), nn.Dense(4), nn.SetSum(3), nn.Dense(1)
    net = nn.Sequential(nn.Sphere(4, 1), *layers)
    targets = np.abs(x).sum(axis=(1, 2)).reshape(-1, 3).sum(axis=1)[:, None]
    options = dict(loss="rmse", metrics=["rmse", "mae"], epochs=3, batch_size=5, set_size=3)
    options["optimizer"] = train.adam(0.01)
    one, two = (
        list(train.fit(net, begin(net), data, validation=data, **options))
        for data in ((x, targets), (mapped, targets))
    )
    assert losses(one) == losses(two) and one[-1].total_steps == 3 * 4
    np.testing.assert_allclose(
        one[-1].metrics["loss"], one[-1].metrics["rmse"], rtol=3e-7
    )  # in float32

    def jitter(signals, rng):
        return signals * rng.uniform(0.5, 2, (len(signals), 1, 1)).astype(np.float32)

    three, four = (losses(fit(augment=jitter)) for _ in range(2))
    assert three == four != losses(fit())


def test_progress(capsys):
    steps = list(train.progress(fit(), mininterval=0))
    printed = capsys.readouterr()
    assert len(steps) == 12 and printed.out == ""
    assert "12/12" in printed.err and "val accuracy" in printed.err


def test_nothing_is_printed(capfd):
    train.finish(fit())
    assert capfd.readouterr() == ("", "")


def test_the_allocator_is_tuned_only_when_asked(monkeypatch):
    """Neither fit nor profile changes malloc, which is of the whole process."""
    calls = []

    class Library:
        def __init__(self, name):
            pass

        @staticmethod
        def mallopt(parameter, value):
            calls.append(parameter)
            return 1

    monkeypatch.setattr(workspace, "ctypes", SimpleNamespace(CDLL=Library))
    train.tune_allocator.cache_clear()
    train.finish(fit(plain(), epochs=1))
    train.profile(plain(), begin(plain()), problem(), repeats=1)
    assert not calls
    monkeypatch.setattr(sys, "platform", "linux")
    assert train.tune_allocator() is True and calls == [-3, -1]
    train.tune_allocator.cache_clear()
    monkeypatch.setattr(sys, "platform", "win32")
    assert train.tune_allocator() is False
    train.tune_allocator.cache_clear()
