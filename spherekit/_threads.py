"""Threads: how many, and one lazily made pool.

Kernels release the GIL and take work items from a shared counter (`kernels.items.next_item`), each item
owning its outputs, so that results do not depend on the number of threads, bit for bit.
"""

import os
from concurrent.futures import ThreadPoolExecutor

from spherekit._check import whole_number

_pool = None
_pool_size = 0


def thread_count(threads=None):
    """Number of threads of a call: ``threads``, else ``SPHEREKIT_NUM_THREADS``, else the usable CPUs.

    >>> thread_count(3)
    3
    """
    if threads is not None:
        return whole_number(threads, "threads", 1)
    setting = os.environ.get("SPHEREKIT_NUM_THREADS")
    if setting is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if not (setting.strip().isdecimal() and int(setting) >= 1):
        raise ValueError(f"SPHEREKIT_NUM_THREADS is {setting!r}; expected a whole number >= 1")
    return int(setting)


def run(worker, threads):
    """Call ``worker(index)`` once in each of ``threads`` threads, the caller's among them."""
    if threads == 1:
        worker(0)
        return
    pool = _get_pool(threads - 1)
    others = [pool.submit(worker, index) for index in range(1, threads)]
    try:
        worker(0)
    finally:
        errors = [future.exception() for future in others]
    for error in errors:
        if error is not None:
            raise error


def _get_pool(size):
    global _pool, _pool_size
    if _pool is None or _pool_size < size:
        _pool, _pool_size = ThreadPoolExecutor(size, thread_name_prefix="spherekit"), size
    return _pool


def _drop_pool():
    """A forked child has none of its parent's threads: let it make its own."""
    global _pool, _pool_size
    _pool, _pool_size = None, 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drop_pool)
