"""Products of signals with broadcast factors, and the reductions that are their derivatives.

Both are derivatives of the trilinear form

    F(x, y, s) = sum_i x_i y_i s_i

in which s has one factor for each channel, or for each fragment and channel: `scale` is the derivative with
respect to y, `inner_product` that with respect to s. All derivatives of the two are again of this kind, and
no array of the products is stored.
"""

import math
from functools import partial

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive

from spherekit._core.jit import leaf
from spherekit.linear import conj, like, linear_map
from spherekit.nn.fragment_indexing import batch_first
from spherekit.timing import timed


@primitive
@partial(timed, "nn.scale")
def scale(x, s):
    """``x s``, with ``s`` of as many axes, which broadcasts against ``x``."""
    if np.iscomplexobj(s):
        return x * s
    reals = _as_pairs(x) if np.iscomplexobj(x) else x
    factors = s[..., None] if np.iscomplexobj(x) else s
    lengths = _axis_groups(reals.shape, factors.shape)
    if lengths is None or s.dtype != reals.dtype:
        return x * s
    result = np.empty(x.shape, x.dtype)
    flat = result.view(reals.dtype).reshape(-1)
    _scale_flat(
        lengths, np.ascontiguousarray(reals).reshape(-1), np.ascontiguousarray(s).reshape(-1), flat
    )
    return result


@primitive
@partial(timed, "nn.inner_product")
def inner_product(x, y, shape, real):
    """Sum of x y over the axes where ``shape`` is 1, with ``keepdims``; with ``real``, its real part."""
    if real and np.iscomplexobj(x) and np.iscomplexobj(y):
        products = _sums(_as_pairs(x), _as_pairs(y), (*shape, 2))
        return products[..., 0] - products[..., 1]
    if np.iscomplexobj(x) or np.iscomplexobj(y):
        result = np.sum(x * y, axis=_reduced_axes(x.shape, shape), keepdims=True)
        return result.real if real else result
    return _sums(x, y, shape)


@primitive
@partial(timed, "nn.energy")
def energy(x, shape):
    """Sum of |x|^2 over the axes where ``shape`` is 1, with ``keepdims``.

    >>> energy(np.array([[3.0, 1.0], [4j, 1.0]]), (1, 2))
    array([[25.,  2.]])
    """
    if np.iscomplexobj(x):
        pairs = _as_pairs(x)
        return _sums(pairs, pairs, (*shape, 2)).sum(axis=-1)
    return _sums(x, x, shape)


def get_item(x, index, *, fragments=False):
    """``x[index]``, where ``index`` consists of integers and slices.

    With ``fragments``, the gradient has their memory layout, rows first.
    """
    return _get_item.forward(x, index=index, shape=np.shape(x), fragments=fragments)


def zero_pad(y, index, shape):
    """An array of zeros of that shape, with ``y`` at ``index``; the adjoint of `get_item`."""
    return _get_item.adjoint(y, index=index, shape=shape, fragments=False)


def _zero_pad(y, *, index, shape, fragments):
    result = np.zeros((shape[-1], *shape[:-1]) if fragments else shape, y.dtype)
    result = batch_first(result) if fragments else result
    result[index] = y
    return result


_get_item = linear_map(
    "nn.get_item", lambda x, *, index, shape, fragments: x[index], _zero_pad, real=True
)


def _gradient_of_factors(s, x, g):
    """The gradient with respect to s, for the cotangent ``g`` of ``scale(x, s)``."""
    return inner_product(x, g, np.shape(s), not anp.iscomplexobj(s))


defvjp(
    scale,
    lambda _, x, s: lambda g: like(scale(g, s), x),
    lambda _, x, s: lambda g: _gradient_of_factors(s, x, g),
)
defjvp(scale, lambda t, _, x, s: scale(t, s), lambda t, _, x, s: scale(x, t))
defvjp(
    inner_product,
    lambda _, x, y, shape, real: lambda g: like(scale(y, g), x),
    lambda _, x, y, shape, real: lambda g: like(scale(x, g), y),
    argnums=(0, 1),
)
defjvp(
    inner_product,
    lambda t, _, x, y, shape, real: inner_product(t, y, shape, real),
    lambda t, _, x, y, shape, real: inner_product(x, t, shape, real),
    argnums=(0, 1),
)
defvjp(energy, lambda _, x, shape: lambda g: scale(conj(x), 2 * g), argnums=(0,))
defjvp(energy, lambda t, _, x, shape: 2 * inner_product(conj(x), t, shape, True), argnums=(0,))


# --- kernels -----------------------------------------------------------------------------------------


def _as_pairs(x):
    """Complex numbers as pairs of real numbers, along a new last axis."""
    x = np.ascontiguousarray(x)
    return x.view(x.real.dtype).reshape(*x.shape, 2)


def _reduced_axes(shape, reduced):
    return tuple(k for k, (n, m) in enumerate(zip(shape, reduced, strict=True)) if m == 1 and n > 1)


def _axis_groups(shape, reduced):
    """Lengths (broadcast, indexed, broadcast, indexed) of consecutive axes; None if they alternate more."""
    lengths = [1]  # from the last axis on
    is_indexed = True
    for n, m in zip(reversed(shape), reversed(reduced), strict=True):
        if n > 1 and (m == n) != is_indexed:
            lengths.append(1)
            is_indexed = not is_indexed
        lengths[-1] *= n
    return (*[1] * (4 - len(lengths)), *reversed(lengths)) if len(lengths) <= 4 else None


def _sums(x, y, shape):
    """Sums of products of real arrays: over the first reduced axis by the kernel, then over the others."""
    axes = _reduced_axes(x.shape, shape)
    dtype = np.result_type(x, y)
    if not axes:
        return x * y
    first = axes[0]
    lead = math.prod(x.shape[:first])
    inner_size = math.prod(x.shape[first + 1 :])
    result = np.zeros(lead * inner_size, dtype)
    flat = [np.ascontiguousarray(v, dtype).reshape(-1) for v in (x, y)]
    _sum_products(x.shape[first], inner_size, *flat, result)
    result = result.reshape(*x.shape[:first], 1, *x.shape[first + 1 :])
    return result.sum(axis=axes[1:], keepdims=True) if len(axes) > 1 else result


@leaf
def _scale_flat(lengths, x, s, out):
    outer, rows, repeats, inner = lengths
    offset = 0
    for _ in range(outer):
        for r in range(rows):
            if inner == 1:
                factor = s[r]
                for i in range(offset, offset + repeats):
                    out[i] = x[i] * factor
                offset += repeats
                continue
            for _ in range(repeats):
                for i in range(inner):
                    out[offset + i] = x[offset + i] * s[r * inner + i]
                offset += inner


@leaf
def _sum_products(count, inner_size, x, y, out):
    for a in range(out.size // inner_size):
        for b in range(count):
            offset = (a * count + b) * inner_size
            for c in range(inner_size):
                out[a * inner_size + c] += x[offset + c] * y[offset + c]
