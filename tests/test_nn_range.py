"""Layers at the ends of the range of numbers, on constant and zero maps, on no maps, and on other types.

Squares of float32 are zero from 1e-23 down and infinite from 1e19 up: results and derivatives of what
divides, takes roots, norms or moduli must not depend on them.
"""

import warnings

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import make_jvp, make_vjp
from helpers.networks import MODELS, POINTWISE, STRICT, F, Map, leaves, output, sphere, training
from tolerances import CHAIN

from spherekit import nn, train
from spherekit._core.modulus import direction, divide, modulus
from spherekit.conventions import from_real
from spherekit.nn.activations import gated_modulus, tanh
from spherekit.nn.pooling import largest
from spherekit.nn.scaled_reductions import energy
from spherekit.testing import assert_gradient

#: All that divides, takes a root, a norm or a modulus, or squares; from real signals of two channels, L = 4.
LAYERS = {
    "FragmentNorm": [F, nn.FragmentNorm()],
    "BatchNorm": [nn.BatchNorm()],
    "BatchNorm SO(3)": [nn.Lift(2, 2), nn.BatchNorm()],
    "BatchNorm spins": [nn.SpinConvolution(2), nn.BatchNorm()],
    **{name: [nn.Pointwise(name)] for name in ("relu", "leaky_relu", "tanh", "softplus", "abs")},
    "ModulusPhase": [nn.SpinConvolution(2), nn.ModulusPhase()],
    "PhaseCollapse": [nn.SpinConvolution(2), nn.PhaseCollapse()],
    "Scattering": [nn.Scattering(J0=1)],
    "Scattering, directional": [nn.Scattering(J0=1, N=3)],
    "GlobalMax": [nn.GlobalMax()],
    "GlobalMax SO(3)": [nn.Lift(2, 2), nn.GlobalMax()],
    "MaxPool": [nn.MaxPool()],
    "MeanPool": [nn.MeanPool()],
    "PowerSpectrum": [nn.PowerSpectrum()],
    "PowerSpectrum of fragments": [F, nn.PowerSpectrum()],
}
#: Models whose layers multiply no signals with each other, so that 1e18 stays within float32.
LINEAR = ("cohen", "esteves", "spin")
SCALES = {np.float32: (0, 1, 1e-40, 1e-30, 1e18), np.float64: (0, 1, 1e-310, 1e-200, 1e150)}


def network(name):
    if name in MODELS:
        return getattr(nn.models, name)(**MODELS[name])
    return nn.Sequential(nn.Sphere(4, 2), *LAYERS[name])


def signals(net, kind, rng, dtype):
    """As real harmonics."""
    u = rng.standard_normal((3, net.in_type.channels, net.in_type.L**2))
    if kind == "constant":
        u[..., 1:] = 0
    return u.astype(dtype)


def assert_finite(name, net, kind, scale, trained, rng, dtype):
    """Results and derivatives in both modes: finite, in their precision, without warnings."""
    params, state = net.init(rng, dtype=dtype)
    u = (dtype(scale) * signals(net, kind, rng, dtype)).astype(dtype)
    complex_type = np.result_type(dtype, np.complex64)

    def run(u, params=params):
        return output(net, (params, state), from_real(u), training() if trained else None)

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Output seems independent")  # of norms in training
        pullback, y = make_vjp(run)(u)
        back, (_, along) = pullback(np.ones_like(y)), make_jvp(run)(u)(np.ones_like(u))
        by_params = make_vjp(lambda p: run(u, p))(params)[0](np.ones_like(y))
    assert y.dtype in (dtype, complex_type) and along.dtype == y.dtype and back.dtype == dtype
    results = {"y": y, "reverse": back, "forward": along}
    results |= {f"parameter {k}": g for k, g in enumerate(leaves(by_params))}
    for what, value in results.items():
        assert np.isfinite(value).all(), f"{name}: {what} is not finite"
        assert value.dtype in (dtype, complex_type)


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("dtype", SCALES)
@pytest.mark.parametrize("name", [*LAYERS, *LINEAR])
@pytest.mark.parametrize("kind", ["random", "constant"])
def test_finite_at_any_scale(kind, name, dtype, trained, rng):
    net = network(name)
    for scale in SCALES[dtype]:
        assert_finite(name, net, kind, scale, trained, rng, dtype)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize(
    "kind, scale", [("constant", 0), ("constant", 1), ("constant", 1e-30), ("random", 1e-30)]
)
def test_models_on_zero_and_constant_maps(kind, scale, trained, name, rng):
    """Those with products too, as far as their products are numbers of the type."""
    net = network(name)
    assert_finite(name, net, kind, scale, trained, rng, np.float32)


@pytest.mark.parametrize("name", [*LAYERS, *LINEAR])
@pytest.mark.parametrize("trained", [False, True])
def test_single_precision_at_1e18_is_that_of_double(trained, name, rng):
    """Not merely finite: results and gradients are those of float64, whose range has room."""
    net = network(name)
    single, double = net.init(0, dtype=np.float32), net.init(0)
    u = signals(net, "random", rng, np.float32) * np.float32(1e18)
    results = []
    for initial, v in ((single, u), (double, u.astype(float))):
        context = training() if trained else None
        pullback, y = make_vjp(lambda v, i=initial, c=context: output(net, i, from_real(v), c))(v)
        results.append((y, pullback((np.arange(y.size).reshape(y.shape) % 3).astype(y.dtype))))
    for one, two in zip(*results, strict=True):
        assert np.abs(one - two).max() <= 2e-5 * np.abs(two).max()


@pytest.mark.parametrize(
    "dtype, scales", [(np.complex64, (1e-38, 1e18)), (complex, (1e-300, 1e150))]
)
def test_the_gate_of_the_modulus_has_no_scale(dtype, scales, rng):
    """With biases of the same scale the result scales, and derivatives by the field do not change."""
    f = (rng.standard_normal((2, 3, 4, 5)) + 1j * rng.standard_normal((2, 3, 4, 5))).astype(dtype)
    b, kind = np.array([0.3, -0.6, 0.0], f.real.dtype), f.real.dtype.type
    g = np.conj(f[::-1])
    for scale in scales:
        pullback, y = make_vjp(gated_modulus)(f, b)
        again, z = make_vjp(gated_modulus)(f * kind(scale), b * kind(scale))
        rtol = 1e-4 if dtype == np.complex64 else CHAIN
        np.testing.assert_allclose(z / kind(scale), y, rtol=rtol)
        np.testing.assert_allclose(again(g), pullback(g), rtol=rtol, atol=rtol)
        _, along = make_jvp(lambda f, s=scale: gated_modulus(f, b * kind(s)))(f * kind(scale))(g)
        expected = make_jvp(lambda f: gated_modulus(f, b))(f)(g)[1]
        np.testing.assert_allclose(along, expected, rtol=rtol, atol=rtol)


def test_derivatives_of_moduli_quotients_and_maxima(rng):
    f = rng.standard_normal((2, 3, 4, 5)) + 1j * rng.standard_normal((2, 3, 4, 5))
    b = np.array([0.3, -0.4, 0.0])
    assert_gradient(gated_modulus, f, b)
    for function in (modulus, direction):
        assert_gradient(function, f)
        assert_gradient(function, f.real)
    assert_gradient(tanh, f.real)
    assert_gradient(lambda x: largest(x, (1, 3)), f.real)
    assert_gradient(lambda x, y: divide(x, y, np.ones(f.shape, bool)), f.real, 2 + f.imag**2)
    assert (gated_modulus(0 * f, b) == 0).all()


@pytest.mark.parametrize("tiny", [1e-45, 1e-40, 1e-30, 1e18, 1e38])
def test_directions_of_any_length(tiny):
    for x in (np.complex64(tiny * (0.6 + 0.8j)), np.complex64(tiny), np.complex64(-1j * tiny)):
        u = direction(np.array([x, 0], np.complex64))
        expected = np.array(x, complex) / abs(complex(x))  # what the rounded number points at
        assert u.dtype == np.complex64 and u[1] == 0
        np.testing.assert_allclose(u[0], expected, rtol=0, atol=3e-7)


def test_a_mean_square_beyond_the_type_is_refused(rng):
    """Not divided by infinity, which would make zeros."""
    x = np.full((2, 2, 16), 0, np.complex64)
    x[..., 0] = 1e30, -1e30
    net = nn.Sequential(nn.Sphere(4, 2), nn.BatchNorm())
    with pytest.raises(
        ValueError, match="layer 0, BatchNorm: the mean square of values up to 1e.30 exceeds"
    ):
        x[1] *= -1
        output(net, net.init(0, dtype=np.float32), x, training())
    y = output(net, net.init(0), x.astype(complex), training())
    np.testing.assert_allclose(np.abs(y[..., 0]), np.sqrt(4 * np.pi), rtol=CHAIN)


def test_a_large_batch_does_not_overflow_its_sum(rng):
    """4000 numbers of 1e18: the sum of squares is no float32, their mean is."""
    x = (1e18 * sphere(4, 1, rng, 4000)).astype(np.complex64)
    assert not np.isfinite(energy(x, (1, 1, 1))).all()
    net = nn.Sequential(nn.Sphere(4, 1), nn.BatchNorm(momentum=0))
    y, state = net.apply(*net.init(0, dtype=np.float32), x, training())
    expected = output(net, net.init(0), x.astype(complex), training())
    np.testing.assert_allclose(y, expected, rtol=0, atol=2e-6)
    assert np.isfinite(state[0]["variance"]).all()


# --- what is lost is refused, by the call that loses it --------------------------------------------------

LOSSES = {
    "cobb": (np.float32, 1e12),
    "kondor": (np.float32, 1e10),
    "kondor double": (float, 1e100),
    "hybrid": (np.float32, 1e19),
}


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_results_that_are_not_finite(name, trained):
    """Refused, naming the first layer that made them, plain and differentiated; not returned as NaN."""
    dtype, scale = LOSSES[name]
    net = network(name.split()[0])
    params, state = net.init(0, dtype=dtype)
    x = from_real(signals(net, "random", np.random.default_rng(0), dtype))
    words = "layer .*(TensorProduct: .* NaN or infinite, for inputs up to|Norm: the mean square of)"

    def run(params, x, context=None):
        return output(net, (params, state), x, context)

    for factor in (scale, scale**1.8):
        y = (x * dtype(factor)).astype(x.dtype)
        for call in (
            lambda p, y=y: run(p, y, training() if trained else None),
            lambda p, y=y: make_vjp(lambda q: run(q, y))(p),
        ):
            if name == "hybrid" and trained and factor == scale:
                continue  # whose BatchNorm brings the maps to order one
            with np.errstate(all="ignore"), pytest.raises(ValueError, match=words) as error:
                call(params)
            assert "scale the" in str(error.value)
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=words):
        train.predict(net, params, (x * dtype(scale**1.8)).astype(x.dtype), state=state)


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("after", [nn.PowerSpectrum(), nn.BatchNorm(), nn.Pointwise()], ids=str)
@pytest.mark.parametrize("trained", [False, True])
def test_the_first_layer_is_named(trained, after, inside, rng):
    """Also where a later one refuses; random numbers and running means are those of a single run."""
    layers = [nn.Dropout(0.5), Map(lambda x: x + np.inf), after]
    net = nn.Sequential(nn.Sphere(4, 2), *([nn.Sequential(*layers)] if inside else layers))
    initial, place = net.init(0), "0.1" if inside else "1"
    with (
        np.errstate(all="ignore"),
        pytest.raises(
            ValueError, match=f"^layer {place}, Map: .*its function has no finite value there"
        ),
    ):
        output(net, initial, sphere(4, 2, rng), training() if trained else None)


def test_a_network_runs_once_where_all_is_finite(rng):
    count = []
    layers = Map(lambda x: count.append(1) or x), nn.Dropout(0.5), nn.PowerSpectrum()
    net = nn.Sequential(nn.Sphere(4, 2), *layers)
    initial, x = net.init(0), sphere(4, 2, rng)
    unchecked = nn.Context(training=True, rng=3, check_finite=False)
    one, two = output(net, initial, x, unchecked), output(net, initial, x, training(3))
    assert len(count) == 2 and (one == two).all()


def test_parameters_that_are_not_finite(rng):
    net = nn.Sequential(nn.Sphere(4, 2), nn.Zonal(2), nn.PowerSpectrum(), nn.Dense(2))
    params, _ = net.init(0)
    params[2]["bias"][:] = np.nan
    with pytest.raises(ValueError, match="layer 2, Dense: parameters contain NaN"):
        net(params, sphere(4, 2, rng))


def test_gradients_beyond_the_type_do_not_advise_a_mask(rng):
    """What goes back through an analysis is no map."""
    net = nn.Sequential(nn.Sphere(6, 2), nn.PoissonBracket())
    x = (1e9 * sphere(6, 2, rng)).astype(np.complex64)
    params, _ = net.init(0, dtype=np.float32)
    pullback, y = make_vjp(lambda x: net(params, x))(x)
    with (
        np.errstate(all="ignore"),
        pytest.raises(ValueError, match="a gradient, .*float64") as error,
    ):
        pullback(np.full_like(y, 1e35))
    assert "mask" not in str(error.value)


# --- no signals --------------------------------------------------------------------------------------

EMPTY = {name: (nn.Sphere(6, 4), layers) for name, layers in STRICT.items()}
EMPTY |= {name: (nn.Sphere(4, 2), make(1)) for name, make in POINTWISE.items()}
EMPTY |= {name: (nn.Sphere(4, 2), layers) for name, layers in LAYERS.items()}
EMPTY["deep_sets"] = nn.Features(5), [nn.Dropout(0.2), nn.models.deep_sets(3, (8, 8), (8, 2))]
EMPTY["SetSum"] = nn.Features(5), [nn.SetSum(3)]


@pytest.mark.parametrize("name", [*EMPTY, *MODELS])
def test_an_empty_batch(name, rng):
    """An empty result of the type and shape of others; in training a norm says that it has no mean."""
    net = network(name) if name in MODELS else nn.Sequential(EMPTY[name][0], *EMPTY[name][1])
    for dtype in (np.float32, np.float64):
        params, state = net.init(0, dtype=dtype)
        kind = (
            dtype if isinstance(net.in_type, nn.Features) else np.result_type(dtype, np.complex64)
        )
        empty, three = (np.zeros(net.in_type.shape(n), kind) for n in (0, 3))
        y, like = net(params, empty, state=state), net(params, three, state=state)
        assert y.shape == net.out_type().shape(0) and y.dtype == like.dtype
        if not any(True for _ in leaves(params)):
            continue
        pullback, _ = make_vjp(lambda p, x=empty, s=state: net(p, x, state=s))(params)
        assert not any(np.any(g) for g in leaves(pullback(np.zeros_like(y))))
    if any(True for _ in leaves(state)):
        with pytest.raises(ValueError, match="Norm: the batch is empty"):
            net.apply(params, state, empty, training())
    else:
        assert output(net, (params, state), empty, training()).shape == y.shape


# --- types and seeds -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.longdouble, np.clongdouble, object, str, "M8[s]"])
@pytest.mark.parametrize("model", ["cobb", "spin", "dense"])
def test_types_that_no_network_takes(model, dtype, rng):
    """Refused at the border, in one line."""
    if model == "dense":
        net = nn.Sequential(nn.Features(3), nn.Dense(2))
    else:
        net = network(model)
    shape = net.in_type.shape(2)
    x = np.full(shape, "a") if dtype is str else np.zeros(shape).astype(dtype)
    with pytest.raises(TypeError, match="^the batch of signals has dtype .*; expected") as error:
        output(net, net.init(0), x)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["cobb", "spin"])
def test_what_is_converted(name, rng):
    """Integers, lists, and byte-swapped arrays, as everywhere; real coefficients are complex ones."""
    net = network(name)
    (params, state), x = net.init(0), np.zeros(net.in_type.shape(2))
    x[..., 0] = 2
    x[..., 2] = 1
    y = net(params, x.astype(complex), state=state)
    for same in (x, x.astype(int), x.tolist(), x.astype(">f8"), x.astype(">c16")):
        np.testing.assert_array_equal(net(params, same, state=state), y)
    with pytest.raises(TypeError, match="masked"):
        net(params, np.ma.masked_equal(x, 1), state=state)


def test_seeds(rng):
    """An integer wherever a generator is taken; what is neither is refused, before anything is made."""
    net = network("cobb")
    for a, b in zip(leaves(net.init(7)), leaves(net.init(np.random.default_rng(7))), strict=True):
        assert (a == b).all()
    x = np.ones((4, 1000))
    drop = nn.Sequential(nn.Features(1000), nn.Dropout(0.25))
    seeds = 3, np.random.default_rng(3)
    one, two = (output(drop, ([{}], [{}]), x, training(seed)) for seed in seeds)
    assert (one == two).all()
    (params, state), maps = net.init(0), sphere(5, 1, rng)

    def error(rng):
        return nn.equivariance_error(net, params, maps, rng, state=state)

    assert error(1) == error(np.random.default_rng(1))
    for wrong in (None, 1.5, "seed", True, np.random.RandomState(0)):
        for call in (net.init, training, error):
            if wrong is None and call is training:
                continue  # of a context without random numbers
            with pytest.raises(TypeError, match="rng is .*expected a numpy.random.Generator"):
                call(wrong)
    with pytest.raises(ValueError, match="rng is -1"):
        net.init(-1)
    for dtype in (np.float16, np.longdouble, complex, int):
        with pytest.raises(
            TypeError, match="dtype of parameters is .*; expected float32 or float64"
        ):
            net.init(0, dtype=dtype)


def test_parameters_of_another_network(rng):
    net, other = network("cobb"), network("kondor")
    params, state = other.init(0)
    with pytest.raises(
        ValueError, match="params has 6 entries; expected one for each of the 5 layers"
    ):
        net(params, sphere(5, 1, rng), state=state)


def test_equivariance_of_any_scale(rng):
    """A relative error knows no unit; of results that are all zero there is none."""
    net = nn.Sequential(nn.Sphere(6, 2), nn.Zonal(2))
    (params, _), x = net.init(0), sphere(6, 2, rng)
    plain = nn.equivariance_error(net, params, x, 1)
    for scale in (2.0**-1000, 2.0**900):
        assert abs(nn.equivariance_error(net, params, scale * x, 1) - plain) < 1e-16
    with pytest.raises(ValueError, match="results of the network are all zero"):
        nn.equivariance_error(net, params, 0 * x, 1)


def test_anp_maximum_is_not_what_pools(rng):
    """The largest of single precision has single gradients, along any axes, in both modes."""
    x = rng.standard_normal((2, 3, 4)).astype(np.float32)
    pullback, y = make_vjp(lambda x: largest(x, (0, 2)))(x)
    assert pullback(np.ones_like(y)).dtype == np.float32
    assert make_jvp(lambda x: largest(x, (0, 2)))(x)(x)[1].dtype == np.float32
    np.testing.assert_array_equal(y, anp.max(x, axis=(0, 2)))
