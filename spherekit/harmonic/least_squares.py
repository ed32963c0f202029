"""Analysis of samples without a sampling theorem: HEALPix, arbitrary rings, masked maps.

`analyse` fits the coefficients to the samples, either by least squares or by Jacobi iterations (repeated
quadrature of the residual), and returns the residual as a measure of their quality.

The results do not depend on the unit of the samples: these are scaled to order one by a power of two, and the
coefficients are scaled back. For scalar fields the degrees 0 and 1 are fitted and subtracted first, because a
large mean or dipole would otherwise dominate the norms of the stopping rules (a fixed number of Jacobi
iterations has none).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks, scaling
from spherekit._core.blas import single_threaded
from spherekit._core.labeled import check_coordinates, stated_sampling
from spherekit._core.missing import UNSEEN
from spherekit._core.parallel import thread_count
from spherekit.conventions import from_real
from spherekit.harmonic import lsqr
from spherekit.harmonic.masked_synthesis import MaskedSynthesis
from spherekit.harmonic.transform import (
    analysis_map,
    checked_arguments,
    peak_required_bytes,
    synthesis_map,
    warn_beyond_pixels,
)
from spherekit.sampling.base import Grid, directions

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator

_EPS = np.finfo(float).eps


class Residual(NamedTuple):
    """Quality of a fit of coefficients to samples, evaluated on the valid samples.

    Attributes
    ----------
    relative : float
        Root mean square of (samples - signal), divided by that of the samples about their mean (for spin
        fields: of the samples), so that a large mean does not conceal the residual. Where the samples are
        constant up to rounding, the divisor is the root mean square of the samples.
    iterations : int
        Number of iterations.
    converged : bool
        Whether the stopping rule of `analyse` was met.
    history : tuple of float
        The relative residual after each iteration (``"jacobi"``), or the last one (``"lsq"``).
    condition : float
        An estimate, from below, of the condition number of the least-squares problem: the ratio of the
        largest to the smallest singular value of the bidiagonal matrix of LSQR (Paige and Saunders 1982,
        section 5.3). Directions that the samples of a map do not contain, or do not determine at all, are
        not seen. An error of the samples changes the coefficients by at most this factor more than it does
        where the samples determine them best. None for ``"jacobi"``.

    With weights, all root mean squares and means are weighted.

    Examples
    --------
    A quadrupole has no component below band-limit 2: all of it is in the residual.

    >>> import numpy as np
    >>> import spherekit as sk
    >>> flm = np.zeros(9, complex)
    >>> flm[6] = 1
    >>> f = sk.inverse(flm, 3, sampling="healpix:4", reality=True)
    >>> _, residual = sk.analyse(f, 2, sampling="healpix:4", reality=True)
    >>> round(residual.relative, 3)
    1.0
    """

    relative: float
    iterations: int
    converged: bool
    history: tuple[float, ...]
    condition: float | None = None


def analyse(
    f: ArrayLike,
    L: int,
    *,
    spin: int = 0,
    sampling: Grid | str | None = None,
    reality: bool = False,
    method: Literal["lsq", "jacobi"] = "lsq",
    mask: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    tol: float = 1e-8,
    max_iter: int = 100,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> tuple[np.ndarray, Residual]:
    """Fit harmonic coefficients to the samples of one map, and measure the residual.

    ``analyse(s * f) = s * analyse(f)`` for any factor s, exactly for powers of two. For scalar fields, a
    constant added to the samples changes the coefficient of degree 0 only, up to the rounding of the samples.

    Parameters
    ----------
    f : array_like [shape=grid.shape]
        One map, real or complex; real with ``reality``. Samples outside ``mask`` are ignored, and may be NaN
        or UNSEEN.
    L : int
        Band-limit: degrees 0..L-1.
    spin : int
        Spin of the field, |spin| < L.
    sampling : Grid or str, optional
        A grid, or the name of one for `spherekit.sampling.grid`, such as ``"healpix:64"``. It is required
        unless ``f`` is a `spherekit.io.Map`, whose grid is the default.
    reality : bool
        Whether the signal is real (spin 0 only).
    method : {"lsq", "jacobi"}
        ``"lsq"``: minimize sum_j w_j |f_j - inverse(flm)_j|^2 over the valid samples by LSQR (Paige and
        Saunders 1982, ACM Trans. Math. Softw. 8, 43); where the samples do not determine the coefficients,
        return those of smallest norm. ``"jacobi"``: iterate flm += forward(f - inverse(flm)), for full maps
        only.
    mask : bool array_like [shape=grid.shape], optional
        True for valid samples. By default all samples are valid.
    weights : array_like [shape=grid.shape], optional
        The weight of each squared difference, such as the inverse variance of its noise, >= 0; 0 as outside
        ``mask``. For ``"lsq"`` only. The result depends on their ratios only.
    tol : float
        Relative tolerance, 0 <= tol < 1. Least squares have converged once the residual is at most ``tol``
        times the samples without their mean and dipole (scalar fields); or once it is orthogonal to all
        signals of the band-limit, |B^H r| <= tol |B| |r|; or when rounding errors dominate. Jacobi iterations
        have converged once an iteration changes the residual by at most this fraction, or when rounding
        errors dominate; 0 stands for exactly ``max_iter`` of them, as of ``healpy.map2alm`` with
        iter = max_iter - 1 and on a grid with the same weights.
    max_iter : int
        Largest number of iterations, >= 1.
    threads : int, optional
        Number of threads. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(iteration)`` at each iteration, counted from 1.

    Returns
    -------
    flm : complex ndarray [shape=(L*L,)]
        complex64 for float32 and complex64 samples, fitted in double precision; otherwise complex128.
    residual : Residual
        The residual and the convergence of the fit.

    Raises
    ------
    ValueError
        An invalid L, spin, grid or number of threads; wrong shapes; NaN, infinite or UNSEEN samples that the
        mask does not exclude; a `Map` on another grid than ``sampling``; a mask without valid samples, with
        values other than 0 and 1, or with ``"jacobi"``; weights that are negative, NaN, infinite or zero at
        all valid samples, or with ``"jacobi"``; an unknown method; ``tol`` or ``max_iter`` out of range;
        coefficients beyond the range of their dtype.
    TypeError
        Complex samples with ``reality``; complex weights; unsupported dtypes; L, spin, max_iter or threads
        that are not integers; a sampling that is neither a grid nor a name, or missing; a ``tol`` that is not
        a number.
    MemoryError
        The problem does not fit into memory.

    Warns
    -----
    UserWarning
        L is larger than 3 nside on HEALPix.

    See Also
    --------
    forward : One application of the quadrature of a grid.
    synthesis_operator : The linear operator that least squares invert.

    Examples
    --------
    Two thirds of a HEALPix map determine its coefficients:

    >>> import numpy as np
    >>> import spherekit as sk
    >>> flm = np.zeros(16, complex)
    >>> flm[6] = 1
    >>> f = sk.inverse(flm, 4, sampling="healpix:4", reality=True)
    >>> mask = np.arange(192) < 128
    >>> fitted, residual = sk.analyse(f, 4, sampling="healpix:4", reality=True, mask=mask)
    >>> bool(np.allclose(fitted, flm)), residual.converged
    (True, True)
    """
    sampling = stated_sampling(f, sampling)
    arguments = checked_arguments(L, spin, sampling, reality, thread_count(threads))
    grid, L = arguments["grid"], arguments["L"]
    check_coordinates(f, grid)
    f = checks.as_float_array(f, "f")
    if reality:
        checks.real_samples(f)
    checks.samples_shape(f, grid, L)
    if f.shape != tuple(grid.shape):
        raise ValueError(f"f has shape {f.shape}; analyse expects one map of shape {grid.shape}")
    if method not in ("lsq", "jacobi"):
        raise ValueError(f'method is {method!r}; expected "lsq" or "jacobi"')
    _refuse_jacobi(method, mask=mask, weights=weights)
    tol = checks.real_number(
        tol, "tol", "a number >= 0 and < 1, such as 1e-8", lambda x: 0 <= x < 1
    )
    max_iter = checks.integer(max_iter, "max_iter", 1)
    required = _required_bytes(arguments, method, max_iter, weights is not None)
    checks.fits_memory(required, f"analyzing a map at L={L}")
    valid, weights = _checked_weights(weights, _checked_mask(mask, grid), grid)
    dtype = checks.result_type(False, checks.is_single(f))
    f = np.where(valid, f, 0).astype(float if reality else complex)
    checks.finite_samples(f, UNSEEN)
    warn_beyond_pixels(grid, L)
    exponent = scaling.exponent(f)
    solver = _least_squares if method == "lsq" else _jacobi
    f = scaling.ldexp(f, -exponent)
    with single_threaded():
        problem = _Problem(valid, weights, arguments)
        flm, residual = _analyze_normalized(solver, f, problem, tol, max_iter, progress)
    with np.errstate(over="ignore"):
        flm = scaling.ldexp(flm, exponent).astype(dtype, copy=False)
    if not np.isfinite(flm).all():
        raise ValueError(
            f"the coefficients exceed the largest number of their dtype, {np.finfo(dtype).max:.2g}; "
            "divide the samples by 1e10"
        )
    return flm, residual


def _checked_weights(weights, valid, grid, normalize=True):
    """Return (the samples of ``valid`` with positive weights, their weights), or (valid, None).

    Normalized weights are at most 1, with the same ratios; None if they are equal.
    """
    if weights is None:
        return valid, None
    check_coordinates(weights, grid, "weights")
    weights = checks.as_float_array(weights, "weights")
    if np.iscomplexobj(weights):
        raise TypeError(f"weights has dtype {weights.dtype}; expected real numbers >= 0")
    if weights.shape != valid.shape:
        raise ValueError(f"weights has shape {weights.shape}; the samples have shape {valid.shape}")
    unusable = ~(np.isfinite(weights) & (weights >= 0))
    if unusable.any():
        raise ValueError(
            f"{np.count_nonzero(unusable)} of {weights.size} weights are negative, NaN or infinite; expected "
            "finite numbers >= 0, with 0 for samples that are not observed"
        )
    valid = valid & (weights > 0)
    if not valid.any():
        raise ValueError("weights is 0 at all valid samples; expected at least one positive weight")
    weights = weights[valid].astype(float)
    if normalize:
        weights = weights / weights.max()
        weights = None if (weights == 1).all() else weights
    return valid, weights


class _Problem(NamedTuple):
    """What is fitted: the valid samples, their weights (all) or None, and the arguments of the synthesis."""

    valid: np.ndarray
    weights: np.ndarray | None
    arguments: dict

    def times_root(self, x):
        """Valid samples times the square roots of their weights."""
        return x if self.weights is None else np.sqrt(self.weights) * x

    def times_weights(self, x):
        """Valid samples times their weights."""
        return x if self.weights is None else self.weights * x

    def mean(self, x):
        """The weighted mean of valid samples."""
        return x.mean() if self.weights is None else np.average(x, weights=self.weights)


def _refuse_jacobi(method, **arguments):
    """Raise ValueError for arguments that Jacobi iterations do not take."""
    for name, value in arguments.items():
        if method == "jacobi" and value is not None:
            raise ValueError(
                f'{name} is given; method="jacobi" supports full maps only, use method="lsq"'
            )


def _required_bytes(arguments, method, max_iter, weighted):
    """Return the bytes of a transform, of the vectors of LSQR, and of the basis of right vectors."""
    size = math.prod(arguments["grid"].shape)
    count = arguments["L"] ** 2
    itemsize = 8 if arguments["reality"] else 16
    transform = peak_required_bytes(None, 1, False, **arguments)
    # The columns of degrees 0 and 1, and the remaining samples; weighted: products with the weights.
    low_degrees = itemsize * (16 if weighted else 10) * size
    if method == "jacobi":
        return max(low_degrees, transform + itemsize * 6 * size + 16 * 3 * count)
    # Samples: f, b, u, the residual and their temporaries; coefficients: x, its step, v, w and flm.
    basis_size = lsqr.basis_size(size, count, max_iter)
    return max(
        low_degrees,
        transform
        + itemsize * ((8 if weighted else 6) * size + (5 + basis_size) * count)
        + 16 * count,
    )


def synthesis_operator(
    L: int,
    *,
    spin: int = 0,
    sampling: Grid | str,
    reality: bool = False,
    mask: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    threads: int | None = None,
) -> LinearOperator:
    """Return `inverse`, restricted to the valid samples, as a SciPy linear operator.

    With ``reality`` the vectors of coefficients are the L*L real numbers of
    `spherekit.conventions.from_real`, so that the operator is linear over the real numbers; otherwise they
    are flm itself. Operators can be pickled. Two operators are equal if their arguments are, except for
    ``threads``.

    Parameters
    ----------
    L : int
        Band-limit: degrees 0..L-1.
    spin : int
        Spin of the field, |spin| < L.
    sampling : Grid or str
        A grid, or the name of one for `spherekit.sampling.grid`.
    reality : bool
        Whether the signal is real (spin 0 only).
    mask : bool array_like [shape=grid.shape], optional
        True for valid samples. By default all samples are valid.
    weights : array_like [shape=grid.shape], optional
        Rows are multiplied by the square roots of these weights, as in `analyse`; samples of weight 0 are
        not valid.
    threads : int, optional
        Number of threads. The result does not depend on it.

    Returns
    -------
    scipy.sparse.linalg.LinearOperator [shape=(valid samples, L*L)]
        With ``matvec`` and ``rmatvec``, of dtype float64 with ``reality``, otherwise complex128.

    Raises
    ------
    ValueError
        An invalid L, spin, grid or number of threads; a mask of the wrong shape, without valid samples, or
        with values other than 0 and 1; weights that are negative, NaN, infinite or zero at all valid samples.
    TypeError
        L, spin or threads that are not integers; a sampling that is neither a grid nor a name; a mask that is
        not an array of numbers; complex weights.

    Examples
    --------
    The condition number of the least-squares problem of a map with a masked polar cap:

    >>> import numpy as np
    >>> from spherekit.harmonic import synthesis_operator
    >>> from spherekit.sampling import HEALPix
    >>> mask = HEALPix(2).theta > 0.5
    >>> operator = synthesis_operator(4, sampling="healpix:2", reality=True, mask=mask)
    >>> operator.shape
    (44, 16)
    >>> bool(np.linalg.cond(operator @ np.eye(16)) < 3)
    True
    """
    from spherekit.harmonic.linear_operators import SynthesisOperator

    arguments = checked_arguments(L, spin, sampling, reality, thread_count(threads))
    grid = arguments["grid"]
    valid, weights = _checked_weights(weights, _checked_mask(mask, grid), grid, normalize=False)
    return SynthesisOperator(arguments, valid, 1.0 if weights is None else np.sqrt(weights))


def _checked_mask(mask, grid):
    """Return the mask as a boolean array, by default True everywhere."""
    if mask is None:
        return np.ones(grid.shape, bool)
    check_coordinates(mask, grid, "mask")
    mask = checks.as_float_array(mask, "mask")
    if mask.shape != tuple(grid.shape):
        raise ValueError(f"mask has shape {mask.shape}; the samples have shape {tuple(grid.shape)}")
    if not np.isin(mask, (0, 1)).all():
        raise ValueError("mask must be boolean: True (1) for valid samples, False (0) for others")
    valid = mask.astype(bool)
    if not valid.any():
        raise ValueError("mask is False everywhere; expected at least one valid sample")
    return valid


def _analyze_normalized(solver, f, problem, tol, max_iter, progress):
    """Analyze samples of order one; invalid samples are zero."""
    L, real = problem.arguments["L"], problem.arguments["reality"]
    b = f[problem.valid]
    norm = np.linalg.norm(problem.times_root(b))
    low_coefficients, remaining = np.zeros(min(L, 2) ** 2, b.dtype), b
    deviation = norm
    if problem.arguments["spin"] == 0:
        low_coefficients[0], remaining = _without_mean(b, problem)
        deviation = np.linalg.norm(problem.times_root(remaining))
    if solver is _jacobi and tol == 0:
        low_coefficients[0] = 0
    elif problem.arguments["spin"] == 0:
        low_coefficients, b = _without_low_degrees(remaining, problem, low_coefficients)
    exponent = scaling.exponent(b)
    b = scaling.ldexp(b, -exponent)
    b_norm = np.linalg.norm(problem.times_root(b))
    rounding = _EPS * (scaling.ldexp(norm, -exponent) + (16 + L) * b_norm)
    flm, history, iterations, converged, condition = solver(
        b, problem, tol, max_iter, progress or (lambda iteration: None), rounding
    )
    flm = scaling.ldexp(flm, exponent)
    flm[: len(low_coefficients)] += from_real(low_coefficients) if real else low_coefficients
    reference = scaling.ldexp(deviation if deviation > 4 * _EPS * norm else norm, -exponent)
    history = tuple(
        float(residual_norm / reference) if reference else 0.0 for residual_norm in history
    )
    return flm, Residual(history[-1], iterations, bool(converged), history, condition)


def _without_mean(b, problem):
    """Return (the coefficient of degree 0, samples b without it), computed twice against rounding errors."""
    mean = problem.mean(b)
    b = b - mean
    step = problem.mean(b)
    b -= step
    return (mean + step) * np.sqrt(4 * np.pi), b


def _without_low_degrees(b, problem, low_coefficients):
    """Subtract the best fit of degrees 0 and 1 from samples b, and add it to coefficients.

    It is computed twice to reduce rounding errors. The least-squares solution does not depend on what is
    subtracted if it is a signal of the band-limit. Combinations that the valid samples hardly determine (a
    dipole on a small cap) are left to the solver.
    """
    columns = _low_degree_columns(problem.valid, problem.arguments)
    rows = problem.times_weights(columns.conj())
    eigenvalues, eigenvectors = np.linalg.eigh(rows @ columns.T)
    is_determined = eigenvalues > 1e-4 * eigenvalues[-1]
    eigenvectors = eigenvectors[:, is_determined]
    for _ in range(2):
        step = eigenvectors @ (eigenvectors.conj().T @ (rows @ b) / eigenvalues[is_determined])
        b = b - step @ columns
        low_coefficients = low_coefficients + step
    return low_coefficients, b


def _low_degree_columns(valid, arguments):
    """Return the columns of degrees 0 and 1 of the operator: real harmonics for real signals."""
    columns = [np.full(np.count_nonzero(valid), np.sqrt(1 / (4 * np.pi)))]
    if arguments["L"] > 1:
        x, y, z = (np.sqrt(3 / (4 * np.pi)) * axis[valid] for axis in directions(arguments["grid"]))
        complex_pair = (x - 1j * y) / np.sqrt(2), -(x + 1j * y) / np.sqrt(2)
        first, last = (y, x) if arguments["reality"] else complex_pair
        columns += [first, z, last]
    return np.stack(columns)


def _least_squares(b, problem, tol, max_iter, progress, rounding):
    """Minimize the weighted norm of b - B x by LSQR, with B scaled to a near-isometry."""
    isometry = np.sqrt(
        4 * np.pi / problem.valid.size
    )  # nearly one on a uniform grid: few iterations
    scale = problem.times_root(isometry)
    operator = MaskedSynthesis(problem.arguments, problem.valid, scale)
    solution = lsqr.solve(operator, scale * b, tol, max_iter, progress, isometry * rounding)
    norm = np.linalg.norm(solution.residual) / isometry
    flm = from_real(solution.x) if problem.arguments["reality"] else solution.x
    return flm, (norm,), solution.iterations, solution.converged, solution.condition


def _jacobi(b, problem, tol, max_iter, progress, rounding):
    """Iterate until the residual is stationary; return the best coefficients if the iterations diverge.

    With ``tol`` = 0 exactly ``max_iter`` iterations, whatever the residual.
    """
    arguments = problem.arguments
    is_fixed = tol == 0
    f = b.reshape(problem.valid.shape)
    flm, history = np.zeros(arguments["L"] ** 2, complex), []
    best, residual, converged = flm, f, np.linalg.norm(f) <= rounding
    if converged:
        return best, (np.linalg.norm(f),), 0, True, None
    for iteration in range(1, max_iter + 1):
        progress(iteration)
        flm = flm + analysis_map.forward(residual, **arguments)
        residual = synthesis_map.forward(flm, **arguments)
        np.subtract(f, residual, out=residual)
        history.append(np.linalg.norm(residual))
        if history[-1] == min(history):
            best = flm
        previous = history[-2] if iteration > 1 else np.inf
        converged = (
            history[-1] <= rounding or abs(previous - history[-1]) <= tol * previous < np.inf
        )
        if not is_fixed and (converged or not history[-1] <= 2 * min(history)):
            break
    if not (is_fixed or converged) and history[-1] > min(history):
        history.append(min(history))  # of the coefficients that are returned
    result = flm if converged or is_fixed else best
    return result, tuple(history), iteration, converged, None
