"""Pure E and B modes of masked polarization.

A mask mixes E and B. The pure coefficients of a field f of spin 2 are those of a scalar,

    f_lm = N_l int W (eth* eth* f) conj(Y_lm),    N_l = sqrt((l-2)! / (l+2)!),

the mask W times the scalar fields of E and B, which do not mix (Smith 2006, Phys. Rev. D 74, 083002). Two
integrations by parts move the derivatives to the mask and the harmonics (Grain, Tristram and Stompor 2009,
Phys. Rev. D 79, 123515, eq. 25-27):

    f_lm = int W f conj(2Y_lm) + 2 N_l sqrt(l(l+1)) int conj(eth W) f conj(1Y_lm)
           + N_l int conj(eth eth W) f conj(Y_lm).

The boundary terms vanish if W and its first derivative are zero at the edge of the observed sky.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.labeled import check_coordinates
from spherekit._core.missing import UNSEEN
from spherekit._core.traced import as_float_array
from spherekit.conventions import degrees, spin_to_eb
from spherekit.harmonic import inverse
from spherekit.linear import is_traced
from spherekit.sampling.base import Grid
from spherekit.sampling.grids import grid as as_grid
from spherekit.spectra.mask import checked_iterations, iterated_forward
from spherekit.spectra.masked import as_mask


def pure_coefficients(
    f: ArrayLike,
    L: int,
    mask: ArrayLike,
    *,
    sampling: str | Grid = "mw",
    purify: Literal["E", "B", "EB"] = "B",
    iterations: int | None = None,
    threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of the E and B modes of a masked field of spin 2, of which those of ``purify`` are pure.

    A pure mode is that of the mask times the scalar field of E or of B, so that the mask mixes no power of
    the other mode into it. It is exact on grids with a sampling theorem, if the products of field, mask and
    harmonics are below the band-limit of the grid; on others what remains is that of the quadrature.

    Parameters
    ----------
    f : complex array_like [shape=(..., *grid.shape)]
        Maps Q + i U (COSMO). Samples where ``mask`` is 0 may be missing (NaN, infinite or UNSEEN).
    L : int
        Band-limit of the coefficients, > 2.
    mask : array_like [shape=grid.shape]
        Weights >= 0 that go to zero smoothly, with their first derivative (see `apodize`). Its derivatives
        are those of its band-limited fit on the grid.
    sampling : str or Grid
        Grid of the maps, as in `spherekit.harmonic.forward`.
    purify : {"E", "B", "EB"}
        The pure modes. The other mode, if any, is that of the masked field.
    iterations : int, optional
        Iterations ``flm += forward(f - inverse(flm))`` after the quadrature, of the map and of the mask. By
        default 3 on grids without a sampling theorem (HEALPix), as those of healpy, else 0.
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
        Maps or a mask of another dtype, with a unit or with masked entries; L, iterations or threads that are
        not integers; a sampling that is neither a grid nor a name.
    ValueError
        Invalid masks, as in `sky_fraction`; maps of another shape; missing samples where the mask is not 0;
        an invalid L, ``purify``, grid or number of iterations or threads.

    Warns
    -----
    UserWarning
        L is larger than 3 nside on HEALPix.

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
    grid = as_grid(sampling, L)
    L = checks.integer(L, "L", 3)
    if purify not in ("E", "B", "EB"):
        raise ValueError(f"purify is {purify!r}; expected 'E', 'B' or 'EB'")
    iterations = checked_iterations(iterations, grid)
    weights = as_mask(mask, grid).astype(float)
    f = _observed(f, weights > 0, grid, L)
    options = dict(iterations=iterations, sampling=grid, threads=threads)
    flm = iterated_forward(f * weights.astype(checks.real_type(f)), L, spin=2, **options)
    plain = spin_to_eb(flm, spin=2)
    pure = spin_to_eb(flm + _counterterms(f, L, weights, options), spin=2)
    E, B = (pure[i] if name in purify else plain[i] for i, name in enumerate("EB"))
    return E, B


def _observed(f, observed, grid, L):
    """The maps as an array, with 0 where they are not observed; checked."""
    check_coordinates(f, grid)
    f = as_float_array(f, "f")
    checks.samples_shape(f, grid, L)
    if is_traced(f):
        return f
    checks.finite_samples(f[..., observed], UNSEEN)
    return np.where(observed, f, f.dtype.type(0))


def _counterterms(f, L, weights, options):
    """The terms of the derivatives of the mask: what makes the coefficients of W f pure."""
    gradient, hessian = mask_derivatives(weights, options)
    kind = checks.result_type(False, checks.is_single(f))
    ell = degrees(L).astype(float)
    slope = np.sqrt(ell * (ell + 1))
    N = np.zeros(L * L)
    N[4:] = 1 / np.sqrt((ell + 2) * (ell + 1) * ell * (ell - 1))[4:]
    of_spin_1 = iterated_forward(f * gradient.conj().astype(kind), L, spin=1, **options)
    of_spin_0 = iterated_forward(f * hessian.conj().astype(kind), L, spin=0, **options)
    real = checks.real_type(of_spin_0)
    return (2 * N * slope).astype(real) * of_spin_1 + N.astype(real) * of_spin_0


def mask_derivatives(weights, options):
    """eth W and eth eth W of a mask at its samples, and 0 where the mask is 0.

    >>> import numpy as np
    >>> from spherekit.sampling import GL
    >>> grid = GL(4)
    >>> weights = 1 + np.cos(grid.theta)[:, None] * np.ones(grid.shape)
    >>> eth, eth_eth = mask_derivatives(weights, dict(iterations=0, sampling=grid, threads=1))
    >>> np.allclose(eth, np.sin(grid.theta)[:, None]), np.allclose(eth_eth, 0)
    (True, True)
    """
    grid = options["sampling"]
    L = 3 * grid.nside if grid.name == "healpix" else grid.default_L
    wlm = iterated_forward(weights, L, spin=0, reality=True, **options)
    flags = dict(sampling=grid, threads=options["threads"])
    ell = degrees(L).astype(float)
    derivatives = []
    for spin in (1, 2):
        if spin >= L:
            derivatives.append(np.zeros(grid.shape, complex))
            continue
        wlm = wlm * np.sqrt(np.maximum((ell - spin + 1) * (ell + spin), 0))
        samples = inverse(wlm, L, spin=spin, **flags)
        derivatives.append(np.where(weights > 0, samples, 0))
    return derivatives
