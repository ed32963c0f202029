"""Scattering networks and scattering covariances on the sphere."""

from spherekit._core.modulus import modulus
from spherekit.scattering import theory
from spherekit.scattering.covariances import Covariances, Statistics
from spherekit.scattering.network import Scattering
from spherekit.scattering.synthesis import generate

__all__ = ["Covariances", "Scattering", "Statistics", "generate", "modulus", "theory"]


def __dir__():
    return sorted(__all__)
