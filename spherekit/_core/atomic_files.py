"""Atomic file writes, of single files and of groups."""

import errno
import os
import secrets
import stat
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class _Group(NamedTuple):
    """Pairs (temporary file, path) that are renamed together, and whether existing files may be replaced."""

    files: list
    overwrite: bool


_GROUP = ContextVar("group of files", default=None)


@contextmanager
def replacing_together(overwrite):
    """Context manager that moves all files written with `replacing` in its block into place at its end.

    Either all files are moved or none. ``overwrite`` takes precedence over the argument of each call, and is
    checked when the files are moved, so that none is moved if another process has created one of them in the
    meantime. Files that other threads write do not belong to the group.

    Raises
    ------
    FileExistsError
        One of the paths exists at the end of the block, and ``overwrite`` is not set.

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
        _move_group(group)
    finally:
        _GROUP.reset(token)
        for temporary, _ in group.files:
            if os.path.exists(temporary):
                os.remove(temporary)


def _move_group(group):
    """Move all files of a group to their paths; if one fails, remove the new files moved before it."""
    for _, path in group.files:
        _refuse_target(path, group.overwrite)
    moved = []
    try:
        for temporary, path in group.files:
            _move(temporary, path, group.overwrite)
            moved.append(path)
    except BaseException:
        for path in moved:
            if not group.overwrite:
                os.remove(path)
        raise


@contextmanager
def replacing(path, overwrite):
    """Context manager that yields a temporary file name, and renames it to ``path`` if the block succeeds.

    The temporary file already exists. It is in the folder of ``path``, and its name is ``.NAME.RANDOM.tmp``
    whatever the suffix of ``path`` (pass the open file to writers that choose the format by the suffix). Each
    call has a separate temporary file, so that threads and processes may write to the same path concurrently;
    the last one replaces the others atomically. A replaced file passes on its permission bits. If ``path`` is
    a symbolic link, the target of the link is replaced. In a block of `replacing_together` the file is
    renamed at the end of that block.

    Raises
    ------
    FileExistsError
        ``path`` exists and ``overwrite`` is not set.
    FileNotFoundError
        The folder of ``path`` does not exist.
    ValueError
        ``path`` is a folder, a device or a pipe, or a symbolic link to itself.
    OSError
        The disk is full, or the file exceeds the size limit or the quota.
    """
    path = os.path.realpath(os.fsdecode(path))
    group = _GROUP.get()
    overwrite = overwrite if group is None else group.overwrite
    _refuse_target(path, overwrite)
    temporary = _create_beside(path)
    try:
        with _readable_disk_errors(path):
            yield temporary
        if group is None:
            _move(temporary, path, overwrite)
        else:
            group.files.append((temporary, path))
            temporary = None
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.remove(temporary)


@contextmanager
def _readable_disk_errors(path):
    """Raise an OSError with a readable reason if a file could not be written completely.

    NumPy reports a short write by the number of items written, without an error code.
    """
    try:
        yield
    except OSError as error:
        disk_full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        if not disk_full and not (error.errno is None and "written" in str(error)):
            raise
        reason = error.strerror or "no space left on the disk"
        raise OSError(error.errno or errno.ENOSPC, f"not written ({reason})", path) from None


def _refuse_target(path, overwrite):
    folder, name = os.path.split(path)
    if os.path.islink(path):  # of a path whose links were followed
        raise ValueError(f"{path} is a symbolic link that leads to itself; remove it first")
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"no folder {folder} for the output {name}; create it first")
    if os.path.exists(path) and not os.path.isfile(path):
        kind = "a folder" if os.path.isdir(path) else "a device or a pipe"
        raise ValueError(f"{path} is {kind}; expected a file")
    if os.path.exists(path) and not overwrite:
        raise _exists(path)


def _exists(path):
    return FileExistsError(f"{path} exists; choose another name or pass overwrite=True")


def _create_beside(path):
    """Create an empty temporary file in the folder of ``path``, and return its name."""
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


def _move(temporary, path, overwrite):
    if os.path.exists(path):
        os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode))
    if not overwrite:
        try:
            os.link(temporary, path)  # unlike `replace`, fails if another writer has created `path`
            return
        except FileExistsError:
            raise _exists(path) from None
        except OSError:  # a file system without hard links
            _reserve(path)
    os.replace(temporary, path)


def _reserve(path):
    """Create an empty file at ``path``, so that no other writer uses the name."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except FileExistsError:
        raise _exists(path) from None
