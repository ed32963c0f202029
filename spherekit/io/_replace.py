"""One way to write a file: whole or not at all."""

import errno
import os
import secrets
import stat
from contextlib import contextmanager


@contextmanager
def replacing(path, overwrite):
    """Yield the name of a temporary file that takes the place of ``path`` once the block succeeds.

    The temporary file lies beside ``path``, is called ``.NAME.RANDOM.tmp`` whatever the suffix of
    ``path`` (open it, where a writer chooses the format by the suffix), and exists already; each
    call has its own, so that threads and processes may write one path: the last one wins, whole.
    A file that is replaced hands on its mode; a symbolic link stays, and what it names is replaced.

    Raises
    ------
    FileExistsError
        ``path`` exists and ``overwrite`` is not set.
    FileNotFoundError
        There is no such folder.
    ValueError
        ``path`` is a folder, a device or a pipe, or a symbolic link that leads to itself.
    OSError
        The disk is full, or the file becomes larger than is allowed.
    """
    path = os.path.realpath(os.fsdecode(path))
    _refuse_target(path, overwrite)
    temporary = _create_beside(path)
    try:
        with _full_disk(path):
            yield temporary
        if os.path.exists(path):
            os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode))
        _take_place(temporary, path, overwrite)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


@contextmanager
def _full_disk(path):
    """Say in words that a file could not be written whole; NumPy counts what it wrote."""
    try:
        yield
    except OSError as error:
        cut_short = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        if not cut_short and not (error.errno is None and "written" in str(error)):
            raise
        reason = error.strerror or "no space left on the disk"
        raise OSError(error.errno or errno.ENOSPC, f"not written ({reason})", path) from None


def _refuse_target(path, overwrite):
    folder, name = os.path.split(path)
    if os.path.islink(path):  # of a path whose links were followed
        raise ValueError(f"{path} is a symbolic link that leads to itself; remove it first")
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"no folder {folder} for the output {name}; make it first")
    if os.path.exists(path) and not os.path.isfile(path):
        kind = "a folder" if os.path.isdir(path) else "a device or a pipe"
        raise ValueError(f"{path} is {kind}; name a file")
    if os.path.exists(path) and not overwrite:
        raise _exists(path)


def _exists(path):
    return FileExistsError(f"{path} exists; choose another name or pass overwrite=True")


def _create_beside(path):
    """The name of a new empty file in the folder of ``path``."""
    folder, name = os.path.split(path)
    while True:
        temporary = os.path.join(folder, f".{name[:40]}.{secrets.token_hex(8)}.tmp")
        try:
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            return temporary
        except FileExistsError:
            continue


def _take_place(temporary, path, overwrite):
    if not overwrite:
        try:
            os.link(temporary, path)  # unlike `replace`, fails where another writer was first
            return
        except FileExistsError:
            raise _exists(path) from None
        except OSError:  # a file system without links
            pass
    os.replace(temporary, path)
