"""Calls of a function on several items, two at a time, with the results in the order of the items.

While one item is read or written, the other one is computed. Each call has its own report and provenance.
"""

import contextvars
from concurrent.futures import ThreadPoolExecutor

from spherekit._core.progress import progress_bar
from spherekit.cli import stopping

#: Items that are in memory at once, and the size of the largest input in bytes.
_COUNT, _LARGEST = 2, 2**28


def outcomes(function, items, sizes, threads):
    """Yield (item, result, error) for each item: what ``function(item)`` returns, or the exception it raises.

    The first call ends before the others begin. Calls overlap if there are several ``threads`` and the
    ``sizes`` of the inputs in bytes are not large.

    >>> [result for _, result, _ in outcomes(lambda x: 2 * x, [1, 2, 3], [8, 8, 8], 2)]
    [2, 4, 6]
    """
    overlaps = threads > 1 and len(items) > 2 and max(sizes) <= _LARGEST
    for item in items[: 1 if overlaps else None]:
        yield (item, *_outcome(function, item))
    if overlaps:
        yield from _overlapping(function, items[1:])


def _outcome(function, item):
    try:
        return function(item), None
    except Exception as error:
        return None, error


def _overlapping(function, items):
    pool = ThreadPoolExecutor(_COUNT, thread_name_prefix="spherekit-items")
    try:
        contexts = [contextvars.copy_context() for _ in items]
        futures = [
            pool.submit(context.run, _outcome, function, item)
            for context, item in zip(contexts, items, strict=True)
        ]
        for item, future in zip(items, futures, strict=True):
            yield (item, *future.result())
    except BaseException:
        stopping.request()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def for_each(function, items, workers, title):
    """Call ``function(item)`` for all items, several at the same time, with a progress bar.

    An exception cancels the calls that have not begun.

    >>> results = []
    >>> for_each(results.append, [1, 2, 3], 1, "items")
    >>> results
    [1, 2, 3]
    """
    with ThreadPoolExecutor(workers) as pool, progress_bar(title, len(items)) as progress:
        futures = [pool.submit(contextvars.copy_context().run, function, item) for item in items]
        try:
            for future in futures:
                future.result()
                progress.update()
        finally:
            pool.shutdown(cancel_futures=True)
