"""Losses and metrics: definitions by hand; own ones."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from autograd.tracer import getval
from helpers.trainings import fit, plain
from tolerances import SHORT_SUM, SINGLE_VALUES

from spherekit import nn, train
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
    pullback, value = make_vjp(lambda u: train.losses.rmse(u, zero))(d)
    rms = np.sqrt(25 / 3)
    np.testing.assert_allclose(value / scale, rms, rtol=SINGLE_VALUES)
    np.testing.assert_allclose(pullback(1.0), [[1 / rms], [-4 / 3 / rms], [0]], rtol=SINGLE_VALUES)
    assert pullback(1.0).dtype == d.dtype and value.dtype == d.real.dtype
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
    for function in (metrics.accuracy, losses.cross_entropy):
        with pytest.raises(TypeError, match="outputs are complex128; expected real outputs"):
            function(OUTPUTS + 0j, LABELS)


@pytest.mark.parametrize(
    "words, call",
    [
        ("expected one of accuracy, rmse, mae", lambda: metrics.resolve(["recall"])),
        ("called 'loss'", lambda: metrics.resolve({"loss": metrics.mae})),
        ("called 'step', .* in the history",
         lambda: metrics.resolve({"step": metrics.mae})),
        ("called 'train'", lambda: metrics.resolve({"train": metrics.mae})),
        ("expected one of cross_entropy", lambda: losses.resolve("hinge")),
        ("expected \\(batch, classes\\)", lambda: losses.cross_entropy(OUTPUTS, LABELS[:2])),
        ("labels range from 0 to 2; expected 0 to 1",
         lambda: losses.cross_entropy(OUTPUTS, LABELS * 2)),
        ("pass targets\\[:, None\\]", lambda: losses.mse(OUTPUTS[:, :1], LABELS)),
        ("the batch is empty; expected at least", lambda: losses.mse(OUTPUTS[:0], OUTPUTS[:0])),
        ("the batch is empty; expected at least", lambda: losses.rmse(OUTPUTS[:0], OUTPUTS[:0])),
        ("targets of shape \\(0, 3\\)", lambda: losses.mae(OUTPUTS[:0], np.zeros((0, 3)))),
    ],
)  # fmt: skip
def test_refused_metrics_and_losses(words, call):
    with pytest.raises(ValueError, match=words):
        call()


def own_loss(change):
    """A loss of the network, changed at its end."""

    def hinge(outputs, labels):
        return change(anp.sum(anp.maximum(1 - outputs, 0)))

    return hinge


@pytest.mark.parametrize(
    "words, change",
    [
        ("returned an array of shape \\(1,\\), float32; .*anp.sum", lambda v: anp.reshape(v, (1,))),
        ("returned an array of shape \\(2, 1\\)", lambda v: v * np.ones((2, 1), np.float32)),
        ("returned np.complex64.*anp.real", lambda v: v * np.complex64(1 + 2j)),
        ("returned None", lambda v: None),
        ("returned '3'", lambda v: "3"),
        ("does not depend on the outputs, or autograd cannot", lambda v: 3.0),
        ("does not depend on the outputs, or autograd cannot", getval),
        ("does not depend on the outputs, or autograd cannot", lambda v: float(getval(v))),
    ],
)
def test_losses_that_are_not_one_number(words, change):
    """Refused at the first step: the gradient would be 0 or of half the loss, without a word."""
    with pytest.raises(
        (TypeError, ValueError), match=f"the loss, hinge,? .*{words}|{words}"
    ) as error:
        list(fit(plain(), loss=own_loss(change)))
    assert not isinstance(error.value, train.Diverged) and "hinge" in str(error.value)


@pytest.mark.parametrize("change", [lambda v: v, lambda v: v + 0j.real, lambda v: anp.real(v)])
def test_losses_that_are_one_number(change):
    assert len(list(fit(plain(), loss=own_loss(change), epochs=1))) == 4


def test_outputs_without_a_trace():
    """A layer that leaves autograd: no silent training without gradients."""

    class Plain(nn.Layer):
        def out_type(self, in_type):
            return in_type

        def forward(self, params, x, context):
            return np.array(getval(x))

    net = nn.Sequential(nn.Sphere(4, 1), nn.PowerSpectrum(), nn.Dense(2), Plain())
    with pytest.raises(ValueError, match="outputs of the network do not depend on its parameters"):
        list(fit(net))


@pytest.mark.parametrize(
    "words, result",
    [
        ("an array of shape \\(2,\\), float64", np.ones(2)),
        ("an array of shape \\(1,\\)", np.ones(1)),
        ("1j", 1j),
        ("None", None),
        ("'3'", "3"),
    ],
)
def test_metrics_that_are_not_one_number(words, result):
    def recall(outputs, targets):
        return result

    options = dict(loss="mse", metrics=[recall])
    net = nn.Sequential(nn.Features(3), nn.Dense(2))
    data = np.zeros((4, 3)), np.zeros((4, 2))
    with pytest.raises(TypeError, match=f"the metric 'recall', recall, returned {words}"):
        train.evaluate(net, net.init(0)[0], data, **options)
    with pytest.raises(TypeError, match=f"the metric 'recall', recall, returned {words}"):
        list(fit(plain(), metrics=[recall], epochs=1))
