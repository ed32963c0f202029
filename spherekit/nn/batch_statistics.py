"""Standardization over a batch, by groups, as one autograd primitive.

Signals are divided by the standard deviation, after subtraction of the mean where there is one::

    y = s r (x - mean) + d,    r = (v + epsilon)^(-1/2),    v = sum weights |x - mean|^2

where the sum runs over the entries of a group: a channel, or a fragment in a channel. At most one entry of a
group has a mean. For a cotangent g, let G be its sum at that entry, and A = r sum Re(g (x - mean)). The
gradients are

    s: A,    d: G,    x: s r g - s r^2 A weights conj(x - mean) - s r G/batch

A call adds one node to the tape. The forward and the backward pass each read the signals twice.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, defvjp_argnums, primitive
from autograd.tracer import getval, isbox

from spherekit._core import checks
from spherekit._core.jit import leaf
from spherekit.linear import conj
from spherekit.nn.scaled_reductions import energy, get_item, inner_product, scale, zero_pad
from spherekit.timing import timed

_EPSILON = 1e-12  # added to variances


@primitive
def _inverse_root(v):
    """r = (v + epsilon)^(-1/2); its derivative multiplies factor by factor: r^3 may underflow in float32."""
    return (v + _EPSILON) ** -0.5


defvjp(_inverse_root, lambda r, v: lambda g: -0.5 * g * r * r * r)
defjvp(_inverse_root, lambda t, r, v: -0.5 * t * r * r * r)


class Groups(NamedTuple):
    """Groups of entries that are standardized together.

    Parameters
    ----------
    axis : int
        The batch axis.
    sum_groups : callable
        Maps sums over the batch to sums over groups, of a shape that broadcasts against its argument.
    weights : array
        Weights of a mean square, which broadcast against such sums; 0 at the entry of the mean.
    mean_index : tuple or None
        Index of the entry of the mean in the signals; None if groups have no mean.
    mean_weight : float
        Weight of that entry in a mean square.
    """

    axis: int
    sum_groups: Callable
    weights: np.ndarray
    mean_index: tuple | None = None
    mean_weight: float = 0.0


def statistics(x, groups):
    """Mean (or None) and variance v of a batch."""
    count = np.shape(x)[groups.axis]
    v = groups.sum_groups(energy(x, _batch_reduced(x, groups)) * _weights(x, groups))
    if groups.mean_index is None:
        return None, v
    first = get_item(x, groups.mean_index)
    mean = anp.sum(anp.real(first), axis=0) / count
    deviation = first - mean  # its square is summed separately, to avoid cancellation
    square = anp.sum(anp.real(deviation) ** 2 + anp.imag(deviation) ** 2, axis=0)
    square = square * (groups.mean_weight / count)
    return mean, v + anp.reshape(square, np.shape(v))


def _scaled_statistics(x, groups):
    """`statistics`, with rescaling where sums of squares overflow.

    Raises
    ------
    ValueError
        If the batch is empty, if signals are not finite, or if a mean square exceeds the range of the dtype
        of ``x``.
    """
    if np.shape(x)[groups.axis] == 0:
        raise ValueError("the batch is empty; batch statistics need at least one signal")
    dtype = np.dtype(checks.real_type(x))
    with np.errstate(over="ignore", invalid="ignore"):
        mean, v = statistics(x, groups)
        if np.isfinite(v).all():
            return mean, v
        if nonfinite := x.size - np.count_nonzero(np.isfinite(x)):
            raise ValueError(f"{nonfinite} of the {x.size} input values are NaN or infinite")
        exponent = math.frexp(np.abs(x).max())[1]
        scaled = np.ldexp(1.0, -exponent) * x.astype(np.result_type(x, np.float64))
        mean, v = statistics(scaled, groups)
        mean = None if mean is None else np.ldexp(mean, exponent).astype(dtype)
        v = np.ldexp(v, 2 * exponent).astype(dtype)
    if not np.isfinite(v).all():
        raise ValueError(
            f"the mean square of values up to {np.abs(x).max():.3g} exceeds the range of {dtype}; "
            "scale the signals down"
        )
    return mean, v


def standardize(x, s, d, groups, running=None):
    """Standardize signals by the statistics of the batch, or by running ones.

    Parameters
    ----------
    x : array
        Signals.
    s : array
        Scale, which broadcasts against v.
    d : array or None
        New mean, of the shape of the mean; None if groups have no mean.
    groups : Groups
        The entries that are standardized together.
    running : tuple of array, optional
        Mean (None if the groups have none) and v, to use in place of the statistics of this batch.

    Returns
    -------
    y : array
        Standardized signals.
    mean : array or None
        Mean of each group, not traced by autograd; None if groups have no mean.
    v : array
        Variance of each group, not traced by autograd.
    """
    if running is None:
        mean, v = _scaled_statistics(getval(x), groups)
        return _standardize_by(x, s, d, mean, v, groups), mean, v
    r = _inverse_root(running[1])
    y = scale(x, s * r)
    if groups.mean_index is None:
        return y, *running
    d = d - anp.reshape(s * r, np.shape(d)) * running[0]
    return y + zero_pad(_for_each_signal(d, x), groups.mean_index, np.shape(x)), *running


@primitive
@partial(timed, "nn.standardize")
def _standardize_by(x, s, d, mean, v, groups):
    a = s * _inverse_root(v)
    y = scale(x, a)
    if mean is not None:
        y[groups.mean_index] += d - a.reshape(mean.shape) * mean
    return y


def _mean_and_root(x, mean, v, groups):
    """Mean and r, traced if x is."""
    if isbox(x):
        mean, v = statistics(x, groups)
    return mean, _inverse_root(v)


def _vjp(argnums, answer, args, kwargs):
    """The gradients with respect to some of the arguments x, s and d, of which all use A and G."""
    x, s, _, mean, v, groups = args

    def pullback(g):
        m, r = _mean_and_root(x, mean, v, groups)
        A, G = _cotangent_sums(g, x, m, r, groups)
        gradients = {1: A, 2: G}
        if 0 in argnums:
            gradients[0] = _gradient_of_signals(g, x, s, m, r, A, G, groups)
        return tuple(gradients[argnum] for argnum in argnums)

    return pullback


def _gradient_of_signals(g, x, s, m, r, A, G, groups):
    a = s * r
    b = -a * (r * A) * _weights(x, groups)
    if any(map(isbox, (g, x, s))):
        gradient = scale(g, a) + scale(conj(x), b)
    else:
        gradient = _combine(g, a, x, b, groups.axis)
    if m is None:
        return gradient
    shape = np.shape(m)
    count = len(x)
    mean_factor = a * (r * A) * (groups.mean_weight / count)  # groups.weights is 0 there
    deviation = anp.conj(get_item(x, groups.mean_index)) - m
    first = -anp.reshape(mean_factor, shape) * deviation - anp.reshape(a, shape) * G / count
    return gradient + zero_pad(first, groups.mean_index, np.shape(x))


def _cotangent_sums(g, x, mean, r, groups):
    """A and G, as defined at the top of this file."""
    A = groups.sum_groups(inner_product(g, x, _batch_reduced(x, groups), True))
    if mean is None:
        return r * A, None
    G = anp.sum(anp.real(get_item(g, groups.mean_index)), axis=0)
    return r * (A - anp.reshape(mean * G, np.shape(A))), G


def _jvp_x(t, answer, x, s, d, mean, v, groups):
    m, r = _mean_and_root(x, mean, v, groups)
    E = groups.sum_groups(
        inner_product(conj(x), t, _batch_reduced(x, groups), True) * _weights(x, groups)
    )
    if m is None:
        return scale(t, s * r) - scale(x, s * r * (r * (r * E)))
    shape = np.shape(m)
    count = len(x)
    deviation = get_item(x, groups.mean_index) - m
    tangent = get_item(t, groups.mean_index)
    product = anp.sum(anp.real(anp.conj(deviation) * tangent), axis=0)
    product = product * (groups.mean_weight / count)
    slope = s * r * (r * (r * (E + anp.reshape(product, np.shape(E)))))
    shift = (
        anp.reshape(slope, shape) * m
        - anp.reshape(s * r, shape) * anp.sum(anp.real(tangent), axis=0) / count
    )
    return (
        scale(t, s * r)
        - scale(x, slope)
        + zero_pad(_for_each_signal(shift, x), groups.mean_index, np.shape(x))
    )


def _jvp_s(t, answer, x, s, d, mean, v, groups):
    m, r = _mean_and_root(x, mean, v, groups)
    change = scale(x, t * r)
    if m is None:
        return change
    first = _for_each_signal(anp.reshape(t * r, np.shape(m)) * m, x)
    return change - zero_pad(first, groups.mean_index, np.shape(x))


def _jvp_d(t, answer, x, s, d, mean, v, groups):
    return zero_pad(_for_each_signal(t, x), groups.mean_index, np.shape(x))


defvjp_argnums(_standardize_by, _vjp)
defjvp(_standardize_by, _jvp_x, _jvp_s, _jvp_d, argnums=(0, 1, 2))


# --- kernels -----------------------------------------------------------------------------------------


def _batch_reduced(x, groups):
    """Shape of sums of x over the batch."""
    return tuple(1 if k == groups.axis else n for k, n in enumerate(np.shape(x)))


def _weights(x, groups):
    return (groups.weights / np.shape(x)[groups.axis]).astype(checks.real_type(x))


def _for_each_signal(d, x):
    """``d`` repeated for each signal of the batch, in the dtype of x."""
    return d + np.zeros((np.shape(x)[0], *np.shape(d)), x.dtype)


@partial(timed, "nn.standardize, adjoint")
def _combine(g, a, x, b, axis):
    """a g + b conj(x), in a single pass."""
    reduced = [1 if k == axis else n for k, n in enumerate(x.shape)]
    dtype = x.dtype
    a, b = np.broadcast_to(a, reduced), np.broadcast_to(b, reduced)
    g, x = np.ascontiguousarray(g, dtype), np.ascontiguousarray(x)
    if np.iscomplexobj(x):
        a, b = np.stack([a, a], axis=-1), np.stack([b, -b], axis=-1)
    result = np.empty(x.shape, dtype)
    inner_size = math.prod(a.shape[axis + 1 :])
    reals = [v.reshape(-1).view(a.dtype) for v in (g, x, result)]
    _combine_flat(x.shape[axis], inner_size, a.reshape(-1), b.reshape(-1), *reals)
    return result


@leaf
def _combine_flat(count, inner_size, a, b, g, x, out):
    for p in range(a.size // inner_size):
        for n in range(count):
            offset = (p * count + n) * inner_size
            for q in range(inner_size):
                k = p * inner_size + q
                out[offset + q] = a[k] * g[offset + q] + b[k] * x[offset + q]
