"""Threads: how many, and one lazily made pool.

Kernels release the GIL and take work items from a shared counter (`kernels.work_queue.next_item`), each item
owning its outputs, so that results do not depend on the number of threads, bit for bit.
"""

import os

from spherekit._core.checks import integer

_pool = None
_pool_size = 0


def thread_count(threads=None):
    """Number of threads of a call: ``threads``, else ``SPHEREKIT_NUM_THREADS``, else the usable CPUs.

    >>> thread_count(3)
    3
    """
    if threads is not None:
        return integer(threads, "threads", 1)
    setting = os.environ.get("SPHEREKIT_NUM_THREADS")
    if setting is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if not (setting.strip().isdecimal() and int(setting) >= 1):
        raise ValueError(f"SPHEREKIT_NUM_THREADS is {setting!r}; expected a whole number >= 1")
    return int(setting)


def run(worker, threads):
    """Call ``worker(index)`` once for each index < ``threads``, at once where there are threads for it.

    The caller takes index 0, and afterwards those that no thread of the pool has begun: all of them where
    the interpreter is shutting down (a thread that outlives the main one, `atexit`) or the system has no
    thread left. Work items come from a shared counter, so that nothing is computed twice.
    """
    if threads == 1:
        worker(0)
        return
    waiting = list(range(threads - 1, 0, -1))

    def take_one():
        try:
            index = waiting.pop()
        except IndexError:  # the caller was here first
            return
        worker(index)

    futures = _submit(take_one, threads - 1)
    try:
        worker(0)
        while waiting:
            take_one()
    finally:
        waiting.clear()
        errors = [future.exception() for future in futures if not future.cancel()]
    for error in errors:
        if error is not None:
            raise error


def _submit(task, count):
    """The futures of up to ``count`` calls; fewer where the pool takes no more."""
    futures = []
    try:
        pool = _get_pool(count)
        for _ in range(count):
            futures.append(pool.submit(task))
    except RuntimeError:  # shutting down, or no thread can be started
        pass
    return futures


def _get_pool(size):
    global _pool, _pool_size
    # imported here: that, too, is refused while the interpreter shuts down
    from concurrent.futures import ThreadPoolExecutor

    if _pool is None or _pool_size < size:
        _pool, _pool_size = ThreadPoolExecutor(size, thread_name_prefix="spherekit"), size
    return _pool


def _drop_pool():
    """A forked child has none of its parent's threads: let it make its own."""
    global _pool, _pool_size
    _pool, _pool_size = None, 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drop_pool)
