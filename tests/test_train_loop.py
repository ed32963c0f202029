"""The loop: the same numbers whatever happens; what it keeps, and what it refuses."""

import os
import pathlib
import signal
import subprocess
import sys
import textwrap

import autograd.numpy as anp
import numpy as np
import pytest
from helpers.networks import MODELS
from tolerances import CHAIN, IDENTITY

from spherekit import nn, train
from spherekit.nn.network import named
from spherekit.testing import random_flm
from spherekit.train import checkpoints, pytree


def zonal(L=4):
    """Running means, dropout, samples and features in one."""
    parts = [nn.zonal(3), nn.batch_norm(), nn.pointwise("relu"), nn.dropout(0.2), nn.power()]
    return nn.Net(nn.Sphere(L, 1), *parts, nn.dense(2))


def plain():
    """Without statistics, so that nothing changes where the rate is 0."""
    return nn.Net(nn.Sphere(4, 1), nn.zonal(2), nn.power(), nn.dense(2))


def cobb():
    return nn.models.cobb(4, 2, depth=1, outputs=2, hidden=8)


def problem(count=40, L=4, dtype=np.complex64):
    rng = np.random.default_rng(3)
    x, labels = (
        random_flm(L, rng, reality=True, shape=(count, 1), dtype=dtype),
        np.arange(count) % 2,
    )
    x[labels == 1, :, 1:4] *= 2
    return x, labels


def begin(net, dtype=np.float32):
    return net.init(np.random.default_rng(0), dtype)


HOW = dict(epochs=3, batch=12, optimiser=train.adam(0.02), metrics=["accuracy"], seed=5)


def fit(net=None, **how):
    net = zonal() if net is None else net
    data = problem()
    return train.fit(net, begin(net), data, **HOW | dict(validation=data) | how)


def losses(steps):
    return [step.loss for step in steps]


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


# --- going on ----------------------------------------------------------------------------------------


def test_resume_is_bit_identical(tmp_path):
    """Stopped in the middle of an epoch: losses, metrics and parameters go on as if nothing had been."""
    whole = list(fit())
    steps = fit(checkpoints=tmp_path, every=1)
    first = [next(steps) for _ in range(6)]
    steps.close()
    rest = list(fit(checkpoints=tmp_path, every=1, resume=True))
    assert losses(first + rest) == losses(whole)
    assert (
        rest[-1].metrics == whole[-1].metrics and rest[-1].state.history == whole[-1].state.history
    )
    for a, b in zip(*(pytree.leaves(s.state.params) for s in (rest[-1], whole[-1])), strict=True):
        assert a[1].tobytes() == b[1].tobytes()
    (again,) = fit(checkpoints=tmp_path, every=1, resume=True)  # it is done
    assert (again.step, again.loss, again.metrics) == (12, whole[-1].loss, whole[-1].metrics)
    longer = list(fit(checkpoints=tmp_path, every=1, resume=True, epochs=4))
    assert losses(longer) == losses(fit(epochs=4))[12:]


def test_a_stopped_training_stays_stopped(tmp_path):
    how = dict(net=plain(), optimiser=train.sgd(0.0), epochs=20, patience=2, checkpoints=tmp_path)
    assert len(list(fit(**how))) == 12
    assert len(list(fit(**how, resume=True))) == 1


SCRIPT = """
    import sys, time
    sys.path.insert(0, sys.argv[1])
    from test_train_loop import fit
    for step in fit(checkpoints=sys.argv[2], every=2, resume=True, threads=1):
        print(step.step, repr(step.loss), flush=True)
        time.sleep(float(sys.argv[3]))
"""


def test_killed_and_resumed(tmp_path):
    """SIGKILL in the middle, twice; the losses of all processes together are those of one."""
    tests = pathlib.Path(__file__).parent
    line = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(tests), str(tmp_path)]
    how = dict(stdout=subprocess.PIPE, text=True, cwd=tests.parent)
    found = {}

    def read(process, until):
        for said in process.stdout:
            step, loss = said.split()
            if int(step) in found:
                assert found[int(step)] == loss  # a step made again is the same step
            found[int(step)] = loss
            if int(step) == until:
                os.kill(process.pid, signal.SIGKILL)
                break

    for until in (5, 8):
        with subprocess.Popen([*line, "0.05"], **how) as process:
            read(process, until)
            assert process.wait() == -signal.SIGKILL
    with subprocess.Popen([*line, "0"], **how) as process:
        read(process, None)
        assert process.wait() == 0
    assert [found[k] for k in sorted(found)] == [repr(loss) for loss in losses(fit())]


def test_what_the_folder_keeps(tmp_path):
    train.finish(
        fit(checkpoints=tmp_path, keep=2, epochs=5, watch="accuracy", description={"of": "tests"})
    )
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["best.npz", "step-00000016.npz", "step-00000020.npz"]
    best, description = checkpoints.load(tmp_path / "best.npz")
    assert description["of"] == "tests" and description["training"]["batch"] == 12
    last, _ = checkpoints.load(checkpoints.latest(tmp_path))
    assert best.step == 4 * last.best["epoch"]
    for (_, a), (_, b) in zip(
        pytree.leaves(best.params), pytree.leaves(last.best["params"]), strict=True
    ):
        assert a.tobytes() == b.tobytes()
    (tmp_path / "step-00000020.77.tmp.npz").write_bytes(b"half")  # left by a kill
    (tmp_path / "mine.tmp.npz").write_bytes(b"not ours")
    train.finish(fit(checkpoints=tmp_path, keep=2, epochs=5, watch="accuracy", resume=True))
    assert (
        not (tmp_path / "step-00000020.77.tmp.npz").exists()
        and (tmp_path / "mine.tmp.npz").exists()
    )


def test_other_trainings_are_refused(tmp_path):
    train.finish(fit(checkpoints=tmp_path, epochs=1))
    parts = nn.batch_norm(), nn.pointwise("relu"), nn.dropout(0.2), nn.power(), nn.dense(2)
    wider = nn.Net(nn.Sphere(4, 1), nn.zonal(4), *parts)
    sgd = train.sgd(0.1)
    for words, how in [
        ("holds a training \\(step-00000004.npz\\); pass resume=True", {}),
        ("of another training: batch was 12, now 13", dict(resume=True, batch=13)),
        ("optimiser was adam.constant.rate=0.02.*now sgd", dict(resume=True, optimiser=sgd)),
        ("seed was 5, now 6", dict(resume=True, seed=6)),
        ("of another network: it has .*expected", dict(resume=True, net=wider)),
        ("resume=True without a folder", dict(resume=True, checkpoints=None)),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=words):
            fit(**dict(checkpoints=tmp_path) | how)


# --- when numbers are lost ---------------------------------------------------------------------------


def lossy(function):
    """A layer in the middle."""
    return lambda takes: named("lossy", takes, takes, lambda x, mode: function(x))


@pytest.mark.parametrize("inside", [False, True])
def test_nan_names_the_layer(inside, tmp_path):
    """In the forward pass, from the second epoch on; the last good checkpoint stays."""
    count = [0]

    def poison(x):
        count[0] += 1
        return x + (np.nan if count[0] > 4 + 4 else 0)  # four of training, four of validation

    parts = [nn.zonal(2), lossy(poison)]
    net = nn.Net(
        nn.Sphere(4, 1), *([nn.chain(*parts)] if inside else parts), nn.power(), nn.dense(2)
    )
    steps, seen = fit(net, checkpoints=tmp_path), []
    place = "0.1" if inside else "1"
    with pytest.raises(
        train.Diverged,
        match=f"step 5: the loss is nan; first in the results of layer {place}, lossy",
    ):
        for step in steps:
            seen.append(step)
    assert len(seen) == 4
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["best.npz", "step-00000004.npz"]
    with pytest.raises(train.Diverged, match="The last good checkpoint is .*step-00000004.npz"):
        list(fit(net, checkpoints=tmp_path, resume=True))
    good, _ = checkpoints.load(tmp_path / "step-00000004.npz")
    assert all(np.isfinite(a).all() for _, a in pytree.leaves(good.params))


def test_nan_gradients_name_the_layer():
    """sqrt(0): the loss is a number, its gradient none."""
    net = nn.Net(
        nn.Sphere(4, 1), nn.zonal(2), nn.power(), lossy(lambda x: anp.sqrt(x - x)), nn.dense(2)
    )
    words = (
        "gradient is not finite; first in the gradient of layer 2, lossy .sqrt.; .* lost: 0.weights"
    )
    with pytest.raises(train.Diverged, match=words):
        list(fit(net))


def test_steps_too_long():
    with pytest.raises(train.Diverged, match="infinite|not finite"):
        list(fit(plain(), optimiser=train.sgd(1e38), epochs=3))


def words_of(parts=(), scale=1, takes=None, **how):
    """The error of a training on maps of that scale."""
    x, labels = problem()
    net = nn.Net(nn.Sphere(4, 1), nn.zonal(2), *parts, nn.power(), nn.dense(2))
    with pytest.raises(ValueError) as error:
        list(train.fit(net, begin(net), (x * np.float32(scale), labels), **HOW | how))
    return error.type, str(error.value)


@pytest.mark.parametrize("function", [lambda x: anp.sqrt(x - x), lambda x: (x - x) ** 0.5])
def test_the_advice_where_a_derivative_is_not_finite(function):
    """At the first step neither rate nor clipping is to blame."""
    parts = [nn.power(), nn.dense(3), lossy(function)]
    net = nn.Net(nn.Sphere(4, 1), nn.zonal(2), *parts, nn.dense(2))
    with pytest.raises(train.Diverged, match="Results are finite and derivatives are not") as error:
        list(fit(net))
    assert "a lower rate or a clipped gradient would not help" in str(error.value)


def test_the_advice_where_numbers_are_too_large():
    kind, words = words_of(scale=1e25)
    assert kind is train.Diverged and "are near the end of float32: scale the data down" in words
    assert "rate" not in words.split("float32:")[1]


def test_the_advice_where_a_function_has_no_value():
    kind, words = words_of([lossy(lambda x: x / anp.abs(x - x))])
    assert kind is train.Diverged and "first in the results of layer 1, lossy" in words
    assert "Its numbers are of ordinary size" in words and "Change the function" in words


def test_the_advice_where_the_loss_has_no_value():
    kind, words = words_of(loss=lambda outputs, _: anp.sum(anp.log(0 * outputs)))
    assert kind is train.Diverged and "every layer's results are finite" in words
    assert "The loss has no finite value there" in words


def test_the_advice_where_steps_are_too_long():
    kind, words = words_of(optimiser=train.sgd(1e38))
    assert kind is train.Diverged and "Lower the rate or clip the gradient" in words


def test_moments_that_overflow_are_no_silent_standstill():
    """Gradients of 1e25 have a second moment beyond float32, and steps of 0 from there on."""
    kind, words = words_of(loss=lambda outputs, _: 1e25 * anp.sum(outputs) / 40)
    assert kind is train.Diverged and "moments after the step are not finite" in words


def test_a_gradient_that_an_adjoint_refuses():
    """The step back that has made it is named, and no mask advised."""
    x = problem()[0]
    net = nn.Net(nn.Sphere(4, 1), nn.zonal(2), nn.brackets(), nn.mean())
    params = net.init(0, np.float32)
    params[0]["weights"] *= np.float32(1e9)
    data, loss = (x * np.float32(1e9), np.zeros(len(x))), lambda y, _: anp.sum(y) * np.float32(1e25)
    with pytest.raises(ValueError) as error:
        list(train.fit(net, params, data, loss=loss))
    assert "gradient" in str(error.value) and "mask" not in str(error.value)


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


@pytest.mark.parametrize("after", [nn.pointwise("relu"), nn.products(), nn.pointwise("tanh")])
def test_a_layer_that_refuses_what_another_lost(after):
    """Not the later one is named, nor masking advised, which is for maps."""
    kind, words = words_of([lossy(lambda x: x * np.inf), after])
    assert kind is train.Diverged and "first in the results of layer 1, lossy" in words
    assert "analyse" not in words


def test_a_function_of_samples_without_values():
    def harsh(f):
        return anp.log(anp.abs(f) - anp.abs(f))

    kind, words = words_of([nn.pointwise(harsh)])
    assert kind is ValueError and "layer 1, pointwise: harsh makes" in words
    assert "samples NaN or infinite" in words and "analyse" not in words


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [0, 1, 1e-30])
def test_networks_of_spins_learn_on_constant_maps(scale, dtype):
    """The mechanism of the quotient by a modulus: all spins but 0 are rounding, and their squares 0."""
    x = np.zeros((8, 1, 64), np.result_type(dtype, np.complex64))
    x[..., 0] = scale
    net = nn.models.spin(8, (4, 4, 4), (4, 4, 4), outputs=2)
    how = dict(epochs=3, batch=4, optimiser=train.adam(0.02))
    steps = list(train.fit(net, net.init(0, dtype), (x, np.arange(8) % 2), **how))
    assert all(np.isfinite((step.loss, step.norm)).all() for step in steps) and len(steps) == 6


# --- beside the loop ---------------------------------------------------------------------------------


def test_predictions(rng):
    x, labels = problem()
    for net in (zonal(), nn.Net(nn.Sphere(4, 1), nn.fragments(), nn.tensor_product("rmst"))):
        params = begin(net)
        np.testing.assert_array_equal(train.predict(net, params, x, batch=7), net(params, x))
    net = zonal()
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


def test_what_is_no_array_of_signals():
    net, (x, labels) = zonal(), problem()
    params = begin(net)
    masked = np.ma.masked_array(x, np.abs(x) > 1)
    for words, call in [
        ("predict: signals of shape \\(40, 16\\)", lambda: train.predict(net, params, x[:, 0])),
        ("predict: signals of shape \\(\\)", lambda: train.predict(net, params, 5)),
        ("batch is 0", lambda: train.predict(net, params, x, batch=0)),
        ("batch is 2.0", lambda: train.predict(net, params, x, batch=2.0)),
        ("masked", lambda: train.predict(net, params, masked)),
        ("masked", lambda: list(train.fit(net, params, (masked, labels), epochs=1))),
        ("masked", lambda: train.fit(net, params, (x, np.ma.masked_equal(labels, 1)))),
        ("dtype complex256", lambda: train.predict(net, params, x.astype(np.clongdouble))),
    ]:  # fmt: skip
        with pytest.raises((ValueError, TypeError), match=words):
            call()
    few = train.predict(net, params, x[:2])
    np.testing.assert_array_equal(train.predict(net, params, x[:2].tolist()).shape, few.shape)


def test_progress(capsys):
    steps = list(train.progress(fit(), mininterval=0))
    said = capsys.readouterr()
    assert (
        len(steps) == 12 and said.out == "" and "12/12" in said.err and "val accuracy" in said.err
    )


def test_nothing_is_printed(capfd):
    train.finish(fit())
    assert capfd.readouterr() == ("", "")


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


def test_refusals():
    x, labels = problem()
    net = zonal()

    def call(data=(x, labels), params=None, **how):
        return train.fit(net, begin(net) if params is None else params, data, **how)

    for words, how in [
        ("epochs is 0", dict(epochs=0)),
        ("batch is 2.5", dict(batch=2.5)),
        ("patience is 0", dict(patience=0, validation=(x, labels))),
        ("need validation", dict(patience=2)),
        ("watch is 'rmse'; known are loss, accuracy", dict(watch="rmse", metrics=["accuracy"])),
        ("clip is 0", dict(clip=0)),
        ("momentum is 1", dict(momentum=1)),
        ("optimiser is 'adam'", dict(optimiser="adam")),
        ("data: signals of shape \\(40, 1, 9\\)", dict(data=(x[..., :9], labels))),
        ("data: 40 signals and targets of shape \\(39,\\)", dict(data=(x, labels[1:]))),
        ("validation: signals of shape \\(0, 1, 16\\)", dict(validation=(x[:0], labels[:0]))),
        ("data is ndarray", dict(data=x)),
        ("targets hold NaN", dict(data=(x, labels * np.nan))),
        ("parameter \\(0, 'weights'\\)", dict(params=[{"weights": np.full(2, np.nan)}])),
        ("no parameters to train", dict(params=[{"running": np.ones(2)}])),
        ("loss is 'hinge'", dict(loss="hinge")),
    ]:  # fmt: skip
        with pytest.raises((ValueError, TypeError), match=words):
            call(**how)  # at once, not at the first step
    numbers = "epochs", "batch", "seed", "sets", "keep", "patience", "every"
    for name in numbers:
        for wrong in (2.5, 2.0, "2", True, [2]):
            with pytest.raises(TypeError, match=f"{name} is .*; expected a whole number >= [01]"):
                call(validation=(x, labels), **{name: wrong})
    for name in ("clip", "momentum"):
        for wrong in ("0.5", True, [0.5]):
            with pytest.raises(TypeError, match=f"{name} is .*; expected a number"):
                call(**{name: wrong})
    half = [{"weights": np.ones(2, np.float16)}]
    with pytest.raises(TypeError, match="parameter .* has dtype float16; expected float32"):
        call(params=half)
    last = train.finish(call(epochs=np.int64(1), batch=np.int32(20), seed=np.uint8(3)))
    assert last.step == 2
