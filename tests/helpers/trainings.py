"""Small networks, data and trainings: what the tests of the loop run."""

from collections.abc import Callable

import numpy as np

from spherekit import nn, train
from spherekit.testing import random_flm


def zonal(L=4):
    """Running statistics, dropout, samples and features in one network."""
    layers = [
        nn.Zonal(3),
        nn.BatchNorm(),
        nn.Pointwise("relu"),
        nn.Dropout(0.2),
        nn.PowerSpectrum(),
    ]
    return nn.Sequential(nn.Sphere(L, 1), *layers, nn.Dense(2))


def plain():
    """Without running state, so that nothing changes where the learning rate is 0."""
    return nn.Sequential(nn.Sphere(4, 1), nn.Zonal(2), nn.PowerSpectrum(), nn.Dense(2))


def cobb():
    return nn.models.cobb(4, 2, depth=1, outputs=2, hidden=8)


def problem(count=40, L=4, dtype=np.complex64):
    rng = np.random.default_rng(3)
    x, labels = (
        random_flm(L, rng, reality=True, shape=(count, 1), dtype=dtype),
        np.arange(count) % 2,
    )
    x[labels == 1, :, 1:4] *= 2
    return x, labels


def begin(net, dtype=np.float32):
    return net.init(np.random.default_rng(0), dtype=dtype)


OPTIONS = dict(epochs=3, batch_size=12, optimizer=train.adam(0.02), metrics=["accuracy"], seed=5)


def fit(net=None, **options):
    net = zonal() if net is None else net
    data = problem()
    return train.fit(net, begin(net), data, **OPTIONS | dict(validation=data) | options)


def in_folder(folder, **options):
    return train.Checkpointing(folder, **options)


def losses(steps):
    return [step.loss for step in steps]


class Lossy(nn.Layer):
    """A function in the middle of a network."""

    function: Callable

    def out_type(self, in_type):
        return in_type

    def forward(self, params, x, context):
        return self.function(x)
