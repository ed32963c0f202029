"""Conventions, and exact converters from and to those of other codes.

========================  ==========================================================================
band-limit                L: degrees 0..L-1 (healpy's lmax = L-1)
spin harmonics            sY_lm = (-1)^s sqrt((2l+1)/4pi) d^l_{m,-s}(theta) e^{i m phi}; orthonormal,
                          Condon-Shortley phase (as SSHT, s2fft, spherical)
Wigner D                  D^l_mn(a, b, c) = e^{-i m a} d^l_mn(b) e^{-i n c}; zyz, active, radians
harmonic coefficients     flat, degree-major: flm[..., l*l+l+m], shape (..., L*L); l < |s| is zero
samples                   (..., n_theta, n_phi) on rectangles; (..., 12 nside^2) RING on HEALPix
real signals              reality=True: real samples; coefficients keep the full Hermitian layout,
                          f_{l,-m} = (-1)^m conj f_lm
spin and E/B              map0 + i map1 = inverse(-(E + iB), spin=+s), E and B Hermitian
dtypes                    float32/complex64 in, the same out; float64 likewise; integers converted
========================  ==========================================================================
"""

import numpy as np

__all__ = [
    "eb_to_spin",
    "from_healpy",
    "from_s2fft",
    "spin_to_eb",
    "table",
    "to_healpy",
    "to_s2fft",
]


def table():
    """The table of conventions, as text."""
    return __doc__


def from_healpy(alm, L, mmax=None):
    """flm (..., L*L) of a real signal from healpy's (and ducc0's) alm, m-major with m >= 0.

    Parameters
    ----------
    alm : complex ndarray [shape=(..., n)]
        Orders 0..mmax, each with its degrees m..L-1.
    L : int
        Band-limit, lmax + 1.
    mmax : int, optional
        Highest order of ``alm``; L-1 unless said. Higher orders are zero.

    >>> import numpy as np
    >>> from_healpy(np.array([1.0, 2.0, 3j]), 2)
    array([ 1.+0.j, -0.+3.j,  2.+0.j,  0.+3.j])
    """
    alm = np.asarray(alm)
    mmax = L - 1 if mmax is None else mmax
    ell, m = _healpy_order(L, mmax)
    if alm.ndim == 0 or alm.shape[-1] != ell.size:
        raise ValueError(
            f"alm has shape {alm.shape}; lmax {L - 1} and mmax {mmax} need (..., {ell.size})"
        )
    flm = np.zeros((*alm.shape[:-1], L * L), np.result_type(alm, np.complex64))
    flm[..., ell * ell + ell - m] = (1 - 2 * (m % 2)) * alm.conj()
    flm[..., ell * ell + ell + m] = alm
    return flm


def to_healpy(flm):
    """healpy's alm of the coefficients of a real signal; refuses those that are not Hermitian.

    >>> import numpy as np
    >>> to_healpy(np.array([1, 3j, 2, 3j]))
    array([1.+0.j, 2.+0.j, 0.+3.j])
    """
    flm, L = _flat(flm)
    ell, m = _healpy_order(L, L - 1)
    alm = flm[..., ell * ell + ell + m]
    mirror = (1 - 2 * (m % 2)) * flm[..., ell * ell + ell - m].conj()
    defect, size = (np.abs(x).max(initial=0) for x in (alm - mirror, alm))
    if not defect <= (1e-5 if flm.dtype == np.complex64 else 1e-11) * size:
        raise ValueError(
            f"these coefficients are not those of a real signal (symmetry broken by {defect:.3g}); "
            "healpy's layout holds m >= 0 only"
        )
    return alm


def from_s2fft(flm):
    """Flat flm from s2fft's (..., L, 2L-1), entry [l, L-1+m].

    >>> import numpy as np
    >>> from_s2fft(np.array([[0, 1, 0], [2, 3, 4]]))
    array([1, 2, 3, 4])
    """
    flm = np.asarray(flm)
    L = flm.shape[-2] if flm.ndim >= 2 else 0
    if L < 1 or flm.shape[-1] != 2 * L - 1:
        raise ValueError(f"flm has shape {flm.shape}; s2fft's layout is (..., L, 2L-1)")
    ell, m = _degree_order(L)
    return flm[..., ell, L - 1 + m]


def to_s2fft(flm):
    """s2fft's (..., L, 2L-1) of flat coefficients, zero where |m| > l.

    >>> import numpy as np
    >>> to_s2fft(np.array([1, 2, 3, 4]))
    array([[0, 1, 0],
           [2, 3, 4]])
    """
    flm, L = _flat(flm)
    ell, m = _degree_order(L)
    result = np.zeros((*flm.shape[:-1], L, 2 * L - 1), flm.dtype)
    result[..., ell, L - 1 + m] = flm
    return result


def eb_to_spin(E, B, spin=2):
    """Coefficients of the field of spin +s with electric and magnetic parts E and B: -(E + iB).

    >>> import numpy as np
    >>> eb_to_spin(np.ones(9), np.zeros(9))[4:].real
    array([-1., -1., -1., -1., -1.])
    """
    E, L = _flat(E)
    B, _ = _flat(B)
    flm = -(E + 1j * B)
    flm[..., : spin * spin] = 0
    return flm


def spin_to_eb(flm, spin=2):
    """The Hermitian E and B of ``flm = -(E + iB)``.

    >>> import numpy as np
    >>> E, B = spin_to_eb(-np.array([0, 0, 0, 0, 0, 0, 1, 0, 0]) * (1 + 2j))
    >>> complex(E[6]), complex(B[6])
    ((1+0j), (2+0j))
    """
    flm, L = _flat(flm)
    ell, m = _degree_order(L)
    mirror = (1 - 2 * (m % 2)) * flm[..., ell * ell + ell - m].conj()
    E, B = -(flm + mirror) / 2, 0.5j * (flm - mirror)
    for part in (E, B):
        part[..., : spin * spin] = 0
    return E, B


def _flat(flm):
    flm = np.asarray(flm)
    L = int(round(flm.shape[-1] ** 0.5)) if flm.ndim else 0
    if L < 1 or L * L != flm.shape[-1]:
        raise ValueError(f"flm has shape {flm.shape}; the flat layout is (..., L*L)")
    return flm, L


def _degree_order(L):
    ell = np.repeat(np.arange(L), 2 * np.arange(L) + 1)
    return ell, np.arange(L * L) - ell * ell - ell


def _healpy_order(L, mmax):
    m = np.repeat(np.arange(mmax + 1), L - np.arange(mmax + 1))
    ell = np.concatenate([np.arange(first, L) for first in range(mmax + 1)])
    return ell, m
