"""Normalisation that commutes with rotations: only what is invariant is divided by, or dropped.

In `Training` the means are those of the batch, and running means are kept; else the running ones count.
"""

import math

import autograd.numpy as anp
import numpy as np

from spherekit._core import checks
from spherekit.conventions import degrees
from spherekit.nn.batch_statistics import Groups, standardised
from spherekit.nn.fragment_indexing import sum_orders, widths
from spherekit.nn.network import Layer, expect, named
from spherekit.nn.types import Features, Generalized, Group, Sphere, Spins


def fragment_norm():
    """Every fragment divided by its rms over the batch and the orders m (Kondor et al. 2018, section 4.4)."""

    def bind(takes):
        expect(takes, Generalized)
        degree = np.repeat(np.arange(takes.L), takes.tau)
        rows = widths(degree)
        share = 1 / np.repeat(2.0 * degree + 1, rows)[:, None, None]

        def per_row(fragments):
            return anp.reshape(
                sum_orders.adjoint(fragments, widths=rows), (takes.size, 1, takes.channels)
            )

        def gather(sums):
            sums = anp.reshape(sums, (takes.size, takes.channels))
            return per_row(sum_orders.forward(sums, widths=rows))

        def init(rng):
            return {"running_square": np.ones((len(degree), takes.channels))}

        def apply(params, x, mode):
            one = np.ones((1, 1, 1), checks.real_type(x))
            if not mode.training:
                square = per_row(params["running_square"])
                return standardised(x, one, None, groups, (None, square))[0]
            y, _, square = standardised(x, one, None, groups)
            mode.observe("running_square", square[_first(rows), 0])
            return y

        groups = Groups(1, gather, share)
        return Layer("fragment_norm", takes, takes, init, apply)

    return bind


def _first(rows):
    """The first row of each fragment."""
    return np.concatenate([[0], np.cumsum(rows[:-1])]).astype(int)


def batch_norm():
    """Each channel to mean 0 and variance 1 over sphere (or SO(3)) and batch, by coefficients; then scaled.

    A learned scale for each channel, and for scalar fields a learned mean. Of spins each by itself; without a
    mean where the spin is not 0.
    """

    def bind(takes):
        expect(takes, Sphere, Group, Spins)
        lead = (takes.channels, len(takes.spins)) if isinstance(takes, Spins) else (takes.channels,)
        groups = _channels(takes, lead)
        single = (1, *lead, *(1,) * (2 if isinstance(takes, Group) else 1))
        has_mean = groups.place is not None

        def init(rng):
            params = {"running_variance": np.ones(lead), "scale": np.ones(lead)}
            zeros = {"running_mean": np.zeros(lead), "mean": np.zeros(lead)}
            return params | zeros if has_mean else params

        def apply(params, x, mode):
            given = None
            if not mode.training:
                variance = anp.reshape(params["running_variance"], single)
                given = params.get("running_mean"), variance
            s = anp.reshape(params["scale"], single)
            y, mean, variance = standardised(x, s, params.get("mean"), groups, given)
            if mode.training:
                mode.observe("running_variance", variance.reshape(lead))
                if has_mean:
                    mode.observe("running_mean", mean)
            return y

        return Layer("batch_norm", takes, takes, init, apply)

    return bind


def _channels(takes, lead):
    """Channels as groups, the mean square taken over sphere or SO(3) by Parseval's weights."""
    L, N = takes.L, getattr(takes, "N", 1)
    weights, place = np.full((1, L * L), 1 / (4 * math.pi)), (..., 0)
    if isinstance(takes, Group):
        weights = np.tile((2 * degrees(L) + 1) / (8 * math.pi**2) ** 2, (1, 2 * N - 1, 1))
        place = ..., N - 1, 0
    if isinstance(takes, Spins) or (isinstance(takes, Sphere) and takes.spin):
        place = None

    def gather(sums):
        return anp.sum(sums, axis=tuple(range(1 + len(lead), sums.ndim)), keepdims=True)

    if place is None:
        return Groups(0, gather, weights)
    own = float(weights[place][0])
    weights[place] = 0
    return Groups(0, gather, weights, place, own)


def dropout(rate=0.5):
    """In training features, or whole channels of signals, are zero with this probability; the others grow."""
    expected = "a number from 0 to below 1"
    rate = checks.real_number(rate, "rate", expected, lambda share: 0 <= share < 1)

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
            return x * kept.astype(checks.real_type(x))

        return named("dropout", takes, takes, apply)

    return bind
