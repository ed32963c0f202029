"""Layers of fragments: exactly equivariant, computed entirely in coefficients."""

import math

import autograd.numpy as anp
import numpy as np

from spherekit._core import checks
from spherekit.conventions import from_real, to_real
from spherekit.nn import clebsch_gordan_products, fragment_linear
from spherekit.nn.degree_mixing import mixing_set, normalize
from spherekit.nn.fragment_indexing import CoefficientIndices, scatter
from spherekit.nn.layer import Context, Layer, cached_by_type
from spherekit.nn.scaled_reductions import get_item
from spherekit.nn.types import (
    SO3,
    Fragments,
    SignalType,
    Sphere,
    expect_type,
    lower_band_limit,
    optional_size,
    set_fields,
)


class ToFragments(Layer):
    """Coefficients as fragments: Sphere or SO3 -> Fragments.

    For a signal on the sphere, the fragment of degree l is (f_lm), m = -l..l: one for each degree l >=
    |spin|. For a signal on SO(3), the fragments of degree l are the columns (f_lmn) of the orders |n| <=
    min(l, N-1), by increasing n: min(2l+1, 2N-1) for each degree. Real signals become real fragments,
    coefficients of the real harmonics (`conventions.to_real`); on SO(3), the orders n and -n are first
    combined to two real signals, sqrt(1/2) (f_n + (-1)^n f_-n) at -n, and
    -i sqrt(1/2) (f_n - (-1)^n f_-n) at n.

    Notes
    -----
    * Input: `Sphere`, complex array [shape=(batch, channels, L*L)], or `SO3`, [shape=(batch, channels, 2N-1,
      L*L)].
    * Output: `Fragments`, [shape=(batch, channels, size)], real if the input is.
    * Parameters and state: none.
    * Equivariance: exact; the map is unitary.

    Harmonic coefficients are the input of the Clebsch-Gordan networks of Kondor, Lin and Trivedi 2018
    (arXiv:1806.09231), section 4.

    Examples
    --------
    On the sphere there is a single fragment of each degree; on SO(3) up to 2N-1:

    >>> from spherekit import nn
    >>> nn.Sequential(nn.Sphere(3, 4), nn.ToFragments()).out_type()
    Fragments((1, 1, 1), 4)
    >>> nn.Sequential(nn.SO3(3, 2, 4), nn.ToFragments()).out_type()
    Fragments((1, 3, 3), 4)
    """

    def out_type(self, in_type: SignalType) -> Fragments:
        expect_type(in_type, Sphere, SO3)
        if isinstance(in_type, Sphere):
            tau = [int(ell >= abs(in_type.spin)) for ell in range(in_type.L)]
        else:
            tau = [min(2 * ell + 1, 2 * in_type.N - 1) for ell in range(in_type.L)]
        return Fragments(tau, in_type.channels, in_type.real)

    @cached_by_type
    def _indices(self, in_type):
        return CoefficientIndices(in_type.L, range(1 - in_type.N, in_type.N))

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        in_type = context.in_type
        if isinstance(in_type, SO3):
            x = _real_orders(x, in_type.N) if in_type.real else x
            return scatter.adjoint(x, indices=self._indices(in_type))
        x = to_real(x) if in_type.real else x
        return get_item(x, (..., slice(in_type.spin**2, None))) if in_type.spin else x


def _real_orders(x, N):
    """The orders n and -n of a real signal on SO(3), combined to two signals that are real in m."""
    half = math.sqrt(0.5)
    columns = [to_real(_column(x, N - 1))]
    for n in range(1, N):
        a, b = _column(x, N - 1 + n), (-1) ** n * _column(x, N - 1 - n)
        columns = [to_real(half * (a + b)), *columns, to_real(-1j * half * (a - b))]
    return anp.stack(columns, axis=-2)


def _column(x, n):
    return get_item(x, (..., n, slice(None)))


class ToSphere(Layer):
    """Fragments as coefficients on the sphere: Fragments -> Sphere.

    It is the inverse of `ToFragments` for signals of spin 0 on the sphere.

    Notes
    -----
    * Input: `Fragments` with one fragment of each degree, [shape=(batch, channels, L*L)].
    * Output: `Sphere` of spin 0, complex array [shape=(batch, channels, L*L)]; real if the fragments are.
    * Parameters and state: none.
    * Equivariance: exact; the map is unitary.

    Examples
    --------
    Signals to fragments and back, with a linear layer in between:

    >>> from spherekit import nn
    >>> nn.Sequential(nn.Sphere(3, 4), nn.ToFragments(), nn.Convolution(2), nn.ToSphere()).out_type()
    Sphere(3, 2)
    """

    def out_type(self, in_type: SignalType) -> Sphere:
        expect_type(in_type, Fragments)
        if set(in_type.tau) != {1}:
            raise ValueError(f"accepts exactly one fragment of each degree; its input is {in_type}")
        return Sphere(in_type.L, in_type.channels, in_type.real)

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        return from_real(x) if context.in_type.real else x


class TensorProduct(Layer):
    r"""Clebsch-Gordan products of the fragments of each channel: Fragments -> Fragments.

    .. math:: y^l_m = \sum_{m_1 m_2} C^{lm}_{l_1 m_1 l_2 m_2}\, x^{l_1 t_1}_{m_1}\, x^{l_2 t_2}_{m_2}

    for each degree l < L, each pair (l1, l2) of its degree-mixing set, and all fragments t1, t2 of these
    degrees. Redundant products are omitted: if l1 = l2, only t1 <= t2 are computed, and if moreover l is odd,
    only t1 < t2, since then the product of a fragment with itself vanishes. Fragments of the output are in
    this order. For real signals, the product is imaginary if l1 + l2 + l is odd, and is divided by i.

    Parameters
    ----------
    mixing : str or dict
        Degree-mixing set (`degree_mixing.mixing_set`): ``"full"``, ``"mst"`` or ``"rmst"``, or a user-defined
        set ``{l: [(l1, l2), ...]}``, which the layer stores as a sorted tuple.
    L : int, optional
        Band-limit of the output, at most that of the input, which is the default.

    Notes
    -----
    * Input: `Fragments`, [shape=(batch, channels, size)].
    * Output: `Fragments`, [shape=(batch, channels, size_out)], with the same channels and many more
      fragments; a `Convolution` or `ConstrainedConvolution` reduces them.
    * Parameters and state: none.
    * Equivariance: exact; there are no aliases.

    Kondor, Lin and Trivedi 2018 (arXiv:1806.09231), section 4; for each channel separately and with
    degree-mixing sets: Cobb et al. 2021 (arXiv:2010.11661), section 3.

    Examples
    --------
    Products of fragments of the degrees 0 to 2, and a user-defined set:

    >>> from spherekit import nn
    >>> nn.Sequential(nn.Fragments((1, 1, 1), 4), nn.TensorProduct("full")).out_type()
    Fragments((3, 2, 4), 4)
    >>> nn.TensorProduct({0: [(1, 1)], 1: [(1, 0)]})
    TensorProduct(mixing=((0, ((1, 1),)), (1, ((0, 1),))))
    """

    mixing: str | tuple = "full"
    L: int | None = None

    def __post_init__(self):
        set_fields(self, mixing=normalize(self.mixing), L=optional_size(self.L, "L"))

    def out_type(self, in_type: SignalType) -> Fragments:
        expect_type(in_type, Fragments)
        _, tau = self._form(in_type)
        return Fragments(tau, in_type.channels, in_type.real)

    @cached_by_type
    def _form(self, in_type):
        """Trilinear form, and tau of the output."""
        pairs_of = mixing_set(self.mixing, in_type.L)
        products = []
        for ell in range(lower_band_limit(self.L, in_type)):
            for l1, l2 in pairs_of[ell]:
                products += [
                    (l1, t1, l2, t2, ell)
                    for t1 in range(in_type.tau[l1])
                    for t2 in range(in_type.tau[l2])
                    if l1 < l2 or t1 < t2 or (t1 == t2 and ell % 2 == 0)
                ]
        if not products:
            raise ValueError(
                f"accepts fragments whose degrees form at least one pair of its products; its input is "
                f"{in_type}"
            )
        return clebsch_gordan_products.form(in_type, in_type, products, in_type.real)

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        form, _ = self._form(context.in_type)
        return clebsch_gordan_products.contract(x, x, form, 2, context.threads)

    def multiplications(self, in_type: SignalType) -> int:
        return 2 * self._form(in_type)[0].cost * in_type.channels


class Convolution(Layer):
    r"""General linear equivariant layer on all fragments and channels of a degree: Fragments -> Fragments.

    .. math:: y_d^{l s} = \sum_{c t} W^l_{ds,ct}\, x_c^{l t}

    with a matrix W^l for each degree, the same for all orders m. By Schur's lemma these are all linear maps
    that commute with rotations.

    Parameters
    ----------
    channels : int
        Channels of the output.
    tau : int or sequence of int, optional
        Number of fragments of each degree of the output; an int applies to all degrees of which the input has
        fragments; 1 by default.

    Notes
    -----
    * Input: `Fragments`, [shape=(batch, channels_in, size_in)].
    * Output: `Fragments`, [shape=(batch, channels, size)], real if the input is.
    * Parameters: ``weights`` [shape=(n,)], the matrices W^l of shape (tau_l*channels, tau_in_l*channels_in),
      where fragments vary slower than channels, flattened, degree by degree. They are real for real signals,
      complex for complex ones, and have the initial variance 1/(tau_in_l*channels_in), so that the variance
      of the output is that of the input. State: none.
    * Equivariance: exact.

    Kondor, Lin and Trivedi 2018 (arXiv:1806.09231), section 4; Cobb et al. 2021 (arXiv:2010.11661),
    section 2.

    Examples
    --------
    Two matrices, of shapes (4, 6) and (8, 3):

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Fragments((2, 1), 3), nn.Convolution(4, tau=(1, 2)))
    >>> params, state = net.init(0)
    >>> net.out_type(), params[0]["weights"].shape
    (Fragments((1, 2), 4), (48,))
    """

    channels: int
    tau: int | tuple[int, ...] | None = None

    def __post_init__(self):
        _normalize_sizes(self)

    def out_type(self, in_type: SignalType) -> Fragments:
        expect_type(in_type, Fragments)
        return self._plan(in_type).out_type

    @cached_by_type
    def _plan(self, in_type):
        return fragment_linear.plan("free", in_type, _tau(self.tau, in_type), self.channels)

    def init(self, in_type: SignalType, rng: np.random.Generator) -> tuple[dict, dict]:
        return {"weights": _weights(self._plan(in_type), rng)}, {}

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        plan = self._plan(context.in_type)
        return fragment_linear.apply_linear(params["weights"], x, plan, "y", context.threads)

    def multiplications(self, in_type: SignalType) -> int:
        return _multiplications(self._plan(in_type))


class ConstrainedConvolution(Layer):
    r"""Constrained convolution in three steps, for use after a tensor product: Fragments -> Fragments.

    .. math:: u_c^{ls} = \sum_t A^l_{st}\, x_c^{lt}, \quad v_c^{ls} = \sum_r B^l_{c,sr}\, u_c^{lr},
        \quad y_d^{ls} = \sum_c C^l_{s,dc}\, v_c^{ls}

    A reduces the fragments to ``tau`` for each degree, with the same weights in all channels; B mixes the
    fragments of each channel; C mixes the channels of each fragment. It has far fewer weights and
    multiplications than `Convolution`.

    Parameters
    ----------
    channels : int
        Channels of the output.
    tau : int or sequence of int, optional
        Number of fragments of each degree of the output; an int applies to all degrees of which the input has
        fragments; 1 by default.

    Notes
    -----
    * Input: `Fragments`, [shape=(batch, channels_in, size_in)].
    * Output: `Fragments`, [shape=(batch, channels, size)], real if the input is.
    * Parameters, each flattened, degree by degree: ``uniform``, matrices A^l of shape (tau_l, tau_in_l);
      ``channelwise``, B^l of shape (channels_in, tau_l, tau_l); ``cross``, C^l of shape (tau_l, channels,
      channels_in). They are real for real signals, complex for complex ones, with the initial variance
      1/(number of terms of the sum). State: none.
    * Equivariance: exact.

    Cobb et al. 2021 (arXiv:2010.11661), section 3.

    Examples
    --------
    The number of parameters of each step:

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Fragments((2, 5), 3), nn.ConstrainedConvolution(4))
    >>> params, state = net.init(0)
    >>> net.out_type(), {name: len(weights) for name, weights in params[0].items()}
    (Fragments((1, 1), 4), {'uniform': 7, 'channelwise': 6, 'cross': 24})
    """

    channels: int
    tau: int | tuple[int, ...] | None = None

    def __post_init__(self):
        _normalize_sizes(self)

    def out_type(self, in_type: SignalType) -> Fragments:
        expect_type(in_type, Fragments)
        return self._plans(in_type)["cross"].out_type

    @cached_by_type
    def _plans(self, in_type):
        tau = _tau(self.tau, in_type)
        uniform = fragment_linear.plan("uniform", in_type, tau, in_type.channels)
        channelwise = fragment_linear.plan("channelwise", uniform.out_type, tau, in_type.channels)
        cross = fragment_linear.plan("cross", channelwise.out_type, tau, self.channels)
        return {"uniform": uniform, "channelwise": channelwise, "cross": cross}

    def init(self, in_type: SignalType, rng: np.random.Generator) -> tuple[dict, dict]:
        return {name: _weights(plan, rng) for name, plan in self._plans(in_type).items()}, {}

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        for name, plan in self._plans(context.in_type).items():
            x = fragment_linear.apply_linear(params[name], x, plan, "y", context.threads)
        return x

    def multiplications(self, in_type: SignalType) -> int:
        return sum(map(_multiplications, self._plans(in_type).values()))


def _normalize_sizes(layer):
    """Validate ``channels`` and ``tau`` of a layer."""
    set_fields(layer, channels=checks.integer(layer.channels, "channels", 1))
    if layer.tau is None:
        return
    if np.iterable(layer.tau) and not isinstance(layer.tau, str):
        tau = tuple(checks.integer(t, "tau", 0) for t in layer.tau)
    else:
        tau = checks.integer(layer.tau, "tau", 0)
    set_fields(layer, tau=tau)


def _tau(tau, in_type):
    """Number of fragments of each degree of the output; 0 where the input has none."""
    if not isinstance(tau, tuple):
        count = 1 if tau is None else tau
        return tuple(count if tau_in else 0 for tau_in in in_type.tau)
    if len(tau) != in_type.L:
        raise ValueError(
            f"tau has {len(tau)} entries; expected one for each of the {in_type.L} degrees of its input"
        )
    absent = [ell for ell in range(in_type.L) if tau[ell] and not in_type.tau[ell]]
    if absent:
        raise ValueError(
            f"tau has fragments of the degrees {absent}, of which its input {in_type} has none; set these "
            "entries to 0"
        )
    return tau


def _weights(plan, rng):
    """Weights of variance 1/(number of terms of a sum), which preserves the variance of signals."""
    matrices = []
    for shape in plan.shapes:
        scale = 1 / np.sqrt(max(shape[-1], 1))
        values = rng.standard_normal(shape)
        if not plan.in_type.real:
            values = (values + 1j * rng.standard_normal(shape)) / np.sqrt(2)
        matrices.append(scale * values.reshape(-1))
    return np.concatenate(matrices)


def _multiplications(plan):
    """Number of multiplications for a single signal."""
    repeats = plan.in_type.channels if plan.kind == "uniform" else 1
    matrices = (math.prod(s) * (2 * ell + 1) for ell, s in enumerate(plan.shapes))
    return int(repeats * sum(matrices))
