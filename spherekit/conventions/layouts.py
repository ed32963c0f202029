"""Between the flat layout and those of healpy, ducc0 and s2fft; fields of spin, and E and B."""

import numpy as np

from spherekit import _check
from spherekit.linear import linear_map

# --- healpy and ducc0 -----------------------------------------------------------------------------


def from_healpy(alm, L, mmax=None):
    """flm (..., L*L) of a real signal from healpy's (and ducc0's) alm, m-major with m >= 0.

    Parameters
    ----------
    alm : complex ndarray [shape=(..., n)]
        Orders 0..mmax, each with its degrees m..L-1. The imaginary part of m = 0 counts for
        nothing, as in healpy.
    L : int
        Band-limit, lmax + 1.
    mmax : int, optional
        Highest order of ``alm``; L-1 unless said. Higher orders are zero.

    >>> import numpy as np
    >>> from_healpy(np.array([1.0, 2.0, 3j]), 2).imag
    array([0., 3., 0., 3.])
    """
    alm, L = _check.numbers(alm, "alm"), _check.band_limit(L)
    mmax = _highest_order(mmax, L)
    ell, m = _order_major(L, mmax)
    if alm.ndim == 0 or alm.shape[-1] != ell.size:
        raise ValueError(
            f"alm has shape {alm.shape}; lmax {L - 1} and mmax {mmax} need (..., {ell.size})"
        )
    return hermitian(alm, ell, m, L)


def to_healpy(flm, mmax=None):
    """healpy's alm of the coefficients of a real signal; refuses those that are not Hermitian.

    Orders above ``mmax`` (L-1 unless said) are left out.

    >>> import numpy as np
    >>> to_healpy(np.array([1, 3j, 2, 3j]))
    array([1.+0.j, 2.+0.j, 0.+3.j])
    """
    flm, L = flat(flm)
    ell, m = _order_major(L, _highest_order(mmax, L))
    return half_of_real(flm, ell, m, "healpy's layout holds m >= 0")


def from_ducc(alm, L, *, spin=0, mmax=None):
    """flm (..., L*L) from ducc0's alm (`ducc0.sht.synthesis` and its kin), of spin >= 0.

    Parameters
    ----------
    alm : complex ndarray [shape=(..., n) for spin 0, (..., 2, n) else]
        Orders 0..mmax, each with its degrees m..L-1; for spin > 0 the components E and B, which
        stand for the field ``map0 + i map1`` of spin +s. (ducc0's component axis of length 1 at
        spin 0 is a leading axis here.)
    L, mmax
        As in `from_healpy`.

    >>> import numpy as np
    >>> from_ducc(np.array([[0, 2, 0], [0, 1, 0]]), 2, spin=1)[2]
    np.complex128(-2-1j)
    """
    spin, alm = _spin_from(0, spin), _check.numbers(alm, "alm")
    if spin == 0:
        return from_healpy(alm, L, mmax)
    if alm.ndim < 2 or alm.shape[-2] != 2:
        raise ValueError(f"alm has shape {alm.shape}; spin {spin} needs (..., 2, n), E and B")
    E, B = (from_healpy(alm[..., i, :], L, mmax) for i in (0, 1))
    return eb_to_spin(E, B, spin)


def to_ducc(flm, *, spin=0, mmax=None):
    """ducc0's alm: (..., n) of a real signal at spin 0, (..., 2, n) of any field of spin > 0.

    >>> import numpy as np
    >>> to_ducc(np.array([0, 0, -2 - 1j, 0]), spin=1)[:, 1].real
    array([2., 1.])
    """
    spin = _spin_from(0, spin)
    if spin == 0:
        return to_healpy(flm, mmax)
    return np.stack([to_healpy(part, mmax) for part in spin_to_eb(flm, spin)], axis=-2)


# --- s2fft ----------------------------------------------------------------------------------------


def from_s2fft(flm):
    """Flat flm from s2fft's (..., L, 2L-1), entry [l, L-1+m]; entries with |m| > l are ignored.

    >>> import numpy as np
    >>> from_s2fft(np.array([[0, 1.0, 0], [2, 3, 4]]))
    array([1., 2., 3., 4.])
    """
    flm = _check.numbers(flm, "flm")
    L = flm.shape[-2] if flm.ndim >= 2 else 0
    if L < 1 or flm.shape[-1] != 2 * L - 1:
        raise ValueError(f"flm has shape {flm.shape}; s2fft's layout is (..., L, 2L-1)")
    ell, m = _degree_major(L)
    return flm[..., ell, L - 1 + m]


def to_s2fft(flm):
    """s2fft's (..., L, 2L-1) of flat coefficients, zero where |m| > l.

    >>> import numpy as np
    >>> to_s2fft(np.array([1.0, 2, 3, 4]))
    array([[0., 1., 0.],
           [2., 3., 4.]])
    """
    flm, L = flat(flm)
    ell, m = _degree_major(L)
    result = np.zeros((*flm.shape[:-1], L, 2 * L - 1), flm.dtype)
    result[..., ell, L - 1 + m] = flm
    return result


# --- real harmonics ---------------------------------------------------------------------------------


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
    x, L = flat(_check.real_samples(_check.numbers(x, "x"), "x"))
    ell, m = _degree_major(L)
    cosine, sine = (x[..., ell * ell + ell + sign * abs(m)] for sign in (1, -1))
    half = np.sqrt(0.5, dtype=x.dtype) * (cosine - 1j * np.sign(m, dtype=x.dtype) * sine)
    return np.where(m == 0, cosine, np.where(m > 0, _alternate(half, m), half))


def _to_real(flm):
    flm, L = flat(flm)
    ell, m = _degree_major(L)
    up, down = (flm[..., ell * ell + ell + sign * abs(m)] for sign in (1, -1))
    up, half = _alternate(up, m), np.sqrt(0.5, dtype=flm.real.dtype)
    pairs = np.where(m > 0, half * (up.real + down.real), half * (down.imag - up.imag))
    return np.where(m == 0, flm.real, pairs)


_real_harmonics = linear_map("conventions.from_real", _from_real, _to_real)


# --- electric and magnetic parts ------------------------------------------------------------------


def eb_to_spin(E, B, spin=2):
    """Coefficients of the field of spin +s with electric and magnetic parts E and B: -(E + iB).

    >>> import numpy as np
    >>> eb_to_spin(np.ones(9), np.zeros(9))[4:].real
    array([-1., -1., -1., -1., -1.])
    """
    spin, (E, L), (B, L_B) = _spin_from(1, spin), flat(E), flat(B)
    if L != L_B:
        raise ValueError(f"E has shape {E.shape} and B {B.shape}; expected one band-limit")
    flm = -(E + 1j * B)
    flm[..., : spin * spin] = 0
    return flm


def spin_to_eb(flm, spin=2):
    """The Hermitian E and B of ``flm = -(E + iB)``.

    >>> import numpy as np
    >>> E, B = spin_to_eb(-np.array([0, 0, 0, 0, 0, 0, 1, 0, 0]) * (1 + 2j))
    >>> float(E[6].real), float(B[6].real)
    (1.0, 2.0)
    """
    spin, (flm, L) = _spin_from(1, spin), flat(flm)
    mirror = _mirrored(flm, *_degree_major(L))
    E, B = -(flm + mirror) / 2, 0.5j * (flm - mirror)
    for part in (E, B):
        part[..., : spin * spin] = 0
    return E, B


# --- what they share ------------------------------------------------------------------------------


def flat(flm):
    """The coefficients as an array of numbers, and their band-limit."""
    flm = _check.numbers(flm, "flm")
    L = int(round(flm.shape[-1] ** 0.5)) if flm.ndim else 0
    if L < 1 or L * L != flm.shape[-1]:
        raise ValueError(f"flm has shape {flm.shape}; the flat layout is (..., L*L)")
    return flm, L


def _spin_from(least, spin):
    hint = "E and B are those of the field of spin +|s|: conjugate its samples"
    return _check.whole_number(spin, "spin", least, hint=hint)


def _degree_major(L):
    ell = np.repeat(np.arange(L), 2 * np.arange(L) + 1)
    return ell, np.arange(L * L) - ell * ell - ell


def _order_major(L, mmax):
    m = np.repeat(np.arange(mmax + 1), L - np.arange(mmax + 1))
    ell = np.concatenate([np.arange(first, L) for first in range(mmax + 1)])
    return ell, m


def _highest_order(mmax, L):
    if mmax is None:
        return L - 1
    return _check.whole_number(mmax, "mmax", 0, L - 1, f"the orders of L = {L}")


def _mirrored(flm, ell, m):
    """(-1)^m conj f_{l,-m}, which is f_lm for a real signal."""
    return _alternate(flm[..., ell * ell + ell - m].conj(), m)


def _alternate(x, m):
    """(-1)^m x, in the precision of x."""
    return np.where(m % 2 == 1, -x, x)


def half_of_real(flm, ell, m, why):
    """The orders m >= 0 of a real signal's coefficients."""
    half = flm[..., ell * ell + ell + m]
    defect, size = (np.abs(x).max(axis=-1) for x in (half - _mirrored(flm, ell, m), half))
    tolerance = 1e-5 if flm.dtype in (np.complex64, np.float32) else 1e-11
    if not np.all(defect <= tolerance * size):
        raise ValueError(
            "these coefficients are not those of a real signal (symmetry broken by "
            f"{np.max(defect):.3g}); {why}"
        )
    return half.astype(np.result_type(half, np.complex64), copy=False)


def hermitian(half, ell, m, L):
    """All orders of a real signal's coefficients from m >= 0."""
    half = np.where(m > 0, half, half.real)
    flm = np.zeros((*half.shape[:-1], L * L), np.result_type(half, np.complex64))
    flm[..., ell * ell + ell - m] = _alternate(half.conj(), m)
    flm[..., ell * ell + ell + m] = half
    return flm
