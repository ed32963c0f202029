"""A training, checked before it begins: its arguments, its first state, and what a resumed one must share."""

import json
import os
import pathlib
import zlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from spherekit._core import checks
from spherekit._core.pytree import difference, flatten, path_text
from spherekit.nn import Sequential
from spherekit.nn.files import mismatch
from spherekit.train import checkpoints as store
from spherekit.train import losses, metrics, networks
from spherekit.train.optimizers import Optimizer, adam, largest_norm

_DTYPES = np.float32, np.float64, np.complex64, np.complex128


@dataclass(frozen=True)
class EarlyStopping:
    """Which value is the best, and when a training stops because it gets no better.

    Parameters
    ----------
    monitor : str
        "loss", or the name of a metric, of the validation data: the parameters of its best value are recorded
        in ``checkpoint.best``.
    patience : int, optional
        Stop after this number of epochs without a better value; by default all epochs are run.

    Raises
    ------
    TypeError, ValueError
        ``monitor`` is not text; ``patience`` is not a whole number >= 1.

    >>> EarlyStopping("accuracy", patience=5)
    EarlyStopping(monitor='accuracy', patience=5)
    """

    monitor: str = "loss"
    patience: int | None = None

    def __post_init__(self):
        if not isinstance(self.monitor, str):
            raise TypeError(
                f'monitor is {self.monitor!r} ({type(self.monitor).__name__}); expected text, "loss" or the '
                "name of a metric"
            )
        if self.patience is not None:
            _set(self, patience=checks.integer(self.patience, "patience", 1))


@dataclass(frozen=True)
class Checkpointing:
    """Where a training writes its checkpoints, and whether it continues from them.

    They hold the network too, for `spherekit.nn.load`, where its layers are of this package or registered
    (`spherekit.nn.register`); else `fit` warns, and they hold its parameters only. A training is resumed with
    the same network: every hyper-parameter is compared, functions and own layers by name.

    Parameters
    ----------
    folder : str or path
        For ``step-00000123.npz`` and ``best.npz``; it is created where it does not exist.
    keep_checkpoints : int
        The number of numbered checkpoints that remain.
    checkpoint_every : int, optional
        Write one after this number of steps too; one is always written after an epoch.
    resume : bool
        Continue from the last checkpoint in the folder; from the start where there is none.
    description : dict, optional
        Stored with each checkpoint; what JSON can hold.

    Raises
    ------
    TypeError, ValueError
        Numbers that are not whole or below 1; a folder that is not a path; a description that JSON cannot
        hold.

    >>> Checkpointing("run", checkpoint_every=100)
    Checkpointing(folder='run', keep_checkpoints=3, checkpoint_every=100, resume=False, description=None)
    """

    folder: str | os.PathLike
    keep_checkpoints: int = 3
    checkpoint_every: int | None = None
    resume: bool = False
    description: dict | None = None

    def __post_init__(self):
        if not is_path(self.folder):
            raise TypeError(
                f"folder is {self.folder!r} ({type(self.folder).__name__}); expected a path"
            )
        number = checks.integer(self.keep_checkpoints, "keep_checkpoints", 1)
        _set(self, keep_checkpoints=number, resume=bool(self.resume))
        if self.checkpoint_every is not None:
            every = checks.integer(self.checkpoint_every, "checkpoint_every", 1)
            _set(self, checkpoint_every=every)
        if self.description is not None:
            _check_description(self.description)


def _check_description(description):
    """Refuse what a checkpoint cannot hold, before a training depends on it."""
    if not isinstance(description, dict):
        raise TypeError(f"description is {description!r}; expected a dict of what JSON can hold")
    if "training" in description:
        raise ValueError(
            "description has the entry 'training', which is that of the settings of the training; call it "
            "otherwise"
        )
    try:
        json.dumps(description, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"description cannot be stored: {error}; expected a dict of text, finite numbers, lists and "
            "dicts, as JSON can hold them"
        ) from None


def _check_folder(folder):
    """Refuse where no checkpoint can be written; the folder itself need not exist."""
    path = pathlib.Path(folder).absolute()
    existing = next(p for p in (path, *path.parents) if p.exists())
    if not existing.is_dir():
        raise ValueError(
            f"the folder for checkpoints, {os.fspath(folder)}: {existing} is a file; expected a folder, or "
            "a name that does not exist yet"
        )
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ValueError(
            f"the folder for checkpoints, {os.fspath(folder)}: no permission to write in {existing}"
        )


@dataclass(frozen=True, eq=False)
class Job:
    """A training: the arguments of `spherekit.train.fit`, checked and normalized."""

    net: Sequential
    initial: tuple = field(repr=False)
    data: tuple = field(repr=False)
    validation: tuple | None = field(repr=False)
    loss: object
    metrics: dict
    optimizer: Optimizer
    epochs: int
    batch_size: int
    seed: int
    max_norm: float | None
    augment: object
    set_size: int
    early_stopping: EarlyStopping
    checkpoints: Checkpointing | None
    threads: int | None
    loss_name: str = field(init=False)

    def __post_init__(self):
        check_network(self.net)
        for name, minimum in dict(epochs=1, batch_size=1, seed=0, set_size=1).items():
            _set(self, **{name: checks.integer(getattr(self, name), name, minimum)})
        if self.max_norm is not None:
            _set(self, max_norm=largest_norm(self.max_norm))
        _set(self, optimizer=_checked_optimizer(self.optimizer))
        _set(self, early_stopping=_as_value(EarlyStopping, self.early_stopping, "early_stopping"))
        _set(self, checkpoints=_checked_checkpoints(self.checkpoints))
        _set(self, loss_name=_function_name(self.loss), loss=losses.resolve(self.loss))
        _set(self, metrics=metrics.resolve(self.metrics))
        _set(self, data=_checked_pair(self.net, self.data, self.set_size, "data"))
        if self.validation is not None:
            pair = _checked_pair(self.net, self.validation, self.set_size, "validation")
            _set(self, validation=pair)
        _check_monitor(self.early_stopping, self.metrics, self.validation)
        check_initial(self.net, self.initial)
        if self.checkpoints is not None:
            _check_folder(self.checkpoints.folder)

    @property
    def count(self):
        """Number of training targets."""
        return len(self.data[1])

    @property
    def steps_per_epoch(self):
        """Number of batches; the last one may be smaller."""
        return -(-self.count // self.batch_size)

    @property
    def total_steps(self):
        """Number of steps of all epochs."""
        return self.epochs * self.steps_per_epoch

    @property
    def monitor(self):
        """Name of the value that says which parameters are the best."""
        return self.early_stopping.monitor

    @property
    def sign(self):
        """1 where larger values of the monitored metric are better, else -1."""
        larger = getattr(self.metrics.get(self.monitor), "larger_is_better", False)
        return 1 if self.monitor != "loss" and larger else -1

    @cached_property
    def unregistered(self):
        """In words, what `spherekit.nn.load` would not know of the network; empty where files hold it."""
        return networks.unregistered(self.net)

    @cached_property
    def settings(self):
        """What the bits of a training depend on, as JSON can hold it; with what may change, last."""
        signals, targets = self.data
        crc = zlib.crc32(np.ascontiguousarray(targets))
        validation = None if self.validation is None else str(tuple(self.validation[0].shape))
        return {
            "layers": networks.as_text(self.net),
            "loss": self.loss_name,
            "optimizer": self.optimizer.settings_text,
            "schedule": self.optimizer.schedule_text,
            "signals": f"{tuple(signals.shape)} {signals.dtype}",
            "targets": f"{targets.shape} {targets.dtype}, crc32 {crc:08x}",
            "batch_size": self.batch_size,
            "seed": self.seed,
            "max_norm": self.max_norm,
            "set_size": self.set_size,
            "monitor": self.monitor,
            "augment": None if self.augment is None else _function_name(self.augment),
            "metrics": list(self.metrics),
            "validation": validation,
            "total_steps": self.total_steps,
            "patience": self.early_stopping.patience,
        }

    @property
    def description(self):
        """Stored with each checkpoint."""
        return dict(self.checkpoints.description or {}) | {"training": self.settings}

    def patience_exhausted(self, checkpoint):
        """Whether the monitored value has not improved for too many epochs."""
        return _exhausted(self.early_stopping.patience, checkpoint)

    def batch(self, rows):
        """(signals, targets) of a batch; of each target all the signals of its set."""
        signals, targets = self.data
        signal_rows = rows
        if self.set_size > 1:
            signal_rows = (rows[:, None] * self.set_size + np.arange(self.set_size)).reshape(-1)
        return select(signals, signal_rows), select(targets, rows)

    def save(self, checkpoint, best):
        """Write a checkpoint into the folder of the training."""
        store.save_numbered(
            self.checkpoints.folder,
            checkpoint,
            self.description,
            net=None if self.unregistered else self.net,
            keep=self.checkpoints.keep_checkpoints,
            best=best,
        )


def _set(value, **fields):
    for name, content in fields.items():
        object.__setattr__(value, name, content)


def is_path(value):
    """Whether a value is a path: text or `os.PathLike`."""
    return isinstance(value, str | os.PathLike)


def check_network(net):
    """Refuse what is not a network with the type of its input."""
    if not isinstance(net, Sequential):
        raise TypeError(f"net is {net!r}; expected a network, nn.Sequential(nn.Sphere(...), ...)")
    if net.in_type is None:
        raise TypeError(
            "the network does not know the type of its input; create it with the type first, "
            "nn.Sequential(nn.Sphere(...), ...)"
        )


def _checked_optimizer(optimizer):
    if optimizer is None:
        return adam()
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"optimizer is {optimizer!r}; expected train.sgd(...), train.adam(...) or train.adamw(...)"
        )
    return optimizer


def _checked_checkpoints(checkpoints):
    if is_path(checkpoints):
        return Checkpointing(checkpoints)
    return None if checkpoints is None else _as_value(Checkpointing, checkpoints, "checkpoints")


def _as_value(kind, value, name):
    """``value``, of that class; its defaults for None."""
    if value is None:
        return kind()
    if not isinstance(value, kind):
        path = "a path, or " if kind is Checkpointing else ""
        raise TypeError(f"{name} is {value!r}; expected {path}train.{kind.__name__}(...)")
    return value


def _function_name(function):
    if isinstance(function, str):
        return function
    return getattr(function, "__qualname__", str(type(function)))


def _check_monitor(early_stopping, functions, validation):
    monitor = early_stopping.monitor
    if monitor != "loss" and monitor not in functions:
        known = ", ".join(["loss", *functions])
        raise ValueError(f"monitor is {monitor!r}; known are {known}")
    if validation is None and (early_stopping.patience is not None or monitor != "loss"):
        raise ValueError("patience and monitor need validation=(signals, targets)")


# --- data ----------------------------------------------------------------------------------------------


def check_signals(net, signals, name):
    """Signals that can be indexed, and their number; refuses another shape than the network accepts."""
    if not hasattr(signals, "shape") or np.ma.is_masked(signals):
        signals = checks.as_array(signals, f"{name}: the array of signals")
    shape = tuple(signals.shape)
    count = shape[0] if shape else 0
    if shape != net.in_type.shape(count):
        expected = ", ".join(("batch", *map(str, net.in_type.shape(0)[1:])))
        raise ValueError(
            f"{name}: signals of shape {shape}; the network accepts {net.in_type}: ({expected})"
        )
    return signals, count


def select(array, rows):
    """Entries of an array, in memory or in a file, as a plain array."""
    return checks.as_array(array[rows], "the batch of signals")


def _checked_pair(net, data, set_size, name):
    """(signals, targets) that fit the network and each other."""
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise TypeError(f"{name} is {type(data).__name__}; expected (signals, targets)")
    signals, count = check_signals(net, data[0], name)
    targets = check_targets(data[1], name)
    if not count:
        raise ValueError(
            f"{name}: signals of shape {tuple(signals.shape)}; expected at least one signal"
        )
    if targets.ndim == 0 or len(targets) * set_size != count:
        sets = f" of sets of {set_size}" if set_size > 1 else ""
        raise ValueError(
            f"{name}: {count} signals{sets} and targets of shape {targets.shape}; expected one target for "
            f"each {'set' if sets else 'signal'}"
        )
    return signals, targets


def check_targets(targets, name):
    """Targets as an array of finite numbers."""
    if np.ma.is_masked(targets):
        raise TypeError(
            f"{name}: {np.ma.count_masked(targets)} targets are masked; leave these signals out, and pass "
            "targets.data of those that remain"
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


# --- first state ---------------------------------------------------------------------------------------


def start(job):
    """The checkpoint to continue from: the last one in the folder, or that of the initial parameters."""
    params, state = job.initial
    folder = None if job.checkpoints is None else job.checkpoints.folder
    last = None if folder is None else store.latest(folder)
    if last is not None and not job.checkpoints.resume:
        raise ValueError(
            f"{os.fspath(folder)} holds a training ({last.name}); continue it with checkpoints="
            "train.Checkpointing(folder, resume=True), or name another folder"
        )
    if last is not None:
        store.remove_temporary(folder)
        return _resumed(job, params, state, last)
    rng = np.random.default_rng([job.seed, 2**31])  # another stream than those of the epochs
    return store.Checkpoint(
        params=params,
        state=state,
        optimizer_state=job.optimizer.init(params),
        step=0,
        epoch=0,
        random_state=rng.bit_generator.state,
        history=_first_history(job),
        best={"params": params, "state": state, "value": None, "epoch": 0},
    )


def _first_history(job):
    """The history before the first step: the names of its columns."""
    columns = ["step", "train", *(["loss", *job.metrics] if job.validation is not None else [])]
    return {
        "steps": {"loss": [], "learning_rate": [], "gradient_norm": []},
        "epochs": {name: [] for name in columns},
    }


def check_initial(net, initial):
    """Refuse what is not (params, state) of the network, finite and of one precision."""
    if not isinstance(initial, tuple) or len(initial) != 2:
        raise TypeError(
            f"initial is {type(initial).__name__}; expected (params, state), as net.init(rng) returns it"
        )
    for name, tree in zip(("parameter", "state"), initial, strict=True):
        for path, array in flatten(tree):
            if array.dtype not in _DTYPES:
                raise TypeError(
                    f"{name} {path_text(path)} has dtype {array.dtype}; expected float32, float64, complex64 "
                    "or complex128, as net.init returns them"
                )
            if not np.isfinite(array).all():
                raise ValueError(f"{name} {path_text(path)} holds NaN or infinite numbers")
        if not isinstance(tree, list | tuple) or len(tree) != len(net.layers):
            entries = f"{len(tree)} layers" if hasattr(tree, "__len__") else type(tree).__name__
            raise ValueError(
                f"initial: the {name} tree is of {entries}, the network has {len(net.layers)} layers; "
                "net.init(rng) returns (params, state) of this network"
            )
    if reason := mismatch(net, *initial):
        if mismatch(net, *reversed(initial)) is None:
            raise ValueError(
                "initial is (state, params); expected (params, state), as net.init returns it"
            )
        raise ValueError(
            f"initial is of another network: it has {reason}; net.init(rng) returns (params, state) of this "
            "network"
        )
    if not flatten(initial[0]):
        raise ValueError("the network has no parameters to train")


def check_single_tree(net, params):
    """Refuse the pair of parameters and state in place of the parameters."""
    is_pair = isinstance(params, tuple) and len(params) == 2
    if not is_pair or not all(isinstance(tree, list | tuple) for tree in params):
        return
    if all(len(tree) == len(net.layers) for tree in params) and mismatch(net, *params) is None:
        raise ValueError(
            "params is a pair, (params, state); pass the two apart: params, state=state"
        )


# --- resumed trainings ---------------------------------------------------------------------------------


def _resumed(job, params, state, path):
    checkpoint, description = store.load(path)
    stored = description.get("training", {})
    if not isinstance(stored, dict):
        raise ValueError(f"{path} is damaged: its settings are {repr(stored)[:60]}")
    if reason := networks.difference(stored.get("layers"), job.settings["layers"]):
        raise ValueError(f"{path} is of another network: {reason}")
    for expected, tree in ((params, checkpoint.params), (state, checkpoint.state)):
        if reason := difference(expected, tree):
            raise ValueError(f"{path} is of another network: it has {reason}")
    changes = [
        name
        for name in job.settings
        if name not in ("layers", "total_steps", "patience", "schedule")
        and stored.get(name) != job.settings[name]
    ]
    if changes:
        text = "; ".join(
            f"{name} was {stored.get(name)}, now {job.settings[name]}" for name in changes
        )
        raise ValueError(f"{path} is of another training: {text}")
    if reason := _damage(job, checkpoint, stored):
        raise ValueError(f"{path} is damaged: {reason}")
    _check_schedule(job, checkpoint, stored, path)
    return checkpoint


def _damage(job, checkpoint, stored):
    """In words, what does not agree in a checkpoint of this training; None where all does."""
    numbers = [(name, stored.get(name)) for name in ("total_steps", "patience")]
    for name, number in [*numbers, ("epoch of its best", checkpoint.best["epoch"])]:
        if not store.is_count(number) and (name, number) != ("patience", None):
            return f"{name} is {number!r}; expected a whole number"
    if checkpoint.epoch != checkpoint.step // job.steps_per_epoch:
        return (
            f"its step is {checkpoint.step}, its epoch {checkpoint.epoch}; an epoch has "
            f"{job.steps_per_epoch} steps"
        )
    lengths = {"steps": checkpoint.step, "epochs": checkpoint.epoch}
    for kind, columns in _first_history(job).items():
        stored_columns = checkpoint.history.get(kind, {})
        for name in columns | stored_columns:
            if name not in columns or len(stored_columns.get(name, ())) != lengths[kind]:
                count = len(stored_columns.get(name, ()))
                return f"its history has {count} values of {name!r} in {kind}; expected {lengths[kind]}"
    if reason := difference(job.optimizer.init(checkpoint.params), checkpoint.optimizer_state):
        return f"the state of its optimizer has {reason}"
    if int(checkpoint.optimizer_state["step"]) != checkpoint.step:
        return (
            f"its optimizer is at step {checkpoint.optimizer_state['step']}, not {checkpoint.step}"
        )
    for name, tree in (("params", checkpoint.params), ("state", checkpoint.state)):
        if reason := difference(tree, checkpoint.best[name]):
            return f"the {name} of its best have {reason}"
    return None


def _check_schedule(job, checkpoint, stored, path):
    """Refuse another schedule, except of a training that was finished with the stored one."""
    schedule, total = stored.get("schedule"), stored["total_steps"]
    if schedule == job.settings["schedule"]:
        return
    if checkpoint.step >= total or _exhausted(stored["patience"], checkpoint):
        return
    raise ValueError(
        f"{path} is of an unfinished training, step {checkpoint.step} of {total}: its learning rate was "
        f"{schedule}, now {job.settings['schedule']}. Resume it with the former schedule; once it is "
        "finished, it can be lengthened with another. Or start another training in another folder"
    )


def _exhausted(patience, checkpoint):
    return patience is not None and checkpoint.epoch - checkpoint.best["epoch"] >= patience
