"""Files beside the compiled kernels that record which warm-ups are complete, for commands that run one."""

import contextlib
import hashlib
import os
import pathlib
import sys
import tempfile

import numba

from spherekit._core.jit import cache_folder, compiler_name, kernel_folders, runs_as_python

#: Bytes of a large kernel, for which there must be space.
KERNEL_SIZE = 2**16


def is_complete(name):
    """Return whether the kernels for an entry of `steps.NAMES` are compiled, or cannot be cached."""
    return is_recorded(name) or write_obstacle() is not None


def is_recorded(name):
    """Return whether the kernels for an entry of `steps.NAMES` are compiled.

    Something may have deleted kernels since: the folder must contain at least one.
    """
    return any(_file(folder, name).exists() and _has_kernels(folder) for folder in kernel_folders())


def note_complete(names):
    """Record that the kernels for these entries of `steps.NAMES` are compiled."""
    folder = written_folder()
    if folder is None:
        return
    with contextlib.suppress(OSError):  # without a record, the steps are run again
        os.makedirs(folder, exist_ok=True)
        for name in names:
            _file(folder, name).touch()


def written_folder():
    """Return the folder that kernels are written to, or None."""
    return kernel_folders()[-1] if cache_folder() is not None and not runs_as_python() else None


def write_obstacle():
    """Return why no kernel can be written, or None if nothing is known to prevent it."""
    folder = written_folder()
    if folder is None:
        return "no cache folder"
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(KERNEL_SIZE))
    except OSError as error:
        return error.strerror
    return None


def _file(folder, name):
    return pathlib.Path(folder, f"{name}{_target_suffix()}.complete")


def _target_suffix():
    """The part of a file name for the processor and the versions, where kernels of several share a folder."""
    if compiler_name() != "njit":
        return ""
    from numba.core.registry import cpu_target

    target = numba.__version__, cpu_target.target_context.codegen().magic_tuple()
    digest = hashlib.sha256(repr(target).encode()).hexdigest()[:8]
    return f"-{_python_tag()}-{digest}"


def _python_tag():
    """The version of Python in the names of Numba's files."""
    return f"py{sys.version_info.major}{sys.version_info.minor}{getattr(sys, 'abiflags', '')}"


def _has_kernels(folder):
    pattern = "*.kernel" if compiler_name() != "njit" else f"**/*.{_python_tag()}.nbi"
    return any(pathlib.Path(folder).glob(pattern))
