"""Commands that a signal stops: exit codes, complete outputs, and commands that go on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import spherekit
from spherekit import io
from spherekit.cli import main, output, stopping

ROOT = Path(spherekit.__file__).parents[1]
COUNT = 40
#: A program that slows each transform down, so that signals arrive while it runs.
PROGRAM = """
import sys, time
from spherekit.cli import analysis, main
fit = analysis.fit
def slow(*args, **options):
    open("started", "w").close()
    time.sleep(0.2)
    return fit(*args, **options)
analysis.fit = slow
sys.exit(main())
"""


@pytest.fixture
def maps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir("maps")
    for seed in range(COUNT):
        values = np.random.default_rng(seed).normal(size=192)
        io.write_map(f"maps/{seed:02}.fits", values)
    return [f"maps/{seed:02}.fits" for seed in range(COUNT)]


def start(words):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def stopped(process, number, is_due):
    """(exit code, standard error) of a process that gets a signal when ``is_due()``."""
    deadline = time.monotonic() + 120
    while not is_due() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    _, said = process.communicate(timeout=120)
    return process.returncode, said


@pytest.mark.parametrize("name, code", [("SIGTERM", 75), ("SIGUSR1", 75), ("SIGINT", 130)])
def test_several_files(maps, name, code):
    words = ["transform", *maps, "--L", "6", "-o", "alms/"]
    process = start(words)
    received, said = stopped(process, getattr(signal, name), lambda: os.path.exists("alms/01.fits"))
    assert received == code
    present = sorted(os.listdir("alms"))
    assert 2 <= len(present) < COUNT
    assert present == [f"{i:02}.fits" for i in range(len(present))]
    if code == 75:
        assert f"stopped by {name} after {len(present)} of {COUNT} files" in said
        assert "the same command goes on" in said
    times = {path: os.stat(f"alms/{path}").st_mtime_ns for path in present}
    assert main(words) == 0
    assert len(os.listdir("alms")) == COUNT
    assert all(os.stat(f"alms/{path}").st_mtime_ns == t for path, t in times.items())


def test_a_single_file(maps):
    process = start(["transform", maps[0], "--L", "6", "-o", "alm.fits", "--method", "lsq"])
    received, said = stopped(process, signal.SIGTERM, lambda: os.path.exists("started"))
    assert received == 75
    assert (
        said
        == "spherekit: stopped by SIGTERM; nothing is half written. The same command starts again\n"
    )
    assert sorted(os.listdir()) == ["maps", "started"]


def test_files_are_written_before_a_signal_stops_the_command(tmp_path):
    with stopping.handling(), pytest.raises(stopping.Stopped, match="SIGTERM"):
        with output.atomic(force=False):
            os.kill(os.getpid(), signal.SIGTERM)
            output.write_arrays(tmp_path / "a.npz", values=np.zeros(2))
    assert os.listdir(tmp_path) == ["a.npz"]


def test_an_error_in_a_shielded_block_remains_that_error():
    with stopping.handling(), pytest.raises(OSError):
        with stopping.shielded():
            os.kill(os.getpid(), signal.SIGTERM)
            raise OSError("full")


def test_a_second_interrupt_stops_at_once():
    lines = []
    with stopping.handling(), pytest.raises(KeyboardInterrupt):
        with stopping.shielded():
            os.kill(os.getpid(), signal.SIGINT)
            lines.append("continued")
            os.kill(os.getpid(), signal.SIGINT)
            lines.append("not reached")
    assert lines == ["continued"]


def test_ignored_signals_remain_ignored():
    previous = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        with stopping.handling():
            os.kill(os.getpid(), signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, previous)
    with stopping.handling():
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_signal_that_comes_again(maps):
    process = start(["transform", *maps, "--L", "6", "-o", "alms/"])
    deadline = time.monotonic() + 120
    while not os.path.exists("started") and time.monotonic() < deadline:
        time.sleep(0.01)
    while process.poll() is None:
        process.send_signal(signal.SIGTERM)
        time.sleep(0.02)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 75 and said.count("stopped by SIGTERM") == 1


def test_signals_are_handled_before_numpy_is_imported():
    code = "import sys, spherekit.cli; sys.exit('numpy' in sys.modules)"
    subprocess.run(
        [sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
