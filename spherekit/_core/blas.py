"""Single-threaded BLAS.

The last bits of its results depend on its number of threads; those of this package must not.
"""

import threading
from contextlib import contextmanager, nullcontext
from functools import cache

_local = threading.local()


@cache
def _controller():
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def single_threaded():
    """Context manager that limits BLAS to the calling thread; parallelism is at the level of the caller.

    >>> with single_threaded():
    ...     pass
    """
    return nullcontext() if getattr(_local, "inside", False) else _limited()


@contextmanager
def _limited():
    with _controller().limit(limits=1, user_api="blas"):
        _local.inside = True
        try:
            yield
        finally:
            _local.inside = False
