"""Arrays measured of many signals, cached in a folder in blocks.

A folder holds the arrays of one manifest, which names all that they depend on. Each block is an ``.npz`` file
of several signals, written completely or not at all: a run that was stopped continues with the signals that
are missing.
"""

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from spherekit._core import checks
from spherekit._core.atomic_files import replacing
from spherekit.io import read_arrays, write_arrays

_MANIFEST = "manifest.json"
_REMOVE = "remove this file, and the next run measures its signals again"
_BLOCK = re.compile(r"[a-z]+-(\d{6})-(\d{6})\.npz")


def fill(folder, manifest, n, measure, *, workers=1, block=20, progress=None, name="skies"):
    """Measure the signals 0..n-1 that ``folder`` does not hold yet, and return the arrays of all.

    Parameters
    ----------
    folder : path
        Created if missing. Holds blocks ``NAME-FIRST-LAST.npz`` and ``manifest.json``.
    manifest : dict
        What the arrays depend on, as JSON can hold it.
    n : int
    measure : callable
        ``measure(i)`` is a dict of arrays.
    workers : int
        Signals measured at once. The results do not depend on it.
    block : int
        Signals in a file.
    progress : callable, optional
        Called with the number of signals in the folder, once for each that is measured.
    name : str
        Of the files, in lower-case letters.

    Returns
    -------
    dict
        The arrays of ``measure`` with a leading axis of n signals.

    Raises
    ------
    ValueError
        A folder of another manifest; damaged files.

    >>> import tempfile
    >>> fill(tempfile.mkdtemp(), {"power": 2}, 4, lambda i: {"square": np.array(i**2)})["square"].tolist()
    [0, 1, 4, 9]
    """
    folder = Path(folder)
    n, workers, block = (
        checks.integer(value, argument, 1)
        for argument, value in dict(n=n, workers=workers, block=block).items()
    )
    open_folder(folder, manifest)
    missing = sorted(
        set(range(n)) - {i for first, stop, _ in _blocks(folder) for i in range(first, stop)}
    )
    count = n - len(missing)
    with ThreadPoolExecutor(workers) as pool:
        for run in runs(missing, block):
            measured = []
            for arrays in pool.map(measure, run):
                measured.append(arrays)
                count += 1
                if progress is not None:
                    progress(count)
            path = folder / f"{name}-{run[0]:06d}-{run[-1] + 1:06d}.npz"
            stacked = {key: np.stack([arrays[key] for arrays in measured]) for key in measured[0]}
            write_arrays(path, **stacked, overwrite=True)
    return load(folder, n)


def load(folder, n=None):
    """The arrays that a folder holds, of its first n signals."""
    blocks, count = [], 0
    for first, stop, path in sorted(_blocks(folder)):
        if first > count:
            break
        if stop > count:  # two runs that measured at once may have written the same signals
            arrays = _read_block(path, stop - first, blocks[0] if blocks else None)
            blocks.append({key: values[count - first :] for key, values in arrays.items()})
            count = stop
    if not blocks:
        raise ValueError(f"{folder} holds no measured signals")
    if n is not None and count < n:
        measured = {i for first, stop, _ in _blocks(folder) for i in range(first, stop)}
        raise ValueError(f"{folder} holds {len(measured)} signals; expected {n}: measure them")
    merged = {key: np.concatenate([arrays[key] for arrays in blocks]) for key in blocks[0]}
    return {key: values[:n] for key, values in merged.items()}


def _read_block(path, count, first):
    """The arrays of a block of ``count`` signals, with the names of those of the first block."""
    try:
        arrays = read_arrays(path)
    except ValueError as error:
        raise ValueError(f"{error}; {_REMOVE}") from None
    names = sorted(arrays if first is None else first)
    if sorted(arrays) != names or any(values.shape[:1] != (count,) for values in arrays.values()):
        raise ValueError(
            f"{path} is damaged: expected the arrays {', '.join(names)} of {count} signals; {_REMOVE}"
        )
    return arrays


def open_folder(folder, manifest):
    """Create a folder with this manifest, or check that it has the same one.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> open_folder(folder, {"L": 8}), open_folder(folder, {"L": 8})
    (None, None)
    >>> open_folder(folder, {"L": 9})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: ...: written with L = 8, now L = 9; choose another folder
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _MANIFEST
    if not path.exists():
        if any(not entry.name.endswith(".tmp") for entry in folder.iterdir()):
            raise ValueError(
                f"{folder} holds files but no {_MANIFEST}; choose another folder, or remove this one to "
                "measure its signals again"
            )
        try:
            with (
                replacing(path, False) as temporary,
                open(temporary, "w", encoding="utf-8") as file,
            ):
                json.dump(manifest, file, indent=1)
            return
        except FileExistsError:  # of another run that has begun at the same time
            pass
    try:
        old = _flat(json.loads(path.read_text("utf-8")))
    except (ValueError, AttributeError) as error:
        raise ValueError(
            f"{path} is damaged: {error}; remove {folder}, and the next run measures its signals again"
        ) from None
    new = _flat(json.loads(json.dumps(manifest)))
    changed = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    if changed:
        words = "; ".join(f"{key} = {old.get(key)}, now {key} = {new.get(key)}" for key in changed)
        raise ValueError(f"{folder}: written with {words}; choose another folder")


def runs(numbers, longest):
    """Runs of consecutive numbers, of at most this length.

    >>> list(runs([0, 1, 2, 3, 7], 3))
    [[0, 1, 2], [3], [7]]
    """
    run = []
    for number in numbers:
        if run and (number != run[-1] + 1 or len(run) == longest):
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def _flat(manifest):
    """Entries of the sections of a manifest, by their own names."""
    entries = {}
    for key, value in manifest.items():
        entries.update(value if isinstance(value, dict) else {key: value})
    return entries


def _blocks(folder):
    """(first, last + 1, path) of the blocks of a folder."""
    for name in os.listdir(folder):
        if match := _BLOCK.fullmatch(name):
            yield int(match[1]), int(match[2]), Path(folder) / name
