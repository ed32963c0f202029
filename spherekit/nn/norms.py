"""Normalisation that commutes with rotations: only what is invariant is divided by, or dropped.

In `Training` the means are those of the batch, and running means are kept; else the running ones count.
"""

import math

import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval

from spherekit import _check
from spherekit.nn.net import Layer, expect, named
from spherekit.nn.orders import widths
from spherekit.nn.signals import Features, Generalized, Group, Sphere, Spins
from spherekit.nn.sums import spread, squares
from spherekit.scattering.modulus import modulus

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
                share_of_one = (share / x.shape[1]).astype(_check.real_type(x))
                square = squares(x, rows, mode.threads) * share_of_one
                mode.observe("running_square", getval(square))
            return spread(x, (square + _SMALL) ** -0.5, rows, mode.threads)

        return Layer("fragment_norm", takes, takes, init, apply)

    return bind


def batch_norm():
    """Each channel to mean 0 and variance 1 over sphere (or SO(3)) and batch, by coefficients; then scaled.

    A learned scale for each channel, and for scalar fields a learned mean. Of spins each by itself; without a
    mean where the spin is not 0.
    """

    def bind(takes):
        expect(takes, Sphere, Group, Spins)
        weights, one = _parseval(takes)
        lead = (takes.channels, len(takes.spins)) if isinstance(takes, Spins) else (takes.channels,)

        def init(rng):
            params = {"running_variance": np.ones(lead), "scale": np.ones(lead)}
            if one is None:
                return params
            zeros = np.zeros(takes.channels)
            return params | {"running_mean": zeros, "mean": zeros}

        def apply(params, x, mode):
            axes, kind = tuple(range(1 + len(lead), x.ndim)), _check.real_type(x)

            def each(values):
                return values[(..., *(None,) * len(axes))]

            if one is not None:
                place, mean = one.astype(kind), params["running_mean"]
                if mode.training:
                    mean = anp.sum(anp.real(x) * place, axis=(0, *axes)) / len(x)
                    mode.observe("running_mean", getval(mean))
                x = x - each(mean) * place
            variance = params["running_variance"]
            if mode.training:
                power = modulus(x) ** 2 * weights.astype(kind)
                variance = anp.sum(power, axis=(0, *axes)) / len(x)
                mode.observe("running_variance", getval(variance))
            y = x * each(params["scale"] * (variance + _SMALL) ** -0.5)
            return y if one is None else y + each(params["mean"]) * place

        return Layer("batch_norm", takes, takes, init, apply)

    return bind


def _parseval(takes):
    """Weights w of the mean square, sum w |f|^2; and 1 where the mean lies, or None where there is none."""
    L = takes.L
    weights, one = np.full(L * L, 1 / (4 * math.pi)), np.eye(1, L * L)[0]
    if isinstance(takes, Spins):
        return weights, None
    if isinstance(takes, Sphere):
        return weights, one if takes.spin == 0 else None
    ell = np.repeat(np.arange(L), 2 * np.arange(L) + 1)
    return (2 * ell + 1) / (8 * math.pi**2) ** 2, np.eye(2 * takes.N - 1)[takes.N - 1][
        :, None
    ] * one


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
