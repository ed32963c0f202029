"""Angular power spectra of full and masked maps, beams, and Gaussian random signals."""

from spherekit.spectra.angular_power import cross_power, polarization_power, power
from spherekit.spectra.beams import beam_window, gaussian_beam
from spherekit.spectra.gaussian import correlated_flm, gaussian_flm
from spherekit.spectra.masked import (
    MonopoleDipole,
    masked_flm,
    masked_power,
    remove_monopole_dipole,
    sky_fraction,
)
from spherekit.spectra.pixel_windows import pixel_window
from spherekit.spectra.simulation import gaussian_sky

__all__ = [
    "MonopoleDipole",
    "beam_window",
    "correlated_flm",
    "cross_power",
    "gaussian_beam",
    "gaussian_flm",
    "gaussian_sky",
    "masked_flm",
    "masked_power",
    "pixel_window",
    "polarization_power",
    "power",
    "remove_monopole_dipole",
    "sky_fraction",
]


def __dir__():
    return sorted(__all__)
