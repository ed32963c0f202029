"""A training on skies, from its configuration: what it is made of, and what is told of it at the end.

Beside the sections of `spherekit.train.config` a file has

    [data]                    # simulated skies
    L = 256
    recipe = "strings"        # with strength and seed, as `skies.sky`
    train = 200               # skies of each class
    validation = 40
    test = 200

or, in place of L, recipe, strength and seed, ``folder = "sims/"`` that ``spherekit simulate cmb`` has written;

    [features]                # J0, depth, oversample of the scattering; folder: where they are kept
    J0 = 5

    [network]
    name = "low"              # `network.low_network`: width, anchors; or "cobb", `nn.models.cobb`
    scattering = true         # all channels; false: the map's own low degrees alone
    compare = true            # train the same network without scattering too
"""

import csv
import json
import zlib
from functools import partial
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spherekit.experiments import features, gaussianity, models, probes, skies
from spherekit.train import config as configurations
from spherekit.train import loop
from spherekit.train.keys import Key, by_name, checked

CLASSES = ("gaussian", "non-gaussian")
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
_FEATURES = models.FEATURES | {"folder": Key("text", None)}
_NETWORK = models.NETWORK | {"scattering": Key("flag", True), "compare": Key("flag", False)}


class Skies(NamedTuple):
    """What is measured of the skies of a training.

    settings : `features.Settings` of the scattering
    classes : names
    measured : for each class a dict of arrays, as `features.collect` returns
    counts : (training, validation, test) skies of each class, in this order of their numbers
    """

    settings: features.Settings
    classes: tuple
    measured: tuple
    counts: tuple

    def part(self, number):
        """Of each class the skies of training (0), validation (1) or test (2), as a slice."""
        start = sum(self.counts[:number])
        return slice(start, start + self.counts[number])


# --- configurations --------------------------------------------------------------------------------


def examples():
    """{name: path} of the configurations that come with the package."""
    folder = resources.files(__package__) / "recipes"
    return {path.name: path for path in sorted(folder.iterdir()) if path.name.endswith(".toml")}


def title(path):
    """The first line of a configuration, a comment."""
    return path.read_text().split("\n")[0].lstrip("# ")


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
    tables = {"data": _data, "features": _FEATURES, "network": by_name(models.NETWORKS, _NETWORK)}
    made = configurations.read(path, tables)
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
        for one in _simulated(values):
            S = one.checked().scattering()
        models.network(network, S.L0, 1)


# --- skies -----------------------------------------------------------------------------------------


def gather(config, folder, *, read=None, workers=1, progress=None):
    """`Skies` of a configuration: measured, or taken from where an earlier call has kept them.

    Parameters
    ----------
    config : of `read`
    folder : path
        Where the features are kept, unless [features] folder says.
    read : callable, optional
        (path, L) -> coefficients, of the files of [data] folder.
    workers : int
        Skies at work at once. The numbers do not depend on it.
    progress : callable, optional
        Called with (skies held, skies in all).
    """
    values = config.values
    data, folder = values["data"], Path(values["features"]["folder"] or folder)
    counts = tuple(data[name] for name in ("train", "validation", "test"))
    n = sum(counts)
    if "folder" in data:
        settings, classes, sources = _stored(values, n, folder, read)
    else:
        settings, classes, sources = _simulated(values)[1].checked(), CLASSES, []
        for one in _simulated(values):
            where = folder / gaussianity.folder_name(one.checked())
            sources.append(partial(features.collect, where, one, n))
    measured = []
    for number, collect in enumerate(sources):

        def step(held, number=number):
            if progress is not None:
                progress(number * n + held, len(sources) * n)

        measured.append(collect(workers=workers, progress=step))
    return Skies(settings, tuple(classes), tuple(measured), counts)


def _simulated(values):
    """`features.Settings` of both classes."""
    data, how = values["data"], values["features"]
    some = dict(seed=data["seed"], **{name: how[name] for name in models.FEATURES})
    return [
        features.Settings(data["L"], "gaussian", 0.0, **some),
        features.Settings(data["L"], data["recipe"], data["strength"], **some),
    ]


def _stored(values, n, folder, read):
    """(settings, classes, functions that measure) of the skies in a folder."""
    source = Path(values["data"]["folder"])
    L, rows = _listed(source)
    classes = sorted({row["class"] for row in rows})
    some = {name: values["features"][name] for name in models.FEATURES}
    settings = features.Settings(L, **some).checked()
    S, made = settings.scattering(), []
    for kind in classes:
        files = [source / row["file"] for row in rows if row["class"] == kind]
        if len(files) < n:
            raise ValueError(
                f"{source} holds {len(files)} skies of the class {kind}; [data] train + validation + test "
                f"asks for {n}"
            )
        names = zlib.crc32("\n".join(str(path.resolve()) for path in files[:n]).encode())
        manifest = {"source": str(source.resolve()), "files": f"crc32 {names:08x}", "L": L, **some}
        manifest["list"] = f"crc32 {zlib.crc32((source / 'manifest.json').read_bytes()):08x}"

        def make(i, files=files):
            return features.measure(read(files[i], L), S)

        made.append(partial(features.fill, folder / f"{source.name}-{kind}", manifest, n, make))
    if len(classes) != 2:
        raise ValueError(f"{source} has skies of {len(classes)} classes; expected two")
    return settings, classes, made


def _listed(source):
    """(L, rows of skies.csv) of a folder that ``spherekit simulate`` has written."""
    try:
        L = int(json.loads((source / "manifest.json").read_text())["L"])
        with open(source / "skies.csv", newline="") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"[data] folder {source} has no {Path(error.filename).name}; write it: spherekit simulate cmb --L "
            f"256 --n 880 -o {source}"
        ) from None
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"[data] folder {source}: manifest.json is damaged: {error}") from None
    if not rows or not {"file", "class"} <= set(rows[0]):
        raise ValueError(f"{source}/skies.csv lists no skies: expected columns file, class")
    return L, rows


# --- training --------------------------------------------------------------------------------------


class Training(NamedTuple):
    """A network and its signals: (signals, labels) of training, validation and test."""

    model: models.Model
    train: tuple
    validation: tuple
    test: tuple


def training(config, skies, *, scattering=True):
    """`Training` of a configuration, its parameters as they start; without scattering: the same but for
    the channels."""
    values = config.values
    paths = slice(None) if scattering else slice(1)
    dtype = np.result_type(values["fit"]["dtype"], np.complex64)
    parts = []
    for number in range(3):
        some = [one["scattering"][skies.part(number), paths] for one in skies.measured]
        labels = np.repeat(np.arange(len(some)), [len(one) for one in some])
        parts.append((np.concatenate(some).astype(dtype), labels))
    model = models.start(values, skies.settings, skies.classes, parts[0][0], scattering)
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
    """[(title, percent)]: logistic regressions on a few numbers of each sky, of the same division."""
    S, found = skies.settings.scattering(), []
    y = {k: np.repeat([False, True], skies.counts[k]) for k in (0, 2)}
    for name in names:
        probe = probes.PROBES[name]
        each = [probe.features(one, S) for one in skies.measured]
        x = {k: np.concatenate([one[skies.part(k)] for one in each]) for k in (0, 2)}
        decided = probes.logistic(x[0], y[0]).decide(x[2])
        found.append((f"{probe.title}: logistic", 100 * float(np.mean(decided == y[2]))))
    return found


def report(skies, networks, others):
    """Lines of text: accuracy of the networks, [(title, percent)], and of the controls."""
    n = 2 * skies.counts[2]
    low, high = probes.chance_band(n)
    rows = [*networks, *others]
    wide = max(len(name) for name, _ in rows)
    yield f"of {n} test skies told right (chance is {low:.1f} to {high:.1f} %, 2 sigma):"
    for name, percent in rows:
        yield f"   {name:{wide}}  {percent:5.1f} %"


def profile(config, threads=None):
    """`spherekit.train.profile` of one step, on random numbers of the shapes of the skies' features."""
    from spherekit.testing import random_flm
    from spherekit.train import profile as measured

    values = config.values
    if "folder" in values["data"]:
        L, _ = _listed(Path(values["data"]["folder"]))
        some = {name: values["features"][name] for name in models.FEATURES}
        S = features.Settings(L, **some).checked().scattering()
    else:
        S = _simulated(values)[1].checked().scattering()
    batch, count = values["fit"]["batch"], 2 * values["data"]["train"]
    channels = len(S.paths) if values["network"]["scattering"] else 1
    rng = np.random.default_rng(values["fit"]["seed"])
    dtype = np.result_type(values["fit"]["dtype"], np.complex64)
    x = random_flm(S.L0, rng, reality=True, shape=(batch, channels), dtype=dtype)
    net = models.network(values["network"], S.L0, channels)
    params = net.init(rng, values["fit"]["dtype"])
    labels = np.arange(batch) % 2
    how = dict(optimiser=config.options(count)["optimiser"], threads=threads)
    return net, measured(net, params, (x, labels), **how)
