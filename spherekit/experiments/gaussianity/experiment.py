"""The experiment for the commands: its configuration, trainings, report and predictions.

In addition to the sections of `spherekit.train.config` a configuration has ::

    experiment = "gaussianity"

    [data]                    # simulated skies
    L = 256
    recipe = "strings"        # with strength and seed, as for `skies.sky`
    train = 200               # skies of each class
    validation = 40
    test = 200

or, instead of L, recipe, strength and seed, ``folder = "sims/"``, a folder that ``spherekit simulate cmb``
has written (relative to the working directory)::

    [features]                # J0, depth, oversample of the scattering; folder: cache of its coefficients
    J0 = 5

    [network]
    name = "low"              # `model.low_network`: width, anchors; or "cobb", `nn.models.cobb`
    scattering = true         # all scattering channels; false: the low degrees of the map only
    compare = true            # train the same network without scattering too
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from spherekit import nn
from spherekit._core.parallel import thread_count
from spherekit.experiments import common
from spherekit.experiments.base import Experiment, Model, Table, Trained, Training
from spherekit.experiments.gaussianity import data as skies_of
from spherekit.experiments.gaussianity import features, probes, skies
from spherekit.experiments.gaussianity import model as models
from spherekit.experiments.signals import Analysis, coefficients
from spherekit.experiments.standardization import standardize, statistics
from spherekit.train import loop
from spherekit.train.config import Config
from spherekit.train.schema import Key, by_name, validate

#: Probes that are reported for comparison with the networks.
CONTROLS = ("cl", "point", "bands", "scattering")
_COUNTS = {
    "train": Key("integer", 200, minimum=2),
    "validation": Key("integer", 40, minimum=0),
    "test": Key("integer", 200, minimum=1),
}
_SIMULATED = {
    "L": Key("integer", minimum=3, maximum=3000),
    "recipe": Key("text", "strings", choices=tuple(r for r in skies.RECIPES if r != "gaussian")),
    "strength": Key("number", None, minimum=0),
    "seed": Key("integer", 0, minimum=0),
}
_FEATURES = models.FEATURES | {"folder": Key("text", None)}
_NETWORK = models.NETWORK | {"scattering": Key("boolean", True), "compare": Key("boolean", False)}
TITLES = "network, with scattering", "network, without scattering"
COMPARED = "the same network, without scattering"


def _data(section, content):
    if "folder" not in content:
        return validate(section, content, _SIMULATED | _COUNTS)
    for key in _SIMULATED:
        if key in content:
            raise ValueError(
                f"[{section}] has both {key} and folder, whose skies exist already; leave one of them out"
            )
    return validate(section, content, {"folder": Key("text")} | _COUNTS)


class Gaussianity(Experiment):
    """Classification of Gaussian and non-Gaussian skies that have the same power spectrum, by scattering.

    Examples
    --------
    >>> from spherekit import experiments
    >>> experiment = experiments.get("gaussianity")
    >>> sorted(experiment.recipes())[0]
    'cmb-gaussianity-1024.toml'
    """

    name = "gaussianity"
    title = "Gaussian and non-Gaussian skies with the same power spectrum"
    sections = {
        "data": _data,
        "features": _FEATURES,
        "network": by_name(models.NETWORKS, _NETWORK),
    }

    def check(self, values: dict) -> None:
        fit, data, network = values["fit"], values["data"], values["network"]
        if fit["loss"] != "cross_entropy" or set(fit["metrics"]) - {"accuracy"}:
            raise ValueError(
                '[fit] of a classification needs loss = "cross_entropy" and metrics = ["accuracy"] or []'
            )
        if not data["validation"] and (fit["patience"] is not None or fit["monitor"] != "loss"):
            raise ValueError(
                "[fit] patience and monitor need validation skies: [data] validation > 0"
            )
        if network["compare"] and not network["scattering"]:
            raise ValueError(
                "[network] compare = true needs scattering = true, with which it compares"
            )
        if "folder" not in data:
            for settings in skies_of.simulated(values):
                S = settings.validate().scattering()
            models.network(network, S.L0, 1)

    def gather(
        self,
        config: Config,
        folder: str | os.PathLike,
        *,
        read: Callable | None = None,
        analysis: Analysis | None = None,
        progress: Callable | None = None,
    ) -> skies_of.Skies:
        return skies_of.gather(config, folder, read=read, analysis=analysis, progress=progress)

    def trainings(self, config: Config, data: skies_of.Skies) -> list[Training]:
        network = config.values["network"]
        first = TITLES[0] if network["scattering"] else TITLES[1]
        result = [training(config, data, first, network["scattering"])]
        if network["compare"]:
            result.append(training(config, data, COMPARED, False, "without-scattering"))
        return result

    def report(
        self,
        config: Config,
        data: skies_of.Skies,
        trained: Sequence[Trained],
        threads: int | None = None,
    ) -> Iterator[str]:
        rows = [(network.training.title, accuracy(network, threads)) for network in trained]
        yield from report(data, rows, controls(data))

    def example_batch(self, config: Config, read: Callable | None = None) -> tuple:
        from spherekit.testing import random_flm

        values = config.values
        if "folder" in values["data"]:
            L, _ = skies_of.read_list(Path(values["data"]["folder"]))
            options = {name: values["features"][name] for name in models.FEATURES}
            S = features.Settings(L, **options).validate().scattering()
        else:
            S = skies_of.simulated(values)[1].validate().scattering()
        count = values["fit"]["batch_size"]
        channels = len(S.paths) if values["network"]["scattering"] else 1
        rng = np.random.default_rng(values["fit"]["seed"])
        dtype = np.result_type(values["fit"]["dtype"], np.complex64)
        x = random_flm(S.L0, rng, reality=True, shape=(count, channels), dtype=dtype)
        net = models.network(values["network"], S.L0, channels)
        initial = net.init(rng, dtype=values["fit"]["dtype"])
        return net, initial, (x, np.arange(count) % 2)

    def check_model(self, net: nn.Sequential, description: dict) -> None:
        models.classifier(net, description)

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
        classifier = models.classifier(model.net, model.description)
        S = classifier.scattering_network(thread_count(analysis.threads))
        network = model.net, model.params, model.state
        rows = []
        for number, path in enumerate(paths):
            flm = coefficients(read(path), classifier.L, analysis)
            p = classifier.probabilities(*network, S.from_flm(flm)[None], analysis.threads)[0]
            rows.append([path, *common.class_row(classifier.classes, p, path)])
            if progress is not None:
                progress(number + 1, len(paths))
        return common.class_table(classifier.classes, rows)


def training(config, data, title=TITLES[0], scattering=True, folder=""):
    """The `Training` of a configuration and its `data.Skies`.

    Without ``scattering`` only the number of input channels differs.
    """
    values = config.values
    paths = slice(None) if scattering else slice(1)
    dtype = np.result_type(values["fit"]["dtype"], np.complex64)
    subsets = []
    for number in range(3):
        classes = [arrays["scattering"][data.subset(number), paths] for arrays in data.features]
        labels = np.repeat(np.arange(len(classes)), [len(x) for x in classes])
        subsets.append((np.concatenate(classes).astype(dtype), labels))
    mean, scale = statistics(subsets[0][0])
    train, validation, test = (
        (standardize(x, mean.tolist(), scale.tolist()), labels) for x, labels in subsets
    )
    description = {
        "classes": list(data.classes),
        "features": {name: getattr(data.settings, name) for name in ("L", *models.FEATURES)},
        "scattering": bool(scattering),
        "mean": mean.tolist(),
        "scale": scale.tolist(),
    }
    net = models.network(values["network"], data.settings.scattering().L0, train[0].shape[1])
    params, state = common.initial(net, config)
    validation = validation if len(validation[1]) else None
    return Training(title, net, params, state, train, validation, test, description, folder)


def accuracy(trained, threads=None):
    """Percentage of the test skies, which neither train nor select the network, classified correctly."""
    x, labels = trained.training.test
    net, params, state = trained.training.net, trained.params, trained.state
    outputs = loop.predict(net, params, x, state=state, threads=threads)
    return 100 * float(np.mean(outputs.argmax(axis=1) == labels))


def controls(data, names=CONTROLS):
    """[(title, `probes.Accuracy`)] of logistic regressions on features of each sky.

    As in `comparison.compare`, the accuracies are means over five splits of all skies in halves.
    """
    S = data.settings.scattering()
    results = []
    for name in names:
        probe = probes.PROBES[name]
        classes = [probe.features(arrays, S) for arrays in data.features]
        results.append((probe.title, probes.accuracy(*classes)))
    return results


def report(data, networks, regressions):
    """Report the accuracy of ``networks``, [(title, percent)], and of ``regressions`` (see `controls`)."""
    n, total = 2 * data.counts[2], 2 * sum(data.counts)
    low, high = probes.chance_band(n)
    width = max(len(name) for name, _ in (*networks, *regressions))
    yield (
        f"of {n} test skies classified correctly (random guesses: {low:.1f} to {high:.1f} %, 2 standard "
        "deviations):"
    )
    for name, percent in networks:
        yield f"   {name:{width}}  {percent:5.1f} %"
    yield f"by logistic regressions, means over 5 splits of {total} skies in halves:"
    for name, result in regressions:
        yield f"   {name:{width}}  {result.mean:5.1f} % +- {result.error:.1f}"
