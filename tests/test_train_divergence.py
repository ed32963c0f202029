"""When numbers are lost: the layer is named, and the advice fits the cause."""

import re

import autograd.numpy as anp
import numpy as np
import pytest
from autograd.extend import defvjp, primitive
from autograd.tracer import getval
from helpers.trainings import OPTIONS, Lossy, begin, cobb, fit, in_folder, plain, problem

from spherekit import nn, train
from spherekit._core import pytree
from spherekit.train import checkpoints


@pytest.mark.parametrize("inside", [False, True])
def test_nan_names_the_layer(inside, tmp_path):
    """In the forward pass, from the second epoch on; the last good checkpoint stays."""
    count = [0]

    def poison(x):
        count[0] += 1
        return x + (np.nan if count[0] > 4 + 4 else 0)  # four of training, four of validation

    layers = [nn.Zonal(2), Lossy(poison)]
    if inside:
        layers = [nn.Sequential(*layers)]
    net = nn.Sequential(nn.Sphere(4, 1), *layers, nn.PowerSpectrum(), nn.Dense(2))
    with pytest.warns(UserWarning, match="Lossy is not a registered layer"):
        steps, seen = fit(net, checkpoints=tmp_path), []
    place = "0.1" if inside else "1"
    with pytest.raises(
        train.Diverged,
        match=f"step 5: the loss is nan; first in the results of layer {place}, Lossy",
    ):
        for step in steps:
            seen.append(step)
    assert len(seen) == 4
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["best.npz", "step-00000004.npz"]
    with pytest.warns(UserWarning, match="Lossy is not a registered layer"):
        steps = fit(net, checkpoints=in_folder(tmp_path, resume=True))
    with pytest.raises(train.Diverged, match="The last good checkpoint is .*step-00000004.npz"):
        list(steps)
    good, _ = checkpoints.load(tmp_path / "step-00000004.npz")
    assert all(np.isfinite(a).all() for _, a in pytree.flatten(good.params))


def test_nan_gradients_name_the_layer():
    """sqrt(0): the loss is a number, its gradient none."""
    layers = [nn.Zonal(2), nn.PowerSpectrum(), Lossy(lambda x: anp.sqrt(x - x)), nn.Dense(2)]
    net = nn.Sequential(nn.Sphere(4, 1), *layers)
    words = "gradient is not finite; first in the gradient of layer 2, Lossy; .* not finite: 0.weights\\. "
    with pytest.raises(train.Diverged, match=words):
        list(fit(net))


def test_steps_too_long():
    with pytest.raises(train.Diverged, match="infinite|not finite"):
        list(fit(plain(), optimizer=train.sgd(1e38), epochs=3))


def words_of(layers=(), scale=1, **options):
    """The error of a training on maps of that scale."""
    x, labels = problem()
    net = nn.Sequential(nn.Sphere(4, 1), nn.Zonal(2), *layers, nn.PowerSpectrum(), nn.Dense(2))
    with pytest.raises(ValueError) as error:
        list(train.fit(net, begin(net), (x * np.float32(scale), labels), **OPTIONS | options))
    return error.type, str(error.value)


@pytest.mark.parametrize("function", [lambda x: anp.sqrt(x - x), lambda x: (x - x) ** 0.5])
def test_the_advice_where_a_derivative_is_not_finite(function):
    """At the first step neither rate nor clipping is to blame."""
    layers = [nn.PowerSpectrum(), nn.Dense(3), Lossy(function)]
    net = nn.Sequential(nn.Sphere(4, 1), nn.Zonal(2), *layers, nn.Dense(2))
    with pytest.raises(
        train.Diverged, match="results are finite but the derivatives are not"
    ) as error:
        list(fit(net))
    assert "a lower learning rate or max_norm would not help" in str(error.value)


def test_the_advice_where_numbers_are_too_large():
    kind, words = words_of(scale=1e25)
    advice = "are near the limit of float32: scale the data down, or train in float64"
    assert kind is train.Diverged and advice in words and "rate" not in words


def test_the_advice_where_a_function_has_no_value():
    kind, words = words_of([Lossy(lambda x: x / anp.abs(x - x))])
    assert kind is train.Diverged and "first in the results of layer 1, Lossy" in words
    assert "Its input is of moderate size" in words and "Change the function" in words


def test_the_advice_where_the_loss_has_no_value():
    kind, words = words_of(loss=lambda outputs, _: anp.sum(anp.log(0 * outputs)))
    assert kind is train.Diverged and "the results of all layers are finite" in words
    assert "The loss is not finite for these outputs" in words


def test_the_advice_where_steps_are_too_long():
    kind, words = words_of(optimizer=train.sgd(1e38))
    assert kind is train.Diverged and "ower the learning rate, or set max_norm" in words


def test_moments_that_overflow_are_no_silent_standstill():
    """Gradients of 1e25 have a second moment beyond float32, and steps of 0 from there on."""
    kind, words = words_of(loss=lambda outputs, _: 1e25 * anp.sum(outputs) / 40)
    assert kind is train.Diverged and "moments after the step are not finite" in words
    assert "exceed the range of float32: scale the loss down, or set max_norm" in words


def test_a_gradient_that_an_adjoint_refuses():
    """The step back that has made it is named, and no mask advised."""
    x = problem()[0]
    net = nn.Sequential(nn.Sphere(4, 1), nn.Zonal(2), nn.PoissonBracket(), nn.GlobalMean())
    params, state = net.init(0, dtype=np.float32)
    params[0]["weights"] *= np.float32(1e9)
    data, loss = (x * np.float32(1e9), np.zeros(len(x))), lambda y, _: anp.sum(y) * np.float32(1e25)
    with pytest.raises(ValueError) as error:
        list(train.fit(net, (params, state), data, loss=loss))
    assert "gradient" in str(error.value) and "mask" not in str(error.value)


@pytest.mark.parametrize("after", [nn.Pointwise("relu"), nn.Square(), nn.Pointwise("tanh")])
def test_a_layer_that_refuses_what_another_lost(after):
    """Not the later one is named, nor masking advised, which is for maps."""
    kind, words = words_of([Lossy(lambda x: x * np.inf), after])
    assert kind is train.Diverged and "first in the results of layer 1, Lossy" in words
    assert "analyse" not in words


def test_a_function_of_samples_without_values():
    def harsh(f):
        return anp.log(anp.abs(f) - anp.abs(f))

    kind, words = words_of([nn.Pointwise(harsh)])
    assert kind is train.Diverged and "step 1: layer 1, Pointwise, fails on an input up to" in words
    assert (
        "harsh returns" in words and "samples as NaN or infinite. Its input is of moderate" in words
    )
    assert "analyse" not in words


def training(net, rate, dtype, folder=None, scale=1, **options):
    """The error of a training of maps with L = 4, in that precision."""
    x, labels = problem(dtype=np.result_type(dtype, np.complex64))
    options = (
        dict(batch_size=12, epochs=30, optimizer=train.sgd(rate), checkpoints=folder) | options
    )
    params, state = begin(net, dtype)
    params = pytree.map_leaves(lambda p: p * dtype(scale), params)
    with pytest.raises(train.Diverged) as error:
        list(train.fit(net, (params, state), (x, labels), **options))
    return str(error.value)


def normalized(norm):
    layers = [nn.Zonal(3), nn.Square(), nn.Zonal(3), norm, nn.Square(), nn.Zonal(2), norm]
    return nn.Sequential(nn.Sphere(4, 1), *layers, nn.PowerSpectrum(), nn.Dense(2))


@pytest.mark.parametrize("dtype, rate", [(np.float32, 10), (np.float32, 1e8), (np.float64, 1e25)])
@pytest.mark.parametrize(
    "make", [lambda: normalized(nn.BatchNorm()), cobb, lambda: with_squares(4)]
)
def test_parameters_that_have_grown(make, dtype, rate, tmp_path):
    """Whichever layer fails, and whether it refuses its input or returns infinite numbers."""
    words = training(make(), rate * 100, dtype, in_folder(tmp_path, checkpoint_every=1))
    assert re.match(r"step [2-9][0-9]?: ", words) and re.search("layer [0-9.]+, [A-Z]", words)
    assert "The last good checkpoint is " in words
    assert "Since the first steps the largest parameter has grown from " in words
    assert words.endswith("lower the learning rate, or set max_norm")
    assert "float64" not in words.split("Since")[1] and "moderate" not in words


def with_squares(count):
    layers = [layer for _ in range(count) for layer in (nn.Zonal(2), nn.Square())]
    return nn.Sequential(nn.Sphere(4, 1), *layers, nn.PowerSpectrum(), nn.Dense(2))


@pytest.mark.parametrize("dtype, scale", [(np.float32, 1e10), (np.float64, 1e80)])
def test_initial_parameters_that_are_too_large(dtype, scale):
    words = training(with_squares(2), 0.01, dtype, scale=scale)
    assert words.startswith("step 1: ") and "are too large: start from smaller ones" in words
    assert ("or train in float64" in words) == (dtype == np.float32)


@pytest.mark.parametrize("dtype, scale", [(np.complex64, 1e11), (np.complex128, 1e85)])
def test_data_that_a_layer_refuses(dtype, scale):
    x, labels = problem(dtype=dtype)
    net = normalized(nn.BatchNorm())
    with pytest.raises(train.Diverged, match="near the limit.*scale the data down") as error:
        list(train.fit(net, begin(net, x.real.dtype), (x * dtype(scale), labels)))
    assert "step 1: layer " in str(error.value)
    assert ("float64" in str(error.value).split("down")[1]) == (dtype == np.complex64)


def test_numbers_that_are_lost_in_the_validation(tmp_path):
    """The step, the layer and the last checkpoint are named as in a training step."""
    net, (x, labels) = plain(), problem()
    net = nn.Sequential(nn.Sphere(4, 1), nn.Zonal(2), nn.Square(), *net.layers[1:])
    options = dict(OPTIONS, validation=(x * np.float32(1e30), labels))
    with pytest.raises(
        train.Diverged, match="step 4, in the validation after it: layer 1, Square, fails"
    ):
        list(train.fit(net, begin(net), (x, labels), **options))


def test_validation_signals_that_are_not_finite():
    x, labels = problem()
    lost = np.where(np.arange(40)[:, None, None] == 33, np.float32(np.nan), x)
    with pytest.raises(
        ValueError, match="validation: 1 of 40 signals contain NaN .* first is 33"
    ) as error:
        list(fit(plain(), validation=(lost, labels)))
    assert not isinstance(error.value, train.Diverged)


class OfItsOwn(Exception):
    """Of no kind that a network knows."""


@pytest.mark.parametrize(
    "kind", [ValueError, AssertionError, OverflowError, RuntimeError, OfItsOwn]
)
def test_own_layers_that_refuse_large_numbers(kind):
    """A limit of the layer is one of numbers; its own error is the cause."""

    def limited(x):
        if np.max(np.abs(getval(x))) > 1e20:
            raise kind("too large for me")
        return x

    error_kind, words = words_of([Lossy(limited)], scale=1e25)
    assert (
        error_kind is train.Diverged and "step 1: layer 1, Lossy, fails on an input up to" in words
    )
    assert "too large for me" in words and "near the limit of float32: scale the data" in words
    x, labels = problem(dtype=np.complex128)
    net = nn.Sequential(nn.Sphere(4, 1), Lossy(limited), nn.PowerSpectrum(), nn.Dense(2))
    with pytest.raises(train.Diverged, match="are too large for this layer: scale the data down$"):
        list(train.fit(net, begin(net, np.float64), (x * 1e25, labels)))


@pytest.mark.parametrize(
    "kind", [ValueError, TypeError, KeyError, IndexError, ZeroDivisionError, OfItsOwn]
)
@pytest.mark.parametrize("scale", [1, 1e10])
def test_mistakes_in_own_layers_are_not_of_numbers(kind, scale):
    def mistaken(x):
        raise kind("a mistake")

    (x, labels), net = problem(), nn.Sequential(nn.Sphere(4, 1), nn.Zonal(2), Lossy(mistaken))
    seen = ValueError if kind is KeyError else kind  # as of a missing parameter
    with pytest.raises(seen, match="a mistake") as error:
        list(train.fit(net, begin(net), (x * np.float32(scale), labels), loss="mse"))
    assert not isinstance(error.value, train.Diverged)


def test_own_layers_that_fail_on_what_another_lost():
    """An index of NaN: the layer that lost the numbers is named."""

    def index(x):
        return x * [1.0, 2.0][int(np.isnan(getval(x)).any()) * 5]

    kind, words = words_of([Lossy(lambda x: x * np.nan), Lossy(index)])
    assert kind is train.Diverged and "first in the results of layer 1, Lossy" in words


@pytest.mark.parametrize("error", [OverflowError, FloatingPointError])
def test_losses_that_overflow(error):
    def loss(outputs, labels):
        raise error("math range error")

    kind, words = words_of(loss=loss)
    assert kind is train.Diverged and "the loss cannot be computed (math range error)" in words


@pytest.mark.parametrize("augment", [None, lambda x, rng: np.full_like(x, np.inf)])
def test_signals_that_are_not_finite(augment):
    """In the data, or after augmentation: no divergence; the step is named."""
    x, labels = problem()
    if augment is None:
        x[7] = np.nan
    with pytest.raises(
        ValueError, match="step [1-4]: the signals.* contain NaN or infinite"
    ) as error:
        list(train.fit(plain(), begin(plain()), (x, labels), **OPTIONS, augment=augment))
    assert not isinstance(error.value, train.Diverged)
    assert ("after augment" in str(error.value)) == (augment is not None)


def test_learning_rates_that_are_not_finite():
    kind, words = words_of(optimizer=train.sgd(lambda step: np.nan))
    assert kind is train.Diverged and "its schedule must return finite numbers" in words


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [0, 1, 1e-30])
def test_networks_of_spins_learn_on_constant_maps(scale, dtype):
    """The mechanism of the quotient by a modulus: all spins but 0 are rounding, and their squares 0."""
    x = np.zeros((8, 1, 64), np.result_type(dtype, np.complex64))
    x[..., 0] = scale
    net = nn.models.spin(8, (4, 4, 4), (4, 4, 4), outputs=2)
    options = dict(epochs=3, batch_size=4, optimizer=train.adam(0.02))
    steps = list(train.fit(net, net.init(0, dtype=dtype), (x, np.arange(8) % 2), **options))
    assert (
        all(np.isfinite((step.loss, step.gradient_norm)).all() for step in steps)
        and len(steps) == 6
    )


def test_errors_of_a_layer_are_not_hidden():
    """A gradient rule that raises for another reason: its own error, from the first step."""

    @primitive
    def identity(x):
        return x

    def rule(answer, x):
        def pullback(g):
            raise ValueError("a mistake in a rule")

        return pullback

    defvjp(identity, rule)
    kind, words = words_of([Lossy(identity)])
    assert kind is ValueError and words == "a mistake in a rule"
