"""Normalization and dropout that commute with rotations: only invariants are divided by, or dropped.

In training the statistics are those of the batch, and the running ones, in the state, move towards them;
otherwise the running ones are used.
"""

import math

import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval

from spherekit._core import checks
from spherekit.conventions import degrees
from spherekit.nn.batch_statistics import Groups, standardized
from spherekit.nn.fragment_indexing import batch_first, rows_first, sum_orders, widths
from spherekit.nn.layer import Layer, cached_by_type
from spherekit.nn.types import SO3, Features, Fragments, Sphere, SpinFields, expect_type, set_fields


class FragmentNorm(Layer):
    """Each fragment divided by its root mean square over the batch and the orders m: Fragments -> Fragments.

    .. math:: y_{b,c}^{lt} = x_{b,c}^{lt} / \\sqrt{v_c^{lt} + 10^{-12}}, \\quad
        v_c^{lt} = \\frac{1}{B\\,(2l+1)} \\sum_{b=1}^{B} \\sum_m |x_{b,c,m}^{lt}|^2

    In training v is that of the batch, which the gradient follows; otherwise the running mean square.

    Parameters
    ----------
    momentum : float
        From 0 to 1, the share of the old value in a running mean: v_running <- momentum * v_running +
        (1 - momentum) * v.

    Notes
    -----
    Input and output: `Fragments`, ``(batch, channels, size)``. Without parameters. State: ``mean_square
    [shape=(channels, fragments)]``, the fragments in the order of the type, of all degrees; 1 at the start.
    Strictly equivariant. In training an empty batch, or one whose squares are beyond its precision, raises
    ValueError.

    Kondor, Lin and Trivedi 2018 (arXiv:1806.09231), section 4.4.

    >>> import numpy as np
    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Fragments((1, 1), 1), nn.FragmentNorm())
    >>> params, state = net.init(0)
    >>> y, state = net.apply(params, state, [[[3.0, 0.0, 0.0, 6.0]]], nn.Context(training=True))
    >>> y.round(3).tolist(), state[0]["mean_square"].round(3).tolist()
    ([[[1.0, 0.0, 0.0, 1.732]]], [[1.8, 2.1]])
    """

    momentum: float = 0.9

    def __post_init__(self):
        set_fields(self, momentum=_share_of_old(self.momentum))

    def out_type(self, in_type):
        return expect_type(in_type, Fragments)

    @cached_by_type
    def _tables(self, in_type):
        """(rows of each fragment, the first of them, groups of batch statistics)."""
        degree = np.repeat(np.arange(in_type.L), in_type.tau)
        rows = widths(degree)
        first = np.cumsum((0, *rows[:-1]))
        share = 1 / np.repeat(2.0 * degree + 1, rows)[:, None, None]

        def gather(sums):
            """Sums over the batch, (rows, 1, channels) -> over the orders too, repeated in all rows."""
            sums = sum_orders.forward(batch_first(sums), widths=rows)
            return rows_first(sum_orders.adjoint(sums, widths=rows))

        return rows, first, Groups(1, gather, share)

    def init(self, in_type, rng):
        return {}, {"mean_square": np.ones((in_type.channels, sum(in_type.tau)))}

    def apply(self, params, state, x, context):
        rows, first, groups = self._tables(context.in_type)
        factor, given = np.ones((1, 1, 1), checks.real_type(x)), None
        if not context.training:
            square = sum_orders.adjoint(state["mean_square"][None], widths=rows)
            given = None, rows_first(square)
        y, _, square = standardized(rows_first(x), factor, None, groups, given)
        if context.training:
            square = batch_first(square)[0][:, first]
            running = _running(state["mean_square"], square, self.momentum)
            state = {**state, "mean_square": running}
        return batch_first(y), state


class BatchNorm(Layer):
    """Each channel to mean 0 and variance 1 over domain and batch, then scaled; the type stays the same.

    .. math:: y_c = s_c\\,(x_c - \\mu_c) / \\sqrt{v_c + 10^{-12}} + d_c

    of signals x_c on the sphere or on SO(3), with mean :math:`\\mu_c` and variance v_c over the domain and
    the batch, a learned scale s_c and a learned mean d_c; computed from coefficients, by Parseval's relation.
    Of complex signals the mean is that of the real part, and v the mean square modulus of the difference. Of
    `SpinFields` each spin has its own v and s. Signals of a spin other than 0, and `SpinFields`, are only
    scaled: without mean and d.

    Parameters
    ----------
    momentum : float
        From 0 to 1, the share of the old value in running statistics: v_running <- momentum * v_running +
        (1 - momentum) * v.

    Notes
    -----
    Input and output: `Sphere`, ``(batch, channels, L*L)``; `SO3`, ``(batch, channels, 2N-1, L*L)``; or
    `SpinFields`, ``(batch, channels, spins, L*L)``. Parameters: ``scale [shape=(channels,)]``, 1 at the
    start, and ``mean [shape=(channels,)]``, 0 at the start: the coefficient f_00 (f_000) of the constant d_c.
    State: ``variance``, of the shape of ``scale``, and ``mean``, likewise as a coefficient. Of `SpinFields`
    ``scale`` and ``variance`` have the shape (channels, spins). Strictly equivariant. In training an empty
    batch, or one whose squares are beyond its precision, raises ValueError.

    Ioffe and Szegedy 2015 (arXiv:1502.03167), algorithm 1, with the mean over the batch and the domain; for
    spins Esteves, Makadia and Daniilidis 2020 (arXiv:2006.10731).

    >>> import numpy as np
    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Sphere(2, 1), nn.BatchNorm())
    >>> params, state = net.init(0)
    >>> x = np.zeros((2, 1, 4), complex)
    >>> x[:, 0, 0] = 1, 3
    >>> y, state = net.apply(params, state, x, nn.Context(training=True))
    >>> (y[:, 0, 0].real / np.sqrt(4 * np.pi)).round(3).tolist(), state[0]["mean"].round(3).tolist()
    ([-1.0, 1.0], [0.2])
    """

    momentum: float = 0.9

    def __post_init__(self):
        set_fields(self, momentum=_share_of_old(self.momentum))

    def out_type(self, in_type):
        return expect_type(in_type, Sphere, SO3, SpinFields)

    @cached_by_type
    def _groups(self, in_type):
        """Channels as groups; mean squares over the sphere or SO(3) by Parseval's relation."""
        L, N = in_type.L, getattr(in_type, "N", 1)
        weights, place = np.full((1, L * L), 1 / (4 * math.pi)), (..., 0)
        if isinstance(in_type, SO3):
            weights = np.tile((2 * degrees(L) + 1) / (8 * math.pi**2) ** 2, (1, 2 * N - 1, 1))
            place = ..., N - 1, 0
        axes = len(_lead(in_type)) + 1

        def gather(sums):
            return anp.sum(sums, axis=tuple(range(axes, sums.ndim)), keepdims=True)

        if not _has_mean(in_type):
            return Groups(0, gather, weights)
        own = float(weights[place][0])
        weights[place] = 0
        return Groups(0, gather, weights, place, own)

    def init(self, in_type, rng):
        lead = _lead(in_type)
        params, state = {"scale": np.ones(lead)}, {"variance": np.ones(lead)}
        if _has_mean(in_type):
            params["mean"], state["mean"] = np.zeros(lead), np.zeros(lead)
        return params, state

    def apply(self, params, state, x, context):
        in_type, given = context.in_type, None
        lead = _lead(in_type)
        single = 1, *lead, *(1,) * (2 if isinstance(in_type, SO3) else 1)
        if not context.training:
            given = state.get("mean"), anp.reshape(state["variance"], single)
        scale, d = anp.reshape(params["scale"], single), params.get("mean")
        y, mean, variance = standardized(x, scale, d, self._groups(in_type), given)
        if context.training:
            batch = {"variance": variance.reshape(lead), "mean": mean}
            state = {name: _running(old, batch[name], self.momentum) for name, old in state.items()}
        return y, state


def _lead(in_type):
    """Shape of what each channel has, or each spin of each channel."""
    if isinstance(in_type, SpinFields):
        return in_type.channels, len(in_type.spins)
    return (in_type.channels,)


def _has_mean(in_type):
    """Whether fields can have a mean over the domain that is not zero."""
    return isinstance(in_type, SO3) or (isinstance(in_type, Sphere) and not in_type.spin)


def _share_of_old(momentum):
    expected = "a number from 0 to 1"
    return checks.real_number(momentum, "momentum", expected, lambda share: 0 <= share <= 1)


def _running(old, value, momentum):
    """The new running mean, a plain array."""
    old = np.asarray(getval(old))
    return np.ascontiguousarray(momentum * old + (1 - momentum) * value, old.dtype)


class Dropout(Layer):
    """Features, or channels of signals, set to zero at random in training; the type stays the same.

    .. math:: y_{bc} = x_{bc}\\, k_{bc} / (1 - p), \\quad k_{bc} = 0 \\text{ with probability } p,
        \\text{ else } 1

    A channel of a signal, with all its coefficients, fragments and spins, is dropped as one, so that the
    layer is equivariant. Not in training it returns its input.

    Parameters
    ----------
    rate : float
        The probability p, from 0 to below 1.

    Notes
    -----
    Input and output: any type. Without parameters and state. In training it draws ``(batch, channels)``
    random numbers from the context, which must have a generator: ``nn.Context(training=True, rng=rng)``.

    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov 2014, JMLR 15, 1929; the factor 1/(1-p) in
    training in place of 1-p in use.

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Features(4), nn.Dropout(0.5))
    >>> net.apply([{}], [{}], [[1.0, 2.0, 3.0, 4.0]], nn.Context(training=True, rng=1))[0].tolist()
    [[2.0, 4.0, 0.0, 8.0]]
    """

    rate: float = 0.5

    def __post_init__(self):
        expected = "a number from 0 to below 1"
        rate = checks.real_number(self.rate, "rate", expected, lambda share: 0 <= share < 1)
        set_fields(self, rate=rate)

    def out_type(self, in_type):
        return expect_type(in_type, Features, Fragments, Sphere, SO3, SpinFields)

    def forward(self, params, x, context):
        if not context.training or self.rate == 0:
            return x
        shape = *x.shape[:2], *(1,) * (x.ndim - 2)
        mask = (context.random().random(shape) >= self.rate) / (1 - self.rate)
        return x * mask.astype(checks.real_type(x))
