"""The scattering network on the sphere: a designed first layer, stable and locally invariant.

    U[j] f = |f * Psi^j|,   U[p] = U[j_d] ... U[j_1],   S[p] f = U[p] f * Phi

(McEwen, Wallis and Mavor-Parker 2022, arXiv:2102.02828). The modulus moves energy to low degrees; every step
is computed at the band-limit that the rest of its path needs. All is scaled to keep the energy: |f|^2 is the
sum of that of f * Phi and of all U[j] f, but for what means over gamma lose.
"""

import math
from functools import partial

import autograd.numpy as anp

from spherekit._core import checks
from spherekit._core.modulus import modulus
from spherekit._core.operators import Operator
from spherekit._core.remat import rematerialize
from spherekit._core.traced import coefficients
from spherekit.conventions import band_limit_of
from spherekit.harmonic import transform as harmonic
from spherekit.sampling import RotationGrid
from spherekit.sampling import grid as as_grid
from spherekit.scattering.orientation import WAYS
from spherekit.scattering.paths import branches
from spherekit.scattering.paths import paths as make_paths
from spherekit.wavelets import Wavelets
from spherekit.wigner import transform as wigner

#: Samples of a modulus beyond which they are not saved for the backward pass, but computed again.
_MAX_SAVED = 2**20


class Scattering(Operator):
    """Scattering coefficients of signals on the sphere.

    Parameters
    ----------
    L, lam, J0, N, spin : as `spherekit.wavelets.Wavelets`
        J0 sets the scale of invariance: the outputs have the band-limit L0 = ceil(lam^J0).
    depth : int
        Moduli in a row, at the most.
    paths : str or list of tuples
        ``"descending"`` (each scale below the one before; holds nearly all the energy), ``"neighbour"``,
        ``"all"``, or the paths themselves.
    oversample : float
        The modulus is not band-limited: it is taken on samples for ``oversample`` times the band-limit of
        its scale (or for that of what follows it, if higher). What it aliases breaks the equivariance of
        outputs of order and degree above 0: by 48 % at 1, 13 % at 1.5, 6 % at 2, 2.2 % at 3 (white signals of
        L = 64, J0 = 2; about half of that for N = 3).
    directional : str
        |f * Psi^j| of directional wavelets lives on SO(3). ``"mean"``: the next step takes its mean over
        gamma. ``"full"``: it stays there and meets the central wavelets of SO(3), which keep its orders n,
        (U * Psi^j)_lmn = kappa_j(l) U_lmn; for odd N. Both are equivariant. ``"slices"``: every angle gamma
        is a map and a path of its own, analysed with axisymmetric wavelets. That breaks equivariance by
        100 %, at any oversampling (0.3 % of the others at 4): it is here for comparison.
    sampling, reality, threads : as `Wavelets`

    Attributes
    ----------
    paths : tuple of Path
        (scales, order, direction) of each output.
    L0 : int

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
        L,
        lam=2,
        J0=0,
        depth=2,
        N=1,
        paths="descending",
        *,
        oversample=2,
        directional="mean",
        spin=0,
        sampling="mw",
        reality=False,
        threads=None,
    ):
        options = dict(sampling=sampling, threads=threads)
        self.first = Wavelets(L, lam, J0, N, spin, reality=reality, **options)
        N_later = N if directional == "mean" else 1
        self.later = Wavelets(L, lam, J0, N_later, reality=True, **options)
        if directional not in tuple(WAYS):
            raise ValueError(f"directional is {directional!r}; known are {', '.join(WAYS)}")
        if directional == "full" and self.first.N % 2 == 0:
            raise ValueError(f"N is {N}; directional='full' needs odd N")
        self.oversample = checks.oversampling(oversample)
        self._way = WAYS[directional](self.first, self.later, self.oversample)
        self.directional, self.L = directional, self.first.L
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

    def __call__(self, f):
        """Coefficients (..., n_paths, L0*L0) of samples (..., *grid.shape)."""
        w = self.first
        options = dict(spin=w.spin, sampling=w.grid, reality=w.reality, threads=w.threads)
        return self.from_flm(harmonic.forward(f, self.L, **options))

    def from_flm(self, flm):
        """Coefficients (..., n_paths, L0*L0) of a signal's coefficients (..., L*L)."""
        flm = coefficients(flm, self.L)
        S = {}
        self._visit((), flm[..., None, :], S)
        outputs = [S[path.scales][..., path.direction, :] for path in self.paths]
        return anp.stack(outputs, axis=-2)

    def _visit(self, path, U, S):
        """S[p] f of this path, then of all that begin with it: depth first, each beginning once.

        U[p] f by its coefficients (..., channels, K*K): a map, one of each angle, or orders n on SO(3).
        """
        if path in self._output_paths:
            S[path] = self._way.smooth(path, U)  # U[p] f * Phi
        for j in self._branches.get(path, ()):
            limit = self._needed_limit((*path, j))
            modulus_of = partial(self._modulus, path, j, limit)  # |U[p] f * Psi^j|
            is_large = self._samples(j) * math.prod(U.shape[:-1]) > _MAX_SAVED
            self._visit((*path, j), rematerialize(U, modulus_of) if is_large else modulus_of(U), S)

    def _modulus(self, path, j, limit, U):
        """Coefficients of |U * Psi^j|, of the degrees below ``limit``."""
        w = self._way.wavelets(path)
        if w.grids[j].N == 1 and self.directional != "full":
            return self._modulus_on_sphere(path, j, limit, U)
        W = self._way.convolve(path, U, j)
        L, N = band_limit_of(W), (W.shape[-2] + 1) // 2
        grid = self._fine_grid(L, N, limit)
        options = dict(sampling=grid, reality=w.reality, steerable=True, threads=w.threads)
        return self._way.collect(modulus(wigner.inverse(W, L, N, **options)), grid, limit)

    def _modulus_on_sphere(self, path, j, limit, U):
        """The same with an axisymmetric wavelet: the signal stays on the sphere."""
        w = self._way.wavelets(path)
        W = self._way.convolve_on_sphere(path, U, j)
        L = band_limit_of(W)
        options = dict(sampling=self._fine_grid(L, 1, limit).sphere, threads=w.threads)
        f = modulus(harmonic.inverse(W, L, reality=w.reality, **options))
        return harmonic.forward(f, limit, reality=True, **options)

    def _needed_limit(self, path):
        """The band-limit that what follows a path looks at."""
        following = self._branches.get(path, ())
        return max([self.L0, *(self.later.bands[j][1] + 1 for j in following)])

    def _samples(self, j):
        """About the number of samples of a modulus."""
        limit, N = self.first.grids[j].L, self.first.grids[j].N
        return 2 * (self.oversample * limit) ** 2 * N

    def _fine_grid(self, L, N, limit):
        """The grid of a modulus: ``oversample`` times the band-limits."""
        fine = max(math.ceil(self.oversample * L), limit)
        angles = min(self._way.angles(N), fine - (fine - N) % 2)
        sphere = as_grid(self.later.scaling_grid.name, fine)
        return RotationGrid(fine, angles, sphere, steerable=True)
