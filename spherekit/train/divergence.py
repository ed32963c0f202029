"""Trainings that lose their numbers: in which layer, and from which checkpoint to continue."""

import math

import numpy as np
from autograd.tracer import getval

from spherekit._core import checks
from spherekit._core.blas import one_thread
from spherekit._core.pytree import flatten, leaves, path_text
from spherekit.nn import Context
from spherekit.train import checkpoints as store
from spherekit.train.autodiff import LayerObserver, loss_and_gradients, observed_by


class Diverged(ValueError):
    """The loss, a gradient or a parameter of a training is NaN or infinite.

    The message names the step, the first layer whose output, or whose gradient, is not finite, the last good
    checkpoint, and what can help.

    >>> issubclass(Diverged, ValueError)
    True
    """


def is_finite(tree):
    """Whether all numbers of a tree of arrays are finite.

    >>> is_finite([np.ones(2), {"mean": np.array(np.nan)}])
    False
    """
    return all(np.isfinite(getval(array)).all() for array in leaves(tree))


class _FirstLoss(LayerObserver):
    """The first layer whose output is not finite, and the first backward whose gradients are not.

    Attributes
    ----------
    output_loss : (key, number of entries that are not finite, number of entries) or None
    gradient_loss : key, or "loss", or None
    sizes : {key: largest entry of the input}
    last_size : float
        Largest entry of the output of the last layer.
    """

    def __init__(self):
        self.output_loss, self.gradient_loss = None, None
        self.sizes, self.last_size = {}, 0.0

    def forward(self, key, x, compute):
        self.sizes[key] = _largest(x)
        y, state = compute()
        bad = np.size(y) - np.count_nonzero(np.isfinite(y))
        if bad and self.output_loss is None:
            self.output_loss = key, bad, np.size(y)
        self.last_size = _largest(y)
        return y, state

    def backward(self, key, gradient, compute):
        if self.gradient_loss is None and not is_finite(gradient):
            self.gradient_loss = "loss"  # what comes after all layers
        try:
            gradients = compute()
        except ValueError as error:
            if "NaN or infinite" in str(error):  # an operation refuses what one before it has lost
                self.gradient_loss = self.gradient_loss or key
            raise
        if self.gradient_loss is None and not is_finite(gradients):
            self.gradient_loss = key
        return gradients


def diverged(job, checkpoint, x, y, rng, loss):
    """The `Diverged` of a step that lost its numbers: the step is computed once more, layer by layer."""
    observer, gradients, _ = _repeated(job, checkpoint, x, y, rng)
    reason = _reason(loss, gradients)
    place = _place(observer, loss, gradients)
    advice = _advice(observer, loss, checkpoint)
    return Diverged(f"step {checkpoint.step + 1}: {reason}; {place}. {_last_good(job)}{advice}")


def explained(error, job, checkpoint, x, y, rng):
    """`Diverged` where a layer refuses numbers that another one has lost before it; else the error itself."""
    observer, _, repeated_error = _repeated(job, checkpoint, x, y, rng)
    losses = observer.output_loss, observer.gradient_loss
    if repeated_error is None or losses == (None, None):
        return error
    loss = (
        math.nan if observer.output_loss else 0.0
    )  # it was a number where only the gradient is lost
    place = _place(observer, loss, None)
    advice = _advice(observer, loss, checkpoint)
    return Diverged(f"step {checkpoint.step + 1}: {place}. {_last_good(job)}{advice}")


def _repeated(job, checkpoint, x, y, rng):
    """(observer, gradients or None, error or None) of the step, layer by layer."""
    observer = _FirstLoss()
    context = Context(
        training=True,
        rng=rng,
        threads=job.threads,
        check_finite=False,
        around=observed_by(observer),
    )
    arguments = job.net, job.loss, checkpoint.params, checkpoint.state, x, y, context
    try:
        with one_thread(), np.errstate(all="ignore"):
            return observer, loss_and_gradients(*arguments)[1], None
    except ValueError as error:
        return observer, None, error


def _reason(loss, gradients):
    if not np.isfinite(loss):
        return f"the loss is {loss}"
    if gradients is not None and not is_finite(gradients):
        return f"the loss is {loss:.6g}, its gradient is not finite"
    return f"the loss is {loss:.6g}, the parameters or moments after the step are not finite"


def _place(observer, loss, gradients):
    if observer.output_loss is not None:
        key, bad, size = observer.output_loss
        return (
            f"first in the results of {_layer_text(key)}: {bad} of {size} numbers are NaN or infinite, "
            f"of finite ones up to {observer.sizes[key]:.3g}"
        )
    if not np.isfinite(loss):
        return f"the results of all layers are finite, those of the last up to {observer.last_size:.3g}"
    if observer.gradient_loss is not None:
        place = f"first in the gradient of {_layer_text(observer.gradient_loss)}"
        if gradients is None:
            return place
        lost = [path_text(path) for path, g in flatten(gradients) if not is_finite(g)]
        return f"{place}; gradients lost: {', '.join(lost[:5]) or 'none'}"
    return "the results and gradients of all layers are finite"


def _last_good(job):
    path = None if job.checkpoints is None else store.latest(job.checkpoints.folder)
    return f"The last good checkpoint is {path}. " if path is not None else ""


def _advice(observer, loss, checkpoint):
    """What can help in this case, and what cannot."""
    arrays = list(leaves(checkpoint.params))
    dtype = np.dtype(checks.real_type(arrays[0]))
    limit, largest = math.sqrt(np.finfo(dtype).max), max(map(_largest, arrays))
    if largest > limit:
        grown = "Lower the learning rate or clip the gradient"
        remedy = grown if checkpoint.step else "Start from smaller parameters"
        return f"The parameters, up to {largest:.3g}, are too large for {dtype}. {remedy}"
    size = _size_before(observer)
    if size > limit:
        remedy = "scale the data down, or train in float64"
        return f"Numbers of {size:.3g} are near the limit of {dtype}: {remedy}"
    if observer.output_loss is not None:
        return (
            "Its numbers are of ordinary size: its function has no finite value there. Change the function; "
            "a lower learning rate or a clipped gradient would not help"
        )
    if not np.isfinite(loss):
        return "The loss has no finite value there: change it, or its targets"
    if observer.gradient_loss is not None:
        return (
            "Results are finite and derivatives are not, as those of a root, a norm or a quotient at 0, or "
            f"of numbers whose squares are beyond {dtype}. Change that function; a lower learning rate or a "
            "clipped gradient would not help"
        )
    return "Lower the learning rate or clip the gradient"


def _size_before(observer):
    """Largest entry of the input of the layer that lost its numbers, or of the last output."""
    if observer.output_loss is not None:
        return observer.sizes[observer.output_loss[0]]
    return observer.sizes.get(observer.gradient_loss, observer.last_size)


def _layer_text(key):
    if key == "loss":
        return "the loss"
    path, name = key
    return f"layer {path_text(path)}, {name}"


def _largest(array):
    return float(np.max(np.abs(array), initial=0))
