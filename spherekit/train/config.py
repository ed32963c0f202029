"""Trainings described in TOML: every key is checked, with words, before anything is made.

    [fit]
    epochs = 20
    batch = 32
    metrics = ["accuracy"]
    patience = 5

    [optimiser]
    name = "adamw"
    rate = 1e-3
    decay = 0.01

    [schedule]                # times are in epochs
    name = "cosine"
    warmup = 1

Sections of one's own, such as [data] or [network], are checked by a table of their keys that the caller
gives.
"""

import os
import tomllib
from functools import partial
from typing import NamedTuple

from spherekit.train import losses, metrics, optimizers, schedules
from spherekit.train.schema import Key, by_name, checked, nearest

_SHARE = dict(least=0, below=1)

FIT = {
    "epochs": Key("whole", 10, least=1),
    "batch": Key("whole", 32, least=1),
    "seed": Key("whole", 0, least=0),
    "loss": Key("text", "cross_entropy", among=tuple(losses.LOSSES)),
    "metrics": Key("text", [], among=tuple(metrics.METRICS), many=True),
    "watch": Key("text", "loss"),
    "patience": Key("whole", None, least=1),
    "clip": Key("number", None, above=0),
    "momentum": Key("number", 0.9, **_SHARE),
    "keep": Key("whole", 3, least=1),
    "every": Key("whole", None, least=1),
    "dtype": Key("text", "float32", among=("float32", "float64")),
}
_BETAS = {
    "beta1": Key("number", 0.9, **_SHARE),
    "beta2": Key("number", 0.999, **_SHARE),
    "eps": Key("number", 1e-8, above=0, below=1),
}
#: Keys beside name and rate, by name.
OPTIMISERS = {
    "sgd": {"momentum": Key("number", 0.0, **_SHARE), "nesterov": Key("flag", False)},
    "adam": _BETAS,
    "adamw": {"decay": Key("number", 0.01, least=0)} | _BETAS,
}
#: Keys beside name, by name; times in epochs.
SCHEDULES = {
    "constant": {},
    "cosine": {"warmup": Key("number", 0.0, least=0), "floor": Key("number", 0.0, least=0)},
    "steps": {"at": Key("number", above=0, many=True), "rates": Key("number", least=0, many=True)},
    "exponential": {
        "factor": Key("number", above=0, most=1),
        "every": Key("number", 1.0, above=0),
    },
}


class Config(NamedTuple):
    """A checked configuration.

    values : {section: {key: value}}, defaults filled in, as JSON can hold them
    source : the file, for messages
    """

    values: dict
    source: str

    @property
    def dtype(self):
        """Of the parameters, for ``net.init``."""
        return self.values["fit"]["dtype"]

    def options(self, count):
        """The arguments of `fit` for ``count`` training signals (or sets), optimiser and schedule made."""
        some = {name: v for name, v in self.values["fit"].items() if name != "dtype"}
        return some | {"optimiser": _optimiser(self, -(-count // some["batch"]))}


def read(path, tables=None):
    """`Config` of a TOML file.

    Parameters
    ----------
    path : str or path
    tables : dict, optional
        {section: {key: Key}} of the caller's own sections; or in place of {key: Key} a function of (section,
        what is given) that returns its values, as `schema.by_name` makes. A section all of whose keys have
        defaults may be left out.

    Raises
    ------
    FileNotFoundError
    ValueError
        No TOML; an unknown section or key, with the nearest known one; a value of another type or range.
    """
    name = os.fspath(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no configuration {name}")
    with open(path, "rb") as file:
        text = file.read()
    try:
        return parse(text.decode(), tables, name)
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is no text in UTF-8: {error}") from None


def parse(text, tables=None, source="the configuration"):
    """`Config` of TOML text.

    >>> parse("[fit]\\nepochs = 3\\n[optimiser]\\nname = 'sgd'\\nrate = 0.1").options(64)["optimiser"].rate(0)
    0.1
    >>> parse("[fit]\\nepoch = 3")
    Traceback (most recent call last):
        ...
    ValueError: the configuration: [fit] has no 'epoch'; did you mean 'epochs'?
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{source} is no TOML: {error}") from None
    tables = dict(tables or {})
    try:
        return Config(_values(given, tables), source)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None


def _values(given, tables):
    own = ("fit", "optimiser", "schedule")
    for section, some in given.items():
        if section not in (*own, *tables):
            kind = (
                f"section [{section}]"
                if isinstance(some, dict)
                else f"key {section!r} outside of a section"
            )
            raise ValueError(f"there is no {kind}{nearest(section, (*own, *tables))}")
        if not isinstance(some, dict):
            raise ValueError(f"{section} is {some!r}; expected a section [{section}]")
    found = {"fit": checked("fit", given.get("fit", {}), FIT)}
    rate = {
        "name": Key("text", "adam", among=tuple(OPTIMISERS)),
        "rate": Key("number", 1e-3, least=0),
    }
    found["optimiser"] = by_name(OPTIMISERS, rate)("optimiser", given.get("optimiser", {}))
    plan = {"name": Key("text", "constant", among=tuple(SCHEDULES))}
    found["schedule"] = by_name(SCHEDULES, plan)("schedule", given.get("schedule", {}))
    _together(found, "rate" in given.get("optimiser", {}))
    for name, table in tables.items():
        check = table if callable(table) else partial(checked, table=table)
        found[name] = check(name, given.get(name, {}))
    return found


def _together(found, rate_given):
    """What keys ask of each other."""
    fit, schedule, epochs = found["fit"], found["schedule"], found["fit"]["epochs"]
    watched = ("loss", *fit["metrics"])
    if fit["watch"] not in watched:
        raise ValueError(f"[fit] watch is {fit['watch']!r}; expected one of {', '.join(watched)}: the loss, "
                         "or one of [fit] metrics")  # fmt: skip
    if schedule["name"] == "cosine" and schedule["warmup"] >= epochs:
        raise ValueError(
            f"[schedule] warmup is {schedule['warmup']:g} of {epochs} epochs; expected fewer"
        )
    if schedule["name"] == "steps":
        if rate_given:
            raise ValueError("[optimiser] rate beside [schedule] rates; leave one out")
        if len(schedule["rates"]) != len(schedule["at"]) + 1:
            raise ValueError(
                f"[schedule] has {len(schedule['rates'])} rates and {len(schedule['at'])} epochs at "
                "which they change; expected one more rate"
            )
    _optimiser(Config(found, ""), 1000)  # what they refuse themselves


def _optimiser(config, per_epoch):
    settings, plan = dict(config.values["optimiser"]), dict(config.values["schedule"])
    kind, name, rate = settings.pop("name"), plan.pop("name"), settings.pop("rate")
    total = config.values["fit"]["epochs"] * per_epoch
    if name == "cosine":
        warmup = min(round(plan["warmup"] * per_epoch), total - 1)
        rate = schedules.cosine(rate, total, warmup, float(plan["floor"]))
    elif name == "steps":
        at = [max(round(epoch * per_epoch), 1) for epoch in plan["at"]]
        rate = schedules.steps(plan["rates"], at)
    elif name == "exponential":
        every = max(round(plan["every"] * per_epoch), 1)
        rate = schedules.exponential(rate, plan["factor"], every)
    return getattr(optimizers, kind)(rate, **settings)
