"""Trainings that are stopped, killed, resumed and lengthened; the files of their folder."""

import os
import re
import signal
import subprocess
import sys
import textwrap
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
from helpers.data import TESTS
from helpers.trainings import Lossy, fit, in_folder, losses, plain, zonal

from spherekit import nn, train
from spherekit._core import pytree
from spherekit.io.tree_archive import read_tree, write_tree
from spherekit.train import checkpoints, networks, schedules


def test_resume_is_bit_identical(tmp_path):
    """Stopped in the middle of an epoch: losses, metrics, parameters and running state are the same."""
    complete = list(fit())
    steps = fit(checkpoints=in_folder(tmp_path, checkpoint_every=1))
    first = [next(steps) for _ in range(6)]
    steps.close()
    resume = in_folder(tmp_path, checkpoint_every=1, resume=True)
    remaining = list(fit(checkpoints=resume))
    assert losses(first + remaining) == losses(complete)
    assert remaining[-1].metrics == complete[-1].metrics
    assert remaining[-1].checkpoint.history == complete[-1].checkpoint.history
    assert_same_bits(remaining[-1], complete[-1])
    (again,) = fit(checkpoints=resume)  # it is finished
    assert (again.step, again.loss, again.metrics) == (12, complete[-1].loss, complete[-1].metrics)


def assert_same_bits(one, two):
    trees = ((step.params, step.state, step.checkpoint.best) for step in (one, two))
    for a, b in zip(*map(arrays, trees), strict=True):
        assert a.tobytes() == b.tobytes()


def arrays(trees):
    params, state, best = trees
    return [a for _, a in pytree.flatten((params, state, best["params"], best["state"]))]


def test_a_finished_training_is_lengthened(tmp_path):
    """More epochs with the same learning rate are those of one longer training, bit for bit."""
    train.finish(fit(checkpoints=tmp_path))
    longer = list(fit(checkpoints=in_folder(tmp_path, resume=True), epochs=4))
    expected = list(fit(epochs=4))
    assert losses(longer) == losses(expected)[12:]
    assert_same_bits(longer[-1], expected[-1])


def test_a_lengthened_training_may_have_another_schedule(tmp_path):
    """Of the learning rate; interrupted, it continues with the new one, and no other."""

    def options(steps, **others):
        return dict(optimizer=train.adam(schedules.cosine(0.02, steps))) | others

    resume = in_folder(tmp_path, checkpoint_every=1, resume=True)
    train.finish(fit(checkpoints=resume, **options(12)))
    steps = fit(checkpoints=resume, **options(20, epochs=5))
    first = [next(steps) for _ in range(3)]
    steps.close()
    assert [step.learning_rate for step in first] == list(
        map(schedules.cosine(0.02, 20), (12, 13, 14))
    )
    for changed in (options(12, epochs=5), options(24, epochs=6)):
        words = r"unfinished training, step 15 of 20: .*was cosine.*steps=20.*now cosine.*with the former"
        with pytest.raises(ValueError, match=words):
            fit(checkpoints=resume, **changed)
    remaining = list(fit(checkpoints=resume, **options(20, epochs=5)))
    assert [step.step for step in remaining] == [16, 17, 18, 19, 20]
    again = in_folder(tmp_path, resume=True)
    for words, optimizer in [
        ("optimizer was adam.*beta1=0.9.*now adam.*beta1=0.8", train.adam(0.01, beta1=0.8)),
        ("optimizer was adam.*now sgd", train.sgd(0.01)),
    ]:
        with pytest.raises(ValueError, match=f"of another training: {words}"):
            fit(checkpoints=again, epochs=6, optimizer=optimizer)


def test_an_unfinished_training_has_its_schedule(tmp_path):
    steps = fit(checkpoints=in_folder(tmp_path, checkpoint_every=1))
    next(steps)
    steps.close()
    words = "unfinished training, step 1 of 12: its learning rate was constant.*0.02.*now constant.*0.01"
    with pytest.raises(ValueError, match=words):
        fit(checkpoints=in_folder(tmp_path, resume=True), optimizer=train.adam(0.01))


def test_a_former_argument_of_a_schedule_is_recognized(tmp_path):
    """Earlier checkpoints name `decay_steps` of the exponential schedule "every"."""
    options = dict(optimizer=train.adam(schedules.exponential(0.02, 0.5, 4)))
    steps = fit(checkpoints=in_folder(tmp_path, checkpoint_every=1), **options)
    next(steps)
    steps.close()

    def rename(_, header):
        settings = header["description"]["training"]
        settings["schedule"] = settings["schedule"].replace("decay_steps", "every")
        assert "every=4" in settings["schedule"]

    rewritten(checkpoints.latest(tmp_path), rename)
    assert next(fit(checkpoints=in_folder(tmp_path, resume=True), **options)).step == 2


def test_a_stopped_training_stays_stopped(tmp_path):
    options = dict(net=plain(), optimizer=train.sgd(0.0), epochs=20)
    options["early_stopping"] = train.EarlyStopping(patience=2)
    assert len(list(fit(**options, checkpoints=tmp_path))) == 12
    resume = in_folder(tmp_path, resume=True)
    assert len(list(fit(**options, checkpoints=resume))) == 1
    options["early_stopping"] = train.EarlyStopping(patience=4)
    assert len(list(fit(**options, checkpoints=resume))) == 8  # more patience lengthens it


SCRIPT = """
    import sys, time
    sys.path.insert(0, sys.argv[1])
    from helpers.trainings import fit, in_folder
    for step in fit(checkpoints=in_folder(sys.argv[2], checkpoint_every=2, resume=True), threads=1):
        print(step.step, repr(step.loss), flush=True)
        time.sleep(float(sys.argv[3]))
"""


def test_killed_and_resumed(tmp_path):
    """SIGKILL in the middle, twice; the losses of all processes together are those of one."""
    line = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(TESTS), str(tmp_path)]
    options = dict(stdout=subprocess.PIPE, text=True, cwd=TESTS.parent)
    by_step = {}

    def read(process, until):
        for text in process.stdout:
            step, loss = text.split()
            assert (
                by_step.setdefault(int(step), loss) == loss
            )  # a step that is repeated is the same
            if int(step) == until:
                os.kill(process.pid, signal.SIGKILL)
                break

    for until in (5, 8):
        with subprocess.Popen([*line, "0.05"], **options) as process:
            read(process, until)
            assert process.wait() == -signal.SIGKILL
    with subprocess.Popen([*line, "0"], **options) as process:
        read(process, None)
        assert process.wait() == 0
    assert [by_step[step] for step in sorted(by_step)] == [repr(loss) for loss in losses(fit())]


def test_files_of_the_folder(tmp_path):
    def options(**others):
        checkpoints = in_folder(tmp_path, keep_checkpoints=2, description={"of": "tests"}, **others)
        stopping = train.EarlyStopping("accuracy")
        return dict(checkpoints=checkpoints, epochs=5, early_stopping=stopping)

    train.finish(fit(**options()))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["best.npz", "step-00000016.npz", "step-00000020.npz"]
    best, description = checkpoints.load(tmp_path / "best.npz")
    assert description["of"] == "tests" and description["training"]["batch_size"] == 12
    last, _ = checkpoints.load(checkpoints.latest(tmp_path))
    assert best.step == 4 * last.best["epoch"]
    trees = (best.params, best.state), (last.best["params"], last.best["state"])
    for (_, a), (_, b) in zip(*map(pytree.flatten, trees), strict=True):
        assert a.tobytes() == b.tobytes()
    net, params, state = nn.load(tmp_path / "best.npz")
    assert net == zonal() and pytree.difference((best.params, best.state), (params, state)) is None
    temporary = tmp_path / ".step-00000020.npz.0123456789abcdef.tmp"  # left by a kill
    temporary.write_bytes(b"half")
    (tmp_path / ".mine.tmp").write_bytes(b"not of a training")
    train.finish(fit(**options(resume=True)))
    assert not temporary.exists() and (tmp_path / ".mine.tmp").exists()


def test_temporary_files_are_those_that_are_removed(tmp_path, monkeypatch):
    """The names that writers give to them, which a killed process leaves behind."""

    def killed(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    exists = os.path.exists  # nor are they removed on the way out
    monkeypatch.setattr(
        os.path, "exists", lambda path: "tmp" not in str(path)[-4:] and exists(path)
    )
    with pytest.raises(KeyboardInterrupt):
        train.finish(fit(checkpoints=tmp_path, epochs=1))
    monkeypatch.undo()
    assert [path.suffix for path in tmp_path.iterdir()] == [".tmp"]
    checkpoints.remove_temporary(tmp_path)
    assert not list(tmp_path.iterdir())


def test_other_trainings_are_refused(tmp_path):
    train.finish(fit(checkpoints=tmp_path, epochs=1))
    layers = nn.BatchNorm(), nn.Pointwise("relu"), nn.Dropout(0.2), nn.PowerSpectrum(), nn.Dense(2)
    wider = nn.Sequential(nn.Sphere(4, 1), nn.Zonal(4), *layers)
    slower = nn.Sequential(nn.Sphere(4, 1), nn.Zonal(3), nn.BatchNorm(0.99), *layers[1:])
    resume = in_folder(tmp_path, resume=True)
    for words, options in [
        ("contains a training \\(step-00000004.npz\\); resume it with", dict(checkpoints=tmp_path)),
        ("of another training: batch_size was 12, now 13", dict(batch_size=13)),
        ("optimizer was adam.*now sgd", dict(optimizer=train.sgd(0.1))),
        ("seed was 5, now 6", dict(seed=6)),
        ("of another network: layer 0 was Zonal.channels=3.*now Zonal.channels=4", dict(net=wider)),
        ("of another network: layer 1 was BatchNorm.*0.9.*now BatchNorm.*0.99", dict(net=slower)),
        ("of another network: it had 6 layers, now 7",
         dict(net=nn.Sequential(nn.Sphere(4, 1), nn.Zonal(3), *layers, nn.Dense(2)))),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=words):
            fit(**dict(checkpoints=resume) | options)


def test_networks_with_layers_that_are_not_registered(tmp_path):
    """They are trained and resumed too, with a warning; their files hold no network."""
    net = nn.Sequential(nn.Sphere(4, 1), nn.Zonal(2), Lossy(abs), nn.GlobalMean(), nn.Dense(2))
    words = "without the network.*Lossy is not a registered layer.*; .*nn.register.abs"
    with pytest.warns(UserWarning, match=words) as warnings:
        steps = fit(net, checkpoints=tmp_path, epochs=1)
    assert len(warnings) == 1 and warnings[0].filename.endswith("trainings.py")
    train.finish(steps)
    with pytest.warns(UserWarning, match=words):
        steps = list(fit(net, checkpoints=in_folder(tmp_path, resume=True), epochs=2))
    assert len(steps) == 4
    with pytest.raises(ValueError, match="does not contain a network"):
        nn.load(checkpoints.latest(tmp_path))
    assert len(list(fit(net, epochs=1))) == 4  # without checkpoints no warning
    wider = nn.Sequential(nn.Sphere(4, 1), nn.Zonal(3), *net.layers[1:])
    with (
        pytest.warns(UserWarning, match=words),
        pytest.raises(ValueError, match="layer 0 was Zonal.channels=2.*now Zonal.channels=3"),
    ):
        fit(wider, checkpoints=in_folder(tmp_path, resume=True))


class Options(NamedTuple):
    power: int
    parts: frozenset = frozenset()


class Own(nn.Layer):
    """A layer with fields of many kinds, that is not registered, and prints without them."""

    a: float = 1.0
    b: object = None
    inner: nn.Layer | None = None
    branches: tuple = ()

    def __repr__(self):
        return "Own()"

    def out_type(self, in_type):
        return in_type

    def forward(self, params, x, context):
        return x


def own(*layers, rate=0.2, function="relu", **fields):
    return nn.Sequential(
        nn.Sphere(4, 1),
        nn.Sequential(nn.Zonal(2), Own(**fields), nn.Pointwise(function)),
        *layers,
        nn.GlobalMean(),
        nn.Dropout(rate),
        nn.Dense(2),
    )


def negative(x):
    return -x


@pytest.mark.parametrize(
    "place, before, after",
    [
        ("layer 0.1 was Own.*a=1.0.*now Own.*a=5.0", {}, dict(a=5.0)),
        ("layer 0.1 was Own.*a=1.0.*now Own.*a=nan", {}, dict(a=np.nan)),
        ("layer 2 was Dropout.rate=0.2.* now Dropout.rate=0.7", {}, dict(rate=0.7)),
        ("layer 0.2 was Pointwise.*relu.*now Pointwise.*square", {}, dict(function="square")),
        ("was Pointwise.*lambda.*now Pointwise.*negative", dict(function=lambda x: x),
         dict(function=negative)),
        ("oversample|power=2.*power=3", dict(b=Options(2)), dict(b=Options(3))),
        ("power=3", dict(b=partial(np.power, 2)), dict(b=partial(np.power, power=3))),
        ("'x'.*'y'", dict(b=frozenset({"a", "x"})), dict(b=frozenset({"a", "y"}))),
        ("layer 0.1.inner was Dropout.rate=0.1.*now Dropout.rate=0.3",
         dict(inner=nn.Dropout(0.1)), dict(inner=nn.Dropout(0.3))),
        ("layer 0.1.branches.1 was Dropout.rate=0.1.*now Dropout.rate=0.3",
         dict(branches=(nn.GlobalMean(), nn.Dropout(0.1))),
         dict(branches=(nn.GlobalMean(), nn.Dropout(0.3)))),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:the checkpoints include the parameters without")
def test_any_hyper_parameter_that_has_changed(place, before, after, tmp_path):
    """Of every layer, whether files hold the network or not."""
    train.finish(fit(own(**before), checkpoints=tmp_path, epochs=1))
    resume = in_folder(tmp_path, resume=True)
    with pytest.raises(ValueError, match=f"is of another network: .*{place}"):
        fit(own(**after), checkpoints=resume, epochs=2)
    assert len(list(fit(own(**before), checkpoints=resume, epochs=2))) == 4


def test_networks_as_text_are_the_same_in_every_process():
    """No addresses, and no order of sets of text, which differs from process to process."""

    class Slope:
        def __call__(self, x):
            return x

    fields = [Slope(), partial(negative), frozenset("abc"), np.float32(0.5), (negative, None)]
    lines = [networks.as_text(own(b=field))[3] for field in fields]
    printed = [re.search("b=(.*), ?inner|b=(.*)\\)", line)[0] for line in lines]
    assert not any(" at 0x" in line for line in lines), lines
    for text, line in zip(
        ["Slope object", "partial(negative)", "{'a', 'b', 'c'}", "0.5", "(negative, None)"],
        printed,
        strict=True,
    ):
        assert text in line


def test_hyper_parameters_that_are_not_finite(tmp_path):
    """No failure after an epoch: the files hold them."""
    net = nn.Sequential(nn.Sphere(4, 1), nn.PowerSpectrum(), Registered(np.inf), nn.Dense(2))
    train.finish(fit(net, checkpoints=tmp_path, epochs=1))
    assert nn.load(checkpoints.latest(tmp_path))[0] == net
    assert len(list(fit(net, checkpoints=in_folder(tmp_path, resume=True), epochs=2))) == 4


@nn.register
class Registered(nn.Layer):
    top: float = 1.0

    def out_type(self, in_type):
        return in_type

    def forward(self, params, x, context):
        return x


def rewritten(path, change):
    """A checkpoint with another head or tree, as an editor would leave it."""
    tree, header = read_tree(path)
    change(tree, header)
    write_tree(path, tree, header, overwrite=True)


def of_training(header):
    return header["checkpoint"]


@pytest.mark.parametrize(
    "words, change",
    [
        ("no 'state'", lambda _, h: of_training(h)["random_state"].pop("state")),
        ("damaged", lambda _, h: of_training(h)["random_state"].update(state={"state": "x", "inc": 1})),
        ("damaged", lambda _, h: of_training(h)["random_state"].update(state={"state": -1, "inc": 1})),
        ("damaged", lambda _, h: of_training(h)["random_state"].update(state=5)),
        ("random_state of its header", lambda _, h: of_training(h).update(random_state=5)),
        ("network of its header has", lambda _, h: h.update(network={})),
        ("network of its header is 5", lambda _, h: h.update(network=5)),
        ("description of its header", lambda _, h: h.update(description=[])),
        ("description of its header", lambda _, h: h.update(description=None)),
        ("its settings are 5", lambda _, h: h["description"].update(training=5)),
        ("checkpoint of its header", lambda _, h: h.update(checkpoint=[])),
        ("its step is 1000000000, its epoch 3", lambda _, h: of_training(h).update(step=10**9)),
        ("its step is 12, its epoch 9", lambda _, h: of_training(h).update(epoch=9)),
        ("step of its header is True", lambda _, h: of_training(h).update(step=True)),
        ("its history has 12 values of 'loss' in steps; expected 4000",
         lambda _, h: of_training(h).update(step=4000, epoch=1000)),
        ("its history has 11 values of 'gradient_norm'",
         lambda t, _: t["history"]["steps"].update(gradient_norm=np.ones(11))),
        ("history is an array of", lambda t, _: t["history"]["steps"].update(loss=np.ones((12, 2)))),
        ("history is an array of", lambda t, _: t["history"]["steps"].update(loss=np.array(["a"] * 12))),
        ("0 values of 'accuracy'", lambda t, _: t["history"]["epochs"].pop("accuracy")),
        ("0 values of 'loss' in steps", lambda t, _: t["history"].pop("steps")),
        ("3 values of 'other'", lambda t, _: t["history"]["epochs"].update(other=np.ones(3))),
        ("damaged", lambda t, _: t.update(history=[])),
        ("damaged", lambda t, _: t["history"].update(steps=np.ones(3))),
        ("optimizer has no mean.0", lambda t, _: t["optimizer_state"].pop("mean")),
        ("optimizer has", lambda t, _: t.update(optimizer_state={})),
        ("optimizer has mean.0 of shape", lambda t, _: t["optimizer_state"]["mean"].reverse()),
        ("its optimizer is at step 5", lambda t, _: t["optimizer_state"].update(step=np.array(5))),
        ("best have no 0.weights", lambda t, _: t["best"].update(params=[{}] * 6)),
        ("damaged", lambda t, _: t.update(best=[])),
        ("epoch of its best is 'x'", lambda _, h: of_training(h)["best"].update(epoch="x")),
        ("value of its best is 'x'", lambda _, h: of_training(h)["best"].update(value="x")),
        ("damaged", lambda _, h: of_training(h).update(best=5)),
        ("no 'value'", lambda _, h: of_training(h).update(best={})),
        ("total_steps is 'x'", lambda _, h: h["description"]["training"].update(total_steps="x")),
        ("patience is 'x'", lambda _, h: h["description"]["training"].update(patience="x")),
        ("another network: its layers are 5", lambda _, h: h["description"]["training"].update(layers=5)),
        ("another network: it has no 0.weights", lambda t, _: t.update(params=[])),
    ],
)  # fmt: skip
def test_checkpoints_that_were_edited(words, change, tmp_path, finished):
    """Refused at the call, with the file and what does not agree; by no error of another kind."""
    path = tmp_path / finished.name
    path.write_bytes(finished.read_bytes())
    rewritten(path, change)
    with pytest.raises(
        ValueError, match=f"step-00000012.npz is (damaged|of): .*{words}|{words}"
    ) as error:
        fit(checkpoints=in_folder(tmp_path, resume=True), epochs=4)
    assert "step-00000012.npz is" in str(error.value)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    train.finish(fit(checkpoints=folder))
    return checkpoints.latest(folder)
