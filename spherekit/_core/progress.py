"""Messages about work that takes long, through the logger ``spherekit``.

Where neither this logger nor the root logger has a handler, messages are written to standard error. The
environment variable SPHEREKIT_QUIET=1 silences them.
"""

import contextlib
import functools
import logging
import os
import sys
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
    if is_quiet():
        return
    _prepare()
    logger.info(message)


@functools.cache
def _prepare():
    """Let the logger write to standard error, unless the program has configured it."""
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    if not logger.hasHandlers():
        logger.addHandler(_StandardError())


# --- compilation ------------------------------------------------------------------------------------


class _Compilation:
    """The state of the messages about compilation in this process."""

    started = None  # when the present kernel was begun
    seconds = 0.0  # spent on the kernels before it
    kernels = 0
    frequency = ", once for this machine"
    due = FIRST  # seconds in all at which the next message is shown
    muted = False


@contextlib.contextmanager
def compilation():
    """Context manager in which a kernel is compiled, or another process is awaited that compiles it."""
    _Compilation.started = time.monotonic()
    try:
        yield
    finally:
        _Compilation.seconds += time.monotonic() - _Compilation.started
        _Compilation.started = None


def compiling(waiting=False):
    """Show a message about compilation if it is due.

    Parameters
    ----------
    waiting : bool
        Whether another process compiles the kernel and this one waits for it.
    """
    seconds = _Compilation.seconds
    if _Compilation.started is not None:
        seconds += time.monotonic() - _Compilation.started
    if seconds < _Compilation.due or _Compilation.muted:
        return
    work = "waiting for kernels that another process compiles" if waiting else "compiling kernels"
    info(f"{work}{_Compilation.frequency}: {_Compilation.kernels} compiled, {seconds:.0f} s")
    _Compilation.due = seconds + INTERVAL


@contextlib.contextmanager
def muted_compilation():
    """Context manager in which compilation shows no messages: the caller shows its own progress."""
    previous, _Compilation.muted = _Compilation.muted, True
    try:
        yield
    finally:
        _Compilation.muted = previous


def count_kernel():
    """Note that a kernel is complete."""
    _Compilation.kernels += 1


def not_cached(reason):
    """Note that compiled kernels are not cached, and why."""
    _Compilation.frequency = f", in each process ({reason})"
