"""Diagnosis of trainings whose values are no longer finite: the layer, the last checkpoint, and a remedy."""

import math

import numpy as np
from autograd.tracer import getval

from spherekit._core import checks
from spherekit._core.blas import single_threaded
from spherekit._core.pytree import flatten, path_text, tree_leaves
from spherekit.nn import Context
from spherekit.train import checkpoints as store
from spherekit.train.autodiff import LayerObserver, loss_and_gradients, observe_with


class Diverged(ValueError):
    """Raised if the loss, a gradient or a parameter of a training is NaN or infinite.

    Also raised if a layer raises an error because its input is too large. The message contains the step, the
    first layer whose output or gradient is not finite or that raised the error, the last good checkpoint, and
    a remedy.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import nn, train
    >>> net = nn.Sequential(nn.Features(1), nn.Dense(1))
    >>> data = np.array([[1.0]]), np.array([[1.0]])
    >>> try:
    ...     train.finish(train.fit(net, net.init(0), data, loss="mse", optimizer=train.sgd(1e200), epochs=5))
    ... except train.Diverged as error:
    ...     print(str(error).split(";")[0])
    step 2: the loss is inf
    """


def is_finite(tree):
    """Return whether all entries of a tree of arrays are finite.

    >>> is_finite([np.ones(2), {"mean": np.array(np.nan)}])
    False
    """
    return all(np.isfinite(getval(array)).all() for array in tree_leaves(tree))


class _FirstFailure(LayerObserver):
    """Finds the first layer whose output, or gradient, is not finite, or that fails on its input.

    Attributes
    ----------
    bad_output : (key, number of entries that are not finite, number of entries) or None
        First output that is not finite.
    error : (key, exception) or None
        Exception of a layer that accepts the same input in normalized form.
    bad_gradient : key, "loss" or None
        First layer, in the order of the backward pass, whose gradient is not finite.
    input_sizes : {key: float}
        Largest entry of the input of each layer.
    output_size : float
        Largest entry of the output of the last layer.
    """

    def __init__(self):
        self.bad_output = None
        self.error = None
        self.bad_gradient = None
        self.input_sizes = {}
        self.output_size = 0.0

    def forward(self, key, x, compute):
        self.input_sizes[key] = _largest(x)
        try:
            y, state = compute()
        except Exception as error:
            if self.bad_output is None and _is_caused_by_values(error, compute):
                self.error = key, error
            raise
        bad = np.size(y) - np.count_nonzero(np.isfinite(y))
        if bad and self.bad_output is None:
            self.bad_output = key, bad, np.size(y)
        self.output_size = _largest(y)
        return y, state

    def backward(self, key, gradient, compute):
        if self.bad_gradient is None and not is_finite(gradient):
            self.bad_gradient = "loss"  # the gradient of the last output
        try:
            gradients = compute()
        except Exception as error:
            if self.bad_gradient is None and _is_caused_by_values(error, compute):
                self.bad_gradient = key
            raise
        if self.bad_gradient is None and not is_finite(gradients):
            self.bad_gradient = key
        return gradients

    @property
    def failed_layer(self):
        """Key of the layer that failed in the forward pass, or None."""
        return (self.bad_output or self.error or (None,))[0]


def _is_caused_by_values(error, compute):
    """Return whether an error is caused by large values, or by results that are not finite."""
    if isinstance(error, OverflowError | FloatingPointError) or "NaN or infinite" in str(error):
        return True
    try:
        compute(normalized=True)
    except Exception:
        return False  # independent of the values: an error of shapes, or a mistake in a layer
    return True


def divergence_error(job, checkpoint, x, y, rng, loss):
    """Return the `Diverged` of a step with results that are not finite; repeats the step with an observer."""
    observer, gradients, _ = _repeat_step(job, checkpoint, x, y, rng)
    reason = f"{_reason(loss, gradients)}; {_location(observer, loss, gradients)}"
    return _error(
        f"step {checkpoint.step + 1}: {reason}", observer, loss, gradients, job, checkpoint, x
    )


def explain_error(job, checkpoint, x, y, rng):
    """Return the exception that explains an error in a step if values caused the error; else None."""
    step = f"step {checkpoint.step + 1}"
    if isinstance(x, np.ndarray) and x.dtype.kind in "fc" and not is_finite(x):
        origin = "the signals" if job.augment is None else "the signals, after augment,"
        bad = [n for n, signal in enumerate(x) if not is_finite(signal)]
        return ValueError(
            f"{step}: {origin} contain NaN or infinite values, in {len(bad)} of {len(x)} signals of the batch"
        )
    observer, _, repeated_error = _repeat_step(job, checkpoint, x, y, rng)
    if repeated_error is None:
        return None
    in_loss = isinstance(repeated_error, OverflowError | FloatingPointError)
    if observer.failed_layer is None and observer.bad_gradient is None and not in_loss:
        return None
    is_forward = observer.failed_layer is not None or observer.bad_gradient is None
    loss = math.nan if is_forward else 0.0  # the loss is finite if only the gradient failed
    reason = _location(observer, loss, None)
    if observer.failed_layer is None and observer.bad_gradient is None:
        reason = f"the loss cannot be computed ({repeated_error}); {reason}"
    return _error(f"{step}: {reason}", observer, loss, None, job, checkpoint, x)


def explain_validation_error(job, checkpoint, compute):
    """Like `explain_error`, for the validation after a step; ``compute(around)`` computes the outputs."""
    bad = [n for n, signal in enumerate(job.validation[0]) if not is_finite(signal)]
    if bad:
        return ValueError(
            f"validation: {len(bad)} of {len(job.validation[0])} signals contain NaN or infinite values; the "
            f"first is {bad[0]}"
        )
    observer = _FirstFailure()
    try:
        with np.errstate(all="ignore"):
            compute(observe_with(observer))
    except Exception:
        pass  # recorded by the observer if values caused it
    if observer.failed_layer is None:
        return None
    text = (
        f"step {checkpoint.step}, in the validation after it: {_location(observer, math.nan, None)}"
    )
    return _error(text, observer, math.nan, None, job, checkpoint, job.validation[0])


def _repeat_step(job, checkpoint, x, y, rng):
    """Repeat a step with an observer; return (observer, gradients or None, error or None)."""
    observer = _FirstFailure()
    context = Context(
        training=True,
        rng=rng,
        threads=job.threads,
        check_finite=False,
        around=observe_with(observer),
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


def _location(observer, loss, gradients):
    """Describe the first layer whose results or gradients are not finite."""
    if observer.bad_output is not None:
        key, bad, size = observer.bad_output
        return (
            f"first in the results of {_layer_text(key)}: {bad} of {size} values are NaN or infinite, for a "
            f"finite input up to {observer.input_sizes[key]:.3g}"
        )
    if observer.error is not None:
        key, error = observer.error
        fact = str(error).split("; ")[0]  # without the advice for maps
        size = observer.input_sizes[key]
        return f"{_layer_text(key)}, fails on an input up to {size:.3g}: {fact}"
    if not np.isfinite(loss):
        size = observer.output_size
        return f"the results of all layers are finite, those of the last layer up to {size:.3g}"
    if observer.bad_gradient is not None:
        location = f"first in the gradient of {_layer_text(observer.bad_gradient)}"
        if gradients is None:
            return location
        bad = [path_text(path) for path, g in flatten(gradients) if not is_finite(g)]
        return f"{location}; gradients that are not finite: {', '.join(bad[:5]) or 'none'}"
    return "the results and gradients of all layers are finite"


# --- advice --------------------------------------------------------------------------------------------

#: Growth of the largest parameter, or of the gradient norm, above which the steps are considered too long.
_GROWTH = 10


def _advice(observer, loss, gradients, job, checkpoint, x):
    """Return a remedy for the failure."""
    params = checkpoint.params
    dtype = np.dtype(checks.real_type(tree_leaves(params)[0]))
    limit = np.sqrt(np.finfo(dtype).max)
    wider = ", or train in float64" if dtype == np.float32 else ""
    clip = "max_norm" if job.max_norm else "set max_norm"
    if growth := _growth(job, checkpoint):
        return f"{growth}: lower the learning rate, or {clip}"
    size = _failed_input_size(observer)
    if size > limit or observer.error is not None and not _is_undefined(observer):
        data_size = _largest(x)
        params_size = _largest_leaf(params)
        if params_size > data_size:
            return f"The parameters, up to {params_size:.3g}, are too large: start from smaller ones{wider}"
        cause = f"Values up to {size:.3g}, from data up to {data_size:.3g}, are"
        if size > limit:
            return f"{cause} near the limit of {dtype}: scale the data down{wider}"
        return f"{cause} too large for this layer: scale the data down"
    if observer.failed_layer is not None:
        return (
            "Its input is of moderate size, but its function is not finite there. Change the function; a "
            "lower learning rate or max_norm would not help"
        )
    if not np.isfinite(loss):
        return "The loss is not finite for these outputs: change the loss, or the targets"
    if observer.bad_gradient is not None:
        return (
            "The results are finite but the derivatives are not, such as those of a square root, a norm or a "
            f"quotient at 0, or of values whose squares exceed the range of {dtype}. Change this function; "
            "a lower learning rate or max_norm would not help"
        )
    if gradients is not None and _largest_leaf(gradients) > limit:
        return (
            f"The squares of gradients up to {_largest_leaf(gradients):.3g} exceed the range of "
            f"{dtype}: scale the loss down, or {clip}"
        )
    learning_rate = job.optimizer.learning_rate(checkpoint.step)
    if not np.isfinite(learning_rate):
        return f"The learning rate is {learning_rate}: its schedule must return finite numbers"
    return f"Lower the learning rate, or {clip}"


def _growth(job, checkpoint):
    """Describe the growth of parameters and gradients since the first steps; None if they have not grown."""
    if not checkpoint.step:
        return None
    pairs = {
        "the largest parameter": (_largest_leaf(job.initial[0]), _largest_leaf(checkpoint.params))
    }
    norms = checkpoint.history.get("steps", {}).get("gradient_norm", [])
    if len(norms) > 1:
        first = max(norms[: max(1, min(5, len(norms) // 4))])
        pairs["the norm of the gradient"] = first, norms[-1]
    growth = [
        f"{name} has grown from {first:.3g} to {last:.3g}"
        for name, (first, last) in pairs.items()
        if last > _GROWTH * first and last > 1
    ]
    return f"Since the first steps {', and '.join(growth)}" if growth else None


def _is_undefined(observer):
    """Return whether the results of the failed layer are not finite."""
    return "NaN or infinite" in str(observer.error[1])


def _failed_input_size(observer):
    """Return the largest entry of the input of the failed layer, or else of the last output."""
    if observer.failed_layer is not None:
        return observer.input_sizes[observer.failed_layer]
    return observer.input_sizes.get(observer.bad_gradient, observer.output_size)


def _layer_text(key):
    if key == "loss":
        return "the loss"
    path, name = key
    return f"layer {path_text(path)}, {name}"


def _largest(array):
    return float(np.max(np.abs(array), initial=0))


def _largest_leaf(tree):
    return max(map(_largest, tree_leaves(tree)), default=0.0)
