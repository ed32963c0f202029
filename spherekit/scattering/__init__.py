"""Scattering networks on the sphere."""

from spherekit.scattering import theory
from spherekit.scattering.covariances import Covariances, Statistics
from spherekit.scattering.generate import generate
from spherekit.scattering.modulus import modulus
from spherekit.scattering.network import Scattering

__all__ = ["Covariances", "Scattering", "Statistics", "generate", "modulus", "theory"]
