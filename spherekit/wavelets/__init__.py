"""Scale-discretized, directional spin wavelets on the sphere, with exact reconstruction."""

from spherekit.wavelets.transform import Wavelets

__all__ = ["Wavelets"]


def __dir__():
    return sorted(__all__)
