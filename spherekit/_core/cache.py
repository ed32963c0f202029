"""Tables that are kept between calls, the latest used of them, up to a number of bytes."""

import threading
from collections import OrderedDict
from functools import wraps


def kept(most, size):
    """Decorator: `functools.lru_cache` that counts bytes, not results.

    Parameters
    ----------
    most : int
        Bytes that all results may take together. One that takes more is made anew each time.
    size : callable
        Bytes of a result.

    >>> @kept(80, len)
    ... def zeros(n):
    ...     print("made")
    ...     return bytes(n)
    >>> _ = zeros(50), zeros(50), zeros(20), zeros(50), zeros(60), zeros(20)
    made
    made
    made
    made
    """

    def decorate(function):
        held, lock = OrderedDict(), threading.Lock()

        @wraps(function)
        def call(*args):
            with lock:
                if args in held:
                    held.move_to_end(args)
                    return held[args]
            result = function(*args)
            with lock:
                held[args] = result
                total = sum(map(size, held.values()))
                while total > most:
                    total -= size(held.popitem(last=False)[1])
            return result

        call.forget = held.clear
        return call

    return decorate
