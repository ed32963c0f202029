"""Compilation of the kernels: one decorator and one cache policy.

`compiler` compiles them, or `numba.njit` where the installed version of Numba is not one that was tested.
Kernels release the GIL, divide as NumPy does, and may contract a*b + c to a fused multiply-add; no other
fast-math flag is set, because ``fastmath=True`` breaks NaN checks and compensated sums. Kernels are compiled
at the first call.

With SPHEREKIT_SIMD=numpy nothing is compiled: kernels run as plain Python on the vectors of
`spherekit.kernels.simd_numpy`, about a thousand times slower, for debugging, coverage and reading.
NUMBA_DISABLE_JIT=1 implies it.
"""

import functools
import os

import numba
from numba.core import config

from spherekit._core import kernel_cache
from spherekit._core.kernel_cache import cache_folder

#: Options of `numba.njit`.
FLAGS = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}


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


@functools.cache
def compiler_name():
    """Return "spherekit"; or "njit", with SPHEREKIT_COMPILER=njit or if Numba's version was not tested."""
    setting = os.environ.get("SPHEREKIT_COMPILER", "").strip().lower()
    if setting not in ("", "spherekit", "njit"):
        raise ValueError(
            f"SPHEREKIT_COMPILER is {setting!r}; expected spherekit (the default) or njit (compilation by "
            "numba.njit, which takes longer)"
        )
    if setting == "njit":
        return "njit"
    try:
        from spherekit._core.compiler import is_supported
    except (ImportError, AttributeError):  # a later version of Numba
        return "njit"
    return "spherekit" if is_supported() else "njit"


def kernel_folders():
    """Return the folders that are searched for compiled kernels; the last is the one that is written."""
    if runs_as_python():
        return []
    if compiler_name() == "spherekit":
        from spherekit._core.compiler import host_processor

        return kernel_cache.folders(host_processor())
    return [cache_folder()] if cache_folder() is not None else []


def leaf(function=None, *, contract=True):
    """`jit` for kernels that neither allocate arrays nor return them.

    Reference counting is disabled, which saves 10 % of the time of a short call, and compile time. With
    ``contract=False`` products are rounded before they are added, so that results do not depend on the
    processor.
    """
    if function is None:
        return functools.partial(leaf, contract=contract)
    return jit(function, _nrt=False, **({} if contract else {"fastmath": False}))


def jit(function, **options):
    """Compile ``function`` with the flags of the package; cache it on disk if a folder is writable."""
    if runs_as_python():
        function.py_func = function
        return function
    options = FLAGS | options
    if compiler_name() == "spherekit":
        from spherekit._core.compiler import Kernel

        return Kernel(function, options)
    kernel = numba.njit(**options)(function)
    if cache_folder() is None:
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
    if compiler_name() == "spherekit":
        return overload.address
    return overload.library.get_pointer_to_function(overload.fndesc.llvm_func_name)
