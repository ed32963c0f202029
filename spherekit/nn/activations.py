"""Non-linear layers on samples: activations of signals on the sphere and SO(3), of spin fields; products.

A pointwise function of a band-limited signal is not band-limited. Its high degrees alias and break
equivariance; the error decreases with ``oversample``, the ratio of the band-limit of the samples to that of
the signal. Products are band-limited, and exact on enough samples.
"""

import math
from collections import namedtuple
from collections.abc import Callable
from functools import partial

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import getval

from spherekit._core import checks
from spherekit._core.jit import leaf
from spherekit._core.modulus import direction, divide, modulus
from spherekit.conventions import degrees
from spherekit.harmonic import transform as harmonic
from spherekit.linear import linear_map
from spherekit.nn.layer import Context, Layer, cached_by_type
from spherekit.nn.scaled_reductions import get_item
from spherekit.nn.types import (
    SO3,
    SignalType,
    Sphere,
    SpinFields,
    expect_spin_0,
    expect_type,
    optional_size,
    oversampling,
    set_fields,
)
from spherekit.sampling import GL, RotationGrid
from spherekit.wigner import transform as wigner


def leaky_relu(x, slope=0.0):
    """x where x > 0, ``slope`` x elsewhere; the derivative at 0 is ``slope``.

    >>> leaky_relu(np.array([-2.0, 3.0]), 0.5).tolist()
    [-1.0, 3.0]
    """
    return gate.forward(x, reference=getval(x), slope=slope)


@primitive
def tanh(x):
    """Hyperbolic tangent, with the derivative 1 - tanh(x)^2, which is finite for every x.

    >>> float(tanh(1000.0))
    1.0
    """
    return np.tanh(x)


defvjp(tanh, lambda y, x: lambda g: g * (1 - y * y))
defjvp(tanh, lambda t, y, x: t * (1 - y * y))


def _gate(x, *, reference, slope):
    x = np.ascontiguousarray(x)
    y = np.empty(x.shape, x.dtype)
    _gate_flat(
        x.reshape(-1),
        np.ascontiguousarray(reference).reshape(-1),
        x.dtype.type(slope),
        y.reshape(-1),
    )
    return y


@leaf
def _gate_flat(x, reference, slope, out):
    for i in range(x.size):
        out[i] = x[i] if reference[i] > 0 else slope * x[i]


#: x where ``reference`` > 0, ``slope`` x elsewhere: linear in x, and self-adjoint.
gate = linear_map("nn.gate", _gate, partial(_gate), real=True)


# --- functions of the modulus --------------------------------------------------------------------------


@primitive
def gated_modulus(f, bias):
    """relu(|f| + b) f/|f|, and 0 where f is 0.

    ``f`` is a complex array (batch, channels, n_theta, n_phi); ``bias`` has a value b for each channel.

    With the slope q = relu(|f| + b)/|f|, the direction u = f/|f| and the derivative h of the relu, 0 or 1,

        dy = q df + (h - q) u Re(conj(u) df) + h u db,

    where no term is larger than q. The slope is limited to the square root of the largest number of the
    dtype: where |f| is below b over this root, y = q f.
    """
    return _slope(f, bias)[0] * f


def _slope(f, bias):
    """Slope q, and the derivative h as the factor of changes of f along itself, and of changes of b."""
    size = modulus(f)
    bias = anp.reshape(bias, (-1, 1, 1))
    gated = leaky_relu(size + bias)
    length = getval(size)
    height = getval(gated)
    max_slope = np.sqrt(np.finfo(length.dtype).max)
    is_bounded = length > height / max_slope
    slope = divide(gated, size, is_bounded)
    derivative = (height > 0).astype(length.dtype)
    is_steep = (length > 0) & ~is_bounded
    if not is_steep.any():
        return slope, derivative, derivative
    steep = is_steep.astype(length.dtype)
    along = derivative + (max_slope - 1) * steep
    return slope + max_slope * steep, along, derivative * (1 - steep)


def _vjp_field(y, f, bias):
    def pullback(g):
        slope, along, _ = _slope(f, bias)
        u = direction(f)
        return slope * g + (along - slope) * anp.real(u * g) * anp.conj(u)

    return pullback


def _vjp_bias(y, f, bias):
    return lambda g: anp.sum(_slope(f, bias)[2] * anp.real(direction(f) * g), axis=(0, 2, 3))


def _jvp_field(t, y, f, bias):
    slope, along, _ = _slope(f, bias)
    u = direction(f)
    return slope * t + (along - slope) * anp.real(anp.conj(u) * t) * u


def _jvp_bias(t, y, f, bias):
    return _slope(f, bias)[2] * anp.reshape(t, (-1, 1, 1)) * direction(f)


defvjp(gated_modulus, _vjp_field, _vjp_bias)
defjvp(gated_modulus, _jvp_field, _jvp_bias)


#: Functions of arrays by name.
FUNCTIONS = {
    "relu": leaky_relu,
    "leaky_relu": lambda x: leaky_relu(x, 0.1),
    "tanh": tanh,
    "softplus": lambda x: anp.logaddexp(x, 0 * x),
    "square": lambda x: x * x,
    "abs": modulus,
}


def named_function(function) -> Callable:
    """The function of a name in `FUNCTIONS`; callables are returned unchanged.

    Raises
    ------
    ValueError
        If ``function`` is neither a name in `FUNCTIONS` nor callable.

    >>> named_function("abs")(np.array([-1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    result = FUNCTIONS.get(function) if isinstance(function, str) else function
    if not callable(result):
        raise ValueError(
            f"function must be one of {', '.join(FUNCTIONS)}, or a callable; got {function!r}"
        )
    return result


# --- layers --------------------------------------------------------------------------------------------

#: The transforms of `Pointwise`: synthesis, analysis, the band-limits of both, and the grid.
_Transforms = namedtuple("_Transforms", "inverse forward limits_in limits_out grid")


class Pointwise(Layer):
    r"""A pointwise function of real signals, applied to their samples: Sphere -> Sphere, SO3 -> SO3.

    .. math:: y = \mathcal{F}\, \sigma(\mathcal{F}^{-1} x)

    with the harmonic (Wigner) transform F on a Gauss-Legendre grid of ``oversample`` times the band-limits of
    the input (Cohen, Geiger, Koehler and Welling 2018, arXiv:1801.10130; Esteves et al. 2018,
    arXiv:1711.06721).

    Parameters
    ----------
    function : str or callable
        ``"relu"``, ``"leaky_relu"`` (slope 0.1), ``"tanh"``, ``"softplus"``, ``"square"``, ``"abs"``; or a
        function of an array, written with ``autograd.numpy``.
    oversample : float
        Oversampling factor, from 1 to 16.
    L : int, optional
        Band-limit of the output; that of the input by default. A smaller L is spectral pooling; a larger L is
        allowed.
    N : int, optional
        Azimuthal band-limit of the output on SO(3), at most L; that of the input by default.

    Notes
    -----
    * Input: real `Sphere`, complex array [shape=(batch, channels, L_in*L_in)], or real `SO3`,
      [shape=(batch, channels, 2*N_in-1, L_in*L_in)].
    * Output: the same type, with the band-limits L and N.
    * Parameters and state: none.
    * Equivariance: approximate. Degrees of the result beyond the band-limit of the samples alias; the error
      decreases with ``oversample``. ``"square"`` is band-limited, and exact from ``oversample=1.5`` on for an
      L up to that of the input; `Square` needs the smallest number of samples.

    Examples
    --------
    The equivariance error of a ReLU decreases with the oversampling factor:

    >>> import numpy as np
    >>> from spherekit import nn
    >>> from spherekit.testing import random_flm
    >>> x = random_flm(8, np.random.default_rng(0), reality=True, shape=(4, 1))
    >>> for oversample in (1, 2, 4):
    ...     net = nn.Sequential(nn.Sphere(8, 1), nn.Pointwise("relu", oversample))
    ...     print(oversample, round(nn.equivariance_error(net, [{}], x, 0), 3))
    1 0.242
    2 0.02
    4 0.004
    """

    function: object = "relu"
    oversample: float = 1
    L: int | None = None
    N: int | None = None

    def __post_init__(self):
        named_function(self.function)
        L, N = optional_size(self.L, "L"), optional_size(self.N, "N")
        set_fields(self, oversample=oversampling(self.oversample), L=L, N=N)

    def out_type(self, in_type: SignalType) -> Sphere | SO3:
        expect_type(in_type, Sphere, SO3)
        if not in_type.real:
            raise TypeError(
                f"accepts real signals; its input is {in_type}; for spin fields use ModulusPhase"
            )
        L = in_type.L if self.L is None else self.L
        if isinstance(in_type, Sphere):
            return Sphere(L, in_type.channels)
        return SO3(L, min(in_type.N if self.N is None else self.N, L), in_type.channels)

    @cached_by_type
    def _transforms(self, in_type):
        out_type = self.out_type(in_type)
        L = max(math.ceil(self.oversample * in_type.L), out_type.L)
        grid = GL(L).quick()
        if isinstance(in_type, Sphere):
            limits = (in_type.L,), (out_type.L,)
            return _Transforms(harmonic.inverse, harmonic.forward, *limits, grid)
        N = max(min(math.ceil(self.oversample * in_type.N), L), out_type.N)
        limits = (in_type.L, in_type.N), (out_type.L, out_type.N)
        return _Transforms(wigner.inverse, wigner.forward, *limits, RotationGrid(L, N, grid))

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        transforms = self._transforms(context.in_type)
        function = named_function(self.function)
        options = dict(reality=True, sampling=transforms.grid, threads=context.threads)
        f = function(transforms.inverse(x, *transforms.limits_in, **options))
        return _analysis(transforms.forward, f, self.function, *transforms.limits_out, **options)


def _analysis(forward, f, function, *limits, **options):
    """Coefficients of samples; an error about samples that are not finite names the function."""
    try:
        return forward(f, *limits, **options)
    except ValueError:
        nonfinite = np.size(getval(f)) - np.count_nonzero(np.isfinite(getval(f)))
        if not nonfinite:
            raise
        default = "the function"
        label = function if isinstance(function, str) else getattr(function, "__name__", default)
        raise ValueError(
            f"{label} returns {nonfinite} of {np.size(getval(f))} samples as NaN or infinite"
        ) from None


class ModulusPhase(Layer):
    r"""Rectified modulus of spin fields, with the phase unchanged: SpinFields -> SpinFields.

    .. math:: y_{c,s} = \mathrm{relu}(|f_{c,s}| + b_{c,s})\, \frac{f_{c,s}}{|f_{c,s}|} \quad (s \neq 0),
              \qquad y_{c,0} = \mathrm{relu}(\mathrm{Re} f_{c,0} + b_{c,0})

    for each sample of a Gauss-Legendre grid (Esteves, Makadia and Daniilidis 2020, arXiv:2006.10731).

    Parameters
    ----------
    oversample : float
        Oversampling factor of the grid, from 1 to 16.

    Notes
    -----
    * Input and output: `SpinFields`, complex array [shape=(batch, channels, spins, L*L)].
    * Parameters: ``bias`` [shape=(spins, channels)], real, initially 0. State: none.
    * Equivariance: approximate, up to aliases, as for `Pointwise`. A rotation changes only the phase of a
      spin field at a point, which the layer preserves.

    If b > 0 the function is discontinuous at f = 0, where its value and derivative are 0. Near zeros of f its
    slope is limited to the square root of the largest number of the dtype, 2e19 in float32, so that rounding
    errors of a field that should be 0 do not lead to infinite derivatives.

    Examples
    --------
    The biases and the type of the output:

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.SpinFields(8, (0, 1), 3), nn.ModulusPhase(oversample=2))
    >>> net.out_type()
    SpinFields(8, (0, 1), 3)
    >>> params, state = net.init(0)
    >>> params[0]["bias"].shape
    (2, 3)
    """

    oversample: float = 1

    def __post_init__(self):
        set_fields(self, oversample=oversampling(self.oversample))

    def out_type(self, in_type: SignalType) -> SpinFields:
        return expect_type(in_type, SpinFields)

    @cached_by_type
    def _grid(self, in_type):
        return GL(math.ceil(self.oversample * in_type.L)).quick()

    def init(self, in_type: SignalType, rng: np.random.Generator) -> tuple[dict, dict]:
        return {"bias": np.zeros((len(in_type.spins), in_type.channels))}, {}

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        L = context.in_type.L
        results = []
        options = dict(sampling=self._grid(context.in_type), threads=context.threads)
        for k, spin in enumerate(context.in_type.spins):
            flm = get_item(x, (..., k, slice(None)))
            bias = params["bias"][k]
            f = harmonic.inverse(flm, L, spin=spin, **options)
            y = gated_modulus(f, bias) if spin else _gated_real(f, bias)
            name = "relu(|f| + b) f/|f|" if spin else "relu(Re f + b)"
            results.append(_analysis(harmonic.forward, y, name, L, spin=spin, **options))
        return anp.stack(results, axis=-2)


def _gated_real(f, bias):
    return leaky_relu(anp.real(f) + bias[:, None, None]) * np.ones(1, f.dtype)


class PhaseCollapse(Layer):
    r"""Moduli of spin fields, collapsed into the field of spin 0: SpinFields -> SpinFields.

    .. math:: y_{d,0} = \mathrm{relu}\Bigl(\sum_c A_{dc}\, \mathrm{Re} f_{c,0}
              + \sum_{c,s} B_{s,dc}\, |f_{c,s}| + b_d\Bigr), \qquad y_{c,s} = f_{c,s} \quad (s \neq 0)

    for each sample of a Gauss-Legendre grid (Esteves, Slotine and Makadia 2023, arXiv:2306.05420, section 4).

    Parameters
    ----------
    oversample : float
        Oversampling factor of the grid, from 1 to 16.

    Notes
    -----
    * Input and output: `SpinFields` with a field of spin 0, complex array [shape=(batch, channels, spins,
      L*L)].
    * Parameters, real: ``own`` [shape=(channels, channels)], the matrix A; ``moduli`` [shape=(spins,
      channels, channels)], the matrices B; ``bias`` [shape=(channels,)], initially 0. State: none.
    * Equivariance: approximate, up to aliases, as for `Pointwise`.

    Examples
    --------
    The parameters of three channels of spins 0 and 1:

    >>> from spherekit import nn
    >>> params, state = nn.Sequential(nn.SpinFields(8, (0, 1), 3), nn.PhaseCollapse()).init(0)
    >>> {name: array.shape for name, array in params[0].items()}
    {'own': (3, 3), 'moduli': (2, 3, 3), 'bias': (3,)}
    """

    oversample: float = 1

    def __post_init__(self):
        set_fields(self, oversample=oversampling(self.oversample))

    def out_type(self, in_type: SignalType) -> SpinFields:
        return expect_spin_0(in_type)

    @cached_by_type
    def _grid(self, in_type):
        return GL(math.ceil(self.oversample * in_type.L))

    def init(self, in_type: SignalType, rng: np.random.Generator) -> tuple[dict, dict]:
        channels = in_type.channels
        count = len(in_type.spins)
        scalar = rng.standard_normal((channels, channels))
        moduli = rng.standard_normal((count, channels, channels))
        scale = 1 / np.sqrt(channels * (1 + count))
        return {"own": scale * scalar, "moduli": scale * moduli, "bias": np.zeros(channels)}, {}

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        L = context.in_type.L
        spins = context.in_type.spins
        scalar_index = spins.index(0)
        options = dict(sampling=self._grid(context.in_type), threads=context.threads)
        fields = [
            harmonic.inverse(get_item(x, (..., k, slice(None))), L, spin=spin, **options)
            for k, spin in enumerate(spins)
        ]
        total = anp.einsum("dc,bctp->bdtp", params["own"], anp.real(fields[scalar_index]))
        for k, f in enumerate(fields):
            total = total + anp.einsum("dc,bctp->bdtp", params["moduli"][k], modulus(f))
        total = leaky_relu(total + params["bias"][:, None, None])
        options["reality"] = True
        collapsed = _analysis(harmonic.forward, total, "the sum of moduli", L, **options)
        rows = [collapsed if k == scalar_index else x[..., k, :] for k in range(len(spins))]
        return anp.stack(rows, axis=-2)


class Square(Layer):
    """The exact square of each channel: Sphere -> Sphere.

    .. math:: y_c(x) = f_c(x)^2

    A quadratic activation at O(L^3). In terms of coefficients it is the sum of all products with l1 + l2 + l
    even, weighted by Gaunt coefficients (Luo, Chen and Krishnapriyan 2024, arXiv:2401.10216).

    Parameters
    ----------
    L : int, optional
        Band-limit of the output; that of the input by default. From 2 L_in - 1 on, the output is the complete
        square.

    Notes
    -----
    * Input: `Sphere` of spin 0, complex array [shape=(batch, channels, L_in*L_in)].
    * Output: `Sphere`, [shape=(batch, channels, L*L)], real if the input is.
    * Parameters and state: none.
    * Equivariance: exact. On a Gauss-Legendre grid with ``2 n_theta >= 2 L_in + L - 1`` and
      ``n_phi >= 2 L_in + L - 2``, no degree aliases into those below L.

    Examples
    --------
    The square of cos(theta) has the mean 1/3:

    >>> import numpy as np
    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.Sphere(2, 1), nn.Square(), nn.GlobalMean())
    >>> x = np.sqrt(4 * np.pi / 3) * np.array([0, 0, 1, 0], complex)
    >>> net([{}, {}], x[None, None]).round(4).tolist()
    [[0.3333]]
    """

    L: int | None = None

    def __post_init__(self):
        set_fields(self, L=optional_size(self.L, "L"))

    def out_type(self, in_type: SignalType) -> Sphere:
        if expect_type(in_type, Sphere).spin:
            raise ValueError(f"accepts signals of spin 0; its input is {in_type}")
        return Sphere(in_type.L if self.L is None else self.L, in_type.channels, in_type.real)

    @cached_by_type
    def _limit_and_grid(self, in_type):
        L = self.out_type(in_type).L
        return L, _exact_for_products(in_type.L, L)

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        in_type = context.in_type
        L, grid = self._limit_and_grid(in_type)
        options = dict(sampling=grid, reality=in_type.real, threads=context.threads)
        f = harmonic.inverse(x, in_type.L, **options)
        return _analysis(harmonic.forward, f * f, "the square", L, **options)


class PoissonBracket(Layer):
    r"""The exact Poisson bracket of each channel with the next: Sphere -> Sphere.

    .. math:: y_c = \hat r \cdot (\nabla f_c \times \nabla f_{c+1})
              = \mathrm{Im}\bigl((\eth f_c)^*\, \eth f_{c+1}\bigr)

    where the last channel is paired with the first. These are the couplings with l1 + l2 + l odd, which
    pointwise products of samples do not contain. The spin-raised field has the coefficients sqrt(l(l+1)) f_lm
    of spin 1.

    Notes
    -----
    * Input and output: real `Sphere` of spin 0 with at least two channels, complex array [shape=(batch,
      channels, L*L)].
    * Parameters and state: none.
    * Equivariance: exact. The bracket is a product, of band-limit 2L-1; the samples suffice for its degrees
      below L, which are the output.

    Examples
    --------
    With two channels the bracket is antisymmetric:

    >>> import numpy as np
    >>> from spherekit import nn
    >>> from spherekit.testing import random_flm
    >>> x = random_flm(4, np.random.default_rng(0), reality=True, shape=(1, 2))
    >>> y = nn.Sequential(nn.Sphere(4, 2), nn.PoissonBracket())([{}], x)
    >>> bool(np.allclose(y[:, 0], -y[:, 1]))
    True
    """

    def out_type(self, in_type: SignalType) -> Sphere:
        expect_type(in_type, Sphere)
        if in_type.spin or not in_type.real or in_type.channels < 2:
            raise ValueError(
                f"accepts real signals of spin 0 with at least two channels; its input is {in_type}"
            )
        return in_type

    @cached_by_type
    def _tables(self, in_type):
        """Grid, sqrt(l(l+1)) of each coefficient, and the index of the next channel of each channel."""
        L = in_type.L
        ell = degrees(in_type.L)
        next_channel = np.roll(np.arange(in_type.channels), -1)
        return _exact_for_products(L, L), np.sqrt(ell * (ell + 1.0)), next_channel

    def forward(self, params: dict, x: np.ndarray, context: Context) -> np.ndarray:
        L = context.in_type.L
        grid, raising_factors, next_channel = self._tables(context.in_type)
        options = dict(sampling=grid, threads=context.threads)
        df = harmonic.inverse(x * raising_factors.astype(checks.real_type(x)), L, spin=1, **options)
        bracket = anp.imag(anp.conj(df) * df[:, next_channel])
        return _analysis(harmonic.forward, bracket, "the bracket", L, reality=True, **options)


def _exact_for_products(L, L_out):
    """Grid on which products of two signals of band-limit L have exact coefficients below L_out."""
    return GL(max(2 * L, L_out) if L_out > L else -(-(2 * (L - 1) + L_out + 1) // 2)).quick()
