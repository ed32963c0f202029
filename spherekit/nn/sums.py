"""Sums over the orders of a fragment and the batch, and factors for each fragment: two contractions.

    F(a, b, w) = sum_fc w_fc sum_{m, n} a_fmnc b_fmnc     fragment f, order m, signal n, channel c

``pair`` is its derivative by w, ``spread`` that by b; each is the other's gradient, to any order. Nothing is
conjugated. Rows of fragments lie one after the other, ``widths`` (2l+1) of them each.
"""

from functools import partial

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive

from spherekit import _check
from spherekit._clock import timed
from spherekit._jit import jit
from spherekit._threads import run
from spherekit.kernels.items import next_item


@primitive
@partial(timed, "nn.sums")
def pair(a, b, widths, threads):
    """w_fc = sum_mn a_fmnc b_fmnc, (fragments, channels), from two arrays (rows, batch, channels).

    Summed in double precision.

    >>> x = np.arange(8.0).reshape(4, 2, 1)
    >>> pair(x, x, (1, 3), 1).tolist()
    [[1.0], [139.0]]
    """
    a, b = _check.numbers(a, "a"), _check.numbers(b, "b")
    result = np.empty((len(widths), a.shape[2]), np.result_type(a, b))
    flat = [np.ascontiguousarray(x).reshape(-1, x.shape[2]) for x in (a, b)]
    sums = np.zeros(result.shape, np.result_type(result, np.float64))
    starts = np.cumsum((0, *widths)) * a.shape[1]
    counter = np.zeros(1, np.int64)
    run(lambda _: _pair(counter, starts, *flat, sums), threads)
    result[...] = sums
    return result


@primitive
@partial(timed, "nn.sums")
def spread(a, w, widths, threads):
    """y_fmnc = w_fc a_fmnc."""
    a, w = _check.numbers(a, "a"), _check.numbers(w, "w")
    result = np.empty(a.shape, np.result_type(a, w))
    flat = np.ascontiguousarray(a).reshape(-1, a.shape[2])
    starts = np.cumsum((0, *widths)) * a.shape[1]
    counter, factors = np.zeros(1, np.int64), np.ascontiguousarray(w, result.dtype)
    run(lambda _: _spread(counter, starts, flat, factors, result.reshape(flat.shape)), threads)
    return result


def squares(x, widths, threads):
    """sum_mn |x_fmnc|^2; of x as it is."""
    if anp.iscomplexobj(x):
        return anp.real(pair(x, anp.conj(x), widths, threads))
    return _squares(x, widths, threads)


@primitive
def _squares(x, widths, threads):
    return pair(x, x, widths, threads)


def _like(result, argument):
    """A real argument has a real gradient."""
    real = not anp.iscomplexobj(argument) and anp.iscomplexobj(result)
    return anp.real(result) if real else result


defvjp(_squares, lambda _, x, *how: lambda g: spread(x, 2 * g, *how), argnums=(0,))
defjvp(_squares, lambda t, _, x, *how: 2 * pair(x, t, *how), argnums=(0,))
defvjp(
    pair,
    lambda _, a, b, *how: lambda g: _like(spread(b, g, *how), a),
    lambda _, a, b, *how: lambda g: _like(spread(a, g, *how), b),
    argnums=(0, 1),
)
defvjp(
    spread,
    lambda _, a, w, *how: lambda g: _like(spread(g, w, *how), a),
    lambda _, a, w, *how: lambda g: _like(pair(a, g, *how), w),
    argnums=(0, 1),
)
defjvp(pair, "same", "same", argnums=(0, 1))
defjvp(spread, "same", "same", argnums=(0, 1))


# --- kernels -----------------------------------------------------------------------------------------


@jit
def _pair(counter, starts, a, b, sums):
    while True:
        f = next_item(counter)
        if f >= len(starts) - 1:
            return
        own = sums[f]
        for i in range(starts[f], starts[f + 1]):
            for c in range(a.shape[1]):
                own[c] += a[i, c] * b[i, c]


@jit
def _spread(counter, starts, a, w, y):
    while True:
        f = next_item(counter)
        if f >= len(starts) - 1:
            return
        for i in range(starts[f], starts[f + 1]):
            for c in range(a.shape[1]):
                y[i, c] = w[f, c] * a[i, c]
