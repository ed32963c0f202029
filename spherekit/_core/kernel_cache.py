"""The machine code of kernels on disk.

There is a file for each kernel and argument types, and no index, so that any number of processes may read and
write at once:

    <cache folder>/<target>/<module>.<kernel>-<hash>.kernel

The cache folder is named after a hash of the sources of the kernels, and ``target`` after the processor, the
operating system, and the versions of Numba and Python. A file is written under a temporary name and renamed.
It begins with a checksum, and a header in JSON that repeats everything on which the machine code depends; a
file that does not match exactly is ignored. A process that needs a kernel that another process
is compiling waits for it.

The package may contain such folders of precompiled kernels for a level of processors (`LEVELS`), which are
searched first.
"""

import contextlib
import errno
import functools
import hashlib
import json
import os
import pathlib
import secrets
import sys
import time
import zlib
from collections import namedtuple

import numba
from numba.core import config

from spherekit._core import progress

#: Text that identifies the files with compiled code: kernels, the operations that they use, the compiler.
_MARKS = b"@jit", b"@leaf", b"numba.extending", b"numba.core"

_X86_V3 = (
    "+avx,+avx2,+bmi,+bmi2,+cmov,+crc32,+cx16,+cx8,+f16c,+fma,+fxsr,+lzcnt,+mmx,+movbe,+popcnt,+sahf,+sse,"
    "+sse2,+sse3,+sse4.1,+sse4.2,+ssse3,+xsave"
)
_X86_V4 = _X86_V3 + ",+avx512bw,+avx512cd,+avx512dq,+avx512f,+avx512vl"
#: Levels of processors that kernels can be precompiled for, the best first: name and features by LLVM.
LEVELS = {
    "x86-64-v4": _X86_V4,
    "x86-64-v3": _X86_V3,
    "generic": "+neon",  # 64-bit ARM
}
#: The precompiled kernels of this package; the folder exists in wheels for one platform.
SHIPPED = pathlib.Path(__file__).parents[1] / "machine_code"

#: Seconds after which a process no longer waits for a kernel of another one, which may be suspended.
PATIENCE = 120.0

#: Triple, CPU and features of a target of LLVM.
Processor = namedtuple("Processor", "triple cpu features")

#: A compiled kernel: the names of its wrapper for Python, of the function itself and of its environment, the
#: dtypes of arrays that it creates for Python, and its object file.
MachineCode = namedtuple("MachineCode", "wrapper function environment dtypes code")


# --- folders ----------------------------------------------------------------------------------------


@functools.cache
def cache_folder():
    """Return the folder of the compiled kernels, or None with SPHEREKIT_CACHE=0 or without a home folder.

    SPHEREKIT_CACHE sets the parent folder (``~`` is expanded); the default is the user's cache folder on this
    operating system. The folder is created when the first kernel is written.
    """
    setting = os.environ.get("SPHEREKIT_CACHE", "").strip()
    if setting == "0":
        return None
    parent = _expand_user(setting) if setting else _user_cache()
    return None if parent is None else os.path.join(parent, f"kernels-{source_digest()}")


@functools.cache
def source_digest():
    """Return a hash of all files that determine the compiled code."""
    package = pathlib.Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        source = path.read_bytes()
        if any(mark in source for mark in _MARKS):
            digest.update(source)
    return digest.hexdigest()[:12]


def _user_cache():
    """Return the default parent folder of the cache, or None without a home folder."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
        default = "~/AppData/Local"
    elif sys.platform == "darwin":
        base = ""
        default = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
        default = "~/.cache"
    if not os.path.isabs(base):  # unset, empty, or relative: ignored by the XDG specification
        base = _expand_user(default)
    return None if base is None else os.path.join(base, "spherekit")


def _expand_user(path):
    """Return an absolute path with ``~`` or ``~user`` expanded; None if that home folder is unknown."""
    if not path.startswith("~"):
        return os.path.abspath(path)
    user, _, below = path.replace(os.sep, "/")[1:].partition("/")
    folder = _home_folder() if not user else os.path.expanduser(f"~{user}")
    if folder is None or not os.path.isabs(folder):
        return None
    return os.path.join(folder, *filter(None, below.split("/")))


def _home_folder():
    """Return the user's home folder; None if HOME is unset or empty and the user has no account."""
    folder = os.environ.get("HOME", "")
    if sys.platform != "win32" and os.path.isabs(folder):
        return folder
    if sys.platform == "win32":
        folder = os.path.expanduser("~")
    else:
        import pwd

        try:
            folder = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            return None
    return folder if os.path.isabs(folder) else None


# --- targets ----------------------------------------------------------------------------------------


def _target(processor):
    """Return everything but the kernel and its argument types on which machine code depends."""
    options = (
        config.OPT,
        config.LOOP_VECTORIZE,
        config.SLP_VECTORIZE,
        config.BOUNDSCHECK,
        config.DEBUGINFO_DEFAULT,
        config.USING_SVML,
    )
    return {
        "sources": source_digest(),
        "triple": processor.triple,
        "cpu": processor.cpu,
        "features": processor.features,
        "numba": numba.__version__,
        "python": sys.implementation.cache_tag + getattr(sys, "abiflags", ""),
        "options": [str(option) for option in options],
    }


def _target_folder(target):
    """Return the name of the folder of a target."""
    digest = hashlib.sha256(json.dumps(target).encode()).hexdigest()[:8]
    return f"{target['cpu'] or 'cpu'}-{target['python']}-numba-{target['numba']}-{digest}"


@functools.cache
def _locations(processor):
    """Return the (folder, target) to search: those of the package, the best level first, and the cache."""
    locations = []
    features = set(processor.features.split(","))
    for cpu, required in LEVELS.items():
        target = _target(Processor(processor.triple, cpu, required))
        folder = SHIPPED / f"kernels-{source_digest()}" / _target_folder(target)
        if features.issuperset(required.split(",")) and folder.is_dir():
            locations.append((str(folder), target))
    if cache_folder() is not None:
        target = _target(processor)
        locations.append((os.path.join(cache_folder(), _target_folder(target)), target))
    return locations


def folders(processor):
    """Return the folders that are searched for kernels; the last is the one that is written, if any is."""
    return [folder for folder, _ in _locations(processor)]


# --- files ------------------------------------------------------------------------------------------


class File:
    """The file of a kernel for one list of argument types.

    Parameters
    ----------
    name : str
        The module and the name of the kernel.
    types : sequence
        The types of its arguments, whose text identifies them.
    processor : Processor
        What the process compiles for.
    """

    def __init__(self, name, types, processor):
        self._key = {"kernel": name, "types": [str(t) for t in types]}
        self._digest = hashlib.sha256(json.dumps(self._key).encode()).hexdigest()[:16]
        self._file_name = f"{name}-{self._digest}.kernel"
        self._processor = processor

    def read(self):
        """Return the `MachineCode`, or None where there is no valid file."""
        for folder, target in _locations(self._processor):
            try:
                content = pathlib.Path(folder, self._file_name).read_bytes()
            except OSError:
                continue
            machine_code = _decode(content, target | self._key)
            if machine_code is not None:
                return machine_code
        return None

    def write(self, machine_code):
        """Write the file, if the cache folder can be written."""
        if cache_folder() is None:
            progress.not_cached("no cache folder")
            return
        folder, target = _locations(self._processor)[-1]
        path = os.path.join(folder, self._file_name)
        temporary = f"{path}.{secrets.token_hex(8)}.tmp"
        try:
            os.makedirs(folder, exist_ok=True)
            with open(temporary, "xb") as file:
                file.write(_encode(machine_code, target | self._key))
            os.replace(temporary, path)
        except OSError as error:  # read-only, full: kernels are compiled in each process
            global _write_error
            _write_error = f"{error.strerror}: {folder}"
            progress.not_cached(_write_error)
            with contextlib.suppress(OSError):
                os.remove(temporary)

    @contextlib.contextmanager
    def locked(self):
        """Context manager in which no other process compiles this kernel; waits until that is so.

        A byte of a file is locked for each kernel. After `PATIENCE` seconds, and where nothing can be locked,
        two processes may compile the same kernel. A process holds at most one lock, by Numba's own lock:
        closing the file would release all locks of the process.
        """
        descriptor = None
        if cache_folder() is not None:
            with contextlib.suppress(OSError):
                folder, _ = _locations(self._processor)[-1]
                os.makedirs(folder, exist_ok=True)
                path = os.path.join(folder, ".lock")
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if descriptor is None:
            yield
            return
        try:
            self._wait(descriptor)
            yield
        finally:
            os.close(descriptor)  # this releases the lock

    def _wait(self, descriptor):
        """Wait for the lock, or until another process has written the file."""
        give_up = time.monotonic() + PATIENCE
        while not _lock(descriptor, int(self._digest, 16) % 2**30):
            progress.waiting(True)
            if time.monotonic() > give_up:
                progress.info(
                    f"another process has not compiled {self._file_name} within {PATIENCE:.0f} s; "
                    "this process compiles it too"
                )
                break
            time.sleep(0.02)
        progress.waiting(False)


_write_error = None


def write_error():
    """Return the reason why the last file that was not written was not, or None."""
    return _write_error


class NoFile:
    """The place of `File` for a kernel that is not cached."""

    def read(self):
        return None

    def write(self, machine_code):
        pass

    def locked(self):
        return contextlib.nullcontext()


def _lock(descriptor, position):
    """Try to lock the byte at a position of a file; return False where another process has the lock."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, position, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, position)
    except OSError as error:  # others: a file system without locks, which excludes nobody
        return error.errno not in (errno.EAGAIN, errno.EACCES)
    return True


def _encode(machine_code, key):
    """Return the content of a file: a checksum, the header, and the compressed object file."""
    header = key | machine_code._asdict()
    body = zlib.compress(header.pop("code"), 6)
    content = json.dumps(header).encode() + b"\n" + body
    return hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def _decode(content, key):
    """Return the `MachineCode` of a file, or None if it is damaged or was made for another key."""
    checksum, _, content = content.partition(b"\n")
    if checksum.decode("ascii", "replace") != hashlib.sha256(content).hexdigest():
        return None
    header, _, body = content.partition(b"\n")
    header = json.loads(header)
    fields = {name: header.pop(name, None) for name in MachineCode._fields if name != "code"}
    return MachineCode(code=zlib.decompress(body), **fields) if header == key else None
