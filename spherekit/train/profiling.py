"""Profile of a training step: the time of each layer, forward and backward, and of each kernel."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit._core.blas import single_threaded
from spherekit._core.pytree import path_text
from spherekit.nn import Context, Sequential
from spherekit.timing import listening
from spherekit.train import losses
from spherekit.train.autodiff import LayerObserver, loss_and_gradients, observe_with
from spherekit.train.job import check_initial, check_network
from spherekit.train.optimizers import Optimizer, adam


class Row(NamedTuple):
    """Times of a layer in seconds, and the times of kernels within them.

    Attributes
    ----------
    path : tuple of int
        Path of the layer in the network.
    name : str
        Class of the layer.
    forward, forward_kernels, backward, backward_kernels : float
        Seconds of the forward and backward passes, and of the kernels in each.
    """

    path: tuple
    name: str
    forward: float
    forward_kernels: float
    backward: float
    backward_kernels: float


class Profile(NamedTuple):
    """Profile of one training step, in seconds; ``str`` formats it as a table.

    Attributes
    ----------
    step : float
        Time of a step without profiling.
    profiled_step : float
        Time of the profiled step.
    rows : list of Row
        One for each layer that contains no other layers. The last row, called "loss", is the time outside of
        layers: the loss, and the work of autograd between layers.
    optimizer : float
        Time of the optimizer.
    kernels : dict
        ``{name: (calls, seconds)}``.
    """

    step: float
    profiled_step: float
    rows: list
    optimizer: float
    kernels: dict

    @property
    def kernel_fraction(self) -> float:
        """Fraction of the profiled step that is spent in kernels."""
        return sum(seconds for _, seconds in self.kernels.values()) / self.profiled_step

    def __str__(self):
        return "\n".join(_table(self))


def profile(
    net: Sequential,
    initial: tuple[Any, Any],
    data: tuple[Any, Any],
    *,
    loss: str | Callable = "cross_entropy",
    optimizer: Optimizer | None = None,
    repeats: int = 5,
    threads: int | None = None,
) -> Profile:
    """Profile a training step: loss, gradients, and step of the optimizer.

    Kernels are complete calls of the linear maps of `spherekit.linear` (transforms, rotations, linear maps
    of fragments) and of tensor products. The fastest of ``repeats`` steps is reported, after a step that
    compiles the kernels. `tune_allocator` changes the times.

    Parameters
    ----------
    net : spherekit.nn.Sequential
        Network, with the type of its input.
    initial : (params, state)
        Parameters and running state, from ``net.init``.
    data : (signals, targets)
        One batch.
    loss : str or callable
        As in `fit`.
    optimizer : Optimizer, optional
        By default ``adam(1e-3)``.
    repeats : int
        Number of profiled steps, at least 1.
    threads : int, optional
        Number of threads; by default ``SPHEREKIT_NUM_THREADS``, else the CPUs that the process may use.

    Returns
    -------
    Profile

    Raises
    ------
    TypeError, ValueError
        The arguments do not fit the network, as in `fit`, or ``repeats`` is not an integer >= 1.

    Examples
    --------
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
    loss = losses.resolve(loss)
    optimizer = adam() if optimizer is None else optimizer
    check_network(net)
    check_initial(net, initial)
    params, state = initial
    optimizer_state = optimizer.init(params)

    def step(around=None):
        """Return the seconds of the step, and of the optimizer in it."""
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
    plain_times = []
    best = None
    for _ in range(repeats):
        plain_times.append(step()[0])
        clock = _Clock()
        with listening(clock.add_kernel):
            total, in_optimizer = step(observe_with(clock))
        if best is None or total < best.profiled_step:
            rows = clock.rows(total - in_optimizer)
            best = Profile(0.0, total, rows, in_optimizer, clock.kernels)
    return best._replace(step=min(plain_times))


class _Clock(LayerObserver):
    """Sums the seconds of kernels, and of layers, {key: [forward, in kernels, backward, in kernels]}."""

    def __init__(self):
        self.seconds = {}
        self.kernels = {}
        self.outside_layers = 0.0
        self.current = None

    def forward(self, key, x, compute):
        return self._timed(self.seconds.setdefault(key, [0.0] * 4), 0, compute)

    def backward(self, key, gradient, compute):
        return self._timed(self.seconds[key], 2, compute)

    def _timed(self, row, column, compute):
        self.current = (row, column + 1)
        start = perf_counter()
        try:
            return compute()
        finally:
            row[column] += perf_counter() - start
            self.current = None

    def add_kernel(self, name, seconds):
        """Add a call of a kernel; called after each kernel."""
        calls, total = self.kernels.get(name, (0, 0.0))
        self.kernels[name] = calls + 1, total + seconds
        if self.current is None:
            self.outside_layers += seconds
        else:
            row, column = self.current
            row[column] += seconds

    def rows(self, total):
        """Return the rows of all layers; the remaining seconds of ``total`` are assigned to the loss."""
        rows = [Row(path, name, *seconds) for (path, name), seconds in self.seconds.items()]
        remaining = total - sum(row.forward + row.backward for row in rows)
        return [*rows, Row((), "loss", remaining, self.outside_layers, 0.0, 0.0)]


def _table(profile):
    lines = [
        f"training step: {1e3 * profile.step:.2f} ms ({1e3 * profile.profiled_step:.2f} ms profiled), "
        f"{100 * profile.kernel_fraction:.0f} % in kernels",
        f"{'layer (ms)':38}{'forward':>9}{'backward':>9}{'total':>9}{'kernels':>9}{'of step':>9}",
    ]
    for row in profile.rows:
        total = row.forward + row.backward
        in_kernels = row.forward_kernels + row.backward_kernels
        indent = "  " * max(len(row.path) - 1, 0)
        name = indent + f"{path_text(row.path)} {row.name}".strip()
        times = row.forward, row.backward, total
        lines.append(_line(name, times, in_kernels, profile.profiled_step))
    lines.append(_line("optimizer", (None, None, profile.optimizer), 0.0, profile.profiled_step))
    lines += ["", f"{'kernel':38}{'calls':>9}{'ms':>9}{'of step':>9}"]
    for name, (calls, seconds) in sorted(profile.kernels.items(), key=lambda item: -item[1][1]):
        percent = f"{100 * seconds / profile.profiled_step:7.1f} %"
        lines.append(f"{name:38}{calls:9}{1e3 * seconds:9.3f}{percent}")
    return lines


def _line(name, times, in_kernels, step):
    forward, backward, total = ("" if t is None else f"{1e3 * t:.3f}" for t in times)
    kernels = f"{100 * in_kernels / times[2]:.0f} %" if times[2] else ""
    return f"{name:38}{forward:>9}{backward:>9}{total:>9}{kernels:>9}{100 * times[2] / step:7.1f} %"
