"""Fields on the sphere: winds, derivatives, smoothing, change of grid, of arrays, maps and DataArrays."""

from spherekit.fields.derivatives import gradient, inverse_laplacian, laplacian
from spherekit.fields.kinetic_energy import kinetic_energy_spectrum
from spherekit.fields.regridding import regrid
from spherekit.fields.smoothing import smooth
from spherekit.fields.spin_operators import lower_spin, raise_spin
from spherekit.fields.wind_quantities import KineticEnergySpectrum
from spherekit.fields.winds import Wind

__all__ = [
    "KineticEnergySpectrum",
    "Wind",
    "gradient",
    "inverse_laplacian",
    "kinetic_energy_spectrum",
    "laplacian",
    "lower_spin",
    "raise_spin",
    "regrid",
    "smooth",
]


def __dir__():
    return sorted(__all__)
