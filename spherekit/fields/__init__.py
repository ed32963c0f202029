"""Fields on the sphere, of arrays, maps with metadata, and DataArrays.

Winds and derivatives; smoothing, truncation, change of grid, missing samples and values on paths.
"""

from spherekit.fields.constrained_filling import ConstrainedFill
from spherekit.fields.derivatives import gradient, inverse_laplacian, laplacian
from spherekit.fields.diffusion import Diffusion
from spherekit.fields.filling import Fit, fill
from spherekit.fields.kinetic_energy import kinetic_energy_spectrum
from spherekit.fields.paths import Path, along, great_circles
from spherekit.fields.regridding import regrid
from spherekit.fields.resolution import degrade, upgrade
from spherekit.fields.smoothing import smooth
from spherekit.fields.spin_operators import lower_spin, raise_spin
from spherekit.fields.truncation import truncate
from spherekit.fields.wind_quantities import KineticEnergySpectrum
from spherekit.fields.winds import Wind

__all__ = [
    "ConstrainedFill",
    "Diffusion",
    "Fit",
    "KineticEnergySpectrum",
    "Path",
    "Wind",
    "along",
    "degrade",
    "fill",
    "gradient",
    "great_circles",
    "inverse_laplacian",
    "kinetic_energy_spectrum",
    "laplacian",
    "lower_spin",
    "raise_spin",
    "regrid",
    "smooth",
    "truncate",
    "upgrade",
]


def __dir__():
    return sorted(__all__)
