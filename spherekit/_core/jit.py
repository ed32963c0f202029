"""Compilation of the kernels: one decorator and one cache policy.

Kernels release the GIL, divide as NumPy does, and may fuse a*b + c; nothing looser, because
``fastmath=True`` breaks NaN checks and compensated sums. They are compiled at the first call.

Numba's on-disk cache does not see an edit in *another* file: the cache folder is therefore named after
the content of all files that hold kernels.

With SPHEREKIT_SIMD=numpy nothing is compiled: kernels run as plain Python on the vectors of
`spherekit.kernels.simd_numpy`, some thousand times slower, for debuggers, coverage and readers.
NUMBA_DISABLE_JIT=1 implies it.
"""

import functools
import hashlib
import os
import pathlib
import sys

import numba
from numba.core import config

#: Marks of the files that compiled code is made of: kernels, and the operations that they are written in.
_MARKS = b"@jit", b"@leaf", b"numba.extending"
FLAGS = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}


@functools.cache
def cache_folder():
    """Folder of the compiled kernels, or None where there is none: SPHEREKIT_CACHE=0, or no home.

    SPHEREKIT_CACHE names a folder, in which ``~`` stands for the home folder; else it is where the system
    keeps caches of the user. Nothing is created here; Numba creates the folder when it writes to it.
    """
    setting = os.environ.get("SPHEREKIT_CACHE", "").strip()
    if setting == "0":
        return None
    parent = _expanded(setting) if setting else _user_cache()
    if parent is None:
        return None
    package = pathlib.Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        source = path.read_bytes()
        if any(mark in source for mark in _MARKS):
            digest.update(source)
    return os.path.join(parent, f"kernels-{digest.hexdigest()[:12]}")


def _user_cache():
    """The folder of this package's caches, or None without a home."""
    if sys.platform == "win32":
        base, default = os.environ.get("LOCALAPPDATA", ""), "~/AppData/Local"
    elif sys.platform == "darwin":
        base, default = "", "~/Library/Caches"
    else:
        base, default = os.environ.get("XDG_CACHE_HOME", ""), "~/.cache"
    if not os.path.isabs(
        base
    ):  # unset, empty, or relative, which the XDG specification says to ignore
        base = _expanded(default)
    return None if base is None else os.path.join(base, "spherekit")


def _expanded(path):
    """An absolute path, ``~`` expanded; None where the home that it names does not exist."""
    if not path.startswith("~"):
        return os.path.abspath(path)
    name, _, below = path.replace(os.sep, "/")[1:].partition("/")
    home = _home() if not name else os.path.expanduser(f"~{name}")
    if home is None or not os.path.isabs(home):
        return None
    return os.path.join(home, *filter(None, below.split("/")))


def _home():
    """The user's home folder, or None: HOME may be unset or empty, and the user without an account."""
    home = os.environ.get("HOME", "")
    if sys.platform != "win32" and os.path.isabs(home):
        return home
    if sys.platform == "win32":
        home = os.path.expanduser("~")
    else:
        import pwd

        try:
            home = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            return None
    return home if os.path.isabs(home) else None


@functools.cache
def runs_as_python():
    """Whether kernels run as plain Python: SPHEREKIT_SIMD=numpy, or NUMBA_DISABLE_JIT."""
    setting = os.environ.get("SPHEREKIT_SIMD", "").strip().lower()
    if setting not in ("", "llvm", "numpy"):
        raise ValueError(
            f"SPHEREKIT_SIMD is {setting!r}; set it to llvm (compiled kernels, the default) or to numpy "
            "(kernels as plain Python, for debugging)"
        )
    if setting == "llvm" and config.DISABLE_JIT:
        raise ValueError(
            "SPHEREKIT_SIMD is llvm, but NUMBA_DISABLE_JIT is set; unset one of the two"
        )
    return setting == "numpy" or bool(config.DISABLE_JIT)


def leaf(function):
    """`jit` for innermost kernels, which make no arrays: no reference counts, 10 % of a short call."""
    return jit(function, _nrt=False)


def jit(function, **options):
    """Compile ``function`` with the package's flags, cached on disk where a folder can be written."""
    if runs_as_python():
        function.py_func = function
        return function
    kernel = numba.njit(**FLAGS, **options)(function)
    if cache_folder() is None or not hasattr(kernel, "enable_caching"):
        return kernel
    previous, config.CACHE_DIR = config.CACHE_DIR, cache_folder()
    try:
        kernel.enable_caching()
    except RuntimeError:  # no writable place (read-only home): compile in each process
        pass
    finally:
        config.CACHE_DIR = previous
    return kernel
