"""Wavelets on the sphere: scale-discretised, directional, spin; exact both ways."""

from spherekit.wavelets.transform import Wavelets

__all__ = ["Wavelets"]
