"""The small network on the low-pass maps, with and without scattering."""

import numpy as np
import pytest
from tolerances import DEFINITION

from spherekit import nn
from spherekit.experiments.gaussianity import model
from spherekit.experiments.gaussianity.features import Settings, collect
from spherekit.testing import random_flm


def test_standardise(rng):
    """Mean 0 and variance 1 over sphere and training skies; the others by the same numbers; float32 kept."""
    x = random_flm(4, rng, reality=True, shape=(6, 2), dtype=np.complex64)
    x[:, 1] = 5 * x[:, 1] + np.eye(1, 16)[0]
    made = model.standardise(x, np.arange(3))
    assert made.dtype == np.complex64
    some = made[:3].astype(complex)
    single = DEFINITION[np.dtype(np.float32)]  # numbers of about 1, each rounded to float32
    np.testing.assert_allclose(some[..., 0].mean(axis=0), 0, rtol=0, atol=single)
    variance = np.sum(np.abs(some) ** 2, axis=(0, 2)) / 3 / (4 * np.pi)
    np.testing.assert_allclose(variance, 1, rtol=single, atol=0)
    whole = x.astype(complex)
    whole[..., 0] -= whole[:3, :, 0].mean(axis=0)
    whole /= np.sqrt(np.sum(np.abs(whole[:3]) ** 2, axis=(0, 2)) / 3 / (4 * np.pi))[:, None]
    np.testing.assert_allclose(made, whole, rtol=0, atol=single * np.abs(whole).max())


def test_the_network_is_invariant_but_for_its_relus(rng):
    """What they alias falls with the oversampling."""
    x, errors = random_flm(8, rng, reality=True, shape=(20, 5)), []
    for oversample in (1, 4):
        net = model.low_network(8, 5, oversample=oversample)
        errors.append(nn.equivariance(net, net.init(np.random.default_rng(1)), x, rng))
    assert errors[1] < 0.1 * errors[0]


def test_both_networks_are_one_but_for_the_channels():
    many, one = model.low_network(8, 5), model.low_network(8, 1)
    assert [layer.name for layer in many.layers] == [layer.name for layer in one.layers]
    assert many.gives == one.gives and many.layers[0].gives == one.layers[0].gives


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Strong strings, 40 + 40 skies at L = 32."""
    folder = tmp_path_factory.mktemp("skies")
    sets = [
        Settings(32, r, s, J0=2, oversample=1) for r, s in (("gaussian", 0.0), ("strings", 0.9))
    ]
    return [collect(folder / one.recipe, one, 40) for one in sets]


def test_scattering_channels_make_the_difference(two):
    how = dict(count=1, epochs=25, batch=10)
    scattered = model.accuracy(*two, **how)
    assert scattered.mean > 75
    assert scattered.mean > model.accuracy(*two, scattered=False, **how).mean + 10


def test_the_same_seed_gives_the_same_network(two):
    steps = []
    how = dict(
        count=2,
        epochs=2,
        batch=20,
        progress=lambda division, step: steps.append((division, step.loss)),
    )
    one = model.accuracy(*two, threads=1, **how)
    other = model.accuracy(*two, threads=2, **how)
    assert one == other and steps[:8] == steps[8:] and len(one.each) == 2
    assert [division for division, _ in steps[:8]] == [0] * 4 + [1] * 4
