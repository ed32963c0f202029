"""Angular power spectra of harmonic coefficients."""

from __future__ import annotations

import math

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.numpy.numpy_vjps import unbroadcast_f
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.jit import leaf
from spherekit.conventions import spin_to_eb
from spherekit.conventions.indexing import band_limit_of, degrees, flat
from spherekit.linear import cast, conj, like


def power(flm: ArrayLike, flm2: ArrayLike | None = None) -> np.ndarray:
    """Angular power spectrum of a signal, or cross-spectrum of two signals.

        C_l = 1/(2l+1) sum_m Re(f_lm conj(g_lm))

    Parameters
    ----------
    flm, flm2 : complex array_like [shape=(..., L*L)]
        Coefficients of f and g; g = f by default. The leading axes broadcast.

    Returns
    -------
    float64 ndarray [shape=(..., L)]
        float64 also for input in single precision, because squares of float32 numbers may be out of the range
        of float32. Differentiable by both arguments; each gradient has the precision of its argument.

    Raises
    ------
    TypeError
        Arguments that are not arrays of numbers, or that have a unit or masked entries.
    ValueError
        The last axis is not L*L long, band-limits differ, or leading axes do not broadcast.

    See Also
    --------
    polarization_power : the spectra of a spin field.
    masked_power : the spectrum of a map on part of the sphere.

    Examples
    --------
    >>> import numpy as np
    >>> power(np.array([2.0, 1, 1, 1]))
    array([4., 1.])
    >>> power(np.full(4, 1e-23, np.complex64)).round(50)
    array([1.e-46, 1.e-46])
    """
    flm, L = flat(flm)
    flm2, L_2 = (flm, L) if flm2 is None else flat(flm2, "flm2")
    if L != L_2:
        raise ValueError(
            f"flm has shape {flm.shape} and flm2 {flm2.shape}; truncate both to the same L*L"
        )
    checks.check_broadcast("flm", flm, "flm2", flm2)
    return _power(flm, flm2)


def polarization_power(
    flm: ArrayLike, T: ArrayLike | None = None, *, spin: int = 2
) -> dict[str, np.ndarray]:
    """Auto- and cross-spectra of the E and B modes of a spin field, and of an optional scalar T.

    Parameters
    ----------
    flm : complex array_like [shape=(..., L*L)]
        Coefficients of the field, as returned by ``forward(Q + 1j * U, L, spin=2)``.
    T : complex array_like [shape=(..., L*L)], optional
        Coefficients of a real signal, such as the temperature.
    spin : int
        Spin of the field, 1 <= spin < L.

    Returns
    -------
    dict of str to float64 ndarray [shape=(..., L)]
        ``"EE"``, ``"BB"`` and ``"EB"``; with T ``"TT"``, ``"EE"``, ``"BB"``, ``"TE"``, ``"EB"`` and
        ``"TB"``. Differentiable.

    Raises
    ------
    TypeError
        ``spin`` is not an integer.
    ValueError
        ``spin`` is out of range, or the shapes do not match.

    See Also
    --------
    spherekit.conventions.spin_to_eb : the coefficients of E and B.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.conventions import eb_to_spin
    >>> E, B = (np.where(np.arange(9) == 6, x, 0) for x in (2.0, 3.0))            # l = 2, m = 0
    >>> {name: float(cl[2]) for name, cl in polarization_power(eb_to_spin(E, B, spin=2)).items()}
    {'EE': 0.8, 'BB': 1.8, 'EB': 1.2}
    """
    E, B = spin_to_eb(flm, spin=spin)
    fields = {"E": E, "B": B}
    pairs = ("EE", "BB", "EB")
    if T is not None:
        fields["T"], L = flat(T, "T")
        if L != band_limit_of(E):
            raise ValueError(
                f"T has shape {np.shape(T)} and flm {np.shape(flm)}; truncate both to the same L*L"
            )
        checks.check_broadcast("T", fields["T"], "flm", E)
        pairs = ("TT", "EE", "BB", "TE", "EB", "TB")
    return {a + b: power(fields[a], fields[b]) for a, b in pairs}


@primitive
def _power(f, g):
    if f.shape != g.shape or f.dtype != g.dtype:
        kind = np.result_type(f, g)
        f, g = (x.astype(kind) for x in np.broadcast_arrays(f, g))
    L = band_limit_of(f)
    sums = np.empty((math.prod(f.shape[:-1]), L))
    _sums(f.reshape(-1, L * L), g.reshape(-1, L * L), L, sums)
    return sums.reshape(*f.shape[:-1], L)


def _pullback(x, partner):
    """The gradient by ``x`` of the cross-spectrum of ``x`` and ``partner``."""
    L = band_limit_of(x)
    kind = checks.result_type(not anp.iscomplexobj(partner), checks.is_single(x))

    def pullback(g):
        weights = (g / (2 * np.arange(L) + 1))[..., degrees(L)]
        return like(cast(weights, checks.real_type(x)) * cast(conj(partner), kind), x)

    return unbroadcast_f(x, pullback)


defvjp(
    _power,
    lambda answer, f, g: _pullback(f, g),
    lambda answer, f, g: _pullback(g, f),
)
defjvp(
    _power,
    lambda tangent, answer, f, g: _power(tangent, g),
    lambda tangent, answer, f, g: _power(f, tangent),
)


@leaf
def _sums(f, g, L, sums):
    """The spectra of signals (rows), with products and sums in double precision."""
    for q in range(f.shape[0]):
        for ell in range(L):
            total = 0.0
            for k in range(ell * ell, (ell + 1) ** 2):
                real = np.float64(f[q, k].real) * np.float64(g[q, k].real)
                total += real + np.float64(f[q, k].imag) * np.float64(g[q, k].imag)
            sums[q, ell] = total / (2 * ell + 1)
