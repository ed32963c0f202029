"""A training on skies, from its configuration: what it is made of, and what is told of it at the end.

Beside the sections of `spherekit.train.config` a file has

    [data]                    # simulated skies
    L = 256
    recipe = "strings"        # with strength and seed, as `skies.sky`
    train = 200               # skies of each class
    validation = 40
    test = 200

or, in place of L, recipe, strength and seed, ``folder = "sims/"``, as ``spherekit simulate cmb`` writes it
(seen from where the command is run);

    [features]                # J0, depth, oversample of the scattering; folder: where they are kept
    J0 = 5

    [network]
    name = "low"              # `model.low_network`: width, anchors; or "cobb", `nn.models.cobb`
    scattering = true         # all channels; false: the map's own low degrees alone
    compare = true            # train the same network without scattering too
"""

from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spherekit.experiments.gaussianity import classifier, features, probes, skies
from spherekit.experiments.gaussianity.data import listed, simulated
from spherekit.train import config as configurations
from spherekit.train import loop
from spherekit.train.schema import Key, by_name, checked

#: Probes that are told beside the networks.
CONTROLS = ("cl", "point", "bands", "scattering")
_COUNTS = {
    "train": Key("whole", 200, least=2),
    "validation": Key("whole", 40, least=0),
    "test": Key("whole", 200, least=1),
}
_SIMULATED = {
    "L": Key("whole", least=3, most=3000),
    "recipe": Key("text", "strings", among=tuple(r for r in skies.RECIPES if r != "gaussian")),
    "strength": Key("number", None, least=0),
    "seed": Key("whole", 0, least=0),
}
_FEATURES = classifier.FEATURES | {"folder": Key("text", None)}
_NETWORK = classifier.NETWORK | {"scattering": Key("flag", True), "compare": Key("flag", False)}


# --- configurations --------------------------------------------------------------------------------


def examples():
    """{name: path} of the configurations that come with the package."""
    folder = resources.files(__package__) / "recipes"
    return {path.name: path for path in sorted(folder.iterdir()) if path.name.endswith(".toml")}


def title(path):
    """The first line of a configuration, a comment."""
    return path.read_text("utf-8").split("\n")[0].lstrip("# ")


def read(name):
    """The checked configuration of a file, or of an example by its name.

    Raises
    ------
    FileNotFoundError, ValueError

    >>> read("cmb-gaussianity").values["data"]["L"]
    256
    """
    path, known = Path(name), examples()
    if not path.is_file():
        given = path.name if path.suffix else f"{path.name}.toml"
        if given not in known or len(path.parts) > 1:
            raise FileNotFoundError(
                f"no configuration {name}; examples that come with spherekit: {', '.join(known)}"
            )
        path = known[given]
    tables = {
        "data": _data,
        "features": _FEATURES,
        "network": by_name(classifier.NETWORKS, _NETWORK),
    }
    made = configurations.read(path, tables)
    if path in known.values():
        made = made._replace(source=path.name)
    try:
        _together(made.values)
    except ValueError as error:
        raise ValueError(f"{made.source}: {error}") from None
    return made


def _data(section, given):
    if "folder" not in given:
        return checked(section, given, _SIMULATED | _COUNTS)
    for key in _SIMULATED:
        if key in given:
            raise ValueError(
                f"[{section}] {key} beside folder: the skies there are made; leave one out"
            )
    return checked(section, given, {"folder": Key("text")} | _COUNTS)


def _together(values):
    """What keys ask of each other."""
    fit, data, network = values["fit"], values["data"], values["network"]
    if fit["loss"] != "cross_entropy" or set(fit["metrics"]) - {"accuracy"}:
        raise ValueError('[fit] is of classes: loss = "cross_entropy", metrics = ["accuracy"]')
    if not data["validation"] and (fit["patience"] is not None or fit["watch"] != "loss"):
        raise ValueError("[fit] patience and watch need skies to look at: [data] validation > 0")
    if network["compare"] and not network["scattering"]:
        raise ValueError(
            "[network] compare trains without scattering too; it needs scattering = true"
        )
    if "folder" not in data:
        for one in simulated(values):
            S = one.checked().scattering()
        classifier.network(network, S.L0, 1)


# --- training --------------------------------------------------------------------------------------


class Training(NamedTuple):
    """A network and its signals: (signals, labels) of training, validation and test."""

    model: classifier.Model
    train: tuple
    validation: tuple
    test: tuple


def training(config, skies, *, scattering=True):
    """`Training` of a configuration and its `data.Skies`, with the parameters that it starts from.

    Without scattering: the same but for the channels.
    """
    values = config.values
    paths = slice(None) if scattering else slice(1)
    dtype = np.result_type(values["fit"]["dtype"], np.complex64)
    parts = []
    for number in range(3):
        some = [one["scattering"][skies.part(number), paths] for one in skies.measured]
        labels = np.repeat(np.arange(len(some)), [len(one) for one in some])
        parts.append((np.concatenate(some).astype(dtype), labels))
    model = classifier.start(values, skies.settings, skies.classes, parts[0][0], scattering)
    return Training(model, *((model.standardised(x), labels) for x, labels in parts))


def steps(config, made, **how):
    """The generator of `spherekit.train.fit`; ``how``: checkpoints, resume, threads."""
    x, labels = made.train
    validation = made.validation if len(made.validation[1]) else None
    options = config.options(len(labels)) | dict(validation=validation)
    told = {"model": made.model.description}
    return loop.fit(
        made.model.net, made.model.params, (x, labels), **options, description=told, **how
    )


def accuracy(made, params, threads=None):
    """Of the test skies, which nothing was chosen by: how many are told right, in percent."""
    x, labels = made.test
    outputs = loop.predict(made.model.net, params, x, threads=threads)
    return 100 * float(np.mean(outputs.argmax(axis=1) == labels))


def controls(skies, names=CONTROLS):
    """[(title, `probes.Accuracy`)] of logistic regressions on a few numbers of each sky.

    As in `experiments.experiment`: means of five divisions of all skies, half to train and half to test.
    """
    S, found = skies.settings.scattering(), []
    for name in names:
        probe = probes.PROBES[name]
        each = [probe.features(one, S) for one in skies.measured]
        found.append((probe.title, probes.accuracy(*each)))
    return found


def report(skies, networks, others):
    """Lines of text: what the networks, [(title, percent)], and the controls tell right."""
    n, all_skies = 2 * skies.counts[2], 2 * sum(skies.counts)
    low, high = probes.chance_band(n)
    wide = max(len(name) for name, _ in (*networks, *others))
    yield f"of {n} test skies told right (guessing: {low:.1f} to {high:.1f} %, 2 standard deviations):"
    for name, percent in networks:
        yield f"   {name:{wide}}  {percent:5.1f} %"
    yield f"by logistic regressions, means of 5 divisions of {all_skies} skies in halves:"
    for name, found in others:
        yield f"   {name:{wide}}  {found.mean:5.1f} % +- {found.error:.1f}"


def profile(config, threads=None):
    """`spherekit.train.profile` of one step, on random numbers of the shapes of the skies' features."""
    from spherekit.testing import random_flm
    from spherekit.train import profile as measured

    values = config.values
    if "folder" in values["data"]:
        L, _ = listed(Path(values["data"]["folder"]))
        scattering_options = {name: values["features"][name] for name in classifier.FEATURES}
        S = features.Settings(L, **scattering_options).checked().scattering()
    else:
        S = simulated(values)[1].checked().scattering()
    batch, count = values["fit"]["batch"], 2 * values["data"]["train"]
    channels = len(S.paths) if values["network"]["scattering"] else 1
    rng = np.random.default_rng(values["fit"]["seed"])
    dtype = np.result_type(values["fit"]["dtype"], np.complex64)
    x = random_flm(S.L0, rng, reality=True, shape=(batch, channels), dtype=dtype)
    net = classifier.network(values["network"], S.L0, channels)
    params = net.init(rng, values["fit"]["dtype"])
    labels = np.arange(batch) % 2
    optimizer = config.options(count)["optimiser"]
    return net, measured(net, params, (x, labels), optimiser=optimizer, threads=threads)
