"""Trees of arrays with a header, in one ``.npz`` archive without pickles; written completely or not at all.

Arrays are stored as ``array0``, ``array1``, ...; the structure of their tree and the header, a dict that
JSON can hold, as JSON text in the entry ``spherekit``. Networks and checkpoints of trainings are stored so.
"""

import json
import os

import numpy as np

from spherekit._core.atomic_files import replacing
from spherekit._core.pytree import flatten, treedef, unflatten
from spherekit.io.arrays import read_arrays

#: Version of the format; 1 was that of spherekit 0.1, whose checkpoints hold parameters and running state
#: in one tree.
VERSION = 2
_ENTRY, _OLD_ENTRY = "spherekit", "checkpoint"
_ZIP = b"PK\x03\x04"


def write_tree(path, tree, header, *, overwrite=False):
    """Write a tree of arrays and a header.

    Parameters
    ----------
    path : str or path
        Of an ``.npz`` file.
    tree : dict, list or tuple of such, or of arrays
    header : dict
        Numbers, text, lists and dicts, as JSON can hold them.
    overwrite : bool

    Raises
    ------
    TypeError
        What JSON, or an array without pickle, cannot hold.
    ValueError
        Another suffix; NaN or infinity in the header.
    FileExistsError
    """
    if os.path.splitext(os.fspath(path))[1] != ".npz":
        raise ValueError(f"{path}: name an .npz file")
    arrays = [array for _, array in flatten(tree)]
    for array in arrays:
        if array.dtype.hasobject:
            raise TypeError(f"an array of {array.dtype} cannot be stored; expected numbers")
    content = {
        "version": VERSION,
        "tree": treedef(tree),
        "arrays": len(arrays),
        "header": header,
    }
    text = np.frombuffer(json.dumps(content, allow_nan=False).encode(), np.uint8)
    entries = {f"array{number}": array for number, array in enumerate(arrays)}
    with replacing(path, overwrite=overwrite) as temporary, open(temporary, "wb") as file:
        np.savez(file, allow_pickle=False, **{_ENTRY: text}, **entries)
        file.flush()
        os.fsync(file.fileno())


def read_tree(path):
    """(tree, header) of a file that `write_tree` wrote. Nothing in the file is executed or unpickled.

    Raises
    ------
    FileNotFoundError
    ValueError
        A truncated, damaged or foreign file; one of another version.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "tree.npz")
    >>> write_tree(path, [{"weights": np.ones(2)}, ()], {"step": 3})
    >>> read_tree(path)
    ([{'weights': array([1., 1.])}, ()], {'step': 3})
    """
    if not os.path.exists(path):
        raise FileNotFoundError(f"no file {path}")
    if os.path.isdir(path):
        raise ValueError(f"{path} is a folder; expected an .npz file")
    with open(path, "rb") as file:
        if file.read(len(_ZIP)) != _ZIP:
            raise ValueError(
                f"{path} is damaged, or not a file of spherekit: expected an .npz archive, which it is not"
            )
    try:
        entries = read_arrays(path)
    except ValueError as error:
        reason = str(error).removeprefix(f"{path} ")
        raise ValueError(f"{path} is damaged, or not a file of spherekit: {reason}") from None
    if _OLD_ENTRY in entries and _ENTRY not in entries:
        raise ValueError(
            f"{path} is of format version 1, which spherekit 0.1 writes and reads; this version reads "
            f"{VERSION}: train again, or use spherekit 0.1"
        )
    if _ENTRY not in entries:
        raise ValueError(
            f"{path} is not a network or checkpoint of spherekit: it holds {', '.join(entries)[:80]}"
        )
    version = _version(entries)
    if isinstance(version, int) and version > VERSION:
        raise ValueError(
            f"{path} is of format version {version}, of a later spherekit; this version reads {VERSION}"
        )
    try:
        return _content(entries)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"{path} is damaged: {reason}") from None


def _version(entries):
    """The version of the format, or None where the header is damaged."""
    try:
        return json.loads(entries[_ENTRY].tobytes().decode())["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def is_tree(arrays):
    """Whether the arrays of an archive, {name: array}, are those of `write_tree`."""
    return _ENTRY in arrays


def _content(entries):
    text = entries.pop(_ENTRY)
    if text.dtype != np.uint8:
        raise ValueError(f"its header is {text.dtype}; expected text as bytes")
    content = json.loads(text.tobytes().decode())
    if not isinstance(content, dict) or not isinstance(content.get("header"), dict):
        raise ValueError("it has no header")
    if content["version"] != VERSION:
        raise ValueError(
            f"format version {content['version']!r}; this version of spherekit reads {VERSION}"
        )
    if len(entries) != content["arrays"]:
        raise ValueError(f"it holds {len(entries)} arrays; expected {content['arrays']}")
    arrays = [entries[f"array{number}"] for number in range(len(entries))]
    return unflatten(content["tree"], arrays), content["header"]
