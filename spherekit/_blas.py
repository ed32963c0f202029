"""Dense products in one thread: the last bits of BLAS depend on its number of threads, ours must not."""

from functools import cache


@cache
def _controller():
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread():
    """Context in which BLAS keeps to the calling thread; work is shared out around it.

    >>> with one_thread():
    ...     pass
    """
    return _controller().limit(limits=1, user_api="blas")
