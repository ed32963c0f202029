"""Run the steps of a warm-up in several processes.

Numba compiles in a single thread. The processes share the cache, in which a process that needs a kernel waits
for the process that compiles it.
"""

import collections
import contextlib
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

from spherekit._core.checks import integer
from spherekit._core.parallel import thread_count

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


def run(steps, processes=None, progress=None):
    """Run steps, each in the next idle process.

    Parameters
    ----------
    steps : sequence of Step
        The longest first.
    processes : int, optional
        Number of processes; with 1, steps run in this process. By default the CPUs that this process may use.
    progress : callable, optional
        Called with the number of completed steps at the start, after each step and every `INTERVAL`.

    Returns
    -------
    dict
        {title: seconds} of each step, in the order of completion.

    Raises
    ------
    StepError
        A step raised an error.
    ChildProcessError
        A process ended before its step was completed.
    """
    processes = thread_count() if processes is None else integer(processes, "processes", 1)
    processes = min(processes, len(steps))
    progress = progress or (lambda completed: None)
    progress(0)
    if processes <= 1 or not sys.executable:
        return _run_here(steps, progress)
    return _run_in_workers(steps, processes, progress)


def _run_here(steps, progress):
    seconds = {}
    for step in steps:
        seconds[step.title] = run_step(step)
        progress(len(seconds))
    return seconds


def run_step(step):
    """Run a step in this process and return the seconds that it took; raise `StepError` if it fails."""
    start = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            step.run()
    except Exception as error:
        raise StepError(step.title, traceback.format_exc().rstrip()) from error
    return time.perf_counter() - start


def _run_in_workers(steps, processes, progress):
    pending, results = collections.deque(steps), queue.SimpleQueue()
    workers = [_Worker() for _ in range(processes)]
    threads = [
        threading.Thread(target=_serve, args=(worker, pending, results)) for worker in workers
    ]
    seconds = {}
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
                seconds[title] = result
            progress(len(seconds))
    finally:
        pending.clear()
        for worker in workers:
            worker.terminate()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
        for worker in workers:
            worker.close()
    return seconds


def _serve(worker, pending, results):
    """Run pending steps in a worker; put (title, seconds or error) into ``results``."""
    while True:
        try:
            step = pending.popleft()
        except IndexError:
            return
        try:
            results.put((step.title, worker.run(step)))
        except Exception as error:
            results.put((step.title, error))
            return


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
