"""Power spectra and Gaussian random signals."""

from spherekit.spectra.angular_power import power
from spherekit.spectra.gaussian import gaussian_flm
from spherekit.spectra.masked import MonopoleDipole, remove_monopole_dipole

__all__ = ["MonopoleDipole", "gaussian_flm", "power", "remove_monopole_dipole"]
