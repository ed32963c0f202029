"""Equivariant normalization and dropout: signals are divided, or multiplied, by invariants only.

In training mode the statistics are those of the batch, and the state is updated with their moving averages;
otherwise the moving averages are used.
"""

import math

import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval

from spherekit._core import checks
from spherekit.conventions import degrees
from spherekit.nn.batch_statistics import Groups, standardize
from spherekit.nn.fragment_indexing import batch_first, rows_first, sum_orders, widths
from spherekit.nn.layer import Context, Layer, cached_by_type
from spherekit.nn.types import (
    SO3,
    Features,
    Fragments,
    SignalType,
    Sphere,
    SpinFields,
    expect_type,
    set_fields,
)


class FragmentNorm(Layer):
    r"""Division of each fragment by its root mean square over batch and orders m: Fragments -> Fragments.

    .. math:: y_{b,c}^{lt} = x_{b,c}^{lt} / \sqrt{v_c^{lt} + 10^{-12}}, \quad
        v_c^{lt} = \frac{1}{B\,(2l+1)} \sum_{b=1}^{B} \sum_m |x_{b,c,m}^{lt}|^2

    In training mode v is the mean square of the batch, and gradients include its dependence on x; otherwise v
    is the moving average.

    Parameters
    ----------
    momentum : float
        Weight of the old value in a moving average, from 0 to 1: v_running <- momentum * v_running +
        (1 - momentum) * v.

    Notes
    -----
    * Input and output: `Fragments`, [shape=(batch, channels, size)].
    * Parameters: none. State: ``mean_square`` [shape=(channels, fragments)], for the fragments of all degrees
      in the order of the type, initially 1.
    * Equivariance: exact.

    In training mode, a batch that is empty, or whose squares exceed the range of its dtype, raises
    ValueError. Kondor, Lin and Trivedi 2018 (arXiv:1806.09231), section 4.4.

    Examples
    --------
    A batch of one signal, in training mode; the mean squares are 9 and 12:

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
        set_fields(self, momentum=_validate_momentum(self.momentum))

    def out_type(self, in_type: SignalType) -> Fragments:
        return expect_type(in_type, Fragments)

    @cached_by_type
    def _tables(self, in_type):
        """Number of rows of each fragment, index of the first, and groups of batch statistics."""
        degree = np.repeat(np.arange(in_type.L), in_type.tau)
        rows = widths(degree)
        first = np.cumsum((0, *rows[:-1]))
        weights = 1 / np.repeat(2.0 * degree + 1, rows)[:, None, None]

        def sum_groups(sums):
            """Sums over the batch, (rows, 1, channels) -> sums also over m, repeated in all rows."""
            sums = sum_orders.forward(batch_first(sums), widths=rows)
            return rows_first(sum_orders.adjoint(sums, widths=rows))

        return rows, first, Groups(1, sum_groups, weights)

    def init(self, in_type: SignalType, rng: np.random.Generator) -> tuple[dict, dict]:
        return {}, {"mean_square": np.ones((in_type.channels, sum(in_type.tau)))}

    def apply(
        self, params: dict, state: dict, x: np.ndarray, context: Context
    ) -> tuple[np.ndarray, dict]:
        rows, first, groups = self._tables(context.in_type)
        factor = np.ones((1, 1, 1), checks.real_type(x))
        running = None
        if not context.training:
            square = sum_orders.adjoint(state["mean_square"][None], widths=rows)
            running = None, rows_first(square)
        y, _, square = standardize(rows_first(x), factor, None, groups, running)
        if context.training:
            square = batch_first(square)[0][:, first]
            square = _moving_average(state["mean_square"], square, self.momentum)
            state = {**state, "mean_square": square}
        return batch_first(y), state


class BatchNorm(Layer):
    r"""Standardization of each channel, then a trained scale: Sphere, SO3 or SpinFields -> the same type.

    .. math:: y_c = s_c\,(x_c - \mu_c) / \sqrt{v_c + 10^{-12}} + d_c

    for signals x_c on the sphere or on SO(3), with mean :math:`\mu_c` and variance v_c over the domain and
    the batch, a trained scale s_c and a trained mean d_c, initially 1 and 0. Both moments are computed from
    coefficients, by Parseval's relation. For complex signals, the mean is that of the real part, and v is the
    mean square modulus of the difference. For `SpinFields`, each spin has separate v and s. Signals of a spin
    other than 0, and `SpinFields`, are only scaled, without mean and d.

    Parameters
    ----------
    momentum : float
        Weight of the old value in moving averages, from 0 to 1: v_running <- momentum * v_running +
        (1 - momentum) * v.

    Notes
    -----
    * Input and output: `Sphere`, complex array [shape=(batch, channels, L*L)]; `SO3`, [shape=(batch,
      channels, 2N-1, L*L)]; or `SpinFields`, [shape=(batch, channels, spins, L*L)].
    * Parameters, real: ``scale`` [shape=(channels,)], initially 1, and ``mean`` [shape=(channels,)],
      initially 0, the coefficient f_00 (f_000) of the constant d_c. For `SpinFields` only ``scale``
      [shape=(channels, spins)].
    * State: ``variance``, of the shape of ``scale``, initially 1, and ``mean``, also as a coefficient,
      initially 0.
    * Equivariance: exact.

    In training mode, a batch that is empty, or whose squares exceed the range of its dtype, raises
    ValueError. Ioffe and Szegedy 2015 (arXiv:1502.03167), algorithm 1, with means over the batch and the
    domain; for spin fields Esteves, Makadia and Daniilidis 2020 (arXiv:2006.10731).

    Examples
    --------
    Two constant signals are standardized to -1 and 1, in training mode:

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
        set_fields(self, momentum=_validate_momentum(self.momentum))

    def out_type(self, in_type: SignalType) -> Sphere | SO3 | SpinFields:
        return expect_type(in_type, Sphere, SO3, SpinFields)

    @cached_by_type
    def _groups(self, in_type):
        """Channels as groups; mean squares over the sphere or SO(3) by Parseval's relation."""
        L, N = in_type.L, getattr(in_type, "N", 1)
        weights = np.full((1, L * L), 1 / (4 * math.pi))
        mean_index = (..., 0)
        if isinstance(in_type, SO3):
            weights = np.tile((2 * degrees(L) + 1) / (8 * math.pi**2) ** 2, (1, 2 * N - 1, 1))
            mean_index = ..., N - 1, 0
        axes = len(_lead(in_type)) + 1

        def sum_groups(sums):
            return anp.sum(sums, axis=tuple(range(axes, sums.ndim)), keepdims=True)

        if not _has_mean(in_type):
            return Groups(0, sum_groups, weights)
        mean_weight = float(weights[mean_index][0])
        weights[mean_index] = 0
        return Groups(0, sum_groups, weights, mean_index, mean_weight)

    def init(self, in_type: SignalType, rng: np.random.Generator) -> tuple[dict, dict]:
        lead = _lead(in_type)
        params, state = {"scale": np.ones(lead)}, {"variance": np.ones(lead)}
        if _has_mean(in_type):
            params["mean"], state["mean"] = np.zeros(lead), np.zeros(lead)
        return params, state

    def apply(
        self, params: dict, state: dict, x: np.ndarray, context: Context
    ) -> tuple[np.ndarray, dict]:
        in_type = context.in_type
        running = None
        lead = _lead(in_type)
        shape = 1, *lead, *(1,) * (2 if isinstance(in_type, SO3) else 1)
        if not context.training:
            running = state.get("mean"), anp.reshape(state["variance"], shape)
        scale = anp.reshape(params["scale"], shape)
        d = params.get("mean")
        y, mean, variance = standardize(x, scale, d, self._groups(in_type), running)
        if context.training:
            batch = {"variance": variance.reshape(lead), "mean": mean}
            state = {
                name: _moving_average(average, batch[name], self.momentum)
                for name, average in state.items()
            }
        return y, state


def _lead(in_type):
    """Shape of a quantity of each channel, or of each spin of each channel."""
    if isinstance(in_type, SpinFields):
        return in_type.channels, len(in_type.spins)
    return (in_type.channels,)


def _has_mean(in_type):
    """Whether the mean of these signals over the domain can be different from zero."""
    return isinstance(in_type, SO3) or (isinstance(in_type, Sphere) and not in_type.spin)


def _validate_momentum(momentum):
    expected = "a number from 0 to 1"
    return checks.real_number(momentum, "momentum", expected, lambda value: 0 <= value <= 1)


def _moving_average(average, value, momentum):
    """The new running average, an array that autograd does not trace."""
    average = np.asarray(getval(average))
    return np.ascontiguousarray(momentum * average + (1 - momentum) * value, average.dtype)


class Dropout(Layer):
    r"""Random features, or channels of signals, set to zero in training mode; the type stays the same.

    .. math:: y_{bc} = x_{bc}\, k_{bc} / (1 - p), \quad k_{bc} = 0 \text{ with probability } p,
        \text{ else } 1

    A channel of a signal is dropped with all its coefficients, fragments and spins, so that the layer is
    equivariant. In inference the layer is the identity.

    Parameters
    ----------
    rate : float
        Probability p of being dropped, from 0 to below 1.

    Notes
    -----
    * Input and output: any type.
    * Parameters and state: none. In training mode (batch, channels) random numbers are drawn from the
      generator of the context, which is required: ``nn.Context(training=True, rng=rng)``.
    * Equivariance: exact.

    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov 2014, JMLR 15, 1929; with the factor 1/(1-p)
    in training instead of 1-p in inference.

    Examples
    --------
    Half of the features are dropped on average, the others are doubled:

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Features(4), nn.Dropout(0.5))
    >>> y, state = net.apply([{}], [{}], [[1.0, 2.0, 3.0, 4.0]], nn.Context(training=True, rng=1))
    >>> y.tolist()
    [[2.0, 4.0, 0.0, 8.0]]
    """

    rate: float = 0.5

    def __post_init__(self):
        expected = "a number from 0 to below 1"
        probability = checks.real_number(self.rate, "rate", expected, lambda p: 0 <= p < 1)
        set_fields(self, rate=probability)

    def out_type(self, in_type: SignalType) -> SignalType:
        return expect_type(in_type, Features, Fragments, Sphere, SO3, SpinFields)

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        if not context.training or self.rate == 0:
            return x
        shape = *x.shape[:2], *(1,) * (x.ndim - 2)
        mask = (context.random().random(shape) >= self.rate) / (1 - self.rate)
        return x * mask.astype(checks.real_type(x))
