"""Signals times factors that are shared along axes, and the sums that are their derivatives.

    F(x, y, s) = sum_i x_i y_i s_i

with s one factor for each channel, or fragment and channel: `scale` is the derivative by y, `match` the one
by s, so that every derivative is one of the two again. No array of the products is stored.
"""

import math
from functools import partial

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive

from spherekit._core.jit import jit
from spherekit.linear import conj, like, linear_map
from spherekit.nn.fragment_indexing import batch_first
from spherekit.timing import timed


@primitive
@partial(timed, "nn.scale")
def scale(x, s):
    """``x s``, where ``s`` has as many axes, of length 1 along which its factors are shared."""
    if np.iscomplexobj(s):
        return x * s
    parts = _parts(x) if np.iscomplexobj(x) else x
    factors = s[..., None] if np.iscomplexobj(x) else s
    runs = _runs(parts.shape, factors.shape)
    if runs is None or s.dtype != parts.dtype:
        return x * s
    result = np.empty(x.shape, x.dtype)
    flat = result.view(parts.dtype).reshape(-1)
    _factors(
        runs, np.ascontiguousarray(parts).reshape(-1), np.ascontiguousarray(s).reshape(-1), flat
    )
    return result


@primitive
@partial(timed, "nn.match")
def match(x, y, shape, real):
    """The sum of x y over the axes in which ``shape`` is 1, which stay; with ``real`` its real part."""
    if real and np.iscomplexobj(x) and np.iscomplexobj(y):
        parts = _sums(_parts(x), _parts(y), (*shape, 2))
        return parts[..., 0] - parts[..., 1]
    if np.iscomplexobj(x) or np.iscomplexobj(y):
        result = np.sum(x * y, axis=_shared(x.shape, shape), keepdims=True)
        return result.real if real else result
    return _sums(x, y, shape)


@primitive
@partial(timed, "nn.energy")
def energy(x, shape):
    """The sum of |x|^2 over the axes in which ``shape`` is 1, which stay.

    >>> energy(np.array([[3.0, 1.0], [4j, 1.0]]), (1, 2))
    array([[25.,  2.]])
    """
    if np.iscomplexobj(x):
        parts = _parts(x)
        return _sums(parts, parts, (*shape, 2)).sum(axis=-1)
    return _sums(x, x, shape)


def take(x, place, *, fragments=False):
    """``x[place]``, ``place`` of slices and whole numbers.

    The gradient of ``fragments`` has their layout in memory, rows first.
    """
    return _take.forward(x, place=place, shape=np.shape(x), fragments=fragments)


def put(y, place, shape):
    """An array of that shape with ``y`` at ``place``, and zeros."""
    return _take.adjoint(y, place=place, shape=shape, fragments=False)


def _put(y, *, place, shape, fragments):
    result = np.zeros((shape[-1], *shape[:-1]) if fragments else shape, y.dtype)
    result = batch_first(result) if fragments else result
    result[place] = y
    return result


_take = linear_map("nn.take", lambda x, *, place, shape, fragments: x[place], _put, real=True)


def _by_scale(s, x, g):
    """The gradient by s of what is linear in ``scale(x, s)``."""
    return match(x, g, np.shape(s), not anp.iscomplexobj(s))


defvjp(
    scale,
    lambda _, x, s: lambda g: like(scale(g, s), x),
    lambda _, x, s: lambda g: _by_scale(s, x, g),
)
defjvp(scale, lambda t, _, x, s: scale(t, s), lambda t, _, x, s: scale(x, t))
defvjp(
    match,
    lambda _, x, y, shape, real: lambda g: like(scale(y, g), x),
    lambda _, x, y, shape, real: lambda g: like(scale(x, g), y),
    argnums=(0, 1),
)
defjvp(
    match,
    lambda t, _, x, y, shape, real: match(t, y, shape, real),
    lambda t, _, x, y, shape, real: match(x, t, shape, real),
    argnums=(0, 1),
)
defvjp(energy, lambda _, x, shape: lambda g: scale(conj(x), 2 * g), argnums=(0,))
defjvp(energy, lambda t, _, x, shape: 2 * match(conj(x), t, shape, True), argnums=(0,))


# --- kernels -----------------------------------------------------------------------------------------


def _parts(x):
    """Complex numbers as pairs of real ones, along a new last axis."""
    x = np.ascontiguousarray(x)
    return x.view(x.real.dtype).reshape(*x.shape, 2)


def _shared(shape, reduced):
    return tuple(k for k, (n, m) in enumerate(zip(shape, reduced, strict=True)) if m == 1 and n > 1)


def _runs(shape, reduced):
    """Lengths (shared, own, shared, own) of consecutive axes; None where they alternate more often."""
    runs, own = [1], True  # from the last axis on
    for n, m in zip(reversed(shape), reversed(reduced), strict=True):
        if n > 1 and (m == n) != own:
            runs.append(1)
            own = not own
        runs[-1] *= n
    return (*[1] * (4 - len(runs)), *reversed(runs)) if len(runs) <= 4 else None


def _sums(x, y, shape):
    """Sums of products of real arrays: over the first axis by the kernel, then over the other axes."""
    axes, dtype = _shared(x.shape, shape), np.result_type(x, y)
    if not axes:
        return x * y
    first = axes[0]
    lead, after = math.prod(x.shape[:first]), math.prod(x.shape[first + 1 :])
    result = np.zeros(lead * after, dtype)
    flat = [np.ascontiguousarray(v, dtype).reshape(-1) for v in (x, y)]
    _products(x.shape[first], after, *flat, result)
    result = result.reshape(*x.shape[:first], 1, *x.shape[first + 1 :])
    return result.sum(axis=axes[1:], keepdims=True) if len(axes) > 1 else result


@jit
def _factors(runs, x, s, out):
    outer, rows, shared, inner = runs
    at = 0
    for _ in range(outer):
        for r in range(rows):
            if inner == 1:
                factor = s[r]
                for i in range(at, at + shared):
                    out[i] = x[i] * factor
                at += shared
                continue
            for _ in range(shared):
                for i in range(inner):
                    out[at + i] = x[at + i] * s[r * inner + i]
                at += inner


@jit
def _products(count, after, x, y, out):
    for a in range(out.size // after):
        for b in range(count):
            at = (a * count + b) * after
            for c in range(after):
                out[a * after + c] += x[at + c] * y[at + c]
