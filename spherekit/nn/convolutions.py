"""Linear layers of signals on the sphere and on SO(3): convolutions with trained filters.

Each is a linear map of fragments, degree by degree (`fragment_linear`): zonal filters mix channels,
directional filters map the orders k of the input to the orders n of the output, and those of spin fields map
spins to spins.
"""

import math
from collections import namedtuple

import autograd.numpy as anp
import numpy as np

from spherekit._core import checks
from spherekit.conventions import from_real, to_real
from spherekit.nn import filter_bases, fragment_linear
from spherekit.nn.fragment_indexing import CoefficientIndices, scatter
from spherekit.nn.layer import Context, Layer, cached_by_type
from spherekit.nn.scaled_reductions import get_item
from spherekit.nn.types import (
    SO3,
    Fragments,
    SignalType,
    Sphere,
    SpinFields,
    as_tuple,
    expect_spin_0,
    expect_type,
    lower_band_limit,
    optional_size,
    set_fields,
)


class Zonal(Layer):
    r"""Convolution with trained zonal filters: Sphere -> Sphere.

    .. math:: y_{d,lm} = \sum_c k_{dc,l}\, x_{c,lm}

    This is the convolution with zonal filters h of coefficients h_l0 = sqrt((2l+1)/4 pi) k_l. The k are
    linear interpolations of their values at ``anchors`` degrees, the localized spectra of Esteves et al. 2018
    (arXiv:1711.06721).

    Parameters
    ----------
    channels : int
        Channels of the output.
    anchors : int, optional
        Number of degrees at which the filters are trained; all degrees by default.
    L : int, optional
        Band-limit of the output, at most that of the input, which is the default; a smaller L is spectral
        pooling.

    Notes
    -----
    * Input: `Sphere` of any spin, complex array [shape=(batch, channels_in, L_in*L_in)].
    * Output: `Sphere` of the same spin, [shape=(batch, channels, L*L)].
    * Parameters: ``weights`` [shape=(anchors, channels*channels_in)], real. State: none.
    * Equivariance: exact.

    Examples
    --------
    Three trained values for each of the ten filters from two to five channels:

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Sphere(8, 2), nn.Zonal(5, anchors=3, L=4))
    >>> params, state = net.init(0)
    >>> net.out_type(), params[0]["weights"].shape
    (Sphere(4, 5), (3, 10))
    """

    channels: int
    anchors: int | None = None
    L: int | None = None

    def __post_init__(self):
        channels = checks.integer(self.channels, "channels", 1)
        anchors, L = optional_size(self.anchors, "anchors"), optional_size(self.L, "L")
        set_fields(self, channels=channels, anchors=anchors, L=L)

    def out_type(self, in_type: SignalType) -> Sphere:
        expect_type(in_type, Sphere)
        L = lower_band_limit(self.L, in_type)
        self._tables(in_type)
        return Sphere(L, self.channels, in_type.real, in_type.spin)

    @cached_by_type
    def _tables(self, in_type):
        """Interpolation matrix from the anchors to all degrees, and plan of the linear map."""
        L = lower_band_limit(self.L, in_type)
        curves = filter_bases.anchors(L, L if self.anchors is None else self.anchors)
        fragments = Fragments((1,) * L, in_type.channels)
        return curves, fragment_linear.plan("free", fragments, (1,) * L, self.channels)

    def init(self, in_type: SignalType, rng: np.random.Generator) -> tuple[dict, dict]:
        curves, _ = self._tables(in_type)
        scale = math.sqrt(1 / in_type.channels / np.mean(np.sum(curves**2, axis=1)))
        weights = rng.standard_normal((curves.shape[1], self.channels * in_type.channels))
        return {"weights": scale * weights}, {}

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        curves, plan = self._tables(context.in_type)
        weights = filter_bases.combine.forward(params["weights"], basis=curves.T)
        x = get_item(x, (..., slice(plan.in_type.size)))
        return fragment_linear.apply_linear(
            anp.reshape(weights, (-1,)), x, plan, "y", context.threads
        )

    def multiplications(self, in_type: SignalType) -> int:
        return lower_band_limit(self.L, in_type) ** 2 * self.channels * in_type.channels


#: Tables of a layer with filters ``weights @ basis``: the basis, the plan of the linear map of fragments, and
#: the indices of these fragments in the coefficients of input and output.
_Tables = namedtuple("_Tables", "basis plan source target")


class _FilterLayer(Layer):
    """Base class of layers with filters ``weights @ basis``, for each pair of output and input channels."""

    complex_weights = False

    def init(self, in_type: SignalType, rng: np.random.Generator) -> tuple[dict, dict]:
        basis, plan, *_ = self._tables(in_type)
        source = plan.in_type
        fan_in = source.channels * np.mean(source.tau) * np.mean(np.sum(np.abs(basis) ** 2, axis=0))
        weights = rng.standard_normal((len(basis), self.channels * source.channels))
        if self.complex_weights:
            weights = (weights + 1j * rng.standard_normal(weights.shape)) / math.sqrt(2)
        return {"weights": weights / math.sqrt(fan_in)}, {}

    def _apply_filters(self, params, x, tables, threads):
        """Coefficients of the output, from the fragments of the input."""
        weights = filter_bases.combine.forward(params["weights"], basis=tables.basis)
        y = fragment_linear.apply_linear(anp.reshape(weights, (-1,)), x, tables.plan, "y", threads)
        return scatter.forward(y, indices=tables.target)

    def multiplications(self, in_type: SignalType) -> int:
        plan = self._tables(in_type).plan
        pairs = zip(plan.in_type.tau, plan.out_type.tau, strict=True)
        products = sum(t * u * (2 * ell + 1) for ell, (t, u) in enumerate(pairs))
        return 4 * self.channels * in_type.channels * products


class _DirectionalLayer(_FilterLayer):
    """Base class of `Lift` and `Correlate`."""

    channels: int
    N: int | None = None
    L: int | None = None
    filters: str = "free"

    def __post_init__(self):
        channels = checks.integer(self.channels, "channels", 1)
        N, L = optional_size(self.N, "N"), optional_size(self.L, "L")
        set_fields(self, channels=channels, N=N, L=L)
        filter_bases.check_filters(self.filters)

    def _limits(self, in_type):
        L = lower_band_limit(self.L, in_type)
        return L, checks.azimuthal_limit(L if self.N is None else self.N, L)

    def out_type(self, in_type: SignalType) -> SO3:
        expect_type(in_type, self.accepts)
        L, N = self._limits(in_type)
        return SO3(L, N, self.channels, in_type.real)

    def _directional_tables(self, in_type, basis, source, K):
        """`_Tables` of filters of orders |n| < N, from fragments of orders |k| < K."""
        L, N = self._limits(in_type)
        fragments = Fragments(_orders_below(K, L), in_type.channels, False)
        plan = fragment_linear.plan("filter", fragments, _orders_below(N, L), self.channels)
        return _Tables(np.conj(basis), plan, source, CoefficientIndices(L, range(1 - N, N)))


def _orders_below(N, L):
    """Number of orders |n| < N of each degree."""
    return tuple(min(2 * ell + 1, 2 * N - 1) for ell in range(L))


class Lift(_DirectionalLayer):
    r"""Correlation with directional filters, from the sphere to the rotation group: Sphere -> SO3.

    .. math:: h_{d,lmn} = \sum_c f_{c,lm}\, \psi_{dc,ln}^*

    This is the correlation h_d(rho) = sum_c <f_c, psi_dc rotated by rho> (Cohen, Geiger, Koehler and Welling
    2018, arXiv:1801.10130, section 3), without its factor 8 pi^2/(2l+1).

    Parameters
    ----------
    channels : int
        Channels of the output.
    N : int, optional
        Azimuthal band-limit of filters and output, orders |n| < N; L by default, which includes all orders.
    L : int, optional
        Band-limit of the output, at most that of the input, which is the default; a smaller L is spectral
        pooling.
    filters : {"free", "near_identity", "equatorial"}
        Basis of the filters, which are real functions (see `spherekit.nn.filter_bases`): all coefficients,
        rings around the north pole, or the equator.

    Notes
    -----
    * Input: `Sphere`, complex array [shape=(batch, channels_in, L_in*L_in)].
    * Output: `SO3`, [shape=(batch, channels, 2N-1, L*L)], real if the input is.
    * Parameters: ``weights`` [shape=(size, channels*channels_in)], real. ``size`` is that of the basis: for
      ``"free"`` the number of pairs (l, n), for ``"near_identity"`` 24, for ``"equatorial"`` 32. State: none.
    * Equivariance: exact.

    Examples
    --------
    The free filters of band-limit L=4 and N=3 have 1 + 3 + 5 + 5 coefficients:

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Sphere(8, 2), nn.Lift(5, N=3, L=4))
    >>> params, state = net.init(0)
    >>> net.out_type(), params[0]["weights"].shape
    (SO3(4, 3, 5), (14, 10))
    """

    accepts = Sphere

    @cached_by_type
    def _tables(self, in_type):
        L, N = self._limits(in_type)
        basis = filter_bases.on_sphere(self.filters, L, N)
        return self._directional_tables(in_type, basis, None, 1)

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        tables = self._tables(context.in_type)
        x = get_item(x, (..., slice(tables.plan.in_type.size)))
        return self._apply_filters(params, x, tables, context.threads)


class Correlate(_DirectionalLayer):
    r"""Correlation on the rotation group: SO3 -> SO3.

    .. math:: h_{d,lmn} = \sum_{c,k} f_{c,lmk}\, g_{dc,lnk}^*

    This is the correlation h_d(rho) = sum_c <f_c, g_dc rotated by rho> (Cohen, Geiger, Koehler and Welling
    2018, arXiv:1801.10130, section 3).

    Parameters
    ----------
    channels : int
        Channels of the output.
    N : int, optional
        Azimuthal band-limit of the output, orders |n| < N; L by default, which includes all orders.
    L : int, optional
        Band-limit of the output, at most that of the input, which is the default; a smaller L is spectral
        pooling.
    filters : {"free", "near_identity", "equatorial"}
        Basis of the filters, as for `Lift`. Filters are real functions on SO(3), of orders |n| < N and, like
        the input, |k| < N_in.

    Notes
    -----
    * Input: `SO3`, complex array [shape=(batch, channels_in, 2*N_in-1, L_in*L_in)].
    * Output: `SO3`, [shape=(batch, channels, 2N-1, L*L)], real if the input is.
    * Parameters: ``weights`` [shape=(size, channels*channels_in)], real. ``size`` is that of the basis: for
      ``"free"`` the number of triples (l, n, k), for ``"near_identity"`` 192, for ``"equatorial"`` 1024.
      State: none.
    * Equivariance: exact.

    Examples
    --------
    The free filters of band-limit L=4, N=2 and N_in=3 have 1 + 9 + 15 + 15 coefficients:

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.SO3(8, 3, 2), nn.Correlate(5, N=2, L=4))
    >>> params, state = net.init(0)
    >>> net.out_type(), params[0]["weights"].shape
    (SO3(4, 2, 5), (40, 10))
    """

    accepts = SO3

    @cached_by_type
    def _tables(self, in_type):
        L, N = self._limits(in_type)
        K = min(in_type.N, L)
        basis = filter_bases.on_so3(self.filters, L, N, K)
        return self._directional_tables(in_type, basis, CoefficientIndices(L, range(1 - K, K)), K)

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        tables = self._tables(context.in_type)
        N = context.in_type.N
        orders, size = tables.source.shape
        K = (orders + 1) // 2
        x = get_item(x, (..., slice(N - K, N + K - 1), slice(size)))
        x = scatter.adjoint(x, indices=tables.source)
        return self._apply_filters(params, x, tables, context.threads)


class SpinConvolution(_FilterLayer):
    r"""Convolution of spin fields with filters for any two spins: Sphere or SpinFields -> SpinFields.

    .. math:: y_{d,s',lm} = \sum_{c,s} k_{dc,s's,l}\, x_{c,s,lm}, \qquad |s|, |s'| \le l

    Networks of it have directional features at the cost of signals on the sphere, not on SO(3) (Esteves,
    Makadia and Daniilidis 2020, arXiv:2006.10731). The filters k are linear interpolations of their values at
    ``anchors`` degrees, as those of `Zonal`.

    Parameters
    ----------
    channels : int
        Channels of the output.
    spins : tuple of int
        Spins of the output, all different.
    anchors : int, optional
        Number of degrees at which the filters are trained; all degrees by default.
    L : int, optional
        Band-limit of the output, at most that of the input, which is the default; a smaller L is spectral
        pooling.

    Notes
    -----
    * Input: `SpinFields`, complex array [shape=(batch, channels_in, spins_in, L_in*L_in)]; or `Sphere`, as
      fields of a single spin, [shape=(batch, channels_in, L_in*L_in)].
    * Output: `SpinFields`, [shape=(batch, channels, spins, L*L)].
    * Parameters: ``weights`` [shape=(spins*spins_in*anchors, channels*channels_in)], complex. State: none.
    * Equivariance: exact.

    Examples
    --------
    Three trained values for each of the filters from spin 0 to the spins 0, 1 and 2:

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Sphere(8, 2), nn.SpinConvolution(5, spins=(0, 1, 2), anchors=3))
    >>> params, state = net.init(0)
    >>> net.out_type(), params[0]["weights"].shape
    (SpinFields(8, (0, 1, 2), 5), (9, 10))
    """

    channels: int
    spins: tuple[int, ...] = (0, 1)
    anchors: int | None = None
    L: int | None = None

    complex_weights = True

    def __post_init__(self):
        spins = as_tuple(self.spins, "spins")
        fields = SpinFields(checks.MAX_BAND_LIMIT, spins, self.channels)
        anchors, L = optional_size(self.anchors, "anchors"), optional_size(self.L, "L")
        set_fields(self, channels=fields.channels, spins=fields.spins, anchors=anchors, L=L)

    def out_type(self, in_type: SignalType) -> SpinFields:
        expect_type(in_type, Sphere, SpinFields)
        out_type = SpinFields(lower_band_limit(self.L, in_type), self.spins, self.channels)
        self._tables(in_type)
        return out_type

    @cached_by_type
    def _tables(self, in_type):
        L = lower_band_limit(self.L, in_type)
        spins = in_type.spins if isinstance(in_type, SpinFields) else (in_type.spin,)
        fields_in = SpinFields(L, spins, in_type.channels)
        fields_out = SpinFields(L, self.spins, self.channels)
        curves = filter_bases.anchors(L, L if self.anchors is None else self.anchors)
        basis = _spin_basis(curves, fields_out.spins, fields_in.spins)
        fragments = Fragments(fields_in.tau, fields_in.channels, False)
        plan = fragment_linear.plan("filter", fragments, fields_out.tau, self.channels)
        source = CoefficientIndices(L, fields_in.spins)
        return _Tables(basis, plan, source, CoefficientIndices(L, fields_out.spins))

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        tables = self._tables(context.in_type)
        x = x[..., None, :] if isinstance(context.in_type, Sphere) else x
        x = get_item(x, (..., slice(tables.source.shape[1])))
        x = scatter.adjoint(x, indices=tables.source)
        return self._apply_filters(params, x, tables, context.threads)


def _spin_basis(curves, spins_out, spins_in):
    """Basis [shape=(spins_out*spins_in*anchors, weights)]: a weight for each degree that has both spins."""
    anchors = curves.shape[1]
    columns = []
    for ell, values in enumerate(curves):
        for i, j in np.ndindex(len(spins_out), len(spins_in)):
            if max(abs(spins_out[i]), abs(spins_in[j])) <= ell:
                column = np.zeros((len(spins_out), len(spins_in), anchors))
                column[i, j] = values
                columns.append(column.ravel())
    return np.transpose(columns)


class ScalarPart(Layer):
    r"""Real part of the field of spin 0: SpinFields -> Sphere.

    .. math:: y_c(x) = \mathrm{Re}\, f_{c,0}(x)

    Notes
    -----
    * Input: `SpinFields` with a field of spin 0, complex array [shape=(batch, channels, spins, L*L)].
    * Output: real `Sphere`, [shape=(batch, channels, L*L)].
    * Parameters and state: none.
    * Equivariance: exact.

    Examples
    --------
    Three scalar channels:

    >>> from spherekit import nn
    >>> nn.Sequential(nn.SpinFields(8, (0, 1), 3), nn.ScalarPart()).out_type()
    Sphere(8, 3)
    """

    def out_type(self, in_type: SignalType) -> Sphere:
        return Sphere(expect_spin_0(in_type).L, in_type.channels)

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        index = ..., context.in_type.spins.index(0), slice(None)
        return from_real(to_real(get_item(x, index)))
