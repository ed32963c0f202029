"""The real harmonics, in which the coefficients of a real signal are free real numbers.

    R_l0 = Y_l0,    R_lm = sqrt(2) |Y_lm| cos(m phi),    R_l,-m = sqrt(2) |Y_lm| sin(m phi)        m > 0

without Condon-Shortley phase: as a matrix for each degree, and as maps of all coefficients.
"""

import numpy as np

from spherekit._core import checks
from spherekit.conventions.indexing import alternate, degrees_and_orders, flat
from spherekit.linear import linear_map


def real_basis(ell):
    """Real harmonics of a degree from complex ones: ``R_mu = sum_m U[l+mu, l+m] Y_lm``, U unitary.

    R_mu is sqrt(2) |Y_lm| cos(mu phi) for mu > 0, sin(|mu| phi) for mu < 0, without Condon-Shortley phase.

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


def from_real(x):
    """flm of the real signal with coefficients x (..., L*L) of the real harmonics of `wigner.real_basis`.

    Entry l*l + l + m: m > 0 of sqrt(2) |Y_lm| cos(m phi), m < 0 of the sine of |m| phi, no Condon-Shortley
    phase. An isometry, and differentiable: the numbers in which a real signal is free.

    >>> import numpy as np
    >>> x = np.arange(9.0)
    >>> flm = from_real(x)
    >>> bool(np.isclose(np.linalg.norm(flm), np.linalg.norm(x))), bool(np.allclose(to_real(flm), x))
    (True, True)
    """
    return _real_harmonics.forward(x)


def to_real(flm):
    """The inverse of `from_real`, and its transpose; of any flm it takes the real signal's part."""
    return _real_harmonics.adjoint(flm)


def _from_real(x):
    x, L = flat(checks.real_samples(checks.as_float_array(x, "x"), "x"))
    ell, m = degrees_and_orders(L)
    cosine, sine = (np.take(x, ell * ell + ell + sign * abs(m), axis=-1) for sign in (1, -1))
    half = np.sqrt(0.5, dtype=x.dtype) * (cosine - 1j * np.sign(m, dtype=x.dtype) * sine)
    return np.where(m == 0, cosine, np.where(m > 0, alternate(half, m), half))


def _to_real(flm):
    flm, L = flat(flm)
    ell, m = degrees_and_orders(L)
    up, down = (np.take(flm, ell * ell + ell + sign * abs(m), axis=-1) for sign in (1, -1))
    up, half = alternate(up, m), np.sqrt(0.5, dtype=flm.real.dtype)
    pairs = np.where(m > 0, half * (up.real + down.real), half * (down.imag - up.imag))
    return np.where(m == 0, flm.real, pairs)


_real_harmonics = linear_map("conventions.from_real", _from_real, _to_real)
