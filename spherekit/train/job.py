"""What a training is made of, checked before it begins."""

import os
import zlib
from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit.nn.types import Generalized
from spherekit.train import checkpoints as store
from spherekit.train import losses, metrics
from spherekit.train.optimizers import Optimiser, largest_norm, share
from spherekit.train.pytree import differences, leaves


class Job(NamedTuple):
    """A training, checked: the arguments of `fit`, and what follows from them."""

    net: object
    data: tuple
    loss: object
    optimiser: Optimiser
    validation: tuple
    metrics: dict
    epochs: int
    batch: int
    seed: int
    clip: float
    patience: int
    watch: str
    augment: object
    sets: int
    momentum: float
    folder: object
    keep: int
    every: int
    threads: int
    count: int
    steps: int
    sign: int
    description: dict


def job(given):
    """`Job` of the arguments of `fit`."""
    given = given | _numbers(given)
    if not isinstance(given["optimiser"], Optimiser):
        raise TypeError(
            f"optimiser is {given['optimiser']!r}; expected sgd(...), adam(...) or adamw(...)"
        )
    if given["resume"] and given["checkpoints"] is None:
        raise ValueError("resume=True without a folder; pass checkpoints=FOLDER")
    loss, found = losses.named(given["loss"]), metrics.named(given["metrics"])
    data = _pair(given["net"], given["data"], given["sets"], "data")
    validation = given["validation"]
    if validation is not None:
        validation = _pair(given["net"], validation, given["sets"], "validation")
    sign = _direction(given["watch"], found, validation, given["patience"])
    count = len(data[1])
    made = {name: given[name] for name in Job._fields if name in given}
    made |= dict(loss=loss, data=data, validation=validation, metrics=found, sign=sign, count=count)
    made |= dict(folder=given["checkpoints"], steps=-(-count // given["batch"]))
    words = {"training": _settings(made, given["loss"])}
    return Job(**made | {"description": dict(given["description"] or {}) | words})


def _numbers(given):
    """Those of the arguments that are single numbers."""
    minima = dict(epochs=1, batch=1, seed=0, sets=1, keep=1, patience=1, every=1)
    made = {
        name: checks.whole_number(given[name], name, minimum)
        for name, minimum in minima.items()
        if not (name in ("patience", "every") and given[name] is None)
    }
    made["momentum"] = share(given["momentum"], "momentum")
    if given["clip"] is not None:
        made["clip"] = largest_norm(given["clip"], "clip")
    return made


def start(job, params, resume):
    """The state to go on from: that of the last checkpoint, or a fresh one."""
    params = _checked(params)
    last = store.latest(job.folder) if job.folder is not None else None
    if last is not None and not resume:
        raise ValueError(
            f"{os.fspath(job.folder)} holds a training ({last.name}); pass resume=True to go on with it, or "
            "another folder"
        )
    if last is not None:
        store.sweep(job.folder)
        return _resumed(job, params, last)
    names = ["step", "train", *(["loss", *job.metrics] if job.validation is not None else [])]
    history = {"steps": {"loss": [], "rate": [], "norm": []}, "epochs": {n: [] for n in names}}
    rng = np.random.default_rng([job.seed, 2**31]).bit_generator.state  # apart from those of epochs
    best = {"params": params, "value": None, "epoch": 0}
    return store.State(params, job.optimiser.init(params), 0, 0, rng, history, best)


def batch_axis(signal):
    """Which axis counts the signals."""
    return 1 if isinstance(signal, Generalized) else 0


def signals_of(net, signals, name):
    """(signals that can be indexed, how many), of the shape that the network takes."""
    if not hasattr(signals, "shape") or np.ma.is_masked(signals):
        signals = checks.as_array(signals, f"{name}: the array of signals")
    axis, shape = batch_axis(net.takes), tuple(signals.shape)
    count = shape[axis] if len(shape) > axis else 0
    if shape != net.takes.shape(count):
        wanted = tuple("batch" if n == -1 else n for n in net.takes.shape(-1))
        raise ValueError(
            f"{name}: signals of shape {shape}; the network takes {net.takes}: {wanted}"
        )
    return signals, count


def taken(signals, axis, rows):
    """Some of the signals, as a plain array."""
    return checks.as_array(signals[:, rows] if axis else signals[rows], "the batch of signals")


def chosen(job, rows):
    """(signals, targets) of a batch; of each target all the signals of its set."""
    signals, targets = job.data
    some = rows
    if job.sets > 1:
        some = (rows[:, None] * job.sets + np.arange(job.sets)).reshape(-1)
    x = taken(signals, batch_axis(job.net.takes), some)
    return x, taken(targets, batch_axis(job.net.gives) if targets.ndim > 1 else 0, rows)


def _resumed(job, params, path):
    state, description = store.load(path)
    words = differences(params, state.params)
    if words:
        raise ValueError(f"{path} is of another network: it has {words}")
    stored, now = description.get("training", {}), job.description["training"]
    other = [name for name in now if stored.get(name) != now[name]]
    if other:
        said = "; ".join(f"{name} was {stored.get(name)}, now {now[name]}" for name in other)
        raise ValueError(f"{path} is of another training: {said}")
    return state


def _settings(made, loss):
    """What must be the same for the same numbers, in words that JSON holds."""
    net, (signals, targets) = made["net"], made["data"]
    return {
        "network": [f"{a.name}: {a.takes} -> {a.gives}" for a in net.layers],
        "loss": loss if isinstance(loss, str) else getattr(loss, "__qualname__", str(type(loss))),
        "optimiser": str(made["optimiser"]),
        "signals": f"{tuple(signals.shape)} {signals.dtype}",
        "targets": f"{targets.shape} {targets.dtype}, crc32 {zlib.crc32(np.ascontiguousarray(targets)):08x}",
        **{name: made[name] for name in ("batch", "seed", "clip", "sets", "momentum", "watch")},
        "augment": getattr(made["augment"], "__qualname__", str(type(made["augment"])))
        if made["augment"] else None,
        "metrics": list(made["metrics"]),
        "validation": None if made["validation"] is None else str(tuple(made["validation"][0].shape)),
    }  # fmt: skip


def _pair(net, data, sets, name):
    """(signals, targets) that fit the network and each other."""
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise TypeError(f"{name} is {type(data).__name__}; expected (signals, targets)")
    signals, count = signals_of(net, data[0], name)
    targets = targets_of(data[1], name)
    if not count:
        raise ValueError(f"{name}: signals of shape {tuple(signals.shape)}; expected one at least")
    own = batch_axis(net.gives) if targets.ndim > 1 else 0
    if targets.ndim == 0 or targets.shape[own] * sets != count:
        many = f" of sets of {sets}" if sets > 1 else ""
        raise ValueError(f"{name}: {count} signals{many} and targets of shape {targets.shape}; "
                         "expected one target for each")  # fmt: skip
    return signals, targets


def targets_of(targets, name):
    """Finite numbers, as an array."""
    if np.ma.is_masked(targets):
        raise TypeError(
            f"{name}: {np.ma.count_masked(targets)} targets are masked; leave these signals out, and pass "
            "targets.data of the others"
        )
    try:
        targets = checks.as_array(targets, "targets")
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None
    if targets.dtype.kind not in "iufc":
        hint = ": labels.astype(int)" if targets.dtype.kind == "b" else ""
        raise TypeError(
            f"{name}: targets have dtype {targets.dtype}; expected numbers, of classes whole ones from 0 "
            f"on{hint}"
        )
    if not np.isfinite(targets).all():
        raise ValueError(f"{name}: targets hold NaN or infinite numbers")
    return targets


def _checked(params):
    for path, array in leaves(params):
        if array.dtype not in (np.float32, np.float64, np.complex64, np.complex128):
            raise TypeError(
                f"parameter {path} has dtype {array.dtype}; expected float32, float64, complex64 or "
                "complex128, as net.init makes them"
            )
        if not np.isfinite(array).all():
            raise ValueError(f"parameter {path} holds what is no finite number")
    if not leaves(params, statistics=False):
        raise ValueError("the network has no parameters to train")
    return params


def _direction(watch, found, validation, patience):
    """1 where larger is better, -1 where smaller is."""
    if watch != "loss" and watch not in found:
        raise ValueError(f"watch is {watch!r}; known are loss{''.join(f', {m}' for m in found)}")
    if validation is None and (patience is not None or watch != "loss"):
        raise ValueError("patience and watch need validation=(signals, targets)")
    return 1 if watch != "loss" and getattr(found[watch], "larger_is_better", False) else -1
