"""Base class of the grids of the sphere: arrays per ring, which the transforms use, and arrays per sample.

``ring_theta``, ``ring_n_phi``, ``ring_phi0``, ``ring_start`` and ``ring_weights`` describe any grid
of rings; arrays are cached and read-only.
"""

from functools import lru_cache

import numpy as np

from spherekit.sampling.quadrature import read_only

#: Largest number of samples for which arrays per sample are cached: 32 MB an array, nside 591.
_MAX_CACHED_SAMPLES = 2**22


class Grid:
    """Base class of the grids of the sphere.

    A subclass defines ``ring_arrays()``: colatitudes, numbers of samples, first longitudes and weights of the
    rings, from north to south.

    Attributes
    ----------
    name : str
        Name of the kind of grid, as `spherekit.sampling.grid` accepts it.
    rectangular : bool
        Whether all rings have the same longitudes, so that samples form an array (n_theta, n_phi).
    exact : bool
        Whether a sampling theorem makes the forward transform exact.
    period : int or None
        Number of points on the full meridian circle of equispaced rings that are too few for a quadrature, so
        that the analysis extends signals in theta (MW, MWSS, DH and CC with n_theta < 2L-1); None otherwise.

    Examples
    --------
    >>> from spherekit.sampling import Grid, HEALPix, MW
    >>> isinstance(MW(16), Grid), isinstance(HEALPix(8), Grid)
    (True, True)
    >>> MW(16).rectangular, HEALPix(8).rectangular
    (True, False)
    """

    name = ""
    rectangular = True
    exact = True
    period = None

    @property
    def ring_theta(self) -> np.ndarray:
        """Colatitude of each ring, radians [shape=(n_rings,)]."""
        return _geometry(self)["theta"]

    @property
    def ring_n_phi(self) -> np.ndarray:
        """Number of samples on each ring [shape=(n_rings,)]."""
        return _geometry(self)["n_phi"]

    @property
    def ring_phi0(self) -> np.ndarray:
        """Longitude of the first sample of each ring, radians [shape=(n_rings,)]."""
        return _geometry(self)["phi0"]

    @property
    def ring_start(self) -> np.ndarray:
        """Index of the first sample of each ring in the flattened samples [shape=(n_rings,)]."""
        return _geometry(self)["start"]

    @property
    def ring_weights(self) -> np.ndarray:
        """Quadrature weight of one sample of each ring, steradians [shape=(n_rings,)]."""
        return _geometry(self)["weights"]

    @property
    def theta(self) -> np.ndarray:
        """Colatitudes, radians: of the rings of rectangular grids, else of all samples."""
        return self.ring_theta if self.rectangular else _sample_values(self, "theta")

    @property
    def phi(self) -> np.ndarray:
        """Longitudes, radians: of the columns of rectangular grids, else of all samples."""
        if self.rectangular:
            columns = 2 * np.pi * np.arange(self.shape[1]) / self.shape[1]
            return read_only(self.ring_phi0[0] + columns)
        return _sample_values(self, "phi")

    @property
    def weights(self) -> np.ndarray:
        """Quadrature weights, steradians, of a shape that broadcasts against the samples."""
        rings = self.ring_weights
        return rings[:, None] if self.rectangular else _sample_values(self, "weights")

    @property
    def default_L(self) -> int:
        """The largest band-limit that the samples determine well.

        With a sampling theorem this is its band-limit L, and 2 nside on HEALPix. For other rings it is the
        largest L for which the gaps between rings, and from a pole to the nearest ring, are at most pi/L;
        every ring has at least 2 L sin(theta) - 1 samples; and there are at least L rings and L*L samples.
        """
        return _determined_band_limit(self) if self.L is None else self.L

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the samples."""
        rings = self.ring_n_phi
        return (len(rings), int(rings[0])) if self.rectangular else (int(rings.sum()),)


def directions(grid):
    """Cartesian coordinates x, y and z of the directions of all samples, three arrays of the grid's shape.

    >>> from spherekit.sampling import MW
    >>> x, y, z = directions(MW(2))
    >>> bool(np.allclose(x**2 + y**2 + z**2, 1)), x.shape
    (True, (2, 3))
    """
    sine, cosine = np.sin(grid.ring_theta), np.cos(grid.ring_theta)
    if grid.rectangular:
        sine, cosine, phi = sine[:, None], cosine[:, None], grid.phi[None]
    else:
        sine, cosine = (np.repeat(values, grid.ring_n_phi) for values in (sine, cosine))
        phi = grid.phi
    axes = sine * np.cos(phi), sine * np.sin(phi), cosine
    return tuple(np.broadcast_to(axis, grid.shape) for axis in axes)


@lru_cache(maxsize=64)
def _geometry(grid):
    theta, n_phi, phi0, weights = grid.ring_arrays()
    n_phi = np.broadcast_to(np.asarray(n_phi, np.int64), theta.shape)
    start = np.concatenate([[0], np.cumsum(n_phi)[:-1]]).astype(np.int64)
    phi0 = np.broadcast_to(np.asarray(phi0, float), theta.shape)
    arrays = {"theta": theta, "n_phi": n_phi, "phi0": phi0, "start": start, "weights": weights}
    return {name: read_only(np.array(value)) for name, value in arrays.items()}


@lru_cache(maxsize=64)
def _determined_band_limit(grid):
    theta, n_phi = grid.ring_theta, grid.ring_n_phi
    edges = np.concatenate([[0.0], theta, [np.pi]])
    sine = np.maximum(np.sin(theta), 1e-15)
    limits = [np.pi / np.diff(edges).max(), len(theta), np.sqrt(n_phi.sum())]
    limits.append(((n_phi + 1) / (2 * sine)).min())
    return max(1, int(min(limits) * (1 + 1e-9)))


def _sample_values(grid, quantity):
    """theta, phi or weights of all samples; cached for small grids, those used most recently."""
    small = grid.shape[0] <= _MAX_CACHED_SAMPLES
    return (_sample_array if small else _sample_array.__wrapped__)(grid, quantity)


@lru_cache(maxsize=12)
def _sample_array(grid, quantity):
    n_phi = grid.ring_n_phi
    if quantity == "phi":
        rings = zip(n_phi, grid.ring_phi0, strict=True)
        longitudes = [phi0 + 2 * np.pi * np.arange(n) / n for n, phi0 in rings]
        return read_only(np.concatenate(longitudes))
    of_rings = grid.ring_theta if quantity == "theta" else grid.ring_weights
    return read_only(np.repeat(of_rings, n_phi))
