"""A cache of arrays computed from many signals, in a folder of blocks.

The manifest of a folder contains all parameters that its arrays depend on. Each block is an ``.npz`` file
with the arrays of several signals and is written atomically, so that an interrupted run continues with the
missing signals.
"""

import json
import os
import re
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np

from spherekit._core import checks
from spherekit._core.atomic_files import replacing
from spherekit.io import read_arrays, write_arrays

_MANIFEST = "manifest.json"
_REMOVE = "remove this file, and the next run computes its arrays again"
_BLOCK = re.compile(r"[a-z]+-(\d{6})-(\d{6})\.npz")


def fill(
    folder, manifest, n, measure, *, workers=1, block=20, batch=1, progress=None, name="skies"
):
    """Compute the arrays of those signals 0..n-1 that are missing in a folder, and return the arrays of all.

    Parameters
    ----------
    folder : path
        Created if missing. It contains blocks ``NAME-FIRST-LAST.npz`` and ``manifest.json``.
    manifest : dict
        Parameters that the arrays depend on; must be serializable as JSON.
    n : int
    measure : callable
        ``measure(indices)`` returns a list: a dict of arrays for each of up to ``batch`` consecutive
        signals.
    workers : int
        Number of calls of ``measure`` that run in parallel. It does not affect the results.
    block : int
        Signals per file.
    batch : int
        Signals per call of ``measure``.
    progress : callable, optional
        Called with the number of signals in the folder, after each computed signal.
    name : str
        Prefix of the files, in lower-case letters.

    Returns
    -------
    dict
        The arrays of ``measure`` with a leading axis of n signals.

    Raises
    ------
    ValueError
        If the folder has another manifest, or its files are damaged.

    >>> import tempfile
    >>> def squares(indices):
    ...     return [{"square": np.array(i**2)} for i in indices]
    >>> fill(tempfile.mkdtemp(), {"power": 2}, 4, squares)["square"].tolist()
    [0, 1, 4, 9]
    """
    folder = Path(folder)
    n, workers, block, batch = (
        checks.integer(value, argument, 1)
        for argument, value in dict(n=n, workers=workers, block=block, batch=batch).items()
    )
    open_folder(folder, manifest)
    missing = sorted(
        set(range(n)) - {i for first, stop, _ in _blocks(folder) for i in range(first, stop)}
    )
    count = n - len(missing)
    with closing(_measured_runs(missing, measure, workers, block, batch)) as measured:
        for run, results in measured:
            block_arrays = []
            for arrays in results:
                block_arrays.append(arrays)
                count += 1
                if progress is not None:
                    progress(count)
            path = folder / f"{name}-{run[0]:06d}-{run[-1] + 1:06d}.npz"
            names = block_arrays[0]
            stacked = {key: np.stack([arrays[key] for arrays in block_arrays]) for key in names}
            write_arrays(path, **stacked, overwrite=True)
    return load(folder, n)


def _measured_runs(missing, measure, workers, block, batch):
    """Yield each run of a block with an iterator of its results.

    Later blocks are computed meanwhile, as many as the workers need.
    """
    blocks_ahead = 1 + -(-workers * batch // block)
    queue = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for run in runs(missing, block):
            queue.append((run, [pool.submit(measure, indices) for indices in runs(run, batch)]))
            if len(queue) > blocks_ahead:
                yield _with_results(*queue.popleft())
        while queue:
            yield _with_results(*queue.popleft())
    finally:  # after an error or an interruption, calls that have not started are cancelled
        pool.shutdown(cancel_futures=True)


def _with_results(run, futures):
    return run, (arrays for future in futures for arrays in future.result())


def load(folder, n=None):
    """The arrays of the first n signals in a folder; by default of all."""
    blocks = []
    count = 0
    for first, stop, path in sorted(_blocks(folder)):
        if first > count:
            break
        if stop > count:  # blocks of simultaneous runs may overlap
            arrays = _read_block(path, stop - first, blocks[0] if blocks else None)
            blocks.append({key: values[count - first :] for key, values in arrays.items()})
            count = stop
    if not blocks:
        raise ValueError(f"{folder} contains no signals; expected at least one block")
    if n is not None and count < n:
        present = {i for first, stop, _ in _blocks(folder) for i in range(first, stop)}
        raise ValueError(
            f"{folder} contains {len(present)} signals; expected {n}: compute the missing ones"
        )
    merged = {key: np.concatenate([arrays[key] for arrays in blocks]) for key in blocks[0]}
    return {key: values[:n] for key, values in merged.items()}


def _read_block(path, count, first):
    """Read a block of ``count`` signals; its arrays must have the names of those of the first block."""
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
    """Create a folder with this manifest, or check that the folder has the same manifest.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> open_folder(folder, {"L": 8}), open_folder(folder, {"L": 8})
    (None, None)
    >>> open_folder(folder, {"L": 9})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: ...: written with L = 8; expected L = 9: choose another folder
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _MANIFEST
    if not path.exists():
        if any(not entry.name.endswith(".tmp") for entry in folder.iterdir()):
            raise ValueError(
                f"{folder} contains files but no {_MANIFEST}; choose another folder, or remove this one to "
                "compute its arrays again"
            )
        try:
            with (
                replacing(path, False) as temporary,
                open(temporary, "w", encoding="utf-8") as file,
            ):
                json.dump(manifest, file, indent=1)
            return
        except FileExistsError:  # a simultaneous run has created it
            pass
    try:
        old = _flat(json.loads(path.read_text("utf-8")))
    except (ValueError, AttributeError) as error:
        raise ValueError(
            f"{path} is damaged: {error}; remove {folder}, and the next run computes its arrays again"
        ) from None
    new = _flat(json.loads(json.dumps(manifest)))
    changed = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    if changed:
        before = ", ".join(f"{key} = {old.get(key)}" for key in changed)
        after = ", ".join(f"{key} = {new.get(key)}" for key in changed)
        raise ValueError(
            f"{folder}: written with {before}; expected {after}: choose another folder"
        )


def runs(indices, max_length):
    """Split increasing indices into runs of consecutive ones, of at most this length.

    >>> list(runs([0, 1, 2, 3, 7], 3))
    [[0, 1, 2], [3], [7]]
    """
    run = []
    for index in indices:
        if run and (index != run[-1] + 1 or len(run) == max_length):
            yield run
            run = []
        run.append(index)
    if run:
        yield run


def _flat(manifest):
    """Entries of a manifest, with those of its sections at the top level."""
    entries = {}
    for key, value in manifest.items():
        entries.update(value if isinstance(value, dict) else {key: value})
    return entries


def _blocks(folder):
    """(first, last + 1, path) of each block in a folder."""
    for name in os.listdir(folder):
        if match := _BLOCK.fullmatch(name):
            yield int(match[1]), int(match[2]), Path(folder) / name
