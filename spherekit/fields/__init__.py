"""Fields on the sphere: smoothing, and change of grid, of arrays, maps with metadata and DataArrays."""

from spherekit.fields.filling import Fit, fill
from spherekit.fields.regridding import regrid
from spherekit.fields.smoothing import smooth

__all__ = ["Fit", "fill", "regrid", "smooth"]


def __dir__():
    return sorted(__all__)
