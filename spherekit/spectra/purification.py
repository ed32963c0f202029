"""Pure E and B modes of masked polarization.

A mask mixes E and B. The pure coefficients of a field f of spin 2 are those of a scalar,

    f_lm = N_l int W (eth* eth* f) conj(Y_lm),    N_l = sqrt((l-2)! / (l+2)!),

the mask W times the scalar fields of E and B, which do not mix (Smith 2006, Phys. Rev. D 74, 083002). Two
integrations by parts move the derivatives to the mask and the harmonics (Grain, Tristram and Stompor 2009,
Phys. Rev. D 79, 123515, eq. 25-27):

    f_lm = int W f conj(2Y_lm) + 2 N_l sqrt(l(l+1)) int conj(eth W) f conj(1Y_lm)
           + N_l int conj(eth eth W) f conj(Y_lm).

The boundary terms vanish if W and its first derivative are zero at the edge of the observed sky.

The derivatives are those of the band-limited fit to the samples of the mask. That fit rings where the mask is
0; there its derivatives are set to 0, so that missing samples are not used. NaMaster multiplies by them, so
that its pure fields use samples outside of the mask, and differ from these where the mask is not smooth.
"""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.conventions import degrees, spin_to_eb
from spherekit.sampling.base import Grid
from spherekit.spectra.mask import Mask, checked_iterations, iterated_forward, observed_samples
from spherekit.spectra.masked_input import common_frame, grid_of, warn_beyond_pixels

#: Weight of samples beside masked ones, over the largest weight, above which the mask has a step there: 1 of
#: masks of zeros and ones, at most 0.65 of those of `apodize` with a width of two samples.
LARGE_WEIGHT = 0.75


def pure_coefficients(
    f: ArrayLike,
    L: int,
    mask: Mask | ArrayLike,
    *,
    sampling: str | Grid | None = None,
    purify: Literal["E", "B", "EB"] = "B",
    iterations: int | None = None,
    threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of the E and B modes of a masked field of spin 2, of which those of ``purify`` are pure.

    A pure mode is that of the mask times the scalar field of E or of B, so that the mask mixes no power of
    the other mode into it. Samples where the mask is 0 are not used. It is exact on grids with a sampling
    theorem, if the products of field, mask and harmonics are below the band-limit of the grid; on others what
    remains is that of the quadrature.

    Parameters
    ----------
    f : complex array_like [shape=(..., *grid.shape)], or Map
        Maps Q + i U (COSMO), or a `spherekit.io.Map` of Q and U, as of `masked_field`. Samples where ``mask``
        is 0 may be missing (NaN, infinite or UNSEEN).
    L : int
        Band-limit of the coefficients, > 2.
    mask : Mask or array_like [shape=grid.shape]
        Weights >= 0 that go to zero smoothly, with their first derivative (see `apodize`). Its derivatives
        are those of its band-limited fit on the grid; a `Mask` computes them once for all fields.
    sampling : str or Grid, optional
        Grid of the maps, as in `spherekit.harmonic.forward`. By default that of a `Map` or `Mask` among the
        arguments, else "mw".
    purify : {"E", "B", "EB"}
        The pure modes. The other mode, if any, is that of the masked field.
    iterations : int, optional
        Iterations ``flm += forward(f - inverse(flm))`` after the quadrature, of the map and of the mask. By
        default 3 on grids without a sampling theorem (HEALPix), else 0; those of healpy with equal weights of
        the pixels, ``HEALPix(nside, weights="equal")``.
    threads : int, optional
        Number of threads. The result does not depend on it.

    Returns
    -------
    E, B : complex ndarray [shape=(..., L*L)]
        Coefficients of two real signals, zero for l < 2. Differentiable by ``f``, which must not contain
        missing samples then.

    Raises
    ------
    TypeError
        Real maps; maps or a mask of another dtype, with a unit or with masked entries; L, iterations or
        threads that are not integers; a sampling that is neither a grid nor a name.
    ValueError
        Invalid masks, as in `sky_fraction`; maps of another shape; missing samples where the mask is not 0;
        an invalid L, ``purify``, grid or number of iterations or threads.

    Warns
    -----
    UserWarning
        L is larger than 3 nside on HEALPix. A mask that falls to zero within about a sample, such as one of
        zeros and ones: the power of the other mode is then mixed into the pure one.

    See Also
    --------
    masked_field : the same with ``purify``, for spectra.
    apodize : masks that go smoothly to zero.

    Examples
    --------
    B of a field that has E only, relative to its E, on part of the sky:

    >>> import numpy as np
    >>> from spherekit import inverse
    >>> from spherekit.sampling import GL
    >>> from spherekit.spectra import apodize, gaussian_flm, masked_flm, power, pure_coefficients
    >>> from spherekit.conventions import eb_to_spin, spin_to_eb
    >>> grid = GL(64)
    >>> E = gaussian_flm(np.ones(32), 32, 0)
    >>> f = inverse(eb_to_spin(E, 0 * E, spin=2), 32, spin=2, sampling=grid)
    >>> mask = apodize(np.broadcast_to(grid.theta[:, None] < 1.5, grid.shape), 1.0, sampling=grid)
    >>> pure = pure_coefficients(f, 32, mask, sampling=grid)
    >>> masked = spin_to_eb(masked_flm(f, 32, mask, spin=2, sampling=grid), spin=2)
    >>> for E, B in (masked, pure):
    ...     print(f"{power(B)[2:].sum() / power(E)[2:].sum():.1e}")
    5.8e-02
    6.3e-07
    """
    L = checks.integer(L, "L", 3)
    grid = grid_of(sampling, L, f=f, mask=mask)
    if purify not in ("E", "B", "EB"):
        raise ValueError(f"purify is {purify!r}; expected 'E', 'B' or 'EB'")
    common_frame(f=f, mask=mask)
    if not isinstance(mask, Mask):
        mask = Mask(mask, L, grid, iterations, threads)
    if mask.grid != grid:
        raise ValueError(
            f"the mask is of {mask.grid!r}, the maps are of {grid!r}; pass the same grid to both"
        )
    f = observed_samples(f, mask, L, 2)
    warn_beyond_pixels(grid, L)
    warn_of_edges(mask)
    steps = mask.iterations if iterations is None else checked_iterations(iterations, grid)
    return pure_signals(f, L, mask, purify, iterations=steps, sampling=grid, threads=threads)


def warn_of_edges(mask):
    """Warn of a mask that has a step at its edge: 1/10 of the samples at its edge have large weights.

    >>> from spherekit.spectra import apodize
    >>> mask = np.repeat([1.0, 0.0], [384, 384])
    >>> warn_of_edges(Mask(apodize(mask, 0.7, sampling="healpix:8"), 8, "healpix:8"))
    """
    weights = _edge_weights(mask.values)
    if not weights.size or np.mean(weights > LARGE_WEIGHT * mask.values.max()) < 0.1:
        return
    grid = mask.grid
    distance = np.pi / (2 * grid.nside if grid.name == "healpix" else grid.default_L)
    warnings.warn(
        "the mask has a step at its edge, so that the pure modes contain power of the other one; pass a mask "
        "that goes to zero smoothly, such as spherekit.spectra.apodize(mask, width) with a width of at "
        f"least {np.degrees(2 * distance):.2g} degrees",
        UserWarning,
        stacklevel=3,
    )


def _edge_weights(values):
    """The weights > 0 of samples that follow or precede one of weight 0, in a ring or along a meridian."""
    observed = values > 0
    at_edge = np.zeros(observed.shape, bool)
    views = [(observed.ravel(), at_edge.reshape(-1))]  # also from the end of a ring to the next one
    if observed.ndim == 2:
        views.append((observed, at_edge))
    for x, edge in views:
        edge[1:] |= x[1:] & ~x[:-1]
        edge[:-1] |= x[:-1] & ~x[1:]
    return values[at_edge]


def pure_signals(f, L, mask, purify, **options):
    """`pure_coefficients` of checked samples.

    >>> [x.shape for x in pure_signals(np.ones((3, 5)) + 0j, 3, Mask(np.ones((3, 5)), 3), "B",
    ...                                iterations=0, sampling="mw")]
    [(9,), (9,)]
    """
    flm = iterated_forward(f * mask.values.astype(checks.real_type(f)), L, spin=2, **options)
    plain = spin_to_eb(flm, spin=2)
    pure = spin_to_eb(flm + _counterterms(f, L, mask, options), spin=2)
    E, B = (pure[i] if name in purify else plain[i] for i, name in enumerate("EB"))
    return E, B


def _counterterms(f, L, mask, options):
    """The terms of the derivatives of the mask: what makes the coefficients of W f pure."""
    gradient, hessian = mask.derivatives
    kind = checks.result_type(False, checks.is_single(f))
    of_gradient, of_hessian = (x[degrees(L)] for x in derivative_factors(L))
    of_spin_1 = iterated_forward(f * gradient.conj().astype(kind), L, spin=1, **options)
    of_spin_0 = iterated_forward(f * hessian.conj().astype(kind), L, spin=0, **options)
    real = checks.real_type(of_spin_0)
    return of_gradient.astype(real) * of_spin_1 + of_hessian.astype(real) * of_spin_0


def derivative_factors(L):
    """2 N_l sqrt(l(l+1)) and N_l, the factors of the terms of eth W and of eth eth W; 0 for l < 2.

    >>> [x.round(3) for x in derivative_factors(4)]
    [array([0.   , 0.   , 1.   , 0.632]), array([0.   , 0.   , 0.204, 0.091])]
    """
    ell = np.arange(float(L))
    N = np.zeros(L)
    N[2:] = 1 / np.sqrt((ell + 2) * (ell + 1) * ell * (ell - 1))[2:]
    return 2 * N * np.sqrt(ell * (ell + 1)), N
