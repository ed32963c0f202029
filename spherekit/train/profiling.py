"""Where the time of a training step goes: by layer, forward and backward, and by kernel."""

from time import perf_counter
from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit._core.blas import single_threaded
from spherekit._core.pytree import path_text
from spherekit.nn import Context
from spherekit.timing import listening
from spherekit.train import losses
from spherekit.train.autodiff import LayerObserver, loss_and_gradients, observed_by
from spherekit.train.job import check_initial, check_network
from spherekit.train.optimizers import adam


class Row(NamedTuple):
    """Seconds of a layer, and how much of them in kernels.

    Attributes
    ----------
    path : tuple of int
        Of the layer in the network.
    name : str
        Its class.
    forward, forward_kernels, backward, backward_kernels : float
    """

    path: tuple
    name: str
    forward: float
    forward_kernels: float
    backward: float
    backward_kernels: float


class Profile(NamedTuple):
    """One training step, in seconds; as text a table.

    Attributes
    ----------
    step : float
        Of a step without a profile.
    profiled_step : float
        Of the one whose parts follow.
    rows : list of Row
        One for each layer that contains no others; the last, called "loss", is of what belongs to no layer:
        the loss, and the work of autograd between layers.
    optimizer : float
    kernels : {name: (calls, seconds)}
    """

    step: float
    profiled_step: float
    rows: list
    optimizer: float
    kernels: dict

    @property
    def kernel_fraction(self):
        """Fraction of the profiled step that is spent in kernels."""
        return sum(seconds for _, seconds in self.kernels.values()) / self.profiled_step

    def __str__(self):
        return "\n".join(_table(self))


def profile(net, initial, data, *, loss="cross_entropy", optimizer=None, repeats=5, threads=None):
    """Profile one training step: loss, gradients, and step of the optimizer.

    Kernels are the linear maps of `spherekit.linear` (transforms, rotations, linear maps of fragments) and
    tensor products, complete calls of them. Of ``repeats`` steps that of the least time counts, after one
    that compiles. `tune_allocator` changes the times.

    Parameters
    ----------
    net, initial, loss, optimizer, threads : as in `spherekit.train.fit`
    data : (signals, targets)
        One batch.
    repeats : int

    Returns
    -------
    Profile

    >>> from spherekit import nn
    >>> from spherekit.testing import random_flm
    >>> net = nn.Sequential(nn.Sphere(4, 1), nn.PowerSpectrum(), nn.Dense(2))
    >>> rng = np.random.default_rng(0)
    >>> x = random_flm(4, rng, reality=True, shape=(3, 1))
    >>> result = profile(net, net.init(rng), (x, np.array([0, 1, 0])))
    >>> [row.name for row in result.rows], 0 < result.kernel_fraction < 1
    (['PowerSpectrum', 'Dense', 'loss'], True)
    """
    repeats = checks.integer(repeats, "repeats", 1)
    loss, optimizer = losses.resolve(loss), adam() if optimizer is None else optimizer
    check_network(net)
    check_initial(net, initial)
    params, state = initial
    optimizer_state = optimizer.init(params)

    def step(around=None):
        """Seconds of the step, and of the optimizer in it."""
        context = Context(
            training=True,
            rng=np.random.default_rng(0),
            threads=threads,
            check_finite=False,
            around=around,
        )
        start = perf_counter()
        with single_threaded():
            _, gradients, _ = loss_and_gradients(net, loss, params, state, *data, context)
            middle = perf_counter()
            optimizer.step(params, gradients, optimizer_state)
        end = perf_counter()
        return end - start, end - middle

    step()
    plain, best = [], None
    for _ in range(repeats):
        plain.append(step()[0])
        clock = _Clock()
        with listening(clock.add_kernel):
            total, in_optimizer = step(observed_by(clock))
        if best is None or total < best.profiled_step:
            rows = clock.rows(total - in_optimizer)
            best = Profile(0.0, total, rows, in_optimizer, clock.kernels)
    return best._replace(step=min(plain))


class _Clock(LayerObserver):
    """Adds up seconds of layers, {key: [forward, in kernels, backward, in kernels]}, and of kernels."""

    def __init__(self):
        self.seconds, self.kernels, self.outside_layers = {}, {}, 0.0
        self.current = None

    def forward(self, key, x, compute):
        return self._timed(self.seconds.setdefault(key, [0.0] * 4), 0, compute)

    def backward(self, key, gradient, compute):
        return self._timed(self.seconds[key], 2, compute)

    def _timed(self, row, column, compute):
        self.current, start = (row, column + 1), perf_counter()
        try:
            return compute()
        finally:
            row[column] += perf_counter() - start
            self.current = None

    def add_kernel(self, name, seconds):
        """Called after each kernel."""
        calls, total = self.kernels.get(name, (0, 0.0))
        self.kernels[name] = calls + 1, total + seconds
        if self.current is None:
            self.outside_layers += seconds
        else:
            row, column = self.current
            row[column] += seconds

    def rows(self, total):
        """Rows of all layers; the remaining seconds of ``total`` go to the loss."""
        rows = [Row(path, name, *seconds) for (path, name), seconds in self.seconds.items()]
        remaining = total - sum(row.forward + row.backward for row in rows)
        return [*rows, Row((), "loss", remaining, self.outside_layers, 0.0, 0.0)]


def _table(profile):
    lines = [
        f"one training step: {1e3 * profile.step:.2f} ms ({1e3 * profile.profiled_step:.2f} profiled); in "
        f"kernels {100 * profile.kernel_fraction:.0f} %",
        f"{'layer':38}{'forward':>9}{'backward':>9}{'both':>9}{'kernels':>9}{'of step':>9}",
    ]
    for row in profile.rows:
        both = row.forward + row.backward
        in_kernels = row.forward_kernels + row.backward_kernels
        indent = "  " * max(len(row.path) - 1, 0)
        name = indent + f"{path_text(row.path)} {row.name}".strip()
        times = row.forward, row.backward, both
        lines.append(_line(name, times, in_kernels, profile.profiled_step))
    lines.append(_line("optimizer", (None, None, profile.optimizer), 0.0, profile.profiled_step))
    lines += ["", f"{'kernel':38}{'calls':>9}{'ms':>9}{'of step':>9}"]
    for name, (calls, seconds) in sorted(profile.kernels.items(), key=lambda item: -item[1][1]):
        percent = f"{100 * seconds / profile.profiled_step:7.1f} %"
        lines.append(f"{name:38}{calls:9}{1e3 * seconds:9.3f}{percent}")
    return lines


def _line(name, times, in_kernels, step):
    forward, backward, both = ("" if t is None else f"{1e3 * t:.3f}" for t in times)
    kernels = f"{100 * in_kernels / times[2]:.0f} %" if times[2] else ""
    return f"{name:38}{forward:>9}{backward:>9}{both:>9}{kernels:>9}{100 * times[2] / step:7.1f} %"
