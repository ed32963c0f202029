"""Helpers for tests of spherical transforms and of code built on them.

`random_flm` makes coefficients; `assert_adjoint`, `assert_gradient` and `assert_equivariant`
check the three properties that everything in this package promises. They raise `AssertionError`
with the figures, so that they read well in any test runner.
"""

import itertools
from collections.abc import Iterable
from contextlib import contextmanager

import numpy as np

from spherekit._core import checks
from spherekit._core.scaling import exponent, ldexp
from spherekit.conventions.indexing import alternate, degrees_and_orders, mirrored, opposite

__all__ = ["assert_adjoint", "assert_equivariant", "assert_gradient", "random_flm", "random_flmn"]


def random_flm(L, rng, *, spin=0, reality=False, shape=(), dtype=np.complex128):
    """Random coefficients: complex Gaussian, mean 0, E|flm|^2 = 1, independent.

    Parameters
    ----------
    L : int
        Band-limit; degrees 0..L-1.
    rng : numpy.random.Generator, or int
        Where the numbers come from, or its seed.
    spin : int
        Coefficients of degree l < |spin| are zero. |spin| < L.
    reality : bool
        Coefficients of a real signal: f_{l,-m} = (-1)^m conj(f_lm), f_l0 real. Needs spin 0.
    shape : tuple of int, or int
        Leading axes.
    dtype : complex64 or complex128
        Type of the result.

    Returns
    -------
    numpy.ndarray, shape + (L*L,)
        Coefficients, flat: ``flm[..., l*l + l + m]``.

    Raises
    ------
    ValueError
        L < 1, |spin| >= L, reality with a spin, a negative length of an axis.
    TypeError
        Another dtype; a shape that is not of whole numbers.

    Examples
    --------
    >>> import numpy as np
    >>> flm = random_flm(4, np.random.default_rng(1), spin=2)
    >>> flm.shape, bool(np.all(flm[:4] == 0))
    ((16,), True)
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


def random_flmn(L, N, rng, *, reality=False, steerable=False, shape=(), dtype=np.complex128):
    """Random Wigner coefficients: complex Gaussian, mean 0, E|flmn|^2 = 1, zero for l < |n|.

    Parameters
    ----------
    L, N : int
        Band-limits, 1 <= N <= L.
    rng, shape, dtype
        As in `random_flm`.
    reality : bool
        Coefficients of a real signal: f_{l,-m,-n} = (-1)^{m+n} conj f_lmn.
    steerable : bool
        Only orders n of the parity of N-1.

    Returns
    -------
    numpy.ndarray, shape + (2N-1, L*L)
        ``flmn[..., N-1+n, l*l + l + m]``.

    Examples
    --------
    >>> import numpy as np
    >>> flmn = random_flmn(4, 2, np.random.default_rng(1))
    >>> flmn.shape, bool(np.all(flmn[[0, 2], 0] == 0))
    ((3, 16), True)
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


def assert_adjoint(forward, adjoint, x, y, rtol=1e-12, *, real=False):
    """Dot test: <y, forward(x)> = <adjoint(y), x>.

    Parameters
    ----------
    forward, adjoint : callable
        The linear map, x -> an array like y, and its conjugate transpose, y -> an array like x.
    x, y : array_like
        One element (random, of the right type) of the domain and of the range.
    rtol : float
        Largest difference of the two products, relative to |y| |forward(x)| or
        |adjoint(y)| |x|, whichever is larger.
    real : bool
        Compare real parts: for maps that are linear over the real numbers only, or that carry
        complex arrays to real ones (``reality=True``).

    Raises
    ------
    AssertionError
        The products differ by more than rtol, are not finite, or have the wrong shape.

    Examples
    --------
    >>> import numpy as np
    >>> a = np.array([[1, 2j], [3, 4], [5, 6]])
    >>> assert_adjoint(lambda x: a @ x, lambda y: a.conj().T @ y, np.ones(2), np.ones(3))
    """
    x, y = np.asarray(x), np.asarray(y)
    forward_x, adjoint_y = np.asarray(forward(x)), np.asarray(adjoint(y))
    _assert_shape("forward(x)", forward_x, "y", y)
    _assert_shape("adjoint(y)", adjoint_y, "x", x)
    if not (np.isfinite(forward_x).all() and np.isfinite(adjoint_y).all()):
        raise AssertionError("dot test: forward(x) or adjoint(y) holds NaN or infinite numbers")
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
    """NumPy's global random numbers from this seed on; their state before is restored."""
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(state)


def assert_gradient(f, *args, order=2, modes=("fwd", "rev")):
    """Check derivatives of f against finite differences, and their shapes and types.

    Every set of arguments is differentiated at once: each alone, each pair, and so on to all of
    them, so that mixed second derivatives are checked too.

    Parameters
    ----------
    f : callable
        Differentiable function of the positional arguments; returns an array or a number.
    *args : float64 or complex128 arrays or numbers
        Where to differentiate, with respect to every set of the arguments; always in the same directions.
    order : int
        Highest order checked.
    modes : sequence of "fwd" and "rev"
        Forward mode (JVP) and reverse mode (VJP).

    Raises
    ------
    AssertionError
        A derivative differs from the finite difference (relative 1e-6, that of autograd), or
        a gradient has not the shape and type of its argument.
    TypeError
        An argument is not in double precision: finite differences would say nothing.

    Examples
    --------
    >>> import autograd.numpy as anp
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
    with _numpy_seed(0):  # autograd draws the directions of its differences from there
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


def assert_equivariant(f, transform_in, transform_out, x, rtol):
    """f(transform_in(x)) = transform_out(f(x)).

    Parameters
    ----------
    f : callable
        The map under test.
    transform_in, transform_out : callable
        How the same group element (a rotation, say) acts on arguments and on results of f.
    x : array_like
        Argument.
    rtol : float
        Largest absolute difference, relative to the largest absolute value of the right side.

    Raises
    ------
    AssertionError
        The difference is larger, or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> shift = lambda x: np.roll(x, 3)
    >>> assert_equivariant(np.square, shift, shift, np.arange(8.0), rtol=1e-15)
    """
    moved_first, moved_last = np.asarray(f(transform_in(x))), np.asarray(transform_out(f(x)))
    _assert_shape("f(transform_in(x))", moved_first, "transform_out(f(x))", moved_last)
    error = np.max(np.abs(moved_first - moved_last), initial=0)
    scale = np.max(np.abs(moved_last), initial=0)
    if not error <= rtol * scale:
        raise AssertionError(
            f"not equivariant: largest difference {error:.3g}, largest value {scale:.3g}, "
            f"allowed relative {rtol:.3g}"
        )


def _leading_axes(shape):
    """Lengths of axes; a whole number is that of a single axis."""
    if isinstance(shape, Iterable) and not isinstance(shape, str):
        return tuple(checks.integer(n, "a length in shape", 0) for n in shape)
    return (checks.integer(shape, "shape", 0, hint="or a tuple of these"),)


def _subsets(count):
    """Every set of positions, as a tuple; of a single position as a number."""
    for size in range(1, count + 1):
        for positions in itertools.combinations(range(count), size):
            yield positions if size > 1 else positions[0]


def _assert_shape(name, array, expected_name, expected):
    if array.shape != expected.shape:
        raise AssertionError(
            f"{name} has shape {array.shape}, {expected_name} has shape {expected.shape}"
        )


def _unit_products(*pairs):
    """(<a, b>, |a| |b|, e) of each pair, both over 2^e, the same for all: no product over- or underflows.

    In double precision, so that float32 operators are judged, not the sum.
    """
    products, powers = [], [exponent(a) + exponent(b) for a, b in pairs]
    common = max(powers)
    for (a, b), power in zip(pairs, powers, strict=True):
        a, b = (ldexp(x.astype(np.complex128), -exponent(x)) for x in (a, b))
        size = float(np.linalg.norm(a) * np.linalg.norm(b))
        products.append((*ldexp(np.array([np.vdot(a, b), size]), power - common), common))
    return [(inner, size.real, e) for inner, size, e in products]
