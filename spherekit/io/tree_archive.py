"""Trees of arrays with a header in a ``.npz`` archive without pickles, written atomically.

This is the file format of networks and training checkpoints. The arrays are stored as ``array0``,
``array1``, ...; the structure of the tree and the header, a dict that can be encoded as JSON, are stored as
JSON text in the entry ``spherekit``.
"""

import json
import os

import numpy as np

from spherekit._core.atomic_files import replacing
from spherekit._core.pytree import flatten, treedef, unflatten
from spherekit.io.arrays import WITHOUT_PICKLES, read_arrays

#: Version of the format. In version 1, of spherekit 0.1, parameters and running state were one tree.
VERSION = 2
#: Name of the entry of the header, and its name in version 1.
_ENTRY = "spherekit"
_OLD_ENTRY = "checkpoint"
_ZIP = b"PK\x03\x04"


def write_tree(path, tree, header, *, overwrite=False):
    """Write a tree of arrays and a header.

    Parameters
    ----------
    path : str or path
        The file, with the suffix ``.npz``.
    tree : dict, list or tuple
        A tree of arrays: nested dicts, lists and tuples.
    header : dict
        Numbers, text, lists and dicts that can be encoded as JSON.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    FileExistsError
        The file exists, and ``overwrite`` is False.
    TypeError
        A header that cannot be encoded as JSON; an array of Python objects.
    ValueError
        Another suffix; NaN or infinity in the header.
    """
    if os.path.splitext(os.fspath(path))[1].lower() != ".npz":
        raise ValueError(f"{path} does not end in .npz; expected a .npz file")
    arrays = [array for _, array in flatten(tree)]
    for array in arrays:
        if array.dtype.hasobject:
            raise TypeError(f"the tree contains an array of dtype {array.dtype}; expected numbers")
    content = {
        "version": VERSION,
        "tree": treedef(tree),
        "arrays": len(arrays),
        "header": header,
    }
    text = np.frombuffer(json.dumps(content, allow_nan=False).encode(), np.uint8)
    entries = {f"array{number}": array for number, array in enumerate(arrays)}
    with replacing(path, overwrite=overwrite) as temporary, open(temporary, "wb") as file:
        np.savez(file, **WITHOUT_PICKLES, **{_ENTRY: text}, **entries)
        file.flush()
        os.fsync(file.fileno())


def read_tree(path):
    """Read (tree, header) from a file of `write_tree`. Nothing in the file is executed or unpickled.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        A damaged file, or a file of another format or version.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "tree.npz")
    >>> write_tree(path, [{"weights": np.ones(2)}, ()], {"step": 3})
    >>> read_tree(path)
    ([{'weights': array([1., 1.])}, ()], {'step': 3})
    """
    if not os.path.exists(path):
        raise FileNotFoundError(f"no file {path}")
    if os.path.isdir(path):
        raise ValueError(f"{path} is a folder; expected a .npz file")
    if not os.path.isfile(path):
        raise ValueError(f"{path} is not a regular file; expected a .npz file")
    with open(path, "rb") as file:
        if file.read(len(_ZIP)) != _ZIP:
            raise ValueError(
                f"{path} is damaged, or not a file of spherekit: it is not a .npz archive"
            )
    try:
        entries = read_arrays(path)
    except ValueError as error:
        reason = str(error).removeprefix(f"{path} ")
        raise ValueError(f"{path} is damaged, or not a file of spherekit: {reason}") from None
    if _OLD_ENTRY in entries and _ENTRY not in entries:
        raise ValueError(
            f"{path} has format version 1 of spherekit 0.1; expected version {VERSION}: train again, or use "
            "spherekit 0.1"
        )
    if _ENTRY not in entries:
        raise ValueError(
            f"{path} is not a network or checkpoint of spherekit: it contains {', '.join(entries)[:80]}"
        )
    version = _version(entries)
    if isinstance(version, int) and version > VERSION:
        raise ValueError(
            f"{path} has format version {version} of a later spherekit; expected version {VERSION}"
        )
    try:
        return _content(entries)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else error
        raise ValueError(f"{path} is damaged: {reason}") from None


def _version(entries):
    """The version of the format, or None if the header is damaged."""
    try:
        return json.loads(entries[_ENTRY].tobytes().decode())["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def is_tree(arrays):
    """Whether the arrays of an archive, {name: array}, were written by `write_tree`."""
    return _ENTRY in arrays


def _content(entries):
    text = entries.pop(_ENTRY)
    if text.dtype != np.uint8:
        raise ValueError(f"its header has dtype {text.dtype}; expected bytes")
    content = json.loads(text.tobytes().decode())
    if not isinstance(content, dict) or not isinstance(content.get("header"), dict):
        raise ValueError("it has no header")
    if content["version"] != VERSION:
        raise ValueError(
            f"it has format version {content['version']!r}; expected version {VERSION}"
        )
    if len(entries) != content["arrays"]:
        raise ValueError(f"it contains {len(entries)} arrays; expected {content['arrays']}")
    arrays = [entries[f"array{number}"] for number in range(len(entries))]
    return unflatten(content["tree"], arrays), content["header"]
