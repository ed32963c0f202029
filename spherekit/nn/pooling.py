"""From many degrees to few, and from signals to one number for each channel."""

import math

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import getval

from spherekit._core import checks
from spherekit.conventions import orders
from spherekit.harmonic import transform as harmonic
from spherekit.nn.network import expect, named
from spherekit.nn.scaled_reductions import take
from spherekit.nn.types import Features, Group, Sphere, Spins, lower_limit
from spherekit.sampling import DH, GL, RotationGrid
from spherekit.wigner import transform as wigner


def spectral_pool(L, N=None):
    """Degrees below L, orders below N: exact and equivariant."""

    def bind(takes):
        expect(takes, Sphere, Spins, Group)
        after = checks.band_limit(L) if L is None else lower_limit(L, takes)
        if isinstance(takes, Group):
            orders = takes.N if N is None else checks.whole_number(N, "N", 1)
            few = min(orders, after, takes.N)
            place = ..., slice(takes.N - few, takes.N + few - 1), slice(after**2)
            gives = Group(after, few, takes.channels, takes.real)
            return named("spectral_pool", takes, gives, lambda x, mode: take(x, place))
        if isinstance(takes, Spins):
            gives = Spins(after, takes.spins, takes.channels)
        else:
            gives = Sphere(after, takes.channels, takes.real, takes.spin)
        place = ..., slice(after**2)
        return named("spectral_pool", takes, gives, lambda x, mode: take(x, place))

    return bind


def sample_pool(kind="mean", size=2):
    """Squares of ``size`` x ``size`` samples become one, on equiangular grids; the band-limit over ``size``.

    ``"mean"`` weighs them by sin(theta), the weighted average pooling of Esteves et al. 2018; ``"max"`` takes
    the largest. Both alias, and are equivariant in part.
    """
    if kind not in ("mean", "max"):
        raise ValueError(f"kind is {kind!r}; known are mean, max")
    size = checks.whole_number(size, "size", 2)

    def bind(takes):
        expect(takes, Sphere)
        if not takes.real or takes.L % size:
            even = "even L" if size == 2 else f"an L that {size} divides"
            raise ValueError(f"takes real signals of {even}; what comes is {takes}")
        L, few = takes.L, takes.L // size
        fine, coarse = DH(L, n_phi=2 * L), DH(few, n_phi=2 * few)
        # the middle of a square lies further east
        turn = np.exp(-1j * orders(few) * math.pi * (size - 1) / (2 * L))
        sine = np.sin(fine.theta).reshape(-1, size)
        weights = (sine / (size * sine.sum(axis=1, keepdims=True))).reshape(-1, 1)

        def apply(x, mode):
            how = dict(reality=True, threads=mode.threads)
            f = harmonic.inverse(x, L, sampling=fine, **how)
            squares = *f.shape[:-2], 2 * few, size, 2 * few, size
            if kind == "max":
                pooled = largest(anp.reshape(f, squares), (-3, -1))
            else:
                pooled = anp.sum(anp.reshape(f * weights.astype(f.dtype), squares), axis=(-3, -1))
            made = harmonic.forward(pooled, few, sampling=coarse, **how)
            return made * turn.astype(made.dtype)

        return named("sample_pool", takes, Sphere(few, takes.channels), apply)

    return bind


def mean():
    """The mean of every channel over the sphere or over SO(3): exactly invariant."""

    def bind(takes):
        expect(takes, Sphere, Group)
        if not takes.real or (isinstance(takes, Sphere) and takes.spin):
            raise ValueError(f"takes real signals; what comes is {takes}")
        on_sphere = isinstance(takes, Sphere)
        place = (..., 0) if on_sphere else (..., takes.N - 1, 0)
        area = math.sqrt(4 * math.pi) if on_sphere else 8 * math.pi**2
        gives = Features(takes.channels)
        return named("mean", takes, gives, lambda x, mode: anp.real(take(x, place)) / area)

    return bind


def maximum(oversample=1):
    """The largest sample of every channel: invariant up to the fineness of the samples."""
    oversample = checks.oversampling(oversample)

    def bind(takes):
        expect(takes, Sphere, Group)
        if not takes.real:
            raise ValueError(f"takes real signals; what comes is {takes}")
        grid = GL(math.ceil(oversample * takes.L))
        if isinstance(takes, Group):
            finest = min(math.ceil(oversample * takes.N), grid.L)
            grid = RotationGrid(grid.L, finest, grid)

        def apply(x, mode):
            how = dict(sampling=grid, reality=True, threads=mode.threads)
            if isinstance(takes, Sphere):
                f = harmonic.inverse(x, takes.L, **how)
            else:
                f = wigner.inverse(x, takes.L, takes.N, **how)
            return largest(anp.reshape(f, (*f.shape[:2], math.prod(f.shape[2:]))), (-1,))

        return named("maximum", takes, Features(takes.channels), apply)

    return bind


@primitive
def largest(x, axes):
    """The largest of the numbers along some axes; where several are, each has its share of the derivative.

    (The rules of autograd's ``max`` widen float32, and its forward rule fails on several axes.)

    >>> from autograd import grad
    >>> grad(lambda x: largest(x, (0,)))(np.array([1.0, 3.0, 3.0])).tolist()
    [0.0, 0.5, 0.5]
    """
    return np.max(x, axis=axes)


def _shares(largest, x, axes):
    """The derivative of the largest by each number."""
    mask = getval(x) == np.expand_dims(getval(largest), axes)
    count = np.sum(mask, axis=axes, keepdims=True)
    return mask / count.astype(getval(x).dtype)


defvjp(
    largest,
    lambda y, x, axes: lambda g: anp.expand_dims(g, axes) * _shares(y, x, axes),
    argnums=(0,),
)
defjvp(largest, lambda t, y, x, axes: anp.sum(t * _shares(y, x, axes), axis=axes), argnums=(0,))
