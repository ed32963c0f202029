"""Pooling: to a lower band-limit, or to one feature for each channel."""

import math
from collections import namedtuple

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import getval

from spherekit._core import checks
from spherekit.conventions import orders
from spherekit.harmonic import transform as harmonic
from spherekit.nn.layer import Context, Layer, cached_by_type
from spherekit.nn.scaled_reductions import get_item
from spherekit.nn.types import (
    SO3,
    Features,
    SignalType,
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
    r"""Truncation to a lower band-limit: Sphere, SpinFields or SO3 -> the same type.

    .. math:: y_{lm} = x_{lm}, \quad l < L; \qquad y_{lmn} = x_{lmn}, \quad l < L, |n| < N

    This is the spectral pooling of Esteves et al. 2018 (arXiv:1711.06721).

    Parameters
    ----------
    L : int
        Band-limit of the output, at most that of the input.
    N : int, optional
        Azimuthal band-limit of the output on SO(3), at most that of the input, which is the default. Ignored
        for other signals.

    Notes
    -----
    * Input: `Sphere`, `SpinFields` or `SO3`, complex array.
    * Output: the same type, [shape=(batch, channels, L*L)], [shape=(batch, channels, spins, L*L)] or
      [shape=(batch, channels, 2N-1, L*L)].
    * Parameters and state: none.
    * Equivariance: exact.

    Examples
    --------
    From the band-limits L=8, N=3 to L=4, N=2:

    >>> from spherekit import nn
    >>> nn.Sequential(nn.SO3(8, 3, 2), nn.SpectralPool(4, N=2)).out_type()
    SO3(4, 2, 2)
    """

    L: int
    N: int | None = None

    def __post_init__(self):
        set_fields(self, L=checks.band_limit(self.L), N=optional_size(self.N, "N"))

    def out_type(self, in_type: SignalType) -> Sphere | SpinFields | SO3:
        expect_type(in_type, Sphere, SpinFields, SO3)
        L = lower_band_limit(self.L, in_type)
        channels = in_type.channels
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

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        return get_item(x, self._index(context.in_type))


#: Tables of `MeanPool` and `MaxPool`: the grids of input and output, the factors of the output coefficients
#: that shift longitudes, and the weights of the rings of the input.
_PoolTables = namedtuple("_PoolTables", "fine coarse shift weights")


class _SamplePool(Layer):
    """Base class of `MeanPool` and `MaxPool`."""

    def __post_init__(self):
        set_fields(self, size=checks.integer(self.size, "size", 2))

    def out_type(self, in_type: SignalType) -> Sphere:
        expect_type(in_type, Sphere)
        if not in_type.real or in_type.L % self.size:
            raise ValueError(
                f"accepts real signals with L a multiple of size={self.size}; its input is {in_type}"
            )
        return Sphere(in_type.L // self.size, in_type.channels)

    @cached_by_type
    def _tables(self, in_type):
        L, L_out = in_type.L, in_type.L // self.size
        fine, coarse = DH(L, n_phi=2 * L), DH(L_out, n_phi=2 * L_out)
        # the center of a block lies east of its first sample
        shift = np.exp(-1j * orders(L_out) * math.pi * (self.size - 1) / (2 * L))
        sine = np.sin(fine.theta).reshape(-1, self.size)
        weights = (sine / (self.size * sine.sum(axis=1, keepdims=True))).reshape(-1, 1)
        return _PoolTables(fine, coarse, shift, weights)

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        tables = self._tables(context.in_type)
        L = context.in_type.L
        L_out = L // self.size
        options = dict(reality=True, threads=context.threads)
        f = harmonic.inverse(x, L, sampling=tables.fine, **options)
        blocks = *f.shape[:-2], 2 * L_out, self.size, 2 * L_out, self.size
        pooled = self._pool(f, blocks, tables.weights)
        y = harmonic.forward(pooled, L_out, sampling=tables.coarse, **options)
        return y * tables.shift.astype(y.dtype)


class MeanPool(_SamplePool):
    r"""Weighted means of blocks of samples: Sphere -> Sphere.

    .. math:: y_{ij} = \frac{\sum_{ab} \sin\theta_a\, f_{ab}}{\sum_{ab} \sin\theta_a}

    over the ``size`` x ``size`` samples of block (i, j) on an equiangular grid, followed by a transform at
    the band-limit L/size: the weighted average pooling of Esteves et al. 2018 (arXiv:1711.06721).

    Parameters
    ----------
    size : int
        Number of samples of a block in each direction, a divisor of L, at least 2.

    Notes
    -----
    * Input: real `Sphere`, complex array [shape=(batch, channels, L*L)].
    * Output: real `Sphere`, [shape=(batch, channels, (L/size)^2)].
    * Parameters and state: none.
    * Equivariance: approximate. The block means have degrees beyond the band-limit of the output, which
      alias; `SpectralPool` is exact.

    Examples
    --------
    Half the band-limit; a constant is unchanged:

    >>> import numpy as np
    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Sphere(8, 1), nn.MeanPool(2))
    >>> y = net([{}], np.eye(1, 64, dtype=complex)[None])
    >>> net.out_type(), round(float(y[0, 0, 0].real), 6)
    (Sphere(4, 1), 1.0)
    """

    size: int = 2

    def _pool(self, f, blocks, weights):
        return anp.sum(anp.reshape(f * weights.astype(f.dtype), blocks), axis=(-3, -1))


class MaxPool(_SamplePool):
    r"""Maxima of blocks of samples: Sphere -> Sphere.

    .. math:: y_{ij} = \max_{ab} f_{ab}

    over the ``size`` x ``size`` samples of block (i, j) on an equiangular grid, followed by a transform at
    the band-limit L/size.

    Parameters
    ----------
    size : int
        Number of samples of a block in each direction, a divisor of L, at least 2.

    Notes
    -----
    * Input: real `Sphere`, complex array [shape=(batch, channels, L*L)].
    * Output: real `Sphere`, [shape=(batch, channels, (L/size)^2)].
    * Parameters and state: none.
    * Equivariance: approximate. Blocks near the poles cover less of the sphere, and the maxima alias;
      `SpectralPool` is exact.

    If several samples of a block are equal to the maximum, the derivative is divided equally among them.

    Examples
    --------
    Half the band-limit; a constant is unchanged:

    >>> import numpy as np
    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Sphere(8, 1), nn.MaxPool(2))
    >>> y = net([{}], np.eye(1, 64, dtype=complex)[None])
    >>> net.out_type(), round(float(y[0, 0, 0].real), 6)
    (Sphere(4, 1), 1.0)
    """

    size: int = 2

    def _pool(self, f, blocks, weights):
        return largest(anp.reshape(f, blocks), (-3, -1))


class GlobalMean(Layer):
    r"""Mean of each channel over the sphere or the rotation group: Sphere or SO3 -> Features.

    .. math:: y_c = \frac{1}{4\pi} \int f_c\, d\Omega = \frac{f_{c,00}}{\sqrt{4\pi}}, \qquad
              y_c = \frac{1}{8\pi^2} \int f_c\, d\rho = \frac{f_{c,000}}{8\pi^2}

    Notes
    -----
    * Input: real `Sphere`, complex array [shape=(batch, channels, L*L)], or real `SO3`, [shape=(batch,
      channels, 2N-1, L*L)].
    * Output: `Features`, real array [shape=(batch, channels)].
    * Parameters and state: none.
    * Equivariance: the output is exactly invariant.

    Examples
    --------
    The mean of the constant function 1:

    >>> import numpy as np
    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Sphere(2, 1), nn.GlobalMean())
    >>> net([{}], np.sqrt(4 * np.pi) * np.eye(1, 4)[None]).tolist()
    [[1.0]]
    """

    def out_type(self, in_type: SignalType) -> Features:
        expect_type(in_type, Sphere, SO3)
        if not in_type.real:
            raise ValueError(f"accepts real signals; its input is {in_type}")
        return Features(in_type.channels)

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        in_type = context.in_type
        if isinstance(in_type, Sphere):
            index = (..., 0)
            area = math.sqrt(4 * math.pi)
        else:
            index = (..., in_type.N - 1, 0)
            area = 8 * math.pi**2
        return anp.real(get_item(x, index)) / area


class GlobalMax(Layer):
    r"""Largest sample of each channel: Sphere or SO3 -> Features.

    .. math:: y_c = \max_i f_c(x_i)

    over the samples x_i of a Gauss-Legendre grid of ``oversample`` times the band-limits.

    Parameters
    ----------
    oversample : float
        Oversampling factor of the grid, from 1 to 16.

    Notes
    -----
    * Input: real `Sphere`, complex array [shape=(batch, channels, L*L)], or real `SO3`, [shape=(batch,
      channels, 2N-1, L*L)].
    * Output: `Features`, real array [shape=(batch, channels)].
    * Parameters and state: none.
    * Equivariance: the output is approximately invariant, up to the spacing of the samples; maxima between
      samples are not found.

    If several samples are equal to the maximum, the derivative is divided equally among them.

    Examples
    --------
    The maximum of cos(theta), 1, is at a pole, which is not a sample:

    >>> import numpy as np
    >>> from spherekit import nn
    >>> x = np.sqrt(4 * np.pi / 3) * np.array([0, 0, 1, 0], complex)
    >>> for oversample in (1, 4, 16):
    ...     net = nn.Sequential(nn.Sphere(2, 1), nn.GlobalMax(oversample))
    ...     print(oversample, net([{}], x[None, None]).round(3).tolist())
    1 [[0.577]]
    4 [[0.96]]
    16 [[0.997]]
    """

    oversample: float = 1

    def __post_init__(self):
        set_fields(self, oversample=oversampling(self.oversample))

    def out_type(self, in_type: SignalType) -> Features:
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

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        in_type = context.in_type
        options = dict(sampling=self._grid(in_type), reality=True, threads=context.threads)
        if isinstance(in_type, Sphere):
            f = harmonic.inverse(x, in_type.L, **options)
        else:
            f = wigner.inverse(x, in_type.L, in_type.N, **options)
        return largest(anp.reshape(f, (*f.shape[:2], math.prod(f.shape[2:]))), (-1,))


@primitive
def largest(x, axes):
    """Maximum along ``axes``; equal maxima share the derivative equally.

    (The rules of autograd's ``max`` widen float32, and its forward rule fails on several axes.)

    >>> from autograd import grad
    >>> grad(lambda x: largest(x, (0,)))(np.array([1.0, 3.0, 3.0])).tolist()
    [0.0, 0.5, 0.5]
    """
    return np.max(x, axis=axes)


def _shares(largest, x, axes):
    """Derivative of the maximum with respect to each entry."""
    mask = getval(x) == np.expand_dims(getval(largest), axes)
    count = np.sum(mask, axis=axes, keepdims=True)
    return mask / count.astype(getval(x).dtype)


defvjp(
    largest,
    lambda y, x, axes: lambda g: anp.expand_dims(g, axes) * _shares(y, x, axes),
    argnums=(0,),
)
defjvp(largest, lambda t, y, x, axes: anp.sum(t * _shares(y, x, axes), axis=axes), argnums=(0,))
