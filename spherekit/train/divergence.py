"""When numbers stop being finite: in which layer, and where the training can go on from."""

import math

import numpy as np
from autograd.core import SparseObject
from autograd.tracer import getval

from spherekit._core import checks
from spherekit._core.blas import one_thread
from spherekit.nn import Training
from spherekit.train import checkpoints as store
from spherekit.train.autodiff import Watch, gradient
from spherekit.train.pytree import leaves, spelled


class Diverged(ValueError):
    """The loss, a gradient or a parameter is NaN or infinite."""


def finite(tree):
    """Whether all numbers of a tree are."""
    return all(np.isfinite(array).all() for _, array in leaves(tree))


class Places(Training):
    """Training that notes which layer is at work; ``watch.label`` is (place, name)."""

    guarded = False  # the watch sees what is lost

    def __init__(self, watch, rng, momentum=0.9, threads=None):
        super().__init__(rng, momentum, threads)
        self.watch = watch

    def apply(self, number, layer, params, x):
        before, label = self.watch.label, ((*self.place, number), layer.name)
        self.watch.label = label
        self.watch.entered(label, x)
        try:
            y = super().apply(number, layer, params, x)
        finally:
            self.watch.label = before
        self.watch.left(label, y)
        return y


class _First(Watch):
    """The first layer that gives what is not finite, and the first step back that does.

    ``sizes`` {label: the largest number that comes into it}, in the order of the layers.
    """

    def __init__(self):
        self.forward, self.back, self.sizes, self.last = None, None, {}, 0.0

    def entered(self, label, x):
        self.sizes[label] = float(np.max(np.abs(getval(x)), initial=0))

    def left(self, label, y):
        bad = np.size(getval(y)) - np.count_nonzero(np.isfinite(getval(y)))
        if bad and self.forward is None:
            self.forward = label, bad, np.size(getval(y))
        self.last = float(np.max(np.abs(getval(y)), initial=0))

    def step(self, label, name, seconds, outgrad, ingrads):
        if self.back is None and _sound(outgrad) and not all(map(_sound, ingrads)):
            self.back = label, name


def diverged(job, state, x, y, rng, loss):
    """The error that says so: the step is made once more, layer by layer."""
    watch, grads, _ = _again(job, state, x, y, rng)
    where, advice = _where(watch, loss, grads), _advice(watch, loss, grads, state)
    return Diverged(f"step {state.step + 1}: {_what(loss, grads)}; {where}. {_last(job)}{advice}")


def explained(error, job, state, x, y, rng):
    """`Diverged` where a layer refuses numbers that one before it has lost; else the error itself."""
    watch, _, again = _again(job, state, x, y, rng)
    if again is None or (watch.forward is None and watch.back is None):
        return error
    loss = math.nan if watch.forward else 0.0  # that of the step back was a number
    where, advice = _where(watch, loss, None), _advice(watch, loss, None, state)
    return Diverged(f"step {state.step + 1}: {where}. {_last(job)}{advice}")


def _again(job, state, x, y, rng):
    """(watch, gradients or None, error or None) of the step, made layer by layer."""
    watch = _First()
    try:
        with one_thread(), np.errstate(all="ignore"):
            mode = Places(watch, rng, job.momentum, job.threads)
            return watch, gradient(job.net, job.loss, state.params, x, y, mode, watch)[1], None
    except ValueError as error:
        return watch, None, error


def _what(loss, grads):
    if not np.isfinite(loss):
        return f"the loss is {loss}"
    if grads is not None and not finite(grads):
        return f"the loss is {loss:.6g}, its gradient is not finite"
    return f"the loss is {loss:.6g}, the parameters or moments after the step are not finite"


def _where(watch, loss, grads):
    if watch.forward is not None:
        label, bad, size = watch.forward
        return (
            f"first in the results of layer {_spelled(label)}: {bad} of {size} numbers are NaN or infinite, "
            f"of finite ones up to {watch.sizes[label]:.3g}"
        )
    if not np.isfinite(loss):
        return f"every layer's results are finite, those of the last up to {watch.last:.3g}"
    if watch.back is not None:
        label, name = watch.back
        layer = f"layer {_spelled(label)}" if label else "the loss"
        where = f"first in the gradient of {layer} ({name})"
        if grads is None:
            return where
        lost = [spelled(path) for path, g in leaves(grads, statistics=False) if not _sound(g)]
        return f"{where}; gradients lost: {', '.join(lost[:5]) or 'none'}"
    return "every layer's results and gradients are finite"


def _last(job):
    path = store.latest(job.folder) if job.folder is not None else None
    return f"The last good checkpoint is {path}. " if path is not None else ""


def _advice(watch, loss, grads, state):
    """What can help in this case, and what cannot."""
    params = [a for _, a in leaves(state.params, statistics=False)]
    largest = max(float(np.max(np.abs(a), initial=0)) for a in params)
    kind = np.dtype(checks.real_type(params[0]))
    limit = math.sqrt(np.finfo(kind).max)
    grown = "Lower the rate or clip the gradient" if state.step else "Start from smaller parameters"
    if largest > limit:
        return f"The parameters, up to {largest:.3g}, are too large for {kind}. {grown}"
    label = watch.forward[0] if watch.forward else watch.back[0] if watch.back else None
    size = watch.sizes[label] if label else watch.last
    if size > limit:
        return f"Numbers of {size:.3g} are near the end of {kind}: scale the data down, or train in float64"
    if watch.forward is not None:
        return (
            "Its numbers are of ordinary size: its function has no finite value there. Change the function; "
            "a lower rate or a clipped gradient would not help"
        )
    if not np.isfinite(loss):
        return "The loss has no finite value there: change it, or its targets"
    if watch.back is not None:
        return (
            "Results are finite and derivatives are not, as those of a root, a norm or a quotient at 0, or "
            f"of numbers whose squares are beyond {kind}. Change that function; a lower rate or a clipped "
            "gradient would not help"
        )
    return "Lower the rate or clip the gradient"


def _spelled(label):
    place, name = label
    return f"{spelled(place)}, {name}"


def _sound(x):
    if isinstance(x, SparseObject):  # the gradient of an index
        x = x.mut_add(x.vs.zeros())
    return x is None or np.isfinite(getval(x)).all()
