"""Checkpoints: the complete state of a training in one ``.npz`` file, without pickles.

A checkpoint is a tree of arrays with a header (`spherekit.io.tree_archive`), written completely or not at
all. It holds the network too: `spherekit.nn.load` reads it as a network with parameters and running state.
"""

import os
import pathlib
import re
from typing import NamedTuple

import numpy as np

from spherekit.io.tree_archive import read_tree, write_tree
from spherekit.nn.files import describe

_NAME = re.compile(r"step-(\d{8,})\.npz")
_TEMPORARY = re.compile(r"\.(step-\d{8,}|best)\.npz\.[0-9a-f]+\.tmp")


class Checkpoint(NamedTuple):
    """All that a training continues from.

    Attributes
    ----------
    params, state : trees of arrays
        Parameters and running state of the network.
    optimizer_state : dict of arrays
    step : int
        Number of steps done.
    epoch : int
        Number of complete passes over the data.
    random_state : dict
        State of the bit generator (PCG64) of dropout and augmentation.
    history : dict
        ``{"steps": {"loss", "learning_rate", "gradient_norm"}, "epochs": {"step", "train", "loss", ...}}``,
        lists of numbers that grow as the training continues; ``"train"`` is the mean loss of the epoch,
        ``"loss"`` and the metrics are of the validation data.
    best : dict
        ``{"params", "state", "value", "epoch"}``: of the best value of the monitored metric.

    >>> Checkpoint._fields[:4]
    ('params', 'state', 'optimizer_state', 'step')
    """

    params: object
    state: object
    optimizer_state: dict
    step: int
    epoch: int
    random_state: dict
    history: dict
    best: dict


def save(path, checkpoint, description=None, *, net=None):
    """Write a checkpoint; an existing file is replaced.

    Parameters
    ----------
    path : str or path
        Of an ``.npz`` file.
    checkpoint : Checkpoint
    description : dict, optional
        What JSON can hold.
    net : spherekit.nn.Sequential, optional
        With it `spherekit.nn.load` reads the file as well.

    Raises
    ------
    TypeError
        What JSON, or an array without pickle, cannot hold; a network whose layers are not registered.

    >>> import pathlib, tempfile
    >>> random_state = np.random.default_rng(0).bit_generator.state
    >>> best = {"params": [], "state": [], "value": None, "epoch": 0}
    >>> path = pathlib.Path(tempfile.mkdtemp(), "run.npz")
    >>> save(path, Checkpoint([np.ones(2)], [], {}, 5, 1, random_state, {}, best))
    >>> load(path)[0].step
    5
    """
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


def load(path):
    """A checkpoint and its description. Nothing in the file is executed or unpickled.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    checkpoint : Checkpoint
    description : dict

    Raises
    ------
    FileNotFoundError
    ValueError
        A truncated, damaged or foreign file; one of another version.

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
    """An entry of a header, of that type; only the network may be missing."""
    value = header.get(name) if name == "network" else header[name]
    if not isinstance(value, kind):
        raise ValueError(f"{name} of its header is {repr(value)[:60]}")
    if name == "network" and value is not None and set(value) != {"class", "fields"}:
        raise ValueError(f"{name} of its header has the entries {list(value)}")
    return value


def is_count(value):
    """Whether a value is a whole number >= 0."""
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
    """A column of the history, as a list of numbers."""
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        raise ValueError(f"{name} of its history is an array of {values.shape}, {values.dtype}")
    return values.tolist()


# --- folders of checkpoints ----------------------------------------------------------------------------


def numbered(folder):
    """Checkpoints ``step-00000123.npz`` of a folder.

    Parameters
    ----------
    folder : str or path

    Returns
    -------
    list of (step, path)
        The earliest first; empty where the folder does not exist.

    >>> numbered("no such folder")
    []
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        return []
    matches = [(_NAME.fullmatch(path.name), path) for path in folder.iterdir()]
    return sorted((int(match[1]), path) for match, path in matches if match)


def latest(folder):
    """The last checkpoint of a folder.

    Parameters
    ----------
    folder : str or path

    Returns
    -------
    path or None

    >>> latest("no such folder") is None
    True
    """
    paths = numbered(folder)
    return paths[-1][1] if paths else None


def save_numbered(folder, checkpoint, description=None, *, net=None, keep=3, best=False):
    """Write a checkpoint as ``step-00000123.npz``, by its step, and remove earlier ones.

    Parameters
    ----------
    folder : str or path
        It is created where it does not exist.
    checkpoint, description, net : as in `save`
    keep : int
        The number of checkpoints that remain.
    best : bool
        Write it as ``best.npz`` too.

    Returns
    -------
    path

    >>> import tempfile
    >>> folder, random_state = tempfile.mkdtemp(), np.random.default_rng(0).bit_generator.state
    >>> best = {"params": [], "state": [], "value": None, "epoch": 0}
    >>> for step in (1, 2, 3):
    ...     path = save_numbered(folder, Checkpoint([], [], {}, step, 0, random_state, {}, best), keep=2)
    >>> [path.name for _, path in numbered(folder)]
    ['step-00000002.npz', 'step-00000003.npz']
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step-{checkpoint.step:08d}.npz"
    if best:  # first: a training that is resumed from the numbered one finds it
        save(folder / "best.npz", checkpoint, description, net=net)
    save(path, checkpoint, description, net=net)
    for _, earlier in numbered(folder)[:-keep]:
        earlier.unlink()
    return path


def remove_temporary(folder):
    """Remove temporary files of checkpoints, which a training that was killed while writing leaves.

    Parameters
    ----------
    folder : str or path

    >>> remove_temporary("no such folder")
    """
    for path in pathlib.Path(folder).glob(".*.tmp"):
        if _TEMPORARY.fullmatch(path.name):
            path.unlink()
