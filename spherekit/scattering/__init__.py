"""Scattering networks on the sphere."""

from spherekit.scattering import theory
from spherekit.scattering.modulus import modulus
from spherekit.scattering.network import Scattering

__all__ = ["Scattering", "modulus", "theory"]
