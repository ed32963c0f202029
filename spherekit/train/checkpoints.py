"""Checkpoints: the whole state of a training in one ``.npz`` without pickles, written whole or not at all.

Arrays are stored as ``array0``, ``array1``, ...; the form of their tree, the step, the state of the random
numbers and a description of the training as JSON text in ``checkpoint``.
"""

import json
import os
import pathlib
import re
from typing import NamedTuple

import numpy as np

from spherekit._core.atomic_files import replacing
from spherekit.io import read_arrays
from spherekit.train.pytree import leaves, rebuilt, structure

FORMAT, VERSION = "spherekit checkpoint", 1
_NAME = re.compile(r"step-(\d{8,})\.npz")
_LEFT = re.compile(r"(step-\d{8,}|best)\.\d+\.tmp\.npz")


class State(NamedTuple):
    """All that a training goes on from.

    params : tree of arrays
    optimiser : tree of arrays, that of the optimiser
    step : int, steps done
    epoch : int, whole passes over the data done
    rng : dict, state of the bit generator (PCG64) of dropout and augmentation
    history : {"steps": {"loss", "rate", "norm"}, "epochs": {"step", "loss", ...}}, lists of numbers;
        it grows as the training goes on
    best : {"params": tree, "value": the watched metric, "epoch": of it}
    """

    params: object
    optimiser: dict
    step: int
    epoch: int
    rng: dict
    history: dict
    best: dict


def save(path, state, description=None):
    """Write a `State` and a description, a dict that JSON can hold.

    Raises
    ------
    TypeError
        The description or the state holds what JSON, or an array without pickle, cannot.
    """
    params, optimiser, best = state.params, state.optimiser, state.best
    history = {k: {n: np.asarray(v, float) for n, v in h.items()} for k, h in state.history.items()}
    tree = dict(params=params, optimiser=optimiser, history=history, best=best["params"])
    arrays = [array for _, array in leaves(tree)]
    lost = [array.dtype for array in arrays if array.dtype.hasobject]
    if lost:
        raise TypeError(f"an array of {lost[0]} cannot be stored; expected numbers")
    head = {
        "format": FORMAT, "version": VERSION, "tree": structure(tree), "arrays": len(arrays),
        "step": int(state.step), "epoch": int(state.epoch), "rng": state.rng,
        "best": {"value": best["value"], "epoch": best["epoch"]}, "description": description or {},
    }  # fmt: skip
    text = np.frombuffer(json.dumps(head).encode(), np.uint8)
    with replacing(path, overwrite=True) as temporary, open(temporary, "wb") as file:
        named = {f"array{number}": array for number, array in enumerate(arrays)}
        np.savez(file, allow_pickle=False, checkpoint=text, **named)
        file.flush()
        os.fsync(file.fileno())


def load(path):
    """(State, description) of a checkpoint. Nothing in the file is executed or unpickled.

    Raises
    ------
    FileNotFoundError
    ValueError
        A truncated, damaged or foreign file.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "model.npz")
    >>> rng = np.random.default_rng(0).bit_generator.state
    >>> best = {"params": [], "value": None, "epoch": 0}
    >>> save(path, State([{"weights": np.ones(2)}], {}, 3, 1, rng, {}, best), {"network": "cobb"})
    >>> state, description = load(path)
    >>> state.params, state.step, description
    ([{'weights': array([1., 1.])}], 3, {'network': 'cobb'})
    """
    if not os.path.exists(path):
        raise FileNotFoundError(f"no checkpoint {path}")
    if os.path.isdir(path):
        last = latest(path)
        raise ValueError(
            f"{path} is a folder; expected a checkpoint" + (f", such as {last}" if last else "")
        )
    if not _is_archive(path):
        raise ValueError(
            f"{path} is no checkpoint, or a damaged one: a checkpoint is an .npz archive, which this is not"
        )
    try:
        stored = read_arrays(path)
    except ValueError as error:
        words = str(error).removeprefix(f"{path} ")
        raise ValueError(f"{path} is no checkpoint, or a damaged one: {words}") from None
    if "checkpoint" not in stored:
        raise ValueError(f"{path} is no checkpoint of spherekit: it holds {', '.join(stored)[:80]}")
    try:
        return _state(stored)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        words = f"no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"{path} is a damaged checkpoint: {words}") from None


def _is_archive(path):
    """Whether a file begins as an ``.npz``, which is a zip archive."""
    with open(path, "rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _state(stored):
    text = stored.pop("checkpoint")
    if text.dtype != np.uint8:
        raise ValueError(f"its description is {text.dtype}; expected text as bytes")
    head = json.loads(text.tobytes().decode())
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise ValueError("its description is not that of a checkpoint")
    if head["version"] != VERSION:
        raise ValueError(
            f"it has version {head['version']}; this spherekit reads version {VERSION}"
        )
    if len(stored) != head["arrays"]:
        raise ValueError(f"it holds {len(stored)} arrays; expected {head['arrays']}")
    tree = rebuilt(head["tree"], [stored[f"array{k}"] for k in range(len(stored))])
    if head["rng"]["bit_generator"] != "PCG64":
        raise ValueError(
            f"its random numbers are of {head['rng']['bit_generator']}; expected PCG64"
        )
    for name in ("step", "epoch"):
        if not isinstance(head[name], int) or head[name] < 0:
            raise ValueError(f"{name} of its description is {head[name]!r}; expected a number >= 0")
    history = {k: {n: v.tolist() for n, v in h.items()} for k, h in tree["history"].items()}
    best = {"params": tree["best"], **head["best"]}
    made = State(
        tree["params"], tree["optimiser"], head["step"], head["epoch"], head["rng"], history, best
    )
    return made, head["description"]


# --- a folder of them --------------------------------------------------------------------------------


def numbered(folder):
    """[(step, path)] of the checkpoints ``step-00000123.npz`` in a folder, the earliest first."""
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        return []
    found = [(_NAME.fullmatch(path.name), path) for path in folder.iterdir()]
    return sorted((int(match[1]), path) for match, path in found if match)


def latest(folder):
    """The path of the last checkpoint in a folder, or None."""
    found = numbered(folder)
    return found[-1][1] if found else None


def keep(folder, state, description, last=3, best=False):
    """Write a state into a folder; of the numbered ones the ``last`` remain. Returns the path.

    ``best``: as ``best.npz`` too.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step-{state.step:08d}.npz"
    if best:  # first: whoever goes on from the numbered one finds it
        save(folder / "best.npz", state, description)
    save(path, state, description)
    for _, old in numbered(folder)[:-last]:
        old.unlink()
    return path


def sweep(folder):
    """Remove what a training that was killed while writing has left in its folder."""
    for path in pathlib.Path(folder).glob("*.tmp.npz"):
        if _LEFT.fullmatch(path.name):
            path.unlink()
