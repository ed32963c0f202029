"""Converters from and to the layouts of healpy, ducc0 and s2fft, and between spin fields and E and B."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.traced import as_float_array
from spherekit.conventions.indexing import (
    degrees_and_orders,
    flat,
    gather_entries,
    half_of_real,
    hermitian,
    mirrored,
    order_major,
    scatter_entries,
)
from spherekit.linear import same_precision

# --- healpy and ducc0 -----------------------------------------------------------------------------


def from_healpy(alm: ArrayLike, L: int, mmax: int | None = None) -> np.ndarray:
    """Convert the coefficients ``alm`` of a real signal from the layout of healpy (and ducc0).

    Parameters
    ----------
    alm : complex array_like [shape=(..., n)]
        m-major: the orders 0..mmax, each with its degrees m..L-1. The imaginary parts of m = 0 are
        ignored, as in healpy.
    L : int
        Band-limit, lmax + 1.
    mmax : int, optional
        Highest order of ``alm``; L-1 by default. Higher orders are zero.

    Returns
    -------
    complex ndarray [shape=(..., L*L)]
        Hermitian coefficients in the flat layout, in the precision of ``alm``. Differentiable.

    Raises
    ------
    TypeError
        ``alm`` is not an array of numbers; L or mmax is not an integer.
    ValueError
        L or mmax out of range; the number of entries does not match them.

    See Also
    --------
    to_healpy : the inverse.

    Examples
    --------
    >>> import numpy as np
    >>> from_healpy(np.array([1.0, 2.0, 3j]), 2).imag
    array([0., 3., 0., 3.])
    """
    alm = as_float_array(alm, "alm")
    L = checks.band_limit(L)
    mmax = _highest_order(mmax, L)
    ell, m = order_major(L, mmax)
    if alm.ndim == 0 or alm.shape[-1] != ell.size:
        raise ValueError(
            f"alm has shape {alm.shape}; L={L} (lmax {L - 1}) and mmax={mmax} need (..., {ell.size})"
        )
    return hermitian(alm, ell, m, L)


def to_healpy(flm: ArrayLike, mmax: int | None = None) -> np.ndarray:
    """Convert the coefficients of a real signal to the layout of healpy.

    Parameters
    ----------
    flm : complex array_like [shape=(..., L*L)]
        Hermitian coefficients. If they are traced by autograd, symmetry is not checked and their Hermitian
        part is converted.
    mmax : int, optional
        Highest order of the result; L-1 by default. Higher orders are dropped.

    Returns
    -------
    complex ndarray [shape=(..., n)]
        m-major: the orders 0..mmax, each with its degrees m..L-1. In the precision of ``flm``.
        Differentiable.

    Raises
    ------
    TypeError
        ``flm`` is not an array of numbers; mmax is not an integer.
    ValueError
        ``flm`` is not Hermitian, or has another shape; mmax out of range.

    See Also
    --------
    from_healpy : the inverse.

    Examples
    --------
    >>> import numpy as np
    >>> to_healpy(np.array([1, 3j, 2, 3j]))
    array([1.+0.j, 2.+0.j, 0.+3.j])
    """
    flm, L = flat(flm)
    ell, m = order_major(L, _highest_order(mmax, L))
    return half_of_real(flm, ell, m, "the layout of healpy has only m >= 0")


def from_ducc(alm: ArrayLike, L: int, *, spin: int = 0, mmax: int | None = None) -> np.ndarray:
    """Convert coefficients from the layout of ducc0 (``ducc0.sht.synthesis`` and related functions).

    Parameters
    ----------
    alm : complex array_like [shape=(..., n) for spin 0, (..., 2, n) for spin > 0]
        The orders 0..mmax, each with its degrees m..L-1; for spin > 0 the components E and B of the field
        ``map0 + i map1`` of spin +s. (The component axis of length 1 that ducc0 has at spin 0 is a leading
        axis here.)
    L : int
        Band-limit, lmax + 1.
    spin : int
        Spin of the field, 0 <= spin < L.
    mmax : int, optional
        Highest order of ``alm``; L-1 by default. Higher orders are zero.

    Returns
    -------
    complex ndarray [shape=(..., L*L)]
        Coefficients in the flat layout, in the precision of ``alm``. Differentiable.

    Raises
    ------
    TypeError
        ``alm`` is not an array of numbers; L, spin or mmax is not an integer.
    ValueError
        L, spin or mmax out of range; the shape does not match them.

    See Also
    --------
    to_ducc : the inverse.

    Examples
    --------
    >>> import numpy as np
    >>> from_ducc(np.array([[0, 2, 0], [0, 1, 0]]), 2, spin=1)[2]
    np.complex128(-2-1j)
    """
    spin = _checked_spin(0, spin)
    alm = as_float_array(alm, "alm")
    if spin == 0:
        return from_healpy(alm, L, mmax)
    if alm.ndim < 2 or alm.shape[-2] != 2:
        raise ValueError(f"alm has shape {alm.shape}; spin={spin} needs (..., 2, n), E and B")
    E, B = (from_healpy(alm[..., i, :], L, mmax) for i in (0, 1))
    return eb_to_spin(E, B, spin=spin)


def to_ducc(flm: ArrayLike, *, spin: int = 0, mmax: int | None = None) -> np.ndarray:
    """Convert coefficients to the layout of ducc0.

    Parameters
    ----------
    flm : complex array_like [shape=(..., L*L)]
        Coefficients; those of a real signal, hence Hermitian, at spin 0.
    spin : int
        Spin of the field, 0 <= spin < L.
    mmax : int, optional
        Highest order of the result; L-1 by default. Higher orders are dropped.

    Returns
    -------
    complex ndarray [shape=(..., n) for spin 0, (..., 2, n) for spin > 0]
        The orders 0..mmax, each with its degrees m..L-1; for spin > 0 the components E and B. In the
        precision of ``flm``. Differentiable.

    Raises
    ------
    TypeError
        ``flm`` is not an array of numbers; spin or mmax is not an integer.
    ValueError
        ``flm`` has another shape, or is not Hermitian at spin 0; spin or mmax out of range.

    See Also
    --------
    from_ducc : the inverse.

    Examples
    --------
    >>> import numpy as np
    >>> to_ducc(np.array([0, 0, -2 - 1j, 0]), spin=1)[:, 1].real
    array([2., 1.])
    """
    spin = _checked_spin(0, spin)
    if spin == 0:
        return to_healpy(flm, mmax)
    return anp.stack(
        [to_healpy(component, mmax) for component in spin_to_eb(flm, spin=spin)], axis=-2
    )


# --- s2fft ----------------------------------------------------------------------------------------


def from_s2fft(flm: ArrayLike) -> np.ndarray:
    """Convert coefficients from the layout of s2fft.

    Parameters
    ----------
    flm : array_like [shape=(..., L, 2L-1)]
        The coefficient of degree l and order m is entry [l, L-1+m]. Entries with |m| > l are ignored.

    Returns
    -------
    ndarray [shape=(..., L*L)]
        Coefficients in the flat layout, in the dtype of ``flm``. Differentiable.

    Raises
    ------
    TypeError
        ``flm`` is not an array of numbers.
    ValueError
        The last axes are not (L, 2L-1).

    See Also
    --------
    to_s2fft : the inverse.

    Examples
    --------
    >>> import numpy as np
    >>> from_s2fft(np.array([[0, 1.0, 0], [2, 3, 4]]))
    array([1., 2., 3., 4.])
    """
    flm = as_float_array(flm, "flm")
    L = flm.shape[-2] if flm.ndim >= 2 else 0
    if L < 1 or flm.shape[-1] != 2 * L - 1:
        raise ValueError(f"flm has shape {flm.shape}; the layout of s2fft is (..., L, 2L-1)")
    entries = anp.reshape(flm, (*flm.shape[:-2], L * (2 * L - 1)))
    return gather_entries(entries, _s2fft_index(L))


def to_s2fft(flm: ArrayLike) -> np.ndarray:
    """Convert coefficients to the layout of s2fft.

    Parameters
    ----------
    flm : array_like [shape=(..., L*L)]
        Coefficients in the flat layout.

    Returns
    -------
    ndarray [shape=(..., L, 2L-1)]
        The coefficient of degree l and order m is entry [l, L-1+m]; entries with |m| > l are zero. In the
        dtype of ``flm``. Differentiable.

    Raises
    ------
    TypeError
        ``flm`` is not an array of numbers.
    ValueError
        The last axis is not L*L long.

    See Also
    --------
    from_s2fft : the inverse.

    Examples
    --------
    >>> import numpy as np
    >>> to_s2fft(np.array([1.0, 2, 3, 4]))
    array([[0., 1., 0.],
           [2., 3., 4.]])
    """
    flm, L = flat(flm)
    result = scatter_entries(flm, _s2fft_index(L), L * (2 * L - 1))
    return anp.reshape(result, (*flm.shape[:-1], L, 2 * L - 1))


def _s2fft_index(L):
    """The index in the flattened layout of s2fft of each entry of the flat layout."""
    ell, m = degrees_and_orders(L)
    return ell * (2 * L - 1) + L - 1 + m


# --- electric and magnetic parts ------------------------------------------------------------------


def eb_to_spin(E: ArrayLike, B: ArrayLike, *, spin: int) -> np.ndarray:
    """Coefficients of the field of spin +s with electric and magnetic parts E and B.

        flm = -(E_lm + i B_lm) for l >= s, 0 below

    The two components of the field are ``map0 + i map1 = inverse(flm, spin=s)``: along theta and phi for a
    vector field (s = 1), Q and U of healpy and ducc0 for polarization (s = 2).

    Parameters
    ----------
    E, B : complex array_like [shape=(..., L*L)]
        Coefficients of two real signals (Hermitian): the gradient and the curl part. Leading axes broadcast.
    spin : int
        s, 1 <= s < L. Required: the degrees below s of E and B are dropped.

    Returns
    -------
    complex ndarray [shape=(..., L*L)]
        complex64 if both E and B have single precision. Differentiable by both.

    Raises
    ------
    TypeError
        E or B is not an array of numbers; ``spin`` is not an integer.
    ValueError
        ``spin`` is out of range, or the shapes do not match.

    See Also
    --------
    spin_to_eb : the inverse.

    Examples
    --------
    >>> import numpy as np
    >>> eb_to_spin(np.ones(9), np.zeros(9), spin=2)[3:].real
    array([ 0., -1., -1., -1., -1., -1.])
    >>> eb_to_spin(np.ones(9), np.zeros(9), spin=1)[:4].real
    array([ 0., -1., -1., -1.])
    """
    E, L = flat(E, "E")
    B, L_B = flat(B, "B")
    if L != L_B:
        raise ValueError(f"E has shape {E.shape} and B {B.shape}; expected the same band-limit")
    E, B = same_precision(E, B)
    return _without_lower_degrees(_checked_spin(1, spin, L), -(E + 1j * B))


def spin_to_eb(flm: ArrayLike, *, spin: int) -> tuple[np.ndarray, np.ndarray]:
    """The electric and magnetic parts E and B of a field of spin +s.

        E_lm = -(f_lm + (-1)^m conj f_{l,-m}) / 2,    B_lm = i (f_lm - (-1)^m conj f_{l,-m}) / 2

    for l >= s, 0 below: the coefficients of two real signals with ``flm = -(E + iB)``.

    Parameters
    ----------
    flm : complex array_like [shape=(..., L*L)]
        Coefficients of the complex field ``map0 + i map1``, as returned by ``forward(f, L, spin=s)``.
    spin : int
        s, 1 <= s < L, the spin of ``flm``: another spin would drop degrees, or create them. Required: degrees
        below s are not part of the field, and are zero in E and B. For a field of spin -s, pass the
        coefficients of the conjugate samples.

    Returns
    -------
    E, B : complex ndarray [shape=(..., L*L)]
        Hermitian, in the precision of ``flm``. Differentiable.

    Raises
    ------
    TypeError
        ``flm`` is not an array of numbers; ``spin`` is not an integer.
    ValueError
        ``spin`` is out of range, or the last axis is not L*L long.

    See Also
    --------
    eb_to_spin : the inverse.

    Examples
    --------
    >>> import numpy as np
    >>> E, B = spin_to_eb(-np.array([0, 0, 0, 0, 0, 0, 1, 0, 0]) * (1 + 2j), spin=2)
    >>> float(E[6].real), float(B[6].real)
    (1.0, 2.0)
    """
    flm, L = flat(flm)
    spin = _checked_spin(1, spin, L)
    flm = flm if anp.iscomplexobj(flm) else flm + 0j
    mirror = mirrored(flm)
    return _without_lower_degrees(spin, -(flm + mirror) / 2), _without_lower_degrees(
        spin, 0.5j * (flm - mirror)
    )


def _without_lower_degrees(lowest, flm):
    """Coefficients whose degrees below ``lowest`` are set to zero."""
    zeros = np.zeros((*flm.shape[:-1], lowest * lowest), flm.dtype)
    return anp.concatenate([zeros, flm[..., lowest * lowest :]], axis=-1)


# --- checks of arguments --------------------------------------------------------------------------


def _checked_spin(minimum, spin, L=None):
    maximum = None if L is None else L - 1
    hint = "E and B are defined for spin +|s|: conjugate the samples of a field of spin -|s|"
    return checks.integer(spin, "spin", minimum, maximum, hint)


def _highest_order(mmax, L):
    if mmax is None:
        return L - 1
    return checks.integer(mmax, "mmax", 0, L - 1, f"the orders of L = {L}")
