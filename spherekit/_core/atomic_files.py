"""One way to write files: whole or not at all, one by one or several together."""

import errno
import os
import secrets
import stat
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class _Group(NamedTuple):
    """Files that wait for each other, as (temporary, path), and whether they may replace others."""

    files: list
    overwrite: bool


_GROUP = ContextVar("group of files", default=None)


@contextmanager
def replacing_together(overwrite):
    """Put all files that `replacing` prepares in this block in place at its end, or none of them.

    ``overwrite`` holds for all of them, in place of that of each call, and is looked at when they
    are put in place: where another writer was first, none is. Files that other threads write are
    not of the group.

    Raises
    ------
    FileExistsError
        One of the paths exists by then, and ``overwrite`` is not set.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> with replacing_together(overwrite=False):
    ...     for name in ("a", "b"):
    ...         with replacing(folder / name, overwrite=False) as temporary:
    ...             _ = pathlib.Path(temporary).write_text("text")
    ...     print((folder / "a").exists(), (folder / "b").exists())
    False False
    >>> sorted(path.name for path in folder.iterdir())
    ['a', 'b']
    """
    group = _Group([], bool(overwrite))
    token = _GROUP.set(group)
    try:
        yield
        _put_in_place(group)
    finally:
        _GROUP.reset(token)
        for temporary, _ in group.files:
            if os.path.exists(temporary):
                os.remove(temporary)


def _put_in_place(group):
    """All files of a group; those that are new are taken away again where a later one fails."""
    for _, path in group.files:
        _refuse_target(path, group.overwrite)
    placed = []
    try:
        for temporary, path in group.files:
            _take_place(temporary, path, group.overwrite)
            placed.append(path)
    except BaseException:
        for path in placed:
            if not group.overwrite:
                os.remove(path)
        raise


@contextmanager
def replacing(path, overwrite):
    """Yield the name of a temporary file that takes the place of ``path`` once the block succeeds.

    The temporary file lies beside ``path``, is called ``.NAME.RANDOM.tmp`` whatever the suffix of
    ``path`` (open it, where a writer chooses the format by the suffix), and exists already; each
    call has its own, so that threads and processes may write one path: the last one wins, whole.
    A file that is replaced hands on its mode; a symbolic link stays, and what it names is replaced.
    In a block of `replacing_together` the file waits for the end of that block.

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
    group = _GROUP.get()
    overwrite = overwrite if group is None else group.overwrite
    _refuse_target(path, overwrite)
    temporary = _create_beside(path)
    try:
        with _full_disk(path):
            yield temporary
        if group is None:
            _take_place(temporary, path, overwrite)
        else:
            group.files.append((temporary, path))
            temporary = None
    finally:
        if temporary is not None and os.path.exists(temporary):
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
        except OSError as error:
            raise OSError(error.errno, error.strerror, path) from None


def _take_place(temporary, path, overwrite):
    if os.path.exists(path):
        os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode))
    if not overwrite:
        try:
            os.link(temporary, path)  # unlike `replace`, fails where another writer was first
            return
        except FileExistsError:
            raise _exists(path) from None
        except OSError:  # a file system without links
            _reserve(path)
    os.replace(temporary, path)


def _reserve(path):
    """Take a name that nobody has, by an empty file."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except FileExistsError:
        raise _exists(path) from None
