"""Non-linear layers on samples: of signals on the sphere, on SO(3), of spin fields; and exact products.

A function of a band-limited signal is not band-limited: its aliases break equivariance, less on finer
samples, those for ``oversample`` times the band-limit. Products are band-limited, and exact on enough
samples.
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
from spherekit._core.jit import jit
from spherekit._core.modulus import direction, divide, modulus
from spherekit.conventions import degrees
from spherekit.harmonic import transform as harmonic
from spherekit.linear import linear_map
from spherekit.nn.layer import Layer, cached_by_type
from spherekit.nn.scaled_reductions import take
from spherekit.nn.types import (
    SO3,
    Sphere,
    SpinFields,
    expect_type,
    optional_size,
    oversampling,
    set_fields,
    with_spin_0,
)
from spherekit.sampling import GL, RotationGrid
from spherekit.wigner import transform as wigner


def leaky(x, slope=0.0):
    """x where x > 0, else ``slope`` x: the rectifier; its derivative at 0 is ``slope``.

    >>> leaky(np.array([-2.0, 3.0]), 0.5).tolist()
    [-1.0, 3.0]
    """
    return gate.forward(x, by=getval(x), slope=slope)


@primitive
def tanh(x):
    """tanh(x), with the derivative 1 - tanh(x)^2, which is finite for every x.

    >>> float(tanh(1000.0))
    1.0
    """
    return np.tanh(x)


defvjp(tanh, lambda y, x: lambda g: g * (1 - y * y))
defjvp(tanh, lambda t, y, x: t * (1 - y * y))


def _gate(x, *, by, slope):
    x = np.ascontiguousarray(x)
    y = np.empty(x.shape, x.dtype)
    _gate_flat(
        x.reshape(-1), np.ascontiguousarray(by).reshape(-1), x.dtype.type(slope), y.reshape(-1)
    )
    return y


@jit
def _gate_flat(x, by, slope, out):
    for i in range(x.size):
        out[i] = x[i] if by[i] > 0 else slope * x[i]


#: x where ``by`` > 0, else ``slope`` x: linear in x, and its own adjoint.
gate = linear_map("nn.gate", _gate, partial(_gate), real=True)


# --- functions of the modulus --------------------------------------------------------------------------


@primitive
def gated_modulus(f, bias):
    """relu(|f| + b) f/|f|, and 0 where f is 0.

    f (batch, channels, n_theta, n_phi) complex, a bias b for each channel.

    With the slope q = relu(|f| + b)/|f|, the direction u = f/|f| and the derivative h of the relu, 0 or 1,

        dy = q df + (h - q) u Re(conj(u) df) + h u db,

    of which no term is larger than q. The slope is at most the square root of the largest number of the type:
    where |f| is below b over this root, y = q f.
    """
    return _slope(f, bias)[0] * f


def _slope(f, bias):
    """(q, h as the factor of changes along f, h as that of changes of b)."""
    size, bias = modulus(f), anp.reshape(bias, (-1, 1, 1))
    gated = leaky(size + bias)
    length, height = getval(size), getval(gated)
    steepest = np.sqrt(np.finfo(length.dtype).max)
    below = length > height / steepest
    slope, open_ = divide(gated, size, below), (height > 0).astype(length.dtype)
    steep = (length > 0) & ~below
    if not steep.any():
        return slope, open_, open_
    steep = steep.astype(length.dtype)
    return slope + steepest * steep, open_ + (steepest - 1) * steep, open_ * (1 - steep)


def _by_field(y, f, bias):
    def pullback(g):
        (slope, along, _), u = _slope(f, bias), direction(f)
        return slope * g + (along - slope) * anp.real(u * g) * anp.conj(u)

    return pullback


def _by_bias(y, f, bias):
    return lambda g: anp.sum(_slope(f, bias)[2] * anp.real(direction(f) * g), axis=(0, 2, 3))


def _along_field(t, y, f, bias):
    (slope, along, _), u = _slope(f, bias), direction(f)
    return slope * t + (along - slope) * anp.real(anp.conj(u) * t) * u


def _along_bias(t, y, f, bias):
    return _slope(f, bias)[2] * anp.reshape(t, (-1, 1, 1)) * direction(f)


defvjp(gated_modulus, _by_field, _by_bias)
defjvp(gated_modulus, _along_field, _along_bias)


#: Functions of arrays by name.
FUNCTIONS = {
    "relu": leaky,
    "leaky_relu": lambda x: leaky(x, 0.1),
    "tanh": tanh,
    "softplus": lambda x: anp.logaddexp(x, 0 * x),
    "square": lambda x: x * x,
    "abs": modulus,
}


def named_function(function) -> Callable:
    """The function of that name in `FUNCTIONS`, or a callable itself.

    Raises
    ------
    ValueError
        Neither of the two.

    >>> named_function("abs")(np.array([-1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    known = FUNCTIONS.get(function) if isinstance(function, str) else function
    if not callable(known):
        raise ValueError(
            f"function is {function!r}; known are {', '.join(FUNCTIONS)}, or a callable"
        )
    return known


# --- layers --------------------------------------------------------------------------------------------

#: Of `Pointwise`: synthesis, analysis, the band-limits of both, the grid.
_Transforms = namedtuple("_Transforms", "inverse forward limits_in limits_out grid")


class Pointwise(Layer):
    """A function of the samples of real signals: Sphere -> Sphere, SO3 -> SO3.

    .. math:: y = \\mathcal{F}\\, \\sigma(\\mathcal{F}^{-1} x)

    with the transform F to coefficients, on Gauss-Legendre rings for ``oversample`` times the band-limits of
    the input (Cohen, Geiger, Koehler and Welling 2018, arXiv:1801.10130; Esteves et al. 2018,
    arXiv:1711.06721).

    Parameters
    ----------
    function : str or callable
        ``"relu"``, ``"leaky_relu"`` (slope 0.1), ``"tanh"``, ``"softplus"``, ``"square"``, ``"abs"``; or a
        function of an array, written with autograd.numpy.
    oversample : float
        From 1 to 16.
    L : int, optional
        Band-limit of the output, also above that of the input, which is the default: a smaller one pools in
        the spectrum.
    N : int, optional
        Azimuthal band-limit of the output on SO(3), at most L; by default that of the input.

    Notes
    -----
    Input: `Sphere`, real, ``(batch, channels, L_in*L_in)``; or `SO3`, real, ``(batch, channels, 2N_in-1,
    L_in*L_in)``. Output: of the same kind, of the band-limits L and N. No parameters.

    The function has no band-limit: degrees of its result beyond those of the samples alias, and break
    equivariance, less with larger ``oversample``. ``"square"`` is band-limited, and exact from
    ``oversample=1.5`` on for an L up to that of the input (`Square` uses the fewest samples that are enough).

    >>> from spherekit import nn
    >>> nn.Sequential(nn.SO3(8, 3, 2), nn.Pointwise("relu", oversample=2, L=4)).out_type()
    SO3(4, 3, 2)
    """

    function: object = "relu"
    oversample: float = 1
    L: int | None = None
    N: int | None = None

    def __post_init__(self):
        named_function(self.function)
        L, N = optional_size(self.L, "L"), optional_size(self.N, "N")
        set_fields(self, oversample=oversampling(self.oversample), L=L, N=N)

    def out_type(self, in_type):
        expect_type(in_type, Sphere, SO3)
        if not in_type.real:
            raise TypeError(
                f"accepts real signals; its input is {in_type}; of spin fields use ModulusPhase"
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

    def forward(self, params, x, context):
        transforms, function = self._transforms(context.in_type), named_function(self.function)
        options = dict(reality=True, sampling=transforms.grid, threads=context.threads)
        f = function(transforms.inverse(x, *transforms.limits_in, **options))
        return _analysis(transforms.forward, f, self.function, *transforms.limits_out, **options)


def _analysis(forward, f, function, *limits, **options):
    """Coefficients of the values of a function; names it where these are not finite."""
    try:
        return forward(f, *limits, **options)
    except ValueError:
        bad = np.size(getval(f)) - np.count_nonzero(np.isfinite(getval(f)))
        if not bad:
            raise
        label = function if isinstance(function, str) else getattr(function, "__name__", "it")
        raise ValueError(
            f"{label} makes {bad} of {np.size(getval(f))} samples NaN or infinite"
        ) from None


class ModulusPhase(Layer):
    """The rectified modulus of spin fields, with their phase: SpinFields -> SpinFields.

    .. math:: y_{c,s} = \\mathrm{relu}(|f_{c,s}| + b_{c,s})\\, \\frac{f_{c,s}}{|f_{c,s}|} \\quad (s \\neq 0),
              \\qquad y_{c,0} = \\mathrm{relu}(\\mathrm{Re} f_{c,0} + b_{c,0})

    at each sample, on Gauss-Legendre rings (Esteves, Makadia and Daniilidis 2020, arXiv:2006.10731).

    Parameters
    ----------
    oversample : float
        From 1 to 16: samples for ``oversample`` times the band-limit.

    Notes
    -----
    Input and output: `SpinFields`, ``(batch, channels, spins, L*L)``. Parameters: ``bias [shape=(spins,
    channels)]``, real, 0 at the start.

    Rotations change only the phase of a field at a point, so that the layer is equivariant but for aliases,
    as those of `Pointwise`.

    With b > 0 the function jumps where f is 0; there it is 0, with derivative 0. Near zeros of f its slope is
    at most the square root of the largest number of the type, 2e19 in float32: rounding errors of a field
    that should be 0 do not lead to infinite derivatives.

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.SpinFields(8, (0, 1), 3), nn.ModulusPhase(oversample=2))
    >>> net.out_type()
    SpinFields(8, (0, 1), 3)
    >>> net.init(0)[0][0]["bias"].shape
    (2, 3)
    """

    oversample: float = 1

    def __post_init__(self):
        set_fields(self, oversample=oversampling(self.oversample))

    def out_type(self, in_type):
        return expect_type(in_type, SpinFields)

    @cached_by_type
    def _grid(self, in_type):
        return GL(math.ceil(self.oversample * in_type.L)).quick()

    def init(self, in_type, rng):
        return {"bias": np.zeros((len(in_type.spins), in_type.channels))}, {}

    def forward(self, params, x, context):
        L, results = context.in_type.L, []
        options = dict(sampling=self._grid(context.in_type), threads=context.threads)
        for number, spin in enumerate(context.in_type.spins):
            flm, bias = take(x, (..., number, slice(None))), params["bias"][number]
            f = harmonic.inverse(flm, L, spin=spin, **options)
            y = gated_modulus(f, bias) if spin else _gated_real(f, bias)
            name = "relu(|f| + b) f/|f|" if spin else "relu(Re f + b)"
            results.append(_analysis(harmonic.forward, y, name, L, spin=spin, **options))
        return anp.stack(results, axis=-2)


def _gated_real(f, bias):
    return leaky(anp.real(f) + bias[:, None, None]) * np.ones(1, f.dtype)


class PhaseCollapse(Layer):
    """Moduli of spin fields collapsed into the field of spin 0: SpinFields -> SpinFields.

    .. math:: y_{d,0} = \\mathrm{relu}\\Bigl(\\sum_c A_{dc}\\, \\mathrm{Re} f_{c,0}
              + \\sum_{c,s} B_{s,dc}\\, |f_{c,s}| + b_d\\Bigr), \\qquad y_{c,s} = f_{c,s} \\quad (s \\neq 0)

    at each sample, on Gauss-Legendre rings (Esteves, Slotine and Makadia 2023, arXiv:2306.05420, section 4).

    Parameters
    ----------
    oversample : float
        From 1 to 16: samples for ``oversample`` times the band-limit.

    Notes
    -----
    Input and output: `SpinFields` with spin 0 among them, ``(batch, channels, spins, L*L)``. Parameters,
    real: ``own [shape=(channels, channels)]``, the A of the formula;
    ``moduli [shape=(spins, channels, channels)]``, the B; ``bias [shape=(channels,)]``, 0 at the start.
    Equivariant but for aliases, as those of `Pointwise`.

    >>> from spherekit import nn
    >>> net = nn.Sequential(nn.SpinFields(8, (0, 1), 3), nn.PhaseCollapse())
    >>> {name: array.shape for name, array in net.init(0)[0][0].items()}
    {'own': (3, 3), 'moduli': (2, 3, 3), 'bias': (3,)}
    """

    oversample: float = 1

    def __post_init__(self):
        set_fields(self, oversample=oversampling(self.oversample))

    def out_type(self, in_type):
        return with_spin_0(in_type)

    @cached_by_type
    def _grid(self, in_type):
        return GL(math.ceil(self.oversample * in_type.L))

    def init(self, in_type, rng):
        channels, count = in_type.channels, len(in_type.spins)
        own = rng.standard_normal((channels, channels))
        moduli = rng.standard_normal((count, channels, channels))
        scale = 1 / np.sqrt(channels * (1 + count))
        return {"own": scale * own, "moduli": scale * moduli, "bias": np.zeros(channels)}, {}

    def forward(self, params, x, context):
        L, spins = context.in_type.L, context.in_type.spins
        zero = spins.index(0)
        options = dict(sampling=self._grid(context.in_type), threads=context.threads)
        fields = [
            harmonic.inverse(take(x, (..., k, slice(None))), L, spin=spin, **options)
            for k, spin in enumerate(spins)
        ]
        total = anp.einsum("dc,bctp->bdtp", params["own"], anp.real(fields[zero]))
        for k, f in enumerate(fields):
            total = total + anp.einsum("dc,bctp->bdtp", params["moduli"][k], modulus(f))
        total = leaky(total + params["bias"][:, None, None])
        options["reality"] = True
        collapsed = _analysis(harmonic.forward, total, "the sum of moduli", L, **options)
        rows = [collapsed if k == zero else x[..., k, :] for k in range(len(spins))]
        return anp.stack(rows, axis=-2)


class Square(Layer):
    """The square of each channel, exactly: Sphere -> Sphere.

    .. math:: y_c(x) = f_c(x)^2

    a quadratic activation at O(L^3). In coefficients these are all products with l1 + l2 + l even, weighted
    by Gaunt coefficients, summed (Luo, Chen and Krishnapriyan 2024, arXiv:2401.10216).

    Parameters
    ----------
    L : int, optional
        Band-limit of the output; by default that of the input. From 2 L_in - 1 on it is the complete square.

    Notes
    -----
    Input: `Sphere` of spin 0, ``(batch, channels, L_in*L_in)``. Output: `Sphere`, ``(batch, channels, L*L)``,
    real where the input is. No parameters.

    Exact and exactly equivariant: on a Gauss-Legendre grid with ``2 n_theta >= 2 L_in + L - 1`` and
    ``n_phi >= 2 L_in + L - 2`` no degree aliases to those below L.

    >>> from spherekit import nn
    >>> nn.Sequential(nn.Sphere(8, 3), nn.Square(L=15)).out_type()
    Sphere(15, 3)
    """

    L: int | None = None

    def __post_init__(self):
        set_fields(self, L=optional_size(self.L, "L"))

    def out_type(self, in_type):
        if expect_type(in_type, Sphere).spin:
            raise ValueError(f"accepts signals of spin 0; its input is {in_type}")
        return Sphere(in_type.L if self.L is None else self.L, in_type.channels, in_type.real)

    @cached_by_type
    def _limit_and_grid(self, in_type):
        L = self.out_type(in_type).L
        return L, _exact_for_products(in_type.L, L)

    def forward(self, params, x, context):
        in_type = context.in_type
        L, grid = self._limit_and_grid(in_type)
        options = dict(sampling=grid, reality=in_type.real, threads=context.threads)
        f = harmonic.inverse(x, in_type.L, **options)
        return _analysis(harmonic.forward, f * f, "the square", L, **options)


class PoissonBracket(Layer):
    """The Poisson bracket of each channel with the next, exactly: Sphere -> Sphere.

    .. math:: y_c = \\hat r \\cdot (\\nabla f_c \\times \\nabla f_{c+1})
              = \\mathrm{Im}\\bigl(\\overline{\\eth f_c}\\, \\eth f_{c+1}\\bigr)

    of the last channel with the first. These are the couplings with l1 + l2 + l odd, which products of
    samples do not have. The spin-raised field has the coefficients sqrt(l(l+1)) f_lm in spin 1.

    Notes
    -----
    Input and output: `Sphere`, real, of spin 0, at least two channels, ``(batch, channels, L*L)``. No
    parameters.

    Exact and exactly equivariant: the bracket is a product, of band-limit 2L-1, and the samples are enough
    for its degrees below L, which are the output.

    >>> from spherekit import nn
    >>> nn.Sequential(nn.Sphere(8, 3), nn.PoissonBracket()).out_type()
    Sphere(8, 3)
    """

    def out_type(self, in_type):
        expect_type(in_type, Sphere)
        if in_type.spin or not in_type.real or in_type.channels < 2:
            raise ValueError(
                f"accepts real signals of spin 0 with at least two channels; its input is {in_type}"
            )
        return in_type

    @cached_by_type
    def _tables(self, in_type):
        """(grid, sqrt(l(l+1)) of each coefficient, the next channel of each)."""
        L, ell = in_type.L, degrees(in_type.L)
        next_channel = np.roll(np.arange(in_type.channels), -1)
        return _exact_for_products(L, L), np.sqrt(ell * (ell + 1.0)), next_channel

    def forward(self, params, x, context):
        L = context.in_type.L
        grid, raising, next_channel = self._tables(context.in_type)
        options = dict(sampling=grid, threads=context.threads)
        df = harmonic.inverse(x * raising.astype(checks.real_type(x)), L, spin=1, **options)
        bracket = anp.imag(anp.conj(df) * df[:, next_channel])
        return _analysis(harmonic.forward, bracket, "the bracket", L, reality=True, **options)


def _exact_for_products(L, after):
    """Grid on which products of two signals below L are analysed exactly below ``after``."""
    return GL(max(2 * L, after) if after > L else -(-(2 * (L - 1) + after + 1) // 2)).quick()
