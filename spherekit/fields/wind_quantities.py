"""The quantities that are computed from a wind: their names, units and CF attributes."""

from typing import NamedTuple

import numpy as np


class KineticEnergySpectrum(NamedTuple):
    """The kinetic energy per mass of each degree, m^2/s^2; its sum over the degrees is the global mean.

    Parameters
    ----------
    total : float64 ndarray [shape=(..., L)]
        The sum of both parts.
    rotational : float64 ndarray [shape=(..., L)]
        That of the nondivergent wind.
    divergent : float64 ndarray [shape=(..., L)]
        That of the irrotational wind.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import fields
    >>> spectrum = fields.kinetic_energy_spectrum(np.ones((8, 16)), np.zeros((8, 16)), "gl:8,n_phi=16")
    >>> spectrum.total.shape
    (8,)
    """

    total: np.ndarray
    rotational: np.ndarray
    divergent: np.ndarray


class Quantity(NamedTuple):
    """Name, unit and CF attributes of a quantity.

    Attributes
    ----------
    name, unit : str
    standard_name : str
        Of the CF conventions; empty if there is none.
    long_name : str
    """

    name: str
    unit: str
    standard_name: str
    long_name: str

    @property
    def attributes(self):
        """The attributes of a field of this name, as in `spherekit.io.Map`."""
        of_name = {"long_name": self.long_name}
        if self.standard_name:
            of_name["standard_name"] = self.standard_name
        return {self.name: of_name}


QUANTITIES = {
    quantity.name: quantity
    for quantity in (
        Quantity("u", "m s-1", "eastward_wind", "eastward wind"),
        Quantity("v", "m s-1", "northward_wind", "northward wind"),
        Quantity("speed", "m s-1", "wind_speed", "wind speed"),
        Quantity("kinetic_energy", "m2 s-2", "specific_kinetic_energy_of_air", "kinetic energy per mass"),
        Quantity("vorticity", "s-1", "atmosphere_relative_vorticity", "relative vorticity"),
        Quantity("divergence", "s-1", "divergence_of_wind", "horizontal divergence"),
        Quantity("streamfunction", "m2 s-1", "atmosphere_horizontal_streamfunction", "stream function"),
        Quantity("velocity_potential", "m2 s-1",
                 "atmosphere_horizontal_velocity_potential", "velocity potential"),
        Quantity("u_chi", "m s-1", "", "eastward component of the irrotational wind"),
        Quantity("v_chi", "m s-1", "", "northward component of the irrotational wind"),
        Quantity("u_psi", "m s-1", "", "eastward component of the nondivergent wind"),
        Quantity("v_psi", "m s-1", "", "northward component of the nondivergent wind"),
        Quantity("planetary_vorticity", "s-1", "coriolis_parameter", "planetary vorticity"),
        Quantity("absolute_vorticity", "s-1", "atmosphere_absolute_vorticity", "absolute vorticity"),
        Quantity("rossby_wave_source", "s-2", "", "Rossby wave source"),
    )
}  # fmt: skip

#: Those of `Wind.to_map`, unless others are named.
DEFAULT = (
    ("vorticity", "divergence", "streamfunction", "velocity_potential")
    + ("u_chi", "v_chi", "u_psi", "v_psi", "kinetic_energy")
)  # fmt: skip
