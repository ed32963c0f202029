"""Losses: functions of (outputs, targets) to the number that a training lowers, differentiable in outputs.

Sums over the batch divided by its size, in the precision of the outputs (autograd's mean would widen
float32).
"""

import math

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import getval

from spherekit._core import checks
from spherekit._core.modulus import modulus

__all__ = ["cross_entropy", "mae", "mse", "resolve", "rmse"]


def cross_entropy(outputs, labels):
    """Mean of -log softmax(outputs)[label].

    Parameters
    ----------
    outputs : float array [shape=(batch, classes)]
        Logits: any real numbers.
    labels : int array [shape=(batch,)]
        From 0 to classes - 1.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        Shapes that do not fit; complex outputs; labels that are not whole numbers, or beyond the classes.

    >>> import numpy as np
    >>> float(round(cross_entropy(np.zeros((3, 4)), np.array([0, 1, 3])), 6))      # log 4
    1.386294
    """
    classes = count_classes(outputs, labels)
    shift = np.max(getval(outputs), axis=1, keepdims=True)
    z = outputs - shift
    labelled = anp.sum(z * np.eye(classes, dtype=getval(outputs).dtype)[labels], axis=1)
    return anp.sum(anp.log(anp.sum(anp.exp(z), axis=1)) - labelled) / len(labels)


def mse(outputs, targets):
    """Mean of |outputs - targets|^2.

    Parameters
    ----------
    outputs, targets : float or complex arrays of one shape

    Returns
    -------
    float

    >>> import numpy as np
    >>> float(mse(np.array([[1.0], [3.0]]), np.array([[0.0], [0.0]])))
    5.0
    """
    d = difference(outputs, targets)
    square = d * d if not np.iscomplexobj(getval(d)) else modulus(d) ** 2
    return anp.sum(square) / getval(d).size


def rmse(outputs, targets):
    """The root of `mse`, with gradient 0 where it is 0; for numbers of any size.

    Parameters
    ----------
    outputs, targets : float or complex arrays of one shape

    Returns
    -------
    float

    >>> import numpy as np
    >>> float(rmse(np.array([[3e200], [-3e200]]), np.zeros((2, 1))))
    3e+200
    """
    return _rms(difference(outputs, targets))


def mae(outputs, targets):
    """Mean of |outputs - targets|, with gradient 0 where it is 0.

    Parameters
    ----------
    outputs, targets : float or complex arrays of one shape

    Returns
    -------
    float

    >>> import numpy as np
    >>> float(mae(np.array([[1.0], [-3.0]]), np.zeros((2, 1))))
    2.0
    """
    d = difference(outputs, targets)
    return anp.sum(modulus(d)) / getval(d).size


@primitive
def _rms(d):
    """The root mean square, in the precision of d; squares are taken of d divided by its largest entry."""
    largest = np.max(np.abs(d), initial=0)
    if largest == 0 or not np.isfinite(largest):
        return largest
    x = d / largest
    return largest * np.sqrt(np.sum(np.real(x) ** 2 + np.imag(x) ** 2) / d.size).astype(
        largest.dtype
    )


def _by_difference(rms, d):
    """conj(d)/(rms size): quotients near 1, at any scale."""
    return anp.conj(d) / (rms if getval(rms) else 1) / getval(d).size


defvjp(_rms, lambda rms, d: lambda g: g * _by_difference(rms, d))
defjvp(_rms, lambda t, rms, d: anp.sum(anp.real(_by_difference(rms, d) * t)))

#: By name.
LOSSES = {"cross_entropy": cross_entropy, "mse": mse, "rmse": rmse, "mae": mae}


def resolve(loss):
    """The function of a loss.

    Parameters
    ----------
    loss : str or callable
        A name in `LOSSES`, or a function of (outputs, targets).

    Returns
    -------
    callable

    Raises
    ------
    ValueError
        Neither.

    >>> resolve("mse") is mse
    True
    """
    function = LOSSES.get(loss, loss) if isinstance(loss, str) else loss
    if not callable(function):
        raise ValueError(f"loss is {loss!r}; known are {', '.join(LOSSES)}, or a function")
    return function


def function_name(function):
    """The name of a function, or of the class of another callable."""
    return getattr(function, "__name__", type(function).__name__)


def as_scalar(value, noun, function):
    """The result of a loss or metric as a float; refuses what is not one real number.

    >>> as_scalar(np.float32(0.5), "the loss", mse)
    0.5
    """
    kind = np.asarray(value).dtype
    if np.ndim(value) == 0 and kind.kind in "fiub":
        return float(value)
    came = f"an array of shape {np.shape(value)}, {kind}" if np.ndim(value) else f"{value!r}"
    mean = ", as anp.sum and anp.mean return it" if np.ndim(value) else ""
    real = ", such as anp.abs or anp.real of it" if kind.kind == "c" else ""
    raise TypeError(
        f"{noun}, {function_name(function)}, returned {came}; expected one real number{mean}{real}"
    )


def count_classes(outputs, labels):
    """Number of classes of the outputs; refuses complex outputs, and labels that do not fit."""
    if np.iscomplexobj(getval(outputs)):
        raise TypeError(
            f"outputs are {getval(outputs).dtype}; expected real ones, one for each class, such as anp.real "
            "or anp.abs of them"
        )
    shape, labels = np.shape(getval(outputs)), checks.as_array(labels, "labels")
    if len(shape) != 2 or labels.shape != shape[:1]:
        raise ValueError(
            f"outputs of shape {shape} and labels of shape {labels.shape}; "
            "expected (batch, classes) and (batch,)"
        )
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels are {labels.dtype}; expected whole numbers, one for each signal")
    if labels.size and not 0 <= labels.min() <= labels.max() < shape[1]:
        raise ValueError(
            f"labels from {labels.min()} to {labels.max()}; {shape[1]} outputs have classes "
            f"0 to {shape[1] - 1}"
        )
    return shape[1]


def difference(outputs, targets):
    """outputs - targets in the precision of the outputs."""
    value, targets = getval(outputs), checks.as_float_array(targets, "targets")
    if value.shape != targets.shape or value.size == 0:
        hint = "; pass targets[:, None]" if value.shape == (*targets.shape, 1) else ""
        raise ValueError(
            f"outputs of shape {value.shape}, targets of shape {targets.shape}; expected the same{hint}"
        )
    kind = np.dtype(checks.real_type(value))
    if np.iscomplexobj(targets):
        kind = np.result_type(kind, np.complex64)
    return outputs - targets.astype(kind, copy=False)


def root_mean_square(d):
    """Root mean square of an array, in float64."""
    moduli = np.abs(d).astype(np.float64)
    largest = float(np.max(moduli, initial=0))
    if not 0 < largest < math.inf:
        return largest
    scale = 1.0 if 1e-100 < largest < 1e100 else largest
    return scale * math.sqrt(float(np.mean(np.square(moduli / scale))))
