"""Real spherical harmonics, whose coefficients of a real signal are independent real numbers.

    R_l0 = Y_l0,    R_lm = sqrt(2) |Y_lm| cos(m phi),    R_l,-m = sqrt(2) |Y_lm| sin(m phi)        m > 0

without the Condon-Shortley phase: as a matrix for each degree, and as linear maps of all coefficients.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.conventions.indexing import alternate, degrees_and_orders, flat
from spherekit.linear import linear_map


def real_basis(ell: int) -> np.ndarray:
    """The unitary matrix from complex to real harmonics of a degree: ``R_mu = sum_m U[l+mu, l+m] Y_lm``.

    R_mu is sqrt(2) |Y_lm| cos(mu phi) for mu > 0 and sqrt(2) |Y_lm| sin(|mu| phi) for mu < 0, without the
    Condon-Shortley phase.

    Parameters
    ----------
    ell : int
        Degree l >= 0.

    Returns
    -------
    complex128 ndarray [shape=(2l+1, 2l+1)]

    Raises
    ------
    TypeError
        ``ell`` is not an integer.
    ValueError
        ``ell`` is negative.
    MemoryError
        The matrix does not fit in memory.

    See Also
    --------
    spherekit.conventions.from_real : the same change of basis of all coefficients.

    Examples
    --------
    >>> import numpy as np
    >>> U = real_basis(1)
    >>> bool(np.allclose(U @ U.conj().T, np.eye(3)))
    True
    """
    ell = checks.integer(ell, "ell", 0)
    checks.fits_memory(16 * (2 * ell + 1) ** 2, f"the matrix of the real basis of degree {ell}")
    U = np.zeros((2 * ell + 1, 2 * ell + 1), complex)
    U[ell, ell] = 1
    for m in range(1, ell + 1):
        sign = (-1) ** m
        U[ell + m, [ell - m, ell + m]] = np.array([1, sign]) / np.sqrt(2)
        U[ell - m, [ell - m, ell + m]] = np.array([1j, -1j * sign]) / np.sqrt(2)
    return U


def from_real(x: ArrayLike) -> np.ndarray:
    """Coefficients of a real signal from its coefficients of the real harmonics.

    The real harmonics are those of `spherekit.wigner.real_basis`. The map is a
    differentiable isometry, which parametrizes real signals by independent real numbers.

    Parameters
    ----------
    x : real array_like [shape=(..., L*L)]
        Entry l*l + l + m: the coefficient of sqrt(2) |Y_lm| cos(m phi) for m > 0, of
        sqrt(2) |Y_lm| sin(|m| phi) for m < 0, without the Condon-Shortley phase.

    Returns
    -------
    complex ndarray [shape=(..., L*L)]
        Hermitian coefficients in the flat layout, in the precision of ``x``.

    Raises
    ------
    TypeError
        ``x`` is not an array of real numbers.
    ValueError
        The last axis is not L*L long.

    See Also
    --------
    to_real : the inverse.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(9.0)
    >>> flm = from_real(x)
    >>> bool(np.isclose(np.linalg.norm(flm), np.linalg.norm(x))), bool(np.allclose(to_real(flm), x))
    (True, True)
    """
    return _real_harmonics.forward(x)


def to_real(flm: ArrayLike) -> np.ndarray:
    """The inverse and the transpose of `from_real`: coefficients of the real harmonics.

    Parameters
    ----------
    flm : complex array_like [shape=(..., L*L)]
        Coefficients of a real signal. If they are not Hermitian, their Hermitian part is used.

    Returns
    -------
    real ndarray [shape=(..., L*L)]
        In the precision of ``flm``. Differentiable.

    Raises
    ------
    TypeError
        ``flm`` is not an array of numbers.
    ValueError
        The last axis is not L*L long.

    See Also
    --------
    from_real : the inverse.

    Examples
    --------
    >>> import numpy as np
    >>> to_real(np.array([1.0, 0, 2.0, 0]))
    array([1., 0., 2., 0.])
    """
    return _real_harmonics.adjoint(flm)


def _from_real(x):
    x, L = flat(x, "x")
    if np.iscomplexobj(x):
        raise TypeError(
            f"x is complex ({x.dtype}); the coefficients of the real harmonics are real numbers"
        )
    ell, m = degrees_and_orders(L)
    cosine, sine = (np.take(x, ell * ell + ell + sign * abs(m), axis=-1) for sign in (1, -1))
    half = np.sqrt(0.5, dtype=x.dtype) * (cosine - 1j * np.sign(m, dtype=x.dtype) * sine)
    return np.where(m == 0, cosine, np.where(m > 0, alternate(half, m), half))


def _to_real(flm):
    flm, L = flat(flm)
    ell, m = degrees_and_orders(L)
    up, down = (np.take(flm, ell * ell + ell + sign * abs(m), axis=-1) for sign in (1, -1))
    up = alternate(up, m)
    half = np.sqrt(0.5, dtype=flm.real.dtype)
    pairs = np.where(m > 0, half * (up.real + down.real), half * (down.imag - up.imag))
    return np.where(m == 0, flm.real, pairs)


_real_harmonics = linear_map("conventions.from_real", _from_real, _to_real)
