"""Pooling: from many degrees to few, and from signals to one feature for each channel."""

import math
from collections import namedtuple

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import getval

from spherekit._core import checks
from spherekit.conventions import orders
from spherekit.harmonic import transform as harmonic
from spherekit.nn.layer import Layer, cached_by_type
from spherekit.nn.scaled_reductions import take
from spherekit.nn.types import (
    SO3,
    Features,
    Sphere,
    SpinFields,
    expect_type,
    lower_band_limit,
    optional_size,
    oversampling,
    set_fields,
)
from spherekit.sampling import DH, GL, RotationGrid
from spherekit.wigner import transform as wigner


class SpectralPool(Layer):
    """The degrees below a lower band-limit, exactly: Sphere, SpinFields or SO3 -> the same.

    .. math:: y_{lm} = x_{lm}, \\quad l < L; \\qquad y_{lmn} = x_{lmn}, \\quad l < L, |n| < N

    the spectral pooling of Esteves et al. 2018 (arXiv:1711.06721).

    Parameters
    ----------
    L : int
        Band-limit of the output, at most that of the input.
    N : int, optional
        Azimuthal band-limit of the output on SO(3); by default, and at most, that of the input. Of other
        signals it is ignored.

    Notes
    -----
    Input: `Sphere`, `SpinFields` or `SO3`, of any channels. Output: of the same kind,
    ``(batch, channels, L*L)``, ``(batch, channels, spins, L*L)`` or ``(batch, channels, 2N-1, L*L)``. No
    parameters. Exactly equivariant.

    >>> from spherekit import nn
    >>> nn.Sequential(nn.SO3(8, 3, 2), nn.SpectralPool(4, N=2)).out_type()
    SO3(4, 2, 2)
    """

    L: int
    N: int | None = None

    def __post_init__(self):
        set_fields(self, L=checks.band_limit(self.L), N=optional_size(self.N, "N"))

    def out_type(self, in_type):
        expect_type(in_type, Sphere, SpinFields, SO3)
        L, channels = lower_band_limit(self.L, in_type), in_type.channels
        if isinstance(in_type, SpinFields):
            return SpinFields(L, in_type.spins, channels)
        if isinstance(in_type, Sphere):
            return Sphere(L, channels, in_type.real, in_type.spin)
        N = min(in_type.N if self.N is None else self.N, L, in_type.N)
        return SO3(L, N, channels, in_type.real)

    @cached_by_type
    def _index(self, in_type):
        degrees = slice(self.L**2)
        if not isinstance(in_type, SO3):
            return ..., degrees
        N = self.out_type(in_type).N
        return ..., slice(in_type.N - N, in_type.N + N - 1), degrees

    def forward(self, params, x, context):
        return take(x, self._index(context.in_type))


#: Of `MeanPool` and `MaxPool`: the grids of input and output, the shift of the longitudes of the output, as
#: factors of its coefficients, the weights of the rings of the input.
_PoolTables = namedtuple("_PoolTables", "fine coarse shift weights")


class _SamplePool(Layer):
    """Base of `MeanPool` and `MaxPool`."""

    def __post_init__(self):
        set_fields(self, size=checks.integer(self.size, "size", 2))

    def out_type(self, in_type):
        expect_type(in_type, Sphere)
        if not in_type.real or in_type.L % self.size:
            raise ValueError(
                f"accepts real signals of an L that {self.size} divides; its input is {in_type}"
            )
        return Sphere(in_type.L // self.size, in_type.channels)

    @cached_by_type
    def _tables(self, in_type):
        L, L_out = in_type.L, in_type.L // self.size
        fine, coarse = DH(L, n_phi=2 * L), DH(L_out, n_phi=2 * L_out)
        # the center of a block lies further east than its first sample
        shift = np.exp(-1j * orders(L_out) * math.pi * (self.size - 1) / (2 * L))
        sine = np.sin(fine.theta).reshape(-1, self.size)
        weights = (sine / (self.size * sine.sum(axis=1, keepdims=True))).reshape(-1, 1)
        return _PoolTables(fine, coarse, shift, weights)

    def forward(self, params, x, context):
        tables, L = self._tables(context.in_type), context.in_type.L
        L_out, options = L // self.size, dict(reality=True, threads=context.threads)
        f = harmonic.inverse(x, L, sampling=tables.fine, **options)
        blocks = *f.shape[:-2], 2 * L_out, self.size, 2 * L_out, self.size
        pooled = self._pool(f, blocks, tables.weights)
        y = harmonic.forward(pooled, L_out, sampling=tables.coarse, **options)
        return y * tables.shift.astype(y.dtype)


class MeanPool(_SamplePool):
    """Weighted means of blocks of samples: Sphere -> Sphere.

    .. math:: y_{ij} = \\frac{\\sum_{ab} \\sin\\theta_a\\, f_{ab}}{\\sum_{ab} \\sin\\theta_a}

    over the ``size`` x ``size`` samples of block (i, j) on an equiangular grid, analysed at the band-limit
    L/size: the weighted average pooling of Esteves et al. 2018 (arXiv:1711.06721).

    Parameters
    ----------
    size : int
        Samples of a block in each direction, a divisor of L.

    Notes
    -----
    Input: `Sphere`, real, ``(batch, channels, L*L)``. Output: `Sphere`, real,
    ``(batch, channels, (L/size)^2)``. No parameters. The means have degrees beyond the output's band-limit,
    which alias: equivariant only in part; `SpectralPool` is exact.

    >>> from spherekit import nn
    >>> nn.Sequential(nn.Sphere(8, 3), nn.MeanPool(2)).out_type()
    Sphere(4, 3)
    """

    size: int = 2

    def _pool(self, f, blocks, weights):
        return anp.sum(anp.reshape(f * weights.astype(f.dtype), blocks), axis=(-3, -1))


class MaxPool(_SamplePool):
    """The largest of each block of samples: Sphere -> Sphere.

    .. math:: y_{ij} = \\max_{ab} f_{ab}

    over the ``size`` x ``size`` samples of block (i, j) on an equiangular grid, analysed at the band-limit
    L/size.

    Parameters
    ----------
    size : int
        Samples of a block in each direction, a divisor of L.

    Notes
    -----
    Input: `Sphere`, real, ``(batch, channels, L*L)``. Output: `Sphere`, real,
    ``(batch, channels, (L/size)^2)``. No parameters. Blocks near the poles cover less of the sphere, and the
    maxima alias: equivariant only in part; `SpectralPool` is exact. Of several equal largest samples each has
    an equal share of the derivative.

    >>> from spherekit import nn
    >>> nn.Sequential(nn.Sphere(8, 3), nn.MaxPool(2)).out_type()
    Sphere(4, 3)
    """

    size: int = 2

    def _pool(self, f, blocks, weights):
        return largest(anp.reshape(f, blocks), (-3, -1))


class GlobalMean(Layer):
    """The mean of each channel, over the sphere or over the rotation group: Sphere or SO3 -> Features.

    .. math:: y_c = \\frac{1}{4\\pi} \\int f_c\\, d\\Omega = \\frac{f_{c,00}}{\\sqrt{4\\pi}}, \\qquad
              y_c = \\frac{1}{8\\pi^2} \\int f_c\\, d\\rho = \\frac{f_{c,000}}{8\\pi^2}

    Notes
    -----
    Input: `Sphere` of spin 0 or `SO3`, real, ``(batch, channels, L*L)`` or ``(batch, channels, 2N-1, L*L)``.
    Output: `Features`, ``(batch, channels)``. No parameters. Exactly invariant.

    >>> import numpy as np
    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Sphere(2, 1), nn.GlobalMean())
    >>> net([{}], np.sqrt(4 * np.pi) * np.eye(1, 4)[None]).tolist()  # of f = 1
    [[1.0]]
    """

    def out_type(self, in_type):
        expect_type(in_type, Sphere, SO3)
        if not in_type.real:
            raise ValueError(f"accepts real signals; its input is {in_type}")
        return Features(in_type.channels)

    def forward(self, params, x, context):
        in_type = context.in_type
        if isinstance(in_type, Sphere):
            index, area = (..., 0), math.sqrt(4 * math.pi)
        else:
            index, area = (..., in_type.N - 1, 0), 8 * math.pi**2
        return anp.real(take(x, index)) / area


class GlobalMax(Layer):
    """The largest sample of each channel: Sphere or SO3 -> Features.

    .. math:: y_c = \\max_i f_c(x_i)

    over the samples x_i on Gauss-Legendre rings, for ``oversample`` times the band-limits.

    Parameters
    ----------
    oversample : float
        From 1 to 16.

    Notes
    -----
    Input: `Sphere` or `SO3`, real, ``(batch, channels, L*L)`` or ``(batch, channels, 2N-1, L*L)``. Output:
    `Features`, ``(batch, channels)``. No parameters. The maximum between samples is missed: invariant up to
    the spacing of the samples. Of several equal largest samples each has an equal share of the derivative.

    >>> from spherekit import nn
    >>> nn.Sequential(nn.SO3(8, 3, 2), nn.GlobalMax(oversample=2)).out_type()
    Features(2)
    """

    oversample: float = 1

    def __post_init__(self):
        set_fields(self, oversample=oversampling(self.oversample))

    def out_type(self, in_type):
        expect_type(in_type, Sphere, SO3)
        if not in_type.real:
            raise ValueError(f"accepts real signals; its input is {in_type}")
        return Features(in_type.channels)

    @cached_by_type
    def _grid(self, in_type):
        grid = GL(math.ceil(self.oversample * in_type.L))
        if isinstance(in_type, Sphere):
            return grid
        return RotationGrid(grid.L, min(math.ceil(self.oversample * in_type.N), grid.L), grid)

    def forward(self, params, x, context):
        in_type = context.in_type
        options = dict(sampling=self._grid(in_type), reality=True, threads=context.threads)
        if isinstance(in_type, Sphere):
            f = harmonic.inverse(x, in_type.L, **options)
        else:
            f = wigner.inverse(x, in_type.L, in_type.N, **options)
        return largest(anp.reshape(f, (*f.shape[:2], math.prod(f.shape[2:]))), (-1,))


@primitive
def largest(x, axes):
    """The largest entry along ``axes``; equal largest ones share the derivative equally.

    (The rules of autograd's ``max`` widen float32, and its forward rule fails on several axes.)

    >>> from autograd import grad
    >>> grad(lambda x: largest(x, (0,)))(np.array([1.0, 3.0, 3.0])).tolist()
    [0.0, 0.5, 0.5]
    """
    return np.max(x, axis=axes)


def _shares(largest, x, axes):
    """The derivative of the largest by each entry."""
    mask = getval(x) == np.expand_dims(getval(largest), axes)
    count = np.sum(mask, axis=axes, keepdims=True)
    return mask / count.astype(getval(x).dtype)


defvjp(
    largest,
    lambda y, x, axes: lambda g: anp.expand_dims(g, axes) * _shares(y, x, axes),
    argnums=(0,),
)
defjvp(largest, lambda t, y, x, axes: anp.sum(t * _shares(y, x, axes), axis=axes), argnums=(0,))
