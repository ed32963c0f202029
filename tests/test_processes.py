"""Processes as they come: without a home, at their end, without docstrings, without compilation."""

import os
import pathlib
import subprocess
import sys
import threading

import numpy as np
import pytest

import spherekit as sk
from spherekit._core import checks, jit, parallel

ROOT = pathlib.Path(sk.__file__).parents[1]


def python(*arguments, cwd=None, **environment):
    """The finished process of a Python with this package, in the environment of this one and more.

    None takes a variable away.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    environment = {name: value for name, value in environment.items() if value is not None}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=300
    )


# --- the cache folder -----------------------------------------------------------------------------

#: (environment, whether the user has an account, parent of the folder of kernels; None: no cache)
HOMES = [
    ({"HOME": "/h"}, True, "/h/.cache/spherekit"),
    ({"HOME": "/h", "XDG_CACHE_HOME": "/x"}, True, "/x/spherekit"),
    ({"HOME": "/h", "XDG_CACHE_HOME": ""}, True, "/h/.cache/spherekit"),
    ({"HOME": "/h", "XDG_CACHE_HOME": "relative"}, True, "/h/.cache/spherekit"),
    ({"HOME": "/h", "XDG_CACHE_HOME": "~/x"}, True, "/h/.cache/spherekit"),
    ({"HOME": "/h", "SPHEREKIT_CACHE": ""}, True, "/h/.cache/spherekit"),
    ({"HOME": "/h", "SPHEREKIT_CACHE": "/k"}, True, "/k"),
    ({"HOME": "/h", "SPHEREKIT_CACHE": "~/k"}, True, "/h/k"),
    ({"HOME": "/h", "SPHEREKIT_CACHE": "~"}, True, "/h"),
    ({"HOME": "/h", "SPHEREKIT_CACHE": "~nobody-of-this-name/k"}, True, None),
    ({"HOME": "/h", "SPHEREKIT_CACHE": "0"}, True, None),
    ({"HOME": "/h", "SPHEREKIT_CACHE": "k"}, True, "CWD/k"),
    ({"HOME": "/h", "SPHEREKIT_CACHE": "./~"}, True, "CWD/~"),
    ({}, True, "/account/.cache/spherekit"),
    ({"HOME": ""}, True, "/account/.cache/spherekit"),
    ({"HOME": "~"}, True, "/account/.cache/spherekit"),
    ({"HOME": "", "SPHEREKIT_CACHE": "~/k"}, True, "/account/k"),
    ({}, False, None),
    ({"HOME": ""}, False, None),
    ({"XDG_CACHE_HOME": ""}, False, None),
    ({"XDG_CACHE_HOME": "~"}, False, None),
    ({"XDG_CACHE_HOME": "/x"}, False, "/x/spherekit"),
    ({"SPHEREKIT_CACHE": "~/k"}, False, None),
    ({"SPHEREKIT_CACHE": "/k"}, False, "/k"),
]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="caches are elsewhere")
@pytest.mark.parametrize("environment, account, parent", HOMES)
def test_the_cache_folder(environment, account, parent, monkeypatch, tmp_path):
    import pwd

    def entry(uid):
        if not account:
            raise KeyError(f"getpwuid(): uid not found: {uid}")
        return pwd.struct_passwd(("me", "x", uid, uid, "", "/account", "/bin/sh"))

    for name in ("HOME", "XDG_CACHE_HOME", "SPHEREKIT_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(pwd, "getpwuid", entry)
    monkeypatch.chdir(tmp_path)
    folder = jit.cache_folder.__wrapped__()
    if parent is None:
        assert folder is None
    else:
        assert os.path.dirname(folder) == parent.replace("CWD", str(tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "environment",
    [
        {"HOME": None, "XDG_CACHE_HOME": "~"},
        {"SPHEREKIT_CACHE": "~/k"},
        {"XDG_CACHE_HOME": "", "SPHEREKIT_CACHE": ""},
    ],
)
def test_no_folder_is_called_tilde(environment, tmp_path):
    """A process that compiles a kernel: its caches are below the home folder, or nowhere."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir(), work.mkdir()
    program = (
        "import os, pwd\n"
        "def entry(uid): raise KeyError(uid)\n"
        "pwd.getpwuid = entry\n"
        "from spherekit._core.jit import jit\n"
        "print(jit(lambda x: x + 1.0)(1.0))"
    )
    source = work / "program.py"
    source.write_text(program)
    environment = {"HOME": str(home), "SPHEREKIT_CACHE": None, "XDG_CACHE_HOME": None} | environment
    result = python(str(source), cwd=work, **environment)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "2.0\n"
    assert {path.name for path in work.iterdir()} <= {"program.py", "__pycache__"}
    assert not any(path.name.startswith("~") for path in tmp_path.rglob("*"))


# --- threads --------------------------------------------------------------------------------------

LATE = """
import atexit, threading, time
import numpy as np
import spherekit as sk
from spherekit.sampling import Rings

def work():
    time.sleep({delay})
    rings = Rings(np.linspace(0.1, 3, 40), np.full(40, 23))
    for n, grid in ((1, "mw"), (9, "mw"), (1, "healpix:8"), (1, rings)):
        f = sk.inverse(np.ones((n, 100)), 10, sampling=grid, threads=2)
        flm = sk.forward(f, 10, sampling=grid, threads=2)
    flm = sk.wigner.rotate(flm, 0.1, 0.2, 0.3, threads=2)
    sk.analyse(np.ones(192), 6, sampling="healpix:4", threads=2)
    print("fine", np.isfinite(flm).all())

if {warm}:
    sk.forward(np.ones((10, 19)), 10, threads=2)
{start}
"""


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize(
    "start, delay", [("threading.Thread(target=work).start()", 1.0), ("atexit.register(work)", 0)]
)
def test_a_transform_after_the_main_thread(start, delay, warm):
    """The interpreter starts no threads any more: the caller does the work."""
    result = python("-c", LATE.format(start=start, delay=delay, warm=warm))
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout == "fine True\n"


class Refusing:
    """A pool that takes so many tasks, and does nothing with those it took before."""

    def __init__(self, takes):
        self.takes, self.pool = takes, parallel._get_pool(4)

    def submit(self, *call):
        if self.takes == 0:
            raise RuntimeError("can't start new thread")
        self.takes -= 1
        return self.pool.submit(*call)


@pytest.mark.parametrize("takes", [0, 1, 2, 3])
def test_every_index_is_called_once_whatever_the_pool_takes(takes, monkeypatch):
    pool = Refusing(takes)
    monkeypatch.setattr(parallel, "_get_pool", lambda size: pool)
    for _ in range(20):
        called, pool.takes = [], takes
        parallel.run(called.append, 4)
        assert sorted(called) == [0, 1, 2, 3]


@pytest.mark.parametrize("takes", [0, 3])
@pytest.mark.parametrize("index", [0, 1, 3])
def test_an_error_of_any_index_comes_through(index, takes, monkeypatch):
    pool = Refusing(takes)
    monkeypatch.setattr(parallel, "_get_pool", lambda size: pool)

    def worker(i):
        if i == index:
            raise OverflowError(i)

    with pytest.raises(OverflowError):
        parallel.run(worker, 4)


def test_errstate_reaches_the_threads():
    """NumPy's error state of the caller holds in every thread, also in those of the pool."""
    barrier = threading.Barrier(3)

    def worker(index):
        barrier.wait(timeout=60)
        assert np.geterr()["divide"] == "raise"

    with np.errstate(divide="raise"):
        parallel.run(worker, 3)


# --- switches of Python and Numba -----------------------------------------------------------------


@pytest.mark.parametrize("flag", ["-O", "-OO"])
@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["transform", "--help"]])
def test_the_command_without_docstrings(arguments, flag):
    plain, stripped = (python(*f, "-m", "spherekit", *arguments) for f in ([], [flag]))
    assert stripped.returncode == 0 and stripped.stdout == plain.stdout


def test_the_package_without_docstrings():
    program = (
        "import numpy as np, spherekit as sk\n"
        "from spherekit import conventions, nn, plot, scattering, train, wavelets, experiments, io\n"
        "assert False\n"
        "print(conventions.table())\n"
        "print(sk.forward(np.ones((4, 7)), 4)[0].real.round(6))"
    )
    result = python("-OO", "-c", program)
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{sk.conventions.table()}\n3.544908\n"


def test_compilation_switched_off():
    """Kernels then run as plain Python: more in test_kernels_simd_numpy.py."""
    result = python("-c", "import spherekit, spherekit.nn", NUMBA_DISABLE_JIT="1")
    assert result.returncode == 0 and result.stderr == ""
    program = "import numpy as np, spherekit; print(spherekit.forward(np.ones((4, 7)), 4).shape)"
    result = python("-c", program, NUMBA_DISABLE_JIT="1")
    assert result.returncode == 0 and result.stdout == "(16,)\n" and result.stderr == ""
    result = python("-m", "spherekit", "simulate", "--help", NUMBA_DISABLE_JIT="1")
    assert result.returncode == 0


@pytest.mark.parametrize("value", ["", "many", "nan", "-1", "0"])
def test_a_memory_limit_that_is_none_is_refused(value, monkeypatch):
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", value)
    with pytest.raises(ValueError, match="SPHEREKIT_MAX_MEMORY"):
        checks.memory_limit()


def test_results_do_not_depend_on_the_pool(monkeypatch, rng):
    f = rng.standard_normal((40, 79))
    plain = sk.forward(f, 40, threads=4)
    monkeypatch.setattr(parallel, "_get_pool", lambda size: Refusing(0))
    assert np.array_equal(sk.forward(f, 40, threads=4), plain)
