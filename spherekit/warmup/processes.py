"""Run the steps of a warm-up in several processes.

Numba compiles in a single thread. The processes share the cache, in which a process that needs a kernel waits
for the process that compiles it.
"""

import collections
import contextlib
import itertools
import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from functools import partial

from spherekit._core import kernel_cache
from spherekit._core.checks import integer
from spherekit._core.jit import compiler_name
from spherekit._core.parallel import thread_count
from spherekit._core.progress import muted_compilation

#: Arguments of the interpreter that runs `spherekit.warmup.worker`.
WORKER = "-P", "-m", "spherekit.warmup.worker"
#: Seconds between calls of ``progress`` while no step ends.
INTERVAL = 0.5


class StepError(RuntimeError):
    """A step of the warm-up raised an error.

    Attributes
    ----------
    traceback : str
        Where it was raised.
    """

    def __init__(self, title, text):
        super().__init__(f"the step '{title}' failed: {text.splitlines()[-1]}")
        self.traceback = text


class NotCachedError(OSError):
    """A compiled kernel could not be written to the cache.

    Attributes
    ----------
    reason : str
        What the operating system reported, and the folder.
    """

    def __init__(self, reason):
        super().__init__(
            f"the kernels could not be cached: {reason}; free space there, or set SPHEREKIT_CACHE to "
            "another folder"
        )
        self.reason = reason


def run(steps, processes=None, progress=None):
    """Run steps in several processes, which finish at about the same time.

    Parameters
    ----------
    steps : sequence of Step
    processes : int, optional
        Number of processes; with 1, steps run in this process. By default the CPUs that this process may use.
        With `numba.njit`, whose cache is not safe for several processes, steps run in this process.
    progress : callable, optional
        Called with the number of completed steps, and the title of the step that has been running the longest
        or None, when a step starts or ends and, with several processes, every `INTERVAL`.

    Returns
    -------
    dict
        {title: seconds} of each step, in the order of completion.

    Raises
    ------
    StepError
        A step raised an error.
    NotCachedError
        A kernel could not be cached. No further steps are run.
    ChildProcessError
        A process ended before its step was completed.
    """
    processes = thread_count() if processes is None else integer(processes, "processes", 1)
    processes = min(processes, len(steps))
    progress = progress or (lambda completed, title: None)
    progress(0, None)
    if processes <= 1 or not sys.executable or compiler_name() == "njit":
        return _run_here(steps, progress)
    return _run_in_workers(steps, processes, progress)


def _run_here(steps, progress):
    seconds = {}
    for step in steps:
        progress(len(seconds), step.title)
        seconds[step.title] = run_step(step)
    progress(len(seconds), None)
    return seconds


def run_step(step):
    """Run a step in this process and return the seconds that it took.

    Raises `StepError` if it fails, and `NotCachedError` if a kernel could not be cached.
    """
    start = time.perf_counter()
    try:
        with warnings.catch_warnings(), muted_compilation():
            warnings.simplefilter("ignore")
            step.run()
    except Exception as error:
        raise StepError(step.title, traceback.format_exc().rstrip()) from error
    reason = kernel_cache.write_error()
    if reason is not None:
        raise NotCachedError(reason)
    return time.perf_counter() - start


def _run_in_workers(steps, processes, progress):
    schedule, results = _Schedule(steps, processes), queue.SimpleQueue()
    workers = [_Worker() for _ in range(processes)]
    threads = [
        threading.Thread(target=_serve, args=(worker, partial(schedule.next_step, index), results))
        for index, worker in enumerate(workers)
    ]
    seconds, running = {}, []
    try:
        for thread in threads:
            thread.start()
        while len(seconds) < len(steps):
            try:
                title, result = results.get(timeout=INTERVAL)
            except queue.Empty:
                pass
            else:
                if isinstance(result, Exception):
                    raise result
                if result is None:
                    running.append(title)
                else:
                    running.remove(title)
                    seconds[title] = result
            progress(len(seconds), running[0] if running else None)
    finally:
        schedule.clear()
        for worker in workers:
            worker.terminate()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
        for worker in workers:
            worker.close()
    return seconds


def _serve(worker, next_step, results):
    """Run steps in a worker until none is left.

    Puts (title, None) into ``results`` when a step starts, and (title, seconds or error) when it ends.
    """
    while (step := next_step()) is not None:
        results.put((step.title, None))
        try:
            results.put((step.title, worker.run(step)))
        except Exception as error:
            results.put((step.title, error))
            return


class _Schedule:
    """The order in which workers run steps.

    A worker has a segment of the list of steps. Workers with an even index begin at the start of theirs,
    others at the end. A worker whose segment is empty draws from the longest, at the end that its owner would
    reach last. So the steps of a worker are neighbors in the list.
    """

    def __init__(self, steps, workers):
        bounds = [len(steps) * index // workers for index in range(workers + 1)]
        self._segments = [
            collections.deque(steps[start:stop]) for start, stop in itertools.pairwise(bounds)
        ]
        self._lock = threading.Lock()

    def next_step(self, worker):
        """Return the next step of the worker with this index, or None if no step is left."""
        with self._lock:
            from_start = worker % 2 == 0
            segment = self._segments[worker]
            if not segment:
                owner = max(range(len(self._segments)), key=lambda k: len(self._segments[k]))
                from_start = owner % 2 == 1
                segment = self._segments[owner]
            if not segment:
                return None
            return segment.popleft() if from_start else segment.pop()

    def clear(self):
        """Leave no steps."""
        with self._lock:
            for segment in self._segments:
                segment.clear()


class _Worker:
    """A process that runs steps: titles on its standard input, a line of JSON for each on its output."""

    def __init__(self):
        folders = [str(pathlib.Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(filter(None, folders)),
            "SPHEREKIT_QUIET": "1",
        }
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
        self._process = subprocess.Popen([sys.executable, *WORKER], env=environment, **pipes)

    def run(self, step):
        """Return the seconds that a step took."""
        try:
            self._process.stdin.write(step.title + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except OSError:
            answer = ""
        if not answer:
            raise ChildProcessError(
                f"the process of the step '{step.title}' {self._reason()}; "
                "try fewer processes, e.g. --processes 1"
            )
        result = json.loads(answer)
        if "traceback" in result:
            raise StepError(step.title, result["traceback"])
        if "not_cached" in result:
            raise NotCachedError(result["not_cached"])
        return result["seconds"]

    def _reason(self):
        code = self._process.wait()
        if code >= 0:
            return f"ended with exit code {code}"
        return f"was ended by {signal.Signals(-code).name}, possibly out of memory"

    def terminate(self):
        """End the process, also while it runs a step."""
        self._process.terminate()

    def close(self):
        """Wait for the end of the process, and close its pipes."""
        self._process.wait()
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()
