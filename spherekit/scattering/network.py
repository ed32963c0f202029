"""The scattering network on the sphere: stable, locally invariant features from fixed wavelets.

    U[j] f = |f * Psi^j|,   U[p] = U[j_d] ... U[j_1],   S[p] f = U[p] f * Phi

(McEwen, Wallis and Mavor-Parker 2022, arXiv:2102.02828). The modulus moves energy to low degrees, and each
layer is computed at the band-limit that the following layers of its path need. The scaling conserves energy:
|f|^2 is the sum of the energies of f * Phi and of all U[j] f, except for the loss by means over gamma.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Literal

import autograd.numpy as anp
import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.modulus import modulus
from spherekit._core.operators import Operator
from spherekit._core.remat import rematerialize
from spherekit._core.traced import coefficients
from spherekit.conventions import band_limit_of
from spherekit.harmonic import transform as harmonic
from spherekit.sampling import RotationGrid
from spherekit.sampling import grid as as_grid
from spherekit.sampling.base import Grid
from spherekit.scattering.orientation import TREATMENTS
from spherekit.scattering.paths import branches
from spherekit.scattering.paths import paths as make_paths
from spherekit.wavelets import Wavelets
from spherekit.wigner import transform as wigner

#: Moduli with more samples than this are recomputed in the backward pass instead of being saved.
_MAX_SAVED = 2**20


class Scattering(Operator):
    """Scattering transform of signals on the sphere.

    Parameters
    ----------
    L, lam, J0, N, spin : as `spherekit.wavelets.Wavelets`
        J0 sets the scale of invariance: the outputs have band-limit L0 = ceil(lam^J0).
    depth : int
        Largest number of moduli of a path.
    paths : {"descending", "neighbour", "all"} or sequence of tuples of int
        ``"descending"``: each scale is lower than the previous one; these paths contain nearly all energy.
        ``"neighbour"``: each scale is lower by one step. ``"all"``: all sequences of scales. A sequence:
        the paths themselves.
    oversample : float
        The modulus is not band-limited. It is sampled for ``oversample`` times the band-limit of its scale
        (or for the band-limit of the following layers, if higher). Aliasing breaks the equivariance of
        outputs of order and degree above 0: by 48 % at 1, 13 % at 1.5, 6 % at 2, 2.2 % at 3 (white signals
        of L = 64, J0 = 2; about half of that for N = 3).
    directional : {"mean", "full", "slices"}
        Treatment of |f * Psi^j| of directional wavelets, a signal on SO(3). ``"mean"``: the next layer
        receives its mean over gamma. ``"full"``: it remains on SO(3) and is convolved with the central
        wavelets of SO(3), which preserve its orders n, (U * Psi^j)_lmn = kappa_j(l) U_lmn; requires odd N.
        Both are equivariant. ``"slices"``: the map of each angle gamma is a path of its own, analyzed with
        axisymmetric wavelets. This breaks equivariance by 100 % at any oversampling (the others by 0.3 % at
        ``oversample=4``), and is provided for comparison.
    sampling, reality, threads : as `spherekit.wavelets.Wavelets`
        Grid of the signals; whether they are real; number of threads.

    Attributes
    ----------
    paths : tuple of Path
        (scales, order, direction) of each output.
    L0 : int
        Band-limit of the outputs.

    Raises
    ------
    TypeError
        An argument of another type.
    ValueError
        An argument out of range, unknown ``paths`` or ``directional``, or ``directional="full"`` with even N.

    Examples
    --------
    Features of order 0 to 2 of a random signal, each a map of band-limit L0 = 2:

    >>> import numpy as np
    >>> S = Scattering(16, J0=1, depth=2, reality=True)
    >>> [path.scales for path in S.paths][:6]
    [(), (4,), (3,), (2,), (1,), (4, 3)]
    >>> from spherekit.testing import random_flm
    >>> S.from_flm(random_flm(16, np.random.default_rng(0), reality=True)).shape
    (11, 4)
    """

    def __init__(
        self,
        L: int,
        lam: float = 2,
        J0: int = 0,
        depth: int = 2,
        N: int = 1,
        paths: Literal["descending", "neighbour", "all"] | Sequence[tuple[int, ...]] = "descending",
        *,
        oversample: float = 2,
        directional: Literal["mean", "full", "slices"] = "mean",
        spin: int = 0,
        sampling: str | Grid = "mw",
        reality: bool = False,
        threads: int | None = None,
    ):
        options = dict(sampling=sampling, threads=threads)
        self.first = Wavelets(L, lam, J0, N, spin, reality=reality, **options)
        N_later = N if directional == "mean" else 1
        self.later = Wavelets(L, lam, J0, N_later, reality=True, **options)
        if directional not in tuple(TREATMENTS):
            raise ValueError(
                f"directional must be one of {', '.join(TREATMENTS)}; got {directional!r}"
            )
        if directional == "full" and self.first.N % 2 == 0:
            raise ValueError(f"N is {N}; expected an odd N with directional='full'")
        self.oversample = checks.oversampling(oversample)
        self._treatment = TREATMENTS[directional](self.first, self.later, self.oversample)
        self.directional = directional
        self.L = self.first.L
        self.depth = checks.integer(depth, "depth", 0)
        self.paths = make_paths(self.first.scales, self.depth, paths)
        self.L0 = self.later.scaling_limit
        self._branches = branches(self.paths)
        self._output_paths = {path.scales for path in self.paths}
        if directional == "slices":
            slices = {j: grid.N for j, grid in self.first.grids.items()}
            self.paths = tuple(
                path._replace(direction=g)
                for path in self.paths
                for g in range(slices[path.scales[0]] if path.order else 1)
            )

    def __repr__(self):
        w = self.first
        return (
            f"Scattering(L={w.L}, lam={w.lam:g}, J0={w.J0}, depth={self.depth}, N={w.N}, "
            f"{len(self.paths)} paths, oversample={self.oversample:g}, reality={w.reality})"
        )

    def _key(self):
        return self.first, self.paths, self.depth, self.oversample, self.directional

    def __call__(self, f: ArrayLike) -> np.ndarray:
        """Scattering coefficients of signals given by their samples.

        Parameters
        ----------
        f : array_like [shape=(..., *grid.shape)]
            Samples of the signals.

        Returns
        -------
        complex ndarray [shape=(..., n_paths, L0*L0)]
            As from `from_flm`.

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
        w = self.first
        options = dict(spin=w.spin, sampling=w.grid, reality=w.reality, threads=w.threads)
        return self.from_flm(harmonic.forward(f, self.L, **options))

    def from_flm(self, flm: ArrayLike) -> np.ndarray:
        """Scattering coefficients of signals given by their harmonic coefficients.

        Parameters
        ----------
        flm : complex array_like [shape=(..., L*L)]
            Coefficients of the signals.

        Returns
        -------
        complex ndarray [shape=(..., n_paths, L0*L0)]
            Harmonic coefficients of each output S[p] f, in the order of ``paths``. In the precision of
            ``flm``, and differentiable by it.

        Raises
        ------
        TypeError
            An unsupported dtype.
        ValueError
            Coefficients of another shape, NaN or infinite; coefficients that are not Hermitian, with
            ``reality``.
        """
        flm = coefficients(flm, self.L)
        S = {}
        self._visit((), flm[..., None, :], S)
        outputs = [S[path.scales][..., path.direction, :] for path in self.paths]
        return anp.stack(outputs, axis=-2)

    def _visit(self, path, U, S):
        """Compute S[p] f of a path and of all its extensions, depth first.

        U are the coefficients (..., channels, K*K) of U[p] f. Channels are one map, a map for each angle, or
        the orders n on SO(3).
        """
        if path in self._output_paths:
            S[path] = self._treatment.smooth(path, U)  # U[p] f * Phi
        for j in self._branches.get(path, ()):
            limit = self._needed_limit((*path, j))
            modulus_of = partial(self._modulus, path, j, limit)  # |U[p] f * Psi^j|
            is_large = self._samples(j) * math.prod(U.shape[:-1]) > _MAX_SAVED
            self._visit((*path, j), rematerialize(U, modulus_of) if is_large else modulus_of(U), S)

    def _modulus(self, path, j, limit, U):
        """Coefficients of |U * Psi^j|, of the degrees below ``limit``."""
        w = self._treatment.wavelets(path)
        if w.grids[j].N == 1 and self.directional != "full":
            return self._modulus_on_sphere(path, j, limit, U)
        W = self._treatment.convolve(path, U, j)
        L = band_limit_of(W)
        N = (W.shape[-2] + 1) // 2
        grid = self._fine_grid(L, N, limit)
        options = dict(sampling=grid, reality=w.reality, steerable=True, threads=w.threads)
        return self._treatment.collect(modulus(wigner.inverse(W, L, N, **options)), grid, limit)

    def _modulus_on_sphere(self, path, j, limit, U):
        """`_modulus` with an axisymmetric wavelet, computed on the sphere."""
        w = self._treatment.wavelets(path)
        W = self._treatment.convolve_on_sphere(path, U, j)
        L = band_limit_of(W)
        options = dict(sampling=self._fine_grid(L, 1, limit).sphere, threads=w.threads)
        f = modulus(harmonic.inverse(W, L, reality=w.reality, **options))
        return harmonic.forward(f, limit, reality=True, **options)

    def _needed_limit(self, path):
        """The band-limit that the output and the following layers of a path need."""
        following = self._branches.get(path, ())
        return max([self.L0, *(self.later.bands[j][1] + 1 for j in following)])

    def _samples(self, j):
        """Approximate number of samples of a modulus."""
        limit, N = self.first.grids[j].L, self.first.grids[j].N
        return 2 * (self.oversample * limit) ** 2 * N

    def _fine_grid(self, L, N, limit):
        """The grid of a modulus, for ``oversample`` times the band-limits."""
        fine = max(math.ceil(self.oversample * L), limit)
        angles = min(self._treatment.angles(N), fine - (fine - N) % 2)
        sphere = as_grid(self.later.scaling_grid.name, fine)
        return RotationGrid(fine, angles, sphere, steerable=True)
