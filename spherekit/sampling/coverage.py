"""The parts of the sphere that the rings of a grid do not sample, as those beyond a band of latitudes."""

from typing import NamedTuple

import numpy as np

from spherekit.sampling.base import Grid

__all__ = ["Zone", "area_weights", "band_limit_problem", "unsampled_zones", "wide_gaps"]

#: A gap between rings is wide if it exceeds this multiple of the others.
_WIDEST = 4


class Zone(NamedTuple):
    """A zone between two colatitudes, north to south, radians."""

    north: float
    south: float

    def __str__(self):
        return f"from {_latitude(self.north)} to {_latitude(self.south)}"


def _latitude(theta):
    degrees = 90 - np.degrees(theta)
    if abs(degrees) < 1e-4:
        return "the equator"
    return f"{abs(degrees):.4g}{'N' if degrees > 0 else 'S'}"


def unsampled_zones(grid: Grid) -> tuple[Zone, ...]:
    """The zones without samples: beyond the first and the last ring, and in wide gaps between rings.

    They begin at a distance from a ring that is the gap beside it, or a typical large gap (the 90th
    percentile) if that is larger. Grids with a sampling theorem, and HEALPix, have none.

    >>> import numpy as np
    >>> from spherekit.sampling import MW, Rings
    >>> band = Rings(np.radians(np.arange(30, 71, 2.0)), 180)
    >>> [str(zone) for zone in unsampled_zones(band)], unsampled_zones(MW(4))
    (['from 90N to 62N', 'from 18N to 90S'], ())
    """
    if grid.name != "rings":
        return ()
    theta = grid.ring_theta
    gaps = np.diff(theta)
    if gaps.size == 0:  # the spacing of the samples of the only ring
        gaps = 2 * np.pi * np.sin(theta) / grid.ring_n_phi
    reach = np.maximum(gaps, np.quantile(gaps, 0.9, method="lower")) + 1e-9
    zones = [(0.0, theta[0] - reach[0])]
    for k in range(len(theta) - 1):
        margin = max((*reach[max(k - 1, 0) : k], *reach[k + 1 : k + 2]), default=np.inf)
        if gaps[k] > _WIDEST * margin:
            zones.append((theta[k] + margin, theta[k + 1] - margin))
    zones.append((theta[-1] + reach[-1], np.pi))
    return tuple(Zone(float(north), float(south)) for north, south in zones if north < south)


def wide_gaps(grid: Grid, L: int) -> tuple[Zone, ...]:
    """The gaps between rings, or between a pole and its nearest ring, that are wider than pi/L.

    >>> import numpy as np
    >>> from spherekit.sampling import Rings
    >>> [str(gap) for gap in wide_gaps(Rings(np.radians(np.arange(30, 71, 2.0)), 180), 20)]
    ['from 90N to 60N', 'from 20N to 90S']
    """
    if grid.name != "rings":
        return ()
    edges = np.concatenate([[0.0], grid.ring_theta, [np.pi]]).tolist()
    gaps = map(Zone, edges[:-1], edges[1:])
    return tuple(gap for gap in gaps if gap.south - gap.north > np.pi / L * (1 + 1e-6))


def band_limit_problem(grid: Grid) -> str:
    """Why a grid has no useful default band-limit: zones far wider than the spacing of its rings, or "".

    ``grid.default_L`` is then that of the widest gap, far below what the rings resolve elsewhere.
    """
    zones = unsampled_zones(grid)
    if not zones:
        return ""
    edges = np.concatenate([[0.0], grid.ring_theta, [np.pi]])
    gaps = np.diff(edges)
    if gaps.max() <= _WIDEST * np.median(gaps):
        return ""
    return (
        f"the rings do not cover the sphere, without samples {' and '.join(map(str, zones))}, where they do "
        "not determine a map"
    )


def area_weights(grid: Grid) -> np.ndarray:
    """Weights of means over the sphere, or over its part with samples: they broadcast against the samples.

    They are the quadrature weights, but on `Rings` the areas of the zones around the rings, which reach as
    far beyond the first and the last ring as between rings.

    >>> import numpy as np
    >>> from spherekit.sampling import MW, Rings
    >>> weights = area_weights(Rings(np.radians([30, 40, 50]), 4))
    >>> bool(np.isclose(weights.sum(), 2 * np.pi * (np.cos(np.radians(25)) - np.cos(np.radians(55)))))
    True
    >>> area_weights(MW(4)).shape
    (4, 1)
    """
    if grid.name == "healpix":
        return np.full(1, 4 * np.pi / grid.shape[0])
    if grid.name != "rings":
        return grid.weights
    theta = grid.ring_theta
    gaps = np.diff(theta)
    if gaps.size == 0:
        return np.full(1, 1.0)
    edges = [theta[0] - gaps[0] / 2, *(theta[:-1] + gaps / 2), theta[-1] + gaps[-1] / 2]
    areas = 2 * np.pi * -np.diff(np.cos(np.clip(edges, 0, np.pi)))
    return np.repeat(areas / grid.ring_n_phi, grid.ring_n_phi)
