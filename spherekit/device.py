"""Selection of the device by the array, and the tools of CUDA kernels.

NumPy arrays are processed on the CPU. Arrays on a GPU (CuPy's, or any object with
``__cuda_array_interface__``) are processed by the CUDA kernels, and the results are CuPy arrays. There is no
global switch, and arrays are never copied between devices implicitly. Numba's CUDA target and CuPy are
imported when the first CUDA array is passed. With ``NUMBA_ENABLE_CUDASIM=1`` Numba's simulator replaces the
GPU, and NumPy replaces CuPy.
"""

import functools
from collections import namedtuple
from collections.abc import Callable
from types import ModuleType
from typing import Any

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
    "unavailable_reason",
]

#: Kernels and the types of their arguments, from which kernels are compiled for inspection, without a GPU.
Kernel = namedtuple("Kernel", "function signature")
KERNELS = {}

_INSTALL = "pip install 'spherekit[cuda]'"


def __dir__():
    return sorted(__all__)


def on_gpu(x: object, name: str = "the array") -> bool:
    """Whether an array is to be processed by the CUDA kernels; decided by its type only.

    Parameters
    ----------
    x : object
        Array, or any other argument.
    name : str
        Name of the argument in the message.

    Returns
    -------
    bool
        True for objects with ``__cuda_array_interface__``.

    Raises
    ------
    RuntimeError
        The array lies on a GPU, but CUDA kernels are not available; the message contains the reason.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import device
    >>> device.on_gpu(np.ones(3)), device.on_gpu([1.0, 2.0])
    (False, False)
    """
    if not hasattr(x, "__cuda_array_interface__"):
        return False
    reason = unavailable_reason()
    if reason is not None:
        kind = f"{type(x).__module__}.{type(x).__qualname__}"
        raise RuntimeError(
            f"{name} is a CUDA array ({kind}), but {reason}; arrays are not copied implicitly: to compute on "
            "the CPU, pass a NumPy array, such as cupy.asnumpy(x)"
        )
    return True


def simulated() -> bool:
    """Whether Numba's CUDA simulator replaces the GPU (``NUMBA_ENABLE_CUDASIM=1``).

    Returns
    -------
    bool
        True in the simulator.

    Examples
    --------
    >>> from spherekit import device
    >>> device.simulated()
    False
    """
    return bool(config.ENABLE_CUDASIM)


@functools.cache
def unavailable_reason() -> str | None:
    """The reason why CUDA kernels cannot run in this process.

    Returns
    -------
    str or None
        None if they can run; else a missing package, or the error of the driver. The result is cached.

    Examples
    --------
    >>> from spherekit import device
    >>> reason = device.unavailable_reason()
    >>> reason is None or isinstance(reason, str)
    True
    """
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


def target() -> ModuleType:
    """Numba's CUDA target, from the package numba-cuda; a GPU is not required.

    The CUDA target that older versions of Numba include is rejected, since it fails on ``min`` and ``max``.

    Returns
    -------
    module
        ``numba.cuda``, or its simulator.

    Raises
    ------
    ImportError
        The package numba-cuda is not installed.

    See Also
    --------
    launch : Run a kernel, with an example.

    Examples
    --------
    >>> from spherekit import device
    >>> cuda = device.target() if device.unavailable_reason() is None else None
    >>> cuda is None or callable(cuda.grid)                              # for use in kernels
    True
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


def array_module() -> ModuleType:
    """The module of arrays on the GPU: CuPy, or NumPy in the simulator.

    Returns
    -------
    module
        ``cupy`` or ``numpy``.

    Raises
    ------
    ImportError
        CuPy cannot be imported.

    See Also
    --------
    launch : Run a kernel, with an example.

    Examples
    --------
    The same computation on a GPU, or without one on the CPU:

    >>> import numpy as np
    >>> from spherekit import device
    >>> xp = np if device.unavailable_reason() else device.array_module()
    >>> int(xp.arange(4).sum())
    6
    """
    if simulated():
        import numpy

        return numpy
    try:
        import cupy
    except ImportError as error:
        raise ImportError(f"CuPy cannot be imported: {error} ({_INSTALL})") from error
    return cupy


def current() -> int:
    """Number of the current CUDA device, for caches of tables that lie on it.

    Returns
    -------
    int
        0 in the simulator.

    Raises
    ------
    ImportError
        CuPy cannot be imported.

    See Also
    --------
    launch : Run a kernel, with an example.

    Examples
    --------
    >>> from spherekit import device
    >>> number = 0 if device.unavailable_reason() else device.current()
    >>> number >= 0
    True
    """
    return 0 if simulated() else array_module().cuda.runtime.getDevice()


def kernel(*signature: Any) -> Callable:
    """Decorate a CUDA kernel, which is compiled at its first launch.

    The types are recorded for inspection only: passed to Numba, they would require a driver at import.

    Parameters
    ----------
    *signature : numba type
        Types of the arguments of the kernel.

    Returns
    -------
    callable
        The decorator; it returns Numba's dispatcher, which `launch` runs.

    Raises
    ------
    ImportError
        At the decoration: the package numba-cuda is not installed.

    See Also
    --------
    launch : Run a kernel, with an example.

    Examples
    --------
    >>> from numba import float64
    >>> from spherekit import device
    >>> if device.unavailable_reason() is None:
    ...     cuda = device.target()
    ...     @device.kernel(float64[::1])
    ...     def negate(x):
    ...         if cuda.grid(1) < x.size:
    ...             x[cuda.grid(1)] *= -1
    """

    def decorate(function):
        KERNELS[function.__name__] = Kernel(function, numba.void(*signature))
        return target().jit(function)

    return decorate


def launch(
    function: Callable, blocks: int | tuple[int, ...], threads: int | tuple[int, ...], *args: Any
) -> None:
    """Run a kernel asynchronously on CuPy's current stream.

    Parameters
    ----------
    function : callable
        Kernel, decorated by `kernel`.
    blocks : int or tuple of int
        Shape of the grid, in blocks.
    threads : int or tuple of int
        Shape of a block, in threads.
    *args : object
        Numbers, arrays and named tuples of arrays.

    Returns
    -------
    None

    Raises
    ------
    ImportError
        numba-cuda or CuPy is not installed.

    Examples
    --------
    >>> from numba import float64
    >>> from spherekit import device
    >>> if device.unavailable_reason() is None:
    ...     cuda = device.target()
    ...     @device.kernel(float64[::1])
    ...     def double(x):
    ...         if cuda.grid(1) < x.size:
    ...             x[cuda.grid(1)] *= 2
    ...     x = device.array_module().ones(3)
    ...     device.launch(double, 1, 32, x)
    ...     assert x.sum() == 6
    """
    if simulated():
        function[blocks, threads](*args)
        return
    cuda = target()
    stream = cuda.external_stream(array_module().cuda.get_current_stream().ptr)
    function[blocks, threads, stream](*(_as_argument(cuda, x) for x in args))


def _as_argument(cuda, x):
    """A view on which Numba does not synchronize: kernels and CuPy share the stream."""
    if isinstance(x, tuple):
        return type(x)(*(_as_argument(cuda, field) for field in x))
    if hasattr(x, "__cuda_array_interface__"):
        return cuda.as_cuda_array(x, sync=False)
    return x
