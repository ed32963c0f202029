"""Trainings that are stopped, killed, resumed and lengthened; the files of their folder."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest
from helpers.data import TESTS
from helpers.trainings import Lossy, fit, in_folder, losses, plain, zonal

from spherekit import nn, train
from spherekit._core import pytree
from spherekit.train import checkpoints, schedules


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
    monkeypatch.setattr(
        os.path, "exists", lambda path: False
    )  # nor are they removed on the way out
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
        ("holds a training \\(step-00000004.npz\\); continue it with", dict(checkpoints=tmp_path)),
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
    """They are trained and resumed too; their files hold no network."""
    net = nn.Sequential(nn.Sphere(4, 1), nn.Zonal(2), Lossy(abs), nn.GlobalMean(), nn.Dense(2))
    train.finish(fit(net, checkpoints=tmp_path, epochs=1))
    steps = list(fit(net, checkpoints=in_folder(tmp_path, resume=True), epochs=2))
    assert len(steps) == 4
    with pytest.raises(ValueError, match="holds no network"):
        nn.load(checkpoints.latest(tmp_path))
    wider = nn.Sequential(nn.Sphere(4, 1), nn.Zonal(3), *net.layers[1:])
    with pytest.raises(ValueError, match="of another network: it has 0.weights of shape"):
        fit(wider, checkpoints=in_folder(tmp_path, resume=True))
