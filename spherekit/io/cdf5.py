"""The header of netCDF-3 files with 64-bit data (CDF-5), checked before the C library opens the file.

For damaged counts that library takes gigabytes and minutes. The format: "The NetCDF Classic Format
Specification", https://docs.unidata.ucar.edu/nug/current/file_format_specifications.html
"""

import math
import os

#: Bytes of a value of each type, by its number: byte, char, short, int, float, double, ubyte, ...
_SIZES = dict(zip(range(1, 12), (1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8), strict=True))
_DIMENSIONS, _VARIABLES, _ATTRIBUTES = 10, 11, 12
_STREAMING = 2**64 - 1


def check_header(path):
    """Raise ValueError for a file whose header promises more than the file contains.

    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "empty.nc")
    >>> with open(path, "wb") as file:
    ...     _ = file.write(b"CDF" + bytes([5]) + bytes(8 + 3 * 12))
    >>> check_header(path)
    """
    with open(path, "rb") as file:
        header = _Header(path, file)
        header.skip(4)
        records = header.count()
        sizes = header.list_of(_DIMENSIONS, 16, lambda: (header.name(), header.count())[1])
        header.list_of(_ATTRIBUTES, 24, header.attribute)
        header.list_of(_VARIABLES, 48, lambda: _check_variable(header, sizes, records))


def _check_variable(header, sizes, records):
    """Check that the samples of a variable are within the file."""
    name = header.name()
    rank = header.count(8)
    dimensions = [header.count() for _ in range(rank)]
    header.list_of(_ATTRIBUTES, 24, header.attribute)
    itemsize = _SIZES.get(header.integer(4))
    header.skip(8)  # the size, which the dimensions give
    begin = header.count()
    if itemsize is None or any(number >= len(sizes) for number in dimensions):
        raise header.error(f"the variable {name} has an unknown type or dimension")
    size = itemsize * math.prod(sizes[number] for number in dimensions if sizes[number])
    is_of_records = any(sizes[number] == 0 for number in dimensions)  # the unlimited dimension
    if is_of_records:
        n_records = 0 if records == _STREAMING else records
        begin, size = (begin, size * n_records) if n_records else (0, 0)
        begin = 0 if n_records > 1 else begin  # records of several variables alternate
    if begin + size > header.size:
        raise header.error(f"the variable {name} of {size} bytes begins at byte {begin}")


class _Header:
    """The header of a file, read number by number."""

    def __init__(self, path, file):
        self.path, self.file = path, file
        self.size = os.fstat(file.fileno()).st_size

    def error(self, reason):
        """The ValueError for a header that is damaged for this reason."""
        return ValueError(
            f"{self.path} cannot be read as a netCDF-3 file: it is truncated or damaged: {reason}; the file "
            f"has {self.size} bytes"
        )

    def integer(self, width):
        """The next unsigned integer of 4 or 8 bytes."""
        content = self.file.read(width)
        if len(content) < width:
            raise self.error("it ends within its header")
        return int.from_bytes(content, "big")

    def count(self, itemsize=0):
        """The next count, of items of at least ``itemsize`` bytes in the remaining file."""
        number = self.integer(8)
        remaining = self.size - self.file.tell()
        if itemsize and number * itemsize > remaining:
            raise self.error(f"{number} items follow byte {self.file.tell()}")
        return number

    def skip(self, n_bytes):
        """Skip bytes that must exist, up to a multiple of 4."""
        position = self.file.tell() + n_bytes + -n_bytes % 4
        if position > self.size:
            raise self.error(f"{n_bytes} bytes follow byte {self.file.tell()}")
        self.file.seek(position)

    def name(self):
        """The next name."""
        length = self.count(1)
        start = self.file.tell()
        name = self.file.read(min(length, 80)).decode("utf-8", "replace")
        self.file.seek(start)
        self.skip(length)
        return name

    def attribute(self):
        """Skip an attribute."""
        self.name()
        itemsize = _SIZES.get(self.integer(4))
        if itemsize is None:
            raise self.error("an attribute has an unknown type")
        self.skip(self.count(itemsize) * itemsize)

    def list_of(self, tag, itemsize, read):
        """The items of the next list, each of at least ``itemsize`` bytes, by ``read()``."""
        actual = self.integer(4)
        number = self.count(itemsize)
        if actual not in (0, tag) or (number and not actual):
            raise self.error(f"a list has the tag {actual}; expected {tag}")
        return [read() for _ in range(number)]
