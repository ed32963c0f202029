"""The memory of reading: compressed data are decompressed in blocks, and errors name the file."""

import functools
import os

from spherekit._core import checks

_BLOCK = 2**22


def read_within_limit(file, path, factor=2, size=None):
    """The bytes of an open file, which may be decompressed while it is read.

    Parameters
    ----------
    file : binary file
    path : path
        Its name in messages.
    factor : float
        Bytes of memory that the caller needs for each byte.
    size : int, optional
        Read about the first ``size`` bytes only.

    Raises
    ------
    MemoryError
        The bytes exceed the memory that may be used.

    >>> import io
    >>> read_within_limit(io.BytesIO(b"0 0 1.0"), "file.txt")
    b'0 0 1.0'
    """
    content = bytearray()
    while (size is None or len(content) < size) and (block := file.read(_BLOCK)):
        content += block
        checks.fits_memory(factor * len(content), f"the content of {path}", "read a smaller file")
    return bytes(content)


def naming_the_file(read):
    """Decorate a function of a path, so that it names the path where the memory or a device fails."""

    @functools.wraps(read)
    def wrapper(path, *args, **options):
        try:
            return read(path, *args, **options)
        except MemoryError as error:
            name = os.fspath(path)
            if name in str(error):
                raise
            reason = str(error) or "it needs more memory than there is"
            raise MemoryError(f"{name}: {reason}") from None
        except OSError as error:
            if error.errno is None or error.filename is not None:
                raise
            raise OSError(error.errno, error.strerror, os.fspath(path)) from None

    return wrapper
