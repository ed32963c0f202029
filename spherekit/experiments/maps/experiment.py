"""The experiment for the commands: own maps, listed in a CSV file.

Without any TOML: ``spherekit train --maps train.csv``. Beside the sections of `spherekit.train.config` a file
may have ::

    experiment = "maps"

    [data]
    maps = "train.csv"        # columns path,label; relative to where the command runs; or by --maps
    L = 64                    # degrees from L on are cut off; by default the band-limit of the first map
    labels = "classes"        # or "numbers"; by default numbers where all labels are
    validation = 0.2          # share, of each class
    test = 0.2
    seed = 0                  # of the split

    [network]                 # as `model`

By default the network is small, its loss the cross-entropy of classes or the mean squared error of
standardized numbers; predictions are in the units of the labels.
"""

import numpy as np

from spherekit import nn
from spherekit._core.pytree import leaves
from spherekit.experiments import common
from spherekit.experiments.common import Table, Training
from spherekit.experiments.maps import data as maps_of
from spherekit.experiments.maps import model
from spherekit.experiments.signals import (
    Analysis,
    coefficients,
    has_upper_half,
    low_coefficients,
)
from spherekit.experiments.standardization import standardize, statistics
from spherekit.train import loop, losses, metrics
from spherekit.train.schema import Key

_SHARE = dict(least=0, below=1)
_DATA = {
    "maps": Key("text", None),
    "L": Key("whole", None, least=1),
    "labels": Key("text", None, among=("classes", "numbers")),
    "validation": Key("number", 0.2, **_SHARE),
    "test": Key("number", 0.2, **_SHARE),
    "seed": Key("whole", 0, least=0),
    "field": Key("text", None),
    "grid": Key("text", None),
    "hdu": Key("text", None),
    "ordering": Key("text", None, among=("ring", "nested")),
}
_FIT = {"epochs": 40, "batch_size": 16, "max_norm": 1.0}
_OF_KIND = {
    "classes": {"loss": "cross_entropy", "metrics": ["accuracy"]},
    "numbers": {"loss": "mse", "metrics": ["rmse"]},
}
_OPTIMIZER = {"name": "adamw", "learning_rate": 0.01, "weight_decay": 0.01}
_SCHEDULE = {"name": "cosine"}
#: Most classes of which reports list the counts.
_CONFUSIONS = 12


class Maps(common.Experiment):
    """Own maps with labels: a network that predicts classes or numbers."""

    name = "maps"
    title = "own maps with labels, listed in a CSV file"
    sections = {"data": _DATA, "network": model.check}

    def defaults(self, content):
        data, fit = (content.get(section, {}) for section in ("data", "fit"))
        if not isinstance(data, dict) or not isinstance(fit, dict):
            return content  # which is refused with a message
        source, kind = data.get("maps"), data.get("labels")
        if kind not in _OF_KIND:
            kind = None
        if isinstance(source, str):
            kind = "classes" if maps_of.read_labels(source, kind).classes else "numbers"
        settings = _FIT | _OF_KIND[kind or "classes"] | fit
        return {"optimizer": _OPTIMIZER, "schedule": _SCHEDULE} | content | {"fit": settings}

    def check(self, values):
        data, fit = values["data"], values["fit"]
        if not data["validation"] and (fit["patience"] is not None or fit["monitor"] != "loss"):
            raise ValueError(
                "[fit] patience and monitor need validation maps: [data] validation > 0"
            )
        if data["validation"] + data["test"] >= 1:
            raise ValueError(
                f"[data] validation and test are {data['validation']:g} and {data['test']:g} of the maps; "
                "nothing is left for training: lower them"
            )

    def gather(self, config, folder, *, read, analysis=None, progress=None):
        labels = _labels(config)
        read, options = _reader(config, read), dict(analysis=analysis, progress=progress)
        return maps_of.gather(labels, folder, config.values, read, **options)

    def summary(self, config, data):
        labels, (train, validation, test) = data.labels, data.subsets
        if labels.classes is None:
            low, high = labels.targets.min(), labels.targets.max()
            kind = f"with numbers from {low:g} to {high:g}"
        else:
            kind = f"of {len(labels.classes)} classes"
            if len(labels.classes) <= _CONFUSIONS:
                counts = np.bincount(labels.targets)
                pairs = zip(counts, labels.classes, strict=True)
                kind += ": " + ", ".join(f"{count} {name}" for count, name in pairs)
        yield f"{len(labels.paths)} maps {kind}"
        if maps_of.look_like_classes(labels):
            yield "   (whole numbers that repeat: if they are names of classes, pass --classes)"
        yield f"{len(train)} for training, {len(validation)} for validation, {len(test)} for the test"
        yield f"band-limit: {data.band_limit}"

    def trainings(self, config, data):
        labels, values = data.labels, config.values
        x, targets = data.flm, labels.targets
        train, validation, test = data.subsets
        mean, scale = statistics(x[train])
        description = {
            "L": data.L,
            "cut": data.cut,
            "has_upper_half": data.has_upper_half,
            "classes": labels.classes,
            "mean": mean.tolist(),
            "scale": scale.tolist(),
        }
        validation_metrics = None
        if labels.classes is None:
            center, width = float(targets[train].mean()), float(targets[train].std())
            if width == 0:
                raise ValueError(
                    f"{labels.source}: all labels of the training maps are {center:g}; add maps, or choose "
                    "another --seed"
                )
            description |= {"center": center, "width": width}
            targets = ((targets - center) / width)[:, None]
            validation_metrics = _in_units(values["fit"]["metrics"], width)
        subsets = [
            (standardize(x[rows], mean, scale), targets[rows]) for rows in (train, validation, test)
        ]
        outputs = len(labels.classes) if labels.classes else 1
        net = model.network(values["network"], data.L, outputs)
        params, state = common.initial(net, config)
        train, validation, test = subsets
        validation = validation if len(validation[1]) else None
        arguments = train, validation, test, description
        name = values["network"].get("name", "network")
        title = f"{name}, {nn.count_parameters(params)} parameters"
        return [Training(title, net, params, state, *arguments, metrics=validation_metrics)]

    def report(self, config, data, trained, threads=None):
        (network,) = trained
        x, targets = network.training.test
        if not len(targets):
            yield "no test maps ([data] test, --test): nothing to report"
            return
        net, params, state = network.training.net, network.params, network.state
        outputs = loop.predict(net, params, x, state=state, threads=threads)
        labels, rows = data.labels, data.subsets[2]
        if labels.classes is None:
            yield from _report_numbers(network.training.description, outputs, data)
        else:
            train = labels.targets[data.subsets[0]]
            yield from _report_classes(labels.classes, outputs, labels.targets[rows], train)

    def example_batch(self, config, read):
        from spherekit.testing import random_flm

        labels, values = _labels(config), config.values
        L, _, _ = maps_of.band_limit(labels, values["data"]["L"], _reader(config, read))
        count, rng = values["fit"]["batch_size"], np.random.default_rng(values["fit"]["seed"])
        dtype = np.result_type(values["fit"]["dtype"], np.complex64)
        x = random_flm(L, rng, reality=True, shape=(count, 1), dtype=dtype)
        outputs = len(labels.classes) if labels.classes else 1
        net = model.network(values["network"], L, outputs)
        targets = np.arange(count) % outputs
        if labels.classes is None:
            targets = rng.standard_normal((count, 1))
        return net, common.initial(net, config), (x, targets)

    def check_model(self, net, description):
        L, classes = description["L"], description["classes"]
        if not isinstance(L, int) or net.in_type != nn.Sphere(L, 1):
            raise ValueError(f"its network is for {net.in_type}, its maps for degrees < {L}")
        if classes is not None and not (
            isinstance(classes, list) and all(isinstance(name, str) for name in classes)
        ):
            raise ValueError(f"its classes are {classes!r}; expected names")
        outputs = 1 if classes is None else len(classes)
        if net.out_type() != nn.Features(outputs):
            raise ValueError(f"its network returns {net.out_type()}; expected {outputs}")
        names = ["mean", "scale"] + (["center", "width"] if classes is None else [])
        for name in names:
            values = np.array(description[name], float)
            if values.size != 1 or not np.isfinite(values).all():
                raise ValueError(f"its {name} is {description[name]!r}; expected one number")
            if name in ("scale", "width") and not values.item() > 0:
                raise ValueError(f"its {name} is {description[name]!r}; expected a number above 0")
        for name in ("cut", "has_upper_half"):
            if not isinstance(description[name], bool):
                raise ValueError(f"its {name} is {description[name]!r}; expected true or false")

    def predict(self, trained, paths, *, read, analysis=None, progress=None):
        analysis = Analysis() if analysis is None else analysis
        description, rows = trained.description, []
        dtype = np.result_type(*(array.dtype for array in leaves(trained.params)), np.complex64)
        for number, path in enumerate(paths):
            flm = _flm(read(path), description, analysis)
            x = standardize(
                flm[None, None].astype(dtype), description["mean"], description["scale"]
            )
            network = trained.net, trained.params, x
            options = dict(state=trained.state, threads=analysis.threads)
            outputs = loop.predict(*network, **options)[0].astype(float)
            if description["classes"] is None:
                rows.append([path, _value(outputs[0], description, path)])
            else:
                powers = np.exp(outputs - outputs.max())
                p = powers / powers.sum()
                rows.append([path, *common.class_row(description["classes"], p, path)])
            if progress is not None:
                progress(number + 1, len(paths))
        if description["classes"] is not None:
            return common.class_table(description["classes"], rows)
        values = [float(row[1]) for row in rows]
        words = f"{len(rows)} map{'s' * (len(rows) != 1)}, values from {min(values):.4g} to {max(values):.4g}"
        return Table(["file", "value"], rows, words)


def _labels(config):
    data = config.values["data"]
    if data["maps"] is None:
        raise ValueError(
            f"{config.source}: [data] needs maps, a CSV file with the columns path,label; or pass --maps"
        )
    return maps_of.read_labels(data["maps"], data["labels"])


def _reader(config, read):
    """``read`` with the options of [data]."""
    data = config.values["data"]
    names = ("field", "grid", "hdu", "ordering")
    options = {name: data[name] for name in names if data[name] is not None}
    return lambda path: read(path, **options)


def _in_units(names, width):
    """Metrics of standardized numbers, in the units of the labels."""

    def scaled(metric):
        return lambda outputs, targets: width * metric(outputs, targets)

    return {name: scaled(metrics.METRICS[name]) for name in names}


def _flm(signal, description, analysis):
    """Coefficients of a map, as those of the training."""
    L = description["L"]
    flm = (low_coefficients if description["cut"] else coefficients)(signal, L, analysis)
    if has_upper_half(flm) != description["has_upper_half"]:
        verb = "holds nothing" if description["has_upper_half"] else "holds power"
        raise ValueError(
            f"{signal.name} {verb} at degrees {L // 2}..{L - 1}, unlike the maps of the training: it is of "
            "another band-limit"
        )
    return flm


def _value(output, description, path):
    value = description["center"] + description["width"] * output
    if not np.isfinite(value):
        raise ValueError(
            f"{path}: the prediction is {value}; are its samples too large (scale them)?"
        )
    return f"{value:.6g}"


# --- the report --------------------------------------------------------------------------------------


def _report_classes(classes, outputs, targets, train):
    """Accuracy beside chance, and confusions."""
    predicted = outputs.argmax(axis=1)
    n, share = len(targets), float(np.mean(predicted == targets))
    frequent = int(np.bincount(train, minlength=len(classes)).argmax())
    chance = float(np.mean(targets == frequent))
    error = np.sqrt(chance * (1 - chance) / n)
    yield f"accuracy on {n} test maps: {100 * share:.1f} %"
    yield (
        f"   always the most frequent class, {classes[frequent]}: {100 * chance:.1f} % +- {100 * error:.1f}"
    )
    if len(classes) > _CONFUSIONS:
        return
    counts = np.zeros((len(classes), len(classes)), int)
    np.add.at(counts, (targets, predicted), 1)
    first = max(len("true class"), *(len(name) for name in classes))
    widths = [max(len(name), len(str(counts.max()))) for name in classes]
    names = "  ".join(f"{name:>{w}}" for name, w in zip(classes, widths, strict=True))
    yield f"   {'true class':{first}}  predicted as"
    yield f"   {'':{first}}  {names}"
    for name, row in zip(classes, counts, strict=True):
        cells = "  ".join(f"{count:>{w}}" for count, w in zip(row, widths, strict=True))
        yield f"   {name:{first}}  {cells}"


def _report_numbers(description, outputs, data):
    """Root-mean-square error beside that of predicting the mean."""
    center, width = description["center"], description["width"]
    truth = data.labels.targets[data.subsets[2]]
    predicted = center + width * outputs[:, 0].astype(float)
    error = losses.root_mean_square(predicted - truth)
    constant = losses.root_mean_square(center - truth)
    yield f"rms error on {len(truth)} test maps: {error:.4g}"
    yield f"   of predicting the mean of the training maps, {center:.4g}: {constant:.4g}"
