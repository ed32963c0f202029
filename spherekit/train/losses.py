"""Losses: differentiable functions of (outputs, targets) that training minimizes.

Losses are means, computed in the precision of the outputs as a sum divided by the number of terms
(autograd's mean would promote float32 to float64).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import getval
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.modulus import modulus

__all__ = ["cross_entropy", "mae", "mse", "resolve", "rmse"]


def __dir__():
    return sorted(__all__)


def cross_entropy(outputs: np.ndarray, labels: ArrayLike) -> float:
    """Cross-entropy of the softmax of the outputs, the mean of -log softmax(outputs)[label] over the batch.

    Parameters
    ----------
    outputs : float array [shape=(batch, classes)]
        Logits.
    labels : int array [shape=(batch,)]
        Classes, from 0 to classes - 1.

    Returns
    -------
    float
        Loss, in the precision of the outputs.

    Raises
    ------
    TypeError
        The outputs are complex, or the labels are not integers.
    ValueError
        The shapes do not fit, or a label is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> float(round(cross_entropy(np.zeros((3, 4)), np.array([0, 1, 3])), 6))      # log 4
    1.386294
    """
    classes = count_classes(outputs, labels)
    shift = np.max(getval(outputs), axis=1, keepdims=True)
    z = outputs - shift
    label_logits = anp.sum(z * np.eye(classes, dtype=getval(outputs).dtype)[labels], axis=1)
    return anp.sum(anp.log(anp.sum(anp.exp(z), axis=1)) - label_logits) / len(labels)


def mse(outputs: np.ndarray, targets: ArrayLike) -> float:
    """Mean squared error, the mean of |outputs - targets|^2 over all entries.

    Parameters
    ----------
    outputs : float or complex array [shape=(batch, ...)]
        Outputs of the network.
    targets : float or complex array [shape=outputs.shape]
        Targets.

    Returns
    -------
    float
        Loss, in the precision of the outputs.

    Raises
    ------
    TypeError
        The targets are not numbers, or masked.
    ValueError
        The shapes differ, or the arrays are empty.

    Examples
    --------
    >>> import numpy as np
    >>> float(mse(np.array([[1.0], [3.0]]), np.array([[0.0], [0.0]])))
    5.0
    """
    d = difference(outputs, targets)
    square = d * d if not np.iscomplexobj(getval(d)) else modulus(d) ** 2
    return anp.sum(square) / getval(d).size


def rmse(outputs: np.ndarray, targets: ArrayLike) -> float:
    """Root mean squared error, the square root of `mse`.

    The squares neither overflow nor underflow. The gradient is 0 where the loss is 0.

    Parameters
    ----------
    outputs : float or complex array [shape=(batch, ...)]
        Outputs of the network.
    targets : float or complex array [shape=outputs.shape]
        Targets.

    Returns
    -------
    float
        Loss, in the precision of the outputs.

    Raises
    ------
    TypeError
        The targets are not numbers, or masked.
    ValueError
        The shapes differ, or the arrays are empty.

    Examples
    --------
    >>> import numpy as np
    >>> float(rmse(np.array([[3e200], [-3e200]]), np.zeros((2, 1))))
    3e+200
    """
    return _rms(difference(outputs, targets))


def mae(outputs: np.ndarray, targets: ArrayLike) -> float:
    """Mean absolute error, the mean of |outputs - targets| over all entries.

    The gradient of a term is 0 where the term is 0.

    Parameters
    ----------
    outputs : float or complex array [shape=(batch, ...)]
        Outputs of the network.
    targets : float or complex array [shape=outputs.shape]
        Targets.

    Returns
    -------
    float
        Loss, in the precision of the outputs.

    Raises
    ------
    TypeError
        The targets are not numbers, or masked.
    ValueError
        The shapes differ, or the arrays are empty.

    Examples
    --------
    >>> import numpy as np
    >>> float(mae(np.array([[1.0], [-3.0]]), np.zeros((2, 1))))
    2.0
    """
    d = difference(outputs, targets)
    return anp.sum(modulus(d)) / getval(d).size


@primitive
def _rms(d):
    """Return the root mean square in the precision of d, from squares of d divided by its largest modulus."""
    largest = np.max(np.abs(d), initial=0)
    if largest == 0 or not np.isfinite(largest):
        return largest
    x = d / largest
    return largest * np.sqrt(np.sum(np.real(x) ** 2 + np.imag(x) ** 2) / d.size).astype(
        largest.dtype
    )


def _rms_gradient(rms, d):
    """Return the gradient conj(d)/(rms size) of `_rms`, without overflow or underflow."""
    return anp.conj(d) / (rms if getval(rms) else 1) / getval(d).size


defvjp(_rms, lambda rms, d: lambda g: g * _rms_gradient(rms, d))
defjvp(_rms, lambda t, rms, d: anp.sum(anp.real(_rms_gradient(rms, d) * t)))

#: Losses by name.
LOSSES = {"cross_entropy": cross_entropy, "mse": mse, "rmse": rmse, "mae": mae}


def resolve(loss: str | Callable) -> Callable:
    """Return the loss function of a name; return functions unchanged.

    Parameters
    ----------
    loss : str or callable
        "cross_entropy", "mse", "rmse" or "mae", or a function of (outputs, targets).

    Returns
    -------
    callable
        Function of (outputs, targets).

    Raises
    ------
    ValueError
        ``loss`` is neither a name of a loss nor callable.

    Examples
    --------
    >>> import numpy as np
    >>> float(resolve("mae")(np.array([[1.0], [3.0]]), np.array([[0.0], [0.0]])))
    2.0
    """
    function = LOSSES.get(loss, loss) if isinstance(loss, str) else loss
    if not callable(function):
        raise ValueError(
            f"loss is {loss!r}; expected one of {', '.join(LOSSES)}, or a function of (outputs, targets)"
        )
    return function


def function_name(function):
    """Return the name of a function, or the class name of another callable."""
    return getattr(function, "__name__", type(function).__name__)


def as_scalar(value, noun, function):
    """Return the result of a loss or metric as a float; raise TypeError if it is not a real scalar.

    >>> as_scalar(np.float32(0.5), "the loss", mse)
    0.5
    """
    kind = np.asarray(value).dtype
    if np.ndim(value) == 0 and kind.kind in "fiub":
        return float(value)
    received = f"an array of shape {np.shape(value)}, {kind}" if np.ndim(value) else f"{value!r}"
    mean = ", as anp.sum and anp.mean return it" if np.ndim(value) else ""
    real = ", such as anp.abs or anp.real of it" if kind.kind == "c" else ""
    name = function_name(function)
    raise TypeError(f"{noun}, {name}, returned {received}; expected one real number{mean}{real}")


def count_classes(outputs, labels):
    """Return the number of classes; raise an error for complex outputs, and for labels that do not fit."""
    if np.iscomplexobj(getval(outputs)):
        raise TypeError(
            f"outputs are {getval(outputs).dtype}; expected real outputs, one for each class; pass anp.real "
            "or anp.abs of them"
        )
    shape = np.shape(getval(outputs))
    labels = checks.as_array(labels, "labels")
    if len(shape) != 2 or labels.shape != shape[:1]:
        raise ValueError(
            f"outputs of shape {shape} and labels of shape {labels.shape}; "
            "expected (batch, classes) and (batch,)"
        )
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels are {labels.dtype}; expected integers, one for each signal")
    if labels.size and not 0 <= labels.min() <= labels.max() < shape[1]:
        raise ValueError(
            f"labels range from {labels.min()} to {labels.max()}; expected 0 to {shape[1] - 1} for "
            f"{shape[1]} outputs"
        )
    return shape[1]


def difference(outputs, targets):
    """Return outputs - targets in the precision of the outputs."""
    value = getval(outputs)
    targets = checks.as_float_array(targets, "targets")
    if value.size == 0 and value.shape == targets.shape:
        raise ValueError("the batch is empty; expected at least one entry")
    if value.shape != targets.shape:
        hint = "; pass targets[:, None]" if value.shape == (*targets.shape, 1) else ""
        raise ValueError(
            f"outputs of shape {value.shape}, targets of shape {targets.shape}; expected equal shapes{hint}"
        )
    kind = np.dtype(checks.real_type(value))
    if np.iscomplexobj(targets):
        kind = np.result_type(kind, np.complex64)
    return outputs - targets.astype(kind, copy=False)


def root_mean_square(d):
    """Return the root mean square of an array, in float64."""
    moduli = np.abs(d).astype(np.float64)
    largest = float(np.max(moduli, initial=0))
    if not 0 < largest < math.inf:
        return largest
    scale = 1.0 if 1e-100 < largest < 1e100 else largest
    return scale * math.sqrt(float(np.mean(np.square(moduli / scale))))
