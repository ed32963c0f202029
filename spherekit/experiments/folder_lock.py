"""A lock on the folder of a run, so that two processes do not write into it."""

import json
import os
import socket
import time
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
    while not (_create(path, text) or _take_over(folder, path, text)):
        pass
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
    return path.read_text("utf-8", "replace")


def _take_over(folder, path, text):
    """Whether the lock of a process that has ended is now that of this one; refuses that of one that runs.

    False where the file is removed meanwhile.
    """
    try:
        with open(path, "r+", encoding="utf-8", errors="replace") as file:
            content = file.read()
            if not content:  # another process may be about to write it
                time.sleep(0.2)
                content = _read(path)
            _refuse_if_alive(folder, path, content)
            if not _only_this_process(file):
                raise ValueError(
                    f"{path} is the lock file of a training that has ended; remove it first"
                )
            _refuse_if_alive(folder, path, _read(path))  # another process may have been first
            if not os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                return False
            file.seek(0)
            file.truncate()
            file.write(text)
        return True
    except FileNotFoundError:
        return False


def _only_this_process(file):
    """Wait until no other process takes over, until the file is closed; False where the system cannot."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)
    except (ImportError, OSError):
        return False
    return True


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
