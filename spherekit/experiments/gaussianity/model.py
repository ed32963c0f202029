"""A small network on the low-pass maps of the scattering, and the same one without them.

Of every sky come the channels S_lm, l < L0, those of the map itself (the empty path) always among them:
moduli do not see the sign of a map. The network without scattering sees the empty path only, which is the
map at the resolution that it can resolve.
"""

from typing import NamedTuple

import numpy as np

from spherekit import nn
from spherekit.experiments.gaussianity.features import Settings
from spherekit.experiments.standardization import standardize
from spherekit.train import loop
from spherekit.train.schema import Key, checked

#: Keys of the scattering.
FEATURES = {
    "J0": Key("integer", 5, minimum=0),
    "depth": Key("integer", 2, minimum=1),
    "oversample": Key("number", 2.0, minimum=1, maximum=8),
}
#: Keys of the networks, by their names.
NETWORKS = {
    "low": {
        "width": Key("integer", 12, minimum=1),
        "anchors": Key("integer", 8, minimum=1),
        "oversample": Key("number", 1.0, minimum=1, maximum=8),
    },
    "cobb": {
        "channels": Key("integer", 8, minimum=1),
        "depth": Key("integer", 2, minimum=1),
        "hidden": Key("integer", 32, minimum=1),
    },
}
NETWORK = {"name": Key("text", "low", choices=tuple(NETWORKS))}


def low_network(L, channels, *, width=12, anchors=8, oversample=1):
    """Zonal, BatchNorm, ReLU, twice; then means over the sphere and a dense layer.

    Invariant to rotations except for what ReLU aliases, the less the higher ``oversample``.

    >>> low_network(32, 22).out_type()
    Features(2)
    """
    block = []
    for _ in range(2):
        block += [
            nn.Zonal(width, min(anchors, L)),
            nn.BatchNorm(),
            nn.Pointwise("relu", oversample),
        ]
    return nn.Sequential(nn.Sphere(L, channels), *block, nn.GlobalMean(), nn.Dense(2))


def network(values, L, channels):
    """The network of a [network] section."""
    options = {name: values[name] for name in NETWORKS[values["name"]]}
    if values["name"] == "low":
        return low_network(L, channels, **options)
    return nn.models.cobb(L, inputs=channels, outputs=2, **options)


class Classifier(NamedTuple):
    """All that skies pass through before the network.

    classes : two names
    features : L, J0, depth and oversample of the scattering
    scattering : all of its channels, or the empty path only
    mean, scale : of each channel, of the training skies
    """

    classes: list
    features: dict
    scattering: bool
    mean: list
    scale: list

    @property
    def L(self):
        """Band-limit of the skies."""
        return self.features["L"]

    def standardize(self, x):
        """Channels (..., channels, L0*L0) with mean 0 and variance 1, by those of the training skies."""
        return standardize(x, self.mean, self.scale)

    def scattering_network(self, threads=1):
        """The scattering network whose outputs are the channels."""
        depth = self.features["depth"] if self.scattering else 0
        return Settings(**self.features | {"depth": depth}).scattering(threads)

    def probabilities(self, net, params, state, x, threads=None):
        """Of each class (skies, classes), from the outputs of the scattering (skies, paths, L0*L0)."""
        signals = self.standardize(x.astype(np.complex64))
        outputs = loop.predict(net, params, signals, state=state, threads=threads).astype(float)
        powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)


def classifier(net, description):
    """`Classifier` of the description in a model file; refuses one that does not fit the network."""
    classes = description["classes"]
    if (
        not isinstance(classes, list)
        or len(classes) != 2
        or not all(isinstance(name, str) for name in classes)
    ):
        raise ValueError(f"its classes are {classes!r}; expected two names")
    table = FEATURES | {"L": Key("integer", minimum=3, maximum=3000)}
    features = checked("features", description["features"], table)
    statistics = {name: description[name] for name in ("mean", "scale")}
    result = Classifier(classes, features, bool(description["scattering"]), **statistics)
    S = result.scattering_network()
    for name, values in statistics.items():
        array = np.array(values, float)
        if array.shape != (len(S.paths),) or not np.isfinite(array).all():
            raise ValueError(f"{name} has shape {array.shape}; expected {len(S.paths)} numbers")
    if min(result.scale) <= 0:
        raise ValueError(f"a scale is {min(result.scale)}; expected numbers above 0")
    expected = nn.Sphere(S.L0, len(S.paths))
    if net.in_type != expected or net.out_type() != nn.Features(2):
        raise ValueError(
            f"its network is {net.in_type} -> {net.out_type()}; expected {expected} -> 2 features"
        )
    return result
