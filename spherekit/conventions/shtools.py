"""Converters between the flat layout and the cilm of SHTOOLS, with all its normalizations and phases.

The conventions of SHTOOLS are described by Wieczorek and Meschede 2018, Geochem. Geophys. Geosyst. 19, 2574,
and in the pages "Real spherical harmonics" and "Complex spherical harmonics" of its documentation.
"""

from __future__ import annotations

from math import perm
from typing import Literal

import autograd.numpy as anp
import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.traced import as_float_array
from spherekit.conventions.indexing import (
    alternate,
    degrees_and_orders,
    flat,
    gather_entries,
    half_of_real,
    hermitian,
    scatter_entries,
)

_Normalization = Literal["4pi", "ortho", "schmidt", "unnorm"]


def from_shtools(
    cilm: ArrayLike,
    *,
    normalization: _Normalization = "4pi",
    csphase: Literal[1, -1] = 1,
    kind: Literal["real", "complex"] = "real",
) -> np.ndarray:
    """Convert coefficients from the layout of SHTOOLS and pyshtools.

    A real signal is ``sum_{l, m >= 0} P_lm(cos theta) (C_lm cos(m phi) + S_lm sin(m phi))``, a complex one
    ``sum_{l, m} c_lm Y_lm``. The defaults are those of pyshtools. The coefficients themselves do not reveal
    their normalization and phase.

    Parameters
    ----------
    cilm : array_like [shape=(..., 2, L, L)]
        ``[0, l, m]`` and ``[1, l, m]``: C_lm and S_lm for the real kind, c_lm and c_{l,-m} for the complex
        kind. Entries with m > l, and [1, l, 0], are ignored.
    normalization : {"4pi", "ortho", "schmidt", "unnorm"}
        The integral of the squared functions over the sphere: 4 pi, 1, 4 pi/(2l+1), or that of unnormalized
        Legendre functions, which SHTOOLS supports up to degree 85 (28 in float32).
    csphase : {1, -1}
        1: functions without the Condon-Shortley phase (-1)^m; -1: functions with it.
    kind : {"real", "complex"}
        Expansion in real or in complex functions.

    Returns
    -------
    complex ndarray [shape=(..., L*L)]
        Coefficients in the flat layout, in the precision of ``cilm``. Differentiable.

    Raises
    ------
    TypeError
        ``cilm`` is not an array of numbers; complex numbers with ``kind="real"``.
    ValueError
        Another shape or an unknown option; a degree too high for ``"unnorm"``.

    See Also
    --------
    to_shtools : the inverse.

    Examples
    --------
    >>> import numpy as np
    >>> cilm = np.array([[[1.0, 0], [0, 1]], [[0, 0], [0, 0]]])
    >>> from_shtools(cilm, normalization="ortho", csphase=1, kind="real").real
    array([ 1.        ,  0.70710678,  0.        , -0.70710678])
    """
    cilm = as_float_array(cilm, "cilm")
    L = cilm.shape[-1] if cilm.ndim >= 3 else 0
    if L < 1 or cilm.shape[-3:] != (2, L, L):
        raise ValueError(f"cilm has shape {cilm.shape}; the layout of SHTOOLS is (..., 2, L, L)")
    entries = anp.reshape(cilm, (*cilm.shape[:-3], 2 * L * L))
    if kind == "real":
        ell, m = np.tril_indices(L)
        scale = _shtools_scale(L, ell, m, normalization, csphase, kind, cilm)
        if anp.iscomplexobj(cilm):
            raise TypeError(f'cilm is complex ({cilm.dtype}); pass kind="complex"')
        cosine, sine = (gather_entries(entries, _cilm_index(L, ell, m, part)) for part in (0, 1))
        return hermitian((cosine - 1j * sine) / scale, ell, m, L)
    ell, m = degrees_and_orders(L)
    scale = _shtools_scale(L, ell, np.abs(m), normalization, csphase, kind, cilm)
    flm = gather_entries(entries, _cilm_index(L, ell, np.abs(m), m < 0)) / scale
    return flm if anp.iscomplexobj(flm) else flm + 0j


def to_shtools(
    flm: ArrayLike,
    *,
    normalization: _Normalization = "4pi",
    csphase: Literal[1, -1] = 1,
    kind: Literal["real", "complex"] = "real",
) -> np.ndarray:
    """Convert coefficients to the layout of SHTOOLS and pyshtools.

    Parameters
    ----------
    flm : complex array_like [shape=(..., L*L)]
        Coefficients in the flat layout. Those of a real signal, hence Hermitian, for the real kind.
    normalization : {"4pi", "ortho", "schmidt", "unnorm"}
        The integral of the squared functions over the sphere: 4 pi, 1, 4 pi/(2l+1), or that of unnormalized
        Legendre functions, which SHTOOLS supports up to degree 85 (28 in float32).
    csphase : {1, -1}
        1: functions without the Condon-Shortley phase (-1)^m; -1: functions with it.
    kind : {"real", "complex"}
        Expansion in real or in complex functions.

    Returns
    -------
    ndarray [shape=(..., 2, L, L)]
        cilm, as in `from_shtools`: real numbers for the real kind, else complex ones. In the precision of
        ``flm``. Differentiable.

    Raises
    ------
    TypeError
        ``flm`` is not an array of numbers.
    ValueError
        Another shape or an unknown option; coefficients that are not Hermitian with ``kind="real"``; a degree
        too high for ``"unnorm"``.

    See Also
    --------
    from_shtools : the inverse.

    Examples
    --------
    >>> import numpy as np
    >>> float(to_shtools(np.array([1, 0, 0, 0]), normalization="ortho")[0, 0, 0])
    1.0
    """
    flm, L = flat(flm)
    if kind == "real":
        ell, m = np.tril_indices(L)
        scale = _shtools_scale(L, ell, m, normalization, csphase, kind, flm)
        half = half_of_real(flm, ell, m, 'pass kind="complex" for a complex signal') * scale
        signed = m > 0
        index = _cilm_index(L, ell, m, 0), _cilm_index(L, ell[signed], m[signed], 1)
        values = anp.concatenate([anp.real(half), -anp.imag(half)[..., signed]], axis=-1)
        entries = scatter_entries(values, np.concatenate(index), 2 * L * L)
    else:
        ell, m = degrees_and_orders(L)
        scale = _shtools_scale(L, ell, np.abs(m), normalization, csphase, kind, flm)
        entries = scatter_entries(flm * scale, _cilm_index(L, ell, np.abs(m), m < 0), 2 * L * L)
    return anp.reshape(entries, (*flm.shape[:-1], 2, L, L))


def _cilm_index(L, ell, m, part):
    """The index of [part, l, m] in the flattened cilm."""
    return (part * L + ell) * L + m


def _shtools_scale(L, ell, m, normalization, csphase, kind, x):
    """The real factors cilm/flm for m >= 0, in the precision of ``x``."""
    if kind not in ("real", "complex"):
        raise ValueError(f'kind must be "real" or "complex"; got {kind!r}')
    if csphase not in (1, -1):
        raise ValueError(
            f"csphase must be 1 (without the Condon-Shortley phase) or -1 (with it); got {csphase!r}"
        )
    pairs = np.where(
        (m > 0) & (kind == "real"), 2.0, 1.0
    )  # one real function for the orders m and -m
    single = checks.is_single(x)
    if normalization == "unnorm":
        highest = 28 if single else 85
        if highest < L - 1:
            raise ValueError(
                f'normalization="unnorm" supports degrees up to {highest} in {x.dtype}; got degree {L - 1}: '
                'use "4pi", "ortho" or "schmidt"'
            )
        factorials = [perm(a + b, 2 * b) for a, b in zip(ell.tolist(), m.tolist(), strict=True)]
        scale = pairs * np.sqrt((2 * ell + 1) / (4 * np.pi) * [1 / x for x in factorials])
    elif normalization in ("4pi", "ortho", "schmidt"):
        norm = {"4pi": 1 / (4 * np.pi), "ortho": 1.0, "schmidt": (2 * ell + 1) / (4 * np.pi)}
        scale = np.sqrt(pairs * norm[normalization])
    else:
        raise ValueError(
            f'normalization must be one of "4pi", "ortho", "schmidt", "unnorm"; got {normalization!r}'
        )
    scale = alternate(scale, m) if csphase == 1 else scale
    return scale.astype(np.float32) if single else scale
