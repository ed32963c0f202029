"""A lock on the folder of a run, so that two processes do not write into it."""

import json
import os
import secrets
import socket
from contextlib import contextmanager, suppress
from pathlib import Path

#: Name of the lock file.
NAME = "training.lock"


@contextmanager
def locked(folder):
    """Hold the lock of a folder, a file that is created exclusively, in this block.

    The file has process and host. It is removed at the end, after errors and interrupts too; that of a
    process of this host that has ended, as one that was killed, is replaced.

    Parameters
    ----------
    folder : path
        It exists.

    Raises
    ------
    ValueError
        Another run has the lock.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> with locked(folder):
    ...     with locked(folder):  # doctest: +ELLIPSIS
    ...         pass
    Traceback (most recent call last):
    ValueError: another training runs in ...: process ... on this host, by the lock file ...
    >>> os.listdir(folder)
    []
    """
    path = Path(folder) / NAME
    text = json.dumps(_this_process())
    while not _create(path, text):
        found = _read(path)
        if found is not None:
            _refuse_if_alive(folder, path, found)
            _remove_stale(path, found)
    try:
        yield
    finally:
        with suppress(FileNotFoundError):  # of a folder that was removed meanwhile
            if _read(path) == text:
                path.unlink()


def _create(path, text):
    """Whether the file was created, by this call alone."""
    try:
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return False
    with open(file, "w", encoding="utf-8") as stream:
        stream.write(text)
    return True


def _read(path):
    try:
        return path.read_text("utf-8", "replace")
    except FileNotFoundError:
        return None


def _refuse_if_alive(folder, path, text):
    try:
        owner = json.loads(text)
        pid, host, started = (owner[name] for name in ("pid", "host", "started"))
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"another training may run in {folder}: its lock file {path} does not tell which; if there is "
            "none, remove that file"
        ) from None
    here = host == socket.gethostname()
    if here and not _runs(pid, started):
        return
    place = "this host" if here else f"the host {host}"
    raise ValueError(
        f"another training runs in {folder}: process {pid} on {place}, by the lock file {path}; wait for its "
        "end, or choose another folder. If that process is no training, remove the file"
    )


def _remove_stale(path, text):
    """Remove the lock file that was read; not one that another process has created since."""
    aside = path.with_name(f".{NAME}.{secrets.token_hex(8)}.tmp")
    try:
        os.rename(path, aside)
    except FileNotFoundError:
        return
    if _read(aside) != text:
        with suppress(OSError):
            os.link(aside, path)
    aside.unlink()


def _this_process():
    pid = os.getpid()
    return {"pid": pid, "host": socket.gethostname(), "started": _start(pid)}


def _runs(pid, started):
    """Whether a process of this host runs, and is the one that started then."""
    if os.name == "nt":  # where signal 0 would interrupt it
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # of another user
        pass
    return started is None or _start(pid) in (None, started)


def _start(pid):
    """When a process was started, in ticks since that of the system; None where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()[19]
