"""A lock file that prevents two processes from writing into the folder of a run."""

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
    """Context manager that holds the lock of a folder, a file that is created exclusively.

    The file contains the process and the host. It is removed on exit, also after errors and interrupts. A
    stale lock, that of a process of this host that has ended, is replaced.

    Parameters
    ----------
    folder : path
        An existing folder.

    Raises
    ------
    ValueError
        If another run holds the lock.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> with locked(folder):
    ...     with locked(folder):  # doctest: +ELLIPSIS
    ...         pass
    Traceback (most recent call last):
    ValueError: another training runs in ...: process ... on this host, according to the lock file ...
    >>> os.listdir(folder)
    []
    """
    path = Path(folder) / NAME
    text = json.dumps(_current_process())
    while not (_create(path, text) or _replace_stale(folder, path, text)):
        pass
    try:
        yield
    finally:
        with suppress(FileNotFoundError):  # if the folder has been removed
            if _read(path) == text:
                path.unlink()


def _create(path, text):
    """Create the lock file exclusively; False if it exists."""
    try:
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return False
    with open(file, "w", encoding="utf-8") as stream:
        stream.write(text)
    return True


def _read(path):
    return path.read_text("utf-8", "replace")


def _replace_stale(folder, path, text):
    """Replace the lock of a process that has ended; raises ValueError if the process is running.

    Returns False if the file has been removed in the meantime.
    """
    try:
        with open(path, "r+", encoding="utf-8", errors="replace") as file:
            content = file.read()
            if not content:  # another process may have created it and not yet written
                time.sleep(0.2)
                content = _read(path)
            _raise_if_running(folder, path, content)
            if not _acquire_exclusive(file):
                raise ValueError(
                    f"{path} is the lock file of a training that has ended; remove it first"
                )
            _raise_if_running(folder, path, _read(path))  # another process may have replaced it
            if not os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                return False
            file.seek(0)
            file.truncate()
            file.write(text)
        return True
    except FileNotFoundError:
        return False


def _acquire_exclusive(file):
    """Lock the open file exclusively until it is closed; False if the system does not support this."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)
    except (ImportError, OSError):
        return False
    return True


def _raise_if_running(folder, path, text):
    try:
        owner = json.loads(text)
        pid, host, started = (owner[name] for name in ("pid", "host", "started"))
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"another training may run in {folder}: its lock file {path} does not name a process; if there "
            "is none, remove that file"
        ) from None
    is_local = host == socket.gethostname()
    if is_local and not _is_running(pid, started):
        return
    host_name = "this host" if is_local else f"the host {host}"
    raise ValueError(
        f"another training runs in {folder}: process {pid} on {host_name}, according to the lock file "
        f"{path}; wait for its end, or choose another folder. If that process is not a training, remove "
        "the file"
    )


def _current_process():
    pid = os.getpid()
    return {"pid": pid, "host": socket.gethostname(), "started": _start_time(pid)}


def _is_running(pid, started):
    """Whether a process of this host is running and has this start time."""
    if os.name == "nt":  # signal 0 would interrupt the process
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # a process of another user
        pass
    return started is None or _start_time(pid) in (None, started)


def _start_time(pid):
    """Start time of a process in clock ticks since boot; None if the system does not provide it."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()[19]
