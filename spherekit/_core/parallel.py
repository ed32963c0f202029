"""The thread pool and the default number of threads.

Kernels release the GIL and draw work items from a shared counter (`kernels.work_queue.next_item`). The
outputs of different items are disjoint, so that results are bit-identical for any number of threads.
"""

import contextvars
import os

from spherekit._core.checks import integer
from spherekit._core.cpus import usable_cpus

_pool = None
_pool_size = 0


def thread_count(threads=None):
    """Return the number of threads: ``threads``, else ``SPHEREKIT_NUM_THREADS``, else the usable CPUs.

    These are those of the CPU set, of the quota of the cgroup, or of the Slurm job, whichever are fewest.

    >>> thread_count(3)
    3
    """
    if threads is not None:
        return integer(threads, "threads", 1)
    setting = os.environ.get("SPHEREKIT_NUM_THREADS")
    if setting is None:
        return usable_cpus()
    if not (setting.strip().isdecimal() and int(setting) >= 1):
        raise ValueError(f"SPHEREKIT_NUM_THREADS is {setting!r}; expected an integer >= 1")
    return int(setting)


def run(worker, threads):
    """Call ``worker(index)`` once for each index < ``threads``, concurrently if threads are available.

    The calling thread runs index 0, and then each index that no thread of the pool has started. It runs all
    of them if no thread can be started: while the interpreter shuts down (in a thread that outlives the main
    thread, or in `atexit`), or at the thread limit of the system. Workers draw items from a shared counter,
    so that no item is computed twice.
    """
    if threads == 1:
        worker(0)
        return
    waiting = list(range(threads - 1, 0, -1))

    def run_next():
        try:
            index = waiting.pop()
        except IndexError:  # the calling thread has run it
            return
        worker(index)

    futures = _submit(run_next, threads - 1)
    try:
        worker(0)
        while waiting:
            run_next()
    finally:
        waiting.clear()
        errors = [future.exception() for future in futures if not future.cancel()]
    for error in errors:
        if error is not None:
            raise error


def _submit(function, count):
    """Submit ``count`` calls to the pool, or fewer if it accepts no more; return their futures.

    Each call runs in a copy of the caller's context, so that `numpy.errstate` applies to it.
    """
    futures = []
    try:
        pool = _get_pool(count)
        for _ in range(count):
            futures.append(pool.submit(contextvars.copy_context().run, function))
    except RuntimeError:  # shutting down, or no thread can be started
        pass
    return futures


def _get_pool(size):
    global _pool, _pool_size
    # Imported here, so that `run` catches the error that the import raises at interpreter shutdown.
    from concurrent.futures import ThreadPoolExecutor

    if _pool is None or _pool_size < size:
        _pool = ThreadPoolExecutor(size, thread_name_prefix="spherekit")
        _pool_size = size
    return _pool


def _drop_pool():
    """Discard the pool in a forked child process, which does not inherit the threads of its parent."""
    global _pool, _pool_size
    _pool = None
    _pool_size = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drop_pool)
