"""A trained classifier of skies as one file: network, parameters, and all that its signals go through.

The file is a checkpoint (`spherekit.train.checkpoints`: arrays and JSON text, no pickles) whose description
has an entry "model"; every checkpoint of such a training is a model file too.
"""

from typing import NamedTuple

import numpy as np

from spherekit import nn
from spherekit.conventions import band_limit_of
from spherekit.experiments.gaussianity.features import Settings
from spherekit.experiments.gaussianity.model import low_network, standardised, standards
from spherekit.train import checkpoints, loop, pytree
from spherekit.train.schema import Key, by_name, checked

VERSION = 1
#: Keys of the scattering.
FEATURES = {
    "J0": Key("whole", 5, least=0),
    "depth": Key("whole", 2, least=1),
    "oversample": Key("number", 2.0, least=1, most=8),
}
#: Keys of the networks, by their names.
NETWORKS = {
    "low": {
        "width": Key("whole", 12, least=1),
        "anchors": Key("whole", 8, least=1),
        "oversample": Key("number", 1.0, least=1, most=8),
    },
    "cobb": {
        "channels": Key("whole", 8, least=1),
        "depth": Key("whole", 2, least=1),
        "hidden": Key("whole", 32, least=1),
    },
}
NETWORK = {"name": Key("text", "low", among=tuple(NETWORKS))}


class Model(NamedTuple):
    """A network, its parameters, and a description that JSON holds:

    version, classes, network (its keys), features (L, J0, depth, oversample), scattering (false: the empty
    path alone), mean and scale of each channel.
    """

    net: nn.Net
    params: list
    description: dict

    @property
    def classes(self):
        return self.description["classes"]

    @property
    def L(self):
        return self.description["features"]["L"]

    @property
    def L0(self):
        """The network's band-limit."""
        return self.net.takes.L

    def standardised(self, x):
        """Channels (..., channels, L0*L0) with mean 0 and variance 1, by what the training skies had."""
        return standardised(x, self.description["mean"], self.description["scale"])

    def scattering(self, threads=1):
        """The scattering network that makes the channels."""
        how = self.description["features"]
        depth = how["depth"] if self.description["scattering"] else 0
        return Settings(**how | {"depth": depth}).scattering(threads)

    def probabilities(self, x, threads=None):
        """Of each class (signals, classes), from the outputs of `scattering` (signals, paths, L0*L0)."""
        signals = self.standardised(x.astype(np.complex64))
        outputs = loop.predict(self.net, self.params, signals, threads=threads).astype(float)
        powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)


def network(values, L, channels):
    """The network of a [network] section."""
    options = {name: values[name] for name in NETWORKS[values["name"]]}
    if values["name"] == "low":
        return low_network(L, channels, **options)
    return nn.models.cobb(L, inputs=channels, outputs=2, **options)


def start(values, settings, classes, x, scattering):
    """`Model` before its training, standardised by the training skies x (skies, channels, L0*L0)."""
    fit = values["fit"]
    keys = NETWORK | NETWORKS[values["network"]["name"]]
    mean, scale = standards(x)
    description = {
        "version": VERSION,
        "classes": list(classes),
        "network": {name: values["network"][name] for name in keys},
        "features": {name: getattr(settings, name) for name in ("L", *FEATURES)},
        "scattering": bool(scattering),
        "mean": mean.tolist(),
        "scale": scale.tolist(),
    }
    net = network(description["network"], band_limit_of(x), x.shape[1])
    params = net.init(np.random.default_rng([fit["seed"], 78]), np.dtype(fit["dtype"]))
    return Model(net, params, description)


def chosen(state):
    """Of a training, the best parameters by its validation skies; without these the last."""
    return state.params if state.best["value"] is None else state.best["params"]


def save(path, state, model):
    """Write the `chosen` parameters of a training as a model file; returns them."""
    params = chosen(state)
    few = {"params": [], "value": state.best["value"], "epoch": state.best["epoch"]}
    kept = state._replace(params=params, optimiser={}, best=few)
    checkpoints.save(path, kept, {"model": model.description})
    return params


def same_training(folder, model):
    """Refuse to go on with checkpoints of other skies than those that ``model`` starts from.

    Skies of another seed are found by the means and scales of their channels.
    """
    last = checkpoints.latest(folder)
    if last is None:
        return
    stored = checkpoints.load(last)[1].get("model", {})
    other = [name for name, value in model.description.items() if stored.get(name) != value]
    if other:
        raise ValueError(
            f"{last} is of another training: {', '.join(other)} of its signals differ; go on with the "
            "configuration that it began with, or choose another folder"
        )


def load(path):
    """`Model` of a file. Nothing in it is unpickled or executed.

    Raises
    ------
    FileNotFoundError
    ValueError
        A truncated, damaged or foreign file; one of another version.
    """
    state, description = checkpoints.load(path)
    if not isinstance(description, dict) or "model" not in description:
        raise ValueError(
            f"{path} is a checkpoint, but of no classifier of skies: train one with spherekit train"
        )
    try:
        return _model(state, description["model"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        words = f"no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"{path} holds no model that this spherekit reads: {words}") from None


def _model(state, said):
    if said["version"] != VERSION:
        raise ValueError(f"version {said['version']}; expected {VERSION}")
    table = FEATURES | {"L": Key("whole", least=3, most=3000)}
    how = checked("features", said["features"], table)
    chosen = by_name(NETWORKS, NETWORK)("network", said["network"])
    classes = said["classes"]
    if (
        not isinstance(classes, list)
        or len(classes) != 2
        or not all(isinstance(name, str) for name in classes)
    ):
        raise ValueError(f"its classes are {classes!r}; expected two names")
    kept = {"version": VERSION, "classes": classes, "network": chosen, "features": how}
    kept |= {"scattering": bool(said["scattering"]), "mean": said["mean"], "scale": said["scale"]}
    model = Model(None, state.params, kept)
    S = model.scattering()
    for name in ("mean", "scale"):
        some = np.array(kept[name], float)
        if some.shape != (len(S.paths),) or not np.isfinite(some).all():
            raise ValueError(f"{name} is of shape {some.shape}; expected {len(S.paths)} numbers")
    if min(kept["scale"]) <= 0:
        raise ValueError(f"a scale is {min(kept['scale'])}; expected numbers above 0")
    net = network(chosen, S.L0, len(S.paths))
    words = pytree.differences(
        net.init(np.random.default_rng(0), _precision(state.params)), state.params
    )
    if words:
        raise ValueError(f"its parameters are of another network: they have {words}")
    return model._replace(net=net)


def _precision(params):
    leaves = pytree.leaves(params)
    return np.result_type(*(array.real.dtype for _, array in leaves)) if leaves else np.float32
