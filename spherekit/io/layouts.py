"""The dimensions and coordinates of the source of a map, which writers restore."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from spherekit.sampling import Grid, LatLon


@dataclass(frozen=True, eq=False)
class SourceLayout:
    """The order, names and coordinates of the dimensions of the source of a map.

    Parameters
    ----------
    grid : Grid
    dims : tuple of str
        All dimensions of the source, in its order.
    of_sphere : tuple of str
        Those of the latitudes and of the longitudes, or that of the pixels.
    positions : LatLon, optional
        The latitudes and longitudes in degrees; None: HEALPix pixels.
    coordinates : dict of str to ndarray
        The latitudes and the longitudes as in the source, by the names of their variables.
    without_coordinates : frozenset of str
        The dimensions without a coordinate, whose entries are numbered.
    mapping : str
        The name of the grid mapping of HEALPix pixels.
    nested : bool
        HEALPix pixels are in NESTED order, which is not restored.
    """

    grid: Grid
    dims: tuple
    of_sphere: tuple
    positions: LatLon | None = None
    coordinates: Mapping = field(default_factory=dict)
    without_coordinates: frozenset = frozenset()
    mapping: str = "healpix"
    nested: bool = False

    def from_grid(self, values):
        """Samples (..., *grid.shape) in the order of the latitudes and longitudes of the source."""
        return values if self.positions is None else self.positions.from_grid(values)

    def in_order(self, dims, values):
        """(dimensions, values) in the order of the source; dimensions that it lacks come first."""
        order = [dim for dim in dims if dim not in self.dims]
        order += [dim for dim in self.dims if dim in dims]
        return tuple(order), values.transpose([dims.index(dim) for dim in order])

    def is_numbered(self, dim, values):
        """Whether the coordinates of an axis are the numbers of its entries, and not in the source."""
        is_counted = np.array_equal(values, np.arange(len(values)))
        return dim in self.without_coordinates and is_counted


def layout_of(positions, dims, of_sphere, coordinates, without_coordinates):
    """The `SourceLayout` of a map on latitudes and longitudes."""
    described = positions, coordinates, frozenset(without_coordinates)
    return SourceLayout(positions.grid, tuple(dims), tuple(of_sphere), *described)
