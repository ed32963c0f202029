"""Stopping a command by a signal (SIGTERM, SIGUSR1, Ctrl-C), in a state from which the same command goes on.

A signal stops the work at once, except within `shielded` blocks, in which files are written: these end first.
"""

import signal
import threading
from contextlib import contextmanager

#: The exit code of a command that SIGTERM or SIGUSR1 has stopped: EX_TEMPFAIL, "try again".
EXIT_CODE = 75
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGUSR1") if hasattr(signal, name))


class Stopped(BaseException):
    """A signal has stopped the command. Its argument is the name of the signal."""


class _State(threading.local):
    """The number of nested shielded blocks, and the exception that is due at their end, of a thread."""

    shields = 0
    pending = None


_state = _State()
_requested = threading.Event()


def request():
    """Let `check` stop the other threads."""
    _requested.set()


def check():
    """Raise `Stopped` in a thread if `request` was called; long computations call it at each step."""
    if _requested.is_set() and threading.current_thread() is not threading.main_thread():
        raise Stopped("request")


@contextmanager
def handling(exits=False):
    """Context manager in which signals raise `Stopped`, or KeyboardInterrupt, in the main thread.

    Signals that the process ignores, as under nohup, remain ignored. Once one has been received, further
    SIGTERM and SIGUSR1 are ignored: until the end of the block, or of the process if it ``exits`` then.
    """
    previous = {}
    _requested.clear()
    if threading.current_thread() is threading.main_thread():
        for number in (*_SIGNALS, signal.SIGINT):
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                previous[number] = signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in previous.items():
            if not (exits and signal.getsignal(number) is signal.SIG_IGN):
                signal.signal(number, handler)
        _state.pending = None


def _stop(number, frame):
    is_interrupt = number == signal.SIGINT
    for further in () if is_interrupt else _SIGNALS:
        signal.signal(further, signal.SIG_IGN)
    error = KeyboardInterrupt() if is_interrupt else Stopped(signal.Signals(number).name)
    if _state.shields and not (is_interrupt and _state.pending):  # a second Ctrl-C stops at once
        _state.pending = error
        return
    raise error


@contextmanager
def shielded():
    """Context manager whose block ends before a signal stops the command.

    >>> import os
    >>> with handling():
    ...     try:
    ...         with shielded():
    ...             os.kill(os.getpid(), signal.SIGTERM)
    ...             print("written")
    ...     except Stopped as stopped:
    ...         print(stopped)
    written
    SIGTERM
    """
    _state.shields += 1
    try:
        yield
    finally:
        _state.shields -= 1
    if _state.pending is not None and not _state.shields:
        raise _state.pending
