"""Validation of a training: its arguments, its initial state, and the checkpoint from which it is resumed."""

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
from spherekit.train.optimizers import Optimizer, adam, check_max_norm

_DTYPES = np.float32, np.float64, np.complex64, np.complex128


@dataclass(frozen=True)
class EarlyStopping:
    """Selection of the best parameters by a monitored value, and early stopping.

    Parameters
    ----------
    monitor : str
        Monitored value of the validation data: "loss", or the name of a metric. The parameters of its best
        value are recorded in ``checkpoint.best``.
    patience : int, optional
        Number of epochs without improvement after which the training stops; by default all epochs are run.

    Raises
    ------
    TypeError
        ``monitor`` is not text, or ``patience`` is not an integer.
    ValueError
        ``patience`` is below 1.

    Examples
    --------
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
    """Folder and frequency of the checkpoints of a training, and whether the training is resumed.

    Checkpoints include the network, for `spherekit.nn.load`, if its layers belong to this package or are
    registered (`spherekit.nn.register`); otherwise `fit` warns, and they include the parameters only. A
    training can only be resumed with the same network: all hyperparameters are compared, functions and
    user-defined layers by name.

    Parameters
    ----------
    folder : str or path
        Folder of ``step-00000123.npz`` and ``best.npz``; created if it does not exist.
    keep_checkpoints : int
        Number of numbered checkpoints that are kept.
    checkpoint_every : int, optional
        Number of steps between checkpoints, in addition to the checkpoint after each epoch.
    resume : bool
        Whether to continue from the last checkpoint in the folder, if there is one.
    description : dict, optional
        Additional information that is stored with each checkpoint; JSON must be able to represent it.

    Raises
    ------
    TypeError
        ``folder`` is not a path, a number is not an integer, or JSON cannot represent ``description``.
    ValueError
        A number is below 1, or ``description`` contains a number that is not finite or the key "training".

    Examples
    --------
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
        keep_checkpoints = checks.integer(self.keep_checkpoints, "keep_checkpoints", 1)
        _set(self, keep_checkpoints=keep_checkpoints, resume=bool(self.resume))
        if self.checkpoint_every is not None:
            checkpoint_every = checks.integer(self.checkpoint_every, "checkpoint_every", 1)
            _set(self, checkpoint_every=checkpoint_every)
        if self.description is not None:
            _check_description(self.description)


def _check_description(description):
    """Raise an error if a checkpoint cannot represent the description, before the training starts."""
    if not isinstance(description, dict):
        raise TypeError(f"description is {description!r}; expected a dict that JSON can represent")
    if "training" in description:
        raise ValueError(
            "description has the entry 'training', which is reserved for the settings of the training; "
            "choose another key"
        )
    store.check_description(description)


def _check_folder(folder):
    """Raise ValueError if no checkpoint can be written in a folder, which need not exist."""
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
    """The validated and normalized arguments of `spherekit.train.fit`."""

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
            _set(self, max_norm=check_max_norm(self.max_norm))
        _set(self, optimizer=_validate_optimizer(self.optimizer))
        early_stopping = _as_instance(EarlyStopping, self.early_stopping, "early_stopping")
        _set(self, early_stopping=early_stopping)
        _set(self, checkpoints=_validate_checkpoints(self.checkpoints))
        _set(self, loss_name=_function_name(self.loss), loss=losses.resolve(self.loss))
        _set(self, metrics=metrics.resolve(self.metrics))
        _set(self, data=_validate_data(self.net, self.data, self.set_size, "data"))
        if self.validation is not None:
            validation = _validate_data(self.net, self.validation, self.set_size, "validation")
            _set(self, validation=validation)
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
        """Name of the value by which the best parameters are selected."""
        return self.early_stopping.monitor

    @property
    def sign(self):
        """1 where larger values of the monitored metric are better, else -1."""
        larger_is_better = getattr(self.metrics.get(self.monitor), "larger_is_better", False)
        return 1 if self.monitor != "loss" and larger_is_better else -1

    @cached_property
    def unregistered(self):
        """Descriptions of the layers and functions that `spherekit.nn.load` could not restore."""
        return networks.unregistered(self.net)

    @cached_property
    def settings(self):
        """Settings that determine the results of a training bit for bit, in a form that JSON can represent.

        The last two, and the schedule of a finished training, may change when the training is resumed.
        """
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
        """Description that is stored with each checkpoint."""
        return dict(self.checkpoints.description or {}) | {"training": self.settings}

    def patience_exhausted(self, checkpoint):
        """Return whether the monitored value has not improved for ``patience`` epochs."""
        return _patience_exhausted(self.early_stopping.patience, checkpoint)

    def batch(self, rows):
        """Return the signals and targets of a batch; each target has ``set_size`` signals."""
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
            keep_checkpoints=self.checkpoints.keep_checkpoints,
            best=best,
        )


def _set(value, **fields):
    for name, content in fields.items():
        object.__setattr__(value, name, content)


def is_path(value):
    """Return whether a value is a path: text or `os.PathLike`."""
    return isinstance(value, str | os.PathLike)


def check_network(net):
    """Raise TypeError if ``net`` is not a network with the type of its input."""
    if not isinstance(net, Sequential):
        raise TypeError(f"net is {net!r}; expected a network, nn.Sequential(nn.Sphere(...), ...)")
    if net.in_type is None:
        raise TypeError(
            "the network has no input type; pass it as the first argument, "
            "nn.Sequential(nn.Sphere(...), ...)"
        )


def _validate_optimizer(optimizer):
    if optimizer is None:
        return adam()
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"optimizer is {optimizer!r}; expected train.sgd(...), train.adam(...) or train.adamw(...)"
        )
    return optimizer


def _validate_checkpoints(checkpoints):
    if is_path(checkpoints):
        return Checkpointing(checkpoints)
    return None if checkpoints is None else _as_instance(Checkpointing, checkpoints, "checkpoints")


def _as_instance(cls, value, name):
    """Return ``value``, which must be an instance of ``cls``; an instance with defaults for None."""
    if value is None:
        return cls()
    if not isinstance(value, cls):
        path = "a path, or " if cls is Checkpointing else ""
        raise TypeError(f"{name} is {value!r}; expected {path}train.{cls.__name__}(...)")
    return value


def _function_name(function):
    if isinstance(function, str):
        return function
    return getattr(function, "__qualname__", str(type(function)))


def _check_monitor(early_stopping, functions, validation):
    monitor = early_stopping.monitor
    if monitor != "loss" and monitor not in functions:
        names = ", ".join(["loss", *functions])
        choices = f"one of {names}" if functions else "'loss'"
        raise ValueError(f"monitor is {monitor!r}; expected {choices}; otherwise add it to metrics")
    if validation is None and (early_stopping.patience is not None or monitor != "loss"):
        raise ValueError(
            "patience and monitor need validation data; pass validation=(signals, targets)"
        )


# --- data ----------------------------------------------------------------------------------------------


def check_signals(net, signals, name):
    """Return indexable signals and their number; raise ValueError for shapes that do not fit the network."""
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
    """Return rows of an array, in memory or in a file, as a plain array."""
    return checks.as_array(array[rows], "the batch of signals")


def _validate_data(net, data, set_size, name):
    """Return (signals, targets), which must fit the network and each other."""
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise TypeError(f"{name} is {type(data).__name__}; expected (signals, targets)")
    signals, count = check_signals(net, data[0], name)
    targets = check_targets(data[1], name)
    if not count:
        raise ValueError(
            f"{name}: signals of shape {tuple(signals.shape)}; expected at least one signal"
        )
    if targets.ndim == 0 or len(targets) * set_size != count:
        grouping = f" in sets of {set_size}" if set_size > 1 else ""
        raise ValueError(
            f"{name}: {count} signals{grouping} and targets of shape {targets.shape}; expected one target "
            f"for each {'set' if grouping else 'signal'}"
        )
    return signals, targets


def check_targets(targets, name):
    """Return targets as an array of finite numbers."""
    if np.ma.is_masked(targets):
        raise TypeError(
            f"{name}: {np.ma.count_masked(targets)} targets are masked; remove these signals, and pass "
            "targets.data of the remaining ones"
        )
    try:
        targets = checks.as_array(targets, "targets")
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None
    if targets.dtype.kind not in "iufc":
        hint = ": labels.astype(int)" if targets.dtype.kind == "b" else ""
        raise TypeError(
            f"{name}: targets have dtype {targets.dtype}; expected numbers, for classes integers >= 0"
            f"{hint}"
        )
    if not np.isfinite(targets).all():
        raise ValueError(f"{name}: targets contain NaN or infinite numbers")
    return targets


# --- initial state -------------------------------------------------------------------------------------


def start(job):
    """Return the checkpoint to start from: the last one in the folder, or that of the initial parameters."""
    params, state = job.initial
    folder = None if job.checkpoints is None else job.checkpoints.folder
    last = None if folder is None else store.latest(folder)
    if last is not None and not job.checkpoints.resume:
        raise ValueError(
            f"{os.fspath(folder)} contains a training ({last.name}); resume it with checkpoints="
            "train.Checkpointing(folder, resume=True), or choose another folder"
        )
    if last is not None:
        store.remove_temporary(folder)
        return _load_checkpoint(job, params, state, last)
    rng = np.random.default_rng([job.seed, 2**31])  # independent of the streams of the epochs
    return store.Checkpoint(
        params=params,
        state=state,
        optimizer_state=job.optimizer.init(params),
        step=0,
        epoch=0,
        random_state=rng.bit_generator.state,
        history=_empty_history(job),
        best={"params": params, "state": state, "value": None, "epoch": 0},
    )


def _empty_history(job):
    """Return the history before the first step, with empty columns."""
    columns = ["step", "train", *(["loss", *job.metrics] if job.validation is not None else [])]
    return {
        "steps": {"loss": [], "learning_rate": [], "gradient_norm": []},
        "epochs": {name: [] for name in columns},
    }


def check_initial(net, initial):
    """Raise an error if values are not (params, state) of the network, not finite, or of mixed precision."""
    if not isinstance(initial, tuple) or len(initial) != 2:
        raise TypeError(
            f"initial is {type(initial).__name__}; expected (params, state), as returned by net.init(rng)"
        )
    for name, tree in zip(("parameter", "state"), initial, strict=True):
        for path, array in flatten(tree):
            if array.dtype not in _DTYPES:
                raise TypeError(
                    f"{name} {path_text(path)} has dtype {array.dtype}; expected float32, float64, complex64 "
                    "or complex128, as returned by net.init"
                )
            if not np.isfinite(array).all():
                raise ValueError(f"{name} {path_text(path)} contains NaN or infinite numbers")
        if not isinstance(tree, list | tuple) or len(tree) != len(net.layers):
            entries = f"{len(tree)} layers" if hasattr(tree, "__len__") else type(tree).__name__
            raise ValueError(
                f"initial: the {name} tree is of {entries}, the network has {len(net.layers)} layers; "
                "net.init(rng) returns (params, state) of this network"
            )
    if reason := mismatch(net, *initial):
        if mismatch(net, *reversed(initial)) is None:
            raise ValueError(
                "initial is (state, params); expected (params, state), as returned by net.init"
            )
        raise ValueError(
            f"initial is of another network: it has {reason}; net.init(rng) returns (params, state) of this "
            "network"
        )
    if not flatten(initial[0]):
        raise ValueError("the network has no parameters to train; add a layer with parameters")


def check_single_tree(net, params):
    """Raise ValueError for a pair (params, state) in place of the parameters."""
    is_pair = isinstance(params, tuple) and len(params) == 2
    if not is_pair or not all(isinstance(tree, list | tuple) for tree in params):
        return
    if all(len(tree) == len(net.layers) for tree in params) and mismatch(net, *params) is None:
        raise ValueError("params is a pair (params, state); pass them separately")


# --- resumed trainings ---------------------------------------------------------------------------------


def _load_checkpoint(job, params, state, path):
    """Load the checkpoint to resume; raise ValueError if it is of another training."""
    checkpoint, description = store.load(path)
    settings = description.get("training", {})
    if not isinstance(settings, dict):
        raise ValueError(f"{path} is damaged: its settings are {repr(settings)[:60]}")
    if reason := networks.difference(settings.get("layers"), job.settings["layers"]):
        raise ValueError(f"{path} is of another network: {reason}")
    for expected, tree in ((params, checkpoint.params), (state, checkpoint.state)):
        if reason := difference(expected, tree):
            raise ValueError(f"{path} is of another network: it has {reason}")
    changes = [
        name
        for name in job.settings
        if name not in ("layers", "total_steps", "patience", "schedule")
        and settings.get(name) != job.settings[name]
    ]
    if changes:
        text = "; ".join(
            f"{name} was {settings.get(name)}, now {job.settings[name]}" for name in changes
        )
        raise ValueError(f"{path} is of another training: {text}")
    if reason := _inconsistency(job, checkpoint, settings):
        raise ValueError(f"{path} is damaged: {reason}")
    _check_schedule(job, checkpoint, settings, path)
    return checkpoint


def _inconsistency(job, checkpoint, settings):
    """Describe the first inconsistency in a checkpoint of this training; None if there is none."""
    counts = [(name, settings.get(name)) for name in ("total_steps", "patience")]
    for name, count in [*counts, ("epoch of its best", checkpoint.best["epoch"])]:
        if not store.is_count(count) and (name, count) != ("patience", None):
            return f"{name} is {count!r}; expected an integer"
    if checkpoint.epoch != checkpoint.step // job.steps_per_epoch:
        return (
            f"its step is {checkpoint.step}, its epoch {checkpoint.epoch}; an epoch has "
            f"{job.steps_per_epoch} steps"
        )
    lengths = {"steps": checkpoint.step, "epochs": checkpoint.epoch}
    for kind, columns in _empty_history(job).items():
        history = checkpoint.history.get(kind, {})
        for name in columns | history:
            if name not in columns or len(history.get(name, ())) != lengths[kind]:
                count = len(history.get(name, ()))
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


def _check_schedule(job, checkpoint, settings, path):
    """Raise ValueError for another schedule, unless the training was finished with that of the checkpoint."""
    # Earlier checkpoints name the argument of `schedules.exponential` "every".
    schedule = str(settings.get("schedule")).replace(", every=", ", decay_steps=")
    total = settings["total_steps"]
    if schedule == job.settings["schedule"]:
        return
    if checkpoint.step >= total or _patience_exhausted(settings["patience"], checkpoint):
        return
    raise ValueError(
        f"{path} is of an unfinished training, step {checkpoint.step} of {total}: its learning rate was "
        f"{schedule}, now {job.settings['schedule']}. Resume it with the former schedule; a finished "
        "training can be extended with another schedule. Or start a new training in another folder"
    )


def _patience_exhausted(patience, checkpoint):
    return patience is not None and checkpoint.epoch - checkpoint.best["epoch"] >= patience
