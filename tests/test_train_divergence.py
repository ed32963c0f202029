"""When numbers are lost: the layer is named, and the advice fits the cause."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd.extend import defvjp, primitive
from helpers.trainings import OPTIONS, Lossy, begin, fit, in_folder, plain, problem

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
    with pytest.raises(train.Diverged, match="The last good checkpoint is .*step-00000004.npz"):
        list(fit(net, checkpoints=in_folder(tmp_path, resume=True)))
    good, _ = checkpoints.load(tmp_path / "step-00000004.npz")
    assert all(np.isfinite(a).all() for _, a in pytree.flatten(good.params))


def test_nan_gradients_name_the_layer():
    """sqrt(0): the loss is a number, its gradient none."""
    layers = [nn.Zonal(2), nn.PowerSpectrum(), Lossy(lambda x: anp.sqrt(x - x)), nn.Dense(2)]
    net = nn.Sequential(nn.Sphere(4, 1), *layers)
    words = (
        "gradient is not finite; first in the gradient of layer 2, Lossy; .* lost: 0.weights\\. "
    )
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
    with pytest.raises(train.Diverged, match="Results are finite and derivatives are not") as error:
        list(fit(net))
    assert "a lower learning rate or a clipped gradient would not help" in str(error.value)


def test_the_advice_where_numbers_are_too_large():
    kind, words = words_of(scale=1e25)
    assert kind is train.Diverged and "are near the limit of float32: scale the data down" in words
    assert "rate" not in words.split("float32:")[1]


def test_the_advice_where_a_function_has_no_value():
    kind, words = words_of([Lossy(lambda x: x / anp.abs(x - x))])
    assert kind is train.Diverged and "first in the results of layer 1, Lossy" in words
    assert "Its numbers are of ordinary size" in words and "Change the function" in words


def test_the_advice_where_the_loss_has_no_value():
    kind, words = words_of(loss=lambda outputs, _: anp.sum(anp.log(0 * outputs)))
    assert kind is train.Diverged and "the results of all layers are finite" in words
    assert "The loss has no finite value there" in words


def test_the_advice_where_steps_are_too_long():
    kind, words = words_of(optimizer=train.sgd(1e38))
    assert kind is train.Diverged and "Lower the learning rate or clip the gradient" in words


def test_moments_that_overflow_are_no_silent_standstill():
    """Gradients of 1e25 have a second moment beyond float32, and steps of 0 from there on."""
    kind, words = words_of(loss=lambda outputs, _: 1e25 * anp.sum(outputs) / 40)
    assert kind is train.Diverged and "moments after the step are not finite" in words


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
    assert kind is ValueError and "layer 1, Pointwise: harsh " in words
    assert "samples NaN or infinite" in words and "analyse" not in words


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
        def pull_back(g):
            raise ValueError("a mistake in a rule")

        return pull_back

    defvjp(identity, rule)
    kind, words = words_of([Lossy(identity)])
    assert kind is ValueError and words == "a mistake in a rule"
