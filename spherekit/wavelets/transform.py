"""Directional wavelets on the sphere: exact analysis and synthesis, scale by scale.

    W^j(rho) = (f * Psi^j)(rho) = <f, R_rho Psi^j>,     W^j_lmn = 8 pi^2/(2l+1) f_lm conj(Psi^j_ln),
    F(omega) = (f * Phi)(omega) = <f, R_omega Phi>,     F_lm = sqrt(4 pi/(2l+1)) f_lm Phi_l0,
    f_lm = sqrt(4 pi/(2l+1)) Phi_l0 F_lm + sum_j sum_n Psi^j_ln W^j_lmn

(McEwen, Leistedt, Buettner, Peiris and Wiaux 2015, arXiv:1509.06749). Psi^j_ln = sqrt((2l+1)/8 pi^2)
kappa_j(l) s_ln is steerable (but for curvelets): its orders n have the parity of N-1, and N angles gamma hold
W on SO(3).
"""

import autograd.numpy as anp
import numpy as np

from spherekit._core import checks
from spherekit._core.operators import Operator
from spherekit._core.parallel import thread_count
from spherekit._core.traced import as_float_array, coefficients
from spherekit.conventions.indexing import flat
from spherekit.harmonic import transform as harmonic
from spherekit.linear import is_traced, same_precision
from spherekit.sampling import RotationGrid
from spherekit.sampling import grid as as_grid
from spherekit.spectra import power
from spherekit.wavelets import tiling
from spherekit.wavelets.filtering import pair
from spherekit.wigner import transform as wigner


class Wavelets(Operator):
    """Scale-discretised wavelets of a band-limit: a tight frame.

    Parameters
    ----------
    L : int
        Band-limit of the signals.
    lam : float
        Dilation, > 1: scale j lives on degrees lam^(j-1) < l < lam^(j+1).
    J0 : int
        Lowest scale; below it the scaling function takes all.
    N : int
        Directions: azimuthal band-limit of the wavelets, N <= L; 1 for axisymmetric ones.
    spin : int
        Of the signals. The wavelet coefficients are scalars.
    sampling : str or grid
        Grid of the signals. The maps of the scales are on the same kind of grid where that is a rectangle,
        else on "mw".
    family : str
        ``"scale-discretised"``, or as in `tiling`: ``"needlet"``, of another profile in degree;
        ``"curvelet"``, of N = L: elongated, and sampled at 2N-1 angles, for they are not steerable.
    reality : bool
        Real signals of spin 0; then all maps are real.
    multiresolution : bool
        Each scale at its own band-limit ceil(lam^(j+1)) and N, instead of L and N for all.
    threads : int, optional

    Attributes
    ----------
    scales : tuple of int
        The scales j that hold a whole degree.
    scaling_filter : float64 ndarray [shape=(L,)]
        Phi_l0.
    kappa : dict of j: float64 ndarray [shape=(L,)]
        The tiling of the degrees; its squares and that of eta sum to 1.
    filters : dict of j: ndarray [shape=(2N-1, L)]
        Psi^j_ln, row N-1+n.
    bands : dict of j: (int, int)
        The lowest and the highest degree of a scale.
    grids : dict of j: RotationGrid
        Where the map of a scale is sampled, (n_gamma, n_beta, n_alpha) with n_gamma = N_j.

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
        L,
        lam=2,
        J0=0,
        N=1,
        spin=0,
        *,
        family="scale-discretised",
        sampling="mw",
        reality=False,
        multiresolution=True,
        threads=None,
    ):
        self.L = L = checks.band_limit(L)
        if family not in tiling.FAMILIES:
            raise ValueError(f"family is {family!r}; known are {', '.join(tiling.FAMILIES)}")
        self.family, self.steerable = family, family != "curvelet"
        self.N = checks.azimuthal_limit(N, L)
        if not self.steerable and self.N not in (1, L):
            raise ValueError(f"N is {self.N}; curvelets have N = L = {L}: leave it out")
        if not self.steerable:
            self.N = L
        self.spin = checks.spin_number(spin, L, reality)
        self.lam = _dilation(lam)
        self.J0 = _lowest(J0, L, self.lam)
        self.grid, self.reality = as_grid(sampling, L), bool(reality)
        self.threads = None if threads is None else thread_count(threads)
        self.multiresolution = bool(multiresolution)
        self.scales, eta, kappa = tiling.degree_filters(L, self.lam, self.J0, family)
        self.kappa = dict(zip(self.scales, kappa, strict=True))
        ell, steering = np.arange(L), tiling.steering(L, self.N, family)
        self.scaling_filter = np.sqrt((2 * ell + 1) / (4 * np.pi)) * eta
        norm = np.sqrt((2 * ell + 1) / (8 * np.pi**2))
        self.filters = {j: norm * row * steering for j, row in self.kappa.items()}
        self.scaling_limit = _above(eta) if multiresolution else L
        kind = self.grid.name if self.grid.rectangular else "mw"
        is_empty = _above(eta) <= abs(self.spin)
        self.scaling_grid = None if is_empty else as_grid(kind, self.scaling_limit)
        self.bands = {
            j: (int(row.nonzero()[0][0]), _above(row) - 1) for j, row in self.kappa.items()
        }
        self.grids = {}
        for j, (_, highest) in self.bands.items():
            limit = highest + 1 if multiresolution else L
            N_j = _directions(self.N, limit) if self.steerable else min(self.N, limit)
            self.grids[j] = RotationGrid(limit, N_j, kind, self.steerable)
        self._set_weights()

    def _set_weights(self):
        """Weights of `filtering.pair`, by analysis and synthesis; degrees below the spin are ignored."""
        ell = np.arange(self.L)
        has_spin = ell >= abs(self.spin)
        smooth = has_spin * np.sqrt(4 * np.pi / (2 * ell + 1)) * self.scaling_filter
        smooth = smooth[None, : self.scaling_limit].astype(complex)
        self._scaling_weights = dict(weights=smooth, L=self.L)
        self._analysis_weights, self._synthesis_weights, self._sphere_weights = {}, {}, {}
        for j in self.scales:
            limit, N = self._limits(j)
            psi = (has_spin * self.filters[j])[self.N - N : self.N + N - 1, :limit]
            psi = psi.conj().astype(complex)
            self._synthesis_weights[j] = dict(weights=psi, L=self.L)
            scaled = np.ascontiguousarray(psi * (8 * np.pi**2 / (2 * ell[:limit] + 1)))
            self._analysis_weights[j] = dict(weights=scaled, L=self.L)
            if N == 1:
                of_sphere = scaled * np.sqrt((2 * ell[:limit] + 1) / (8 * np.pi**2))
                self._sphere_weights[j] = dict(weights=of_sphere, L=self.L)

    def __repr__(self):
        return (
            f"Wavelets(L={self.L}, lam={self.lam:g}, J0={self.J0}, N={self.N}, spin={self.spin}, "
            f"sampling={self.grid!r}, reality={self.reality}, multiresolution={self.multiresolution}, "
            f"family={self.family!r})"
        )

    def _key(self):
        arguments = self.family, self.L, self.lam, self.J0, self.N, self.spin
        return *arguments, self.grid, self.reality, self.multiresolution, self.threads

    def analysis(self, f):
        """(scaling map, [map of each scale]) of samples (..., *grid.shape)."""
        return self.analysis_flm(harmonic.forward(f, self.L, **self._of_signal()))

    def synthesis(self, scaling, maps):
        """Samples (..., *grid.shape): the inverse of `analysis`."""
        return harmonic.inverse(self.synthesis_flm(scaling, maps), self.L, **self._of_signal())

    def analysis_flm(self, flm):
        """(scaling map, [map of each scale]) of coefficients (..., L*L).

        The scaling map is (..., *scaling_grid.shape), that of scale j (..., *grids[j].shape). Where the spin
        leaves nothing below the wavelets, the scaling map is empty, (..., 0), and ``scaling_grid`` None.
        """
        flm = coefficients(flm, self.L)
        scaling = self._scaling_map(flm, harmonic.inverse)
        maps = []
        for j in self.scales:
            flmn = pair.forward(flm, **self._analysis_weights[j])
            maps.append(wigner.inverse(flmn, *self._limits(j), **self._of_scale(j)))
        return scaling, maps

    def synthesis_flm(self, scaling, maps):
        """Coefficients (..., L*L) from the maps of `analysis_flm`: its inverse."""
        return self._sum(scaling, maps, harmonic.forward, wigner.forward, self._synthesis_weights)

    def analysis_adjoint(self, scaling, maps):
        """Conjugate transpose of `analysis_flm`: maps -> (..., L*L)."""
        return self._sum(
            scaling, maps, harmonic.inverse_adjoint, wigner.inverse_adjoint, self._analysis_weights
        )

    def synthesis_adjoint(self, flm):
        """Conjugate transpose of `synthesis_flm`: (..., L*L) -> maps."""
        flm = coefficients(flm, self.L)
        scaling = self._scaling_map(flm, harmonic.forward_adjoint)
        maps = []
        for j in self.scales:
            flmn = pair.forward(flm, **self._synthesis_weights[j])
            maps.append(wigner.forward_adjoint(flmn, *self._limits(j), **self._of_scale(j)))
        return scaling, maps

    def _scaling_map(self, flm, to_samples):
        if self.scaling_grid is None:
            return anp.real(flm[..., :0]) if self.reality else flm[..., :0]
        coarse = pair.forward(flm, **self._scaling_weights)[..., 0, :]
        return to_samples(coarse, self.scaling_limit, **self._of_scaling())

    def _sum(self, scaling, maps, of_sphere, of_group, weights):
        scaling, maps = self._checked_maps(scaling, maps)
        total = 0.0
        if self.scaling_grid is not None:
            coarse = of_sphere(scaling, self.scaling_limit, **self._of_scaling())
            total = pair.adjoint(coarse[..., None, :], **self._scaling_weights)
        for j, values in zip(self.scales, maps, strict=True):
            flmn = of_group(values, *self._limits(j), **self._of_scale(j))
            total = total + pair.adjoint(flmn, **weights[j])
        return total

    # --- one filter ---

    def convolve(self, flm, j, *, on_sphere=False):
        """Coefficients of the convolution of signals with the wavelet of one scale.

            W_lmn = 8 pi^2/(2l+1) f_lm conj(Psi^j_ln)

        is on the rotation group, W(rho) = <f, R_rho Psi^j>: `spherekit.wigner.inverse` gives its samples,
        which are those of `analysis_flm` on ``grids[j]``. That of an axisymmetric wavelet is a signal on
        the sphere.

        Parameters
        ----------
        flm : complex ndarray [shape=(..., K*K)]
            Coefficients of the signals, of any values. Their band-limit K <= L is that of their size: degrees
            from K on are zero.
        j : int
            One of ``scales``.
        on_sphere : bool
            Of an axisymmetric wavelet, N_j = 1: the coefficients of sqrt(2 pi) W on the sphere, which has
            there the energy that W has on the group,

                sqrt(2 pi) W_lm = sqrt(8 pi^2/(2l+1)) f_lm conj(Psi^j_l0)

        Returns
        -------
        complex ndarray [shape=(..., 2N_j-1, L_j*L_j), or (..., L_j*L_j) with ``on_sphere``]
            (L_j, N_j) are the band-limits of ``grids[j]``; L_j is K where that is less. In the precision
            of ``flm``, and differentiable by it.

        Raises
        ------
        TypeError
            j is not a whole number.
        ValueError
            Coefficients of another shape, or of a higher band-limit; another scale; ``on_sphere`` of a
            directional wavelet.

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
                f"the wavelet of scale {j} has N = {self.grids[j].N} directions: its convolution is on the "
                "rotation group; leave on_sphere out"
            )
        return _on_sphere(self._filter(flm, **self._sphere_weights[j]))

    def smooth(self, flm):
        """Coefficients of the convolution of signals with the scaling function: their low degrees.

            F_lm = sqrt(4 pi/(2l+1)) f_lm Phi_l0

        Parameters
        ----------
        flm : complex ndarray [shape=(..., K*K)]
            Coefficients of the signals, of a band-limit K <= L as in `convolve`.

        Returns
        -------
        complex ndarray [shape=(..., L_0*L_0)]
            L_0 is ``scaling_limit``, or K where that is less. In the precision of ``flm``, and
            differentiable by it.

        Raises
        ------
        ValueError
            Coefficients of another shape, or of a higher band-limit.

        >>> import numpy as np
        >>> Wavelets(16, J0=2).smooth(np.ones(256)).real.round(2)[[0, 1, 4, 9]]
        array([1.  , 1.  , 1.  , 0.67])
        """
        return _on_sphere(self._filter(flm, **self._scaling_weights))

    def energies(self, flm):
        """The energy of signals by scale: of W on the rotation group, and first of F on the sphere.

            sum_l (2l+1) C_l 4 pi/(2l+1) |Phi_l0|^2,    sum_l (2l+1) C_l 8 pi^2/(2l+1) sum_n |Psi^j_ln|^2

        Parameters
        ----------
        flm : complex ndarray [shape=(..., L*L)]

        Returns
        -------
        float64 ndarray [shape=(..., 1 + len(scales))]
            They sum to that of the signals, ``sum |flm|^2``. Differentiable.

        Raises
        ------
        ValueError
            Coefficients of another shape, NaN or infinite ones.

        >>> import numpy as np
        >>> w = Wavelets(16, J0=2)
        >>> energies = w.energies(np.ones(256))
        >>> energies.shape, round(float(energies.sum()), 9)
        ((4,), 256.0)
        """
        flm, ell = coefficients(flm, self.L), np.arange(self.L)
        if not (is_traced(flm) or np.isfinite(flm).all()):
            raise ValueError("flm holds NaN or infinite coefficients; their energy is not a number")
        passed = [4 * np.pi / (2 * ell + 1) * self.scaling_filter**2]
        for psi in self.filters.values():
            passed.append(8 * np.pi**2 / (2 * ell + 1) * np.sum(np.abs(psi) ** 2, axis=0))
        passed = (ell >= abs(self.spin))[:, None] * np.stack(passed, axis=-1)
        return ((2 * ell + 1) * power(flm)) @ passed

    def _checked_scale(self, j):
        if type(j) is int and j in self.grids:
            return j
        j = checks.integer(j, "j", -np.inf, hint=f"one of the scales {self.scales}")
        if j not in self.grids:
            raise ValueError(f"j is {j}; the scales are {self.scales}")
        return j

    def _filter(self, flm, weights, L):
        """`filtering.pair` of signals of their own band-limit."""
        flm, limit = flat(flm)
        if limit > L:
            raise ValueError(
                f"flm has shape {flm.shape}, band-limit {limit}; the wavelets take up to L = {L}"
            )
        return pair.forward(flm, weights=weights[:, :limit], L=limit)

    # --- transforms of the maps ---

    def _of_signal(self):
        options = dict(spin=self.spin, sampling=self.grid, reality=self.reality)
        return options | dict(threads=self.threads)

    def _of_scaling(self):
        return dict(sampling=self.scaling_grid, reality=self.reality, threads=self.threads)

    def _of_scale(self, j):
        options = dict(sampling=self.grids[j], steerable=self.steerable, L_lower=self.bands[j][0])
        return options | dict(reality=self.reality, threads=self.threads)

    def _limits(self, j):
        return self.grids[j].L, self.grids[j].N

    def _checked_maps(self, scaling, maps):
        if len(maps) != len(self.scales):
            raise ValueError(f"{len(maps)} maps came; the scales are {self.scales}, a map for each")
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


def _above(row):
    """The band-limit of what a filter passes."""
    return int(np.flatnonzero(row)[-1]) + 1


def _directions(N, L):
    """N at a scale of band-limit L: no more than there are orders, of the same parity."""
    return N if N <= L else L - (N - L) % 2 or 1


def _dilation(lam):
    return checks.real_number(lam, "lam", "a dilation > 1", lambda dilation: 1 < dilation < np.inf)


def _lowest(J0, L, lam):
    J = tiling.highest(L, lam)
    return checks.integer(J0, "J0", 0, J, f"the highest scale J of L={L}, lam={lam:g} is {J}")
