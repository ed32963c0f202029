"""Tables on the layers of `spherekit.nn`: times, equivariance errors, scaling of time and memory with L."""

from time import perf_counter

import numpy as np

from spherekit.bench.worker import times
from spherekit.plot.figure import figure, save

TRANSFORMS = ("layers", "models", "equivariance", "cost")


def exact_layers():
    """{name: layers} for real signals on the sphere whose equivariance error is that of rounding."""
    from spherekit import nn

    F = nn.ToFragments()
    return {
        "free convolution": [F, nn.Convolution(16)],
        "tensor product, full": [F, nn.TensorProduct("full")],
        "tensor product, MST": [F, nn.TensorProduct("mst")],
        "tensor product, RMST": [F, nn.TensorProduct("rmst")],
        "tensor product, MST, constrained": [
            F,
            nn.TensorProduct("mst"),
            nn.ConstrainedConvolution(16),
        ],
        "quadratic (samples), exact": [nn.Square()],
        "Poisson bracket, exact": [nn.PoissonBracket()],
        "zonal convolution": [nn.Zonal(16)],
        "lift to SO(3), N = 3": [nn.Lift(16, 3)],
        "correlation on SO(3), N = 3": [nn.Lift(16, 3), nn.Correlate(16, 3)],
        "spin convolution, 0 and 1": [nn.SpinConvolution(16)],
        "spectral batch norm": [nn.BatchNorm()],
        "bispectrum, selective": [nn.Bispectrum("selective")],
    }


def pointwise_layers():
    """{name: function of oversample that returns layers} whose equivariance error is due to aliasing."""
    from spherekit import nn

    return {
        "relu on the sphere": lambda factor: [nn.Pointwise("relu", factor)],
        "relu on SO(3), N = 3": lambda factor: [nn.Lift(16, 3), nn.Pointwise("relu", factor)],
        "modulus of spins 0 and 1": lambda factor: [
            nn.SpinConvolution(16),
            nn.ModulusPhase(factor),
        ],
        "scattering, J0 = 1": lambda factor: [nn.Scattering(J0=1, oversample=factor)],
    }


def layer_times(L, channels=16, batch=32, dtype="float32", threads=1):
    """Lines: times of the forward and backward pass of single layers in training, in ms."""
    lines = [
        f"layers: L = {L}, {channels} channels, batch {batch}, {dtype}, {threads} thread"
        + "s" * (threads > 1),
        f"{'layer':34}{'forward':>10}{'backward':>10}{'ratio':>7}",
        f"{'':34}{'ms':>10}{'ms':>10}",
    ]
    from spherekit import nn, train

    train.tune_allocator()
    context = nn.Context(training=True, rng=np.random.default_rng(0), threads=threads)
    cases = exact_layers() | {
        f"{name}, oversample 2": make(2) for name, make in pointwise_layers().items()
    }
    for name, layers in cases.items():
        function, params, x = _last_layer(*_prepared(L, channels, batch, dtype, layers), context)
        forward = _minimum_ms(lambda f=function, p=params, x=x: f(p, x))
        backward = _backward_ms(function, params, x)
        lines.append(f"{name:34}{forward:10.3f}{backward:10.3f}{backward / forward:7.1f}")
    return lines


def model_times(threads=1, batch=32, dtype="float32"):
    """Lines: profiles of a training step of two networks, by layers and kernels."""
    from spherekit import nn, train

    lines = []
    for name, net in (("cobb, L = 10", nn.models.cobb()), ("cohen, L = 16", nn.models.cohen(L=16))):
        initial, x = _start(net, batch, dtype)
        target = np.zeros((batch, net.out_type().features), dtype)
        profile = train.profile(net, initial, (x, target), loss="mse", threads=threads, repeats=20)
        title = f"{name}: batch {batch}, {dtype}, {threads} thread" + "s" * (threads > 1)
        lines += [title, *str(profile).splitlines(), ""]
    return lines[:-1]


def equivariance(L, channels=4, batch=4):
    """Lines: relative equivariance errors for random rotations, by precision and by oversampling."""
    from spherekit import nn

    lines = [f"equivariance: L = {L}, {channels} channels; relative errors for random rotations"]
    lines += [f"{'exact':34}{'float64':>10}{'float32':>10}"]
    rng = np.random.default_rng(0)
    models = {name: getattr(nn.models, name) for name in ("kondor", "cobb")}
    for name, layers in (exact_layers() | models).items():
        errors = []
        for dtype in ("float64", "float32"):
            if callable(layers):
                net = layers(L=L, outputs=4)
                initial, x = _start(net, batch, dtype)
            else:
                net, initial, x = _prepared(L, channels, batch, dtype, layers)
            errors.append(_equivariance_error(net, initial, x, rng))
        lines.append(f"{name:34}{errors[0]:10.0e}{errors[1]:10.0e}")
    factors = (1, 1.5, 2, 3, 4)
    lines += ["", f"{'with aliasing, by oversample':34}" + "".join(f"{k:>10}" for k in factors)]
    for name, make in pointwise_layers().items():
        errors = []
        for factor in factors:
            net, initial, x = _prepared(L, channels, batch, "float64", make(factor))
            errors.append(_equivariance_error(net, initial, x, rng))
        lines.append(f"{name:34}" + "".join(f"{error:10.1e}" for error in errors))
    for name, make in aliasing_models(L).items():
        errors = []
        for factor in factors:
            net = make(factor)
            initial, x = _start(net, batch, "float64")
            errors.append(_equivariance_error(net, initial, x, rng))
        lines.append(f"{name:34}" + "".join(f"{error:10.1e}" for error in errors))
    return lines


def aliasing_models(L):
    """{name: function of oversample that returns a network} for small networks with aliasing."""
    from spherekit.nn import models

    half = max(L // 2, 2)
    options = dict(outputs=4)
    return {
        "cohen": lambda factor: models.cohen(L, (8, 8), (L, half), oversample=factor, **options),
        "esteves": lambda factor: models.esteves(L, (8, 8, 8), half, oversample=factor, **options),
        "spin": lambda factor: models.spin(L, (8, 8, 8), (half,) * 3, oversample=factor, **options),
        "hybrid, J0 = 1": lambda factor: models.hybrid(
            L, 1, 8, depth=1, oversample=factor, **options
        ),
    }


def costs(limits, channels=4, batch=16, dtype="float32", threads=1):
    """{name: [(L, ms, bytes)]} of the activations: time, and size of the result."""
    from spherekit import nn, train

    F = nn.ToFragments()
    results = {}
    activations = {
        "all channels, full set": lambda L: _all_channels(L, channels),
        "channel-wise, full set": lambda L: [F, nn.TensorProduct("full")],
        "channel-wise, MST": lambda L: [F, nn.TensorProduct("mst")],
        "channel-wise, RMST": lambda L: [F, nn.TensorProduct("rmst")],
        "quadratic on samples, exact": lambda L: [nn.Square()],
    }
    train.tune_allocator()
    context = nn.Context(threads=threads)
    for name, make in activations.items():
        for L in limits:
            if "full" in name and L > (16 if "wise" in name else 8):
                continue
            prepared = _prepared(L, channels, batch, dtype, make(L))
            function, params, x = _last_layer(*prepared, context)
            y = function(params, x)
            ms = _minimum_ms(lambda f=function, p=params, x=x: f(p, x))
            results.setdefault(name, []).append((L, ms, y.nbytes))
    return results


def cost_table(results):
    """Lines of `costs`, with the exponents of L between successive L."""
    theory = "C^2 L^5", "C L^5", "C L^4", "C L^3 log L", "C L^3"
    lines = [
        f"{'activation':30}{'theory':>13}{'L':>6}{'ms':>10}{'MB':>9}{'p (ms)':>8}{'p (MB)':>8}"
    ]
    for (name, rows), model in zip(results.items(), theory, strict=True):
        for i, (L, ms, size) in enumerate(rows):
            slope = ""
            if i:
                step = np.log(L / rows[i - 1][0])
                slope = f"{np.log(ms / rows[i - 1][1]) / step:8.1f}"
                slope += f"{np.log(size / rows[i - 1][2]) / step:8.1f}"
            head = f"{name:30}{model:>13}" if i == 0 else " " * 43
            lines.append(f"{head}{L:6}{ms:10.3f}{size / 1e6:9.2f}{slope}")
    return [*lines, "p: exponent of L^p, from this L and the previous one"]


def cost_figure(results, path=None):
    """Plot time and memory of `costs` against L; the figure is written to ``path`` if given."""
    fig = figure(10, 4)
    left, right = fig.subplots(1, 2)
    for name, rows in results.items():
        L, ms, size = np.transpose(rows)
        left.loglog(L, ms, "o-", label=name)
        right.loglog(L, size / 1e6, "o-", label=name)
    ticks = sorted({L for rows in results.values() for L, _, _ in rows})
    for ax, title in ((left, "time, ms"), (right, "size of the result, MB")):
        ax.set(xlabel="band-limit L", title=title)
        ax.set_xticks(ticks, [str(int(L)) for L in ticks])
        ax.minorticks_off()
        ax.spines[["top", "right"]].set_visible(False)
    left.legend(frameon=False, fontsize="small")
    if path is not None:
        save(fig, path, dpi=150)
    return fig


# --- preparation ------------------------------------------------------------------------------------


def _all_channels(L, channels):
    """Products of all pairs of channels: the channels become fragments of a single channel."""
    from spherekit import nn

    return [nn.ToFragments(), nn.Convolution(1, channels), nn.TensorProduct("full")]


def _prepared(L, channels, batch, dtype, layers):
    """(net, (params, state), a batch of signals)."""
    from spherekit import nn

    net = nn.Sequential(nn.Sphere(L, channels), *layers)
    return net, *_start(net, batch, dtype)


def _start(net, batch, dtype):
    """((params, state), a batch of signals)."""
    from spherekit.testing import random_flm

    rng = np.random.default_rng(0)
    complex_dtype = np.result_type(dtype, np.complex64)
    shape = batch, net.in_type.channels
    x = random_flm(net.in_type.L, rng, reality=True, shape=shape, dtype=complex_dtype)
    return net.init(rng, dtype=dtype), x


def _equivariance_error(net, initial, x, rng):
    from spherekit import nn

    params, state = initial
    return nn.equivariance_error(net, params, x, rng, state=state)


def _last_layer(net, initial, x, context):
    """(function of parameters and input that evaluates the last layer, its parameters, its input)."""
    *stages, last = zip(net.stages(), *initial, strict=True)
    for (_, layer, in_type, *_), params, state in stages:
        x, _ = layer.apply(params, state, x, context.replace(in_type=in_type))
    (_, layer, in_type, *_), params, state = last
    inner = context.replace(in_type=in_type)
    return (lambda p, x: layer.apply(p, state, x, inner)[0]), params, x


def _backward_ms(function, params, x, repeats=30):
    """Minimum time of the backward pass to parameters and signals, in ms."""
    from autograd import make_vjp

    pullback, y = make_vjp(lambda pair: function(*pair))((params, x))
    g = np.ones_like(y)
    milliseconds = []
    for _ in range(repeats):
        start = perf_counter()
        pullback(g)
        milliseconds.append(1e3 * (perf_counter() - start))
    return min(milliseconds)


def _minimum_ms(call):
    """Minimum time of a call, in ms."""
    call()
    return times(lambda _: call(), None)["least"]
