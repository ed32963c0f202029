"""Losses and metrics: definitions by hand."""

import numpy as np
import pytest
from autograd import grad
from tolerances import SHORT_SUM, SINGLE_VALUES

from spherekit import train
from spherekit.testing import assert_gradient
from spherekit.train import autodiff, losses, metrics


@pytest.mark.parametrize(
    "dtype, scale",
    [(float, 1e-200), (float, 1e200), (np.float32, 1e-30), (np.float32, 1e30), (complex, 1e200)],
)
def test_rmse_of_any_scale(dtype, scale):
    """Loss, gradient in both modes, and metric: a square of the differences is beyond the type."""
    from autograd import make_jvp, make_vjp

    d = (np.array([[3.0], [-4.0], [0.0]]) * scale).astype(dtype)
    zero = np.zeros_like(d)
    pull_back, value = make_vjp(lambda u: train.losses.rmse(u, zero))(d)
    rms = np.sqrt(25 / 3)
    np.testing.assert_allclose(value / scale, rms, rtol=SINGLE_VALUES)
    np.testing.assert_allclose(pull_back(1.0), [[1 / rms], [-4 / 3 / rms], [0]], rtol=SINGLE_VALUES)
    assert pull_back(1.0).dtype == d.dtype and value.dtype == d.real.dtype
    along = make_jvp(lambda u: train.losses.rmse(u, zero))(d)(d)[1]
    np.testing.assert_allclose(along / scale, rms, rtol=SINGLE_VALUES)
    np.testing.assert_allclose(train.metrics.rmse(d, zero) / scale, rms, rtol=SINGLE_VALUES)
    assert_gradient(
        lambda u: train.losses.rmse(u, np.zeros((3, 1))), np.array([[3.0], [-4.0], [0.1]])
    )
    assert make_vjp(lambda u: train.losses.rmse(u, zero))(zero)[0](1.0).tolist() == [[0], [0], [0]]


def test_cross_entropy(rng):
    """By its definition; huge logits; gradients, float32."""
    z, labels = rng.standard_normal((5, 3)), np.array([0, 2, 1, 1, 0])
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    expected = -np.mean(np.log(p[np.arange(5), labels]))
    np.testing.assert_allclose(losses.cross_entropy(z, labels), expected, rtol=SHORT_SUM)
    np.testing.assert_allclose(losses.cross_entropy(z + 1e4, labels), expected, rtol=1e-11)
    assert_gradient(lambda u: losses.cross_entropy(u, labels), z)
    assert losses.cross_entropy(np.array([[1e4, 0.0]]), np.array([1])) == 1e4


@pytest.mark.parametrize("name", ["mse", "rmse", "mae"])
def test_losses_of_differences(name, rng):
    u, t = rng.standard_normal((2, 4, 3))
    d = u - t
    expected = {"mse": np.mean(d**2), "rmse": np.sqrt(np.mean(d**2)), "mae": np.mean(np.abs(d))}[
        name
    ]
    np.testing.assert_allclose(losses.LOSSES[name](u, t), expected, rtol=SHORT_SUM)
    assert_gradient(lambda v: losses.LOSSES[name](v, t), u, order=1, modes=["rev"])
    z = u + 1j * t
    square = {
        "mse": np.mean(np.abs(z) ** 2),
        "rmse": np.sqrt(np.mean(np.abs(z) ** 2)),
        "mae": np.mean(np.abs(z)),
    }
    np.testing.assert_allclose(losses.LOSSES[name](z, 0 * z), square[name], rtol=SHORT_SUM)
    zero = grad(losses.LOSSES[name])(t, t)
    assert (zero == 0).all()


@pytest.mark.parametrize("name", losses.LOSSES)
def test_float32_stays(name, rng):
    u, t = rng.standard_normal((2, 4, 3)).astype(np.float32)
    targets = np.arange(4) % 3 if name == "cross_entropy" else t.astype(float)
    value, (g,), _ = autodiff.value_and_gradients(
        lambda a: (losses.LOSSES[name](a[0], targets), ()), [u]
    )
    assert np.asarray(value).dtype == np.float32 and g.dtype == np.float32


OUTPUTS, LABELS = np.array([[3.0, 1.0], [0.0, 1.0], [2.0, 5.0]]), np.array([0, 1, 0])


def test_metrics():
    assert metrics.accuracy(OUTPUTS, LABELS) == 2 / 3
    assert metrics.rmse(OUTPUTS, OUTPUTS - 2) == 2 and metrics.mae(OUTPUTS, OUTPUTS + 2j) == 2
    assert list(metrics.resolve(["accuracy", metrics.mae])) == ["accuracy", "mae"]
    with pytest.raises(TypeError, match="labels are float64"):
        metrics.accuracy(OUTPUTS, LABELS / 1)


@pytest.mark.parametrize(
    "words, call",
    [
        ("known are accuracy, rmse, mae", lambda: metrics.resolve(["recall"])),
        ("called 'loss'", lambda: metrics.resolve({"loss": metrics.mae})),
        ("known are cross_entropy", lambda: losses.resolve("hinge")),
        ("expected \\(batch, classes\\)", lambda: losses.cross_entropy(OUTPUTS, LABELS[:2])),
        ("labels from 0 to 2; 2 outputs", lambda: losses.cross_entropy(OUTPUTS, LABELS * 2)),
        ("pass targets\\[:, None\\]", lambda: losses.mse(OUTPUTS[:, :1], LABELS)),
    ],
)
def test_refused_metrics_and_losses(words, call):
    with pytest.raises(ValueError, match=words):
        call()
