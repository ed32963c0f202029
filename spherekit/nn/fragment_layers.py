"""Layers of generalized signals: strictly equivariant, all in coefficients."""

import math

import autograd.numpy as anp
import numpy as np

from spherekit._core import checks
from spherekit.conventions import from_real, to_real
from spherekit.nn import clebsch_gordan_products, fragment_linear
from spherekit.nn.degree_mixing import mixing_set
from spherekit.nn.fragment_indexing import Places, scatter
from spherekit.nn.network import Layer, expect, named
from spherekit.nn.scaled_reductions import take
from spherekit.nn.types import Generalized, Group, Sphere


def fragments():
    """Sphere or Group -> Generalized: one fragment of each degree, or one for each order n."""

    def bind(takes):
        expect(takes, Sphere, Group)
        if isinstance(takes, Sphere):
            tau = [int(ell >= abs(takes.spin)) for ell in range(takes.L)]
            read = to_real if takes.real else (lambda x: x)
            skip = takes.spin**2

            def apply(x, mode):
                return anp.moveaxis(take(read(x), (..., slice(skip, None))), -1, 0)

        else:
            N = takes.N
            tau = [min(2 * ell + 1, 2 * N - 1) for ell in range(takes.L)]
            places = Places(takes.L, range(1 - N, N))

            def apply(x, mode):
                return scatter.adjoint(_real_orders(x, N) if takes.real else x, places=places)

        return named("fragments", takes, Generalized(tau, takes.channels, takes.real), apply)

    return bind


def _real_orders(x, N):
    """The orders n and -n of a real signal on SO(3) as two signals that are real in m."""
    half, columns = math.sqrt(0.5), [to_real(_column(x, N - 1))]
    for n in range(1, N):
        a, b = _column(x, N - 1 + n), (-1) ** n * _column(x, N - 1 - n)
        columns = [to_real(half * (a + b)), *columns, to_real(-1j * half * (a - b))]
    return anp.stack(columns, axis=-2)


def _column(x, n):
    return take(x, (..., n, slice(None)))


def signals():
    """Generalized with one fragment of each degree -> Sphere."""

    def bind(takes):
        expect(takes, Generalized)
        if set(takes.tau) != {1}:
            raise ValueError(f"takes one fragment of each degree; what comes is {takes}")
        write = from_real if takes.real else (lambda x: x)

        def apply(x, mode):
            return write(anp.moveaxis(x, 0, -1))

        return named("signals", takes, Sphere(takes.L, takes.channels, takes.real), apply)

    return bind


def tensor_product(mixing="full", *, L=None):
    """Clebsch-Gordan products of the fragments of each channel with each other, on a degree-mixing set.

    For each degree l < L the products (f^l1_t1 x f^l2_t2)^l of its pairs (l1, l2), of all fragments t1, t2
    but those that repeat others: of l1 = l2, t1 <= t2, and t1 < t2 where l is odd, which vanish otherwise.
    Of real signals, where l1 + l2 + l is odd the product would be imaginary, and is taken over i. (Kondor
    et al. 2018, arXiv:1806.09231; channel by channel Cobb et al. 2021, arXiv:2010.11661.)

    Parameters
    ----------
    mixing : str or dict
        As `spherekit.nn.degree_mixing.mixing_set`: ``"full"``, ``"mst"``, ``"rmst"``, or a set.
    L : int, optional
        Band-limit of the result; that of the signals unless said.
    """

    def bind(takes):
        expect(takes, Generalized)
        most = takes.L if L is None else checks.whole_number(L, "L", 1)
        pairs, products = mixing_set(mixing, takes.L), []
        for ell in range(most):
            for l1, l2 in pairs.get(ell, ()):
                products += [
                    (l1, t1, l2, t2, ell)
                    for t1 in range(takes.tau[l1])
                    for t2 in range(takes.tau[l2])
                    if l1 < l2 or t1 < t2 or (t1 == t2 and ell % 2 == 0)
                ]
        if not products:
            raise ValueError(f"no pair of the mixing set has fragments in {takes}")
        form, tau = clebsch_gordan_products.form(takes, takes, products, takes.real)
        gives = Generalized(tau, takes.channels, takes.real)

        def apply(x, mode):
            return clebsch_gordan_products.contract(x, x, form, 2, mode.threads)

        return named("tensor_product", takes, gives, apply, cost=2 * form.cost * takes.channels)

    return bind


def convolution(channels, tau=None):
    """The general linear layer: every fragment of a degree from all of that degree in all channels.

    Real signals take real weights; complex ones make a signal complex.

    Parameters
    ----------
    channels : int
    tau : int or sequence of int, optional
        Fragments of each degree of the result; one number for all degrees that come; 1 unless said.
    """

    def bind(takes):
        expect(takes, Generalized)
        plan = fragment_linear.plan("free", takes, _tau(tau, takes), channels)

        def init(rng):
            return {"weights": _weights(plan, rng)}

        def apply(params, x, mode):
            return fragment_linear.blend(params["weights"], x, plan, "y", mode.threads)

        return Layer("convolution", takes, plan.gives, init, apply, _cost(plan))

    return bind


def constrained(channels, tau=None):
    """The constrained convolution after a tensor product: three steps instead of the full map.

    ``uniform``: fragments to ``tau`` of each degree, alike in all channels; ``channelwise``: these among
    each other, by channel; ``cross``: channels, by fragment (Cobb et al. 2021, section 3). Arguments as
    `convolution`.
    """

    def bind(takes):
        expect(takes, Generalized)
        some = _tau(tau, takes)
        first = fragment_linear.plan("uniform", takes, some, takes.channels)
        second = fragment_linear.plan("channelwise", first.gives, some, takes.channels)
        third = fragment_linear.plan("cross", second.gives, some, channels)
        plans = dict(uniform=first, channelwise=second, cross=third)

        def init(rng):
            return {name: _weights(plan, rng) for name, plan in plans.items()}

        def apply(params, x, mode):
            for name, plan in plans.items():
                x = fragment_linear.blend(params[name], x, plan, "y", mode.threads)
            return x

        cost = sum(map(_cost, plans.values()))
        return Layer("constrained", takes, third.gives, init, apply, cost)

    return bind


def _tau(tau, takes):
    """Fragments of each degree; none where none come."""
    each = tau if np.iterable(tau) and not isinstance(tau, str) else (1 if tau is None else tau,)
    each = tuple(checks.whole_number(t, "tau", 0) for t in each)
    some = each if np.iterable(tau) else each * takes.L
    if len(some) != takes.L:
        raise ValueError(f"tau has {len(some)} degrees; the signal that comes has L = {takes.L}")
    lost = [ell for ell in range(takes.L) if some[ell] and not takes.tau[ell]]
    if lost and np.iterable(tau):
        raise ValueError(
            f"tau asks for fragments of the degrees {lost}, of which none come: {takes}"
        )
    return tuple(t if before else 0 for t, before in zip(some, takes.tau, strict=True))


def _weights(plan, rng):
    """Of variance 1/(numbers that are mixed): outputs vary as much as inputs."""
    parts = []
    for shape in plan.shapes:
        scale = 1 / np.sqrt(max(shape[-1], 1))
        values = rng.standard_normal(shape)
        if not plan.takes.real:
            values = (values + 1j * rng.standard_normal(shape)) / np.sqrt(2)
        parts.append(scale * values.reshape(-1))
    return np.concatenate(parts)


def _cost(plan):
    """Multiplications of one signal."""
    alike = plan.takes.channels if plan.kind == "uniform" else 1
    return int(alike * sum(math.prod(s) * (2 * ell + 1) for ell, s in enumerate(plan.shapes)))
