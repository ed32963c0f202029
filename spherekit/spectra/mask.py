"""Masks as values: samples, and coefficients that are computed once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import autograd.numpy as anp
import numpy as np

from spherekit._core import checks
from spherekit.conventions.indexing import degrees
from spherekit.harmonic import forward, inverse
from spherekit.linear import cast, is_traced
from spherekit.sampling.base import Grid
from spherekit.sampling.grids import grid as as_grid
from spherekit.spectra.angular_power import power
from spherekit.spectra.masked import as_mask
from spherekit.spectra.masked_input import (
    check_observed,
    common_frame,
    grid_of,
    samples_of_spin,
    without_warnings_of_pixels,
)

#: Iterations of the quadrature of fields on grids without a sampling theorem, those of healpy and NaMaster.
ITERATIONS = 3
#: The same with the weights of rings, whose quadrature is more accurate.
RING_ITERATIONS = 2


@dataclass(frozen=True, eq=False)
class Mask:
    """Weights of the samples of a grid, and their harmonic coefficients.

    One object serves all fields and simulations of the same mask: its coefficients are computed once, when
    they are first needed.

    Parameters
    ----------
    values : array_like [shape=grid.shape], or Map
        Weights >= 0 or booleans, as in `sky_fraction`.
    L : int
        Band-limit of the fields. The degrees < 2 L - 1 of the mask couple those of the fields; on HEALPix
        at most those < 3 nside are used, on other grids those < L of the grid.
    sampling : str or Grid, optional
        Grid of the mask, as in `spherekit.harmonic.forward`. By default that of a `Map`, else "mw".
    iterations : int, optional
        Iterations ``flm += forward(f - inverse(flm))`` after the quadrature, of fields and of the mask. By
        default 0 on grids with a sampling theorem. On HEALPix 3 with equal weights of the pixels,
        ``HEALPix(nside, weights="equal")``, which are the iterations of healpy and NaMaster; with the weights
        of rings, the default of that grid, 2 of fields, whose error is not larger up to l = 2 nside, and none
        of the mask, whose low degrees the quadrature alone determines to 1e-6.
    threads : int, optional
        Number of threads, as in `spherekit.harmonic.forward`.

    Attributes
    ----------
    values : float64 ndarray [shape=grid.shape]
        Read-only weights.
    flm : complex128 ndarray [shape=(L_mask*L_mask,)]
        Their coefficients.
    mask_iterations : int
        The number of iterations of the mask; ``iterations`` is that of fields.
    fraction : float
        The fraction of the sphere where the mask is not 0.
    frame : str
        The frame of a `Map`, such as "galactic", or "" where none is stated.

    Raises
    ------
    TypeError
        A mask of another dtype, with a unit or masked entries; L, iterations or threads that are not
        integers; a sampling that is neither a grid nor a name.
    ValueError
        Invalid masks, as in `sky_fraction`; an invalid L, grid or number of iterations.

    Examples
    --------
    >>> from spherekit.sampling import HEALPix
    >>> from spherekit.spectra import Mask
    >>> grid = HEALPix(16)
    >>> north = Mask(grid.theta < 1.047, 32, sampling=grid)
    >>> round(north.fraction, 2), north.flm.shape
    (0.24, (2304,))
    """

    values: np.ndarray = field(repr=False)
    L: int
    sampling: str | Grid | None = None
    iterations: int | None = None
    threads: int | None = field(default=None, repr=False)
    frame: str = field(default="", init=False, repr=False)
    mask_iterations: int = field(default=0, init=False, repr=False)

    def __post_init__(self):
        L = checks.band_limit(self.L)
        grid = grid_of(self.sampling, L, values=self.values)
        object.__setattr__(self, "frame", common_frame(values=self.values))
        values = as_mask(self.values, grid).astype(float)
        values.flags.writeable = False
        steps = checked_iterations(self.iterations, grid)
        is_default = self.iterations is None and has_ring_weights(grid)
        object.__setattr__(self, "mask_iterations", 0 if is_default else steps)
        for name, value in dict(values=values, L=L, sampling=grid, iterations=steps).items():
            object.__setattr__(self, name, value)

    @property
    def grid(self) -> Grid:
        """The grid of the samples."""
        return self.sampling

    @property
    def settings(self) -> tuple:
        """L, grid and numbers of iterations, of fields and of the mask."""
        return self.L, self.grid, self.iterations, self.mask_iterations

    @cached_property
    def flm(self) -> np.ndarray:
        """The coefficients, exact for a constant mask."""
        L = _band_limit(self.grid, self.L)
        if self.is_constant:
            flm = np.zeros(L * L, complex)
            flm[0] = np.sqrt(4 * np.pi) * self.values.flat[0]
        else:
            options = dict(sampling=self.grid, threads=self.threads, reality=True)
            flm = iterated_forward(self.values, L, self.mask_iterations, **options)
        flm.flags.writeable = False
        return flm

    @cached_property
    def derivatives(self) -> tuple[np.ndarray, np.ndarray]:
        """eth W and eth eth W at the samples, of spin 1 and 2, and 0 where the mask is 0.

        Of the mask with all degrees that its grid determines.
        """
        grid = self.grid
        L = 3 * grid.nside if grid.name == "healpix" else grid.default_L
        options = dict(sampling=grid, threads=self.threads)
        wlm = iterated_forward(self.values, L, self.iterations, reality=True, **options)
        ell = degrees(L).astype(float)
        derivatives = []
        for spin in (1, 2):
            samples = np.zeros(grid.shape, complex)
            if spin < L:
                wlm = wlm * np.sqrt(np.maximum((ell - spin + 1) * (ell + spin), 0))
                samples = np.where(self.values > 0, inverse(wlm, L, spin=spin, **options), 0)
            samples.flags.writeable = False
            derivatives.append(samples)
        return tuple(derivatives)

    @property
    def has_coefficients(self) -> bool:
        """Whether ``flm`` was computed, or needs no transform."""
        return "flm" in vars(self) or self.is_constant

    @property
    def is_constant(self) -> bool:
        """Whether all weights are the same."""
        return bool((self.values == self.values.flat[0]).all())

    @property
    def fraction(self) -> float:
        """The fraction of the sphere where the mask is not 0."""
        return float(np.sum(self.grid.weights * (self.values > 0)) / (4 * np.pi))

    def power(self, mask: Mask | None = None) -> np.ndarray:
        """The spectrum of the mask, or its cross-spectrum with another one.

        Parameters
        ----------
        mask : Mask, optional
            By default this one.

        Returns
        -------
        float64 ndarray [shape=(L_mask,)]
            Of the degrees that both have.

        Examples
        --------
        >>> import numpy as np
        >>> from spherekit.spectra import Mask
        >>> bool(np.isclose(Mask(np.full((2, 3), 0.5), 2).power()[0], np.pi))
        True
        """
        if mask is None or mask is self:
            return power(self.flm)
        n_l = min(self.flm.size, mask.flm.size)
        return power(self.flm[:n_l], mask.flm[:n_l])

    def __eq__(self, mask):
        return self is mask or (
            isinstance(mask, Mask)
            and self.settings == mask.settings
            and np.array_equal(self.values, mask.values)
        )

    __hash__ = None


def mask_values(mask, sampling, L=None):
    """(weights of the samples, grid) of a `Mask`, of an array, or of None, 1 everywhere; checked.

    >>> mask_values(None, "mw", 2)[0]
    array([[1., 1., 1.],
           [1., 1., 1.]])
    """
    if isinstance(mask, Mask):
        if sampling is not None and as_grid(sampling, L) != mask.grid:
            raise ValueError(
                f"sampling is {sampling!r}, and the mask is of {mask.grid!r}; pass one grid"
            )
        return mask.values, mask.grid
    if sampling is None:
        raise TypeError("sampling is missing; pass the grid of the mask, such as 'healpix:64'")
    grid = as_grid(sampling, L)
    return as_mask(np.ones(grid.shape) if mask is None else mask, grid), grid


def mask_on(grid, mask, L, iterations=None, threads=None, frame=""):
    """A `Mask`, of a grid and the band-limit of fields, or of an array or None, 1 everywhere; checked.

    >>> from spherekit.sampling import MW
    >>> round(mask_on(MW(2), None, 2).fraction, 12)
    1.0
    """
    if not isinstance(mask, Mask):
        mask = Mask(np.ones(grid.shape) if mask is None else mask, L, grid, iterations, threads)
        object.__setattr__(mask, "frame", frame)
    if (mask.grid, mask.L) != (grid, L) or iterations not in (None, mask.iterations):
        raise ValueError(
            f"the mask is of {mask.grid!r} with L = {mask.L} and {mask.iterations} iterations, the maps are "
            f"of {grid!r} with L = {L}; pass the same grid, L and iterations to both"
        )
    return mask


def observed_samples(f, mask, L, spin):
    """Maps of a spin as an array of floating-point numbers, with 0 where the `Mask` is 0; checked.

    >>> import numpy as np
    >>> observed_samples([[1, np.nan, 3], [4, 4, 4]], Mask([[1, 0, 1], [1, 1, 1]], 2), 2, 0)
    array([[1., 0., 3.],
           [4., 4., 4.]])
    """
    f = samples_of_spin(f, spin, mask.grid)
    checks.samples_shape(f, mask.grid, L)
    if is_traced(f):
        return f
    observed = mask.values > 0
    check_observed(f, observed)
    return np.where(observed, f, f.dtype.type(0))


def in_double(f):
    """Maps as float64 or complex128; gradients by them have their precision.

    >>> in_double(np.ones(2, np.float32)).dtype
    dtype('float64')
    """
    return cast(f, checks.result_type(not anp.iscomplexobj(f), False))


def iterated_forward(f, L, iterations, *, spin=0, sampling, reality=False, threads=None):
    """Coefficients by the quadrature and ``iterations`` corrections, differentiable.

    >>> import numpy as np
    >>> flm = iterated_forward(np.ones(192), 8, 3, sampling="healpix:4", reality=True)
    >>> bool(abs(flm[0] - np.sqrt(4 * np.pi)) < 1e-6)
    True
    """
    options = dict(spin=spin, sampling=sampling, reality=reality, threads=threads)
    with without_warnings_of_pixels(as_grid(sampling, L), L):
        flm = forward(f, L, **options)
        for _ in range(iterations):
            if is_traced(flm):
                flm = flm + forward(f - inverse(flm, L, **options), L, **options)
                continue
            residual = inverse(flm, L, **options)
            np.subtract(f, residual, out=residual)
            flm += forward(residual, L, **options)
    return flm


def checked_iterations(iterations, grid):
    """The number of iterations of fields; the default is that of `Mask`.

    >>> from spherekit.sampling import MW, HEALPix
    >>> grids = HEALPix(4), HEALPix(4, weights="equal"), MW(4)
    >>> [checked_iterations(None, grid) for grid in grids], checked_iterations(1, MW(4))
    ([2, 3, 0], 1)
    """
    if iterations is None:
        return 0 if grid.exact else RING_ITERATIONS if has_ring_weights(grid) else ITERATIONS
    return checks.integer(iterations, "iterations", 0)


def has_ring_weights(grid):
    """Whether a grid is HEALPix with quadrature weights of rings.

    >>> from spherekit.sampling import HEALPix
    >>> has_ring_weights(HEALPix(4)), has_ring_weights(HEALPix(4, weights="equal"))
    (True, False)
    """
    return grid.name == "healpix" and grid.weighting == "ring"


def _band_limit(grid, L):
    """The band-limit of a mask, whose degrees < 2 L - 1 couple those of the signal."""
    highest = 3 * grid.nside if grid.name == "healpix" else grid.default_L
    return min(2 * L - 1, highest)
