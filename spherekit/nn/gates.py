"""Functions of single numbers that a gate makes: what is let through, and what is scaled down."""

from functools import partial

import numpy as np
from autograd.tracer import getval

from spherekit._jit import jit
from spherekit.linear import linear_map


def leaky(x, slope=0.0):
    """x where x > 0, else ``slope`` x; its derivative at 0 is ``slope``.

    >>> leaky(np.array([-2.0, 3.0]), 0.5).tolist()
    [-1.0, 3.0]
    """
    return gate.forward(x, by=getval(x), slope=slope)


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
