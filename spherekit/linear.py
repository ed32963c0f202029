"""Differentiation of linear maps: a map and its adjoint are each other's gradient.

For a linear map A with conjugate transpose A^H, autograd's convention for complex numbers makes the
reverse rule ``g -> conj(A^H conj(g))`` (the plain ``A^H g`` is wrong) and the forward rule A itself.
Both are primitives, so that gradients exist to any order. The gradient of a linear map depends on no
intermediate result, so that the tape stores no arrays.
"""

from collections.abc import Callable
from typing import NamedTuple

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import getval, isbox
from numpy.typing import DTypeLike

from spherekit.timing import timed

__all__ = ["Pair", "cast", "conj", "is_traced", "like", "linear_map", "registry", "same_precision"]


def __dir__():
    return sorted(__all__)


class Pair(NamedTuple):
    """A linear map and its adjoint, as autograd primitives; `linear_map` creates it.

    Parameters
    ----------
    name : str
        Name in the registry.
    forward : callable
        The map.
    adjoint : callable
        Its conjugate transpose.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import linear
    >>> pair = linear.linear_map("example.sum", np.sum, lambda y: np.full(3, y))
    >>> pair.forward(np.ones(3)).item(), pair.adjoint(2.0)
    (3.0, array([2., 2., 2.]))
    """

    name: str
    forward: Callable
    adjoint: Callable


_registry = []


def linear_map(name: str, forward: Callable, adjoint: Callable, *, real: bool = False) -> Pair:
    """Define a differentiable linear map by two functions, the map and its adjoint.

    Both become autograd primitives, each the gradient of the other: in reverse mode
    ``g -> conj(A^H conj(g))``, in forward mode A itself.

    Parameters
    ----------
    name : str
        Name in the registry, and in profiles.
    forward, adjoint : callable
        Functions of one array and keyword flags, the same for both; ``adjoint`` is the conjugate transpose,
        with respect to the inner product Re<u, v> where one side is real. Errors that they raise propagate.
    real : bool
        Whether the map is a matrix of real numbers. Then no conjugates are computed, since
        ``conj(A^H conj(g)) = A^H g``.

    Returns
    -------
    Pair
        The primitives.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import grad
    >>> from spherekit.linear import linear_map
    >>> M = np.array([[1.0, 2.0], [0.0, 1.0]])
    >>> pair = linear_map("example.matrix", lambda x: M @ x, lambda y: M.T @ y)
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
            if isinstance(result, np.ndarray):  # untraced and not shared: conjugate in place
                return np.conj(result, out=result)
            return conj(result)

        return pullback

    return rule


def conj(x: np.ndarray) -> np.ndarray:
    """Complex conjugate, without a copy of real arrays.

    Parameters
    ----------
    x : ndarray
        Numbers, which autograd may trace.

    Returns
    -------
    ndarray
        The conjugate, or ``x`` itself if it is real.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.linear import conj
    >>> x = np.ones(2)
    >>> conj(x) is x, conj(1j * x)
    (True, array([0.-1.j, 0.-1.j]))
    """
    return anp.conj(x) if anp.iscomplexobj(x) else x


def like(g: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Convert a gradient by ``x`` to real numbers where ``x`` is real, else to complex numbers.

    Parameters
    ----------
    g : ndarray
        Gradient.
    x : ndarray
        Argument of the differentiated function.

    Returns
    -------
    ndarray
        ``g``, its real part, or ``g`` as complex numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.linear import like
    >>> like(np.array([1 + 2j]), np.ones(1))
    array([1.])
    """
    if anp.iscomplexobj(g) == anp.iscomplexobj(x):
        return g
    return g + 0j if anp.iscomplexobj(x) else anp.real(g)


def cast(x: np.ndarray, dtype: DTypeLike) -> np.ndarray:
    """Convert an array to another precision, differentiably.

    Parameters
    ----------
    x : ndarray
        Real or complex numbers, which autograd may trace.
    dtype : dtype
        Type of the result: real for real numbers, complex for complex ones.

    Returns
    -------
    ndarray
        ``x`` in the new type; ``x`` itself if it has that type. Gradients have the type of ``x``.

    Raises
    ------
    TypeError
        ``dtype`` is not a dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import grad
    >>> from spherekit.linear import cast
    >>> grad(lambda x: cast(x, np.float64) ** 2)(np.float32(3)).dtype
    dtype('float32')
    """
    source = np.result_type(getval(x))
    return x if source == dtype else _casting.forward(x, source=source, target=np.dtype(dtype))


def same_precision(*arrays: np.ndarray) -> list[np.ndarray]:
    """Convert arrays to the highest precision among them; real arrays remain real.

    Parameters
    ----------
    *arrays : ndarray
        Arrays of float32, float64, complex64 or complex128, which autograd may trace.

    Returns
    -------
    list of ndarray
        The arrays, all in single or all in double precision.

    Raises
    ------
    ValueError
        An array of another dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.linear import same_precision
    >>> [x.dtype.name for x in same_precision(np.ones(2, np.float32), np.ones(2, complex))]
    ['float64', 'complex128']
    """
    double = any(np.finfo(x.dtype).bits == 64 for x in arrays)
    kinds = (np.float64, np.complex128) if double else (np.float32, np.complex64)
    return [cast(x, kinds[anp.iscomplexobj(x)]) for x in arrays]


def is_traced(x: object) -> bool:
    """Whether autograd traces ``x``: inside a function that is being differentiated.

    Parameters
    ----------
    x : object
        Any argument.

    Returns
    -------
    bool
        True if ``x`` is a box of autograd.

    Examples
    --------
    >>> from autograd import grad
    >>> from spherekit.linear import is_traced
    >>> is_traced(1.0), float(grad(lambda x: x * is_traced(x))(1.0))
    (False, 1.0)
    """
    return isbox(x)


def registry() -> tuple[Pair, ...]:
    """All linear maps that were defined by `linear_map`.

    Returns
    -------
    tuple of Pair
        In the order of their definition. A test checks each against its adjoint.

    Examples
    --------
    >>> from spherekit import harmonic, linear
    >>> "harmonic.inverse" in [pair.name for pair in linear.registry()]
    True
    """
    return tuple(_registry)


_casting = linear_map(
    "linear.cast",
    lambda x, *, source, target: np.asarray(x).astype(target),
    lambda g, *, source, target: np.asarray(g).astype(source),
)
