"""Dense products in one thread: the last bits of BLAS depend on its number of threads, ours must not."""

import threading
from contextlib import contextmanager, nullcontext
from functools import cache

_local = threading.local()


@cache
def _controller():
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def single_threaded():
    """Context in which BLAS keeps to the calling thread; work is shared out around it.

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
