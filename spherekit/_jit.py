"""How every kernel is compiled: one decorator and one cache policy.

Kernels release the GIL, divide as NumPy does, and may fuse a*b + c; nothing looser, because
``fastmath=True`` breaks NaN checks and compensated sums. They are compiled at the first call.

Numba's on-disk cache does not see an edit in *another* file: the cache folder is therefore named after
the content of all files that hold kernels.
"""

import functools
import hashlib
import os
import pathlib
import sys

import numba
from numba.core import config

#: What a file holds of which compiled code is made: kernels, or the functions that kernels are made of.
_MARKS = b"@jit", b"@leaf", b"numba.extending"
FLAGS = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}


@functools.cache
def cache_folder():
    """Folder of the compiled kernels, or None when SPHEREKIT_CACHE=0; made for @jit functions."""
    setting = os.environ.get("SPHEREKIT_CACHE", "")
    if setting == "0":
        return None
    package = pathlib.Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        source = path.read_bytes()
        if any(mark in source for mark in _MARKS):
            digest.update(source)
    return str(pathlib.Path(setting or _user_cache()) / f"kernels-{digest.hexdigest()[:12]}")


def _user_cache():
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "~/AppData/Local")
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return os.path.join(os.path.expanduser(base), "spherekit")


def leaf(function):
    """`jit` for innermost kernels, which make no arrays: no reference counts, 10 % of a short call."""
    return jit(function, _nrt=False)


def jit(function, **options):
    """Compile ``function`` with the house flags, cached on disk where a folder can be written."""
    kernel = numba.njit(**FLAGS, **options)(function)
    if cache_folder() is None or not hasattr(kernel, "enable_caching"):
        return kernel
    kept, config.CACHE_DIR = config.CACHE_DIR, cache_folder()
    try:
        kernel.enable_caching()
    except RuntimeError:  # no writable place (read-only home): compile in each process
        pass
    finally:
        config.CACHE_DIR = kept
    return kernel
