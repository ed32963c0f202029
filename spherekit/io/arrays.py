"""NumPy files: ``.npy`` holds one array, ``.npz`` several by name; pickles are never loaded.

The names that spherekit gives to arrays in a ``.npz`` file: a map is ``values``, ``grid`` (a name
such as "mw:64"), ``spin`` and ``unit``; coefficients are ``flm``, ``L``, ``spin`` and ``unit``.
"""

import os
import zipfile

import numpy as np

from spherekit._core import checks
from spherekit._core.atomic_files import replacing
from spherekit.io import kinds
from spherekit.io.units import refuse_masked, without_unit

#: What NumPy and zipfile raise where bytes of a file are not what they should be.
_DAMAGED = ValueError, EOFError, OSError, KeyError, NotImplementedError, zipfile.BadZipFile
_DAMAGED += zipfile.LargeZipFile, SyntaxError, AttributeError, TypeError, MemoryError

_READABLE = ("a NumPy archive (.npz)", "a NumPy array (.npy)", "a zip archive", "an empty file")


def read_arrays(path):
    """The arrays of a ``.npz`` file by name; that of a ``.npy`` file is called ``values``.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    ValueError
        A damaged or foreign file, and arrays of Python objects (pickles), which are not loaded.
    FileNotFoundError

    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "map.npz")
    >>> write_arrays(path, values=np.zeros(12), grid="healpix:1")
    >>> sorted(read_arrays(path))
    ['grid', 'values']
    """
    kind = kinds.describe(path)
    if kind not in _READABLE:
        hint = "; spherekit.io.read_table and read_map read it" if "FITS" in kind else ""
        raise ValueError(f"{path} cannot be read as a NumPy file: it is {kind}{hint}")
    try:
        with open(path, "rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {"values": loaded}
            return {name: loaded[name] for name in loaded.files}
    except _DAMAGED as error:
        hint = "truncated, or foreign: " if isinstance(error, zipfile.BadZipFile) else ""
        raise ValueError(f"{path} cannot be read as a NumPy file: {hint}{error}") from None


def write_arrays(path, *, overwrite=False, **arrays):
    """Write arrays by name to ``.npz``, or the one called ``values`` to ``.npy``.

    A quantity (astropy, pint) called ``values`` or ``flm`` gives its unit to the array ``unit``.

    Parameters
    ----------
    path : str or path
    overwrite : bool
    **arrays : arrays, numbers or text

    Raises
    ------
    ValueError
        Another suffix, ``.npy`` for more than ``values``, a unit that contradicts ``unit``.
    TypeError
        Masked entries, for which there is no place; units of other arrays; Python objects.
    FileExistsError

    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "map.npy")
    >>> write_arrays(path, values=np.zeros(12))
    >>> read_arrays(path)["values"].shape
    (12,)
    """
    path = os.fsdecode(path)
    suffix = os.path.splitext(path)[1]
    single = suffix == ".npy" and list(arrays) == ["values"]
    if not (single or suffix == ".npz"):
        raise ValueError(
            f"{path} cannot take {', '.join(arrays)}: name a .npz file, or a .npy file for "
            "'values' alone"
        )
    if "file" in arrays or "allow_pickle" in arrays:
        raise ValueError("NumPy keeps the names file and allow_pickle to itself; choose others")
    arrays = _with_unit(arrays)
    if single and "unit" in arrays:
        raise ValueError(f"{path} has no place for the unit {arrays['unit']}; name a .npz file")
    with replacing(path, overwrite) as temporary, open(temporary, "wb") as file:
        if single:
            np.save(file, arrays["values"], allow_pickle=False)
        else:
            np.savez(file, allow_pickle=False, **arrays)


def _with_unit(arrays):
    """The arrays without attributes; the unit of the map or coefficients as one of them."""
    plain_arrays = {}
    unit = str(arrays.get("unit", ""))
    for name, array in arrays.items():
        refuse_masked(array, name)
        if name in ("values", "flm"):
            array, carried = without_unit(array, unit, name)
            if carried != unit:
                plain_arrays["unit"] = np.asarray(carried)
        plain_arrays[name] = checks.as_array(array, name, "pass plain numbers")
    return plain_arrays
