"""From signals to invariant numbers, and what is made of numbers."""

import autograd.numpy as anp
import numpy as np

from spherekit._core import checks
from spherekit._core.modulus import modulus
from spherekit.conventions import to_real
from spherekit.nn import clebsch_gordan_products
from spherekit.nn.activations import leaky
from spherekit.nn.fragment_indexing import sum_orders, widths
from spherekit.nn.layer import Layer
from spherekit.nn.scaled_reductions import take
from spherekit.nn.types import SO3, Features, Fragments, Sphere, as_tuple, expect_type


def invariants():
    """The fragments of degree 0: a feature each; of complex signals real and imaginary part."""

    def bind(takes):
        expect(takes, Generalized, Sphere, Group)
        if isinstance(takes, Generalized):
            if not takes.tau[0]:
                raise ValueError(f"no fragment of degree 0 comes: {takes}")

            def read(x):
                return anp.reshape(
                    anp.moveaxis(take(x, (slice(takes.tau[0]),)), 0, -1), (x.shape[1], count)
                )

            count = takes.tau[0] * takes.channels
        else:

            def read(x):
                return take(x, (..., 0) if isinstance(takes, Sphere) else (..., takes.N - 1, 0))

            count = takes.channels
        if takes.real:
            return named("invariants", takes, Features(count), lambda x, mode: anp.real(read(x)))

        def both(x, mode):
            values = read(x)
            return anp.concatenate([anp.real(values), anp.imag(values)], axis=-1)

        return named("invariants", takes, Features(2 * count), both)

    return bind


class Dense(Layer):
    """The dense layer y = x W + b: Features -> Features.

    Parameters
    ----------
    features : int
        Of the output.

    Notes
    -----
    Input: `Features`, ``(batch, features_in)``. Output: `Features`, ``(batch, features)``. Parameters:
    ``weights [shape=(features_in, features)]``, of variance 1/features_in at the start; ``bias
    [shape=(features,)]``, 0 at the start.

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Features(3), nn.Dense(2))
    >>> params, _ = net.init(0)
    >>> params[0]["weights"].shape, net(params, [[1.0, 0.0, 2.0]]).shape
    ((3, 2), (1, 2))
    """

    features: int

    def out_type(self, in_type):
        expect_type(in_type, Features)
        return Features(self.features)

    def init(self, in_type, rng):
        weights = rng.standard_normal((in_type.features, self.features))
        return {"weights": weights / np.sqrt(in_type.features), "bias": np.zeros(self.features)}, {}

    def forward(self, params, x, context):
        return anp.dot(x, params["weights"]) + params["bias"]

    def multiplications(self, in_type):
        return in_type.features * self.features


def relu():
    """max(x, 0) of features."""

    def bind(takes):
        expect(takes, Features)
        return named("relu", takes, takes, lambda x, mode: leaky(x))

    return bind


def power():
    """Power of each degree, sum_m |f_lm|^2, by channel or fragment; blind to how degrees lie together.

    In the precision of the signals, as all layers: squares of float32 below 1e-19 or above 1e19 are lost.
    """

    def bind(takes):
        expect(takes, Generalized, Sphere)
        if isinstance(takes, Sphere):
            every = widths(range(takes.L))

            def apply(x, mode):
                square = anp.moveaxis(modulus(x) ** 2, -1, 0)
                found = sum_orders.forward(square, widths=every)
                return anp.reshape(anp.moveaxis(found, 0, -1), gives.shape(len(x)))

            gives = Features(takes.L * takes.channels)
            return named("power", takes, gives, apply)
        rows = widths(np.repeat(np.arange(takes.L), takes.tau))
        gives = Features(sum(takes.tau) * takes.channels)

        def apply_fragments(x, mode):
            found = sum_orders.forward(modulus(x) ** 2, widths=rows)
            return anp.reshape(anp.moveaxis(found, 0, -1), gives.shape(x.shape[1]))

        return named("power", takes, gives, apply_fragments)

    return bind


def bispectrum(kind="full"):
    """b(l1, l2, l) = sum C f_l1 f_l2 conj(f_l), by channel, of real signals: invariant, and it sees shape.

    ``"full"``: l1 <= l2 <= l, O(L^3) numbers. ``"selective"``: of each degree l at most 2l+2 of them, those
    of the lowest l1, O(L^2) in all: once the lower degrees are known, they bind the 2l+1 numbers of degree l
    as many times (the idea of Mathe et al. 2026, arXiv:2605.07270; the choice of pairs is ours). Those that
    vanish identically are left out.
    """
    if kind not in ("full", "selective"):
        raise ValueError(f"kind is {kind!r}; known are full, selective")

    def bind(takes):
        expect(takes, Sphere)
        if not takes.real:
            raise ValueError(f"takes real signals; what comes is {takes}")
        L, signal = takes.L, Generalized((1,) * takes.L, takes.channels)
        products = []
        for ell in range(L):
            some = [
                (l1, 0, l2, 0, ell)
                for l1 in range(ell + 1)
                for l2 in range(l1, ell + 1)
                if l2 - l1 <= ell <= l1 + l2 and not (_odd(l1, l2, ell) and _twice(l1, l2, ell))
            ]
            products += some if kind == "full" else some[: 2 * ell + 2]
        form, tau = clebsch_gordan_products.form(signal, signal, products, True)
        degree = np.repeat(np.arange(len(tau)), tau)
        blocks = [ell * ell + np.tile(np.arange(2 * ell + 1), t) for ell, t in enumerate(tau)]
        rows = np.concatenate(blocks)

        def apply(x, mode):
            f = anp.moveaxis(to_real(x), -1, 0)
            y = clebsch_gordan_products.contract(f, f, form, 2, mode.threads) * f[rows]
            found = sum_orders.forward(y, widths=widths(degree))
            return anp.reshape(anp.moveaxis(found, 0, -1), gives.shape(len(x)))

        gives = Features(len(degree) * takes.channels)
        return named("bispectrum", takes, gives, apply, cost=2 * form.cost * takes.channels)

    return bind


def _odd(l1, l2, ell):
    return (l1 + l2 + ell) % 2


def _twice(l1, l2, ell):
    """Two equal degrees: with an odd sum the triple product is antisymmetric in them, and zero."""
    return l1 == l2 or l2 == ell or l1 == ell


def set_sum(size):
    """Sets of ``size`` signals, side by side in the batch: their features summed."""
    size = checks.whole_number(size, "size", 1)

    def bind(takes):
        expect(takes, Features)

        def apply(x, mode):
            if len(x) % size:
                raise ValueError(f"a batch of {len(x)} is no number of sets of {size}")
            return anp.sum(anp.reshape(x, (len(x) // size, size, takes.features)), axis=1)

        return named("set_sum", takes, takes, apply)

    return bind


def deep_sets(size, inner, outer):
    """psi(sum phi(x)) over the ``size`` members of each set, whatever their order (Zaheer et al. 2017).

    Parameters
    ----------
    size : int
        Signals of a set, side by side in the batch.
    inner, outer : sequence of int
        Widths of the dense layers of phi, a relu after each, and of psi, none after the last.

    >>> from spherekit import nn
    >>> nn.Net(nn.Features(5), nn.deep_sets(3, (8, 8), (8, 2))).gives
    Features(features=2)
    """
    inner, outer = sequence(inner, "inner"), sequence(outer, "outer")
    if not outer:
        raise ValueError("outer is empty; expected the width of one layer at least, the result's")
    before = [part for width in inner for part in (dense(width), relu())]
    after = [part for width in outer[:-1] for part in (dense(width), relu())]
    return chain(*before, set_sum(size), *after, dense(outer[-1]))
