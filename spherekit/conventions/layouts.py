"""Between the flat layout and those of healpy, ducc0 and s2fft; fields of spin, and E and B."""

import autograd.numpy as anp
import numpy as np

from spherekit._core import checks
from spherekit._core.traced import as_float_array
from spherekit.conventions.indexing import (
    degrees_and_orders,
    flat,
    half_of_real,
    hermitian,
    mirrored,
    order_major,
    place,
    take,
)
from spherekit.linear import same_precision

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
        Highest order of ``alm``; L-1 by default. Higher orders are zero.

    >>> import numpy as np
    >>> from_healpy(np.array([1.0, 2.0, 3j]), 2).imag
    array([0., 3., 0., 3.])
    """
    alm, L = as_float_array(alm, "alm"), checks.band_limit(L)
    mmax = _highest_order(mmax, L)
    ell, m = order_major(L, mmax)
    if alm.ndim == 0 or alm.shape[-1] != ell.size:
        raise ValueError(
            f"alm has shape {alm.shape}; lmax {L - 1} and mmax {mmax} need (..., {ell.size})"
        )
    return hermitian(alm, ell, m, L)


def to_healpy(flm, mmax=None):
    """healpy's alm of the coefficients of a real signal; refuses those that are not Hermitian.

    Differentiable: then of any coefficients the real signal's part is taken, as in `spherekit.inverse`.
    Orders above ``mmax`` (L-1 by default) are left out.

    >>> import numpy as np
    >>> to_healpy(np.array([1, 3j, 2, 3j]))
    array([1.+0.j, 2.+0.j, 0.+3.j])
    """
    flm, L = flat(flm)
    ell, m = order_major(L, _highest_order(mmax, L))
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
    spin, alm = _spin_from(0, spin), as_float_array(alm, "alm")
    if spin == 0:
        return from_healpy(alm, L, mmax)
    if alm.ndim < 2 or alm.shape[-2] != 2:
        raise ValueError(f"alm has shape {alm.shape}; spin {spin} needs (..., 2, n), E and B")
    E, B = (from_healpy(alm[..., i, :], L, mmax) for i in (0, 1))
    return eb_to_spin(E, B, spin=spin)


def to_ducc(flm, *, spin=0, mmax=None):
    """ducc0's alm: (..., n) of a real signal at spin 0, (..., 2, n) of any field of spin > 0.

    >>> import numpy as np
    >>> to_ducc(np.array([0, 0, -2 - 1j, 0]), spin=1)[:, 1].real
    array([2., 1.])
    """
    spin = _spin_from(0, spin)
    if spin == 0:
        return to_healpy(flm, mmax)
    return anp.stack([to_healpy(part, mmax) for part in spin_to_eb(flm, spin=spin)], axis=-2)


# --- s2fft ----------------------------------------------------------------------------------------


def from_s2fft(flm):
    """Flat flm from s2fft's (..., L, 2L-1), entry [l, L-1+m]; entries with |m| > l are ignored.

    >>> import numpy as np
    >>> from_s2fft(np.array([[0, 1.0, 0], [2, 3, 4]]))
    array([1., 2., 3., 4.])
    """
    flm = as_float_array(flm, "flm")
    L = flm.shape[-2] if flm.ndim >= 2 else 0
    if L < 1 or flm.shape[-1] != 2 * L - 1:
        raise ValueError(f"flm has shape {flm.shape}; s2fft's layout is (..., L, 2L-1)")
    return take(anp.reshape(flm, (*flm.shape[:-2], L * (2 * L - 1))), _in_s2fft(L))


def to_s2fft(flm):
    """s2fft's (..., L, 2L-1) of flat coefficients, zero where |m| > l.

    >>> import numpy as np
    >>> to_s2fft(np.array([1.0, 2, 3, 4]))
    array([[0., 1., 0.],
           [2., 3., 4.]])
    """
    flm, L = flat(flm)
    result = place(flm, _in_s2fft(L), L * (2 * L - 1))
    return anp.reshape(result, (*flm.shape[:-1], L, 2 * L - 1))


def _in_s2fft(L):
    """Where the entries of the flat layout lie in s2fft's."""
    ell, m = degrees_and_orders(L)
    return ell * (2 * L - 1) + L - 1 + m


# --- electric and magnetic parts ------------------------------------------------------------------


def eb_to_spin(E, B, *, spin):
    """Coefficients of the field of spin +s with electric and magnetic parts E and B.

        flm = -(E_lm + i B_lm) for l >= s, 0 below

    so that ``map0 + i map1 = inverse(flm, spin=s)`` are the two components, along theta and phi for
    a vector field (s = 1), Q and U of healpy and ducc0 for a polarization (s = 2).

    Parameters
    ----------
    E, B : ndarray [shape=(..., L*L)]
        Coefficients of two real signals (Hermitian): gradient and curl part. Leading axes broadcast.
    spin : int
        s, 1 <= s < L. Required: a field has degrees from s on alone, and what E and B hold below is
        left out.

    Returns
    -------
    complex ndarray [shape=(..., L*L)]
        complex64 where E and B are of single precision. Differentiable by both.

    Raises
    ------
    ValueError
        A spin out of range, or shapes that do not fit.

    See Also
    --------
    spin_to_eb : the inverse.

    >>> import numpy as np
    >>> eb_to_spin(np.ones(9), np.zeros(9), spin=2)[3:].real
    array([ 0., -1., -1., -1., -1., -1.])
    >>> eb_to_spin(np.ones(9), np.zeros(9), spin=1)[:4].real
    array([ 0., -1., -1., -1.])
    """
    (E, L), (B, L_B) = flat(E, "E"), flat(B, "B")
    if L != L_B:
        raise ValueError(f"E has shape {E.shape} and B {B.shape}; expected one band-limit")
    E, B = same_precision(E, B)
    return _from_degree(_spin_from(1, spin, L), -(E + 1j * B))


def spin_to_eb(flm, *, spin):
    """The electric and magnetic parts E and B of a field of spin +s.

        E_lm = -(f_lm + (-1)^m conj f_{l,-m}) / 2,    B_lm = i (f_lm - (-1)^m conj f_{l,-m}) / 2

    for l >= s, 0 below: the coefficients of two real signals with ``flm = -(E + iB)``.

    Parameters
    ----------
    flm : ndarray [shape=(..., L*L)]
        Coefficients of the complex field ``map0 + i map1``, as ``forward(f, L, spin=s)`` has them.
    spin : int
        s, 1 <= s < L. Required: degrees below s are not part of the field and zero in E and B, so
        that another spin than that of ``flm`` would lose, or invent, degrees. Of a field of spin
        -s take the conjugate samples.

    Returns
    -------
    E, B : complex ndarrays [shape=(..., L*L)]
        Hermitian, in the precision of ``flm``. Differentiable.

    Raises
    ------
    ValueError
        A spin out of range, or a shape that does not fit.

    See Also
    --------
    eb_to_spin : the inverse.

    >>> import numpy as np
    >>> E, B = spin_to_eb(-np.array([0, 0, 0, 0, 0, 0, 1, 0, 0]) * (1 + 2j), spin=2)
    >>> float(E[6].real), float(B[6].real)
    (1.0, 2.0)
    """
    flm, L = flat(flm)
    spin, flm = _spin_from(1, spin, L), flm if anp.iscomplexobj(flm) else flm + 0j
    mirror = mirrored(flm)
    return _from_degree(spin, -(flm + mirror) / 2), _from_degree(spin, 0.5j * (flm - mirror))


def _from_degree(lowest, flm):
    """Zeros in the place of lower degrees."""
    zeros = np.zeros((*flm.shape[:-1], lowest * lowest), flm.dtype)
    return anp.concatenate([zeros, flm[..., lowest * lowest :]], axis=-1)


# --- shared by the converters ------------------------------------------------------------------------------


def _spin_from(least, spin, L=None):
    most = None if L is None else L - 1
    hint = "E and B are those of the field of spin +|s|: conjugate the samples of spin -|s|"
    return checks.integer(spin, "spin", least, most, hint)


def _highest_order(mmax, L):
    if mmax is None:
        return L - 1
    return checks.integer(mmax, "mmax", 0, L - 1, f"the orders of L = {L}")
