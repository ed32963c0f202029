"""One way to write a file: whole or not at all."""

import os
from contextlib import contextmanager


@contextmanager
def replacing(path, overwrite):
    """Yield a temporary name beside ``path`` that takes its place once the block has succeeded.

    Raises FileExistsError where ``path`` exists and ``overwrite`` is not set.
    """
    path = os.fspath(path)
    if os.path.exists(path) and not overwrite:
        raise FileExistsError(f"{path} exists; choose another name or pass overwrite=True")
    stem, suffix = os.path.splitext(path)  # writers choose the format by the suffix
    temporary = f"{stem}.{os.getpid()}.tmp{suffix}"
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
