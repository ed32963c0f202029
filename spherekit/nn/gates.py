"""Functions of single numbers that a gate makes: what is let through, and what is scaled down."""

from functools import partial

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import getval

from spherekit._jit import jit
from spherekit.linear import linear_map
from spherekit.scattering.modulus import direction, divide, modulus


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
