"""Metrics: functions of all outputs and all targets of a data set, one number each.

Of a metric with a true attribute ``larger_is_better`` the largest value is the best; of all others, as of
losses, the smallest. Those of SHREC'17 are computed by `retrieval`, of ranked lists.
"""

from collections.abc import Iterable

import numpy as np

from spherekit.train import losses
from spherekit.train.shrec17 import retrieval

__all__ = ["METRICS", "accuracy", "mae", "resolve", "retrieval", "rmse"]


def accuracy(outputs, labels):
    """Fraction of signals whose largest output is that of their label.

    Parameters
    ----------
    outputs : float array [shape=(batch, classes)]
    labels : int array [shape=(batch,)]

    Returns
    -------
    float

    >>> import numpy as np
    >>> accuracy(np.array([[0.1, 0.2], [3.0, -1.0]]), np.array([1, 1]))
    0.5
    """
    losses.count_classes(outputs, labels)
    return float(np.mean(np.argmax(outputs, axis=1) == labels))


accuracy.larger_is_better = True


def rmse(outputs, targets):
    """Root of the mean of |outputs - targets|^2, in float64.

    Parameters
    ----------
    outputs, targets : float or complex arrays of one shape

    Returns
    -------
    float

    >>> import numpy as np
    >>> rmse(np.array([[3.0], [-3.0]]), np.zeros((2, 1)))
    3.0
    """
    return losses.root_mean_square(losses.difference(outputs, targets))


def mae(outputs, targets):
    """Mean of |outputs - targets|, in float64.

    Parameters
    ----------
    outputs, targets : float or complex arrays of one shape

    Returns
    -------
    float

    >>> import numpy as np
    >>> mae(np.array([[3.0], [-1.0]]), np.zeros((2, 1)))
    2.0
    """
    return float(np.mean(np.abs(losses.difference(outputs, targets)), dtype=np.float64))


#: By name.
METRICS = {"accuracy": accuracy, "rmse": rmse, "mae": mae}

#: Names of other columns of the history of epochs.
RESERVED = {
    "loss": "the loss itself",
    "step": "the number of steps in the history",
    "train": "the mean loss of the epoch in the history",
}


def resolve(metrics):
    """The functions of metrics, by name.

    Parameters
    ----------
    metrics : sequence of str or callable, or dict
        Names in `METRICS`, functions of (outputs, targets), or {name: function}.

    Returns
    -------
    dict of str to callable

    Raises
    ------
    TypeError, ValueError
        Not a list or dict; a metric that is not known; one called "loss", "step" or "train", as other
        columns of the history are.

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
            raise ValueError(f"{label} {function!r}; known are {', '.join(METRICS)}, or a function")
        if name in RESERVED:
            raise ValueError(
                f"a metric is called {name!r}, which is the name of {RESERVED[name]}; call it otherwise, as "
                "in metrics={name: function}"
            )
    return functions
