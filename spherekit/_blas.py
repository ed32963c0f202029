"""Dense products in one thread: the last bits of BLAS depend on its number of threads, ours must not."""

import threading
from contextlib import contextmanager, nullcontext
from functools import cache

_local, _lock = threading.local(), threading.Lock()
_users, _limits = 0, None


@cache
def _controller():
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread():
    """Context in which BLAS keeps to the calling thread; work is shared out around it.

    >>> with one_thread():
    ...     pass
    """
    return nullcontext() if getattr(_local, "inside", False) else _limited()


@contextmanager
def _limited():
    """The limit is the process's: the first thread to enter sets it, the last one to leave takes it back."""
    global _users, _limits
    with _lock:
        if _users == 0:
            _limits = _controller().limit(limits=1, user_api="blas")
        _users += 1
    _local.inside = True
    try:
        yield
    finally:
        _local.inside = False
        with _lock:
            _users -= 1
            if _users == 0:
                _limits.restore_original_limits()
