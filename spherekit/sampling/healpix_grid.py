"""The HEALPix grid, with the pixel functions of its nside as methods (Gorski et al. 2005, ApJ 622, 759)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.labeled import refuse_labels
from spherekit.sampling import healpix_pixels
from spherekit.sampling.base import Grid
from spherekit.sampling.healpix_arguments import HEALPY_NAMES, check_nside
from spherekit.sampling.healpix_rings import ring_weights, rings

#: Ring weights of a larger nside are computed only where maps fit into memory: they take long.
_LARGE = 2**14


@dataclass(frozen=True)
class HEALPix(Grid):
    """HEALPix grid: 12 nside^2 equal-area pixels on 4 nside - 1 rings, in ring order.

    There is no sampling theorem; `spherekit.analyse` solves for the coefficients by least squares.

    Parameters
    ----------
    nside : int
        Any nside from 1 to 2^29. Samples of more than about 2^14 do not fit into the memory of most machines;
        the pixel functions need no arrays of the samples.
    weights : {"ring", "equal"}
        Quadrature weights: those of `spherekit.sampling.healpix.ring_weights`, or the area of a pixel.

    Attributes
    ----------
    weighting : str
        The argument ``weights``.

    Raises
    ------
    ValueError
        nside out of range, or unknown weights.
    TypeError
        nside is not an integer.

    References
    ----------
    Gorski et al. 2005, ApJ 622, 759.

    Examples
    --------
    >>> from spherekit.sampling import HEALPix
    >>> HEALPix(2).shape, HEALPix(2).theta[:5].round(6)
    ((48,), array([0.411138, 0.411138, 0.411138, 0.411138, 0.841069]))
    """

    nside: int
    weighting: str = "ring"
    name = "healpix"
    rectangular = False
    exact = False
    L = None

    def __init__(self, nside: int, weights: Literal["ring", "equal"] = "ring"):
        object.__setattr__(self, "nside", check_nside(nside))
        if weights not in ("ring", "equal"):
            raise ValueError(f'weights is {weights!r}; expected "ring" or "equal"')
        object.__setattr__(self, "weighting", weights)

    def __str__(self):
        options = "" if self.weighting == "ring" else f",weights={self.weighting}"
        return f"healpix:{self.nside}{options}"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the samples, (12 nside^2,)."""
        return (12 * self.nside**2,)

    def ring_arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Colatitudes, numbers of samples, first longitudes and weights of the rings."""
        if self.nside > _LARGE:
            checks.fits_memory(4 * self.shape[0], f"a map of {self}", "use a lower nside")
        theta, n_phi, phi0, _ = rings(self.nside)
        weights = np.full(theta.shape, 4 * np.pi / (12 * self.nside**2))
        if self.weighting == "ring":
            weights = np.array(ring_weights(self.nside))
        return theta, n_phi, phi0, weights

    def __getattr__(self, name):  # called only for attributes that do not exist
        advice = f"; use {HEALPY_NAMES[name][0]}" if name in HEALPY_NAMES else ""
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{advice}")

    # --- pixels ---

    def pixel_of(
        self, theta: ArrayLike, phi: ArrayLike, *, nest: bool = False, threads: int | None = None
    ) -> np.ndarray:
        """The numbers of the pixels that contain directions (`healpix.pixel_of`).

        Parameters
        ----------
        theta, phi : array_like, radians
            Colatitudes in [0, pi] and longitudes, of any shapes that broadcast.
        nest : bool
            Whether pixel numbers are in nested order, for nside a power of two.
        threads : int, optional
            Number of threads. The result does not depend on it.

        Returns
        -------
        int64 ndarray
            Pixel numbers, of the shape of the directions.

        Examples
        --------
        >>> from spherekit.sampling import HEALPix
        >>> HEALPix(2).pixel_of([0.0, 1.5], [0.0, -0.1])
        array([ 0, 27])
        """
        return healpix_pixels.pixel_of(self.nside, theta, phi, nest=nest, threads=threads)

    def angles_of(
        self, pixels: ArrayLike | None = None, *, nest: bool = False, threads: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Colatitudes and longitudes of the centers of pixels (`healpix.pixel_angles`).

        Parameters
        ----------
        pixels : int array_like, optional
            Pixel numbers of any shape; all pixels by default.
        nest : bool
            Whether pixel numbers are in nested order, for nside a power of two.
        threads : int, optional
            Number of threads. The result does not depend on it.

        Returns
        -------
        theta, phi : float64 ndarray, radians
            Of the shape of ``pixels``.

        Examples
        --------
        >>> from spherekit.sampling import HEALPix
        >>> theta, phi = HEALPix(1).angles_of([4, 5])
        >>> theta.round(6), phi.round(6)
        (array([1.570796, 1.570796]), array([0.      , 1.570796]))
        """
        return healpix_pixels.pixel_angles(self.nside, pixels, nest=nest, threads=threads)

    def to_nested(self, pixels: ArrayLike, *, threads: int | None = None) -> np.ndarray:
        """The numbers in nested order of pixels in ring order (`healpix.ring2nest`).

        Parameters
        ----------
        pixels : int array_like
            Pixel numbers of any shape.
        threads : int, optional
            Number of threads. The result does not depend on it.

        Returns
        -------
        int64 ndarray
            Of the shape of ``pixels``.

        Examples
        --------
        >>> from spherekit.sampling import HEALPix
        >>> HEALPix(2).to_nested([13, 0, 35])
        array([ 0,  3, 47])
        """
        return healpix_pixels.ring2nest(self.nside, pixels, threads=threads)

    def to_ring(self, pixels: ArrayLike, *, threads: int | None = None) -> np.ndarray:
        """The numbers in ring order of pixels in nested order (`healpix.nest2ring`).

        Parameters
        ----------
        pixels : int array_like
            Pixel numbers of any shape.
        threads : int, optional
            Number of threads. The result does not depend on it.

        Returns
        -------
        int64 ndarray
            Of the shape of ``pixels``.

        Examples
        --------
        >>> from spherekit.sampling import HEALPix
        >>> HEALPix(2).to_ring([0, 3, 47])
        array([13,  0, 35])
        """
        return healpix_pixels.nest2ring(self.nside, pixels, threads=threads)

    def neighbours(
        self, pixels: ArrayLike, *, nest: bool = False, threads: int | None = None
    ) -> np.ndarray:
        """The neighbours to the SW, W, NW, N, NE, E, SE and S of pixels (`healpix.neighbours`).

        Parameters
        ----------
        pixels : int array_like
            Pixel numbers of any shape.
        nest : bool
            Whether pixel numbers are in nested order, for nside a power of two.
        threads : int, optional
            Number of threads. The result does not depend on it.

        Returns
        -------
        int64 ndarray [shape=(8, ...)]
            Pixel numbers, -1 where there is no neighbour.

        Examples
        --------
        >>> from spherekit.sampling import HEALPix
        >>> HEALPix(2).neighbours(13)
        array([20, 12,  4,  0,  5, 14, 21, 29])
        """
        return healpix_pixels.neighbours(self.nside, pixels, nest=nest, threads=threads)

    def boundaries(
        self,
        pixels: ArrayLike,
        step: int = 1,
        *,
        nest: bool = False,
        threads: int | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Colatitudes and longitudes of points on the boundaries of pixels (`healpix.boundaries`).

        Parameters
        ----------
        pixels : int array_like
            Pixel numbers of any shape.
        step : int
            Points of each of the four edges.
        nest : bool
            Whether pixel numbers are in nested order, for nside a power of two.
        threads : int, optional
            Number of threads. The result does not depend on it.

        Returns
        -------
        theta, phi : float64 ndarray [shape=(..., 4*step)], radians
            From the corner to the north by those to the west, south and east.

        Examples
        --------
        >>> from spherekit.sampling import HEALPix
        >>> HEALPix(1).boundaries(4)[0].round(4)
        array([0.8411, 1.5708, 2.3005, 1.5708])
        """
        return healpix_pixels.boundaries(self.nside, pixels, step, nest=nest, threads=threads)

    # --- interpolation ---

    def interpolation_weights(
        self, theta: ArrayLike, phi: ArrayLike, *, nest: bool = False, threads: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Four pixels and weights of the interpolation at points (`healpix.interpolation_weights`).

        Parameters
        ----------
        theta, phi : array_like, radians
            Colatitudes in [0, pi] and longitudes, of any shapes that broadcast.
        nest : bool
            Whether pixel numbers are in nested order, for nside a power of two.
        threads : int, optional
            Number of threads. The result does not depend on it.

        Returns
        -------
        pixels : int64 ndarray [shape=(4, ...)]
        weights : float64 ndarray [shape=(4, ...)]
            From 0 to 1, of sum 1.

        Examples
        --------
        >>> import numpy as np
        >>> from spherekit.sampling import HEALPix
        >>> pixels, weights = HEALPix(1).interpolation_weights(np.pi / 2, np.pi / 4)
        >>> pixels, weights.round(6)
        (array([4, 5, 8, 9]), array([0.5, 0.5, 0. , 0. ]))
        """
        from spherekit.sampling import healpix_interpolation  # imports autograd and Numba

        return healpix_interpolation.interpolation_weights(
            self.nside, theta, phi, nest=nest, threads=threads
        )

    def interpolate(
        self,
        f: ArrayLike,
        theta: ArrayLike,
        phi: ArrayLike,
        *,
        nest: bool = False,
        threads: int | None = None,
    ) -> np.ndarray:
        """Interpolate maps at points, bilinearly (`healpix.interpolate`).

        Parameters
        ----------
        f : array_like [shape=(..., 12 nside^2)]
            Maps, real or complex.
        theta, phi : array_like, radians
            Colatitudes in [0, pi] and longitudes, of any shapes that broadcast.
        nest : bool
            The maps are in nested order instead of ring order.
        threads : int, optional
            Number of threads. The result does not depend on it.

        Returns
        -------
        ndarray
            Values: the leading axes of ``f``, then those of the points; NaN where a pixel in use is missing.

        Examples
        --------
        >>> import numpy as np
        >>> from spherekit.sampling import HEALPix
        >>> grid = HEALPix(64)
        >>> grid.interpolate(np.cos(grid.theta), [0.0, 1.0], 0.3).round(3)
        array([1.  , 0.54])
        """
        from spherekit._core.traced import as_float_array
        from spherekit.sampling import healpix_interpolation  # imports autograd and Numba

        refuse_labels(f, "f")
        checks.refuse_masked(f, "f", healpix_interpolation.MASK_ADVICE)
        f = as_float_array(f, "f")
        checks.samples_shape(f, self, None)
        return healpix_interpolation.interpolate(f, theta, phi, nest=nest, threads=threads)

    def interpolate_adjoint(
        self,
        values: ArrayLike,
        theta: ArrayLike,
        phi: ArrayLike,
        *,
        nest: bool = False,
        threads: int | None = None,
    ) -> np.ndarray:
        """Apply the transpose of `interpolate` (`healpix.interpolate_adjoint`).

        Parameters
        ----------
        values : array_like
            Leading axes, then the axes of the points.
        theta, phi : array_like, radians
            Colatitudes in [0, pi] and longitudes, of any shapes that broadcast.
        nest : bool
            Return maps in nested order instead of ring order.
        threads : int, optional
            Number of threads. The result does not depend on it.

        Returns
        -------
        ndarray [shape=(..., 12 nside^2)]
            Maps.

        Examples
        --------
        >>> from spherekit.sampling import HEALPix
        >>> HEALPix(1).interpolate_adjoint([1.0], [0.0], [0.0])[:5]
        array([0.25, 0.25, 0.25, 0.25, 0.  ])
        """
        from spherekit.sampling import healpix_interpolation  # imports autograd and Numba

        return healpix_interpolation.interpolate_adjoint(
            values, theta, phi, self.nside, nest=nest, threads=threads
        )

    # --- regions and resolution ---

    def disc(
        self,
        theta: ArrayLike,
        phi: ArrayLike,
        radius: ArrayLike,
        *,
        inclusive: bool = False,
        nest: bool = False,
        threads: int | None = None,
    ) -> np.ndarray | list[np.ndarray]:
        """The numbers of the pixels in a disc, or in each of several discs (`healpix.disc`).

        Parameters
        ----------
        theta, phi : float or array_like [shape=(n,)], radians
            Colatitudes and longitudes of the centers.
        radius : float or array_like [shape=(n,)], radians
            From 0 to 2 pi.
        inclusive : bool
            Select all pixels that overlap the disc, instead of those whose centers are in it.
        nest : bool
            Return numbers in nested order instead of ring order.
        threads : int, optional
            Number of threads, which process separate discs.

        Returns
        -------
        int64 ndarray, or list of int64 ndarray
            Sorted pixel numbers; of arrays, those of each disc.

        Examples
        --------
        >>> from spherekit.sampling import HEALPix
        >>> HEALPix(2).disc(0.0, 0.0, 0.5)
        array([0, 1, 2, 3])
        """
        from spherekit.sampling import healpix_queries

        options = dict(inclusive=inclusive, nest=nest, threads=threads)
        return healpix_queries.disc(self.nside, theta, phi, radius, **options)

    def strip(
        self, theta1: float, theta2: float, *, inclusive: bool = False, nest: bool = False
    ) -> np.ndarray:
        """The numbers of the pixels in a strip of latitudes (`healpix.strip`).

        Parameters
        ----------
        theta1, theta2 : float or quantity, radians
            Colatitudes of the borders; two strips if theta1 >= theta2.
        inclusive : bool
            Select all pixels that overlap the strip, instead of those whose centers are in it.
        nest : bool
            Return numbers in nested order instead of ring order.

        Returns
        -------
        int64 ndarray [shape=(n,)]
            Sorted pixel numbers.

        Examples
        --------
        >>> from spherekit.sampling import HEALPix
        >>> HEALPix(2).strip(0.5, 0.9)
        array([ 4,  5,  6,  7,  8,  9, 10, 11])
        """
        from spherekit.sampling import healpix_queries

        return healpix_queries.strip(self.nside, theta1, theta2, inclusive=inclusive, nest=nest)

    def polygon(
        self, theta: ArrayLike, phi: ArrayLike, *, inclusive: bool = False, nest: bool = False
    ) -> np.ndarray:
        """The numbers of the pixels in a polygon (`healpix.polygon`).

        Parameters
        ----------
        theta, phi : array_like [shape=(n,)], radians
            Colatitudes and longitudes of the vertices of a simple polygon.
        inclusive : bool
            Select all pixels that overlap the polygon, instead of those whose centers are in it.
        nest : bool
            Return numbers in nested order instead of ring order.

        Returns
        -------
        int64 ndarray [shape=(n,)]
            Sorted pixel numbers.

        Examples
        --------
        >>> from spherekit.sampling import HEALPix
        >>> HEALPix(2).polygon([0.4, 1.2, 1.2], [0.8, 0.2, 1.4])
        array([0, 4, 5])
        """
        from spherekit.sampling import healpix_queries

        return healpix_queries.polygon(self.nside, theta, phi, inclusive=inclusive, nest=nest)

    def degrade(
        self,
        f: ArrayLike,
        nside: int,
        *,
        power: float | None = None,
        pessimistic: bool = False,
        threshold: float | None = None,
        nest: bool = False,
        threads: int | None = None,
    ) -> np.ndarray:
        """Lower the resolution of maps on this grid by the means of pixels (`healpix.degrade`).

        Parameters
        ----------
        f : array_like [shape=(..., 12 nside^2)]
            Maps, or boolean masks.
        nside : int
            The new nside, a divisor of that of the grid.
        power : float, optional
            The means are multiplied by the ratio of the new and the old nside to this power.
        pessimistic : bool
            A pixel with any missing sample is UNSEEN.
        threshold : float, optional
            Of boolean masks: a pixel is True if at least this fraction of its pixels is, by default 0.5.
        nest : bool
            The maps are in nested order, and the result, too.
        threads : int, optional
            Number of threads.

        Returns
        -------
        ndarray [shape=(..., 12 nside^2)]
            Maps, or boolean masks.

        Examples
        --------
        >>> import numpy as np
        >>> from spherekit.sampling import HEALPix
        >>> HEALPix(2).degrade(np.arange(48), 1)[:4]
        array([ 5.5 ,  7.25,  9.  , 10.75])
        """
        self._check_samples(f, "degrade")
        options = dict(power=power, pessimistic=pessimistic, threshold=threshold)
        from spherekit.sampling import healpix_resolution

        return healpix_resolution.degrade(f, nside, **options, nest=nest, threads=threads)

    def upgrade(
        self,
        f: ArrayLike,
        nside: int,
        *,
        power: float | None = None,
        nest: bool = False,
        threads: int | None = None,
    ) -> np.ndarray:
        """Raise the resolution of maps on this grid by repeating samples (`healpix.upgrade`).

        Parameters
        ----------
        f : array_like [shape=(..., 12 nside^2)]
            Maps, or boolean masks.
        nside : int
            The new nside, a multiple of that of the grid.
        power : float, optional
            The samples are multiplied by the ratio of the new and the old nside to this power.
        nest : bool
            The maps are in nested order, and the result, too.
        threads : int, optional
            Number of threads.

        Returns
        -------
        ndarray [shape=(..., 12 nside^2)]
            Maps, or boolean masks.

        Examples
        --------
        >>> import numpy as np
        >>> from spherekit.sampling import HEALPix
        >>> HEALPix(1).upgrade(np.arange(12), 2)[:8]
        array([0., 1., 2., 3., 0., 0., 1., 1.])
        """
        self._check_samples(f, "upgrade")
        from spherekit.sampling import healpix_resolution

        return healpix_resolution.upgrade(f, nside, power=power, nest=nest, threads=threads)

    def _check_samples(self, f, function=None):
        refuse_labels(f, "f", function)
        checks.samples_shape(f if hasattr(f, "shape") else np.asarray(f), self, None)
