"""The small network on the low-pass maps, with and without scattering."""

import numpy as np
import pytest
from tolerances import DEFINITION

from spherekit import nn
from spherekit.experiments.gaussianity import comparison, model
from spherekit.experiments.gaussianity.features import Settings, collect
from spherekit.experiments.standardization import standardize, statistics
from spherekit.testing import random_flm


def test_standardization(rng):
    """Mean 0 and variance 1 over sphere and training skies; the others by the same numbers; in float32."""
    x = random_flm(4, rng, reality=True, shape=(6, 2), dtype=np.complex64)
    x[:, 1] = 5 * x[:, 1] + np.eye(1, 16)[0]
    result = standardize(x, *statistics(x[:3]))
    assert result.dtype == np.complex64
    training = result[:3].astype(complex)
    single = DEFINITION[np.dtype(np.float32)]  # numbers of about 1, each rounded to float32
    np.testing.assert_allclose(training[..., 0].mean(axis=0), 0, rtol=0, atol=single)
    variance = np.sum(np.abs(training) ** 2, axis=(0, 2)) / 3 / (4 * np.pi)
    np.testing.assert_allclose(variance, 1, rtol=single, atol=0)
    expected = x.astype(complex)
    expected[..., 0] -= expected[:3, :, 0].mean(axis=0)
    square = np.sum(np.abs(expected[:3]) ** 2, axis=(0, 2)) / 3
    expected /= np.sqrt(square / (4 * np.pi))[:, None]
    np.testing.assert_allclose(result, expected, rtol=0, atol=single * np.abs(expected).max())
    with pytest.raises(ValueError, match=r"channels \[1\] are the same constant"):
        statistics(x * np.array([[1], [0]]))


def test_the_network_is_invariant_but_for_its_relus(rng):
    """What they alias falls with the oversampling."""
    x, errors = random_flm(8, rng, reality=True, shape=(20, 5)), []
    for oversample in (1, 4):
        net = model.low_network(8, 5, oversample=oversample)
        params, state = net.init(np.random.default_rng(1))
        errors.append(nn.equivariance_error(net, params, x, rng, state=state))
    assert errors[1] < 0.1 * errors[0]


def test_both_networks_are_one_but_for_the_channels():
    many, single = model.low_network(8, 5), model.low_network(8, 1)
    assert many.layers == single.layers and many.out_type() == single.out_type()


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Strong strings, 40 + 40 skies at L = 32."""
    folder = tmp_path_factory.mktemp("skies")
    kinds = ("gaussian", 0.0), ("strings", 0.9)
    settings = [Settings(32, *kind, J0=2, oversample=1) for kind in kinds]
    return [collect(folder / each.recipe, each, 40) for each in settings]


def test_scattering_channels_make_the_difference(two):
    options = dict(count=1, epochs=25, batch_size=10)
    scattered = comparison.network_accuracy(*two, **options)
    assert scattered.mean > 75
    plain = comparison.network_accuracy(*two, scattered=False, **options)
    assert scattered.mean > plain.mean + 10


def test_the_same_seed_gives_the_same_network(two):
    steps = []
    options = dict(
        count=2,
        epochs=2,
        batch_size=20,
        progress=lambda split, step: steps.append((split, step.loss)),
    )
    first = comparison.network_accuracy(*two, threads=1, **options)
    second = comparison.network_accuracy(*two, threads=2, **options)
    assert first == second and steps[:8] == steps[8:] and len(first.each) == 2
    assert [split for split, _ in steps[:8]] == [0] * 4 + [1] * 4
