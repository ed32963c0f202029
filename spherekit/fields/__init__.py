"""Fields on the sphere: winds, derivatives, smoothing, change of grid, of arrays, maps and DataArrays."""

from spherekit.fields.regridding import regrid
from spherekit.fields.smoothing import smooth
from spherekit.fields.winds import Wind

__all__ = ["Wind", "regrid", "smooth"]


def __dir__():
    return sorted(__all__)
