"""Configurations of trainings in TOML; all keys are checked before a training starts.

::

    [fit]
    epochs = 20
    batch_size = 32
    metrics = ["accuracy"]
    patience = 5

    [optimizer]
    name = "adamw"
    learning_rate = 1e-3
    weight_decay = 0.01

    [schedule]                # times are in epochs
    name = "cosine"
    warmup = 1

Other sections, such as [data] or [network], are checked by tables of keys that the caller passes.
"""

import os
import tomllib
from functools import partial
from typing import NamedTuple

from spherekit.train import losses, metrics, optimizers, schedules
from spherekit.train.job import Checkpointing, EarlyStopping
from spherekit.train.schema import Key, by_name, nearest, validate

__all__ = ["FIT", "OPTIMIZERS", "SCHEDULES", "Config", "parse", "read"]

_FRACTION = dict(minimum=0, below=1)

#: Keys of [fit].
FIT = {
    "epochs": Key("integer", 10, minimum=1),
    "batch_size": Key("integer", 32, minimum=1),
    "seed": Key("integer", 0, minimum=0),
    "loss": Key("text", "cross_entropy", choices=tuple(losses.LOSSES)),
    "metrics": Key("text", [], choices=tuple(metrics.METRICS), is_list=True),
    "monitor": Key("text", "loss"),
    "patience": Key("integer", None, minimum=1),
    "max_norm": Key("number", None, above=0),
    "keep_checkpoints": Key("integer", 3, minimum=1),
    "checkpoint_every": Key("integer", None, minimum=1),
    "dtype": Key("text", "float32", choices=("float32", "float64")),
}
_BETAS = {
    "beta1": Key("number", 0.9, **_FRACTION),
    "beta2": Key("number", 0.999, **_FRACTION),
    "eps": Key("number", 1e-8, above=0, below=1),
}
#: Keys of [optimizer] besides name and learning_rate, by name.
OPTIMIZERS = {
    "sgd": {"momentum": Key("number", 0.0, **_FRACTION), "nesterov": Key("boolean", False)},
    "adam": _BETAS,
    "adamw": {"weight_decay": Key("number", 0.01, minimum=0)} | _BETAS,
}
#: Keys of [schedule] besides name, by name; times in epochs.
SCHEDULES = {
    "constant": {},
    "cosine": {"warmup": Key("number", 0.0, minimum=0), "floor": Key("number", 0.0, minimum=0)},
    "steps": {
        "at": Key("number", above=0, is_list=True),
        "learning_rates": Key("number", minimum=0, is_list=True),
    },
    "exponential": {
        "factor": Key("number", above=0, maximum=1),
        "decay_epochs": Key("number", 1.0, above=0),
    },
}

_OPTIMIZER = {
    "name": Key("text", "adam", choices=tuple(OPTIMIZERS)),
    "learning_rate": Key("number", 1e-3, minimum=0),
}
_SCHEDULE = {"name": Key("text", "constant", choices=tuple(SCHEDULES))}

#: Sections and keys of version 0.1, and their new names.
_RENAMED_SECTIONS = {"optimiser": "optimizer"}
_RENAMED = {
    "fit": {
        "batch": "batch_size",
        "watch": "monitor",
        "clip": "max_norm",
        "keep": "keep_checkpoints",
        "every": "checkpoint_every",
        "sets": "set_size is an argument of spherekit.train.fit",
        "momentum": "the momentum of running statistics is an argument of nn.BatchNorm(momentum=0.9)",
    },
    "optimizer": {"rate": "learning_rate", "decay": "weight_decay"},
    "schedule": {"rates": "learning_rates"},
}


class Config(NamedTuple):
    """A checked configuration.

    Attributes
    ----------
    values : dict
        ``{section: {key: value}}`` with defaults, in a form that JSON can represent.
    source : str
        Name of the file in messages.

    Examples
    --------
    >>> parse("[fit]\\nepochs = 3").values["fit"]["epochs"]
    3
    """

    values: dict
    source: str

    @property
    def dtype(self) -> str:
        """Data type of the parameters, for ``net.init``."""
        return self.values["fit"]["dtype"]

    def options(
        self,
        count: int,
        *,
        folder: str | os.PathLike | None = None,
        resume: bool = False,
        description: dict | None = None,
    ) -> dict:
        """Return the keyword arguments of `spherekit.train.fit`.

        Parameters
        ----------
        count : int
            Number of training signals, or of sets.
        folder : str or path, optional
            Folder for checkpoints; by default none are written.
        resume : bool
            As in `Checkpointing`.
        description : dict, optional
            As in `Checkpointing`.

        Returns
        -------
        dict
            Keyword arguments, including the optimizer with its schedule, early stopping and, if ``folder`` is
            passed, checkpoints.

        Examples
        --------
        >>> sorted(parse("").options(100))
        ['batch_size', 'early_stopping', 'epochs', 'loss', 'max_norm', 'metrics', 'optimizer', 'seed']
        """
        fit = self.values["fit"]
        names = "epochs", "batch_size", "seed", "loss", "metrics", "max_norm"
        options = {name: fit[name] for name in names}
        options["optimizer"] = _optimizer(self, -(-count // fit["batch_size"]))
        options["early_stopping"] = EarlyStopping(fit["monitor"], fit["patience"])
        if folder is not None:
            options["checkpoints"] = Checkpointing(
                folder,
                keep_checkpoints=fit["keep_checkpoints"],
                checkpoint_every=fit["checkpoint_every"],
                resume=resume,
                description=description,
            )
        return options


def read(path: str | os.PathLike, tables: dict | None = None) -> Config:
    """Read the configuration of a training from a TOML file.

    Parameters
    ----------
    path : str or path
        TOML file.
    tables : dict, optional
        ``{section: {key: Key}}`` for additional sections. Instead of ``{key: Key}`` also a function of (name
        of the section, section) that returns the values, such as those of `schema.by_name`. A section can be
        omitted if all its keys have defaults.

    Returns
    -------
    Config

    Raises
    ------
    FileNotFoundError
        The file does not exist.
    ValueError
        The file is not TOML, a section or key is unknown or missing, or a value has another type or is out of
        range.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "training.toml")
    >>> _ = path.write_text("[fit]\\nepochs = 3")
    >>> read(path).values["fit"]["epochs"]
    3
    """
    name = os.fspath(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no configuration {name}")
    with open(path, "rb") as file:
        text = file.read()
    try:
        return parse(text.decode(), tables, name)
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not text in UTF-8: {error}") from None


def parse(text: str, tables: dict | None = None, source: str = "the configuration") -> Config:
    """Parse the configuration of a training from TOML text.

    Parameters
    ----------
    text : str
        TOML text.
    tables : dict, optional
        As in `read`.
    source : str
        Name of the text in messages.

    Returns
    -------
    Config

    Raises
    ------
    ValueError
        As in `read`.

    Examples
    --------
    >>> config = parse("[fit]\\nepochs = 3\\n[optimizer]\\nname = 'sgd'\\nlearning_rate = 0.1")
    >>> config.options(64)["optimizer"].learning_rate(0)
    0.1
    >>> parse("[fit]\\nepoch = 3")
    Traceback (most recent call last):
        ...
    ValueError: the configuration: [fit] has no 'epoch'; did you mean 'epochs'?
    """
    try:
        sections = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of long numbers and deep lists
        raise ValueError(f"{source} is not TOML: {error}") from None
    try:
        return Config(check_sections(sections, tables), source)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None


def check_sections(sections, tables=None):
    """Return the values of a `Config` for the content of a TOML file as a dict; ``tables`` as in `read`."""
    tables = dict(tables or {})
    section_names = ("fit", "optimizer", "schedule", *tables)
    for name, section in sections.items():
        if name not in section_names:
            raise ValueError(f"there is no {_unknown_section(name, section, section_names)}")
        if not isinstance(section, dict):
            raise ValueError(f"{name} is {section!r}; expected a section [{name}]")
    optimizer, schedule = (sections.get(name, {}) for name in ("optimizer", "schedule"))
    schedule = _with_decay_epochs(schedule)
    values = {
        "fit": validate("fit", sections.get("fit", {}), FIT, _RENAMED["fit"]),
        "optimizer": by_name(OPTIMIZERS, _OPTIMIZER, _RENAMED["optimizer"])("optimizer", optimizer),
        "schedule": by_name(SCHEDULES, _SCHEDULE, _RENAMED["schedule"])("schedule", schedule),
    }
    _check_together(values, "learning_rate" in optimizer)
    for name, table in tables.items():
        check = table if callable(table) else partial(validate, table=table)
        values[name] = check(name, sections.get(name, {}))
    return values


def _with_decay_epochs(schedule):
    """Rename the key ``every`` of earlier versions, which is still accepted."""
    if "every" not in schedule:
        return schedule
    if "decay_epochs" in schedule:
        raise ValueError("[schedule] has decay_epochs and every, its former name; remove every")
    return {"decay_epochs" if key == "every" else key: value for key, value in schedule.items()}


def _unknown_section(name, section, section_names):
    if not isinstance(section, dict):
        return f"key {name!r} outside of a section{nearest(name, section_names)}"
    new = _RENAMED_SECTIONS.get(name)
    advice = f"; it is called [{new}] since version 0.2" if new else nearest(name, section_names)
    return f"section [{name}]{advice}"


def _check_together(values, has_learning_rate):
    """Check conditions that involve several keys."""
    fit = values["fit"]
    schedule = values["schedule"]
    epochs = fit["epochs"]
    monitors = ("loss", *fit["metrics"])
    if fit["monitor"] not in monitors:
        choices = f"one of {', '.join(monitors)}" if fit["metrics"] else "'loss'"
        raise ValueError(
            f"[fit] monitor is {fit['monitor']!r}; expected {choices}; otherwise add it to [fit] metrics"
        )
    if schedule["name"] == "cosine" and schedule["warmup"] >= epochs:
        raise ValueError(
            f"[schedule] warmup is {schedule['warmup']:g} of {epochs} epochs; expected fewer"
        )
    if schedule["name"] == "steps":
        if has_learning_rate:
            raise ValueError(
                "[optimizer] learning_rate and [schedule] learning_rates are both set; remove one of them"
            )
        count, changes = len(schedule["learning_rates"]), len(schedule["at"])
        if count != changes + 1:
            raise ValueError(
                f"[schedule] has {count} learning_rates and {changes} epochs in at; expected one more "
                "learning rate than epochs"
            )
    _optimizer(Config(values, ""), 1000)  # checks the values of the optimizer and the schedule


def _optimizer(config, steps_per_epoch):
    settings = dict(config.values["optimizer"])
    schedule = dict(config.values["schedule"])
    kind = settings.pop("name")
    learning_rate = settings.pop("learning_rate")
    total = config.values["fit"]["epochs"] * steps_per_epoch
    if schedule["name"] == "cosine":
        warmup = min(round(schedule["warmup"] * steps_per_epoch), total - 1)
        learning_rate = schedules.cosine(learning_rate, total, warmup, float(schedule["floor"]))
    elif schedule["name"] == "steps":
        at = [max(round(epoch * steps_per_epoch), 1) for epoch in schedule["at"]]
        learning_rate = schedules.steps(schedule["learning_rates"], at)
    elif schedule["name"] == "exponential":
        decay_steps = max(round(schedule["decay_epochs"] * steps_per_epoch), 1)
        learning_rate = schedules.exponential(learning_rate, schedule["factor"], decay_steps)
    return getattr(optimizers, kind)(learning_rate, **settings)


def __dir__():
    return sorted(__all__)
