"""Grids of arbitrary rings of constant colatitude."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.sampling import quadrature, text
from spherekit.sampling.base import Grid

__all__ = ["Rings"]


@dataclass(frozen=True)
class Rings(Grid):
    """Grid of arbitrary rings of constant colatitude, each with equidistant samples.

    There is no sampling theorem in general. With the default weights, `spherekit.forward` is exact where all
    rings have at least 2L-1 samples and 2L-1 <= pi/h, with h the widest gap between rings, as below.

    Parameters
    ----------
    theta : array_like [shape=(n_rings,)], radians
        Colatitudes of the rings, strictly increasing in [0, pi].
    n_phi : int or int array_like [shape=(n_rings,)]
        Number of samples on each ring, or one number for all rings.
    phi0 : float or array_like [shape=(n_rings,)], radians
        Longitude of the first sample of each ring, or one for all rings.
    weights : float or array_like [shape=(n_rings,)], steradians, optional
        Quadrature weight of one sample of each ring, or one for all; used without normalization. By default
        weights that are not negative, sum to 4 pi, and are exact for zonal signals of degree < pi/h (or lower
        degrees, where a weight would be negative). Here h is the widest gap between rings, where the gaps
        between a pole and its nearest ring count twice. Of all such weights those closest to the areas of
        the zones around the rings are used, and for h >= pi these areas (see
        `spherekit.sampling.quadrature.ring_rule`).

    Attributes
    ----------
    angles : tuple of float
        Colatitudes of the rings, radians.
    counts : tuple of int
        Number of samples on each ring.
    offsets : tuple of float
        Longitude of the first sample of each ring, radians.
    own_weights : tuple of float, or None
        The argument ``weights``, one per ring.

    Raises
    ------
    ValueError
        Colatitudes or longitudes that are NaN or infinite, colatitudes outside of [0, pi] or not strictly
        increasing, an array of another length, a number of samples below 1, or weights that are not finite
        and real.
    TypeError
        Numbers of samples that are not integers, or values that are not numbers.

    Examples
    --------
    >>> from spherekit.sampling import Rings
    >>> grid = Rings(theta=[0.5, 1.5, 2.5], n_phi=[4, 8, 4])
    >>> grid.shape, grid.weights.sum().round(6).item()
    ((16,), 12.566371)
    """

    angles: tuple[float, ...]
    counts: tuple[int, ...]
    offsets: tuple[float, ...]
    own_weights: tuple[float, ...] | None
    name = "rings"
    rectangular = False
    exact = False
    L = None

    def __init__(
        self,
        theta: ArrayLike,
        n_phi: int | ArrayLike,
        phi0: float | ArrayLike = 0.0,
        weights: float | ArrayLike | None = None,
    ):
        theta = np.atleast_1d(checks.colatitudes(theta, "theta of Rings"))
        if theta.ndim != 1 or theta.size == 0 or (np.diff(theta) <= 0).any():
            raise ValueError(
                f"theta of Rings has shape {theta.shape}; expected a list of strictly increasing colatitudes "
                "in radians" + _first_decrease(theta)
            )
        phi0 = checks.angles(phi0, "phi0 of Rings")
        values = [theta, _per_ring(_counts(n_phi), "n_phi", theta), _per_ring(phi0, "phi0", theta)]
        if weights is not None:
            values.append(_per_ring(_real_weights(weights), "weights", theta))
        values = [tuple(value.tolist()) for value in values] + [None] * (weights is None)
        for field, value in zip(fields(self), values, strict=True):
            object.__setattr__(self, field.name, value)

    def __repr__(self):
        first, last = self.angles[0], self.angles[-1]
        rings = f"{len(self.angles)} ring" + "s" * (len(self.angles) > 1)
        return f"Rings({rings}, {sum(self.counts)} samples, theta from {first:.6g} to {last:.6g})"

    def __str__(self):
        options = [f"theta={text.angles(self.angles)}", f"n_phi={text.sequence(self.counts)}"]
        if any(self.offsets):
            phi0 = self.offsets[:1] if len(set(self.offsets)) == 1 else self.offsets
            options.append(f"phi0={text.angles(phi0)}")
        if self.own_weights is not None:
            options.append(f"weights={text.sequence(self.own_weights)}")
        return f"rings:{','.join(options)}"

    def ring_arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Colatitudes, numbers of samples, first longitudes and weights of the rings."""
        theta, counts = np.array(self.angles), np.array(self.counts)
        if self.own_weights is None:
            weights = quadrature.ring_rule(theta) * (2 * np.pi / counts)
        else:
            weights = np.array(self.own_weights)
        return theta, counts, np.array(self.offsets), weights


def _counts(n_phi):
    """Numbers of samples as an array of int."""
    maximum = 4 * checks.MAX_BAND_LIMIT
    if np.ndim(n_phi) == 0:
        return np.array(checks.integer(n_phi, "n_phi", 1, maximum))
    return np.array([checks.integer(n, "n_phi", 1, maximum) for n in n_phi], int)


def _per_ring(values, name, theta):
    """One value for each ring."""
    if values.shape not in ((), theta.shape):
        raise ValueError(
            f"{name} of Rings has shape {values.shape}; expected one number, or one for each of the "
            f"{theta.size} rings"
        )
    return np.broadcast_to(values, theta.shape)


def _real_weights(weights):
    """Quadrature weights as float64."""
    weights = checks.as_float_array(weights, "weights of Rings")
    if np.iscomplexobj(weights) or not np.isfinite(weights).all():
        raise ValueError("weights of Rings must be finite and real, in steradians per sample")
    return weights.astype(float)


def _first_decrease(theta):
    """End of the message that names the first colatitude out of order; empty if the shape is at fault."""
    if theta.ndim != 1 or theta.size == 0:
        return ""
    k = int(np.argmax(np.diff(theta) <= 0))
    return f"; ring {k + 1} at {theta[k + 1]:.6g} follows {theta[k]:.6g}"
