"""Optimizers: frozen values with ``init(params) -> optimizer_state`` and a step on trees of arrays.

Gradients are those of autograd, whose gradient of a real loss by z = x + iy is dL/dx - i dL/dy: the direction
of steepest descent is its conjugate. Complex parameters are then treated as pairs of real ones, each with its
own second moment. States of optimizers are trees of arrays, which can be stored. Data types are preserved.
"""

import math
from dataclasses import dataclass

import numpy as np

from spherekit._core import checks
from spherekit._core.pytree import (
    as_reals,
    flatten,
    map_leaves,
    path_text,
    tree_leaves,
    with_leaves,
)
from spherekit.train.schedules import as_schedule


@dataclass(frozen=True)
class Optimizer:
    """A rule that updates parameters by their gradients; `sgd`, `adam` and `adamw` create it.

    Attributes
    ----------
    kind : str
        Name of the function that created it.
    learning_rate : callable
        A function of the step, 0, 1, 2, ...
    settings : tuple of (name, value)

    >>> import numpy as np
    >>> optimizer = sgd(0.5)
    >>> params = [{"weights": np.array([1.0, 2.0])}]
    >>> optimizer.step(params, [{"weights": np.array([1.0, 1.0])}], optimizer.init(params))[0]
    [{'weights': array([0.5, 1.5])}]
    """

    kind: str
    learning_rate: object
    settings: tuple

    def init(self, params):
        """The state before the first step.

        Parameters
        ----------
        params : tree of arrays

        Returns
        -------
        dict
            ``{"step": 0}``, and of each moment a list with an array for each parameter.
        """
        moments, _ = _RULES[self.kind]
        flat = [as_reals(array) for _, array in flatten(params)]
        return {"step": np.zeros((), np.int64)} | {
            name: [np.zeros_like(p) for p in flat] for name in moments
        }

    def step(self, params, gradients, optimizer_state):
        """Parameters and state after a step; new arrays, nothing is changed in place.

        Parameters
        ----------
        params : tree of arrays
        gradients : tree of the same structure
            From autograd.
        optimizer_state : dict
            From `init` or the previous step.

        Returns
        -------
        params : tree of arrays
        optimizer_state : dict

        Raises
        ------
        ValueError
            A gradient is missing or of another shape.
        """
        names, rule = _RULES[self.kind]
        count, by_path = int(optimizer_state["step"]), dict(flatten(gradients))
        learning_rate, settings = float(self.learning_rate(count)), dict(self.settings)
        updated, new_moments = [], {name: [] for name in names}
        for number, (path, p) in enumerate(flatten(params)):
            g = by_path.get(path)
            if g is None or g.shape != p.shape:
                problem = "is missing" if g is None else f"has the shape {g.shape}"
                raise ValueError(
                    f"the gradient by {path_text(path)} {problem}; expected the shape {p.shape} of the "
                    "parameter"
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
    def schedule_text(self):
        """The learning rate as text, of a function its name."""
        return str(getattr(self.learning_rate, "__qualname__", self.learning_rate))

    @property
    def settings_text(self):
        """Kind and settings without the learning rate, as text.

        >>> sgd(0.1).settings_text
        'sgd(momentum=0.0, nesterov=False)'
        """
        return f"{self.kind}({', '.join(f'{name}={value!r}' for name, value in self.settings)})"

    def __str__(self):
        settings = self.settings_text.removeprefix(f"{self.kind}(")
        return f"{self.kind}({self.schedule_text}, {settings}"


def sgd(learning_rate, momentum=0.0, nesterov=False):
    """Stochastic gradient descent: v <- momentum v + g, p <- p - learning_rate v.

    With ``nesterov`` p <- p - learning_rate (g + momentum v) (Sutskever et al. 2013, ICML, in the form that
    PyTorch uses).

    Parameters
    ----------
    learning_rate : float or function of the step
        As those of `spherekit.train.schedules`.
    momentum : float
        From 0 to below 1.
    nesterov : bool
        Needs a momentum.

    Returns
    -------
    Optimizer

    Raises
    ------
    ValueError, TypeError
        Values out of range, or not numbers.

    >>> print(sgd(0.1, momentum=0.9))
    sgd(constant(learning_rate=0.1), momentum=0.9, nesterov=False)
    """
    momentum = _fraction(momentum, "momentum")
    if nesterov and not momentum:
        raise ValueError("nesterov=True with momentum 0; pass a momentum, such as 0.9")
    return _optimizer("sgd", learning_rate, momentum=momentum, nesterov=bool(nesterov))


def adam(learning_rate=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """Adam (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1).

    m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g^2,
    p <- p - learning_rate (m/(1 - beta1^t)) / (sqrt(v/(1 - beta2^t)) + eps), at step t = 1, 2, ...

    Parameters
    ----------
    learning_rate : float or function of the step
        As those of `spherekit.train.schedules`.
    beta1, beta2 : float
        From 0 to below 1.
    eps : float
        Above 0, below 1.

    Returns
    -------
    Optimizer

    Raises
    ------
    ValueError, TypeError
        Values out of range, or not numbers.

    >>> adam(0.01).learning_rate(0)
    0.01
    """
    return _adam("adam", learning_rate, beta1, beta2, eps, 0.0)


def adamw(learning_rate=1e-3, weight_decay=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
    """`adam`, after p <- p - learning_rate weight_decay p (Loshchilov and Hutter 2019, arXiv:1711.05101).

    Every parameter decays; the decay follows the schedule of the learning rate, as in PyTorch.

    Parameters
    ----------
    learning_rate : float or function of the step
        As those of `spherekit.train.schedules`.
    weight_decay : float
        At least 0.
    beta1, beta2, eps : float
        As of `adam`.

    Returns
    -------
    Optimizer

    Raises
    ------
    ValueError, TypeError
        Values out of range, or not numbers.

    >>> dict(adamw(weight_decay=0.1).settings)["weight_decay"]
    0.1
    """
    expected = "a number >= 0"
    weight_decay = checks.real_number(
        weight_decay, "weight_decay", expected, lambda x: 0 <= x < math.inf
    )
    return _adam("adamw", learning_rate, beta1, beta2, eps, weight_decay)


def global_norm(gradients):
    """The root of the sum of squares of all gradients, in float64.

    Parameters
    ----------
    gradients : tree of arrays

    Returns
    -------
    float

    >>> global_norm([np.array([3.0]), np.array([4j])])
    5.0
    """
    flat = list(map(as_reals, tree_leaves(gradients)))
    with np.errstate(over="ignore"):
        total = sum(float(np.sum(np.square(g, dtype=np.float64))) for g in flat)
    if 1e-280 < total < math.inf or np.isnan(total):
        return math.sqrt(total)
    largest = max((float(np.max(np.abs(g), initial=0)) for g in flat), default=0.0)
    if largest in (0, math.inf):
        return largest
    return largest * math.sqrt(sum(float(np.sum(np.square(g / largest))) for g in flat))


def clip_by_global_norm(gradients, max_norm):
    """Gradients, scaled down where their global norm is larger than ``max_norm``.

    Parameters
    ----------
    gradients : tree of arrays
    max_norm : float
        Above 0.

    Returns
    -------
    gradients : tree of arrays
    norm : float
        The global norm before.

    >>> clip_by_global_norm([np.array([3.0, 4.0])], 1.0)
    ([array([0.6, 0.8])], 5.0)
    """
    max_norm, norm = largest_norm(max_norm), global_norm(gradients)
    if not norm > max_norm:
        return gradients, norm
    scale = max_norm / norm
    return map_leaves(lambda g: g * scale, gradients), norm


def largest_norm(value):
    """A norm to clip at, checked."""
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


#: {kind: (names of moments, rule)}.
_RULES = {
    "sgd": (("velocity",), _sgd_rule),
    "adam": (("mean", "square"), _adam_rule),
    "adamw": (("mean", "square"), _adam_rule),
}


def _optimizer(kind, learning_rate, **settings):
    return Optimizer(kind, as_schedule(learning_rate), tuple(settings.items()))


def _fraction(value, name):
    return checks.real_number(value, name, "a number from 0 to below 1", lambda x: 0 <= x < 1)
