"""A small network on the scattering coefficients of a sky, and the same network without scattering.

The input channels are the low-pass maps S_lm, l < L0, of all scattering paths. The map itself (the empty
path) is always among them, as moduli do not depend on the sign of a map. The network without scattering has
only the empty path, which is the map at the same resolution.
"""

from typing import NamedTuple

import numpy as np

from spherekit import nn
from spherekit.experiments.gaussianity.features import Settings
from spherekit.experiments.standardization import standardize
from spherekit.train import loop
from spherekit.train.schema import Key, validate

#: Keys of the scattering transform.
FEATURES = {
    "J0": Key("integer", 5, minimum=0),
    "depth": Key("integer", 2, minimum=1),
    "oversample": Key("number", 2.0, minimum=1, maximum=8),
}
#: Keys of the networks by name.
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
    """Two blocks of Zonal, BatchNorm and ReLU; then means over the sphere and a dense layer.

    The network is invariant to rotations up to aliasing by ReLU, which decreases with ``oversample``.

    >>> low_network(32, 22).out_type()
    Features(2)
    """
    blocks = []
    for _ in range(2):
        blocks += [
            nn.Zonal(width, min(anchors, L)),
            nn.BatchNorm(),
            nn.Pointwise("relu", oversample),
        ]
    return nn.Sequential(nn.Sphere(L, channels), *blocks, nn.GlobalMean(), nn.Dense(2))


def network(values, L, channels):
    """Create the network of a [network] section."""
    options = {name: values[name] for name in NETWORKS[values["name"]]}
    if values["name"] == "low":
        return low_network(L, channels, **options)
    return nn.models.cobb(L, inputs=channels, outputs=2, **options)


class Classifier(NamedTuple):
    """Preprocessing of skies and classification by a network.

    Attributes
    ----------
    classes : list of str
        Two names.
    features : dict
        ``L``, ``J0``, ``depth`` and ``oversample`` of the scattering.
    scattering : bool
        Use all channels of the scattering; otherwise only the empty path.
    mean, scale : list of float
        Mean and standard deviation of each channel of the training skies.
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
        """Standardize channels (..., channels, L0*L0) by the mean and variance of the training skies."""
        return standardize(x, self.mean, self.scale)

    def scattering_network(self, threads=1):
        """The scattering transform whose outputs are the channels."""
        depth = self.features["depth"] if self.scattering else 0
        return Settings(**self.features | {"depth": depth}).scattering(threads)

    def probabilities(self, net, params, state, x, threads=None):
        """Class probabilities (skies, classes) from scattering coefficients (skies, paths, L0*L0)."""
        signals = self.standardize(x.astype(np.complex64))
        outputs = loop.predict(net, params, signals, state=state, threads=threads).astype(float)
        powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)


def classifier(net, description):
    """The `Classifier` described in a model file; raises ValueError if it does not match the network."""
    classes = description["classes"]
    if (
        not isinstance(classes, list)
        or len(classes) != 2
        or not all(isinstance(name, str) for name in classes)
    ):
        raise ValueError(f"its classes are {classes!r}; expected two names")
    table = FEATURES | {"L": Key("integer", minimum=3, maximum=3000)}
    features = validate("features", description["features"], table)
    statistics = {name: description[name] for name in ("mean", "scale")}
    result = Classifier(classes, features, bool(description["scattering"]), **statistics)
    S = result.scattering_network()
    for name, values in statistics.items():
        array = np.array(values, float)
        if array.shape != (len(S.paths),) or not np.isfinite(array).all():
            raise ValueError(
                f"its {name} has shape {array.shape}; expected {len(S.paths)} finite values"
            )
    if min(result.scale) <= 0:
        raise ValueError(f"a scale is {min(result.scale)}; expected positive values")
    expected = nn.Sphere(S.L0, len(S.paths))
    if net.in_type != expected or net.out_type() != nn.Features(2):
        raise ValueError(
            f"its network maps {net.in_type} to {net.out_type()}; expected {expected} to {nn.Features(2)}"
        )
    return result
