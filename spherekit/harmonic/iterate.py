"""Analysis where no sampling theorem holds: HEALPix, any rings, masked maps.

The coefficients whose signal comes nearest to the samples, by Jacobi iterations (repeat the quadrature on
what is left) or by least squares, with the residual, so that nobody has to guess how good they are.
"""

import itertools
from typing import NamedTuple

import numpy as np
from scipy.sparse.linalg import LinearOperator, lsqr

from spherekit import _check
from spherekit._threads import thread_count
from spherekit.harmonic import plan
from spherekit.harmonic.transform import (
    _analysis,
    _flags,
    _synthesis,
    warn_beyond_pixels,
)
from spherekit.sampling.healpix import UNSEEN


class Residual(NamedTuple):
    """How well a set of coefficients explains the samples.

    ``relative``: rms of (samples - signal) over rms of the samples, on the kept samples;
    ``iterations``; ``converged``; ``history``: the relative residual after each iteration (Jacobi) or the
    last one (least squares).
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

    Parameters
    ----------
    f : ndarray [shape=grid.shape]
        One map. Samples outside ``mask`` may be anything, NaN and UNSEEN included.
    L, spin, sampling, reality, threads
        As in `spherekit.harmonic.forward`.
    method : {"lsq", "jacobi"}
        ``"lsq"``: minimise the weighted sum of squared differences over the kept samples (LSQR);
        ``"jacobi"``: flm += forward(f - inverse(flm)), full maps only.
    mask : bool ndarray [shape=grid.shape], optional
        True where samples count.
    tol : float
        Stop once an iteration changes the residual by less than this fraction (Jacobi), or LSQR's
        tolerance.
    max_iter : int
    progress : callable, optional
        Called as ``progress(iteration)`` at each iteration, counted from 1.

    Returns
    -------
    flm : complex ndarray [shape=(L*L,)]
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
    flags = _flags(L, spin, sampling, reality, thread_count(threads))
    grid = flags["grid"]
    f = _check.numbers(f, "f")
    if reality:
        _check.real_samples(f)
    _check.samples_shape(f, grid, L)
    if f.shape != tuple(grid.shape):
        raise ValueError(f"analyse takes one map of shape {grid.shape}, got {f.shape}")
    # a transform, and LSQR's vectors of coefficients and of samples
    needed = plan.memory(grid, L, flags["spin"], reality, 1, 16) + 16 * (6 * L * L + 5 * f.size)
    _check.fits_memory(needed, f"analysing a map at L={L}")
    keep = _kept(mask, grid)
    if method not in ("lsq", "jacobi"):
        raise ValueError(f'method is {method!r}; analyse knows "lsq" and "jacobi"')
    if method == "jacobi" and mask is not None:
        raise ValueError('a mask needs method="lsq": Jacobi iterations take the whole sphere')
    f = np.where(keep, f, 0).astype(float if reality else complex)
    _check.finite_samples(f, UNSEEN)
    warn_beyond_pixels(grid, L)
    solve = _least_squares if method == "lsq" else _jacobi
    return solve(f, keep, flags, tol, max_iter, progress or (lambda iteration: None))


def synthesis_operator(L, *, spin=0, sampling, reality=False, mask=None, threads=None):
    """`inverse` on the kept samples as a scipy LinearOperator with matvec and rmatvec.

    With ``reality`` the coefficients are the L*L real numbers x of an orthonormal real basis (see
    `real_to_flm`), so that the operator is linear over the real numbers; else flm itself.

    >>> synthesis_operator(4, sampling="healpix:2", reality=True).shape
    (48, 16)
    """
    flags = _flags(L, spin, sampling, reality, thread_count(threads))
    return _operator(flags, _kept(mask, flags["grid"]))


def real_to_flm(x, L):
    """Hermitian flm of real coefficients: x_l0 = f_l0, x_lm = sqrt2 Re f_lm, x_{l,-m} = sqrt2 Im f_lm."""
    ell, m, mirror = _indices(L)
    f = np.where(m == 0, x, (np.where(m > 0, x, x[mirror]) + 1j * np.where(m > 0, x[mirror], x)))
    sign = 1 - 2 * (m % 2)
    scaled = np.where(m == 0, f, f / np.sqrt(2))
    return np.where(m < 0, sign * np.conj(scaled), scaled)


def flm_to_real(flm, L):
    """The transpose of `real_to_flm`, and its inverse on Hermitian coefficients."""
    ell, m, mirror = _indices(L)
    return np.where(m == 0, flm.real, np.sqrt(2) * np.where(m > 0, flm.real, flm[mirror].imag))


def _indices(L):
    ell = np.repeat(np.arange(L), 2 * np.arange(L) + 1)
    m = np.arange(L * L) - ell * ell - ell
    return ell, m, ell * ell + ell - m


def _kept(mask, grid):
    if mask is None:
        return np.ones(grid.shape, bool)
    mask = np.asarray(mask)
    if mask.shape != tuple(grid.shape):
        raise ValueError(f"mask has shape {mask.shape}; the samples have {tuple(grid.shape)}")
    if mask.dtype != bool and not np.isin(mask, (0, 1)).all():
        raise ValueError("mask must be True/1 where samples count and False/0 elsewhere")
    keep = mask.astype(bool)
    if not keep.any():
        raise ValueError("mask keeps no sample")
    return keep


def _operator(flags, keep, scale=1.0):
    L, real = flags["L"], flags["reality"]

    def matvec(x):
        flm = real_to_flm(x.ravel(), L) if real else x.ravel()
        return scale * _synthesis.forward(flm, **flags)[keep]

    def rmatvec(y):
        f = np.zeros(keep.shape, float if real else complex)
        f[keep] = scale * y.ravel()
        flm = _synthesis.adjoint(f, **flags)
        return flm_to_real(flm, L) if real else flm

    shape = (np.count_nonzero(keep), L * L)
    return LinearOperator(shape, matvec, rmatvec, dtype=float if real else complex)


def _least_squares(f, keep, flags, tol, max_iter, progress):
    L, real = flags["L"], flags["reality"]
    scale = np.sqrt(4 * np.pi / f.size)  # a near-isometry on an even grid: few iterations
    operator = _told(_operator(flags, keep, scale), progress)
    x, stop, iterations, norm, *_ = lsqr(
        operator, scale * f[keep], atol=tol, btol=tol, iter_lim=max_iter
    )
    relative = _relative(norm / scale, f)
    flm = real_to_flm(x, L) if real else x
    return flm, Residual(relative, int(iterations), stop in (0, 1, 2, 4, 5), (relative,))


def _told(operator, progress):
    """The operator, telling ``progress`` the iterations of LSQR: one matvec each."""
    count = itertools.count(1)

    def matvec(x):
        progress(next(count))
        return operator.matvec(x)

    return LinearOperator(operator.shape, matvec, operator.rmatvec, dtype=operator.dtype)


def _jacobi(f, keep, flags, tol, max_iter, progress):
    flm = _analysis.forward(f, **flags)
    history = [_left(f, flm, flags)[1]]
    while len(history) < max_iter:
        progress(len(history))
        rest, _ = _left(f, flm, flags)
        flm = flm + _analysis.forward(rest, **flags)
        history.append(_left(f, flm, flags)[1])
        if history[-2] - history[-1] <= tol * history[-2]:
            return flm, Residual(history[-1], len(history), True, tuple(history))
    return flm, Residual(history[-1], len(history), False, tuple(history))


def _left(f, flm, flags):
    rest = f - _synthesis.forward(flm, **flags)
    return rest, _relative(np.linalg.norm(rest), f)


def _relative(norm, f):
    size = np.linalg.norm(f)
    return float(norm / size) if size else 0.0
