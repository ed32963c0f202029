"""Trainings that are stopped, killed and resumed; what their folder keeps."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest
from helpers.data import TESTS
from helpers.trainings import fit, losses, plain

from spherekit import nn, train
from spherekit.train import checkpoints, pytree


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
    from helpers.trainings import fit
    for step in fit(checkpoints=sys.argv[2], every=2, resume=True, threads=1):
        print(step.step, repr(step.loss), flush=True)
        time.sleep(float(sys.argv[3]))
"""


def test_killed_and_resumed(tmp_path):
    """SIGKILL in the middle, twice; the losses of all processes together are those of one."""
    line = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(TESTS), str(tmp_path)]
    how = dict(stdout=subprocess.PIPE, text=True, cwd=TESTS.parent)
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
