"""Directional wavelet transforms on the sphere, with exact analysis and synthesis at each scale.

    W^j(rho) = (f * Psi^j)(rho) = <f, R_rho Psi^j>,     W^j_lmn = 8 pi^2/(2l+1) f_lm conj(Psi^j_ln),
    F(omega) = (f * Phi)(omega) = <f, R_omega Phi>,     F_lm = sqrt(4 pi/(2l+1)) f_lm Phi_l0,
    f_lm = sqrt(4 pi/(2l+1)) Phi_l0 F_lm + sum_j sum_n Psi^j_ln W^j_lmn

(McEwen, Leistedt, Buettner, Peiris and Wiaux 2015, arXiv:1509.06749). Psi^j_ln = sqrt((2l+1)/8 pi^2)
kappa_j(l) s_ln is steerable, except for curvelets: its orders n have the parity of N-1, and N angles gamma
determine W on SO(3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import autograd.numpy as anp
import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.operators import Operator
from spherekit._core.parallel import thread_count
from spherekit._core.traced import as_float_array, coefficients
from spherekit.conventions.indexing import flat
from spherekit.harmonic import transform as harmonic
from spherekit.linear import is_traced, same_precision
from spherekit.sampling import RotationGrid
from spherekit.sampling import grid as as_grid
from spherekit.sampling.base import Grid
from spherekit.spectra import power
from spherekit.wavelets import tiling
from spherekit.wavelets.filtering import filter_coefficients
from spherekit.wigner import transform as wigner


class Wavelets(Operator):
    """Scale-discretized wavelets on the sphere, which form a tight frame.

    Parameters
    ----------
    L : int
        Band-limit of the signals.
    lam : float
        Dilation factor, > 1. Scale j covers the degrees lam^(j-1) < l < lam^(j+1).
    J0 : int
        Lowest scale. The scaling function covers the degrees below it.
    N : int
        Azimuthal band-limit of the wavelets, 1 <= N <= L: the number of directions. N = 1 gives
        axisymmetric wavelets.
    spin : int
        Spin of the signals. The wavelet coefficients are scalars.
    family : {"scale-discretised", "needlet", "curvelet"}
        ``"needlet"`` has another profile in degree. ``"curvelet"`` has N = L: its wavelets are elongated, and
        are sampled at 2N-1 angles because they are not steerable.
    sampling : str or Grid
        Grid of the signals. The maps of the scales use the same kind of grid if it is rectangular, otherwise
        "mw".
    reality : bool
        True for real signals of spin 0. All maps are then real.
    multiresolution : bool
        True: sample each scale at its own band-limits, ceil(lam^(j+1)) and N_j. False: at L and N.
    threads : int, optional
        Number of threads. By default, as `spherekit.harmonic.forward`.

    Attributes
    ----------
    scales : tuple of int
        The scales j whose band contains a degree.
    scaling_filter : float64 ndarray [shape=(L,)]
        Phi_l0.
    kappa : dict of int to float64 ndarray [shape=(L,)]
        kappa_j(l) of each scale. The squares of all kappa_j and of eta sum to 1.
    filters : dict of int to ndarray [shape=(2N-1, L)]
        Psi^j_ln of each scale, in row N-1+n.
    bands : dict of int to (int, int)
        Lowest and highest degree of each scale.
    grids : dict of int to RotationGrid
        Sampling of the map of each scale, (n_gamma, n_beta, n_alpha), with n_gamma = N_j, or
        2 N_j - 1 for curvelets.
    scaling_limit : int
        Band-limit of the scaling map.
    scaling_grid : Grid or None
        Sampling of the scaling map. None if the spin leaves no degree to the scaling function.

    Raises
    ------
    TypeError
        An argument of another type.
    ValueError
        An argument out of range, an unknown family, or curvelets with 1 < N < L.

    Examples
    --------
    The maps of coarse scales are small, and reconstruction is exact:

    >>> import numpy as np
    >>> from spherekit.testing import random_flm
    >>> w = Wavelets(32, N=3, reality=True)
    >>> flm = random_flm(32, np.random.default_rng(0), reality=True)
    >>> scaling, maps = w.analysis_flm(flm)
    >>> w.scales, maps[2].shape
    ((0, 1, 2, 3, 4, 5), (3, 8, 15))
    >>> bool(np.abs(w.synthesis_flm(scaling, maps) - flm).max() < 1e-13)
    True
    """

    def __init__(
        self,
        L: int,
        lam: float = 2,
        J0: int = 0,
        N: int = 1,
        spin: int = 0,
        *,
        family: Literal["scale-discretised", "needlet", "curvelet"] = "scale-discretised",
        sampling: str | Grid = "mw",
        reality: bool = False,
        multiresolution: bool = True,
        threads: int | None = None,
    ):
        self.L = L = checks.band_limit(L)
        if family not in tiling.FAMILIES:
            raise ValueError(f"family must be one of {', '.join(tiling.FAMILIES)}; got {family!r}")
        self.family = family
        self.steerable = family != "curvelet"
        self.N = checks.azimuthal_limit(N, L)
        if not self.steerable and self.N not in (1, L):
            raise ValueError(f"N is {self.N}; curvelets have N = L = {L}: omit N")
        if not self.steerable:
            self.N = L
        self.spin = checks.spin_number(spin, L, reality)
        self.lam = _dilation(lam)
        self.J0 = _lowest_scale(J0, L, self.lam)
        self.grid = as_grid(sampling, L)
        self.reality = bool(reality)
        self.threads = None if threads is None else thread_count(threads)
        self.multiresolution = bool(multiresolution)
        self.scales, eta, kappa = tiling.degree_filters(L, self.lam, self.J0, family)
        self.kappa = dict(zip(self.scales, kappa, strict=True))
        ell = np.arange(L)
        steering = tiling.steering(L, self.N, family)
        self.scaling_filter = np.sqrt((2 * ell + 1) / (4 * np.pi)) * eta
        norm = np.sqrt((2 * ell + 1) / (8 * np.pi**2))
        self.filters = {j: norm * row * steering for j, row in self.kappa.items()}
        self.scaling_limit = _band_limit(eta) if multiresolution else L
        kind = self.grid.name if self.grid.rectangular else "mw"
        is_empty = _band_limit(eta) <= abs(self.spin)
        self.scaling_grid = None if is_empty else as_grid(kind, self.scaling_limit)
        self.bands = {
            j: (int(row.nonzero()[0][0]), _band_limit(row) - 1) for j, row in self.kappa.items()
        }
        self.grids = {}
        for j, (_, highest) in self.bands.items():
            limit = highest + 1 if multiresolution else L
            N_j = _directions(self.N, limit) if self.steerable else min(self.N, limit)
            self.grids[j] = RotationGrid(limit, N_j, kind, self.steerable)
        self._set_weights()

    def _set_weights(self):
        """Compute the weights of `filter_coefficients`; those of degrees below the spin are zero."""
        ell = np.arange(self.L)
        has_spin = ell >= abs(self.spin)
        smooth = has_spin * np.sqrt(4 * np.pi / (2 * ell + 1)) * self.scaling_filter
        smooth = smooth[None, : self.scaling_limit].astype(complex)
        self._scaling_weights = dict(weights=smooth, L=self.L)
        self._analysis_weights = {}
        self._synthesis_weights = {}
        self._sphere_weights = {}
        for j in self.scales:
            limit, N = self._limits(j)
            psi = (has_spin * self.filters[j])[self.N - N : self.N + N - 1, :limit]
            psi = psi.conj().astype(complex)
            self._synthesis_weights[j] = dict(weights=psi, L=self.L)
            scaled = np.ascontiguousarray(psi * (8 * np.pi**2 / (2 * ell[:limit] + 1)))
            self._analysis_weights[j] = dict(weights=scaled, L=self.L)
            if N == 1:
                on_sphere = scaled * np.sqrt((2 * ell[:limit] + 1) / (8 * np.pi**2))
                self._sphere_weights[j] = dict(weights=on_sphere, L=self.L)

    def __repr__(self):
        return (
            f"Wavelets(L={self.L}, lam={self.lam:g}, J0={self.J0}, N={self.N}, spin={self.spin}, "
            f"sampling={self.grid!r}, reality={self.reality}, multiresolution={self.multiresolution}, "
            f"family={self.family!r})"
        )

    def _key(self):
        arguments = self.family, self.L, self.lam, self.J0, self.N, self.spin
        return *arguments, self.grid, self.reality, self.multiresolution, self.threads

    def analysis(self, f: ArrayLike) -> tuple[np.ndarray, list[np.ndarray]]:
        """Wavelet analysis of samples.

        Parameters
        ----------
        f : array_like [shape=(..., *grid.shape)]
            Samples of the signals.

        Returns
        -------
        scaling : ndarray [shape=(..., *scaling_grid.shape)]
            The scaling map; empty, (..., 0), if ``scaling_grid`` is None.
        maps : list of ndarray [shape=(..., *grids[j].shape)]
            The map of each scale j, in the order of ``scales``.
            Real if ``reality``; in the precision of ``f``, and differentiable by it.

        Raises
        ------
        TypeError
            Complex samples with ``reality``; an unsupported dtype.
        ValueError
            Samples of another shape, NaN, infinite or UNSEEN.

        Warns
        -----
        UserWarning
            L is larger than 3 nside on HEALPix.
        """
        return self.analysis_flm(harmonic.forward(f, self.L, **self._signal_options()))

    def synthesis(self, scaling: ArrayLike, maps: Sequence[ArrayLike]) -> np.ndarray:
        """Wavelet synthesis of samples, the inverse of `analysis`.

        Parameters
        ----------
        scaling : ndarray [shape=(..., *scaling_grid.shape)]
            The scaling map; empty, (..., 0), if ``scaling_grid`` is None.
        maps : sequence of ndarray [shape=(..., *grids[j].shape)]
            The map of each scale j, in the order of ``scales``.

        Returns
        -------
        ndarray [shape=(..., *grid.shape)]
            Samples of the signals.

        Raises
        ------
        TypeError
            Complex maps with ``reality``; an unsupported dtype.
        ValueError
            Maps of another number or shape, NaN, infinite or UNSEEN.
        """
        flm = self.synthesis_flm(scaling, maps)
        return harmonic.inverse(flm, self.L, **self._signal_options())

    def analysis_flm(self, flm: ArrayLike) -> tuple[np.ndarray, list[np.ndarray]]:
        """Wavelet analysis of harmonic coefficients.

        Parameters
        ----------
        flm : complex array_like [shape=(..., L*L)]
            Coefficients of the signals.

        Returns
        -------
        scaling : ndarray [shape=(..., *scaling_grid.shape)]
            The scaling map; empty, (..., 0), if ``scaling_grid`` is None.
        maps : list of ndarray [shape=(..., *grids[j].shape)]
            The map of each scale j, in the order of ``scales``.
            Real if ``reality``; in the precision of ``flm``, and differentiable by it.

        Raises
        ------
        TypeError
            An unsupported dtype.
        ValueError
            Coefficients of another shape, NaN or infinite; coefficients that are not Hermitian, with
            ``reality``.
        """
        flm = coefficients(flm, self.L)
        scaling = self._scaling_map(flm, harmonic.inverse)
        maps = []
        for j in self.scales:
            flmn = filter_coefficients.forward(flm, **self._analysis_weights[j])
            maps.append(wigner.inverse(flmn, *self._limits(j), **self._scale_options(j)))
        return scaling, maps

    def synthesis_flm(self, scaling: ArrayLike, maps: Sequence[ArrayLike]) -> np.ndarray:
        """Wavelet synthesis of harmonic coefficients, the inverse of `analysis_flm`.

        Parameters
        ----------
        scaling : ndarray [shape=(..., *scaling_grid.shape)]
            The scaling map; empty, (..., 0), if ``scaling_grid`` is None.
        maps : sequence of ndarray [shape=(..., *grids[j].shape)]
            The map of each scale j, in the order of ``scales``.

        Returns
        -------
        complex ndarray [shape=(..., L*L)]
            Coefficients of the signals, differentiable by the maps.

        Raises
        ------
        TypeError
            Complex maps with ``reality``; an unsupported dtype.
        ValueError
            Maps of another number or shape, NaN, infinite or UNSEEN.
        """
        return self._sum(scaling, maps, harmonic.forward, wigner.forward, self._synthesis_weights)

    def analysis_adjoint(self, scaling: ArrayLike, maps: Sequence[ArrayLike]) -> np.ndarray:
        """Conjugate transpose of `analysis_flm`.

        Parameters
        ----------
        scaling : ndarray [shape=(..., *scaling_grid.shape)]
            The scaling map; empty, (..., 0), if ``scaling_grid`` is None.
        maps : sequence of ndarray [shape=(..., *grids[j].shape)]
            The map of each scale j, in the order of ``scales``.

        Returns
        -------
        complex ndarray [shape=(..., L*L)]
            Coefficients, differentiable by the maps.

        Raises
        ------
        TypeError
            Complex maps with ``reality``; an unsupported dtype.
        ValueError
            Maps of another number or shape, NaN, infinite or UNSEEN.
        """
        return self._sum(
            scaling, maps, harmonic.inverse_adjoint, wigner.inverse_adjoint, self._analysis_weights
        )

    def synthesis_adjoint(self, flm: ArrayLike) -> tuple[np.ndarray, list[np.ndarray]]:
        """Conjugate transpose of `synthesis_flm`.

        Parameters
        ----------
        flm : complex array_like [shape=(..., L*L)]
            Array of the shape of the coefficients.

        Returns
        -------
        scaling : ndarray [shape=(..., *scaling_grid.shape)]
            The scaling map; empty, (..., 0), if ``scaling_grid`` is None.
        maps : list of ndarray [shape=(..., *grids[j].shape)]
            The map of each scale j, in the order of ``scales``.
            Real if ``reality``; in the precision of ``flm``, and differentiable by it.

        Raises
        ------
        TypeError
            An unsupported dtype.
        ValueError
            Coefficients of another shape, NaN or infinite.
        """
        flm = coefficients(flm, self.L)
        scaling = self._scaling_map(flm, harmonic.forward_adjoint)
        maps = []
        for j in self.scales:
            flmn = filter_coefficients.forward(flm, **self._synthesis_weights[j])
            maps.append(wigner.forward_adjoint(flmn, *self._limits(j), **self._scale_options(j)))
        return scaling, maps

    def _scaling_map(self, flm, to_samples):
        if self.scaling_grid is None:
            return anp.real(flm[..., :0]) if self.reality else flm[..., :0]
        coarse = filter_coefficients.forward(flm, **self._scaling_weights)[..., 0, :]
        return to_samples(coarse, self.scaling_limit, **self._scaling_options())

    def _sum(self, scaling, maps, sphere_transform, group_transform, weights):
        scaling, maps = self._checked_maps(scaling, maps)
        total = 0.0
        if self.scaling_grid is not None:
            coarse = sphere_transform(scaling, self.scaling_limit, **self._scaling_options())
            total = filter_coefficients.adjoint(coarse[..., None, :], **self._scaling_weights)
        for j, values in zip(self.scales, maps, strict=True):
            flmn = group_transform(values, *self._limits(j), **self._scale_options(j))
            total = total + filter_coefficients.adjoint(flmn, **weights[j])
        return total

    # --- one filter ---

    def convolve(self, flm: ArrayLike, j: int, *, on_sphere: bool = False) -> np.ndarray:
        """Coefficients of the convolution of signals with the wavelet of one scale.

            W_lmn = 8 pi^2/(2l+1) f_lm conj(Psi^j_ln)

        W(rho) = <f, R_rho Psi^j> is a signal on the rotation group. `spherekit.wigner.inverse` gives its
        samples, which are those of `analysis_flm` on ``grids[j]``. The convolution with an axisymmetric
        wavelet is also a signal on the sphere.

        Parameters
        ----------
        flm : complex array_like [shape=(..., K*K)]
            Coefficients of the signals, real or complex. Their band-limit K <= L follows from their number;
            degrees from K on are zero.
        j : int
            One of ``scales``.
        on_sphere : bool
            For an axisymmetric wavelet, N_j = 1: return the coefficients of sqrt(2 pi) W on the sphere, whose
            energy there is that of W on the group,

                sqrt(2 pi) W_lm = sqrt(8 pi^2/(2l+1)) f_lm conj(Psi^j_l0)

        Returns
        -------
        complex ndarray [shape=(..., 2N_j-1, L_j*L_j), or (..., L_j*L_j) with ``on_sphere``]
            (L_j, N_j) are the band-limits of ``grids[j]``, with L_j reduced to K if K is smaller. In the
            precision of ``flm``, and differentiable by it.

        Raises
        ------
        TypeError
            j is not an integer.
        ValueError
            Coefficients of another shape, or of a higher band-limit; j is not one of the scales;
            ``on_sphere`` with a directional wavelet.

        Examples
        --------
        >>> import numpy as np
        >>> w = Wavelets(16)
        >>> w.convolve(np.ones(256), 2).shape, w.convolve(np.ones(16), 2, on_sphere=True).shape
        ((1, 64), (16,))
        """
        j = self._checked_scale(j)
        if not on_sphere:
            return self._filter(flm, **self._analysis_weights[j])
        if self.grids[j].N > 1:
            raise ValueError(
                f"the wavelet of scale {j} has N = {self.grids[j].N} directions, and its convolution is "
                "defined on the rotation group; omit on_sphere"
            )
        return _on_sphere(self._filter(flm, **self._sphere_weights[j]))

    def smooth(self, flm: ArrayLike) -> np.ndarray:
        """Coefficients of the convolution of signals with the scaling function, a low-pass filter.

            F_lm = sqrt(4 pi/(2l+1)) f_lm Phi_l0

        Parameters
        ----------
        flm : complex array_like [shape=(..., K*K)]
            Coefficients of the signals, of band-limit K <= L, as in `convolve`.

        Returns
        -------
        complex ndarray [shape=(..., L_0*L_0)]
            L_0 is ``scaling_limit``, or K if that is smaller. In the precision of ``flm``, and
            differentiable by it.

        Raises
        ------
        ValueError
            Coefficients of another shape, or of a higher band-limit.

        Examples
        --------
        >>> import numpy as np
        >>> Wavelets(16, J0=2).smooth(np.ones(256)).real.round(2)[[0, 1, 4, 9]]
        array([1.  , 1.  , 1.  , 0.67])
        """
        return _on_sphere(self._filter(flm, **self._scaling_weights))

    def energies(self, flm: ArrayLike) -> np.ndarray:
        """The energy of F on the sphere, then the energy of each W^j on the rotation group.

            sum_l (2l+1) C_l 4 pi/(2l+1) |Phi_l0|^2,    sum_l (2l+1) C_l 8 pi^2/(2l+1) sum_n |Psi^j_ln|^2

        Parameters
        ----------
        flm : complex array_like [shape=(..., L*L)]
            Coefficients of the signals.

        Returns
        -------
        float64 ndarray [shape=(..., 1 + len(scales))]
            The energies, which sum to the energy ``sum |flm|^2`` of the signals. Differentiable.

        Raises
        ------
        ValueError
            Coefficients of another shape; NaN or infinite coefficients.

        Examples
        --------
        >>> import numpy as np
        >>> w = Wavelets(16, J0=2)
        >>> energies = w.energies(np.ones(256))
        >>> energies.shape, round(float(energies.sum()), 9)
        ((4,), 256.0)
        """
        flm = coefficients(flm, self.L)
        ell = np.arange(self.L)
        if not (is_traced(flm) or np.isfinite(flm).all()):
            raise ValueError("flm contains NaN or infinite coefficients; expected finite ones")
        gains = [4 * np.pi / (2 * ell + 1) * self.scaling_filter**2]
        for psi in self.filters.values():
            gains.append(8 * np.pi**2 / (2 * ell + 1) * np.sum(np.abs(psi) ** 2, axis=0))
        gains = (ell >= abs(self.spin))[:, None] * np.stack(gains, axis=-1)
        return ((2 * ell + 1) * power(flm)) @ gains

    def _checked_scale(self, j):
        if type(j) is int and j in self.grids:
            return j
        j = checks.integer(j, "j", -np.inf, hint=f"one of the scales {self.scales}")
        if j not in self.grids:
            raise ValueError(f"j must be one of the scales {self.scales}; got {j}")
        return j

    def _filter(self, flm, weights, L):
        """Apply `filter_coefficients` to signals of any band-limit up to L."""
        flm, limit = flat(flm)
        if limit > L:
            raise ValueError(
                f"flm has shape {flm.shape}, band-limit {limit}; expected a band-limit of at most L = {L}"
            )
        return filter_coefficients.forward(flm, weights=weights[:, :limit], L=limit)

    # --- transforms of the maps ---

    def _signal_options(self):
        options = dict(spin=self.spin, sampling=self.grid, reality=self.reality)
        return options | dict(threads=self.threads)

    def _scaling_options(self):
        return dict(sampling=self.scaling_grid, reality=self.reality, threads=self.threads)

    def _scale_options(self, j):
        options = dict(sampling=self.grids[j], steerable=self.steerable, L_lower=self.bands[j][0])
        return options | dict(reality=self.reality, threads=self.threads)

    def _limits(self, j):
        return self.grids[j].L, self.grids[j].N

    def _checked_maps(self, scaling, maps):
        if len(maps) != len(self.scales):
            raise ValueError(
                f"got {len(maps)} maps; expected one for each of the scales {self.scales}"
            )
        scaling = as_float_array(scaling, "the scaling map")
        shape = (0,) if self.scaling_grid is None else self.scaling_grid.shape
        if scaling.shape[-len(shape) :] != shape:
            expected = ", ".join(map(str, shape))
            raise ValueError(
                f"the scaling map has shape {scaling.shape}; expected (..., {expected})"
            )
        maps = [as_float_array(x, f"map {j}") for j, x in zip(self.scales, maps, strict=True)]
        scaling, *maps = same_precision(scaling, *maps)
        return scaling, maps


def _on_sphere(flmn):
    """(..., 1, L*L) -> (..., L*L)."""
    return anp.reshape(flmn, (*flmn.shape[:-2], flmn.shape[-1]))


def _band_limit(row):
    """The band-limit of a filter: 1 + its highest degree of non-zero response."""
    return int(np.flatnonzero(row)[-1]) + 1


def _directions(N, L):
    """The azimuthal band-limit at a scale of band-limit L: at most L, of the parity of N."""
    return N if N <= L else L - (N - L) % 2 or 1


def _dilation(lam):
    expected = "a dilation factor > 1"
    return checks.real_number(lam, "lam", expected, lambda factor: 1 < factor < np.inf)


def _lowest_scale(J0, L, lam):
    J = tiling.highest_scale(L, lam)
    return checks.integer(J0, "J0", 0, J, f"the highest scale J of L={L}, lam={lam:g} is {J}")
