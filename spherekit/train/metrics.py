"""Metrics: functions of all outputs and all targets of a data set that return a number.

The best value of a metric is its smallest one, as for losses, unless the function has a true attribute
``larger_is_better``. Metrics of SHREC'17 are computed by `retrieval` from ranked lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import ArrayLike

from spherekit.train import losses
from spherekit.train.shrec17 import retrieval

__all__ = ["METRICS", "accuracy", "mae", "resolve", "retrieval", "rmse"]


def __dir__():
    return sorted(__all__)


def accuracy(outputs: ArrayLike, labels: ArrayLike) -> float:
    """Classification accuracy, the fraction of signals whose largest output is that of their label.

    Parameters
    ----------
    outputs : float array [shape=(batch, classes)]
        Logits or probabilities.
    labels : int array [shape=(batch,)]
        Classes, from 0 to classes - 1.

    Returns
    -------
    float
        Fraction from 0 to 1.

    Raises
    ------
    TypeError
        The outputs are complex, or the labels are not integers.
    ValueError
        The shapes do not fit, or a label is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> accuracy(np.array([[0.1, 0.2], [3.0, -1.0]]), np.array([1, 1]))
    0.5
    """
    losses.count_classes(outputs, labels)
    return float(np.mean(np.argmax(outputs, axis=1) == labels))


accuracy.larger_is_better = True


def rmse(outputs: np.ndarray, targets: ArrayLike) -> float:
    """Root mean squared error, the square root of the mean of |outputs - targets|^2, in float64.

    Parameters
    ----------
    outputs : float or complex array [shape=(batch, ...)]
        Outputs of the network.
    targets : float or complex array [shape=outputs.shape]
        Targets.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        The targets are not numbers, or masked.
    ValueError
        The shapes differ, or the arrays are empty.

    Examples
    --------
    >>> import numpy as np
    >>> rmse(np.array([[3.0], [-3.0]]), np.zeros((2, 1)))
    3.0
    """
    return losses.root_mean_square(losses.difference(outputs, targets))


def mae(outputs: np.ndarray, targets: ArrayLike) -> float:
    """Mean absolute error, the mean of |outputs - targets|, in float64.

    Parameters
    ----------
    outputs : float or complex array [shape=(batch, ...)]
        Outputs of the network.
    targets : float or complex array [shape=outputs.shape]
        Targets.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        The targets are not numbers, or masked.
    ValueError
        The shapes differ, or the arrays are empty.

    Examples
    --------
    >>> import numpy as np
    >>> mae(np.array([[3.0], [-1.0]]), np.zeros((2, 1)))
    2.0
    """
    return float(np.mean(np.abs(losses.difference(outputs, targets)), dtype=np.float64))


#: Metrics by name.
METRICS = {"accuracy": accuracy, "rmse": rmse, "mae": mae}

#: Names that a metric cannot have, because they are columns of the history of epochs; with their meaning.
RESERVED = {
    "loss": "the loss itself",
    "step": "the number of steps in the history",
    "train": "the mean loss of the epoch in the history",
}


def resolve(
    metrics: Iterable[str | Callable] | dict[str, str | Callable],
) -> dict[str, Callable]:
    """Return metrics as a dict of functions by name.

    Parameters
    ----------
    metrics : sequence of str or callable, or dict
        Names in `METRICS` or functions of (outputs, targets), or a dict {name: function or name}.

    Returns
    -------
    dict of str to callable
        Functions of (outputs, targets) by name.

    Raises
    ------
    TypeError
        ``metrics`` is neither a list nor a dict.
    ValueError
        A metric is neither a name in `METRICS` nor callable, or is called "loss", "step" or "train", which
        are names of other columns of the history.

    Examples
    --------
    >>> list(resolve(["accuracy", mae]))
    ['accuracy', 'mae']
    """
    if isinstance(metrics, dict):
        items = list(metrics.items())
    elif isinstance(metrics, Iterable) and not isinstance(metrics, str):
        items = [(m if isinstance(m, str) else getattr(m, "__name__", repr(m)), m) for m in metrics]
    else:
        raise TypeError(
            f"metrics is {metrics!r} ({type(metrics).__name__}); expected a list of names or functions, or "
            "a dict"
        )
    functions = {name: METRICS.get(m, m) if isinstance(m, str) else m for name, m in items}
    for name, function in functions.items():
        if not callable(function):
            label = f"metrics[{name!r}] is" if isinstance(metrics, dict) else "metrics has"
            raise ValueError(
                f"{label} {function!r}; expected one of {', '.join(METRICS)}, or a function of (outputs, "
                "targets)"
            )
        if name in RESERVED:
            raise ValueError(
                f"a metric is called {name!r}, which is the name of {RESERVED[name]}; choose another name, "
                "metrics={name: function}"
            )
    return functions
