"""A least-recently-used cache of function results, bounded by the memory that they occupy."""

import threading
from collections import OrderedDict
from functools import wraps


def bytes_lru_cache(max_bytes, size_of):
    """Decorator: like `functools.lru_cache`, bounded by bytes instead of by the number of results.

    Parameters
    ----------
    max_bytes : int
        Bytes that all cached results may occupy together. A larger result is returned, but not cached.
    size_of : callable
        Returns the bytes of a result.

    Examples
    --------
    >>> @bytes_lru_cache(80, len)
    ... def zeros(n):
    ...     print("computed")
    ...     return bytes(n)
    >>> _ = zeros(50), zeros(50), zeros(20), zeros(50), zeros(60), zeros(20)
    computed
    computed
    computed
    computed
    """

    def decorate(function):
        cache = OrderedDict()
        lock = threading.Lock()

        @wraps(function)
        def call(*args):
            with lock:
                if args in cache:
                    cache.move_to_end(args)
                    return cache[args]
            result = function(*args)
            with lock:
                cache[args] = result
                total = sum(map(size_of, cache.values()))
                while total > max_bytes:
                    total -= size_of(cache.popitem(last=False)[1])
            return result

        return call

    return decorate
