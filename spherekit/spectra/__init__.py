"""Angular power spectra of full and masked maps, and Gaussian random signals."""

from spherekit.spectra.angular_power import polarization_power, power
from spherekit.spectra.gaussian import gaussian_flm
from spherekit.spectra.masked import (
    MonopoleDipole,
    masked_flm,
    masked_power,
    remove_monopole_dipole,
    sky_fraction,
)

__all__ = [
    "MonopoleDipole",
    "gaussian_flm",
    "masked_flm",
    "masked_power",
    "polarization_power",
    "power",
    "remove_monopole_dipole",
    "sky_fraction",
]


def __dir__():
    return sorted(__all__)
