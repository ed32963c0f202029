"""Measurement of the time that kernels take, while a profile is recorded."""

from functools import wraps
from time import perf_counter

__all__ = ["listening", "timed"]

_listener = None


def timed(name, function):
    """``function``, whose calls are reported to the listener; nested calls count as part of the outer one."""

    @wraps(function)
    def call(*args, **flags):
        global _listener
        if _listener is None:
            return function(*args, **flags)
        listener, _listener, start = _listener, None, perf_counter()
        try:
            return function(*args, **flags)
        finally:
            _listener = listener
            listener(name, perf_counter() - start)

    return call


class listening:
    """Context in which ``listener(name, seconds)`` is called after each kernel."""

    def __init__(self, listener):
        self.listener = listener

    def __enter__(self):
        global _listener
        self.previous, _listener = _listener, self.listener

    def __exit__(self, *error):
        global _listener
        _listener = self.previous


def __dir__():
    return sorted(__all__)
