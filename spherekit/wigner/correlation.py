"""Correlations on the sphere and the rotation group, in coefficients; differentiable in both arguments.

    lift       (f * psi)(rho) = int_S2 f conj(R_rho psi)             8 pi^2/(2l+1) f_lm conj psi_ln
    correlate  (f * g)(rho)   = int_SO(3) f conj(R_rho g)            sum_k f_lmk conj g_lnk
    zonal      (f * k)(omega) = int_S2 f conj(R_omega k), k zonal    sqrt(4 pi/(2l+1)) f_lm conj k_l0

(Cohen et al. 2018, arXiv:1801.10130, eqs. 4, 6; McEwen et al. 2015, IEEE SPL 22, 2425.) Measures are not
normalised: the sphere has area 4 pi, the group volume 8 pi^2.
"""

import autograd.numpy as anp
import numpy as np

from spherekit._core import checks
from spherekit._core.traced import angles, as_float_array, broadcast_flat, colatitudes
from spherekit.conventions.indexing import degrees, flat
from spherekit.harmonic import evaluate as evaluate_harmonic
from spherekit.linear import cast, same_precision


def lift(flm, psi, N):
    """Wigner coefficients of ``<f, R_rho psi>``: how well the filter, turned by rho, fits the signal.

    Parameters
    ----------
    flm, psi : complex ndarray [shape=(..., L*L)]
        Signal and filter; their leading axes broadcast.
    N : int
        Orders |n| < N of the filter are taken.

    Returns
    -------
    flmn : complex ndarray [shape=(..., 2N-1, L*L)]
        ``8 pi^2/(2l+1) f_lm conj(psi_ln)``; samples by `spherekit.wigner.inverse`.

    >>> import numpy as np
    >>> f = np.array([0, 0, 1, 0])
    >>> bool(np.isclose(lift(f, f, 1)[0, 2], 8 * np.pi**2 / 3))
    True
    """
    flm, psi, L = _same_limit(flm, psi, "flm", "psi")
    N = checks.azimuthal_limit(N, L)
    ell = degrees(L)
    n = np.arange(1 - N, N)[:, None]
    index = np.clip(ell * ell + ell + n, 0, L * L - 1)
    factor = np.where(np.abs(n) <= ell, 8 * np.pi**2 / (2 * ell + 1), 0)
    filters = anp.conj(psi)[..., index] * factor.astype(checks.real_type(psi))
    return flm[..., None, :] * filters


def correlate(flmn, glmn, N=None):
    """Wigner coefficients of ``<f, R_rho g>`` for signals on SO(3).

    Parameters
    ----------
    flmn, glmn : complex ndarray [shape=(..., 2K-1, L*L)]
        Of one azimuthal band-limit K.
    N : int, optional
        Orders |n| < N of the result; L by default.

    Returns
    -------
    complex ndarray [shape=(..., 2N-1, L*L)]
        ``sum_k f_lmk conj(g_lnk)``.

    >>> import numpy as np
    >>> one = np.zeros((3, 4), complex); one[1, 0] = 2j
    >>> correlate(one, one)[1, 0]
    np.complex128(4+0j)
    """
    flmn, glmn, L = _same_limit(flmn, glmn, "flmn", "glmn")
    if flmn.ndim < 2 or glmn.ndim < 2 or flmn.shape[-2] != glmn.shape[-2]:
        raise ValueError(
            f"flmn {flmn.shape} and glmn {glmn.shape} need the same orders: (..., 2K-1, {L * L})"
        )
    N = L if N is None else checks.azimuthal_limit(N, L)
    blocks = []
    for ell in range(L):
        degree, n = slice(ell * ell, (ell + 1) ** 2), min(ell, N - 1)
        g = anp.swapaxes(glmn[..., ell * ell + ell - n : ell * ell + ell + n + 1], -1, -2)
        block = anp.matmul(anp.conj(g), flmn[..., degree])
        zeros = np.zeros((*block.shape[:-2], N - 1 - n, 2 * ell + 1), checks.real_type(block))
        blocks.append(anp.concatenate([zeros, block, zeros], axis=-2))
    return anp.concatenate(blocks, axis=-1)


def zonal(flm, kl):
    """Coefficients of the correlation with a filter that is symmetric about its axis, on the sphere again.

    Parameters
    ----------
    flm : complex ndarray [shape=(..., L*L)]
    kl : ndarray [shape=(..., L)]
        The filter's coefficients k_l0.

    Returns
    -------
    complex ndarray [shape=(..., L*L)]
        ``sqrt(4 pi/(2l+1)) f_lm conj(k_l0)``.

    >>> import numpy as np
    >>> zonal(np.ones(4) + 0j, np.array([1.0, 0.0])).real.round(6)
    array([3.544908, 0.      , 0.      , 0.      ])
    """
    flm, L = flat(flm)
    flm, kl = same_precision(flm, as_float_array(kl, "kl"))
    if not kl.ndim or kl.shape[-1] != L:
        raise ValueError(f"kl has shape {kl.shape}; a signal of L={L} needs (..., {L})")
    ell = degrees(L)
    factor = np.sqrt(4 * np.pi / (2 * ell + 1)).astype(checks.real_type(flm))
    return flm * (anp.conj(kl)[..., ell] * factor)


def evaluate(flmn, alpha, beta, gamma, *, reality=False, threads=None):
    """Values of a signal on SO(3) at any rotations: ``sum (2l+1)/(8 pi^2) f_lmn conj(D^l_mn)``.

    Parameters
    ----------
    flmn : complex ndarray [shape=(..., 2N-1, L*L)]
    alpha, beta, gamma : array_like [shape=(n_rotations,)], radians
        0 <= beta <= pi; broadcast against each other.
    reality : bool
        Real part, from the orders n >= 0 alone.

    Returns
    -------
    ndarray [shape=(..., n_rotations)]
        Complex without ``reality``, of the precision of ``flmn``. Differentiable by ``flmn`` and by
        the angles, at beta = 0 and pi too.

    >>> import numpy as np
    >>> flmn = np.zeros((3, 16), complex); flmn[1, 0] = 8 * np.pi**2
    >>> bool(np.allclose(evaluate(flmn, [0.1], [0.2], [0.3]), 1))
    True
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


def total_convolution(flm, blm, alpha, beta, gamma, *, N=None, reality=False, threads=None):
    """What a beam sees of a signal at any set of pointings: ``int f conj(R(alpha, beta, gamma) b)``.

    Parameters
    ----------
    flm, blm : complex ndarray [shape=(..., L*L)]
        Signal and beam, the beam pointing to the north pole.
    alpha, beta, gamma : array_like [shape=(n,)], radians
        The pointing (longitude, colatitude) and the turn about the axis.
    N : int, optional
        Orders of the beam that count, |n| < N; L by default.
    reality : bool
        Both are real.

    Returns
    -------
    ndarray [shape=(..., n)]
        As `evaluate`, and differentiable as that, by signal, beam and angles.

    >>> import numpy as np
    >>> blm = np.zeros(16); blm[0] = np.sqrt(4 * np.pi)             # the beam that sees all alike
    >>> flm = np.zeros(16); flm[0] = 1
    >>> total_convolution(flm, blm, [0.1], [0.2], [0.3], N=1, reality=True).round(6)
    array([3.544908])
    """
    flm, blm, L = _same_limit(flm, blm, "flm", "blm")
    flmn = lift(flm, blm, L if N is None else N)
    return evaluate(flmn, alpha, beta, gamma, reality=reality, threads=threads)


def _same_limit(a, b, name, other):
    """Both as `flat` coefficients, and their band-limit."""
    (a, L), (b, L_other) = flat(a, name), flat(b, other)
    if L_other != L:
        raise ValueError(f"{name} has shape {a.shape}, {other} {b.shape}: they need the same L*L")
    return a, b, L
