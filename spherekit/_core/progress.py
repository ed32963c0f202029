"""Messages about work that takes long, through the logger ``spherekit``.

Where neither this logger nor the root logger has a handler, messages are written to standard error. The
environment variable SPHEREKIT_QUIET=1 silences them.
"""

import contextlib
import functools
import logging
import os
import sys
import threading
import time

logger = logging.getLogger("spherekit")

#: Seconds of compilation in this process before the first message, and between messages.
FIRST, INTERVAL = 1.0, 10.0


class _StandardError(logging.StreamHandler):
    """A handler that writes to the present `sys.stderr`, which notebooks and tests replace."""

    def __init__(self):
        logging.Handler.__init__(self)
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    @property
    def stream(self):
        return sys.stderr


def is_quiet():
    """Return whether SPHEREKIT_QUIET asks for no messages."""
    return os.environ.get("SPHEREKIT_QUIET", "").strip() not in ("", "0")


def info(message):
    """Show a message."""
    if not is_quiet():
        _prepare()
        logger.info(message)


def _prepare():
    """Let the logger write to standard error, unless the program has configured it or the root logger."""
    handler = _standard_error()
    if handler in logger.handlers:
        logger.removeHandler(handler)  # the program may have added its own meanwhile
        if logger.hasHandlers():
            logger.setLevel(logging.NOTSET)
    if not logger.hasHandlers():
        logger.addHandler(handler)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.INFO)


@functools.cache
def _standard_error():
    return _StandardError()


# --- compilation ------------------------------------------------------------------------------------


class _Compilation:
    """The state of the messages about compilation in this process."""

    started = None  # when the present kernel was begun
    seconds = 0.0  # spent on the kernels before it
    kernels = 0
    frequency = ", once for this machine"
    due = FIRST  # seconds in all at which the next message is shown
    is_waiting = False  # for a kernel that another process compiles
    is_muted = False


@contextlib.contextmanager
def compilation():
    """Context manager in which a kernel is compiled, or another process is awaited that compiles it.

    A thread shows a message whenever one is due.
    """
    if _Compilation.is_muted or is_quiet():
        yield
        return
    _Compilation.started = time.monotonic()
    finished = threading.Event()
    reporter = threading.Thread(target=_report, args=(finished.wait,), daemon=True)
    reporter.start()
    try:
        yield
    finally:
        finished.set()
        reporter.join()
        _Compilation.seconds = _seconds()
        _Compilation.started = None
        _Compilation.is_waiting = False


def _seconds():
    """Return the seconds of compilation in this process until now."""
    return _Compilation.seconds + time.monotonic() - _Compilation.started


def _report(wait):
    """Show a message whenever one is due, until ``wait(seconds)`` returns that the kernel is complete."""
    while not wait(max(0.0, _Compilation.due - _seconds())):
        seconds = _seconds()
        if _Compilation.is_waiting:
            info(f"waiting for a kernel that another process compiles: {seconds:.0f} s")
        else:
            progress = f"{_Compilation.kernels} compiled, {seconds:.0f} s"
            info(f"compiling kernels{_Compilation.frequency}: {progress}")
        _Compilation.due = seconds + INTERVAL


def waiting(is_waiting):
    """Note whether this process waits for another one that compiles the kernel."""
    _Compilation.is_waiting = is_waiting


@contextlib.contextmanager
def muted_compilation():
    """Context manager in which compilation shows no messages: the caller shows its own progress."""
    previous, _Compilation.is_muted = _Compilation.is_muted, True
    try:
        yield
    finally:
        _Compilation.is_muted = previous


def count_kernel():
    """Note that a kernel is complete."""
    _Compilation.kernels += 1


def not_cached(reason):
    """Note that compiled kernels are not cached, and why."""
    _Compilation.frequency = f", in each process ({reason})"
