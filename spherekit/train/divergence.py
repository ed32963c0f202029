"""Trainings that lose their numbers: in which layer, and from which checkpoint to continue."""

import math

import numpy as np
from autograd.tracer import getval

from spherekit._core import checks
from spherekit._core.blas import single_threaded
from spherekit._core.pytree import flatten, path_text, tree_leaves
from spherekit.nn import Context
from spherekit.train import checkpoints as store
from spherekit.train.autodiff import LayerObserver, loss_and_gradients, observed_by


class Diverged(ValueError):
    """The loss, a gradient or a parameter of a training is NaN or infinite, or a layer refuses its numbers.

    The message names the step, the first layer whose output, or whose gradient, is not finite, or which
    refuses numbers of that size, the last good checkpoint, and what can help.

    >>> issubclass(Diverged, ValueError)
    True
    """


def is_finite(tree):
    """Whether all numbers of a tree of arrays are finite.

    >>> is_finite([np.ones(2), {"mean": np.array(np.nan)}])
    False
    """
    return all(np.isfinite(getval(array)).all() for array in tree_leaves(tree))


class _FirstLoss(LayerObserver):
    """The first layer whose output is not finite, or that refuses its input; the first backward likewise.

    Attributes
    ----------
    output_loss : (key, number of entries that are not finite, number of entries) or None
    refusal : (key, error) or None
        Of a layer that accepts numbers of ordinary size.
    gradient_loss : key, or "loss", or None
    sizes : {key: largest entry of the input}
    last_size : float
        Largest entry of the output of the last layer.
    """

    def __init__(self):
        self.output_loss, self.refusal, self.gradient_loss = None, None, None
        self.sizes, self.last_size = {}, 0.0

    def forward(self, key, x, compute):
        self.sizes[key] = _largest(x)
        try:
            y, state = compute()
        except Exception as error:
            if self.output_loss is None and _is_of_numbers(error, compute):
                self.refusal = key, error
            raise
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
        except Exception as error:
            if self.gradient_loss is None and _is_of_numbers(error, compute):
                self.gradient_loss = key
            raise
        if self.gradient_loss is None and not is_finite(gradients):
            self.gradient_loss = key
        return gradients

    @property
    def place(self):
        """Key of the layer that lost its numbers in the forward pass, or None."""
        return (self.output_loss or self.refusal or (None,))[0]


def _is_of_numbers(error, compute):
    """Whether an error comes of the size of the numbers, or of results that are not finite."""
    if isinstance(error, OverflowError | FloatingPointError) or "NaN or infinite" in str(error):
        return True
    try:
        compute(ordinary=True)
    except Exception:
        return False  # whatever the numbers: of shapes, or a mistake in a layer
    return True


def diverged(job, checkpoint, x, y, rng, loss):
    """The `Diverged` of a step that lost its numbers: the step is computed once more, layer by layer."""
    observer, gradients, _ = _repeated(job, checkpoint, x, y, rng)
    reason = f"{_reason(loss, gradients)}; {_place(observer, loss, gradients)}"
    return _error(
        f"step {checkpoint.step + 1}: {reason}", observer, loss, gradients, job, checkpoint, x
    )


def explained(job, checkpoint, x, y, rng):
    """What to raise for an error in a step: `Diverged` where it comes of lost numbers; else None."""
    step = f"step {checkpoint.step + 1}"
    if isinstance(x, np.ndarray) and x.dtype.kind in "fc" and not is_finite(x):
        origin = "the signals" if job.augment is None else "the signals, after augment,"
        lost = [n for n, signal in enumerate(x) if not is_finite(signal)]
        return ValueError(
            f"{step}: {origin} hold NaN or infinite numbers, {len(lost)} of {len(x)} of the batch"
        )
    observer, _, repeated_error = _repeated(job, checkpoint, x, y, rng)
    if repeated_error is None:
        return None
    in_loss = isinstance(repeated_error, OverflowError | FloatingPointError)
    if observer.place is None and observer.gradient_loss is None and not in_loss:
        return None
    is_forward = observer.place is not None or observer.gradient_loss is None
    loss = math.nan if is_forward else 0.0  # it was a number where only the gradient is lost
    reason = _place(observer, loss, None)
    if observer.place is None and observer.gradient_loss is None:
        reason = f"the loss cannot be computed ({repeated_error}); {reason}"
    return _error(f"{step}: {reason}", observer, loss, None, job, checkpoint, x)


def explained_validation(job, checkpoint, compute):
    """As `explained`, for the validation after a step; ``compute(around)`` computes its outputs."""
    lost = [n for n, signal in enumerate(job.validation[0]) if not is_finite(signal)]
    if lost:
        return ValueError(
            f"validation: {len(lost)} of {len(job.validation[0])} signals hold NaN or infinite numbers, the "
            f"first is {lost[0]}"
        )
    observer = _FirstLoss()
    try:
        with np.errstate(all="ignore"):
            compute(observed_by(observer))
    except Exception:
        pass  # the observer has seen it, or it is not of numbers
    if observer.place is None:
        return None
    where = (
        f"step {checkpoint.step}, in the validation after it: {_place(observer, math.nan, None)}"
    )
    return _error(where, observer, math.nan, None, job, checkpoint, job.validation[0])


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
        with single_threaded(), np.errstate(all="ignore"):
            return observer, loss_and_gradients(*arguments)[1], None
    except Exception as error:
        return observer, None, error


def _error(text, observer, loss, gradients, job, checkpoint, x):
    path = None if job.checkpoints is None else store.latest(job.checkpoints.folder)
    last = f"The last good checkpoint is {path}. " if path is not None else ""
    return Diverged(f"{text}. {last}{_advice(observer, loss, gradients, job, checkpoint, x)}")


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
    if observer.refusal is not None:
        key, error = observer.refusal
        fact = str(error).split("; ")[0]  # without the advice for maps
        return f"{_layer_text(key)}, fails on an input up to {observer.sizes[key]:.3g}: {fact}"
    if not np.isfinite(loss):
        return f"the results of all layers are finite, those of the last up to {observer.last_size:.3g}"
    if observer.gradient_loss is not None:
        place = f"first in the gradient of {_layer_text(observer.gradient_loss)}"
        if gradients is None:
            return place
        lost = [path_text(path) for path, g in flatten(gradients) if not is_finite(g)]
        return f"{place}; gradients lost: {', '.join(lost[:5]) or 'none'}"
    return "the results and gradients of all layers are finite"


# --- advice --------------------------------------------------------------------------------------------

#: A training whose largest parameter, or norm of the gradient, grows by this factor has steps that are too
#: long.
_GROWTH = 10


def _advice(observer, loss, gradients, job, checkpoint, x):
    """What can help in this case, and what cannot."""
    params = checkpoint.params
    dtype = np.dtype(checks.real_type(tree_leaves(params)[0]))
    limit, wider = (
        np.sqrt(np.finfo(dtype).max),
        ", or train in float64" if dtype == np.float32 else "",
    )
    clip = "max_norm" if job.max_norm else "set max_norm"
    if growth := _growth(job, checkpoint):
        return f"{growth}: lower the learning rate, or {clip}"
    size = _size_before(observer)
    if size > limit or observer.refusal is not None and not _is_undefined(observer):
        data, largest = _largest(x), _largest_leaf(params)
        if largest > data:
            return f"The parameters, up to {largest:.3g}, are too large: start from smaller ones{wider}"
        numbers = f"Numbers of {size:.3g}, from data up to {data:.3g}, are"
        if size > limit:
            return f"{numbers} near the limit of {dtype}: scale the data down{wider}"
        return f"{numbers} too large for this layer: scale the data down"
    if observer.place is not None:
        return (
            "Its numbers are of ordinary size: its function has no finite value there. Change the function; "
            "a lower learning rate or max_norm would not help"
        )
    if not np.isfinite(loss):
        return "The loss has no finite value there: change it, or its targets"
    if observer.gradient_loss is not None:
        return (
            "Results are finite and derivatives are not, as those of a root, a norm or a quotient at 0, or "
            f"of numbers whose squares are beyond {dtype}. Change that function; a lower learning rate or "
            "max_norm would not help"
        )
    if gradients is not None and _largest_leaf(gradients) > limit:
        return (
            f"Gradients up to {_largest_leaf(gradients):.3g} have squares beyond {dtype}: scale the loss "
            f"down, or {clip}"
        )
    learning_rate = job.optimizer.learning_rate(checkpoint.step)
    if not np.isfinite(learning_rate):
        return f"The learning rate is {learning_rate}: its schedule has to return finite numbers"
    return f"Lower the learning rate, or {clip}"


def _growth(job, checkpoint):
    """In words, what has grown since the first steps by orders of magnitude; None where nothing has."""
    if not checkpoint.step:
        return None
    pairs = {
        "the largest parameter": (_largest_leaf(job.initial[0]), _largest_leaf(checkpoint.params))
    }
    norms = checkpoint.history.get("steps", {}).get("gradient_norm", [])
    if len(norms) > 1:
        first = max(norms[: max(1, min(5, len(norms) // 4))])
        pairs["the norm of the gradient"] = first, norms[-1]
    grown = [
        f"{name} has grown from {before:.3g} to {now:.3g}"
        for name, (before, now) in pairs.items()
        if now > _GROWTH * before and now > 1
    ]
    return f"Since the first steps {', and '.join(grown)}" if grown else None


def _is_undefined(observer):
    """Whether the layer has no finite result of numbers that are far from the limit."""
    return "NaN or infinite" in str(observer.refusal[1])


def _size_before(observer):
    """Largest entry of the input of the layer that lost its numbers, or of the last output."""
    if observer.place is not None:
        return observer.sizes[observer.place]
    return observer.sizes.get(observer.gradient_loss, observer.last_size)


def _layer_text(key):
    if key == "loss":
        return "the loss"
    path, name = key
    return f"layer {path_text(path)}, {name}"


def _largest(array):
    return float(np.max(np.abs(array), initial=0))


def _largest_leaf(tree):
    return max(map(_largest, tree_leaves(tree)), default=0.0)
