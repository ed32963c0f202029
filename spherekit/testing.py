"""Helpers for tests of spherical transforms and of code that uses them.

`random_flm` and `random_flmn` generate coefficients; `assert_adjoint`, `assert_gradient` and
`assert_equivariant` check the three properties of the operators of this package. They raise
`AssertionError` with the compared numbers in the message.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from spherekit._core import checks
from spherekit._core.scaling import exponent, ldexp
from spherekit.conventions.indexing import alternate, degrees_and_orders, mirrored, opposite

__all__ = ["assert_adjoint", "assert_equivariant", "assert_gradient", "random_flm", "random_flmn"]


def __dir__():
    return sorted(__all__)


def random_flm(
    L: int,
    rng: np.random.Generator | np.random.SeedSequence | int,
    *,
    spin: int = 0,
    reality: bool = False,
    shape: tuple[int, ...] | int = (),
    dtype: DTypeLike = np.complex128,
) -> np.ndarray:
    """Random harmonic coefficients: independent, complex Gaussian, of mean 0 and ``E|flm|^2 = 1``.

    Parameters
    ----------
    L : int
        Band-limit; degrees 0..L-1.
    rng : numpy.random.Generator, SeedSequence or int
        Generator of random numbers, or its seed.
    spin : int
        Spin, ``|spin| < L``: coefficients of degrees ``l < |spin|`` are zero.
    reality : bool
        Whether the signal is real: ``f_{l,-m} = (-1)^m conj(f_lm)``, and f_l0 is real. Requires spin 0.
    shape : tuple of int, or int
        Leading axes.
    dtype : dtype
        complex64 or complex128.

    Returns
    -------
    complex ndarray [shape=(*shape, L*L)]
        Coefficients ``flm[..., l*l + l + m]``.

    Raises
    ------
    ValueError
        L < 1, ``|spin| >= L``, a spin other than 0 with ``reality``, or an axis of negative length.
    TypeError
        A dtype other than complex64 and complex128, or L, spin, shape or seed that are not integers.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.testing import random_flm
    >>> flm = random_flm(4, np.random.default_rng(1), spin=2)
    >>> flm.shape, int(np.count_nonzero(flm[:4]))
    ((16,), 0)
    """
    L, rng = checks.band_limit(L), checks.generator(rng)
    spin = checks.spin_number(spin, L, reality)
    dtype = checks.data_type(dtype, "dtype", np.complex64, np.complex128)
    shape = (*_leading_axes(shape), L * L)
    flm = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)
    if reality:
        ell, m = degrees_and_orders(L)
        flm = np.where(m < 0, opposite(flm, ell, m), flm)
        flm[..., m == 0] = np.sqrt(2) * flm[..., m == 0].real
    flm[..., : spin * spin] = 0
    return flm.astype(dtype)


def random_flmn(
    L: int,
    N: int,
    rng: np.random.Generator | np.random.SeedSequence | int,
    *,
    reality: bool = False,
    steerable: bool = False,
    shape: tuple[int, ...] | int = (),
    dtype: DTypeLike = np.complex128,
) -> np.ndarray:
    """Random Wigner coefficients: complex Gaussian, of mean 0 and ``E|flmn|^2 = 1``; zero for ``l < |n|``.

    Parameters
    ----------
    L : int
        Band-limit; degrees 0..L-1.
    N : int
        Azimuthal band-limit; orders ``|n| < N``, 1 <= N <= L.
    rng : numpy.random.Generator, SeedSequence or int
        Generator of random numbers, or its seed.
    reality : bool
        Whether the signal is real: ``f_{l,-m,-n} = (-1)^(m+n) conj(f_lmn)``.
    steerable : bool
        Whether only orders n of the parity of N-1 occur.
    shape : tuple of int, or int
        Leading axes.
    dtype : dtype
        complex64 or complex128.

    Returns
    -------
    complex ndarray [shape=(*shape, 2N-1, L*L)]
        Coefficients ``flmn[..., N-1+n, l*l + l + m]``.

    Raises
    ------
    ValueError
        L < 1, N not in 1..L, or an axis of negative length.
    TypeError
        A dtype other than complex64 and complex128, or L, N, shape or seed that are not integers.

    Examples
    --------
    Degree 0 has only the order n = 0:

    >>> import numpy as np
    >>> from spherekit.testing import random_flmn
    >>> flmn = random_flmn(4, 2, np.random.default_rng(1))
    >>> flmn.shape, int(np.count_nonzero(flmn[:, 0]))
    ((3, 16), 1)
    """
    L, rng = checks.band_limit(L), checks.generator(rng)
    N = checks.azimuthal_limit(N, L)
    dtype = checks.data_type(dtype, "dtype", np.complex64, np.complex128)
    rows = [random_flm(L, rng, spin=n, shape=shape) for n in range(1 - N, N)]
    flmn = np.stack(rows, axis=-2)
    if reality:
        n = np.arange(1 - N, N)[:, None]
        flmn = (flmn + alternate(mirrored(flmn[..., ::-1, :]), n)) / np.sqrt(2)
    if steerable:
        flmn[..., 1::2, :] = 0
    return flmn.astype(dtype)


def assert_adjoint(
    forward: Callable[[np.ndarray], ArrayLike],
    adjoint: Callable[[np.ndarray], ArrayLike],
    x: ArrayLike,
    y: ArrayLike,
    rtol: float = 1e-12,
    *,
    real: bool = False,
) -> None:
    """Check that a function is the adjoint of a linear map: ``<y, forward(x)> = <adjoint(y), x>``.

    Parameters
    ----------
    forward : callable
        The linear map; it maps ``x`` to an array of the shape of ``y``.
    adjoint : callable
        Its conjugate transpose; it maps ``y`` to an array of the shape of ``x``.
    x, y : array_like
        Elements of the domain and of the range; random, so that the test is conclusive.
    rtol : float
        Largest difference of the two products, relative to the larger of ``|y| |forward(x)|`` and
        ``|adjoint(y)| |x|``.
    real : bool
        Whether only real parts are compared: for maps that are linear over the real numbers only,
        or that map complex arrays to real ones (``reality=True``).

    Returns
    -------
    None

    Raises
    ------
    AssertionError
        The products differ by more than rtol, or results are not finite or have the wrong shape.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.testing import assert_adjoint
    >>> a = np.array([[1, 2j], [3, 4], [5, 6]])
    >>> assert_adjoint(lambda x: a @ x, lambda y: a.conj().T @ y, np.ones(2), np.ones(3))
    """
    x, y = np.asarray(x), np.asarray(y)
    forward_x, adjoint_y = np.asarray(forward(x)), np.asarray(adjoint(y))
    _assert_shape("forward(x)", forward_x, "y", y)
    _assert_shape("adjoint(y)", adjoint_y, "x", x)
    if not (np.isfinite(forward_x).all() and np.isfinite(adjoint_y).all()):
        raise AssertionError("dot test: forward(x) or adjoint(y) contains NaN or infinite numbers")
    (left, left_scale, e), (right, right_scale, _) = _unit_products((y, forward_x), (adjoint_y, x))
    if real:
        left, right = left.real, right.real
    scale, difference = max(left_scale, right_scale), abs(left - right)
    if not difference <= rtol * scale:
        raise AssertionError(
            f"dot test: <y, forward(x)> = {left:.17g}, <adjoint(y), x> = {right:.17g} (times 2^{e}); "
            f"they differ by {difference / scale if scale else difference:.3g} of the product of the "
            f"norms, allowed {rtol:.3g}"
        )


@contextmanager
def _numpy_seed(seed):
    """Context in which NumPy's global random numbers have this seed; the previous state is restored."""
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(state)


def assert_gradient(
    f: Callable,
    *args: ArrayLike,
    order: int = 2,
    modes: Sequence[Literal["fwd", "rev"]] = ("fwd", "rev"),
) -> None:
    """Check derivatives of a function against finite differences, and their shapes and types.

    The function is differentiated with respect to every subset of the arguments, so that mixed
    second derivatives are checked too.

    Parameters
    ----------
    f : callable
        Differentiable function of the positional arguments; returns an array or a number.
    *args : array_like of float64 or complex128
        Point at which ``f`` is differentiated. The directions are the same in every run.
    order : int
        Highest order of the derivatives.
    modes : sequence of {"fwd", "rev"}
        Forward mode (JVP), reverse mode (VJP), or both.

    Returns
    -------
    None

    Raises
    ------
    AssertionError
        A derivative differs from the finite difference (by autograd's relative tolerance of 1e-6),
        or the shape or type of a gradient is not that of its argument.
    TypeError
        An argument is not in double precision, so that finite differences are not conclusive.

    Examples
    --------
    >>> import autograd.numpy as anp
    >>> from spherekit.testing import assert_gradient
    >>> assert_gradient(lambda x, y: anp.sin(x) * y, 0.3, 2.0)
    """
    from autograd import make_vjp
    from autograd.test_util import check_grads

    for position, arg in enumerate(args):
        if np.asarray(arg).dtype not in (np.float64, np.complex128):
            raise TypeError(
                f"argument {position} has type {np.asarray(arg).dtype}: finite differences need "
                "float64 or complex128"
            )
    with _numpy_seed(0):  # autograd draws the directions of its differences from this generator
        for argnums in _subsets(len(args)):
            check_grads(f, argnums, modes=list(modes), order=order)(*args)
    if "rev" not in modes:
        return
    for position, arg in enumerate(args):
        vjp, value = make_vjp(f, position)(*args)
        gradient = np.asarray(vjp(np.ones_like(value)))
        _assert_shape(f"gradient {position}", gradient, "its argument", np.asarray(arg))
        if gradient.dtype != np.asarray(arg).dtype:
            raise AssertionError(
                f"gradient {position} has type {gradient.dtype}, its argument "
                f"{np.asarray(arg).dtype}"
            )


def assert_equivariant(
    f: Callable,
    transform_in: Callable,
    transform_out: Callable,
    x: ArrayLike,
    rtol: float,
) -> None:
    """Check that a map is equivariant: ``f(transform_in(x)) = transform_out(f(x))``.

    Parameters
    ----------
    f : callable
        The map.
    transform_in, transform_out : callable
        Action of the same group element, for example of a rotation, on arguments and on results of ``f``.
    x : array_like
        Argument.
    rtol : float
        Largest absolute difference, relative to the largest absolute value of the right side.

    Returns
    -------
    None

    Raises
    ------
    AssertionError
        The difference is larger or not finite, or the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.testing import assert_equivariant
    >>> shift = lambda x: np.roll(x, 3)
    >>> assert_equivariant(np.square, shift, shift, np.arange(8.0), rtol=1e-15)
    """
    left = np.asarray(f(transform_in(x)))
    right = np.asarray(transform_out(f(x)))
    _assert_shape("f(transform_in(x))", left, "transform_out(f(x))", right)
    error = np.max(np.abs(left - right), initial=0)
    scale = np.max(np.abs(right), initial=0)
    if not error <= rtol * scale:
        raise AssertionError(
            f"not equivariant: largest difference {error:.3g}, largest value {scale:.3g}, "
            f"allowed relative {rtol:.3g}"
        )


def _leading_axes(shape):
    """Lengths of axes; an integer is the length of a single axis."""
    if isinstance(shape, Iterable) and not isinstance(shape, str):
        return tuple(checks.integer(n, "a length in shape", 0) for n in shape)
    return (checks.integer(shape, "shape", 0, hint="or a tuple of such numbers"),)


def _subsets(count):
    """All subsets of positions, as tuples; a single position as a number."""
    for size in range(1, count + 1):
        for positions in itertools.combinations(range(count), size):
            yield positions if size > 1 else positions[0]


def _assert_shape(name, array, expected_name, expected):
    if array.shape != expected.shape:
        raise AssertionError(
            f"{name} has shape {array.shape}, {expected_name} has shape {expected.shape}"
        )


def _unit_products(*pairs):
    """(<a, b>, |a| |b|, e) of each pair, both divided by a common 2^e so that no product over- or underflows.

    In double precision, so that the test measures the error of float32 operators, not of the sum.
    """
    products = []
    powers = [exponent(a) + exponent(b) for a, b in pairs]
    common = max(powers)
    for (a, b), power in zip(pairs, powers, strict=True):
        a, b = (ldexp(x.astype(np.complex128), -exponent(x)) for x in (a, b))
        size = float(np.linalg.norm(a) * np.linalg.norm(b))
        products.append((*ldexp(np.array([np.vdot(a, b), size]), power - common), common))
    return [(inner, size.real, e) for inner, size, e in products]
