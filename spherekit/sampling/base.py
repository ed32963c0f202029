"""What all grids share: the iso-latitude view that the transforms work on, and the samples'.

``ring_theta``, ``ring_n_phi``, ``ring_phi0``, ``ring_start`` and ``ring_weights`` describe any grid
of rings; arrays are cached and read-only.
"""

from functools import lru_cache

import numpy as np

from spherekit.sampling.quadrature import read_only

# 32 MB an array: nside 591. Arrays per sample of larger grids are made anew at each access.
_KEPT_SAMPLES = 2**22


class Grid:
    """What all grids share; a subclass gives ``_theta_rule()``, the ring angles and weights."""

    name = ""
    rectangular = True
    exact = True
    period = None

    @property
    def ring_theta(self):
        return _geometry(self)["theta"]

    @property
    def ring_n_phi(self):
        return _geometry(self)["n_phi"]

    @property
    def ring_phi0(self):
        return _geometry(self)["phi0"]

    @property
    def ring_start(self):
        return _geometry(self)["start"]

    @property
    def ring_weights(self):
        """Quadrature weight of one sample of each ring, steradian."""
        return _geometry(self)["weights"]

    @property
    def theta(self):
        """Colatitudes, radians: per ring on rectangles, per sample else."""
        return self.ring_theta if self.rectangular else _of_samples(self, "theta")

    @property
    def phi(self):
        """Longitudes, radians: per column on rectangles, per sample else."""
        if self.rectangular:
            return read_only(2 * np.pi * np.arange(self.shape[1]) / self.shape[1])
        return _of_samples(self, "phi")

    @property
    def weights(self):
        """Quadrature weights that broadcast against the samples, steradian."""
        rings = self.ring_weights
        return rings[:, None] if self.rectangular else _of_samples(self, "weights")

    @property
    def shape(self):
        """Shape of the samples."""
        rings = self.ring_n_phi
        return (len(rings), int(rings[0])) if self.rectangular else (int(rings.sum()),)


def directions(grid):
    """x, y and z of the direction of every sample, three arrays of the grid's shape.

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
    parts = {"theta": theta, "n_phi": n_phi, "phi0": phi0, "start": start, "weights": weights}
    return {key: read_only(np.array(value)) for key, value in parts.items()}


def _of_samples(grid, what):
    """theta, phi or weights of every sample; kept for the grids used last, if not large."""
    small = grid.shape[0] <= _KEPT_SAMPLES
    return (_sample_array if small else _sample_array.__wrapped__)(grid, what)


@lru_cache(maxsize=12)
def _sample_array(grid, what):
    n_phi = grid.ring_n_phi
    if what == "phi":
        turns = zip(n_phi, grid.ring_phi0, strict=True)
        rows = [phi0 + 2 * np.pi * np.arange(n) / n for n, phi0 in turns]
        return read_only(np.concatenate(rows))
    return read_only(np.repeat(grid.ring_theta if what == "theta" else grid.ring_weights, n_phi))
