"""Linear layers of signals on the sphere and on SO(3): convolutions with learned filters.

Every one is a blend of fragments, degree by degree: zonal filters mix channels, directional ones make an
order n of the result from each of their own orders, spin-weighted ones mix spins.
"""

import math

import autograd.numpy as anp
import numpy as np

from spherekit._core import checks
from spherekit.conventions import from_real, to_real
from spherekit.nn import filter_bases, fragment_linear
from spherekit.nn.fragment_indexing import Places, scatter
from spherekit.nn.layer import Layer, cached_by_type
from spherekit.nn.scaled_reductions import take
from spherekit.nn.types import SO3, Fragments, Sphere, SpinFields, expect_type, lower_band_limit


class Zonal(Layer):
    """Convolution with zonal filters, learned at some degrees: Sphere -> Sphere.

    .. math:: y_{d,lm} = \\sum_c \\sqrt{4\\pi/(2l+1)}\\, k_{dc,l}\\, x_{c,lm}

    The filters k are linear interpolations between their values at ``anchors`` degrees, the localized
    spectra of Esteves et al. 2018 (arXiv:1711.06721, section 4.2).

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
    ``(batch, channels, L*L)``. Parameters: ``weights [shape=(anchors, channels*channels_in)]``, real.

    >>> from spherekit import nn
    >>> nn.Sequential(nn.Sphere(8, 2), nn.Zonal(5, anchors=3, L=4)).out_type()
    Sphere(4, 5)
    """

    channels: int
    anchors: int | None = None
    L: int | None = None

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


def lift(channels, N=None, *, L=None, kind="free"):
    """Correlation with directional filters, sphere to SO(3): h_d,lmn = sum_c f_c,lm conj(psi_dc,ln).

    Parameters
    ----------
    channels : int
    N : int, optional
        Orders |n| < N of the filters and of the result; L unless said.
    L : int, optional
        Lower band-limit of the result.
    kind : str
        Of the filters, as `spherekit.nn.filter_bases`.
    """

    def bind(takes):
        expect(takes, Sphere)
        after, orders = _limits(takes, L, N)
        basis = np.conj(filter_bases.on_sphere(kind, after, orders))
        before = Generalized((1,) * after, takes.channels, False)
        return _directional("lift", takes, before, basis, after, orders, channels, _read_sphere)

    return bind


def correlate(channels, N=None, *, L=None, kind="free"):
    """Correlation on SO(3): h_d,lmn = sum_ck f_c,lmk conj(g_dc,lnk). Arguments as `lift`."""

    def bind(takes):
        expect(takes, Group)
        after, orders = _limits(takes, L, N)
        K = min(takes.N, after)
        basis = np.conj(filter_bases.on_group(kind, after, orders, K))
        before = Generalized(
            [min(2 * ell + 1, 2 * K - 1) for ell in range(after)], takes.channels, False
        )
        return _directional("correlate", takes, before, basis, after, orders, channels, _read_group)

    return bind


def _limits(takes, L, N):
    after = lower_limit(L, takes)
    orders = after if N is None else N
    return after, checks.azimuthal_limit(orders, after)


def spin_convolution(channels, spins=(0, 1), anchors=None, *, L=None):
    """Spin-weighted convolution: y_s'd,lm = sum_sc k_s'dsc,l x_sc,lm, |s|, |s'| <= l.

    Filters of any two spins, learned at ``anchors`` degrees as those of `zonal`: directional features at the
    cost of the sphere (Esteves, Makadia and Daniilidis 2020, arXiv:2006.10731). Complex weights.

    Parameters
    ----------
    channels : int
    spins : tuple of int
        Of the result.
    anchors, L : as `zonal`
    """

    def bind(takes):
        expect(takes, Sphere, Spins)
        before = (
            takes if isinstance(takes, Spins) else Spins(takes.L, (takes.spin,), takes.channels)
        )
        after = lower_limit(L, takes)
        gives, some = Spins(after, spins, channels), Spins(after, before.spins, takes.channels)
        curve = filter_bases.anchors(after, after if anchors is None else anchors)
        basis = _of_spins(curve, gives.spins, some.spins)
        source, places = Generalized(some.tau, takes.channels, False), Places(after, some.spins)

        def read(x, _):
            x = x[..., None, :] if isinstance(takes, Sphere) else x
            return scatter.adjoint(take(x, (..., slice(after**2))), places=places)

        parts = "spin_convolution", takes, gives, source, gives.tau, basis
        return _filtered(*parts, read, Places(after, gives.spins), complex_weights=True)

    return bind


def scalars():
    """The real part of spin 0: Spins -> Sphere."""

    def bind(takes):
        expect(takes, Spins)
        if 0 not in takes.spins:
            raise ValueError(f"takes spins with 0 among them; what comes is {takes}")
        place = ..., takes.spins.index(0), slice(None)
        gives = Sphere(takes.L, takes.channels)
        return named("scalars", takes, gives, lambda x, mode: from_real(to_real(take(x, place))))

    return bind


def _of_spins(curve, after, before):
    """A parameter for each two spins and each anchor -> the weights of each degree that has both."""
    count, columns = curve.shape[1], []
    for ell, row in enumerate(curve):
        for to, of in np.ndindex(len(after), len(before)):
            if max(abs(after[to]), abs(before[of])) <= ell:
                column = np.zeros((len(after), len(before), count))
                column[to, of] = row
                columns.append(column.ravel())
    return np.transpose(columns)


def _directional(name, takes, before, basis, L, N, channels, read):
    tau = [min(2 * ell + 1, 2 * N - 1) for ell in range(L)]
    gives = Group(L, N, channels, takes.real)
    return _filtered(name, takes, gives, before, tau, basis, read, Places(L, range(1 - N, N)))


def _filtered(name, takes, gives, before, tau, basis, read, places, complex_weights=False):
    """The layer of filters ``weights @ basis``, their entries (degree, fragment of result, of signal)."""
    channels = gives.channels
    plan = fragment_linear.plan("filter", before, tau, channels)
    count = channels * takes.channels

    def init(rng):
        fan = takes.channels * np.mean(before.tau) * np.mean(np.sum(np.abs(basis) ** 2, axis=0))
        weights = rng.standard_normal((basis.shape[0], count))
        if complex_weights:
            weights = (weights + 1j * rng.standard_normal(weights.shape)) / math.sqrt(2)
        return {"weights": weights / math.sqrt(fan)}

    def apply(params, x, mode):
        weights = anp.reshape(filter_bases.combine.forward(params["weights"], basis=basis), (-1,))
        y = fragment_linear.blend(weights, read(x, before), plan, "y", mode.threads)
        return scatter.forward(y, places=places)

    pairs = zip(before.tau, tau, strict=True)
    cost = 4 * count * sum(b * t * (2 * ell + 1) for ell, (b, t) in enumerate(pairs))
    return Layer(name, takes, gives, init, apply, cost)


def _read_sphere(x, before):
    return anp.moveaxis(take(x, (..., slice(before.L**2))), -1, 0)


def _read_group(x, before):
    N, K = (x.shape[-2] + 1) // 2, (before.tau[-1] + 1) // 2
    some = take(x, (..., slice(N - K, N + K - 1), slice(before.L**2)))
    return scatter.adjoint(some, places=Places(before.L, range(1 - K, K)))
