"""Where the time of a training step goes: kernels against the rest, by layer, forward and back."""

from time import perf_counter
from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit._core.blas import one_thread
from spherekit._core.workspace import keep_freed
from spherekit.nn import Training
from spherekit.timing import listening
from spherekit.train import losses
from spherekit.train.autodiff import Watch, gradient
from spherekit.train.divergence import Places
from spherekit.train.optimizers import adam
from spherekit.train.pytree import spelled


class Row(NamedTuple):
    """A layer, without the layers inside it; seconds, and how much of them in kernels."""

    place: tuple
    name: str
    forward: float
    forward_kernels: float
    back: float
    back_kernels: float


class Profile(NamedTuple):
    """One training step, in seconds; as text a table.

    step : float, of a step that nobody watches
    watched : float, of the one that is told of here
    rows : list of `Row`; what belongs to no layer, loss and gradients of parameters, is called "loss"
    optimiser : float
    kernels : {name: (calls, seconds)}
    """

    step: float
    watched: float
    rows: list
    optimiser: float
    kernels: dict

    @property
    def share(self):
        """Of the watched step, what is spent in kernels."""
        return sum(seconds for _, seconds in self.kernels.values()) / self.watched

    def __str__(self):
        return "\n".join(_table(self))


def profile(net, params, data, *, loss="cross_entropy", optimiser=None, repeats=5, threads=None):
    """`Profile` of one training step: loss, gradients, and step of the optimiser.

    Kernels are the linear maps of `spherekit.linear` (transforms, rotations, orders of fragments), tensor
    products and blends, whole calls of them. Of ``repeats`` steps that of the least time counts, after one
    that compiles.

    Parameters
    ----------
    net, params, loss, optimiser, threads : as in `spherekit.train.fit`
    data : (signals, targets)
        One batch.
    repeats : int

    >>> from spherekit import nn
    >>> from spherekit.testing import random_flm
    >>> net = nn.Net(nn.Sphere(4, 1), nn.power(), nn.dense(2))
    >>> rng = np.random.default_rng(0)
    >>> x = random_flm(4, rng, reality=True, shape=(3, 1))
    >>> made = profile(net, net.init(rng), (x, np.array([0, 1, 0])))
    >>> [row.name for row in made.rows], 0 < made.share < 1
    (['power', 'dense', 'loss'], True)
    """
    keep_freed()
    repeats = checks.whole_number(repeats, "repeats", 1)
    loss, optimiser = losses.named(loss), adam() if optimiser is None else optimiser
    state = optimiser.init(params)

    def step(mode, watch=None):
        with one_thread():
            _, grads = gradient(net, loss, params, *data, mode, watch)
            began = perf_counter()
            optimiser.step(params, grads, state)
        return perf_counter() - began

    step(Training(_rng(), threads=threads))
    plain, best = [], None
    for _ in range(repeats):
        began = perf_counter()
        step(Training(_rng(), threads=threads))
        plain.append(perf_counter() - began)
        clock = _Clock()
        with listening(clock.kernel):
            began = perf_counter()
            spent = step(Places(clock, _rng(), threads=threads), clock)
            total = perf_counter() - began
        if best is None or total < best.watched:
            best = Profile(0.0, total, clock.rows(total - spent), spent, clock.kernels)
    return best._replace(step=min(plain))


def _rng():
    return np.random.default_rng(0)


class _Clock(Watch):
    """Adds up seconds by layer: [forward, in kernels, back, in kernels]."""

    def __init__(self):
        self.found, self.kernels, self.open, self.inside = {}, {}, [], 0.0

    def entered(self, label, x):
        self.found.setdefault(label, [0.0] * 4)
        self.open.append([label, perf_counter(), 0.0])

    def left(self, label, y):
        _, began, others = self.open.pop()
        spent = perf_counter() - began
        self.found[label][0] += spent - others
        if self.open:
            self.open[-1][2] += spent

    def kernel(self, name, seconds):
        calls, total = self.kernels.get(name, (0, 0.0))
        self.kernels[name] = calls + 1, total + seconds
        if self.open:
            self.found[self.open[-1][0]][1] += seconds
        else:
            self.inside += seconds  # of the step back that is about to be told

    def step(self, label, name, seconds, outgrad, ingrads):
        line = self.found.setdefault(label, [0.0] * 4)
        line[2] += seconds
        line[3] += self.inside
        self.inside = 0.0

    def rows(self, total):
        """Of all layers; what is left of the total goes to the loss."""
        none = self.found.pop(None, [0.0] * 4)
        rows = [Row(place, name, *line) for (place, name), line in self.found.items()]
        spent = sum(row.forward + row.back for row in rows)
        return [*rows, Row((), "loss", total - spent - none[2], 0.0, *none[2:])]


def _table(made):
    lines = [
        f"one training step: {1e3 * made.step:.2f} ms ({1e3 * made.watched:.2f} watched); in kernels "
        f"{100 * made.share:.0f} %",
        f"{'layer':38}{'forward':>9}{'back':>9}{'both':>9}{'kernels':>9}{'of step':>9}",
    ]
    for row in made.rows:
        both, inside = row.forward + row.back, row.forward_kernels + row.back_kernels
        name = "  " * max(len(row.place) - 1, 0) + f"{spelled(row.place)} {row.name}".strip()
        lines.append(_line(name, row.forward, row.back, both, inside, made.watched))
    lines.append(_line("optimiser", None, None, made.optimiser, 0.0, made.watched))
    lines += ["", f"{'kernel':38}{'calls':>9}{'ms':>9}{'of step':>9}"]
    for name, (calls, spent) in sorted(made.kernels.items(), key=lambda item: -item[1][1]):
        share = f"{100 * spent / made.watched:7.1f} %"
        lines.append(f"{name:38}{calls:9}{1e3 * spent:9.3f}{share}")
    return lines


def _line(name, forward, back, both, inside, total):
    cells = ["" if v is None else f"{1e3 * v:.3f}" for v in (forward, back, both)]
    share = f"{100 * inside / both:.0f} %" if both else ""
    return f"{name:38}{cells[0]:>9}{cells[1]:>9}{cells[2]:>9}{share:>9}{100 * both / total:7.1f} %"
