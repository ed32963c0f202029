"""Signals standardized to variance 1 over a batch, group by group: one primitive with its own derivatives.

    y = s r (x - mean) + d,    r = (v + small)^(-1/2),    v = sum share |x - mean|^2

over the entries of a group: a channel, or a fragment in a channel; the mean is that of one entry, if any. The
gradients for a cotangent g, with G its sum at the entry of the mean and A = r sum Re(g (x - mean)), are

    s: A,    d: G,    x: s r g - s r^2 A share conj(x - mean) - s r G/batch,

so that the tape has one node, and each direction is two passes over the signals.
"""

import math
from functools import partial
from typing import NamedTuple

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import getval, isbox

from spherekit._core import checks
from spherekit._core.jit import jit
from spherekit.linear import conj
from spherekit.nn.scaled_reductions import energy, match, put, scale, take
from spherekit.timing import timed

_SMALL = 1e-12  # beside a variance


@primitive
def _inverse_root(v):
    """r = (v + small)^(-1/2); its derivative -r r r/2 factor by factor: (1e-18)^3 is no float32."""
    return (v + _SMALL) ** -0.5


defvjp(_inverse_root, lambda r, v: lambda g: -0.5 * g * r * r * r)
defjvp(_inverse_root, lambda t, r, v: -0.5 * t * r * r * r)


class Groups(NamedTuple):
    """The groups of entries that are standardized together.

    axis : int, that of the batch
    gather : function of sums over the batch, -> sums over groups, of a shape that broadcasts against them
    share : weights of a mean square, which broadcast against such sums; 0 at the entry of the mean
    place, own : index of the entry of the mean in the signals, and its weight; place is None without a mean
    """

    axis: int
    gather: object
    share: np.ndarray
    place: tuple = None
    own: float = 0.0


def statistics(x, groups):
    """(mean or None, v) of a batch."""
    count = np.shape(x)[groups.axis]
    v = groups.gather(energy(x, _batch_reduced(x, groups)) * _share(x, groups))
    if groups.place is None:
        return None, v
    first = take(x, groups.place)
    mean = anp.sum(anp.real(first), axis=0) / count
    deviation = first - mean  # apart from the sum, in which its digits would cancel
    own = anp.sum(anp.real(deviation) ** 2 + anp.imag(deviation) ** 2, axis=0)
    own = own * (groups.own / count)
    return mean, v + anp.reshape(own, np.shape(v))


def _statistics_in_range(x, groups):
    """As `statistics`, also where sums of squares overflow and their mean does not.

    Raises
    ------
    ValueError
        An empty batch; signals that are not finite; a mean square beyond the precision of x.
    """
    if np.shape(x)[groups.axis] == 0:
        raise ValueError("an empty batch has no mean and no variance to train with")
    kind = np.dtype(checks.real_type(x))
    with np.errstate(over="ignore", invalid="ignore"):
        mean, v = statistics(x, groups)
        if np.isfinite(v).all():
            return mean, v
        if lost := x.size - np.count_nonzero(np.isfinite(x)):
            raise ValueError(f"{lost} of the {x.size} numbers of its input are NaN or infinite")
        exponent = math.frexp(np.abs(x).max())[1]
        scaled = np.ldexp(1.0, -exponent) * x.astype(np.result_type(x, np.float64))
        mean, v = statistics(scaled, groups)
        mean = None if mean is None else np.ldexp(mean, exponent).astype(kind)
        v = np.ldexp(v, 2 * exponent).astype(kind)
    if not np.isfinite(v).all():
        raise ValueError(
            f"numbers up to {np.abs(x).max():.3g} have a mean square beyond {kind}; scale the data down"
        )
    return mean, v


def standardized(x, s, d, groups, given=None):
    """(y, mean, v), the last two plain arrays, not traced by autograd; mean is None for groups without.

    Parameters
    ----------
    x : array of signals
    s : array
        Scale, which broadcasts as v does.
    d : array or None
        New mean, of the shape of the mean; None for groups without.
    groups : Groups
    given : tuple, optional
        (mean, v) to use in place of those of this batch.
    """
    if given is None:
        mean, v = _statistics_in_range(getval(x), groups)
        return _standardize(x, s, d, mean, v, groups), mean, v
    r = _inverse_root(given[1])
    y = scale(x, s * r)
    if groups.place is None:
        return y, *given
    d = d - anp.reshape(s * r, np.shape(d)) * given[0]
    return y + put(_each(d, x), groups.place, np.shape(x)), *given


@primitive
@partial(timed, "nn.standardize")
def _standardize(x, s, d, mean, v, groups):
    a = s * _inverse_root(v)
    y = scale(x, a)
    if mean is not None:
        y[groups.place] += d - a.reshape(mean.shape) * mean
    return y


def _shared(x, mean, v, groups):
    """(x - mean as a function of a factor, r): traced where x is."""
    if isbox(x):
        mean, v = statistics(x, groups)
    return mean, _inverse_root(v)


def _to_x(answer, x, s, d, mean, v, groups):
    def pullback(g):
        m, r = _shared(x, mean, v, groups)
        a, (A, G) = s * r, _sums(g, x, m, r, groups)
        b = -a * (r * A) * _share(x, groups)
        if any(map(isbox, (g, x, s))):
            gradient = scale(g, a) + scale(conj(x), b)
        else:
            gradient = _combined(g, a, x, b, groups.axis)
        if m is None:
            return gradient
        shape, count = np.shape(m), len(x)
        own = a * (r * A) * (groups.own / count)  # the weight of the mean, which share leaves out
        deviation = anp.conj(take(x, groups.place)) - m
        first = -anp.reshape(own, shape) * deviation - anp.reshape(a, shape) * G / count
        return gradient + put(first, groups.place, np.shape(x))

    return pullback


def _sums(g, x, mean, r, groups):
    """A and G of the module."""
    A = groups.gather(match(g, x, _batch_reduced(x, groups), True))
    if mean is None:
        return r * A, None
    G = anp.sum(anp.real(take(g, groups.place)), axis=0)
    return r * (A - anp.reshape(mean * G, np.shape(A))), G


def _to_s(answer, x, s, d, mean, v, groups):
    def pullback(g):
        m, r = _shared(x, mean, v, groups)
        return _sums(g, x, m, r, groups)[0]

    return pullback


def _to_d(answer, x, s, d, mean, v, groups):
    return lambda g: anp.sum(anp.real(take(g, groups.place)), axis=0)


def _from_x(t, answer, x, s, d, mean, v, groups):
    m, r = _shared(x, mean, v, groups)
    E = groups.gather(match(conj(x), t, _batch_reduced(x, groups), True) * _share(x, groups))
    if m is None:
        return scale(t, s * r) - scale(x, s * r * (r * (r * E)))
    shape, count = np.shape(m), len(x)
    deviation, tangent = take(x, groups.place) - m, take(t, groups.place)
    own = anp.sum(anp.real(anp.conj(deviation) * tangent), axis=0) * (groups.own / count)
    slope = s * r * (r * (r * (E + anp.reshape(own, np.shape(E)))))
    shift = (
        anp.reshape(slope, shape) * m
        - anp.reshape(s * r, shape) * anp.sum(anp.real(tangent), axis=0) / count
    )
    return scale(t, s * r) - scale(x, slope) + put(_each(shift, x), groups.place, np.shape(x))


def _from_s(t, answer, x, s, d, mean, v, groups):
    m, r = _shared(x, mean, v, groups)
    change = scale(x, t * r)
    if m is None:
        return change
    first = _each(anp.reshape(t * r, np.shape(m)) * m, x)
    return change - put(first, groups.place, np.shape(x))


def _from_d(t, answer, x, s, d, mean, v, groups):
    return put(_each(t, x), groups.place, np.shape(x))


defvjp(_standardize, _to_x, _to_s, _to_d, argnums=(0, 1, 2))
defjvp(_standardize, _from_x, _from_s, _from_d, argnums=(0, 1, 2))


# --- kernels -----------------------------------------------------------------------------------------


def _batch_reduced(x, groups):
    """The shape of sums of x over the batch."""
    return tuple(1 if k == groups.axis else n for k, n in enumerate(np.shape(x)))


def _share(x, groups):
    return (groups.share / np.shape(x)[groups.axis]).astype(checks.real_type(x))


def _each(d, x):
    """``d`` for each signal of the batch, with the dtype of x."""
    return d + np.zeros((np.shape(x)[0], *np.shape(d)), x.dtype)


@partial(timed, "nn.standardize, adjoint")
def _combined(g, a, x, b, axis):
    """a g + b conj(x), in one pass."""
    reduced, dtype = [1 if k == axis else n for k, n in enumerate(x.shape)], x.dtype
    a, b = np.broadcast_to(a, reduced), np.broadcast_to(b, reduced)
    g, x = np.ascontiguousarray(g, dtype), np.ascontiguousarray(x)
    if np.iscomplexobj(x):
        a, b = np.stack([a, a], axis=-1), np.stack([b, -b], axis=-1)
    result, after = np.empty(x.shape, dtype), math.prod(a.shape[axis + 1 :])
    reals = [v.reshape(-1).view(a.dtype) for v in (g, x, result)]
    _pass(x.shape[axis], after, a.reshape(-1), b.reshape(-1), *reals)
    return result


@jit
def _pass(count, after, a, b, g, x, out):
    for p in range(a.size // after):
        for n in range(count):
            at = (p * count + n) * after
            for q in range(after):
                k = p * after + q
                out[at + q] = a[k] * g[at + q] + b[k] * x[at + q]
