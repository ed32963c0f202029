"""Checkpoints: the complete state of a training in one ``.npz`` file, without pickles.

A checkpoint is a tree of arrays with a header (`spherekit.io.tree_archive`), written atomically. It
includes the network: `spherekit.nn.load` reads it as a network with parameters and running state.
"""

import json
import os
import pathlib
import re
from typing import NamedTuple

import numpy as np

from spherekit.io.tree_archive import read_tree, write_tree
from spherekit.nn import Sequential
from spherekit.nn.files import describe

__all__ = [
    "Checkpoint",
    "latest",
    "load",
    "numbered",
    "remove_temporary",
    "save",
    "save_numbered",
]

_NAME = re.compile(r"step-(\d{8,})\.npz")
_TEMPORARY = re.compile(r"\.(step-\d{8,}|best)\.npz\.[0-9a-f]+\.tmp")


class Checkpoint(NamedTuple):
    """The complete state of a training.

    Attributes
    ----------
    params, state : trees of arrays
        Parameters and running state of the network.
    optimizer_state : dict of arrays
        State of the optimizer.
    step : int
        Number of completed steps.
    epoch : int
        Number of completed passes over the data.
    random_state : dict
        State of the bit generator (PCG64) of dropout and augmentation.
    history : dict
        ``{"steps": {"loss", "learning_rate", "gradient_norm"}, "epochs": {"step", "train", "loss", ...}}``,
        lists of numbers that grow during the training. In ``"epochs"``, ``"train"`` is the mean training loss
        of the epoch; ``"loss"`` and the metrics are those of the validation data.
    best : dict
        ``{"params", "state", "value", "epoch"}`` for the best value of the monitored metric.

    Examples
    --------
    >>> from spherekit import nn, train
    >>> net = nn.Sequential(nn.Features(2), nn.Dense(2))
    >>> last = train.finish(train.fit(net, net.init(0), (np.eye(2), np.array([0, 1])), epochs=3))
    >>> last.checkpoint.step, last.checkpoint.history["epochs"]["step"]
    (3, [1, 2, 3])
    """

    params: object
    state: object
    optimizer_state: dict
    step: int
    epoch: int
    random_state: dict
    history: dict
    best: dict


def save(
    path: str | os.PathLike,
    checkpoint: Checkpoint,
    description: dict | None = None,
    *,
    net: Sequential | None = None,
) -> None:
    """Write a checkpoint; an existing file is replaced.

    Parameters
    ----------
    path : str or path
        Name of an ``.npz`` file.
    checkpoint : Checkpoint
        State of a training.
    description : dict, optional
        Additional information that JSON can represent.
    net : spherekit.nn.Sequential, optional
        Network; with it, `spherekit.nn.load` can read the file.

    Raises
    ------
    TypeError
        JSON, or an array without pickle, cannot represent a value; a layer of the network is not registered.
    ValueError
        ``path`` does not end in ``.npz``, or ``description`` contains a number that is not finite.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> random_state = np.random.default_rng(0).bit_generator.state
    >>> best = {"params": [], "state": [], "value": None, "epoch": 0}
    >>> path = pathlib.Path(tempfile.mkdtemp(), "run.npz")
    >>> save(path, Checkpoint([np.ones(2)], [], {}, 5, 1, random_state, {}, best))
    >>> load(path)[0].step
    5
    """
    if description is not None:
        check_description(description)
    best = checkpoint.best
    history = {
        kind: {name: np.asarray(values, float) for name, values in columns.items()}
        for kind, columns in checkpoint.history.items()
    }
    tree = {
        "params": checkpoint.params,
        "state": checkpoint.state,
        "optimizer_state": checkpoint.optimizer_state,
        "history": history,
        "best": {"params": best["params"], "state": best["state"]},
    }
    header = {} if net is None else {"network": describe(net)}
    header["checkpoint"] = {
        "step": int(checkpoint.step),
        "epoch": int(checkpoint.epoch),
        "random_state": checkpoint.random_state,
        "best": {"value": best["value"], "epoch": best["epoch"]},
    }
    write_tree(path, tree, header | {"description": description or {}}, overwrite=True)


def check_description(description):
    """Raise TypeError or ValueError if JSON cannot represent the description of a checkpoint."""
    try:
        json.dumps(description, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"description cannot be stored: {error}; expected a dict of text, finite numbers, lists and dicts"
        ) from None


def load(path: str | os.PathLike) -> tuple[Checkpoint, dict]:
    """Read a checkpoint. No code in the file is executed or unpickled.

    Parameters
    ----------
    path : str or path
        Name of the file.

    Returns
    -------
    checkpoint : Checkpoint
        State of the training.
    description : dict
        Additional information, as passed to `save`.

    Raises
    ------
    FileNotFoundError
        The file does not exist.
    ValueError
        The file is a folder, truncated, damaged, not a checkpoint, or of another version.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "model.npz")
    >>> random_state = np.random.default_rng(0).bit_generator.state
    >>> best = {"params": [], "state": [], "value": None, "epoch": 0}
    >>> params = [{"weights": np.ones(2)}]
    >>> save(path, Checkpoint(params, [{}], {}, 3, 1, random_state, {}, best), {"of": "maps"})
    >>> checkpoint, description = load(path)
    >>> checkpoint.params, checkpoint.step, description
    ([{'weights': array([1., 1.])}], 3, {'of': 'maps'})
    """
    if not os.path.exists(path):
        raise FileNotFoundError(f"no checkpoint {path}")
    if os.path.isdir(path):
        last = latest(path)
        advice = f", such as {last}" if last else ""
        raise ValueError(f"{path} is a folder; expected a checkpoint{advice}")
    tree, header = read_tree(path)
    if "checkpoint" not in header:
        raise ValueError(f"{path} is a file of spherekit, but not a checkpoint of a training")
    try:
        description = _entry(header, "description", dict)
        _entry(header, "network", dict | None)
        return _checkpoint(tree, _entry(header, "checkpoint", dict)), description
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"{path} is damaged: {reason}") from None


def _entry(header, name, kind):
    """Return an entry of a header, which must have the type ``kind``; only the network may be missing."""
    value = header.get(name) if name == "network" else header[name]
    if not isinstance(value, kind):
        raise ValueError(f"{name} of its header is {repr(value)[:60]}")
    if name == "network" and value is not None and set(value) != {"class", "fields"}:
        raise ValueError(f"{name} of its header has the entries {list(value)}")
    return value


def is_count(value):
    """Return whether a value is an integer >= 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _checkpoint(tree, header):
    random_state, best = (_entry(header, name, dict) for name in ("random_state", "best"))
    if random_state["bit_generator"] != "PCG64":
        name = random_state["bit_generator"]
        raise ValueError(f"its random numbers are of {name}; expected PCG64")
    np.random.PCG64(0).state = random_state  # raises where it is damaged
    for name in ("step", "epoch"):
        if not is_count(header[name]):
            raise ValueError(f"{name} of its header is {header[name]!r}; expected a number >= 0")
    if not isinstance(best["value"], float | int | None):
        raise ValueError(f"value of its best is {best['value']!r}; expected a number")
    history = {
        kind: {name: _column(name, values) for name, values in columns.items()}
        for kind, columns in tree["history"].items()
    }
    return Checkpoint(
        params=tree["params"],
        state=tree["state"],
        optimizer_state=tree["optimizer_state"],
        step=header["step"],
        epoch=header["epoch"],
        random_state=random_state,
        history=history,
        best={
            "params": tree["best"]["params"],
            "state": tree["best"]["state"],
            "value": best["value"],
            "epoch": best["epoch"],
        },
    )


def _column(name, values):
    """Return a column of the history as a list of numbers."""
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        raise ValueError(f"{name} of its history is an array of {values.shape}, {values.dtype}")
    return values.tolist()


# --- folders of checkpoints ----------------------------------------------------------------------------


def numbered(folder: str | os.PathLike) -> list[tuple[int, pathlib.Path]]:
    """List the numbered checkpoints ``step-00000123.npz`` of a folder.

    Parameters
    ----------
    folder : str or path
        Folder of checkpoints.

    Returns
    -------
    list of (step, path)
        Ordered by step; empty if the folder does not exist.

    Raises
    ------
    TypeError
        ``folder`` is not a path.

    Examples
    --------
    >>> import tempfile
    >>> from spherekit import nn, train
    >>> net = nn.Sequential(nn.Features(2), nn.Dense(2))
    >>> folder = tempfile.mkdtemp()
    >>> data = np.eye(2), np.array([0, 1])
    >>> _ = train.finish(train.fit(net, net.init(0), data, epochs=2, checkpoints=folder))
    >>> [(step, path.name) for step, path in numbered(folder)]
    [(1, 'step-00000001.npz'), (2, 'step-00000002.npz')]
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        return []
    matches = [(_NAME.fullmatch(path.name), path) for path in folder.iterdir()]
    return sorted((int(match[1]), path) for match, path in matches if match)


def latest(folder: str | os.PathLike) -> pathlib.Path | None:
    """Return the path of the last numbered checkpoint of a folder.

    Parameters
    ----------
    folder : str or path
        Folder of checkpoints.

    Returns
    -------
    path or None
        None if there is no checkpoint.

    Raises
    ------
    TypeError
        ``folder`` is not a path.

    Examples
    --------
    >>> import tempfile
    >>> from spherekit import nn, train
    >>> net = nn.Sequential(nn.Features(2), nn.Dense(2))
    >>> folder = tempfile.mkdtemp()
    >>> data = np.eye(2), np.array([0, 1])
    >>> _ = train.finish(train.fit(net, net.init(0), data, epochs=2, checkpoints=folder))
    >>> latest(folder).name
    'step-00000002.npz'
    """
    paths = numbered(folder)
    return paths[-1][1] if paths else None


def save_numbered(
    folder: str | os.PathLike,
    checkpoint: Checkpoint,
    description: dict | None = None,
    *,
    net: Sequential | None = None,
    keep_checkpoints: int = 3,
    best: bool = False,
) -> pathlib.Path:
    """Write a checkpoint as ``step-00000123.npz``, named by its step, and remove earlier ones.

    Parameters
    ----------
    folder : str or path
        Folder of checkpoints; created if it does not exist.
    checkpoint : Checkpoint
        State of a training.
    description : dict, optional
        As in `save`.
    net : spherekit.nn.Sequential, optional
        As in `save`.
    keep_checkpoints : int
        Number of numbered checkpoints that are kept.
    best : bool
        Whether to write the checkpoint also as ``best.npz``.

    Returns
    -------
    path
        Path of the numbered checkpoint.

    Raises
    ------
    TypeError
        As in `save`.
    ValueError
        ``description`` contains a number that is not finite.

    Examples
    --------
    >>> import tempfile
    >>> folder, random_state = tempfile.mkdtemp(), np.random.default_rng(0).bit_generator.state
    >>> best = {"params": [], "state": [], "value": None, "epoch": 0}
    >>> for step in (1, 2, 3):
    ...     checkpoint = Checkpoint([], [], {}, step, 0, random_state, {}, best)
    ...     path = save_numbered(folder, checkpoint, keep_checkpoints=2)
    >>> [path.name for _, path in numbered(folder)]
    ['step-00000002.npz', 'step-00000003.npz']
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step-{checkpoint.step:08d}.npz"
    if best:  # written first, so that it exists when a training is resumed from the numbered one
        save(folder / "best.npz", checkpoint, description, net=net)
    save(path, checkpoint, description, net=net)
    for _, earlier in numbered(folder)[:-keep_checkpoints]:
        earlier.unlink()
    return path


def remove_temporary(folder: str | os.PathLike) -> None:
    """Remove temporary files of checkpoints that remain if a training is killed while it writes.

    Parameters
    ----------
    folder : str or path
        Folder of checkpoints.

    Raises
    ------
    TypeError
        ``folder`` is not a path.

    Examples
    --------
    >>> import tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> (folder / ".step-00000002.npz.3f.tmp").touch()
    >>> remove_temporary(folder)
    >>> list(folder.iterdir())
    []
    """
    for path in pathlib.Path(folder).glob(".*.tmp"):
        if _TEMPORARY.fullmatch(path.name):
            path.unlink()


def __dir__():
    return sorted(__all__)
