"""NumPy files: ``.npy`` holds one array, ``.npz`` several by name; pickles are never loaded.

The names that spherekit gives to arrays in a ``.npz`` file: a map is ``values``, ``grid`` (a name
such as "mw:64"), ``spin`` and ``unit``; coefficients are ``flm``, ``L``, ``spin`` and ``unit``.
"""

import os
import zipfile

import numpy as np

from spherekit.io._replace import replacing

#: What NumPy and zipfile raise where bytes of a file are not what they should be.
_DAMAGED = ValueError, EOFError, OSError, KeyError, NotImplementedError, zipfile.BadZipFile
_DAMAGED += zipfile.LargeZipFile, SyntaxError, AttributeError, TypeError, MemoryError


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
    if not os.path.exists(path):
        raise FileNotFoundError(f"no file {path}")
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

    Raises
    ------
    ValueError
        Another suffix, or ``.npy`` for more than ``values``.
    FileExistsError
    """
    suffix = os.path.splitext(path)[1]
    single = suffix == ".npy" and list(arrays) == ["values"]
    if not (single or suffix == ".npz"):
        raise ValueError(
            f"{path} cannot take {', '.join(arrays)}: name a .npz file, or a .npy file for "
            "'values' alone"
        )
    with replacing(path, overwrite) as temporary:
        if single:
            np.save(temporary, arrays["values"], allow_pickle=False)
        else:
            np.savez(temporary, allow_pickle=False, **arrays)
