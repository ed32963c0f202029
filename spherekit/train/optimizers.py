"""Optimisers: small frozen values with ``init(params) -> state``, ``step(params, grads, state)``.

Gradients are those of autograd, whose gradient of a real L by z = x + iy is dL/dx - i dL/dy: the direction of
steepest descent is its conjugate. Complex parameters are then seen as pairs of reals, so that each number has
its own second moment. States are trees of arrays, and can be stored. Types are kept.
"""

import math
from dataclasses import dataclass

import numpy as np

from spherekit._core import checks
from spherekit.train.pytree import leaves, reals, replaced
from spherekit.train.schedules import as_schedule


@dataclass(frozen=True)
class Optimiser:
    """``kind``, ``rate`` (a function of the step) and ``settings`` say which; made by `sgd`, `adam`, `adamw`.

    >>> import numpy as np
    >>> opt = sgd(0.5)
    >>> params = [{"weights": np.array([1.0, 2.0])}]
    >>> opt.step(params, [{"weights": np.array([1.0, 1.0])}], opt.init(params))[0]
    [{'weights': array([0.5, 1.5])}]
    """

    kind: str
    rate: object
    settings: tuple

    def init(self, params):
        """The state before the first step: {"step": 0, names of moments: [an array for each parameter]}."""
        names = _KINDS[self.kind][0]
        flat = [reals(p) for _, p in leaves(params, statistics=False)]
        return {"step": np.zeros((), np.int64)} | {
            name: [np.zeros_like(p) for p in flat] for name in names
        }

    def step(self, params, grads, state):
        """(params, state) after one step; new arrays, nothing is changed in place.

        Parameters
        ----------
        params : tree of arrays
        grads : tree of the same form
            From autograd; what stands for statistics is not looked at.
        state : dict
            From `init` or the step before.

        Raises
        ------
        ValueError
            A gradient is missing or of another shape.
        """
        names, rule = _KINDS[self.kind]
        count, found, new, moments = int(state["step"]), dict(leaves(grads)), {}, []
        rate = float(self.rate(count))
        for number, (path, p) in enumerate(leaves(params, statistics=False)):
            g = found.get(path)
            if g is None or g.shape != p.shape:
                came = "none" if g is None else f"one of shape {g.shape}"
                raise ValueError(
                    f"gradient of {path}: {came} came; expected the shape {p.shape} of the parameter"
                )
            g = reals(np.conj(g).astype(p.dtype, copy=False))
            some = [state[name][number] for name in names]
            flat, some = rule(reals(p), g, some, count, rate, **dict(self.settings))
            new[path] = flat.view(p.dtype).reshape(p.shape)
            moments.append(some)
        after = {name: [some[k] for some in moments] for k, name in enumerate(names)}
        return replaced(params, new), {"step": np.asarray(count + 1)} | after

    def __str__(self):
        rate = getattr(self.rate, "__qualname__", self.rate)  # a function of one's own: no address
        return f"{self.kind}({', '.join([str(rate), *(f'{k}={v!r}' for k, v in self.settings)])})"


def sgd(rate, momentum=0.0, nesterov=False):
    """v <- momentum v + g, p <- p - rate v; with ``nesterov`` p <- p - rate (g + momentum v).

    Parameters
    ----------
    rate : float or function of the step
        As those of `spherekit.train.schedules`.
    momentum : float
        From 0 to below 1.
    nesterov : bool
        Needs a momentum (Sutskever et al. 2013, ICML, in the form that PyTorch uses).
    """
    momentum = share(momentum, "momentum")
    if nesterov and not momentum:
        raise ValueError("nesterov=True with momentum 0; give a momentum, such as 0.9")
    return _made("sgd", rate, momentum=momentum, nesterov=bool(nesterov))


def adam(rate=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """m <- b1 m + (1-b1) g, v <- b2 v + (1-b2) g^2, p <- p - rate m^/(sqrt(v^) + eps).

    m^ = m/(1-b1^t), v^ = v/(1-b2^t) (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1).
    """
    return _adam("adam", rate, beta1, beta2, eps, 0.0)


def adamw(rate=1e-3, decay=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
    """As `adam`, after p <- p - rate decay p (Loshchilov and Hutter 2019, arXiv:1711.05101).

    Every trained parameter decays; the decay follows the schedule of the rate, as in PyTorch.
    """
    decay = checks.real_number(decay, "decay", "a number >= 0", lambda x: 0 <= x < math.inf)
    return _adam("adamw", rate, beta1, beta2, eps, decay)


def global_norm(grads):
    """The root of the sum of squares of all gradients that are trained with, in float64.

    >>> global_norm([np.array([3.0]), np.array([4j])])
    5.0
    """
    flat = [reals(g) for _, g in leaves(grads, statistics=False)]
    with np.errstate(over="ignore"):
        total = sum(float(np.sum(np.square(g, dtype=np.float64))) for g in flat)
    if 1e-280 < total < math.inf or np.isnan(total):
        return math.sqrt(total)
    largest = max((float(np.max(np.abs(g), initial=0)) for g in flat), default=0.0)
    if largest in (0, math.inf):
        return largest
    return largest * math.sqrt(sum(float(np.sum(np.square(g / largest))) for g in flat))


def clip(grads, most):
    """(gradients scaled so that their global norm is at most ``most``, the norm before).

    >>> clip([np.array([3.0, 4.0])], 1.0)
    ([array([0.6, 0.8])], 5.0)
    """
    most, norm = largest_norm(most, "most"), global_norm(grads)
    if not norm > most:
        return grads, norm
    scale = most / norm
    return replaced(grads, {path: g * scale for path, g in leaves(grads)}), norm


def _adam(kind, rate, beta1, beta2, eps, decay):
    beta1, beta2 = share(beta1, "beta1"), share(beta2, "beta2")
    eps = checks.real_number(eps, "eps", "a small number above 0", lambda x: 0 < x < 1)
    return _made(kind, rate, beta1=beta1, beta2=beta2, eps=eps, decay=decay)


def _sgd_rule(p, g, state, count, rate, momentum, nesterov):
    v = momentum * state[0] + g
    return p - rate * (g + momentum * v if nesterov else v), [v]


def _adam_rule(p, g, state, count, rate, beta1, beta2, eps, decay):
    m = beta1 * state[0] + (1 - beta1) * g
    v = beta2 * state[1] + (1 - beta2) * (g * g)
    if decay:
        p = p * (1 - rate * decay)
    size = np.sqrt(v / (1 - beta2 ** (count + 1))) + eps
    return p - rate * (m / (1 - beta1 ** (count + 1))) / size, [m, v]


_KINDS = {
    "sgd": (("velocity",), _sgd_rule),
    "adam": (("mean", "square"), _adam_rule),
    "adamw": (("mean", "square"), _adam_rule),
}


def _made(kind, rate, **settings):
    return Optimiser(kind, as_schedule(rate), tuple(settings.items()))


def share(value, name):
    """A number from 0 to below 1."""
    return checks.real_number(value, name, "a number from 0 to below 1", lambda x: 0 <= x < 1)


def largest_norm(value, name):
    """A norm to clip at."""
    return checks.real_number(value, name, "a number above 0", lambda x: 0 < x < math.inf)
