"""The compiler of kernels and the files of their machine code."""

import errno
import hashlib
import json
import logging
import os
import pathlib
import subprocess
import sys
import zlib

import numba
import numpy as np
import pytest

import spherekit
from spherekit._core import jit, kernel_cache, progress
from spherekit._core.workspace import aligned

if jit.runs_as_python() or jit.compiler_name() != "spherekit":
    pytest.skip(
        "SPHEREKIT_SIMD, SPHEREKIT_COMPILER or the version of Numba selects another compiler than the one "
        "that these tests are about",
        allow_module_level=True,
    )

ROOT = pathlib.Path(spherekit.__file__).parents[1]
DTYPES = ("int8", "int16", "int32", "int64", "float32", "float64", "complex64", "complex128")

#: Call a kernel with arrays of some types, and print the number of compilations.
PROGRAM = """
import sys
import numpy as np
from numba.core import event
from spherekit._core.workspace import aligned

class Count(event.Listener):
    compiled = 0
    def on_start(self, e): Count.compiled += e.data["dispatcher"].py_func is aligned.py_func
    def on_end(self, e): pass

event.register("numba:compile", Count())
for dtype in sys.argv[1:]:
    array = aligned(5, np.empty(0, dtype))
    assert array.dtype == dtype and array.shape == (5,) and array.ctypes.data % 64 == 0, array
print(Count.compiled)
"""


def start(cache, *arguments, program=PROGRAM, **environment):
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SPHEREKIT_CACHE": str(cache),
        **environment,
    }
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process):
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return output, errors


def run(cache, *arguments, **options):
    return finish(start(cache, *arguments, **options))


def files(cache):
    return sorted(pathlib.Path(cache).glob("kernels-*/*/*.kernel"))


def test_processes_that_compile_different_signatures(tmp_path):
    """Eight processes fill an empty cache at once; then each type has its own machine code."""
    processes = [start(tmp_path, dtype) for dtype in DTYPES]
    assert [finish(process)[0] for process in processes] == ["1\n"] * len(DTYPES)
    assert len(files(tmp_path)) == len(DTYPES)
    assert run(tmp_path, *DTYPES)[0] == "0\n"
    assert run(tmp_path, *reversed(DTYPES))[0] == "0\n"


def test_processes_that_need_the_same_signature(tmp_path):
    processes = [start(tmp_path, "float64") for _ in range(4)]
    assert sorted(finish(process)[0] for process in processes) == ["0\n"] * 3 + ["1\n"]


def test_a_process_waits_and_says_so(tmp_path):
    run(tmp_path, "float64")
    (path,) = files(tmp_path)
    path.unlink()
    holder = (
        "import fcntl, os, sys\n"
        "descriptor = os.open(sys.argv[1], os.O_RDWR)\n"
        "fcntl.lockf(descriptor, fcntl.LOCK_EX)\n"
        "print('locked', flush=True)\n"
        "sys.stdin.read()\n"
    )
    if sys.platform == "win32":
        pytest.skip("the test holds the lock by fcntl, which Windows does not have")
    command = [sys.executable, "-c", holder, str(path.parent / ".lock")]
    with subprocess.Popen(
        command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as lock:
        assert lock.stdout.readline() == "locked\n"
        waiting = start(
            tmp_path,
            "float64",
            program=EAGER + PROGRAM,
            SPHEREKIT_QUIET="0",
        )
        assert any(
            "waiting for a kernel that another process compiles" in line for line in waiting.stderr
        )
        lock.stdin.close()
        assert finish(waiting)[0] == "1\n"


@pytest.mark.parametrize(
    "number, excluded", [("EAGAIN", True), ("EACCES", True), ("EPERM", False), ("ENOLCK", False)]
)
def test_locks_that_another_process_has(number, excluded, file, monkeypatch):
    """Other errors mean that nothing can be locked; and a wait has an end."""
    fcntl = pytest.importorskip("fcntl", reason="the locks of this system are others")
    calls = []

    def lockf(*arguments):
        calls.append(arguments)
        raise OSError(getattr(errno, number), number)

    monkeypatch.setattr(fcntl, "lockf", lockf)
    monkeypatch.setattr(kernel_cache, "PATIENCE", 0.05)
    entry, _ = file
    with entry.locked():
        assert (len(calls) > 1) == excluded


FORK = """
import os, threading, time
import numpy as np
from numba.core.compiler_lock import global_compiler_lock
from spherekit._core.workspace import aligned

def work():
    with global_compiler_lock:
        time.sleep(0.5)

thread = threading.Thread(target=work)
thread.start()
time.sleep(0.1)
child = os.fork()
if child == 0:
    os._exit(aligned(5, np.empty(0)).size)
thread.join()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_child_that_is_forked_while_a_thread_compiles(tmp_path):
    assert (
        run(tmp_path, program="import warnings; warnings.simplefilter('ignore')\n" + FORK)[0]
        == "5\n"
    )


def test_damaged_files_are_compiled_again(tmp_path):
    run(tmp_path, "float64")
    (path,) = files(tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    assert run(tmp_path, "float64")[0] == "1\n"
    assert run(tmp_path, "float64")[0] == "0\n"


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A cached file of invented machine code, and its path."""
    monkeypatch.setattr(kernel_cache, "cache_folder", lambda: str(tmp_path / "kernels-0"))
    kernel_cache._locations.cache_clear()
    processor = kernel_cache.Processor("triple", "cpu", "+feature")
    entry = kernel_cache.File("kernel", ["int64"], processor)
    entry.write(CODE)
    assert entry.read() == CODE
    (path,) = files(tmp_path)
    yield entry, path
    kernel_cache._locations.cache_clear()


CODE = kernel_cache.MachineCode("wrapper", "function", "environment", ["<f8"], b"code")


@pytest.mark.parametrize("position", [0, 64, 65, 100, -1])
def test_files_with_a_wrong_bit_are_not_used(position, file):
    entry, path = file
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    assert entry.read() is None


@pytest.mark.parametrize("content", [b"", b"text", b"\n\n"])
def test_other_files_are_not_used(content, file):
    entry, path = file
    path.write_bytes(content)
    assert entry.read() is None


@pytest.mark.parametrize(
    "field",
    ["sources", "triple", "cpu", "features", "numba", "python", "options", "kernel", "types"],
)
def test_files_for_anything_else_are_not_used(field, file):
    """Also under the right name."""
    entry, path = file
    _, header, body = path.read_bytes().split(b"\n", 2)
    header = json.loads(header)
    header[field] = header[field][:-1]
    content = json.dumps(header).encode() + b"\n" + body
    path.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
    assert entry.read() is None


def test_what_a_file_contains(tmp_path):
    """Text and an object file, which nothing unpickles."""
    run(tmp_path, "float64")
    (path,) = files(tmp_path)
    _, header, body = path.read_bytes().split(b"\n", 2)
    header = json.loads(header)
    assert header["kernel"] == "spherekit._core.workspace.aligned"
    assert header["numba"] == numba.__version__
    assert zlib.decompress(body)[:4] in (b"\x7fELF", b"\xcf\xfa\xed\xfe") or sys.platform == "win32"


def test_precompiled_kernels_of_the_package(tmp_path, monkeypatch):
    """They serve a processor with all features of their level, and no other."""
    features = kernel_cache.LEVELS["x86-64-v3"]
    processor = kernel_cache.Processor("triple", "cpu", f"{features},+more")
    level = kernel_cache.Processor("triple", "x86-64-v3", features)
    name = f"kernels-{kernel_cache.source_digest()}"
    monkeypatch.setattr(kernel_cache, "SHIPPED", tmp_path)
    monkeypatch.setattr(kernel_cache, "cache_folder", lambda: str(tmp_path / name))
    kernel_cache._locations.cache_clear()
    built = kernel_cache.File("kernel", ["int64"], level)
    built.write(CODE)
    kernel_cache._locations.cache_clear()
    assert kernel_cache.File("kernel", ["int64"], processor).read() == CODE
    assert kernel_cache.File("kernel", ["int32"], processor).read() is None
    lesser = kernel_cache.Processor("triple", "cpu", features.replace("+avx2", "-avx2"))
    assert kernel_cache.File("kernel", ["int64"], lesser).read() is None
    kernel_cache._locations.cache_clear()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_that_cannot_be_written(tmp_path):
    tmp_path.chmod(0o500)
    assert run(tmp_path / "cache", "float64")[0] == "1\n"
    tmp_path.chmod(0o700)


def test_a_cache_below_a_file(tmp_path):
    """Kernels are compiled in each process, and the message says why."""
    (tmp_path / "file").write_text("")
    output, errors = run(
        tmp_path / "file", "float64", "int8", program=EAGER + PROGRAM, SPHEREKIT_QUIET="0"
    )
    assert output == "2\n"
    assert "in each process (Not a directory" in errors


def test_kernels_outside_the_package_are_not_cached(tmp_path):
    program = "from spherekit._core.jit import jit\nprint(jit(lambda x: x + 1.0)(1.0))"
    assert run(tmp_path, program=program)[0] == "2.0\n"
    assert not files(tmp_path)


def test_pickled_kernels():
    import pickle

    assert pickle.loads(pickle.dumps(aligned)) is aligned


def test_errors_of_kernels_reach_the_caller():
    with pytest.raises(numba.TypingError):
        aligned("text", np.empty(0))
    assert aligned(3, np.empty(0)).shape == (3,)


# --- the fall-back ----------------------------------------------------------------------------------

COMPILER = "from spherekit._core import jit; print(jit.compiler_name())"


def test_fall_back_to_numba(tmp_path):
    assert run(tmp_path, program=COMPILER)[0] == "spherekit\n"
    assert run(tmp_path, program=COMPILER, SPHEREKIT_COMPILER="njit")[0] == "njit\n"
    later = f"import numba; numba.version_info = (1, 0, 0)\n{COMPILER}"
    assert run(tmp_path, program=later)[0] == "njit\n"
    moved = f"import numba.core.registry as r; del r.CPUDispatcher\n{COMPILER}"
    assert run(tmp_path, program=moved)[0] == "njit\n"
    process = start(tmp_path, program=COMPILER, SPHEREKIT_COMPILER="gcc")
    assert "SPHEREKIT_COMPILER is 'gcc'; expected spherekit" in process.communicate()[1]


def test_the_fall_back_computes_the_same(tmp_path):
    program = (
        "import numpy as np\n"
        "from spherekit._core import jit\n"
        "from spherekit._core.workspace import aligned\n"
        "print(aligned(5, np.empty(0)).shape, jit.address(aligned, 5, np.empty(0)) != 0)"
    )
    expected = "(5,) True\n"
    assert run(tmp_path, program=program)[0] == expected
    for _ in range(2):  # compiled, then from Numba's cache
        assert run(tmp_path, program=program, SPHEREKIT_COMPILER="njit")[0] == expected


# --- messages ---------------------------------------------------------------------------------------

#: Show a message at the start of each kernel.
EAGER = "import spherekit._core.progress as p; p._Compilation.due, p.INTERVAL = 0, 0.05\n"


@pytest.fixture
def compilation(monkeypatch):
    """The state of the messages as a process starts with it."""
    fields = {name: value for name, value in vars(progress._Compilation).items() if name[0] != "_"}
    fields |= dict(started=0.0, seconds=0.0, kernels=0, due=progress.FIRST)
    state = type("Compilation", (), fields)
    monkeypatch.setattr(progress, "_Compilation", state)
    monkeypatch.setenv("SPHEREKIT_QUIET", "0")
    return state


def test_messages_on_standard_error(tmp_path):
    _, errors = run(tmp_path, "float64", program=EAGER + PROGRAM, SPHEREKIT_QUIET="")
    assert errors.startswith("spherekit: compiling kernels, once for this machine: 0 compiled, 0 s")
    assert run(tmp_path / "b", "float64", program=EAGER + PROGRAM, SPHEREKIT_QUIET="1")[1] == ""


def test_messages_are_due_after_a_second_and_then_every_ten(compilation, monkeypatch, caplog):
    now = 0.0

    def wait(seconds):
        nonlocal now
        now += seconds
        return now > 25

    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with caplog.at_level(logging.INFO, logger="spherekit"):
        progress._report(wait)
    assert [r.message.rpartition(", ")[2] for r in caplog.records] == ["1 s", "11 s", "21 s"]


@pytest.mark.parametrize("level, shown", [("INFO", True), ("WARNING", False)])
def test_a_program_that_configures_logging(level, shown, tmp_path):
    program = (
        f"import logging; logging.basicConfig(format='%(name)s, %(message)s', level='{level}')\n"
    )
    _, errors = run(tmp_path, "float64", program=program + EAGER + PROGRAM, SPHEREKIT_QUIET="0")
    assert errors.startswith("spherekit, compiling kernels") == shown
    assert bool(errors) == shown
    assert "spherekit: " not in errors


def test_a_program_that_configures_logging_later(tmp_path):
    program = (
        "import logging\n"
        "from spherekit._core import progress\n"
        "progress.info('first')\n"
        "logging.basicConfig(format='%(name)s, %(message)s', level='INFO')\n"
        "progress.info('second')\n"
        "logging.getLogger().setLevel('WARNING')\n"
        "progress.info('third')\n"
    )
    _, errors = run(tmp_path, program=program, SPHEREKIT_QUIET="0")
    assert errors == "spherekit: first\nspherekit, second\n"
