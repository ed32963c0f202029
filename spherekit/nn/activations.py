"""Functions of samples: on the sphere, on SO(3), of spin fields; and products that sampling makes exact.

A function of a band-limited signal is not band-limited: what it aliases breaks equivariance, the less the
finer the samples, ``oversample`` times the band-limit. Products are band-limited, and exact.
"""

import math
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
from spherekit.nn.network import Layer, expect, named
from spherekit.nn.scaled_reductions import take
from spherekit.nn.types import Group, Sphere, Spins
from spherekit.sampling import GL, RotationGrid
from spherekit.wigner import transform as wigner


def leaky(x, slope=0.0):
    """x where x > 0, else ``slope`` x; its derivative at 0 is ``slope``.

    >>> leaky(np.array([-2.0, 3.0]), 0.5).tolist()
    [-1.0, 3.0]
    """
    return gate.forward(x, by=getval(x), slope=slope)


@primitive
def tanh(x):
    """tanh(x), whose derivative 1 - tanh(x)^2 is a number for every x.

    >>> float(tanh(1000.0))
    1.0
    """
    return np.tanh(x)


defvjp(tanh, lambda y, x: lambda g: g * (1 - y * y))
defjvp(tanh, lambda t, y, x: t * (1 - y * y))


def _gate(x, *, by, slope):
    x = np.ascontiguousarray(x)
    made = np.empty(x.shape, x.dtype)
    _let_through(
        x.reshape(-1), np.ascontiguousarray(by).reshape(-1), x.dtype.type(slope), made.reshape(-1)
    )
    return made


@jit
def _let_through(x, by, slope, out):
    for i in range(x.size):
        out[i] = x[i] if by[i] > 0 else slope * x[i]


#: x where ``by`` > 0, else ``slope`` x: linear in x, and its own adjoint.
gate = linear_map("nn.gate", _gate, partial(_gate), real=True)


# --- of the modulus ------------------------------------------------------------------------------------


@primitive
def gated_modulus(f, bias):
    """relu(|f| + b) f/|f|, and 0 where f is 0.

    f (batch, channels, n_theta, n_phi) complex, a bias b for each channel.

    With the slope q = relu(|f| + b)/|f|, the direction u = f/|f| and the step h of the relu,

        dy = q df + (h - q) u Re(conj(u) df) + h u db,

    of which nothing is larger than q. That is at most the root of the largest number: where |f| is below b
    over this root, y = q f.
    """
    return _slope(f, bias)[0] * f


def _slope(f, bias):
    """(q, its part h along f, the part that the bias has)."""
    size, bias = modulus(f), anp.reshape(bias, (-1, 1, 1))
    passed = leaky(size + bias)
    length, height = getval(size), getval(passed)
    steepest = np.sqrt(np.finfo(length.dtype).max)
    below = length > height / steepest
    slope, open_ = divide(passed, size, below), (height > 0).astype(length.dtype)
    steep = (length > 0) & ~below
    if not steep.any():
        return slope, open_, open_
    steep = steep.astype(length.dtype)
    return slope + steepest * steep, open_ + (steepest - 1) * steep, open_ * (1 - steep)


def _by_field(y, f, bias):
    def pull_back(g):
        (slope, along, _), u = _slope(f, bias), direction(f)
        return slope * g + (along - slope) * anp.real(u * g) * anp.conj(u)

    return pull_back


def _by_bias(y, f, bias):
    return lambda g: anp.sum(_slope(f, bias)[2] * anp.real(direction(f) * g), axis=(0, 2, 3))


def _along_field(t, y, f, bias):
    (slope, along, _), u = _slope(f, bias), direction(f)
    return slope * t + (along - slope) * anp.real(anp.conj(u) * t) * u


def _along_bias(t, y, f, bias):
    return _slope(f, bias)[2] * anp.reshape(t, (-1, 1, 1)) * direction(f)


defvjp(gated_modulus, _by_field, _by_bias)
defjvp(gated_modulus, _along_field, _along_bias)


#: Functions by name; others are given themselves, made of autograd.numpy.
FUNCTIONS = {
    "relu": leaky,
    "leaky_relu": lambda x: leaky(x, 0.1),
    "tanh": tanh,
    "softplus": lambda x: anp.logaddexp(x, 0 * x),
    "square": lambda x: x * x,
    "abs": modulus,
}


def pointwise(function="relu", oversample=1, *, L=None, N=None):
    """A function of the samples of real signals, on the sphere or on SO(3).

    Parameters
    ----------
    function : str or callable
        One of `FUNCTIONS`, or a function of an array in autograd.numpy.
    oversample : float
        Samples for ``oversample`` times the band-limits, on Gauss-Legendre rings.
    L, N : int, optional
        Band-limits of the result; those that come unless said: a smaller L pools in the spectrum.
    """
    oversample = checks.oversampling(oversample)
    act = FUNCTIONS.get(function) if isinstance(function, str) else function
    if not callable(act):
        raise ValueError(
            f"function is {function!r}; known are {', '.join(FUNCTIONS)}, or a callable"
        )

    def bind(takes):
        expect(takes, Sphere, Group)
        if not takes.real:
            raise TypeError(
                f"takes real signals; what comes is {takes}; of spins use modulus_phase"
            )
        after = takes.L if L is None else checks.band_limit(L)
        fine = max(math.ceil(oversample * takes.L), after)
        how = dict(reality=True)
        if isinstance(takes, Sphere):
            gives, grid = Sphere(after, takes.channels), GL(fine).quick()
            there, back, limits = harmonic.inverse, harmonic.forward, ((takes.L,), (after,))
        else:
            orders = min(takes.N if N is None else checks.whole_number(N, "N", 1), after)
            finest = max(min(math.ceil(oversample * takes.N), fine), orders)
            gives = Group(after, orders, takes.channels)
            grid = RotationGrid(fine, finest, GL(fine).quick())
            there, back = wigner.inverse, wigner.forward
            limits = (takes.L, takes.N), (after, orders)

        def apply(x, mode):
            some = how | dict(sampling=grid, threads=mode.threads)
            f = act(there(x, *limits[0], **some))
            return analysed(back, f, function, *limits[1], **some)

        return named("pointwise", takes, gives, apply)

    return bind


def analysed(forward, f, function, *limits, **how):
    """Coefficients of samples that a function has made; says so where they are no numbers."""
    try:
        return forward(f, *limits, **how)
    except ValueError:
        lost = np.size(getval(f)) - np.count_nonzero(np.isfinite(getval(f)))
        if not lost:
            raise
        label = function if isinstance(function, str) else getattr(function, "__name__", "it")
        raise ValueError(
            f"{label} makes {lost} of {np.size(getval(f))} samples NaN or infinite"
        ) from None


def modulus_phase(oversample=1):
    """Of spin fields: relu(|f| + b) f/|f|, a bias b for each channel; of spin 0 relu(Re f + b).

    (Esteves, Makadia and Daniilidis 2020, arXiv:2006.10731, section 3.) With b > 0 that jumps where f is 0,
    where it is 0 with derivative 0; beside it the slope is at most the root of the largest number, 2e19 in
    float32, so that the rounding of a field that should be 0 is no reason for infinite derivatives.
    """

    oversample = checks.oversampling(oversample)

    def bind(takes):
        expect(takes, Spins)
        L, grid = takes.L, GL(math.ceil(oversample * takes.L)).quick()

        def apply(params, x, mode):
            results = []
            for number, spin in enumerate(takes.spins):
                how = dict(spin=spin, sampling=grid, threads=mode.threads)
                some, bias = take(x, (..., number, slice(None))), params["bias"][number]
                f = harmonic.inverse(some, L, **how)
                f = gated_modulus(f, bias) if spin else _gated_real(f, bias)
                results.append(analysed(harmonic.forward, f, "relu(|f| + b) f/|f|", L, **how))
            return anp.stack(results, axis=-2)

        def init(rng):
            return {"bias": np.zeros((len(takes.spins), takes.channels))}

        return Layer("modulus_phase", takes, takes, init, apply)

    return bind


def _gated_real(f, bias):
    return leaky(anp.real(f) + bias[:, None, None]) * np.ones(1, f.dtype)


def phase_collapse(oversample=1):
    """Spin 0 takes in the moduli of all spins: f_0 <- relu(Re(A f_0) + B |f_s| + b); the others stay.

    A and B mix channels (Esteves, Slotine and Makadia 2023, arXiv:2306.05420, section 4).
    """

    oversample = checks.oversampling(oversample)

    def bind(takes):
        expect(takes, Spins)
        if 0 not in takes.spins:
            raise ValueError(f"takes spins with 0 among them; what comes is {takes}")
        L, C, zero = takes.L, takes.channels, takes.spins.index(0)
        grid, count = GL(math.ceil(oversample * L)), len(takes.spins)

        def init(rng):
            own, moduli = rng.standard_normal((C, C)), rng.standard_normal((count, C, C))
            scale = 1 / np.sqrt(C * (1 + count))
            return {"own": scale * own, "moduli": scale * moduli, "bias": np.zeros(C)}

        def apply(params, x, mode):
            how = dict(sampling=grid, threads=mode.threads)
            fields = [
                harmonic.inverse(take(x, (..., k, slice(None))), L, spin=spin, **how)
                for k, spin in enumerate(takes.spins)
            ]
            total = anp.einsum("dc,bctp->bdtp", params["own"], anp.real(fields[zero]))
            for k, f in enumerate(fields):
                total = total + anp.einsum("dc,bctp->bdtp", params["moduli"][k], modulus(f))
            total = leaky(total + params["bias"][:, None, None])
            made = analysed(harmonic.forward, total, "the sum of moduli", L, reality=True, **how)
            rows = [made if k == zero else x[..., k, :] for k in range(count)]
            return anp.stack(rows, axis=-2)

        return Layer("phase_collapse", takes, takes, init, apply)

    return bind


def products(*, L=None):
    """The square of each channel, exactly: a strictly equivariant quadratic activation at O(L^3).

    Samples on a Gauss-Legendre grid that is exact for f^2 below L, n_theta >= (3L-2)/2 and n_phi >= 3L-2.
    In coefficients these are all products with l1 + l2 + l even, weighted by Gaunt's factors, summed
    (Luo, Chen and Krishnapriyan 2024, arXiv:2401.10216).
    """

    def bind(takes):
        expect(takes, Sphere)
        if takes.spin:
            raise ValueError(f"takes spin 0; what comes is {takes}")
        after = takes.L if L is None else checks.band_limit(L)
        grid = _exact(takes.L, after)

        def apply(x, mode):
            how = dict(sampling=grid, reality=takes.real, threads=mode.threads)
            f = harmonic.inverse(x, takes.L, **how)
            return analysed(harmonic.forward, f * f, "the square", after, **how)

        return named("products", takes, Sphere(after, takes.channels, takes.real), apply)

    return bind


def brackets():
    """The Poisson bracket r . (grad f x grad g) of each channel with the next, exactly: the odd couplings.

    With the spin-raised field of f, whose coefficients are sqrt(l(l+1)) f_lm in spin 1, df = f_theta + i
    f_phi/sin, the bracket is Im(conj(df) dg). Real signals, at least two channels.
    """

    def bind(takes):
        expect(takes, Sphere)
        if takes.spin or not takes.real or takes.channels < 2:
            raise ValueError(
                f"takes real signals of spin 0, two channels at least; what comes is {takes}"
            )
        L, grid = takes.L, _exact(takes.L, takes.L)
        ell = degrees(L)
        raised = np.sqrt(ell * (ell + 1.0))
        after = np.roll(np.arange(takes.channels), -1)

        def apply(x, mode):
            how = dict(sampling=grid, threads=mode.threads)
            df = harmonic.inverse(x * raised.astype(checks.real_type(x)), L, spin=1, **how)
            bracket = anp.imag(anp.conj(df) * df[:, after])
            return analysed(harmonic.forward, bracket, "the bracket", L, reality=True, **how)

        return named("brackets", takes, takes, apply)

    return bind


def _exact(L, after):
    """Rings and samples on which products of two signals below L are analysed exactly below ``after``."""
    return GL(2 * L if after > L else -(-(2 * (L - 1) + after + 1) // 2)).quick()
