"""Columns of binary tables of FITS, read and written in blocks of rows.

A block fits the cache of a core, so that the conversion between the big-endian bytes of a file and native
numbers takes little more than the transfer, and no copy of the whole table is needed.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from spherekit._core.parallel import thread_count
from spherekit.io import headers

_FORMAT = re.compile(r"(\d*)([LXBIJKAEDCMPQ])")
_SIZES = {
    "L": 1,
    "B": 1,
    "I": 2,
    "J": 4,
    "K": 8,
    "A": 1,
    "E": 4,
    "D": 8,
    "C": 8,
    "M": 16,
    "P": 8,
    "Q": 16,
}
_DTYPES = {"B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}
#: Codes of columns that are written, by dtype.
CODES = {"b1": "L", "u1": "B", "i2": "I", "i4": "J", "i8": "K", "f4": "E", "f8": "D"}
#: Bytes of a block of rows, and the number of blocks from which a second thread is worth its start.
_BLOCK, _MANY_BLOCKS = 2**21, 4


class PlainColumn(NamedTuple):
    """A column of numbers without scale or value for missing entries.

    Attributes
    ----------
    offset : int
        Its first byte in each row.
    dtype : dtype
        Big-endian.
    repeat : int
        Numbers in each row.
    """

    offset: int
    dtype: np.dtype
    repeat: int


def plain_columns(header):
    """The plain columns of a binary table by name, or an empty dict if the formats do not match the rows.

    >>> header = dict(NAXIS1=12, TFIELDS=2, TFORM1="E", TTYPE1="T", TFORM2="D", TTYPE2="N", TNULL2=3)
    >>> plain_columns(header)
    {'T': PlainColumn(offset=0, dtype=dtype('>f4'), repeat=1)}
    """
    columns = {}
    offset = 0
    for i in range(1, headers.integer(header, "TFIELDS") + 1):
        match = _FORMAT.match(headers.text(header, f"TFORM{i}").upper())
        if match is None:
            return {}
        repeat = int(match[1] or 1)
        code = match[2]
        is_plain = code in _DTYPES and repeat > 0
        if is_plain and not any(headers.text(header, f"{key}{i}") for key in _CONVERSIONS):
            name = headers.text(header, f"TTYPE{i}")
            columns[name] = PlainColumn(offset, np.dtype(_DTYPES[code]), repeat)
        offset += (repeat + 7) // 8 if code == "X" else repeat * _SIZES[code]
    return columns if offset == headers.integer(header, "NAXIS1") else {}


#: Keys of a column that make it other than plain.
_CONVERSIONS = ("TSCAL", "TZERO", "TNULL", "TDIM")


def read_columns(file, offset, header, columns, visit=None):
    """Read plain columns (dict of name to `PlainColumn`) of the table whose data begin at a byte of ``file``.

    ``visit`` is called with the name of a column, a block of its numbers while it is in the cache, and the
    number of all of them.

    Returns
    -------
    dict of str to ndarray [shape=(rows,) or (rows, repeat)]
        Numbers in native byte order. Columns of the same size and dtype are the rows of one array.

    Raises
    ------
    ValueError
        The file ends before the table does.
    """
    if not columns:
        return {}
    width, n_rows = (headers.integer(header, key) for key in ("NAXIS1", "NAXIS2"))
    size = file.seek(0, 2)
    if offset + width * n_rows > size:
        raise ValueError(
            f"the table ends at byte {offset + width * n_rows}, but the file has {size} bytes"
        )
    results = _allocate(columns, n_rows)
    rows_of_block = max(1, _BLOCK // max(width, 1))
    block = np.empty((min(rows_of_block, n_rows), width), np.uint8)
    file.seek(offset)
    with _beside(visit, n_rows // rows_of_block) as visited:
        for first in range(0, n_rows, rows_of_block):
            rows = block[: n_rows - first]
            if file.readinto(rows.reshape(-1).data) != rows.size:
                raise ValueError(f"the file ends within the table, at row {first} of {n_rows}")
            for name, column in columns.items():
                stop = column.offset + column.repeat * column.dtype.itemsize
                big_endian = rows[:, column.offset : stop].view(column.dtype)
                native = results[name][first : first + len(rows)]
                native[...] = big_endian if column.repeat > 1 else big_endian[:, 0]
                visited(name, native.reshape(-1), results[name].size)
    return results


@contextmanager
def _beside(visit, n_blocks):
    """A function that calls ``visit`` in order: of many blocks in a thread, while the next one is read."""
    if visit is None:
        yield lambda *block: None
    elif n_blocks < _MANY_BLOCKS or thread_count() == 1:
        yield visit
    else:
        calls = []
        with ThreadPoolExecutor(1) as pool:
            yield lambda *block: calls.append(pool.submit(visit, *block))
        for call in calls:
            call.result()


def _allocate(columns, n_rows):
    results = {}
    for key in {(c.dtype, c.repeat) for c in columns.values()}:
        names = [name for name, c in columns.items() if (c.dtype, c.repeat) == key]
        dtype, repeat = key
        shape = (len(names), n_rows, repeat) if repeat > 1 else (len(names), n_rows)
        results |= dict(zip(names, np.empty(shape, dtype.newbyteorder("=")), strict=True))
    return results


def stack(columns):
    """1-D columns of the same size as an array (n_columns, size), without a copy if they are its rows.

    >>> rows = np.arange(6.0).reshape(2, 3)
    >>> [np.shares_memory(rows, stack([rows[i], rows[1 - i]])) for i in (0, 1)]
    [True, False]
    """
    first = columns[0]
    base = first.base
    while isinstance(base, np.ndarray) and isinstance(base.base, np.ndarray):
        base = base.base
    addresses = [column.ctypes.data for column in columns]
    are_rows = (
        isinstance(base, np.ndarray)
        and base.flags.c_contiguous
        and base.dtype == first.dtype
        and base.ctypes.data == addresses[0]
        and base.size == len(columns) * first.size
        and all(c.dtype == first.dtype and c.flags.c_contiguous for c in columns)
        and addresses == [addresses[0] + i * first.nbytes for i in range(len(columns))]
    )
    return base.reshape(len(columns), -1) if are_rows else np.stack(columns)


def write_rows(file, columns):
    """Write the rows of a table with columns (rows,) or (rows, repeat), and fill the last FITS block.

    Booleans are written as the letters T and F.
    """
    dtype = np.dtype([("", _stored_dtype(column), column.shape[1:]) for column in columns])
    n_rows = len(columns[0])
    rows_of_block = max(1, _BLOCK // dtype.itemsize)
    block = np.empty(min(rows_of_block, n_rows), dtype)
    for first in range(0, n_rows, rows_of_block):
        rows = block[: n_rows - first]
        for name, column in zip(dtype.names, columns, strict=True):
            values = column[first : first + len(rows)]
            rows[name] = (
                np.where(values, ord("T"), ord("F")) if values.dtype.kind == "b" else values
            )
        file.write(rows.data)
    file.write(bytes(-n_rows * dtype.itemsize % 2880))


def _stored_dtype(column):
    return np.dtype("u1") if column.dtype.kind == "b" else column.dtype.newbyteorder(">")
