"""Angular power spectra of full and masked maps, bandpowers, beams, filters, and Gaussian random signals."""

from spherekit.spectra.angular_power import cross_power, polarization_power, power
from spherekit.spectra.apodization import apodize
from spherekit.spectra.bandpowers import Bandpowers, master
from spherekit.spectra.beams import beam_window, gaussian_beam
from spherekit.spectra.bins import Bins
from spherekit.spectra.constrained import Realizations, SignalDeviation, constrained_realization
from spherekit.spectra.coupling_files import read_coupling, write_coupling
from spherekit.spectra.covariance import Covariance, gaussian_covariance, sample_covariance
from spherekit.spectra.deprojection import Deprojected, deproject, deprojection_bias
from spherekit.spectra.error_bars import knox_errors, mode_fraction
from spherekit.spectra.gaussian import correlated_flm, gaussian_flm
from spherekit.spectra.mask import Mask
from spherekit.spectra.masked import (
    masked_flm,
    masked_power,
    sky_fraction,
)
from spherekit.spectra.masked_fields import MaskedField, masked_field
from spherekit.spectra.mode_coupling import coupling_matrix
from spherekit.spectra.noise import SplitPower, noise_power, split_power
from spherekit.spectra.pixel_windows import pixel_window
from spherekit.spectra.pseudo_cl import Coupling, pseudo_power
from spherekit.spectra.purification import pure_coefficients
from spherekit.spectra.simulation import gaussian_sky
from spherekit.spectra.templates import (
    MonopoleDipole,
    TemplateFit,
    remove_monopole_dipole,
    remove_templates,
)
from spherekit.spectra.wiener import WienerFit, wiener_filter

__all__ = [
    "Bandpowers",
    "Bins",
    "Coupling",
    "Covariance",
    "Deprojected",
    "Mask",
    "MaskedField",
    "MonopoleDipole",
    "Realizations",
    "SignalDeviation",
    "SplitPower",
    "TemplateFit",
    "WienerFit",
    "apodize",
    "beam_window",
    "constrained_realization",
    "correlated_flm",
    "coupling_matrix",
    "cross_power",
    "deproject",
    "deprojection_bias",
    "gaussian_beam",
    "gaussian_covariance",
    "gaussian_flm",
    "gaussian_sky",
    "knox_errors",
    "masked_field",
    "masked_flm",
    "masked_power",
    "master",
    "mode_fraction",
    "noise_power",
    "pixel_window",
    "polarization_power",
    "power",
    "pseudo_power",
    "pure_coefficients",
    "read_coupling",
    "remove_monopole_dipole",
    "remove_templates",
    "sample_covariance",
    "sky_fraction",
    "split_power",
    "wiener_filter",
    "write_coupling",
]


def __dir__():
    return sorted(__all__)
