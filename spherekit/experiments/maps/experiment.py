"""The experiment for the commands: labeled maps, listed in a CSV file.

It needs no configuration file: ``spherekit train --maps train.csv``. Beside the sections of
`spherekit.train.config` a configuration may have ::

    experiment = "maps"

    [data]
    maps = "train.csv"        # columns path,label; relative to the working directory; or by --maps
    L = 64                    # degrees >= L are truncated; by default the band-limit of the first map
    labels = "classes"        # or "numbers"; by default numbers if all labels are numbers
    validation = 0.2          # fraction, of each class
    test = 0.2
    seed = 0                  # of the split

    [network]                 # as in `model`

By default the network is small, and the loss is the cross-entropy of classes or the mean squared error of
standardized numbers; predictions are in the units of the labels. The default number of epochs is 40, or as
many as needed for 300 steps. Keys of [optimizer] and [schedule] replace single defaults; with another
``name`` they replace all defaults of the section. All maps are converted to the unit of the first map.
"""

import math
import os
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from spherekit import nn
from spherekit._core import scaling
from spherekit._core.pytree import tree_leaves
from spherekit.experiments import common
from spherekit.experiments.base import Experiment, Model, Table, Trained, Training
from spherekit.experiments.maps import data as maps_of
from spherekit.experiments.maps import model as models
from spherekit.experiments.maps import report, units
from spherekit.experiments.maps.labels import look_like_classes, read_labels
from spherekit.experiments.signals import (
    Analysis,
    coefficients,
    has_upper_half,
    low_coefficients,
)
from spherekit.experiments.standardization import Amplitudes
from spherekit.train import loop, metrics
from spherekit.train.config import Config
from spherekit.train.schema import Key

_FRACTION = dict(minimum=0, below=1)
_DATA = {
    "maps": Key("text", None),
    "L": Key("integer", None, minimum=1),
    "labels": Key("text", None, choices=("classes", "numbers")),
    "validation": Key("number", 0.2, **_FRACTION),
    "test": Key("number", 0.2, **_FRACTION),
    "seed": Key("integer", 0, minimum=0),
    "field": Key("text", None),
    "grid": Key("text", None),
    "hdu": Key("text", None),
    "ordering": Key("text", None, choices=("ring", "nested")),
}
_FIT = {"epochs": 40, "batch_size": 16, "max_norm": 1.0}
#: Defaults of [fit] for each kind of labels.
_FIT_BY_KIND = {
    "classes": {"loss": "cross_entropy", "metrics": ["accuracy"]},
    "numbers": {"loss": "mse", "metrics": ["rmse"]},
}
_OPTIMIZER = {"name": "adamw", "learning_rate": 0.01, "weight_decay": 0.01}
_SCHEDULE = {"name": "cosine"}
#: Losses and metrics for each kind of labels.
_SUITABLE = {
    "classes": {"loss": ("cross_entropy",), "metrics": ("accuracy",)},
    "numbers": {"loss": ("mse", "rmse", "mae"), "metrics": ("rmse", "mae")},
}
#: Smallest default number of steps of a training.
_MIN_STEPS = 300
#: Options that select the map in a file; predictions use those of the training.
_FILE_OPTIONS = "field", "hdu", "grid", "ordering"


class Maps(Experiment):
    """Classification or regression of labeled maps, listed in a CSV file.

    Examples
    --------
    >>> from spherekit import experiments
    >>> experiment, config = experiments.read("maps")
    >>> experiment.title, config.values["network"]["name"]
    ('labeled maps, listed in a CSV file', 'small')
    """

    name = "maps"
    title = "labeled maps, listed in a CSV file"
    sections = {"data": _DATA, "network": models.check}

    def defaults(self, content: dict) -> dict:
        data, fit = (content.get(section, {}) for section in ("data", "fit"))
        if not isinstance(data, dict) or not isinstance(fit, dict):
            return content  # the check of the sections raises the error
        source, kind = data.get("maps"), data.get("labels")
        labels = None
        if kind not in _FIT_BY_KIND:
            kind = None
        if isinstance(source, str):
            labels = read_labels(source, kind)
            kind = "classes" if labels.classes else "numbers"
        settings = _FIT | _FIT_BY_KIND[kind or "classes"] | fit
        if labels is not None and "epochs" not in fit:
            settings["epochs"] = _epochs(labels, data, settings["batch_size"])
        optimizer = _merged(_OPTIMIZER, content.get("optimizer", {}))
        schedule = _merged(_SCHEDULE, content.get("schedule", {}))
        # the schedule "steps" has learning rates of its own
        if isinstance(schedule, dict) and schedule.get("name") == "steps":
            if "learning_rate" not in content.get("optimizer", {}):
                optimizer = {key: x for key, x in optimizer.items() if key != "learning_rate"}
        return content | {"optimizer": optimizer, "schedule": schedule, "fit": settings}

    def check(self, values: dict) -> None:
        data, fit = values["data"], values["fit"]
        if not data["validation"] and (fit["patience"] is not None or fit["monitor"] != "loss"):
            raise ValueError(
                "[fit] patience and monitor need validation maps: [data] validation > 0"
            )
        if data["validation"] + data["test"] >= 1:
            raise ValueError(
                f"[data] validation is {data['validation']:g} and test {data['test']:g}; expected fractions "
                "with a sum below 1, so that maps remain for training: lower them"
            )
        if data["maps"] is not None:
            _check_suitable(fit, read_labels(data["maps"], data["labels"]))

    def gather(
        self,
        config: Config,
        folder: str | os.PathLike,
        *,
        read: Callable,
        analysis: Analysis | None = None,
        progress: Callable | None = None,
    ) -> maps_of.LabeledMaps:
        labels = _labels(config)
        options = dict(analysis=analysis, progress=progress)
        return maps_of.gather(labels, folder, config.values, _reader(config, read), **options)

    def summary(self, config: Config, data: maps_of.LabeledMaps) -> Iterator[str]:
        labels, (train, validation, test) = data.labels, data.subsets
        if labels.classes is None:
            low, high = labels.targets.min(), labels.targets.max()
            kind = f"with numbers from {low:g} to {high:g}"
        else:
            kind = f"of {len(labels.classes)} classes"
            if len(labels.classes) <= report.MAX_CONFUSION_CLASSES:
                counts = np.bincount(labels.targets)
                pairs = zip(counts, labels.classes, strict=True)
                kind += ": " + ", ".join(f"{count} {name}" for count, name in pairs)
        yield f"{len(labels.paths)} maps {kind}"
        if look_like_classes(labels):
            yield "   (few distinct integers: if they denote classes, pass --classes)"
        yield f"{len(train)} for training, {len(validation)} for validation, {len(test)} for the test"
        yield f"band-limit: {data.band_limit}"
        yield from data.notes
        values = config.values
        outputs = len(labels.classes) if labels.classes else 1
        yield from models.describe(
            values["network"], models.network(values["network"], data.L, outputs)
        )
        yield from _describe_training(values, len(train))
        if labels.classes is None:
            center, width = _center_and_width(labels, train)
            names = ", ".join(values["fit"]["metrics"])
            yield (
                f"loss: {values['fit']['loss']} of standardized labels, (label - {center:.4g}) / {width:.4g}"
                + (f"; {names}: in the units of the labels" if names else "")
            )

    def trainings(self, config: Config, data: maps_of.LabeledMaps) -> list[Training]:
        labels = data.labels
        values = config.values
        targets, indices = labels.targets, data.subsets
        train = indices[0]
        try:
            amplitudes = Amplitudes.of(*data.select(train))
        except ValueError as error:
            raise ValueError(f"{labels.source}: {error}") from None
        description = {
            "L": data.L,
            "cut": data.cut,
            "has_upper_half": data.has_upper_half,
            "classes": labels.classes,
            "mean": [amplitudes.mean],
            "scale": [amplitudes.scale],
            "unit": data.unit,
        }
        description |= {name: values["data"][name] for name in _FILE_OPTIONS}
        for name, rows in zip(("training", "validation", "test"), indices, strict=True):
            description[f"labels_of_{name}"] = labels.checksum(rows)
        validation_metrics = None
        if labels.classes is None:
            center, width = _center_and_width(labels, train)
            description |= {"center": center, "width": width}
            e = scaling.exponent(targets)
            scaled_values = (scaling.ldexp(np.array(x), -e) for x in (targets, center, width))
            scaled, scaled_center, scaled_width = scaled_values
            targets = ((scaled - scaled_center) / scaled_width)[:, None]
            validation_metrics = _metrics_in_units(values["fit"]["metrics"], width)
        subsets = [(amplitudes.standardize(*data.select(rows)), targets[rows]) for rows in indices]
        outputs = len(labels.classes) if labels.classes else 1
        net = models.network(values["network"], data.L, outputs)
        params, state = common.initial(net, config)
        train, validation, test = subsets
        validation = validation if len(validation[1]) else None
        arguments = train, validation, test, description
        name = values["network"].get("name", "network")
        title = f"{name}, {nn.count_parameters(params)} parameters"
        return [Training(title, net, params, state, *arguments, metrics=validation_metrics)]

    def report(
        self,
        config: Config,
        data: maps_of.LabeledMaps,
        trained: Sequence[Trained],
        threads: int | None = None,
    ) -> Iterator[str]:
        (network,) = trained
        fit = config.values["fit"]
        if network.epoch is not None:
            best = {"loss": "lowest validation loss"}.get(
                fit["monitor"], f"best validation {fit['monitor']}"
            )
            yield f"parameters of epoch {network.epoch} of {fit['epochs']}, with the {best}"
        x, targets = network.training.test
        if not len(targets):
            yield "no test maps ([data] test, --test): nothing to report"
            return
        net, params, state = network.training.net, network.params, network.state
        outputs = loop.predict(net, params, x, state=state, threads=threads)
        labels, rows = data.labels, data.subsets[2]
        if labels.classes is None:
            description = network.training.description
            center, width = description["center"], description["width"]
            predicted = center + width * outputs[:, 0].astype(float)
            yield from report.on_numbers(center, predicted, labels.targets[rows])
        else:
            train = labels.targets[data.subsets[0]]
            yield from report.on_classes(labels.classes, outputs, labels.targets[rows], train)

    def example_batch(self, config: Config, read: Callable) -> tuple:
        from spherekit.testing import random_flm

        labels = _labels(config)
        values = config.values
        L, _, _ = maps_of.band_limit(labels, values["data"]["L"], _reader(config, read))
        count = values["fit"]["batch_size"]
        rng = np.random.default_rng(values["fit"]["seed"])
        dtype = np.result_type(values["fit"]["dtype"], np.complex64)
        x = random_flm(L, rng, reality=True, shape=(count, 1), dtype=dtype)
        outputs = len(labels.classes) if labels.classes else 1
        net = models.network(values["network"], L, outputs)
        targets = np.arange(count) % outputs
        if labels.classes is None:
            targets = rng.standard_normal((count, 1))
        return net, common.initial(net, config), (x, targets)

    def check_model(self, net: nn.Sequential, description: dict) -> None:
        L, classes = description["L"], description["classes"]
        if not isinstance(L, int) or net.in_type != nn.Sphere(L, 1):
            raise ValueError(f"its network expects {net.in_type}, but its maps have degrees < {L}")
        if classes is not None and not (
            isinstance(classes, list) and all(isinstance(name, str) for name in classes)
        ):
            raise ValueError(f"its classes are {classes!r}; expected names")
        outputs = 1 if classes is None else len(classes)
        if net.out_type() != nn.Features(outputs):
            raise ValueError(
                f"its network returns {net.out_type()}; expected {nn.Features(outputs)}"
            )
        names = ["mean", "scale"] + (["center", "width"] if classes is None else [])
        for name in names:
            values = np.array(description[name], float)
            if values.size != 1 or not np.isfinite(values).all():
                raise ValueError(f"its {name} is {description[name]!r}; expected one number")
            if name in ("scale", "width") and not values.item() > 0:
                raise ValueError(f"its {name} is {description[name]!r}; expected a positive number")
        for name in ("unit", *_FILE_OPTIONS):
            text = description[name]
            if not (isinstance(text, str) or (text is None and name != "unit")):
                raise ValueError(f"its {name} is {text!r}; expected text")
        for name in ("cut", "has_upper_half"):
            if not isinstance(description[name], bool):
                raise ValueError(f"its {name} is {description[name]!r}; expected true or false")

    def predict(
        self,
        model: Model,
        paths: Sequence[str],
        *,
        read: Callable,
        analysis: Analysis | None = None,
        progress: Callable | None = None,
    ) -> Table:
        analysis = Analysis() if analysis is None else analysis
        description = model.description
        rows = []
        dtype = np.result_type(*(array.dtype for array in tree_leaves(model.params)), np.complex64)
        amplitudes = Amplitudes(*description["mean"], *description["scale"])
        file_options = {
            name: description[name] for name in _FILE_OPTIONS if description[name] is not None
        }
        converted = []
        for number, path in enumerate(paths):
            signal = read(path, **file_options)
            unit = units.plain(signal.unit)
            try:
                factor = units.factor(unit, description["unit"], "the training maps")
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
            x, monopole, e = maps_of.split_scale(_flm(signal, description, analysis), dtype)
            if unit != description["unit"]:
                converted.append(unit)
                x, monopole = x * factor, monopole * factor
            monopole = scaling.ldexp(np.array([monopole]), -e)
            x = amplitudes.standardize(x[None], monopole, e)
            network = model.net, model.params, x
            options = dict(state=model.state, threads=analysis.threads)
            outputs = loop.predict(*network, **options)[0].astype(float)
            if description["classes"] is None:
                rows.append([path, _value(outputs[0], description, path)])
            else:
                powers = np.exp(outputs - outputs.max())
                p = powers / powers.sum()
                rows.append([path, *common.class_row(description["classes"], p, path)])
            if progress is not None:
                progress(number + 1, len(paths))
        note = "".join(
            f"; {converted.count(unit)} in {unit}, converted to {description['unit']}"
            for unit in dict.fromkeys(converted)
        )
        if description["classes"] is not None:
            table = common.class_table(description["classes"], rows)
            return table._replace(summary=table.summary + note)
        values = [float(row[1]) for row in rows]
        summary = (
            f"{len(rows)} map{'s' * (len(rows) != 1)}, values from {min(values):.4g} to "
            f"{max(values):.4g}"
        )
        return Table(["file", "value"], rows, summary + note)


def _labels(config):
    data = config.values["data"]
    if data["maps"] is None:
        raise ValueError(
            f"{config.source}: [data] needs maps, a CSV file with the columns path,label; or pass --maps"
        )
    return read_labels(data["maps"], data["labels"])


def _merged(defaults, section):
    """The settings of a section with defaults; without defaults if it has another name."""
    if not isinstance(section, dict) or section.get("name", defaults["name"]) != defaults["name"]:
        return section
    return defaults | section


def _epochs(labels, data, batch_size):
    """Default number of epochs: at least `_MIN_STEPS` steps."""
    fractions = (data.get(name, _DATA[name].default) for name in ("validation", "test"))
    try:
        count = len(maps_of.split(labels, *fractions, 0)[0])
        return max(_FIT["epochs"], math.ceil(_MIN_STEPS / math.ceil(count / batch_size)))
    except (ValueError, TypeError, ArithmeticError):  # a later check raises it with a message
        return _FIT["epochs"]


def _check_suitable(fit, labels):
    """Raise ValueError if the loss or a metric does not apply to labels of this kind."""
    kind = "classes" if labels.classes else "numbers"
    for key, allowed in _SUITABLE[kind].items():
        for name in [fit[key]] if key == "loss" else fit[key]:
            if name not in allowed:
                hint = "; pass --classes if the numbers denote classes" if kind == "numbers" else ""
                raise ValueError(
                    f"[fit] {key} has {name!r}, but the labels of {labels.source} are {kind}; expected "
                    f"{' or '.join(allowed)}{hint}"
                )


def _describe_training(values, count):
    """Lines on the length of a training, its optimizer and its schedule."""
    fit, optimizer, schedule = (dict(values[name]) for name in ("fit", "optimizer", "schedule"))
    steps = math.ceil(count / fit["batch_size"])
    yield (
        f"training: {fit['epochs']} epochs of {steps} step{'s' * (steps != 1)}, at most "
        f"{fit['batch_size']} maps each"
    )
    name, learning_rate = optimizer.pop("name"), optimizer.pop("learning_rate")
    learning_rates = schedule.get("learning_rates")
    if learning_rates:
        rate_text = f"learning rates {', '.join(f'{x:g}' for x in learning_rates)}"
    else:
        rate_text = f"learning rate {learning_rate:g}"
    decay = f", weight decay {optimizer['weight_decay']:g}" if "weight_decay" in optimizer else ""
    yield f"   {name}, {rate_text}{decay}; schedule {schedule['name']}"


def _center_and_width(labels, train):
    """Mean and standard deviation of the labels of the training maps."""
    e = scaling.exponent(labels.targets)
    targets = scaling.ldexp(labels.targets[train], -e)
    pair = np.array([targets.mean(), targets.std()])
    center, width = (float(x) for x in scaling.ldexp(pair, e))
    if width == 0 or not np.ptp(targets):
        raise ValueError(
            f"{labels.source}: all labels of the training maps are {center:g}; expected numbers that "
            "differ: add maps, or choose another --seed"
        )
    return center, width


def _reader(config, read):
    """``read`` with the file options of [data]."""
    data = config.values["data"]
    names = ("field", "grid", "hdu", "ordering")
    options = {name: data[name] for name in names if data[name] is not None}
    return lambda path: read(path, **options)


def _metrics_in_units(names, width):
    """Metrics of standardized numbers, scaled to the units of the labels."""

    def in_unit(metric):
        return lambda outputs, targets: width * metric(outputs, targets)

    return {name: in_unit(metrics.METRICS[name]) for name in names}


def _flm(signal, description, analysis):
    """Coefficients of a map, computed in the same way as for the training."""
    L = description["L"]
    flm = (low_coefficients if description["cut"] else coefficients)(signal, L, analysis)
    if has_upper_half(flm) != description["has_upper_half"]:
        power = "no power" if description["has_upper_half"] else "power"
        raise ValueError(
            f"{signal.name} has {power} at degrees {L // 2}..{L - 1}, unlike the training maps; expected a "
            "map of their band-limit"
        )
    return flm


def _value(output, description, path):
    value = description["center"] + description["width"] * output
    if not np.isfinite(value):
        raise ValueError(
            f"{path}: the prediction is {value}; expected a finite number: check the units of its samples"
        )
    return f"{value:.6g}"
