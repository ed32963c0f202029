"""One gradient rule for every linear map: the map and its adjoint are each other's gradient.

For a linear map A with conjugate transpose A^H, autograd's convention for complex numbers makes the
reverse rule ``g -> conj(A^H conj(g))`` (the plain ``A^H g`` is wrong) and the forward rule A itself.
Since both are primitives again, gradients exist to any order. A linear map needs nothing from the
forward pass, so the tape holds no arrays.
"""

from collections import namedtuple

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import getval, isbox

from spherekit.timing import timed

__all__ = ["Pair", "cast", "conj", "is_traced", "like", "linear_map", "registry", "same_precision"]

#: A linear map and its adjoint, as autograd primitives.
Pair = namedtuple("Pair", "name forward adjoint")

_registry = []


def linear_map(name, forward, adjoint, *, real=False):
    """Make ``forward`` and ``adjoint`` autograd primitives, each the other's gradient.

    Parameters
    ----------
    name : str
        Name in the registry.
    forward, adjoint : callable
        Functions of one array and keyword flags; ``adjoint`` is the conjugate transpose, taken in
        Re<u, v> where one side is real.
    real : bool
        The map is a matrix of real numbers, so that conjugates may be left out: A^H conj g = conj A^H g.

    Returns
    -------
    Pair

    >>> import numpy as np
    >>> from autograd import grad
    >>> M = np.array([[1.0, 2.0], [0.0, 1.0]])
    >>> pair = linear_map("doc", lambda x: M @ x, lambda y: M.T @ y)
    >>> _ = _registry.pop()
    >>> grad(lambda x: (pair.forward(x) ** 2).sum())(np.array([1.0, 1.0]))
    array([ 6., 14.])
    """
    forward, adjoint = timed(name, forward), timed(f"{name}, adjoint", adjoint)
    pair = Pair(name, primitive(forward), primitive(adjoint))
    for function, transpose in ((pair.forward, pair.adjoint), (pair.adjoint, pair.forward)):
        defvjp(function, _reverse_rule(transpose, real), argnums=(0,))
        defjvp(function, "same", argnums=(0,))
    _registry.append(pair)
    return pair


def _reverse_rule(transpose, real_map):
    def rule(answer, x, **flags):
        real = not anp.iscomplexobj(x)

        def pullback(g):
            result = transpose(g if real_map else conj(g), **flags)
            if real or real_map:
                return like(result, x)
            if isinstance(result, np.ndarray):  # untraced and made for us: no second array
                return np.conj(result, out=result)
            return conj(result)

        return pullback

    return rule


def conj(x):
    """The conjugate, without a copy of what is real."""
    return anp.conj(x) if anp.iscomplexobj(x) else x


def like(g, x):
    """A gradient by x: real where x is, complex where x is."""
    if anp.iscomplexobj(g) == anp.iscomplexobj(x):
        return g
    return g + 0j if anp.iscomplexobj(x) else anp.real(g)


def cast(x, dtype):
    """``x`` as real or complex numbers of another precision; gradients come in that of ``x``.

    >>> import numpy as np
    >>> from autograd import grad
    >>> grad(lambda x: cast(x, np.float64) ** 2)(np.float32(3)).dtype
    dtype('float32')
    """
    source = np.result_type(getval(x))
    return x if source == dtype else _casting.forward(x, source=source, target=np.dtype(dtype))


def same_precision(*arrays):
    """The arrays in the widest precision among them, real and complex as they were."""
    wide = any(np.finfo(x.dtype).bits == 64 for x in arrays)
    kinds = (np.float64, np.complex128) if wide else (np.float32, np.complex64)
    return [cast(x, kinds[anp.iscomplexobj(x)]) for x in arrays]


def is_traced(x):
    """Whether autograd is following ``x``."""
    return isbox(x)


def registry():
    """Every pair made so far, for the test that walks them."""
    return tuple(_registry)


_casting = linear_map(
    "linear.cast",
    lambda x, *, source, target: np.asarray(x).astype(target),
    lambda g, *, source, target: np.asarray(g).astype(source),
)
