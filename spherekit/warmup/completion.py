"""Files beside the compiled kernels that record which warm-ups are complete, for commands that run one."""

import os
import pathlib

from spherekit._core.jit import cache_folder, kernel_folders, runs_as_python


def is_complete(name):
    """Return whether the kernels for an entry of `steps.NAMES` are compiled, or cannot be cached."""
    if any(_file(folder, name).exists() for folder in kernel_folders()):
        return True
    return not _is_writable(_written_folder())


def note_complete(names):
    """Record that the kernels for these entries of `steps.NAMES` are compiled."""
    folder = _written_folder()
    if _is_writable(folder):
        for name in names:
            _file(folder, name).touch()


def _file(folder, name):
    return pathlib.Path(folder, f"{name}.complete")


def _written_folder():
    """The folder that kernels are written to, or None."""
    return kernel_folders()[-1] if cache_folder() is not None and not runs_as_python() else None


def _is_writable(folder):
    if folder is None:
        return False
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
