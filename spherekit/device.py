"""Where a call runs: the array decides.

A NumPy array is worked on by the CPU; an array that lies on a GPU (CuPy's, or any other with
``__cuda_array_interface__``) by the CUDA kernels, with CuPy arrays coming out. There is no switch, no
silent copy and no fallback. Numba's CUDA target and CuPy are imported at the first CUDA array, never
before. With ``NUMBA_ENABLE_CUDASIM=1`` Numba's simulator stands in for the GPU, and NumPy for CuPy.
"""

import functools
from collections import namedtuple

import numba
from numba.core import config

__all__ = [
    "array_module",
    "current",
    "kernel",
    "launch",
    "on_gpu",
    "simulated",
    "target",
    "why_not",
]

#: Kernels and the types of their arguments: what is compiled without a GPU, to be looked at.
Kernel = namedtuple("Kernel", "function signature")
KERNELS = {}

_INSTALL = "pip install 'spherekit[cuda]'"


def on_gpu(x, name="the array"):
    """Whether ``x`` is for the CUDA kernels, by its type alone.

    Raises
    ------
    RuntimeError
        It lies on a GPU, and the CUDA kernels cannot run here: with the reason.

    >>> import numpy as np
    >>> on_gpu(np.ones(3)), on_gpu([1.0, 2.0])
    (False, False)
    """
    if not hasattr(x, "__cuda_array_interface__"):
        return False
    reason = why_not()
    if reason is not None:
        kind = f"{type(x).__module__}.{type(x).__qualname__}"
        raise RuntimeError(
            f"{name} is a CUDA array ({kind}), but {reason}; nothing is copied silently: for the CPU "
            "pass a NumPy array, such as cupy.asnumpy(x)"
        )
    return True


def simulated():
    """Whether Numba's simulator stands in for a GPU."""
    return bool(config.ENABLE_CUDASIM)


@functools.cache
def why_not():
    """None where CUDA kernels can run, else the reason as text."""
    try:
        cuda = target()
        if simulated():
            return None
        array_module()
    except ImportError as error:
        return str(error)
    if cuda.is_available():
        return None
    reason = " ".join(str(cuda.cuda_error() or "no driver, or no NVVM").split())
    return f"no CUDA device can be used ({reason})"


def target():
    """Numba's CUDA target, the package numba-cuda; needs no GPU.

    The target that older Numba brings along is refused: it fails on ``min`` and ``max``.
    """
    try:
        from numba import cuda
    except ImportError:
        cuda = None
    if simulated() and cuda is not None:
        return cuda
    if getattr(cuda, "implementation", None) != "NVIDIA":
        raise ImportError(f"the package numba-cuda is not installed ({_INSTALL})")
    return cuda


def array_module():
    """CuPy; NumPy in the simulator."""
    if simulated():
        import numpy

        return numpy
    try:
        import cupy
    except ImportError as error:
        raise ImportError(f"CuPy cannot be imported: {error} ({_INSTALL})") from error
    return cupy


def current():
    """Number of the current device, to which cached tables belong."""
    return 0 if simulated() else array_module().cuda.runtime.getDevice()


def kernel(*signature):
    """Decorate a CUDA kernel; it is compiled at its first launch.

    The types of its arguments are noted only: given to Numba they would ask for a driver at import.
    """

    def decorate(function):
        KERNELS[function.__name__] = Kernel(function, numba.void(*signature))
        return target().jit(function)

    return decorate


def launch(function, blocks, threads, *args):
    """Run a kernel on CuPy's current stream; arguments are numbers, arrays and named tuples of arrays."""
    if simulated():
        function[blocks, threads](*args)
        return
    cuda = target()
    stream = cuda.external_stream(array_module().cuda.get_current_stream().ptr)
    function[blocks, threads, stream](*(_as_argument(cuda, x) for x in args))


def _as_argument(cuda, x):
    """A view that Numba does not synchronise on: kernels and CuPy share the stream."""
    if isinstance(x, tuple):
        return type(x)(*(_as_argument(cuda, part) for part in x))
    if hasattr(x, "__cuda_array_interface__"):
        return cuda.as_cuda_array(x, sync=False)
    return x
