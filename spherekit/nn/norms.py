"""Normalisation that commutes with rotations: only what is invariant is divided by, or dropped.

In `Training` the means are those of the batch, and running means are kept; else the running ones count.
"""

import math

import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval

from spherekit import _check
from spherekit.nn.net import Layer, expect, named
from spherekit.nn.orders import sum_orders, widths
from spherekit.nn.scaling import affine, energy, scale, take
from spherekit.nn.signals import Features, Generalized, Group, Sphere, Spins

_SMALL = 1e-12  # beside a variance


def fragment_norm():
    """Every fragment divided by its rms over the batch and the orders m (Kondor et al. 2018, section 4.4)."""

    def bind(takes):
        expect(takes, Generalized)
        degree = np.repeat(np.arange(takes.L), takes.tau)
        rows, share = widths(degree), 1 / (2 * degree + 1)[:, None]

        def init(rng):
            return {"running_square": np.ones((len(degree), takes.channels))}

        def apply(params, x, mode):
            square = params["running_square"]
            if mode.training:
                every = anp.reshape(energy(x, (len(x), 1, takes.channels)), (len(x), -1))
                share_of_one = (share / x.shape[1]).astype(_check.real_type(x))
                square = sum_orders.forward(every, widths=rows) * share_of_one
                mode.observe("running_square", getval(square))
            factors = sum_orders.adjoint((square + _SMALL) ** -0.5, widths=rows)
            return scale(x, anp.reshape(factors, (len(x), 1, takes.channels)))

        return Layer("fragment_norm", takes, takes, init, apply)

    return bind


def batch_norm():
    """Each channel to mean 0 and variance 1 over sphere (or SO(3)) and batch, by coefficients; then scaled.

    A learned scale for each channel, and for scalar fields a learned mean. Of spins each by itself; without a
    mean where the spin is not 0.
    """

    def bind(takes):
        expect(takes, Sphere, Group, Spins)
        weights, place = _parseval(takes)
        lead = (takes.channels, len(takes.spins)) if isinstance(takes, Spins) else (takes.channels,)
        single = (1, *lead, *(1,) * (3 - len(lead) if isinstance(takes, Group) else 1))

        def init(rng):
            params = {"running_variance": np.ones(lead), "scale": np.ones(lead)}
            if place is None:
                return params
            zeros = np.zeros(takes.channels)
            return params | {"running_mean": zeros, "mean": zeros}

        def apply(params, x, mode):
            variance, mean = params["running_variance"], params.get("running_mean")
            if mode.training:
                variance, mean = _statistics(x, weights, place, len(lead))
                mode.observe("running_variance", getval(variance))
                if place is not None:
                    mode.observe("running_mean", getval(mean))
            factor = params["scale"] * (variance + _SMALL) ** -0.5
            if place is None:
                return scale(x, anp.reshape(factor, single))
            return affine(x, anp.reshape(factor, single), params["mean"] - factor * mean, place)

        return Layer("batch_norm", takes, takes, init, apply)

    return bind


def _statistics(x, weights, place, lead):
    """Variance and mean of every channel over the batch; no mean where there is no place for it."""
    kind, count = _check.real_type(x), len(x)
    power = anp.reshape(energy(x, (1, *x.shape[1:])), x.shape[1:])
    if place is None:
        return anp.sum(power * weights.astype(kind), axis=-1) / count, None
    rest = weights.copy()
    rest[place[1:]] = 0  # the square of the mean is not subtracted from a sum: digits would cancel
    first = anp.real(take(x, place))
    mean = anp.sum(first, axis=0) / count
    own = kind(weights[place[1:]]) * anp.sum((first - mean) ** 2, axis=0)
    others = anp.sum(power * rest.astype(kind), axis=tuple(range(lead, power.ndim)))
    return (others + own) / count, mean


def _parseval(takes):
    """Weights w of the mean square, sum w |f|^2; and where the mean lies, or None where there is none."""
    L, N = takes.L, getattr(takes, "N", 1)
    weights = np.full(L * L, 1 / (4 * math.pi))
    if isinstance(takes, Group):
        ell = np.repeat(np.arange(L), 2 * np.arange(L) + 1)
        weights = np.tile((2 * ell + 1) / (8 * math.pi**2) ** 2, (2 * N - 1, 1))
        return weights, (..., N - 1, 0)
    has_mean = isinstance(takes, Sphere) and takes.spin == 0
    return weights, (..., 0) if has_mean else None


def dropout(rate=0.5):
    """In training features, or whole channels of signals, are zero with this probability; the others grow."""
    if not 0 <= rate < 1:
        raise ValueError(f"rate is {rate!r}; expected a number from 0 to below 1")

    def bind(takes):
        expect(takes, Features, Generalized, Sphere, Group, Spins)

        def apply(x, mode):
            if not mode.training or rate == 0:
                return x
            if isinstance(takes, Generalized | Features):
                shape = x.shape[-2:]
            else:
                shape = (*x.shape[:2], *(1,) * (x.ndim - 2))
            kept = (mode.rng.random(shape) >= rate) / (1 - rate)
            return x * kept.astype(_check.real_type(x))

        return named("dropout", takes, takes, apply)

    return bind
