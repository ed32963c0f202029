"""Between the flat layout and SHTOOLS' cilm, in every normalisation and phase of that code.

Its conventions: Wieczorek and Meschede 2018, Geochem. Geophys. Geosyst. 19, 2574, and
the pages "Real spherical harmonics" and "Complex spherical harmonics" of its documentation.
"""

from math import perm

import autograd.numpy as anp
import numpy as np

from spherekit._core import checks
from spherekit._core.traced import as_float_array
from spherekit.conventions.indexing import (
    alternate,
    degrees_and_orders,
    flat,
    half_of_real,
    hermitian,
    place,
    take,
)


def from_shtools(cilm, *, normalization="4pi", csphase=1, kind="real"):
    """flm (..., L*L) from the coefficients cilm of SHTOOLS and pyshtools.

    A real signal is ``sum_{l, m >= 0} P_lm(cos theta) (C_lm cos(m phi) + S_lm sin(m phi))``, a
    complex one ``sum_{l, m} c_lm Y_lm``. The defaults are those of pyshtools; say what your
    coefficients are, for the numbers themselves do not show it.

    Parameters
    ----------
    cilm : ndarray [shape=(..., 2, L, L)]
        ``[0, l, m]`` and ``[1, l, m]``: C_lm and S_lm for the real kind, c_lm and c_{l,-m} for the
        complex one. Entries with m > l, and [1, l, 0], are ignored.
    normalization : {"4pi", "ortho", "schmidt", "unnorm"}
        Integral of the squared functions over the sphere: 4 pi, 1, 4 pi/(2l+1), or that of bare
        Legendre functions, which SHTOOLS holds up to degree 85 (28 in float32).
    csphase : {1, -1}
        1: functions without the Condon-Shortley phase (-1)^m; -1: with it.
    kind : {"real", "complex"}

    Raises
    ------
    ValueError
        Another shape or option; degrees beyond those of "unnorm".
    TypeError
        Complex numbers given as the real kind.

    >>> import numpy as np
    >>> cilm = np.array([[[1.0, 0], [0, 1]], [[0, 0], [0, 0]]])
    >>> from_shtools(cilm, normalization="ortho", csphase=1, kind="real").real
    array([ 1.        ,  0.70710678,  0.        , -0.70710678])
    """
    cilm = as_float_array(cilm, "cilm")
    L = cilm.shape[-1] if cilm.ndim >= 3 else 0
    if L < 1 or cilm.shape[-3:] != (2, L, L):
        raise ValueError(f"cilm has shape {cilm.shape}; SHTOOLS' layout is (..., 2, L, L)")
    entries = anp.reshape(cilm, (*cilm.shape[:-3], 2 * L * L))
    if kind == "real":
        ell, m = np.tril_indices(L)
        scale = _shtools_scale(L, ell, m, normalization, csphase, kind, cilm)
        if anp.iscomplexobj(cilm):
            raise TypeError(f'cilm is complex ({cilm.dtype}); pass kind="complex"')
        cosine, sine = (take(entries, _in_cilm(L, ell, m, part)) for part in (0, 1))
        return hermitian((cosine - 1j * sine) / scale, ell, m, L)
    ell, m = degrees_and_orders(L)
    scale = _shtools_scale(L, ell, np.abs(m), normalization, csphase, kind, cilm)
    flm = take(entries, _in_cilm(L, ell, np.abs(m), m < 0)) / scale
    return flm if anp.iscomplexobj(flm) else flm + 0j


def to_shtools(flm, *, normalization="4pi", csphase=1, kind="real"):
    """SHTOOLS' cilm (..., 2, L, L) of flat coefficients; arguments as `from_shtools`.

    The real kind takes the coefficients of a real signal (refused if they are not Hermitian) and
    gives real numbers.

    >>> import numpy as np
    >>> float(to_shtools(np.array([1, 0, 0, 0]), normalization="ortho")[0, 0, 0])
    1.0
    """
    flm, L = flat(flm)
    if kind == "real":
        ell, m = np.tril_indices(L)
        scale = _shtools_scale(L, ell, m, normalization, csphase, kind, flm)
        why = 'the real kind is for real signals; pass kind="complex"'
        half = half_of_real(flm, ell, m, why) * scale
        signed = m > 0
        index = _in_cilm(L, ell, m, 0), _in_cilm(L, ell[signed], m[signed], 1)
        parts = anp.concatenate([anp.real(half), -anp.imag(half)[..., signed]], axis=-1)
        entries = place(parts, np.concatenate(index), 2 * L * L)
    else:
        ell, m = degrees_and_orders(L)
        scale = _shtools_scale(L, ell, np.abs(m), normalization, csphase, kind, flm)
        entries = place(flm * scale, _in_cilm(L, ell, np.abs(m), m < 0), 2 * L * L)
    return anp.reshape(entries, (*flm.shape[:-1], 2, L, L))


def _in_cilm(L, ell, m, part):
    """Where [part, l, m] lies in cilm, its axes in one row."""
    return (part * L + ell) * L + m


def _shtools_scale(L, ell, m, normalization, csphase, kind, x):
    """cilm over flm, for m >= 0: real numbers in the precision of ``x``."""
    if kind not in ("real", "complex"):
        raise ValueError(f'kind is {kind!r}; SHTOOLS knows "real" and "complex"')
    if csphase not in (1, -1):
        raise ValueError(f"csphase is {csphase!r}; 1 leaves the Condon-Shortley phase out, -1 not")
    pairs = np.where((m > 0) & (kind == "real"), 2.0, 1.0)  # a cosine and a sine share two orders
    single = checks.is_single(x)
    if normalization == "unnorm":
        top = 28 if single else 85
        if top < L - 1:
            raise ValueError(
                f'"unnorm" at degree {L - 1} is out of the range of {x.dtype}, which ends at {top}; '
                'use "4pi", "ortho" or "schmidt"'
            )
        factorials = [perm(a + b, 2 * b) for a, b in zip(ell.tolist(), m.tolist(), strict=True)]
        scale = pairs * np.sqrt((2 * ell + 1) / (4 * np.pi) * [1 / x for x in factorials])
    elif normalization in ("4pi", "ortho", "schmidt"):
        norm = {"4pi": 1 / (4 * np.pi), "ortho": 1.0, "schmidt": (2 * ell + 1) / (4 * np.pi)}
        scale = np.sqrt(pairs * norm[normalization])
    else:
        raise ValueError(
            f'normalization is {normalization!r}; SHTOOLS knows "4pi", "ortho", "schmidt", "unnorm"'
        )
    scale = alternate(scale, m) if csphase == 1 else scale
    return scale.astype(np.float32) if single else scale
