"""Small networks, data and trainings: what the tests of the loop run."""

import numpy as np

from spherekit import nn, train
from spherekit.nn.network import named
from spherekit.testing import random_flm


def zonal(L=4):
    """Running means, dropout, samples and features in one."""
    parts = [nn.zonal(3), nn.batch_norm(), nn.pointwise("relu"), nn.dropout(0.2), nn.power()]
    return nn.Net(nn.Sphere(L, 1), *parts, nn.dense(2))


def plain():
    """Without statistics, so that nothing changes where the rate is 0."""
    return nn.Net(nn.Sphere(4, 1), nn.zonal(2), nn.power(), nn.dense(2))


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
    return net.init(np.random.default_rng(0), dtype)


HOW = dict(epochs=3, batch=12, optimiser=train.adam(0.02), metrics=["accuracy"], seed=5)


def fit(net=None, **how):
    net = zonal() if net is None else net
    data = problem()
    return train.fit(net, begin(net), data, **HOW | dict(validation=data) | how)


def losses(steps):
    return [step.loss for step in steps]


def lossy(function):
    """A layer in the middle."""
    return lambda takes: named("lossy", takes, takes, lambda x, mode: function(x))
