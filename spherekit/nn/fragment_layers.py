"""Layers of fragments: strictly equivariant, all in coefficients."""

import math

import autograd.numpy as anp
import numpy as np

from spherekit._core import checks
from spherekit.conventions import from_real, to_real
from spherekit.nn import clebsch_gordan_products, fragment_linear
from spherekit.nn.degree_mixing import mixing_set, normalize
from spherekit.nn.fragment_indexing import Places, scatter
from spherekit.nn.layer import Layer, cached_by_type
from spherekit.nn.scaled_reductions import take
from spherekit.nn.types import (
    SO3,
    Fragments,
    Sphere,
    expect_type,
    lower_band_limit,
    optional_size,
    set_fields,
)


class ToFragments(Layer):
    """Coefficients as fragments, exactly: Sphere or SO3 -> Fragments.

    Of a signal on the sphere the fragment of degree l is (f_lm), m = -l..l: one of each degree l >= |spin|.
    Of a signal on SO(3) the fragments of degree l are the columns (f_lmn) of the orders |n| <= min(l, N-1),
    by increasing n: min(2l+1, 2N-1) of each degree. Real signals become real fragments, coefficients of the
    real harmonics (`conventions.to_real`); on SO(3) the orders n and -n are first combined to the two real
    signals sqrt(1/2) (f_n + (-1)^n f_-n), at -n, and -i sqrt(1/2) (f_n - (-1)^n f_-n), at n. These maps are
    unitary.

    Notes
    -----
    Input: `Sphere`, ``(batch, channels, L*L)``, or `SO3`, ``(batch, channels, 2N-1, L*L)``. Output:
    `Fragments`, ``(batch, channels, size)``, real where the input is. Without parameters.

    The harmonic coefficients as the input of a Clebsch-Gordan network: Kondor, Lin and Trivedi 2018
    (arXiv:1806.09231), section 4.

    >>> from spherekit import nn
    >>> nn.Sequential(nn.Sphere(3, 4), nn.ToFragments()).out_type()
    Fragments((1, 1, 1), 4)
    >>> nn.Sequential(nn.SO3(3, 2, 4), nn.ToFragments()).out_type()
    Fragments((1, 3, 3), 4)
    """

    def out_type(self, in_type):
        expect_type(in_type, Sphere, SO3)
        if isinstance(in_type, Sphere):
            tau = [int(ell >= abs(in_type.spin)) for ell in range(in_type.L)]
        else:
            tau = [min(2 * ell + 1, 2 * in_type.N - 1) for ell in range(in_type.L)]
        return Fragments(tau, in_type.channels, in_type.real)

    @cached_by_type
    def _places(self, in_type):
        return Places(in_type.L, range(1 - in_type.N, in_type.N))

    def forward(self, params, x, context):
        in_type = context.in_type
        if isinstance(in_type, SO3):
            x = _real_orders(x, in_type.N) if in_type.real else x
            return scatter.adjoint(x, places=self._places(in_type))
        x = to_real(x) if in_type.real else x
        return take(x, (..., slice(in_type.spin**2, None))) if in_type.spin else x


def _real_orders(x, N):
    """The orders n and -n of a real signal on SO(3) as two signals that are real in m."""
    half, columns = math.sqrt(0.5), [to_real(_column(x, N - 1))]
    for n in range(1, N):
        a, b = _column(x, N - 1 + n), (-1) ** n * _column(x, N - 1 - n)
        columns = [to_real(half * (a + b)), *columns, to_real(-1j * half * (a - b))]
    return anp.stack(columns, axis=-2)


def _column(x, n):
    return take(x, (..., n, slice(None)))


class ToSphere(Layer):
    """Fragments as coefficients on the sphere, the inverse of `ToFragments` there: Fragments -> Sphere.

    Notes
    -----
    Input: `Fragments` with one fragment of each degree, ``(batch, channels, L*L)``. Output: `Sphere` of spin
    0, ``(batch, channels, L*L)``, of a real signal where the fragments are real. Without parameters; exact.

    >>> from spherekit import nn
    >>> nn.Sequential(nn.Sphere(3, 4), nn.ToFragments(), nn.Convolution(2), nn.ToSphere()).out_type()
    Sphere(3, 2)
    """

    def out_type(self, in_type):
        expect_type(in_type, Fragments)
        if set(in_type.tau) != {1}:
            raise ValueError(f"accepts one fragment of each degree; its input is {in_type}")
        return Sphere(in_type.L, in_type.channels, in_type.real)

    def forward(self, params, x, context):
        return from_real(x) if context.in_type.real else x


class TensorProduct(Layer):
    """Clebsch-Gordan products of the fragments of each channel with each other: Fragments -> Fragments.

    .. math:: y^l_m = \\sum_{m_1 m_2} C^{lm}_{l_1 m_1 l_2 m_2}\\, x^{l_1 t_1}_{m_1}\\, x^{l_2 t_2}_{m_2}

    for each degree l < L, each pair (l1, l2) of its degree-mixing set, and all fragments t1, t2 of these
    degrees, without products that repeat others: where l1 = l2 only t1 <= t2, and where also l is odd only
    t1 < t2, since the product of a fragment with itself vanishes there. The fragments of the output are
    numbered in this order. Of real signals the product is imaginary where l1 + l2 + l is odd, and is divided
    by i.

    Parameters
    ----------
    mixing : str or dict
        Degree-mixing set, as `degree_mixing.mixing_set`: ``"full"``, ``"mst"`` or ``"rmst"``, or a set of
        one's own ``{l: [(l1, l2), ...]}``, which the layer stores as a sorted tuple.
    L : int, optional
        Band-limit of the output, at most that of the input, which is the default.

    Notes
    -----
    Input: `Fragments`, ``(batch, channels, size)``. Output: `Fragments` of as many channels, with many more
    fragments, ``(batch, channels, size_out)``; a `Convolution` or `ConstrainedConvolution` reduces them.
    Without parameters. Strictly equivariant: nothing aliases.

    Kondor, Lin and Trivedi 2018 (arXiv:1806.09231), section 4; channel by channel, with degree-mixing sets:
    Cobb et al. 2021 (arXiv:2010.11661), section 3.

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Fragments((1, 1, 1), 4), nn.TensorProduct("full"))
    >>> net.out_type()
    Fragments((3, 2, 4), 4)
    >>> nn.TensorProduct({0: [(1, 1)], 1: [(1, 0)]})
    TensorProduct(mixing=((0, ((1, 1),)), (1, ((0, 1),))))
    """

    mixing: str | tuple = "full"
    L: int | None = None

    def __post_init__(self):
        set_fields(self, mixing=normalize(self.mixing), L=optional_size(self.L, "L"))

    def out_type(self, in_type):
        expect_type(in_type, Fragments)
        _, tau = self._form(in_type)
        return Fragments(tau, in_type.channels, in_type.real)

    @cached_by_type
    def _form(self, in_type):
        """(trilinear form, tau of the output)."""
        pairs_of, products = mixing_set(self.mixing, in_type.L), []
        for ell in range(lower_band_limit(self.L, in_type)):
            for l1, l2 in pairs_of[ell]:
                products += [
                    (l1, t1, l2, t2, ell)
                    for t1 in range(in_type.tau[l1])
                    for t2 in range(in_type.tau[l2])
                    if l1 < l2 or t1 < t2 or (t1 == t2 and ell % 2 == 0)
                ]
        if not products:
            raise ValueError(f"no pair of the mixing set has fragments in {in_type}")
        return clebsch_gordan_products.form(in_type, in_type, products, in_type.real)

    def forward(self, params, x, context):
        form, _ = self._form(context.in_type)
        return clebsch_gordan_products.contract(x, x, form, 2, context.threads)

    def multiplications(self, in_type):
        return 2 * self._form(in_type)[0].cost * in_type.channels


class Convolution(Layer):
    """The general linear equivariant layer, all fragments and channels of a degree: Fragments -> Fragments.

    .. math:: y_d^{l s} = \\sum_{c t} W^l_{ds,ct}\\, x_c^{l t}

    with a matrix W^l for each degree, the same for all orders m: by Schur's lemma all linear maps that
    commute with rotations.

    Parameters
    ----------
    channels : int
        Of the output.
    tau : int or sequence of int, optional
        Fragments of each degree of the output; one number for all degrees of which the input has fragments;
        by default 1.

    Notes
    -----
    Input: `Fragments`, ``(batch, channels_in, size_in)``. Output: `Fragments`, ``(batch, channels, size)``.
    Parameters: ``weights``, the matrices W^l of shape (tau_l * channels, tau_in_l * channels_in), fragments
    slower than channels, flat and degree by degree; real for real signals, complex for complex ones; of
    variance 1/(tau_in_l * channels_in) at the start, so that outputs vary as much as inputs. Strictly
    equivariant.

    Kondor, Lin and Trivedi 2018 (arXiv:1806.09231), section 4; Cobb et al. 2021 (arXiv:2010.11661),
    section 2.

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Fragments((2, 1), 3), nn.Convolution(4, tau=(1, 2)))
    >>> net.out_type(), net.init(0)[0][0]["weights"].shape
    (Fragments((1, 2), 4), (48,))
    """

    channels: int
    tau: int | tuple | None = None

    def __post_init__(self):
        _normalize_sizes(self)

    def out_type(self, in_type):
        expect_type(in_type, Fragments)
        return self._plan(in_type).out_type

    @cached_by_type
    def _plan(self, in_type):
        return fragment_linear.plan("free", in_type, _tau(self.tau, in_type), self.channels)

    def init(self, in_type, rng):
        return {"weights": _weights(self._plan(in_type), rng)}, {}

    def forward(self, params, x, context):
        plan = self._plan(context.in_type)
        return fragment_linear.blend(params["weights"], x, plan, "y", context.threads)

    def multiplications(self, in_type):
        return _multiplications(self._plan(in_type))


class ConstrainedConvolution(Layer):
    """The constrained convolution after a tensor product, in three steps: Fragments -> Fragments.

    .. math:: u_c^{ls} = \\sum_t A^l_{st}\\, x_c^{lt}, \\quad v_c^{ls} = \\sum_r B^l_{c,sr}\\, u_c^{lr},
        \\quad y_d^{ls} = \\sum_c C^l_{s,dc}\\, v_c^{ls}

    A reduces the fragments to ``tau`` of each degree, with the same weights in all channels; B mixes these in
    each channel; C mixes the channels of each fragment. Far fewer weights and multiplications than
    `Convolution`.

    Parameters
    ----------
    channels : int
        Of the output.
    tau : int or sequence of int, optional
        Fragments of each degree of the output; one number for all degrees of which the input has fragments;
        by default 1.

    Notes
    -----
    Input: `Fragments`, ``(batch, channels_in, size_in)``. Output: `Fragments`, ``(batch, channels, size)``.
    Parameters, each flat and degree by degree: ``uniform``, matrices A^l of shape (tau_l, tau_in_l);
    ``channelwise``, B^l of shape (channels_in, tau_l, tau_l); ``cross``, C^l of shape (tau_l, channels,
    channels_in). Real for real signals, complex for complex ones; their variance at the start is 1/(number of
    entries that are summed). Strictly equivariant.

    Cobb et al. 2021 (arXiv:2010.11661), section 3.

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Fragments((2, 5), 3), nn.ConstrainedConvolution(4))
    >>> params, _ = net.init(0)
    >>> net.out_type(), {name: len(weights) for name, weights in params[0].items()}
    (Fragments((1, 1), 4), {'uniform': 7, 'channelwise': 6, 'cross': 24})
    """

    channels: int
    tau: int | tuple | None = None

    def __post_init__(self):
        _normalize_sizes(self)

    def out_type(self, in_type):
        expect_type(in_type, Fragments)
        return self._plans(in_type)["cross"].out_type

    @cached_by_type
    def _plans(self, in_type):
        tau = _tau(self.tau, in_type)
        uniform = fragment_linear.plan("uniform", in_type, tau, in_type.channels)
        channelwise = fragment_linear.plan("channelwise", uniform.out_type, tau, in_type.channels)
        cross = fragment_linear.plan("cross", channelwise.out_type, tau, self.channels)
        return {"uniform": uniform, "channelwise": channelwise, "cross": cross}

    def init(self, in_type, rng):
        return {name: _weights(plan, rng) for name, plan in self._plans(in_type).items()}, {}

    def forward(self, params, x, context):
        for name, plan in self._plans(context.in_type).items():
            x = fragment_linear.blend(params[name], x, plan, "y", context.threads)
        return x

    def multiplications(self, in_type):
        return sum(map(_multiplications, self._plans(in_type).values()))


def _normalize_sizes(layer):
    """Channels and tau of a layer, checked."""
    set_fields(layer, channels=checks.integer(layer.channels, "channels", 1))
    if layer.tau is None:
        return
    if np.iterable(layer.tau) and not isinstance(layer.tau, str):
        tau = tuple(checks.integer(t, "tau", 0) for t in layer.tau)
    else:
        tau = checks.integer(layer.tau, "tau", 0)
    set_fields(layer, tau=tau)


def _tau(tau, in_type):
    """Fragments of each degree of the output; none where the input has none."""
    if not isinstance(tau, tuple):
        each = 1 if tau is None else tau
        return tuple(each if before else 0 for before in in_type.tau)
    if len(tau) != in_type.L:
        raise ValueError(f"tau has {len(tau)} degrees; its input has L = {in_type.L}")
    absent = [ell for ell in range(in_type.L) if tau[ell] and not in_type.tau[ell]]
    if absent:
        raise ValueError(
            f"tau asks for fragments of the degrees {absent}, of which its input has none: {in_type}"
        )
    return tau


def _weights(plan, rng):
    """Weights of variance 1/(number of entries that are summed): outputs vary as much as inputs."""
    matrices = []
    for shape in plan.shapes:
        scale = 1 / np.sqrt(max(shape[-1], 1))
        values = rng.standard_normal(shape)
        if not plan.in_type.real:
            values = (values + 1j * rng.standard_normal(shape)) / np.sqrt(2)
        matrices.append(scale * values.reshape(-1))
    return np.concatenate(matrices)


def _multiplications(plan):
    """Multiplications of one signal."""
    repeated = plan.in_type.channels if plan.kind == "uniform" else 1
    matrices = (math.prod(s) * (2 * ell + 1) for ell, s in enumerate(plan.shapes))
    return int(repeated * sum(matrices))
