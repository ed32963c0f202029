"""Correlations on the sphere and the rotation group, by their coefficients; differentiable in both arguments.

    lift       (f * psi)(rho) = int_S2 f conj(R_rho psi)             8 pi^2/(2l+1) f_lm conj psi_ln
    correlate  (f * g)(rho)   = int_SO(3) f conj(R_rho g)            sum_k f_lmk conj g_lnk
    zonal      (f * k)(omega) = int_S2 f conj(R_omega k), k zonal    sqrt(4 pi/(2l+1)) f_lm conj k_l0

(Cohen et al. 2018, arXiv:1801.10130, eqs. 4, 6; McEwen et al. 2015, IEEE SPL 22, 2425.) Measures are not
normalized: the sphere has area 4 pi, the group volume 8 pi^2.
"""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.traced import angles, as_float_array, broadcast_flat, colatitudes
from spherekit.conventions.indexing import degrees, flat
from spherekit.harmonic import evaluate as evaluate_harmonic
from spherekit.linear import cast, is_traced, same_precision


def lift(flm: ArrayLike, psi: ArrayLike, N: int) -> np.ndarray:
    """Directional correlation of a signal on the sphere with a filter, a signal on SO(3).

    The sample at the rotation rho is the inner product of the signal with the rotated filter,
    ``<f, R_rho psi> = int_S2 f conj(R_rho psi)``; its Wigner coefficients are
    ``8 pi^2/(2l+1) f_lm conj(psi_ln)``.

    Parameters
    ----------
    flm : complex array_like [shape=(..., L*L)]
        Coefficients of the signal.
    psi : complex array_like [shape=(..., L*L)]
        Coefficients of the filter. The leading axes of both broadcast.
    N : int
        Azimuthal band-limit of the result: only the orders ``|n| < N`` of the filter contribute. 1 <= N <= L.

    Returns
    -------
    ndarray [shape=(..., 2N-1, L*L)]
        Wigner coefficients ``flmn[..., N-1+n, l*l+l+m]``, in the wider precision of the two arguments.
        Complex, or real if both arguments are real. `spherekit.wigner.inverse` computes the samples.

    Raises
    ------
    ValueError
        The band-limits differ, the last axis is not L*L long, leading axes do not broadcast, or N is not in
        1..L.
    TypeError
        N is not an integer, or the coefficients are not numbers.

    See Also
    --------
    zonal : The same for a filter that is symmetric about its axis.
    total_convolution : Its values at any set of rotations.

    References
    ----------
    Cohen et al. 2018, arXiv:1801.10130, eq. 4.

    Examples
    --------
    The correlation of a signal of degree 1 with itself is its squared norm at the identity, and that times
    cos(1) at a rotation by the angle 1, here about an axis orthogonal to it:

    >>> import numpy as np
    >>> from spherekit import wigner
    >>> flm = np.array([0, 1, 1, -1]) / np.sqrt(3)
    >>> flmn = wigner.lift(flm, flm, 2)
    >>> wigner.evaluate(flmn, [0, 0], [0, 1], [0, 0]).real.round(6)
    array([1.      , 0.540302])
    """
    flm, psi, L = _same_limit(flm, psi, "flm", "psi")
    checks.check_broadcast("flm", flm, "psi", psi)
    N = checks.azimuthal_limit(N, L)
    ell = degrees(L)
    n = np.arange(1 - N, N)[:, None]
    index = np.clip(ell * ell + ell + n, 0, L * L - 1)
    factor = np.where(np.abs(n) <= ell, 8 * np.pi**2 / (2 * ell + 1), 0)
    filters = anp.conj(psi)[..., index] * factor.astype(checks.real_type(psi))
    return flm[..., None, :] * filters


def correlate(flmn: ArrayLike, glmn: ArrayLike, N: int | None = None) -> np.ndarray:
    """Correlation of two signals on SO(3).

    The sample at the rotation rho is ``<f, R_rho g> = int_SO(3) f conj(R_rho g)``; its Wigner coefficients
    are ``sum_k f_lmk conj(g_lnk)``.

    Parameters
    ----------
    flmn, glmn : complex array_like [shape=(..., 2K-1, L*L)]
        Wigner coefficients of signal and filter, of the same azimuthal band-limit K. The leading axes of both
        broadcast.
    N : int, optional
        Azimuthal band-limit of the result, 1 <= N <= L; L by default.

    Returns
    -------
    ndarray [shape=(..., 2N-1, L*L)]
        Wigner coefficients of the correlation, in the wider precision of the two arguments. Complex, or real
        if both arguments are real.

    Raises
    ------
    ValueError
        The band-limits differ, the number of orders is even or differs, leading axes do not broadcast, or N
        is not in 1..L.
    TypeError
        N is not an integer, or the coefficients are not numbers.

    References
    ----------
    Cohen et al. 2018, arXiv:1801.10130, eq. 6.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import wigner
    >>> flmn = np.zeros((3, 4), complex)
    >>> flmn[1, 0] = 2j                                              # l = m = n = 0
    >>> complex(wigner.correlate(flmn, flmn)[1, 0])
    (4+0j)
    """
    flmn, glmn, L = _same_limit(flmn, glmn, "flmn", "glmn")
    if flmn.ndim < 2 or glmn.ndim < 2 or flmn.shape[-2] != glmn.shape[-2] or not flmn.shape[-2] % 2:
        raise ValueError(
            f"flmn has shape {flmn.shape} and glmn {glmn.shape}; expected the same orders, an odd number: "
            f"(..., 2K-1, {L * L})"
        )
    checks.check_broadcast("flmn", flmn, "glmn", glmn, axes=2)
    N = L if N is None else checks.azimuthal_limit(N, L)
    # NumPy 2.1 multiplies other layouts without BLAS, and rounds differently.
    flmn, glmn = (x if is_traced(x) else np.ascontiguousarray(x) for x in (flmn, glmn))
    blocks = []
    for ell in range(L):
        degree = slice(ell * ell, (ell + 1) ** 2)
        n = min(ell, N - 1)
        g = anp.swapaxes(glmn[..., ell * ell + ell - n : ell * ell + ell + n + 1], -1, -2)
        block = anp.matmul(anp.conj(g), flmn[..., degree])
        zeros = np.zeros((*block.shape[:-2], N - 1 - n, 2 * ell + 1), checks.real_type(block))
        blocks.append(anp.concatenate([zeros, block, zeros], axis=-2))
    return anp.concatenate(blocks, axis=-1)


def zonal(flm: ArrayLike, kl: ArrayLike) -> np.ndarray:
    """Correlation with a filter that is symmetric about its axis, a signal on the sphere.

    ``sqrt(4 pi/(2l+1)) f_lm conj(k_l0)``.

    Parameters
    ----------
    flm : complex array_like [shape=(..., L*L)]
        Coefficients of the signal.
    kl : array_like [shape=(..., L)]
        Coefficients k_l0 of the filter. The leading axes of both broadcast.

    Returns
    -------
    ndarray [shape=(..., L*L)]
        Coefficients of the correlation, in the wider precision of the two arguments. Complex, or real if both
        arguments are real.

    Raises
    ------
    ValueError
        The last axis of ``flm`` is not L*L long, that of ``kl`` is not L long, or leading axes do not
        broadcast.
    TypeError
        The coefficients are not numbers.

    See Also
    --------
    lift : The same for a directional filter.

    Examples
    --------
    A filter of degree 0 leaves only the mean of the signal:

    >>> import numpy as np
    >>> from spherekit import wigner
    >>> wigner.zonal(np.ones(4) + 0j, np.array([1.0, 0.0])).real.round(6)
    array([3.544908, 0.      , 0.      , 0.      ])
    """
    flm, L = flat(flm)
    flm, kl = same_precision(flm, as_float_array(kl, "kl"))
    if not kl.ndim or kl.shape[-1] != L:
        raise ValueError(f"kl has shape {kl.shape}; a signal of L={L} needs (..., {L})")
    checks.check_broadcast("flm", flm, "kl", kl)
    ell = degrees(L)
    factor = np.sqrt(4 * np.pi / (2 * ell + 1)).astype(checks.real_type(flm))
    return flm * (anp.conj(kl)[..., ell] * factor)


def evaluate(
    flmn: ArrayLike,
    alpha: ArrayLike,
    beta: ArrayLike,
    gamma: ArrayLike,
    *,
    reality: bool = False,
    threads: int | None = None,
) -> np.ndarray:
    """Values of a signal on SO(3) at any set of rotations.

    ``f(alpha, beta, gamma) = sum_lmn (2l+1)/(8 pi^2) f_lmn conj(D^l_mn(alpha, beta, gamma))``.

    Parameters
    ----------
    flmn : complex array_like [shape=(..., 2N-1, L*L)]
        Wigner coefficients.
    alpha, beta, gamma : array_like [shape=(n_rotations,)], radians
        Euler angles zyz, 0 <= beta <= pi; broadcast against each other.
    reality : bool
        Whether the signal is real: then the real part is returned, computed from the orders n >= 0 only.
    threads : int, optional
        Number of threads; the result does not depend on it.

    Returns
    -------
    ndarray [shape=(..., n_rotations)]
        Real with ``reality``, else complex, in the precision of ``flmn``. Differentiable by ``flmn`` and by
        the angles, at beta = 0 and pi too.

    Raises
    ------
    ValueError
        Coefficients of a wrong shape, NaN or infinite; angles that are NaN or infinite, or do not broadcast;
        beta not in [0, pi]; an invalid number of threads.
    TypeError
        Coefficients or angles that are not numbers; a number of threads that is not an integer.
    MemoryError
        The values need more memory than is available.

    See Also
    --------
    inverse : All samples of a grid, by fast transforms.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import wigner
    >>> flmn = np.zeros((3, 16), complex)
    >>> flmn[1, 0] = 8 * np.pi**2                                    # the constant signal 1
    >>> wigner.evaluate(flmn, [0.1], [0.2], [0.3], reality=True).round(12)
    array([1.])
    """
    flmn, L = flat(flmn, "flmn")
    N = (flmn.shape[-2] + 1) // 2 if flmn.ndim > 1 else 0
    checks.wigner_shape(flmn, L, N)
    alpha, gamma = angles(alpha=alpha, gamma=gamma)
    (alpha, beta, gamma), _ = broadcast_flat(alpha, colatitudes(beta, "beta"), gamma)
    ell = degrees(L)
    scale = np.sqrt((2 * ell + 1) / (16 * np.pi**3)).astype(checks.real_type(flmn))
    kind = checks.result_type(False, checks.is_single(flmn))
    total = 0
    for n in range(0 if reality else 1 - N, N):
        field = flmn[..., N - 1 + n, :] * ((-1) ** n * scale)
        values = evaluate_harmonic(field, beta, alpha, spin=-n, threads=threads)
        values = values * cast(anp.exp(1j * n * gamma), kind)
        total = total + (anp.real(values) * (2 if n else 1) if reality else values)
    return total


def total_convolution(
    flm: ArrayLike,
    blm: ArrayLike,
    alpha: ArrayLike,
    beta: ArrayLike,
    gamma: ArrayLike,
    *,
    N: int | None = None,
    reality: bool = False,
    threads: int | None = None,
) -> np.ndarray:
    """Convolution of a sky with a beam at any set of pointings, ``int f conj(R(alpha, beta, gamma) b)``.

    Parameters
    ----------
    flm : complex array_like [shape=(..., L*L)]
        Coefficients of the signal.
    blm : complex array_like [shape=(..., L*L)]
        Coefficients of the beam, which points to the north pole. The leading axes of both broadcast.
    alpha, beta, gamma : array_like [shape=(n_pointings,)], radians
        Longitude and colatitude of the pointing, and the rotation of the beam about its axis.
    N : int, optional
        Azimuthal band-limit of the beam: only its orders ``|n| < N`` contribute. 1 <= N <= L; L by default.
    reality : bool
        Whether signal and beam are real.
    threads : int, optional
        Number of threads; the result does not depend on it.

    Returns
    -------
    ndarray [shape=(..., n_pointings)]
        Real with ``reality``, else complex. Differentiable by signal, beam and angles.

    Raises
    ------
    ValueError
        The band-limits differ; leading axes of signal and beam that do not broadcast; N not in 1..L;
        coefficients or angles that are NaN or infinite; angles that do not broadcast; beta not in [0, pi]; an
        invalid number of threads.
    TypeError
        Coefficients or angles that are not numbers; N or threads that are not integers.
    MemoryError
        The values need more memory than is available.

    See Also
    --------
    lift, evaluate : The two steps of which it consists.

    Examples
    --------
    An isotropic beam measures the mean of the sky, whatever its pointing:

    >>> import numpy as np
    >>> from spherekit import wigner
    >>> blm = np.zeros(16)
    >>> blm[0] = np.sqrt(4 * np.pi)
    >>> flm = np.zeros(16)
    >>> flm[0] = 1
    >>> wigner.total_convolution(flm, blm, [0.1, 2], [0.2, 1], [0.3, 0], N=1, reality=True).round(6)
    array([3.544908, 3.544908])
    """
    flm, blm, L = _same_limit(flm, blm, "flm", "blm")
    checks.check_broadcast("flm", flm, "blm", blm)
    flmn = lift(flm, blm, L if N is None else N)
    return evaluate(flmn, alpha, beta, gamma, reality=reality, threads=threads)


def _same_limit(a, b, name_a, name_b):
    """Both as `flat` coefficients, and their common band-limit."""
    a, L = flat(a, name_a)
    b, L_b = flat(b, name_b)
    if L_b != L:
        raise ValueError(
            f"{name_a} has shape {a.shape}, {name_b} {b.shape}: they need the same L*L"
        )
    return a, b, L
