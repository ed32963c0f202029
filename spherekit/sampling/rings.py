"""Grids of any rings of constant colatitude, with different numbers of samples."""

from dataclasses import dataclass, fields

import numpy as np

from spherekit._core import checks
from spherekit.sampling import quadrature
from spherekit.sampling.base import Grid

__all__ = ["Rings"]


@dataclass(frozen=True)
class Rings(Grid):
    """Any rings of constant colatitude, north to south, each with equidistant samples.

    Parameters
    ----------
    theta : (n_rings,) radians, strictly increasing in [0, pi]
    n_phi : (n_rings,) samples on each ring, or one number for all
    phi0 : longitude of each ring's first sample, radians, or one number
    weights : (n_rings,) quadrature weight of one sample of each ring, steradian, or one number;
        taken as they are, whatever they sum to. If None: not negative, of sum 4 pi, and exact for
        zonal signals of degree < pi/h (less only where a weight would be negative), with h the
        widest gap between rings, and twice that between the poles and the rings next to them;
        of all such weights those closest to the areas of the rings' zones, and where h >= pi
        these areas. See `quadrature.ring_rule`. Where every ring has 2L-1 samples or more
        and 2L-1 <= pi/h, `forward` is exact with them

    >>> Rings([0.5, 1.5], [4, 8]).shape
    (12,)
    """

    angles: tuple
    counts: tuple
    offsets: tuple
    own_weights: tuple | None
    name = "rings"
    rectangular = False
    exact = False
    L = None

    def __init__(self, theta, n_phi, phi0=0.0, weights=None):
        theta = np.atleast_1d(checks.colatitudes(theta, "theta of Rings"))
        if theta.ndim != 1 or theta.size == 0 or (np.diff(theta) <= 0).any():
            raise ValueError(
                f"theta of Rings has shape {theta.shape}; expected a list of strictly increasing colatitudes "
                "in radians" + _first_that_does_not_grow(theta)
            )
        phi0 = checks.angles(phi0, "phi0 of Rings")
        values = [theta, _of_each(_counts(n_phi), "n_phi", theta), _of_each(phi0, "phi0", theta)]
        if weights is not None:
            values.append(_of_each(_real(weights), "weights", theta))
        values = [tuple(value.tolist()) for value in values] + [None] * (weights is None)
        for field, value in zip(fields(self), values, strict=True):
            object.__setattr__(self, field.name, value)

    def __repr__(self):
        first, last = self.angles[0], self.angles[-1]
        rings = f"{len(self.angles)} ring" + "s" * (len(self.angles) > 1)
        return f"Rings({rings}, {sum(self.counts)} samples, theta from {first:.6g} to {last:.6g})"

    def ring_arrays(self):
        """Colatitudes, numbers of samples, first longitudes and weights of the rings."""
        theta, counts = np.array(self.angles), np.array(self.counts)
        if self.own_weights is None:
            weights = quadrature.ring_rule(theta) * (2 * np.pi / counts)
        else:
            weights = np.array(self.own_weights)
        return theta, counts, np.array(self.offsets), weights


def _counts(n_phi):
    """Numbers of samples as an array of int."""
    most = 4 * checks.MAX_BAND_LIMIT
    if np.ndim(n_phi) == 0:
        return np.array(checks.integer(n_phi, "n_phi", 1, most))
    return np.array([checks.integer(n, "n_phi", 1, most) for n in n_phi], int)


def _of_each(values, what, theta):
    """One value for each ring."""
    if values.shape not in ((), theta.shape):
        raise ValueError(
            f"{what} of Rings has shape {values.shape}; expected one number or one for each of the "
            f"{theta.size} rings"
        )
    return np.broadcast_to(values, theta.shape)


def _real(weights):
    """Quadrature weights as float64 numbers."""
    weights = checks.as_float_array(weights, "weights of Rings")
    if np.iscomplexobj(weights) or not np.isfinite(weights).all():
        raise ValueError(
            "weights of Rings are not all finite and real; expected steradians of a sample"
        )
    return weights.astype(float)


def _first_that_does_not_grow(theta):
    """Where, in words; nothing where the shape is at fault."""
    if theta.ndim != 1 or theta.size == 0:
        return ""
    k = int(np.argmax(np.diff(theta) <= 0))
    return f"; ring {k + 1} at {theta[k + 1]:.6g} follows {theta[k]:.6g}"
