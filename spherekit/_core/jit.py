"""Compilation of the kernels: one decorator and one cache policy.

Kernels release the GIL, divide as NumPy does, and may contract a*b + c to a fused multiply-add; no other
fast-math flag is set, because ``fastmath=True`` breaks NaN checks and compensated sums. Kernels are compiled
at the first call.

Numba's on-disk cache does not detect changes in the files that a kernel imports from. The cache folder is
therefore named after a hash of all files that contain kernels.

With SPHEREKIT_SIMD=numpy nothing is compiled: kernels run as plain Python on the vectors of
`spherekit.kernels.simd_numpy`, about a thousand times slower, for debugging, coverage and reading.
NUMBA_DISABLE_JIT=1 implies it.
"""

import functools
import hashlib
import os
import pathlib
import sys

import numba
from numba.core import config

#: Text that identifies the files with compiled code: kernels, and the operations that they use.
_MARKS = b"@jit", b"@leaf", b"numba.extending"
#: Options of `numba.njit`.
FLAGS = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}


@functools.cache
def cache_folder():
    """Return the folder of the compiled kernels, or None with SPHEREKIT_CACHE=0 or without a home folder.

    SPHEREKIT_CACHE sets the parent folder (``~`` is expanded); the default is the user's cache folder on this
    operating system. The folder is not created here; Numba creates it when it first writes to it.
    """
    setting = os.environ.get("SPHEREKIT_CACHE", "").strip()
    if setting == "0":
        return None
    parent = _expand_user(setting) if setting else _user_cache()
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
    """Return the default parent folder of the cache, or None without a home folder."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
        default = "~/AppData/Local"
    elif sys.platform == "darwin":
        base = ""
        default = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
        default = "~/.cache"
    if not os.path.isabs(base):  # unset, empty, or relative: ignored by the XDG specification
        base = _expand_user(default)
    return None if base is None else os.path.join(base, "spherekit")


def _expand_user(path):
    """Return an absolute path with ``~`` or ``~user`` expanded; None if that home folder is unknown."""
    if not path.startswith("~"):
        return os.path.abspath(path)
    user, _, below = path.replace(os.sep, "/")[1:].partition("/")
    folder = _home_folder() if not user else os.path.expanduser(f"~{user}")
    if folder is None or not os.path.isabs(folder):
        return None
    return os.path.join(folder, *filter(None, below.split("/")))


def _home_folder():
    """Return the user's home folder; None if HOME is unset or empty and the user has no account."""
    folder = os.environ.get("HOME", "")
    if sys.platform != "win32" and os.path.isabs(folder):
        return folder
    if sys.platform == "win32":
        folder = os.path.expanduser("~")
    else:
        import pwd

        try:
            folder = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            return None
    return folder if os.path.isabs(folder) else None


@functools.cache
def runs_as_python():
    """Return whether kernels run as plain Python: SPHEREKIT_SIMD=numpy, or NUMBA_DISABLE_JIT."""
    setting = os.environ.get("SPHEREKIT_SIMD", "").strip().lower()
    if setting not in ("", "llvm", "numpy"):
        raise ValueError(
            f"SPHEREKIT_SIMD is {setting!r}; expected llvm (compiled kernels, the default) or numpy "
            "(kernels as plain Python, for debugging)"
        )
    if setting == "llvm" and config.DISABLE_JIT:
        raise ValueError("SPHEREKIT_SIMD is llvm and NUMBA_DISABLE_JIT is set; unset one of them")
    return setting == "numpy" or bool(config.DISABLE_JIT)


def leaf(function):
    """`jit` for innermost kernels that allocate no arrays.

    Reference counting is disabled, which saves 10 % of the time of a short call.
    """
    return jit(function, _nrt=False)


def jit(function, **options):
    """Compile ``function`` with the flags of the package; cache it on disk if a folder is writable."""
    if runs_as_python():
        function.py_func = function
        return function
    kernel = numba.njit(**FLAGS, **options)(function)
    if cache_folder() is None or not hasattr(kernel, "enable_caching"):
        return kernel
    previous, config.CACHE_DIR = config.CACHE_DIR, cache_folder()
    try:
        kernel.enable_caching()
    except RuntimeError:  # no writable folder (read-only home): compile in each process
        pass
    finally:
        config.CACHE_DIR = previous
    return kernel


def address(kernel, *arguments):
    """Return the address of the native function of a kernel, for arguments like the given ones.

    Arguments are values, or Numba types.
    """
    types = tuple(a if isinstance(a, numba.types.Type) else numba.typeof(a) for a in arguments)
    kernel.compile(types)
    overload = kernel.overloads[types]
    return overload.library.get_pointer_to_function(overload.fndesc.llvm_func_name)
