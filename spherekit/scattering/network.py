"""The scattering network on the sphere: a designed first layer, stable and locally invariant.

    U[j] f = |f * Psi^j|,   U[p] = U[j_d] ... U[j_1],   S[p] f = U[p] f * Phi

(McEwen, Wallis and Mavor-Parker 2022, arXiv:2102.02828). The modulus moves energy to low degrees; every step
is computed at the band-limit that the rest of its path needs.
"""

import math

import autograd.numpy as anp

from spherekit import _check
from spherekit.harmonic import transform as harmonic
from spherekit.sampling import RotationGrid
from spherekit.sampling import grid as as_grid
from spherekit.scattering.modulus import modulus
from spherekit.scattering.paths import branches
from spherekit.scattering.paths import paths as make_paths
from spherekit.wavelets import Wavelets
from spherekit.wavelets.weights import pair
from spherekit.wigner import transform as wigner


class Scattering:
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
        outputs of order and degree above 0: by 30 % at 1, 9 % at 1.5, 4 % at 2, 1.4 % at 3 (white signals of
        L = 64, J0 = 2; half of that for N = 3).
    directional : "mean"
        |f * Psi^j| of directional wavelets lives on SO(3); the next step takes its mean over gamma.
    sampling, reality, threads : as `Wavelets`

    Attributes
    ----------
    paths : tuple of Path
        (scales, order) of each output.
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
        how = dict(sampling=sampling, threads=threads)
        self.first = Wavelets(L, lam, J0, N, spin, reality=reality, **how)
        self.later = Wavelets(L, lam, J0, N, reality=True, **how)
        if not 1 <= oversample <= 16:
            raise ValueError(f"oversample is {oversample!r}; expected a number from 1 to 16")
        if directional != "mean":
            raise ValueError(f"directional is {directional!r}; known is 'mean'")
        if isinstance(depth, bool) or int(depth) != depth or depth < 0:
            raise ValueError(f"depth is {depth!r}; expected a whole number >= 0")
        self.L, self.oversample, self.depth = self.first.L, oversample, int(depth)
        self.paths = make_paths(self.first.scales, self.depth, paths)
        self.L0 = self.first.scaling_limit
        self._branches = branches(self.paths)

    def __repr__(self):
        w = self.first
        return (
            f"Scattering(L={w.L}, lam={w.lam:g}, J0={w.J0}, depth={self.depth}, N={w.N}, "
            f"{len(self.paths)} paths, oversample={self.oversample:g}, reality={w.reality})"
        )

    def __call__(self, f):
        """Coefficients (..., n_paths, L0*L0) of samples (..., *grid.shape)."""
        return self.from_flm(harmonic.forward(f, self.L, **self.first._signal()))

    def from_flm(self, flm):
        """Coefficients (..., n_paths, L0*L0) of a signal's coefficients (..., L*L)."""
        _check.coefficients_shape(flm, self.L)
        found = {}
        self._visit((), flm, self.L, found)
        return anp.stack([found[path.scales] for path in self.paths], axis=-2)

    def _visit(self, path, flm, limit, found):
        """S of this path, then of all that begin with it: depth first, each beginning once."""
        if any(path == wanted.scales for wanted in self.paths):
            found[path] = self._smooth(path, flm, limit)
        for j in self._branches.get(path, ()):
            keep = self._needed((*path, j))
            self._visit((*path, j), self._propagate(path, flm, limit, j, keep), keep, found)

    def _needed(self, path):
        """The band-limit that what follows a path looks at."""
        following = self._branches.get(path, ())
        return max([self.L0, *(self.later.bands[j][1] + 1 for j in following)])

    def _wavelets(self, path):
        return self.later if path else self.first

    def _propagate(self, path, flm, limit, j, keep):
        """Coefficients below ``keep`` of |f * Psi^j|, its mean over gamma."""
        w = self._wavelets(path)
        flmn = pair.forward(flm, **_cut(w._analysing[j], limit))
        L, N = math.isqrt(flmn.shape[-1]), w.grids[j].N
        grid = self._fine(w, L, N, keep)
        how = dict(reality=w.reality, steerable=True, threads=w.threads)
        U = modulus(wigner.inverse(flmn, L, N, sampling=grid, **how))
        mean = anp.sum(U, axis=-3) / grid.n_gamma  # anp.mean would widen float32
        return harmonic.forward(mean, keep, sampling=grid.sphere, reality=True, threads=w.threads)

    def _fine(self, w, L, N, keep):
        """The grid of a modulus: ``oversample`` times the band-limits, of the same parity in gamma."""
        fine = max(math.ceil(self.oversample * L), keep)
        directions = 1 if N == 1 else math.ceil(self.oversample * N)
        directions = min(directions + (directions - N) % 2, fine - (fine - N) % 2)
        return RotationGrid(fine, directions, as_grid(w.scaling_grid.name, fine), steerable=True)

    def _smooth(self, path, flm, limit):
        weights = _cut(self._wavelets(path)._smoothing, limit)
        return pair.forward(flm, **weights)[..., 0, :]


def _cut(held, limit):
    """Weights for signals of that band-limit."""
    return dict(weights=held["weights"][:, :limit], L=limit)
