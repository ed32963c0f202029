"""Linear layers of signals on the sphere and on SO(3): convolutions with learned filters.

Each is a linear map of fragments, degree by degree (`fragment_linear`): zonal filters mix channels,
directional ones combine the orders k of the input to each order n of the output, those of spin fields combine
spins.
"""

import math
from collections import namedtuple

import autograd.numpy as anp
import numpy as np

from spherekit._core import checks
from spherekit.conventions import from_real, to_real
from spherekit.nn import filter_bases, fragment_linear
from spherekit.nn.fragment_indexing import Places, scatter
from spherekit.nn.layer import Layer, cached_by_type
from spherekit.nn.scaled_reductions import take
from spherekit.nn.types import (
    SO3,
    Fragments,
    Sphere,
    SpinFields,
    as_tuple,
    expect_type,
    lower_band_limit,
    optional_size,
    set_fields,
    with_spin_0,
)


class Zonal(Layer):
    """Convolution with learned zonal filters: Sphere -> Sphere.

    .. math:: y_{d,lm} = \\sum_c k_{dc,l}\\, x_{c,lm}

    the convolution with zonal filters h of coefficients h_l0 = sqrt((2l+1)/4 pi) k_l. The k are linear
    interpolations between their values at ``anchors`` degrees, the localized spectra of Esteves et al. 2018
    (arXiv:1711.06721).

    Parameters
    ----------
    channels : int
        Of the output.
    anchors : int, optional
        Degrees at which the filters are learned; by default all.
    L : int, optional
        Band-limit of the output, at most that of the input, which is the default: pooling in the spectrum.

    Notes
    -----
    Input: `Sphere`, of any spin, ``(batch, channels_in, L_in*L_in)``. Output: `Sphere` of the same spin,
    ``(batch, channels, L*L)``. Parameters: ``weights [shape=(anchors, channels*channels_in)]``, real. Exactly
    equivariant.

    >>> from spherekit import nn
    >>> nn.Sequential(nn.Sphere(8, 2), nn.Zonal(5, anchors=3, L=4)).out_type()
    Sphere(4, 5)
    """

    channels: int
    anchors: int | None = None
    L: int | None = None

    def __post_init__(self):
        channels = checks.integer(self.channels, "channels", 1)
        anchors, L = optional_size(self.anchors, "anchors"), optional_size(self.L, "L")
        set_fields(self, channels=channels, anchors=anchors, L=L)

    def out_type(self, in_type):
        expect_type(in_type, Sphere)
        L = lower_band_limit(self.L, in_type)
        self._tables(in_type)
        return Sphere(L, self.channels, in_type.real, in_type.spin)

    @cached_by_type
    def _tables(self, in_type):
        """(anchors as curves over the degrees, plan of the blend)."""
        L = lower_band_limit(self.L, in_type)
        curves = filter_bases.anchors(L, L if self.anchors is None else self.anchors)
        source = Fragments((1,) * L, in_type.channels)
        return curves, fragment_linear.plan("free", source, (1,) * L, self.channels)

    def init(self, in_type, rng):
        curves, _ = self._tables(in_type)
        scale = math.sqrt(1 / in_type.channels / np.mean(np.sum(curves**2, axis=1)))
        weights = rng.standard_normal((curves.shape[1], self.channels * in_type.channels))
        return {"weights": scale * weights}, {}

    def forward(self, params, x, context):
        curves, plan = self._tables(context.in_type)
        weights = filter_bases.combine.forward(params["weights"], basis=curves.T)
        x = take(x, (..., slice(plan.in_type.size)))
        return fragment_linear.blend(anp.reshape(weights, (-1,)), x, plan, "y", context.threads)

    def multiplications(self, in_type):
        return lower_band_limit(self.L, in_type) ** 2 * self.channels * in_type.channels


#: Of a layer with filters ``weights @ basis``: the basis, the plan of the linear map of fragments, where
#: these lie in the coefficients of input and output.
_Tables = namedtuple("_Tables", "basis plan source target")


class _FilterLayer(Layer):
    """Base of the layers with filters ``weights @ basis``, for each pair of channels of output and input."""

    complex_weights = False

    def init(self, in_type, rng):
        basis, plan, *_ = self._tables(in_type)
        source = plan.in_type
        fan_in = source.channels * np.mean(source.tau) * np.mean(np.sum(np.abs(basis) ** 2, axis=0))
        weights = rng.standard_normal((len(basis), self.channels * source.channels))
        if self.complex_weights:
            weights = (weights + 1j * rng.standard_normal(weights.shape)) / math.sqrt(2)
        return {"weights": weights / math.sqrt(fan_in)}, {}

    def _filtered(self, params, x, tables, threads):
        """Coefficients of the output, from the fragments of the input."""
        weights = filter_bases.combine.forward(params["weights"], basis=tables.basis)
        y = fragment_linear.blend(anp.reshape(weights, (-1,)), x, tables.plan, "y", threads)
        return scatter.forward(y, places=tables.target)

    def multiplications(self, in_type):
        plan = self._tables(in_type).plan
        pairs = zip(plan.in_type.tau, plan.out_type.tau, strict=True)
        products = sum(t * u * (2 * ell + 1) for ell, (t, u) in enumerate(pairs))
        return 4 * self.channels * in_type.channels * products


class _DirectionalLayer(_FilterLayer):
    """Base of `Lift` and `Correlate`."""

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

    def out_type(self, in_type):
        expect_type(in_type, self.accepts)
        L, N = self._limits(in_type)
        return SO3(L, N, self.channels, in_type.real)

    def _directional_tables(self, in_type, basis, source, K):
        """`_Tables` of filters of orders |n| < N, from fragments of orders |k| < K."""
        L, N = self._limits(in_type)
        fragments = Fragments(_orders_below(K, L), in_type.channels, False)
        plan = fragment_linear.plan("filter", fragments, _orders_below(N, L), self.channels)
        return _Tables(np.conj(basis), plan, source, Places(L, range(1 - N, N)))


def _orders_below(N, L):
    """Orders |n| < N of each degree."""
    return tuple(min(2 * ell + 1, 2 * N - 1) for ell in range(L))


class Lift(_DirectionalLayer):
    """Correlation with directional filters, from the sphere to the rotation group: Sphere -> SO3.

    .. math:: h_{d,lmn} = \\sum_c f_{c,lm}\\, \\overline{\\psi_{dc,ln}}

    the correlation h_d(rho) = sum_c <f_c, psi_dc rotated by rho> (Cohen, Geiger, Koehler and Welling 2018,
    arXiv:1801.10130, section 3), without its factor 8 pi^2/(2l+1).

    Parameters
    ----------
    channels : int
        Of the output.
    N : int, optional
        Azimuthal band-limit of filters and output: orders |n| < N. By default that of all orders, L.
    L : int, optional
        Band-limit of the output, at most that of the input, which is the default: pooling in the spectrum.
    filters : {"free", "near_identity", "equatorial"}
        Basis of the filters, see `spherekit.nn.filter_bases`: all coefficients, rings about the north pole,
        the equator. Filters are real functions.

    Notes
    -----
    Input: `Sphere`, ``(batch, channels_in, L_in*L_in)``. Output: `SO3`, ``(batch, channels, 2N-1, L*L)``,
    real where the input is. Parameters: ``weights [shape=(size, channels*channels_in)]``, real, ``size``
    being that of the basis: with ``"free"`` the number of orders |n| < N of all degrees, with
    ``"near_identity"`` 24, with ``"equatorial"`` 32. Exactly equivariant.

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Sphere(8, 2), nn.Lift(5, N=3, L=4))
    >>> net.out_type()
    SO3(4, 3, 5)
    >>> net.init(0)[0][0]["weights"].shape
    (14, 10)
    """

    accepts = Sphere

    @cached_by_type
    def _tables(self, in_type):
        L, N = self._limits(in_type)
        basis = filter_bases.on_sphere(self.filters, L, N)
        return self._directional_tables(in_type, basis, None, 1)

    def forward(self, params, x, context):
        tables = self._tables(context.in_type)
        x = take(x, (..., slice(tables.plan.in_type.size)))
        return self._filtered(params, x, tables, context.threads)


class Correlate(_DirectionalLayer):
    """Correlation on the rotation group: SO3 -> SO3.

    .. math:: h_{d,lmn} = \\sum_{c,k} f_{c,lmk}\\, \\overline{g_{dc,lnk}}

    the correlation h_d(rho) = sum_c <f_c, g_dc rotated by rho> (Cohen, Geiger, Koehler and Welling 2018,
    arXiv:1801.10130, section 3).

    Parameters
    ----------
    channels : int
        Of the output.
    N : int, optional
        Azimuthal band-limit of the output: orders |n| < N. By default that of all orders, L.
    L : int, optional
        Band-limit of the output, at most that of the input, which is the default: pooling in the spectrum.
    filters : {"free", "near_identity", "equatorial"}
        Basis of the filters, as of `Lift`. Filters are real functions on SO(3), of orders |n| < N and, as the
        input, |k| < N_in.

    Notes
    -----
    Input: `SO3`, ``(batch, channels_in, 2N_in-1, L_in*L_in)``. Output: `SO3`,
    ``(batch, channels, 2N-1, L*L)``, real where the input is. Parameters:
    ``weights [shape=(size, channels*channels_in)]``, real, ``size`` being that of the basis: with ``"free"``
    the number of pairs of orders n, k of all degrees, with ``"near_identity"`` 192, with ``"equatorial"``
    1024. Exactly equivariant.

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.SO3(8, 3, 2), nn.Correlate(5, N=2, L=4))
    >>> net.out_type()
    SO3(4, 2, 5)
    >>> net.init(0)[0][0]["weights"].shape
    (40, 10)
    """

    accepts = SO3

    @cached_by_type
    def _tables(self, in_type):
        L, N = self._limits(in_type)
        K = min(in_type.N, L)
        basis = filter_bases.on_so3(self.filters, L, N, K)
        return self._directional_tables(in_type, basis, Places(L, range(1 - K, K)), K)

    def forward(self, params, x, context):
        tables, N = self._tables(context.in_type), context.in_type.N
        orders, size = tables.source.shape
        K = (orders + 1) // 2
        x = take(x, (..., slice(N - K, N + K - 1), slice(size)))
        x = scatter.adjoint(x, places=tables.source)
        return self._filtered(params, x, tables, context.threads)


class SpinConvolution(_FilterLayer):
    """Convolution of spin fields: Sphere or SpinFields -> SpinFields.

    .. math:: y_{d,s',lm} = \\sum_{c,s} k_{dc,s's,l}\\, x_{c,s,lm}, \\qquad |s|, |s'| \\le l

    with filters for any two spins: directional features at the cost of the sphere (Esteves, Makadia and
    Daniilidis 2020, arXiv:2006.10731). The filters k are linear interpolations between their values at
    ``anchors`` degrees, as those of `Zonal`.

    Parameters
    ----------
    channels : int
        Of the output.
    spins : tuple of int
        Of the output, all different.
    anchors : int, optional
        Degrees at which the filters are learned; by default all.
    L : int, optional
        Band-limit of the output, at most that of the input, which is the default: pooling in the spectrum.

    Notes
    -----
    Input: `SpinFields`, ``(batch, channels_in, spins_in, L_in*L_in)``; or `Sphere` as fields of its single
    spin, ``(batch, channels_in, L_in*L_in)``. Output: `SpinFields`, ``(batch, channels, spins, L*L)``.
    Parameters: ``weights [shape=(spins*spins_in*anchors, channels*channels_in)]``, complex. Exactly
    equivariant.

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Sphere(8, 2), nn.SpinConvolution(5, spins=(0, 1, 2), anchors=3))
    >>> net.out_type()
    SpinFields(8, (0, 1, 2), 5)
    >>> net.init(0)[0][0]["weights"].shape
    (9, 10)
    """

    channels: int
    spins: tuple = (0, 1)
    anchors: int | None = None
    L: int | None = None

    complex_weights = True

    def __post_init__(self):
        spins = as_tuple(self.spins, "spins")
        fields = SpinFields(checks.MAX_BAND_LIMIT, spins, self.channels)
        anchors, L = optional_size(self.anchors, "anchors"), optional_size(self.L, "L")
        set_fields(self, channels=fields.channels, spins=fields.spins, anchors=anchors, L=L)

    def out_type(self, in_type):
        expect_type(in_type, Sphere, SpinFields)
        out_type = SpinFields(lower_band_limit(self.L, in_type), self.spins, self.channels)
        self._tables(in_type)
        return out_type

    @cached_by_type
    def _tables(self, in_type):
        L = lower_band_limit(self.L, in_type)
        spins = in_type.spins if isinstance(in_type, SpinFields) else (in_type.spin,)
        before = SpinFields(L, spins, in_type.channels)
        after = SpinFields(L, self.spins, self.channels)
        curves = filter_bases.anchors(L, L if self.anchors is None else self.anchors)
        basis = _spin_basis(curves, after.spins, before.spins)
        source = Fragments(before.tau, before.channels, False)
        plan = fragment_linear.plan("filter", source, after.tau, self.channels)
        return _Tables(basis, plan, Places(L, before.spins), Places(L, after.spins))

    def forward(self, params, x, context):
        tables = self._tables(context.in_type)
        x = x[..., None, :] if isinstance(context.in_type, Sphere) else x
        x = take(x, (..., slice(tables.source.shape[1])))
        x = scatter.adjoint(x, places=tables.source)
        return self._filtered(params, x, tables, context.threads)


def _spin_basis(curves, after, before):
    """Basis (spins of output, spins of input, anchors) to weights of each degree that has both spins."""
    anchors, columns = curves.shape[1], []
    for ell, values in enumerate(curves):
        for i, j in np.ndindex(len(after), len(before)):
            if max(abs(after[i]), abs(before[j])) <= ell:
                column = np.zeros((len(after), len(before), anchors))
                column[i, j] = values
                columns.append(column.ravel())
    return np.transpose(columns)


class ScalarPart(Layer):
    """The real part of the field of spin 0: SpinFields -> Sphere.

    .. math:: y_c(x) = \\mathrm{Re}\\, f_{c,0}(x)

    Notes
    -----
    Input: `SpinFields` with spin 0 among them, ``(batch, channels, spins, L*L)``. Output: real `Sphere`,
    ``(batch, channels, L*L)``. No parameters. Exact and equivariant.

    >>> from spherekit import nn
    >>> nn.Sequential(nn.SpinFields(8, (0, 1), 3), nn.ScalarPart()).out_type()
    Sphere(8, 3)
    """

    def out_type(self, in_type):
        return Sphere(with_spin_0(in_type).L, in_type.channels)

    def forward(self, params, x, context):
        index = ..., context.in_type.spins.index(0), slice(None)
        return from_real(to_real(take(x, index)))
