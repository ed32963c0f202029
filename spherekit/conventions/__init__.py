"""The conventions of the package, and exact converters between its layouts and those of other codes.

tutorials/conventions.md is the complete description, with the conventions of other codes and the tests that
verify each statement. In short:

========================  ==========================================================================
band-limit                L: degrees 0..L-1 (healpy's lmax = L-1); N: orders |n| < N
spin harmonics            sY_lm = (-1)^s sqrt((2l+1)/4pi) d^l_{m,-s}(theta) e^{i m phi};
                          orthonormal, Condon-Shortley phase (as SSHT, s2fft, spherical)
harmonic coefficients     flat, degree-major: flm[..., l*l+l+m], shape (..., L*L); l < |s| is zero;
                          degrees(L), orders(L): l and m of each entry
samples                   (..., n_theta, n_phi) on rectangles; (..., 12 nside^2) RING on HEALPix;
                          on SO(3) (..., n_gamma, n_beta, n_alpha)
real signals              reality=True: real samples; coefficients in the full Hermitian layout,
                          f_{l,-m} = (-1)^m conj f_lm, f_{l,-m,-n} = (-1)^{m+n} conj f_lmn, to 1e-11
                          of the largest (1e-5 in single precision)
Wigner D                  D^l_mn(a, b, c) = e^{-i m a} d^l_mn(b) e^{-i n c}; zyz, active, radians
                          (conj of that of `spherical`; pyshtools rotates by -c, -b, -a)
rotation                  f(R^-1 x): flm -> sum_n D^l_mn f_ln; likewise flmn, for each n
Wigner coefficients       flmn[..., N-1+n, l*l+l+m], shape (..., 2N-1, L*L); l < |n| is zero;
                          f(rho) = sum (2l+1)/(8 pi^2) flmn conj(D^l_mn(rho)), as s2fft
spin and E/B              map0 + i map1 = inverse(-(E + iB), spin=+s), E and B Hermitian
winds                     -v + i u has spin 1: E = sqrt(l(l+1)) chi_lm, B = sqrt(l(l+1)) psi_lm
polarization              Q + iU has spin 2, U as in HEALPix (COSMO; U of the IAU has the opposite sign)
real harmonics            from_real: (..., L*L), cosines (m > 0) and sines (m < 0), as e3nn with its
                          axes (x, y, z) named (y, z, x); wigner.real_basis
dtypes                    float32/complex64 in, the same out; float64/complex128 likewise; integers
                          become float64; sums of squares are float64
healpy, ducc0             from_healpy, from_ducc: real signals, m-major, m >= 0; spin s > 0: E and B
s2fft                     from_s2fft: (..., L, 2L-1), entry [l, L-1+m]; flmn with (2N-1,) before
SHTOOLS                   from_shtools: cilm (..., 2, L, L); normalization and phase are arguments
========================  ==========================================================================
"""

import sys

from spherekit._core.docstrings import docstring
from spherekit.conventions.indexing import band_limit_of, degrees, orders
from spherekit.conventions.layouts import (
    eb_to_spin,
    from_ducc,
    from_healpy,
    from_s2fft,
    spin_to_eb,
    to_ducc,
    to_healpy,
    to_s2fft,
)
from spherekit.conventions.real_harmonics import from_real, to_real
from spherekit.conventions.shtools import from_shtools, to_shtools

__all__ = [
    "band_limit_of",
    "degrees",
    "eb_to_spin",
    "from_ducc",
    "from_healpy",
    "from_real",
    "from_s2fft",
    "from_shtools",
    "orders",
    "spin_to_eb",
    "table",
    "to_ducc",
    "to_healpy",
    "to_real",
    "to_s2fft",
    "to_shtools",
]


def __dir__():
    return sorted(__all__)


def table() -> str:
    """The table of conventions, as text.

    Returns
    -------
    str
        The documentation of `spherekit.conventions`.

    Examples
    --------
    >>> from spherekit import conventions
    >>> [line for line in conventions.table().splitlines() if line.startswith("Wigner D")]
    ['Wigner D                  D^l_mn(a, b, c) = e^{-i m a} d^l_mn(b) e^{-i n c}; zyz, active, radians']
    """
    return docstring(sys.modules[__name__])
