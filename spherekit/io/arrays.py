"""NumPy files: one array in ``.npy``, several named arrays in ``.npz``. Pickles are never loaded.

Names of the arrays of spherekit in a ``.npz`` file: a map has ``values``, ``grid`` (a name such as "mw:64"),
``spin`` and ``unit``; coefficients have ``flm``, ``L``, ``spin`` and ``unit``.
"""

from __future__ import annotations

import math
import os
import tokenize
import warnings
import zipfile
import zlib
from contextlib import contextmanager
from os import PathLike

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.atomic_files import replacing
from spherekit.io import kinds, provenance
from spherekit.io.units import refuse_masked, without_unit

#: Exceptions of NumPy and zipfile for damaged files.
_DAMAGED = ValueError, EOFError, OSError, KeyError, NotImplementedError, zipfile.BadZipFile
_DAMAGED += zipfile.LargeZipFile, SyntaxError, AttributeError, TypeError, MemoryError
_DAMAGED += tokenize.TokenError, zlib.error, OverflowError, UnicodeDecodeError
_DAMAGED += (RuntimeError,)  # encrypted members

#: Options of `numpy.savez`, which has had this one since NumPy 2.2. Python objects are refused before.
WITHOUT_PICKLES = {"allow_pickle": False} if np.lib.NumpyVersion(np.__version__) >= "2.2.0" else {}

_READABLE = ("a NumPy archive (.npz)", "a NumPy array (.npy)", "a zip archive", "an empty file")


def read_arrays(path: str | PathLike) -> dict[str, np.ndarray]:
    """Read the arrays of a ``.npz`` file, or the array of a ``.npy`` file.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    dict of str to ndarray
        The arrays by name. The array of a ``.npy`` file has the name ``values``.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        A damaged file, a file of another format, or an array of Python objects (a pickle), which is not
        loaded.

    See Also
    --------
    write_arrays : write such a file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "map.npz")
    >>> write_arrays(path, values=np.zeros(12), grid="healpix:1")
    >>> sorted(read_arrays(path))
    ['grid', 'values']
    """
    kind = kinds.describe(path)
    if kind not in _READABLE:
        hint = "; read it with spherekit.io.read_table or read_map" if "FITS" in kind else ""
        raise ValueError(f"{path} cannot be read as a NumPy file: it is {kind}{hint}")
    try:
        with _without_warnings():
            size = _size(path, kind)
    except _DAMAGED as error:
        raise _damaged(path, error) from None
    checks.fits_memory(size, f"the file {path}", "store fewer or smaller arrays in it")
    try:
        with open(path, "rb") as file, _without_warnings():
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                arrays = {"values": _check("values", loaded)}
            else:
                arrays = {name: _check(name, loaded[name]) for name in loaded.files}
    except _DAMAGED as error:
        raise _damaged(path, error) from None
    provenance.record_input(path, _history(arrays))
    return arrays


def _damaged(path, error):
    hint = "truncated or of another format: " if isinstance(error, zipfile.BadZipFile) else ""
    return ValueError(f"{path} cannot be read as a NumPy file: {hint}{error}")


@contextmanager
def _without_warnings():
    """Suppress the warning of headers as Python 2 wrote them, with numbers such as 15L."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="(?s).*additional header parsing")
        yield


def _check(name, array):
    """Return a member of an archive; raise ValueError if it is no array or text of invalid characters."""
    if not isinstance(array, np.ndarray):  # bytes, where the format is not that of .npy
        raise ValueError(
            f"its member {name[:60]!r} is not an array; expected arrays only, NAME.npy"
        )
    if array.dtype.kind == "U":
        codes = np.frombuffer(array.tobytes(), np.dtype("u4").newbyteorder(array.dtype.byteorder))
        if ((codes > 0x10FFFF) | (codes >> 11 == 0xD800 >> 11)).any():
            raise ValueError(f"its array {name[:60]!r} contains bytes that are no text")
    return array


def _size(path, kind):
    """The bytes of all arrays of a file, by its headers."""
    if kind != "a NumPy array (.npy)":
        with zipfile.ZipFile(path) as archive:
            return float(sum(info.file_size for info in archive.infolist()))
    with open(path, "rb") as file:
        version = np.lib.format.read_magic(file)
        is_first = version == (1, 0)
        reader = (
            np.lib.format.read_array_header_1_0 if is_first else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = reader(file)
    return float(math.prod(shape)) * dtype.itemsize


def _history(arrays):
    """The lines of the array ``history``."""
    lines = np.atleast_1d(arrays.get("history", ()))
    return [str(line) for line in lines.ravel()] if lines.dtype.kind == "U" else []


def write_arrays(path: str | PathLike, *, overwrite: bool = False, **arrays: ArrayLike) -> None:
    """Write named arrays to a ``.npz`` file, or the array ``values`` to a ``.npy`` file.

    Parameters
    ----------
    path : str or path
        The file, with the suffix ``.npz`` or ``.npy``.
    overwrite : bool
        Replace an existing file.
    **arrays : array_like or str
        The arrays by name. The unit of a quantity (astropy, pint) with the name ``values`` or ``flm`` is
        written as the array ``unit``.

    Raises
    ------
    FileExistsError
        The file exists, and ``overwrite`` is False.
    TypeError
        Masked entries, units of other arrays, Python objects.
    ValueError
        Another suffix, a ``.npy`` file for other arrays than ``values``, or a unit that contradicts ``unit``.

    See Also
    --------
    read_arrays : read such a file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "map.npy")
    >>> write_arrays(path, values=np.zeros(12))
    >>> read_arrays(path)["values"].shape
    (12,)
    """
    path = os.fsdecode(path)
    suffix = os.path.splitext(path)[1].lower()
    single = suffix == ".npy" and list(arrays) == ["values"]
    if not (single or suffix == ".npz"):
        raise ValueError(
            f"{path} cannot store {', '.join(arrays)}; expected a .npz file, or a .npy file and only the "
            "array values"
        )
    if "file" in arrays or "allow_pickle" in arrays:
        raise ValueError("file and allow_pickle are reserved names of NumPy; choose other names")
    arrays = _with_unit(arrays)
    if single and "unit" in arrays:
        raise ValueError(
            f"a .npy file cannot store the unit {arrays['unit']} of {path}; write a .npz file"
        )
    with replacing(path, overwrite) as temporary, open(temporary, "wb") as file:
        if single:
            np.save(file, arrays["values"], allow_pickle=False)
        else:
            np.savez(file, **WITHOUT_PICKLES, **arrays)


def _with_unit(arrays):
    """Plain arrays, among them the unit of a quantity ``values`` or ``flm``."""
    plain_arrays = {}
    unit = str(arrays.get("unit", ""))
    for name, array in arrays.items():
        refuse_masked(array, name)
        if name in ("values", "flm"):
            array, array_unit = without_unit(array, unit, name)
            if array_unit != unit:
                plain_arrays["unit"] = np.asarray(array_unit)
        plain_arrays[name] = checks.as_array(array, name, "pass plain numbers")
    return plain_arrays
