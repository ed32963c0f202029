"""Analysis where no sampling theorem holds: HEALPix, any rings, masked maps.

The coefficients whose signal comes nearest to the samples, by least squares or by Jacobi iterations (repeat
the quadrature on what is left), with the residual, so that nobody has to guess how good they are.

Nothing depends on the unit of the samples: they are scaled to order one by a power of two, and the
coefficients back. Of scalar fields the degrees 0 and 1 are fitted and subtracted first, since a large mean or
dipole would otherwise set the scale at which the structure on top of it counts as explained.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.sparse.linalg import LinearOperator

from spherekit._core import checks, scaling
from spherekit._core.blas import single_threaded
from spherekit._core.missing import UNSEEN
from spherekit._core.parallel import thread_count
from spherekit.conventions import from_real, to_real
from spherekit.harmonic import lsqr
from spherekit.harmonic.transform import (
    analysis_map,
    checked_arguments,
    peak_required_bytes,
    synthesis_map,
    warn_beyond_pixels,
)
from spherekit.sampling.base import directions

_EPS = np.finfo(float).eps


class Residual(NamedTuple):
    """How well a set of coefficients explains the samples, on those that count.

    ``relative``: rms of (samples - signal), over the rms of the samples about their mean (of spin fields,
    over the rms of the samples), so that a large mean does not hide what is left; over the rms of the samples
    where they are constant to rounding. ``iterations``. ``converged``: whether the stopping rule of `analyse`
    was met. ``history``: the relative residual after each iteration (Jacobi), or the last one (least
    squares).
    """

    relative: float
    iterations: int
    converged: bool
    history: tuple


def analyse(
    f,
    L,
    *,
    spin=0,
    sampling,
    reality=False,
    method="lsq",
    mask=None,
    tol=1e-8,
    max_iter=100,
    threads=None,
    progress=None,
):
    """Coefficients that best explain sampled signals, and the residual.

    ``analyse(s * f) = s * analyse(f)`` for any factor s, exactly so for powers of two; and of scalar fields a
    constant added to the samples changes the coefficient of degree 0 alone, to the rounding of the samples.

    Parameters
    ----------
    f : ndarray [shape=grid.shape]
        One map. Samples outside ``mask`` may be anything, NaN and UNSEEN included.
    L, spin, sampling, reality, threads
        As in `spherekit.harmonic.forward`.
    method : {"lsq", "jacobi"}
        ``"lsq"``: minimize the sum of squared differences over the samples that count (LSQR, Paige and
        Saunders 1982; where these do not determine the coefficients, the smallest ones);
        ``"jacobi"``: flm += forward(f - inverse(flm)), full maps only.
    mask : bool ndarray [shape=grid.shape], optional
        True where samples count.
    tol : float
        Least squares have converged once the residual is at most ``tol`` times the samples, less their mean
        and dipole (scalar fields); or once it is orthogonal to all signals of the band-limit, |B^H r| <= tol
        |B| |r|; or at rounding. Jacobi iterations once an iteration changes the residual by at most this
        fraction, or at rounding.
    max_iter : int
        Iterations at most, >= 1.
    progress : callable, optional
        Called as ``progress(iteration)`` at each iteration, counted from 1.

    Returns
    -------
    flm : complex ndarray [shape=(L*L,)]
        complex64 for float32 and complex64 samples, fitted in double precision; else complex128.
    residual : Residual

    Raises
    ------
    ValueError
        Bad samples that no mask covers; a mask with ``"jacobi"``; what `forward` raises.

    >>> import numpy as np
    >>> flm = np.zeros(16, complex); flm[6] = 1
    >>> from spherekit.harmonic import inverse
    >>> f = inverse(flm, 4, sampling="healpix:4", reality=True)
    >>> back, residual = analyse(f, 4, sampling="healpix:4", reality=True)
    >>> bool(np.allclose(back, flm)), residual.converged
    (True, True)
    """
    flags = checked_arguments(L, spin, sampling, reality, thread_count(threads))
    grid, L = flags["grid"], flags["L"]
    f = checks.as_float_array(f, "f")
    if reality:
        checks.real_samples(f)
    checks.samples_shape(f, grid, L)
    if f.shape != tuple(grid.shape):
        raise ValueError(f"analyse takes one map of shape {grid.shape}, got {f.shape}")
    if method not in ("lsq", "jacobi"):
        raise ValueError(f'method is {method!r}; analyse knows "lsq" and "jacobi"')
    if method == "jacobi" and mask is not None:
        raise ValueError('a mask needs method="lsq": Jacobi iterations take the whole sphere')
    tol = checks.real_number(tol, "tol", "a number from 0 up to 1, as 1e-8", lambda x: 0 <= x < 1)
    max_iter = checks.integer(max_iter, "max_iter", 1)
    checks.fits_memory(_needed(flags, method, max_iter), f"analysing a map at L={L}")
    used, kind = _used(mask, grid), checks.result_type(False, checks.is_single(f))
    f = np.where(used, f, 0).astype(float if reality else complex)
    checks.finite_samples(f, UNSEEN)
    warn_beyond_pixels(grid, L)
    unit = scaling.exponent(f)
    solver = _least_squares if method == "lsq" else _jacobi
    f = scaling.ldexp(f, -unit)
    with single_threaded():
        flm, residual = _analyze(solver, f, used, flags, tol, max_iter, progress)
    with np.errstate(over="ignore"):
        flm = scaling.ldexp(flm, unit).astype(kind, copy=False)
    if not np.isfinite(flm).all():
        raise ValueError(
            f"the coefficients are beyond the largest number of their type, {np.finfo(kind).max:.2g}; "
            "divide the samples by 1e10"
        )
    return flm, residual


def _needed(flags, method, max_iter):
    """Bytes: a transform, LSQR's vectors of coefficients and of samples, and the right vectors it stores."""
    size, n, item = math.prod(flags["grid"].shape), flags["L"] ** 2, 8 if flags["reality"] else 16
    transform = peak_required_bytes(None, 1, False, **flags)
    low = item * 10 * size  # the columns of degrees 0 and 1, and what is left of the samples
    if method == "jacobi":
        return max(low, transform + item * 6 * size + 16 * 3 * n)
    # f, b, u, the residual and what becomes of them; x, its step, v, w and flm
    stored = lsqr.stored_vectors(size, n, max_iter)
    return max(low, transform + item * (6 * size + (5 + stored) * n) + 16 * n)


def synthesis_operator(L, *, spin=0, sampling, reality=False, mask=None, threads=None):
    """`inverse` on the samples that count, as a scipy LinearOperator with matvec and rmatvec.

    With ``reality`` the coefficients are the L*L real numbers of `spherekit.conventions.from_real`, so that
    the operator is linear over the real numbers; else flm itself. Operators pickle, and are equal where
    their arguments are (threads apart).

    >>> synthesis_operator(4, sampling="healpix:2", reality=True).shape
    (48, 16)
    """
    flags = checked_arguments(L, spin, sampling, reality, thread_count(threads))
    return SynthesisOperator(flags, _used(mask, flags["grid"]))


class _CheckedOperator(LinearOperator):
    """A linear operator whose vectors are checked as all arrays are: no unit, no mask is lost."""

    def _checked(self, x):
        x = checks.as_float_array(x, "x")
        if np.dtype(self.dtype).kind == "f":
            checks.real_samples(x, "x")
        return x.astype(self.dtype, copy=False)

    def matvec(self, x):
        return super().matvec(self._checked(x))

    def rmatvec(self, x):
        return super().rmatvec(self._checked(x))

    def dot(self, x):
        is_vector = not (isinstance(x, LinearOperator) or np.isscalar(x))
        return super().dot(self._checked(x) if is_vector else x)


class SynthesisOperator(_CheckedOperator):
    """What `synthesis_operator` returns; ``scale`` is a factor of its entries."""

    def __init__(self, flags, used, scale=1.0):
        self.flags, self.used, self.scale = flags, used, scale
        count = int(np.count_nonzero(used))
        self.whole_sphere = count == used.size
        super().__init__(float if flags["reality"] else complex, (count, flags["L"] ** 2))

    def _matvec(self, x):
        flm = from_real(x.ravel()) if self.flags["reality"] else x.ravel()
        f = synthesis_map.forward(flm, **self.flags)
        return self.scale * (f.ravel() if self.whole_sphere else f[self.used])

    def _rmatvec(self, y):
        f = self.scale * y.reshape(self.used.shape) if self.whole_sphere else self._spread(y)
        flm = synthesis_map.adjoint(f, **self.flags)
        return to_real(flm) if self.flags["reality"] else flm

    def _spread(self, y):
        """The samples that count in their places, zero elsewhere."""
        f = np.zeros(self.used.shape, self.dtype)
        f[self.used] = self.scale * y.ravel()
        return f

    def _adjoint(self):
        return _Adjoint(self)

    def __eq__(self, other):
        return isinstance(other, SynthesisOperator) and self._key() == other._key()

    def __hash__(self):
        return hash(self._key())

    def _key(self):
        flags = {name: value for name, value in self.flags.items() if name != "threads"}
        return tuple(flags.items()), self.used.tobytes(), self.scale


class _Adjoint(_CheckedOperator):
    def __init__(self, operator):
        self.operator = operator
        super().__init__(operator.dtype, operator.shape[::-1])

    def _matvec(self, x):
        return self.operator._rmatvec(x)

    def _rmatvec(self, x):
        return self.operator._matvec(x)

    def _adjoint(self):
        return self.operator


def _used(mask, grid):
    if mask is None:
        return np.ones(grid.shape, bool)
    mask = checks.as_float_array(mask, "mask")
    if mask.shape != tuple(grid.shape):
        raise ValueError(f"mask has shape {mask.shape}; the samples have {tuple(grid.shape)}")
    if not np.isin(mask, (0, 1)).all():
        raise ValueError("mask must be True/1 where samples count and False/0 elsewhere")
    used = mask.astype(bool)
    if not used.any():
        raise ValueError("mask leaves no sample that counts")
    return used


def _analyze(solver, f, used, flags, tol, max_iter, progress):
    """`analyse` of samples of order one, zero where they do not count."""
    L, real = flags["L"], flags["reality"]
    b = f[used]
    size = np.linalg.norm(b)
    low, spread = np.zeros(min(L, 2) ** 2, b.dtype), size
    if flags["spin"] == 0:
        low, b, spread = _without_low_degrees(b, used, flags)
    unit = scaling.exponent(b)
    b = scaling.ldexp(b, -unit)
    rounding = _EPS * (scaling.ldexp(size, -unit) + (16 + L) * np.linalg.norm(b))
    x, history, iterations, converged = solver(
        b, used, flags, tol, max_iter, progress or (lambda iteration: None), rounding
    )
    flm = scaling.ldexp(from_real(x) if real else x, unit)
    flm[: len(low)] += from_real(low) if real else low
    reference = scaling.ldexp(spread if spread > 4 * _EPS * size else size, -unit)
    history = tuple(float(left / reference) if reference else 0.0 for left in history)
    return flm, Residual(history[-1], iterations, bool(converged), history)


def _without_low_degrees(b, used, flags):
    """(coefficients of degrees 0 and 1, the samples b without them, the norm of b about its mean).

    The mean, then the best fit of both degrees, twice for the digits. Least squares are indifferent to what
    is subtracted so long as it is a signal of the band-limit; combinations that the samples that count
    hardly tell apart (a dipole on a small cap) are left to the solver.
    """
    columns = _low_harmonics(used, flags)
    mean = b.mean()
    b = b - mean
    mean, b = mean + b.mean(), b - b.mean()
    spread = np.linalg.norm(b)
    low = np.zeros(len(columns), b.dtype)
    low[0] = mean * np.sqrt(4 * np.pi)
    sizes, vectors = np.linalg.eigh(columns.conj() @ columns.T)
    sound = sizes > 1e-4 * sizes[-1]
    vectors = vectors[:, sound]
    for _ in range(2):
        step = vectors @ (vectors.conj().T @ (columns.conj() @ b) / sizes[sound])
        b = b - step @ columns
        low += step
    return low, b, spread


def _low_harmonics(used, flags):
    """Degrees 0 and 1 of the operator: real harmonics of real signals, else the complex ones."""
    columns = [np.full(np.count_nonzero(used), np.sqrt(1 / (4 * np.pi)))]
    if flags["L"] > 1:
        x, y, z = (np.sqrt(3 / (4 * np.pi)) * axis[used] for axis in directions(flags["grid"]))
        complex_pair = (x - 1j * y) / np.sqrt(2), -(x + 1j * y) / np.sqrt(2)
        first, last = (y, x) if flags["reality"] else complex_pair
        columns += [first, z, last]
    return np.stack(columns)


def _least_squares(b, used, flags, tol, max_iter, progress, rounding):
    scale = np.sqrt(4 * np.pi / used.size)  # a near-isometry on an even grid: few iterations
    operator = SynthesisOperator(flags, used, scale)
    solution = lsqr.solve(operator, scale * b, tol, max_iter, progress, scale * rounding)
    left = np.linalg.norm(solution.residual) / scale
    return solution.x, (left,), solution.iterations, solution.converged


def _jacobi(b, used, flags, tol, max_iter, progress, rounding):
    """Iterations to where the residual no longer changes; the best ones where they diverge."""
    f = b.reshape(used.shape)
    flm, history = np.zeros(flags["L"] ** 2, complex), []
    best, left, converged = flm, f, np.linalg.norm(f) <= rounding
    if converged:
        return _plain(best, flags), (np.linalg.norm(f),), 0, True
    for iteration in range(1, max_iter + 1):
        progress(iteration)
        flm = flm + analysis_map.forward(left, **flags)
        left = f - synthesis_map.forward(flm, **flags)
        history.append(np.linalg.norm(left))
        if history[-1] == min(history):
            best = flm
        before = history[-2] if iteration > 1 else np.inf
        converged = history[-1] <= rounding or abs(before - history[-1]) <= tol * before < np.inf
        if converged or not history[-1] <= 2 * min(history):
            break
    if not converged and history[-1] > min(history):
        history.append(min(history))  # of the coefficients that are returned
    result = flm if converged else best
    return _plain(result, flags), tuple(history), iteration, converged


def _plain(flm, flags):
    """Coefficients as the solvers return them: the real numbers of a real signal."""
    return to_real(flm) if flags["reality"] else flm
