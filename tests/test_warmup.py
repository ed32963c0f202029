"""`spherekit warmup`: the selection of steps, their distribution among processes, and what they compile."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import textwrap

import pytest
from helpers.commands import refused, run

import spherekit
from spherekit._core import kernel_cache
from spherekit.cli import COMMANDS, demo, warmup
from spherekit.warmup import completion, processes, steps

ROOT = pathlib.Path(spherekit.__file__).parents[1]
FAKE_STEPS = """
    import os, time

    from spherekit._core import kernel_cache
    from spherekit.warmup import worker
    from spherekit.warmup.steps import Step

    def fail():
        raise ZeroDivisionError("no kernels")

    def not_written():
        kernel_cache.write_error = lambda: "No space left on device: /full"

    kernel_cache.write_error = lambda: None
    functions = {"a": lambda: None, "b": lambda: print("printed"), "c": lambda: time.sleep(0.2), "fail": fail,
                 "wait": lambda: time.sleep(60), "exit": lambda: os._exit(3), "abort": os.abort,
                 "not written": not_written}
    worker.main([Step(name, (), function) for name, function in functions.items()])
"""


def fake_steps(*names):
    def fail():
        raise ZeroDivisionError("no kernels")

    functions = {"fail": fail, "not written": not_written}
    return [steps.Step(name, (), functions.get(name, lambda: None)) for name in names]


def not_written():
    kernel_cache.write_error = lambda: "No space left on device: /full"


@pytest.fixture
def writes(monkeypatch):
    """The error of the last write of a kernel in this process is restored after the test."""
    monkeypatch.setattr(kernel_cache, "write_error", lambda: None)


@pytest.fixture
def workers(monkeypatch, tmp_path, writes):
    """Worker processes with the steps a, b, c, which compile nothing, and steps that go wrong."""
    program = tmp_path / "worker.py"
    program.write_text(textwrap.dedent(FAKE_STEPS))
    monkeypatch.setattr(processes, "WORKER", (str(program),))
    monkeypatch.setattr(processes, "compiler_name", lambda: "spherekit")


# --- the steps ------------------------------------------------------------------------------------


def test_every_command_that_has_kernels_is_a_name():
    assert set(COMMANDS) - set(steps.NAMES) == {"info", "plot", "bench", "warmup"}
    assert {name for step in steps.STEPS for name in step.names} == set(steps.NAMES)
    titles = [step.title for step in steps.STEPS]
    assert len(set(titles)) == len(titles)


def test_selection():
    assert steps.select() == steps.STEPS
    assert len(steps.select(["rotate", "float32"])) > len(steps.select(["rotate"])) > 3
    assert 3 < len(steps.select(["demo"])) < len(steps.STEPS)


# --- the processes --------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 5])
def test_all_steps_are_run(count, workers):
    calls = []
    seconds = processes.run(fake_steps("a", "b", "c"), count, lambda *call: calls.append(call))
    assert set(seconds) == {"a", "b", "c"} and min(seconds.values()) >= 0
    counts = [completed for completed, _ in calls]
    assert counts == sorted(counts)
    assert calls[0] == (0, None) and calls[-1] == (3, None)
    assert {title for _, title in calls if title} <= {"a", "b", "c"}
    assert any(title for _, title in calls)


@pytest.mark.parametrize("count", [1, 2])
def test_the_traceback_of_a_step_that_fails(count, workers):
    with pytest.raises(
        processes.StepError, match="step 'fail' failed: ZeroDivisionError: no kern"
    ) as error:
        processes.run(fake_steps("wait", "fail") if count == 2 else fake_steps("fail"), count)
    assert "in fail" in error.value.traceback


@pytest.mark.parametrize("count", [1, 2])
def test_a_kernel_that_could_not_be_written(count, workers):
    names = ("wait", "not written") if count == 2 else ("not written", "fail")
    with pytest.raises(
        processes.NotCachedError, match="could not be cached: No space left on device: /full"
    ):
        processes.run(fake_steps(*names), count)


@pytest.mark.parametrize("name, reason", [("exit", "ended with exit code 3"), ("abort", "SIGABRT")])
@pytest.mark.skipif(sys.platform == "win32", reason="exit codes are those of POSIX")
def test_a_process_that_ends_early(name, reason, workers):
    with pytest.raises(ChildProcessError, match=reason):
        processes.run(fake_steps(name, "wait"), 2)


def test_an_interrupt_ends_the_processes(workers, monkeypatch):
    started = []

    class Worker(processes._Worker):
        def __init__(self):
            super().__init__()
            started.append(self._process)

    def interrupt(completed, title):
        if completed == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(processes, "_Worker", Worker)
    with pytest.raises(KeyboardInterrupt):
        processes.run(fake_steps("a", "wait"), 2, interrupt)
    assert len(started) == 2 and all(process.poll() is not None for process in started)


@pytest.mark.skipif(sys.platform == "win32", reason="parent processes are those of POSIX")
def test_workers_end_with_their_parent(workers):
    """The worker, which runs a step of 60 s, holds the pipe until it ends."""
    (program,) = processes.WORKER
    parent = f"""
        import os, signal, subprocess, sys

        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        worker = subprocess.Popen([sys.executable, {program!r}], **pipes)
        worker.stdin.write("a\\nwait\\n")
        worker.stdin.flush()
        worker.stdout.readline()
        os.kill(os.getpid(), signal.SIGTERM)
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", textwrap.dedent(parent)]
    process = subprocess.run(command, env=environment, capture_output=True, timeout=40)
    assert process.returncode == -signal.SIGTERM


def test_processes_begin_apart_and_draw_neighbors():
    schedule = processes._Schedule(list("abcdefgh"), 2)
    assert [schedule.next_step(worker) for worker in (0, 1, 0, 0, 1)] == list("ahbcg")
    assert [schedule.next_step(1) for _ in range(4)] == ["f", "e", "d", None]
    assert schedule.next_step(0) is None


def test_with_numba_s_cache_there_is_one_process(monkeypatch, writes):
    monkeypatch.setattr(processes, "compiler_name", lambda: "njit")
    monkeypatch.setattr(processes, "_Worker", None)
    assert list(processes.run(fake_steps("a", "b"), 2)) == ["a", "b"]


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def short(monkeypatch, tmp_path, writes):
    """Steps of which the first writes a file as kernels do, and a cache of their own."""

    def write():
        folder = pathlib.Path(completion.written_folder())
        folder.mkdir(exist_ok=True)
        for name in ("a.kernel", f"a-1.{completion._python_tag()}.nbi"):
            (folder / name).touch()

    monkeypatch.setattr(steps, "STEPS", (
        steps.Step("first", ("demo", "scatter"), write),
        steps.Step("second", ("scatter",), lambda: None),
    ))  # fmt: skip
    monkeypatch.setattr(completion, "cache_folder", lambda: str(tmp_path))
    monkeypatch.setattr(completion, "kernel_folders", lambda: [str(tmp_path / "target")])


def test_the_command_lists_steps_and_seconds(short, capsys):
    run("warmup --processes 1")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" s  ")[1].split(";")[0] for line in lines] == [
        "first",
        "second",
        "in total",
    ]
    run("warmup --processes 1 --for demo")
    assert "second" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("--for scater", "did you mean scatter? expected any of demo, convert"),
        ("--for demo,qqq", "--for is qqq; expected any of demo"),
        ("--for=", "--for names nothing; expected any of demo"),
        ("--for ,", "--for names nothing; expected any of demo"),
        ("--processes 0", "--processes is 0; expected an integer >= 1"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message, short, capsys):
    assert message in refused(capsys, f"warmup {arguments}", 2)


def test_without_a_cache_there_is_nothing_to_do(short, capsys, monkeypatch):
    monkeypatch.setattr("spherekit._core.jit.cache_folder", lambda: None)
    assert "there is no cache" in refused(capsys, "warmup", 2)


def test_a_folder_that_cannot_be_written_is_refused(short, capsys, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    folders = [str(tmp_path / "file" / "target")]
    monkeypatch.setattr(completion, "kernel_folders", lambda: folders)
    error = refused(capsys, "warmup --processes 1 --for demo", 1)
    assert f"the kernels cannot be cached: Not a directory: {folders[0]}; set SPHEREKIT_C" in error
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    for name in ("a.kernel", f"a-1.{completion._python_tag()}.nbi"):
        (shipped / name).touch()
    completion._file(shipped, "demo").touch()
    folders.insert(0, str(shipped))
    warmup._check_folder(["demo"])  # all are there
    with pytest.raises(OSError, match="cannot be cached"):
        warmup._check_folder([])


def test_kernels_that_could_not_be_written_are_an_error(short, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(steps, "STEPS", (steps.Step("first", ("demo",), not_written),))
    error = refused(capsys, "warmup --processes 1", 1)
    assert "could not be cached: No space left on device: /full; free space" in error
    assert not list(tmp_path.rglob("*.complete"))


def test_a_failing_step_is_reported_with_its_traceback(short, capsys, monkeypatch):
    monkeypatch.setattr(steps, "STEPS", tuple(fake_steps("a", "fail")))
    assert spherekit.cli.main(["warmup", "--processes", "1"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Traceback") and lines[-2] == "ZeroDivisionError: no kernels"
    assert "the step 'fail' failed" in lines[-1]


def test_progress_in_a_log(short, monkeypatch, caplog):
    monkeypatch.setenv("SPHEREKIT_QUIET", "0")
    monkeypatch.setattr("spherekit._core.progress.INTERVAL", 0.0)
    caplog.set_level("INFO", logger="spherekit")
    warmup.compile_kernels(["scatter"], 1)
    assert caplog.messages[-1] == "compiling kernels: 2 of 2 steps, 0 s"
    monkeypatch.setenv("SPHEREKIT_QUIET", "1")
    caplog.clear()
    warmup.compile_kernels(["scatter"], 1)
    assert not caplog.messages


def test_progress_names_a_running_step(short, monkeypatch, caplog):
    monkeypatch.setenv("SPHEREKIT_QUIET", "0")
    monkeypatch.setattr("spherekit._core.progress.INTERVAL", 0.0)
    caplog.set_level("INFO", logger="spherekit")
    warmup.compile_kernels(["scatter"], 1)
    assert "compiling kernels: 1 of 2 steps, 0 s, running: second" in caplog.messages


def test_what_is_complete_is_recorded(short, tmp_path, monkeypatch):
    assert not completion.is_complete("demo")
    warmup.compile_kernels(["demo"], 1)
    assert completion.is_complete("demo") and not completion.is_complete("scatter")
    warmup.compile_kernels([], 1)
    assert all(map(completion.is_complete, steps.NAMES))
    (tmp_path / "file").touch()
    monkeypatch.setattr(completion, "kernel_folders", lambda: [str(tmp_path / "file" / "target")])
    assert completion.is_complete("demo")  # no folder can be made
    assert not completion.is_recorded("demo")


@pytest.mark.parametrize("compiler", ["spherekit", "njit"])
def test_a_record_without_kernels_is_ignored(compiler, short, tmp_path, monkeypatch):
    """As after a program that deletes large files."""
    monkeypatch.setattr(completion, "compiler_name", lambda: compiler)
    warmup.compile_kernels(["demo"], 1)
    assert completion.is_complete("demo")
    for path in list((tmp_path / "target").iterdir()):
        if path.suffix in (".kernel", ".nbi"):
            path.unlink()
    assert not completion.is_complete("demo")


def test_the_record_of_numba_s_cache_is_for_this_processor_and_version(short, monkeypatch):
    from numba.core.registry import cpu_target

    monkeypatch.setattr(completion, "compiler_name", lambda: "njit")
    warmup.compile_kernels(["demo"], 1)
    assert completion.is_complete("demo")
    codegen = type(cpu_target.target_context.codegen())
    with monkeypatch.context() as other:
        other.setattr(codegen, "magic_tuple", lambda self: ("triple", "other", ""))
        assert not completion.is_complete("demo")
    with monkeypatch.context() as other:
        other.setattr(completion, "_python_tag", lambda: "py30")
        assert not completion.is_complete("demo")
    assert completion.is_complete("demo")


class Stop(Exception):
    pass


@pytest.fixture
def stopped_demo(short, monkeypatch, here):
    """The demo ends before its first step."""

    def stop(*arguments):
        raise Stop

    monkeypatch.setattr(demo, "_analyze", stop)


def test_the_demo_compiles_its_kernels_first(stopped_demo, capsys):
    for count in (1, 0):
        with pytest.raises(Stop):
            demo.run(_arguments())
        assert capsys.readouterr().out.count("Compiling kernels") == count


def test_the_demo_goes_on_where_kernels_cannot_be_cached(stopped_demo, capsys, monkeypatch):
    monkeypatch.setattr(steps, "STEPS", (steps.Step("first", ("demo",), not_written),))
    with pytest.raises(Stop):
        demo.run(_arguments())
    assert capsys.readouterr().out.count("could not be cached: No space left on device") == 1
    assert not completion.is_recorded("demo")


def _arguments():
    import argparse

    parser = argparse.ArgumentParser()
    demo.arguments(parser)
    return parser.parse_args(["--threads", "1"])


# --- the kernels ----------------------------------------------------------------------------------

#: Print the kernels that Python has called, with the types of their arguments.
USED = """
    import gc, json

    def used():
        from numba.core.dispatcher import Dispatcher

        signatures = set()
        for x in gc.get_objects():
            if isinstance(x, Dispatcher) and "Inner" not in type(x).__name__:
                name = f"{x.py_func.__module__}.{x.py_func.__name__}"
                signatures |= {(name, str(types)) for types in x.overloads}
        return sorted(signature for signature in signatures if signature[0].startswith("spherekit."))
"""


def kernels_used_by(program):
    program = textwrap.dedent(USED) + textwrap.dedent(program) + "\nprint(json.dumps(used()))"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    process = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert process.returncode == 0, process.stderr
    return {tuple(kernel) for kernel in json.loads(process.stdout.splitlines()[-1])}


def kernels_of_steps(*names):
    return kernels_used_by(f"""
        from spherekit.warmup.steps import select

        for step in select({names}):
            step.run()
    """)


def test_real_steps_in_processes():
    titles = {"power spectra", "Wigner functions, Clebsch-Gordan coefficients"}
    pair = [step for step in steps.STEPS if step.title in titles]
    assert set(processes.run(pair, 2)) == titles


@pytest.mark.slow
def test_the_demo_compiles_no_other_kernels(here):
    demo_kernels = kernels_used_by("""
        from spherekit.cli import main

        assert main(["demo", "--threads", "1"]) == 0
    """)
    assert len(demo_kernels) > 30
    missing = demo_kernels - kernels_of_steps("demo")
    assert not missing


@pytest.mark.slow
def test_winds_compile_no_other_kernels(here):
    wind_kernels = kernels_used_by("""
        import numpy as np

        from spherekit import io
        from spherekit.cli import main

        for dtype in (np.float32, np.float64):
            for L, times in ((18, 31), (90, 12), (144, 6), (96, 1), (500, 1)):
                values = np.zeros((2, times, L + 1, 2 * L), dtype)
                sky = io.Map(values, f"mwss:{L}", ("u", "v"), "m/s", {"time": range(times)})
                io.write(sky, "uv.nc", overwrite=True)
                assert main("wind uv.nc -o flow.nc --spectrum energy.npy --force".split()) == 0
    """)
    assert len(wind_kernels) > 20
    missing = wind_kernels - kernels_of_steps("wind")
    assert not missing


@pytest.mark.slow
def test_the_examples_of_docstrings_compile_no_other_kernels():
    """But for those of internal functions, which call kernels that Python does not call otherwise."""
    example_kernels = kernels_used_by("""
        import pytest

        options = ["-q", "-p", "no:cacheprovider", "-k", "test_docstring"]
        assert pytest.main([*options, "tests/test_doctests.py"]) == 0
    """)
    assert len(example_kernels) > 50
    missing = example_kernels - kernels_of_steps()
    internal = (
        "spherekit._core.",
        "spherekit.kernels.",
        "spherekit.harmonic.steps.",
        "spherekit.scattering.cross_moments._multiply",  # of indices that can be written
    )
    assert not [kernel for kernel in missing if not kernel[0].startswith(internal)]
