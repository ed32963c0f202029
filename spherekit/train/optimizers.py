"""Optimizers: immutable objects with ``init(params) -> optimizer_state`` and a ``step`` on trees of arrays.

Gradients follow autograd's convention: the gradient of a real loss with respect to z = x + iy is dL/dx - i
dL/dy, whose conjugate is the direction of steepest ascent. Complex parameters are treated as pairs of real
parameters with separate second moments. The state of an optimizer is a tree of arrays. Data types are
preserved.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from spherekit._core import checks
from spherekit._core.pytree import (
    as_reals,
    flatten,
    map_leaves,
    path_text,
    with_leaves,
)
from spherekit.train.schedules import as_schedule


@dataclass(frozen=True)
class Optimizer:
    """A gradient-based update rule of parameters, created by `sgd`, `adam` or `adamw`.

    Attributes
    ----------
    kind : str
        Name of the function that created the optimizer.
    learning_rate : callable
        Learning rate as a function of the step, 0, 1, 2, ...
    settings : tuple of (name, value)
        Other arguments of that function.

    Examples
    --------
    >>> import numpy as np
    >>> optimizer = sgd(0.5)
    >>> params = [{"weights": np.array([1.0, 2.0])}]
    >>> optimizer.step(params, [{"weights": np.array([1.0, 1.0])}], optimizer.init(params))[0]
    [{'weights': array([0.5, 1.5])}]
    """

    kind: str
    learning_rate: object
    settings: tuple

    def init(self, params: Any) -> dict:
        """Return the optimizer state before the first step.

        Parameters
        ----------
        params : tree of arrays
            Parameters.

        Returns
        -------
        dict
            ``{"step": 0}``, and for each moment a list with one array for each parameter.
        """
        moments, _ = _RULES[self.kind]
        flat = [as_reals(array) for _, array in flatten(params)]
        return {"step": np.zeros((), np.int64)} | {
            name: [np.zeros_like(p) for p in flat] for name in moments
        }

    def step(self, params: Any, gradients: Any, optimizer_state: dict) -> tuple[Any, dict]:
        """Perform an optimization step; the arguments are not modified.

        Parameters
        ----------
        params : tree of arrays
            Parameters before the step.
        gradients : tree of arrays
            Gradients of the loss in autograd's convention, with the structure of ``params``.
        optimizer_state : dict
            State from `init` or from the previous step.

        Returns
        -------
        params : tree of arrays
            Parameters after the step.
        optimizer_state : dict
            State after the step.

        Raises
        ------
        ValueError
            A gradient is missing, or its shape differs from that of the parameter.
        """
        names, rule = _RULES[self.kind]
        count = int(optimizer_state["step"])
        gradient_by_path = dict(flatten(gradients))
        learning_rate = float(self.learning_rate(count))
        settings = dict(self.settings)
        updated = []
        new_moments = {name: [] for name in names}
        for number, (path, p) in enumerate(flatten(params)):
            g = gradient_by_path.get(path)
            if g is None or g.shape != p.shape:
                fault = "is missing" if g is None else f"has the shape {g.shape}"
                raise ValueError(
                    f"the gradient with respect to {path_text(path)} {fault}; expected the shape {p.shape} "
                    "of the parameter"
                )
            g = np.conj(g) if np.iscomplexobj(g) else g
            g = as_reals(g.astype(p.dtype, copy=False))
            moments = [optimizer_state[name][number] for name in names]
            flat, moments = rule(as_reals(p), g, moments, count, learning_rate, **settings)
            updated.append(flat.view(p.dtype).reshape(p.shape))
            for name, moment in zip(names, moments, strict=True):
                new_moments[name].append(moment)
        return with_leaves(params, updated), {"step": np.asarray(count + 1)} | new_moments

    @property
    def schedule_text(self) -> str:
        """The learning-rate schedule as text, or the name of the function."""
        return str(getattr(self.learning_rate, "__qualname__", self.learning_rate))

    @property
    def settings_text(self) -> str:
        """Kind and settings without the learning rate, as text.

        Examples
        --------
        >>> sgd(0.1).settings_text
        'sgd(momentum=0.0, nesterov=False)'
        """
        return f"{self.kind}({', '.join(f'{name}={value!r}' for name, value in self.settings)})"

    def __str__(self):
        settings = self.settings_text.removeprefix(f"{self.kind}(")
        return f"{self.kind}({self.schedule_text}, {settings}"


def sgd(
    learning_rate: float | Callable[[int], float], momentum: float = 0.0, nesterov: bool = False
) -> Optimizer:
    """Stochastic gradient descent with momentum.

    v <- momentum v + g, p <- p - learning_rate v.

    With ``nesterov``, p <- p - learning_rate (g + momentum v) (Sutskever et al. 2013, ICML, in the
    formulation of PyTorch).

    Parameters
    ----------
    learning_rate : float or callable
        Learning rate, or a function of the step, such as those of `spherekit.train.schedules`.
    momentum : float
        Momentum, from 0 to below 1.
    nesterov : bool
        Whether to use Nesterov momentum; requires ``momentum > 0``.

    Returns
    -------
    Optimizer

    Raises
    ------
    TypeError
        An argument is not a number.
    ValueError
        An argument is out of range, or ``nesterov`` is set without momentum.

    Examples
    --------
    >>> print(sgd(0.1, momentum=0.9))
    sgd(constant(learning_rate=0.1), momentum=0.9, nesterov=False)
    """
    momentum = _fraction(momentum, "momentum")
    if nesterov and not momentum:
        raise ValueError("nesterov=True with momentum 0; pass a momentum, such as 0.9")
    return _optimizer("sgd", learning_rate, momentum=momentum, nesterov=bool(nesterov))


def adam(
    learning_rate: float | Callable[[int], float] = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> Optimizer:
    """Adam (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1).

    m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g^2,
    p <- p - learning_rate (m/(1 - beta1^t)) / (sqrt(v/(1 - beta2^t)) + eps), at step t = 1, 2, ...

    Parameters
    ----------
    learning_rate : float or callable
        Learning rate, or a function of the step, such as those of `spherekit.train.schedules`.
    beta1, beta2 : float
        Decay rates of the moments, from 0 to below 1.
    eps : float
        Term added to the denominator, above 0 and below 1.

    Returns
    -------
    Optimizer

    Raises
    ------
    TypeError
        An argument is not a number.
    ValueError
        An argument is out of range.

    Examples
    --------
    The first step changes each parameter by the learning rate, whatever the size of its gradient:

    >>> optimizer = adam(0.01)
    >>> params = [np.array([1.0, 1.0])]
    >>> updated, _ = optimizer.step(params, [np.array([0.5, -200.0])], optimizer.init(params))
    >>> updated[0].round(6).tolist()
    [0.99, 1.01]
    """
    return _adam("adam", learning_rate, beta1, beta2, eps, 0.0)


def adamw(
    learning_rate: float | Callable[[int], float] = 1e-3,
    weight_decay: float = 0.01,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> Optimizer:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101).

    Each step is p <- p - learning_rate weight_decay p, followed by the update of `adam`. The decay applies to
    all parameters and follows the schedule of the learning rate, as in PyTorch.

    Parameters
    ----------
    learning_rate : float or callable
        Learning rate, or a function of the step, such as those of `spherekit.train.schedules`.
    weight_decay : float
        Coefficient of the decay, at least 0.
    beta1, beta2 : float
        Decay rates of the moments, from 0 to below 1.
    eps : float
        Term added to the denominator, above 0 and below 1.

    Returns
    -------
    Optimizer

    Raises
    ------
    TypeError
        An argument is not a number.
    ValueError
        An argument is out of range.

    Examples
    --------
    >>> dict(adamw(weight_decay=0.1).settings)["weight_decay"]
    0.1
    """
    expected = "a number >= 0"
    weight_decay = checks.real_number(
        weight_decay, "weight_decay", expected, lambda x: 0 <= x < math.inf
    )
    return _adam("adamw", learning_rate, beta1, beta2, eps, weight_decay)


def global_norm(gradients: Any) -> float:
    """Euclidean norm of all gradients together, in float64.

    Parameters
    ----------
    gradients : tree of arrays
        Gradients.

    Returns
    -------
    float
        Square root of the sum of squared moduli; finite if it is within the range of float64.

    Raises
    ------
    TypeError
        A leaf is not numeric.

    Examples
    --------
    >>> global_norm([np.array([3.0]), np.array([4j])])
    5.0
    """
    flat = []
    for path, array in flatten(map_leaves(np.asarray, gradients)):
        if array.dtype.kind not in "biufc":
            label = path_text(("gradients", *path))
            raise TypeError(f"{label} has dtype {array.dtype}; expected numbers")
        flat.append(as_reals(array))
    with np.errstate(over="ignore"):
        total = sum(float(np.sum(np.square(g, dtype=np.float64))) for g in flat)
    if 1e-280 < total < math.inf or np.isnan(total):
        return math.sqrt(total)
    largest = max((float(np.max(np.abs(g), initial=0)) for g in flat), default=0.0)
    if largest in (0, math.inf):
        return largest
    return largest * math.sqrt(sum(float(np.sum(np.square(g / largest))) for g in flat))


def clip_by_global_norm(gradients: Any, max_norm: float) -> tuple[Any, float]:
    """Scale gradients down if their global norm exceeds ``max_norm``.

    Parameters
    ----------
    gradients : tree of arrays
        Gradients.
    max_norm : float
        Largest global norm, above 0.

    Returns
    -------
    gradients : tree of arrays
        Gradients multiplied by min(1, max_norm/norm).
    norm : float
        Global norm before clipping.

    Raises
    ------
    TypeError
        ``max_norm`` is not a number, or a leaf is not numeric.
    ValueError
        ``max_norm`` is not a finite number above 0.

    Examples
    --------
    >>> clip_by_global_norm([np.array([3.0, 4.0])], 1.0)
    ([array([0.6, 0.8])], 5.0)
    """
    max_norm = check_max_norm(max_norm)
    norm = global_norm(gradients)
    if not norm > max_norm:
        return gradients, norm
    scale = max_norm / norm
    return map_leaves(lambda g: g * scale, gradients), norm


def check_max_norm(value):
    """Return a norm for clipping as a float, which must be above 0."""
    return checks.real_number(value, "max_norm", "a number above 0", lambda x: 0 < x < math.inf)


def _adam(kind, learning_rate, beta1, beta2, eps, weight_decay):
    beta1, beta2 = _fraction(beta1, "beta1"), _fraction(beta2, "beta2")
    eps = checks.real_number(eps, "eps", "a small number above 0", lambda x: 0 < x < 1)
    settings = dict(beta1=beta1, beta2=beta2, eps=eps, weight_decay=weight_decay)
    return _optimizer(kind, learning_rate, **settings)


def _sgd_rule(p, g, moments, count, learning_rate, momentum, nesterov):
    v = momentum * moments[0] + g
    return p - learning_rate * (g + momentum * v if nesterov else v), [v]


def _adam_rule(p, g, moments, count, learning_rate, beta1, beta2, eps, weight_decay):
    m = beta1 * moments[0]
    m += (1 - beta1) * g
    square = g * g
    square *= 1 - beta2
    v = beta2 * moments[1]
    v += square
    if weight_decay:
        p = p * (1 - learning_rate * weight_decay)
    size = v / (1 - beta2 ** (count + 1))
    np.sqrt(size, out=size)
    size += eps
    step = m / (1 - beta1 ** (count + 1))
    step *= learning_rate
    step /= size
    return p - step, [m, v]


#: Names of the moments, and the update rule, of each kind.
_RULES = {
    "sgd": (("velocity",), _sgd_rule),
    "adam": (("mean", "square"), _adam_rule),
    "adamw": (("mean", "square"), _adam_rule),
}


def _optimizer(kind, learning_rate, **settings):
    return Optimizer(kind, as_schedule(learning_rate), tuple(settings.items()))


def _fraction(value, name):
    return checks.real_number(value, name, "a number from 0 to below 1", lambda x: 0 <= x < 1)
