"""Fields on the sphere: smoothing, truncation, change of grid, missing samples and values on paths.

Of arrays, maps with metadata, and DataArrays.
"""

from spherekit.fields.filling import Fit, fill
from spherekit.fields.paths import Path, along, great_circles
from spherekit.fields.regridding import regrid
from spherekit.fields.smoothing import smooth
from spherekit.fields.truncation import truncate

__all__ = ["Fit", "Path", "along", "fill", "great_circles", "regrid", "smooth", "truncate"]


def __dir__():
    return sorted(__all__)
