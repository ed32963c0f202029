"""When numbers stop being finite: in which layer, and where the training can go on from."""

import numpy as np
from autograd.core import SparseObject
from autograd.tracer import getval

from spherekit._blas import one_thread
from spherekit.nn import Training
from spherekit.train import checkpoints as store
from spherekit.train.gradients import Watch, gradient
from spherekit.train.trees import leaves, spelled


class Diverged(ValueError):
    """The loss, a gradient or a parameter is NaN or infinite."""


def finite(tree):
    """Whether all numbers of a tree are."""
    return all(np.isfinite(array).all() for _, array in leaves(tree))


class Places(Training):
    """Training that notes which layer is at work; ``watch.label`` is (place, name)."""

    def __init__(self, watch, rng, momentum=0.9, threads=None):
        super().__init__(rng, momentum, threads)
        self.watch = watch

    def apply(self, number, layer, params, x):
        before, label = self.watch.label, ((*self.place, number), layer.name)
        self.watch.label = label
        self.watch.entered(label)
        try:
            y = super().apply(number, layer, params, x)
        finally:
            self.watch.label = before
        self.watch.left(label, y)
        return y


class _First(Watch):
    """The first layer that gives what is not finite, and the first step back that does."""

    def __init__(self):
        self.forward = self.back = None

    def entered(self, label):
        pass

    def left(self, label, y):
        bad = np.size(getval(y)) - np.count_nonzero(np.isfinite(getval(y)))
        if bad and self.forward is None:
            self.forward = label, bad, np.size(getval(y))

    def step(self, label, name, seconds, outgrad, ingrads):
        if self.back is None and _sound(outgrad) and not all(map(_sound, ingrads)):
            self.back = label, name


def diverged(job, state, x, y, rng, loss):
    """The error that says so: the step is made once more, layer by layer."""
    watch, grads, words = _First(), None, None
    try:
        with one_thread(), np.errstate(all="ignore"):
            mode = Places(watch, rng, job.momentum, job.threads)
            _, grads = gradient(job.net, job.loss, state.params, x, y, mode, watch)
    except ValueError as error:  # a layer that refuses such numbers
        words = str(error)
    where = _where(watch, grads, words)
    return Diverged(f"step {state.step + 1}: {_what(loss, grads)}; {where}. {_advice(job, state)}")


def _what(loss, grads):
    if not np.isfinite(loss):
        return f"the loss is {loss}"
    if grads is not None and not finite(grads):
        return f"the loss is {loss:.6g}, its gradient is not finite"
    return f"the loss is {loss:.6g}, the parameters after the step are not finite"


def _where(watch, grads, words):
    if watch.forward is not None:
        label, bad, size = watch.forward
        return f"first in the results of layer {_spelled(label)}: {bad} of {size} numbers are NaN or infinite"
    if words is not None:
        return words
    if watch.back is not None:
        label, name = watch.back
        layer = f"layer {_spelled(label)}" if label else "the loss"
        lost = [spelled(path) for path, g in leaves(grads, statistics=False) if not _sound(g)]
        return f"first in the gradient of {layer} ({name}); gradients lost: {', '.join(lost[:5]) or 'none'}"
    return "every layer's results and gradients are finite: the loss itself is not, or the step is too long"


def _advice(job, state):
    path = store.latest(job.folder) if job.folder is not None else None
    kept = f"The last good checkpoint is {path}. " if path is not None else ""
    return f"{kept}Lower the rate, clip the gradient, or scale the data"


def _spelled(label):
    place, name = label
    return f"{spelled(place)}, {name}"


def _sound(x):
    if isinstance(x, SparseObject):  # the gradient of an index
        x = x.mut_add(x.vs.zeros())
    return x is None or np.isfinite(getval(x)).all()
