"""Rotation-equivariant linear maps of fragments, degree by degree.

    y_l = W_l x_l     on fragments and channels, with the same W_l for every order m

By Schur's lemma these are all linear maps that commute with rotations. There are five kinds:

* ``"free"`` mixes fragments and channels; ``"filter"`` too, with the weights of filters, fragments first;
* ``"uniform"`` mixes fragments, with the same weights in all channels;
* ``"channelwise"`` mixes fragments, with separate weights for each channel;
* ``"cross"`` mixes channels, with separate weights for each fragment.

Each map is a matrix product for each degree, and so are its derivatives.
"""

import itertools
import math
from collections import namedtuple
from functools import partial

import numpy as np
from autograd.extend import defjvp, defvjp, primitive

from spherekit._core import checks
from spherekit._core.blas import single_threaded
from spherekit._core.parallel import run
from spherekit.linear import like
from spherekit.nn.fragment_indexing import batch_first, rows_first
from spherekit.nn.types import Fragments
from spherekit.timing import timed

#: Number of products below which a second thread takes longer to start than it saves.
_MIN_THREADED_PRODUCTS = 2**20

KINDS = ("free", "filter", "uniform", "channelwise", "cross")

#: A linear map between two types of `Fragments`: the shape of the weights and the `Degree` of each degree,
#: and the total number of weights.
Plan = namedtuple("Plan", "kind in_type out_type shapes degrees size")

#: A degree l: its width 2l+1, the slice of its weights, and its rows and fragments in input and output.
Degree = namedtuple("Degree", "width weights rows_in tau_in rows_out tau_out")


def plan(kind, in_type, tau, channels):
    """The `Plan` of a map from the fragments ``in_type`` to ``tau`` fragments in ``channels`` channels.

    >>> plan("free", Fragments((2, 1), 3), (1, 1), 4).shapes
    ((1, 4, 6), (1, 4, 3))
    """
    shapes = []
    channels = checks.integer(channels, "channels", 1)
    for tau_in, tau_out in zip(in_type.tau, tau, strict=True):
        shapes.append(
            {
                "free": (1, tau_out * channels, tau_in * in_type.channels),
                "filter": (tau_out, tau_in, channels, in_type.channels),
                "uniform": (1, tau_out, tau_in),
                "channelwise": (channels, tau_out, tau_in),
                "cross": (tau_in, channels, in_type.channels),
            }[kind]
        )
    sizes = [math.prod(shape) for shape in shapes]
    ends = list(itertools.accumulate(sizes))
    out_type = Fragments(tau, channels, in_type.real)
    degrees = tuple(
        Degree(
            width=2 * ell + 1,
            weights=slice(ends[ell] - sizes[ell], ends[ell]),
            rows_in=in_type.rows(ell),
            tau_in=in_type.tau[ell],
            rows_out=out_type.rows(ell),
            tau_out=out_type.tau[ell],
        )
        for ell in range(in_type.L)
    )
    return Plan(kind, in_type, out_type, tuple(shapes), degrees, ends[-1])


@primitive
@partial(timed, "nn.apply_linear")
def apply_linear(a, b, plan, role, threads):
    """The map y = W x and its two adjoints (transposes, not conjugated), selected by ``role``.

    ``"y"`` computes y from (W, x), ``"x"`` the gradient of x from (W, g), ``"W"`` that of W from (x, g).
    ``W`` has the shape (plan.size,), degree by degree; ``x`` and ``y`` (batch, channels, rows), in memory
    rows first.
    """
    a, b = checks.as_float_array(a, "a"), checks.as_float_array(b, "b")
    batch = len(a if role == "W" else b)
    dtype = np.result_type(a, b)
    b = rows_first(b)
    if role == "W":
        a = rows_first(a)
        result = np.empty(plan.size, dtype)
    else:
        signals = plan.out_type if role == "y" else plan.in_type
        result = np.empty((signals.size, batch, signals.channels), dtype)
    counter = itertools.count()  # next() is atomic

    def work(_):
        while (ell := next(counter)) < plan.in_type.L:
            _apply_degree(plan, ell, role, a, b, result)

    products = batch * plan.size * (2 * plan.in_type.L - 1)  # at most
    with single_threaded():
        run(work, threads if products >= _MIN_THREADED_PRODUCTS else 1)
    return result if role == "W" else batch_first(result)


def _apply_degree(plan, ell, role, a, b, result):
    """The map or its adjoint for a single degree, on arrays (fragments, orders * batch, channels)."""
    width, weights, rows_in, tau_in, rows_out, tau_out = plan.degrees[ell]
    if not tau_in or not tau_out:
        if role != "W":
            result[rows_out if role == "y" else rows_in] = 0
        return
    if role == "W":
        g, x = _fragments(b, rows_out, tau_out, width), _fragments(a, rows_in, tau_in, width)
        result[weights] = _outer(plan.kind, g, x).reshape(-1)
        return
    shape = plan.shapes[ell]
    W = a[weights].reshape(shape)
    if plan.kind == "filter":
        W = W.swapaxes(1, 2).reshape(1, shape[0] * shape[2], shape[1] * shape[3])
    if role == "y":
        x, y = _fragments(b, rows_in, tau_in, width), _fragments(result, rows_out, tau_out, width)
    else:
        W = W.swapaxes(-1, -2)
        x, y = _fragments(b, rows_out, tau_out, width), _fragments(result, rows_in, tau_in, width)
    _multiply(plan.kind, W, x, y)


def _fragments(x, rows, tau, width):
    _, batch, channels = x.shape
    return x[rows].reshape(tau, width * batch, channels)


def _flat(x):
    """Flatten all axes but the first; any may be empty."""
    count, rows, columns = x.shape
    return x.reshape(count, rows * columns)


def _multiply(kind, W, x, y):
    """Compute y = W x in place."""
    if kind == "uniform":
        is_outer = len(x) == 1  # slow with BLAS
        multiply = np.multiply if is_outer else np.matmul
        multiply(W[0], _flat(x), out=_flat(y))
    elif kind == "cross":
        np.matmul(x, W.swapaxes(1, 2), out=y)
    elif kind == "channelwise":
        y[...] = 0
        for t, s in np.ndindex(*W.shape[1:]):
            y[t] += W[:, t, s] * x[s]
    elif len(x) == len(y) == 1:
        np.matmul(x[0], W[0].T, out=y[0])
    else:
        mixed = _flat(x.transpose(1, 0, 2)) @ W[0].T
        y[...] = mixed.reshape(x.shape[1], len(y), y.shape[2]).transpose(1, 0, 2)


def _outer(kind, g, x):
    """The sum of g x^T over all axes that W does not mix."""
    if kind == "uniform":
        return _flat(g) @ _flat(x).T
    if kind == "cross":
        return g.swapaxes(1, 2) @ x
    if kind == "channelwise":
        return np.einsum("trk,srk->kts", g, x)
    flat = [_flat(v.transpose(1, 0, 2)) for v in (g, x)]
    W = flat[0].T @ flat[1]
    if kind == "filter":
        W = W.reshape(len(g), g.shape[2], len(x), x.shape[2]).swapaxes(1, 2)
    return W


_ROLES = {"y": ("W", "x"), "x": ("W", "y"), "W": ("x", "y")}


def _gradient(argument):
    def rule(answer, a, b, plan, role, threads):
        names = _ROLES[role]
        target, factor = names[argument], names[1 - argument]

        def pullback(g):
            arrays = {role: g, factor: b if argument == 0 else a}
            result = apply_linear(*(arrays[name] for name in _ROLES[target]), plan, target, threads)
            return like(result, (a, b)[argument])

        return pullback

    return rule


defvjp(apply_linear, _gradient(0), _gradient(1), argnums=(0, 1))
defjvp(apply_linear, "same", "same", argnums=(0, 1))
